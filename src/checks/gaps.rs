//! Coverage in words: who is not covered, and why, in groups that add up.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use roaring::RoaringBitmap;

use crate::engine::coverage::Other;
use crate::engine::{Cause, Coverage, Gap, Model, Reason};
use crate::facts::{Evidence, Fact, Row, Term};
use crate::tenant::policy::GuestType;
use crate::tenant::{Policy, Snapshot};

use super::accounts::Accounts;
use super::rows;

/// A coverage split into what concerns some accounts and what concerns everybody.
#[derive(Debug)]
pub struct Gaps {
    /// Accounts with a gap that isn't everybody's, split; groups of causes add up to their humans.
    pub accounts: Accounts,
    /// Everybody looked at, split: the denominator.
    pub looked_at: Accounts,
    /// Why, each account counted once, largest group first.
    pub groups: Vec<Group>,
    /// Gaps that everybody has, such as an app that every policy excludes.
    pub everyone: Vec<Gap>,
    /// Kinds of guest without an object here that have a gap.
    pub others: BTreeSet<Other>,
    /// Humans whose cover hangs on something unresolved.
    pub undecided: RoaringBitmap,
}

/// Accounts with the same cause.
#[derive(Clone, Debug)]
pub struct Group {
    /// People and guests.
    pub users: RoaringBitmap,
    /// Why.
    pub cause: Cause,
    /// App ids that are reached; empty means all.
    pub apps: BTreeSet<String>,
}

impl Gaps {
    /// Splits a coverage.
    #[must_use]
    pub fn of(coverage: &Coverage, model: &Model, now: Timestamp) -> Self {
        let looked_at = Accounts::of(&coverage.looked_at, &model.snapshot, now);
        let humans = looked_at.humans();
        let sure = || coverage.gaps.iter().filter(|gap| gap.sure);
        let (everyone, some): (Vec<&Gap>, Vec<&Gap>) =
            sure().partition(|gap| humans.len() > 1 && humans.is_subset(&gap.users) && !gap.any_app);
        let uncovered = some.iter().fold(RoaringBitmap::new(), |all, gap| all | &gap.users);
        let accounts = Accounts::of(&uncovered, &model.snapshot, now);
        Self {
            groups: group(&some, accounts.humans()),
            accounts,
            looked_at,
            everyone: everyone.into_iter().cloned().collect(),
            others: sure().flat_map(|gap| gap.others.iter().copied()).collect(),
            undecided: &coverage.undecided & &humans,
        }
    }

    /// Whether anybody has a sure gap.
    #[must_use]
    pub fn any(&self) -> bool {
        !self.groups.is_empty() || !self.everyone.is_empty() || !self.others.is_empty()
    }
}

/// Gives every account its first cause, so that the groups add up.
fn group(gaps: &[&Gap], mut left: RoaringBitmap) -> Vec<Group> {
    let mut groups: BTreeMap<(Option<Cause>, BTreeSet<String>), RoaringBitmap> = BTreeMap::new();
    for gap in gaps {
        let users = &gap.users & &left;
        left -= &users;
        if !users.is_empty() {
            let apps = if gap.any_app { BTreeSet::new() } else { gap.apps.clone() };
            *groups.entry((gap.causes.first().cloned(), apps)).or_default() |= users;
        }
    }
    let none = || Cause { policy_id: None, reason: Reason::NoPolicy };
    let mut groups: Vec<Group> = groups
        .into_iter()
        .map(|((cause, apps), users)| Group { users, cause: cause.unwrap_or_else(none), apps })
        .collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.users.len()));
    groups
}

/// Words causes for one snapshot.
#[derive(Debug)]
pub struct CauseWords<'a> {
    snapshot: &'a Snapshot,
    hash: &'a str,
}

impl<'a> CauseWords<'a> {
    /// Words for causes found in `snapshot`, whose content hash is `hash`.
    #[must_use]
    pub fn new(snapshot: &'a Snapshot, hash: &'a str) -> Self {
        Self { snapshot, hash }
    }

    /// A group of accounts with their cause, and the policy, group and accounts as evidence.
    #[must_use]
    pub fn group(&self, group: &Group) -> Fact {
        let policy = group.cause.policy_id.as_deref().and_then(|id| self.snapshot.policy(id));
        let mut fact = Fact::new(key(&group.cause.reason), self.evidence(group, policy))
            .with("who", group.users.len())
            .with("apps", self.apps(&group.apps))
            .with("since", Term::Word(String::new()));
        if let Some(policy) = policy {
            fact = fact.with("policy", Term::Name(policy.display_name.clone()));
        }
        self.details(fact, &group.cause.reason)
    }

