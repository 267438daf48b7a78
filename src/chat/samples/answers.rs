//! Sample answers: the summary, coverage, a blocked sign-in, lists, progress, refusal, question, instruction.

use super::*;

/// The daily summary of a day on which something happened.
pub(super) fn summary() -> Card {
    Card {
        kind: Kind::Summary,
        title: Some("Conditional Access · Nordwerk".to_owned()),
        subtitle: Some("Tue 24 Nov 08:30 · 2 need you".to_owned()),
        blocks: vec![
            heading("Needs you"),
            needs_you(),
            heading("Coverage (21,180 enabled accounts)"),
            Block::Bars {
                bars: vec![
                    bar("MFA required", 20_536, 21_180, "98.0 % yesterday"),
                    bar("Administrators, phishing-resistant MFA", 61, 64, "same as yesterday"),
                    bar("Legacy authentication blocked", 21_180, 21_180, "same as yesterday"),
                    bar("Device code flow blocked", 0, 21_180, "same as yesterday"),
                ],
            },
            heading("Changed since Mon 08:30"),
            text(Tone::Normal, "1 policy, 1 group used for exclusion (+9 members), 0 named locations. [3]"),
            heading("Report-only (3)"),
            table(
                &[("Policy", false), ("Days", true), ("Would block", true), ("Next", false)],
                &[
                    &["CA512 Require compliant device", "41", "6", "enough data since day 14"],
                    &["CA519 Sign-in frequency for admins", "9", "0", "wait"],
                    &["Microsoft-managed: Block legacy", "30", "0", "switches On 3 Dec"],
                ],
                0,
            ),
            rows(&[
                ("Break-glass", "2 of 2 fine, no sign-in, last test 63 days ago."),
                ("Blocked", "142 sign-ins yesterday (normal Monday: 120–180), most by CA205 (17 people). [4]"),
            ]),
            text(
                Tone::Subtle,
                "Not checked: partner (GDAP) technicians; Intune grace periods. Sign-ins up to 07:40. Read 07:58.",
            ),
        ],
        actions: vec![
            ask("Open items (7)", "What is open?"),
            ask("Report-only", "Which policies are in report-only?"),
            ask("Change this post", "Post the summary at another time"),
        ],
        citations: vec![
            cite(1, "1 audit record, Mon 16:42", "Update conditional access policy, by Piotr Nowak"),
            cite(2, "214 members of CA-Excl-MFA-Rollout", "as read 07:58"),
            cite(3, "2 audit records, 23–24 Nov", "policies and groups that policies name"),
            cite(4, "142 sign-ins, Mon 23 Nov", "blocked by Conditional Access"),
        ],
        summary: "Nordwerk: 2 need you. MFA 97.0 % (98.0). Read 07:58.".to_owned(),
        ..Card::default()
    }
}

fn needs_you() -> Block {
    Block::Items {
        ordered: true,
        items: vec![
            item(
                "*CA200 weakened* Mon 16:42 by Piotr Nowak: group CA-Excl-MFA-Rollout now excluded. [1] 214 people no \
                 longer need MFA. [2]",
                vec![
                    ask("Before/after", "What changed in CA200?"),
                    ask("Who", "Who no longer needs MFA by CA200?"),
                    press("Suggest fix", Verb::Propose, "S-41"),
                ],
            ),
            item(
                "*S-34 Block device code flow*: approval 0 of 1, expires Thu 3 Dec.",
                vec![press("Open", Verb::Propose, "S-34")],
            ),
        ],
    }
}

/// The summary of a quiet day: one line.
pub(super) fn quiet() -> Card {
    let line = "Nordwerk: no changes, MFA 98.0 %, 3 in report-only. Read 07:58.";
    Card { kind: Kind::Summary, blocks: vec![text(Tone::Normal, line)], summary: line.to_owned(), ..Card::default() }
}

