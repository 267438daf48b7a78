//! Whether a person could meet a grant control at all: by the methods they registered and the devices they have.
//!
//! Source: Microsoft Learn, Conditional Access: Grant; Authentication strengths (names of registered methods).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Model;
use super::truth::Truth;
use crate::tenant::directory::Directory;
use crate::tenant::policy::{Control, GrantControls, Operator, Platform};
use crate::tenant::sign_in::{DeviceInfo, Known};
use crate::tenant::{Device, Kind, Snapshot};

/// What people can do, looked up by user id.
#[derive(Debug)]
pub struct Abilities<'a> {
    snapshot: &'a Snapshot,
    owners: &'a Owners,
}

/// Whose devices are whose: a tenant has a million of them, and each draft and edit is judged by them.
#[derive(Debug)]
pub(super) struct Owners(Vec<Owned>);

/// A device by its position, and one of its owners by place.
#[derive(Clone, Copy, Debug)]
struct Owned {
    device: u32,
    owner: u32,
}

impl Owned {
    fn device(self, directory: &Directory) -> Option<&Device> {
        directory.devices.get(usize::try_from(self.device).ok()?)
    }

    fn owner(self, directory: &Directory) -> &str {
        let place = usize::try_from(self.owner).unwrap_or(usize::MAX);
        self.device(directory).and_then(|device| device.owners.get(place)).map_or("", String::as_str)
    }
}

impl Owners {
    /// Looks a directory through once.
    pub(super) fn new(directory: &Directory) -> Self {
        let devices = (0u32..).zip(&directory.devices);
        let owned =
            devices.flat_map(|(device, of)| (0u32..).zip(&of.owners).map(move |(owner, _)| Owned { device, owner }));
        let mut owned: Vec<Owned> = owned.collect();
        owned.sort_by(|one, other| one.owner(directory).cmp(other.owner(directory)));
        Self(owned)
    }

    fn devices<'a>(&'a self, directory: &'a Directory, user_id: &'a str) -> impl Iterator<Item = &'a Device> + 'a {
        let start = self.0.partition_point(|owned| owned.owner(directory) < user_id);
        let own = self.0.iter().skip(start).take_while(move |owned| owned.owner(directory) == user_id);
        own.filter_map(|owned| owned.device(directory))
    }
}

impl Model {
    /// What people of the tenant can do.
    #[must_use]
    pub fn abilities(&self) -> Abilities<'_> {
        Abilities { snapshot: &self.snapshot, owners: self.owners() }
    }
}

/// What somebody lacks to meet a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Lack {
    /// No method for multifactor authentication is registered.
    MfaMethod,
    /// No method of the authentication strength is registered.
    StrengthMethod,
    /// No compliant device.
    CompliantDevice,
    /// No Microsoft Entra hybrid joined device.
    HybridDevice,
}

impl Lack {
    /// As people read it, after a name: "Alice has …".
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::MfaMethod => "no multifactor authentication method registered",
            Self::StrengthMethod => "no method of the authentication strength registered",
            Self::CompliantDevice => "no compliant device",
            Self::HybridDevice => "no hybrid joined device",
        }
    }
}

impl Abilities<'_> {
    /// What filters see of the devices that a person has.
    #[must_use]
    pub fn devices(&self, user_id: &str) -> Vec<DeviceInfo> {
        self.devices_of(user_id).map(Device::info).collect()
    }

    /// Whether the person could do multifactor authentication. The report has a row for everybody whom it knows, with methods
    /// or without: of whom it has none, nothing is known.
    #[must_use]
    pub fn mfa(&self, user_id: &str) -> Truth {
        match self.snapshot.directory.registrations.get(user_id) {
            Some(registration) => registration.mfa_capable.into(),
            None => Truth::Maybe,
        }
    }

    /// Whether the person has a method of a strength. Certificates and federation are registered nowhere: they stay open.
    #[must_use]
    pub fn strength(&self, user_id: &str, strength: &str) -> Truth {
        let Some(strength) = self.snapshot.strengths.get(strength) else { return Truth::Maybe };
        let registered = match self.snapshot.directory.registrations.get(user_id) {
            Some(registration) => registration.methods.iter().flat_map(|method| methods(method)).copied(),
            None => return Truth::Maybe,
        };
        let held = registered.chain(["password"]).collect::<BTreeSet<_>>();
        Truth::any(strength.allowed_combinations.iter().map(|combination| {
            Truth::all(combination.split(',').map(|method| match method {
                _ if held.contains(method) => Truth::Yes,
                _ if method.starts_with("x509") || method.starts_with("federated") => Truth::Maybe,
                _ => Truth::No,
            }))
        }))
    }

    /// Whether the person has a device of this kind.
    #[must_use]
    pub fn device(&self, user_id: &str, wanted: fn(&DeviceInfo) -> bool) -> Truth {
        match self.devices_of(user_id).any(|device| wanted(&device.info())) {
            true => Truth::Yes,
            false if self.knows_devices() => Truth::No,
            false => Truth::Maybe,
        }
    }

    /// Whether it is known who has which devices: owners are only known where they were read at all.
    pub(super) fn knows_devices(&self) -> bool {
        !self.owners.0.is_empty() && self.snapshot.has(Kind::Devices)
    }

    fn devices_of<'b>(&'b self, user_id: &'b str) -> impl Iterator<Item = &'b Device> + 'b {
        self.owners.devices(&self.snapshot.directory, user_id)
    }

    /// What the person lacks for the controls of a policy; nothing when they could meet it, or when nobody knows.
    #[must_use]
    pub fn lacks(&self, user_id: &str, grant: &GrantControls) -> BTreeSet<Lack> {
        let lacking = grant.controls.iter().map(|control| self.lack(user_id, control)).collect::<Vec<_>>();
        let enough = match grant.operator {
            Operator::And => lacking.iter().all(Option::is_none),
            Operator::Or => lacking.iter().any(Option::is_none),
        };
        if enough { BTreeSet::new() } else { lacking.into_iter().flatten().collect() }
    }

    fn lack(&self, user_id: &str, control: &Control) -> Option<Lack> {
        let (can, lack) = match control {
            Control::Mfa => (self.mfa(user_id), Lack::MfaMethod),
            Control::Strength(id) => (self.strength(user_id, id), Lack::StrengthMethod),
            Control::CompliantDevice => (self.device(user_id, is_compliant), Lack::CompliantDevice),
            Control::DomainJoinedDevice => (self.device(user_id, is_hybrid), Lack::HybridDevice),
            _ => return None,
        };
        (can == Truth::No).then_some(lack)
    }
}

