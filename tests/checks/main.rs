//! Every check: on the demo's tenant, on tenants made for it, and in the documentation.

#[path = "../at_demo/mod.rs"]
mod at_demo;
#[path = "../conforms/mod.rs"]
mod conforms;
mod edits;
mod fixtures;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use portcullis::checks::{self, CHECKS, Context, CureAction, CureKind, Finding, Threshold, Verdict};
use portcullis::clock::Clock;
use portcullis::demo::{Options, Seed, Service, Tenant};
use portcullis::engine::Model;
use portcullis::facts::{Style, Wording};
use portcullis::graph::{Client, Quiet, read_snapshot};
use portcullis::tenant::policy::PolicyState;
use portcullis::tenant::{Policy, Snapshot, read_policy};

const TODAY: &str = "2026-11-24T08:30:00Z";

async fn nordwerk() -> Arc<Snapshot> {
    let today: Timestamp = TODAY.parse().unwrap();
    let clock = Clock::fixed(today);
    let options = Options {
        tenant: Tenant::generate(&Seed { users: 500, seed: 1, today }),
        port: 0,
        record_dir: std::env::var_os("PORTCULLIS_RECORD").map(Into::into),
        clock: Arc::new({
            let clock = clock.clone();
            move || clock.now()
        }),
    };
    let service = Service::start(options).await.unwrap();
    let config = at_demo::config(&service);
    let client = Client::new(&config, clock.clone()).unwrap();
    let mut snapshot: Snapshot = read_snapshot(&client, &Quiet, None).await.unwrap();
    snapshot.settings.emergency_access.insert(service.emergency_group.clone());
    Arc::new(snapshot)
}

fn context<'a>(model: &'a Model, thresholds: &'a BTreeMap<String, f64>) -> Context<'a> {
    Context { model, hash: "h", now: TODAY.parse().unwrap(), thresholds, rows: 50 }
}

fn findings(model: &Model) -> Vec<Finding> {
    checks::run_all(&context(model, &BTreeMap::new()))
}

fn said(finding: &Finding) -> Vec<String> {
    let words = Wording::new(jiff::tz::TimeZone::UTC).unwrap();
    finding.facts.iter().map(|fact| words.of(fact, Style::Full).unwrap()).collect()
}

