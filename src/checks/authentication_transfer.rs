//! Authentication transfer is blocked for everyone.

use std::collections::BTreeSet;

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::{Control, TransferMethod};

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts};

/// Authentication transfer is blocked for everyone.
#[derive(Debug)]
pub(super) struct AuthenticationTransfer;

static ABOUT: About = About {
    id: "authentication-transfer",
    title: "Authentication transfer blocked",
    severity: Severity::Low,
    rationale: "Authentication transfer moves a session from a computer to a phone with a QR code, onto a device that may never have met a requirement.",
    references: &["CIS 5.2.2.17", "prowler:entra_conditional_access_policy_authentication_transfer_blocked"],
    see_also: &["MT.1052"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for AuthenticationTransfer {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let flows = BTreeSet::from([TransferMethod::AuthenticationTransfer]);
        let what = "Block authentication transfer";
        let mut draft = drafts::for_everyone(&context.model.snapshot, what, &[Control::Block]);
        draft.conditions.flows.clone_from(&flows);
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "authentication_transfer",
                requirement: Requirement::Block,
                scope: Scope { flows, ..Scope::default() },
                missing: None,
                draft: Some(("Block authentication transfer for all users", draft)),
            },
        )
    }
}
