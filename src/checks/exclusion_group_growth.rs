//! No group that is excluded from a policy has grown.

use std::collections::{BTreeMap, BTreeSet};

use roaring::RoaringBitmap;

use crate::facts::{Fact, Row, Term};
use crate::tenant::directory::Group;
use crate::tenant::policy::PolicyState;
use crate::tenant::{AuditRecord, Kind, Policy, Snapshot};

use super::accounts::emergency_access;
use super::listing::{self, Listed};
use super::{About, Check, Context, CureKind, Finding, Severity, Threshold, Verdict, hand_over, rows};

/// No group that is excluded from a policy has grown.
#[derive(Debug)]
pub(super) struct ExclusionGroupGrowth;

static ABOUT: About = About {
    id: "exclusion-group-growth",
    title: "Exclusion groups that grew",
    severity: Severity::High,
    rationale: "Whoever joins an exclusion group leaves a policy without any change of the policy. A nested group brings all its members.",
    references: &[],
    see_also: &["MT.1035", "MT.1036"],
    licence: "P1",
    thresholds: &[MEMBERS],
    cure: CureKind::Edit,
};

const MEMBERS: Threshold =
    Threshold { name: "members", default: 5.0, meaning: "new members, nested ones included, that are too many" };

impl Check for ExclusionGroupGrowth {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        if !snapshot.has(Kind::DirectoryAudits) || !snapshot.has(Kind::Groups) {
            let mut finding = listing::open(context, ABOUT.id, "exclusion_group_growth.review", Verdict::Review);
            finding
                .not_checked
                .push("who joined which group (directoryAudits.json with groups.json would settle it)".to_owned());
            return finding;
        }
        let least = context.threshold(ABOUT.id, &MEMBERS);
        let groups = excluded(snapshot).into_iter().filter_map(|(id, policies)| {
            let group = snapshot.directory.groups.get(id)?;
            let (joined, records) = joined(group, snapshot);
            #[expect(clippy::cast_precision_loss, reason = "a tenant has far fewer than 2^52 users")]
            let many = joined.len() as f64 >= least;
            many.then(|| listed(context, (group, &policies), &joined, &records))
        });
        let mut finding = listing::finding(context, (ABOUT.id, "exclusion_group_growth"), groups.collect());
        finding.not_checked.push("members that joined before the audit log's window".to_owned());
        finding
    }
}

/// Groups that are excluded from policies that are On, with those policies.
fn excluded(snapshot: &Snapshot) -> BTreeMap<&String, Vec<&Policy>> {
    let mut groups: BTreeMap<&String, Vec<&Policy>> = BTreeMap::new();
    for policy in snapshot.policies.iter().filter(|policy| policy.state == PolicyState::Enabled) {
        for id in &policy.conditions.users.exclude.groups {
            groups.entry(id).or_default().push(policy);
        }
    }
    groups
}

/// Users that the audit log saw joining, directly or with a nested group, and that are still in; and the records.
fn joined<'a>(group: &Group, snapshot: &'a Snapshot) -> (RoaringBitmap, Vec<&'a AuditRecord>) {
    let directory = &snapshot.directory;
    let quoted = format!("\"{}\"", group.id);
    let into = |record: &&AuditRecord| {
        record.activity == "Add member to group"
            && record.changes.iter().any(|(name, _, new)| name == "Group.ObjectID" && new.as_deref() == Some(&quoted))
    };
    let records: Vec<&AuditRecord> = snapshot.audits.iter().filter(into).collect();
    let mut users = RoaringBitmap::new();
    for id in records.iter().map(|record| &record.target_id).collect::<BTreeSet<_>>() {
        users.extend(directory.user_index(id));
        if let Some(members) = directory.groups.get(id).and_then(|nested| nested.transitive.as_deref()) {
            users |= members;
        }
    }
    users &= &**group.transitive.as_ref().unwrap_or(&group.members);
    (users - emergency_access(snapshot), records)
}

fn listed(
    context: &Context<'_>,
    (group, policies): (&Group, &[&Policy]),
    joined: &RoaringBitmap,
    records: &[&AuditRecord],
) -> Listed {
    let snapshot = &context.model.snapshot;
    let head = [rows::group(group)].into_iter().chain(records.iter().map(|record| rows::audit(record)));
    let policy_rows = policies.iter().map(|policy| rows::policy(policy));
    let all: Vec<Row> = head.chain(policy_rows).chain(rows::users(joined, snapshot, Some(group))).collect();
    let names: Vec<String> = policies.iter().map(|policy| policy.display_name.clone()).collect();
    let last = records.iter().map(|record| record.at).max().unwrap_or(snapshot.read_at);
    let by = records.last().map_or_else(String::new, |record| record.by.clone());
    let members = group.transitive.as_ref().unwrap_or(&group.members).len();
    Listed {
        fact: Fact::new("exclusion_group_growth.group", context.evidence(all).within(snapshot.window))
            .with("group", Term::Name(group.display_name.clone()))
            .with("count", joined.len())
            .with("members", members)
            .with("policies", Term::Names(names))
            .with("at", last)
            .with("by", Term::Name(by)),
        cure: listing::hand_over(
            &group.id,
            format!("Take those who joined lately out of {}", group.display_name),
            hand_over::leave_group(group, joined, snapshot),
        ),
    }
}
