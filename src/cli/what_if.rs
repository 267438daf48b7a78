//! `portcullis what-if`: one sign-in, in the words of Graph's `evaluate`, against a folder of policies.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::bot::analysis::Analysis;
use crate::bot::answer::{Answer, Part, column};
use crate::bot::answers::what_if::hinges::Hinges;
use crate::bot::answers::what_if::{cannot, decision, kind_word, sessions};
use crate::bot::describe::grant_words;
use crate::checks::rows::{self, state_word};
use crate::clock::Clock;
use crate::engine::evaluate::{Decision, Demand};
use crate::engine::request::{Unstated, read_request, respond};
use crate::engine::{Applies, Outcome, PolicyOutcome};
use crate::facts::{Fact, Term, Wording};
use crate::tenant::sign_in::{Identity, Target};
use crate::tenant::write::{write_frequency, write_session};
use crate::tenant::{Kind, Policy, SignIn, Snapshot};

use super::{Ended, folder, output};

/// What a request looks like, for `--help`.
const EXAMPLE: &str = r#"REQUEST is the body of Graph's `POST /identity/conditionalAccess/evaluate`, so that a recorded request can be
tried here and the answers compared:

  {"signInIdentity": {"userId": "<object id>"},
   "signInContext": {"includeApplications": ["<app id>"]},
   "signInConditions": {"clientAppType": "browser", "devicePlatform": "iOS", "country": "BR"}}"#;

