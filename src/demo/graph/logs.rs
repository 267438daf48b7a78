//! `/auditLogs`: sign-ins and directory audits, newest first.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use jiff::Timestamp;
use serde_json::Value;

use super::ask::{Ask, REPORTS, Text};
use super::error::GraphError;
use crate::demo::activity::WINDOW_DAYS;
use crate::demo::random::days_before;
use crate::demo::state::Demo;

type Answer = Result<Text, GraphError>;
type Shared = State<Arc<Demo>>;

/// Routes of this family.
pub fn routes() -> Router<Arc<Demo>> {
    Router::new()
        .route("/auditLogs/signIns", get(sign_ins))
        .route("/auditLogs/signIns/{id}", get(sign_in))
        .route("/auditLogs/directoryAudits", get(audits))
}

/// Interactive sign-ins, or the kinds the filter names.
async fn sign_ins(State(demo): Shared, ask: Ask) -> Answer {
    let filter = ask.filter()?;
    let oldest = days_before(demo.now(), WINDOW_DAYS);
    let since = filter.at_least("createdDateTime").and_then(|text| text.parse::<Timestamp>().ok());
    let any_kind = filter.mentions("signInEventTypes");
    if any_kind && !ask.is_beta() {
        return Err(GraphError::bad_request("Could not find a property named 'signInEventTypes'."));
    }
    let tenant = demo.tenant();
    let rows = tenant.sign_ins.rows(&tenant, ask.start()?, since.map_or(oldest, |since| since.max(oldest)));
    let interactive = |row: &Value| row.get("isInteractive").and_then(Value::as_bool).unwrap_or(true);
    ask.page(REPORTS, rows.filter(|(_, row)| any_kind || interactive(row)))
}

async fn sign_in(State(demo): Shared, Path(id): Path<String>, ask: Ask) -> Answer {
    let tenant = demo.tenant();
    let found = tenant.sign_ins.find(&tenant, &id);
    found.map(|row| ask.one(row)).ok_or_else(|| GraphError::not_found("SignIn", &id))
}

/// Positions count from the oldest record, so that new ones do not move a page.
async fn audits(State(demo): Shared, ask: Ask) -> Answer {
    let tenant = demo.tenant();
    let newest = u64::try_from(tenant.audits.len()).unwrap_or(0);
    let from = match ask.start()? {
        0 => newest,
        position => position.min(newest),
    };
    let record = |position: u64| tenant.audits.get(usize::try_from(position - 1).ok()?).cloned();
    ask.page(REPORTS, (1..=from).rev().filter_map(|position| Some((position, record(position)?))))
}
