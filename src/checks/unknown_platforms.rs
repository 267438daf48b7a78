//! Unknown device platforms are blocked for everyone.

use std::collections::BTreeSet;

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::{Control, Platform, Sides};

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts};

/// Unknown device platforms are blocked for everyone.
#[derive(Debug)]
pub(super) struct UnknownPlatforms;

static ABOUT: About = About {
    id: "unknown-platforms",
    title: "Unknown device platforms blocked",
    severity: Severity::Medium,
    rationale: "The platform is what the client says of itself. A client that says nothing known slips past every policy that names platforms.",
    references: &[
        "MT.1015",
        "prowler:entra_conditional_access_policy_block_unknown_device_platforms",
        "template:4e39a309-931e-4cb1-a371-e2beea168002",
    ],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for UnknownPlatforms {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let unknown = BTreeSet::from([Platform::All]);
        let what = "Block unknown platforms";
        let mut draft = drafts::for_everyone(&context.model.snapshot, what, &[Control::Block]);
        draft.conditions.platforms = Some(Sides { include: unknown.clone(), exclude: Platform::NAMED.into() });
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "unknown_platforms",
                requirement: Requirement::Block,
                scope: Scope { platforms: unknown, ..Scope::default() },
                missing: None,
                draft: Some(("Block unknown device platforms for all users", draft)),
            },
        )
    }
}
