//! `scripts/Export-Tenant.ps1` against the table of what is read: its addresses are served, its scopes are those that are
//! needed, its files are known, and it does nothing but read.
#![expect(clippy::unwrap_used, reason = "a helper of a test may fail it")]

mod at_demo;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use portcullis::clock::Clock;
use portcullis::demo::{Options, Seed, Service, Tenant};
use portcullis::graph::GraphError;
use portcullis::graph::client::{Ask, Client};
use portcullis::graph::endpoints::{DEVICES, GROUPS, REGISTRATIONS, RISKY_USERS, ROLES, SERVICE_PRINCIPALS, USERS};
use portcullis::graph::needs::NEEDS;
use portcullis::graph::pacing::Limit;
use portcullis::tenant::folder;
use regex::Regex;

const SCRIPT: &str = include_str!("../scripts/Export-Tenant.ps1");

/// Every match of a pattern's first group.
fn all<'a>(pattern: &str, text: &'a str) -> Vec<&'a str> {
    let pattern = Regex::new(pattern).unwrap();
    pattern.captures_iter(text).map(|found| found.get(1).unwrap().as_str()).collect()
}

/// Addresses, as they are when its variables have values.
fn addresses(group: &str) -> Vec<String> {
    let found = all(r#"['"](/(?:v1\.0|beta)/[^'"]+)['"]"#, SCRIPT).into_iter();
    let lists = ["user", "group"].map(|name| {
        let list = all(&format!(r"\${name} \+?= '([^']+)'"), SCRIPT).concat();
        assert!(list.starts_with("id,"), "{name}: {list}");
        (format!("select=${name}"), format!("select={list}"))
    });
    let values = |text: &str| {
        let text = text.replace("`$", "$").replace("$($one.id)", group).replace("$since", "2026-11-01T00:00:00Z");
        lists.iter().fold(text, |text, (variable, list)| text.replace(variable, list))
    };
    found.map(values).collect()
}

/// The path of an address, and a member of its query as a set.
fn asked<'a>(address: &'a str, member: &str) -> (&'a str, BTreeSet<&'a str>) {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let value = query.split('&').find_map(|part| part.strip_prefix(member)).unwrap_or_default();
    (path.trim_start_matches('/'), value.split(',').filter(|name| !name.is_empty()).collect())
}

/// What a list leaves out is taken for a no without a word: an app without its audience for one of other tenants.
#[test]
fn it_selects_what_the_program_selects() {
    let script = addresses("group");
    for ways in [USERS, GROUPS, SERVICE_PRINCIPALS, DEVICES, ROLES, RISKY_USERS, REGISTRATIONS] {
        for member in ["$select=", "$expand="] {
            // Security attributes take a role that an administrator rarely has.
            let ways = ways.iter().filter(|way| !way.path.contains("customSecurityAttributes"));
            let program: BTreeSet<_> = ways.map(|way| asked(way.path, member)).collect();
            let is_one = |own: &str| program.iter().any(|(path, _)| *path == own);
            let own: BTreeSet<_> =
                script.iter().map(|path| asked(path, member)).filter(|(own, _)| is_one(own)).collect();
            let everything = member == "$select=" && own.iter().all(|(_, list)| list.is_empty());
            assert!(!own.is_empty() && (own == program || everything), "{own:?} is not {program:?}");
        }
    }
}

/// Newer values come as `unknownFutureValue` otherwise, and a control that nobody can name covers nobody.
#[test]
fn it_asks_for_values_that_are_newer_than_the_api() {
    let requests: Vec<&str> = SCRIPT.lines().filter(|line| line.contains("Invoke-MgGraphRequest")).collect();
    assert!(matches!(requests[..], [one] if one.contains(" -Headers $headers ")), "{requests:?}");
    assert!(SCRIPT.contains("$headers = @{ Prefer = 'include-unknown-enum-members' }"));
}

#[test]
fn what_may_not_be_read_ends_no_more_than_its_file() {
    let (_, body) = SCRIPT.split_once("$null = New-Item").unwrap();
    // Statements begin at the left edge; blocks are indented.
    let calls = body.lines().filter(|line| line.contains("Read-") && !line.starts_with(' '));
    for line in calls.clone() {
        assert!(line.starts_with("Save '"), "{line}");
    }
    assert!(calls.count() >= 5 && !body.contains("Invoke-MgGraphRequest"));
}

#[test]
fn members_are_read_of_groups_that_hold_roles_too() {
    let (_, groups) = SCRIPT.split_once("Save 'groups' {").unwrap();
    for part in ["$read.policies.conditions.users", "$read.roles", "$read.eligible", ".principalId"] {
        assert!(groups.contains(part), "{part}");
    }
    assert!(SCRIPT.find("$read.roles = ").unwrap() < SCRIPT.find("Save 'groups'").unwrap());
}

