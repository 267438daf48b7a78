//! What a policy would do if it were On, and what keeps it from doing harm, as facts for cards and answers.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use roaring::RoaringBitmap;

use crate::chat::card::Column;
use crate::checks::accounts::Accounts;
use crate::checks::drafts::asks_a_person;
use crate::checks::licences::{Owned, owned};
use crate::checks::naming::number_of;
use crate::checks::rows;
use crate::engine::Truth;
use crate::engine::lockout::Lockout;
use crate::engine::replay::{Impact, LogRows, Tally, Would};
use crate::engine::rollout::{Criterion, Phase, Selection};
use crate::facts::{Evidence, Fact, Row, Term, any_of, grouped};
use crate::suggestions::lint;
use crate::suggestions::lint::Level;
use crate::tenant::policy::PolicyState;
use crate::tenant::{Kind, Policy, Snapshot, Word as _};

use super::analysis::Analysis;
use super::answer::{column, number_column};

/// Days in report-only before a decision rests on enough: two working weeks show what happens weekly.
pub const WATCHED: i64 = 14;
/// How many policies a tenant can have. Source: Microsoft Learn, Microsoft Entra service limits and restrictions.
const MOST_POLICIES: usize = 240;
/// The lint's rule that emergency access accounts are left alone.
const EMERGENCY_RULE: u8 = 38;

/// Whom it would have blocked or prompted in the window of the log, by app; what the log doesn't tell.
#[must_use]
pub fn if_on(analysis: &Analysis, draft: &Policy) -> Vec<Fact> {
    let snapshot = analysis.snapshot();
    if !snapshot.has(Kind::SignIns) || snapshot.sign_ins.is_empty() {
        let key = if snapshot.has(Kind::SignIns) { "impact.empty" } else { "impact.unread" };
        return vec![Fact::new(key, analysis.evidence([])).must_show()];
    }
    let impact = analysis.impact(draft);
    let (unknown, rest) = (impact.total.unknown, impact.total.total() - impact.total.unknown);
    let mostly = mostly_unknown(&impact.total);
    let mut facts = vec![counted(analysis, &impact)];
    if mostly.is_some() && rest == 0 {
        facts.extend(unable(analysis, &impact));
        return facts;
    }
    if impact.total.failure > 0 {
        facts.push(reached(analysis, &impact, "impact.blocked", Would::Failure));
    }
    if impact.total.action_required > 0 {
        facts.push(reached(analysis, &impact, "impact.prompted", Would::ActionRequired));
    }
    if impact.total.failure + impact.total.action_required == 0 {
        facts.push(Fact::new("impact.nobody", analysis.evidence([])).must_show());
    }
    if unknown > 0 && mostly.is_none() {
        let fact = Fact::new("impact.unknown", sign_ins(analysis, &impact, Would::Unknown)).with("count", unknown);
        facts.push(fact.with("why", untold(&impact)).must_show());
    }
    facts.extend(unable(analysis, &impact));
    facts
}

/// How many sign-ins were looked at; first of all that most of them tell nothing, where it is so.
fn counted(analysis: &Analysis, impact: &Impact) -> Fact {
    let (rows, left_out) = (impact.total.total(), impact.rows - impact.total.total());
    let Some(share) = mostly_unknown(&impact.total) else {
        let fact = Fact::new("impact.counted", of_log(analysis, &impact.looked_at));
        return fact.with("rows", rows).with("left_out", left_out);
    };
    Fact::new("impact.mostly_unknown", sign_ins(analysis, impact, Would::Unknown))
        .with("share", Term::Percent(share))
        .with("rows", rows)
        .with("left_out", left_out)
        .with("rest", rows - impact.total.unknown)
        .with("why", untold(impact))
        .must_show()
}

/// What the log doesn't tell.
fn untold(impact: &Impact) -> Term {
    Term::Names(impact.unknown_because.keys().cloned().collect())
}

