//! The sign-in log from a Log Analytics workspace: it tells what Graph's own log tells, whatever the size of an answer.

mod at_demo;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use portcullis::checks::{self, Context};
use portcullis::clock::Clock;
use portcullis::config::{Config, Env, LogAnalytics};
use portcullis::demo::log_analytics::Slow;
use portcullis::demo::{Options, Seed, Service, Tenant};
use portcullis::engine::Model;
use portcullis::engine::replay::Impact;
use portcullis::graph::{Client, Quiet, read_snapshot};
use portcullis::tenant::{Kind, PastSignIn, Policy, Reading, Snapshot, read_policy};

const TODAY: &str = "2026-11-24T08:30:00Z";

struct Lab {
    service: Service,
    clock: Clock,
}

impl Lab {
    async fn start() -> Self {
        let today: Timestamp = TODAY.parse().unwrap();
        let clock = Clock::fixed(today);
        let options = Options {
            tenant: Tenant::generate(&Seed { users: 60, seed: 1, today }),
            port: 0,
            record_dir: std::env::var_os("PORTCULLIS_RECORD").map(Into::into),
            clock: Arc::new({
                let clock = clock.clone();
                move || clock.now()
            }),
        };
        Self { service: Service::start(options).await.unwrap(), clock }
    }

    fn config(&self) -> Config {
        at_demo::config(&self.service)
    }

    async fn read(&self, workspace: Option<String>) -> Snapshot {
        self.read_within(workspace, (30, Duration::from_secs(30))).await
    }

    /// So many days, with this much time for a query.
    async fn read_within(&self, workspace: Option<String>, within: (u16, Duration)) -> Snapshot {
        read_snapshot(&self.client(workspace, within), &Quiet, None).await.unwrap()
    }

    fn client(&self, workspace: Option<String>, (days, timeout): (u16, Duration)) -> Client {
        let mut config = self.config();
        config.graph.log_days = days;
        config.graph.log_analytics = workspace.map(|workspace| LogAnalytics {
            workspace,
            base: self.service.base_url().parse().unwrap(),
            timeout,
        });
        Client::new(&config, self.clock.clone()).unwrap()
    }

    async fn through_workspace(&self) -> Snapshot {
        self.read(Some(self.service.state().workspace())).await
    }
}