/// Arguments of `what-if`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLE)]
pub(super) struct WhatIf {
    /// A folder, or one file, of exported policies and whatever else of the tenant there is
    path: PathBuf,
    /// The sign-in as JSON, in the shape of Graph's `evaluate` request; `-` for standard input
    request: PathBuf,
    /// How to print; `json` is the shape of Graph's response, with our decision beside it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// What a condition means that the request doesn't state: none, as Graph takes it, or not known
    #[arg(long, value_enum, default_value_t = Open::None)]
    unstated: Open,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For machines
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Open {
    /// There is none
    None,
    /// It isn't known: policies that need it depend on it
    Unknown,
}

impl WhatIf {
    /// Reads, evaluates, prints.
    pub(super) fn run(self) -> anyhow::Result<Ended> {
        let request = folder::json(&self.request)?;
        let unstated = match self.unstated {
            Open::None => Unstated::None,
            Open::Unknown => Unstated::Unknown,
        };
        let sign_in = read_request(&request, unstated).with_context(|| format!("{}", self.request.display()))?;
        check_stated(&sign_in).with_context(|| format!("{}", self.request.display()))?;
        let analysis = Analysis::unchecked(folder::read(&self.path, &Clock::system())?);
        check_known(&sign_in, analysis.snapshot()).with_context(|| format!("{}", self.request.display()))?;
        let outcome = analysis.model.evaluate(&sign_in);
        // A device that nobody stated stops nobody, whatever it counts as.
        let stated = read_request(&request, Unstated::Unknown)?;
        match self.format {
            Format::Text => {
                output::answer(
                    told(&analysis, (&sign_in, &stated), &outcome),
                    &Wording::new(jiff::tz::TimeZone::system())?,
                )?;
            }
            Format::Json => {
                let applied_only = request.get("appliedPoliciesOnly").and_then(Value::as_bool) == Some(true);
                let response = machine(analysis.snapshot(), (&outcome, &stated), applied_only);
                output::line(&serde_json::to_string_pretty(&response)?);
            }
        }
        Ok(Ended::Fine)
    }
}

/// Graph refuses a request without an identity or a target; so do we, since both decide everything.
fn check_stated(sign_in: &SignIn) -> anyhow::Result<()> {
    anyhow::ensure!(
        sign_in.identity != Identity::Unstated,
        "/signInIdentity: expected a userId, an externalUserType or a servicePrincipalId"
    );
    anyhow::ensure!(
        sign_in.target != Target::Unstated,
        "/signInContext: expected includeApplications, userAction or authenticationContextValue"
    );
    Ok(())
}

/// Whom nobody knows of in the directory that was read, no policy could be judged for; and what is no app id is remarked on.
fn check_known(sign_in: &SignIn, snapshot: &Snapshot) -> anyhow::Result<()> {
    let directory = &snapshot.directory;
    let known = match &sign_in.identity {
        Identity::User { id: Some(id), guest: None, .. } if snapshot.has(Kind::Users) => {
            directory.user(id).map(|_| ()).ok_or(("userId", id, "user", "users.json"))
        }
        Identity::ServicePrincipal(id) if snapshot.has(Kind::ServicePrincipals) => {
            let any = directory.service_principals.iter().any(|one| one.id == *id);
            any.then_some(()).ok_or(("servicePrincipalId", id, "service principal", "servicePrincipals.json"))
        }
        _ => Ok(()),
    };
    if let Target::Apps(apps) = &sign_in.target {
        for app in apps.iter().filter(|app| uuid::Uuid::parse_str(app).is_err()) {
            output::remark(&format!("{app:?} is no app id: it is taken for an app that no policy names"));
        }
    }
    known.map_err(|(member, id, what, file)| {
        anyhow::anyhow!("/signInIdentity/{member}: expected the object id of a {what} in {file}, found {id:?}")
    })
}

/// The decision, then each policy with its result, as a table.
fn told(analysis: &Analysis, (sign_in, stated): (&SignIn, &SignIn), outcome: &Outcome) -> Answer {
    let snapshot = analysis.snapshot();
    let disabled = match &sign_in.identity {
        Identity::User { id: Some(id), .. } => snapshot.directory.user(id).is_some_and(|user| !user.enabled),
        _ => false,
    };
    let row = |one: &PolicyOutcome| {
        let policy = snapshot.policy(&one.policy_id)?;
        let (result, because) = result(one, policy, (sign_in, snapshot));
        Some(vec![policy.display_name.clone(), state_word(policy.state).to_owned(), result.to_owned(), because])
    };
    let mut rows: Vec<(u8, Vec<String>)> =
        outcome.policies.iter().filter_map(|one| Some((order(one), row(one)?))).collect();
    rows.sort_by_key(|(order, _)| *order);
    let decided = [decision(analysis, (sign_in, outcome), disabled)].into_iter();
    let decided = decided.chain(cannot::said(analysis, stated, outcome)).chain(sessions(analysis, outcome));
    let decided = decided.chain(unknown_sessions(analysis, outcome));
    Answer::sentences(decided.collect()).part(Part::Table {
        columns: ["Policy", "Enable policy", "Result", "Because"].map(column).to_vec(),
        rows: rows.into_iter().map(|(_, row)| row).collect(),
        more: 0,
    })
}

/// Session controls of policies that apply which this program doesn't know.
fn unknown_sessions(analysis: &Analysis, outcome: &Outcome) -> Option<Fact> {
    let snapshot = analysis.snapshot();
    let of = |policy: &Policy| {
        let session = unknown_in_session(policy).into_iter();
        session.map(|pointer| format!("{pointer} of {}", policy.display_name)).collect::<Vec<_>>()
    };
    let applied: Vec<&Policy> = outcome.applied(false).into_iter().filter_map(|id| snapshot.policy(id)).collect();
    let found: Vec<String> = applied.iter().flat_map(|policy| of(policy)).collect();
    let by = applied.iter().filter(|policy| !of(policy).is_empty()).map(|policy| rows::policy(policy));
    (!found.is_empty()).then(|| {
        Fact::new("what_if.unknown_sessions", analysis.evidence(by)).with("what", Term::Names(found)).must_show()
    })
}

/// JSON pointers of the session controls that this program doesn't know.
fn unknown_in_session(policy: &Policy) -> Vec<&str> {
    policy.undecided.iter().map(String::as_str).filter(|pointer| pointer.starts_with("/sessionControls")).collect()
}

/// What applies first, then what may, then the rest.
fn order(one: &PolicyOutcome) -> u8 {
    match (&one.applies, one.report_only) {
        (Applies::Yes, false) => 0,
        (Applies::DependsOn(_) | Applies::NotDecided(_), false) => 1,
        (Applies::Yes | Applies::DependsOn(_) | Applies::NotDecided(_), true) => 2,
        (Applies::No(_), _) => 3,
    }
}

fn result(one: &PolicyOutcome, policy: &Policy, (sign_in, snapshot): (&SignIn, &Snapshot)) -> (&'static str, String) {
    let list = |on| Hinges::of(on, sign_in, snapshot).all().join(", ");
    match &one.applies {
        Applies::Yes => {
            let asks = policy.grant.as_ref().map(|grant| grant_words(grant, snapshot));
            ("applies", asks.unwrap_or_else(|| "Session controls only".to_owned()))
        }
        Applies::DependsOn(on) => ("depends", list(on)),
        Applies::NotDecided(on) => ("needs a manual look", list(on)),
        Applies::No(kind) => ("not applied", kind_word(*kind).to_owned()),
    }
}

/// Graph's response, and beside it what Graph doesn't say: what all policies come to.
fn machine(snapshot: &Snapshot, (outcome, stated): (&Outcome, &SignIn), applied_only: bool) -> Value {
    let mut response = respond(snapshot, outcome, applied_only);
    if let Some(members) = response.as_object_mut() {
        members.insert("decision".to_owned(), decided(&outcome.decision));
        let unmet = cannot::unmet(snapshot, stated, outcome).map(|demand| json!(demand.policy_id)).collect();
        members.insert("cannotMeet".to_owned(), Value::Array(unmet));
        members.insert("session".to_owned(), write_session(&outcome.session));
        let often = outcome.frequencies.iter().map(|one| write_frequency(*one)).collect();
        members.insert("signInFrequencies".to_owned(), Value::Array(often));
        let applied = outcome.applied(false).into_iter().filter_map(|id| snapshot.policy(id));
        let open = applied.map(|policy| (policy.id.clone(), json!(unknown_in_session(policy))));
        let open = open.filter(|(_, pointers)| pointers.as_array().is_some_and(|pointers| !pointers.is_empty()));
        members.insert("sessionNotDecided".to_owned(), Value::Object(open.collect()));
    }
    response
}

fn decided(decision: &Decision) -> Value {
    let demands = |demands: &[Demand]| -> Vec<Value> {
        let one = |demand: &Demand| json!({"policy": demand.policy_id, "operator": demand.operator, "controls": demand.controls});
        demands.iter().map(one).collect()
    };
    match decision {
        Decision::Allow => json!("allow"),
        Decision::Block { by } => json!({"block": by}),
        Decision::Require(all) => json!({"require": demands(all)}),
        Decision::DependsOn { on, surely } => json!({"dependsOn": on, "require": demands(surely)}),
    }
}
