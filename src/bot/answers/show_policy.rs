//! "Show CA200": one policy in the portal's words and order.

use crate::bot::answer::{Answer, Part, ask};
use crate::bot::describe;
use crate::checks::rows;
use crate::facts::{Fact, Term};
use crate::tenant::Policy;

use super::meant::{one_policy, said};
use super::{Answering, Asked};

/// Shows the policy that is named.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        Ok(match one_policy(asked, |name| format!("show {name}")) {
            Ok(policy) => shown(asked, policy),
            Err(question) => question,
        })
    })
}

fn shown(asked: Asked<'_>, policy: &Policy) -> Answer {
    let snapshot = asked.analysis.snapshot();
    let name = policy.display_name.as_str();
    // What can't be judged is warned of below.
    let lines = describe::policy(policy, snapshot).into_iter().filter(|(label, _)| *label != describe::UNDECIDED);
    let lines =
        lines.map(|(label, words)| (label.to_owned(), vec![said("show.line").with("words", Term::Text(words))]));
    let mut answer = Answer::sentences(vec![state(asked, policy)]).titled(name).part(Part::Rows(lines.collect()));
    if !policy.undecided.is_empty() {
        let undecided = said("show.undecided").with("what", Term::Names(policy.undecided.clone()));
        answer = answer.part(Part::Warning(vec![undecided]));
    }
    answer
        .part(Part::Limits(vec![asked.read_at()]))
        .action(ask("Who is excluded?", format!("who is excluded from {name}?")))
        .action(ask("Who changed it?", format!("who changed {name}?")))
        .action(ask("Impact", format!("who would {name} block?")))
}

/// What state it is in, and since when.
pub(super) fn state(asked: Asked<'_>, policy: &Policy) -> Fact {
    let evidence = asked.analysis.evidence([rows::policy(policy)]);
    let fact = Fact::new("show.state", evidence)
        .with("policy", Term::Name(policy.display_name.clone()))
        .with("state", Term::Word(rows::state_word(policy.state).to_owned()));
    let time = |at: Option<jiff::Timestamp>| at.map_or_else(|| Term::Word(String::new()), Term::Time);
    fact.with("created", time(policy.created)).with("modified", time(policy.modified)).must_show()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::bot::answers::testing::{nordwerk, said};
    use crate::bot::intent::Intent;

    #[tokio::test]
    async fn a_long_filter_is_shown_whole_and_what_can_not_be_judged_once() {
        let mut tenant = nordwerk();
        let rule = format!("device.model -in [{}]", vec!["\"Surface Laptop 7\""; 20].join(", "));
        let conditions = &mut tenant["policies"][0]["conditions"];
        conditions["devices"] = json!({"deviceFilter": {"mode": "include", "rule": rule}});
        conditions["times"] = json!({"includeAllTimes": true});
        let words = said(&tenant, Intent::ShowPolicy, "show CA200").await;
        assert!(words.contains(&rule), "{words}");
        assert_eq!(words.matches("/conditions/times").count(), 1, "{words}");
    }
}
