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
/// Bytes of a query that are kept.
const QUERY_KEPT: usize = 16 * 1024;
/// Bytes of a base string, and of what one step gave, that are kept: both grow with the body, which may have
/// megabytes.
const DERIVED_KEPT: usize = 16 * 1024;
/// Steps that are kept.
const STEPS_MAX: usize = 40;
/// Bytes of any other text (host, path, verdict and the like) that are kept.
const TEXT_KEPT: usize = 4 * 1024;
/// Bytes that all kept requests have together, so that a thousand large ones are not a thousand times large.
const RING_BYTES: usize = 16 * 1024 * 1024;
/// What a text ends with where the rest was not kept.
const CUT_MARK: &str = "… (cut)";
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
    /// The signature base string the sandbox computed (RFC 5849 §3.4.1.1); a long one is cut and says so.
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

impl Received {
    /// Cuts everything that a client can make as long as it likes.
    fn cut(&mut self) {
        for text in [
            &mut self.method,
            &mut self.host,
            &mut self.path,
            &mut self.verdict,
        ] {
            cut_in_place(text, TEXT_KEPT);
        }
        for text in [&mut self.client_key, &mut self.account, &mut self.fault]
            .into_iter()
            .flatten()
        {
            cut_in_place(text, TEXT_KEPT);
        }
        cut_in_place(&mut self.query, QUERY_KEPT);
        if let Some(base_string) = &mut self.base_string {
            cut_in_place(base_string, DERIVED_KEPT);
        }
        self.steps.truncate(STEPS_MAX);
        for step in &mut self.steps {
            cut_in_place(&mut step.title, TEXT_KEPT);
            cut_in_place(&mut step.value, DERIVED_KEPT);
        }
    }

    /// The bytes it takes, near enough.
    fn weight(&self) -> usize {
        let optional = [&self.client_key, &self.account, &self.fault, &self.base_string];
        let texts = [
            &self.method,
            &self.host,
            &self.path,
            &self.query,
            &self.body,
            &self.verdict,
        ]
        .into_iter()
        .chain(optional.into_iter().flatten())
        .map(String::len);
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len());
        let steps = self.steps.iter().map(|step| step.title.len() + step.value.len());
        size_of::<Self>() + texts.chain(headers).chain(steps).sum::<usize>()
    }
}

/// Tells whether a kept text is only the beginning of what there was. No base string ends like this of
/// itself: it is ASCII (RFC 5849 §3.6).
pub(crate) fn is_cut(text: &str) -> bool {
    text.ends_with(CUT_MARK)
}

#[derive(Default)]
struct Ring {
    received: VecDeque<Arc<Received>>,
    bytes: usize,
    count: u64,
}

/// The log.
#[derive(Default)]
pub(crate) struct Record {
    ring: Mutex<Ring>,
}

impl Record {
    /// Keeps a request, cut where it is long, and gives it its number.
    pub(crate) fn keep(&self, mut received: Received) {
        received.cut();
        let weight = received.weight();
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.count = ring.count.saturating_add(1);
        received.number = ring.count;
        ring.bytes = ring.bytes.saturating_add(weight);
        while ring.received.len() >= REQUESTS_MAX || ring.bytes > RING_BYTES {
            let Some(oldest) = ring.received.pop_front() else {
                break;
            };
            ring.bytes = ring.bytes.saturating_sub(oldest.weight());
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
        shown.push_str(CUT_MARK);
    }
    shown
}

fn cut(text: &str, bytes: usize) -> String {
    let end = text.floor_char_boundary(bytes);
    let kept = text.get(..end).unwrap_or_default();
    if end < text.len() {
        format!("{kept}{CUT_MARK}")
    } else {
        kept.to_owned()
    }
}

/// Cuts into a new allocation: truncating would keep the memory of the whole.
fn cut_in_place(text: &mut String, bytes: usize) {
    if text.len() > bytes {
        *text = cut(text, bytes);
    }
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

    fn received(bytes: usize) -> Received {
        let long = "é".repeat(bytes / 2);
        Received {
            number: 0,
            at: Timestamp::UNIX_EPOCH,
            duration_ms: 0,
            scheme: "http",
            method: "POST".to_owned(),
            host: long.clone(),
            path: long.clone(),
            query: long.clone(),
            headers: Vec::new(),
            body: String::new(),
            body_bytes: 0,
            status: None,
            verified: None,
            verdict: long.clone(),
            base_string: Some(long.clone()),
            steps: (0..STEPS_MAX * 2)
                .map(|_| Step {
                    title: "Base string".to_owned(),
                    value: long.clone(),
                })
                .collect(),
            client_key: Some(long.clone()),
            account: None,
            fault: None,
        }
    }

    #[test]
    fn what_a_client_makes_long_is_kept_short_and_says_so() {
        let record = Record::default();
        record.keep(received(100_000));
        let kept = record.find(1).unwrap();
        let base_string = kept.base_string.as_deref().unwrap();
        assert!(is_cut(base_string) && base_string.len() <= DERIVED_KEPT + CUT_MARK.len());
        assert_eq!(kept.steps.len(), STEPS_MAX);
        assert_eq!(
            kept.steps[0].value, base_string,
            "the page compares the two to leave one out"
        );
        assert!(
            kept.weight() < DERIVED_KEPT * (STEPS_MAX + 4),
            "{}",
            kept.weight()
        );
        let short = Record::default();
        short.keep(received(10));
        assert_eq!(short.find(1).unwrap().base_string.as_deref(), Some("ééééé"));
    }

    #[test]
    fn all_requests_together_have_a_size() {
        let record = Record::default();
        for _ in 0..60 {
            record.keep(received(100_000));
        }
        let kept = record.newest_first();
        let bytes: usize = kept.iter().map(|one| one.weight()).sum();
        assert!(
            bytes <= RING_BYTES && kept.len() < 60,
            "{bytes} in {}",
            kept.len()
        );
        assert_eq!(kept[0].number, 60);
        assert!(record.find(1).is_none());
        assert_eq!(record.find(60).unwrap().number, 60);
        for _ in 0..=REQUESTS_MAX {
            record.keep(received(2));
        }
        assert_eq!(record.newest_first().len(), REQUESTS_MAX);
    }
}
