//! Starting and stopping: listeners, connections, addresses.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::clock::Clock;
use crate::faults::Faults;
use crate::guard::Scheme;
use crate::journal::JournalError;
use crate::limits::Limits;
use crate::oauth::Nonces;
use crate::pipeline::Pipeline;
use crate::proxy::Slot;
use crate::record::Record;
use crate::sessions::Sessions;
use crate::settings::{ACCOUNT_PASSWORD, MAIN_ACCOUNT, Settings};
use crate::state::seed;
use crate::state::store::Store;
use crate::tls::{Identity, TlsError};
use crate::visitor::Visitor;

/// Connections open at a time, over all listeners; further ones wait.
const CONNECTIONS_MAX: usize = 2_048;
/// How long the head of a request may take to arrive, and an idle connection may stay.
const HEAD_READ_TIMEOUT: Duration = Duration::from_mins(1);
/// Bytes of a request's head.
const HEAD_MAX: usize = 64 * 1024;
/// How long a TLS handshake may take.
pub(crate) const TLS_HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long open connections may finish when the sandbox stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);

/// Everything handlers share.
pub(crate) struct Sandbox {
    /// What the sandbox was started with.
    pub settings: Settings,
    /// The sandbox's time.
    pub clock: Clock,
    /// What is remembered.
    pub store: Store,
    /// Rate limits.
    pub limits: Limits,
    /// Faults on demand.
    pub faults: Faults,
    /// The log of received requests.
    pub record: Record,
    /// Who is signed in to the pages.
    pub sessions: Sessions,
    /// Nonces seen.
    pub nonces: Nonces,
    /// Where the sandbox listens; set before the first request.
    pub addresses: OnceLock<Addresses>,
}

/// What each handler holds.
pub(crate) type Shared = Arc<Sandbox>;

/// Where a sandbox listens; what is absent is null. Addresses have the form `http://127.0.0.1:PORT`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Addresses {
    /// The developer portal.
    pub portal: String,
    /// The API and the OAuth endpoints.
    pub api: String,
    /// The same by TLS.
    pub tls: Option<String>,
    /// The CONNECT proxy.
    pub proxy: Option<String>,
    /// The file with the CA certificate.
    pub ca: Option<String>,
    /// The JSON interface for scripts.
    pub admin: String,
}

