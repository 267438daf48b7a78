//! "Who is excluded from MFA?": every exclusion with its members, one person's exceptions, emergency access accounts.

use roaring::RoaringBitmap;

use crate::bot::answer::{Answer, Part, ask};
use crate::bot::describe;
use crate::bot::intent::SlotName;
use crate::bot::lookup::Found;
use crate::checks::accounts::emergency_access;
use crate::checks::cause_words::app_name;
use crate::checks::{rows, scopes};
use crate::facts::{Fact, Row, Term};
use crate::tenant::policy::{Control, PolicyState};
use crate::tenant::{Group, Kind, Policy, User};

use super::named::{Back, Class};
use super::{Answering, Asked, emergency, meant, named, policy_changes, scope, unread, user_policies};

/// Answers for what the question is about: a person, a group, emergency access accounts, apps, places or policies.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move { Ok(of(asked).unwrap_or_else(|back| *back)) })
}

fn of(asked: Asked<'_>) -> Result<Answer, Back> {
    let text = asked.text.to_lowercase();
    let speaks_of = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if emergency::are_meant(&text) {
        let one = asked.slot(SlotName::Policy).map(|name| named::policy(asked, name)).transpose()?;
        return Ok(emergency::told(asked, one));
    }
    let slots = named::slots(asked, SlotName::User);
    if asked.slot(SlotName::User).is_some()
        && let Some(user) = named::person(asked, &slots)
    {
        return Ok(one_person(asked, user?));
    }
    if let Some(name) = asked.slot(SlotName::Policy) {
        return Ok(entries(asked, &[named::policy(asked, name)?]));
    }
    if meant::is_described(asked) {
        let policy = meant::one_policy(asked, |name| format!("who is excluded from {name}?"))?;
        return Ok(entries(asked, &[policy]));
    }
    if let Some(name) = asked.slot(SlotName::Group) {
        return Ok(of_class(asked, &named::class(asked, name)?));
    }
    if speaks_of(&["app", "resource"]) {
        return Ok(apps(asked));
    }
    if speaks_of(&["location", "network", "trusted", "countr", "platform", "device"]) {
        return Ok(conditions(asked));
    }
    if let Some(answer) = before(asked, &text)? {
        return Ok(answer);
    }
    let about = format!("{text} {}", asked.subject().unwrap_or_default().to_lowercase());
    Ok(entries(asked, &enforced(asked, about.contains("mfa") || about.contains("multifactor"))))
}

/// The exclusions of the policy, person or group that the turn before was about: "who is in it?", "why are they excluded?".
fn before(asked: Asked<'_>, text: &str) -> Result<Option<Answer>, Back> {
    if text.contains("mfa") {
        return Ok(None);
    }
    let policy = meant::policies(asked).into_iter().find_map(|(_, found)| match found {
        Found::One(policy) => Some(policy),
        _ => None,
    });
    if let Some(policy) = policy {
        return Ok(Some(entries(asked, &[policy])));
    }
    let slots = named::slots(asked, SlotName::User);
    if let Some(name) = named::first(&slots, SlotName::User) {
        return named::user(asked, name).map(|user| Some(one_person(asked, user)));
    }
    let Some(name) = named::first(&slots, SlotName::Group) else { return Ok(None) };
    Ok(Some(of_class(asked, &named::class(asked, name)?)))
}

fn of_class(asked: Asked<'_>, class: &Class<'_>) -> Answer {
    class.group.map_or_else(|| one_class(asked, class), |group| one_group(asked, group))
}

/// Policies that are On; with `mfa` only those that ask for MFA or a strength.
fn enforced(asked: Asked<'_>, mfa: bool) -> Vec<&Policy> {
    let asks = |policy: &Policy| {
        let controls = policy.grant.iter().flat_map(|grant| &grant.controls);
        !mfa || controls.clone().any(|control| matches!(control, Control::Mfa | Control::Strength(_)))
    };
    let policies = asked.analysis.snapshot().policies.iter();
    policies.filter(|policy| policy.state == PolicyState::Enabled && asks(policy)).collect()
}

