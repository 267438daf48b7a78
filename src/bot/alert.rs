//! Says at once when a change lets people out of what they had to do: who changed what, before and after, and whom.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::chat::card::ChangeRow;
use crate::checks::rows;
use crate::engine::Model;
use crate::engine::difference::{Difference, Region, Shift, difference};
use crate::facts::{Evidence, Fact, Term, grouped};
use crate::jobs::Outcome;
use crate::store::jobs::{Job, NewJob, Priority};
use crate::store::settings::Key;
use crate::tenant::{AuditRecord, Kind, Snapshot};

use super::analysis::Analysis;
use super::answer::{Answer, Part, ask};
use super::answers::{policy_changes, unread};
use super::compose::{Composed, compose};
use super::impact::{positions, who};
use super::post::{Post, conversation, post};
use super::watch;

/// Kind of the job that compares two readings.
pub const JOB: &str = "alert";
/// How many changes are named and shown.
const SHOWN: usize = 5;
/// The setting that remembers a reading which waits for one that it can be compared with.
const WAITING: &str = "alert-waiting";
/// It waits for so long; then what is missing isn't coming back.
const PATIENCE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Two readings, by their content hash.
#[derive(Debug, Serialize, Deserialize)]
struct Pair {
    before: String,
    after: String,
}

/// Has two readings compared, when something that could uncover people is different between them.
///
/// # Errors
/// When the store fails.
pub async fn request(app: &App, before: &Analysis, after: &Analysis) -> anyhow::Result<()> {
    let (known, read) = (kinds(before.snapshot()), kinds(after.snapshot()));
    if let Some(before) = waits(app, (&before.hash, &known), &read).await? {
        enqueue(app, Pair { before, after: after.hash.clone() }).await?;
    }
    // Where people weren't read nobody could be named: it is said once they are.
    if known != read || !after.snapshot().has(Kind::Users) || !worth_a_look(before.snapshot(), after.snapshot()) {
        return Ok(());
    }
    enqueue(app, Pair { before: before.hash.clone(), after: after.hash.clone() }).await
}

/// A reading that the ones after it couldn't be compared with, because they lacked a kind of object or had one more.
#[derive(Debug, Serialize, Deserialize)]
struct Waiting {
    hash: String,
    kinds: BTreeSet<Kind>,
    since: Timestamp,
}

/// The reading that waited for one with the same kinds of objects, now that it is there. A change in between is said late,
/// but it is said.
async fn waits(app: &App, before: (&str, &BTreeSet<Kind>), read: &BTreeSet<Kind>) -> anyhow::Result<Option<String>> {
    let key = Key { tenant: app.tenant(), name: WAITING, at: app.clock.now() };
    let waiting: Option<Option<Waiting>> = app.store.setting(app.tenant(), WAITING).await?;
    let waiting = waiting.flatten().filter(|waiting| key.at.duration_since(waiting.since) < PATIENCE);
    let next = match waiting {
        Some(waiting) if waiting.kinds == *read => {
            app.store.set(key, &None::<Waiting>).await?;
            return Ok(Some(waiting.hash));
        }
        Some(_) => return Ok(None),
        None if before.1 == read => return Ok(None),
        None => Waiting { hash: before.0.to_owned(), kinds: before.1.clone(), since: key.at },
    };
    app.store.set(key, &Some(next)).await?;
    Ok(None)
}

/// What was read completely. The audit log says who did something and never whether.
fn kinds(snapshot: &Snapshot) -> BTreeSet<Kind> {
    let read = snapshot.readings.keys().filter(|kind| **kind != Kind::DirectoryAudits && snapshot.has(**kind));
    read.copied().collect()
}

async fn enqueue(app: &App, pair: Pair) -> anyhow::Result<()> {
    let job = NewJob {
        id: format!("alert:{}:{}", pair.before, pair.after),
        kind: JOB.into(),
        payload: serde_json::to_value(pair)?,
        priority: Priority::Approval,
        due: app.clock.now(),
    };
    app.store.enqueue(&job).await.map(drop)
}

/// Compares two readings and, when somebody no longer has to do something, says so wherever a summary is posted.
///
/// # Errors
/// When the store or a chat fails; the job tries again, and no card is posted twice.
pub async fn say(app: Arc<App>, job: Job) -> anyhow::Result<Outcome> {
    let pair: Pair = serde_json::from_value(job.payload).context("an alert's readings")?;
    let after = reading(&app, &pair.after).await?;
    let before = app.store.load_snapshot(&pair.before).await?;
    // Whoever is missing from a reading was let out by nobody.
    if kinds(&before) != kinds(after.snapshot()) {
        return Ok(Outcome::Done);
    }
    let before = Model::new(Arc::new(before));
    let found = difference(&before, &after.model);
    let let_out = once_each(found.shifts.iter().filter_map(newly_open));
    if let_out.is_empty() {
        return Ok(Outcome::Done);
    }
    let composed = compose(card((&found, let_out), &before.snapshot, &after), None, &app.wording)?;
    everywhere(&app, &format!("alert:{}:{}", pair.before, pair.after), &composed).await?;
    Ok(Outcome::Done)
}

