//! What the demo's Graph refuses of a policy, as the real one does: each breach alone, sent over HTTP.

use super::*;

const NOBODY: &str = "00000000-0000-0000-0000-00000000dead";
const BETA: &str = "/beta/identity/conditionalAccess/policies";

/// A policy that is fine, with members replaced that a dotted path names.
fn changed(world: &World, changes: &Value) -> Value {
    let mut policy = json!({ "displayName": "Require MFA", "state": "enabledForReportingButNotEnforced", "conditions": {
        "users": { "includeUsers": ["All"], "excludeGroups": [world.service.emergency_group] },
        "applications": { "includeApplications": ["All"] } },
        "grantControls": { "operator": "AND", "builtInControls": ["mfa"] } });
    for (at, value) in changes.as_object().unwrap() {
        let place = at.split('.').fold(&mut policy, |place, name| &mut place[name]);
        *place = value.clone();
    }
    policy
}

const CONTROLS: &str = "grantControls.builtInControls";
const CLIENTS: &str = "conditions.clientAppTypes";

/// The number of a rule, and what breaks it and no other.
fn breaches() -> Vec<(u8, Value)> {
    let workloads = json!({ "includeServicePrincipals": ["ServicePrincipalsInMyTenant"] });
    let guests = json!({ "guestOrExternalUserTypes": "internalGuest" });
    let registers = json!({ "includeUserActions": ["urn:user:registersecurityinfo"] });
    let named = |platform: &str| json!({ "includePlatforms": [platform] });
    let filter = |rule: &str| json!({ "deviceFilter": { "mode": "exclude", "rule": rule } });
    let risk = "conditions.userRiskLevels";
    vec![
        (3, json!({ "conditions.clientApplications": workloads, CONTROLS: ["block"] })),
        (6, json!({ "conditions.applications.applicationFilter": { "mode": "include", "rule": "x" } })),
        (12, json!({ CONTROLS: ["mfa", "passwordChange"], risk: ["high"], "conditions.signInRiskLevels": ["high"] })),
        (
            13,
            json!({ CONTROLS: ["riskRemediation"], risk: ["high"],
                "conditions.users": { "includeGuestsOrExternalUsers": guests } }),
        ),
        (15, json!({ CONTROLS: ["compliantApplication"], "conditions.platforms": named("linux") })),
        (16, json!({ CONTROLS: ["compliantApplication"], CLIENTS: ["exchangeActiveSync"] })),
        (
            19,
            json!({ "conditions.users": { "includeUsers": ["None"] }, "conditions.clientApplications": workloads,
                "conditions.platforms": named("windows"), CONTROLS: ["block"] }),
        ),
        (27, json!({ "sessionControls.secureSignInSession": { "isEnabled": true } })),
        (28, json!({ "conditions.devices": filter("device.colour -eq \"red\"") })),
        (28, json!({ "conditions.devices": filter("device.model -like \"x\"") })),
        (29, json!({ CLIENTS: ["exchangeActiveSync"], "conditions.applications": registers })),
        (30, json!({ "conditions.locations": { "includeLocations": ["AllTrusted"], "excludeLocations": ["All"] } })),
        (35, json!({ "conditions.applications": { "includeAuthenticationContextClassReferences": ["c3"] } })),
        (36, json!({ CONTROLS: ["block"], "conditions.users.excludeGroups": [] })),
        (43, json!({ "conditions.users.excludeGroups": [NOBODY] })),
        (43, json!({ "conditions.users.includeUsers": [NOBODY] })),
        (43, json!({ "grantControls.termsOfUse": [NOBODY] })),
        (45, json!({ "id": NOBODY })),
        (45, json!({ "createdDateTime": "2026-11-24T08:30:00Z" })),
        (45, json!({ "templateId": NOBODY })),
    ]
}

