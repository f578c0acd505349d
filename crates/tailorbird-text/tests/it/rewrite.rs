//! What X makes of a text on its way in.

use tailorbird_text::{MAX_TEXT_BYTES, Rewritten, display_url, rewrite_as_x};

/// Short links of 23 characters, numbered.
fn rewrite(text: &str) -> Rewritten {
    let mut count = 0;
    rewrite_as_x(text, |_| {
        count += 1;
        format!("https://t.co/{count:010}")
    })
    .unwrap()
}

#[test]
fn a_text_is_escaped_shortened_trimmed_and_normalised() {
    let out = rewrite(" \n<b> A&B: e\u{301} example.com/x?a=1&b=2, http://example.org \t");
    assert_eq!(
        out.text,
        "&lt;b&gt; A&amp;B: é https://t.co/0000000001, https://t.co/0000000002"
    );
    let [first, second] = &out.urls[..] else {
        panic!("two links")
    };
    assert_eq!(first.expanded, "http://example.com/x?a=1&b=2");
    assert_eq!(first.display, "example.com/x?a=1&b=2");
    assert_eq!(first.url.chars().count(), 23);
    assert_eq!(second.expanded, "http://example.org");
    assert_eq!(second.display, "example.org");
}

#[test]
fn places_are_those_of_the_stored_text() {
    let out = rewrite("<> @erp example.com #neu & $ABC 日本 @crm/team");
    let slice = |start: usize, end: usize| out.text.chars().skip(start).take(end - start).collect::<String>();
    assert_eq!(
        slice(out.urls[0].start, out.urls[0].end),
        "https://t.co/0000000001"
    );
    let mentions: Vec<_> = out
        .mentions
        .iter()
        .map(|mention| slice(mention.start, mention.end))
        .collect();
    assert_eq!(mentions, ["@erp", "@crm/team"]);
    assert_eq!(slice(out.hashtags[0].start, out.hashtags[0].end), "#neu");
    assert_eq!(slice(out.cashtags[0].start, out.cashtags[0].end), "$ABC");
}

#[test]
fn what_the_shortener_answers_is_escaped_like_the_rest() {
    let out = rewrite_as_x("example.com", |_| "http://s.example/?a&b".to_owned()).unwrap();
    assert_eq!(out.text, "http://s.example/?a&amp;b");
    assert_eq!(out.urls[0].url, "http://s.example/?a&b");
    assert_eq!(
        (out.urls[0].start, out.urls[0].end),
        (0, out.text.chars().count())
    );
}

#[test]
fn links_are_displayed_short() {
    for (url, shown) in [
        ("https://www.example.com/", "example.com"),
        ("http://example.com", "example.com"),
        ("HTTP://WWW.Example.com/a", "Example.com/a"),
        (
            "https://shop.example.com/products/4711/reviews",
            "shop.example.com/products/4711/…",
        ),
        ("https://example.com/123456789abcde", "example.com/123456789abcde"),
        (
            "https://example.com/123456789abcdef",
            "example.com/123456789abcde…",
        ),
        ("example.com/ééééééééééééééééé", "example.com/éééééééééééééé…"),
        ("www", "www"),
    ] {
        assert_eq!(display_url(url), shown, "{url}");
    }
}

#[test]
fn too_large_a_text_is_refused_before_any_link_is_made() {
    let text = format!("example.com {}", "x".repeat(MAX_TEXT_BYTES));
    assert!(rewrite_as_x(&text, |_| panic!("no link is shortened")).is_err());
}
