//! Every check on the demo's tenant.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use portcullis::checks::{self, Context, Finding};
use portcullis::clock::Clock;
use portcullis::config::{Config, Loopback};
use portcullis::demo::{Options, Seed, Service, Tenant};
use portcullis::engine::Model;
use portcullis::facts::{Style, Wording};
use portcullis::graph::{Client, Quiet, read_snapshot};
use portcullis::tenant::Snapshot;

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
    let config = Config::loopback(Loopback {
        graph: service.graph_base(),
        login: service.base_url(),
        tenant_id: &service.tenant_id,
        client_id: &service.client_id,
        client_secret: &service.client_secret,
        store: "sqlite::memory:",
    })
    .unwrap();
    let client = Client::new(&config, clock.clone()).unwrap();
    let mut snapshot: Snapshot = read_snapshot(&client, &Quiet, None).await.unwrap();
    snapshot.settings.emergency_access.insert(service.emergency_group.clone());
    Arc::new(snapshot)
}

fn findings(model: &Model) -> Vec<Finding> {
    let thresholds = BTreeMap::new();
    checks::run_all(&Context { model, hash: "h", now: TODAY.parse().unwrap(), thresholds: &thresholds })
}

fn said(finding: &Finding) -> Vec<String> {
    let words = Wording::new(jiff::tz::TimeZone::UTC).unwrap();
    finding.facts.iter().map(|fact| words.of(fact, Style::Full).unwrap()).collect()
}

#[tokio::test]
async fn the_planted_faults_are_found_and_their_numbers_add_up() {
    let model = Model::new(nordwerk().await);
    let findings = findings(&model);
    for finding in &findings {
        println!("## {} {:?}", finding.check, finding.verdict);
        said(finding).iter().for_each(|line| println!("   - {line}"));
        finding.cures.iter().for_each(|cure| println!("   > {}", cure.title));
        finding.not_checked.iter().for_each(|limit| println!("   ? {limit}"));
    }
    let mfa = findings.iter().find(|finding| finding.check == "mfa-all-users").unwrap();
    insta::assert_snapshot!(said(mfa).join("\n"), @r#"
    No policy makes 73 people use MFA (of 472 enabled accounts); besides, 1 app leaves everybody out.
    29 accounts are excluded from CA200 – Require MFA – Internals by group CA-Excl-MFA-Rollout.
    For 28 accounts CA206 – Require MFA or compliant device – Field accepts something else instead: "Require one of the selected controls" (compliantDevice).
    For 13 accounts CA203 – Require MFA – All users on mobile asks for it only under its conditions (Device platforms).
    3 accounts are excluded from CA001 – Block legacy authentication – All users by group CA-Excl-Legacy-Mail.
    For Nordwerk Timeclock no policy asks anyone for it; CA203 – Require MFA – All users on mobile leaves it out.
    "#);
}
