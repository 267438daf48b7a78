//! The effects of an approval on the outside: read again, create once, look for the marker, read back, take back.

use std::sync::Arc;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::app::App;
use crate::approval::{AuditRef, Effect, Event, Kept, State};
use crate::checks::naming::number_of;
use crate::engine::Model;
use crate::graph::{CreateOutcome, GraphError, OwnPolicy, Removal, RemoveError, Writer};
use crate::suggestions::draft::{ReportOnlyPolicy, marked_name};
use crate::suggestions::lint::{Level, lint, lint_body};
use crate::tenant::policy::PolicyState;
use crate::tenant::{AuditRecord, Policy, Snapshot};

use super::access::{Right, right_of};
use super::approve::Case;
use super::basis;
use super::handed::audit_ref;
use super::handed::compare::lines;
use super::tell;

/// What came of the effects.
#[derive(Debug)]
pub enum Done {
    /// This happened: take it to the state machine.
    Next(Event),
    /// Nothing yet; look again then.
    Later(Timestamp),
    /// Nothing more to do.
    Nothing,
}

/// Runs the effect that reaches outside, if there is one; cards and entries are not among them.
///
/// # Errors
/// When the tenant can't be asked; the job tries again, and never repeats a request that may have been sent.
pub async fn run(app: &App, case: &Case, effects: &[Effect]) -> anyhow::Result<Done> {
    for effect in effects {
        return match effect {
            Effect::CheckAgain => check_again(app, case).await.map(Done::Next),
            Effect::CheckLater => later(app, case).map(Done::Later),
            Effect::CommitIntent => Ok(Done::Next(Event::IntentCommitted { at: app.clock.now() })),
            Effect::Create => create(app, case).await.map(Done::Next),
            Effect::LookForMarker { until } => look(app, case, *until).await,
            Effect::ReadBack { policy_id } => read_back(app, case, policy_id).await,
            Effect::RemovePolicy { policy_id } => remove(app, case, policy_id).await,
            Effect::Tell(people) => {
                tell::request(app, case, people).await?;
                continue;
            }
            Effect::Record(_) | Effect::UpdateCard => continue,
        };
    }
    Ok(Done::Nothing)
}

fn writer(app: &App) -> anyhow::Result<&Writer> {
    app.writer.as_ref().context("write.mode is hand-over: nothing is written")
}

/// The policy as it is sent: the draft under its name with the marker as a suffix.
fn body(case: &Case) -> anyhow::Result<ReportOnlyPolicy> {
    let draft = case.draft().context("an edit has no draft")?;
    Ok(ReportOnlyPolicy::new(draft, &marked_name(&draft.display_name, &case.terms.marker))?)
}

/// When to try again: soon at first, and ever more rarely.
fn later(app: &App, case: &Case) -> anyhow::Result<Timestamp> {
    let (now, pause) = (app.clock.now(), SignedDuration::try_from(app.config.graph.read_back)?);
    let approved = if let State::Creating { granted, .. } = &case.state { granted.last() } else { None };
    let since = approved.map_or(case.kept.changed, |click| click.at);
    let wait = (now.duration_since(since) / 2).max(pause);
    Ok(now.saturating_add(wait)?)
}

/// Whoever approved must still have the right to: a press is good for the moment of the press alone.
async fn without_right(app: &App, case: &Case) -> anyhow::Result<Option<String>> {
    let State::Creating { granted, .. } = &case.state else { return Ok(None) };
    for click in granted {
        let (id, name) = (click.by.id.clone(), click.by.name.clone());
        let person = crate::chat::Person { platform_id: String::new(), id, name };
        if right_of(app, &person).await? < Right::Decide {
            return Ok(Some(format!("{}, who approved it, may not decide any more", person.name)));
        }
    }
    Ok(None)
}

/// Asks again who may decide, and reads the policies again; whatever changed since the card was made takes it out of date.
/// Then lint.
async fn check_again(app: &App, case: &Case) -> anyhow::Result<Event> {
    if let Some(why) = without_right(app, case).await? {
        return Ok(Event::ChecksFailed { why });
    }
    let graph = app.graph.as_ref().context("no live tenant")?;
    let live = graph.policies().await?;
    if let Some(changed) = basis::changed(&case.terms.rests_on, &live) {
        return Ok(Event::OutOfDate { why: changed.what });
    }
    let analysis = app.newest_analysis().await?.context("the tenant wasn't read yet")?;
    let now = Snapshot { policies: live, ..analysis.snapshot().clone() };
    let draft = body(case)?;
    let errors: Vec<String> = refused((draft.policy(), &draft.body()), &now)
        .into_iter()
        .chain(duplicate(draft.policy(), &now))
        .chain(taken(draft.policy(), &now))
        .chain(locked_out(draft.policy(), now))
        .collect();
    Ok(if errors.is_empty() { Event::ChecksPassed } else { Event::ChecksFailed { why: errors.join("; ") } })
}

