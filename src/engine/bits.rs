//! A set of small numbers as 64-bit words; all sets of one computation have the same length.

/// A set of positions below a fixed length.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Bits(Box<[u64]>);

impl Bits {
    /// The empty set of this length.
    pub(super) fn none(length: usize) -> Self {
        Self(vec![0; length.div_ceil(64)].into_boxed_slice())
    }

    /// Every position below the length.
    pub(super) fn all(length: usize) -> Self {
        let mut all = Self::none(length);
        (0..length).for_each(|at| all.set(at));
        all
    }

    pub(super) fn set(&mut self, at: usize) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    pub(super) fn flip(&mut self, at: usize) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word ^= 1 << (at % 64);
        }
    }

    pub(super) fn has(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word & (1 << (at % 64)) != 0)
    }

    /// Whether all three have a member in common.
    pub(super) fn meets_both(&self, other: &Self, third: &Self) -> bool {
        self.0.iter().zip(&other.0).zip(&third.0).any(|((one, two), three)| one & two & three != 0)
    }

    fn xor(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(one, two)| one ^ two).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(super) fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(one, two)| one & two).collect())
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

    pub(super) fn and(&self, other: &Self) -> Self {
        Self { surely: self.surely.and(&other.surely), possibly: self.possibly.and(&other.possibly) }
    }

    /// Each set turned over where `differences` has a member.
    pub(super) fn differing_from(&self, base: &Self) -> Self {
        Self { surely: self.surely.xor(&base.surely), possibly: self.possibly.xor(&base.possibly) }
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
        set.flip(69);
        assert!(set.is_empty() && Bits::all(70).and(&set).is_empty());
    }
}
