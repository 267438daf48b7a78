//! "What can you do?", "what does report-only mean?": the bot's abilities, words, buttons and limits.

use crate::bot::answer::{Answer, Part, ask};
use crate::bot::intent::{Intent, SlotName};
use crate::facts::{Fact, Row, Term};
use crate::tenant::location::Place;
use crate::tenant::{Kind, NamedLocation, Strength};

use super::meant::said;
use super::{Answering, Asked, approvers};

/// What is explained, by the words that ask for it; several may fit.
const TOPICS: &[(&[&str], &str)] = &[
    (&["named location", "trusted location"], "help.named_location"),
    (&["authentication strength"], "help.strength"),
    (&["legacy auth", "basic auth"], "help.legacy"),
    (&["device code"], "help.device_code"),
    (&["report-only", "report only", "reportonly"], "help.report_only"),
    (&["snooz", "dismiss"], "help.snooze_dismiss"),
    (&["approv", "press ", "second person", "two people", "four eyes"], "help.approving"),
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
        let text = format!(" {} ", asked.words());
        let decides = text.contains("approve") || text.contains("decide");
        if let Some(name) = asked.slot(SlotName::User).filter(|_| decides) {
            return Ok(approvers::told(asked, name).unwrap_or_else(|back| *back));
        }
        let fits = TOPICS.iter().filter(|(words, _)| words.iter().any(|word| text.contains(word)));
        let facts: Vec<Fact> =
            fits.flat_map(|(_, key)| [Some(worded(asked, key)), own(asked, key)]).flatten().collect();
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

/// What the tenant has of a thing that was explained, by name.
fn own(asked: Asked<'_>, key: &str) -> Option<Fact> {
    let snapshot = asked.analysis.snapshot();
    let (what, rows): (_, Vec<Row>) = match key {
        "help.named_location" => (Kind::NamedLocations, snapshot.locations.values().map(location).collect()),
        "help.strength" => (Kind::AuthenticationStrengthPolicies, snapshot.strengths.values().map(strength).collect()),
        _ => return None,
    };
    let names = rows.iter().filter_map(|row| match row {
        Row::Object { name, note, .. } => Some(format!("{name} ({note})")),
        _ => None,
    });
    let names: Vec<String> = names.collect();
    let fact = Fact::new(&format!("{key}_own"), asked.analysis.evidence(rows));
    let fact = fact.with("count", names.len()).with("names", names).with("at", snapshot.read_at);
    snapshot.has(what).then(|| fact.must_show())
}

fn location(location: &NamedLocation) -> Row {
    let note = match &location.place {
        Place::Ip { trusted, ranges } => {
            let trust = if *trusted { "trusted" } else { "not trusted" };
            let ranges = if ranges.len() == 1 { "1 range".to_owned() } else { format!("{} ranges", ranges.len()) };
            format!("{ranges}, {trust}")
        }
        Place::Country { countries, .. } if countries.len() == 1 => "1 country".to_owned(),
        Place::Country { countries, .. } => format!("{} countries", countries.len()),
        Place::CompliantNetwork => "compliant network".to_owned(),
        Place::Unknown(_) => "of a kind that I can't judge".to_owned(),
    };
    let (id, name) = (location.id.clone(), location.display_name.clone());
    Row::Object { what: "Named location".into(), id, name, note }
}

fn strength(strength: &Strength) -> Row {
    let count = strength.allowed_combinations.len();
    let note = if count == 1 { "1 combination".to_owned() } else { format!("{count} combinations") };
    let (id, name) = (strength.id.clone(), strength.display_name.clone());
    Row::Object { what: "Authentication strength".into(), id, name, note }
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
