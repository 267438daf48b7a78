//! Who is excluded from a policy is governed by another one.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use roaring::RoaringBitmap;
use serde_json::json;

use crate::engine::{Model, Scope};
use crate::facts::{Fact, Term};
use crate::tenant::directory::Group;
use crate::tenant::policy::{Control, GrantControls, Operator, UserSide};
use crate::tenant::well_known::SYNCHRONISING;
use crate::tenant::{Assignment, Kind, Policy, Snapshot};

use super::accounts::emergency_access;
use super::fallback::{self, Left};
use super::listing::{self, Listed};
use super::{
    About, Check, Context, CureKind, Finding, HandOver, Severity, Verdict, excluded_group, hand_over, policies,
    rights_management, rows, scopes,
};

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
        let snapshot = &context.model.snapshot;
        if !policies::on(snapshot).filter(|policy| policies::is_everyday(policy)).any(|one| names_any(one, snapshot)) {
            return listing::open(context, ABOUT.id, "exclusions_without_fallback.nobody", Verdict::NotApplicable);
        }
        if !snapshot.has(Kind::Users) || !snapshot.has(Kind::Groups) {
            let mut finding = listing::open(context, ABOUT.id, "exclusions_without_fallback.review", Verdict::Review);
            finding.not_checked.push("who is excluded (users.json and groups.json would settle it)".to_owned());
            return finding;
        }
        let (exclusions, perhaps) = (exclusions(context), Perhaps::of(context));
        if exclusions.is_empty() && perhaps.ways.is_empty() {
            return listing::open(context, ABOUT.id, "exclusions_without_fallback.nobody", Verdict::NotApplicable);
        }
        judge(context, &exclusions, perhaps)
    }
}

/// Accounts that may be excluded in a way that nobody read, and for whom nothing takes over then.
#[derive(Default)]
struct Perhaps {
    /// The groups and roles whose members weren't read, as they would be settled.
    ways: BTreeSet<String>,
    left: Left,
}

impl Perhaps {
    fn of(context: &Context<'_>) -> Self {
        let (model, mut all) = (context.model, Self::default());
        let everyday: Vec<&Policy> = policies::on(&model.snapshot).filter(|one| policies::is_everyday(one)).collect();
        for policy in everyday {
            let ways = unread(policy, context);
            let (sure, possible) = model.users_of(&policy.id);
            let users = possible - sure - emergency_access(&model.snapshot);
            if !ways.is_empty() && !users.is_empty() {
                all.ways.extend(ways);
                all.left.add(&fallback::left(model, fallback::taken_away(model, policy), &users));
            }
        }
        all
    }
}

/// The groups and roles that a policy excludes and whose members nobody read.
fn unread(policy: &Policy, context: &Context<'_>) -> BTreeSet<String> {
    let (snapshot, exclude) = (&context.model.snapshot, &policy.conditions.users.exclude);
    let known =
        |id: &&String| snapshot.settings.emergency_access.contains(*id) || context.model.group_users(id).is_some();
    let name =
        |id: &String| snapshot.directory.groups.get(id).map_or_else(|| id.clone(), |group| group.display_name.clone());
    let groups = exclude.groups.iter().filter(|id| !known(id));
    let groups =
        groups.map(|id| format!("members of group {} (groups.json with its members would settle it)", name(id)));
    let held = |role: &&String| {
        SYNCHRONISING.contains(&role.as_str()) || context.model.role_holders(role, Assignment::Active).is_some()
    };
    let roles = exclude.roles.iter().filter(|role| !held(role));
    let roles =
        roles.map(|id| format!("who holds {} (roleAssignments.json would settle it)", scopes::role_name(snapshot, id)));
    groups.chain(roles).collect()
}

/// Accounts that the same way leads out of policies, emergency access aside.
struct Exclusion<'a> {
    way: Way<'a>,
    users: RoaringBitmap,
    from: Vec<&'a Policy>,
}

/// How policies exclude accounts.
#[derive(Clone, Copy, PartialEq)]
enum Way<'a> {
    /// Through a group.
    Group(&'a Group),
    /// By name, by role or as guests, which the policy itself says.
    Direct,
}