/// "Who is not covered by MFA?"
pub(super) fn not_covered() -> Card {
    let causes = [
        "*214* excluded from CA200 by group CA-Excl-MFA-Rollout (2 administrators), since Mon 16:42 [1]",
        "*118* CA206 accepts “MFA or compliant device” and nothing else applies [2]",
        "*39* in no MFA policy: department is empty, so not in CA-Internals (1 eligible administrator) [3]",
        "*29* guests: SharePoint is excluded from CA400 [4]",
    ];
    Card {
        blocks: vec![
            text(
                Tone::Normal,
                "No policy makes *371 people and 29 guests* use MFA (of 21,180 enabled accounts). In the last 30 days \
                 203 of the 371 signed in without it, 121 always with it, 47 not at all. [5]",
            ),
            Block::Items { ordered: false, items: causes.map(|line| item(line, Vec::new())).into() },
            text(
                Tone::Normal,
                "Apart: 242 service and room accounts, 2 emergency access accounts (by design). 6 of the 371 have \
                 legacy per-user MFA. 33 have no method registered.",
            ),
            text(
                Tone::Subtle,
                "Not counted: 4,117 disabled. Cannot be listed: partner (GDAP) technicians. Read 07:58.",
            ),
        ],
        actions: vec![
            ask("The 203 first", "Who signed in without MFA?"),
            ask("Administrators", "Which administrators are not covered by MFA?"),
            press("Fix: CA-Excl-MFA-Rollout", Verb::Propose, "S-41"),
        ],
        citations: vec![
            cite(1, "214 members of CA-Excl-MFA-Rollout", "excluded from CA200, version 7f31c2"),
            cite(2, "CA206, version 90aa41", "“Require one of the selected controls”"),
            cite(3, "39 users outside CA-Internals", "membership rule read 07:58"),
            cite(4, "CA400, version 11be07", "29 guests, 1 excluded resource"),
            cite(5, "8,412 sign-ins, 25 Oct – 24 Nov", "of the 371 people"),
        ],
        ordered_by_model: true,
        summary: "371 people and 29 guests are not made to use MFA (of 21,180 enabled accounts).".to_owned(),
        ..Card::default()
    }
}

/// "Why was Alice blocked yesterday?"
pub(super) fn why_blocked() -> Card {
    Card {
        blocks: vec![
            text(
                Tone::Normal,
                "*Alice Moreau, 3 blocks* on Mon 23 Nov 09:12–09:14, one cause: her iPad was not compliant. [1]",
            ),
            rows(&[
                ("Policy", "CA205 Require compliant device (On): she is in it through Sales-EMEA → CA-Internals"),
                ("Sign-in", "Outlook on iPad → Exchange Online, Lyon FR, AADSTS53000"),
                ("Device", "AM-iPad: not compliant since 20 Nov (OS too old), Intune as of 07:58, not of 09:12 [2]"),
                ("To get in", "Update iPadOS, then “Check status” in Company Portal"),
            ]),
            text(Tone::Subtle, "Her laptop got in at 09:20 under the same policy. [3] Sign-ins up to 07:40."),
        ],
        actions: vec![
            ask("Text for Alice", "Write a text for Alice Moreau"),
            ask("16 others blocked by CA205", "Who else was blocked by CA205?"),
            open("Open sign-in", "https://entra.microsoft.com/#view/Microsoft_AAD_IAM/SignInEventsV3Blade"),
        ],
        citations: vec![
            cite(1, "3 sign-ins, 23 Nov 09:12–09:14", "blocked (53000)"),
            cite(2, "Device AM-iPad", "read 07:58"),
            cite(3, "1 sign-in, 23 Nov 09:20", "success"),
        ],
        summary: "Alice Moreau: 3 blocks on Mon 23 Nov, her iPad was not compliant.".to_owned(),
        ..Card::default()
    }
}

