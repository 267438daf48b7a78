//! What must be refused, found by pattern before anything else looks at the message.
//!
//! Only orders are refused: "enable CA019" is, "what happens if we enable CA019?" and "how do I enable it?" are
//! questions and are not. A miss here is harmless, since text leads to cards only.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::kinds::{Intent, Refusal};
use super::pattern::Patterns;
use super::text::{Message, plain_regex};

/// Where an order begins: at the start of a clause or after a word that introduces one.
const ORDER: &str = r"(?:^|[,:-] ?|\b(?:and|then|please|pls|just|so|now|ok|okay|you|to|bot|hey|hi|also|or|must|should|simply|kindly|immediately|directly|again|let's|yourself|_yes|because|today|straight away|i want|do it|_policy) )(?:please |pls |also |just |now |then |kindly )?";

/// Policies and suggestions as an order names them.
const TARGET: &str = r"(?:_policy|_sugg|_quoted|it\b|this\b|that\b|them\b|all\b|everything|whatever|each|every|both|(?:the |this |that |your |my |our |its |a )?(?:\w+ ){0,3}(?:polic|rule|suggestion))";

/// Patterns in the order in which they are tried; `ORDER` and `TARGET` stand for the constants above.
const PATTERNS: &[(Refusal, &str)] = &[
    (
        Refusal::IgnoreInstructions,
        r"without (?:a |the |any )?(?:second|other|four)[- ](?:approv\w+|person|pair of eyes|eyes)|(?:skip|leave|omit|drop) (?:out )?(?:the )?(?:second|other) (?:approv\w+|person)|(?:do|follow|obey|execute) (?:as|what|whatever) (?:stands|is written|it says|is said|they say)\b|(?:description|comment|note|ticket|e?-?mail|(?:group|display|policy) name) .{0,30}(?:says?|contains?|reads?|holds?|tells?)\b.{0,80}\b(?:carry (?:it |this |that )?out|follow (?:it|this|that)|execute (?:it|this|that)|obey|comply)",
    ),
    (
        Refusal::IgnoreInstructions,
        r"\b(?:ignore|disregard|override|bypass|void|overrule) (?:all |any |your |the |every |my |of |previous |prior |above |earlier |built-in |safety )*(?:instructions?|rules|guidelines|prompts?|limits|restrictions|safety|programming|approval|guardrails)",
    ),
    (
        Refusal::IgnoreInstructions,
        r"\bforget (?:all |everything )?(?:of )?(?:your |the above|previous |prior )(?:previous |prior |own |built-in |standing )?(?:instructions?|rules|guidelines|training|limits|programming)?",
    ),
    (
        Refusal::IgnoreInstructions,
        r"developer mode|jailbreak|god mode|\bdan mode|you are dan\b|unrestricted|no (?:restrictions|limits|rules)\b|without (?:restrictions|limits)|new system (?:message|prompt)|^system ?:|(?:rules|instructions|limits) are (?:now )?void|obey (?:only )?me|\band obey\b",
    ),
    (
        Refusal::IgnoreInstructions,
        r"approvals? (?:is|are) (?:not|no longer) (?:needed|required)|(?:skip|drop|leave out|omit|do without) (?:the |any )?approvals?\b|never ask (?:me |us |anyone |anybody )?for (?:approval|permission)|(?:enforce|enable|approve|apply|create|activate|switch on|turn on)s? .{0,60}(?:without (?:asking|approval|any approval|a card|confirmation)|automatically|by yourself|on your own|yourself)|auto-?approve|always (?:approve|enforce|enable)",
    ),
    (
        Refusal::IgnoreInstructions,
        r"(?:do|follow|obey|carry out|execute) (?:as|what|whatever|the (?:instructions?|orders?|commands?)) .{0,60}(?:says?|tells?|name|description|ticket|e-?mail|text|note|document)|(?:says?|tell(?:s|ing)) (?:\w+ ){0,4}(?:you )?(?:should |must |to )(?:\w+ ){0,3}(?:turn|disable|delete|enable|ignore|exclude).*(?:do (?:it|so)|follow|please|comply)",
    ),
    (
        Refusal::TamperLog,
        r"ORDER(?:delete|clear|erase|edit|change|rewrite|re-write|purge|remove|backdate|hide|strike|wipe|alter|falsify|drop|truncate|redact|modify|shorten|empty|fake|doctor|cut|adjust|correct) .{0,60}\b(?:logs?|journal|records?|entry|entries|your history|the history|audit trail|logbook)\b",
    ),
    (
        Refusal::TamperLog,
        r"(?:do not|don't) (?:log|record|write (?:this|that|it) (?:in|down)|leave a trace)|(?:turn|switch) (?:off )?(?:the )?(?:logging|audit\w*)|off the record|nobody (?:sees|must see|finds|can see) .{0,40}\b(?:log|record|journal)|leave no trace|without (?:logging|an entry|a trace)|backdate",
    ),
    (
        Refusal::Impersonate,
        r"\b(?:approve|sign|accept|confirm)\b (?:(?:it|this|that|_sugg|off) )?for (?:him|her|them|_person|_upn)\b|make it (?:look|appear) (?:like|as)",
    ),
    (
        Refusal::Impersonate,
        r"\b(?:approve|sign|accept|dismiss|reject|post|write|act|decide|snooze|press|click|confirm|answer|create|do it|vote|undo)\w*\b.{0,50}(?:\bas (?:_person|_upn|if you were|him\b|her\b|if i were|the ci?so|the boss|my boss|someone else)|in (?:the )?name of|in (?:_person|his|her|their|my boss|my manager|my colleague|someone|somebody|the \w+|\w+)(?:'s)? name|on behalf of|under (?:the |his |her )?(?:name|_person)|with _person(?:'s)? (?:name|signature|account)|for (?:my boss|my manager|my colleague)\b)",
    ),
    (
        Refusal::Impersonate,
        r"\b(?:pretend|imagine|act|behave) (?:that )?(?:i am|i'm|to be|as|like|you are|you're|as if)\b.{0,60}\b(?:approv\w*|admin\w*|ciso|sign|accept|_person)|\b(?:say|claim|write|note|tell everyone) that _person (?:has )?(?:approved|agreed|signed)|use (?:_person|my \w+)(?:'s)? (?:approval|account|name)|count .{0,40}(?:approval|ok) .{0,30}as|trust me and approve|use my \w+'s name",
    ),
    (
        Refusal::Reveal,
        r"(?:system|initial|hidden|original|internal|secret|your|starting) (?:prompt|instructions? (?:word|verbatim|in full)|guidelines)|your (?:system|initial|hidden|internal) (?:message|prompt|instructions?|guidelines)|repeat the (?:text|words) above|primed with",
    ),
    (
        Refusal::Reveal,
        r"\b(?:show|print|paste|give|tell|dump|reveal|export|send|share|post|display|output|leak|what(?:'s| is| are)|which|need|list|want)\b.{0,50}\b(?:client secrets?|(?:access|bearer|refresh|graph|bot|oauth) tokens?|tokens? (?:you|we|it)|api[- ]?keys?|private key|credentials|connection string|environment variables?|env vars|webhook secret|signing secret|secrets?|keys in|with the keys|(?:admin|service account|account|root|database|db)(?:'s)? passwords?|passwords?)\b",
    ),
    (
        Refusal::ResetPassword,
        r"\b(?:reset|change|set|new|forgot(?:ten)?|expired|lost)\b.{0,30}\bpasswords?|\bpasswords?\b.{0,50}\b(?:reset|new one|expired|forgot\w*|change it|set a)|ORDERunlock\b|ORDER(?:reset|wipe|clear|delete|re-?register|remove|revoke) .{0,40}\b(?:authenticator|mfa methods?|mfa for|mfa registration|phone methods?|sessions?|tokens|fido)|temporary access pass|\byubikey",
    ),
    (
        Refusal::ResetPassword,
        r"ORDER(?:create|make|open|set up|delete|block|disable|enable|reactivate|remove) (?:an?|the|his|her|my|user) ?(?:new )?(?:user )?accounts?\b|ORDER(?:assign|give|grant|remove|order) .{0,40}(?:licen[cs]e|global admin|(?:admin|reader|security|administrator) role|admin rights|membership)|ORDERmake (?:me|him|her|_person|_upn) (?:a |an |the )?(?:\w+ ){0,2}(?:admin\w*|reader|owner)|give me (?:a )?(?:global|admin|security)",
    ),
    (
        Refusal::ResetPassword,
        r"_code .{0,80}\b(?:unlock|password|create (?:the|an|his|her) account|enable the account|register it|invite (?:him|her|them)|new secret|please create|reactivate)",
    ),
    (
        Refusal::Weaken,
        r"ORDER(?:relax|loosen|weaken|soften|lower|reduce) (?:the )?(?:\w+ ){0,3}?(?:_policy|_quoted|mfa|requirements?|strength)|ORDER(?:allow|accept|permit) (?:the )?(?:sms|text|phone calls?|legacy|basic|old|weak\w*|imap|pop|smtp)|ORDERmake _policy (?:less|weaker|softer|easier)|^(?:please )?no (?:more )?(?:second factor|2fa|multi-?factor) (?:for|at|in|until)|\bneeds? no (?:mfa|second factor)\b.{0,20}(?:take care|arrange|do it|see to it)",
    ),
    (
        Refusal::Weaken,
        r"ORDER(?:turn|switch) off (?:the )?(?:mfa|2fa|multi-?factor|second factor|device|block)|ORDER(?:turn|switch) (?:mfa|2fa|the second factor) off|ORDER(?:disable|deactivate|remove|drop|suspend|waive|lift|relax|weaken|loosen|bypass|skip|ease|cancel|kill|stop) (?:the |that |this |my |our |his |her |all )?(?:\w+ ){0,2}(?:mfa|2fa|second factor|multi-?factor|block|geo[- ]?block|device (?:rule|requirement|compliance)|requirement|restrictions?|admin policy|prompts?)\b",
    ),
    (
        Refusal::Weaken,
        r"ORDER(?:exclude|exempt|whitelist|allow-?list|unblock|excuse|spare) (?:me\b|my\b|him\b|her\b|them\b|us\b|user\b|_person|_upn|_ip|_place|_quoted|(?:the |our |all |this |that )?(?:\w+ ){1,4}?(?:from|for|in|until|out)\b.{0,40}(?:mfa|_policy|_quoted|polic\w+|rules?|block\w*|requirements?|compliance|conditional access|today|location|it|that)|(?:the )?(?:ceo|cfo|ciso|cto|boss|board|director|helpdesk)\b|\w+$)",
    ),
    (
        Refusal::Weaken,
        r"ORDER(?:add|put|move|place|get) .{0,50}\b(?:to|in|into|on|onto) (?:the |our |my |that )?(?:\w+ )?(?:exclu\w+|_exgroup|exempt\w*|exceptions?|whitelist|allow-?list|break-?glass group|break-?glass)|ORDERmake (?:an )?exception|ORDER(?:add|create|grant|give|allow) (?:\w+ )?(?:an? |another )?(?:exception|exclusion|exemption|free pass|waiver)|ORDERtake .{0,40} out of (?:the |that |this )?(?:\w+ ){0,2}(?:_policy|_quoted|policy|mfa|rule|scope|it\b)",
    ),
    (
        Refusal::Weaken,
        r"ORDER(?:let|allow) (?:him|her|me|them|us|_person|_upn|my \w+|the \w+|svc\S*|guests?|everyone|\w+) (?:\w+ )?(?:in\b|sign in|log ?in|skip|through|use (?:legacy|basic)|without|bypass)|ORDERallow (?:legacy|basic|all|sign-?ins? from|logins? from)|^(?:please )?no (?:more )?mfa (?:for|at|in|until)|ORDER(?:mark|make|set|add|declare) .{0,40}\btrusted\b|ORDERopen up\b|ORDERgive .{0,40}(?:access without|a pass)",
    ),
    (
        Refusal::Enable,
        r"ORDER(?:unleash|arm|start enforcing|go (?:live|productive) with) TARGET|ORDERstart (?:_policy|_quoted)|ORDERlet (?:_policy|_sugg|it|the \w+ policy) (?:bite|take effect|go live)|\broll out TARGET.{0,40}\b(?:as )?enforced\b|(?:_policy|_sugg) enforced (?:at once|now|today|immediately)|_(?:policy|sugg) (?:shall|should|must) (?:be (?:active|enforced|enabled|on)|take effect)",
    ),
    (
        Refusal::Enable,
        r"ORDER(?:enable|activate|enforce|re-?enable) (?:now |also |directly )?TARGET|ORDER(?:enable|activate|enforce)(?: now)?$|ORDER(?:turn|switch|flip|put|set|bring|get) (?:on )?TARGET.{0,40}\b(?:on|live|enabled|enforced|active|in force|into force|into enforcement)\b|ORDER(?:turn|switch|flip) on TARGET|ORDER(?:take|put|bring|get) (?:_policy|_quoted) back on\b",
    ),
    (
        Refusal::Enable,
        r"ORDER(?:put|push|make|bring|go|promote|move|take|set|flip|switch|get) .{0,40}\b(?:live\b|to production|into production|to enforced|to enabled|to on\b|out of report_only|into enforcement|from report_only to on|in(?:to)? force)|straight (?:to|into) (?:on|enforce\w*|production)|\bskip (?:the )?(?:report_only|waiting|pilot)|no report_only\b|from report_only to on",
    ),
    (
        Refusal::Enable,
        r"\b(?:approve|apply|create|accept|implement|make|deploy)\b.{0,50}(?:and (?:then )?(?:enable|enforce|activate|turn|switch)|(?:directly|immediately|straight|right away) (?:as )?(?:on|enabled|enforced|active)|as (?:enabled|enforced|active|on)\b|with (?:the )?state (?:on|enabled)|in enforced)|(?:_policy|_sugg|it|this) (?:should|must|has to|needs to) (?:be|go) (?:on|live|enabled|enforced|active)\b",
    ),
    (
        Refusal::DeleteOthers,
        r"ORDER(?:delete|erase|wipe|purge|destroy|throw away|get rid of|clean out|remove|drop|kill) (?:out )?(?:_policy|_quoted|(?:the |all |every |any |these |those |our |that |this )?(?:\w+ ){0,3}?(?:policy|policies|ca rules|conditional access)\b|the (?:redundant|duplicates?|unused|disabled|old)\b)",
    ),
    (
        Refusal::Edit,
        r"ORDER(?:stop|halt|freeze|take|set|put) (?:_policy|_quoted) (?:for (?:a|an|one|two|_num)|until|till|aside|offline|down|out of (?:service|action|use))|ORDERrestore (?:_policy|_quoted)",
    ),
    (
        Refusal::Edit,
        r"ORDER(?:disable|deactivate|pause|suspend|rename|edit|modify|change|update|adjust|correct|alter|amend|fix|extend|shorten|raise|lower) (?:the |our |that |this )?(?:\w+ ){0,2}?(?:_policy|_quoted|policy|policies|named locations?|trusted locations?|grant control|sign-in frequency|session lifetime|exclusion list)|ORDER(?:turn|switch) off (?:_policy|_quoted|(?:the |that |this |our )?(?:\w+ ){0,3}policy)|ORDER(?:turn|switch) (?:_policy|_quoted|(?:the |that |this |our )?(?:\w+ ){0,3}policy) (?:\w+ )?off",
    ),
    (
        Refusal::Edit,
        r"ORDER(?:set|put|move|switch|turn|change) (?:_policy|_quoted|(?:the |that |this )(?:\w+ ){0,3}policy) (?:back )?(?:in|into|to) (?:\w+ )?(?:off|disabled|report_only|_num)|ORDER(?:add|put|include|insert|remove|delete|take) .{1,60}\b(?:to|in|into|from|of) (?:the )?(?:\w+ ){0,4}?(?:_policy|named locations?|trusted locations?|trusted ips?)|_policy needs .{0,50}(?:added|removed|changed).{0,30}(?:change|do|fix)",
    ),
    (
        Refusal::Edit,
        r"ORDER(?:revert|undo|reverse|restore|roll back|take back) (?:his\b|her\b|their\b|_person|(?:the |that )?(?:changes?|edits?) (?:of |by |that )?(?:_person|_upn|he|she|they|made|admin)|what (?:_person|_upn|he|she|they)|_policy to (?:last|the|its|yesterday|_))",
    ),
];

