//! Which concepts together speak for which intent: the borders between intents, written down.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::concepts::Concepts;
use super::kinds::{Class, Intent, Intent as I, Refusal};
use super::text::Message;

/// One rule: `when` names concepts that must be there, `!` before one that must not.
struct Rule {
    intent: Intent,
    weight: f32,
    when: &'static str,
}

const fn rule(intent: Intent, weight: f32, when: &'static str) -> Rule {
    Rule { intent, weight, when }
}

/// Rules for any message.
const RULES: &[Rule] = &[
    // What the bot is and means.
    rule(I::Help, 1.5, "howto !otherit !blocked !integrity !overlap"),
    rule(I::Help, 1.5, "capability !start !changed !integrity !undo !suggid !policyid !stop"),
    rule(I::Help, 1.5, "meaning !policyid !suggid !code !hypo"),
    rule(I::Help, 1.5, "newbie !policy"),
    // Gaps against exclusions: nobody thought of it, or somebody decided it.
    rule(I::CoverageGaps, 2.0, "gap !exclude !integrity !log !changed !overlap !suggid !policyid !code"),
    rule(I::CoverageGaps, 1.0, "gap who mfa !exclude !hypo"),
    rule(I::Exclusions, 2.0, "exclude !changed !madeoff !standing !draft !gap !suggid !instructions !overlap"),
    rule(I::Exclusions, 1.5, "exclude who !madeoff !changed"),
    rule(I::Exclusions, 1.5, "exclude exists !instructions"),
    rule(I::Exclusions, 2.5, "breakglass !usage !standing !draft !sugg !count"),
    // Sign-ins: one that happened, one that might, or many.
    rule(I::ExplainSignIn, 2.0, "code !hypo !changed !count !out"),
    rule(I::ExplainSignIn, 1.0, "why blocked !sugg !count !changed !running"),
    rule(I::ExplainSignIn, 1.0, "signin past blocked !hypo !count !changed"),
    rule(I::ExplainSignIn, 1.0, "person blocked past !hypo !suggid"),
    rule(I::ExplainSignIn, 2.0, "who blocked past !hypo !changed !suggid !enable !mfa !policy"),
    rule(I::WhatIf, 1.5, "hypo signin place !suggid !policyid !policies !count"),
    rule(I::WhatIf, 1.5, "hypo travel !suggid !policyid"),
    rule(I::WhatIf, 1.0, "hypo person signin !policyid !suggid !past"),
    rule(I::WhatIf, 1.0, "hypo appname platform !policyid !suggid"),
    rule(I::SignInUsage, 1.0, "count signin !hypo !policyid !suggid"),
    rule(I::SignInUsage, 1.0, "who usage legacy !gap"),
    rule(I::SignInUsage, 1.0, "lastseen person"),
    // Suggestions.
    rule(I::ListSuggestions, 1.0, "list sugg !suggid !why !instructions !reportonly"),
    rule(I::ListSuggestions, 1.0, "sugg exists !suggid !instructions"),
    rule(I::ListSuggestions, 1.0, "fix !suggid !policyid !count"),
    rule(I::ExplainSuggestion, 1.5, "suggid why"),
    rule(I::ExplainSuggestion, 1.5, "suggid evidence !dismiss !approve !later"),
    rule(I::ExplainSuggestion, 1.0, "sugg why"),
    rule(I::ProposeChange, 1.5, "suggid approve !no !dismiss !who !hypo !when !later !rollout !undo !did !why"),
    rule(I::ProposeChange, 1.5, "draft policy !who !when !yours !howto !exists !changed !undo !did !standing"),
    rule(I::ProposeChange, 1.5, "card deliver !who !when"),
    rule(I::SnoozeSuggestion, 1.5, "suggid later !undo !why !who"),
    rule(I::DismissSuggestion, 1.5, "suggid dismiss !later !undo !who !approve"),
    rule(I::DismissSuggestion, 1.0, "suggid no !later !approve !why !who !hypo !undo !impact"),
    rule(I::Impact, 1.5, "suggid impact !later !dismiss !why"),
    rule(I::Impact, 1.5, "policyid impact !removed !overlap !exclude !changed"),
    rule(I::Impact, 1.5, "enable hypo !rollout !when"),
    rule(I::Impact, 1.5, "reportonly past impact"),
    rule(I::Impact, 1.5, "impact rollout who"),
    rule(I::RolloutPlan, 2.0, "rollout !exclude !changed !impact !standing"),
    rule(I::RolloutPlan, 1.5, "ready policyid"),
    rule(I::RolloutPlan, 1.5, "when enable !summary !madeoff"),
    // Policies.
    rule(I::Overlaps, 1.5, "overlap !suggid !draft !instructions !standing !stop"),
    rule(I::Overlaps, 1.5, "compare policyid !since"),
    rule(I::Overlaps, 2.0, "removed hypo policy"),
    rule(I::PolicyChanges, 2.0, "changed who policy !did"),
    rule(I::PolicyChanges, 1.5, "madeoff policy !did !suggid !instructions"),
    rule(I::PolicyChanges, 1.5, "madeoff exclude !suggid !instructions"),
    rule(I::PolicyChanges, 1.0, "changed since !posture"),
    rule(I::ShowPolicy, 1.0, "policyid content !exclude !overlap !changed !apply !impact !hypo"),
    rule(I::ShowPolicy, 1.5, "policyid list !exclude !changed !reportonly !overlap !impact"),
    rule(
        I::ListPolicies,
        1.5,
        "policies list !exclude !overlap !changed !person !appname !gap !apply !instructions !summary",
    ),
    rule(I::ListPolicies, 1.5, "policies count !exclude !overlap !changed !gap !instructions"),
    rule(I::ListPolicies, 1.5, "exists policy !exclude !instructions !overlap !gap !appname !person"),
    rule(I::ListPolicies, 1.5, "inmode !policyid !suggid !impact !rollout !sugg"),
    rule(I::ListPolicies, 1.5, "list named !app"),
    rule(I::ListPolicies, 1.0, "policies onoff !enable !who !when"),
    rule(I::UserPolicies, 1.5, "policy person apply !hypo !exclude !changed !madeoff !past !impact"),
    rule(I::UserPolicies, 1.5, "via policyid !exclude"),
    rule(I::UserPolicies, 1.5, "freq person !appname !policyid !usage"),
    rule(I::UserPolicies, 1.0, "mfa required group !appname !gap !who !standing"),
    rule(I::AppPolicies, 1.0, "freq appname !person !policyid"),
    rule(I::UserPolicies, 1.5, "mfa required person !appname !place !blocked"),
    rule(I::AppPolicies, 1.5, "appname protect !gap !hypo"),
    rule(I::AppPolicies, 1.5, "appname required !hypo !person !policyid !suggid !past"),
    // The bot itself.
    rule(I::BotActivity, 1.5, "did !integrity !sugg !hypo !draft !instructions"),
    rule(I::BotActivity, 1.0, "run when !start"),
    rule(I::BotActivity, 1.0, "run running !stop"),
    rule(I::VerifyLog, 3.0, "log integrity !howto"),
    rule(I::RunAnalysis, 1.5, "run start !who !when !stop !why !integrity !policyid !suggid !summary"),
    rule(I::RunAnalysis, 1.5, "run again !who !stop !integrity"),
    rule(I::CancelRun, 2.0, "run stop !suggid !summary !rollout !standing !report"),
    rule(I::Undo, 1.5, "undo !who !when !run !log !howto"),
    rule(I::Undo, 1.5, "yours removal !did"),
    rule(I::AddInstruction, 1.5, "standing !suggid !who !hypo !exists !outdated !summary"),
    rule(I::ListInstructions, 1.5, "instructions !standing !log !card !draft"),
    rule(I::ListInstructions, 1.5, "instructions outdated"),
    rule(I::ScheduleSummary, 1.5, "summary clock"),
    rule(I::ScheduleSummary, 1.5, "summary sched !did"),
    rule(I::ScheduleSummary, 1.5, "summary day recur"),
    rule(I::ScheduleSummary, 1.0, "deliver recur"),
    rule(I::PostureSummary, 1.5, "summary !recur !clock !sched !deliver !did !reportonly"),
    rule(I::PostureSummary, 3.0, "summaryname please !clock !sched"),
    rule(I::PostureSummary, 1.0, "posture !suggid !policyid !sugg !overlap !rollout !changed"),
    rule(I::OutOfScope, 1.5, "otherit !policy !sugg !mfa !suggid"),
    rule(I::OutOfScope, 1.0, "otherit howto"),
];

