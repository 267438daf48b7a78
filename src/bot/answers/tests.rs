//! Every intent has one answer, and each answer has words; a snapshot of what each says about a small tenant.

use serde_json::json;

use super::testing::{Question, answered, app, judged, nordwerk, said, snapshot, words};
use super::*;
use crate::bot::intent::route;
use crate::bot::reconcile::Body;
use crate::checks::CureAction;
use std::sync::Arc;

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
    insta::assert_snapshot!(said(&nordwerk(), Intent::Help, "what's the diff between snoozing a thing and dismissing it").await, @r"
    Snooze puts a suggestion off until a date, then it comes back by itself. Dismiss turns it down for good, with a reason; it isn't repeated until somebody reopens it. To silence a whole class, give me a standing instruction.
    (What can you do?)
    ");
}

#[tokio::test]
async fn a_policy_is_shown_in_the_portals_words() {
    insta::assert_snapshot!(said(&nordwerk(), Intent::ShowPolicy, "show CA200").await, @r"
    # CA200 – Require MFA
    CA200 – Require MFA is On. [1]
    Users: All users · Exclude: CA-BreakGlass (1), CA-Excl-MFA-Rollout (1)
    Target resources: All resources · Exclude: Salesforce
    Grant: Require multifactor authentication
    Session: Sign-in frequency: 12 hours
    Enable policy: On
    Read Tue 24 Nov 08:00.
    (Who is excluded?) (Who changed it?) (Impact)
    [1] CA200 – Require MFA is On. · 1 policy
    ");
    insta::assert_snapshot!(said(&nordwerk(), Intent::ShowPolicy, "show CA999").await, @r#"
    No policy is called "CA999". Read Tue 24 Nov 08:00.
    (All policies)
    "#);
}

#[tokio::test]
async fn policies_are_listed_by_state() {
    insta::assert_snapshot!(said(&nordwerk(), Intent::ListPolicies, "which policies are in report-only?").await, @r"
    1 of 4 policies: Report-only. [1]
    | Name | State | Users | Grant | Last changed
    | CA211 – Block device code flow | Report-only | All users | Block access | 
    Read Tue 24 Nov 08:00.
    (CSV (1)) (Show it)
    [1] 1 of 4 policies: Report-only. · 1 policy
    ");
}

#[tokio::test]
async fn a_change_is_told_with_before_and_after() {
    let mut tenant = nordwerk();
    let before = tenant["policies"][0].clone();
    let mut after = before.clone();
    after["conditions"]["users"]["excludeGroups"] = json!(["g-rollout", "g-breakglass", "g-sales"]);
    tenant["directoryAudits"][0]["targetResources"][0]["modifiedProperties"] = json!([
        {"displayName": "ConditionalAccessPolicy", "oldValue": before.to_string(), "newValue": after.to_string()}]);
    insta::assert_snapshot!(said(&tenant, Intent::PolicyChanges, "who changed CA200 yesterday?").await, @r#"
    1 change of CA200 – Require MFA from Mon 23 Nov 00:00 to Tue 24 Nov 00:00. [1]
    - Mon 23 Nov 16:42 Dana Admin: Update conditional access policy, CA200 – Require MFA [2]
    ## Update conditional access policy: CA200 – Require MFA
    Users: Some("All users · Exclude: CA-BreakGlass (1), CA-Excl-MFA-Rollout (1)") → Some("All users · Exclude: CA-BreakGlass (1), CA-Excl-MFA-Rollout (1), Sales-EMEA (2)")
    Read Tue 24 Nov 08:00.
    (Did you do any?)
    [1] 1 change of CA200 – Require MFA from Mon 23 Nov 00:00 to Tue 24 Nov 00:00. · 1 audit record
    [2] Mon 23 Nov 16:42 Dana Admin: Update conditional access policy, CA200 – Require MFA · 1 audit record
    "#);
}

#[tokio::test]
async fn suggestions_are_listed_and_explained() {
    let app = judged().await;
    let listed = ask(&app, Intent::ListSuggestions, "what should we fix first?").await;
    let severe = listed.find("(critical)").unwrap_or_default();
    assert!(listed.contains("suggestions (open)") && listed.contains("- S-1 "), "{listed}");
    assert!(listed.find("(high)").is_none_or(|high| severe < high), "most severe first: {listed}");
    let explained = ask(&app, Intent::ExplainSuggestion, "why S-1?").await;
    for part in ["S-1 (open): ", "Why it matters: ", "Severity: ", "References: ", "[1] S-1 "] {
        assert!(explained.contains(part), "{part}: {explained}");
    }
}

#[tokio::test]
async fn impact_and_rollout_rest_on_the_log() {
    let app = judged().await;
    insta::assert_snapshot!(ask(&app, Intent::Impact, "who would CA211 block?").await, @r"
    CA211 – Block device code flow is in report-only and blocks nobody now. If it were On: [1] Not known for 75.0 % of 4 past sign-ins in the log (4 more failed anyway and don't count): the log doesn't tell the authentication flow. Of the other 1: [2] It would have blocked 1 sign-in: 1 person; by app: Outlook 1. [3]
    Safety: ⚠ Whether administrators can still sign in isn't certain; needs a manual look.
    ✓ Policy 4 of 240.
    ✗ emergency access emergency1@nordwerk.example (u-bg1) must be excluded.
    | Person | Department | Blocked | Prompted
    | Bob Keller |  | 1 | 0
    Not checked: groups, roles and devices are today's, not those at the time of the sign-in and the log has no user risk, no insider risk and no GPS location at the time of the sign-in. Read Tue 24 Nov 08:00.
    (CSV (1)) (Rollout) (Show it)
    [1] CA211 – Block device code flow is in report-only and blocks nobody now. If it were On: · 1 policy
    [2] Not known for 75.0 % of 4 past sign-ins: the log doesn't tell the authentication flow. Of the other 1: · 3 sign-ins
    [3] would block 1 sign-in of 1 person: Outlook 1. · 1 sign-in
    ");
    insta::assert_snapshot!(ask(&app, Intent::RolloutPlan, "when can CA211 leave report-only?").await, @r"
    Not ready yet: What was read doesn't say since when it is in report-only. ⚠ Whether administrators can still sign in isn't certain; needs a manual look. ✗ emergency access emergency1@nordwerk.example (u-bg1) must be excluded. 1 person used what it blocks: look at each before they are cut off. [1] For 3 sign-ins the log doesn't tell what it would do, and Microsoft's own report-only results are not in it. CA211 – Block device code flow is in its first phase, report-only. A person ends it by turning it On. [2]
    ## Phases
    - Report-only for everyone, 14 days at least: blocks and prompts nobody, the log shows what it would do.
    - On for Sales-EMEA: 2 people; not known, the log doesn't tell. Done after 7 days once nobody is blocked who needs it. [3]
    - On for CA-Internals: 2 people; 1 would have been blocked, nobody prompted. Done after 7 days once nobody needs what it blocks any more (1 person used it: look at each). [4]
    - On for everyone else in scope: 3 people; not known, the log doesn't tell. Done after 7 days once nobody is blocked who needs it. [5]
    ## Exit criteria, today
    Watched: What was read doesn't say since when it is in report-only.
    Effect: Not known for 75.0 % of 4 past sign-ins: the log doesn't tell the authentication flow. Of the other 1: [6] would block 1 sign-in of 1 person: Outlook 1. [7]
    Administrators: ⚠ Whether administrators can still sign in isn't certain; needs a manual look.
    Read Tue 24 Nov 08:00.
    (Whom would it affect?)
    [1] 1 person used what it blocks: look at each before they are cut off. · 1 sign-in
    [2] CA211 – Block device code flow is in its first phase, report-only. A person ends it by turning it On. · 1 policy
    [3] On for Sales-EMEA: 2 people; not known, the log doesn't tell. Done after 7 days once nobody is blocked who needs it. · 3 rows
    [4] On for CA-Internals: 2 people; 1 would have been blocked, nobody prompted. Done after 7 days once nobody needs what it blocks any more (1 person used it: look at each). · 3 rows
    [5] On for everyone else in scope: 3 people; not known, the log doesn't tell. Done after 7 days once nobody is blocked who needs it. · 3 accounts
    [6] Not known for 75.0 % of 4 past sign-ins: the log doesn't tell the authentication flow. Of the other 1: · 3 sign-ins
    [7] would block 1 sign-in of 1 person: Outlook 1. · 1 sign-in
    ");
}

#[tokio::test]
async fn overlaps_are_told_and_two_policies_compared() {
    let mut tenant = nordwerk();
    let mut twin = tenant["policies"][2].clone();
    twin["id"] = json!("p-legacy-2");
    twin["displayName"] = json!("CA204 – Block legacy authentication again");
    tenant["policies"].as_array_mut().unwrap().push(twin);
    insta::assert_snapshot!(said(&tenant, Intent::Overlaps, "are any policies redundant?").await, @r"
    1 overlap. [1] Looked at: policies that are On or in report-only, over every sign-in that they can tell apart.
    - CA203 – Block legacy authentication and CA204 – Block legacy authentication again apply to the same sign-ins and ask the same. [2]
    Read Tue 24 Nov 08:00.
    (Suggestions)
    [1] 1 overlap. · 5 policies
    [2] CA203 – Block legacy authentication and CA204 – Block legacy authentication again apply to the same sign-ins and ask the same. · 2 policies
    ");
    insta::assert_snapshot!(said(&tenant, Intent::Overlaps, "compare CA203 and CA205").await, @r#"
    CA203 – Block legacy authentication and CA205 – Require compliant device differ in this; the same in both: Enable policy. [1]
    | Setting | CA203 – Block legacy authentication | CA205 – Require compliant device
    | Name | CA203 – Block legacy authentication | CA205 – Require compliant device
    | Users | All users · Exclude: svc-backup, CA-BreakGlass (1) | CA-Internals (4)
    | Target resources | All resources | Exchange Online, SharePoint Online
    | Grant | Block access | Require device to be marked as compliant
    | Client apps | Exchange ActiveSync clients, Other clients | not set
    Read Tue 24 Nov 08:00.
    [1] CA203 – Block legacy authentication and CA205 – Require compliant device differ in this; the same in both: Enable policy. · 2 policies
    "#);
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
    let snooze = ask(&app, Intent::SnoozeSuggestion, "snooze S-1 for two weeks").await;
    assert!(snooze.contains("click Snooze to put it off") && snooze.contains("(Snooze…) (Open)"), "{snooze}");
    let dismiss = ask(&app, Intent::DismissSuggestion, "dismiss S-1").await;
    assert!(dismiss.contains("click Dismiss and say why") && dismiss.contains("(Dismiss…) (Open)"), "{dismiss}");
    insta::assert_snapshot!(ask(&app, Intent::DismissSuggestion, "dismiss S-99").await, @r"
    There is no suggestion S-99.
    (Suggestions)
    ");
}

#[tokio::test]
async fn the_length_that_was_asked_for_is_offered_first() {
    let app = judged().await;
    let question = Question { text: "snooze S-1 for two weeks", intent: Intent::SnoozeSuggestion, previous: None };
    let (answer, _) = answered(&app, &nordwerk(), question).await;
    let offered = answer.actions.iter().find_map(|action| match action {
        crate::chat::card::Action::Press { input: Some(crate::chat::card::Input::Day { choices, .. }), .. } => {
            choices.first()
        }
        _ => None,
    });
    assert_eq!(offered.map(|(days, _)| days.as_str()), Some("14"));
}

#[tokio::test]
async fn a_snooze_ends_on_the_day_that_was_said() {
    let app = judged().await;
    let first = async |text: &str| {
        let question = Question { text, intent: Intent::SnoozeSuggestion, previous: None };
        let (answer, composed) = answered(&app, &nordwerk(), question).await;
        let offered = answer.actions.iter().find_map(|action| match action {
            crate::chat::card::Action::Press { input: Some(crate::chat::card::Input::Day { choices, .. }), .. } => {
                choices.first().cloned()
            }
            _ => None,
        });
        let said = words(&composed.card).lines().next().unwrap_or_default().split(": ").last().unwrap().to_owned();
        format!("{:?} {said}", offered.unwrap())
    };
    insta::assert_snapshot!([
        first("snooze S-3 until 1 December").await,
        first("snooze S-3 until monday").await,
        first("put S-3 off until 2027-03-15").await,
        first("snooze S-3 for two weeks").await,
        first("snooze S-3").await,
    ].join("\n"), @r#"
    ("2026-12-01", "until Tue 1 Dec 2026") click Snooze to put it off until Tue 1 Dec 2026; it comes back by itself. [1]
    ("2026-11-30", "until Mon 30 Nov 2026") click Snooze to put it off until Mon 30 Nov 2026; it comes back by itself. [1]
    ("2027-03-15", "until Mon 15 Mar 2027") click Snooze to put it off until Mon 15 Mar 2027; it comes back by itself. [1]
    ("14", "for 14 days, until Tue 8 Dec 2026") click Snooze to put it off until Tue 8 Dec 2026; it comes back by itself. [1]
    ("1", "for a day, until Wed 25 Nov 2026") click Snooze to put it off; it comes back by itself. [1]
    "#);
    let unclear = ask(&app, Intent::SnoozeSuggestion, "snooze S-3 until 1 December 2031").await;
    assert!(unclear.contains("is no day of the coming year"), "{unclear}");
}

#[tokio::test]
async fn undo_after_an_offer_that_nobody_took_says_so() {
    let app = judged().await;
    let previous = Some(Previous { intent: Intent::SnoozeSuggestion, subject: "S-3".into() });
    let question = Question { text: "undo", intent: Intent::Undo, previous };
    let said = words(&answered(&app, &nordwerk(), question).await.1.card);
    assert!(said.contains("is open: nobody has snoozed, dismissed or approved it"), "{said}");
}

#[tokio::test]
async fn a_policy_that_is_on_need_not_be_enabled() {
    insta::assert_snapshot!(said(&nordwerk(), Intent::OutOfScope, "enable CA200").await, @r"
    CA200 – Require MFA is On already. Turning policies On or Off takes a person in the Entra admin center. [1]
    (Show it) (Who is excluded?)
    [1] CA200 – Require MFA is On · 1 policy
    ");
}

#[tokio::test]
async fn a_term_is_explained_with_what_the_tenant_has() {
    insta::assert_snapshot!(said(&nordwerk(), Intent::Help, "what is a named location").await, @r"
    A named location is a set of IP address ranges, or of countries, that policies name under Network. Address ranges can be marked as trusted; a policy may then leave out all trusted locations at once, so whoever sits there isn't asked. This tenant has 1: Head office (1 range, trusted). [1]
    (What can you do?)
    [1] 1 named location · 1 row
    ");
}

#[tokio::test]
async fn policies_are_listed_by_authentication_flow() {
    insta::assert_snapshot!(said(&nordwerk(), Intent::ListPolicies, "is there a policy for device code").await, @r"
    1 of 4 policies: with device code flow. [1]
    | Name | State | Users | Grant | Last changed
    | CA211 – Block device code flow | Report-only | All users | Block access | 
    Read Tue 24 Nov 08:00.
    (CSV (1)) (Show it)
    [1] 1 of 4 policies: with device code flow. · 1 policy
    ");
}

#[tokio::test]
async fn guests_are_counted() {
    let mut tenant = nordwerk();
    tenant["groups"].as_array_mut().unwrap().push(json!({"id": "g-guests", "displayName": "CA-Guests", "members": []}));
    let guests = said(&tenant, Intent::UserPolicies, "how many guests").await;
    assert!(guests.starts_with("guests: 1 enabled account."), "{guests}");
    let group = said(&tenant, Intent::UserPolicies, "which policies apply to CA-Guests?").await;
    assert!(group.starts_with("CA-Guests: no enabled account."), "{group}");
}

#[tokio::test]
async fn what_nobody_can_read_leads_to_questions_about_what_it_names() {
    let said = said(&nordwerk(), Intent::OutOfScope, "qui n'a pas la MFA ?").await;
    assert!(said.contains("I read English") && said.contains("(Who is not covered by MFA?)"), "{said}");
}

/// A suggestion of each kind says what it would have done, or why the log can't tell.
#[tokio::test]
async fn the_impact_of_an_edit_is_told() {
    let app = judged().await;
    let kind = |row: &crate::store::suggestions::Row| match Body::of(row).unwrap().proposal.action {
        CureAction::Draft(_) => "a new policy",
        CureAction::HandOver(change) if change.request.as_ref().is_some_and(|(method, ..)| method == "PATCH") => "edit",
        CureAction::HandOver(_) => "other",
    };
    let rows = app.store.suggestions(app.tenant()).await.unwrap();
    let said = async |wanted: &str| {
        let number = rows.iter().find(|row| kind(row) == wanted).unwrap().number;
        ask(&app, Intent::Impact, &format!("who would S-{number} block?")).await
    };
    // Nobody else is in the group and nothing else names it: the policy stops excluding it.
    let title = "Take CA-Excl-MFA-Rollout out of the exclusions of CA200 – Require MFA";
    let number = rows.iter().find(|row| row.title == title).unwrap().number;
    let group = ask(&app, Intent::Impact, &format!("who would S-{number} block?")).await;
    for words in [
        "1 person with a gap today, from this or another cause, would be covered but for what the policies leave out",
        "CA200 – Require MFA would have prompted at 1 more sign-in: 1 person; by app: Outlook 1.",
        "1 of them has no multifactor authentication method registered",
    ] {
        assert!(group.contains(words), "{words}: {group}");
    }
    for (wanted, words) in [
        ("edit", "If a person makes the change:"),
        ("a new policy", "were On:"),
        ("other", "If a person makes the change:"),
    ] {
        let said = said(wanted).await;
        assert!(said.contains(words), "{wanted}: {said}");
    }
}

#[tokio::test]
async fn an_instruction_is_echoed_and_kept_by_a_button_alone() {
    let app = judged().await;
    // How many checks there are grows with them.
    let ask = async |text| {
        ask(&app, Intent::AddInstruction, text).await.split(" CHECK is one of ").next().unwrap_or_default().to_owned()
    };
    insta::assert_snapshot!(ask("never suggest device code flow for CA-Excl-MFA-Rollout until 1 March").await, @r#"
    I understood: never suggest "Device code flow blocked" for CA-Excl-MFA-Rollout until 1 Mar 2027. [1] Kept, it holds from the next scan on; what is open already stays open, and what it silences is listed with its number.
    (Keep it)
    [1] I understood: never suggest "Device code flow blocked" for CA-Excl-MFA-Rollout until 1 Mar 2027. · 1 row
    "#);
    insta::assert_snapshot!(ask("stop suggesting legacy auth until 1 March").await, @r#"
    I understood: never suggest "Legacy authentication blocked" until 1 Mar 2027. Kept, it holds from the next scan on; what is open already stays open, and what it silences is listed with its number.
    (Keep it)
    "#);
    insta::assert_snapshot!(ask("don't ever suggest anything for Sales-EMEA again").await, @r"
    I understood: never suggest anything for Sales-EMEA. [1] Kept, it holds from the next scan on; what is open already stays open, and what it silences is listed with its number.
    (Keep it)
    [1] I understood: never suggest anything for Sales-EMEA. · 1 row
    ");
    insta::assert_snapshot!(ask("treat contractors like guests").await, @r#"I can't keep that yet. I can keep "never suggest CHECK [for OBJECT] [until DATE]", where OBJECT is a group, an app, a policy or a person."#);
    insta::assert_snapshot!(ask("never suggest MFA for Nobody-Knows-It").await, @r#"I can't keep that yet: no group, app, policy or person is called "nobody-knows-it"."#);
    assert!(app.store.instructions(app.tenant()).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_button_carries_the_instruction_as_understood() {
    let app = judged().await;
    let text = "never suggest device code flow for CA-Excl-MFA-Rollout until 1 March";
    let (answer, _) =
        answered(&app, &nordwerk(), Question { text, intent: Intent::AddInstruction, previous: None }).await;
    let crate::chat::card::Action::Press { press, .. } = answer.actions.first().unwrap() else { panic!("no button") };
    insta::assert_snapshot!(press.subject, @r#"{"check":"device-code-flow","object":"g-rollout","until":1803859200}"#);
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
    insta::assert_snapshot!(ask(&app, Intent::ListInstructions, "show rules").await, @r#"
    1 standing instruction holds.
    - I-1: never suggest "Device code flow blocked". Given by Dana Admin, Tue 24 Nov 2026.
    "#);
    insta::assert_snapshot!(ask(&app, Intent::ListSuggestions, "show open suggestions").await, @r"
    No suggestion is open.
    ## Not suggested
    - Turn on CA211 – Block device code flow: not suggested because of I-1
    Read Tue 24 Nov 08:00.
    (What waits?) (Snoozed) (Dismissed)
    ");
}

#[tokio::test]
async fn runs_and_the_schedule_are_set_by_buttons() {
    let app = judged().await;
    insta::assert_snapshot!(ask(&app, Intent::RunAnalysis, "run the analysis again").await, @"These answers come from an exported folder, not from a live tenant: export it again to see newer data.");
    insta::assert_snapshot!(ask(&app, Intent::ScheduleSummary, "post the summary every weekday at 8:30").await, @r"
    No summary comes to this conversation at present. Click to have it on weekdays at 08:30 (UTC).
    (Weekdays at 08:30)
    ");
    app.store.start_run("run-1", app.tenant(), app.clock.now()).await.unwrap();
    app.store.run_progress("run-1", &json!({"objects": {"users": 400, "groups": 12}})).await.unwrap();
    insta::assert_snapshot!(ask(&app, Intent::CancelRun, "stop the run").await, @r"
    A scan has been running since Tue 24 Nov 08:00: people and groups still being read (412 objects on 0 pages so far). It can be stopped at any moment; what was known before stays.
    (Stop the scan)
    ");
}

#[tokio::test]
async fn the_activity_log_is_told_and_checked() {
    let app = judged().await;
    let told = ask(&app, Intent::BotActivity, "what did you do today?").await;
    for part in
        ["in my activity log since Tue 24 Nov 00:00. [1] I created no policy", "the bot: suggested S-", "1 log entry"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
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
    insta::assert_snapshot!(said(&nordwerk(), Intent::OutOfScope, "enable CA019").await, @r"
    I don't turn policies On: that takes a person in the Entra admin center. I can say whom it would block and whether it is ready.
    (Who would it block?) (Is it ready?)
    ");
}

/// The questions behind buttons are read by the same router as typed ones; each must reach the answer that it promises.
#[test]
fn the_questions_of_buttons_reach_their_answers() {
    let promised = [
        (Intent::CoverageGaps, "which people not covered by MFA signed in without it?"),
        (Intent::CoverageGaps, "which admins are not covered by MFA?"),
        (Intent::CoverageGaps, "who is not covered by MFA?"),
        (Intent::Exclusions, "who is excluded from MFA?"),
        (Intent::ExplainSignIn, "who was blocked in the last 7 days?"),
        (Intent::ExplainSignIn, "whose sign-ins were blocked by CA205 in the last 7 days?"),
        (Intent::ExplainSignIn, "text for alice.moreau@nordwerk.example: why was Alice Moreau blocked yesterday?"),
        (Intent::ListSuggestions, "show all open suggestions"),
        (Intent::ListPolicies, "which policies are in report-only?"),
        (Intent::ProposeChange, "open the card of S-4"),
        (Intent::ListSuggestions, "what waits for approval?"),
        (Intent::ShowPolicy, "show CA211 – Block device code flow"),
        (Intent::RolloutPlan, "how do I turn \"CA200 – Require MFA\" on again?"),
        (Intent::ProposeChange, "propose an edit of \"CA200 – Require MFA\""),
    ];
    let missed: Vec<_> = promised.iter().filter(|(intent, text)| route(text, None).intent != *intent).collect();
    assert!(missed.is_empty(), "{missed:?}");
}

#[tokio::test]
async fn a_policy_that_is_on_has_no_rollout_before_it() {
    insta::assert_snapshot!(said(&nordwerk(), Intent::RolloutPlan, "when can CA200 be turned on?").await, @r"
    CA200 – Require MFA is On: its rollout is over. [1] Judged by itself on past sign-ins: Of 4 past sign-ins in the log (4 more failed anyway and don't count): [2] It would have blocked 2 sign-ins: 1 service or room account; by app: Outlook 2. [3]
    Read Tue 24 Nov 08:00.
    (Whom does it affect?) (Show it)
    [1] CA200 – Require MFA is On: its rollout is over. · 1 policy
    [2] Of 4 past sign-ins: · 4 sign-ins
    [3] would block 2 sign-ins of 1 service or room account: Outlook 2. · 2 sign-ins
    ");
}
