//! No policy names something that was deleted.

use std::collections::BTreeSet;

use serde_json::json;

use crate::facts::{Evidence, Fact, Row, Term};
use crate::tenant::policy::{Control, PolicyState, UserSide};
use crate::tenant::{Kind, Policy, Snapshot};

use super::listing::{self, Listed};
use super::{About, Check, Context, CureKind, Finding, HandOver, Severity, hand_over, rows};

/// No policy names something that was deleted.
#[derive(Debug)]
pub(super) struct DanglingReferences;

static ABOUT: About = About {
    id: "dangling-references",
    title: "Policies that name deleted objects",
    severity: Severity::Low,
    rationale: "An id that leads nowhere hides what a policy was meant for: an exclusion that protects nobody, or an include that reaches nobody.",
    references: &["MT.1038", "MT.1066", "prowler:entra_conditional_access_policy_no_deleted_object_references"],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::Edit,
};

/// Kinds of object that policies name, and what they are called.
const KINDS: [(Kind, &str); 8] = [
    (Kind::Users, "User"),
    (Kind::Groups, "Group"),
    (Kind::NamedLocations, "Named location"),
    (Kind::TermsOfUse, "Terms of use"),
    (Kind::RoleDefinitions, "Role"),
    (Kind::ServicePrincipals, "App"),
    (Kind::AuthenticationStrengthPolicies, "Authentication strength"),
    (Kind::AuthenticationContextClassReferences, "Authentication context"),
];

impl Check for DanglingReferences {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        let live = snapshot.policies.iter().filter(|policy| policy.state != PolicyState::Disabled);
        let listed = live.filter_map(|policy| listed(policy, context)).collect();
        let mut finding = listing::finding(context, (ABOUT.id, "dangling_references"), listed);
        let unread = KINDS.iter().filter(|(kind, _)| !snapshot.has(*kind));
        finding.not_checked =
            unread.map(|(_, what)| format!("{what} references (that kind of object wasn't read)")).collect();
        finding.not_checked.push("policies that are Off".to_owned());
        if unread_all(snapshot) {
            return listing::open(context, ABOUT.id, "dangling_references.review", super::Verdict::Review);
        }
        finding
    }
}

fn unread_all(snapshot: &Snapshot) -> bool {
    KINDS.iter().all(|(kind, _)| !snapshot.has(*kind))
}

fn listed(policy: &Policy, context: &Context<'_>) -> Option<Listed> {
    let gone = gone(policy, &context.model.snapshot);
    if gone.is_empty() {
        return None;
    }
    let objects = gone.iter().map(|(what, id)| Row::Object {
        what: (*what).to_owned(),
        id: id.clone(),
        name: id.clone(),
        note: "not in the tenant".to_owned(),
    });
    let evidence = Evidence::of(std::iter::once(rows::policy(policy)).chain(objects));
    let ids: Vec<String> = gone.iter().map(|(what, id)| format!("{what} {id}")).collect();
    Some(Listed {
        fact: Fact::new("dangling_references.policy", context.stamp(evidence))
            .with("policy", Term::Name(policy.display_name.clone()))
            .with("count", gone.len())
            .with("objects", Term::Names(ids.clone())),
        cure: listing::hand_over(
            &policy.id,
            format!("Remove deleted objects from {}", policy.display_name),
            remove(policy, &gone, ids.join(", ")),
        ),
    })
}

/// What a policy names that isn't there, of the kinds that were read.
fn gone(policy: &Policy, snapshot: &Snapshot) -> BTreeSet<(&'static str, String)> {
    let users = &policy.conditions.users;
    let directory = &snapshot.directory;
    let sides: [&UserSide; 2] = [&users.include, &users.exclude];
    let user = |id: &&String| is_id(id) && directory.user_index(id).is_none();
    let group = |id: &&String| !directory.groups.contains_key(*id);
    let place = |id: &&String| is_id(id) && !snapshot.locations.contains_key(*id);
    let places = policy.conditions.locations.iter().flat_map(|sides| sides.include.iter().chain(&sides.exclude));
    let controls = || policy.grant.iter().flat_map(|grant| &grant.controls);
    let terms = controls().filter_map(|control| match control {
        Control::TermsOfUse(id) => Some(id),
        _ => None,
    });
    let strengths = controls().filter_map(|control| match control {
        Control::Strength(id) => Some(id),
        _ => None,
    });
    let apps = &policy.conditions.applications;
    let found: [Vec<&String>; 8] = [
        sides.iter().flat_map(|side| &side.users).filter(user).collect(),
        sides.iter().flat_map(|side| &side.groups).filter(group).collect(),
        places.filter(place).collect(),
        terms.filter(|id| !snapshot.terms_of_use.contains_key(*id)).collect(),
        sides.iter().flat_map(|side| &side.roles).filter(|id| !directory.roles.contains_key(*id)).collect(),
        apps.include.iter().chain(&apps.exclude).filter(|id| is_id(id) && directory.app(id).is_none()).collect(),
        strengths.filter(|id| !snapshot.strengths.contains_key(*id)).collect(),
        apps.contexts.iter().filter(|id| !snapshot.contexts.contains_key(*id)).collect(),
    ];
    let read = KINDS.into_iter().zip(found).filter(|((kind, _), _)| snapshot.has(*kind));
    read.flat_map(|((_, what), ids)| ids.into_iter().map(move |id| (what, id.clone()))).collect()
}

/// Object ids, against keywords such as `All` and `AllTrusted`; the id of trusted addresses of MFA is all zeros.
fn is_id(id: &str) -> bool {
    id.len() == 36 && id.chars().filter(|c| *c == '-').count() == 4 && !id.starts_with("00000000-0000-0000-0000")
}

fn remove(policy: &Policy, gone: &BTreeSet<(&'static str, String)>, named: String) -> HandOver {
    let keep = |id: &String| !gone.iter().any(|(_, lost)| lost == id);
    let mut after = policy.clone();
    let users = &mut after.conditions.users;
    for side in [&mut users.include, &mut users.exclude] {
        side.users.retain(keep);
        side.groups.retain(keep);
        side.roles.retain(keep);
    }
    let apps = &mut after.conditions.applications;
    for ids in [&mut apps.include, &mut apps.exclude, &mut apps.contexts] {
        ids.retain(keep);
    }
    if let Some(places) = &mut after.conditions.locations {
        places.include.retain(keep);
        places.exclude.retain(keep);
    }
    let body = crate::tenant::write_policy(&after);
    let change = ("Conditions".to_owned(), format!("{named} named"), "not named".to_owned());
    hand_over::edit_policy(policy, vec![change], &json!({"conditions": body.get("conditions")}))
}
