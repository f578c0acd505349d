//! Fuzz targets: an event from outside is named, filtered and read, whatever it holds. Signatures: `verify/tests.rs`.

use proptest::prelude::*;
use tailorbird_model::task::trigger::{EventKey, HeaderKey, Verify, WebhookTrigger};

use super::bytes::{from_base64, from_hex, to_base64, to_hex};
use super::headers::{is_form, telling};
use super::identity::identity;
use super::verify::{Presented, Verified, crc_answer};
use tailorbird_model::task::trigger::ReceivedRequest;

#[path = "../../../../tests/fuzz/spoil.rs"]
#[allow(dead_code, reason = "other crates use the rest")]
pub(crate) mod spoil;
use spoil::{fewer, spoilt};

fn body() -> impl Strategy<Value = String> {
    spoilt(
        [
            r#"{"id":"evt_1","data":{"object":{"id":7,"n":1e400}}}"#,
            "id=1&b=x+y&b=%C3",
            "[]",
        ]
        .map(str::to_owned)
        .into(),
        &[
            "{", "}", "[", "]", "\"", ":", ",", "\\ud800", "null", "&", "=", "%", "1e999", "-0", "é", "\u{0}",
        ],
    )
}

proptest! {
    #![proptest_config(fewer(1))]

    #[test]
    fn events(
        body in body(),
        pointer in prop::option::of("(/[a-z~0-9]{0,6}){0,3}"),
        headers in prop::collection::vec(("[a-zA-Z-]{1,20}", prop::collection::vec(any::<u8>(), 0..40)), 0..50),
        form: bool,
        style in prop::sample::select(vec![Verify::Github, Verify::Stripe, Verify::X, Verify::None]),
    ) {
        let id = match pointer {
            Some(pointer) if form => Some(EventKey::Pointer(pointer)),
            Some(_) => Some(EventKey::Header(HeaderKey { header: "X-Event".to_owned() })),
            None => None,
        };
        let hook = WebhookTrigger {
            path: "orders".parse().unwrap(),
            verify: style,
            connection: None,
            tolerance: tailorbird_model::service::Span::from_seconds(300),
            records: None,
            id,
        };
        let kept = telling(&headers, &hook);
        prop_assert!(kept.keys().all(|name| !name.contains("auth") && !name.contains("cookie") && !name.contains("token")));
        std::hint::black_box(is_form(&headers));
        let request = Presented { headers: &headers, body: body.as_bytes() };
        let received = ReceivedRequest { path: "orders".to_owned(), headers: kept, form, body: body.clone() };
        if let Ok(named) = identity(&hook, request, &received, Verified { signed_at: None }) {
            prop_assert!(!named.identity.is_empty() && named.identity.len() < 600);
            prop_assert!(!named.label.contains(char::is_control));
        }
    }

    #[test]
    fn encodings(text in ".{0,80}", bytes in prop::collection::vec(any::<u8>(), 1..60)) {
        prop_assert_eq!(from_hex(&to_hex(&bytes)), Some(bytes.clone()));
        prop_assert_eq!(from_base64(&to_base64(&bytes)), Some(bytes.clone()));
        drop(from_hex(&text));
        drop(from_base64(&text));
        drop(crc_answer(&bytes, &text));
    }
}
