//! Two readings, or a tenant with and without a change: which policies changed, and for whom the outcome did.
//!
//! Users are compared by object id, so the two sides may come from different days. What a person must do is judged by
//! coverage on each side; a change that other policies make up for shifts nobody.

use std::collections::{BTreeMap, BTreeSet};

use std::sync::Arc;

use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use super::coverage::{Condition, Coverage, Requirement, Scope};
use super::{Model, variant};
use crate::tenant::policy::{Applications, ClientAppType, Conditions, PolicyState, TransferMethod, Users};
use crate::tenant::version::canonical_conditions;
use crate::tenant::{Policy, Snapshot};

/// What became different between two sides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// Policies that were added, removed or changed, by id.
    pub changes: Vec<Change>,
    /// What people must do now and hadn't to before, or the other way round; only where somebody is affected.
    pub shifts: Vec<Shift>,
}

/// One policy that isn't what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Object id of the policy.
    pub policy_id: String,
    /// Its name, the new one if there is one; untrusted text.
    pub name: String,
    /// What happened to it; several may have.
    pub what: BTreeSet<What>,
    /// Object ids of users whom it surely reaches now and perhaps didn't before, while On.
    pub gained: BTreeSet<String>,
    /// Object ids of users whom it surely reached before and perhaps doesn't now.
    pub lost: BTreeSet<String>,
}

/// What happened to a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum What {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Its name.
    Renamed,
    /// On, Off or Report-only.
    State,
    /// Its users, groups, roles or guests.
    Users,
    /// Its target resources.
    TargetResources,
    /// Its other conditions.
    Conditions,
    /// Its grant controls.
    Grant,
    /// Its session controls.
    Session,
    /// Nothing in it, but in whom its groups and roles hold.
    Members,
}

/// A requirement that came to hold for people, or ceased to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shift {
    /// What is required, as people read it.
    pub requirement: String,
    /// Object ids of users who had it everywhere and now have a gap.
    pub looser: BTreeSet<String>,
    /// Object ids of users who had a gap and now have none.
    pub stricter: BTreeSet<String>,
    /// Object ids of users who had a gap and still have one, but under other conditions or for other apps.
    pub elsewhere: BTreeSet<String>,
    /// Where it didn't hold for these people before and isn't left open in the same way now.
    pub closed: Vec<Region>,
    /// Where it doesn't hold for these people now and wasn't left open in the same way before.
    pub opened: Vec<Region>,
}

/// Sign-ins of some people that aren't made to meet a requirement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Region {
    /// Object ids of the users.
    pub users: BTreeSet<String>,
    /// App ids; empty with `any_app` alone.
    pub apps: BTreeSet<String>,
    /// Every app that no policy names.
    pub any_app: bool,
    /// Only under these conditions; empty means under all.
    pub conditions: BTreeSet<Condition>,
}

/// What became different from `before` to `after`.
#[must_use]
pub fn difference(before: &Model, after: &Model) -> Difference {
    let shifts = questions().into_iter().map(|question| shift(before, after, &question));
    let shifts =
        shifts.filter(|shift| !(shift.looser.is_empty() && shift.stricter.is_empty() && shift.elsewhere.is_empty()));
    Difference { changes: changes(before, after), shifts: shifts.collect() }
}

impl Model {
    /// What `draft`, if On, would make different.
    #[must_use]
    pub fn difference_with(&self, draft: &Policy) -> Difference {
        difference(self, &self.with_draft_on(draft))
    }
}

/// A requirement that both sides are asked about.
struct Question {
    name: &'static str,
    requirement: Requirement,
    scope: Scope,
}

