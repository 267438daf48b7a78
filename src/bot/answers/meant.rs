//! Which suggestion, check or policy a question is about, and the question back when that isn't clear.

use crate::bot::answer::{Answer, Part, ask};
use crate::bot::described;
use crate::bot::intent::{Intent, SlotName, times};
use crate::bot::lookup::{self, Found};
use crate::bot::reconcile::{self, state};
use crate::chat::card::Kind;
use crate::checks::CHECKS;
use crate::facts::{Evidence, Fact, Term};
use crate::store::suggestions::Row;
use crate::tenant::{Policy, Snapshot};

use super::own::{self, Own};
use super::{Asked, list_suggestions};

/// How many of several are offered as buttons.
const OFFERED: usize = 8;

/// Words that stand for a check when neither its id nor its title is said; the first that fits.
const TOPICS: &[(&[&str], &str)] = &[
    (&["legacy", "imap", "pop3", "smtp", "basic auth"], "legacy-authentication"),
    (&["device code", "device-code"], "device-code-flow"),
    (&["phish", "passkey", "fido"], "phishing-resistant-admins"),
    (&["guest", "external", "b2b"], "mfa-guests"),
    (&["admin"], "mfa-admins"),
    (&["compliant", "managed", "hybrid", "intune", "device"], "managed-devices"),
    (&["apps", "application"], "apps-not-covered"),
    (&["mfa", "multifactor", "multi-factor", "two-factor"], "mfa-all-users"),
];

/// Suggestions that a question may be about.
pub(super) enum Meant {
    /// There is none that fits.
    None,
    /// The number that was named doesn't exist.
    Unknown(String),
    /// Just this.
    One(Box<Row>),
    /// Several.
    Several(Vec<Row>),
}

/// A sentence of ours without rows.
pub(super) fn said(key: &str) -> Fact {
    Fact::new(key, Evidence::default()).must_show()
}

/// The check that words name: by its id or title, or by what it is about.
pub(super) fn check(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    let named = CHECKS.iter().map(|check| check.about()).find(|about| {
        let spaced = about.id.replace('-', " ");
        text.contains(about.id) || text.contains(&spaced) || text.contains(&about.title.to_lowercase())
    });
    let topic = || TOPICS.iter().find(|(words, _)| words.iter().any(|word| text.contains(word))).map(|(_, id)| *id);
    named.map(|about| about.id).or_else(topic)
}

/// Numbers of suggestions in a text: `S-4`, `s4`.
pub(super) fn numbers(text: &str) -> Vec<i64> {
    text.split(|c: char| !c.is_alphanumeric() && c != '-')
        .filter_map(|word| word.strip_prefix(['S', 's'])?.trim_start_matches('-').parse().ok())
        .collect()
}

/// The suggestions that a question is about: those it numbers, those of its topic, or where it names nothing of its own,
/// those of the turn before.
pub(super) async fn suggestion(asked: Asked<'_>) -> anyhow::Result<Meant> {
    let rows = asked.app.store.suggestions(asked.app.tenant()).await?;
    let named = match numbers(asked.text) {
        named if named.is_empty() && asked.slot(SlotName::Policy).is_none() => under_discussion(asked, &rows),
        named => named,
    };
    if let Some(missing) = named.iter().find(|number| rows.iter().all(|row| row.number != **number)) {
        return Ok(Meant::Unknown(format!("S-{missing}")));
    }
    if !named.is_empty() {
        return Ok(Meant::of(rows.into_iter().filter(|row| named.contains(&row.number)).collect()));
    }
    let check = check(asked.text);
    let live = rows.into_iter().filter(|row| !state::OVER.contains(&row.state.as_str()));
    let live = live.filter(|row| check.is_none_or(|check| reconcile::found_by(row, check))).collect();
    Ok(Meant::of(list_suggestions::as_listed(asked.app, live).await?))
}

