//! A card hands a change over, a person makes it in the tenant, and one look at the audit log later the card says so.

use portcullis::checks::{CureAction, HandOver};
use portcullis::config::WriteMode;
use portcullis::facts::Row;
use reqwest::Method;
use serde_json::{Value, json};

use super::lab::{ADMINISTRATOR, Lab, changes, code, labels, words};

/// Where nothing is written by the bot.
async fn hand_over() -> Lab {
    Lab::start(|config| config.write.mode = WriteMode::HandOver).await
}

/// The audit records that a card cites.
async fn cited(lab: &Lab, card: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for citation in card["citations"].as_array().unwrap() {
        let kept =
            lab.app.store.evidence(lab.app.tenant(), citation["evidence"].as_str().unwrap()).await.unwrap().unwrap();
        let fact: portcullis::facts::Fact = serde_json::from_value(kept).unwrap();
        found.extend(fact.evidence.rows.into_iter().filter_map(|row| match row {
            Row::Audit { id, by, .. } => Some((id, by)),
            _ => None,
        }));
    }
    found
}

/// Id of the newest record of the tenant's audit log.
fn newest_record(lab: &Lab) -> String {
    let tenant = lab.service.state().tenant();
    tenant.audits.last().unwrap()["id"].as_str().unwrap().to_owned()
}

fn turns_on(change: &HandOver) -> bool {
    change.request.as_ref().is_some_and(|(method, _, body)| method == "PATCH" && *body == json!({"state": "enabled"}))
}

#[tokio::test]
async fn an_edit_is_handed_over_watched_compared_and_resolved_by_its_audit_record() {
    let lab = hand_over().await;
    let row = lab.suggestion(|action| matches!(action, CureAction::HandOver(change) if turns_on(change))).await;
    let card = lab.say(ADMINISTRATOR, &format!("propose S-{}", row.number)).await;
    for form in ["JSON", "Graph request", "PowerShell", "Terraform", "Ticket"] {
        assert!(!code(&card, form).is_empty(), "{form}");
    }
    let after: Value = serde_json::from_str(code(&card, "JSON")).unwrap();
    assert_eq!(after["state"], "enabled", "the policy as it will be");
    let request = code(&card, "Graph request");
    assert!(request.starts_with("PATCH /v1.0/identity/conditionalAccess/policies/"), "{request}");
    let terraform = code(&card, "Terraform");
    assert!(terraform.starts_with("import {") && terraform.contains("state        = \"enabled\""), "{terraform}");
    assert!(labels(&card).contains(&"Open in Entra") && !labels(&card).contains(&"Create in report-only"));
    assert!(words(&card).contains("I watch the audit log"), "{}", words(&card));

    let id = request.lines().next().unwrap().rsplit('/').next().unwrap().to_owned();
    let body = json!({"by": "Piotr Nowak", "patch": {"state": "enabled"}});
    lab.colleague(Method::POST, &format!("policies/{id}"), body).await;
    lab.poll().await;

    let record = newest_record(&lab);
    let card = lab.shown(row.number).await;
    let said = words(&card);
    assert!(said.contains("Resolved, with evidence: done as described, by Piotr Nowak"), "{said}");
    assert!(said.contains(&record), "{said}");
    assert_eq!(cited(&lab, &card).await, [(record.clone(), "Piotr Nowak".to_owned())]);
    let row = lab.row(row.number).await;
    assert_eq!(row.state, "resolved");
    assert_eq!(row.reason.unwrap(), format!("done as described by Piotr Nowak (audit record {record})"));
}

/// The edit that excludes the emergency access accounts from a policy that lacks them.
fn excludes(change: &HandOver, emergency: &str) -> bool {
    let body = change.request.as_ref().map(|(_, _, body)| body);
    let excluded = body.and_then(|body| body.pointer("/conditions/users/excludeGroups")?.as_array());
    let settles = change.changes.iter().any(|(label, ..)| label == "Users > Exclude");
    settles && excluded.is_some_and(|groups| groups.contains(&json!(emergency)))
}