/// Turns about suggestions, after which a bare "no", "later" or "ok" decides over one.
const ABOUT_SUGGESTIONS: &[I] = &[
    I::ListSuggestions,
    I::ExplainSuggestion,
    I::Impact,
    I::RolloutPlan,
    I::ProposeChange,
    I::SnoozeSuggestion,
    I::DismissSuggestion,
    I::PostureSummary,
];

/// Rules for follow-ups: as above, but only after one of the intents given.
const FOLLOW_UPS: &[(&[I], &[Rule])] = &[
    (
        ABOUT_SUGGESTIONS,
        &[
            rule(I::DismissSuggestion, 1.5, "no !later !yes !exclude !when !why"),
            rule(I::DismissSuggestion, 1.5, "dismiss"),
            rule(I::SnoozeSuggestion, 2.0, "later !yes !why !when"),
            rule(I::ProposeChange, 1.5, "approve !no !who !why !when"),
            rule(I::ExplainSuggestion, 1.5, "why !posture !fell"),
            rule(I::ExplainSuggestion, 1.0, "evidence"),
        ],
    ),
    (
        &[I::RunAnalysis, I::BotActivity],
        &[rule(I::CancelRun, 2.5, "stop"), rule(I::RunAnalysis, 2.0, "yes !stop !no !thanks")],
    ),
    (&[I::RunAnalysis], &[rule(I::CancelRun, 2.0, "no !start"), rule(I::BotActivity, 1.5, "running")]),
    (&[I::PolicyChanges], &[rule(I::PolicyChanges, 1.0, "who !you")]),
    (
        &[I::ListInstructions, I::AddInstruction],
        &[rule(I::ListInstructions, 3.0, "dismiss"), rule(I::ListInstructions, 2.0, "outdated")],
    ),
    (&[I::ProposeChange, I::DismissSuggestion, I::SnoozeSuggestion, I::BotActivity], &[rule(I::Undo, 2.0, "undo")]),
];

