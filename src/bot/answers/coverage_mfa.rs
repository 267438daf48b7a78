//! MFA account by account: a policy requires it, a method is registered, sign-ins did use it; and who is left out by what.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use roaring::RoaringBitmap;

use crate::bot::answer::{Answer, Part, ask, column, number_column};
use crate::bot::buttons::open;
use crate::bot::reconcile::{Body, state};
use crate::bot::sheet::Sheet;
use crate::chat::card::Action;
use crate::checks::accounts::{Accounts, days_between};
use crate::checks::cause_words::CauseWords;
use crate::checks::gaps::Gaps;
use crate::checks::{CureAction, Finding, rows};
use crate::engine::{Requirement, Scope};
use crate::facts::{Fact, Style, Term, grouped};
use crate::tenant::{Kind, PastSignIn, User};

use super::Asked;

/// Id of the check that the answer spells out.
pub(super) const CHECK: &str = "mfa-all-users";
/// The question for those who signed in with a password alone.
const FIRST: &str = "which people not covered by MFA signed in without it?";
/// How many people a table names.
const SHOWN: usize = 10;
/// Days without a sign-in after which an account counts as unused.
const UNUSED_DAYS: i64 = 90;

/// Whom no policy makes use MFA everywhere.
pub(super) fn gaps(asked: Asked<'_>) -> Gaps {
    let (model, scope) = (&asked.analysis.model, Scope::default());
    Gaps::of((&model.coverage(&Requirement::Mfa, &scope), &scope), model, asked.now)
}

/// The whole answer: the total, the accounts by kind, the causes with what would settle each, and what isn't counted.
pub(super) async fn everybody(asked: Asked<'_>, finding: &Finding) -> anyhow::Result<Answer> {
    let gaps = gaps(asked);
    let out = gaps.accounts.humans();
    let used = Used::of(asked);
    let (headline, causes) = finding.facts.split_first().map_or((None, &[][..]), |(first, rest)| (Some(first), rest));
    let opening = super::coverage_gaps::opening(asked, finding, headline).into_iter();
    let opening = opening.chain(used.did(asked, &out)).chain(registered(asked, &out));
    let fixes = Fixes::of(asked).await?;
    let items = causes.iter().map(|fact| (fact.clone(), fixes.of_cause(fact).into_iter().collect()));
    let limits = asked.not_checked(&finding.not_checked).into_iter().chain([asked.read_at()]);
    let mut answer = Answer::sentences(opening.collect());
    if asked.analysis.snapshot().has(Kind::Users) {
        answer.parts.push(by_kind(asked, &gaps, &used));
    }
    answer = answer.part(Part::List { ordered: false, items: items.collect() });
    answer = answer.part(Part::Sentences(kinds(asked, &out).into_iter().chain(apart(asked, &gaps)).collect()));
    answer = answer.part(Part::Limits(limits.collect()));
    let first = (&out & &used.without).len();
    if first > 0 {
        let label = if first == 1 { "That one first".to_owned() } else { format!("The {} first", number(first)) };
        answer = answer.action(ask(&label, FIRST));
    }
    answer = answer.action(ask("Admins", "which admins are not covered by MFA?"));
    answer = answer.sheet(sheet(asked, &gaps, &used)?).actions(causes.iter().find_map(|fact| fixes.named(fact)));
    Ok(answer.action(ask("Who is excluded?", "who is excluded from MFA?")))
}

/// Those of them who signed in without it, most sign-ins first.
pub(super) fn first(asked: Asked<'_>) -> Answer {
    let (gaps, used) = (gaps(asked), Used::of(asked));
    let snapshot = asked.analysis.snapshot();
    let out = &gaps.accounts.humans() & &used.without;
    let rows_of = |index: u32| used.single.get(&index).map(Vec::as_slice).unwrap_or_default();
    let mut people: Vec<(u32, &User)> =
        out.iter().filter_map(|index| Some((index, snapshot.directory.user_at(index)?))).collect();
    people.sort_by_key(|(index, user)| (Reverse(rows_of(*index).len()), user.display_name.clone()));
    let zone = &asked.app.config.schedule.zone;
    let line = |(index, user): &(u32, &User)| {
        let last = rows_of(*index).last().map(|row| row.at.to_zoned(zone.clone()).strftime("%-d %b %H:%M").to_string());
        let count = number(rows_of(*index).len() as u64);
        let department = user.department.clone().unwrap_or_default().to_string();
        vec![user.display_name.to_string(), department, count, last.unwrap_or_default()]
    };
    let lines: Vec<Vec<String>> = people.iter().map(line).collect();
    let log = people.iter().filter_map(|(index, _)| rows_of(*index).last());
    let evidence = asked.analysis.evidence(log.map(|row| rows::sign_in(row, snapshot))).within(snapshot.window);
    let total = Fact::new("coverage.first", evidence)
        .with("count", out.len())
        .with("of", gaps.accounts.humans().len())
        .with("days", used.days)
        .must_show();
    let columns = vec![column("Person"), column("Department"), number_column("Sign-ins without MFA"), column("Last")];
    Answer::sentences(vec![total])
        .table("signed-in-without-mfa", columns, lines, SHOWN)
        .part(Part::Limits(super::unread::window(asked)))
        .action(ask("All without MFA", "who is not covered by MFA?"))
}