#[tokio::test]
async fn a_change_that_differs_stays_open_with_the_differences_until_it_is_right() {
    let lab = hand_over().await;
    // Somebody has left the emergency access accounts in a policy that is On.
    let policy = lab.policies_named("CA001").remove(0);
    let (path, users) = (format!("policies/{}", policy["id"].as_str().unwrap()), &policy["conditions"]["users"]);
    let emergency = json!(lab.service.emergency_group);
    let without: Vec<&Value> =
        users["excludeGroups"].as_array().unwrap().iter().filter(|group| **group != emergency).collect();
    let edit =
        |groups: Value| json!({"by": "Piotr Nowak", "patch": {"conditions": {"users": {"excludeGroups": groups}}}});
    lab.colleague(Method::POST, &path, edit(json!(without))).await;
    lab.scan().await;
    let fits = |action: &CureAction| {
        matches!(action, CureAction::HandOver(change)
            if change.target_id == policy["id"] && excludes(change, &lab.service.emergency_group))
    };
    let row = lab.suggestion(fits).await;
    let card = lab.say(ADMINISTRATOR, &format!("propose S-{}", row.number)).await;
    assert!(code(&card, "Graph request").contains(&lab.service.emergency_group));

    // Something else about the policy is no attempt at it.
    let renamed = json!({"by": "Piotr Nowak", "patch": {"displayName": "CA001 renamed"}});
    lab.colleague(Method::POST, &path, renamed).await;
    lab.poll().await;
    assert!(!words(&lab.shown(row.number).await).contains("differ"));

    // The wrong group.
    let rooms = {
        let tenant = lab.service.state().tenant();
        portcullis::demo::groups::group_id(&tenant.people, tenant.groups.at("CA-TeamsRooms"))
    };
    let wrong: Vec<Value> = without.iter().map(|group| (*group).clone()).chain([json!(rooms)]).collect();
    lab.colleague(Method::POST, &path, edit(json!(wrong))).await;
    lab.poll().await;
    let card = lab.shown(row.number).await;
    let said = words(&card);
    assert!(said.contains("Changed by Piotr Nowak") && said.contains("1 field differs from this card"), "{said}");
    assert!(said.contains(&newest_record(&lab)) && said.contains("It stays open"), "{said}");
    let differs = changes(&card);
    let users = differs.iter().find(|(label, ..)| label == "Users").expect("the field that differs");
    assert!(users.1.contains("CA-BreakGlass") && users.2.contains("CA-TeamsRooms"), "{users:?}");
    assert_eq!(lab.row(row.number).await.state, "open");
    assert_eq!(cited(&lab, &card).await.len(), 1);

    // A scan in between doesn't take the card out of date, and says it no second time.
    let version = lab.app.store.approvals(lab.app.tenant()).await.unwrap()[0].version;
    lab.scan().await;
    assert_eq!(lab.app.store.approvals(lab.app.tenant()).await.unwrap()[0].version, version);

    let after: Value = serde_json::from_str(code(&card, "JSON")).unwrap();
    let right =
        after.pointer("/conditions/users/excludeGroups").expect("who is excluded, in the card's own words").clone();
    assert!(right.as_array().unwrap().contains(&emergency));
    lab.colleague(Method::POST, &path, edit(right)).await;
    lab.poll().await;
    let said = words(&lab.shown(row.number).await);
    assert!(said.contains("done as described, by Piotr Nowak"), "{said}");
}

