//! The configuration of a bot whose tenant is the demo's.

use portcullis::config::{Config, Loopback};
use portcullis::demo::Service;

/// Everything at this service, as the app that reads; nothing is kept.
pub(crate) fn config(service: &Service) -> Config {
    let at = Loopback {
        graph: service.graph_base(),
        login: service.base_url(),
        tenant_id: &service.tenant_id,
        client_id: &service.client_id,
        client_secret: &service.client_secret,
        store: "sqlite::memory:",
    };
    Config::loopback(at).unwrap()
}
