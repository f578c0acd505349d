//! The one function through which requests and answers pass before a person or a log sees them.
//!
//! Headers pass by an allow-list: a header nobody thought of is masked, not shown. Parameters pass unless
//! their name says that they are secret.

use bytes::Bytes;
use memchr::memmem;
use serde::{Serialize, Serializer};
use tailorbird_model::service::Method;
use url::Url;

use super::{Request, RequestBody};

/// What stands in place of a secret.
pub const MASK: &str = "(masked)";

/// The longest body that is shown, in characters.
const MAX_SHOWN_BODY: usize = 16_384;

/// A request as people may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MaskedRequest {
    /// The method.
    pub method: Method,
    /// The address, secret parameters masked.
    pub url: String,
    /// The headers, all but known harmless ones masked; an object in JSON.
    #[serde(serialize_with = "as_object")]
    pub headers: Vec<(String, String)>,
    /// The body as text, secret fields masked; binary bodies are described.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

fn as_object<S: Serializer>(headers: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(headers.iter().map(|(name, value)| (name, value)))
}

/// Headers that hold no secret.
const SHOWN_HEADERS: [&str; 34] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "age",
    "allow",
    "cache-control",
    "connection",
    "content-encoding",
    "content-language",
    "content-length",
    "content-type",
    "date",
    "etag",
    "expires",
    "host",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "last-modified",
    "prefer",
    "retry-after",
    "server",
    "status",
    "strict-transport-security",
    "transfer-encoding",
    "user-agent",
    "vary",
    "via",
    "x-access-level",
    "x-connection-hash",
    "x-content-type-options",
    "x-request-id",
    "x-response-time",
    "x-transaction-id",
];

/// Beginnings of header names that hold no secret.
const SHOWN_HEADER_BEGINNINGS: [&str; 6] = [
    "x-rate-limit-",
    "x-ratelimit-",
    "ratelimit-",
    "x-app-limit-",
    "x-user-limit-",
    "access-control-",
];

/// Words in a parameter's name that make it secret.
const SECRET_WORDS: [&str; 8] = [
    "secret",
    "password",
    "passwd",
    "signature",
    "api_key",
    "apikey",
    "verifier",
    "credential",
];

/// Parameter names that are secret as a whole. `token` alone is one; `next_token` and the like are not.
const SECRET_NAMES: [&str; 11] = [
    "oauth_token",
    "access_token",
    "refresh_token",
    "id_token",
    "bearer_token",
    "token",
    "auth",
    "key",
    "sig",
    "code",
    "authorization",
];

/// Tells whether a parameter or field of this name is masked.
pub(crate) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.contains(&name.as_str()) || SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// Tells whether a JSON member of this name is masked. `code` and `key` are ordinary words there: the
/// number of an error, the name of a ticket.
fn is_secret_member(name: &str) -> bool {
    is_secret(name) && !matches!(name.to_ascii_lowercase().as_str(), "code" | "key")
}

/// Masks headers for a person or a log.
pub(crate) fn mask_headers(headers: &[(String, String)]) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            let plain = name.to_ascii_lowercase();
            let shown = SHOWN_HEADERS.contains(&plain.as_str())
                || SHOWN_HEADER_BEGINNINGS
                    .iter()
                    .any(|beginning| plain.starts_with(beginning));
            let value = if shown {
                value.clone()
            } else if plain == "authorization" {
                mask_authorization(value)
            } else {
                MASK.to_owned()
            };
            (name.clone(), value)
        })
        .collect()
}

/// Keeps the names of an `OAuth` header and the values that prove nothing; masks all other schemes whole.
fn mask_authorization(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once(' ') else {
        return MASK.to_owned();
    };
    if !scheme.eq_ignore_ascii_case("oauth") {
        return format!("{scheme} {MASK}");
    }
    let shown = [
        "realm",
        "oauth_consumer_key",
        "oauth_nonce",
        "oauth_timestamp",
        "oauth_signature_method",
        "oauth_version",
        "oauth_callback",
        "oauth_body_hash",
    ];
    let parts: Vec<String> = rest
        .split(',')
        .map(|pair| match pair.trim().split_once('=') {
            Some((name, _)) if !shown.contains(&name) => format!("{name}=\"{MASK}\""),
            Some(_) => pair.trim().to_owned(),
            None => MASK.to_owned(),
        })
        .collect();
    format!("{scheme} {}", parts.join(", "))
}

/// Masks userinfo and secret parameters of an address.
pub(crate) fn mask_url(url: &str) -> String {
    let Ok(mut parsed) = Url::parse(url) else {
        return MASK.to_owned();
    };
    if !parsed.username().is_empty() || parsed.password().is_some() {
        let _refused = parsed.set_password(None);
        let _refused = parsed.set_username("masked");
    }
    let text = parsed.as_str();
    let Some((before, query)) = text.split_once('?') else {
        return text.to_owned();
    };
    format!("{before}?{}", mask_form(query))
}

/// Masks secret parameters of a form.
pub(crate) fn mask_form(form: &str) -> String {
    let pairs: Vec<String> = form
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if is_secret(name) => format!("{name}={MASK}"),
            _ => pair.to_owned(),
        })
        .collect();
    pairs.join("&")
}

