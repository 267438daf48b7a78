//! "How many admins do we have?": the administrators by name and role. They are the same accounts that every check about
//! administrators looks at.

use std::collections::BTreeSet;

use roaring::RoaringBitmap;

use crate::bot::answer::{Answer, Part, ask, column};
use crate::bot::intent::SlotName;
use crate::checks::accounts::emergency_access;
use crate::checks::{rows, scopes};
use crate::engine::{Requirement, Scope};
use crate::facts::{Fact, Term};
use crate::tenant::{Assignment, Kind, Role, Snapshot};

use super::named::{Back, first, slots, user};
use super::{Asked, unread};

/// How many accounts the table names.
const SHOWN: usize = 20;

/// Whether a question is about who the administrators are, and not about what they do or what applies to them.
pub(super) fn are_meant(text: &str) -> bool {
    const OTHERWISE: &[&str] = &[
        "sign", "log in", "logged", "mfa", "polic", "cover", "without", "lack", "block", "exclu", "device", "app",
        "use",
    ];
    let text = text.replace("user admin", "admin").replace("application admin", "admin");
    text.contains("admin") && !OTHERWISE.iter().any(|word| text.contains(word))
}

/// The administrators, or the holders of the one role that is named.
pub(super) fn told(asked: Asked<'_>) -> Answer {
    if let Some(back) = unread::back(asked, &[Kind::RoleAssignments]) {
        return *back;
    }
    if let Some(one) = one(asked) {
        return one.unwrap_or_else(|back| *back);
    }
    let snapshot = asked.analysis.snapshot();
    let role = named(&asked.text.to_lowercase(), snapshot);
    let ids =
        role.map_or_else(|| scopes::administrator_roles(&snapshot.directory), |role| BTreeSet::from([role.id.clone()]));
    let holders = |assignment| match role {
        Some(role) => asked.analysis.model.role_holders(&role.id, assignment).unwrap_or_default(),
        None => scopes::role_holders(&snapshot.directory, assignment),
    };
    let active = holders(Assignment::Active);
    let (apart, eligible) = (&active & emergency_access(snapshot), holders(Assignment::Eligible) - &active);
    let fact = Fact::new("administrators.total", asked.analysis.evidence(rows::users(&active, snapshot, None)))
        .with("role", Term::Word(role.map(|role| role.display_name.clone()).unwrap_or_default()))
        .with("count", active.len())
        .with("apart", apart.len())
        .with("others", (&active - &apart).len())
        .with("eligible", eligible.len())
        .must_show();
    let line = |index: u32| {
        let user = snapshot.directory.user_at(index)?;
        let note = if apart.contains(index) { "emergency access" } else { "" };
        let roles = roles_of(index, &ids, snapshot);
        Some(vec![user.display_name.to_string(), user.user_principal_name.to_string(), roles, note.to_owned()])
    };
    let columns = ["Account", "User principal name", "Roles", "Note"].map(column).to_vec();
    Answer::sentences(vec![fact])
        .table("administrators", columns, active.iter().filter_map(line).collect(), SHOWN)
        .part(Part::Limits(vec![asked.read_at()]))
        .action(ask("Without MFA", "which admins are not covered by MFA?"))
        .action(ask("Their policies", "which policies apply to the admins?"))
}

/// Whether the one person whom the question names, or speaks of as "he" or "she", is an administrator, and by which roles.
fn one(asked: Asked<'_>) -> Option<Result<Answer, Back>> {
    let speaks_of = asked.text.to_lowercase().split(' ').any(|word| ["he", "she"].contains(&word));
    let slots = if speaks_of { slots(asked, SlotName::User) } else { asked.routed.slots.clone() };
    let user =
        match user(asked, first(&slots, SlotName::User).filter(|name| !matches!(*name, "me" | "my" | "I" | "i"))?) {
            Ok(user) => user,
            Err(back) => return Some(Err(back)),
        };
    let snapshot = asked.analysis.snapshot();
    let index = snapshot.directory.user_index(&user.id)?;
    let roles = roles_of(index, &scopes::administrator_roles(&snapshot.directory), snapshot);
    let holder: RoaringBitmap = [index].into_iter().collect();
    let fact = Fact::new("administrators.one", asked.analysis.evidence(rows::users(&holder, snapshot, None)))
        .with("user", Term::Name(user.display_name.to_string()))
        .with("roles", Term::Name(roles))
        .must_show();
    let policies = format!("which policies apply to {}?", user.user_principal_name);
    let answer = Answer::sentences(vec![fact]).part(Part::Limits(vec![asked.read_at()]));
    Some(Ok(answer.action(ask("Their policies", policies)).action(ask("All of them", "how many admins do we have?"))))
}

