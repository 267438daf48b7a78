//! Messages whose form alone says what they ask for: a verb with a number, an error code alone. What was said before, and
//! what the model makes of the words, doesn't count for them.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::kinds::Intent;
use super::pattern::Patterns;
use super::text::{Message, plain_regex};

/// Whether a person may decide; the word after the name may be a family name that nobody here has.
const APPROVER: &str = r"(?:can|may|could|is|does) (?:_person(?: \w+)?|_upn) (?:(?:allowed|entitled|able|permitted) to |have the right to )?(?:approve|decide|an? approver)(?: (?:it|this|that|things|cards|changes|suggestions|_sugg))?(?: here)?";

/// Patterns of whole messages in normalised text, without the marks at the end.
const FORMS: &[(Intent, &str)] = &[
    (Intent::Help, APPROVER),
    (
        Intent::Help,
        r"(?:and |so |but )?(?:who (?:(?:can|may|must|has to|should|is allowed to|is able to) )?approves?|(?:can|may) (?:i|we) approve)(?: (?:it|this|that|things|cards|changes|suggestions|_sugg))?(?: here)?",
    ),
    (
        Intent::Help,
        r"what(?:'?s| is| does) (?:a |an |the )?(?:report_only(?: mode)?|break[- ]?glas?s(?: accounts?)?|legacy auth\w*|device code(?: flow)?|named location|authentication strength)(?: mean| good for)?",
    ),
    (
        Intent::SignInUsage,
        r"(?:is|are) (?:_person|_upn) (?:an? |one of (?:the|our) )?(?:global )?(?:admins?|administrators?)",
    ),
    (
        Intent::UserPolicies,
        r"(?:please )?(?:list|show|send|give)(?: me)?(?: all)?(?: the| our| my| a)?(?: list of(?: all)?(?: the| our)?)? (?:guests?|guest (?:users|accounts))(?: please)?",
    ),
    (
        Intent::ProposeChange,
        r"(?:please )?(?:propose|create|draft|prepare|open|show|view|see)(?: me)?(?: the)?(?: card (?:of|for))? _sugg(?: (?:in|as) report_only)?(?: please)?",
    ),
    (
        Intent::ShowPolicy,
        r"(?:please )?(?:show|display)(?: me)? (?:_policy(?: - (?:block|require|allow|restrict|turn|sign-in)\b[a-z_ -]*)?|_quoted)(?: please)?",
    ),
    (
        Intent::ProposeChange,
        r"(?:so |and )?(?:what(?:'?s| is) (?:wrong|the (?:problem|matter|issue)) with|(?:is there |are there )?any(?:thing)? (?:wrong|problems?|issues?) with|how (?:do|can|should|could|would) (?:i|we) (?:fix|mend|repair|improve)) (?:_policy|_quoted)|why is (?:_policy|_quoted) (?:so )?(?:bad|wrong|weak|useless|a problem|an issue|not (?:good|enough|safe))",
    ),
    (Intent::SnoozeSuggestion, r"(?:please )?(?:snooze|postpone|defer) _sugg"),
    (Intent::DismissSuggestion, r"(?:please )?(?:dismiss|reject|decline) _sugg"),
    (Intent::ExplainSuggestion, r"(?:please )?(?:why|explain) _sugg"),
    (
        Intent::ExplainSuggestion,
        r"(?:why|who|when) (?:did|was|were|has|have) (?:\w+ ){0,3}?(?:dismiss\w*|snooz\w*|reject\w*|declin\w*) _sugg(?: and why)?|why (?:was|is) _sugg (?:dismiss\w*|snooz\w*|reject\w*|declin\w*)",
    ),
    (
        Intent::ListSuggestions,
        r"(?:what|which(?: ones| suggestions)?) (?:did|have|has) (?:i|we|you|they|anyone|somebody|_person) (?:dismiss|snooz|reject|declin)\w*(?: and why)?",
    ),
    (Intent::ExplainSignIn, r"(?:error |code )?_code"),
    (
        Intent::ListInstructions,
        r"(?:what|which) (?:standing )?instructions (?:are (?:there|in force|in place|active)|apply|do you (?:have|keep|follow))",
    ),
    (
        Intent::PostureSummary,
        r"(?:please )?(?:give|show|tell)(?: me| us)? (?:the |a |today's |my |our )?(?:daily |morning |weekly )?(?:summary|digest|briefing)(?: now| please)?",
    ),
    (
        Intent::ListPolicies,
        r"(?:please )?(?:list|show|which|what|how many|give)(?: me| us)?(?: all)?(?: the| our| of the)? (?:named|trusted) (?:locations?|networks?)(?: (?:do we have|are there|exist|are trusted|are defined))?(?:,? and .{0,40}trusted)?",
    ),
    (
        Intent::CoverageGaps,
        r"(?:is|are) (?:the )?(?:legacy|basic|device[- ]code|imap|pop3?|smtp)(?: (?:auth|authentication|protocols?|clients?|flows?|sign-?ins?))? (?:really |still |actually |now )?(?:blocked|off|disabled|allowed|possible|open)(?: (?:here|for (?:everyone|everybody|all|all users)))?",
    ),
    (
        Intent::CoverageGaps,
        r"(?:are|how are) (?:my |our |the |all )*(?:global )?(?:admins?|administrators?) (?:ok|okay|safe|secure|protected|covered|fine|good|doing)",
    ),
    (
        Intent::ListPolicies,
        r"(?:which|what)(?: ca| conditional access)? policies (?:do (?:i|we) have|have (?:i|we)(?: got)?|are there|exist)",
    ),
    (
        Intent::SignInUsage,
        r"how many (?:\w+ ){0,3}?(?:admins?|administrators?)(?: accounts?)?(?: (?:do (?:i|we) have|are there|exist|have (?:i|we)(?: got)?))?(?: and who are they)?",
    ),
    (
        Intent::SignInUsage,
        r"(?:how many|what is the number of) (?:enabled |active |all )?(?:users?|people|accounts?|employees|user accounts)(?: (?:do (?:i|we) have|are there|exist|have (?:i|we)(?: got)?|are (?:enabled|active)))?(?: (?:here|in (?:the|our|this) (?:tenant|directory)|in total))?",
    ),
    (
        Intent::ShowPolicy,
        r"(?:show me |what is |what about )?(?:the|our|that) (?:[a-z-]+ ){0,2}(?:policy|rule) (?:that|which) (?:blocks?|requires?|asks|forces|makes|covers?|limits?|protects?|stops?)\b[a-z_ -]*",
    ),
    (
        Intent::SignInUsage,
        r"(?:please )?(?:list|show|name|who are|who is)(?: me)?(?: all)?(?: the| our| my)? (?:(?:global|exchange|sharepoint|security|conditional access|helpdesk|intune|teams|billing|authentication|privileged role) )?(?:admins?|administrators?)",
    ),
    (
        Intent::SignInUsage,
        r"(?:which|what) (?:global )?(?:admins|administrators) (?:are there|exist|do (?:i|we) have|have (?:i|we)(?: got)?)",
    ),
    (Intent::Exclusions, r"(?:our |the |my )?(?:break[- ]?glass|emergency access)(?: (?:accounts?|users?))?"),
    (
        Intent::RolloutPlan,
        r"(?:and |so |then )?how (?:do|can|could|would|should) (?:i|we|one|you) (?:(?:re-?)?(?:enable|activate) (?:_policy|_quoted)(?: again| back)?|(?:turn|switch|put|bring) (?:back )?on (?:_policy|_quoted)(?: again)?|(?:turn|switch|put|set|bring|take|get) (?:_policy|_quoted) (?:back |again )?(?:to )?on(?: again| back)?)",
    ),
    (
        Intent::Undo,
        r"how (?:do|can|would|should) (?:i|we) (?:roll back|rollback|undo|revert|take back|back out) (?:of )?(?:_policy|_quoted)",
    ),
];