struct Compiled {
    class: Class,
    weight: f32,
    all: Concepts,
    none: Concepts,
}

impl Compiled {
    fn new(rule: &Rule) -> Option<Self> {
        let class = match rule.intent {
            I::OutOfScope => Class::Outside(Refusal::OtherTopic),
            intent => Class::Answered(intent),
        };
        let mut compiled = Self { class, weight: rule.weight, all: Concepts::default(), none: Concepts::default() };
        for word in rule.when.split_whitespace() {
            match word.strip_prefix('!') {
                Some(name) => compiled.none = compiled.none.and(Concepts::named(name)?),
                None => compiled.all = compiled.all.and(Concepts::named(word)?),
            }
        }
        Some(compiled)
    }

    fn holds(&self, concepts: Concepts) -> bool {
        concepts.has_all(self.all) && !concepts.has_any(self.none)
    }
}

/// The weight of all rules that hold, by class.
pub(crate) fn scores(concepts: &Concepts, message: &Message<'_>, previous: Option<Intent>) -> BTreeMap<Class, f32> {
    static GENERAL: LazyLock<Vec<Compiled>> = LazyLock::new(|| RULES.iter().filter_map(Compiled::new).collect());
    static AFTER: LazyLock<Vec<(&[Intent], Vec<Compiled>)>> = LazyLock::new(|| {
        FOLLOW_UPS.iter().map(|(after, rules)| (*after, rules.iter().filter_map(Compiled::new).collect())).collect()
    });
    let after = AFTER.iter().filter(|(after, _)| previous.is_some_and(|previous| after.contains(&previous)));
    let mut scores = BTreeMap::new();
    for rule in GENERAL.iter().chain(after.flat_map(|(_, rules)| rules)).filter(|rule| rule.holds(*concepts)) {
        *scores.entry(rule.class).or_default() += rule.weight;
    }
    if let Some(previous) = previous.filter(|intent| *intent != I::OutOfScope) {
        *scores.entry(Class::Answered(previous)).or_default() += inheritance(message);
    }
    scores
}

/// How strongly a message of so few words goes on with what was said before.
fn inheritance(message: &Message<'_>) -> f32 {
    match message.words().count() {
        0..=3 => 2.0,
        4..=6 => 1.5,
        7..=10 => 0.7,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_names_known_concepts() {
        let all = RULES.iter().chain(FOLLOW_UPS.iter().flat_map(|(_, rules)| *rules));
        for rule in all {
            assert!(Compiled::new(rule).is_some(), "{}", rule.when);
        }
    }
}
