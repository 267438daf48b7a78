//! Rules about conditions: devices, client apps, platforms, locations.

use super::controls::only_exchange;
use super::{ACTIVE_SYNC, Case};
use crate::engine::device_rule;

/// The longest rule of a filter for devices, in characters.
const MAX_RULE: usize = 3_072;

pub(super) fn check(case: &mut Case<'_>) {
    devices(case);
    active_sync(case);
    let conditions = case.conditions();
    let none = conditions.platforms.as_ref().is_some_and(|sides| sides.include.is_empty());
    case.error(30, none, "device platforms are excluded, but none is included; include \"Any device\"");
    let Some(locations) = &conditions.locations else { return };
    case.error(
        30,
        locations.include.is_empty(),
        "locations are excluded, but none is included; include \"Any location\"",
    );
    case.error(
        30,
        locations.exclude.contains("All"),
        "excluding all locations leaves none; the policy would never apply",
    );
}

fn devices(case: &mut Case<'_>) {
    let old = case.policy.undecided.iter().any(|pointer| {
        let pointer = pointer.to_ascii_lowercase();
        pointer.starts_with("/conditions/devices/") || pointer.starts_with("/conditions/devicestates")
    });
    case.error(28, old, "the old device state condition is retired; use the filter for devices");
    let Some(filter) = &case.conditions().device_filter else { return };
    let long = filter.rule.chars().count() > MAX_RULE;
    case.error(28, long, format!("the filter for devices is longer than {MAX_RULE} characters"));
    for error in device_rule::objections(&filter.rule) {
        case.error(28, true, format!("the filter for devices can't be used: {error}"));
    }
}

fn active_sync(case: &mut Case<'_>) {
    if !case.takes_active_sync() {
        return;
    }
    let apps = &case.conditions().applications;
    let actions = !apps.user_actions.is_empty() || !apps.contexts.is_empty();
    case.error(29, actions, "Exchange ActiveSync can't be combined with user actions or authentication contexts");
    let alone = case.conditions().client_app_types.iter().all(|kind| ACTIVE_SYNC.contains(kind));
    case.warn(29, alone && !apps.all && !only_exchange(case), "Exchange ActiveSync only ever reaches Exchange Online");
    let conditions = case.conditions();
    let more =
        conditions.locations.is_some() || !conditions.sign_in_risk.is_empty() || conditions.device_filter.is_some();
    case.warn(29, alone && more, "most conditions are not available for Exchange ActiveSync");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{accepts, objects};

    #[test]
    fn the_filter_for_devices_is_readable_and_short() {
        let filter = |rule: &str| ("/conditions/devices/deviceFilter", json!({"mode": "exclude", "rule": rule}));
        accepts(&[filter("device.trustType -eq \"ServerAD\"")]);
        objects(28, &[filter("device.trustType -like \"ServerAD\"")]);
        objects(28, &[filter("device.colour -eq \"red\"")]);
        objects(28, &[filter(&format!("device.model -eq \"{}\"", "x".repeat(3100)))]);
        objects(28, &[("/conditions/devices/includeDevices", json!(["Compliant"]))]);
    }

    #[test]
    fn exchange_active_sync_reaches_exchange() {
        let types = ("/conditions/clientAppTypes", json!(["exchangeActiveSync"]));
        objects(
            29,
            &[
                types.clone(),
                ("/conditions/applications", json!({"includeUserActions": ["urn:user:registersecurityinfo"]})),
            ],
        );
        objects(29, &[types.clone(), ("/conditions/applications/includeApplications", json!(["Office365"]))]);
        objects(29, &[types, ("/conditions/locations/includeLocations", json!(["AllTrusted"]))]);
        accepts(&[
            ("/conditions/clientAppTypes", json!(["exchangeActiveSync", "other"])),
            ("/grantControls/builtInControls", json!(["block"])),
        ]);
    }

    #[test]
    fn exclusions_need_something_to_be_excluded_from() {
        objects(30, &[("/conditions/platforms/excludePlatforms", json!(["iOS"]))]);
        objects(30, &[("/conditions/locations/excludeLocations", json!(["AllTrusted"]))]);
        objects(30, &[("/conditions/locations", json!({"includeLocations": ["All"], "excludeLocations": ["All"]}))]);
    }
}
