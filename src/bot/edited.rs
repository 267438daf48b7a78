//! What a change that is handed over does if somebody makes it: who is held to more or less than before, what it means for
//! past sign-ins, and whether administrators still get in. Judged on the tenant as the change leaves it, with the same
//! evaluation that finds the gap which it closes.

use std::collections::{BTreeMap, BTreeSet};

use roaring::RoaringBitmap;

use crate::checks::HandOver;
use crate::checks::cause_words::app_name;
use crate::engine::difference::{Difference, Region, Shift, difference};
use crate::engine::lockout::Lockout;
use crate::engine::replay::{Impact, Tally, Would};
use crate::facts::{Fact, Term};
use crate::tenant::policy::{Control, PolicyState, UserSide};
use crate::tenant::{Directory, Policy, Snapshot};

use super::analysis::Analysis;
use super::handed::compare::edited_policy;
use super::impact::{self, positions, who};

/// What a change would do, calculated once for each reading.
#[derive(Debug)]
pub struct Edited {
    difference: Difference,
    lockout: Lockout,
    /// Each policy whose effect on past sign-ins differs: its name, and by how much more it blocks and prompts.
    sign_ins: Vec<(String, Impact)>,
    /// What the policies that change ask for.
    asked: BTreeSet<Asked>,
    /// The one policy that is edited and On afterwards.
    policy: Option<Policy>,
    turns_on: bool,
}

impl Edited {
    /// What `change` would do; none where it isn't about whom or what policies apply to, or nobody knows who is in a group.
    #[must_use]
    pub fn of(change: &HandOver, analysis: &Analysis) -> Option<Self> {
        let snapshot = analysis.snapshot();
        let policies = policies_after(change, snapshot)?;
        let before = |id: &str| snapshot.policy(id);
        let changed: Vec<Policy> =
            policies.iter().filter(|policy| before(&policy.id) != Some(*policy)).cloned().collect();
        let more = |policy: &Policy| {
            let impact = more(analysis, before(&policy.id), policy);
            let differs = impact.total.failure + impact.total.action_required > 0;
            differs.then(|| (policy.display_name.clone(), impact))
        };
        let sign_ins = changed.iter().filter(|policy| is_on(policy)).filter_map(more).collect();
        let kept: BTreeSet<&str> = policies.iter().map(|policy| policy.id.as_str()).collect();
        let removed = snapshot.policies.iter().filter(|policy| !kept.contains(policy.id.as_str())).collect::<Vec<_>>();
        let after = analysis.model.with_policies(policies);
        let policy = changed.first().filter(|policy| change.target_id == policy.id && is_on(policy)).cloned();
        Some(Self {
            difference: difference(&analysis.model, &after),
            lockout: after.lockout_now(),
            sign_ins,
            asked: changed.iter().chain(removed).flat_map(Asked::by).collect(),
            turns_on: policy.as_ref().is_some_and(|policy| !before(&policy.id).is_some_and(is_on)),
            policy,
        })
    }
}

/// A kind of control, as far as the questions about coverage tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    Mfa,
    Device,
    App,
    Block,
    Session,
    Other,
}

impl Asked {
    /// What a policy asks for.
    fn by(policy: &Policy) -> Vec<Self> {
        let controls = policy.grant.iter().flat_map(|grant| &grant.controls);
        let session = policy.session.as_ref().map(|_| Self::Session);
        controls
            .map(|control| match control {
                Control::Mfa | Control::Strength(_) => Self::Mfa,
                Control::CompliantDevice | Control::DomainJoinedDevice => Self::Device,
                Control::CompliantApplication | Control::ApprovedApplication => Self::App,
                Control::Block => Self::Block,
                _ => Self::Other,
            })
            .chain(session)
            .collect()
    }

    /// What a question about coverage is about, by its words.
    fn of(requirement: &str) -> Self {
        let about = |words: &[&str]| words.iter().any(|word| requirement.contains(word));
        match requirement {
            _ if about(&["multifactor", "authentication strength"]) => Self::Mfa,
            _ if about(&["device code", "a block"]) => Self::Block,
            _ if about(&["joined device"]) => Self::Device,
            _ if about(&["app protection"]) => Self::App,
            _ if about(&["session", "sign-in", "token protection", "app enforced"]) => Self::Session,
            _ => Self::Other,
        }
    }
}

fn is_on(policy: &Policy) -> bool {
    policy.state == PolicyState::Enabled
}

