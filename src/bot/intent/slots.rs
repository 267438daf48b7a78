//! Names and values in a message, each a verbatim part of its text.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::forms;
use super::kinds::Intent as I;
use super::spans::Kind;
use super::text::{Message, regex};
use super::times;

/// What a value is; the names are those of the question files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SlotName {
    /// The account a question is about.
    User,
    /// Groups, roles, departments, classes of users, account patterns.
    Group,
    /// Cloud apps, portals, app ids.
    App,
    /// Policy id, GUID, name or a phrase used as its name.
    Policy,
    /// `S-n`.
    Suggestion,
    /// Country, city, site, named location, address.
    Location,
    /// Operating system or device.
    Platform,
    /// Browsers, protocols, authentication flows.
    ClientApp,
    /// A risk level.
    Risk,
    /// A start, or a point to compare with.
    Since,
    /// A bounded span, or a day.
    Period,
    /// On, off, report-only, as words.
    State,
    /// Length or end of a snooze, pause or rule.
    Duration,
    /// Why something is dismissed or snoozed.
    Reason,
    /// Clock time.
    Time,
    /// Days of a schedule.
    Days,
    /// AADSTS codes, with or without the prefix.
    ErrorCode,
}

impl SlotName {
    /// All names.
    pub const ALL: &'static [Self] = &[
        Self::User,
        Self::Group,
        Self::App,
        Self::Policy,
        Self::Suggestion,
        Self::Location,
        Self::Platform,
        Self::ClientApp,
        Self::Risk,
        Self::Since,
        Self::Period,
        Self::State,
        Self::Duration,
        Self::Reason,
        Self::Time,
        Self::Days,
        Self::ErrorCode,
    ];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::App => "app",
            Self::Policy => "policy",
            Self::Suggestion => "suggestion",
            Self::Location => "location",
            Self::Platform => "platform",
            Self::ClientApp => "client_app",
            Self::Risk => "risk",
            Self::Since => "since",
            Self::Period => "period",
            Self::State => "state",
            Self::Duration => "duration",
            Self::Reason => "reason",
            Self::Time => "time",
            Self::Days => "days",
            Self::ErrorCode => "error_code",
        }
    }
}

/// Values by name, in the order of the text.
pub type Slots = BTreeMap<SlotName, Vec<String>>;

impl Message<'_> {
    /// The slots of the message, read as this intent.
    pub(crate) fn slots(&self, intent: I) -> Slots {
        let mut slots = Slots::new();
        for span in self.spans() {
            let bystander = span.kind == Kind::Person && is_messenger(self.raw().get(span.end..).unwrap_or_default());
            if let Some(name) = name(span.kind, intent, self.plain()).filter(|_| !bystander) {
                put(
                    &mut slots,
                    name,
                    span.text(self.raw()).trim_matches(['\'', '"', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}']),
                );
            }
        }
        for (name, range) in times::find(self.raw(), intent) {
            if self.spans().iter().all(|span| {
                matches!(span.kind, Kind::Clock | Kind::Person) || span.end <= range.start || range.end <= span.start
            }) {
                put(&mut slots, name, self.raw().get(range).unwrap_or_default());
            }
        }
        for (name, pattern, intents) in PHRASES.iter().filter(|(_, _, intents)| intents.contains(&intent)) {
            let found = pattern.captures(self.raw()).and_then(|found| found.name("v")).map(|value| value.as_str());
            let known = slots.get(name).filter(|_| intents.len() < 4);
            let longer = |value: &str, known: &[String]| *name == SlotName::Duration && is_whole_of(value, known);
            if let Some(value) = found.filter(|value| known.is_none_or(|known| longer(value, known))) {
                put(&mut slots, *name, value);
            }
        }
        drop_parts_of_policies(&mut slots);
        slots
    }
}

/// Whether a phrase is the longer reading of the values known so far.
fn is_whole_of(phrase: &str, known: &[String]) -> bool {
    known.iter().all(|known| phrase.contains(known.as_str()))
}

