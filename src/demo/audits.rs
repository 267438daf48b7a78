//! The audit log: who changed what, in the last thirty days and since the start.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::apps;
use super::groups::{Group, Member, group_id, role_object_id, rollout_grew};
use super::people::People;
use super::random::{Object, days_before, midnight_before, pick, seconds_before, written};
use super::roles::{self, Held};
use super::tenant::Tenant;
use super::user_json::{display_name, principal_name};

/// Who did something.
#[derive(Clone, Debug)]
pub enum Actor {
    /// A user, by index.
    User(u32),
    /// Somebody who has a name but no account here.
    Named(String),
    /// An application: client id and name.
    App(String, String),
}

/// What was done to what.
#[derive(Clone, Debug)]
pub struct Change {
    /// Name of the activity, as the log has it.
    pub activity: &'static str,
    /// Service that logged it.
    pub service: &'static str,
    /// `targetResources`.
    pub targets: Value,
}

impl Change {
    /// A policy was added, updated or deleted; null for what was or is not there.
    #[must_use]
    pub fn policy(activity: &'static str, old: &Value, new: &Value) -> Self {
        let either = |key: &str| new.get(key).or_else(|| old.get(key)).cloned();
        let modified =
            json!([{ "displayName": "ConditionalAccessPolicy", "oldValue": text(old), "newValue": text(new) }]);
        let target = json!({ "id": either("id"), "displayName": either("displayName"), "type": "Policy", "modifiedProperties": modified });
        Self { activity, service: "Conditional Access", targets: json!([target]) }
    }

    /// A named location was changed.
    #[must_use]
    pub fn location(old: &Value, new: &Value) -> Self {
        let modified = json!([{ "displayName": "NamedLocation", "oldValue": text(old), "newValue": text(new) }]);
        let target = json!({ "id": new.get("id"), "displayName": new.get("displayName"), "type": "Other", "modifiedProperties": modified });
        Self { activity: "Update named location", service: "Conditional Access", targets: json!([target]) }
    }

    /// A user object was added, changed or deleted.
    #[must_use]
    pub fn user(activity: &'static str, people: &People, user: u32) -> Self {
        Self::simple(activity, "User", &people.id(user), &display_name(people, user))
    }

    /// A member was taken out of the group at `at`.
    #[must_use]
    pub fn no_member(tenant: &Tenant, group: (usize, &Group), member: Member) -> Self {
        let mut change = Self { activity: "Remove member from group", ..Self::member(tenant, group, member) };
        // What the group was stands on the other side of a removal.
        let modified = change.targets.pointer_mut("/0/modifiedProperties").and_then(Value::as_array_mut);
        for property in modified.into_iter().flatten().filter_map(Value::as_object_mut) {
            let was = property.insert("newValue".into(), Value::Null);
            property.insert("oldValue".into(), was.unwrap_or_default());
        }
        change
    }

    /// A member was added to the group at `at`.
    #[must_use]
    pub fn member(tenant: &Tenant, (at, group): (usize, &Group), member: Member) -> Self {
        let people = &tenant.people;
        let group_text = |value: &str| json!(format!("\"{value}\""));
        let modified = json!([
            { "displayName": "Group.ObjectID", "oldValue": null, "newValue": group_text(&group_id(people, at)) },
            { "displayName": "Group.DisplayName", "oldValue": null, "newValue": group_text(group.name) },
        ]);
        let added = match member {
            Member::User(user) => {
                json!({ "id": people.id(user), "displayName": display_name(people, user), "type": "User",
                "userPrincipalName": principal_name(people, user), "modifiedProperties": modified })
            }
            Member::Group(nested) => {
                json!({ "id": group_id(people, nested), "type": "Group", "modifiedProperties": modified,
                "displayName": tenant.groups.get(nested).map(|group| group.name) })
            }
        };
        let group =
            json!({ "id": group_id(people, at), "displayName": group.name, "type": "Group", "modifiedProperties": [] });
        Self { activity: "Add member to group", service: "Core Directory", targets: json!([added, group]) }
    }

