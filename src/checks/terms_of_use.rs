//! Every terms of use that there are, somebody is asked to accept.

use crate::facts::{Fact, Row, Term};
use crate::tenant::policy::{Control, PolicyState};
use crate::tenant::{Kind, Policy};

use super::listing::{self, Listed};
use super::{About, Check, Context, Cure, CureKind, Finding, Severity, Verdict, drafts, hand_over, policies};

/// Every terms of use that there are, somebody is asked to accept.
#[derive(Debug)]
pub(super) struct TermsOfUse;

static ABOUT: About = About {
    id: "terms-of-use",
    title: "Terms of use that nobody is asked to accept",
    severity: Severity::Info,
    rationale: "Terms of use do nothing by themselves: a policy that is On has to ask for them.",
    references: &[],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for TermsOfUse {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        if !snapshot.has(Kind::TermsOfUse) {
            let mut finding = listing::open(context, ABOUT.id, "terms_of_use.review", Verdict::Review);
            finding.not_checked.push("terms of use (termsOfUse.json would settle it)".to_owned());
            return finding;
        }
        if snapshot.terms_of_use.is_empty() {
            return listing::open(context, ABOUT.id, "terms_of_use.nobody", Verdict::NotApplicable);
        }
        let unasked = snapshot.terms_of_use.iter().filter(|(id, _)| !policies::on(snapshot).any(|one| asks(one, id)));
        let listed = unasked.map(|(id, name)| listed(context, (id, name)));
        listing::finding(context, (ABOUT.id, "terms_of_use"), listed.collect())
    }
}

fn asks(policy: &Policy, id: &str) -> bool {
    let terms = |control: &Control| matches!(control, Control::TermsOfUse(asked) if asked == id);
    policy.grant.as_ref().is_some_and(|grant| grant.controls.iter().any(terms))
}

fn listed(context: &Context<'_>, (id, name): (&str, &str)) -> Listed {
    let row = Row::Object {
        what: "Terms of use".into(),
        id: id.to_owned(),
        name: name.to_owned(),
        note: "asked for by no policy that is On".into(),
    };
    Listed {
        fact: Fact::new("terms_of_use.terms", context.evidence([row])).with("terms", Term::Name(name.to_owned())),
        cure: cure(context, (id, name)),
    }
}

fn cure(context: &Context<'_>, (id, name): (&str, &str)) -> Option<Cure> {
    let snapshot = &context.model.snapshot;
    let waiting = snapshot.policies.iter().filter(|policy| policy.state == PolicyState::ReportOnly);
    if let Some(policy) = waiting.into_iter().find(|policy| asks(policy, id)) {
        let title = format!("Turn on {}", policy.display_name);
        return listing::hand_over(&policy.id, title, hand_over::turn_on(policy));
    }
    let control = Control::TermsOfUse(id.to_owned());
    let draft = drafts::for_everyone(snapshot, "Accept terms of use", &[control]);
    let offered = drafts::offer(context, &format!("Ask everybody to accept {name}"), draft)?;
    Some(Cure { subject: id.to_owned(), ..offered })
}
