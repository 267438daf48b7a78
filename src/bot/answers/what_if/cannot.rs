//! What surely is demanded of a sign-in and can't be met with its device or client, or by a guest: it acts as a block.

use crate::bot::analysis::Analysis;
use crate::checks::rows;
use crate::engine::evaluate::Demand;
use crate::engine::{Decision, Outcome};
use crate::facts::{Fact, Term};
use crate::tenant::policy::{ClientAppType, GuestType, Operator, TransferMethod};
use crate::tenant::sign_in::{Identity, Known};
use crate::tenant::{Policy, SignIn, Snapshot};

/// The policies that can't be met, as people read it: what stops a guest apart.
pub(crate) fn said(analysis: &Analysis, sign_in: &SignIn, outcome: &Outcome) -> Vec<Fact> {
    let snapshot = analysis.snapshot();
    let (anybody, guests): (Vec<&Demand>, Vec<&Demand>) =
        unmet(snapshot, sign_in, outcome).partition(|demand| is_hopeless(demand, &|control| stops(control, sign_in)));
    [("what_if.cannot", anybody), ("what_if.cannot_guest", guests)]
        .into_iter()
        .filter_map(|(key, demands)| {
            let policies: Vec<&Policy> =
                demands.iter().filter_map(|demand| snapshot.policy(&demand.policy_id)).collect();
            let names = policies.iter().map(|policy| policy.display_name.clone()).collect();
            let fact = Fact::new(key, analysis.evidence(policies.iter().map(|policy| rows::policy(policy))));
            (!policies.is_empty()).then(|| fact.with("policies", Term::Names(names)).must_show())
        })
        .collect()
}

/// The demands that can't be met.
pub(crate) fn unmet<'a>(
    snapshot: &Snapshot,
    sign_in: &'a SignIn,
    outcome: &'a Outcome,
) -> impl Iterator<Item = &'a Demand> {
    let guest = guest(snapshot, sign_in);
    let demands = match &outcome.decision {
        Decision::Require(demands) | Decision::DependsOn { surely: demands, .. } => demands.as_slice(),
        Decision::Allow | Decision::Block { .. } => &[],
    };
    let never = move |control: &str| stops(control, sign_in) || guest.is_some_and(|kind| stops_guest(control, kind));
    demands.iter().filter(move |demand| is_hopeless(demand, &never))
}

/// Whether a demand can't be met: by all of its controls, or by all alternatives.
fn is_hopeless(demand: &Demand, never: &dyn Fn(&str) -> bool) -> bool {
    let mut controls = demand.controls.iter().map(String::as_str);
    match demand.operator {
        Operator::And => controls.any(never),
        Operator::Or => controls.all(never),
    }
}

/// Controls that a person meets in a dialogue.
const INTERACTIVE: [&str; 7] = [
    "mfa",
    "authenticationStrength",
    "customAuthenticationFactor",
    "verifiedID",
    "passwordChange",
    "riskRemediation",
    "termsOfUse",
];

/// Whether a control can't be met with the device or client. Legacy clients can do nothing interactive and show no device;
/// app controls on Exchange `ActiveSync` are checked by Exchange (Microsoft Learn, Conditional Access: Grant).
fn stops(control: &str, sign_in: &SignIn) -> bool {
    let legacy = matches!(sign_in.client_app, Known::Is(ClientAppType::Other | ClientAppType::ExchangeActiveSync));
    // The device that is given the code shows nothing of itself.
    let by_code = sign_in.flow == Known::Is(TransferMethod::DeviceCodeFlow);
    let kind = control.split_once(':').map_or(control, |(kind, _)| kind);
    match (kind, &sign_in.device) {
        ("compliantDevice" | "domainJoinedDevice", Known::Absent) => true,
        ("compliantDevice", Known::Is(device)) if device.compliant == Some(false) => true,
        ("compliantDevice" | "domainJoinedDevice", _) => legacy || by_code,
        ("approvedApplication" | "compliantApplication", _) => sign_in.client_app == Known::Is(ClientAppType::Other),
        _ => legacy && INTERACTIVE.contains(&kind),
    }
}

/// Whether a guest of this kind can't meet a control (Microsoft Learn, Conditional Access: External users).
fn stops_guest(control: &str, kind: GuestType) -> bool {
    let external = kind != GuestType::InternalGuest;
    match control {
        "approvedApplication" | "compliantApplication" | "passwordChange" | "riskRemediation" => external,
        _ => kind == GuestType::B2bDirectConnectUser && control.starts_with("termsOfUse:"),
    }
}

fn guest(snapshot: &Snapshot, sign_in: &SignIn) -> Option<GuestType> {
    let Identity::User { id, guest, .. } = &sign_in.identity else { return None };
    guest.or_else(|| snapshot.directory.user(id.as_deref()?)?.guest)
}