fn mask_json(json: &mut serde_json::Value) {
    match json {
        serde_json::Value::Object(members) => {
            for (name, value) in members {
                // A nested value is looked into; numbers and truths prove nothing.
                if value.is_string() && is_secret_member(name) {
                    *value = MASK.into();
                } else {
                    mask_json(value);
                }
            }
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(mask_json),
        _ => {}
    }
}

/// Masks a body by its media type and shortens it for a screen.
pub(crate) fn mask_shortened(content_type: &str, bytes: &[u8]) -> String {
    let masked = mask_text(content_type, bytes);
    if masked.chars().count() <= MAX_SHOWN_BODY {
        return masked;
    }
    let beginning: String = masked.chars().take(MAX_SHOWN_BODY).collect();
    format!("{beginning}… ({} bytes in all)", bytes.len())
}

/// Masks a body by its media type.
pub(crate) fn mask_text(content_type: &str, bytes: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return format!("({} bytes)", bytes.len());
    };
    let kind = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let is_json = kind.ends_with("json");
    if is_json && contains_secret_word(text) {
        match serde_json::from_str::<serde_json::Value>(text) {
            Ok(mut json) => {
                mask_json(&mut json);
                json.to_string()
            }
            Err(_) => MASK.to_owned(),
        }
    } else if kind == super::FORM || looks_like_form(text) {
        // The OAuth answers of X are forms that call themselves HTML (facts of the provider).
        mask_form(text)
    } else {
        text.to_owned()
    }
}

/// Masks the provider's words where they are a form: some answer with what they were sent.
pub(crate) fn mask_words(words: &str) -> String {
    if looks_like_form(words) {
        mask_form(words)
    } else {
        words.to_owned()
    }
}

/// The shortest secret that is searched for in answers; shorter ones would hit ordinary words.
const MIN_REDACTED_BYTES: usize = 8;

/// Replaces secrets inside an answer's body: a provider that echoes requests, as debugging services do,
/// must not bring our own secrets onto a screen or into the ledger.
pub(crate) fn redact(body: Bytes, secrets: &[&str]) -> Bytes {
    let mut body = body;
    for secret in secrets.iter().filter(|secret| secret.len() >= MIN_REDACTED_BYTES) {
        // Most secrets have one spelling only; making the others for each answer costs more than the search.
        if secret.bytes().all(is_unreserved) {
            body = replaced(body, secret.as_bytes());
            continue;
        }
        for spelling in spellings(secret) {
            body = replaced(body, spelling.as_bytes());
        }
    }
    body
}

/// Characters that no encoding changes (RFC 5849 §3.6).
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// How an echo may write a secret: as it is; encoded once, as in a form; encoded twice, as PLAINTEXT puts it
/// into a header or query (RFC 5849 §3.4.4 and §3.6); in JSON of those that escape the slash.
fn spellings(secret: &str) -> Vec<String> {
    let once = tailorbird_oauth::percent_encode(secret);
    let twice = tailorbird_oauth::percent_encode(&once);
    let in_json = secret.replace('/', "\\/");
    let mut all = vec![secret.to_owned(), once, twice, in_json];
    all.dedup();
    all
}

fn replaced(body: Bytes, secret: &[u8]) -> Bytes {
    if secret.is_empty() || memmem::find(&body, secret).is_none() {
        return body;
    }
    let mut out = Vec::with_capacity(body.len());
    let mut rest: &[u8] = &body;
    while let Some((before, behind)) =
        memmem::find(rest, secret).and_then(|at| Some((rest.get(..at)?, rest.get(at + secret.len()..)?)))
    {
        out.extend_from_slice(before);
        out.extend_from_slice(MASK.as_bytes());
        rest = behind;
    }
    out.extend_from_slice(rest);
    Bytes::from(out)
}

/// Spares the parse for bodies that hold no secret name: exact digits and white space stay as sent.
fn contains_secret_word(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| text.contains(word))
        || SECRET_NAMES
            .iter()
            .any(|name| text.contains(&format!("\"{name}\"")))
}

fn looks_like_form(text: &str) -> bool {
    text.contains('=') && !text.contains(['<', '{', ' ', '\n'])
}

impl Request {
    /// The request as people may see it.
    pub fn masked(&self) -> MaskedRequest {
        let mut headers = self.headers.clone();
        if let Some(content_type) = self.body.content_type() {
            headers.push(("Content-Type".to_owned(), content_type));
        }
        MaskedRequest {
            method: self.method,
            url: mask_url(&self.url),
            headers: mask_headers(&headers),
            body: masked_body(&self.body),
        }
    }
}

fn masked_body(body: &RequestBody) -> Option<String> {
    match body {
        RequestBody::None => None,
        RequestBody::Multipart(parts) => {
            let described: Vec<String> = parts
                .iter()
                .map(|part| {
                    let value = if is_secret(&part.name) {
                        MASK.to_owned()
                    } else if part.file_name.is_some() {
                        format!("({} bytes)", part.bytes.len())
                    } else {
                        mask_shortened("text/plain", &part.bytes)
                    };
                    format!("{}={value}", part.name)
                })
                .collect();
            Some(described.join("\n"))
        }
        other => Some(mask_shortened(
            &other.content_type().unwrap_or_default(),
            &other.bytes(),
        )),
    }
}
