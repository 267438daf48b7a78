//! Whatever a check finds, it has words for it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use portcullis::engine::Model;
use portcullis::facts::{Evidence, Fact, Style, Wording};
use portcullis::tenant::{Snapshot, read_policy};
use serde_json::{Value, json};

/// What is said of every requirement that a check judges, by the verdict.
const OF_EACH: [&str; 5] = ["fail", "unlisted", "review", "pass", "nobody"];

/// A check that may lack what says who is in its scope can also find that nobody knows.
#[test]
fn every_area_has_the_words_that_its_check_may_ask_for() {
    let words = words_of_checks();
    let (mut areas, mut lacking) = (0, Vec::new());
    for (file, source) in sources().into_iter().filter(|(_, source)| source.contains("Asked {")) {
        let all = source.split('"').skip(1).step_by(2);
        let named = |word: &&str| source.contains(&format!("area: \"{word}\"")) || has(&words, word, "unlisted");
        let knows = source.matches("missing: ").count() == source.matches("missing: None").count();
        for area in all.filter(named) {
            areas += 1;
            let unknown = ["unknown"].into_iter().filter(|_| !knows);
            let wanted = OF_EACH.into_iter().chain(unknown).filter(|key| !has(&words, area, key));
            lacking.extend(wanted.map(|key| format!("{area}.{key} ({file})")));
        }
    }
    assert!(lacking.is_empty(), "{lacking:#?}");
    assert!(areas >= 45, "{areas} areas");
}

/// Policies alone, without a directory: one of each control, for everybody and for administrators, under some conditions.
#[test]
fn policies_alone_are_judged_in_words_whatever_they_ask_for() {
    let wording = Wording::new(jiff::tz::TimeZone::UTC).unwrap();
    let everybody = json!({"includeUsers": ["All"]});
    let administrators = json!({"includeRoles": ["62e90394-69f5-4237-9190-012177145e10"]});
    for grant in grants() {
        for (users, platforms) in [(&everybody, Value::Null), (&everybody, windows()), (&administrators, Value::Null)] {
            let policy = json!({"id": "p", "displayName": "p", "state": "enabled", "conditions": {"users": users,
                "applications": {"includeApplications": ["All"]}, "platforms": platforms}, "grantControls": grant});
            let policies = vec![read_policy(&policy).unwrap()];
            let model = Model::new(Arc::new(Snapshot { policies, ..Snapshot::default() }));
            for fact in super::findings(&model).iter().flat_map(|finding| &finding.facts) {
                wording.of(fact, Style::Full).unwrap_or_else(|error| panic!("{policy}: {error}"));
            }
        }
    }
}

fn windows() -> Value {
    json!({"includePlatforms": ["windows"]})
}

fn grants() -> Vec<Value> {
    let controls = [
        "mfa",
        "compliantDevice",
        "domainJoinedDevice",
        "approvedApplication",
        "compliantApplication",
        "passwordChange",
        "block",
    ];
    let built_in = controls.map(|control| json!({"operator": "OR", "builtInControls": [control]}));
    let strength = json!({"operator": "OR", "authenticationStrength": {"id": "00000000-0000-0000-0000-000000000004"}});
    built_in.into_iter().chain([strength]).collect()
}

fn has(words: &BTreeMap<String, BTreeMap<String, toml::Table>>, area: &str, key: &str) -> bool {
    words.get(area).is_some_and(|area| area.contains_key(key))
}

fn words_of_checks() -> BTreeMap<String, BTreeMap<String, toml::Table>> {
    let files = read_all("templates/text/checks");
    files
        .into_iter()
        .flat_map(|(file, text)| {
            let words: BTreeMap<String, BTreeMap<String, toml::Table>> =
                toml::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
            words
        })
        .collect()
}

fn sources() -> Vec<(String, String)> {
    read_all("src/checks")
}

fn read_all(folder: &str) -> Vec<(String, String)> {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
    let files = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    files
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(path).unwrap()))
        .collect()
}

/// One of a kind is one, and what Microsoft gave an id has a name though the export doesn't hold it.
#[test]
fn what_is_said_counts_and_names() {
    let strength = json!({"operator": "OR", "authenticationStrength": {"id": "00000000-0000-0000-0000-000000000002"}});
    let without = json!({"includeUsers": ["All"], "excludeRoles": ["194ae4cb-b126-40b2-bd5b-6091b380977d"]});
    let policy = json!({"id": "p", "displayName": "p", "state": "enabled", "conditions": {"users": without,
        "applications": {"includeApplications": ["All"]}}, "grantControls": strength});
    let held = json!({"principalId": "ann", "roleDefinitionId": "194ae4cb-b126-40b2-bd5b-6091b380977d",
        "directoryScopeId": "/"});
    let users = ["ann", "bob"].map(|id| json!({"id": id, "displayName": id, "accountEnabled": true}));
    let tenant = super::fixtures::tenant(&json!({"policies": [policy], "users": users, "roleAssignments": [held]}));
    let said: Vec<String> = super::findings(&Model::new(Arc::new(tenant))).iter().flat_map(super::said).collect();
    let has = |words: &str| said.iter().any(|line| line.contains(words));
    assert!(has("1 account is excluded from p by the role Security Administrator."), "{said:#?}");
    assert!(has("p asks for something weaker: authentication strength Multifactor authentication."), "{said:#?}");
    assert!(!has("ordinary sign-ins"), "{said:#?}");
    let machines = Fact::new("cause.machines_only", Evidence::default()).with("service", 0usize).with("rooms", 1usize);
    let only = Wording::new(jiff::tz::TimeZone::UTC).unwrap().of(&machines, Style::Full).unwrap();
    assert_eq!(only, "No person or guest is left out, only 1 room: a person has to judge whether that is meant.");
}

