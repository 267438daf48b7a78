//! Guests of whom nobody knows where they come from: what is met wherever that is needs no log to settle it.
//!
//! Of two policies, one for the guests of an organisation and one for all others, each only possibly reaches such a guest,
//! and both together surely do.

use roaring::RoaringBitmap;
use rustc_hash::FxHashMap;

use super::people::{People, named_tenants};
use super::requirement::Contributor;
use super::search::{Diagram, Left};
use crate::engine::Model;
use crate::engine::bits::Lane;
use crate::engine::truth::Truth;
use crate::engine::who::{Membership, Who};
use crate::tenant::policy::GuestType;
use crate::tenant::sign_in::Known;

/// Those among some users of whom something is open who are covered whatever their home is.
pub(super) fn settled(
    model: &Model,
    of: &[Contributor],
    (people, open): (&People, &RoaringBitmap),
    diagram: &mut Diagram<'_>,
) -> RoaringBitmap {
    let tenants = named_tenants(model);
    let strangers = strangers(model, open);
    if tenants.is_empty() || strangers.is_empty() {
        return RoaringBitmap::new();
    }
    let homes = || [Known::Absent].into_iter().chain(tenants.iter().map(|tenant| Known::Is(*tenant)));
    let mut known: FxHashMap<Lane, bool> = FxHashMap::default();
    let mut is_covered =
        |lane| *known.entry(lane).or_insert_with_key(|lane| diagram.left(lane, true) == Left::default());
    let lanes = people.each(|lane| Some(lane.clone()));
    let mut settled = RoaringBitmap::new();
    for (position, lane) in people.with(&lanes) {
        let (Some(lane), Some(kind)) = (lane, strangers.get(&position)) else { continue };
        let at_home = |home| at_home(model, (of, lane), &guest(position, *kind, home));
        if homes().all(|home| is_covered(at_home(home))) {
            settled.insert(position);
        }
    }
    settled
}

/// The guests among some users whose home isn't known, with their kind.
fn strangers(model: &Model, among: &RoaringBitmap) -> FxHashMap<u32, GuestType> {
    let guests = &model.directory.guests;
    let unknown = guests.iter().filter(|((kind, home), _)| home.is_none() && *kind != GuestType::InternalGuest);
    unknown.flat_map(|((kind, _), users)| (users & among).into_iter().map(|position| (position, *kind))).collect()
}

fn guest(position: u32, kind: GuestType, tenant: Known<&str>) -> Who<'_> {
    let membership = Membership::At(position);
    Who { id: None, membership, guest: Known::Is(kind), tenant, direct_connect: Truth::No }
}

/// The contributors that reach a guest whose home is supposed to be known.
fn at_home(model: &Model, (of, lane): (&[Contributor], &Lane), who: &Who<'_>) -> Lane {
    let mut lane = lane.clone();
    let open =
        |(at, one): (usize, &Contributor)| Some((at, one.sure, one.policy.filter(|_| lane.of(at) == Truth::Maybe)?));
    let open: Vec<_> = of.iter().enumerate().filter_map(open).collect();
    for (at, sure, policy) in open {
        let met = model.users.get(policy).map_or(Truth::Maybe, |users| users.met(who));
        lane.surely.put(at, sure && met == Truth::Yes);
        lane.possibly.put(at, met != Truth::No);
    }
    lane
}
