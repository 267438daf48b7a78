//! In which order to turn a policy On: from small groups that hardly notice to everybody, by its impact on past sign-ins.
//!
//! Groups that exist are preferred; where there are too few, slices by object id are proposed, which stay the same
//! however many people come and go. Emergency access accounts are in no phase, and a group that policies exclude begins
//! none, nor does one nested in it: whoever is in it was set apart on purpose.

use std::collections::{BTreeMap, BTreeSet};

use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use super::Model;
use super::replay::{Impact, Tally};
use crate::tenant::policy::Control;
use crate::tenant::{Group, Policy};

/// Shares of the people in scope that the phases before the last one reach together.
const TARGETS: [f64; 4] = [0.02, 0.1, 0.3, 0.6];
/// First digits of object ids (hexadecimal, so a sixteenth of the people each) that the slices take.
const SLICES: [&str; 4] = ["0", "12", "3456", "789ab"];
/// With fewer group phases than this, slices are proposed.
const ENOUGH: usize = 3;
/// Days that a phase lasts at least, so that a working week is in it.
const DAYS: u32 = 7;
/// A phase that blocks a larger share of sign-ins than this is not done, whatever was expected of it.
pub const TOLERATED_PERCENT: f64 = 1.0;

/// The phases in which a policy is turned On.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rollout {
    /// The phases, each adding people to those before it; the last one is everybody in scope.
    pub phases: Vec<Phase>,
    /// There were too few groups to begin with, so slices are proposed.
    pub sliced: bool,
}

/// One phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Phase {
    /// Whom it adds.
    pub selection: Selection,
    /// Positions of the people it adds.
    pub members: RoaringBitmap,
    /// What would have happened to their past sign-ins.
    pub expected: Tally,
    /// How many of them would have been prompted at least once.
    pub prompted: u64,
    /// How many of them would have been blocked at least once.
    pub blocked: u64,
    /// Object ids of those who lack what it takes, to be helped before the phase begins.
    pub unable: BTreeSet<String>,
    /// When the next phase may begin.
    pub exit: Exit,
}

/// Whom a phase adds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Selection {
    /// The members of these groups (object ids).
    Groups(Vec<String>),
    /// The members of a dynamic group to be made, by its rule.
    Slice {
        /// The rule, in the language of dynamic membership groups.
        rule: String,
    },
    /// Everybody in scope who isn't in a phase yet.
    Everybody,
}

/// The criterion by which a phase is done.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exit {
    /// Days at least.
    pub days: u32,
    /// What must hold then.
    pub criterion: Criterion,
}

/// What must hold at the end of a phase.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Criterion {
    /// At most this share of sign-ins is blocked, in percent.
    Blocked {
        /// The share.
        percent: f64,
    },
    /// To block is what the policy is for: nobody needs any more what it blocks.
    NoUse {
        /// How many people of the phase used it in the window of the log.
        people: u64,
    },
}

/// Whether a policy blocks whatever it applies to.
#[must_use]
pub fn blocks(policy: &Policy) -> bool {
    policy.grant.as_ref().is_some_and(|grant| grant.controls.contains(&Control::Block))
}

impl Model {
    /// Phases for turning `draft` On, given its impact on past sign-ins.
    #[must_use]
    pub fn rollout(&self, draft: &Policy, impact: &Impact) -> Rollout {
        let scope = self.in_scope(draft);
        let plan = Plan { model: self, impact, scope: &scope, blocks: blocks(draft) };
        let mut groups = self.groups_for(draft, &scope);
        groups.sort_by_cached_key(|group| {
            (plan.weight(&plan.members(group)), plan.members(group).len(), group.id.clone())
        });
        let mut phases = plan.by_groups(&groups);
        let slices = if phases.len() < ENOUGH && scope.len() > 1 { plan.by_slices() } else { Vec::new() };
        let sliced = !slices.is_empty();
        if sliced {
            phases = slices;
        }
        let reached = phases.iter().fold(RoaringBitmap::new(), |all, phase| all | &phase.members);
        let rest = &scope - reached;
        phases.extend((!rest.is_empty()).then(|| plan.phase(Selection::Everybody, rest)));
        Rollout { phases, sliced }
    }

    /// Enabled accounts that a draft reaches, or may reach, without those for emergency access.
    #[must_use]
    pub fn in_scope(&self, draft: &Policy) -> RoaringBitmap {
        let alone = self.with_draft_alone(draft);
        let reached = alone.users.first().map(|users| alone.positions(users).1);
        let users = &self.snapshot.directory;
        let counts =
            |position: &u32| users.user_at(*position).is_some_and(|user| user.enabled && !self.is_emergency(&user.id));
        reached.unwrap_or_default().iter().filter(counts).collect()
    }

