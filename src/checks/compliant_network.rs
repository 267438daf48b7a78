//! Where there is a compliant network, people are kept to it.

use crate::engine::{Requirement, Scope};
use crate::tenant::location::Place;
use crate::tenant::policy::{Control, Sides};
use crate::tenant::{Kind, NamedLocation};

use super::requirement::{Asked, judge};
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
        if !snapshot.has(Kind::NamedLocations) {
            let what = "whether there is a compliant network (namedLocations.json would settle it)";
            return listing::unread(context, (ABOUT.id, "compliant_network"), what);
        }
        let compliant = |location: &&NamedLocation| location.place == Place::CompliantNetwork;
        let Some(network) = snapshot.locations.values().find(compliant) else {
            return listing::open(context, ABOUT.id, "compliant_network.nowhere", Verdict::NotApplicable);
        };
        let mut draft = drafts::for_everyone(snapshot, "Block outside compliant network", &[Control::Block]);
        let elsewhere = Sides { include: ["All".to_owned()].into(), exclude: [network.id.clone()].into() };
        draft.conditions.locations = Some(elsewhere);
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "compliant_network",
                requirement: Requirement::Block,
                scope: Scope { outside: [network.id.clone()].into(), ..Scope::default() },
                missing: None,
                draft: Some(("Block sign-ins outside the compliant network", draft)),
            },
        )
    }
}