/// Who holds the one role that a question about administrators' MFA names, and whether policies make each use it: what the
/// check says is about all administrator roles, and must not pass for the answer about one.
pub(super) fn of_role(asked: Asked<'_>) -> Option<Fact> {
    let snapshot = asked.analysis.snapshot();
    let role = named(&asked.text.to_lowercase(), snapshot)?;
    let holders = asked.analysis.model.role_holders(&role.id, Assignment::Active)?;
    let scope = Scope { users: Some(holders.clone()), ..Scope::default() };
    let coverage = asked.analysis.model.coverage(&Requirement::Mfa, &scope);
    let names = |users: &RoaringBitmap| {
        let users = users.iter().filter_map(|index| snapshot.directory.user_at(index));
        Term::Names(users.map(|user| user.display_name.to_string()).collect())
    };
    let (open, unsure) = (&coverage.uncovered & &holders, &coverage.undecided & &holders);
    let fact = Fact::new("administrators.role_mfa", asked.analysis.evidence(rows::users(&holders, snapshot, None)))
        .with("role", Term::Name(role.display_name.clone()))
        .with("count", holders.len())
        .with("names", names(&holders))
        .with("open", names(&open))
        .with("unsure", names(&(unsure - &open)));
    Some(fact.must_show())
}

/// The role that a question names: "global administrators", "Exchange admins". The longest name counts.
fn named<'a>(text: &str, snapshot: &'a Snapshot) -> Option<&'a Role> {
    let short = |name: &str| name.to_lowercase().replace("administrator", "admin");
    let text = short(text);
    let fits = |role: &&Role| {
        let name = short(&role.display_name);
        name != "admin" && crate::bot::lookup::stands_in(&text.replace("admins", "admin"), &name)
    };
    snapshot.directory.roles.values().filter(fits).max_by_key(|role| role.display_name.len())
}

/// The names of those of these roles that an account holds for the whole tenant, directly or through a group.
fn roles_of(index: u32, ids: &BTreeSet<String>, snapshot: &Snapshot) -> String {
    let directory = &snapshot.directory;
    let through = |group: &str| {
        let members = directory.groups.get(group).and_then(|group| group.transitive.as_deref());
        members.is_some_and(|members: &RoaringBitmap| members.contains(index))
    };
    let held = directory.role_assignments.iter().filter(|held| {
        let counts = held.assignment == Assignment::Active && held.scope == "/" && ids.contains(&held.role_id);
        counts && (directory.user_index(&held.principal_id) == Some(index) || through(&held.principal_id))
    });
    let name = |id: &str| scopes::role_name(snapshot, id);
    held.map(|held| name(&held.role_id)).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::bot::answers::testing::{nordwerk, said, said_after};
    use crate::bot::intent::Intent;

    #[tokio::test]
    async fn one_person_is_one_or_is_none() {
        let words = said(&nordwerk(), Intent::SignInUsage, "is Dana Admin an administrator?").await;
        assert!(words.starts_with("Dana Admin holds Global Administrator."), "{words}");
        let words = said_after(&nordwerk(), Intent::SignInUsage, "Bob Keller", "is he an admin").await;
        assert!(words.starts_with("Bob Keller holds no administrator role"), "{words}");
    }

    #[tokio::test]
    async fn administrators_are_named_and_counted_once() {
        let mut tenant = nordwerk();
        let global = tenant["roleDefinitions"][0]["id"].clone();
        // A role of which only Microsoft's mark says that it is an administrator's.
        tenant["roleDefinitions"].as_array_mut().unwrap().push(json!({"id": "r-intune", "templateId": "r-intune", "displayName": "Intune Administrator", "isBuiltIn": true, "isPrivileged": true}));
        tenant["roleAssignments"]
            .as_array_mut()
            .unwrap()
            .push(json!({"principalId": "u-bg1", "roleDefinitionId": global, "directoryScopeId": "/"}));
        tenant["roleAssignments"]
            .as_array_mut()
            .unwrap()
            .push(json!({"principalId": "g-sales", "roleDefinitionId": "r-intune", "directoryScopeId": "/"}));
        let words = said(&tenant, Intent::SignInUsage, "how many admins do we have?").await;
        assert!(words.starts_with("4 administrators"), "{words}");
        for line in [
            "| Alice Berg | alice.berg@nordwerk.example | Intune Administrator |",
            "| Dana Admin |",
            "| Global Administrator | emergency access",
        ] {
            assert!(words.contains(line), "{line}: {words}");
        }
        // The class "admins" is those very accounts.
        let policies = said(&tenant, Intent::UserPolicies, "which policies apply to admins?").await;
        assert!(policies.starts_with("admins: 4 enabled accounts."), "{policies}");
        let words = said(&tenant, Intent::SignInUsage, "list the global administrators").await;
        assert!(words.starts_with("2 accounts hold Global Administrator") && !words.contains("Alice"), "{words}");
    }
}