/// What the log says of the second factor, account by account.
pub(super) struct Used<'a> {
    /// Signed in, and always with MFA.
    pub(super) always: RoaringBitmap,
    /// Signed in at least once without it.
    pub(super) without: RoaringBitmap,
    /// Those sign-ins by account, oldest first.
    single: BTreeMap<u32, Vec<&'a PastSignIn>>,
    /// Days that the log holds.
    days: u64,
}

impl<'a> Used<'a> {
    pub(super) fn of(asked: Asked<'a>) -> Self {
        let snapshot = asked.analysis.snapshot();
        let mut with = RoaringBitmap::new();
        let mut single: BTreeMap<u32, Vec<&PastSignIn>> = BTreeMap::new();
        for row in snapshot.sign_ins.iter().filter(|row| row.error_code == 0) {
            let Some(index) = snapshot.directory.user_index(&row.user_id) else { continue };
            if row.multi_factor {
                with.insert(index);
            } else {
                single.entry(index).or_default().push(row);
            }
        }
        let without: RoaringBitmap = single.keys().copied().collect();
        let days = snapshot.window.map_or(0, |(from, to)| days_between(from, to));
        Self { always: with - &without, without, single, days: u64::try_from(days).unwrap_or_default() }
    }

    /// Of these: signed in without it, always with it, or not at all; the three add up.
    fn did(&self, asked: Asked<'_>, out: &RoaringBitmap) -> Option<Fact> {
        let snapshot = asked.analysis.snapshot();
        if out.is_empty() || !snapshot.has(Kind::SignIns) {
            return None;
        }
        let (without, always) = (out & &self.without, (out & &self.always).len());
        let rows = without.iter().filter_map(|index| self.single.get(&index)).flatten();
        let mut rows: Vec<&&PastSignIn> = rows.collect();
        rows.sort_by_key(|row| Reverse(row.at));
        let evidence = asked.analysis.evidence(rows.iter().map(|row| rows::sign_in(row, snapshot)));
        let fact = Fact::new("coverage.did", evidence.within(snapshot.window))
            .with("days", self.days)
            .with("of", out.len())
            .with("without", without.len())
            .with("always", always)
            .with("none", out.len() - without.len() - always);
        Some(fact.must_show())
    }
}

/// Accounts with a method that can do MFA.
pub(super) fn capable(asked: Asked<'_>, accounts: &RoaringBitmap) -> RoaringBitmap {
    let directory = &asked.analysis.snapshot().directory;
    let registered = |index: &u32| {
        let user = directory.user_at(*index);
        user.and_then(|user| directory.registrations.get(&user.id)).is_some_and(|one| one.mfa_capable)
    };
    accounts.iter().filter(registered).collect()
}

/// Of those not covered: without any method registered.
fn registered(asked: Asked<'_>, out: &RoaringBitmap) -> Option<Fact> {
    let snapshot = asked.analysis.snapshot();
    if out.is_empty() || !snapshot.has(Kind::UserRegistrationDetails) {
        return None;
    }
    let without = out - capable(asked, out);
    let evidence = asked.analysis.evidence(rows::users(&without, snapshot, None));
    let fact = Fact::new("coverage.registered", evidence).with("count", without.len()).with("of", out.len());
    (!without.is_empty()).then_some(fact)
}