fn questions() -> Vec<Question> {
    let everywhere = |name, requirement| Question { name, requirement, scope: Scope::default() };
    let legacy = Scope {
        client_apps: BTreeSet::from([ClientAppType::ExchangeActiveSync, ClientAppType::Other]),
        ..Scope::default()
    };
    let device_code = Scope { flows: BTreeSet::from([TransferMethod::DeviceCodeFlow]), ..Scope::default() };
    vec![
        everywhere("multifactor authentication", Requirement::Mfa),
        everywhere("phishing-resistant multifactor authentication", Requirement::PhishingResistantMfa),
        everywhere("a compliant or hybrid joined device", Requirement::ManagedDevice),
        everywhere("an app protection policy", Requirement::AppProtection),
        everywhere("a password change or risk remediation", Requirement::PasswordChange),
        everywhere("terms of use", Requirement::TermsOfUse),
        everywhere("token protection", Requirement::TokenProtection),
        everywhere("app enforced restrictions", Requirement::AppEnforcedRestrictions),
        everywhere("sessions in the browser that end", Requirement::NoPersistentBrowser),
        everywhere("a sign-in at least once a day", Requirement::SignInFrequency { hours: 24 }),
        everywhere("a block", Requirement::Block),
        everywhere("any policy", Requirement::AnyPolicy),
        Question { name: "a block of legacy authentication", requirement: Requirement::Block, scope: legacy },
        Question { name: "a block of device code flow", requirement: Requirement::Block, scope: device_code },
    ]
}

fn shift(before: &Model, after: &Model, question: &Question) -> Shift {
    let old = before.coverage(&question.requirement, &question.scope);
    let new = after.coverage(&question.requirement, &question.scope);
    let known = |model: &Model, of: &RoaringBitmap| ids(&model.snapshot, of);
    let (open_before, open_after) = (known(before, &old.uncovered), known(after, &new.uncovered));
    let both = &known(before, &old.looked_at) & &known(after, &new.looked_at);
    let (was, is) = (gaps(before, &old), gaps(after, &new));
    let same = |user: &String| was.get(user) == is.get(user);
    let still = &open_before & &open_after;
    let affected: BTreeSet<&String> = both.iter().filter(|user| !same(user)).collect();
    Shift {
        closed: regions(&affected, &was, &is),
        opened: regions(&affected, &is, &was),
        requirement: question.name.to_owned(),
        looser: &(&open_after - &open_before) & &both,
        stricter: &(&open_before - &open_after) & &both,
        elsewhere: still.into_iter().filter(|user| !same(user)).collect(),
    }
}

/// What a gap is about, apart from whom it concerns.
type Open = (Arc<BTreeSet<String>>, bool, BTreeSet<Condition>);

/// The gaps of each user.
fn gaps(model: &Model, coverage: &Coverage) -> BTreeMap<String, BTreeSet<Open>> {
    let mut gaps: BTreeMap<String, BTreeSet<Open>> = BTreeMap::new();
    for gap in coverage.gaps().iter().filter(|gap| gap.sure) {
        let open = (Arc::clone(&gap.apps), gap.any_app, gap.conditions.iter().cloned().collect());
        for user in ids(&model.snapshot, &gap.users) {
            gaps.entry(user).or_default().insert(open.clone());
        }
    }
    gaps
}

/// The gaps that these users have on one side and not on the other, users with the same gap together.
fn regions(
    users: &BTreeSet<&String>,
    here: &BTreeMap<String, BTreeSet<Open>>,
    there: &BTreeMap<String, BTreeSet<Open>>,
) -> Vec<Region> {
    let mut all: BTreeMap<&Open, BTreeSet<String>> = BTreeMap::new();
    for user in users {
        let other = there.get(*user);
        let gone =
            here.get(*user).into_iter().flatten().filter(|open| !other.is_some_and(|other| other.contains(*open)));
        for open in gone {
            all.entry(open).or_default().insert((*user).clone());
        }
    }
    let region = |((apps, any_app, conditions), users): (&Open, BTreeSet<String>)| Region {
        users,
        apps: BTreeSet::clone(apps),
        any_app: *any_app,
        conditions: conditions.clone(),
    };
    all.into_iter().map(region).collect()
}

fn ids(snapshot: &Snapshot, positions: &RoaringBitmap) -> BTreeSet<String> {
    positions.iter().filter_map(|position| Some(snapshot.directory.user_at(position)?.id.to_string())).collect()
}

