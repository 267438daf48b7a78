//! What Graph says of queries it doesn't answer, and of methods and tenants that it doesn't have.

use super::*;

const EVENTUAL: [(&str, &str); 1] = [("ConsistencyLevel", "eventual")];

/// Status, code and message of an answer that is an error.
fn error((status, body): (u16, Value)) -> (u16, String, String) {
    let text = |name: &str| body["error"][name].as_str().unwrap_or_else(|| panic!("{status} {body}")).to_owned();
    assert!(body["error"]["innerError"]["request-id"].is_string(), "{body}");
    (status, text("code"), text("message"))
}

#[tokio::test]
async fn an_unknown_property_is_refused_by_name() {
    let world = world(50).await;
    let refused = async |path: &str| error(world.with(&format!("/v1.0{path}"), &[]).await);
    for (path, of) in [
        ("/identity/conditionalAccess/policies", "conditionalAccessPolicy"),
        ("/auditLogs/signIns", "signIn"),
        ("/auditLogs/directoryAudits", "directoryAudit"),
        ("/roleManagement/directory/roleAssignments", "unifiedRoleAssignment"),
        ("/identityProtection/riskyUsers", "riskyUser"),
    ] {
        let (status, code, message) = refused(&format!("{path}?$select=id,foo")).await;
        let expected = format!(
            "Parsing OData Select and Expand failed: Could not find a property named 'foo' on type 'microsoft.graph.{of}'."
        );
        assert_eq!((status, code.as_str(), message), (400, "BadRequest", expected));
        let (status, code, message) = refused(&format!("{path}?$filter=foo eq 3")).await;
        assert!(message.starts_with("Invalid filter clause: Could not find a property named 'foo'"), "{message}");
        assert_eq!((status, code.as_str()), (400, "BadRequest"));
    }
    for path in ["/users", "/groups", "/servicePrincipals", "/devices", "/users/delta"] {
        for query in ["$select=id,foo", "$filter=foo eq 3"] {
            let (status, code, message) = refused(&format!("{path}?{query}")).await;
            let expected = "Property 'foo' does not exist as a declared property or extension property.";
            assert_eq!(
                (status, code.as_str(), message.as_str()),
                (400, "Request_UnsupportedQuery", expected),
                "{path}"
            );
        }
    }
    let (status, code, message) = refused("/users?$filter=foo").await;
    assert_eq!((status, code.as_str()), (400, "BadRequest"));
    assert!(message.starts_with("Invalid filter clause"), "{message}");
    // Properties that this tenant leaves empty, and extensions, are no mistake.
    let fine = world.with("/v1.0/users?$select=id,city,extension_0123456789abcdef_badge&$top=1", &[]).await;
    assert_eq!((fine.0, fine.1["value"].as_array().unwrap().len()), (200, 1));
}

/// What only beta knows is not told by v1.0, whatever collection it is.
#[tokio::test]
async fn which_roles_are_privileged_is_for_beta() {
    let world = world(50).await;
    let path = "/roleManagement/directory/roleDefinitions";
    let of = async |version: &str| world.with(&format!("/{version}{path}"), &[]).await.1["value"][0].clone();
    assert!(of("v1.0").await.get("isPrivileged").is_none() && of("beta").await["isPrivileged"] == true);
    assert_eq!(world.with(&format!("/v1.0{path}?$select=id,isPrivileged"), &[]).await.0, 400);
}

#[tokio::test]
async fn a_page_is_no_larger_than_the_collection_allows() {
    let world = world(1_100).await;
    for path in ["/users", "/groups", "/servicePrincipals", "/devices"] {
        let answer = error(world.with(&format!("/v1.0{path}?$top=1000"), &[]).await);
        let message = "Invalid page size specified: '1000'. Must be between 1 and 999 inclusive.";
        assert_eq!(answer, (400, "Request_UnsupportedQuery".into(), message.into()), "{path}");
    }
    let rows = async |path: &str| world.with(&format!("/v1.0{path}"), &[]).await.1["value"].as_array().unwrap().len();
    assert_eq!(rows("/users?$top=999&$select=id").await, 999);
    assert_eq!(rows("/users?$top=999&$select=id,signInActivity").await, 500, "so many with their last sign-ins");
    assert_eq!(rows("/auditLogs/signIns?$top=5000&$select=id").await, 1_000);
}

