//! "Who is not covered by MFA?": users, apps and conditions that no policy protects.

use roaring::RoaringBitmap;

use crate::bot::answer::{Answer, Part, ask};
use crate::bot::intent::SlotName;
use crate::checks::{Finding, Verdict, rows};
use crate::facts::Fact;
use crate::tenant::Kind;

use super::{
    Answering, Asked, administrators, coverage_kinds, coverage_methods, coverage_mfa, coverage_part, period, unread,
    user_policies,
};

/// Id of the check about all administrator roles.
const ADMINS: &str = "mfa-admins";

/// Checks that answer for a word of the question, the first that fits; MFA for all users is meant otherwise.
const ABOUT: &[(&[&str], &str)] = &[
    (&["legacy", "imap", "pop3", "smtp", "basic auth"], "legacy-authentication"),
    (&["device code"], "device-code-flow"),
    (&["phish", "passkey", "fido"], "phishing-resistant-admins"),
    (&["guest", "external", "b2b"], "mfa-guests"),
    (&["admin"], ADMINS),
    (&["managed", "compliant", "unmanaged", "hybrid", "device"], "managed-devices"),
];

/// Answers from the finding of the check that the question is about, or kind by kind.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        let text = asked.words();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if asked.slot(SlotName::User).is_some() {
            return user_policies::answer(asked).await;
        }
        if let Some(part) = coverage_part::told(asked) {
            return Ok(part);
        }
        Ok(if has(&["workload", "service principal", "managed identit"]) {
            coverage_kinds::workloads(asked)
        } else if has(&["risk level", "user risk", "sign-in risk", "medium risk", "high risk", "low risk"]) {
            coverage_kinds::risks(asked)
        } else if has(&["holes", "platform", "flows", "conditions"]) {
            coverage_kinds::conditions(asked)
        } else if has(&["application", "apps", "app ", "touches", "resources"]) {
            coverage_kinds::apps(asked)
        } else if has(&["joiner", "joined", "new user", "new hire", "created", "newcomer"]) {
            joiners(asked)
        } else if coverage_methods::is_meant(&text) {
            coverage_methods::told(asked)
        } else if has(&["signed in without", "sign in without"]) {
            coverage_mfa::first(asked)
        } else {
            let check = check_for(asked);
            match asked.analysis.findings.iter().find(|finding| finding.check == check) {
                Some(finding) if check == coverage_mfa::CHECK => coverage_mfa::everybody(asked, finding).await?,
                Some(finding) => from_finding(asked, finding),
                None => Answer::sentences(vec![asked.read_at()]),
            }
        })
    })
}

