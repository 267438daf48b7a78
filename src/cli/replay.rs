//! `portcullis replay`: a draft, or a policy of the folder, over the past sign-ins of a folder, as if it had been On.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::bot::analysis::Analysis;
use crate::bot::answer::{Answer, Part};
use crate::bot::lookup::{self, Found};
use crate::bot::{describe, impact};
use crate::clock::Clock;
use crate::engine::Truth;
use crate::engine::lockout::{Access, Lockout};
use crate::engine::replay::Agreement;
use crate::facts::{Evidence, Fact, Term, Wording};
use crate::tenant::{Policy, Snapshot};

use super::{Ended, folder, output};

const EXAMPLE: &str = "Whom a policy would have blocked or prompted, from a draft or from the folder itself:\n\n  \
    portcullis replay export --draft block-device-code.json";

/// Arguments of `replay`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
#[command(group(clap::ArgGroup::new("which").required(true)))]
pub(super) struct Replay {
    /// A folder of exported policies with sign-ins (signIns.json or signIns.jsonl)
    path: PathBuf,
    /// The policy to try, as JSON; its state doesn't matter; `-` for standard input
    #[arg(long, value_name = "FILE", group = "which")]
    draft: Option<PathBuf>,
    /// A policy of the folder, by its number, name or object id, such as one in report-only
    #[arg(long, value_name = "POLICY", group = "which")]
    policy: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For machines: per user, app, client and day
    Json,
}

impl Replay {
    /// Reads, replays, prints; 1 when no administrator could sign in any more.
    pub(super) fn run(self) -> anyhow::Result<Ended> {
        let analysis = folder::analysis(&self.path, &Clock::system())?;
        let draft = self.chosen(analysis.snapshot())?;
        let lockout = analysis.model.lockout(&draft);
        match self.format {
            Format::Text => output::answer(told(&analysis, &draft), &Wording::new(jiff::tz::TimeZone::system())?)?,
            Format::Json => output::line(&serde_json::to_string_pretty(&machine(&analysis, &draft, &lockout))?),
        }
        Ok(if lockout.anybody() == Truth::No { Ended::Findings } else { Ended::Fine })
    }

    fn chosen(&self, snapshot: &Snapshot) -> anyhow::Result<Policy> {
        if let Some(file) = &self.draft {
            let draft = folder::draft(file)?;
            if let Some(known) = snapshot.policy(&draft.id) {
                output::remark(&format!("the draft has the id of {}, and stands in its place", known.display_name));
            }
            return Ok(draft);
        }
        let wanted = self.policy.as_deref().unwrap_or_default();
        match lookup::policy(snapshot, wanted) {
            Found::One(policy) => Ok(policy.clone()),
            Found::None => {
                anyhow::bail!("no policy `{wanted}` in the folder; give its number, its name or its object id")
            }
            Found::Several(all) => {
                let named: Vec<String> =
                    all.iter().map(|policy| format!("{} ({})", policy.display_name, policy.id)).collect();
                anyhow::bail!("{} policies fit `{wanted}`: {}; give the object id of one", all.len(), named.join(", "))
            }
        }
    }
}

fn told(analysis: &Analysis, draft: &Policy) -> Answer {
    let snapshot = analysis.snapshot();
    let line = |(label, words): (&str, String)| (label.to_owned(), words);
    let lines: Vec<(String, String)> = describe::policy(draft, snapshot).into_iter().map(line).collect();
    let width = lines.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
    let content: Vec<String> = lines.iter().map(|(label, words)| format!("{label:width$}  {words}")).collect();
    let mut answer = Answer::default()
        .titled(format!("If On: {}", draft.display_name))
        .part(Part::Code("Policy".into(), content.join("\n")));
    let facts = if snapshot.sign_ins.is_empty() { vec![said("replay.no_log")] } else { impact::if_on(analysis, draft) };
    answer = answer.part(Part::Heading("Impact on past sign-ins".into())).part(Part::Sentences(facts));
    if let Some(logged) = impact::logged(analysis, draft) {
        answer = answer.part(Part::Sentences(vec![logged]));
    }
    let one = |fact: Fact| (fact, Vec::new());
    let phases: Vec<_> = impact::phases(analysis, draft).into_iter().map(one).collect();
    let safety: Vec<_> = impact::safety(analysis, draft).into_iter().map(one).collect();
    answer = answer.part(Part::Heading("Safety".into())).part(Part::List { ordered: false, items: safety });
    if !phases.is_empty() {
        answer = answer.part(Part::Heading("Rollout".into())).part(Part::List { ordered: true, items: phases });
    }
    let limits = analysis.impact(draft).limits.clone();
    let limits = said("replay.limits").with("what", Term::Names(limits));
    answer.part(Part::Limits(std::iter::once(limits).chain(agreed(&analysis.model.agreement())).collect()))
}

/// How often the engine's verdicts equal those that the log holds, over all policies.
fn agreed(all: &[Agreement]) -> Option<Fact> {
    let agreed: u64 = all.iter().map(|one| one.agreed).sum();
    let differed: Vec<&String> = all.iter().flat_map(|one| &one.differed).collect();
    let rows = usize::try_from(agreed).ok()? + differed.len();
    let share = |part: u64| Some(f64::from(u32::try_from(part).ok()?) / f64::from(u32::try_from(rows).ok()?) * 100.0);
    let rate = if rows == 0 { None } else { share(agreed) }?;
    Some(
        said("replay.agreement")
            .with("policies", all.len())
            .with("rate", Term::Percent(rate))
            .with("rows", rows)
            .with("differed", differed.len())
            .with("first", Term::Word(differed.first().map(ToString::to_string).unwrap_or_default())),
    )
}

fn machine(analysis: &Analysis, draft: &Policy, lockout: &Lockout) -> Value {
    let administrator = |access: &Access| {
        json!({"userId": access.user_id, "emergencyAccess": access.emergency, "eligible": access.eligible,
            "canSignIn": truth(access.can), "stoppedBy": access.stopped_by})
    };
    let agreement = analysis.model.agreement();
    let agreement: Vec<Value> = agreement
        .iter()
        .map(|one| json!({"policyId": one.policy_id, "agreed": one.agreed, "differed": one.differed, "open": one.open, "rate": one.rate()}))
        .collect();
    json!({
        "impact": *analysis.impact(draft),
        "difference": analysis.model.difference_with(draft),
        "lockout": {"anybody": truth(lockout.anybody()),
            "administrators": lockout.administrators.iter().map(administrator).collect::<Vec<_>>()},
        "agreement": agreement,
    })
}

fn truth(truth: Truth) -> &'static str {
    match truth {
        Truth::Yes => "yes",
        Truth::Maybe => "unknown",
        Truth::No => "no",
    }
}

fn said(key: &str) -> Fact {
    Fact::new(key, Evidence::default())
}
