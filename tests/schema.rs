//! Bodies conform to Microsoft Graph's own schema, and one that doesn't is noticed.

mod conforms;

use conforms::objections;
use serde_json::{Value, json};

fn policy() -> Value {
    json!({
        "displayName": "CA211 – Block device code flow – All users", "state": "enabledForReportingButNotEnforced",
        "conditions": {
            "clientAppTypes": ["all"], "applications": {"includeApplications": ["All"]},
            "users": {"includeUsers": ["All"], "excludeGroups": ["g"], "excludeGuestsOrExternalUsers": {
                "guestOrExternalUserTypes": "internalGuest,serviceProvider",
                "externalTenants": {"@odata.type": "#microsoft.graph.conditionalAccessEnumeratedExternalTenants",
                    "membershipKind": "enumerated", "members": ["t"]}}},
            "authenticationFlows": {"transferMethods": "deviceCodeFlow,authenticationTransfer"},
        },
        "grantControls": {"operator": "OR", "builtInControls": ["block"], "authenticationStrength": null},
        "sessionControls": null,
    })
}

#[test]
fn what_graph_documents_conforms() {
    assert_eq!(objections(&policy()), Vec::<String>::new());
}

#[test]
fn a_broken_body_is_rejected() {
    let breakages = [
        ("/state", json!("reportOnly")),
        ("/displayName", json!(7)),
        ("/conditions", json!(null)),
        ("/conditions/clientAppTypes", json!(["everything"])),
        ("/conditions/users/includeUsers", json!("All")),
        ("/conditions/users/excludeGroups", json!([{"id": "g"}])),
        ("/conditions/users/excludeGuestsOrExternalUsers/guestOrExternalUserTypes", json!(["internalGuest"])),
        ("/conditions/users/excludeGuestsOrExternalUsers/externalTenants/membershipKind", json!("some")),
        ("/conditions/authenticationFlows/transferMethods", json!("deviceCodeFlow;authenticationTransfer")),
        ("/grantControls/builtInControls", json!(["Block"])),
    ];
    for (at, value) in breakages {
        let mut broken = policy();
        *broken.pointer_mut(at).unwrap() = value.clone();
        assert_ne!(objections(&broken), Vec::<String>::new(), "{at} = {value}");
    }
    for (at, unknown) in [("", "unknown"), ("/conditions", "agents"), ("/conditions/users", "includeEverybody")] {
        let mut broken = policy();
        broken.pointer_mut(at).unwrap()[unknown] = json!({});
        assert_ne!(objections(&broken), Vec::<String>::new(), "{at}/{unknown}");
    }
    for required in ["displayName", "state", "conditions"] {
        let mut broken = policy();
        broken.as_object_mut().unwrap().remove(required);
        assert_ne!(objections(&broken), Vec::<String>::new(), "without {required}");
    }
}
