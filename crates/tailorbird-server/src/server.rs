//! Starting and stopping: the lock first, then the listeners, then the work.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use serde::Serialize;
use tailorbird_app::{Actor, App, AppError, Hooks, Pulse, ServeSettings, Serving};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::counters::{Counters, Listener};
use crate::door::{Door, MAX_CONNECTIONS};
use crate::pages;
use crate::web::{MAX_STREAMS, Once};

/// The port where nobody says otherwise.
const PORT: u16 = 7080;

/// How to serve.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The main listener: health, metrics, pages. A loopback address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// A listener of their own for webhooks; on the main one where absent.
    pub webhook_listen: Option<SocketAddr>,
    /// How the work behind it is done.
    pub serve: ServeSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, PORT).into(),
            webhook_listen: None,
            serve: ServeSettings::default(),
        }
    }
}

/// Where a server listens, as full addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Addresses {
    /// The main listener, without a slash at its end.
    pub url: String,
    /// What the paths of webhooks begin with.
    pub webhooks: String,
    /// Figures for Prometheus.
    pub metrics: String,
}

/// Why a server could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The main listener was asked for on an address that others can reach.
    #[error("the address {address} is not a loopback address, and there are no user accounts")]
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
    /// The work behind it could not begin.
    #[error("{}", .0.failure)]
    Work(Box<AppError>),
}

/// What handlers share.
#[derive(Clone)]
pub(crate) struct Shared {
    inner: Arc<Inner>,
}

struct Inner {
    app: App,
    streams: Arc<Semaphore>,
    once: Once,
    stop: watch::Receiver<bool>,
    addresses: Addresses,
    pulse: Pulse,
    counters: Arc<Counters>,
    hooks: Hooks,
    hooks_are_local: bool,
}

impl Shared {
    /// The use-cases in the program's own name: it reads, and may change nothing that a person decides. What a visitor
    /// does goes by `Visit::app`.
    pub(crate) fn program(&self) -> &App {
        &self.inner.app
    }

    /// Room for pages that change by themselves.
    pub(crate) fn streams(&self) -> Arc<Semaphore> {
        Arc::clone(&self.inner.streams)
    }

    /// What may be sent once.
    pub(crate) fn once(&self) -> &Once {
        &self.inner.once
    }

    /// Returns when the server stops.
    pub(crate) async fn stopped(&self) {
        let mut stop = self.inner.stop.clone();
        drop(stop.wait_for(|stop| *stop).await);
    }

    pub(crate) fn hooks(&self) -> &Hooks {
        &self.inner.hooks
    }

    /// Whether webhooks are listened for on a loopback address.
    pub(crate) fn hooks_are_local(&self) -> bool {
        self.inner.hooks_are_local
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.inner.counters
    }

    pub(crate) fn addresses(&self) -> &Addresses {
        &self.inner.addresses
    }

    pub(crate) fn pulse(&self) -> &Pulse {
        &self.inner.pulse
    }
}

/// A running server.
#[derive(Debug)]
pub struct Running {
    addresses: Addresses,
    stop: watch::Sender<bool>,
    accepting: Vec<JoinHandle<()>>,
    serving: Serving,
}

/// Starts a server. When it returns, the addresses answer and runs are driven.
///
/// # Errors
/// [`StartError`]; RUN-002 inside where another process drives the runs of this home.
pub async fn start(app: App, settings: Settings) -> Result<Running, StartError> {
    if !settings.listen.ip().is_loopback() {
        return Err(StartError::NotLoopback {
            address: settings.listen,
        });
    }
    let hooks = app.hooks();
    // The home first: a second server is told that it is one, and not that a port is taken.
    let serving = app
        .serve(&settings.serve)
        .await
        .map_err(|error| StartError::Work(Box::new(error)))?;
    let listeners = async {
        let main = listen(settings.listen).await?;
        let webhooks = match settings.webhook_listen {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        Ok((main, webhooks))
    };
    let ((main, bound), webhooks) = match listeners.await {
        Ok(listeners) => listeners,
        Err(error) => {
            serving.stop().await;
            return Err(error);
        }
    };
    let url = format!("http://{bound}");
    let hooks_at = webhooks
        .as_ref()
        .map_or_else(|| url.clone(), |(_, address)| format!("http://{address}"));
    let addresses = Addresses {
        metrics: format!("{url}/metrics"),
        webhooks: format!("{hooks_at}/hooks/"),
        url,
    };
    let counters = Arc::new(Counters::default());
    let (stop, stopping) = watch::channel(false);
    let shared = Shared {
        inner: Arc::new(Inner {
            app: app.acting_as(Actor::nobody()),
            streams: Arc::new(Semaphore::new(MAX_STREAMS)),
            once: Once::default(),
            stop: stopping.clone(),
            addresses: addresses.clone(),
            pulse: serving.pulse(),
            counters: Arc::clone(&counters),
            hooks,
            hooks_are_local: webhooks
                .as_ref()
                .is_none_or(|(_, address)| address.ip().is_loopback()),
        }),
    };
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let door = |listener, router| Door {
        listener,
        router,
        counters: Arc::clone(&counters),
        stop: stopping.clone(),
        slots: Arc::clone(&slots),
    };
    let main_door = door(Listener::Main, pages::main(shared.clone(), webhooks.is_none()));
    let mut accepting = vec![tokio::spawn(main_door.accept(main))];
    if let Some((listener, _)) = webhooks {
        let hook_door = door(Listener::Webhooks, pages::webhooks(shared));
        accepting.push(tokio::spawn(hook_door.accept(listener)));
    }
    // Only now, so that a link that is made from it leads to a server that answers.
    app.note_served_at(&addresses.url)
        .await
        .map_err(|error| StartError::Work(Box::new(error)))?;
    Ok(Running {
        addresses,
        stop,
        accepting,
        serving,
    })
}

impl Running {
    /// Where it listens.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Stops: nothing new is taken in, what is under way is finished, for as long as
    /// [`tailorbird_app::STOP_GRACE`] at most.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.accepting {
            if let Err(error) = task.await {
                tracing::error!(%error, "a listener ended badly");
            }
        }
        self.serving.stop().await;
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let fail = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(fail)?;
    let bound = listener.local_addr().map_err(fail)?;
    Ok((listener, bound))
}