fn judge(context: &Context<'_>, exclusions: &[Exclusion<'_>], perhaps: Perhaps) -> Finding {
    let assumed = fallback::without_trusted(&context.model.snapshot);
    let model = assumed.as_ref().unwrap_or(context.model);
    let (mut listed, mut compensated, mut open) = (Vec::new(), Vec::new(), Left::default());
    let questions = Questions::new(model, exclusions);
    let taking_over = OnceCell::new();
    for one in exclusions {
        let mut left = Left::default();
        one.from.iter().filter_map(|policy| questions.left(model, policy)).for_each(|here| left.add(here));
        left.sure &= &one.users;
        left.maybe &= &one.users;
        match (left.sure.is_empty(), left.maybe.is_empty()) {
            (false, _) => listed.push(without(one, &left.sure, context)),
            (true, false) => open.add(&left),
            (true, true) => {
                let others = taking_over.get_or_init(|| taking_over_from(exclusions, context));
                compensated.extend(makes_up(one, others, context));
            }
        }
    }
    let mut left = perhaps.left;
    left.maybe |= &left.sure;
    if !left.maybe.is_empty() {
        left.unresolved.extend(perhaps.ways);
        open.add(&left);
    }
    let mut finding = listing::finding(context, (ABOUT.id, "exclusions_without_fallback"), listed);
    finding.facts.extend(compensated);
    finding.not_checked.push("exclusions of apps, which apps-not-covered judges".to_owned());
    if finding.verdict == Verdict::Pass && !open.maybe.is_empty() {
        let evidence = context.evidence(rows::users(&open.maybe, &context.model.snapshot, None));
        let fact = Fact::new("exclusions_without_fallback.undecided", evidence);
        finding.facts.splice(..1, [fact.with("count", open.maybe.len()).must_show()]);
        finding.verdict = Verdict::Review;
    }
    if assumed.is_some() && !open.maybe.is_empty() {
        finding.not_checked.push("named locations (namedLocations.json would settle it)".to_owned());
    }
    finding.not_checked.extend(open.unresolved);
    finding
}

/// The sign-ins that exclusions take from policies, each once, with everybody whom one of them concerns: policies about the
/// same sign-ins are one question.
struct Questions<'a> {
    all: Vec<Question>,
    /// By policy id, its question.
    by_policy: BTreeMap<&'a str, usize>,
}

/// Sign-ins that policies leave some people out of, all of those people, and for whom of them nothing takes over.
struct Question {
    about: Scope,
    users: RoaringBitmap,
    left: OnceCell<Left>,
}

