//! What is certain of a sign-in whose target resource isn't named: whoever is blocked nearly everywhere is blocked.

use std::collections::BTreeSet;

use crate::bot::answers::Asked;
use crate::bot::answers::stated::Stated;
use crate::checks::cause_words::app_name;
use crate::checks::rows;
use crate::engine::{Applies, Decision, Outcome};
use crate::facts::{Fact, Term};
use crate::tenant::policy::{Applications, Conditions, Control};
use crate::tenant::sign_in::Target;
use crate::tenant::{Policy, SignIn};

/// What the engine calls it that the question names no target resource.
pub(super) const TARGET: &str = "the target resource";

/// Target resources that aren't blocked are looked into one by one, up to this many.
const SPARED: usize = 20;

/// Whether a policy is met in everything but the target resource, which the question leaves open.
pub(super) fn hangs_on_it_alone(applies: &Applies) -> bool {
    matches!(applies, Applies::DependsOn(on) if on.iter().all(|what| what == TARGET))
}

/// That every target resource is blocked, or all but some, with what is so at those; none where it isn't so.
pub(super) fn blocked(asked: Asked<'_>, stated: &Stated<'_>, outcome: &Outcome) -> Option<Vec<Fact>> {
    if stated.sign_in.target != Target::Unstated || matches!(outcome.decision, Decision::Block { .. }) {
        return None;
    }
    let (model, snapshot) = (&asked.analysis.model, asked.analysis.snapshot());
    let hang = outcome.policies.iter().filter(|one| !one.report_only && hangs_on_it_alone(&one.applies));
    let by: Vec<&Policy> =
        hang.filter_map(|one| snapshot.policy(&one.policy_id)).filter(|policy| blocks(policy)).collect();
    let blocked: BTreeSet<String> = by.iter().flat_map(|policy| model.apps_of(policy)).collect();
    // An app that nothing names has no id.
    if !blocked.contains("") {
        return None;
    }
    let spared: Vec<String> = model.apps_of(&everywhere()).difference(&blocked).cloned().collect();
    let looked_at = outcome.policies.iter().filter(|one| !one.report_only).count();
    let names = by.iter().map(|policy| policy.display_name.clone()).collect();
    let disabled = stated.user.is_some_and(|user| !user.enabled);
    let fact = Fact::new("what_if.blocked", asked.analysis.evidence(by.iter().map(|policy| rows::policy(policy))))
        .with("policies", Term::Names(names))
        .with("except", apps(asked, &spared))
        .with("of", looked_at)
        .with("disabled", Term::Word(if disabled { "yes" } else { "" }.to_owned()))
        .must_show();
    Some([vec![fact], at(asked, stated, &spared)].concat())
}

pub(super) fn blocks(policy: &Policy) -> bool {
    policy.grant.as_ref().is_some_and(|grant| grant.controls.contains(&Control::Block))
}

/// A policy about all resources.
fn everywhere() -> Policy {
    let applications = Applications { all: true, ..Applications::default() };
    Policy { conditions: Conditions { applications, ..Conditions::default() }, ..Policy::default() }
}

fn apps(asked: Asked<'_>, ids: &[String]) -> Term {
    Term::Names(ids.iter().map(|id| app_name(asked.analysis.snapshot(), id)).collect())
}

/// What is so at each of a few target resources; those with the same decision together.
fn at(asked: Asked<'_>, stated: &Stated<'_>, spared: &[String]) -> Vec<Fact> {
    if spared.len() > SPARED {
        return Vec::new();
    }
    let mut all: Vec<(Outcome, Vec<String>)> = Vec::new();
    for id in spared {
        let sign_in = SignIn { target: Target::Apps(vec![id.clone()]), ..stated.sign_in.clone() };
        let outcome = asked.analysis.model.evaluate(&sign_in);
        match all.iter_mut().find(|(other, _)| other.decision == outcome.decision) {
            Some((_, ids)) => ids.push(id.clone()),
            None => all.push((outcome, vec![id.clone()])),
        }
    }
    let told = |(outcome, ids): &(Outcome, Vec<String>)| {
        let fact = super::decision(asked.analysis, (&stated.sign_in, outcome), false);
        Fact { key: fact.key.replace("what_if.", "what_if.at_"), ..fact }.with("apps", apps(asked, ids))
    };
    all.iter().map(told).collect()
}
