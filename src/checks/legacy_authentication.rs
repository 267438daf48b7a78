//! Legacy authentication is blocked for everyone.

use std::collections::BTreeSet;

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::{ClientAppType, Control};

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts};

/// Legacy authentication is blocked for everyone.
#[derive(Debug)]
pub(super) struct LegacyAuthentication;

static ABOUT: About = About {
    id: "legacy-authentication",
    title: "Legacy authentication blocked",
    severity: Severity::Critical,
    rationale: "IMAP, POP, SMTP AUTH and old Office clients cannot do MFA, so a stolen password is all that an attacker needs. Several policies may block it together, and a policy that demands MFA of such a client blocks it too.",
    references: &[
        "MS.AAD.1.1",
        "MT.1009",
        "MT.1010",
        "MT.1033",
        "CIS 5.2.2.3",
        "ZT 21796",
        "prowler:entra_legacy_authentication_blocked",
        "template:0b2282f9-2862-4178-88b5-d79340b36cb8",
    ],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for LegacyAuthentication {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let legacy = BTreeSet::from([ClientAppType::ExchangeActiveSync, ClientAppType::Other]);
        let mut draft = drafts::for_everyone(&context.model.snapshot, "Block legacy authentication", &[Control::Block]);
        draft.conditions.client_app_types.clone_from(&legacy);
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "legacy_authentication",
                requirement: Requirement::Block,
                scope: Scope { client_apps: legacy, ..Scope::default() },
                missing: None,
                draft: Some(("Block legacy authentication for all users", draft)),
            },
        )
    }
}