#[tokio::test]
async fn the_directory_answers_some_queries_only_from_its_index() {
    let world = world(120).await;
    let all = world.all("/users?$select=accountEnabled,userPrincipalName").await;
    let off = all.iter().filter(|user| user["accountEnabled"] == false).count();
    let initial =
        all.iter().filter(|user| user["userPrincipalName"].as_str().unwrap().ends_with("onmicrosoft.example"));
    let initial = initial.count();
    assert!(off > 0 && initial > 0);
    for (filter, operator, found) in [
        ("accountEnabled ne true", "ne", off),
        ("not(accountEnabled eq true)", "not", off),
        ("endsWith(userPrincipalName,'onmicrosoft.example')", "endsWith", initial),
    ] {
        let path = format!("/v1.0/users?$filter={filter}");
        for (path, headers, lacks) in [
            (path.clone(), &[][..], "ConsistencyLevel"),
            (format!("{path}&$count=true"), &[], "ConsistencyLevel"),
            (path.clone(), &EVENTUAL, "$count=true"),
        ] {
            let (status, code, message) = error(world.with(&path, headers).await);
            assert_eq!((status, code.as_str()), (400, "Request_UnsupportedQuery"), "{path}");
            assert!(message.contains(&format!("'{operator}'")) && message.contains(lacks), "{message}");
        }
        let (status, body) = world.with(&format!("{path}&$count=true&$top=999"), &EVENTUAL).await;
        assert_eq!((status, body["@odata.count"].as_u64()), (200, u64::try_from(found).ok()), "{filter}: {body}");
    }
    // Logs and policies have no such index.
    let path = "/v1.0/auditLogs/directoryAudits?$filter=loggedByService ne 'Core Directory'";
    assert_eq!(world.with(path, &[]).await.0, 200);
    let search = "/v1.0/users?$search=\"displayName:Alice\"";
    let (status, code, message) = error(world.with(search, &[]).await);
    assert_eq!((status, code.as_str()), (400, "Request_UnsupportedQuery"));
    assert!(message.contains("'ConsistencyLevel: eventual'"), "{message}");
}

#[tokio::test]
async fn the_directory_sorts_by_names_and_leaves_nothing_out() {
    let world = world(120).await;
    let names = |rows: &[Value]| rows.iter().map(|row| row["displayName"].as_str().unwrap().to_lowercase()).collect();
    for path in ["/users", "/groups", "/servicePrincipals", "/devices"] {
        let sorted: Vec<String> = names(&world.all(&format!("{path}?$orderby=displayName&$select=displayName")).await);
        let mut expected: Vec<String> = names(&world.all(&format!("{path}?$select=displayName")).await);
        expected.sort();
        assert_eq!(sorted, expected, "{path}, over all pages");
        let falling: Vec<String> = names(&world.all(&format!("{path}?$orderby=displayName desc&$top=7")).await);
        expected.reverse();
        assert_eq!(falling, expected, "{path}");
        let skipped = error(world.with(&format!("/v1.0{path}?$skip=3"), &EVENTUAL).await);
        assert_eq!(skipped, (400, "Request_BadRequest".into(), "'$skip' is not supported by the service.".into()));
    }
    let refused =
        async |query: &str, headers: &[(&str, &str)]| error(world.with(&format!("/v1.0/users?{query}"), headers).await);
    let unsupported = |message: &str| (400, "Request_UnsupportedQuery".to_owned(), message.to_owned());
    let by_date = refused("$orderby=createdDateTime desc", &[]).await;
    assert_eq!(by_date, unsupported("Unsupported sort property 'createdDateTime' for 'User'."));
    let filtered = "$filter=userType eq 'Guest'&$orderby=displayName";
    for headers in [&[][..], &EVENTUAL] {
        let said = refused(filtered, headers).await;
        assert_eq!(said, unsupported("Sorting not supported for current query."));
    }
    let (status, body) = world.with(&format!("/v1.0/users?{filtered}&$count=true"), &EVENTUAL).await;
    let guests: Vec<String> = names(body["value"].as_array().unwrap());
    assert!(status == 200 && !guests.is_empty() && guests.is_sorted(), "{body}");
    assert_eq!(body["@odata.count"], guests.len());
    assert_eq!(refused("$skip=0", &[]).await.1, "Request_BadRequest");
}

