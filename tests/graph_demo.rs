//! The Graph client against the demo's tenant: the whole way from the token to the snapshot and back to a policy.

#[path = "graph_demo/alert.rs"]
mod alert;
mod at_demo;
mod conforms;
#[path = "graph_demo/delta.rs"]
mod delta;
#[path = "graph_demo/limits.rs"]
mod limits;
#[path = "conforms/requests.rs"]
mod requests;
#[path = "graph_demo/snapshots.rs"]
mod snapshots;

use std::sync::Arc;

use jiff::{Timestamp, ToSpan};
use portcullis::clock::Clock;
use portcullis::config::Config;
use portcullis::demo::{Options, Seed, Service, Tenant, places};
use portcullis::graph::{Client, CreateOutcome, OwnPolicy, Quiet, Removal, RemoveError, Writer, read_snapshot};
use portcullis::suggestions::draft::ReportOnlyPolicy;
use portcullis::tenant::policy::{Control, GrantControls, Operator};
use portcullis::tenant::{Kind, Policy, Reading, Snapshot, read_policy};
use serde_json::json;

const TODAY: &str = "2026-11-24T08:30:00Z";

const MARKER: &str = "[pc-7f3a]";

struct Demo {
    service: Service,
    config: Config,
    client: Client,
    clock: Clock,
}

impl Demo {
    fn writer(&self) -> Writer {
        Writer::new(&self.config, &self.client).unwrap().unwrap()
    }

    /// MFA for everybody but the emergency access accounts.
    fn draft(&self) -> ReportOnlyPolicy {
        let mut policy = Policy::default();
        policy.conditions.users.include.all = true;
        policy.conditions.users.exclude.groups.insert(self.service.emergency_group.clone());
        policy.conditions.applications.all = true;
        policy.grant = Some(GrantControls { operator: Operator::Or, controls: [Control::Mfa].into() });
        ReportOnlyPolicy::new(&policy, &format!("Require MFA {MARKER}")).unwrap()
    }

    fn misbehave(&self, faults: serde_json::Value) {
        let body = serde_json::from_value(faults).unwrap();
        self.service.state().faults().clone_from(&body);
    }

    /// Rows that the tenant's logs hold: sign-ins, audit records.
    fn log_sizes(&self) -> (u64, u64) {
        let tenant = self.service.state().tenant();
        let sign_ins = tenant.sign_ins.rows(&tenant, 0, Timestamp::UNIX_EPOCH).count();
        (sign_ins.try_into().unwrap(), tenant.audits.len().try_into().unwrap())
    }

    fn requests(&self, method: &str) -> usize {
        self.service.state().requests().iter().filter(|request| request["method"] == method).count()
    }
}

async fn demo(users: u32) -> Demo {
    demo_with(users, |_| {}).await
}

/// A tenant whose reader is configured in some other way.
async fn demo_with(users: u32, configure: impl FnOnce(&mut Config)) -> Demo {
    let today: Timestamp = TODAY.parse().unwrap();
    let clock = Clock::fixed(today);
    let options = Options {
        tenant: Tenant::generate(&Seed { users, seed: 1, today }),
        port: 0,
        record_dir: std::env::var_os("PORTCULLIS_RECORD").map(Into::into),
        clock: Arc::new({
            let clock = clock.clone();
            move || clock.now()
        }),
    };
    let service = Service::start(options).await.unwrap();
    let mut config = at_demo::config(&service);
    configure(&mut config);
    let client = Client::new(&config, clock.clone()).unwrap();
    Demo { service, config, client, clock }
}

fn count(snapshot: &Snapshot, kind: Kind) -> u64 {
    match snapshot.readings.get(&kind) {
        Some(Reading::Complete { count }) => *count,
        other => panic!("{kind:?}: {other:?}"),
    }
}

