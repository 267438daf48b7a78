//! Runs the app: HTTP, workers and the cron table, until it is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::bot::work;
use crate::clock::Clock;
use crate::config::{Config, Env};
use crate::explain::{Endpoint, Explainer};
use crate::http::{self, PATIENCE, Shared};
use crate::jobs::{Pace, Planner, Worker};

/// Workers in one process: an approval never waits for a scan.
const WORKERS: usize = 3;
/// How long ago a missed time may lie and still be made up for.
const CATCH_UP: Duration = Duration::from_hours(2);

/// A running app.
#[derive(Debug)]
pub(super) struct Running {
    /// Where it listens.
    pub(super) address: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Starts everything.
pub(super) fn start(shared: Shared, listener: TcpListener, pace: Pace) -> anyhow::Result<Running> {
    let address = listener.local_addr().context("finding the address that is listened on")?;
    let (stop, stopped) = watch::channel(false);
    let app = Arc::clone(&shared.app);
    let handlers = Arc::new(work::handlers(&app));
    let mut tasks = Vec::new();
    for _ in 0..WORKERS {
        let worker =
            Worker { store: app.store.clone(), clock: app.clock.clone(), handlers: Arc::clone(&handlers), pace };
        let stopped = stopped.clone();
        tasks.push(tokio::spawn(async move { worker.run(stopped).await }));
    }
    let asked = Arc::clone(&app);
    let planner = Planner {
        store: app.store.clone(),
        clock: app.clock.clone(),
        schedules: move || {
            let app = Arc::clone(&asked);
            async move { work::schedules(&app).await }
        },
        poll: pace.poll.max(Duration::from_secs(1)),
        catch_up: CATCH_UP,
    };
    let ending = stopped.clone();
    tasks.push(tokio::spawn(async move { planner.run(ending).await }));
    tasks.push(tokio::spawn(serve(shared, listener, stopped)));
    Ok(Running { address, stop, tasks })
}

async fn serve(shared: Shared, listener: TcpListener, mut stopped: watch::Receiver<bool>) {
    let serving = http::serve(listener, shared, PATIENCE);
    // Streams never end by themselves, so serving is dropped rather than drained: what was acknowledged is stored.
    tokio::select! {
        () = serving => {}
        _ = stopped.wait_for(|stop| *stop) => {}
    }
}

impl Running {
    /// Waits for Ctrl-C or a request to end, then lets running jobs finish for a while.
    pub(super) async fn until_stopped(self) -> anyhow::Result<()> {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted?,
            _ = terminate.recv() => {}
        }
        self.stop.send(true)?;
        for task in self.tasks {
            task.await?;
        }
        Ok(())
    }
}

/// The client for chats and models: time-outs, no proxy, no redirects, so that a token goes nowhere else.
pub(super) fn http_client() -> anyhow::Result<reqwest::Client> {
    reqwest::Client::builder()
        .timeout(Duration::from_secs(30))
        .connect_timeout(Duration::from_secs(5))
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .context("making an HTTP client")
}

/// The language model, where one is configured.
pub(super) fn explainer(config: &Config, clock: &Clock) -> anyhow::Result<Option<Explainer>> {
    let Some(model) = &config.model else { return Ok(None) };
    let endpoint = Endpoint {
        base_url: model.base_url.to_string(),
        model: model.model.clone(),
        api_key: model.api_key.clone().unwrap_or_default(),
        deadline: model.deadline,
    };
    Ok(Some(Explainer::new(endpoint, http_client()?, clock.clone())))
}

/// A key that signs sessions of this process.
pub(super) fn random_key() -> anyhow::Result<[u8; 32]> {
    let mut key = [0; 32];
    aws_lc_rs::rand::fill(&mut key).context("drawing a random key")?;
    Ok(key)
}

/// Writes the log to standard error, and to a file of the record folder when tests ask for one. What libraries say of
/// request bodies and headers is never written.
pub(super) fn log_to_stderr(env: &Env) -> anyhow::Result<()> {
    let default = "portcullis=info,warn,async_openai=off,hyper=warn,reqwest=warn,h2=warn";
    let filter = EnvFilter::try_new(env.log_filter().unwrap_or(default)).context("PORTCULLIS_LOG")?;
    let people = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let file = env.record_folder().map(|folder| folder.join(format!("log-{}.txt", std::process::id())));
    let record = file.map(|file| tracing_subscriber::fmt::layer().with_ansi(false).with_writer(appending(file)));
    tracing_subscriber::registry().with(filter).with(people).with(record).try_init().context("starting the log")
}

fn appending(path: std::path::PathBuf) -> impl Fn() -> Box<dyn std::io::Write> + Send + Sync + 'static {
    move || match std::fs::OpenOptions::new().create(true).append(true).open(&path) {
        Ok(file) => Box::new(file),
        Err(_) => Box::new(std::io::sink()),
    }
}
