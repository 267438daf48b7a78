//! What stands between each user and each policy that could have met the requirement.
//!
//! Users for whom it is the same all through are one class, found once for all holes.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;

use super::{Other, Reason};
use crate::engine::Model;
use crate::engine::truth::Truth;
use crate::engine::who::{UserCondition, Who, group_members, guest_hit, guest_of, role_members};
use crate::tenant::Assignment;
use crate::tenant::policy::Policy;
use crate::tenant::sign_in::Known;

/// What stands between a policy and some users; none where its user condition surely takes them in.
pub(super) type Barrier = Option<Reason>;

/// Users by what stands between them and the policies.
#[derive(Debug, Default)]
pub(super) struct Barriers {
    /// Class of each position of the directory; meaningful for those looked at.
    class_of: Vec<usize>,
    /// For each class and policy, a place in `tables`.
    classes: Vec<Vec<usize>>,
    /// For each policy, what can stand in its way.
    tables: Vec<Vec<Barrier>>,
    /// Those without an object here.
    pub(super) others: Vec<(Other, Vec<Barrier>)>,
}

impl Barriers {
    /// Sorts these users by the policies at these positions.
    pub(super) fn new(model: &Model, policies: &[usize], users: &RoaringBitmap, others: &[(Other, Who<'_>)]) -> Self {
        let class_of = vec![0; model.snapshot.directory.users.len()];
        let mut all = Self { class_of, classes: vec![Vec::new()], ..Self::default() };
        for at in policies {
            all.split(parts(model, *at, users));
        }
        let barriers = |who: &Who<'_>| policies.iter().map(|at| barrier(model.users.get(*at)?, who)).collect();
        all.others = others.iter().map(|(other, who)| (*other, barriers(who))).collect();
        all
    }

    fn split(&mut self, parts: Vec<(RoaringBitmap, Barrier)>) {
        let most = parts.iter().enumerate().max_by_key(|(_, (users, _))| users.len()).map_or(0, |(at, _)| at);
        self.classes.iter_mut().for_each(|class| class.push(most));
        for (at, (users, _)) in parts.iter().enumerate().filter(|(at, _)| *at != most) {
            let mut moved: BTreeMap<usize, usize> = BTreeMap::new();
            for position in users {
                let Some(class) = usize::try_from(position).ok().and_then(|at| self.class_of.get_mut(at)) else {
                    continue;
                };
                let next = self.classes.len();
                let target = *moved.entry(*class).or_insert(next);
                if target == next {
                    let mut apart = self.classes.get(*class).cloned().unwrap_or_default();
                    apart.pop();
                    apart.push(at);
                    self.classes.push(apart);
                }
                *class = target;
            }
        }
        self.tables.push(parts.into_iter().map(|(_, barrier)| barrier).collect());
    }

    /// The users by class.
    pub(super) fn sorted(&self, users: &RoaringBitmap) -> BTreeMap<usize, RoaringBitmap> {
        let mut classes: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        for position in users {
            if let Some(class) = usize::try_from(position).ok().and_then(|at| self.class_of.get(at)) {
                classes.entry(*class).or_default().push(position);
            }
        }
        let bitmap = |users: Vec<u32>| RoaringBitmap::from_sorted_iter(users).unwrap_or_default();
        classes.into_iter().map(|(class, users)| (class, bitmap(users))).collect()
    }

    /// What stands between a class and each policy.
    pub(super) fn of(&self, class: usize) -> Vec<Option<&Reason>> {
        let chosen = self.classes.get(class).into_iter().flatten();
        chosen.zip(&self.tables).map(|(at, table)| table.get(*at)?.as_ref()).collect()
    }
}

/// The users apart by what keeps a policy from them: not being included, which exclusion, or something unresolved.
fn parts(model: &Model, at: usize, users: &RoaringBitmap) -> Vec<(RoaringBitmap, Barrier)> {
    let (Some(condition), Some(policy)) = (model.users.get(at), model.snapshot.policies.get(at)) else {
        return vec![(users.clone(), None)];
    };
    let included = condition.include.positions(&model.directory.everyone, &model.directory.guests).1;
    let (surely, _) = model.positions(condition);
    let mut all = vec![(users - &included, Some(Reason::UsersNotIncluded))];
    let mut rest = users & included;
    for (reason, who) in exclusions(model, policy) {
        let hit = &rest & who;
        rest -= &hit;
        all.push((hit, Some(reason)));
    }
    let open: Vec<&str> = condition.open().collect();
    all.push((&rest & &surely, None));
    all.push((rest - surely, Some(Reason::Undecided(open.join(", ")))));
    all.retain(|(users, _)| !users.is_empty());
    all
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
        let holders = role_members(snapshot, id, Assignment::Active).unwrap_or_default();
        all.push((Reason::ExcludedRole(id.clone()), holders));
    }
    if let Some(guests) = &exclude.guests {
        let hit = |kind, tenant: &Option<String>| guest_hit(guests, &guest_of(kind, tenant.as_deref())) == Truth::Yes;
        let kinds = model.directory.guests.iter().filter(|((kind, tenant), _)| hit(*kind, tenant));
        all.push((Reason::ExcludedGuests, kinds.fold(RoaringBitmap::new(), |all, (_, members)| all | members)));
    }
    all
}

/// What keeps a policy from somebody without an object here.
fn barrier(condition: &UserCondition, who: &Who<'_>) -> Barrier {
    match (condition.include.hit(who, false), condition.exclude.hit(who, true)) {
        (Truth::No, _) => Some(Reason::UsersNotIncluded),
        (_, Truth::Yes) if matches!(who.guest, Known::Is(_)) => Some(Reason::ExcludedGuests),
        (_, Truth::Yes) => Some(Reason::ExcludedUser),
        (Truth::Yes, Truth::No) => None,
        _ => {
            let unknown = [condition.include.unknowns(who, false), condition.exclude.unknowns(who, true)].concat();
            Some(Reason::Undecided(unknown.join(", ")))
        }
    }
}