/// What a short question turns to after a policy's card: "what about legacy auth?" is about no policy.
pub(crate) fn turns_to(message: &Message<'_>, previous: Option<Intent>) -> Option<Intent> {
    static TOPIC: LazyLock<Regex> = LazyLock::new(|| {
        plain_regex(
            r"^(?:(?:and|so|then|ok|what about|how about) )+(?:the |our |my )?(?:legacy(?: \w+)?|basic auth\w*|device[- ]code(?: flow)?|admins|administrators)[ ?!.]*$",
        )
    });
    let shown = previous.is_some_and(|intent| matches!(intent, Intent::ShowPolicy | Intent::ListPolicies));
    (shown && TOPIC.is_match(message.plain().as_bytes())).then_some(Intent::CoverageGaps)
}

/// A suggestion's number alone asks for its card, unless the turn before leaves open what is asked of it; "what is this?" at
/// the beginning asks what the bot is.
pub(crate) fn shows(message: &Message<'_>, previous: Option<Intent>) -> Option<Intent> {
    use Intent::{DismissSuggestion, ExplainSuggestion, Impact, ProposeChange, RolloutPlan, SnoozeSuggestion, Undo};
    static WHAT: LazyLock<Regex> = LazyLock::new(|| {
        plain_regex(r"^(?:(?:hello|hi|hey|ok)[, ]+)?what(?:'?s| is) (?:this|that)(?: here| thing| bot| page| for)?$")
    });
    let text = message.plain().trim_matches([' ', '?', '!', '.']);
    let open = [DismissSuggestion, ExplainSuggestion, Impact, RolloutPlan, SnoozeSuggestion, Undo];
    if text == "_sugg" && previous.is_none_or(|intent| !open.contains(&intent)) {
        return Some(ProposeChange);
    }
    // Where nothing was said yet, "this" is the bot.
    let greeted = previous.is_none_or(|intent| matches!(intent, Intent::OutOfScope | Intent::Help));
    (greeted && WHAT.is_match(text.as_bytes())).then_some(Intent::Help)
}

