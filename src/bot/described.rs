//! Policies found by what is said of them, where no name fits: "the guest MFA policy", "the one that blocks legacy auth".
//! They are offered and never taken: a description may fit what nobody meant.

use std::sync::LazyLock;

use regex::Regex;

use crate::tenant::{Policy, Snapshot};

use super::describe;
use super::intent::text::regex;

/// How many are offered; where more fit alike, the words say too little.
const OFFERED: usize = 6;

/// Words that say nothing about a policy.
const EMPTY: &str = "the and for with that which who what does did are was its our your you show list explain policy \
                     policies rule rules one ones please can could how when where why would will about from any happen \
                     say tell see open give details called named conditional access our this has have get not";

/// What people say, and the words by which policies tell it instead, as they begin.
const SAME: &[(&[&str], &[&str])] = &[
    (&["mfa", "2fa", "factor", "multifactor"], &["mfa", "multifactor", "strength"]),
    (&["legacy", "basic", "imap", "pop", "pop3", "smtp"], &["legacy", "activesync", "other clients"]),
    (&["external", "partner", "vendor", "b2b"], &["guest", "external"]),
    (&["geo", "countr", "location", "abroad", "place"], &["network:", "countr", "location"]),
    (&["managed", "intune", "compliance"], &["compliant", "hybrid"]),
    (&["phone", "mobile", "tablet"], &["mobile", "ios", "android"]),
    (&["passkey", "fido", "fido2"], &["passkey", "phishing-resistant"]),
    (&["everyone", "everybody"], &["all users"]),
    (&["session", "often"], &["session:"]),
    (&["risky"], &["risk"]),
];

/// Whether a sentence speaks of one policy by what it does: "the one that blocks legacy auth", "our guest policy".
#[must_use]
pub fn speaks_of_one(sentence: &str) -> bool {
    static DESCRIPTION: LazyLock<Regex> = LazyLock::new(|| {
        regex(
            r"(?i)\b(?:the|our|your|that)\s+(?:[\w-]+\s+){0,3}?(?:policy|rule|one)\s+(?:that|which|for|about|against|with)\b|\b(?:the|our|your)\s+(?:[\w-]+\s+){1,3}?(?:policy|rule|one)\b",
        )
    });
    DESCRIPTION.is_match(sentence)
}

/// The policies that the words of a description fit best, those first whose name does; none where nothing fits, or too much.
#[must_use]
pub fn policies<'a>(snapshot: &'a Snapshot, description: &str) -> Vec<&'a Policy> {
    let told: Vec<Told<'_>> = snapshot.policies.iter().map(|policy| Told::of(policy, snapshot)).collect();
    let telling = |word: &Vec<String>| {
        let fitting = told.iter().filter(|told| fits(word, &told.all)).count();
        fitting > 0 && fitting < told.len()
    };
    let words: Vec<Vec<String>> = words(description).filter(telling).collect();
    let score = |told: &Told<'_>| {
        let count = |text: &str| words.iter().filter(|word| fits(word, text)).count();
        (count(&told.all), count(&told.name))
    };
    let mut scored: Vec<((usize, usize), &Policy)> = told.iter().map(|told| (score(told), told.policy)).collect();
    let (most, by_name) = scored.iter().map(|(score, _)| *score).max().unwrap_or_default();
    scored.retain(|((fitting, _), _)| *fitting == most && most > 0);
    if scored.len() > OFFERED {
        scored.retain(|((_, named), _)| *named == by_name);
    }
    scored.sort_by_key(|((_, named), _)| std::cmp::Reverse(*named));
    if scored.len() > OFFERED { Vec::new() } else { scored.into_iter().map(|(_, policy)| policy).collect() }
}

/// A policy and what it tells, in small letters: what it leaves out doesn't describe it.
struct Told<'a> {
    policy: &'a Policy,
    name: String,
    all: String,
}

impl<'a> Told<'a> {
    fn of(policy: &'a Policy, snapshot: &Snapshot) -> Self {
        let name = policy.display_name.to_lowercase();
        let lines = describe::policy(policy, snapshot).into_iter().filter(|(label, _)| *label != "Enable policy");
        let included = |words: &str| words.split(" · Exclude: ").next().unwrap_or_default().to_lowercase();
        let lines = lines.map(|(label, words)| format!("{}: {}", label.to_lowercase(), included(&words)));
        let all = std::iter::once(name.clone()).chain(lines).collect::<Vec<_>>().join("\n");
        Self { policy, name, all }
    }
}

/// The words of a description, each with all the beginnings by which a policy may tell it.
fn words(description: &str) -> impl Iterator<Item = Vec<String>> {
    let text = description.to_lowercase();
    let words: Vec<String> = text.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect();
    words.into_iter().filter(|word| word.len() > 2 && !EMPTY.split_whitespace().any(|empty| empty == word)).map(
        |word| {
            let stem = stem(&word);
            let same = SAME.iter().filter(|(said, _)| said.contains(&stem) || said.contains(&word.as_str()));
            let told = same.flat_map(|(_, told)| told.iter().map(|told| (*told).to_owned()));
            told.chain([stem.to_owned()]).collect()
        },
    )
}

/// A word without the ending of its form: "blocks", "blocking", "countries".
fn stem(word: &str) -> &str {
    let endings = ["ies", "ing", "ed", "es", "s"];
    let cut = endings.into_iter().find_map(|ending| word.strip_suffix(ending)).filter(|stem| stem.len() > 2);
    cut.unwrap_or(word)
}

/// Whether a word of the text begins in one of these ways.
fn fits(beginnings: &[String], text: &str) -> bool {
    let begins = |at: usize| text.get(..at).is_none_or(|before| !before.ends_with(char::is_alphanumeric));
    beginnings.iter().any(|beginning| text.match_indices(beginning.as_str()).any(|(at, _)| begins(at)))
}

#[cfg(test)]
mod tests {
    use crate::bot::answers::testing::{nordwerk, snapshot};

    #[test]
    fn one_policy_is_spoken_of() {
        for text in ["what does the one that blocks legacy auth do", "show our guest policy", "the rule for admins"] {
            assert!(super::speaks_of_one(text), "{text}");
        }
        for text in ["show it", "is this policy on", "create a policy that blocks legacy auth", "which policies are on"]
        {
            assert!(!super::speaks_of_one(text), "{text}");
        }
    }

    #[test]
    fn what_a_policy_does_describes_it() {
        let snapshot = snapshot(&nordwerk());
        let found = |text: &str| -> Vec<String> {
            super::policies(&snapshot, text).iter().map(|policy| policy.id.clone()).collect()
        };
        assert_eq!(found("the one that blocks legacy auth"), ["p-legacy"]);
        assert_eq!(found("imap policy"), ["p-legacy"]);
        assert_eq!(found("our second factor rule"), ["p-mfa"]);
        assert_eq!(found("the blocking policies"), ["p-legacy", "p-flow"]);
        assert_eq!(found("the policy about printers"), Vec::<String>::new());
        assert_eq!(found("policies for all users"), ["p-mfa", "p-legacy", "p-flow"]);
    }
}
