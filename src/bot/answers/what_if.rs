//! "What if Bob signs in from Brazil?": a sign-in test against the policies as read; what isn't said stays open.

use std::collections::BTreeSet;

use crate::bot::analysis::Analysis;
use crate::bot::answer::{Answer, Part, ask};
use crate::bot::intent::SlotName;
use crate::checks::rows;
use crate::engine::evaluate::{Demand, demand};
use crate::engine::{Applies, Decision, Outcome, UnmetKind};
use crate::facts::{Evidence, Fact, Row, Term};
use crate::tenant::policy::{ClientAppType, Operator};
use crate::tenant::sign_in::{Identity, Known};
use crate::tenant::{Policy, SignIn};

use super::named::Back;
use super::stated::{self, Stated};
use super::{Answering, Asked, named, scope};

/// Policies that don't apply are listed up to this many.
const LISTED: usize = 8;

/// Tests the sign-in that the question describes.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move { Ok(of(asked).unwrap_or_else(|back| *back)) })
}

fn of(asked: Asked<'_>) -> Result<Answer, Back> {
    let slots = named::slots(asked, SlotName::User);
    let stated = stated::read(asked, &slots)?;
    if stated.sign_in.identity == Identity::Unstated {
        return Err(Box::new(named::missing("what_if.who")));
    }
    let outcome = asked.analysis.model.evaluate(&stated.sign_in);
    let disabled = stated.user.is_some_and(|user| !user.enabled);
    let mut opening = vec![tested(asked, &stated), decision(asked.analysis, &outcome, disabled)];
    opening.extend(cannot(asked, &stated.sign_in, &outcome));
    let mut answer = Answer::sentences(opening);
    let listed = |report_only: bool, wanted: fn(&Applies) -> bool| -> Vec<_> {
        let policies = outcome.policies.iter().filter(|one| one.report_only == report_only && wanted(&one.applies));
        policies.filter_map(|one| Some((judged(asked, &stated, &one.policy_id, &one.applies)?, Vec::new()))).collect()
    };
    let applies: fn(&Applies) -> bool = |applies| *applies == Applies::Yes;
    let open: fn(&Applies) -> bool = |applies| matches!(applies, Applies::DependsOn(_) | Applies::NotDecided(_));
    let not: fn(&Applies) -> bool = |applies| matches!(applies, Applies::No(_));
    let parts = [
        ("Applies", listed(false, applies)),
        ("Depends on what the question leaves open", listed(false, open)),
        ("In report-only: logged, not enforced", [listed(true, applies), listed(true, open)].concat()),
    ];
    for (heading, items) in parts.into_iter().filter(|(_, items)| !items.is_empty()) {
        answer = answer.part(Part::Heading(heading.into())).part(Part::List { ordered: false, items });
    }
    let out = listed(false, not);
    if out.len() <= LISTED && !out.is_empty() {
        answer = answer.part(Part::Heading("Doesn't apply".into())).part(Part::List { ordered: false, items: out });
    }
    let limits = ["location by GPS, Intune's compliance grace periods, and MFA that a session already has".to_owned()];
    let limits = asked.not_checked(&limits).into_iter().chain([asked.read_at()]).collect();
    Ok(answer
        .part(Part::Limits(limits))
        .action(ask("From an unmanaged device", again(asked, "from an unmanaged device")))
        .action(ask("High sign-in risk", again(asked, "with high sign-in risk"))))
}

/// The same question with one thing more.
fn again(asked: Asked<'_>, more: &str) -> String {
    format!("{}, {more}", asked.text.trim_end_matches(['?', '.', ' ']))
}

/// What was understood.
fn tested(asked: Asked<'_>, stated: &Stated<'_>) -> Fact {
    let snapshot = asked.analysis.snapshot();
    let index = stated.user.and_then(|user| snapshot.directory.user_index(&user.id));
    let user: Vec<Row> =
        index.map(|index| rows::users(&[index].into_iter().collect(), snapshot, None).collect()).unwrap_or_default();
    Fact::new("what_if.tested", asked.analysis.evidence(user))
        .with("what", Term::Names(stated.understood.clone()))
        .must_show()
}

