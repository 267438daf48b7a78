//! New policies that cure findings: always all users but the emergency access accounts, named as the tenant names its own.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::Truth;
use crate::suggestions::lint::is_acceptable;
use crate::tenant::policy::{
    Applications, ClientAppType, Conditions, Control, Filter, FilterMode, GrantControls, Operator, PolicyState,
    SessionControls, SignInFrequency, UserSide, Users,
};
use crate::tenant::{Policy, Snapshot, well_known};

use super::{Context, Cure, CureAction};

/// A policy for all users and all resources with these controls, the emergency access accounts excluded.
#[must_use]
pub fn for_everyone(snapshot: &Snapshot, what: &str, controls: &[Control]) -> Policy {
    Policy {
        display_name: name(snapshot, what, "All users"),
        state: PolicyState::ReportOnly,
        conditions: Conditions {
            users: Users { include: UserSide { all: true, ..UserSide::default() }, exclude: exclusions(snapshot) },
            applications: Applications { all: true, ..Applications::default() },
            client_app_types: BTreeSet::from([ClientAppType::All]),
            ..Conditions::default()
        },
        grant: Some(GrantControls { operator: Operator::Or, controls: controls.iter().cloned().collect() }),
        ..Policy::default()
    }
}

/// The same for the administrator roles of Microsoft's templates.
#[must_use]
pub fn for_administrators(snapshot: &Snapshot, what: &str, controls: &[Control]) -> Policy {
    let mut policy = for_everyone(snapshot, what, controls);
    policy.display_name = name(snapshot, what, "Admins");
    policy.conditions.users.include = UserSide {
        roles: well_known::ADMIN_ROLES.iter().map(|(id, _)| (*id).to_owned()).collect(),
        ..UserSide::default()
    };
    policy
}

/// The same policy for these apps alone.
#[must_use]
pub fn at(mut policy: Policy, apps: &BTreeSet<String>) -> Policy {
    policy.conditions.applications = Applications { include: apps.clone(), ..Applications::default() };
    policy
}

/// The same policy with session controls in place of grant controls.
#[must_use]
pub fn with_session(mut policy: Policy, session: SessionControls) -> Policy {
    policy.grant = None;
    policy.session = Some(session);
    policy
}

/// Session controls that ask to sign in again after so many hours (0: every time).
#[must_use]
pub fn frequency(hours: u32) -> SessionControls {
    let hours = Some(hours).filter(|hours| *hours > 0);
    let sign_in_frequency = Some(SignInFrequency { hours, secondary_only: false });
    SessionControls { sign_in_frequency, ..SessionControls::default() }
}

/// The same policy for devices that are neither compliant nor hybrid joined.
#[must_use]
pub fn on_unmanaged_devices(mut policy: Policy) -> Policy {
    let rule = "device.isCompliant -eq True -or device.trustType -eq \"ServerAD\"".to_owned();
    policy.conditions.device_filter = Some(Filter { mode: FilterMode::Exclude, rule });
    policy
}

/// A draft as a cure, unless Graph would refuse it or it would lock the administrators out.
#[must_use]
pub fn offer(context: &Context<'_>, title: &str, draft: Policy) -> Option<Cure> {
    let model = context.model;
    let safe = is_acceptable(&draft, &model.snapshot) && model.lockout(&draft).anybody() != Truth::No;
    let action = CureAction::Draft(Box::new(draft));
    safe.then(|| Cure { subject: String::new(), title: title.to_owned(), action })
}

/// The emergency access accounts, as one side of a user condition.
#[must_use]
pub fn exclusions(snapshot: &Snapshot) -> UserSide {
    let mut side = UserSide::default();
    for id in &snapshot.settings.emergency_access {
        if snapshot.directory.groups.contains_key(id) {
            side.groups.insert(id.clone());
        } else {
            side.users.insert(id.clone());
        }
    }
    side
}