/// Orders right after a turn about a policy or plan, too short to stand alone.
const SHORT: &[(Refusal, &str)] = &[
    (
        Refusal::Enable,
        r"^(?:(?:ok|okay|then|and|so|now|good|great|please|just|go)[, ]+)*(?:enable|activate|enforce|turn (?:it|that|this) on|switch (?:it|that|this) on|turn on|switch on|put it live|make it live|go live)\b",
    ),
    (
        Refusal::Edit,
        r"^(?:(?:ok|then|and|so|now|please|just)[, ]+)*(?:disable|deactivate|switch (?:it|that) off|turn (?:it|that) off|change (?:it|that)|put (?:it|that) back)\b",
    ),
    (
        Refusal::DeleteOthers,
        r"^(?:(?:ok|then|and|so|now|please|just)[, ]+)*(?:delete|remove|erase|drop|get rid of|throw away)\b",
    ),
    (
        Refusal::Weaken,
        r"^(?:(?:ok|then|and|so|now|please|just)[, ]+)*(?:exclude|exempt|unblock|let|add|remove|take|make an exception)\b",
    ),
];

/// The turns after which `SHORT` holds, by the refusal that the words would be.
fn follows(kind: Refusal, previous: Intent) -> bool {
    use Intent::{
        AppPolicies, CoverageGaps, Exclusions, ExplainSignIn, ExplainSuggestion, Impact, ListPolicies, Overlaps,
        PolicyChanges, ProposeChange, RolloutPlan, ShowPolicy, UserPolicies,
    };
    match kind {
        Refusal::Enable => {
            matches!(previous, ShowPolicy | RolloutPlan | Impact | ProposeChange | ExplainSuggestion | ListPolicies)
        }
        Refusal::Edit => matches!(previous, ShowPolicy | PolicyChanges | ListPolicies | Overlaps),
        Refusal::DeleteOthers => matches!(previous, ShowPolicy | ListPolicies | Overlaps | PolicyChanges),
        _ => matches!(previous, ExplainSignIn | Exclusions | UserPolicies | AppPolicies | CoverageGaps),
    }
}

