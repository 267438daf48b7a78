//! Findings over time: what is suggested, what became of it, and what administrators never want to hear again.
//!
//! A finding's cure becomes a [`Proposal`] with a fingerprint that is the same from scan to scan; [`merged`] makes one of
//! those with the same cure. [`reconcile`] compares the
//! proposals of a scan with what is known and says what to do; a known one is not said twice.

pub mod draft;
pub mod lint;
mod merge;
pub mod terraform;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::checks::hand_over::{changed_parts, edited_policy};
use crate::checks::{About, Cure, CureAction, Finding, HandOver, Severity, Verdict};
use crate::facts::{Evidence, Fact};
use crate::tenant::{Snapshot, short_hash};

pub use draft::ReportOnlyPolicy;
pub use lint::{Objection, lint};
pub use merge::merged;

/// A cure of a finding, ready to be suggested.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// The same from scan to scan: what is done to which object.
    pub fingerprint: String,
    /// Id of the check; of several, the one that weighs most.
    pub check: String,
    /// Ids of all checks that found it, that one first.
    #[serde(default)]
    pub checks: Vec<String>,
    /// What it is about beyond the check.
    pub subject: String,
    /// How bad it is to leave it.
    pub severity: Severity,
    /// One line.
    pub title: String,
    /// A new policy or a change for a person to make.
    pub action: CureAction,
    /// What the finding rests on; the first fact is the headline.
    pub facts: Vec<Fact>,
    /// The part of it that this cure mends; empty: all of it.
    #[serde(default)]
    pub why: Vec<Fact>,
    /// Those of the checks that need other cures beside it.
    #[serde(default)]
    pub partly: BTreeSet<String>,
    /// What was not checked.
    pub not_checked: Vec<String>,
    /// Who leaves a group, one by one, where that is what it asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaving: Option<Evidence>,
}

impl Proposal {
    /// A proposal for each cure of a finding that failed or needs a manual look.
    #[must_use]
    pub fn of(finding: &Finding, about: &About, snapshot: &Snapshot) -> Vec<Self> {
        if !matches!(finding.verdict, Verdict::Fail | Verdict::Review) {
            return Vec::new();
        }
        let proposal = |cure| Self {
            fingerprint: fingerprint_of(about.id, cure, snapshot),
            ..Self::from_cure(cure, finding, about)
        };
        finding.cures.iter().map(proposal).collect()
    }

    fn from_cure(cure: &Cure, finding: &Finding, about: &About) -> Self {
        Self {
            fingerprint: String::new(),
            check: about.id.to_owned(),
            checks: vec![about.id.to_owned()],
            subject: cure.subject.clone(),
            severity: about.severity,
            title: cure.title.clone(),
            action: cure.action.clone(),
            facts: finding.facts.clone(),
            why: cure.why.clone(),
            partly: cure.partly.then(|| about.id.to_owned()).into_iter().collect(),
            not_checked: finding.not_checked.clone(),
            leaving: None,
        }
    }

