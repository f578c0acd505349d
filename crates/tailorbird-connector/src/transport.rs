//! The one door to the network.
//!
//! It answers one question that nothing behind it can answer again: did any byte of the request leave? Its
//! errors are of two kinds, [`Unanswered::NotSent`] and [`Unanswered::InDoubt`], and when it cannot tell it
//! says *in doubt*. It never sends a request twice: no retries, no redirects, HTTP/1.1 only, so that one
//! request is on one connection whose fate is known.

mod classify;
mod guard;
mod read;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Client};
use tailorbird_model::measure::{Histogram, Measured};
use tailorbird_model::service::Method;
use tailorbird_model::{Failure, Meaning, codes};

use crate::origin::{Address, Origin};

pub use classify::{Stage, Unanswered};
use guard::Guard;

/// The longest time until a connection stands: name look-up, TCP and TLS.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest silence while an answer is awaited or read.
pub const READ_TIMEOUT: Duration = Duration::from_mins(1);
/// The longest time of a whole call.
pub const TOTAL_TIMEOUT: Duration = Duration::from_mins(2);
/// The largest answer that is read, in bytes, after decompression.
pub const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;
/// The largest request body, in bytes.
pub const MAX_REQUEST_BYTES: usize = 64 * 1024 * 1024;
/// The part of the other time-outs after which a connection must stand.
const LATEST_CONNECT: f32 = 0.75;
/// The most headers of an answer.
const MAX_HEADERS: usize = 200;
/// How long an idle connection is kept for writes. Servers close idle connections after five seconds and
/// more; a write that meets the closing is in doubt, so an older connection is not used for one.
const WRITE_IDLE: Duration = Duration::from_secs(3);
/// How long an idle connection is kept for reads, where a lost answer costs nothing.
const READ_IDLE: Duration = Duration::from_mins(1);
/// Idle connections kept per host: all that may be under way at once, so that sends at full speed make no new ones.
/// What is not needed any more ends by the idle times above.
const MAX_IDLE_PER_HOST: usize = tailorbird_model::connection::MAX_CONCURRENCY;

/// What the transport may do, and for how long.
#[derive(Debug, Clone)]
pub struct TransportSettings {
    /// See [`CONNECT_TIMEOUT`]. Cut to three quarters of the other two, so that it always ends first.
    pub connect_timeout: Duration,
    /// See [`READ_TIMEOUT`].
    pub read_timeout: Duration,
    /// See [`TOTAL_TIMEOUT`].
    pub total_timeout: Duration,
    /// See [`MAX_ANSWER_BYTES`].
    pub max_answer_bytes: usize,
    /// Certificates (PEM) trusted besides the machine's own ones, for a provider with a private CA.
    pub extra_ca_pem: Option<String>,
    /// Our own listeners, which no connection may call.
    pub own_listeners: Vec<SocketAddr>,
}

impl Default for TransportSettings {
    fn default() -> Self {
        Self {
            connect_timeout: CONNECT_TIMEOUT,
            read_timeout: READ_TIMEOUT,
            total_timeout: TOTAL_TIMEOUT,
            max_answer_bytes: MAX_ANSWER_BYTES,
            extra_ca_pem: None,
            own_listeners: Vec::new(),
        }
    }
}

/// What goes onto the wire: authenticated, final.
#[derive(Clone)]
pub(crate) struct WireRequest {
    pub(crate) method: Method,
    pub(crate) address: Address,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct WireAnswer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    /// Why the body is not whole, where it is not. The status holds all the same.
    pub(crate) cut: Option<String>,
}

/// Sends requests. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Transport {
    settings: Arc<TransportSettings>,
    guard: Arc<Guard>,
    extra_certificates: Arc<[Certificate]>,
    clients: Clients,
    times: Arc<Times>,
}

/// How long providers took to answer.
#[derive(Debug, Default)]
struct Times {
    reads: Histogram,
    writes: Histogram,
}

/// How long providers took to answer, or not to: from the request until the answer was read, or given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerTimes {
    /// Requests that only read.
    pub reads: Measured,
    /// All others.
    pub writes: Measured,
}

