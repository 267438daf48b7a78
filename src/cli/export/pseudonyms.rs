//! Stable pseudonyms for the names in an export: the same name gets the same one, in every file.
//!
//! HMAC-SHA256 of the name under a key. What is judged by its value stays as it is: ids, addresses, countries,
//! departments, properties of devices, and the rules that compare with them. Names of licences (`skuPartNumber`), built-in
//! roles and built-in strengths are Microsoft's and stay too.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use serde_json::{Map, Value, json};

use crate::tenant::Kind;
use crate::tenant::directory::AccountKind;
use crate::tenant::read::read_user;
use crate::tenant::well_known::{TAG_PRIVATE_ACCESS, TAG_QUICK_ACCESS};

/// Members that hold a name, in lower case.
const NAMES: &[&str] = &[
    "displayname",
    "userdisplayname",
    "appdisplayname",
    "resourcedisplayname",
    "serviceprincipalname",
    "issuerassignedid",
    "givenname",
    "surname",
    "description",
    "appliedresourcedisplayname",
    "accountname",
];
/// Members that hold an address of a person, in lower case.
const ADDRESSES: &[&str] = &["userprincipalname", "mail", "signinidentifier"];
/// Members that hold JSON as text: what a change was from and to.
const NESTED: &[&str] = &["oldvalue", "newvalue"];
/// What Microsoft puts before the names of policies that it manages; it is a fact about the policy.
const MANAGED: &str = "Microsoft-managed: ";

/// Makes pseudonyms.
pub(super) struct Pseudonyms {
    key: Key,
}

impl Pseudonyms {
    /// Pseudonyms under this key.
    pub(super) fn new(key: &[u8]) -> Self {
        Self { key: Key::new(HMAC_SHA256, key) }
    }

    /// The object with every name replaced.
    pub(super) fn replaced(&self, kind: Kind, object: &Value) -> Value {
        let is_microsofts = match kind {
            Kind::RoleDefinitions => object.get("isBuiltIn").and_then(Value::as_bool) == Some(true),
            Kind::AuthenticationStrengthPolicies => object.get("policyType").is_some_and(|kind| kind == "builtIn"),
            _ => false,
        };
        if is_microsofts { object.clone() } else { self.value(object) }
    }

    fn value(&self, value: &Value) -> Value {
        match value {
            Value::Object(members) => Value::Object(self.members(members)),
            Value::Array(values) => values.iter().map(|value| self.value(value)).collect(),
            other => other.clone(),
        }
    }

    fn members(&self, members: &Map<String, Value>) -> Map<String, Value> {
        // In a changed property `displayName` says which property it is.
        let is_change = members.contains_key("newValue") || members.contains_key("oldValue");
        let one = |(name, value): (&String, &Value)| {
            let lower = name.to_ascii_lowercase();
            let new = match value {
                Value::String(text) if NESTED.contains(&lower.as_str()) => self.nested(text).into(),
                Value::String(text) if ADDRESSES.contains(&lower.as_str()) => self.address(text).into(),
                Value::String(text) if NAMES.contains(&lower.as_str()) && !is_change => self.name(text).into(),
                // People may tag an app with any word.
                Value::Array(tags) if lower == "tags" => {
                    tags.iter().filter(|tag| is_microsofts_tag(tag)).cloned().collect()
                }
                other => self.value(other),
            };
            (name.clone(), new)
        };
        members.iter().map(one).collect()
    }

    /// JSON in a string; a bare text in it is taken for a name unless it is an id.
    fn nested(&self, text: &str) -> String {
        match serde_json::from_str(text) {
            Ok(Value::String(bare)) => Value::String(self.bare(&bare)).to_string(),
            Ok(Value::Array(values)) if values.iter().all(Value::is_string) => {
                let bare = values.iter().filter_map(Value::as_str).map(|text| Value::String(self.bare(text)));
                bare.collect::<Value>().to_string()
            }
            Ok(value) => self.value(&value).to_string(),
            Err(_) => self.bare(text),
        }
    }

    fn bare(&self, text: &str) -> String {
        if uuid::Uuid::try_parse(text).is_ok() || text.is_empty() { text.to_owned() } else { self.name(text) }
    }

    fn name(&self, name: &str) -> String {
        match name.strip_prefix(MANAGED) {
            _ if name.is_empty() => String::new(),
            Some(rest) => format!("{MANAGED}name-{}", self.stand_in(rest)),
            None => format!("name-{}", self.stand_in(name)),
        }
    }