/// What the lint refuses: in what the policy says, and in how it is written in the very body that will be sent.
fn refused((policy, body): (&Policy, &Value), now: &Snapshot) -> Vec<String> {
    let objections = lint(policy, now).into_iter().chain(lint_body(body));
    objections.filter(|objection| objection.level == Level::Error).map(|objection| objection.message).collect()
}

/// A policy of the tenant, in any state, that says the same under another name.
fn duplicate(draft: &Policy, now: &Snapshot) -> Option<String> {
    let same = now.policies.iter().find(|policy| policy.same_rules(draft))?;
    let state = match same.state {
        PolicyState::Enabled => "On",
        PolicyState::Disabled => "Off",
        PolicyState::ReportOnly => "Report-only",
    };
    Some(format!("the policy {} says the same already; it is {state}", same.display_name))
}

/// A policy of the tenant that has the draft's number in its name by now.
fn taken(draft: &Policy, now: &Snapshot) -> Option<String> {
    let number = |policy: &Policy| number_of(&policy.display_name).map(|(prefix, number, _)| (prefix, number));
    let (prefix, own) = number(draft)?;
    let other = now.policies.iter().find(|policy| number(policy) == Some((prefix.clone(), own)))?;
    Some(format!("the number is taken by now: there is {}; ask for a new card", other.display_name))
}

/// The admin lock-out check: nobody may be kept from turning the policy Off again. A tenant in which nobody is known to
/// get in today isn't made worse by it.
fn locked_out(draft: &Policy, now: Snapshot) -> Option<String> {
    let model = Model::new(Arc::new(now));
    let worse = model.with_draft_on(draft).locks_out_administrators() && !model.locks_out_administrators();
    worse.then(|| "if this policy were On, no administrator could sign in any more".to_owned())
}

/// Sends the one request. Whoever committed `posting` is here, once; anything that isn't a clear answer is unknown.
async fn create(app: &App, case: &Case) -> anyhow::Result<Event> {
    Ok(match writer(app)?.create(&body(case)?).await {
        CreateOutcome::Created(policy_id) => Event::PostAnswered { policy_id },
        CreateOutcome::Rejected(error) => Event::PostRefused { why: error.with_hint() },
        CreateOutcome::NotSent(error) => Event::PostNotSent { why: error.with_hint(), at: app.clock.now() },
        CreateOutcome::Unknown => Event::PostUnknown,
    })
}

/// Lists until the marker is found or the lag bound has passed. An unreadable list proves nothing: then a person is asked
/// for that reason.
async fn look(app: &App, case: &Case, until: Timestamp) -> anyhow::Result<Done> {
    let found = writer(app)?.find_by_marker(&case.terms.marker).await;
    let at = app.clock.now();
    match found.as_deref() {
        Ok([only]) => return Ok(Done::Next(Event::FoundByMarker { policy_id: only.policy.id.clone() })),
        Ok([_, _, ..]) => {
            let policy_ids = found.into_iter().flatten().map(|found| found.policy.id).collect();
            return Ok(Done::Next(Event::FoundSeveral { policy_ids }));
        }
        Ok([]) if at >= until => return Ok(Done::Next(Event::LagBoundPassed { at })),
        Err(error) => {
            tracing::warn!(%error, marker = case.terms.marker, "the policies could not be listed");
            if at >= until {
                return Ok(Done::Next(Event::ListUnreadable { at }));
            }
        }
        Ok([]) => {}
    }
    soon(app).map(Done::Later)
}

fn soon(app: &App) -> anyhow::Result<Timestamp> {
    Ok(app.clock.now().saturating_add(SignedDuration::try_from(app.config.graph.read_back)?)?)
}

/// What follows on a failure: another try until the lag bound has passed, and then a person.
fn failed(app: &App, case: &Case, error: &dyn std::error::Error) -> anyhow::Result<Done> {
    tracing::warn!(error = %error, approval = case.kept.number, "an approval has to wait for Microsoft Graph");
    let at = app.clock.now();
    if case.state.bound(&case.terms).is_some_and(|bound| at >= bound) {
        return Ok(Done::Next(Event::LagBoundPassed { at }));
    }
    soon(app).map(Done::Later)
}

async fn read_back(app: &App, case: &Case, policy_id: &str) -> anyhow::Result<Done> {
    let at = app.clock.now();
    Ok(Done::Next(match writer(app)?.read_back(policy_id).await {
        Ok(found) => Event::ReadBack { same: same(&body(case)?, &found.policy), at },
        // It was looked for as long as the lag bound says, whenever that began.
        Err(GraphError::NotFound { .. }) => {
            Event::LagBoundPassed { at: app.clock.now().max(case.state.bound(&case.terms).unwrap_or(at)) }
        }
        Err(error) => return failed(app, case, &error),
    }))
}

