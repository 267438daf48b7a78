//! Every check of the registry on tenants made for it: `tests/data/checks/<id>/<verdict>[.<what>].json`.
//!
//! A fixture is a tenant folder in one file: a member for each file of the folder. Each check needs one on which it fails
//! and one on which it passes. On one on which it fails, what it suggests has to remove the finding.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use jiff::tz::TimeZone;
use portcullis::checks::{CHECKS, Check, Context, Cure, CureAction, CureKind, Finding, HandOver, Verdict};
use portcullis::engine::Model;
use portcullis::facts::{Style, Wording};
use portcullis::suggestions::ReportOnlyPolicy;
use portcullis::suggestions::draft::needs_beta;
use portcullis::suggestions::lint::is_acceptable;
use portcullis::tenant::policy::PolicyState;
use portcullis::tenant::{Policy, Snapshot, folder, read_policy, write_policy};
use serde_json::Value;

use super::conforms::objections;

const NOW: &str = "2026-11-24T08:30:00Z";

#[test]
fn every_check_has_a_fixture_on_which_it_fails_and_one_on_which_it_passes() {
    let lacking = CHECKS.iter().flat_map(|check| {
        let id = check.about().id;
        ["fail", "pass"].map(|verdict| folder_of(id).join(format!("{verdict}.json")))
    });
    let lacking: Vec<PathBuf> = lacking.filter(|path| !path.is_file()).collect();
    assert!(lacking.is_empty(), "write these: {lacking:#?}");
}

