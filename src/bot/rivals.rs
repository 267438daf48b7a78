//! Edits of one policy that undo each other: each is written from how the policy is now, so whoever makes the second as its
//! card has it takes the first one back.

use crate::app::App;
use crate::checks::hand_over::edited_policy;
use crate::checks::{CureAction, HandOver, rows};
use crate::facts::{Fact, Term};
use crate::tenant::Policy;

use super::analysis::Analysis;
use super::approve::Case;
use super::reconcile::{Body, state};

/// The warning on a card that other suggestions would undo what it asks for, or be undone by it; none where none would, or
/// the store can't say.
pub async fn of(app: &App, case: &Case, analysis: &Analysis) -> Option<Fact> {
    let CureAction::HandOver(change) = &case.action else { return None };
    let policy = analysis.snapshot().policy(&change.target_id)?;
    let all = app.store.suggestions(app.tenant()).await.ok()?;
    let waiting = all.iter().filter(|row| [state::OPEN, state::SNOOZED].contains(&row.state.as_str()));
    let rivals: Vec<String> = waiting
        .filter(|row| row.number != case.kept.suggestion)
        .filter(|row| match Body::of(row).map(|body| body.proposal.action) {
            Ok(CureAction::HandOver(other)) => undo_each_other(change, &other, policy),
            _ => false,
        })
        .map(|row| format!("S-{}", row.number))
        .collect();
    (!rivals.is_empty()).then(|| {
        Fact::new("approval.rivals", analysis.evidence([rows::policy(policy)]))
            .with("count", rivals.len())
            .with("others", rivals)
            .with("target", Term::Name(policy.display_name.clone()))
            .must_show()
    })
}

/// Whether one of two edits is gone once the other is made after it.
fn undo_each_other(one: &HandOver, other: &HandOver, policy: &Policy) -> bool {
    let gone = |first: &HandOver, second: &HandOver| {
        let both = edited_policy(second, &edited_policy(first, policy)?)?;
        let again = edited_policy(first, &both)?;
        Some(!again.same_meaning(&both) || again.display_name != both.display_name)
    };
    let same = one.target_kind == other.target_kind && one.target_id == other.target_id;
    same && (gone(one, other) == Some(true) || gone(other, one) == Some(true))
}
