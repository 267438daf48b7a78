//! Windows, macOS, iOS and Android take a compliant device each.

use std::collections::BTreeSet;

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::{ClientAppType, Control, Platform, Sides};

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts, scopes};

/// Windows, macOS, iOS and Android take a compliant device each.
#[derive(Debug)]
pub(super) struct CompliancePerPlatform;

static ABOUT: About = About {
    id: "compliance-per-platform",
    title: "Compliant devices on every platform",
    severity: Severity::Medium,
    rationale: "A policy for Windows alone says nothing about the phone on which the same mail is read.",
    references: &["ZT 24824", "prowler:entra_conditional_access_policy_mdm_compliant_device_required"],
    see_also: &["MT.1001"],
    licence: "P1, Intune",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for CompliancePerPlatform {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let platforms = BTreeSet::from([Platform::Windows, Platform::MacOs, Platform::Ios, Platform::Android]);
        let modern = BTreeSet::from([ClientAppType::Browser, ClientAppType::MobileAppsAndDesktopClients]);
        let what = "Require compliant device";
        let mut draft = drafts::for_everyone(&context.model.snapshot, what, &[Control::CompliantDevice]);
        draft.conditions.platforms = Some(Sides { include: platforms.clone(), exclude: BTreeSet::new() });
        let scope = Scope { platforms, client_apps: modern, ..scopes::members(context.model) };
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "compliance_per_platform",
                requirement: Requirement::CompliantDevice,
                scope,
                missing: None,
                draft: Some(("Require a compliant device on Windows, macOS, iOS and Android", draft)),
            },
        )
    }
}
