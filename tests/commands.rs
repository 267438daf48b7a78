//! The offline commands, as a person or a script calls them: what they print and how they end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

#[path = "commands/told.rs"]
mod told;
#[path = "commands/what_if.rs"]
mod what_if;

/// The made-up tenant "Brightwater" of `tests/data/tenant`.
fn tenant() -> String {
    data("tenant")
}

fn data(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name).display().to_string()
}

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.args(arguments).env("TZ", "UTC").stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What is printed, and how it ended.
fn said(arguments: &[&str]) -> (String, i32) {
    let output = run(arguments);
    let errors = text(&output.stderr);
    assert!(output.status.code() != Some(2), "{errors}");
    (text(&output.stdout).trim_end().to_owned(), output.status.code().unwrap())
}

fn json(arguments: &[&str]) -> (Value, i32) {
    let (text, code) = said(arguments);
    (serde_json::from_str(&text).unwrap(), code)
}

/// What is said on standard error of something that can't be done; it must end with 2 and print nothing else.
fn refused(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(2), ""));
    text(&output.stderr).replace(env!("CARGO_MANIFEST_DIR"), "PROJECT")
}

/// A file of the tenant, and what is done to it.
type Edit<'a> = (&'a str, &'a dyn Fn(&mut Value));

/// A copy of the tenant with some of its files changed.
fn changed(files: &[Edit<'_>]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(tenant()).unwrap() {
        let from = entry.unwrap().path();
        fs::copy(&from, folder.path().join(from.file_name().unwrap())).unwrap();
    }
    for (name, change) in files {
        let path = folder.path().join(name);
        let mut value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut value);
        fs::write(&path, value.to_string()).unwrap();
    }
    folder
}

fn at(folder: &tempfile::TempDir) -> String {
    folder.path().display().to_string()
}

