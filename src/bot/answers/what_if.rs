//! "What if Bob signs in from Brazil?": a sign-in test against the policies as read; what isn't said stays open. What is
//! certain comes first, then what hangs on something.

use crate::bot::analysis::Analysis;
use crate::bot::answer::{Answer, Part, ask};
use crate::bot::describe;
use crate::bot::intent::{SlotName, Slots};
use crate::bot::lookup;
use crate::checks::rows;
use crate::engine::evaluate::demand;
use crate::engine::{Applies, Decision, Outcome, PolicyOutcome, UnmetKind};
use crate::facts::{Evidence, Fact, Row, Term};
use crate::tenant::sign_in::{Identity, Known};
use crate::tenant::{Policy, SignIn, Snapshot};

use super::named::Back;
use super::stated::{self, Stated};
use super::{Answering, Asked, named, scope};

mod alike;
mod anybody;
pub(crate) mod cannot;
pub(crate) mod hinges;
mod resources;

use hinges::Hinges;

/// Policies that don't apply are listed up to this many, unless every policy is asked for.
const LISTED: usize = 8;

/// Tests the sign-in that the question describes.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move { Ok(of(asked).unwrap_or_else(|back| *back)) })
}

/// What the question says of the sign-in and, where it goes on with another, what that said of the rest. Whoever signs in is
/// said once: a person instead of a class, or the other way round.
pub(super) fn slots(asked: Asked<'_>) -> Slots {
    const WHO: [SlotName; 2] = [SlotName::User, SlotName::Group];
    let mut slots = asked.routed.slots.clone();
    let Some(subject) = asked.subject() else { return slots };
    let says_who = WHO.iter().any(|name| slots.contains_key(name));
    let before = lookup::route(asked.analysis.snapshot(), &format!("what if {subject} signs in"), None).slots;
    for (name, values) in before.into_iter().filter(|(name, _)| !says_who || !WHO.contains(name)) {
        slots.entry(name).or_insert(values);
    }
    slots
}

fn of(asked: Asked<'_>) -> Result<Answer, Back> {
    let slots = slots(asked);
    let stated = stated::read(asked, &slots)?;
    if stated.sign_in.identity == Identity::Unstated {
        if let (Known::Is(code), true) = (&stated.sign_in.country, anybody::is_meant(asked.text)) {
            return Ok(anybody::from_country(asked, code));
        }
        return Err(Box::new(named::missing("what_if.who")));
    }
    let outcome = asked.analysis.model.evaluate(&stated.sign_in);
    let disabled = stated.user.is_some_and(|user| !user.enabled);
    let decided = resources::blocked(asked, &stated, &outcome)
        .unwrap_or_else(|| vec![decision(asked.analysis, (&stated.sign_in, &outcome), disabled)]);
    let opening = [tested(asked, &stated)].into_iter().chain(decided).chain(cannot::said(
        asked.analysis,
        &stated.sign_in,
        &outcome,
    ));
    // Each policy's own controls are beside its name.
    let opening = opening.chain(sessions(asked.analysis, &outcome).filter(|fact| fact.evidence.total > 1));
    let answer = policies(asked, &stated, &outcome, Answer::sentences(opening.collect()));
    let limits = ["location by GPS, Intune's compliance grace periods, and MFA that a session already has".to_owned()];
    let limits = asked.not_checked(&limits).into_iter().chain([asked.read_at()]).collect();
    Ok(answer
        .part(Part::Limits(limits))
        .action(ask("From an unmanaged device", again(asked, "from an unmanaged device")))
        .action(ask("High sign-in risk", again(asked, "with high sign-in risk"))))
}

/// Where a policy stands in the answer: the first wins.
const PARTS: [&str; 5] = [
    "Applies",
    "Applies at its target resources",
    "Depends on what the question leaves open",
    "Depends on what was not read or needs a manual look",
    "In report-only: logged, nothing asked for",
];

/// Every policy under its heading, the most telling first.
fn policies(asked: Asked<'_>, stated: &Stated<'_>, outcome: &Outcome, mut answer: Answer) -> Answer {
    let mut ranked: Vec<_> = outcome.policies.iter().filter_map(|one| Some((rank(asked, stated, one)?, one))).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    let told = |one: &PolicyOutcome| judged(asked, stated, &one.policy_id, &one.applies);
    for (at, heading) in PARTS.into_iter().enumerate() {
        let of_part = ranked.iter().filter(|((part, ..), _)| *part == at);
        answer = alike::list(asked, answer, heading, of_part.filter_map(|(_, one)| told(one)).collect());
    }
    let away = || outcome.policies.iter().filter(|one| !one.report_only && matches!(one.applies, Applies::No(_)));
    if away().count() <= LISTED || alike::wants_every(asked) {
        return alike::list(asked, answer, "Doesn't apply", away().filter_map(told).collect());
    }
    let answer = answer.part(Part::Heading("Doesn't apply".into()));
    alike::folded(asked, answer, Vec::new(), ("what_if.away", away().count()))
}