/// The suggestions of the turn before, unless the sentence says by itself what it is about: what is named beats what was
/// open, or a card that nobody asked for would be approved.
fn under_discussion(asked: Asked<'_>, rows: &[Row]) -> Vec<i64> {
    let open = numbers(asked.subject().unwrap_or_default());
    let names_its_own = match (own::of(asked), check(&own::bare(asked.text))) {
        (Own::Nothing, _) => false,
        // "create the MFA one": which of those that fit is what was open.
        (Own::Described, Some(check)) => {
            !rows.iter().any(|row| open.contains(&row.number) && reconcile::found_by(row, check))
        }
        _ => true,
    };
    if names_its_own { Vec::new() } else { open }
}

impl Meant {
    fn of(mut rows: Vec<Row>) -> Self {
        match (rows.pop(), rows.is_empty()) {
            (None, _) => Self::None,
            (Some(one), true) => Self::One(Box::new(one)),
            (Some(last), false) => {
                rows.push(last);
                Self::Several(rows)
            }
        }
    }

    /// The answer when it isn't just one: which of them, none with this number, or none at all. `how` words a button's
    /// question about a suggestion.
    pub(super) fn unclear(self, how: impl Fn(&str) -> String) -> Result<Row, Answer> {
        match self {
            Self::One(row) => Ok(*row),
            Self::None => Err(Answer::sentences(vec![said("meant.no_suggestion")])),
            Self::Unknown(number) => {
                let fact = said("refused.no_such_suggestion").with("number", Term::Word(number));
                Err(Answer::sentences(vec![fact]).action(ask("Suggestions", "show open suggestions")))
            }
            Self::Several(rows) => Err(which(&rows, how)),
        }
    }
}

/// Asks which of several suggestions is meant.
fn which(rows: &[Row], how: impl Fn(&str) -> String) -> Answer {
    let item = |row: &Row| {
        let number = format!("S-{}", row.number);
        let button = ask(&number, how(&number));
        (titled(row, Evidence::default()), vec![button])
    };
    let mut answer = Answer { kind: Kind::Question, ..Answer::default() };
    answer = answer.part(Part::Sentences(vec![said("meant.which_suggestion").with("count", rows.len())]));
    answer.part(Part::List { ordered: false, items: rows.iter().take(OFFERED).map(item).collect() })
}

/// A suggestion by number and title, with what it rests on.
pub(super) fn titled(row: &Row, evidence: Evidence) -> Fact {
    Fact::new("meant.suggestion", evidence)
        .with("number", Term::Word(format!("S-{}", row.number)))
        .with("title", Term::Name(row.title.clone()))
        .with("state", Term::Word(row.state.clone()))
}

/// The policies that a question names, or that the turn before was about.
pub(super) fn policies(asked: Asked<'_>) -> Vec<(&str, Found<&Policy>)> {
    let snapshot = asked.analysis.snapshot();
    let named: Vec<&str> =
        asked.routed.slots.get(&SlotName::Policy).into_iter().flatten().map(String::as_str).collect();
    let before = || asked.subject().unwrap_or_default().split(", ").filter(|name| !is_time(name)).collect();
    // What is described now is meant, whatever was open.
    let names = if named.is_empty() && !is_described(asked) { before() } else { named };
    names.into_iter().filter(|name| !name.is_empty()).map(|name| (name, policy(name, snapshot))).collect()
}

/// Whether the question describes a policy of the tenant instead of naming it.
pub(super) fn is_described(asked: Asked<'_>) -> bool {
    asked.slot(SlotName::Policy).is_none()
        && described::speaks_of_one(asked.text)
        && !described::policies(asked.analysis.snapshot(), asked.text).is_empty()
}

/// The policy that a question names or describes, or the question back; none where it speaks of no policy of its own and
/// the turn before was about none.
pub(super) fn maybe_policy(asked: Asked<'_>, how: impl Fn(&str) -> String) -> Result<Option<&Policy>, Answer> {
    if asked.slot(SlotName::Policy).is_some() || is_described(asked) {
        return one_policy(asked, how).map(Some);
    }
    Ok(policies(asked).into_iter().find_map(|(_, found)| match found {
        Found::One(policy) => Some(policy),
        _ => None,
    }))
}

/// Whether words are a time and nothing else: "this week" is no policy's name.
pub(super) fn is_time(words: &str) -> bool {
    !words.is_empty() && times::find(words, Intent::PolicyChanges).into_iter().any(|(_, at)| at == (0..words.len()))
}

