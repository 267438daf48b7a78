//! On unmanaged devices mail and files are under app enforced restrictions.

use std::collections::BTreeSet;

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::{ClientAppType, SessionControls};

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts, scopes};

/// On unmanaged devices mail and files are under app enforced restrictions.
#[derive(Debug)]
pub(super) struct AppEnforcedRestrictions;

static ABOUT: About = About {
    id: "app-enforced-restrictions",
    title: "App enforced restrictions on unmanaged devices",
    severity: Severity::Low,
    rationale: "SharePoint and Exchange can let an unmanaged device read without downloading. The session control tells them to; their own settings must say what is restricted.",
    references: &[
        "MT.1019",
        "CIS 1.3.2",
        "prowler:entra_conditional_access_policy_app_enforced_restrictions",
        "template:81fd2072-4876-42b6-8157-c6000693046b",
    ],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for AppEnforcedRestrictions {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let controls = SessionControls { application_enforced_restrictions: true, ..SessionControls::default() };
        let draft = drafts::for_everyone(&context.model.snapshot, "App enforced restrictions", &[]);
        let draft = drafts::with_session(drafts::at(draft, &scopes::office_target()), controls);
        let modern = BTreeSet::from([ClientAppType::Browser, ClientAppType::MobileAppsAndDesktopClients]);
        let scope =
            Scope { apps: Some(scopes::office()), client_apps: modern, unmanaged_devices: true, ..Scope::default() };
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "app_enforced_restrictions",
                requirement: Requirement::AppEnforcedRestrictions,
                scope,
                missing: None,
                draft: Some(("Use app enforced restrictions for Office 365", draft)),
            },
        )
    }
}
