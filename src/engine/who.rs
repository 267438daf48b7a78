//! Who signs in: the identity condition of a policy, compiled to sets of positions in the directory.
//!
//! Sources: Microsoft Learn, Conditional Access: Users, groups, agents, and workload identities; External users.

use std::collections::{BTreeMap, BTreeSet};

use roaring::RoaringBitmap;

use super::truth::Truth;
use super::unknown_words::{self, UnknownUsers};
use crate::tenant::policy::{GuestType, Guests, UserSide};
use crate::tenant::sign_in::Known;
use crate::tenant::well_known::ALL_AGENT_USERS;
use crate::tenant::{Assignment, Kind, Policy, Snapshot, Text, User};

/// What a condition that names organisations leaves open about a guest.
const HOME: &str = "the guest's home organisation";

/// How an unresolved group is named among what isn't known.
const MEMBERS: &str = "members of group";

/// Directory users by kind of guest and home tenant.
pub(super) type GuestIndex = BTreeMap<(GuestType, Option<String>), RoaringBitmap>;

/// One person, or a person of a kind that has no object here.
#[derive(Clone, Debug)]
pub(super) struct Who<'a> {
    /// Object id, where one is stated.
    pub(super) id: Option<&'a str>,
    /// What is known of groups and roles.
    pub(super) membership: Membership,
    /// Kind of guest; `Absent` for a member.
    pub(super) guest: Known<GuestType>,
    /// Home tenant of a guest; `Absent` for one that no policy names.
    pub(super) tenant: Known<&'a str>,
    /// Also eligible for B2B direct connect.
    pub(super) direct_connect: Truth,
}

/// What is known of a person's groups and roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Membership {
    /// All of it: the person is at this position of the directory.
    At(u32),
    /// In no group and no role.
    Nothing,
    /// Nothing is known.
    Unknown,
    /// Stands for every user of a tenant whose directory wasn't read.
    Everybody,
}

/// The user condition of one policy.
#[derive(Clone, Debug)]
pub(super) struct UserCondition {
    pub(super) include: Side,
    pub(super) exclude: Side,
}

/// One side of it.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a kind of assignment of its own")]
pub(super) struct Side {
    pub(super) all: bool,
    ids: BTreeSet<String>,
    /// Everyone named by id, group or role, as far as it could be resolved.
    named: RoaringBitmap,
    guests: Option<Guests>,
    /// What isn't known of whom it names.
    unknown: UnknownUsers,
    /// Groups and roles whose members aren't known, as people read them.
    pub(super) open: Vec<String>,
    /// Users named by an id that the directory, which wasn't read, would resolve.
    strangers: Vec<String>,
    /// Organisations are named, and of some guest nobody knows the home.
    homes: bool,
    /// Emergency access groups aren't listed there: they hold nobody else.
    emergency: bool,
    /// Groups or roles are named.
    member_of: bool,
}

impl UserCondition {
    /// Roles that are `activated` count as held by those who could activate them.
    pub(super) fn new(snapshot: &Snapshot, policy: &Policy, activated: &dyn Fn(&str) -> bool) -> Self {
        let side =
            |side, which| Side { unknown: unknown_words::users(policy, which), ..Side::new(snapshot, side, activated) };
        let users = &policy.conditions.users;
        Self {
            include: side(&users.include, unknown_words::Side::Include),
            exclude: side(&users.exclude, unknown_words::Side::Exclude),
        }
    }

    /// Whether the condition is met; exclusion always wins.
    pub(super) fn met(&self, who: &Who<'_>) -> Truth {
        self.include.hit(who, false).and(self.exclude.hit(who, true).negate())
    }

    /// What isn't known about it, as people read it.
    pub(super) fn open(&self) -> impl Iterator<Item = &str> {
        let sides = [&self.include, &self.exclude];
        sides.into_iter().flat_map(|side| {
            let named = side.open.iter().chain(&side.strangers).map(String::as_str);
            named.chain(side.homes.then_some(
                "which organisations the guests come from (signIns.jsonl with rows of theirs would settle it)",
            ))
        })
    }

    /// Directory users that surely meet it, and those that possibly do.
    pub(super) fn positions(&self, everyone: &RoaringBitmap, guests: &GuestIndex) -> (RoaringBitmap, RoaringBitmap) {
        let (included, perhaps_included) = self.include.positions(everyone, guests);
        let (excluded, perhaps_excluded) = self.exclude.positions(everyone, guests);
        (included - perhaps_excluded, perhaps_included - excluded)
    }
}

