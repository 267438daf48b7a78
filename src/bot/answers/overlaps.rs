//! "Are any policies redundant?": policies that say the same, add nothing, could be one or never apply; and two compared.

use std::collections::BTreeSet;

use crate::bot::answer::{Answer, Part, ask, column};
use crate::bot::describe;
use crate::bot::lookup::Found;
use crate::checks::accounts::days_between;
use crate::checks::rows;
use crate::engine::coverage::Needless;
use crate::engine::overlap::{Overlap, Relation};
use crate::facts::{Fact, Term};
use crate::tenant::Policy;
use crate::tenant::policy::PolicyState;

use super::meant::{maybe_policy, policies, said};
use super::policy_changes::difference;
use super::{Answering, Asked};

/// How many pairs are listed.
const LISTED: usize = 15;

/// Tells all relations, those of the policy that is named, or compares the two that are named.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        let one = |(_, found)| match found {
            Found::One(policy) => Some(policy),
            _ => None,
        };
        let named: Vec<&Policy> = policies(asked).into_iter().filter_map(one).collect();
        Ok(match named.as_slice() {
            [one, other, ..] => compared(asked, one, other),
            _ => match maybe_policy(asked, |name| format!("does any policy overlap with {name}?")) {
                Ok(policy) => related(asked, policy),
                Err(question) => question,
            },
        })
    })
}

/// Pairs in some relation, and policies that never apply; of one policy only, if one is named.
fn related(asked: Asked<'_>, about: Option<&Policy>) -> Answer {
    let model = &asked.analysis.model;
    let mut overlaps = model.overlaps();
    let mut never = model.never_applying();
    if let Some(policy) = about {
        overlaps.retain(|overlap| overlap.policy_id == policy.id || overlap.other_id == policy.id);
        never.retain(|never| never.policy_id == policy.id);
    }
    let mut facts: Vec<Fact> = overlaps.iter().filter_map(|overlap| pair(asked, overlap)).collect();
    facts.extend(never.iter().filter_map(|never| {
        let policy = asked.analysis.snapshot().policy(&never.policy_id)?;
        let key = if never.for_now { "overlap.nobody_today" } else { "overlap.never" };
        let fact = Fact::new(key, asked.analysis.evidence([rows::policy(policy)]));
        let name = Term::Name(policy.display_name.clone());
        Some(fact.with("policy", name).with("because", Term::Name(never.because.clone())))
    }));
    let needless = model.needless(&goners(&overlaps)).into_iter();
    let needless = needless.filter(|one| about.is_none_or(|policy| policy.id == one.policy_id));
    facts.extend(needless.filter_map(|one| together(asked, &one)));
    let name = about.map_or_else(String::new, |policy| policy.display_name.clone());
    let looked_at = asked.analysis.snapshot().policies.iter().map(rows::policy);
    let count = Fact::new("overlap.count", asked.analysis.evidence(looked_at))
        .with("count", facts.len())
        .with("policy", Term::Name(name))
        .must_show();
    let answer = Answer::sentences(vec![count, said("overlap.scope")]);
    let answer = answer.part(list(facts));
    let off = off(asked, about);
    let answer = match off.len() {
        0 => answer,
        count => {
            let head = said("overlap.off_count").with("count", count).with("several", u64::from(count > 1));
            answer.part(Part::Sentences(vec![head])).part(list(off))
        }
    };
    answer.part(Part::Limits(vec![asked.read_at()])).action(ask("Suggestions", "show open suggestions"))
}

fn list(facts: Vec<Fact>) -> Part {
    Part::List { ordered: false, items: facts.into_iter().take(LISTED).map(|fact| (fact, Vec::new())).collect() }
}

/// Policies that are Off, those first that were left so for the longest.
fn off(asked: Asked<'_>, about: Option<&Policy>) -> Vec<Fact> {
    let policies = asked.analysis.snapshot().policies.iter();
    let mut off: Vec<&Policy> = policies.filter(|policy| policy.state == PolicyState::Disabled).collect();
    off.retain(|policy| about.is_none_or(|about| about.id == policy.id));
    // Nobody knows when one without a date was changed, so it stands last.
    let changed = |policy: &Policy| policy.modified.or(policy.created);
    off.sort_by_key(|policy| (changed(policy).is_none(), changed(policy)));
    let told = |policy: &&Policy| {
        let key = if changed(policy).is_some() { "overlap.off" } else { "overlap.off_undated" };
        let days = changed(policy).map_or(0, |at| days_between(at, asked.now));
        let fact = Fact::new(key, asked.analysis.evidence([rows::policy(policy)])).with("days", Term::Days(days));
        fact.with("policy", Term::Name(policy.display_name.clone()))
    };
    off.iter().map(told).collect()
}

/// Whether a policy could go, for the sake of another one or of several together.
pub(super) fn is_needless(asked: Asked<'_>, policy: &Policy) -> bool {
    let model = &asked.analysis.model;
    let alone = goners(&model.overlaps());
    alone.contains(&policy.id) || model.needless(&alone).iter().any(|one| one.policy_id == policy.id)
}

/// Policies that could go for the sake of another one alone.
fn goners(overlaps: &[Overlap]) -> BTreeSet<String> {
    let alone = overlaps.iter().filter(|overlap| !matches!(overlap.relation, Relation::Mergeable(_)));
    alone.map(|overlap| overlap.policy_id.clone()).collect()
}

