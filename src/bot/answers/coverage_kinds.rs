//! Gaps by kind: apps that nobody is asked at, workload identities, risk levels, platforms and authentication flows.

use std::collections::BTreeSet;

use roaring::RoaringBitmap;

use crate::bot::answer::{Answer, Part, ask, column, number_column};
use crate::bot::describe;
use crate::checks::accounts::Accounts;
use crate::checks::rows;
use crate::engine::{Applies, Requirement, Scope, UnmetKind};
use crate::facts::{Fact, Row, Term};
use crate::tenant::policy::{Platform, PolicyState, RiskLevel, TransferMethod};
use crate::tenant::sign_in::Target;
use crate::tenant::{Kind, Policy, ServicePrincipal, SignIn, how_many};

use super::{Asked, unread};

/// Policies that are On.
fn on(asked: Asked<'_>) -> impl Iterator<Item = &Policy> + Clone {
    asked.analysis.snapshot().policies.iter().filter(|policy| policy.state == PolicyState::Enabled)
}

fn limits(asked: Asked<'_>, what: &[&str]) -> Part {
    let what: Vec<String> = what.iter().map(|one| (*one).to_owned()).collect();
    Part::Limits(asked.not_checked(&what).into_iter().chain([asked.read_at()]).collect())
}

/// Apps at which no policy that is On, and that blocks or asks for something, reaches most people and guests.
pub(super) fn apps(asked: Asked<'_>) -> Answer {
    if let Some(back) = unread::back(asked, &[Kind::ServicePrincipals, Kind::Users]) {
        return *back;
    }
    let snapshot = asked.analysis.snapshot();
    let resources = snapshot.directory.service_principals.iter().filter(|app| app.enabled && app.kind == "Application");
    let apps: Vec<&ServicePrincipal> = resources.collect();
    let everybody = Accounts::of(&asked.analysis.model.default_users(), &asked.analysis.model, asked.now).humans();
    let left = |app: &ServicePrincipal| (&everybody - reached(asked, &app.app_id)).len();
    let left = apps.iter().map(|app| (*app, left(app)));
    let open: Vec<(&ServicePrincipal, u64)> = left.filter(|(_, left)| left * 2 > everybody.len()).collect();
    let row = |(app, _): &(&ServicePrincipal, u64)| Row::Object {
        what: "App".into(),
        id: app.app_id.clone(),
        name: app.display_name.clone(),
        note: format!("{} sign-ins in the log", uses(asked, &app.app_id)),
    };
    let evidence = open.iter().map(row).chain(controlling(asked).map(rows::policy));
    let total = Fact::new("coverage.apps", asked.analysis.evidence(evidence).within(snapshot.window))
        .with("count", open.len())
        .with("of", apps.len())
        .with("policies", controlling(asked).count())
        .must_show();
    let mut lines: Vec<(u64, Vec<String>)> = open
        .iter()
        .map(|(app, left)| (uses(asked, &app.app_id), *left, app.display_name.clone()))
        .map(|(uses, left, name)| (uses, vec![name, format!("{left} of {}", everybody.len()), uses.to_string()]))
        .collect();
    lines.sort_by_key(|(uses, _)| std::cmp::Reverse(*uses));
    let rows = lines.into_iter().map(|(_, line)| line).collect();
    let columns = vec![column("App"), column("People and guests not reached"), number_column("Sign-ins in the log")];
    let answer = Answer::sentences(vec![total]).table("apps-without-a-policy", columns, rows, 10);
    let what =
        ["apps that have no service principal here", "under which conditions the policies that reach an app apply"];
    answer
        .part(limits(asked, &what))
        .action(ask("Excluded apps", "which apps are excluded from policies?"))
        .action(ask("Who is not covered by MFA?", "who is not covered by MFA?"))
}

/// Policies that are On, are about people and block or ask for something: session controls alone keep nobody out.
fn controlling(asked: Asked<'_>) -> impl Iterator<Item = &Policy> + Clone {
    let controls = |policy: &&Policy| policy.grant.as_ref().is_some_and(|grant| !grant.controls.is_empty());
    on(asked).filter(|policy| policy.conditions.client_applications.is_none()).filter(controls)
}

