//! What becomes of the stories of a log: each condition is asked once for each value that the log holds, and stories of
//! which all values stand alike are judged once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::log::{Firsts, Log, Story};
use super::{Replay, Verdict, Would};
use crate::engine::ability::device_of;
use crate::engine::judge::Dimension;
use crate::engine::past::sign_in_of;
use crate::engine::truth::Truth;
use crate::tenant::PastSignIn;
use crate::tenant::policy::Control;

/// How values stand to a draft: whether its condition is met, and what else the outcome hangs on, as a number.
type Stands = Vec<(Truth, u32)>;

/// For each story the place of its verdict, and the verdicts.
pub(super) struct Verdicts {
    of: Vec<u32>,
    all: Vec<Verdict>,
}

impl Verdicts {
    /// The verdict on a story.
    pub(super) fn on(&self, story: usize) -> Option<&Verdict> {
        self.all.get(usize::try_from(*self.of.get(story)?).ok()?)
    }

    fn extend(&mut self, more: Self) {
        let before = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.of.extend(more.of.into_iter().map(|at| at + before));
        self.all.extend(more.all);
    }
}

/// What the outcome hangs on beside whether a condition is met: what isn't known, what the person or device can do.
type Beside = (Vec<String>, Vec<Truth>, Option<(Option<bool>, Option<String>)>);

/// The values of a log, as they stand to a draft.
struct Values<'r, 'm> {
    replay: &'r Replay<'m>,
    rows: &'r [PastSignIn],
    stands: Story<Stands>,
}

impl Replay<'_> {
    /// What becomes of each story, on as many threads as there are halves: two.
    pub(super) fn verdicts(&self, rows: &[PastSignIn], log: &Log) -> Verdicts {
        let values = Values { replay: self, rows, stands: self.stands(rows, &log.values) };
        let firsts = &log.values;
        let (first, second) = log.stories.split_at(log.stories.len() / 2);
        std::thread::scope(|scope| {
            let half = scope.spawn(|| values.judge(second, firsts));
            let mut all = values.judge(first, firsts);
            // A thread that panicked would have lost verdicts: they are found again here.
            all.extend(half.join().unwrap_or_else(|_| values.judge(second, firsts)));
            all
        })
    }

    fn stands(&self, rows: &[PastSignIn], values: &Story<Firsts>) -> Story<Stands> {
        use Dimension as D;
        // What no row tells is the same for all of them; it is asked along with the user.
        let untold = [D::ServicePrincipalRisk, D::InsiderRisk, D::AgentRisk, D::AgentContext];
        let who: Vec<D> = [D::Identity, D::UserRisk].into_iter().chain(untold).collect();
        Story {
            who: self.each(rows, (&values.who, false), &who),
            target: self.each(rows, (&values.target, false), &[D::Target]),
            client: self.each(rows, (&values.client, true), &[D::Platform, D::ClientApp]),
            place: self.each(rows, (&values.place, false), &[D::Location]),
            device: self.each(rows, (&values.device, false), &[D::Device]),
            session: self.each(rows, (&values.session, true), &[D::SignInRisk, D::Flow]),
        }
    }

    /// How each value stands to the draft in these kinds of condition. Values that are few can be `apart` from each other.
    fn each(&self, rows: &[PastSignIn], (firsts, apart): (&Firsts, bool), dimensions: &[Dimension]) -> Stands {
        let mut known: BTreeMap<Beside, u32> = BTreeMap::new();
        let one = |(number, at): (u32, &usize)| {
            let Some(row) = rows.get(*at) else { return (Truth::No, 0) };
            let (met, beside) = self.stand(row, dimensions);
            let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
            (met, if apart { number } else { *known.entry(beside).or_insert(next) })
        };
        (0u32..).zip(firsts).map(one).collect()
    }

    fn stand(&self, row: &PastSignIn, dimensions: &[Dimension]) -> (Truth, Beside) {
        let Some(policy) = self.model.snapshot.policies.first() else { return (Truth::No, Beside::default()) };
        let sign_in = sign_in_of(&self.model.snapshot, row);
        let of = (&sign_in, &self.model.who(&sign_in.identity));
        let mut all = Truth::Yes;
        let mut beside = Beside::default();
        for dimension in dimensions {
            let met = self.model.meets(0, policy, *dimension, of);
            all = all.and(met);
            if met == Truth::Maybe {
                beside.0.extend(self.model.unknowns(0, policy, *dimension, of));
            }
            let controls = policy.grant.iter().flat_map(|grant| &grant.controls);
            match dimension {
                Dimension::Identity => beside.1.extend(controls.filter_map(|control| match control {
                    Control::Strength(id) => Some(self.abilities.strength(&row.user_id, id)),
                    _ => None,
                })),
                Dimension::Device => {
                    beside.2 = device_of(&sign_in.device).map(|device| (device.compliant, device.trust_type.clone()));
                }
                _ => {}
            }
        }
        (all, if all == Truth::No { Beside::default() } else { beside })
    }
}

