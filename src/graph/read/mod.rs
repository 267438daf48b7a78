//! Reads a whole tenant into one snapshot: policies first, then three families at once, each under its own limit.
//!
//! Of users, groups and service principals a later reading asks only for what changed (`delta`).
//! A kind of object is read to its end or is absent with the reason; only policies must be there. Nothing is half read.

mod access;
mod delta;
mod directory;
mod early;
mod logs;
mod members;
mod owners;

use std::time::Duration;

pub use delta::Marks;
use futures_util::future::try_join;
pub(super) use logs::{ask, audits_since, day_of, sign_ins_since};
use serde_json::Value;

use super::client::{Ask, Client};
use super::endpoints;
use super::error::GraphError;
use super::pages::Watch;
use crate::tenant::read::ReadError;
use crate::tenant::text::Compact;
use crate::tenant::{Kind, Policy, Reading, Snapshot, SnapshotBuilder, read_policy};

/// Hears how a reading comes along, and may stop it between two requests.
pub trait Progress: Send + Sync {
    /// Objects of this kind are asked for from now on.
    fn begun(&self, _: Kind) {}

    /// So many objects of this kind were read until now.
    fn page(&self, kind: Kind, objects: u64);

    /// The objects of this kind that were asked for are read; more may be asked for.
    fn done(&self, _: Kind) {}

    /// Whether the reading should stop.
    fn cancelled(&self) -> bool;

    /// How far the logs of a first reading may lag behind before a reading without them is wanted; none where none is.
    fn early_after(&self) -> Option<Duration> {
        None
    }

    /// What is known of policies and people while the logs are still being read.
    fn early(&self, _: Snapshot) {}
}

/// Hears nothing and stops nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn page(&self, _: Kind, _: u64) {}

    fn cancelled(&self) -> bool {
        false
    }
}

/// The last reading, as a start for the next one.
#[derive(Clone, Copy, Debug)]
pub struct Previous<'a> {
    /// What it read.
    pub snapshot: &'a Snapshot,
    /// Where it left off; none when that is not known for this very snapshot.
    pub marks: Option<&'a Marks>,
}

/// How much a reading brings up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// Everything.
    Whole,
    /// What a change of a policy, a location or a group can have changed, and what is older than a day.
    Change,
}

/// A reading, and where the next one may go on from.
#[derive(Debug, PartialEq)]
pub struct Fresh {
    /// What was read.
    pub snapshot: Snapshot,
    /// Links to what changes from now on.
    pub marks: Marks,
}

/// Reads the tenant. With a `previous` snapshot of the same tenant only the new part of the logs is asked for.
///
/// # Errors
/// [`GraphError::Cancelled`] when stopped, and whatever kept the policies from being read.
pub async fn read_snapshot(
    client: &Client,
    progress: &dyn Progress,
    previous: Option<&Snapshot>,
) -> Result<Snapshot, GraphError> {
    let previous = previous.map(|snapshot| Previous { snapshot, marks: None });
    read_tenant(client, progress, previous).await.map(|fresh| fresh.snapshot)
}

/// Reads the tenant, of users, groups and service principals only what changed since the previous reading's marks.
///
/// # Errors
/// [`GraphError::Cancelled`] when stopped, and whatever kept the policies from being read.
pub async fn read_tenant(
    client: &Client,
    progress: &dyn Progress,
    previous: Option<Previous<'_>>,
) -> Result<Fresh, GraphError> {
    read(Reader { client, progress, previous, extent: Extent::Whole }).await
}

/// The same after a change of a policy, a location or a group: devices and registered methods, which take the most time
/// beside the logs, are taken over while they are younger than a day.
///
/// # Errors
/// As [`read_tenant`].
pub async fn read_change(
    client: &Client,
    progress: &dyn Progress,
    previous: Option<Previous<'_>>,
) -> Result<Fresh, GraphError> {
    read(Reader { client, progress, previous, extent: Extent::Change }).await
}

