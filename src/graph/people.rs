//! What a person is at this moment: the roles held and the groups they are in, asked afresh for every decision.

use std::collections::BTreeSet;

use serde_json::Value;

use super::client::{Ask, Client};
use super::endpoints::{MEMBERS_PERMISSION, memberships_path};
use super::error::GraphError;
use super::pacing::Limit;
use super::pages::Watch;
use super::read::Quiet;
use crate::config::People;
use crate::tenant::Kind;
use crate::tenant::read::{ReadError, read_group};
use crate::tenant::text::Compact;

/// The standing of one person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Template ids of the directory roles that are active.
    pub roles: BTreeSet<String>,
    /// Object ids of all groups, through others too.
    pub groups: BTreeSet<String>,
}

impl Standing {
    /// Whether the person is one of `people`.
    #[must_use]
    pub fn is_among(&self, people: &People) -> bool {
        !self.roles.is_disjoint(&people.roles) || !self.groups.is_disjoint(&people.groups)
    }
}

impl Client {
    /// The standing of the user with this object id, read now; never from a cache.
    ///
    /// # Errors
    /// [`GraphError::NotFound`] for somebody who is no user of the tenant.
    pub async fn standing_of(&self, user_id: &str) -> Result<Standing, GraphError> {
        let Ok(id) = user_id.parse::<uuid::Uuid>() else {
            return Err(GraphError::not_found("user with an id that is none"));
        };
        let path = memberships_path(&id.to_string());
        let ask = Ask { path: &path, limit: Limit::Directory, units: 3, permission: MEMBERS_PERMISSION };
        let memberships =
            self.collect(ask, Watch { kind: Kind::RoleAssignments, progress: &Quiet }, membership).await?;
        let mut standing = Standing::default();
        for membership in memberships {
            match membership {
                Membership::Role(id) => _ = standing.roles.insert(id),
                Membership::Group(id) => _ = standing.groups.insert(id),
                Membership::Other => {}
            }
        }
        Ok(standing)
    }
}

impl Compact for Membership {}

/// Something that a person is in.
enum Membership {
    Role(String),
    Group(String),
    /// An administrative unit.
    Other,
}

fn membership(value: &Value) -> Result<Membership, ReadError> {
    let text = |member: &str| value.get(member).and_then(Value::as_str).unwrap_or_default();
    match text("@odata.type") {
        "#microsoft.graph.directoryRole" => Ok(Membership::Role(text("roleTemplateId").to_ascii_lowercase())),
        "#microsoft.graph.group" => read_group(value).map(|read| Membership::Group(read.group.id)),
        _ => Ok(Membership::Other),
    }
}