#[tokio::test]
async fn each_rule_that_graph_enforces_is_enforced() {
    let world = world(50).await;
    assert_eq!(world.post(POLICIES, &changed(&world, &json!({}))).await.0, 201);
    for (rule, breach) in breaches() {
        let (status, body) = world.post(POLICIES, &changed(&world, &breach)).await;
        let said = body["error"]["message"].as_str().unwrap_or_default();
        assert_eq!((status, body["error"]["code"].as_str()), (400, Some("BadRequest")), "rule {rule}: {breach}");
        assert!(said.contains("malformed or incorrect") && !said.contains("1007"), "rule {rule}: {said}");
    }
    assert_eq!(world.changes().await.len(), 1, "only the good one was made");
}

#[tokio::test]
async fn a_policy_in_other_words_than_the_schemas_is_no_policy() {
    let world = world(50).await;
    let off = json!({ "continuousAccessEvaluation": { "mode": "disabled" } });
    for odd in [
        json!({ "conditions.nonsense": {} }),
        json!({ CLIENTS: ["everything"] }),
        json!({ CONTROLS: ["Mfaaa"] }),
        json!({ "state": "on" }),
        // What v1.0 does not know.
        json!({ "sessionControls": off }),
    ] {
        let (status, body) = world.post(POLICIES, &changed(&world, &odd)).await;
        assert_eq!(status, 400, "{odd}");
        assert!(body["error"]["message"].as_str().unwrap().starts_with("1007"), "{odd}: {body}");
    }
    assert_eq!(world.post(BETA, &changed(&world, &json!({ "sessionControls": off }))).await.0, 201);
    // Rule 26: beta knows it, and refuses it for a part of the tenant.
    let part = json!({ "sessionControls": off, "conditions.platforms": { "includePlatforms": ["iOS"] } });
    let (status, body) = world.post(BETA, &changed(&world, &part)).await;
    assert!(status == 400 && body["error"]["message"].as_str().unwrap().contains("continuousAccess"), "{body}");
}

#[tokio::test]
async fn what_the_tenant_does_not_own_cannot_be_made() {
    let world = world(50).await;
    let risk = changed(&world, &json!({ "conditions.signInRiskLevels": ["high"] }));
    let workloads = json!({ "includeServicePrincipals": ["ServicePrincipalsInMyTenant"] });
    let workloads = changed(
        &world,
        &json!({ "conditions.users": { "includeUsers": ["None"] }, "conditions.clientApplications": workloads,
            CONTROLS: ["block"] }),
    );
    let on = changed(&world, &json!({ "state": "enabled" }));
    assert_eq!((world.post(POLICIES, &risk).await.0, world.post(POLICIES, &workloads).await.0), (201, 400));
    {
        let mut tenant = world.service.state().tenant();
        tenant.licences =
            vec![json!({ "servicePlans": [{ "servicePlanId": "84c289f0-efcb-486f-8581-07f44fc9efad" }] })];
        tenant.security_defaults = true;
    }
    assert_eq!((world.post(POLICIES, &risk).await.0, world.post(POLICIES, &workloads).await.0), (400, 201));
    assert_eq!(world.post(POLICIES, &on).await.0, 400, "beside security defaults");
    assert_eq!(world.get("/policies/identitySecurityDefaultsEnforcementPolicy").await["isEnabled"], true);
}

/// A policy that names what was deleted since goes on, and can be edited; nothing more that isn't there can be added.
#[tokio::test]
async fn what_was_named_before_stays() {
    let world = world(50).await;
    let policies = world.all("/identity/conditionalAccess/policies").await;
    for policy in policies.iter().filter(|policy| policy["state"] == "disabled") {
        let edit = json!({ "by": "Piotr Nowak", "patch": { "displayName": "renamed" } });
        let path = format!("/demo/colleague/policies/{}", policy["id"].as_str().unwrap());
        assert_eq!(world.post(&path, &edit).await.0, 200, "{policy}");
        let edit =
            json!({ "by": "Piotr Nowak", "patch": { "conditions": { "users": { "excludeGroups": [NOBODY] } } } });
        assert_eq!(world.post(&path, &edit).await.0, 400, "{policy}");
    }
}
