//! What each object of a What If request may hold: what is misspelt would be ignored, and another sign-in judged than was
//! meant.

use serde_json::Value;

use super::RequestError;

const DEVICE: &str = "/signInConditions/deviceInfo";

/// The objects of a request by JSON pointer, with their members; annotations (`@odata.type`) may stand in each.
///
/// Source: Microsoft Graph beta, `conditionalAccessRoot: evaluate` and its resource types. `extra` is ours.
const OBJECTS: &[(&str, &[&str])] = &[
    ("", &["signInIdentity", "signInContext", "signInConditions", "appliedPoliciesOnly", "extra"]),
    (
        "/signInIdentity",
        &["userId", "externalUserType", "externalTenantId", "servicePrincipalId", "agentServicePrincipalId", "agentId"],
    ),
    ("/signInContext", &["includeApplications", "userAction", "authenticationContextValue"]),
    (
        "/signInConditions",
        &[
            "devicePlatform",
            "clientAppType",
            "ipAddress",
            "country",
            "signInRiskLevel",
            "userRiskLevel",
            "servicePrincipalRiskLevel",
            "insiderRiskLevel",
            "agentIdRiskLevel",
            "authenticationFlow",
            "deviceInfo",
        ],
    ),
    ("/signInConditions/authenticationFlow", &["transferMethod"]),
    (
        DEVICE,
        &[
            "deviceId",
            "displayName",
            "enrollmentProfileName",
            "extensionAttribute1",
            "extensionAttribute2",
            "extensionAttribute3",
            "extensionAttribute4",
            "extensionAttribute5",
            "extensionAttribute6",
            "extensionAttribute7",
            "extensionAttribute8",
            "extensionAttribute9",
            "extensionAttribute10",
            "extensionAttribute11",
            "extensionAttribute12",
            "extensionAttribute13",
            "extensionAttribute14",
            "extensionAttribute15",
            "isCompliant",
            "manufacturer",
            "mdmAppId",
            "model",
            "operatingSystem",
            "operatingSystemVersion",
            "ownership",
            // As device filters call it.
            "deviceOwnership",
            "physicalIds",
            "profileType",
            "systemLabels",
            "trustType",
        ],
    ),
    (
        "/extra",
        &[
            "scopes",
            "clientAppId",
            "clientType",
            "deviceRegistered",
            "deviceManagedByIntune",
            "originalTransferMethod",
            "gpsCountry",
            "compliantNetwork",
            "agentContext",
            "eligibleForB2bDirectConnect",
            "securityInfoInterruptMode",
        ],
    ),
];

/// What a part of a request may say that it is.
const TYPES: [(&str, &[&str]); 2] = [
    ("/signInIdentity/@odata.type", &["userSignIn", "servicePrincipalSignIn", "agentSignIn"]),
    ("/signInContext/@odata.type", &["applicationContext", "userActionContext", "authContext"]),
];

/// Members that are true or false.
const FLAGS: [&str; 7] = [
    "/appliedPoliciesOnly",
    "/signInConditions/deviceInfo/isCompliant",
    "/extra/deviceRegistered",
    "/extra/deviceManagedByIntune",
    "/extra/compliantNetwork",
    "/extra/eligibleForB2bDirectConnect",
    "/extra/securityInfoInterruptMode",
];

/// Refuses what would be ignored: an object that is none, a member that there isn't, a flag that is neither true nor false.
pub(super) fn check(request: &Value) -> Result<(), RequestError> {
    let wrong = |at: &str, what: &str, found: &Value| {
        Err(RequestError { pointer: at.to_owned(), expected: format!("{what}, found {}", brief(found)) })
    };
    for (at, names) in OBJECTS {
        match request.pointer(at) {
            None | Some(Value::Null) => {}
            Some(Value::Object(members)) => members.keys().try_for_each(|name| known(at, name, names))?,
            Some(other) => return wrong(at, "an object", other),
        }
    }
    for (at, names) in TYPES {
        let Some(found) = request.pointer(at).filter(|found| !found.is_null()) else { continue };
        let name = found.as_str().unwrap_or_default().trim_start_matches("#microsoft.graph.");
        if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return wrong(at, &format!("#microsoft.graph.{}", names.join(" or ")), found);
        }
    }
    let stated = FLAGS.iter().filter_map(|at| Some((at, request.pointer(at)?)));
    let mut odd = stated.filter(|(_, value)| !value.is_boolean() && !value.is_null());
    odd.next().map_or(Ok(()), |(at, value)| wrong(at, "true or false", value))
}