/// Every exclusion of these policies; the total counts each account once.
fn entries(asked: Asked<'_>, policies: &[&Policy]) -> Answer {
    let (model, snapshot) = (&asked.analysis.model, asked.analysis.snapshot());
    let mut items = Vec::new();
    let mut all = RoaringBitmap::new();
    for policy in policies {
        for (fact, users) in entries_of(asked, policy) {
            all |= users;
            items.push((fact, Vec::new()));
        }
    }
    let enabled = &all & model.default_users();
    let emergency = &enabled & emergency_access(snapshot);
    let evidence = policies.iter().map(|policy| rows::policy(policy)).chain(rows::users(&enabled, snapshot, None));
    let unread = if items.is_empty() { None } else { unread::said(asked, &unread::needed(policies.iter().copied())) };
    let key = if unread.is_some() { "exclusions.uncounted" } else { "exclusions.total" };
    let total = Fact::new(key, asked.analysis.evidence(evidence))
        .with("entries", items.len())
        .with("count", enabled.len() - emergency.len())
        .with("emergency", emergency.len())
        .with("disabled", all.len() - enabled.len())
        .with("policies", policies.len())
        .with("several", Term::Word(if policies.len() > 1 { "yes" } else { "" }.to_owned()))
        .with("policy", Term::Names(policies.iter().map(|policy| policy.display_name.clone()).collect()))
        .must_show();
    let mut limits: Vec<Fact> = asked
        .not_checked(&["whether anybody reviews these exclusions (access reviews are not read)".to_owned()])
        .into_iter()
        .collect();
    limits.push(asked.read_at());
    Answer::sentences(unread.into_iter().chain([total]).collect())
        .part(Part::List { ordered: false, items })
        .part(Part::Limits(limits))
        .action(ask("Emergency access", "are the emergency access accounts kept out of everything?"))
        .action(ask("Who is not covered by MFA?", "who is not covered by MFA?"))
}

/// Each way in which one policy excludes users, with everybody it holds.
fn entries_of(asked: Asked<'_>, policy: &Policy) -> Vec<(Fact, RoaringBitmap)> {
    let (model, snapshot) = (&asked.analysis.model, asked.analysis.snapshot());
    let directory = &snapshot.directory;
    let exclude = &policy.conditions.users.exclude;
    let fact = |kind: &str, name: String, object: Option<Row>, users: &RoaringBitmap, through: Option<&Group>| {
        let rows = [rows::policy(policy)].into_iter().chain(object).chain(rows::users(users, snapshot, through));
        Fact::new("exclusions.entry", asked.analysis.evidence(rows))
            .with("policy", Term::Name(policy.display_name.clone()))
            .with("kind", Term::Word(kind.to_owned()))
            .with("name", Term::Name(name))
            .with("count", (users & model.default_users()).len())
            .with("unknown", through.map_or_else(|| Term::Word(String::new()), unread))
    };
    let mut found = Vec::new();
    let nobody = RoaringBitmap::new;
    let lost = |kind: &str, of: Kind, id: &String| {
        let why = if snapshot.has(of) { "not in the directory" } else { "not read" };
        (fact(kind, id.clone(), None, &nobody(), None).with("unknown", Term::Word(why.to_owned())), nobody())
    };
    let users = exclude.users.iter().filter(|id| directory.user_index(id).is_none());
    let groups = exclude.groups.iter().filter(|id| !directory.groups.contains_key(*id));
    found.extend(users.map(|id| lost("user", Kind::Users, id)));
    found.extend(groups.map(|id| lost("group", Kind::Groups, id)));
    let named: RoaringBitmap = exclude.users.iter().filter_map(|id| directory.user_index(id)).collect();
    for index in &named {
        let one: RoaringBitmap = [index].into_iter().collect();
        let name = directory.user_at(index).map(|user| user.display_name.to_string()).unwrap_or_default();
        found.push((fact("user", name, None, &one, None), one));
    }
    for group in exclude.groups.iter().filter_map(|id| directory.groups.get(id)) {
        let members = group.transitive.as_deref().cloned().unwrap_or_default();
        found.push((
            fact("group", group.display_name.clone(), Some(rows::group(group)), &members, Some(group)),
            members,
        ));
    }
    for id in &exclude.roles {
        let holders = model.role_holders(id, crate::tenant::Assignment::Active).unwrap_or_default();
        let name = scopes::role_name(snapshot, id);
        found.push((fact("role", name, None, &holders, None), holders));
    }
    if let Some(guests) = &exclude.guests {
        let kinds: Vec<&str> = guests.types.iter().map(|kind| describe::guest_word(*kind)).collect();
        let mut of_kind = model.guests();
        let in_kind = |index: u32| {
            directory.user_at(index).and_then(|user| user.guest).is_some_and(|kind| guests.types.contains(&kind))
        };
        of_kind = of_kind.iter().filter(|index| in_kind(*index)).collect();
        found.push((fact("guests", kinds.join(", "), None, &of_kind, None), of_kind));
    }
    found
}