/// Posts to every conversation that gets the summary. One that can't be reached keeps the others from nothing.
async fn everywhere(app: &App, key: &str, composed: &Composed) -> anyhow::Result<()> {
    let mut unreached = Vec::new();
    for kept in app.store.conversations().await?.into_iter().filter(|kept| kept.summary.is_some()) {
        let Some(to) = conversation(app, &kept.id).await? else { continue };
        let key = format!("{key}:{}", kept.id);
        if let Err(error) = post(app, Post { key, to: &to, subject: None, version: 0 }, composed).await {
            tracing::warn!(conversation = kept.id, error = %format!("{error:#}"), "an alert was not posted");
            unreached.push(kept.id);
        }
    }
    anyhow::ensure!(unreached.is_empty(), "an alert did not reach {}", unreached.join(", "));
    Ok(())
}

/// A reading with its analysis; another one may have followed it since.
async fn reading(app: &App, hash: &str) -> anyhow::Result<Arc<Analysis>> {
    if let Some(newest) = app.newest_analysis().await?.filter(|newest| newest.hash == hash) {
        return Ok(newest);
    }
    let snapshot = Arc::new(app.store.load_snapshot(hash).await?);
    Ok(Arc::new(Analysis::of(snapshot, hash.to_owned(), &app.config.thresholds, app.clock.now())))
}

/// Whether what policies say or whom they name is different at all, so that a comparison is worth its while.
fn worth_a_look(before: &Snapshot, after: &Snapshot) -> bool {
    before.policies != after.policies
        || before.locations != after.locations
        || before.strengths != after.strengths
        || before.contexts != after.contexts
        || before.cross_tenant != after.cross_tenant
        || before.security_defaults != after.security_defaults
        || before.settings.app_groups != after.settings.app_groups
        || before.settings.mfa_trusted_ips != after.settings.mfa_trusted_ips
        || before.directory.groups != after.directory.groups
        || before.directory.role_assignments != after.directory.role_assignments
}

/// A requirement and those who have sign-ins now that needn't meet it and had to before. A gap that only became
/// narrower lets nobody out.
fn newly_open(shift: &Shift) -> Option<(String, BTreeSet<String>)> {
    let mut users = shift.looser.clone();
    for opened in &shift.opened {
        let wider = shift.closed.iter().filter(|closed| covers(closed, opened));
        let known: BTreeSet<&String> = wider.flat_map(|closed| &closed.users).collect();
        users.extend(opened.users.iter().filter(|user| !known.contains(user)).cloned());
    }
    (!users.is_empty()).then(|| (shift.requirement.clone(), users))
}

/// Whether one gap holds all sign-ins of the other.
fn covers(wide: &Region, narrow: &Region) -> bool {
    (wide.any_app || !narrow.any_app)
        && wide.apps.is_superset(&narrow.apps)
        && wide.conditions.is_subset(&narrow.conditions)
}

/// Requirements, and who needn't meet any of them now; nobody is in two of them.
type LetOut = Vec<(Vec<String>, BTreeSet<String>)>;

/// Everybody once, with all that they needn't meet any more; the most people first.
fn once_each(open: impl Iterator<Item = (String, BTreeSet<String>)>) -> LetOut {
    let mut of: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (requirement, users) in open {
        for user in users {
            of.entry(user).or_default().push(requirement.clone());
        }
    }
    let mut together: BTreeMap<Vec<String>, BTreeSet<String>> = BTreeMap::new();
    for (user, requirements) in of {
        together.entry(requirements).or_default().insert(user);
    }
    let mut all: LetOut = together.into_iter().collect();
    all.sort_by_key(|(_, users)| Reverse(users.len()));
    all
}

fn card((found, let_out): (&Difference, LetOut), was: &Snapshot, after: &Analysis) -> Answer {
    let is = after.snapshot();
    let people = let_out.iter().map(|(requirements, users)| told(requirements, users, after)).collect();
    let mut answer = Answer::default().titled("A change lets people out").part(Part::Warning(people));
    let records = new_records(was, is);
    if !records.is_empty() {
        let said = |record: &AuditRecord| policy_changes::made(record, after.evidence([rows::audit(record)]));
        let items = records.iter().map(|record| (said(record), Vec::new())).collect();
        answer = answer.part(Part::Heading("Who changed what".into())).part(Part::List { ordered: false, items });
    }
    for change in found.changes.iter().take(SHOWN) {
        let lines = policy_changes::difference(was.policy(&change.policy_id), is.policy(&change.policy_id), is);
        if !lines.is_empty() {
            answer = answer.part(Part::Heading(change.name.clone())).part(Part::Change(lines));
        }
    }
    for (name, row) in regrouped(was, is).into_iter().take(SHOWN) {
        answer = answer.part(Part::Heading(name)).part(Part::Change(vec![row]));
    }
    let read_at = Fact::new("common.read_at", after.evidence([])).must_show().with("at", is.read_at);
    // The summary's coverage counts fewer: whoever had a narrower gap before lost none of it.
    let counted = Fact::new("alert.counted", Evidence::default()).must_show();
    answer
        .part(Part::Limits(vec![counted, read_at]))
        .action(ask("Who is not covered by MFA?", "who is not covered by MFA?"))
        .action(ask("What changed?", "what changed since yesterday?"))
}

