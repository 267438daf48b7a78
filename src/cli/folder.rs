//! Reads a tenant folder for the offline commands, and says what was not recognised.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;

use crate::clock::Clock;
use crate::tenant::{Snapshot, folder};

use super::output;

/// The snapshot of a file or folder, dated now when it doesn't say when it was read.
pub(super) fn read(path: &Path, clock: &Clock) -> anyhow::Result<Arc<Snapshot>> {
    let (mut snapshot, report) = folder::read(path).with_context(|| format!("reading {}", path.display()))?;
    for (file, why) in &report.unrecognised {
        output::remark(&format!("left out {}: {why}", file.display()));
    }
    if snapshot.tenant_id.is_empty() {
        "folder".clone_into(&mut snapshot.tenant_id);
    }
    if snapshot.read_at == jiff::Timestamp::default() {
        snapshot.read_at = clock.now();
    }
    Ok(Arc::new(snapshot))
}
