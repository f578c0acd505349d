//! Signs a request (RFC 5849 §3.4) and puts the parameters in their place (§3.5).

use std::fmt;

use crate::authorization_header::{RealmError, begin_header, push_header_pair};
use crate::percent_encoding::ascii_string;
use crate::placement::Placement;
use crate::protocol_parameters::ProtocolParameters;
use crate::signature_method::{SignatureMethod, UnknownSignatureMethod};
use crate::signing::base_string::{BaseStringBuffer, BaseStringError};
use crate::signing::parameter_normalization::EncodedParameters;
use crate::signing::rsa_key::RsaKeyError;
use crate::signing::signing_key::{SigningKey, SigningKeyError};
use crate::wire_url::push_pair;

/// What a signature covers of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestToSign<'a> {
    /// The HTTP method, in any case.
    pub method: &'a str,
    /// The **final wire URL**: exactly the text that is sent afterwards. See [`crate::wire_url`].
    pub url: &'a str,
    /// The body, if its content type is `application/x-www-form-urlencoded`. `Some(b"")` says "a form
    /// without fields yet", so that body placement is possible.
    pub form_body: Option<&'a [u8]>,
}

/// Why a request could not be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// There is no base string.
    #[error("request cannot be signed")]
    BaseString(#[from] BaseStringError),
    /// There is no key for the method.
    #[error("request cannot be signed with these credentials")]
    Key(#[from] SigningKeyError),
    /// The key cannot sign.
    #[error("RSA key could not sign the request")]
    Rsa(#[from] RsaKeyError),
    /// No `oauth_signature_method` among the parameters.
    #[error("oauth_signature_method is missing; valid are {}", SignatureMethod::NAMES.join(", "))]
    SignatureMethodMissing,
    /// `oauth_signature_method` names none.
    #[error("oauth_signature_method cannot be used: {0}")]
    UnknownSignatureMethod(UnknownSignatureMethod),
    /// `oauth_signature_method` says one thing and the key another: the server would compute the first.
    #[error("oauth_signature_method is {named}, but the signing key is one for {key}")]
    SignatureMethodDiffers {
        /// The method among the parameters.
        named: SignatureMethod,
        /// The method of the key.
        key: SignatureMethod,
    },
    /// An HMAC or PLAINTEXT signature was asked for without a client secret.
    #[error("{method} needs the client secret (consumer_secret), and there is none")]
    ClientSecretMissing {
        /// The method.
        method: SignatureMethod,
    },
    /// The realm cannot stand in a header.
    #[error(transparent)]
    Realm(#[from] RealmError),
}

impl From<UnknownSignatureMethod> for SignError {
    fn from(error: UnknownSignatureMethod) -> Self {
        Self::UnknownSignatureMethod(error)
    }
}

/// A signature with everything that led to it.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed {
    /// The signature base string (RFC 5849 §3.4.1.1). Also made for PLAINTEXT, which does not use it.
    pub base_string: String,
    /// The value of `oauth_signature`, not encoded. For PLAINTEXT these are the secrets.
    pub signature: String,
    /// The value of the `Authorization` header, with the realm if one was given.
    pub authorization: String,
}

// Under PLAINTEXT signature and header hold the secrets, so neither is ever shown.
impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed")
            .field("base_string", &self.base_string)
            .finish_non_exhaustive()
    }
}

/// What has to be changed in a request so that it carries its signature.
#[derive(Clone, PartialEq, Eq)]
pub enum Placed {
    /// Set the `Authorization` header to this value.
    Header {
        /// The value.
        authorization: String,
    },
    /// Send to this URL instead.
    Query {
        /// The wire URL with the protocol parameters at the end of its query.
        url: String,
    },
    /// Send this body instead.
    Body {
        /// The form body with the protocol parameters at its end.
        form_body: Vec<u8>,
    },
}

impl Placed {
    /// Where the parameters ended up; [`Placement::Header`] where a body was asked for and there is none.
    pub const fn placement(&self) -> Placement {
        match self {
            Self::Header { .. } => Placement::Header,
            Self::Query { .. } => Placement::Query,
            Self::Body { .. } => Placement::Body,
        }
    }
}

impl fmt::Debug for Placed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Placed({}, redacted)", self.placement())
    }
}

/// Signs requests one after the other, reusing its buffers.
///
/// ```
/// # use tailorbird_oauth::*;
/// let client = ClientCredentials::new("key", "secret");
/// let key = SigningKey::for_client(SignatureMethod::HmacSha1, &client, None)?;
/// let nonce = Nonce::from_random([7; 16]);
/// let parameters = ProtocolParameters::for_request(
///     &client.key, None, &nonce, Timestamp::from_seconds(1_318_622_958), key.method());
/// let request = RequestToSign { method: "GET", url: "https://api.example.com/me", form_body: None };
/// let signed = Signer::new().sign(&request, &parameters, &key, None)?;
/// assert!(signed.authorization.starts_with("OAuth oauth_consumer_key=\"key\", "));
/// # Ok::<(), SignError>(())
/// ```
#[derive(Default)]
pub struct Signer {
    buffer: BaseStringBuffer,
    signature: String,
    header: Vec<u8>,
}

