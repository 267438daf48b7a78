//! Users into classes that the contributors don't tell apart, without asking each user about each policy.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use roaring::RoaringBitmap;

use super::requirement::{ANY, Contributor, person};
use super::{Other, Scope, search};
use crate::engine::Model;
use crate::engine::bits::{Bits, Lane};
use crate::engine::reach::Reach;
use crate::engine::truth::Truth;
use crate::engine::who::{Membership, Who};
use crate::tenant::Kind;
use crate::tenant::policy::GuestType;
use crate::tenant::sign_in::Known;

/// Every kind of guest or external user.
pub(super) const GUEST_TYPES: [GuestType; 6] = [
    GuestType::InternalGuest,
    GuestType::B2bCollaborationGuest,
    GuestType::B2bCollaborationMember,
    GuestType::B2bDirectConnectUser,
    GuestType::OtherExternalUser,
    GuestType::ServiceProvider,
];

/// The users looked at, each in the class of those whom the same contributors reach.
#[derive(Debug)]
pub(super) struct People {
    pub(super) looked_at: RoaringBitmap,
    /// Class of each user looked at, in their order; none for those whom a contributor covers everywhere.
    class_of: Vec<Option<u32>>,
    /// The contributors that reach each class.
    pub(super) lanes: Vec<Lane>,
    /// The contributors that reach somebody of those who are covered everywhere.
    covered: Vec<Lane>,
    /// Those without an object here.
    pub(super) others: Vec<(Other, Lane)>,
}

impl People {
    /// Sorts the users of a scope; `universal` are the contributors that cover everything for those whom they reach.
    pub(super) fn new(model: &Model, scope: &Scope, of: &[Contributor], universal: &Bits) -> Self {
        let looked_at = scope.users.clone().unwrap_or_else(|| model.default_users());
        let others = others(model, scope).into_iter().map(|(other, who)| (other, lane_of(model, &who, of))).collect();
        let columns = Columns::new(model, of, universal);
        let mut sorting = Sorting::default();
        let class_of = looked_at.iter().map(|position| sorting.class(&columns, position)).collect();
        let lanes = sorting.classes.iter().map(|row| columns.lane(row)).collect();
        let covered = sorting.covered.into_values().map(|row| columns.lane(&row)).collect();
        Self { looked_at, class_of, lanes, covered, others }
    }

    /// Whether a contributor possibly reaches anybody.
    pub(super) fn anybody(&self, at: usize) -> bool {
        let mut everyone = self.lanes.iter().chain(&self.covered).chain(self.others.iter().map(|(_, lane)| lane));
        everyone.any(|lane| lane.possibly.has(at))
    }

    /// The users by what is left to be covered for their class; those for whom nothing is left out.
    pub(super) fn gather(&self, parts: &[search::Part]) -> BTreeMap<search::Part, RoaringBitmap> {
        let mut places = BTreeMap::new();
        let mut place = |part: &search::Part| {
            let next = places.len();
            (*part != search::COVERED).then(|| *places.entry(*part).or_insert(next))
        };
        let place: Vec<Option<usize>> = parts.iter().map(&mut place).collect();
        let mut users: Vec<Vec<u32>> = vec![Vec::new(); places.len()];
        for (position, class) in self.looked_at.iter().zip(&self.class_of) {
            let class = class.and_then(|class| usize::try_from(class).ok());
            let place = class.and_then(|class| place.get(class).copied().flatten());
            if let Some(users) = place.and_then(|place| users.get_mut(place)) {
                users.push(position);
            }
        }
        let users = |place: usize| RoaringBitmap::from_sorted_iter(users.get(place).into_iter().flatten().copied());
        places.into_iter().map(|(part, place)| (part, users(place).unwrap_or_default())).collect()
    }
}

/// A user's columns as far as contributors ask for them: who surely, who possibly, those apart, the kind of person.
type Row = Box<[u64]>;

