//! "Can anybody get in from China?": whom no policy blocks at sign-ins from a country, and who of them isn't made to use MFA.

use std::sync::LazyLock;

use regex::Regex;

use crate::bot::answer::{Answer, Part, ask};
use crate::bot::answers::{Asked, places, unread};
use crate::bot::intent::text::regex;
use crate::checks::cause_words::CauseWords;
use crate::checks::gaps::Gaps;
use crate::checks::rows;
use crate::engine::{Requirement, Scope};
use crate::facts::{Fact, Term};
use crate::tenant::Kind;

/// Whether the question is about nobody in particular.
pub(super) fn is_meant(text: &str) -> bool {
    static ANYBODY: LazyLock<Regex> = LazyLock::new(|| {
        regex(
            r"(?i)\b(?:any ?(?:body|one)|some ?(?:body|one)|every ?(?:body|one)|people|users|attackers?|hackers?|intruders?)\b",
        )
    });
    ANYBODY.is_match(text)
}

/// Who gets in from a country, by its code, and with what.
pub(super) fn from_country(asked: Asked<'_>, code: &str) -> Answer {
    let snapshot = asked.analysis.snapshot();
    let needed: Vec<Kind> = [Kind::Users].into_iter().chain(unread::needed(unread::on(snapshot))).collect();
    if let Some(back) = unread::back(asked, &needed) {
        return *back;
    }
    let [block, mfa] = [Requirement::Block, Requirement::Mfa].map(|asked_for| gaps(asked, code, &asked_for));
    let place = format!("{} ({code})", places::name(code));
    let limits = ["location by GPS", "who the partner technicians (GDAP) and B2B direct connect users are"];
    let limits = limits.map(str::to_owned);
    let mut answer = Answer::sentences(vec![headline(asked, &block, place)])
        .part(Part::Heading("Not blocked".into()))
        .part(listed(asked, &block));
    if block.any() {
        answer = answer.part(Part::Heading("Nor made to use MFA".into())).part(listed(asked, &mfa));
    }
    answer
        .part(Part::Limits(asked.not_checked(&limits).into_iter().chain([asked.read_at()]).collect()))
        .action(ask("A guest", format!("what if a guest signs in from {}?", places::name(code))))
        .action(ask("In the log", format!("who signed in from {}?", places::name(code))))
}

fn gaps(asked: Asked<'_>, code: &str, asked_for: &Requirement) -> Gaps {
    let scope = Scope { countries: [code.to_owned()].into(), ..Scope::default() };
    let model = &asked.analysis.model;
    Gaps::of((&model.coverage(asked_for, &scope), &scope), model, asked.now)
}

fn headline(asked: Asked<'_>, block: &Gaps, place: String) -> Fact {
    let snapshot = asked.analysis.snapshot();
    let humans = block.accounts.humans();
    let evidence = rows::users(&humans, snapshot, None).chain(unread::on(snapshot).map(rows::policy));
    Fact::new("what_if.anybody", asked.analysis.evidence(evidence))
        .with("place", Term::Name(place))
        .with("any", u64::from(!humans.is_empty()))
        .with("people", block.accounts.people.len())
        .with("guests", block.accounts.guests.len())
        .with("of", block.looked_at.humans().len())
        .with("apps", block.everyone.iter().map(|gap| gap.apps.len()).sum::<usize>())
        .must_show()
}

/// Each cause with those whom it concerns.
fn listed(asked: Asked<'_>, gaps: &Gaps) -> Part {
    let words = CauseWords::new(asked.analysis.snapshot(), &asked.analysis.hash);
    let everyone = gaps.everyone.iter().map(|gap| words.everyone(gap));
    let groups = gaps.groups.iter().map(|group| words.group(group));
    let machines = (!gaps.machines.is_empty()).then(|| words.machines(&gaps.accounts, false));
    let mut facts: Vec<Fact> = everyone.chain(groups).chain(machines).collect();
    if facts.is_empty() {
        let key = if gaps.undecided.is_empty() { "what_if.nobody" } else { "what_if.nobody_sure" };
        facts.push(Fact::new(key, asked.analysis.evidence([])).with("count", gaps.undecided.len()).must_show());
    }
    Part::List { ordered: false, items: facts.into_iter().map(|fact| (fact, Vec::new())).collect() }
}
