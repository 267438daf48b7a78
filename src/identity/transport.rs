//! Sends what is meant for one of Microsoft's own hosts to the configured base, and changes nothing else.

use std::pin::Pin;
use std::sync::Arc;

use azure_core::http::{AsyncRawResponse, HttpClient, Request, Transport};
use reqwest::Url;

/// A transport through `http` whose requests all go to `base`.
pub(super) fn mapped(http: &reqwest::Client, base: &Url) -> Transport {
    Transport::new(Arc::new(Mapped { http: http.clone(), base: base.clone() }))
}

/// A transport through `http`, whatever host is meant.
pub(super) fn direct(http: &reqwest::Client) -> Transport {
    Transport::new(Arc::new(http.clone()))
}

#[derive(Debug)]
struct Mapped {
    http: reqwest::Client,
    base: Url,
}

impl Mapped {
    async fn send(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{}", self.base.path().trim_end_matches('/'), request.url().path()));
        url.set_query(request.url().query());
        let mut mapped = Request::new(url, request.method());
        for (name, value) in request.headers().iter() {
            mapped.insert_header(name.clone(), value.clone());
        }
        mapped.set_body(request.body().clone());
        self.http.execute_request(&mapped).await
    }
}

// The trait is declared with `async_trait`; this is the signature that it makes of `async fn execute_request`.
impl HttpClient for Mapped {
    fn execute_request<'a, 'b, 'c>(
        &'a self,
        request: &'b Request,
    ) -> Pin<Box<dyn Future<Output = azure_core::Result<AsyncRawResponse>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(self.send(request))
    }
}