// The buffers hold the last signature, which under PLAINTEXT is the secrets.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer")
    }
}

impl Signer {
    /// A signer with empty buffers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Signs a request. The realm goes into the header only and is not signed.
    ///
    /// # Errors
    /// [`SignError`] when URL, method, parameters, key or realm do not allow it.
    pub fn sign(
        &mut self,
        request: &RequestToSign<'_>,
        parameters: &ProtocolParameters<'_>,
        key: &SigningKey,
        realm: Option<&str>,
    ) -> Result<Signed, SignError> {
        self.compute(request, parameters, key, realm)?;
        Ok(Signed {
            base_string: ascii_string(self.buffer.base_string().to_vec()),
            signature: self.signature.clone(),
            authorization: ascii_string(self.header.clone()),
        })
    }

    /// Signs a request and gives the value of its `Authorization` header only, which is what a busy sender
    /// needs.
    ///
    /// # Errors
    /// As [`Signer::sign`].
    pub fn authorization(
        &mut self,
        request: &RequestToSign<'_>,
        parameters: &ProtocolParameters<'_>,
        key: &SigningKey,
        realm: Option<&str>,
    ) -> Result<String, SignError> {
        self.compute(request, parameters, key, realm)?;
        Ok(ascii_string(self.header.clone()))
    }

    /// Leaves base string, signature and header value in the buffers.
    fn compute(
        &mut self,
        request: &RequestToSign<'_>,
        parameters: &ProtocolParameters<'_>,
        key: &SigningKey,
        realm: Option<&str>,
    ) -> Result<(), SignError> {
        let named = parameters
            .signature_method()?
            .ok_or(SignError::SignatureMethodMissing)?;
        if named != key.method() {
            return Err(SignError::SignatureMethodDiffers {
                named,
                key: key.method(),
            });
        }
        self.header.clear();
        begin_header(&mut self.header, realm.or_else(|| parameters.get("realm")))?;
        let header = &mut self.header;
        // The header holds each pair encoded once, and the base string encodes just that again.
        let add_protocol = |encoded: &mut EncodedParameters| {
            for (name, value) in parameters.signed_pairs() {
                let in_header = push_header_pair(header, name.as_bytes(), value.as_bytes());
                encoded.push_encoded((in_header.0, name.len()), (in_header.1, value.len()));
            }
        };
        let base_string = self
            .buffer
            .build(request.method, request.url, request.form_body, add_protocol)?;
        self.signature.clear();
        key.sign_into(base_string, &mut self.signature)?;
        push_header_pair(&mut self.header, b"oauth_signature", self.signature.as_bytes());
        Ok(())
    }
}

/// Signs one request; see [`Signer::sign`], which is faster for many.
///
/// # Errors
/// As [`Signer::sign`].
pub fn sign(
    request: &RequestToSign<'_>,
    parameters: &ProtocolParameters<'_>,
    key: &SigningKey,
    realm: Option<&str>,
) -> Result<Signed, SignError> {
    Signer::new().sign(request, parameters, key, realm)
}

/// Puts the signed parameters where they are wanted (RFC 5849 §3.5).
///
/// The signature is the same in each place, since all of them are collected before signing. The realm
/// exists in the header only. Body placement needs a form body; any other request gets its header.
pub fn place(
    request: &RequestToSign<'_>,
    parameters: &ProtocolParameters<'_>,
    signed: &Signed,
    placement: Placement,
) -> Placed {
    match (placement, request.form_body) {
        (Placement::Query, _) => {
            // Before the fragment: what follows the `#` is never sent.
            let (url, _) = request.url.split_once('#').unwrap_or((request.url, ""));
            let mut out = Vec::with_capacity(url.len() + signed.authorization.len());
            out.extend_from_slice(url.as_bytes());
            let start = url.find('?').unwrap_or(url.len()) + 1;
            if !url.contains('?') {
                out.push(b'?');
            }
            push_protocol(&mut out, start, parameters, &signed.signature);
            Placed::Query {
                url: ascii_string(out),
            }
        }
        (Placement::Body, Some(body)) => {
            let mut out = Vec::with_capacity(body.len() + signed.authorization.len());
            out.extend_from_slice(body);
            push_protocol(&mut out, 0, parameters, &signed.signature);
            Placed::Body { form_body: out }
        }
        (Placement::Header, _) | (Placement::Body, None) => Placed::Header {
            authorization: signed.authorization.clone(),
        },
    }
}

fn push_protocol(out: &mut Vec<u8>, start: usize, parameters: &ProtocolParameters<'_>, signature: &str) {
    for (name, value) in parameters.signed_pairs() {
        push_pair(out, start, name.as_bytes(), value.as_bytes());
    }
    push_pair(out, start, b"oauth_signature", signature.as_bytes());
}
