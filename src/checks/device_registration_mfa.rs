//! Registering or joining a device takes MFA.

use std::collections::BTreeSet;

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::{Applications, Control};
use crate::tenant::well_known::REGISTER_DEVICE;

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts};

/// Registering or joining a device takes MFA.
#[derive(Debug)]
pub(super) struct DeviceRegistrationMfa;

static ABOUT: About = About {
    id: "device-registration-mfa",
    title: "MFA to register or join devices",
    severity: Severity::High,
    rationale: "A registered device is a lasting foothold: it gets tokens of its own. The tenant-wide setting under Devices does the same, but must be off where a policy does it.",
    references: &["MT.1061", "ZT 21872", "prowler:entra_conditional_access_policy_device_registration_mfa_required"],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for DeviceRegistrationMfa {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let what = "Require MFA to register devices";
        let mut draft = drafts::for_people(&context.model.snapshot, what, &[Control::Mfa]);
        let user_actions = BTreeSet::from([REGISTER_DEVICE.to_owned()]);
        draft.conditions.applications = Applications { user_actions, ..Applications::default() };
        let scope = Scope { user_action: Some(REGISTER_DEVICE.to_owned()), ..Scope::default() };
        let mut finding = judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "device_registration_mfa",
                requirement: Requirement::Mfa,
                scope,
                missing: None,
                draft: Some(("Require MFA to register or join devices", draft)),
            },
        );
        finding
            .not_checked
            .push("the tenant-wide setting \"Require Multifactor Authentication to register or join devices\"".into());
        finding
    }
}
