//! Who is excluded from a policy is governed by another one.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;

use crate::facts::{Evidence, Fact, Term};
use crate::tenant::directory::Group;
use crate::tenant::location::Place;
use crate::tenant::policy::{ClientAppType, Control, GrantControls, Operator};
use crate::tenant::{Kind, Policy, Snapshot};

use super::accounts::emergency_access;
use super::listing::{self, Listed};
use super::{About, Check, Context, CureKind, Finding, Severity, Verdict, hand_over, policies, rows};

/// Who is excluded from a policy is governed by another one.
#[derive(Debug)]
pub(super) struct ExclusionsWithoutFallback;

static ABOUT: About = About {
    id: "exclusions-without-fallback",
    title: "Exclusions that no other policy makes up for",
    severity: Severity::High,
    rationale: "An exclusion is sound where another policy takes over: rooms that are held to the office, service accounts to their servers. Where none does, a password is enough.",
    references: &["MT.1036", "prowler:entra_conditional_access_policy_no_exclusion_gaps"],
    see_also: &["MT.1035"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::Edit,
};

impl Check for ExclusionsWithoutFallback {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let groups = excluded(context);
        if groups.is_empty() {
            return listing::open(context, ABOUT.id, "exclusions_without_fallback.nobody", Verdict::NotApplicable);
        }
        if !context.model.snapshot.has(Kind::Users) || !context.model.snapshot.has(Kind::Groups) {
            let mut finding = listing::open(context, ABOUT.id, "exclusions_without_fallback.review", Verdict::Review);
            finding.not_checked.push("who is excluded (users.json and groups.json would settle it)".to_owned());
            return finding;
        }
        let known: Vec<Exclusion<'_>> = groups.iter().filter_map(|(id, from)| exclusion(id, from, context)).collect();
        let taking_over =
            policies::on(&context.model.snapshot).filter(|policy| takes_over(policy, &context.model.snapshot));
        let taking_over: Vec<(&Policy, RoaringBitmap)> =
            taking_over.map(|policy| (policy, context.model.users_of(&policy.id).0)).collect();
        let governed = taking_over.iter().fold(RoaringBitmap::new(), |all, (_, users)| all | users);
        let (mut listed, mut compensated) = (Vec::new(), Vec::new());
        for one in known {
            let left = &one.users - &governed;
            if left.is_empty() {
                compensated.push(makes_up(&one, &taking_over, context));
            } else {
                listed.push(without(&one, &left, context));
            }
        }
        let mut finding = listing::finding(context, (ABOUT.id, "exclusions_without_fallback"), listed);
        finding.facts.extend(compensated);
        finding.not_checked.push("exclusions of single users, of roles and of guests by kind".to_owned());
        finding
    }
}

/// A group that policies exclude: whom that concerns, emergency access aside.
struct Exclusion<'a> {
    group: &'a Group,
    users: RoaringBitmap,
    from: &'a [&'a Policy],
}

/// Groups that policies for everyday sign-ins exclude, with those policies.
fn excluded<'a>(context: &'a Context<'_>) -> BTreeMap<&'a String, Vec<&'a Policy>> {
    let snapshot = &context.model.snapshot;
    let mut groups: BTreeMap<&String, Vec<&Policy>> = BTreeMap::new();
    for policy in policies::on(snapshot).filter(|policy| policies::is_everyday(policy)) {
        let ids = policy.conditions.users.exclude.groups.iter();
        for id in ids.filter(|id| !snapshot.settings.emergency_access.contains(*id)) {
            groups.entry(id).or_default().push(policy);
        }
    }
    groups
}

fn exclusion<'a>(id: &str, from: &'a [&'a Policy], context: &'a Context<'_>) -> Option<Exclusion<'a>> {
    let snapshot = &context.model.snapshot;
    let group = snapshot.directory.groups.get(id)?;
    let users = context.model.group_users(id)? - emergency_access(snapshot);
    (!users.is_empty()).then_some(Exclusion { group, users, from })
}

/// Whether a policy takes over for somebody who is excluded elsewhere: everyday sign-ins by any modern client take MFA, a
/// managed device or app, or are held to the organisation's network; a deleted location is none. A country, a platform or terms of use don't do.
fn takes_over(policy: &Policy, snapshot: &Snapshot) -> bool {
    let conditions = &policy.conditions;
    let types = &conditions.client_app_types;
    let modern = [ClientAppType::Browser, ClientAppType::MobileAppsAndDesktopClients];
    let any_client =
        types.is_empty() || types.contains(&ClientAppType::All) || modern.iter().all(|one| types.contains(one));
    let addresses = |id: &String| {
        id == "AllTrusted"
            || snapshot.locations.get(id).is_none_or(|location| !matches!(location.place, Place::Country { .. }))
    };
    let sides = conditions.locations.as_ref();
    let places = sides.is_none_or(|sides| sides.include.contains("All") && sides.exclude.iter().all(addresses));
    policies::is_everyday(policy)
        && any_client
        && places
        && conditions.platforms.is_none()
        && policy.grant.as_ref().is_some_and(asks)
}

/// Whether nobody gets past by something that proves nothing: terms of use or a custom control.
fn asks(grant: &GrantControls) -> bool {
    let weak = |control: &Control| matches!(control, Control::TermsOfUse(_) | Control::Custom(_) | Control::Unknown(_));
    match grant.operator {
        Operator::And => !grant.controls.iter().all(weak),
        Operator::Or => !grant.controls.iter().any(weak),
    }
}

fn without(one: &Exclusion<'_>, left: &RoaringBitmap, context: &Context<'_>) -> Listed {
    let snapshot = &context.model.snapshot;
    let head = std::iter::once(rows::group(one.group)).chain(one.from.iter().map(|policy| rows::policy(policy)));
    let evidence = Evidence::of(head.chain(rows::users(left, snapshot, Some(one.group))));
    Listed {
        fact: Fact::new("exclusions_without_fallback.group", context.stamp(evidence))
            .with("group", Term::Name(one.group.display_name.clone()))
            .with("count", left.len())
            .with("of", one.users.len())
            .with("policies", policies::names(one.from.iter().copied())),
        cure: listing::hand_over(
            &one.group.id,
            format!("Take {} out of {}", counted(left.len()), one.group.display_name),
            hand_over::leave_group(one.group, left, snapshot),
        ),
    }
}

fn counted(count: u64) -> String {
    if count == 1 { "1 account".to_owned() } else { format!("{count} accounts") }
}

/// The policies that take over for those in an excluded group.
fn makes_up(one: &Exclusion<'_>, taking_over: &[(&Policy, RoaringBitmap)], context: &Context<'_>) -> Fact {
    let all = taking_over.iter().find(|(_, users)| one.users.is_subset(users)).map(|(policy, _)| vec![*policy]);
    let some = || taking_over.iter().filter(|(_, users)| !users.is_disjoint(&one.users)).map(|(policy, _)| *policy);
    let instead = all.unwrap_or_else(|| some().collect());
    let rows = std::iter::once(rows::group(one.group)).chain(instead.iter().map(|policy| rows::policy(policy)));
    Fact::new("exclusions_without_fallback.made_up", context.stamp(Evidence::of(rows)))
        .with("group", Term::Name(one.group.display_name.clone()))
        .with("policies", policies::names(one.from.iter().copied()))
        .with("count", instead.len())
        .with("instead", policies::names(instead))
}
