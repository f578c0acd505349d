//! A listener and its connections: how many, how large, how long.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use crate::counters::{Counters, Listener};
use crate::guard;
use crate::problem::Problem;

/// Connections open at a time, over all listeners; further ones wait in the system's queue.
pub(crate) const MAX_CONNECTIONS: usize = 512;
/// How long the head of a request may take to arrive, and an idle connection may stay.
const HEAD_READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of a request's head.
const MAX_HEAD: usize = 32 * 1024;
/// How long open requests may finish when the server stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// The pause after a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    peer: SocketAddr,
}

impl Caller {
    /// The address, as logs name it.
    pub(crate) fn address(self) -> String {
        self.peer.ip().to_canonical().to_string()
    }
}

/// One listener with what its connections need.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) listener: Listener,
    pub(crate) router: Router,
    pub(crate) counters: Arc<Counters>,
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) slots: Arc<Semaphore>,
}

impl Door {
    /// Takes connections in until the server stops, then lets the open ones finish.
    pub(crate) async fn accept(mut self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            // A slot first, so that a flood waits in the system's queue and not in this process.
            let next = async {
                let slot = Arc::clone(&self.slots).acquire_owned().await;
                (slot, listener.accept().await)
            };
            let (Ok(slot), accepted) = (tokio::select! {
                next = next => next,
                () = stopped(&mut self.stop) => break,
            }) else {
                break;
            };
            while connections.try_join_next().is_some() {}
            match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(self.clone().serve(stream, Caller { peer }, slot));
                }
                Err(error) => {
                    // Out of descriptors, mostly: waiting is all that helps.
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(listener);
        let finish = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_TIMEOUT, finish).await.is_err() {
            tracing::debug!("connections were cut at the stop");
        }
        connections.shutdown().await;
    }

    /// Serves HTTP/1.1 on one connection until either side ends it.
    async fn serve(mut self, stream: TcpStream, caller: Caller, _slot: OwnedSemaphorePermit) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY was not set");
        }
        let door = self.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let door = door.clone();
            async move { Ok::<_, Infallible>(door.answer(caller, request.map(Body::new)).await) }
        });
        let connection = builder().serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stopped(&mut self.stop) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended early");
        }
    }

    async fn answer(&self, caller: Caller, mut request: Request<Body>) -> Response {
        request.extensions_mut().insert(caller);
        // A webhook comes from anywhere, under a public name; it is known by its signature.
        let admitted = match self.listener {
            Listener::Main => guard::check(request.method(), request.headers()),
            Listener::Webhooks => Ok(()),
        };
        let response = match admitted {
            Ok(()) => match self.router.clone().oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
            Err(refused) => Problem::from(refused).into_response(),
        };
        self.counters.answered(self.listener, response.status());
        response
    }
}

/// Returns when the server stops (or is gone).
async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

fn builder() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_READ_TIMEOUT)
        .max_buf_size(MAX_HEAD);
    builder
}
