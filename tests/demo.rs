//! The demo's tenant, asked through real HTTP as the product asks a real one.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "helpers of tests")]

#[path = "demo/leavers.rs"]
mod leavers;
#[path = "demo/queries.rs"]
mod queries;
#[path = "demo/rules.rs"]
mod rules;
#[path = "demo/versions.rs"]
mod versions;

use std::sync::Arc;

use jiff::Timestamp;
use portcullis::clock::Clock;
use portcullis::config::{Config, Loopback};
use portcullis::demo::{Options, Seed, Service, Tenant};
use portcullis::engine::Model;
use portcullis::graph::{Client, Quiet, read_snapshot};
use serde_json::{Value, json};

/// A service over the default tenant, and a client with a token for it.
struct World {
    service: Service,
    http: reqwest::Client,
    token: String,
}

fn today() -> Timestamp {
    "2026-11-24T08:30:00Z".parse().unwrap()
}

async fn world(users: u32) -> World {
    recorded(users, None).await
}

async fn recorded(users: u32, record_dir: Option<std::path::PathBuf>) -> World {
    let tenant = Tenant::generate(&Seed { users, seed: 1, today: today() });
    let options = Options { tenant, port: 0, record_dir, clock: Arc::new(today) };
    let service = Service::start(options).await.unwrap();
    let http = reqwest::Client::builder().build().unwrap();
    let token =
        token(&http, &service, "https://graph.microsoft.com/.default").await["access_token"].as_str().unwrap().into();
    World { service, http, token }
}

async fn token(http: &reqwest::Client, service: &Service, scope: &str) -> Value {
    let (id, secret) = match scope {
        "https://graph.microsoft.com/.default" => (&service.client_id, &service.client_secret),
        _ => (&service.app_id, &service.app_secret),
    };
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", id),
        ("client_secret", secret),
        ("scope", scope),
        ("service_url", &service.connector_url()),
    ];
    http.post(service.token_url()).form(&form).send().await.unwrap().json().await.unwrap()
}

impl World {
    async fn get(&self, path: &str) -> Value {
        let url = format!("{}/v1.0{path}", self.service.graph_base());
        self.follow(&url).await
    }

    async fn follow(&self, url: &str) -> Value {
        self.http.get(url).bearer_auth(&self.token).send().await.unwrap().json().await.unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}{path}", self.service.base_url());
        let answer = self.http.post(url).bearer_auth(&self.token).json(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    async fn delete(&self, path: &str) -> u16 {
        let url = format!("{}{path}", self.service.base_url());
        self.http.delete(url).bearer_auth(&self.token).send().await.unwrap().status().as_u16()
    }

    /// What was changed since the start, as the audit log tells it: activity and who.
    async fn changes(&self) -> Vec<(String, String)> {
        let records = self.all("/auditLogs/directoryAudits?$filter=activityDateTime ge 2026-11-24T08:30:00Z").await;
        let by = |record: &Value| {
            let by = &record["initiatedBy"];
            by["user"]["displayName"].as_str().or(by["app"]["displayName"].as_str()).unwrap().to_owned()
        };
        records.iter().map(|record| (record["activityDisplayName"].as_str().unwrap().to_owned(), by(record))).collect()
    }

    /// Every row of a collection of v1.0, page by page.
    async fn all(&self, path: &str) -> Vec<Value> {
        self.all_of(&format!("/v1.0{path}")).await
    }

    async fn all_of(&self, path: &str) -> Vec<Value> {
        let mut page = self.follow(&format!("{}{path}", self.service.graph_base())).await;
        let mut rows = page["value"].as_array().unwrap_or_else(|| panic!("{path}: {page}")).clone();
        while let Some(next) = page["@odata.nextLink"].as_str() {
            page = self.follow(next).await;
            rows.extend(page["value"].as_array().unwrap().clone());
        }
        rows
    }
}

#[tokio::test]
async fn every_user_is_listed_once_over_pages() {
    let world = world(250).await;
    let users = world.all("/users?$select=id,userType&$top=99").await;
    assert_eq!(users.len(), 250);
    let ids: std::collections::BTreeSet<_> = users.iter().map(|user| user["id"].to_string()).collect();
    assert_eq!(ids.len(), 250);
    assert!(users[0].get("displayName").is_none(), "only what was selected");
}

#[tokio::test]
async fn without_a_token_nothing_is_told() {
    let world = world(50).await;
    let url = format!("{}/v1.0/users", world.service.graph_base());
    for token in ["", "made-up"] {
        let answer = world.http.get(&url).bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.status(), 401);
    }
    world.service.state().tokens.expire_all();
    assert_eq!(world.get("/users").await["error"]["code"], "InvalidAuthenticationToken");
}

