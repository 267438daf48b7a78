//! `portcullis diff`: two folders, what changed between them, and who is affected by the change.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::bot::answer::{Answer, Part};
use crate::bot::answers::policy_changes;
use crate::chat::card::Action;
use crate::checks::cause_words::{app_name, conditions_word};
use crate::clock::Clock;
use crate::engine::coverage::Condition;
use crate::engine::difference::{Change, Difference, Shift, What, difference};
use crate::engine::{Model, Requirement, Scope};
use crate::facts::{Evidence, Fact, Term, Wording};
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
    /// Exit with 1 when somebody must do less than before, when anything differs, or never
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
                output::answer(told(&before, &after, &found), &Wording::new(jiff::tz::TimeZone::system())?)?;
            }
            Format::Json => output::line(&serde_json::to_string_pretty(&machine(&found, &[&before, &after]))?),
        }
        let looser = found.shifts.iter().any(|shift| !shift.looser.is_empty());
        let fails = match self.fail_on {
            FailOn::Looser => looser,
            FailOn::Any => found != Difference::default(),
            FailOn::Never => false,
        };
        Ok(if fails { Ended::Findings } else { Ended::Fine })
    }
}

fn machine(found: &Difference, sides: &[&Model]) -> Value {
    let listed = sides.iter().all(|side| side.snapshot.has(Kind::Users));
    json!({"changes": found.changes, "shifts": found.shifts, "peopleListed": listed})
}

fn told(old: &Model, new: &Model, found: &Difference) -> Answer {
    let (before, after) = (&*old.snapshot, &*new.snapshot);
    if *found == Difference::default() {
        let fact = said("diff.nothing").with("before", before.policies.len()).with("after", after.policies.len());
        return Answer::sentences(vec![fact]);
    }
    let mut answer = Answer::sentences(vec![counted(found)]);
    let affected: Vec<(Fact, Vec<_>)> =
        found.shifts.iter().flat_map(|shift| shifted(shift, after)).map(|fact| (fact, Vec::new())).collect();
    answer = answer.part(Part::Heading("Who is affected".into()));
    answer = if affected.is_empty() {
        let listed = [before, after].iter().all(|side| side.has(Kind::Users));
        let items = if listed { Vec::new() } else { regions(old, new) };
        let key = match (listed, items.is_empty()) {
            (true, _) => "diff.nobody",
            (false, true) => "diff.nobody_listed",
            (false, false) => "diff.regions",
        };
        answer.part(Part::Sentences(vec![said(key)])).part(Part::List { ordered: false, items })
    } else {
        answer.part(Part::List { ordered: false, items: affected })
    };
    answer = answer.part(Part::Heading("What changed".into()));
    for change in &found.changes {
        answer = answer.part(Part::Sentences(vec![reach(change)]));
        let (was, is) = (before.policy(&change.policy_id), after.policy(&change.policy_id));
        let lines = policy_changes::difference(was, is, after);
        if !lines.is_empty() {
            answer = answer.part(Part::Change(lines));
        }
    }
    answer
}

/// A gap apart from whom it concerns: apps, any other app, conditions.
type Region = (Arc<BTreeSet<String>>, bool, Vec<Condition>);

/// Without users on one of the sides: which sign-ins of anybody came to be open, or ceased to be, by requirement.
fn regions(old: &Model, new: &Model) -> Vec<(Fact, Vec<Action>)> {
    const ASKED: [(&str, Requirement); 3] = [
        ("multifactor authentication", Requirement::Mfa),
        ("a compliant or hybrid joined device", Requirement::ManagedDevice),
        ("a block", Requirement::Block),
    ];
    let open = |model: &Model, requirement: &Requirement| -> BTreeSet<Region> {
        let coverage = model.coverage(requirement, &Scope::default());
        let gaps = coverage.gaps().iter().filter(|gap| gap.sure);
        gaps.map(|gap| (gap.apps.clone(), gap.any_app, gap.conditions.clone())).collect()
    };
    let mut facts = Vec::new();
    for (name, requirement) in &ASKED {
        let (was, is) = (open(old, requirement), open(new, requirement));
        let one = |key: &str, region: &Region| (region_fact(key, name, (region, &new.snapshot)), Vec::new());
        facts.extend(is.difference(&was).map(|region| one("diff.opened", region)));
        facts.extend(was.difference(&is).map(|region| one("diff.closed", region)));
    }
    facts
}

fn region_fact(key: &str, requirement: &str, ((apps, any_app, conditions), snapshot): (&Region, &Snapshot)) -> Fact {
    let names: Vec<String> = apps.iter().map(|id| app_name(snapshot, id)).collect();
    said(key)
        .with("requirement", Term::Word(requirement.to_owned()))
        .with("any", u64::from(*any_app))
        .with("apps", Term::Names(names))
        .with("conditions", Term::Name(conditions_word(conditions)))
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
    let parts =
        [("diff.looser", &shift.looser), ("diff.elsewhere", &shift.elsewhere), ("diff.stricter", &shift.stricter)];
    let fact = |(key, ids): (&str, &BTreeSet<String>)| {
        let names = ids
            .iter()
            .map(|id| after.directory.user(id).map_or_else(|| id.clone(), |user| user.display_name.to_string()));
        said(key)
            .with("people", ids.len())
            .with("requirement", Term::Word(shift.requirement.clone()))
            .with("names", Term::Names(names.collect()))
    };
    parts.into_iter().filter(|(_, ids)| !ids.is_empty()).map(fact).collect()
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
