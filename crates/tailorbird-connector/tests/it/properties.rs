//! Whatever a value holds, it stays one value in its place.

use std::sync::LazyLock;

use proptest::prelude::*;
use tailorbird_connector::{RawCall, Request, Resolved, build, build_raw};
use tailorbird_model::Value;
use tailorbird_model::service::Method;
use tailorbird_oauth::percent_decode;
use url::Url;

use crate::fixtures::{arguments, post, x_at};

/// The service is read once: the cases are about requests.
fn x() -> &'static Resolved {
    static X: LazyLock<Resolved> = LazyLock::new(|| x_at("http://127.0.0.1:7081"));
    &X
}

fn decoded(text: &str) -> String {
    String::from_utf8(percent_decode(text)).unwrap()
}

proptest! {
    #[test]
    fn a_path_value_is_one_segment(value in "[^\\p{Cc}]{1,40}") {
        let built = build(x(), "get_user_by_username", &arguments(&[("username", Value::from(value.as_str()))]));
        if value == "." || value == ".." {
            prop_assert!(built.is_err());
            return Ok(());
        }
        let url = Url::parse(&built.unwrap().url).unwrap();
        let segments: Vec<&str> = url.path_segments().unwrap().collect();
        prop_assert_eq!(segments.len(), 5);
        prop_assert_eq!(decoded(segments[4]), value);
        prop_assert_eq!(url.host_str(), Some("127.0.0.1"));
    }

    #[test]
    fn a_query_value_is_one_parameter(name in "[^\\x00]{1,12}", value in ".{0,40}") {
        let pairs = [(name.clone(), value.clone())];
        let request = build_raw(x(), Method::Get, &RawCall { path: "/a", parameters: &pairs, ..RawCall::default() }).unwrap();
        let url = Url::parse(&request.url).unwrap();
        // No raw plus on the wire, so that form readers and percent readers agree.
        prop_assert!(!request.url.contains('+'));
        prop_assert_eq!(url.as_str(), request.url.as_str(), "final: reading it again changes nothing");
        let query = url.query().unwrap();
        let (left, right) = query.split_once('=').unwrap();
        prop_assert_eq!((decoded(left), decoded(right)), (name, value));
    }

    #[test]
    fn a_json_text_comes_back_as_it_was(value in "[^\\p{Cc}\\p{Co}\\p{Cn}\\p{Cf}\\s][a-zA-Zäß\"\\\\ ]{0,30}") {
        let Ok(request) = build(x(), "create_post", &post(&value)) else { return Ok(()) };
        let json: serde_json::Value = serde_json::from_slice(&request.body.bytes()).unwrap();
        prop_assert_eq!(json.pointer("/text").unwrap().as_str().unwrap(), value);
    }

    #[test]
    fn a_stored_request_reads_back(value in ".{0,40}", bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let pairs = [("a".to_owned(), value)];
        let call = RawCall { path: "/a", parameters: &pairs, body: Some(&bytes), content_type: Some("a/b") };
        let request = build_raw(x(), Method::Post, &call).unwrap();
        let back: Request = serde_json::from_str(&serde_json::to_string(&request).unwrap()).unwrap();
        prop_assert_eq!(back.fingerprint(), request.fingerprint());
        prop_assert_eq!(back, request);
    }
}
