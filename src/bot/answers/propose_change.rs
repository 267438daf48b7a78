//! "Create S-4 in report-only": shows the approval card; its button, pressed by an approver, acts. "Open S-4" shows it too,
//! without making whoever looks the one who asked for it.

use crate::approval::Person;
use crate::bot::answer::{Answer, Part, ask};
use crate::bot::approval_card;
use crate::bot::approve::{Asks, case_of};
use crate::bot::buttons::open;
use crate::bot::intent::SlotName;
use crate::bot::lookup::Found;
use crate::bot::reconcile::{Body, state};
use crate::bot::ticket;
use crate::checks::{self, CHECKS, Context, CureAction, Finding, Verdict, rows};
use crate::facts::{Fact, Term};
use crate::log::Actor;
use crate::store::suggestions::Row;
use crate::tenant::Policy;
use crate::tenant::policy::PolicyState;

use super::meant::{Meant, check, numbers, policies, said, suggestion, titled};
use super::{Answering, Asked, own};

/// Shows the card of the suggestion that is meant; an edit of an existing policy is a person's.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        let named = asked.slot(SlotName::Policy).is_some() && numbers(asked.text).is_empty();
        if let (true, Some((_, Found::One(policy)))) = (named || is_open(asked), policies(asked).into_iter().next()) {
            return edit(asked, policy).await;
        }
        let meant = suggestion(asked).await?;
        if let (Meant::None, Some(check)) = (&meant, check(asked.text))
            && let Some(finding) = asked.analysis.findings.iter().find(|finding| finding.check == check)
        {
            let edits = edits_instead(asked, finding).await?;
            return Ok(if edits.is_empty() { nothing(asked, finding) } else { better(asked, finding, &edits) });
        }
        if matches!(&meant, Meant::Several(_)) && own::describes_another(asked) {
            return Ok(not_suggested());
        }
        match meant.unclear(|number| again(asked.text, number)) {
            Ok(row) => card(asked, &row).await,
            Err(question) => Ok(question),
        }
    })
}

/// Whether it speaks of a policy that was open: "how do I fix it?" after its card.
fn is_open(asked: Asked<'_>) -> bool {
    let before = asked.subject().unwrap_or_default();
    numbers(asked.text).is_empty() && numbers(before).is_empty() && own::of(asked) == own::Own::Nothing
}

/// What is described is none of the suggestions; a draft of one is all that the bot creates.
fn not_suggested() -> Answer {
    Answer::sentences(vec![said("propose.not_suggested")])
        .action(ask("Suggestions", "show open suggestions"))
        .action(ask("All policies", "list all policies"))
}

/// The question about one of several suggestions.
fn again(text: &str, number: &str) -> String {
    if only_looks(text) { format!("open the card of {number}") } else { format!("propose {number}") }
}

/// Whether somebody wants to see a card and no more.
fn only_looks(text: &str) -> bool {
    let first = text.split_whitespace().find(|word| !word.eq_ignore_ascii_case("please")).unwrap_or_default();
    let is_number = text.split_whitespace().count() == 1 && !numbers(text).is_empty();
    is_number || ["open", "show", "view", "see"].iter().any(|verb| first.eq_ignore_ascii_case(verb))
}

/// The approval card of a suggestion as it stands now.
pub(super) async fn card(asked: Asked<'_>, row: &Row) -> anyhow::Result<Answer> {
    let person = || Person { id: asked.person.id.clone(), name: asked.person.name.clone() };
    let asks = if only_looks(asked.text) { Asks::Bot } else { Asks::Person(person()) };
    let case = case_of(asked.app, row, asks).await?;
    let case = match ticket::named(asked.text) {
        Some(ticket) => {
            let by = Actor::person(&asked.person.id, &asked.person.name);
            ticket::keep(asked.app, case, (ticket, by)).await?
        }
        None => case,
    };
    Ok(approval_card::card(asked.app, &case, asked.analysis).await)
}

/// The open suggestions that change the policies which a finding would have changed, where it has none of its own that is
/// open, such as one that was dismissed.
async fn edits_instead(asked: Asked<'_>, finding: &Finding) -> anyhow::Result<Vec<Row>> {
    let target = |action: &CureAction| match action {
        CureAction::HandOver(change) => Some((change.target_kind.clone(), change.target_id.clone())),
        CureAction::Draft(_) => None,
    };
    let wanted: Vec<_> = finding.cures.iter().filter_map(|cure| target(&cure.action)).collect();
    let changes = |row: &Row| Body::of(row).ok().and_then(|body| target(&body.proposal.action));
    let mut rows = asked.app.store.suggestions(asked.app.tenant()).await?;
    rows.retain(|row| row.state == state::OPEN && changes(row).is_some_and(|target| wanted.contains(&target)));
    Ok(rows)
}

/// That an edit is the better cure, with the cards of those that are suggested.
fn better(asked: Asked<'_>, finding: &Finding, edits: &[Row]) -> Answer {
    let title = checks::about(finding.check).map_or(finding.check, |about| about.title);
    let fact = said("propose.edit_instead")
        .with("check", Term::Word(title.to_owned()))
        .with("several", u64::from(edits.len() > 1));
    let limits = asked.not_checked(&finding.not_checked).into_iter().chain([asked.read_at()]);
    Answer::sentences(finding.facts.first().cloned().into_iter().chain([fact]).collect())
        .part(cards(edits))
        .part(Part::Limits(limits.collect()))
        .action(ask("Suggestions", "show open suggestions"))
}

