//! What can go wrong between us and Microsoft Graph, told apart by what to do about it.

use std::time::Duration;

use serde::Deserialize;

/// A request that did not bring what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Too many requests, still so after all tries.
    #[error("Microsoft Graph asks to slow down; try again later or raise the intervals of graph.pacing")]
    Throttled {
        /// The wait that Graph asked for, where it said one.
        after: Option<Duration>,
    },
    /// The token was not accepted.
    #[error("Microsoft Graph does not accept the token: {message}")]
    Unauthorised {
        /// Graph's message as it came.
        message: String,
    },
    /// A permission or licence is missing.
    #[error("Microsoft Graph refuses it; grant the permission {permission} with admin consent ({message})")]
    Forbidden {
        /// The least permission that the request needs.
        permission: &'static str,
        /// Graph's message as it came.
        message: String,
    },
    /// There is no such object, or not yet.
    #[error("Microsoft Graph knows no {what}")]
    NotFound {
        /// Path that was asked for.
        what: String,
    },
    /// Graph refused the request itself.
    #[error("Microsoft Graph rejects the request ({status} {code}): {message}")]
    Rejected {
        /// HTTP status.
        status: u16,
        /// Graph's error code as it came.
        code: String,
        /// Graph's message as it came; untrusted text.
        message: String,
    },
    /// No useful answer, still so after all tries.
    #[error("Microsoft Graph cannot be reached: {cause}")]
    Unavailable {
        /// What happened.
        cause: String,
    },
    /// The time for an answer went by, still so after all tries.
    #[error("Microsoft Graph does not answer in time: {cause}")]
    Late {
        /// What happened.
        cause: String,
    },
    /// An answer that is not what Graph documents.
    #[error("the answer of Microsoft Graph is not usable: {cause}")]
    Malformed {
        /// What is wrong with it.
        cause: String,
    },
    /// No token could be had.
    #[error("no token for Microsoft Graph: {cause}")]
    Token {
        /// What the token endpoint said, without the secret.
        cause: String,
    },
    /// A person or a shutdown stopped it between two requests.
    #[error("cancelled")]
    Cancelled,
}

impl GraphError {
    /// Whether a reading is worth another try.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Throttled { .. }
                | Self::Unauthorised { .. }
                | Self::Unavailable { .. }
                | Self::Late { .. }
                | Self::Malformed { .. }
        )
    }

    /// The wait that Graph asked for.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        if let Self::Throttled { after } = self { *after } else { None }
    }

    /// What it says, and what to do about it where Graph's words don't tell. Few of its codes are published, so its text is
    /// looked at loosely and shown as it came.
    #[must_use]
    pub fn with_hint(&self) -> String {
        let hint = match self {
            Self::Rejected { message, .. } => HINTS.iter().find(|(part, _)| message.contains(part)),
            _ => None,
        };
        hint.map_or_else(|| self.to_string(), |(_, hint)| format!("{self} ({hint})"))
    }

    /// From an answer that is not a success. `what` is the path asked for, without its query.
    pub(super) fn from_answer(status: u16, after: Option<Duration>, body: &[u8], asked: (&str, &'static str)) -> Self {
        let (what, permission) = asked;
        let Complaint { code, message } = Complaint::read(body);
        match status {
            429 => Self::Throttled { after },
            401 => Self::Unauthorised { message },
            403 => Self::Forbidden { permission, message },
            404 => Self::NotFound { what: what.to_owned() },
            // 503 with Retry-After is how some services throttle.
            503 if after.is_some() => Self::Throttled { after },
            504 => Self::Late { cause: format!("504 {code} {message}").trim_end().to_owned() },
            408 | 500.. => Self::Unavailable { cause: format!("{status} {code} {message}").trim_end().to_owned() },
            _ => Self::Rejected { status, code, message },
        }
    }
}

/// Parts of Graph's messages about policies, and what they mean.
const HINTS: &[(&str, &str)] = &[
    ("1007", "the policy isn't shaped as Graph expects; this is a fault of the draft, so please report it"),
    ("limit of policies", "delete a policy that isn't needed any more, in any state"),
    ("does not exist", "something that the policy names was deleted; scan again for a new suggestion"),
    ("malformed or incorrect", "the policy names an id that Graph doesn't know, or combines settings that it refuses"),
];

/// Graph's error body: `{"error": {"code", "message"}}`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Complaint {
    code: String,
    message: String,
}

impl Complaint {
    fn read(body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Body {
            error: Complaint,
        }
        serde_json::from_slice::<Body>(body).map(|body| body.error).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> GraphError {
        GraphError::from_answer(status, None, body.as_bytes(), ("v1.0/devices", "Device.Read.All"))
    }

    #[test]
    fn answers_say_what_to_do() {
        let body = r#"{"error": {"code": "X", "message": "as it came", "innerError": {}}}"#;
        let said: Vec<String> = [400, 401, 403, 404, 429, 500].map(|status| answer(status, body).to_string()).into();
        insta::assert_snapshot!(said.join("\n"), @r"
        Microsoft Graph rejects the request (400 X): as it came
        Microsoft Graph does not accept the token: as it came
        Microsoft Graph refuses it; grant the permission Device.Read.All with admin consent (as it came)
        Microsoft Graph knows no v1.0/devices
        Microsoft Graph asks to slow down; try again later or raise the intervals of graph.pacing
        Microsoft Graph cannot be reached: 500 X as it came
        ");
    }

    #[test]
    fn graph_s_own_words_come_first_and_then_a_hint() {
        let said = answer(400, r#"{"error": {"code": "BadRequest", "message": "1007: Incoming object is null"}}"#);
        let hinted = said.with_hint();
        assert!(hinted.starts_with(&said.to_string()) && hinted.contains("please report it"), "{hinted}");
        let unknown = answer(400, r#"{"error": {"code": "BadRequest", "message": "4711"}}"#);
        assert_eq!(unknown.with_hint(), unknown.to_string());
    }

    #[test]
    fn a_body_that_is_not_graph_s_is_no_problem() {
        assert_eq!(answer(502, "<html>").to_string(), "Microsoft Graph cannot be reached: 502");
        assert!(answer(502, "").is_transient() && !answer(400, "").is_transient());
    }
}
