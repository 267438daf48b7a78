//! The Graph client against the demo's tenant: the whole way from the token to the snapshot and back to a policy.

use std::sync::Arc;

use jiff::Timestamp;
use portcullis::clock::Clock;
use portcullis::config::{Config, Loopback};
use portcullis::demo::{Options, Seed, Service, Tenant};
use portcullis::graph::{Client, Quiet, read_snapshot};
use portcullis::tenant::{Kind, Reading, Snapshot};

const TODAY: &str = "2026-11-24T08:30:00Z";

struct Demo {
    service: Service,
    config: Config,
    client: Client,
}

async fn demo(users: u32) -> Demo {
    let today: Timestamp = TODAY.parse().unwrap();
    let options = Options {
        tenant: Tenant::generate(&Seed { users, seed: 1, today }),
        port: 0,
        record_dir: std::env::var_os("PORTCULLIS_RECORD").map(Into::into),
        clock: Arc::new(move || today),
    };
    let service = Service::start(options).await.unwrap();
    let config = Config::loopback(Loopback {
        graph: service.graph_base(),
        login: service.base_url(),
        tenant_id: &service.tenant_id,
        client_id: &service.client_id,
        client_secret: &service.client_secret,
        store: "sqlite::memory:",
    })
    .unwrap();
    let client = Client::new(&config, Clock::fixed(today)).unwrap();
    Demo { service, config, client }
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
    let logs = [Kind::SignIns, Kind::DirectoryAudits];
    let kinds = read.readings.keys().filter(|kind| !logs.contains(kind));
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
    Devices 692
    UserRegistrationDetails 500
    RiskyUsers 2
    SubscribedSkus 2
    IdentitySecurityDefaultsEnforcementPolicy 1
    ");
    assert_eq!(read.directory.users.len(), 500);
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