/// The refusal that a message earns, if any.
pub(crate) fn find(message: &Message<'_>, previous: Option<Intent>) -> Option<Refusal> {
    static GENERAL: LazyLock<Vec<(Refusal, Patterns)>> = LazyLock::new(|| compile(PATTERNS));
    static AFTER: LazyLock<Vec<(Refusal, Patterns)>> = LazyLock::new(|| compile(SHORT));
    let everything = message.whole();
    sentences(&everything).find_map(|sentence| {
        let asked = is_question(sentence);
        let fits = |kind: Refusal| !asked || matches!(kind, Refusal::Reveal);
        let general = GENERAL
            .iter()
            .find(|(kind, pattern)| fits(*kind) && pattern.is_match(sentence) && !is_spared(*kind, sentence));
        let after = || {
            let previous = previous?;
            AFTER.iter().find(|(kind, pattern)| {
                !asked && follows(*kind, previous) && pattern.is_match(sentence) && !is_spared(*kind, sentence)
            })
        };
        general.or_else(after).map(|(kind, _)| *kind)
    })
}

fn compile(patterns: &[(Refusal, &str)]) -> Vec<(Refusal, Patterns)> {
    let one = |pattern: &str| Patterns::new(&[pattern.replace("ORDER", ORDER).replace("TARGET", TARGET)]);
    patterns.iter().filter_map(|(kind, pattern)| Some((*kind, one(pattern)?))).collect()
}