impl Values<'_, '_> {
    fn judge(&self, stories: &[Story], firsts: &Story<Firsts>) -> Verdicts {
        let mut verdicts = Verdicts { of: Vec::with_capacity(stories.len()), all: vec![Verdict::NOT_APPLIED] };
        let mut known: HashMap<[u32; 6], u32> = HashMap::new();
        for story in stories {
            let key = self.key(story);
            let next = u32::try_from(verdicts.all.len()).unwrap_or(u32::MAX);
            let at = key.map_or(0, |key| *known.entry(key).or_insert(next));
            if at == next {
                verdicts.all.push(self.verdict(story, firsts));
            }
            verdicts.of.push(at);
        }
        verdicts
    }

    /// What the verdict on a story hangs on; none where some condition isn't met.
    fn key(&self, story: &Story) -> Option<[u32; 6]> {
        let stands = &self.stands;
        let parts = [
            (&stands.who, story.who),
            (&stands.target, story.target),
            (&stands.client, story.client),
            (&stands.place, story.place),
            (&stands.device, story.device),
            (&stands.session, story.session),
        ];
        let mut key = [0; 6];
        for (part, (stands, at)) in key.iter_mut().zip(parts) {
            let (met, number) = stands.get(at)?;
            if *met == Truth::No {
                return None;
            }
            *part = *number;
        }
        Some(key)
    }

    /// The verdict on a story, from a row put together of the values that it tells of.
    fn verdict(&self, story: &Story, firsts: &Story<Firsts>) -> Verdict {
        let row = |firsts: &Firsts, at: usize| firsts.get(at).and_then(|row| self.rows.get(*row));
        let told = || {
            let (who, target) = (row(&firsts.who, story.who)?, row(&firsts.target, story.target)?);
            let (client, place) = (row(&firsts.client, story.client)?, row(&firsts.place, story.place)?);
            let (device, session) = (row(&firsts.device, story.device)?, row(&firsts.session, story.session)?);
            Some(PastSignIn {
                user_id: who.user_id.clone(),
                guest: who.guest,
                home_tenant: who.home_tenant.clone(),
                resource_ids: target.resource_ids.clone(),
                app_id: target.app_id.clone(),
                client_app: client.client_app,
                platform: client.platform,
                ip: place.ip,
                country: place.country.clone(),
                device_id: device.device_id.clone(),
                device_name: device.device_name.clone(),
                compliant: device.compliant,
                trust_type: device.trust_type.clone(),
                risk: session.risk,
                flow: session.flow,
                flow_known: session.flow_known,
                multi_factor: session.multi_factor,
                ..PastSignIn::default()
            })
        };
        told().map_or(Verdict::NOT_APPLIED, |row| self.replay.judge(&row))
    }
}

impl Verdict {
    /// Some condition isn't met.
    pub(super) const NOT_APPLIED: Self = Self { would: Would::NotApplied, because: BTreeSet::new() };
}