async fn demo() -> (Service, Client) {
    let clock = Clock::system();
    let tenant = Tenant::generate(&Seed { users: 50, seed: 1, today: clock.now() });
    let told = clock.clone();
    let options = Options {
        tenant,
        port: 0,
        record_dir: std::env::var_os("PORTCULLIS_RECORD").map(Into::into),
        clock: Arc::new(move || told.now()),
    };
    let service = Service::start(options).await.unwrap();
    let client = Client::new(&at_demo::config(&service), clock).unwrap();
    (service, client)
}

#[tokio::test]
async fn every_address_is_served() {
    let (service, client) = demo().await;
    let addresses = addresses(&service.emergency_group);
    assert_eq!(addresses.len(), 25, "{addresses:#?}");
    for path in &addresses {
        assert!(!path.contains("$("), "a variable that this test doesn't know: {path}");
        let ask = Ask { path: path.trim_start_matches('/'), limit: Limit::Directory, units: 1, permission: "any" };
        let answer = client.get(ask).await;
        // Terms of use are for signed-in people, as whoever runs the script is; the demo knows apps only.
        let for_people = path.contains("termsOfUse") && matches!(answer, Err(GraphError::Forbidden { .. }));
        assert!(answer.is_ok() || for_people, "{path}: {answer:?}");
    }
}

#[test]
fn its_scopes_are_those_that_reading_needs() {
    let scopes: BTreeSet<&str> = all(r"'([A-Za-z]+\.Read[A-Za-z.]*)'", SCRIPT).into_iter().collect();
    assert!(scopes.iter().all(|scope| !scope.contains("Write")), "{scopes:?}");
    let needed = NEEDS.iter().map(|need| need.ask.permission);
    // Terms of use can be read by a person only; security attributes take a role that an administrator rarely has.
    let needed: BTreeSet<&str> = needed.chain(["Agreement.Read.All"]).collect();
    // Intune's default is one word of settings.json, which whoever runs the script can say.
    let left_out = ["CustomSecAttributeAssignment.Read.All", "DeviceManagementConfiguration.Read.All"];
    let needed: BTreeSet<&str> = needed.into_iter().filter(|scope| !left_out.contains(scope)).collect();
    assert_eq!(scopes, needed);
}

#[test]
fn its_files_are_those_of_a_tenant_folder() {
    let names = all(r"Save '(\w+)'", SCRIPT);
    let dir = tempfile::tempdir().unwrap();
    for name in names {
        std::fs::write(dir.path().join(format!("{name}.json")), "[]").unwrap();
    }
    let (_, report) = folder::read(dir.path()).unwrap();
    assert_eq!(report.unrecognised, []);
    assert_eq!(report.files.len(), 20, "{:?}", report.files);
}

/// One half of the role assignments, or one from yesterday, would be taken for all of them.
#[test]
fn role_assignments_are_kept_whole_or_not_at_all() {
    let active = SCRIPT.split("Save 'roleAssignments' {").nth(1).unwrap().split("\n}").next().unwrap();
    let (eligible, rest) = active.split_once("PremiumLicense").unwrap();
    assert!(eligible.contains("roleEligibilityScheduleInstances") && rest.contains("{ throw }"), "{active}");
    assert!(
        rest.trim_end().ends_with("($read.roles = @(Read-All '/v1.0/roleManagement/directory/roleAssignments'))"),
        "{active}"
    );
    let other = SCRIPT.split("Save 'roleEligibilityScheduleInstances' {").nth(1).unwrap();
    assert!(other.trim_start().starts_with("if ($null -eq $read.roles) { throw "), "{other}");
    let save = SCRIPT.split("function Save").nth(1).unwrap();
    assert!(save.find("Remove-Item").unwrap() < save.find("Set-Content").unwrap(), "an earlier file goes first");
}

#[test]
fn it_is_short_and_only_reads() {
    assert!(SCRIPT.lines().count() <= 80);
    assert!(SCRIPT.lines().all(|line| line.len() <= 160));
    let methods: BTreeSet<&str> = all(r"-Method (\w+)", SCRIPT).into_iter().collect();
    assert_eq!(methods, BTreeSet::from(["GET"]));
    let commands: BTreeSet<&str> = all(r"\b([A-Z]\w+-[A-Z]\w+)\b", SCRIPT).into_iter().collect();
    let known = [
        "Add-Member",
        "Connect-MgGraph",
        "ConvertTo-Json",
        "Export-Tenant",
        "ForEach-Object",
        "Get-Date",
        "Invoke-MgGraphRequest",
        "Join-Path",
        "New-Item",
        "Read-All",
        "Read-First",
        "Read-One",
        "Remove-Item",
        "Set-Content",
        "Where-Object",
        "Write-Host",
        "Write-Warning",
    ];
    assert_eq!(commands, BTreeSet::from(known));
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/Export-Tenant.ps1").exists());
}
