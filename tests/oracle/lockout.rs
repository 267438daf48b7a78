//! The admin lock-out check against plain enumeration: every sign-in to administer the tenant, judged one by one.

use std::collections::BTreeSet;

use portcullis::demo::judge;
use portcullis::engine::Truth;
use portcullis::tenant::read_policy;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::tenants::{memberships, model, policies, tenant};
use super::{Around, PLATFORMS, Point, circumstances, sign_in};

const AZURE_MANAGEMENT: &str = "797f4846-ba00-4fd7-ba43-dac1f8f63013";

/// Every sign-in of a person with a client that can do what policies ask.
fn sign_ins(user: &str, policies: &[Value]) -> Vec<(Point, Around)> {
    let around = circumstances(policies);
    let platforms = PLATFORMS.iter().map(|name| json!(name)).chain([Value::Null]);
    let machines = platforms.flat_map(|platform| {
        ["browser", "mobileAppsAndDesktopClients"].map(|client| {
            let identity = json!({"@odata.type": "#microsoft.graph.userSignIn", "userId": user});
            (identity, AZURE_MANAGEMENT, client, platform.clone())
        })
    });
    machines.flat_map(|point| around.iter().map(move |around| (point.clone(), around.clone()))).collect()
}

/// Whether a person can do what a policy asks, of whose methods and devices nothing was read.
fn can_do(grant: &Value, (point, around): &(Point, Around)) -> Truth {
    let device = &around.0["deviceInfo"];
    let perhaps = |there: bool| if there { Truth::Maybe } else { Truth::No };
    let listed = |name: &str| grant[name].as_array().cloned().unwrap_or_default();
    let strength = &grant["authenticationStrength"];
    let strength = (!strength.is_null()).then_some(Truth::Maybe);
    let each = [listed("builtInControls"), listed("termsOfUse")].concat().into_iter().map(|control| {
        match control.as_str().unwrap() {
            "block" => Truth::No,
            "mfa" => Truth::Maybe,
            "compliantDevice" => perhaps(device["isCompliant"] == json!(true)),
            "domainJoinedDevice" => perhaps(device["trustType"] == json!("ServerAD")),
            "compliantApplication" => perhaps(point.3 == json!("iOS")),
            _ => Truth::Yes,
        }
    });
    let each = each.chain(strength);
    if grant["operator"] == json!("OR") { Truth::any(each) } else { Truth::all(each) }
}

/// Whether a person gets in under any conditions, and the policies that stand in the way under all of them, or under some
/// where none does under all.
fn enumerated(user: &str, tenant: &Value, policies: &[Value]) -> (Truth, BTreeSet<String>) {
    let all = json!(policies);
    let stopping = sign_ins(user, policies).into_iter().map(|(point, around)| {
        let applied = judge::applied(&all, tenant, &sign_in((&point, &around)));
        let grants = policies.iter().filter(|policy| !policy["grantControls"].is_null());
        let applying = grants.filter(|policy| applied.iter().any(|id| policy["id"] == json!(id)));
        let case = (point, around);
        let can =
            applying.map(|policy| (policy["id"].as_str().unwrap().to_owned(), can_do(&policy["grantControls"], &case)));
        can.filter(|(_, can)| *can != Truth::Yes).collect::<Vec<_>>()
    });
    let stopping: Vec<Vec<(String, Truth)>> = stopping.collect();
    let best = Truth::any(stopping.iter().map(|here| Truth::all(here.iter().map(|(_, can)| *can))));
    let ids = |here: &Vec<(String, Truth)>| here.iter().map(|(id, _)| id.clone()).collect::<BTreeSet<_>>();
    let always = stopping.iter().map(ids).reduce(|one, other| &one & &other).unwrap_or_default();
    let ever = || stopping.iter().flat_map(ids).collect();
    (
        best,
        if best == Truth::Yes {
            BTreeSet::new()
        } else if always.is_empty() {
            ever()
        } else {
            always
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn who_gets_in_is_whom_enumeration_lets_in(memberships in memberships(), policies in policies()) {
        let tenant = tenant(&memberships);
        let (draft, others) = policies.split_last().unwrap();
        let model = model(&tenant, others);
        let mut on = draft.clone();
        on["state"] = json!("enabled");
        let enforced: Vec<Value> =
            others.iter().chain([&on]).filter(|policy| policy["state"] == json!("enabled")).cloned().collect();
        let draft = read_policy(draft).unwrap();
        let lockout = model.lockout(&draft);
        prop_assert_eq!(lockout.administrators.len(), 2);
        for access in &lockout.administrators {
            let (can, stopped_by) = enumerated(&access.user_id, &tenant, &enforced);
            prop_assert_eq!((access.can, &access.stopped_by), (can, &stopped_by), "{}", access.user_id);
            prop_assert_eq!(access.way_in.is_some(), can != Truth::No);
        }
        let nobody = lockout.anybody() == Truth::No;
        prop_assert_eq!(model.with_draft_on(&draft).locks_out_administrators(), nobody);
        let worse = nobody && model.lockout_now().anybody() != Truth::No;
        prop_assert_eq!(model.would_lock_out_everyday_administrators(&draft), worse);
    }
}
