//! Judges one requirement over one scope, and turns what it finds into facts and cures: what most checks share.

use roaring::RoaringBitmap;

use crate::engine::demands::asks_at_least;
use crate::engine::{Coverage, Gap, Model, Reason, Requirement, Scope};
use crate::facts::{Evidence, Fact, Row, Term};
use crate::suggestions::lint::{Level, lint};
use crate::tenant::policy::{PolicyState, UserSide};
use crate::tenant::{Kind, Policy, Snapshot};

use super::accounts::emergency_access;
use super::cause_words::CauseWords;
use super::gaps::{Gaps, Group};
use super::licences::{Owned, owned};
use super::take_in_again::take_in_again;
use super::{Context, Cure, CureAction, Finding, Verdict, hand_over, policies, rights_management, scopes, widen};
use super::{edits, excluded_group, narrow_controls, within, without_accounts};

/// What a check asks of the engine, and how it says the answer.
pub struct Asked<'a> {
    /// Id of the check.
    pub check: &'static str,
    /// Area of its wordings: `AREA.fail`, `AREA.pass`, `AREA.review` in `templates/text/checks`.
    pub area: &'static str,
    /// What every sign-in in scope should be made to meet.
    pub requirement: Requirement,
    /// Which sign-ins.
    pub scope: Scope,
    /// What would say who is in scope, where it wasn't read: everybody is then looked at instead.
    pub missing: Option<&'static str>,
    /// The new policy that would cover all of it, with its one-line title.
    pub draft: Option<(&'a str, Policy)>,
}

/// Judges, and says why.
#[must_use]
pub fn judge(context: &Context<'_>, asked: Asked<'_>) -> Finding {
    let scope =
        if asked.missing.is_some() { Scope { users: None, ..asked.scope.clone() } } else { asked.scope.clone() };
    let aside = rights_management::aside(context.model, &asked.requirement);
    let model = aside.as_ref().unwrap_or(context.model);
    let coverage = model.coverage(&asked.requirement, &scope);
    let gaps = Gaps::of((&coverage, &scope), model, context.now);
    let verdict = verdict(context, &asked, &gaps, &coverage);
    let mut finding = Finding {
        check: asked.check,
        verdict,
        facts: facts(context, &asked, (verdict, &gaps, &coverage)),
        not_checked: not_checked(context, &asked, &coverage),
        cures: Vec::new(),
    };
    if verdict == Verdict::Fail && unlicensed(context, asked.check, &mut finding) {
        return finding;
    }
    if verdict == Verdict::Fail {
        let (cures, refused) = cures(context, &asked, &scope, &gaps);
        finding.cures = cures;
        finding.not_checked.extend(refused);
    }
    finding
}

/// Judges what is asked of administrators. Whoever may be one, though nobody can say so for sure, keeps it from passing.
#[must_use]
pub fn judge_administrators(context: &Context<'_>, asked: Asked<'_>) -> Finding {
    let perhaps = scopes::perhaps_administrators(context.model);
    let (requirement, scope) = (asked.requirement.clone(), asked.scope.clone());
    let known = asked.missing.is_none();
    let finding = judge(context, asked);
    if !known {
        return finding;
    }
    let finding = with_unread(context, finding, (&requirement, &scope));
    if perhaps.is_empty() {
        return finding;
    }
    let scope = Scope { users: Some(perhaps), ..scope };
    let coverage = context.model.coverage(&requirement, &scope);
    let accounts = Gaps::of((&coverage, &scope), context.model, context.now).accounts;
    let left = accounts.humans() | accounts.machines();
    if left.is_empty() { finding } else { with_others(context, finding, &left) }
}

/// The finding where nobody read who is in a group that holds an administrator role: fine only if it is for everybody.
fn with_unread(context: &Context<'_>, finding: Finding, (requirement, scope): (&Requirement, &Scope)) -> Finding {
    let unread = scopes::unread_administrators(context.model);
    if unread.is_empty() || !matches!(finding.verdict, Verdict::Pass | Verdict::NotApplicable) {
        return finding;
    }
    let everybody = Scope { users: None, ..scope.clone() };
    let coverage = context.model.coverage(requirement, &everybody);
    let settled = coverage.unresolved.is_empty() && !Gaps::any_in((&coverage, &everybody), context.model, context.now);
    if settled && finding.verdict == Verdict::Pass {
        return finding;
    }
    let fact = Fact::new("administrators.unread", context.stamp(Evidence::default()))
        .with("holders", Term::Names(unread.iter().cloned().collect()))
        .must_show();
    let mut not_checked = finding.not_checked;
    not_checked.extend(unread.iter().map(|what| {
        format!("{what}, which holds an administrator role (a file that lists it, groups.json with its members, would settle it)")
    }));
    Finding { verdict: Verdict::Review, facts: vec![fact], not_checked, ..finding }
}

