//! "Who still uses legacy authentication?": counts from the sign-in log, by whatever the question asks for.

use std::collections::{BTreeMap, BTreeSet};

use crate::bot::answer::{Answer, Part, ask, column, number_column};
use crate::bot::describe;
use crate::bot::intent::SlotName;
use crate::checks::accounts::emergency_access;
use crate::checks::rows;
use crate::facts::{Fact, Term};
use crate::tenant::policy::{ClientAppType, TransferMethod};
use crate::tenant::sign_in::Known;
use crate::tenant::{Kind, PastSignIn, Snapshot, how_many};

use super::named::Back;
use super::{Answering, Asked, blocked, emergency, explain_sign_in, inventory, meant, named, places, stated, unread};

/// Lines of the table; the total stays exact.
const SHOWN: usize = 10;

/// Counts the sign-ins that the question means.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move { Ok(of(asked).unwrap_or_else(|back| *back)) })
}

fn of(asked: Asked<'_>) -> Result<Answer, Back> {
    let snapshot = asked.analysis.snapshot();
    if let Some(answer) = inventory::told(asked) {
        return Ok(answer);
    }
    if let Some(back) = unread::back(asked, &[Kind::SignIns]) {
        return Err(back);
    }
    let emergency = emergency::are_meant(&asked.text.to_lowercase());
    if emergency && emergency_access(snapshot).is_empty() {
        return Err(Box::new(named::missing("exclusions.no_emergency").part(Part::Limits(vec![asked.read_at()]))));
    }
    let filters = filters(asked)?;
    let found: Vec<&PastSignIn> =
        snapshot.sign_ins.iter().filter(|row| filters.iter().all(|filter| (filter.keeps)(row))).collect();
    let what: Vec<String> = filters.iter().map(|filter| filter.words.clone()).collect();
    let log = found.iter().rev().map(|row| rows::sign_in(row, snapshot));
    let succeeded = || found.iter().copied().filter(|row| row.error_code == 0);
    let total = Fact::new("usage.total", asked.analysis.evidence(log).within(snapshot.window))
        .with("what", Term::Names(what))
        .with("count", how_many(found.iter().copied()))
        .with("of", how_many(&snapshot.sign_ins))
        .with("people", people(found.iter().copied()))
        .with("ok", how_many(succeeded()))
        .with("mfa", how_many(succeeded().filter(|row| row.multi_factor)))
        .must_show();
    let by = By::of(asked, filters.iter().any(|filter| filter.one_person));
    let columns = vec![
        column(by.title()),
        number_column("Sign-ins"),
        number_column("People"),
        number_column("Succeeded"),
        number_column("of them without MFA"),
    ];
    let seen = emergency.then(|| emergency::last_seen(asked));
    let opening = is_blocked(asked).into_iter().chain([total]).chain(seen).chain(ignored(asked));
    let answer = Answer::sentences(opening.collect()).table("sign-ins", columns, lines(snapshot, by, &found), SHOWN);
    let limits = unread::limited(asked, limits(asked, by));
    let buttons =
        [("By app", By::App), ("By country", By::Country), ("By client", By::Client), ("By person", By::Person)];
    let again = |label: &str| {
        let text = asked.text.trim_end_matches(['?', '.', ' ']);
        ask(label, format!("{text}, {}", label.to_lowercase()))
    };
    let others = buttons.into_iter().filter(|(_, other)| *other != by).take(3);
    Ok(others.fold(answer.part(Part::Limits(limits)), |answer, (label, _)| answer.action(again(label))))
}

fn people<'a>(rows: impl Iterator<Item = &'a PastSignIn>) -> usize {
    rows.map(|row| row.user_id.as_str()).collect::<BTreeSet<_>>().len()
}

