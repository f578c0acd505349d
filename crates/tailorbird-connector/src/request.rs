//! A request as a plain value: what would be sent, before it is authenticated.
//!
//! It can be looked at, stored in the ledger, compared and sent again. Invariant: it holds no credentials;
//! a fresh nonce and signature are added to a copy right before each send.

mod curl;
mod masked;

use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tailorbird_model::service::Method;

pub use masked::{MASK, MaskedRequest};
pub(crate) use masked::{mask_form, mask_headers, mask_shortened, mask_text, mask_url, mask_words, redact};

/// The media type of forms.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
/// The media type of JSON.
pub(crate) const JSON: &str = "application/json";

/// One request, not yet authenticated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The operation it was built from; none for a request by method and path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The method.
    pub method: Method,
    /// The final address as it goes onto the wire, percent-encoded, without a fragment.
    pub url: String,
    /// Headers besides those that the transport and the body make (host, length, content type).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// The body.
    #[serde(default, skip_serializing_if = "RequestBody::is_none")]
    pub body: RequestBody,
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestBody {
    /// No body.
    #[default]
    None,
    /// JSON text, with every digit of its numbers as given.
    Json(String),
    /// A form: names and values in order, decoded.
    Form(Vec<(String, String)>),
    /// A multipart form (RFC 7578).
    Multipart(Vec<Part>),
    /// Any other body.
    Raw {
        /// Its media type.
        content_type: String,
        /// Its bytes; Base64 in the stored form.
        #[serde(with = "base64_bytes")]
        bytes: Vec<u8>,
    },
}

/// One part of a multipart form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The field's name.
    pub name: String,
    /// The file name, for parts that are files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// Its bytes; Base64 in the stored form.
    #[serde(with = "base64_bytes")]
    pub bytes: Vec<u8>,
}

impl RequestBody {
    /// Tells whether there is no body.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// The media type, where there is a body.
    pub fn content_type(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Json(_) => Some(JSON.to_owned()),
            Self::Form(_) => Some(FORM.to_owned()),
            Self::Multipart(parts) => Some(format!("multipart/form-data; boundary={}", boundary(parts))),
            Self::Raw { content_type, .. } => Some(content_type.clone()),
        }
    }

    /// The bytes on the wire.
    pub fn bytes(&self) -> Bytes {
        match self {
            Self::None => Bytes::new(),
            Self::Json(text) => Bytes::from(text.clone()),
            Self::Form(pairs) => Bytes::from(encode_form(pairs)),
            Self::Multipart(parts) => encode_multipart(parts),
            Self::Raw { bytes, .. } => Bytes::from(bytes.clone()),
        }
    }
}

impl Request {
    /// A short name for messages: the operation, else method and path.
    pub fn name(&self) -> String {
        self.operation.clone().unwrap_or_else(|| {
            let path = url::Url::parse(&self.url)
                .map(|url| url.path().to_owned())
                .unwrap_or_default();
            format!("{} {path}", self.method)
        })
    }

    /// A digest of everything that is sent, besides authentication: SHA-256, 64 hexadecimal digits.
    ///
    /// Stable over storing and reading back, and over versions of the program, because delivered content
    /// is compared by it.
    pub fn fingerprint(&self) -> String {
        let mut hasher = Sha256::new();
        let mut field = |bytes: &[u8]| {
            // The length in front keeps neighbours apart: ("ab","c") is not ("a","bc").
            hasher.update(bytes.len().to_string().as_bytes());
            hasher.update(b":");
            hasher.update(bytes);
        };
        field(self.method.as_str().as_bytes());
        field(self.url.as_bytes());
        for (name, value) in &self.headers {
            field(name.to_ascii_lowercase().as_bytes());
            field(value.as_bytes());
        }
        field(self.body.content_type().unwrap_or_default().as_bytes());
        field(&self.body.bytes());
        hex(&hasher.finalize())
    }
}

/// Writes pairs as a form. Every byte outside the unreserved set is percent-encoded, also the space, so
/// that all signers agree (RFC 5849 §3.6).
pub(crate) fn encode_form(pairs: &[(String, String)]) -> String {
    tailorbird_oauth::encode_query(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

/// The boundary of a multipart body. It is made from the contents, so that the same request has the same
/// bytes each time; 128 bits of a digest do not occur inside the contents that they were made from.
fn boundary(parts: &[Part]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.name.as_bytes());
        hasher.update([0]);
        hasher.update(part.bytes.len().to_string().as_bytes());
        hasher.update([0]);
        hasher.update(&part.bytes);
    }
    let digest: String = hex(&hasher.finalize()).chars().take(32).collect();
    format!("tailorbird-{digest}")
}

fn encode_multipart(parts: &[Part]) -> Bytes {
    let boundary = boundary(parts);
    let mut out = Vec::with_capacity(parts.iter().map(|part| part.bytes.len() + 256).sum());
    for part in parts {
        let name = escape_name(&part.name);
        out.extend_from_slice(
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"").as_bytes(),
        );
        if let Some(file_name) = &part.file_name {
            out.extend_from_slice(format!("; filename=\"{}\"", escape_name(file_name)).as_bytes());
            out.extend_from_slice(b"\r\nContent-Type: application/octet-stream");
        }
        out.extend_from_slice(b"\r\n\r\n");
        out.extend_from_slice(&part.bytes);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Bytes::from(out)
}

/// The three characters that HTML escapes in a multipart name; a raw line break would start a new header.
fn escape_name(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

/// Writes bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _infallible = write!(text, "{byte:02x}");
            text
        })
}

mod base64_bytes {
    use base64::Engine as _;

    use super::STANDARD;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        STANDARD
            .decode(String::deserialize(deserializer)?)
            .map_err(serde::de::Error::custom)
    }
}