/// The finding with those who may be administrators too, and have a gap.
fn with_others(context: &Context<'_>, finding: Finding, left: &RoaringBitmap) -> Finding {
    let evidence = context.evidence(super::rows::users(left, &context.model.snapshot, None));
    let Finding { check, verdict, mut facts, mut not_checked, cures } = finding;
    let open = matches!(verdict, Verdict::Pass | Verdict::NotApplicable);
    let others = Fact::new("administrators.perhaps", evidence)
        .with("who", left.len())
        .with("only", word(if open { "only" } else { "" }))
        .must_show();
    not_checked.push(
        "which of the other roles are privileged (roleDefinitions.json with isPrivileged, from the beta of Graph, would settle it)"
            .to_owned(),
    );
    let verdict = if open { Verdict::Review } else { verdict };
    if open {
        facts = vec![others];
    } else {
        facts.push(others);
    }
    Finding { check, verdict, facts, not_checked, cures }
}

/// Judges two requirements of one check; the first that isn't met is the finding.
#[must_use]
pub fn judge_both(context: &Context<'_>, first: Asked<'_>, second: Asked<'_>) -> Finding {
    let finding = judge(context, first);
    if finding.verdict == Verdict::Pass { judge(context, second) } else { finding }
}

/// Without the licence that the cure needs there is nothing to suggest, and the finding doesn't apply. A licence that
/// nobody read changes nothing, and is said.
fn unlicensed(context: &Context<'_>, check: &str, finding: &mut Finding) -> bool {
    let licence = super::about(check).map_or("", |about| about.licence);
    match owned(&context.model.snapshot, licence) {
        Owned::Yes => false,
        Owned::Unknown => {
            finding
                .not_checked
                .push(format!("whether the tenant owns {licence} (subscribedSkus.json would settle it)"));
            false
        }
        Owned::No => {
            finding.verdict = Verdict::NotApplicable;
            finding
                .not_checked
                .push(format!("what to do about it: that needs {licence}, which this tenant doesn't own"));
            true
        }
    }
}

fn facts(
    context: &Context<'_>,
    asked: &Asked<'_>,
    (verdict, gaps, coverage): (Verdict, &Gaps, &Coverage),
) -> Vec<Fact> {
    let words = CauseWords::new(&context.model.snapshot, context.hash).keeping(context.rows);
    let machines = if verdict == Verdict::Review && !gaps.any() { &gaps.machines[..] } else { &[] };
    // They are told from people by what they are called, so whether that is right is for a person to say.
    let only = || words.machines(&gaps.accounts, true).must_show();
    let first = if machines.is_empty() { headline(asked, verdict, gaps, context) } else { only() };
    let mut facts = vec![first];
    facts.extend(gaps.groups.iter().chain(machines).map(|group| words.group(group)));
    facts.extend(administering(gaps, &words));
    facts.extend(gaps.everyone.iter().map(|gap| words.everyone(gap)));
    let alone = gaps.groups.is_empty() && gaps.everyone.is_empty();
    if alone && !gaps.others.is_empty() {
        facts.extend(words.without_accounts(&without_accounts::open(coverage, &context.model.snapshot)));
    } else if !gaps.others.is_empty() && context.model.snapshot.has(Kind::Users) {
        facts.push(words.others(&gaps.others));
    }
    facts.extend(acting(context, asked, (verdict, coverage)));
    facts
}

/// The service accounts and rooms that administer, which a headline about people doesn't count.
fn administering(gaps: &Gaps, words: &CauseWords<'_>) -> Vec<Fact> {
    let users = gaps.administering();
    let first = (!users.is_empty()).then(|| words.administering(&users).must_show());
    first.into_iter().chain(gaps.of_administering().map(|group| words.group(group))).collect()
}

/// What is blocked only because it can't do what it is asked for is said to be.
fn acting(context: &Context<'_>, asked: &Asked<'_>, (verdict, coverage): (Verdict, &Coverage)) -> Option<Fact> {
    let blocked = asked.requirement == Requirement::Block && verdict == Verdict::Pass;
    let by = coverage.acts_as_block.iter().filter_map(|id| context.model.snapshot.policy(id)).collect::<Vec<_>>();
    (blocked && coverage.rests_on_acting()).then(|| {
        let names = by.iter().map(|policy| policy.display_name.clone()).collect();
        Fact::new("blocks.by_asking", context.evidence(by.iter().map(|policy| super::rows::policy(policy))))
            .with("policies", Term::Names(names))
            .with("one", word(if by.len() == 1 { "one" } else { "" }))
            .must_show()
    })
}

