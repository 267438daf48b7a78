//! No policy names something that was deleted.

use std::collections::BTreeSet;

use serde_json::json;

use crate::facts::{Fact, Row, Term};
use crate::tenant::policy::{Control, UserSide};
use crate::tenant::{Kind, Policy, Snapshot, well_known};

use super::listing::{self, Listed};
use super::{About, Check, Context, CureKind, Finding, HandOver, Severity, Verdict, hand_over, policies, rows};

/// No policy names something that was deleted.
#[derive(Debug)]
pub(super) struct DanglingReferences;

static ABOUT: About = About {
    id: "dangling-references",
    title: "Policies that name deleted objects or custom roles",
    severity: Severity::Low,
    rationale: "An id that leads nowhere hides what a policy was meant for: an exclusion that protects nobody, or an include that reaches nobody. A custom role does the same: Conditional Access knows built-in roles alone.",
    references: &["MT.1038", "MT.1066", "prowler:entra_conditional_access_policy_no_deleted_object_references"],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::Edit,
};

/// Kinds of object that policies name, what they are called, and the file that lists them. Not apps: one of Microsoft's, or of
/// another tenant, works without a service principal here.
const KINDS: [(Kind, &str, &str); 7] = [
    (Kind::Users, "User", "users.json"),
    (Kind::Groups, "Group", "groups.json"),
    (Kind::NamedLocations, "Named location", "namedLocations.json"),
    (Kind::TermsOfUse, "Terms of use", "termsOfUse.json"),
    (Kind::RoleDefinitions, "Role", "roleDefinitions.json"),
    (Kind::AuthenticationStrengthPolicies, "Authentication strength", "authenticationStrengthPolicies.json"),
    (Kind::AuthenticationContextClassReferences, "Authentication context", "authenticationContextClassReferences.json"),
];

impl Check for DanglingReferences {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        let live: Vec<&Policy> = policies::live(snapshot).collect();
        let listed = live.iter().filter_map(|policy| listed(policy, context)).collect();
        let mut finding = listing::finding(context, (ABOUT.id, "dangling_references"), listed);
        let unread = unread(&live, snapshot);
        if finding.verdict == Verdict::Pass && !unread.is_empty() {
            finding = listing::open(context, ABOUT.id, "dangling_references.review", Verdict::Review);
        }
        finding.not_checked =
            unread.iter().map(|(_, what, file)| format!("{what} references ({file} would settle it)")).collect();
        finding.not_checked.push("apps: those of Microsoft or of another tenant need not be in this one".to_owned());
        finding.not_checked.push("policies that are Off".to_owned());
        finding
    }
}

/// The kinds of which policies name something that isn't known and that no file lists.
fn unread(live: &[&Policy], snapshot: &Snapshot) -> Vec<(Kind, &'static str, &'static str)> {
    let unknown = |kind: Kind, ids: &[&String]| !snapshot.has(kind) && ids.iter().any(|id| !exists(kind, id, snapshot));
    let named: Vec<_> = live.iter().map(|policy| named(policy)).collect();
    let open = |at: usize, kind: Kind| named.iter().any(|ids| ids.get(at).is_some_and(|ids| unknown(kind, ids)));
    KINDS.into_iter().enumerate().filter(|(at, (kind, ..))| open(*at, *kind)).map(|(_, kind)| kind).collect()
}

fn listed(policy: &Policy, context: &Context<'_>) -> Option<Listed> {
    let gone = gone(policy, &context.model.snapshot);
    if gone.is_empty() {
        return None;
    }
    let directory = &context.model.snapshot.directory;
    let name = |id: &String| directory.roles.get(id).map_or(id, |role| &role.display_name).clone();
    let object = |(what, id): &(&str, String)| Row::Object {
        what: (*what).to_owned(),
        id: id.clone(),
        name: name(id),
        note: if *what == CUSTOM { "not reached by Conditional Access" } else { "not in the tenant" }.to_owned(),
    };
    let evidence = context.evidence(std::iter::once(rows::policy(policy)).chain(gone.iter().map(object)));
    let ids: Vec<String> = gone.iter().map(|(what, id)| format!("{what} {}", name(id))).collect();
    let (title, action) = remove(policy, &gone, &ids.join(", "));
    Some(Listed {
        fact: Fact::new("dangling_references.policy", evidence)
            .with("policy", Term::Name(policy.display_name.clone()))
            .with("count", gone.len())
            .with("objects", Term::Names(ids.clone())),
        cure: listing::hand_over(&policy.id, title, action),
    })
}

