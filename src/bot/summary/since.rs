//! What changed since the last summary: policies, groups that policies exclude, named locations.
//!
//! Two readings are compared, so that nested and dynamic memberships count too. Without an earlier reading the audit log
//! of the last day has to do.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::app::App;
use crate::bot::alert::new_records;
use crate::bot::analysis::Analysis;
use crate::bot::watch::changed_group;
use crate::checks::rows;
use crate::facts::{Fact, Row, Term};
use crate::tenant::policy::PolicyState;
use crate::tenant::{AuditRecord, Policy, Snapshot, version_of};

use super::Remembered;
use super::lost::Earlier;

/// What changed, with the rows that show it.
#[derive(Debug, Default)]
pub(super) struct Since {
    /// From when on.
    pub(super) from: Timestamp,
    /// Names of policies that were added, removed or changed.
    policies: Vec<String>,
    /// Exclusion groups with how many joined and left.
    groups: Vec<(String, u64, u64)>,
    /// Names of locations that were added, removed or changed.
    locations: Vec<String>,
    rows: Vec<Row>,
    /// Records of the audit log that may be what did it, newest first.
    pub(super) records: Vec<AuditRecord>,
    /// The earlier reading, where it is still there.
    pub(super) before: Option<Earlier>,
    /// Policies that were On, as they were before they were changed or removed.
    pub(super) earlier: Vec<Policy>,
}

impl Since {
    /// What changed since the last summary, or in the last day where there is none to compare with.
    pub(super) async fn of(app: &App, analysis: &Analysis, before: Option<&Remembered>) -> Self {
        let Some(before) = before else {
            return Self::logged(analysis, app.clock.now() - SignedDuration::from_hours(24));
        };
        if before.snapshot == analysis.hash {
            return Self { from: before.at, ..Self::default() };
        }
        match app.store.load_snapshot(&before.snapshot).await {
            Ok(earlier) => {
                let since = Self::compared(&earlier, analysis.snapshot());
                Self { from: before.at, before: Some(Earlier::new(&before.snapshot, earlier)), ..since }
            }
            // Readings aren't kept for ever: the audit log says what it holds.
            Err(_) => Self::logged(analysis, before.at),
        }
    }

    /// Whether nothing did.
    pub(super) fn is_nothing(&self) -> bool {
        self.policies.is_empty() && self.groups.is_empty() && self.locations.is_empty()
    }

    /// In one line, with counts.
    pub(super) fn fact(&self, analysis: &Analysis) -> Fact {
        let member = |(name, plus, minus): &(String, u64, u64)| match (plus, minus) {
            (plus, 0) => format!("{name} +{plus}"),
            (0, minus) => format!("{name} −{minus}"),
            (plus, minus) => format!("{name} +{plus} −{minus}"),
        };
        Fact::new("summary.changed", analysis.evidence(self.rows.iter().cloned()))
            .with("policies", self.policies.len())
            .with("policy_names", self.policies.clone())
            .with("groups", self.groups.len())
            .with("group_names", self.groups.iter().map(member).collect::<Vec<_>>())
            .with("locations", self.locations.len())
            .with("location_names", self.locations.clone())
            .with("since", Term::Time(self.from))
    }

    fn compared(before: &Snapshot, after: &Snapshot) -> Self {
        let mut since = Self::default();
        since.compare_policies(before, after);
        since.compare_groups(before, after);
        since.records = new_records(before, after).into_iter().cloned().collect();
        let changed = |id: &&String| before.locations.get(*id) != after.locations.get(*id);
        let ids: BTreeSet<&String> = before.locations.keys().chain(after.locations.keys()).collect();
        for id in ids.into_iter().filter(changed) {
            let Some(location) = after.locations.get(id).or_else(|| before.locations.get(id)) else { continue };
            let name = location.display_name.clone();
            let what = "Named location".to_owned();
            since.rows.push(Row::Object { what, id: id.clone(), name: name.clone(), note: String::new() });
            since.locations.push(name);
        }
        since
    }

    fn compare_policies(&mut self, before: &Snapshot, after: &Snapshot) {
        let versions = |snapshot: &Snapshot| -> BTreeMap<String, String> {
            snapshot.policies.iter().map(|policy| (policy.id.clone(), version_of(policy))).collect()
        };
        let (old, new) = (versions(before), versions(after));
        let ids: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for id in ids.into_iter().filter(|id| old.get(*id) != new.get(*id)) {
            let Some(policy) = after.policy(id).or_else(|| before.policy(id)) else { continue };
            self.policies.push(policy.display_name.clone());
            self.rows.push(rows::policy(policy));
            self.earlier.extend(before.policy(id).filter(|old| old.state == PolicyState::Enabled).cloned());
        }
    }

    fn compare_groups(&mut self, before: &Snapshot, after: &Snapshot) {
        for id in excluded_groups(after) {
            let (old, new) = (members(before, id), members(after, id));
            let (plus, minus) = (new.difference(&old).count(), old.difference(&new).count());
            let Some(group) = after.directory.groups.get(id).filter(|_| plus + minus > 0) else { continue };
            self.groups.push((group.display_name.clone(), plus as u64, minus as u64));
            self.rows.push(rows::group(group));
        }
    }

    /// By the audit log: each object once, members of exclusion groups as the log counts them.
    fn logged(analysis: &Analysis, from: Timestamp) -> Self {
        let mut since = Self { from, ..Self::default() };
        let snapshot = analysis.snapshot();
        let excluded = excluded_groups(snapshot);
        for record in snapshot.audits.iter().filter(|record| record.at >= from) {
            let activity = record.activity.to_lowercase();
            if activity.contains("conditional access policy") {
                name_once(&mut since.policies, record);
            } else if activity.contains("named location") {
                name_once(&mut since.locations, record);
            } else if let Some(group) = activity.contains("member").then(|| changed_group(record)).flatten()
                && excluded.contains(&group)
            {
                since.count_member(&group, snapshot, activity.starts_with("add"));
            } else {
                continue;
            }
            since.rows.push(rows::audit(record));
            since.records.insert(0, record.clone());
        }
        since
    }

    fn count_member(&mut self, group: &str, snapshot: &Snapshot, joined: bool) {
        let Some(name) = snapshot.directory.groups.get(group).map(|group| &group.display_name) else { return };
        let at = self.groups.iter().position(|(known, ..)| known == name).unwrap_or(self.groups.len());
        if at == self.groups.len() {
            self.groups.push((name.clone(), 0, 0));
        }
        if let Some((_, plus, minus)) = self.groups.get_mut(at) {
            *(if joined { plus } else { minus }) += 1;
        }
    }
}

fn name_once(names: &mut Vec<String>, record: &AuditRecord) {
    if !names.contains(&record.target_name) {
        names.push(record.target_name.clone());
    }
}

/// Groups that a policy that is On excludes.
fn excluded_groups(snapshot: &Snapshot) -> BTreeSet<&String> {
    let on = |policy: &&Policy| policy.state == PolicyState::Enabled;
    snapshot.policies.iter().filter(on).flat_map(|policy| &policy.conditions.users.exclude.groups).collect()
}

/// Object ids of a group's members, nested ones included.
fn members<'a>(snapshot: &'a Snapshot, group: &str) -> BTreeSet<&'a str> {
    let members = snapshot.directory.groups.get(group).and_then(|group| group.transitive.as_deref());
    let users = members.into_iter().flatten().filter_map(|at| snapshot.directory.user_at(at));
    users.map(|user| user.id.as_str()).collect()
}