#[test]
fn a_weakened_policy_names_who_must_do_less_and_fails() {
    let weaker = changed(&[
        ("policies.json", &|policies| {
            policies["value"][0]["grantControls"]["builtInControls"] = serde_json::json!(["mfa", "compliantDevice"]);
        }),
        ("groups.json", &|groups| {
            groups["value"][1]["members"].as_array_mut().unwrap().push("a0000000-0000-4000-8000-000000000002".into());
        }),
    ]);
    let (text, code) = said(&["diff", &tenant(), &at(&weaker)]);
    insta::assert_snapshot!(text, @r"
    2 policies differ: 0 added, 0 removed, 1 edited, 1 by their members alone.

    WHO IS AFFECTED

    LOOSER: LESS IS ASKED FOR

    - 5 accounts no longer have to meet multifactor authentication everywhere: Amara Holt, Ben Sato, Chloe Marsh, Dev Patel and Erin Guest.

    WHAT CHANGED

    CA001 – Require MFA – All users: Grant.

    Grant: Require multifactor authentication → Require one of the selected controls: Require multifactor authentication, Require device to be marked as compliant

    CA002 – Block legacy authentication – All users: members of its groups or roles; no longer reaches 1.
    ");
    assert_eq!(code, 1);
    assert_eq!(said(&["diff", &at(&weaker), &tenant()]).1, 0, "stricter is fine");
    assert_eq!(said(&["diff", &at(&weaker), &tenant(), "--fail-on", "any"]).1, 1);
}

#[test]
fn a_policy_switched_off_is_weaker_where_nobody_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str, state: &str| {
        let group = r#"{"id": "p-group", "displayName": "CA200", "state": "STATE", "conditions": {"users": {"includeGroups": ["g-1"]}, "applications": {"includeApplications": ["All"]}, "clientAppTypes": ["all"]}, "grantControls": {"operator": "OR", "builtInControls": ["mfa"]}}"#;
        let file = folder.path().join(name);
        std::fs::write(&file, group.replace("STATE", state)).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let (on, off) = (at("on.json", "enabled"), at("off.json", "disabled"));
    let (text, code) = said(&["diff", &on, &off]);
    let weaker = "1 policy that was On isn't what it was: CA200. Without users in both folders nobody can tell whether \
                  somebody must do less now, so this counts as weaker.";
    assert!(text.contains(weaker), "{text}");
    assert_eq!(code, 1);
    assert_eq!(said(&["diff", &off, &on]).1, 0, "stricter is fine");
}

#[test]
fn equal_folders_differ_in_nothing() {
    let (text, code) = said(&["diff", &tenant(), &tenant(), "--fail-on", "any"]);
    assert_eq!((text.as_str(), code), ("No policy changed, and nobody is affected: 3 policies before, 3 after.", 0));
    let (found, _) = json(&["diff", &tenant(), &tenant(), "--format", "json"]);
    assert_eq!(
        found,
        serde_json::json!({
            "changes": [], "locations": [], "strengths": [], "shifts": [], "notCompared": [], "peopleListed": true
        })
    );
}

#[test]
fn a_draft_is_counted_over_past_sign_ins() {
    let draft = data("require-compliant-device.json");
    let (text, code) = said(&["replay", &tenant(), "--draft", &draft]);
    assert!(text.contains("It would have blocked 2 sign-ins: 1 person; by app: Outlook web 2."), "{text}");
    assert_eq!(code, 0);
    let (counted, _) = json(&["replay", &tenant(), "--draft", &draft, "--format", "json"]);
    assert_eq!(counted["impact"]["total"]["failure"], 2);
    assert_eq!(counted["impact"]["total"]["success"], 2);
    assert_eq!(counted["agreement"][0]["rate"], 1.0);
    assert_eq!(counted["lockout"]["anybody"], "yes");
}

#[test]
fn a_policy_of_the_folder_can_be_replayed_by_name() {
    let name = "ca003 – require compliant device – staff";
    let (counted, _) = json(&["replay", &tenant(), "--policy", name, "--format", "json"]);
    assert_eq!(counted["impact"]["users"]["a0000000-0000-4000-8000-000000000002"]["failure"], 2);
    insta::assert_snapshot!(refused(&["replay", &tenant(), "--policy", "CA9"]), @"error: no policy `CA9` in the folder; give its number, its name or its object id");
}

#[test]
fn a_policy_of_the_folder_is_found_as_in_a_question() {
    let (counted, _) = json(&["replay", &tenant(), "--policy", "CA003", "--format", "json"]);
    assert_eq!(counted["impact"]["users"]["a0000000-0000-4000-8000-000000000002"]["failure"], 2);
    insta::assert_snapshot!(refused(&["replay", &tenant(), "--policy", "all users"]), @"error: 2 policies fit `all users`: CA001 – Require MFA – All users (c0000000-0000-4000-8000-000000000001), CA002 – Block legacy authentication – All users (c0000000-0000-4000-8000-000000000002); give the object id of one");
}

/// A file as Windows PowerShell writes it.
fn in_utf16(path: PathBuf, text: &str) -> String {
    let text = format!("\u{FEFF}{text}");
    fs::write(&path, text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()).unwrap();
    path.display().to_string()
}

#[test]
fn drafts_and_requests_are_read_in_utf_16_too() {
    let folder = tempfile::tempdir().unwrap();
    let copy = |name: &str| in_utf16(folder.path().join(name), &fs::read_to_string(data(name)).unwrap());
    let (text, _) = said(&["replay", &tenant(), "--draft", &copy("require-compliant-device.json")]);
    assert!(text.contains("It would have blocked 2 sign-ins: 1 person"), "{text}");
    let (text, _) = said(&["what-if", &tenant(), &copy("legacy-sign-in.json")]);
    assert!(text.starts_with("Blocked by CA002"), "{text}");
}

#[test]
fn a_draft_that_locks_everybody_out_fails() {
    let folder = tempfile::tempdir().unwrap();
    let draft = folder.path().join("draft.json");
    let body = r#"{"displayName": "x", "state": "enabled", "conditions": {"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}}, "grantControls": {"operator": "OR", "builtInControls": ["block"]}}"#;
    fs::write(&draft, body).unwrap();
    assert_eq!(said(&["replay", &tenant(), "--draft", &draft.display().to_string()]).1, 1);
}

#[test]
fn checks_for_machines_people_and_code_scanning() {
    let (checked, code) = json(&["analyze", &tenant(), "--format", "json"]);
    assert_eq!(code, 1, "a high check fails");
    for member in ["checks", "coverage", "suggestions", "tenant"] {
        assert!(!checked[member].is_null(), "{member}");
    }
    for check in checked["checks"].as_array().unwrap() {
        for member in ["id", "title", "severity", "references", "verdict", "evidence", "notChecked"] {
            assert!(!check[member].is_null(), "{member} of {}", check["id"]);
        }
    }
    let verdict = |id: &str| {
        let all = checked["checks"].as_array().unwrap();
        all.iter().find(|check| check["id"] == id).unwrap()["verdict"].clone()
    };
    assert_eq!((verdict("mfa-all-users"), verdict("device-code-flow")), ("pass".into(), "fail".into()));

    let (log, _) = json(&["analyze", &tenant(), "--format", "sarif"]);
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), checked["checks"].as_array().unwrap().len());
    let results = run["results"].as_array().unwrap();
    let result = results.iter().find(|result| result["ruleId"] == "device-code-flow").unwrap();
    assert_eq!((result["kind"].as_str(), result["level"].as_str()), (Some("fail"), Some("error")));
    assert!(results.iter().all(|result| result["ruleId"] != "mfa-all-users"));

    let (markdown, _) = said(&["analyze", &tenant(), "--format", "markdown"]);
    assert!(markdown.contains("## Device code flow blocked\n\n**FAILS** · High"), "{markdown}");
    assert_eq!(said(&["analyze", &tenant(), "--fail-on", "never"]).1, 0);
}

