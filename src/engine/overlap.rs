//! Policies that say the same, that add nothing to others, that could be one, or that never apply: over all pairs.
//!
//! A policy lies within another when, condition by condition, everything that possibly meets the one surely meets the
//! other. That is enough to prove a policy redundant; what can't be proved is not claimed.

mod inclusion;
mod merge;

use serde::{Deserialize, Serialize};

use super::Model;
use super::demands::asks_at_least;
use crate::tenant::Policy;
use crate::tenant::policy::{Control, PolicyState};

pub(super) use inclusion::Inclusion;
pub use merge::Merge;

/// How one policy stands to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Overlap {
    /// Object id of the policy that could go or change.
    pub policy_id: String,
    /// Object id of the other policy.
    pub other_id: String,
    /// How the first stands to the other.
    pub relation: Relation,
}

/// A relation between two policies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Relation {
    /// Both apply to the same sign-ins and ask the same.
    Identical,
    /// The other one, which is On, covers all of it and asks at least as much: removing it changes no outcome.
    Redundant,
    /// The other one, which is On, blocks everything that it applies to.
    AlwaysBlocked,
    /// They differ in at most two conditions or controls and could be one policy.
    Mergeable(Box<Merge>),
}

/// A policy that applies to no sign-in at all, for good or for now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NeverApplies {
    /// Object id of the policy.
    pub policy_id: String,
    /// The condition that nothing meets, as people read it.
    pub because: String,
    /// It is so for now: a group or role that it includes has nobody, and may come to have somebody.
    pub for_now: bool,
}

impl Model {
    /// Every pair of policies that are On or report-only and stand in some relation, in the snapshot's order.
    #[must_use]
    pub fn overlaps(&self) -> Vec<Overlap> {
        let inclusion = self.inclusion();
        let policies = &self.snapshot.policies;
        let live = policies.iter().enumerate().filter(|(_, policy)| policy.state != PolicyState::Disabled);
        let live = live.map(|(at, policy)| (at, policy, policy.rules())).collect::<Vec<_>>();
        let pairs = live
            .iter()
            .enumerate()
            .flat_map(|(place, first)| live.iter().skip(place + 1).map(move |second| (first, second)));
        pairs
            .filter_map(|((a, one, rules), (b, other, others))| {
                self.relate(inclusion, (*a, one), (*b, other), rules == others)
            })
            .collect()
    }

    /// How two policies stand to each other; `alike` if they say the same, their state aside.
    fn relate(
        &self,
        inclusion: &Inclusion,
        first: (usize, &Policy),
        second: (usize, &Policy),
        alike: bool,
    ) -> Option<Overlap> {
        let overlap = |one: &Policy, other: &Policy, relation| {
            Some(Overlap { policy_id: one.id.clone(), other_id: other.id.clone(), relation })
        };
        let within = |(a, one): (usize, &Policy), (b, other): (usize, &Policy)| {
            one.undecided.is_empty() && other.undecided.is_empty() && inclusion.proves(a, b)
        };
        let (there, back) = (within(first, second), within(second, first));
        let asks = |one: &Policy, other: &Policy| asks_at_least(&self.snapshot, one, other);
        let (one, other) = (first.1, second.1);
        if alike || (there && back && asks(one, other) && asks(other, one)) {
            return overlap(one, other, Relation::Identical);
        }
        let covers = |covering: &Policy| covering.state == PolicyState::Enabled;
        let relation = |covering: &Policy, covered: &Policy| {
            let redundant = || asks(covering, covered).then_some(Relation::Redundant);
            if blocks(covering) && !blocks(covered) { Some(Relation::AlwaysBlocked) } else { redundant() }
        };
        let forth = (there && covers(other)).then(|| relation(other, one)).flatten();
        if let Some(relation) = forth {
            return overlap(one, other, relation);
        }
        let forth = (back && covers(one)).then(|| relation(one, other)).flatten();
        if let Some(relation) = forth {
            return overlap(other, one, relation);
        }
        overlap(one, other, Relation::Mergeable(Box::new(merge::merge(one, other)?)))
    }

