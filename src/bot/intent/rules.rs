//! Which concepts together speak for which intent, where the learnt model alone still confuses two.
//!
//! Every rule here earns its place: without it, cross-validation over the example utterances loses lines
//! (`cross_validation` in `tests.rs` beside this file measures it).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::concepts::Concepts;
use super::kinds::{Class, Intent, Intent as I};
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

/// All rules.
const RULES: &[Rule] = &[
    rule(I::Help, 1.5, "howto !otherit !blocked !integrity !overlap"),
    // Gaps against exclusions: nobody thought of it, or somebody decided it.
    rule(I::CoverageGaps, 2.0, "gap !exclude !integrity !log !changed !overlap !suggid !policyid !code"),
    rule(I::Exclusions, 2.0, "exclude !changed !madeoff !standing !draft !gap !suggid !instructions !overlap"),
    rule(I::Exclusions, 2.5, "breakglass !usage !standing !draft !sugg !count"),
    rule(I::ExplainSignIn, 2.0, "code !hypo !changed !count !out"),
    rule(I::ExplainSignIn, 2.0, "who blocked past !hypo !changed !suggid !enable !mfa !policy"),
    rule(I::ListSuggestions, 1.0, "list sugg !suggid !why !instructions !reportonly"),
    rule(I::RolloutPlan, 2.0, "rollout !exclude !changed !impact !standing"),
    rule(I::Overlaps, 1.5, "overlap !suggid !draft !instructions !standing !stop"),
    rule(
        I::ListPolicies,
        1.5,
        "policies list !exclude !overlap !changed !person !appname !gap !apply !instructions !summary",
    ),
    rule(I::ListPolicies, 1.5, "exists policy !exclude !instructions !overlap !gap !appname !person"),
    rule(I::AppPolicies, 1.5, "appname required !hypo !person !policyid !suggid !past"),
    rule(I::BotActivity, 1.5, "did !integrity !sugg !hypo !draft !instructions"),
    // What the bot keeps in mind: a new rule, or the rules there are.
    rule(I::AddInstruction, 1.5, "standing !suggid !who !hypo !exists !outdated !summary"),
    rule(I::ListInstructions, 1.5, "instructions !standing !log !card !draft"),
    rule(I::ScheduleSummary, 1.5, "summary sched !did"),
    rule(I::PostureSummary, 3.0, "summaryname please !clock !sched"),
];

struct Compiled {
    class: Class,
    weight: f32,
    all: Concepts,
    none: Concepts,
}

impl Compiled {
    fn new(rule: &Rule) -> Option<Self> {
        let class = Class::Answered(rule.intent);
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

/// The weight of all rules that hold, by class; after another turn, going on with its intent counts too.
pub(crate) fn scores(concepts: &Concepts, message: &Message<'_>, previous: Option<Intent>) -> BTreeMap<Class, f32> {
    static COMPILED: LazyLock<Vec<Compiled>> = LazyLock::new(|| RULES.iter().filter_map(Compiled::new).collect());
    let mut scores = BTreeMap::new();
    for rule in COMPILED.iter().filter(|rule| rule.holds(*concepts)) {
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
        for rule in RULES {
            assert!(Compiled::new(rule).is_some(), "{}", rule.when);
        }
    }
}