/// All policies as the change leaves them.
fn policies_after(change: &HandOver, snapshot: &Snapshot) -> Option<Vec<Policy>> {
    let others = || snapshot.policies.iter().filter(|policy| policy.id != change.target_id).cloned();
    match (change.target_kind.as_str(), &change.request) {
        ("Policy", Some((method, ..))) if method == "DELETE" => Some(others().collect()),
        ("Policy", Some(_)) => {
            let edited = edited_policy(change, snapshot.policy(&change.target_id)?)?;
            Some(others().chain([edited]).collect())
        }
        ("Group", _) if !change.members.is_empty() => {
            let leaving = positions(snapshot, change.members.iter().map(String::as_str));
            let left = Left { directory: &snapshot.directory, group: &change.target_id, leaving };
            snapshot.policies.iter().map(|policy| left.policy(policy)).collect()
        }
        _ => None,
    }
}

/// A group after some of its members have left it.
struct Left<'a> {
    directory: &'a Directory,
    group: &'a str,
    leaving: RoaringBitmap,
}

impl Left<'_> {
    /// A policy that says the same of the groups as they are then: who is still in one stands there by name.
    fn policy(&self, policy: &Policy) -> Option<Policy> {
        let mut after = policy.clone();
        let users = &mut after.conditions.users;
        for side in [&mut users.include, &mut users.exclude] {
            self.side(side)?;
        }
        Some(after)
    }

    fn side(&self, side: &mut UserSide) -> Option<()> {
        for id in side.groups.clone() {
            // A group that was deleted holds nobody.
            let Some(group) = self.directory.groups.get(&id) else { continue };
            let (mut seen, now) = (BTreeSet::new(), group.transitive.as_deref());
            let after = self.members(&id, &mut seen)?;
            if now != Some(&after) {
                side.groups.remove(&id);
                let users = after.iter().filter_map(|position| self.directory.user_at(position));
                side.users.extend(users.map(|user| user.id.to_string()));
            }
        }
        Some(())
    }

    /// Everybody who is in a group then, nested ones too.
    fn members(&self, id: &str, seen: &mut BTreeSet<String>) -> Option<RoaringBitmap> {
        let Some(group) = self.directory.groups.get(id).filter(|_| seen.insert(id.to_owned())) else {
            return Some(RoaringBitmap::new());
        };
        let now = group.transitive.as_deref()?;
        if id == self.group {
            return Some(now - &self.leaving);
        }
        let mut all = RoaringBitmap::clone(&group.members);
        for nested in &group.member_groups {
            all |= self.members(nested, seen)?;
        }
        Some(all & now)
    }
}

/// What a policy would have done to the sign-ins of the log that it does not do as it is.
fn more(analysis: &Analysis, before: Option<&Policy>, after: &Policy) -> Impact {
    match before.filter(|policy| is_on(policy)) {
        Some(before) => analysis.model.more_impact(after, before),
        None => Impact::clone(&analysis.impact(after)),
    }
}

/// What the change does if it is made, for the card.
#[must_use]
pub fn if_made(analysis: &Analysis, change: &HandOver) -> Vec<Fact> {
    let Some(edited) = analysis.edited(change) else { return vec![said("edit.not_judged")] };
    let mut facts = shifts(analysis, &edited);
    if edited.difference.shifts.is_empty() {
        facts.push(said("edit.same"));
    }
    if let Some(policy) = edited.policy.as_ref().filter(|_| edited.turns_on) {
        facts.extend(impact::if_on(analysis, policy));
        return facts;
    }
    let more = edited.sign_ins.iter().flat_map(|(policy, more)| sign_ins(analysis, policy, more));
    let more: Vec<Fact> = more.collect();
    if more.is_empty() {
        facts.push(said("edit.nobody"));
    }
    facts.extend(more);
    facts
}

/// Who is held to more, and who to less. Of what becomes stricter only what the changed policies ask for is told: who must
/// do MFA meets other requirements along with it.
fn shifts(analysis: &Analysis, edited: &Edited) -> Vec<Fact> {
    let all = || edited.difference.shifts.iter();
    let asked = || all().filter(|shift| edited.asked.contains(&Asked::of(&shift.requirement)));
    // Where some sign-ins are blocked, whoever isn't blocked altogether keeps a gap: that says nothing.
    let partly = asked().filter(|shift| Asked::of(&shift.requirement) != Asked::Block);
    let mut facts = together(analysis, asked().map(|shift| (&shift.stricter, shift)), "edit.stricter");
    let (mostly, elsewhere): (Vec<&Shift>, Vec<&Shift>) = partly.partition(|shift| is_mostly_closed(shift));
    let mut by_left: BTreeMap<Vec<String>, Vec<(BTreeSet<String>, &Shift)>> = BTreeMap::new();
    for shift in mostly {
        by_left.entry(left(analysis, shift)).or_default().push((another_gap(shift), shift));
    }
    for (left, of) in by_left {
        let facts_of = together(analysis, of.iter().map(|(users, shift)| (users, *shift)), "edit.mostly");
        facts.extend(facts_of.into_iter().map(|fact| fact.with("left", left.clone())));
    }
    let elsewhere: Vec<_> = elsewhere.into_iter().map(|shift| (another_gap(shift), shift)).collect();
    facts.extend(together(analysis, elsewhere.iter().map(|(users, shift)| (users, *shift)), "edit.elsewhere"));
    facts.extend(together(analysis, all().map(|shift| (&shift.looser, shift)), "edit.looser"));
    facts
}

