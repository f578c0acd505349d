//! The protocol parameters of a request: the `oauth_…` pairs that travel with it (RFC 5849 §3.1).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr as _;

use crate::nonce::Nonce;
use crate::signature_method::{SignatureMethod, UnknownSignatureMethod};
use crate::timestamp::Timestamp;

/// The value of `oauth_callback` when the verifier is read to the user instead of redirected
/// (RFC 5849 §2.1).
pub const OUT_OF_BAND: &str = "oob";

/// A decoded name-value pair, borrowed where that is possible.
pub type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The pairs of one request, decoded, in the order in which the header will show them.
///
/// Values are kept as given, empties too. [`ProtocolParameters::for_request`] is the usual way to make
/// them; [`ProtocolParameters::from_pairs`] takes anything.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProtocolParameters<'a> {
    pairs: Vec<Pair<'a>>,
}

// Pairs taken from a file may hold a PLAINTEXT signature, which is the secrets: names only.
impl fmt::Debug for ProtocolParameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.pairs.iter().map(|(name, _)| name))
            .finish()
    }
}

impl<'a> ProtocolParameters<'a> {
    /// The parameters that every signed request has (RFC 5849 §3.1).
    ///
    /// Without a token, and with an empty one, `oauth_token` is left out: servers refuse an empty one.
    /// `oauth_version` is optional in the RFC and not among these; see [`ProtocolParameters::with_version`].
    pub fn for_request(
        consumer_key: &'a str,
        token: Option<&'a str>,
        nonce: &'a Nonce,
        timestamp: Timestamp,
        method: SignatureMethod,
    ) -> Self {
        let mut parameters = Self {
            pairs: Vec::with_capacity(8),
        };
        parameters.push("oauth_consumer_key", consumer_key);
        if let Some(token) = token.filter(|token| !token.is_empty()) {
            parameters.push("oauth_token", token);
        }
        parameters.push("oauth_signature_method", method.name());
        parameters.push("oauth_timestamp", timestamp.to_string());
        parameters.push("oauth_nonce", nonce.as_str());
        parameters
    }

    /// Takes pairs as they are, in their order, empty values included.
    pub fn from_pairs<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<Cow<'a, str>>,
        V: Into<Cow<'a, str>>,
    {
        Self {
            pairs: pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        }
    }

    /// Appends any pair.
    pub fn push(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) {
        self.pairs.push((name.into(), value.into()));
    }

    /// Appends any pair and hands the parameters on.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> Self {
        self.push(name, value);
        self
    }

    /// Adds `oauth_version=1.0`, the only valid value (RFC 5849 §3.1); X wants it.
    #[must_use]
    pub fn with_version(self) -> Self {
        self.with("oauth_version", "1.0")
    }

    /// Adds `oauth_callback`: an absolute URL, or [`OUT_OF_BAND`] (RFC 5849 §2.1).
    #[must_use]
    pub fn with_callback(self, callback: impl Into<Cow<'a, str>>) -> Self {
        self.with("oauth_callback", callback)
    }

    /// Adds `oauth_verifier`, which the user brought back (RFC 5849 §2.3).
    #[must_use]
    pub fn with_verifier(self, verifier: impl Into<Cow<'a, str>>) -> Self {
        self.with("oauth_verifier", verifier)
    }

    /// Adds `oauth_body_hash` (Request Body Hash draft). Not for form bodies, which are signed anyway.
    #[must_use]
    pub fn with_body_hash(self, hash: impl Into<Cow<'a, str>>) -> Self {
        self.with("oauth_body_hash", hash)
    }

    /// The pairs in their order.
    pub fn pairs(&self) -> &[Pair<'a>] {
        &self.pairs
    }

    /// The first value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.as_ref())
    }

    /// The method that `oauth_signature_method` names, if it is there.
    ///
    /// # Errors
    /// [`UnknownSignatureMethod`] when it names none.
    pub fn signature_method(&self) -> Result<Option<SignatureMethod>, UnknownSignatureMethod> {
        self.get("oauth_signature_method")
            .map(SignatureMethod::from_str)
            .transpose()
    }

    /// Copies what is borrowed.
    pub fn into_owned(self) -> ProtocolParameters<'static> {
        ProtocolParameters {
            pairs: self
                .pairs
                .into_iter()
                .map(|(name, value)| (Cow::Owned(name.into_owned()), Cow::Owned(value.into_owned())))
                .collect(),
        }
    }

    /// The pairs that are signed: all but the signature itself and the header's realm
    /// (RFC 5849 §3.4.1.3.1).
    pub(crate) fn signed_pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
            .filter(|(name, _)| *name != "oauth_signature" && *name != "realm")
    }
}