/// Suggestions, each with the button that opens its card.
fn cards<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Part {
    let item = |row: &Row| {
        let evidence = Body::of(row).map(|body| body.proposal.evidence()).unwrap_or_default();
        (titled(row, evidence), vec![open("Open", &format!("S-{}", row.number))])
    };
    Part::List { ordered: false, items: rows.into_iter().map(item).collect() }
}

/// Why there is nothing to create: it is covered already, by which policies, or why a check that fails has no draft.
fn nothing(asked: Asked<'_>, finding: &Finding) -> Answer {
    let title = || Term::Word(checks::about(finding.check).map_or(finding.check, |about| about.title).to_owned());
    let enough = if finding.verdict == Verdict::Pass { enough(asked, finding.check) } else { Vec::new() };
    let key = if finding.verdict == Verdict::Pass { "propose.covered" } else { "propose.no_draft" };
    let fact = Fact::new(key, asked.analysis.evidence(enough.iter().map(|policy| rows::policy(policy))))
        .with("check", title())
        .with("policies", enough.iter().map(|policy| policy.display_name.clone()).collect::<Vec<_>>())
        .must_show();
    let limits = asked.not_checked(&finding.not_checked).into_iter().chain([asked.read_at()]);
    let show = enough.iter().take(2).map(|policy| ask("Show it", format!("show {}", policy.display_name)));
    Answer::sentences([fact].into_iter().chain(finding.facts.first().cloned()).collect())
        .part(Part::Limits(limits.collect()))
        .actions(show.collect::<Vec<_>>())
        .action(ask("Suggestions", "show open suggestions"))
}

/// Policies that are On and with which alone a check passes, none of them needless. Halves are tried before single ones, so
/// that a check runs a few times and not once for each policy (`QuickXplain`).
fn enough<'a>(asked: Asked<'a>, check: &str) -> Vec<&'a Policy> {
    let Some(check) = CHECKS.iter().find(|one| one.about().id == check) else { return Vec::new() };
    let analysis = asked.analysis;
    let passes = |policies: &[&Policy]| {
        let model = analysis.model.with_policies(policies.iter().map(|policy| (*policy).clone()).collect());
        let thresholds = &analysis.thresholds;
        let context = Context { model: &model, hash: &analysis.hash, now: asked.now, thresholds, rows: 0 };
        check.run(&context).verdict == Verdict::Pass
    };
    let on = analysis.snapshot().policies.iter().filter(|policy| policy.state == PolicyState::Enabled);
    let on: Vec<&Policy> = on.collect();
    if passes(&[]) || !passes(&on) { Vec::new() } else { needed(&passes, &[], &on) }
}

/// Those of the policies that are needed beside `given`.
fn needed<'a>(passes: &impl Fn(&[&Policy]) -> bool, given: &[&'a Policy], policies: &[&'a Policy]) -> Vec<&'a Policy> {
    let (first, second) = policies.split_at(policies.len() / 2);
    if first.is_empty() {
        return second.to_vec();
    }
    let beside = |given: &[&'a Policy], more: &[&'a Policy], of: &[&'a Policy]| {
        let all = [given, more].concat();
        if passes(&all) { Vec::new() } else { needed(passes, &all, of) }
    };
    let later = beside(given, first, second);
    let earlier = beside(given, &later, first);
    [earlier, later].concat()
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
    let wanted = ["wrong", "problem", "issue", "fix", "mend", "repair", "improve", "solve", "matter", "why"];
    let asks = wanted.iter().any(|word| asked.text.to_lowercase().contains(word));
    let fact = Fact::new(
        if asks { "propose.changing" } else { "propose.edit" },
        asked.analysis.evidence([rows::policy(policy)]),
    )
    .with("policy", Term::Name(policy.display_name.clone()))
    .with("count", found.len())
    .must_show();
    Ok(Answer::sentences(vec![fact])
        .part(cards(found))
        .part(Part::Limits(vec![asked.read_at()]))
        .action(ask("Show it", format!("show {}", policy.display_name)))
        .action(ask("Suggestions", "show open suggestions")))
}

#[cfg(test)]
mod tests {
    use crate::bot::answers::testing::{Question, answered, judged, nordwerk};
    use crate::bot::intent::Intent;
    use crate::chat::card::{Action, Kind, Verb};

    /// "Approval" stands above what a click creates; an edit is handed over to a person.
    #[tokio::test]
    async fn an_edit_is_handed_over_and_not_approved() {
        let app = judged().await;
        for row in app.store.suggestions(app.tenant()).await.unwrap() {
            let text = format!("propose S-{}", row.number);
            let question = Question { text: &text, intent: Intent::ProposeChange, previous: None };
            let card = answered(&app, &nordwerk(), question).await.1.card;
            let creates = card
                .actions
                .iter()
                .any(|action| matches!(action, Action::Press { press, .. } if press.verb == Verb::Create));
            let kind = if creates { Kind::Approval } else { Kind::HandOver };
            assert_eq!(card.kind, kind, "{}", row.title);
        }
    }
}
