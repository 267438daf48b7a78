//! Drafts put together by chance: what the lint lets pass, the demo's Graph takes.

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use portcullis::clock::Clock;
use portcullis::config::{Config, WriteMode};
use portcullis::demo::random::mix;
use portcullis::demo::{Options, Seed, Service, Tenant};
use portcullis::graph::{Client, CreateOutcome, Quiet, Writer, read_snapshot};
use portcullis::suggestions::draft::needs_beta;
use portcullis::suggestions::lint::is_acceptable;

use super::at_demo;
use super::*;

/// So many drafts; most break a rule.
const DRAFTS: u64 = 6_000;

struct Graph {
    service: Service,
    config: Config,
    client: Client,
}

impl Graph {
    async fn start() -> Self {
        let today: Timestamp = "2026-11-24T08:30:00Z".parse().unwrap();
        let options = Options {
            tenant: Tenant::generate(&Seed { users: 50, seed: 1, today }),
            port: 0,
            record_dir: std::env::var_os("PORTCULLIS_RECORD").map(Into::into),
            clock: Arc::new(move || today),
        };
        let service = Service::start(options).await.unwrap();
        let mut config = at_demo::config(&service);
        config.write.mode = WriteMode::App;
        config.tenant.settings.emergency_access.insert(service.emergency_group.clone());
        let client = Client::new(&config, Clock::fixed(today)).unwrap();
        Self { service, config, client }
    }

    fn writer(&self) -> Writer {
        Writer::new(&self.config, &self.client).unwrap().unwrap()
    }
}

