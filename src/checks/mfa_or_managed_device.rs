//! Every sign-in takes MFA or a managed device.

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::Control;

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts};

/// Every sign-in takes MFA or a managed device.
#[derive(Debug)]
pub(super) struct MfaOrManagedDevice;

static ABOUT: About = About {
    id: "mfa-or-managed-device",
    title: "MFA or a managed device for all users",
    severity: Severity::High,
    rationale: "The least that every sign-in should show: a second factor, or a device that the organisation manages. Where MFA is asked of everyone, this holds as well.",
    references: &[
        "prowler:entra_conditional_access_policy_compliant_device_hybrid_joined_device_mfa_required",
        "template:927c884e-7888-4e81-abc4-bd56ded28985",
    ],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for MfaOrManagedDevice {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let controls = [Control::Mfa, Control::CompliantDevice, Control::DomainJoinedDevice];
        let draft = drafts::for_everyone(&context.model.snapshot, "Require MFA or managed device", &controls);
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "mfa_or_managed_device",
                requirement: Requirement::MfaOrManagedDevice,
                scope: Scope::default(),
                missing: None,
                draft: Some(("Require MFA or a managed device for all users", draft)),
            },
        )
    }
}
