//! How fast the largest tenant of the targets is kept and loaded again, and what memory it takes: `cargo bench --bench snapshot`.
//!
//! Making and keeping it is one process, loading it another, so that the peak of loading is its own. Figures:
//! `docs/performance.md`. Nothing here is a test: no figure fails a build.

#[expect(dead_code, reason = "the engine's benchmarks make other tenants of it too")]
#[path = "engine/tenant.rs"]
mod tenant;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use portcullis::engine::Model;
use portcullis::store::Store;
use portcullis::tenant::{Registration, Snapshot, Text, User};

use tenant::{LARGE, Random, random};

const TENANT: &str = "the largest";
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["keep", folder] => runtime.block_on(keep(Path::new(folder))),
        ["load", folder] => runtime.block_on(load(Path::new(folder))),
        // As cargo starts it, with arguments of its own.
        _ => {
            let folder = tempfile::tempdir().unwrap();
            for step in ["keep", "load"] {
                let mut process = std::process::Command::new(std::env::current_exe().unwrap());
                assert!(process.arg(step).arg(folder.path()).status().unwrap().success());
            }
        }
    }
}

async fn store(folder: &Path) -> Store {
    let store = Store::open(&format!("sqlite:{}", folder.join("bench.db").display())).await.unwrap();
    store.migrate().await.unwrap();
    store
}

async fn keep(folder: &Path) {
    let store = store(folder).await;
    let snapshot = Arc::new(largest());
    let directory = &snapshot.directory;
    let memberships: u64 = directory.groups.values().map(|group| group.members.len()).sum();
    println!(
        "{} users with registered methods, {} groups, {memberships} memberships, {} apps, {} policies",
        directory.users.len(),
        directory.groups.len(),
        directory.service_principals.len(),
        snapshot.policies.len(),
    );
    let begun = Instant::now();
    let kept = store.save_snapshot(snapshot).await.unwrap();
    println!("kept in {:.2} s, {} MB", begun.elapsed().as_secs_f64(), kept.size / 1_000_000);
}

async fn load(folder: &Path) {
    let store = store(folder).await;
    let begun = Instant::now();
    let kept = store.newest_snapshot(TENANT).await.unwrap().unwrap();
    let snapshot = Arc::new(store.load_snapshot(&kept.hash).await.unwrap());
    println!("loaded in {:.2} s, {}", begun.elapsed().as_secs_f64(), memory());
    assert_eq!(snapshot.directory.users.len(), LARGE.users as usize);
    let begun = Instant::now();
    let model = Model::new(snapshot);
    println!("and compiled in {:.2} s, {}", begun.elapsed().as_secs_f64(), memory());
    drop(model);
}

/// The engine's largest tenant, with what it leaves out: departments, dates, and everybody's registered methods.
fn largest() -> Snapshot {
    let mut snapshot = random(LARGE, 1);
    snapshot.tenant_id = TENANT.into();
    let random = &mut Random::new(2);
    snapshot.directory.users.iter_mut().for_each(|user| fill_in(user, random));
    let registrations = snapshot.directory.users.iter().map(|user| registration(user, random));
    snapshot.directory.registrations = registrations.map(|one| (one.user_id.clone(), one)).collect();
    snapshot
}

fn fill_in(user: &mut User, random: &mut Random) {
    let begin: Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
    let mut some_time = || Some(begin + SignedDuration::from_secs(i64::from(random.below(200_000_000))));
    user.created = some_time();
    user.last_sign_in = some_time();
    user.department = Some(Text::from(format!("Department {}", random.below(200))));
    user.synced = random.percent(80);
}

fn registration(user: &User, random: &mut Random) -> Registration {
    const METHODS: [&str; 5] =
        ["microsoftAuthenticatorPush", "softwareOneTimePasscode", "mobilePhone", "fido2SecurityKey", "email"];
    let methods = METHODS.iter().filter(|_| random.percent(40)).map(|method| Text::from(*method)).collect();
    Registration { user_id: user.id.clone(), mfa_capable: random.percent(95), passwordless_capable: false, methods }
}

/// What this process holds and the most it ever held, where the system tells (Linux).
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line =
        |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok());
    let mb = |name: &str| line(name).map_or_else(|| "?".to_owned(), |kb: u64| (kb * 1024 / 1_000_000).to_string());
    format!("{} MB resident, {} MB at most", mb("VmRSS:"), mb("VmHWM:"))
}