/// An empty scope is never a pass, and neither is a scope that nobody could draw. A gap of service accounts and rooms alone
/// is for a person to judge, unless one of them administers ([`super::accounts::Accounts::judged`]).
fn verdict(context: &Context<'_>, asked: &Asked<'_>, gaps: &Gaps, coverage: &Coverage) -> Verdict {
    let nobody = asked.scope.users.as_ref().is_some_and(RoaringBitmap::is_empty) && asked.scope.guest_types.is_empty();
    let unresolved = !gaps.undecided.is_empty() || hangs_on_unknown(gaps, coverage) || !gaps.machines.is_empty();
    match (gaps.any(), asked.missing) {
        (true, Some(_)) if could_be_met(context, asked) => Verdict::Review,
        (false, None) if nobody => Verdict::NotApplicable,
        (true, _) => Verdict::Fail,
        (false, _) if unresolved => Verdict::Review,
        (false, _) => Verdict::Pass,
    }
}

/// Whether the cover of a person, a guest, an administrator, or somebody without an account here hangs on what isn't
/// resolved. Accounts that are listed apart, such as rooms that a policy excludes, are no part of the verdict, and neither
/// is what is unclear about them.
fn hangs_on_unknown(gaps: &Gaps, coverage: &Coverage) -> bool {
    let about_them = |gap: &Gap| !gap.sure && (!gap.others.is_empty() || !gap.users.is_disjoint(&gaps.judged));
    !coverage.unresolved.is_empty() && coverage.gaps_of(&coverage.undecided).iter().any(about_them)
}

/// Whether somebody in scope may be covered by what is On: a member who is in every role and group that a policy includes,
/// and neither excluded by name nor in a group or role that is.
fn could_be_met(context: &Context<'_>, asked: &Asked<'_>) -> bool {
    let snapshot = &context.model.snapshot;
    let asks = |policy: &Policy| {
        policy.state == PolicyState::Enabled
            && asked.draft.as_ref().is_some_and(|(_, draft)| asks_at_least(snapshot, policy, draft))
    };
    let everybody = |policy: &Policy| {
        let mut policy = policy.clone();
        let include = &mut policy.conditions.users.include;
        include.all |= !include.roles.is_empty() || !include.groups.is_empty();
        policy.conditions.users.exclude = UserSide::default();
        policy
    };
    if !snapshot.policies.iter().any(asks) {
        return false;
    }
    let best = context.model.with_policies(snapshot.policies.iter().map(everybody).collect());
    let scope = Scope { users: None, ..asked.scope.clone() };
    !Gaps::any_in((&best.coverage(&asked.requirement, &scope), &scope), &best, context.now)
}

fn headline(asked: &Asked<'_>, verdict: Verdict, gaps: &Gaps, context: &Context<'_>) -> Fact {
    let name = match verdict {
        // Of how many the scope consists nobody can say where everybody was looked at instead.
        Verdict::Fail if gaps.groups.is_empty() || asked.missing.is_some() => "unlisted",
        Verdict::Fail => "fail",
        Verdict::Review if gaps.any() => "unknown",
        Verdict::Review => "review",
        Verdict::Pass => "pass",
        Verdict::NotApplicable => "nobody",
    };
    let uncovered = gaps.accounts.humans();
    let rows = super::rows::users(&uncovered, &context.model.snapshot, None);
    let looked_at = &gaps.looked_at;
    let of = looked_at.people.len() + looked_at.guests.len() + looked_at.service.len() + looked_at.rooms.len();
    Fact::new(&format!("{}.{name}", asked.area), context.evidence(rows))
        .with("people", gaps.accounts.people.len())
        .with("guests", gaps.accounts.guests.len())
        .with("service", gaps.accounts.service.len() + gaps.accounts.rooms.len())
        .with("of", of + looked_at.emergency.len())
        .with("apart", looked_at.emergency.len())
        .with("apps", gaps.everyone.iter().filter(|gap| gap.conditions.is_empty()).count())
        .with("undecided", gaps.undecided.len())
        .with("unused", (&gaps.accounts.unused & &uncovered).len())
        .with("pending", (&gaps.accounts.pending & &uncovered).len())
        .must_show()
}

