//! The reports: registered methods, sign-ins and audit records, of which only the new part is asked for.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::delta::{Mark, kept, read_now};
use super::{Deposit, Reader, complete, deposit};
use crate::graph::GraphError;
use crate::graph::client::Ask;
use crate::graph::endpoints::{LOGS_PERMISSION, REGISTRATIONS};
use crate::graph::pacing::Limit;
use crate::tenant::read::{read_audit, read_registration, read_sign_in};
use crate::tenant::{AuditRecord, Kind, PastSignIn, Snapshot, SnapshotBuilder};

/// Records appear in the logs late, most within minutes, some after hours: so much is read again.
pub(super) const OVERLAP: SignedDuration = SignedDuration::from_hours(6);

pub(super) async fn read(reader: Reader<'_>) -> Result<(Vec<Deposit<'_>>, Mark), GraphError> {
    let previous = reader.previous.map(|previous| previous.snapshot);
    let (registrations, mark) = registrations(reader).await?;
    let (from, now) = reader.client.log_window();
    let window = Window { from };
    let sign_ins = sign_ins(reader, window, previous).await;
    let audits = audits(reader, window, previous).await;
    let deposits: Vec<Deposit<'_>> = vec![
        registrations,
        deposit(Kind::SignIns, sign_ins, SnapshotBuilder::sign_in)?,
        deposit(Kind::DirectoryAudits, audits, SnapshotBuilder::audit)?,
        Box::new(move |builder| builder.snapshot.window = Some((from, now))),
    ];
    Ok((deposits, mark))
}

async fn registrations(reader: Reader<'_>) -> Result<(Deposit<'_>, Mark), GraphError> {
    let kind = Kind::UserRegistrationDetails;
    let Some((before, mark)) = kept(reader, kind) else {
        let mark = read_now(reader);
        let read = reader.all(kind, REGISTRATIONS, read_registration, SnapshotBuilder::registration).await?;
        return Ok((read, mark));
    };
    let known = &before.directory.registrations;
    let take_over = move |builder: &mut SnapshotBuilder| {
        builder.reading(kind, complete(known.len()));
        known.values().cloned().for_each(|registration| builder.registration(registration));
    };
    Ok((Box::new(take_over), mark))
}

/// The part of the logs that a snapshot holds.
#[derive(Clone, Copy)]
struct Window {
    from: Timestamp,
}

impl Window {
    /// From when to ask, given how far the previous snapshot reached.
    fn since(self, previous: Option<&Snapshot>, kind: Kind) -> Timestamp {
        let reached = previous.filter(|snapshot| snapshot.has(kind)).and_then(|snapshot| snapshot.window);
        reached.map_or(self.from, |(_, to)| to.checked_sub(OVERLAP).unwrap_or(to).max(self.from))
    }
}

/// The sign-ins of the window: what is kept of before, and what is new.
async fn sign_ins(
    reader: Reader<'_>,
    window: Window,
    previous: Option<&Snapshot>,
) -> Result<Vec<PastSignIn>, GraphError> {
    let rows = previous.map(|snapshot| snapshot.sign_ins.as_slice()).unwrap_or_default();
    let mut since = window.since(previous, Kind::SignIns);
    let mut new = Log::since(reader, since).await?;
    // Beta's rows beside v1.0's would be half of one log and half of another: where they change, all is read anew.
    if new.since > window.from && new.is_another(rows) {
        since = window.from;
        new = Log::since(reader, since).await?;
    }
    let Log { rows: new, since, .. } = new;
    let known: BTreeSet<&str> = new.iter().map(|row| row.id.as_str()).collect();
    let kept = rows.iter().filter(|row| row.at >= window.from && row.at < since && !known.contains(row.id.as_str()));
    let kept: Vec<PastSignIn> = kept.cloned().collect();
    Ok(kept.into_iter().chain(new).collect())
}

/// The new part of the log.
struct Log {
    rows: Vec<PastSignIn>,
    /// From when on it was read.
    since: Timestamp,
    /// Whether it has what beta tells, or a workspace.
    beta: bool,
}

impl Log {
    /// The stories of a workspace, which are counted by day, so that whole days are asked for; or interactive and
    /// non-interactive sign-ins with what beta adds (the flow, the resources that were really evaluated); where beta is
    /// refused, interactive ones of v1.0.
    async fn since(reader: Reader<'_>, since: Timestamp) -> Result<Self, GraphError> {
        if let Some(workspace) = reader.client.workspace() {
            let since = day_of(since);
            let tries = (reader.client.waits(), reader.client.patience());
            let slices = (since, reader.client.clock().now());
            let rows = workspace.sign_ins(slices, read_sign_in, (tries, reader.progress)).await?;
            return Ok(Self { rows, since, beta: true });
        }
        let [beta, plain] = sign_ins_since(since);
        let read = |path| reader.collect(Kind::SignIns, ask(path), read_sign_in);
        Ok(match read(&beta).await {
            Err(error) if error.is_refusal() => Self { rows: read(&plain).await?, since, beta: false },
            settled => Self { rows: settled?, since, beta: true },
        })
    }

    /// Whether it comes from beta where the rows of before come from v1.0, or the other way round.
    fn is_another(&self, before: &[PastSignIn]) -> bool {
        let beta = |rows: &[PastSignIn]| rows.iter().any(|row| row.flow_known || !row.interactive);
        let poorer = !self.beta && beta(before);
        poorer || (beta(&self.rows) && !beta(before) && !before.is_empty())
    }
}

/// The beginning of the day (UTC).
pub(in crate::graph) fn day_of(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second().div_euclid(86_400) * 86_400).unwrap_or(at)
}

async fn audits(
    reader: Reader<'_>,
    window: Window,
    previous: Option<&Snapshot>,
) -> Result<Vec<AuditRecord>, GraphError> {
    let since = window.since(previous, Kind::DirectoryAudits);
    let path = audits_since(since);
    let new = reader.collect(Kind::DirectoryAudits, ask(&path), read_audit).await?;
    let rows = previous.map(|snapshot| snapshot.audits.as_slice()).unwrap_or_default();
    let kept = rows.iter().filter(|row| row.at >= window.from && row.at < since).cloned();
    Ok(kept.chain(new.into_iter().flatten()).collect())
}

/// Paths of the sign-ins since then, best first.
pub(in crate::graph) fn sign_ins_since(since: Timestamp) -> [String; 2] {
    let everything = "signInEventTypes/any(t: t eq 'interactiveUser' or t eq 'nonInteractiveUser')";
    [
        format!("beta/auditLogs/signIns?$filter=createdDateTime ge {since} and {everything}&$top=1000"),
        format!("v1.0/auditLogs/signIns?$filter=createdDateTime ge {since}&$top=1000"),
    ]
}

/// Path of the audit records since then.
pub(in crate::graph) fn audits_since(since: Timestamp) -> String {
    format!("v1.0/auditLogs/directoryAudits?$filter=activityDateTime ge {since}&$top=999")
}

/// A request to one of the logs.
pub(in crate::graph) fn ask(path: &str) -> Ask<'_> {
    Ask { path, limit: Limit::Reports, units: 1, permission: LOGS_PERMISSION }
}