/// Who had a gap, and has another one.
fn another_gap(shift: &Shift) -> BTreeSet<String> {
    [&shift.wider, &shift.narrower, &shift.elsewhere].into_iter().flatten().cloned().collect()
}

/// A sentence for each set of accounts, with every requirement that concerns it.
fn together<'a>(
    analysis: &Analysis,
    shifts: impl Iterator<Item = (&'a BTreeSet<String>, &'a Shift)>,
    key: &str,
) -> Vec<Fact> {
    let mut of: BTreeMap<&BTreeSet<String>, Vec<&str>> = BTreeMap::new();
    for (users, shift) in shifts.filter(|(users, _)| !users.is_empty()) {
        of.entry(users).or_default().push(&shift.requirement);
    }
    let fact = |(users, requirements): (&BTreeSet<String>, Vec<&str>)| {
        let set = positions(analysis.snapshot(), users.iter().map(String::as_str));
        who(analysis, key, &set).with("what", Term::Word(requirements.join(", "))).must_show()
    };
    of.into_iter().map(fact).collect()
}

/// Whether sign-ins to any app were open before, and only those to some are then.
fn is_mostly_closed(shift: &Shift) -> bool {
    let everywhere = |region: &Region| region.any_app;
    shift.closed.iter().any(everywhere) && !shift.opened.iter().any(everywhere)
}

/// The apps that stay open; where there are none, what was left out for them before still is.
fn left(analysis: &Analysis, shift: &Shift) -> Vec<String> {
    let apps: BTreeSet<&String> = shift.opened.iter().flat_map(|region| &region.apps).collect();
    let names: Vec<String> = apps.into_iter().map(|id| app_name(analysis.snapshot(), id)).collect();
    if names.is_empty() { vec!["what the policies leave out anyway".to_owned()] } else { names }
}

/// What a policy would have done more to past sign-ins.
fn sign_ins(analysis: &Analysis, policy: &str, more: &Impact) -> Vec<Fact> {
    let named = |fact: Fact| fact.with("policy", Term::Name(policy.to_owned()));
    let mut facts = Vec::new();
    if more.total.failure > 0 {
        facts.push(named(impact::reached(analysis, more, "edit.blocked", Would::Failure)));
    }
    if more.total.action_required > 0 {
        facts.push(named(impact::reached(analysis, more, "edit.prompted", Would::ActionRequired)));
    }
    facts.extend(impact::unable(analysis, more));
    facts
}

/// By user id what the change would have done more to past sign-ins; empty where that isn't judged.
#[must_use]
pub fn users(analysis: &Analysis, change: &HandOver) -> BTreeMap<String, Tally> {
    let Some(edited) = analysis.edited(change) else { return BTreeMap::new() };
    let mut users: BTreeMap<String, Tally> = BTreeMap::new();
    for (id, tally) in edited.sign_ins.iter().flat_map(|(_, more)| &more.users) {
        let all = users.entry(id.clone()).or_default();
        *all = all.plus(tally);
    }
    users
}

/// Accounts of which less would be asked than now, at some sign-ins at least; none where that isn't judged.
#[must_use]
pub fn loosened(analysis: &Analysis, change: &HandOver) -> Option<RoaringBitmap> {
    let edited = analysis.edited(change)?;
    let shifts = edited.difference.shifts.iter();
    let ids = shifts.flat_map(|shift| shift.looser.iter().chain(&shift.wider).chain(&shift.elsewhere));
    Some(positions(analysis.snapshot(), ids.map(String::as_str)))
}

/// What keeps the change from doing harm, or not.
#[must_use]
pub fn safety(analysis: &Analysis, change: &HandOver) -> Vec<Fact> {
    let Some(edited) = analysis.edited(change) else { return vec![said("edit.not_judged_safe")] };
    if let Some(policy) = &edited.policy {
        return impact::safety(analysis, policy);
    }
    vec![impact::lockout_fact(analysis, &edited.lockout), emergency(analysis, &edited.difference)]
}

/// Whether a policy takes in an emergency access account that it left alone before.
fn emergency(analysis: &Analysis, difference: &Difference) -> Fact {
    let accounts = analysis.snapshot().emergency_access();
    let gained = difference.changes.iter().flat_map(|change| &change.gained).map(String::as_str);
    let taken = positions(analysis.snapshot(), gained) & &accounts;
    let key = if taken.is_empty() { "safety.emergency" } else { "edit.emergency" };
    who(analysis, key, if taken.is_empty() { &accounts } else { &taken }).must_show()
}