    /// The very rows that its title speaks of: those who leave a group; else what its first reason rests on.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        let reason = || self.reasons().first().map(|fact| fact.evidence.clone());
        self.leaving.clone().or_else(reason).unwrap_or_default()
    }

    /// Why this very cure is suggested, most telling first.
    #[must_use]
    pub fn reasons(&self) -> &[Fact] {
        if self.why.is_empty() { &self.facts } else { &self.why }
    }

    /// The first reason, and the next one that doesn't say the same of fewer people.
    #[must_use]
    pub fn told_reasons(&self) -> Vec<Fact> {
        let Some((first, others)) = self.reasons().split_first() else { return Vec::new() };
        let second = others.iter().find(|reason| !first.says_as(reason));
        [first].into_iter().chain(second).cloned().collect()
    }

    /// The checks that pass once it is done, and those to which it is one cure of several.
    #[must_use]
    pub fn settles(&self) -> (Vec<&str>, Vec<&str>) {
        self.checks.iter().map(String::as_str).partition(|check| !self.partly.contains(*check))
    }

    /// Whether it takes this account, and no other, out of a group. What is about several people is not silenced for one.
    fn is_about_just(&self, id: &str) -> bool {
        matches!(&self.action, CureAction::HandOver(change) if change.members == [id])
    }

    /// Ids and names of what it acts on, for standing instructions. What it only mentions is not among them: silence
    /// about one group must not silence a policy for everybody.
    fn objects(&self) -> BTreeSet<String> {
        let mut objects = BTreeSet::from([self.subject.to_lowercase()]);
        match &self.action {
            CureAction::HandOver(change) => {
                objects.extend([change.target_id.to_lowercase(), change.target_name.to_lowercase()]);
            }
            CureAction::Draft(draft) => {
                let users = &draft.conditions.users.include;
                let named = users.groups.iter().chain(&users.roles).chain(&draft.conditions.applications.include);
                objects.extend(named.map(|id| id.to_lowercase()));
            }
        }
        objects
    }
}

/// What is done to which object, whatever the numbers are today and whichever check asks for it. A new policy is told
/// from others by the check that asks for it, an edit of a policy by what it puts in and takes out: under one fingerprint
/// two edits would be one suggestion, and all but the last of them lost.
fn fingerprint_of(check: &str, cure: &Cure, snapshot: &Snapshot) -> String {
    let CureAction::HandOver(change) = &cure.action else { return fingerprint(check, &cure.subject) };
    let fields: Vec<&str> =
        change.changes.iter().map(|(label, ..)| label.as_str()).filter(|label| *label != "Before").collect();
    let object = if cure.subject == change.target_id {
        cure.subject.clone()
    } else {
        format!("{}/{}", change.target_id, cure.subject)
    };
    let part = edit_of(change, snapshot).map(|part| format!("/{part}")).unwrap_or_default();
    format!("{}/{object}/{}{part}", change.target_kind, fields.join("+"))
}

/// A short hash of what an edit of a policy changes; none of any other change. Accounts are not told one by one: who is
/// named changes from day to day, and the edit stays the same.
fn edit_of(change: &HandOver, snapshot: &Snapshot) -> Option<String> {
    let policy = snapshot.policy(&change.target_id)?;
    let parts = changed_parts(policy, &edited_policy(change, policy)?);
    let kinds: BTreeSet<&str> =
        parts.iter().map(|part| part.split_once("Users=").map_or(part.as_str(), |(path, _)| path)).collect();
    Some(short_hash(&kinds.into_iter().collect::<Vec<_>>().join("\n")))
}

/// The same for the same check and subject, whatever the numbers are today.
#[must_use]
pub fn fingerprint(check: &str, subject: &str) -> String {
    if subject.is_empty() { check.to_owned() } else { format!("{check}/{subject}") }
}

/// A standing instruction: "never suggest CHECK [for OBJECT] [until DATE]".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instruction {
    /// Its number: I-4 is 4.
    pub number: i64,
    /// Id of the check; none means every check.
    pub check: Option<String>,
    /// Id or name of an object; none means every object.
    pub object: Option<String>,
    /// Until when; none means for good.
    pub until: Option<Timestamp>,
}

impl Instruction {
    /// Whether it keeps this proposal from being suggested at `now` under one of the checks that found it.
    fn covers(&self, check: &str, proposal: &Proposal, now: Timestamp) -> bool {
        let in_force = self.until.is_none_or(|until| now < until);
        let same_check = self.check.as_ref().is_none_or(|known| known == check);
        let same_object = self
            .object
            .as_ref()
            .is_none_or(|object| proposal.objects().contains(&object.to_lowercase()) || proposal.is_about_just(object));
        in_force && same_check && same_object
    }
}