    /// Groups to begin with: those that policies use already, or all others where these are too few.
    fn groups_for<'a>(&'a self, draft: &'a Policy, scope: &RoaringBitmap) -> Vec<&'a Group> {
        let users = || self.snapshot.policies.iter().chain([draft]).map(|policy| &policy.conditions.users);
        let used = users().flat_map(|users| &users.include.groups).collect::<BTreeSet<_>>();
        let excluded = self.with_nested(users().flat_map(|users| &users.exclude.groups));
        let emergency = self.snapshot.emergency_access();
        let fits = |group: &&Group| {
            let Some(everybody) = group.transitive.as_deref() else { return false };
            let members = everybody & scope;
            let part = !members.is_empty() && members.len() < scope.len();
            part && everybody.is_disjoint(&emergency) && !excluded.contains(&group.id)
        };
        let all = self.snapshot.directory.groups.values().filter(fits).collect::<Vec<_>>();
        let known = all.iter().copied().filter(|group| used.contains(&group.id)).collect::<Vec<_>>();
        if known.len() > TARGETS.len() { known } else { all }
    }

    /// These groups and all that are nested in them, by id.
    fn with_nested<'a>(&'a self, groups: impl Iterator<Item = &'a String>) -> BTreeSet<&'a String> {
        let mut found = BTreeSet::new();
        let mut open = groups.collect::<Vec<_>>();
        while let Some(id) = open.pop() {
            if found.insert(id) {
                let group = self.snapshot.directory.groups.get(id);
                open.extend(group.into_iter().flat_map(|group| &group.member_groups));
            }
        }
        found
    }
}

struct Plan<'a> {
    model: &'a Model,
    impact: &'a Impact,
    scope: &'a RoaringBitmap,
    /// The policy blocks whatever it applies to.
    blocks: bool,
}

impl Plan<'_> {
    fn members(&self, group: &Group) -> RoaringBitmap {
        group.transitive.as_deref().map(|members| members & self.scope).unwrap_or_default()
    }

    /// Prompts and blocks that these people would have had.
    fn weight(&self, members: &RoaringBitmap) -> u64 {
        self.tallies(members).map(|(_, tally)| tally.action_required + tally.failure).sum()
    }

    fn tallies<'s>(&'s self, members: &'s RoaringBitmap) -> impl Iterator<Item = (&'s str, &'s Tally)> {
        let users = members.iter().filter_map(|position| self.model.snapshot.directory.user_at(position));
        users.filter_map(|user| Some((user.id.as_str(), self.impact.users.get(user.id.as_str())?)))
    }

    /// Groups in order until each target is reached.
    fn by_groups(&self, groups: &[&Group]) -> Vec<Phase> {
        let mut reached = RoaringBitmap::new();
        let mut rest = groups.iter();
        let mut phases = Vec::new();
        for target in TARGETS {
            let (mut ids, mut added) = (Vec::new(), RoaringBitmap::new());
            while share(reached.len() + added.len(), self.scope.len()) < target {
                let Some(group) = rest.next() else { break };
                let fresh = self.members(group) - &reached - &added;
                if !fresh.is_empty() {
                    ids.push(group.id.clone());
                    added |= fresh;
                }
            }
            if !ids.is_empty() {
                reached |= &added;
                phases.push(self.phase(Selection::Groups(ids), added));
            }
        }
        phases
    }

    /// Slices by the first digit of the object id.
    fn by_slices(&self) -> Vec<Phase> {
        let digit = |position: u32| self.model.snapshot.directory.user_at(position)?.id.chars().next();
        let slices = SLICES.iter().map(|digits| {
            let members =
                self.scope.iter().filter(|position| digit(*position).is_some_and(|digit| digits.contains(digit)));
            let parts =
                digits.chars().map(|digit| format!("(user.objectId -startsWith \"{digit}\")")).collect::<Vec<_>>();
            self.phase(Selection::Slice { rule: parts.join(" -or ") }, members.collect())
        });
        slices.filter(|phase| !phase.members.is_empty()).collect()
    }

    fn phase(&self, selection: Selection, members: RoaringBitmap) -> Phase {
        let tallies = self.tallies(&members).collect::<BTreeMap<_, _>>();
        let expected = tallies.values().fold(Tally::default(), |all, tally| all.plus(tally));
        let count = |hit: fn(&Tally) -> bool| {
            u64::try_from(tallies.values().filter(|tally| hit(tally)).count()).unwrap_or(u64::MAX)
        };
        let blocked = count(|tally| tally.failure > 0);
        let criterion = if self.blocks {
            Criterion::NoUse { people: blocked }
        } else {
            Criterion::Blocked { percent: TOLERATED_PERCENT }
        };
        Phase {
            selection,
            expected,
            prompted: count(|tally| tally.action_required > 0),
            blocked,
            unable: tallies
                .keys()
                .filter(|id| self.impact.unable.contains_key(**id))
                .map(|id| (*id).to_owned())
                .collect(),
            exit: Exit { days: DAYS, criterion },
            members,
        }
    }
}

