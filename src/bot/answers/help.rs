//! "What can you do?", "what does report-only mean?": the bot's abilities, words, buttons and limits.

use crate::bot::answer::{Answer, Part, ask};
use crate::bot::intent::Intent;
use crate::facts::{Fact, Term};

use super::meant::said;
use super::{Answering, Asked};

/// What is explained, by the words that ask for it; several may fit.
const TOPICS: &[(&[&str], &str)] = &[
    (&["report-only", "report only", "reportonly"], "help.report_only"),
    (&["snooz", "dismiss"], "help.snooze_dismiss"),
    (&["approv", "press ", "second person", "two people"], "help.approving"),
    (&["read only", "read-only", "write", "permission", "scopes", "rights"], "help.rights"),
    (&["[1]", "citation", "cite", "evidence", "footnote"], "help.citations"),
    (&["model", "llm", "openai", " ai ", "hallucinat"], "help.model"),
    (&["break-glass", "break glass", "emergency"], "help.break_glass"),
    (&["gap"], "help.gap"),
    (&["can't", "cannot", "can you not", "limit", "not checked"], "help.limits"),
    (&["undo", "take back", "reverse"], "help.undo"),
    (&["instruction", "standing", "never suggest"], "help.instructions"),
];

/// Explains what was asked about, or says what can be asked for.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        let text = format!(" {} ", asked.text.to_lowercase());
        let fits = TOPICS.iter().filter(|(words, _)| words.iter().any(|word| text.contains(word)));
        let facts: Vec<Fact> = fits.map(|(_, key)| worded(asked, key)).collect();
        Ok(if facts.is_empty() {
            everything()
        } else {
            Answer::sentences(facts).action(ask("What can you do?", "help"))
        })
    })
}

fn worded(asked: Asked<'_>, key: &str) -> Fact {
    let who = &asked.app.config.who;
    match key {
        "help.approving" => said(key).with("needed", u64::from(who.approvals_needed)),
        "help.rights" if asked.app.writer.is_none() => said("help.rights_hand_over"),
        key => said(key),
    }
}

/// Every kind of question with an example.
fn everything() -> Answer {
    let listed = Intent::ALL.iter().filter(|intent| **intent != Intent::OutOfScope);
    let line = |intent: &Intent| {
        let fact = said("help.can")
            .with("about", Term::Word(intent.about().to_owned()))
            .with("example", Term::Word(intent.example().to_owned()));
        (fact, Vec::new())
    };
    Answer::sentences(vec![said("help.intro")])
        .part(Part::List { ordered: false, items: listed.map(line).collect() })
        .action(ask("How do we look?", Intent::PostureSummary.example()))
        .action(ask("What first?", Intent::ListSuggestions.example()))
        .action(ask("What is report-only?", Intent::Help.example()))
}
