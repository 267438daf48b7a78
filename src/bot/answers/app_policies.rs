//! "What protects Salesforce?": the policies that reach an app, for whom, and what they ask for.

use std::collections::{BTreeMap, BTreeSet};

use roaring::RoaringBitmap;

use crate::bot::answer::{Answer, Part, ask};
use crate::bot::intent::SlotName;
use crate::checks::cause_words::{CauseWords, app_name};
use crate::checks::gaps::Gaps;
use crate::checks::rows;
use crate::engine::{Applies, Requirement, Scope, UnmetKind};
use crate::facts::{Fact, Row, Term};
use crate::tenant::policy::PolicyState;
use crate::tenant::sign_in::Target;
use crate::tenant::{PastSignIn, Policy, SignIn, how_many};

use super::named::{Back, Class};
use super::{Answering, Asked, named, scope, stated, unread, user_policies};

/// Answers for the app that the question names.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move { Ok(of(asked).unwrap_or_else(|back| *back)) })
}

fn of(asked: Asked<'_>) -> Result<Answer, Back> {
    let slots = named::slots(asked, SlotName::App);
    let name = named::first(&slots, SlotName::App).map(str::to_owned).or_else(|| named::guid(asked.text));
    let class = asked.slot(SlotName::Group).map(|name| named::class(asked, name)).transpose()?;
    let name = name.or_else(|| spelt(asked)).ok_or_else(|| Box::new(named::missing("app_policies.which")));
    let is_own = asked.subject().is_none() || asked.slot(SlotName::App).is_some();
    match (name.and_then(|name| stated::app_id(asked, &name)), class) {
        (Ok(id), class) => Ok(for_app(asked, &id, class.as_ref())),
        // "What about guests", after an app that isn't here: nothing of it is left to ask about.
        (Err(_), Some(class)) if !is_own => Ok(user_policies::for_class(asked, &class)),
        (Err(back), _) => Err(back),
    }
}

/// An app of the tenant whose whole name stands in the text, the longest.
fn spelt(asked: Asked<'_>) -> Option<String> {
    let text = asked.text.to_lowercase();
    let names = asked.analysis.snapshot().directory.service_principals.iter().map(|app| app.display_name.clone());
    names.filter(|name| name.len() > 3 && text.contains(&name.to_lowercase())).max_by_key(String::len)
}

/// The policies that reach the app; those that reach the accounts of a class there, where the question is about one.
fn for_app(asked: Asked<'_>, id: &str, class: Option<&Class<'_>>) -> Answer {
    let snapshot = asked.analysis.snapshot();
    let sign_in = SignIn { target: Target::Apps(vec![id.to_owned()]), ..SignIn::default() };
    let outcome = asked.analysis.model.evaluate(&sign_in);
    let applies: BTreeMap<&str, &Applies> =
        outcome.policies.iter().map(|one| (one.policy_id.as_str(), &one.applies)).collect();
    let reaches = |policy: &&Policy| {
        let about_people = policy.conditions.client_applications.is_none();
        let them = |class: &Class<'_>| !asked.analysis.model.users_of(&policy.id).1.is_disjoint(&class.users);
        about_people
            && class.is_none_or(them)
            && applies
                .get(policy.id.as_str())
                .is_some_and(|one| !matches!(one, Applies::No(UnmetKind::Application | UnmetKind::EmptyPolicy)))
    };
    let in_state = |state: PolicyState| snapshot.policies.iter().filter(move |policy| policy.state == state);
    let on: Vec<&Policy> = in_state(PolicyState::Enabled).filter(reaches).collect();
    let watched: Vec<&Policy> = in_state(PolicyState::ReportOnly).filter(reaches).collect();
    let app = Row::Object { what: "App".into(), id: id.to_owned(), name: app_name(snapshot, id), note: String::new() };
    let evidence = [app].into_iter().chain(on.iter().map(|policy| rows::policy(policy)));
    let total = Fact::new("app_policies.total", asked.analysis.evidence(evidence))
        .with("app", Term::Name(app_name(snapshot, id)))
        .with("count", on.len())
        .with("of", in_state(PolicyState::Enabled).count())
        .with("watched", watched.len())
        .with("class", Term::Name(class.map(|class| class.name.clone()).unwrap_or_default()))
        .must_show();
    let items =
        |policies: &[&Policy]| policies.iter().map(|policy| (reached(asked, policy), Vec::new())).collect::<Vec<_>>();
    let mut answer =
        Answer::sentences(vec![total, used(asked, (id, class))]).part(Part::List { ordered: false, items: items(&on) });
    let out: Vec<Fact> = in_state(PolicyState::Enabled)
        .filter(|policy| policy.conditions.applications.exclude.contains(id))
        .map(|policy| excluding(asked, policy))
        .collect();
    if !out.is_empty() {
        answer = answer.part(Part::Sentences(out));
    }
    answer = answer.part(Part::Heading("Who can get in without MFA".into())).part(without_mfa(asked, (id, class)));
    if !watched.is_empty() {
        answer = answer
            .part(Part::Heading("In report-only".into()))
            .part(Part::List { ordered: false, items: items(&watched) });
    }
    let name = app_name(snapshot, id);
    answer
        .part(Part::Limits(unread::window(asked)))
        .action(ask("Sign-ins to it", format!("who signs in to {name}?")))
        .action(ask("Apps without a policy", "which apps does no policy cover?"))
}

