//! Whom each policy's user condition takes in, as one row of bits for each user: compiled once, read by every
//! requirement.

use std::sync::Arc;

use roaring::RoaringBitmap;

use super::who::{GuestIndex, UserCondition};

/// For each user of the directory, the policies that surely reach them, and those that possibly do.
#[derive(Debug)]
pub(super) struct Reach {
    /// Words in a row.
    words: usize,
    surely: Vec<u64>,
    /// None where it is the same as `surely`.
    possibly: Option<Vec<u64>>,
    /// Whose column is which.
    columns: Vec<Arc<UserCondition>>,
}

impl Reach {
    pub(super) fn new(columns: Vec<Arc<UserCondition>>, everyone: &RoaringBitmap, guests: &GuestIndex) -> Self {
        let users = usize::try_from(everyone.len()).unwrap_or_default();
        let words = columns.len().div_ceil(64).max(1);
        let mut rows = Rows::new(words, users);
        let mut open = Vec::new();
        for (at, condition) in columns.iter().enumerate() {
            let (surely, possibly) = condition.positions(everyone, guests);
            rows.column(at, &surely, everyone);
            open.push((at, possibly - surely));
        }
        let surely = rows.filled();
        open.retain(|(_, perhaps)| !perhaps.is_empty());
        let possibly = (!open.is_empty()).then(|| {
            let mut rows = Rows { words, base: vec![0; words], flips: surely.clone() };
            open.iter().for_each(|(at, perhaps)| rows.flip(*at, perhaps));
            rows.flips
        });
        Self { words, surely, possibly, columns }
    }

    /// The column of a policy's users, if they were compiled here.
    pub(super) fn column(&self, users: &Arc<UserCondition>) -> Option<usize> {
        self.columns.iter().position(|column| Arc::ptr_eq(column, users))
    }

    /// Words in a row.
    pub(super) fn words(&self) -> usize {
        self.words
    }

    /// Whether somebody is possibly reached who isn't surely.
    pub(super) fn is_open(&self) -> bool {
        self.possibly.is_some()
    }

    /// The policies that surely reach the user at this position, and those that possibly do.
    pub(super) fn row(&self, position: u32) -> (&[u64], &[u64]) {
        let begin = usize::try_from(position).unwrap_or_default() * self.words;
        let row = begin..begin + self.words;
        let surely = self.surely.get(row.clone()).unwrap_or_default();
        let possibly = self.possibly.as_ref().map_or(surely, |all| all.get(row).unwrap_or_default());
        (surely, possibly)
    }
}

/// Rows in the making: what most users have is written last, only the exceptions are walked through.
struct Rows {
    words: usize,
    /// Each user's differences from `base`.
    flips: Vec<u64>,
    base: Vec<u64>,
}

impl Rows {
    fn new(words: usize, users: usize) -> Self {
        Self { words, flips: vec![0; words * users], base: vec![0; words] }
    }

    fn column(&mut self, at: usize, reached: &RoaringBitmap, everyone: &RoaringBitmap) {
        if reached.len() * 2 <= everyone.len() {
            return self.flip(at, reached);
        }
        if let Some(word) = self.base.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
        self.flip(at, &(everyone - reached));
    }

    fn flip(&mut self, at: usize, users: &RoaringBitmap) {
        for position in users {
            let word = usize::try_from(position).unwrap_or_default() * self.words + at / 64;
            if let Some(word) = self.flips.get_mut(word) {
                *word ^= 1 << (at % 64);
            }
        }
    }

    fn filled(mut self) -> Vec<u64> {
        for row in self.flips.chunks_exact_mut(self.words) {
            row.iter_mut().zip(&self.base).for_each(|(word, base)| *word ^= base);
        }
        self.flips
    }
}
