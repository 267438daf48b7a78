//! "Why was Alice blocked yesterday?": real sign-ins of the log, by cause, with the policy, the way into it and the device.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::bot::answer::{Answer, Part, ask};
use crate::bot::describe;
use crate::bot::intent::SlotName;
use crate::checks::rows;
use crate::engine::Applies;
use crate::engine::evaluate::demand;
use crate::engine::past::{LIMITS, sign_in_of};
use crate::facts::{Evidence, Fact, Row, Term};
use crate::tenant::policy::PolicyState;
use crate::tenant::{Kind, PastSignIn, Policy, Text, User, how_many};

use super::named::Back;
use super::{Answering, Asked, blocked, codes, meant, named, period, scope, unread};

/// Answers for a person, a correlation id, a code, or for everybody who was blocked.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move { Ok(of(asked).unwrap_or_else(|back| *back)) })
}

fn of(asked: Asked<'_>) -> Result<Answer, Back> {
    let snapshot = asked.analysis.snapshot();
    if let Some(back) = unread::back(asked, &[Kind::SignIns]) {
        return Ok(*back);
    }
    let code = asked.slot(SlotName::ErrorCode).and_then(codes::number);
    if let Some(id) = named::guid(asked.text).filter(|id| snapshot.directory.user(id).is_none()) {
        let rows: Vec<&PastSignIn> = snapshot
            .sign_ins
            .iter()
            .filter(|row| row.correlation_id.eq_ignore_ascii_case(&id) || row.id.eq_ignore_ascii_case(&id))
            .collect();
        let first = rows.first().and_then(|row| snapshot.directory.user(&row.user_id));
        return first.map(|user| explained(asked, user, &rows)).ok_or_else(|| no_id(asked, &id).into());
    }
    let span = span(asked);
    let slots = named::slots(asked, SlotName::User);
    if let Some(which) = blocked::which(asked, named::first(&slots, SlotName::User), span) {
        return Ok(which);
    }
    let Some(user) = named::person(asked, &slots) else {
        return Ok(match code {
            Some(code) => blocked::bare_code(asked, code),
            None => blocked::everybody(asked, span)?,
        });
    };
    let user = user?;
    let all: Vec<&PastSignIn> = snapshot.sign_ins.iter().filter(|row| row.user_id == user.id).collect();
    let wanted = wanted(asked.text, code);
    let fitting = |row: &&&PastSignIn| wanted.fits(row) && span.is_none_or(|(from, to)| from <= row.at && row.at <= to);
    let mut rows: Vec<&PastSignIn> = all.iter().filter(fitting).copied().collect();
    if span.is_none()
        && let Some(newest) = rows.last().map(|row| row.at)
    {
        rows.retain(|row| newest.as_second() - row.at.as_second() < 86_400);
    }
    Ok(match rows.last() {
        None => nothing(asked, user, &all, wanted),
        Some(newest) if asked.text.to_lowercase().contains(blocked::TEXT_FOR) => blocked::text_for(asked, user, newest),
        Some(_) => explained(asked, user, &rows),
    })
}

/// The span that a question names, or the one it goes on with; "since 08:12" is today's.
pub(super) fn span(asked: Asked<'_>) -> Option<(Timestamp, Timestamp)> {
    let zone = &asked.app.config.schedule.zone;
    let clock = asked.slot(SlotName::Time).filter(|_| asked.text.to_lowercase().contains("since"));
    let clock = clock.and_then(|clock| clock.parse::<jiff::civil::Time>().ok());
    let today = asked.now.to_zoned(zone.clone()).date();
    let from = clock.and_then(|time| today.to_datetime(time).to_zoned(zone.clone()).ok());
    let of = |text: &str| period::span(text, asked.now, zone);
    let before = || asked.subject()?.split(", ").filter(|part| meant::is_time(part)).find_map(of);
    from.map(|from| (from.timestamp(), asked.now)).or_else(|| of(asked.text)).or_else(before)
}

/// Which sign-ins a question is about.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wanted {
    /// Those that failed, with this code if one is named.
    Failed(Option<i64>),
    /// Those that got in.
    Succeeded,
}

impl Wanted {
    fn fits(self, row: &PastSignIn) -> bool {
        match self {
            Self::Failed(code) => row.error_code != 0 && code.is_none_or(|code| row.error_code == code),
            Self::Succeeded => row.error_code == 0,
        }
    }
}

