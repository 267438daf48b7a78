//! `portcullis export` as a process: the folder says what the live tenant says, with names and with pseudonyms.
#![expect(clippy::unwrap_used, reason = "a helper of a test may fail it")]

mod at_demo;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use portcullis::bot::analysis::Analysis;
use portcullis::clock::Clock;
use portcullis::config::Config;
use portcullis::demo::permissions::everything;
use portcullis::demo::{Options, Seed, Service, Tenant};
use portcullis::graph::{Client, Quiet, read_snapshot};
use portcullis::tenant::{Kind, Snapshot, folder};

const EMERGENCY: &str = "emergency_access";

async fn demo() -> Service {
    let clock = Clock::system();
    let tenant = Tenant::generate(&Seed { users: 50, seed: 1, today: clock.now() });
    let options = Options {
        tenant,
        port: 0,
        record_dir: std::env::var_os("PORTCULLIS_RECORD").map(Into::into),
        clock: Arc::new(move || clock.now()),
    };
    Service::start(options).await.unwrap()
}

fn config(service: &Service) -> Config {
    let mut config = at_demo::config(service);
    config.tenant.settings.emergency_access = [service.emergency_group.clone()].into();
    config
}

async fn export(service: &Service, dir: &Path, arguments: &[&str]) -> String {
    export_with(service, dir, ("", arguments)).await
}

