//! What a request presents, and whether its signature is right (RFC 5849 §3.2).

use std::fmt;
use std::str::FromStr as _;

use crate::body_hash::{BodyHashMatch, match_body_hash};
use crate::placement::Placement;
use crate::secret::{ClientSecret, TokenSecret};
use crate::signature_method::{SignatureFamily, SignatureMethod};
use crate::signing::base_string::base_string;
use crate::signing::rsa_key::RsaVerifyingKey;
use crate::signing::signing_key::{SigningKey, decode_signature};
use crate::timestamp::Timestamp;
use crate::verify::collect::{IncomingRequest, PresentedParameter, Strictness, collect};
use crate::verify::freshness::{NonceMemory, TimeWindow};
use crate::verify::rejection::{Note, ReadError, Rejection, Verdict};

/// What the server knows about the client, to verify with.
#[derive(Clone, Copy, Debug)]
pub enum VerificationKey<'a> {
    /// For HMAC and PLAINTEXT.
    Secrets {
        /// The client's secret.
        client_secret: &'a ClientSecret,
        /// The secret of the token that the request names; none if it names none.
        token_secret: Option<&'a TokenSecret>,
    },
    /// For the RSA methods.
    RsaPublicKey(&'a RsaVerifyingKey),
}

/// A signed request, taken apart.
#[derive(Clone)]
pub struct Presented {
    method: String,
    url: String,
    path_and_query: String,
    body: Vec<u8>,
    is_form: bool,
    strictness: Strictness,
    parameters: Vec<PresentedParameter>,
    realm: Option<String>,
    base_string: String,
    rejections: Vec<Rejection>,
    notes: Vec<Note>,
}

// A PLAINTEXT signature is the secrets, so no value is shown.
impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("parameters", &self.parameters)
            .field("rejections", &self.rejections)
            .field("notes", &self.notes)
            .finish_non_exhaustive()
    }
}

impl Presented {
    /// Collects the parameters, computes the base string and judges the form. Whatever is wrong with the
    /// form is kept ([`Presented::rejections`]), so that a provider can still show the base string.
    ///
    /// # Errors
    /// [`ReadError`] when there is nothing to verify: no protocol parameters, an unreadable header, a
    /// broken host.
    pub fn read(request: &IncomingRequest<'_>, strictness: Strictness) -> Result<Self, ReadError> {
        if !request.path_and_query.starts_with('/') {
            return Err(ReadError::TargetNotAPath);
        }
        let collected = collect(request, strictness)?;
        let path = request
            .path_and_query
            .split_once('?')
            .map_or(request.path_and_query, |(path, _)| path);
        let url = format!("{}://{}{path}", request.scheme, request.host);
        let pairs: Vec<_> = collected
            .parameters
            .iter()
            .map(|parameter| (&parameter.name, &parameter.value))
            .collect();
        let base_string = base_string(request.method, &url, None, &pairs)?;
        let mut presented = Self {
            method: request.method.to_owned(),
            url,
            path_and_query: request.path_and_query.to_owned(),
            body: request.body.to_owned(),
            is_form: collected.is_form,
            strictness,
            parameters: collected.parameters,
            realm: collected.realm,
            base_string,
            rejections: collected.rejections,
            notes: collected.notes,
        };
        presented.judge_values();
        presented.judge_body_hash();
        Ok(presented)
    }

