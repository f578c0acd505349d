//! Rule 10 of never-twice: recognising a post that may have been sent.

use tailorbird_text::{MAX_TEXT_BYTES, normalise_for_match, same_text};

const SHORT: &str = "https://t.co/abcdefghij";

#[track_caller]
fn same(sent: &str, seen: &str, long: &str) {
    assert!(
        same_text(sent, seen, &[(SHORT, long)]).unwrap(),
        "{sent:?} became {seen:?}"
    );
}

#[track_caller]
fn different(sent: &str, seen: &str, long: &str) {
    assert!(
        !same_text(sent, seen, &[(SHORT, long)]).unwrap(),
        "{sent:?} did not become {seen:?}"
    );
}

#[test]
fn what_x_does_is_undone() {
    same(" A & B \n", "A &amp; B", "");
    same("1 < 2 > 0", "1 &lt; 2 &gt; 0", "");
    same("e\u{301}\r\nx", "é\nx", "");
    same(
        "see http://example.com/x!",
        "see https://t.co/abcdefghij!",
        "http://example.com/x",
    );
    same(
        "see example.com",
        "see https://t.co/abcdefghij",
        "http://example.com",
    );
    same(
        "see example.com",
        "see https://t.co/abcdefghij",
        "https://example.com/",
    );
    same(
        "see Example.COM/X",
        "see https://t.co/abcdefghij",
        "http://example.com/X",
    );
    same(
        "example.com/?a=1&b=2",
        "https://t.co/abcdefghij",
        "http://example.com/?a=1&b=2",
    );
    same(
        "example.com?a=1",
        "https://t.co/abcdefghij?a=1",
        "http://example.com",
    );
    same(
        "http://bücher.de/größe",
        "https://t.co/abcdefghij",
        "http://xn--bcher-kva.de/gr%C3%B6%C3%9Fe",
    );
    // Our list of top-level domains need not be X's.
    same(
        "see shop.unheardof now",
        "see https://t.co/abcdefghij now",
        "http://shop.unheardof",
    );
    // A person's own short link is kept.
    same(
        "see https://t.co/abcdefghij",
        "see https://t.co/abcdefghij",
        "http://example.com",
    );
}

#[test]
fn nothing_else_is() {
    different("A & B", "A & b", "");
    different("A", "A.", "");
    different("A.", "A", "");
    different("a  b", "a b", "");
    different(
        "see http://example.com/x",
        "see https://t.co/abcdefghij",
        "http://example.com/X",
    );
    different(
        "see http://example.com",
        "see https://t.co/abcdefghij",
        "https://example.com",
    );
    different(
        "see http://example.com",
        "see https://t.co/abcdefghij",
        "http://example.org",
    );
    different(
        "see http://example.com",
        "see https://t.co/other00000",
        "http://example.com",
    );
    // One layer of escapes: these were two different posts.
    different("A &amp; B", "A &amp; B", "");
    same("A &amp; B", "A &amp;amp; B", "");
    different("", "x", "");
    same("", "", "");
}

#[test]
fn a_link_to_the_posts_own_picture_is_passed_over() {
    let picture = "https://x.com/erp/status/1234567890/photo/1";
    same("new drill", "new drill https://t.co/abcdefghij", picture);
    same("", "https://t.co/abcdefghij", picture);
    different(
        "new drill",
        "new drill https://t.co/abcdefghij",
        "https://x.com/erp/status/1234567890",
    );
    different("new drill", "new drill https://t.co/abcdefghij.", picture);
    different("new drill", "new https://t.co/abcdefghij drill", picture);
    same(
        "new drill example.com",
        "new drill https://t.co/abcdefghij",
        "http://example.com",
    );
}

#[test]
fn several_links_are_told_apart() {
    let links = [
        ("https://t.co/a", "http://one.example"),
        ("https://t.co/ab", "http://two.example"),
    ];
    assert!(
        same_text(
            "one.example two.example",
            "https://t.co/a https://t.co/ab",
            &links
        )
        .unwrap()
    );
    assert!(
        !same_text(
            "two.example one.example",
            "https://t.co/a https://t.co/ab",
            &links
        )
        .unwrap()
    );
    assert!(same_text("one.example one.example", "https://t.co/a https://t.co/a", &links).unwrap());
    let twice = [
        ("https://t.co/a", "http://one.example"),
        ("https://t.co/ab", "http://one.example"),
    ];
    assert!(same_text("one.example", "https://t.co/ab", &twice).unwrap());
    // A short link that is empty stands for nothing, and does not make the walk go in circles.
    assert!(same_text("x", "x", &[("", "")]).unwrap());
}

#[test]
fn the_form_for_comparison_is_stable() {
    let once = normalise_for_match(" e\u{301}\r\na\rb \u{3000}");
    assert_eq!(once, "é\na\nb");
    assert_eq!(normalise_for_match(&once), once);
}

#[test]
fn too_large_a_text_gets_no_answer() {
    let large = "x".repeat(MAX_TEXT_BYTES + 1);
    assert!(same_text(&large, "x", &[]).is_err());
    assert!(same_text("x", &large, &[]).is_err());
}
