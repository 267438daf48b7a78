//! "Who is not covered by MFA?": users, apps and conditions that no policy protects.

use roaring::RoaringBitmap;

use crate::bot::answer::{Answer, Part, ask};
use crate::bot::intent::SlotName;
use crate::checks::accounts::Accounts;
use crate::checks::gaps::Gaps;
use crate::checks::rows;
use crate::engine::{Requirement, Scope};
use crate::facts::{Fact, Term};
use crate::tenant::{Kind, PastSignIn};

use super::{Answering, Asked, coverage_kinds, period};

/// Checks that answer for a word of the question, the first that fits; MFA for all users is meant otherwise.
const ABOUT: &[(&[&str], &str)] = &[
    (&["legacy", "imap", "pop3", "smtp", "basic auth"], "legacy-authentication"),
    (&["device code"], "device-code-flow"),
    (&["phishing", "passkey", "fido"], "phishing-resistant-admins"),
    (&["guest", "external", "b2b"], "mfa-guests"),
    (&["admin"], "mfa-admins"),
    (&["managed", "compliant", "unmanaged", "hybrid", "device"], "managed-devices"),
];

/// Answers from the finding of the check that the question is about, or kind by kind.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move { Ok(of(asked)) })
}

fn of(asked: Asked<'_>) -> Answer {
    let text = asked.text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&["workload", "service principal", "managed identit"]) {
        coverage_kinds::workloads(asked)
    } else if has(&["risk level", "user risk", "sign-in risk", "medium risk", "high risk", "low risk"]) {
        coverage_kinds::risks(asked)
    } else if has(&["holes", "platform", "flows", "conditions"]) {
        coverage_kinds::conditions(asked)
    } else if has(&["application", "apps", "app ", "touches", "resources"]) {
        coverage_kinds::apps(asked)
    } else if has(&["joiner", "joined", "new user", "new hire", "created", "newcomer"]) {
        joiners(asked)
    } else {
        from_finding(asked, check_for(asked))
    }
}

