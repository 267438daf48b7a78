//! Sample approval cards: waiting, created, out of date, handed over.

use super::*;

const TITLE: &str = "CA211 – Block device code flow – All users";
const PORTAL: &str = "https://entra.microsoft.com/#view/Microsoft_AAD_ConditionalAccess/PolicyBlade";

/// An approval card that waits for a decision.
pub(super) fn approval() -> Card {
    Card {
        kind: Kind::Approval,
        title: Some(format!("Create in report-only: {TITLE}")),
        subtitle: Some("S-34 · Nordwerk".to_owned()),
        blocks: vec![
            text(Tone::Good, "Blocks and prompts nobody, protects nobody, until a person turns it On in Entra."),
            text(Tone::Warning, "D. Whitfield asked at Tue 24 Nov 08:40 for a change: \"leave <the rooms> out\""),
            rows(&[(
                "Why",
                "No policy blocks this flow for anyone. 1,204 such sign-ins in 30 days [1], 2 from a country never \
                 seen before [2].",
            )]),
            heading("Policy"),
            change(&[
                ("Users", None, Some("All users; exclude CA-BreakGlass (2), CA-TeamsRooms (46)")),
                ("Target resources", None, Some("All resources")),
                ("Conditions", None, Some("Authentication flows: Device code flow")),
                ("Grant", None, Some("Block access")),
                ("Session", None, Some("none")),
                ("Enable policy", None, Some("Report-only")),
            ]),
            heading("If On"),
            text(Tone::Normal, "Would block *19 people, 1,061 sign-ins* in the last 30 days. [1]"),
            table(
                &[("Application", false), ("Sign-ins", true), ("People", true)],
                &[&["Azure CLI", "981", "14"], &["Graph PowerShell", "80", "5"]],
                0,
            ),
            text(Tone::Normal, "143 room sign-ins left alone by the exclusion. No administrator loses the portal."),
            rows(&[
                (
                    "Safety",
                    "✓ break-glass excluded · ✓ 11 other administrators can still sign in · ✓ no duplicate · ✓ your \
                     naming · ✓ policy 37 of 240 · ✓ P1",
                ),
                ("Unsure", "scripts that run less than monthly; log older than 30 days"),
                (
                    "Change",
                    "CHG0041877 · asked by D. Whitfield · approver: Conditional Access Administrator, not the \
                            asker · until 3 Dec",
                ),
            ]),
            text(Tone::Subtle, "Created as: the app of the demo. Based on policies read 24 Nov 08:31."),
        ],
        actions: decisions(),
        citations: vec![
            cite(1, "1,204 sign-ins, 25 Oct – 24 Nov", "authentication protocol: device code"),
            cite(2, "2 sign-ins, 19 Nov", "from Brazil, not seen in the 30 days before"),
        ],
        summary: format!("S-34 waits for approval: {TITLE}"),
        ..Card::default()
    }
}

fn decisions() -> Vec<Action> {
    let decides = |label: &str, verb, (style, input)| {
        let says = Some("9f2c41d07ab3".to_owned());
        let press = Press { verb, subject: "A-12".to_owned(), version: 3, says, ..Press::default() };
        Action::Press { label: label.to_owned(), press, style, input }
    };
    let asks = |label: &str, verb, input| decides(label, verb, (Style::Normal, Some(input)));
    let pairs = |all: &[(&str, &str)]| all.iter().map(|(id, words)| ((*id).to_owned(), (*words).to_owned())).collect();
    let text = Input::Text { label: "What should be different?".to_owned(), required: true };
    let reasons = pairs(&[("accepted risk", "The risk is accepted"), ("another reason", "Another reason")]);
    let lengths = pairs(&[("7", "One week"), ("14", "Two weeks"), ("30", "A month")]);
    vec![
        decides("Create in report-only", Verb::Create, (Style::Primary, None)),
        asks("Ask to change…", Verb::AskChange, text),
        asks("Dismiss…", Verb::Dismiss, Input::Choice { label: "Why not?".to_owned(), choices: reasons }),
        asks("Snooze…", Verb::Snooze, Input::Day { label: "For how long?".to_owned(), choices: lengths }),
        ask("Names", "who would S-34 block?"),
        Action::Csv { label: "CSV (19)".to_owned(), sheet: "0199b1c2-0000-7000-8000-00000000000a".to_owned() },
        ask("Show evidence", "show evidence for S-34"),
        open("Open in Entra", PORTAL),
    ]
}