fn changes(before: &Model, after: &Model) -> Vec<Change> {
    let by_id = |model: &Model| {
        let policies = model.snapshot.policies.iter().enumerate();
        policies.map(|(at, policy)| (variant::draft_id(policy).to_owned(), at)).collect::<BTreeMap<_, _>>()
    };
    let (old, new) = (by_id(before), by_id(after));
    let all = old.keys().chain(new.keys()).collect::<BTreeSet<_>>();
    let change = |id: &String| change(id, old.get(id).map(|at| (before, *at)), new.get(id).map(|at| (after, *at)));
    all.into_iter().filter_map(change).collect()
}

fn change(id: &str, old: Option<(&Model, usize)>, new: Option<(&Model, usize)>) -> Option<Change> {
    let policy = |side: Option<(&Model, usize)>| side.and_then(|(model, at)| model.snapshot.policies.get(at).cloned());
    let (was, is) = (policy(old), policy(new));
    let (reached_before, perhaps_before) = old.map(|(model, at)| reach(model, at)).unwrap_or_default();
    let (reached_after, perhaps_after) = new.map(|(model, at)| reach(model, at)).unwrap_or_default();
    let gained = &reached_after - &perhaps_before;
    let lost = &reached_before - &perhaps_after;
    let mut what = what(was.as_ref(), is.as_ref());
    if what.is_empty() && !(gained.is_empty() && lost.is_empty()) {
        what.insert(What::Members);
    }
    let name = is.or(was).map(|policy| policy.display_name).unwrap_or_default();
    (!what.is_empty()).then(|| Change { policy_id: id.to_owned(), name, what, gained, lost })
}

/// Whom a policy that is On surely reaches, and whom it possibly does.
fn reach(model: &Model, at: usize) -> (BTreeSet<String>, BTreeSet<String>) {
    let on = model.snapshot.policies.get(at).is_some_and(|policy| policy.state == PolicyState::Enabled);
    let Some(users) = model.users.get(at).filter(|_| on) else { return <_>::default() };
    let (surely, possibly) = model.positions(users);
    (ids(&model.snapshot, &surely), ids(&model.snapshot, &possibly))
}

