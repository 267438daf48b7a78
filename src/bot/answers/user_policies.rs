//! "Which policies apply to Alice?": the policies in force for a person, group or role, and why each is.

use std::collections::BTreeSet;

use crate::bot::answer::{Answer, Part, ask};
use crate::bot::intent::SlotName;
use crate::bot::intent::text::Message;
use crate::checks::cause_words::CauseWords;
use crate::checks::gaps::Gaps;
use crate::checks::rows;
use crate::engine::{Requirement, Scope};
use crate::facts::{Fact, Row, Term};
use crate::tenant::policy::PolicyState;
use crate::tenant::{Policy, User};

use super::named::Back;
use super::scope::{self, Way};
use super::{Answering, Asked, app_policies, named};

/// Answers for whom the question names.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        let names = |name| asked.slot(name).is_some();
        // "Do we have MFA for Azure?" is about an app alone.
        let message = Message::read(asked.text);
        let goes_on = message.refers_back() || message.opens_as_follow_up();
        if names(SlotName::App) && !names(SlotName::User) && !names(SlotName::Group) && !goes_on {
            return app_policies::answer(asked).await;
        }
        Ok(of(asked).unwrap_or_else(|back| *back))
    })
}

fn of(asked: Asked<'_>) -> Result<Answer, Back> {
    let slots = named::slots(asked, SlotName::User);
    let class = asked.slot(SlotName::Group).filter(|_| asked.slot(SlotName::User).is_none());
    if let Some(name) = class {
        return Ok(for_class(asked, &named::class(asked, name)?));
    }
    let Some(user) = named::person(asked, &slots) else {
        let group =
            named::first(&slots, SlotName::Group).ok_or_else(|| Box::new(named::missing("user_policies.who")))?;
        return Ok(for_class(asked, &named::class(asked, group)?));
    };
    let user = user?;
    match asked.slot(SlotName::Policy) {
        Some(name) => Ok(in_one(asked, user, named::policy(asked, name)?)),
        None => Ok(for_user(asked, user)),
    }
}

/// Policies of this state in which the person surely or possibly is, each with whether it is sure.
pub(super) fn policies(asked: Asked<'_>, index: u32, state: PolicyState) -> Vec<(&Policy, bool)> {
    let model = &asked.analysis.model;
    let policies = asked.analysis.snapshot().policies.iter().filter(|policy| policy.state == state);
    let reach = policies.filter_map(|policy| {
        let (surely, possibly) = model.users_of(&policy.id);
        possibly.contains(index).then(|| (policy, surely.contains(index)))
    });
    reach.collect()
}

fn for_user(asked: Asked<'_>, user: &User) -> Answer {
    let snapshot = asked.analysis.snapshot();
    let index = snapshot.directory.user_index(&user.id).unwrap_or(u32::MAX);
    let on = policies(asked, index, PolicyState::Enabled);
    let watched = policies(asked, index, PolicyState::ReportOnly);
    let all_on = snapshot.policies.iter().filter(|policy| policy.state == PolicyState::Enabled).count();
    let me = Way { path: Vec::new(), words: String::new() }.row(index, snapshot);
    let evidence = me.into_iter().chain(on.iter().map(|(policy, _)| rows::policy(policy)));
    let total = Fact::new("user_policies.total", asked.analysis.evidence(evidence))
        .with("user", Term::Name(user.display_name.to_string()))
        .with("count", on.len())
        .with("of", all_on)
        .with("watched", watched.len())
        .with("disabled", Term::Word(if user.enabled { "" } else { "yes" }.to_owned()))
        .must_show();
    let mut opening = vec![total];
    opening.extend(mfa(asked, user, index));
    opening.extend(frequency(asked, user, &on));
    let item = |(policy, sure): &(&Policy, bool)| (in_scope(asked, index, policy, *sure), Vec::new());
    let mut answer =
        Answer::sentences(opening).part(Part::List { ordered: false, items: on.iter().map(item).collect() });
    let left_out = exclusions(asked, user, index);
    if !left_out.is_empty() {
        answer = answer.part(Part::Sentences(left_out));
    }
    if !watched.is_empty() {
        answer = answer
            .part(Part::Heading("In report-only".into()))
            .part(Part::List { ordered: false, items: watched.iter().map(item).collect() });
    }
    let sign_ins = ask("Recent sign-ins", format!("show the sign-ins of {}", user.user_principal_name));
    limits(asked, answer).action(sign_ins)
}