/// The share of sign-ins of which the log doesn't tell what would have happened, in percent; none when it tells it of half
/// of them at least.
fn mostly_unknown(tally: &Tally) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "counts of sign-ins are far below 2^52")]
    let share = |part: u64, whole: u64| (1000.0 * part as f64 / whole as f64).floor() / 10.0;
    (tally.unknown * 2 > tally.total()).then(|| share(tally.unknown, tally.total()))
}

/// The people and accounts with such an outcome, and by which app; resting on those very sign-ins.
#[must_use]
pub fn reached(analysis: &Analysis, impact: &Impact, key: &str, would: Would) -> Fact {
    let ids = impact.users.iter().filter(|(_, tally)| tally.of(would) > 0).map(|(id, _)| id.as_str());
    let fact = who(analysis, key, &positions(analysis.snapshot(), ids));
    Fact { evidence: sign_ins(analysis, impact, would), ..fact }
        .with("count", impact.users.values().map(|tally| tally.of(would)).sum::<u64>())
        .with("apps", by_app(&impact.apps, would))
        .must_show()
}

/// The sign-ins of the log with such an outcome, newest first.
pub fn sign_ins(analysis: &Analysis, impact: &Impact, would: Would) -> Evidence {
    of_log(analysis, &impact.rows_of.get(&would).cloned().unwrap_or_default())
}

/// Rows of the log, with its window.
fn of_log(analysis: &Analysis, rows: &LogRows) -> Evidence {
    let snapshot = analysis.snapshot();
    let shown = rows.newest.iter().filter_map(|at| Some(rows::sign_in(snapshot.sign_ins.get(*at)?, snapshot)));
    Evidence { total: rows.total, ..analysis.evidence(shown).within(snapshot.window) }
}

/// A statement about these accounts, each kind counted by itself, which are its evidence.
#[must_use]
pub fn who(analysis: &Analysis, key: &str, set: &RoaringBitmap) -> Fact {
    let snapshot = analysis.snapshot();
    let accounts = Accounts::of(set, &analysis.model, snapshot.read_at);
    Fact::new(key, analysis.evidence(rows::users(set, snapshot, None)))
        .with("whom", Term::Word(whom(&accounts)))
        .with("people", accounts.people.len())
        .with("guests", accounts.guests.len())
        .with("service", (&accounts.service | &accounts.rooms).len())
        .with("emergency", accounts.emergency.len())
}

/// Everybody whom it would have blocked or prompted, most blocks first: the columns and the lines of a table.
#[must_use]
pub fn people(analysis: &Analysis, users: &BTreeMap<String, Tally>) -> (Vec<Column>, Vec<Vec<String>>) {
    let snapshot = analysis.snapshot();
    let hit = users.iter().filter(|(_, tally)| tally.failure + tally.action_required > 0);
    let mut hit: Vec<_> = hit.map(|(id, tally)| (tally.failure, tally.action_required, id)).collect();
    hit.sort_by_key(|(blocked, prompted, id)| (Reverse((*blocked, *prompted)), *id));
    let line = |(blocked, prompted, id): &(u64, u64, &String)| {
        let user = snapshot.directory.user(id);
        let name = user.map_or_else(|| (*id).clone(), |user| user.display_name.to_string());
        let department = user.and_then(|user| user.department.clone()).unwrap_or_default().to_string();
        vec![name, department, blocked.to_string(), prompted.to_string()]
    };
    let columns = vec![column("Person"), column("Department"), number_column("Blocked"), number_column("Prompted")];
    (columns, hit.iter().map(line).collect())
}

/// Each kind of account that there is, counted.
fn whom(accounts: &Accounts) -> String {
    let kinds = [
        (accounts.people.len(), "person", "people"),
        (accounts.guests.len(), "guest", "guests"),
        (accounts.service.len() + accounts.rooms.len(), "service or room account", "service or room accounts"),
        (accounts.emergency.len(), "emergency access account", "emergency access accounts"),
    ];
    let counted = kinds.into_iter().filter(|(count, ..)| *count > 0).map(|(count, one, many)| {
        format!("{} {}", grouped(i64::try_from(count).unwrap_or(i64::MAX)), if count == 1 { one } else { many })
    });
    let counted: Vec<String> = counted.collect();
    if counted.is_empty() { "nobody".to_owned() } else { counted.join(", ") }
}