/// What the policies that are On come to for one sign-in.
pub(crate) fn decision(analysis: &Analysis, outcome: &Outcome, disabled: bool) -> Fact {
    let snapshot = analysis.snapshot();
    let policies = |ids: &[&str]| ids.iter().filter_map(|id| snapshot.policy(id)).collect::<Vec<&Policy>>();
    let names = |policies: &[&Policy]| Term::Names(policies.iter().map(|policy| policy.display_name.clone()).collect());
    let evidence = |policies: &[&Policy]| analysis.evidence(policies.iter().map(|policy| rows::policy(policy)));
    let looked_at = outcome.policies.iter().filter(|one| !one.report_only).count();
    let fact = match &outcome.decision {
        Decision::Block { by } => {
            let by = policies(&by.iter().map(String::as_str).collect::<Vec<_>>());
            Fact::new("what_if.block", evidence(&by)).with("policies", names(&by))
        }
        Decision::Require(demands) => {
            let by = policies(&demands.iter().map(|demand| demand.policy_id.as_str()).collect::<Vec<_>>());
            Fact::new("what_if.require", evidence(&by)).with("policies", names(&by))
        }
        Decision::DependsOn { on, surely } => {
            let open = outcome.policies.iter().filter(|one| {
                !one.report_only && matches!(one.applies, Applies::DependsOn(_) | Applies::NotDecided(_))
            });
            let open = policies(&open.map(|one| one.policy_id.as_str()).collect::<Vec<_>>());
            let sure = policies(&surely.iter().map(|demand| demand.policy_id.as_str()).collect::<Vec<_>>());
            let both: Vec<&Policy> = sure.iter().chain(&open).copied().collect();
            Fact::new("what_if.depends", evidence(&both)).with("on", unknown(on)).with("policies", names(&sure))
        }
        Decision::Allow => {
            let all: Vec<&str> =
                outcome.policies.iter().filter(|one| !one.report_only).map(|one| one.policy_id.as_str()).collect();
            Fact::new("what_if.allow", evidence(&policies(&all)))
        }
    };
    fact.with("of", looked_at).with("disabled", Term::Word(if disabled { "yes" } else { "" }.to_owned())).must_show()
}

fn unknown(on: &BTreeSet<String>) -> Term {
    Term::Names(on.iter().cloned().collect())
}

/// What surely is demanded and can't be met with the device or client that the question states.
fn cannot(asked: Asked<'_>, sign_in: &SignIn, outcome: &Outcome) -> Option<Fact> {
    let (Decision::Require(demands) | Decision::DependsOn { surely: demands, .. }) = &outcome.decision else {
        return None;
    };
    let snapshot = asked.analysis.snapshot();
    let unmet: Vec<&Policy> = demands
        .iter()
        .filter(|demand| hopeless(demand, sign_in))
        .filter_map(|demand| snapshot.policy(&demand.policy_id))
        .collect();
    let names: Vec<String> = unmet.iter().map(|policy| policy.display_name.clone()).collect();
    (!unmet.is_empty()).then(|| {
        Fact::new("what_if.cannot", asked.analysis.evidence(unmet.iter().map(|policy| rows::policy(policy))))
            .with("policies", Term::Names(names))
            .must_show()
    })
}

/// Whether a demand can't be met: by all of its controls, or by all alternatives.
fn hopeless(demand: &Demand, sign_in: &SignIn) -> bool {
    let legacy = matches!(sign_in.client_app, Known::Is(ClientAppType::Other | ClientAppType::ExchangeActiveSync));
    let never = |control: &String| match (control.as_str(), &sign_in.device) {
        ("compliantDevice" | "domainJoinedDevice", Known::Absent) => true,
        ("compliantDevice", Known::Is(device)) if device.compliant == Some(false) => true,
        ("mfa", _) => matches!(sign_in.client_app, Known::Is(ClientAppType::Other)),
        ("compliantDevice" | "domainJoinedDevice" | "passwordChange", _) => legacy,
        _ => false,
    };
    match demand.operator {
        Operator::And => demand.controls.iter().any(never),
        Operator::Or => demand.controls.iter().all(never),
    }
}

