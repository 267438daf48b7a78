//! `what-if`: one sign-in against the policies of a folder.

use super::*;

#[test]
fn a_sign_in_test_says_the_decision_and_each_policy() {
    let (text, code) = said(&["what-if", &tenant(), &data("legacy-sign-in.json")]);
    insta::assert_snapshot!(text, @r"
    Blocked by CA002 – Block legacy authentication – All users (of 2 policies that are On). [1]

    Policy                                           Enable policy  Result   Because
    CA001 – Require MFA – All users                  On             applies  Require multifactor authentication
    CA002 – Block legacy authentication – All users  On             applies  Block access
    CA003 – Require compliant device – Staff         Report-only    applies  Require device to be marked as compliant

    [1] Blocked by CA002 – Block legacy authentication – All users (1 policy)
    ");
    assert_eq!(code, 0);
}

#[test]
fn what_a_folder_lacks_is_named_with_its_file() {
    let (text, _) = said(&["what-if", &data("tenant/policies.json"), &data("legacy-sign-in.json")]);
    let lacks = "the user's groups and roles (users.json, groups.json and roleAssignments.json would settle it)";
    assert!(text.starts_with(&format!("It depends on what was not read: {lacks}. 2 policies")), "{text}");
    assert!(text.contains(&format!("depends  {lacks}")) && !text.contains("question leaves open"), "{text}");
}

#[test]
fn of_a_folder_nothing_is_promised_that_only_a_tenant_has() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(data("tenant/policies.json"), folder.path().join("policies.json")).unwrap();
    let (card, _) = said(&["ask", &at(&folder), "create S-1"]);
    assert!(card.contains("past sign-ins were not read (signIns.json would settle it)"), "{card}");
    assert!(card.contains("nobody sees whether it is done") && card.contains("Reference: S-1."), "{card}");
    assert!(!card.contains("audit log") && !card.contains("Of 0 past") && !card.contains("Rollout"), "{card}");
    let (answer, _) = said(&["ask", &at(&folder), "who is not covered by MFA?"]);
    assert!(answer.starts_with("Not known: users.json") && !answer.contains("\n\n\n"), "{answer}");
}

#[test]
fn accounts_whose_groups_were_not_read_are_not_counted_as_made_to_use_mfa() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["policies.json", "users.json"] {
        fs::copy(data(&format!("tenant/{file}")), folder.path().join(file)).unwrap();
    }
    let (answer, _) = said(&["ask", &at(&folder), "who is not covered by MFA?"]);
    let sum = answer.lines().find(|line| line.starts_with("All enabled")).unwrap_or_default();
    assert_eq!(sum.split_whitespace().take(4).collect::<Vec<_>>(), ["All", "enabled", "6", "0"], "{answer}");
}

#[test]
fn what_nobody_could_take_for_an_export_is_not_remarked_on() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(data("tenant/policies.json"), folder.path().join("policies.json")).unwrap();
    for name in ["LICENSE", "README.md", ".gitattributes", "policies.txt"] {
        fs::write(folder.path().join(name), "words").unwrap();
    }
    let remarks = text(&run(&["what-if", &at(&folder), &data("legacy-sign-in.json")]).stderr);
    let left_out: Vec<&str> = remarks.lines().filter_map(|line| line.rsplit('/').next()).collect();
    assert_eq!(left_out, ["policies.txt: its name doesn't end in .json or .jsonl"], "{remarks}");
}

#[test]
fn the_answer_to_a_machine_has_the_shape_of_graphs_evaluate() {
    let (answer, _) = json(&["what-if", &tenant(), &data("legacy-sign-in.json"), "--format", "json"]);
    assert_eq!(answer["decision"]["block"][0], "c0000000-0000-4000-8000-000000000002");
    let applied = answer["value"].as_array().unwrap();
    assert_eq!(applied.len(), 3);
    assert!(applied.iter().all(|one| one["policyApplies"] == true && one["analysisReasons"] == "notSet"));
}

#[test]
fn session_controls_of_all_policies_are_told_together() {
    let often = |hours: u32, of: &str| {
        serde_json::json!({"persistentBrowser": {"isEnabled": true, "mode": "never"}, "signInFrequency": {"isEnabled": true,
            "type": "hours", "value": hours, "frequencyInterval": "timeBased", "authenticationType": of}})
    };
    let folder = changed(&[("policies.json", &|policies| {
        policies["value"][0]["sessionControls"] = often(4, "primaryAndSecondaryAuthentication");
        let mut second = policies["value"][0].clone();
        second["id"] = "c0000000-0000-4000-8000-000000000009".into();
        second["sessionControls"] = often(1, "secondaryAuthentication");
        policies["value"].as_array_mut().unwrap().push(second);
    })]);
    let request = folder.path().join("request.txt");
    let body = r#"{"signInIdentity": {"userId": "a0000000-0000-4000-8000-000000000002"}, "signInContext": {"includeApplications": ["x"]},
        "signInConditions": {"clientAppType": "browser"}}"#;
    fs::write(&request, body).unwrap();
    let request = request.display().to_string();
    let (text, _) = said(&["what-if", &at(&folder), &request]);
    let told = "For the session: Sign-in frequency: 4 hours, Sign-in frequency: 1 hour (secondary authentication methods only) \
        and Persistent browser session: never.";
    assert!(text.contains(told), "{text}");
    let (answer, _) = json(&["what-if", &at(&folder), &request, "--format", "json"]);
    assert_eq!(answer["session"]["persistentBrowser"]["mode"], "never");
    let hours: Vec<_> = answer["signInFrequencies"].as_array().unwrap().iter().map(|one| &one["value"]).collect();
    assert_eq!(hours, [4, 1]);
}