#[tokio::test]
async fn every_collection_that_the_product_reads_is_there() {
    let world = world(60).await;
    for path in [
        "/identity/conditionalAccess/policies",
        "/identity/conditionalAccess/namedLocations",
        "/identity/conditionalAccess/authenticationContextClassReferences",
        "/policies/authenticationStrengthPolicies",
        "/groups",
        "/roleManagement/directory/roleDefinitions",
        "/roleManagement/directory/roleAssignments",
        "/roleManagement/directory/roleAssignmentScheduleInstances",
        "/roleManagement/directory/roleEligibilityScheduleInstances",
        "/servicePrincipals",
        "/devices",
        "/reports/authenticationMethods/userRegistrationDetails",
        "/identityProtection/riskyUsers",
        "/subscribedSkus",
        "/organization",
    ] {
        assert!(!world.all(path).await.is_empty(), "{path}");
    }
    assert_eq!(world.get("/policies/identitySecurityDefaultsEnforcementPolicy").await["isEnabled"], false);
    assert_eq!(world.get("/policies/crossTenantAccessPolicy/default").await["inboundTrust"]["isMfaAccepted"], false);
}

#[tokio::test]
async fn templates_are_listed_and_are_no_policies() {
    let world = world(50).await;
    let templates = world.all("/identity/conditionalAccess/templates").await;
    assert!(
        templates
            .iter()
            .all(|template| template["details"]["conditions"].is_object() && template.get("state").is_none())
    );
    let policies = world.all("/identity/conditionalAccess/policies").await;
    let used = policies.iter().filter(|policy| !policy["templateId"].is_null());
    let known: Vec<&Value> = templates.iter().map(|template| &template["id"]).collect();
    assert!(used.clone().count() == 1 && used.into_iter().all(|policy| known.contains(&&policy["templateId"])));
    let one = format!("/identity/conditionalAccess/templates/{}", known[0].as_str().unwrap());
    assert_eq!(world.get(&one).await["id"], *known[0]);
}

#[tokio::test]
async fn members_of_a_nested_group_come_with_the_nesting() {
    let world = world(500).await;
    let groups = world.all("/groups").await;
    let rollout = groups.iter().find(|group| group["displayName"] == "CA-Excl-MFA-Rollout").unwrap();
    let id = rollout["id"].as_str().unwrap();
    let direct = world.all(&format!("/groups/{id}/members?$top=2")).await;
    let everybody = world.all(&format!("/groups/{id}/transitiveMembers?$top=5")).await;
    let nested = |rows: &[Value]| rows.iter().filter(|row| row["@odata.type"] == "#microsoft.graph.group").count();
    assert_eq!((direct.len(), nested(&direct), nested(&everybody)), (6, 1, 1));
    assert!(everybody.len() > 20, "{}", everybody.len());
    assert_eq!(world.all(&format!("/groups/{id}/owners")).await[0]["displayName"], "Piotr Nowak");
}

#[tokio::test]
async fn a_persons_groups_and_active_roles_are_told() {
    let world = world(60).await;
    for (person, role) in world.service.people.iter().zip([
        Some("Conditional Access Administrator"),
        Some("Security Administrator"),
        Some("Global Administrator"),
        Some("Security Reader"),
        None,
    ]) {
        let rows = world.all(&format!("/users/{}/transitiveMemberOf", person.id)).await;
        let held = rows.iter().find(|row| row["@odata.type"] == "#microsoft.graph.directoryRole");
        assert_eq!(held.map(|row| row["displayName"].as_str().unwrap()), role, "{}", person.name);
        assert!(rows.iter().any(|row| row["displayName"] == "CA-Internals"));
    }
}

