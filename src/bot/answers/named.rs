//! What a question names, found in the tenant: one thing, or an answer that asks back.

use roaring::RoaringBitmap;

use crate::bot::answer::{Answer, Part, ask};
use crate::bot::described;
use crate::bot::intent::{SlotName, Slots};
use crate::bot::lookup::{self, Found};
use crate::chat::card;
use crate::checks::{rows, scopes};
use crate::facts::{Evidence, Fact, Row, Term};
use crate::tenant::directory::AccountKind;
use crate::tenant::{Assignment, Group, Kind, Policy, ServicePrincipal, User};

use super::{Asked, unread};

/// An answer that asks back instead.
pub(super) type Back = Box<Answer>;

/// How many of several that fit are offered.
const OFFERED: usize = 6;

/// The names in the question; for one that leaves `key` out, also those of the turn before.
pub(super) fn slots(asked: Asked<'_>, key: SlotName) -> Slots {
    let mut slots = asked.routed.slots.clone();
    if !slots.contains_key(&key)
        && let Some(subject) = asked.subject()
    {
        for (name, values) in lookup::route(asked.analysis.snapshot(), subject, None).slots {
            slots.entry(name).or_insert(values);
        }
    }
    slots
}

/// The first value of a slot.
pub(super) fn first(slots: &Slots, name: SlotName) -> Option<&str> {
    slots.get(&name)?.first().map(String::as_str)
}

/// The person whom these names mean, the asker for "me" and "my"; none when nobody is named.
pub(super) fn person<'a>(asked: Asked<'a>, slots: &Slots) -> Option<Result<&'a User, Back>> {
    match first(slots, SlotName::User).map(str::to_owned).or_else(|| guid(asked.text)) {
        Some(name) => Some(user(asked, &name)),
        None if speaks_of_self(asked.text) => asked.analysis.snapshot().directory.user(&asked.person.id).map(Ok),
        None => None,
    }
}

pub(super) fn speaks_of_self(text: &str) -> bool {
    text.to_lowercase().split(|c: char| !c.is_alphabetic()).any(|word| matches!(word, "i" | "me" | "my" | "myself"))
}

/// An object id in the text.
pub(super) fn guid(text: &str) -> Option<String> {
    let shape = |word: &&str| {
        word.len() == 36
            && word.split('-').map(str::len).eq([8, 4, 4, 4, 12])
            && word.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
    };
    text.split(|c: char| c != '-' && !c.is_ascii_alphanumeric()).find(shape).map(str::to_lowercase)
}

/// The people whom a name fits. "The other Alice" is the one of two whom the turn before was not about.
pub(super) fn people<'a>(asked: Asked<'a>, name: &str) -> Found<&'a User> {
    let snapshot = asked.analysis.snapshot();
    let found = lookup::user(snapshot, name);
    let other = asked.text.to_lowercase().split(' ').any(|word| word == "other");
    let (Found::Several(all), true, Some(subject)) = (&found, other, asked.subject()) else { return found };
    let known = subject.split(", ").find_map(|name| match lookup::user(snapshot, name) {
        Found::One(user) => Some(user),
        _ => None,
    });
    let rest: Vec<&User> = all.iter().copied().filter(|user| known.is_some_and(|known| known.id != user.id)).collect();
    match rest.as_slice() {
        [one] => Found::One(*one),
        _ => found,
    }
}

/// The user of this name, or a question back.
pub(super) fn user<'a>(asked: Asked<'a>, name: &str) -> Result<&'a User, Back> {
    let snapshot = asked.analysis.snapshot();
    match people(asked, name) {
        Found::One(user) => Ok(user),
        Found::None => {
            let names = snapshot.directory.users.iter().map(|user| user.display_name.as_str());
            Err(unknown(asked, ("person", Kind::Users), name, close(names, name)))
        }
        Found::Several(all) => {
            let choice = |user: &&User| {
                (both(&user.display_name, &user.user_principal_name), user.user_principal_name.to_string())
            };
            Err(several(asked, name, &all.iter().map(choice).collect::<Vec<_>>()))
        }
    }
}

/// The app of this name, or a question back.
pub(super) fn app<'a>(asked: Asked<'a>, name: &str) -> Result<&'a ServicePrincipal, Back> {
    let snapshot = asked.analysis.snapshot();
    match lookup::app(snapshot, name) {
        Found::One(app) => Ok(app),
        Found::None => {
            let names = snapshot.directory.service_principals.iter().map(|app| app.display_name.as_str());
            Err(unknown(asked, ("app", Kind::ServicePrincipals), name, close(names, name)))
        }
        Found::Several(all) => {
            let choice = |app: &&ServicePrincipal| (both(&app.display_name, &app.app_id), app.display_name.clone());
            Err(several(asked, name, &all.iter().map(choice).collect::<Vec<_>>()))
        }
    }
}

