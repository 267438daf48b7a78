//! What sets of users tell is what plain enumeration finds.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::engine::bits::Lane;

/// Enough for several words of users.
const USERS: usize = 150;

/// For each contributor whom it reaches; for each dimension and class which contributors hold there.
type Made = (Vec<Vec<bool>>, Vec<Vec<Vec<bool>>>);

/// Up to 40 contributors: more than are soon seen to reach nobody. Most hold at most values, like policies.
fn made() -> impl Strategy<Value = Made> {
    (1usize..40).prop_flat_map(|contributors| {
        let reached = prop_oneof![Just(0.02), Just(0.5), Just(0.97)];
        let reached = reached.prop_flat_map(|share| vec(proptest::bool::weighted(share), USERS));
        let held = prop_oneof![Just(0.1), Just(0.6), Just(0.95)];
        let class = held.prop_flat_map(move |share| vec(proptest::bool::weighted(share), contributors));
        (vec(reached, contributors), vec(vec(class, 1..7), 0..4))
    })
}

fn bits(all: &[bool]) -> Bits {
    let mut set = Bits::none(all.len());
    all.iter().enumerate().for_each(|(at, inside)| set.put(at, *inside));
    set
}

fn axis(classes: &[Vec<bool>]) -> Axis {
    let class = |holds: &Vec<bool>| {
        let surely = bits(holds);
        Class { lane: Lane { possibly: surely.clone(), surely }, values: Vec::new() }
    };
    Axis { values: Vec::new(), indexed: Vec::new(), classes: classes.iter().map(class).collect() }
}

/// Whether somewhere no contributor that holds reaches a user.
fn has_gap((reached, dimensions): &Made, user: usize) -> bool {
    let mine: Vec<bool> = reached.iter().map(|of| of[user]).collect();
    let narrowed = |lanes: Vec<Vec<bool>>, classes: &Vec<Vec<bool>>| {
        let both = |lane: &Vec<bool>, class: &Vec<bool>| lane.iter().zip(class).map(|(a, b)| *a && *b).collect();
        lanes.iter().flat_map(|lane| classes.iter().map(move |class| both(lane, class))).collect::<Vec<_>>()
    };
    let ends = dimensions.iter().fold(vec![mine], narrowed);
    ends.iter().any(|lane| !lane.contains(&true))
}

proptest! {
    #[test]
    fn sets_of_users_tell_what_enumeration_finds(made in made(), effort in prop_oneof![0usize..200, Just(usize::MAX)]) {
        let axes: Vec<Axis> = made.1.iter().map(|classes| axis(classes)).collect();
        let contributors = made.0.len();
        let product = Product::new(&axes, contributors);
        let reached = made.0.iter().enumerate();
        let counted = reached.map(|(at, of)| if product.somewhere.has(at) { bits(of) } else { Bits::none(USERS) });
        let surely = counted.map(Arc::new).collect();
        let mut crowd = Crowd { positions: None, surely, users: Bits::all(USERS), decided: true };
        crowd.cover(&product, &Broad::new(&axes, contributors));
        for user in (0..USERS).filter(|user| !crowd.users.has(*user)) {
            prop_assert!(!has_gap(&made, user), "{user} isn't covered everywhere");
        }
        crowd.narrow();
        let found = Walk::of(&crowd, &product, effort);
        prop_assert!(effort < usize::MAX || found.rest.is_empty(), "nobody is left with all the effort");
        let (gap, rest) = (crowd.positions(&found.gap), crowd.positions(&found.rest));
        let left = crowd.positions(&crowd.users);
        for (at, user) in (0u32..).zip(0..USERS).filter(|(at, _)| left.contains(*at) && !rest.contains(*at)) {
            prop_assert_eq!(gap.contains(at), has_gap(&made, user), "{}", user);
        }
        for (_, user) in (0u32..).zip(0..USERS).filter(|(at, _)| gap.contains(*at)) {
            prop_assert!(has_gap(&made, user), "{user} has no gap");
        }
    }
}
