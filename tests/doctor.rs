//! `portcullis doctor` as a process, against the demo's tenant: each missing permission is named, and nothing else is.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test may fail it")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use portcullis::clock::Clock;
use portcullis::demo::permissions::everything;
use portcullis::demo::{Options, Seed, Service, Tenant};
use portcullis::graph::needs::NEEDS;
use serde_json::{Value, json};

const WRITE: &str = "Policy.ReadWrite.ConditionalAccess";

struct Demo {
    service: Service,
    folder: tempfile::TempDir,
}

impl Demo {
    async fn start() -> Self {
        let clock = Clock::system();
        let tenant = Tenant::generate(&Seed { users: 50, seed: 1, today: clock.now() });
        let options = Options {
            tenant,
            port: 0,
            record_dir: std::env::var_os("PORTCULLIS_RECORD").map(Into::into),
            clock: Arc::new(move || clock.now()),
        };
        Self { service: Service::start(options).await.unwrap(), folder: tempfile::tempdir().unwrap() }
    }

    /// From now on tokens lack this permission.
    fn take_away(&self, permission: &str) {
        let mut granted = everything();
        granted.remove(permission);
        *self.service.state().tokens.granted.lock().unwrap() = granted;
    }

    /// A configuration for it, with `more` at its end.
    fn config(&self, more: &str) -> std::path::PathBuf {
        let base = self.service.graph_base();
        let text = format!(
            "[tenant]\nid = '{}'\n[graph]\nclient_id = '{}'\nbase = '{base}'\nlogin_base = '{base}'\n\
             pacing = {{ conditional_access = '0s', reports = '0s', directory = '0s' }}\n\
             back_off = {{ first = '1ms', longest = '2ms', attempts = 2 }}\n\
             [store]\nurl = 'sqlite:{}'\n{more}",
            self.service.tenant_id,
            self.service.client_id,
            self.folder.path().join("p.db").display()
        );
        let file = self.folder.path().join("p.toml");
        std::fs::write(&file, text).unwrap();
        file
    }

    /// How Graph misbehaves from now on.
    async fn faults(&self, faults: &Value) {
        let url = format!("{}/demo/faults", self.service.base_url());
        let answer = reqwest::Client::builder().build().unwrap().post(url).json(faults).send().await.unwrap();
        assert!(answer.status().is_success());
    }

    async fn doctor(&self, config: &Path, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command.arg("doctor").arg("--config").arg(config).args(arguments);
        command.env("PORTCULLIS_CLIENT_SECRET", &self.service.client_secret);
        command.env("PORTCULLIS_TEAMS_APP_SECRET", &self.service.app_secret);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    async fn report(&self, more: &str) -> (i32, Value) {
        let config = self.config(more);
        let output = self.doctor(&config, &["--format", "json"]).await;
        let report = serde_json::from_slice(&output.stdout);
        (
            output.status.code().unwrap(),
            report.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr))),
        )
    }
}

/// The permissions of the steps that failed.
fn failed(report: &Value) -> BTreeSet<&str> {
    let steps = report["steps"].as_array().unwrap().iter().filter(|step| step["outcome"] == "failed");
    steps.map(|step| step["permission"].as_str().unwrap_or_default()).collect()
}