/// Whether there is an exception for one person.
fn one_person(asked: Asked<'_>, user: &User) -> Answer {
    let snapshot = asked.analysis.snapshot();
    let index = snapshot.directory.user_index(&user.id).unwrap_or(u32::MAX);
    let excluded = user_policies::exclusions(asked, user, index);
    let outside: Vec<&Policy> = enforced(asked, false)
        .into_iter()
        .filter(|policy| scope::way(&policy.conditions.users.include, index, snapshot).is_none())
        .collect();
    let on = enforced(asked, false);
    let me = rows::users(&[index].into_iter().collect(), snapshot, None).collect::<Vec<_>>();
    let evidence = me.into_iter().chain(on.iter().map(|policy| rows::policy(policy)));
    let total = Fact::new("exclusions.person", asked.analysis.evidence(evidence))
        .with("user", Term::Name(user.display_name.to_string()))
        .with("count", excluded.len())
        .with("of", on.len())
        .with("outside", outside.len())
        .must_show();
    let items = excluded.into_iter().map(|fact| (fact, Vec::new())).collect();
    let mut answer = Answer::sentences(vec![total]).part(Part::List { ordered: false, items });
    let skips: Vec<Fact> = on.iter().filter_map(|policy| skips(asked, policy)).collect();
    if !skips.is_empty() {
        answer = answer.part(Part::Sentences(skips));
    }
    answer
        .part(Part::Limits(vec![asked.read_at()]))
        .action(ask("Their policies", format!("which policies apply to {}?", user.user_principal_name)))
        .action(ask("Their sign-ins", format!("why did {} get in without a prompt?", user.user_principal_name)))
}

/// Apps, places and platforms that a policy leaves out.
fn skips(asked: Asked<'_>, policy: &Policy) -> Option<Fact> {
    let snapshot = asked.analysis.snapshot();
    let left_out =
        |label: &str, words: &str| words.split_once(" · Exclude: ").map(|(_, rest)| format!("{label}: {rest}"));
    let lines = describe::policy(policy, snapshot).into_iter().filter(|(label, _)| *label != "Users");
    let words: Vec<String> = lines.filter_map(|(label, words)| left_out(label, &words)).collect();
    (!words.is_empty()).then(|| {
        Fact::new("exclusions.skips", asked.analysis.evidence([rows::policy(policy)]))
            .with("policy", Term::Name(policy.display_name.clone()))
            .with("what", Term::Name(words.join(" · ")))
    })
}

/// Why members of a group aren't known; empty where they are.
fn unread(group: &Group) -> Term {
    let why = match (&group.transitive, group.hidden) {
        (Some(_), _) => "",
        (None, true) => "members hidden: grant Member.Read.Hidden",
        (None, false) => "members not read",
    };
    Term::Word(why.to_owned())
}