/// Whether what follows a name makes its bearer the one who passes the question on.
fn is_messenger(rest: &str) -> bool {
    [" tells", " told", " wants", " wanted", " asks", " asked", " wonders"].iter().any(|verb| rest.starts_with(verb))
}

/// "the contractor policy" names a policy and no group.
fn drop_parts_of_policies(slots: &mut Slots) {
    let policies = slots.get(&SlotName::Policy).cloned().unwrap_or_default();
    for name in [SlotName::Group, SlotName::App, SlotName::ClientApp, SlotName::Location] {
        if let Some(values) = slots.get_mut(&name) {
            values.retain(|value| !policies.iter().any(|policy| policy.contains(value.as_str())));
        }
    }
    slots.retain(|_, values| !values.is_empty());
}

/// Words that describe a policy or quote a state, and name nothing.
const NAMELESS: &[&str] =
    &["report-only", "new", "same", "other", "old", "first", "second", "last", "conditional", "whole", "on", "off"];

/// Adds a value unless it is there already, alone or within another; a longer reading replaces its parts.
fn put(slots: &mut Slots, name: SlotName, mut value: &str) {
    while let Some((first, rest)) = value.split_once(' ').filter(|_| name == SlotName::Policy) {
        if !NAMELESS.contains(&first.to_lowercase().as_str()) {
            break;
        }
        value = rest;
    }
    if name == SlotName::Policy && matches!(value, "policy" | "pilot") {
        return;
    }
    let values = slots.entry(name).or_default();
    if !values.iter().any(|known| known.contains(value)) {
        values.retain(|known| !value.contains(known.as_str()));
        values.push(value.to_owned());
    }
}

