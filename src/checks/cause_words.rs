//! Coverage in words: how many accounts are not covered, and why.

use std::collections::BTreeSet;

use roaring::RoaringBitmap;

use crate::engine::coverage::Other;
use crate::engine::{Condition, Reason};
use crate::facts::{Evidence, Fact, Row, Term};
use crate::tenant::policy::{ClientAppType, GuestType, InsiderRisk, Operator, Platform, RiskLevel, TransferMethod};
use crate::tenant::{Policy, Snapshot, well_known};

use super::accounts::Accounts;
use super::gaps::{Everyones, Group};
use super::without_accounts::Open;
use super::{rows, scopes};

/// How many reasons are told of those without an account here.
const REASONS: usize = 6;

/// The headline of a finding that concerns service accounts and rooms alone.
pub const MACHINES_ONLY: &str = "cause.machines_only";

/// Words causes for one snapshot.
#[derive(Debug)]
pub struct CauseWords<'a> {
    snapshot: &'a Snapshot,
    hash: &'a str,
    rows: usize,
}

impl<'a> CauseWords<'a> {
    /// Words for causes found in `snapshot`, whose content hash is `hash`.
    #[must_use]
    pub fn new(snapshot: &'a Snapshot, hash: &'a str) -> Self {
        Self { snapshot, hash, rows: Evidence::SHOWN }
    }

    /// The same, keeping so many rows of evidence with each fact.
    #[must_use]
    pub fn keeping(self, rows: usize) -> Self {
        Self { rows, ..self }
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
        if matches!(group.cause.reason, Reason::WeakerControl(_)) {
            let either = policy.is_some_and(leaves_a_choice);
            fact = fact.with("either", Term::Word(if either { "either".to_owned() } else { String::new() }));
        }
        self.details(fact, &group.cause.reason)
    }

    /// A gap that everybody has.
    #[must_use]
    pub fn everyone(&self, gap: &Everyones) -> Fact {
        let excluding = gap.left_out_by.as_deref().and_then(|id| self.snapshot.policy(id));
        let apps = gap.apps.iter().map(|id| self.app_row(id));
        let evidence = self.rows(apps.chain(excluding.map(rows::policy)));
        let policy =
            excluding.map_or_else(|| Term::Word(String::new()), |policy| Term::Name(policy.display_name.clone()));
        let key = if gap.conditions.is_empty() { "cause.everyone" } else { "cause.everyone_under" };
        Fact::new(key, evidence)
            .with("apps", self.apps(&gap.apps))
            .with("policy", policy)
            .with("who", gap.users.len())
            .with("conditions", Term::Name(conditions_word(&gap.conditions)))
    }

    /// Service accounts and rooms with a gap: besides people and guests, or `only` those.
    #[must_use]
    pub fn machines(&self, accounts: &Accounts, only: bool) -> Fact {
        let key = if only { MACHINES_ONLY } else { "cause.machines_too" };
        let users = accounts.machines();
        let rows = rows::users(&users, self.snapshot, None);
        Fact::new(key, self.rows(rows)).with("service", accounts.service.len()).with("rooms", accounts.rooms.len())
    }

    /// Service accounts and rooms that hold an administrator role.
    #[must_use]
    pub fn administering(&self, users: &RoaringBitmap) -> Fact {
        let rows = rows::users(users, self.snapshot, None);
        Fact::new("cause.machines_administer", self.rows(rows)).with("who", users.len())
    }

    /// Kinds of guest that have no account here.
    #[must_use]
    pub fn others(&self, others: &BTreeSet<Other>) -> Fact {
        let kinds: Vec<&str> = others.iter().map(|other| other_word(*other)).collect();
        Fact::new("cause.others", self.rows([])).with("kinds", Term::Word(kinds.join(", ")))
    }

    /// Why those without an account here aren't covered, as far as a few sentences go.
    #[must_use]
    pub(super) fn without_accounts(&self, all: &[Open]) -> Vec<Fact> {
        let mut facts: Vec<Fact> = all.iter().take(REASONS).map(|open| self.open(open)).collect();
        let more = all.len().saturating_sub(REASONS);
        facts.extend((more > 0).then(|| Fact::new("gap.more", self.rows([])).with("count", more)));
        facts
    }

    fn open(&self, open: &Open) -> Fact {
        let policies: Vec<&Policy> = open.policies.iter().filter_map(|id| self.snapshot.policy(id)).collect();
        let names = policies.iter().map(|policy| policy.display_name.clone()).collect();
        let word = |is: bool, word: &str| Term::Word(if is { word.to_owned() } else { String::new() });
        let rows =
            policies.iter().map(|policy| rows::policy(policy)).chain(open.apps.iter().map(|id| self.app_row(id)));
        let everywhere = open.conditions.iter().any(Vec::is_empty);
        let under: Vec<String> = open.conditions.iter().map(|conditions| conditions_word(conditions)).collect();
        let fact = Fact::new(open_key(open.reason.as_ref()), self.rows(rows))
            .with("policies", Term::Names(names))
            .with("one", word(policies.len() == 1, "one"))
            .with("any", word(!policies.is_empty(), "any"))
            .with("either", word(policies.iter().all(|policy| leaves_a_choice(policy)), "either"))
            .with("apps", self.apps(&open.apps))
            .with("named", word(!open.apps.is_empty(), "named"))
            .with("guests", Term::Word(guests_word(&open.others)))
            .with("conditions", Term::Text(if everywhere { String::new() } else { under.join(" – or ") }));
        open.reason.iter().fold(fact, |fact, reason| self.details(fact, reason))
    }

