//! The only changes that are made in a tenant: creating a policy in report-only mode, and taking back an own one.
//!
//! A request to create is sent once, and again only where Graph says that it did nothing because it was asked too often.
//! When its outcome isn't known, the policy is looked for by the marker at the end of its name; a second request is never
//! sent from here.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Map, Value};
use tokio::time::{Instant, sleep};

use super::client::{Ask, Client, Failure};
use super::endpoints::{POLICIES, WRITE_PERMISSIONS};
use super::error::GraphError;
use super::objects::path_of_policy;
use super::pages::Watch;
use super::read::Quiet;
use crate::config::{Config, WriteMode};
use crate::suggestions::draft::ReportOnlyPolicy;
use crate::tenant::policy::PolicyState;
use crate::tenant::read::ReadError;
use crate::tenant::text::Compact;
use crate::tenant::version::canonical_conditions;
use crate::tenant::{Kind, Policy, read_policy, version_of, write_policy};

/// Graph shows a new policy now and not a moment later, so one good reading proves little; five in a row do.
const GOOD_READINGS: u32 = 5;
/// Between readings the wait grows up to so many times the first one.
const SLOWEST: u32 = 6;

/// Creates policies and takes own ones back.
#[derive(Clone, Debug)]
pub struct Writer {
    client: Client,
    read_back: Duration,
    lag_bound: Duration,
}

/// What came of a request to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreateOutcome {
    /// It exists, under this object id.
    Created(String),
    /// Graph did nothing, and says why.
    Rejected(GraphError),
    /// Nothing was sent, or Graph did nothing because of the moment: it was asked too often, or wanted another token.
    NotSent(GraphError),
    /// It may exist: look for its marker, never send it again.
    Unknown,
}

impl Compact for Found {}

/// A policy as it stands in the tenant.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// As read.
    pub policy: Policy,
    /// As Graph returned it.
    pub raw: Value,
}

/// A policy that the bot created: as it was sent, with the object id it got, or as it was read back afterwards.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnPolicy(pub Policy);

/// How an own policy came to be no longer there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// This request deleted it.
    Deleted,
    /// It was gone before: somebody else deleted it, or an earlier request whose answer was lost.
    Gone,
}

/// Why an own policy was not taken back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RemoveError {
    /// Somebody turned it on or off.
    #[error("the policy is not in report-only mode any more, so it is not the bot's to delete")]
    NotReportOnly,
    /// Somebody edited it.
    #[error("the policy was changed since it was created, so it is not the bot's to delete: {}", .difference.join("; "))]
    Changed {
        /// Each changed place: JSON pointer, value then, value now; untrusted text.
        difference: Vec<String>,
    },
    /// Nothing was deleted.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// It may be deleted; read again.
    #[error("it is not known whether the policy was deleted; look again")]
    Unknown,
}

impl Writer {
    /// The writer; none in hand-over mode, where people make every change.
    pub fn new(config: &Config, client: &Client) -> Result<Option<Self>, GraphError> {
        if config.write.mode != WriteMode::App {
            return Ok(None);
        }
        let (read_back, lag_bound) = (config.graph.read_back, config.graph.lag_bound);
        Ok(Some(Self { client: client.for_writing(config)?, read_back, lag_bound }))
    }

    /// The permissions that the token of the identity for writing carries; none when it can't be read.
    pub async fn permissions(&self) -> Result<Option<BTreeSet<String>>, GraphError> {
        self.client.permissions().await
    }

    /// Sends one request that creates the policy.
    pub async fn create(&self, policy: &ReportOnlyPolicy) -> CreateOutcome {
        let ask = Ask { permission: WRITE_PERMISSIONS, ..POLICIES };
        match self.client.send_once(Method::POST, ask, Some(&policy.body())).await {
            Ok(created) => match created.get("id").and_then(Value::as_str) {
                Some(id) => CreateOutcome::Created(id.to_owned()),
                None => CreateOutcome::Unknown,
            },
            Err(Failure::NotSent(error)) => CreateOutcome::NotSent(error),
            Err(Failure::Refused(error @ (GraphError::Throttled { .. } | GraphError::Unauthorised { .. }))) => {
                CreateOutcome::NotSent(error)
            }
            Err(Failure::Refused(error)) => CreateOutcome::Rejected(error),
            Err(Failure::Unknown) => CreateOutcome::Unknown,
        }
    }

    /// All policies whose name ends with the marker, in any state: none, one, or (which must never be) several.
    pub async fn find_by_marker(&self, marker: &str) -> Result<Vec<Found>, GraphError> {
        let watch = Watch { kind: Kind::Policies, progress: &Quiet };
        let mut policies = self.client.collect(POLICIES, watch, found).await?;
        policies.retain(|found| !marker.is_empty() && found.policy.display_name.ends_with(marker));
        Ok(policies)
    }

