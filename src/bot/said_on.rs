//! What a card says to be decided on: the reasons, whom it touches, the impact, the safety, what is to be copied. Its buttons
//! carry a hash of it, so that a click decides what the person saw, and a scan that finds other numbers shows them.

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::app::App;
use crate::chat::card::{Action, Card, Press, Verb};
use crate::store::messages::Message;
use crate::tenant::short_hash;

use super::analysis::Analysis;
use super::answer::{Answer, Part};
use super::approval_card;
use super::approve::{self, Case};

/// Lines that are the card's own: no reading changes them, or nobody decides by them.
const OWN: [&str; 4] = ["Name", "Owner", "Ticket", "Approval"];
/// Which policy of how many it would be: it counts on with each policy that anybody creates, and nobody decides by it.
const COUNT: &str = "safety.count";

/// A short hash of what a card says to be decided on; the moment of the reading isn't part of it, nor what people wrote on it.
#[must_use]
pub fn of(answer: &Answer, case: &Case) -> String {
    // What is copied of an edit is written from the object as it stands; a draft stays what it was.
    let is_edit = case.draft().is_none();
    let part = |part: &Part| match part {
        Part::Rows(rows) => Some(rows.iter().filter(|(label, _)| !OWN.contains(&label.as_str())).map(line).collect()),
        Part::Change(rows) => Some(json!(rows)),
        Part::Code(form, text) if is_edit && form != "Ticket" => Some(json!(text)),
        _ => None,
    };
    let parts: Vec<Value> = answer.parts.iter().filter_map(part).collect();
    let people: Vec<_> = answer.sheets.iter().map(|sheet| (sheet.total, &sheet.rows)).collect();
    short_hash(&json!([parts, people]).to_string())
}

/// A labelled line: its statements, and how many rows each rests on.
fn line((label, facts): &(String, Vec<crate::facts::Fact>)) -> Value {
    let told = facts.iter().filter(|fact| fact.key != COUNT);
    let said: Vec<Value> = told.map(|fact| json!([fact.key, fact.terms, fact.evidence.total])).collect();
    json!([label, said])
}

/// The card with that hash on each of its buttons that decides.
#[must_use]
pub fn carried(mut answer: Answer, case: &Case) -> Answer {
    let says = of(&answer, case);
    for action in &mut answer.actions {
        if let Action::Press { press, .. } = action {
            press.says = (press.subject == case.kept.id).then(|| says.clone());
        }
    }
    answer
}

/// Whether whoever clicked saw what there is to decide on by the newest reading. A button that stands beside no numbers
/// carries none; a wish decides nothing; a policy is created by what the card said and nothing else.
///
/// # Errors
/// When the store fails or the tenant wasn't read yet.
pub async fn is_seen(app: &App, case: &Case, press: &Press) -> anyhow::Result<bool> {
    let free = press.verb == Verb::AskChange || (press.says.is_none() && press.verb != Verb::Create);
    if free {
        return Ok(true);
    }
    let analysis = app.newest_analysis().await?.context("the tenant wasn't read yet")?;
    Ok(approval_card::says(app, case, &analysis) == press.says)
}

/// Shows what a scan found on every card that waits and says something else.
///
/// # Errors
/// When the store fails.
pub async fn refresh(app: &App, analysis: &Analysis) -> anyhow::Result<()> {
    for kept in app.store.approvals_in(app.tenant(), &["open", "snoozed"]).await? {
        let copies = app.store.messages_about(&format!("S-{}", kept.suggestion)).await?;
        let said: Vec<String> = copies.iter().filter_map(|copy| said_by(copy, &kept.id)).collect();
        if said.is_empty() {
            continue;
        }
        let case = Case::load(app, kept).await?;
        let now = approval_card::says(app, &case, analysis);
        if said.iter().any(|said| now.as_ref() != Some(said)) {
            show_anew(app, &case).await?;
        }
    }
    Ok(())
}

/// Has every copy of a card shown anew, though nothing was decided; when somebody is quicker, theirs shows it.
///
/// # Errors
/// When the store fails.
pub async fn show_anew(app: &App, case: &Case) -> anyhow::Result<()> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    if tx.move_approval(&case.kept, &case.kept.state, now).await? {
        tx.enqueue(&approve::showing(case, now)).await?;
    }
    tx.commit().await
}

/// What a copy of an approval's card says, by its buttons.
fn said_by(copy: &Message, approval: &str) -> Option<String> {
    let card: Card = serde_json::from_value(copy.said.body.clone()).ok()?;
    card.actions.into_iter().find_map(|action| match action {
        Action::Press { press, .. } if press.subject == approval => press.says,
        _ => None,
    })
}
