//! Values drawn from a seed, without state: the same question always gets the same answer.
//!
//! Nothing of a big tenant is stored that can be drawn again, so that a million users stay small.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// Mixes words into 64 evenly spread bits (the finaliser of `SplitMix64`, applied per word).
#[must_use]
pub fn mix(words: &[u64]) -> u64 {
    words.iter().fold(0x9E37_79B9_7F4A_7C15, |state, word| {
        let mut z = state.wrapping_add(word.wrapping_mul(0xD6E8_FEB8_6659_FD93)).wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    })
}

/// Whether a roll falls within `permille` of 1000.
#[must_use]
pub fn chance(roll: u64, permille: u64) -> bool {
    roll % 1000 < permille
}

/// One of `list`; the empty default for an empty list.
pub fn pick<T: Copy + Default>(list: &[T], roll: u64) -> T {
    let length = u64::try_from(list.len()).unwrap_or(1).max(1);
    usize::try_from(roll % length).ok().and_then(|at| list.get(at)).copied().unwrap_or_default()
}

/// What an object id names; part of the draw, so that kinds never share ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// A user.
    User = 1,
    /// A group.
    Group,
    /// A service principal.
    ServicePrincipal,
    /// The app id of a line-of-business app.
    App,
    /// A device object; index is user × 2 + slot.
    Device,
    /// The `deviceId` of the same device.
    DeviceId,
    /// A conditional access policy.
    Policy,
    /// A named location.
    Location,
    /// A sign-in row.
    SignIn,
    /// The correlation id of a sign-in.
    Correlation,
    /// An audit record.
    Audit,
    /// A role assignment.
    Assignment,
    /// A tenant.
    Tenant,
    /// Anything else.
    Other,
}

/// Draws object ids, and finds back the index a drawn id was made from.
#[derive(Clone, Copy, Debug)]
pub struct Ids {
    seed: u64,
}

/// Odd, so that multiplying by it modulo 2³² can be undone by [`SPREAD_BACK`].
const SPREAD: u32 = 0x9E37_79B1;
const SPREAD_BACK: u32 = 0x0E8B_2F51;

impl Ids {
    /// Ids of one tenant.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The id of an object: random-looking, a valid version 4 UUID.
    #[must_use]
    pub fn id(self, kind: Object, index: u32) -> Uuid {
        let words = [self.seed, kind as u64, u64::from(index)];
        let high = u128::from(mix(&words)) << 64;
        let low = u128::from(mix(&[mix(&words), 1])) & !0xFFFF_FFFF;
        let tail = u128::from(index.wrapping_mul(SPREAD) ^ self.mask(kind));
        uuid::Builder::from_random_bytes((high | low | tail).to_be_bytes()).into_uuid()
    }

    /// The index that this id was drawn from, if it is one of ours.
    #[must_use]
    pub fn index(self, kind: Object, id: &str) -> Option<u32> {
        let id = Uuid::parse_str(id).ok()?;
        let tail = u32::try_from(id.as_u128() & 0xFFFF_FFFF).ok()?;
        let index = (tail ^ self.mask(kind)).wrapping_mul(SPREAD_BACK);
        (self.id(kind, index) == id).then_some(index)
    }

    /// A roll that belongs to one object and one question about it.
    #[must_use]
    pub fn roll(self, kind: Object, index: u32, question: u64) -> u64 {
        mix(&[self.seed, kind as u64, u64::from(index), question])
    }

    fn mask(self, kind: Object) -> u32 {
        u32::try_from(mix(&[self.seed, kind as u64]) & 0xFFFF_FFFF).unwrap_or_default()
    }
}

/// `at` moved back by days.
#[must_use]
pub fn days_before(at: Timestamp, days: i64) -> Timestamp {
    at.saturating_sub(SignedDuration::from_hours(24 * days)).unwrap_or(at)
}

/// `at` moved back by seconds.
#[must_use]
pub fn seconds_before(at: Timestamp, seconds: i64) -> Timestamp {
    at.saturating_sub(SignedDuration::from_secs(seconds)).unwrap_or(at)
}

/// Midnight UTC of the day `days` before `at`.
#[must_use]
pub fn midnight_before(at: Timestamp, days: i64) -> Timestamp {
    let at = days_before(at, days);
    seconds_before(at, at.as_second().rem_euclid(86_400))
}

/// A time as Graph writes it, to the second.
#[must_use]
pub fn written(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_back_to_its_index() {
        let ids = Ids::new(7);
        for index in [0, 1, 499, 1_000_000, u32::MAX] {
            let id = ids.id(Object::User, index);
            assert_eq!(id.get_version_num(), 4);
            assert_eq!(ids.index(Object::User, &id.to_string()), Some(index));
            assert_eq!(ids.index(Object::Group, &id.to_string()), None);
        }
        assert_eq!(ids.index(Object::User, "not an id"), None);
    }

    #[test]
    fn midnight_is_midnight() {
        let at: Timestamp = "2026-11-24T08:30:15Z".parse().unwrap();
        assert_eq!(written(midnight_before(at, 1)), "2026-11-23T00:00:00Z");
    }
}
