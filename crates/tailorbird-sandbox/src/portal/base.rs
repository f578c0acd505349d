//! The address under which the visitor reached the sandbox. It is part of every signature, so the portal shows
//! exactly this one and never a configured one.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::header;
use http::request::Parts;

use crate::guard::Scheme;

/// Scheme, host and port as received, such as `http://127.0.0.1:7081`.
#[derive(Debug, Clone)]
pub(super) struct Base(pub String);

impl<S: Sync> FromRequestParts<S> for Base {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let scheme = parts.extensions.get::<Scheme>().copied().unwrap_or(Scheme::Http);
        let host = parts
            .headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok())
            .or_else(|| parts.uri.authority().map(http::uri::Authority::as_str))
            .unwrap_or("127.0.0.1");
        Ok(Self(format!("{}://{host}", scheme.as_str())))
    }
}
