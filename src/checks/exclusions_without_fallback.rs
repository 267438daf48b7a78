//! Who is excluded from a policy is governed by another one.

use std::collections::{BTreeMap, BTreeSet};

use roaring::RoaringBitmap;

use crate::engine::{Condition, Requirement, Scope};
use crate::facts::{Evidence, Fact, Term};
use crate::tenant::directory::Group;
use crate::tenant::policy::{ClientAppType, RiskLevel};
use crate::tenant::{Kind, Policy};

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
        let everybody = known.iter().fold(RoaringBitmap::new(), |all, one| all | &one.users);
        let open = ungoverned(&everybody, context);
        let (mut listed, mut compensated) = (Vec::new(), Vec::new());
        for one in known {
            let left = &one.users & &open;
            if left.is_empty() {
                compensated.extend(makes_up(&one, context));
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

/// Of these users, those whose everyday sign-ins no policy that is On governs.
///
/// A policy that holds in some places or for some devices counts as one that takes over; one for a platform doesn't.
fn ungoverned(users: &RoaringBitmap, context: &Context<'_>) -> RoaringBitmap {
    let scope = Scope {
        users: Some(users.clone()),
        client_apps: BTreeSet::from([ClientAppType::Browser, ClientAppType::MobileAppsAndDesktopClients]),
        sign_in_risk: BTreeSet::from([RiskLevel::None]),
        user_risk: BTreeSet::from([RiskLevel::None]),
        ..Scope::default()
    };
    let coverage = context.model.coverage(&Requirement::AnyPolicy, &scope);
    let partly = |condition: &Condition| {
        matches!(condition, Condition::Locations(_) | Condition::Devices(_) | Condition::BaselineScopes)
    };
    let open = coverage.gaps.iter().filter(|gap| gap.sure && gap.any_app && !gap.conditions.iter().any(partly));
    open.fold(RoaringBitmap::new(), |all, gap| all | &gap.users) & users
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

/// The policy that takes over for everybody in an excluded group.
fn makes_up(one: &Exclusion<'_>, context: &Context<'_>) -> Option<Fact> {
    let others = policies::on(&context.model.snapshot).filter(|policy| policies::is_everyday(policy));
    let takes_over = |policy: &&Policy| one.users.is_subset(&context.model.users_of(&policy.id).0);
    let instead = others.into_iter().find(takes_over)?;
    let rows = [rows::group(one.group), rows::policy(instead)];
    let fact = Fact::new("exclusions_without_fallback.made_up", context.stamp(Evidence::of(rows)))
        .with("group", Term::Name(one.group.display_name.clone()))
        .with("policies", policies::names(one.from.iter().copied()))
        .with("instead", Term::Name(instead.display_name.clone()));
    Some(fact)
}
