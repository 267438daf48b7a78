//! The long-lived things that every request and job shares.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context as _;
use tokio::sync::{Mutex, MutexGuard};

use crate::bot::analysis::Analysis;
use crate::chat::Platform;
use crate::clock::Clock;
use crate::config::Config;
use crate::explain::Explainer;
use crate::facts::Wording;
use crate::graph;
use crate::store::Store;
use crate::store::snapshots::OtherVersion;
use crate::tenant::Snapshot;

/// Everything that lives as long as the process.
pub struct App {
    /// The validated configuration.
    pub config: Config,
    /// The time.
    pub clock: Clock,
    /// What is kept.
    pub store: Store,
    /// The tenant, live; none when answers come from a folder.
    pub graph: Option<graph::Client>,
    /// What may write to the tenant; none in hand-over mode.
    pub writer: Option<graph::Writer>,
    /// Every word that the bot says.
    pub wording: Wording,
    /// The chat products, by name.
    pub platforms: BTreeMap<&'static str, Arc<dyn Platform>>,
    /// The language model, if one is configured.
    pub explainer: Option<Explainer>,
    current: RwLock<Option<Arc<Analysis>>>,
    /// The analysis of a scan that isn't concluded yet.
    judged: RwLock<Option<Arc<Analysis>>>,
    /// Held while a reading is judged, so that nobody does the same work beside.
    judging: Mutex<()>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("platforms", &self.platforms.keys()).finish_non_exhaustive()
    }
}

impl App {
    /// An app with the parts that it can't do without; the others are added by `with_…`.
    ///
    /// # Errors
    /// When an embedded wording is malformed.
    pub fn new(config: Config, clock: Clock, store: Store) -> anyhow::Result<Self> {
        let wording = Wording::new(config.schedule.zone.clone())?;
        Ok(Self {
            config,
            clock,
            store,
            graph: None,
            writer: None,
            wording,
            platforms: BTreeMap::new(),
            explainer: None,
            current: RwLock::new(None),
            judged: RwLock::new(None),
            judging: Mutex::new(()),
        })
    }

    /// Connects it to a live tenant.
    ///
    /// # Errors
    /// When the credentials can't be used.
    pub fn with_graph(mut self) -> anyhow::Result<Self> {
        let client = graph::Client::new(&self.config, self.clock.clone()).context("connecting to Microsoft Graph")?;
        self.writer = graph::Writer::new(&self.config, &client)?;
        self.graph = Some(client);
        Ok(self)
    }

    /// Adds a chat product.
    #[must_use]
    pub fn with_platform(mut self, platform: Arc<dyn Platform>) -> Self {
        self.platforms.insert(platform.name(), platform);
        self
    }

    /// Adds a language model.
    #[must_use]
    pub fn with_explainer(mut self, explainer: Option<Explainer>) -> Self {
        self.explainer = explainer;
        self
    }

    /// The tenant's id, under which everything is kept.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.config.tenant.id
    }

    /// The newest analysis in memory.
    #[must_use]
    pub fn analysis(&self) -> Option<Arc<Analysis>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The analysis in memory, if it is of another reading than this one.
    #[must_use]
    pub fn newest_known(&self, hash: &str) -> Option<Arc<Analysis>> {
        self.analysis().filter(|analysis| analysis.hash != hash)
    }

    /// Replaces the analysis that answers come from.
    pub fn set_analysis(&self, analysis: Arc<Analysis>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(analysis);
    }

    /// Keeps others from judging the reading that the holder is about to keep and judge.
    pub async fn judging(&self) -> MutexGuard<'_, ()> {
        self.judging.lock().await
    }

    /// Compiles a reading and runs every check on it, away from the threads that serve requests.
    ///
    /// # Errors
    /// When it can't be finished.
    pub async fn judge(&self, snapshot: Arc<Snapshot>, hash: String) -> anyhow::Result<Arc<Analysis>> {
        let (thresholds, now) = (self.config.thresholds.clone(), self.clock.now());
        let judge = move || Arc::new(Analysis::of(snapshot, hash, &thresholds, now));
        let analysis = tokio::task::spawn_blocking(judge).await?;
        *self.judged.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&analysis));
        Ok(analysis)
    }

    /// The analysis of this reading, if anybody has made it.
    fn known(&self, hash: &str) -> Option<Arc<Analysis>> {
        let judged = self.judged.read().unwrap_or_else(PoisonError::into_inner).clone();
        self.analysis().into_iter().chain(judged).find(|analysis| analysis.hash == hash)
    }

    /// The newest analysis, from memory or from the snapshot kept last; none before the first scan. While a newer reading
    /// is judged, the last one stands.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn newest_analysis(&self) -> anyhow::Result<Option<Arc<Analysis>>> {
        let Some(kept) = self.store.newest_snapshot(self.tenant()).await? else { return Ok(self.analysis()) };
        if let Some(known) = self.known(&kept.hash) {
            return Ok(Some(known));
        }
        let _judging = match (self.judging.try_lock(), self.analysis()) {
            (Ok(free), _) => free,
            (Err(_), Some(last)) => return Ok(Some(last)),
            (Err(_), None) => self.judging.lock().await,
        };
        if let Some(known) = self.known(&kept.hash) {
            return Ok(Some(known));
        }
        let snapshot = match self.store.load_snapshot(&kept.hash).await {
            Ok(snapshot) => Arc::new(snapshot),
            // As before the first scan: what can't be opened any more is read anew.
            Err(error) if error.is::<OtherVersion>() => {
                tracing::warn!(%error, "the last reading can't be used");
                return Ok(self.analysis());
            }
            Err(error) => return Err(error),
        };
        let analysis = self.judge(snapshot, kept.hash).await?;
        self.set_analysis(Arc::clone(&analysis));
        Ok(Some(analysis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot::answers::testing::{app, nordwerk, snapshot};

    #[tokio::test]
    async fn a_reading_is_judged_once_however_many_ask() {
        let app = app().await;
        let read = Snapshot { tenant_id: app.tenant().to_owned(), ..snapshot(&nordwerk()) };
        app.store.save_snapshot(Arc::new(read)).await.unwrap();
        let (one, other) = tokio::join!(app.newest_analysis(), app.newest_analysis());
        assert!(Arc::ptr_eq(&one.unwrap().unwrap(), &other.unwrap().unwrap()));
    }

    #[tokio::test]
    async fn while_a_newer_reading_is_judged_the_last_one_stands() {
        let app = app().await;
        let read = |name: &str, at: &str| Snapshot {
            tenant_id: app.tenant().to_owned(),
            tenant_name: name.to_owned(),
            read_at: at.parse().unwrap(),
            ..snapshot(&nordwerk())
        };
        app.store.save_snapshot(Arc::new(read("first", "2026-11-24T07:00:00Z"))).await.unwrap();
        let first = app.newest_analysis().await.unwrap().unwrap();
        let judging = app.judging().await;
        app.store.save_snapshot(Arc::new(read("second", "2026-11-24T07:30:00Z"))).await.unwrap();
        assert!(Arc::ptr_eq(&first, &app.newest_analysis().await.unwrap().unwrap()));
        drop(judging);
        assert_eq!(app.newest_analysis().await.unwrap().unwrap().snapshot().tenant_name, "second");
    }
}