    /// Checks presence and values (RFC 5849 §3.1, §3.3).
    fn judge_values(&mut self) {
        let mut found = Vec::new();
        for parameter in self.parameters.iter().filter(|parameter| parameter.is_protocol()) {
            if std::str::from_utf8(&parameter.value).is_err() {
                found.push(Rejection::NotText {
                    name: parameter.name_lossy(),
                });
            }
        }
        for name in ["oauth_consumer_key", "oauth_signature_method", "oauth_signature"] {
            if self.get(name).is_none_or(str::is_empty) {
                found.push(Rejection::MissingParameter { name });
            }
        }
        match self.get("oauth_signature_method").map(SignatureMethod::from_str) {
            Some(Err(error)) if !error.given.is_empty() => {
                found.push(Rejection::UnknownSignatureMethod(error));
            }
            // §3.1: only PLAINTEXT may leave nonce and timestamp out.
            Some(Ok(SignatureMethod::Plaintext)) => {}
            _ => {
                for name in ["oauth_timestamp", "oauth_nonce"] {
                    if self.get(name).is_none_or(str::is_empty) {
                        found.push(Rejection::MissingParameter { name });
                    }
                }
            }
        }
        if let Some(given) = self.get("oauth_timestamp").filter(|given| !given.is_empty())
            && Timestamp::from_str(given).is_err()
        {
            found.push(Rejection::TimestampUnreadable {
                given: given.to_owned(),
            });
        }
        if let Some(given) = self.get("oauth_version").filter(|given| *given != "1.0") {
            found.push(Rejection::UnsupportedVersion {
                given: given.to_owned(),
            });
        }
        if self.get("oauth_token") == Some("") {
            self.notes.push(Note::EmptyToken);
        }
        self.rejections.append(&mut found);
    }

    fn judge_body_hash(&mut self) {
        let (Some(given), Some(method)) = (self.body_hash(), self.signature_method()) else {
            return;
        };
        if self.is_form {
            match self.strictness {
                Strictness::Strict => self.rejections.push(Rejection::BodyHashOnForm),
                Strictness::Lenient => self.notes.push(Note::BodyHashOnForm),
            }
            return;
        }
        match match_body_hash(method, &self.body, given) {
            Some(BodyHashMatch::OfMethod(_)) => {}
            Some(BodyHashMatch::Sha1Override) => self.notes.push(Note::Sha1BodyHash),
            None => self.rejections.push(Rejection::BodyHashDiffers),
        }
    }

