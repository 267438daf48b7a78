//! `$batch`: up to twenty readings in one request; each counts against the limits and is tried again on its own.

use std::collections::BTreeMap;

use backon::BackoffBuilder as _;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::client::{Ask, Client};
use super::error::GraphError;

/// Readings of one request (Microsoft Learn, "Combine multiple HTTP requests using JSON batching").
const MOST: usize = 20;

/// One reading's outcome.
type Outcome = Result<Value, GraphError>;

impl Client {
    /// The objects at these paths, in their order; what stays refused or unreachable is told for each.
    pub(super) async fn get_many(&self, paths: &[String], ask: Ask<'_>) -> Vec<Outcome> {
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(paths.len());
        for some in paths.chunks(MOST) {
            outcomes.extend(self.get_some(some, ask).await);
        }
        outcomes
    }

    /// Asks until each has settled or the tries are used up.
    async fn get_some(&self, paths: &[String], ask: Ask<'_>) -> Vec<Outcome> {
        let missing = || Err(GraphError::Malformed { cause: "a batch was answered in part".to_owned() });
        let mut outcomes: Vec<Outcome> = paths.iter().map(|_| missing()).collect();
        let (mut waits, mut patience) = (self.waits().build(), self.patience());
        loop {
            let open = |(_, outcome): &(usize, &Outcome)| matches!(outcome, Err(error) if error.is_transient());
            let open: Vec<usize> = outcomes.iter().enumerate().filter(open).map(|(at, _)| at).collect();
            for (at, outcome) in self.post_batch(paths, &open, ask).await {
                if let Some(settled) = outcomes.get_mut(at) {
                    *settled = outcome;
                }
            }
            let failures = || outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
            let Some(worst) = failures().filter(|error| error.is_transient()).max_by_key(|error| error.retry_after())
            else {
                break;
            };
            let Some(wait) = waits.next() else { break };
            sleep(self.held(worst, patience.wait(worst, wait), ask.limit)).await;
        }
        outcomes
    }

    /// One request for the paths at these places; a failure of the whole is told for each.
    async fn post_batch(&self, paths: &[String], open: &[usize], ask: Ask<'_>) -> Vec<(usize, Outcome)> {
        let of = |at: &usize| json!({"id": at.to_string(), "method": "GET", "url": paths.get(*at)});
        let body = json!({"requests": open.iter().map(of).collect::<Vec<_>>()});
        let units = ask.units.saturating_mul(u32::try_from(open.len()).unwrap_or(1));
        let whole = Ask { path: "v1.0/$batch", units, ..ask };
        let answers = match self.ask_once(Method::POST, whole, Some(&body)).await {
            Ok(answer) => answers(answer),
            Err(error) => return open.iter().map(|at| (*at, Err(error.clone()))).collect(),
        };
        let told = |at: &usize| Some((*at, outcome(answers.get(&at.to_string())?, paths.get(*at)?, ask)));
        open.iter().filter_map(told).collect()
    }
}

/// The answers of a batch by their id.
fn answers(mut body: Value) -> BTreeMap<String, Value> {
    let Some(Value::Array(responses)) = body.get_mut("responses").map(Value::take) else { return BTreeMap::new() };
    let named = |answer: Value| Some((answer.get("id")?.as_str()?.to_owned(), answer));
    responses.into_iter().filter_map(named).collect()
}

fn outcome(answer: &Value, path: &str, ask: Ask<'_>) -> Outcome {
    let status = answer.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
    let body = answer.get("body").cloned().unwrap_or_default();
    match status {
        Some(200..=299) => Ok(body),
        Some(status) => {
            let headers = answer.get("headers").and_then(Value::as_object);
            let named = headers.and_then(|all| all.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after")));
            let seconds = named.and_then(|(_, value)| value.as_str()?.parse().ok());
            let after = seconds.map(std::time::Duration::from_secs);
            let what = path.split('?').next().unwrap_or_default();
            Err(GraphError::from_answer(status, after, body.to_string().as_bytes(), (what, ask.permission)))
        }
        None => Err(GraphError::Malformed { cause: "an answer in a batch has no status".to_owned() }),
    }
}