/// After the policy was created.
pub(super) fn created() -> Card {
    Card {
        kind: Kind::Approval,
        title: Some(format!("Created in report-only: {TITLE}")),
        subtitle: Some("S-34 · Nordwerk".to_owned()),
        blocks: vec![
            text(Tone::Good, "Created 24 Nov 09:03 by M. Okafor, report-only. [1]"),
            text(Tone::Normal, "It waits for a person to turn it On in Entra. Next look on Tue 8 Dec 2026."),
            heading("Rollout"),
            table(
                &[("Phase", false), ("Group", false), ("Members", true), ("Leaves when", false)],
                &[
                    &["1", "IT staff", "41", "14 days without an unexpected failure"],
                    &["2", "Head office", "1,870", "no new application in 14 days"],
                    &["3", "All users", "19,221", "–"],
                ],
                0,
            ),
        ],
        actions: vec![open("Open in Entra", PORTAL), press("Undo", Verb::Undo, "A-12")],
        citations: vec![cite(1, "Activity log entry 118", "policy created, with its audit record")],
        summary: format!("Created in report-only by M. Okafor: {TITLE}"),
        ..Card::default()
    }
}

/// After something that the draft depends on changed.
pub(super) fn out_of_date() -> Card {
    Card {
        kind: Kind::Approval,
        title: Some(format!("Out of date: {TITLE}")),
        subtitle: Some("S-34 · Nordwerk".to_owned()),
        blocks: vec![
            text(Tone::Warning, "CA200 was changed at 08:52 by Piotr Nowak, after this card was made. [1]"),
            change(&[
                ("Exclude groups", Some("CA-BreakGlass"), Some("CA-BreakGlass, CA-Excl-MFA-Rollout")),
                ("Sign-in frequency", Some("12 hours"), None),
            ]),
        ],
        actions: vec![styled("Propose again", Verb::Propose, "S-34", Style::Primary)],
        citations: vec![cite(1, "1 audit record, 24 Nov 08:52", "Update conditional access policy")],
        summary: "S-34 is out of date: CA200 was changed at 08:52.".to_owned(),
        ..Card::default()
    }
}

/// The exact change for a person to make.
pub(super) fn hand_over() -> Card {
    let body = r#"{
  "displayName": "CA211 – Block device code flow – All users",
  "state": "enabledForReportingButNotEnforced",
  "conditions": {
    "users": { "includeUsers": ["All"] },
    "applications": { "includeApplications": ["All"] },
    "authenticationFlows": { "transferMethods": "deviceCodeFlow" }
  },
  "grantControls": { "operator": "OR", "builtInControls": ["block"] }
}"#;
    Card {
        kind: Kind::HandOver,
        title: Some(format!("Hand over: {TITLE}")),
        subtitle: Some("S-34 · Nordwerk".to_owned()),
        blocks: vec![
            text(Tone::Normal, "Make this change yourself; I watch the audit log and confirm it."),
            code("JSON", body),
            code("PowerShell", "New-MgIdentityConditionalAccessPolicy -BodyParameter (Get-Content ca211.json -Raw)"),
            text(Tone::Subtle, "Based on policies read 24 Nov 08:31."),
        ],
        actions: vec![open("Open in Entra", PORTAL), press("Show evidence", Verb::Evidence, "A-12")],
        summary: format!("Hand over: {TITLE}"),
        ..Card::default()
    }
}
