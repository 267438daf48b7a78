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
    let about = |label: &str, question: &str, otherwise: Intent| match policy {
        Some(name) => ask(label, question.replace("{}", name)),
        None => ask("What first?", otherwise.example()),
    };
    match refusal {
        Refusal::Enable => vec![
            about("Who would it block?", "who would {} block?", Intent::ListSuggestions),
            about("Is it ready?", "when can {} leave report-only?", Intent::ListSuggestions),
        ],
        Refusal::Edit | Refusal::DeleteOthers => {
            vec![about("Show it", "show {}", Intent::ListSuggestions), ask("Suggestions", "show open suggestions")]
        }
        Refusal::Weaken => vec![ask("Who is excluded?", "who is excluded from MFA?")],
        Refusal::Reveal | Refusal::IgnoreInstructions | Refusal::OtherTopic | Refusal::SmallTalk => {
            vec![ask("What can you do?", "help")]
        }
        Refusal::Impersonate => vec![ask("How does approving work?", "how do I approve?")],
        Refusal::TamperLog => vec![ask("Is the log intact?", "verify the log")],
        Refusal::ResetPassword => vec![ask("Why was somebody blocked?", Intent::ExplainSignIn.example())],
        Refusal::Greeting => vec![
            ask("How do we look?", Intent::PostureSummary.example()),
            ask("What first?", Intent::ListSuggestions.example()),
        ],
        Refusal::Thanks => Vec::new(),
    }
}