const POLICIES: &str = "/v1.0/identity/conditionalAccess/policies";

fn draft() -> Value {
    json!({ "displayName": "CA211 – Block device code flow – All users", "state": "enabledForReportingButNotEnforced",
        "conditions": { "users": { "includeUsers": ["All"] }, "applications": { "includeApplications": ["All"] },
            "authenticationFlows": { "transferMethods": "deviceCodeFlow" } },
        "grantControls": { "operator": "AND", "builtInControls": ["block"] } })
}

#[tokio::test]
async fn a_created_policy_is_stored_in_graphs_words_and_on_record() {
    let world = world(50).await;
    let (status, created) = world.post(POLICIES, &draft()).await;
    assert_eq!(status, 201);
    assert_eq!(created["conditions"]["clientAppTypes"], json!(["all"]));
    assert_eq!(created["grantControls"]["operator"], "OR");
    let path = format!("{POLICIES}/{}", created["id"].as_str().unwrap());
    assert_eq!(
        world.follow(&format!("{}{path}", world.service.base_url())).await["displayName"],
        draft()["displayName"]
    );
    assert_eq!(world.delete(&path).await, 204);
    assert_eq!(world.delete(&path).await, 404);
    let by = |activity: &str| (activity.to_owned(), "Portcullis".to_owned());
    assert_eq!(world.changes().await, [by("Delete conditional access policy"), by("Add conditional access policy")]);
}

#[tokio::test]
async fn graph_refuses_what_it_refuses() {
    let world = world(50).await;
    let broken: [(&str, Value); 6] = [
        ("/displayName", json!("")),
        ("/state", json!("on")),
        ("/conditions/users/includeUsers", json!(["All", "00000000-0000-0000-0000-000000000001"])),
        ("/conditions/applications/includeApplications", json!([])),
        ("/grantControls/builtInControls", json!(["block", "mfa"])),
        ("/conditions/locations", json!({ "includeLocations": ["00000000-0000-0000-0000-000000000009"] })),
    ];
    for (at, value) in broken {
        let mut policy = draft();
        match policy.pointer_mut(at) {
            Some(slot) => *slot = value,
            None => policy["conditions"]["locations"] = value,
        }
        let (status, body) = world.post(POLICIES, &policy).await;
        assert_eq!((status, body["error"]["code"].as_str()), (400, Some("BadRequest")), "{at}");
    }
    assert!(world.changes().await.is_empty());
}

#[tokio::test]
async fn a_lost_answer_leaves_the_policy_and_a_lag_hides_it() {
    let world = world(50).await;
    world.post("/demo/faults", &json!({ "loseResponses": 1, "readLagMs": 60_000 })).await;
    assert_eq!(world.post(POLICIES, &draft()).await.0, 504);
    assert_eq!(world.all("/identity/conditionalAccess/policies").await.len(), 25);
    assert_eq!(world.changes().await.len(), 1);
    assert_eq!(world.post(POLICIES, &draft()).await.0, 201);
    world.post("/demo/faults", &json!({ "failRate": 1.0 })).await;
    assert_eq!(world.get("/users").await["error"]["code"], "serviceNotAvailable");
}

#[tokio::test]
async fn sign_ins_and_audits_are_read_newest_first_and_since_a_moment() {
    let world = world(80).await;
    let path = "/auditLogs/signIns?$filter=createdDateTime ge 2026-11-20T00:00:00Z&$top=50";
    let interactive = world.all(path).await;
    assert!(
        interactive
            .iter()
            .all(|row| row["isInteractive"] == true && row["createdDateTime"].as_str() >= Some("2026-11-20"))
    );
    let kinds = "signInEventTypes/any(t: t eq 'interactiveUser' or t eq 'nonInteractiveUser')";
    let both = path.replace("&$top", &format!(" and {kinds}&$top"));
    assert_eq!(world.get(&both).await["error"]["code"], "BadRequest", "v1.0 knows interactive ones only");
    let all = world.all_of(&format!("/beta{both}")).await;
    assert!(all.len() > interactive.len());
    let id = all[3]["id"].as_str().unwrap();
    assert_eq!(world.get(&format!("/auditLogs/signIns/{id}")).await["createdDateTime"], all[3]["createdDateTime"]);
    let audits = world.all("/auditLogs/directoryAudits?$top=7").await;
    let times: Vec<_> = audits.iter().map(|record| record["activityDateTime"].as_str().unwrap()).collect();
    assert!(times.len() > 30 && times.iter().rev().is_sorted());
}