/// One policy: what it asks for, what it hangs on, or the first thing that keeps it away.
fn judged(asked: Asked<'_>, stated: &Stated<'_>, id: &str, applies: &Applies) -> Option<Fact> {
    let snapshot = asked.analysis.snapshot();
    let policy = snapshot.policy(id)?;
    let index = stated.user.and_then(|user| snapshot.directory.user_index(&user.id));
    let excluded = index.and_then(|index| scope::way(&policy.conditions.users.exclude, index, snapshot));
    let included = index.and_then(|index| scope::way(&policy.conditions.users.include, index, snapshot));
    let way = if matches!(applies, Applies::No(_)) { excluded } else { included };
    let evidence = match index {
        Some(index) => asked.analysis.evidence(scope::rows(policy, way.as_ref(), index, snapshot)),
        None => asked.analysis.evidence([rows::policy(policy)]),
    };
    Some(
        worded(applies, evidence, policy)
            .with("policy", Term::Name(policy.display_name.clone()))
            .with("asks", Term::Name(scope::asks(policy, snapshot)))
            .with("way", way.map_or_else(|| Term::Word(String::new()), |way| way.term())),
    )
}

fn worded(applies: &Applies, evidence: Evidence, policy: &Policy) -> Fact {
    match applies {
        Applies::Yes if demand(policy).is_none() => Fact::new("what_if.session", evidence),
        Applies::Yes => Fact::new("what_if.applies", evidence),
        Applies::DependsOn(on) => Fact::new("what_if.open", evidence).with("on", unknown(on)),
        Applies::NotDecided(on) => Fact::new("what_if.not_decided", evidence).with("on", unknown(on)),
        Applies::No(UnmetKind::Users) => Fact::new("what_if.not_users", evidence),
        Applies::No(kind) => Fact::new("what_if.not", evidence).with("kind", Term::Word(kind_word(*kind).to_owned())),
    }
}

