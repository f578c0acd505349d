//! The mistakes that can be told from a signature.

use std::fmt;

/// A mistake that explains a signature. `Display` gives a sentence for people, without any secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The client's identifier was used as its secret.
    ClientKeyUsedAsSecret,
    /// The token was used as its secret.
    TokenUsedAsSecret,
    /// Both secrets, in the wrong order.
    SecretsSwapped,
    /// White space before or after the client's secret was signed along.
    ClientSecretHasWhitespace,
    /// White space before or after the token's secret was signed along.
    TokenSecretHasWhitespace,
    /// The secret of the temporary credentials instead of that of the token credentials.
    TemporarySecretUsed,
    /// No token secret, though the request names a token.
    TokenSecretMissing,
    /// A token secret, though none belongs to the request.
    OtherTokenSecretUsed {
        /// The name that was given for it.
        whose: String,
    },
    /// The secret of another client.
    OtherClientSecretUsed {
        /// The name that was given for it.
        whose: String,
    },
    /// The secrets were joined without percent-encoding them.
    SecretsNotEncoded,
    /// The `&` between the secrets was left out where there is no token secret.
    AmpersandMissing,
    /// Another host was signed than the one sent to.
    OtherHost {
        /// The host that was signed.
        host: String,
    },
    /// `http` was signed and `https` used, or the reverse; typical behind a proxy.
    OtherScheme,
    /// The default port was signed (RFC 5849 §3.4.1.2 leaves it out).
    DefaultPortSigned,
    /// The port was left out although it is not the default.
    PortLeftOut,
    /// The host was signed with capitals.
    HostNotLowerCase,
    /// The HTTP method was signed in lower case.
    MethodLowerCase,
    /// Another HTTP method was signed than the one used.
    OtherMethod {
        /// The method that was signed.
        method: &'static str,
    },
    /// A `+` in query or form was signed as a plus, though it stands for a space.
    PlusKept,
    /// A space was signed as `+` instead of `%20`.
    SpaceAsPlus,
    /// Encoded names were encoded again without decoding them first.
    NamesEncodedTwice,
    /// Encoded values were encoded again without decoding them first.
    ValuesEncodedTwice,
    /// Parameters were sorted before they were encoded.
    SortedBeforeEncoding,
    /// Of parameters with the same name only the last was signed.
    SameNamesMerged,
    /// The form body was not signed.
    FormBodyLeftOut,
    /// The body was signed as a form, though its content type is another.
    OtherBodySigned,
    /// The query was not signed.
    QueryLeftOut,
    /// The path was signed decoded.
    PathDecoded,
    /// The path was signed with a `/` at its end that it lacks, or without the one it has.
    TrailingSlash,
    /// The realm was signed.
    RealmSigned,
    /// A parameter named `realm` in query or form was not signed, though only the header's is left out.
    OrdinaryRealmLeftOut,
    /// A protocol parameter that is in two places was signed twice.
    RepetitionSignedTwice,
    /// A protocol parameter was sent, but not signed.
    ParameterLeftOut {
        /// Its name.
        name: String,
    },
    /// Protocol parameters in query or body were decoded twice before signing.
    ProtocolValuesDecodedTwice,
    /// `oauth_body_hash` was encoded once instead of twice in the base string.
    BodyHashEncodedOnce,
    /// A `+` of the signature arrived as a space: it was not percent-encoded in query or body.
    SignaturePlusLost,
    /// The signature was percent-encoded twice.
    SignatureEncodedTwice,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentence = match self {
            Self::ClientKeyUsedAsSecret => "the client key was used as the client secret",
            Self::TokenUsedAsSecret => "the token was used as the token secret",
            Self::SecretsSwapped => "client secret and token secret were swapped",
            Self::ClientSecretHasWhitespace => "the client secret has white space around it",
            Self::TokenSecretHasWhitespace => "the token secret has white space around it",
            Self::TemporarySecretUsed => {
                "the secret of the temporary credentials (request token) was used with the access token"
            }
            Self::TokenSecretMissing => "the token secret was left out",
            Self::OtherTokenSecretUsed { whose } => return write!(f, "the token secret is that of {whose}"),
            Self::OtherClientSecretUsed { whose } => {
                return write!(f, "the client secret is that of {whose}");
            }
            Self::SecretsNotEncoded => "the secrets were joined without percent-encoding them",
            Self::AmpersandMissing => "the & after the client secret is missing from the key",
            Self::OtherHost { host } => {
                return write!(f, "the host {host} was signed, but another one called");
            }
            Self::OtherScheme => "http was signed and https used, or the reverse",
            Self::DefaultPortSigned => "the default port was signed; it has to be left out",
            Self::PortLeftOut => "the port was not signed, though it is not the default",
            Self::HostNotLowerCase => "the host was not signed in lower case",
            Self::MethodLowerCase => "the HTTP method was signed in lower case",
            Self::OtherMethod { method } => return write!(f, "{method} was signed, but another method used"),
            Self::PlusKept => "a + in the query or form was signed as a plus; it stands for a space",
            Self::SpaceAsPlus => "a space was signed as + instead of %20",
            Self::NamesEncodedTwice => "encoded parameter names were encoded again without decoding them",
            Self::ValuesEncodedTwice => "encoded parameter values were encoded again without decoding them",
            Self::SortedBeforeEncoding => "the parameters were sorted before they were encoded",
            Self::SameNamesMerged => "of parameters with the same name only one was signed",
            Self::FormBodyLeftOut => "the form body was not signed",
            Self::OtherBodySigned => "the body was signed, though it is no form",
            Self::QueryLeftOut => "the query was not signed",
            Self::PathDecoded => "the path was signed decoded instead of as it was sent",
            Self::TrailingSlash => "the signed path differs by a / at its end",
            Self::RealmSigned => "the realm of the header was signed; it has to be left out",
            Self::OrdinaryRealmLeftOut => "an ordinary parameter named realm was not signed",
            Self::RepetitionSignedTwice => {
                "a protocol parameter that is in two places was signed twice, but counts once here"
            }
            Self::ParameterLeftOut { name } => return write!(f, "{name} was sent, but not signed"),
            Self::ProtocolValuesDecodedTwice => "the oauth_ values in query or body were decoded twice",
            Self::BodyHashEncodedOnce => "oauth_body_hash was encoded once instead of twice",
            Self::SignaturePlusLost => "a + of the signature arrived as a space, because it was not encoded",
            Self::SignatureEncodedTwice => "the signature was percent-encoded twice",
        };
        f.write_str(sentence)
    }
}
