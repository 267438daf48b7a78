//! Two readings, or a tenant with and without a change: which policies changed, and for whom the outcome did.
//!
//! Users are compared by object id, so the two sides may come from different days. What a person must do is judged over both
//! sides at once, for everything that a policy of either asks; a change that others make up for shifts nobody. Places are
//! compared by addresses and countries, strengths by what they allow.

mod changes;
mod objects;
mod questions;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Model;
use super::coverage::{Condition, Joint, Moved, Opening, Other, Workload};
use crate::tenant::Policy;
use crate::tenant::policy::GuestType;

pub use objects::ObjectChange;
use questions::{Question, questions};

/// What became different between two sides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// Policies that were added, removed or changed, by id.
    pub changes: Vec<Change>,
    /// Named locations that were added, removed or changed.
    pub locations: Vec<ObjectChange>,
    /// Authentication strengths that were added, removed or changed.
    pub strengths: Vec<ObjectChange>,
    /// What people must do now and hadn't to before, or the other way round; only where somebody is affected.
    pub shifts: Vec<Shift>,
    /// Object ids of changed policies about what isn't compared: accounts of agents, how an agent takes part.
    pub not_compared: BTreeSet<String>,
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
    /// Object ids of enabled users whom it surely reaches now and perhaps didn't before, while On.
    pub gained: BTreeSet<String>,
    /// Object ids of enabled users whom it surely reached before and perhaps doesn't now.
    pub lost: BTreeSet<String>,
    /// It was On, and is off or gone, or isn't what it was.
    pub weakened: bool,
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

/// A requirement that came to hold for people, or ceased to; or for workload identities.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shift {
    /// What is required, as people read it.
    pub requirement: String,
    /// Object ids of users who had it everywhere and now have a gap.
    pub looser: BTreeSet<String>,
    /// Object ids of users who had a gap and now have none.
    pub stricter: BTreeSet<String>,
    /// Object ids of users who had a gap and have a larger one now.
    pub wider: BTreeSet<String>,
    /// Object ids of users who had a gap and have a smaller one now.
    pub narrower: BTreeSet<String>,
    /// Object ids of users who had a gap and have another one now, larger here and smaller there.
    pub elsewhere: BTreeSet<String>,
    /// Where it didn't hold for these people before and does now.
    pub closed: Vec<Region>,
    /// Where it doesn't hold for these people now and did before.
    pub opened: Vec<Region>,
}

/// Sign-ins of some people that aren't made to meet a requirement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Region {
    /// Object ids of the users.
    pub users: BTreeSet<String>,
    /// Any user at all, where users weren't read.
    pub anybody: bool,
    /// Guests of these kinds who have no object here.
    pub guests: BTreeSet<GuestType>,
    /// App ids; empty with `any_app` alone.
    pub apps: BTreeSet<String>,
    /// Every app that no policy names.
    pub any_app: bool,
    /// Only under these conditions; empty means under all.
    pub conditions: BTreeSet<Condition>,
}

impl Difference {
    /// Whether somebody must do less than before, or a policy is weaker about what isn't compared.
    #[must_use]
    pub fn is_looser(&self) -> bool {
        let opens = self.shifts.iter().any(|shift| !shift.opened.is_empty());
        let weaker = |change: &Change| change.weakened && self.not_compared.contains(&change.policy_id);
        opens || self.changes.iter().any(weaker)
    }
}

/// What became different from `before` to `after`.
#[must_use]
pub fn difference(before: &Model, after: &Model) -> Difference {
    let sides = [before, after];
    let asked = questions(sides).into_iter().filter_map(|question| asked(sides, question));
    let identities = [
        (Workload::ServicePrincipals, "a block of workload identities"),
        (Workload::Agents, "a block of agent identities"),
    ];
    let identities = identities.map(|(which, what)| shift(what.to_owned(), Joint::of_workloads(sides, which).moved()));
    let (old, new) = (&*before.snapshot, &*after.snapshot);
    Difference {
        changes: changes::changes(before, after),
        locations: objects::locations(old, new),
        strengths: objects::strengths(old, new),
        shifts: asked.chain(identities.into_iter().flatten()).collect(),
        not_compared: changes::not_compared(before, after),
    }
}

impl Model {
    /// What `draft`, if On, would make different.
    #[must_use]
    pub fn difference_with(&self, draft: &Policy) -> Difference {
        difference(self, &self.with_draft_on(draft))
    }
}

fn asked(sides: [&Model; 2], question: Question) -> Option<Shift> {
    let joint = Joint::of_people(sides, (&question.requirement, &question.scope), &question.strengths);
    shift(question.name, joint.moved())
}

/// What a requirement came to; none where it is as it was.
fn shift(requirement: String, moved: Vec<Moved>) -> Option<Shift> {
    let mut shift = Shift { requirement, ..Shift::default() };
    let any = !moved.is_empty();
    for one in moved {
        let (opened, closed) = (!one.opened.is_empty(), !one.closed.is_empty());
        shift.opened.extend(one.opened.iter().map(|opening| region(&one, opening)));
        shift.closed.extend(one.closed.iter().map(|opening| region(&one, opening)));
        let kind = match (opened, closed) {
            (true, false) if !one.was_open => &mut shift.looser,
            (true, false) => &mut shift.wider,
            (false, true) if !one.is_open => &mut shift.stricter,
            (false, true) => &mut shift.narrower,
            _ => &mut shift.elsewhere,
        };
        kind.extend(one.ids);
    }
    any.then_some(shift)
}

fn region(of: &Moved, opening: &Opening) -> Region {
    let guest = |other: &Other| if let Other::Guest(kind) = other { Some(*kind) } else { None };
    Region {
        users: of.ids.clone(),
        anybody: of.others.contains(&Other::AnyUser),
        guests: of.others.iter().filter_map(guest).collect(),
        apps: opening.apps.clone(),
        any_app: opening.any_app,
        conditions: opening.conditions.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::tenant::policy::ClientAppType;
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
        builder.user(read_user(&json!({"id": "dan", "accountEnabled": false})).unwrap());
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
    fn who_is_disabled_meanwhile_is_not_let_go_by_a_policy() {
        let before = model(vec![policy(&everybody(), "enabled", "mfa")], &[]);
        let mut after = before.snapshot.as_ref().clone();
        after.directory.users[0].enabled = false;
        assert!(difference(&before, &Model::new(Arc::new(after))).changes.is_empty());
    }

    #[test]
    fn a_group_that_grew_loosens_mfa_though_no_policy_changed() {
        let with = |members: &[&str]| model(vec![policy(&everybody(), "enabled", "mfa")], members);
        let found = difference(&with(&["carol"]), &with(&["bob", "carol", "dan"]));
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
