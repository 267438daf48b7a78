//! Every published authentication context has a policy that is On, and what it and the resources ask for together is enough
//! for protected actions.

use std::collections::BTreeSet;

use crate::engine::{Requirement, Scope};
use crate::facts::{Fact, Row, Term};
use crate::tenant::policy::{Applications, Control};
use crate::tenant::{Kind, well_known};

use super::gaps::Gaps;
use super::listing::{self, Listed};
use super::{About, Check, Context, Cure, CureKind, Finding, Severity, Verdict, drafts};

/// Every published authentication context has a policy that is On.
#[derive(Debug)]
pub(super) struct AuthenticationContexts;

static ABOUT: About = About {
    id: "authentication-contexts",
    title: "Authentication contexts without a policy",
    severity: Severity::Medium,
    rationale: "Protected actions, PIM activation and sensitive sites ask for an authentication context. Without a policy for it the question is answered by anybody who is signed in.",
    references: &["ZT 21964"],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

/// Hours within which a sign-in counts as fresh for a protected action: any frequency is a session control of its own.
const SESSION: u32 = u32::MAX;

impl Check for AuthenticationContexts {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        if !snapshot.has(Kind::AuthenticationContextClassReferences) {
            let what = "which authentication contexts are published (authenticationContextClassReferences.json would settle it)";
            return listing::unread(context, (ABOUT.id, "authentication_contexts"), what);
        }
        if snapshot.contexts.is_empty() {
            return listing::open(context, ABOUT.id, "authentication_contexts.nobody", Verdict::NotApplicable);
        }
        // Where the resources themselves ask for as much as any use of a context takes, it needs no policy of its own.
        let unasked = |(id, _): &(&String, &String)| {
            is_weak(context, id) && leaves_somebody_out(context, &of(id), &Requirement::AnyPolicy)
        };
        let open: Vec<(&String, &String)> = snapshot.contexts.iter().filter(unasked).collect();
        let listed = open.iter().map(|(id, name)| listed(context, (id, name)));
        let mut finding = listing::finding(context, (ABOUT.id, "authentication_contexts"), listed.collect());
        if open.is_empty() {
            weak(context, &mut finding);
        } else {
            finding.cures.extend(cure(context, open.iter().map(|(id, _)| (*id).clone()).collect()));
        }
        finding
            .not_checked
            .push("which protected actions, roles and sites ask for a context (that wasn't read)".into());
        finding
    }
}

/// Sign-ins that ask for a context.
fn of(id: &str) -> Scope {
    Scope { authentication_context: Some(id.to_owned()), ..Scope::default() }
}

/// Whether somebody, or somebody under some conditions, isn't asked for this.
fn leaves_somebody_out(context: &Context<'_>, scope: &Scope, asked: &Requirement) -> bool {
    let coverage = context.model.coverage(asked, scope);
    Gaps::any_in((&coverage, scope), context.model, context.now)
}

/// Whether somebody is asked for less than phishing-resistant MFA or a fresh sign-in, by the context and the resource that
/// asks for it together.
fn is_weak(context: &Context<'_>, id: &str) -> bool {
    let enough = [Requirement::PhishingResistantMfa, Requirement::SignInFrequency { hours: SESSION }];
    let scope = Scope { context_on_resources: true, ..of(id) };
    enough.iter().all(|asked| leaves_somebody_out(context, &scope, asked))
}

/// Any context may be the one that protected actions carry, which takes phishing-resistant MFA or a fresh sign-in. For
/// another use less may be enough, so that a person has to look.
fn weak(context: &Context<'_>, finding: &mut Finding) {
    let weak = |(id, _): &(&String, &String)| is_weak(context, id);
    let weak: Vec<(&String, &String)> = context.model.snapshot.contexts.iter().filter(weak).collect();
    if weak.is_empty() {
        return;
    }
    let rows =
        weak.iter().map(|(id, name)| row((id, name), "a policy that is On asks for less than protected actions take"));
    let fact = Fact::new("authentication_contexts.weak", context.evidence(rows))
        .with("count", weak.len())
        .with("contexts", weak.iter().map(|(id, name)| format!("{name} ({id})")).collect::<Vec<_>>())
        .must_show();
    finding.verdict = Verdict::Review;
    finding.facts = vec![fact];
}

fn listed(context: &Context<'_>, (id, name): (&str, &str)) -> Listed {
    let row = row((id, name), "no policy that is On asks everybody for anything");
    Listed {
        fact: Fact::new("authentication_contexts.context", context.evidence([row]))
            .with("context", Term::Name(name.to_owned()))
            .with("id", Term::Word(id.to_owned())),
        cure: None,
    }
}

fn row((id, name): (&str, &str), note: &str) -> Row {
    let what = "Authentication context".into();
    Row::Object { what, id: id.to_owned(), name: name.to_owned(), note: note.to_owned() }
}

/// One policy for all of them.
fn cure(context: &Context<'_>, contexts: BTreeSet<String>) -> Option<Cure> {
    let strength = Control::Strength(well_known::STRENGTH_PHISHING_RESISTANT.to_owned());
    let what = "Phishing-resistant MFA for authentication contexts";
    let mut draft = drafts::for_everyone(&context.model.snapshot, what, &[strength]);
    draft.conditions.applications = Applications { contexts, ..Applications::default() };
    drafts::offer(context, "Require phishing-resistant MFA for authentication contexts", draft)
}
