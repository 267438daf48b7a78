//! How a request fails: refused before it has an effect, or answered with something broken.

use axum::body::{Body, to_bytes};
use axum::response::Response;
use futures_util::stream;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::{Value, json};

use super::error::GraphError;
use crate::demo::faults::Kind;

/// An address that no reader may ask; reserved for documentation (RFC 5737).
const ELSEWHERE: &str = "http://192.0.2.1/v1.0/users";
const LARGEST: usize = 64 << 20;

/// The refusal that a fault means, if it is one.
#[must_use]
pub fn refusal(fault: Kind, now: Timestamp) -> Option<GraphError> {
    Some(match fault {
        Kind::Unavailable => GraphError::unavailable(),
        Kind::ServerError => GraphError::internal(),
        Kind::GatewayTimeout => GraphError::lost(),
        Kind::Throttled => GraphError::throttled(None),
        Kind::ThrottledSeconds => GraphError::throttled(Some("1".into())),
        Kind::ThrottledDate => {
            let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&now);
            GraphError::throttled(Some(date.unwrap_or_default()))
        }
        Kind::Unauthorised => GraphError::unauthorised(),
        Kind::Forbidden => GraphError::forbidden(),
        Kind::NotFound => GraphError::not_found("Resource", "asked for"),
        Kind::Reset | Kind::Truncated | Kind::ForeignLink | Kind::Circle | Kind::HoldBefore | Kind::HoldAfter => {
            return None;
        }
    })
}

/// The answer, broken as the fault says; `address` is what was asked for.
pub async fn broken(fault: Kind, response: Response, address: &str) -> Response {
    let (mut parts, body) = response.into_parts();
    // Nobody writes it anew.
    parts.extensions.remove::<GraphError>();
    let Ok(whole) = to_bytes(body, LARGEST).await else { return Response::from_parts(parts, Body::empty()) };
    let half = whole.slice(..whole.len() / 2);
    let body = match fault {
        Kind::Truncated => Body::from(half),
        Kind::Reset => {
            let pieces = [Ok(half), Err(std::io::Error::other("the connection breaks"))];
            Body::from_stream(stream::iter(pieces))
        }
        Kind::ForeignLink => Body::from(linked(&whole, ELSEWHERE)),
        Kind::Circle => Body::from(linked(&whole, address)),
        _ => Body::from(whole),
    };
    // The length is no longer what it was.
    let mut response = Response::from_parts(parts, body);
    response.headers_mut().remove(axum::http::header::CONTENT_LENGTH);
    response
}

/// A page with another link; anything that is no page stays as it is.
fn linked(page: &[u8], link: &str) -> Vec<u8> {
    match serde_json::from_slice::<Value>(page) {
        Ok(Value::Object(mut page)) if page.contains_key("value") => {
            page.insert("@odata.nextLink".into(), json!(link));
            Value::Object(page).to_string().into_bytes()
        }
        _ => page.to_vec(),
    }
}
