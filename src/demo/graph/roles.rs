//! `/roleManagement/directory`.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;

use super::ask::{Ask, Text, WHOLE};
use super::error::GraphError;
use crate::demo::roles::{self, Roles};
use crate::demo::state::Demo;

type Answer = Result<Text, GraphError>;
type Shared = State<Arc<Demo>>;

/// Routes of this family.
pub fn routes() -> Router<Arc<Demo>> {
    Router::new()
        .route("/roleManagement/directory/roleDefinitions", get(definitions))
        .route("/roleManagement/directory/roleAssignments", get(assignments))
        .route("/roleManagement/directory/roleAssignmentScheduleInstances", get(active))
        .route("/roleManagement/directory/roleEligibilityScheduleInstances", get(eligible))
}

async fn definitions(ask: Ask) -> Answer {
    ask.list(WHOLE, roles::definitions())
}

async fn assignments(State(demo): Shared, ask: Ask) -> Answer {
    let rows = demo.tenant().role_rows(Roles::assignments);
    ask.list(WHOLE, rows)
}

async fn active(State(demo): Shared, ask: Ask) -> Answer {
    let rows = demo.tenant().role_rows(Roles::active_instances);
    ask.list(WHOLE, rows)
}

async fn eligible(State(demo): Shared, ask: Ask) -> Answer {
    let rows = demo.tenant().role_rows(Roles::eligible_instances);
    ask.list(WHOLE, rows)
}
