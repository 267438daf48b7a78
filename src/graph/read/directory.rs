//! People, groups with the members that matter, roles, apps, devices and licences.
//!
//! All groups are read by name, but members only of those that policies, role assignments or the settings name, and
//! of the groups nested in them. Users, groups and service principals are tracked: later readings ask what changed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::delta::{Changed, Mark, Marks, Told, Tracked, kept, read_now, tracked};
use super::logs::OVERLAP;
use super::members::{Known, members_of};
use super::owners::owners_of;
use super::{Deposit, Reader, absent, complete, deposit};
use crate::graph::GraphError;
use crate::graph::endpoints::{
    ACTIVE_ROLES, DEVICES, ELIGIBLE_ROLES, GROUPS, LATEST_GROUPS, LATEST_SERVICE_PRINCIPALS, LATEST_USERS, LICENCES,
    ROLES, SERVICE_PRINCIPALS, USERS,
};
use crate::tenant::read::{
    GroupRead, read_device, read_group, read_licences, read_role, read_role_assignment, read_service_principal,
    read_user,
};
use crate::tenant::{
    Assignment, Group, Kind, PastSignIn, Policy, RoleAssignment, ServicePrincipal, Snapshot, SnapshotBuilder, User,
};

pub(super) async fn read<'a>(reader: Reader<'a>, policies: &[Policy]) -> Result<(Vec<Deposit<'a>>, Marks), GraphError> {
    let (users, users_mark) = users(reader).await?;
    let assignments = role_assignments(reader).await;
    let holders = assignments.iter().flatten().map(|assignment| assignment.principal_id.clone());
    let named = groups_named_by(policies).into_iter().chain(holders).chain(emergency_access(reader)).collect();
    let (groups, groups_mark) = groups(reader, named).await?;
    let (principals, principals_mark) = service_principals(reader).await?;
    let (devices, devices_mark) = devices(reader).await?;
    let deposits = vec![
        users,
        groups,
        deposit(Kind::RoleAssignments, assignments, SnapshotBuilder::role_assignment)?,
        reader.all(Kind::RoleDefinitions, ROLES, read_role, SnapshotBuilder::role).await?,
        principals,
        devices,
        reader.all(Kind::SubscribedSkus, LICENCES, read_licences, SnapshotBuilder::licences).await?,
    ];
    let marks = [(Kind::Users, users_mark), (Kind::Groups, groups_mark), (Kind::ServicePrincipals, principals_mark)];
    Ok((deposits, Marks::of(marks).and(Kind::Devices, devices_mark)))
}

async fn devices(reader: Reader<'_>) -> Result<(Deposit<'_>, Mark), GraphError> {
    let kind = Kind::Devices;
    let Some((before, mark)) = kept(reader, kind) else {
        let mark = read_now(reader);
        return Ok((reader.all(kind, DEVICES, read_device, SnapshotBuilder::device).await?, mark));
    };
    let known = &before.directory.devices;
    let take_over = move |builder: &mut SnapshotBuilder| {
        builder.reading(kind, complete(known.len()));
        known.iter().cloned().for_each(|device| builder.device(device));
    };
    Ok((Box::new(take_over), mark))
}

/// A deposit with the mark for the next reading; only a cancelled reading ends the whole.
type Marked<'a> = Result<(Deposit<'a>, Option<Mark>), GraphError>;

fn failed<'a>(kind: Kind, error: GraphError) -> Marked<'a> {
    if error == GraphError::Cancelled { Err(error) } else { Ok((absent(kind, &error), None)) }
}

