//! People, groups with the members that matter, roles, apps, devices and licences.
//!
//! All groups are read by name, but members only of those that policies, role assignments or the settings name, and
//! of the groups nested in them.

use std::collections::BTreeSet;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::{Deposit, Reader, absent, complete, deposit};
use crate::graph::GraphError;
use crate::graph::client::Ask;
use crate::graph::endpoints::{
    ACTIVE_ROLES, DEVICES, ELIGIBLE_ROLES, GROUPS, LICENCES, MEMBERS_PERMISSION, ROLES, SERVICE_PRINCIPALS, USERS,
};
use crate::graph::pacing::Limit;
use crate::tenant::read::{
    GroupRead, ReadError, read_device, read_group, read_licences, read_role, read_role_assignment,
    read_service_principal, read_user,
};
use crate::tenant::{Assignment, Kind, Policy, RoleAssignment, SnapshotBuilder};

/// Member lists that are read side by side; the directory allows hundreds of requests a second.
const AT_ONCE: usize = 8;

pub(super) async fn read(reader: Reader<'_>, policies: &[Policy]) -> Result<Vec<Deposit>, GraphError> {
    let users = reader.all(Kind::Users, USERS, read_user, SnapshotBuilder::user).await?;
    let assignments = role_assignments(reader).await;
    let holders = assignments.iter().flatten().map(|assignment| assignment.principal_id.clone());
    let named = groups_named_by(policies).into_iter().chain(holders).chain(emergency_access(reader)).collect();
    let groups = groups(reader, named).await?;
    Ok(vec![
        users,
        groups,
        deposit(Kind::RoleAssignments, assignments, SnapshotBuilder::role_assignment)?,
        reader.all(Kind::RoleDefinitions, ROLES, read_role, SnapshotBuilder::role).await?,
        reader
            .all(
                Kind::ServicePrincipals,
                SERVICE_PRINCIPALS,
                read_service_principal,
                SnapshotBuilder::service_principal,
            )
            .await?,
        reader.all(Kind::Devices, DEVICES, read_device, SnapshotBuilder::device).await?,
        reader.all(Kind::SubscribedSkus, LICENCES, read_licences, SnapshotBuilder::licences).await?,
    ])
}

/// Active and eligible ones. A tenant that has no licence for eligible assignments has none of them.
async fn role_assignments(reader: Reader<'_>) -> Result<Vec<RoleAssignment>, GraphError> {
    let kind = Kind::RoleAssignments;
    let mut assignments = reader.first_that_works(kind, ACTIVE_ROLES, read_role_assignment).await?;
    let eligible = match reader.first_that_works(kind, ELIGIBLE_ROLES, read_role_assignment).await {
        Err(error) if lacks_licence(&error) => Vec::new(),
        settled => settled?,
    };
    assignments.extend(
        eligible.into_iter().map(|assignment| RoleAssignment { assignment: Assignment::Eligible, ..assignment }),
    );
    Ok(assignments)
}

/// Privileged Identity Management answers `AadPremiumLicenseRequired` where it isn't licensed.
fn lacks_licence(error: &GraphError) -> bool {
    error.to_string().contains("PremiumLicense")
}

fn groups_named_by(policies: &[Policy]) -> BTreeSet<String> {
    let users = policies.iter().map(|policy| &policy.conditions.users);
    users.flat_map(|users| users.include.groups.iter().chain(&users.exclude.groups)).cloned().collect()
}

fn emergency_access(reader: Reader<'_>) -> impl Iterator<Item = String> {
    reader.client.tenant().settings.emergency_access.clone().into_iter()
}

/// All groups, and the members of those in `named`; absent as a whole when one member list can't be read.
async fn groups(reader: Reader<'_>, named: BTreeSet<String>) -> Result<Deposit, GraphError> {
    let read = async {
        let groups = reader.first_that_works(Kind::Groups, GROUPS, read_group).await?;
        let known: BTreeSet<String> = groups.iter().map(|read| read.group.id.clone()).collect();
        let members = members_of(reader, named.intersection(&known).cloned().collect()).await?;
        Ok((groups, members))
    };
    match read.await {
        Ok((groups, members)) => Ok(deposit_groups(groups, members)),
        Err(GraphError::Cancelled) => Err(GraphError::Cancelled),
        Err(error) => Ok(absent(Kind::Groups, &error)),
    }
}

fn deposit_groups(groups: Vec<GroupRead>, members: Vec<(String, Vec<Member>)>) -> Deposit {
    Box::new(move |builder| {
        builder.reading(Kind::Groups, complete(groups.len()));
        for group in groups {
            builder.group(group);
        }
        for (group, members) in members {
            builder.members(&group, members.into_iter().map(|member| member.id));
        }
    })
}

/// Direct members of these groups and of every group below them; each group is asked for once, so cycles end.
async fn members_of(reader: Reader<'_>, named: BTreeSet<String>) -> Result<Vec<(String, Vec<Member>)>, GraphError> {
    let (mut all, mut seen, mut open) = (Vec::new(), named.clone(), named);
    while !open.is_empty() {
        let lists = stream::iter(open).map(|group| direct_members(reader, group)).buffered(AT_ONCE);
        let level: Vec<(String, Vec<Member>)> = lists.try_filter_map(async |list| Ok(list)).try_collect().await?;
        let nested = level.iter().flat_map(|(_, members)| members).filter(|member| member.is_group);
        open = nested.map(|member| member.id.clone()).filter(|id| !seen.contains(id)).collect();
        seen.extend(open.iter().cloned());
        all.extend(level);
    }
    Ok(all)
}

/// A group's direct members; none when the group was deleted in the meantime.
async fn direct_members(reader: Reader<'_>, group: String) -> Result<Option<(String, Vec<Member>)>, GraphError> {
    let path = format!("v1.0/groups/{group}/members?$select=id&$top=999");
    let ask = Ask { path: &path, limit: Limit::Directory, permission: MEMBERS_PERMISSION };
    match reader.collect(Kind::Groups, ask, read_member).await {
        Ok(members) => Ok(Some((group, members))),
        Err(GraphError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A member of a group.
struct Member {
    id: String,
    is_group: bool,
}

fn read_member(value: &Value) -> Result<Member, ReadError> {
    let group = read_group(value)?;
    let kind = value.get("@odata.type").and_then(Value::as_str).unwrap_or_default();
    Ok(Member { id: group.group.id, is_group: kind == "#microsoft.graph.group" })
}
