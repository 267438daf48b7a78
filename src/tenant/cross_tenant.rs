//! Whose MFA and device claims are accepted from other organisations: the inbound trust of cross-tenant access settings.
//!
//! Source: Microsoft Learn, "Cross-tenant access overview": without trust MFA is done here once more, and a claim about a
//! guest's device fails.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The default and what is set for single organisations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrossTenantAccess {
    /// For every organisation without settings of its own; none where the default wasn't among what was read.
    pub default: Option<InboundTrust>,
    /// By tenant id; none where the organisation inherits the default.
    pub partners: BTreeMap<String, Option<InboundTrust>>,
}

/// Claims of a person's home organisation that count here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundTrust {
    /// MFA done there.
    pub mfa: bool,
    /// Devices marked as compliant there.
    pub compliant_device: bool,
    /// Devices hybrid joined there.
    pub hybrid_device: bool,
}

impl CrossTenantAccess {
    /// What is trusted of an organisation; none where that isn't known.
    #[must_use]
    pub fn trust(&self, tenant_id: &str) -> Option<InboundTrust> {
        self.partners.get(tenant_id).copied().flatten().or(self.default)
    }

    /// Whether a claim surely counts from no organisation at all.
    #[must_use]
    pub fn trusts_nobody(&self, claim: impl Fn(InboundTrust) -> bool) -> bool {
        let stated = self.partners.values().flatten().chain(&self.default);
        self.default.is_some() && !stated.copied().any(claim)
    }

    /// Takes over what one object of the settings says: the default has no tenant id.
    pub fn add(&mut self, (tenant_id, trust): (String, Option<InboundTrust>)) {
        if tenant_id.is_empty() {
            self.default = Some(trust.unwrap_or_default());
        } else {
            self.partners.insert(tenant_id, trust);
        }
    }
}
