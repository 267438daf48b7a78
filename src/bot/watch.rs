//! Watches between scans: the audit log for changes, and approvals whose time has come.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::App;
use crate::checks::scopes::administrator_roles;
use crate::graph::GraphError;
use crate::jobs::Outcome;
use crate::log::Actor;
use crate::store::jobs::{Job, NewJob, Priority};
use crate::store::runs::RunState;
use crate::store::settings::Key;
use crate::tenant::{AuditRecord, Kind, Snapshot};

use super::{approve, handed, review};

/// Kind of the job that looks.
pub const JOB: &str = "watch";
/// The setting that remembers what of the audit log was looked at.
const SEEN: &str = "audits-looked-at";
/// Records appear in the log late, most within minutes: so far back is looked again.
const LATE: SignedDuration = SignedDuration::from_mins(30);

/// So long after a scan failed the next one begins, where there is nothing yet to answer from.
const AGAIN: SignedDuration = SignedDuration::from_mins(5);

/// What of the audit log was looked at.
#[derive(Debug, Serialize, Deserialize)]
struct Seen {
    /// Before this moment nothing is new.
    from: Timestamp,
    /// Records of the last while, by id.
    records: BTreeMap<String, Timestamp>,
}

impl Seen {
    fn is_new(&self, record: &AuditRecord) -> bool {
        record.at > self.from && !self.records.contains_key(&record.id)
    }

    /// With what a look brought; old ones are forgotten, because they can't come again.
    fn followed_by(mut self, records: &[AuditRecord]) -> Self {
        self.records.extend(records.iter().map(|record| (record.id.clone(), record.at)));
        let newest = self.records.values().max().copied().unwrap_or(self.from);
        self.from = self.from.max(newest.checked_sub(LATE).unwrap_or(newest));
        let from = self.from;
        self.records.retain(|_, at| *at >= from);
        self
    }
}

/// Looks once: a change of a policy, a location, a group that policies name or a role that counts starts a scan.
///
/// # Errors
/// When the store or the tenant fails; the next look sees the same changes.
pub async fn look(app: Arc<App>, _: Job) -> anyhow::Result<Outcome> {
    settle_due(&app).await?;
    approve::take_up(&app).await?;
    let Some(graph) = &app.graph else { return Ok(Outcome::Done) };
    begin_again(&app).await?;
    let now = app.clock.now();
    let seen: Option<Seen> = app.store.setting(app.tenant(), SEEN).await?;
    let seen = seen.unwrap_or_else(|| Seen { from: now - SignedDuration::from_mins(5), records: BTreeMap::new() });
    let records = match graph.audits_since(seen.from).await {
        Ok(records) => records,
        Err(error) => {
            // The next look sees the same changes, so this one is over.
            tracing::warn!(%error, "the audit log could not be read");
            return Ok(Outcome::Done);
        }
    };
    let new: Vec<AuditRecord> = records.iter().filter(|record| seen.is_new(record)).cloned().collect();
    if let Some(changed) = newest_that_matters(&app, &new).await? {
        review::request_for_change(&app, &changed.id).await?;
    }
    // What can't be compared holds up no scan; it is compared at the next look.
    if !settled(&app, &new).await? {
        return Ok(Outcome::Done);
    }
    app.store.set(Key { tenant: app.tenant(), name: SEEN, at: now }, &seen.followed_by(&records)).await?;
    Ok(Outcome::Done)
}

/// Asks for another scan where the last one failed and there is nothing whole to answer from yet: the first answers don't
/// wait for tomorrow's.
async fn begin_again(app: &App) -> anyhow::Result<()> {
    if app.newest_analysis().await?.is_some_and(|newest| !newest.snapshot().is_early()) {
        return Ok(());
    }
    let failed = app.store.newest_run(app.tenant()).await?.filter(|run| run.state == RunState::Failed);
    let ended = failed.and_then(|run| run.finished);
    if ended.is_some_and(|ended| app.clock.now().duration_since(ended) >= AGAIN) {
        review::request(app, &Actor::bot()).await?;
    }
    Ok(())
}

/// Settles what was handed over and done; false when the tenant couldn't be asked, and the next look has to see it again.
async fn settled(app: &App, new: &[AuditRecord]) -> anyhow::Result<bool> {
    let Some(analysis) = app.newest_analysis().await?.filter(|_| !new.is_empty()) else { return Ok(true) };
    match handed::look(app, analysis.snapshot(), new).await {
        Err(error) if error.is::<GraphError>() => {
            tracing::warn!(error = %format!("{error:#}"), "what was handed over could not be compared");
            Ok(false)
        }
        looked => looked.map(|()| true),
    }
}

