//! Private Access takes a managed device from everyone who authenticates here, where it is used.

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::Control;

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts, private_apps, scopes};

/// Private Access takes a managed device from everyone who authenticates here, where it is used.
#[derive(Debug)]
pub(super) struct PrivateAccessDevices;

static ABOUT: About = About {
    id: "private-access-devices",
    title: "Managed devices for Private Access",
    severity: Severity::Medium,
    rationale: "Whatever reaches the inner network through Private Access stands in it. A compliant or hybrid joined device is one that the organisation can look into.",
    references: &["MT.1188"],
    see_also: &["ZT 25394"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for PrivateAccessDevices {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        if let Some(nothing) = private_apps::nothing(context, ABOUT.id) {
            return nothing;
        }
        let apps = private_apps::all(snapshot);
        let controls = [Control::CompliantDevice, Control::DomainJoinedDevice];
        let what = "Require managed device for Private Access";
        let mut draft = drafts::at(drafts::for_everyone(snapshot, what, &controls), &apps);
        draft.conditions.users.exclude.guests = Some(scopes::external_guests());
        let mut finding = judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "private_access_devices",
                requirement: Requirement::ManagedDevice,
                scope: Scope { apps: Some(apps), ..scopes::members(context.model) },
                missing: None,
                draft: Some(("Require a managed device for Private Access", draft)),
            },
        );
        finding.not_checked.extend(private_apps::untold(snapshot));
        finding
    }
}
