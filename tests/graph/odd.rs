//! Answers that nobody documents: from a proxy in between, cut, compressed, twice, or never to come.

use portcullis::config::LogAnalytics;
use portcullis::graph::{Previous, read_tenant};

use super::*;

/// `{"value": [{"id": "d1"}]}`, compressed.
const GZIP: &[u8] = &[
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 42, 75, 204, 41, 77, 85, 178, 82, 136, 174, 86, 202, 76, 1, 210, 74, 41,
    134, 74, 181, 177, 181, 0, 181, 192, 59, 193, 25, 0, 0, 0,
];

#[tokio::test]
async fn an_answer_that_is_none_fails_its_kind_and_is_not_believed() {
    let foreign = Fake::start().await;
    let elsewhere = format!("{}/v1.0/devices", foreign.address());
    let half = &GZIP[..GZIP.len() / 2];
    for (answer, why) in [
        (Answer::text(302, "").with("location", &elsewhere), "a redirect, which is not followed"),
        (Answer::text(200, "<html>Sign in to this network</html>"), "not usable"),
        (Answer::json(200, &json!([{"id": "d1"}])), "not usable"),
        (Answer::json(200, &json!({"value": {"id": "d1"}})), "not usable"),
        (Answer::json(200, &json!({"value": [{"id": "d1"}], "@odata.nextLink": 7})), "not usable"),
        (Answer::json(200, &json!({"value": [{"id": "d1"}], "@odata.nextLink": "https://[/"})), "not usable"),
        (Answer::gzip(half), "cannot be reached"),
        (Answer::gzip(b"not compressed at all"), "cannot be reached"),
    ] {
        let fake = Fake::start().await;
        fake.on("/v1.0/devices", move |_, _| answer.clone());
        let read = snapshot(&fake).await.unwrap();
        assert!(why_absent(&read, Kind::Devices).contains(why), "{}", why_absent(&read, Kind::Devices));
        assert!(read.directory.devices.is_empty() && read.has(Kind::Users), "{why}");
    }
    assert_eq!(foreign.count("GET", "/v1.0/devices"), 0, "the token stays with the host that it is for");
    let fake = Fake::start().await;
    fake.on(USER, |_, _| Answer::gzip(GZIP));
    assert_eq!(snapshot(&fake).await.unwrap().readings[&Kind::Users], Reading::Complete { count: 1 });
}

/// A pause that nobody would sit out is not sat out: the kind fails once patience is over.
#[tokio::test]
async fn a_plea_to_wait_for_ages_is_heeded_as_long_as_patience_lasts() {
    for ages in ["18446744073709551615", "99999999", "Fri, 01 Jan 9999 00:00:00 GMT", "-1", "soon"] {
        let fake = Fake::start().await;
        fake.on("/v1.0/devices", move |_, _| Answer::json(429, &json!({})).with_retry_after(ages));
        let mut config = fake.config();
        config.graph.back_off.patience = Duration::from_millis(200);
        let (client, start) = (Client::new(&config, Clock::system()).unwrap(), std::time::Instant::now());
        let read = read_snapshot(&client, &Quiet, None).await.unwrap();
        assert!(why_absent(&read, Kind::Devices).contains("asks to slow down"), "{ages}");
        assert!(start.elapsed() < Duration::from_secs(5), "{ages}: {:?}", start.elapsed());
        assert!(read.has(Kind::Users), "{ages}");
    }
}

/// A collection that grows while it is read shows an object on two pages.
#[tokio::test]
async fn what_stands_on_two_pages_is_there_once() {
    let fake = Fake::start().await;
    let pages = |path: &'static str, row: fn(&str) -> serde_json::Value| {
        move |fake: &Fake, query: &fake::Query| {
            let next = format!("{}{path}?page=2", fake.address());
            match query.get("page") {
                None => Answer::json(200, &json!({"value": [row("a"), row("b")], "@odata.nextLink": next})),
                Some(_) => Answer::json(200, &json!({"value": [row("b"), row("c")]})),
            }
        }
    };
    let object = |id: &str| json!({"id": id, "appId": id, "displayName": id, "state": "enabled", "conditions": {}});
    let signed_in = |id: &str| json!({"id": id, "createdDateTime": "2026-11-20T11:00:00Z", "userId": "a"});
    fake.on(USER, pages(USER, object));
    fake.on(POLICIES, pages(POLICIES, object));
    fake.on("/v1.0/servicePrincipals", pages("/v1.0/servicePrincipals", object));
    fake.on("/beta/auditLogs/signIns", pages("/beta/auditLogs/signIns", signed_in));
    let client = Client::new(&fake.config(), Clock::fixed("2026-11-20T12:00:00Z".parse().unwrap())).unwrap();
    let read = read_snapshot(&client, &Quiet, None).await.unwrap();
    assert_eq!((read.policies.len(), read.directory.service_principals.len(), read.sign_ins.len()), (3, 3, 3));
    for kind in [Kind::Policies, Kind::Users, Kind::ServicePrincipals, Kind::SignIns] {
        assert_eq!(read.readings[&kind], Reading::Complete { count: 3 }, "{kind:?}");
    }
}

