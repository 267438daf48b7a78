//! Registering security information takes a managed device.

use std::collections::BTreeSet;

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::{Applications, Control};
use crate::tenant::well_known;

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts};

/// Registering security information takes a managed device.
#[derive(Debug)]
pub(super) struct RegistrationDevice;

static ABOUT: About = About {
    id: "registration-device",
    title: "Managed device to register security information",
    severity: Severity::Low,
    rationale: "Whoever phished a password and a code can register a second factor of their own, from any device. On a managed device that takes the device as well; new employees and guests need a way of their own, such as a Temporary Access Pass on a device that is set up for them.",
    references: &["MS.AAD.3.8", "CIS 5.2.2.10", "prowler:entra_managed_device_required_for_mfa_registration"],
    see_also: &["MT.1011", "ZT 21806"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for RegistrationDevice {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let action = well_known::REGISTER_SECURITY_INFO.to_owned();
        let controls = [Control::CompliantDevice, Control::DomainJoinedDevice];
        let what = "Require managed device to register security info";
        let mut draft = drafts::for_everyone(&context.model.snapshot, what, &controls);
        draft.conditions.applications =
            Applications { user_actions: BTreeSet::from([action.clone()]), ..Applications::default() };
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "registration_device",
                requirement: Requirement::ManagedDevice,
                scope: Scope { user_action: Some(action), ..Scope::default() },
                missing: None,
                draft: Some(("Require a managed device to register security information", draft)),
            },
        )
    }
}