    /// Somebody got a role, or lost it.
    #[must_use]
    pub fn role(activity: &'static str, people: &People, held: Held) -> Self {
        let property = |name: &str, value: &str| {
            let (value, nothing) = (json!(format!("\"{value}\"")), Value::Null);
            let (old, new) = if activity.starts_with("Remove") { (value, nothing) } else { (nothing, value) };
            json!({ "displayName": name, "oldValue": old, "newValue": new })
        };
        let role = json!({ "id": role_object_id(people, held.role), "displayName": roles::name(held.role), "type": "Role",
            "modifiedProperties": [] });
        let user = json!({ "id": people.id(held.user), "displayName": display_name(people, held.user), "type": "User",
            "userPrincipalName": principal_name(people, held.user), "modifiedProperties": [
                property("Role.ObjectID", &role_object_id(people, held.role)),
                property("Role.DisplayName", roles::name(held.role)),
                property("Role.TemplateId", held.role) ] });
        Self { activity, service: "Core Directory", targets: json!([user, role]) }
    }

    /// Privileged Identity Management let somebody use a role for a while, or ended it: here the role comes first.
    #[must_use]
    pub fn activation(activity: &'static str, people: &People, held: Held) -> Self {
        let role =
            json!({ "id": held.role, "displayName": roles::name(held.role), "type": "Role", "modifiedProperties": [] });
        let user = json!({ "id": people.id(held.user), "displayName": display_name(people, held.user), "type": "User",
            "userPrincipalName": principal_name(people, held.user), "modifiedProperties": [] });
        Self { activity, service: "PIM", targets: json!([role, user]) }
    }

    fn simple(activity: &'static str, kind: &str, id: &str, name: &str) -> Self {
        let target = json!({ "id": id, "displayName": name, "type": kind, "modifiedProperties": [] });
        Self { activity, service: "Core Directory", targets: json!([target]) }
    }

    fn category(&self) -> &'static str {
        let about = |words: &str| self.activity.contains(words);
        match self.service {
            "Conditional Access" => "Policy",
            _ if about("role") => "RoleManagement",
            _ if about("group") => "GroupManagement",
            _ if about("service principal") => "ApplicationManagement",
            _ if about("device") => "Device",
            _ => "UserManagement",
        }
    }

    /// The record, under an id of its own.
    #[must_use]
    pub fn record(&self, people: &People, (number, when): (u32, Timestamp), by: &Actor) -> Value {
        let verb = self.activity.split(' ').next().unwrap_or_default();
        let operation = match verb {
            "Add" if self.activity.contains("member") => "Assign",
            "Remove" if self.activity.contains("member") => "Unassign",
            "Add" => "Add",
            "Delete" => "Delete",
            _ => "Update",
        };
        json!({
            "id": people.ids.id(Object::Audit, number),
            "category": self.category(),
            "correlationId": people.ids.id(Object::Correlation, u32::MAX - number),
            "result": "success",
            "resultReason": "",
            "activityDisplayName": self.activity,
            "activityDateTime": written(when),
            "loggedByService": self.service,
            "operationType": operation,
            "initiatedBy": initiated(people, by),
            "targetResources": self.targets,
            "additionalDetails": [],
        })
    }
}

fn initiated(people: &People, by: &Actor) -> Value {
    match by {
        Actor::User(user) => {
            json!({ "app": null, "user": { "id": people.id(*user), "displayName": display_name(people, *user),
            "userPrincipalName": principal_name(people, *user), "ipAddress": "192.0.2.17" } })
        }
        Actor::Named(name) => {
            json!({ "app": null, "user": { "id": null, "displayName": name, "userPrincipalName": null, "ipAddress": null } })
        }
        Actor::App(id, name) => {
            json!({ "user": null, "app": { "appId": id, "displayName": name, "servicePrincipalId": id,
            "servicePrincipalName": null } })
        }
    }
}

/// JSON as text, as the log has it; null for nothing.
fn text(value: &Value) -> Value {
    if value.is_null() { Value::Null } else { json!(value.to_string()) }
}

/// Records of the last thirty days, oldest first.
#[must_use]
pub fn history(tenant: &Tenant) -> Vec<Value> {
    let mut events = policy_events(tenant);
    events.extend(growth(tenant));
    events.extend(routine(tenant));
    events.sort_by_key(|(when, ..)| *when);
    let numbered = (0..).zip(events);
    numbered.map(|(number, (when, by, change))| change.record(&tenant.people, (number, when), &by)).collect()
}

type Event = (Timestamp, Actor, Change);

