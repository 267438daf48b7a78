//! A small tenant to ask about, as editable JSON in Graph's words, and the words of the card that answers.
//!
//! A test takes [`nordwerk`], changes a row if it wants to, and compares what [`said`] gives.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::app::App;
use crate::bot::access::Right;
use crate::bot::analysis::Analysis;
use crate::bot::answer::Answer;
use crate::bot::compose::{Composed, compose};
use crate::bot::intent::{Intent, Previous, Routed};
use crate::bot::lookup;
use crate::bot::reconcile::reconcile;
use crate::chat::card::{Action, Block, Card, Run};
use crate::chat::{Conversation, Person};
use crate::clock::Clock;
use crate::config::{Config, Loopback};
use crate::store::Store;
use crate::tenant::read::{
    read_audit, read_device, read_group, read_named_location, read_policy, read_registration, read_role,
    read_role_assignment, read_service_principal, read_sign_in, read_user,
};
use crate::tenant::{Kind, Reading, Snapshot, SnapshotBuilder};

use super::Asked;

/// Now, in every test: a Tuesday morning.
pub(crate) const NOW: &str = "2026-11-24T08:00:00Z";

/// App ids of the made-up tenant.
const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";
const SHAREPOINT: &str = "00000003-0000-0ff1-ce00-000000000000";
const SALESFORCE: &str = "app-salesforce";
const GLOBAL_ADMIN: &str = "62e90394-69f5-4237-9190-012177145e10";

/// The made-up tenant: lists of Graph objects by the names of a tenant folder's files, and `settings`; a test may add
/// `unread`, the names of kinds that were not read.
pub(crate) fn nordwerk() -> Value {
    json!({
        "users": users(),
        "groups": [
            {"id": "g-internals", "displayName": "CA-Internals", "members": ["g-sales", "u-bob", "u-dana"]},
            {"id": "g-sales", "displayName": "Sales-EMEA", "members": ["u-alice", "u-berg"]},
            {"id": "g-rollout", "displayName": "CA-Excl-MFA-Rollout", "members": ["u-bob"], "owners": ["u-dana"]},
            {"id": "g-breakglass", "displayName": "CA-BreakGlass", "members": ["u-bg1"]},
        ],
        "roleDefinitions": [{"id": GLOBAL_ADMIN, "templateId": GLOBAL_ADMIN, "displayName": "Global Administrator", "isBuiltIn": true}],
        "roleAssignments": [{"principalId": "u-dana", "roleDefinitionId": GLOBAL_ADMIN, "directoryScopeId": "/"}],
        "servicePrincipals": [
            {"id": "sp-exchange", "appId": EXCHANGE, "displayName": "Exchange Online"},
            {"id": "sp-sharepoint", "appId": SHAREPOINT, "displayName": "SharePoint Online"},
            {"id": "sp-salesforce", "appId": SALESFORCE, "displayName": "Salesforce"},
            {"id": "sp-sync", "appId": "app-sync", "displayName": "Nightly Sync", "signInAudience": "AzureADMyOrg"},
        ],
        "namedLocations": [
            {"@odata.type": "#microsoft.graph.ipNamedLocation", "id": "loc-hq", "displayName": "Head office", "isTrusted": true,
                "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24"}]},
        ],
        "policies": policies(),
        "devices": [
            {"id": "o-ipad", "deviceId": "d-ipad", "displayName": "AM-iPad", "isCompliant": false, "isManaged": true, "operatingSystem": "iPadOS"},
            {"id": "o-laptop", "deviceId": "d-laptop", "displayName": "AM-Laptop", "isCompliant": true, "isManaged": true, "operatingSystem": "Windows"},
        ],
        "userRegistrationDetails": [
            {"id": "u-alice", "isMfaCapable": true, "methodsRegistered": ["microsoftAuthenticatorPush"]},
            {"id": "u-berg", "isMfaCapable": true, "methodsRegistered": ["fido2SecurityKey"]},
            {"id": "u-bob", "isMfaCapable": false, "methodsRegistered": []},
        ],
        "signIns": sign_ins(),
        "directoryAudits": [
            {"id": "a-1", "activityDateTime": "2026-11-23T16:42:00Z", "activityDisplayName": "Update conditional access policy",
                "initiatedBy": {"user": {"id": "u-dana", "displayName": "Dana Admin", "userPrincipalName": "dana@nordwerk.example"}},
                "targetResources": [{"id": "p-mfa", "displayName": "CA200 – Require MFA", "type": "Policy", "modifiedProperties": []}]},
        ],
        "settings": {"emergencyAccess": ["u-bg1"]},
    })
}

