//! The log of received requests: what arrived, what the sandbox made of it, and why.
//!
//! X's own answer to almost every mistake is "Unauthorized". Here the true reason stands, in words, beside
//! the base string that the sandbox computed. Secrets are masked before anything is kept.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, header};
use jiff::Timestamp;
use serde::Serialize;

/// Requests kept; the oldest goes first.
const REQUESTS_MAX: usize = 1_000;
/// Bytes of a body that are kept.
const BODY_KEPT: usize = 16 * 1024;
/// Bytes of a header value that are kept.
const HEADER_KEPT: usize = 4 * 1024;
/// What stands in the place of a secret.
const MASK: &str = "•••";
/// Form, query and header parameters whose values are never kept.
const SECRET_PARAMETERS: [&str; 6] = [
    "password",
    "x_auth_password",
    "oauth_token_secret",
    "oauth_consumer_secret",
    "client_secret",
    "csrf",
];

/// One step of how the base string came about, for the request page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Step {
    /// What was done, with the section of RFC 5849.
    pub title: String,
    /// What came out.
    pub value: String,
}

/// One received request.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Received {
    /// Counted from 1 since the start.
    pub number: u64,
    /// When its head had arrived, by the sandbox clock.
    pub at: Timestamp,
    /// Milliseconds until the answer was ready.
    pub duration_ms: u64,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// The method.
    pub method: String,
    /// The `Host` as received.
    pub host: String,
    /// The path.
    pub path: String,
    /// The query, secrets masked; empty when there is none.
    pub query: String,
    /// The headers in the order received, secrets masked.
    pub headers: Vec<(String, String)>,
    /// The body, secrets masked and cut; what is not UTF-8 is described instead.
    pub body: String,
    /// The body's whole length in bytes.
    pub body_bytes: u64,
    /// The status answered; null where the connection was closed without an answer.
    pub status: Option<u16>,
    /// Whether the signature was found good; null where none was needed.
    pub verified: Option<bool>,
    /// What the sandbox made of the request, in words.
    pub verdict: String,
    /// The signature base string the sandbox computed (RFC 5849 §3.4.1.1).
    pub base_string: Option<String>,
    /// How the base string came about.
    pub steps: Vec<Step>,
    /// The client key presented.
    pub client_key: Option<String>,
    /// The username the request acted for.
    pub account: Option<String>,
    /// The fault that was played on it.
    pub fault: Option<String>,
}

#[derive(Default)]
struct Ring {
    received: VecDeque<Arc<Received>>,
    count: u64,
}

/// The log.
#[derive(Default)]
pub(crate) struct Record {
    ring: Mutex<Ring>,
}

impl Record {
    /// Keeps a request and gives it its number.
    pub(crate) fn keep(&self, mut received: Received) {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.count = ring.count.saturating_add(1);
        received.number = ring.count;
        if ring.received.len() >= REQUESTS_MAX {
            ring.received.pop_front();
        }
        ring.received.push_back(Arc::new(received));
    }

    /// The kept requests, newest first.
    pub(crate) fn newest_first(&self) -> Vec<Arc<Received>> {
        self.ring
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .received
            .iter()
            .rev()
            .cloned()
            .collect()
    }

    /// One kept request.
    pub(crate) fn find(&self, number: u64) -> Option<Arc<Received>> {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let first = ring.received.front()?.number;
        ring.received
            .get(usize::try_from(number.checked_sub(first)?).ok()?)
            .cloned()
    }
}

/// The headers with secrets masked: cookies, everything in `Authorization` that is a secret or a PLAINTEXT
/// signature (which *is* both secrets), bearer and basic credentials whole.
pub(crate) fn masked_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            let text = String::from_utf8_lossy(value.as_bytes());
            let shown = match *name {
                header::COOKIE | header::SET_COOKIE | header::PROXY_AUTHORIZATION => MASK.to_owned(),
                header::AUTHORIZATION => masked_authorization(&text),
                _ => text.into_owned(),
            };
            (name.as_str().to_owned(), cut(&shown, HEADER_KEPT))
        })
        .collect()
}

