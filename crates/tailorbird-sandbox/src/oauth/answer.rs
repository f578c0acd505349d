//! How X answers at the OAuth endpoints: a form labelled as HTML, XML, or plain text.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use tailorbird_oauth::percent_encode;

use super::{Failure, legacy_code};

/// A form-encoded answer under X's own label, which is not that of a form.
pub(super) fn form(pairs: &[(&str, &str)]) -> Response {
    let body = pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", percent_encode(value)))
        .collect::<Vec<_>>()
        .join("&");
    labelled(StatusCode::OK, "text/html;charset=utf-8", body)
}

/// An XML error of `oauth/request_token`.
pub(super) fn xml(status: StatusCode, code: u32, message: &str) -> Response {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<errors><error code=\"{code}\">{message}</error></errors>"
    );
    labelled(status, "application/xml;charset=utf-8", body)
}

/// A plain-text error of `oauth/access_token`.
pub(super) fn text(message: &str) -> Response {
    labelled(
        StatusCode::UNAUTHORIZED,
        "text/html;charset=utf-8",
        message.to_owned(),
    )
}

/// The XML error for a request that is not authenticated.
pub(super) fn unauthenticated_xml(failure: Failure) -> Response {
    let (status, code, message) = legacy_code(failure);
    xml(status, code, message)
}

fn labelled(status: StatusCode, content_type: &'static str, body: String) -> Response {
    let mut response = (status, Body::from(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    // Credentials and their errors must not be kept by anything on the way (RFC 5849 §2.1 example).
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-cache, no-store, must-revalidate"),
    );
    response
}
