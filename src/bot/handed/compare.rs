//! Whether what somebody did in the tenant is what a card describes. Meanings are compared, never bytes: Graph rewrites
//! what it is sent, and the portal writes in its own way.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::bot::answers::policy_changes;
use crate::checks::HandOver;
pub use crate::checks::hand_over::edited_policy;
use crate::tenant::policy::PolicyState;
use crate::tenant::version::canonical_conditions;
use crate::tenant::write::export_policy;
use crate::tenant::{Policy, Snapshot};

/// A field that differs: label, as described, as done.
pub type Difference = (String, String, String);

/// What a change in the tenant means for a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is about something else.
    Unrelated,
    /// It is what the card describes.
    AsDescribed,
    /// It is meant as what the card describes, and isn't.
    Differs(Vec<Difference>),
}

/// A policy that somebody created, beside the draft that was handed over. Its name is free; a policy of the draft's name
/// or rules is meant as the draft, and so is one that was before (`known`).
#[must_use]
pub fn created(draft: &Policy, after: &Policy, (snapshot, known): (&Snapshot, bool)) -> Verdict {
    let name = after.display_name.clone();
    let wanted = Policy { state: PolicyState::ReportOnly, display_name: name, ..draft.clone() };
    let same_name = draft.display_name.trim().eq_ignore_ascii_case(after.display_name.trim());
    if wanted.same_meaning(after) {
        Verdict::AsDescribed
    } else if known || same_name || wanted.same_rules(after) {
        Verdict::Differs(lines(&wanted, after, snapshot))
    } else {
        Verdict::Unrelated
    }
}

/// A policy that somebody edited, before and after, beside the edit that was handed over.
#[must_use]
pub fn edited(change: &HandOver, (old, after): (&Policy, &Policy), snapshot: &Snapshot) -> Verdict {
    let Some(expected) = edited_policy(change, old) else { return Verdict::Unrelated };
    let names = change.request.as_ref().is_some_and(|(_, _, body)| body.get("displayName").is_some());
    if expected.same_meaning(after) && (!names || expected.display_name == after.display_name) {
        return Verdict::AsDescribed;
    }
    let (wanted, done) = (changed_places(old, &expected), changed_places(old, after));
    if wanted.is_disjoint(&done) { Verdict::Unrelated } else { Verdict::Differs(lines(&expected, after, snapshot)) }
}

/// An object as Graph returns it, beside what an edit asks for.
#[must_use]
pub fn held(body: &Value, now: &Value) -> Verdict {
    let mut differs = Vec::new();
    for (name, wanted) in body.as_object().into_iter().flatten() {
        let found = now.get(name).unwrap_or(&Value::Null);
        if !name.contains('@') && !same(wanted, found) {
            differs.push((name.clone(), wanted.to_string(), found.to_string()));
        }
    }
    if differs.is_empty() { Verdict::AsDescribed } else { Verdict::Differs(differs) }
}

/// Members that had to leave a group, beside who is in it now.
#[must_use]
pub fn left(members: &[String], now: &BTreeSet<String>, snapshot: &Snapshot) -> Verdict {
    let still: Vec<&String> = members.iter().filter(|id| now.contains(id.as_str())).collect();
    if still.is_empty() {
        return Verdict::AsDescribed;
    }
    if still.len() == members.len() {
        return Verdict::Unrelated;
    }
    let name =
        |id: &&String| snapshot.directory.user(id).map_or_else(|| (*id).clone(), |user| user.display_name.to_string());
    let mut names: Vec<String> = still.iter().take(3).map(name).collect();
    if still.len() > names.len() {
        names.push(format!("{} more", still.len() - names.len()));
    }
    let described = format!("{} leave", members.len());
    Verdict::Differs(vec![("Members".into(), described, format!("still in it: {}", names.join(", ")))])
}

/// Lists of Graph have no order.
fn same(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Array(wanted), Value::Array(found)) => {
            wanted.len() == found.len() && wanted.iter().all(|one| found.iter().any(|other| same(one, other)))
        }
        (Value::Object(wanted), found) => wanted
            .iter()
            .all(|(name, value)| name.contains('@') || same(value, found.get(name).unwrap_or(&Value::Null))),
        _ => wanted == found,
    }
}

/// Each field in which two versions of a policy differ, in the portal's words.
#[must_use]
pub fn lines(described: &Policy, done: &Policy, snapshot: &Snapshot) -> Vec<Difference> {
    let rows = policy_changes::difference(Some(described), Some(done), snapshot).into_iter();
    rows.map(|row| (row.label, row.before.unwrap_or_default(), row.after.unwrap_or_default())).collect()
}