/// What the verdict doesn't know: unresolved objects, kinds that weren't read, people whom nobody can list.
fn not_checked(context: &Context<'_>, asked: &Asked<'_>, coverage: &Coverage) -> Vec<String> {
    let mut limits: Vec<String> = asked.missing.into_iter().map(str::to_owned).collect();
    limits.extend(coverage.unresolved.iter().cloned());
    if context.model.snapshot.settings.emergency_access.is_empty() {
        limits.push("emergency access accounts (none are configured; name them, so that they are listed apart)".into());
    }
    limits
        .push("who the partner technicians (GDAP) and B2B direct connect users are: they have no account here".into());
    limits
}

/// What removes the finding, and why the draft is not among it where it isn't.
fn cures(context: &Context<'_>, asked: &Asked<'_>, scope: &Scope, gaps: &Gaps) -> (Vec<Cure>, Option<String>) {
    let snapshot = &context.model.snapshot;
    let wanted = asked.draft.as_ref().map(|(_, draft)| draft);
    if let Some(policy) = wanted.and_then(|draft| waiting(context, asked, (scope, draft))) {
        return (vec![turn_on(policy)], None);
    }
    if let Some(cure) = wanted.and_then(|draft| widen(context, asked, (scope, draft))) {
        let why = vec![headline(asked, Verdict::Fail, gaps, context)];
        return (vec![Cure { why, ..cure }], None);
    }
    let words = CauseWords::new(snapshot, context.hash).keeping(context.rows);
    let edits = gaps.groups.iter().chain(gaps.of_administering()).map(|group| {
        let why = vec![words.group(group)];
        edit(group, context, wanted).map(|cure| Cure { why, ..cure })
    });
    let (mut cures, all) = one_for_each(edits.collect());
    let all_edited = all && gaps.everyone.is_empty();
    let alone = all_edited && cures.len() == 1;
    cures.iter_mut().for_each(|cure| cure.partly = !alone);
    let Some((title, policy)) = asked.draft.as_ref().filter(|_| !all_edited) else { return (cures, None) };
    if let Some(reason) = refusal(context, asked, scope, policy) {
        return (cures, Some(format!("a new policy is not suggested, because {reason}")));
    }
    let action = CureAction::Draft(Box::new(policy.clone()));
    cures.insert(0, Cure::new("", (*title).to_owned(), action));
    (cures, None)
}

/// One edit for each object, and whether they are all that is needed: two different edits of one policy would undo each other.
fn one_for_each(edits: Vec<Option<Cure>>) -> (Vec<Cure>, bool) {
    let mut all = !edits.is_empty() && edits.iter().all(Option::is_some);
    let mut cures: Vec<Cure> = Vec::new();
    for edit in edits.into_iter().flatten() {
        match cures.iter_mut().find(|known| known.subject == edit.subject) {
            Some(known) => {
                all &= known.title == edit.title;
                known.why.extend(edit.why);
            }
            None => cures.push(edit),
        }
    }
    (cures, all)
}

/// A policy in report-only that would do alone, if it were On: better than one more that says the same.
fn waiting<'a>(context: &Context<'a>, asked: &Asked<'_>, (scope, draft): (&Scope, &Policy)) -> Option<&'a Policy> {
    let model = context.model;
    let enough = |policy: &&Policy| {
        policy.state == PolicyState::ReportOnly
            && asks_at_least(&model.snapshot, policy, draft)
            && may_turn_on(context, policy, Some(draft))
            && would_do(&model.with_draft_on(policy), context, (&asked.requirement, scope)).is_ok()
    };
    model.snapshot.policies.iter().find(enough)
}

/// The edit that makes a policy do alone what a new one would be drafted for beside it.
fn widen(context: &Context<'_>, asked: &Asked<'_>, (scope, draft): (&Scope, &Policy)) -> Option<Cure> {
    let model = context.model;
    let snapshot = &model.snapshot;
    let refused = |wider: &widen::Wider| {
        let before = snapshot.policy(&wider.after.id).unwrap_or(&wider.after);
        edits::is_refused(&edits::mended(before, &wider.after, snapshot), snapshot)
    };
    let enough = |wider: &widen::Wider| {
        !refused(wider) && would_do(&model.with_draft_on(&wider.after), context, (&asked.requirement, scope)).is_ok()
    };
    let wider = widen::candidates(&model.snapshot, draft).find(enough)?;
    Some(Cure::new(&wider.after.id, wider.title, CureAction::HandOver(Box::new(wider.edit))))
}

