//! Errors in Graph's words.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::demo::state::Demo;

/// An answer that is not the one asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphError {
    status: StatusCode,
    code: &'static str,
    message: String,
    retry_after: Option<String>,
}

impl GraphError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after: None }
    }

    /// 400 with Graph's code and a message.
    #[must_use]
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// 400 for a query that the directory doesn't answer.
    #[must_use]
    pub fn unsupported_query(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Request_UnsupportedQuery", message)
    }

    /// 400 for counting without accepting a count that may be late.
    #[must_use]
    pub fn no_count() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Request_BadRequest", "$count is not currently supported.")
    }

    /// 400 for leaving out rows of the directory, which is read page by page.
    #[must_use]
    pub fn no_skip() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Request_BadRequest", "'$skip' is not supported by the service.")
    }

    /// 405 for a method that an address doesn't have.
    #[must_use]
    pub fn no_method() -> Self {
        let message = "Specified HTTP method is not allowed for the request target.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "Request_BadRequest", message)
    }

    /// 404 for an object; the directory says so in other words than Conditional Access.
    #[must_use]
    pub fn not_found(what: &str, id: &str) -> Self {
        if ["User", "Group", "ServicePrincipal", "Role"].contains(&what) {
            let why = "does not exist or one of its queried reference-property objects are not present.";
            return Self::new(StatusCode::NOT_FOUND, "Request_ResourceNotFound", format!("Resource '{id}' {why}"));
        }
        let message = format!("{what} with id {id} does not exist in the directory.");
        Self::new(StatusCode::NOT_FOUND, "ResourceNotFound", message)
    }

    /// 401: no token, or one that is not good (any more).
    #[must_use]
    pub fn unauthorised() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "InvalidAuthenticationToken",
            "Access token has expired or is not yet valid.",
        )
    }

    /// 401: no token at all.
    #[must_use]
    pub fn no_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", "Access token is empty.")
    }

    /// 410: the delta token is too old; the client starts over.
    #[must_use]
    pub fn token_gone() -> Self {
        Self::new(
            StatusCode::GONE,
            "syncStateNotFound",
            "The sync state generation is not found; continue with a full synchronization.",
        )
    }

    /// 403: the token lacks a permission; Conditional Access says so in other words than the directory.
    #[must_use]
    pub fn out_of_scope(path: &str) -> Self {
        if !path.starts_with("/identity") {
            return Self::forbidden();
        }
        let message = "You cannot perform the requested operation, required scopes are missing in the token.";
        Self::new(StatusCode::FORBIDDEN, "AccessDenied", message)
    }

    /// 413 for a body that is too large.
    #[must_use]
    pub fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", "The request body is too large.")
    }

    /// 503, as in a bad minute.
    #[must_use]
    pub fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "serviceNotAvailable", "The service is temporarily unavailable.")
    }

    /// 500, as in a bad minute.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", "An internal error occurred.")
    }

    /// 403: the app lacks a permission.
    #[must_use]
    pub fn forbidden() -> Self {
        let message = "Insufficient privileges to complete the operation.";
        Self::new(StatusCode::FORBIDDEN, "Authorization_RequestDenied", message)
    }

    /// 429, with the time to wait where the service says it.
    #[must_use]
    pub fn throttled(retry_after: Option<String>) -> Self {
        Self { retry_after, ..Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", "Too many requests.") }
    }

    /// 504: whatever happened, the answer got lost.
    #[must_use]
    pub fn lost() -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, "GatewayTimeout", "The server did not answer in time.")
    }
}

impl GraphError {
    /// As it is sent; `said` holds the moment and the client's own id of the request, where they are known.
    fn written(&self, said: &[(&str, String)]) -> Response {
        let id = uuid::Uuid::new_v4().to_string();
        let ids = [("request-id", id.clone()), ("client-request-id", id)];
        let inner: BTreeMap<&str, String> = ids.into_iter().chain(said.iter().cloned()).collect();
        let body = json!({ "error": { "code": self.code, "message": self.message, "innerError": inner } });
        let mut response = (self.status, Json(body)).into_response();
        if let Some(wait) = self.retry_after.as_deref().and_then(|wait| HeaderValue::from_str(wait).ok()) {
            response.headers_mut().insert(RETRY_AFTER, wait);
        }
        response
    }
}

impl IntoResponse for GraphError {
    fn into_response(self) -> Response {
        let mut response = self.written(&[]);
        response.extensions_mut().insert(self);
        response
    }
}

/// Says in an error when it happened, and to which request in the client's words.
pub async fn dated(State(demo): State<Arc<Demo>>, request: Request, next: Next) -> Response {
    let theirs = request.headers().get("client-request-id").and_then(|id| Some(id.to_str().ok()?.to_owned()));
    let response = next.run(request).await;
    let Some(error) = response.extensions().get::<GraphError>() else { return response };
    let date = demo.now().strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let said = theirs.map(|id| ("client-request-id", id)).into_iter().chain([("date", date)]);
    error.written(&said.collect::<Vec<_>>())
}

/// 405 for a method nobody knows.
pub async fn unknown_method() -> GraphError {
    GraphError::no_method()
}

/// 400 for a path nobody knows.
pub async fn unknown_path(uri: axum::http::Uri) -> GraphError {
    let segment = uri.path().rsplit('/').next().unwrap_or_default();
    GraphError::bad_request(format!("Resource not found for the segment '{segment}'."))
}