/// Why a sandbox could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A listener was asked for on an address that others can reach.
    #[error("address {address} is not a loopback address; the sandbox listens on loopback only")]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// An address could not be listened on.
    #[error("could not listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The state file could not be used.
    #[error("could not use the state file")]
    State(#[from] JournalError),
    /// The first events could not be stored.
    #[error("could not write the first events to the state file")]
    Seed,
    /// TLS could not be set up.
    #[error("could not set up TLS")]
    Tls(#[from] TlsError),
    /// A fault of the settings makes no sense.
    #[error("fault {number} cannot be set: {problem}")]
    Fault {
        /// Its place in the list, from 1.
        number: usize,
        /// What is wrong and what is valid.
        problem: String,
    },
}

/// A running sandbox.
pub struct Running {
    addresses: Addresses,
    pub(crate) shared: Shared,
    pipeline: Pipeline,
    stop: watch::Sender<bool>,
    accepting: Vec<JoinHandle<()>>,
}

/// Starts a sandbox: opens the state, makes the seed on a fresh one, listens. When it returns, the addresses
/// answer.
///
/// # Errors
/// [`StartError`].
pub async fn start(settings: Settings) -> Result<Running, StartError> {
    for (index, fault) in settings.faults.iter().enumerate() {
        if let Some(problem) = fault.problem() {
            return Err(StartError::Fault {
                number: index.saturating_add(1),
                problem,
            });
        }
    }
    let store = Store::open(settings.state.as_deref())?;
    let clock = Clock::default();
    clock.set_offset_s(store.read(|state| state.clock_offset_s));
    if store.read(|state| state.accounts.is_empty()) {
        let events = seed::events(clock.now());
        store
            .transact(|_| (events, ()))
            .await
            .map_err(|_| StartError::Seed)?;
    }
    let plain = listen(settings.listen).await?;
    let tls = match settings.tls_listen {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    let proxy = match settings.proxy_listen {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    let identity = if tls.is_some() || proxy.is_some() || settings.ca_out.is_some() {
        Some(Identity::new()?)
    } else {
        None
    };
    if let (Some(identity), Some(path)) = (&identity, &settings.ca_out) {
        identity.write_ca(path)?;
    }
    let root = format!("http://{}", plain.1);
    let addresses = Addresses {
        portal: root.clone(),
        api: root.clone(),
        tls: tls.as_ref().map(|(_, address)| format!("https://{address}")),
        proxy: proxy.as_ref().map(|(_, address)| format!("http://{address}")),
        ca: settings
            .ca_out
            .as_ref()
            .map(|path: &PathBuf| path.display().to_string()),
        admin: format!("{root}/_sandbox/"),
    };
    let shared: Shared = Arc::new(Sandbox {
        limits: Limits::new(settings.limits),
        faults: Faults::new(settings.faults.clone()),
        record: Record::default(),
        sessions: Sessions::default(),
        nonces: Nonces::default(),
        addresses: OnceLock::from(addresses.clone()),
        settings,
        clock,
        store,
    });
    let pipeline = Pipeline::new(Shared::clone(&shared));
    let (stop, stopping) = watch::channel(false);
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let door = |listener, kind| {
        let door = Door {
            kind,
            pipeline: pipeline.clone(),
            stop: stopping.clone(),
            slots: Arc::clone(&slots),
        };
        tokio::spawn(door.accept(listener))
    };
    let mut accepting = vec![door(plain.0, Kind::Plain)];
    if let (Some((listener, _)), Some(identity)) = (tls, &identity) {
        accepting.push(door(listener, Kind::Tls(identity.acceptor.clone())));
    }
    if let (Some((listener, _)), Some(identity)) = (proxy, &identity) {
        accepting.push(door(listener, Kind::Proxy(identity.acceptor.clone())));
    }
    Ok(Running {
        addresses,
        shared,
        pipeline,
        stop,
        accepting,
    })
}

impl Running {
    /// Where it listens.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Username and password of the account to sign in with.
    pub fn account(&self) -> (&str, &str) {
        (MAIN_ACCOUNT, ACCOUNT_PASSWORD)
    }

    /// A person in front of the pages, for programs.
    pub fn visitor(&self) -> Visitor {
        Visitor::new(
            self.pipeline.clone().into_router(),
            self.addresses.portal.clone(),
            MAIN_ACCOUNT.to_owned(),
            ACCOUNT_PASSWORD.to_owned(),
        )
    }

    /// Stops: no new connections, open requests may finish for a few seconds, the state file is closed.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.accepting {
            if let Err(error) = task.await {
                tracing::error!(%error, "a listener ended badly");
            }
        }
        let shared = self.shared;
        // Joining the writer blocks for as long as one sync takes.
        if let Err(error) = tokio::task::spawn_blocking(move || shared.store.close()).await {
            tracing::error!(%error, "the state file was not closed in order");
        }
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    if !address.ip().is_loopback() {
        return Err(StartError::NotLoopback { address });
    }
    let fail = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(fail)?;
    let bound = listener.local_addr().map_err(fail)?;
    Ok((listener, bound))
}

/// What a listener speaks.
#[derive(Clone)]
enum Kind {
    Plain,
    Tls(TlsAcceptor),
    Proxy(TlsAcceptor),
}

/// One listener with what its connections need.
struct Door {
    kind: Kind,
    pipeline: Pipeline,
    stop: watch::Receiver<bool>,
    slots: Arc<Semaphore>,
}

impl Door {
    async fn accept(mut self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            // A slot first, so that a flood waits in the backlog instead of in this process.
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
                Ok((stream, _)) => {
                    let (kind, pipeline, stop) =
                        (self.kind.clone(), self.pipeline.clone(), self.stop.clone());
                    connections.spawn(serve(stream, kind, pipeline, stop, Arc::new(slot)));
                }
                Err(error) => {
                    // Out of descriptors, mostly: waiting is all that helps.
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
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
}

async fn serve(stream: TcpStream, kind: Kind, pipeline: Pipeline, stop: watch::Receiver<bool>, slot: Slot) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was not set");
    }
    match kind {
        Kind::Plain => serve_http(TokioIo::new(stream), Scheme::Http, pipeline, stop).await,
        Kind::Tls(acceptor) => {
            match tokio::time::timeout(TLS_HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => serve_http(TokioIo::new(stream), Scheme::Https, pipeline, stop).await,
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            }
        }
        Kind::Proxy(acceptor) => serve_proxy(stream, acceptor, pipeline, stop, slot).await,
    }
}

/// Serves HTTP/1.1 on one connection until either side ends it.
pub(crate) async fn serve_http<I>(io: I, scheme: Scheme, pipeline: Pipeline, mut stop: watch::Receiver<bool>)
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    // A service error makes hyper close the connection without writing anything: that is what a lost answer
    // needs, and the reason why the pipeline is not an ordinary axum service here.
    let service = service_fn(move |request: Request<Incoming>| {
        let pipeline = pipeline.clone();
        async move { pipeline.handle(scheme, request.map(Body::new)).await }
    });
    let connection = builder().serve_connection(io, service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn serve_proxy(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    pipeline: Pipeline,
    mut stop: watch::Receiver<bool>,
    slot: Slot,
) {
    let inner_stop = stop.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let response = crate::proxy::answer(
            request,
            acceptor.clone(),
            pipeline.clone(),
            inner_stop.clone(),
            Slot::clone(&slot),
        );
        async move { Ok::<_, std::convert::Infallible>(response) }
    });
    let connection = builder()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a proxy connection ended early");
    }
}

/// Returns when the sandbox stops (or is gone).
async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

fn builder() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_READ_TIMEOUT)
        .max_buf_size(HEAD_MAX);
    builder
}

#[cfg(test)]
mod tests;
