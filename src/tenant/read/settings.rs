//! Settings of the whole tenant: cross-tenant access, terms of use, and Intune's default for compliance.

use serde_json::Value;

use super::ReadError;
use super::node::Node;
use crate::tenant::cross_tenant::InboundTrust;

/// Reads a `crossTenantAccessPolicyConfigurationDefault` (its tenant id is empty) or `…ConfigurationPartner`.
///
/// # Errors
/// Names the place that isn't what the resource has there.
pub fn read_inbound_trust(value: &Value) -> Result<(String, Option<InboundTrust>), ReadError> {
    let node = Node::root(value).object()?;
    let trust = node.member("inboundTrust");
    let accepted = |name: &str| -> Result<bool, ReadError> { Ok(trust.member(name).flag()?.unwrap_or_default()) };
    let stated = InboundTrust {
        mfa: accepted("isMfaAccepted")?,
        compliant_device: accepted("isCompliantDeviceAccepted")?,
        hybrid_device: accepted("isHybridAzureADJoinedDeviceAccepted")?,
    };
    Ok((node.member("tenantId").id()?, (!trust.is_null()).then_some(stated)))
}

/// Reads an `agreement` (terms of use): id and name.
///
/// # Errors
/// Names the place that isn't what the resource has there.
pub fn read_agreement(value: &Value) -> Result<(String, String), ReadError> {
    let node = Node::root(value).object()?;
    Ok((node.member("id").required_id()?, node.member("displayName").string()?))
}

/// Whether Intune marks devices without a compliance policy as not compliant, from `deviceManagement`; none where
/// it doesn't say.
///
/// # Errors
/// Names the place that isn't what the resource has there.
pub fn read_secure_by_default(value: &Value) -> Result<Option<bool>, ReadError> {
    Node::root(value).object()?.member("settings").member("secureByDefault").flag()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tenant::cross_tenant::CrossTenantAccess;

    #[test]
    fn a_partner_without_settings_of_its_own_inherits_the_default() {
        let mut access = CrossTenantAccess::default();
        assert_eq!(access.trust("fabrikam"), None);
        let objects = [
            json!({"isServiceDefault": false, "inboundTrust": {"isMfaAccepted": true}}),
            json!({"tenantId": "Fabrikam", "inboundTrust": null}),
            json!({"tenantId": "contoso", "inboundTrust": {"isMfaAccepted": false, "isCompliantDeviceAccepted": true}}),
        ];
        objects.iter().for_each(|object| access.add(read_inbound_trust(object).unwrap()));
        assert!(access.trust("fabrikam").unwrap().mfa && access.trust("anybody else").unwrap().mfa);
        let contoso = access.trust("contoso").unwrap();
        assert!(!contoso.mfa && contoso.compliant_device);
    }

    #[test]
    fn a_wrong_flag_is_named() {
        let error = read_inbound_trust(&json!({"inboundTrust": {"isMfaAccepted": "yes"}})).unwrap_err();
        assert_eq!(error.pointer, "/inboundTrust/isMfaAccepted");
    }
}