fn outcome<'a>(report: &'a Value, name: &str) -> &'a str {
    let steps = report["steps"].as_array().unwrap();
    steps.iter().find(|step| step["name"] == name).unwrap()["outcome"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_missing_permission_is_named_alone_with_where_to_consent() {
    let demo = Demo::start().await;
    let permissions: BTreeSet<&str> = NEEDS.iter().map(|need| need.ask.permission).collect();
    for missing in permissions {
        demo.take_away(missing);
        let (code, report) = demo.report("").await;
        assert_eq!((code, failed(&report)), (1, BTreeSet::from([missing])), "{report:#}");
        let todo = report["steps"].as_array().unwrap().iter().find(|step| step["outcome"] == "failed").unwrap()["todo"]
            .to_string();
        let link = format!("/{}/adminconsent?client_id={}", demo.service.tenant_id, demo.service.client_id);
        assert!(todo.contains(missing) && todo.contains(&link), "{todo}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_is_well_when_everything_is_granted_and_more_than_needed_is_said() {
    let demo = Demo::start().await;
    let (code, report) = demo.report("").await;
    assert_eq!((code, &report["ok"]), (0, &Value::Bool(true)), "{report:#}");
    assert_eq!(outcome(&report, "Writing"), "noted", "a token of hand-over mode that may write is more than is needed");
    demo.take_away(WRITE);
    let (code, report) = demo.report("").await;
    assert_eq!((code, outcome(&report, "Writing")), (0, "fine"), "{report:#}");
    let requests = demo.service.state().requests();
    assert!(requests.iter().all(|request| request["method"] == "GET"), "a doctor only reads");
    assert!(!demo.folder.path().join("p.db").exists(), "and makes no database");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_writing_identity_lacks_and_what_the_chat_and_the_model_say() {
    let demo = Demo::start().await;
    demo.take_away(WRITE);
    let (base, app) = (demo.service.graph_base(), &demo.service.app_id);
    let teams = format!("[teams]\napp_id = '{app}'\nlogin_base = '{base}'\n");
    let model = "[model]\nbase_url = 'http://127.0.0.1:9/v1'\nmodel = 'm'\nmode = 'local'\ndeadline = '200ms'\n";
    let (code, report) = demo.report(&format!("[write]\nmode = 'app'\n{teams}{model}")).await;
    assert_eq!(code, 1);
    assert_eq!(failed(&report), BTreeSet::from([WRITE, ""]), "{report:#}");
    assert_eq!((outcome(&report, "Chat"), outcome(&report, "Language model")), ("fine", "failed"));
    let federated = format!("{teams}federated_token_file = '/there/is/none'\n");
    let (_, report) = demo.report(&federated).await;
    let chat = report["steps"].as_array().unwrap().iter().find(|step| step["name"] == "Chat").unwrap();
    assert_eq!(chat["outcome"], "failed", "{chat}");
    assert!(chat["todo"].to_string().contains("teams.federated_token_file"), "{chat}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_that_cannot_be_read_is_not_well() {
    let demo = Demo::start().await;
    let section =
        |workspace: &str| format!("[log_analytics]\nworkspace = '{workspace}'\nbase = '{}'\n", demo.service.base_url());
    let (code, report) = demo.report(&section(&demo.service.state().workspace())).await;
    assert_eq!((code, outcome(&report, "Log Analytics")), (0, "fine"), "{report:#}");
    let (code, report) = demo.report(&section("00000000-0000-0000-0000-00000000dead")).await;
    assert_eq!((code, outcome(&report, "Log Analytics")), (1, "failed"), "{report:#}");
    assert_eq!(failed(&report), BTreeSet::from(["Log Analytics Reader (on the workspace)"]));
    let todo = report["steps"].as_array().unwrap().iter().find(|step| step["outcome"] == "failed").unwrap();
    assert!(todo["todo"].to_string().contains("Log Analytics Reader (on the workspace)"), "{todo}");
}

/// Where the workspace isn't sent one of its tables, the query of sign-ins takes it for empty and says nothing.
#[tokio::test(flavor = "multi_thread")]
async fn tables_of_the_workspace_that_hold_nothing_are_named_with_what_fills_them() {
    let demo = Demo::start().await;
    let (state, base) = (demo.service.state(), demo.service.base_url());
    let section = format!("[log_analytics]\nworkspace = '{}'\nbase = '{base}'\n", state.workspace());
    let step = |report: &Value| {
        let steps = report["steps"].as_array().unwrap();
        steps.iter().find(|step| step["name"] == "Log Analytics").unwrap().clone()
    };
    state.log_limit.lack(&["AADNonInteractiveUserSignInLogs"]);
    let (code, report) = demo.report(&section).await;
    let one = step(&report);
    assert_eq!((code, &one["outcome"]), (0, &"noted".into()), "{one}");
    assert!(one["says"].as_str().unwrap().contains("no non-interactive sign-ins"), "{one}");
    assert!(one["todo"].as_str().unwrap().contains("select NonInteractiveUserSignInLogs;"), "{one}");
    state.log_limit.lack(&["SigninLogs", "AADNonInteractiveUserSignInLogs"]);
    let (code, report) = demo.report(&section).await;
    let both = step(&report);
    assert_eq!((code, &both["outcome"]), (1, &"failed".into()), "without either there is no log: {both}");
    assert!(both["todo"].as_str().unwrap().contains("select SignInLogs and NonInteractiveUserSignInLogs;"), "{both}");
}

/// A tenant without Intune, a cloud without this beta: there is nothing that anybody could mend.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_tenant_cannot_be_asked_at_all_and_need_not_is_no_failure() {
    let demo = Demo::start().await;
    for (path, name) in
        [("/deviceManagement", "Intune's compliance settings"), ("/beta/auditLogs", "Non-interactive sign-ins")]
    {
        demo.faults(&json!({"schedule": [{"path": path, "times": 1_000, "kind": "notFound"}]})).await;
        let (code, report) = demo.report("").await;
        assert_eq!((code, outcome(&report, name)), (0, "noted"), "{report:#}");
    }
    demo.faults(&json!({"schedule": [{"path": "/devices", "times": 1_000, "kind": "notFound"}]})).await;
    let (code, report) = demo.report("").await;
    assert_eq!((code, outcome(&report, "Devices")), (1, "failed"), "{report:#}");
}

/// Graph creates a policy only for who may read policies too.
#[tokio::test(flavor = "multi_thread")]
async fn writing_takes_two_permissions() {
    let demo = Demo::start().await;
    demo.take_away("Policy.Read.All");
    let (code, report) = demo.report("[write]\nmode = 'app'\n").await;
    let steps = report["steps"].as_array().unwrap();
    let writing = steps.iter().find(|step| step["name"] == "Writing").unwrap();
    assert_eq!((code, &writing["outcome"], &writing["permission"]), (1, &"failed".into(), &"Policy.Read.All".into()));
    assert!(!writing["says"].to_string().contains(WRITE), "it has that one: {writing}");
}

/// A database that can't be written is said before the bot needs it; a file is where its folder should be.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_written_is_not_well() {
    let demo = Demo::start().await;
    let config = demo.config("");
    let text = std::fs::read_to_string(&config).unwrap().replace("p.db", "file/p.db");
    std::fs::write(&config, text).unwrap();
    std::fs::write(demo.folder.path().join("file"), "").unwrap();
    let output = demo.doctor(&config, &["--format", "json"]).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), outcome(&report, "Database")), (Some(1), "failed"), "{report:#}");
}

/// It is there, and good for nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_pasted_token_that_is_not_accepted_is_said() {
    let demo = Demo::start().await;
    let config = demo.config("");
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.arg("doctor").arg("--config").arg(&config).env("PORTCULLIS_GRAPH_TOKEN", "not-a-token");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("✗ Token") && !said.contains("Signed in to read"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_nothing_else_is_asked_and_no_secret_is_said() {
    let demo = Demo::start().await;
    let config = demo.config("");
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.arg("doctor").arg("--config").arg(&config).env("PORTCULLIS_CLIENT_SECRET", "a-secret-that-nobody-prints");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("✗ Token") && said.contains("AADSTS7000215") && said.contains("- Users"), "{said}");
    assert!(!said.contains("a-secret-that-nobody-prints"), "{said}");
    assert!(demo.service.state().requests().is_empty());
}