/// A policy that reaches the app: for how many members and guests, and what it asks for.
fn reached(asked: Asked<'_>, policy: &Policy) -> Fact {
    let (model, snapshot) = (&asked.analysis.model, asked.analysis.snapshot());
    let users = model.users_of(&policy.id).0 & model.default_users();
    let (guests, all_guests) = (&users & model.guests(), model.guests());
    let evidence = [rows::policy(policy)].into_iter().chain(rows::users(&users, snapshot, None));
    Fact::new("app_policies.reached", asked.analysis.evidence(evidence))
        .with("policy", Term::Name(policy.display_name.clone()))
        .with("asks", Term::Name(scope::asks(policy, snapshot)))
        .with("when", Term::Name(scope::conditions(policy, snapshot)))
        .with("staff", users.len() - guests.len())
        .with("of_staff", model.default_users().len() - all_guests.len())
        .with("guests", guests.len())
        .with("of_guests", all_guests.len())
}

fn excluding(asked: Asked<'_>, policy: &Policy) -> Fact {
    Fact::new("app_policies.excluding", asked.analysis.evidence([rows::policy(policy)]))
        .with("policy", Term::Name(policy.display_name.clone()))
        .with("asks", Term::Name(scope::asks(policy, asked.analysis.snapshot())))
        .must_show()
}

/// Whom no policy makes use MFA at this app, by cause.
fn without_mfa(asked: Asked<'_>, (id, class): (&str, Option<&Class<'_>>)) -> Part {
    let (model, snapshot) = (&asked.analysis.model, asked.analysis.snapshot());
    let users = class.map(|class| class.users.clone());
    let scope = Scope { apps: Some(BTreeSet::from([id.to_owned()])), users, ..Scope::default() };
    let gaps = Gaps::of((&model.coverage(&Requirement::Mfa, &scope), &scope), model, asked.now);
    let words = CauseWords::new(snapshot, &asked.analysis.hash);
    let everyone = gaps.everyone.iter().map(|gap| words.everyone(gap));
    let groups = gaps.groups.iter().map(|group| words.group(group));
    let machines = (!gaps.machines.is_empty()).then(|| words.machines(&gaps.accounts, false));
    let mut facts: Vec<Fact> = everyone.chain(groups).chain(machines).collect();
    if let Some(unread) = unread::said(asked, &unread::needed(unread::on(snapshot))) {
        facts.insert(0, unread);
    } else if facts.is_empty() {
        let key = if gaps.undecided.is_empty() { "app_policies.mfa" } else { "app_policies.mfa_undecided" };
        facts.push(Fact::new(key, asked.analysis.evidence([])).with("count", gaps.undecided.len()).must_show());
    }
    Part::List { ordered: false, items: facts.into_iter().map(|fact| (fact, Vec::new())).collect() }
}