/// A policy by name; words like "policy" around it don't count.
fn policy<'a>(name: &str, snapshot: &'a Snapshot) -> Found<&'a Policy> {
    let bare = name.trim().trim_start_matches("the ").trim_end_matches(" policy").trim_end_matches(" rule");
    match lookup::policy(snapshot, name) {
        Found::None if bare != name => lookup::policy(snapshot, bare),
        found => found,
    }
}

/// The one policy that a question is about, or the answer that asks which or says that there is none.
pub(super) fn one_policy(asked: Asked<'_>, how: impl Fn(&str) -> String) -> Result<&Policy, Answer> {
    match policies(asked).into_iter().next() {
        Some((_, Found::One(policy))) => Ok(policy),
        Some((name, Found::Several(several))) => {
            let fact =
                said("meant.which_policy").with("name", Term::Name(name.to_owned())).with("count", several.len());
            let answer = Answer { kind: Kind::Question, ..Answer::default() }.part(Part::Sentences(vec![fact]));
            let buttons =
                several.iter().take(OFFERED).map(|policy| ask(&policy.display_name, how(&policy.display_name)));
            Err(answer.actions(buttons))
        }
        Some((name, Found::None)) => Err(described(asked, name, how).unwrap_or_else(|| {
            let fact = said("meant.no_policy").with("name", Term::Name(name.to_owned()));
            Answer::sentences(vec![fact, asked.read_at()]).action(ask("All policies", "list all policies"))
        })),
        None => Err(described(asked, "", how).unwrap_or_else(|| {
            let answer = Answer { kind: Kind::Question, ..Answer::default() };
            let answer = answer.part(Part::Sentences(vec![said("meant.name_a_policy")]));
            answer.action(ask("All policies", "list all policies"))
        })),
    }
}

/// Offers the policies that fit what is said of one: what stands for its name, or the whole question where nothing does.
fn described(asked: Asked<'_>, name: &str, how: impl Fn(&str) -> String) -> Option<Answer> {
    let fitting = described::policies(asked.analysis.snapshot(), if name.is_empty() { asked.text } else { name });
    let fact = said("meant.described").with("name", Term::Name(name.to_owned())).with("count", fitting.len());
    let answer = Answer { kind: Kind::Question, ..Answer::default() }.part(Part::Sentences(vec![fact]));
    let buttons = fitting.iter().map(|policy| ask(&policy.display_name, how(&policy.display_name)));
    (!fitting.is_empty()).then(|| answer.actions(buttons).action(ask("All policies", "list all policies")))
}

#[cfg(test)]
mod tests {
    use crate::bot::answers::testing::{nordwerk, said_after};
    use crate::bot::intent::Intent;

    #[tokio::test]
    async fn a_policy_is_offered_by_what_it_does() {
        let about = async |intent, text: &str| said_after(&nordwerk(), intent, "CA200", text).await;
        let one = about(Intent::ShowPolicy, "what does the one that blocks legacy auth do").await;
        assert!(one.starts_with("1 policy fits that description."), "{one}");
        assert!(one.contains("(CA203 – Block legacy authentication)") && !one.contains("(CA200"), "{one}");
        let named = about(Intent::ShowPolicy, "show the imap policy").await;
        assert!(named.starts_with("No policy is called \"imap policy\". 1 policy fits"), "{named}");
        let excluded = about(Intent::Exclusions, "who is excluded from the legacy mail policy").await;
        assert!(excluded.starts_with("1 here fits \"legacy mail policy\""), "{excluded}");
        for intent in [Intent::PolicyChanges, Intent::Impact, Intent::RolloutPlan, Intent::Overlaps, Intent::Exclusions]
        {
            let asked = about(intent, "what about the one that blocks legacy auth").await;
            assert!(asked.contains("1 policy fits that description."), "{intent}: {asked}");
        }
        assert!(about(Intent::ShowPolicy, "show the second one").await.starts_with("# CA200"));
    }

    #[tokio::test]
    async fn a_time_is_no_policy() {
        for time in ["this week", "yesterday", "last 14 days"] {
            let words = said_after(&nordwerk(), Intent::ShowPolicy, time, "show it").await;
            assert!(words.starts_with("Which policy?"), "{time}: {words}");
        }
    }
}
