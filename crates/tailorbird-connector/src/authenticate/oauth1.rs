//! OAuth 1.0a (RFC 5849): a fresh nonce and timestamp, and a signature over the final wire URL.

use bytes::Bytes;
use tailorbird_model::ports::Credentials;
use tailorbird_model::service::{BodyHash, Method};
use tailorbird_model::{Failure, Meaning, codes};
use tailorbird_oauth::{
    HashAlgorithm, Nonce, Placed, Placement, ProtocolParameters, RequestToSign, SignError, SignatureMethod,
    Signer, SigningKey, Timestamp, TokenSecret, body_hash, is_form_content_type, place,
};

use super::Purpose;
use crate::entropy;
use crate::origin::Address;
use crate::request::{FORM, Request};
use crate::resolve::{OAuth1Settings, rsa_key};
use crate::transport::WireRequest;

pub(super) fn sign(
    settings: &OAuth1Settings,
    credentials: &Credentials,
    request: &Request,
    purpose: Purpose<'_>,
    provider_seconds: u64,
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
    let (token, token_secret): (Option<&str>, Option<&TokenSecret>) = match purpose {
        Purpose::Call => {
            let token = credentials.token.as_ref();
            (
                token.map(|token| token.token.as_str()),
                token.map(|token| &token.secret),
            )
        }
        Purpose::TemporaryCredentials { .. } => (None, None),
        Purpose::TokenCredentials { temporary, .. } => (Some(&temporary.token), Some(&temporary.secret)),
    };
    let key = if method.is_rsa() {
        let pem =
            rsa_key(credentials).ok_or_else(|| unusable(&format!("{method} needs an RSA private key")))?;
        SigningKey::from_rsa_private_key(method, pem)
    } else {
        SigningKey::from_secrets(method, &client.secret, token_secret)
    }
    .map_err(|problem| unusable(&chain(&problem)))?;

    // A write without a body counts as a form without fields, so that body placement has a place.
    let content_type = request.body.content_type();
    let takes_form = matches!(wire.method, Method::Post | Method::Put | Method::Patch);
    let form_body: Option<Vec<u8>> = match &content_type {
        Some(kind) if is_form_content_type(kind) => Some(wire.body.to_vec()),
        None if takes_form && settings.placement == Placement::Body => Some(Vec::new()),
        _ => None,
    };

    let nonce = Nonce::from_random(entropy::sixteen_bytes()?);
    let timestamp = Timestamp::from_seconds(provider_seconds);
    let mut parameters =
        ProtocolParameters::for_request(&client.key, token, &nonce, timestamp, method).with_version();
    match purpose {
        Purpose::TemporaryCredentials { callback } => parameters = parameters.with_callback(callback),
        Purpose::TokenCredentials { verifier, .. } => parameters = parameters.with_verifier(verifier),
        Purpose::Call => {}
    }
    if form_body.is_none() {
        let digest = match settings.body_hash {
            BodyHash::None => None,
            BodyHash::Method => Some(method.hash_algorithm()),
            BodyHash::Sha1 => Some(HashAlgorithm::Sha1),
        };
        if let Some(digest) = digest {
            parameters = parameters.with_body_hash(body_hash(digest, &wire.body));
        }
    }

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