/// What is said of MFA for everybody, policies alone being known.
fn told_of_mfa(policies: &[Value]) -> Vec<String> {
    let policies = policies.iter().map(|policy| read_policy(policy).unwrap()).collect();
    let model = Model::new(Arc::new(Snapshot { policies, ..Snapshot::default() }));
    let all = super::findings(&model);
    super::said(all.iter().find(|finding| finding.check == "mfa-all-users").unwrap())
}

/// A policy for everybody and everything that asks for MFA, but for what is `more`.
fn mfa(name: &str, state: &str, more: &Value) -> Value {
    let mut conditions = json!({"clientAppTypes": ["all"], "users": {"includeUsers": ["All"]},
        "applications": {"includeApplications": ["All"]}});
    conditions.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"id": name, "displayName": name, "state": state, "conditions": conditions,
        "grantControls": {"operator": "OR", "builtInControls": ["mfa"]}})
}

#[test]
fn policies_alone_say_why_they_do_not_do() {
    let why = |policies: &[Value]| {
        let told = told_of_mfa(policies);
        assert_eq!(told[0], "Not every user is made to use MFA: some sign-ins are covered by no policy.");
        told[1..].join(" ")
    };
    let on = |more: &Value| [mfa("P", "enabled", more)];
    let apps = json!({"applications": {"includeApplications": ["All"], "excludeApplications": ["00000003-0000-0ff1-ce00-000000000000"]}});
    let guests = json!({"users": {"includeUsers": ["All"], "excludeGuestsOrExternalUsers": {
        "guestOrExternalUserTypes": "b2bCollaborationGuest", "externalTenants": {"membershipKind": "all"}}}});
    let one_app = json!({"applications": {"includeApplications": ["00000003-0000-0ff1-ce00-000000000000"]}});
    let mut either = mfa("P", "enabled", &json!({}));
    either["grantControls"]["builtInControls"] = json!(["mfa", "compliantDevice"]);
    let unread = json!({"users": {"includeUsers": ["All"], "excludeGroups": ["11111111-0000-4000-8000-000000000001"]}});
    let both = [mfa("A", "disabled", &unread), mfa("B", "disabled", &json!({}))];
    insta::assert_snapshot!([
        why(&[]),
        why(&on(&apps)),
        why(&on(&json!({"platforms": {"includePlatforms": ["iOS"]}}))),
        why(&on(&guests)),
        why(&on(&one_app)),
        why(&[either]),
        why(&[mfa("P", "enabledForReportingButNotEnforced", &json!({}))]),
        why(&both),
    ].join("\n"), @r#"
    No policy asks for it.
    P excludes SharePoint Online.
    P asks for it only under conditions (Device platforms); left open: Device platforms: unknown, Android, Windows, Windows Phone, macOS, Linux.
    P excludes B2B collaboration guest users.
    No policy asks for it; P does so for other users, at other resources or under other conditions.
    P accepts something else instead: "Require one of the selected controls" (compliant device) (Client apps: Browser, Mobile apps and desktop clients). Microsoft spares Microsoft Intune Enrollment from P.
    Only P asks for it, and it is in report-only.
    Only A and B ask for it, and they are Off.
    "#);
}

/// Whoever is an administrator wasn't read, so none is counted, and nobody need be eligible.
#[test]
fn nobody_is_called_an_administrator_whose_roles_were_not_read() {
    let users = ["ann", "bob"].map(|id| json!({"id": id, "displayName": id, "accountEnabled": true}));
    let tenant = super::fixtures::tenant(&json!({"policies": [], "users": users, "groups": []}));
    let all = super::findings(&Model::new(Arc::new(tenant)));
    let of = |check: &str| all.iter().find(|finding| finding.check == check).unwrap();
    let admins = of("phishing-resistant-admins");
    assert_eq!(super::said(admins)[0], "Not every administrator is made to use phishing-resistant MFA.");
    let eligible = of("eligible-administrators");
    assert_eq!((eligible.verdict, eligible.cures.len()), (super::Verdict::Review, 0));
    assert!(super::said(eligible)[0].starts_with("Who is eligible for a role wasn't read"), "{eligible:?}");
}
