//! Gaps that need no search: users whom nothing possibly covers at any app that no policy names, under whatever conditions.
//! Why is then found cause by cause, each with the set of its users, instead of user by user.

use roaring::RoaringBitmap;

use super::Cause;
use super::causes::Causes;
use super::domain::Value;
use super::gaps::{Search, values_of};
use super::sift;

/// One cause of such gaps, and to whom it applies.
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

/// The causes of all users with a gap at any other app under all conditions, in the order of [`super::Gap::causes`].
#[derive(Debug)]
pub struct Plain<'a> {
    search: &'a Search,
    /// The causes.
    pub whys: Vec<Why>,
}

impl<'a> Plain<'a> {
    /// None unless all these users have such a gap.
    pub(super) fn new(search: &'a Search, users: &RoaringBitmap) -> Option<Self> {
        let targets = search.axes.first()?;
        let any_app = targets.values.iter().position(|value| matches!(value, Value::App(None)))?;
        let class = targets.classes.iter().find(|class| class.values.contains(&any_app))?;
        let holds = |at: usize| {
            let others = search.axes.iter().skip(1);
            class.lane.possibly.has(at)
                && others.into_iter().all(|axis| axis.classes.iter().any(|class| class.lane.possibly.has(at)))
        };
        let holding = search.of.iter().enumerate().filter(|(at, _)| holds(*at));
        if holding.into_iter().any(|(_, one)| sift::reaches_any(&search.model, one, users)) {
            return None;
        }
        let mut causes = Causes::new(&search.model, &search.requirement, &search.scope, &search.axes);
        let values: Vec<Vec<usize>> = search.axes.iter().map(|axis| values_of(axis, None)).collect();
        let beside = causes.beside(&values);
        let spot = causes.spot(&beside, &[any_app]);
        Some(Self { search, whys: causes.whys(&spot) })
    }

    /// Those among some users to whom a cause applies.
    #[must_use]
    pub fn of(&self, why: &Why, among: &RoaringBitmap) -> RoaringBitmap {
        let column = self.search.model.standing().column(why.column);
        column.map(|column| column.users(why.place, among)).unwrap_or_default()
    }
}