fn wanted(text: &str, code: Option<i64>) -> Wanted {
    const GOT_IN: &[&str] = &[
        "got in",
        "get in",
        "made it",
        "let through",
        "let in",
        "allowed",
        "succeed",
        "without a prompt",
        "without mfa",
        "not prompted",
        "not asked",
    ];
    let lower = text.to_lowercase();
    if code.is_none() && GOT_IN.iter().any(|words| lower.contains(words)) {
        Wanted::Succeeded
    } else {
        Wanted::Failed(code)
    }
}

/// The sign-ins by cause, newest cause first.
fn explained(asked: Asked<'_>, user: &User, sign_ins: &[&PastSignIn]) -> Answer {
    let mut causes: BTreeMap<_, Vec<&PastSignIn>> = BTreeMap::new();
    for row in sign_ins {
        causes.entry((row.error_code, row.device_id.as_deref(), failing(row))).or_default().push(row);
    }
    let mut causes: Vec<Vec<&PastSignIn>> = causes.into_values().collect();
    causes.sort_by_key(|rows| std::cmp::Reverse(rows.last().map(|row| row.at)));
    let newest = sign_ins.last().copied();
    let code = newest.map_or(0, |row| row.error_code);
    let alone = codes::of(code).filter(|_| causes.len() == 1);
    let mut answer = Answer::sentences(vec![total(asked, user, sign_ins, (causes.len(), alone))]);
    for rows in causes.iter().take(3) {
        answer = cause(asked, user, (rows, alone.is_none()), answer);
    }
    let after = newest.filter(|_| code != 0).and_then(|row| got_in(asked, user, row));
    let remedy = codes::of(code)
        .map(|code| code.remedy)
        .filter(|remedy| !remedy.is_empty())
        .map(|remedy| Fact::new("explain.remedy", Evidence::default()).with("what", Term::Word(remedy.to_owned())));
    answer = answer.part(Part::Sentences(after.into_iter().chain(remedy).collect()));
    let limits: Vec<String> = LIMITS.iter().map(|limit| (*limit).to_owned()).collect();
    let others = newest.map(|row| blocked::others(asked, user, row)).unwrap_or_default();
    answer
        .part(Part::Limits(unread::limited(asked, limits)))
        .actions(others)
        .action(ask("Their policies", format!("which policies apply to {}?", user.user_principal_name)))
}

/// Whose sign-ins, how many, when; and why, where one cause is behind all of them.
fn total(asked: Asked<'_>, user: &User, sign_ins: &[&PastSignIn], of: (usize, Option<&codes::Code>)) -> Fact {
    let (causes, alone) = of;
    let key = if alone.is_some() { "explain.total_one" } else { "explain.total" };
    let at = |row: Option<&&PastSignIn>| row.map_or(asked.now, |row| row.at);
    let (from, to) = (at(sign_ins.first()), at(sign_ins.last()));
    Fact::new(key, evidence(asked, sign_ins.iter().rev().copied()))
        .with("user", Term::Name(user.display_name.to_string()))
        .with("count", how_many(sign_ins.iter().copied()))
        .with("causes", causes)
        .with("ok", how_many(sign_ins.iter().copied().filter(|row| row.error_code == 0)))
        .with("from", from)
        .with("to", if from == to { Term::Word(String::new()) } else { Term::Time(to) })
        .with("meaning", Term::Word(alone.map_or("", |code| code.meaning).to_owned()))
        .with("code", Term::Word(sign_ins.last().map_or(0, |row| row.error_code).to_string()))
        .with("ours", Term::Word(alone.filter(|code| code.ours).map_or("", |_| "yes").to_owned()))
        .must_show()
}

/// One cause: what happened (unless the total says it), the policy with the way into it, the sign-in, the device.
fn cause(asked: Asked<'_>, user: &User, of: (&[&PastSignIn], bool), answer: Answer) -> Answer {
    let (sign_ins, said) = of;
    let Some(row) = sign_ins.last() else { return answer };
    let first = sign_ins.first().map_or(row.at, |row| row.at);
    let known = codes::of(row.error_code);
    let key = match (row.error_code, known) {
        (0, _) if row.multi_factor => "explain.got_in_mfa",
        (0, _) => "explain.got_in",
        (_, Some(code)) if !code.ours => "explain.not_ours",
        (_, Some(_)) => "explain.blocked",
        (_, None) => "explain.unknown_code",
    };
    let happened = Fact::new(key, evidence(asked, sign_ins.iter().rev().copied()))
        .with("count", how_many(sign_ins.iter().copied()))
        .with("from", first)
        .with("to", row.at)
        .with("code", Term::Word(row.error_code.to_string()))
        .with("meaning", Term::Word(known.map_or("", |code| code.meaning).to_owned()))
        .with("reason", Term::Name(row.failure_reason.clone().unwrap_or_default().to_string()))
        .must_show();
    let mut lines = if said { vec![("What".to_owned(), vec![happened])] } else { Vec::new() };
    let policies = policies_of(asked, user, row);
    if !policies.is_empty() {
        lines.push(("Policy".to_owned(), policies));
    }
    lines.push(("Sign-in".to_owned(), vec![from_where(asked, row)]));
    lines.push(("Device".to_owned(), vec![device(asked, row)]));
    answer.part(Part::Rows(lines))
}