impl<'a> Questions<'a> {
    fn new(model: &Model, exclusions: &[Exclusion<'a>]) -> Self {
        let mut known = Self { all: Vec::new(), by_policy: BTreeMap::new() };
        for (one, policy) in exclusions.iter().flat_map(|one| one.from.iter().map(move |policy| (one, *policy))) {
            let place = match known.by_policy.get(policy.id.as_str()) {
                Some(place) => *place,
                None => known.place(fallback::taken_away(model, policy)),
            };
            known.by_policy.insert(&policy.id, place);
            known.all.get_mut(place).into_iter().for_each(|question| question.users |= &one.users);
        }
        known
    }

    fn place(&mut self, about: Scope) -> usize {
        let known = self.all.iter().position(|question| question.about == about);
        known.unwrap_or_else(|| {
            self.all.push(Question { about, users: RoaringBitmap::new(), left: OnceCell::new() });
            self.all.len() - 1
        })
    }

    /// For whom nothing makes up for what exclusions take from a policy, of all whom the same question concerns.
    fn left(&self, model: &Model, policy: &Policy) -> Option<&Left> {
        let question = self.all.get(*self.by_policy.get(policy.id.as_str())?)?;
        Some(question.left.get_or_init(|| fallback::left(model, question.about.clone(), &question.users)))
    }
}

/// Whether a policy excludes anybody beside emergency access and the accounts that synchronise the directory.
fn names_any(policy: &Policy, snapshot: &Snapshot) -> bool {
    let exclude = &policy.conditions.users.exclude;
    let emergency = &snapshot.settings.emergency_access;
    exclude.users.iter().chain(&exclude.groups).any(|id| !emergency.contains(id))
        || exclude.roles.iter().any(|id| !SYNCHRONISING.contains(&id.as_str()))
        || exclude.guests.is_some()
}

/// What policies for everyday sign-ins exclude of those whom they include: group by group, and policy by policy the rest.
fn exclusions<'a>(context: &'a Context<'_>) -> Vec<Exclusion<'a>> {
    let snapshot = &context.model.snapshot;
    let everyday: Vec<&Policy> = policies::on(snapshot).filter(|policy| policies::is_everyday(policy)).collect();
    let mut all: Vec<Exclusion<'_>> = Vec::new();
    for (policy, included) in everyday.iter().zip(included(context, &everyday)) {
        let concerned = included - emergency_access(snapshot) - synchronising(context);
        for group in policy.conditions.users.exclude.groups.iter().filter_map(|id| snapshot.directory.groups.get(id)) {
            let users = context.model.group_users(&group.id).unwrap_or_default() & &concerned;
            note(&mut all, Exclusion { way: Way::Group(group), users, from: vec![policy] });
        }
        let users = direct(context, policy) & &concerned;
        note(&mut all, Exclusion { way: Way::Direct, users, from: vec![policy] });
    }
    all
}

/// Adds an exclusion; those of one group are one.
fn note<'a>(all: &mut Vec<Exclusion<'a>>, new: Exclusion<'a>) {
    if new.users.is_empty() {
        return;
    }
    let grouped = |way: Way<'_>| if let Way::Group(group) = way { Some(group.id.clone()) } else { None };
    let id = grouped(new.way);
    match all.iter_mut().find(|known| id.is_some() && grouped(known.way) == id) {
        Some(known) => {
            known.users |= new.users;
            known.from.extend(new.from);
        }
        None => all.push(new),
    }
}

/// For each policy whom it would take in if it excluded nobody.
fn included(context: &Context<'_>, policies: &[&Policy]) -> Vec<RoaringBitmap> {
    let mut open: Vec<Policy> = policies.iter().map(|policy| (*policy).clone()).collect();
    open.iter_mut().for_each(|policy| policy.conditions.users.exclude = UserSide::default());
    let model = context.model.with_policies(open);
    policies.iter().map(|policy| model.users_of(&policy.id).0).collect()
}

/// Whom a policy excludes by name, by role or as guests.
fn direct(context: &Context<'_>, policy: &Policy) -> RoaringBitmap {
    let mut only = policy.clone();
    only.conditions.users.include = UserSide { groups: BTreeSet::new(), ..policy.conditions.users.exclude.clone() };
    only.conditions.users.exclude = UserSide::default();
    context.model.with_policies(vec![only]).users_of(&policy.id).0
}

/// Accounts that synchronise the directory: they can do nothing that policies ask.
fn synchronising(context: &Context<'_>) -> RoaringBitmap {
    let holders = |role: &&str| context.model.role_holders(role, Assignment::Active);
    SYNCHRONISING.iter().filter_map(holders).fold(RoaringBitmap::new(), |all, users| all | users)
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
    match one.way {
        Way::Group(group) => without_group((one, group), left, context),
        Way::Direct => without_direct(one, left, context),
    }
}

