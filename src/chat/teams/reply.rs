//! The HTTP answers to a press: "Universal Actions for Adaptive Cards", invoke response format (Microsoft Learn).

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// A card that replaces the pressed one, for the person who pressed.
pub(crate) fn card(card: &Value) -> Response {
    answer(200, "application/vnd.microsoft.card.adaptive", card)
}

/// A word to the person who pressed; the card stays.
pub(crate) fn word(text: &str) -> Response {
    answer(200, "application/vnd.microsoft.activity.message", &json!(text))
}

/// The press made no sense.
pub(crate) fn bad_request(message: &str) -> Response {
    error(400, "BadRequest", message)
}

/// The fault is ours.
pub(crate) fn fault(message: &str) -> Response {
    error(500, "InternalServerError", message)
}

fn error(status: u16, code: &str, message: &str) -> Response {
    answer(status, "application/vnd.microsoft.error", &json!({"code": code, "message": message}))
}

/// The outcome stands in the body; the HTTP status says only that the bot answered.
fn answer(status: u16, kind: &str, value: &Value) -> Response {
    Json(json!({"statusCode": status, "type": kind, "value": value})).into_response()
}