/// A part of a whole; nothing of nothing.
fn share(part: u64, whole: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of people and sign-ins are far below 2^52")]
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::tenant::read::{read_group, read_sign_in, read_user};
    use crate::tenant::{Kind, Reading, Snapshot, SnapshotBuilder, read_policy};

    /// A hundred people, of whom the tenth group of ten signs in without MFA; object ids begin with their number.
    fn model(groups: usize) -> Model {
        let mut builder = SnapshotBuilder::default();
        for kind in [Kind::Users, Kind::Groups] {
            builder.reading(kind, Reading::Complete { count: 1 });
        }
        for number in 0..100 {
            builder.user(read_user(&json!({"id": format!("{number:02}")})).unwrap());
        }
        for group in 0..groups {
            let members = (0..10).map(|member| format!("{group}{member}")).collect::<Vec<_>>();
            builder.group(read_group(&json!({"id": format!("g{group}"), "members": members})).unwrap());
        }
        for member in 0..3 {
            let row = json!({"createdDateTime": "2026-11-20T10:00:00Z", "userId": format!("0{member}"), "resourceId": "r", "clientAppUsed": "Browser"});
            builder.sign_in(read_sign_in(&row).unwrap());
        }
        builder.snapshot.settings.emergency_access.insert("99".into());
        Model::new(Arc::new(builder.build()))
    }

    fn rollout(groups: usize) -> Rollout {
        rollout_of(&model(groups), "mfa")
    }

    fn rollout_of(model: &Model, control: &str) -> Rollout {
        let draft = json!({"state": "disabled", "conditions": {"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}},
            "grantControls": {"operator": "OR", "builtInControls": [control]}});
        let draft = read_policy(&draft).unwrap();
        model.rollout(&draft, &model.impact(&draft))
    }

    #[test]
    fn phases_grow_and_leave_out_emergency_access() {
        let rollout = rollout(10);
        assert!(!rollout.sliced);
        let sizes = rollout.phases.iter().map(|phase| phase.members.len()).collect::<Vec<_>>();
        assert_eq!(sizes.iter().sum::<u64>(), 99);
        assert_eq!(rollout.phases.last().unwrap().selection, Selection::Everybody);
        assert!(rollout.phases.iter().all(|phase| !phase.members.contains(99)));
    }

    #[test]
    fn who_notices_comes_late() {
        let rollout = rollout(10);
        let first = rollout.phases.iter().position(|phase| phase.prompted > 0).unwrap();
        assert_eq!(first, rollout.phases.len() - 1);
        let last = rollout.phases.last().unwrap();
        assert_eq!((last.prompted, last.expected.action_required, last.blocked), (3, 3, 0));
    }

    #[test]
    fn with_too_few_groups_people_are_sliced() {
        let rollout = rollout(1);
        assert!(rollout.sliced);
        let first = rollout.phases.first().unwrap();
        assert_eq!(first.selection, Selection::Slice { rule: "(user.objectId -startsWith \"0\")".into() });
        assert_eq!(first.members.len(), 10);
        assert_eq!(rollout.phases.iter().map(|phase| phase.members.len()).sum::<u64>(), 99);
    }

    #[test]
    fn a_phase_is_done_when_it_blocks_hardly_anybody() {
        let exit = rollout(1).phases.first().unwrap().exit;
        assert_eq!(exit, Exit { days: 7, criterion: Criterion::Blocked { percent: 1.0 } });
    }

    #[test]
    fn a_block_is_done_when_nobody_needs_what_it_blocks() {
        let rollout = rollout_of(&model(1), "block");
        let using = rollout.phases.iter().map(|phase| match phase.exit.criterion {
            Criterion::NoUse { people } => people,
            Criterion::Blocked { percent } => panic!("a block is no share of sign-ins: {percent}"),
        });
        assert_eq!(using.sum::<u64>(), 3);
    }

    #[test]
    fn whom_policies_exclude_and_who_is_kept_for_emergencies_begin_no_phase() {
        let mut snapshot = Snapshot::clone(&model(10).snapshot);
        let excluding = json!({"id": "p", "state": "enabled", "conditions": {"users": {"includeUsers": ["All"],
            "excludeGroups": ["g3"]}, "applications": {"includeApplications": ["All"]}},
            "grantControls": {"operator": "OR", "builtInControls": ["mfa"]}});
        snapshot.policies.push(read_policy(&excluding).unwrap());
        let rollout = rollout_of(&Model::new(Arc::new(snapshot)), "mfa");
        let begun = rollout.phases.iter().flat_map(|phase| match &phase.selection {
            Selection::Groups(ids) => ids.clone(),
            _ => Vec::new(),
        });
        let begun = begun.collect::<Vec<_>>();
        // Account 99 of the group g9 is for emergencies.
        assert!(
            !begun.is_empty() && !begun.contains(&"g3".to_owned()) && !begun.contains(&"g9".to_owned()),
            "{begun:?}"
        );
    }
}
