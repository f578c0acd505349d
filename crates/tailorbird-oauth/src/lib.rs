#![doc = include_str!("../README.md")]

mod authorization_header;
mod body_hash;
mod credentials;
mod diagnose;
mod message;
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
pub use diagnose::base_string_difference::{BaseStringDifference, compare_base_strings};
pub use diagnose::cause::Cause;
pub use diagnose::credentials::{Suspicion, inspect_credentials};
pub use diagnose::{Candidates, Diagnosis, Evidence, MAX_DIAGNOSED_BODY, MAX_DIAGNOSIS_ATTEMPTS, diagnose};
pub use message::answer::{
    AnswerError, CallbackConfirmation, ExtraMembers, MAX_ANSWER_LENGTH, TemporaryCredentialsAnswer,
    TokenCredentialsAnswer, read_temporary_credentials, read_token_credentials,
};
pub use message::authorization_url::authorization_url;
pub use message::callback::{
    CallbackAnswer, CallbackError, MAX_VERIFIER_LENGTH, TypedVerifier, read_callback, read_typed_verifier,
};
pub use message::refusal::{
    MAX_REFUSAL_ITEMS, MAX_REFUSAL_MESSAGE_LENGTH, Refusal, RefusalItem, RefusalShape, read_refusal,
};
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
