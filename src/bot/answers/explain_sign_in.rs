//! "Why was Alice blocked yesterday?": real sign-ins of the log, by cause, with the policy, the way into it and the device.

use std::collections::{BTreeMap, BTreeSet};

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
use crate::tenant::{PastSignIn, Policy, Text, User};

use super::named::Back;
use super::{Answering, Asked, codes, named, period, scope};

/// Answers for a person, a correlation id, a code, or for everybody who was blocked.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move { Ok(of(asked).unwrap_or_else(|back| *back)) })
}

fn of(asked: Asked<'_>) -> Result<Answer, Back> {
    let snapshot = asked.analysis.snapshot();
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
    let Some(user) = named::person(asked, &slots) else {
        return Ok(match code {
            Some(code) => bare_code(asked, code),
            None => everybody(asked, span),
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
    if rows.is_empty() { Ok(nothing(asked, user, &all, wanted)) } else { Ok(explained(asked, user, &rows)) }
}

/// The span that a question names; "since 08:12" is today's.
pub(super) fn span(asked: Asked<'_>) -> Option<(Timestamp, Timestamp)> {
    let zone = &asked.app.config.schedule.zone;
    let clock = asked.slot(SlotName::Time).filter(|_| asked.text.to_lowercase().contains("since"));
    let clock = clock.and_then(|clock| clock.parse::<jiff::civil::Time>().ok());
    let today = asked.now.to_zoned(zone.clone()).date();
    let from = clock.and_then(|time| today.to_datetime(time).to_zoned(zone.clone()).ok());
    from.map(|from| (from.timestamp(), asked.now)).or_else(|| period::span(asked.text, asked.now, zone))
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
    let total = Fact::new("explain.total", evidence(asked, sign_ins.iter().rev().copied()))
        .with("user", Term::Name(user.display_name.to_string()))
        .with("count", sign_ins.len())
        .with("causes", causes.len())
        .with("ok", sign_ins.iter().filter(|row| row.error_code == 0).count())
        .must_show();
    let mut answer = Answer::sentences(vec![total]);
    for rows in causes.iter().take(3) {
        answer = cause(asked, user, rows, answer);
    }
    let code = sign_ins.last().map_or(0, |row| row.error_code);
    let newest = sign_ins.last().map_or(asked.now, |row| row.at);
    if let Some(after) = got_in(asked, user, newest).filter(|_| code != 0) {
        answer = answer.part(Part::Sentences(vec![after]));
    }
    let remedy = codes::of(code).map(|code| code.remedy).filter(|remedy| !remedy.is_empty());
    if let Some(remedy) = remedy {
        let fact = Fact::new("explain.remedy", Evidence::default()).with("what", Term::Word(remedy.to_owned()));
        answer = answer.part(Part::Sentences(vec![fact]));
    }
    let limits: Vec<String> = LIMITS.iter().map(|limit| (*limit).to_owned()).collect();
    answer
        .part(Part::Limits(asked.not_checked(&limits).into_iter().chain(window(asked)).collect()))
        .action(ask("Their policies", format!("which policies apply to {}?", user.user_principal_name)))
        .action(ask("Who else was blocked?", "who was blocked in the last 7 days?"))
}

/// One cause: what happened, the policy with the way into it, the sign-in, the device.
fn cause(asked: Asked<'_>, user: &User, sign_ins: &[&PastSignIn], answer: Answer) -> Answer {
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
        .with("count", sign_ins.len())
        .with("from", first)
        .with("to", row.at)
        .with("code", Term::Word(row.error_code.to_string()))
        .with("meaning", Term::Word(known.map_or("", |code| code.meaning).to_owned()))
        .with("reason", Term::Name(row.failure_reason.clone().unwrap_or_default().to_string()))
        .must_show();
    let mut lines = vec![("What".to_owned(), vec![happened])];
    let policies = policies_of(asked, user, row);
    if !policies.is_empty() {
        lines.push(("Policy".to_owned(), policies));
    }
    lines.push(("Sign-in".to_owned(), vec![from_where(asked, row)]));
    lines.push(("Device".to_owned(), vec![device(asked, row)]));
    answer.part(Part::Rows(lines))
}

/// Ids of the policies that the log itself says failed.
fn failing(row: &PastSignIn) -> Vec<&str> {
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
        .with("platform", Term::Word(row.platform.map_or("", describe::platform_word).to_owned()))
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
    let known = row.device_id.as_ref().and_then(|id| snapshot.directory.devices.get(id.as_str()));
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

/// The first sign-in after that got in, within a day.
fn got_in(asked: Asked<'_>, user: &User, after: Timestamp) -> Option<Fact> {
    let snapshot = asked.analysis.snapshot();
    let row = snapshot.sign_ins.iter().find(|row| {
        row.user_id == user.id
            && row.error_code == 0
            && row.at > after
            && row.at.as_second() - after.as_second() < 86_400
    })?;
    let device = row.device_name.clone().unwrap_or_default().to_string();
    Some(
        Fact::new("explain.then_in", evidence(asked, [row]))
            .with("at", row.at)
            .with("device", Term::Name(device))
            .with("app", Term::Name(row.app_name.to_string())),
    )
}

/// Nothing fits: say so, and what there is instead.
fn nothing(asked: Asked<'_>, user: &User, all: &[&PastSignIn], wanted: Wanted) -> Answer {
    let key = if wanted == Wanted::Succeeded { "explain.none_in" } else { "explain.none_blocked" };
    let fact = Fact::new(key, evidence(asked, all.iter().rev().copied()))
        .with("user", Term::Name(user.display_name.to_string()))
        .with("count", all.len())
        .with("failed", all.iter().filter(|row| row.error_code != 0).count())
        .must_show();
    let newest = all.last().map(|row| from_where(asked, row));
    Answer::sentences([fact].into_iter().chain(newest).collect())
        .part(Part::Limits(window(asked)))
        .action(ask("All their failures", format!("why was {} blocked in the last 30 days?", user.user_principal_name)))
}

fn no_id(asked: Asked<'_>, id: &str) -> Answer {
    let fact = Fact::new("explain.no_id", Evidence::default()).with("id", Term::Name(id.to_owned())).must_show();
    Answer::sentences(vec![fact]).part(Part::Limits(window(asked)))
}

/// A code alone: what it means, how often it came, and the question whom it concerns.
fn bare_code(asked: Asked<'_>, code: i64) -> Answer {
    let snapshot = asked.analysis.snapshot();
    let rows: Vec<&PastSignIn> = snapshot.sign_ins.iter().filter(|row| row.error_code == code).collect();
    let people: BTreeSet<&str> = rows.iter().map(|row| row.user_id.as_str()).collect();
    let known = codes::of(code);
    let meaning = Fact::new(if known.is_some() { "explain.code" } else { "explain.code_unknown" }, Evidence::default())
        .with("code", Term::Word(code.to_string()))
        .with("meaning", Term::Word(known.map_or("", |code| code.meaning).to_owned()))
        .with("ours", Term::Word(known.filter(|code| code.ours).map_or("", |_| "yes").to_owned()))
        .must_show();
    let count = Fact::new("explain.code_count", evidence(asked, rows.iter().rev().copied()))
        .with("count", rows.len())
        .with("people", people.len())
        .must_show();
    let who = Fact::new("explain.who", Evidence::default()).must_show();
    let mut latest: Vec<&User> = Vec::new();
    for user in rows.iter().rev().filter_map(|row| snapshot.directory.user(&row.user_id)) {
        if !latest.iter().any(|known| known.id == user.id) && latest.len() < 5 {
            latest.push(user);
        }
    }
    let answer = Answer { kind: crate::chat::card::Kind::Question, ..Answer::sentences(vec![meaning, count, who]) };
    let answer = answer.part(Part::Limits(window(asked)));
    latest.iter().fold(answer, |answer, user| {
        answer.action(ask(&user.display_name, format!("AADSTS{code} for {}, why?", user.user_principal_name)))
    })
}

/// Nobody is named: who was blocked, by which policy.
fn everybody(asked: Asked<'_>, span: Option<(Timestamp, Timestamp)>) -> Answer {
    let snapshot = asked.analysis.snapshot();
    let day = asked.now.checked_sub(jiff::Span::new().hours(24)).unwrap_or(asked.now);
    let (from, to) = span.unwrap_or((day, asked.now));
    let blocked: Vec<&PastSignIn> = snapshot
        .sign_ins
        .iter()
        .filter(|row| {
            row.conditional_access == "failure"
                && !row.first_factor_failed()
                && row.error_code != 0
                && from <= row.at
                && row.at <= to
        })
        .collect();
    let people = |rows: &[&PastSignIn]| rows.iter().map(|row| row.user_id.as_str()).collect::<BTreeSet<_>>().len();
    let mut by: BTreeMap<(Vec<&str>, i64), Vec<&PastSignIn>> = BTreeMap::new();
    for row in &blocked {
        by.entry((failing(row), row.error_code)).or_default().push(row);
    }
    let mut groups: Vec<_> = by.into_iter().collect();
    groups.sort_by_key(|(_, rows)| std::cmp::Reverse(rows.len()));
    let total = Fact::new("explain.everybody", evidence(asked, blocked.iter().rev().copied()))
        .with("count", blocked.len())
        .with("people", people(&blocked))
        .with("from", from)
        .with("to", to)
        .must_show();
    let item = |((policies, code), rows): &((Vec<&str>, i64), Vec<&PastSignIn>)| {
        let named: Vec<&Policy> = policies.iter().filter_map(|id| snapshot.policy(id)).collect();
        let log = rows.iter().rev().map(|row| rows::sign_in(row, snapshot));
        let evidence = asked.analysis.evidence(named.iter().map(|policy| rows::policy(policy)).chain(log));
        let fact = Fact::new("explain.group", evidence.within(snapshot.window))
            .with("count", rows.len())
            .with("people", people(rows))
            .with("policies", Term::Names(named.iter().map(|policy| policy.display_name.clone()).collect()))
            .with("code", Term::Word(code.to_string()))
            .with("meaning", Term::Word(codes::of(*code).map_or("", |code| code.meaning).to_owned()));
        (fact, Vec::new())
    };
    Answer::sentences(vec![total])
        .part(Part::List { ordered: false, items: groups.iter().map(item).collect() })
        .part(Part::Limits(window(asked)))
}

/// The window of the log and the time of reading.
pub(super) fn window(asked: Asked<'_>) -> Vec<Fact> {
    let window = asked.analysis.snapshot().window.map(|(from, to)| {
        Fact::new("common.window", Evidence::default()).with("from", from).with("to", to).must_show()
    });
    window.into_iter().chain([asked.read_at()]).collect()
}

fn evidence<'a>(asked: Asked<'_>, sign_ins: impl IntoIterator<Item = &'a PastSignIn>) -> Evidence {
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
        Alice Moreau: 3 sign-ins, 1 cause. [1]
        What: 3 sign-ins stopped between Mon 23 Nov 09:12 and Mon 23 Nov 09:14, because the device is not compliant (AADSTS53000). [2]
        Policy: CA205 – Require compliant device (On): Require device to be marked as compliant; in it through Sales-EMEA → CA-Internals. [3]
        Sign-in: Outlook on iOS → Exchange Online, Lyon FR (Mobile Apps and Desktop clients) [4]
        Device: AM-iPad: not compliant at the sign-in; not compliant as read Tue 24 Nov 08:00 [5]
        They got in at Mon 23 Nov 09:20 with Outlook from AM-Laptop. [6]
        To get in: bring the device up to its compliance policy, then "Check status" in Company Portal.
        Not checked: groups, roles and devices are today's, not those at the time of the sign-in and the log has no user risk, no insider risk and no GPS location at the time of the sign-in. The log that was read goes from Sun 25 Oct 08:00 to Tue 24 Nov 08:00. Read Tue 24 Nov 08:00.
        (Their policies) (Who else was blocked?)
        [1] 3 sign-ins of Alice Moreau · 3 sign-ins
        [2] 3 sign-ins stopped between Mon 23 Nov 09:12 and Mon 23 Nov 09:14, because the device is not compliant (AADSTS53000). · 3 sign-ins
        [3] CA205 – Require compliant device (On): Require device to be marked as compliant; in it through Sales-EMEA → CA-Internals. · 2 policies
        [4] Outlook on iOS → Exchange Online, Lyon FR (Mobile Apps and Desktop clients) · 1 sign-in
        [5] AM-iPad: not compliant at the sign-in; not compliant as read Tue 24 Nov 08:00 · 2 rows
        [6] They got in at Mon 23 Nov 09:20 with Outlook from AM-Laptop. · 1 sign-in
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
        (Their policies) (Who else was blocked?)
        [1] 1 sign-in of Bob Keller · 1 sign-in
        [2] 1 sign-in got in between Sun 22 Nov 10:00 and Sun 22 Nov 10:00 without MFA. · 1 sign-in
        [3] CA200 – Require MFA excludes them through CA-Excl-MFA-Rollout, so it asked for nothing. · 2 policies
        [4] CA205 – Require compliant device applies today: Require device to be marked as compliant; in it through CA-Internals. · 2 policies
        [5] Outlook → Exchange Online, Lyon FR (Mobile Apps and Desktop clients) · 1 sign-in
        [6] None that the log knows: not registered, or the client doesn't show it. · 1 sign-in
        ");
    }

    #[tokio::test]
    async fn nothing_to_explain_is_said() {
        insta::assert_snapshot!(about("why was Dana Admin blocked?").await, @r"
        No such failed sign-in of Dana Admin is in the log for that time. It holds 0 sign-ins of theirs, 0 failed.
        The log that was read goes from Sun 25 Oct 08:00 to Tue 24 Nov 08:00. Read Tue 24 Nov 08:00.
        (All their failures)
        ");
    }

    #[tokio::test]
    async fn everybody_by_policy() {
        insta::assert_snapshot!(about("who was blocked in the last 7 days?").await, @r"
        Conditional Access stopped 3 sign-ins of 1 person between Tue 17 Nov 08:00 and Tue 24 Nov 08:00. [1]
        - 3 sign-ins of 1 person by CA205 – Require compliant device: the device is not compliant (AADSTS53000) [2]
        The log that was read goes from Sun 25 Oct 08:00 to Tue 24 Nov 08:00. Read Tue 24 Nov 08:00.
        [1] 3 sign-ins stopped · 3 sign-ins
        [2] 3 sign-ins of 1 person by CA205 – Require compliant device: the device is not compliant (AADSTS53000) · 4 policies
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