/// What one client is for.
#[derive(Debug, Clone, Copy)]
struct Use {
    /// Whether private and loopback addresses may answer.
    private: bool,
    /// Whether the request only reads. Reads and writes differ in how long they trust an idle connection.
    safe: bool,
    /// Whether the address is https. Plain http needs no certificates, and loading the machine's takes
    /// longer than anything else at the start of a command.
    secure: bool,
}

impl Use {
    fn place(self) -> usize {
        usize::from(self.private) * 4 + usize::from(self.safe) * 2 + usize::from(self.secure)
    }
}

/// A client for each use, made when it is first needed.
type Clients = Arc<[OnceLock<Client>; 8]>;

impl Transport {
    /// Makes a transport.
    ///
    /// # Errors
    /// CONN-002 where the extra certificates cannot be read or the machine's TLS set-up is broken.
    pub fn new(settings: TransportSettings) -> Result<Self, Failure> {
        let extra = settings
            .extra_ca_pem
            .as_deref()
            .map(str::as_bytes)
            .unwrap_or_default();
        let certificates = Certificate::from_pem_bundle(extra).map_err(|problem| {
            Failure::new(
                codes::CONNECTION_SETTING,
                Meaning::ConnectionFault,
                "extra certificates cannot be read",
            )
            .detail(format!("{problem}."))
            .hint("Give them as PEM, each between BEGIN CERTIFICATE and END CERTIFICATE.")
        })?;
        Ok(Self {
            guard: Arc::new(Guard::new(settings.own_listeners.clone())),
            settings: Arc::new(settings),
            extra_certificates: certificates.into(),
            clients: Clients::default(),
            times: Arc::default(),
        })
    }

    /// How long providers took to answer so far.
    pub(crate) fn times(&self) -> AnswerTimes {
        AnswerTimes {
            reads: self.times.reads.measured(),
            writes: self.times.writes.measured(),
        }
    }

    fn client(&self, wanted: Use) -> Result<Client, Unanswered> {
        let cell = self.clients.get(wanted.place());
        if let Some(client) = cell.and_then(OnceLock::get) {
            return Ok(client.clone());
        }
        let made = self
            .make(wanted)
            .map_err(|problem| Unanswered::refused(format!("network client cannot be set up: {problem}")))?;
        Ok(cell.map_or(made.clone(), |cell| cell.get_or_init(|| made).clone()))
    }

    fn make(&self, wanted: Use) -> Result<Client, reqwest::Error> {
        let resolver = guard::GuardedResolver::new(wanted.private);
        let idle = if wanted.safe { READ_IDLE } else { WRITE_IDLE };
        // Two cryptographic providers may be compiled in by other crates' features; rustls then wants one
        // to be named. A second installation fails and changes nothing, which is what is wanted.
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        let settings = &self.settings;
        // The other time-outs run while the connection is made, too. They must not end first, or a slow
        // connect would look like a lost answer.
        let longest = settings
            .read_timeout
            .min(settings.total_timeout)
            .mul_f32(LATEST_CONNECT);
        let connect_timeout = settings.connect_timeout.min(longest);
        let builder = || {
            Client::builder()
                .http1_only()
                .retry(reqwest::retry::never())
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .no_proxy()
                .dns_resolver(resolver.clone())
                .connect_timeout(connect_timeout)
                .read_timeout(settings.read_timeout)
                .timeout(settings.total_timeout)
                .pool_idle_timeout(idle)
                .pool_max_idle_per_host(MAX_IDLE_PER_HOST)
                .http1_max_headers(MAX_HEADERS)
                .gzip(true)
                .user_agent(concat!("tailorbird/", env!("CARGO_PKG_VERSION")))
        };
        let extra = || self.extra_certificates.iter().cloned();
        if !wanted.secure {
            return builder().tls_certs_only([]).build();
        }
        builder()
            .tls_certs_merge(extra())
            .build()
            .or_else(|_no_certificates_on_this_machine| {
                // A bare container has no certificates. A provider with a private CA is reached all the
                // same; others fail with a TLS error that names the cure.
                builder().tls_certs_only(extra()).build()
            })
    }