#[tokio::test]
async fn a_new_policy_is_created_by_a_person_from_the_card() {
    let lab = hand_over().await;
    let row = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await;
    let card = lab.say(ADMINISTRATOR, &format!("propose S-{}", row.number)).await;
    assert!(words(&card).contains("I don't write to this tenant: a person creates it"), "{}", words(&card));
    let policy: Value = serde_json::from_str(code(&card, "JSON")).unwrap();
    assert_eq!(policy["state"], "enabledForReportingButNotEnforced");
    assert!(code(&card, "Graph request").starts_with("POST /v1.0/identity/conditionalAccess/policies"));
    assert!(code(&card, "PowerShell").contains("Invoke-MgGraphRequest -Method POST"));
    assert!(code(&card, "Terraform").contains("state        = \"enabledForReportingButNotEnforced\""));
    assert!(code(&card, "Ticket").contains("Enable policy: Report-only"), "{}", code(&card, "Ticket"));

    // Without the emergency access accounts it is another policy.
    let mut wrong = policy.clone();
    wrong["conditions"]["users"]["excludeGroups"] = json!([]);
    wrong["conditions"]["users"]["excludeUsers"] = json!([]);
    let made = lab.colleague(Method::POST, "policies", json!({"by": "Piotr Nowak", "policy": wrong})).await;
    lab.poll().await;
    let card = lab.shown(row.number).await;
    assert!(words(&card).contains("1 field differs from this card"), "{}", words(&card));
    let differs = changes(&card);
    assert!(differs[0].0 == "Users" && differs[0].1.contains("CA-BreakGlass"), "{differs:?}");

    // Mended, it is the one that was handed over.
    let mend = json!({"conditions": {"users": policy["conditions"]["users"]}});
    let path = format!("policies/{}", made["id"].as_str().unwrap());
    lab.colleague(Method::POST, &path, json!({"by": "Martin Okafor", "patch": mend})).await;
    lab.poll().await;
    let card = lab.shown(row.number).await;
    let said = words(&card);
    assert!(said.contains("Done as described: Martin Okafor created it in report-only"), "{said}");
    assert_eq!(cited(&lab, &card).await, [(newest_record(&lab), "Martin Okafor".to_owned())]);
    assert!(!labels(&card).contains(&"Undo"), "it isn't the bot's to take back");
    assert_eq!(lab.row(row.number).await.state, "created");

    // The finding stays while the policy is in report-only; turned On, it is resolved, again by the record.
    lab.scan().await;
    assert_eq!(lab.row(row.number).await.state, "created");
    lab.colleague(Method::POST, &path, json!({"by": "Martin Okafor", "patch": {"state": "enabled"}})).await;
    lab.scan().await;
    let said = words(&lab.shown(row.number).await);
    assert!(said.contains("the check that found it doesn't fail any more, by Martin Okafor"), "{said}");
    assert_eq!(lab.row(row.number).await.state, "resolved");
}

#[tokio::test]
async fn people_leave_a_group_one_by_one() {
    let lab = Lab::start(|_| {}).await;
    let leaves = |action: &CureAction| matches!(action, CureAction::HandOver(change) if change.members.len() > 1);
    let row = lab.suggestion(leaves).await;
    let card = lab.say(ADMINISTRATOR, &format!("propose S-{}", row.number)).await;
    let requests: Vec<&str> = code(&card, "Graph request").lines().collect();
    assert!(requests[0].starts_with("DELETE /v1.0/groups/") && requests[0].ends_with("/$ref"), "{requests:?}");
    assert!(code(&card, "Terraform").contains("azuread_group_member"));
    let owner =
        card["blocks"].as_array().unwrap().iter().flat_map(|block| block["rows"].as_array().into_iter().flatten());
    assert!(owner.into_iter().any(|row| row["label"] == "Owner"), "who owns the group");
    let CureAction::HandOver(change) = portcullis::bot::reconcile::Body::of(&row).unwrap().proposal.action else {
        panic!("a hand-over")
    };
    // Whoever is nested leaves the group that holds them.
    let holders: Vec<(String, String)> = {
        let tenant = lab.service.state().tenant();
        let analysis = lab.app.analysis().unwrap();
        let directory = &analysis.snapshot().directory;
        let group = &directory.groups[&change.target_id];
        let groups = [group].into_iter().chain(group.member_groups.iter().map(|id| &directory.groups[id]));
        let groups: Vec<_> = groups.collect();
        assert!(tenant.groups.iter().count() > 0);
        let holder = |id: &String| {
            let at = directory.user_index(id).unwrap();
            groups.iter().find(|group| group.members.contains(at)).expect("directly or one level below").id.clone()
        };
        change.members.iter().map(|id| (holder(id), id.clone())).collect()
    };
    let (last, first) = holders.split_last().unwrap();
    for (group, user) in first {
        let body = json!({"by": "Piotr Nowak", "userIds": [user]});
        lab.colleague(Method::DELETE, &format!("groups/{group}/members"), body).await;
    }
    lab.poll().await;
    let card = lab.shown(row.number).await;
    assert!(changes(&card).iter().any(|(label, _, done)| label == "Members" && done.starts_with("still in it: ")));
    let body = json!({"by": "Piotr Nowak", "userIds": [last.1]});
    lab.colleague(Method::DELETE, &format!("groups/{}/members", last.0), body).await;
    lab.poll().await;
    let said = words(&lab.shown(row.number).await);
    assert!(said.contains("done as described, by Piotr Nowak"), "{said}");
}

