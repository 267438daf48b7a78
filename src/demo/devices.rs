//! Devices and registered authentication methods, drawn from their owner.

use serde_json::{Value, json};

use super::names;
use super::people::{Kind, People};
use super::random::{Object, chance, days_before, pick, written};
use super::tenant::Tenant;
use super::user_json::{display_name, principal_name};

/// What a device is, as far as sign-ins and policies care.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its id in sign-in rows.
    pub device_id: String,
    /// Object id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `Windows`, `MacMDM`, `IPad`, `IPhone`, `AndroidForWork`, `Linux`.
    pub system: &'static str,
    /// Version of it.
    pub version: &'static str,
    /// Whether Intune finds it compliant.
    pub compliant: bool,
    /// `AzureAd`, `ServerAd`, `Workplace`.
    pub trust: &'static str,
}

impl Device {
    /// The word of device platform conditions.
    #[must_use]
    pub fn platform(&self) -> &'static str {
        match self.system {
            "Windows" => "windows",
            "MacMDM" => "macOS",
            "IPad" | "IPhone" => "iOS",
            "AndroidForWork" => "android",
            _ => "linux",
        }
    }
}

/// How many devices a user can have: slot 0 is the computer, slot 1 the phone or tablet.
pub const SLOTS: u32 = 2;

/// The device in a slot of a user; none where there is none. It stays when its owner leaves.
#[must_use]
pub fn device(people: &People, user: u32, slot: u32) -> Option<Device> {
    let record = people.ever(user).filter(|user| user.kind == Kind::Person)?;
    let roll = people.roll(user, 50 + u64::from(slot));
    let alice = user == People::cast_index("Moreau");
    let field = record.department == Some(names::FIELD_OPERATIONS) || record.department == Some(names::WAREHOUSE);
    let (system, version) = match (slot, roll % 100) {
        (1, _) if alice => ("IPad", "16.7"),
        (0, _) if alice => ("Windows", "10.0.26100"),
        (0, 0..=9) if field => ("Windows", "10.0.26100"),
        (0, _) if field => return None,
        (1, _) if field => ("AndroidForWork", "14"),
        (0, 0..=11) => ("MacMDM", "15.1"),
        (0, 12..=14) if record.department == Some(names::ENGINEERING) => ("Linux", "24.04"),
        (0, 0..=94) => ("Windows", pick(&["10.0.22631", "10.0.26100"], roll >> 9)),
        (1, 0..=47) => ("IPhone", pick(&["17.7", "18.1"], roll >> 9)),
        (1, 48..=79) => ("AndroidForWork", pick(&["14", "15"], roll >> 9)),
        _ => return None,
    };
    let number = user * SLOTS + slot;
    let trust = match (slot, chance(roll >> 12, 600)) {
        (0, true) if system == "Windows" => "ServerAd",
        (0, _) => "AzureAd",
        _ => "Workplace",
    };
    let (given, family) = people.name(user);
    let initials: String = given.chars().take(1).chain(family.chars().take(1)).collect();
    let suffix = match system {
        _ if alice && slot == 1 => "iPad".to_owned(),
        _ if alice => "LT".to_owned(),
        _ => format!("{}{number:04}", if slot == 0 { "LT" } else { "MB" }),
    };
    let compliant = if alice { slot == 0 } else { chance(roll >> 16, 930) };
    Some(Device {
        device_id: people.ids.id(Object::DeviceId, number).to_string(),
        id: people.ids.id(Object::Device, number).to_string(),
        name: format!("{initials}-{suffix}"),
        system,
        version,
        compliant,
        trust,
    })
}

