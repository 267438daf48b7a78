//! Office 365 on an unmanaged iOS or Android device takes an app protection policy.

use std::collections::BTreeSet;

use crate::engine::{Requirement, Scope};
use crate::facts::Fact;
use crate::tenant::Policy;
use crate::tenant::policy::{Applications, ClientAppType, Control, Platform, Sides};
use crate::tenant::well_known::{APP_EXCHANGE_ONLINE, APP_SHAREPOINT_ONLINE};

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts, policies, rows, scopes};

/// Office 365 on an unmanaged iOS or Android device takes an app protection policy.
#[derive(Debug)]
pub(super) struct AppProtection;

static ABOUT: About = About {
    id: "app-protection-mobile",
    title: "App protection on personal phones",
    severity: Severity::Medium,
    rationale: "On a phone that nobody manages, an app protection policy is what keeps mail and files in protected apps. A managed device is enough as well. The retired \"approved client app\" counts where a policy still asks for it, since Microsoft still enforces it, and is named.",
    references: &[
        "ZT 24827",
        "prowler:entra_conditional_access_policy_approved_client_app_required_for_mobile",
        "template:6acdf4c3-6815-485c-a57d-2c349d517ba0",
    ],
    see_also: &["MT.1072"],
    licence: "P1, Intune",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for AppProtection {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let platforms = BTreeSet::from([Platform::Ios, Platform::Android]);
        let apps = BTreeSet::from([APP_EXCHANGE_ONLINE.to_owned(), APP_SHAREPOINT_ONLINE.to_owned()]);
        let clients = BTreeSet::from([ClientAppType::MobileAppsAndDesktopClients]);
        let controls = [Control::CompliantApplication, Control::CompliantDevice];
        let mut draft = drafts::for_everyone(&context.model.snapshot, "Require app protection on mobile", &controls);
        draft.conditions.applications =
            Applications { include: BTreeSet::from(["Office365".to_owned()]), ..Applications::default() };
        draft.conditions.platforms = Some(Sides { include: platforms.clone(), exclude: BTreeSet::new() });
        draft.conditions.client_app_types.clone_from(&clients);
        draft.conditions.users.exclude.guests = Some(scopes::external_guests());
        let scope = Scope {
            apps: Some(apps),
            client_apps: clients,
            platforms,
            unmanaged_devices: true,
            ..scopes::members(context.model)
        };
        let mut finding = judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "app_protection",
                requirement: Requirement::AppProtection,
                scope,
                missing: None,
                draft: Some(("Require an app protection policy on iOS and Android", draft)),
            },
        );
        finding.facts.extend(retired(context));
        finding
    }
}

/// The policies whose cover is the retired control: Microsoft still enforces it, and lets nobody ask for it anew.
fn retired(context: &Context<'_>) -> Option<Fact> {
    let asks = |policy: &&Policy| {
        policy.grant.as_ref().is_some_and(|grant| grant.controls.contains(&Control::ApprovedApplication))
    };
    let asking: Vec<&Policy> = policies::on(&context.model.snapshot).filter(asks).collect();
    let rows = asking.iter().map(|policy| rows::policy(policy));
    let fact = || Fact::new("app_protection.retired", context.evidence(rows));
    let names = policies::names(asking.iter().copied());
    (!asking.is_empty()).then(|| fact().with("policies", names).must_show())
}
