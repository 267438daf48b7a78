//! What the demo's service remembers while it runs.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::audits::Actor;
use super::connector::Connector;
use super::faults::Faults;
use super::limits::Limits;
use super::log_analytics;
use super::tenant::Tenant;
use super::token::Tokens;

/// Tells the time; the caller decides which.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Graph requests kept for `GET /demo/requests`.
const KEPT_REQUESTS: usize = 1_000;

/// The service's state, shared by all handlers.
pub struct Demo {
    /// `http://127.0.0.1:port`.
    pub base: String,
    /// Tells the time.
    pub clock: Clock,
    /// Issues and recognises tokens.
    pub tokens: Tokens,
    tenant: Mutex<Tenant>,
    requests: Mutex<VecDeque<Value>>,
    record: Option<PathBuf>,
    /// When a policy made here becomes visible to readers, and from when on it stays so, by id.
    visible: Mutex<BTreeMap<String, (Timestamp, Timestamp)>>,
    /// Policies as they were before an edit, and how long readers see them so, by id.
    stale: Mutex<BTreeMap<String, (Value, Timestamp)>>,
    faults: Mutex<Faults>,
    limits: Mutex<Limits>,
    connector: Mutex<Connector>,
    /// How much one answer of the Log Analytics workspace may hold.
    pub log_limit: log_analytics::Limit,
}

impl Demo {
    /// A service that nobody has asked anything yet.
    #[must_use]
    pub fn new(base: String, clock: Clock, tenant: Tenant, tokens: Tokens) -> Self {
        let (tenant, requests) = (Mutex::new(tenant), Mutex::default());
        Self {
            base,
            clock,
            tokens,
            tenant,
            requests,
            record: None,
            visible: Mutex::default(),
            stale: Mutex::default(),
            faults: Mutex::default(),
            limits: Mutex::default(),
            connector: Mutex::default(),
            log_limit: log_analytics::Limit::default(),
        }
    }

    /// Id of the Log Analytics workspace that holds the sign-in log.
    #[must_use]
    pub fn workspace(&self) -> String {
        let name = format!("workspace.{}", self.tenant().id);
        uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_DNS, name.as_bytes()).to_string()
    }

    /// Appends every Graph request to a file in `folder` too.
    #[must_use]
    pub fn recording(mut self, folder: Option<PathBuf>) -> Self {
        self.record = folder.map(|folder| folder.join(format!("graph-requests-{}.jsonl", std::process::id())));
        self
    }

    /// The tenant; held only while an answer is made.
    pub fn tenant(&self) -> MutexGuard<'_, Tenant> {
        lock(&self.tenant)
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Keeps a Graph request, without its headers.
    pub fn record(&self, request: Value) -> std::io::Result<()> {
        let mut kept = lock(&self.requests);
        if let Some(path) = &self.record {
            append_line(path, &request)?;
        }
        if kept.len() == KEPT_REQUESTS {
            kept.pop_front();
        }
        kept.push_back(request);
        Ok(())
    }

    /// Appends what became of a policy, and whether the app or a person did it, to the record of requests: a request
    /// alone doesn't tell whether it took effect, nor who else had a hand in the policy.
    pub fn note(&self, did: &str, policy: &Value, by: &Actor) {
        let Some(path) = &self.record else { return };
        let by = if matches!(by, Actor::App(..)) { "app" } else { "person" };
        let line = json!({ "did": did, "policy": policy.get("id"), "by": by, "service": self.base });
        // One line at a time, as requests are.
        let _one = lock(&self.requests);
        if let Err(error) = append_line(path, &line) {
            tracing::warn!(%error, "cannot record what became of a policy");
        }
    }

    /// The Graph requests kept, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<Value> {
        lock(&self.requests).iter().cloned().collect()
    }

    /// Readers do not see a new policy before the lag that was set has passed, and then not always.
    pub fn hide_new(&self, policy: &Value) {
        let after = |at: Timestamp, time| at.checked_add(SignedDuration::try_from(time).unwrap_or_default());
        let faults = self.faults().clone();
        let (lag, flapping) = (faults.read_lag(), faults.flapping());
        let from = after(self.now(), lag);
        let steady = from.clone().and_then(|from| after(from, flapping));
        if let (Some(id), Ok(from), Ok(steady)) = (policy.get("id").and_then(Value::as_str), from, steady) {
            lock(&self.visible).insert(id.to_owned(), (from, steady));
        }
    }

    /// Readers go on seeing a policy as it was before an edit, for as long as was set.
    pub fn keep_old(&self, policy: &Value) {
        let lag = SignedDuration::try_from(self.faults().edit_lag()).unwrap_or_default();
        let until = self.now().checked_add(lag);
        if let (Some(id), Ok(until)) = (policy.get("id").and_then(Value::as_str), until) {
            lock(&self.stale).insert(id.to_owned(), (policy.clone(), until));
        }
    }

    /// A policy as readers see it.
    #[must_use]
    pub fn shown(&self, policy: Value) -> Value {
        let id = policy.get("id").and_then(Value::as_str).unwrap_or_default();
        let old = lock(&self.stale).get(id).filter(|(_, until)| self.now() < *until).map(|(old, _)| old.clone());
        old.unwrap_or(policy)
    }

    /// What goes wrong at present.
    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.faults)
    }

    /// What Graph's services were asked lately.
    pub fn limits(&self) -> MutexGuard<'_, Limits> {
        lock(&self.limits)
    }

    /// What the fake connector of Teams holds.
    pub fn connector(&self) -> MutexGuard<'_, Connector> {
        lock(&self.connector)
    }

    /// Whether readers see this policy by now.
    #[must_use]
    pub fn sees(&self, policy: &Value) -> bool {
        let id = policy.get("id").and_then(Value::as_str).unwrap_or_default();
        let Some((from, steady)) = lock(&self.visible).get(id).copied() else { return true };
        let now = self.now();
        from <= now && (steady <= now || !self.faults().misses())
    }
}

/// Locks; a panic of another request does not make the state unusable.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn append_line(path: &std::path::Path, line: &Value) -> std::io::Result<()> {
    use std::io::Write;
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(format!("{line}\n").as_bytes())
}
