//! Whom each policy's user condition takes in, as plain bits: by policy for sets of users, by user for one sign-in.

use std::sync::Arc;

use super::Model;
use super::bits::{Bits, Lane};

/// Whom a policy's user condition takes in.
#[derive(Debug)]
pub(super) struct Reached {
    /// Positions of those whom it surely does: sets of a million users are compared by the thousand.
    pub(super) surely: Arc<Bits>,
    /// It doesn't take in anybody else possibly.
    pub(super) decided: bool,
}

impl Reached {
    /// By the policy at this position.
    pub(super) fn by(model: &Model, at: usize) -> Arc<Self> {
        let (surely, possibly) = model.users.get(at).map(|users| model.positions(users)).unwrap_or_default();
        Arc::new(Self { decided: surely == possibly, surely: Arc::new(model.directory.bits(&surely)) })
    }
}

/// So many words of rows are kept, 32 MB.
const WORDS: usize = 4 << 20;

/// For each user the policies of the tenant that take them in.
#[derive(Debug)]
pub(super) struct Rows {
    policies: usize,
    surely: Vec<u64>,
    possibly: Vec<u64>,
}

impl Rows {
    /// For all users of a tenant; none where there would be too many rows to keep.
    pub(super) fn new(model: &Model) -> Option<Self> {
        let policies = model.snapshot.policies.len();
        let length = policies.div_ceil(64) * model.snapshot.directory.users.len();
        if length > WORDS {
            return None;
        }
        let mut rows = Self { policies, surely: vec![0; length], possibly: vec![0; length] };
        for (at, users) in model.users.iter().enumerate() {
            let (surely, possibly) = model.positions(users);
            surely.iter().for_each(|user| set(&mut rows.surely, rows.policies, (user, at)));
            possibly.iter().for_each(|user| set(&mut rows.possibly, rows.policies, (user, at)));
        }
        Some(rows)
    }

    /// The policies that take in the user at this position.
    pub(super) fn lane(&self, position: u32) -> Option<Lane> {
        let words = self.policies.div_ceil(64);
        let start = usize::try_from(position).ok()? * words;
        let row = |all: &[u64]| all.get(start..start + words).map(Bits::of_words);
        Some(Lane { surely: row(&self.surely)?, possibly: row(&self.possibly)? })
    }
}

fn set(rows: &mut [u64], policies: usize, (user, policy): (u32, usize)) {
    let start = usize::try_from(user).unwrap_or_default() * policies.div_ceil(64);
    rows.get_mut(start + policy / 64).into_iter().for_each(|word| *word |= 1 << (policy % 64));
}