/// The part in which a policy is listed, and its place there: what blocks goes first, then what hangs on the fewest
/// things. None for one that doesn't apply.
fn rank(asked: Asked<'_>, stated: &Stated<'_>, one: &PolicyOutcome) -> Option<(usize, bool, usize)> {
    let snapshot = asked.analysis.snapshot();
    let (part, open) = match &one.applies {
        Applies::No(_) => return None,
        Applies::Yes => (0, 0),
        applies if resources::hangs_on_it_alone(applies) => (1, 1),
        Applies::DependsOn(on) | Applies::NotDecided(on) => {
            let hinges = Hinges::of(on, &stated.sign_in, snapshot);
            (if hinges.unread.is_empty() && hinges.look.is_empty() { 2 } else { 3 }, on.len())
        }
    };
    let blocks = snapshot.policy(&one.policy_id).is_some_and(resources::blocks);
    Some((if one.report_only { 4 } else { part }, !blocks, open))
}

/// The same question with one thing more.
fn again(asked: Asked<'_>, more: &str) -> String {
    again_in(asked.text, more)
}

fn again_in(text: &str, more: &str) -> String {
    format!("{}, {more}", text.trim_end_matches(['?', '.', ' ']))
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
pub(crate) fn decision(analysis: &Analysis, (sign_in, outcome): (&SignIn, &Outcome), disabled: bool) -> Fact {
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
            let hinges = Hinges::of(on, sign_in, snapshot);
            Fact::new("what_if.depends", evidence(&both))
                .with("all", hinges.all())
                .with("on", hinges.asked)
                .with("unread", hinges.unread)
                .with("look", hinges.look)
                .with("policies", names(&sure))
        }
        Decision::Allow => {
            let all: Vec<&str> =
                outcome.policies.iter().filter(|one| !one.report_only).map(|one| one.policy_id.as_str()).collect();
            Fact::new("what_if.allow", evidence(&policies(&all)))
        }
    };
    fact.with("of", looked_at).with("disabled", Term::Word(if disabled { "yes" } else { "" }.to_owned())).must_show()
}

/// The session controls of the policies that are On and surely apply; none where there are none, or nobody gets in.
pub(crate) fn sessions(analysis: &Analysis, outcome: &Outcome) -> Option<Fact> {
    let snapshot = analysis.snapshot();
    let controls = describe::session_words(&outcome.session, &outcome.frequencies);
    let blocked = matches!(outcome.decision, Decision::Block { .. });
    let applied = outcome.applied(false).into_iter().filter_map(|id| snapshot.policy(id));
    let by: Vec<&Policy> = applied.filter(|policy| policy.session.is_some()).collect();
    (!blocked && !controls.is_empty()).then(|| {
        let names = by.iter().map(|policy| policy.display_name.clone()).collect();
        Fact::new("what_if.sessions", analysis.evidence(by.iter().map(|policy| rows::policy(policy))))
            .with("controls", Term::Names(controls))
            .with("policies", Term::Names(names))
            .must_show()
    })
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
    let fact = worded(applies, (&stated.sign_in, snapshot), evidence, policy)
        .with("policies", vec![policy.display_name.clone()])
        .with("way", way.map_or_else(|| Term::Word(String::new()), |way| way.term()));
    // What one asks for that doesn't apply isn't said, and so keeps it from no other's line.
    let away = matches!(applies, Applies::No(_));
    Some(if away { fact } else { fact.with("asks", Term::Name(scope::asks(policy, snapshot))) })
}