async fn read(reader: Reader<'_>) -> Result<Fresh, GraphError> {
    let mut builder = reader.begin();
    reader.policies(&mut builder).await?;
    let policies = builder.snapshot.policies.clone();
    let people = try_join(access::read(reader), directory::read(reader, &policies));
    // Everything is read at once, so that this holds what each reading waits for.
    let (mut builder, marks) = Box::pin(early::staged(reader, builder, (people, logs::read(reader)))).await?;
    builder.snapshot.read_at = reader.client.clock().now();
    Ok(Fresh { snapshot: builder.build(), marks })
}

impl Client {
    /// All policies as they stand now, in any state.
    pub async fn policies(&self) -> Result<Vec<Policy>, GraphError> {
        let watch = Watch { kind: Kind::Policies, progress: &Quiet };
        self.collect(endpoints::POLICIES, watch, read_policy).await
    }
}

/// Objects of one kind on their way into the snapshot, or the reason why there are none.
type Deposit<'a> = Box<dyn FnOnce(&mut SnapshotBuilder) + Send + 'a>;

/// One reading.
#[derive(Clone, Copy)]
struct Reader<'a> {
    client: &'a Client,
    progress: &'a dyn Progress,
    previous: Option<Previous<'a>>,
    extent: Extent,
}

impl<'a> Reader<'a> {
    fn begin(self) -> SnapshotBuilder {
        let tenant = self.client.tenant();
        let mut builder = SnapshotBuilder::default();
        builder.snapshot.tenant_id.clone_from(&tenant.id);
        builder.snapshot.tenant_name.clone_from(&tenant.name);
        builder.snapshot.settings = tenant.settings.clone();
        builder
    }

    async fn policies(self, builder: &mut SnapshotBuilder) -> Result<(), GraphError> {
        let policies = self.collect(Kind::Policies, endpoints::POLICIES, read_policy).await?;
        builder.reading(Kind::Policies, complete(policies.len()));
        for policy in policies {
            builder.policy(policy);
        }
        Ok(())
    }

    /// All objects of a kind, each put into the snapshot by `add`.
    async fn all<T: Compact + Send + 'static>(
        self,
        kind: Kind,
        ways: &[Ask<'_>],
        read: fn(&Value) -> Result<T, ReadError>,
        add: fn(&mut SnapshotBuilder, T),
    ) -> Result<Deposit<'a>, GraphError> {
        deposit(kind, self.first_that_works(kind, ways, read).await, add)
    }

    /// Reads a collection the best way that Graph allows; when it refuses all of them, the last refusal is returned.
    async fn first_that_works<T: Compact>(
        self,
        kind: Kind,
        ways: &[Ask<'_>],
        read: fn(&Value) -> Result<T, ReadError>,
    ) -> Result<Vec<T>, GraphError> {
        let mut refusal = GraphError::not_found(format!("{kind:?}"));
        for way in ways {
            match self.collect(kind, *way, read).await {
                Err(error) if error.is_refusal() => refusal = error,
                settled => return settled,
            }
        }
        Err(refusal)
    }

    async fn collect<T: Compact>(
        self,
        kind: Kind,
        ask: Ask<'_>,
        read: fn(&Value) -> Result<T, ReadError>,
    ) -> Result<Vec<T>, GraphError> {
        self.client.collect(ask, Watch { kind, progress: self.progress }, read).await
    }
}

/// What was read of a kind, or its absence; only a cancelled reading ends the whole.
fn deposit<T: Send + 'static>(
    kind: Kind,
    read: Result<Vec<T>, GraphError>,
    add: fn(&mut SnapshotBuilder, T),
) -> Result<Deposit<'static>, GraphError> {
    let objects = match read {
        Ok(objects) => objects,
        Err(GraphError::Cancelled) => return Err(GraphError::Cancelled),
        Err(error) => return Ok(absent(kind, &error)),
    };
    Ok(Box::new(move |builder| {
        builder.reading(kind, complete(objects.len()));
        for object in objects {
            add(builder, object);
        }
    }))
}

fn absent(kind: Kind, error: &GraphError) -> Deposit<'static> {
    let reason = error.to_string();
    tracing::warn!(?kind, reason, "a kind of object could not be read");
    Box::new(move |builder| builder.reading(kind, Reading::Absent { reason }))
}

fn complete(count: usize) -> Reading {
    Reading::Complete { count: u64::try_from(count).unwrap_or(u64::MAX) }
}