/// The policy of this name, or a question back.
pub(super) fn policy<'a>(asked: Asked<'a>, name: &str) -> Result<&'a Policy, Back> {
    let snapshot = asked.analysis.snapshot();
    let choice = |policy: &Policy| (policy.display_name.clone(), policy.display_name.clone());
    match lookup::policy(snapshot, name) {
        Found::One(policy) => Ok(policy),
        Found::None => {
            let fitting = described::policies(snapshot, name);
            if !fitting.is_empty() {
                return Err(several(asked, name, &fitting.into_iter().map(choice).collect::<Vec<_>>()));
            }
            let names = snapshot.policies.iter().map(|policy| policy.display_name.as_str());
            Err(unknown(asked, ("policy", Kind::Policies), name, close(names, name)))
        }
        Found::Several(all) => Err(several(asked, name, &all.into_iter().map(choice).collect::<Vec<_>>())),
    }
}

/// Accounts that a word stands for: a group, the holders of a role, a class such as guests, a department.
pub(super) struct Class<'a> {
    /// What it is called here; untrusted text.
    pub(super) name: String,
    /// Its accounts, disabled ones too where it is a group.
    pub(super) users: RoaringBitmap,
    /// The group, if it is one.
    pub(super) group: Option<&'a Group>,
    /// The object behind it.
    pub(super) row: Option<Row>,
}

/// The accounts of this name, or a question back.
pub(super) fn class<'a>(asked: Asked<'a>, name: &str) -> Result<Class<'a>, Back> {
    let snapshot = asked.analysis.snapshot();
    if let Some(back) = unread::back(asked, &[Kind::Users]) {
        return Err(back);
    }
    let plain = |users| Class { name: name.to_owned(), users, group: None, row: None };
    // "Guests" are all guests, also where a group has the word in its name and the question doesn't spell it out.
    if name.split(' ').all(|word| CLASSES.contains(&word.to_lowercase().as_str())) {
        if let Some(group) = spelt_out(asked, name) {
            return Ok(of_group(group));
        }
        if let Some(users) = known_class(asked, name) {
            return Ok(plain(users));
        }
    }
    match lookup::group(snapshot, name) {
        Found::One(group) => return Ok(of_group(group)),
        Found::Several(all) => {
            let choice = |group: &&Group| (group.display_name.clone(), group.display_name.clone());
            return Err(several(asked, name, &all.iter().map(choice).collect::<Vec<_>>()));
        }
        Found::None => {}
    }
    let users = known_class(asked, name).or_else(|| role(asked, name)).or_else(|| department(asked, name));
    users.map(plain).ok_or_else(|| {
        let names = snapshot.directory.groups.values().map(|group| group.display_name.as_str());
        unknown(asked, ("group, role or department", Kind::Groups), name, close(names, name))
    })
}

fn of_group(group: &Group) -> Class<'_> {
    Class {
        name: group.display_name.clone(),
        users: group.transitive.as_deref().cloned().unwrap_or_default(),
        row: Some(rows::group(group)),
        group: Some(group),
    }
}

/// The group whose whole name stands in the question around these words; the longest of several.
fn spelt_out<'a>(asked: Asked<'a>, words: &str) -> Option<&'a Group> {
    let (text, words) = (asked.text.to_lowercase(), words.to_lowercase());
    let stands = |name: &str| {
        let ends = |rest: &str, c: Option<char>| rest.is_empty() || c.is_some_and(|c| !c.is_alphanumeric() && c != '-');
        let (mut before, mut after) = (text.split(name), text.split(name).skip(1));
        name.contains(&words)
            && before.next().is_some_and(|rest| ends(rest, rest.chars().next_back()))
            && after.next().is_some_and(|rest| ends(rest, rest.chars().next()))
    };
    let groups = asked.analysis.snapshot().directory.groups.values();
    groups.filter(|group| stands(&group.display_name.to_lowercase())).max_by_key(|group| group.display_name.len())
}

/// Everyday words for classes of accounts, which no part of a group's name outweighs.
const CLASSES: &[&str] = &[
    "guest",
    "guests",
    "external",
    "externals",
    "partners",
    "vendors",
    "b2b",
    "service",
    "room",
    "rooms",
    "admin",
    "admins",
    "administrators",
    "staff",
    "employees",
    "everyone",
    "all",
    "users",
    "user",
    "accounts",
    "account",
];