fn what(was: Option<&Policy>, is: Option<&Policy>) -> BTreeSet<What> {
    let (was, is) = match (was, is) {
        (Some(was), Some(is)) => (was, is),
        (None, Some(_)) => return BTreeSet::from([What::Added]),
        (Some(_), None) => return BTreeSet::from([What::Removed]),
        (None, None) => return BTreeSet::new(),
    };
    let canonical = |policy: &Policy| canonical_conditions(&policy.conditions);
    let (old, new) = (canonical(was), canonical(is));
    let rest = |conditions: &Conditions| Conditions {
        users: Users::default(),
        applications: Applications::default(),
        ..conditions.clone()
    };
    let parts = [
        (What::Renamed, was.display_name != is.display_name),
        (What::State, was.state != is.state),
        (What::Users, old.users != new.users),
        (What::TargetResources, old.applications != new.applications),
        (What::Conditions, rest(&old) != rest(&new) || was.undecided != is.undecided),
        (What::Grant, was.grant != is.grant),
        (What::Session, was.session != is.session),
    ];
    parts.into_iter().filter(|(_, differs)| *differs).map(|(what, _)| what).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::tenant::read::{read_group, read_user};
    use crate::tenant::{Kind, Reading, SnapshotBuilder, read_policy};

    fn policy(users: &Value, state: &str, control: &str) -> Policy {
        let body = json!({"id": "p", "displayName": "CA200", "state": state, "conditions": {"users": users,
            "applications": {"includeApplications": ["All"]}}, "grantControls": {"operator": "OR", "builtInControls": [control]}});
        read_policy(&body).unwrap()
    }

    fn model(policies: Vec<Policy>, members: &[&str]) -> Model {
        let mut builder = SnapshotBuilder::default();
        for kind in [Kind::Users, Kind::Groups, Kind::ServicePrincipals, Kind::RoleAssignments] {
            builder.reading(kind, Reading::Complete { count: 1 });
        }
        for id in ["alice", "bob", "carol"] {
            builder.user(read_user(&json!({"id": id})).unwrap());
        }
        builder.group(read_group(&json!({"id": "out", "members": members})).unwrap());
        for policy in policies {
            builder.policy(policy);
        }
        Model::new(Arc::new(builder.build()))
    }

    fn everybody() -> Value {
        json!({"includeUsers": ["All"], "excludeGroups": ["out"]})
    }

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(ToString::to_string).collect()
    }

    fn mfa(difference: &Difference) -> (BTreeSet<String>, BTreeSet<String>) {
        let found = difference.shifts.iter().find(|shift| shift.requirement == "multifactor authentication");
        found.map(|shift| (shift.looser.clone(), shift.stricter.clone())).unwrap_or_default()
    }

    #[test]
    fn a_group_that_grew_loosens_mfa_though_no_policy_changed() {
        let with = |members: &[&str]| model(vec![policy(&everybody(), "enabled", "mfa")], members);
        let found = difference(&with(&["carol"]), &with(&["bob", "carol"]));
        assert_eq!(found.changes[0].what, BTreeSet::from([What::Members]));
        assert_eq!(found.changes[0].lost, set(&["bob"]));
        assert_eq!(mfa(&found), (set(&["bob"]), set(&[])));
    }

    #[test]
    fn turning_a_policy_on_is_stricter_for_those_it_reaches() {
        let with = |state: &str| model(vec![policy(&everybody(), state, "mfa")], &["carol"]);
        let found = difference(&with("enabledForReportingButNotEnforced"), &with("enabled"));
        assert_eq!(found.changes[0].what, BTreeSet::from([What::State]));
        assert_eq!(mfa(&found), (set(&[]), set(&["alice", "bob"])));
    }

    #[test]
    fn a_condition_that_was_added_is_told_as_the_region_it_opens() {
        let narrow = |clients: &[&str]| {
            let mut policy = policy(&everybody(), "enabled", "mfa");
            policy.conditions.client_app_types = serde_json::from_value(json!(clients)).unwrap();
            model(vec![policy], &[])
        };
        let found = difference(&narrow(&["all"]), &narrow(&["browser", "exchangeActiveSync", "other"]));
        let shift = found.shifts.iter().find(|shift| shift.requirement == "multifactor authentication").unwrap();
        assert_eq!((shift.closed.len(), shift.opened.len()), (0, 1));
        let clients = Condition::ClientApps(BTreeSet::from([ClientAppType::MobileAppsAndDesktopClients]));
        assert_eq!(shift.opened[0].conditions, BTreeSet::from([clients]));
        assert_eq!(shift.opened[0].users, set(&["alice", "bob", "carol"]));
    }

    #[test]
    fn what_another_policy_makes_up_for_shifts_nobody() {
        let second = || Policy { id: "q".into(), ..policy(&json!({"includeUsers": ["All"]}), "enabled", "mfa") };
        let before = model(vec![policy(&everybody(), "enabled", "mfa"), second()], &[]);
        let after = model(vec![second()], &[]);
        let found = difference(&before, &after);
        assert_eq!(found.changes[0].what, BTreeSet::from([What::Removed]));
        assert_eq!(found.shifts, []);
    }

    #[test]
    fn a_draft_says_beforehand_what_it_would_change() {
        let draft = Policy { id: String::new(), ..policy(&json!({"includeUsers": ["alice"]}), "disabled", "block") };
        let found = model(vec![], &[]).difference_with(&draft);
        assert_eq!((found.changes[0].policy_id.as_str(), found.changes[0].gained.clone()), ("draft", set(&["alice"])));
        assert_eq!(mfa(&found), (set(&[]), set(&["alice"])));
    }

    #[test]
    fn nothing_changed_is_nothing() {
        let model = model(vec![policy(&everybody(), "enabled", "mfa")], &["bob"]);
        assert_eq!(difference(&model, &model), Difference::default());
    }
}
