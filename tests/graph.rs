//! The Graph client against a service that misbehaves in every documented way.

mod fake;
#[path = "graph/odd.rs"]
mod odd;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use portcullis::clock::Clock;
use portcullis::graph::{
    Client, CreateOutcome, GraphError, OwnPolicy, Progress, Quiet, Removal, RemoveError, Writer, read_snapshot,
};
use portcullis::suggestions::draft::ReportOnlyPolicy;
use portcullis::tenant::{Kind, Policy, Reading, Snapshot};
use serde_json::json;

use fake::{Answer, Fake};

const USER: &str = "/v1.0/users";
const POLICIES: &str = "/v1.0/identity/conditionalAccess/policies";

fn client(fake: &Fake) -> Client {
    Client::new(&fake.config(), Clock::system()).unwrap()
}

async fn snapshot(fake: &Fake) -> Result<Snapshot, GraphError> {
    let client = client(fake);
    // Spawned, because the runs of the bot are: the future has to be one that can move between threads.
    tokio::spawn(async move { read_snapshot(&client, &Quiet, None).await }).await.unwrap()
}

fn why_absent(snapshot: &Snapshot, kind: Kind) -> &str {
    match &snapshot.readings[&kind] {
        Reading::Absent { reason } => reason,
        Reading::Complete { .. } => panic!("{kind:?} is complete"),
    }
}

#[tokio::test]
async fn a_tenant_is_read_to_the_last_page() {
    let fake = Fake::start().await;
    fake.on(USER, |fake, query| {
        let page: usize = query.get("$skiptoken").map_or(0, |token| token.parse().unwrap());
        let users: Vec<_> = (0..2).map(|n| json!({"id": format!("u{page}{n}")})).collect();
        let mut body = json!({ "value": users });
        if page < 3 {
            body["@odata.nextLink"] = json!(format!("{}{USER}?$skiptoken={}", fake.address(), page + 1));
        }
        Answer::json(200, &body)
    });
    let read = snapshot(&fake).await.unwrap();
    assert_eq!(read.directory.users.len(), 8);
    assert_eq!(read.readings[&Kind::Users], Reading::Complete { count: 8 });
    let absent = read.readings.values().filter(|reading| matches!(reading, Reading::Absent { .. }));
    assert_eq!(absent.count(), 0, "{:?}", read.readings);
    assert_eq!(fake.count("POST", "/token"), 1, "one token serves the whole reading");
    assert!(fake.headers_of(USER).contains("include-unknown-enum-members"));
}

#[tokio::test]
async fn members_are_read_for_the_groups_that_policies_name_and_those_nested_in_them() {
    let fake = Fake::start().await;
    let policy = json!({"id": "p", "displayName": "P", "state": "enabled",
        "conditions": {"users": {"includeGroups": ["g1", "deleted"]}}});
    fake.list(POLICIES, json!([policy]));
    fake.list(USER, json!([{"id": "u1"}, {"id": "u2"}]));
    fake.list("/v1.0/groups", json!([{"id": "g1"}, {"id": "g2"}, {"id": "unnamed"}]));
    let (group, user) = ("#microsoft.graph.group", "#microsoft.graph.user");
    let nested = |a: &str, b: &str| json!([{"@odata.type": user, "id": a}, {"@odata.type": group, "id": b}]);
    fake.list("/v1.0/groups/g1/members", nested("u1", "g2"));
    fake.list("/v1.0/groups/g2/members", nested("u2", "g1"));
    let read = snapshot(&fake).await.unwrap();
    let members = |group: &str| read.directory.groups[group].transitive.as_deref().map(roaring::RoaringBitmap::len);
    assert_eq!((members("g1"), members("g2"), members("unnamed")), (Some(2), Some(2), None));
    assert_eq!(fake.count("GET", "/v1.0/groups/unnamed/members"), 0);
    assert_eq!(fake.count("GET", "/v1.0/groups/g1/members"), 1);
}

