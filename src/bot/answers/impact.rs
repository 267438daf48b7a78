//! "Who would S-4 block?": what a policy or suggestion would do if it were On, from the sign-in log.

use roaring::RoaringBitmap;

use crate::approval::State;
use crate::bot::answer::{Answer, Part, ask};
use crate::bot::approve::live_case;
use crate::bot::buttons::open;
use crate::bot::edited;
use crate::bot::impact::{logged_and_ours, people, safety};
use crate::bot::intent::SlotName;
use crate::bot::lookup::{self, Found};
use crate::bot::reconcile::Body;
use crate::checks::hand_over::delete_policy;
use crate::checks::scopes::role_holders;
use crate::checks::{CureAction, rows};
use crate::facts::{Fact, Term};
use crate::store::suggestions::Row;
use crate::suggestions::draft::marked_name;
use crate::tenant::policy::PolicyState;
use crate::tenant::{Assignment, Kind, Policy, User};

use super::meant::{is_described, numbers, one_policy, policies, said, suggestion, titled};
use super::{Answering, Asked, overlaps, scope, unread};

/// How many people a table names.
const SHOWN: usize = 10;

/// What an effect is asked of.
pub(super) enum Target {
    /// A policy of the tenant, or the draft of a suggestion, with what it is called and the suggestion's number.
    Policy(Box<Policy>, Option<String>),
    /// It can't be told, or isn't clear: this answers instead.
    Instead(Box<Answer>),
}

/// Tells the impact, for one person if the question names one.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        Ok(match target(asked, |name| format!("who would {name} block?")).await? {
            Target::Policy(policy, None) if is_removal(asked.text) => removed(asked, &policy),
            Target::Policy(policy, number) => told(asked, &policy, number.as_deref()),
            Target::Instead(answer) => *answer,
        })
    })
}

/// Whether a question is about a policy that would be gone, and not about one that would be On.
fn is_removal(text: &str) -> bool {
    let text = text.to_lowercase();
    let words =
        ["remov", "delet", "get rid of", "without it", "turned off", "turn off", "switched off", "disabl", "retire"];
    words.iter().any(|word| text.contains(word))
}

/// What would be lost with a policy: nothing where others make it needless, otherwise what it asks of whom it reaches.
fn removed(asked: Asked<'_>, policy: &Policy) -> Answer {
    let (model, snapshot) = (&asked.analysis.model, asked.analysis.snapshot());
    let users = model.users_of(&policy.id).0 & model.default_users();
    let evidence = [rows::policy(policy)].into_iter().chain(rows::users(&users, snapshot, None));
    let unread = unread::said(asked, &unread::needed(std::iter::once(policy)));
    let unread = unread.and_then(|fact| fact.terms.get("what").cloned());
    let key = match policy.state {
        PolicyState::Enabled if overlaps::is_needless(asked, policy) => "impact.removed_needless",
        PolicyState::Enabled if unread.is_some() => "impact.removed_unread",
        PolicyState::Enabled => "impact.removed",
        _ => "impact.removed_not_on",
    };
    let left = if key == "impact.removed" { left_without(asked, policy) } else { RoaringBitmap::new() };
    let fact = Fact::new(key, asked.analysis.evidence(evidence))
        .with("policy", Term::Name(policy.display_name.clone()))
        .with("unread", unread.unwrap_or(Term::Names(Vec::new())))
        .with("left", left.len())
        .with("administrators", (&left & administrators(asked)).len())
        .with("state", Term::Word(rows::state_word(policy.state).to_owned()))
        .with("asks", Term::Name(scope::asks(policy, snapshot)))
        .with("targets", Term::Name(scope::targets(policy, snapshot)))
        .with("count", users.len())
        .must_show();
    let name = &policy.display_name;
    Answer::sentences(vec![fact])
        .part(Part::Limits(vec![asked.read_at()]))
        .action(ask("Overlaps", format!("does any policy overlap with {name}?")))
        .action(ask("Show it", format!("show {name}")))
}

/// Accounts of which no other policy asks what this one does, at some sign-ins at least.
fn left_without(asked: Asked<'_>, policy: &Policy) -> RoaringBitmap {
    edited::loosened(asked.analysis, &delete_policy(policy)).unwrap_or_default() & asked.analysis.model.default_users()
}

