//! What checks share that list objects rather than judge coverage: a headline, and a fact with a cure for each.

use crate::facts::{Evidence, Fact, Term};
use crate::tenant::Policy;

use super::{Context, Cure, CureAction, Finding, HandOver, Verdict, rows};

/// Something listed: what is said of it, and what to do about it.
#[derive(Debug)]
pub struct Listed {
    /// What is said.
    pub fact: Fact,
    /// What to do, if anything.
    pub cure: Option<Cure>,
}

/// A finding that fails when something is listed; `AREA.fail` takes `count`, `AREA.pass` nothing.
#[must_use]
pub fn finding(context: &Context<'_>, (check, area): (&'static str, &str), listed: Vec<Listed>) -> Finding {
    let verdict = if listed.is_empty() { Verdict::Pass } else { Verdict::Fail };
    let name = if listed.is_empty() { "pass" } else { "fail" };
    let rows = listed.iter().filter_map(|one| one.fact.evidence.rows.first().cloned());
    let headline = Fact::new(&format!("{area}.{name}"), context.evidence(rows)).with("count", listed.len()).must_show();
    let partly = listed.len() > 1;
    let own = |one: Listed| {
        let why = vec![one.fact.clone()];
        (one.fact, one.cure.map(|cure| Cure { why, partly, ..cure }))
    };
    let (facts, cures): (Vec<Fact>, Vec<Option<Cure>>) = listed.into_iter().map(own).unzip();
    Finding {
        check,
        verdict,
        facts: std::iter::once(headline).chain(facts).collect(),
        not_checked: Vec::new(),
        cures: cures.into_iter().flatten().collect(),
    }
}

/// A finding that can't be judged, or has nothing to judge, said by the fact `AREA.NAME`.
#[must_use]
pub fn open(context: &Context<'_>, check: &'static str, key: &str, verdict: Verdict) -> Finding {
    let headline = Fact::new(key, context.stamp(Evidence::default())).must_show();
    Finding { check, verdict, facts: vec![headline], not_checked: Vec::new(), cures: Vec::new() }
}

/// A finding that can't be judged because a kind of object wasn't read: `AREA.unread`, with the file that would settle it.
#[must_use]
pub fn unread(context: &Context<'_>, (check, area): (&'static str, &str), what: &str) -> Finding {
    let mut finding = open(context, check, &format!("{area}.unread"), Verdict::Review);
    finding.not_checked.push(what.to_owned());
    finding
}

/// A change for a person to make.
#[must_use]
pub fn hand_over(subject: &str, title: String, action: HandOver) -> Option<Cure> {
    Some(Cure::new(subject, title, CureAction::HandOver(Box::new(action))))
}

/// A finding that fails when there are such policies; `AREA.policy` takes `policy` and `state`.
#[must_use]
pub fn policies<'a>(
    context: &Context<'_>,
    (check, area): (&'static str, &str),
    faulty: impl Iterator<Item = &'a Policy>,
    cure: impl Fn(&Policy) -> Option<Cure>,
) -> Finding {
    let listed = faulty.map(|policy| Listed {
        fact: Fact::new(&format!("{area}.policy"), context.evidence([rows::policy(policy)]))
            .with("policy", Term::Name(policy.display_name.clone()))
            .with("state", Term::Word(rows::state_word(policy.state).to_owned())),
        cure: cure(policy),
    });
    finding(context, (check, area), listed.collect())
}