impl Side {
    fn new(snapshot: &Snapshot, side: &UserSide, activated: &dyn Fn(&str) -> bool) -> Self {
        let emergency = &snapshot.settings.emergency_access;
        let mut built = Self {
            all: side.all,
            ids: side.users.clone(),
            guests: side.guests.clone(),
            homes: side.guests.as_ref().is_some_and(|guests| guests.tenants.is_some()) && has_stranger(snapshot),
            member_of: !side.groups.is_empty() || !side.roles.is_empty(),
            ..Self::default()
        };
        for id in &side.users {
            match snapshot.directory.user_index(id) {
                Some(position) => drop(built.named.insert(position)),
                None if unknown_words::is_word(id) && !KEYWORDS.contains(&id.as_str()) && !emergency.contains(id) => {
                    built.open.push(format!("whom {id} takes in"));
                }
                None if snapshot.has(Kind::Users) || emergency.contains(id) || KEYWORDS.contains(&id.as_str()) => {}
                None => built.strangers.push(format!("who user {id} is")),
            }
        }
        for id in &side.groups {
            match group_members(snapshot, id) {
                Some(members) => built.named |= members,
                None if emergency.contains(id) => built.emergency = true,
                None => {
                    let file = if snapshot.has(Kind::Groups) { "" } else { " (groups.json would settle it)" };
                    built.open.push(format!("{MEMBERS} {}{file}", group_name(snapshot, id)));
                }
            }
        }
        for id in &side.roles {
            match role_holders(snapshot, id, activated(id)) {
                Some(members) => built.named |= members,
                None => built.role_open(),
            }
        }
        built
    }

    /// Notes once that roles can't be resolved: it is the same reading that is missing for all of them.
    fn role_open(&mut self) {
        let what = "who holds which role".to_owned();
        if !self.open.contains(&what) {
            self.open.push(what);
        }
    }

    pub(super) fn hit(&self, who: &Who<'_>, excluding: bool) -> Truth {
        let known = || self.guest_hit(who).or(self.named_hit(who, excluding));
        let known = if self.all { Truth::Yes } else { known() };
        let known = if self.unknown.widened { known.or(Truth::Maybe) } else { known };
        if self.unknown.narrowed { known.and(Truth::Maybe) } else { known }
    }

    fn guest_hit(&self, who: &Who<'_>) -> Truth {
        let known = self.guests.as_ref().map_or(Truth::No, |guests| guest_hit(guests, who));
        // An internal guest has no home elsewhere.
        let homeless = who.guest == Known::Is(GuestType::InternalGuest);
        let known = if self.unknown.guest_homes && !homeless { known.and(Truth::Maybe) } else { known };
        let perhaps = self.unknown.guest_kinds && who.guest != Known::Absent;
        if perhaps { known.or(Truth::Maybe) } else { known }
    }

    fn named_hit(&self, who: &Who<'_>, excluding: bool) -> Truth {
        if who.id.is_some_and(|id| self.ids.contains(id)) {
            return Truth::Yes;
        }
        let open = match who.membership {
            Membership::At(position) if self.named.contains(position) => return Truth::Yes,
            Membership::At(_) => !self.open.is_empty() || (self.emergency && who.id.is_some()),
            Membership::Nothing => false,
            Membership::Unknown => self.member_of,
            Membership::Everybody if excluding => !self.open.is_empty() || !self.strangers.is_empty(),
            Membership::Everybody => self.open.iter().any(|what| what.starts_with(MEMBERS)),
        };
        if open { Truth::Maybe } else { Truth::No }
    }

    /// Positions that surely hit, and those that possibly do.
    pub(super) fn positions(&self, everyone: &RoaringBitmap, guests: &GuestIndex) -> (RoaringBitmap, RoaringBitmap) {
        let (mut surely, mut possibly) = self.known_positions(everyone, guests);
        if self.unknown.widened {
            possibly.clone_from(everyone);
        }
        if self.unknown.narrowed {
            surely.clear();
        }
        (surely, possibly)
    }

    fn known_positions(&self, everyone: &RoaringBitmap, guests: &GuestIndex) -> (RoaringBitmap, RoaringBitmap) {
        if self.all {
            return (everyone.clone(), everyone.clone());
        }
        let (mut surely, mut possibly) = (self.named.clone(), RoaringBitmap::new());
        for ((kind, tenant), members) in guests {
            match self.guest_hit(&guest_of(*kind, tenant.as_deref())) {
                Truth::Yes => surely |= members,
                Truth::Maybe => possibly |= members,
                Truth::No => {}
            }
        }
        if self.open.is_empty() {
            possibly |= &surely;
        } else {
            possibly.clone_from(everyone);
        }
        (surely, possibly)
    }

    /// What isn't known about `who`, as people read it.
    pub(super) fn unknowns(&self, who: &Who<'_>, excluding: bool) -> Vec<String> {
        if self.hit(who, excluding) != Truth::Maybe {
            return Vec::new();
        }
        let connects_not = Who { direct_connect: Truth::No, ..who.clone() };
        if who.direct_connect == Truth::Maybe && self.hit(&connects_not, excluding) != Truth::Maybe {
            return vec!["whether the guest is eligible for B2B direct connect".into()];
        }
        let mut all = match who.membership {
            _ if self.named_hit(who, excluding) != Truth::Maybe => Vec::new(),
            Membership::Everybody if excluding => [self.open.as_slice(), self.strangers.as_slice()].concat(),
            Membership::Unknown => vec!["the user's groups and roles".into()],
            _ if self.open.is_empty() => vec!["who is in the emergency access groups".into()],
            _ => self.open.clone(),
        };
        if self.guest_hit(who) == Truth::Maybe {
            let known = who.guest != Known::Unknown && !self.unknown.guest_kinds;
            all.push(if known { HOME } else { "whether the user is a guest, of which kind and from where" }.into());
        }
        all
    }
}

