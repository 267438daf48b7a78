//! What snoozing, dismissing and undoing by text have in common: a small card whose button decides.

use crate::approval::State;
use crate::bot::access::Right;
use crate::bot::answer::{Answer, Part};
use crate::bot::approve::{Asks, Case, case_of};
use crate::bot::buttons::open;
use crate::chat::card::{Action, Kind};
use crate::facts::{Fact, Term};
use crate::store::suggestions::Row;

use super::meant::said;
use super::{Asked, propose_change};

/// A card that offers one decision about a suggestion in these words, if `offered` gives a button for the state it is in; otherwise the
/// approval card, which says where it stands.
pub(super) async fn card(
    asked: Asked<'_>,
    row: &Row,
    words: Fact,
    offered: impl Fn(&Case) -> Option<Action>,
) -> anyhow::Result<Answer> {
    let case = case_of(asked.app, row, Asks::Nobody).await?;
    let Some(button) = offered(&case) else { return instead(asked, row, &case).await };
    let headline = case.body.proposal.evidence();
    let fact = Fact { evidence: headline, ..words }
        .with("number", Term::Word(format!("S-{}", row.number)))
        .with("title", Term::Name(row.title.clone()))
        .must_show();
    let answer = Answer { kind: Kind::Question, ..Answer::default() };
    let answer = answer.part(Part::Sentences(vec![fact])).about(format!("S-{}", row.number), case.kept.version);
    let open = open("Open", &format!("S-{}", row.number));
    Ok(if asked.right == Right::Decide {
        answer.action(button).action(open)
    } else {
        answer.part(Part::Warning(vec![said("refused.no_right_to_decide")])).action(open)
    })
}

/// The approval card, which says where it stands, and what has to be done first where that is up to a person.
async fn instead(asked: Asked<'_>, row: &Row, case: &Case) -> anyhow::Result<Answer> {
    let mut answer = propose_change::card(asked, row).await?;
    if matches!(case.state, State::NeedsPerson { .. }) {
        let first = said("approval.look_first").with("number", Term::Word(format!("S-{}", row.number)));
        answer.parts.insert(0, Part::Warning(vec![first]));
    }
    Ok(answer)
}

/// Whether it waits for a decision and nobody has approved yet or only one of two has.
pub(super) fn is_open(case: &Case) -> bool {
    matches!(case.state, State::Open { .. })
}