#[tokio::test]
async fn a_token_that_ends_between_two_pages_is_renewed_and_no_page_is_lost() {
    let (fake, refused) = (Fake::start().await, AtomicU64::new(0));
    fake.on(USER, move |fake, query| {
        let next = format!("{}{USER}?page=2", fake.address());
        match query.get("page") {
            None => Answer::json(200, &json!({"value": [{"id": "u1"}], "@odata.nextLink": next})),
            Some(_) if refused.fetch_add(1, Ordering::SeqCst) == 0 => {
                Answer::error(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
            }
            Some(_) => Answer::json(200, &json!({"value": [{"id": "u2"}]})),
        }
    });
    let read = snapshot(&fake).await.unwrap();
    assert_eq!(read.readings[&Kind::Users], Reading::Complete { count: 2 });
    assert_eq!((fake.count("POST", "/token"), fake.count("GET", USER)), (2, 3), "the first page isn't asked for again");
}

/// The link to a page expires, which is no refusal of beta: v1.0 would give half of the log.
#[tokio::test]
async fn a_log_that_breaks_off_is_absent_and_not_read_in_a_poorer_way() {
    const BETA: &str = "/beta/auditLogs/signIns";
    let fake = Fake::start().await;
    fake.on(BETA, |fake, query| {
        let next = format!("{}{BETA}?page=2", fake.address());
        let row = json!({"id": "s1", "createdDateTime": "2026-11-20T11:00:00Z", "userId": "u", "isInteractive": false});
        match query.get("page") {
            None => Answer::json(200, &json!({"value": [row], "@odata.nextLink": next})),
            Some(_) => Answer::error(400, "BadRequest", "Skip token is null or has expired."),
        }
    });
    let read = snapshot(&fake).await.unwrap();
    let why = why_absent(&read, Kind::SignIns);
    assert!(why.contains("page 2 could not be read") && why.contains("has expired"), "{why}");
    assert_eq!(fake.count("GET", "/v1.0/auditLogs/signIns"), 0);
}

/// A round of changes that breaks off is no round: all is read.
#[tokio::test]
async fn changes_that_break_off_are_read_whole_instead() {
    const DELTA: &str = "/v1.0/users/delta";
    let fake = Fake::start().await;
    fake.list(USER, json!([{"id": "u1"}, {"id": "u2"}]));
    fake.on(DELTA, |fake, query| {
        let link = |token: &str| format!("{}{DELTA}?token={token}", fake.address());
        match query.get("token").map(String::as_str) {
            Some("changes") => Answer::json(200, &json!({"value": [{"id": "u1"}], "@odata.nextLink": link("more")})),
            Some(_) => Answer::error(410, "resyncRequired", "the token is too old"),
            None => Answer::json(200, &json!({"value": [], "@odata.deltaLink": link("changes")})),
        }
    });
    let client = client(&fake);
    let first = read_tenant(&client, &Quiet, None).await.unwrap();
    fake.list(USER, json!([{"id": "u1"}, {"id": "u2"}, {"id": "u3"}]));
    let previous = Previous { snapshot: &first.snapshot, marks: Some(&first.marks) };
    let second = read_tenant(&client, &Quiet, Some(previous)).await.unwrap().snapshot;
    assert_eq!(second.readings[&Kind::Users], Reading::Complete { count: 3 });
}

/// 64 MB of rows can be more as JSON: the slice is asked again in halves, like one that the service cut itself.
#[tokio::test]
async fn an_answer_of_the_workspace_that_is_larger_than_any_is_asked_again_in_halves() {
    let (fake, asked) = (Fake::start().await, AtomicU64::new(0));
    let workspace = "66666666-7777-8888-9999-aaaaaaaaaaaa";
    let path = format!("/v1/workspaces/{workspace}/query");
    let empty = r#"{"tables": [{"name": "PrimaryResult", "columns": [], "rows": []}]}"#;
    fake.on(&path, move |_, _| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::text(200, &format!("{}{empty}", " ".repeat(64 << 20))),
        _ => Answer::text(200, empty),
    });
    let mut config = fake.config();
    config.graph.log_days = 1;
    let timeout = Duration::from_secs(20);
    let base = fake.address().parse().unwrap();
    config.graph.log_analytics = Some(LogAnalytics { workspace: workspace.into(), base, timeout });
    let client = Client::new(&config, Clock::fixed("2026-11-20T00:00:00Z".parse().unwrap())).unwrap();
    let read = read_snapshot(&client, &Quiet, None).await.unwrap();
    assert_eq!(read.readings[&Kind::SignIns], Reading::Complete { count: 0 });
    assert_eq!(fake.count("POST", &path), 3, "one day, and its halves");
}

