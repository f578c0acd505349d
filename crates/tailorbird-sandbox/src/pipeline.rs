//! The way of every request: guard, faults, authentication, limits, handler, disk, log.
//!
//! It stands around the routers instead of inside them, because a fault must be able to close the connection
//! without a byte of an answer, which no response value can say.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, header};
use tower::ServiceExt;

use crate::faults::{Fault, FaultKind};
use crate::guard::{self, Refused, Scheme};
use crate::oauth::{self, Caller, Verdict};
use crate::record::{Received, kept_body, masked_form, masked_headers};
use crate::{Shared, clock, shapes};

/// The longest body of an API call in bytes: a segment of an upload and its envelope.
const API_BODY_MAX: usize = 6 * 1024 * 1024;
/// The longest body of anything else in bytes.
const PAGE_BODY_MAX: usize = 1024 * 1024;
/// How long a body may take to arrive.
const BODY_READ_TIMEOUT: Duration = Duration::from_secs(30);
/// How long half an answer is left on the wire before the connection closes, so that it really leaves.
const CUT_PAUSE: Duration = Duration::from_millis(60);

/// The connection is to be closed without an answer.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("connection closed without an answer, as a fault asks")]
pub(crate) struct Dropped;

/// Everything a connection needs to answer requests.
#[derive(Clone)]
pub(crate) struct Pipeline {
    shared: Shared,
    admin: Router,
    api: Router,
    portal: Router,
}

/// Which rules a path is under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Area {
    /// JSON for scripts below `/_sandbox/`.
    Admin,
    /// The signed endpoints of the OAuth flow.
    OAuth,
    /// X API v2 and v1.1.
    Api,
    /// Portal and consent pages.
    Page,
}

fn area(path: &str) -> Area {
    if path == "/_sandbox" || path.starts_with("/_sandbox/") {
        Area::Admin
    } else if oauth::is_endpoint(path) {
        Area::OAuth
    } else if path.starts_with("/2/") || path.starts_with("/1.1/") {
        Area::Api
    } else {
        Area::Page
    }
}

/// A request with its body read: what authentication, handlers and the log look at.
pub(crate) struct Arrived {
    pub scheme: Scheme,
    pub host: String,
    pub head: http::request::Parts,
    pub body: Bytes,
}

impl Arrived {
    pub(crate) fn path(&self) -> &str {
        self.head.uri.path()
    }

