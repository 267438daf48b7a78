//! What a new policy is called: in the tenant's own pattern, learned from its policies, or by the configured template.
//!
//! Seen in the field: `CA204 – Require MFA – Internals`, `CA001: Require MFA for admins`, `CA100-Global-BaseProtection-AllApps`,
//! `[PROD] MFA | All users`, and names without any pattern.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::tenant::policy::UserSide;
use crate::tenant::{Policy, Snapshot};

/// Policies that belong together share a hundred: `CA200`, `CA201` …
const HUNDRED: u32 = 100;
/// What stands between the parts of a name; the longer ones first.
const DASHES: &[&str] = &[" – ", " — ", " - ", " | ", " / ", ": ", "-", "_", "|"];
/// Words that name whom a policy is for, without spaces and in lower case.
const PERSONAS: &[&str] = &[
    "global",
    "allusers",
    "all",
    "everyone",
    "users",
    "admins",
    "administrators",
    "internals",
    "internal",
    "employees",
    "externals",
    "external",
    "guests",
    "guestusers",
    "guestadmins",
    "workloadidentities",
    "serviceaccounts",
    "corpserviceaccounts",
    "developers",
];

/// A name for a policy that does `what` for `who` (`All users`, `Admins` …).
#[must_use]
pub fn name(snapshot: &Snapshot, what: &str, who: &str) -> String {
    let pattern = Pattern::of(&snapshot.policies);
    match &snapshot.settings.naming {
        Some(template) => by_template(template, &pattern, (snapshot, what, who)),
        None => pattern.name(snapshot, what, who),
    }
}

/// Gives names that begin with one number numbers of their own, in their order; several suggestions of one scan would
/// otherwise all get the next free one.
pub fn distinct<'a>(names: impl Iterator<Item = &'a mut String>, snapshot: &Snapshot) {
    let number = |name: &str| number_of(name).map(|(prefix, number, _)| (prefix, number));
    let mut taken: BTreeSet<(String, u32)> =
        snapshot.policies.iter().filter_map(|policy| number(&policy.display_name)).collect();
    for name in names {
        let Some(found) = numbered(name) else { continue };
        let free = (found.number..=u32::MAX).find(|number| taken.insert((found.prefix.to_owned(), *number)));
        let free = free.unwrap_or(found.number);
        *name = format!("{}{free:0width$}{}", found.prefix, found.rest, width = found.width);
    }
}

/// `CA204 – …` → prefix, number, width.
#[must_use]
pub fn number_of(name: &str) -> Option<(String, u32, usize)> {
    numbered(name).map(|found| (found.prefix.to_owned(), found.number, found.width))
}

/// How the tenant's names are made.
#[derive(Debug, PartialEq, Eq)]
struct Pattern {
    /// What stands before the number, and its digits; none when names aren't numbered.
    number: Option<(String, usize)>,
    /// Between the number and the rest.
    after: String,
    /// Between the parts; none when names are one phrase.
    dash: Option<String>,
    /// Whom it is for comes before what it does.
    who_first: bool,
    /// Words are set apart by spaces; otherwise run together, each with a capital.
    spaced: bool,
    /// The tenant's own words for whom a policy is for, by ours.
    own_words: BTreeMap<&'static str, String>,
}