#[tokio::test]
async fn policies_can_be_sorted_and_entered_in_the_middle() {
    let world = world(50).await;
    let path = "/identity/conditionalAccess/policies";
    let ids = |rows: &[Value]| rows.iter().map(|row| row["id"].clone()).collect::<Vec<_>>();
    let sorted = ids(&world.all(&format!("{path}?$orderby=displayName desc")).await);
    let (_, body) = world.with(&format!("/v1.0{path}?$orderby=displayName desc&$skip=3&$top=5&$count=true"), &[]).await;
    assert_eq!(ids(body["value"].as_array().unwrap()), sorted[3..8], "{body}");
    assert_eq!(body["@odata.count"], 25, "of all, whatever is left out");
    assert_eq!(ids(&world.all(&format!("{path}?$orderby=displayName desc&$skip=3&$top=5")).await), sorted[3..]);
    let on = ids(&world.all(&format!("{path}?$filter=state eq 'disabled'&$skip=1")).await);
    assert_eq!(on.len(), 1);
}

/// An official client tells a property that wasn't asked for from one that has no value.
#[tokio::test]
async fn what_is_selected_and_has_no_value_is_null_and_what_is_not_selected_is_absent() {
    let world = world(120).await;
    let users = world.all("/users?$select=id,department,employeeType,businessPhones").await;
    assert!(users.iter().all(|user| user["employeeType"] == Value::Null && user["businessPhones"] == json!([])));
    let told = |user: &Value| user.get("department").is_some() && user.get("employeeType").is_some();
    assert!(users.iter().all(told) && users.iter().any(|user| user["department"].is_null()));
    let one = world.with(&format!("/v1.0/users/{}?$select=companyName", users[0]["id"].as_str().unwrap()), &[]).await.1;
    assert!(one.get("companyName").is_some_and(Value::is_null) && one.get("id").is_none(), "{one}");
    for (path, name) in [
        ("/groups", "onPremisesSyncEnabled"),
        ("/servicePrincipals", "notes"),
        ("/devices", "onPremisesSyncEnabled"),
        ("/identity/conditionalAccess/policies", "description"),
    ] {
        let rows = world.all(&format!("{path}?$select=id,{name}")).await;
        assert!(!rows.is_empty() && rows.iter().all(|row| row.get(name).is_some()), "{path} {name}: {}", rows[0]);
        let rows = world.all(&format!("{path}?$select=id")).await;
        assert!(rows.iter().all(|row| row.get(name).is_none()), "{path}");
    }
    let unset = world.all("/users?$select=id,extension_0123456789abcdef_badge").await;
    assert!(unset.iter().all(|user| user.as_object().unwrap().len() == 1), "no extension that nobody filled");
    let delta = world.with("/v1.0/users/delta?$select=id,employeeType", &[]).await.1;
    assert!(delta["value"][0].get("employeeType").is_none(), "what changed, and nothing else");
}

#[tokio::test]
async fn counting_by_address_takes_a_late_count() {
    let world = world(60).await;
    let refused = error(world.with("/v1.0/users/$count", &[]).await);
    assert_eq!(refused, (400, "Request_BadRequest".into(), "$count is not currently supported.".into()));
    for (path, rows) in [
        ("users/$count", world.all("/users").await.len()),
        ("groups/$count", world.all("/groups").await.len()),
        ("devices/$count", world.all("/devices").await.len()),
        ("servicePrincipals/$count", world.all("/servicePrincipals").await.len()),
        ("users/$count?$filter=userType eq 'Guest'", world.all("/users?$filter=userType eq 'Guest'").await.len()),
    ] {
        assert_eq!(world.with(&format!("/v1.0/{path}"), &EVENTUAL).await, (200, json!(rows)), "{path}");
    }
}