/// Graph answers with an empty list, which must not be taken for nobody.
#[tokio::test]
async fn hidden_members_are_unknown_without_their_permission() {
    let read = async |token: &'static str| {
        let fake = Fake::start().await;
        fake.on(&Fake::token_path(), move |_, _| {
            Answer::json(200, &json!({"token_type": "Bearer", "expires_in": 3599, "access_token": token}))
        });
        let users = json!({"includeGroups": ["outer"]});
        fake.list(
            POLICIES,
            json!([{"id": "p", "displayName": "P", "state": "enabled", "conditions": {"users": users}}]),
        );
        fake.list("/v1.0/groups", json!([{"id": "outer"}, {"id": "g1", "visibility": "HiddenMembership"}]));
        fake.list("/v1.0/groups/outer/members", json!([{"@odata.type": "#microsoft.graph.group", "id": "g1"}]));
        let read = snapshot(&fake).await.unwrap();
        let known = ["outer", "g1"].map(|group| read.directory.groups[group].transitive.is_some());
        (known, fake.count("GET", "/v1.0/groups/g1/members"))
    };
    // The second one's claims are {"roles": ["Member.Read.Hidden"]}.
    assert_eq!(read(fake::TOKEN).await, ([false, false], 0));
    assert_eq!(read("x.eyJyb2xlcyI6IFsiTWVtYmVyLlJlYWQuSGlkZGVuIl19.x").await, ([true, true], 1));
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let fake = Fake::start().await;
    for path in ["/v1.0/devices", "/beta/auditLogs/signIns", "/v1.0/auditLogs/signIns"] {
        fake.on(path, |_, _| Answer::error(403, "Authorization_RequestDenied", "Insufficient privileges"));
    }
    let read = snapshot(&fake).await.unwrap();
    assert!(why_absent(&read, Kind::Devices).contains("Device.Read.All"));
    assert!(why_absent(&read, Kind::SignIns).contains("AuditLog.Read.All"));
    assert!(read.has(Kind::Users));
}

#[tokio::test]
async fn refused_policies_fail_the_run() {
    let fake = Fake::start().await;
    fake.on(POLICIES, |_, _| Answer::error(403, "AccessDenied", "no"));
    let error = snapshot(&fake).await.unwrap_err();
    assert!(error.to_string().contains("Policy.Read.All"), "{error}");
}

#[tokio::test]
async fn a_page_that_fails_for_good_takes_its_kind_along() {
    let fake = Fake::start().await;
    fake.on(USER, |fake, query| {
        let next = format!("{}{USER}?page=2", fake.address());
        match query.get("page") {
            None => Answer::json(200, &json!({"value": [{"id": "u1"}], "@odata.nextLink": next})),
            Some(_) => Answer::json(500, &json!({})),
        }
    });
    let read = snapshot(&fake).await.unwrap();
    assert!(why_absent(&read, Kind::Users).contains("500"));
    assert!(read.directory.users.is_empty());
}

#[tokio::test]
async fn faults_that_pass_are_waited_out() {
    let fake = Fake::start().await;
    let tries = AtomicU64::new(0);
    fake.on(USER, move |_, _| match tries.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::json(503, &json!({})),
        1 => Answer::json(429, &json!({})).with_retry_after("0"),
        2 => Answer::reset(),
        3 => Answer::text(200, "{\"value\": [{\"id\": \"u"),
        _ => Answer::json(200, &json!({"value": [{"id": "u1"}]})),
    });
    let read = snapshot(&fake).await.unwrap();
    assert_eq!(read.directory.users.len(), 1, "{:?}", read.readings);
}

#[tokio::test]
async fn graph_is_waited_for_as_long_as_it_asks() {
    let fake = Fake::start().await;
    let tries = AtomicU64::new(0);
    fake.on(USER, move |_, _| match tries.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::json(429, &json!({})).with_retry_after("1"),
        _ => Answer::json(200, &json!({"value": [{"id": "u1"}]})),
    });
    let (client, start) = (client(&fake), std::time::Instant::now());
    assert!(fake.config().graph.back_off.longest < Duration::from_secs(1));
    assert!(read_snapshot(&client, &Quiet, None).await.unwrap().has(Kind::Users));
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
}

