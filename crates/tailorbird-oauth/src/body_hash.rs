//! `oauth_body_hash` (OAuth Request Body Hash draft): a digest of a body that the signature itself does
//! not cover, such as JSON.
//!
//! The draft says "the signature method's digest" and defines SHA-1 for PLAINTEXT. Some libraries send
//! SHA-1 under every method. So the sender may choose, and the verifier takes both and says which it was.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq as _;

use crate::signature_method::{HashAlgorithm, SignatureMethod};

/// The digest with which a sender makes `oauth_body_hash`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyHashDigest {
    /// The digest of the signature method, as the draft has it.
    #[default]
    OfMethod,
    /// SHA-1 whatever the method, as some servers expect.
    Sha1,
}

impl BodyHashDigest {
    /// The digest that is meant under a signature method.
    pub const fn algorithm(self, method: SignatureMethod) -> HashAlgorithm {
        match self {
            Self::OfMethod => method.hash_algorithm(),
            Self::Sha1 => HashAlgorithm::Sha1,
        }
    }
}

/// The value of `oauth_body_hash`: the base64 of the body's digest. An absent body counts as empty.
pub fn body_hash(algorithm: HashAlgorithm, body: &[u8]) -> String {
    match algorithm {
        HashAlgorithm::Sha1 => STANDARD.encode(Sha1::digest(body)),
        HashAlgorithm::Sha256 => STANDARD.encode(Sha256::digest(body)),
        HashAlgorithm::Sha512 => STANDARD.encode(Sha512::digest(body)),
    }
}

/// What a given `oauth_body_hash` turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyHashMatch {
    /// The digest of the signature method: as the draft says.
    OfMethod(HashAlgorithm),
    /// SHA-1 under a method with another digest: accepted, worth a note.
    Sha1Override,
}

/// Checks a given `oauth_body_hash` against a body; `None` when it fits neither digest.
pub fn match_body_hash(method: SignatureMethod, body: &[u8], given: &str) -> Option<BodyHashMatch> {
    let fits = |algorithm| bool::from(body_hash(algorithm, body).as_bytes().ct_eq(given.as_bytes()));
    if fits(method.hash_algorithm()) {
        Some(BodyHashMatch::OfMethod(method.hash_algorithm()))
    } else if fits(HashAlgorithm::Sha1) {
        Some(BodyHashMatch::Sha1Override)
    } else {
        None
    }
}