/// What a role is called that the tenant defined itself.
const CUSTOM: &str = "Custom role";

/// What a policy names that isn't there, of the kinds that were read, and the custom roles, which it never matches.
fn gone(policy: &Policy, snapshot: &Snapshot) -> BTreeSet<(&'static str, String)> {
    let read = KINDS.into_iter().zip(named(policy)).filter(|((kind, ..), _)| snapshot.has(*kind));
    let missing = |kind: Kind, id: &String| !exists(kind, id, snapshot);
    let missing = read.flat_map(|((kind, what, _), ids)| {
        ids.into_iter().filter(move |id| missing(kind, id)).map(move |id| (what, id.clone()))
    });
    let users = &policy.conditions.users;
    let roles = users.include.roles.iter().chain(&users.exclude.roles);
    let custom = roles.filter(|id| snapshot.directory.roles.get(*id).is_some_and(|role| !role.built_in));
    missing.chain(custom.map(|id| (CUSTOM, id.clone()))).collect()
}

fn exists(kind: Kind, id: &str, snapshot: &Snapshot) -> bool {
    let directory = &snapshot.directory;
    match kind {
        Kind::Users => directory.user_index(id).is_some(),
        Kind::Groups => directory.groups.contains_key(id),
        Kind::NamedLocations => snapshot.locations.contains_key(id),
        Kind::TermsOfUse => snapshot.terms_of_use.contains_key(id),
        // A file may hold what the tenant defined itself only; these are in every tenant.
        Kind::RoleDefinitions => directory.roles.contains_key(id) || well_known::role_name(id).is_some(),
        Kind::AuthenticationStrengthPolicies => snapshot.strengths.contains_key(id),
        _ => snapshot.contexts.contains_key(id),
    }
}

/// The ids that a policy names, in the order of [`KINDS`].
fn named(policy: &Policy) -> [Vec<&String>; 7] {
    let users = &policy.conditions.users;
    let sides: [&UserSide; 2] = [&users.include, &users.exclude];
    let places = policy.conditions.locations.iter().flat_map(|sides| sides.include.iter().chain(&sides.exclude));
    let controls = || policy.grant.iter().flat_map(|grant| &grant.controls);
    let terms = controls().filter_map(|control| if let Control::TermsOfUse(id) = control { Some(id) } else { None });
    let strengths = controls().filter_map(|control| if let Control::Strength(id) = control { Some(id) } else { None });
    [
        sides.iter().flat_map(|side| &side.users).filter(|id| is_id(id)).collect(),
        sides.iter().flat_map(|side| &side.groups).collect(),
        places.filter(|id| is_id(id)).collect(),
        terms.collect(),
        sides.iter().flat_map(|side| &side.roles).collect(),
        strengths.collect(),
        policy.conditions.applications.contexts.iter().collect(),
    ]
}

/// Object ids, against keywords such as `All` and `AllTrusted`; the id of trusted addresses of MFA is all zeros.
fn is_id(id: &str) -> bool {
    id.len() == 36 && id.chars().filter(|c| *c == '-').count() == 4 && !id.starts_with("00000000-0000-0000-0000")
}

/// The policy without whom and what Graph may refuse to be told again; the lint objects to each of them, so that the edit
/// says which. None where nothing would be left, as in [`without`].
pub(super) fn without_gone(policy: &Policy, snapshot: &Snapshot) -> Option<Policy> {
    without(policy, &gone(policy, snapshot))
}

