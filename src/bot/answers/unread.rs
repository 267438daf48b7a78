//! What an answer needs and the reading lacks: said first, for a count of what was not read is a false all-clear.

use crate::bot::answer::{Answer, Part};
use crate::bot::progress::kind_word;
use crate::facts::{Evidence, Fact, Term};
use crate::tenant::policy::PolicyState;
use crate::tenant::{Kind, Policy, Reading, Snapshot};

use super::Asked;
use super::named::Back;

/// Says which of these kinds were not read; none when all were.
pub(super) fn said(asked: Asked<'_>, kinds: &[Kind]) -> Option<Fact> {
    let snapshot = asked.analysis.snapshot();
    let missing: Vec<String> = kinds.iter().filter_map(|kind| why(snapshot, *kind)).collect();
    let fact = || Fact::new("unread.kinds", Evidence::default()).with("what", Term::Names(missing.clone()));
    (!missing.is_empty()).then(|| fact().must_show())
}

/// The same as the whole answer.
pub(super) fn back(asked: Asked<'_>, kinds: &[Kind]) -> Option<Back> {
    let fact = said(asked, kinds)?;
    Some(Box::new(Answer::sentences(vec![fact]).part(Part::Limits(vec![asked.read_at()]))))
}

/// The kinds by which these policies know their users: the users themselves, and groups and roles where one names some.
pub(super) fn needed<'a>(policies: impl Iterator<Item = &'a Policy> + Clone) -> Vec<Kind> {
    let sides =
        || policies.clone().flat_map(|policy| [&policy.conditions.users.include, &policy.conditions.users.exclude]);
    let groups = sides().any(|side| !side.groups.is_empty()).then_some(Kind::Groups);
    let roles = sides().any(|side| !side.roles.is_empty()).then_some(Kind::RoleAssignments);
    [Kind::Users].into_iter().chain(groups).chain(roles).collect()
}

/// Policies that are On.
pub(crate) fn on(snapshot: &Snapshot) -> impl Iterator<Item = &Policy> + Clone {
    snapshot.policies.iter().filter(|policy| policy.state == PolicyState::Enabled)
}

/// What the log doesn't hold, its window and the time of reading.
pub(super) fn window(asked: Asked<'_>) -> Vec<Fact> {
    limited(asked, Vec::new())
}

/// The same, with what else wasn't checked.
pub(super) fn limited(asked: Asked<'_>, mut limits: Vec<String>) -> Vec<Fact> {
    let snapshot = asked.analysis.snapshot();
    limits.extend(snapshot.missing_sign_ins().map(str::to_owned));
    let window = snapshot.window.map(|(from, to)| {
        Fact::new("common.window", Evidence::default()).with("from", from).with("to", to).must_show()
    });
    asked.not_checked(&limits).into_iter().chain(window).chain([asked.read_at()]).collect()
}

/// That a kind was not read, by the name of its file where a folder lacks it.
fn why(snapshot: &Snapshot, kind: Kind) -> Option<String> {
    let file = serde_json::to_value(kind).ok().and_then(|name| Some(format!("{}.json", name.as_str()?)));
    let file = file.unwrap_or_else(|| kind_word(kind).to_owned());
    match snapshot.readings.get(&kind) {
        Some(Reading::Complete { .. }) => None,
        Some(Reading::Absent { reason }) if !reason.starts_with("no file") => {
            Some(format!("{} were not read ({reason})", kind_word(kind)))
        }
        Some(Reading::Absent { .. }) | None => Some(format!("{file} was not read")),
    }
}
