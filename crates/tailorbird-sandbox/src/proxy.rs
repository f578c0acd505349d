//! The CONNECT proxy: unmodified clients that insist on `https://api.x.com` reach the sandbox through it.
//!
//! It never dials anywhere. A CONNECT to one of X's hosts at port 443 is answered by the sandbox's own TLS
//! server inside this process; everything else is refused, so it can't be used to reach anything.

use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{Method, Request, StatusCode};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio_rustls::TlsAcceptor;

use crate::guard::{Scheme, is_x_host};
use crate::pipeline::Pipeline;
use crate::server::{TLS_HANDSHAKE_TIMEOUT, serve_http};
use crate::shapes::own_error;

/// The only port a CONNECT may name.
const HTTPS_PORT: u16 = 443;

/// The place of one connection among those that may be open. A tunnel lives on when the connection that
/// asked for it is done, so whoever serves holds a share, and the last one to let go frees the place.
pub(crate) type Slot = Arc<OwnedSemaphorePermit>;

/// Answers one request to the proxy; a good CONNECT turns the connection into a TLS one, which keeps `slot`.
pub(crate) fn answer(
    request: Request<Incoming>,
    acceptor: TlsAcceptor,
    pipeline: Pipeline,
    stop: watch::Receiver<bool>,
    slot: Slot,
) -> Response {
    if request.method() != Method::CONNECT {
        return own_error(
            StatusCode::FORBIDDEN,
            "SANDBOX-010",
            "proxy takes CONNECT only",
            &format!("The request was {} {}.", request.method(), request.uri()),
            "Use the proxy for https:// addresses of X; for plain HTTP, talk to the sandbox itself.",
        );
    }
    let allowed = request
        .uri()
        .authority()
        .is_some_and(|authority| is_x_host(authority.host()) && authority.port_u16() == Some(HTTPS_PORT));
    if !allowed {
        return own_error(
            StatusCode::FORBIDDEN,
            "SANDBOX-011",
            "proxy leads to X's hosts at port 443 only",
            &format!(
                "The request named {}; this proxy never connects to anything outside.",
                request.uri()
            ),
            "Exclude other hosts from the proxy (NO_PROXY) or use another proxy for them.",
        );
    }
    tokio::spawn(async move {
        let _held = slot;
        let upgraded = match hyper::upgrade::on(request).await {
            Ok(upgraded) => upgraded,
            Err(error) => {
                tracing::debug!(%error, "a proxied connection ended before it began");
                return;
            }
        };
        match tokio::time::timeout(TLS_HANDSHAKE_TIMEOUT, acceptor.accept(TokioIo::new(upgraded))).await {
            Ok(Ok(stream)) => serve_http(TokioIo::new(stream), Scheme::Https, pipeline, stop).await,
            Ok(Err(error)) => tracing::debug!(%error, "a proxied TLS handshake failed"),
            Err(_) => tracing::debug!("a proxied TLS handshake took too long"),
        }
    });
    (StatusCode::OK, Body::empty()).into_response()
}