fn known_class(asked: Asked<'_>, name: &str) -> Option<RoaringBitmap> {
    let (model, name) = (&asked.analysis.model, name.to_lowercase());
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    Some(if has(&["guest", "external", "partner", "vendor", "b2b"]) {
        model.guests()
    } else if has(&["service account"]) {
        model.users_of_kind(AccountKind::Service)
    } else if has(&["room"]) {
        model.users_of_kind(AccountKind::Room)
    } else if has(&["break", "emergency"]) {
        model.emergency_users()
    } else if matches!(name.trim_end_matches('s'), "admin" | "administrator") {
        scopes::role_holders(&model.snapshot.directory, Assignment::Active)
    } else if has(&["staff", "employee", "all users", "everyone"]) {
        model.default_users() - model.guests()
    } else {
        return None;
    })
}

fn role(asked: Asked<'_>, name: &str) -> Option<RoaringBitmap> {
    let wanted = name.to_lowercase().replace("admins", "administrator").replace("admin ", "administrator ");
    let wanted = wanted.trim_end_matches('s');
    let wanted = if wanted.ends_with("admin") { format!("{wanted}istrator") } else { wanted.to_owned() };
    let roles = &asked.analysis.snapshot().directory.roles;
    let role = roles.values().find(|role| role.display_name.eq_ignore_ascii_case(&wanted))?;
    asked.analysis.model.role_holders(&role.id, Assignment::Active)
}

fn department(asked: Asked<'_>, name: &str) -> Option<RoaringBitmap> {
    let name = name.to_lowercase();
    let words: Vec<&str> = name
        .split(' ')
        .filter(|word| !matches!(*word, "the" | "team" | "department" | "people" | "folks" | "staff" | "users"))
        .collect();
    let wanted = words.join(" ");
    let users = (0u32..).zip(&asked.analysis.snapshot().directory.users);
    let of = users.filter(|(_, user)| {
        user.enabled && user.department.as_ref().is_some_and(|one| one.eq_ignore_ascii_case(&wanted))
    });
    let found: RoaringBitmap = of.map(|(index, _)| index).collect();
    (!found.is_empty()).then_some(found)
}

/// A question back: which of these is meant?
fn several(asked: Asked<'_>, name: &str, choices: &[(String, String)]) -> Back {
    let fact = Fact::new("named.several", Evidence::default())
        .with("count", choices.len())
        .with("name", Term::Name(name.to_owned()))
        .must_show();
    let again = |id: &str| {
        if asked.text.contains(name) { asked.text.replace(name, id) } else { format!("{} {id}", asked.text) }
    };
    let answer = Answer { kind: card::Kind::Question, ..Answer::sentences(vec![fact]) };
    Box::new(choices.iter().take(OFFERED).fold(answer, |answer, (label, id)| answer.action(ask(label, again(id)))))
}

/// Nothing has this name: names that are like it are offered. Where such objects were not read, that is all there is to say.
fn unknown(asked: Asked<'_>, (what, kind): (&str, Kind), name: &str, close: Vec<String>) -> Back {
    if let Some(back) = unread::back(asked, &[kind]) {
        return back;
    }
    let fact = Fact::new("named.none", Evidence::default())
        .with("what", Term::Word(what.to_owned()))
        .with("name", Term::Name(name.to_owned()))
        .with("close", Term::Names(close.clone()))
        .must_show();
    let answer = Answer::sentences(vec![fact]).part(Part::Limits(vec![asked.read_at()]));
    let instead = close.iter().filter(|_| asked.text.contains(name));
    let buttons = instead.map(|close| ask(close, asked.text.replace(name, close)));
    Box::new(Answer { kind: card::Kind::Question, ..answer }.actions(buttons))
}

/// A question back for something that the question leaves out.
pub(super) fn missing(key: &str) -> Answer {
    Answer { kind: card::Kind::Question, ..Answer::sentences(vec![Fact::new(key, Evidence::default()).must_show()]) }
}

/// Names of which a word begins like one of the wanted one, the most alike first, at most three.
fn close<'a>(names: impl Iterator<Item = &'a str>, wanted: &str) -> Vec<String> {
    let start = |word: &str| word.chars().take(3).collect::<String>().to_lowercase();
    let starts: Vec<String> =
        wanted.split([' ', '.', '-', '_', '@']).map(start).filter(|start| start.len() > 2).collect();
    let like = |name: &&str| name.split([' ', '.', '-']).any(|word| starts.contains(&start(word)));
    let wanted = pairs(wanted);
    let mut found: Vec<(usize, &str)> =
        names.filter(like).map(|name| (likeness(&wanted, &pairs(name)), name)).collect();
    found.sort_by_key(|(likeness, name)| (std::cmp::Reverse(*likeness), *name));
    found.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
}

