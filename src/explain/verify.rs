//! Holds a model's plan to what was offered: pure, and never repaired.

use std::collections::BTreeSet;

use serde::Deserialize;

/// The longest answer that is read, in bytes.
pub(super) const LONGEST: usize = 32 * 1024;
/// The most steps of a plan.
const MOST_STEPS: usize = 24;

/// A fact as the model sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// `F1`, `F2` …
    pub id: String,
    /// Its words, names replaced by handles.
    pub clause: String,
    /// It may not be dropped.
    pub must_show: bool,
}

/// A plan that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its steps.
    pub steps: Vec<Step>,
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The fact at this position of those offered.
    Fact(usize),
    /// A connective of the closed list.
    Say(&'static str),
}

/// Why a plan was refused; counted, never told to the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Longer than any plan.
    #[error("the answer is too long")]
    TooLong,
    /// The model was cut off or stopped for another reason than being done.
    #[error("the model didn't finish")]
    Unfinished,
    /// Not JSON of the form asked for.
    #[error("the answer isn't a plan")]
    NotAPlan,
    /// More steps than allowed, or a step that is neither a fact nor a connective.
    #[error("a step is malformed")]
    BadStep,
    /// A fact that wasn't offered.
    #[error("a fact wasn't offered")]
    UnknownFact,
    /// A fact twice.
    #[error("a fact is repeated")]
    Repeated,
    /// A fact that must be shown is missing.
    #[error("a fact that must be shown is missing")]
    Dropped,
    /// Words that aren't on the list.
    #[error("a connective isn't on the list")]
    OwnWords,
    /// A connective first, last or beside another.
    #[error("a connective doesn't stand between two facts")]
    LooseConnective,
    /// The model says that it can't answer.
    #[error("the model gave up")]
    GaveUp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPlan {
    plan: Vec<RawStep>,
    cannot_answer: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStep {
    #[serde(default)]
    fact: Option<String>,
    #[serde(default)]
    say: Option<String>,
}

/// Reads a model's answer and accepts it only if it orders what was offered and adds nothing.
///
/// # Errors
/// The first rule that the answer breaks.
pub fn verify(answer: &str, offered: &[Offered]) -> Result<Plan, Rejection> {
    if answer.len() > LONGEST {
        return Err(Rejection::TooLong);
    }
    let raw: RawPlan = serde_json::from_str(answer.trim()).map_err(|_| Rejection::NotAPlan)?;
    if raw.cannot_answer || raw.plan.is_empty() {
        return Err(Rejection::GaveUp);
    }
    if raw.plan.len() > MOST_STEPS {
        return Err(Rejection::BadStep);
    }
    let steps = raw.plan.iter().map(|step| read_step(step, offered)).collect::<Result<Vec<_>, _>>()?;
    hold_facts(&steps, offered)?;
    hold_connectives(&steps)?;
    Ok(Plan { steps })
}

fn read_step(step: &RawStep, offered: &[Offered]) -> Result<Step, Rejection> {
    match (&step.fact, &step.say) {
        (Some(id), None) => {
            offered.iter().position(|fact| fact.id == *id).map(Step::Fact).ok_or(Rejection::UnknownFact)
        }
        (None, Some(words)) => {
            super::connectives().into_iter().find(|known| known == words).map(Step::Say).ok_or(Rejection::OwnWords)
        }
        _ => Err(Rejection::BadStep),
    }
}

fn hold_facts(steps: &[Step], offered: &[Offered]) -> Result<(), Rejection> {
    let mut seen = BTreeSet::new();
    for step in steps {
        if let Step::Fact(position) = step
            && !seen.insert(*position)
        {
            return Err(Rejection::Repeated);
        }
    }
    let dropped = offered.iter().enumerate().any(|(position, fact)| fact.must_show && !seen.contains(&position));
    if dropped { Err(Rejection::Dropped) } else { Ok(()) }
}

fn hold_connectives(steps: &[Step]) -> Result<(), Rejection> {
    let is_say = |step: Option<&Step>| matches!(step, None | Some(Step::Say(_)));
    let loose = steps.iter().enumerate().any(|(at, step)| {
        matches!(step, Step::Say(_)) && (at == 0 || is_say(steps.get(at - 1)) || is_say(steps.get(at + 1)))
    });
    if loose { Err(Rejection::LooseConnective) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn offered() -> Vec<Offered> {
        let fact = |id: &str, must_show| Offered { id: id.into(), clause: format!("clause of {id}"), must_show };
        vec![fact("F1", true), fact("F2", false), fact("F3", false)]
    }

    fn rejection(answer: &str) -> Rejection {
        verify(answer, &offered()).unwrap_err()
    }

    #[test]
    fn a_plan_orders_what_was_offered() {
        let plan = verify(
            r#"{"plan":[{"fact":"F3","say":null},{"fact":null,"say":"In addition:"},{"fact":"F1"}],"cannot_answer":false}"#,
            &offered(),
        );
        assert_eq!(plan.unwrap().steps, [Step::Fact(2), Step::Say("In addition:"), Step::Fact(0)]);
    }

    #[test]
    fn each_rule_refuses_its_breach() {
        let plan = |steps: &str| rejection(&format!(r#"{{"plan":[{steps}],"cannot_answer":false}}"#));
        assert_eq!(rejection("Sure! Here is the plan"), Rejection::NotAPlan);
        assert_eq!(rejection(r#"{"plan":[],"cannot_answer":false}"#), Rejection::GaveUp);
        assert_eq!(rejection(&"x".repeat(LONGEST + 1)), Rejection::TooLong);
        assert_eq!(plan(r#"{"fact":"F2"}"#), Rejection::Dropped);
        assert_eq!(plan(r#"{"fact":"F1"},{"fact":"F1"}"#), Rejection::Repeated);
        assert_eq!(plan(r#"{"fact":"F9"}"#), Rejection::UnknownFact);
        assert_eq!(plan(r#"{"fact":"F1"},{"say":"which caused"},{"fact":"F2"}"#), Rejection::OwnWords);
        assert_eq!(plan(r#"{"fact":"F1"},{"say":"Also:"}"#), Rejection::LooseConnective);
        assert_eq!(plan(r#"{"say":"Also:"},{"fact":"F1"}"#), Rejection::LooseConnective);
        assert_eq!(plan(r#"{"fact":"F1","say":"Also:"}"#), Rejection::BadStep);
        assert_eq!(plan(r#"{"fact":"F1","text":"12 users"}"#), Rejection::NotAPlan);
    }

    proptest! {
        #[test]
        fn nothing_but_offered_facts_and_listed_words_ever_passes(answer in ".{0,200}") {
            if let Ok(plan) = verify(&answer, &offered()) {
                let listed = |words: &'static str| super::super::connectives().contains(&words);
                let holds = |step: &Step| match step {
                    Step::Fact(at) => *at < 3,
                    Step::Say(words) => listed(words),
                };
                prop_assert!(plan.steps.iter().all(holds));
            }
        }
    }
}
