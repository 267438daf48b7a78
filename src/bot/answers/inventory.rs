//! "How many guests do we have?": the accounts and devices themselves, which no count of sign-ins answers.

use roaring::RoaringBitmap;

use crate::bot::answer::{Answer, Part, ask, column};
use crate::bot::intent::SlotName;
use crate::bot::intent::text::folded;
use crate::checks::accounts::Accounts;
use crate::checks::rows;
use crate::facts::{Fact, Term};
use crate::tenant::{Device, Kind, User};

use super::{Asked, administrators, named, period, unread};

/// How many accounts a table names.
const SHOWN: usize = 10;

/// Answers where a question counts devices or guests, or wants the accounts that haven't signed in for long.
pub(super) fn told(asked: Asked<'_>) -> Option<Answer> {
    let text = folded(&asked.words());
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let counts =
        has(&["how many", "number of", "count of", "do we have"]) && !has(&["sign", "log in", "logged in", "use "]);
    let absent = has(&[
        "no sign-in",
        "not signed in",
        "haven't signed in",
        "havent signed in",
        "hasn't signed in",
        "hasnt signed in",
        "didn't sign in",
        "didnt sign in",
        "did not sign in",
        "inactive",
        "dormant",
        "unused account",
        "without a sign-in",
        "never signed in",
    ]) && !has(&["without mfa", "device"]);
    if administrators::are_meant(&text) {
        Some(administrators::told(asked))
    } else if counts && has(&["device"]) {
        Some(devices(asked))
    } else if counts && has(&["guest", "external user"]) {
        Some(guests(asked))
    } else if counts
        && asked.slot(SlotName::Group).is_none()
        && has(&["user", "account", "people", "employee"])
        && !has(OF_SOME)
    {
        Some(accounts(asked))
    } else {
        absent.then(|| unused(asked))
    }
}

/// What a question counts that counts no accounts as such.
const OF_SOME: &[&str] = &[
    "mfa", "polic", "cover", "block", "exclu", "method", "risk", "legacy", "without", "who ", "that ", "report",
    "affect",
];

/// Enabled accounts by kind.
fn accounts(asked: Asked<'_>) -> Answer {
    if let Some(back) = unread::back(asked, &[Kind::Users]) {
        return *back;
    }
    let (model, snapshot) = (&asked.analysis.model, asked.analysis.snapshot());
    let enabled = model.default_users();
    let kinds = Accounts::of(&enabled, model, asked.now);
    let disabled = snapshot.directory.users.iter().filter(|user| !user.enabled).count();
    let fact = Fact::new("inventory.accounts", asked.analysis.evidence(rows::users(&enabled, snapshot, None)))
        .with("count", enabled.len())
        .with("people", kinds.people.len())
        .with("guests", kinds.guests.len())
        .with("service", kinds.service.len())
        .with("rooms", kinds.rooms.len())
        .with("emergency", kinds.emergency.len())
        .with("disabled", disabled)
        .must_show();
    Answer::sentences(vec![fact])
        .part(Part::Limits(vec![asked.read_at()]))
        .action(ask("Without MFA", "who is not covered by MFA?"))
        .action(ask("Administrators", "how many admins do we have?"))
        .action(ask("Unused", "list users with no sign-in for 90 days"))
}

/// Devices by what the directory says of their compliance.
fn devices(asked: Asked<'_>) -> Answer {
    if let Some(back) = unread::back(asked, &[Kind::Devices]) {
        return *back;
    }
    let all: &[Device] = &asked.analysis.snapshot().directory.devices;
    let of = |compliant: Option<bool>| all.iter().filter(|device| device.compliant == compliant).count();
    let fact = Fact::new("inventory.devices", asked.analysis.evidence([]))
        .with("of", all.len())
        .with("not", of(Some(false)))
        .with("compliant", of(Some(true)))
        .with("unknown", of(None))
        .must_show();
    Answer::sentences(vec![fact])
        .part(Part::Limits(vec![asked.read_at()]))
        .action(ask("Who isn't asked for one?", "which users can use unmanaged devices?"))
}

/// Guests with an account here.
fn guests(asked: Asked<'_>) -> Answer {
    if let Some(back) = unread::back(asked, &[Kind::Users]) {
        return *back;
    }
    let snapshot = asked.analysis.snapshot();
    let guests = asked.analysis.model.guests();
    let pending = guests.iter().filter_map(|index| snapshot.directory.user_at(index)).filter(|user| user.pending);
    let disabled = snapshot.directory.users.iter().filter(|user| user.guest.is_some() && !user.enabled).count();
    let fact = Fact::new("inventory.guests", asked.analysis.evidence(rows::users(&guests, snapshot, None)))
        .with("count", guests.len())
        .with("pending", pending.count())
        .with("disabled", disabled)
        .must_show();
    Answer::sentences(vec![fact])
        .part(Part::Limits(vec![asked.read_at()]))
        .action(ask("Guests without MFA", "which guests can sign in without MFA?"))
        .action(ask("Their policies", "which policies apply to guests?"))
}

