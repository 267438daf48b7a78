//! A set of small numbers as 64-bit words; all sets of one computation have the same length.

use std::ops::RangeInclusive;

use roaring::RoaringBitmap;
use rustc_hash::FxHashSet;
use smallvec::SmallVec;

use super::truth::Truth;

/// How many words are kept in place: enough for every tenant, which has 240 policies at most, and for its contributors.
const WORDS: usize = 8;

/// Words that are looked at together: two lines of the processor's cache.
const PIECE: usize = 16;

/// A set of positions below a fixed length.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Bits(SmallVec<[u64; WORDS]>);

impl Clone for Bits {
    fn clone(&self) -> Self {
        // All words at once: its own clone takes them one by one.
        Self::of_words(&self.0)
    }

    fn clone_from(&mut self, source: &Self) {
        if self.0.len() == source.0.len() {
            self.0.copy_from_slice(&source.0);
        } else {
            *self = source.clone();
        }
    }
}

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

    /// How many positions there are room for.
    pub(super) fn capacity(&self) -> usize {
        self.0.len() * 64
    }

    /// Which of these positions are members, numbered anew in their order.
    pub(super) fn packed(&self, positions: &[usize]) -> Self {
        let word = |chunk: &[usize]| (0..).zip(chunk).fold(0, |word, (at, one)| word | u64::from(self.has(*one)) << at);
        Self(positions.chunks(64).map(word).collect())
    }

    /// Positions that are in more than so many of these sets: counted for 64 of them at a time, a word for each binary digit.
    pub(super) fn in_more_than(limit: usize, sets: &[&Self]) -> Self {
        let words = sets.first().map_or(0, |set| set.0.len());
        let digits = usize::BITS - sets.len().leading_zeros();
        let of = |at: usize| {
            let mut count: SmallVec<[u64; WORDS]> = (0..digits).map(|_| 0).collect();
            for set in sets {
                let mut carry = set.0.get(at).copied().unwrap_or_default();
                for digit in &mut count {
                    (*digit, carry) = (*digit ^ carry, *digit & carry);
                }
            }
            // From the last digit on: more, or equal so far.
            let (mut more, mut equal) = (0, u64::MAX);
            for (place, digit) in count.iter().enumerate().rev() {
                if limit >> place & 1 == 0 {
                    more |= equal & digit;
                    equal &= !digit;
                } else {
                    equal &= digit;
                }
            }
            more
        };
        Self((0..words).map(of).collect())
    }

    /// Each combination of these sets that some member is in, as the names of the sets, which are below this length: 64 members
    /// at a time.
    pub(super) fn told_apart(&self, sets: &[(usize, &Self)], length: usize) -> FxHashSet<Self> {
        let mut found = FxHashSet::default();
        for (at, members) in self.0.iter().enumerate() {
            let mut left = *members;
            while left != 0 {
                let first = left.trailing_zeros();
                let (mut same, mut inside) = (left, Self::none(length));
                for (name, set) in sets {
                    let word = set.0.get(at).copied().unwrap_or_default();
                    let is_in = word >> first & 1 != 0;
                    same &= if is_in { word } else { !word };
                    inside.put(*name, is_in);
                }
                found.insert(inside);
                left &= !same;
            }
        }
        found
    }

    /// How many members.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// How many members are in the other set too.
    pub(super) fn shared_len(&self, other: &Self) -> usize {
        self.0.iter().zip(&other.0).map(|(one, two)| (one & two).count_ones() as usize).sum()
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
        let mut both = self.clone();
        both.retain(other);
        both
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

    /// Drops the members of several sets, a piece of all of them at a time: where none is left no further set is read. Tells
    /// how many words were.
    pub(super) fn drop_each(&mut self, others: &[&Self]) -> usize {
        let mut read = 0;
        for (at, piece) in self.0.chunks_mut(PIECE).enumerate() {
            let mut left = piece.iter().fold(0, |left, word| left | *word);
            for other in others {
                if left == 0 {
                    break;
                }
                left = 0;
                for (word, other) in piece.iter_mut().zip(other.0.get(at * PIECE..).unwrap_or_default()) {
                    *word &= !other;
                    left |= *word;
                }
                read += piece.len();
            }
        }
        read
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

    /// Notes whether all of these hold, whatever was noted of them before.
    pub(super) fn put(&mut self, all: &Bits, met: Truth) {
        for (set, inside) in [(&mut self.surely, met == Truth::Yes), (&mut self.possibly, met != Truth::No)] {
            if inside {
                set.extend(all);
            } else {
                set.drop(all);
            }
        }
    }

    pub(super) fn and(&self, other: &Self) -> Self {
        Self { surely: self.surely.and(&other.surely), possibly: self.possibly.and(&other.possibly) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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
        assert_eq!(filled.packed(&[2, 3, 60, 201, 200]).iter().collect::<Vec<_>>(), [1, 2, 4]);
        assert!(Bits::none(70).is_empty() && Bits::all(70).and(&Bits::none(70)).is_empty());
    }

    #[test]
    fn members_of_several_sets_dropped() {
        let multiples = |step: usize| {
            let mut set = Bits::none(3_000);
            (0..3_000).step_by(step).for_each(|at| set.set(at));
            set
        };
        let (even, third) = (multiples(2), multiples(3));
        let mut left = Bits::all(3_000);
        assert_eq!(left.drop_each(&[&even, &third]), 2 * 3_000_usize.div_ceil(64));
        assert_eq!(
            left.iter().collect::<Vec<_>>(),
            (0..3_000).filter(|at| at % 2 != 0 && at % 3 != 0).collect::<Vec<_>>()
        );
        let mut early = Bits::all(64);
        assert_eq!(early.drop_each(&[&Bits::all(3_000), &even]), 1, "nobody is left after the first");
        assert!(early.is_empty() && early.drop_each(&[&even]) == 0);
    }

    #[test]
    fn members_told_apart_by_the_sets_they_are_in() {
        let of = |positions: &[usize]| {
            let mut set = Bits::none(130);
            positions.iter().for_each(|at| set.set(*at));
            set
        };
        let (one, other) = (of(&[3, 70, 129]), of(&[70, 128]));
        let found = of(&[2, 3, 4, 70, 129]).told_apart(&[(7, &one), (9, &other)], 10);
        let names: BTreeSet<Vec<usize>> = found.iter().map(|inside| inside.iter().collect()).collect();
        assert_eq!(names, [vec![], vec![7], vec![7, 9]].into_iter().collect());
    }

    #[test]
    fn positions_in_many_sets() {
        let multiples = |step: usize| {
            let mut set = Bits::none(200);
            (0..200).step_by(step).for_each(|at| set.set(at));
            set
        };
        let sets: Vec<Bits> = (1..=9).map(multiples).collect();
        let sets: Vec<&Bits> = sets.iter().collect();
        for limit in 0..10 {
            let many = |at: &usize| (1..=9).filter(|step| at.is_multiple_of(*step)).count() > limit;
            let expected: Vec<usize> = (0..200).filter(many).collect();
            assert_eq!(Bits::in_more_than(limit, &sets).iter().collect::<Vec<_>>(), expected, "more than {limit}");
        }
    }
}
