//! Who owns the groups that policies go by: owners may add members, and are whom to ask for a change.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::Reader;
use super::delta::read_member;
use crate::graph::GraphError;
use crate::graph::client::Ask;
use crate::graph::endpoints::{MEMBERS_PERMISSION, MEMBERS_UNITS, owners_path};
use crate::graph::pacing::Limit;
use crate::tenant::Kind;

/// Lists that are read side by side.
const AT_ONCE: usize = 8;

/// Owners by group. Without them an answer is less sharp and none is wrong, so a refusal leaves them all out, said in
/// the log.
pub(super) async fn owners_of(
    reader: Reader<'_>,
    groups: BTreeSet<String>,
) -> Result<BTreeMap<String, Vec<String>>, GraphError> {
    let lists = stream::iter(groups).map(|group| owners(reader, group)).buffered(AT_ONCE);
    match lists.try_collect::<BTreeMap<_, _>>().await {
        Err(GraphError::Cancelled) => Err(GraphError::Cancelled),
        Err(error) => {
            tracing::warn!(%error, "owners of groups could not be read");
            Ok(BTreeMap::new())
        }
        owners => owners,
    }
}

/// A group that is gone by now has none; neither has one whose list can't be understood, and that is no reason to leave out
/// those of others.
async fn owners(reader: Reader<'_>, group: String) -> Result<(String, Vec<String>), GraphError> {
    let path = owners_path(&group);
    let ask = Ask { path: &path, limit: Limit::Directory, units: MEMBERS_UNITS, permission: MEMBERS_PERMISSION };
    match reader.collect(Kind::Groups, ask, read_member).await {
        Err(GraphError::NotFound { .. }) => Ok((group, Vec::new())),
        Err(error @ (GraphError::Malformed { .. } | GraphError::Rejected { .. })) => {
            tracing::warn!(%error, group, "the owners of a group could not be read");
            Ok((group, Vec::new()))
        }
        read => read.map(|owners| (group, owners.into_iter().map(|owner| owner.id).collect())),
    }
}