/// Everybody whom one of these policies surely takes in at an app.
fn reached(asked: Asked<'_>, app_id: &str) -> RoaringBitmap {
    let model = &asked.analysis.model;
    let outcome = model.evaluate(&SignIn { target: Target::Apps(vec![app_id.to_owned()]), ..SignIn::default() });
    let away = |policy: &Policy| {
        let one = outcome.policies.iter().find(|one| one.policy_id == policy.id);
        one.is_none_or(|one| matches!(one.applies, Applies::No(UnmetKind::Application | UnmetKind::EmptyPolicy)))
    };
    let reaching = controlling(asked).filter(|policy| !away(policy));
    reaching.fold(RoaringBitmap::new(), |all, policy| all | model.users_of(&policy.id).0)
}

fn uses(asked: Asked<'_>, app_id: &str) -> u64 {
    let sign_ins = asked.analysis.snapshot().sign_ins.iter();
    how_many(sign_ins.filter(|row| row.resource_ids.iter().any(|id| id == app_id)))
}

/// Workload identities: which policies reach them, and which of them can't be reached at all.
pub(super) fn workloads(asked: Asked<'_>) -> Answer {
    if let Some(back) = unread::back(asked, &[Kind::ServicePrincipals]) {
        return *back;
    }
    let snapshot = asked.analysis.snapshot();
    let principals = &snapshot.directory.service_principals;
    let managed = principals.iter().filter(|one| one.kind == "ManagedIdentity").count();
    let own: Vec<&ServicePrincipal> =
        principals.iter().filter(|one| one.single_tenant && one.kind != "ManagedIdentity").collect();
    let about: Vec<&Policy> = on(asked).filter(|policy| policy.conditions.client_applications.is_some()).collect();
    let names_it = |one: &ServicePrincipal| {
        let named = about.iter().filter_map(|policy| policy.conditions.client_applications.as_ref());
        let mut named = named.filter(|apps| !apps.exclude.contains(&one.id));
        named.any(|apps| apps.include.contains(&one.id) || apps.include.contains("ServicePrincipalsInMyTenant"))
    };
    let left: Vec<&ServicePrincipal> = own.iter().copied().filter(|one| !names_it(one)).collect();
    let row = |one: &&ServicePrincipal| Row::Object {
        what: "Service principal".into(),
        id: one.id.clone(),
        name: one.display_name.clone(),
        note: String::new(),
    };
    let evidence = about.iter().map(|policy| rows::policy(policy)).chain(left.iter().map(row));
    let total = Fact::new("coverage.workloads", asked.analysis.evidence(evidence))
        .with("policies", about.len())
        .with("left", left.len())
        .with("own", own.len())
        .with("managed", managed)
        .with("shared", principals.len() - own.len() - managed)
        .with("names", Term::Names(left.iter().map(|one| one.display_name.clone()).collect()))
        .must_show();
    Answer::sentences(vec![total])
        .part(limits(asked, &["filters over custom security attributes", "sign-ins of service principals (not read)"]))
}

/// Which risk levels a policy that is On names, and which none does.
pub(super) fn risks(asked: Asked<'_>) -> Answer {
    type Levels = fn(&Policy) -> &BTreeSet<RiskLevel>;
    let kinds: [(&str, Levels); 2] = [
        ("Sign-in risk", |policy| &policy.conditions.sign_in_risk),
        ("User risk", |policy| &policy.conditions.user_risk),
    ];
    let levels = [("low", RiskLevel::Low), ("medium", RiskLevel::Medium), ("high", RiskLevel::High)];
    let mut items = Vec::new();
    let mut open = 0_usize;
    for (kind, of) in kinds {
        for (word, level) in levels {
            let naming: Vec<&Policy> = on(asked).filter(|policy| of(policy).contains(&level)).collect();
            open += usize::from(naming.is_empty());
            let fact =
                Fact::new("coverage.risk", asked.analysis.evidence(naming.iter().map(|policy| rows::policy(policy))))
                    .with("kind", Term::Word(kind.to_owned()))
                    .with("level", Term::Word(word.to_owned()))
                    .with("policies", Term::Names(naming.iter().map(|policy| policy.display_name.clone()).collect()));
            items.push((fact, Vec::new()));
        }
    }
    let total = Fact::new("coverage.risks", asked.analysis.evidence(on(asked).map(rows::policy)))
        .with("open", open)
        .with("of", items.len())
        .must_show();
    Answer::sentences(vec![total]).part(Part::List { ordered: false, items }).part(limits(
        asked,
        &["whether a policy that names a level reaches everybody", "insider risk and risk of service principals"],
    ))
}