    /// Reads one policy, as it stands now.
    pub async fn read(&self, id: &str) -> Result<Found, GraphError> {
        let path = path_of_policy(id)?;
        let raw = self.client.get(Ask { path: &path, ..POLICIES }).await?;
        found(&raw).map_err(|error| GraphError::Malformed { cause: error.to_string() })
    }

    /// Reads a new policy until it was there five times in a row.
    ///
    /// # Errors
    /// [`GraphError::NotFound`] when that is not so within the lag bound.
    pub async fn read_back(&self, id: &str) -> Result<Found, GraphError> {
        let start = Instant::now();
        let (mut good, mut wait) = (0, self.read_back);
        loop {
            let reading = self.read(id).await;
            good = if reading.is_ok() { good + 1 } else { 0 };
            match reading {
                Ok(found) if good >= GOOD_READINGS => return Ok(found),
                Err(error @ GraphError::NotFound { .. }) if start.elapsed() >= self.lag_bound => return Err(error),
                Ok(_) | Err(GraphError::NotFound { .. }) => sleep(wait).await,
                Err(error) => return Err(error),
            }
            wait = (wait * 3 / 2).min(self.read_back * SLOWEST);
        }
    }

    /// Deletes a policy that the bot created, if nobody has touched it: report-only still, and meaning what it meant, in
    /// five readings that agree.
    pub async fn remove(&self, own: &OwnPolicy) -> Result<Removal, RemoveError> {
        let Some(now) = self.client.settled(|| self.client.policy(&own.0.id)).await? else {
            return Ok(Removal::Gone);
        };
        untouched(&own.0, &now)?;
        let path = path_of_policy(&own.0.id)?;
        let ask = Ask { path: &path, permission: WRITE_PERMISSIONS, ..POLICIES };
        match self.client.send_once(Method::DELETE, ask, None).await {
            Ok(_) => Ok(Removal::Deleted),
            Err(Failure::Refused(GraphError::NotFound { .. })) => Ok(Removal::Gone),
            Err(Failure::NotSent(error) | Failure::Refused(error)) => Err(error.into()),
            Err(Failure::Unknown) => Err(RemoveError::Unknown),
        }
    }
}

fn found(raw: &Value) -> Result<Found, ReadError> {
    Ok(Found { policy: read_policy(raw)?, raw: raw.clone() })
}

fn untouched(then: &Policy, now: &Policy) -> Result<(), RemoveError> {
    if now.state != PolicyState::ReportOnly {
        return Err(RemoveError::NotReportOnly);
    }
    if version_of(then) == version_of(now) && then.display_name == now.display_name {
        return Ok(());
    }
    let mut difference = Vec::new();
    differences(&in_graphs_words(then), &in_graphs_words(now), "", &mut difference);
    Err(RemoveError::Changed { difference })
}

fn in_graphs_words(policy: &Policy) -> Value {
    write_policy(&Policy { conditions: canonical_conditions(&policy.conditions), ..policy.clone() })
}

/// Every place where two documents differ.
fn differences(then: &Value, now: &Value, at: &str, into: &mut Vec<String>) {
    match (then, now) {
        (Value::Object(then), Value::Object(now)) => {
            for key in then.keys().chain(now.keys().filter(|key| !then.contains_key(*key))) {
                let value = |of: &Map<String, Value>| of.get(key).cloned().unwrap_or_default();
                differences(&value(then), &value(now), &format!("{at}/{key}"), into);
            }
        }
        _ if then == now => {}
        _ => into.push(format!("{at} was {then}, is {now}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(name: &str) -> Policy {
        Policy { state: PolicyState::ReportOnly, display_name: name.into(), ..Policy::default() }
    }

    #[test]
    fn an_untouched_policy_may_go() {
        let modified = Policy { modified: Some(jiff::Timestamp::UNIX_EPOCH), ..policy("a") };
        assert_eq!(untouched(&policy("a"), &modified), Ok(()));
    }

    #[test]
    fn a_policy_that_is_on_stays() {
        let on = Policy { state: PolicyState::Enabled, ..policy("a") };
        assert_eq!(untouched(&policy("a"), &on), Err(RemoveError::NotReportOnly));
    }

    #[test]
    fn an_edited_policy_stays_and_the_difference_is_shown() {
        let mut edited = policy("b");
        edited.conditions.users.include.all = true;
        edited.conditions.users.exclude.groups.insert("g1".into());
        insta::assert_snapshot!(
            untouched(&policy("a"), &edited).unwrap_err(),
            @r#"the policy was changed since it was created, so it is not the bot's to delete: /conditions/users/excludeGroups was [], is ["g1"]; /conditions/users/includeUsers was [], is ["All"]; /displayName was "a", is "b""#
        );
    }
}
