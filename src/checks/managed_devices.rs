//! Every user is made to use a managed device.

use roaring::RoaringBitmap;

use crate::engine::Requirement;
use crate::tenant::policy::Control;

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts, scopes};

/// Every user is made to use a managed device.
#[derive(Debug)]
pub(super) struct ManagedDevices;

static ABOUT: About = About {
    id: "managed-devices",
    title: "Managed devices for all users",
    severity: Severity::Medium,
    rationale: "A compliant or hybrid joined device keeps tokens where the organisation can see and wipe them.",
    references: &[
        "MS.AAD.3.7",
        "MT.1001",
        "CIS 5.2.2.9",
        "ZT 21892",
        "prowler:entra_managed_device_required_for_authentication",
        "template:a297dd1a-21fe-4016-99a0-ba43ba64378c",
    ],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for ManagedDevices {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let controls = [Control::CompliantDevice, Control::DomainJoinedDevice];
        let mut draft = drafts::for_everyone(&context.model.snapshot, "Require managed device", &controls);
        // The devices of people outside are managed elsewhere: see the check of Rights Management.
        draft.conditions.users.exclude.guests = Some(scopes::external_guests());
        let asked = Asked {
            check: ABOUT.id,
            area: "managed_devices",
            requirement: Requirement::ManagedDevice,
            scope: scopes::members(context.model),
            missing: None,
            draft: Some(("Require a compliant or hybrid joined device", draft)),
        };
        let here = asked.scope.users.as_ref().map_or(0, RoaringBitmap::len);
        let mut finding = judge(context, asked);
        if here < context.model.default_users().len() {
            finding.not_checked.push("guests who authenticate elsewhere, whose devices are managed there".to_owned());
        }
        finding
    }
}
