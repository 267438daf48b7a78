//! The configuration file as written: every key that may stand in it, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::SignedDuration;
use serde::Deserialize;

use super::{Cloud, ModelMode, WriteMode};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Raw {
    pub(super) tenant: RawTenant,
    pub(super) graph: RawGraph,
    pub(super) log_analytics: Option<RawLogAnalytics>,
    pub(super) write: RawWrite,
    pub(super) store: RawStore,
    pub(super) web: RawWeb,
    pub(super) teams: Option<RawTeams>,
    pub(super) model: Option<RawModel>,
    pub(super) schedule: RawSchedule,
    pub(super) who: RawWho,
    pub(super) thresholds: BTreeMap<String, f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawTenant {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) emergency_access: BTreeSet<String>,
    pub(super) mfa_trusted_ips: Option<Vec<String>>,
    pub(super) baseline_scopes: Option<String>,
    pub(super) app_groups: BTreeMap<String, BTreeSet<String>>,
    pub(super) intune_secure_by_default: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawGraph {
    pub(super) cloud: Cloud,
    pub(super) base: String,
    pub(super) login_base: String,
    pub(super) client_id: String,
    pub(super) client_secret_file: Option<PathBuf>,
    pub(super) certificate_file: Option<PathBuf>,
    pub(super) federated_token_file: Option<PathBuf>,
    pub(super) federated_managed_identity: Option<String>,
    pub(super) managed_identity: Option<String>,
    pub(super) imds_base: Option<String>,
    pub(super) log_days: u16,
    pub(super) timeout: SignedDuration,
    pub(super) read_back: SignedDuration,
    pub(super) lag_bound: SignedDuration,
    pub(super) audit_poll: SignedDuration,
    pub(super) early_after: SignedDuration,
    pub(super) pacing: RawPacing,
    pub(super) back_off: RawBackOff,
}

impl Default for RawGraph {
    fn default() -> Self {
        Self {
            cloud: Cloud::Global,
            base: String::new(),
            login_base: String::new(),
            client_id: String::new(),
            client_secret_file: None,
            certificate_file: None,
            federated_token_file: None,
            federated_managed_identity: None,
            managed_identity: None,
            imds_base: None,
            log_days: 30,
            timeout: SignedDuration::from_secs(100),
            read_back: SignedDuration::from_secs(5),
            lag_bound: SignedDuration::from_mins(15),
            audit_poll: SignedDuration::from_mins(5),
            early_after: SignedDuration::from_secs(10),
            pacing: RawPacing::default(),
            back_off: RawBackOff::default(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawLogAnalytics {
    pub(super) workspace: String,
    pub(super) base: String,
    pub(super) timeout: SignedDuration,
}

/// Azure Monitor service limits: a query may run for ten minutes.
impl Default for RawLogAnalytics {
    fn default() -> Self {
        Self { workspace: String::new(), base: String::new(), timeout: SignedDuration::from_secs(630) }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawPacing {
    pub(super) conditional_access: SignedDuration,
    pub(super) reports: SignedDuration,
    pub(super) directory: SignedDuration,
}

/// Microsoft Learn, "Microsoft Graph service-specific throttling limits": Conditional Access one request a second and
/// tenant, reports five in ten seconds; the directory counts resource units, 3,500 in ten seconds for a small tenant.
impl Default for RawPacing {
    fn default() -> Self {
        Self {
            conditional_access: SignedDuration::from_secs(1),
            reports: SignedDuration::from_secs(2),
            directory: SignedDuration::from_millis(3),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawBackOff {
    pub(super) first: SignedDuration,
    pub(super) longest: SignedDuration,
    pub(super) attempts: u32,
    pub(super) patience: SignedDuration,
}

impl Default for RawBackOff {
    fn default() -> Self {
        Self {
            first: SignedDuration::from_secs(1),
            longest: SignedDuration::from_secs(60),
            attempts: 6,
            patience: SignedDuration::from_mins(15),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawWrite {
    pub(super) mode: WriteMode,
    pub(super) client_id: Option<String>,
    pub(super) client_secret_file: Option<PathBuf>,
    pub(super) certificate_file: Option<PathBuf>,
    pub(super) federated_token_file: Option<PathBuf>,
    pub(super) federated_managed_identity: Option<String>,
    pub(super) managed_identity: Option<String>,
    pub(super) naming: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawStore {
    pub(super) url: String,
}

impl Default for RawStore {
    fn default() -> Self {
        Self { url: "sqlite:portcullis.db".to_owned() }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawWeb {
    pub(super) listen: String,
}

impl Default for RawWeb {
    fn default() -> Self {
        Self { listen: "127.0.0.1:3978".to_owned() }
    }
}

/// What is left out comes from the cloud.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawTeams {
    pub(super) app_id: String,
    pub(super) app_secret_file: Option<PathBuf>,
    pub(super) certificate_file: Option<PathBuf>,
    pub(super) federated_token_file: Option<PathBuf>,
    pub(super) federated_managed_identity: Option<String>,
    pub(super) managed_identity: Option<String>,
    pub(super) tenants: Option<BTreeSet<String>>,
    pub(super) openid_metadata: Option<String>,
    pub(super) login_base: Option<String>,
    pub(super) service_hosts: Option<BTreeSet<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawModel {
    pub(super) mode: ModelMode,
    pub(super) base_url: String,
    pub(super) model: String,
    pub(super) deadline: SignedDuration,
}

impl Default for RawModel {
    fn default() -> Self {
        Self {
            mode: ModelMode::Pseudonymised,
            base_url: String::new(),
            model: String::new(),
            deadline: SignedDuration::from_secs(8),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawSchedule {
    pub(super) run: String,
    pub(super) summary: String,
    pub(super) zone: String,
}

impl Default for RawSchedule {
    fn default() -> Self {
        Self { run: "0 3 * * *".to_owned(), summary: "08:00".to_owned(), zone: "UTC".to_owned() }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawWho {
    pub(super) approvals_needed: u8,
    pub(super) readers: Option<RawPeople>,
    pub(super) approvers: Option<RawPeople>,
}

impl Default for RawWho {
    fn default() -> Self {
        Self { approvals_needed: 1, readers: None, approvers: None }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawPeople {
    pub(super) roles: BTreeSet<String>,
    pub(super) groups: BTreeSet<String>,
}
