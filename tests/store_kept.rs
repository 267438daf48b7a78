//! What the store keeps when its process is killed at any moment, and whether a whole tenant comes back as it was.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a helper of a test may fail it")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use portcullis::clock::Clock;
use portcullis::log::{Action, Actor, NewEntry};
use portcullis::store::Store;
use portcullis::store::jobs::{End, NewJob, Priority};
use portcullis::tenant::{Kind, folder};
use serde_json::{Value, json};
use tempfile::TempDir;

const FILE: &str = "PORTCULLIS_TEST_STORE_FILE";
const KILLS: u32 = 12;
/// Held while a child is started: until it is another program it holds what this process has open, the lock of a store too.
static STARTING: Mutex<()> = Mutex::new(());

/// The part that is killed: keeps a job and its log entry in one transaction, then says so; does nothing by itself.
#[tokio::test]
async fn child_keeps_jobs_until_it_is_killed() {
    let Some(url) = std::env::var_os(FILE) else { return };
    let store = Store::open(url.to_str().unwrap()).await.unwrap();
    store.migrate().await.unwrap();
    loop {
        let id = uuid::Uuid::now_v7().to_string();
        let mut tx = store.begin().await.unwrap();
        tx.enqueue(&job(&id)).await.unwrap();
        tx.append(entry(&id)).await.unwrap();
        tx.commit().await.unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "kept {id}").unwrap();
        out.flush().unwrap();
    }
}

fn job(id: &str) -> NewJob {
    let due = Timestamp::UNIX_EPOCH;
    NewJob { id: id.into(), kind: "k".into(), payload: Value::Null, priority: Priority::Question, due }
}

fn entry(id: &str) -> NewEntry {
    NewEntry {
        tenant: "t".into(),
        at: Clock::system().now(),
        actor: Actor::bot(),
        action: Action::QuestionAnswered,
        subject: id.into(),
        body: Value::Null,
        evidence: Vec::new(),
    }
}

/// Starts the child, kills it `after` its first word, and returns what it had said to be kept.
fn kill(url: &str, after: Duration) -> Vec<String> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child_keeps_jobs_until_it_is_killed", "--nocapture"]).env(FILE, url);
    let starting = STARTING.lock().unwrap();
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    drop(starting);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let first = lines.find(|line| line.contains("kept ")).expect("the child keeps something");
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    let id = |line: String| Some(line.split_once("kept ")?.1.to_owned());
    // A line that was cut short by the kill was not said.
    std::iter::once(first).chain(lines).filter_map(id).filter(|id| id.len() == 36).collect()
}

#[tokio::test]
async fn what_was_said_to_be_kept_survives_a_kill() {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite://{}/p.db", folder.path().display());
    let mut said = Vec::new();
    for round in 0..KILLS {
        said.extend(kill(&url, Duration::from_millis(u64::from(round * 7 % 50))));
    }
    assert!(said.len() >= usize::try_from(KILLS).unwrap());
    let store = Store::open(&url).await.unwrap();
    let (mut kept, now) = (Vec::new(), Clock::system().now());
    while let Some(job) = store.lease(now, now + Duration::from_mins(1)).await.unwrap() {
        store.end(&job, &End::Done, now).await.unwrap();
        kept.push(job.id);
    }
    let lost: Vec<&String> = said.iter().filter(|id| !kept.contains(id)).collect();
    assert!(lost.is_empty(), "lost {lost:?}");
    let verified = store.verify_log("t").await.unwrap();
    assert_eq!(verified.first_break, None);
    assert_eq!(verified.entries, u64::try_from(kept.len()).unwrap(), "a job and its entry are kept together");
}

#[tokio::test]
async fn a_damaged_file_is_refused_not_emptied() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("p.db");
    let url = format!("sqlite://{}", file.display());
    let store = Store::open(&url).await.unwrap();
    store.migrate().await.unwrap();
    for n in 0..50 {
        store.append(entry(&n.to_string())).await.unwrap();
    }
    store.close().await;
    drop(store);
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0xA5);
    std::fs::write(&file, bytes).unwrap();
    // Whichever child was being started holds the lock no longer.
    drop(STARTING.lock().unwrap());
    let error = Store::open(&url).await.unwrap_err();
    assert!(format!("{error:#}").contains("damaged"), "{error:#}");
}

/// A tenant folder with something of many kinds.
fn tenant_folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let policy = json!({
        "id": "11111111-0000-0000-0000-000000000001", "displayName": "Require MFA ☂", "state": "enabled",
        "conditions": {
            "clientAppTypes": ["all"],
            "applications": {"includeApplications": ["All"], "excludeApplications": ["22222222-0000-0000-0000-000000000001"]},
            "users": {"includeUsers": ["All"], "excludeGroups": ["33333333-0000-0000-0000-000000000001"]},
            "locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]},
            "platforms": {"includePlatforms": ["all"], "excludePlatforms": ["iOS"]},
            "devices": {"deviceFilter": {"mode": "exclude", "rule": "device.isCompliant -eq True"}},
        },
        "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
        "sessionControls": {"signInFrequency": {"value": 4, "type": "hours", "isEnabled": true}},
    });
    let user = "44444444-0000-0000-0000-000000000001";
    let files = [
        ("policies.json", json!([policy])),
        ("users.json", json!([{"id": user, "displayName": "Alice", "userType": "Member", "accountEnabled": true}])),
        ("groups.json", json!([{"id": "33333333-0000-0000-0000-000000000001", "displayName": "G", "members": [user]}])),
        (
            "namedLocations.json",
            json!([{"@odata.type": "#microsoft.graph.ipNamedLocation", "displayName": "Office",
            "id": "55555555-0000-0000-0000-000000000001", "isTrusted": true,
            "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24"}]}]),
        ),
        (
            "signIns.json",
            json!([{"id": "s-1", "createdDateTime": "2026-11-20T08:00:00Z", "userId": user,
            "userDisplayName": "Alice", "appId": "22222222-0000-0000-0000-000000000001", "ipAddress": "203.0.113.9",
            "clientAppUsed": "Browser", "status": {"errorCode": 53000},
            "appliedConditionalAccessPolicies": [{"id": "11111111-0000-0000-0000-000000000001", "result": "failure"}]}]),
        ),
        (
            "directoryAudits.json",
            json!([{"id": "a-1", "activityDateTime": "2026-11-20T08:00:00Z",
            "activityDisplayName": "Update conditional access policy", "result": "success",
            "initiatedBy": {"user": {"id": user, "displayName": "Alice"}},
            "targetResources": [{"id": "11111111-0000-0000-0000-000000000001", "displayName": "Require MFA ☂"}]}]),
        ),
    ];
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content.to_string()).unwrap();
    }
    folder
}

#[tokio::test]
async fn a_whole_tenant_comes_back_as_it_was() {
    let (snapshot, _) = folder::read(tenant_folder().path()).unwrap();
    assert!(!snapshot.policies.is_empty() && !snapshot.sign_ins.is_empty() && !snapshot.audits.is_empty());
    let store = Store::in_memory().await.unwrap();
    let kept = store.save_snapshot(Arc::new(snapshot.clone())).await.unwrap();
    assert_eq!(kept.counts.get(&Kind::Policies), Some(&1));
    assert_eq!(store.load_snapshot(&kept.hash).await.unwrap(), snapshot);
}
