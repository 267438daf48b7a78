//! What policies refer to besides people and apps: named locations, strengths, contexts; and tenant-wide settings.

use serde_json::{Value, json};

use super::names::ORGANISATION;
use super::random::{Ids, Object, days_before, written};

/// Named locations, in index order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Head office, trusted, v4 and v6.
    HeadOffice,
    /// A branch, trusted.
    Lyon,
    /// Countries where people may be.
    Allowed,
    /// The same for guests, where an address without country passes.
    AllowedGuests,
    /// Servers of the hosting provider, not trusted.
    Hosting,
}

/// Id of a named location.
#[must_use]
pub fn place_id(ids: Ids, place: Place) -> String {
    ids.id(Object::Location, place as u32).to_string()
}

/// Named locations as Graph writes them.
#[must_use]
pub fn named_locations(ids: Ids, today: jiff::Timestamp) -> Vec<Value> {
    let made = written(days_before(today, 1_100));
    let addresses = |place, name: &str, trusted: bool, ranges: &[&str]| {
        let ranges: Vec<Value> = ranges.iter().map(|range| cidr(range)).collect();
        json!({ "@odata.type": "#microsoft.graph.ipNamedLocation", "id": place_id(ids, place), "displayName": name,
            "createdDateTime": made, "modifiedDateTime": made, "isTrusted": trusted, "ipRanges": ranges })
    };
    let countries = |place, name: &str, unknown: bool| {
        json!({ "@odata.type": "#microsoft.graph.countryNamedLocation", "id": place_id(ids, place), "displayName": name,
            "createdDateTime": made, "modifiedDateTime": made, "countryLookupMethod": "clientIpAddress",
            "countriesAndRegions": ["DE", "FR", "PL", "SE", "PT", "GB", "NL", "DK"],
            "includeUnknownCountriesAndRegions": unknown })
    };
    vec![
        addresses(Place::HeadOffice, "Head office Hamburg", true, &["192.0.2.0/24", "2001:db8:48::/48"]),
        addresses(Place::Lyon, "Branch Lyon", true, &["198.51.100.0/25"]),
        countries(Place::Allowed, "Allowed countries", false),
        countries(Place::AllowedGuests, "Allowed countries – Guests", true),
        addresses(Place::Hosting, "Hosting provider", false, &["203.0.113.128/25"]),
    ]
}

fn cidr(range: &str) -> Value {
    let kind = if range.contains(':') { "iPv6CidrRange" } else { "iPv4CidrRange" };
    json!({ "@odata.type": format!("#microsoft.graph.{kind}"), "cidrAddress": range })
}

/// The strength of Nordwerk's own: passkeys only.
#[must_use]
pub fn passkey_strength(ids: Ids) -> String {
    ids.id(Object::Other, 2).to_string()
}

/// Authentication strengths: the three built in and one custom.
#[must_use]
pub fn strengths(ids: Ids) -> Vec<Value> {
    let built_in = |digit: u8, name: &str, combinations: &[&str]| {
        strength((&format!("00000000-0000-0000-0000-00000000000{digit}"), name, "builtIn"), combinations)
    };
    vec![
        built_in(2, "Multifactor authentication", MFA),
        built_in(
            3,
            "Passwordless MFA",
            &["windowsHelloForBusiness", "fido2", "x509CertificateMultiFactor", "deviceBasedPush"],
        ),
        built_in(4, "Phishing-resistant MFA", &["windowsHelloForBusiness", "fido2", "x509CertificateMultiFactor"]),
        strength((&passkey_strength(ids), "Passkey only", "custom"), &["fido2"]),
    ]
}

const MFA: &[&str] = &[
    "windowsHelloForBusiness",
    "fido2",
    "x509CertificateMultiFactor",
    "deviceBasedPush",
    "temporaryAccessPassOneTime",
    "temporaryAccessPassMultiUse",
    "password,microsoftAuthenticatorPush",
    "password,softwareOath",
    "password,hardwareOath",
    "password,sms",
    "password,voice",
    "federatedMultiFactor",
    "microsoftAuthenticatorPush,federatedSingleFactor",
    "softwareOath,federatedSingleFactor",
    "hardwareOath,federatedSingleFactor",
    "sms,federatedSingleFactor",
    "voice,federatedSingleFactor",
    "password,x509CertificateSingleFactor",
    "federatedSingleFactor,x509CertificateSingleFactor",
];

