//! Where there is a compliant network, people are kept to it.

use crate::tenant::location::Place;
use crate::tenant::policy::{Control, Sides};
use crate::tenant::{NamedLocation, Policy};

use super::{About, Check, Context, CureKind, Finding, Severity, Verdict, drafts, listing};

/// Where there is a compliant network, people are kept to it.
#[derive(Debug)]
pub(super) struct CompliantNetwork;

static ABOUT: About = About {
    id: "compliant-network",
    title: "Sign-ins kept to the compliant network",
    severity: Severity::Low,
    rationale: "With Global Secure Access a stolen token is of no use outside the organisation's own tunnel, if a policy blocks every other network.",
    references: &["ZT 25379"],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for CompliantNetwork {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        let compliant = |location: &&NamedLocation| location.place == Place::CompliantNetwork;
        let Some(network) = snapshot.locations.values().find(compliant) else {
            return listing::open(context, ABOUT.id, "compliant_network.nobody", Verdict::NotApplicable);
        };
        if listing::on(snapshot).any(|policy| keeps_to(policy, &network.id)) {
            return listing::open(context, ABOUT.id, "compliant_network.pass", Verdict::Pass);
        }
        let mut draft = drafts::for_everyone(snapshot, "Block outside compliant network", &[Control::Block]);
        let elsewhere = Sides { include: ["All".to_owned()].into(), exclude: [network.id.clone()].into() };
        draft.conditions.locations = Some(elsewhere);
        let cure = drafts::offer(context, "Block sign-ins outside the compliant network", draft);
        let finding = listing::open(context, ABOUT.id, "compliant_network.fail", Verdict::Fail);
        Finding { cures: cure.into_iter().collect(), ..finding }
    }
}

/// Blocks everybody everywhere else.
fn keeps_to(policy: &Policy, network: &str) -> bool {
    let conditions = &policy.conditions;
    let elsewhere = conditions.locations.as_ref().is_some_and(|sides| {
        sides.include.contains("All") && sides.exclude.len() == 1 && sides.exclude.contains(network)
    });
    let everybody = conditions.users.include.all && conditions.applications.all;
    let narrowed = conditions.platforms.is_some() || conditions.device_filter.is_some() || !policy.undecided.is_empty();
    let risky = !conditions.sign_in_risk.is_empty() || !conditions.user_risk.is_empty() || !conditions.flows.is_empty();
    let blocks = policy.grant.as_ref().is_some_and(|grant| grant.controls.contains(&Control::Block));
    blocks && elsewhere && everybody && !narrowed && !risky
}