#[tokio::test]
async fn what_if_is_answered_for_every_policy_that_is_not_off() {
    let world = world(60).await;
    let request = json!({ "signInIdentity": { "userId": world.service.people[0].id },
        "signInContext": { "includeApplications": ["00000002-0000-0ff1-ce00-000000000000"] },
        "signInConditions": { "clientAppType": "browser", "devicePlatform": "windows", "country": "DE", "ipAddress": "192.0.2.9" } });
    let (status, answer) = world.post("/v1.0/identity/conditionalAccess/evaluate", &request).await;
    let rows = answer["value"].as_array().unwrap();
    assert_eq!((status, rows.len()), (200, 23));
    let applied: Vec<&str> = rows
        .iter()
        .filter(|row| row["policyApplies"] == true)
        .map(|row| row["displayName"].as_str().unwrap())
        .collect();
    let expected = [
        "CA100 – Require phishing-resistant MFA – Administrators",
        "CA102 – Sign-in frequency 4 hours – Administrators",
        "CA200 – Require MFA – Internals",
        "CA512 – Require compliant device – Windows",
    ];
    assert_eq!(applied, expected);
}

#[tokio::test]
async fn a_colleague_changes_the_tenant_unseen_but_on_record() {
    let world = world(60).await;
    let policies = world.all("/identity/conditionalAccess/policies").await;
    let id = policies[0]["id"].as_str().unwrap();
    let edit = json!({ "by": "Piotr Nowak", "patch": { "state": "disabled" } });
    assert_eq!(world.post(&format!("/demo/colleague/policies/{id}"), &edit).await.1["state"], "disabled");
    let group = world.all("/groups?$filter=displayName eq 'CA-BreakGlass'").await[0]["id"].as_str().unwrap().to_owned();
    let addition = json!({ "by": "Somebody Else", "userIds": [world.service.people[3].id] });
    assert_eq!(world.post(&format!("/demo/colleague/groups/{group}/members"), &addition).await.0, 204);
    assert_eq!(world.all(&format!("/groups/{group}/members")).await.len(), 3);
    let expected = [("Add member to group", "Somebody Else"), ("Update conditional access policy", "Piotr Nowak")];
    assert_eq!(world.changes().await, expected.map(|(activity, by)| (activity.to_owned(), by.to_owned())));
    let requests = world.follow(&format!("{}/demo/requests", world.service.base_url())).await;
    let methods: Vec<&str> =
        requests["value"].as_array().unwrap().iter().map(|row| row["method"].as_str().unwrap()).collect();
    assert!(methods.iter().all(|method| *method == "GET"), "{methods:?}");
}

#[tokio::test]
async fn the_connector_keeps_every_version_of_what_was_sent() {
    let mut world = world(50).await;
    let base = "/connector/v3/conversations/a:1/activities";
    assert_eq!(world.post(base, &json!({ "text": "without a token of the Bot Framework" })).await.0, 401);
    let scope = "https://api.botframework.com/.default";
    world.token = token(&world.http, &world.service, scope).await["access_token"].as_str().unwrap().into();
    let (status, created) = world.post(base, &json!({ "text": "first" })).await;
    let url = format!("{}{base}/{}", world.service.base_url(), created["id"].as_str().unwrap());
    let put = world.http.put(&url).bearer_auth(&world.token).json(&json!({ "text": "second" })).send().await.unwrap();
    assert_eq!((status, put.status().as_u16()), (201, 200));
    let kept = world.follow(&format!("{}/demo/connector/activities", world.service.base_url())).await;
    assert_eq!(kept["value"][0]["versions"], json!([{ "text": "first" }, { "text": "second" }]));
}

