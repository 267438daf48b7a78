//! Workload identities and agent identities: block is all that a policy can ask of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use portcullis::engine::coverage::{Workload, WorkloadCoverage};
use portcullis::engine::{Model, Scope};
use portcullis::tenant::builder::SnapshotBuilder;
use portcullis::tenant::policy::RiskLevel;
use portcullis::tenant::read::{read_named_location, read_policy, read_service_principal};
use portcullis::tenant::{Kind, Reading};
use serde_json::{Value, json};

use super::one_of;

fn coverage(which: Workload, scope: &Scope, policies: &[Value]) -> WorkloadCoverage {
    let mut builder = SnapshotBuilder::default();
    for kind in [Kind::Users, Kind::ServicePrincipals, Kind::NamedLocations] {
        builder.reading(kind, Reading::Complete { count: 0 });
    }
    for (id, kind, single) in [
        ("sp-job", "Application", true),
        ("sp-vendor", "Application", false),
        ("sp-managed", "ManagedIdentity", true),
        ("sp-agent", "ServiceIdentity", true),
    ] {
        let mut one =
            json!({"id": id, "appId": format!("app-{id}"), "servicePrincipalType": kind, "singleTenant": single});
        if kind == "ServiceIdentity" {
            one["customSecurityAttributes"] = json!({"Eng": {"Tier": "high"}});
        }
        builder.service_principal(read_service_principal(&one).unwrap());
    }
    let hq = json!({"@odata.type": "#microsoft.graph.ipNamedLocation", "id": "l-hq", "displayName": "Head office",
        "isTrusted": true, "ipRanges": [{"cidrAddress": "203.0.113.0/24"}]});
    builder.location(read_named_location(&hq).unwrap());
    policies.iter().for_each(|policy| builder.policy(read_policy(policy).unwrap()));
    Model::new(Arc::new(builder.build())).workload_coverage(which, scope)
}

/// A block that is On for workloads, with these members of `conditions`.
fn block(workloads: &Value, conditions: &Value) -> Value {
    let mut all = json!({"users": {"includeUsers": ["None"]}, "applications": {"includeApplications": ["All"]},
        "clientAppTypes": ["all"], "clientApplications": workloads});
    for (name, value) in conditions.as_object().unwrap() {
        all[name] = value.clone();
    }
    json!({"id": "p", "displayName": "p", "state": "enabled", "conditions": all, "grantControls": one_of(&["block"])})
}

fn mine() -> Value {
    json!({"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]})
}

fn agents() -> Value {
    json!({"includeAgentIdServicePrincipals": ["All"]})
}

fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(ToString::to_string).collect()
}

#[test]
fn agents_are_taken_in_and_left_out_by_the_filter_over_their_attributes() {
    let filter = |mode: &str, tier: &str| {
        let rule = format!("CustomSecurityAttribute.Eng_Tier -eq \"{tier}\"");
        json!({"agentIdServicePrincipalFilter": {"mode": mode, "rule": rule}})
    };
    let sure = |workloads: &Value| {
        let found = coverage(Workload::Agents, &Scope::default(), &[block(workloads, &json!({}))]);
        found.gaps.iter().map(|gap| gap.sure).collect::<Vec<_>>()
    };
    assert_eq!((sure(&filter("include", "high")), sure(&filter("include", "low"))), (vec![], vec![true]));
    let mut all_but = filter("exclude", "high");
    all_but["includeAgentIdServicePrincipals"] = json!(["All"]);
    assert_eq!(sure(&all_but), [true]);
}

#[test]
fn only_the_tenants_own_applications_and_agents_are_looked_at() {
    assert_eq!(coverage(Workload::ServicePrincipals, &Scope::default(), &[]).looked_at, set(&["sp-job"]));
    let open = coverage(Workload::Agents, &Scope::default(), &[]);
    assert_eq!(open.looked_at, set(&["sp-agent"]));
    assert!(open.gaps[0].sure && open.gaps[0].any_app && open.gaps[0].risk.is_empty());
}

#[test]
fn a_block_outside_the_office_leaves_the_office() {
    let away = json!({"locations": {"includeLocations": ["All"], "excludeLocations": ["l-hq"]}});
    let of = coverage(Workload::ServicePrincipals, &Scope::default(), &[block(&mine(), &away)]);
    assert_eq!(of.gaps[0].locations.as_deref(), Some("Head office"));
    let outside = Scope { outside: set(&["l-hq"]), ..Scope::default() };
    assert_eq!(coverage(Workload::ServicePrincipals, &outside, &[block(&mine(), &away)]).gaps, []);
}

#[test]
fn agents_at_high_risk_are_blocked_or_they_are_not() {
    let high = Scope { sign_in_risk: [RiskLevel::High].into(), ..Scope::default() };
    let risky = [block(&agents(), &json!({"agentIdRiskLevels": "high"}))];
    assert_eq!(coverage(Workload::Agents, &high, &risky).gaps, []);
    let rest = coverage(Workload::Agents, &Scope::default(), &risky);
    assert_eq!(rest.gaps[0].risk, [RiskLevel::None, RiskLevel::Low, RiskLevel::Medium].into());
    assert_eq!(coverage(Workload::ServicePrincipals, &high, &risky).gaps.len(), 1, "it is about agents");
}

#[test]
fn report_only_blocks_nobody_and_is_named() {
    let mut planned = block(&mine(), &json!({}));
    planned["state"] = json!("enabledForReportingButNotEnforced");
    let of = coverage(Workload::ServicePrincipals, &Scope::default(), &[planned]);
    assert_eq!(of.gaps[0].planned, set(&["p"]));
}

#[test]
fn a_condition_that_no_workload_meets_blocks_none() {
    let browser = block(&mine(), &json!({"clientAppTypes": ["browser"]}));
    assert_eq!(coverage(Workload::ServicePrincipals, &Scope::default(), &[browser]).gaps.len(), 1);
    let unknown = block(&mine(), &json!({"times": {"includeAllTimes": true}}));
    assert!(!coverage(Workload::ServicePrincipals, &Scope::default(), &[unknown]).gaps[0].sure);
}
