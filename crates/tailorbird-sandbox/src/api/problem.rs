//! The error bodies of X API v2.
//!
//! Answers: which status, title, type and detail does X send for a refusal? Each constructor is one
//! shape that was observed or is published; handlers never assemble a body themselves, so that all
//! endpoints refuse alike. The last part of `type` is what clients should compare: X has used two
//! hosts in front of it.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use serde_json::{Map, Value, json};

/// What stands before the name of a problem in its `type` member.
pub(crate) const TYPE_BASE: &str = "https://api.twitter.com/2/problems/";

/// The sentence X puts into `detail` of every `invalid-request`.
const INVALID_DETAIL: &str = "One or more parameters to your request was invalid.";

/// A refusal by API v2: a status and a problem document.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    body: Value,
}

/// One entry of `errors` in an `invalid-request` problem.
#[derive(Debug, Clone)]
pub(crate) struct InvalidParameter {
    /// The name of the parameter, or the JSON path of the body's member; `None` for the body as a whole.
    pub(crate) name: Option<String>,
    /// The values as received.
    pub(crate) values: Vec<String>,
    /// X's sentence.
    pub(crate) message: String,
}

impl InvalidParameter {
    /// An entry about one named parameter and its value.
    pub(crate) fn new(name: impl Into<String>, value: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            name: Some(name.into()),
            values: vec![value.into()],
            message: message.into(),
        }
    }

    /// An entry about the request as a whole.
    pub(crate) fn whole(message: impl Into<String>) -> Self {
        Self {
            name: None,
            values: Vec::new(),
            message: message.into(),
        }
    }

    fn to_json(&self) -> Value {
        let mut parameters = Map::new();
        if let Some(name) = &self.name {
            parameters.insert(name.clone(), json!(self.values));
        }
        json!({ "parameters": parameters, "message": self.message })
    }
}

impl Problem {
    /// 400 `invalid-request` with one entry per fault.
    pub(crate) fn invalid(faults: &[InvalidParameter]) -> Self {
        let errors: Vec<Value> = faults.iter().map(InvalidParameter::to_json).collect();
        Self {
            status: StatusCode::BAD_REQUEST,
            body: json!({
                "errors": errors,
                "title": "Invalid Request",
                "detail": INVALID_DETAIL,
                "type": format!("{TYPE_BASE}invalid-request"),
                "status": 400,
            }),
        }
    }

    /// 400 `invalid-request` with a single entry.
    pub(crate) fn invalid_one(fault: InvalidParameter) -> Self {
        Self::invalid(&[fault])
    }

    /// A problem without a type of its own: title, status and a sentence.
    pub(crate) fn plain(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        Self {
            status,
            body: json!({
                "detail": detail.into(), "type": "about:blank", "title": title, "status": status.as_u16(),
            }),
        }
    }

    /// 403 for a post with the text of a recent one.
    pub(crate) fn duplicate() -> Self {
        Self::plain(
            StatusCode::FORBIDDEN,
            "You are not allowed to create a Tweet with duplicate content.",
        )
    }

    /// 403 without a special reason.
    pub(crate) fn not_permitted() -> Self {
        Self::plain(
            StatusCode::FORBIDDEN,
            "You are not permitted to perform this action.",
        )
    }

    /// 403 because the token's level does not cover the endpoint.
    pub(crate) fn level() -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            body: json!({
                "title": "Forbidden",
                "status": 403,
                "detail": "Your client app is not configured with the appropriate oauth1 app permissions for this endpoint.",
                "type": format!("{TYPE_BASE}oauth1-permissions"),
            }),
        }
    }

    /// 404 for something named in the path of a write.
    pub(crate) fn not_found(missing: &Missing) -> Self {
        let Value::Object(mut body) = missing.to_json() else {
            return Self::unknown_path();
        };
        body.insert("status".to_owned(), json!(404));
        Self {
            status: StatusCode::NOT_FOUND,
            body: Value::Object(body),
        }
    }

    /// 404 for an address that the API does not have.
    pub(crate) fn unknown_path() -> Self {
        Self::plain(StatusCode::NOT_FOUND, "Not Found")
    }

    /// 405 with the methods the address has; the caller adds the `Allow` header.
    pub(crate) fn method(method: &http::Method) -> Self {
        Self::plain(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("{method} is not allowed on this resource."),
        )
    }

    /// 500: the sandbox's own store did not take an event.
    pub(crate) fn internal() -> Self {
        Self::plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something is broken; the sandbox's own log says what.",
        )
    }

    /// The document.
    #[cfg(test)]
    pub(crate) fn body(&self) -> &Value {
        &self.body
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body.to_string()).into_response();
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}

/// A thing that was asked for and is not there: an entry of `errors` beside `data`, status 200.
#[derive(Debug, Clone)]
pub(crate) struct Missing {
    /// `tweet`, `user`, `list`, `dm_event`, `media`.
    pub(crate) resource: &'static str,
    /// The parameter that named it: `id`, `ids`, `username`, `pinned_tweet_id` …
    pub(crate) parameter: &'static str,
    /// The value that names nothing.
    pub(crate) value: String,
}

impl Missing {
    /// Names what is missing.
    pub(crate) fn new(
        resource: &'static str,
        parameter: &'static str,
        value: impl std::fmt::Display,
    ) -> Self {
        Self {
            resource,
            parameter,
            value: value.to_string(),
        }
    }

    /// The entry as X writes it.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "value": self.value,
            "detail": format!("Could not find {} with {}: [{}].", self.resource, self.parameter, self.value),
            "title": "Not Found Error",
            "resource_type": self.resource,
            "parameter": self.parameter,
            "resource_id": self.value,
            "type": format!("{TYPE_BASE}resource-not-found"),
        })
    }
}