fn strength((id, name, kind): (&str, &str, &str), combinations: &[&str]) -> Value {
    json!({ "id": id, "displayName": name, "description": "", "policyType": kind, "requirementsSatisfied": "mfa",
        "createdDateTime": "2021-12-01T00:00:00Z", "modifiedDateTime": "2021-12-01T00:00:00Z",
        "allowedCombinations": combinations, "combinationConfigurations": [] })
}

/// Authentication contexts.
#[must_use]
pub fn contexts() -> Vec<Value> {
    vec![
        json!({ "id": "c1", "displayName": "Confidential documents", "description": "Sites with label Confidential", "isAvailable": true }),
        json!({ "id": "c2", "displayName": "Activate privileged role", "description": "", "isAvailable": true }),
        json!({ "id": "c3", "displayName": "Draft", "description": "", "isAvailable": false }),
    ]
}

/// Licences: Entra ID P2 in the suite, P1 for frontline staff.
#[must_use]
pub fn subscribed_skus(ids: Ids, users: u32) -> Vec<Value> {
    let sku = |at, name: &str, count: u32, plans: Value| {
        json!({ "id": ids.id(Object::Other, at), "skuId": ids.id(Object::Other, at + 10), "skuPartNumber": name,
            "appliesTo": "User", "capabilityStatus": "Enabled", "consumedUnits": count,
            "prepaidUnits": { "enabled": count + 25, "suspended": 0, "warning": 0, "lockedOut": 0 },
            "servicePlans": plans })
    };
    let plan = |id: &str, name: &str| json!({ "servicePlanId": id, "servicePlanName": name, "provisioningStatus": "Success", "appliesTo": "User" });
    let p1 = plan("41781fb2-bc02-4b7c-bd55-b576c07bb09d", "AAD_PREMIUM");
    let p2 = plan("eec0eb4f-6444-4f95-aba0-50c24d67f998", "AAD_PREMIUM_P2");
    vec![sku(20, "SPE_E5", users * 3 / 4, json!([p1, p2])), sku(21, "SPE_F1", users / 10, json!([p1]))]
}

/// The organisation.
#[must_use]
pub fn organisation(tenant: &str) -> Value {
    json!({ "id": tenant, "displayName": ORGANISATION, "countryLetterCode": "DE", "city": "Hamburg", "tenantType": "AAD",
        "verifiedDomains": [
            { "name": super::names::DOMAIN, "isDefault": true, "isInitial": false },
            { "name": super::names::INITIAL_DOMAIN, "isDefault": false, "isInitial": true } ] })
}

/// Security defaults, which have to be off beside Conditional Access.
#[must_use]
pub fn security_defaults(enabled: bool) -> Value {
    json!({ "id": "00000000-0000-0000-0000-000000000005", "displayName": "Security Defaults",
        "description": "", "isEnabled": enabled })
}

/// The terms of use that there are; policies can name them, though no app can read them.
#[must_use]
pub fn agreement(ids: Ids) -> String {
    ids.id(Object::Other, 3).to_string()
}

/// Settings for single partners: the first one's MFA is trusted.
#[must_use]
pub fn partners(ids: Ids) -> Vec<Value> {
    vec![json!({ "tenantId": ids.id(Object::Tenant, 1), "isServiceProvider": false, "inboundTrust":
        { "isMfaAccepted": true, "isCompliantDeviceAccepted": false, "isHybridAzureADJoinedDeviceAccepted": false } })]
}

/// Intune as delivered: a device without a compliance policy counts as compliant.
#[must_use]
pub fn device_management() -> Value {
    json!({ "id": "00000000-0000-0000-0000-000000000000", "settings":
        { "deviceComplianceCheckinThresholdDays": 30, "isScheduledActionEnabled": true, "secureByDefault": false } })
}

/// Cross-tenant access: by default nobody else's MFA is trusted.
#[must_use]
pub fn cross_tenant_default() -> Value {
    json!({ "isServiceDefault": true, "inboundTrust":
        { "isMfaAccepted": false, "isCompliantDeviceAccepted": false, "isHybridAzureADJoinedDeviceAccepted": false } })
}