fn draft() -> Policy {
    let body = serde_json::json!({"displayName": "x", "state": "enabledForReportingButNotEnforced",
        "conditions": {"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}},
        "grantControls": {"operator": "OR", "builtInControls": ["compliantDevice"]}});
    read_policy(&body).unwrap()
}

fn impact(snapshot: Snapshot) -> Impact {
    Model::new(Arc::new(snapshot)).impact(&draft())
}

/// Sign-ins that Graph's log tells apart: interrupts folded, failed first factors left out.
fn distinct(rows: &[PastSignIn]) -> u64 {
    let reached = rows.iter().filter(|row| !row.first_factor_failed());
    let told = reached.map(|row| {
        (
            row.user_id.clone(),
            row.correlation_id.clone(),
            row.app_id.clone(),
            row.resource_ids.first().map(ToString::to_string),
        )
    });
    u64::try_from(told.collect::<std::collections::BTreeSet<_>>().len()).unwrap()
}

fn counted(snapshot: &Snapshot) -> u64 {
    snapshot.sign_ins.iter().map(|row| row.times).sum()
}

#[tokio::test]
async fn a_workspace_tells_what_graph_tells() {
    let lab = Lab::start().await;
    let (graph, workspace) = (lab.read(None).await, lab.through_workspace().await);
    assert!(workspace.sign_ins.len() < graph.sign_ins.len(), "equal sign-ins of a day are one row");
    assert_eq!(counted(&workspace), distinct(&graph.sign_ins));
    let (ours, theirs) = (impact(workspace), impact(graph));
    assert!(theirs.total.failure > 0);
    assert_eq!(ours.total, theirs.total);
    assert_eq!(ours.users, theirs.users);
}

#[tokio::test]
async fn answers_that_are_cut_are_asked_again_in_halves() {
    let lab = Lab::start().await;
    let whole = lab.through_workspace().await;
    lab.service.state().log_limit.set(60);
    let halved = lab.through_workspace().await;
    assert_eq!(counted(&halved), counted(&whole));
    assert_eq!(impact(halved).total, impact(whole).total);
}

/// Asked again as they are they would take as long, so there is one query a slice that is too long, not one a try.
#[tokio::test]
async fn slices_that_take_too_long_are_asked_again_in_halves() {
    let lab = Lab::start().await;
    let read = || lab.read_within(Some(lab.service.state().workspace()), (1, Duration::from_secs(8)));
    let whole = read().await;
    for is_said in [true, false] {
        lab.service.state().log_limit.slow(Slow { from: SignedDuration::from_hours(12), is_said });
        let halved = read().await;
        assert_eq!(halved.readings[&Kind::SignIns], Reading::Complete { count: halved.sign_ins.len() as u64 });
        assert_eq!(counted(&halved), counted(&whole), "is_said: {is_said}");
        assert_eq!(impact(halved).total, impact(whole.clone()).total, "is_said: {is_said}");
    }
}

#[tokio::test]
async fn a_workspace_that_never_answers_in_time_is_absent_and_says_so() {
    let lab = Lab::start().await;
    lab.service.state().log_limit.slow(Slow { from: SignedDuration::ZERO, is_said: true });
    let Some(Reading::Absent { reason }) = lab.through_workspace().await.readings.remove(&Kind::SignIns) else {
        panic!("absent")
    };
    assert!(reason.contains("in time") && reason.contains("The query timed out"), "{reason}");
}

/// The service says 403 then, as it does where a role is missing.
#[tokio::test]
async fn a_token_of_the_workspace_that_is_not_accepted_any_more_is_renewed() {
    let lab = Lab::start().await;
    let client = lab.client(Some(lab.service.state().workspace()), (1, Duration::from_secs(30)));
    let read = async || read_snapshot(&client, &Quiet, None).await.unwrap();
    let before = counted(&read().await);
    lab.service.state().tokens.expire_all();
    let after = read().await;
    assert!(after.has(Kind::SignIns), "{:?}", after.readings[&Kind::SignIns]);
    assert_eq!(counted(&after), before);
}

/// The query takes a table that isn't there for an empty one, so only what was read can tell.
#[tokio::test]
async fn what_a_table_that_nothing_is_exported_to_would_hold_is_said() {
    let lab = Lab::start().await;
    let (interactive, other) = ("SigninLogs", "AADNonInteractiveUserSignInLogs");
    assert_eq!(lab.through_workspace().await.missing_sign_ins(), None);
    for (missing, said) in [
        (vec![other], "non-interactive sign-ins: the log that was read holds none"),
        (vec![interactive], "interactive sign-ins: the log that was read holds none"),
        (vec![interactive, other], "sign-ins: the log that was read holds none"),
    ] {
        lab.service.state().log_limit.lack(&missing);
        let read = lab.through_workspace().await;
        assert!(read.has(Kind::SignIns));
        assert_eq!(read.missing_sign_ins(), Some(said), "{missing:?}");
        let model = Model::new(Arc::new(read));
        assert!(model.impact(&draft()).limits.iter().any(|limit| limit == said), "an impact says so: {missing:?}");
        let now = lab.clock.now();
        let findings =
            checks::run_all(&Context { model: &model, hash: "h", now, thresholds: &BTreeMap::new(), rows: 50 });
        let age = findings.iter().find(|finding| finding.check == "report-only-age").unwrap();
        assert!(age.not_checked.iter().any(|limit| limit == said), "and so does a check: {:?}", age.not_checked);
    }
}

#[tokio::test]
async fn a_workspace_that_may_not_be_read_is_absent_with_the_remedy() {
    let lab = Lab::start().await;
    let snapshot = lab.read(Some("00000000-0000-0000-0000-00000000dead".into())).await;
    let Some(Reading::Absent { reason }) = snapshot.readings.get(&Kind::SignIns) else { panic!("absent") };
    assert!(reason.contains("workspace"), "{reason}");
}

#[test]
fn the_configuration_names_the_workspace_and_its_cloud() {
    let text = "[tenant]\nid = '00000000-1111-2222-3333-444444444444'\n[graph]\ncloud = 'usgov-l4'\nclient_id = '55555555-6666-7777-8888-999999999999'\n[log_analytics]\nworkspace = '66666666-6666-7777-8888-999999999999'\n";
    let env = Env::of(&[("PORTCULLIS_CLIENT_SECRET", "x")]);
    let config = Config::parse(text, "p.toml", &env).unwrap();
    assert_eq!(config.tenant.settings.environment, Some(portcullis::tenant::Environment::USGov));
    let workspace = config.graph.log_analytics.unwrap();
    assert_eq!(workspace.base.as_str(), "https://api.loganalytics.us/");
    assert!(workspace.timeout > Duration::from_mins(10), "the service lets a query run for ten minutes");
    let error = Config::parse(&text.replace("66666666-6666", "x"), "p.toml", &env).unwrap_err().to_string();
    assert!(error.contains("log_analytics.workspace"), "{error}");
}
