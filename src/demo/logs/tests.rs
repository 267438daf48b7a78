//! What the log of the default tenant must show.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::demo::activity::WINDOW_DAYS;
use crate::demo::random::days_before;
use crate::demo::tenant::{Seed, Tenant};

fn tenant(users: u32) -> Tenant {
    Tenant::generate(&Seed { users, seed: 1, today: "2026-11-24T08:30:00Z".parse().unwrap() })
}

fn all(tenant: &Tenant) -> Vec<Value> {
    let since = days_before(tenant.people.today, WINDOW_DAYS);
    tenant.sign_ins.rows(tenant, 0, since).map(|(_, row)| row).collect()
}

fn result<'a>(row: &'a Value, policy: &str) -> &'a str {
    let rows = row["appliedConditionalAccessPolicies"].as_array().unwrap();
    let found = rows.iter().find(|row| row["displayName"].as_str().unwrap().starts_with(policy));
    found.and_then(|row| row["result"].as_str()).unwrap_or("absent")
}

#[test]
fn rows_come_newest_first_and_their_ids_are_their_own() {
    let tenant = tenant(120);
    let rows = all(&tenant);
    let times: Vec<&str> = rows.iter().map(|row| row["createdDateTime"].as_str().unwrap()).collect();
    let inversions = times.windows(2).filter(|pair| pair[0] < pair[1]).count();
    assert!(inversions * 20 < times.len(), "interrupts alone may be out of order: {inversions}");
    let ids: BTreeSet<_> = rows.iter().map(|row| row["id"].to_string()).collect();
    assert_eq!(ids.len(), rows.len());
    assert_eq!(tenant.sign_ins.find(&tenant, rows[7]["id"].as_str().unwrap()), Some(rows[7].clone()));
}

#[test]
fn alice_was_blocked_three_times_by_one_policy() {
    let tenant = tenant(500);
    let rows = all(&tenant);
    let blocks: Vec<&Value> = rows
        .iter()
        .filter(|row| row["userDisplayName"] == "Alice Moreau" && row["status"]["errorCode"] == 53_000)
        .collect();
    assert_eq!(blocks.len(), 3);
    for block in &blocks {
        assert_eq!(result(block, "CA205"), "failure");
        assert_eq!(block["deviceDetail"]["displayName"], "AM-iPad");
    }
    let laptop = rows.iter().find(|row| row["createdDateTime"] == "2026-11-23T09:20:00Z").unwrap();
    assert_eq!((result(laptop, "CA205"), laptop["deviceDetail"]["displayName"].as_str()), ("success", Some("AM-LT")));
}

#[test]
fn the_faults_show_in_the_log() {
    let rows = all(&tenant(500));
    let count = |holds: &dyn Fn(&Value) -> bool| rows.iter().filter(|row| holds(row)).count();
    let succeeded = |row: &Value| row["status"]["errorCode"] == 0;
    assert!(count(&|row| row["clientAppUsed"] == "IMAP4" && succeeded(row)) > 0);
    assert!(count(&|row| row["clientAppUsed"] == "Authenticated SMTP" && succeeded(row)) > 0);
    assert!(count(&|row| row["originalTransferMethod"] == "deviceCodeFlow" && succeeded(row)) > 20);
    assert!(
        count(&|row| row["appDisplayName"] == "Nordwerk Timeclock" && row["conditionalAccessStatus"] == "notApplied")
            > 20
    );
    assert!(count(&|row| row["status"]["errorCode"] == 50_126 && row["conditionalAccessStatus"] == "notApplied") > 20);
    assert!(count(&|row| row["status"]["errorCode"] == 50_074) > 20);
    assert!(count(&|row| result(row, "CA002") == "failure") > 5);
    assert!(count(&|row| result(row, "CA512") == "reportOnlyFailure") > 5);
    assert!(count(&|row| row["isInteractive"] == false) > 100);
}

#[test]
fn an_interrupt_shares_its_correlation_with_the_end() {
    let rows = all(&tenant(200));
    let interrupt = rows.iter().find(|row| row["status"]["errorCode"] == 50_074).unwrap();
    let same = rows.iter().filter(|row| row["correlationId"] == interrupt["correlationId"]).count();
    assert!(same >= 1);
    let ended =
        rows.iter().any(|row| row["correlationId"] == interrupt["correlationId"] && row["status"]["errorCode"] == 0);
    assert!(ended || same == 1);
}

#[test]
fn a_page_starts_where_the_last_ended() {
    let tenant = tenant(60);
    let since = days_before(tenant.people.today, WINDOW_DAYS);
    let whole: Vec<(u64, Value)> = tenant.sign_ins.rows(&tenant, 0, since).collect();
    let (middle, row) = &whole[whole.len() / 2];
    assert_eq!(tenant.sign_ins.rows(&tenant, *middle, since).next().map(|(_, row)| row), Some(row.clone()));
}
