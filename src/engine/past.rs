//! A past sign-in as one to evaluate: what the log says, joined with the directory as it is today.
//!
//! The log lacks user risk, insider risk and GPS at the time; they stay unknown, and so does whatever hangs on them.

use crate::tenant::sign_in::{DeviceInfo, Identity, Known, SignIn, Target};
use crate::tenant::{PastSignIn, Snapshot, Text};

/// What every judgement of past sign-ins leaves open, as people read it.
pub const LIMITS: &[&str] = &[
    "groups, roles and devices are today's, not those at the time of the sign-in",
    "the log has no user risk, no insider risk and no GPS location at the time of the sign-in",
];

/// What is open besides where a policy is about user actions or authentication contexts.
pub const NO_REQUESTS: &str = "the log doesn't say whether a user action or an authentication context was asked for";

/// Whether a row is of a person: rows of service principals name no user.
#[must_use]
pub fn is_of_a_person(row: &PastSignIn) -> bool {
    !row.user_id.is_empty()
}

/// The sign-in that a row of the log tells of.
#[must_use]
pub fn sign_in_of(snapshot: &Snapshot, row: &PastSignIn) -> SignIn {
    SignIn {
        identity: Identity::User {
            id: Some(row.user_id.to_string()),
            guest: row.guest,
            tenant: known(row.home_tenant.as_ref().map(Text::to_string)),
            direct_connect: false,
        },
        target: if row.resource_ids.is_empty() {
            Target::Unstated
        } else {
            Target::Apps(row.resource_ids.iter().map(Text::to_string).collect())
        },
        client_app: known(row.client_app),
        platform: row.platform,
        ip: known(row.ip),
        // An address whose country the log doesn't name has none; without an address nothing is known.
        country: match &row.country {
            Some(country) => Known::Is(country.to_string()),
            None if row.ip.is_some() => Known::Absent,
            None => Known::Unknown,
        },
        device: device_of(snapshot, row),
        sign_in_risk: known(row.risk),
        service_principal_risk: Known::Absent,
        flow: match row.flow {
            Some(flow) => Known::Is(flow),
            None if row.flow_known => Known::Absent,
            None => Known::Unknown,
        },
        client_app_id: Some(row.app_id.to_string()).filter(|id| !id.is_empty()),
        logged: true,
        ..SignIn::default()
    }
}

fn known<T>(value: Option<T>) -> Known<T> {
    value.map_or(Known::Unknown, Known::Is)
}

/// Compliance, trust and name as logged; the other attributes from the device object, if it is still there.
fn device_of(snapshot: &Snapshot, row: &PastSignIn) -> Known<DeviceInfo> {
    let Some(id) = &row.device_id else {
        let registered = row.compliant == Some(true) || row.trust_type.is_some();
        return if registered { Known::Is(logged(row)) } else { Known::Absent };
    };
    let logged = logged(row);
    Known::Is(match snapshot.directory.device(id) {
        Some(device) => {
            let info = device.info();
            DeviceInfo {
                compliant: logged.compliant.or(info.compliant),
                trust_type: logged.trust_type.or(info.trust_type),
                attributes: info.attributes.into_iter().chain(logged.attributes).collect(),
                ..info
            }
        }
        None => logged,
    })
}

fn logged(row: &PastSignIn) -> DeviceInfo {
    let named = [("deviceid", &row.device_id), ("displayname", &row.device_name)];
    let named =
        named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), vec![value.as_ref()?.to_string()])));
    DeviceInfo {
        attributes: named.collect(),
        registered: true,
        compliant: row.compliant,
        trust_type: row.trust_type.as_ref().map(Text::to_string),
        partial: true,
        ..DeviceInfo::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tenant::SnapshotBuilder;
    use crate::tenant::policy::Platform;
    use crate::tenant::read::{read_device, read_sign_in};

    fn tenant() -> Snapshot {
        let mut builder = SnapshotBuilder::default();
        builder.device(read_device(&json!({"deviceId": "d", "isCompliant": false, "model": "X1"})).unwrap());
        builder.build()
    }

    fn device(detail: &serde_json::Value) -> Known<DeviceInfo> {
        let row = json!({"createdDateTime": "2026-11-20T10:00:00Z", "deviceDetail": detail});
        sign_in_of(&tenant(), &read_sign_in(&row).unwrap()).device
    }

    #[test]
    fn the_log_decides_what_it_knows_and_the_directory_the_rest() {
        let Known::Is(info) = device(&json!({"deviceId": "d", "isCompliant": true})) else { panic!("a device") };
        assert_eq!((info.compliant, info.partial), (Some(true), false));
        assert_eq!(info.attributes["model"], ["X1"]);
        let Known::Is(named) = device(&json!({"deviceId": "d", "displayName": "PAW-1"})) else { panic!("a device") };
        assert_eq!((&*named.attributes["displayname"][0], &*named.attributes["deviceid"][0]), ("PAW-1", "d"));
        let Known::Is(gone) = device(&json!({"deviceId": "gone", "isCompliant": true})) else { panic!("a device") };
        assert!(gone.partial && gone.attributes["deviceid"] == ["gone"]);
        assert_eq!(device(&json!({"deviceId": "", "isCompliant": false})), Known::Absent);
    }

    #[test]
    fn the_system_is_a_platform_the_unknown_one_or_not_told() {
        let platform = |system: &str| {
            let row = json!({"createdDateTime": "2026-11-20T10:00:00Z", "deviceDetail": {"operatingSystem": system}});
            sign_in_of(&tenant(), &read_sign_in(&row).unwrap()).platform
        };
        assert_eq!(platform("Windows 10"), Known::Is(Platform::Windows));
        assert_eq!((platform("FreeBSD"), platform("")), (Known::Absent, Known::Unknown));
    }

    #[test]
    fn what_the_log_does_not_say_stays_unknown() {
        let row =
            read_sign_in(&json!({"createdDateTime": "2026-11-20T10:00:00Z", "ipAddress": "203.0.113.9"})).unwrap();
        let sign_in = sign_in_of(&tenant(), &row);
        assert_eq!((sign_in.country, sign_in.flow, sign_in.user_risk), (Known::Absent, Known::Unknown, Known::Unknown));
    }
}
