//! Signature base string (RFC 5849 §3.4.1.1): method, base string URI, normalized parameters.

use crate::percent_encoding::{ascii_string, encode_into};
use crate::signing::base_string_uri::push_base_string_uri;
use crate::signing::parameter_normalization::{EncodedParameters, MAX_PARAMETERS};
use crate::wire_url::{UrlError, WireUrl};

/// Why there is no base string for a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BaseStringError {
    /// The URL cannot be signed.
    #[error("request has no URL that can be signed")]
    Url(#[from] UrlError),
    /// Not a token of HTTP (RFC 9110 §9.1), so nothing that a request line could carry.
    #[error("{given:?} is not an HTTP method")]
    Method {
        /// The method as it was given.
        given: String,
    },
    /// More than [`MAX_PARAMETERS`] in query, body and protocol together.
    #[error("request has {count} parameters; at most {MAX_PARAMETERS} can be signed")]
    TooManyParameters {
        /// How many there are.
        count: usize,
    },
}

/// The buffers that a base string is made in. Reusing one saves every allocation but the results'.
#[derive(Debug, Default)]
pub(crate) struct BaseStringBuffer {
    parameters: EncodedParameters,
    uri: Vec<u8>,
    out: Vec<u8>,
}

impl BaseStringBuffer {
    /// Makes the base string out of a request's parts; `add_protocol` adds the pairs from whatever
    /// place other than query and body.
    pub(crate) fn build(
        &mut self,
        method: &str,
        url: &str,
        form_body: Option<&[u8]>,
        add_protocol: impl FnOnce(&mut EncodedParameters),
    ) -> Result<&[u8], BaseStringError> {
        check_method(method)?;
        let url = WireUrl::parse(url)?;
        self.parameters.clear();
        if let Some(query) = url.query {
            self.parameters.push_form(query);
        }
        if let Some(body) = form_body {
            self.parameters.push_form(body);
        }
        add_protocol(&mut self.parameters);
        if self.parameters.len() > MAX_PARAMETERS {
            return Err(BaseStringError::TooManyParameters {
                count: self.parameters.len(),
            });
        }
        self.parameters.sort();

        self.uri.clear();
        push_base_string_uri(&mut self.uri, &url);
        self.out.clear();
        self.out
            .reserve(method.len() + self.uri.len() * 2 + self.parameters.joined_len() + 2);
        // §3.4.1.1 item 1: in upper case, whatever the caller wrote.
        self.out
            .extend(method.bytes().map(|byte| byte.to_ascii_uppercase()));
        self.out.push(b'&');
        encode_into(&mut self.out, &self.uri);
        self.out.push(b'&');
        self.parameters.push_joined(&mut self.out);
        Ok(&self.out)
    }

    /// The base string that was built last.
    pub(crate) fn base_string(&self) -> &[u8] {
        &self.out
    }
}

fn check_method(method: &str) -> Result<(), BaseStringError> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if method.is_empty() || !method.bytes().all(is_token) {
        return Err(BaseStringError::Method {
            given: method.to_owned(),
        });
    }
    Ok(())
}

/// The base string of a request whose protocol parameters are given as decoded pairs.
///
/// `oauth_signature` is left out wherever it comes from; a pair named `realm` is signed, since only the
/// caller knows whether it came from the header (RFC 5849 §3.4.1.3.1).
///
/// # Errors
/// [`BaseStringError`] when URL or method cannot be signed, or there are too many parameters.
pub fn base_string<N: AsRef<[u8]>, V: AsRef<[u8]>>(
    method: &str,
    url: &str,
    form_body: Option<&[u8]>,
    protocol: &[(N, V)],
) -> Result<String, BaseStringError> {
    let mut buffer = BaseStringBuffer::default();
    buffer.build(method, url, form_body, |parameters| {
        for (name, value) in protocol {
            if name.as_ref() != b"oauth_signature" {
                parameters.push_decoded(name.as_ref(), value.as_ref());
            }
        }
    })?;
    Ok(ascii_string(buffer.out))
}