/// A guest known by kind and tenant alone.
pub(super) fn guest_of(kind: GuestType, tenant: Option<&str>) -> Who<'_> {
    Who {
        id: None,
        membership: Membership::Nothing,
        guest: Known::Is(kind),
        tenant: tenant.map_or(Known::Unknown, Known::Is),
        direct_connect: Truth::No,
    }
}

/// A type matches only if the tenant matches too; for an internal guest the tenant has no meaning.
pub(super) fn guest_hit(guests: &Guests, who: &Who<'_>) -> Truth {
    let kind = match who.guest {
        Known::Unknown => return if guests.types.is_empty() { Truth::No } else { Truth::Maybe },
        Known::Absent => return Truth::No,
        Known::Is(kind) => kind,
    };
    if kind == GuestType::InternalGuest {
        return guests.types.contains(&kind).into();
    }
    let collaborates = matches!(kind, GuestType::B2bCollaborationGuest | GuestType::B2bCollaborationMember);
    let connects = Truth::from(collaborates && guests.types.contains(&GuestType::B2bDirectConnectUser));
    let of_type = Truth::from(guests.types.contains(&kind)).or(connects.and(who.direct_connect));
    let of_tenant = match (&guests.tenants, &who.tenant) {
        (None, _) => Truth::Yes,
        (Some(tenants), Known::Is(tenant)) => tenants.contains(*tenant).into(),
        (Some(_), Known::Absent) => Truth::No,
        (Some(_), Known::Unknown) => Truth::Maybe,
    };
    of_type.and(of_tenant)
}

/// Somebody comes from an organisation that nobody knows.
fn has_stranger(snapshot: &Snapshot) -> bool {
    let external = |user: &User| user.guest.is_some_and(|kind| kind != GuestType::InternalGuest);
    snapshot.directory.users.iter().any(|user| external(user) && !snapshot.homes.contains_key(&user.id))
}

/// Guests among the directory's users, by kind and home tenant.
pub(super) fn guest_index(snapshot: &Snapshot) -> GuestIndex {
    let mut index = GuestIndex::new();
    for (position, user) in (0u32..).zip(&snapshot.directory.users) {
        if let Some(kind) = user.guest {
            index.entry((kind, snapshot.homes.get(&user.id).map(Text::to_string))).or_default().insert(position);
        }
    }
    index
}

/// Everyone in a group, nested members too; none when the members aren't known. A deleted group has no members.
pub(super) fn group_members(snapshot: &Snapshot, id: &str) -> Option<RoaringBitmap> {
    match snapshot.directory.groups.get(id) {
        Some(group) => group.transitive.as_deref().cloned(),
        None => (snapshot.has(Kind::Groups) && !unknown_words::is_word(id)).then(RoaringBitmap::new),
    }
}

/// Everyone who holds a built-in role for the whole tenant, directly or through a group; none when not known.
/// Other roles and narrower scopes aren't enforced by Conditional Access.
pub(super) fn role_members(snapshot: &Snapshot, role: &str, assignment: Assignment) -> Option<RoaringBitmap> {
    if !snapshot.directory.is_built_in(role) {
        return Some(RoaringBitmap::new());
    }
    let assignments = &snapshot.directory.role_assignments;
    let is_id = || !unknown_words::is_word(role) || assignments.iter().any(|held| held.role_id == role);
    if !snapshot.has(Kind::RoleAssignments) || !is_id() {
        return None;
    }
    let mut holders = RoaringBitmap::new();
    for held in assignments {
        if held.role_id != role || held.scope != "/" || held.assignment != assignment {
            continue;
        }
        if let Some(position) = snapshot.directory.user_index(&held.principal_id) {
            holders.insert(position);
        } else {
            holders |= group_members(snapshot, &held.principal_id)?;
        }
    }
    Some(holders)
}

/// Everyone who holds a role now, or, if roles count as `activated`, could.
pub(super) fn role_holders(snapshot: &Snapshot, role: &str, activated: bool) -> Option<RoaringBitmap> {
    let active = role_members(snapshot, role, Assignment::Active)?;
    if activated { Some(active | role_members(snapshot, role, Assignment::Eligible)?) } else { Some(active) }
}

/// Words that stand among user ids and are known.
const KEYWORDS: [&str; 2] = ["None", ALL_AGENT_USERS];

fn group_name(snapshot: &Snapshot, id: &str) -> String {
    let name = snapshot.directory.groups.get(id).map_or(id, |group| group.display_name.as_str());
    if name.is_empty() { id.to_owned() } else { name.to_owned() }
}
