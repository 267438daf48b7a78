//! Every published authentication context has a policy that is On.

use std::collections::BTreeSet;

use crate::engine::{Requirement, Scope};
use crate::facts::{Evidence, Fact, Row, Term};
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
        let unasked = |(id, _): &(&String, &String)| leaves_somebody_out(context, id);
        let open: Vec<(&String, &String)> = snapshot.contexts.iter().filter(unasked).collect();
        let listed = open.iter().map(|(id, name)| listed(context, (id, name)));
        let mut finding = listing::finding(context, (ABOUT.id, "authentication_contexts"), listed.collect());
        if !open.is_empty() {
            finding.cures.extend(cure(context, open.iter().map(|(id, _)| (*id).clone()).collect()));
        }
        finding
            .not_checked
            .push("which protected actions, roles and sites ask for a context (that wasn't read)".into());
        finding
    }
}

/// Whether somebody, or somebody under some conditions, is asked for nothing when the context is asked for.
fn leaves_somebody_out(context: &Context<'_>, id: &str) -> bool {
    let scope = Scope { authentication_context: Some(id.to_owned()), ..Scope::default() };
    let coverage = context.model.coverage(&Requirement::AnyPolicy, &scope);
    Gaps::any_in((&coverage, &scope), context.model, context.now)
}

fn listed(context: &Context<'_>, (id, name): (&str, &str)) -> Listed {
    let row = Row::Object {
        what: "Authentication context".into(),
        id: id.to_owned(),
        name: name.to_owned(),
        note: "no policy that is On asks everybody for anything".into(),
    };
    Listed {
        fact: Fact::new("authentication_contexts.context", context.stamp(Evidence::of([row])))
            .with("context", Term::Name(name.to_owned()))
            .with("id", Term::Word(id.to_owned())),
        cure: None,
    }
}

/// One policy for all of them.
fn cure(context: &Context<'_>, contexts: BTreeSet<String>) -> Option<Cure> {
    let strength = Control::Strength(well_known::STRENGTH_PHISHING_RESISTANT.to_owned());
    let what = "Phishing-resistant MFA for authentication contexts";
    let mut draft = drafts::for_everyone(&context.model.snapshot, what, &[strength]);
    draft.conditions.applications = Applications { contexts, ..Applications::default() };
    drafts::offer(context, "Require phishing-resistant MFA for authentication contexts", draft)
}
