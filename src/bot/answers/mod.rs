//! One file an intent: a question becomes facts, and facts an answer. Nothing here acts; buttons do.

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use crate::app::App;
use crate::chat::{Conversation, Person};
use crate::facts::{Evidence, Fact};

use super::access::Right;
use super::analysis::Analysis;
use super::answer::Answer;
use super::intent::text::Message;
use super::intent::{Intent, Previous, Routed, SlotName};
use super::lookup;

mod add_instruction;
mod administrators;
mod app_policies;
mod approvers;
mod blocked;
pub(crate) mod bot_activity;
mod cancel_run;
mod codes;
mod coverage_gaps;
mod coverage_kinds;
mod coverage_methods;
mod coverage_mfa;
mod coverage_part;
mod decide;
mod dismiss_suggestion;
mod emergency;
mod exclusions;
mod explain_sign_in;
mod explain_suggestion;
mod help;
mod impact;
mod inventory;
mod list_instructions;
mod list_policies;
pub(crate) mod list_suggestions;
mod locations;
mod meant;
mod named;
mod out_of_scope;
mod overlaps;
mod own;
mod period;
mod places;
pub(crate) mod policy_changes;
mod posture_summary;
mod propose_change;
mod rollout_plan;
mod run_analysis;
mod schedule_summary;
mod scope;
mod show_policy;
mod sign_in_usage;
mod snooze_suggestion;
mod stated;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod turn_on;
mod undo;
pub(crate) mod unread;
mod user_policies;
mod verify_log;
mod waiting;
pub(crate) mod what_if;

/// A question with everything that an answer may look at.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The long-lived things.
    pub app: &'a App,
    /// The newest analysis.
    pub analysis: &'a Analysis,
    /// What was said; untrusted text.
    pub text: &'a str,
    /// How it was read.
    pub routed: &'a Routed,
    /// The turn before.
    pub previous: Option<&'a Previous>,
    /// Who asks.
    pub person: &'a Person,
    /// What the person may do.
    pub right: Right,
    /// Where.
    pub conversation: &'a Conversation,
    /// Now.
    pub now: Timestamp,
}

impl<'a> Asked<'a> {
    /// The first value of a slot, as it stands in the text.
    #[must_use]
    pub fn slot(&self, name: SlotName) -> Option<&'a str> {
        self.routed.slots.get(&name)?.first().map(String::as_str)
    }

    /// The question in small letters, as it was written and with its slips mended: "legcy" is legacy.
    #[must_use]
    pub(crate) fn words(&self) -> String {
        format!("{}\n{}", self.text.to_lowercase(), Message::read(self.text).plain())
    }

    /// What the turn before was about, for a question that doesn't stand alone.
    #[must_use]
    pub fn subject(&self) -> Option<&'a str> {
        self.previous
            .filter(|_| self.routed.follows)
            .map(|previous| previous.subject.as_str())
            .filter(|subject| !subject.is_empty())
    }

    /// The fact that says when the tenant was read; it closes every answer.
    #[must_use]
    pub fn read_at(&self) -> Fact {
        Fact::new("common.read_at", Evidence::default()).with("at", self.analysis.snapshot().read_at).must_show()
    }

    /// What was not checked, as one fact; none when there is nothing to say.
    #[must_use]
    pub fn not_checked(&self, what: &[String]) -> Option<Fact> {
        let fact = || Fact::new("common.limits", Evidence::default()).with("what", what.to_vec()).must_show();
        (!what.is_empty()).then(fact)
    }
}