/// One group: who is in it, and which policies it is left out of.
fn one_group(asked: Asked<'_>, group: &Group) -> Answer {
    let (model, snapshot) = (&asked.analysis.model, asked.analysis.snapshot());
    let members = group.transitive.as_deref().cloned().unwrap_or_default();
    let enabled = &members & model.default_users();
    let evidence = [rows::group(group)].into_iter().chain(rows::users(&members, snapshot, Some(group)));
    let owners: Vec<String> = group
        .owners
        .iter()
        .map(|id| snapshot.directory.user(id).map_or_else(|| id.clone(), |user| user.display_name.to_string()))
        .collect();
    let total = Fact::new("exclusions.group", asked.analysis.evidence(evidence))
        .with("group", Term::Name(group.display_name.clone()))
        .with("count", enabled.len())
        .with("disabled", members.len() - enabled.len())
        .with("unknown", unread(group))
        .with("owners", Term::Names(owners))
        .with("dynamic", Term::Name(group.membership_rule.clone().unwrap_or_default()))
        .must_show();
    let excluding =
        snapshot.policies.iter().filter(|policy| policy.conditions.users.exclude.groups.contains(&group.id));
    let items: Vec<_> = excluding
        .map(|policy| {
            let evidence = asked.analysis.evidence([rows::policy(policy), rows::group(group)]);
            let fact = Fact::new("exclusions.by", evidence)
                .with("policy", Term::Name(policy.display_name.clone()))
                .with("state", Term::Word(rows::state_word(policy.state).to_owned()))
                .with("asks", Term::Name(scope::asks(policy, snapshot)));
            (fact, Vec::new())
        })
        .collect();
    let records: Vec<Row> =
        snapshot.audits.iter().rev().filter(|row| policy_changes::is_of_group(row, group)).map(rows::audit).collect();
    let unread = unread::said(asked, &[Kind::DirectoryAudits]);
    let change =
        Fact::new("exclusions.group_changed", asked.analysis.evidence(records.clone()).within(snapshot.window))
            .with("count", records.len())
            .with("group", Term::Name(group.display_name.clone()))
            .must_show();
    let by = Fact::new("exclusions.group_by", asked.analysis.evidence([])).with("count", items.len()).must_show();
    let limits = asked.not_checked(&["access reviews of the group (not read)".to_owned()]);
    Answer::sentences(vec![total, by])
        .part(Part::List { ordered: false, items })
        .part(Part::Sentences(vec![unread.unwrap_or(change)]))
        .part(Part::Limits(limits.into_iter().chain([asked.read_at()]).collect()))
}

/// A class of accounts: how many of it each policy that is On excludes.
fn one_class(asked: Asked<'_>, class: &named::Class<'_>) -> Answer {
    let snapshot = asked.analysis.snapshot();
    let mut items = Vec::new();
    for policy in enforced(asked, false) {
        let out: RoaringBitmap = class
            .users
            .iter()
            .filter(|index| scope::way(&policy.conditions.users.exclude, *index, snapshot).is_some())
            .collect();
        if out.is_empty() {
            continue;
        }
        let evidence = [rows::policy(policy)].into_iter().chain(rows::users(&out, snapshot, None));
        let fact = Fact::new("exclusions.class", asked.analysis.evidence(evidence))
            .with("policy", Term::Name(policy.display_name.clone()))
            .with("count", out.len())
            .with("of", class.users.len());
        items.push((fact, Vec::new()));
    }
    let evidence = rows::users(&class.users, snapshot, None);
    let total = Fact::new("exclusions.class_total", asked.analysis.evidence(evidence))
        .with("name", Term::Name(class.name.clone()))
        .with("of", class.users.len())
        .with("count", items.len())
        .must_show();
    Answer::sentences(vec![total]).part(Part::List { ordered: false, items }).part(Part::Limits(vec![asked.read_at()]))
}

