//! Policies into bitsets over interned values; users, apps, locations into equivalence classes.

use std::sync::Arc;

use crate::tenant::Snapshot;

/// A tenant compiled for judging; cheap to share, holds its snapshot.
#[derive(Debug)]
pub struct Model {
    /// What was compiled.
    pub snapshot: Arc<Snapshot>,
}