/// Values that only the words around them show, for the intents in which they are looked for.
static PHRASES: LazyLock<Vec<(SlotName, Regex, &[I])>> = LazyLock::new(|| {
    vec![
        (
            SlotName::Policy,
            regex(r"\b(?i:the|our|that|your) (?P<v>(?:(?:MFA|[a-z][\w-]+|[A-Z][\w-]+) ){1,2}(?:policy|pilot))\b"),
            POLICY,
        ),
        (
            SlotName::App,
            regex(
                r"\b(?:[Tt]he|[Oo]ur|[Aa]pp|[Aa]pplication) (?P<v>(?:[A-Za-z][\w-]+ ){1,2}(?:portal|app|tool|platform)|[A-Z][\w-]+(?: [A-Z][\w-]+)*)\b",
            ),
            &[I::AppPolicies, I::WhatIf, I::SignInUsage],
        ),
        (SlotName::App, regex(r"\b(?:read|open|reach|check) (?P<v>mail)\b"), &[I::WhatIf]),
        (
            SlotName::Location,
            regex(r"\b(?P<v>(?:HQ|head office|[A-Z]\w+ (?:office|site|branch|plant|VPN)))\b"),
            &[I::WhatIf, I::ExplainSignIn, I::Exclusions, I::AddInstruction, I::ListInstructions],
        ),
        (
            SlotName::Risk,
            regex(r"(?i)\b(?P<v>low|medium|high)(?: (?:user|sign-in))? risk"),
            &[I::WhatIf, I::CoverageGaps, I::ListPolicies, I::SignInUsage],
        ),
        (SlotName::Risk, regex(r"(?i)\brisk .{0,14}\b(?P<v>low|medium|high)\b"), &[I::WhatIf, I::CoverageGaps]),
        (SlotName::User, regex(r"\b(?P<v>[Ii])\b"), &[I::UserPolicies, I::WhatIf, I::ExplainSignIn]),
        (
            SlotName::User,
            regex(
                r"\b(?:for|to|from|about|hits?|blocks?|blocked|prompts?|prompted|asks?|asked|stops?|stopped|affects?) (?P<v>me)\b",
            ),
            &[I::UserPolicies, I::WhatIf, I::ExplainSignIn],
        ),
        (SlotName::User, regex(r"\b(?P<v>my) (?:account|user|sign-?in|login|own)\b"), ABOUT_PEOPLE_ALONE),
        (SlotName::User, regex(r"\b(?:subscribe|unsubscribe|take|send) (?P<v>me)\b"), &[I::ScheduleSummary]),
        (
            SlotName::State,
            regex(r"(?i)\b(?P<v>report[- ]only|enabled|disabled|enforced|switched off|off|audit mode)\b"),
            &[I::ListPolicies],
        ),
        (
            SlotName::State,
            regex(r"(?i)\b(?P<v>report[- ]only)\b"),
            &[I::Impact, I::RolloutPlan, I::Undo, I::ProposeChange, I::PolicyChanges],
        ),
        (
            SlotName::State,
            regex(r"(?i)\b(?:turned|switched|put) (?:\S+ ){0,3}?(?P<v>off|on)\b"),
            &[I::PolicyChanges, I::BotActivity],
        ),
        (
            SlotName::State,
            regex(
                r"(?i)\b(?:once|if|when|were|was|been|be|is|it's|its) (?:\w+ )?(?P<v>enforced|enabled|on)(?:[\s?.,!]|$)",
            ),
            &[I::Impact],
        ),
        (
            SlotName::Time,
            regex(r"(?i)\b(?:at|to|around) (?P<v>\d{1,2})(?: (?:please|pls|instead|sharp|in the \w+)|[,.?!]|$)"),
            &[I::ScheduleSummary],
        ),
        (
            SlotName::Duration,
            regex(
                r"(?i)\b(?P<v>(?:until|till?|before|after|once) (?:I|we|he|she|they|it|the|our|my|their|his|her|all)(?: [\w'-]+){2,}?)(?: please| pls)?(?:[,.;!?\n]|$)",
            ),
            &[I::SnoozeSuggestion, I::ScheduleSummary, I::AddInstruction],
        ),
        (
            SlotName::Policy,
            regex(r"\b(?:begin|start)\w* with (?P<v>[A-Z][\w-]+)"),
            &[I::ListPolicies, I::AddInstruction, I::ListInstructions],
        ),
        (
            SlotName::Policy,
            regex(r"(?i)\b(?:named?|called|with|prefix) (?P<v>[\w]+-[\w-]+)"),
            &[I::ShowPolicy, I::ListPolicies, I::Overlaps],
        ),
        (SlotName::Reason, regex(r"(?i)\breason:? (?P<v>[^\n]+?)[.)!]?$"), &[I::DismissSuggestion]),
        (SlotName::Reason, regex(r"(?i)\((?P<v>[^)]{4,})\)"), &[I::DismissSuggestion]),
        (
            SlotName::Reason,
            regex(r"(?i)\b(?:because|due to|as we|since we) (?P<v>[^\n.]+)"),
            &[I::DismissSuggestion, I::SnoozeSuggestion],
        ),
        (
            SlotName::Reason,
            regex(r"(?i)^[^,:.]{2,40}[,:.] (?P<v>(?:\w+[ ,'/-]+){2,}[^\n,.]+)"),
            &[I::DismissSuggestion],
        ),
    ]
});

/// The intents in which a phrase such as "the geo policy" names a policy.
const POLICY: &[I] =
    &[I::ShowPolicy, I::PolicyChanges, I::Impact, I::RolloutPlan, I::UserPolicies, I::Exclusions, I::Overlaps];

/// The intents that are about a person; elsewhere a name is a bystander.
const ABOUT_PEOPLE: &[I] = &[
    I::UserPolicies,
    I::WhatIf,
    I::ExplainSignIn,
    I::Exclusions,
    I::PolicyChanges,
    I::BotActivity,
    I::Impact,
    I::SignInUsage,
    I::ListInstructions,
];

/// The intents in which "my" means the person who asks.
const ABOUT_PEOPLE_ALONE: &[I] = &[I::UserPolicies, I::WhatIf, I::ExplainSignIn];

