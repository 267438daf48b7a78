//! How each user stands to the user condition of each policy: reached, or what keeps it from them. Compiled once, read by
//! every requirement.
//!
//! Users for whom it is the same all through are one class. Classes are a tree: each is another class but for one policy,
//! to which its users don't stand as most users do. A class takes no more room than that, and what a few policies tell
//! apart follows from the way to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use roaring::RoaringBitmap;
use rustc_hash::FxHashMap;

use super::Model;
use super::bits::Lane;
use super::coverage::Reason;
use super::truth::Truth;
use super::who::{group_members, guest_hit, guest_of, role_holders};
use crate::tenant::User;
use crate::tenant::policy::{GuestType, Policy};

/// What stands between a policy and some users; none where its user condition surely takes them in.
pub(super) type Barrier = Option<Reason>;

/// A class of users, by its place in the tree.
pub(super) type Class = u32;

/// The tree begins with one class for members and one for each kind of guest.
pub(super) const KINDS: [Option<GuestType>; 7] = [
    None,
    Some(GuestType::InternalGuest),
    Some(GuestType::B2bCollaborationGuest),
    Some(GuestType::B2bCollaborationMember),
    Some(GuestType::B2bDirectConnectUser),
    Some(GuestType::OtherExternalUser),
    Some(GuestType::ServiceProvider),
];

/// Users apart by what keeps one policy from them, those of most users first.
type Parts = Vec<(RoaringBitmap, (Barrier, Truth))>;

/// How users stand to one policy: what can keep it from them, and whether it reaches them then. First what most have, who
/// aren't listed.
#[derive(Debug)]
pub(super) struct Column(Parts);

impl Column {
    /// Whether the policy reaches users at this place.
    pub(super) fn truth(&self, place: u32) -> Truth {
        self.at(place).map_or(Truth::No, |(_, truth)| *truth)
    }

    /// What keeps it from them.
    pub(super) fn barrier(&self, place: u32) -> Option<&Reason> {
        self.at(place).and_then(|(barrier, _)| barrier.as_ref())
    }

    /// Those among some users who stand there.
    pub(super) fn users(&self, place: u32, among: &RoaringBitmap) -> RoaringBitmap {
        match usize::try_from(place).ok().and_then(|place| self.0.get(place)) {
            Some((users, _)) if place > 0 => among & users,
            Some(_) => self.0.iter().skip(1).fold(among.clone(), |left, (users, _)| left - users),
            None => RoaringBitmap::new(),
        }
    }

    /// How many places there are.
    pub(super) fn places(&self) -> u32 {
        count(self.0.len())
    }

    fn new(mut parts: Parts) -> Self {
        parts.iter_mut().take(1).for_each(|(most, _)| most.clear());
        Self(parts)
    }

    fn at(&self, place: u32) -> Option<&(Barrier, Truth)> {
        self.0.get(usize::try_from(place).ok()?).map(|(_, place)| place)
    }
}

/// Where a class parts from another one, and in what: a tenant of a million users has millions of these.
#[derive(Clone, Copy, Debug)]
struct Node {
    parent: Class,
    /// Number of the way among [`Standing::ways`].
    way: u32,
}

/// A policy's column, and a place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Way {
    column: u32,
    place: u32,
}

/// All users by class.
#[derive(Debug)]
pub(super) struct Standing {
    /// For a variant, the tenant that it is a variant of: its columns and classes come first.
    beneath: Option<Arc<Standing>>,
    columns: Vec<Column>,
    /// The policies of the tenant that reach most users.
    most: Lane,
    ways: Vec<Way>,
    nodes: Vec<Node>,
    /// Class of each user; empty for a variant.
    class_of: Vec<Class>,
    /// For a variant: users whose class isn't the one that they have in the tenant.
    moved: BTreeMap<u32, Class>,
}

