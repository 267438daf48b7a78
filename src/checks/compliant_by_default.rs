//! A device without a compliance policy doesn't count as compliant.

use crate::facts::Fact;
use crate::tenant::policy::Control;

use super::listing::{self, Listed};
use super::{About, Check, Context, CureKind, Finding, HandOver, Severity, Verdict, hand_over, policies, rows};

/// A device without a compliance policy doesn't count as compliant.
#[derive(Debug)]
pub(super) struct CompliantByDefault;

static ABOUT: About = About {
    id: "compliant-by-default",
    title: "Devices that count as compliant without a policy",
    severity: Severity::High,
    rationale: "As delivered, Intune marks a device to which no compliance policy applies as compliant. Every policy that asks for a compliant device then lets it in unseen.",
    references: &[],
    see_also: &["ZT 24824", "MS.AAD.3.7"],
    licence: "Intune",
    thresholds: &[],
    cure: CureKind::Edit,
};

impl Check for CompliantByDefault {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        let asking: Vec<_> = policies::on(snapshot)
            .filter(|policy| {
                policy.grant.as_ref().is_some_and(|grant| grant.controls.contains(&Control::CompliantDevice))
            })
            .collect();
        if asking.is_empty() {
            return listing::open(context, ABOUT.id, "compliant_by_default.nobody", Verdict::NotApplicable);
        }
        match snapshot.settings.intune_secure_by_default {
            None => {
                let mut finding = listing::open(context, ABOUT.id, "compliant_by_default.review", Verdict::Review);
                let settled = "Intune's compliance settings (intuneSecureByDefault in settings.json would settle it)";
                finding.not_checked.push(settled.to_owned());
                finding
            }
            Some(true) => listing::finding(context, (ABOUT.id, "compliant_by_default"), Vec::new()),
            Some(false) => {
                let evidence = context.evidence(asking.iter().map(|policy| rows::policy(policy)));
                let fact =
                    Fact::new("compliant_by_default.policies", evidence).with("policies", policies::names(asking));
                let cure = listing::hand_over(
                    "",
                    "Mark devices without a compliance policy as not compliant".to_owned(),
                    mark(context),
                );
                listing::finding(context, (ABOUT.id, "compliant_by_default"), vec![Listed { fact, cure }])
            }
        }
    }
}

fn mark(context: &Context<'_>) -> HandOver {
    let change = ("Mark devices with no compliance policy assigned as", "Compliant", "Not compliant");
    HandOver {
        powershell: "Connect-MgGraph -Scopes 'DeviceManagementConfiguration.ReadWrite.All'\n\
             Update-MgDeviceManagement -BodyParameter @{ settings = @{ secureByDefault = $true } }"
            .to_owned(),
        ..hand_over::change_of(
            ("Tenant", "", &context.model.snapshot.tenant_name),
            change,
            "Intune admin center > Devices > Compliance > Compliance settings".to_owned(),
        )
    }
}
