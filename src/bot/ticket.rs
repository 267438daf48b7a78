//! The number of a ticket that a person names with a change, such as `CHG0041877`: it stands on every copy of the card, in
//! the text for the ticket and in the log.

use serde_json::json;

use crate::app::App;
use crate::approval::{State, Terms};
use crate::log::{Action, Actor, NewEntry};

use super::approve::{self, Case};

/// What the numbers of change and service tickets begin with, as `ServiceNow` and others give them.
const KINDS: [&str; 9] = ["CHG", "CRQ", "INC", "PRB", "REQ", "RFC", "RITM", "SCTASK", "TASK"];
/// Words before a number of another form, such as `SEC-1234`.
const WORDS: [&str; 4] = ["ticket", "change", "request", "issue"];
/// The longest number that is kept, in characters.
const LONGEST: usize = 24;

/// The first ticket that a text names.
#[must_use]
pub fn named(text: &str) -> Option<String> {
    let words: Vec<&str> =
        text.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric())).collect();
    let before = |at: usize| at.checked_sub(1).and_then(|at| words.get(at)).copied().unwrap_or_default();
    let is_one = |(at, word): &(usize, &&str)| {
        let after_word = WORDS.iter().any(|known| before(*at).eq_ignore_ascii_case(known));
        word.len() <= LONGEST && (is_of_a_kind(word) || (after_word && is_number(word)))
    };
    words.iter().enumerate().find(is_one).map(|(_, word)| word.to_ascii_uppercase())
}

fn is_of_a_kind(word: &str) -> bool {
    let upper = word.to_ascii_uppercase();
    let rest = KINDS.iter().find_map(|kind| upper.strip_prefix(kind));
    rest.is_some_and(|rest| is_digits(rest.trim_start_matches('-'), 4))
}

/// Digits alone, or letters and digits with a hyphen between them; never one of the bot's own numbers.
fn is_number(word: &str) -> bool {
    match word.split_once('-') {
        Some((letters, digits)) => {
            letters.len() > 1 && letters.bytes().all(|b| b.is_ascii_alphabetic()) && is_digits(digits, 1)
        }
        None => is_digits(word, 4),
    }
}

fn is_digits(text: &str, least: usize) -> bool {
    text.len() >= least && text.bytes().all(|b| b.is_ascii_digit())
}

/// The case for this ticket, by whom: kept, logged and shown on every copy of its card. Only a card that waits takes one.
///
/// # Errors
/// When the store fails.
pub async fn keep(app: &App, case: Case, (ticket, by): (String, Actor)) -> anyhow::Result<Case> {
    if case.terms.ticket.as_ref() == Some(&ticket) || !matches!(case.state, State::Open { .. }) {
        return Ok(case);
    }
    let now = app.clock.now();
    let terms = Terms { ticket: Some(ticket.clone()), ..case.terms.clone() };
    let mut tx = app.store.begin().await?;
    if tx.move_approval(&case.kept, &case.kept.state, now).await? {
        tx.set_terms(&case.kept.id, &serde_json::to_value(terms)?).await?;
        tx.enqueue(&approve::showing(&case, now)).await?;
        tx.append(NewEntry {
            tenant: app.tenant().to_owned(),
            at: now,
            actor: by,
            action: Action::ApprovalRequested,
            subject: format!("S-{}", case.kept.suggestion),
            body: json!({"approval": case.kept.number, "ticket": ticket}),
            evidence: Vec::new(),
        })
        .await?;
    }
    tx.commit().await?;
    approve::reloaded(app, &case.kept.id).await
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn a_ticket_is_told_from_policies_and_suggestions() {
        for (text, ticket) in [
            ("propose S-4 for CHG0041877", Some("CHG0041877")),
            ("create S-4 in report-only, chg0041877.", Some("CHG0041877")),
            ("propose S-4 under ticket SEC-1234", Some("SEC-1234")),
            ("propose S-4, ticket #88231", Some("88231")),
            ("propose S-4", None),
            ("propose CA211 for S-4", None),
            ("change CA200", None),
            ("open ticket S-4", None),
        ] {
            assert_eq!(named(text).as_deref(), ticket, "{text}");
        }
    }
}
