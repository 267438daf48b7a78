//! Where no policy meets a requirement: requirement × scope → gaps, and why.

mod acting;
mod causes;
pub(super) mod devices;
mod domain;
mod gaps;
mod homes;
mod joint;
mod known;
mod locations;
mod needless;
mod people;
mod reasons;
mod requirement;
mod search;
mod sift;
mod words;
mod workloads;

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

pub(super) use joint::{Joint, Moved, Opening};
pub(super) use known::Known;

pub use known::Entry;

pub use self::needless::Needless;
pub use self::reasons::{Place, Reasons, Why};
pub use self::workloads::{Workload, WorkloadCoverage, WorkloadGap};
use crate::tenant::policy::{ClientAppType, GuestType, InsiderRisk, Platform, RiskLevel, TransferMethod};

/// What every sign-in in a scope should be made to meet. Block meets every one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requirement {
    /// MFA, or a strength all of whose combinations are MFA.
    Mfa,
    /// A strength all of whose combinations are phishing-resistant.
    PhishingResistantMfa,
    /// Compliant or hybrid joined device.
    ManagedDevice,
    /// MFA, or a compliant or hybrid joined device: any of them.
    MfaOrManagedDevice,
    /// Compliant device.
    CompliantDevice,
    /// Microsoft Entra hybrid joined device.
    HybridDevice,
    /// A strength each of whose combinations this one allows too (object id): at least as strong.
    Strength(String),
    /// App protection policy, or (retired) approved client app.
    AppProtection,
    /// Block.
    Block,
    /// Password change, or risk remediation.
    PasswordChange,
    /// Risk remediation.
    RiskRemediation,
    /// Terms of use, any.
    TermsOfUse,
    /// Sign-in frequency of at most so many hours (0: every time).
    SignInFrequency {
        /// Hours, at most.
        hours: u32,
    },
    /// The second factor again after at most so many hours (0: every time), alone or with the whole sign-in.
    SecondFactorFrequency {
        /// Hours, at most.
        hours: u32,
    },
    /// Browser sessions that never persist.
    NoPersistentBrowser,
    /// App enforced restrictions. Only Exchange and SharePoint enforce them.
    AppEnforcedRestrictions,
    /// Conditional Access App Control, of any kind.
    AppControl,
    /// Token protection. Only native clients on the platforms that have it are bound.
    TokenProtection,
    /// Continuous access evaluation that enforces locations strictly.
    StrictLocation,
    /// No extended sessions in an outage (resilience defaults disabled).
    NoResilienceDefaults,
    /// Any policy at all that is On, whatever it asks for.
    AnyPolicy,
}

/// Which sign-ins are looked at; an empty or absent member means all. Risk levels `None` are looked at too unless narrowed.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each narrows another dimension")]
pub struct Scope {
    /// Positions of users; none means every user, *any other user* and every guest type.
    pub users: Option<RoaringBitmap>,
    /// Without `users`: only those who authenticate here, members and local guests, of kinds that have no object here.
    pub residents: bool,
    /// With `users`: guest kinds that have no object here are looked at too.
    pub guest_types: BTreeSet<GuestType>,
    /// App ids; none means every app and *any other app*.
    pub apps: Option<BTreeSet<String>>,
    /// A user action instead of apps, as its URN; or an authentication context, by its id.
    pub user_action: Option<String>,
    /// An authentication context instead of apps, `c1` to `c99`: what the resource itself asks for comes on top.
    pub authentication_context: Option<String>,
    /// The context together with every resource that can ask for it, whose own policies apply as well.
    pub context_on_resources: bool,
    /// Client apps.
    pub client_apps: BTreeSet<ClientAppType>,
    /// Platforms; [`Platform::All`] stands for the unknown platform here.
    pub platforms: BTreeSet<Platform>,
    /// Authentication flows; none means ordinary sign-ins as well.
    pub flows: BTreeSet<TransferMethod>,
    /// Sign-in risk levels.
    pub sign_in_risk: BTreeSet<RiskLevel>,
    /// User risk levels.
    pub user_risk: BTreeSet<RiskLevel>,
    /// Insider risk levels.
    pub insider_risk: BTreeSet<InsiderRisk>,
    /// Only sign-ins from devices that aren't managed.
    pub unmanaged_devices: bool,
    /// Only sign-ins from a managed device of which nothing is set that a filter for devices could tell it by.
    pub ordinary_device: bool,
    /// Only sign-ins from locations that aren't trusted.
    pub untrusted_locations: bool,
    /// Only sign-ins from one of these: ids of named locations, `AllTrusted`.
    pub within: BTreeSet<String>,
    /// Only sign-ins from none of these.
    pub outside: BTreeSet<String>,
    /// Only sign-ins from addresses in these countries (ISO 3166-1 alpha-2, upper case).
    pub countries: BTreeSet<String>,
}

