//! The edit that makes a policy do what a new one would be drafted for beside it: it takes in more administrators, apps,
//! guests or levels of risk, or sets what a session asks. Better than a second one beside it that says the same.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::engine::demands::asks_at_least;
use crate::tenant::policy::{Control, PolicyState, RiskLevel, SessionControls, SignInFrequency};
use crate::tenant::{Policy, Snapshot, well_known};

use super::cause_words::{app_name, risk_word};
use super::{HandOver, hand_over, policies, rights_management, scopes, within};

/// A policy as an edit would leave it, and the fields that change.
pub(super) struct Wider {
    /// The policy afterwards.
    pub(super) after: Policy,
    /// One line.
    pub(super) title: String,
    /// The edit.
    pub(super) edit: HandOver,
}

/// Edits of policies that are On, ask for what the draft asks for or could, and are about the same users or, as it is, about
/// roles; the smaller edit of each first. A block is widened only where a block is wanted.
pub(super) fn candidates<'a>(snapshot: &'a Snapshot, draft: &'a Policy) -> impl Iterator<Item = Wider> + 'a {
    let alike = |policy: &Policy| {
        let same_users = policy.conditions.users.include == draft.conditions.users.include;
        same_users || (is_by_role(policy) && is_by_role(draft))
    };
    let blocks_more = |policy: &Policy| policies::blocks(policy) && !policies::blocks(draft);
    let fits = |policy: &&Policy| policy.state == PolicyState::Enabled && alike(policy) && !blocks_more(policy);
    let own = snapshot.policies.iter().filter(fits).collect::<Vec<_>>();
    let takes = [(false, false), (true, false), (false, true), (true, true)];
    own.into_iter().flat_map(move |policy| takes.map(|takes| widened(snapshot, (policy, draft), takes))).flatten()
}

fn is_by_role(policy: &Policy) -> bool {
    let users = &policy.conditions.users.include;
    !users.all && !users.roles.is_empty()
}

/// A field that changes: label, before, after.
type Change = (String, String, String);

/// What an edit takes in, and what it sets: words for a title, and the fields that change.
#[derive(Default)]
struct Edit {
    takes: Vec<String>,
    sets: Vec<String>,
    changes: Vec<Change>,
}

/// The policy for the draft's roles and levels of risk too, with what the draft asks of a session, and where it says so for
/// the resources and the guests that it excludes; none where there is nothing to change, or it still asks for less.
fn widened(snapshot: &Snapshot, (policy, draft): (&Policy, &Policy), (apps, guests): (bool, bool)) -> Option<Wider> {
    let (mut after, mut edit) = (policy.clone(), Edit::default());
    take_roles(&mut after, draft, (snapshot, &mut edit));
    take_risks(&mut after, draft, &mut edit);
    set_session(&mut after, draft, &mut edit);
    if apps && !take_apps(&mut after, (snapshot, &mut edit)) || guests && !take_guests(&mut after, draft, &mut edit) {
        return None;
    }
    let keeps_out = rights_management::keeps_out(&after, snapshot) && !rights_management::keeps_out(policy, snapshot);
    if edit.changes.is_empty() || keeps_out || !asks_at_least(snapshot, &after, draft) {
        return None;
    }
    let title = title(&edit, &policy.display_name);
    let action = hand_over::edit_policy(policy, edit.changes, &body(policy, &after));
    Some(Wider { title, after, edit: action })
}

fn title(edit: &Edit, name: &str) -> String {
    let sets = edit.sets.join(" and ");
    match (edit.takes.is_empty(), edit.sets.is_empty()) {
        (true, _) => format!("Set {sets} in {name}"),
        (false, true) => format!("Take {} into {name}", edit.takes.join(" and ")),
        (false, false) => format!("Take {} into {name}, and set {sets}", edit.takes.join(" and ")),
    }
}

/// The parts of the policy that change.
fn body(before: &Policy, after: &Policy) -> Value {
    let written = crate::tenant::write_policy(after);
    let parts =
        [("conditions", before.conditions != after.conditions), ("sessionControls", before.session != after.session)];
    let changed = parts.into_iter().filter(|(_, changed)| *changed);
    changed.map(|(part, _)| (part.to_owned(), written.get(part).cloned().unwrap_or_default())).collect()
}

fn take_roles(after: &mut Policy, draft: &Policy, (snapshot, edit): (&Snapshot, &mut Edit)) {
    let held = &mut after.conditions.users.include.roles;
    let roles: Vec<String> = draft.conditions.users.include.roles.difference(held).cloned().collect();
    if roles.is_empty() {
        return;
    }
    let before = counted(held.len(), "role", "roles");
    held.extend(roles.iter().cloned());
    let names = hand_over::names(roles.iter().map(|id| scopes::role_name(snapshot, id)));
    edit.takes.push(counted(roles.len(), "more role", "more roles"));
    edit.changes.push(("Users > Include > Directory roles".to_owned(), before, format!("these too: {names}")));
}

