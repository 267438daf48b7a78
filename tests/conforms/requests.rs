//! Whether the writes that the demo's Graph service recorded conform to Graph's schema.

use serde_json::Value;

/// Every write that the demo's Graph service recorded conforms: a policy, or the deletion of one, which has no body.
/// How many there were.
pub(crate) fn writes(requests: &[Value]) -> usize {
    let writes = requests.iter().filter(|request| !matches!(request["method"].as_str().unwrap(), "GET" | "HEAD"));
    let writes: Vec<&Value> =
        writes.filter(|request| request["path"].as_str().unwrap().contains("/conditionalAccess/")).collect();
    for request in &writes {
        let path = request["path"].as_str().unwrap();
        let policy = path.strip_prefix("/v1.0/identity/conditionalAccess/policies").expect(path);
        match request["method"].as_str().unwrap() {
            "POST" => {
                assert_eq!(policy, "", "{path}");
                assert_eq!(super::conforms::objections(&request["body"]), Vec::<String>::new(), "{}", request["body"]);
            }
            "DELETE" => {
                assert!(policy.trim_start_matches('/').parse::<uuid::Uuid>().is_ok(), "{path}");
                assert!(request["body"].is_null(), "{}", request["body"]);
            }
            other => panic!("{other} {path}"),
        }
    }
    writes.len()
}