/// Where a contributor's users are found.
enum Place {
    /// Everybody.
    Always,
    /// In a column of the compiled reach.
    Column(usize),
    /// In sets of their own: surely and possibly. The policies of a draft aren't in the reach of its tenant.
    Apart(usize),
}

/// How rows are read for one requirement.
struct Columns<'a> {
    model: &'a Model,
    reach: &'a Reach,
    of: &'a [Contributor],
    places: Vec<Place>,
    apart: Vec<(RoaringBitmap, RoaringBitmap)>,
    /// Columns that some contributor asks for.
    asked: Vec<u64>,
    /// Columns whose users are covered everywhere.
    covering: Vec<u64>,
    /// Sets apart whose users are covered everywhere.
    covering_apart: Vec<usize>,
    /// Contributors tell kinds of people apart.
    by_kind: bool,
}

impl<'a> Columns<'a> {
    fn new(model: &'a Model, of: &'a [Contributor], universal: &Bits) -> Self {
        let reach = model.reach();
        let none = vec![0; reach.words()];
        let mut columns = Self {
            model,
            reach,
            of,
            places: Vec::new(),
            apart: Vec::new(),
            asked: none.clone(),
            covering: none,
            covering_apart: Vec::new(),
            by_kind: of.iter().any(|one| one.region.people != ANY),
        };
        for (at, one) in of.iter().enumerate() {
            let covers = one.sure && one.region.people == ANY && universal.has(at);
            let place = columns.place(one, covers);
            columns.places.push(place);
        }
        columns
    }

    fn place(&mut self, one: &Contributor, covers: bool) -> Place {
        let Some(users) = one.policy.and_then(|policy| self.model.users.get(policy)) else { return Place::Always };
        if let Some(column) = self.reach.column(users) {
            set(&mut self.asked, column);
            if covers {
                set(&mut self.covering, column);
            }
            return Place::Column(column);
        }
        if covers {
            self.covering_apart.push(self.apart.len());
        }
        self.apart.push(self.model.positions(users));
        Place::Apart(self.apart.len() - 1)
    }

    /// Writes a user's row over `row`; whether somebody covers the user everywhere.
    fn read(&self, position: u32, row: &mut Vec<u64>) -> bool {
        let (surely, possibly) = self.reach.row(position);
        row.clear();
        let person = || person(self.model.snapshot.directory.user_at(position).and_then(|user| user.guest));
        row.push(if self.by_kind { person().into() } else { 0 });
        row.extend(surely.iter().zip(&self.asked).map(|(word, asked)| word & asked));
        if self.reach.is_open() {
            row.extend(possibly.iter().zip(&self.asked).map(|(word, asked)| word & asked));
        }
        for (surely, possibly) in &self.apart {
            row.push(u64::from(surely.contains(position)) | u64::from(possibly.contains(position)) << 1);
        }
        surely.iter().zip(&self.covering).any(|(word, covering)| word & covering != 0)
            || self.covering_apart.iter().any(|at| self.apart.get(*at).is_some_and(|(all, _)| all.contains(position)))
    }

    /// The contributors that reach a user with this row.
    fn lane(&self, row: &[u64]) -> Lane {
        let words = self.reach.words();
        let (kind, rest) = row.split_first().map_or((0, row), |(kind, rest)| (*kind, rest));
        let (surely, rest) = rest.split_at_checked(words).unwrap_or((rest, &[]));
        let (possibly, apart) =
            if self.reach.is_open() { rest.split_at_checked(words).unwrap_or((rest, &[])) } else { (surely, rest) };
        let mut lane = Lane::none(self.of.len());
        for (at, (one, place)) in self.of.iter().zip(&self.places).enumerate() {
            if self.by_kind && kind & u64::from(one.region.people) == 0 {
                continue;
            }
            let (sure, possible) = match place {
                Place::Always => (true, true),
                Place::Column(column) => (has(surely, *column), has(possibly, *column)),
                Place::Apart(at) => apart.get(*at).map_or((false, false), |bits| (bits & 1 != 0, bits & 2 != 0)),
            };
            if sure && one.sure {
                lane.surely.set(at);
            }
            if possible {
                lane.possibly.set(at);
            }
        }
        lane
    }
}

