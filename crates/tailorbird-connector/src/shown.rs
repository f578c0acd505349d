//! A request as people may see it before or after it is sent: secrets masked, and where it is signed, the signature
//! base string step by step (RFC 5849 §3.4.1).
//!
//! The base string is made of the masked request, by the signer's own code: what is shown is what is signed, with a word
//! in place of each secret. Nothing is taken apart that was not put together by the signer.
//!
//! A client key is a name and is shown, but where key and secret were swapped it is the secret. So a key that is no shorter
//! than its secret is masked, too: at the providers known, keys are shorter.

use serde::Serialize;
use tailorbird_model::Failure;
use tailorbird_model::ports::Credentials;
use tailorbird_oauth::{
    Placement, TemporaryCredentials, base_string, form_decode, percent_decode, percent_encode,
};

use crate::authenticate::{Purpose, Stamp, address_of, authenticate, form_body, protocol_parameters};
use crate::authorize::post;
use crate::connector::Connector;
use crate::origin::Address;
use crate::request::{MASK, MaskedRequest, Request, mask_form, mask_url};
use crate::resolve::{OAuth1Settings, Resolved};
use crate::transport::WireRequest;

/// What stands in the base string in place of a secret: letters only, so that no encoding changes them.
const MASK_IN_BASE_STRING: &str = "MASKED";

/// Protocol parameters that prove something.
const SECRET_PARAMETERS: [&str; 2] = ["oauth_token", "oauth_verifier"];

/// A request as people may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// What goes onto the wire, secrets masked.
    #[serde(flatten)]
    pub request: MaskedRequest,
    /// How its signature comes about, where it is signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<SignatureSteps>,
}

/// How a signature comes about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignatureSteps {
    /// The signature method, by its registered name.
    pub signature_method: &'static str,
    /// The HTTP method, the first part of the base string.
    pub http_method: String,
    /// The base string URI (RFC 5849 §3.4.1.2), the second part.
    pub uri: String,
    /// The parameters, encoded and sorted (RFC 5849 §3.4.1.3).
    pub parameters: Vec<SignedParameter>,
    /// The parameters joined, the third part before its own encoding.
    pub normalized: String,
    /// The signature base string.
    pub base_string: String,
    /// What the key is made of.
    pub key: &'static str,
    /// Where the signature travels: header, query or body.
    pub placement: &'static str,
}

/// One parameter of the base string.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignedParameter {
    /// Its name, encoded.
    pub name: String,
    /// Its value, encoded; masked where it is secret.
    pub value: String,
    /// Where it stands in the request: protocol, query or form.
    pub from: &'static str,
}

