//! The checks: one file each, one registry. A check judges coverage, not single policies.

pub mod about;
pub mod accounts;
pub mod cause_words;
pub mod drafts;
pub mod gaps;
pub mod hand_over;
pub mod licences;
pub mod listing;
pub mod policies;
pub mod requirement;
pub mod rows;
pub mod scopes;
pub mod workload_gaps;

mod addresses_without_country;
mod admin_portals;
mod admin_portals_restricted;
mod admin_workstations;
mod agent_assisted_flows;
mod app_control;
mod app_enforced_restrictions;
mod app_protection;
mod approved_application;
mod apps_not_covered;
mod authentication_contexts;
mod authentication_transfer;
mod azure_devops;
mod baseline_scopes;
mod compliance_per_platform;
mod compliant_by_default;
mod compliant_network;
mod continuous_access_evaluation;
mod dangling_references;
mod device_code_flow;
mod device_registration_mfa;
mod devices_for_admins;
mod directory_sync_account;
mod dynamic_groups;
pub mod edits;
mod elevated_insider_risk;
mod elevated_insider_risk_all;
mod eligible_administrators;
mod emergency_access;
mod emergency_access_accounts;
mod empty_named_locations;
mod everybodys;
mod excluded_group;
mod exclusion_group_growth;
mod exclusions_without_fallback;
mod fallback;
mod internet_access;
mod intune_enrolment;
mod legacy_authentication;
mod licence_coverage;
mod managed_devices;
mod memberships;
mod methods_missing;
mod mfa_admin_portals;
mod mfa_admins;
mod mfa_all_users;
mod mfa_azure_management;
mod mfa_guests;
mod mfa_or_managed_device;
mod microsoft_managed_policies;
pub mod naming;
mod narrow_controls;
mod new_apps;
mod new_users_mfa;
mod overlapping_policies;
mod partner_trust;
mod per_user_mfa;
mod persistent_browser_unmanaged;
mod phishing_resistant_admins;
mod phishing_resistant_all_users;
mod policy_limit;
mod policy_names;
mod policy_targets_nothing;
mod private_access;
mod private_access_devices;
mod private_apps;
mod quick_access_frequency;
mod registration_device;
mod report_only_age;
mod rights_management;
mod risks_in_one_policy;
mod risky_agents;
mod security_defaults;
mod security_info_registration;
mod service_accounts;
mod sign_in_frequency_admins;
mod sign_in_frequency_all_users;
mod sign_in_frequency_guests;
mod sign_in_frequency_unmanaged;
mod sign_in_risk;
mod sign_in_risk_block;
mod sign_in_risk_block_medium;
mod take_in_again;
mod telling;
mod terms_of_use;
#[cfg(test)]
mod tests;
mod token_protection;
mod trusted_named_location;
mod unknown_platforms;
mod unprotected_groups;
mod untrusted_countries;
mod unused_named_locations;
mod user_risk;
mod user_risk_block;
mod wide_named_locations;
mod widen;
mod within;
mod without_accounts;
mod workload_identities;

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::engine::Model;
use crate::facts::{Fact, visible};

pub use about::{About, CureKind, Severity, Threshold};