fn turn_on(policy: &Policy) -> Cure {
    let action = CureAction::HandOver(Box::new(hand_over::turn_on(policy)));
    Cure::new(&policy.id, format!("Turn on {}", policy.display_name), action)
}

/// Why a draft may not be offered: Graph would refuse it, it would lock administrators out, or it wouldn't do.
fn refusal(context: &Context<'_>, asked: &Asked<'_>, scope: &Scope, draft: &Policy) -> Option<String> {
    let model = context.model;
    let objections = lint(draft, &model.snapshot);
    if let Some(error) = objections.into_iter().find(|objection| objection.level == Level::Error) {
        return Some(error.message);
    }
    let reach = for_its_roles(draft, &model.snapshot).filter(|_| asked.missing.is_some());
    let on = model.with_draft_on(reach.as_ref().unwrap_or(draft));
    would_do(&on, context, (&asked.requirement, scope)).err().map(str::to_owned)
}

/// Where nobody knows who the administrators are, everybody is looked at. A draft for all their roles reaches each of them
/// as one for everybody would, so that one is judged in its place.
fn for_its_roles(draft: &Policy, snapshot: &Snapshot) -> Option<Policy> {
    let include = &draft.conditions.users.include;
    if !scopes::administrator_roles(&snapshot.directory).is_subset(&include.roles) {
        return None;
    }
    let mut everybody = draft.clone();
    everybody.conditions.users.include.all = true;
    Some(everybody)
}

/// Whether a tenant in which a policy is On meets the requirement, and can still be administered; if not, why not.
fn would_do(
    on: &Model,
    context: &Context<'_>,
    (requirement, scope): (&Requirement, &Scope),
) -> Result<(), &'static str> {
    if on.locks_out_administrators() {
        return Err("no administrator could sign in any more if it were On");
    }
    let aside = rights_management::aside(on, requirement);
    let coverage = aside.as_ref().unwrap_or(on).coverage(requirement, scope);
    let any = Gaps::any_in((&coverage, scope), context.model, context.now);
    if any { Err("even if it were On, gaps would remain") } else { Ok(()) }
}

/// The edit that removes a cause, where one does the job better than another policy.
fn edit(group: &Group, context: &Context<'_>, wanted: Option<&Policy>) -> Option<Cure> {
    let snapshot = &context.model.snapshot;
    let policy = snapshot.policy(group.cause.policy_id.as_deref()?)?;
    // Who is left out of a block that isn't wanted would be locked out of what they need.
    if policies::blocks(policy) && !wanted.is_some_and(policies::blocks) {
        return None;
    }
    let (title, edit) = match &group.cause.reason {
        Reason::ExcludedGroup(id) => {
            let excluded = snapshot.directory.groups.get(id)?;
            let leaving = &group.users - emergency_access(snapshot);
            return excluded_group::cure((excluded, &leaving), &[policy], snapshot);
        }
        Reason::WeakerControl(_) => narrow_controls::to(wanted?, policy, context.model)?,
        Reason::ReportOnly | Reason::Off => return may_turn_on(context, policy, wanted).then(|| turn_on(policy)),
        _ => take_in_again(group, policy, snapshot)?,
    };
    Some(Cure::new(&policy.id, title, CureAction::HandOver(Box::new(edit))))
}

/// Whether a policy may be turned On for what is wanted: it blocks nothing but that, as it would be handed over Graph would
/// take it, and administrators still get in.
fn may_turn_on(context: &Context<'_>, policy: &Policy, wanted: Option<&Policy>) -> bool {
    let snapshot = &context.model.snapshot;
    let after = edits::mended(policy, policy, snapshot);
    let blocks_more = policies::blocks(policy)
        && !wanted.is_some_and(|wanted| policies::blocks(wanted) && within::policy(policy, wanted));
    !blocks_more
        && !edits::is_refused(&after, snapshot)
        && !context.model.would_lock_out_everyday_administrators(&after)
}

impl Context<'_> {
    /// Marks evidence with the reading it is from.
    #[must_use]
    pub fn stamp(&self, evidence: Evidence) -> Evidence {
        evidence.read(self.hash, self.model.snapshot.read_at)
    }

    /// Evidence of these rows, as many as are kept, from the reading.
    #[must_use]
    pub fn evidence(&self, rows: impl IntoIterator<Item = Row>) -> Evidence {
        self.stamp(Evidence::first(self.rows, rows))
    }
}

/// A word of ours as a term.
#[must_use]
pub fn word(text: &str) -> Term {
    Term::Word(text.to_owned())
}