/// Who leaves a group, by name, where the change takes people out of one.
#[must_use]
pub fn leaving(analysis: &Analysis, change: &HandOver) -> Option<Fact> {
    let snapshot = analysis.snapshot();
    let set = positions(snapshot, change.members.iter().map(String::as_str));
    let users = set.iter().filter_map(|position| snapshot.directory.user_at(position));
    let names: Vec<String> = users.map(|user| user.display_name.to_string()).collect();
    (!names.is_empty()).then(|| who(analysis, "edit.leaving", &set).with("names", names).must_show())
}

fn said(key: &str) -> Fact {
    Fact::new(key, crate::facts::Evidence::default()).must_show()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::tz::TimeZone;

    use super::*;
    use crate::bot::answers::testing::{NOW, nordwerk, snapshot};
    use crate::checks::hand_over::{change_of, delete_policy, leave_group, turn_on};
    use crate::facts::{Style, Wording};

    fn analysis() -> Analysis {
        Analysis::of(Arc::new(snapshot(&nordwerk())), "hash".into(), &BTreeMap::new(), NOW.parse().unwrap())
    }

    fn words(facts: impl IntoIterator<Item = Fact>) -> String {
        let wording = Wording::new(TimeZone::UTC).unwrap();
        facts.into_iter().map(|fact| wording.of(&fact, Style::Short).unwrap()).collect::<Vec<_>>().join("\n")
    }

    fn keys(facts: &[Fact]) -> Vec<&str> {
        facts.iter().map(|fact| fact.key.as_str()).collect()
    }

    fn leaving_rollout() -> HandOver {
        let snapshot = snapshot(&nordwerk());
        let group = snapshot.directory.groups.get("g-rollout").unwrap();
        leave_group(group, &positions(&snapshot, ["u-bob"].into_iter()), &snapshot)
    }

    #[test]
    fn who_leaves_an_exclusion_group_is_covered_and_named() {
        let (analysis, change) = (analysis(), leaving_rollout());
        let made = if_made(&analysis, &change);
        assert!(keys(&made).starts_with(&["edit.mostly"]), "{:?}", keys(&made));
        let said = words(made);
        for part in [
            "1 person with a gap today, from this or another cause, would be covered but for what the policies leave out \
             anyway: multifactor authentication",
            "1 more sign-in: 1 person",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert_eq!(words(leaving(&analysis, &change)), "Bob Keller");
        assert!(words(safety(&analysis, &change)).contains("Emergency access is left alone"));
    }

    #[test]
    fn who_stays_in_the_group_stays_as_they_are() {
        let mut tenant = nordwerk();
        tenant["groups"][2]["members"] = serde_json::json!(["u-bob", "g-sales"]);
        let snapshot = snapshot(&tenant);
        let group = snapshot.directory.groups.get("g-rollout").unwrap();
        let change = leave_group(group, &positions(&snapshot, ["u-bob"].into_iter()), &snapshot);
        let after = policies_after(&change, &snapshot).unwrap();
        let users = &after.iter().find(|policy| policy.id == "p-mfa").unwrap().conditions.users.exclude;
        assert_eq!(users.users, BTreeSet::from(["u-alice".to_owned(), "u-berg".to_owned()]));
        assert_eq!(users.groups, BTreeSet::from(["g-breakglass".to_owned()]));
    }

    #[test]
    fn turning_on_tells_whom_it_blocks_and_what_it_lacks() {
        let analysis = analysis();
        let change = turn_on(analysis.snapshot().policy("p-flow").unwrap());
        let said = words(if_made(&analysis, &change));
        for part in ["would be covered everywhere: a block of device code flow", "would block 1 sign-in of 1 person"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        let safe = words(safety(&analysis, &change));
        assert!(safe.contains("emergency access emergency1@nordwerk.example (u-bg1) must be excluded"), "{safe}");
        assert!(!safe.contains("created in report-only"), "it isn't a draft: {safe}");
    }

    #[test]
    fn removing_a_policy_is_not_said_to_change_nothing() {
        let analysis = analysis();
        let made = if_made(&analysis, &delete_policy(analysis.snapshot().policy("p-device").unwrap()));
        assert!(keys(&made).contains(&"edit.elsewhere") && !keys(&made).contains(&"edit.same"), "{:?}", keys(&made));
    }

    #[test]
    fn what_is_not_about_policies_and_groups_is_not_judged() {
        let change = change_of(("Named location", "loc-hq", "Head office"), ("Trusted", "yes", "no"), String::new());
        let analysis = analysis();
        assert_eq!(keys(&if_made(&analysis, &change)), ["edit.not_judged"]);
        assert_eq!(keys(&safety(&analysis, &change)), ["edit.not_judged_safe"]);
    }
}