/// The portal's word for a kind of condition.
pub(crate) fn kind_word(kind: UnmetKind) -> &'static str {
    match kind {
        UnmetKind::Users | UnmetKind::AgentIdentities => "Users",
        UnmetKind::WorkloadIdentities => "Workload identities",
        UnmetKind::Application => "Target resources",
        UnmetKind::UserActions => "User actions",
        UnmetKind::AuthenticationContext => "Authentication context",
        UnmetKind::DevicePlatform => "Device platforms",
        UnmetKind::Devices => "Filter for devices",
        UnmetKind::ClientApps => "Client apps",
        UnmetKind::Location => "Network",
        UnmetKind::SignInRisk => "Sign-in risk",
        UnmetKind::UserRisk => "User risk",
        UnmetKind::ServicePrincipalRisk => "Service principal risk",
        UnmetKind::InsiderRisk => "Insider risk",
        UnmetKind::AuthenticationFlow => "Authentication flows",
        UnmetKind::AgentIdRisk => "Agent risk",
        UnmetKind::EmptyPolicy => "it asks for nothing",
        UnmetKind::PolicyNotEnabled => "it is Off",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::bot::answers::testing::{nordwerk, said, said_after};
    use crate::bot::intent::Intent;

    async fn about(text: &str) -> String {
        said(&nordwerk(), Intent::WhatIf, text).await
    }

    #[tokio::test]
    async fn an_unmanaged_device_cannot_meet_what_is_asked() {
        insta::assert_snapshot!(about("what if Alice Moreau opens Exchange Online from Brazil on an unmanaged iPad?").await, @r"
        Sign-in test: Alice Moreau, to Exchange Online, from Brazil (BR), at no address of a named location, on iOS, from an unregistered device and neither device code flow nor authentication transfer. [1] It depends on the client app, which the question leaves open. Whatever that is, CA200 – Require MFA and CA205 – Require compliant device must be met. 3 policies that are On were looked at. [2] With that device or client they can't meet CA205 – Require compliant device, so they would be stopped. [3]
        ## Applies
        - CA200 – Require MFA: Require multifactor authentication · Sign-in frequency: 12 hours (in it as one of all users) [4]
        - CA205 – Require compliant device: Require device to be marked as compliant (in it through Sales-EMEA → CA-Internals) [5]
        ## Depends on what the question leaves open
        - CA203 – Block legacy authentication: Block access, if the client app is as it says [6]
        Not checked: location by GPS, Intune's compliance grace periods, and MFA that a session already has. Read Tue 24 Nov 08:00.
        (From an unmanaged device) (High sign-in risk)
        [1] The sign-in tested · 1 account
        [2] Depends on the client app · 3 policies
        [3] CA205 – Require compliant device can't be met · 1 policy
        [4] CA200 – Require MFA: Require multifactor authentication · Sign-in frequency: 12 hours (in it as one of all users) · 2 rows
        [5] CA205 – Require compliant device: Require device to be marked as compliant (in it through Sales-EMEA → CA-Internals) · 2 rows
        [6] CA203 – Block legacy authentication: Block access, if the client app is as it says · 2 rows
        ");
    }

    #[tokio::test]
    async fn an_excluded_person_gets_in_with_a_password() {
        insta::assert_snapshot!(about("what if Bob Keller opens Salesforce in a browser?").await, @r"
        Sign-in test: Bob Keller, to Salesforce, by Browser (browser) and neither device code flow nor authentication transfer. [1] They get in with a password alone: none of the 3 policies that are On asks for anything. [2]
        ## Doesn't apply
        - CA200 – Require MFA: excluded through CA-Excl-MFA-Rollout [3]
        - CA205 – Require compliant device: Target resources [4]
        - CA203 – Block legacy authentication: Client apps [5]
        Not checked: location by GPS, Intune's compliance grace periods, and MFA that a session already has. Read Tue 24 Nov 08:00.
        (From an unmanaged device) (High sign-in risk)
        [1] The sign-in tested · 1 account
        [2] None of 3 policies asks for anything · 3 policies
        [3] CA200 – Require MFA: excluded through CA-Excl-MFA-Rollout · 2 rows
        [4] CA205 – Require compliant device: Target resources · 2 rows
        [5] CA203 – Block legacy authentication: Client apps · 2 rows
        ");
    }

    #[tokio::test]
    async fn a_legacy_client_is_blocked() {
        insta::assert_snapshot!(about("simulate: user=Dana Admin, app=Exchange Online, client=IMAP, ip=203.0.113.45").await, @r"
        Sign-in test: Dana Admin, to Exchange Online, from 203.0.113.45, by Other clients (imap) and neither device code flow nor authentication transfer. [1] Blocked by CA203 – Block legacy authentication (of 3 policies that are On). [2]
        ## Applies
        - CA200 – Require MFA: Require multifactor authentication · Sign-in frequency: 12 hours (in it as one of all users) [3]
        - CA205 – Require compliant device: Require device to be marked as compliant (in it through CA-Internals) [4]
        - CA203 – Block legacy authentication: Block access (in it as one of all users) [5]
        Not checked: location by GPS, Intune's compliance grace periods, and MFA that a session already has. Read Tue 24 Nov 08:00.
        (From an unmanaged device) (High sign-in risk)
        [1] The sign-in tested · 1 account
        [2] Blocked by CA203 – Block legacy authentication · 1 policy
        [3] CA200 – Require MFA: Require multifactor authentication · Sign-in frequency: 12 hours (in it as one of all users) · 2 rows
        [4] CA205 – Require compliant device: Require device to be marked as compliant (in it through CA-Internals) · 2 rows
        [5] CA203 – Block legacy authentication: Block access (in it as one of all users) · 2 rows
        ");
    }

    #[tokio::test]
    async fn a_follow_up_takes_over_what_it_leaves_out() {
        let words =
            said_after(&nordwerk(), Intent::WhatIf, "Dana Admin, Salesforce, Brazil", "and from an Android").await;
        assert!(words.contains("Dana Admin") && words.contains("Android") && words.contains("Brazil (BR)"), "{words}");
    }

    #[tokio::test]
    async fn small_letters_name_person_place_and_device() {
        let words = about("what happens if alice moreau signs in from russia on an android").await;
        assert!(
            words.starts_with(
                "Sign-in test: Alice Moreau, from russia (RU), at no address of a named location, on Android"
            ),
            "{words}"
        );
    }

    #[tokio::test]
    async fn the_exclusion_decides() {
        let text = "what if Bob Keller opens SharePoint in a browser?";
        let mut tenant = nordwerk();
        assert!(about(text).await.contains("excluded through CA-Excl-MFA-Rollout"));
        tenant["groups"][2]["members"] = json!([]);
        assert!(!said(&tenant, Intent::WhatIf, text).await.contains("CA-Excl-MFA-Rollout"));
    }
}
