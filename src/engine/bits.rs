//! A set of small numbers as 64-bit words; all sets of one computation have the same length.

use std::ops::RangeInclusive;

use roaring::RoaringBitmap;
use smallvec::SmallVec;

use super::truth::Truth;

/// How many words are kept in place: enough for every tenant, which has 240 policies at most, and for its contributors.
const WORDS: usize = 8;

/// A set of positions below a fixed length.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Bits(SmallVec<[u64; WORDS]>);

impl Bits {
    /// The empty set of this length.
    pub(super) fn none(length: usize) -> Self {
        Self(SmallVec::from_elem(0, length.div_ceil(64)))
    }

    /// The set that these words are.
    pub(super) fn of_words(words: &[u64]) -> Self {
        Self(SmallVec::from_slice(words))
    }

    /// Every position below the length.
    pub(super) fn all(length: usize) -> Self {
        let mut all = Self::none(length);
        (0..length).for_each(|at| all.set(at));
        all
    }

    /// The members, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        self.shared(self)
    }

    /// Takes in the members of another set.
    pub(super) fn extend(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, more)| *word |= more);
    }

    pub(super) fn set(&mut self, at: usize) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    /// Takes a position in, or out.
    pub(super) fn put(&mut self, at: usize, inside: bool) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word = *word & !(1 << (at % 64)) | u64::from(inside) << (at % 64);
        }
    }

    pub(super) fn has(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word & (1 << (at % 64)) != 0)
    }

    /// Whether all three have a member in common.
    pub(super) fn meets_both(&self, other: &Self, third: &Self) -> bool {
        self.0.iter().zip(&other.0).zip(&third.0).any(|((one, two), three)| one & two & three != 0)
    }

    /// How many members.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The members that are in the other set too, in order.
    pub(super) fn shared<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = usize> + 'a {
        let words = self.0.iter().zip(&other.0).map(|(one, two)| one & two).enumerate();
        words.flat_map(|(at, mut word)| {
            std::iter::from_fn(move || {
                let bit = word.trailing_zeros() as usize;
                word &= word.wrapping_sub(1);
                (bit < 64).then_some(at * 64 + bit)
            })
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(super) fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(one, two)| one & two).collect())
    }

    /// Keeps the members that are in the other set too.
    pub(super) fn retain(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word &= other);
    }

    /// Takes in all positions of a range.
    pub(super) fn fill(&mut self, range: RangeInclusive<u32>) {
        let (Ok(first), Ok(last)) = (usize::try_from(*range.start()), usize::try_from(*range.end())) else { return };
        for at in first / 64..=last / 64 {
            let from = u64::MAX << if at == first / 64 { first % 64 } else { 0 };
            let to = u64::MAX >> if at == last / 64 { 63 - last % 64 } else { 0 };
            self.0.get_mut(at).into_iter().for_each(|word| *word |= from & to);
        }
    }

    /// The members as a compressed set.
    pub(super) fn compressed(&self) -> RoaringBitmap {
        let bytes: Vec<u8> = self.0.iter().flat_map(|word| word.to_le_bytes()).collect();
        RoaringBitmap::from_lsb0_bytes(0, &bytes)
    }

    /// Drops the members of the other set.
    pub(super) fn drop(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word &= !other);
    }

    pub(super) fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(one, two)| one & two != 0)
    }
}

/// Two sets of policies: those that surely hold, and those that possibly do (the sure ones among them).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Lane {
    pub(super) surely: Bits,
    pub(super) possibly: Bits,
}

impl Lane {
    pub(super) fn none(length: usize) -> Self {
        Self { surely: Bits::none(length), possibly: Bits::none(length) }
    }

    /// Whether the one at this position holds.
    pub(super) fn of(&self, at: usize) -> Truth {
        match (self.surely.has(at), self.possibly.has(at)) {
            (true, _) => Truth::Yes,
            (false, true) => Truth::Maybe,
            (false, false) => Truth::No,
        }
    }

    /// Notes whether the one at this position holds.
    pub(super) fn note(&mut self, at: usize, met: Truth) {
        if met == Truth::Yes {
            self.surely.set(at);
        }
        if met != Truth::No {
            self.possibly.set(at);
        }
    }

    pub(super) fn and(&self, other: &Self) -> Self {
        Self { surely: self.surely.and(&other.surely), possibly: self.possibly.and(&other.possibly) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_past_one_word() {
        let mut set = Bits::none(70);
        set.set(69);
        assert!(set.has(69) && !set.has(5) && set.meets(&Bits::all(70)));
        let mut filled = Bits::none(300);
        filled.fill(3..=3);
        filled.fill(60..=200);
        let expected: Vec<usize> = std::iter::once(3).chain(60..=200).collect();
        assert_eq!(filled.iter().collect::<Vec<_>>(), expected);
        assert_eq!(filled.compressed().iter().map(|at| at as usize).collect::<Vec<_>>(), expected);
        assert!(Bits::none(70).is_empty() && Bits::all(70).and(&Bits::none(70)).is_empty());
    }
}