fn without_group((one, group): (&Exclusion<'_>, &Group), left: &RoaringBitmap, context: &Context<'_>) -> Listed {
    let snapshot = &context.model.snapshot;
    let head = std::iter::once(rows::group(group)).chain(one.from.iter().map(|policy| rows::policy(policy)));
    let evidence = context.evidence(head.chain(rows::users(left, snapshot, Some(group))));
    Listed {
        fact: Fact::new("exclusions_without_fallback.group", evidence)
            .with("group", Term::Name(group.display_name.clone()))
            .with("count", left.len())
            .with("of", one.users.len())
            .with("policies", policies::names(one.from.iter().copied())),
        cure: excluded_group::cure((group, left), &one.from, snapshot),
    }
}

fn without_direct(one: &Exclusion<'_>, left: &RoaringBitmap, context: &Context<'_>) -> Listed {
    let snapshot = &context.model.snapshot;
    let name = one.from.first().map_or("", |policy| &policy.display_name).to_owned();
    let head = one.from.iter().map(|policy| rows::policy(policy));
    let evidence = context.evidence(head.chain(rows::users(left, snapshot, None)));
    let cure = one.from.first().and_then(|policy| {
        let title = format!("Take accounts out of the exclusions of {name}");
        listing::hand_over(&policy.id, title, take_in(policy, left, context)?)
    });
    Listed {
        fact: Fact::new("exclusions_without_fallback.direct", evidence)
            .with("policy", Term::Name(name))
            .with("count", left.len())
            .with("of", one.users.len()),
        cure,
    }
}

/// The edit after which a policy excludes none of these by name, by role or as guests; none where it asks guests for what
/// they can't do.
fn take_in(policy: &Policy, left: &RoaringBitmap, context: &Context<'_>) -> Option<HandOver> {
    let snapshot = &context.model.snapshot;
    let mut after = policy.clone();
    let exclude = &mut after.conditions.users.exclude;
    let is_left = |index: Option<u32>| index.is_some_and(|index| left.contains(index));
    exclude.users.retain(|id| !is_left(snapshot.directory.user_index(id)));
    let holds =
        |role: &String| context.model.role_holders(role, Assignment::Active).is_some_and(|of| !of.is_disjoint(left));
    exclude.roles.retain(|role| !holds(role));
    let guest = |index: u32| snapshot.directory.user_at(index).is_some_and(|user| user.guest.is_some());
    exclude.guests = exclude.guests.take().filter(|_| !left.iter().any(guest));
    if rights_management::keeps_out(&after, snapshot) && !rights_management::keeps_out(policy, snapshot) {
        return None;
    }
    let change = (
        "Users > Exclude".to_owned(),
        format!("{} excluded by name, role or as guests", hand_over::accounts_word(left.len())),
        "no longer excluded".to_owned(),
    );
    let body = json!({"conditions": crate::tenant::write_policy(&after).get("conditions")});
    Some(hand_over::edit_policy(policy, vec![change], &body))
}

/// The policies that ask everyday sign-ins for something, with whom of the excluded accounts they reach.
fn taking_over_from<'a>(exclusions: &[Exclusion<'_>], context: &'a Context<'_>) -> Vec<(&'a Policy, RoaringBitmap)> {
    let excluded = exclusions.iter().fold(RoaringBitmap::new(), |all, one| all | &one.users);
    let asking = policies::on(&context.model.snapshot)
        .filter(|policy| policies::is_everyday(policy) && policy.grant.as_ref().is_some_and(asks));
    asking.map(|policy| (policy, context.model.users_of(&policy.id).0 & &excluded)).collect()
}

/// Which of these policies take over for those whom another one excludes.
fn makes_up(one: &Exclusion<'_>, asking: &[(&Policy, RoaringBitmap)], context: &Context<'_>) -> Option<Fact> {
    let Way::Group(group) = one.way else { return None };
    let others = || asking.iter().filter(|(policy, _)| !one.from.contains(policy));
    let all = others().find(|(_, users)| one.users.is_subset(users)).map(|(policy, _)| vec![*policy]);
    let some = || others().filter(|(_, users)| !users.is_disjoint(&one.users)).map(|(policy, _)| *policy);
    let instead = all.unwrap_or_else(|| some().collect());
    let rows = std::iter::once(rows::group(group)).chain(instead.iter().map(|policy| rows::policy(policy)));
    let fact = Fact::new("exclusions_without_fallback.made_up", context.evidence(rows))
        .with("group", Term::Name(group.display_name.clone()))
        .with("policies", policies::names(one.from.iter().copied()))
        .with("count", instead.len())
        .with("instead", policies::names(instead.iter().copied()));
    (!instead.is_empty()).then_some(fact)
}
