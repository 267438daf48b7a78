//! What can go wrong between us and Microsoft Graph, told apart by what to do about it.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;

use crate::identity::NoToken;

/// A request that did not bring what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Too many requests, still so after all tries.
    #[error("Microsoft Graph asks to slow down; try again later or raise the intervals of graph.pacing{said}")]
    Throttled {
        /// The wait that Graph asked for, where it said one.
        after: Option<Duration>,
        /// Graph's words.
        said: Said,
    },
    /// The token was not accepted.
    #[error("Microsoft Graph does not accept the token: {message}")]
    Unauthorised {
        /// Graph's message as it came.
        message: String,
    },
    /// A permission is missing.
    #[error("Microsoft Graph refuses it; grant the permission {permission} with admin consent{said}")]
    Forbidden {
        /// The least permission that the request needs.
        permission: &'static str,
        /// Graph's words.
        said: Said,
    },
    /// A role on the workspace with the sign-in log is missing, which is none of Graph's permissions.
    #[error("the Log Analytics workspace refuses it; give the app the role {role}{said}")]
    NoRole {
        /// The least role that the query needs, as the workspace's access control shows it.
        role: &'static str,
        /// The service's words.
        said: Said,
    },
    /// A licence is missing; no permission would help.
    #[error("Microsoft Graph refuses it; it takes a licence of Microsoft Entra ID P1 or P2{said}")]
    Unlicensed {
        /// Graph's words.
        said: Said,
    },
    /// There is no such object, or not yet.
    #[error("Microsoft Graph knows no {what}{said}")]
    NotFound {
        /// Path that was asked for.
        what: String,
        /// Graph's words; none where it wasn't asked.
        said: Said,
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
    /// More than any answer that is asked for; asked again, it would be as much.
    #[error("the answer of Microsoft Graph is larger than {most} bytes")]
    TooLarge {
        /// The most that is read.
        most: usize,
    },
    /// An answer that is not what Graph documents.
    #[error("the answer of Microsoft Graph is not usable: {cause}")]
    Malformed {
        /// What is wrong with it.
        cause: String,
    },
    /// Graph refused a later page of what it had begun to give, as when its link has expired: what there is, is a part.
    #[error("page {page} could not be read: {cause}")]
    BrokeOff {
        /// Which page, from 1.
        page: usize,
        /// Why.
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

/// Graph's own words as they came; untrusted text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Its code.
    pub code: String,
    /// Its message.
    pub message: String,
}

impl Said {
    /// From Graph's error body: `{"error": {"code", "message"}}`. Log Analytics says what is wrong in the innermost
    /// `innererror`; Graph's own `innerError` has no words.
    fn read(body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Body {
            error: Error,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Error {
            code: String,
            message: String,
            #[serde(rename = "innererror")]
            inner: Option<Box<Error>>,
        }
        let Ok(Body { error: Error { code, mut message, mut inner } }) = serde_json::from_slice(body) else {
            return Self::default();
        };
        while let Some(deeper) = inner {
            if deeper.inner.is_none() && !deeper.message.is_empty() {
                message = format!("{message}: {}", deeper.message);
            }
            inner = deeper.inner;
        }
        Self { code, message }
    }

    /// Codes of the sign-in log (`Authentication_RequestFromNonPremiumTenantOrB2CTenant`) and of Privileged Identity
    /// Management (`AadPremiumLicenseRequired`).
    fn lacks_licence(&self) -> bool {
        ["NonPremiumTenant", "PremiumLicense"]
            .iter()
            .any(|part| self.code.contains(part) || self.message.contains(part))
    }
}

/// In brackets behind what is said of it; nothing where there are no words.
impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code.as_str(), self.message.as_str()) {
            ("", "") => Ok(()),
            ("", only) | (only, "") => write!(f, " ({only})"),
            (code, message) => write!(f, " ({code}: {message})"),
        }
    }
}

impl From<NoToken> for GraphError {
    fn from(NoToken(cause): NoToken) -> Self {
        Self::Token { cause }
    }
}

