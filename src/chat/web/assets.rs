//! What pages load beside themselves, and the headers that let them load nothing else.

use axum::http::{HeaderName, HeaderValue, header};

use super::templates::FILES;

/// A file of the pages by its name below `/assets/`: content type and bytes.
#[must_use]
pub fn assets(path: &str) -> Option<(&'static str, &'static [u8])> {
    let kind = match path.rsplit_once('.')?.1 {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => return None,
    };
    FILES.get_file(path).map(|file| (kind, file.contents()))
}

/// Headers of every response. The referrer policy keeps `Origin` on our own forms, which `no-referrer` would blank.
#[must_use]
pub fn security_headers() -> [(HeaderName, HeaderValue); 7] {
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                  form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    ]
}
