//! A tenant compiled for judging: each policy's users as sets of positions, its filters parsed.
//!
//! What costs most hangs on the directory alone or on one policy, so variants of a tenant under other policies take it over
//! instead of compiling it again.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use roaring::RoaringBitmap;

use super::ability::Owners;
use super::accounts::AccountSets;
use super::bits::{Bits, Lane};
use super::coverage::devices::ToldApart;
use super::coverage::{Entry, Known};
use super::device_rule::DeviceFilter;
use super::lanes::{Apps, Lanes};
use super::lockout::WayIn;
use super::overlap::Inclusion;
use super::reach::{Reached, Rows};
use super::replay::Log;
use super::standing::Standing;
use super::target;
use super::who::{GuestIndex, UserCondition, guest_index};
use crate::tenant::directory::AccountKind;
use crate::tenant::{Policy, ServicePrincipal, Snapshot, User};

/// A tenant compiled for judging; cheap to share, holds its snapshot.
#[derive(Debug)]
pub struct Model {
    /// What was compiled.
    pub snapshot: Arc<Snapshot>,
    /// The user condition of each policy, in the snapshot's order.
    pub(super) users: Arc<[Arc<UserCondition>]>,
    pub(super) directory: Arc<Tables>,
    /// The device filter of each policy, parsed.
    filters: Arc<[Option<Arc<DeviceFilter>>]>,
    /// The tenant that this one is a variant of, under other policies.
    origin: Option<Arc<Model>>,
    /// For each policy of a variant, where the tenant has the very same one.
    same: Arc<[Option<usize>]>,
    /// Roles count as held by those who could activate them.
    pub(super) activated: bool,
    lazily: Arc<Lazily>,
    /// Coverage that was asked for before.
    pub(super) known: Known,
}

/// What is compiled when it is first asked for.
#[derive(Debug, Default)]
struct Lazily {
    /// How users stand to the policies.
    standing: OnceLock<Arc<Standing>>,
    /// Whom each policy reaches.
    reached: OnceLock<Vec<OnceLock<Arc<Reached>>>>,
    /// The policies by user.
    rows: OnceLock<Option<Rows>>,
    /// Which policies each app meets.
    apps: OnceLock<Apps>,
    /// Which policies each other value meets.
    lanes: OnceLock<Lanes>,
    /// Which policies lie within which others.
    inclusion: OnceLock<Inclusion>,
    /// The sign-in log as drafts are replayed over it.
    log: OnceLock<Log>,
    /// How an administrator beside emergency access gets in.
    way_in: OnceLock<Option<WayIn>>,
}

/// What hangs on the directory alone.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) guests: GuestIndex,
    pub(super) everyone: RoaringBitmap,
    /// Enabled accounts that aren't an agent's.
    pub(super) default_users: RoaringBitmap,
    /// Position of the service principal of each app id.
    apps: BTreeMap<String, usize>,
    /// Accounts by what they are for.
    pub(super) accounts: OnceLock<AccountSets>,
    /// Whose devices are whose.
    owners: OnceLock<Owners>,
    /// Global Administrators, and who could become one; none when not known.
    pub(super) administrators: OnceLock<Option<[RoaringBitmap; 2]>>,
    /// The devices that filters tell apart.
    pub(super) devices: ToldApart,
}

impl Tables {
    fn new(snapshot: &Snapshot) -> Self {
        let users = &snapshot.directory.users;
        let count = u32::try_from(users.len()).unwrap_or(u32::MAX);
        let mut everyone = RoaringBitmap::new();
        everyone.insert_range(0..count);
        // As one run each exclusion would split it.
        everyone.remove_run_compression();
        let looked_at = |user: &User| user.enabled && user.account != AccountKind::Agent;
        let default_users = (0u32..).zip(users).filter(|(_, user)| looked_at(user)).map(|(position, _)| position);
        let default_users = RoaringBitmap::from_sorted_iter(default_users).unwrap_or_default();
        let principals = snapshot.directory.service_principals.iter().enumerate();
        let apps = principals.map(|(at, principal)| (principal.app_id.clone(), at)).collect();
        Self {
            guests: guest_index(snapshot),
            everyone,
            default_users,
            apps,
            accounts: OnceLock::new(),
            owners: OnceLock::new(),
            administrators: OnceLock::new(),
            devices: ToldApart::default(),
        }
    }

    /// Users as plain bits.
    pub(super) fn bits(&self, users: &RoaringBitmap) -> Bits {
        let mut bits = Bits::none(usize::try_from(self.everyone.len()).unwrap_or_default());
        let mut left = users.iter();
        while let Some(range) = left.next_range() {
            bits.fill(range);
        }
        bits
    }
}