/// Ids of the policies that the log itself says failed.
pub(super) fn failing(row: &PastSignIn) -> Vec<&str> {
    row.applied.iter().filter(|one| one.result == "failure").map(|one| one.id.as_str()).collect()
}

/// For a failure the policies behind it; for a success why each MFA policy didn't ask, or did.
fn policies_of(asked: Asked<'_>, user: &User, row: &PastSignIn) -> Vec<Fact> {
    let snapshot = asked.analysis.snapshot();
    let logged = failing(row);
    if !logged.is_empty() {
        return logged
            .iter()
            .filter_map(|id| snapshot.policy(id))
            .map(|policy| by_policy(asked, user, policy, "explain.policy"))
            .collect();
    }
    if codes::of(row.error_code).is_some_and(|code| !code.ours) {
        return Vec::new();
    }
    let outcome = asked.analysis.model.evaluate(&sign_in_of(snapshot, row));
    let on = outcome.policies.iter().filter(|one| !one.report_only);
    let judged = on.filter_map(|one| Some((snapshot.policy(&one.policy_id)?, &one.applies)));
    let fact = |(policy, applies): (&Policy, &Applies)| match applies {
        Applies::Yes => demand(policy).map(|_| by_policy(asked, user, policy, "explain.applies")),
        Applies::DependsOn(_) | Applies::NotDecided(_) => Some(by_policy(asked, user, policy, "explain.perhaps")),
        Applies::No(_) => {
            let index = snapshot.directory.user_index(&user.id)?;
            scope::way(&policy.conditions.users.include, index, snapshot)?;
            scope::way(&policy.conditions.users.exclude, index, snapshot)?;
            Some(by_policy(asked, user, policy, "explain.excluded"))
        }
    };
    judged.filter_map(fact).collect()
}

/// A policy and how the person is in or out of it.
fn by_policy(asked: Asked<'_>, user: &User, policy: &Policy, key: &str) -> Fact {
    let snapshot = asked.analysis.snapshot();
    let index = snapshot.directory.user_index(&user.id).unwrap_or(u32::MAX);
    let users = &policy.conditions.users;
    let side = if key == "explain.excluded" { &users.exclude } else { &users.include };
    let way = scope::way(side, index, snapshot);
    let changed = policy.modified.filter(|_| policy.state != PolicyState::Disabled);
    Fact::new(key, asked.analysis.evidence(scope::rows(policy, way.as_ref(), index, snapshot)))
        .with("policy", Term::Name(policy.display_name.clone()))
        .with("state", Term::Word(rows::state_word(policy.state).to_owned()))
        .with("asks", Term::Name(scope::asks(policy, snapshot)))
        .with("way", way.map_or_else(|| Term::Word(String::new()), |way| way.term()))
        .with("changed", changed.map_or_else(|| Term::Word(String::new()), Term::Time))
}

fn from_where(asked: Asked<'_>, row: &PastSignIn) -> Fact {
    let place: Vec<&str> = row.city.as_deref().into_iter().chain(row.country.as_deref()).collect();
    Fact::new("explain.sign_in", evidence(asked, [row]))
        .with("app", Term::Name(row.app_name.to_string()))
        .with("resource", Term::Name(row.resource_name.to_string()))
        .with("platform", Term::Word(describe::seen_platform(row.platform).to_owned()))
        .with("client", Term::Name(row.client_app_used.to_string()))
        .with("place", Term::Name(place.join(" ")))
        .with("correlation", Term::Name(row.correlation_id.to_string()))
}

