//! One reading of a tenant: what was read, when, and what could not be read.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use super::shared::Shared;
use super::{AuditRecord, CrossTenantAccess, Directory, NamedLocation, PastSignIn, Policy, Strength, Text};

/// A tenant as it was at one time. Everything that is judged is judged on one of these.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Tenant id; empty for a folder that doesn't say.
    pub tenant_id: String,
    /// The organisation's name, or the folder's; untrusted text.
    pub tenant_name: String,
    /// When the reading ended.
    pub read_at: Timestamp,
    /// All policies, in any state, in the order read.
    pub policies: Vec<Policy>,
    /// Named locations by id.
    pub locations: BTreeMap<String, NamedLocation>,
    /// Authentication strengths by id; the built-in ones are always there.
    pub strengths: BTreeMap<String, Strength>,
    /// Published authentication contexts: id to name.
    pub contexts: BTreeMap<String, String>,
    /// Terms of use: agreement id to name.
    #[serde(default)]
    pub terms_of_use: BTreeMap<String, String>,
    /// What is trusted of other organisations; empty where not read.
    #[serde(default)]
    pub cross_tenant: CrossTenantAccess,
    /// People, groups, roles, apps, devices; variants of a tenant under other policies share them.
    pub directory: Shared<Directory>,
    /// Home organisation by a guest's object id, where all sign-ins of the log name the same: Graph doesn't say it with users.
    /// Beside the directory, which a first reading shares before it has the log.
    pub homes: Shared<BTreeMap<Text, Text>>,
    /// Whether nothing was read of who is eligible for a role; who holds one now is read apart.
    #[serde(default)]
    pub eligible_unread: bool,
    /// Service plan ids owned, and how many units; empty where not read.
    pub licences: BTreeMap<String, u64>,
    /// Security defaults on or off; none where not read.
    pub security_defaults: Option<bool>,
    /// Sign-ins of the window, oldest first.
    pub sign_ins: Vec<PastSignIn>,
    /// Audit records of the window, oldest first.
    pub audits: Vec<AuditRecord>,
    /// Window of the two logs: from, to.
    pub window: Option<(Timestamp, Timestamp)>,
    /// Facts that Graph doesn't give.
    pub settings: Settings,
    /// How the reading of each kind went; a kind that is not here was not asked for.
    pub readings: BTreeMap<Kind, Reading>,
}

/// Why a kind is absent from a reading that didn't wait for it.
pub const NOT_YET: &str = "the scan had not come to it yet";

impl Snapshot {
    /// Whether it was taken without waiting for the logs: a first reading's, so that answers need not wait for them.
    #[must_use]
    pub fn is_early(&self) -> bool {
        matches!(self.readings.get(&Kind::SignIns), Some(Reading::Absent { reason }) if reason == NOT_YET)
    }

    /// Whether this kind of object was read completely.
    #[must_use]
    pub fn has(&self, kind: Kind) -> bool {
        matches!(self.readings.get(&kind), Some(Reading::Complete { .. }))
    }

    /// Sign-ins that the log which was read holds none of: read to its end it can still lack half of what happened, where a
    /// workspace isn't sent one of its two tables, or where Graph gives the log of v1.0 only.
    #[must_use]
    pub fn missing_sign_ins(&self) -> Option<&'static str> {
        let any = |interactive| self.sign_ins.iter().any(|row| row.interactive == interactive);
        if !self.has(Kind::SignIns) {
            return None;
        }
        match (any(true), any(false)) {
            (true, true) => None,
            (true, false) => Some("non-interactive sign-ins: the log that was read holds none"),
            (false, true) => Some("interactive sign-ins: the log that was read holds none"),
            (false, false) => Some("sign-ins: the log that was read holds none"),
        }
    }

    /// Whether it is known what the tenant owns; that it owns nothing is known too.
    #[must_use]
    pub fn knows_licences(&self) -> bool {
        self.has(Kind::SubscribedSkus) || !self.licences.is_empty()
    }

    /// The same without what comes in large numbers: users, groups, apps, devices, registered methods and the logs.
    #[must_use]
    pub fn without_rows(&self) -> Self {
        let directory = Directory {
            role_assignments: self.directory.role_assignments.clone(),
            roles: self.directory.roles.clone(),
            risky_users: self.directory.risky_users.clone(),
            ..Directory::default()
        };
        Self {
            tenant_id: self.tenant_id.clone(),
            tenant_name: self.tenant_name.clone(),
            read_at: self.read_at,
            policies: self.policies.clone(),
            locations: self.locations.clone(),
            strengths: self.strengths.clone(),
            contexts: self.contexts.clone(),
            terms_of_use: self.terms_of_use.clone(),
            cross_tenant: self.cross_tenant.clone(),
            directory: directory.into(),
            homes: self.homes.clone(),
            eligible_unread: self.eligible_unread,
            licences: self.licences.clone(),
            security_defaults: self.security_defaults,
            sign_ins: Vec::new(),
            audits: Vec::new(),
            window: self.window,
            settings: self.settings.clone(),
            readings: self.readings.clone(),
        }
    }

    /// The policy with this object id.
    #[must_use]
    pub fn policy(&self, id: &str) -> Option<&Policy> {
        self.policies.iter().find(|policy| policy.id == id)
    }

    /// Positions of the configured emergency access accounts: users named, and members of groups named.
    #[must_use]
    pub fn emergency_access(&self) -> RoaringBitmap {
        let mut set = RoaringBitmap::new();
        for id in &self.settings.emergency_access {
            set.extend(self.directory.user_index(id));
            if let Some(members) = self.directory.groups.get(id).and_then(|group| group.transitive.as_deref()) {
                set |= members;
            }
        }
        set
    }
}

