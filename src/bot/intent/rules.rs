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
    rule(I::VerifyLog, 3.0, "log integrity"),
    rule(I::ExplainSignIn, 2.0, "code !hypo !changed !count"),
    rule(I::PolicyChanges, 2.0, "changed who policy"),
    rule(I::ShowPolicy, 0.5, "policyid content !exclude !overlap !changed !apply"),
];

/// Rules for follow-ups: as above, but only after one of the intents given.
const FOLLOW_UPS: &[(&[Intent], &[Rule])] = &[
    (
        &[
            I::ListSuggestions,
            I::ExplainSuggestion,
            I::Impact,
            I::RolloutPlan,
            I::ProposeChange,
            I::SnoozeSuggestion,
            I::DismissSuggestion,
            I::PostureSummary,
        ],
        &[
            rule(I::DismissSuggestion, 1.5, "no !later !yes"),
            rule(I::DismissSuggestion, 1.5, "dismiss"),
            rule(I::SnoozeSuggestion, 2.0, "later !yes"),
            rule(I::ProposeChange, 1.5, "approve !no"),
        ],
    ),
    (&[I::RunAnalysis], &[rule(I::CancelRun, 2.5, "stop"), rule(I::CancelRun, 1.5, "no")]),
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
