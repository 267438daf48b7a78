//! Azure management takes MFA from everyone.

use std::collections::BTreeSet;

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::Control;
use crate::tenant::well_known::APP_AZURE_MANAGEMENT;

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts};

/// Azure management takes MFA from everyone.
#[derive(Debug)]
pub(super) struct MfaAzureManagement;

static ABOUT: About = About {
    id: "mfa-azure-management",
    title: "MFA for Azure management",
    severity: Severity::High,
    rationale: "Whoever reaches the Azure portal, Azure CLI or Azure PowerShell can change subscriptions, with or without an administrator role in Entra.",
    references: &[
        "MT.1008",
        "prowler:entra_conditional_access_policy_require_mfa_for_management_api",
        "template:d8c51a9a-e6b1-454d-86af-554e7872e2c1",
    ],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for MfaAzureManagement {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let apps = BTreeSet::from([APP_AZURE_MANAGEMENT.to_owned()]);
        let what = "Require MFA for Azure management";
        let draft = drafts::at(drafts::for_people(&context.model.snapshot, what, &[Control::Mfa]), &apps);
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "mfa_azure_management",
                requirement: Requirement::Mfa,
                scope: Scope { apps: Some(apps), ..Scope::default() },
                missing: None,
                draft: Some(("Require MFA for Azure management", draft)),
            },
        )
    }
}