    /// A gap that everybody has.
    #[must_use]
    pub fn everyone(&self, gap: &Gap) -> Fact {
        let excluding = gap.causes.iter().find_map(|cause| self.snapshot.policy(cause.policy_id.as_deref()?));
        let apps = gap.apps.iter().map(|id| self.app_row(id));
        let evidence = Evidence::of(apps.chain(excluding.map(rows::policy)));
        let policy =
            excluding.map_or_else(|| Term::Word(String::new()), |policy| Term::Name(policy.display_name.clone()));
        Fact::new("cause.everyone", self.stamp(evidence)).with("apps", self.apps(&gap.apps)).with("policy", policy)
    }

    /// Kinds of guest that have no account here.
    #[must_use]
    pub fn others(&self, others: &BTreeSet<Other>) -> Fact {
        let kinds: Vec<&str> = others.iter().map(|other| other_word(*other)).collect();
        Fact::new("cause.others", self.stamp(Evidence::default())).with("kinds", Term::Word(kinds.join(", ")))
    }

    fn details(&self, fact: Fact, reason: &Reason) -> Fact {
        match reason {
            Reason::ExcludedGroup(id) => {
                let name = self.snapshot.directory.groups.get(id).map_or(id, |group| &group.display_name);
                fact.with("group", Term::Name(name.clone()))
            }
            Reason::ExcludedRole(id) => {
                let name = self.snapshot.directory.roles.get(id).map_or(id, |role| &role.display_name);
                fact.with("role", Term::Name(name.clone()))
            }
            Reason::NarrowerConditions(kinds) => {
                fact.with("kinds", Term::Word(kinds.iter().copied().collect::<Vec<_>>().join(", ")))
            }
            Reason::WeakerControl(controls) => fact.with("controls", Term::Word(controls.join(", "))),
            Reason::Undecided(what) => fact.with("what", Term::Name(what.clone())),
            _ => fact,
        }
    }

    fn evidence(&self, group: &Group, policy: Option<&Policy>) -> Evidence {
        let through = match &group.cause.reason {
            Reason::ExcludedGroup(id) => self.snapshot.directory.groups.get(id),
            _ => None,
        };
        let head = policy.map(rows::policy).into_iter().chain(through.map(rows::group));
        let users = rows::users(&group.users, self.snapshot, through);
        self.stamp(Evidence::of(head.chain(users)))
    }

    fn apps(&self, apps: &BTreeSet<String>) -> Term {
        if apps.is_empty() {
            return Term::Word("all resources".to_owned());
        }
        let names: Vec<String> = apps.iter().map(|id| app_name(self.snapshot, id)).collect();
        match names.as_slice() {
            [one] => Term::Name(one.clone()),
            [one, rest @ ..] => Term::Name(format!("{one} and {} more", rest.len())),
            [] => Term::Word("all resources".to_owned()),
        }
    }

    fn app_row(&self, id: &str) -> Row {
        Row::Object { what: "App".into(), id: id.to_owned(), name: app_name(self.snapshot, id), note: String::new() }
    }

    fn stamp(&self, evidence: Evidence) -> Evidence {
        evidence.read(self.hash, self.snapshot.read_at)
    }
}

/// The name of an app, or its id.
#[must_use]
pub fn app_name(snapshot: &Snapshot, app_id: &str) -> String {
    snapshot.directory.app(app_id).map_or_else(|| app_id.to_owned(), |app| app.display_name.clone())
}

/// The portal's word for users without an object here.
#[must_use]
pub fn other_word(other: Other) -> &'static str {
    match other {
        Other::AnyUser => "users that no policy names",
        Other::Guest(GuestType::InternalGuest) => "local guest users",
        Other::Guest(GuestType::B2bCollaborationGuest) => "B2B collaboration guest users",
        Other::Guest(GuestType::B2bCollaborationMember) => "B2B collaboration member users",
        Other::Guest(GuestType::B2bDirectConnectUser) => "B2B direct connect users",
        Other::Guest(GuestType::OtherExternalUser) => "other external users",
        Other::Guest(GuestType::ServiceProvider) => "service provider users",
    }
}

fn key(reason: &Reason) -> &'static str {
    match reason {
        Reason::NoPolicy => "cause.no_policy",
        Reason::ExcludedUser => "cause.excluded_user",
        Reason::ExcludedGroup(_) => "cause.excluded_group",
        Reason::ExcludedRole(_) => "cause.excluded_role",
        Reason::ExcludedGuests => "cause.excluded_guests",
        Reason::UsersNotIncluded => "cause.users_not_included",
        Reason::ExcludedApp => "cause.excluded_app",
        Reason::AppNotIncluded => "cause.app_not_included",
        Reason::NarrowerConditions(_) => "cause.narrower",
        Reason::WeakerControl(_) => "cause.weaker",
        Reason::ReportOnly => "cause.report_only",
        Reason::Off => "cause.off",
        Reason::Undecided(_) => "cause.undecided",
    }
}
