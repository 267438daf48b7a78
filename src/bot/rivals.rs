//! Edits of one policy of which one undoes another: each is written from how the policy is now, so whoever makes the second
//! as its card has it may take the first one back.

use crate::app::App;
use crate::checks::hand_over::{changed_parts, edited_policy};
use crate::checks::{CureAction, HandOver, rows};
use crate::facts::{Fact, Term};
use crate::tenant::Policy;

use super::analysis::Analysis;
use super::approve::Case;
use super::reconcile::{Body, state};

/// The warning on a card that other suggestions would undo what it asks for, or be undone by it, and in which order both
/// can be made; none where none would, or the store can't say.
pub async fn of(app: &App, case: &Case, analysis: &Analysis) -> Option<Fact> {
    let CureAction::HandOver(change) = &case.action else { return None };
    let policy = analysis.snapshot().policy(&change.target_id)?;
    let all = app.store.suggestions(app.tenant()).await.ok()?;
    let waiting = all.iter().filter(|row| [state::OPEN, state::SNOOZED].contains(&row.state.as_str()));
    let mut rivals = Rivals::default();
    for row in waiting.filter(|row| row.number != case.kept.suggestion) {
        if let Ok(CureAction::HandOver(other)) = Body::of(row).map(|body| body.proposal.action) {
            rivals.add(format!("S-{}", row.number), (change, &other), policy);
        }
    }
    (!rivals.is_empty()).then(|| {
        Fact::new("approval.rivals", analysis.evidence([rows::policy(policy)]))
            .with("count", rivals.each.len())
            .with("others", rivals.each)
            .with("first", rivals.first)
            .with("later", rivals.later)
            .with("target", Term::Name(policy.display_name.clone()))
            .must_show()
    })
}

/// The numbers of other suggestions, by the order in which both can be made.
#[derive(Debug, Default)]
struct Rivals {
    /// In none: whichever is made second undoes the first.
    each: Vec<String>,
    /// Only with the other one first.
    first: Vec<String>,
    /// Only with the other one second.
    later: Vec<String>,
}

impl Rivals {
    fn add(&mut self, number: String, (change, other): (&HandOver, &HandOver), policy: &Policy) {
        if change.target_kind != other.target_kind || change.target_id != other.target_id {
            return;
        }
        match (is_undone(change, other, policy), is_undone(other, change, policy)) {
            (Some(true), Some(true)) => self.each.push(number),
            (Some(true), _) => self.first.push(number),
            (_, Some(true)) => self.later.push(number),
            _ => {}
        }
    }

    fn is_empty(&self) -> bool {
        self.each.is_empty() && self.first.is_empty() && self.later.is_empty()
    }
}

/// Whether something that an edit changes isn't so any more once another is made after it; none where one is no edit.
fn is_undone(first: &HandOver, second: &HandOver, policy: &Policy) -> Option<bool> {
    let made = edited_policy(first, policy)?;
    let both = edited_policy(second, &made)?;
    Some(!changed_parts(policy, &made).is_subset(&changed_parts(policy, &both)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::checks::hand_over::edit_policy;
    use crate::tenant::read_policy;

    fn policy(excluded: &Value) -> Policy {
        let conditions = json!({"users": {"includeUsers": ["All"]},
            "applications": {"includeApplications": ["All"], "excludeApplications": excluded}});
        let policy = json!({"id": "p", "displayName": "CA400", "state": "enabled", "conditions": conditions,
            "grantControls": {"operator": "OR", "builtInControls": ["mfa"]}});
        read_policy(&policy).unwrap()
    }

    fn excluding(excluded: &Value) -> HandOver {
        let conditions = crate::tenant::write_policy(&policy(excluded))["conditions"].clone();
        edit_policy(&policy(&json!(["a", "b"])), Vec::new(), &json!({"conditions": conditions}))
    }

    /// Where both orders, one or none undo one of the two: what the card of the first says of the second.
    #[test]
    fn the_order_in_which_both_can_be_made_is_told() {
        let (a, b, both) = (excluding(&json!(["b"])), excluding(&json!(["a"])), excluding(&json!([])));
        let on = edit_policy(&policy(&json!(["a", "b"])), Vec::new(), &json!({"displayName": "CA401"}));
        let told = |change: &HandOver, other: &HandOver| {
            let mut rivals = Rivals::default();
            rivals.add("S-2".into(), (change, other), &policy(&json!(["a", "b"])));
            [rivals.each.len(), rivals.first.len(), rivals.later.len()]
        };
        assert_eq!(told(&a, &b), [1, 0, 0]);
        assert_eq!(told(&a, &both), [0, 0, 1]);
        assert_eq!(told(&both, &a), [0, 1, 0]);
        assert_eq!(told(&a, &on), [0, 0, 0]);
    }
}
