//! Says why a signature differs, by trying the mistakes that people and libraries are known for.
//!
//! A provider answers "could not authenticate you" to all of them. Whoever knows the secrets can do
//! better: compute the signature again with each mistake made on purpose; the one that gives the signature
//! in question is the cause. Nothing is guessed: a cause is only named when its signature fits to the bit.

pub(crate) mod base_string_difference;
pub(crate) mod cause;
pub(crate) mod credentials;
pub(crate) mod keys;
pub(crate) mod reading;

use std::fmt;

use crate::diagnose::cause::Cause;
use crate::diagnose::keys::key_mistakes;
use crate::diagnose::reading::{Case, request_mistakes};
use crate::percent_encoding::percent_decode;
use crate::placement::Placement;
use crate::secret::{ClientSecret, TokenSecret};
use crate::signature_method::SignatureMethod;
use crate::signing::parameter_sources::is_form_content_type;
use crate::signing::rsa_key::RsaVerifyingKey;
use crate::verify::collect::Strictness;
use crate::verify::presented::Presented;
use crate::wire_url::{UrlError, WireUrl};

/// How many combinations of mistakes are tried before the search ends.
pub const MAX_DIAGNOSIS_ATTEMPTS: usize = 20_000;

/// The longest body that is looked into, in bytes; a longer one counts as no form.
pub const MAX_DIAGNOSED_BODY: usize = 256 * 1024;

/// What is known about client and token, right or wrong.
#[derive(Clone, Copy, Debug)]
pub struct Candidates<'a> {
    /// The client's identifier.
    pub client_key: &'a str,
    /// The client's secret.
    pub client_secret: &'a ClientSecret,
    /// The token that the request names.
    pub token: Option<&'a str>,
    /// Its secret.
    pub token_secret: Option<&'a TokenSecret>,
    /// The secret of the temporary credentials that the token came from. A known library goes on signing
    /// with it.
    pub temporary_secret: Option<&'a TokenSecret>,
    /// Secrets of other tokens that may have been mistaken for this one's, each with a name for it.
    pub other_token_secrets: &'a [(&'a str, &'a TokenSecret)],
    /// Secrets of other clients that may have been mistaken for this one's, each with a name for it.
    pub other_client_secrets: &'a [(&'a str, &'a ClientSecret)],
    /// The client's public key, for the RSA methods.
    pub rsa_public_key: Option<&'a RsaVerifyingKey>,
    /// Host names, with a port where needed, that the client may have signed instead.
    pub hosts: &'a [&'a str],
}

impl<'a> Candidates<'a> {
    /// Candidates for a client without a token; set the other fields as they are known.
    pub const fn new(client_key: &'a str, client_secret: &'a ClientSecret) -> Self {
        Self {
            client_key,
            client_secret,
            token: None,
            token_secret: None,
            temporary_secret: None,
            other_token_secrets: &[],
            other_client_secrets: &[],
            rsa_public_key: None,
            hosts: &[],
        }
    }
}

/// A request whose signature is in question, for a client that looks at its own.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The URL with its query, as sent.
    pub url: &'a str,
    /// Content type and body, as sent.
    pub body: Option<(&'a str, &'a [u8])>,
    /// The decoded pairs of the `Authorization` header, the signature aside. Empty where the parameters
    /// are in query or body.
    pub header_parameters: &'a [(&'a str, &'a str)],
    /// The realm of the header.
    pub realm: Option<&'a str>,
    /// The method that the signature claims.
    pub signature_method: SignatureMethod,
    /// The signature in question, not percent-encoded.
    pub signature: &'a str,
}

impl fmt::Debug for Evidence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evidence")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// What a search for mistakes found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Diagnosis {
    /// The signature is right as it stands, so the refusal has another reason: clock, nonce, permission.
    SignatureIsRight,
    /// Just these mistakes give the signature in question; one, or two that came together.
    Explained(Vec<Cause>),
    /// None of the known mistakes does. Most likely a secret is another one altogether.
    Unexplained {
        /// How many combinations were tried.
        tried: usize,
    },
}

