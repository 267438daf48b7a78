//! On Windows, Office 365 takes tokens from their own device only.

use std::collections::BTreeSet;

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::{ClientAppType, Platform, SessionControls, Sides};
use crate::tenant::well_known::APP_TEAMS;

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts, scopes};

/// On Windows, Office 365 takes tokens from their own device only.
#[derive(Debug)]
pub(super) struct TokenProtection;

static ABOUT: About = About {
    id: "token-protection",
    title: "Token protection on Windows",
    severity: Severity::Low,
    rationale: "A token that is bound to its device is of no use on the thief's. It works for desktop apps on Windows; browsers cannot be bound.",
    references: &[
        "CIS 5.2.2.16",
        "ZT 21786",
        "ZT 21941",
        "prowler:entra_conditional_access_policy_token_protection_enforced",
    ],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for TokenProtection {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let mut apps = scopes::office();
        apps.insert(APP_TEAMS.to_owned());
        let clients = BTreeSet::from([ClientAppType::MobileAppsAndDesktopClients]);
        let platforms = BTreeSet::from([Platform::Windows]);
        let controls = SessionControls { secure_sign_in_session: true, ..SessionControls::default() };
        let draft = drafts::for_everyone(&context.model.snapshot, "Token protection", &[]);
        let mut draft = drafts::with_session(drafts::at(draft, &apps), controls);
        draft.conditions.client_app_types.clone_from(&clients);
        draft.conditions.platforms = Some(Sides { include: platforms.clone(), exclude: BTreeSet::new() });
        let scope = Scope { apps: Some(apps), client_apps: clients, platforms, ..scopes::members(context.model) };
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "token_protection",
                requirement: Requirement::TokenProtection,
                scope,
                missing: None,
                draft: Some(("Require token protection on Windows", draft)),
            },
        )
    }
}