/// The device as logged, and as the directory has it now.
fn device(asked: Asked<'_>, row: &PastSignIn) -> Fact {
    let snapshot = asked.analysis.snapshot();
    let word = |compliant: Option<bool>| match compliant {
        Some(true) => "compliant",
        Some(false) => "not compliant",
        None => "of unknown compliance",
    };
    let known = row.device_id.as_ref().and_then(|id| snapshot.directory.device(id));
    let Some(id) = row.device_id.as_ref().map(Text::to_string) else {
        return Fact::new("explain.no_device", evidence(asked, [row]));
    };
    let name = row
        .device_name
        .as_ref()
        .map(Text::to_string)
        .or_else(|| known.map(|device| device.display_name.clone()))
        .unwrap_or_else(|| id.clone());
    let object = Row::Object {
        what: "Device".into(),
        id,
        name: name.clone(),
        note: word(known.and_then(|device| device.compliant)).into(),
    };
    Fact::new("explain.device", asked.analysis.evidence([object, rows::sign_in(row, snapshot)]))
        .with("device", Term::Name(name))
        .with("then", Term::Word(word(row.compliant).to_owned()))
        .with("now", Term::Word(known.map_or("", |device| word(device.compliant)).to_owned()))
        .with("read", snapshot.read_at)
}

/// The first sign-in after that got in, within a day; under the same policy if the log says that it was met there.
fn got_in(asked: Asked<'_>, user: &User, stopped: &PastSignIn) -> Option<Fact> {
    let snapshot = asked.analysis.snapshot();
    let row = after(asked, user, stopped)?;
    let met = |id: &&str| row.applied.iter().any(|one| one.id == **id && one.result == "success");
    let same = failing(stopped).into_iter().find(|id| met(id)).and_then(|id| snapshot.policy(id));
    let fact = Fact::new("explain.then_in", evidence(asked, [row]))
        .with("at", row.at)
        .with("device", Term::Name(row.device_name.clone().unwrap_or_default().to_string()))
        .with("app", Term::Name(row.app_name.to_string()))
        .with("policy", Term::Name(same.map(|policy| policy.display_name.clone()).unwrap_or_default()));
    Some(fact)
}

/// The first sign-in within a day after this one that got in.
pub(super) fn after<'a>(asked: Asked<'a>, user: &User, stopped: &PastSignIn) -> Option<&'a PastSignIn> {
    let seconds = |row: &PastSignIn| row.at.as_second() - stopped.at.as_second();
    let fits = |row: &&PastSignIn| row.user_id == user.id && row.error_code == 0 && (1..86_400).contains(&seconds(row));
    asked.analysis.snapshot().sign_ins.iter().find(fits)
}

/// Nothing fits: say so, and what there is instead.
fn nothing(asked: Asked<'_>, user: &User, all: &[&PastSignIn], wanted: Wanted) -> Answer {
    let key = if wanted == Wanted::Succeeded { "explain.none_in" } else { "explain.none_blocked" };
    let time = |at: Option<Timestamp>| at.map_or_else(|| Term::Word(String::new()), Term::Time);
    let span = span(asked).map(|span| period::clipped(asked, span));
    let fact = Fact::new(key, evidence(asked, all.iter().rev().copied()))
        .with("from", time(span.map(|(from, _)| from)))
        .with("to", time(span.map(|(_, to)| to)))
        .with("user", Term::Name(user.display_name.to_string()))
        .with("count", all.len())
        .with("failed", all.iter().filter(|row| row.error_code != 0).count())
        .must_show();
    let newest = all.last().map(|row| from_where(asked, row));
    Answer::sentences([fact].into_iter().chain(newest).collect())
        .part(Part::Limits(unread::window(asked)))
        .action(ask("All their failures", format!("why was {} blocked in the last 30 days?", user.user_principal_name)))
}

fn no_id(asked: Asked<'_>, id: &str) -> Answer {
    let fact = Fact::new("explain.no_id", Evidence::default()).with("id", Term::Name(id.to_owned())).must_show();
    Answer::sentences(vec![fact]).part(Part::Limits(unread::window(asked)))
}