    /// The value of a protocol parameter, if it is there and text. Of two different ones the first.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|parameter| parameter.is_protocol() && parameter.name == name.as_bytes())
            .and_then(|parameter| std::str::from_utf8(&parameter.value).ok())
    }

    /// `oauth_consumer_key`: who the client is.
    pub fn consumer_key(&self) -> Option<&str> {
        self.get("oauth_consumer_key")
    }

    /// `oauth_token`; an empty one counts as none.
    pub fn token(&self) -> Option<&str> {
        self.get("oauth_token").filter(|token| !token.is_empty())
    }

    /// `oauth_callback` (RFC 5849 §2.1).
    pub fn callback(&self) -> Option<&str> {
        self.get("oauth_callback")
    }

    /// `oauth_verifier` (RFC 5849 §2.3).
    pub fn verifier(&self) -> Option<&str> {
        self.get("oauth_verifier")
    }

    /// `oauth_timestamp`, if it is a number.
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.get("oauth_timestamp").and_then(|text| text.parse().ok())
    }

    /// `oauth_nonce`.
    pub fn nonce(&self) -> Option<&str> {
        self.get("oauth_nonce")
    }

    /// `oauth_signature_method`, if it names one.
    pub fn signature_method(&self) -> Option<SignatureMethod> {
        self.get("oauth_signature_method")
            .and_then(|text| text.parse().ok())
    }

    /// `oauth_signature`, decoded from its percent encoding.
    pub fn signature(&self) -> Option<&str> {
        self.get("oauth_signature")
    }

    /// `oauth_version`.
    pub fn version(&self) -> Option<&str> {
        self.get("oauth_version")
    }

    /// `oauth_body_hash`.
    pub fn body_hash(&self) -> Option<&str> {
        self.get("oauth_body_hash")
    }

    /// The realm of the `Authorization` header.
    pub fn realm(&self) -> Option<&str> {
        self.realm.as_deref()
    }

    /// The HTTP method as received.
    pub fn http_method(&self) -> &str {
        &self.method
    }

    /// The URL that was signed, without its query.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The base string that the server computes.
    pub fn base_string(&self) -> &str {
        &self.base_string
    }

    /// All collected parameters with their places, in the order header, query, body. Repetitions that were
    /// let pass are dropped.
    pub fn parameters(&self) -> &[PresentedParameter] {
        &self.parameters
    }

    /// Where a protocol parameter was found first.
    pub fn place_of(&self, name: &str) -> Option<Placement> {
        self.parameters
            .iter()
            .find(|parameter| parameter.name == name.as_bytes())
            .map(|parameter| parameter.place)
    }

    /// The strictness it was read under.
    pub const fn strictness(&self) -> Strictness {
        self.strictness
    }

    /// Everything that is wrong with the form, in the order found; empty if nothing is.
    pub fn rejections(&self) -> &[Rejection] {
        &self.rejections
    }

    /// Everything that was let pass.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(crate) const fn is_form(&self) -> bool {
        self.is_form
    }

    pub(crate) fn path_and_query(&self) -> &str {
        &self.path_and_query
    }

    /// Checks form and signature (RFC 5849 §3.2), the signature in constant time. Freshness is apart:
    /// check it afterwards, so that a stranger cannot fill the nonce memory.
    pub fn verify(&self, key: VerificationKey<'_>) -> Verdict {
        if let Some(first) = self.rejections.first() {
            return Verdict::Rejected(first.clone());
        }
        match self.signature_fits(key) {
            Ok(true) => Verdict::Accepted,
            Ok(false) => match self.signature_method() {
                Some(method) => Verdict::Rejected(Rejection::SignatureDiffers { method }),
                None => Verdict::Rejected(Rejection::MissingParameter {
                    name: "oauth_signature_method",
                }),
            },
            Err(rejection) => Verdict::Rejected(rejection),
        }
    }

    fn signature_fits(&self, key: VerificationKey<'_>) -> Result<bool, Rejection> {
        let missing = |name| Rejection::MissingParameter { name };
        let method = self.signature_method().ok_or(missing("oauth_signature_method"))?;
        let signature = self.signature().ok_or(missing("oauth_signature"))?;
        let base_string = self.base_string.as_bytes();
        match (key, method.family()) {
            (VerificationKey::RsaPublicKey(key), SignatureFamily::Rsa(hash)) => {
                let bytes = decode_signature(signature).ok_or(Rejection::SignatureNotBase64)?;
                Ok(key.verify(hash, base_string, &bytes))
            }
            (
                VerificationKey::Secrets {
                    client_secret,
                    token_secret,
                },
                family,
            ) if !matches!(family, SignatureFamily::Rsa(_)) => {
                if matches!(family, SignatureFamily::Hmac(_)) && decode_signature(signature).is_none() {
                    return Err(Rejection::SignatureNotBase64);
                }
                let no_key = |_| Rejection::NoKeyForMethod { method };
                let key = SigningKey::from_secrets(method, client_secret, token_secret).map_err(no_key)?;
                key.verify(base_string, signature)
                    .map_err(|_| Rejection::NoKeyForMethod { method })
            }
            _ => Err(Rejection::NoKeyForMethod { method }),
        }
    }

    /// Checks the timestamp against a window around the server's time (RFC 5849 §3.3). A PLAINTEXT request
    /// without timestamp passes.
    ///
    /// # Errors
    /// [`Rejection::TimestampOutside`] with the distance.
    pub fn check_time(&self, window: TimeWindow, now: Timestamp) -> Result<(), Rejection> {
        self.timestamp()
            .map_or(Ok(()), |timestamp| window.check(timestamp, now))
    }

    /// Checks that the nonce is new, and remembers it (RFC 5849 §3.3). Only after [`Presented::verify`].
    /// A PLAINTEXT request without nonce and timestamp passes.
    ///
    /// # Errors
    /// [`Rejection::NonceUsed`], or [`Rejection::NonceForgotten`] when the memory cannot tell any more.
    pub fn check_nonce(&self, memory: &mut NonceMemory, now: Timestamp) -> Result<(), Rejection> {
        match (self.timestamp(), self.nonce()) {
            (Some(timestamp), Some(nonce)) => memory.remember(
                self.consumer_key().unwrap_or_default(),
                self.token(),
                timestamp,
                nonce,
                now,
            ),
            _ => Ok(()),
        }
    }
}
