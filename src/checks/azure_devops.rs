//! Azure DevOps takes MFA from everyone.

use std::collections::BTreeSet;

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::Control;
use crate::tenant::well_known::APP_AZURE_DEVOPS;

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts};

/// Azure DevOps takes MFA from everyone.
#[derive(Debug)]
pub(super) struct AzureDevops;

static ABOUT: About = About {
    id: "azure-devops",
    title: "MFA for Azure DevOps",
    severity: Severity::Low,
    rationale: "Since 2025 a policy for Azure management no longer covers Azure DevOps. Only a policy that names it, or one for all resources, does.",
    references: &["MT.1071", "prowler:entra_conditional_access_policy_explicitly_targets_azure_devops"],
    see_also: &["MT.1008"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for AzureDevops {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let apps = BTreeSet::from([APP_AZURE_DEVOPS.to_owned()]);
        let what = "Require MFA for Azure DevOps";
        let draft = drafts::at(drafts::for_people(&context.model.snapshot, what, &[Control::Mfa]), &apps);
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "azure_devops",
                requirement: Requirement::Mfa,
                scope: Scope { apps: Some(apps), ..Scope::default() },
                missing: None,
                draft: Some(("Require MFA for Azure DevOps", draft)),
            },
        )
    }
}
