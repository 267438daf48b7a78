//! Policies that several others make needless: proved by taking them out.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{one_of, policy, tenant};

fn platforms(names: &[&str]) -> Value {
    json!({"platforms": {"includePlatforms": names}})
}

fn staff(mut conditions: Value) -> Value {
    conditions["users"] = json!({"includeGroups": ["g-staff"]});
    conditions
}

/// Each needless policy with those that cover it.
fn needless(policies: &[Value]) -> Vec<(String, Vec<String>)> {
    let found = tenant(policies).needless(&BTreeSet::new());
    found.into_iter().map(|one| (one.policy_id, one.others)).collect()
}

fn mfa(id: &str, conditions: Value) -> Value {
    policy(id, conditions, one_of(&["mfa"]))
}

#[test]
fn a_policy_that_two_cover_together_is_found_though_neither_does_alone() {
    let desktops = mfa("a", platforms(&["windows", "macOS"]));
    let phones = mfa("b", platforms(&["iOS", "android"]));
    let both = mfa("c", staff(platforms(&["windows", "iOS"])));
    let expected = vec![("c".to_owned(), vec!["a".to_owned(), "b".to_owned()])];
    assert_eq!(needless(&[desktops.clone(), phones.clone(), both.clone()]), expected);
    assert_eq!(needless(&[both, phones, desktops]), [("c".to_owned(), vec!["b".to_owned(), "a".to_owned()])]);
}

#[test]
fn what_one_value_leaves_open_is_needed() {
    let desktops = mfa("a", platforms(&["windows", "macOS"]));
    let phones = mfa("b", platforms(&["iOS"]));
    assert_eq!(needless(&[desktops.clone(), phones, mfa("c", staff(platforms(&["windows", "android"])))]), []);
    let weaker = policy("b", platforms(&["iOS"]), one_of(&["mfa", "compliantDevice"]));
    assert_eq!(needless(&[desktops, weaker, mfa("c", staff(platforms(&["windows", "iOS"])))]), []);
}

#[test]
fn policies_that_need_each_other_are_not_both_given_up() {
    let found = needless(&[
        mfa("a", platforms(&["windows", "iOS"])),
        mfa("b", platforms(&["iOS", "macOS"])),
        mfa("c", platforms(&["macOS", "windows"])),
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn risk_and_agents_are_not_forgotten() {
    let risky = |id: &str, levels: &[&str]| mfa(id, json!({"signInRiskLevels": levels}));
    let found = needless(&[risky("a", &["high"]), risky("b", &["medium"]), risky("c", &["medium", "high"])]);
    assert_eq!(found, [("a".to_owned(), vec!["c".to_owned()]), ("b".to_owned(), vec!["c".to_owned()])]);
    let agents = mfa("agents", json!({"users": {"includeUsers": ["All", "AllAgentIdUsers"]}}));
    let found = needless(&[agents, mfa("a", json!({})), mfa("b", platforms(&["windows"]))]);
    assert_eq!(found, [("a".to_owned(), vec!["agents".to_owned()]), ("b".to_owned(), vec!["agents".to_owned()])]);
}