#[tokio::test]
async fn the_planted_faults_are_found_and_their_numbers_add_up() {
    let model = Model::new(nordwerk().await);
    let findings = findings(&model);
    let mfa = findings.iter().find(|finding| finding.check == "mfa-all-users").unwrap();
    insta::assert_snapshot!(said(mfa).join("\n"), @r#"
    No policy makes 73 people and 48 guests use MFA everywhere (of 472 enabled accounts, 2 of them emergency access); besides, 1 app leaves most accounts out.
    48 accounts reach Office 365 SharePoint Online, which CA400 – Require MFA – Guests excludes.
    29 accounts are excluded from CA200 – Require MFA – Internals by group CA-Excl-MFA-Rollout.
    For 28 accounts CA206 – Require MFA or compliant device – Field accepts something else instead: "Require one of the selected controls" (compliant device).
    For 13 accounts CA203 – Require MFA – All users on mobile asks for it only under its conditions (Device platforms).
    3 accounts are excluded from CA001 – Block legacy authentication – All users by group CA-Excl-Legacy-Mail.
    At Nordwerk Timeclock no policy asks 324 accounts for it; CA203 – Require MFA – All users on mobile leaves it out.
    local guest users, B2B collaboration guest users, B2B collaboration member users, B2B direct connect users, other external users, service provider users without an account here aren't covered either.
    "#);
}

#[tokio::test]
async fn every_fact_has_words_and_every_draft_removes_its_finding() {
    let model = Model::new(nordwerk().await);
    let words = Wording::new(jiff::tz::TimeZone::UTC).unwrap();
    let mut drafts = 0;
    for finding in findings(&model) {
        for (fact, style) in
            finding.facts.iter().flat_map(|fact| [Style::Short, Style::Full, Style::Plain].map(|style| (fact, style)))
        {
            words.of(fact, style).unwrap_or_else(|error| panic!("{}: {error}", finding.check));
        }
        for cure in &finding.cures {
            let CureAction::Draft(draft) = &cure.action else { continue };
            drafts += 1;
            let check = CHECKS.iter().find(|check| check.about().id == finding.check).unwrap();
            let after = check.run(&context(&model.with_draft_on(draft), &BTreeMap::new()));
            assert_ne!(after.verdict, Verdict::Fail, "{}: {:?}", finding.check, said(&after));
            assert_eq!(draft.state, PolicyState::ReportOnly);
        }
    }
    assert!(drafts >= 5, "{drafts}");
}

#[tokio::test]
async fn what_was_planted_is_listed() {
    let model = Model::new(nordwerk().await);
    let listed: Vec<String> = findings(&model)
        .iter()
        .filter(|finding| {
            ["overlapping-policies", "exclusion-group-growth", "report-only-age"].contains(&finding.check)
        })
        .flat_map(said)
        .collect();
    println!("{}", listed.join("\n"));
    let names = |text: &str| listed.iter().any(|line| line.contains(text));
    assert!(names("CA-Excl-MFA-Rollout") && names("CA512") && names("CA208"), "{listed:#?}");
}

#[test]
fn without_directory_data_nothing_passes_on_an_empty_scope() {
    let of = |policies: Vec<Policy>| {
        let model = Model::new(Arc::new(Snapshot { policies, ..Snapshot::default() }));
        findings(&model).into_iter().find(|finding| finding.check == "mfa-admins").unwrap()
    };
    let policy = |users: serde_json::Value| {
        let body = serde_json::json!({"id": "p", "displayName": "p", "state": "enabled",
            "conditions": {"users": users, "applications": {"includeApplications": ["All"]}},
            "grantControls": {"operator": "OR", "builtInControls": ["mfa"]}});
        read_policy(&body).unwrap()
    };
    assert_eq!(of(Vec::new()).verdict, Verdict::Fail);
    assert_eq!(of(vec![policy(serde_json::json!({"includeUsers": ["All"]}))]).verdict, Verdict::Pass);
    let roles = of(vec![policy(serde_json::json!({"includeRoles": ["62e90394-69f5-4237-9190-012177145e10"]}))]);
    assert_eq!(roles.verdict, Verdict::Review);
    assert!(roles.not_checked.iter().any(|limit| limit.contains("roleAssignments.json")), "{:?}", roles.not_checked);
}

#[test]
fn a_file_that_would_settle_a_finding_stands_in_what_was_not_checked() {
    let policy = |id: &str, conditions: serde_json::Value, control: &str| {
        let body = serde_json::json!({"id": id, "displayName": id, "state": "enabled", "conditions": conditions,
            "grantControls": {"operator": "OR", "builtInControls": [control]}});
        read_policy(&body).unwrap()
    };
    let apps = serde_json::json!({"includeApplications": ["All"]});
    let place = serde_json::json!({"users": {"includeUsers": ["All"], "excludeGroups": ["a-b"]}, "applications": apps,
        "locations": {"includeLocations": ["l-1"]}});
    let role =
        serde_json::json!({"users": {"includeRoles": ["62e90394-69f5-4237-9190-012177145e10"]}, "applications": apps});
    for policies in [Vec::new(), vec![policy("place", place, "mfa"), policy("role", role, "mfa")]] {
        let model = Model::new(Arc::new(Snapshot { policies, ..Snapshot::default() }));
        for finding in findings(&model).iter().filter(|finding| finding.verdict == Verdict::Review) {
            let (words, unchecked) = (said(finding).join(" "), finding.not_checked.join(" "));
            assert!(!unchecked.is_empty(), "{}: {words}", finding.check);
            let files = words.split([' ', '(', ')', ',', ';']).filter(|word| word.contains(".json"));
            for file in files {
                assert!(unchecked.contains(file), "{}: {file} isn't in {unchecked:?}", finding.check);
            }
        }
    }
}

/// Checks that no published framework has anything of.
const OURS: [&str; 5] =
    ["report-only-age", "microsoft-managed-policies", "policy-limit", "terms-of-use", "policy-names"];

#[test]
fn ids_and_references_are_unique() {
    let mut seen = BTreeSet::new();
    for about in CHECKS.iter().map(|check| check.about()) {
        assert!(seen.insert(about.id), "{} twice", about.id);
        let kebab = about.id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        assert!(kebab && !about.title.is_empty() && !about.rationale.is_empty(), "{}", about.id);
        let referred = !about.references.is_empty() || !about.see_also.is_empty();
        assert!(referred || OURS.contains(&about.id), "{} has no reference", about.id);
        for reference in about.references {
            let forms = ["MS.AAD.", "MT.", "CIS ", "prowler:", "ZT ", "template:"];
            assert!(forms.iter().any(|form| reference.starts_with(form)), "{reference}");
            assert!(seen.insert(reference), "{reference} twice");
        }
    }
}

/// `docs/checks.md` says what the registry says; `PORTCULLIS_BLESS=1 cargo test` writes it anew.
#[test]
fn the_documentation_is_that_of_the_registry() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/checks.md");
    let text = documentation();
    if std::env::var_os("PORTCULLIS_BLESS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == text, "docs/checks.md is out of date: run `PORTCULLIS_BLESS=1 cargo test --test checks`");
}

fn documentation() -> String {
    let mut text = String::from(
        "# Checks\n\nWhat Portcullis looks for. A check judges which sign-ins are really governed, not single policies; only a policy that is On counts.\nThis page is written from the registry in `src/checks/mod.rs` by a test.\n",
    );
    for about in CHECKS.iter().map(|check| check.about()) {
        let list = |ids: &[&str]| if ids.is_empty() { "none".to_owned() } else { ids.join(", ") };
        let severity = serde_json::to_value(about.severity).unwrap();
        let cure = match about.cure {
            CureKind::PolicyOrEdit => {
                "an edit of what exists where that does the job, otherwise a new policy in report-only"
            }
            CureKind::Edit => "a change that a person makes to what exists",
        };
        let threshold = |one: &Threshold| format!("`{}.{}` = {} ({})", about.id, one.name, one.default, one.meaning);
        let thresholds: Vec<String> = about.thresholds.iter().map(threshold).collect();
        let thresholds = thresholds.iter().map(String::as_str).collect::<Vec<_>>();
        text.push_str(&format!(
            "\n## {}\n\n`{}` · {} · needs {}\n\n{}\n\n- References: {}\n- See also: {}\n- Thresholds: {}\n- Cure: {cure}\n",
            about.title,
            about.id,
            severity.as_str().unwrap(),
            about.licence,
            about.rationale,
            list(about.references),
            list(about.see_also),
            list(&thresholds),
        ));
    }
    text + UNDECIDED
}

/// What published baselines ask for and no tenant's data says.
const UNDECIDED: &str = "
## What no check decides

- Which apps a tenant means to block, and which are too sensitive for guests (DCToolbox GLOBAL-1070 and 1080): nothing that
  is read says so. The administration portals are judged for everybody, guests too (`admin-portals-restricted`), and a
  policy that was made for such a list and still names no app is found (`policy-targets-nothing`).
- Mobile apps and desktop clients apart from browsers (GLOBAL-2060): `managed-devices` asks the same of every client. Terms
  of use (GLOBAL-2040, 2041) and service accounts (GLOBAL-1060) have their checks, `terms-of-use` and `service-accounts`.
";
