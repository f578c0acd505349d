//! Why a request is refused, and what was let pass though the RFC forbids it.

use std::fmt;

use crate::authorization_header::AuthorizationHeaderError;
use crate::placement::Placement;
use crate::signature_method::{SignatureMethod, UnknownSignatureMethod};
use crate::signing::base_string::BaseStringError;

/// Why a request cannot even be looked at as a signed one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Not one `oauth_…` parameter in header, query and form body.
    #[error("request carries no OAuth 1.0 parameters in header, query or form body")]
    NotSigned,
    /// The `Authorization` header begins with `OAuth` and cannot be read further.
    #[error("Authorization header cannot be read")]
    AuthorizationHeader(#[from] AuthorizationHeaderError),
    /// The request target is no path, such as `*` or a whole URL.
    #[error("request target is not a path that begins with /")]
    TargetNotAPath,
    /// There is no base string, for example because the Host header is broken.
    #[error("request has no base string")]
    BaseString(#[from] BaseStringError),
}

/// Why a signed request is refused. Each variant carries the facts that explain it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// A parameter that RFC 5849 §3.1 demands is absent or empty.
    #[error("{name} is missing")]
    MissingParameter {
        /// Its name.
        name: &'static str,
    },
    /// The same parameter with the same value more than once (RFC 5849 §3.1, §3.2).
    #[error("{name} is there more than once ({})", listed(.places))]
    RepeatedParameter {
        /// Its name.
        name: String,
        /// Where, in the order found.
        places: Vec<Placement>,
    },
    /// The same parameter with different values. Refused even where repetitions are let pass, because
    /// nobody can tell which one was meant.
    #[error("{name} is there more than once with different values ({})", listed(.places))]
    ConflictingParameter {
        /// Its name.
        name: String,
        /// Where, in the order found.
        places: Vec<Placement>,
    },
    /// Protocol parameters in more than one place (RFC 5849 §3.5: one place only).
    #[error("oauth_ parameters stand in several places ({}); only one may be used", listed(.places))]
    SeveralPlaces {
        /// Those in use.
        places: Vec<Placement>,
    },
    /// Something in the `Authorization` header that is neither `realm` nor an `oauth_…` parameter.
    #[error("Authorization header holds {name:?}, which is neither realm nor an oauth_ parameter")]
    UnexpectedHeaderItem {
        /// Its name.
        name: String,
    },
    /// A protocol parameter that is not UTF-8 once decoded.
    #[error("{name} is not text in UTF-8")]
    NotText {
        /// Its name.
        name: String,
    },
    /// `oauth_signature_method` names none.
    #[error("oauth_signature_method cannot be used: {0}")]
    UnknownSignatureMethod(UnknownSignatureMethod),
    /// `oauth_version` is there and not `1.0` (RFC 5849 §3.1). One library sends `1.0A`.
    #[error("oauth_version is {given:?}; the only valid value is \"1.0\"")]
    UnsupportedVersion {
        /// The value as given.
        given: String,
    },
    /// `oauth_timestamp` is no positive whole number (RFC 5849 §3.3).
    #[error("oauth_timestamp is {given:?}; it has to be a positive whole number of seconds since 1970")]
    TimestampUnreadable {
        /// The value as given.
        given: String,
    },
    /// `oauth_timestamp` is too old or lies in the future.
    #[error("oauth_timestamp is {} seconds {}; at most {allowed_seconds} are allowed",
        offset_seconds.unsigned_abs(), if *offset_seconds < 0 { "behind" } else { "ahead" })]
    TimestampOutside {
        /// Timestamp minus the server's time: negative when the client's clock is behind.
        offset_seconds: i64,
        /// How many were allowed in this direction.
        allowed_seconds: u64,
    },
    /// The nonce was used before with this timestamp, client and token (RFC 5849 §3.3).
    #[error("oauth_nonce was used before with this timestamp, client and token")]
    NonceUsed,
    /// The nonce memory had to forget requests as young as this one, so a repetition cannot be ruled out.
    #[error("oauth_timestamp is older than the {oldest_seconds} that the nonce memory still covers")]
    NonceForgotten {
        /// The timestamp up to which everything has been forgotten, in seconds since 1970.
        oldest_seconds: u64,
    },
    /// `oauth_signature` is not base64.
    #[error("oauth_signature is not base64")]
    SignatureNotBase64,
    /// The signature is another one than request and secrets give.
    #[error("{method} signature differs from the one that the base string and the known secrets give")]
    SignatureDiffers {
        /// The method.
        method: SignatureMethod,
    },
    /// The server knows no key of the kind that the method needs.
    #[error("{method} cannot be verified for this client: {}",
        if method.is_rsa() { "it has no RSA public key" } else { "it has an RSA public key and no secrets" })]
    NoKeyForMethod {
        /// The method.
        method: SignatureMethod,
    },
    /// `oauth_body_hash` fits the body under neither digest.
    #[error("oauth_body_hash does not fit the body, neither with the method's digest nor with SHA-1")]
    BodyHashDiffers,
    /// `oauth_body_hash` with a form body, which the draft forbids, as the form is signed itself.
    #[error("oauth_body_hash must not be used with a form body")]
    BodyHashOnForm,
}

/// Something that the RFC forbids and a lenient provider lets pass.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// A parameter with the same value more than once; it was counted once, as X does.
    RepeatedParameter {
        /// Its name.
        name: String,
        /// Where, in the order found.
        places: Vec<Placement>,
    },
    /// Protocol parameters in more than one place.
    SeveralPlaces {
        /// Those in use.
        places: Vec<Placement>,
    },
    /// Another item in the `Authorization` header; it was signed like the rest.
    ExtraHeaderItem {
        /// Its name.
        name: String,
    },
    /// An `oauth_token` without a value; it was signed and then treated as absent.
    EmptyToken,
    /// `oauth_body_hash` was made with SHA-1 under a method with another digest.
    Sha1BodyHash,
    /// `oauth_body_hash` together with a form body.
    BodyHashOnForm,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RepeatedParameter { name, places: at } => {
                write!(
                    f,
                    "{name} stands in the request more than once ({}) and was counted once",
                    listed(at)
                )
            }
            Self::SeveralPlaces { places: at } => {
                write!(
                    f,
                    "oauth_ parameters stand in several places ({}); RFC 5849 §3.5 allows one",
                    listed(at)
                )
            }
            Self::ExtraHeaderItem { name } => {
                write!(
                    f,
                    "the Authorization header holds {name:?}, which is no oauth_ parameter; it was signed"
                )
            }
            Self::EmptyToken => f.write_str("oauth_token is empty; it should be left out"),
            Self::Sha1BodyHash => f.write_str(
                "oauth_body_hash was made with SHA-1, not with the digest of the signature method",
            ),
            Self::BodyHashOnForm => {
                f.write_str("oauth_body_hash was sent with a form body, which has no use")
            }
        }
    }
}

/// Lists places for people: `header, query`.
fn listed(places: &[Placement]) -> String {
    places
        .iter()
        .map(|place| place.name())
        .collect::<Vec<_>>()
        .join(", ")
}

/// The outcome of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Form and signature are right. Freshness is checked apart.
    Accepted,
    /// Something is wrong; this came first.
    Rejected(Rejection),
}

impl Verdict {
    /// Whether the request may pass.
    pub const fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted)
    }

    /// The same as a `Result`, for `?`.
    ///
    /// # Errors
    /// The [`Rejection`], if it is one.
    pub fn into_result(self) -> Result<(), Rejection> {
        match self {
            Self::Accepted => Ok(()),
            Self::Rejected(rejection) => Err(rejection),
        }
    }
}
