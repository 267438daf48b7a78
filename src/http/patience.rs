//! Serves connections that don't keep the server waiting: the head of each request comes whole within some seconds of the
//! connection's start or of the answer before. Without that, a few thousand clients that send nothing, or a byte now and
//! then, hold every connection there is.
//!
//! Bodies aren't looked at: they are read by handlers, whose time is limited.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt as _;

/// How long a client may take for the head of a request, unless somebody needs it otherwise.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// Serves all that comes, until it is dropped. Handlers learn the peer's address.
pub(super) async fn serve(mut listener: TcpListener, router: Router, patience: Duration) {
    loop {
        let (stream, peer) = Listener::accept(&mut listener).await;
        tokio::spawn(connection((stream, peer), router.clone(), patience));
    }
}

async fn connection((stream, peer): (TcpStream, SocketAddr), router: Router, patience: Duration) {
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request.map(Body::new))
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(patience);
    if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection ended early");
    }
}
