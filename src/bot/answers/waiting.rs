//! "What waits for approval?": the cards that wait for a person, by what they wait for, the most pressing first.

use crate::approval::State;
use crate::bot::answer::{Answer, Part, ask};
use crate::bot::approval_card::creates;
use crate::bot::approve::{Case, doubt_words};
use crate::bot::buttons::open;
use crate::bot::reconcile::state;
use crate::chat::card::Action;
use crate::facts::{Fact, Term};

use super::Asked;
use super::meant::said;

/// States of an approval in which a person may have to do something.
const STATES: [&str; 4] = ["open", "needs-person", "created", "out-of-date"];

/// What a card waits for, most pressing first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For {
    /// Something that the bot can't tell or won't touch.
    Settling,
    /// An approval, or the second one.
    Approval,
    /// The change that was handed over.
    Change,
    /// A new card, because what it rests on has changed.
    NewCard,
    /// Being turned On.
    TurningOn,
}

impl For {
    const ALL: [Self; 5] = [Self::Settling, Self::Approval, Self::Change, Self::NewCard, Self::TurningOn];

    fn of(asked: Asked<'_>, case: &Case) -> Option<Self> {
        Some(match &case.state {
            State::NeedsPerson { .. } => Self::Settling,
            State::Open { .. } if creates(asked.app, case) => Self::Approval,
            State::Open { .. } => Self::Change,
            // An older card of a suggestion that is decided by a newer one waits for nobody.
            State::OutOfDate { .. } if case.suggestion.state == state::OUT_OF_DATE => Self::NewCard,
            State::Created(_) => Self::TurningOn,
            _ => return None,
        })
    }

    fn heading(self) -> &'static str {
        match self {
            Self::Settling => "Needs a person to settle it",
            Self::Approval => "To approve",
            Self::Change => "Handed over: a person makes the change",
            Self::NewCard => "Out of date: to be decided anew",
            Self::TurningOn => "In report-only: a person turns it On",
        }
    }
}

/// Whether a question is about what waits, rather than about what is suggested.
pub(super) fn is_meant(text: &str) -> bool {
    let text = text.to_lowercase();
    ["pending", "wait", "approval", "to be approved", "signature", "sign-off"].iter().any(|word| text.contains(word))
}

/// Everything that waits for a person, and how many suggestions nobody has opened a card for.
pub(super) async fn listed(asked: Asked<'_>) -> anyhow::Result<Answer> {
    let mut cases: Vec<(For, Case)> = Vec::new();
    for kept in asked.app.store.approvals_in(asked.app.tenant(), &STATES).await? {
        let case = Case::load(asked.app, kept).await?;
        cases.extend(For::of(asked, &case).map(|waits| (waits, case)));
    }
    let known = asked.app.store.suggestions(asked.app.tenant()).await?;
    let without = known
        .iter()
        .filter(|row| row.state == state::OPEN && cases.iter().all(|(_, case)| case.suggestion.number != row.number));
    let count = said("waiting.count").with("count", cases.len()).with("open", without.count());
    let answer = For::ALL.into_iter().fold(Answer::sentences(vec![count]), |answer, waits| {
        let items: Vec<_> = cases.iter().filter(|(of, _)| *of == waits).map(|(_, case)| item(waits, case)).collect();
        if items.is_empty() {
            return answer;
        }
        answer.part(Part::Heading(waits.heading().into())).part(Part::List { ordered: false, items })
    });
    Ok(answer.part(Part::Limits(vec![asked.read_at()])).action(ask("Open suggestions", "show open suggestions")))
}

fn item(waits: For, case: &Case) -> (Fact, Vec<Action>) {
    let number = format!("S-{}", case.kept.suggestion);
    let key = match waits {
        For::Settling => "waiting.settling",
        For::Approval => "waiting.approval",
        For::Change => "waiting.change",
        For::NewCard => "waiting.new_card",
        For::TurningOn => "waiting.turning_on",
    };
    let evidence = case.body.proposal.evidence();
    (
        particulars(Fact::new(key, evidence), case).with("number", Term::Word(number.clone())),
        vec![open("Open", &number)],
    )
}

fn particulars(fact: Fact, case: &Case) -> Fact {
    let fact = fact.with("title", Term::Name(case.suggestion.title.clone())).must_show();
    let nobody = || Term::Word(String::new());
    match &case.state {
        State::Open { granted, .. } => {
            let asker = case.terms.asker.as_ref().map_or_else(nobody, |asker| Term::Name(asker.name.clone()));
            let names: Vec<String> = granted.iter().map(|click| click.by.name.clone()).collect();
            fact.with("granted", granted.len())
                .with("needed", u64::from(case.terms.needed))
                .with("who", names)
                .with("asker", asker)
                .with("expires", case.terms.expires)
        }
        state @ State::NeedsPerson { .. } => fact.with("why", Term::Word(doubt_words(state))),
        State::OutOfDate { why } => fact.with("why", Term::Text(why.clone())),
        State::Created(made) => fact.with("since", made.at),
        _ => fact,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_told_from_what_is_suggested() {
        for text in ["pending approvals?", "what waits for approval?", "which ones are waiting for a signature"] {
            assert!(is_meant(text), "{text}");
        }
        for text in ["what should we fix first?", "show open suggestions", "suggestions about guests"] {
            assert!(!is_meant(text), "{text}");
        }
    }
}