/// A decision about "it": on what was open, or on what the answer has to ask for.
fn decides(message: &Message<'_>) -> Option<Intent> {
    static OBJECT: LazyLock<Regex> = LazyLock::new(|| {
        plain_regex(
            r"^(?:ok |then |please )*(?P<verb>dismiss|reject|decline|snooze|postpone|defer) (?:it|this|that|them|these|this one|that one)(?: please)?[ ?!.]*$",
        )
    });
    let found = OBJECT.captures(message.plain().as_bytes())?;
    let verb = found.name("verb").map(|verb| verb.as_bytes());
    let puts_off = [b"snooze".as_slice(), b"postpone", b"defer"].into_iter().any(|one| verb == Some(one));
    Some(if puts_off { Intent::SnoozeSuggestion } else { Intent::DismissSuggestion })
}

/// The turn before, where a message asks for the accounts behind one of its numbers: "and who are the 42?".
pub(crate) fn goes_on(message: &Message<'_>, previous: Option<Intent>) -> Option<Intent> {
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
        plain_regex(
            r"^(?:and )?(?:please )?(?:show|list|name|give|who (?:are|were)|which (?:are|were))(?: me)?(?: the| those| these)? _num(?: (?:people|accounts|of them))?[ ?!.]*$",
        )
    });
    static MENDED: LazyLock<Regex> = LazyLock::new(|| {
        plain_regex(
            r"^(?:so |and |ok )*(?:what(?:'?s| is) wrong with|how (?:do|can|should|could|would) (?:i|we) (?:fix|mend|repair|solve|improve)) (?:it|this|that|them|this policy|that policy)[ ?!.]*$",
        )
    });
    static ADMIN: LazyLock<Regex> = LazyLock::new(|| {
        plain_regex(
            r"^(?:and )?is (?:he|she) (?:an? |one of (?:the|our) )?(?:global )?(?:admins?|administrators?)[ ?!.]*$",
        )
    });
    static TURNED_ON: LazyLock<Regex> = LazyLock::new(|| {
        plain_regex(
            r"^(?:and |so )?when (?:can|could|should|may) (?:i|we) (?:turn|switch) (?:it|them|these|those) on[ ?!.]*$",
        )
    });
    let is = |form: &Regex| previous.is_some() && form.is_match(message.plain().as_bytes());
    decides(message)
        .or_else(|| is(&TURNED_ON).then_some(Intent::RolloutPlan))
        .or_else(|| is(&MENDED).then_some(Intent::ProposeChange))
        .or_else(|| is(&ADMIN).then_some(Intent::SignInUsage))
        .or_else(|| previous.filter(|intent| *intent == Intent::CoverageGaps && is(&NUMBER)))
}

/// Whether normalised text asks if a person may decide, so that the name in it counts.
pub(crate) fn asks_about_an_approver(plain: &str) -> bool {
    static ASKED: LazyLock<Regex> = LazyLock::new(|| plain_regex(&format!(r"^(?:{APPROVER})[ ?!.]*$")));
    ASKED.is_match(plain.as_bytes())
}

/// What a message of one of these forms asks for.
pub(crate) fn find(message: &Message<'_>) -> Option<Intent> {
    static COMPILED: LazyLock<Vec<(Intent, Patterns)>> = LazyLock::new(|| {
        let whole = |form: &str| Patterns::new(&[format!(r"^(?:{form})$")]);
        FORMS.iter().filter_map(|(intent, form)| Some((*intent, whole(form)?))).collect()
    });
    let text = message.plain().trim_end_matches([' ', '?', '!', '.', ',']);
    COMPILED.iter().find(|(_, form)| form.is_match(text)).map(|(intent, _)| *intent)
}

#[cfg(test)]
mod tests {
    use super::super::{Previous, route};
    use super::*;

    #[test]
    fn every_form_is_a_pattern() {
        assert!(FORMS.iter().all(|(_, form)| Patterns::new(&[form]).is_some()));
    }

    #[test]
    fn a_number_goes_on_with_the_answer_that_has_it() {
        let previous = Previous { intent: Intent::CoverageGaps, subject: "MFA".into() };
        for text in ["show me the 93", "and who are the 42?", "list the 3,999 people"] {
            let routed = route(text, Some(&previous));
            assert_eq!((routed.intent, routed.follows), (Intent::CoverageGaps, true), "{text}");
        }
    }