/// Whether the tenant holds what was drafted, in report-only, whatever the service rewrote in form.
fn same(sent: &ReportOnlyPolicy, found: &Policy) -> bool {
    found.state == PolicyState::ReportOnly && sent.policy().same_meaning(found)
}

/// Takes a policy back that the bot made, if it still is as it was read back and the audit log knows of no edit: after
/// one, Graph may go on showing what was there before.
async fn remove(app: &App, case: &Case, policy_id: &str) -> anyhow::Result<Done> {
    let sent = body(case)?;
    let own = Policy { id: policy_id.to_owned(), ..sent.policy().clone() };
    let record = match edited(app, case, policy_id).await {
        Ok(record) => record,
        Err(error) => return failed(app, case, &error),
    };
    if record.is_none() {
        match writer(app)?.remove(&OwnPolicy(own.clone())).await {
            Ok(Removal::Deleted) => return Ok(Done::Next(Event::PolicyRemoved)),
            Ok(Removal::Gone) => return gone(app, case, policy_id).await,
            Err(RemoveError::NotReportOnly | RemoveError::Changed { .. }) => {}
            Err(error) => return failed(app, case, &error),
        }
    }
    match writer(app)?.read(&own.id).await {
        Ok(now) => {
            let analysis = app.newest_analysis().await?.context("the tenant wasn't read yet")?;
            let differs = lines(&own, &now.policy, analysis.snapshot());
            Ok(Done::Next(Event::PolicyLeft(Kept { record, differs })))
        }
        Err(GraphError::NotFound { .. }) => gone(app, case, policy_id).await,
        Err(error) => failed(app, case, &error),
    }
}

/// The policy is not there any more: an earlier request of the bot may have removed it, whose answer was lost, or somebody
/// else did. The audit log tells, late; until the lag bound it is waited for.
async fn gone(app: &App, case: &Case, policy_id: &str) -> anyhow::Result<Done> {
    let remover = match removal(app, case, policy_id).await {
        Ok(remover) => remover,
        Err(error) => {
            tracing::warn!(%error, approval = case.kept.number, "the audit log could not be read");
            None
        }
    };
    let waits = case.state.bound(&case.terms).is_some_and(|bound| app.clock.now() < bound);
    Ok(match remover {
        Some(Remover::Bot) => Done::Next(Event::PolicyRemoved),
        Some(Remover::Other(record)) => Done::Next(Event::PolicyGone { record: Some(record) }),
        None if waits => Done::Later(soon(app)?),
        None => Done::Next(Event::PolicyGone { record: None }),
    })
}

/// Who removed a policy.
enum Remover {
    /// The app that created it.
    Bot,
    /// Somebody else, or an app that the log doesn't know as the creator.
    Other(AuditRef),
}

/// Who removed a policy, as far as the audit log tells: whoever the log names for its creation too is the bot.
async fn removal(app: &App, case: &Case, policy_id: &str) -> Result<Option<Remover>, GraphError> {
    let records = changes(app, case, policy_id).await?;
    let newest = |verb: &str| records.iter().rev().find(|record| record.activity.starts_with(verb));
    Ok(newest("Delete").map(|deleted| match newest("Add") {
        Some(added) if case.draft().is_some() && !added.by_id.is_empty() && added.by_id == deleted.by_id => {
            Remover::Bot
        }
        _ => Remover::Other(audit_ref(deleted)),
    }))
}

/// The newest edit of the bot's own policy that the audit log knows of.
async fn edited(app: &App, case: &Case, policy_id: &str) -> Result<Option<AuditRef>, GraphError> {
    let records = changes(app, case, policy_id).await?;
    Ok(records.iter().rev().find(|record| record.activity.starts_with("Update")).map(audit_ref))
}

/// What the audit log knows of a policy since its card was made, oldest first.
async fn changes(app: &App, case: &Case, policy_id: &str) -> Result<Vec<AuditRecord>, GraphError> {
    let Some(graph) = &app.graph else { return Ok(Vec::new()) };
    let mut records = graph.audits_since(case.kept.created).await?;
    records.retain(|record| record.target_id == policy_id);
    Ok(records)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tenant::read_policy;

    #[test]
    fn the_body_that_will_be_sent_is_looked_at_too() {
        let draft = json!({"displayName": "Require MFA", "state": "enabledForReportingButNotEnforced",
            "conditions": {"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}},
            "grantControls": {"operator": "OR", "builtInControls": ["mfa"]}});
        let (policy, tenant) = (read_policy(&draft).unwrap(), Snapshot::default());
        assert_eq!(refused((&policy, &draft), &tenant), Vec::<String>::new());
        for (member, rule) in [("id", "is set by Microsoft Graph"), ("state", "enabledForReportingButNotEnforced")] {
            let mut body = draft.clone();
            body[member] = json!("enabled");
            let said = refused((&policy, &body), &tenant).join("; ");
            assert!(said.contains(rule), "{said}");
        }
    }
}