fn limits(asked: Asked<'_>, answer: Answer) -> Answer {
    let open: BTreeSet<String> = asked
        .analysis
        .snapshot()
        .policies
        .iter()
        .filter(|policy| policy.state == PolicyState::Enabled)
        .flat_map(|policy| policy.undecided.iter().map(|at| format!("{at} of {}", policy.display_name)))
        .collect();
    let limits = asked.not_checked(&open.into_iter().collect::<Vec<_>>());
    answer.part(Part::Limits(limits.into_iter().chain([asked.read_at()]).collect()))
}

/// One policy in whose scope the person is: what it asks for, and the way in.
fn in_scope(asked: Asked<'_>, index: u32, policy: &Policy, sure: bool) -> Fact {
    let snapshot = asked.analysis.snapshot();
    let way = scope::way(&policy.conditions.users.include, index, snapshot);
    let evidence = asked.analysis.evidence(scope::rows(policy, way.as_ref(), index, snapshot));
    Fact::new("user_policies.in", evidence)
        .with("policy", Term::Name(policy.display_name.clone()))
        .with("asks", Term::Name(scope::asks(policy, snapshot)))
        .with("targets", Term::Name(scope::targets(policy, snapshot)))
        .with("when", Term::Name(scope::conditions(policy, snapshot)))
        .with("way", way.map_or_else(|| Term::Word(String::new()), |way| way.term()))
        .with("unsure", Term::Word(if sure { "" } else { "yes" }.to_owned()))
}

/// Policies that are On and would take the person in, but exclude them.
pub(super) fn exclusions(asked: Asked<'_>, user: &User, index: u32) -> Vec<Fact> {
    let snapshot = asked.analysis.snapshot();
    let on = snapshot.policies.iter().filter(|policy| policy.state == PolicyState::Enabled);
    on.filter_map(|policy| {
        scope::way(&policy.conditions.users.include, index, snapshot)?;
        let way = scope::way(&policy.conditions.users.exclude, index, snapshot)?;
        let evidence = asked.analysis.evidence(scope::rows(policy, Some(&way), index, snapshot));
        Some(
            Fact::new("user_policies.excluded", evidence)
                .with("user", Term::Name(user.display_name.to_string()))
                .with("policy", Term::Name(policy.display_name.clone()))
                .with("way", way.term())
                .must_show(),
        )
    })
    .collect()
}

/// Whether every sign-in of the person is made to use MFA, and why not.
fn mfa(asked: Asked<'_>, user: &User, index: u32) -> Vec<Fact> {
    let (model, snapshot) = (&asked.analysis.model, asked.analysis.snapshot());
    let scope = Scope { users: Some([index].into_iter().collect()), ..Scope::default() };
    let coverage = model.coverage(&Requirement::Mfa, &scope);
    let gaps = Gaps::of((&coverage, &scope), model, asked.now);
    let words = CauseWords::new(snapshot, &asked.analysis.hash);
    let key = match (coverage.uncovered.contains(index), coverage.undecided.contains(index)) {
        _ if !user.enabled => return Vec::new(),
        (true, _) => "user_policies.mfa_not_everywhere",
        (false, true) => "user_policies.mfa_undecided",
        (false, false) => "user_policies.mfa_everywhere",
    };
    let on = policies(asked, index, PolicyState::Enabled);
    let verdict = Fact::new(key, asked.analysis.evidence(on.iter().map(|(policy, _)| rows::policy(policy))))
        .with("user", Term::Name(user.display_name.to_string()))
        .must_show();
    [verdict].into_iter().chain(gaps.groups.iter().chain(&gaps.machines).map(|group| words.group(group))).collect()
}

/// The shortest sign-in frequency, and whose it is.
fn frequency(asked: Asked<'_>, user: &User, on: &[(&Policy, bool)]) -> Option<Fact> {
    let snapshot = asked.analysis.snapshot();
    let hours = |policy: &Policy| {
        let whole = policy.session.as_ref()?.sign_in_frequency.filter(|frequency| !frequency.secondary_only)?;
        Some(whole.hours.unwrap_or(0))
    };
    let (policy, hours) =
        on.iter().filter_map(|(policy, _)| Some((*policy, hours(policy)?))).min_by_key(|(_, hours)| *hours)?;
    let fact = Fact::new("user_policies.frequency", asked.analysis.evidence([rows::policy(policy)]))
        .with("user", Term::Name(user.display_name.to_string()))
        .with("hours", u64::from(hours))
        .with("policy", Term::Name(policy.display_name.clone()))
        .with("targets", Term::Name(scope::targets(policy, snapshot)))
        .with("when", Term::Name(scope::conditions(policy, snapshot)));
    Some(fact)
}

