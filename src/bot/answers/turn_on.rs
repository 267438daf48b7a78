//! "How do I turn CA200 on again?": the steps and the requests for a person to make; the bot turns nothing On.

use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::bot::answer::{Answer, Part, ask};
use crate::bot::hand_over;
use crate::bot::impact::safety;
use crate::bot::intent::text::plain_regex;
use crate::checks::hand_over::turn_on;
use crate::checks::{CureAction, rows};
use crate::facts::{Fact, Term};
use crate::tenant::Policy;

use super::Asked;

/// Whether somebody asks by which steps a policy is turned On, as opposed to when or whether.
pub(super) fn asks_how(text: &str) -> bool {
    static HOW: LazyLock<Regex> = LazyLock::new(|| {
        plain_regex(
            r"^(?:and |so |then |ok,? )?how (?:do|can|could|would|should) (?:i|we|one|you|somebody|someone) (?:(?:re-?)?(?:enable|activate)\b|(?:turn|switch|put|bring) (?:back )?on\b|(?:turn|switch|put|set|bring|take|get)\b.* on(?: again| back)?[?.! ]*$)",
        )
    });
    HOW.is_match(text.to_lowercase().as_bytes())
}

/// The change for a person to make, and what to look at before.
pub(super) fn told(asked: Asked<'_>, policy: &Policy) -> Answer {
    let snapshot = asked.analysis.snapshot();
    let name = &policy.display_name;
    let blocks = hand_over::to_turn_on(policy, snapshot);
    let fact = Fact::new("turn_on.how", asked.analysis.evidence([rows::policy(policy)]))
        .with("policy", Term::Name(name.clone()))
        .with("state", Term::Word(rows::state_word(policy.state).to_owned()))
        .with("copy", blocks.len())
        .must_show();
    let change = turn_on(policy);
    let link = hand_over::link(asked.app, &CureAction::HandOver(Box::new(change)));
    let answer =
        Answer::sentences(vec![fact]).part(Part::Rows(vec![("Safety".to_owned(), safety(asked.analysis, policy))]));
    let answer = blocks.into_iter().fold(answer, Answer::part).part(Part::Limits(vec![asked.read_at()]));
    answer
        .actions(link)
        .action(ask("Who would it block?", format!("who would {name} block?")))
        .action(ask("Who changed it?", format!("who changed {name}?")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot::answers::testing::{nordwerk, said};
    use crate::bot::intent::Intent;

    #[tokio::test]
    async fn a_policy_in_report_only_is_judged_before_it_is_handed_over() {
        let words = said(&nordwerk(), Intent::RolloutPlan, "how do I turn CA211 on?").await;
        let (ready, how) = words.split_once("I don't turn policies On; a person does. CA211").expect("the steps");
        assert!(ready.to_lowercase().contains("ready"), "{words}");
        // What must be mended first, nobody should be able to paste.
        assert!(how.contains("✗ emergency access") && !how.contains("PATCH"), "{words}");
    }

    #[test]
    fn steps_are_told_from_time_and_plan() {
        for text in ["how do I turn CA200 on again?", "how can we enable CA200?", "How do I switch CA200 back on"] {
            assert!(asks_how(text), "{text}");
        }
        for text in ["when can CA200 be turned on?", "how should we roll out CA211?", "how do I turn CA200 off?"] {
            assert!(!asks_how(text), "{text}");
        }
    }
}