/// A policy that several others make needless together.
fn together(asked: Asked<'_>, needless: &Needless) -> Option<Fact> {
    let snapshot = asked.analysis.snapshot();
    let policy = snapshot.policy(&needless.policy_id)?;
    let others: Vec<&Policy> = needless.others.iter().filter_map(|id| snapshot.policy(id)).collect();
    let looked_at = [policy].into_iter().chain(others.iter().copied()).map(rows::policy);
    let fact = Fact::new("overlap.together", asked.analysis.evidence(looked_at));
    let names: Vec<String> = others.iter().map(|other| other.display_name.clone()).collect();
    Some(fact.with("policy", Term::Name(policy.display_name.clone())).with("others", Term::Names(names)))
}

/// How the first policy of a pair stands to the other.
fn pair(asked: Asked<'_>, overlap: &Overlap) -> Option<Fact> {
    let snapshot = asked.analysis.snapshot();
    let (one, other) = (snapshot.policy(&overlap.policy_id)?, snapshot.policy(&overlap.other_id)?);
    let (key, differing) = match &overlap.relation {
        Relation::Identical => ("overlap.identical", String::new()),
        Relation::Redundant => ("overlap.redundant", String::new()),
        Relation::AlwaysBlocked => ("overlap.blocked", String::new()),
        Relation::Mergeable(merge) if merge.exact => ("overlap.mergeable", merge.differing.join(" and ")),
        Relation::Mergeable(merge) => ("overlap.nearly", merge.differing.join(" and ")),
    };
    let evidence = asked.analysis.evidence([rows::policy(one), rows::policy(other)]);
    Some(names(Fact::new(key, evidence), one, other).with("differing", Term::Word(differing)))
}

fn names(fact: Fact, one: &Policy, other: &Policy) -> Fact {
    fact.with("policy", Term::Name(one.display_name.clone())).with("other", Term::Name(other.display_name.clone()))
}

/// Two policies side by side: only the lines in which they differ.
fn compared(asked: Asked<'_>, one: &Policy, other: &Policy) -> Answer {
    let snapshot = asked.analysis.snapshot();
    let lines = difference(Some(one), Some(other), snapshot);
    let same =
        describe::policy(one, snapshot).into_iter().filter(|(label, _)| lines.iter().all(|row| row.label != *label));
    let same: Vec<&str> = same.map(|(label, _)| label).collect();
    let evidence = asked.analysis.evidence([rows::policy(one), rows::policy(other)]);
    let fact = names(Fact::new("overlap.compared", evidence), one, other).with("same", Term::Word(same.join(", ")));
    let both = |overlap: &&Overlap| {
        let ids = [overlap.policy_id.as_str(), overlap.other_id.as_str()];
        ids.contains(&one.id.as_str()) && ids.contains(&other.id.as_str())
    };
    let overlaps = asked.analysis.model.overlaps();
    let relation = overlaps.iter().find(both).and_then(|overlap| pair(asked, overlap));
    let facts = [fact.must_show()].into_iter().chain(relation).collect();
    let value = |words: Option<String>| words.unwrap_or_else(|| "not set".to_owned());
    let rows = lines.into_iter().map(|row| vec![row.label, value(row.before), value(row.after)]).collect();
    let columns = [column("Setting"), column(&one.display_name), column(&other.display_name)].to_vec();
    Answer::sentences(facts).part(Part::Table { columns, rows, more: 0 }).part(Part::Limits(vec![asked.read_at()]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::bot::answers::testing::{nordwerk, said};
    use crate::bot::intent::Intent;

    #[tokio::test]
    async fn what_is_off_can_go_and_is_told_apart_from_what_is_redundant() {
        let mut tenant = nordwerk();
        let mut pilot = tenant["policies"][1].clone();
        pilot["state"] = json!("disabled");
        for (id, name, changed) in [
            ("p-pilot", "CA910 – Pilot", json!("2026-11-04T08:00:00Z")),
            ("p-old", "CA911 – Old pilot", json!("2025-03-04T08:00:00Z")),
            ("p-undated", "CA912 – Undated", json!(null)),
        ] {
            pilot["id"] = json!(id);
            pilot["displayName"] = json!(name);
            pilot["modifiedDateTime"] = changed;
            tenant["policies"].as_array_mut().unwrap().push(pilot.clone());
        }
        insta::assert_snapshot!(said(&tenant, Intent::Overlaps, "which policies can I delete?").await, @r"
        No overlap. [1] Looked at: policies that are On or in report-only, over every sign-in that they can tell apart.
        3 policies are Off, so that deleting any of them changes no sign-in.
        - CA911 – Old pilot is Off and was last changed 630 days ago. [2]
        - CA910 – Pilot is Off and was last changed 20 days ago. [3]
        - CA912 – Undated is Off; when it was last changed isn't known. [4]
        Read Tue 24 Nov 08:00.
        (Suggestions)
        [1] No overlap. · 7 policies
        [2] CA911 – Old pilot is Off and was last changed 630 days ago. · 1 policy
        [3] CA910 – Pilot is Off and was last changed 20 days ago. · 1 policy
        [4] CA912 – Undated is Off; when it was last changed isn't known. · 1 policy
        ");
        let words = said(&tenant, Intent::Overlaps, "could we delete CA911?").await;
        assert!(words.contains("CA911 – Old pilot is Off") && !words.contains("CA910"), "{words}");
    }
}