/// Apps with their number of such sign-ins, most first.
fn by_app(apps: &BTreeMap<String, Tally>, would: Would) -> Vec<String> {
    let mut hit: Vec<(&String, u64)> =
        apps.iter().map(|(app, tally)| (app, tally.of(would))).filter(|(_, count)| *count > 0).collect();
    hit.sort_by_key(|(app, count)| (Reverse(*count), *app));
    hit.into_iter().map(|(app, count)| format!("{app} {count}")).collect()
}

/// Those who would be asked for something that they don't have.
#[must_use]
pub fn unable(analysis: &Analysis, impact: &Impact) -> Option<Fact> {
    let snapshot = analysis.snapshot();
    let set = positions(snapshot, impact.unable.keys().map(String::as_str));
    let mut lacks: Vec<String> = impact.unable.values().flatten().map(|lack| lack.label().to_owned()).collect();
    lacks.sort_unstable();
    lacks.dedup();
    let evidence = analysis.evidence(rows::users(&set, snapshot, None));
    (!set.is_empty()).then(|| {
        Fact::new("impact.unable", evidence)
            .with("people", set.len())
            .with("lacks", Term::Word(any_of(&lacks)))
            .must_show()
    })
}

/// Positions of these users, by object id.
pub fn positions<'a>(snapshot: &Snapshot, ids: impl Iterator<Item = &'a str>) -> RoaringBitmap {
    ids.filter_map(|id| snapshot.directory.user_index(id)).collect()
}

/// What Microsoft's own report-only evaluation logged for a policy, and then what we calculate, each said to be what it is.
#[must_use]
pub fn logged_and_ours(analysis: &Analysis, policy: &Policy) -> Vec<Fact> {
    let logged = logged(analysis, policy);
    let ours = logged.is_some().then(|| Fact::new("impact.ours", Evidence::default()).must_show());
    logged.into_iter().chain(ours).chain(if_on(analysis, policy)).collect()
}

