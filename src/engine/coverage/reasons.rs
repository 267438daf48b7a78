//! The same holes by sets of users: who isn't covered where and under which conditions; and why, cause by cause, each with
//! everybody to whom it applies. A million users of whom hardly two are alike are no more work than a few sets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use roaring::RoaringBitmap;

use super::causes::Causes;
use super::domain::{Axis, Value};
use super::gaps::{Search, apps, condition, values_of};
use super::people::{self, People};
use super::search::{Diagram, Hole, Part};
use super::{Cause, Condition, Other, domain};
use crate::engine::bits::Lane;
use crate::engine::truth::Truth;

/// Sign-ins that surely aren't covered, with everybody whom that concerns. Why is asked of [`Reasons`].
#[derive(Clone, Debug)]
pub struct Place {
    /// Positions of the users.
    pub users: RoaringBitmap,
    /// Users that have no object here.
    pub others: BTreeSet<Other>,
    /// App ids that are reached; empty where every app is that no policy names, and where it isn't about apps.
    pub apps: Arc<BTreeSet<String>>,
    /// The gap holds only under these; empty means under all conditions.
    pub conditions: Vec<Condition>,
    /// Values of each dimension.
    values: Vec<Vec<usize>>,
}

/// One cause at a place, and to whom it applies.
#[derive(Clone, Debug)]
pub struct Why {
    /// The cause.
    pub cause: Cause,
    /// The order of causes in [`super::Gap::causes`]: lower is more telling.
    pub(super) rank: u8,
    /// It is the only cause that its policy has for them.
    pub alone: bool,
    /// It says only that the policy is about other users or apps, and counts where no policy has a better one.
    pub beside: bool,
    pub(super) column: u32,
    pub(super) place: u32,
}

/// Why the places of one coverage aren't covered.
#[derive(Debug)]
pub struct Reasons<'a> {
    search: &'a Search,
    causes: Causes<'a>,
}

impl<'a> Reasons<'a> {
    pub(super) fn new(search: &'a Search) -> Self {
        Self { search, causes: Causes::new(&search.model, &search.requirement, &search.scope, &search.axes) }
    }

    /// Every cause that somebody may have at a place, in the order of [`super::Gap::causes`]: at this app of it, or at what
    /// all of it has in common, which is any other app where that is reached.
    pub fn at(&mut self, place: &Place, app: Option<&str>) -> Vec<Why> {
        let targets = self.search.axes.first().map_or(&[][..], |axis| &axis.values);
        let named =
            |value: &Value| matches!(value, Value::App(Some(id)) | Value::ContextOf(_, Some(id)) if app == Some(&**id));
        let first = || place.values.first().and_then(|values| values.first()).copied();
        let Some(target) = targets.iter().position(named).or_else(first) else { return Vec::new() };
        let beside = self.causes.beside(&place.values);
        let spot = self.causes.spot(&beside, &[target]);
        self.causes.whys(&spot)
    }

    /// Those among some users to whom a cause applies.
    #[must_use]
    pub fn users(&self, why: &Why, among: &RoaringBitmap) -> RoaringBitmap {
        let column = self.search.model.standing().column(why.column);
        column.map(|column| column.users(why.place, among)).unwrap_or_default()
    }
}

/// Where a hole is: its targets, none for any other app, and the classes of the other dimensions.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Where {
    targets: Option<Vec<usize>>,
    /// Requests for baseline scopes alone.
    slipping: bool,
    rest: Vec<Option<Vec<usize>>>,
}

/// Whom a part or a place concerns.
type Concerned = (RoaringBitmap, BTreeSet<Other>);

impl Search {
    /// Where these users, and those without an object here, surely aren't covered. Holes at any other app are one place,
    /// whatever named apps they reach besides.
    pub(super) fn places(&self, users: &RoaringBitmap) -> Vec<Place> {
        let mut diagram = Diagram::new(&self.axes, self.of.len());
        let mut found: BTreeMap<Where, Concerned> = BTreeMap::new();
        for (part, concerned) in self.by_part(&mut diagram, users) {
            for at in diagram.holes(part).into_iter().filter(|hole| hole.sure).flat_map(|hole| self.places_of(hole)) {
                let known = found.entry(at).or_default();
                known.0 |= &concerned.0;
                known.1.extend(&concerned.1);
            }
        }
        self.fold_exchange_in(&mut found);
        found.into_iter().map(|(at, concerned)| self.place(at, concerned)).collect()
    }

    /// Exchange Online stands by itself where Exchange `ActiveSync` tells it apart, which is no news where any other app is
    /// reached as well.
    fn fold_exchange_in(&self, found: &mut BTreeMap<Where, Concerned>) {
        let apps = self.axes.first().map_or(&[][..], |axis| &axis.values);
        let Some(exchange) = apps.iter().position(Value::is_exchange) else { return };
        let anywhere = |at: &Where| Where { targets: None, slipping: false, rest: at.rest.clone() };
        let alone: Vec<Where> = found.keys().filter(|at| at.targets.as_deref() == Some(&[exchange])).cloned().collect();
        for at in alone {
            let (Some((users, others)), Some((all, every))) = (found.get(&at), found.get(&anywhere(&at))) else {
                continue;
            };
            if users.is_subset(all) && others.is_subset(every) {
                found.remove(&at);
            }
        }
    }

