//! Signs what is given and adds nothing: the way in for `oauth1 sign` and for judges from outside.
//!
//! Unlike [`crate::sign`] it takes the secrets as text, reads the method from `oauth_signature_method`, and
//! decides by the content type whether a body is signed.

use std::borrow::Cow;
use std::fmt;

use crate::protocol_parameters::ProtocolParameters;
use crate::secret::{ClientSecret, RsaPrivateKeyPem, TokenSecret};
use crate::signature_method::SignatureMethod;
use crate::signing::parameter_sources::is_form_content_type;
use crate::signing::sign::{RequestToSign, SignError, Signed, Signer};
use crate::signing::signing_key::{SigningKey, SigningKeyError};

/// A request with everything that its signature needs, as a file or a line may hold it.
#[derive(Clone, Copy)]
pub struct RawRequest<'a> {
    /// The HTTP method, in any case.
    pub method: &'a str,
    /// The final wire URL.
    pub url: &'a str,
    /// Content type and bytes of the body. Signed if the type is the form one, under every HTTP method.
    pub body: Option<(&'a str, &'a [u8])>,
    /// The protocol parameters under their full names, decoded. Empty values are signed as well; an
    /// `oauth_signature` is replaced, a `realm` goes where [`RawRequest::realm`] goes.
    pub oauth: &'a [(Cow<'a, str>, Cow<'a, str>)],
    /// The client's secret; may be absent for RSA.
    pub consumer_secret: Option<&'a str>,
    /// The token's secret; absent is the same as empty.
    pub token_secret: Option<&'a str>,
    /// The client's private key, PKCS#8 or PKCS#1 PEM.
    pub rsa_private_key: Option<&'a str>,
    /// Goes into the header only and is not signed.
    pub realm: Option<&'a str>,
}

impl fmt::Debug for RawRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawRequest")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// Signs raw requests one after the other. Buffers are reused, and the last RSA key is kept parsed, since
/// parsing one takes as long as many signatures.
#[derive(Debug, Default)]
pub struct RawSigner {
    signer: Signer,
    last_rsa_key: Option<(RsaPrivateKeyPem, SigningKey)>,
}

impl RawSigner {
    /// A signer with nothing kept yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Signs one raw request.
    ///
    /// # Errors
    /// [`SignError`]; a missing or unknown method names the valid ones.
    pub fn sign(&mut self, request: &RawRequest<'_>) -> Result<Signed, SignError> {
        let parameters =
            ProtocolParameters::from_pairs(request.oauth.iter().map(|(name, value)| (&**name, &**value)));
        let method = parameters
            .signature_method()?
            .ok_or(SignError::SignatureMethodMissing)?;
        let key = self.key(method, request)?;
        let form_body = request
            .body
            .and_then(|(content_type, raw)| is_form_content_type(content_type).then_some(raw));
        let to_sign = RequestToSign {
            method: request.method,
            url: request.url,
            form_body,
        };
        self.signer.sign(&to_sign, &parameters, &key, request.realm)
    }

    fn key(&mut self, method: SignatureMethod, request: &RawRequest<'_>) -> Result<SigningKey, SignError> {
        if !method.is_rsa() {
            let client = request
                .consumer_secret
                .ok_or(SignError::ClientSecretMissing { method })?;
            let token = request.token_secret.map(TokenSecret::new);
            return Ok(SigningKey::from_secrets(
                method,
                &ClientSecret::new(client),
                token.as_ref(),
            )?);
        }
        let Some(pem) = request.rsa_private_key else {
            return Err(SigningKeyError::RsaKeyMissing { method }.into());
        };
        let pem = RsaPrivateKeyPem::new(pem);
        if let Some((last, key)) = &self.last_rsa_key
            && *last == pem
            && let Some(key) = key.with_rsa_method(method)
        {
            return Ok(key);
        }
        let key = SigningKey::from_rsa_private_key(method, &pem)?;
        self.last_rsa_key = Some((pem, key.clone()));
        Ok(key)
    }
}

/// Signs one raw request; see [`RawSigner`], which is faster for many.
///
/// # Errors
/// As [`RawSigner::sign`].
pub fn sign_raw(request: &RawRequest<'_>) -> Result<Signed, SignError> {
    RawSigner::new().sign(request)
}
