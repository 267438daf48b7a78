//! What `/v1.0` knows and what only `/beta` does, what a client has to ask for, and how an error is told.

use super::*;

impl World {
    /// A reading with headers of its own; status and body.
    pub(super) async fn with(&self, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
        let request = self.http.get(format!("{}{path}", self.service.graph_base())).bearer_auth(&self.token);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

const NAMES: [(&str, &str); 1] = [("Prefer", "include-unknown-enum-members")];

#[tokio::test]
async fn v1_tells_less_of_a_sign_in_than_beta() {
    let world = world(50).await;
    let of = async |version: &str| world.with(&format!("/{version}/auditLogs/signIns?$top=1"), &NAMES).await.1;
    let (old, new) = (of("v1.0").await["value"][0].clone(), of("beta").await["value"][0].clone());
    for name in ["conditionalAccessAudiences", "originalTransferMethod", "signInEventTypes", "userType"] {
        assert!(old.get(name).is_none() && new.get(name).is_some(), "{name}");
    }
    assert_eq!((&old["id"], &old["resourceId"]), (&new["id"], &new["resourceId"]));
    let one = format!("/v1.0/auditLogs/signIns/{}", old["id"].as_str().unwrap());
    assert!(world.with(&one, &NAMES).await.1.get("conditionalAccessAudiences").is_none());
}

#[tokio::test]
async fn a_policys_beta_members_are_for_beta() {
    let world = world(50).await;
    let everywhere = json!({ "displayName": "x", "state": "disabled", "conditions": { "users": { "includeUsers": ["All"] },
        "applications": { "includeApplications": ["All"] } }, "sessionControls": { "continuousAccessEvaluation": { "mode": "disabled" } } });
    let (status, made) = world.post("/beta/identity/conditionalAccess/policies", &everywhere).await;
    assert_eq!(status, 201);
    let mode = "/sessionControls/continuousAccessEvaluation/mode";
    for (version, expected) in [("v1.0", None), ("beta", Some("disabled"))] {
        let path = format!("/{version}/identity/conditionalAccess/policies/{}", made["id"].as_str().unwrap());
        let read = world.with(&path, &[]).await.1;
        assert_eq!(read.pointer(mode).and_then(Value::as_str), expected, "{version}");
    }
}

/// Words that came later than their enum: told by name only to those who say that they expect them.
#[tokio::test]
async fn late_words_have_to_be_asked_for() {
    let world = world(50).await;
    let remediation = json!({ "displayName": "x", "state": "disabled", "conditions": { "users": { "includeUsers": ["All"] },
        "applications": { "includeApplications": ["All"] }, "userRiskLevels": ["high"] },
        "grantControls": { "operator": "OR", "builtInControls": ["riskRemediation"] } });
    let made = world.post(POLICIES, &remediation).await.1;
    let path = format!("{POLICIES}/{}", made["id"].as_str().unwrap());
    let control = async |headers: &[(&str, &str)]| {
        world.with(&path, headers).await.1["grantControls"]["builtInControls"][0].clone()
    };
    assert_eq!((control(&[]).await, control(&NAMES).await), (json!("unknownFutureValue"), json!("riskRemediation")));
    let results = async |headers: &[(&str, &str)]| {
        let rows = world.with("/v1.0/auditLogs/signIns?$top=100", headers).await.1;
        let rows = rows["value"].as_array().unwrap().clone();
        let applied = rows.iter().flat_map(|row| row["appliedConditionalAccessPolicies"].as_array().unwrap().clone());
        applied.map(|result| result["result"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (plain, named) = (results(&[]).await, results(&NAMES).await);
    assert!(named.iter().any(|word| word.starts_with("reportOnly")) && !named.contains(&"unknownFutureValue".into()));
    for (plain, named) in plain.iter().zip(&named) {
        let late = named.starts_with("reportOnly");
        assert_eq!(plain, if late { "unknownFutureValue" } else { named });
    }
}

#[tokio::test]
async fn a_count_is_given_where_it_is_asked_for() {
    let world = world(50).await;
    let count = async |path: &str, headers: &[(&str, &str)]| world.with(path, headers).await.1["@odata.count"].as_u64();
    let policies = "/v1.0/identity/conditionalAccess/policies";
    assert_eq!(count(&format!("{policies}?$count=true&$top=3"), &[]).await, Some(25));
    assert_eq!(count(&format!("{policies}?$count=true&$filter=state eq 'disabled'"), &[]).await, Some(2));
    assert_eq!(count(policies, &[]).await, None);
    let users = "/v1.0/users?$count=true&$top=7";
    assert_eq!(count(users, &[]).await, None, "the directory counts for those who take a late count");
    assert_eq!(count(users, &[("ConsistencyLevel", "eventual")]).await, Some(50));
}

#[tokio::test]
async fn an_option_that_is_not_served_is_refused_and_not_ignored() {
    let world = world(50).await;
    for option in ["$search=\"displayName:a\"", "$apply=x"] {
        let headers = [("ConsistencyLevel", "eventual")];
        let (status, body) = world.with(&format!("/v1.0/users?{option}"), &headers).await;
        assert_eq!((status, body["error"]["code"].as_str()), (400, Some("BadRequest")), "{option}");
    }
}

#[tokio::test]
async fn an_error_says_when_it_happened_and_to_which_request() {
    let world = world(50).await;
    let ours = [("client-request-id", "11111111-2222-3333-4444-555555555555")];
    let inner = async |path: &str| world.with(path, &ours).await.1["error"]["innerError"].clone();
    for path in ["/v1.0/users/nobody", "/v1.0/nothing", "/beta/users?$top=x"] {
        let inner = inner(path).await;
        assert_eq!(
            (inner["date"].as_str(), inner["client-request-id"].as_str()),
            (Some("2026-11-24T08:30:00"), Some(ours[0].1))
        );
        assert_ne!(inner["request-id"], inner["client-request-id"]);
    }
    world.service.state().tokens.expire_all();
    assert_eq!(inner("/v1.0/users").await["date"], "2026-11-24T08:30:00", "before any handler too");
    world.post("/demo/faults", &json!({ "failRate": 1.0 })).await;
    assert_eq!(inner("/v1.0/users").await["date"], "2026-11-24T08:30:00");
}
