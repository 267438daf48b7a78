//! Who is in the groups that matter: those that policies, role assignments or the settings name, and those nested in them.
//!
//! Lists that the previous reading has are taken over with what changed; the others are read, several at once.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::Reader;
use super::delta::{Member, Moves, read_member};
use crate::graph::GraphError;
use crate::graph::client::Ask;
use crate::graph::endpoints::{MEMBERS_PERMISSION, MEMBERS_UNITS, members_path};
use crate::graph::pacing::Limit;
use crate::tenant::{Group, Kind, Snapshot, SnapshotBuilder};

/// Member lists that are read side by side; the directory allows hundreds of requests a second.
const AT_ONCE: usize = 8;

/// The direct members of one group.
pub(super) struct List<'a> {
    group: String,
    nested: BTreeSet<String>,
    /// Members that are no groups, as far as they were read now.
    others: Vec<String>,
    /// The group as it was read before, and who has left it since.
    before: Option<(&'a Group, BTreeSet<String>)>,
}

/// What is known from the previous reading.
pub(super) struct Known<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) moves: BTreeMap<String, Moves>,
}

/// Direct members of these groups and of every group below them; each group is looked at once, so cycles end. Lists of
/// `closed` groups would come empty, so they are not asked for and stay unknown.
pub(super) async fn members_of<'a>(
    reader: Reader<'a>,
    (named, closed): (BTreeSet<String>, &BTreeSet<String>),
    mut known: Option<Known<'a>>,
) -> Result<Vec<List<'a>>, GraphError> {
    let (mut all, mut seen, mut open) = (Vec::new(), named.clone(), named);
    while !open.is_empty() {
        open.retain(|group| !closed.contains(group));
        let (mut level, unknown) = split(open, known.as_mut());
        let lists = stream::iter(unknown).map(|group| direct_members(reader, group)).buffered(AT_ONCE);
        level.extend(lists.try_filter_map(async |list| Ok(list)).try_collect::<Vec<_>>().await?);
        let nested = level.iter().flat_map(|list| &list.nested);
        open = nested.filter(|id| !seen.contains(*id)).cloned().collect();
        seen.extend(open.iter().cloned());
        all.extend(level);
    }
    Ok(all)
}

/// Lists that are known already, and groups whose lists aren't.
fn split<'a>(open: BTreeSet<String>, known: Option<&mut Known<'a>>) -> (Vec<List<'a>>, Vec<String>) {
    let Some(known) = known else { return (Vec::new(), open.into_iter().collect()) };
    let (mut lists, mut unknown) = (Vec::new(), Vec::new());
    for id in open {
        match known.snapshot.directory.groups.get(&id).filter(|group| group.transitive.is_some()) {
            Some(group) => lists.push(carried_on(group, known.moves.remove(&id).unwrap_or_default())),
            None => unknown.push(id),
        }
    }
    (lists, unknown)
}

fn carried_on(group: &Group, moves: Moves) -> List<'_> {
    let stays = group.member_groups.iter().filter(|id| !moves.removed.contains(*id)).cloned();
    List {
        group: group.id.clone(),
        nested: stays.chain(moves.nested).collect(),
        others: moves.added.into_iter().collect(),
        before: Some((group, moves.removed)),
    }
}

/// A group's direct members; none when the group was deleted in the meantime.
async fn direct_members(reader: Reader<'_>, group: String) -> Result<Option<List<'static>>, GraphError> {
    let path = members_path(&group);
    let ask = Ask { path: &path, limit: Limit::Directory, units: MEMBERS_UNITS, permission: MEMBERS_PERMISSION };
    let members = match reader.collect(Kind::Groups, ask, read_member).await {
        Ok(members) => members,
        Err(GraphError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let (nested, others): (Vec<Member>, Vec<Member>) = members.into_iter().partition(|member| member.is_group);
    let ids = |members: Vec<Member>| members.into_iter().map(|member| member.id);
    Ok(Some(List { group, nested: ids(nested).collect(), others: ids(others).collect(), before: None }))
}

impl List<'_> {
    /// Puts the members into a snapshot; `before` is the snapshot that lists were taken over from.
    pub(super) fn deposit(self, before: Option<&Snapshot>, builder: &mut SnapshotBuilder) {
        let read = self.nested.into_iter().chain(self.others);
        match (self.before, before) {
            (Some((group, removed)), Some(before)) => {
                let users = group.members.iter().filter_map(|at| before.directory.user_at(at));
                let stays = users.filter(|user| !removed.contains(user.id.as_str())).map(|user| user.id.to_string());
                builder.members(&self.group, stays.chain(read));
            }
            _ => builder.members(&self.group, read),
        }
    }
}