/// Whether policies block what the question asks the use of, where it asks that too.
fn is_blocked(asked: Asked<'_>) -> Option<Fact> {
    let text = format!("{} {}", asked.words(), asked.subject().unwrap_or_default().to_lowercase());
    let check = match meant::check(&text)? {
        check @ ("device-code-flow" | "legacy-authentication") if text.contains("block") => check,
        _ => return None,
    };
    let finding = asked.analysis.findings.iter().find(|finding| finding.check == check)?;
    finding.facts.first().cloned().map(Fact::must_show)
}

/// Conditions of the question that the rows can't be held against: said, for a wider count would look like the answer.
fn ignored(asked: Asked<'_>) -> Option<Fact> {
    let unknown = |name: &&str| places::countries(name).is_none();
    let place = asked.slot(SlotName::Location).filter(unknown);
    let rest = [SlotName::Risk, SlotName::Policy, SlotName::ErrorCode].into_iter().filter_map(|name| asked.slot(name));
    let what: Vec<String> = place.into_iter().chain(rest).map(str::to_owned).collect();
    let fact = || Fact::new("usage.ignored", asked.analysis.evidence([])).with("what", Term::Names(what.clone()));
    (!what.is_empty()).then(|| fact().must_show())
}

/// What the log can't say about the question.
fn limits(asked: Asked<'_>, by: By) -> Vec<String> {
    let text = asked.text.to_lowercase();
    let mut all = Vec::new();
    if text.contains("ropc") {
        all.push("ROPC: the rows that were read don't say which of them used it".to_owned());
    }
    if by == By::Factor {
        all.push(
            "which second factor was used: the rows say only whether MFA was done or already satisfied".to_owned(),
        );
    }
    all.push("sign-ins that are older than the log".to_owned());
    all
}

/// A condition on rows, in words.
struct Filter<'a> {
    words: String,
    keeps: Box<dyn Fn(&PastSignIn) -> bool + 'a>,
    one_person: bool,
}

fn filter<'a>(words: impl Into<String>, keeps: impl Fn(&PastSignIn) -> bool + 'a) -> Filter<'a> {
    Filter { words: words.into(), keeps: Box::new(keeps), one_person: false }
}

