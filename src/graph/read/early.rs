//! The first reading of a tenant takes as long as its logs do. Until they are there, what is known of policies and people is
//! offered without them, so that answers need not wait.

use std::pin::pin;

use futures_util::future::{Either, select};
use tokio::time::timeout;

use super::delta::{Mark, Marks};
use super::{Deposit, Reader};
use crate::graph::GraphError;
use crate::tenant::snapshot::NOT_YET;
use crate::tenant::{Kind, Reading, Snapshot, SnapshotBuilder};

/// Settings and places, then people, and where the next reading goes on.
pub(super) type People<'a> = (Vec<Deposit<'a>>, (Vec<Deposit<'a>>, Marks));
/// Registered methods and both logs, and when the methods were read.
pub(super) type Logs<'a> = (Vec<Deposit<'a>>, Mark);

/// What comes last.
const LOGS: [Kind; 3] = [Kind::UserRegistrationDetails, Kind::SignIns, Kind::DirectoryAudits];

/// Reads both at once and puts them together. Where the logs lag behind, the rest is offered first.
pub(super) async fn staged<'a>(
    reader: Reader<'a>,
    builder: SnapshotBuilder,
    (people, logs): (
        impl Future<Output = Result<People<'a>, GraphError>>,
        impl Future<Output = Result<Logs<'a>, GraphError>>,
    ),
) -> Result<(SnapshotBuilder, Marks), GraphError> {
    let (people, logs) = (pin!(people), pin!(logs));
    let (people, mut logs) = match select(people, logs).await {
        Either::Left((people, logs)) => (people?, logs),
        Either::Right((logs, people)) => return Ok(whole(builder, people.await?, logs?)),
    };
    // Later readings have an earlier one that answers meanwhile.
    let offered = reader.progress.early_after().filter(|_| reader.previous.is_none());
    let Some(lag) = offered else { return Ok(whole(builder, people, logs.await?)) };
    if let Ok(logs) = timeout(lag, &mut logs).await {
        return Ok(whole(builder, people, logs?));
    }
    let (builder, marks) = offer(reader, builder, people);
    let (logs, mark) = logs.await?;
    Ok((deposited(builder, logs), marks.and(Kind::UserRegistrationDetails, mark)))
}

/// The logs first: of readings by what changed they tell who signed in.
fn whole(
    builder: SnapshotBuilder,
    (access, (directory, marks)): People<'_>,
    (logs, mark): Logs<'_>,
) -> (SnapshotBuilder, Marks) {
    let all = logs.into_iter().chain(access).chain(directory);
    (deposited(builder, all), marks.and(Kind::UserRegistrationDetails, mark))
}

/// Shows what there is without the logs; the snapshot goes on from it.
fn offer(reader: Reader<'_>, builder: SnapshotBuilder, people: People<'_>) -> (SnapshotBuilder, Marks) {
    let (access, (directory, marks)) = people;
    let known = deposited(builder, access.into_iter().chain(directory)).build();
    let absent = LOGS.map(|kind| (kind, Reading::Absent { reason: NOT_YET.to_owned() }));
    let readings = known.readings.clone().into_iter().chain(absent).collect();
    reader.progress.early(Snapshot { read_at: reader.client.clock().now(), readings, ..known.clone() });
    (SnapshotBuilder::going_on(known), marks)
}

fn deposited<'a>(mut builder: SnapshotBuilder, deposits: impl IntoIterator<Item = Deposit<'a>>) -> SnapshotBuilder {
    deposits.into_iter().for_each(|deposit| deposit(&mut builder));
    builder
}