    fn details(&self, fact: Fact, reason: &Reason) -> Fact {
        match reason {
            Reason::ExcludedGroup(id) => {
                let name = self.snapshot.directory.groups.get(id).map_or(id, |group| &group.display_name);
                fact.with("group", Term::Name(name.clone()))
            }
            Reason::ExcludedRole(id) => fact.with("role", Term::Name(scopes::role_name(self.snapshot, id))),
            Reason::NarrowerConditions(kinds) => {
                fact.with("kinds", Term::Word(kinds.iter().copied().collect::<Vec<_>>().join(", ")))
            }
            Reason::WeakerControl(controls) => {
                let words: Vec<String> = controls.iter().map(|control| self.control(control)).collect();
                fact.with("controls", Term::Name(words.join(", ")))
            }
            Reason::Undecided(what) => fact.with("what", Term::Name(what.clone())),
            _ => fact,
        }
    }

    /// A control as people say it, a strength by its name.
    fn control(&self, control: &str) -> String {
        let strength = control.strip_prefix("authenticationStrength:").and_then(|id| self.snapshot.strengths.get(id));
        let named = strength.map(|strength| format!("authentication strength {}", strength.display_name));
        named.unwrap_or_else(|| control_word(control).to_owned())
    }

    fn evidence(&self, group: &Group, policy: Option<&Policy>) -> Evidence {
        let through = match &group.cause.reason {
            Reason::ExcludedGroup(id) => self.snapshot.directory.groups.get(id),
            _ => None,
        };
        let head = policy.map(rows::policy).into_iter().chain(through.map(rows::group));
        let users = rows::users(&group.users, self.snapshot, through);
        self.rows(head.chain(users))
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

    fn rows(&self, rows: impl IntoIterator<Item = Row>) -> Evidence {
        Evidence::first(self.rows, rows).read(self.hash, self.snapshot.read_at)
    }
}

/// The kinds of guest, where nobody else is meant.
fn guests_word(others: &BTreeSet<Other>) -> String {
    let kinds: Vec<&str> = others.iter().map(|other| other_word(*other)).collect();
    match kinds.len() {
        _ if others.contains(&Other::AnyUser) => String::new(),
        all if all == scopes::GUEST_TYPES.len() => "guests and external users".to_owned(),
        _ => kinds.join(", "),
    }
}

/// Whether a policy is met by one of several grant controls.
fn leaves_a_choice(policy: &Policy) -> bool {
    policy.grant.as_ref().is_some_and(|grant| grant.operator == Operator::Or && grant.controls.len() > 1)
}

/// A control as people say it; the name that Graph has for one that isn't known here.
fn control_word(control: &str) -> &str {
    match control {
        "block" => "block access",
        "mfa" => "multifactor authentication",
        "compliantDevice" => "compliant device",
        "domainJoinedDevice" => "Microsoft Entra hybrid joined device",
        "approvedApplication" => "approved client app",
        "compliantApplication" => "app protection policy",
        "passwordChange" => "password change",
        other => other,
    }
}

/// The name of an app as the tenant has it, or else as Microsoft publishes it; its id for one that nobody knows.
#[must_use]
pub fn app_name(snapshot: &Snapshot, app_id: &str) -> String {
    let published = || well_known::app_name(app_id).unwrap_or(app_id).to_owned();
    snapshot.directory.app(app_id).map_or_else(published, |app| app.display_name.clone())
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

/// The portal's word for a client app.
#[must_use]
pub fn client_word(client: &ClientAppType) -> &'static str {
    match client {
        ClientAppType::All => "all",
        ClientAppType::Browser => "Browser",
        ClientAppType::MobileAppsAndDesktopClients => "Mobile apps and desktop clients",
        ClientAppType::ExchangeActiveSync | ClientAppType::EasSupported => "Exchange ActiveSync clients",
        ClientAppType::Other => "Other clients",
    }
}

/// The portal's word for a platform.
#[must_use]
pub fn platform_word(platform: &Platform) -> &'static str {
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

/// The portal's word for a level of risk.
#[must_use]
pub fn risk_word(level: &RiskLevel) -> &'static str {
    match level {
        RiskLevel::None => "no risk",
        RiskLevel::Low => "Low",
        RiskLevel::Medium => "Medium",
        RiskLevel::High => "High",
    }
}

fn open_key(reason: Option<&Reason>) -> &'static str {
    match reason {
        Some(Reason::ExcludedUser | Reason::ExcludedGroup(_) | Reason::ExcludedRole(_)) => "gap.excluded",
        Some(Reason::ExcludedGuests) => "gap.excluded_guests",
        Some(Reason::ExcludedApp) => "gap.excluded_app",
        Some(Reason::SparedApp) => "gap.spared_app",
        Some(Reason::NarrowerConditions(_)) => "gap.narrower",
        Some(Reason::WeakerControl(_)) => "gap.weaker",
        Some(Reason::ReportOnly) => "gap.report_only",
        Some(Reason::Off) => "gap.off",
        Some(Reason::NoPolicy | Reason::UsersNotIncluded | Reason::AppNotIncluded | Reason::Undecided(_)) | None => {
            "gap.no_policy"
        }
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
        Reason::SparedApp => "cause.spared_app",
        Reason::AppNotIncluded => "cause.app_not_included",
        Reason::NarrowerConditions(_) => "cause.narrower",
        Reason::WeakerControl(_) => "cause.weaker",
        Reason::ReportOnly => "cause.report_only",
        Reason::Off => "cause.off",
        Reason::Undecided(_) => "cause.undecided",
    }
}