/// The exact answer for one requirement and scope. Where the gaps are is found when somebody reads them.
#[derive(Debug)]
pub struct Coverage {
    /// Positions of all users with at least one sure gap (a gap even if every policy that possibly applies does).
    pub uncovered: RoaringBitmap,
    /// Positions of users whose only gaps hang on something unknown.
    pub undecided: RoaringBitmap,
    /// Positions of all users looked at.
    pub looked_at: RoaringBitmap,
    /// Object ids of policies that cover something only because what they ask can't be done there (MFA by a client that
    /// can't): they act as a block.
    pub acts_as_block: BTreeSet<String>,
    /// What would settle the undecided part, as people read it.
    pub unresolved: BTreeSet<String>,
    /// What the gaps are found from.
    search: gaps::Search,
    gaps: OnceLock<Vec<Gap>>,
}

impl Coverage {
    /// Places that no policy surely covers, largest first; merged where conditions and causes are equal.
    #[must_use]
    pub fn gaps(&self) -> &[Gap] {
        self.gaps.get_or_init(|| self.find())
    }

    /// The gaps of these users, and of those without an object here.
    #[must_use]
    pub fn gaps_of(&self, users: &RoaringBitmap) -> Vec<Gap> {
        self.search.gaps(users)
    }

    /// Where somebody surely isn't covered, without the causes: hardly anybody of a million users has the same ones as
    /// another.
    #[must_use]
    pub fn places(&self) -> Vec<Place> {
        let none = self.gaps.get().is_some_and(Vec::is_empty);
        if none { Vec::new() } else { self.search.places(&self.uncovered) }
    }

    /// Why the places aren't covered, cause by cause.
    #[must_use]
    pub fn reasons(&self) -> Reasons<'_> {
        Reasons::new(&self.search)
    }

    fn find(&self) -> Vec<Gap> {
        self.search.gaps(&(&self.uncovered | &self.undecided))
    }
}

impl PartialEq for Coverage {
    fn eq(&self, other: &Self) -> bool {
        self.uncovered == other.uncovered
            && self.undecided == other.undecided
            && self.looked_at == other.looked_at
            && self.acts_as_block == other.acts_as_block
            && self.unresolved == other.unresolved
            && self.gaps() == other.gaps()
    }
}

/// A set of sign-ins that aren't made to meet the requirement.
#[derive(Clone, Debug, PartialEq)]
pub struct Gap {
    /// Positions of the users.
    pub users: RoaringBitmap,
    /// Users that have no object here: *any other user* (when the directory wasn't read) and guest types.
    pub others: BTreeSet<Other>,
    /// App ids that are reached; empty with `any_app` alone. Gaps at the same apps share them.
    pub apps: Arc<BTreeSet<String>>,
    /// Every app that no policy names is reached too.
    pub any_app: bool,
    /// The gap holds only under these; empty means under all conditions.
    pub conditions: Vec<Condition>,
    /// Why no policy covers it, most telling first. Gaps with the same causes share them.
    pub causes: Arc<[Cause]>,
    /// Sure, or only possible because something couldn't be resolved.
    pub sure: bool,
}

/// Users without an object in the directory that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Other {
    /// Any user that no policy names (the directory wasn't read).
    AnyUser,
    /// Any guest or external user of this type.
    Guest(GuestType),
}

/// A condition under which a gap holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Condition {
    /// Client apps.
    ClientApps(BTreeSet<ClientAppType>),
    /// Platforms; [`Platform::All`] stands for the unknown one.
    Platforms(BTreeSet<Platform>),
    /// Locations, as people read them ("outside Head office", "trusted locations").
    Locations(String),
    /// Devices, as people read them ("unregistered", "not compliant").
    Devices(String),
    /// Sign-in risk levels.
    SignInRisk(BTreeSet<RiskLevel>),
    /// User risk levels.
    UserRisk(BTreeSet<RiskLevel>),
    /// Insider risk; `None` in the set is written as an empty option.
    InsiderRisk(BTreeSet<Option<InsiderRisk>>),
    /// Authentication flows; an ordinary sign-in is none.
    Flows(BTreeSet<Option<TransferMethod>>),
    /// Requests for baseline scopes only.
    BaselineScopes,
}

/// Why one policy, which could have covered the gap, doesn't.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// Object id of the policy; none for "no policy asks for it at all".
    pub policy_id: Option<String>,
    /// Why.
    pub reason: Reason,
}

/// The reason of a [`Cause`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// No policy asks for it.
    NoPolicy,
    /// Excluded by name.
    ExcludedUser,
    /// Excluded through this group (object id).
    ExcludedGroup(String),
    /// Excluded through this role (template id).
    ExcludedRole(String),
    /// Excluded as this kind of guest.
    ExcludedGuests,
    /// Not among the users it includes.
    UsersNotIncluded,
    /// The app is excluded.
    ExcludedApp,
    /// Microsoft spares the app from the policy, which takes it in.
    SparedApp,
    /// Not among the apps it includes.
    AppNotIncluded,
    /// Its conditions are narrower (kinds, as people read them: "Device platforms").
    NarrowerConditions(BTreeSet<&'static str>),
    /// It accepts something weaker: "Require one of the selected controls" (the other controls).
    WeakerControl(Vec<String>),
    /// It is report-only.
    ReportOnly,
    /// It is off.
    Off,
    /// Something in it can't be resolved or judged (named).
    Undecided(String),
}
