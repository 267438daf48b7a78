//! Judges one requirement over one scope, and turns what it finds into facts and cures: what most checks share.

use serde_json::json;

use crate::engine::{Coverage, Reason, Requirement, Scope};
use crate::facts::{Evidence, Fact, Term};
use crate::tenant::policy::Operator;
use crate::tenant::{Kind, Policy, Snapshot};

use super::accounts::emergency_access;
use super::gaps::{CauseWords, Gaps, Group};
use super::{Context, Cure, CureAction, Finding, Verdict, hand_over};

/// What a check asks of the engine, and how it says the answer.
pub struct Asked<'a> {
    /// Id of the check.
    pub check: &'static str,
    /// Area of its wordings: `AREA.fail`, `AREA.pass`, `AREA.review` in `templates/text/checks`.
    pub area: &'static str,
    /// What every sign-in in scope should be made to meet.
    pub requirement: Requirement,
    /// Which sign-ins.
    pub scope: Scope,
    /// The new policy that would cover all of it, with its one-line title.
    pub draft: Option<(&'a str, Policy)>,
}

/// Judges, and says why.
#[must_use]
pub fn judge(context: &Context<'_>, asked: Asked<'_>) -> Finding {
    let coverage = context.model.coverage(&asked.requirement, &asked.scope);
    let gaps = Gaps::of(&coverage, context.model, context.now);
    let verdict = verdict(&gaps, &coverage);
    let words = CauseWords::new(&context.model.snapshot, context.hash);
    let mut facts = vec![headline(&asked, verdict, &gaps, context)];
    facts.extend(gaps.everyone.iter().map(|gap| words.everyone(gap)));
    facts.extend(gaps.groups.iter().map(|group| words.group(group)));
    if !gaps.others.is_empty() && context.model.snapshot.has(Kind::Users) {
        facts.push(words.others(&gaps.others));
    }
    Finding {
        check: asked.check,
        verdict,
        facts,
        not_checked: not_checked(context, &coverage),
        cures: if verdict == Verdict::Fail { cures(&asked, &gaps, &context.model.snapshot) } else { Vec::new() },
    }
}

fn verdict(gaps: &Gaps, coverage: &Coverage) -> Verdict {
    if gaps.any() {
        Verdict::Fail
    } else if !gaps.undecided.is_empty() || !coverage.unresolved.is_empty() {
        Verdict::Review
    } else {
        Verdict::Pass
    }
}

fn headline(asked: &Asked<'_>, verdict: Verdict, gaps: &Gaps, context: &Context<'_>) -> Fact {
    let name = match verdict {
        Verdict::Fail if gaps.groups.is_empty() && gaps.everyone.is_empty() => "unlisted",
        Verdict::Fail => "fail",
        Verdict::Review => "review",
        Verdict::Pass | Verdict::NotApplicable => "pass",
    };
    let uncovered = gaps.accounts.humans();
    let rows = super::rows::users(&uncovered, &context.model.snapshot, None);
    let looked_at = &gaps.looked_at;
    let of = looked_at.people.len() + looked_at.guests.len() + looked_at.service.len() + looked_at.rooms.len();
    Fact::new(&format!("{}.{name}", asked.area), context.stamp(Evidence::of(rows)))
        .with("people", gaps.accounts.people.len())
        .with("guests", gaps.accounts.guests.len())
        .with("service", gaps.accounts.service.len() + gaps.accounts.rooms.len())
        .with("of", of + looked_at.emergency.len())
        .with("apps", gaps.everyone.len())
        .with("undecided", gaps.undecided.len())
        .must_show()
}

/// What the verdict doesn't know: unresolved objects, kinds that weren't read, people whom nobody can list.
fn not_checked(context: &Context<'_>, coverage: &Coverage) -> Vec<String> {
    let mut limits: Vec<String> = coverage.unresolved.iter().cloned().collect();
    if context.model.snapshot.settings.emergency_access.is_empty() {
        limits.push("emergency access accounts (none are configured; name them, so that they are listed apart)".into());
    }
    limits.push("partner technicians (GDAP) and B2B direct connect users, who have no account here".into());
    limits
}

fn cures(asked: &Asked<'_>, gaps: &Gaps, snapshot: &Snapshot) -> Vec<Cure> {
    let edits: Vec<Option<Cure>> = gaps.groups.iter().map(|group| edit(group, snapshot)).collect();
    let all_edited = edits.iter().all(Option::is_some) && gaps.everyone.is_empty() && !edits.is_empty();
    let mut cures: Vec<Cure> = edits.into_iter().flatten().collect();
    if let Some((title, policy)) = &asked.draft
        && !all_edited
    {
        let action = CureAction::Draft(Box::new(policy.clone()));
        cures.insert(0, Cure { subject: String::new(), title: (*title).to_owned(), action });
    }
    cures
}

/// The edit that removes a cause, where one does the job better than another policy.
fn edit(group: &Group, snapshot: &Snapshot) -> Option<Cure> {
    let policy = snapshot.policy(group.cause.policy_id.as_deref()?)?;
    let hand_over = match &group.cause.reason {
        Reason::ExcludedGroup(id) => {
            let excluded = snapshot.directory.groups.get(id)?;
            let leaving = &group.users - emergency_access(snapshot);
            return Some(Cure {
                subject: id.clone(),
                title: format!("Take {} accounts out of {}", leaving.len(), excluded.display_name),
                action: CureAction::HandOver(Box::new(hand_over::leave_group(excluded, &leaving, snapshot))),
            });
        }
        Reason::WeakerControl(_) => require_all(policy)?,
        Reason::ReportOnly | Reason::Off => hand_over::turn_on(policy),
        _ => return None,
    };
    let title = match &group.cause.reason {
        Reason::WeakerControl(_) => format!("Require all the selected controls in {}", policy.display_name),
        _ => format!("Turn on {}", policy.display_name),
    };
    Some(Cure { subject: policy.id.clone(), title, action: CureAction::HandOver(Box::new(hand_over)) })
}

/// "Require one of the selected controls" → "Require all the selected controls".
fn require_all(policy: &Policy) -> Option<super::HandOver> {
    let grant = policy.grant.as_ref().filter(|grant| grant.operator == Operator::Or)?;
    let mut after = policy.clone();
    after.grant = Some(crate::tenant::policy::GrantControls { operator: Operator::And, ..grant.clone() });
    let body = crate::tenant::write_policy(&after);
    let change = (
        "Grant".to_owned(),
        "Require one of the selected controls".to_owned(),
        "Require all the selected controls".to_owned(),
    );
    Some(hand_over::edit_policy(policy, vec![change], &json!({"grantControls": body.get("grantControls")})))
}

impl Context<'_> {
    /// Marks evidence with the reading it is from.
    #[must_use]
    pub fn stamp(&self, evidence: Evidence) -> Evidence {
        evidence.read(self.hash, self.model.snapshot.read_at)
    }
}

/// A word of ours as a term.
#[must_use]
pub fn word(text: &str) -> Term {
    Term::Word(text.to_owned())
}