/// The newest of these changes that can change who is covered.
async fn newest_that_matters<'a>(app: &App, new: &'a [AuditRecord]) -> anyhow::Result<Option<&'a AuditRecord>> {
    if new.is_empty() {
        return Ok(None);
    }
    let analysis = app.newest_analysis().await?;
    let known: Vec<&Snapshot> = analysis.iter().map(|analysis| analysis.snapshot()).collect();
    Ok(new.iter().filter(|record| matters(record, &known)).max_by_key(|record| (record.at, &record.id)))
}

/// Activities that change what policies say, or what holds beside them.
const OF_POLICIES: &[&str] = &[
    "conditional access policy",
    "named location",
    "authentication strength",
    "authenticationcontextclassreference",
    "authentication context",
    "security defaults",
    "cross-tenant access",
];
/// Activities that change who is in a group.
const OF_GROUPS: &[&str] = &["member to group", "member from group", "update group", "delete group", "restore group"];

/// Activities that change who holds a role, by hand or through Privileged Identity Management.
const OF_ROLES: &[&str] = &["member to role", "member from role"];
/// What Privileged Identity Management logs before a role changes hands, or instead of it.
const NOT_YET: &[&str] = &["request", "cancel", "denied"];

/// Whether a change can change who is covered: of a group only where, by one of these readings, a policy or a role goes by
/// it, of a role only where a policy names it or it makes an administrator. A large tenant changes some group every minute,
/// and activates some role.
pub(super) fn matters(record: &AuditRecord, known: &[&Snapshot]) -> bool {
    let activity = record.activity.to_lowercase();
    let is_one = |activities: &[&str]| activities.iter().any(|words| activity.contains(words));
    let counts = |group: &str| known.is_empty() || known.iter().any(|snapshot| goes_by(snapshot, group));
    let role_counts = |role: &str| known.is_empty() || known.iter().any(|snapshot| role_matters(snapshot, role));
    let of_role = is_one(OF_ROLES) && !is_one(NOT_YET);
    is_one(OF_POLICIES)
        || (is_one(OF_GROUPS) && changed_group(record).is_none_or(|group| counts(&group)))
        || (of_role && changed_role(record).is_none_or(|role| role_counts(&role)))
}

/// The role that a record is about, by template id: among the changed properties of the member, or, where Privileged
/// Identity Management writes, the target.
fn changed_role(record: &AuditRecord) -> Option<String> {
    let property = changed_property(record, "Role.TemplateId");
    property.or_else(|| record.target_of("Role").map(str::to_owned))
}

/// Whether a policy names this role, or checks ask more of those who hold it. One that wasn't read counts.
fn role_matters(snapshot: &Snapshot, role: &str) -> bool {
    let users = snapshot.policies.iter().map(|policy| &policy.conditions.users);
    let mut named = users.flat_map(|users| [&users.include.roles, &users.exclude.roles]);
    let (known, administrators) = (&snapshot.directory.roles, administrator_roles(&snapshot.directory));
    // Where no role has the mark, it wasn't read: some roles always have it.
    let marked = known.values().any(|role| role.privileged);
    named.any(|roles| roles.contains(role)) || administrators.contains(role) || !marked || !known.contains_key(role)
}

/// The group that a record is about. That of a membership stands in the changed properties of the member, before a removal
/// on the side of what was.
pub(super) fn changed_group(record: &AuditRecord) -> Option<String> {
    let property = changed_property(record, "Group.ObjectID");
    property.or_else(|| record.target_of("Group").map(str::to_owned))
}

/// The id in a changed property: what it is now, or after a removal what it was.
fn changed_property(record: &AuditRecord, property: &str) -> Option<String> {
    let mut named = record.changes.iter().filter(|(name, ..)| name == property);
    let id = named.find_map(|(_, old, new)| new.as_ref().or(old.as_ref()));
    id.map(|id| id.trim_matches('"').to_ascii_lowercase()).filter(|id| !id.is_empty())
}

/// Whether a policy, a role or the settings name this group or one that holds it: members are read of those alone.
fn goes_by(snapshot: &Snapshot, group: &str) -> bool {
    let read = snapshot.directory.groups.get(group).is_some_and(|group| group.transitive.is_some());
    let users = snapshot.policies.iter().map(|policy| &policy.conditions.users);
    let mut named = users.flat_map(|users| [&users.include.groups, &users.exclude.groups]);
    read || !snapshot.has(Kind::Groups) || named.any(|groups| groups.contains(group))
}

