//! "Who is not covered by MFA?": users, apps and conditions that no policy protects.

use roaring::RoaringBitmap;

use crate::bot::answer::{Answer, Part, ask};
use crate::bot::intent::SlotName;
use crate::checks::rows;
use crate::facts::{Evidence, Fact};
use crate::tenant::PastSignIn;

use super::{Answering, Asked};

/// Checks that answer for a word of the question, the first that fits; MFA for all users is meant otherwise.
const ABOUT: &[(&[&str], &str)] = &[
    (&["legacy", "imap", "pop3", "smtp", "basic auth"], "legacy-authentication"),
    (&["device code"], "device-code-flow"),
    (&["phishing", "passkey", "fido"], "phishing-resistant-admins"),
    (&["guest", "external", "b2b"], "mfa-guests"),
    (&["admin"], "mfa-admins"),
    (&["managed", "compliant", "unmanaged", "hybrid", "device"], "managed-devices"),
    (&["application", "apps", "app ", "touches", "no policy"], "apps-not-covered"),
];

/// Answers from the finding of the check that the question is about.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move { Ok(from_finding(asked, check_for(asked))) })
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
    if check.starts_with("mfa") {
        opening.extend(used_without_mfa(asked, headline));
    }
    let items = causes.iter().map(|fact| (fact.clone(), Vec::new())).collect();
    let limits = asked.not_checked(&finding.not_checked).into_iter().chain([asked.read_at()]).collect();
    Answer::sentences(opening)
        .part(Part::List { ordered: false, items })
        .part(Part::Limits(limits))
        .action(ask("Suggestions", "show open suggestions"))
        .action(ask("Who is excluded?", "who is excluded from MFA?"))
}

/// Of those not covered, how many signed in without MFA in the window of the log.
fn used_without_mfa(asked: Asked<'_>, headline: Option<&Fact>) -> Option<Fact> {
    let snapshot = asked.analysis.snapshot();
    let uncovered: RoaringBitmap = headline?
        .evidence
        .rows
        .iter()
        .filter_map(|row| match row {
            crate::facts::Row::User { id, .. } => snapshot.directory.user_index(id),
            _ => None,
        })
        .collect();
    let single: Vec<&PastSignIn> = snapshot
        .sign_ins
        .iter()
        .filter(|row| row.error_code == 0 && !row.multi_factor)
        .filter(|row| snapshot.directory.user_index(&row.user_id).is_some_and(|index| uncovered.contains(index)))
        .collect();
    let mut people: Vec<&str> = single.iter().map(|row| row.user_id.as_str()).collect();
    people.sort_unstable();
    people.dedup();
    let rows = single.iter().rev().map(|row| rows::sign_in(row, snapshot));
    let evidence: Evidence = asked.analysis.evidence(rows).within(snapshot.window);
    Some(Fact::new("coverage.without_mfa", evidence).with("people", people.len()).with("count", single.len()))
}

#[cfg(test)]
mod tests {
    use crate::bot::answers::testing::{nordwerk, said};
    use crate::bot::intent::Intent;

    #[tokio::test]
    async fn groups_of_causes_add_up() {
        let words = said(&nordwerk(), Intent::CoverageGaps, "who is not covered by MFA?").await;
        insta::assert_snapshot!(words, @r"
        No policy makes 4 people and 1 guest use MFA (of 8 enabled accounts). [1] In the log 1 of them signed in without MFA, 1 time. [2]
        - 4: CA211 – Block device code flow is in report-only [3]
        - 1 excluded from CA200 – Require MFA by group CA-Excl-MFA-Rollout [4]
        - local guest users, B2B collaboration guest users, B2B collaboration member users, B2B direct connect users, other external users, service provider users without an account here
        Not checked: the tenant's setting for baseline scopes; partner technicians (GDAP) and B2B direct connect users, who have no account …. Read Tue 24 Nov 08:00.
        (Suggestions) (Who is excluded?)
        [1] 4 people and 1 guest not made to use MFA · 5 accounts
        [2] 1 sign-ins without MFA by 1 of them · 1 sign-in
        [3] 4: CA211 – Block device code flow is in report-only · 5 policies
        [4] 1 excluded from CA200 – Require MFA by group CA-Excl-MFA-Rollout · 3 policies
        ");
    }
}