impl Model {
    /// Compiles a snapshot.
    #[must_use]
    pub fn new(snapshot: Arc<Snapshot>) -> Self {
        let directory = Arc::new(Tables::new(&snapshot));
        let policies = &snapshot.policies;
        let users = policies.iter().map(|policy| Arc::new(UserCondition::new(&snapshot, policy, &|_| false))).collect();
        let filters = policies.iter().map(filter).collect();
        let same = Arc::from([]);
        Self {
            users,
            directory,
            filters,
            origin: None,
            same,
            activated: false,
            lazily: Arc::default(),
            known: Known::default(),
            snapshot,
        }
    }

    /// Compiles the same tenant under other policies; those that it has too are taken over.
    pub(super) fn variant(&self, snapshot: Arc<Snapshot>) -> Self {
        self.vary(snapshot, self.activated)
    }

    /// The same tenant as if everybody had activated the roles that they may.
    #[must_use]
    pub fn with_roles_activated(&self) -> Self {
        self.vary(Arc::clone(&self.snapshot), true)
    }

    fn vary(&self, snapshot: Arc<Snapshot>, activated: bool) -> Self {
        let origin = self.origin.clone().unwrap_or_else(|| Arc::new(self.without_memory()));
        let own: BTreeMap<&str, usize> =
            origin.snapshot.policies.iter().enumerate().map(|(at, policy)| (policy.id.as_str(), at)).collect();
        let same = |policy: &Policy| {
            let at = *own.get(policy.id.as_str())?;
            let users = &policy.conditions.users;
            let by_role = activated && !(users.include.roles.is_empty() && users.exclude.roles.is_empty());
            (!by_role && origin.snapshot.policies.get(at)? == policy).then_some(at)
        };
        let same: Arc<[Option<usize>]> = snapshot.policies.iter().map(same).collect();
        let policies = || snapshot.policies.iter().zip(same.iter());
        let taken = |at: &Option<usize>| origin.users.get((*at)?).map(Arc::clone);
        let users = policies()
            .map(|(policy, at)| {
                taken(at).unwrap_or_else(|| Arc::new(UserCondition::new(&snapshot, policy, &|_| activated)))
            })
            .collect();
        let taken = |at: &Option<usize>| origin.filters.get((*at)?).cloned();
        let filters = policies().map(|(policy, at)| taken(at).unwrap_or_else(|| filter(policy))).collect();
        Self {
            users,
            directory: Arc::clone(&self.directory),
            filters,
            same,
            activated,
            origin: Some(Arc::clone(&origin)),
            lazily: Arc::default(),
            known: Known::default(),
            snapshot,
        }
    }

    /// The same model, that hasn't been asked for coverage yet and keeps all that it will be asked.
    #[must_use]
    pub fn unasked(&self) -> Self {
        Self { known: Known::everything(), ..self.without_memory() }
    }

    /// The coverage that it was asked for so far, in order; the last questions, unless it keeps all of them.
    #[must_use]
    pub fn questions_asked(&self) -> Vec<Entry> {
        self.known.all()
    }

    /// The same model, sharing everything but what it remembers of coverage: for what coverage itself keeps.
    pub(super) fn without_memory(&self) -> Self {
        Self {
            snapshot: Arc::clone(&self.snapshot),
            users: Arc::clone(&self.users),
            directory: Arc::clone(&self.directory),
            filters: Arc::clone(&self.filters),
            origin: self.origin.clone(),
            same: Arc::clone(&self.same),
            activated: self.activated,
            lazily: Arc::clone(&self.lazily),
            known: Known::default(),
        }
    }

    /// The device filter of the policy at this position.
    pub(super) fn device_filter(&self, at: usize) -> Option<&DeviceFilter> {
        self.filters.get(at)?.as_deref()
    }

    /// The service principal of an app.
    pub(super) fn app(&self, app_id: &str) -> Option<&ServicePrincipal> {
        self.snapshot.directory.service_principals.get(*self.directory.apps.get(app_id)?)
    }

    /// The tenant that this is a variant of, or itself.
    pub(super) fn origin(&self) -> &Self {
        self.origin.as_deref().unwrap_or(self)
    }

    /// Whether this is a tenant under its own policies.
    pub(super) fn is_origin(&self) -> bool {
        self.origin.is_none()
    }