/// Which request of a connection is shown.
#[derive(Debug, Clone, Copy)]
pub enum Showing<'a> {
    /// A call with the connection's credentials.
    Call(&'a Request),
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

impl Connector {
    /// Shows a request as it will be sent, or, by the stamp of its answer, as it was sent. Nothing is sent.
    ///
    /// Where the connection cannot sign yet, the plain request is shown. None where the connection has no address for
    /// it yet.
    ///
    /// # Errors
    /// AUTH-013 where the credentials cannot sign, CONN-003 for another origin.
    pub fn shown(
        &self,
        resolved: &Resolved,
        credentials: &Credentials,
        showing: Showing<'_>,
        stamp: Option<&Stamp>,
    ) -> Result<Option<Shown>, Failure> {
        let settings = resolved.oauth1();
        let address = |pick: fn(&OAuth1Settings) -> &Option<url::Url>| {
            settings.and_then(|settings| pick(settings).as_ref()).map(post)
        };
        let made;
        let (request, purpose) = match showing {
            Showing::Call(request) => (request, Purpose::Call),
            Showing::TemporaryCredentials { callback } => {
                let Some(request) = address(|settings| &settings.temporary_credentials_url) else {
                    return Ok(None);
                };
                made = request;
                (&made, Purpose::TemporaryCredentials { callback })
            }
            Showing::TokenCredentials { temporary, verifier } => {
                let Some(request) = address(|settings| &settings.token_url) else {
                    return Ok(None);
                };
                made = request;
                (&made, Purpose::TokenCredentials { temporary, verifier })
            }
        };
        let lacks = crate::resolve::missing(resolved, credentials);
        let is_ready = match purpose {
            Purpose::Call => lacks.is_empty(),
            _ => lacks
                .iter()
                .all(|lack| matches!(lack.field, "token" | "root_url")),
        };
        if !is_ready {
            return Ok(Some(Shown {
                request: request.masked(),
                signature: None,
            }));
        }
        let drawn;
        let stamp = if let Some(stamp) = stamp {
            stamp
        } else {
            drawn = self.fresh_stamp()?;
            &drawn
        };
        let address = address_of(resolved, request)?;
        let wire = authenticate(resolved, credentials, (request, address), purpose, stamp)?;
        let mut masked = wire.masked(request);
        if let Some(key) = doubtful_key(credentials) {
            mask_key(&mut masked, key);
        }
        Ok(Some(Shown {
            request: masked,
            signature: settings.and_then(|settings| steps(settings, credentials, request, purpose, stamp)),
        }))
    }
}

/// The client key, where it may be the secret.
fn doubtful_key(credentials: &Credentials) -> Option<&str> {
    let client = credentials.client.as_ref()?;
    let secret = client.secret.expose_for_sealing();
    (!secret.is_empty() && client.key.len() >= secret.len()).then_some(client.key.as_str())
}

/// Masks the client key wherever the signature may have put it.
fn mask_key(request: &mut MaskedRequest, key: &str) {
    let encoded = percent_encode(key);
    let masked = |text: &str| text.replace(&encoded, MASK).replace(key, MASK);
    request.url = masked(&request.url);
    for (_, value) in &mut request.headers {
        *value = masked(value);
    }
    request.body = request.body.as_deref().map(masked);
}

fn steps(
    settings: &OAuth1Settings,
    credentials: &Credentials,
    request: &Request,
    purpose: Purpose<'_>,
    stamp: &Stamp,
) -> Option<SignatureSteps> {
    let wire = WireRequest {
        method: request.method,
        address: Address::parse(&request.url)?,
        headers: Vec::new(),
        body: request.body.bytes(),
    };
    let form = form_body(settings, request, &wire);
    let parameters = protocol_parameters(settings, credentials, purpose, stamp, &wire, form.is_some())?;
    let protocol: Vec<(&str, &str)> = parameters
        .pairs()
        .iter()
        .map(|(name, value)| {
            let is_secret = SECRET_PARAMETERS.contains(&name.as_ref())
                || (name == "oauth_consumer_key" && doubtful_key(credentials).is_some());
            (
                name.as_ref(),
                if is_secret {
                    MASK_IN_BASE_STRING
                } else {
                    value.as_ref()
                },
            )
        })
        .collect();
    let url = mask_url(&request.url).replace(MASK, MASK_IN_BASE_STRING);
    let form = form.map(|form| {
        String::from_utf8(form)
            .map(|form| mask_form(&form).replace(MASK, MASK_IN_BASE_STRING))
            .unwrap_or_default()
    });
    let text = base_string(
        request.method.as_str(),
        &url,
        form.as_deref().map(str::as_bytes),
        &protocol,
    )
    .ok()?;
    let decoded = |part: &str| String::from_utf8(percent_decode(part)).unwrap_or_default();
    let mut parts = text.splitn(3, '&');
    let (http_method, uri, rest) = (parts.next()?.to_owned(), parts.next()?, parts.next()?);
    let normalized = decoded(rest);
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let parameters = normalized
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let plain = decoded(name);
            let from = if protocol.iter().any(|(known, _)| *known == plain) {
                "protocol"
            } else if names(query).any(|known| known == plain.as_bytes()) {
                "query"
            } else {
                "form"
            };
            SignedParameter {
                name: name.to_owned(),
                value: value.to_owned(),
                from,
            }
        })
        .collect();
    let method = settings.signature_method;
    let is_form = form.is_some();
    let has_token = !matches!(purpose, Purpose::TemporaryCredentials { .. })
        && (!matches!(purpose, Purpose::Call) || credentials.token.is_some());
    Some(SignatureSteps {
        signature_method: method.name(),
        http_method,
        uri: decoded(uri),
        parameters,
        normalized,
        base_string: text,
        key: match (method.is_rsa(), purpose, has_token) {
            (true, ..) => "the RSA private key",
            (_, Purpose::TokenCredentials { .. }, _) => "client secret & secret of the request token",
            (_, _, true) => "client secret & token secret",
            (_, _, false) => "client secret & nothing: there is no token yet",
        },
        placement: match (settings.placement, is_form) {
            (Placement::Query, _) => "the query",
            (Placement::Body, true) => "the body",
            _ => "the Authorization header",
        },
    })
}

/// The names of a form-encoded text, decoded.
fn names(form: &str) -> impl Iterator<Item = Vec<u8>> {
    form.split('&')
        .map(|pair| form_decode(pair.split('=').next().unwrap_or_default()))
}
