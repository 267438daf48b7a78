//! What somebody who leaves takes along, and what isn't shown to everybody.

use super::*;

#[tokio::test]
async fn who_is_deleted_owns_and_holds_nothing_any_more() {
    let world = world(60).await;
    let person = |name: &str| world.service.people.iter().find(|one| one.name == name).unwrap().id.clone();
    let dahlberg = person("Henrik Dahlberg");
    let group = world.all("/groups?$filter=displayName eq 'CA-BreakGlass'").await[0]["id"].as_str().unwrap().to_owned();
    let owners = format!("/groups/{group}/owners");
    let owned = async || {
        let devices = world.all("/devices?$expand=registeredOwners($select=id)").await;
        let by =
            |device: &&Value| device["registeredOwners"].as_array().unwrap().iter().any(|one| one["id"] == dahlberg);
        (devices.iter().filter(by).count(), devices.len())
    };
    let roles = async || {
        let all = world.all("/roleManagement/directory/roleAssignments").await;
        all.iter().filter(|held| held["principalId"] == dahlberg).count()
    };
    let (mine, devices) = owned().await;
    assert!(mine > 0);
    assert_eq!((world.all(&owners).await[0]["id"].clone(), roles().await), (json!(dahlberg), 1));

    let url = format!("{}/demo/colleague/users/{dahlberg}", world.service.base_url());
    let fired = world.http.delete(url).json(&json!({ "by": "Sofia Almeida" })).send().await.unwrap();
    assert_eq!(fired.status(), 204);
    assert_eq!(world.all(&owners).await, [Value::Null; 0]);
    assert_eq!(owned().await, (0, devices), "a device stays, without an owner");
    assert_eq!(roles().await, 0);
}

#[tokio::test]
async fn a_role_that_is_given_shows_everywhere_and_on_record() {
    let world = world(50).await;
    let fischer = world.service.people.iter().find(|one| one.name == "Lena Fischer").unwrap().id.clone();
    let role = "5d6b6bb7-de71-4623-b4af-96380a352509";
    let path = format!("/demo/colleague/roles/{role}/members");
    let give = async |hold: &str| {
        let body = json!({ "by": "Sofia Almeida", "userId": fischer, "hold": hold });
        assert_eq!(world.post(&path, &body).await.0, 204);
    };
    let held = async |list: &str| {
        let rows = world.all(&format!("/roleManagement/directory/{list}")).await;
        rows.into_iter().filter(|held| held["principalId"] == fischer).collect::<Vec<_>>()
    };
    give("eligible").await;
    let eligible = held("roleEligibilityScheduleInstances").await;
    assert_eq!((eligible.len(), &eligible[0]["roleDefinitionId"]), (1, &json!(role)));
    assert!(held("roleAssignments").await.is_empty());
    give("activated").await;
    let active = held("roleAssignmentScheduleInstances").await;
    assert_eq!((active.len(), &active[0]["assignmentType"]), (1, &json!("Activated")));
    let in_it = world.all(&format!("/users/{fischer}/transitiveMemberOf")).await;
    assert!(in_it.iter().any(|one| one["roleTemplateId"] == role), "{in_it:?}");
    let expected = ["Add member to role completed (PIM activation)", "Add eligible member to role"];
    assert_eq!(world.changes().await, expected.map(|activity| (activity.to_owned(), "Sofia Almeida".to_owned())));
    let records = world.get("/auditLogs/directoryAudits?$top=2").await["value"].as_array().unwrap().clone();
    assert!(records.iter().all(|record| record["category"] == "RoleManagement"), "{records:?}");
    assert_eq!(records[0]["targetResources"][0]["type"], "Role", "as Privileged Identity Management writes it");
}

/// Graph says nothing about members that it doesn't show.
#[tokio::test]
async fn hidden_members_are_left_out_without_their_permission() {
    let mut world = world(60).await;
    let group = world.all("/groups?$filter=displayName eq 'CA-Internals'").await[0].clone();
    assert_eq!(group["visibility"], Value::Null);
    let members = format!("/groups/{}/members", group["id"].as_str().unwrap());
    let count = world.all(&members).await.len();
    {
        let mut tenant = world.service.state().tenant();
        let at = tenant.groups.at("CA-Internals");
        tenant.groups.hide(at);
    }
    assert_eq!(world.all("/groups?$filter=displayName eq 'CA-Internals'").await[0]["visibility"], "HiddenMembership");
    assert!(count > 0 && world.all(&members).await.len() == count, "who was permitted sees them");
    let granted = world.post("/demo/permissions", &json!({ "missing": ["Member.Read.Hidden"] })).await.1;
    assert!(!granted.to_string().contains("Hidden") && granted.to_string().contains("GroupMember.Read.All"));
    let fresh = token(&world.http, &world.service, "https://graph.microsoft.com/.default").await;
    world.token = fresh["access_token"].as_str().unwrap().into();
    assert_eq!(world.all(&members).await, [Value::Null; 0]);
    let in_delta = world.all("/groups/delta").await;
    let ours = in_delta.iter().find(|one| one["id"] == group["id"]).unwrap();
    assert_eq!(ours["members@delta"], json!([]));
}