impl Standing {
    /// Sorts the users of a tenant by its policies.
    pub(super) fn new(model: &Model) -> Self {
        let class_of = model.snapshot.directory.users.iter().map(root).collect();
        let root = Node { parent: 0, way: 0 };
        let mut all = Self {
            beneath: None,
            columns: Vec::new(),
            most: Lane::none(0),
            ways: Vec::new(),
            nodes: vec![root; KINDS.len()],
            class_of,
            moved: BTreeMap::new(),
        };
        // For each class the last way out of it, and where it led.
        let mut last = vec![(u32::MAX, 0); KINDS.len()];
        for at in 0..model.snapshot.policies.len() {
            let parts = parts(model, at);
            for (place, (users, _)) in (0u32..).zip(&parts).skip(1) {
                let way = count(all.ways.len());
                all.ways.push(Way { column: count(all.columns.len()), place });
                for position in users {
                    all.step(&mut last, (way, position));
                }
            }
            all.columns.push(Column::new(parts));
        }
        all.most = Lane::none(all.columns.len());
        all.columns.iter().enumerate().for_each(|(at, column)| all.most.note(at, column.truth(0)));
        all
    }

    fn step(&mut self, last: &mut Vec<(u32, Class)>, (way, position): (u32, u32)) {
        let next = count(self.nodes.len());
        let Some(class) = usize::try_from(position).ok().and_then(|at| self.class_of.get_mut(at)) else { return };
        let Some(known) = usize::try_from(*class).ok().and_then(|at| last.get_mut(at)) else { return };
        if known.0 == way {
            *class = known.1;
            return;
        }
        *known = (way, next);
        self.nodes.push(Node { parent: *class, way });
        last.push((u32::MAX, 0));
        *class = next;
    }

    /// The same tenant with the policies at these positions of a variant beside its own.
    pub(super) fn above(beneath: Arc<Self>, variant: &Model, own: impl Iterator<Item = usize>) -> Self {
        let (classes, columns, ways) = (beneath.len(), beneath.columns.len(), beneath.ways.len());
        let mut all = Self {
            beneath: Some(beneath),
            columns: Vec::new(),
            most: Lane::none(0),
            ways: Vec::new(),
            nodes: Vec::new(),
            class_of: Vec::new(),
            moved: BTreeMap::new(),
        };
        for at in own {
            let column = count(columns + all.columns.len());
            let mut steps: FxHashMap<(Class, u32), Class> = FxHashMap::default();
            let parts = parts(variant, at);
            for (place, (users, _)) in (0u32..).zip(&parts).skip(1) {
                let way = count(ways + all.ways.len());
                all.ways.push(Way { column, place });
                for position in users {
                    let parent = all.class(position);
                    let next = count(classes + all.nodes.len());
                    let class = *steps.entry((parent, way)).or_insert(next);
                    if class == next {
                        all.nodes.push(Node { parent, way });
                    }
                    all.moved.insert(position, class);
                }
            }
            all.columns.push(Column::new(parts));
        }
        all
    }

    /// How many classes, those along the way counted.
    pub(super) fn len(&self) -> usize {
        self.beneath.as_ref().map_or(0, |beneath| beneath.len()) + self.nodes.len()
    }

    /// How many policies.
    pub(super) fn width(&self) -> usize {
        self.beneath.as_ref().map_or(0, |beneath| beneath.width()) + self.columns.len()
    }

    /// How users stand to the policy with this column.
    pub(super) fn column(&self, at: u32) -> Option<&Column> {
        let at = usize::try_from(at).ok()?;
        match &self.beneath {
            Some(beneath) if at < beneath.columns.len() => beneath.columns.get(at),
            Some(beneath) => self.columns.get(at - beneath.columns.len()),
            None => self.columns.get(at),
        }
    }

    /// The class that a class parts from, and in what.
    fn node(&self, class: Class) -> Option<(Class, Way)> {
        let below = self.beneath.as_deref();
        let node = layered(below.map(|below| below.nodes.as_slice()), &self.nodes, class)?;
        Some((node.parent, layered(below.map(|below| below.ways.as_slice()), &self.ways, node.way)?))
    }

