//! The tenant owns licences for those whom its policies are for.

use roaring::RoaringBitmap;

use crate::facts::{Fact, Term};
use crate::tenant::{Kind, Policy};

use super::listing::{self, Listed};
use super::{About, Check, Context, CureKind, Finding, Severity, Verdict, hand_over, policies, rows};

/// The tenant owns licences for those whom its policies are for.
#[derive(Debug)]
pub(super) struct LicenceCoverage;

static ABOUT: About = About {
    id: "licence-coverage",
    title: "Licences for those whom policies are for",
    severity: Severity::Medium,
    rationale: "Everybody who benefits from Conditional Access needs a licence: Microsoft Entra ID P1, and P2 for policies that go by risk. Entra doesn't stop unlicensed use; an audit does.",
    references: &["MT.1022", "MT.1023"],
    see_also: &["MT.1021"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::Edit,
};

/// Service plan of Microsoft Entra ID P1.
pub(super) const PLAN_P1: &str = "41781fb2-bc02-4b7c-bd55-b576c07bb09d";
/// Service plan of Microsoft Entra ID P2.
const PLAN_P2: &str = "eec0eb4f-6444-4f95-aba0-50c24d67f998";

impl Check for LicenceCoverage {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        if !snapshot.has(Kind::SubscribedSkus) || !snapshot.has(Kind::Users) {
            let mut finding = listing::open(context, ABOUT.id, "licence_coverage.review", Verdict::Review);
            let settled = "licences and users (subscribedSkus.json and users.json would settle it)";
            finding.not_checked.push(settled.to_owned());
            return finding;
        }
        if policies::on(snapshot).next().is_none() {
            return listing::open(context, ABOUT.id, "licence_coverage.nobody", Verdict::NotApplicable);
        }
        let plans: [(&str, &str, Uses); 2] = [("P1", PLAN_P1, |_| true), ("P2", PLAN_P2, by_risk)];
        let short = plans.into_iter().filter_map(|(name, plan, uses)| {
            let users = in_scope(context, uses);
            let owned = owned(context, plan);
            (users.len() > owned).then(|| listed(context, name, (&users, owned)))
        });
        let mut finding = listing::finding(context, (ABOUT.id, "licence_coverage"), short.collect());
        finding
            .not_checked
            .push("who has a licence assigned; guests, who are billed by monthly active users".to_owned());
        finding
    }
}

/// Whether a policy uses what a plan gives.
type Uses = fn(&Policy) -> bool;

fn by_risk(policy: &Policy) -> bool {
    !policy.conditions.sign_in_risk.is_empty() || !policy.conditions.user_risk.is_empty()
}

/// Units owned; P2 has everything of P1, and suites with P2 list both plans.
fn owned(context: &Context<'_>, plan: &str) -> u64 {
    let licences = &context.model.snapshot.licences;
    let units = |plan: &str| licences.get(plan).copied().unwrap_or_default();
    if plan == PLAN_P1 { units(PLAN_P1).max(units(PLAN_P2)) } else { units(plan) }
}

/// Enabled members whom policies that are On and use a feature surely take in.
fn in_scope(context: &Context<'_>, uses: Uses) -> RoaringBitmap {
    let model = context.model;
    let using = policies::on(&model.snapshot).filter(|policy| uses(policy));
    let users = using.fold(RoaringBitmap::new(), |all, policy| all | model.users_of(&policy.id).0);
    (users & model.default_users()) - model.guests()
}

fn listed(context: &Context<'_>, name: &str, (users, owned): (&RoaringBitmap, u64)) -> Listed {
    let snapshot = &context.model.snapshot;
    let missing = users.len() - owned;
    let before = format!("{owned} owned, {} in scope", users.len());
    let after = format!("{missing} more, or policies for fewer people");
    let portal = "Microsoft 365 admin center > Billing > Licenses".to_owned();
    let label = format!("Microsoft Entra ID {name}");
    let tenant = ("Tenant", name, snapshot.tenant_name.as_str());
    Listed {
        fact: Fact::new("licence_coverage.plan", context.evidence(rows::users(users, snapshot, None)))
            .with("plan", Term::Word(name.to_owned()))
            .with("users", users.len())
            .with("owned", owned)
            .with("missing", missing),
        cure: listing::hand_over(
            name,
            format!("Get {missing} more licences for Microsoft Entra ID {name}"),
            hand_over::change_of(tenant, (&label, &before, &after), portal),
        ),
    }
}
