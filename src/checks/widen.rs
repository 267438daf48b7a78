//! The edit that makes a policy do for some more administrators or apps: better than a second one beside it that says the
//! same.

use std::collections::BTreeSet;

use serde_json::json;

use crate::engine::demands::asks_at_least;
use crate::tenant::policy::PolicyState;
use crate::tenant::{Policy, Snapshot};

use super::cause_words::app_name;
use super::{HandOver, hand_over, scopes};

/// A policy as an edit would leave it, and the fields that change.
pub(super) struct Wider {
    /// The policy afterwards.
    pub(super) after: Policy,
    /// One line.
    pub(super) title: String,
    /// The edit.
    pub(super) edit: HandOver,
}

/// Edits of policies that are On, ask for what the draft asks for, and are about the same users or, as it is, about roles;
/// the smaller edit of each first.
pub(super) fn candidates<'a>(snapshot: &'a Snapshot, draft: &'a Policy) -> impl Iterator<Item = Wider> + 'a {
    let alike = |policy: &Policy| {
        let same_users = policy.conditions.users.include == draft.conditions.users.include;
        same_users || (is_by_role(policy) && is_by_role(draft))
    };
    let fits = |policy: &&Policy| {
        policy.state == PolicyState::Enabled && alike(policy) && asks_at_least(snapshot, policy, draft)
    };
    let own = snapshot.policies.iter().filter(fits).collect::<Vec<_>>();
    own.into_iter().flat_map(|policy| [false, true].map(|apps| widened(snapshot, (policy, draft), apps))).flatten()
}

fn is_by_role(policy: &Policy) -> bool {
    let users = &policy.conditions.users.include;
    !users.all && !users.roles.is_empty()
}

/// The policy for the draft's roles too, and where `apps` says so for the resources that it excludes; none where there is
/// nothing to take in.
fn widened(snapshot: &Snapshot, (policy, draft): (&Policy, &Policy), apps: bool) -> Option<Wider> {
    let mut after = policy.clone();
    let roles: Vec<String> =
        draft.conditions.users.include.roles.difference(&policy.conditions.users.include.roles).cloned().collect();
    after.conditions.users.include.roles.extend(roles.iter().cloned());
    let excluded = if apps { std::mem::take(&mut after.conditions.applications.exclude) } else { BTreeSet::new() };
    if apps == excluded.is_empty() || (roles.is_empty() && excluded.is_empty()) {
        return None;
    }
    let roles = roles.iter().map(|id| scopes::role_name(snapshot, id)).collect::<Vec<_>>();
    let excluded = excluded.iter().map(|id| app_name(snapshot, id)).collect::<Vec<_>>();
    let body = json!({"conditions": crate::tenant::write_policy(&after).get("conditions")});
    let edit = hand_over::edit_policy(policy, changes(policy, &roles, &excluded), &body);
    let more = more(roles.len(), excluded.len());
    Some(Wider { title: format!("Take {more} into {}", policy.display_name), after, edit })
}

/// The fields that change: roles that come in, apps that are no longer left out.
fn changes(policy: &Policy, roles: &[String], excluded: &[String]) -> Vec<(String, String, String)> {
    let names = |all: &[String]| hand_over::names(all.iter().cloned());
    let held = format!("{} roles", policy.conditions.users.include.roles.len());
    let taken_in = ("Users > Include > Directory roles".to_owned(), held, format!("these too: {}", names(roles)));
    let label = "Target resources > Exclude".to_owned();
    let left_out = (label, format!("{} excluded", names(excluded)), "no longer excluded".to_owned());
    let taken_in = Some(taken_in).filter(|_| !roles.is_empty());
    taken_in.into_iter().chain(Some(left_out).filter(|_| !excluded.is_empty())).collect()
}

/// What comes in, for a title.
fn more(roles: usize, apps: usize) -> String {
    let counted = |count: usize, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{count} {many}")),
    };
    let parts = [counted(roles, "more role", "more roles"), counted(apps, "excluded app", "excluded apps")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::drafts;
    use crate::tenant::policy::Control;

    fn for_admins() -> Policy {
        drafts::for_administrators(&Snapshot::default(), "Require MFA", &[Control::Mfa])
    }

    fn tenant(own: Policy) -> Snapshot {
        Snapshot {
            policies: vec![Policy { state: PolicyState::Enabled, id: "p".into(), ..own }],
            ..Snapshot::default()
        }
    }

    #[test]
    fn a_policy_for_fewer_roles_is_widened_by_roles_first() {
        let mut own = for_admins();
        own.display_name = "CA100".into();
        let left_out = own.conditions.users.include.roles.pop_first().unwrap();
        own.conditions.applications.exclude.insert("timeclock".into());
        let tenant = tenant(own);
        let wider: Vec<Wider> = candidates(&tenant, &for_admins()).collect();
        let titles: Vec<&str> = wider.iter().map(|wider| wider.title.as_str()).collect();
        assert_eq!(titles, ["Take 1 more role into CA100", "Take 1 more role and 1 excluded app into CA100"]);
        assert!(wider.iter().all(|wider| wider.after.conditions.users.include.roles.contains(&left_out)));
        assert!(wider[1].after.conditions.applications.exclude.is_empty());
    }

    #[test]
    fn a_policy_for_the_same_users_takes_in_what_it_excludes() {
        let draft = drafts::for_everyone(&Snapshot::default(), "Require MFA", &[Control::Mfa]);
        let mut own = draft.clone();
        own.display_name = "CA400".into();
        own.conditions.applications.exclude.insert("sharepoint".into());
        let tenant = tenant(own);
        let titles: Vec<String> = candidates(&tenant, &draft).map(|wider| wider.title).collect();
        assert_eq!(titles, ["Take 1 excluded app into CA400"]);
    }

    #[test]
    fn a_policy_that_asks_for_less_or_is_for_everybody_is_not_widened() {
        let weaker = drafts::for_administrators(&Snapshot::default(), "Terms", &[Control::TermsOfUse("t".into())]);
        assert_eq!(candidates(&tenant(weaker), &for_admins()).count(), 0);
        let everybody = drafts::for_everyone(&Snapshot::default(), "Require MFA", &[Control::Mfa]);
        assert_eq!(candidates(&tenant(everybody), &for_admins()).count(), 0);
    }
}