/// A name in the tenant's own pattern: its prefix, the next free number of the hundred in which it keeps policies about
/// the same people, and its dash.
#[must_use]
pub fn name(snapshot: &Snapshot, what: &str, who: &str) -> String {
    let numbered: Vec<Numbered<'_>> =
        snapshot.policies.iter().filter_map(|policy| numbered(&policy.display_name)).collect();
    let Some((prefix, width)) = commonest(numbered.iter().map(|one| (one.prefix, one.width))) else {
        return format!("{what} - {who}");
    };
    let own: Vec<&Numbered<'_>> = numbered.iter().filter(|one| one.prefix == prefix).collect();
    let taken: BTreeSet<u32> = own.iter().map(|one| one.number).collect();
    let alike = own.iter().filter(|one| is_about(one.rest, who)).map(|one| one.number / HUNDRED);
    // Nobody like that yet: after the last policy.
    let after = match commonest(alike) {
        Some(hundred) => taken.range(hundred * HUNDRED..(hundred + 1) * HUNDRED).next_back(),
        None => taken.last(),
    };
    let from = after.map_or(1, |last| last + 1);
    let next = (from..=u32::MAX).find(|number| !taken.contains(number)).unwrap_or(from);
    let dash = if snapshot.policies.iter().any(|policy| policy.display_name.contains(" – ")) { "–" } else { "-" };
    format!("{prefix}{next:0width$} {dash} {what} {dash} {who}")
}

/// Whether the rest of a name is about these people: it holds the beginning of their name (`Admins`, `Administrators`).
fn is_about(rest: &str, who: &str) -> bool {
    let start: String = who.to_lowercase().chars().take(5).collect();
    rest.to_lowercase().contains(&start)
}

/// What occurs most often; of several the smallest.
fn commonest<T: Ord + Copy>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut counts = BTreeMap::<T, usize>::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(value, count)| (*count, std::cmp::Reverse(*value))).map(|(value, _)| value)
}

/// Policies that belong together share a hundred: `CA200`, `CA201` …
const HUNDRED: u32 = 100;

/// A name that begins with a number: `CA204 – …`.
struct Numbered<'a> {
    prefix: &'a str,
    number: u32,
    width: usize,
    rest: &'a str,
}

/// `CA204 – …` → prefix, number, width.
pub(super) fn number_of(name: &str) -> Option<(String, u32, usize)> {
    numbered(name).map(|found| (found.prefix.to_owned(), found.number, found.width))
}

fn numbered(name: &str) -> Option<Numbered<'_>> {
    let (prefix, after) = name.split_at_checked(name.find(|c: char| !c.is_ascii_alphabetic())?)?;
    let width = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    let (digits, rest) = after.split_at_checked(width)?;
    let number = digits.parse().ok()?;
    (!prefix.is_empty()).then_some(Numbered { prefix, number, width, rest })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Snapshot {
        let policy = |name: &&str| Policy { display_name: (*name).to_owned(), ..Policy::default() };
        Snapshot { policies: names.iter().map(policy).collect(), ..Snapshot::default() }
    }

    #[test]
    fn a_name_follows_the_tenants_own_pattern() {
        let tenant = named(&[
            "CA001 – Block legacy – All users",
            "CA100 – Require MFA – Administrators",
            "CA200 – Require MFA – All users",
            "CA210 – Require compliant device – All users",
            "CA300 – Block countries – Rooms",
            "A note",
        ]);
        let named_for = |who: &str| name(&tenant, "Block device code flow", who);
        assert_eq!(named_for("All users"), "CA211 – Block device code flow – All users");
        assert_eq!(named_for("Admins"), "CA101 – Block device code flow – Admins");
        assert_eq!(named_for("Guests"), "CA301 – Block device code flow – Guests");
        assert_eq!(name(&named(&["MFA for all"]), "Require MFA", "Guests"), "Require MFA - Guests");
    }

    #[test]
    fn a_full_hundred_goes_on_where_there_is_room() {
        let tenant = named(&["P99 - MFA - All users", "P100 - MFA - Guests"]);
        assert_eq!(name(&tenant, "Block", "All users"), "P101 - Block - All users");
    }

    #[test]
    fn a_draft_excludes_the_emergency_access_accounts() {
        let mut tenant = named(&[]);
        tenant.settings.emergency_access = BTreeSet::from(["u1".to_owned()]);
        let policy = for_everyone(&tenant, "Require MFA", &[Control::Mfa]);
        assert!(policy.conditions.users.exclude.users.contains("u1"));
    }
}
