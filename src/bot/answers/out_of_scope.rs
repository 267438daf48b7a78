//! What the bot refuses, with the reason and what it can do instead; and a friendly word for what isn't its business.

use crate::bot::answer::{Answer, Part, ask};
use crate::bot::intent::{Intent, Refusal, SlotName};
use crate::chat::card::{Action, Kind};
use crate::facts::{Fact, Term};

use super::meant::said;
use super::{Answering, Asked};

/// Refuses, or answers kindly.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move { Ok(worded(asked, asked.routed.refusal.unwrap_or(Refusal::OtherTopic))) })
}

fn worded(asked: Asked<'_>, refusal: Refusal) -> Answer {
    let kind = if refusal.is_refused() { Kind::Refusal } else { Kind::Answer };
    let facts = vec![fact(asked, refusal)];
    Answer { kind, ..Answer::default() }.part(Part::Sentences(facts)).actions(instead(asked, refusal))
}

fn fact(asked: Asked<'_>, refusal: Refusal) -> Fact {
    said(&format!("out.{}", refusal.as_str())).with("tenant", Term::Name(asked.app.config.tenant.name.clone()))
}

/// What leads on from a refusal.
fn instead(asked: Asked<'_>, refusal: Refusal) -> Vec<Action> {
    let policy = asked.slot(SlotName::Policy);
    let first = ask("What first?", Intent::ListSuggestions.example());
    match refusal {
        Refusal::Enable => match policy {
            Some(name) => vec![
                ask("Who would it block?", format!("who would {name} block?")),
                ask("Is it ready?", format!("when can {name} leave report-only?")),
            ],
            None => vec![ask("Which are in report-only?", "which policies are in report-only?"), first],
        },
        Refusal::Edit | Refusal::DeleteOthers => {
            policy.map(|name| ask("Show it", format!("show {name}"))).into_iter().chain([first]).collect()
        }
        Refusal::Weaken => vec![ask("Who is excluded?", "who is excluded from MFA?")],
        Refusal::Reveal | Refusal::IgnoreInstructions | Refusal::OtherTopic | Refusal::SmallTalk => {
            vec![ask("What can you do?", "help")]
        }
        Refusal::Impersonate => vec![ask("How does approving work?", "how do I approve?")],
        Refusal::TamperLog => vec![ask("Is the log intact?", "verify the log")],
        Refusal::ResetPassword => vec![ask("Why was somebody blocked?", Intent::ExplainSignIn.example())],
        Refusal::Greeting => vec![ask("How do we look?", Intent::PostureSummary.example()), first],
        Refusal::Thanks => Vec::new(),
    }
}
