//! Every intent has one answer, and each answer has words; a snapshot of what each says about a small tenant.

use serde_json::json;

use super::testing::{Question, answered, app, nordwerk, said, snapshot, words};
use super::*;
use crate::bot::reconcile::reconcile;
use std::sync::Arc;

/// An app that has judged the small tenant once, so that suggestions are kept.
async fn judged() -> App {
    let app = app().await;
    let tenant = nordwerk();
    let now = app.clock.now();
    let analysis = Analysis::of(Arc::new(snapshot(&tenant)), "hash".into(), &app.config.thresholds, now);
    reconcile(&app, &analysis).await.unwrap();
    app
}

async fn ask(app: &App, intent: Intent, text: &str) -> String {
    words(&answered(app, &nordwerk(), Question { text, intent, previous: None }).await.1.card)
}

#[test]
fn every_intent_has_exactly_one_answer() {
    for intent in Intent::ALL {
        let answers = ANSWERS.iter().filter(|(known, _)| known == intent).count();
        assert_eq!(answers, 1, "{intent}");
    }
}

#[tokio::test]
async fn every_example_is_answered_in_words() {
    let app = judged().await;
    for (intent, _) in ANSWERS {
        let said = ask(&app, *intent, intent.example()).await;
        assert!(!said.is_empty(), "{intent}");
    }
}

#[tokio::test]
async fn help_explains_what_was_asked() {
    insta::assert_snapshot!(said(&nordwerk(), Intent::Help, "what's the diff between snoozing a thing and dismissing it").await, @"");
}

#[tokio::test]
async fn a_policy_is_shown_in_the_portals_words() {
    insta::assert_snapshot!(said(&nordwerk(), Intent::ShowPolicy, "show CA200").await, @"");
    insta::assert_snapshot!(said(&nordwerk(), Intent::ShowPolicy, "show CA999").await, @"");
}

#[tokio::test]
async fn policies_are_listed_by_state() {
    insta::assert_snapshot!(said(&nordwerk(), Intent::ListPolicies, "which policies are in report-only?").await, @"");
}

#[tokio::test]
async fn a_change_is_told_with_before_and_after() {
    let mut tenant = nordwerk();
    let before = tenant["policies"][0].clone();
    let mut after = before.clone();
    after["conditions"]["users"]["excludeGroups"] = json!(["g-rollout", "g-breakglass", "g-sales"]);
    tenant["directoryAudits"][0]["targetResources"][0]["modifiedProperties"] = json!([
        {"displayName": "ConditionalAccessPolicy", "oldValue": before.to_string(), "newValue": after.to_string()}]);
    insta::assert_snapshot!(said(&tenant, Intent::PolicyChanges, "who changed CA200 yesterday?").await, @"");
}

#[tokio::test]
async fn suggestions_are_listed_and_explained() {
    let app = judged().await;
    insta::assert_snapshot!(ask(&app, Intent::ListSuggestions, "what should we fix first?").await, @"");
    insta::assert_snapshot!(ask(&app, Intent::ExplainSuggestion, "why S-1?").await, @"");
}

#[tokio::test]
async fn impact_and_rollout_rest_on_the_log() {
    let app = judged().await;
    insta::assert_snapshot!(ask(&app, Intent::Impact, "who would CA211 block?").await, @"");
    insta::assert_snapshot!(ask(&app, Intent::RolloutPlan, "when can CA211 leave report-only?").await, @"");
}

#[tokio::test]
async fn overlaps_are_told_and_two_policies_compared() {
    let mut tenant = nordwerk();
    let mut twin = tenant["policies"][2].clone();
    twin["id"] = json!("p-legacy-2");
    twin["displayName"] = json!("CA204 – Block legacy authentication again");
    tenant["policies"].as_array_mut().unwrap().push(twin);
    insta::assert_snapshot!(said(&tenant, Intent::Overlaps, "are any policies redundant?").await, @"");
    insta::assert_snapshot!(said(&tenant, Intent::Overlaps, "compare CA203 and CA205").await, @"");
}

#[tokio::test]
async fn text_leads_to_a_card_and_decides_nothing() {
    let app = judged().await;
    let tenant = nordwerk();
    for (intent, text) in [
        (Intent::ProposeChange, "propose S-1"),
        (Intent::SnoozeSuggestion, "snooze S-1 for two weeks"),
        (Intent::DismissSuggestion, "dismiss S-1, handled by the VPN"),
    ] {
        let (answer, _) = answered(&app, &tenant, Question { text, intent, previous: None }).await;
        assert_eq!(answer.subject.map(|(subject, _)| subject).as_deref(), Some("S-1"), "{text}");
    }
    assert_eq!(app.store.suggestion(app.tenant(), 1).await.unwrap().unwrap().state, "open");
    insta::assert_snapshot!(ask(&app, Intent::SnoozeSuggestion, "snooze S-1 for two weeks").await, @"");
    insta::assert_snapshot!(ask(&app, Intent::DismissSuggestion, "dismiss S-1").await, @"");
    insta::assert_snapshot!(ask(&app, Intent::DismissSuggestion, "dismiss S-99").await, @"");
    insta::assert_snapshot!(ask(&app, Intent::Undo, "undo S-1").await.lines().next().unwrap_or_default(), @"");
}