/// How the app is used, from the log.
fn used(asked: Asked<'_>, (id, class): (&str, Option<&Class<'_>>)) -> Fact {
    let snapshot = asked.analysis.snapshot();
    let to_it = |row: &&PastSignIn| row.resource_ids.iter().any(|resource| resource == id) && row.error_code == 0;
    let by_them = |row: &&PastSignIn| {
        let index = || snapshot.directory.user_index(&row.user_id);
        class.is_none_or(|class| index().is_some_and(|index| class.users.contains(index)))
    };
    let found: Vec<&PastSignIn> = snapshot.sign_ins.iter().filter(to_it).filter(by_them).collect();
    let people: RoaringBitmap = found.iter().filter_map(|row| snapshot.directory.user_index(&row.user_id)).collect();
    let log = found.iter().rev().map(|row| rows::sign_in(row, snapshot));
    Fact::new("app_policies.used", asked.analysis.evidence(log).within(snapshot.window))
        .with("count", how_many(found.iter().copied()))
        .with("class", Term::Name(class.map(|class| class.name.clone()).unwrap_or_default()))
        .with("people", people.len())
        .with("single", how_many(found.iter().copied().filter(|row| !row.multi_factor)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::bot::answers::testing::{nordwerk, said, said_after};
    use crate::bot::intent::Intent;

    #[tokio::test]
    async fn each_policy_with_staff_and_guests_apart() {
        insta::assert_snapshot!(said(&nordwerk(), Intent::AppPolicies, "what protects SharePoint?").await, @r"
        3 of 3 policies that are On reach SharePoint Online, and 1 in report-only. [1] In the log no sign-in to it succeeded.
        - CA200 – Require MFA: Require multifactor authentication · Sign-in frequency: 12 hours · 5 of 7 members, 1 of 1 guests [2]
        - CA205 – Require compliant device: Require device to be marked as compliant · 4 of 7 members, 0 of 1 guests [3]
        - CA203 – Block legacy authentication: Block access · Client apps: Exchange ActiveSync clients, Other clients · 5 of 7 members, 1 of 1 guests [4]
        ## Who can get in without MFA
        - 1 excluded from CA200 – Require MFA by group CA-Excl-MFA-Rollout [5]
        ## In report-only
        - CA211 – Block device code flow: Block access · Authentication flows: Device code flow · 7 of 7 members, 1 of 1 guests [6]
        The log that was read goes from Sun 25 Oct 08:00 to Tue 24 Nov 08:00. Read Tue 24 Nov 08:00.
        (Sign-ins to it) (Apps without a policy)
        [1] 3 of 3 policies that are On reach SharePoint Online · 4 rows
        [2] CA200 – Require MFA: Require multifactor authentication · Sign-in frequency: 12 hours · 5 of 7 members, 1 of 1 guests · 7 rows
        [3] CA205 – Require compliant device: Require device to be marked as compliant · 4 of 7 members, 0 of 1 guests · 5 rows
        [4] CA203 – Block legacy authentication: Block access · Client apps: Exchange ActiveSync clients, Other clients · 5 of 7 members, 1 of 1 guests · 7 rows
        [5] 1 excluded from CA200 – Require MFA by group CA-Excl-MFA-Rollout · 3 rows
        [6] CA211 – Block device code flow: Block access · Authentication flows: Device code flow · 7 of 7 members, 1 of 1 guests · 9 rows
        ");
    }

    #[tokio::test]
    async fn an_app_and_a_class_of_accounts() {
        let after = async |subject, text| said_after(&nordwerk(), Intent::AppPolicies, subject, text).await;
        for (subject, text) in [("", "what protects SharePoint for guests?"), ("SharePoint", "what about guests")] {
            let words = after(subject, text).await;
            assert!(words.starts_with("2 of 3 policies that are On reach SharePoint Online for guests"), "{words}");
            assert!(!words.contains("- CA205") && !words.contains("CA-Excl-MFA-Rollout"), "{words}");
        }
        let words = after("Nowhere", "what about guests").await;
        assert!(words.starts_with("guests: 1 enabled account."), "{words}");
    }

    #[tokio::test]
    async fn an_app_that_a_policy_excludes() {
        insta::assert_snapshot!(said(&nordwerk(), Intent::AppPolicies, "and Salesforce?").await, @r"
        1 of 3 policies that are On reach Salesforce, and 1 in report-only. [1] In the log no sign-in to it succeeded.
        - CA203 – Block legacy authentication: Block access · Client apps: Exchange ActiveSync clients, Other clients · 5 of 7 members, 1 of 1 guests [2]
        CA200 – Require MFA leaves this app out (Require multifactor authentication · Sign-in frequency: 12 hours). [3]
        ## Who can get in without MFA
        - 5 for Salesforce, excluded from CA200 – Require MFA [4]
        - 1 service account and 1 room as well. [5]
        ## In report-only
        - CA211 – Block device code flow: Block access · Authentication flows: Device code flow · 7 of 7 members, 1 of 1 guests [6]
        The log that was read goes from Sun 25 Oct 08:00 to Tue 24 Nov 08:00. Read Tue 24 Nov 08:00.
        (Sign-ins to it) (Apps without a policy)
        [1] 1 of 3 policies that are On reach Salesforce · 2 rows
        [2] CA203 – Block legacy authentication: Block access · Client apps: Exchange ActiveSync clients, Other clients · 5 of 7 members, 1 of 1 guests · 7 rows
        [3] CA200 – Require MFA leaves it out · 1 policy
        [4] 5 for Salesforce, excluded from CA200 – Require MFA · 6 rows
        [5] 1 service account and 1 room as well. · 2 accounts
        [6] CA211 – Block device code flow: Block access · Authentication flows: Device code flow · 7 of 7 members, 1 of 1 guests · 9 rows
        ");
    }

    #[tokio::test]
    async fn without_the_exclusion_mfa_reaches_the_app() {
        let mut tenant = nordwerk();
        tenant["policies"][0]["conditions"]["applications"]["excludeApplications"] = json!([]);
        let words = said(&tenant, Intent::AppPolicies, "what protects Salesforce?").await;
        assert!(words.contains("CA200") && !words.contains("leaves this app out"), "{words}");
    }
}
