//! "Which policies are in report-only?": the policies by state, name, app, control, condition or creator.

use std::collections::BTreeSet;

use crate::approval::State;
use crate::bot::answer::{Answer, Part, ask, column};
use crate::bot::describe;
use crate::bot::intent::SlotName;
use crate::bot::lookup::{self, Found};
use crate::checks::rows;
use crate::facts::{Fact, Term};
use crate::tenant::policy::{ClientAppType, Control, PolicyState, TransferMethod};
use crate::tenant::{Policy, Snapshot};

use super::{Answering, Asked, locations};

/// How many rows a table shows.
const SHOWN: usize = 25;

/// A wish that some policies meet, and its words.
type Filter<'a> = (String, Box<dyn Fn(&Policy) -> bool + Send + 'a>);

/// Lists the policies that meet every wish of the question.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        if locations::is_meant(asked.text) {
            return Ok(locations::told(asked));
        }
        let made = made_here(asked).await?;
        Ok(listed(asked, &filters(asked, &made)))
    })
}

/// Ids of the policies that the bot created.
async fn made_here(asked: Asked<'_>) -> anyhow::Result<BTreeSet<String>> {
    let approvals = asked.app.store.approvals(asked.app.tenant()).await?;
    let states = approvals.into_iter().filter_map(|kept| serde_json::from_value(kept.state.body).ok());
    Ok(states
        .filter_map(|state| match state {
            State::Created(made) | State::Undoing { made, .. } if made.record.is_none() => Some(made.policy_id),
            _ => None,
        })
        .collect())
}

fn listed(asked: Asked<'_>, filters: &[Filter<'_>]) -> Answer {
    let snapshot = asked.analysis.snapshot();
    let fits = |policy: &&Policy| filters.iter().all(|(_, fits)| fits(policy));
    let found: Vec<&Policy> = snapshot.policies.iter().filter(fits).collect();
    let words: Vec<String> = filters.iter().map(|(words, _)| words.clone()).collect();
    let evidence = asked.analysis.evidence(found.iter().map(|policy| rows::policy(policy)));
    let count = Fact::new("list.policies", evidence)
        .with("count", found.len())
        .with("of", snapshot.policies.len())
        .with("filter", Term::Name(words.join(", ")))
        .must_show();
    let columns = ["Name", "State", "Users", "Grant", "Last changed"].map(column).to_vec();
    let lines = found.iter().map(|policy| row(asked, policy)).collect();
    let answer = Answer::sentences(vec![count]).table("policies", columns, lines, SHOWN);
    let answer = answer.part(Part::Limits(vec![asked.read_at()]));
    match found.as_slice() {
        [one] => answer.action(ask("Show it", format!("show {}", one.display_name))),
        _ => answer.action(ask("Redundant ones?", "are any policies redundant?")),
    }
}

fn row(asked: Asked<'_>, policy: &Policy) -> Vec<String> {
    let lines = describe::policy(policy, asked.analysis.snapshot());
    let line = |label: &str| {
        lines.iter().find(|(known, _)| *known == label).map_or_else(String::new, |(_, words)| words.clone())
    };
    let zone = asked.app.config.schedule.zone.clone();
    let changed = policy.modified.or(policy.created);
    let changed = changed.map_or_else(String::new, |at| at.to_zoned(zone).strftime("%-d %b %Y").to_string());
    let control = [line("Grant"), line("Session")].into_iter().find(|words| !words.is_empty()).unwrap_or_default();
    let whom = describe::whom(policy, asked.analysis.snapshot());
    vec![policy.display_name.clone(), rows::state_word(policy.state).to_owned(), whom, control, changed]
}

fn filters<'a>(asked: Asked<'a>, made: &'a BTreeSet<String>) -> Vec<Filter<'a>> {
    let text = asked.text.to_lowercase();
    let snapshot = asked.analysis.snapshot();
    let mut filters: Vec<Filter<'a>> = Vec::new();
    filters.extend(state(&text).map(|state| -> Filter<'a> {
        (rows::state_word(state).to_owned(), Box::new(move |policy| policy.state == state))
    }));
    if ["by you", "you made", "you created", "of yours", "your own", "did you make", "did you create"]
        .iter()
        .any(|w| text.contains(w))
    {
        filters.push(("made by me".into(), Box::new(|policy| made.contains(&policy.id))));
    }
    filters.extend(asked.slot(SlotName::App).and_then(|name| targets(name, snapshot)));
    filters.extend(controls(&text));
    filters.extend(conditions(&text));
    filters.extend(asked.slot(SlotName::Policy).map(named));
    filters
}

