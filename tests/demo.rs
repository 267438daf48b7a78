//! The demo's tenant, asked through real HTTP as the product asks a real one.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "helpers of tests")]

use std::sync::Arc;

use jiff::Timestamp;
use portcullis::demo::{Options, Seed, Service, Tenant};
use serde_json::Value;

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
    let tenant = Tenant::generate(&Seed { users, seed: 1, today: today() });
    let options = Options { tenant, port: 0, record_dir: None, clock: Arc::new(today) };
    let service = Service::start(options).await.unwrap();
    let http = reqwest::Client::builder().build().unwrap();
    let token =
        token(&http, &service, "https://graph.microsoft.com/.default").await["access_token"].as_str().unwrap().into();
    World { service, http, token }
}

async fn token(http: &reqwest::Client, service: &Service, scope: &str) -> Value {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &service.client_id),
        ("client_secret", &service.client_secret),
        ("scope", scope),
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

    /// Every row of a collection, page by page.
    async fn all(&self, path: &str) -> Vec<Value> {
        let mut page = self.get(path).await;
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
        Some("Security Reader"),
        None,
    ]) {
        let rows = world.all(&format!("/users/{}/transitiveMemberOf", person.id)).await;
        let held = rows.iter().find(|row| row["@odata.type"] == "#microsoft.graph.directoryRole");
        assert_eq!(held.map(|row| row["displayName"].as_str().unwrap()), role, "{}", person.name);
        assert!(rows.iter().any(|row| row["displayName"] == "CA-Internals"));
    }
}
