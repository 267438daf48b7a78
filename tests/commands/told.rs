//! What the offline commands say of odd input, and where they say that it stands.

use super::*;

/// A folder of these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
    folder
}

/// One policy with this name and these members.
fn policy(name: &str, more: &str) -> String {
    serde_json::json!({"id": "p", "displayName": name, "state": "enabled",
        "conditions": {"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}}})
    .to_string()
    .replacen('{', &format!("{{{more}"), 1)
}

const MFA: &str = r#""grantControls": {"operator": "OR", "builtInControls": ["mfa"]},"#;

#[test]
fn a_member_that_stands_twice_is_named() {
    let twice = folder(&[("policies.json", &policy("P", r#""state": "disabled","#))]);
    let said = refused(&["analyze", &at(&twice)]).replace(&at(&twice), "DIR");
    assert!(
        said.contains("DIR/policies.json: expected JSON: the member \"state\" stands here twice at line 1"),
        "{said}"
    );
}

#[test]
fn a_result_of_sarif_points_to_the_files_of_its_policies() {
    let report_only = policy("P", MFA).replace("enabled", "enabledForReportingButNotEnforced");
    let folder = folder(&[("one.json", &report_only)]);
    let (log, _) = json(&["analyze", &at(&folder), "--format", "sarif"]);
    let results = log["runs"][0]["results"].as_array().unwrap().clone();
    let of = |check: &str| {
        let result = results.iter().find(|result| result["ruleId"] == check).unwrap();
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap().to_owned()
    };
    assert_eq!(of("mfa-all-users"), format!("file://{}/one.json", at(&folder)));
    assert_eq!(of("device-code-flow"), format!("file://{}", at(&folder)));
}

#[test]
fn what_nobody_sees_in_a_name_is_in_no_title() {
    let name = "P\u{1b}[31m\u{202e}x\nCA002";
    let report_only = policy(name, MFA).replace("enabled", "enabledForReportingButNotEnforced");
    let folder = folder(&[("policies.json", &report_only)]);
    let (text, _) = said(&["analyze", &at(&folder)]);
    assert!(text.contains("→ Turn on P[31mx CA002"), "{text}");
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
}

#[test]
fn session_controls_that_are_not_known_are_named() {
    let unknown = r#""sessionControls": {"moonPhase": {"isEnabled": true}},"#;
    let odd = folder(&[("policies.json", &policy("P", unknown))]);
    let (text, _) = said(&["analyze", &at(&odd)]);
    assert!(text.ends_with("Not judged: /sessionControls/moonPhase of P."), "{text}");
    let (found, _) = json(&["analyze", &at(&odd), "--format", "json"]);
    assert_eq!(found["tenant"]["notJudged"]["p"][0], "/sessionControls/moonPhase");
    let (text, _) = said(&["what-if", &at(&odd), &data("legacy-sign-in.json")]);
    let (answer, _) = json(&["what-if", &at(&odd), &data("legacy-sign-in.json"), "--format", "json"]);
    assert_eq!(answer["sessionNotDecided"]["p"][0], "/sessionControls/moonPhase");
    assert!(text.contains("Not decided is what this program doesn't know: /sessionControls/moonPhase of P."), "{text}");
}

#[test]
fn a_sign_in_of_nobody_is_not_judged() {
    let request = |identity: &str| {
        let body = format!(r#"{{"signInIdentity": {identity}, "signInContext": {{"includeApplications": ["x"]}}}}"#);
        folder(&[("request.json", &body)])
    };
    let of = |identity: &str| {
        let folder = request(identity);
        let path = folder.path().join("request.json").display().to_string();
        refused(&["what-if", &tenant(), &path]).replace(&at(&folder), "DIR").lines().last().unwrap().to_owned()
    };
    insta::assert_snapshot!([
        of(r#"{"userId": "amara@brightwater.example"}"#),
        of(r#"{"servicePrincipalId": "nobody"}"#),
        of(r##"{"@odata.type": "#microsoft.graph.martianSignIn", "userId": "x"}"##),
    ].join("\n"), @r##"
    error: DIR/request.json: /signInIdentity/userId: expected the object id of a user in users.json, found "amara@brightwater.example"
    error: DIR/request.json: /signInIdentity/servicePrincipalId: expected the object id of a service principal in servicePrincipals.json, found "nobody"
    error: DIR/request.json: /signInIdentity/@odata.type: expected #microsoft.graph.userSignIn or servicePrincipalSignIn or agentSignIn, found "#microsoft.graph.martianSignIn"
    "##);
    let whole = refused(&["what-if", &tenant(), &data("tenant/policies.json")]);
    assert!(whole.len() < 300, "a whole document is not repeated: {whole}");
}

#[test]
fn a_draft_in_a_list_of_one_is_that_draft() {
    let replay = |text: &str| {
        let folder = folder(&[("draft.json", text)]);
        let draft = folder.path().join("draft.json").display().to_string();
        said(&["replay", &tenant(), "--draft", &draft]).0
    };
    let alone = replay(&policy("P", MFA));
    assert_eq!(replay(&format!("[{}]", policy("P", MFA))), alone);
    assert_eq!(replay(&format!(r#"{{"value": [{}]}}"#, policy("P", MFA))), alone);
}

#[test]
fn guests_who_never_came_and_accounts_that_nobody_uses_are_told_apart() {
    let users = r#"[{"id": "g", "userType": "Guest", "creationType": "Invitation", "externalUserState": "PendingAcceptance"},
        {"id": "u", "signInActivity": {"lastSignInDateTime": "2001-01-01T00:00:00Z"}}]"#;
    let folder = folder(&[("policies.json", "[]"), ("users.json", users)]);
    let (text, _) = said(&["analyze", &at(&folder)]);
    let idle = "Of these, 1 guest hasn't accepted the invitation, and 1 account was not used for 90 days.";
    assert!(text.contains(idle), "{text}");
    let (answer, _) = said(&["ask", &at(&folder), "who is not covered by MFA?"]);
    assert!(answer.contains("1 signed in more than 90 days ago, 1 has a pending invitation."), "{answer}");
    let invited = users.replace("2001-01-01T00:00:00Z", "");
    fs::write(folder.path().join("users.json"), invited).unwrap();
    let (answer, _) = said(&["ask", &at(&folder), "who is not covered by MFA?"]);
    assert!(answer.contains("Of the 2: 1 never or not known, 1 has a pending invitation."), "{answer}");
    fs::write(folder.path().join("users.json"), users).unwrap();
    let (found, _) = json(&["analyze", &at(&folder), "--format", "json"]);
    let asked = &found["coverage"][0]["questions"][0]["uncovered"];
    assert_eq!((&asked["pending"], &asked["unused"]), (&1.into(), &1.into()));
}

#[test]
fn lists_have_the_mark_that_excel_looks_for() {
    let out = tempfile::tempdir().unwrap();
    said(&["report", &tenant(), "--out", &at(&out)]);
    assert!(fs::read_to_string(out.path().join("policies.csv")).unwrap().starts_with("\u{FEFF}\"Name\""));
}

#[cfg(target_os = "linux")]
#[test]
fn what_could_not_be_written_is_no_success() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.args(["what-if", &tenant(), &data("legacy-sign-in.json")]).stdout(full);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("not everything could be written"), "{}", text(&output.stderr));
}