    /// The class of the user at this position.
    pub(super) fn class(&self, position: u32) -> Class {
        match (&self.beneath, self.moved.get(&position)) {
            (_, Some(class)) => *class,
            (Some(beneath), None) => beneath.class(position),
            (None, None) => {
                usize::try_from(position).ok().and_then(|at| self.class_of.get(at)).copied().unwrap_or_default()
            }
        }
    }

    /// The class of each of these users, in their order.
    pub(super) fn classes<'a>(&'a self, users: &'a RoaringBitmap) -> impl Iterator<Item = Class> + 'a {
        let below = self.beneath.as_deref().unwrap_or(self);
        let mut moved = self.moved.iter().peekable();
        users.iter().map(move |position| {
            while moved.next_if(|(at, _)| **at < position).is_some() {}
            let own = moved.next_if(|(at, _)| **at == position).map(|(_, class)| *class);
            own.unwrap_or_else(|| below.class(position))
        })
    }

    /// The policies of the tenant that reach the user at this position, one bit a column.
    pub(super) fn lane(&self, position: u32) -> Lane {
        let mut lane = self.most.clone();
        let mut class = self.class(position);
        while let Some((parent, way)) = self.node(class).filter(|_| !is_root(class)) {
            let (at, truth) = (usize::try_from(way.column).unwrap_or_default(), self.truth(way));
            lane.surely.put(at, truth == Truth::Yes);
            lane.possibly.put(at, truth != Truth::No);
            class = parent;
        }
        lane
    }

    fn truth(&self, way: Way) -> Truth {
        self.column(way.column).map_or(Truth::No, |column| column.truth(way.place))
    }
}