#[tokio::test]
async fn the_whole_tenant_is_read() {
    let demo = demo(500).await;
    let read = read_snapshot(&demo.client, &Quiet, None).await.unwrap();
    // Graph gives terms of use to signed-in people only, and this is an app.
    assert!(matches!(&read.readings[&Kind::TermsOfUse], Reading::Absent { reason } if !reason.is_empty()));
    let apart = [Kind::SignIns, Kind::DirectoryAudits, Kind::TermsOfUse];
    let kinds = read.readings.keys().filter(|kind| !apart.contains(kind));
    let counts: Vec<String> = kinds.map(|kind| format!("{kind:?} {}", count(&read, *kind))).collect();
    insta::assert_snapshot!(counts.join("\n"), @r"
    Policies 25
    Users 500
    Groups 23
    RoleAssignments 19
    RoleDefinitions 20
    ServicePrincipals 34
    NamedLocations 5
    AuthenticationStrengthPolicies 4
    AuthenticationContextClassReferences 3
    Devices 712
    UserRegistrationDetails 500
    RiskyUsers 2
    SubscribedSkus 2
    IdentitySecurityDefaultsEnforcementPolicy 1
    CrossTenantAccessPolicy 2
    ");
    assert_eq!(read.directory.users.len(), 500);
    let (sign_ins, audits) = demo.log_sizes();
    assert_eq!((count(&read, Kind::SignIns), count(&read, Kind::DirectoryAudits)), (sign_ins, audits));
    assert!(sign_ins > 1_000 && audits > 0, "more than one page of sign-ins: {sign_ins}");
    let named = read.policies.iter().flat_map(|policy| &policy.conditions.users.exclude.groups);
    for group in named.filter_map(|id| read.directory.groups.get(id)) {
        assert!(group.transitive.is_some(), "members of {} were read", group.display_name);
    }
}

#[tokio::test]
async fn the_people_of_the_demo_stand_as_they_should() {
    let demo = demo(50).await;
    for person in &demo.service.people {
        let standing = demo.client.standing_of(&person.id).await.unwrap();
        let (decides, asks) =
            (standing.is_among(&demo.config.who.approvers), standing.is_among(&demo.config.who.readers));
        let expected = match person.role {
            "administrator" | "approver" => (true, true),
            "reader" => (false, true),
            _ => (false, false),
        };
        assert_eq!((decides, asks || decides), expected, "{}", person.name);
    }
}

#[tokio::test]
async fn a_second_reading_asks_for_the_new_part_of_the_logs_and_is_the_same() {
    let demo = demo(50).await;
    let first = read_snapshot(&demo.client, &Quiet, None).await.unwrap();
    let second = read_snapshot(&demo.client, &Quiet, Some(&first)).await.unwrap();
    assert!(first.sign_ins == second.sign_ins && first.audits == second.audits);
    assert!(!first.sign_ins.is_empty() && !first.audits.is_empty());
}

#[tokio::test]
async fn a_policy_is_created_read_back_and_taken_back_and_the_audit_log_tells() {
    let demo = demo(50).await;
    let (writer, draft) = (demo.writer(), demo.draft());
    let since = demo.clock.now();
    let CreateOutcome::Created(id) = writer.create(&draft).await else { panic!("not created") };
    let found = writer.read_back(&id).await.unwrap();
    assert!(found.policy.same_meaning(draft.policy()), "{}", found.raw);
    assert_eq!(found.raw["state"], "enabledForReportingButNotEnforced");
    assert_eq!(demo.client.policies().await.unwrap().len(), 26);
    let own = OwnPolicy(Policy { id: id.clone(), ..draft.policy().clone() });
    assert_eq!(writer.remove(&own).await, Ok(Removal::Deleted));
    assert_eq!(demo.client.policies().await.unwrap().len(), 25);
    let records = demo.client.audits_since(since).await.unwrap();
    let told: Vec<&str> =
        records.iter().filter(|record| record.target_id == id).map(|record| &*record.activity).collect();
    assert_eq!(told, ["Add conditional access policy", "Delete conditional access policy"]);
    assert_eq!(requests::writes(&demo.service.state().requests()), 2, "both conform to Graph's schema");
}

/// Graph keeps a policy in other words than it was sent in: flags in another order, nulls for empty lists, `OR` for a lone
/// `AND`. Read back, it is still what was sent, and so it may be taken back.
#[tokio::test]
async fn what_graph_rewrites_is_still_what_was_sent() {
    let demo = demo(50).await;
    let terms = places::agreement(demo.service.state().tenant().people.ids);
    let guests = json!({"guestOrExternalUserTypes": "b2bCollaborationGuest,b2bCollaborationMember,serviceProvider"});
    let sent = json!({"displayName": "x", "state": "enabledForReportingButNotEnforced", "conditions": {
        "users": {"includeUsers": ["All"], "excludeGuestsOrExternalUsers": guests,
            "excludeGroups": [demo.service.emergency_group]},
        "applications": {"includeApplications": ["All"]}, "insiderRiskLevels": "minor,moderate,elevated",
        "authenticationFlows": {"transferMethods": "authenticationTransfer,deviceCodeFlow"},
        "platforms": {"includePlatforms": ["iOS", "android"]}, "locations": {"includeLocations": ["AllTrusted"]}},
        "grantControls": {"operator": "AND", "builtInControls": ["mfa"], "termsOfUse": [terms]}});
    let writer = demo.writer();
    for (grant, operator) in
        [(sent["grantControls"].clone(), "AND"), (json!({"operator": "AND", "termsOfUse": [terms]}), "OR")]
    {
        let mut sent = sent.clone();
        sent["grantControls"] = grant;
        let draft = ReportOnlyPolicy::new(&read_policy(&sent).unwrap(), "Rewritten").unwrap();
        let CreateOutcome::Created(id) = writer.create(&draft).await else { panic!("not created") };
        let found = writer.read_back(&id).await.unwrap();
        let types = "/conditions/users/excludeGuestsOrExternalUsers/guestOrExternalUserTypes";
        assert_ne!(found.raw.pointer(types), draft.body().pointer(types), "the test would show nothing");
        assert_eq!(found.raw["grantControls"]["operator"], operator);
        assert!(found.policy.same_meaning(draft.policy()), "{}", found.raw);
        writer.remove(&OwnPolicy(Policy { id, ..draft.policy().clone() })).await.unwrap();
    }
}

/// The answer is lost and readers see the policy two seconds late: it is looked for, and there is one.
#[tokio::test]
async fn a_lost_answer_is_found_by_its_marker_and_never_repeated() {
    let demo = demo(50).await;
    demo.misbehave(json!({"loseResponses": 1, "readLagMs": 2_000}));
    let writer = demo.writer();
    assert_eq!(writer.create(&demo.draft()).await, CreateOutcome::Unknown);
    assert!(writer.find_by_marker(MARKER).await.unwrap().is_empty(), "not visible yet");
    demo.clock.set(demo.clock.now() + 3.seconds());
    assert_eq!(writer.find_by_marker(MARKER).await.unwrap().len(), 1);
    assert_eq!(demo.requests("POST"), 1);
}

#[tokio::test]
async fn a_lost_answer_to_a_deletion_is_not_repeated_either() {
    let demo = demo(50).await;
    let writer = demo.writer();
    let CreateOutcome::Created(id) = writer.create(&demo.draft()).await else { panic!("not created") };
    let own = OwnPolicy(Policy { id, ..demo.draft().policy().clone() });
    demo.misbehave(json!({"loseResponses": 1}));
    assert_eq!(writer.remove(&own).await, Err(RemoveError::Unknown));
    assert_eq!(writer.remove(&own).await, Ok(Removal::Gone), "it is gone");
    assert_eq!(demo.requests("DELETE"), 1);
}

#[tokio::test]
async fn a_draft_that_graph_refuses_shows_graph_s_own_words() {
    let demo = demo(50).await;
    let nobody = ReportOnlyPolicy::new(&Policy::default(), "Nothing").unwrap();
    let CreateOutcome::Rejected(error) = demo.writer().create(&nobody).await else { panic!("not refused") };
    insta::assert_snapshot!(error, @"Microsoft Graph rejects the request (400 BadRequest): The server could not process the request because it is malformed or incorrect. Invalid users.");
}