/// A set's kinds of account, which don't overlap and add up to it.
fn parts(accounts: &Accounts) -> [(&'static str, &RoaringBitmap); 5] {
    [
        ("People", &accounts.people),
        ("Guests", &accounts.guests),
        ("Service accounts", &accounts.service),
        ("Rooms", &accounts.rooms),
        ("Emergency access", &accounts.emergency),
    ]
}

/// The table of required, registered and used, by kind of account; its last line is the sum.
fn by_kind(asked: Asked<'_>, gaps: &Gaps, used: &Used<'_>) -> Part {
    let snapshot = asked.analysis.snapshot();
    // What isn't known of an account doesn't make it one of those of whom a policy requires it.
    let open = parts(&gaps.accounts).into_iter().fold(gaps.undecided.clone(), |all, (_, part)| all | part);
    let or_unread = |kind: Kind, count: u64| if snapshot.has(kind) { number(count) } else { "not read".to_owned() };
    let line = |name: &str, all: &RoaringBitmap| {
        vec![
            name.to_owned(),
            number(all.len()),
            number((all - &open).len()),
            or_unread(Kind::UserRegistrationDetails, capable(asked, all).len()),
            or_unread(Kind::SignIns, (all & &used.always).len()),
            or_unread(Kind::SignIns, (all & &used.without).len()),
        ]
    };
    let kinds = parts(&gaps.looked_at);
    let all = kinds.iter().fold(RoaringBitmap::new(), |all, (_, part)| all | *part);
    let mut lines: Vec<Vec<String>> =
        kinds.iter().filter(|(_, part)| !part.is_empty()).map(|(name, part)| line(name, part)).collect();
    lines.push(line("All enabled", &all));
    let titles = ["Required everywhere", "Method registered", "Used it always", "Signed in without"];
    let columns = [column("Accounts"), number_column("Enabled")].into_iter().chain(titles.map(number_column));
    Part::Table { columns: columns.collect(), rows: lines, more: 0 }
}

/// Of those not covered: in use, unused, never seen, invited; the four add up.
fn kinds(asked: Asked<'_>, out: &RoaringBitmap) -> Option<Fact> {
    let snapshot = asked.analysis.snapshot();
    let (mut active, mut unused, mut unseen, mut pending) = (0_u64, 0_u64, 0_u64, 0_u64);
    for user in out.iter().filter_map(|index| snapshot.directory.user_at(index)) {
        let count = match user.last_sign_in {
            _ if user.pending => &mut pending,
            Some(at) if days_between(at, asked.now) < UNUSED_DAYS => &mut active,
            Some(_) => &mut unused,
            None => &mut unseen,
        };
        *count += 1;
    }
    let fact = Fact::new("coverage.kinds", asked.analysis.evidence([]))
        .with("count", out.len())
        .with("active", active)
        .with("unused", unused)
        .with("unseen", unseen)
        .with("pending", pending);
    // Where nobody read when accounts signed in, that none did says nothing.
    (active + unused + pending > 0).then(|| fact.must_show())
}

/// Service accounts, rooms and emergency access accounts among those not covered, and what isn't counted.
fn apart(asked: Asked<'_>, gaps: &Gaps) -> Option<Fact> {
    let snapshot = asked.analysis.snapshot();
    let Accounts { service, rooms, emergency, .. } = &gaps.accounts;
    let names = emergency.iter().filter_map(|index| snapshot.directory.user_at(index));
    let disabled = snapshot.directory.users.iter().filter(|user| !user.enabled).count();
    let all = service | rooms | emergency;
    let fact = Fact::new("coverage.apart", asked.analysis.evidence(rows::users(&all, snapshot, None)))
        .with("service", service.len())
        .with("rooms", rooms.len())
        .with("emergency", emergency.len())
        .with("names", Term::Names(names.map(|user| user.display_name.to_string()).collect()))
        .with("disabled", disabled)
        .must_show();
    (!all.is_empty() || disabled > 0).then_some(fact)
}

/// Everybody of the answer with the cause and the three columns, to take away.
fn sheet(asked: Asked<'_>, gaps: &Gaps, used: &Used<'_>) -> anyhow::Result<Sheet> {
    let snapshot = asked.analysis.snapshot();
    let words = CauseWords::new(snapshot, &asked.analysis.hash);
    let yes = |held: bool| if held { "yes" } else { "no" }.to_owned();
    let mut lines = Vec::new();
    for group in &gaps.groups {
        let why = asked.app.wording.of(&words.group(group), Style::Short)?;
        let capable = capable(asked, &group.users);
        lines.extend(
            group.users.iter().filter_map(|index| snapshot.directory.user_at(index).map(|user| (index, user))).map(
                |(index, user)| {
                    let did = match (used.without.contains(index), used.always.contains(index)) {
                        (true, _) => "signed in without",
                        (_, true) => "always used it",
                        _ => "no sign-in",
                    };
                    let department = user.department.clone().unwrap_or_default();
                    let who = [&user.display_name, &user.user_principal_name, &user.id, &department];
                    who.into_iter()
                        .map(ToString::to_string)
                        .chain([why.clone(), yes(capable.contains(index)), did.to_owned()])
                        .collect()
                },
            ),
        );
    }
    let columns = ["Name", "User principal name", "Object id", "Department", "Why", "Method registered", "In the log"];
    Ok(Sheet::new("without-mfa", &columns, lines))
}

/// The open suggestions that would settle a cause.
struct Fixes(Vec<(String, Body)>);

impl Fixes {
    async fn of(asked: Asked<'_>) -> anyhow::Result<Self> {
        let mut fixes = Vec::new();
        for row in asked.app.store.suggestions(asked.app.tenant()).await? {
            let body = Body::of(&row)?;
            if row.state == state::OPEN && body.proposal.checks.iter().any(|check| check == CHECK) {
                fixes.push((format!("S-{}", row.number), body));
            }
        }
        Ok(Self(fixes))
    }

    /// The suggestion that changes the very group or policy of a cause, with the object's name.
    fn matching(&self, cause: &Fact) -> Option<(&str, &str)> {
        let named = |name: &str| match cause.terms.get(name) {
            Some(Term::Name(name)) => Some(name.as_str()),
            _ => None,
        };
        let object = named("group").or_else(|| named("policy"))?;
        self.0.iter().find_map(|(number, body)| match &body.proposal.action {
            CureAction::HandOver(change) if change.target_name == object => {
                Some((number.as_str(), change.target_name.as_str()))
            }
            _ => None,
        })
    }

    fn of_cause(&self, cause: &Fact) -> Option<Action> {
        self.matching(cause).map(|(number, _)| open("Fix", number))
    }

    fn named(&self, cause: &Fact) -> Option<Action> {
        self.matching(cause).map(|(number, name)| open(&format!("Fix: {name}"), number))
    }
}

fn number(count: u64) -> String {
    grouped(i64::try_from(count).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use crate::bot::answers::testing::{Question, answered, app, nordwerk, said};
    use crate::bot::intent::Intent;
    use crate::bot::sheet::Sheet;
    use crate::chat::card::{Action, Block};

    const WHO: &str = "who is not covered by MFA?";

    #[tokio::test]
    async fn those_who_signed_in_with_a_password_alone() {
        insta::assert_snapshot!(said(&nordwerk(), Intent::CoverageGaps, super::FIRST).await, @r"
        1 of the 5 whom no policy makes use MFA signed in without it in the last 30 days; most sign-ins first. [1]
        | Person | Department | Sign-ins without MFA | Last
        | Bob Keller |  | 1 | 22 Nov 10:00
        The log that was read goes from Sun 25 Oct 08:00 to Tue 24 Nov 08:00. Read Tue 24 Nov 08:00.
        (CSV (1)) (All without MFA)
        [1] 1 of 5 signed in without MFA; the last sign-in of each · 1 sign-in
        ");
    }

    #[tokio::test]
    async fn the_kinds_of_account_add_up_to_all_enabled() {
        let question = Question { text: WHO, intent: Intent::CoverageGaps, previous: None };
        let (_, composed) = answered(&app().await, &nordwerk(), question).await;
        let table = composed.card.blocks.iter().find_map(|block| match block {
            Block::Table { rows, .. } => Some(rows),
            _ => None,
        });
        let (sum, kinds) = table.unwrap().split_last().unwrap();
        for column in 1..sum.len() {
            let number = |row: &Vec<String>| row[column].parse::<u64>().unwrap();
            assert_eq!(kinds.iter().map(number).sum::<u64>(), number(sum), "column {column}");
        }
    }

    #[tokio::test]
    async fn the_list_to_take_away_names_everybody_of_the_total() {
        let question = Question { text: WHO, intent: Intent::CoverageGaps, previous: None };
        let (answer, composed) = answered(&app().await, &nordwerk(), question).await;
        let sheet = composed.evidence.iter().find_map(Sheet::of).unwrap();
        assert_eq!(answer.sheets.first(), Some(&sheet));
        let button = composed.card.actions.iter().find_map(|action| match action {
            Action::Csv { label, .. } => Some(label.as_str()),
            _ => None,
        });
        assert_eq!(button, Some(format!("CSV ({})", sheet.total).as_str()));
        insta::assert_snapshot!(sheet.csv(), @r#"
        "Name","User principal name","Object id","Department","Why","Method registered","In the log"
        "Alice Moreau","alice.moreau@nordwerk.example","u-alice","","4 for Salesforce, excluded from CA200 – Require MFA","yes","always used it"
        "Alice Berg","alice.berg@nordwerk.example","u-berg","","4 for Salesforce, excluded from CA200 – Require MFA","yes","no sign-in"
        "Carol Ng","carol_partner.example#EXT#@nordwerk.example","u-carol","","4 for Salesforce, excluded from CA200 – Require MFA","no","no sign-in"
        "Dana Admin","dana@nordwerk.example","u-dana","","4 for Salesforce, excluded from CA200 – Require MFA","no","no sign-in"
        "Bob Keller","bob.keller@nordwerk.example","u-bob","","1 excluded from CA200 – Require MFA by group CA-Excl-MFA-Rollout","no","signed in without"
        "#);
    }
}
