//! A user as Graph writes it.

use serde_json::{Value, json};

use super::activity::last_sign_in;
use super::names::{DEPARTMENTS, DOMAIN, INITIAL_DOMAIN, plain};
use super::people::{Kind, People, cast};
use super::random::{days_before, midnight_before, pick, written};

/// The `user` at `index`, with every property this tenant knows; null beyond the last user.
#[must_use]
pub fn user(people: &People, index: u32) -> Value {
    let Some(record) = people.get(index) else { return Value::Null };
    let (given, family) = people.name(index);
    let (city, country, ..) = people.office(index);
    let department = record.department.map(|at| pick(DEPARTMENTS, u64::from(at)));
    let last = last_sign_in(people, index).map(written);
    let external = matches!(record.kind, Kind::B2bGuest | Kind::B2bMember | Kind::PendingGuest);
    json!({
        "id": people.id(index),
        "displayName": display_name(people, index),
        "givenName": given,
        "surname": if family.is_empty() { Value::Null } else { json!(family) },
        "userPrincipalName": principal_name(people, index),
        "mail": mail(people, index),
        "userType": if guest(record.kind) { "Guest" } else { "Member" },
        "accountEnabled": !record.disabled,
        "department": department.map(|(name, _)| name),
        "jobTitle": title(index).or(department.map(|(_, title)| title)),
        "officeLocation": city,
        "usageLocation": country,
        "creationType": external.then_some("Invitation"),
        "externalUserState": external.then_some(if record.kind == Kind::PendingGuest { "PendingAcceptance" } else { "Accepted" }),
        "externalUserStateChangeDateTime": external.then(|| written(created(people, index))),
        "identities": identities(people, index),
        "createdDateTime": written(created(people, index)),
        "onPremisesSyncEnabled": (record.kind == Kind::Person).then_some(true),
        "signInActivity": { "lastSignInDateTime": last, "lastNonInteractiveSignInDateTime": last,
            "lastSuccessfulSignInDateTime": last },
    })
}

/// The name people read.
#[must_use]
pub fn display_name(people: &People, index: u32) -> String {
    let (given, family) = people.name(index);
    let number = people.roll(index, 12);
    match people.get(index).map(|user| user.kind) {
        Some(Kind::Room) if cast(index).is_none() => {
            format!("Room {} {}.{:02}", people.office(index).0, number % 6 + 1, index % 100)
        }
        Some(Kind::Service) if cast(index).is_none() => local_part(people, index),
        Some(Kind::B2bGuest | Kind::PendingGuest) => format!("{given} {family} (extern)"),
        _ => format!("{given} {family}").trim_end().to_owned(),
    }
}

/// The principal name.
#[must_use]
pub fn principal_name(people: &People, index: u32) -> String {
    let local = local_part(people, index);
    match people.get(index).map(|user| user.kind) {
        Some(Kind::B2bGuest | Kind::B2bMember | Kind::PendingGuest) => {
            format!("{local}_{}#EXT#@{INITIAL_DOMAIN}", people.partner(index).0)
        }
        Some(Kind::Emergency | Kind::Sync) => format!("{local}@{INITIAL_DOMAIN}"),
        _ => format!("{local}@{DOMAIN}"),
    }
}

/// Whether the directory calls an account of this kind a guest.
#[must_use]
pub fn guest(kind: Kind) -> bool {
    matches!(kind, Kind::B2bGuest | Kind::InternalGuest | Kind::PendingGuest)
}

fn local_part(people: &People, index: u32) -> String {
    let (given, family) = people.name(index);
    let namesakes = people.namesakes(index);
    let number = if namesakes == 0 { String::new() } else { (namesakes + 1).to_string() };
    match people.get(index).map(|user| user.kind) {
        Some(Kind::Emergency) => plain(given).replace('.', "-"),
        Some(Kind::Sync) => format!("sync_nw-connect01_{}", people.ids.id(super::random::Object::Other, 1).simple()),
        Some(Kind::Room) => format!("room-{index}"),
        Some(Kind::Service) if cast(index).is_some() => given.to_owned(),
        Some(Kind::Service) => format!("svc-{}-{index:02}", pick(super::names::SERVICES, people.roll(index, 13))),
        _ => format!("{}.{}{number}", plain(given), plain(family)),
    }
}

fn mail(people: &People, index: u32) -> Option<String> {
    let local = local_part(people, index);
    match people.get(index)?.kind {
        Kind::B2bGuest | Kind::B2bMember | Kind::PendingGuest => Some(format!("{local}@{}", people.partner(index).0)),
        Kind::Emergency | Kind::Sync => None,
        _ => Some(format!("{local}@{DOMAIN}")),
    }
}

fn title(index: u32) -> Option<&'static str> {
    cast(index).map(|member| member.title).filter(|title| !title.is_empty())
}

fn identities(people: &People, index: u32) -> Value {
    let own = json!({ "signInType": "userPrincipalName", "issuer": INITIAL_DOMAIN,
        "issuerAssignedId": principal_name(people, index) });
    let (_, issuer, _) = people.partner(index);
    let foreign = json!({ "signInType": "federated", "issuer": issuer, "issuerAssignedId": null });
    match people.get(index).map(|user| user.kind) {
        Some(Kind::B2bGuest | Kind::B2bMember) => json!([foreign, own]),
        _ => json!([own]),
    }
}

/// When the account was made: long ago, but for people new enough that nobody has filled their department yet.
fn created(people: &People, index: u32) -> jiff::Timestamp {
    let days = 40 + i64::try_from(people.roll(index, 14) % 2_000).unwrap_or(0);
    match people.get(index) {
        Some(user) if user.kind == Kind::Person && user.department.is_none() => {
            midnight_before(people.today, days % 25 + 1)
        }
        _ => days_before(people.today, days),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::demo::random::Ids;

    #[test]
    fn principal_names_are_unique_and_two_are_named_alice() {
        let people = People::generate(Ids::new(3), "2026-11-24T08:30:00Z".parse().unwrap(), 2_000);
        let names: BTreeSet<_> = (0..2_000).map(|index| principal_name(&people, index)).collect();
        assert_eq!(names.len(), 2_000);
        let alices = (0..2_000).filter(|index| people.name(*index).0 == "Alice").count();
        assert_eq!(alices, 2);
    }
}