    /// What an address tells by convention is kept: that of a guest by its mark, service accounts and rooms by their
    /// beginning.
    fn address(&self, address: &str) -> String {
        if address.is_empty() {
            return String::new();
        }
        let account = read_user(&json!({"id": "x", "userPrincipalName": address})).map(|user| user.account);
        let start = match account {
            Ok(AccountKind::Service) => "svc",
            Ok(AccountKind::Room) => "room",
            _ => "user",
        };
        let mark = if address.contains("#EXT#") { "#EXT#" } else { "" };
        format!("{start}-{}{mark}@names.invalid", self.stand_in(address))
    }

    /// Twelve hexadecimal digits: even among a million names it is unlikely (1 in 500) that any two share theirs.
    fn stand_in(&self, name: &str) -> String {
        let tag = sign(&self.key, name.trim().to_lowercase().as_bytes());
        let number = tag.as_ref().iter().take(6).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        format!("{number:012x}")
    }
}

fn is_microsofts_tag(tag: &Value) -> bool {
    tag.as_str().is_some_and(|tag| [TAG_PRIVATE_ACCESS, TAG_QUICK_ACCESS].contains(&tag))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_same_name_has_the_same_pseudonym_everywhere_and_another_under_another_key() {
        let (one, other) = (Pseudonyms::new(b"0123456789abcdef"), Pseudonyms::new(b"another key of 16"));
        let user = json!({"id": "u", "displayName": "Alice Moreau", "userPrincipalName": "alice_x#EXT#@contoso.com"});
        let row = json!({"userDisplayName": "Alice Moreau", "ipAddress": "203.0.113.7"});
        let (user, row) = (one.replaced(Kind::Users, &user), one.replaced(Kind::SignIns, &row));
        assert_eq!(user["displayName"], row["userDisplayName"]);
        assert_eq!(row["ipAddress"], "203.0.113.7");
        assert!(user["userPrincipalName"].as_str().unwrap().contains("#EXT#@names.invalid"));
        assert!(one.address("svc-backup@contoso.com").starts_with("svc-"));
        assert_ne!(one.name("Alice"), other.name("Alice"));
    }

    #[test]
    fn what_a_change_was_from_and_to_holds_names_too() {
        let names = Pseudonyms::new(b"0123456789abcdef");
        let id = "00000000-0000-0000-0000-00000000000a";
        let record = json!({"targetResources": [{"displayName": "CA200", "modifiedProperties": [
            {"displayName": "Group.ObjectID", "oldValue": null, "newValue": format!("\"{id}\"")},
            {"displayName": "Group.DisplayName", "newValue": "\"Secret project\""},
            {"displayName": "ConditionalAccessPolicy", "newValue": "{\"displayName\": \"CA200\", \"state\": \"enabled\"}"}]}]});
        let text = names.replaced(Kind::DirectoryAudits, &record).to_string();
        assert!(!text.contains("CA200") && !text.contains("Secret project"), "{text}");
        assert!(text.contains(id) && text.contains("Group.ObjectID") && text.contains("enabled"), "{text}");
    }

    #[test]
    fn a_tag_of_an_app_is_kept_only_where_microsoft_gives_it() {
        let app =
            json!({"id": "a", "displayName": "Files", "tags": ["Project Falcon", "PrivateAccessNonWebApplication"]});
        let app = Pseudonyms::new(b"0123456789abcdef").replaced(Kind::ServicePrincipals, &app);
        assert_eq!(app["tags"], json!(["PrivateAccessNonWebApplication"]));
    }

    #[test]
    fn a_role_of_the_tenants_own_and_who_bought_a_licence_are_names() {
        let names = Pseudonyms::new(b"0123456789abcdef");
        let role = json!({"displayName": "Contoso Night Watch", "description": "for Alice", "isBuiltIn": false});
        let sku = json!({"accountName": "contoso", "skuPartNumber": "AAD_PREMIUM_P2",
            "servicePlans": [{"servicePlanName": "AAD_PREMIUM_P2"}]});
        let (role, sku) = (names.replaced(Kind::RoleDefinitions, &role), names.replaced(Kind::SubscribedSkus, &sku));
        assert!(!role.to_string().contains("Night Watch") && !role.to_string().contains("Alice"), "{role}");
        assert!(
            !sku.to_string().contains("contoso") && sku.to_string().matches("AAD_PREMIUM_P2").count() == 2,
            "{sku}"
        );
    }

    #[test]
    fn names_that_are_microsofts_stay() {
        let names = Pseudonyms::new(b"0123456789abcdef");
        let role = json!({"displayName": "Global Administrator", "isBuiltIn": true});
        assert_eq!(names.replaced(Kind::RoleDefinitions, &role), role);
        assert!(names.name("Microsoft-managed: Block legacy").starts_with("Microsoft-managed: name-"));
    }
}
