//! "Create S-4 in report-only": shows the approval card; its button, pressed by an approver, acts. "Open S-4" shows it too,
//! without making whoever looks the one who asked for it.

use crate::approval::Person;
use crate::bot::answer::{Answer, Part, ask};
use crate::bot::approval_card;
use crate::bot::approve::{Asks, case_of};
use crate::bot::buttons::open;
use crate::bot::intent::SlotName;
use crate::bot::lookup::Found;
use crate::bot::reconcile::Body;
use crate::checks::{CureAction, rows};
use crate::facts::{Fact, Term};
use crate::store::suggestions::Row;
use crate::tenant::Policy;

use super::meant::{numbers, policies, suggestion, titled};
use super::{Answering, Asked};

/// Shows the card of the suggestion that is meant; an edit of an existing policy is a person's.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        let named = asked.slot(SlotName::Policy).is_some() && numbers(asked.text).is_empty();
        if let (true, Some((_, Found::One(policy)))) = (named, policies(asked).into_iter().next()) {
            return edit(asked, policy).await;
        }
        match suggestion(asked).await?.unclear(|number| again(asked.text, number)) {
            Ok(row) => card(asked, &row).await,
            Err(question) => Ok(question),
        }
    })
}

/// The question about one of several suggestions.
fn again(text: &str, number: &str) -> String {
    if only_looks(text) { format!("open the card of {number}") } else { format!("propose {number}") }
}

/// Whether somebody wants to see a card and no more.
fn only_looks(text: &str) -> bool {
    let first = text.split_whitespace().find(|word| !word.eq_ignore_ascii_case("please")).unwrap_or_default();
    ["open", "show", "view", "see"].iter().any(|verb| first.eq_ignore_ascii_case(verb))
}

/// The approval card of a suggestion as it stands now.
pub(super) async fn card(asked: Asked<'_>, row: &Row) -> anyhow::Result<Answer> {
    let person = || Person { id: asked.person.id.clone(), name: asked.person.name.clone() };
    let asks = if only_looks(asked.text) { Asks::Bot } else { Asks::Person(person()) };
    let case = case_of(asked.app, row, asks).await?;
    Ok(approval_card::card(asked.app, &case, asked.analysis).await)
}

/// What can be done about a policy that exists: the suggestions that would change it, for a person to carry out.
async fn edit(asked: Asked<'_>, policy: &Policy) -> anyhow::Result<Answer> {
    let all = asked.app.store.suggestions(asked.app.tenant()).await?;
    let touches = |row: &&Row| {
        let body = Body::of(row).ok();
        body.is_some_and(
            |body| matches!(&body.proposal.action, CureAction::HandOver(change) if change.target_id == policy.id),
        )
    };
    let found: Vec<&Row> = all.iter().filter(touches).collect();
    let fact = Fact::new("propose.edit", asked.analysis.evidence([rows::policy(policy)]))
        .with("policy", Term::Name(policy.display_name.clone()))
        .with("count", found.len())
        .must_show();
    let item = |row: &&Row| {
        let number = format!("S-{}", row.number);
        (titled(row, crate::facts::Evidence::default()), vec![open("Open", &number)])
    };
    let answer =
        Answer::sentences(vec![fact]).part(Part::List { ordered: false, items: found.iter().map(item).collect() });
    Ok(answer
        .part(Part::Limits(vec![asked.read_at()]))
        .action(ask("Show it", format!("show {}", policy.display_name)))
        .action(ask("Suggestions", "show open suggestions")))
}
