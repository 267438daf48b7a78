//! How far the running scan is, in words: for answers, for the page, and for whoever asks before the first one is over.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::facts::{Evidence, Fact, Term};
use crate::store::runs::{Run, RunState};
use crate::tenant::Kind;

/// How far a scan is, as it is kept with the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SoFar {
    /// Objects read, by kind.
    pub objects: BTreeMap<Kind, u64>,
    /// Kinds that were read to their end.
    pub done: BTreeSet<Kind>,
    /// Pages read.
    pub pages: u64,
    /// All is read, and is being judged.
    pub judging: bool,
}

/// A scan that is under way.
#[derive(Clone, Debug, PartialEq)]
pub struct UnderWay {
    /// The sentence that says how far it is.
    pub fact: Fact,
    /// How far in percent, by the time that the last one took; none for the first one.
    pub percent: Option<u64>,
}

/// The scan that is under way; none when none is.
///
/// # Errors
/// When the store fails.
pub async fn under_way(app: &App) -> anyhow::Result<Option<UnderWay>> {
    let run = app.store.newest_run(app.tenant()).await?.filter(|run| run.state == RunState::Running);
    let Some(run) = run else { return Ok(None) };
    let last = app.store.last_finished_run(app.tenant()).await?;
    let took = last.and_then(|last| Some(seconds(last.started, last.finished?)));
    Ok(Some(told(app, &run, took)))
}

fn seconds(from: jiff::Timestamp, to: jiff::Timestamp) -> i64 {
    (to.as_second() - from.as_second()).max(0)
}

/// How far a running scan is; `took` are the seconds that the last one took.
fn told(app: &App, run: &Run, took: Option<i64>) -> UnderWay {
    let so_far: SoFar = serde_json::from_value(run.progress.clone()).unwrap_or_default();
    let passed = seconds(run.started, app.clock.now());
    let rest = took.map(|took| took - passed).filter(|rest| *rest > 0);
    let words =
        |kinds: &mut dyn Iterator<Item = Kind>| kinds.map(|kind| kind_word(kind).to_owned()).collect::<Vec<_>>();
    let done = words(&mut so_far.done.iter().copied());
    // What couldn't be read is never done.
    let open = |kind: &Kind| !so_far.judging && !so_far.done.contains(kind);
    let reading = words(&mut so_far.objects.keys().copied().filter(open));
    let key = match (run.cancel, run.concluding) {
        (true, _) => "cancel.stopping",
        (false, true) => "cancel.concluding",
        (false, false) => "cancel.running",
    };
    let fact = Fact::new(key, Evidence::default())
        .with("since", run.started)
        .with("objects", so_far.objects.values().sum::<u64>())
        .with("pages", so_far.pages)
        .with("done", done)
        .with("reading", reading)
        .with("judging", Term::Word(if so_far.judging { "yes" } else { "" }.to_owned()))
        .with("rest", Term::Word(rest.map_or_else(String::new, about)))
        .must_show();
    let percent = took.filter(|took| *took > 0).map(|took| u64::try_from(passed * 100 / took).unwrap_or(0).min(99));
    UnderWay { fact, percent }
}

/// A kind of object as people call it.
pub(crate) fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Policies => "policies",
        Kind::Users => "people",
        Kind::Groups => "groups",
        Kind::RoleAssignments => "role assignments",
        Kind::RoleDefinitions => "roles",
        Kind::ServicePrincipals => "apps",
        Kind::NamedLocations => "named locations",
        Kind::AuthenticationStrengthPolicies => "authentication strengths",
        Kind::AuthenticationContextClassReferences => "authentication contexts",
        Kind::TermsOfUse => "terms of use",
        Kind::Devices => "devices",
        Kind::UserRegistrationDetails => "registered methods",
        Kind::RiskyUsers => "users at risk",
        Kind::SubscribedSkus => "licences",
        Kind::IdentitySecurityDefaultsEnforcementPolicy => "security defaults",
        Kind::CrossTenantAccessPolicy => "cross-tenant settings",
        Kind::SignIns => "sign-ins",
        Kind::DirectoryAudits => "the audit log",
    }
}

/// A time that is only known roughly.
fn about(seconds: i64) -> String {
    match seconds {
        ..10 => "a few seconds".to_owned(),
        10..90 => format!("about {} seconds", seconds / 10 * 10),
        _ => format!("about {} minutes", (seconds + 30) / 60),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::bot::answers::testing::app;
    use crate::facts::Style;
    use crate::store::runs::RunEnd;

    async fn said(app: &App) -> String {
        let under_way = under_way(app).await.unwrap();
        under_way.map_or_else(String::new, |one| app.wording.of(&one.fact, Style::Full).unwrap())
    }

    #[tokio::test]
    async fn stages_are_said_and_the_rest_is_estimated_by_the_last_scan() {
        let app = app().await;
        assert_eq!(said(&app).await, "");
        let (tenant, now) = (app.tenant().to_owned(), app.clock.now());
        let ago = |seconds: i64| now - jiff::SignedDuration::from_secs(seconds);
        app.store.start_run("first", &tenant, ago(300)).await.unwrap();
        let end = RunEnd { state: RunState::Finished, snapshot: None, error: None, at: ago(210) };
        app.store.end_run("first", &end).await.unwrap();
        app.store.start_run("second", &tenant, ago(30)).await.unwrap();
        let progress = json!({"objects": {"policies": 25, "users": 500, "signIns": 4000}, "done": ["policies", "users"], "pages": 12});
        app.store.run_progress("second", &progress).await.unwrap();
        insta::assert_snapshot!(said(&app).await, @"A scan has been running since Tue 24 Nov 07:59: policies and people read; sign-ins still being read (4,525 objects on 12 pages so far); about 60 seconds left. It can be stopped at any moment; what was known before stays.");
        assert_eq!(under_way(&app).await.unwrap().unwrap().percent, Some(33));
    }
}
