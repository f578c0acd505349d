//! Which headers of a request an event keeps: a list of what is allowed, so that no secret slips in.

use std::collections::BTreeMap;

use tailorbird_model::task::trigger::{EventKey, Verify, WebhookTrigger};

/// Headers that an event keeps at most.
const MAX_KEPT: usize = 32;

/// The longest value that is kept, in bytes.
const MAX_VALUE: usize = 512;

/// Names that say something about an event, beside those that begin with `x-`.
const TELLING: [&str; 4] = ["content-type", "user-agent", "webhook-id", "webhook-timestamp"];

/// Words in the names of headers that hold, or may hold, a secret, or where a request came through.
const SECRETIVE: [&str; 12] = [
    "signature",
    "token",
    "secret",
    "auth",
    "key",
    "hmac",
    "password",
    "cookie",
    "session",
    "credential",
    "forwarded",
    "real-ip",
];

/// The headers that expressions may read as `trigger.headers`.
pub(super) fn telling(headers: &[(String, Vec<u8>)], hook: &WebhookTrigger) -> BTreeMap<String, String> {
    let verified_by = match &hook.verify {
        Verify::Hmac(style) => Some(style.header.as_str()),
        Verify::Token(style) => Some(style.header.as_str()),
        _ => None,
    };
    let named = match &hook.id {
        Some(EventKey::Header(key)) => Some(key.header.as_str()),
        _ => None,
    };
    let mut kept = BTreeMap::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        let is_secret = SECRETIVE.iter().any(|word| name.contains(word))
            || verified_by.is_some_and(|header| name.eq_ignore_ascii_case(header));
        let tells = name.starts_with("x-")
            || TELLING.contains(&name.as_str())
            || named.is_some_and(|header| name.eq_ignore_ascii_case(header));
        if tells
            && !is_secret
            && value.len() <= MAX_VALUE
            && kept.len() < MAX_KEPT
            && let Ok(value) = std::str::from_utf8(value)
        {
            kept.insert(name, value.to_owned());
        }
    }
    kept
}

/// Whether the body is a form.
pub(super) fn is_form(headers: &[(String, Vec<u8>)]) -> bool {
    headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("content-type")
            && value
                .to_ascii_lowercase()
                .starts_with(b"application/x-www-form-urlencoded")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_tells_something_and_is_no_secret_is_kept() {
        let hook = WebhookTrigger {
            path: "a".parse().unwrap(),
            verify: Verify::Token(tailorbird_model::task::trigger::TokenStyle {
                header: "X-Shop".to_owned(),
                prefix: String::new(),
            }),
            connection: None,
            tolerance: tailorbird_model::service::Span::from_seconds(300),
            records: None,
            id: None,
        };
        let headers: Vec<(String, Vec<u8>)> = [
            ("x-github-event", "push"),
            ("x-hub-signature-256", "sha256=00"),
            ("x-shop", "the token"),
            ("x-api-key", "k"),
            ("authorization", "Bearer x"),
            ("cookie", "a=b"),
            ("content-type", "application/json"),
            ("host", "example.com"),
            ("x-forwarded-for", "10.0.0.1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
        .into();
        let kept: Vec<String> = telling(&headers, &hook).into_keys().collect();
        assert_eq!(kept, ["content-type", "x-github-event"]);
    }
}
