//! The names of the signature methods: which of them exist, and what each is made of (RFC 5849 §3.4).
//!
//! RFC 5849 itself defines HMAC-SHA1, RSA-SHA1 and PLAINTEXT; the SHA-256 and SHA-512 members are the
//! registrations every larger provider has agreed on since. The names are case-sensitive on the wire.

use std::fmt;
use std::str::FromStr;

/// A signature method, as `oauth_signature_method` names it (RFC 5849 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SignatureMethod {
    /// RFC 5849 §3.4.2. The only one that X takes.
    HmacSha1,
    /// HMAC with SHA-256; `NetSuite` asks for it.
    HmacSha256,
    /// HMAC with SHA-512.
    HmacSha512,
    /// RFC 5849 §3.4.3, RSASSA-PKCS1-v1_5 with SHA-1.
    RsaSha1,
    /// RSASSA-PKCS1-v1_5 with SHA-256; Mastercard asks for it.
    RsaSha256,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RsaSha512,
    /// RFC 5849 §3.4.4: the secrets themselves. Only for TLS or loopback.
    Plaintext,
}

/// What protects the base string under a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureFamily {
    /// A shared key made of both secrets (RFC 5849 §3.4.2).
    Hmac(HashAlgorithm),
    /// The client's private key (RFC 5849 §3.4.3).
    Rsa(HashAlgorithm),
    /// Nothing: the secrets are sent (RFC 5849 §3.4.4).
    Plaintext,
}

/// A digest that a signature method or a body hash uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HashAlgorithm {
    /// SHA-1, 20 bytes.
    Sha1,
    /// SHA-256, 32 bytes.
    Sha256,
    /// SHA-512, 64 bytes.
    Sha512,
}

impl HashAlgorithm {
    /// The usual name, for example `SHA-256`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha512 => "SHA-512",
        }
    }
}

impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl SignatureMethod {
    /// The valid names, in the order of [`SignatureMethod::all`].
    pub const NAMES: [&'static str; 7] = [
        "HMAC-SHA1",
        "HMAC-SHA256",
        "HMAC-SHA512",
        "RSA-SHA1",
        "RSA-SHA256",
        "RSA-SHA512",
        "PLAINTEXT",
    ];

    /// Every method, HMAC first.
    pub const fn all() -> [Self; 7] {
        [
            Self::HmacSha1,
            Self::HmacSha256,
            Self::HmacSha512,
            Self::RsaSha1,
            Self::RsaSha256,
            Self::RsaSha512,
            Self::Plaintext,
        ]
    }

    /// The name on the wire, exactly as `oauth_signature_method` carries it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HmacSha1 => "HMAC-SHA1",
            Self::HmacSha256 => "HMAC-SHA256",
            Self::HmacSha512 => "HMAC-SHA512",
            Self::RsaSha1 => "RSA-SHA1",
            Self::RsaSha256 => "RSA-SHA256",
            Self::RsaSha512 => "RSA-SHA512",
            Self::Plaintext => "PLAINTEXT",
        }
    }

    /// Its family and digest.
    pub const fn family(self) -> SignatureFamily {
        match self {
            Self::HmacSha1 => SignatureFamily::Hmac(HashAlgorithm::Sha1),
            Self::HmacSha256 => SignatureFamily::Hmac(HashAlgorithm::Sha256),
            Self::HmacSha512 => SignatureFamily::Hmac(HashAlgorithm::Sha512),
            Self::RsaSha1 => SignatureFamily::Rsa(HashAlgorithm::Sha1),
            Self::RsaSha256 => SignatureFamily::Rsa(HashAlgorithm::Sha256),
            Self::RsaSha512 => SignatureFamily::Rsa(HashAlgorithm::Sha512),
            Self::Plaintext => SignatureFamily::Plaintext,
        }
    }

    /// Whether it signs with the client's RSA key instead of the secrets.
    pub const fn is_rsa(self) -> bool {
        matches!(self.family(), SignatureFamily::Rsa(_))
    }

    /// The digest of the method; PLAINTEXT has none of its own, and SHA-1 stands in, because the body-hash
    /// extension was written around it.
    pub const fn hash_algorithm(self) -> HashAlgorithm {
        match self.family() {
            SignatureFamily::Hmac(hash) | SignatureFamily::Rsa(hash) => hash,
            SignatureFamily::Plaintext => HashAlgorithm::Sha1,
        }
    }
}

impl fmt::Display for SignatureMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no signature method.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("signature method {given:?} does not exist; valid are {}", SignatureMethod::NAMES.join(", "))]
pub struct UnknownSignatureMethod {
    /// The name as it was given.
    pub given: String,
}

impl FromStr for SignatureMethod {
    type Err = UnknownSignatureMethod;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::all()
            .into_iter()
            .find(|method| method.name() == name)
            .ok_or_else(|| UnknownSignatureMethod {
                given: name.to_owned(),
            })
    }
}
