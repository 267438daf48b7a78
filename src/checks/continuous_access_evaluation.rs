//! No policy switches continuous access evaluation off.

use serde_json::json;

use crate::tenant::Policy;
use crate::tenant::policy::SessionControls;

use super::listing;
use super::{About, Check, Context, Cure, CureKind, Finding, Severity, hand_over, policies};

/// No policy switches continuous access evaluation off.
#[derive(Debug)]
pub(super) struct ContinuousAccessEvaluation;

static ABOUT: About = About {
    id: "continuous-access-evaluation",
    title: "Continuous access evaluation switched off",
    severity: Severity::High,
    rationale: "With continuous access evaluation a disabled account or a revoked session ends within minutes. Switched off, a stolen token works on for an hour or more.",
    references: &["ZT 25371"],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::Edit,
};

impl Check for ContinuousAccessEvaluation {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let faulty = policies::on(&context.model.snapshot).filter(|policy| is_off(policy));
        listing::policies(context, (ABOUT.id, "continuous_access_evaluation"), faulty, keep_on)
    }
}

fn is_off(policy: &Policy) -> bool {
    let mode = policy.session.as_ref().and_then(|session| session.continuous_access_evaluation.as_deref());
    mode.is_some_and(|mode| mode.eq_ignore_ascii_case("disabled"))
}

/// Without that control; a policy that asks for nothing else goes.
fn keep_on(policy: &Policy) -> Option<Cure> {
    let session = SessionControls { continuous_access_evaluation: None, ..policy.session.clone()? };
    let session = Some(session).filter(|session| *session != SessionControls::default());
    let asks = policy.grant.as_ref().is_some_and(|grant| !grant.controls.is_empty());
    if session.is_none() && !asks {
        let title = format!("Delete {}", policy.display_name);
        return listing::hand_over(&policy.id, title, hand_over::delete_policy(policy));
    }
    let body = crate::tenant::write_policy(&Policy { session, ..policy.clone() });
    let change = (
        "Session > Customize continuous access evaluation".to_owned(),
        "Disable".to_owned(),
        "not selected".to_owned(),
    );
    let action = hand_over::edit_policy(policy, vec![change], &json!({"sessionControls": body.get("sessionControls")}));
    listing::hand_over(&policy.id, format!("Keep continuous access evaluation on in {}", policy.display_name), action)
}
