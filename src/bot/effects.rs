//! The effects of an approval on the outside: read again, create once, look for the marker, read back, take back.

use std::sync::Arc;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};

use crate::app::App;
use crate::approval::{Effect, Event};
use crate::engine::{Model, Truth};
use crate::graph::{CreateOutcome, GraphError, OwnPolicy, RemoveError, Writer};
use crate::store::snapshots::OtherVersion;
use crate::suggestions::draft::{ReportOnlyPolicy, marked_name};
use crate::suggestions::lint::{Level, lint};
use crate::tenant::policy::PolicyState;
use crate::tenant::{Policy, Snapshot, version_of};

use super::approve::Case;

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
            Effect::CommitIntent => Ok(Done::Next(Event::IntentCommitted { at: app.clock.now() })),
            Effect::Create => create(app, case).await.map(Done::Next),
            Effect::LookForMarker { until } => look(app, case, *until).await,
            Effect::ReadBack { policy_id } => read_back(app, case, policy_id).await.map(Done::Next),
            Effect::RemovePolicy { policy_id } => remove(app, case, policy_id).await.map(Done::Next),
            Effect::Record(_) | Effect::UpdateCard | Effect::Tell(_) => continue,
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

/// Reads the policies again; whatever changed since the analysis makes the card out of date. Then lint.
async fn check_again(app: &App, case: &Case) -> anyhow::Result<Event> {
    let graph = app.graph.as_ref().context("no live tenant")?;
    let live = graph.policies().await?;
    let before = match app.store.load_snapshot(&case.body.snapshot).await {
        Err(error) if error.is::<OtherVersion>() => return Ok(Event::OutOfDate { why: error.to_string() }),
        loaded => loaded?,
    };
    if let Some(why) = changed(&before.policies, &live) {
        return Ok(Event::OutOfDate { why });
    }
    let now = Snapshot { policies: live, ..before };
    let draft = body(case)?;
    let objections = lint(draft.policy(), &now).into_iter();
    let errors = objections.filter(|objection| objection.level == Level::Error).map(|objection| objection.message);
    let errors: Vec<String> =
        errors.chain(duplicate(draft.policy(), &now)).chain(locked_out(draft.policy(), now)).collect();
    Ok(if errors.is_empty() { Event::ChecksPassed } else { Event::ChecksFailed { why: errors.join("; ") } })
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

/// The admin lock-out check: nobody may be kept from turning the policy Off again. A tenant in which nobody is known to
/// get in today isn't made worse by it.
fn locked_out(draft: &Policy, now: Snapshot) -> Option<String> {
    let model = Model::new(Arc::new(now));
    let worse = model.lockout(draft).anybody() == Truth::No && model.lockout_now().anybody() != Truth::No;
    worse.then(|| "if this policy were On, no administrator could sign in any more".to_owned())
}

/// What differs between the policies that the card rests on and those of now, in words. A policy that isn't On, before or
/// now, enforces nothing, so it can't have changed what the card says.
fn changed(before: &[Policy], now: &[Policy]) -> Option<String> {
    let is_on = |policy: &&Policy| policy.state == PolicyState::Enabled;
    for policy in now {
        match before.iter().find(|known| known.id == policy.id) {
            None if is_on(&policy) => return Some(format!("policy {} was added", policy.display_name)),
            Some(known) if version_of(known) != version_of(policy) && (is_on(&policy) || is_on(&known)) => {
                return Some(format!("policy {} was changed", policy.display_name));
            }
            None | Some(_) => {}
        }
    }
    let gone = before.iter().filter(is_on).find(|known| now.iter().all(|policy| policy.id != known.id));
    gone.map(|policy| format!("policy {} was deleted", policy.display_name))
}

/// Sends the one request. Whoever committed `posting` is here, once; anything that isn't a clear answer is unknown.
async fn create(app: &App, case: &Case) -> anyhow::Result<Event> {
    Ok(match writer(app)?.create(&body(case)?).await {
        CreateOutcome::Created(policy_id) => Event::PostAnswered { policy_id },
        CreateOutcome::Rejected(error) => Event::PostRefused { why: error.with_hint() },
        CreateOutcome::Unknown => Event::PostUnknown,
    })
}

/// Lists until the marker is found or the lag bound has passed. An unreadable list proves nothing: look again.
async fn look(app: &App, case: &Case, until: Timestamp) -> anyhow::Result<Done> {
    let found = writer(app)?.find_by_marker(&case.terms.marker).await;
    if let Ok(found) = &found
        && let Some(first) = found.first()
    {
        return Ok(Done::Next(Event::FoundByMarker { policy_id: first.policy.id.clone() }));
    }
    let now = app.clock.now();
    if now >= until && found.is_ok() {
        return Ok(Done::Next(Event::LagBoundPassed { at: now }));
    }
    let pause = SignedDuration::try_from(app.config.graph.read_back)?;
    Ok(Done::Later(now.saturating_add(pause).unwrap_or(until)))
}

async fn read_back(app: &App, case: &Case, policy_id: &str) -> anyhow::Result<Event> {
    let at = app.clock.now();
    Ok(match writer(app)?.read_back(policy_id).await {
        Ok(found) => Event::ReadBack { same: same(&body(case)?, &found.policy), at },
        Err(GraphError::NotFound { .. }) => Event::LagBoundPassed { at: app.clock.now() },
        Err(error) => return Err(error.into()),
    })
}

/// Whether the tenant holds what was drafted, in report-only, whatever the service rewrote in form.
fn same(sent: &ReportOnlyPolicy, found: &Policy) -> bool {
    found.state == PolicyState::ReportOnly && sent.policy().same_meaning(found)
}

/// Takes a policy back that the bot made, if it still is as it was read back.
async fn remove(app: &App, case: &Case, policy_id: &str) -> anyhow::Result<Event> {
    let sent = body(case)?;
    let own = OwnPolicy(Policy { id: policy_id.to_owned(), ..sent.policy().clone() });
    Ok(match writer(app)?.remove(&own).await {
        Ok(()) => Event::PolicyRemoved,
        Err(RemoveError::NotReportOnly | RemoveError::Changed { .. }) => Event::PolicyLeft,
        Err(error) => return Err(error.into()),
    })
}