/// With two tries and a fault in every third answer, kinds often fail; none may ever be there in part.
#[tokio::test]
async fn under_faults_a_kind_is_complete_or_absent() {
    let (mut complete, mut absent, mut failed) = (0, 0, 0);
    for seed in 0..30 {
        let fake = Fake::start().await;
        fake.on(USER, |fake, query| {
            let page: usize = query.get("page").map_or(0, |page| page.parse().unwrap());
            let next = format!("{}{USER}?page={}", fake.address(), page + 1);
            let value = json!([{"id": format!("u{page}")}]);
            let more = if page < 4 { json!(next) } else { json!(null) };
            Answer::json(200, &json!({"value": value, "@odata.nextLink": more}))
        });
        fake.fail_at_random(seed);
        let mut config = fake.config();
        config.graph.back_off.attempts = 2;
        let client = Client::new(&config, Clock::system()).unwrap();
        match read_snapshot(&client, &Quiet, None).await {
            Err(_) => failed += 1,
            Ok(read) if read.has(Kind::Users) => {
                complete += 1;
                assert_eq!(read.directory.users.len(), 5, "seed {seed}");
            }
            Ok(read) => {
                absent += 1;
                assert!(read.directory.users.is_empty(), "seed {seed}");
            }
        }
    }
    assert!(complete > 0 && absent > 0 && failed > 0, "{complete} complete, {absent} absent, {failed} failed");
}

#[tokio::test]
async fn a_token_that_is_no_longer_accepted_is_renewed() {
    let fake = Fake::start().await;
    let tries = AtomicU64::new(0);
    fake.on(POLICIES, move |_, _| match tries.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::error(401, "InvalidAuthenticationToken", "revoked"),
        _ => Answer::json(200, &json!({"value": []})),
    });
    snapshot(&fake).await.unwrap();
    assert_eq!(fake.count("POST", "/token"), 2);
}

#[tokio::test]
async fn a_wrong_secret_is_said_without_the_secret() {
    let fake = Fake::start().await;
    fake.on(&Fake::token_path(), |_, _| {
        let description = "AADSTS7000215: Invalid client secret provided";
        Answer::json(401, &json!({"error": "invalid_client", "error_description": description}))
    });
    let error = snapshot(&fake).await.unwrap_err().to_string();
    assert!(error.contains("AADSTS7000215") && !error.contains(fake::SECRET), "{error}");
}

#[tokio::test]
async fn links_to_another_host_or_in_a_circle_are_not_followed() {
    let (fake, foreign) = (Fake::start().await, Fake::start().await);
    let elsewhere = format!("{}{USER}?page=2", foreign.address());
    fake.on(USER, move |_, _| Answer::json(200, &json!({"value": [], "@odata.nextLink": elsewhere})));
    fake.on("/v1.0/devices", |fake, _| {
        let again = format!("{}/v1.0/devices?page=2", fake.address());
        Answer::json(200, &json!({"value": [], "@odata.nextLink": again}))
    });
    let read = snapshot(&fake).await.unwrap();
    assert!(why_absent(&read, Kind::Users).contains("another host"));
    assert!(why_absent(&read, Kind::Devices).contains("circle"));
    assert_eq!(fake.count("GET", "/v1.0/devices"), 2, "a link to itself is known as such at once");
    assert_eq!(foreign.count("GET", USER), 0);
}

/// Wants no more once the first users are there.
#[derive(Default)]
struct Impatient(AtomicU64);

impl Progress for Impatient {
    fn page(&self, kind: Kind, objects: u64) {
        if kind == Kind::Users {
            self.0.store(objects, Ordering::SeqCst);
        }
    }

    fn cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
}

#[tokio::test]
async fn a_cancelled_reading_asks_for_nothing_more() {
    let fake = Fake::start().await;
    fake.on(USER, |fake, _| {
        let next = format!("{}{USER}?page=2", fake.address());
        Answer::json(200, &json!({"value": [{"id": "u1"}], "@odata.nextLink": next}))
    });
    let read = read_snapshot(&client(&fake), &Impatient::default(), None).await;
    assert_eq!(read, Err(GraphError::Cancelled));
    assert_eq!(fake.count("GET", USER), 1);
    assert_eq!(fake.count("GET", "/v1.0/groups"), 0);
}