#[tokio::test]
async fn a_method_or_a_body_that_does_not_fit_is_an_error_in_graphs_words() {
    let world = world(50).await;
    let policy = world.all("/identity/conditionalAccess/policies").await[0]["id"].as_str().unwrap().to_owned();
    let ask = async |method: reqwest::Method, path: &str, body: &'static str| {
        let url = format!("{}{path}", world.service.graph_base());
        let request = world.http.request(method, url).bearer_auth(&world.token).body(body);
        let answer = request.send().await.unwrap();
        error((answer.status().as_u16(), answer.json().await.unwrap()))
    };
    let one = format!("{POLICIES}/{policy}");
    for (method, path) in [
        (reqwest::Method::PUT, one.as_str()),
        (reqwest::Method::PATCH, POLICIES),
        (reqwest::Method::POST, "/v1.0/users"),
        (reqwest::Method::GET, "/v1.0/$batch"),
    ] {
        let message = "Specified HTTP method is not allowed for the request target.";
        assert_eq!(ask(method, path, "{}").await, (405, "Request_BadRequest".into(), message.into()), "{path}");
    }
    let beta = "{\"sessionControls\":{\"continuousAccessEvaluation\":{\"mode\":\"disabled\"}}}";
    for body in ["{\"state\":\"foo\"}", "nothing", "{\"conditions\":{\"nonsense\":{}}}", beta] {
        let (status, code, message) = ask(reqwest::Method::PATCH, &one, body).await;
        assert_eq!((status, code.as_str()), (400, "BadRequest"));
        assert!(message.starts_with("1007"), "{message}");
    }
    let gone = format!("{POLICIES}/00000000-0000-0000-0000-000000000001");
    let (status, code, _) = ask(reqwest::Method::PATCH, &gone, "{}").await;
    assert_eq!((status, code.as_str()), (404, "ResourceNotFound"));
    for path in ["/v1.0/users/nobody", "/v1.0/groups/nobody", "/v1.0/servicePrincipals/nobody"] {
        let message =
            "Resource 'nobody' does not exist or one of its queried reference-property objects are not present.";
        assert_eq!(ask(reqwest::Method::GET, path, "").await, (404, "Request_ResourceNotFound".into(), message.into()));
    }
    let (status, _, message) = ask(reqwest::Method::GET, "/v1.0/users/x/nothing", "").await;
    assert_eq!((status, message.as_str()), (400, "Resource not found for the segment 'nothing'."));
    let anonymous = world.http.get(format!("{}/v1.0/users", world.service.graph_base())).send().await.unwrap();
    let (status, code, message) = error((anonymous.status().as_u16(), anonymous.json().await.unwrap()));
    let expected = (401, "InvalidAuthenticationToken", "Access token is empty.");
    assert_eq!((status, code.as_str(), message.as_str()), expected);
    for (path, body) in [("/v1.0/$batch", "{}"), ("/v1.0/identity/conditionalAccess/evaluate", "nothing")] {
        let (status, code, _) = ask(reqwest::Method::POST, path, body).await;
        assert_eq!((status, code.as_str()), (400, "BadRequest"), "{path}");
    }
}

#[tokio::test]
async fn another_tenant_is_not_found_here() {
    let world = world(50).await;
    let other = "00000000-0000-0000-0000-000000000009";
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &world.service.client_id),
        ("client_secret", &world.service.client_secret),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    let ask = async |tenant: &str| {
        let url = format!("{}/{tenant}/oauth2/v2.0/token", world.service.base_url());
        let answer = world.http.post(url).form(&form).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (status, body) = ask(other).await;
    assert_eq!((status, &body["error"], &body["error_codes"]), (400, &json!("invalid_request"), &json!([90002])));
    let said = body["error_description"].as_str().unwrap();
    assert!(said.starts_with(&format!("AADSTS90002: Tenant '{other}' not found.")), "{said}");
    assert_eq!(ask(&world.service.tenant_id.to_uppercase()).await.0, 200);
    let metadata =
        |tenant: &str| format!("{}/{tenant}/v2.0/.well-known/openid-configuration", world.service.base_url());
    assert_eq!(world.follow(&metadata(other)).await["error"], "invalid_tenant");
    assert!(world.follow(&metadata(&world.service.tenant_id)).await["issuer"].is_string());
}

/// What the product reads by must be selected; a client that selects nothing is told what Graph tells it.
#[tokio::test]
async fn of_users_a_few_properties_are_told_unless_others_are_selected() {
    let world = world(50).await;
    let names = |user: &Value| {
        let told = user.as_object().unwrap().keys().filter(|name| !name.contains('@'));
        told.map(String::as_str).map(str::to_owned).collect::<Vec<_>>().join(" ")
    };
    let of = async |path: &str| world.with(path, &[]).await.1;
    let all = "businessPhones displayName givenName id jobTitle mail mobilePhone officeLocation preferredLanguage surname \
        userPrincipalName";
    let sorted = |user: &Value| {
        let mut told: Vec<String> = names(user).split(' ').map(str::to_owned).collect();
        told.sort();
        told.join(" ")
    };
    let first = of("/v1.0/users?$top=1").await["value"][0].clone();
    assert_eq!(sorted(&first), all);
    let id = first["id"].as_str().unwrap();
    assert_eq!(sorted(&of(&format!("/v1.0/users/{id}")).await), all);
    let changed = of("/v1.0/users/delta?$top=1").await["value"][0].clone();
    assert!(changed.get("accountEnabled").is_none() && changed["id"].is_string(), "{changed}");
    assert!(of("/beta/users?$top=1").await["value"][0].get("accountEnabled").is_some(), "beta tells all of it");
    assert!(of("/v1.0/groups?$top=1").await["value"][0].get("visibility").is_some(), "as v1.0 does of groups");
}
