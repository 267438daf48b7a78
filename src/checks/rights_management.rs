//! People outside can open protected mail and files: nothing keeps them from Rights Management.

use std::collections::BTreeSet;

use serde_json::json;

use crate::engine::location::MFA_TRUSTED_IPS;
use crate::engine::{Model, Requirement, Truth, device_rule};
use crate::facts::{Fact, Term};
use crate::tenant::location::Place;
use crate::tenant::policy::{Applications, ClientAppType, Control, Operator, Platform, Sides};
use crate::tenant::sign_in::Known;
use crate::tenant::{Policy, Snapshot, well_known};

use super::listing::{self, Listed};
use super::{About, Check, Context, Cure, CureKind, Finding, Severity, fallback, hand_over, policies, rows, scopes};

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
        let faulty = policies::on(snapshot).filter(|policy| keeps_out(policy, snapshot));
        let listed = faulty.map(|policy| listed(policy, context)).collect();
        let mut finding = listing::finding(context, (ABOUT.id, "rights_management"), listed);
        let home = "partners whose devices count here (cross-tenant access settings), and recipients who do MFA here once more";
        finding.not_checked.push(home.to_owned());
        finding.not_checked.push("policies for some places only, or for all but some countries".to_owned());
        finding
    }
}

/// The policy, and whether the cure opens the service to the organisation's own people as well: a policy can't leave an app
/// out for guests alone.
fn listed(policy: &Policy, context: &Context<'_>) -> Listed {
    let opens = if is_made_up(policy, context.model) { "" } else { "opens" };
    let fact = Fact::new("rights_management.policy", context.evidence([rows::policy(policy)]))
        .with("policy", Term::Name(policy.display_name.clone()))
        .with("state", Term::Word(rows::state_word(policy.state).to_owned()))
        .with("opens", Term::Word(opens.to_owned()));
    Listed { fact, cure: leave_out(policy) }
}

/// Takes in guests at Rights Management in everyday sign-ins, and asks for what somebody from outside doesn't have.
pub(super) fn keeps_out(policy: &Policy, snapshot: &Snapshot) -> bool {
    let conditions = &policy.conditions;
    let apps = &conditions.applications;
    let service = well_known::APP_RIGHTS_MANAGEMENT;
    let reached = (apps.all || apps.include.contains(service)) && !apps.exclude.contains(service);
    reached && policies::takes_in_guests(policy) && is_everyday(policy, snapshot) && asks_the_impossible(policy)
}

/// Whether an everyday sign-in from an own computer or phone, at home somewhere, meets all other conditions.
fn is_everyday(policy: &Policy, snapshot: &Snapshot) -> bool {
    let conditions = &policy.conditions;
    let types = &conditions.client_app_types;
    let filter = conditions.device_filter.as_ref();
    // A recipient's device is not registered here.
    let unregistered = filter.is_none_or(|filter| device_rule::met(filter, &Known::Absent) == Truth::Yes);
    let narrowed = !unregistered
        || !conditions.platforms.as_ref().is_none_or(has_a_platform)
        || !conditions.locations.as_ref().is_none_or(|sides| holds_elsewhere(sides, snapshot));
    let risky =
        !conditions.sign_in_risk.is_empty() || !conditions.user_risk.is_empty() || !conditions.insider_risk.is_empty();
    let modern = [ClientAppType::All, ClientAppType::Browser, ClientAppType::MobileAppsAndDesktopClients];
    let everyday = types.is_empty() || modern.iter().any(|modern| types.contains(modern));
    everyday && !narrowed && !risky && conditions.flows.is_empty() && policy.undecided.is_empty()
}

/// Whether one of the platforms that people have is left.
fn has_a_platform(sides: &Sides<Platform>) -> bool {
    let listed = |set: &BTreeSet<Platform>, one| set.contains(&one) || set.contains(&Platform::All);
    Platform::NAMED.into_iter().any(|one| listed(&sides.include, one) && !listed(&sides.exclude, one))
}

/// Whether a policy holds wherever recipients sit: everywhere but at the organisation's own addresses. One that leaves out
/// countries is about where one may be, and keeps others out there on purpose.
fn holds_elsewhere(sides: &Sides<String>, snapshot: &Snapshot) -> bool {
    let by_address = |place: &Place| matches!(place, Place::Ip { .. } | Place::CompliantNetwork);
    let own = |id: &String| {
        [ALL_TRUSTED, MFA_TRUSTED_IPS].contains(&id.as_str())
            || snapshot.locations.get(id).is_some_and(|location| by_address(&location.place))
    };
    sides.include.contains("All") && sides.exclude.iter().all(own)
}

/// The trusted locations, as policies name them.
const ALL_TRUSTED: &str = "AllTrusted";

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

/// Whether other policies ask the organisation's own people for as much at the service.
fn is_made_up(policy: &Policy, model: &Model) -> bool {
    let mut there = fallback::sparing(policy, &model.snapshot);
    let include = BTreeSet::from([well_known::APP_RIGHTS_MANAGEMENT.to_owned()]);
    there.conditions.applications = Applications { include, ..Applications::default() };
    there.conditions.users.exclude.guests = Some(scopes::external_guests());
    !model.with_draft_on(&there).made_up(&BTreeSet::from([there.id])).is_empty()
}
