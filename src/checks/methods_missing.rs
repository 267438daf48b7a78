//! Whom policies ask for MFA or an authentication strength has a method for it.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;

use crate::engine::Truth;
use crate::engine::ability::Abilities;
use crate::facts::{Fact, Row, Term};
use crate::tenant::directory::AccountKind;
use crate::tenant::policy::{Control, Operator};
use crate::tenant::{Kind, Policy};

use super::accounts::emergency_access;
use super::listing::{self, Listed};
use super::{About, Check, Context, CureKind, Finding, Severity, Verdict, hand_over, policies, rows};

/// Whom policies ask for MFA or an authentication strength has a method for it.
#[derive(Debug)]
pub(super) struct MethodsMissing;

static ABOUT: About = About {
    id: "methods-missing",
    title: "People without a method for what policies ask",
    severity: Severity::Medium,
    rationale: "Whoever has no method is stopped at the next sign-in, or lets an attacker with the password register the first one. Hand out methods before a policy asks for them, those in report-only included.",
    references: &["prowler:entra_users_mfa_capable"],
    see_also: &["CIS 5.2.3.4"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::Edit,
};

impl Check for MethodsMissing {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        let asking = asking(context);
        if asking.is_empty() {
            return listing::open(context, ABOUT.id, "methods_missing.nobody", Verdict::NotApplicable);
        }
        if !snapshot.has(Kind::UserRegistrationDetails) || !snapshot.has(Kind::Users) {
            let mut finding = listing::open(context, ABOUT.id, "methods_missing.review", Verdict::Review);
            let settled = "registered methods (users.json and userRegistrationDetails.json would settle it)";
            finding.not_checked.push(settled.to_owned());
            return finding;
        }
        let people = people(context);
        let abilities = context.model.abilities();
        let (mut found, mut open) = (Vec::new(), Vec::new());
        for (control, asking) in asking {
            let asked =
                asking.iter().fold(RoaringBitmap::new(), |all, policy| all | context.model.users_of(&policy.id).0);
            let asked = asked & &people;
            let who = |can: Truth| -> RoaringBitmap {
                asked.iter().filter(|at| ability(context, &abilities, (control, *at)) == can).collect()
            };
            let (unable, unknown) = (who(Truth::No), who(Truth::Maybe));
            if !unable.is_empty() {
                found.push(listed(context, (control, &asking), (&unable, asked.len())));
            }
            if !unknown.is_empty() {
                open.push(told(context, "methods_missing.unknown", (control, &asking), (&unknown, asked.len())));
            }
        }
        let mut finding = listing::finding(context, (ABOUT.id, "methods_missing"), found);
        if finding.verdict == Verdict::Pass && !open.is_empty() {
            finding = listing::open(context, ABOUT.id, "methods_missing.open", Verdict::Review);
        }
        finding.facts.extend(open);
        finding.not_checked.push("certificates and federated sign-in, which are registered nowhere".to_owned());
        finding
    }
}

/// Policies by the control that nobody gets past without: it stands alone, or every control is asked for.
fn asking<'a>(context: &'a Context<'_>) -> BTreeMap<&'a Control, Vec<&'a Policy>> {
    let mut asking: BTreeMap<&Control, Vec<&Policy>> = BTreeMap::new();
    for policy in policies::live(&context.model.snapshot) {
        let Some(grant) = &policy.grant else { continue };
        let needed = grant.operator == Operator::And || grant.controls.len() == 1;
        let methods = grant.controls.iter().filter(|control| matches!(control, Control::Mfa | Control::Strength(_)));
        methods.filter(|_| needed).for_each(|control| asking.entry(control).or_default().push(policy));
    }
    asking
}

/// Enabled people who sign in here; guests use the methods of their home tenant.
fn people(context: &Context<'_>) -> RoaringBitmap {
    let model = context.model;
    (model.users_of_kind(AccountKind::Person) - model.guests()) - emergency_access(&model.snapshot)
}

fn ability(context: &Context<'_>, abilities: &Abilities<'_>, (control, at): (&Control, u32)) -> Truth {
    let Some(user) = context.model.snapshot.directory.user_at(at) else { return Truth::Maybe };
    match control {
        Control::Strength(id) => abilities.strength(&user.id, id),
        _ => abilities.mfa(&user.id),
    }
}

fn method_name(context: &Context<'_>, control: &Control) -> String {
    match control {
        Control::Strength(id) => {
            let strength = context.model.snapshot.strengths.get(id);
            strength.map_or_else(|| id.clone(), |strength| strength.display_name.clone())
        }
        _ => "Multifactor authentication".to_owned(),
    }
}

/// How many of those whom policies ask, with the policies and the people as evidence.
fn told(
    context: &Context<'_>,
    key: &str,
    (control, asking): (&Control, &[&Policy]),
    (people, of): (&RoaringBitmap, u64),
) -> Fact {
    let head = asking.iter().map(|policy| rows::policy(policy)).collect::<Vec<Row>>();
    let evidence = head.into_iter().chain(rows::users(people, &context.model.snapshot, None));
    Fact::new(key, context.evidence(evidence))
        .with("method", Term::Name(method_name(context, control)))
        .with("count", people.len())
        .with("of", of)
        .with("policies", policies::names(asking.iter().copied()))
}

fn listed(
    context: &Context<'_>,
    (control, asking): (&Control, &[&Policy]),
    (unable, of): (&RoaringBitmap, u64),
) -> Listed {
    let method = method_name(context, control);
    let before = format!("{} of {of} have none for it", unable.len());
    let change = ("Authentication methods", before.as_str(), "registered, or a Temporary Access Pass handed out");
    let portal = "Entra admin center > Authentication methods > User registration details".to_owned();
    let subject = if let Control::Strength(id) = control { id.as_str() } else { "mfa" };
    let who = if unable.len() == 1 { "1 person".to_owned() } else { format!("{} people", unable.len()) };
    Listed {
        fact: told(context, "methods_missing.control", (control, asking), (unable, of)),
        cure: listing::hand_over(
            subject,
            format!("Get {who} a method for {method}"),
            hand_over::change_of(("Users", subject, &method), change, portal),
        ),
    }
}
