//! The tenant as Microsoft Graph, one file per endpoint family; `versions.rs` tells `/v1.0` from `/beta`.

pub mod ask;
pub mod batch;
pub mod breakage;
pub mod combinations;
pub mod delta;
pub mod demands;
pub mod directory;
pub mod error;
pub mod evaluate;
pub mod filter;
pub mod filter_text;
pub mod groups;
pub mod logs;
mod order;
pub mod policies;
pub mod properties;
pub mod references;
pub mod rewrite;
pub mod roles;
pub mod rules;
pub mod schema;
pub mod settings;
pub mod templates;
pub mod versions;
pub mod watch;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;

pub use error::GraphError;

use super::state::Demo;

/// Everything the service answers.
pub fn router(demo: Arc<Demo>) -> Router {
    let graph = Router::new()
        .merge(policies::routes())
        .merge(settings::routes())
        .merge(templates::routes())
        .merge(delta::routes())
        .merge(directory::routes())
        .merge(groups::routes())
        .merge(roles::routes())
        .merge(logs::routes())
        .merge(evaluate::routes())
        .fallback(error::unknown_path)
        .method_not_allowed_fallback(error::unknown_method)
        .layer(from_fn_with_state(Arc::clone(&demo), watch::watch))
        .layer(from_fn_with_state(Arc::clone(&demo), error::dated));
    let versions = Router::new().nest("/v1.0", graph.clone()).nest("/beta", graph).with_state(Arc::clone(&demo));
    let batch = batch::routes(versions.clone())
        .layer(from_fn_with_state(Arc::clone(&demo), watch::watch))
        .layer(from_fn_with_state(Arc::clone(&demo), error::dated));
    let workspace = super::log_analytics::routes().layer(from_fn_with_state(Arc::clone(&demo), watch::watch_open));
    Router::new()
        .merge(delta::expiry())
        .merge(super::token::routes())
        .merge(super::connector::routes())
        .merge(workspace)
        .merge(super::colleague::routes())
        .merge(super::faults::routes())
        .merge(super::permissions::routes())
        .with_state(demo)
        .merge(batch)
        .merge(versions)
}
