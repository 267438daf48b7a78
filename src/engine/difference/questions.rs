//! What both sides are asked: what everybody wants to know as far as a policy names it, and everything that a policy of
//! either side asks, of the sign-ins of which it does.

use std::collections::BTreeSet;

use crate::engine::Model;
use crate::engine::coverage::{Requirement, Scope};
use crate::engine::demands::{asked, scopes};
use crate::tenant::policy::{ClientAppType, InsiderRisk, PolicyState, RiskLevel, TransferMethod};
use crate::tenant::well_known::{REGISTER_DEVICE, REGISTER_SECURITY_INFO};
use crate::tenant::words::Word;
use crate::tenant::{Policy, Strength};

/// A requirement that both sides are asked about.
#[derive(Debug)]
pub(super) struct Question {
    /// The requirement and its scope, as people read it.
    pub(super) name: String,
    pub(super) requirement: Requirement,
    pub(super) scope: Scope,
    /// Strengths as they are asked about on both sides.
    pub(super) strengths: Vec<Strength>,
}

/// Everything that is asked, each once.
pub(super) fn questions(sides: [&Model; 2]) -> Vec<Question> {
    let mut all: Vec<Question> = Vec::new();
    let on = |policy: &&Policy| policy.state == PolicyState::Enabled;
    let named: BTreeSet<Requirement> = sides
        .iter()
        .flat_map(|side| side.snapshot.policies.iter().filter(on))
        .flat_map(|policy| asked(policy).into_iter().map(|one| one.requirement))
        .collect();
    for (name, requirement, scope) in usual().into_iter().filter(|(_, requirement, _)| is_of_use(requirement, &named)) {
        add(&mut all, Question { name, requirement, scope, strengths: Vec::new() });
    }
    for policy in sides.iter().flat_map(|side| side.snapshot.policies.iter()).filter(on) {
        for scope in scopes(policy).into_iter().filter(|scope| is_named(policy, scope)) {
            for (word, requirement, strengths) in
                asked(policy).into_iter().flat_map(|one| each_strength(sides, one.requirement))
            {
                let name = format!("{word}{}", scope_word(&scope));
                add(&mut all, Question { name, requirement, scope: scope.clone(), strengths });
            }
        }
    }
    all
}

/// Whether what a tenant's policies name has anything to do with a requirement. Where MFA keeps out a client that can't do
/// it, everything else holds there too; but a change of that is no change of terms of use that nobody asks for.
fn is_of_use(requirement: &Requirement, named: &BTreeSet<Requirement>) -> bool {
    use Requirement as R;
    let any = |like: fn(&R) -> bool| named.iter().any(like);
    match requirement {
        R::Mfa | R::AnyPolicy => true,
        R::PhishingResistantMfa => any(|one| matches!(one, R::Strength(_))),
        R::ManagedDevice => {
            any(|one| matches!(one, R::ManagedDevice | R::CompliantDevice | R::HybridDevice | R::MfaOrManagedDevice))
        }
        R::PasswordChange => any(|one| matches!(one, R::PasswordChange | R::RiskRemediation)),
        R::SignInFrequency { .. } => any(|one| matches!(one, R::SignInFrequency { .. })),
        other => named.contains(other),
    }
}

/// Whether a policy is about these sign-ins by name; that it reaches a user action through all resources is no news.
fn is_named(policy: &Policy, scope: &Scope) -> bool {
    let targets = &policy.conditions.applications;
    scope.user_action.as_ref().is_none_or(|urn| targets.user_actions.contains(urn))
}

fn add(all: &mut Vec<Question>, question: Question) {
    let same = |one: &Question| one.requirement == question.requirement && one.scope == question.scope;
    if !all.iter().any(same) {
        all.push(question);
    }
}

/// What is asked whatever the policies say.
fn usual() -> Vec<(String, Requirement, Scope)> {
    let legacy = Scope {
        client_apps: BTreeSet::from([ClientAppType::ExchangeActiveSync, ClientAppType::Other]),
        ..Scope::default()
    };
    let device_code = Scope { flows: BTreeSet::from([TransferMethod::DeviceCodeFlow]), ..Scope::default() };
    let everywhere = [
        Requirement::Mfa,
        Requirement::PhishingResistantMfa,
        Requirement::ManagedDevice,
        Requirement::AppProtection,
        Requirement::PasswordChange,
        Requirement::TermsOfUse,
        Requirement::TokenProtection,
        Requirement::AppEnforcedRestrictions,
        Requirement::AppControl,
        Requirement::NoPersistentBrowser,
        Requirement::SignInFrequency { hours: 24 },
        Requirement::Block,
        Requirement::AnyPolicy,
    ];
    let everywhere = everywhere.into_iter().map(|one| (one.words(), one, Scope::default()));
    let narrow = [
        ("a block of legacy authentication".to_owned(), Requirement::Block, legacy),
        ("a block of device code flow".to_owned(), Requirement::Block, device_code),
    ];
    everywhere.chain(narrow).collect()
}

/// A requirement with its words. A strength is asked about as what it was, and as what it is now where that is something
/// else: under the same id the two sides would each mean their own.
fn each_strength(sides: [&Model; 2], requirement: Requirement) -> Vec<(String, Requirement, Vec<Strength>)> {
    let Requirement::Strength(id) = &requirement else { return vec![(requirement.words(), requirement, Vec::new())] };
    let [was, is] = sides.map(|side| side.snapshot.strengths.get(id));
    let changed = was.zip(is).is_some_and(|(was, is)| was.allowed_combinations != is.allowed_combinations);
    let ask = |strength: Option<&Strength>, when: &str| {
        let strength = strength?;
        let id = format!("{}{when}", strength.id);
        let name = format!("the authentication strength {}{when}", strength.display_name);
        Some((name, Requirement::Strength(id.clone()), vec![Strength { id, ..strength.clone() }]))
    };
    let asked = if changed {
        vec![ask(was, " as it was"), ask(is, " as it is now")]
    } else {
        vec![ask(was.or(is), "").map(|(name, _, strengths)| (name, requirement.clone(), strengths))]
    };
    asked.into_iter().flatten().collect()
}

/// Which sign-ins, as people read it; nothing for all.
fn scope_word(scope: &Scope) -> String {
    let mut words = Vec::new();
    match scope.user_action.as_deref() {
        None => {}
        Some(REGISTER_SECURITY_INFO) => words.push(" for the registration of security information".to_owned()),
        Some(REGISTER_DEVICE) => words.push(" for the registration of devices".to_owned()),
        Some(urn) => words.push(format!(" for {urn}")),
    }
    words.extend(scope.authentication_context.iter().map(|id| format!(" for authentication context {id}")));
    let level = |level: &RiskLevel, of: &str| format!(" at {} {of} risk", level.word());
    words.extend(scope.sign_in_risk.iter().map(|one| level(one, "sign-in")));
    words.extend(scope.user_risk.iter().map(|one| level(one, "user")));
    words.extend(scope.insider_risk.iter().map(|one: &InsiderRisk| format!(" at {} insider risk", one.word())));
    words.extend(scope.flows.iter().map(|flow| match flow {
        TransferMethod::DeviceCodeFlow => " of device code flow".to_owned(),
        TransferMethod::AuthenticationTransfer => " of authentication transfer".to_owned(),
    }));
    words.concat()
}
