//! Single objects, read again: what a person changed since the last scan, and who owns it.

use std::collections::BTreeSet;

use serde_json::Value;
use tokio::time::sleep;

use super::client::{Ask, Client};
use super::endpoints::{
    HIDDEN_PERMISSION, MEMBERS_PERMISSION, MEMBERS_UNITS, OBJECT_UNITS, POLICIES, members_below_path,
};
use super::error::GraphError;
use super::pacing::Limit;
use super::pages::Watch;
use super::read::Quiet;
use crate::tenant::{Group, Kind, Policy, read_policy};

/// Graph shows a change now and not a moment later, so one reading proves little; so many in a row that agree do.
const AGREE: u32 = 5;
/// So many readings at most; those that still don't agree prove nothing.
const READINGS: u32 = 40;
/// Owners of a group that are named.
const OWNERS: usize = 5;

impl Client {
    /// What five readings in a row agree on; none: that it isn't there.
    ///
    /// # Errors
    /// When Graph refuses or doesn't answer, or its readings go on differing.
    pub async fn settled<T: PartialEq, R>(&self, read: impl Fn() -> R) -> Result<Option<T>, GraphError>
    where
        R: Future<Output = Result<T, GraphError>>,
    {
        let (mut last, mut agree) = (None, 0);
        for _ in 0..READINGS {
            let now = match read().await {
                Err(GraphError::NotFound { .. }) => None,
                now => Some(now?),
            };
            agree = if agree > 0 && now == last { agree + 1 } else { 1 };
            if agree == AGREE {
                return Ok(now);
            }
            last = now;
            sleep(self.read_back()).await;
        }
        Err(GraphError::Unavailable { cause: "readings of the same object go on differing".to_owned() })
    }

    /// One policy as it stands now.
    ///
    /// # Errors
    /// [`GraphError::NotFound`] when it is gone.
    pub async fn policy(&self, id: &str) -> Result<Policy, GraphError> {
        let path = path_of_policy(id)?;
        let raw = self.get(Ask { path: &path, ..POLICIES }).await?;
        read_policy(&raw).map_err(|error| GraphError::Malformed { cause: error.to_string() })
    }

    /// One object by its address in Graph, such as `/v1.0/groups/{id}`.
    ///
    /// # Errors
    /// [`GraphError::NotFound`] when it is gone.
    pub async fn object(&self, path: &str) -> Result<Value, GraphError> {
        let path = path.trim_start_matches('/');
        if path.contains("/conditionalAccess/") {
            return self.get(Ask { path, ..POLICIES }).await;
        }
        self.get(Ask { path, limit: Limit::Directory, units: OBJECT_UNITS, permission: "Directory.Read.All" }).await
    }

    /// Object ids of everything in a group, through others too, read now.
    ///
    /// # Errors
    /// [`GraphError::NotFound`] when the group is gone.
    pub async fn members_below(&self, group: &str) -> Result<BTreeSet<String>, GraphError> {
        let path = members_below_path(&well_formed(group)?.to_string());
        let ask =
            Ask { path: &path, limit: Limit::Directory, units: MEMBERS_UNITS + 2, permission: MEMBERS_PERMISSION };
        let id = |row: &Value| Ok(row.get("id").cloned().unwrap_or_default());
        let members = self.collect(ask, Watch { kind: Kind::Groups, progress: &Quiet }, id).await?;
        Ok(members.iter().filter_map(Value::as_str).map(str::to_ascii_lowercase).collect())
    }

    /// Names of those who own a group, the first few; empty when nobody does.
    ///
    /// # Errors
    /// When Graph refuses or doesn't answer.
    pub async fn owners_of(&self, group: &str) -> Result<Vec<String>, GraphError> {
        let path = format!("v1.0/groups/{}/owners?$select=id,displayName&$top={OWNERS}", well_formed(group)?);
        let ask = Ask { path: &path, limit: Limit::Directory, units: MEMBERS_UNITS, permission: MEMBERS_PERMISSION };
        let page = self.get(ask).await?;
        let rows = page.get("value").and_then(Value::as_array).into_iter().flatten();
        Ok(rows.filter_map(|row| row.get("displayName")?.as_str().map(str::to_owned)).collect())
    }
}

impl Client {
    /// Groups whose members this identity isn't shown; none for one that was granted to see them.
    ///
    /// # Errors
    /// When there is no token.
    pub(super) async fn closed_groups<'a>(
        &self,
        groups: impl Iterator<Item = &'a Group>,
    ) -> Result<BTreeSet<String>, GraphError> {
        let hidden: BTreeSet<String> = groups.filter(|group| group.hidden).map(|group| group.id.clone()).collect();
        if hidden.is_empty() || self.permissions().await?.is_some_and(|carried| carried.contains(HIDDEN_PERMISSION)) {
            return Ok(BTreeSet::new());
        }
        tracing::warn!(groups = hidden.len(), permission = HIDDEN_PERMISSION, "members of some groups are hidden");
        Ok(hidden)
    }
}

/// The address of one policy.
pub(super) fn path_of_policy(id: &str) -> Result<String, GraphError> {
    Ok(format!("{}/{}", POLICIES.path, well_formed(id)?))
}

/// Only a well-formed id gets into an address.
fn well_formed(id: &str) -> Result<uuid::Uuid, GraphError> {
    id.parse().map_err(|_| GraphError::not_found("object with an id that is none"))
}
