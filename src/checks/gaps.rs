//! Coverage in words: who is not covered, and why, in groups that add up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use roaring::RoaringBitmap;

use crate::engine::coverage::Other;
use crate::engine::{Cause, Condition, Coverage, Gap, Model, Reason, Scope};
use crate::facts::{Evidence, Fact, Row, Term};
use crate::tenant::policy::{ClientAppType, GuestType, InsiderRisk, Platform, PolicyState, RiskLevel, TransferMethod};
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
    /// What most accounts have because of an app or a condition, said once: an app that the general policy excludes.
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
    pub apps: Arc<BTreeSet<String>>,
}

impl Gaps {
    /// Splits a coverage of a scope.
    #[must_use]
    pub fn of((coverage, scope): (&Coverage, &Scope), model: &Model, now: Timestamp) -> Self {
        let looked_at = Accounts::of(&coverage.looked_at, model, now);
        coverage.with_gaps(|gaps| Self::sorted((coverage, gaps), scope, looked_at, (model, now)))
    }

    fn sorted(
        (coverage, gaps): (&Coverage, &[Gap]),
        scope: &Scope,
        looked_at: Accounts,
        (model, now): (&Model, Timestamp),
    ) -> Self {
        let sure: Vec<&Gap> = gaps.iter().filter(|gap| gap.sure).collect();
        let everybodys = Everybodys::of(&sure, scope, &looked_at.humans());
        let mut some: Vec<Remainder<'_>> = sure.iter().filter_map(|gap| everybodys.take_from(gap)).collect();
        some.sort_by_key(|some| (!some.gap.conditions.is_empty(), !some.gap.any_app));
        let uncovered = together(some.iter().map(|some| some.gap));
        let accounts = Accounts::of(&uncovered, model, now);
        Self {
            groups: group(&some, accounts.humans(), &model.snapshot),
            others: some.iter().flat_map(|some| some.gap.others.iter().copied()).collect(),
            everyone: everybodys.gaps(&sure).into_iter().map(|gap| beside(gap, &looked_at, &uncovered)).collect(),
            accounts,
            undecided: &coverage.undecided & &looked_at.humans(),
            looked_at,
        }
    }

    /// Whether anybody has a sure gap.
    #[must_use]
    pub fn any(&self) -> bool {
        !self.groups.is_empty() || !self.everyone.is_empty() || !self.others.is_empty()
    }
}

/// What is left of a gap for the people it is about.
struct Remainder<'a> {
    gap: &'a Gap,
    apps: Arc<BTreeSet<String>>,
}

/// Everybody who has one of these.
fn together<'a>(gaps: impl Iterator<Item = &'a Gap>) -> RoaringBitmap {
    gaps.fold(RoaringBitmap::new(), |all, gap| all | &gap.users)
}

/// What an app or a condition is to blame for, not a person: most of those who are covered elsewhere have it.
///
/// Measured among those who are covered elsewhere, and at one half: what a general policy leaves out concerns nearly all
/// of them, what a policy for a part of the accounts leaves out concerns few. So a joiner more or less, or a group more in
/// an exclusion, doesn't turn a number over; only another policy does.
#[derive(Debug, Default)]
struct Everybodys {
    apps: BTreeSet<String>,
    conditions: BTreeSet<Vec<Condition>>,
}

impl Everybodys {
    fn of(gaps: &[&Gap], scope: &Scope, humans: &RoaringBitmap) -> Self {
        let users_of = |wanted: &dyn Fn(&Gap) -> bool| together(gaps.iter().copied().filter(|gap| wanted(gap)));
        let elsewhere = humans - users_of(&|gap| is_elsewhere(gap) && gap.conditions.is_empty());
        let most =
            |users: &RoaringBitmap| elsewhere.len() > 1 && users.intersection_len(&elsewhere) * 2 > elsewhere.len();
        // Where the question is about these very apps, they can't be what is beside it.
        let named = scope.apps.is_some();
        let apps = if !named && most(&users_of(&|gap| gap.conditions.is_empty())) {
            let of_app = by_app(gaps.iter().copied().filter(|gap| gap.conditions.is_empty()));
            of_app.into_iter().filter(|(_, users)| most(users)).map(|(id, _)| id.clone()).collect()
        } else {
            BTreeSet::new()
        };
        let beside = |gap: &Gap| is_elsewhere(gap) || !gap.apps.is_subset(&apps);
        let kinds: BTreeSet<_> = gaps.iter().map(|gap| &gap.conditions).filter(|kind| is_unusual(kind)).collect();
        let under = |kind: &Vec<Condition>| users_of(&|gap| gap.conditions == *kind && beside(gap));
        let conditions = kinds.into_iter().filter(|kind| most(&under(kind))).cloned().collect();
        Self { apps, conditions }
    }