#[test]
fn every_check_judges_its_fixtures_as_their_names_say() {
    let mut wrong = Vec::new();
    for fixture in CHECKS.iter().flat_map(|check| fixtures(*check)) {
        let finding = fixture.run(&fixture.model());
        if finding.verdict != fixture.verdict {
            wrong.push(format!("{} is {:?}: {:#?}", fixture.path.display(), finding.verdict, said(&finding)));
        }
        assert!(!finding.facts.is_empty(), "{} says nothing", fixture.path.display());
        for style in [Style::Short, Style::Full, Style::Plain] {
            finding.facts.iter().for_each(|fact| drop(words().of(fact, style).unwrap()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_check_suggests_removes_its_finding() {
    for fixture in CHECKS.iter().flat_map(|check| fixtures(*check)) {
        let model = fixture.model();
        let finding = fixture.run(&model);
        if fixture.verdict != Verdict::Fail {
            assert!(finding.cures.is_empty() || finding.verdict == Verdict::Fail, "{}", fixture.path.display());
            continue;
        }
        let place = fixture.path.display();
        assert!(!finding.cures.is_empty(), "{place}: nothing is suggested: {:?}", finding.not_checked);
        for draft in finding.cures.iter().filter_map(draft) {
            assert_eq!(draft.state, PolicyState::ReportOnly, "{place}");
            assert!(is_acceptable(draft, &model.snapshot), "{place}: {draft:#?}");
            let after = fixture.run(&model.with_draft_on(draft));
            assert_ne!(after.verdict, Verdict::Fail, "{place}, with the draft On: {:#?}", said(&after));
        }
        let edit = fixture.check.about().cure == CureKind::Edit;
        assert!(!edit || finding.cures.iter().all(|cure| draft(cure).is_none()), "{place}");
        if let Some(mended) = mended(&model.snapshot, &finding.cures) {
            let after = fixture.run(&Model::new(Arc::new(mended)));
            assert_ne!(after.verdict, Verdict::Fail, "{place}, with everything done: {:#?}", said(&after));
        }
    }
}

#[test]
fn an_exclusion_is_mended_by_an_edit_and_not_by_one_more_policy() {
    for (check, name) in [
        ("mfa-all-users", "fail.excluded-user.json"),
        ("mfa-all-users", "fail.excluded-role.json"),
        ("mfa-guests", "fail.excluded-guests.json"),
    ] {
        let check = *CHECKS.iter().find(|one| one.about().id == check).unwrap();
        let fixture = fixtures(check).into_iter().find(|one| one.path.ends_with(name)).unwrap();
        let finding = fixture.run(&fixture.model());
        let titles: Vec<&str> = finding.cures.iter().map(|cure| cure.title.as_str()).collect();
        assert!(finding.cures.iter().all(|cure| draft(cure).is_none()), "{name}: {titles:?}");
        assert!(titles.iter().any(|title| title.starts_with("Take ")), "{name}: {titles:?}");
    }
}

#[test]
fn where_the_synchronising_server_stands_is_not_checked() {
    let check = *CHECKS.iter().find(|one| one.about().id == "directory-sync-account").unwrap();
    for (name, open) in [("pass.outside-trusted.json", true), ("pass.json", false)] {
        let fixture = fixtures(check).into_iter().find(|one| one.path.ends_with(name)).unwrap();
        let limits = fixture.run(&fixture.model()).not_checked;
        assert_eq!(limits.iter().any(|limit| limit.contains("where the server stands")), open, "{name}: {limits:?}");
    }
}

#[test]
fn cover_by_a_retired_control_is_named() {
    let check = *CHECKS.iter().find(|one| one.about().id == "app-protection-mobile").unwrap();
    let told = |name: &str| {
        let fixture = fixtures(check).into_iter().find(|one| one.path.ends_with(name)).unwrap();
        said(&fixture.run(&fixture.model())).iter().any(|line| line.contains("retired on 30 June 2026"))
    };
    assert_eq!((told("pass.retired.json"), told("pass.json")), (true, false));
}

/// A draft as it is sent, and an edit of a policy laid over one that conforms.
#[test]
fn what_a_check_suggests_conforms_to_graphs_schema() {
    let (mut drafts, mut edits, mut wrong) = (0, 0, Vec::new());
    for fixture in CHECKS.iter().flat_map(|check| fixtures(*check)) {
        for cure in fixture.run(&fixture.model()).cures {
            let body =
                match &cure.action {
                    CureAction::Draft(draft) => {
                        drafts += 1;
                        let body = ReportOnlyPolicy::new(draft, &draft.display_name).unwrap().body();
                        // What only the beta knows isn't created here; v1.0 would refuse it.
                        if needs_beta(draft) {
                            assert!(!objections(&body).is_empty(), "{}", fixture.path.display());
                            continue;
                        }
                        body
                    }
                    CureAction::HandOver(change) => {
                        let Some((_, _, body)) = change.request.as_ref().filter(|(method, path, _)| {
                            method == "PATCH" && path.contains("/conditionalAccess/policies/")
                        }) else {
                            continue;
                        };
                        edits += 1;
                        let mut whole = serde_json::json!({"displayName": "p", "state": "disabled", "conditions": {}});
                        whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
                        whole
                    }
                };
            wrong.extend(objections(&body).into_iter().map(|error| format!("{}: {error}", fixture.path.display())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(drafts > 40 && edits > 20, "{drafts} drafts, {edits} edits");
}

/// A tenant made for a check, and the verdict that its name promises.
struct Fixture {
    check: &'static dyn Check,
    path: PathBuf,
    verdict: Verdict,
}

impl Fixture {
    fn model(&self) -> Model {
        Model::new(Arc::new(read(&self.path)))
    }

    fn run(&self, model: &Model) -> Finding {
        let thresholds = BTreeMap::new();
        self.check.run(&Context { model, hash: "h", now: NOW.parse().unwrap(), thresholds: &thresholds, rows: 50 })
    }
}

fn folder_of(check: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/checks").join(check)
}

fn fixtures(check: &'static dyn Check) -> Vec<Fixture> {
    let entries = fs::read_dir(folder_of(check.about().id)).map_or_else(|_| Vec::new(), |all| all.flatten().collect());
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    let fixture = |path: PathBuf| {
        let verdict = match path.file_name().unwrap().to_str().unwrap().split('.').next().unwrap() {
            "fail" => Verdict::Fail,
            "pass" => Verdict::Pass,
            "review" => Verdict::Review,
            "not-applicable" => Verdict::NotApplicable,
            other => panic!("{} begins with no verdict: {other}", path.display()),
        };
        Fixture { check, path, verdict }
    };
    paths.into_iter().map(fixture).collect()
}

/// Reads a fixture.
fn read(path: &Path) -> Snapshot {
    let text = fs::read_to_string(path).unwrap();
    tenant(&serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// A tenant from a member for each file of its folder, through the reader of tenant folders.
pub(super) fn tenant(files: &Value) -> Snapshot {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files.as_object().unwrap() {
        fs::write(folder.path().join(format!("{name}.json")), content.to_string()).unwrap();
    }
    let (snapshot, report) = folder::read(folder.path()).unwrap_or_else(|error| panic!("{files}: {error}"));
    assert!(report.unrecognised.is_empty(), "{files}: {:?}", report.unrecognised);
    snapshot
}

/// The tenants of all fixtures, with the place of each.
pub(super) fn every_tenant() -> impl Iterator<Item = (String, Snapshot)> {
    let all = CHECKS.iter().flat_map(|check| fixtures(*check));
    all.map(|fixture| (fixture.path.display().to_string(), read(&fixture.path)))
}

/// Compiled once: compiling hundreds of wordings takes a while.
fn words() -> &'static Wording {
    static WORDS: LazyLock<Wording> = LazyLock::new(|| Wording::new(TimeZone::UTC).unwrap());
    &WORDS
}

fn said(finding: &Finding) -> Vec<String> {
    let words = words();
    finding.facts.iter().map(|fact| words.of(fact, Style::Full).unwrap()).collect()
}

fn draft(cure: &Cure) -> Option<&Policy> {
    match &cure.action {
        CureAction::Draft(policy) => Some(policy),
        CureAction::HandOver(_) => None,
    }
}

/// The tenant after every suggestion was followed: drafts On, edits made. None where an edit isn't of a policy or group.
fn mended(before: &Snapshot, cures: &[Cure]) -> Option<Snapshot> {
    let mut after = before.clone();
    for cure in cures {
        match &cure.action {
            CureAction::Draft(policy) => {
                after.policies.push(Policy {
                    state: PolicyState::Enabled,
                    id: cure.title.clone(),
                    ..(**policy).clone()
                });
            }
            CureAction::HandOver(change) if change.target_kind == "Policy" && change.request.is_some() => {
                edit_policy(&mut after, change);
            }
            CureAction::HandOver(change) if change.powershell.contains("Remove-MgGroupMember") => {
                leave_group(&mut after, change);
            }
            CureAction::HandOver(_) => return None,
        }
    }
    Some(after)
}

/// Sends the request of a change to the policies: the members of the body replace those of the policy.
fn edit_policy(tenant: &mut Snapshot, change: &HandOver) {
    let Some((method, path, body)) = &change.request else { return };
    assert!(path.ends_with(&change.target_id), "{path}");
    if method == "DELETE" {
        tenant.policies.retain(|policy| policy.id != change.target_id);
        return;
    }
    let policy = tenant.policies.iter_mut().find(|policy| policy.id == change.target_id).unwrap();
    let mut value = write_policy(policy);
    for (member, new) in body.as_object().unwrap() {
        value[member] = new.clone();
    }
    *policy = Policy { id: policy.id.clone(), ..read_policy(&value).unwrap() };
}

/// Takes those out of a group, nested ones too, whom the command names.
fn leave_group(tenant: &mut Snapshot, change: &HandOver) {
    let named = |id: &str| change.powershell.contains(&format!("'{id}'"));
    let leaving = tenant.directory.users.iter().zip(0u32..).filter(|(user, _)| named(&user.id));
    let leaving: roaring::RoaringBitmap = leaving.map(|(_, index)| index).collect();
    let group = tenant.directory.groups.get_mut(&change.target_id).unwrap();
    *group.members -= &leaving;
    group.transitive = group.transitive.take().map(|members| (&*members - &leaving).into());
}