#[tokio::test]
async fn only_the_new_part_of_the_logs_is_asked_for() {
    let fake = Fake::start().await;
    let clock = Clock::fixed("2026-11-20T12:00:00Z".parse().unwrap());
    let path = "/beta/auditLogs/signIns";
    let row = |id: &str, at: &str| json!({"id": id, "createdDateTime": at, "userId": "u"});
    fake.list(path, json!([row("new", "2026-11-20T11:00:00Z"), row("old", "2026-11-01T00:00:00Z")]));
    let client = Client::new(&fake.config(), clock.clone()).unwrap();
    let first = read_snapshot(&client, &Quiet, None).await.unwrap();
    assert_eq!(first.sign_ins.len(), 2);
    clock.set("2026-11-20T13:00:00Z".parse().unwrap());
    fake.list(path, json!([row("new", "2026-11-20T11:00:00Z"), row("next", "2026-11-20T12:30:00Z")]));
    let second = read_snapshot(&client, &Quiet, Some(&first)).await.unwrap();
    let ids: Vec<&str> = second.sign_ins.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["old", "new", "next"]);
    assert!(fake.queries_of(path).last().unwrap().contains("2026-11-20T06:00:00Z"));
}

#[tokio::test]
async fn standing_is_read_afresh() {
    let fake = Fake::start().await;
    let id = "aaaaaaaa-0000-0000-0000-000000000001";
    let path = format!("{USER}/{id}/transitiveMemberOf");
    let role = "62E90394-69f5-4237-9190-012177145e10";
    let memberships = json!([
        {"@odata.type": "#microsoft.graph.directoryRole", "id": "x", "roleTemplateId": role},
        {"@odata.type": "#microsoft.graph.group", "id": "g1"},
        {"@odata.type": "#microsoft.graph.administrativeUnit", "id": "au"}
    ]);
    fake.list(&path, memberships);
    let (client, approvers) = (client(&fake), fake.config().who.approvers);
    let standing = client.standing_of(id).await.unwrap();
    assert!(standing.is_among(&approvers));
    assert_eq!(standing.groups.len(), 1);
    fake.list(&path, json!([]));
    assert!(!client.standing_of(id).await.unwrap().is_among(&approvers));
    assert!(matches!(client.standing_of("../groups").await, Err(GraphError::NotFound { .. })));
}

fn draft() -> ReportOnlyPolicy {
    let mut policy = Policy::default();
    policy.conditions.users.include.all = true;
    policy.conditions.applications.all = true;
    ReportOnlyPolicy::new(&policy, "Require MFA [pc-1]").unwrap()
}

fn writer(fake: &Fake) -> Writer {
    Writer::new(&fake.config(), &client(fake)).unwrap().unwrap()
}

#[tokio::test]
async fn a_lost_response_is_unknown_and_never_sent_twice() {
    let server_error = Answer::json(500, &json!({}));
    for answer in [Answer::reset(), server_error, Answer::json(503, &json!({})).with_retry_after("1")] {
        let fake = Fake::start().await;
        fake.on(POLICIES, move |_, _| answer.clone());
        assert_eq!(writer(&fake).create(&draft()).await, CreateOutcome::Unknown);
        assert_eq!(fake.count("POST", POLICIES), 1);
    }
}

#[tokio::test]
async fn a_throttled_request_had_no_effect_and_is_sent_again() {
    let fake = Fake::start().await;
    let tries = AtomicU64::new(0);
    fake.on(POLICIES, move |_, _| match tries.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::error(429, "TooManyRequests", "slow down"),
        1 => Answer::error(429, "TooManyRequests", "slow down").with_retry_after("0"),
        _ => Answer::json(201, &json!({"id": "p1"})),
    });
    assert_eq!(writer(&fake).create(&draft()).await, CreateOutcome::Created("p1".into()));
    assert_eq!(fake.count("POST", POLICIES), 3);
}

/// Until then what was checked before the request may hold no longer, so nothing is sent.
#[tokio::test]
async fn a_request_that_would_have_to_wait_too_long_is_refused_in_graph_s_words() {
    let fake = Fake::start().await;
    fake.on(POLICIES, |_, _| Answer::error(429, "TooManyRequests", "slow down").with_retry_after("600"));
    let CreateOutcome::NotSent(error) = writer(&fake).create(&draft()).await else { panic!("not refused") };
    assert!(error.to_string().contains("TooManyRequests: slow down"), "{error}");
    assert_eq!(fake.count("POST", POLICIES), 1);
}