fn users() -> Value {
    let user = |id: &str, name: &str, principal: &str| {
        json!({"id": id, "displayName": name, "userPrincipalName": format!("{principal}@nordwerk.example"),
            "accountEnabled": true, "userType": "Member", "createdDateTime": "2024-01-10T00:00:00Z"})
    };
    let mut list = vec![
        user("u-alice", "Alice Moreau", "alice.moreau"),
        user("u-berg", "Alice Berg", "alice.berg"),
        user("u-bob", "Bob Keller", "bob.keller"),
        user("u-dana", "Dana Admin", "dana"),
        user("u-dan", "Dan Gone", "dan.gone"),
        user("u-carol", "Carol Ng", "carol_partner.example#EXT#"),
        user("u-svc", "svc-backup", "svc-backup"),
        user("u-room", "Room Oslo", "room-oslo"),
        user("u-bg1", "Emergency 1", "emergency1"),
    ];
    list[2]["createdDateTime"] = json!("2026-05-04T00:00:00Z");
    list[4]["accountEnabled"] = json!(false);
    list[5]["userType"] = json!("Guest");
    list.into()
}

fn policies() -> Value {
    json!([
        {"id": "p-mfa", "displayName": "CA200 – Require MFA", "state": "enabled",
            "conditions": {"clientAppTypes": ["all"],
                "users": {"includeUsers": ["All"], "excludeGroups": ["g-rollout", "g-breakglass"]},
                "applications": {"includeApplications": ["All"], "excludeApplications": [SALESFORCE]}},
            "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
            "sessionControls": {"signInFrequency": {"isEnabled": true, "type": "hours", "value": 12}}},
        {"id": "p-device", "displayName": "CA205 – Require compliant device", "state": "enabled",
            "conditions": {"clientAppTypes": ["all"], "users": {"includeGroups": ["g-internals"]},
                "applications": {"includeApplications": [EXCHANGE, SHAREPOINT]}},
            "grantControls": {"operator": "OR", "builtInControls": ["compliantDevice"]}},
        {"id": "p-legacy", "displayName": "CA203 – Block legacy authentication", "state": "enabled",
            "conditions": {"clientAppTypes": ["exchangeActiveSync", "other"],
                "users": {"includeUsers": ["All"], "excludeUsers": ["u-svc"], "excludeGroups": ["g-breakglass"]},
                "applications": {"includeApplications": ["All"]}},
            "grantControls": {"operator": "OR", "builtInControls": ["block"]}},
        {"id": "p-flow", "displayName": "CA211 – Block device code flow", "state": "enabledForReportingButNotEnforced",
            "conditions": {"clientAppTypes": ["all"], "users": {"includeUsers": ["All"]},
                "applications": {"includeApplications": ["All"]},
                "authenticationFlows": {"transferMethods": "deviceCodeFlow"}},
            "grantControls": {"operator": "OR", "builtInControls": ["block"]}},
    ])
}

/// Who, when, with what, to what, from which device and place, and how it ended.
fn sign_ins() -> Value {
    let row = |id: &str, at: &str, user: &str, client: &str, code: i64| {
        json!({"id": id, "createdDateTime": at, "userId": user, "appId": "app-outlook", "appDisplayName": "Outlook",
            "resourceId": EXCHANGE, "resourceDisplayName": "Exchange Online", "clientAppUsed": client,
            "ipAddress": "198.51.100.20", "location": {"city": "Lyon", "countryOrRegion": "FR"},
            "status": {"errorCode": code}, "correlationId": format!("c-{id}"),
            "conditionalAccessStatus": if code == 0 { "success" } else { "failure" }, "authenticationRequirement": "singleFactorAuthentication"})
    };
    let modern = "Mobile Apps and Desktop clients";
    let mut rows = Vec::new();
    for (id, at) in [("s-1", "2026-11-23T09:12:00Z"), ("s-2", "2026-11-23T09:13:00Z"), ("s-3", "2026-11-23T09:14:00Z")]
    {
        let mut blocked = row(id, at, "u-alice", modern, 53000);
        blocked["deviceDetail"] =
            json!({"deviceId": "d-ipad", "displayName": "AM-iPad", "operatingSystem": "iOS", "isCompliant": false});
        blocked["appliedConditionalAccessPolicies"] = json!([
            {"id": "p-mfa", "result": "success", "enforcedGrantControls": ["Mfa"]},
            {"id": "p-device", "result": "failure", "enforcedGrantControls": ["RequireCompliantDevice"]}]);
        rows.push(blocked);
    }
    let mut laptop = row("s-4", "2026-11-23T09:20:00Z", "u-alice", modern, 0);
    laptop["deviceDetail"] =
        json!({"deviceId": "d-laptop", "displayName": "AM-Laptop", "operatingSystem": "Windows", "isCompliant": true});
    laptop["authenticationRequirement"] = json!("multiFactorAuthentication");
    rows.push(laptop);
    rows.push(row("s-5", "2026-11-20T07:00:00Z", "u-svc", "IMAP4", 0));
    let mut by_itself = row("s-6", "2026-11-21T07:00:00Z", "u-svc", "IMAP4", 0);
    by_itself["isInteractive"] = json!(false);
    rows.push(by_itself);
    let mut code = row("s-7", "2026-11-22T10:00:00Z", "u-bob", modern, 0);
    code["authenticationProtocol"] = json!("deviceCode");
    rows.push(code);
    rows.push(row("s-8", "2026-11-24T07:30:00Z", "u-bob", "Browser", 50126));
    rows.into()
}