    /// What is left of a gap for the people it is about.
    fn take_from<'a>(&self, gap: &'a Gap) -> Option<Remainder<'a>> {
        let apps = if gap.apps.is_disjoint(&self.apps) {
            Arc::clone(&gap.apps)
        } else {
            Arc::new(gap.apps.difference(&self.apps).cloned().collect())
        };
        let left = (is_elsewhere(gap) || !apps.is_empty()) && !self.conditions.contains(&gap.conditions);
        left.then_some(Remainder { gap, apps })
    }

    /// One gap for each app and each condition, with everybody who has it and every cause.
    fn gaps(&self, gaps: &[&Gap]) -> Vec<Gap> {
        let of_app = |id: &String| {
            let having = gaps.iter().filter(|gap| gap.conditions.is_empty() && gap.apps.contains(id));
            let apps = Arc::new(BTreeSet::from([id.clone()]));
            Some(Gap { apps, any_app: false, ..joined(having)? })
        };
        let under = |kind: &Vec<Condition>| joined(gaps.iter().filter(|gap| gap.conditions == *kind));
        self.apps.iter().filter_map(of_app).chain(self.conditions.iter().filter_map(under)).collect()
    }
}

/// A gap of most accounts for those people and guests alone who aren't counted already.
fn beside(gap: Gap, looked_at: &Accounts, uncovered: &RoaringBitmap) -> Gap {
    Gap { users: (&gap.users & looked_at.humans()) - uncovered, ..gap }
}

/// Who has a gap at each app. Gaps at the same apps are put together first.
fn by_app<'a>(gaps: impl Iterator<Item = &'a Gap>) -> BTreeMap<&'a String, RoaringBitmap> {
    let mut at: BTreeMap<*const BTreeSet<String>, (&BTreeSet<String>, RoaringBitmap)> = BTreeMap::new();
    for gap in gaps {
        at.entry(Arc::as_ptr(&gap.apps)).or_insert_with(|| (&gap.apps, RoaringBitmap::new())).1 |= &gap.users;
    }
    let mut of_app: BTreeMap<&String, RoaringBitmap> = BTreeMap::new();
    for (apps, users) in at.into_values() {
        apps.iter().for_each(|id| *of_app.entry(id).or_default() |= &users);
    }
    of_app
}

/// Whether a gap is at more than the apps it names: any other app, or a user action, or baseline scopes, which have none.
fn is_elsewhere(gap: &Gap) -> bool {
    gap.any_app || gap.apps.is_empty()
}

/// Whether the conditions lie outside ordinary use: old protocols, baseline scopes, platforms that nobody has.
fn is_unusual(conditions: &[Condition]) -> bool {
    conditions.iter().any(|condition| match condition {
        Condition::BaselineScopes => true,
        Condition::ClientApps(clients) => {
            let modern = [ClientAppType::All, ClientAppType::Browser, ClientAppType::MobileAppsAndDesktopClients];
            modern.iter().all(|client| !clients.contains(client))
        }
        Condition::Platforms(platforms) => {
            platforms.iter().all(|platform| matches!(platform, Platform::All | Platform::WindowsPhone))
        }
        _ => false,
    })
}

/// The cause that says most about a gap: the one thing that stands between these accounts and a policy, if there is one.
fn telling(gap: &Gap, snapshot: &Snapshot) -> Option<Cause> {
    let alone = |cause: &Cause| gap.causes.iter().filter(|other| other.policy_id == cause.policy_id).count() == 1;
    let rank = |cause: &Cause| match &cause.reason {
        _ if !alone(cause) => 8,
        Reason::ExcludedGroup(id) if meant_for(id, gap, snapshot) => 3,
        Reason::ExcludedUser | Reason::ExcludedGroup(_) | Reason::ExcludedRole(_) | Reason::ExcludedGuests => 0,
        Reason::WeakerControl(_) => 1,
        Reason::ReportOnly => 2,
        Reason::ExcludedApp => 4,
        Reason::NarrowerConditions(_) if is_general(cause, snapshot) => 5,
        Reason::UsersNotIncluded | Reason::Off | Reason::NoPolicy => 6,
        Reason::NarrowerConditions(_) | Reason::AppNotIncluded | Reason::Undecided(_) => 7,
    };
    gap.causes
        .iter()
        .map(|cause| (rank(cause), cause))
        .filter(|(rank, _)| *rank < 7)
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, cause)| cause.clone())
}

/// Whether another policy in question is made for this group: it is excluded from the one because it has its own.
fn meant_for(group: &str, gap: &Gap, snapshot: &Snapshot) -> bool {
    let policies = gap.causes.iter().filter_map(|cause| snapshot.policy(cause.policy_id.as_deref()?));
    policies.into_iter().any(|policy| policy.conditions.users.include.groups.contains(group))
}

/// A policy that is On and about all resources.
fn is_general(cause: &Cause, snapshot: &Snapshot) -> bool {
    let policy = cause.policy_id.as_deref().and_then(|id| snapshot.policy(id));
    policy.is_some_and(|policy| policy.state == PolicyState::Enabled && policy.conditions.applications.all)
}

