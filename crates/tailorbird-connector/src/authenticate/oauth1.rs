//! OAuth 1.0a (RFC 5849): a fresh nonce and timestamp, and a signature over the final wire URL.

use bytes::Bytes;
use tailorbird_model::ports::Credentials;
use tailorbird_model::service::{BodyHash, Method};
use tailorbird_model::{Failure, Meaning, codes};
use tailorbird_oauth::{
    HashAlgorithm, Placed, Placement, ProtocolParameters, RequestToSign, SignError, SignatureMethod, Signer,
    SigningKey, TokenSecret, body_hash, is_form_content_type, place,
};

use super::{Purpose, Stamp};
use crate::origin::Address;
use crate::request::{FORM, Request};
use crate::resolve::{OAuth1Settings, rsa_key};
use crate::transport::WireRequest;

pub(super) fn sign(
    settings: &OAuth1Settings,
    credentials: &Credentials,
    request: &Request,
    purpose: Purpose<'_>,
    stamp: &Stamp,
    mut wire: WireRequest,
) -> Result<WireRequest, Failure> {
    let method = settings.signature_method;
    let origin = wire.address.origin();
    if method == SignatureMethod::Plaintext && !origin.is_secure() && !origin.is_loopback() {
        return Err(
            unusable("PLAINTEXT sends the secrets themselves, and the address is plain http")
                .hint("Use https, or another signature method. On loopback PLAINTEXT is fine."),
        );
    }
    let client = credentials
        .client
        .as_ref()
        .ok_or_else(|| unusable("there are no client credentials"))?;
    let token_secret: Option<&TokenSecret> = match purpose {
        Purpose::Call => credentials.token.as_ref().map(|token| &token.secret),
        Purpose::TemporaryCredentials { .. } => None,
        Purpose::TokenCredentials { temporary, .. } => Some(&temporary.secret),
    };
    let key = if method.is_rsa() {
        let pem =
            rsa_key(credentials).ok_or_else(|| unusable(&format!("{method} needs an RSA private key")))?;
        SigningKey::from_rsa_private_key(method, pem)
    } else {
        SigningKey::from_secrets(method, &client.secret, token_secret)
    }
    .map_err(|problem| unusable(&chain(&problem)))?;

    let content_type = request.body.content_type();
    let form_body = form_body(settings, request, &wire);
    let parameters = protocol_parameters(settings, credentials, purpose, stamp, &wire, form_body.is_some())
        .ok_or_else(|| unusable("there are no client credentials"))?;

    let to_sign = RequestToSign {
        method: wire.method.as_str(),
        url: wire.address.as_str(),
        form_body: form_body.as_deref(),
    };
    let signed = Signer::new()
        .sign(&to_sign, &parameters, &key, settings.realm.as_deref())
        .map_err(|problem| sign_failed(&problem))?;
    let placed = place(&to_sign, &parameters, &signed, settings.placement);
    match placed {
        Placed::Header { authorization } => wire.headers.push(("Authorization".to_owned(), authorization)),
        Placed::Query { url } => {
            wire.address = Address::parse(&url).ok_or_else(|| unusable("the signed address is none"))?;
        }
        Placed::Body { form_body } => {
            wire.body = Bytes::from(form_body);
            if content_type.is_none() {
                wire.headers.push(("Content-Type".to_owned(), FORM.to_owned()));
            }
        }
    }
    Ok(wire)
}

/// The form that is signed with the request, where there is one. A write without a body counts as a form without
/// fields, so that body placement has a place.
pub(crate) fn form_body(settings: &OAuth1Settings, request: &Request, wire: &WireRequest) -> Option<Vec<u8>> {
    let takes_form = matches!(wire.method, Method::Post | Method::Put | Method::Patch);
    match request.body.content_type() {
        Some(kind) if is_form_content_type(&kind) => Some(wire.body.to_vec()),
        None if takes_form && settings.placement == Placement::Body => Some(Vec::new()),
        _ => None,
    }
}

/// The protocol parameters of a request (RFC 5849 §3.1), without the signature; none without client credentials.
pub(crate) fn protocol_parameters<'a>(
    settings: &OAuth1Settings,
    credentials: &'a Credentials,
    purpose: Purpose<'a>,
    stamp: &'a Stamp,
    wire: &WireRequest,
    is_form: bool,
) -> Option<ProtocolParameters<'a>> {
    let method = settings.signature_method;
    let client = credentials.client.as_ref()?;
    let token: Option<&str> = match purpose {
        Purpose::Call => credentials.token.as_ref().map(|token| token.token.as_str()),
        Purpose::TemporaryCredentials { .. } => None,
        Purpose::TokenCredentials { temporary, .. } => Some(&temporary.token),
    };
    let mut parameters =
        ProtocolParameters::for_request(&client.key, token, &stamp.nonce, stamp.timestamp, method)
            .with_version();
    match purpose {
        Purpose::TemporaryCredentials { callback } => parameters = parameters.with_callback(callback),
        Purpose::TokenCredentials { verifier, .. } => parameters = parameters.with_verifier(verifier),
        Purpose::Call => {}
    }
    if !is_form {
        let digest = match settings.body_hash {
            BodyHash::None => None,
            BodyHash::Method => Some(method.hash_algorithm()),
            BodyHash::Sha1 => Some(HashAlgorithm::Sha1),
        };
        if let Some(digest) = digest {
            parameters = parameters.with_body_hash(body_hash(digest, &wire.body));
        }
    }
    Some(parameters)
}

fn sign_failed(problem: &SignError) -> Failure {
    unusable(&chain(problem))
}

fn unusable(why: &str) -> Failure {
    Failure::new(
        codes::CREDENTIALS_UNUSABLE,
        Meaning::ConnectionFault,
        format!("request cannot be signed: {why}"),
    )
    .detail("Nothing was sent.")
    .hint("Correct the connection's credentials or its signature method: tailorbird connection add NAME --secrets -")
}

/// The message with its causes: a stored failure keeps no error chain.
fn chain(problem: &dyn std::error::Error) -> String {
    let mut text = problem.to_string();
    let mut source = problem.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