/// Whoever holds an administrator role or may activate one; nobody where roles were not read.
fn administrators(asked: Asked<'_>) -> RoaringBitmap {
    let directory = &asked.analysis.snapshot().directory;
    role_holders(directory, Assignment::Active) | role_holders(directory, Assignment::Eligible)
}

/// The policy or suggestion that a question is about.
pub(super) async fn target(asked: Asked<'_>, how: impl Fn(&str) -> String) -> anyhow::Result<Target> {
    let instead = |answer: Answer| Target::Instead(Box::new(answer));
    let numbered = !numbers(asked.text).is_empty() || !numbers(asked.subject().unwrap_or_default()).is_empty();
    let named = asked.slot(SlotName::Policy).is_some() || (!numbered && is_described(asked));
    if named || (!numbered && policies(asked).iter().any(|(_, found)| !matches!(found, Found::None))) {
        return Ok(match one_policy(asked, how) {
            Ok(policy) => Target::Policy(Box::new(policy.clone()), None),
            Err(question) => instead(question),
        });
    }
    let row = match suggestion(asked).await?.unclear(how) {
        Ok(row) => row,
        Err(question) => return Ok(instead(question)),
    };
    if let Some(policy) = created(asked, &row).await? {
        return Ok(Target::Policy(Box::new(policy), None));
    }
    let (body, number) = (Body::of(&row)?, format!("S-{}", row.number));
    let evidence = body.proposal.evidence();
    Ok(match body.proposal.action {
        CureAction::Draft(draft) => Target::Policy(draft, Some(number)),
        CureAction::HandOver(change) => {
            let made = said("impact.edit").with("target", Term::Name(change.target_name.clone()));
            let effect = edited::if_made(asked.analysis, &change);
            let safety = vec![("Safety".to_owned(), edited::safety(asked.analysis, &change))];
            let opening = [titled(&row, evidence), made].into_iter().chain(effect);
            let mut answer = Answer::sentences(opening.collect()).part(Part::Rows(safety));
            if wants_names(asked.text) {
                let (columns, rows) = people(asked.analysis, &edited::users(asked.analysis, &change));
                answer = answer.table("affected", columns, rows, SHOWN);
            }
            instead(answer.part(Part::Limits(vec![asked.read_at()])).action(open("Open", &number)))
        }
    })
}

/// The policy that was created for a suggestion, as it was read since, or as it was created.
async fn created(asked: Asked<'_>, row: &Row) -> anyhow::Result<Option<Policy>> {
    let Some(case) = live_case(asked.app, row).await? else { return Ok(None) };
    let (State::Created(made), Some(draft)) = (&case.state, case.draft()) else { return Ok(None) };
    if let Some(policy) = asked.analysis.snapshot().policy(&made.policy_id) {
        return Ok(Some(policy.clone()));
    }
    let by_bot = made.record.is_none();
    let name = if by_bot { marked_name(&draft.display_name, &case.terms.marker) } else { draft.display_name.clone() };
    Ok(Some(Policy {
        id: made.policy_id.clone(),
        display_name: name,
        state: PolicyState::ReportOnly,
        created: Some(made.at),
        ..draft.clone()
    }))
}

fn told(asked: Asked<'_>, policy: &Policy, number: Option<&str>) -> Answer {
    let analysis = asked.analysis;
    let mut opening = vec![headline(asked, policy, number)];
    if let Some(unread) = unread::said(asked, &[Kind::SignIns]) {
        opening = vec![unread];
    } else {
        opening.extend(person(asked).map(|user| one_person(asked, policy, user)));
        opening.extend(logged_and_ours(analysis, policy));
    }
    let limits: Vec<String> = analysis.impact(policy).limits.clone();
    let limits = asked.not_checked(&limits).into_iter().chain([asked.read_at()]).collect();
    let name = number.unwrap_or(&policy.display_name);
    let answer = Answer::sentences(opening).part(Part::Rows(vec![("Safety".into(), safety(analysis, policy))]));
    let answer = if wants_names(asked.text) { by_person(asked, policy, answer) } else { answer };
    let answer =
        answer.part(Part::Limits(limits)).action(ask("Rollout", format!("when can {name} leave report-only?")));
    match number {
        Some(number) => answer.action(open("Open", number)),
        None => answer.action(ask("Show it", format!("show {name}"))),
    }
}