/// Gaps as one: what the first says, for the users of all.
fn joined<'a>(gaps: impl Iterator<Item = &'a &'a Gap>) -> Option<Gap> {
    gaps.fold(None, |all: Option<Gap>, gap| {
        let mut all = all.unwrap_or_else(|| (*gap).clone());
        all.users |= &gap.users;
        Some(all)
    })
}

/// Gives every account the cause that says most, so that the groups add up.
fn group(gaps: &[Remainder<'_>], mut left: RoaringBitmap, snapshot: &Snapshot) -> Vec<Group> {
    let mut groups: BTreeMap<(Option<Cause>, Arc<BTreeSet<String>>), RoaringBitmap> = BTreeMap::new();
    let everywhere = Arc::new(BTreeSet::new());
    for Remainder { gap, apps } in gaps {
        if left.is_empty() {
            break;
        }
        let users = &gap.users & &left;
        left -= &users;
        if !users.is_empty() {
            let apps = Arc::clone(if gap.any_app { &everywhere } else { apps });
            *groups.entry((telling(gap, snapshot), apps)).or_default() |= users;
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
            .with("named", Term::Word(if group.apps.is_empty() { String::new() } else { "named".to_owned() }))
            .with("since", Term::Word(String::new()));
        if let Some(policy) = policy {
            fact = fact.with("policy", Term::Name(policy.display_name.clone()));
        }
        self.details(fact, &group.cause.reason)
    }

    /// A gap that everybody has.
    #[must_use]
    pub fn everyone(&self, gap: &Gap) -> Fact {
        let excluding = gap
            .causes
            .iter()
            .filter(|cause| cause.reason == Reason::ExcludedApp)
            .filter_map(|cause| self.snapshot.policy(cause.policy_id.as_deref()?))
            .find(|policy| policy.state == PolicyState::Enabled);
        let apps = gap.apps.iter().map(|id| self.app_row(id));
        let evidence = Evidence::of(apps.chain(excluding.map(rows::policy)));
        let policy =
            excluding.map_or_else(|| Term::Word(String::new()), |policy| Term::Name(policy.display_name.clone()));
        let key = if gap.conditions.is_empty() { "cause.everyone" } else { "cause.everyone_under" };
        Fact::new(key, self.stamp(evidence))
            .with("apps", self.apps(&gap.apps))
            .with("policy", policy)
            .with("who", gap.users.len())
            .with("conditions", Term::Name(conditions_word(&gap.conditions)))
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

/// Conditions as people read them.
#[must_use]
pub fn conditions_word(conditions: &[Condition]) -> String {
    let words: Vec<String> = conditions.iter().map(condition_word).collect();
    words.join("; ")
}

fn condition_word(condition: &Condition) -> String {
    match condition {
        Condition::ClientApps(types) => format!("Client apps: {}", listed(types, client_word)),
        Condition::Platforms(platforms) => format!("Device platforms: {}", listed(platforms, platform_word)),
        Condition::Locations(places) => format!("Locations: {places}"),
        Condition::Devices(devices) => format!("Devices: {devices}"),
        Condition::SignInRisk(levels) => format!("Sign-in risk: {}", listed(levels, risk_word)),
        Condition::UserRisk(levels) => format!("User risk: {}", listed(levels, risk_word)),
        Condition::InsiderRisk(levels) => format!(
            "Insider risk: {}",
            listed(levels, |level| match level {
                None => "none",
                Some(InsiderRisk::Minor) => "minor",
                Some(InsiderRisk::Moderate) => "moderate",
                Some(InsiderRisk::Elevated) => "elevated",
            })
        ),
        Condition::Flows(flows) => format!(
            "Authentication flows: {}",
            listed(flows, |flow| match flow {
                None => "an ordinary sign-in",
                Some(TransferMethod::DeviceCodeFlow) => "device code flow",
                Some(TransferMethod::AuthenticationTransfer) => "authentication transfer",
            })
        ),
        Condition::BaselineScopes => "requests for baseline scopes only".to_owned(),
    }
}

fn listed<T>(values: &BTreeSet<T>, word: impl Fn(&T) -> &'static str) -> String {
    values.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn client_word(client: &ClientAppType) -> &'static str {
    match client {
        ClientAppType::All => "all",
        ClientAppType::Browser => "Browser",
        ClientAppType::MobileAppsAndDesktopClients => "Mobile apps and desktop clients",
        ClientAppType::ExchangeActiveSync | ClientAppType::EasSupported => "Exchange ActiveSync clients",
        ClientAppType::Other => "Other clients",
    }
}

fn platform_word(platform: &Platform) -> &'static str {
    match platform {
        Platform::All => "unknown",
        Platform::Android => "Android",
        Platform::Ios => "iOS",
        Platform::Windows => "Windows",
        Platform::WindowsPhone => "Windows Phone",
        Platform::MacOs => "macOS",
        Platform::Linux => "Linux",
    }
}

fn risk_word(level: &RiskLevel) -> &'static str {
    match level {
        RiskLevel::None => "no risk",
        RiskLevel::Low => "Low",
        RiskLevel::Medium => "Medium",
        RiskLevel::High => "High",
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
