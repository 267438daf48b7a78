//! Every administrator is made to use a managed device.

use crate::engine::Requirement;
use crate::tenant::policy::Control;

use super::requirement::{Asked, judge_administrators};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts, scopes};

/// Every administrator is made to use a managed device.
#[derive(Debug)]
pub(super) struct DevicesForAdmins;

static ABOUT: About = About {
    id: "devices-for-admins",
    title: "Managed devices for administrators",
    severity: Severity::High,
    rationale: "An administrator's session is only as safe as the computer it runs on. A compliant or hybrid joined device is the first step; a privileged access workstation is the next.",
    references: &["MT.1014", "template:c26a510a-3b8b-4023-8c44-d4f4c854e9f9"],
    see_also: &["ZT 21830"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for DevicesForAdmins {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let controls = [Control::CompliantDevice, Control::DomainJoinedDevice];
        let draft = drafts::for_administrators(&context.model.snapshot, "Require managed device", &controls);
        judge_administrators(
            context,
            Asked {
                check: ABOUT.id,
                area: "devices_for_admins",
                requirement: Requirement::ManagedDevice,
                scope: scopes::administrators(context.model),
                missing: scopes::missing_administrators(context.model),
                draft: Some(("Require a managed device for administrators", draft)),
            },
        )
    }
}
