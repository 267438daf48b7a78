//! `portcullis diff`: two folders, what changed between them, and who is affected by the change.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::bot::answer::{Answer, Part};
use crate::bot::answers::policy_changes;
use crate::bot::describe::guests;
use crate::checks::cause_words::{app_name, conditions_word};
use crate::clock::Clock;
use crate::engine::Model;
use crate::engine::coverage::Condition;
use crate::engine::difference::{Change, Difference, ObjectChange, Region, Shift, What, difference};
use crate::facts::{Evidence, Fact, Term, Wording};
use crate::tenant::policy::Guests;
use crate::tenant::{Kind, Snapshot};

use super::{Ended, folder, output};

const EXAMPLE: &str = "Who is affected by last week's edits, with a failing exit code when anybody must do less than before:\n\n  \
    portcullis diff export-monday export-friday\n\nBoth sides as a machine reads them:\n\n  \
    portcullis diff old.json new.json --format json --fail-on any";

/// Arguments of `diff`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Diff {
    /// The folder, or file, as it was
    old: PathBuf,
    /// The folder, or file, as it is
    new: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Exit with 1 when somebody must do less than before or nobody can tell, when anything differs, or never
    #[arg(long, value_enum, default_value_t = FailOn::Looser)]
    fail_on: FailOn,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For machines: every account by its object id
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Looser,
    Any,
    Never,
}

impl Diff {
    /// Reads both sides, compares, prints.
    pub(super) fn run(self) -> anyhow::Result<Ended> {
        let clock = Clock::system();
        let read = |path| folder::read(path, &clock).map(Model::new);
        let (before, after) = (read(&self.old)?, read(&self.new)?);
        let found = difference(&before, &after);
        match self.format {
            Format::Text => {
                output::answer(
                    told(&before.snapshot, &after.snapshot, &found),
                    &Wording::new(jiff::tz::TimeZone::system())?,
                )?;
            }
            Format::Json => output::line(&serde_json::to_string_pretty(&machine(&found, &[&before, &after]))?),
        }
        let fails = match self.fail_on {
            FailOn::Looser => {
                found.is_looser() || !perhaps_looser([&before.snapshot, &after.snapshot], &found).is_empty()
            }
            FailOn::Any => found != Difference::default(),
            FailOn::Never => false,
        };
        Ok(if fails { Ended::Findings } else { Ended::Fine })
    }
}

/// Policies that were On and aren't what they were, where nobody can tell whom that affects: a pass would be a guess.
fn perhaps_looser(sides: [&Snapshot; 2], found: &Difference) -> Vec<String> {
    let listed = sides.iter().all(|side| side.has(Kind::Users));
    let weakened = found.changes.iter().filter(|change| change.weakened && !listed);
    weakened.map(|change| change.name.clone()).collect()
}

fn machine(found: &Difference, sides: &[&Model]) -> Value {
    let listed = sides.iter().all(|side| side.snapshot.has(Kind::Users));
    json!({
        "changes": found.changes, "locations": found.locations, "strengths": found.strengths, "shifts": found.shifts,
        "notCompared": found.not_compared, "peopleListed": listed,
    })
}

/// Who is affected, by what it comes to.
const APART: [(&str, &[&str]); 3] = [
    ("Looser: less is asked for", &["diff.looser", "diff.wider", "diff.opened"]),
    ("Stricter: more is asked for", &["diff.stricter", "diff.narrower", "diff.closed"]),
    ("Otherwise", &["diff.elsewhere", "diff.not_compared"]),
];

fn told(before: &Snapshot, after: &Snapshot, found: &Difference) -> Answer {
    if *found == Difference::default() {
        let fact = said("diff.nothing").with("before", before.policies.len()).with("after", after.policies.len());
        return Answer::sentences(vec![fact]);
    }
    let listed = [before, after].iter().all(|side| side.has(Kind::Users));
    let affected = found.shifts.iter().flat_map(|shift| [shifted(shift, after), regions(shift, after)].concat());
    let affected: Vec<Fact> = affected.chain(not_compared(found)).collect();
    let who = match (affected.is_empty(), listed) {
        (true, true) => Some("diff.nobody"),
        (true, false) => Some("diff.nobody_listed"),
        (false, false) => Some("diff.regions"),
        (false, true) => None,
    };
    let mut answer = Answer::sentences(vec![counted(found)]).part(Part::Heading("Who is affected".into()));
    if let Some(key) = who {
        answer = answer.part(Part::Sentences(vec![said(key)]));
    }
    let perhaps = perhaps_looser([before, after], found);
    if !perhaps.is_empty() {
        let fact = said("diff.perhaps_looser").with("count", perhaps.len()).with("names", Term::Names(perhaps));
        answer = answer.part(Part::Warning(vec![fact]));
    }
    for (heading, keys) in APART {
        let of = affected.iter().filter(|fact| keys.contains(&fact.key.as_str())).cloned();
        let items: Vec<(Fact, Vec<_>)> = of.map(|fact| (fact, Vec::new())).collect();
        if !items.is_empty() {
            answer = answer.part(Part::Heading(heading.into())).part(Part::List { ordered: false, items });
        }
    }
    answer = answer.part(Part::Heading("What changed".into()));
    for change in &found.changes {
        answer = answer.part(Part::Sentences(vec![reach(change)]));
        let (was, is) = (before.policy(&change.policy_id), after.policy(&change.policy_id));
        let lines = policy_changes::difference(was, is, after);
        if !lines.is_empty() {
            answer = answer.part(Part::Change(lines));
        }
    }
    let objects = [("Named location", &found.locations), ("Authentication strength", &found.strengths)];
    let objects = objects.into_iter().flat_map(|(what, all)| all.iter().map(move |one| object(what, one)));
    objects.fold(answer, |answer, fact| answer.part(Part::Sentences(vec![fact])))
}