fn check_for(asked: Asked<'_>) -> &'static str {
    let text = asked.text.to_lowercase();
    let mentioned = |words: &&(&[&str], &str)| words.0.iter().any(|word| text.contains(word));
    let mfa = text.contains("mfa") && asked.slot(SlotName::Group).is_none();
    if mfa { "mfa-all-users" } else { ABOUT.iter().find(mentioned).map_or("mfa-all-users", |(_, check)| check) }
}

fn from_finding(asked: Asked<'_>, check: &str) -> Answer {
    let Some(finding) = asked.analysis.findings.iter().find(|finding| finding.check == check) else {
        return Answer::sentences(vec![asked.read_at()]);
    };
    let (headline, causes) = finding.facts.split_first().map_or((None, &[][..]), |(first, rest)| (Some(first), rest));
    let mut opening: Vec<Fact> = headline.cloned().into_iter().collect();
    let mut apart = Vec::new();
    if check == "mfa-all-users" {
        let gaps = without_mfa(asked);
        let uncovered = gaps.accounts.humans();
        opening.extend(did(asked, &uncovered));
        opening.extend(registered(asked, &uncovered));
        apart.push(set_apart(asked, &gaps));
    }
    let items = causes.iter().map(|fact| (fact.clone(), Vec::new())).collect();
    let limits = asked.not_checked(&finding.not_checked).into_iter().chain([asked.read_at()]).collect();
    let answer = Answer::sentences(opening).part(Part::List { ordered: false, items });
    let answer = if apart.is_empty() { answer } else { answer.part(Part::Sentences(apart)) };
    answer
        .part(Part::Limits(limits))
        .action(ask("Suggestions", "show open suggestions"))
        .action(ask("Who is excluded?", "who is excluded from MFA?"))
}

/// Whom no policy makes use MFA everywhere.
fn without_mfa(asked: Asked<'_>) -> Gaps {
    let model = &asked.analysis.model;
    Gaps::of(&model.coverage(&Requirement::Mfa, &Scope::default()), model, asked.now)
}

/// Of those not covered: signed in without MFA, always with it, or not at all; the three add up.
fn did(asked: Asked<'_>, uncovered: &RoaringBitmap) -> Option<Fact> {
    let snapshot = asked.analysis.snapshot();
    if uncovered.is_empty() || !snapshot.has(Kind::SignIns) {
        return None;
    }
    let (mut without, mut with) = (RoaringBitmap::new(), RoaringBitmap::new());
    let mut single: Vec<&PastSignIn> = Vec::new();
    for row in snapshot.sign_ins.iter().filter(|row| row.error_code == 0) {
        let Some(index) = snapshot.directory.user_index(&row.user_id).filter(|index| uncovered.contains(*index)) else {
            continue;
        };
        if row.multi_factor {
            with.insert(index);
        } else {
            without.insert(index);
            single.push(row);
        }
    }
    let always = &with - &without;
    let log = single.iter().rev().map(|row| rows::sign_in(row, snapshot));
    let fact = Fact::new("coverage.did", asked.analysis.evidence(log).within(snapshot.window))
        .with("without", without.len())
        .with("always", always.len())
        .with("none", uncovered.len() - without.len() - always.len())
        .must_show();
    Some(fact)
}

/// Of those not covered: without any method registered.
fn registered(asked: Asked<'_>, uncovered: &RoaringBitmap) -> Option<Fact> {
    let snapshot = asked.analysis.snapshot();
    if uncovered.is_empty() || !snapshot.has(Kind::UserRegistrationDetails) {
        return None;
    }
    let capable = |index: &u32| {
        let user = snapshot.directory.user_at(*index);
        user.and_then(|user| snapshot.directory.registrations.get(&user.id)).is_some_and(|one| one.mfa_capable)
    };
    let without: RoaringBitmap = uncovered.iter().filter(|index| !capable(index)).collect();
    let evidence = asked.analysis.evidence(rows::users(&without, snapshot, None));
    Some(Fact::new("coverage.registered", evidence).with("count", without.len()).with("of", uncovered.len()))
}

/// Service accounts, rooms and emergency access accounts among those not covered, and what isn't counted.
fn set_apart(asked: Asked<'_>, gaps: &Gaps) -> Fact {
    let snapshot = asked.analysis.snapshot();
    let Accounts { service, rooms, emergency, unused, .. } = &gaps.accounts;
    let names = emergency.iter().filter_map(|index| snapshot.directory.user_at(index));
    let disabled = snapshot.directory.users.iter().filter(|user| !user.enabled).count();
    let apart = service | rooms | emergency;
    Fact::new("coverage.apart", asked.analysis.evidence(rows::users(&apart, snapshot, None)))
        .with("service", service.len())
        .with("rooms", rooms.len())
        .with("emergency", emergency.len())
        .with("names", Term::Names(names.map(|user| user.display_name.to_string()).collect()))
        .with("unused", (unused & gaps.accounts.humans()).len())
        .with("disabled", disabled)
        .must_show()
}

/// Accounts made after a day that no policy makes use MFA everywhere.
fn joiners(asked: Asked<'_>) -> Answer {
    let snapshot = asked.analysis.snapshot();
    let zone = &asked.app.config.schedule.zone;
    let dated = period::end(asked.text, asked.now, zone).map(|at| {
        let before = |at: jiff::Timestamp| at.to_zoned(zone.clone()).checked_sub(jiff::Span::new().years(1)).ok();
        if at > asked.now { before(at).map_or(at, |zoned| zoned.timestamp()) } else { at }
    });
    let month = asked.now.checked_sub(jiff::Span::new().hours(30 * 24)).unwrap_or(asked.now);
    let since = period::span(asked.text, asked.now, zone).map(|(from, _)| from).or(dated).unwrap_or(month);
    let new: RoaringBitmap = (0u32..)
        .zip(&snapshot.directory.users)
        .filter(|(_, user)| user.enabled && user.created.is_some_and(|created| created >= since))
        .map(|(index, _)| index)
        .collect();
    let undated = snapshot.directory.users.iter().filter(|user| user.enabled && user.created.is_none()).count();
    let uncovered = without_mfa(asked).accounts.humans() & &new;
    let fact = Fact::new("coverage.joiners", asked.analysis.evidence(rows::users(&uncovered, snapshot, None)))
        .with("count", uncovered.len())
        .with("of", new.len())
        .with("since", since)
        .must_show();
    let names = uncovered.iter().filter_map(|index| snapshot.directory.user_at(index));
    let line = |user: &crate::tenant::User| {
        let created = user.created.map(|at| at.strftime("%-d %b %Y").to_string()).unwrap_or_default();
        vec![user.display_name.to_string(), user.department.clone().unwrap_or_default().to_string(), created]
    };
    let rows: Vec<Vec<String>> = names.take(10).map(line).collect();
    let more = uncovered.len().saturating_sub(10);
    let limit = (undated > 0).then(|| format!("{undated} accounts whose creation date was not read"));
    let limits = asked.not_checked(&limit.into_iter().collect::<Vec<_>>()).into_iter().chain([asked.read_at()]);
    let mut answer = Answer::sentences(vec![fact]);
    if !rows.is_empty() {
        let columns = ["Person", "Department", "Created"].map(crate::bot::answer::column).to_vec();
        answer = answer.part(Part::Table { columns, rows, more });
    }
    answer.part(Part::Limits(limits.collect())).action(ask("All without MFA", "who is not covered by MFA?"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::bot::answers::testing::{nordwerk, said};
    use crate::bot::intent::Intent;

    #[tokio::test]
    async fn groups_of_causes_add_up() {
        let words = said(&nordwerk(), Intent::CoverageGaps, "who is not covered by MFA?").await;
        insta::assert_snapshot!(words, @r"
        No policy makes 4 people and 1 guest use MFA (of 8 enabled accounts). [1] In the log 1 of them signed in without it, 1 always with it, 3 not at all. [2] 3 of the 5 have no method registered that could do it. [3]
        - 4 for Salesforce, excluded from CA200 – Require MFA [4]
        - 1 excluded from CA200 – Require MFA by group CA-Excl-MFA-Rollout [5]
        - local guest users, B2B collaboration guest users, B2B collaboration member users, B2B direct connect users, other external users, service provider users without an account here
        Apart, not made to use it either: 1 service account, 1 room, 1 emergency access account (Emergency 1). Not counted: 1 disabled. [6]
        Not checked: the tenant's setting for baseline scopes and partner technicians (GDAP) and B2B direct connect users, who have no account here. Read Tue 24 Nov 08:00.
        (Suggestions) (Who is excluded?)
        [1] 4 people and 1 guest not made to use MFA · 5 accounts
        [2] 1 signed in without MFA, 1 always with it, 3 not at all · 1 sign-in
        [3] 3 of 5 without a registered method · 3 accounts
        [4] 4 for Salesforce, excluded from CA200 – Require MFA · 5 policies
        [5] 1 excluded from CA200 – Require MFA by group CA-Excl-MFA-Rollout · 3 policies
        [6] Service accounts, rooms and emergency access accounts apart · 3 accounts
        ");
    }

    #[tokio::test]
    async fn joiners_since_a_day() {
        let mut tenant = nordwerk();
        let text = "Joiners after 1 April that didn't land in any of the MFA groups?";
        let words = said(&tenant, Intent::CoverageGaps, text).await;
        assert!(words.starts_with("1 of 1 account made since Wed 1 Apr 00:00: not made to use MFA"), "{words}");
        tenant["users"][2]["createdDateTime"] = json!("2025-05-04T00:00:00Z");
        let words = said(&tenant, Intent::CoverageGaps, text).await;
        assert!(words.starts_with("0 of 0 accounts"), "{words}");
    }
}