impl GraphError {
    /// There is no such thing, as can be told without asking.
    #[must_use]
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound { what: what.into(), said: Said::default() }
    }

    /// Whether asking in another way could help.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Forbidden { .. } | Self::Unlicensed { .. } | Self::Rejected { .. } | Self::NotFound { .. })
    }

    /// The same, of a page of a collection: who gave the first pages doesn't refuse the way in which they are asked for.
    #[must_use]
    pub(super) fn on_page(self, page: usize) -> Self {
        match self {
            Self::Rejected { .. } if page > 1 => Self::BrokeOff { page, cause: self.to_string() },
            other => other,
        }
    }

    /// Whether the tenant doesn't own what was asked for.
    #[must_use]
    pub fn lacks_licence(&self) -> bool {
        matches!(self, Self::Unlicensed { .. })
    }

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
        if let Self::Throttled { after, .. } = self { *after } else { None }
    }

    /// What it says, and what to do about it where Graph's words don't tell. Few of its codes are published, so its text is
    /// looked at loosely and shown as it came.
    #[must_use]
    pub fn with_hint(&self) -> String {
        let words = match self {
            Self::Rejected { message, .. } | Self::Unauthorised { message } => message,
            Self::Throttled { said, .. }
            | Self::Forbidden { said, .. }
            | Self::NoRole { said, .. }
            | Self::Unlicensed { said }
            | Self::NotFound { said, .. } => &said.message,
            Self::Unavailable { cause } | Self::Late { cause } => cause,
            Self::TooLarge { .. }
            | Self::Malformed { .. }
            | Self::BrokeOff { .. }
            | Self::Token { .. }
            | Self::Cancelled => "",
        };
        let hint = HINTS.iter().find(|(part, _)| words.contains(part));
        hint.map_or_else(|| self.to_string(), |(_, hint)| format!("{self} ({hint})"))
    }

    /// From an answer that is not a success. `what` is the path asked for, without its query.
    pub(super) fn from_answer(status: u16, after: Option<Duration>, body: &[u8], asked: (&str, &'static str)) -> Self {
        let (what, permission) = asked;
        let said = Said::read(body);
        match status {
            401 => Self::Unauthorised { message: said.message },
            // So Log Analytics says it (Microsoft Learn, "Azure Monitor Log Analytics API errors").
            403 if said.code == "InvalidAuthenticationToken" => Self::Unauthorised { message: said.message },
            400..=403 if said.lacks_licence() => Self::Unlicensed { said },
            403 => Self::Forbidden { permission, said },
            404 => Self::NotFound { what: what.to_owned(), said },
            429 => Self::Throttled { after, said },
            // 503 with Retry-After is how some services throttle.
            503 if after.is_some() => Self::Throttled { after, said },
            504 => Self::Late { cause: cause(status, &said) },
            // Graph sends nobody elsewhere: something between it and us does, and our token doesn't go there.
            300..400 => Self::Unavailable { cause: format!("{status}, a redirect, which is not followed") },
            408 | 500.. => Self::Unavailable { cause: cause(status, &said) },
            _ => Self::Rejected { status, code: said.code, message: said.message },
        }
    }
}

fn cause(status: u16, Said { code, message }: &Said) -> String {
    format!("{status} {code} {message}").trim_end().to_owned()
}

/// Parts of Graph's messages about policies, and what they mean.
const HINTS: &[(&str, &str)] = &[
    ("1007", "the policy isn't shaped as Graph expects; this is a fault of the draft, so please report it"),
    ("limit of policies", "delete a policy that isn't needed any more, in any state"),
    ("does not exist", "something that the policy names was deleted; scan again for a new suggestion"),
    ("malformed or incorrect", "the policy names an id that Graph doesn't know, or combines settings that it refuses"),
];

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
        Microsoft Graph refuses it; grant the permission Device.Read.All with admin consent (X: as it came)
        Microsoft Graph knows no v1.0/devices (X: as it came)
        Microsoft Graph asks to slow down; try again later or raise the intervals of graph.pacing (X: as it came)
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
    fn every_refusal_is_hinted_at() {
        let gone =
            r#"{"error": {"code": "NotFound", "message": "NamedLocation with id x does not exist in the directory"}}"#;
        for status in [400, 403, 404, 503] {
            let said = answer(status, gone).with_hint();
            assert!(said.contains("x does not exist") && said.ends_with("scan again for a new suggestion)"), "{said}");
        }
    }

    #[test]
    fn a_missing_licence_is_no_missing_permission() {
        for (status, code) in
            [(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant"), (400, "AadPremiumLicenseRequired")]
        {
            let error =
                answer(status, &format!(r#"{{"error": {{"code": "{code}", "message": "no premium license"}}}}"#));
            let said = error.to_string();
            assert!(said.contains("licence of Microsoft Entra ID P1 or P2") && said.contains(code), "{said}");
            assert!(!said.contains("permission") && error.is_refusal() && !error.is_transient(), "{said}");
        }
    }

    #[test]
    fn log_analytics_says_what_is_wrong_further_in() {
        let inner = r#"{"code": "SEM0100", "message": "Failed to resolve table expression named 'SigninLogs'"}"#;
        let semantic =
            format!(r#"{{"code": "SemanticError", "message": "A semantic error occurred.", "innererror": {inner}}}"#);
        let body = format!(
            r#"{{"error": {{"message": "The request had some invalid properties", "code": "BadArgumentError", "innererror": {semantic}}}}}"#
        );
        let said = answer(400, &body).to_string();
        let ends = "(400 BadArgumentError): The request had some invalid properties: Failed to resolve table expression named 'SigninLogs'";
        assert!(said.ends_with(ends), "{said}");
    }

    #[test]
    fn a_body_that_is_not_graph_s_is_no_problem() {
        assert_eq!(answer(502, "<html>").to_string(), "Microsoft Graph cannot be reached: 502");
        let redirect = "Microsoft Graph cannot be reached: 302, a redirect, which is not followed";
        assert_eq!(answer(302, "<html>").to_string(), redirect);
        assert!(answer(502, "").is_transient() && !answer(400, "").is_transient());
    }
}
