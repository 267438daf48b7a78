//! The people of the made-up tenant: who they are, as compact records.
//!
//! A record is 16 bytes; everything else about a person is drawn again from the seed when asked for.

use jiff::Timestamp;

use super::cast::{CAST, Member};
use super::names::{DEPARTMENTS, FAMILY, GIVEN, OFFICES, PARTNERS};
use super::random::{Ids, Object, chance, pick};

/// What kind of account a user object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A person employed here.
    Person,
    /// A Teams room.
    Room,
    /// A service account (`svc-...`).
    Service,
    /// An emergency access account.
    Emergency,
    /// The account directory synchronisation signs in with.
    Sync,
    /// Invited, signs in at home, userType Guest.
    B2bGuest,
    /// Invited, signs in at home, userType Member.
    B2bMember,
    /// An account of this tenant with userType Guest.
    InternalGuest,
    /// Invited, has not accepted.
    PendingGuest,
}

/// One user object.
#[derive(Clone, Copy, Debug)]
pub struct User {
    /// Kind of account.
    pub kind: Kind,
    /// Position in [`DEPARTMENTS`]; none where the attribute is empty.
    pub department: Option<u8>,
    /// Position in [`OFFICES`].
    pub office: u8,
    /// Sign-in is blocked.
    pub disabled: bool,
    /// No sign-in for 90 days.
    pub unused: bool,
    /// The account was deleted.
    gone: bool,
    given: u8,
    family: u8,
    /// How many namesakes came before.
    namesakes: u32,
}

/// All user objects, by index.
#[derive(Clone, Debug)]
pub struct People {
    /// Draws their ids.
    pub ids: Ids,
    /// The day the tenant is made for.
    pub today: Timestamp,
    users: Vec<User>,
}

impl People {
    /// Exactly `count` users: first the cast, then drawn ones.
    #[must_use]
    pub fn generate(ids: Ids, today: Timestamp, count: u32) -> Self {
        let mut namesakes = vec![0_u32; GIVEN.len() * FAMILY.len()];
        let users = (0..count).map(|index| draw(ids, index, &mut namesakes)).collect();
        Self { ids, today, users }
    }

    /// How many user objects there are or were; deleted ones keep their index.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.users.len()).unwrap_or(u32::MAX)
    }

    /// The record at `index`; none beyond the last user, and none of a deleted one.
    #[must_use]
    pub fn get(&self, index: u32) -> Option<&User> {
        self.ever(index).filter(|user| !user.gone)
    }

    /// The record at `index`, that of a deleted account too.
    #[must_use]
    pub fn ever(&self, index: u32) -> Option<&User> {
        self.users.get(usize::try_from(index).ok()?)
    }

    /// Indices with records.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &User)> {
        (0..).zip(self.users.iter()).filter(|(_, user)| !user.gone)
    }

    /// A new account, drawn like the others; its index.
    pub fn hire(&mut self) -> u32 {
        let index = self.count();
        let mut namesakes = vec![0_u32; GIVEN.len() * FAMILY.len()];
        for user in &self.users {
            let key = usize::from(user.given) * FAMILY.len() + usize::from(user.family);
            if let Some(seen) = namesakes.get_mut(key) {
                *seen += 1;
            }
        }
        self.users.push(draw(self.ids, index, &mut namesakes));
        index
    }

    /// Deletes an account; true when there was one.
    pub fn delete(&mut self, index: u32) -> bool {
        self.change(index, |user| user.gone = true)
    }

    /// Lets an account sign in, or not any more; true when there is one.
    pub fn enable(&mut self, index: u32, enabled: bool) -> bool {
        self.change(index, |user| user.disabled = !enabled)
    }

    fn change(&mut self, index: u32, change: impl FnOnce(&mut User)) -> bool {
        let found = usize::try_from(index).ok().and_then(|at| self.users.get_mut(at)).filter(|user| !user.gone);
        found.map(change).is_some()
    }

    /// Object id of the user at `index`.
    #[must_use]
    pub fn id(&self, index: u32) -> String {
        self.ids.id(Object::User, index).to_string()
    }

    /// The index of a user's object id.
    #[must_use]
    pub fn index(&self, id: &str) -> Option<u32> {
        self.ids.index(Object::User, id).filter(|index| self.get(*index).is_some())
    }

    /// A roll for one question about one user.
    #[must_use]
    pub fn roll(&self, index: u32, question: u64) -> u64 {
        self.ids.roll(Object::User, index, question)
    }

    /// Given and family name.
    #[must_use]
    pub fn name(&self, index: u32) -> (&'static str, &'static str) {
        if let Some(member) = cast(index) {
            return (member.given, member.family);
        }
        self.ever(index)
            .map_or(("", ""), |user| (pick(GIVEN, u64::from(user.given)), pick(FAMILY, u64::from(user.family))))
    }

    /// How many earlier users bear the same name.
    #[must_use]
    pub fn namesakes(&self, index: u32) -> u32 {
        self.get(index).map_or(0, |user| user.namesakes)
    }

    /// Index of the first user of the cast with this family name.
    #[must_use]
    pub fn cast_index(family: &str) -> u32 {
        CAST.iter().position(|member| member.family == family).and_then(|at| u32::try_from(at).ok()).unwrap_or(0)
    }

    /// The partner a guest comes from: domain, identity issuer, and the partner's tenant id.
    #[must_use]
    pub fn partner(&self, index: u32) -> (&'static str, &'static str, String) {
        let (domain, issuer) = pick(PARTNERS, self.roll(index, 11));
        let at = PARTNERS.iter().position(|(name, _)| *name == domain).unwrap_or(0);
        let tenant = self.ids.id(Object::Tenant, u32::try_from(at).unwrap_or(0) + 1).to_string();
        (domain, issuer, tenant)
    }

    /// City, country, and address prefixes of a user's office.
    #[must_use]
    pub fn office(&self, index: u32) -> super::names::Office {
        pick(OFFICES, u64::from(self.get(index).map_or(0, |user| user.office)))
    }

    /// Whether the account is a person or thing that signs in at all.
    #[must_use]
    pub fn active(&self, index: u32) -> bool {
        self.get(index).is_some_and(|user| {
            !user.disabled && !user.unused && !matches!(user.kind, Kind::PendingGuest | Kind::Emergency)
        })
    }
}

