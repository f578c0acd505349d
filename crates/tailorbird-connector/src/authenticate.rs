//! Turns a plain request into what goes onto the wire: one file per scheme.
//!
//! Invariant: credentials go only to the origins of the resolved connection. The check is here, right
//! before they are used, so that no caller can forget it.

mod oauth1;
mod stamp;

use tailorbird_model::ports::Credentials;
use tailorbird_model::{Failure, Meaning, codes};
use tailorbird_oauth::TemporaryCredentials;

use crate::origin::{Address, Origin};
use crate::request::{MaskedRequest, Request, mask_headers, mask_shortened, mask_url};
use crate::resolve::{Resolved, Scheme};
use crate::transport::WireRequest;

pub(crate) use oauth1::{form_body, protocol_parameters};
pub use stamp::Stamp;

/// On whose behalf a request is signed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose<'a> {
    /// A call with the connection's credentials; without a token it is two-legged.
    Call,
    /// The request for temporary credentials (RFC 5849 §2.1).
    TemporaryCredentials {
        /// Where the account's owner is sent back to, or `oob`.
        callback: &'a str,
    },
    /// The request for token credentials (RFC 5849 §2.3).
    TokenCredentials {
        /// What is exchanged.
        temporary: &'a TemporaryCredentials,
        /// What the account's owner brought back.
        verifier: &'a str,
    },
}

/// Where a request goes.
///
/// # Errors
/// CONN-003 where that is no http or https address.
pub(crate) fn address_of(resolved: &Resolved, request: &Request) -> Result<Address, Failure> {
    Address::parse(&request.url).ok_or_else(|| elsewhere(resolved, request, None))
}

/// Authenticates a request to its address ([`address_of`]) with a nonce and a time.
pub(crate) fn authenticate(
    resolved: &Resolved,
    credentials: &Credentials,
    (request, address): (&Request, Address),
    purpose: Purpose<'_>,
    stamp: &Stamp,
) -> Result<WireRequest, Failure> {
    if !resolved.origins.contains(address.origin()) {
        return Err(elsewhere(resolved, request, Some(address.origin())));
    }
    let mut wire = WireRequest {
        method: request.method,
        address,
        headers: request.headers.clone(),
        body: request.body.bytes(),
    };
    if !wire
        .headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("accept"))
    {
        wire.headers
            .push(("Accept".to_owned(), "application/json, */*;q=0.5".to_owned()));
    }
    if let Some(content_type) = request.body.content_type() {
        wire.headers.push(("Content-Type".to_owned(), content_type));
    }
    match &resolved.scheme {
        Scheme::None => Ok(wire),
        Scheme::OAuth1(settings) => oauth1::sign(settings, credentials, request, purpose, stamp, wire),
    }
}

fn elsewhere(resolved: &Resolved, request: &Request, origin: Option<&Origin>) -> Failure {
    let places: Vec<String> = resolved.origins.iter().map(Origin::to_string).collect();
    Failure::new(
        codes::ADDRESS_REFUSED,
        Meaning::ConnectionFault,
        format!(
            "{} was not sent: its address is not one of this connection's",
            request.name()
        ),
    )
    .detail(format!(
        "Credentials go only to {}. The address is on {}.",
        places.join(", "),
        origin.map_or_else(|| "no origin at all".to_owned(), Origin::to_string)
    ))
    .hint(
        "A request that was built before the connection's root URL changed cannot be sent over it any more.",
    )
}

impl WireRequest {
    /// The request as people may see it.
    pub(crate) fn masked(&self, request: &Request) -> MaskedRequest {
        let plain = request.masked();
        let is_multipart = matches!(request.body, crate::request::RequestBody::Multipart(_));
        let content_type = self
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
            .map(|(_, value)| value.as_str())
            .unwrap_or_default();
        let body = match plain.body {
            shown @ Some(_) if is_multipart => shown,
            _ if self.body.is_empty() => None,
            _ => Some(mask_shortened(content_type, &self.body)),
        };
        MaskedRequest {
            method: self.method,
            url: mask_url(self.address.as_str()),
            headers: mask_headers(&self.headers),
            body,
        }
    }
}
