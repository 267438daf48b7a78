//! Whether a request conforms to Microsoft Graph's own schema (`tests/data/graph-schema.json`, made from its metadata).

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let schema = serde_json::from_str(include_str!("../data/graph-schema.json")).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
});

/// What Graph's schema says against a policy; empty when it conforms.
pub(crate) fn objections(policy: &Value) -> Vec<String> {
    SCHEMA.iter_errors(policy).map(|error| format!("{}: {error}", error.instance_path())).collect()
}