/// Whether the person is in one policy.
fn in_one(asked: Asked<'_>, user: &User, policy: &Policy) -> Answer {
    let snapshot = asked.analysis.snapshot();
    let index = snapshot.directory.user_index(&user.id).unwrap_or(u32::MAX);
    let (surely, possibly) = asked.analysis.model.users_of(&policy.id);
    let users = &policy.conditions.users;
    let (included, excluded) =
        (scope::way(&users.include, index, snapshot), scope::way(&users.exclude, index, snapshot));
    let key = match (possibly.contains(index), surely.contains(index), &excluded) {
        (true, true, _) => "user_policies.one_in",
        (true, false, _) => "user_policies.one_unsure",
        (false, _, Some(_)) => "user_policies.one_excluded",
        (false, _, None) => "user_policies.one_out",
    };
    let way = if possibly.contains(index) { included } else { excluded };
    let fact = Fact::new(key, asked.analysis.evidence(scope::rows(policy, way.as_ref(), index, snapshot)))
        .with("user", Term::Name(user.display_name.to_string()))
        .with("policy", Term::Name(policy.display_name.clone()))
        .with("state", Term::Word(rows::state_word(policy.state).to_owned()))
        .with("way", way.map_or_else(|| Term::Word(String::new()), |way| way.term()))
        .with("asks", Term::Name(scope::asks(policy, snapshot)))
        .with("department", Term::Name(user.department.clone().unwrap_or_default().to_string()))
        .must_show();
    let answer = limits(asked, Answer::sentences(vec![fact]));
    answer.action(ask("All their policies", format!("which policies apply to {}?", user.user_principal_name)))
}