/// Expires cards and ends snoozes whose time has come.
async fn settle_due(app: &App) -> anyhow::Result<()> {
    for approval in app.store.due_approvals(app.clock.now()).await? {
        app.store
            .enqueue(&NewJob {
                id: format!("approval-due:{}:{}", approval.id, approval.version),
                kind: approve::JOB.into(),
                payload: json!({"approval": approval.id, "due": true}),
                priority: Priority::Digest,
                due: app.clock.now(),
            })
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::read::{read_group, read_policy, read_role};
    use crate::tenant::sign_in::AuditTarget;
    use crate::tenant::{Reading, SnapshotBuilder};

    fn record(id: &str, minute: i64) -> AuditRecord {
        AuditRecord { id: id.into(), at: at(minute), ..AuditRecord::default() }
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_763_900_000 + minute * 60).unwrap()
    }

    fn of_group(activity: &str, target: (&str, &str), group: Option<&str>) -> AuditRecord {
        let property = |id: &str| ("Group.ObjectID".to_owned(), Some(format!("\"{id}\"")), None);
        AuditRecord {
            activity: activity.into(),
            target_id: target.1.into(),
            target_kind: target.0.into(),
            changes: group.map(property).into_iter().collect(),
            ..record("a", 1)
        }
    }

    #[test]
    fn a_group_matters_where_something_goes_by_it() {
        let mut builder = SnapshotBuilder::default();
        builder.reading(Kind::Groups, Reading::Complete { count: 3 });
        for group in [json!({"id": "named", "members": []}), json!({"id": "other"})] {
            builder.group(read_group(&group).unwrap());
        }
        let snapshot = builder.build();
        let matters = |record: &AuditRecord| matters(record, &[&snapshot]);
        let user = ("User", "u");
        assert!(matters(&of_group("Add member to group", user, Some("named"))));
        assert!(!matters(&of_group("Add member to group", user, Some("other"))));
        assert!(
            !matters(&of_group("Remove member from group", ("Group", "named"), Some("other"))),
            "it joined another"
        );
        assert!(matters(&of_group("Delete group", ("Group", "named"), None)));
        assert!(matters(&of_group("Update group", ("Group", "named"), None)));
        assert!(!matters(&of_group("Update group", ("Group", "other"), None)));
        assert!(!matters(&of_group("Update user", user, None)));
        assert!(matters(&of_group("Add member to group", user, None)), "nobody knows which");
        assert!(super::matters(&of_group("Update group", ("Group", "other"), None), &[]), "nothing was read yet");
    }

    #[test]
    fn a_role_matters_where_a_policy_names_it_or_it_makes_an_administrator() {
        let role = |id: &str, privileged: bool| json!({"id": id, "templateId": id, "displayName": id, "isBuiltIn": true, "isPrivileged": privileged});
        let mut builder = SnapshotBuilder::default();
        for role in [role("admin", true), role("named", false), role("other", false)] {
            builder.role(read_role(&role).unwrap());
        }
        let users = json!({"users": {"includeRoles": ["named"]}, "applications": {"includeApplications": ["All"]}});
        let policy = json!({"id": "p", "displayName": "p", "state": "enabled", "conditions": users});
        builder.policy(read_policy(&policy).unwrap());
        let snapshot = builder.build();
        let of_role = |activity: &str, role: &str| {
            let template = ("Role.TemplateId".to_owned(), None, Some(format!("\"{role}\"")));
            let record = AuditRecord { activity: activity.into(), changes: vec![template], ..record("a", 1) };
            matters(&record, &[&snapshot])
        };
        for activity in ["Add member to role", "Remove member from role", "Add eligible member to role"] {
            assert!(
                of_role(activity, "admin") && of_role(activity, "named") && !of_role(activity, "other"),
                "{activity}"
            );
        }
        assert!(of_role("Add member to role", "never read"));
        let activated = |activity: &str, role: &str| {
            let record = AuditRecord {
                activity: activity.into(),
                target_id: role.into(),
                target_kind: "Role".into(),
                ..record("a", 1)
            };
            matters(&record, &[&snapshot])
        };
        assert!(activated("Add member to role completed (PIM activation)", "admin"));
        assert!(activated("Remove member from role (PIM activation expired)", "admin"));
        assert!(!activated("Add member to role completed (PIM activation)", "other"));
        let role = AuditTarget { id: "other".into(), kind: "Role".into(), ..AuditTarget::default() };
        let person_first = AuditRecord {
            activity: "Add member to role completed (PIM activation)".into(),
            target_kind: "User".into(),
            others: vec![role],
            ..record("a", 1)
        };
        assert!(!matters(&person_first, &[&snapshot]), "the role is told, if not first");
        assert!(!activated("Add member to role requested (PIM activation)", "admin"), "nothing has changed yet");
    }

    #[test]
    fn a_record_is_new_once_even_when_it_appears_late() {
        let seen = Seen { from: at(0), records: BTreeMap::new() };
        assert!(seen.is_new(&record("a", 10)) && !seen.is_new(&record("old", -1)));
        let seen = seen.followed_by(&[record("a", 10)]);
        assert!(!seen.is_new(&record("a", 10)) && seen.is_new(&record("late", 4)));
        assert!(seen.is_new(&record("same moment", 10)));
        let seen = seen.followed_by(&[record("late", 4), record("b", 90)]);
        assert!(!seen.is_new(&record("a", 10)) && seen.is_new(&record("c", 61)));
        assert_eq!(seen.records.len(), 1, "{:?}", seen.records);
    }
}