#[tokio::test]
async fn a_channels_token_holds_against_the_published_key() {
    let world = world(50).await;
    let metadata = world.follow(&world.service.openid_metadata()).await;
    let keys = world.follow(metadata["jwks_uri"].as_str().unwrap()).await;
    assert_eq!(keys["keys"][0]["endorsements"], json!(["msteams"]));
    let key: jsonwebtoken::jwk::Jwk = serde_json::from_value(keys["keys"][0].clone()).unwrap();
    let scope = format!("{}/.default", world.service.app_id);
    let token = token(&world.http, &world.service, &scope).await;
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    rules.set_audience(&[&world.service.app_id]);
    rules.set_issuer(&["https://api.botframework.com"]);
    rules.validate_exp = false;
    let key = jsonwebtoken::DecodingKey::from_jwk(&key).unwrap();
    let read = jsonwebtoken::decode::<Value>(token["access_token"].as_str().unwrap(), &key, &rules).unwrap();
    assert_eq!(read.claims["serviceurl"], world.service.connector_url());
}

#[tokio::test]
async fn a_wrong_secret_gets_no_token() {
    let world = world(50).await;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &world.service.client_id),
        ("client_secret", "guess"),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    let answer = world.http.post(world.service.token_url()).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 401);
}

#[tokio::test]
async fn requests_are_recorded_without_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let world = recorded(50, Some(folder.path().into())).await;
    world.post(POLICIES, &draft()).await;
    world.get("/users?$top=1").await;
    let file = folder.path().join(format!("graph-requests-{}.jsonl", std::process::id()));
    let lines = std::fs::read_to_string(file).unwrap();
    assert!(!lines.contains(&world.token) && !lines.to_lowercase().contains("authorization"));
    let secrets =
        std::fs::read_to_string(folder.path().join(format!("demo-secrets-{}.txt", std::process::id()))).unwrap();
    assert!(secrets.lines().any(|secret| secret == world.service.client_secret) && secrets.lines().count() == 3);
    assert!(secrets.lines().all(|secret| !lines.contains(secret)));
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [effect, post, get] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(
        (&effect["did"], &effect["by"]),
        (&json!("created"), &json!("app")),
        "what came of it, before the answer"
    );
    assert_eq!((&post["method"], &post["status"], &post["body"]), (&json!("POST"), &json!(201), &draft()));
    assert_eq!(get["method"], "GET");
}

/// The log was judged by the demo's naive evaluator, the verdicts here are the engine's: two independent readings of
/// the same documentation. They differ only where the log's moment is not today: people who were let out of MFA
/// yesterday were still asked for it before.
#[tokio::test]
async fn the_engine_and_the_judge_agree_on_every_policy_of_the_log() {
    let world = world(300).await;
    let config = Config::loopback(Loopback {
        graph: world.service.graph_base(),
        login: world.service.base_url(),
        tenant_id: &world.service.tenant_id,
        client_id: &world.service.client_id,
        client_secret: &world.service.client_secret,
        store: "sqlite::memory:",
    })
    .unwrap();
    let client = Client::new(&config, Clock::fixed(today())).unwrap();
    let model = Model::new(Arc::new(read_snapshot(&client, &Quiet, None).await.unwrap()));
    let names = world.all("/identity/conditionalAccess/policies").await;
    let code = |id: &str| {
        let policy = names.iter().find(|policy| policy["id"] == id).unwrap();
        policy["displayName"].as_str().unwrap().chars().take(5).collect::<String>()
    };
    let agreements = model.agreement();
    assert_eq!(agreements.len(), 23, "all but the two that are Off");
    let mut differing: Vec<String> =
        agreements.iter().filter(|one| !one.differed.is_empty()).map(|one| code(&one.policy_id)).collect();
    differing.sort();
    assert_eq!(differing, ["CA200", "CA203"]);
    for one in &agreements {
        assert!(one.agreed > 50, "{}: {} agreed, {} open", code(&one.policy_id), one.agreed, one.open);
    }
}