/// Every check, in the order that reports show them; they run from the last one on, of which some take long.
pub static CHECKS: &[&dyn Check] = &[
    &mfa_all_users::MfaAllUsers,
    &mfa_admins::MfaAdmins,
    &phishing_resistant_admins::PhishingResistantAdmins,
    &mfa_guests::MfaGuests,
    &apps_not_covered::AppsNotCovered,
    &legacy_authentication::LegacyAuthentication,
    &device_code_flow::DeviceCodeFlow,
    &managed_devices::ManagedDevices,
    &app_protection::AppProtection,
    &security_info_registration::SecurityInfoRegistration,
    &registration_device::RegistrationDevice,
    &user_risk::UserRisk,
    &sign_in_risk::SignInRisk,
    &phishing_resistant_all_users::PhishingResistantAllUsers,
    &mfa_azure_management::MfaAzureManagement,
    &mfa_admin_portals::MfaAdminPortals,
    &admin_portals_restricted::AdminPortalsRestricted,
    &user_risk_block::UserRiskBlock,
    &sign_in_risk_block::SignInRiskBlock,
    &sign_in_risk_block_medium::SignInRiskBlockMedium,
    &elevated_insider_risk::ElevatedInsiderRisk,
    &elevated_insider_risk_all::ElevatedInsiderRiskAll,
    &mfa_or_managed_device::MfaOrManagedDevice,
    &devices_for_admins::DevicesForAdmins,
    &admin_workstations::AdminWorkstations,
    &compliance_per_platform::CompliancePerPlatform,
    &device_registration_mfa::DeviceRegistrationMfa,
    &authentication_transfer::AuthenticationTransfer,
    &unknown_platforms::UnknownPlatforms,
    &azure_devops::AzureDevops,
    &app_enforced_restrictions::AppEnforcedRestrictions,
    &persistent_browser_unmanaged::PersistentBrowserUnmanaged,
    &sign_in_frequency_unmanaged::SignInFrequencyUnmanaged,
    &sign_in_frequency_admins::SignInFrequencyAdmins,
    &sign_in_frequency_all_users::SignInFrequencyAllUsers,
    &sign_in_frequency_guests::SignInFrequencyGuests,
    &token_protection::TokenProtection,
    &app_control::AppControl,
    &new_users_mfa::NewUsersMfa,
    &continuous_access_evaluation::ContinuousAccessEvaluation,
    &workload_identities::WorkloadIdentities,
    &policy_targets_nothing::PolicyTargetsNothing,
    &risks_in_one_policy::RisksInOnePolicy,
    &approved_application::ApprovedApplication,
    &agent_assisted_flows::AgentAssistedFlows,
    &authentication_contexts::AuthenticationContexts,
    &compliant_network::CompliantNetwork,
    &internet_access::InternetAccess,
    &intune_enrolment::IntuneEnrolment,
    &new_apps::NewApps,
    &private_access::PrivateAccess,
    &private_access_devices::PrivateAccessDevices,
    &quick_access_frequency::QuickAccessFrequency,
    &risky_agents::RiskyAgents,
    &rights_management::RightsManagement,
    &service_accounts::ServiceAccounts,
    &partner_trust::PartnerTrust,
    &terms_of_use::TermsOfUse,
    &trusted_named_location::TrustedNamedLocation,
    &untrusted_countries::UntrustedCountries,
    &emergency_access::EmergencyAccess,
    &emergency_access_accounts::EmergencyAccessAccounts,
    &eligible_administrators::EligibleAdministrators,
    &exclusion_group_growth::ExclusionGroupGrowth,
    &exclusions_without_fallback::ExclusionsWithoutFallback,
    &unprotected_groups::UnprotectedGroups,
    &dynamic_groups::DynamicGroups,
    &methods_missing::MethodsMissing,
    &per_user_mfa::PerUserMfa,
    &compliant_by_default::CompliantByDefault,
    &security_defaults::SecurityDefaults,
    &licence_coverage::LicenceCoverage,
    &directory_sync_account::DirectorySyncAccount,
    &microsoft_managed_policies::MicrosoftManagedPolicies,
    &wide_named_locations::WideNamedLocations,
    &addresses_without_country::AddressesWithoutCountry,
    &baseline_scopes::BaselineScopesEnforced,
    &report_only_age::ReportOnlyAge,
    &overlapping_policies::OverlappingPolicies,
    &dangling_references::DanglingReferences,
    &policy_limit::PolicyLimit,
    &empty_named_locations::EmptyNamedLocations,
    &unused_named_locations::UnusedNamedLocations,
    &policy_names::PolicyNames,
];

/// Runs every check.
#[must_use]
pub fn run_all(context: &Context<'_>) -> Vec<Finding> {
    run_each(context, &|_| {})
}

/// The same; `begins` hears of each check before it runs. Checks run side by side, each on one thread, the last ones first: those
/// that compare policies with each other stand there, and one that takes long should not be left over for one thread.
#[must_use]
pub fn run_each(context: &Context<'_>, begins: &(dyn Fn(&'static About) + Sync)) -> Vec<Finding> {
    let next = AtomicUsize::new(0);
    let found: Vec<OnceLock<Finding>> = CHECKS.iter().map(|_| OnceLock::new()).collect();
    let work = || {
        while let Some((check, found)) = from_the_last(&found, next.fetch_add(1, Ordering::Relaxed)) {
            begins(check.about());
            found.get_or_init(|| edits::harmless(check.run(context), context));
        }
    };
    let beside = std::thread::available_parallelism().map_or(1, NonZero::get).min(THREADS) - 1;
    std::thread::scope(|threads| {
        for _ in 0..beside {
            threads.spawn(work);
        }
        work();
    });
    found.into_iter().filter_map(OnceLock::into_inner).collect()
}

/// More would only wait for each other: the first who asks compiles what all need.
const THREADS: usize = 4;

/// The check that comes so many places before the last, and where its finding goes.
fn from_the_last(found: &[OnceLock<Finding>], before: usize) -> Option<(&'static dyn Check, &OnceLock<Finding>)> {
    CHECKS.iter().copied().zip(found).rev().nth(before)
}