/// What the next question may refer to: what this one named, or what it took over. A sign-in test keeps all that was said of
/// the sign-in, and a time holds until another is named. A list is about nothing that was open before it.
#[must_use]
pub fn subject_of(asked: Asked<'_>) -> String {
    let slots = match asked.routed.intent {
        Intent::WhatIf => what_if::slots(asked),
        Intent::AppPolicies => named::slots(asked, SlotName::App),
        _ => asked.routed.slots.clone(),
    };
    let named: Vec<&str> = slots.values().flatten().map(String::as_str).collect();
    let before = asked.subject().unwrap_or_default();
    if named.is_empty() {
        return if LISTS.contains(&asked.routed.intent) { String::new() } else { before.to_owned() };
    }
    let timed = [SlotName::Period, SlotName::Since].iter().any(|name| slots.contains_key(name));
    let is_time = |part: &&str| !timed && LOGGED.contains(&asked.routed.intent) && meant::is_time(part);
    let is_person = |part: &&str| !slots.contains_key(&SlotName::User) && is_spoken_of(asked, part);
    let parts = || before.split(", ");
    parts().filter(is_person).chain(named).chain(parts().filter(is_time)).collect::<Vec<_>>().join(", ")
}

/// Whether this is the name of the person whom the question calls "he" or "she".
fn is_spoken_of(asked: Asked<'_>, name: &str) -> bool {
    const PRONOUNS: [&str; 5] = ["he", "she", "him", "her", "his"];
    let text = asked.text.to_lowercase();
    text.split(|c: char| !c.is_alphabetic()).any(|word| PRONOUNS.contains(&word))
        && matches!(lookup::user(asked.analysis.snapshot(), name), lookup::Found::One(_))
}

/// Intents that show all there is.
const LISTS: [Intent; 3] = [Intent::ListPolicies, Intent::ListSuggestions, Intent::PostureSummary];

/// Intents that look into the logs of a time.
const LOGGED: [Intent; 3] = [Intent::ExplainSignIn, Intent::SignInUsage, Intent::PolicyChanges];

/// An answer on its way.
pub type Answering<'a> = BoxFuture<'a, anyhow::Result<Answer>>;

type Answerer = for<'a> fn(Asked<'a>) -> Answering<'a>;

/// Who answers what. A test sees to it that every intent is here once.
static ANSWERS: &[(Intent, Answerer)] = &[
    (Intent::AddInstruction, add_instruction::answer),
    (Intent::AppPolicies, app_policies::answer),
    (Intent::BotActivity, bot_activity::answer),
    (Intent::CancelRun, cancel_run::answer),
    (Intent::CoverageGaps, coverage_gaps::answer),
    (Intent::DismissSuggestion, dismiss_suggestion::answer),
    (Intent::Exclusions, exclusions::answer),
    (Intent::ExplainSignIn, explain_sign_in::answer),
    (Intent::ExplainSuggestion, explain_suggestion::answer),
    (Intent::Help, help::answer),
    (Intent::ListInstructions, list_instructions::answer),
    (Intent::ListPolicies, list_policies::answer),
    (Intent::ListSuggestions, list_suggestions::answer),
    (Intent::OutOfScope, out_of_scope::answer),
    (Intent::PolicyChanges, policy_changes::answer),
    (Intent::PostureSummary, posture_summary::answer),
    (Intent::ProposeChange, propose_change::answer),
    (Intent::Impact, impact::answer),
    (Intent::Overlaps, overlaps::answer),
    (Intent::RolloutPlan, rollout_plan::answer),
    (Intent::RunAnalysis, run_analysis::answer),
    (Intent::ScheduleSummary, schedule_summary::answer),
    (Intent::ShowPolicy, show_policy::answer),
    (Intent::SignInUsage, sign_in_usage::answer),
    (Intent::SnoozeSuggestion, snooze_suggestion::answer),
    (Intent::Undo, undo::answer),
    (Intent::UserPolicies, user_policies::answer),
    (Intent::VerifyLog, verify_log::answer),
    (Intent::WhatIf, what_if::answer),
];

/// Answers a question.
///
/// # Errors
/// When the store or the tenant fails.
pub async fn answer(asked: Asked<'_>) -> anyhow::Result<Answer> {
    let known = ANSWERS.iter().find(|(intent, _)| *intent == asked.routed.intent);
    match known {
        Some((_, answerer)) => Ok(period::noted(asked, answerer(asked).await?)),
        None => anyhow::bail!("no answer is registered for {}", asked.routed.intent.as_str()),
    }
}
