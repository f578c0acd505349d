//! What comes back from the user (RFC 5849 §2.2): a redirect with `oauth_token` and `oauth_verifier`, a
//! refusal with `denied`, or a code that the user types in.

use std::fmt;

use crate::percent_encoding::form_decode;
use crate::signing::parameter_sources::form_pairs;

/// What a redirect to the callback URL says.
#[derive(Clone, PartialEq, Eq)]
pub enum CallbackAnswer {
    /// The user agreed.
    Granted {
        /// The temporary token that it is about; it finds the attempt.
        token: String,
        /// Goes into `oauth_verifier` of the next request.
        verifier: String,
    },
    /// The user refused (`denied=TOKEN`, as X sends it).
    Denied {
        /// The temporary token that it is about.
        token: String,
    },
}

// Token and verifier together are worth an account until they are used, so neither is shown.
impl fmt::Debug for CallbackAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Granted { .. } => "Granted(redacted)",
            Self::Denied { .. } => "Denied(redacted)",
        })
    }
}

impl fmt::Debug for TypedVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(_) => f.write_str("Code(redacted)"),
            Self::Callback(answer) => f.debug_tuple("Callback").field(answer).finish(),
        }
    }
}

/// Why a redirect could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackError {
    /// A parameter is absent or empty.
    #[error("callback carries no {name}")]
    Missing {
        /// Its name.
        name: &'static str,
    },
    /// A parameter is there twice with different values.
    #[error("callback carries {name} twice with different values")]
    Ambiguous {
        /// Its name.
        name: &'static str,
    },
    /// Nothing was typed in.
    #[error("verification code is empty")]
    Empty,
    /// What was typed in is longer than [`MAX_VERIFIER_LENGTH`].
    #[error("verification code has {length} bytes; at most {MAX_VERIFIER_LENGTH} are taken")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
}

/// The longest text taken as a verification code or pasted callback URL, in bytes.
pub const MAX_VERIFIER_LENGTH: usize = 4096;

fn unique(query: &[u8], name: &'static str) -> Result<Option<String>, CallbackError> {
    let mut values = form_pairs(query)
        .filter(|(given, _)| form_decode(given) == name.as_bytes())
        .map(|(_, value)| String::from_utf8_lossy(&form_decode(value)).into_owned())
        .filter(|value| !value.is_empty());
    let first = values.next();
    match values.find(|value| Some(value) != first.as_ref()) {
        Some(_) => Err(CallbackError::Ambiguous { name }),
        None => Ok(first),
    }
}

/// Reads the query of a callback; a whole URL or path with query is taken too.
///
/// # Errors
/// [`CallbackError`] when the token or the verifier is missing or ambiguous.
pub fn read_callback(url_or_query: &str) -> Result<CallbackAnswer, CallbackError> {
    let (before_fragment, _) = url_or_query.split_once('#').unwrap_or((url_or_query, ""));
    let query = before_fragment
        .split_once('?')
        .map_or(before_fragment, |(_, query)| query)
        .as_bytes();
    if let Some(token) = unique(query, "denied")? {
        return Ok(CallbackAnswer::Denied { token });
    }
    let token = unique(query, "oauth_token")?.ok_or(CallbackError::Missing { name: "oauth_token" })?;
    let verifier = unique(query, "oauth_verifier")?.ok_or(CallbackError::Missing {
        name: "oauth_verifier",
    })?;
    Ok(CallbackAnswer::Granted { token, verifier })
}

/// What a user typed where a verification code was asked for.
#[derive(Clone, PartialEq, Eq)]
pub enum TypedVerifier {
    /// A code, outer white space removed.
    Code(String),
    /// The whole address of a callback, pasted from the browser.
    Callback(CallbackAnswer),
}

/// Reads what a user typed: a code, or the address to which the browser was sent.
///
/// # Errors
/// [`CallbackError`] when it is empty, too long, or an address without a verifier.
pub fn read_typed_verifier(typed: &str) -> Result<TypedVerifier, CallbackError> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err(CallbackError::Empty);
    }
    if typed.len() > MAX_VERIFIER_LENGTH {
        return Err(CallbackError::TooLong { length: typed.len() });
    }
    if typed.contains("oauth_verifier=") || typed.contains("denied=") {
        return read_callback(typed).map(TypedVerifier::Callback);
    }
    Ok(TypedVerifier::Code(typed.to_owned()))
}
