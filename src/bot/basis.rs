//! What a card rests on, and whether it still stands: a card whose policies changed goes out of date by itself.

use crate::app::App;
use crate::approval::{Event, RestsOn, State};
use crate::checks::{CureAction, HandOver};
use crate::tenant::policy::PolicyState;
use crate::tenant::{AuditRecord, Policy, Snapshot, version_of};

use super::approve::{self, Case};

/// The policies that a card of now rests on. One that isn't On enforces nothing, so nothing on a card hangs on it.
#[must_use]
pub fn of(policies: &[Policy]) -> Vec<RestsOn> {
    let on = policies.iter().filter(|policy| is_on(policy));
    on.map(|policy| RestsOn { id: policy.id.clone(), name: policy.display_name.clone(), version: version_of(policy) })
        .collect()
}

fn is_on(policy: &Policy) -> bool {
    policy.state == PolicyState::Enabled
}

/// A policy that isn't what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Object id.
    pub id: String,
    /// What is different, in words.
    pub what: String,
}

/// The first difference between the policies that a card rests on and those of now.
#[must_use]
pub fn changed(then: &[RestsOn], now: &[Policy]) -> Option<Changed> {
    let told = |id: &str, name: &str, what: &str| Changed { id: id.to_owned(), what: format!("policy {name} {what}") };
    for policy in now.iter().filter(|policy| is_on(policy)) {
        match then.iter().find(|known| known.id == policy.id) {
            None => return Some(told(&policy.id, &policy.display_name, "was turned On")),
            Some(known) if known.version != version_of(policy) => {
                return Some(told(&policy.id, &policy.display_name, "was changed"));
            }
            Some(_) => {}
        }
    }
    let left = then.iter().find(|known| !now.iter().any(|policy| policy.id == known.id && is_on(policy)))?;
    let exists = now.iter().any(|policy| policy.id == left.id);
    Some(told(&left.id, &left.name, if exists { "is no longer On" } else { "was deleted" }))
}

/// Takes every waiting card out of date that doesn't say any more what a scan finds now.
///
/// # Errors
/// When the store fails.
pub async fn refresh(app: &App, snapshot: &Snapshot) -> anyhow::Result<()> {
    for kept in app.store.approvals_in(app.tenant(), &["open"]).await? {
        let case = Case::load(app, kept).await?;
        if let Some(why) = out_of_date(app, &case, snapshot) {
            approve::happen(app, &case, &Event::OutOfDate { why }).await?;
        }
    }
    Ok(())
}

fn out_of_date(app: &App, case: &Case, snapshot: &Snapshot) -> Option<String> {
    let tried = matches!(&case.state, State::Open { tried: Some(_), .. });
    match (&case.action, &case.body.proposal.action) {
        // A person is at work on it, and the card says what is still different.
        _ if tried => None,
        (CureAction::Draft(_), _) if changed(&case.terms.rests_on, &snapshot.policies).is_some() => {
            let changed = changed(&case.terms.rests_on, &snapshot.policies)?;
            Some(format!("{}{}", changed.what, by_whom(app, case, &changed.id, &snapshot.audits)))
        }
        (CureAction::Draft(card), CureAction::Draft(now)) if card.same_rules(now) => None,
        (CureAction::HandOver(card), CureAction::HandOver(now)) if same_change(card, now) => None,
        (CureAction::HandOver(card), _) => {
            let by = by_whom(app, case, &card.target_id, &snapshot.audits);
            Some(if by.is_empty() {
                "the change that I suggest is another one now".to_owned()
            } else {
                format!("{} {} was changed{by}", card.target_kind.to_lowercase(), card.target_name)
            })
        }
        _ => Some("the policy that I suggest is another one now".to_owned()),
    }
}

/// Whether two hand-overs ask for the same; the numbers of the day in them may differ.
fn same_change(one: &HandOver, other: &HandOver) -> bool {
    let asked = |change: &HandOver| {
        let fields = change.changes.iter().map(|(label, _, after)| (label.clone(), after.clone()));
        let told = change.request.is_none() && change.members.is_empty();
        told.then(|| fields.collect::<Vec<_>>())
    };
    one.target_id == other.target_id
        && one.request == other.request
        && one.members == other.members
        && asked(one) == asked(other)
}

/// Who changed it since the card was made, where the audit log says.
fn by_whom(app: &App, case: &Case, id: &str, audits: &[AuditRecord]) -> String {
    let since = case.kept.created;
    let record = audits.iter().rev().find(|record| record.is_about(id) && record.at >= since);
    record.map_or_else(String::new, |record| format!(" by {} on {}", record.by, moment(app, record.at)))
}

/// A moment as people read it.
#[must_use]
pub fn moment(app: &App, at: jiff::Timestamp) -> String {
    at.to_zoned(app.config.schedule.zone.clone()).strftime("%a %-d %b %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(id: &str, state: PolicyState) -> Policy {
        Policy { id: id.into(), display_name: id.into(), state, ..Policy::default() }
    }

    #[test]
    fn only_what_is_on_or_was_on_counts() {
        let (on, off) = (policy("a", PolicyState::Enabled), policy("b", PolicyState::Disabled));
        let then = of(&[on.clone(), off.clone()]);
        assert_eq!(then.len(), 1);
        let what = |now: &[Policy]| changed(&then, now).map(|changed| changed.what);
        assert_eq!(what(&[on.clone(), off]), None);
        assert_eq!(what(&[on.clone(), policy("c", PolicyState::ReportOnly)]), None);
        assert_eq!(what(&[on.clone(), policy("b", PolicyState::Enabled)]).unwrap(), "policy b was turned On");
        assert_eq!(what(&[policy("a", PolicyState::Disabled)]).unwrap(), "policy a is no longer On");
        assert_eq!(what(&[]).unwrap(), "policy a was deleted");
        let mut edited = on;
        edited.conditions.users.include.all = true;
        assert_eq!(what(&[edited]).unwrap(), "policy a was changed");
    }
}