fn filters(asked: Asked<'_>) -> Result<Vec<Filter<'_>>, Back> {
    let snapshot = asked.analysis.snapshot();
    let slots = &asked.routed.slots;
    let mut all = Vec::new();
    if let Some(user) = named::first(slots, SlotName::User) {
        let user = named::user(asked, user)?;
        let keeps = |row: &PastSignIn| row.user_id == user.id;
        all.push(Filter { one_person: true, ..filter(format!("by {}", user.display_name), keeps) });
    }
    if emergency::are_meant(&asked.text.to_lowercase()) {
        let accounts = emergency_access(snapshot);
        let within = move |row: &PastSignIn| {
            snapshot.directory.user_index(&row.user_id).is_some_and(|index| accounts.contains(index))
        };
        all.push(filter("of emergency access accounts", within));
    } else if let Some(name) = named::first(slots, SlotName::Group) {
        let class = named::class(asked, name)?;
        let within = move |row: &PastSignIn| {
            snapshot.directory.user_index(&row.user_id).is_some_and(|index| class.users.contains(index))
        };
        all.push(filter(format!("of {name}"), within));
    }
    if let Some(name) = named::first(slots, SlotName::App) {
        let id = stated::app_id(asked, name)?;
        let app = crate::checks::cause_words::app_name(snapshot, &id);
        all.push(filter(format!("to {app}"), move |row| {
            row.app_id == id || row.resource_ids.iter().any(|resource| *resource == id)
        }));
    }
    let about = format!("{} {}", asked.text, asked.subject().unwrap_or_default()).to_lowercase();
    all.extend(client(&about));
    if let Some(platform) = named::first(slots, SlotName::Platform).and_then(stated::platform) {
        all.push(filter(format!("on {}", describe::platform_word(platform)), move |row| {
            row.platform == Known::Is(platform)
        }));
    }
    let text = asked.text.to_lowercase();
    all.extend(named::first(slots, SlotName::Location).and_then(|place| from(place, &text)));
    if ["unmanaged", "unregistered", "personal device"].iter().any(|word| text.contains(word)) {
        let unmanaged = |row: &PastSignIn| row.compliant != Some(true) && row.trust_type.as_deref() != Some("ServerAD");
        all.push(filter("from devices neither compliant nor hybrid joined", unmanaged));
    }
    let compliance = if ["not compliant", "non-compliant", "noncompliant"].iter().any(|word| text.contains(word)) {
        Some((false, "from devices that are not compliant"))
    } else {
        text.contains("compliant").then_some((true, "from compliant devices"))
    };
    if let Some((compliant, words)) = compliance {
        all.push(filter(words, move |row| row.compliant == Some(compliant)));
    }
    if ["single factor", "single-factor", "without mfa", "password only", "no mfa"]
        .iter()
        .any(|word| text.contains(word))
    {
        all.push(filter("that got in without MFA", |row| row.error_code == 0 && !row.multi_factor));
    }
    all.extend(ending(asked));
    if let Some((from, to)) = explain_sign_in::span(asked) {
        all.push(filter("in the time asked about", move |row| from <= row.at && row.at <= to));
    }
    Ok(all)
}

/// How they ended, where only those are asked about; whether policies block the use of something is another question.
fn ending(asked: Asked<'_>) -> Option<Filter<'_>> {
    let text = asked.words();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if is_blocked(asked).is_some() {
        None
    } else if has(&["blocked", "stopped"]) {
        Some(filter("stopped by Conditional Access", blocked::is_stopped))
    } else {
        has(&["failed", "failing", "failures", "unsuccessful"]).then(|| filter("failed", |row| row.error_code != 0))
    }
}

/// Sign-ins from a place, or from anywhere else. Where a row has no country, neither is known.
fn from<'a>(place: &str, text: &str) -> Option<Filter<'a>> {
    let codes = places::countries(place)?;
    let name = match codes.as_slice() {
        [one] => places::name(one),
        _ => place.to_owned(),
    };
    let small = place.to_lowercase();
    let leads = ["outside ", "outside of ", "outside the ", "not from ", "other than ", "except "];
    let away = leads.iter().any(|lead| text.contains(&format!("{lead}{small}")));
    let words = if away { format!("from a country other than {name}") } else { format!("from {name}") };
    Some(filter(words, move |row| row.country.as_deref().is_some_and(|code| codes.contains(&code) != away)))
}

/// The protocol or flow that the words mean.
fn client<'a>(about: &str) -> Option<Filter<'a>> {
    const PROTOCOLS: &[(&str, &str)] = &[
        ("imap", "IMAP"),
        ("pop3", "POP"),
        ("smtp", "SMTP"),
        ("activesync", "ActiveSync"),
        ("mapi", "MAPI"),
        ("ews", "Exchange Web Services"),
    ];
    if about.contains("device code") || about.contains("device-code") {
        return Some(filter("by device code flow", |row| row.flow == Some(TransferMethod::DeviceCodeFlow)));
    }
    if about.contains("authentication transfer") {
        return Some(filter("by authentication transfer", |row| {
            row.flow == Some(TransferMethod::AuthenticationTransfer)
        }));
    }
    let word = |wanted: &str| about.split(|c: char| !c.is_alphanumeric()).any(|word| word.starts_with(wanted));
    if let Some((_, name)) = PROTOCOLS.iter().find(|(name, _)| word(name)) {
        let wanted = name.to_lowercase();
        return Some(filter(format!("by {name}"), move |row| row.client_app_used.to_lowercase().contains(&wanted)));
    }
    let legacy = |row: &PastSignIn| {
        matches!(
            row.client_app,
            Some(ClientAppType::Other | ClientAppType::ExchangeActiveSync | ClientAppType::EasSupported)
        )
    };
    let meant = ["legacy", "basic auth", "pop ", "old protocol"].iter().any(|words| about.contains(words));
    meant.then(|| filter("by legacy authentication clients", legacy))
}

/// What the table counts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Person,
    App,
    Client,
    Country,
    Platform,
    Department,
    Factor,
    Day,
}

impl By {
    /// What the question asks for; people, unless one person is meant.
    fn of(asked: Asked<'_>, one_person: bool) -> Self {
        const WORDS: &[(By, &[&str])] = &[
            (By::Department, &["department", "team"]),
            (By::Country, &["countr", "location", "where from", "from where", "abroad"]),
            (By::Factor, &["second factor", "passwordless", "sms", "method", "mfa share", "share of mfa"]),
            (By::Day, &["per day", "by day", "daily", "each day"]),
            (By::Platform, &["platform", "operating system", "which devices"]),
            (By::App, &["by app", "which app", "what app", "per app"]),
            (By::Client, &["by client", "protocol", "client app"]),
        ];
        let text = asked.text.to_lowercase();
        let meant = WORDS.iter().find(|(_, words)| words.iter().any(|word| text.contains(word)));
        meant.map_or(if one_person { By::App } else { By::Person }, |(by, _)| *by)
    }

    fn title(self) -> &'static str {
        match self {
            Self::Person => "Person",
            Self::App => "App",
            Self::Client => "Client",
            Self::Country => "Country",
            Self::Platform => "Platform",
            Self::Department => "Department",
            Self::Factor => "Authentication",
            Self::Day => "Day (UTC)",
        }
    }

    fn key(self, row: &PastSignIn, snapshot: &Snapshot) -> String {
        let user = || snapshot.directory.user(&row.user_id);
        let or = |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
        match self {
            Self::Person => user().map_or_else(|| row.user_id.to_string(), |user| user.display_name.to_string()),
            Self::App => or(&row.resource_name, "not named"),
            Self::Client => or(&row.client_app_used, "not known"),
            Self::Country => or(row.country.as_deref().unwrap_or_default(), "not known"),
            Self::Platform => or(describe::seen_platform(row.platform), "not known"),
            Self::Department => or(user().and_then(|user| user.department.as_deref()).unwrap_or_default(), "none"),
            Self::Factor => if row.multi_factor { "MFA" } else { "single factor" }.to_owned(),
            Self::Day => row.at.strftime("%Y-%m-%d").to_string(),
        }
    }
}