/// Apps that policies which are On leave out.
fn apps(asked: Asked<'_>) -> Answer {
    let snapshot = asked.analysis.snapshot();
    let on = enforced(asked, false);
    let excluding: Vec<&Policy> =
        on.iter().copied().filter(|policy| !policy.conditions.applications.exclude.is_empty()).collect();
    let item = |policy: &&Policy| {
        let ids = &policy.conditions.applications.exclude;
        let names: Vec<String> = ids.iter().map(|id| app_name(snapshot, id)).collect();
        let app = |id: &String| Row::Object {
            what: "App".into(),
            id: id.clone(),
            name: app_name(snapshot, id),
            note: String::new(),
        };
        let evidence = [rows::policy(policy)].into_iter().chain(ids.iter().map(app));
        let fact = Fact::new("exclusions.apps_of", asked.analysis.evidence(evidence))
            .with("policy", Term::Name(policy.display_name.clone()))
            .with("count", names.len())
            .with("apps", Term::Names(names));
        (fact, Vec::new())
    };
    let total = Fact::new("exclusions.apps", asked.analysis.evidence(on.iter().map(|policy| rows::policy(policy))))
        .with("count", excluding.len())
        .with("of", on.len())
        .must_show();
    Answer::sentences(vec![total])
        .part(Part::List { ordered: false, items: excluding.iter().map(item).collect() })
        .part(Part::Limits(vec![asked.read_at()]))
        .action(ask("Apps without a policy", "which apps does no policy cover?"))
}