    fn by_part(&self, diagram: &mut Diagram<'_>, users: &RoaringBitmap) -> BTreeMap<Part, Concerned> {
        let unreached = self.unreached(users);
        let people = People::new(&self.model, users - &unreached, &self.of);
        let parts = people.each(|lane| diagram.search(lane));
        let mut all: BTreeMap<Part, Concerned> =
            people.by(&parts).into_iter().map(|(part, users)| (part, (users, BTreeSet::new()))).collect();
        if !unreached.is_empty() {
            all.entry(diagram.search(&self.without_policies())).or_default().0 |= unreached;
        }
        for (other, lane) in &people::lanes_of_others(&self.model, &self.scope, &self.of) {
            all.entry(diagram.search(lane)).or_default().1.insert(*other);
        }
        all
    }

    /// What holds for everybody, whatever the policies.
    fn without_policies(&self) -> Lane {
        let mut lane = Lane::none(self.of.len());
        self.of
            .iter()
            .enumerate()
            .filter(|(_, one)| one.policy.is_none())
            .for_each(|(at, _)| lane.note(at, Truth::Yes));
        lane
    }

    /// Those whom surely no policy reaches that holds anywhere; none where that isn't soon found.
    fn unreached(&self, users: &RoaringBitmap) -> RoaringBitmap {
        let mut left = self.model.directory.bits(users);
        let somewhere =
            |at: usize| self.axes.iter().all(|axis| axis.classes.iter().any(|class| class.lane.possibly.has(at)));
        let holding = self.of.iter().enumerate().filter(|(at, _)| somewhere(*at));
        for policy in holding.filter_map(|(_, one)| one.policy) {
            let reached = self.model.reached(policy);
            if !reached.decided {
                return RoaringBitmap::new();
            }
            left.drop(&reached.surely);
            if left.is_empty() {
                break;
            }
        }
        left.compressed()
    }

    /// Where a hole is. Where every other app is reached, requests for baseline scopes are no news.
    fn places_of(&self, hole: Hole) -> Vec<Where> {
        let of = self.axes.iter().zip(&hole.classes);
        let mut values: Vec<Vec<usize>> = of.map(|(axis, classes)| values_of(axis, classes.as_deref())).collect();
        domain::count_unreal_in(&self.axes, &mut values);
        let mut rest = hole.classes;
        let Some(targets) = self.axes.first().filter(|_| !rest.is_empty()) else { return Vec::new() };
        if let (Some(axis), Some(clients)) = (self.axes.get(domain::CLIENT_APPS), values.get(domain::CLIENT_APPS)) {
            let classes: BTreeSet<usize> = clients.iter().filter_map(|at| axis.class_of(*at)).collect();
            let told = (clients.len() < axis.values.len()).then(|| classes.into_iter().collect());
            rest.get_mut(domain::CLIENT_APPS).into_iter().for_each(|clients| clients.clone_from(&told));
        }
        let first = rest.remove(0);
        if any_app(targets, first.as_deref()) {
            return vec![Where { targets: None, slipping: false, rest }];
        }
        let baseline = |value: &usize| matches!(targets.values.get(*value), Some(Value::Baseline));
        let (slipping, ordinary) = values_of(targets, first.as_deref()).into_iter().partition(baseline);
        let parts: [(bool, Vec<usize>); 2] = [(false, ordinary), (true, slipping)];
        let parts = parts.into_iter().filter(|(_, values)| !values.is_empty());
        parts.map(|(slipping, values)| Where { targets: Some(values), slipping, rest: rest.clone() }).collect()
    }

    fn place(&self, at: Where, (users, others): Concerned) -> Place {
        let any = || {
            let targets = self.axes.first().into_iter().flat_map(|axis| &axis.values);
            targets.into_iter().position(Value::is_any_app).into_iter().collect()
        };
        let named = |values: &Vec<usize>| self.axes.first().map(|axis| apps(axis, values).0).unwrap_or_default();
        let apps = Arc::new(at.targets.as_ref().map(named).unwrap_or_default());
        let others_of = self.axes.iter().skip(1).zip(&at.rest);
        let rest: Vec<Vec<usize>> = others_of.map(|(axis, classes)| values_of(axis, classes.as_deref())).collect();
        let snapshot = &self.model.snapshot;
        let narrowed = self.axes.iter().skip(1).zip(&rest);
        let mut conditions: Vec<Condition> =
            narrowed.filter_map(|(axis, values)| condition(snapshot, axis, values)).collect();
        conditions.extend(at.slipping.then_some(Condition::BaselineScopes));
        let values = std::iter::once(at.targets.unwrap_or_else(any)).chain(rest).collect();
        Place { users, others, apps, conditions, values }
    }
}

/// Whether these classes of targets, none for all, are about any app that no policy names.
fn any_app(targets: &Axis, classes: Option<&[usize]>) -> bool {
    let is_any = |value: &usize| targets.values.get(*value).is_some_and(Value::is_any_app);
    match classes {
        None => targets.values.iter().any(Value::is_any_app),
        Some(classes) => {
            classes.iter().filter_map(|class| targets.classes.get(*class)).any(|class| class.values.iter().any(is_any))
        }
    }
}
