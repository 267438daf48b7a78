//! Tenant folders as people have them: what is read, what is left out, what is an error.

use super::*;

const POLICY: &str = r#"{"id": "p1", "displayName": "A", "state": "enabled", "conditions": {}}"#;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn error(files: &[(&str, &str)]) -> String {
    let folder = folder(files);
    let error = read(folder.path()).unwrap_err().to_string();
    error.replace(&folder.path().display().to_string(), "DIR")
}

#[test]
fn a_folder_of_several_kinds() {
    let folder = folder(&[
        ("deep/policies/CA1.json", POLICY),
        ("users.json", r#"{"value": [{"id": "u2"}, {"id": "u1"}]}"#),
        ("groups.json", r#"[{"id": "g", "members": ["u2"]}]"#),
        ("signIns.jsonl", "{\"id\": \"s\", \"createdDateTime\": \"2026-11-20T10:00:00Z\", \"userId\": \"u1\"}\n"),
        ("roleEligibilityScheduleInstances.json", r#"[{"principalId": "u1", "roleDefinitionId": "r"}]"#),
        ("settings.json", r#"{"emergencyAccess": ["u1"]}"#),
        ("notes.txt", "hello"),
        ("package.json", r#"{"name": "x"}"#),
    ]);
    let (snapshot, report) = read(folder.path()).unwrap();
    assert_eq!(snapshot.directory.groups["g"].transitive.as_ref().unwrap().iter().collect::<Vec<_>>(), [1]);
    assert_eq!(snapshot.directory.role_assignments[0].assignment, Assignment::Eligible);
    assert_eq!(snapshot.settings.emergency_access.len(), 1);
    assert!(snapshot.has(Kind::SignIns) && snapshot.window.is_some());
    assert_eq!(
        snapshot.readings[&Kind::Devices],
        Reading::Absent { reason: "no file devices.json in the export".into() }
    );
    let names = report.unrecognised.iter().map(|(path, _)| path.file_name().unwrap().to_str().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), ["notes.txt", "package.json"]);
    assert!(snapshot.read_at > Timestamp::default());
}

#[test]
fn eligible_role_assignments_alone_are_not_all_of_them() {
    let eligible = ("roleEligibilityScheduleInstances.json", r#"[{"principalId": "u1", "roleDefinitionId": "r"}]"#);
    let part = folder(&[("policies.json", "[]"), eligible]);
    assert!(!read(part.path()).unwrap().0.has(Kind::RoleAssignments));
    let whole = folder(&[("policies.json", "[]"), eligible, ("roleAssignments.json", "[]")]);
    assert!(read(whole.path()).unwrap().0.has(Kind::RoleAssignments));
}

#[test]
fn apps_that_do_not_say_whose_they_are_are_not_known() {
    let known = |app: &str| {
        let folder = folder(&[("policies.json", "[]"), ("servicePrincipals.json", app)]);
        read(folder.path()).unwrap().0.has(Kind::ServicePrincipals)
    };
    assert!(!known(r#"[{"id": "s", "appId": "a", "servicePrincipalType": "Application"}]"#));
    assert!(known(r#"[{"id": "s", "appId": "a", "servicePrincipalType": "Application", "signInAudience": null}]"#));
    assert!(known(r#"[{"id": "s", "appId": "a", "servicePrincipalType": "ManagedIdentity"}]"#));
    assert!(known(r#"[{"Id": "s", "AppId": "a", "ServicePrincipalType": "Application", "SignInAudience": "x"}]"#));
}

#[test]
fn no_policies_at_all_is_valid_only_when_it_is_said() {
    let said = folder(&[("policies.json", "[]")]);
    assert!(read(said.path()).unwrap().0.has(Kind::Policies));
    let file = folder(&[("empty.json", "[]")]);
    assert!(read(&file.path().join("empty.json")).is_ok());
    assert_eq!(
        error(&[("users.json", "[]")]),
        "no Conditional Access policies in DIR; expected a file such as policies.json, which may be empty: []"
    );
    let message = error(&[("export.json", r#"[{"displayName": "A", "conditions": {}}]"#)]);
    let left_out = "left out DIR/export.json: neither its name nor its content says what it holds";
    assert!(message.ends_with(left_out), "{message}");
}

#[test]
fn an_answer_of_graph_that_is_an_error_is_told_as_one() {
    let denied = r#"{"error": {"code": "Forbidden", "message": "Insufficient privileges", "innerError": {}}}"#;
    assert_eq!(
        error(&[("policies.json", "[]"), ("users.json", denied)]),
        "DIR/users.json /error: expected what was asked of Graph, found an error of Graph (Forbidden: Insufficient privileges)"
    );
}

#[test]
fn what_is_no_tenant_data_is_left_out_whatever_it_is() {
    let foreign = r##"{"@odata.type": "#microsoft.graph.groupSetting", "id": "s"}"##;
    let unnamed = POLICY.replace("\"A\"", "\"  \"");
    let folder = folder(&[
        ("policies.json", &unnamed),
        ("groups/one.json", foreign),
        ("editor/settings.json", r#"{"editor.fontSize": 1}"#),
    ]);
    #[cfg(unix)]
    std::os::unix::fs::symlink("nowhere", folder.path().join("users.json")).unwrap();
    let (snapshot, report) = read(folder.path()).unwrap();
    assert!(!snapshot.has(Kind::Groups) && report.unrecognised.len() >= 2, "{report:?}");
    assert_eq!(snapshot.policies[0].display_name, "p1", "a policy without a name goes by its id");
}

#[test]
fn what_a_batch_returned_is_told_as_that() {
    let batch = |body: &str| format!(r#"{{"responses": [{{"id": "1", "status": 200, "body": {body}}}]}}"#);
    let said = |text: &str| error(&[("policies.json", text)]);
    assert!(said(&batch(r#"{"value": []}"#)).contains("put the body of each response into a file of its own"));
    let denied = said(&batch(r#"{"error": {"code": "Forbidden", "message": "No"}}"#));
    assert!(denied.contains("/responses/0/body/error") && denied.contains("(Forbidden: No)"), "{denied}");
    assert!(said(r#"{"value": "System.Object[]"}"#).contains("/value: expected what ConvertTo-Json cut off here"));
}

#[test]
fn errors_name_file_place_and_expectation() {
    assert_eq!(
        error(&[(
            "policies.json",
            r#"{"value": [{"state": "enabled", "conditions": {"users": {"includeUsers": 3}}}]}"#
        )]),
        "DIR/policies.json /value/0/conditions/users/includeUsers: expected an array of strings, found a number"
    );
    assert_eq!(
        error(&[("policies.json", "[{]")]),
        "DIR/policies.json: expected JSON: key must be a string at line 1 column 3"
    );
    assert!(
        error(&[("policies.json", "[]"), ("settings.json", r#"{"emergency": []}"#)])
            .contains("unknown field `emergency`")
    );
}

#[test]
fn a_page_is_not_read_as_the_whole() {
    let page = r#"{"@odata.nextLink": "https://graph.microsoft.com/next", "value": [{"id": "u1"}]}"#;
    assert_eq!(
        error(&[("policies.json", "[]"), ("users.json", page)]),
        "DIR/users.json /@odata.nextLink: expected the whole collection; follow the link to its end, put the items of all pages into one file and leave the link out, found a link to the next page"
    );
    let last = folder(&[
        ("policies.json", "[]"),
        ("users.json", &page.replace("\"https://graph.microsoft.com/next\"", "null")),
    ]);
    assert!(read(last.path()).unwrap().0.has(Kind::Users));
}

#[test]
fn one_policy_in_two_files_is_one_and_two_policies_with_one_id_are_an_error() {
    let other = POLICY.replace("enabled", "disabled");
    let same = folder(&[("a/policies.json", POLICY), ("b/policies.json", POLICY)]);
    assert_eq!(read(same.path()).unwrap().0.policies.len(), 1);
    let message = error(&[("a/policies.json", POLICY), ("b/policies.json", &other)]);
    assert_eq!(
        message,
        "DIR/a/policies.json and DIR/b/policies.json hold different policies with the id p1; keep one of them"
    );
}

#[test]
fn templates_without_ids_get_stable_ones() {
    let text = r#"[{"displayName": "A", "state": "disabled", "conditions": {}}, {"displayName": "A", "state": "disabled", "conditions": {}}]"#;
    let ids =
        || read(folder(&[("policies.json", text)]).path()).unwrap().0.policies.into_iter().map(|policy| policy.id);
    let first = ids().collect::<Vec<_>>();
    assert_ne!(first[0], first[1]);
    assert_eq!(first, ids().collect::<Vec<_>>());
}