    /// Where the tenant has the policy at this position, if it is one of its own.
    pub(super) fn at_origin(&self, at: usize) -> Option<usize> {
        if self.is_origin() { Some(at) } else { self.same.get(at).copied().flatten() }
    }

    /// How users stand to the policies.
    pub(super) fn standing(&self) -> &Arc<Standing> {
        self.lazily.standing.get_or_init(|| match &self.origin {
            None => Arc::new(Standing::new(self)),
            Some(origin) => {
                let own = self.same.iter().enumerate().filter(|(_, same)| same.is_none()).map(|(at, _)| at);
                Arc::new(Standing::above(Arc::clone(origin.standing()), self, own))
            }
        })
    }

    /// Whom the policy at this position takes in.
    pub(super) fn reached(&self, at: usize) -> Arc<Reached> {
        let origin = self.origin();
        let known = || {
            let count = origin.snapshot.policies.len();
            let all = origin.lazily.reached.get_or_init(|| (0..count).map(|_| OnceLock::new()).collect());
            let at = self.at_origin(at)?;
            Some(all.get(at)?.get_or_init(|| Reached::by(origin, at)).clone())
        };
        known().unwrap_or_else(|| Reached::by(self, at))
    }

    /// The policies of a tenant under its own policies that take in the user at this position.
    pub(super) fn lane_of(&self, position: u32) -> Lane {
        let rows = self.lazily.rows.get_or_init(|| Rows::new(self)).as_ref();
        rows.and_then(|rows| rows.lane(position)).unwrap_or_else(|| self.standing().lane(position))
    }

    /// The column of each policy in [`Model::standing`]: the tenant's own policies, then those of the variant alone.
    pub(super) fn columns(&self) -> Vec<u32> {
        let mut own = self.origin().snapshot.policies.len();
        let mut column = |at: usize| {
            self.at_origin(at).unwrap_or_else(|| {
                own += 1;
                own - 1
            })
        };
        let columns = (0..self.snapshot.policies.len()).map(&mut column);
        columns.map(|column| u32::try_from(column).unwrap_or(u32::MAX)).collect()
    }

    /// Which of the tenant's own policies each app meets; positions are those of [`Model::at_origin`].
    pub(super) fn apps(&self) -> &Apps {
        let origin = self.origin();
        origin.lazily.apps.get_or_init(|| Apps::new(origin))
    }

    /// Ids of the apps that people can sign in to, as far as the tenant and its policies know them, sorted.
    pub(super) fn targets(&self) -> Cow<'_, [Arc<str>]> {
        let (origin, apps) = (self.origin(), self.apps());
        let own = || self.snapshot.policies.iter().enumerate().filter(|(at, _)| self.at_origin(*at).is_none());
        let named = |policy: &Policy| {
            let condition = &policy.conditions.applications;
            !condition.include.is_empty() || !condition.exclude.is_empty()
        };
        let kept = self.is_origin() || self.same.iter().flatten().count() == origin.snapshot.policies.len();
        if kept && !own().any(|(_, policy)| named(policy)) {
            return Cow::Borrowed(apps.targets());
        }
        Cow::Owned(target::known(self, self.snapshot.policies.iter()).into_iter().map(Arc::from).collect())
    }

    /// Which policies each value meets.
    pub(super) fn lanes(&self) -> &Lanes {
        self.lazily.lanes.get_or_init(|| Lanes::new(self))
    }

    /// Which policies lie within which others.
    pub(super) fn inclusion(&self) -> &Inclusion {
        self.lazily.inclusion.get_or_init(|| Inclusion::new(self))
    }

    /// Whose devices are whose.
    pub(super) fn owners(&self) -> &Owners {
        self.directory.owners.get_or_init(|| Owners::new(&self.snapshot.directory))
    }

    /// How the first administrator beside emergency access may get in.
    pub(super) fn everyday_way_in(&self) -> Option<&WayIn> {
        self.lazily.way_in.get_or_init(|| self.first_everyday_way_in()).as_ref()
    }

    /// The sign-in log compiled for replays.
    pub(super) fn log(&self) -> &Log {
        self.lazily.log.get_or_init(|| Log::new(&self.snapshot.sign_ins))
    }

    /// Directory users who surely meet a policy's user condition, and those who possibly do.
    pub(super) fn positions(&self, users: &UserCondition) -> (RoaringBitmap, RoaringBitmap) {
        users.positions(&self.directory.everyone, &self.directory.guests)
    }
}

fn filter(policy: &Policy) -> Option<Arc<DeviceFilter>> {
    policy.conditions.device_filter.as_ref().map(|filter| Arc::new(DeviceFilter::new(filter)))
}