/// Marked as compliant.
#[must_use]
pub fn is_compliant(device: &DeviceInfo) -> bool {
    device.compliant == Some(true)
}

/// Microsoft Entra hybrid joined.
#[must_use]
pub fn is_hybrid(device: &DeviceInfo) -> bool {
    device.trust_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("ServerAD"))
}

/// The device of a sign-in, where there is one.
pub(super) fn device_of(device: &Known<DeviceInfo>) -> Option<&DeviceInfo> {
    if let Known::Is(device) = device { Some(device) } else { None }
}

/// Platforms with app protection.
pub(super) fn protects_apps(platform: &Known<Platform>) -> Truth {
    match platform {
        Known::Is(Platform::Ios | Platform::Android) | Known::Unknown => Truth::Maybe,
        _ => Truth::No,
    }
}

/// What a registered method (as `userRegistrationDetails` names it) is called in combinations.
fn methods(registered: &str) -> &'static [&'static str] {
    match registered {
        "fido2SecurityKey" | "passKeyDeviceBound" | "passKeyDeviceBoundAuthenticator" | "passKeySynced" => &["fido2"],
        "windowsHelloForBusiness" | "macOsSecureEnclaveKey" => &["windowsHelloForBusiness"],
        "microsoftAuthenticatorPasswordless" => &["deviceBasedPush", "microsoftAuthenticatorPush"],
        "microsoftAuthenticatorPush" => &["microsoftAuthenticatorPush"],
        "softwareOneTimePasscode" => &["softwareOath"],
        "hardwareOneTimePasscode" => &["hardwareOath"],
        "mobilePhone" | "alternateMobilePhone" => &["sms", "voice"],
        "officePhone" => &["voice"],
        "temporaryAccessPass" => &["temporaryAccessPassOneTime", "temporaryAccessPassMultiUse"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::tenant::read::{read_device, read_registration};
    use crate::tenant::well_known::{STRENGTH_MFA, STRENGTH_PHISHING_RESISTANT};
    use crate::tenant::{Reading, SnapshotBuilder};

    fn tenant() -> Model {
        let mut builder = SnapshotBuilder::default();
        for kind in [Kind::UserRegistrationDetails, Kind::Devices] {
            builder.reading(kind, Reading::Complete { count: 1 });
        }
        let phone = json!({"id": "alice", "isMfaCapable": true, "methodsRegistered": ["mobilePhone"]});
        builder.registration(read_registration(&phone).unwrap());
        let nothing = json!({"id": "carol", "isMfaCapable": false, "methodsRegistered": []});
        builder.registration(read_registration(&nothing).unwrap());
        let laptop =
            json!({"deviceId": "d", "isCompliant": true, "trustType": "AzureAd", "registeredOwners": ["alice"]});
        builder.device(read_device(&laptop).unwrap());
        Model::new(Arc::new(builder.build()))
    }

    #[test]
    fn a_phone_is_mfa_and_not_phishing_resistant() {
        let tenant = tenant();
        let abilities = tenant.abilities();
        assert_eq!(abilities.strength("alice", STRENGTH_MFA), Truth::Yes);
        // A certificate would do, and certificates are registered nowhere.
        assert_eq!(abilities.strength("alice", STRENGTH_PHISHING_RESISTANT), Truth::Maybe);
        assert_eq!(abilities.mfa("carol"), Truth::No);
        // The report has no row for him: nothing is known.
        assert_eq!(abilities.mfa("bob"), Truth::Maybe);
        assert_eq!(abilities.strength("bob", STRENGTH_MFA), Truth::Maybe);
        assert_eq!(Model::new(Arc::default()).abilities().mfa("bob"), Truth::Maybe);
    }

    #[test]
    fn one_of_the_controls_is_enough_or_it_isnt() {
        let tenant = tenant();
        let lacks = |user: &str, operator| {
            let controls = BTreeSet::from([Control::Mfa, Control::DomainJoinedDevice]);
            tenant.abilities().lacks(user, &GrantControls { operator, controls })
        };
        assert_eq!(lacks("alice", Operator::Or), BTreeSet::new());
        assert_eq!(lacks("alice", Operator::And), BTreeSet::from([Lack::HybridDevice]));
        assert_eq!(lacks("carol", Operator::Or), BTreeSet::from([Lack::MfaMethod, Lack::HybridDevice]));
        assert_eq!(lacks("bob", Operator::Or), BTreeSet::new());
    }
}