/// What has this number, where numbers go on after those of the tenant beneath.
fn layered<T: Copy>(below: Option<&[T]>, own: &[T], number: u32) -> Option<T> {
    let at = usize::try_from(number).ok()?;
    match below {
        Some(below) if at < below.len() => below.get(at).copied(),
        Some(below) => own.get(at - below.len()).copied(),
        None => own.get(at).copied(),
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn root(user: &User) -> Class {
    count(KINDS.iter().position(|kind| *kind == user.guest).unwrap_or_default())
}

fn is_root(class: Class) -> bool {
    usize::try_from(class).is_ok_and(|class| class < KINDS.len())
}

/// The classes of a standing as far as somebody tells them apart, themselves a tree: the first are the kinds of people.
#[derive(Debug)]
pub(super) struct Projection {
    /// By class, its place here.
    of: Vec<u32>,
    steps: Vec<(u32, Told)>,
    known: FxHashMap<(u32, Told), u32>,
}

/// A column, and what is told of it.
pub(super) type Told = (u32, u32);

/// Not looked at yet.
const UNSEEN: u32 = u32::MAX;

impl Projection {
    /// Nothing yet, of so many classes.
    pub(super) fn new(classes: usize) -> Self {
        let mut of = vec![UNSEEN; classes];
        (0u32..).zip(of.iter_mut().take(KINDS.len())).for_each(|(root, of)| *of = root);
        let steps = (0..count(KINDS.len())).map(|root| (root, (0, 0))).collect();
        Self { of, steps, known: FxHashMap::default() }
    }

    /// The place of a class; `told` says what is told of a column and a place in it, none where it is as for most.
    pub(super) fn place(&mut self, standing: &Standing, class: Class, told: impl Fn(u32, u32) -> Option<u32>) -> u32 {
        let mut way = Vec::new();
        let mut at = class;
        while self.seen(at) == UNSEEN {
            let Some((parent, step)) = standing.node(at) else { break };
            way.push((at, step));
            at = parent;
        }
        let mut place = self.seen(at);
        for (class, step) in way.into_iter().rev() {
            if let Some(value) = told(step.column, step.place) {
                place = self.step(place, (step.column, value));
            }
            if let Some(of) = usize::try_from(class).ok().and_then(|class| self.of.get_mut(class)) {
                *of = place;
            }
        }
        place
    }

    /// The place of a class that was looked at.
    pub(super) fn seen(&self, class: Class) -> u32 {
        usize::try_from(class).ok().and_then(|class| self.of.get(class)).copied().unwrap_or_default()
    }

    fn step(&mut self, from: u32, told: Told) -> u32 {
        let next = count(self.steps.len());
        let place = *self.known.entry((from, told)).or_insert(next);
        if place == next {
            self.steps.push((from, told));
        }
        place
    }

    /// What is told of a place, last first, and then its kind of people.
    pub(super) fn way(&self, place: u32) -> (Vec<Told>, Option<GuestType>) {
        let (mut at, mut way) = (place, Vec::new());
        while let Some((from, told)) =
            usize::try_from(at).ok().and_then(|at| self.steps.get(at)).filter(|_| !is_root(at))
        {
            way.push(*told);
            at = *from;
        }
        let kind = usize::try_from(at).ok().and_then(|at| KINDS.get(at)).copied().flatten();
        (way, kind)
    }
}

/// All users apart by what keeps the policy at this position from them: not being included, which exclusion, or something
/// unresolved.
fn parts(model: &Model, at: usize) -> Parts {
    let users = &model.directory.everyone;
    let (Some(condition), Some(policy)) = (model.users.get(at), model.snapshot.policies.get(at)) else {
        return vec![(users.clone(), (None, Truth::No))];
    };
    let included = condition.include.positions(users, &model.directory.guests).1;
    let (surely, possibly) = model.positions(condition);
    let mut all = vec![(users - &included, (Some(Reason::UsersNotIncluded), Truth::No))];
    let mut rest = included;
    for (reason, who) in exclusions(model, policy) {
        let hit = &rest & who;
        rest -= &hit;
        all.push((hit, (Some(reason), Truth::No)));
    }
    let open = condition.open().collect::<Vec<_>>().join(", ");
    let left = &rest - &surely;
    all.push((&rest & &surely, (None, Truth::Yes)));
    all.push((&left & &possibly, (Some(Reason::Undecided(open.clone())), Truth::Maybe)));
    all.push((left - possibly, (Some(Reason::Undecided(open)), Truth::No)));
    all.retain(|(users, _)| !users.is_empty());
    all.sort_by_key(|(users, _)| std::cmp::Reverse(users.len()));
    if all.is_empty() { vec![(RoaringBitmap::new(), (None, Truth::No))] } else { all }
}

/// Each way in which the policy excludes users, with everyone whom it hits, in the order of the portal.
fn exclusions(model: &Model, policy: &Policy) -> Vec<(Reason, RoaringBitmap)> {
    let snapshot = &model.snapshot;
    let exclude = &policy.conditions.users.exclude;
    let named = exclude.users.iter().filter_map(|id| snapshot.directory.user_index(id)).collect();
    let mut all = vec![(Reason::ExcludedUser, named)];
    for id in &exclude.groups {
        all.push((Reason::ExcludedGroup(id.clone()), group_members(snapshot, id).unwrap_or_default()));
    }
    for id in &exclude.roles {
        let holders = role_holders(snapshot, id, model.activated).unwrap_or_default();
        all.push((Reason::ExcludedRole(id.clone()), holders));
    }
    if let Some(guests) = &exclude.guests {
        let hit = |kind, tenant: &Option<String>| guest_hit(guests, &guest_of(kind, tenant.as_deref())) == Truth::Yes;
        let kinds = model.directory.guests.iter().filter(|((kind, tenant), _)| hit(*kind, tenant));
        all.push((Reason::ExcludedGuests, kinds.fold(RoaringBitmap::new(), |all, (_, members)| all | members)));
    }
    all
}