/// Looks for the mistake behind the signature of a client's own request.
///
/// # Errors
/// [`UrlError`] when the URL is no absolute http or https URL.
pub fn diagnose(evidence: &Evidence<'_>, candidates: &Candidates<'_>) -> Result<Diagnosis, UrlError> {
    WireUrl::parse(evidence.url)?;
    let pairs = evidence.header_parameters.iter();
    let case = Case {
        method: evidence.method.to_owned(),
        url: evidence.url.to_owned(),
        header: pairs
            .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
            .collect(),
        body: evidence.body.map(|(_, body)| cut(body)).unwrap_or_default(),
        is_form: evidence.body.is_some_and(|(content_type, body)| {
            is_form_content_type(content_type) && body.len() <= MAX_DIAGNOSED_BODY
        }),
        realm: evidence.realm.map(str::to_owned),
        repeated_once: false,
    };
    Ok(search(
        &case,
        evidence.signature_method,
        evidence.signature,
        candidates,
    ))
}

impl Presented {
    /// Looks for the mistake behind the signature of an incoming request.
    pub fn diagnose(&self, candidates: &Candidates<'_>) -> Diagnosis {
        let (Some(method), Some(signature)) = (self.signature_method(), self.signature()) else {
            return Diagnosis::Unexplained { tried: 0 };
        };
        let origin = self.url();
        // `url` ends with the path; the query of the request follows it as it was received.
        let query = self.path_and_query().split_once('?').map(|(_, query)| query);
        let header = self
            .parameters()
            .iter()
            .filter(|parameter| parameter.place == Placement::Header);
        let case = Case {
            method: self.http_method().to_owned(),
            url: query.map_or_else(|| origin.to_owned(), |query| format!("{origin}?{query}")),
            header: header
                .map(|parameter| (parameter.name.clone(), parameter.value.clone()))
                .collect(),
            body: cut(self.body()),
            is_form: self.is_form() && self.body().len() <= MAX_DIAGNOSED_BODY,
            realm: self.realm().map(str::to_owned),
            repeated_once: self.strictness() == Strictness::Lenient,
        };
        search(&case, method, signature, candidates)
    }
}

fn cut(body: &[u8]) -> Vec<u8> {
    if body.len() <= MAX_DIAGNOSED_BODY {
        body.to_vec()
    } else {
        Vec::new()
    }
}

/// Ways in which the signature itself may have been spoilt on its way.
fn signature_readings(signature: &str) -> Vec<(Option<Cause>, String)> {
    let mut readings = vec![(None, signature.to_owned())];
    if signature.contains(' ') {
        readings.push((Some(Cause::SignaturePlusLost), signature.replace(' ', "+")));
    }
    if signature.contains('%') {
        let decoded = String::from_utf8_lossy(&percent_decode(signature)).into_owned();
        readings.push((Some(Cause::SignatureEncodedTwice), decoded));
    }
    readings
}

/// Tries no mistake, then each alone, then one of the request together with one of the key.
fn search(case: &Case, method: SignatureMethod, signature: &str, candidates: &Candidates<'_>) -> Diagnosis {
    let signatures = signature_readings(signature);
    let keys = key_mistakes(method, candidates);
    let requests = request_mistakes(case, candidates.hosts);
    let mut tried = 0;
    for wanted in 0..=2 {
        for (request_cause, base_string) in &requests {
            for key in &keys {
                for (signature_cause, signature) in &signatures {
                    let causes: Vec<Cause> = [request_cause, &key.cause, signature_cause]
                        .into_iter()
                        .flatten()
                        .cloned()
                        .collect();
                    if causes.len() != wanted {
                        continue;
                    }
                    tried += 1;
                    if tried > MAX_DIAGNOSIS_ATTEMPTS {
                        return Diagnosis::Unexplained {
                            tried: MAX_DIAGNOSIS_ATTEMPTS,
                        };
                    }
                    if key.fits(base_string.as_bytes(), signature) {
                        return if causes.is_empty() {
                            Diagnosis::SignatureIsRight
                        } else {
                            Diagnosis::Explained(causes)
                        };
                    }
                }
            }
        }
    }
    Diagnosis::Unexplained { tried }
}
