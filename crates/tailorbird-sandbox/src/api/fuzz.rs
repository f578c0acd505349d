//! Fuzz targets: queries, bodies and page tokens of clients.

use proptest::prelude::*;
use serde_json::Value;

use super::page::{Window, cut, read_token};
use super::params::{Params, decode_pairs, parse_id};
use super::schema::{Member, Shape, optional, read, required};
use super::search;

use crate::fuzz::spoil::{fewer, spoilt, spoilt_bytes};

const MEMBERS: &[Member] = &[
    required("text", Shape::Text { min: 1, max: 280 }),
    optional("reply", Shape::Object(&[required("id", Shape::Id)])),
    optional(
        "tags",
        Shape::List {
            item: &Shape::OneOf(&["a", "b"]),
            min: 1,
            max: 4,
        },
    ),
    optional("minutes", Shape::Number { min: 5, max: 10_080 }),
    optional("silent", Shape::Flag),
];

proptest! {
    #![proptest_config(fewer(1))]

    #[test]
    fn queries(query in spoilt(
        ["ids=1,2&max_results=10&start_time=2026-11-23T10:00:00Z&pagination_token=abc&usernames=a,b", ""].map(str::to_owned).into(),
        &["&", "=", "%", "%00", "%zz", "+", ",", "ids", "max_results=", "18446744073709551616", "oauth_token=x", "é"],
    )) {
        drop(decode_pairs(&query));
        let mut params = Params::parse(&query);
        prop_assert!(params.ids("ids", 100).iter().all(|id| *id > 0));
        prop_assert!((5..=100).contains(&params.count("max_results", 5..=100, 10)));
        std::hint::black_box((params.usernames("usernames", 100), params.time("start_time")));
        std::hint::black_box(params.window(&["pagination_token"], "list"));
        drop(params.finish());
        if let Some(id) = parse_id(&query) {
            prop_assert_eq!(parse_id(&id.to_string()), Some(id));
        }
    }

    #[test]
    fn searches(text in spoilt(
        ["(cats OR \"big dogs\") -is:reply from:tailor lang:en has:links", "#tag @name url:\"example.com\" conversation_id:17"].map(str::to_owned).into(),
        &["(", ")", "((((((((", "\"", "-", " OR ", "OR", "is:", "from:", "lang:", ":", "#", "@", "é", "😀", "\u{0}", " "],
    )) {
        if let Err(error) = search::parse(&text) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn bodies(body in spoilt_bytes(
        [r#"{"text":"Hello","reply":{"id":"17"},"tags":["a","b"],"minutes":60,"silent":true}"#, "[[[[[[[[[[]]]]]]]]]]"].map(|seed| seed.as_bytes().to_vec()).into(),
    ), kind in prop::option::of(".{0,30}")) {
        drop(read(kind.as_deref(), &body, MEMBERS));
        if let Ok(value) = read(Some("application/json; charset=utf-8"), &body, MEMBERS) {
            let length = value.get("text").and_then(Value::as_str).map(|text| text.chars().count());
            prop_assert!(length.is_some_and(|length| (1..=280).contains(&length)));
        }
    }

    #[test]
    fn page_tokens(token in ".{0,40}", keys in prop::collection::btree_set(1_u64..500, 0..40), limit in 1_usize..20) {
        std::hint::black_box(read_token(&token, "list"));
        let newest: Vec<u64> = keys.iter().rev().copied().collect();
        // From page to page each entry is seen once.
        let (mut window, mut seen) = (Window::Newest, Vec::new());
        loop {
            let page = cut(newest.iter().copied(), |_| true, window, limit, "list");
            seen.extend(page.keys);
            let Some(next) = page.next else { break };
            prop_assert_eq!(read_token(&next, "another list"), None);
            window = read_token(&next, "list").unwrap();
        }
        prop_assert_eq!(seen, newest);
    }
}
