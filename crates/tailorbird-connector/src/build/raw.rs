//! Any method and path on any service: `call CONNECTION 'METHOD /path'`.

use std::collections::BTreeMap;

use tailorbird_model::service::Method;
use tailorbird_model::{Failure, Meaning, codes};
use url::Url;

use super::{final_url, path, service_headers};
use crate::origin::Origin;
use crate::request::{FORM, JSON, Request, RequestBody};
use crate::resolve::{Resolved, join};

/// A call by method and path.
#[derive(Debug, Clone, Default)]
pub struct RawCall<'a> {
    /// The path below the root URL, maybe with placeholders and a query; or a whole address on its origin.
    pub path: &'a str,
    /// Fills placeholders, then the query for GET, HEAD, DELETE and OPTIONS, else a form. Where a body is
    /// given they go into the query, since a request has one body.
    pub parameters: &'a [(String, String)],
    /// The body.
    pub body: Option<&'a [u8]>,
    /// The body's media type; guessed where absent: JSON if it is JSON, else bytes.
    pub content_type: Option<&'a str>,
}

/// Splits `METHOD /path`; none where the text is not of that form (then it names an operation).
pub fn method_and_path(text: &str) -> Option<(Method, &str)> {
    let (method, path) = text.trim().split_once(char::is_whitespace)?;
    Some((method.parse().ok()?, path.trim_start()))
}

/// Builds a request by method and path. It stays on the origin of the root URL.
///
/// # Errors
/// SVC-004 for a path or parameter that cannot be sent, CONN-003 for another origin, AUTH-006 while the
/// connection has no root URL.
pub fn build_raw(resolved: &Resolved, method: Method, call: &RawCall<'_>) -> Result<Request, Failure> {
    let root = resolved.root()?;
    let wrong = |message: &str, hint: &str| {
        Err(Failure::new(codes::PARAMETER, Meaning::Rejected, message.to_owned()).hint(hint.to_owned()))
    };
    if call.path.chars().any(|c| c.is_control() || c == '\\') {
        return wrong(
            "path holds a control character or a backslash",
            "Percent-encode what belongs to a value.",
        );
    }
    let names: Vec<String> = path::placeholders(call.path)
        .into_iter()
        .map(str::to_owned)
        .collect();
    let mut values = BTreeMap::new();
    let mut rest: Vec<(String, String)> = Vec::new();
    for (name, value) in call.parameters {
        if names.contains(name) {
            values.insert(name.clone(), value.clone());
        } else {
            rest.push((name.clone(), value.clone()));
        }
    }
    let filled = path::fill(call.path, &values)?;
    let base = if filled.starts_with("https://") || filled.starts_with("http://") {
        filled
    } else if filled.starts_with('/') && !filled.starts_with("//") {
        join(root, &filled)
    } else {
        return wrong(
            "path does not begin with one \"/\"",
            "Write for example 'GET /2/users/me'.",
        );
    };
    let parsed = Url::parse(&base).ok();
    if parsed.as_ref().and_then(Origin::of) != Origin::of(root) {
        return Err(Failure::new(
            codes::ADDRESS_REFUSED,
            Meaning::ConnectionFault,
            "address is on another origin than the connection's root URL",
        )
        .detail("Credentials stay with the provider they belong to. Nothing was sent.")
        .hint("Give the path below the root URL, or make a connection for the other provider."));
    }

    let in_query = matches!(
        method,
        Method::Get | Method::Head | Method::Delete | Method::Options
    );
    let (query, body) = match call.body {
        Some(bytes) => (rest, raw_body(bytes, call.content_type)?),
        None if in_query || rest.is_empty() => (rest, RequestBody::None),
        None => match call.content_type {
            None => (Vec::new(), RequestBody::Form(rest)),
            Some(kind) if tailorbird_oauth::is_form_content_type(kind) => {
                (Vec::new(), RequestBody::Form(rest))
            }
            Some(_) => {
                return wrong(
                    "parameters of this method make a form, and another content type was given",
                    "Give the body with --body, or leave --content-type out.",
                );
            }
        },
    };
    Ok(Request {
        operation: None,
        method,
        url: final_url(&base, &query)?,
        headers: service_headers(resolved)?,
        body,
    })
}

fn raw_body(bytes: &[u8], content_type: Option<&str>) -> Result<RequestBody, Failure> {
    let content_type = match content_type {
        Some(kind) if kind.chars().any(char::is_control) || !kind.contains('/') => {
            return Err(Failure::new(
                codes::PARAMETER,
                Meaning::Rejected,
                format!("{:?} is no content type", kind.escape_default().to_string()),
            )
            .hint(format!("Write for example {JSON} or {FORM}.")));
        }
        Some(kind) => kind.trim().to_owned(),
        None if serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok() => JSON.to_owned(),
        None => "application/octet-stream".to_owned(),
    };
    Ok(RequestBody::Raw {
        content_type,
        bytes: bytes.to_vec(),
    })
}