/// Holes by user, platform and flow: how many people and guests no policy makes use MFA, or blocks, there.
pub(super) fn conditions(asked: Asked<'_>) -> Answer {
    if let Some(back) = unread::back(asked, &[Kind::Users]) {
        return *back;
    }
    let platforms =
        [Platform::Windows, Platform::MacOs, Platform::Ios, Platform::Android, Platform::Linux, Platform::All];
    let mut lines = vec![line(asked, "All sign-ins", &Requirement::Mfa, &Scope::default())];
    for platform in platforms {
        let name = if platform == Platform::All { "Unknown platform" } else { describe::platform_word(platform) };
        let scope = Scope { platforms: [platform].into(), ..Scope::default() };
        lines.push(line(asked, name, &Requirement::Mfa, &scope));
    }
    let flows = [
        ("Device code flow", TransferMethod::DeviceCodeFlow),
        ("Authentication transfer", TransferMethod::AuthenticationTransfer),
    ];
    for (name, flow) in flows {
        let scope = Scope { flows: [flow].into(), ..Scope::default() };
        lines.push(line(asked, &format!("{name}, not blocked"), &Requirement::Block, &scope));
    }
    let total = Fact::new("coverage.conditions", asked.analysis.evidence(on(asked).map(rows::policy)))
        .with("policies", on(asked).count())
        .must_show();
    let columns =
        vec![column("Where"), number_column("People"), number_column("Guests"), number_column("Other accounts")];
    Answer::sentences(vec![total])
        .part(Part::Table { columns, rows: lines, more: 0 })
        .part(limits(
            asked,
            &["who the partner technicians (GDAP) and B2B direct connect users are: they have no account here"],
        ))
        .action(ask("Users", "who is not covered by MFA?"))
        .action(ask("Apps", "which apps does no policy cover?"))
        .action(ask("Risk levels", "which risk levels does no policy cover?"))
}