/// JSON pointers of the places where two versions of a policy differ.
fn changed_places(before: &Policy, after: &Policy) -> BTreeSet<String> {
    let words = |policy: &Policy| {
        export_policy(&Policy {
            conditions: canonical_conditions(&policy.conditions),
            created: None,
            modified: None,
            ..policy.clone()
        })
    };
    let mut places = BTreeSet::new();
    places_of(&words(before), &words(after), "", &mut places);
    places
}

fn places_of(before: &Value, after: &Value, at: &str, into: &mut BTreeSet<String>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for key in before.keys().chain(after.keys().filter(|key| !before.contains_key(*key))) {
                let value = |of: &Map<String, Value>| of.get(key).cloned().unwrap_or_default();
                places_of(&value(before), &value(after), &format!("{at}/{key}"), into);
            }
        }
        _ if before == after => {}
        _ => _ = into.insert(at.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::checks::hand_over;
    use crate::tenant::read_policy;

    fn policy(state: &str, exclude: &[&str]) -> Policy {
        read_policy(&json!({"id": "p", "displayName": "CA200", "state": state, "conditions": {
            "users": {"includeUsers": ["All"], "excludeGroups": exclude}, "applications": {"includeApplications": ["All"]}},
            "grantControls": {"operator": "AND", "builtInControls": ["mfa"]}}))
        .unwrap()
    }

    fn snapshot() -> Snapshot {
        Snapshot::default()
    }

    #[test]
    fn a_policy_is_as_described_whatever_its_name_and_spelling() {
        let draft = policy("disabled", &["g"]);
        let mut after = policy("enabledForReportingButNotEnforced", &["g"]);
        after.display_name = "CA300 something".into();
        assert_eq!(created(&draft, &after, (&snapshot(), false)), Verdict::AsDescribed);
        let on = policy("enabled", &["g"]);
        let state = ("Enable policy".to_owned(), "Report-only".to_owned(), "On".to_owned());
        assert_eq!(created(&draft, &on, (&snapshot(), false)), Verdict::Differs(vec![state]));
        after.conditions.users.exclude.groups.clear();
        assert_eq!(created(&draft, &after, (&snapshot(), false)), Verdict::Unrelated);
        let Verdict::Differs(lines) = created(&draft, &after, (&snapshot(), true)) else { panic!("differs") };
        assert_eq!(lines[0], ("Users".into(), "All users · Exclude: g".into(), "All users".into()));
    }

    #[test]
    fn an_edit_is_compared_with_what_was_there_before() {
        let (before, on) = (policy("disabled", &["g"]), policy("enabled", &["g"]));
        let change = hand_over::turn_on(&before);
        assert_eq!(edited(&change, (&before, &on), &snapshot()), Verdict::AsDescribed);
        let other = policy("disabled", &["g", "h"]);
        assert_eq!(
            edited(&change, (&before, &other), &snapshot()),
            Verdict::Unrelated,
            "somebody edits something else"
        );
        let report_only = policy("enabledForReportingButNotEnforced", &["g"]);
        let state = ("Enable policy".to_owned(), "On".to_owned(), "Report-only".to_owned());
        assert_eq!(edited(&change, (&before, &report_only), &snapshot()), Verdict::Differs(vec![state]));
        let too_much = policy("enabled", &[]);
        assert!(matches!(edited(&change, (&before, &too_much), &snapshot()), Verdict::Differs(_)));
        let renamed = Policy { display_name: "new".into(), ..before.clone() };
        assert_eq!(edited(&change, (&before, &renamed), &snapshot()), Verdict::Unrelated);
    }

    #[test]
    fn a_group_is_done_when_the_last_one_has_left() {
        let members = ["a".to_owned(), "b".to_owned()];
        let now = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(left(&members, &now(&["x"]), &snapshot()), Verdict::AsDescribed);
        assert_eq!(left(&members, &now(&["a", "b"]), &snapshot()), Verdict::Unrelated);
        let still = ("Members".to_owned(), "2 leave".to_owned(), "still in it: b".to_owned());
        assert_eq!(left(&members, &now(&["b"]), &snapshot()), Verdict::Differs(vec![still]));
    }

    #[test]
    fn other_objects_are_compared_member_by_member() {
        let body = json!({"isTrusted": true, "ipRanges": [{"@odata.type": "#x", "cidrAddress": "192.0.2.0/24"}]});
        let now =
            json!({"id": "l", "isTrusted": true, "ipRanges": [{"@odata.type": "#y", "cidrAddress": "192.0.2.0/24"}]});
        assert_eq!(held(&body, &now), Verdict::AsDescribed);
        let off = json!({"isTrusted": false, "ipRanges": body["ipRanges"]});
        assert_eq!(held(&body, &off), Verdict::Differs(vec![("isTrusted".into(), "true".into(), "false".into())]));
    }
}