    /// Sends one request once.
    ///
    /// `allowed_private` are the places that the connection itself names; only there may a private or
    /// loopback address answer.
    pub(crate) async fn send(
        &self,
        request: WireRequest,
        allowed_private: &std::collections::BTreeSet<Origin>,
    ) -> Result<WireAnswer, Unanswered> {
        let address = request.address;
        let private = allowed_private.contains(address.origin());
        self.guard.check(&address, private)?;
        if request.body.len() > MAX_REQUEST_BYTES {
            return Err(Unanswered::refused(format!(
                "request body has {} bytes; at most {MAX_REQUEST_BYTES} are sent",
                request.body.len()
            )));
        }
        let client = self.client(Use {
            private,
            safe: request.method.is_safe(),
            secure: address.origin().is_secure(),
        })?;

        let mut outgoing = reqwest::Request::new(method(request.method), address.into_url());
        *outgoing.headers_mut() = header_map(&request.headers)?;
        // A POST without a body still says so (RFC 9110 §8.6); some servers answer 411 otherwise.
        if !request.body.is_empty() || matches!(request.method, Method::Post | Method::Put | Method::Patch) {
            *outgoing.body_mut() = Some(request.body.into());
        }
        let times = if request.method.is_safe() {
            &self.times.reads
        } else {
            &self.times.writes
        };
        let started = tokio::time::Instant::now();
        let answered = self.exchange(&client, outgoing, started).await;
        times.observe(started.elapsed());
        answered
    }

    async fn exchange(
        &self,
        client: &Client,
        outgoing: reqwest::Request,
        started: tokio::time::Instant,
    ) -> Result<WireAnswer, Unanswered> {
        let deadline = started + self.settings.total_timeout;
        #[cfg(debug_assertions)]
        let is_write = !outgoing.method().is_safe();
        let executed = client.execute(outgoing);
        #[cfg(debug_assertions)]
        let executed = unanswered_at_first(executed, is_write);
        let sent = tokio::time::timeout_at(deadline, executed).await;
        let response = match sent {
            Err(_elapsed) => return Err(Unanswered::timed_out(self.settings.total_timeout)),
            Ok(Err(error)) => return Err(classify::unanswered(&error)),
            Ok(Ok(response)) => response,
        };
        Ok(read::answer(response, deadline, self.settings.max_answer_bytes).await)
    }
}

/// Says so where a write has left and its answer keeps the program waiting. Nobody tells when the bytes are gone, so it
/// is a matter of time.
#[cfg(debug_assertions)]
async fn unanswered_at_first<T>(executed: impl Future<Output = T>, is_write: bool) -> T {
    /// Long enough for a request on one machine to have left.
    const LEFT_BY: Duration = Duration::from_millis(100);
    let mut executed = std::pin::pin!(executed);
    if let Ok(sent) = tokio::time::timeout(LEFT_BY, executed.as_mut()).await {
        return sent;
    }
    if is_write {
        tailorbird_model::fault::reach("request.unanswered");
    }
    executed.await
}

fn method(method: Method) -> reqwest::Method {
    match method {
        Method::Get => reqwest::Method::GET,
        Method::Head => reqwest::Method::HEAD,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Patch => reqwest::Method::PATCH,
        Method::Delete => reqwest::Method::DELETE,
        Method::Options => reqwest::Method::OPTIONS,
    }
}

fn header_map(headers: &[(String, String)]) -> Result<HeaderMap, Unanswered> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let refused = || Unanswered::refused(format!("header {name:?} holds characters that cannot be sent"));
        let parsed_name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused())?;
        let mut parsed_value = HeaderValue::from_str(value).map_err(|_| refused())?;
        if parsed_name == reqwest::header::AUTHORIZATION {
            parsed_value.set_sensitive(true);
        }
        map.append(parsed_name, parsed_value);
    }
    Ok(map)
}