/// The instruction that keeps a proposal from being suggested: each check that found it must be silenced, or another
/// of them still asks for it. The first one is named.
#[must_use]
pub fn silencer<'a>(instructions: &'a [Instruction], proposal: &Proposal, now: Timestamp) -> Option<&'a Instruction> {
    let of = |check: &str| instructions.iter().find(|instruction| instruction.covers(check, proposal, now));
    let silenced: Option<Vec<&Instruction>> = proposal.checks.iter().map(|check| of(check)).collect();
    silenced?.first().copied()
}

/// Where a suggestion stands, as far as a scan cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// Open, out of date, or handed over: a scan may refresh or resolve it.
    Live,
    /// Put off until then.
    Snoozed(Timestamp),
    /// Turned down for good.
    Dismissed,
    /// Being created, or waiting for a person: a scan leaves it alone.
    Busy,
    /// Its policy exists in report-only; the finding stays open until a person turns the policy on.
    Created,
    /// Resolved, expired or undone: the same finding may be suggested anew.
    Over,
}

/// What a scan does about one suggestion.
#[derive(Clone, Debug, PartialEq)]
pub enum Move {
    /// Suggest it for the first time, or anew.
    Open(Box<Proposal>),
    /// It is known: keep its number, show today's numbers, say nothing.
    Refresh(String, Box<Proposal>),
    /// It was put off and the time is over: show it again.
    Wake(String, Box<Proposal>),
    /// The finding is gone: close it, with the check's verdict as evidence.
    Resolve(String),
    /// Not suggested because of this instruction.
    Suppress(i64, Box<Proposal>),
}

/// What to do about the proposals of a scan, given what is known by fingerprint. Those in `undecided` couldn't be judged
/// this time (a kind of data was missing): they are neither resolved nor repeated.
#[must_use]
pub fn reconcile(
    proposals: Vec<Proposal>,
    known: &BTreeMap<String, Standing>,
    instructions: &[Instruction],
    undecided: &BTreeSet<String>,
    now: Timestamp,
) -> Vec<Move> {
    let found: BTreeSet<String> = proposals.iter().map(|proposal| proposal.fingerprint.clone()).collect();
    let mut moves: Vec<Move> =
        proposals.into_iter().filter_map(|proposal| one(proposal, known, instructions, now)).collect();
    let gone = known.iter().filter(|(fingerprint, standing)| {
        let open = matches!(standing, Standing::Live | Standing::Snoozed(_) | Standing::Created);
        open && !found.contains(*fingerprint) && !undecided.contains(*fingerprint)
    });
    moves.extend(gone.map(|(fingerprint, _)| Move::Resolve(fingerprint.clone())));
    moves
}