/// The tenant as the bot would have read it at [`NOW`], with a log of 30 days.
pub(crate) fn snapshot(tenant: &Value) -> Snapshot {
    let list = |name: &str| tenant[name].as_array().cloned().unwrap_or_default();
    let mut builder = SnapshotBuilder::default();
    list("users").iter().for_each(|value| builder.user(read_user(value).unwrap()));
    list("groups").iter().for_each(|value| builder.group(read_group(value).unwrap()));
    list("roleDefinitions").iter().for_each(|value| builder.role(read_role(value).unwrap()));
    list("roleAssignments").iter().for_each(|value| builder.role_assignment(read_role_assignment(value).unwrap()));
    list("servicePrincipals")
        .iter()
        .for_each(|value| builder.service_principal(read_service_principal(value).unwrap()));
    list("namedLocations").iter().for_each(|value| builder.location(read_named_location(value).unwrap()));
    list("policies").iter().for_each(|value| builder.policy(read_policy(value).unwrap()));
    list("devices").iter().for_each(|value| builder.device(read_device(value).unwrap()));
    list("userRegistrationDetails").iter().for_each(|value| builder.registration(read_registration(value).unwrap()));
    list("signIns").iter().for_each(|value| builder.sign_in(read_sign_in(value).unwrap()));
    list("directoryAudits").iter().for_each(|value| builder.audit(read_audit(value).unwrap().unwrap()));
    builder.snapshot.settings = serde_json::from_value(tenant["settings"].clone()).unwrap();
    let read = [
        Kind::Policies,
        Kind::Users,
        Kind::Groups,
        Kind::RoleDefinitions,
        Kind::RoleAssignments,
        Kind::ServicePrincipals,
        Kind::NamedLocations,
        Kind::Devices,
        Kind::UserRegistrationDetails,
        Kind::SignIns,
        Kind::DirectoryAudits,
    ];
    let unread = |kind: &Kind| tenant["unread"].as_array().is_some_and(|kinds| kinds.contains(&json!(kind)));
    let read = read.into_iter().filter(|kind| !unread(kind));
    read.for_each(|kind| builder.reading(kind, Reading::Complete { count: 1 }));
    builder.snapshot.tenant_name = "Nordwerk".into();
    builder.snapshot.read_at = NOW.parse().unwrap();
    builder.snapshot.window = Some(("2026-10-25T08:00:00Z".parse().unwrap(), NOW.parse().unwrap()));
    builder.build()
}

/// An app without a live tenant, with an empty store in memory.
pub(crate) async fn app() -> App {
    let nowhere = "http://127.0.0.1:9";
    let config = Config::loopback(Loopback {
        graph: nowhere,
        login: nowhere,
        tenant_id: "11111111-1111-4111-8111-111111111111",
        client_id: "22222222-2222-4222-8222-222222222222",
        client_secret: "made-up",
        store: "sqlite::memory:",
    });
    App::new(config.unwrap(), Clock::fixed(NOW.parse().unwrap()), Store::in_memory().await.unwrap()).unwrap()
}

/// An app that has judged the small tenant once, so that suggestions are kept.
pub(crate) async fn judged() -> App {
    let app = app().await;
    let tenant = nordwerk();
    let now = app.clock.now();
    let analysis = Analysis::of(Arc::new(snapshot(&tenant)), "hash".into(), &app.config.thresholds, now);
    reconcile(&app, &analysis).await.unwrap();
    app
}

/// A question, how it is meant, and the turn before it.
pub(crate) struct Question<'a> {
    /// What is typed.
    pub(crate) text: &'a str,
    /// What it asks for; routing has tests of its own.
    pub(crate) intent: Intent,
    /// The turn before.
    pub(crate) previous: Option<Previous>,
}