/// A line of the table.
fn line(asked: Asked<'_>, name: &str, requirement: &Requirement, scope: &Scope) -> Vec<String> {
    let coverage = asked.analysis.model.coverage(requirement, scope);
    let accounts = Accounts::of(&coverage.uncovered, &asked.analysis.model, asked.now);
    let other = accounts.service.len() + accounts.rooms.len() + accounts.emergency.len();
    let numbers = [accounts.people.len(), accounts.guests.len(), other];
    [name.to_owned()].into_iter().chain(numbers.iter().map(ToString::to_string)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::bot::answers::testing::{nordwerk, said};
    use crate::bot::intent::Intent;

    async fn about(text: &str) -> String {
        said(&nordwerk(), Intent::CoverageGaps, text).await
    }

    #[tokio::test]
    async fn workload_identities() {
        insta::assert_snapshot!(about("do workload identities escape everything?").await, @r"
        No policy that is On covers workload identities; those for users never follow a service principal. 1 of 1 service principal of this tenant's own apps are in none (Nightly Sync). Conditional Access can't reach 3 service principals of other or several tenants. [1]
        Not checked: filters over custom security attributes and sign-ins of service principals (not read). Read Tue 24 Nov 08:00.
        [1] 1 of 1 service principals in no policy · 1 row
        ");
    }

    #[tokio::test]
    async fn risk_levels() {
        insta::assert_snapshot!(about("is there a risk level nobody thought of?").await, @r#"
        6 of 6 risk levels are named by no policy that is On. Levels are separate: "medium" doesn't cover "high". [1]
        - Sign-in risk low: no policy
        - Sign-in risk medium: no policy
        - Sign-in risk high: no policy
        - User risk low: no policy
        - User risk medium: no policy
        - User risk high: no policy
        Not checked: whether a policy that names a level reaches everybody and insider risk and risk of service principals. Read Tue 24 Nov 08:00.
        [1] 6 of 6 risk levels in no policy · 3 policies
        "#);
    }

    #[tokio::test]
    async fn holes_by_platform_and_flow() {
        insta::assert_snapshot!(about("show me the holes in our setup").await, @r"
        Accounts with at least one sign-in, to any app, that none of the 3 policies which are On makes use MFA, by platform; and those that may use each authentication flow: [1]
        | Where | People | Guests | Other accounts
        | All sign-ins | 4 | 1 | 3
        | Windows | 4 | 1 | 3
        | macOS | 4 | 1 | 3
        | iOS | 4 | 1 | 3
        | Android | 4 | 1 | 3
        | Linux | 4 | 1 | 3
        | Unknown platform | 4 | 1 | 3
        | Device code flow, not blocked | 4 | 1 | 3
        | Authentication transfer, not blocked | 4 | 1 | 3
        Not checked: who the partner technicians (GDAP) and B2B direct connect users are: they have no account here. Read Tue 24 Nov 08:00.
        (Users) (Apps) (Risk levels)
        [1] Holes by platform and authentication flow · 3 policies
        ");
    }

    #[tokio::test]
    async fn apps_that_no_policy_touches() {
        let text = "are there any applications that no policy touches at all?";
        let mut tenant = nordwerk();
        let words = about(text).await;
        assert!(
            words.starts_with("Each of 4 apps is reached, for most people and guests, by one of the 3 policies"),
            "{words}"
        );
        tenant["policies"][2]["conditions"]["applications"]["excludeApplications"] = json!(["app-salesforce"]);
        let words = said(&tenant, Intent::CoverageGaps, text).await;
        assert!(words.starts_with("1 of 4 apps") && words.contains("| Salesforce | 5 of 5 | 0"), "{words}");
    }

    #[tokio::test]
    async fn what_is_left_to_most_people_is_not_covered_by_the_few() {
        let text = "which apps have no policy?";
        let mut tenant = nordwerk();
        // The legacy block no longer reaches Salesforce; a session control for everybody and a block for one group do.
        tenant["policies"][2]["conditions"]["applications"]["excludeApplications"] = json!(["app-salesforce"]);
        let on_salesforce = |id: &str, users: serde_json::Value| {
            json!({"id": id, "displayName": id, "state": "enabled",
                "conditions": {"clientAppTypes": ["all"], "users": users, "applications": {"includeApplications": ["app-salesforce"]}}})
        };
        let mut session = on_salesforce("session", json!({"includeUsers": ["All"]}));
        session["sessionControls"] = json!({"signInFrequency": {"isEnabled": true, "type": "hours", "value": 4}});
        let mut few = on_salesforce("few", json!({"includeGroups": ["g-rollout"]}));
        few["grantControls"] = json!({"operator": "OR", "builtInControls": ["block"]});
        tenant["policies"].as_array_mut().unwrap().extend([session, few]);
        let words = said(&tenant, Intent::CoverageGaps, text).await;
        assert!(words.contains("| Salesforce | 4 of 5 | 0"), "{words}");
    }

    #[tokio::test]
    async fn apps_that_were_not_read_are_not_covered() {
        let mut tenant = nordwerk();
        tenant["unread"] = json!(["servicePrincipals", "users"]);
        let words = said(&tenant, Intent::CoverageGaps, "which apps have no policy?").await;
        assert!(
            words.starts_with("Not known: servicePrincipals.json was not read and users.json was not read."),
            "{words}"
        );
    }
}