#[test]
fn what_a_request_leaves_open_is_none_for_graph_and_unknown_for_a_question() {
    let folder = tempfile::tempdir().unwrap();
    let request = folder.path().join("request.json");
    let body = r#"{"signInIdentity": {"userId": "a0000000-0000-4000-8000-000000000002"}, "signInContext": {"includeApplications": ["x"]}}"#;
    fs::write(&request, body).unwrap();
    let request = request.display().to_string();
    let reason = |more: &[&str]| {
        let (answer, _) = json(&[&["what-if", &tenant(), &request, "--format", "json"], more].concat());
        answer["value"][1]["analysisReasons"].clone()
    };
    assert_eq!(reason(&[]), "clientApps");
    assert_eq!(reason(&["--unstated", "unknown"]), "notEnoughInformation");
}

#[test]
fn a_request_with_a_slip_in_it_is_not_judged_as_another_sign_in() {
    let folder = tempfile::tempdir().unwrap();
    let request = folder.path().join("request.json");
    let said = |conditions: &str| {
        let body = r#"{"signInIdentity": {"userId": "x"}, "signInContext": {"includeApplications": ["x"]}, "signInConditions": "#;
        fs::write(&request, format!("{body}{conditions}}}")).unwrap();
        refused(&["what-if", &tenant(), &request.display().to_string()]).replace(&at(&folder), "DIR")
    };
    insta::assert_snapshot!(said(r#"{"country": "Brazil"}"#) + &said(r#"{"contry": "BR"}"#), @r#"
    error: DIR/request.json: /signInConditions/country: expected a two-letter country code (ISO 3166-1), found "Brazil"
    error: DIR/request.json: /signInConditions/contry: expected a member that is known there, such as country
    "#);
}

#[test]
fn the_only_policy_is_not_spoken_of_as_several() {
    let folder = changed(&[
        ("policies.json", &|policies| policies["value"].as_array_mut().unwrap().truncate(1)),
        ("policies.json", &|policies| {
            policies["value"][0]["conditions"]["clientAppTypes"] = serde_json::json!(["browser"]);
        }),
    ]);
    let (text, _) = said(&["what-if", &at(&folder), &data("legacy-sign-in.json")]);
    assert!(
        text.starts_with("They get in with a password alone: the only policy that is On asks for nothing."),
        "{text}"
    );
}

/// A folder of this one policy, and a request with these members.
fn asked(policy: &serde_json::Value, request: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut whole = serde_json::json!({"id": "p", "displayName": "P", "state": "enabled",
        "conditions": {"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}}});
    for (name, value) in policy.as_object().unwrap() {
        whole.pointer_mut("/conditions").unwrap()[name] = value.clone();
    }
    whole["grantControls"] = whole["conditions"].as_object_mut().unwrap().remove("grantControls").unwrap();
    fs::write(folder.path().join("policies.json"), serde_json::json!({ "value": [whole] }).to_string()).unwrap();
    let path = folder.path().join("request.txt");
    fs::write(&path, request).unwrap();
    let path = path.display().to_string();
    (folder, path)
}

#[test]
fn whoever_may_be_an_agent_does_not_get_in_where_agents_are_blocked() {
    let request = r#"{"signInIdentity": {"userId": "x"}, "signInContext": {"includeApplications": ["y"]}}"#;
    let block = serde_json::json!({"users": {"includeUsers": ["AllAgentIdUsers"]},
        "grantControls": {"operator": "OR", "builtInControls": ["block"]}});
    let (folder, request) = asked(&block, request);
    let (text, _) = said(&["what-if", &at(&folder), &request]);
    let open = "whether the user is an agent's account (users.json would settle it)";
    assert!(text.starts_with(&format!("It depends on what was not read: {open}. 1 policy")), "{text}");
    let (answer, _) = json(&["what-if", &at(&folder), &request, "--format", "json"]);
    assert_eq!(answer["decision"]["dependsOn"][0], "whether the user is an agent's account");
}

#[test]
fn what_cannot_be_met_is_said_of_the_client_and_of_a_guest() {
    let request = |identity: &str, client: &str| {
        format!(
            r#"{{"signInIdentity": {identity}, "signInContext": {{"includeApplications": ["y"]}}, "signInConditions": {{"clientAppType": "{client}"}}}}"#
        )
    };
    let tell = |controls: &[&str], request: &str| {
        let grant = serde_json::json!({"grantControls": {"operator": "AND", "builtInControls": controls}});
        let (folder, request) = asked(&grant, request);
        let (answer, _) = json(&["what-if", &at(&folder), &request, "--format", "json"]);
        let (text, _) = said(&["what-if", &at(&folder), &request]);
        (text.split(" [2]").next().unwrap_or_default().to_owned(), answer["cannotMeet"].clone())
    };
    let opening = "They get in if they meet everything asked for by P (of 1 policy that is On). [1] ";
    let stopped = serde_json::json!(["p"]);
    let (member, guest) = (r#"{"userId": "x"}"#, r#"{"externalUserType": "b2bCollaborationGuest"}"#);
    let legacy = format!("{opening}With that device or client they can't meet P, so they would be stopped.");
    assert_eq!(tell(&["mfa"], &request(member, "other")), (legacy, stopped.clone()));
    let external = format!("{opening}A guest can't meet P, so they would be stopped.");
    assert_eq!(tell(&["compliantApplication"], &request(guest, "browser")), (external, stopped));
    // The device wasn't stated.
    assert_eq!(tell(&["compliantDevice"], &request(member, "browser")).1, serde_json::json!([]));
}
