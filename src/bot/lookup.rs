//! Finds what a question names: people, groups, apps and policies. Two that fit are asked about, never guessed between.

use crate::tenant::{Group, Policy, ServicePrincipal, Snapshot, User};

use super::intent::{Previous, Routed, route_among};

/// Reads a message, knowing the names of the tenant's people.
#[must_use]
pub fn route(snapshot: &Snapshot, text: &str, previous: Option<&Previous>) -> Routed {
    route_among(text, previous, snapshot.directory.users.iter().map(|user| user.display_name.as_str()))
}

/// What fits a name.
#[derive(Clone, Debug, PartialEq)]
pub enum Found<T> {
    /// Nothing.
    None,
    /// Just this.
    One(T),
    /// Several, in the tenant's order: the person has to say which.
    Several(Vec<T>),
}

impl<T> Found<T> {
    fn of(mut all: Vec<T>) -> Self {
        match (all.pop(), all.is_empty()) {
            (None, _) => Self::None,
            (Some(one), true) => Self::One(one),
            (Some(last), false) => {
                all.push(last);
                Self::Several(all)
            }
        }
    }
}

/// People whose id, principal name or name fits: exactly if somebody does, otherwise by a whole word.
#[must_use]
pub fn user<'a>(snapshot: &'a Snapshot, name: &str) -> Found<&'a User> {
    best(&snapshot.directory.users.iter(), name, |user| {
        vec![user.id.as_str(), user.user_principal_name.as_str(), user.display_name.as_str()]
    })
}

/// Groups by id or name.
#[must_use]
pub fn group<'a>(snapshot: &'a Snapshot, name: &str) -> Found<&'a Group> {
    best(&snapshot.directory.groups.values(), name, |group| vec![group.id.as_str(), group.display_name.as_str()])
}

/// Apps by app id, object id or name.
#[must_use]
pub fn app<'a>(snapshot: &'a Snapshot, name: &str) -> Found<&'a ServicePrincipal> {
    best(&snapshot.directory.service_principals.iter(), name, |app| {
        vec![app.app_id.as_str(), app.id.as_str(), app.display_name.as_str()]
    })
}

/// Policies by id or name; `CA204` finds `CA204 – …`.
#[must_use]
pub fn policy<'a>(snapshot: &'a Snapshot, name: &str) -> Found<&'a Policy> {
    best(&snapshot.policies.iter(), name, |policy| vec![policy.id.as_str(), policy.display_name.as_str()])
}

/// Those that fit best: equal, then starting with the name, then holding all its words.
fn best<'a, T>(
    all: &(impl Iterator<Item = &'a T> + Clone),
    name: &str,
    names: impl Fn(&'a T) -> Vec<&'a str>,
) -> Found<&'a T> {
    let wanted = fold(name);
    if wanted.is_empty() {
        return Found::None;
    }
    let words: Vec<&str> = wanted.split(' ').collect();
    let ways: [&dyn Fn(&str) -> bool; 3] = [
        &|known| known == wanted,
        &|known| known.strip_prefix(&wanted).is_some_and(|rest| rest.starts_with([' ', '@', '.'])),
        &|known| words.iter().all(|word| known.split([' ', '@', '.', '-']).any(|part| part == *word)),
    ];
    for fits in ways {
        let found: Vec<&T> =
            all.clone().filter(|item| names(item).into_iter().any(|known| fits(&fold(known)))).collect();
        if !found.is_empty() {
            return Found::of(found);
        }
    }
    Found::None
}

/// Lower case, dashes of all kinds and runs of blanks made one blank.
fn fold(text: &str) -> String {
    let dashless: String =
        text.chars().map(|c| if matches!(c, '–' | '—' | '_' | '’' | '"') { ' ' } else { c }).collect();
    dashless.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot() -> Snapshot {
        let user = |id: &str, name: &str| User {
            id: id.into(),
            display_name: name.into(),
            user_principal_name: format!("{}@nordwerk.example", name.to_lowercase().replace(' ', ".")).into(),
            ..User::default()
        };
        let policy = |name: &str| Policy { id: name.into(), display_name: name.into(), ..Policy::default() };
        let mut snapshot = Snapshot::default();
        snapshot.directory.users = vec![user("1", "Alice Moreau"), user("2", "Alice Berg"), user("3", "Bob Keller")];
        snapshot.policies = vec![policy("CA204 – Require MFA – Guests"), policy("CA2041 – Other")];
        snapshot
    }

    #[test]
    fn two_that_fit_are_both_returned() {
        let snapshot = snapshot();
        assert!(matches!(user(&snapshot, "Alice"), Found::Several(all) if all.len() == 2));
        assert!(matches!(user(&snapshot, "alice moreau"), Found::One(found) if found.id == "1"));
        assert!(matches!(user(&snapshot, "bob.keller@nordwerk.example"), Found::One(found) if found.id == "3"));
        assert_eq!(user(&snapshot, "Carol"), Found::None);
    }

    #[test]
    fn a_policy_is_found_by_its_number() {
        let snapshot = snapshot();
        assert!(matches!(policy(&snapshot, "CA204"), Found::One(found) if found.display_name.starts_with("CA204 ")));
        assert!(matches!(policy(&snapshot, "require mfa guests"), Found::One(_)));
    }
}
