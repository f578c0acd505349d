//! Answers that refuse: `application/problem+json` (RFC 9457). Status codes are chosen here and nowhere else.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use tailorbird_model::{Failure, codes};

use crate::guard::Refused;

/// A failure with the status that fits it.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    failure: Failure,
}

impl Problem {
    /// Nothing lies at that path.
    pub(crate) fn not_found(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, codes::REQUEST_REFUSED, what, hint)
    }

    /// It lies there and does not take that method.
    pub(crate) fn method(method: &http::Method) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            codes::REQUEST_REFUSED,
            format!("{method} is not possible here"),
            "These paths are read with GET.",
        )
    }

    /// What is shown could not be read.
    pub(crate) fn store(failure: Failure) -> Self {
        tracing::error!(%failure, "a request could not be answered");
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            failure,
        }
    }

    /// Work on an answer ended abruptly.
    pub(crate) fn broke_off(error: &tokio::task::JoinError) -> Self {
        tracing::error!(%error, "an answer could not be made");
        let failure = Failure::new(
            codes::INTERNAL,
            tailorbird_model::Meaning::NotSent,
            "the answer could not be made",
        );
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            failure,
        }
    }

    /// There is no webhook at that path.
    pub(crate) fn hook_unknown() -> Self {
        Self::not_found(
            "there is no webhook at this path",
            "A webhook's path is in its task's trigger.",
        )
    }

    /// Webhooks are posted to.
    pub(crate) fn hook_method(method: &http::Method) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            codes::REQUEST_REFUSED,
            format!("{method} is not possible here"),
            "Webhooks are sent with POST.",
        )
    }

    /// A webhook refuses a request. What the sender learns is short; the rest is in `task show`.
    pub(crate) fn hook(status: StatusCode, what: impl Into<String>) -> Self {
        Self::new(status, codes::HOOK_REFUSED, what, "")
    }

    /// A page refuses a request.
    pub(crate) fn form(status: StatusCode, what: impl Into<String>) -> Self {
        Self::new(status, codes::REQUEST_REFUSED, what, "")
    }

    fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        let failure = Failure::new(code, tailorbird_model::Meaning::Rejected, message).hint(hint);
        Self { status, failure }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let (message, hint) = match refused {
            Refused::Host(host) => (
                format!("the Host header {host:?} does not name loopback"),
                "Use http://127.0.0.1 or http://localhost with the port. Other names are refused, so that no \
                 web page can reach this server through a name that it made up.",
            ),
            Refused::Origin(origin) => (
                format!("a write from {origin} is refused"),
                "Only this server's own pages may write with a browser.",
            ),
            Refused::Forwarded(header) => (
                format!("the request was forwarded by a proxy (header {header})"),
                "Without user accounts this listener answers this machine only. For webhooks, give them a \
                 listener of their own with --webhook-listen and let the proxy lead there.",
            ),
        };
        Self::new(StatusCode::FORBIDDEN, codes::REQUEST_REFUSED, message, hint)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, failure } = self;
        let mut body = json!({
            "title": failure.message,
            "status": status.as_u16(),
            "code": failure.code,
        });
        for (name, text) in [("detail", failure.detail), ("hint", failure.hint)] {
            if !text.is_empty()
                && let Some(members) = body.as_object_mut()
            {
                members.insert(name.to_owned(), text.into());
            }
        }
        let mut response = (status, Json(body)).into_response();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        response
    }
}
