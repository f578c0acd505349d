//! One authenticated request as the handlers see it: who calls, what was sent, and the way to the state.
//!
//! Handlers take a [`Call`] and nothing else, so that none of them reads a header, a body or the clock in a
//! way of its own.

use super::legacy_error::LegacyError;
use super::problem::Problem;
use crate::Shared;
use crate::oauth::Caller;
use crate::state::{Event, State};
use axum::extract::{
    DefaultBodyLimit, FromRequest, FromRequestParts as _, Multipart, RawPathParams, Request,
};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;

/// Largest body in bytes that an endpoint reads; the server in front has the same cap.
const MAX_BODY: usize = 6 * 1024 * 1024;

/// Most parts of a multipart body that are read.
const MAX_PARTS: usize = 32;

/// One request, authenticated.
pub(crate) struct Call {
    /// The sandbox.
    pub(crate) shared: Shared,
    /// Whose token signed it, for which application, at which level.
    pub(crate) caller: Caller,
    /// The raw query, without `?`.
    pub(crate) query: String,
    /// The raw body.
    pub(crate) body: Bytes,
    content_type: Option<String>,
    segments: Vec<(String, String)>,
}

/// A part of a multipart body.
#[derive(Debug)]
pub(crate) struct Part {
    /// The field's name.
    pub(crate) name: String,
    /// The content.
    pub(crate) content: Bytes,
}

/// What the state's journal could not take; both API versions have a body for it.
#[derive(Debug)]
pub(crate) struct NotStored;

impl From<NotStored> for Problem {
    fn from(_: NotStored) -> Self {
        Self::internal()
    }
}

impl From<NotStored> for LegacyError {
    fn from(_: NotStored) -> Self {
        Self::internal()
    }
}

impl Call {
    /// The account the token acts for.
    pub(crate) fn account(&self) -> u64 {
        self.caller.account_id
    }

    /// The sandbox's present moment.
    pub(crate) fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// A segment of the path by its name in the route, decoded; a trailing `.json` is cut, because both
    /// spellings of v1.1 lead to one handler.
    pub(crate) fn segment(&self, name: &str) -> &str {
        let value = self
            .segments
            .iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value.as_str());
        value.strip_suffix(".json").unwrap_or(value)
    }

    /// The content type as sent.
    pub(crate) fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// Whether the body is of this media type, whatever its parameters.
    pub(crate) fn body_is(&self, media_type: &str) -> bool {
        self.content_type
            .as_deref()
            .and_then(|value| value.split(';').next())
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case(media_type))
    }

    /// Looks at the state.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        self.shared.store.read(look)
    }

    /// Decides under the state's lock and waits until the decision is durable.
    ///
    /// # Errors
    /// [`NotStored`] when the state file does not take the events.
    pub(crate) async fn write<T>(
        &self,
        decide: impl FnOnce(&State) -> (Vec<Event>, T),
    ) -> Result<T, NotStored> {
        self.shared.store.transact(decide).await.map_err(|error| {
            tracing::error!(%error, "an answer was refused because its effect could not be stored");
            NotStored
        })
    }

    /// The name of the calling application, which posts show as their source.
    pub(crate) fn application_name(&self) -> String {
        self.read(|state| {
            let application = state.applications.get(&self.caller.application_id);
            application
                .map(|application| application.name.clone())
                .unwrap_or_default()
        })
    }

    /// Refuses callers whose token may only read, as v2 does.
    ///
    /// # Errors
    /// `oauth1-permissions`
    pub(crate) fn must_write(&self) -> Result<(), Problem> {
        if self.caller.level.writes() {
            Ok(())
        } else {
            Err(Problem::level())
        }
    }

    /// Refuses callers whose token does not cover direct messages, as v2 does.
    ///
    /// # Errors
    /// `oauth1-permissions`
    pub(crate) fn must_message(&self) -> Result<(), Problem> {
        if self.caller.level.direct_messages() {
            Ok(())
        } else {
            Err(Problem::level())
        }
    }

    /// The parts of a multipart body; `None` where the body is not multipart or is broken.
    pub(crate) async fn parts(&self) -> Option<Vec<Part>> {
        let mut request = Request::new(axum::body::Body::from(self.body.clone()));
        let content_type = HeaderValue::from_str(self.content_type.as_deref()?).ok()?;
        request.headers_mut().insert(CONTENT_TYPE, content_type);
        // The bytes are here and counted already: axum's own cap of 2 MB would refuse media that X takes.
        DefaultBodyLimit::disable().apply(&mut request);
        let mut multipart = Multipart::from_request(request, &()).await.ok()?;
        let mut parts = Vec::new();
        while let Some(field) = multipart.next_field().await.ok()? {
            if parts.len() == MAX_PARTS {
                return None;
            }
            let name = field.name().unwrap_or_default().to_owned();
            let content = field.bytes().await.ok()?;
            parts.push(Part { name, content });
        }
        Some(parts)
    }
}

impl FromRequest<Shared> for Call {
    type Rejection = Response;

    async fn from_request(request: Request, shared: &Shared) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let caller = parts
            .extensions
            .get::<Caller>()
            .cloned()
            .ok_or_else(|| StatusCode::INTERNAL_SERVER_ERROR.into_response())?;
        let Some(segments) = segments(&mut parts).await else {
            return Err(StatusCode::BAD_REQUEST.into_response());
        };
        let body = axum::body::to_bytes(body, MAX_BODY)
            .await
            .map_err(|_| StatusCode::PAYLOAD_TOO_LARGE.into_response())?;
        Ok(Self {
            shared: shared.clone(),
            caller,
            query: parts.uri.query().unwrap_or_default().to_owned(),
            content_type: content_type(&parts.headers),
            body,
            segments,
        })
    }
}

/// Reads the named segments of a matched route; a route without names has none.
async fn segments(parts: &mut http::request::Parts) -> Option<Vec<(String, String)>> {
    let params = RawPathParams::from_request_parts(parts, &()).await.ok()?;
    Some(
        params
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    )
}

fn content_type(headers: &HeaderMap) -> Option<String> {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
}
