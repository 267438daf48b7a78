//! A managed identity of Azure that an app registration trusts: its token is the app's assertion, so there is no secret to
//! keep and none that ends.
//!
//! Microsoft Learn, "Configure an application to trust a managed identity".

use std::pin::Pin;
use std::sync::Arc;

use azure_core::credentials::TokenCredential;
use azure_core::error::ErrorKind;
use azure_core::http::ClientMethodOptions;
use azure_identity::ClientAssertion;

/// Vouches for an app registration with tokens of a managed identity.
#[derive(Debug)]
pub(super) struct Trusted {
    identity: Arc<dyn TokenCredential>,
    scope: String,
}

impl Trusted {
    /// This identity, whose tokens are for `exchange`, the audience of federated tokens in the tenant's cloud.
    pub(super) fn new(identity: Arc<dyn TokenCredential>, exchange: &str) -> Self {
        Self { identity, scope: format!("{exchange}/.default") }
    }

    async fn assertion(&self) -> azure_core::Result<String> {
        let token = self.identity.get_token(&[&self.scope], None).await;
        // Told apart from a refusal of the login host: what helps is something else.
        let told = |error: azure_core::Error| {
            azure_core::Error::with_message(
                ErrorKind::Credential,
                format!("the managed identity gives no token: {error}"),
            )
        };
        token.map(|token| token.token.secret().to_owned()).map_err(told)
    }
}

// The trait is declared with `async_trait`; this is the signature that it makes of `async fn secret`.
impl ClientAssertion for Trusted {
    fn secret<'a, 'b, 'c>(
        &'a self,
        _: Option<ClientMethodOptions<'b>>,
    ) -> Pin<Box<dyn Future<Output = azure_core::Result<String>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(self.assertion())
    }
}