    pub(crate) fn content_type(&self) -> &str {
        self.head
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

impl Pipeline {
    /// Puts the routers behind the pipeline.
    pub(crate) fn new(shared: Shared) -> Self {
        Self {
            admin: crate::admin::router(Shared::clone(&shared)),
            api: crate::api::router(Shared::clone(&shared)),
            portal: crate::portal::router(Shared::clone(&shared)),
            shared,
        }
    }

    /// The same as one router, for callers in this process. A fault that closes the connection has none to
    /// close here and shows as 502.
    pub(crate) fn into_router(self) -> Router {
        Router::new().fallback(move |request: Request<Body>| {
            let pipeline = self.clone();
            async move {
                pipeline
                    .handle(Scheme::Http, request)
                    .await
                    .unwrap_or_else(|dropped| (StatusCode::BAD_GATEWAY, dropped.to_string()).into_response())
            }
        })
    }

    /// Answers one request.
    ///
    /// # Errors
    /// [`Dropped`] where the connection is to be closed instead.
    pub(crate) async fn handle(&self, scheme: Scheme, request: Request<Body>) -> Result<Response, Dropped> {
        let mut response = self.answer(scheme, request).await?;
        // hyper would write the system's time; the sandbox lives in its own.
        if let Ok(date) = HeaderValue::from_str(&clock::http_date(self.shared.clock.now())) {
            response.headers_mut().insert(header::DATE, date);
        }
        Ok(response)
    }

    async fn answer(&self, scheme: Scheme, request: Request<Body>) -> Result<Response, Dropped> {
        let (head, body) = request.into_parts();
        let host = match head.headers.get(header::HOST) {
            Some(host) => host.to_str().unwrap_or_default().to_owned(),
            None => head.uri.authority().map(ToString::to_string).unwrap_or_default(),
        };
        if let Err(refused) = guard::check(scheme, &head.method, &host, &head.headers) {
            return Ok(turned_away(&refused));
        }
        let area = area(head.uri.path());
        let most = if area == Area::Api {
            API_BODY_MAX
        } else {
            PAGE_BODY_MAX
        };
        let body = match tokio::time::timeout(BODY_READ_TIMEOUT, axum::body::to_bytes(body, most)).await {
            Ok(Ok(body)) => body,
            Ok(Err(_)) => {
                let text = format!("The body is longer than {most} bytes, or did not arrive whole.\n");
                return Ok((StatusCode::PAYLOAD_TOO_LARGE, text).into_response());
            }
            Err(_) => {
                return Ok(
                    (StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time.\n").into_response(),
                );
            }
        };
        let arrived = Arrived {
            scheme,
            host,
            head,
            body,
        };
        match area {
            Area::Admin => {
                let response = self.settle(forward(&self.admin, arrived, None).await).await?;
                Ok(not_for_other_sites(response))
            }
            Area::Page => self.page(arrived).await,
            Area::OAuth | Area::Api => self.signed(area, arrived).await,
        }
    }

    /// Portal and consent pages. Only the consent pages are logged: they are part of what a client does.
    async fn page(&self, arrived: Arrived) -> Result<Response, Dropped> {
        let fault = self
            .shared
            .faults
            .take(arrived.head.method.as_str(), arrived.path());
        let logged = arrived
            .path()
            .starts_with("/oauth/")
            .then(|| self.begin(&arrived));
        let (response, fault) = match fault {
            Some(fault) if refuses(&fault) => (refusal(&fault, arrived.path()), None),
            other => (
                self.settle(forward(&self.portal, arrived, None).await).await?,
                other,
            ),
        };
        if let Some(mut received) = logged {
            "A page, shown to a person; nothing is signed here.".clone_into(&mut received.verdict);
            self.finish(received, &response, fault.as_ref());
        }
        play(fault, response).await
    }

    /// The OAuth endpoints and the API.
    async fn signed(&self, area: Area, arrived: Arrived) -> Result<Response, Dropped> {
        let mut received = self.begin(&arrived);
        let fault = self
            .shared
            .faults
            .take(arrived.head.method.as_str(), arrived.path());
        if let Some(fault) = fault.as_ref().filter(|fault| refuses(fault)) {
            let response = refusal(fault, arrived.path());
            "Refused by a fault, before the signature was looked at.".clone_into(&mut received.verdict);
            self.finish(received, &response, Some(fault));
            return Ok(response);
        }
        let response = if area == Area::OAuth {
            let (response, verdict) = oauth::endpoint(&self.shared, &arrived).await;
            note(&mut received, verdict);
            response
        } else {
            self.api(arrived, &mut received).await
        };
        let response = self.settle(response).await?;
        self.finish(received, &response, fault.as_ref());
        play(fault, response).await
    }

    /// Authentication, level, limits, handler.
    async fn api(&self, arrived: Arrived, received: &mut Received) -> Response {
        let path = arrived.path().to_owned();
        let method = arrived.head.method.clone();
        let (caller, mut verdict) = match oauth::authenticate(&self.shared, &arrived).await {
            Ok(authenticated) => authenticated,
            Err(refused) => {
                note(received, refused.verdict);
                return refused.response;
            }
        };
        received.account = self.username(caller.account_id);
        let access_level = HeaderValue::from_static(caller.level.header_value());
        let limits = self
            .shared
            .limits
            .take(&method, &path, &caller, self.shared.clock.now_s());
        let mut response = if let Some(response) = oauth::level_refusal(&method, &path, caller.level) {
            verdict.add(&format!(
                "Refused: the token's level is \"{}\", and this call needs more. A token keeps the level the \
                 application had when it was authorized: raise the level, then authorize again.",
                caller.level.portal_words()
            ));
            response
        } else if let Some(which) = limits.exceeded {
            verdict.add(&format!("Refused: {which} is used up until {}.", limits.reset_s));
            shapes::rate_limited(&path)
        } else {
            forward(&self.api, arrived, Some(caller)).await
        };
        note(received, verdict);
        limits.write_headers(response.headers_mut());
        response.headers_mut().insert("x-access-level", access_level);
        response
    }

    /// Holds an answer back until everything it may tell of is on disk.
    async fn settle(&self, response: Response) -> Result<Response, Dropped> {
        match self.shared.store.settled().await {
            Ok(()) => Ok(response),
            Err(error) => {
                tracing::error!(%error, "an answer was replaced by 503");
                Ok(shapes::storage_failed())
            }
        }
    }

    fn begin(&self, arrived: &Arrived) -> Received {
        Received {
            number: 0,
            at: self.shared.clock.now(),
            duration_ms: 0,
            scheme: arrived.scheme.as_str(),
            method: arrived.head.method.to_string(),
            host: arrived.host.clone(),
            path: arrived.path().to_owned(),
            query: masked_form(arrived.head.uri.query().unwrap_or_default()),
            headers: masked_headers(&arrived.head.headers),
            body: kept_body(arrived.content_type(), &arrived.body),
            body_bytes: u64::try_from(arrived.body.len()).unwrap_or(u64::MAX),
            status: None,
            verified: None,
            verdict: String::new(),
            base_string: None,
            steps: Vec::new(),
            client_key: None,
            account: None,
            fault: None,
        }
    }

    fn finish(&self, mut received: Received, response: &Response, fault: Option<&Fault>) {
        let lost = fault.is_some_and(|fault| fault.kind == FaultKind::LoseAnswer);
        received.status = (!lost).then(|| response.status().as_u16());
        received.fault = fault
            .and_then(|fault| serde_json::to_value(fault.kind).ok())
            .and_then(|kind| kind.as_str().map(str::to_owned));
        received.duration_ms =
            u64::try_from(self.shared.clock.now().duration_since(received.at).as_millis()).unwrap_or(0);
        self.shared.record.keep(received);
    }

    fn username(&self, account: u64) -> Option<String> {
        self.shared.store.read(|state| {
            state
                .accounts
                .get(&account)
                .map(|account| account.username.clone())
        })
    }
}

fn note(received: &mut Received, verdict: Verdict) {
    received.verified = verdict.verified;
    received.verdict = verdict.words;
    received.base_string = verdict.base_string;
    received.steps = verdict.steps;
    received.client_key = verdict.client_key;
}

async fn forward(router: &Router, arrived: Arrived, caller: Option<Caller>) -> Response {
    let mut request = Request::from_parts(arrived.head, Body::from(arrived.body));
    request.extensions_mut().insert(arrived.scheme);
    if let Some(caller) = caller {
        request.extensions_mut().insert(caller);
    }
    match router.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// These answers hold keys and verifiers. A page of another site cannot read them, but without these headers
/// it could load them as a script or an image and learn from what happens.
fn not_for_other_sites(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    response
}

fn refuses(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::TooManyRequests | FaultKind::Unavailable)
}

/// The answer of a fault that strikes before any effect.
fn refusal(fault: &Fault, path: &str) -> Response {
    let mut response = match fault.kind {
        FaultKind::TooManyRequests => shapes::rate_limited(path),
        _ => shapes::over_capacity(path),
    };
    if let Some(seconds) = fault.seconds {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Plays a fault that strikes after the effect.
async fn play(fault: Option<Fault>, response: Response) -> Result<Response, Dropped> {
    let Some(fault) = fault else { return Ok(response) };
    match fault.kind {
        FaultKind::LoseAnswer => Err(Dropped),
        FaultKind::Delay => {
            tokio::time::sleep(Duration::from_secs(fault.seconds.unwrap_or(1))).await;
            Ok(response)
        }
        FaultKind::Cut => {
            let (mut head, body) = response.into_parts();
            let whole = axum::body::to_bytes(body, API_BODY_MAX).await.unwrap_or_default();
            // The announced length is that of the whole body: the client can see that something is missing.
            head.headers
                .insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
            let half = whole.slice(..whole.len() / 2);
            let chunks = futures_util::stream::unfold(Some(half), |next| async move {
                if let Some(half) = next {
                    return Some((Ok(half), None));
                }
                tokio::time::sleep(CUT_PAUSE).await;
                Some((Err(Dropped), None))
            });
            Ok(Response::from_parts(head, Body::from_stream(chunks)))
        }
        FaultKind::BadJson => {
            let (mut head, body) = response.into_parts();
            let whole = axum::body::to_bytes(body, API_BODY_MAX).await.unwrap_or_default();
            let mut broken = whole.slice(..whole.len() / 2).to_vec();
            broken.extend_from_slice(b"<!-- upstream connect error -->");
            head.headers.remove(header::CONTENT_LENGTH);
            Ok(Response::from_parts(head, Body::from(broken)))
        }
        FaultKind::TooManyRequests | FaultKind::Unavailable => Ok(response),
    }
}

fn turned_away(refused: &Refused) -> Response {
    let (code, message, detail, hint) = match refused {
        Refused::Host(host) => (
            "SANDBOX-001",
            "host is not one the sandbox answers for",
            format!("The request named the host \"{host}\"."),
            "Use 127.0.0.1 or localhost. X's own host names are answered by TLS only (--tls-listen or --proxy-listen).",
        ),
        Refused::Origin(origin) => (
            "SANDBOX-002",
            "write from another site refused",
            format!("A browser sent this request for a page of {origin}."),
            "Open the portal at its own address and send the form from there; programs send no Origin header.",
        ),
    };
    shapes::own_error(StatusCode::FORBIDDEN, code, message, &detail, hint)
}

/// Whether a method only reads.
pub(crate) fn reads(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}
