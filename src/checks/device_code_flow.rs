//! Device code flow is blocked for everyone.

use std::collections::BTreeSet;

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::{Control, TransferMethod};

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts};

/// Device code flow is blocked for everyone.
#[derive(Debug)]
pub(super) struct DeviceCodeFlow;

static ABOUT: About = About {
    id: "device-code-flow",
    title: "Device code flow blocked",
    severity: Severity::High,
    rationale: "In device code phishing the attacker starts the sign-in and the victim finishes it. Few tenants need the flow, and those that do need it for a few rooms or scripts.",
    references: &[
        "MS.AAD.3.9",
        "MT.1052",
        "CIS 5.2.2.12",
        "ZT 21808",
        "prowler:entra_conditional_access_policy_device_code_flow_blocked",
    ],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for DeviceCodeFlow {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let flow = BTreeSet::from([TransferMethod::DeviceCodeFlow]);
        let mut draft = drafts::for_everyone(&context.model.snapshot, "Block device code flow", &[Control::Block]);
        draft.conditions.flows.clone_from(&flow);
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "device_code_flow",
                requirement: Requirement::Block,
                scope: Scope { flows: flow, ..Scope::default() },
                missing: None,
                draft: Some(("Block device code flow for all users", draft)),
            },
        )
    }
}