fn told(requirements: &[String], users: &BTreeSet<String>, after: &Analysis) -> Fact {
    let snapshot = after.snapshot();
    let known = users.iter().filter_map(|id| snapshot.directory.user(id)).map(|user| user.display_name.to_string());
    let names = known.filter(|name| !name.is_empty()).collect();
    // Each kind by itself, as the summary counts them: it sets emergency access accounts apart.
    who(after, "alert.let_out", &positions(snapshot, users.iter().map(String::as_str)))
        .must_show()
        .with("of", snapshot.directory.users.iter().filter(|user| user.enabled).count())
        .with("requirement", Term::Word(requirements.join(", without ")))
        .with("names", Term::Names(names))
}

/// Records that the earlier reading doesn't have and that may be what changed it, newest first.
pub(super) fn new_records<'a>(before: &Snapshot, after: &'a Snapshot) -> Vec<&'a AuditRecord> {
    let known: BTreeSet<&str> = before.audits.iter().map(|record| record.id.as_str()).collect();
    let new = after.audits.iter().rev().filter(|record| !known.contains(record.id.as_str()));
    new.filter(|record| watch::matters(record, &[before, after])).take(SHOWN).collect()
}

/// Groups that policies which are On go by and that other accounts are in now, the most changed first: how many before and
/// after.
fn regrouped(was: &Snapshot, is: &Snapshot) -> Vec<(String, ChangeRow)> {
    let users = unread::on(was).chain(unread::on(is)).map(|policy| &policy.conditions.users);
    let named: BTreeSet<&String> =
        users.flat_map(|users| users.include.groups.iter().chain(&users.exclude.groups)).collect();
    let mut found: Vec<(usize, (String, ChangeRow))> =
        named.into_iter().filter_map(|id| regroup(id, was, is)).collect();
    found.sort_by_key(|(moved, _)| Reverse(*moved));
    found.into_iter().map(|(_, group)| group).collect()
}

/// One group, with how many came or left; none where nobody did, or where who was in it isn't known of both times.
fn regroup(id: &str, was: &Snapshot, is: &Snapshot) -> Option<(usize, (String, ChangeRow))> {
    let (then, now) = (accounts(was, id)?, accounts(is, id)?);
    let (came, left) = (now.difference(&then).count(), then.difference(&now).count());
    let number = |count: usize| grouped(i64::try_from(count).unwrap_or(i64::MAX));
    let exchanged = format!("{} ({} new, {} gone)", number(now.len()), number(came), number(left));
    let after = if came > 0 && left > 0 { exchanged } else { number(now.len()) };
    let row = ChangeRow { label: "Accounts in it".to_owned(), before: Some(number(then.len())), after: Some(after) };
    (came + left > 0).then(|| {
        (came + left, (is.directory.groups.get(id).map(|group| group.display_name.clone()).unwrap_or_default(), row))
    })
}

/// Ids of the accounts in a group, nested groups counted.
fn accounts<'a>(of: &'a Snapshot, group: &str) -> Option<BTreeSet<&'a str>> {
    let members = of.directory.groups.get(group)?.transitive.as_deref()?;
    Some(members.iter().filter_map(|at| of.directory.user_at(at)).map(|user| user.id.as_str()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(users: &[&str], apps: &[&str], any_app: bool) -> Region {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Region { users: set(users), apps: set(apps), any_app, ..Region::default() }
    }

    fn shift(closed: Region, opened: Region) -> Shift {
        Shift { requirement: "MFA".into(), closed: vec![closed], opened: vec![opened], ..Shift::default() }
    }

    #[test]
    fn a_wider_gap_lets_out_and_a_narrower_one_does_not() {
        let (narrow, wide) = (region(&["a"], &["x"], false), region(&["a", "b"], &["x", "y"], true));
        assert_eq!(newly_open(&shift(wide.clone(), narrow.clone())), None);
        let (_, users) = newly_open(&shift(narrow, wide)).unwrap();
        assert_eq!(users, ["a".to_owned(), "b".to_owned()].into());
    }

    #[test]
    fn everybody_is_told_once_with_all_that_they_need_not_meet() {
        let users = |names: &[&str]| -> BTreeSet<String> { names.iter().map(|name| (*name).to_owned()).collect() };
        let open = [("MFA", users(&["a", "b", "c"])), ("a strength", users(&["b"])), ("a device", users(&["a", "c"]))];
        let told = once_each(open.into_iter().map(|(requirement, users)| (requirement.to_owned(), users)));
        let words = |(requirements, users): &(Vec<String>, BTreeSet<String>)| (requirements.join("+"), users.clone());
        let told: Vec<_> = told.iter().map(words).collect();
        assert_eq!(
            told,
            [("MFA+a device".to_owned(), users(&["a", "c"])), ("MFA+a strength".to_owned(), users(&["b"]))]
        );
    }
}