/// The member of the cast at `index`.
#[must_use]
pub fn cast(index: u32) -> Option<&'static Member> {
    CAST.get(usize::try_from(index).ok()?)
}

fn draw(ids: Ids, index: u32, namesakes: &mut [u32]) -> User {
    if let Some(member) = cast(index) {
        let (office, department) = (member.office, member.department);
        let unused = matches!(member.kind, Kind::Emergency);
        return User {
            kind: member.kind,
            department,
            office,
            disabled: false,
            unused,
            gone: false,
            given: 0,
            family: 0,
            namesakes: 0,
        };
    }
    let roll = |question| ids.roll(Object::User, index, question);
    let kind = draw_kind(roll(1));
    let given = small(roll(2), GIVEN.len());
    let family = small(roll(3), FAMILY.len());
    let department = match kind {
        Kind::Person if !chance(roll(4), 25) => Some(small(roll(5), DEPARTMENTS.len())),
        _ => None,
    };
    let key = usize::from(given) * FAMILY.len() + usize::from(family);
    let earlier = namesakes.get_mut(key).map_or(0, |seen| std::mem::replace(seen, *seen + 1));
    User {
        kind,
        department,
        office: small(roll(6), OFFICES.len()),
        disabled: matches!(kind, Kind::Person | Kind::B2bGuest) && chance(roll(7), 70),
        unused: chance(roll(8), 60),
        gone: false,
        given,
        family,
        namesakes: earlier,
    }
}

fn draw_kind(roll: u64) -> Kind {
    match roll % 1000 {
        0..=829 => Kind::Person,
        830..=859 => Kind::Room,
        860..=879 => Kind::Service,
        880..=944 => Kind::B2bGuest,
        945..=964 => Kind::B2bMember,
        965..=979 => Kind::InternalGuest,
        _ => Kind::PendingGuest,
    }
}

fn small(roll: u64, bound: usize) -> u8 {
    let bound = u64::try_from(bound).unwrap_or(1).max(1);
    u8::try_from(roll % bound).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_stays_small() {
        assert!(size_of::<User>() <= 16);
    }

    #[test]
    fn the_same_seed_gives_the_same_people() {
        let today = "2026-11-24T08:30:00Z".parse().unwrap();
        let make = || People::generate(Ids::new(1), today, 60);
        assert_eq!(make().name(55), make().name(55));
        assert_eq!(make().count(), 60);
        assert_eq!(make().index(&make().id(59)), Some(59));
        assert_eq!(make().index(&make().id(60)), None);
    }
}
