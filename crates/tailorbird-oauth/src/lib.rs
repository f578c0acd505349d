#![doc = include_str!("../README.md")]

mod authorization_header;
mod body_hash;
mod credentials;
mod nonce;
mod percent_encoding;
mod placement;
mod protocol_parameters;
mod secret;
mod signature_method;
mod signing;
mod timestamp;
mod verify;
mod wire_url;

pub use authorization_header::{
    AuthorizationHeader, AuthorizationHeaderError, MAX_AUTHORIZATION_LENGTH, RealmError, parse_authorization,
};
pub use body_hash::{BodyHashDigest, BodyHashMatch, body_hash, match_body_hash};
pub use credentials::{ClientCredentials, TemporaryCredentials, TokenCredentials};
pub use nonce::{Nonce, NonceError};
pub use percent_encoding::{form_decode, percent_decode, percent_encode};
pub use placement::{Placement, UnknownPlacement};
pub use protocol_parameters::{OUT_OF_BAND, Pair, ProtocolParameters};
pub use secret::{ClientSecret, RsaPrivateKeyPem, TokenSecret};
pub use signature_method::{HashAlgorithm, SignatureFamily, SignatureMethod, UnknownSignatureMethod};
pub use signing::base_string::{BaseStringError, base_string};
pub use signing::base_string_uri::base_string_uri;
pub use signing::parameter_normalization::{MAX_PARAMETERS, normalize_parameters};
pub use signing::parameter_sources::is_form_content_type;
pub use signing::raw::{RawRequest, RawSigner, sign_raw};
pub use signing::rsa_key::{MAX_PEM_LENGTH, RsaKeyError, RsaVerifyingKey};
pub use signing::sign::{Placed, RequestToSign, SignError, Signed, Signer, place, sign};
pub use signing::signing_key::{SigningKey, SigningKeyError};
pub use timestamp::{Timestamp, TimestampError};
pub use verify::collect::{IncomingRequest, PresentedParameter, Strictness};
pub use verify::freshness::{NonceMemory, TimeWindow};
pub use verify::presented::{Presented, VerificationKey};
pub use verify::rejection::{Note, ReadError, Rejection, Verdict};
pub use wire_url::{UrlError, encode_query, wire_url};
