//! Finds what a question names: people, groups, apps and policies. Two that fit are asked about, never guessed between.

use crate::tenant::{Group, Policy, ServicePrincipal, Snapshot, User};

use super::intent::{Intent, Previous, Routed, SlotName, Slots, route_among};

/// Reads a message, knowing the names of the tenant's people, groups and apps, and its object ids.
#[must_use]
pub fn route(snapshot: &Snapshot, text: &str, previous: Option<&Previous>) -> Routed {
    let routed = route_among(text, previous, snapshot.directory.users.iter().map(|user| user.display_name.as_str()));
    by_id(snapshot, text).unwrap_or_else(|| renamed(snapshot, text, routed))
}

/// Words around an object id that leave open what is asked of it.
const ABOUT_AN_ID: &[&str] = &["what", "who", "is", "this", "the", "object", "show", "find", "id"];

/// What an object id alone asks for: the object that has it, or the sign-in with this correlation or request id.
fn by_id(snapshot: &Snapshot, text: &str) -> Option<Routed> {
    let words = || text.split(|c: char| c != '-' && !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let is_id = |word: &&str| word.len() == 36 && word.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    let id = words().find(is_id)?.to_lowercase();
    if words().filter(|word| !is_id(word)).any(|word| !ABOUT_AN_ID.contains(&word.to_lowercase().as_str())) {
        return None;
    }
    let directory = &snapshot.directory;
    let of = |intent: Intent, name: SlotName| (intent, Slots::from([(name, vec![id.clone()])]));
    let (intent, slots) = if directory.user(&id).is_some() {
        of(Intent::UserPolicies, SlotName::User)
    } else if directory.groups.contains_key(&id) {
        of(Intent::Exclusions, SlotName::Group)
    } else if snapshot.policy(&id).is_some() {
        of(Intent::ShowPolicy, SlotName::Policy)
    } else if directory.service_principals.iter().any(|app| app.id == id || app.app_id == id) {
        of(Intent::AppPolicies, SlotName::App)
    } else {
        (Intent::ExplainSignIn, Slots::new())
    };
    Some(Routed { intent, slots, refusal: None, sure: true, alternatives: Vec::new(), follows: false })
}

/// Names of groups and apps that stand whole in the text, where a word of one was taken for a person; and names of groups
/// that only an administrator gives ("CA-BreakGlass"), which nothing else shows.
fn renamed(snapshot: &Snapshot, text: &str, mut routed: Routed) -> Routed {
    let users = routed.slots.get(&SlotName::User).cloned().unwrap_or_default();
    let text = text.to_lowercase();
    if routed.intent == Intent::OutOfScope || (users.is_empty() && !text.contains(['-', '_'])) {
        return routed;
    }
    let taken = |name: &str| users.iter().any(|user| name.to_lowercase().contains(&user.to_lowercase()));
    let whole = |name: &str| name.len() > 3 && name.len() <= text.len() && stands_in(&text, name);
    let groups = snapshot.directory.groups.values().map(|group| group.display_name.as_str());
    let apps = snapshot.directory.service_principals.iter().map(|app| app.display_name.as_str());
    let given = |name: &str| name.contains(['-', '_']) && !routed.slots.contains_key(&SlotName::Policy);
    let group = groups.filter(|name| (taken(name) || given(name)) && whole(name)).max_by_key(|name| name.len());
    let app = apps.filter(|name| taken(name) && whole(name)).max_by_key(|name| name.len());
    let (slot, name) = match (group, app) {
        (Some(group), _) => (SlotName::Group, group),
        (None, Some(app)) => (SlotName::App, app),
        (None, None) => return routed,
    };
    let mut people = snapshot.directory.users.iter();
    if people.any(|user| user.display_name.eq_ignore_ascii_case(name)) {
        return routed;
    }
    let within = |value: &String| name.to_lowercase().contains(&value.to_lowercase());
    if let Some(kept) = routed.slots.get_mut(&SlotName::User) {
        kept.retain(|user| !within(user));
    }
    let values = routed.slots.entry(slot).or_default();
    values.retain(|value| !within(value));
    values.push(name.to_owned());
    routed.slots.retain(|_, values| !values.is_empty());
    if slot == SlotName::App && routed.intent == Intent::UserPolicies {
        routed.intent = Intent::AppPolicies;
    }
    routed
}

/// Whether a name stands in a text in small letters as words of its own.
#[must_use]
pub fn stands_in(text: &str, name: &str) -> bool {
    let name = name.to_lowercase();
    let apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '-');
    text.match_indices(&name).any(|(at, found)| {
        let (before, after) = (text.get(..at), text.get(at + found.len()..));
        apart(before.and_then(|rest| rest.chars().next_back())) && apart(after.and_then(|rest| rest.chars().next()))
    })
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
    fn a_name_of_a_group_or_an_app_is_no_person() {
        let mut snapshot = snapshot();
        let group = Group { id: "g".into(), display_name: "Projects-Harbour".into(), ..Group::default() };
        snapshot.directory.groups.insert("g".into(), group);
        let app = ServicePrincipal { display_name: "Nordwerk Timeclock".into(), ..ServicePrincipal::default() };
        snapshot.directory.service_principals.push(app);
        let routed = route(&snapshot, "what policies apply to Nordwerk Timeclock", None);
        assert_eq!(routed.intent, Intent::AppPolicies);
        assert_eq!(routed.slots, Slots::from([(SlotName::App, vec!["Nordwerk Timeclock".to_owned()])]));
        let routed = route(&snapshot, "why is Projects-Harbour excluded", None);
        assert_eq!(routed.slots, Slots::from([(SlotName::Group, vec!["Projects-Harbour".to_owned()])]));
        let routed = route(&snapshot, "which policies apply to Alice Moreau?", None);
        assert_eq!(routed.slots, Slots::from([(SlotName::User, vec!["Alice Moreau".to_owned()])]));
    }

    #[test]
    fn an_id_alone_is_its_object() {
        let id = "0b7a8f6e-1111-4222-8333-444455556666";
        let previous = Previous { intent: Intent::ShowPolicy, subject: "CA999".into() };
        let mut snapshot = snapshot();
        assert_eq!(route(&snapshot, id, Some(&previous)).intent, Intent::ExplainSignIn);
        snapshot.directory.groups.insert(id.into(), Group { id: id.into(), ..Group::default() });
        let routed = route(&snapshot, &format!("what is {id}?"), Some(&previous));
        assert_eq!((routed.intent, routed.follows), (Intent::Exclusions, false));
        assert_eq!(routed.slots, Slots::from([(SlotName::Group, vec![id.to_owned()])]));
    }

    #[test]
    fn a_policy_is_found_by_its_number() {
        let snapshot = snapshot();
        assert!(matches!(policy(&snapshot, "CA204"), Found::One(found) if found.display_name.starts_with("CA204 ")));
        assert!(matches!(policy(&snapshot, "require mfa guests"), Found::One(_)));
    }
}