#[tokio::test]
async fn what_is_taken_back_before_anybody_looked_is_not_done() {
    let lab = hand_over().await;
    let row = lab.suggestion(|action| matches!(action, CureAction::HandOver(change) if turns_on(change))).await;
    let card = lab.say(ADMINISTRATOR, &format!("propose S-{}", row.number)).await;
    let id = code(&card, "Graph request").lines().next().unwrap().rsplit('/').next().unwrap().to_owned();
    let was = lab.policies_named("").into_iter().find(|policy| policy["id"] == id.as_str()).unwrap()["state"].clone();
    for state in [json!("enabled"), was] {
        let body = json!({"by": "Piotr Nowak", "patch": {"state": state}});
        lab.colleague(Method::POST, &format!("policies/{id}"), body).await;
    }
    lab.poll().await;
    let said = words(&lab.shown(row.number).await);
    assert!(!said.contains("done as described"), "{said}");
    // Any edit makes the policy young again, which ends a finding about its age; but nobody did what the card describes.
    let reason = lab.row(row.number).await.reason.unwrap_or_default();
    assert!(!reason.contains("as described"), "{reason}");
}

#[tokio::test]
async fn a_new_policy_that_is_spoilt_before_anybody_looked_differs() {
    let lab = hand_over().await;
    let row = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await;
    let card = lab.say(ADMINISTRATOR, &format!("propose S-{}", row.number)).await;
    let policy: Value = serde_json::from_str(code(&card, "JSON")).unwrap();
    let made = lab.colleague(Method::POST, "policies", json!({"by": "Piotr Nowak", "policy": policy})).await;
    let path = format!("policies/{}", made["id"].as_str().unwrap());
    let spoil = json!({"conditions": {"users": {"excludeUsers": [], "excludeGroups": []}}});
    lab.colleague(Method::POST, &path, json!({"by": "Martin Okafor", "patch": spoil})).await;
    lab.poll().await;
    let card = lab.shown(row.number).await;
    let said = words(&card);
    assert!(said.contains("Changed by Martin Okafor") && said.contains("1 field differs from this card"), "{said}");
    assert!(!said.contains("Done as described"), "{said}");
    // Deleted again, there is nothing that could be done.
    lab.colleague(Method::DELETE, &path, json!({"by": "Martin Okafor"})).await;
    lab.poll().await;
    assert_eq!(lab.row(row.number).await.state, "open");
}

#[tokio::test]
async fn a_card_that_cannot_be_compared_holds_up_no_scan() {
    let lab = hand_over().await;
    let row = lab.suggestion(|action| matches!(action, CureAction::HandOver(change) if turns_on(change))).await;
    let card = lab.say(ADMINISTRATOR, &format!("propose S-{}", row.number)).await;
    let id = code(&card, "Graph request").lines().next().unwrap().rsplit('/').next().unwrap().to_owned();
    lab.poll().await;
    let before = lab.app.analysis().unwrap().hash.clone();
    let body = json!({"by": "Piotr Nowak", "patch": {"state": "enabled"}});
    lab.colleague(Method::POST, &format!("policies/{id}"), body).await;
    lab.faults(json!({"schedule": [{"path": &format!("policies/{id}"), "times": 1000, "kind": "forbidden"}]})).await;
    lab.poll().await;
    assert_ne!(lab.app.analysis().unwrap().hash, before, "the change was scanned");
}