/// Enabled accounts, or those of the group or class that is named, whose last sign-in, as the directory has it, is longer ago
/// than the question says.
fn unused(asked: Asked<'_>) -> Answer {
    if let Some(back) = unread::back(asked, &[Kind::Users]) {
        return *back;
    }
    let snapshot = asked.analysis.snapshot();
    let days = period::length(&asked.text.to_lowercase()).unwrap_or(90);
    let limit = asked.now.checked_sub(jiff::SignedDuration::from_hours(24 * days)).unwrap_or(asked.now);
    let class = match asked.slot(SlotName::Group).map(|name| named::class(asked, name)) {
        Some(Err(back)) => return *back,
        Some(Ok(class)) => Some(class),
        None => None,
    };
    let all = asked.analysis.model.default_users();
    let enabled = class.as_ref().map_or_else(|| all.clone(), |class| &class.users & &all);
    let of = |index: &u32| snapshot.directory.user_at(*index);
    let unknown = enabled.iter().filter(|index| of(index).is_some_and(|user| user.last_sign_in.is_none())).count();
    let long: RoaringBitmap = enabled
        .iter()
        .filter(|index| of(index).and_then(|user| user.last_sign_in).is_some_and(|at| at < limit))
        .collect();
    let fact = Fact::new("inventory.unused", asked.analysis.evidence(rows::users(&long, snapshot, None)))
        .with("count", long.len())
        .with("of", enabled.len())
        .with("class", Term::Name(class.map(|class| class.name).unwrap_or_default()))
        .with("days", Term::Count(u64::try_from(days).unwrap_or_default()))
        .with("unknown", unknown)
        .must_show();
    let mut people: Vec<&User> = long.iter().filter_map(|index| snapshot.directory.user_at(index)).collect();
    people.sort_by_key(|user| user.last_sign_in);
    let line = |user: &&User| {
        let last = user.last_sign_in.map(|at| at.strftime("%-d %b %Y").to_string()).unwrap_or_default();
        let department = user.department.clone().unwrap_or_default().to_string();
        vec![user.display_name.to_string(), user.user_principal_name.to_string(), department, last]
    };
    let columns = ["Account", "User principal name", "Department", "Last sign-in"].map(column).to_vec();
    Answer::sentences(vec![fact])
        .table("without-a-sign-in", columns, people.iter().map(line).collect(), SHOWN)
        .part(Part::Limits(vec![asked.read_at()]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::bot::answers::testing::{nordwerk, said};
    use crate::bot::intent::Intent;

    async fn about(text: &str) -> String {
        said(&nordwerk(), Intent::SignInUsage, text).await
    }

    #[tokio::test]
    async fn devices_are_no_sign_ins() {
        let words = about("how many devices are not compliant?").await;
        assert!(words.starts_with("Of 2 devices 1 is marked as not compliant, 1 as compliant."), "{words}");
        let mut tenant = nordwerk();
        tenant["unread"] = json!(["devices"]);
        let words = said(&tenant, Intent::SignInUsage, "how many devices are not compliant?").await;
        assert!(words.starts_with("Not known: devices.json was not read."), "{words}");
    }

    #[tokio::test]
    async fn guests_are_accounts() {
        assert!(about("how many guests do we have?").await.starts_with("1 enabled guest account."));
        assert!(about("how many guests signed in?").await.contains("sign-ins in the log"));
    }

    #[tokio::test]
    async fn accounts_are_counted_by_kind() {
        let words = about("how many users do we have?").await;
        let kinds = "8 enabled accounts: 4 people, 1 guest, 1 service account, 1 room and 1 emergency access account.";
        assert!(words.starts_with(kinds) && words.contains("Not counted: 1 disabled."), "{words}");
        assert!(!about("how many users signed in without MFA?").await.contains("enabled accounts: "));
        assert!(!about("how many users use legacy auth?").await.contains("enabled accounts: "));
    }

    #[tokio::test]
    async fn accounts_that_nobody_uses() {
        let mut tenant = nordwerk();
        tenant["users"][2]["signInActivity"] = json!({"lastSuccessfulSignInDateTime": "2026-05-01T00:00:00Z", "lastSignInDateTime": "2026-05-01T00:00:00Z"});
        let words = said(&tenant, Intent::SignInUsage, "list users with no sign-in for 90 days").await;
        assert!(words.starts_with("1 of 8 enabled accounts last signed in more than 90 days ago"), "{words}");
        assert!(words.contains("| Bob Keller |") && words.contains("7 have no date"), "{words}");
        tenant["users"][5]["signInActivity"] = json!({"lastSignInDateTime": "2026-05-01T00:00:00Z"});
        let words = said(&tenant, Intent::SignInUsage, "which guests havent signed in for 90 days").await;
        assert!(words.starts_with("1 of 1 enabled account (guests) last signed in more than 90 days ago."), "{words}");
        assert!(words.contains("| Carol Ng |") && !words.contains("| Bob Keller |"), "{words}");
    }
}