/// The policies that reach a group, role or class, each with how many of it.
pub(super) fn for_class(asked: Asked<'_>, class: &named::Class<'_>) -> Answer {
    let (model, snapshot) = (&asked.analysis.model, asked.analysis.snapshot());
    let members = &class.users & model.default_users();
    let on = || snapshot.policies.iter().filter(|policy| policy.state == PolicyState::Enabled);
    let mut items = Vec::new();
    for policy in on() {
        let reached = model.users_of(&policy.id).0 & &members;
        if reached.is_empty() {
            continue;
        }
        let evidence: Vec<Row> =
            [rows::policy(policy)].into_iter().chain(rows::users(&reached, snapshot, class.group)).collect();
        let fact = Fact::new("user_policies.class_in", asked.analysis.evidence(evidence))
            .with("policy", Term::Name(policy.display_name.clone()))
            .with("asks", Term::Name(scope::asks(policy, snapshot)))
            .with("targets", Term::Name(scope::targets(policy, snapshot)))
            .with("when", Term::Name(scope::conditions(policy, snapshot)))
            .with("count", reached.len())
            .with("of", members.len());
        items.push((fact, Vec::new()));
    }
    let evidence = class.row.clone().into_iter().chain(rows::users(&members, snapshot, class.group));
    let total = Fact::new("user_policies.class", asked.analysis.evidence(evidence))
        .with("name", Term::Name(class.name.clone()))
        .with("count", members.len())
        .with("disabled", class.users.len() - members.len())
        .with("policies", items.len())
        .with("of", on().count())
        .must_show();
    limits(asked, Answer::sentences(vec![total]).part(Part::List { ordered: false, items }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::bot::answers::testing::{nordwerk, said, said_after};
    use crate::bot::intent::Intent;

    async fn about(text: &str) -> String {
        said(&nordwerk(), Intent::UserPolicies, text).await
    }

    #[tokio::test]
    async fn an_app_is_nobody() {
        let text = "do we have mfa for Salesforce";
        let words = said_after(&nordwerk(), Intent::UserPolicies, "Bob Keller", text).await;
        assert!(words.starts_with("1 of 3 policies that are On reach Salesforce"), "{words}");
    }

    #[tokio::test]
    async fn each_policy_with_the_way_into_it() {
        insta::assert_snapshot!(about("which policies apply to alice.moreau@nordwerk.example?").await, @r"
        Alice Moreau is in 3 policies that are On (of 3) and in 1 in report-only. [1] Not every sign-in of theirs is made to use MFA. [2] 1 account reaches Salesforce, which CA200 – Require MFA excludes. [3] They must sign in again after 12 hours at most, by CA200 – Require MFA (All resources · Exclude: Salesforce). [4]
        - CA200 – Require MFA: Require multifactor authentication · Sign-in frequency: 12 hours · All resources · Exclude: Salesforce · in it as one of all users [5]
        - CA205 – Require compliant device: Require device to be marked as compliant · Exchange Online, SharePoint Online · in it through Sales-EMEA → CA-Internals [6]
        - CA203 – Block legacy authentication: Block access · All resources · Client apps: Exchange ActiveSync clients, Other clients · in it as one of all users [7]
        ## In report-only
        - CA211 – Block device code flow: Block access · All resources · Authentication flows: Device code flow · in it as one of all users [8]
        Read Tue 24 Nov 08:00.
        (Recent sign-ins)
        [1] Alice Moreau in 3 of 3 policies that are On · 4 rows
        [2] Not every sign-in of theirs is made to use MFA. · 3 policies
        [3] 1 for Salesforce, excluded from CA200 – Require MFA · 2 rows
        [4] Sign-in frequency of CA200 – Require MFA · 1 policy
        [5] CA200 – Require MFA: Require multifactor authentication · Sign-in frequency: 12 hours · All resources · Exclude: Salesforce · in it as one of all users · 2 rows
        [6] CA205 – Require compliant device: Require device to be marked as compliant · Exchange Online, SharePoint Online · in it through Sales-EMEA → CA-Internals · 2 rows
        [7] CA203 – Block legacy authentication: Block access · All resources · Client apps: Exchange ActiveSync clients, Other clients · in it as one of all users · 2 rows
        [8] CA211 – Block device code flow: Block access · All resources · Authentication flows: Device code flow · in it as one of all users · 2 rows
        ");
    }

    #[tokio::test]
    async fn one_policy_and_one_person() {
        insta::assert_snapshot!(about("is Bob Keller in scope of CA200?").await, @r"
        No. CA200 – Require MFA (On) excludes Bob Keller through CA-Excl-MFA-Rollout. [1]
        Read Tue 24 Nov 08:00.
        (All their policies)
        [1] Bob Keller is excluded from CA200 – Require MFA · 2 rows
        ");
    }

    #[tokio::test]
    async fn a_group_with_how_many_of_it() {
        insta::assert_snapshot!(about("which policies hit guests?").await, @r"
        guests: 1 enabled account. 2 policies of the 3 that are On reach some of them. [1]
        - CA200 – Require MFA: 1 of 1 · Require multifactor authentication · Sign-in frequency: 12 hours · All resources · Exclude: Salesforce [2]
        - CA203 – Block legacy authentication: 1 of 1 · Block access · All resources · Client apps: Exchange ActiveSync clients, Other clients [3]
        Read Tue 24 Nov 08:00.
        [1] guests: 1 enabled account · 1 account
        [2] CA200 – Require MFA: 1 of 1 · Require multifactor authentication · Sign-in frequency: 12 hours · All resources · Exclude: Salesforce · 2 rows
        [3] CA203 – Block legacy authentication: 1 of 1 · Block access · All resources · Client apps: Exchange ActiveSync clients, Other clients · 2 rows
        ");
    }

    #[tokio::test]
    async fn two_of_a_name_are_asked_about() {
        insta::assert_snapshot!(about("which policies apply to Alice?").await, @r#"
        2 here fit "Alice". Which do you mean?
        (Alice Moreau (alice.moreau@nordwerk.example)) (Alice Berg (alice.berg@nordwerk.example))
        "#);
    }

    #[tokio::test]
    async fn without_the_membership_the_policy_is_gone() {
        let mut tenant = nordwerk();
        tenant["groups"][1]["members"] = json!(["u-berg"]);
        let text = "which policies apply to alice.moreau@nordwerk.example?";
        assert!(about(text).await.contains("CA205"));
        assert!(!said(&tenant, Intent::UserPolicies, text).await.contains("CA205"));
    }
}
