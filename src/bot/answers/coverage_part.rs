//! "Show me the 93", "and the service accounts?": the accounts behind one of the numbers of the answer about MFA.

use roaring::RoaringBitmap;

use crate::bot::answer::{Answer, Part as Said, ask, column};
use crate::bot::intent::Intent;
use crate::checks::rows;
use crate::facts::{Fact, Term, grouped};
use crate::tenant::{Kind, User};

use super::Asked;
use super::coverage_mfa::{Used, capable, gaps};

/// How many accounts a table names.
const SHOWN: usize = 10;

/// What a number of the answer stands for, and its accounts.
type Part = (String, RoaringBitmap);

/// The accounts that a question goes on about: by a number of the answer before, or by a kind of account apart from people.
pub(super) fn told(asked: Asked<'_>) -> Option<Answer> {
    let after = asked.previous.is_some_and(|turn| turn.intent == Intent::CoverageGaps) && asked.routed.follows;
    let text = asked.text.to_lowercase();
    let parts = || parts(asked);
    if !after {
        return None;
    }
    let kinds = ["service account", "room", "emergency"];
    match (number(&text), kinds.into_iter().find(|kind| text.contains(kind))) {
        (Some(number), _) => {
            let found: Vec<Part> = parts().into_iter().filter(|(_, accounts)| accounts.len() == number).collect();
            Some(if found.is_empty() { none(asked, number) } else { listed(asked, &found) })
        }
        (None, Some(kind)) => {
            let found = parts().into_iter().find(|(what, _)| what.to_lowercase().starts_with(kind))?;
            Some(listed(asked, &[found]))
        }
        (None, None) => None,
    }
}

/// The number in a short text that names nothing else: "and who are the 42?".
fn number(text: &str) -> Option<u64> {
    const AROUND: &[&str] = &[
        "and", "show", "me", "list", "who", "which", "are", "were", "the", "those", "these", "all", "please", "name",
        "people", "accounts", "of", "them", "ones",
    ];
    let words = text.split(|c: char| !c.is_alphanumeric() && c != ',').filter(|word| !word.is_empty());
    let mut numbers = words.filter(|word| !AROUND.contains(word));
    let number = numbers.next()?.replace(',', "").parse().ok()?;
    numbers.next().is_none().then_some(number)
}

/// What each number of the answer stands for.
fn parts(asked: Asked<'_>) -> Vec<Part> {
    let (gaps, used, snapshot) = (gaps(asked), Used::of(asked), asked.analysis.snapshot());
    let out = gaps.accounts.humans();
    let mut parts = vec![
        ("People and guests whom no policy makes use MFA".to_owned(), out.clone()),
        ("People whom no policy makes use MFA".to_owned(), gaps.accounts.people.clone()),
        ("Guests whom no policy makes use MFA".to_owned(), gaps.accounts.guests.clone()),
        ("Service accounts whom no policy makes use MFA".to_owned(), gaps.accounts.service.clone()),
        ("Rooms whom no policy makes use MFA".to_owned(), gaps.accounts.rooms.clone()),
        ("Emergency access accounts whom no policy makes use MFA".to_owned(), gaps.accounts.emergency.clone()),
    ];
    if snapshot.has(Kind::SignIns) {
        let (without, always) = (&out & &used.without, &out & &used.always);
        parts.push(("Of them, signed in without it".to_owned(), without.clone()));
        parts.push(("Of them, always signed in with it".to_owned(), always.clone()));
        parts.push(("Of them, didn't sign in".to_owned(), &out - &without - &always));
    }
    if snapshot.has(Kind::UserRegistrationDetails) {
        parts.push(("Of them, no method registered that could do it".to_owned(), &out - capable(asked, &out)));
    }
    let words = crate::checks::cause_words::CauseWords::new(snapshot, &asked.analysis.hash);
    let cause = |group| asked.app.wording.of(&words.group(group), crate::facts::Style::Short).ok();
    parts.extend(
        gaps.groups.iter().filter_map(|group| Some((format!("By cause, {}", cause(group)?), group.users.clone()))),
    );
    parts.into_iter().filter(|(_, accounts)| !accounts.is_empty()).collect()
}

/// Each of these parts with its accounts.
fn listed(asked: Asked<'_>, found: &[Part]) -> Answer {
    let snapshot = asked.analysis.snapshot();
    let line = |user: &&User| {
        let department = user.department.clone().unwrap_or_default().to_string();
        vec![user.display_name.to_string(), user.user_principal_name.to_string(), department]
    };
    let one = |answer: Answer, (what, accounts): &Part| {
        let fact = Fact::new("coverage.part", asked.analysis.evidence(rows::users(accounts, snapshot, None)))
            .with("count", accounts.len())
            .with("what", Term::Name(what.clone()))
            .must_show();
        let mut users: Vec<&User> = accounts.iter().filter_map(|index| snapshot.directory.user_at(index)).collect();
        users.sort_by_key(|user| user.display_name.clone());
        let columns = ["Account", "User principal name", "Department"].map(column).to_vec();
        let lines = users.iter().map(line).collect();
        answer.part(Said::Sentences(vec![fact])).table("without-mfa-part", columns, lines, SHOWN)
    };
    found
        .iter()
        .fold(Answer::default(), one)
        .part(Said::Limits(vec![asked.read_at()]))
        .action(ask("All without MFA", "who is not covered by MFA?"))
}

/// No number of the answer is this one.
fn none(asked: Asked<'_>, number: u64) -> Answer {
    let number = grouped(i64::try_from(number).unwrap_or(i64::MAX));
    let fact =
        Fact::new("coverage.no_part", asked.analysis.evidence([])).with("number", Term::Word(number)).must_show();
    Answer::sentences(vec![fact])
        .part(Said::Limits(vec![asked.read_at()]))
        .action(ask("All without MFA", "who is not covered by MFA?"))
}

#[cfg(test)]
mod tests {
    use crate::bot::answers::testing::{nordwerk, said, said_after};
    use crate::bot::intent::Intent;

    async fn then(text: &str) -> String {
        said_after(&nordwerk(), Intent::CoverageGaps, "MFA", text).await
    }

    #[tokio::test]
    async fn a_number_of_the_answer_is_its_accounts() {
        let words = then("and who are the 5?").await;
        assert!(words.starts_with("People and guests whom no policy makes use MFA: 5."), "{words}");
        assert!(words.contains("| Bob Keller |"), "{words}");
        let words = then("show me the 3").await;
        assert!(
            words.contains("didn't sign in: 3.") && words.contains("no method registered that could do it: 3."),
            "{words}"
        );
        assert!(then("show me the 77").await.starts_with("No number of that answer is 77."));
    }

    #[tokio::test]
    async fn a_kind_of_account_is_its_accounts() {
        let words = then("and the service accounts?").await;
        assert!(
            words.starts_with("Service accounts whom no policy makes use MFA: 1.") && words.contains("| svc-backup |"),
            "{words}"
        );
        let words = said(&nordwerk(), Intent::CoverageGaps, "and the service accounts?").await;
        assert!(words.contains("All enabled"), "nothing was said before: {words}");
    }
}