fn one(
    proposal: Proposal,
    known: &BTreeMap<String, Standing>,
    instructions: &[Instruction],
    now: Timestamp,
) -> Option<Move> {
    let proposal = Box::new(proposal);
    let standing = known.get(&proposal.fingerprint).copied();
    if standing.is_none_or(|standing| standing == Standing::Over)
        && let Some(instruction) = silencer(instructions, &proposal, now)
    {
        return Some(Move::Suppress(instruction.number, proposal));
    }
    let fingerprint = proposal.fingerprint.clone();
    match standing {
        None | Some(Standing::Over) => Some(Move::Open(proposal)),
        Some(Standing::Live | Standing::Created) => Some(Move::Refresh(fingerprint, proposal)),
        Some(Standing::Snoozed(until)) if until <= now => Some(Move::Wake(fingerprint, proposal)),
        Some(Standing::Snoozed(_) | Standing::Dismissed | Standing::Busy) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::HandOver;
    use crate::facts::Term;

    fn proposal(check: &str, subject: &str) -> Proposal {
        Proposal {
            fingerprint: fingerprint(check, subject),
            check: check.into(),
            checks: vec![check.into()],
            subject: subject.into(),
            severity: Severity::High,
            title: "t".into(),
            action: CureAction::HandOver(Box::new(HandOver { target_name: "CA-Excl".into(), ..HandOver::default() })),
            facts: Vec::new(),
            why: Vec::new(),
            partly: BTreeSet::new(),
            not_checked: Vec::new(),
            leaving: None,
        }
    }

    fn at(day: i64) -> Timestamp {
        Timestamp::from_second(day * 86_400).unwrap()
    }

    fn moves(known: &[(&str, Standing)], instructions: &[Instruction]) -> Vec<Move> {
        let known = known.iter().map(|(print, standing)| ((*print).to_owned(), *standing)).collect();
        reconcile(vec![proposal("mfa", "g1")], &known, instructions, &BTreeSet::new(), at(10))
    }

    #[test]
    fn a_new_one_is_opened_and_a_known_one_is_not_said_twice() {
        assert!(matches!(moves(&[], &[])[..], [Move::Open(_)]));
        assert!(matches!(moves(&[("mfa/g1", Standing::Live)], &[])[..], [Move::Refresh(..)]));
        assert!(moves(&[("mfa/g1", Standing::Dismissed)], &[]).is_empty());
        assert!(moves(&[("mfa/g1", Standing::Busy)], &[]).is_empty());
    }

    #[test]
    fn the_same_reason_of_fewer_people_is_not_told_beside_the_first() {
        let reason = |key: &str, who: u64, group: &str| {
            Fact::new(key, Evidence::default()).with("who", who).with("group", Term::Name(group.into()))
        };
        let why = vec![reason("a", 29, "g"), reason("a", 23, "g"), reason("a", 23, "h"), reason("b", 29, "g")];
        let told = Proposal { why: why.clone(), ..proposal("mfa", "g") }.told_reasons();
        assert_eq!(told, [why[0].clone(), why[2].clone()]);
    }

    #[test]
    fn a_snoozed_one_wakes_when_its_time_is_over() {
        assert!(moves(&[("mfa/g1", Standing::Snoozed(at(11)))], &[]).is_empty());
        assert!(matches!(moves(&[("mfa/g1", Standing::Snoozed(at(10)))], &[])[..], [Move::Wake(..)]));
    }

    #[test]
    fn what_is_gone_is_resolved_unless_it_could_not_be_judged() {
        let known = BTreeMap::from([("legacy".to_owned(), Standing::Live)]);
        let gone = reconcile(Vec::new(), &known, &[], &BTreeSet::new(), at(1));
        assert_eq!(gone, [Move::Resolve("legacy".into())]);
        assert!(reconcile(Vec::new(), &known, &[], &BTreeSet::from(["legacy".into()]), at(1)).is_empty());
    }

    #[test]
    fn an_instruction_is_obeyed_for_its_check_its_object_and_its_time() {
        let instruction = |check: Option<&str>, object: Option<&str>, until| Instruction {
            number: 4,
            check: check.map(str::to_owned),
            object: object.map(str::to_owned),
            until,
        };
        let suppressed = |instruction| matches!(moves(&[], &[instruction])[..], [Move::Suppress(4, _)]);
        assert!(suppressed(instruction(Some("mfa"), None, None)));
        assert!(suppressed(instruction(None, Some("ca-excl"), None)));
        assert!(suppressed(instruction(Some("mfa"), Some("G1"), Some(at(11)))));
        assert!(!suppressed(instruction(Some("mfa"), None, Some(at(10)))));
        assert!(!suppressed(instruction(Some("mfa"), Some("other"), None)));
        assert!(!suppressed(instruction(Some("legacy"), None, None)));
    }

    #[test]
    fn what_two_checks_found_is_silenced_only_for_both() {
        let both = Proposal { checks: vec!["mfa".into(), "admins".into()], ..proposal("mfa", "g1") };
        let never = |number, check: &str| Instruction { number, check: Some(check.into()), object: None, until: None };
        let by = |instructions: &[Instruction]| silencer(instructions, &both, at(1)).map(|found| found.number);
        assert_eq!(by(&[never(1, "mfa")]), None);
        assert_eq!(by(&[never(2, "admins"), never(3, "mfa")]), Some(3));
    }
}