/// When the policy whose name starts with `code` was last changed or made.
fn policy_events(tenant: &Tenant) -> Vec<Event> {
    let user = |family| Actor::User(People::cast_index(family));
    let managed = Actor::App("ace18b3a-c1c8-4d10-bb9b-f1c6c5b3a1e5".into(), "Microsoft Managed Policy Manager".into());
    let added = |code: &str, by: Actor| {
        let policy = named(tenant, code)?;
        let when = policy.get("createdDateTime")?.as_str()?.parse().ok()?;
        Some((when, by, Change::policy("Add conditional access policy", &Value::Null, policy)))
    };
    let mut events: Vec<Event> =
        [added("CA519", user("Benali")), added("Microsoft-managed", managed)].into_iter().flatten().collect();
    events.extend(frequency_change(tenant, user("Whitfield")));
    events.extend(location_change(tenant, user("Zieliński")));
    events
}

/// CA102 asked every eight hours until somebody made it four.
fn frequency_change(tenant: &Tenant, by: Actor) -> Option<Event> {
    let policy = named(tenant, "CA102")?;
    let mut before = policy.clone();
    *before.pointer_mut("/sessionControls/signInFrequency/value")? = json!(8);
    let when = policy.get("modifiedDateTime")?.as_str()?.parse().ok()?;
    Some((when, by, Change::policy("Update conditional access policy", &before, policy)))
}

/// The branch got one more range that was taken back later; what stands now is what stood before.
fn location_change(tenant: &Tenant, by: Actor) -> Option<Event> {
    let location = tenant.named_locations.get(1)?;
    let mut before = location.clone();
    *before.get_mut("displayName")? = json!("Lyon");
    Some((seconds_before(midnight_before(tenant.people.today, 12), -40_000), by, Change::location(&before, location)))
}

fn named<'a>(tenant: &'a Tenant, code: &str) -> Option<&'a Value> {
    tenant
        .policies
        .iter()
        .find(|policy| policy.get("displayName").and_then(Value::as_str).is_some_and(|name| name.starts_with(code)))
}

/// Yesterday's additions to the exclusion group, by Piotr Nowak.
fn growth(tenant: &Tenant) -> Vec<Event> {
    let at = tenant.groups.at("CA-Excl-MFA-Rollout");
    let Some(group) = tenant.groups.get(at) else { return Vec::new() };
    let by = Actor::User(People::cast_index("Nowak"));
    let event =
        |(member, when): &(Member, Timestamp)| (*when, by.clone(), Change::member(tenant, (at, group), *member));
    group.added.iter().filter(|(_, when)| *when == rollout_grew(&tenant.people)).map(event).collect()
}

/// What happens in any directory in a month.
fn routine(tenant: &Tenant) -> Vec<Event> {
    let people = &tenant.people;
    let admins = ["Mensah", "Nowak", "Dahlberg", "Cardoso"].map(People::cast_index);
    let daily = (1..29_u32).map(|day| {
        let roll = people.ids.roll(Object::Audit, day, 1);
        let user = u32::try_from(roll % u64::from(people.count())).unwrap_or(0);
        let activity = pick(
            &["Reset password (by admin)", "Update user", "Update device", "User registered security info"],
            roll >> 8,
        );
        let change = Change::simple(activity, "User", &people.id(user), &display_name(people, user));
        let second = i64::try_from(roll % 28_000).unwrap_or(0) + 25_000;
        (
            seconds_before(midnight_before(people.today, i64::from(day)), -second),
            Actor::User(pick(&admins, roll >> 4)),
            change,
        )
    });
    let newest = apps::principal_id(people.ids, apps::NEWEST);
    let change = Change::simple("Add service principal", "ServicePrincipal", &newest, "Harbour Planning");
    let registered = (days_before(people.today, 1), Actor::User(People::cast_index("Petrova")), change);
    daily.chain([registered]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::tenant::Seed;

    #[test]
    fn the_growth_of_the_exclusion_is_on_record() {
        let tenant = Tenant::generate(&Seed { users: 80, seed: 1, today: "2026-11-24T08:30:00Z".parse().unwrap() });
        let records = history(&tenant);
        let growth: Vec<&Value> =
            records.iter().filter(|record| record["activityDisplayName"] == "Add member to group").collect();
        assert_eq!(growth.len(), 3);
        assert_eq!(growth[0]["initiatedBy"]["user"]["displayName"], "Piotr Nowak");
        assert_eq!(growth[0]["activityDateTime"], "2026-11-23T16:42:07Z");
        assert_eq!(growth[0]["targetResources"][1]["displayName"], "CA-Excl-MFA-Rollout");
        assert!(records.len() > 30);
        let times: Vec<_> = records.iter().map(|record| record["activityDateTime"].as_str().unwrap()).collect();
        assert!(times.is_sorted());
    }
}
