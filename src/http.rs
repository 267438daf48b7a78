//! Routes, layers, health and metrics.

mod flood;
mod hooks;
mod pages;
mod patience;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

pub use patience::PATIENCE;

use crate::app::App;
use crate::chat::web::{PersonView, RequestView, WebChat, security_headers};

/// The largest body that is read.
const BODY_LIMIT: usize = 256 * 1024;
/// How long a request may take; streams are exempt.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What the routes share.
#[derive(Clone)]
pub struct Shared {
    /// The app.
    pub app: Arc<App>,
    /// The web chat; none where it isn't offered.
    pub web: Option<Arc<WebPages>>,
}

/// The web chat with what its pages show around it.
pub struct WebPages {
    /// Sessions and templates.
    pub chat: Arc<WebChat>,
    /// People to speak as (demo only); the first is who a new visitor is.
    pub people: Vec<PersonView>,
    /// What everyone must know.
    pub banner: Option<String>,
    /// Every request sent to Graph (demo only).
    pub requests: Option<Box<dyn Fn() -> Vec<RequestView> + Send + Sync>>,
}

/// All routes.
pub fn router(shared: Shared) -> Router {
    let mut router = Router::new()
        .route("/live", get(|| async { "alive" }))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .route("/api/messages", post(hooks::teams).head(hooks::teams));
    if shared.web.is_some() {
        router = router
            .route("/", get(pages::chat))
            .route("/log", get(pages::log))
            .route("/requests", get(pages::requests))
            .route("/evidence/{id}", get(pages::evidence))
            .route("/csv/{id}", get(pages::csv))
            .route("/assets/{*path}", get(pages::asset))
            .route("/web/person", post(pages::person))
            .merge(asking(&shared));
    }
    let timeout = TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, TIMEOUT);
    let mut router = router.layer(timeout);
    if shared.web.is_some() {
        router = router.route("/web/stream", get(stream::stream));
    }
    let mut router = router.with_state(shared);
    for (name, value) in security_headers() {
        router = router.layer(tower_http::set_header::SetResponseHeaderLayer::if_not_present(name, value));
    }
    router
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(RequestBodyLimitLayer::new(BODY_LIMIT))
        .layer(CatchPanicLayer::new())
        .layer(TraceLayer::new_for_http())
}

/// Where people ask and press in the web chat, no faster than a person can.
fn asking(shared: &Shared) -> Router<Shared> {
    let state = (shared.clone(), Arc::new(flood::Rates::default()));
    Router::new()
        .route("/web/messages", post(hooks::of_web))
        .route("/web/press", post(hooks::of_web))
        .route_layer(from_fn_with_state(state, flood::slow))
}

/// Serves all routes on a listener until it is dropped, to clients that don't keep it waiting for a head longer than this.
pub async fn serve(listener: TcpListener, shared: Shared, patience: Duration) {
    patience::serve(listener, router(shared), patience).await;
}

/// Ready when the store can be written.
async fn ready(State(shared): State<Shared>) -> Response {
    match shared.app.store.probe().await {
        Ok(()) => "ready".into_response(),
        Err(error) => {
            tracing::error!(error = %format!("{error:#}"), "the store can't be written");
            (StatusCode::SERVICE_UNAVAILABLE, "the store can't be written").into_response()
        }
    }
}

/// Figures for Prometheus: jobs by state, and the age of the reading in seconds.
async fn metrics(State(shared): State<Shared>) -> Response {
    let app = &shared.app;
    let Ok(jobs) = app.store.job_counts().await else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let age = app.analysis().map(|analysis| app.clock.now().as_second() - analysis.snapshot().read_at.as_second());
    let text = format!(
        "# TYPE portcullis_jobs gauge\n\
         portcullis_jobs{{state=\"ready\"}} {}\nportcullis_jobs{{state=\"dead\"}} {}\n\
         # TYPE portcullis_reading_age_seconds gauge\nportcullis_reading_age_seconds {}\n",
        jobs.ready,
        jobs.dead,
        age.map_or_else(|| "NaN".to_owned(), |age| age.to_string()),
    );
    ([(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4"))], text).into_response()
}