/// A line for each person, app or whatever is counted by, most sign-ins first.
fn lines(snapshot: &Snapshot, by: By, found: &[&PastSignIn]) -> Vec<Vec<String>> {
    let mut groups: BTreeMap<(String, &str), Vec<&PastSignIn>> = BTreeMap::new();
    for row in found {
        // Namesakes are two people.
        let id = if by == By::Person { row.user_id.as_str() } else { "" };
        groups.entry((by.key(row, snapshot), id)).or_default().push(row);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    let all = |rows: &[&PastSignIn]| how_many(rows.iter().copied());
    groups.sort_by_key(|(_, rows)| std::cmp::Reverse(all(rows)));
    let line = |((key, _), rows): &((String, &str), Vec<&PastSignIn>)| {
        let succeeded = || rows.iter().copied().filter(|row| row.error_code == 0);
        let single = how_many(succeeded().filter(|row| !row.multi_factor));
        let people = u64::try_from(people(rows.iter().copied())).unwrap_or(u64::MAX);
        let numbers = [all(rows), people, how_many(succeeded()), single];
        [key.clone()].into_iter().chain(numbers.iter().map(ToString::to_string)).collect()
    };
    groups.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::bot::answers::testing::{nordwerk, said, said_after};
    use crate::bot::intent::Intent;

    #[tokio::test]
    async fn how_they_ended_is_not_left_out() {
        let of = async |text: &str| said(&nordwerk(), Intent::SignInUsage, text).await;
        let failed = of("how many sign-ins failed?").await;
        assert!(failed.starts_with("4 of 8 sign-ins in the log are failed: 2 accounts, none succeeded."), "{failed}");
        let blocked = of("who had most blocked sign-ins?").await;
        assert!(blocked.starts_with("3 of 8 sign-ins in the log are stopped by Conditional Access"), "{blocked}");
        let after = said_after(&nordwerk(), Intent::SignInUsage, "device code", "and blocked?").await;
        assert!(after.starts_with("Device code flow is not blocked"), "{after}");
    }

    #[tokio::test]
    async fn legacy_clients_by_person() {
        insta::assert_snapshot!(said(&nordwerk(), Intent::SignInUsage, "who still uses legacy auth?").await, @r"
        2 of 8 sign-ins in the log are by legacy authentication clients: 1 account, 2 succeeded, none of those with MFA. [1]
        | Person | Sign-ins | People | Succeeded | of them without MFA
        | svc-backup | 2 | 1 | 2 | 2
        Not checked: sign-ins that are older than the log. The log that was read goes from Sun 25 Oct 08:00 to Tue 24 Nov 08:00. Read Tue 24 Nov 08:00.
        (CSV (1)) (By app) (By country) (By client)
        [1] 2 sign-ins of 1 account · 2 sign-ins
        ");
    }

    #[tokio::test]
    async fn emergency_access_accounts_are_looked_at_alone() {
        let text = "was a break glass account used?";
        let mut tenant = nordwerk();
        let words = said(&tenant, Intent::SignInUsage, text).await;
        assert!(words.starts_with("None of 8 sign-ins in the log is of emergency access accounts."), "{words}");
        assert!(words.contains("accounts are Emergency 1. No sign-in of theirs was read"), "{words}");
        tenant["signIns"][0]["userId"] = json!("u-bg1");
        let words = said(&tenant, Intent::SignInUsage, text).await;
        assert!(words.starts_with("1 of 8 sign-ins in the log are of emergency access accounts"), "{words}");
        assert!(words.contains("Their last sign-in that was read was on "), "{words}");
        tenant["settings"] = json!({"emergencyAccess": []});
        let words = said(&tenant, Intent::SignInUsage, text).await;
        assert!(words.starts_with("No emergency access accounts are configured"), "{words}");
    }

    #[tokio::test]
    async fn one_person_by_app() {
        insta::assert_snapshot!(said(&nordwerk(), Intent::SignInUsage, "what does Alice Moreau use?").await, @r"
        4 of 8 sign-ins in the log are by Alice Moreau: 1 account, 1 succeeded, 1 of those with MFA. [1]
        | App | Sign-ins | People | Succeeded | of them without MFA
        | Exchange Online | 4 | 1 | 1 | 0
        Not checked: sign-ins that are older than the log. The log that was read goes from Sun 25 Oct 08:00 to Tue 24 Nov 08:00. Read Tue 24 Nov 08:00.
        (CSV (1)) (By country) (By client) (By person)
        [1] 4 sign-ins of 1 account · 4 sign-ins
        ");
    }

    #[tokio::test]
    async fn a_follow_up_keeps_the_protocol() {
        let words = said_after(&nordwerk(), Intent::SignInUsage, "IMAP", "biggest offender?").await;
        assert!(words.contains("| svc-backup | 2 | 1 | 2 | 2"), "{words}");
    }

    #[tokio::test]
    async fn a_condition_is_kept_or_named() {
        let about = |text: &'static str| async move { said(&nordwerk(), Intent::SignInUsage, text).await };
        let words = about("does anyone sign in without MFA from outside the EU?").await;
        assert!(words.starts_with("None of 8 sign-ins in the log is from a country other than EU"), "{words}");
        let words = about("who signs in from France?").await;
        assert!(words.starts_with("8 of 8 sign-ins in the log are from France"), "{words}");
        let words = about("who signs in from Asia at high risk?").await;
        assert!(words.contains("Not taken into account: Asia and high."), "{words}");
        let words = about("sign-ins on 20 November?").await;
        assert!(words.starts_with("1 of 8 sign-ins"), "{words}");
        let words = about("is device code flow blocked and who uses it?").await;
        assert!(words.contains("block") && words.contains("| Bob Keller | 1"), "{words}");
    }

    #[tokio::test]
    async fn half_a_log_is_said_to_be_half_a_log() {
        let mut half = nordwerk();
        half["signIns"].as_array_mut().unwrap().iter_mut().for_each(|row| row["isInteractive"] = json!(true));
        let lacks = "non-interactive sign-ins: the log that was read holds none";
        for (intent, text) in [
            (Intent::SignInUsage, "who still uses legacy auth?"),
            (Intent::ExplainSignIn, "why was Alice blocked yesterday?"),
            (Intent::Impact, "what would CA211 do if it were On?"),
            (Intent::PostureSummary, "how do we look today?"),
        ] {
            let (of_half, of_whole) = (said(&half, intent, text).await, said(&nordwerk(), intent, text).await);
            assert!(of_half.contains(lacks), "{of_half}");
            assert!(!of_whole.contains(lacks), "{of_whole}");
        }
        let mut none = nordwerk();
        none["signIns"] = json!([]);
        let said = said(&none, Intent::Impact, "what would CA211 do if it were On?").await;
        assert!(said.contains("Not known: the log that was read holds no sign-in."), "{said}");
        assert!(!said.contains("blocked or prompted nobody"), "{said}");
    }

    /// A workspace folds equal sign-ins of a day into one row, which stands for all of them wherever sign-ins are counted.
    #[tokio::test]
    async fn a_row_that_stands_for_three_sign_ins_counts_as_three() {
        let rows = nordwerk()["signIns"].as_array().unwrap().clone();
        let (mut folded, mut one_by_one) = (nordwerk(), nordwerk());
        let three = |row: &serde_json::Value| {
            let copy = |number| {
                let mut copy = row.clone();
                copy["id"] = json!(format!("{}-{number}", row["id"].as_str().unwrap()));
                copy
            };
            [1, 2, 3].map(copy)
        };
        one_by_one["signIns"] = rows.iter().flat_map(three).collect();
        folded["signIns"].as_array_mut().unwrap().iter_mut().for_each(|row| row["signIns"] = json!(3));
        for (intent, text) in [
            (Intent::SignInUsage, "who still uses legacy auth?"),
            (Intent::SignInUsage, "what does Alice Moreau use?"),
            (Intent::ExplainSignIn, "why was Alice blocked yesterday?"),
            (Intent::ExplainSignIn, "who was blocked in the last 7 days?"),
            (Intent::ExplainSignIn, "what does AADSTS53000 mean?"),
            (Intent::AppPolicies, "what protects Exchange Online?"),
            (Intent::Exclusions, "are the break-glass accounts excluded?"),
            (Intent::PostureSummary, "how do we look today?"),
        ] {
            let words = async |tenant: &serde_json::Value| {
                let said = said(tenant, intent, text).await;
                // Rows of evidence are what they are.
                said.lines().filter(|line| !line.starts_with('[')).map(str::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(words(&folded).await, words(&one_by_one).await, "{text}");
        }
        let legacy = said(&folded, Intent::SignInUsage, "who still uses legacy auth?").await;
        assert!(legacy.starts_with("6 of 24 sign-ins"), "{legacy}");
    }

    #[tokio::test]
    async fn a_row_less_is_another_number() {
        let mut tenant = nordwerk();
        tenant["signIns"].as_array_mut().unwrap().retain(|row| row["id"] != json!("s-5"));
        let words = said(&tenant, Intent::SignInUsage, "who still uses IMAP?").await;
        assert!(words.starts_with("1 of 7 sign-ins"), "{words}");
    }
}
