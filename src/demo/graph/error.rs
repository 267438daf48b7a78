//! Errors in Graph's words.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An answer that is not the one asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl GraphError {
    /// 400 with Graph's code and a message.
    #[must_use]
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "BadRequest", message: message.into() }
    }

    /// 404 for an object.
    #[must_use]
    pub fn not_found(what: &str, id: &str) -> Self {
        let message = format!("{what} with id {id} does not exist in the directory.");
        Self { status: StatusCode::NOT_FOUND, code: "ResourceNotFound", message }
    }

    /// 401: no token, or one that is not good (any more).
    #[must_use]
    pub fn unauthorised() -> Self {
        let message = "Access token has expired or is not yet valid.".into();
        Self { status: StatusCode::UNAUTHORIZED, code: "InvalidAuthenticationToken", message }
    }

    /// 410: the delta token is too old; the client starts over.
    #[must_use]
    pub fn token_gone() -> Self {
        let message = "The sync state generation is not found; continue with a full synchronization.".into();
        Self { status: StatusCode::GONE, code: "syncStateNotFound", message }
    }

    /// 413 for a body that is too large.
    #[must_use]
    pub fn too_large() -> Self {
        let message = "The request body is too large.".into();
        Self { status: StatusCode::PAYLOAD_TOO_LARGE, code: "RequestEntityTooLarge", message }
    }

    /// 503, as in a bad minute.
    #[must_use]
    pub fn unavailable() -> Self {
        let message = "The service is temporarily unavailable.".into();
        Self { status: StatusCode::SERVICE_UNAVAILABLE, code: "serviceNotAvailable", message }
    }

    /// 504: whatever happened, the answer got lost.
    #[must_use]
    pub fn lost() -> Self {
        let message = "The server did not answer in time.".into();
        Self { status: StatusCode::GATEWAY_TIMEOUT, code: "GatewayTimeout", message }
    }
}

impl IntoResponse for GraphError {
    fn into_response(self) -> Response {
        let id = uuid::Uuid::new_v4();
        let body = json!({ "error": { "code": self.code, "message": self.message,
            "innerError": { "request-id": id, "client-request-id": id } } });
        (self.status, Json(body)).into_response()
    }
}

/// 400 for a path nobody knows.
pub async fn unknown_path(uri: axum::http::Uri) -> GraphError {
    GraphError::bad_request(format!("Resource not found for the segment '{}'.", uri.path().trim_start_matches('/')))
}