fn masked_authorization(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once(char::is_whitespace) else {
        return MASK.to_owned();
    };
    if !scheme.eq_ignore_ascii_case("OAuth") {
        return format!("{scheme} {MASK}");
    }
    let plaintext = value.contains("PLAINTEXT");
    let items = rest.split(',').map(|item| {
        let name = item.trim().split('=').next().unwrap_or_default();
        let secret = SECRET_PARAMETERS.contains(&name) || (plaintext && name == "oauth_signature");
        if secret {
            format!("{name}=\"{MASK}\"")
        } else {
            item.trim().to_owned()
        }
    });
    format!("{scheme} {}", items.collect::<Vec<_>>().join(", "))
}

/// A query or a form body with secrets masked.
pub(crate) fn masked_form(form: &str) -> String {
    let plaintext = form.contains("PLAINTEXT");
    let items = form.split('&').map(|item| {
        let name = item.split('=').next().unwrap_or_default();
        let secret = SECRET_PARAMETERS.contains(&name) || (plaintext && name == "oauth_signature");
        if secret {
            format!("{name}={MASK}")
        } else {
            item.to_owned()
        }
    });
    items.collect::<Vec<_>>().join("&")
}

/// What is kept of a body.
pub(crate) fn kept_body(content_type: &str, body: &[u8]) -> String {
    if body.is_empty() {
        return String::new();
    }
    let kept = body.get(..BODY_KEPT.min(body.len())).unwrap_or(body);
    let text = match std::str::from_utf8(kept) {
        Ok(text) => text,
        // A cut inside a character is still text.
        Err(error) if error.error_len().is_none() && kept.len() < body.len() => kept
            .get(..error.valid_up_to())
            .and_then(|good| std::str::from_utf8(good).ok())
            .unwrap_or_default(),
        Err(_) => return format!("({} bytes that are no text)", body.len()),
    };
    let mut shown = if content_type.starts_with("application/x-www-form-urlencoded") {
        masked_form(text)
    } else {
        text.to_owned()
    };
    if kept.len() < body.len() {
        shown.push_str("… (cut)");
    }
    shown
}

fn cut(text: &str, bytes: usize) -> String {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    let mut out = text.get(..end).unwrap_or_default().to_owned();
    if end < text.len() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_wherever_they_travel() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::AUTHORIZATION,
            "OAuth oauth_consumer_key=\"k\", oauth_signature_method=\"PLAINTEXT\", oauth_signature=\"s3cret%26\"".parse().unwrap(),
        );
        headers.insert(header::COOKIE, "session=s3cret".parse().unwrap());
        let shown = format!("{:?}", masked_headers(&headers));
        assert!(
            !shown.contains("s3cret") && shown.contains("oauth_consumer_key"),
            "{shown}"
        );
        headers.insert(header::AUTHORIZATION, "Bearer s3cret".parse().unwrap());
        assert!(!format!("{:?}", masked_headers(&headers)).contains("s3cret"));
        let form = masked_form("x_auth_password=s3cret&status=hello&password=s3cret");
        assert_eq!(form, "x_auth_password=•••&status=hello&password=•••");
        assert_eq!(
            masked_form("oauth_signature_method=HMAC-SHA1&oauth_signature=abc"),
            "oauth_signature_method=HMAC-SHA1&oauth_signature=abc"
        );
    }

    #[test]
    fn bodies_are_cut_at_a_character() {
        let body = "é".repeat(BODY_KEPT);
        let kept = kept_body("text/plain", body.as_bytes());
        assert!(kept.len() < BODY_KEPT + 20 && kept.ends_with("(cut)"));
        let odd = format!("a{body}");
        assert!(kept_body("text/plain", odd.as_bytes()).starts_with("aé"));
        assert!(kept_body("image/png", &[0xff, 0xfe, 1]).contains("no text"));
    }
}
