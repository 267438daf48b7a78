//! People outside can open protected mail and files: nothing keeps them from Rights Management.

use serde_json::json;

use crate::engine::{Model, Requirement};
use crate::tenant::policy::{ClientAppType, Control, Operator};
use crate::tenant::{Policy, well_known};

use super::{About, Check, Context, Cure, CureKind, Finding, Severity, hand_over, listing, policies};

/// People outside can open protected mail and files: nothing keeps them from Rights Management.
#[derive(Debug)]
pub(super) struct RightsManagement;

static ABOUT: About = About {
    id: "rights-management",
    title: "Rights Management closed to people outside",
    severity: Severity::Low,
    rationale: "Whoever opens mail or a file that this organisation encrypted signs in to its Rights Management service. A policy for all resources that blocks guests, or asks them for a device of this organisation, keeps the recipients out of what was sent to them.",
    references: &["ZT 35001"],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::Edit,
};

impl Check for RightsManagement {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        let faulty = policies::on(snapshot).filter(|policy| keeps_out(policy));
        let mut finding = listing::policies(context, (ABOUT.id, "rights_management"), faulty, leave_out);
        let home = "partners whose devices count here (cross-tenant access settings), and recipients who do MFA here once more";
        finding.not_checked.push(home.to_owned());
        finding
    }
}

/// Takes in guests at Rights Management in everyday sign-ins, and asks for what somebody from outside doesn't have.
pub(super) fn keeps_out(policy: &Policy) -> bool {
    let conditions = &policy.conditions;
    let apps = &conditions.applications;
    let service = well_known::APP_RIGHTS_MANAGEMENT;
    let reached = (apps.all || apps.include.contains(service)) && !apps.exclude.contains(service);
    reached && policies::takes_in_guests(policy) && is_plain(policy) && asks_the_impossible(policy)
}

/// Whether an everyday sign-in from an own computer somewhere meets all other conditions.
fn is_plain(policy: &Policy) -> bool {
    let conditions = &policy.conditions;
    let types = &conditions.client_app_types;
    let narrowed =
        conditions.platforms.is_some() || conditions.locations.is_some() || conditions.device_filter.is_some();
    let risky =
        !conditions.sign_in_risk.is_empty() || !conditions.user_risk.is_empty() || !conditions.insider_risk.is_empty();
    let modern = [ClientAppType::All, ClientAppType::Browser, ClientAppType::MobileAppsAndDesktopClients];
    let everyday = types.is_empty() || modern.iter().any(|modern| types.contains(modern));
    everyday && !narrowed && !risky && conditions.flows.is_empty() && policy.undecided.is_empty()
}

/// Blocks, or asks for a device of this organisation without an alternative.
fn asks_the_impossible(policy: &Policy) -> bool {
    let Some(grant) = &policy.grant else { return false };
    let impossible =
        |control: &Control| matches!(control, Control::Block | Control::CompliantDevice | Control::DomainJoinedDevice);
    match grant.operator {
        Operator::And => grant.controls.iter().any(impossible),
        Operator::Or => !grant.controls.is_empty() && grant.controls.iter().all(impossible),
    }
}

/// The same tenant as if policies that ask for a device of this organisation left nothing out at Rights Management, for the
/// question who is held to one: that they do is what this check advises. None where none does.
pub(super) fn aside(model: &Model, requirement: &Requirement) -> Option<Model> {
    let device =
        matches!(requirement, Requirement::ManagedDevice | Requirement::CompliantDevice | Requirement::HybridDevice);
    let service = well_known::APP_RIGHTS_MANAGEMENT;
    let leaves_out =
        |policy: &Policy| policy.conditions.applications.exclude.contains(service) && asks_the_impossible(policy);
    if !device || !policies::on(&model.snapshot).any(leaves_out) {
        return None;
    }
    let mut all = model.snapshot.policies.clone();
    for policy in all.iter_mut().filter(|policy| leaves_out(policy)) {
        policy.conditions.applications.exclude.remove(service);
    }
    Some(model.with_policies(all))
}

/// The service as an excluded resource.
fn leave_out(policy: &Policy) -> Option<Cure> {
    let mut excluded = policy.conditions.applications.exclude.clone();
    let before = if excluded.is_empty() { "none".to_owned() } else { format!("{} resources", excluded.len()) };
    excluded.insert(well_known::APP_RIGHTS_MANAGEMENT.to_owned());
    let body = crate::tenant::write_policy(&{
        let mut edited = policy.clone();
        edited.conditions.applications.exclude = excluded;
        edited
    });
    let change =
        ("Target resources > Exclude".to_owned(), before, "and Microsoft Rights Management Services".to_owned());
    let body = json!({"conditions": body.get("conditions")});
    let action = hand_over::edit_policy(policy, vec![change], &body);
    listing::hand_over(&policy.id, format!("Leave Rights Management out of {}", policy.display_name), action)
}