fn state(text: &str) -> Option<PolicyState> {
    let words = |words: &[&str]| {
        words.iter().any(|word| text.split(|c: char| !c.is_alphanumeric() && c != '-').any(|said| said == *word))
    };
    if text.contains("report-only") || text.contains("report only") {
        Some(PolicyState::ReportOnly)
    } else if words(&["off", "disabled", "inactive"]) {
        Some(PolicyState::Disabled)
    } else if words(&["enabled", "enforced", "active"]) || text.contains("turned on") || text.contains(" are on") {
        Some(PolicyState::Enabled)
    } else {
        None
    }
}

/// Policies that target an app: by name, through a group of apps, or as one of all resources.
fn targets<'a>(name: &str, snapshot: &'a Snapshot) -> Option<Filter<'a>> {
    let (ids, words) = match (name.to_lowercase().as_str(), lookup::app(snapshot, name)) {
        ("office 365" | "o365" | "microsoft 365" | "m365", _) => {
            (vec!["Office365".to_owned()], "Office 365".to_owned())
        }
        (_, Found::One(app)) => (vec![app.app_id.clone(), app.id.clone()], app.display_name.clone()),
        (_, Found::Several(apps)) => (apps.iter().map(|app| app.app_id.clone()).collect(), name.to_owned()),
        (_, Found::None) => return None,
    };
    let fits = move |policy: &Policy| {
        let applications = &policy.conditions.applications;
        let grouped = |id: &String| {
            snapshot.settings.app_groups.get(id).is_some_and(|apps| ids.iter().any(|app| apps.contains(app)))
        };
        let excluded = ids.iter().any(|id| applications.exclude.contains(id));
        !excluded && (applications.all || applications.include.iter().any(|id| ids.contains(id) || grouped(id)))
    };
    Some((format!("targeting {words}"), Box::new(fits)))
}

fn controls<'a>(text: &str) -> Option<Filter<'a>> {
    type Fits = fn(&Control) -> bool;
    let known: [(&str, &str, Fits); 6] = [
        ("block", "Block access", |control| *control == Control::Block),
        ("phishing", "an authentication strength", |control| matches!(control, Control::Strength(_))),
        ("mfa", "multifactor authentication", |control| matches!(control, Control::Mfa | Control::Strength(_))),
        ("compliant", "compliant devices", |control| *control == Control::CompliantDevice),
        ("terms of use", "terms of use", |control| matches!(control, Control::TermsOfUse(_))),
        ("app protection", "app protection policy", |control| *control == Control::CompliantApplication),
    ];
    let (_, words, fits) = known.into_iter().find(|(word, ..)| text.contains(word))?;
    let any = move |policy: &Policy| policy.grant.as_ref().is_some_and(|grant| grant.controls.iter().any(fits));
    Some((format!("granting with {words}"), Box::new(any)))
}

fn conditions<'a>(text: &str) -> Option<Filter<'a>> {
    type Fits = fn(&Policy) -> bool;
    let known: [(&str, &str, Fits); 10] = [
        ("device code", "device code flow", |policy| policy.conditions.flows.contains(&TransferMethod::DeviceCodeFlow)),
        ("authentication transfer", "authentication transfer", |policy| {
            policy.conditions.flows.contains(&TransferMethod::AuthenticationTransfer)
        }),
        ("authentication flow", "authentication flows", |policy| !policy.conditions.flows.is_empty()),
        ("legacy", "legacy authentication", |policy| {
            let types = &policy.conditions.client_app_types;
            types.contains(&ClientAppType::Other) || types.contains(&ClientAppType::ExchangeActiveSync)
        }),
        ("guest", "guests", |policy| policy.conditions.users.include.guests.is_some()),
        ("location", "a network condition", |policy| policy.conditions.locations.is_some()),
        ("network", "a network condition", |policy| policy.conditions.locations.is_some()),
        ("risk", "a risk condition", |policy| {
            !policy.conditions.sign_in_risk.is_empty() || !policy.conditions.user_risk.is_empty()
        }),
        ("platform", "device platforms", |policy| policy.conditions.platforms.is_some()),
        ("session", "session controls", |policy| policy.session.is_some()),
    ];
    let (_, words, fits) = known.into_iter().find(|(word, ..)| text.contains(word))?;
    Some((format!("with {words}"), Box::new(fits)))
}

/// Policies whose name begins with, or contains, what was named.
fn named<'a>(name: &str) -> Filter<'a> {
    let wanted = name.trim_end_matches(['*', '-']).to_lowercase();
    (format!("named {name}"), Box::new(move |policy| policy.display_name.to_lowercase().contains(&wanted)))
}