/// The intents in which a device word is a condition and not decoration.
const ABOUT_DEVICES: &[I] = &[
    I::WhatIf,
    I::Impact,
    I::CoverageGaps,
    I::ListPolicies,
    I::ShowPolicy,
    I::SignInUsage,
    I::AppPolicies,
    I::AddInstruction,
    I::ListInstructions,
    I::ExplainSignIn,
];

/// Which slot a recognised part fills; `None` where it is only scenery.
fn name(kind: Kind, intent: I, plain: &str) -> Option<SlotName> {
    Some(match kind {
        Kind::Suggestion => SlotName::Suggestion,
        Kind::Quoted if intent == I::Help => return None,
        Kind::Policy | Kind::Quoted => SlotName::Policy,
        Kind::Guid if plain.contains("request id") || plain.contains("correlation") => return None,
        Kind::Guid if intent == I::AppPolicies => SlotName::App,
        Kind::Guid if plain.contains("polic") => SlotName::Policy,
        Kind::Guid if intent == I::UserPolicies => SlotName::User,
        Kind::Upn | Kind::Account => SlotName::User,
        Kind::Person if ABOUT_PEOPLE.contains(&intent) => SlotName::User,
        Kind::Person if intent == I::Help && forms::asks_about_an_approver(plain) => SlotName::User,
        Kind::Code => SlotName::ErrorCode,
        Kind::Place if matches!(intent, I::ScheduleSummary | I::PostureSummary) => return None,
        Kind::Ip | Kind::Place => SlotName::Location,
        Kind::App => SlotName::App,
        Kind::Platform if ABOUT_DEVICES.contains(&intent) => SlotName::Platform,
        Kind::ClientApp => SlotName::ClientApp,
        Kind::Group if !matches!(intent, I::Help | I::VerifyLog | I::ScheduleSummary) => SlotName::Group,
        Kind::ExclusionGroup => SlotName::Group,
        Kind::Group | Kind::Guid | Kind::Run | Kind::Mention | Kind::Person | Kind::Platform | Kind::Clock => {
            return None;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, intent: I) -> Vec<(&'static str, Vec<String>)> {
        Message::read(text).slots(intent).into_iter().map(|(name, values)| (name.as_str(), values)).collect()
    }

    #[test]
    fn values_are_parts_of_the_text() {
        let slots = read("would sofia.lindqvist@contoso.com be asked opening Teams on her iPad in Brazil", I::WhatIf);
        insta::assert_compact_debug_snapshot!(slots, @r#"[("user", ["sofia.lindqvist@contoso.com"]), ("app", ["Teams"]), ("location", ["Brazil"]), ("platform", ["iPad"])]"#);
        let slots = read("is the 'Block legacy' policy the same as CA019?", I::Overlaps);
        insta::assert_compact_debug_snapshot!(slots, @r#"[("policy", ["Block legacy", "CA019"])]"#);
    }

    #[test]
    fn what_is_opened_or_signed_in_to_is_an_app() {
        let slots = read("what would happen if a guest opens Timeclock from Brazil", I::WhatIf);
        insta::assert_compact_debug_snapshot!(slots, @r#"[("group", ["guest"]), ("app", ["Timeclock"]), ("location", ["Brazil"])]"#);
        for lead in ["opening", "uses", "signs in to", "logs into"] {
            let slots = read(&format!("would Sofia be asked for MFA when she {lead} Lumina Roster"), I::WhatIf);
            assert_eq!(
                slots,
                [("user", vec!["Sofia".to_owned()]), ("app", vec!["Lumina Roster".to_owned()])],
                "{lead}"
            );
        }
        insta::assert_compact_debug_snapshot!(read("can somebody use Alice to sign in", I::WhatIf), @r#"[("user", ["Alice"])]"#);
    }

    #[test]
    fn a_bystander_is_no_user() {
        insta::assert_compact_debug_snapshot!(read("Priyanka wants the list", I::ListSuggestions), @"[]");
    }
}
