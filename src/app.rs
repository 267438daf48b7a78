//! The long-lived things that every request and job shares.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context as _;

use crate::bot::analysis::Analysis;
use crate::chat::Platform;
use crate::clock::Clock;
use crate::config::Config;
use crate::explain::Explainer;
use crate::facts::Wording;
use crate::graph;
use crate::store::Store;
use crate::store::snapshots::OtherVersion;

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
    renewing: tokio::sync::Mutex<()>,
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
            renewing: tokio::sync::Mutex::default(),
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

    /// The turn to bring a newer analysis into memory. Two at once would make the same one twice, in twice the memory.
    pub async fn renewing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.renewing.lock().await
    }

    /// The newest analysis, from memory or from the snapshot kept last; none before the first scan.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn newest_analysis(&self) -> anyhow::Result<Option<Arc<Analysis>>> {
        let mut turn = None;
        let kept = loop {
            let Some(kept) = self.store.newest_snapshot(self.tenant()).await? else { return Ok(self.analysis()) };
            if let Some(analysis) = self.analysis().filter(|analysis| analysis.hash == kept.hash) {
                return Ok(Some(analysis));
            }
            if turn.is_some() {
                break kept;
            }
            // Another one may have brought it into memory while this one waited for its turn.
            turn = Some(self.renewing().await);
        };
        let snapshot = match self.store.load_snapshot(&kept.hash).await {
            Ok(snapshot) => Arc::new(snapshot),
            // As before the first scan: what can't be opened any more is read anew.
            Err(error) if error.is::<OtherVersion>() => {
                tracing::warn!(%error, "the last reading can't be used");
                return Ok(self.analysis());
            }
            Err(error) => return Err(error),
        };
        let analysis = Arc::new(Analysis::of(snapshot, kept.hash, &self.config.thresholds, self.clock.now()));
        self.set_analysis(Arc::clone(&analysis));
        Ok(Some(analysis))
    }
}