    /// Policies that are On or report-only and that no sign-in meets, as far as the tenant was read.
    #[must_use]
    pub fn never_applying(&self) -> Vec<NeverApplies> {
        let inclusion = self.inclusion();
        let live =
            self.snapshot.policies.iter().enumerate().filter(|(_, policy)| policy.state != PolicyState::Disabled);
        live.filter_map(|(at, policy)| {
            let (because, for_now) = inclusion.unmet(self, at)?;
            Some(NeverApplies { policy_id: policy.id.clone(), because: because.to_owned(), for_now })
        })
        .collect()
    }
}

fn blocks(policy: &Policy) -> bool {
    policy.grant.as_ref().is_some_and(|grant| grant.controls.contains(&Control::Block))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::tenant::read::{
        read_group, read_named_location, read_role_assignment, read_service_principal, read_user,
    };
    use crate::tenant::{Kind, Reading, SnapshotBuilder, read_policy};

    pub(super) fn policy(id: &str, changes: &[(&str, Value)]) -> Policy {
        let mut body = json!({"id": id, "displayName": id, "state": "enabled", "conditions": {
                "users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}},
            "grantControls": {"operator": "OR", "builtInControls": ["mfa"]}});
        for (name, value) in changes {
            match *name {
                "state" | "grantControls" | "sessionControls" => body[*name] = value.clone(),
                _ => body["conditions"][*name] = value.clone(),
            }
        }
        read_policy(&body).unwrap()
    }

    fn model(policies: Vec<Policy>) -> Model {
        let mut builder = SnapshotBuilder::default();
        for kind in [Kind::Users, Kind::Groups, Kind::NamedLocations, Kind::ServicePrincipals, Kind::RoleAssignments] {
            builder.reading(kind, Reading::Complete { count: 1 });
        }
        for id in ["u1", "u2", "u3"] {
            builder.user(read_user(&json!({"id": id})).unwrap());
        }
        builder.group(read_group(&json!({"id": "two", "members": ["u1", "u2"]})).unwrap());
        builder.group(read_group(&json!({"id": "one", "members": ["u1"]})).unwrap());
        builder.group(read_group(&json!({"id": "empty", "members": []})).unwrap());
        builder.service_principal(read_service_principal(&json!({"id": "sp", "appId": "app"})).unwrap());
        for (id, cidr) in [("wide", "203.0.113.0/24"), ("narrow", "203.0.113.64/26")] {
            let location = json!({"id": id, "isTrusted": false, "ipRanges": [{"cidrAddress": cidr}]});
            builder.location(read_named_location(&location).unwrap());
        }
        for (user, role, kind) in [("u1", "admin", "active"), ("u3", "admin", "eligible"), ("u3", "reader", "eligible")]
        {
            let held =
                json!({"principalId": user, "roleDefinitionId": role, "directoryScopeId": "/", "assignment": kind});
            builder.role_assignment(read_role_assignment(&held).unwrap());
        }
        for policy in policies {
            builder.policy(policy);
        }
        Model::new(Arc::new(builder.build()))
    }

    fn relations(policies: Vec<Policy>) -> Vec<(String, String, String)> {
        let overlaps = model(policies).overlaps().into_iter();
        let name = |relation: &Relation| match relation {
            Relation::Mergeable(merge) => format!("mergeable by {}", merge.differing.join(", ")),
            other => format!("{other:?}").to_lowercase(),
        };
        overlaps.map(|overlap| (overlap.policy_id.clone(), overlap.other_id.clone(), name(&overlap.relation))).collect()
    }

    fn one(policies: Vec<Policy>) -> String {
        let found = relations(policies);
        assert!(found.len() < 2, "{found:?}");
        found.into_iter().next().map(|(one, other, relation)| format!("{one} {relation} {other}")).unwrap_or_default()
    }

    fn groups(ids: &[&str]) -> (&'static str, Value) {
        ("users", json!({"includeGroups": ids}))
    }

    fn grant(controls: &[&str], operator: &str) -> (&'static str, Value) {
        ("grantControls", json!({"operator": operator, "builtInControls": controls}))
    }

    #[test]
    fn what_another_policy_covers_and_asks_is_redundant() {
        assert_eq!(one(vec![policy("a", &[groups(&["one"])]), policy("b", &[groups(&["two"])])]), "a redundant b");
        assert_eq!(one(vec![policy("a", &[]), policy("b", &[groups(&["two"])])]), "b redundant a");
        let strength = (
            "grantControls",
            json!({"operator": "OR", "authenticationStrength": {"id": "00000000-0000-0000-0000-000000000004"}}),
        );
        assert_eq!(one(vec![policy("a", &[groups(&["one"])]), policy("b", &[strength])]), "a redundant b");
    }

    #[test]
    fn locations_are_compared_by_address() {
        let inside = |id: &str| ("locations", json!({"includeLocations": [id]}));
        assert_eq!(one(vec![policy("a", &[inside("narrow")]), policy("b", &[inside("wide")])]), "a redundant b");
        let outside = |id: &str| ("locations", json!({"includeLocations": ["All"], "excludeLocations": [id]}));
        assert_eq!(one(vec![policy("a", &[outside("narrow")]), policy("b", &[outside("wide")])]), "b redundant a");
    }

    #[test]
    fn weaker_or_report_only_policies_make_nothing_redundant() {
        let either = grant(&["mfa", "compliantDevice"], "OR");
        assert_eq!(one(vec![policy("a", &[groups(&["one"])]), policy("b", &[either])]), "");
        let planned = policy("b", &[groups(&["two"]), ("state", json!("enabledForReportingButNotEnforced"))]);
        assert_eq!(one(vec![policy("a", &[groups(&["one"])]), planned]), "");
    }

    #[test]
    fn a_condition_narrows_the_cover() {
        let risky = ("signInRiskLevels", json!(["high"]));
        assert_eq!(one(vec![policy("a", &[groups(&["one"])]), policy("b", std::slice::from_ref(&risky))]), "");
        assert_eq!(one(vec![policy("a", &[risky]), policy("b", &[])]), "a redundant b");
        let filter = ("devices", json!({"deviceFilter": {"mode": "exclude", "rule": "device.model -eq \"x\""}}));
        assert_eq!(one(vec![policy("a", &[groups(&["one"])]), policy("b", &[filter])]), "");
    }

    #[test]
    fn block_wins_over_grant() {
        assert_eq!(
            one(vec![policy("a", &[groups(&["one"])]), policy("b", &[grant(&["block"], "OR")])]),
            "a alwaysblocked b"
        );
    }

    #[test]
    fn the_same_effect_is_identical_however_it_is_written() {
        let all = ("clientAppTypes", json!(["browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "other"]));
        assert_eq!(one(vec![policy("a", &[]), policy("b", &[all])]), "a identical b");
        assert_eq!(
            one(vec![
                policy("a", &[groups(&["two"])]),
                policy("b", &[("users", json!({"includeUsers": ["u1", "u2"]}))])
            ]),
            "a identical b"
        );
    }

    #[test]
    fn every_pair_is_looked_at() {
        let copies = (0..5).map(|number| policy(&number.to_string(), &[])).collect();
        assert_eq!(relations(copies).len(), 10);
    }

    #[test]
    fn a_policy_for_agents_users_is_about_somebody_and_not_within_all_users() {
        let agents = || policy("agents", &[("users", json!({"includeUsers": ["AllAgentIdUsers"]}))]);
        let two = vec![policy("all", &[]), agents()];
        assert_eq!(model(two.clone()).never_applying(), []);
        assert!(relations(two).iter().all(|(_, _, relation)| relation.starts_with("mergeable")));
        let out = json!({"includeUsers": ["All", "AllAgentIdUsers"], "excludeUsers": ["AllAgentIdUsers"]});
        assert_eq!(one(vec![agents(), policy("out", &[("users", out)])]), "");
    }

    #[test]
    fn a_policy_for_a_role_that_is_only_eligible_reaches_whoever_activates_it() {
        let reader = || policy("reader", &[("users", json!({"includeRoles": ["reader"]}))]);
        assert_eq!(model(vec![reader()]).never_applying(), []);
        assert_eq!(one(vec![reader(), policy("b", &[groups(&["two"])])]), "reader mergeable by Users b");
        assert_eq!(one(vec![reader(), policy("b", &[])]), "reader redundant b");
    }

    #[test]
    fn a_role_is_not_the_group_that_holds_only_those_who_have_activated_it() {
        let role = || policy("role", &[("users", json!({"includeRoles": ["admin"]}))]);
        assert_eq!(one(vec![role(), policy("group", &[groups(&["one"])])]), "group redundant role");
        let three = json!({"includeUsers": ["u1", "u3"]});
        assert_eq!(one(vec![role(), policy("named", &[("users", three)])]), "role redundant named");
        let spared = json!({"includeUsers": ["u1", "u3"], "excludeRoles": ["reader"]});
        assert_eq!(one(vec![policy("spared", &[("users", spared)]), policy("b", &[groups(&["two"])])]), "");
    }

    #[test]
    fn an_empty_group_has_nobody_today_and_lies_within_no_other() {
        let empty = || policy("empty", &[groups(&["empty"])]);
        let never = model(vec![empty()]).never_applying();
        assert_eq!((never[0].because.as_str(), never[0].for_now), ("users", true));
        assert!(!model(vec![policy("gone", &[groups(&["g-deleted"])])]).never_applying()[0].for_now);
        assert_eq!(one(vec![empty(), policy("b", &[groups(&["two"])])]), "empty mergeable by Users b");
    }

    fn filter(mode: &str, rule: &str) -> (&'static str, Value) {
        ("devices", json!({"deviceFilter": {"mode": mode, "rule": rule}}))
    }

    #[test]
    fn filters_for_devices_are_compared_by_the_devices_that_they_take_in() {
        let unmanaged = || policy("unmanaged", &[filter("include", "device.isCompliant -ne True")]);
        let rule = "device.isCompliant -ne True -and device.model -eq \"x\"";
        assert_eq!(one(vec![unmanaged(), policy("model", &[filter("include", rule)])]), "model redundant unmanaged");
        let managed = filter("exclude", "device.isCompliant -eq True");
        assert_eq!(one(vec![unmanaged(), policy("other", &[managed])]), "unmanaged identical other");
        // An unregistered device is neither compliant nor not.
        let registered = filter("include", "device.isCompliant -eq False");
        assert_eq!(one(vec![unmanaged(), policy("registered", &[registered])]), "registered redundant unmanaged");
        let unread = || filter("include", "device.nothing -like 3");
        assert_eq!(one(vec![policy("a", &[unread()]), policy("b", &[unread()])]), "a identical b");
        assert_eq!(one(vec![unmanaged(), policy("b", &[unread()])]), "");
    }

    #[test]
    fn a_workload_identity_that_is_named_is_one_of_all() {
        let of = |id: &str, clients: Value| {
            let block = json!({"operator": "OR", "builtInControls": ["block"]});
            let nobody = json!({"includeUsers": ["None"]});
            policy(id, &[("users", nobody), ("clientApplications", clients), ("grantControls", block)])
        };
        let named = of("named", json!({"includeServicePrincipals": ["s-p"]}));
        let all = json!({"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]});
        assert_eq!(one(vec![named.clone(), of("all", all)]), "named redundant all");
        let but_one = json!({"includeServicePrincipals": ["ServicePrincipalsInMyTenant"],
            "excludeServicePrincipals": ["s-p"]});
        assert!(!one(vec![named, of("but one", but_one)]).contains("redundant"));
    }

    #[test]
    fn what_no_sign_in_meets_never_applies() {
        let because = |changes: &[(&str, Value)]| {
            model(vec![policy("a", changes)])
                .never_applying()
                .into_iter()
                .map(|never| never.because)
                .collect::<String>()
        };
        assert_eq!(because(&[groups(&["empty", "g-deleted"])]), "users");
        assert_eq!(because(&[groups(&["one"])]), "");
        assert_eq!(
            because(&[("locations", json!({"includeLocations": ["narrow"], "excludeLocations": ["wide"]}))]),
            "locations"
        );
        let platforms = json!({"includePlatforms": ["iOS"], "excludePlatforms": ["iOS"]});
        assert_eq!(because(&[("platforms", platforms)]), "device platforms");
        let rule = "device.isCompliant -eq True -and device.isCompliant -eq False";
        assert_eq!(because(&[filter("include", rule)]), "filter for devices");
        assert_eq!(because(&[filter("exclude", rule)]), "");
        let workload = [
            ("users", json!({"includeUsers": ["None"]})),
            ("clientApplications", json!({"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]})),
        ];
        assert_eq!(because(&workload), "");
    }
}