/// Administrators and guests have checks of their own; other words of a question about MFA don't change what it is about.
fn check_for(asked: Asked<'_>) -> &'static str {
    let text = asked.words();
    let mentioned = |(words, _): &&(&[&str], &str)| words.iter().any(|word| text.contains(word));
    let mfa = text.contains("mfa");
    let about = ABOUT.iter().filter(|(_, check)| !mfa || check.starts_with("mfa") || check.starts_with("phishing"));
    about.into_iter().find(mentioned).map_or(coverage_mfa::CHECK, |(_, check)| check)
}

fn from_finding(asked: Asked<'_>, finding: &Finding) -> Answer {
    let (headline, causes) = finding.facts.split_first().map_or((None, &[][..]), |(first, rest)| (Some(first), rest));
    let items = causes.iter().map(|fact| (fact.clone(), Vec::new())).collect();
    let limits = asked.not_checked(&finding.not_checked).into_iter().chain([asked.read_at()]).collect();
    let role = (finding.check == ADMINS).then(|| administrators::of_role(asked)).flatten();
    Answer::sentences(role.into_iter().chain(opening(asked, finding, headline)).collect())
        .part(Part::List { ordered: false, items })
        .part(Part::Limits(limits))
        .action(ask("Suggestions", "show open suggestions"))
        .action(ask("Who is excluded?", "who is excluded from MFA?"))
}

/// The headline, after what was not read of the users that policies go by. Then a headline that finds nothing says nothing.
pub(super) fn opening(asked: Asked<'_>, finding: &Finding, headline: Option<&Fact>) -> Vec<Fact> {
    let unread = unread::said(asked, &unread::needed(unread::on(asked.analysis.snapshot())));
    let told = headline.filter(|_| unread.is_none() || finding.verdict == Verdict::Fail);
    unread.into_iter().chain(told.cloned()).collect()
}

/// Accounts made after a day that no policy makes use MFA everywhere.
fn joiners(asked: Asked<'_>) -> Answer {
    if let Some(back) = unread::back(asked, &[Kind::Users]) {
        return *back;
    }
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
    let uncovered = coverage_mfa::gaps(asked).accounts.humans() & &new;
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
    let rows: Vec<Vec<String>> = names.map(line).collect();
    let limit = (undated > 0).then(|| format!("{undated} accounts whose creation date was not read"));
    let limits = asked.not_checked(&limit.into_iter().collect::<Vec<_>>()).into_iter().chain([asked.read_at()]);
    let columns = ["Person", "Department", "Created"].map(crate::bot::answer::column).to_vec();
    Answer::sentences(vec![fact])
        .table("new-without-mfa", columns, rows, 10)
        .part(Part::Limits(limits.collect()))
        .action(ask("All without MFA", "who is not covered by MFA?"))
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
        No policy makes 4 people and 1 guest use MFA everywhere (of 8 enabled accounts, 1 of them emergency access). [1] In the last 30 days 1 of the 5 signed in without it, 1 always with it, 3 not at all. [2] 3 of the 5 have no method registered that could do it. [3]
        | Accounts | Enabled | Required everywhere | Method registered | Used it always | Signed in without
        | People | 4 | 0 | 2 | 1 | 1
        | Guests | 1 | 0 | 0 | 0 | 0
        | Service accounts | 1 | 0 | 0 | 0 | 1
        | Rooms | 1 | 0 | 0 | 0 | 0
        | Emergency access | 1 | 0 | 0 | 0 | 0
        | All enabled | 8 | 0 | 2 | 1 | 2
        - 4 for Salesforce, excluded from CA200 – Require MFA [4]
        - 1 excluded from CA200 – Require MFA by group CA-Excl-MFA-Rollout [5]
        - besides, local guest users, B2B collaboration guest users, B2B collaboration member users, B2B direct connect users, other external users, service provider users without an account here
        Apart, not made to use it either: 1 service account, 1 room and 1 emergency access account (Emergency 1). Not counted: 1 disabled. [6]
        Not checked: the tenant's setting for baseline scopes and who the partner technicians (GDAP) and B2B direct connect users are: they have no account here. Read Tue 24 Nov 08:00.
        (That one first) (Admins) (CSV (5)) (Who is excluded?)
        [1] 4 people and 1 guest not made to use MFA · 5 accounts
        [2] 1 signed in without MFA, 1 always with it, 3 not at all · 1 sign-in
        [3] 3 of 5 without a registered method · 3 accounts
        [4] 4 for Salesforce, excluded from CA200 – Require MFA · 5 rows
        [5] 1 excluded from CA200 – Require MFA by group CA-Excl-MFA-Rollout · 3 rows
        [6] Service accounts, rooms and emergency access accounts apart · 3 accounts
        ");
    }

    #[tokio::test]
    async fn who_can_be_phished_lacks_what_phishing_does_not_get_past() {
        let words = said(&nordwerk(), Intent::CoverageGaps, "which of our admins could get phished").await;
        assert!(words.contains("phishing-resistant"), "{words}");
    }

    #[tokio::test]
    async fn nobody_is_covered_for_sure_where_nobody_was_read() {
        let mut tenant = nordwerk();
        tenant["users"] = json!([]);
        tenant["unread"] = json!(["users", "groups"]);
        let words = said(&tenant, Intent::CoverageGaps, "who is not covered by MFA?").await;
        assert!(words.starts_with("Not known: users.json was not read and groups.json was not read."), "{words}");
        assert!(!words.contains("All enabled") && !words.contains("Every sign-in"), "{words}");
    }

    #[tokio::test]
    async fn a_slip_is_no_other_question() {
        for (text, right) in [
            ("is legcy auth blokced", "is legacy auth blocked"),
            ("which gests have no mfa", "which guests have no mfa"),
        ] {
            let of = async |text| said(&nordwerk(), Intent::CoverageGaps, text).await;
            assert_eq!(of(text).await, of(right).await, "{text}");
        }
    }

    #[tokio::test]
    async fn one_account_is_not_everybody() {
        let words = said(&nordwerk(), Intent::CoverageGaps, "is svc-backup covered by anything?").await;
        assert!(words.starts_with("svc-backup is in "), "{words}");
    }

    #[tokio::test]
    async fn one_role_is_not_widened_without_a_word() {
        let words = said(&nordwerk(), Intent::CoverageGaps, "who are the global admins without mfa").await;
        let role = "1 account holds Global Administrator (Dana Admin). No policy makes Dana Admin use MFA everywhere.";
        assert!(words.starts_with(role) && words.contains("all administrator roles"), "{words}");
        let words = said(&nordwerk(), Intent::CoverageGaps, "which admins are not covered by MFA?").await;
        assert!(!words.contains("Global Administrator (Dana"), "{words}");
    }

    #[tokio::test]
    async fn joiners_since_a_day() {
        let mut tenant = nordwerk();
        let text = "Joiners after 1 April that didn't land in any of the MFA groups?";
        let words = said(&tenant, Intent::CoverageGaps, text).await;
        assert!(words.starts_with("1 of 1 account made since Wed 1 Apr 2026: not made to use MFA"), "{words}");
        tenant["users"][2]["createdDateTime"] = json!("2025-05-04T00:00:00Z");
        let words = said(&tenant, Intent::CoverageGaps, text).await;
        assert!(words.starts_with("No account was made since Wed 1 Apr 2026."), "{words}");
    }
}