#[tokio::test]
async fn the_length_that_was_asked_for_is_offered_first() {
    let app = judged().await;
    let question = Question { text: "snooze S-1 for two weeks", intent: Intent::SnoozeSuggestion, previous: None };
    let (answer, _) = answered(&app, &nordwerk(), question).await;
    let offered = answer.actions.iter().find_map(|action| match action {
        crate::chat::card::Action::Press { input: Some(crate::chat::card::Input::Choice { choices, .. }), .. } => {
            choices.first()
        }
        _ => None,
    });
    assert_eq!(offered.map(|(days, _)| days.as_str()), Some("14"));
}

#[tokio::test]
async fn an_instruction_is_echoed_and_kept_by_a_button_alone() {
    let app = judged().await;
    let ask = async |text| ask(&app, Intent::AddInstruction, text).await;
    insta::assert_snapshot!(ask("never suggest device code flow for CA-Excl-MFA-Rollout until 1 March").await, @"");
    insta::assert_snapshot!(ask("stop suggesting legacy auth until 1 March").await, @"");
    insta::assert_snapshot!(ask("don't ever suggest anything for Sales-EMEA again").await, @"");
    insta::assert_snapshot!(ask("treat contractors like guests").await, @"");
    insta::assert_snapshot!(ask("never suggest MFA for Nobody-Knows-It").await.lines().next().unwrap_or_default(), @"");
    assert!(app.store.instructions(app.tenant()).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_button_carries_the_instruction_as_understood() {
    let app = judged().await;
    let text = "never suggest device code flow for CA-Excl-MFA-Rollout until 1 March";
    let (answer, _) =
        answered(&app, &nordwerk(), Question { text, intent: Intent::AddInstruction, previous: None }).await;
    let crate::chat::card::Action::Press { press, .. } = answer.actions.first().unwrap() else { panic!("no button") };
    insta::assert_snapshot!(press.subject, @"");
}

#[tokio::test]
async fn a_kept_instruction_is_listed_and_cited_where_it_silences() {
    let app = app().await;
    let mut tx = app.store.begin().await.unwrap();
    let new = crate::store::instructions::NewInstruction {
        tenant: app.tenant().to_owned(),
        check_id: Some("device-code-flow".into()),
        object: None,
        until: None,
        wording: String::new(),
        by_id: "u-dana".into(),
        by_name: "Dana Admin".into(),
        created: app.clock.now(),
    };
    tx.instruct(new).await.unwrap();
    tx.commit().await.unwrap();
    insta::assert_snapshot!(ask(&app, Intent::ListInstructions, "show rules").await, @"");
    insta::assert_snapshot!(ask(&app, Intent::ListSuggestions, "show open suggestions").await, @"");
}

#[tokio::test]
async fn runs_and_the_schedule_are_set_by_buttons() {
    let app = judged().await;
    insta::assert_snapshot!(ask(&app, Intent::RunAnalysis, "run the analysis again").await, @"");
    insta::assert_snapshot!(ask(&app, Intent::ScheduleSummary, "post the summary every weekday at 8:30").await, @"");
    app.store.start_run("run-1", app.tenant(), app.clock.now()).await.unwrap();
    app.store.run_progress("run-1", &json!({"objects": {"users": 400, "groups": 12}})).await.unwrap();
    insta::assert_snapshot!(ask(&app, Intent::CancelRun, "stop the run").await, @"");
}

#[tokio::test]
async fn the_activity_log_is_told_and_checked() {
    let app = judged().await;
    insta::assert_snapshot!(ask(&app, Intent::BotActivity, "what did you do today?").await, @"");
    let checked = ask(&app, Intent::VerifyLog, "verify the log").await;
    assert!(checked.starts_with("The activity log is complete and unaltered"), "{checked}");
}

#[tokio::test]
async fn every_refusal_has_its_reason() {
    let app = app().await;
    let analysis =
        Analysis::of(Arc::new(snapshot(&nordwerk())), "hash".into(), &app.config.thresholds, app.clock.now());
    for refusal in crate::bot::intent::Refusal::ALL {
        let mut routed = crate::bot::intent::route("enable CA019", None);
        routed.intent = Intent::OutOfScope;
        routed.refusal = Some(*refusal);
        let asked = Asked {
            app: &app,
            analysis: &analysis,
            text: "enable CA019",
            routed: &routed,
            previous: None,
            person: &Person::default(),
            right: Right::Ask,
            conversation: &Conversation::default(),
            now: app.clock.now(),
        };
        let composed = crate::bot::compose::compose(answer(asked).await.unwrap(), None, &app.wording).unwrap();
        assert!(words(&composed.card).len() > 10, "{}", refusal.as_str());
    }
    insta::assert_snapshot!(said(&nordwerk(), Intent::OutOfScope, "enable CA019").await, @"");
}