/// Whether a question asks for the people, and not for their number alone.
fn wants_names(text: &str) -> bool {
    let text = text.to_lowercase();
    text.starts_with("who") || ["name", "list", "who exactly", "which people"].iter().any(|word| text.contains(word))
}

/// Everybody who would have been blocked or prompted, most blocks first.
fn by_person(asked: Asked<'_>, policy: &Policy, answer: Answer) -> Answer {
    let (columns, rows) = people(asked.analysis, &asked.analysis.impact(policy).users);
    answer.table("affected", columns, rows, SHOWN)
}

fn headline(asked: Asked<'_>, policy: &Policy, number: Option<&str>) -> Fact {
    let evidence = asked.analysis.evidence(number.is_none().then(|| rows::policy(policy)));
    let key = match (number, policy.state) {
        (Some(_), _) => "impact.of_draft",
        (None, PolicyState::Enabled) => "impact.of_on",
        (None, PolicyState::ReportOnly) => "impact.of_report_only",
        (None, PolicyState::Disabled) => "impact.of_off",
    };
    let name = Term::Name(policy.display_name.clone());
    Fact::new(key, evidence)
        .with("policy", name)
        .with("number", Term::Word(number.unwrap_or_default().to_owned()))
        .must_show()
}

/// The one person whom the question names.
fn person(asked: Asked<'_>) -> Option<&User> {
    let name = asked.slot(SlotName::User)?;
    let snapshot = asked.analysis.snapshot();
    match name {
        "me" | "my" => snapshot.directory.user(&asked.person.id),
        name => match lookup::user(snapshot, name) {
            Found::One(user) => Some(user),
            _ => None,
        },
    }
}

/// What it would have done to one person, resting on their sign-ins.
fn one_person(asked: Asked<'_>, policy: &Policy, user: &User) -> Fact {
    let snapshot = asked.analysis.snapshot();
    let impact = asked.analysis.impact(policy);
    let tally = impact.users.get(user.id.as_str()).copied().unwrap_or_default();
    let own = snapshot.sign_ins.iter().rev().filter(|row| row.user_id == user.id);
    let evidence = asked.analysis.evidence(own.map(|row| rows::sign_in(row, snapshot))).within(snapshot.window);
    Fact::new("impact.person", evidence)
        .with("user", Term::Name(user.display_name.to_string()))
        .with("failed", tally.failure)
        .with("asked", tally.action_required)
        .with("met", tally.success)
        .with("unknown", tally.unknown)
        .must_show()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::bot::answers::testing::{nordwerk, said};
    use crate::bot::intent::Intent;

    #[tokio::test]
    async fn who_is_left_without_a_policy_is_counted_with_the_administrators() {
        let told = said(&nordwerk(), Intent::Impact, "what if I turn off CA200?").await;
        let left = "would no longer be asked of the 6 accounts in its scope, except where another policy asks for it too. \
            6 accounts would be left without it at some sign-ins at least, 1 administrator among them.";
        assert!(told.contains(left), "{told}");
    }

    #[tokio::test]
    async fn a_scope_that_was_not_read_is_not_counted_as_nobody() {
        let mut tenant = nordwerk();
        tenant["users"] = json!([]);
        tenant["unread"] = json!(["users"]);
        let told = said(&tenant, Intent::Impact, "what if I turn off CA200?").await;
        assert!(told.contains("How many accounts those are isn't known: users.json was not read."), "{told}");
        assert!(!told.contains("0 accounts"), "{told}");
    }

    /// Microsoft's own count and ours, side by side.
    #[tokio::test]
    async fn whose_report_only_result_it_is_is_told() {
        let mut tenant = nordwerk();
        tenant["signIns"][0]["appliedConditionalAccessPolicies"] =
            json!([{"id": "p-flow", "result": "reportOnlyFailure"}]);
        let told = said(&tenant, Intent::Impact, "who would CA211 block?").await;
        assert!(
            told.contains("own report-only results for CA211 – Block device code flow: Failure 1 (1 person)"),
            "{told}"
        );
        assert!(told.contains("What I calculate from the same log: Not known for 75.0 % of 4 "), "{told}");
    }
}