fn set(words: &mut [u64], at: usize) {
    if let Some(word) = words.get_mut(at / 64) {
        *word |= 1 << (at % 64);
    }
}

fn has(words: &[u64], at: usize) -> bool {
    words.get(at / 64).is_some_and(|word| word & (1 << (at % 64)) != 0)
}

/// Users being sorted, in the order in which their classes appear.
#[derive(Default)]
struct Sorting {
    known: HashMap<Row, u32>,
    classes: Vec<Row>,
    /// By kind of person, everything that reaches those who are covered everywhere.
    covered: BTreeMap<u64, Row>,
    row: Vec<u64>,
}

impl Sorting {
    fn class(&mut self, columns: &Columns<'_>, position: u32) -> Option<u32> {
        if columns.read(position, &mut self.row) {
            let kind = self.row.first().copied().unwrap_or_default();
            match self.covered.get_mut(&kind) {
                Some(all) => all.iter_mut().zip(&self.row).for_each(|(all, word)| *all |= word),
                None => drop(self.covered.insert(kind, self.row.as_slice().into())),
            }
            return None;
        }
        if let Some(class) = self.known.get(self.row.as_slice()) {
            return Some(*class);
        }
        let class = u32::try_from(self.classes.len()).ok()?;
        self.known.insert(self.row.as_slice().into(), class);
        self.classes.push(self.row.as_slice().into());
        Some(class)
    }
}

/// Those without an object here whom a scope takes in, each as one person of the kind.
pub(super) fn others<'a>(model: &'a Model, scope: &Scope) -> Vec<(Other, Who<'a>)> {
    let read = model.snapshot.has(Kind::Users);
    let whole = scope.users.is_none();
    let membership = if read { Membership::Nothing } else { Membership::Everybody };
    let mut all = Vec::new();
    if whole && !read {
        let member = Who { id: None, membership, guest: Known::Absent, tenant: Known::Absent, direct_connect: false };
        all.push((Other::AnyUser, member));
    }
    let tenants = named_tenants(model);
    for kind in GUEST_TYPES.into_iter().filter(|kind| whole || scope.guest_types.contains(kind)) {
        let bodiless = matches!(kind, GuestType::B2bDirectConnectUser | GuestType::ServiceProvider);
        let membership = if bodiless { Membership::Nothing } else { membership };
        for tenant in [Known::Absent].into_iter().chain(tenants.iter().map(|tenant| Known::Is(*tenant))) {
            let who = Who { id: None, membership, guest: Known::Is(kind), tenant, direct_connect: false };
            all.push((Other::Guest(kind), who));
        }
    }
    all
}

/// Home tenants that policies name.
fn named_tenants(model: &Model) -> BTreeSet<&str> {
    let users = model.snapshot.policies.iter().map(|policy| &policy.conditions.users);
    let guests = users.flat_map(|users| [&users.include.guests, &users.exclude.guests]).flatten();
    guests.filter_map(|guests| guests.tenants.as_ref()).flatten().map(String::as_str).collect()
}

fn lane_of(model: &Model, who: &Who<'_>, of: &[Contributor]) -> Lane {
    let kind = match who.guest {
        Known::Is(kind) => person(Some(kind)),
        _ => person(None),
    };
    let mut lane = Lane::none(of.len());
    for (at, one) in of.iter().enumerate().filter(|(_, one)| one.region.people & kind != 0) {
        let met =
            one.policy.map_or(Truth::Yes, |policy| model.users.get(policy).map_or(Truth::No, |users| users.met(who)));
        if met == Truth::Yes && one.sure {
            lane.surely.set(at);
        }
        if met != Truth::No {
            lane.possibly.set(at);
        }
    }
    lane
}
