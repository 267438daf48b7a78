//! Connections that are cut when their client keeps them waiting: the head of a request comes whole within some seconds,
//! and between two requests a connection is kept for some more. Without that, a few thousand clients that send nothing,
//! or a byte now and then, hold every connection there is.
//!
//! Bodies aren't looked at: they are read by handlers, whose time is limited.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::{Listener, ListenerExt as _, TapIo};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, Sleep};

/// What ends the head of a request.
const END: &[u8] = b"\r\n\r\n";
/// An answer that asks for the body; the real one is still to come.
const GO_ON: &[u8] = b"HTTP/1.1 100";

/// How long a client may keep us waiting.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the head of a request, from the connection or from the head's first byte on.
    pub head: Duration,
    /// For the next request, from the last byte of an answer on. Longer than a stream is ever silent.
    pub idle: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { head: Duration::from_secs(5), idle: Duration::from_secs(75) }
    }
}

/// A listener of such connections.
#[derive(Debug)]
pub(super) struct Patient {
    listener: TcpListener,
    patience: Patience,
}

/// What is accepted here is cut when it keeps us waiting. Handlers learn the peer's address as from a bare listener.
#[must_use]
pub(super) fn patient(listener: TcpListener, patience: Patience) -> TapIo<Patient, fn(&mut Connection)> {
    Patient { listener, patience }.tap_io(|_| ())
}

impl Listener for Patient {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, peer) = Listener::accept(&mut self.listener).await;
        (Connection::new(stream, self.patience), peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// The client's: nothing of a request has come.
    Idle,
    /// The client's: this many bytes of what ends its head have come last.
    Head(usize),
    /// Ours: the head is complete.
    Answer,
}

/// A connection that is cut when its client keeps it waiting.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    patience: Patience,
    turn: Turn,
    /// Until when the client has its turn.
    until: Pin<Box<Sleep>>,
}

impl Connection {
    fn new(stream: TcpStream, patience: Patience) -> Self {
        let until = Box::pin(tokio::time::sleep(patience.head));
        Self { stream, patience, turn: Turn::Idle, until }
    }

    /// Bytes came.
    fn heard(&mut self, bytes: &[u8]) {
        if bytes.is_empty() || self.turn == Turn::Answer {
            return;
        }
        if self.turn == Turn::Idle {
            self.until.as_mut().reset(Instant::now() + self.patience.head);
            self.turn = Turn::Head(0);
        }
        for byte in bytes {
            let Turn::Head(seen) = self.turn else { return };
            self.turn = match seen {
                seen if END.get(seen) == Some(byte) && seen + 1 == END.len() => Turn::Answer,
                seen if END.get(seen) == Some(byte) => Turn::Head(seen + 1),
                _ => Turn::Head(usize::from(END.first() == Some(byte))),
            };
        }
    }

    /// Something of an answer went out.
    fn said(&mut self, bytes: &[u8]) {
        if !bytes.starts_with(GO_ON) {
            self.turn = Turn::Idle;
            self.until.as_mut().reset(Instant::now() + self.patience.idle);
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.turn != Turn::Answer && this.until.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = into.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, into);
        this.heard(into.filled().get(before..).unwrap_or_default());
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if written.is_ready() {
            self.said(bytes);
        }
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        if written.is_ready() {
            self.said(parts.first().map(|part| &**part).unwrap_or_default());
        }
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