/// Sentences of normalised text, without what ends them.
fn sentences(plain: &str) -> impl Iterator<Item = &str> {
    static END: LazyLock<Regex> = LazyLock::new(|| plain_regex(r"(?P<end>[.!?;]+(?:\s|$))"));
    let mut start = 0;
    let ends = END.find_iter(plain.as_bytes()).map(|end| end.end()).chain(std::iter::once(plain.len()));
    ends.filter_map(move |end| {
        let sentence = plain.get(start..end).map(str::trim);
        start = end;
        sentence.filter(|sentence| !sentence.is_empty())
    })
}

/// Whether a sentence asks about something, as opposed to asking for it ("can you enable it?").
pub(crate) fn is_question(sentence: &str) -> bool {
    static ASKS: LazyLock<Regex> = LazyLock::new(|| {
        plain_regex(
            r"^(?:(?:and|so|but|ok|okay|hi|hey|hello|then|well|also|sorry|quick one|question|please|tell me|explain)[,:]? )*(?:what|who|whom|whose|when|why|which|how|where|is|are|was|were|did|does|do (?:you|we|i|they|any|our)|has|have|had|would (?:it|_[a-z]+|that|a|an|the|any|all|we|i|our|s|enabling)|will|should (?:we|i)|could (?:we|i|it|a|an|any|some|the|_[a-z]+)|can (?:i|we|it|a|an|any|the|one|someone|anybody|_[a-z]+|guests?|users?)|any|shall (?:we|i)|am i)\b|\b(?:if|suppose|assuming|once|when|before|until|after|whether) (?:we|i|you|it|they|_policy|_sugg|this|that|someone|somebody|the)\b|\b(?:impact|effects?|consequences?|difference|evidence|reasons?|explain why|explain what) of\b|^(?:can|could|do|will) you (?:\w+ ){1,2}(?:policies|things|anything|something|users|groups)\W*$",
        )
    });
    static WISHED: LazyLock<Regex> = LazyLock::new(|| {
        plain_regex(
            r"^(?:(?:and|hi|hey|hello|ok|okay|so|then|bot|morning)[, ]+)*(?:please|pls|(?:can|could|would|will|may|might) (?:you|u|i|we|somebody|someone)|mind|(?:enable|disable|activate|deactivate|enforce|delete|remove|exclude|exempt|unblock|reset|unlock|approve|sign|ignore|turn|switch|put|set|let|make|add|give|show|print|allow|bypass|lower|reduce|relax|loosen|permit|restore|suspend|pause)\b)",
        )
    });
    static ORDERED: LazyLock<Regex> = LazyLock::new(|| {
        plain_regex(
            r"^(?:when|once|after|if) .{3,60}, (?:please |then |just )?(?:enable|disable|delete|activate|enforce|switch|turn|exclude|ignore)",
        )
    });
    let marked = sentence.ends_with('?') && !WISHED.is_match(sentence.as_bytes());
    (marked || ASKS.is_match(sentence.as_bytes())) && !ORDERED.is_match(sentence.as_bytes())
}