fn take_apps(after: &mut Policy, (snapshot, edit): (&Snapshot, &mut Edit)) -> bool {
    let excluded = std::mem::take(&mut after.conditions.applications.exclude);
    let names = hand_over::names(excluded.iter().map(|id| app_name(snapshot, id)));
    edit.takes.push(counted(excluded.len(), "excluded app", "excluded apps"));
    let change =
        ("Target resources > Exclude".to_owned(), format!("{names} excluded"), "no longer excluded".to_owned());
    edit.changes.push(change);
    !excluded.is_empty()
}

/// Guests whom the draft takes in and the policy leaves out, where it asks them for no more than is wanted.
fn take_guests(after: &mut Policy, draft: &Policy, edit: &mut Edit) -> bool {
    let wanted = draft.conditions.users.exclude.guests.is_none() && is_no_harsher(after, draft);
    let taken = wanted && after.conditions.users.exclude.guests.take().is_some();
    edit.takes.push("guests".to_owned());
    let change = ("Users > Exclude".to_owned(), "guests excluded".to_owned(), "no longer excluded".to_owned());
    edit.changes.push(change);
    taken
}

/// Levels of risk of a policy that already is about some of them, where it asks for no more there than is wanted.
fn take_risks(after: &mut Policy, draft: &Policy, edit: &mut Edit) {
    if !within::sign_ins(after, draft) || !is_no_harsher(after, draft) {
        return;
    }
    let (own, wanted) = (&mut after.conditions, &draft.conditions);
    for (label, held, levels) in [
        ("Sign-in risk", &mut own.sign_in_risk, &wanted.sign_in_risk),
        ("User risk", &mut own.user_risk, &wanted.user_risk),
    ] {
        let more: Vec<RiskLevel> = levels.difference(held).copied().collect();
        if more.is_empty() || held.is_empty() {
            continue;
        }
        let words = |levels: &mut dyn Iterator<Item = RiskLevel>| {
            levels.map(|level| risk_word(&level)).collect::<Vec<_>>().join(", ")
        };
        let (before, new) = (words(&mut held.iter().copied()), words(&mut more.iter().copied()));
        held.extend(more);
        edit.takes.push(format!("{} risk", new.to_lowercase()));
        edit.changes.push((label.to_owned(), before, format!("{new} too")));
    }
}

/// What the draft asks of a session, in a policy about no other sign-ins than the draft is about.
fn set_session(after: &mut Policy, draft: &Policy, edit: &mut Edit) {
    let Some(wanted) = draft.session.as_ref().filter(|_| within::sign_ins(after, draft)) else { return };
    let mut session = after.session.clone().unwrap_or_default();
    if let Some(frequency) = wanted.sign_in_frequency.filter(|wanted| is_rarer(&session, *wanted)) {
        let before = session.sign_in_frequency.map_or_else(|| "not set".to_owned(), |held| held.often());
        session.sign_in_frequency = Some(frequency);
        edit.sets.push(format!("the sign-in frequency to {}", frequency.often()));
        edit.changes.push(("Session > Sign-in frequency".to_owned(), before, frequency.often()));
    }
    if let Some(mode) =
        wanted.persistent_browser.as_ref().filter(|mode| session.persistent_browser.as_ref() != Some(mode))
    {
        let before = session.persistent_browser.replace(mode.clone()).unwrap_or_else(|| "not set".to_owned());
        edit.sets.push(format!("persistent browser sessions to {mode}"));
        edit.changes.push(("Session > Persistent browser session".to_owned(), before, mode.clone()));
    }
    if session != SessionControls::default() {
        after.session = Some(session);
    }
}

/// Whether a session asks for a sign-in less often than is wanted, or only for the second factor.
fn is_rarer(session: &SessionControls, wanted: SignInFrequency) -> bool {
    let often = |held: SignInFrequency| {
        held.hours.unwrap_or(0) <= wanted.hours.unwrap_or(0) && (!held.secondary_only || wanted.secondary_only)
    };
    !session.sign_in_frequency.is_some_and(often)
}

/// Whether a policy asks for nothing beside what the draft asks for but multifactor authentication.
fn is_no_harsher(policy: &Policy, draft: &Policy) -> bool {
    let wanted: BTreeSet<&Control> = draft.grant.iter().flat_map(|grant| &grant.controls).collect();
    let any_mfa = Control::Strength(well_known::STRENGTH_MFA.to_owned());
    let mut asked = policy.grant.iter().flat_map(|grant| &grant.controls);
    asked.all(|control| wanted.contains(control) || *control == Control::Mfa || *control == any_mfa)
}

fn counted(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
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