/// How the reading of one kind of object went. There is no partial set: a kind is complete or absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reading {
    /// Read to the end.
    Complete {
        /// How many objects.
        count: u64,
    },
    /// Not read, with the reason as people read it (a missing permission by its name, a file that isn't there).
    Absent {
        /// Why, and what would settle it.
        reason: String,
    },
}

/// The kinds of object that a reading is made of, named as the files of a tenant folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Policies, the only kind that is needed.
    Policies,
    /// Users.
    Users,
    /// Groups with members.
    Groups,
    /// Role assignments, active and eligible.
    RoleAssignments,
    /// Role definitions.
    RoleDefinitions,
    /// Service principals.
    ServicePrincipals,
    /// Named locations.
    NamedLocations,
    /// Authentication strengths.
    AuthenticationStrengthPolicies,
    /// Authentication contexts.
    AuthenticationContextClassReferences,
    /// Terms of use.
    TermsOfUse,
    /// Devices.
    Devices,
    /// Registered authentication methods.
    UserRegistrationDetails,
    /// Users at risk.
    RiskyUsers,
    /// Licences.
    SubscribedSkus,
    /// Security defaults.
    IdentitySecurityDefaultsEnforcementPolicy,
    /// Cross-tenant access settings.
    CrossTenantAccessPolicy,
    /// The sign-in log.
    SignIns,
    /// The audit log.
    DirectoryAudits,
}

/// Facts about the tenant that Graph doesn't give (`settings.json`, or the configuration).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Settings {
    /// Trusted addresses of per-user MFA, in CIDR form (v4); none where nobody stated them, since Graph doesn't tell.
    pub mfa_trusted_ips: Option<Vec<String>>,
    /// Groups of apps: `Office365`, `MicrosoftAdminPortals` or an umbrella app id, to app ids.
    pub app_groups: BTreeMap<String, BTreeSet<String>>,
    /// How requests for baseline scopes are treated when `All` has an exclusion.
    pub baseline_scopes: BaselineScopes,
    /// Emergency access accounts: object ids of users and groups. Empty means not configured, and is said.
    pub emergency_access: BTreeSet<String>,
    /// Intune marks devices without a compliance policy as not compliant (`secureByDefault`); none where not known.
    pub intune_secure_by_default: Option<bool>,
    /// How new policies are called: a template with `{name}`, or `{what}` and `{who}`, and perhaps `{number}`.
    pub naming: Option<String>,
    /// The sovereign cloud that the tenant is in; none in the public one.
    pub environment: Option<Environment>,
}

impl Settings {
    /// The trusted addresses of per-user MFA that were stated.
    pub fn mfa_trusted(&self) -> impl Iterator<Item = &str> {
        self.mfa_trusted_ips.iter().flatten().map(String::as_str)
    }
}

/// A sovereign cloud, as `Connect-MgGraph -Environment` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Environment {
    /// US Government L4 (GCC High).
    USGov,
    /// US Government L5 (Department of Defense).
    USGovDoD,
    /// China, operated by 21Vianet.
    China,
}

/// The tenant's "baseline scopes" setting (enforced in phases from May 2026).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BaselineScopes {
    /// Not known: gaps that hang on it say so.
    #[default]
    Unknown,
    /// The old behaviour: such requests are not enforced once an app is excluded.
    Legacy,
    /// Evaluated as requests for Windows Azure Active Directory.
    Enforced,
    /// Evaluated as requests for this app.
    CustomTarget(String),
}