/// What may stand at a path, for each path.
fn choices(emergency: &str) -> Vec<(&'static str, Vec<Value>)> {
    let guests = |kinds: &str, tenants: Value| json!({"guestOrExternalUserTypes": kinds, "externalTenants": tenants});
    let named = json!({"@odata.type": "#microsoft.graph.conditionalAccessEnumeratedExternalTenants",
        "membershipKind": "enumerated", "members": ["0bd7b7a9-0000-4000-8000-000000000001"]});
    let filter = |mode: &str, rule: &str| json!({"deviceFilter": {"mode": mode, "rule": rule}});
    let attribute = "CustomSecurityAttribute.A_B -eq \"x\"";
    let exchange = "00000002-0000-0ff1-ce00-000000000000";
    let everybody = |more: Value| {
        let mut users = json!({"includeUsers": ["All"], "excludeGroups": [emergency]});
        users.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        users
    };
    vec![
        (
            "conditions.users",
            vec![
                json!({"includeUsers": ["None"]}),
                json!({"includeUsers": ["All"]}),
                json!({"includeUsers": ["GuestsOrExternalUsers"], "excludeGroups": [emergency]}),
                json!({"includeRoles": [well_known::GLOBAL_ADMINISTRATOR], "excludeGroups": [emergency]}),
                json!({"includeGuestsOrExternalUsers": guests("internalGuest,serviceProvider", named.clone())}),
                json!({"includeGuestsOrExternalUsers": guests("internalGuest", Value::Null)}),
                json!({"includeGuestsOrExternalUsers": guests("none", Value::Null)}),
                everybody(json!({"excludeGuestsOrExternalUsers": guests("serviceProvider", named)})),
                everybody(json!({"includeUsers": ["All", "None"]})),
                everybody(json!({"excludeUsers": ["00000000-0000-0000-0000-00000000dead"]})),
                everybody(json!({"excludeRoles": ["00000000-0000-0000-0000-00000000dead"]})),
            ],
        ),
        (
            "conditions.applications",
            vec![
                json!({"includeApplications": ["Office365"]}),
                json!({"includeApplications": [exchange]}),
                json!({"includeApplications": ["All"], "excludeApplications": [exchange]}),
                json!({"includeApplications": ["None"]}),
                json!({"includeApplications": ["MicrosoftAdminPortals", exchange]}),
                json!({"includeApplications": ["All"], "applicationFilter": {"mode": "exclude", "rule": attribute}}),
                json!({"includeApplications": [exchange], "applicationFilter": {"mode": "include", "rule": attribute}}),
                json!({"applicationFilter": {"mode": "include", "rule": attribute}}),
                json!({"applicationFilter": {"mode": "exclude", "rule": attribute}}),
                json!({"includeUserActions": [well_known::REGISTER_DEVICE]}),
                json!({"includeUserActions": [well_known::REGISTER_SECURITY_INFO]}),
                json!({"includeAuthenticationContextClassReferences": ["c1"]}),
                json!({"includeAuthenticationContextClassReferences": ["c3"]}),
            ],
        ),
        (
            "conditions.clientApplications",
            vec![json!({"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]}), json!({}), Value::Null],
        ),
        (
            "conditions.clientAppTypes",
            [
                &["browser"][..],
                &["exchangeActiveSync"],
                &["easSupported"],
                &["exchangeActiveSync", "other"],
                &["easSupported", "browser"],
                &["mobileAppsAndDesktopClients"],
                &[],
            ]
            .map(|kinds| json!(kinds))
            .into(),
        ),
        (
            "conditions.platforms",
            vec![
                json!({"includePlatforms": ["all"], "excludePlatforms": ["iOS"]}),
                json!({"includePlatforms": ["windows"]}),
                json!({"includePlatforms": ["linux", "macOS"]}),
                json!({"includePlatforms": ["iOS", "windows"]}),
                json!({"excludePlatforms": ["iOS"]}),
                json!({"includePlatforms": ["windowsPhone"]}),
            ],
        ),
        (
            "conditions.locations",
            vec![
                json!({"includeLocations": ["AllTrusted"]}),
                json!({"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}),
                json!({"includeLocations": ["All"], "excludeLocations": ["All"]}),
                json!({"excludeLocations": ["AllTrusted"]}),
                json!({"includeLocations": ["00000000-0000-0000-0000-000000000000"]}),
                json!({"includeLocations": ["00000000-0000-0000-0000-00000000dead"]}),
            ],
        ),
        (
            "conditions.devices",
            vec![
                filter("exclude", "device.isCompliant -eq True"),
                filter("include", "device.trustType -ne \"ServerAD\" -or -not (device.model in [\"a\", 'b'])"),
                filter("include", "device.displayName -match \"x\""),
                filter("include", "device.isCompliant -contains \"True\""),
                filter("exclude", "device.physicalIds -contains \"[OrderId]:x\""),
                filter("exclude", ""),
                json!({"deviceFilter": null}),
            ],
        ),
        ("conditions.signInRiskLevels", vec![json!(["high"]), json!(["none", "low"])]),
        ("conditions.userRiskLevels", vec![json!(["high"]), json!(["medium", "high"])]),
        ("conditions.servicePrincipalRiskLevels", vec![json!(["high"])]),
        ("conditions.insiderRiskLevels", vec![json!("elevated"), json!("minor,moderate")]),
        (
            "conditions.authenticationFlows",
            vec![
                json!({"transferMethods": "deviceCodeFlow,authenticationTransfer"}),
                json!({"transferMethods": "none"}),
            ],
        ),
        (
            "grantControls",
            vec![
                json!({"operator": "OR", "builtInControls": ["block"]}),
                json!({"operator": "OR", "builtInControls": ["block"]}),
                json!({"operator": "AND", "builtInControls": ["mfa", "compliantDevice"]}),
                json!({"operator": "AND", "builtInControls": ["mfa", "passwordChange"]}),
                json!({"operator": "OR", "builtInControls": ["passwordChange"]}),
                json!({"operator": "OR", "builtInControls": ["riskRemediation"]}),
                json!({"operator": "OR", "builtInControls": ["compliantApplication"]}),
                json!({"operator": "OR", "builtInControls": ["compliantApplication", "domainJoinedDevice"]}),
                json!({"operator": "OR", "builtInControls": ["approvedApplication"]}),
                json!({"operator": "OR", "authenticationStrength": {"id": well_known::STRENGTH_PHISHING_RESISTANT}}),
                json!({"operator": "AND", "builtInControls": ["passwordChange"],
                    "authenticationStrength": {"id": well_known::STRENGTH_MFA}}),
                json!({"operator": "OR", "builtInControls": [], "customAuthenticationFactors": ["x"]}),
                json!({"operator": "OR", "builtInControls": []}),
                Value::Null,
            ],
        ),
        (
            "sessionControls",
            vec![
                json!({"persistentBrowser": {"isEnabled": true, "mode": "never"}}),
                json!({"applicationEnforcedRestrictions": {"isEnabled": true}}),
                json!({"cloudAppSecurity": {"isEnabled": true, "cloudAppSecurityType": "monitorOnly"}}),
                json!({"signInFrequency": {"isEnabled": true, "type": "hours", "value": 4}}),
                json!({"signInFrequency": {"isEnabled": true, "type": "days", "value": 365}}),
                json!({"signInFrequency": {"isEnabled": true, "type": "days", "value": 400}}),
                json!({"signInFrequency": {"isEnabled": true, "frequencyInterval": "everyTime"}}),
                json!({"signInFrequency": {"isEnabled": true, "frequencyInterval": "everyTime",
                    "authenticationType": "secondaryAuthentication"}}),
                json!({"signInFrequency": {"isEnabled": false, "type": "hours", "value": 4}}),
                json!({"secureSignInSession": {"isEnabled": true}}),
                json!({"disableResilienceDefaults": true}),
                json!({"disableResilienceDefaults": false}),
            ],
        ),
    ]
}

/// The draft of this number: the good one, with a few members drawn anew.
fn drawn(number: u64, choices: &[(&str, Vec<Value>)], emergency: &str) -> Value {
    let mut changes = json!({"conditions.users": {"includeUsers": ["All"], "excludeGroups": [emergency]}});
    for (at, (path, values)) in (0_u64..).zip(choices) {
        let roll = mix(&[number, at]);
        if roll.is_multiple_of(4) {
            let which = usize::try_from(roll / 4).unwrap() % values.len();
            changes[path] = values.get(which).cloned().unwrap();
        }
    }
    changed(&changes)
}

#[tokio::test]
async fn graph_takes_every_draft_that_no_rule_refuses() {
    let graph = Graph::start().await;
    let (snapshot, writer) = (read_snapshot(&graph.client, &Quiet, None).await.unwrap(), graph.writer());
    let choices = choices(&graph.service.emergency_group);
    let (mut taken, mut refused) = (0, String::new());
    for number in 0..DRAFTS {
        let body = drawn(number, &choices, &graph.service.emergency_group);
        let Ok(policy) = read_policy(&body) else { continue };
        let Ok(draft) = ReportOnlyPolicy::new(&policy, &format!("Draft {number}")) else { continue };
        if needs_beta(&policy) || !is_acceptable(draft.policy(), &snapshot) {
            continue;
        }
        match writer.create(&draft).await {
            CreateOutcome::Created(_) => taken += 1,
            other => writeln!(refused, "{other:?}: {}", draft.body()).unwrap(),
        }
        graph.service.state().tenant().policies.truncate(snapshot.policies.len());
    }
    assert_eq!(refused, "", "{taken} were taken");
    assert!(taken > 200, "only {taken} of {DRAFTS} break no rule");
}