/// A named location or a strength, before and after.
fn object(what: &str, change: &ObjectChange) -> Fact {
    let text = |side: &Option<String>| Term::Text(side.clone().unwrap_or_else(|| "not there".to_owned()));
    said("diff.object")
        .with("what", Term::Word(what.to_owned()))
        .with("name", Term::Name(change.name.clone()))
        .with("before", text(&change.before))
        .with("after", text(&change.after))
}

/// Changed policies about what isn't compared.
fn not_compared(found: &Difference) -> Option<Fact> {
    let changes = found.changes.iter().filter(|change| found.not_compared.contains(&change.policy_id));
    let names: Vec<String> = changes.map(|change| change.name.clone()).collect();
    (!names.is_empty()).then(|| said("diff.not_compared").with("names", Term::Names(names)))
}

/// Where it concerns nobody who has an account here: which sign-ins came to be open, or ceased to be.
fn regions(shift: &Shift, after: &Snapshot) -> Vec<Fact> {
    let accounts = [&shift.looser, &shift.wider, &shift.elsewhere, &shift.stricter, &shift.narrower];
    if accounts.iter().any(|ids| !ids.is_empty()) {
        return Vec::new();
    }
    let fact = |key: &'static str| move |region: &Region| region_fact(key, &shift.requirement, (region, after));
    let opened = shift.opened.iter().map(fact("diff.opened"));
    opened.chain(shift.closed.iter().map(fact("diff.closed"))).collect()
}

fn region_fact(key: &str, requirement: &str, (region, snapshot): (&Region, &Snapshot)) -> Fact {
    let names: Vec<String> = region.apps.iter().map(|id| app_name(snapshot, id)).collect();
    let conditions: Vec<Condition> = region.conditions.iter().cloned().collect();
    let who = if region.anybody || region.guests.is_empty() {
        String::new()
    } else {
        guests(&Guests { types: region.guests.clone(), tenants: None })
    };
    said(key)
        .with("requirement", Term::Word(requirement.to_owned()))
        .with("any", u64::from(region.any_app))
        .with("apps", Term::Names(names))
        .with("who", Term::Word(who))
        .with("conditions", Term::Name(conditions_word(&conditions)))
}

/// How many policies differ, each counted once.
fn counted(found: &Difference) -> Fact {
    let with = |what: What| found.changes.iter().filter(|change| change.what.contains(&what)).count();
    let (added, removed) = (with(What::Added), with(What::Removed));
    let members = found.changes.iter().filter(|change| change.what == BTreeSet::from([What::Members])).count();
    said("diff.changed")
        .with("count", found.changes.len())
        .with("added", added)
        .with("removed", removed)
        .with("members", members)
        .with("edited", found.changes.len() - added - removed - members)
}

/// What one requirement means for whom, worst first.
fn shifted(shift: &Shift, after: &Snapshot) -> Vec<Fact> {
    let parts = [
        ("diff.looser", &shift.looser),
        ("diff.wider", &shift.wider),
        ("diff.elsewhere", &shift.elsewhere),
        ("diff.stricter", &shift.stricter),
        ("diff.narrower", &shift.narrower),
    ];
    let fact = |(key, ids): (&str, &BTreeSet<String>)| {
        let names = ids.iter().map(|id| name_of(id, after));
        said(key)
            .with("people", ids.len())
            .with("requirement", Term::Word(shift.requirement.clone()))
            .with("names", Term::Names(names.collect()))
    };
    parts.into_iter().filter(|(_, ids)| !ids.is_empty()).map(fact).collect()
}

/// The name of a user or a workload identity.
fn name_of(id: &str, snapshot: &Snapshot) -> String {
    let directory = &snapshot.directory;
    let user = directory.user(id).map(|user| user.display_name.to_string());
    let app = || directory.service_principals.iter().find(|one| one.id == id).map(|one| one.display_name.clone());
    user.or_else(app).unwrap_or_else(|| id.to_owned())
}

fn reach(change: &Change) -> Fact {
    let words: Vec<&str> = change.what.iter().map(|what| word(*what)).collect();
    said("diff.policy")
        .with("policy", Term::Name(change.name.clone()))
        .with("what", Term::Word(words.join(", ")))
        .with("gained", change.gained.len())
        .with("lost", change.lost.len())
}

/// The portal's word for what is different.
fn word(what: What) -> &'static str {
    match what {
        What::Added => "added",
        What::Removed => "removed",
        What::Renamed => "name",
        What::State => "Enable policy",
        What::Users => "Users",
        What::TargetResources => "Target resources",
        What::Conditions => "Conditions",
        What::Grant => "Grant",
        What::Session => "Session",
        What::Members => "members of its groups or roles",
    }
}

fn said(key: &str) -> Fact {
    Fact::new(key, Evidence::default())
}