/// What is known of the check with this id.
#[must_use]
pub fn about(id: &str) -> Option<&'static About> {
    CHECKS.iter().map(|check| check.about()).find(|about| about.id == id)
}

/// What looks at a tenant and finds, or doesn't find, something to mend.
pub trait Check: Sync {
    /// Who it is: everything that documentation, reports and settings say of it.
    fn about(&self) -> &'static About;

    /// Judges the tenant.
    fn run(&self, context: &Context<'_>) -> Finding;
}

/// What a check decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing to mend.
    Pass,
    /// Something to mend.
    Fail,
    /// Needs a manual look: something couldn't be resolved.
    Review,
    /// The tenant has nothing that it could judge.
    NotApplicable,
}

/// What a check sees.
pub struct Context<'a> {
    /// The compiled tenant.
    pub model: &'a Model,
    /// Content hash of the snapshot, which evidence names.
    pub hash: &'a str,
    /// Now.
    pub now: Timestamp,
    /// Thresholds by `check-id.name`, where settings differ from the check's own.
    pub thresholds: &'a BTreeMap<String, f64>,
    /// How many rows of evidence a fact keeps; what is more is only counted.
    pub rows: usize,
}

impl Context<'_> {
    /// The value of a threshold of the check with this id: the setting, or else the check's own.
    #[must_use]
    pub fn threshold(&self, check: &str, threshold: &Threshold) -> f64 {
        self.thresholds.get(&format!("{check}.{}", threshold.name)).copied().unwrap_or(threshold.default)
    }

    /// The same as a whole number, for hours and days.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float is cut off at the ends of u32"
    )]
    pub fn whole_threshold(&self, check: &str, threshold: &Threshold) -> u32 {
        self.threshold(check, threshold).round() as u32
    }
}

/// What a check found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Id of the check.
    pub check: &'static str,
    /// The verdict.
    pub verdict: Verdict,
    /// What it rests on, most telling first; the first one is the headline.
    pub facts: Vec<Fact>,
    /// What was not checked, as people read it.
    pub not_checked: Vec<String>,
    /// What to do about it, best first; a finding may have several separate cures.
    pub cures: Vec<Cure>,
}

impl Finding {
    /// Whether something that it hangs on isn't known. That a person has to judge what is known is not the same.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        let judged = self.facts.first().is_some_and(|fact| fact.key == cause_words::MACHINES_ONLY);
        self.verdict == Verdict::Review && !judged
    }
}

/// What would remove a finding.
#[derive(Clone, Debug)]
pub struct Cure {
    /// What it is about beyond the check (a policy or group id), so that it is known again next time.
    pub subject: String,
    /// One line, such as `Block device code flow for all users`.
    pub title: String,
    /// A new policy or a change for a person to make.
    pub action: CureAction,
    /// The part of the finding that it mends, in the finding's own words; empty: the finding as a whole.
    pub why: Vec<Fact>,
    /// Others are needed beside it to settle the finding.
    pub partly: bool,
}

impl Cure {
    /// A cure of the finding as a whole. Titles name objects of the tenant: what nobody sees in them is left out.
    #[must_use]
    pub fn new(subject: &str, title: String, action: CureAction) -> Self {
        Self { subject: subject.to_owned(), title: visible(&title), action, why: Vec::new(), partly: false }
    }
}

/// How a finding is removed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CureAction {
    /// A new policy; created in report-only and nothing else. Evaluated as if it were On, it removes the finding.
    Draft(Box<crate::tenant::Policy>),
    /// An edit or removal that a person makes.
    HandOver(Box<HandOver>),
}

/// An exact change for a person to make.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HandOver {
    /// What kind of object is changed: `Policy`, `Group`, `Named location`.
    pub target_kind: String,
    /// Its object id.
    pub target_id: String,
    /// Its name; untrusted text.
    pub target_name: String,
    /// The fields that change: label in the portal's words, before, after.
    pub changes: Vec<(String, String, String)>,
    /// Where to click in the Entra admin centre.
    pub portal: String,
    /// PowerShell that does it.
    pub powershell: String,
    /// The Graph request that does it: method, path, body.
    pub request: Option<(String, String, serde_json::Value)>,
    /// Object ids of the accounts that leave a group; empty for other changes.
    #[serde(default)]
    pub members: Vec<String>,
    /// The memberships that end so that they do: object ids of a group and of what is directly in it, an account or a
    /// nested group.
    #[serde(default)]
    pub memberships: Vec<(String, String)>,
}
