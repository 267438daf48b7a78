//! What the bot refuses, with the reason and what it can do instead; and a friendly word for what isn't its business.

use crate::bot::answer::{Answer, Part, ask};
use crate::bot::intent::replies::{self, Reply};
use crate::bot::intent::{Intent, Refusal, SlotName};
use crate::bot::lookup::Found;
use crate::chat::card::{Action, Kind};
use crate::checks::rows;
use crate::facts::{Fact, Term};
use crate::tenant::Policy;
use crate::tenant::policy::PolicyState;

use super::meant::{policies, said};
use super::{Answering, Asked, turn_on};

/// Refuses, or answers kindly.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move { Ok(worded(asked, asked.routed.refusal.unwrap_or(Refusal::OtherTopic))) })
}

fn worded(asked: Asked<'_>, refusal: Refusal) -> Answer {
    if let (Refusal::Enable, Some(policy)) = (refusal, switched_off(asked)) {
        return Answer { kind: Kind::Refusal, ..turn_on::told(asked, policy) };
    }
    let kind = if refusal.is_refused() { Kind::Refusal } else { Kind::Answer };
    let facts = vec![fact(asked, refusal)];
    Answer { kind, ..Answer::default() }.part(Part::Sentences(facts)).actions(instead(asked, refusal))
}

fn fact(asked: Asked<'_>, refusal: Refusal) -> Fact {
    if let (Refusal::Enable, Some(policy)) = (refusal, already_on(asked)) {
        return Fact::new("out.enabled_already", asked.analysis.evidence([rows::policy(policy)]))
            .with("policy", Term::Name(policy.display_name.clone()))
            .must_show();
    }
    let key = match (refusal, replies::of(asked.text)) {
        (Refusal::Thanks, Some(Reply::Yes)) => "yes",
        (Refusal::Thanks, Some(Reply::No | Reply::Drop)) => "no",
        _ => refusal.as_str(),
    };
    said(&format!("out.{key}")).with("tenant", Term::Name(asked.app.config.tenant.name.clone()))
}

/// Questions about the few words that are the same in every language: who asks in another one may mean one of them.
fn near(text: &str) -> impl Iterator<Item = Action> {
    const QUESTIONS: &[(&str, &[&str])] = &[
        ("mfa", &["Who is not covered by MFA?", "Who has no MFA method registered?"]),
        ("legacy", &["Who still uses legacy authentication?"]),
        ("report-only", &["Which policies are in report-only?"]),
        ("conditional access", &["How do we look today?"]),
    ];
    let text = text.to_lowercase();
    let fits = move |(word, _): &&(&str, &[&str])| {
        let bounded = |part: &str| part.starts_with(|c: char| !c.is_alphanumeric());
        text.split(word).skip(1).any(|rest| rest.is_empty() || bounded(rest))
    };
    QUESTIONS.iter().filter(fits).flat_map(|(_, questions)| *questions).map(|question| ask(question, *question))
}

/// The policy that somebody wants turned On, where it is that already.
fn already_on(asked: Asked<'_>) -> Option<&Policy> {
    match policies(asked).into_iter().next()? {
        (_, Found::One(policy)) => Some(policy).filter(|policy| policy.state == PolicyState::Enabled),
        _ => None,
    }
}

/// The policy that somebody wants turned On again. One in report-only is watched first.
fn switched_off(asked: Asked<'_>) -> Option<&Policy> {
    match policies(asked).into_iter().next()? {
        (_, Found::One(policy)) => Some(policy).filter(|policy| policy.state == PolicyState::Disabled),
        _ => None,
    }
}

/// The policy as the message or the turn before names it.
fn named(asked: Asked<'_>) -> Option<&str> {
    let known = || policies(asked).into_iter().find(|(_, found)| matches!(found, Found::One(_))).map(|(name, _)| name);
    asked.slot(SlotName::Policy).or_else(known)
}

/// What leads on from a refusal.
fn instead(asked: Asked<'_>, refusal: Refusal) -> Vec<Action> {
    let policy = named(asked);
    let first = ask("What first?", Intent::ListSuggestions.example());
    match refusal {
        Refusal::Enable => match policy {
            Some(name) if already_on(asked).is_some() => vec![
                ask("Show it", format!("show {name}")),
                ask("Who is excluded?", format!("who is excluded from {name}?")),
            ],
            Some(name) => vec![
                ask("Who would it block?", format!("who would {name} block?")),
                ask("Is it ready?", format!("when can {name} leave report-only?")),
            ],
            None => vec![ask("Which are in report-only?", "which policies are in report-only?"), first],
        },
        Refusal::Edit | Refusal::DeleteOthers => {
            policy.map(|name| ask("Show it", format!("show {name}"))).into_iter().chain([first]).collect()
        }
        Refusal::Weaken => vec![ask("Who is excluded?", "who is excluded from MFA?")],
        Refusal::OtherTopic => near(asked.text).chain([ask("What can you do?", "help")]).collect(),
        Refusal::Reveal | Refusal::IgnoreInstructions | Refusal::SmallTalk => vec![ask("What can you do?", "help")],
        Refusal::Impersonate => vec![ask("How does approving work?", "how do I approve?")],
        Refusal::TamperLog => vec![ask("Is the log intact?", "verify the log")],
        Refusal::ResetPassword => vec![ask("Why was somebody blocked?", Intent::ExplainSignIn.example())],
        Refusal::Greeting => vec![ask("How do we look?", Intent::PostureSummary.example()), first],
        Refusal::Thanks if replies::of(asked.text).is_some() => vec![ask("What can you do?", "help"), first],
        Refusal::Thanks => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::bot::answers::testing::{Question, answered, app, nordwerk, words};
    use crate::bot::intent::{Intent, Previous};

    async fn after(intent: Intent, subject: &str, text: &str) -> String {
        let previous = Some(Previous { intent, subject: subject.into() });
        let question = Question { text, intent: Intent::OutOfScope, previous };
        words(&answered(&app().await, &nordwerk(), question).await.1.card)
    }

    #[tokio::test]
    async fn a_bare_reply_gets_a_short_one() {
        let yes = after(Intent::UserPolicies, "alice", "yes").await;
        assert!(yes.starts_with("Yes to what?") && yes.contains("(What can you do?)"), "{yes}");
        for text in ["no", "nevermind", "thanks for nothing"] {
            let no = after(Intent::Undo, "", text).await;
            assert!(no.starts_with("OK.") && no.contains("(What can you do?)"), "{text}: {no}");
        }
        assert!(after(Intent::ProposeChange, "S-4", "thanks").await.starts_with("You're welcome."));
    }

    #[tokio::test]
    async fn an_order_about_the_policy_before_is_refused_with_what_can_be_asked_of_it() {
        let words = after(Intent::Impact, "CA211", "ok do it").await;
        assert!(words.starts_with("I don't turn policies On:") && words.contains("(Who would it block?)"), "{words}");
    }
}