/// A device as Graph writes it.
#[must_use]
pub fn json(people: &People, user: u32, slot: u32) -> Option<Value> {
    let device = device(people, user, slot)?;
    let owner = people.get(user).map(|_| json!({ "@odata.type": "#microsoft.graph.user", "id": people.id(user) }));
    let owners: Vec<Value> = owner.into_iter().collect();
    let maker = match device.system {
        "MacMDM" | "IPad" | "IPhone" => "Apple",
        "AndroidForWork" => "Samsung",
        _ => "Lenovo",
    };
    Some(json!({
        "id": device.id,
        "deviceId": device.device_id,
        "displayName": device.name,
        "operatingSystem": device.system,
        "operatingSystemVersion": device.version,
        "isCompliant": device.compliant,
        "isManaged": true,
        "accountEnabled": true,
        "trustType": device.trust,
        "profileType": "RegisteredDevice",
        "deviceOwnership": if slot == 0 { "Company" } else { "Personal" },
        "manufacturer": maker,
        "model": null,
        "mdmAppId": "0000000a-0000-0000-c000-000000000000",
        "enrollmentProfileName": null,
        "physicalIds": [],
        "systemLabels": [],
        "extensionAttributes": { "extensionAttribute1": null },
        "approximateLastSignInDateTime": written(days_before(people.today, i64::from(slot) + 1)),
        "complianceExpirationDateTime": null,
        "registeredOwners": owners,
    }))
}

/// What a person has registered to prove who they are: strongest first; empty for nothing but the password.
#[must_use]
pub fn methods(people: &People, user: u32) -> &'static [&'static str] {
    let Some(record) = people.get(user) else { return &[] };
    let admin = super::roles::at_first(user).is_some();
    // Who is not asked for MFA has often registered nothing.
    let asked = match record.department {
        Some(names::FIELD_OPERATIONS) | None => 700,
        _ if super::groups::on_project(people, user) => 650,
        _ => 985,
    };
    let registered = chance(people.roll(user, 61), if record.kind == Kind::Person { asked } else { 880 });
    match (record.kind, people.roll(user, 60) % 100) {
        (Kind::Emergency, _) => &["fido2SecurityKey"],
        (Kind::Person, _) if user == People::cast_index("Benali") => &["mobilePhone", "microsoftAuthenticatorPush"],
        (Kind::Person, _) if admin => &["fido2SecurityKey", "microsoftAuthenticatorPush"],
        (Kind::Room | Kind::Service | Kind::Sync | Kind::PendingGuest, _) => &[],
        _ if !registered => &[],
        (Kind::Person, 0..=17) => &["windowsHelloForBusiness", "microsoftAuthenticatorPush"],
        (Kind::Person, 18..=84) => &["microsoftAuthenticatorPush"],
        _ => &["mobilePhone"],
    }
}

/// `userRegistrationDetails` of a user.
#[must_use]
pub fn registration(tenant: &Tenant, user: u32) -> Option<Value> {
    let people = &tenant.people;
    let record = people.get(user)?;
    let methods = methods(people, user);
    let strong = methods.iter().any(|method| matches!(*method, "fido2SecurityKey" | "windowsHelloForBusiness"));
    Some(json!({
        "id": people.id(user),
        "userPrincipalName": principal_name(people, user),
        "userDisplayName": display_name(people, user),
        "userType": if super::user_json::guest(record.kind) { "guest" } else { "member" },
        "isAdmin": tenant.roles.of(&tenant.people, user).next().is_some(),
        "isMfaRegistered": !methods.is_empty(),
        "isMfaCapable": !methods.is_empty(),
        "isPasswordlessCapable": strong,
        "isSsprRegistered": !methods.is_empty(),
        "isSsprEnabled": true,
        "isSsprCapable": !methods.is_empty(),
        "methodsRegistered": methods,
        "isSystemPreferredAuthenticationMethodEnabled": true,
        "systemPreferredAuthenticationMethods": methods.iter().take(1).collect::<Vec<_>>(),
        "userPreferredMethodForSecondaryAuthentication": if methods.is_empty() { "none" } else { "push" },
        "lastUpdatedDateTime": written(days_before(people.today, 1)),
    }))
}
