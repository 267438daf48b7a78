//! Unmanaged devices reach Office 365 through Conditional Access App Control.

use std::collections::BTreeSet;

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::{ClientAppType, SessionControls};

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts, scopes};

/// Unmanaged devices reach Office 365 through Conditional Access App Control.
#[derive(Debug)]
pub(super) struct AppControl;

static ABOUT: About = About {
    id: "app-control",
    title: "App Control sessions on unmanaged devices",
    severity: Severity::Info,
    rationale: "Defender for Cloud Apps can watch or block downloads in a browser session. It needs the app onboarded there, which no policy shows.",
    references: &["ZT 41080"],
    see_also: &[],
    licence: "P1, Defender for Cloud Apps",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for AppControl {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let controls =
            SessionControls { cloud_app_security: Some("mcasConfigured".to_owned()), ..SessionControls::default() };
        let draft = drafts::for_everyone(&context.model.snapshot, "App Control", &[]);
        let draft = drafts::with_session(drafts::at(draft, &scopes::office_target()), controls);
        let scope = Scope {
            apps: Some(scopes::office()),
            client_apps: BTreeSet::from([ClientAppType::Browser]),
            unmanaged_devices: true,
            ..Scope::default()
        };
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "app_control",
                requirement: Requirement::AppControl,
                scope,
                missing: None,
                draft: Some(("Use Conditional Access App Control for Office 365", draft)),
            },
        )
    }
}