    #[test]
    fn what_is_fixed_or_turned_on_is_what_was_open() {
        let previous = Previous { intent: Intent::ListPolicies, subject: String::new() };
        for (text, intent) in [
            ("when can i turn them on", Intent::RolloutPlan),
            ("how do i fix it?", Intent::ProposeChange),
            ("is he an admin?", Intent::SignInUsage),
        ] {
            let routed = route(text, Some(&previous));
            assert_eq!((routed.intent, routed.sure, routed.follows), (intent, true, true), "{text}");
        }
    }

    #[test]
    fn a_topic_after_a_policys_card_is_no_policy() {
        let shown = Previous { intent: Intent::ShowPolicy, subject: "CA200".into() };
        for text in ["what about legacy auth?", "and admins?", "and what about device code flow"] {
            let routed = route(text, Some(&shown));
            assert_eq!((routed.intent, routed.sure, routed.follows), (Intent::CoverageGaps, true, false), "{text}");
        }
    }

    #[test]
    fn a_number_alone_is_its_card() {
        assert_eq!(route("S-3", None).intent, Intent::ProposeChange);
        let after = |intent| route("S-3", Some(&Previous { intent, subject: String::new() })).intent;
        assert_eq!(after(Intent::UserPolicies), Intent::ProposeChange);
        assert_eq!(after(Intent::SnoozeSuggestion), Intent::SnoozeSuggestion);
        assert_eq!(route("what is this?", None).intent, Intent::Help);
    }

    #[test]
    fn a_decision_about_it_is_no_summary() {
        for before in [Intent::PostureSummary, Intent::ProposeChange, Intent::ListSuggestions] {
            let previous = Previous { intent: before, subject: "S-9".into() };
            let routed = route("dismiss it", Some(&previous));
            assert_eq!((routed.intent, routed.follows), (Intent::DismissSuggestion, true), "{before}");
            assert_eq!(route("snooze that please", Some(&previous)).intent, Intent::SnoozeSuggestion, "{before}");
        }
    }

    #[test]
    fn the_turn_before_does_not_count() {
        let asked = [
            ("propose S-1", Intent::ProposeChange),
            ("show S-1", Intent::ProposeChange),
            ("why S-1?", Intent::ExplainSuggestion),
            ("snooze S-1", Intent::SnoozeSuggestion),
            ("why did you dismiss S-5?", Intent::ExplainSuggestion),
            ("what did i dismiss and why", Intent::ListSuggestions),
            ("AADSTS53003", Intent::ExplainSignIn),
            ("what instructions are in force", Intent::ListInstructions),
            ("give me the daily summary", Intent::PostureSummary),
            ("list named locations", Intent::ListPolicies),
            ("what named locations do we have and are they trusted", Intent::ListPolicies),
            ("how do I roll back CA512", Intent::Undo),
            ("how do I turn CA200 on again?", Intent::RolloutPlan),
            ("show CA519", Intent::ShowPolicy),
            ("is legacy auth blocked?", Intent::CoverageGaps),
            ("is device code flow blocked?", Intent::CoverageGaps),
            ("are my admins ok", Intent::CoverageGaps),
            ("which policies do i have", Intent::ListPolicies),
            ("how many admins do we have?", Intent::SignInUsage),
            ("list the global administrators", Intent::SignInUsage),
            ("which admins are there?", Intent::SignInUsage),
            ("break glass", Intent::Exclusions),
            ("how can we switch CA200 back on", Intent::RolloutPlan),
            ("can jonas lindgren approve", Intent::Help),
            ("is Alice Moreau allowed to approve S-4?", Intent::Help),
            ("show me guests", Intent::UserPolicies),
            ("how many users do we have?", Intent::SignInUsage),
            ("who approves that?", Intent::Help),
            ("what is report only", Intent::Help),
            ("what's break glass?", Intent::Help),
            ("is Alice Moreau an admin?", Intent::SignInUsage),
            ("send me the list of guests", Intent::UserPolicies),
            ("whats wrong with CA206", Intent::ProposeChange),
            ("how do i fix CA206?", Intent::ProposeChange),
            ("why is CA206 bad", Intent::ProposeChange),
            ("can i approve it", Intent::Help),
            ("the policy that blocks legacy auth", Intent::ShowPolicy),
        ];
        for before in [Intent::ShowPolicy, Intent::SnoozeSuggestion, Intent::Exclusions, Intent::ExplainSignIn] {
            let previous = Previous { intent: before, subject: "CA206".into() };
            for (text, intent) in asked {
                let routed = route(text, Some(&previous));
                assert_eq!(
                    (routed.intent, routed.sure, routed.follows),
                    (intent, true, false),
                    "{text} after {before}"
                );
            }
        }
        assert_eq!(route("create S-9 and enable it right away", None).intent, Intent::OutOfScope);
    }
}