/// Words that look like the refusal but ask for something the bot does: drafts, its own policies, its summary.
fn is_spared(kind: Refusal, sentence: &str) -> bool {
    static SUMMARY: LazyLock<Regex> = LazyLock::new(|| {
        plain_regex(
            r"\b(?:summar(?:y|ies)|digests?|briefing|daily|weekly|morning|posts?|reports|notifications?|messages?|subscription|schedule)\b",
        )
    });
    static DRAFT: LazyLock<Regex> = LazyLock::new(|| {
        plain_regex(
            r"\b(?:draft|propos\w+|amendment|prepare|suggest(?:ion)?s?|write up|in all|in future|future|findings|statistics|reports|analys[ei]s|recommend\w*|numbers|coverage|drafts|never|don't|do not|policy (?:that|which)|policies (?:that|which|need|must))\b",
        )
    });
    static HOLD: LazyLock<Regex> = LazyLock::new(|| {
        plain_regex(r"\bon (?:hold|ice|pause|standby|the (?:back|list|agenda|table|shelf|waiting)|a )")
    });
    static NEGATED: LazyLock<Regex> = LazyLock::new(|| {
        plain_regex(
            r"\b(?:never|don't|do not|must not|should not) (?:ever )?(?:enable|enforce|activate|approve|apply|create|turn|switch)",
        )
    });
    static OWN: LazyLock<Regex> = LazyLock::new(|| {
        plain_regex(
            r"\b(?:you|bot) (?:\w+ )?(?:made|created|added|built|set up|put|did|just)|\byours\b|\byour (?:new |own )?(?:report_only )?(?:copy|polic|draft)|\bof yours\b|rules? _num|\brule (?:about|on|that|no)|instruction",
        )
    });
    static CHANGE_LOG: LazyLock<Regex> =
        LazyLock::new(|| plain_regex(r"^(?:the )?(?:change|edit|audit) ?(?:logs?|records?|history|entries)\b"));
    match kind {
        Refusal::IgnoreInstructions => NEGATED.is_match(sentence.as_bytes()),
        Refusal::TamperLog => CHANGE_LOG.is_match(sentence.as_bytes()),
        Refusal::Enable if HOLD.is_match(sentence.as_bytes()) => true,
        // The summary is the bot's own to send again.
        Refusal::Enable if sentence.contains("back on") && !sentence.contains("_policy") => true,
        Refusal::Enable => {
            SUMMARY.is_match(sentence.as_bytes()) && !sentence.contains("_policy")
                || NEGATED.is_match(sentence.as_bytes())
        }
        Refusal::Edit => {
            SUMMARY.is_match(sentence.as_bytes()) && !sentence.contains("_policy")
                || CHANGE_LOG.is_match(sentence.as_bytes())
                || DRAFT.is_match(sentence.as_bytes())
                || OWN.is_match(sentence.as_bytes())
        }
        Refusal::Weaken => DRAFT.is_match(sentence.as_bytes()),
        Refusal::DeleteOthers => OWN.is_match(sentence.as_bytes()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASES: &str = include_str!("../../../tests/data/refusals.txt");

    #[test]
    fn orders_are_refused_and_questions_are_not() {
        let cases = CASES.lines().filter(|line| !line.starts_with('#'));
        let wrong: Vec<_> = cases
            .filter_map(|line| {
                let (kind, text) = line.split_once(": ").expect("kind: text");
                let text = text.replace("\\n", "\n");
                let found = find(&Message::read(&text), None).map_or("none", Refusal::as_str);
                (found != kind).then(|| format!("{line} -> {found}"))
            })
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn every_refusal_is_a_pattern() {
        assert_eq!((compile(PATTERNS).len(), compile(SHORT).len()), (PATTERNS.len(), SHORT.len()));
    }

    #[test]
    fn short_orders_need_the_turn_before() {
        let read = |previous| find(&Message::read("ok, delete it"), Some(previous));
        assert_eq!(read(Intent::ShowPolicy), Some(Refusal::DeleteOthers));
        assert_eq!(read(Intent::ListInstructions), None);
        assert_eq!(find(&Message::read("enable it"), Some(Intent::RolloutPlan)), Some(Refusal::Enable));
    }
}