fn worded(applies: &Applies, (sign_in, snapshot): (&SignIn, &Snapshot), evidence: Evidence, policy: &Policy) -> Fact {
    match applies {
        Applies::Yes if demand(policy).is_none() => Fact::new("what_if.session", evidence),
        Applies::Yes => Fact::new("what_if.applies", evidence),
        Applies::DependsOn(on) => {
            let targets = if on.contains(resources::TARGET) { scope::targets(policy, snapshot) } else { String::new() };
            let others = on.iter().filter(|what| *what != resources::TARGET).cloned().collect();
            let hinges = Hinges::of(&others, sign_in, snapshot);
            Fact::new("what_if.open", evidence).with("on", hinges.all()).with("targets", Term::Name(targets))
        }
        Applies::NotDecided(on) => {
            Fact::new("what_if.not_decided", evidence).with("on", Term::Names(on.iter().cloned().collect()))
        }
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
        Sign-in test: Alice Moreau, to Exchange Online, from Brazil (BR), at no address of a named location, on iOS, from an unregistered device and neither device code flow nor authentication transfer. [1] CA200 – Require MFA and CA205 – Require compliant device must be met in any case. It depends further on the client app, which the question leaves open. 3 policies that are On were looked at. [2] With that device or client they can't meet CA205 – Require compliant device, so they would be stopped. [3]
        ## Applies
        - CA200 – Require MFA: Require multifactor authentication · Sign-in frequency: 12 hours (in it as one of all users) [4]
        - CA205 – Require compliant device: Require device to be marked as compliant (in it through Sales-EMEA → CA-Internals) [5]
        ## Depends on what the question leaves open
        - CA203 – Block legacy authentication: Block access, depending on the client app [6]
        Not checked: location by GPS, Intune's compliance grace periods, and MFA that a session already has. Read Tue 24 Nov 08:00.
        (From an unmanaged device) (High sign-in risk)
        [1] The sign-in tested · 1 account
        [2] Depends on the client app · 3 policies
        [3] CA205 – Require compliant device can't be met · 1 policy
        [4] CA200 – Require MFA: Require multifactor authentication · Sign-in frequency: 12 hours (in it as one of all users) · 2 rows
        [5] CA205 – Require compliant device: Require device to be marked as compliant (in it through Sales-EMEA → CA-Internals) · 2 rows
        [6] CA203 – Block legacy authentication: Block access, depending on the client app · 2 rows
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
        - CA203 – Block legacy authentication: Block access (in it as one of all users) [3]
        - CA200 – Require MFA: Require multifactor authentication · Sign-in frequency: 12 hours (in it as one of all users) [4]
        - CA205 – Require compliant device: Require device to be marked as compliant (in it through CA-Internals) [5]
        Not checked: location by GPS, Intune's compliance grace periods, and MFA that a session already has. Read Tue 24 Nov 08:00.
        (From an unmanaged device) (High sign-in risk)
        [1] The sign-in tested · 1 account
        [2] Blocked by CA203 – Block legacy authentication · 1 policy
        [3] CA203 – Block legacy authentication: Block access (in it as one of all users) · 2 rows
        [4] CA200 – Require MFA: Require multifactor authentication · Sign-in frequency: 12 hours (in it as one of all users) · 2 rows
        [5] CA205 – Require compliant device: Require device to be marked as compliant (in it through CA-Internals) · 2 rows
        ");
    }

    /// Policies that block everybody outside the office, except at Salesforce.
    fn walled(count: usize) -> serde_json::Value {
        let mut tenant = nordwerk();
        for at in 0..count {
            let mut wall = tenant["policies"][2].clone();
            wall["id"] = json!(format!("p-wall-{at}"));
            wall["displayName"] = json!(format!("CA22{at} – Block outside the office"));
            wall["conditions"]["clientAppTypes"] = json!(["all"]);
            wall["conditions"]["applications"]["excludeApplications"] = json!(["app-salesforce"]);
            wall["conditions"]["locations"] = json!({"includeLocations": ["All"], "excludeLocations": ["loc-hq"]});
            tenant["policies"].as_array_mut().unwrap().push(wall);
        }
        tenant
    }

    #[tokio::test]
    async fn what_is_certain_of_a_guest_comes_before_what_hangs_on_something() {
        let words = said(&walled(2), Intent::WhatIf, "what if a guest signs in from Brazil?").await;
        insta::assert_snapshot!(words, @r"
        Sign-in test: a guest, from Brazil (BR), at no address of a named location and neither device code flow nor authentication transfer. Blocked at every target resource except Salesforce, by CA220 – Block outside the office and CA221 – Block outside the office (of 5 policies that are On), whatever else the question leaves open. [1] At Salesforce it depends on the client app. [2]
        ## Applies at its target resources
        - CA220 – Block outside the office and CA221 – Block outside the office: Block access (All resources · Exclude: Salesforce) [3]
        - CA200 – Require MFA: Require multifactor authentication · Sign-in frequency: 12 hours (All resources · Exclude: Salesforce) [4]
        ## Depends on what the question leaves open
        - CA203 – Block legacy authentication: Block access, depending on the client app [5]
        ## Doesn't apply
        - CA205 – Require compliant device: doesn't include them [6]
        Not checked: location by GPS, Intune's compliance grace periods, and MFA that a session already has. Read Tue 24 Nov 08:00.
        (From an unmanaged device) (High sign-in risk)
        [1] Blocked by CA220 – Block outside the office and CA221 – Block outside the office, except at Salesforce · 2 policies
        [2] At Salesforce it depends on the client app · 1 policy
        [3] CA220 – Block outside the office and CA221 – Block outside the office: Block access (All resources · Exclude: Salesforce) · 2 policies
        [4] CA200 – Require MFA: Require multifactor authentication · Sign-in frequency: 12 hours (All resources · Exclude: Salesforce) · 1 policy
        [5] CA203 – Block legacy authentication: Block access, depending on the client app · 1 policy
        [6] CA205 – Require compliant device: doesn't include them · 1 policy
        ");
    }

    #[tokio::test]
    async fn a_long_list_is_folded_until_every_policy_is_asked_for() {
        let mut tenant = walled(9);
        for at in 4..13 {
            tenant["policies"][at]["conditions"]["signInRiskLevels"] = json!(["high"]);
            tenant["policies"][at]["conditions"]["applications"]["excludeApplications"][0] = json!(format!("app-{at}"));
        }
        let asked = "what if a guest signs in from Brazil";
        let folded = said(&tenant, Intent::WhatIf, asked).await;
        assert!(folded.contains("and 5 policies more") && !folded.contains("CA228"), "{folded}");
        assert!(folded.contains("(Every policy)"), "{folded}");
        let whole = said(&tenant, Intent::WhatIf, &super::again_in(asked, super::alike::EVERY)).await;
        assert!(!whole.contains("policies more") && whole.contains("CA228"), "{whole}");
        assert!(!whole.contains("(Every policy)"), "{whole}");
    }

    #[tokio::test]
    async fn a_follow_up_takes_over_what_it_leaves_out() {
        let words =
            said_after(&nordwerk(), Intent::WhatIf, "Dana Admin, Salesforce, Brazil", "and from an Android").await;
        assert!(words.contains("Dana Admin") && words.contains("Android") && words.contains("Brazil (BR)"), "{words}");
    }

    #[tokio::test]
    async fn the_office_is_the_trusted_network_wherever_somebody_was_before() {
        let words = said_after(&nordwerk(), Intent::WhatIf, "Alice Moreau, Russia", "and from the office?").await;
        assert!(words.starts_with("Sign-in test: Alice Moreau, from Head office"), "{words}");
        for text in ["what if Alice Moreau works outside the office?", "what if Alice Moreau is in the Lisbon office?"]
        {
            assert!(!about(text).await.contains("Head office"), "{text}");
        }
        let mut two = nordwerk();
        let mut other = two["namedLocations"][0].clone();
        (other["id"], other["displayName"]) = (json!("loc-2"), json!("Branch"));
        two["namedLocations"].as_array_mut().unwrap().push(other);
        let which = said(&two, Intent::WhatIf, "what if Alice Moreau is in the office?").await;
        assert!(which.starts_with("From which network?") && which.contains("(Branch) (Head office)"), "{which}");
    }

    #[tokio::test]
    async fn anybody_is_everybody_whom_no_policy_blocks_there() {
        let mut tenant = nordwerk();
        let text = "can anybody get in from North Korea?";
        let open = about(text).await;
        assert!(open.starts_with("Sign-ins from North Korea (KP) are not blocked everywhere for 4 people and 1 guest (of 5 people and guests)"), "{open}");
        tenant["policies"].as_array_mut().unwrap().push(json!({
            "id": "p-kp", "displayName": "CA900 – Block North Korea", "state": "enabled",
            "conditions": {"users": {"includeUsers": ["All"], "excludeGroups": ["g-rollout"]},
                "applications": {"includeApplications": ["All"]}, "clientAppTypes": ["all"],
                "locations": {"includeLocations": ["loc-kp"]}},
            "grantControls": {"operator": "OR", "builtInControls": ["block"]},
        }));
        tenant["namedLocations"].as_array_mut().unwrap().push(json!({
            "@odata.type": "#microsoft.graph.countryNamedLocation", "id": "loc-kp", "displayName": "Korea",
            "countriesAndRegions": ["KP"], "includeUnknownCountriesAndRegions": false,
        }));
        let shut = said(&tenant, Intent::WhatIf, text).await;
        insta::assert_snapshot!(shut, @r"
        Sign-ins from North Korea (KP) are not blocked everywhere for 1 person (of 5 people and guests). [1]
        ## Not blocked
        - 1 excluded from CA900 – Block North Korea by group CA-Excl-MFA-Rollout [2]
        ## Nor made to use MFA
        - 1 excluded from CA900 – Block North Korea by group CA-Excl-MFA-Rollout [2]
        Not checked: location by GPS and who the partner technicians (GDAP) and B2B direct connect users are. Read Tue 24 Nov 08:00.
        (A guest) (In the log)
        [1] Who gets in from North Korea (KP) · 5 rows
        [2] 1 excluded from CA900 – Block North Korea by group CA-Excl-MFA-Rollout · 3 rows
        ");
        let elsewhere = said(&tenant, Intent::WhatIf, "can anybody get in from Brazil?").await;
        assert!(elsewhere.contains("from Brazil (BR) are not blocked everywhere for 4 people"), "{elsewhere}");
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