impl Pattern {
    fn of(policies: &[Policy]) -> Self {
        let all: Vec<(Option<Numbered<'_>>, &Policy)> =
            policies.iter().map(|policy| (numbered(&policy.display_name), policy)).collect();
        let prefix = commonest(all.iter().filter_map(|(found, _)| found.as_ref()).map(|one| (one.prefix, one.width)));
        let own: Vec<(&str, &Policy)> = match prefix {
            Some((prefix, _)) => all
                .iter()
                .filter_map(|(found, policy)| {
                    found.as_ref().filter(|one| one.prefix == prefix).map(|one| (one.rest, *policy))
                })
                .collect(),
            None => policies.iter().map(|policy| (policy.display_name.as_str(), policy)).collect(),
        };
        let after = prefix.and_then(|_| commonest(own.iter().map(|(rest, _)| lead(rest)))).unwrap_or_default();
        let rests: Vec<(&str, &Policy)> =
            own.iter().map(|(rest, policy)| (rest.strip_prefix(lead(rest)).unwrap_or(rest), *policy)).collect();
        let dash = dash_of(&rests, prefix.is_some());
        let parts: Vec<(Vec<&str>, &Policy)> = rests
            .iter()
            .map(|(rest, policy)| (parts(rest, dash), *policy))
            .filter(|(parts, _)| parts.len() > 1)
            .collect();
        let who_first = most(&parts, |(parts, _)| parts.first().is_some_and(|part| is_persona(part)));
        Self {
            number: prefix.map(|(prefix, width)| (prefix.to_owned(), width)),
            after: after.to_owned(),
            dash: dash.map(str::to_owned),
            who_first,
            spaced: rests.is_empty() || rests.iter().any(|(rest, _)| spaced(rest, dash)),
            own_words: own_words(&parts, who_first),
        }
    }

    fn name(&self, snapshot: &Snapshot, what: &str, who: &str) -> String {
        let body = self.body(what, who);
        match &self.number {
            Some((prefix, width)) => {
                let number = next_number(snapshot, prefix, who);
                format!("{prefix}{number:0width$}{}{body}", self.after)
            }
            None => body,
        }
    }

    /// What and who, without a number.
    fn body(&self, what: &str, who: &str) -> String {
        let who = self.own_words.get(who).map_or(who, String::as_str);
        let (what, who) = (self.run(what), self.run(who));
        match &self.dash {
            Some(dash) if self.who_first => format!("{who}{dash}{what}"),
            Some(dash) => format!("{what}{dash}{who}"),
            // Only a phrase of a numbered pattern reads `… for admins`.
            None if self.number.is_some() => format!("{what} for {}", who.to_lowercase()),
            None => format!("{what} - {who}"),
        }
    }

    /// Words as the tenant writes them.
    fn run(&self, words: &str) -> String {
        if self.spaced {
            return words.to_owned();
        }
        let capital = |word: &str| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
        };
        words.split(|c: char| !c.is_alphanumeric()).map(capital).collect()
    }
}

/// `{name}` is what and who in the tenant's own form, `{what}` and `{who}` either alone, `{number}` the next free number.
fn by_template(template: &str, pattern: &Pattern, (snapshot, what, who): (&Snapshot, &str, &str)) -> String {
    let name = template.replace("{name}", &pattern.body(what, who)).replace("{what}", what).replace("{who}", who);
    let Some((before, _)) = template.split_once("{number}") else { return name };
    let width = numbers(snapshot, before).map(|(_, width, _)| width).max().unwrap_or(3);
    name.replace("{number}", &format!("{:0width$}", next_number(snapshot, before, who)))
}

/// The next free number in the hundred in which the tenant keeps policies about the same people.
fn next_number(snapshot: &Snapshot, prefix: &str, who: &str) -> u32 {
    let taken: BTreeSet<u32> = numbers(snapshot, prefix).map(|(number, ..)| number).collect();
    let alike =
        numbers(snapshot, prefix).filter(|(_, _, rest)| is_about(rest, who)).map(|(number, ..)| number / HUNDRED);
    // Nobody like that yet: after the last policy.
    let after = match commonest(alike) {
        Some(hundred) => taken.range(hundred * HUNDRED..(hundred + 1) * HUNDRED).next_back(),
        None => taken.last(),
    };
    let from = after.map_or(1, |last| last.saturating_add(1));
    (from..=u32::MAX).find(|number| !taken.contains(number)).unwrap_or(from)
}

/// Number, its digits and what follows, of every policy whose name begins like this.
fn numbers<'a>(snapshot: &'a Snapshot, prefix: &'a str) -> impl Iterator<Item = (u32, usize, &'a str)> {
    snapshot.policies.iter().filter_map(move |policy| digits(policy.display_name.strip_prefix(prefix)?))
}