#[test]
fn thresholds_of_the_folder_are_heeded_and_unknown_ones_refused() {
    let with = |name: &str, value: u64| {
        let folder = changed(&[]);
        let path = folder.path().join("settings.json");
        let mut settings: Value =
            fs::read(&path).map_or_else(|_| serde_json::json!({}), |bytes| serde_json::from_slice(&bytes).unwrap());
        settings["thresholds"] = serde_json::json!({ name: value });
        fs::write(path, settings.to_string()).unwrap();
        folder
    };
    let limit = |folder: &str| {
        let (checked, _) = json(&["analyze", folder, "--format", "json"]);
        let all = checked["checks"].as_array().unwrap();
        all.iter().find(|check| check["id"] == "policy-limit").unwrap()["verdict"].clone()
    };
    assert_eq!((limit(&tenant()), limit(&at(&with("policy-limit.most", 1)))), ("pass".into(), "fail".into()));
    let said = refused(&["analyze", &at(&with("policy-limit.mots", 1))]);
    assert!(said.contains("settings.json /thresholds/policy-limit.mots: no check has this threshold"), "{said}");
}

#[test]
fn a_file_with_a_blank_in_its_name_is_a_uri_in_sarif() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my policies ü.json");
    fs::write(&path, "[]").unwrap();
    let (log, _) = json(&["analyze", &path.display().to_string(), "--format", "sarif"]);
    let uri = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert!(uri.as_str().unwrap().ends_with("/my%20policies%20%C3%BC.json"), "{uri}");
}

#[test]
fn a_report_is_one_page_with_lists_beside_it() {
    let out = tempfile::tempdir().unwrap();
    let (text, code) = said(&["report", &tenant(), "--out", &at(&out)]);
    assert_eq!(code, 0);
    assert!(text.contains("device-code-flow-open.csv"), "{text}");
    let page = fs::read_to_string(out.path().join("report.html")).unwrap();
    for part in [
        "Device code flow blocked",
        "CA003 – Require compliant device – Staff",
        "CA-Excl-Legacy",
        "Amara Holt",
        "userRegistrationDetails.json",
        "Apart: 1 emergency access",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("<script") && !page.contains("http-equiv=\"refresh\""), "nothing in it runs or leads away");
    let list = fs::read_to_string(out.path().join("device-code-flow-open.csv")).unwrap();
    assert_eq!(list.lines().count(), 1 + 5, "{list}");
    let check = fs::read_to_string(out.path().join("check-device-code-flow.csv")).unwrap();
    assert!(check.lines().next().unwrap().contains("Kind"), "{check}");
    assert!(check.contains("emergency access") && check.lines().count() > 1 + 5, "every kind of account: {check}");
}