/// With `more` at the end of the configuration.
async fn export_with(service: &Service, dir: &Path, (more, arguments): (&str, &[&str])) -> String {
    let base = service.graph_base();
    let file = dir.with_extension("toml");
    let text = format!(
        "[tenant]\nid = '{}'\n{EMERGENCY} = ['{}']\n[graph]\nclient_id = '{}'\nbase = '{base}'\nlogin_base = '{base}'\n\
         pacing = {{ conditional_access = '0s', reports = '0s', directory = '0s' }}\n{more}",
        service.tenant_id, service.emergency_group, service.client_id
    );
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.arg("export").arg("--config").arg(file).arg(dir).args(arguments);
    command.env("PORTCULLIS_CLIENT_SECRET", &service.client_secret);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What every check says of a snapshot: its verdict, its counts, and how many cures it has.
fn verdicts(snapshot: Snapshot) -> BTreeMap<&'static str, String> {
    let now = Clock::system().now();
    let analysis = Analysis::of(Arc::new(snapshot), String::new(), &BTreeMap::new(), now);
    let one = |finding: &portcullis::checks::Finding| {
        let totals: Vec<u64> = finding.facts.iter().map(|fact| fact.evidence.total).collect();
        (finding.check, format!("{:?} {totals:?} {} cures", finding.verdict, finding.cures.len()))
    };
    analysis.findings.iter().map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_says_what_the_live_tenant_says() {
    let service = demo().await;
    let client = Client::new(&config(&service), Clock::system()).unwrap();
    let live = verdicts(read_snapshot(&client, &Quiet, None).await.unwrap());
    assert!(live.values().any(|told| told.starts_with("Fail")) && live.values().any(|told| told.starts_with("Pass")));
    let folders = tempfile::tempdir().unwrap();
    for (name, arguments) in [("plain", &[][..]), ("hidden", &["--pseudonyms"][..])] {
        let dir = folders.path().join(name);
        export(&service, &dir, arguments).await;
        let (snapshot, report) = folder::read(&dir).unwrap();
        assert_eq!(report.unrecognised, [], "{name}");
        let (mut told, mut expected) = (verdicts(snapshot), live.clone());
        if name == "hidden" {
            // How policies are named is what pseudonyms hide.
            for verdicts in [&mut told, &mut expected] {
                verdicts.remove("policy-names");
            }
        }
        assert_eq!(told, expected, "{name}");
    }
}

/// Names of people and groups, and addresses, of the live tenant.
async fn names(service: &Service) -> Vec<String> {
    let snapshot = read_snapshot(&Client::new(&config(service), Clock::system()).unwrap(), &Quiet, None).await.unwrap();
    let people = snapshot.directory.users.iter();
    let names = people.flat_map(|user| [user.display_name.to_string(), user.user_principal_name.to_string()]);
    let groups = snapshot.directory.groups.values().map(|group| group.display_name.clone());
    let policies = snapshot.policies.iter().map(|policy| policy.display_name.clone());
    // Departments are judged by rules of groups, so they stay, and so does the name of a group that is called the same.
    let departments: BTreeSet<&str> =
        snapshot.directory.users.iter().filter_map(|user| user.department.as_deref()).collect();
    let names = names.chain(groups).chain(policies).filter(|name| !departments.contains(name.as_str()));
    // Names of Microsoft's own policies keep their beginning, so they are looked for by their rest.
    let rest = names.map(|name| name.trim_start_matches("Microsoft-managed: ").to_owned());
    rest.filter(|name| name.chars().count() > 5).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_is_left_and_a_key_makes_pseudonyms_stable() {
    let service = demo().await;
    let folders = tempfile::tempdir().unwrap();
    let key = folders.path().join("key");
    std::fs::write(&key, "a key that is long enough").unwrap();
    let read = |dir: &Path| -> BTreeMap<String, String> {
        let files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
        files
            .map(|file| (file.file_name().into_string().unwrap(), std::fs::read_to_string(file.path()).unwrap()))
            .collect()
    };
    let arguments = ["--pseudonyms", "--pseudonym-key", key.to_str().unwrap()];
    let (one, two, other) = ("one", "two", "other");
    for (name, arguments) in [(one, &arguments[..]), (two, &arguments[..]), (other, &arguments[..1])] {
        export(&service, &folders.path().join(name), arguments).await;
    }
    let [one, two, other] = [one, two, other].map(|name| read(&folders.path().join(name)));
    assert_eq!(one["users.json"], two["users.json"]);
    assert_ne!(one["users.json"], other["users.json"]);
    let names = names(&service).await;
    assert!(names.len() > 120);
    for (file, text) in &one {
        let left: Vec<&String> = names.iter().filter(|name| text.contains(name.as_str())).collect();
        assert!(left.is_empty(), "{file} still holds {left:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_read_is_no_file_and_is_said() {
    let service = demo().await;
    let folders = tempfile::tempdir().unwrap();
    let dir = folders.path().join("export");
    export(&service, &dir, &[]).await;
    let mut granted = everything();
    granted.remove("Device.Read.All");
    *service.state().tokens.granted.lock().unwrap() = granted;
    let said = export(&service, &dir, &[]).await;
    assert!(said.contains("-  devices: ") && said.contains("Device.Read.All"), "{said}");
    assert!(!folder::read(&dir).unwrap().0.has(Kind::Devices), "nor one of an earlier export");
    let hidden = std::fs::read_dir(&dir)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with('.'));
    assert_eq!(hidden.count(), 0, "no part of a file is left behind");
}

/// Whoever is eligible for a role is an administrator too, so one half of the assignments would be taken for all.
#[tokio::test(flavor = "multi_thread")]
async fn active_and_eligible_roles_are_both_there_or_neither() {
    let service = demo().await;
    let folders = tempfile::tempdir().unwrap();
    for (path, file) in [("/roleEligibilitySchedule", "roleAssignments"), ("/roleAssignment", "roleEligibility")] {
        let faults = serde_json::json!({"failRate": 1.0, "kind": "forbidden", "path": path});
        service.state().faults().clone_from(&serde_json::from_value(faults).unwrap());
        let dir = folders.path().join(file);
        let said = export(&service, &dir, &[]).await;
        assert!(said.contains(&format!("-  {file}")) && said.contains("RoleManagement.Read.Directory"), "{said}");
        let snapshot = folder::read(&dir).unwrap().0;
        assert!(!snapshot.has(Kind::RoleAssignments) && snapshot.has(Kind::RoleDefinitions), "{path} is refused");
        assert_eq!(snapshot.directory.role_assignments.len(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sign_in_log_comes_from_where_a_reading_has_it() {
    let service = demo().await;
    let mut live = config(&service);
    let (workspace, base) = (service.state().workspace(), service.base_url().to_owned());
    live.graph.log_analytics = Some(portcullis::config::LogAnalytics {
        workspace: workspace.clone(),
        base: base.parse().unwrap(),
        timeout: live.graph.timeout,
    });
    let live = read_snapshot(&Client::new(&live, Clock::system()).unwrap(), &Quiet, None).await.unwrap();
    let folders = tempfile::tempdir().unwrap();
    let dir = folders.path().join("export");
    let section = format!("[log_analytics]\nworkspace = '{workspace}'\nbase = '{base}'\n");
    export_with(&service, &dir, (&section, &[])).await;
    let exported = folder::read(&dir).unwrap().0;
    let counted = |snapshot: &Snapshot| snapshot.sign_ins.iter().map(|row| row.times).sum::<u64>();
    assert!(exported.sign_ins.iter().any(|row| row.times > 1), "stories, not rows");
    assert_eq!(counted(&exported), counted(&live));
    assert_eq!(exported.sign_ins.len(), live.sign_ins.len());
    let asked = service.state().requests().iter().any(|request| request["path"].to_string().contains("/signIns"));
    assert!(!asked, "Graph's own log");
}