/// Locations, platforms and devices that policies which are On leave out.
fn conditions(asked: Asked<'_>) -> Answer {
    let on = enforced(asked, false);
    let items: Vec<_> = on.iter().filter_map(|policy| Some((skips(asked, policy)?, Vec::new()))).collect();
    let total =
        Fact::new("exclusions.conditions", asked.analysis.evidence(on.iter().map(|policy| rows::policy(policy))))
            .with("count", items.len())
            .with("of", on.len())
            .must_show();
    Answer::sentences(vec![total]).part(Part::List { ordered: false, items }).part(Part::Limits(vec![asked.read_at()]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::bot::answers::testing::{nordwerk, said};
    use crate::bot::intent::Intent;

    async fn about(text: &str) -> String {
        said(&nordwerk(), Intent::Exclusions, text).await
    }

    #[tokio::test]
    async fn every_exclusion_of_the_policies_meant() {
        insta::assert_snapshot!(about("who is excluded from MFA?").await, @r"
        1 enabled account is excluded from CA200 – Require MFA; apart, 1 emergency access account. [1]
        - CA200 – Require MFA: group CA-BreakGlass (1 enabled account) [2]
        - CA200 – Require MFA: group CA-Excl-MFA-Rollout (1 enabled account) [3]
        Not checked: whether anybody reviews these exclusions (access reviews are not read). Read Tue 24 Nov 08:00.
        (Emergency access) (Who is not covered by MFA?)
        [1] 1 account excluded from CA200 – Require MFA · 3 rows
        [2] CA200 – Require MFA: group CA-BreakGlass (1 enabled account) · 3 rows
        [3] CA200 – Require MFA: group CA-Excl-MFA-Rollout (1 enabled account) · 3 rows
        ");
    }

    #[tokio::test]
    async fn a_person() {
        insta::assert_snapshot!(about("does an exception exist for Bob Keller anywhere?").await, @r"
        Yes: 1 policy of 3 that are On leave Bob Keller out. [1]
        - CA200 – Require MFA excludes Bob Keller through CA-Excl-MFA-Rollout. [2]
        CA200 – Require MFA also leaves out, for everybody: Target resources: Salesforce. [3]
        Read Tue 24 Nov 08:00.
        (Their policies) (Their sign-ins)
        [1] Bob Keller excluded from 1 of 3 policies · 4 rows
        [2] CA200 – Require MFA excludes Bob Keller through CA-Excl-MFA-Rollout. · 2 rows
        [3] CA200 – Require MFA leaves out Target resources: Salesforce · 1 policy
        ");
    }

    #[tokio::test]
    async fn a_group() {
        insta::assert_snapshot!(about("who sits in CA-Excl-MFA-Rollout?").await, @r"
        CA-Excl-MFA-Rollout holds 1 enabled account. Owned by Dana Admin. [1] 1 policy excludes it:
        - CA200 – Require MFA (On): Require multifactor authentication · Sign-in frequency: 12 hours [2]
        The audit log has no change of CA-Excl-MFA-Rollout in its window.
        Not checked: access reviews of the group (not read). Read Tue 24 Nov 08:00.
        [1] CA-Excl-MFA-Rollout: 1 enabled account · 2 rows
        [2] CA200 – Require MFA (On): Require multifactor authentication · Sign-in frequency: 12 hours · 2 rows
        ");
    }

    #[tokio::test]
    async fn emergency_access_accounts() {
        insta::assert_snapshot!(about("are both break-glass accounts kept out of everything?").await, @r"
        1 of 1 emergency access account (Emergency 1) kept out of all 3 policies that are On. [1] None of them signed in, in the window of the log.
        - CA211 – Block device code flow (Report-only) would catch Emergency 1: Block access · Authentication flows: Device code flow [2]
        Read Tue 24 Nov 08:00.
        [1] 1 of 1 kept out of everything · 5 rows
        [2] CA211 – Block device code flow (Report-only) would catch Emergency 1: Block access · Authentication flows: Device code flow · 2 rows
        ");
    }

    #[tokio::test]
    async fn emergency_access_accounts_and_one_policy() {
        let words = about("does CA211 hit the break glass accounts?").await;
        assert!(words.starts_with("Yes: CA211 – Block device code flow (Report-only) reaches 1 of 1"), "{words}");
        let words = about("does CA203 hit the break glass accounts?").await;
        assert!(words.starts_with("No: CA203 – Block legacy authentication (On) reaches none of 1"), "{words}");
    }

    #[tokio::test]
    async fn who_was_not_read_is_not_nobody() {
        let mut tenant = nordwerk();
        tenant["groups"] = json!([]);
        tenant["unread"] = json!(["groups"]);
        let words = said(&tenant, Intent::Exclusions, "who is excluded from MFA?").await;
        assert!(words.starts_with("Not known: groups.json was not read."), "{words}");
        assert!(words.contains("group g-rollout (not read)") && !words.contains("No enabled account"), "{words}");
    }

    #[tokio::test]
    async fn a_membership_is_a_change_of_the_group() {
        let mut tenant = nordwerk();
        tenant["directoryAudits"].as_array_mut().unwrap().push(json!({
            "id": "a-2", "activityDateTime": "2026-11-23T17:00:00Z", "activityDisplayName": "Add member to group",
            "initiatedBy": {"user": {"id": "u-dana", "displayName": "Dana Admin"}},
            "targetResources": [{"id": "u-bob", "displayName": "Bob Keller", "type": "User", "modifiedProperties": [
                {"displayName": "Group.ObjectID", "oldValue": null, "newValue": "\"g-rollout\""}]}]}));
        let words = said(&tenant, Intent::Exclusions, "who sits in CA-Excl-MFA-Rollout?").await;
        assert!(words.contains("The audit log has 1 change of CA-Excl-MFA-Rollout"), "{words}");
    }

    #[tokio::test]
    async fn apps() {
        insta::assert_snapshot!(about("and apps that are exempted?").await, @r"
        1 of 3 policies that are On exclude apps. [1]
        - CA200 – Require MFA: Salesforce [2]
        Read Tue 24 Nov 08:00.
        (Apps without a policy)
        [1] 1 of 3 policies exclude apps · 3 policies
        [2] CA200 – Require MFA: Salesforce · 2 rows
        ");
    }

    #[tokio::test]
    async fn a_member_less_is_another_sentence() {
        let mut tenant = nordwerk();
        tenant["groups"][2]["members"] = json!([]);
        let words = said(&tenant, Intent::Exclusions, "does an exception exist for Bob Keller anywhere?").await;
        assert!(words.contains("No policy that is On excludes Bob Keller"), "{words}");
    }
}