#[test]
fn identities_that_are_no_people_stand_among_the_exclusions() {
    let folder = changed(&[("policies.json", &|policies| {
        policies["value"].as_array_mut().unwrap().push(serde_json::json!({
            "id": "c0000000-0000-4000-8000-000000000009", "displayName": "CA090", "state": "enabled",
            "conditions": {"users": {"includeUsers": ["None"]}, "applications": {"includeApplications": ["All"]},
                "clientApplications": {"includeServicePrincipals": ["ServicePrincipalsInMyTenant"],
                    "excludeServicePrincipals": ["d0000000-0000-4000-8000-000000000002"],
                    "includeAgentIdServicePrincipals": ["All"], "excludeAgentIdServicePrincipals": ["agent-1"]}},
            "grantControls": {"operator": "OR", "builtInControls": ["block"]}}));
    })]);
    let out = tempfile::tempdir().unwrap();
    said(&["report", &at(&folder), "--out", &at(&out)]);
    let list = fs::read_to_string(out.path().join("exclusions.csv")).unwrap();
    assert!(list.contains(r#""CA090","On","Workload identity","Timesheets","""#), "{list}");
    assert!(list.contains(r#""CA090","On","Agent identity","agent-1","""#), "{list}");
}

#[test]
fn a_report_needs_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.txt");
    fs::write(&file, "notes").unwrap();
    let said = refused(&["report", &tenant(), "--out", &file.display().to_string()]).replace(&at(&folder), "DIR");
    insta::assert_snapshot!(said, @"error: --out DIR/x.txt: expected a folder, found a file");
    assert_eq!(fs::read_to_string(&file).unwrap(), "notes");
}

#[test]
fn a_machine_reads_gaps_with_conditions_and_causes_and_all_accounts() {
    let coverage = |arguments: &[&str]| -> Value {
        let (found, _) = json(&[&["analyze", &tenant(), "--format", "json"], arguments].concat());
        let all = found["coverage"].as_array().unwrap();
        all.iter().find(|one| one["check"] == "device-code-flow").unwrap().clone()
    };
    let found = coverage(&[]);
    let question = &found["questions"][0];
    assert_eq!(
        (&question["requirement"], &question["scope"]["flows"][0]),
        (&"a block".into(), &"deviceCodeFlow".into())
    );
    let gap = &question["gaps"][0];
    assert!(gap["users"].as_u64().unwrap() > 0 && gap["causes"][0]["reason"].is_string(), "{gap}");
    assert!(found.as_object().unwrap().contains_key("window"));
    let listed = gap["accounts"].as_array().map(|accounts| accounts.len() as u64);
    assert_eq!(listed, gap["users"].as_u64(), "{gap}");
    let all = coverage(&["--all"]);
    let uncovered = &all["questions"][0]["uncovered"];
    assert_eq!(uncovered["total"].as_u64(), uncovered["accounts"].as_array().map(|accounts| accounts.len() as u64));
}

#[test]
fn evidence_says_how_many_rows_there_are_and_all_of_them_are_there_if_asked_for() {
    let crowd = changed(&[("users.json", &|users| {
        let users = users.as_array_mut().unwrap();
        users.extend((0..60).map(|at| {
            let name = format!("crowd{at}@brightwater.example");
            serde_json::json!({"id": format!("c0000000-0000-4000-8000-0000000000{at:02}"), "displayName": name,
                "userPrincipalName": name, "accountEnabled": true, "userType": "Member"})
        }));
    })]);
    let evidence = |arguments: &[&str]| -> Vec<(usize, usize)> {
        let (found, _) = json(&[&["analyze", &at(&crowd), "--format", "json"], arguments].concat());
        let checks = found["checks"].as_array().unwrap().iter();
        let facts = checks.flat_map(|check| check["evidence"].as_array().unwrap());
        let count = |fact: &Value| fact["rows"].as_array().unwrap().len();
        facts.map(|fact| (count(fact), usize::try_from(fact["total"].as_u64().unwrap()).unwrap())).collect()
    };
    let (first, all) = (evidence(&[]), evidence(&["--all"]));
    assert!(first.iter().any(|(rows, total)| *rows == 50 && *total > 60), "{first:?}");
    assert!(first.iter().all(|(rows, total)| *rows == (*total).min(50)), "{first:?}");
    assert!(all.iter().all(|(rows, total)| rows == total) && all.len() == first.len(), "{all:?}");
}

#[test]
fn a_question_is_answered_from_the_folder() {
    let (text, _) = said(&["ask", &tenant(), "what does CA002 do?"]);
    assert!(text.contains("Block access") && text.contains("CA-Excl-Legacy"), "{text}");
}

#[test]
fn what_cannot_be_read_is_named_with_its_place() {
    let broken = changed(&[("policies.json", &|policies| {
        policies["value"][1]["conditions"]["users"]["excludeGroups"] = serde_json::json!(7);
    })]);
    let named = |arguments: &[&str]| refused(arguments).replace(&at(&broken), "DIR");
    let said = [
        named(&["analyze", &at(&broken)]),
        refused(&["analyze", "no-such-folder"]),
        refused(&["what-if", &tenant(), &data("require-compliant-device.json")]),
        refused(&["replay", &tenant(), "--draft", &data("legacy-sign-in.json")]),
    ];
    insta::assert_snapshot!(said.concat(), @r"
    error: DIR/policies.json /value/1/conditions/users/excludeGroups: expected an array of strings, found a number
    error: can't read no-such-folder: No such file or directory (os error 2)
    error: PROJECT/tests/data/require-compliant-device.json: /conditions: expected a member that is known there, such as signInConditions
    error: PROJECT/tests/data/legacy-sign-in.json: /conditions: expected the policy's conditions, found nothing
    ");
}

#[test]
fn every_command_explains_itself() {
    let (help, _) = said(&["--help"]);
    for command in ["demo", "serve", "analyze", "report", "ask", "what-if", "diff", "replay", "log", "migrate"] {
        assert!(help.lines().any(|line| line.trim_start().starts_with(command)), "{command}");
        let (own, _) = said(&[command, "--help"]);
        assert!(own.contains("Usage:"), "{command}");
        assert!(own.contains(&format!("  portcullis {command}")) || command == "what-if", "{command} has an example");
    }
}

#[test]
fn the_shapes_of_real_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&str, &str); 3] = [
        (
            "Pascal.json",
            r#"{"Objects": [{"Id": "p1", "DisplayName": "A", "State": "Enabled", "Conditions": {"Users": {"IncludeUsers": ["all"]}, "Applications": {"IncludeApplications": ["All"]}, "ClientAppTypes": ["All"]}, "GrantControls": {"Operator": "OR", "BuiltInControls": ["Mfa"]}}]}"#,
        ),
        (
            "graph.json",
            r#"{"value": [{"id": "p2", "displayName": "B", "state": "enabled", "conditions": {"users": {"includeUsers": ["None"]}, "applications": {"includeApplications": ["All"]}, "authenticationFlows": {"transferMethods": "deviceCodeFlow,authenticationTransfer"}, "devices": {"deviceFilter": {"mode": null, "rule": null}}, "times": null}, "grantControls": null}]}"#,
        ),
        (
            "one.json",
            r#"{"id": "p3", "displayName": "C", "state": "disabled", "conditions": {"users": {"includeUsers": ["Current administrator will be excluded"], "includeGuestsOrExternalUsers": {"guestOrExternalUserTypes": null}}, "applications": {"includeApplications": ["Office 365", "%placeholder%"]}, "authenticationFlows": {"transferMethods": ["deviceCodeFlow"]}}, "grantControls": {"operator": null, "builtInControls": ["MfaAndChangePassword"], "authenticationStrength": null}}"#,
        ),
    ];
    for (name, text) in cases {
        fs::write(PathBuf::from(folder.path()).join(name), text).unwrap();
    }
    let (checked, _) = json(&["analyze", &at(&folder), "--format", "json"]);
    assert_eq!(checked["tenant"]["policies"], 3);
}

/// The demo as a script drives it: ended with the test, however that ends.
struct Running(std::process::Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop((self.0.kill(), self.0.wait()));
    }
}

#[tokio::test]
async fn the_demos_web_chat_answers_whoever_keeps_no_cookies() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.args(["demo", "--port", "0", "--json", "--users", "50"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut demo = Running(command.stdin(Stdio::null()).spawn().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(demo.0.stdout.take().unwrap()), &mut line).unwrap();
    let web = serde_json::from_str::<Value>(&line).unwrap()["web"].as_str().unwrap().to_owned();
    let answer = reqwest::get(&web).await.unwrap();
    assert_eq!(answer.status(), 200);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let page = answer.text().await.unwrap();
    assert!(page.contains("Made-up tenant"), "{page}");
    let client = reqwest::Client::builder().build().unwrap();
    let again = client.get(&web).header("cookie", cookie).send().await.unwrap();
    assert_eq!((again.status().as_u16(), again.headers().get("set-cookie")), (200, None));
}