/// Pairs of letters that stand side by side.
fn pairs(text: &str) -> Vec<(char, char)> {
    let text = text.to_lowercase();
    let mut pairs: Vec<(char, char)> = text.chars().zip(text.chars().skip(1)).collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// The share of pairs that two names have in common, in thousandths.
fn likeness(one: &[(char, char)], other: &[(char, char)]) -> usize {
    let common = one.iter().filter(|pair| other.binary_search(pair).is_ok()).count();
    (2_000 * common).checked_div(one.len() + other.len()).unwrap_or_default()
}

fn both(name: &str, id: &str) -> String {
    format!("{name} ({id})")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::bot::answers::testing::{Question, nordwerk, said, said_after, subject_after};
    use crate::bot::intent::{Intent, Previous};

    #[test]
    fn the_most_alike_name_comes_first() {
        let names = ["Jonas Lindgren", "Alice Berg", "Alice Lindqvist", "Mara Linde"];
        assert_eq!(super::close(names.into_iter(), "Alice Lindqvst"), ["Alice Lindqvist", "Alice Berg", "Mara Linde"]);
    }

    #[tokio::test]
    async fn close_names_are_buttons() {
        let words = said(&nordwerk(), Intent::UserPolicies, "which policies apply to Alice Morau?").await;
        assert!(words.contains("(Alice Moreau)"), "{words}");
    }

    #[tokio::test]
    async fn nobody_is_missing_where_nobody_was_read() {
        let mut tenant = nordwerk();
        tenant["users"] = json!([]);
        tenant["unread"] = json!(["users"]);
        let words = said(&tenant, Intent::UserPolicies, "which policies apply to Alice Moreau?").await;
        assert!(words.starts_with("Not known: users.json was not read."), "{words}");
    }

    #[tokio::test]
    async fn the_other_of_two() {
        let subject = "alice.moreau@nordwerk.example";
        let words = said_after(&nordwerk(), Intent::UserPolicies, subject, "what about the other Alice?").await;
        assert!(words.starts_with("Alice Berg is in "), "{words}");
    }

    #[tokio::test]
    async fn what_was_open_is_what_is_asked_about() {
        let after = async |subject, text| said_after(&nordwerk(), Intent::Exclusions, subject, text).await;
        assert!(after("CA203", "why?").await.starts_with("1 enabled account is excluded from CA203"));
        assert!(after("guests", "and why are they excluded").await.starts_with("guests: 1 account."));
        let words = after("Bob Keller", "why is he excluded").await;
        assert!(words.starts_with("Yes: 1 policy of 3 that are On leave Bob Keller out."), "{words}");
    }

    #[tokio::test]
    async fn a_sign_in_test_goes_on_with_all_that_was_said() {
        let subject = async |subject: &str, text, intent| {
            let previous = Some(Previous { intent, subject: subject.into() });
            subject_after(&nordwerk(), Question { text, intent, previous }).await
        };
        assert_eq!(subject("guest, Brazil", "and from Germany?", Intent::WhatIf).await, "guest, Germany");
        assert_eq!(subject("guest, Germany", "and Alice Moreau?", Intent::WhatIf).await, "Alice Moreau, Germany");
        let words = said_after(&nordwerk(), Intent::WhatIf, "guest, Germany", "and on Android?").await;
        assert!(
            words.starts_with("Sign-in test: a guest, from Germany (DE)") && words.contains(", on Android and"),
            "{words}"
        );
        // A time holds until another is named; a list is about nothing that was open.
        let person = subject("Alice Moreau, yesterday", "and Bob Keller?", Intent::ExplainSignIn).await;
        assert_eq!(person, "Bob Keller, yesterday");
        assert_eq!(subject("Bob Keller, yesterday", "and today?", Intent::ExplainSignIn).await, "today");
        // Whoever is spoken of stays; so does the app that others are asked about.
        assert_eq!(subject("Bob Keller", "is he an admin", Intent::SignInUsage).await, "Bob Keller, admin");
        assert_eq!(subject("SharePoint", "what about guests", Intent::AppPolicies).await, "guests, SharePoint");
        assert_eq!(subject("CA200", "list all policies", Intent::ListPolicies).await, "");
    }
}