/// The list of open suggestions.
pub(super) fn suggestions() -> Card {
    let line = |words: &str, subject: &str| item(words, vec![press("Open", Verb::Propose, subject)]);
    Card {
        title: Some("Suggestions".to_owned()),
        subtitle: Some("3 open · 1 snoozed".to_owned()),
        blocks: vec![
            Block::Items {
                ordered: false,
                items: vec![
                    line("*S-34 Block device code flow for all users* · high · 1,204 sign-ins in 30 days [1]", "S-34"),
                    line("*S-41 Clean up CA-Excl-MFA-Rollout* · high · 214 people, 2 administrators [2]", "S-41"),
                    line("*S-38 Merge CA301 and CA302* · low · same users, same resources, same controls [3]", "S-38"),
                ],
            },
            text(Tone::Subtle, "Not suggested because of I-4: device rules for meeting rooms. Read 07:58."),
        ],
        actions: vec![ask("Snoozed (1)", "What is snoozed?"), press("Scan now", Verb::Run, "nordwerk")],
        citations: vec![
            cite(1, "1,204 sign-ins, 25 Oct – 24 Nov", "authentication protocol: device code"),
            cite(2, "214 members", "CA-Excl-MFA-Rollout"),
            cite(3, "2 policies", "CA301, CA302"),
        ],
        summary: "3 open suggestions, 1 snoozed.".to_owned(),
        ..Card::default()
    }
}

/// A scan under way.
pub(super) fn progress() -> Card {
    Card {
        kind: Kind::Progress,
        title: Some("Scanning Nordwerk".to_owned()),
        subtitle: Some("asked by D. Whitfield".to_owned()),
        blocks: vec![
            Block::Bars { bars: vec![bar("Users read", 12_600, 25_297, "page 126")] },
            text(Tone::Subtle, "Policies, groups and named locations are read; sign-ins follow."),
        ],
        actions: vec![press("Cancel", Verb::CancelRun, "run-2026-11-24")],
        summary: "Scanning Nordwerk: 12,600 of 25,297 users read.".to_owned(),
        ..Card::default()
    }
}

/// A refusal with the reason and what can be done instead.
pub(super) fn refusal() -> Card {
    let line = "I can't turn a policy On: everything I create is report-only, and a person turns it On in Entra.";
    Card {
        kind: Kind::Refusal,
        blocks: vec![text(Tone::Normal, line), text(Tone::Normal, "I can show who CA211 would block if it were On.")],
        actions: vec![ask("Who would CA211 block?", "Who would CA211 block if it were On?")],
        summary: line.to_owned(),
        ..Card::default()
    }
}

/// A question back: never guess between two people.
pub(super) fn question() -> Card {
    let choice = |name: &str| ask(name, &format!("Why was {name} blocked yesterday?"));
    Card {
        kind: Kind::Question,
        blocks: vec![text(Tone::Normal, "Two people are called Alice. Which one do you mean?")],
        actions: vec![choice("Alice Moreau (Sales)"), choice("Alice Brandt (Finance)")],
        summary: "Two people are called Alice. Which one do you mean?".to_owned(),
        ..Card::default()
    }
}

/// A standing instruction, echoed and waiting for its confirmation.
pub(super) fn instruction() -> Card {
    Card {
        kind: Kind::Question,
        title: Some("Keep this instruction?".to_owned()),
        blocks: vec![
            rows(&[
                ("Never suggest", "Device-based controls"),
                ("For", "group CA-TeamsRooms (46 accounts) [1]"),
                ("Until", "Mon 30 Nov 2026"),
            ]),
            text(Tone::Subtle, "Suggestions that it silences are listed with its number, I-4."),
        ],
        actions: vec![
            styled("Keep", Verb::KeepInstruction, "I-4", Style::Primary),
            press("Don't keep", Verb::RemoveInstruction, "I-4"),
        ],
        citations: vec![cite(1, "46 members of CA-TeamsRooms", "as read 07:58")],
        summary: "Never suggest device-based controls for CA-TeamsRooms until 30 Nov: keep it?".to_owned(),
        ..Card::default()
    }
}