/// The answer of `app`, put together.
pub(crate) async fn answered(app: &App, tenant: &Value, question: Question<'_>) -> (Answer, Composed) {
    let answer = asking(app, tenant, question, async |asked| super::answer(asked).await.unwrap()).await;
    let composed = compose(answer.clone(), None, &app.wording).unwrap();
    (answer, composed)
}

/// What the next question may refer to after this one.
pub(crate) async fn subject_after(tenant: &Value, question: Question<'_>) -> String {
    asking(&app().await, tenant, question, async |asked| super::subject_of(asked)).await
}

/// Asks a question of `app`.
async fn asking<T>(app: &App, tenant: &Value, question: Question<'_>, then: impl AsyncFnOnce(Asked<'_>) -> T) -> T {
    let now = app.clock.now();
    let analysis = Analysis::of(Arc::new(snapshot(tenant)), "hash-of-this-reading".into(), &app.config.thresholds, now);
    let read = lookup::route(analysis.snapshot(), question.text, question.previous.as_ref());
    let routed = Routed { intent: question.intent, ..read };
    then(Asked {
        app,
        analysis: &analysis,
        text: question.text,
        routed: &routed,
        previous: question.previous.as_ref(),
        person: &Person { id: "u-dana".into(), name: "Dana Admin".into(), platform_id: "u-dana".into() },
        right: Right::Decide,
        conversation: &Conversation { platform: "web".into(), id: "dana".into(), personal: true, ..Default::default() },
        now,
    })
    .await
}

/// The words of the answer to a question of this intent.
pub(crate) async fn said(tenant: &Value, intent: Intent, text: &str) -> String {
    let question = Question { text, intent, previous: None };
    words(&answered(&app().await, tenant, question).await.1.card)
}

/// The words of the answer to a question that follows on a turn about `subject`.
pub(crate) async fn said_after(tenant: &Value, intent: Intent, subject: &str, text: &str) -> String {
    let previous = Some(Previous { intent, subject: subject.into() });
    words(&answered(&app().await, tenant, Question { text, intent, previous }).await.1.card)
}

/// A card as lines of text: citations as `[1]`, buttons as `(Label)` at the foot, then what each citation opens.
pub(crate) fn words(card: &Card) -> String {
    let mut text = String::new();
    card.title.iter().for_each(|title| writeln!(text, "# {title}").unwrap());
    card.blocks.iter().for_each(|block| text.push_str(&block_words(block)));
    let buttons: Vec<String> = card.actions.iter().map(label).collect();
    if !buttons.is_empty() {
        writeln!(text, "{}", buttons.join(" ")).unwrap();
    }
    card.citations.iter().for_each(|one| writeln!(text, "[{}] {} · {}", one.number, one.title, one.about).unwrap());
    text
}

fn block_words(block: &Block) -> String {
    let lines: Vec<String> = match block {
        Block::Heading { text } => vec![format!("## {text}")],
        Block::Text { runs, .. } => vec![run_words(runs)],
        Block::Rows { rows } => rows.iter().map(|row| format!("{}: {}", row.label, run_words(&row.runs))).collect(),
        Block::Items { items, .. } => items.iter().map(|item| format!("- {}", run_words(&item.runs))).collect(),
        Block::Table { columns, rows, more } => {
            let titles: Vec<&str> = columns.iter().map(|column| column.title.as_str()).collect();
            let cells = rows.iter().map(|row| format!("| {}", row.join(" | ")));
            let rest = (*more > 0).then(|| format!("| … {more} more"));
            [format!("| {}", titles.join(" | "))].into_iter().chain(cells).chain(rest).collect()
        }
        Block::Bars { bars } => {
            bars.iter().map(|bar| format!("{}: {} of {} {}", bar.label, bar.value, bar.of, bar.note)).collect()
        }
        Block::Change { rows } => {
            rows.iter().map(|row| format!("{}: {:?} → {:?}", row.label, row.before, row.after)).collect()
        }
        Block::Code { language, text } => vec![format!("{language}: {text}")],
    };
    lines.iter().fold(String::new(), |text, line| text + line + "\n")
}

fn run_words(runs: &[Run]) -> String {
    let run = |run: &Run| {
        let cites: String = run.cites.iter().map(|cite| format!("[{cite}]")).collect();
        if cites.is_empty() { run.text.clone() } else { format!("{} {cites}", run.text) }
    };
    runs.iter().map(run).collect()
}

fn label(action: &Action) -> String {
    let (Action::Press { label, .. }
    | Action::Ask { label, .. }
    | Action::Open { label, .. }
    | Action::Csv { label, .. }) = action;
    format!("({label})")
}