#[tokio::test]
async fn a_token_that_is_not_accepted_any_more_is_renewed_once_before_a_policy_is_created() {
    let (fake, tries) = (Fake::start().await, AtomicU64::new(0));
    fake.on(POLICIES, move |_, _| match tries.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::error(401, "InvalidAuthenticationToken", "revoked"),
        _ => Answer::json(201, &json!({"id": "p1"})),
    });
    assert_eq!(writer(&fake).create(&draft()).await, CreateOutcome::Created("p1".into()));
    assert_eq!(fake.count("POST", POLICIES), 2);
    let never = Fake::start().await;
    never.on(POLICIES, |_, _| Answer::error(401, "InvalidAuthenticationToken", "revoked"));
    let outcome = writer(&never).create(&draft()).await;
    assert!(matches!(outcome, CreateOutcome::NotSent(GraphError::Unauthorised { .. })), "{outcome:?}");
    assert_eq!(never.count("POST", POLICIES), 2);
}

#[tokio::test]
async fn a_refusal_shows_the_message_as_it_came() {
    let fake = Fake::start().await;
    fake.on(POLICIES, |_, _| Answer::error(400, "BadRequest", "1007: does not match the schema"));
    let CreateOutcome::Rejected(error) = writer(&fake).create(&draft()).await else { panic!("not rejected") };
    assert!(error.to_string().contains("1007: does not match the schema"));
}

#[tokio::test]
async fn an_own_policy_is_created_read_back_found_and_removed_once() {
    let fake = Fake::start().await;
    fake.store_policies();
    let writer = writer(&fake);
    let CreateOutcome::Created(id) = writer.create(&draft()).await else { panic!("not created") };
    let found = writer.read_back(&id).await.unwrap();
    assert!(found.policy.same_meaning(draft().policy()));
    assert_eq!(writer.find_by_marker("[pc-1]").await.unwrap().len(), 1);
    assert!(writer.find_by_marker("[pc-2]").await.unwrap().is_empty());
    let own = OwnPolicy(Policy { id: id.clone(), ..draft().policy().clone() });
    fake.edit_policy(&id, "displayName", json!("Mine now"));
    let refusal = writer.remove(&own).await.unwrap_err();
    assert!(matches!(&refusal, RemoveError::Changed { difference } if difference.len() == 1), "{refusal}");
    fake.edit_policy(&id, "displayName", json!("Require MFA [pc-1]"));
    fake.edit_policy(&id, "state", json!("enabled"));
    assert_eq!(writer.remove(&own).await, Err(RemoveError::NotReportOnly));
    assert_eq!(fake.count("DELETE", &id), 0);
    fake.edit_policy(&id, "state", json!("enabledForReportingButNotEnforced"));
    assert_eq!(writer.remove(&own).await, Ok(Removal::Deleted));
    assert_eq!(writer.remove(&own).await, Ok(Removal::Gone));
    assert_eq!(fake.count("DELETE", &id), 1);
}

#[tokio::test]
async fn a_new_policy_is_looked_for_ever_more_rarely() {
    let fake = Fake::start().await;
    fake.store_policies();
    let id = "00000000-0000-0000-0000-00000000000a";
    assert!(matches!(writer(&fake).read_back(id).await, Err(GraphError::NotFound { .. })));
    let (graph, asked) = (fake.config().graph, fake.count("GET", id));
    let evenly = graph.lag_bound.as_millis() / graph.read_back.as_millis();
    assert!(asked > 5 && u128::try_from(asked).unwrap() < evenly / 3, "{asked} of {evenly}");
}

#[tokio::test]
async fn the_most_verbose_log_holds_neither_secret_nor_token() {
    let fake = Fake::start().await;
    fake.on("/v1.0/devices", |_, _| Answer::error(403, "Authorization_RequestDenied", "no"));
    let client = client(&fake);
    read_snapshot(&client, &Quiet, None).await.unwrap();
    writer(&fake).create(&draft()).await;
    let text = fake::logged();
    assert!(text.contains("Device.Read.All") && text.contains("TRACE"), "something is logged");
    assert!(!text.contains(fake::SECRET) && !text.contains(fake::TOKEN));
}

#[tokio::test]
async fn in_hand_over_mode_there_is_no_writer() {
    let fake = Fake::start().await;
    let mut config = fake.config();
    config.write.mode = portcullis::config::WriteMode::HandOver;
    assert!(Writer::new(&config, &client(&fake)).unwrap().is_none());
}