async fn users(reader: Reader<'_>) -> Marked<'_> {
    let kind = Kind::Users;
    let (told, mark) =
        match tracked(reader, &Tracked { kind, latest: LATEST_USERS, ways: USERS, read: read_user }).await {
            Ok(read) => read,
            Err(error) => return failed(kind, error),
        };
    let changed = match told {
        Told::Whole(all) => return Ok((deposit(kind, Ok(all), SnapshotBuilder::user)?, mark)),
        Told::Changed(changed) => changed,
    };
    let before = reader.previous.map(|previous| previous.snapshot);
    Ok((Box::new(move |builder| carry_on_users(builder, changed, before)), mark))
}

/// Known users with what changed. When somebody signs in is no change; the log tells it.
fn carry_on_users(builder: &mut SnapshotBuilder, changed: Changed<User>, before: Option<&Snapshot>) {
    let known = before.map(|before| before.directory.users.as_slice()).unwrap_or_default();
    let kept = known.iter().filter(|user| !changed.replaced.contains(user.id.as_str())).cloned();
    let seen = before.map(|before| last_seen(&builder.snapshot.sign_ins, before.read_at)).unwrap_or_default();
    let users = kept.chain(changed.objects).map(|user| {
        let last_sign_in = user.last_sign_in.max(seen.get(user.id.as_str()).copied());
        User { last_sign_in, ..user }
    });
    let users: Vec<User> = users.collect();
    builder.reading(Kind::Users, complete(users.len()));
    users.into_iter().for_each(|user| builder.user(user));
}

/// When somebody was last seen in the rows that are newer than a reading.
fn last_seen(rows: &[PastSignIn], since: Timestamp) -> BTreeMap<String, Timestamp> {
    let since = since.checked_sub(OVERLAP).unwrap_or(since);
    let mut seen = BTreeMap::<String, Timestamp>::new();
    for row in rows.iter().filter(|row| row.at >= since) {
        let last = seen.entry(row.user_id.to_string()).or_insert(row.at);
        *last = row.at.max(*last);
    }
    seen
}

async fn service_principals(reader: Reader<'_>) -> Marked<'_> {
    let kind = Kind::ServicePrincipals;
    let how =
        Tracked { kind, latest: LATEST_SERVICE_PRINCIPALS, ways: SERVICE_PRINCIPALS, read: read_service_principal };
    let (told, mark) = match tracked(reader, &how).await {
        Ok(read) => read,
        Err(error) => return failed(kind, error),
    };
    let all = match told {
        Told::Whole(all) => all,
        Told::Changed(changed) => {
            let known = reader.previous.map(|previous| previous.snapshot.directory.service_principals.as_slice());
            let kept = known.unwrap_or_default().iter().filter(|known| !changed.replaced.contains(&known.id));
            kept.cloned().chain(changed.objects).collect::<Vec<ServicePrincipal>>()
        }
    };
    Ok((deposit(kind, Ok(all), SnapshotBuilder::service_principal)?, mark))
}

/// All groups, and the members of those in `named`; absent as a whole when one member list can't be read.
async fn groups(reader: Reader<'_>, named: BTreeSet<String>) -> Marked<'_> {
    let kind = Kind::Groups;
    let how = Tracked { kind, latest: LATEST_GROUPS, ways: GROUPS, read: read_group };
    let read = async {
        let (told, mark) = tracked(reader, &how).await?;
        let previous = reader.previous.map(|previous| previous.snapshot);
        let (mut groups, known) = match told {
            Told::Whole(groups) => (groups, None),
            Told::Changed(changed) => carry_on_groups(changed, previous),
        };
        let there: BTreeSet<String> = groups.iter().map(|read| read.group.id.clone()).collect();
        let named: BTreeSet<String> = named.intersection(&there).cloned().collect();
        let closed = reader.client.closed_groups(groups.iter().map(|read| &read.group)).await?;
        let mut owners = owners_of(reader, named.clone()).await?;
        for read in &mut groups {
            read.group.owners = owners.remove(&read.group.id).unwrap_or_default();
        }
        let lists = members_of(reader, (named, &closed), known).await?;
        Ok((groups, lists, mark))
    };
    let (groups, lists, mark) = match read.await {
        Ok(read) => read,
        Err(error) => return failed(kind, error),
    };
    let before = reader.previous.map(|previous| previous.snapshot);
    let deposit: Deposit<'_> = Box::new(move |builder| {
        builder.reading(kind, complete(groups.len()));
        groups.into_iter().for_each(|group| builder.group(group));
        lists.into_iter().for_each(|list| list.deposit(before, builder));
    });
    Ok((deposit, mark))
}

/// Known groups with what changed, without members; and what is known of those.
fn carry_on_groups(changed: Changed<GroupRead>, before: Option<&Snapshot>) -> (Vec<GroupRead>, Option<Known<'_>>) {
    let Some(snapshot) = before else { return (changed.objects, None) };
    let kept = snapshot.directory.groups.values().filter(|group| !changed.replaced.contains(&group.id));
    let bare = |group: &Group| Group {
        id: group.id.clone(),
        display_name: group.display_name.clone(),
        membership_rule: group.membership_rule.clone(),
        rule_paused: group.rule_paused,
        role_assignable: group.role_assignable,
        management_restricted: group.management_restricted,
        hidden: group.hidden,
        ..Group::default()
    };
    let groups = kept.map(|group| GroupRead { group: bare(group), members: None }).chain(changed.objects).collect();
    (groups, Some(Known { snapshot, moves: changed.moves }))
}

/// Active and eligible ones. A tenant that has no licence for eligible assignments has none of them.
async fn role_assignments(reader: Reader<'_>) -> Result<Vec<RoleAssignment>, GraphError> {
    let kind = Kind::RoleAssignments;
    let mut assignments = reader.first_that_works(kind, ACTIVE_ROLES, read_role_assignment).await?;
    let eligible = match reader.first_that_works(kind, ELIGIBLE_ROLES, read_role_assignment).await {
        Err(error) if error.lacks_licence() => Vec::new(),
        settled => settled?,
    };
    assignments.extend(
        eligible.into_iter().map(|assignment| RoleAssignment { assignment: Assignment::Eligible, ..assignment }),
    );
    Ok(assignments)
}

fn groups_named_by(policies: &[Policy]) -> BTreeSet<String> {
    let users = policies.iter().map(|policy| &policy.conditions.users);
    users.flat_map(|users| users.include.groups.iter().chain(&users.exclude.groups)).cloned().collect()
}

fn emergency_access(reader: Reader<'_>) -> impl Iterator<Item = String> {
    reader.client.tenant().settings.emergency_access.clone().into_iter()
}
