//! Partners whose people come often are trusted to have done MFA at home.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::facts::{Fact, Term};
use crate::tenant::policy::Control;
use crate::tenant::{Kind, PastSignIn, Policy};

use super::listing::{self, Listed};
use super::{
    About, Check, Context, Cure, CureKind, Finding, HandOver, Severity, Threshold, Verdict, hand_over, policies, rows,
};

/// Partners whose people come often are trusted to have done MFA at home.
#[derive(Debug)]
pub(super) struct PartnerTrust;

static ABOUT: About = About {
    id: "partner-trust",
    title: "Partners whose MFA isn't accepted",
    severity: Severity::Info,
    rationale: "A guest who has done MFA at home is asked to register and do it here once more, unless cross-tenant access settings accept the partner's. Being asked twice teaches people to approve whatever asks; whether to trust a partner is a person's decision.",
    references: &[],
    see_also: &["MT.1016"],
    licence: "P1",
    thresholds: &[PEOPLE],
    cure: CureKind::Edit,
};

const PEOPLE: Threshold = Threshold {
    name: "people",
    default: 5.0,
    meaning: "people of one partner who signed in, from whom on it is worth asking",
};

impl Check for PartnerTrust {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        let needed =
            [(Kind::CrossTenantAccessPolicy, "crossTenantAccessPolicy.json"), (Kind::SignIns, "signIns.jsonl")];
        // Whoever does MFA is there to do it: a log without interactive sign-ins shows none of that.
        let holds_none = |kind| kind == Kind::SignIns && !snapshot.sign_ins.iter().any(|row| row.interactive);
        let unread = |kind| !snapshot.has(kind) || holds_none(kind);
        let missing: Vec<&str> = needed.iter().filter(|(kind, _)| unread(*kind)).map(|(_, file)| *file).collect();
        if !missing.is_empty() {
            let mut finding = listing::open(context, ABOUT.id, "partner_trust.review", Verdict::Review);
            finding.not_checked.push(format!("partners ({} would settle it)", missing.join(" and ")));
            return finding;
        }
        if !policies::on(snapshot).any(asks_guests_for_mfa) {
            return listing::open(context, ABOUT.id, "partner_trust.nobody", Verdict::NotApplicable);
        }
        let least = context.whole_threshold(ABOUT.id, &PEOPLE);
        let trusted = |partner: &str| snapshot.cross_tenant.trust(partner).is_some_and(|trust| trust.mfa);
        let visits = visits(&snapshot.sign_ins, &snapshot.tenant_id);
        let often = visits.into_iter().filter(|(partner, rows)| people(rows) >= least as usize && !trusted(partner));
        let listed = often.map(|(partner, rows)| listed(context, partner, &rows)).collect();
        let mut finding = listing::finding(context, (ABOUT.id, "partner_trust"), listed);
        finding.not_checked.extend(snapshot.missing_sign_ins().map(str::to_owned));
        finding
    }
}

/// Asks guests from other organisations for MFA, alone or among other controls.
fn asks_guests_for_mfa(policy: &Policy) -> bool {
    let mfa = |control: &Control| matches!(control, Control::Mfa | Control::Strength(_));
    policies::takes_in_guests(policy) && policy.grant.as_ref().is_some_and(|grant| grant.controls.iter().any(mfa))
}

/// Sign-ins that succeeded with MFA, by the organisation that the person came from.
fn visits<'a>(log: &'a [PastSignIn], home: &str) -> BTreeMap<&'a str, Vec<&'a PastSignIn>> {
    let mut visits: BTreeMap<&str, Vec<&PastSignIn>> = BTreeMap::new();
    for row in log.iter().filter(|row| row.guest.is_some() && row.error_code == 0 && row.multi_factor) {
        if let Some(partner) = row.home_tenant.as_deref().filter(|partner| !partner.eq_ignore_ascii_case(home)) {
            visits.entry(partner).or_default().push(row);
        }
    }
    visits
}

fn people(rows: &[&PastSignIn]) -> usize {
    rows.iter().map(|row| row.user_id.as_str()).collect::<BTreeSet<_>>().len()
}

fn listed(context: &Context<'_>, partner: &str, log: &[&PastSignIn]) -> Listed {
    let newest = log.iter().rev().map(|row| rows::sign_in(row, &context.model.snapshot));
    let fact = Fact::new("partner_trust.partner", context.evidence(newest))
        .with("partner", Term::Name(partner.to_owned()))
        .with("people", people(log))
        .with("sign_ins", log.iter().map(|row| row.times).sum::<u64>());
    Listed { fact, cure: trust(context, partner) }
}

/// The partner's MFA accepted; settings of its own come into being with it where there are none yet.
fn trust(context: &Context<'_>, partner: &str) -> Option<Cure> {
    let has_own = context.model.snapshot.cross_tenant.partners.contains_key(partner);
    let path = "/v1.0/policies/crossTenantAccessPolicy/partners";
    let inbound = json!({"isMfaAccepted": true});
    let request = if has_own {
        ("PATCH".to_owned(), format!("{path}/{partner}"), json!({"inboundTrust": inbound}))
    } else {
        ("POST".to_owned(), path.to_owned(), json!({"tenantId": partner, "inboundTrust": inbound}))
    };
    let change =
        ("Trust settings > Trust multifactor authentication from Microsoft Entra tenants", "not selected", "selected");
    let portal = "Entra admin center > External Identities > Cross-tenant access settings > Organizational settings";
    let action = HandOver {
        request: Some(request),
        ..hand_over::change_of(("Cross-tenant access", partner, partner), change, portal.to_owned())
    };
    listing::hand_over(partner, format!("Accept the MFA of organisation {partner}"), action)
}
