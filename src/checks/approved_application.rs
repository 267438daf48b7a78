//! No policy asks for the retired approved client app.

use std::collections::BTreeSet;

use serde_json::json;

use crate::tenant::Policy;
use crate::tenant::policy::{Control, GrantControls};

use super::listing;
use super::{About, Check, Context, Cure, CureKind, Finding, Severity, hand_over, policies};

/// No policy asks for the retired approved client app.
#[derive(Debug)]
pub(super) struct ApprovedApplication;

static ABOUT: About = About {
    id: "approved-application",
    title: "Retired \"approved client app\" control",
    severity: Severity::Medium,
    rationale: "\"Require approved client app\" was retired on 30 June 2026. \"Require app protection policy\" takes its place.",
    references: &["MT.1072"],
    see_also: &["ZT 24827"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::Edit,
};

impl Check for ApprovedApplication {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let retired = |policy: &&Policy| {
            policy.grant.as_ref().is_some_and(|grant| grant.controls.contains(&Control::ApprovedApplication))
        };
        let faulty = policies::on(&context.model.snapshot).filter(retired);
        listing::policies(context, (ABOUT.id, "approved_application"), faulty, replace)
    }
}

fn replace(policy: &Policy) -> Option<Cure> {
    let grant = policy.grant.as_ref()?;
    let mut controls: BTreeSet<Control> = grant.controls.clone();
    controls.remove(&Control::ApprovedApplication);
    controls.insert(Control::CompliantApplication);
    let after = Policy { grant: Some(GrantControls { controls, ..grant.clone() }), ..policy.clone() };
    let body = crate::tenant::write_policy(&after);
    let change = (
        "Grant".to_owned(),
        "Require approved client app".to_owned(),
        "Require app protection policy in its place".to_owned(),
    );
    let action = hand_over::edit_policy(policy, vec![change], &json!({"grantControls": body.get("grantControls")}));
    listing::hand_over(&policy.id, format!("Require app protection in {}", policy.display_name), action)
}