/// What was found, in a few words: a whole document says nothing that its reader doesn't have.
pub(super) fn brief(found: &Value) -> String {
    const MOST: usize = 40;
    match found {
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) if text.chars().count() > MOST => {
            format!("{:?}", text.chars().take(MOST).chain(['…']).collect::<String>())
        }
        other => other.to_string(),
    }
}

fn known(at: &str, name: &str, names: &[&str]) -> Result<(), RequestError> {
    // The attributes of a device are read in any case.
    let is = |known: &&str| *known == name || (at == DEVICE && known.eq_ignore_ascii_case(name));
    if name.contains('@') || names.iter().any(is) {
        return Ok(());
    }
    let pointer = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
    let expected = format!("a member that is known there, such as {}", nearest(name, names).join(", "));
    Err(RequestError { pointer, expected })
}

/// The most alike of the names, and those that are but one letter further away.
fn nearest<'a>(name: &str, names: &[&'a str]) -> Vec<&'a str> {
    let mut ranked: Vec<(usize, &str)> = names.iter().map(|known| (distance(name, known), *known)).collect();
    ranked.sort_unstable();
    let best = ranked.first().map_or(0, |(best, _)| *best);
    ranked.into_iter().take_while(|(distance, _)| *distance <= best + 1).take(3).map(|(_, known)| known).collect()
}

/// Letters to add, drop or replace until two names are the same but for case (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let (one, other) = (one.to_lowercase(), other.to_lowercase());
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (number, letter) in one.chars().enumerate() {
        let first = number + 1;
        let cells = row.windows(2).zip(other.chars()).scan(first, |left, (above, wanted)| {
            let [diagonal, above] = above else { return None };
            *left = (*left + 1).min(above + 1).min(diagonal + usize::from(letter != wanted));
            Some(*left)
        });
        row = std::iter::once(first).chain(cells).collect();
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(request: &Value) -> String {
        check(request).map_or_else(|error| error.to_string(), |()| "fine".to_owned())
    }

    #[test]
    fn a_misspelt_member_is_named_with_the_nearest() {
        let such = |at: &str, names: &str| format!("{at}: expected a member that is known there, such as {names}");
        assert_eq!(said(&json!({"signInConditions": {"contry": "BR"}})), such("/signInConditions/contry", "country"));
        assert_eq!(said(&json!({"signInConditions": {"Country": "BR"}})), such("/signInConditions/Country", "country"));
        assert_eq!(said(&json!({"conditions": {}})), such("/conditions", "signInConditions"));
        assert_eq!(said(&json!({"signInIdentity": {"user/Id": "x"}})), such("/signInIdentity/user~1Id", "userId"));
        assert_eq!(
            said(&json!({"signInConditions": {"deviceInfo": {"isComplaint": true}}})),
            such("/signInConditions/deviceInfo/isComplaint", "isCompliant")
        );
    }

    #[test]
    fn what_graph_may_send_is_accepted() {
        let request = json!({"@odata.context": "x", "appliedPoliciesOnly": true, "extra": null,
            "signInIdentity": {"@odata.type": "#microsoft.graph.agentSignIn", "agentServicePrincipalId": "x"},
            "signInContext": {"@odata.type": "#microsoft.graph.authContext", "authenticationContextValue": "c1"},
            "signInConditions": {"country@odata.type": "#String", "authenticationFlow": {"transferMethod": "none"},
                "deviceInfo": {"@odata.type": "#microsoft.graph.deviceInfo", "ExtensionAttribute15": "x", "ownership": null}}});
        assert_eq!(said(&request), "fine");
    }

    #[test]
    fn what_has_another_shape_is_not_taken_for_absent() {
        assert_eq!(said(&json!({"signInConditions": "BR"})), "/signInConditions: expected an object, found \"BR\"");
        assert_eq!(said(&json!([])), "the document: expected an object, found an array");
        let flag = said(&json!({"extra": {"deviceRegistered": "no"}}));
        assert_eq!(flag, "/extra/deviceRegistered: expected true or false, found \"no\"");
        let compliant = said(&json!({"signInConditions": {"deviceInfo": {"isCompliant": "yes"}}}));
        assert_eq!(compliant, "/signInConditions/deviceInfo/isCompliant: expected true or false, found \"yes\"");
    }
}