/// Whether the rest of a name is about these people: it holds the beginning of their name (`Admins`, `Administrators`).
fn is_about(rest: &str, who: &str) -> bool {
    let start: String = who.to_lowercase().chars().take(5).collect();
    rest.to_lowercase().contains(&start)
}

/// What occurs most often; of several the smallest.
fn commonest<T: Ord + Copy>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut counts = BTreeMap::<T, usize>::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(value, count)| (*count, Reverse(*value))).map(|(value, _)| value)
}

/// Whether this holds for more than half.
fn most<T>(all: &[T], holds: impl Fn(&T) -> bool) -> bool {
    all.iter().filter(|one| holds(one)).count() * 2 > all.len()
}

/// A name that begins with a number: `CA204 – …`.
struct Numbered<'a> {
    prefix: &'a str,
    number: u32,
    width: usize,
    rest: &'a str,
}

fn numbered(name: &str) -> Option<Numbered<'_>> {
    let (prefix, after) = name.split_at_checked(name.find(|c: char| !c.is_ascii_alphabetic())?)?;
    let (number, width, rest) = digits(after)?;
    (!prefix.is_empty()).then_some(Numbered { prefix, number, width, rest })
}

/// A number at the beginning of a text: the number, its digits, the rest.
fn digits(text: &str) -> Option<(u32, usize, &str)> {
    let width = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(width)?;
    Some((digits.parse().ok()?, width, rest))
}

/// What stands before the first letter or digit.
fn lead(rest: &str) -> &str {
    let end = rest.find(char::is_alphanumeric).unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default()
}

/// The dash that most names have; without numbers only one with spaces, because a hyphen may belong to a word.
fn dash_of(rests: &[(&str, &Policy)], numbered: bool) -> Option<&'static str> {
    let candidates = DASHES.iter().copied().filter(|dash| numbered || dash.contains(' '));
    let counted = candidates.map(|dash| (rests.iter().filter(|(rest, _)| rest.contains(dash)).count(), dash));
    counted
        .filter(|(count, _)| count * 2 > rests.len())
        .max_by_key(|(count, dash)| (*count, dash.len()))
        .map(|(_, dash)| dash)
}

fn parts<'a>(rest: &'a str, dash: Option<&str>) -> Vec<&'a str> {
    dash.map_or_else(|| vec![rest], |dash| rest.split(dash).collect())
}

/// Whether words are set apart by spaces, leaving those around dashes aside.
fn spaced(rest: &str, dash: Option<&str>) -> bool {
    parts(rest, dash).iter().any(|part| part.trim().contains(' '))
}

fn is_persona(part: &str) -> bool {
    let word: String = part.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    PERSONAS.contains(&word.as_str())
}

/// Our word for whom a policy is for.
fn our_word(include: &UserSide) -> Option<&'static str> {
    match include {
        UserSide { all: true, .. } => Some("All users"),
        UserSide { guests: Some(_), .. } => Some("Guests"),
        UserSide { roles, .. } if !roles.is_empty() => Some("Admins"),
        _ => None,
    }
}