/// What Microsoft's own report-only evaluation logged for a policy: outcome, sign-ins, people; none without a row.
#[must_use]
pub fn logged(analysis: &Analysis, policy: &Policy) -> Option<Fact> {
    let snapshot = analysis.snapshot();
    let mut told: BTreeMap<&str, Vec<&crate::tenant::PastSignIn>> = BTreeMap::new();
    for row in snapshot.sign_ins.iter().rev() {
        for applied in row.applied.iter().filter(|applied| applied.id == policy.id) {
            told.entry(applied.result.as_str()).or_default().push(row);
        }
    }
    let of = |result: &str| told.get(result).map(Vec::as_slice).unwrap_or_default();
    let (failed, asked, met) = (of("reportOnlyFailure"), of("reportOnlyInterrupted"), of("reportOnlySuccess"));
    if failed.is_empty() && asked.is_empty() && met.is_empty() {
        return None;
    }
    let people = |rows: &[&crate::tenant::PastSignIn]| {
        let mut ids: Vec<&str> = rows.iter().map(|row| row.user_id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.len()
    };
    let shown: Vec<Row> = failed.iter().chain(asked).chain(met).map(|row| rows::sign_in(row, snapshot)).collect();
    let fact = Fact::new("impact.logged", analysis.evidence(shown).within(snapshot.window));
    let fact = fact.with("policy", Term::Name(policy.display_name.clone())).with("failed", failed.len());
    let fact =
        fact.with("failed_people", people(failed)).with("asked", asked.len()).with("asked_people", people(asked));
    Some(fact.with("met", met.len()).must_show())
}

/// The phases after report-only, each with whom it adds and what it would have meant for them.
#[must_use]
pub fn phases(analysis: &Analysis, draft: &Policy) -> Vec<Fact> {
    let impact = analysis.impact(draft);
    let rollout = analysis.model.rollout(draft, &impact);
    rollout.phases.iter().map(|phase| one_phase(analysis, phase)).collect()
}

fn one_phase(analysis: &Analysis, phase: &Phase) -> Fact {
    let snapshot = analysis.snapshot();
    let (key, groups, rule) = match &phase.selection {
        Selection::Groups(ids) => ("rollout.groups", ids.as_slice(), String::new()),
        Selection::Slice { rule } => ("rollout.slice", &[][..], rule.clone()),
        Selection::Everybody => ("rollout.rest", &[][..], String::new()),
    };
    let groups: Vec<_> = groups.iter().filter_map(|id| snapshot.directory.groups.get(id)).collect();
    let names: Vec<String> = groups.iter().map(|group| group.display_name.clone()).collect();
    let shown = groups.iter().map(|group| rows::group(group)).chain(rows::users(&phase.members, snapshot, None));
    let (blocks, most) = match phase.exit.criterion {
        Criterion::NoUse { .. } => (1_u64, 0.0),
        Criterion::Blocked { percent } => (0, percent),
    };
    let untold = mostly_unknown(&phase.expected);
    let some = if untold.is_some() { 0 } else { phase.expected.unknown };
    Fact::new(key, analysis.evidence(shown).within(snapshot.window))
        .with("untold", untold.map_or_else(|| Term::Word(String::new()), Term::Percent))
        .with("all_untold", u64::from(untold.is_some() && phase.expected.unknown == phase.expected.total()))
        .with("some", some)
        .with("blocks", blocks)
        .with("groups", names)
        .with("rule", Term::Word(rule))
        .with("people", phase.members.len())
        .with("prompted", phase.prompted)
        .with("blocked", phase.blocked)
        .with("unable", phase.unable.len())
        .with("days", Term::Days(i64::from(phase.exit.days)))
        .with("most", Term::Percent(most))
}

/// The admin lock-out check, emergency access, the lint's warnings and the count of policies.
#[must_use]
pub fn safety(analysis: &Analysis, draft: &Policy) -> Vec<Fact> {
    let snapshot = analysis.snapshot();
    let mut facts = vec![lockout(analysis, draft)];
    // That drafts are created in report-only says nothing about the safety of a policy which is On.
    let objections = lint(&Policy { state: PolicyState::ReportOnly, ..draft.clone() }, snapshot);
    let emergency =
        analysis.evidence(rows::users(&crate::checks::accounts::emergency_access(snapshot), snapshot, None));
    if objections.iter().all(|objection| objection.rule != EMERGENCY_RULE) {
        facts.push(Fact::new("safety.emergency", emergency));
    }
    facts.extend(machines(analysis, draft));
    let known = Fact::new("safety.count", Evidence::default());
    let count = snapshot.policies.len() + usize::from(snapshot.policy(&draft.id).is_none());
    facts.push(known.with("count", count).with("of", MOST_POLICIES));
    let warned = objections.into_iter().map(|objection| {
        let key = if objection.level == Level::Error { "safety.error" } else { "safety.warning" };
        Fact::new(key, Evidence::default()).with("words", Term::Name(objection.message)).must_show()
    });
    facts.extend(warned);
    facts
}

/// That nothing says the same yet, that it is named as others are, and that the licence it needs is there; what isn't so is
/// said by itself.
#[must_use]
pub fn formal(analysis: &Analysis, draft: &Policy, check: &str) -> Vec<Fact> {
    let snapshot = analysis.snapshot();
    let same = snapshot.policies.iter().find(|policy| policy.id != draft.id && policy.same_rules(draft));
    let licence = crate::checks::about(check).map_or("P1", |about| about.licence);
    let owned = owned(snapshot, licence);
    let numbered = snapshot.policies.iter().filter(|policy| number_of(&policy.display_name).is_some()).count();
    let alike = number_of(&draft.display_name).is_some() && numbered * 2 > snapshot.policies.len();
    let right = Fact::new("safety.formal", Evidence::default())
        .with("single", u64::from(same.is_none()))
        .with("naming", u64::from(alike))
        .with("licence", Term::Word(if owned == Owned::Yes { licence.to_owned() } else { String::new() }));
    let mut facts: Vec<Fact> = (same.is_none() || alike || owned == Owned::Yes).then_some(right).into_iter().collect();
    facts.extend(same.map(|policy| {
        let name = Term::Name(policy.display_name.clone());
        Fact::new("safety.same", analysis.evidence([rows::policy(policy)])).with("policy", name).must_show()
    }));
    facts.extend((owned != Owned::Yes).then(|| {
        let fact = Fact::new("safety.licence", Evidence::default()).with("licence", Term::Word(licence.to_owned()));
        fact.with("read", u64::from(owned == Owned::No)).must_show()
    }));
    facts
}

/// Rooms and service accounts that it takes in though it asks for what only a person can do; of a block, or of a device or an
/// app that is asked for, those that it would have kept out.
fn machines(analysis: &Analysis, draft: &Policy) -> Option<Fact> {
    let snapshot = analysis.snapshot();
    let of = |set: &RoaringBitmap| {
        let accounts = Accounts::of(set, &analysis.model, snapshot.read_at);
        &accounts.service | &accounts.rooms
    };
    let by_hand = asks_a_person(draft);
    let on = snapshot.policy(&draft.id).is_some_and(|policy| policy.state == PolicyState::Enabled);
    let hit = if by_hand {
        of(&analysis.model.in_scope(draft))
    } else if on {
        RoaringBitmap::new()
    } else {
        let impact = analysis.impact(draft);
        let blocked = impact.users.iter().filter(|(_, tally)| tally.failure > 0);
        of(&positions(snapshot, blocked.map(|(id, _)| id.as_str())))
    };
    let key = if by_hand { "safety.machines" } else { "safety.machines_blocked" };
    (!hit.is_empty()).then(|| who(analysis, key, &hit).must_show())
}

/// Whether an administrator could still sign in with the policy On.
#[must_use]
pub fn lockout(analysis: &Analysis, draft: &Policy) -> Fact {
    lockout_fact(analysis, &analysis.model.lockout(draft))
}

/// Whether an administrator can still sign in, as the check found it.
#[must_use]
pub fn lockout_fact(analysis: &Analysis, lockout: &Lockout) -> Fact {
    let snapshot = analysis.snapshot();
    let people = |wanted: &dyn Fn(&crate::engine::lockout::Access) -> bool| {
        positions(
            snapshot,
            lockout.administrators.iter().filter(|access| wanted(access)).map(|access| access.user_id.as_str()),
        )
    };
    let everyday = people(&|access| !access.emergency);
    let able = people(&|access| access.can == Truth::Yes && !access.emergency);
    let out = people(&|access| access.can == Truth::No);
    let (key, shown) = match lockout.anybody() {
        // Emergency access alone is no way to run a tenant.
        Truth::Yes if able.is_empty() => ("safety.only_emergency", &out),
        Truth::Yes => ("safety.admins", &able),
        Truth::Maybe => ("safety.admins_unsure", &able),
        // Not the draft's doing: nobody gets in as it is, as far as methods and devices were read.
        Truth::No if analysis.model.lockout_now().anybody() == Truth::No => ("safety.locked_out_already", &out),
        Truth::No => ("safety.locked_out", &out),
    };
    let names =
        out.iter().filter_map(|at| Some(snapshot.directory.user_at(at)?.display_name.to_string())).collect::<Vec<_>>();
    let evidence = analysis.evidence(rows::users(shown, snapshot, None));
    Fact::new(key, evidence)
        .with("able", able.len())
        .with("of", everyday.len())
        .with("out", out.len())
        .with("names", names)
        .with("open", lockout.unread.iter().filter_map(|kind| unread_words(*kind)).collect::<Vec<String>>())
        .must_show()
}

/// What the lock-out check goes by, with the file of an export that holds it.
fn unread_words(kind: Kind) -> Option<String> {
    let what = match kind {
        Kind::RoleAssignments => "role assignments",
        Kind::Groups => "groups",
        Kind::UserRegistrationDetails => "registered methods",
        Kind::Devices => "devices",
        _ => return None,
    };
    Some(format!("{what} ({}.json)", kind.word()))
}
