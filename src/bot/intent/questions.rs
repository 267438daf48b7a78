//! Questions to offer for each intent, in the words of a person; about what the message names, where it names something.

use super::kinds::Intent as I;
use super::slots::{SlotName, Slots};

/// A question of this intent; none where it would have to name what the message doesn't.
#[must_use]
pub fn question(intent: I, slots: &Slots) -> Option<String> {
    let first = |name: SlotName| slots.get(&name).and_then(|values| values.first()).map(String::as_str);
    let user = first(SlotName::User).filter(|user| !matches!(user.to_lowercase().as_str(), "i" | "me" | "my"));
    let (policy, suggestion) = (first(SlotName::Policy), first(SlotName::Suggestion));
    let about = |name: Option<&str>, before: &str, after: &str| name.map(|name| format!("{before}{name}{after}"));
    let either = |before: &str, after: &str| about(suggestion.or(policy), before, after);
    let or = |specific: Option<String>, general: &str| specific.or_else(|| Some(general.to_owned()));
    match intent {
        I::Help => or(None, "What can you do?"),
        I::PostureSummary => or(None, "How do we look today?"),
        I::CoverageGaps => or(None, "Who is not covered by MFA?"),
        I::Exclusions => or(
            about(policy.or(user), "Who is excluded from ", "?").filter(|_| policy.is_some()),
            "Who is excluded from MFA?",
        ),
        I::UserPolicies => {
            or(about(user.or(first(SlotName::Group)), "Which policies apply to ", "?"), "Which policies apply to me?")
        }
        I::AppPolicies => about(first(SlotName::App), "What protects ", "?"),
        I::ShowPolicy => about(policy, "Show ", ""),
        I::ListPolicies => or(None, "List all policies"),
        I::Overlaps => or(about(policy, "Does any policy overlap with ", "?"), "Are any policies redundant?"),
        I::PolicyChanges => or(about(policy, "Who changed ", "?"), "Which policies were changed this week?"),
        I::ExplainSignIn => or(about(user, "Why was ", " blocked?"), "Who was blocked yesterday?"),
        I::WhatIf => or(about(user, "What if ", " signs in from Brazil?"), "What if a guest signs in from Brazil?"),
        I::SignInUsage => or(about(user, "Show the sign-ins of ", ""), "Who still uses legacy authentication?"),
        I::ListSuggestions => or(None, "What should we fix first?"),
        I::ExplainSuggestion => about(suggestion, "Why ", "?"),
        I::Impact => either("Who would ", " block?"),
        I::RolloutPlan => either("When can ", " leave report-only?"),
        I::ProposeChange => about(suggestion, "Create ", " in report-only"),
        I::SnoozeSuggestion => about(suggestion, "Snooze ", " for two weeks"),
        I::DismissSuggestion => about(suggestion, "Dismiss ", ""),
        I::Undo => or(about(suggestion, "Undo what you did about ", ""), "Undo your last change"),
        I::RunAnalysis => or(None, "Run the analysis again"),
        I::CancelRun => or(None, "Stop the run"),
        I::BotActivity => or(None, "What did you do this week?"),
        I::VerifyLog => or(None, "Verify the log"),
        I::ListInstructions => or(None, "Show the standing instructions"),
        I::ScheduleSummary => or(None, "When do you post the summary?"),
        I::AddInstruction | I::OutOfScope => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::route;
    use super::*;

    /// A button that reaches another answer than it promises is worse than none.
    #[test]
    fn every_question_reaches_its_answer() {
        let named = [
            (SlotName::User, "Alice Moreau"),
            (SlotName::Policy, "CA200"),
            (SlotName::App, "Salesforce"),
            (SlotName::Group, "guests"),
            (SlotName::Suggestion, "S-4"),
        ];
        let one = |(name, value): (SlotName, &str)| Slots::from([(name, vec![value.to_owned()])]);
        let slots: Vec<Slots> = named.into_iter().map(one).chain([Slots::new()]).collect();
        let mut missed = Vec::new();
        for intent in I::ALL {
            for question in slots.iter().filter_map(|slots| question(*intent, slots)) {
                let routed = route(&question, None);
                if routed.intent != *intent || !routed.sure {
                    missed.push(format!("{question}: {} instead of {intent}, sure: {}", routed.intent, routed.sure));
                }
            }
        }
        missed.dedup();
        assert!(missed.is_empty(), "{missed:#?}");
    }
}