/// A role in Azure is no permission of Graph's, and nobody consents to it.
#[tokio::test]
async fn a_workspace_that_refuses_says_which_role_is_missing() {
    let fake = Fake::start().await;
    let workspace = "66666666-7777-8888-9999-aaaaaaaaaaaa";
    fake.on(&format!("/v1/workspaces/{workspace}/query"), |_, _| {
        let inner = json!({"code": "UnauthorizedClient", "message": "The service principal may not read this"});
        let said = json!({"code": "InsufficientAccessError", "message": "insufficient access", "innererror": inner});
        Answer::json(403, &json!({"error": said}))
    });
    let mut config = fake.config();
    let (base, timeout) = (fake.address().parse().unwrap(), Duration::from_secs(20));
    config.graph.log_analytics = Some(LogAnalytics { workspace: workspace.into(), base, timeout });
    let client = Client::new(&config, Clock::system()).unwrap();
    let read = read_snapshot(&client, &Quiet, None).await.unwrap();
    let why = why_absent(&read, Kind::SignIns);
    assert!(why.contains("give the app the role Log Analytics Reader") && !why.contains("consent"), "{why}");
    assert!(why.contains("The service principal may not read this"), "{why}");
}

/// Whatever the answer is, there is one request; only Graph's own refusal is taken for one.
#[tokio::test]
async fn an_odd_answer_to_a_creation_is_never_followed_by_a_second_request() {
    for (answer, expected) in [
        (Answer::json(201, &json!({})), "unknown"),
        (Answer::json(201, &json!({"value": [{"id": "p1"}]})), "unknown"),
        (Answer::text(201, "{\"id\": \"p1\", \"displayNa"), "unknown"),
        (Answer::text(200, "<html>Sign in to this network</html>"), "unknown"),
        (Answer::text(202, ""), "unknown"),
        (Answer::error(408, "RequestTimeout", "late"), "unknown"),
        (Answer::error(409, "Conflict", "another change is under way"), "another change is under way"),
        (Answer::error(412, "PreconditionFailed", "an older version"), "an older version"),
        (Answer::text(307, "").with("location", "http://127.0.0.1:9/"), "a redirect"),
        (Answer::json(201, &json!({"id": "p1", "displayName": "Somebody else's", "state": "enabled"})), "p1"),
    ] {
        let fake = Fake::start().await;
        fake.on(POLICIES, move |_, _| answer.clone());
        let said = match writer(&fake).create(&draft()).await {
            CreateOutcome::Created(id) => id,
            CreateOutcome::Rejected(error) => error.to_string(),
            CreateOutcome::NotSent(error) => panic!("{error}"),
            CreateOutcome::Unknown => "unknown".to_owned(),
        };
        assert!(said.contains(expected), "{said}");
        assert_eq!(fake.count("POST", POLICIES), 1, "{expected}");
    }
}

#[tokio::test]
async fn a_refused_deletion_leaves_the_policy_and_says_why() {
    let id = "00000000-0000-0000-0000-00000000000a";
    let path = format!("{POLICIES}/{id}");
    let own = OwnPolicy(Policy { id: id.into(), ..draft().policy().clone() });
    let there = json!({"id": id, "displayName": "Require MFA [pc-1]", "state": "enabledForReportingButNotEnforced",
        "conditions": draft().body()["conditions"], "grantControls": null});
    for (status, why) in [(403, "Policy.ReadWrite.ConditionalAccess"), (409, "as it came"), (423, "as it came")] {
        let fake = Fake::start().await;
        let there = there.clone();
        fake.on(&path, move |_, _| Answer::json(200, &there));
        fake.on(&format!("DELETE {path}"), move |_, _| Answer::error(status, "Refused", "as it came"));
        let refused = writer(&fake).remove(&own).await.unwrap_err();
        assert!(matches!(&refused, RemoveError::Graph(error) if error.to_string().contains(why)), "{refused:?}");
        assert_eq!(fake.count("DELETE", &path), 1, "{status}");
    }
}