pub(super) fn evidence<'a>(asked: Asked<'_>, sign_ins: impl IntoIterator<Item = &'a PastSignIn>) -> Evidence {
    let snapshot = asked.analysis.snapshot();
    asked.analysis.evidence(sign_ins.into_iter().map(|row| rows::sign_in(row, snapshot))).within(snapshot.window)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::bot::answers::testing::{nordwerk, said};
    use crate::bot::intent::Intent;

    async fn about(text: &str) -> String {
        said(&nordwerk(), Intent::ExplainSignIn, text).await
    }

    #[tokio::test]
    async fn one_cause_with_policy_device_and_the_laptop_that_got_in() {
        insta::assert_snapshot!(about("why was Alice Moreau blocked yesterday?").await, @r#"
        Alice Moreau: 3 sign-ins stopped between Mon 23 Nov 09:12 and Mon 23 Nov 09:14, one cause: the device is not compliant (AADSTS53000). [1]
        Policy: CA205 – Require compliant device (On): Require device to be marked as compliant; in it through Sales-EMEA → CA-Internals. [2]
        Sign-in: Outlook on iOS → Exchange Online, Lyon FR (Mobile Apps and Desktop clients) [3]
        Device: AM-iPad: not compliant at the sign-in; not compliant as read Tue 24 Nov 08:00 [4]
        They got in at Mon 23 Nov 09:20 with Outlook from AM-Laptop. [5] To get in: bring the device up to its compliance policy, then "Check status" in Company Portal.
        Not checked: groups, roles and devices are today's, not those at the time of the sign-in and the log has no user risk, no insider risk and no GPS location at the time of the sign-in. The log that was read goes from Sun 25 Oct 08:00 to Tue 24 Nov 08:00. Read Tue 24 Nov 08:00.
        (Text for Alice) (Show CA205) (Their policies)
        [1] 3 sign-ins of Alice Moreau · 3 sign-ins
        [2] CA205 – Require compliant device (On): Require device to be marked as compliant; in it through Sales-EMEA → CA-Internals. · 2 rows
        [3] Outlook on iOS → Exchange Online, Lyon FR (Mobile Apps and Desktop clients) · 1 sign-in
        [4] AM-iPad: not compliant at the sign-in; not compliant as read Tue 24 Nov 08:00 · 2 rows
        [5] They got in at Mon 23 Nov 09:20 with Outlook from AM-Laptop. · 1 sign-in
        "#);
    }

    #[tokio::test]
    async fn a_bare_code_asks_who_and_when() {
        insta::assert_snapshot!(about("AADSTS53000 ???").await, @r"
        AADSTS53000 means that the device is not compliant. The log has it 3 times, from 1 person. [1] Who is it about, and when?
        The log that was read goes from Sun 25 Oct 08:00 to Tue 24 Nov 08:00. Read Tue 24 Nov 08:00.
        (Alice Moreau)
        [1] 3 sign-ins with this code · 3 sign-ins
        ");
    }

    #[tokio::test]
    async fn a_sign_in_that_got_in() {
        insta::assert_snapshot!(about("how did Bob Keller get in without MFA?").await, @r"
        Bob Keller: 1 sign-in, 1 got in, 1 cause. [1]
        What: 1 sign-in got in between Sun 22 Nov 10:00 and Sun 22 Nov 10:00 without MFA. [2]
        Policy: CA200 – Require MFA excludes them through CA-Excl-MFA-Rollout, so it asked for nothing. [3] CA205 – Require compliant device applies today: Require device to be marked as compliant; in it through CA-Internals. [4]
        Sign-in: Outlook → Exchange Online, Lyon FR (Mobile Apps and Desktop clients) [5]
        Device: None that the log knows: not registered, or the client doesn't show it. [6]
        Not checked: groups, roles and devices are today's, not those at the time of the sign-in and the log has no user risk, no insider risk and no GPS location at the time of the sign-in. The log that was read goes from Sun 25 Oct 08:00 to Tue 24 Nov 08:00. Read Tue 24 Nov 08:00.
        (Who was blocked?) (Their policies)
        [1] 1 sign-in of Bob Keller · 1 sign-in
        [2] 1 sign-in got in between Sun 22 Nov 10:00 and Sun 22 Nov 10:00 without MFA. · 1 sign-in
        [3] CA200 – Require MFA excludes them through CA-Excl-MFA-Rollout, so it asked for nothing. · 2 rows
        [4] CA205 – Require compliant device applies today: Require device to be marked as compliant; in it through CA-Internals. · 2 rows
        [5] Outlook → Exchange Online, Lyon FR (Mobile Apps and Desktop clients) · 1 sign-in
        [6] None that the log knows: not registered, or the client doesn't show it. · 1 sign-in
        ");
    }

    #[tokio::test]
    async fn nothing_to_explain_is_said() {
        insta::assert_snapshot!(about("why was Dana Admin blocked?").await, @r"
        No such failed sign-in of Dana Admin is in the log. It holds no sign-in of theirs.
        The log that was read goes from Sun 25 Oct 08:00 to Tue 24 Nov 08:00. Read Tue 24 Nov 08:00.
        (All their failures)
        ");
    }

    #[tokio::test]
    async fn a_named_day_is_that_day() {
        let words = about("who was blocked on 2026-11-23?").await;
        assert!(words.contains("3 sign-ins of 1 person between Mon 23 Nov 00:00 and Tue 24 Nov 00:00"), "{words}");
        let words = about("who was blocked on 22 November?").await;
        assert!(words.starts_with("Conditional Access stopped no sign-in between Sun 22 Nov 00:00"), "{words}");
        let words = about("why was Alice Moreau blocked on Friday?").await;
        assert!(words.contains("is in the log between Fri 20 Nov 00:00 and Sat 21 Nov 00:00"), "{words}");
        let words = about("who was blocked in Q3?").await;
        assert!(words.starts_with("I can't read \"Q3\" as a time"), "{words}");
    }

    #[tokio::test]
    async fn a_log_that_was_not_read_holds_no_answer() {
        let mut tenant = nordwerk();
        tenant["unread"] = json!(["signIns"]);
        let words = said(&tenant, Intent::ExplainSignIn, "why was alice blocked?").await;
        assert!(words.starts_with("Not known: signIns.json was not read."), "{words}");
    }

    #[tokio::test]
    async fn two_that_fit_are_told_apart_by_what_the_log_holds() {
        insta::assert_snapshot!(about("why was alice blocked yesterday?").await, @r#"
        2 people fit "alice". Which of them?
        - Alice Moreau (alice.moreau@nordwerk.example): 3 failed sign-ins in that time [1]
        - Alice Berg (alice.berg@nordwerk.example): no failed sign-in in that time
        The log that was read goes from Sun 25 Oct 08:00 to Tue 24 Nov 08:00. Read Tue 24 Nov 08:00.
        (Alice Moreau) (Alice Berg)
        [1] Alice Moreau (alice.moreau@nordwerk.example): 3 failed sign-ins in that time · 3 sign-ins
        "#);
    }

    #[tokio::test]
    async fn words_for_the_person() {
        insta::assert_snapshot!(about("text for alice.moreau@nordwerk.example: why was she blocked yesterday?").await, @r#"
        A text that you can send to Alice Moreau: [1]
        Text: Hello Alice,

        your sign-in to Exchange Online with Outlook on iOS was stopped on Monday 23 November at 09:14, because the device is not compliant (AM-iPad).

        What to do: bring the device up to its compliance policy, then "Check status" in Company Portal.

        Your sign-in from AM-Laptop at 09:20 worked, so you can go on there.

        If it happens again, give the service desk this number: c-s-3

        The log that was read goes from Sun 25 Oct 08:00 to Tue 24 Nov 08:00. Read Tue 24 Nov 08:00.
        [1] The sign-in that the text is about · 1 sign-in
        "#);
    }

    #[tokio::test]
    async fn by_one_policy() {
        let words = about("whose sign-ins were blocked by CA205 in the last 7 days?").await;
        assert!(words.starts_with("Conditional Access stopped 3 sign-ins of 1 person"), "{words}");
        let words = about("whose sign-ins were blocked by CA203 in the last 7 days?").await;
        assert!(words.starts_with("Conditional Access stopped no sign-in"), "{words}");
    }

    #[tokio::test]
    async fn everybody_by_policy() {
        insta::assert_snapshot!(about("who was blocked in the last 7 days?").await, @r"
        Conditional Access stopped 3 sign-ins of 1 person between Tue 17 Nov 08:00 and Tue 24 Nov 08:00. [1]
        - 3 sign-ins of 1 person by CA205 – Require compliant device: the device is not compliant (AADSTS53000) [2]
        | Person | Department | Blocks | Last | At
        | Alice Moreau |  | 3 | 23 Nov 09:14 | Exchange Online
        The log that was read goes from Sun 25 Oct 08:00 to Tue 24 Nov 08:00. Read Tue 24 Nov 08:00.
        (CSV (1))
        [1] 3 sign-ins stopped · 3 sign-ins
        [2] 3 sign-ins of 1 person by CA205 – Require compliant device: the device is not compliant (AADSTS53000) · 4 rows
        ");
    }

    #[tokio::test]
    async fn another_way_into_the_policy_is_another_sentence() {
        let mut tenant = nordwerk();
        tenant["groups"][0]["members"] = json!(["u-alice"]);
        let words = said(&tenant, Intent::ExplainSignIn, "why was Alice Moreau blocked yesterday?").await;
        assert!(words.contains("in it through CA-Internals"), "{words}");
    }
}