/// The policy without what is gone; none where that would leave a condition or a control with nothing that it named. Such a
/// policy applies to nobody, and without the condition it would apply to everybody.
fn without(policy: &Policy, gone: &BTreeSet<(&'static str, String)>) -> Option<Policy> {
    let lost = |id: &String| gone.iter().any(|(_, lost)| lost == id);
    let [.., strengths, _] = named(policy);
    let [_, _, _, terms, ..] = named(policy);
    if terms.into_iter().chain(strengths).any(lost) {
        return None;
    }
    let mut after = policy.clone();
    let users = &mut after.conditions.users;
    for side in [&mut users.include, &mut users.exclude] {
        side.users.retain(|id| !lost(id));
        side.groups.retain(|id| !lost(id));
        side.roles.retain(|id| !lost(id));
    }
    after.conditions.applications.contexts.retain(|id| !lost(id));
    if let Some(places) = &mut after.conditions.locations {
        places.include.retain(|id| !lost(id));
        places.exclude.retain(|id| !lost(id));
    }
    names_as_much(policy, &after).then_some(after)
}

/// Whether every list of what a policy includes that named something still does.
fn names_as_much(before: &Policy, after: &Policy) -> bool {
    let included = |policy: &Policy| {
        let conditions = &policy.conditions;
        let places = conditions.locations.as_ref().is_some_and(|places| !places.include.is_empty());
        [conditions.users.include != UserSide::default(), !conditions.applications.contexts.is_empty(), places]
    };
    included(before).into_iter().zip(included(after)).all(|(before, after)| after || !before)
}

/// The edit without what is gone, or what a person has to decide where nothing would be left.
fn remove(policy: &Policy, gone: &BTreeSet<(&'static str, String)>, named: &str) -> (String, HandOver) {
    let (name, before) = (&policy.display_name, format!("{named} named"));
    let Some(after) = without(policy, gone) else {
        let then = "what took their place named, or the policy deleted";
        let portal = format!("Entra admin center > Conditional Access > Policies > {name}");
        let action = hand_over::change_of(("Policy", &policy.id, name), ("Conditions", &before, then), portal);
        return (format!("Name what took the place of {} in {name}, or delete it", lost(gone)), action);
    };
    let body = crate::tenant::write_policy(&after);
    let change = ("Conditions".to_owned(), before, "not named".to_owned());
    let action = hand_over::edit_policy(policy, vec![change], &json!({"conditions": body.get("conditions")}));
    (format!("Remove {} from {name}", lost(gone)), action)
}

fn lost(gone: &BTreeSet<(&'static str, String)>) -> &'static str {
    match (gone.iter().any(|(what, _)| *what == CUSTOM), gone.iter().all(|(what, _)| *what == CUSTOM)) {
        (_, true) => "custom roles",
        (true, false) => "deleted objects and custom roles",
        (false, _) => "deleted objects",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::read_policy;

    const GONE: &str = "6f0e2b1a-0000-4000-8000-000000000001";

    fn removed(conditions: &serde_json::Value) -> HandOver {
        let body = json!({"id": "p", "displayName": "CA1", "state": "enabled", "conditions": conditions,
            "grantControls": {"operator": "OR", "builtInControls": ["block"]}});
        let gone = BTreeSet::from([("Named location", GONE.to_owned())]);
        remove(&read_policy(&body).unwrap(), &gone, GONE).1
    }

    #[test]
    fn a_condition_that_would_become_empty_is_left_to_a_person() {
        let at = |users: &[&str], apps: &[&str], places: &[&str]| {
            json!({"users": {"includeUsers": users}, "applications": {"includeApplications": apps},
                "locations": {"includeLocations": places, "excludeLocations": [GONE]}})
        };
        for conditions in [at(&["All"], &["All"], &[GONE]), at(&[GONE], &["All"], &["All"])] {
            let action = removed(&conditions);
            assert_eq!((action.request, action.powershell), (None, String::new()), "{conditions}");
        }
        let (_, _, body) = removed(&at(&["All"], &["All"], &["All", GONE])).request.unwrap();
        assert_eq!(body["conditions"]["locations"], json!({"includeLocations": ["All"], "excludeLocations": []}));
    }
}
