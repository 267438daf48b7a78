//! Workload identities are kept to trusted networks.

use std::net::{IpAddr, Ipv4Addr};

use crate::engine::Decision;
use crate::engine::location::within_named;
use crate::facts::{Evidence, Fact, Row, Term};
use crate::tenant::location::Place;
use crate::tenant::policy::{ClientApplications, Control, Sides, UserSide, Users};
use crate::tenant::sign_in::{Identity, Known, Target};
use crate::tenant::{Kind, Policy, ServicePrincipal, SignIn, Snapshot};

use super::licences::{Owned, owned};
use super::{About, Check, Context, CureKind, Finding, Severity, Verdict, drafts, listing};

/// Workload identities are kept to trusted networks.
#[derive(Debug)]
pub(super) struct WorkloadIdentities;

static ABOUT: About = About {
    id: "workload-identities",
    title: "Workload identities kept to trusted networks",
    severity: Severity::Medium,
    rationale: "A service principal has no second factor: whoever finds its secret is it. Conditional Access can keep those of this tenant to the networks that they run on; managed identities and apps of other organisations it can't reach.",
    references: &["ZT 21884"],
    see_also: &[],
    licence: "Workload ID Premium",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for WorkloadIdentities {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        if !snapshot.has(Kind::ServicePrincipals) {
            return listing::open(context, ABOUT.id, "workload_identities.review", Verdict::Review);
        }
        let reachable = |one: &&ServicePrincipal| one.single_tenant && one.enabled && one.kind == "Application";
        let all: Vec<&ServicePrincipal> = snapshot.directory.service_principals.iter().filter(reachable).collect();
        if all.is_empty() {
            return listing::open(context, ABOUT.id, "workload_identities.nobody", Verdict::NotApplicable);
        }
        let from = elsewhere(snapshot);
        let (open, unsure): (Vec<_>, Vec<_>) = all
            .iter()
            .map(|one| (*one, context.model.evaluate(&sign_in(one, from)).decision))
            .filter(|(_, decision)| !matches!(decision, Decision::Block { .. }))
            .partition(|(_, decision)| !matches!(decision, Decision::DependsOn { .. }));
        let verdict = match (open.len(), unsure.len(), owned(snapshot, ABOUT.licence)) {
            (0, 0, _) => Verdict::Pass,
            (0, ..) => Verdict::Review,
            (.., Owned::No) => Verdict::NotApplicable,
            _ => Verdict::Fail,
        };
        found(context, verdict, &open.iter().map(|(one, _)| *one).collect::<Vec<_>>(), (all.len(), unsure.len()))
    }
}

fn found(context: &Context<'_>, verdict: Verdict, open: &[&ServicePrincipal], of: (usize, usize)) -> Finding {
    let name = match verdict {
        Verdict::Fail => "fail",
        Verdict::Pass => "pass",
        Verdict::Review => "unsure",
        Verdict::NotApplicable => "unlicensed",
    };
    let rows = open.iter().map(|one| Row::Object {
        what: "Enterprise application".into(),
        id: one.id.clone(),
        name: one.display_name.clone(),
        note: "may sign in from any network".into(),
    });
    let names = open.iter().take(5).map(|one| one.display_name.clone()).collect();
    let headline = Fact::new(&format!("workload_identities.{name}"), context.stamp(Evidence::of(rows)))
        .with("count", open.len())
        .with("of", of.0)
        .with("undecided", of.1)
        .with("names", Term::Names(names))
        .must_show();
    let trusted = has_trusted(&context.model.snapshot);
    let mut not_checked =
        vec!["managed identities and apps of other organisations, which no policy reaches".to_owned()];
    if owned(&context.model.snapshot, ABOUT.licence) == Owned::Unknown {
        let licence = "whether the tenant owns Workload ID Premium (subscribedSkus.json would settle it)";
        not_checked.push(licence.to_owned());
    }
    if verdict == Verdict::Fail && !trusted {
        not_checked
            .push("a new policy is not suggested: no named location is trusted yet, so it would block all".into());
    }
    let cure = (verdict == Verdict::Fail && trusted).then(|| draft(&context.model.snapshot));
    let cures = cure.and_then(|draft| drafts::offer(context, "Keep workload identities to trusted networks", draft));
    Finding { check: ABOUT.id, verdict, facts: vec![headline], not_checked, cures: cures.into_iter().collect() }
}

/// An address in no named location, as an attacker's would be.
fn elsewhere(snapshot: &Snapshot) -> IpAddr {
    let candidates = (1..=254u8).map(|last| IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)));
    let inside = |ip: &IpAddr| {
        let at = SignIn { ip: Known::Is(*ip), ..SignIn::default() };
        let ranges = snapshot.locations.values().filter(|location| matches!(location.place, Place::Ip { .. }));
        ranges.into_iter().any(|location| within_named(location, &at) != crate::engine::Truth::No)
    };
    candidates.into_iter().find(|ip| !inside(ip)).unwrap_or(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)))
}

fn sign_in(principal: &ServicePrincipal, from: IpAddr) -> SignIn {
    SignIn {
        identity: Identity::ServicePrincipal(principal.id.clone()),
        target: Target::Apps(vec![String::new()]),
        ip: Known::Is(from),
        country: Known::Absent,
        gps_country: Known::Absent,
        service_principal_risk: Known::Absent,
        ..SignIn::default()
    }
}

fn has_trusted(snapshot: &Snapshot) -> bool {
    let trusted = |place: &Place| matches!(place, Place::Ip { trusted: true, ranges } if !ranges.is_empty());
    snapshot.locations.values().any(|location| trusted(&location.place))
}

fn draft(snapshot: &Snapshot) -> Policy {
    let mut draft = drafts::for_everyone(snapshot, "Block outside trusted networks", &[Control::Block]);
    draft.display_name = drafts::name(snapshot, "Block outside trusted networks", "Workload identities");
    let nobody = UserSide { users: ["None".to_owned()].into(), ..UserSide::default() };
    draft.conditions.users = Users { include: nobody, exclude: UserSide::default() };
    let include = ["ServicePrincipalsInMyTenant".to_owned()].into();
    draft.conditions.client_applications = Some(ClientApplications { include, ..ClientApplications::default() });
    let elsewhere = Sides { include: ["All".to_owned()].into(), exclude: ["AllTrusted".to_owned()].into() };
    draft.conditions.locations = Some(elsewhere);
    draft
}