/// The word that the tenant uses for the same people, where names end or begin with one.
fn own_words(named: &[(Vec<&str>, &Policy)], who_first: bool) -> BTreeMap<&'static str, String> {
    let mut words = BTreeMap::<&'static str, Vec<&str>>::new();
    for (parts, policy) in named {
        let part = if who_first { parts.first() } else { parts.last() };
        if let (Some(ours), Some(part)) = (our_word(&policy.conditions.users.include), part)
            && is_persona(part)
        {
            words.entry(ours).or_default().push(part.trim());
        }
    }
    words.into_iter().filter_map(|(ours, theirs)| Some((ours, commonest(theirs.into_iter())?.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Snapshot {
        let policy = |name: &&str| {
            let mut policy = Policy { display_name: (*name).to_owned(), ..Policy::default() };
            let lower = name.to_lowercase();
            policy.conditions.users.include.all = lower.contains("all users") || lower.contains("global");
            if lower.contains("admin") {
                policy.conditions.users.include.roles.insert("r".into());
            }
            policy
        };
        Snapshot { policies: names.iter().map(policy).collect(), ..Snapshot::default() }
    }

    fn device_code(tenant: &Snapshot, who: &str) -> String {
        name(tenant, "Block device code flow", who)
    }

    #[test]
    fn numbers_dashes_and_hundreds_are_learned() {
        let tenant = named(&[
            "CA001 – Block legacy – All users",
            "CA100 – Require MFA – Administrators",
            "CA200 – Require MFA – All users",
            "CA210 – Require compliant device – All users",
            "CA300 – Block countries – Rooms",
            "A note",
        ]);
        assert_eq!(device_code(&tenant, "All users"), "CA211 – Block device code flow – All users");
        assert_eq!(device_code(&tenant, "Admins"), "CA101 – Block device code flow – Administrators");
        assert_eq!(device_code(&tenant, "Guests"), "CA301 – Block device code flow – Guests");
    }

    #[test]
    fn a_full_hundred_goes_on_where_there_is_room() {
        let tenant = named(&["P99 - MFA - All users", "P100 - MFA - Guests"]);
        assert_eq!(name(&tenant, "Block", "All users"), "P101 - Block - All users");
    }

    #[test]
    fn personas_come_first_where_they_do() {
        let tenant = named(&[
            "CA001 – Global – Block legacy authentication",
            "CA002 – Global – Require MFA",
            "CA100 – Admins – Require phishing-resistant MFA",
            "CA101 – Admins – Sign-in frequency",
        ]);
        assert_eq!(device_code(&tenant, "All users"), "CA102 – Global – Block device code flow");
        assert_eq!(device_code(&tenant, "Admins"), "CA102 – Admins – Block device code flow");
    }

    #[test]
    fn words_run_together_where_they_do() {
        let tenant = named(&[
            "CA001-Global-BaseProtection-AllApps-AnyPlatform-BlockLegacyAuth",
            "CA002-Global-IdentityProtection-AllApps-AnyPlatform-MFA",
            "CA100-Admins-IdentityProtection-AllApps-AnyPlatform-MFA",
        ]);
        assert_eq!(device_code(&tenant, "All users"), "CA101-Global-BlockDeviceCodeFlow");
        assert_eq!(name(&tenant, "Sign-in frequency", "Guests"), "CA101-Guests-SignInFrequency");
    }

    #[test]
    fn several_new_names_get_numbers_of_their_own() {
        let tenant = named(&["CA200 – Require MFA – All users", "CA202 – Block – All users"]);
        let mut names = ["CA201 – A", "CA201 – B", "no number", "CA201 – C"].map(str::to_owned);
        distinct(names.iter_mut(), &tenant);
        assert_eq!(names, ["CA201 – A", "CA203 – B", "no number", "CA204 – C"]);
    }

    #[test]
    fn a_phrase_stays_a_phrase() {
        let tenant = named(&[
            "CA001: Require multifactor authentication for admins",
            "CA002: Block legacy authentication",
            "CA003: Require MFA for all users",
        ]);
        assert_eq!(device_code(&tenant, "All users"), "CA004: Block device code flow for all users");
    }

    #[test]
    fn without_a_pattern_a_name_says_what_and_for_whom() {
        for names in [&["MFA for all", "Block old mail"][..], &[]] {
            assert_eq!(name(&named(names), "Require MFA", "Guests"), "Require MFA - Guests");
        }
        let piped = named(&["Require MFA | All users", "Block legacy | All users"]);
        assert_eq!(device_code(&piped, "Admins"), "Block device code flow | Admins");
    }

    #[test]
    fn a_template_goes_before_what_was_learned() {
        let mut tenant = named(&["CA200 – Require MFA – All users", "ZT-007 Block legacy (All users)"]);
        let mut with = |template: &str| {
            tenant.settings.naming = Some(template.to_owned());
            device_code(&tenant, "All users")
        };
        assert_eq!(with("CA - {name}"), "CA - Block device code flow – All users");
        assert_eq!(with("ZT-{number} {what} ({who})"), "ZT-008 Block device code flow (All users)");
        assert_eq!(with("New {number}: {name}"), "New 001: Block device code flow – All users");
    }
}
