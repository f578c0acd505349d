//! Own cases of extraction; they need no data from outside.

use tailorbird_text::{
    MAX_TEXT_BYTES, extract_cashtags, extract_entities, extract_hashtags, extract_mentions, extract_urls,
};

#[track_caller]
fn urls(text: &str, expected: &[&str]) {
    let found = extract_urls(text).unwrap();
    let seen: Vec<_> = found.iter().map(|url| url.url.as_str()).collect();
    assert_eq!(seen, expected, "{text:?}");
    for url in found {
        let slice: String = text.chars().skip(url.start).take(url.end - url.start).collect();
        assert_eq!(slice, url.url, "the place is the place of the link");
    }
}

#[track_caller]
fn tags(seen: &[String], expected: &[&str]) {
    assert_eq!(seen, expected);
}

#[test]
fn links_with_protocol() {
    urls(
        "see https://shop.example.com/p/4711?ref=x#top, please",
        &["https://shop.example.com/p/4711?ref=x#top"],
    );
    urls("HTTPS://Shop.Example.COM", &["HTTPS://Shop.Example.COM"]);
    urls("http://localhost http://intranet http://10.0.0.1", &[]);
    urls("http://example.com:8080/a", &["http://example.com:8080/a"]);
    urls("http://example.com: and", &["http://example.com"]);
    urls("http://bücher.example", &[]);
    urls(
        "http://bücher.de http://müller.vermögensberatung",
        &["http://bücher.de", "http://müller.vermögensberatung"],
    );
    urls("ftp://example.com", &[]);
    urls("xhttp://example.com", &[]);
}

#[test]
fn links_without_protocol() {
    urls(
        "example.com, shop.example.de/a. Also a.b!",
        &["example.com", "shop.example.de/a"],
    );
    urls("mail me@example.com or me@mail.example.com", &[]);
    urls(
        "@example.com #example.com $example.com _example.com -example.com",
        &[],
    );
    urls("élan.fr", &["élan.fr"]);
    urls("file.tar.gz readme.md", &["readme.md"]);
    urls("本日example.comです", &["example.com"]);
    urls("example.com?x=1", &["example.com"]);
    urls("example.com/?x=1", &["example.com/?x=1"]);
    urls(
        "\"example.com\" “example.org” «example.net»",
        &["example.com", "example.org", "example.net"],
    );
    urls("example.com.", &["example.com"]);
    urls(
        "shop.co.jp www.example.com.de/a a.b.c.co.unheardof",
        &["shop.co.jp", "www.example.com.de/a", "a.b.c.co"],
    );
    urls("1.5 2.0.1 e.g. i.e. z.B. 12.11.2026", &[]);
}

#[test]
fn a_name_ends_where_its_neighbours_say() {
    urls(
        "john.doe.gov@mail.unheardof example.com-x example.com+1 example.community1",
        &[],
    );
    // The slash belongs to the first link, so the second may not use it as its neighbour.
    urls(
        "http://example.com/本example.org",
        &["http://example.com/", "example.org"],
    );
    // The path belongs to a name that is not linked.
    urls("example.comです.みんな/path", &["example.com"]);
}

#[test]
fn short_links_of_x_end_early() {
    urls(
        "https://t.co/abc-x https://t.co/abc?a=1#b. https://T.CO/abc's",
        &["https://t.co/abc", "https://t.co/abc?a=1#b", "https://T.CO/abc"],
    );
    urls(
        &format!("https://t.co/{}", "a".repeat(40)),
        &[&format!("https://t.co/{}", "a".repeat(40))],
    );
    urls(&format!("https://t.co/{}", "a".repeat(41)), &[]);
    urls(
        "https://t.co https://t.co/ https://t.co/-a",
        &["https://t.co", "https://t.co/", "https://t.co/-a"],
    );
}

#[test]
fn a_path_ends_where_the_sentence_goes_on() {
    urls("(http://example.com/a)", &["http://example.com/a"]);
    urls(
        "http://example.com/a_(b) http://example.com/a_(b_(c))/d",
        &["http://example.com/a_(b)", "http://example.com/a_(b_(c))/d"],
    );
    urls(
        "http://example.com/a_(b http://example.com/()",
        &["http://example.com/a_", "http://example.com/"],
    );
    urls(
        "http://example.com/a... http://example.com/?!",
        &["http://example.com/a", "http://example.com/"],
    );
    urls("http://example.com/a?b=(c) d", &["http://example.com/a?b=(c"]);
}

#[test]
fn names_that_no_server_has() {
    let label = "a".repeat(63);
    urls(&format!("{label}.com"), &[&format!("{label}.com")]);
    urls(&format!("{label}a.com"), &[]);
    urls(&format!("http://{}.com", "あ".repeat(60)), &[]);
    urls("http://xn--é.com http://XN--é.com", &[]);
    let path = "p".repeat(4096 - "http://example.com/".len());
    urls(
        &format!("http://example.com/{path}"),
        &[&format!("http://example.com/{path}")],
    );
    urls(&format!("http://example.com/{path}p"), &[]);
}

#[test]
fn mentions() {
    let names = |text: &str| {
        let found = extract_mentions(text).unwrap();
        found
            .into_iter()
            .map(|mention| mention.username + mention.list.as_deref().unwrap_or(""))
            .collect::<Vec<_>>()
    };
    tags(&names("@erp: ＠crm, (@a_b1)"), &["erp", "crm", "a_b1"]);
    tags(&names("a@b.com art@b @é @"), &[]);
    tags(
        &names("@shop/news-1 @shop/1news @shop/"),
        &["shop/news-1", "shop", "shop"],
    );
    tags(&names("@abcdefghijklmnopqrstuvwxyz"), &["abcdefghijklmnopqrst"]);
    tags(&names("@a@b @c://d @dé"), &[]);
    tags(&names("RT@a xrt@b .rt@c"), &["a"]);
}

#[test]
fn hashtags() {
    let found = |text: &str| {
        extract_hashtags(text)
            .unwrap()
            .into_iter()
            .map(|hashtag| hashtag.tag)
            .collect::<Vec<_>>()
    };
    tags(
        &found("#sale! ＃neu #größe_7 #1a ✌\u{FE0F}#peace"),
        &["sale", "neu", "größe_7", "1a", "peace"],
    );
    tags(&found("#1 #_ a#b &#b # c #️⃣"), &[]);
    tags(&found("#a#b ##c"), &["c"]);
    tags(&found("http://example.com/#top #http://a"), &[]);
}

#[test]
fn cashtags() {
    let found = |text: &str| {
        extract_cashtags(text)
            .unwrap()
            .into_iter()
            .map(|cashtag| cashtag.tag)
            .collect::<Vec<_>>()
    };
    tags(
        &found("$ABC, $A.B $A_BC ($XYZ) $ABC.DEF"),
        &["ABC", "A.B", "A_BC", "ABC"],
    );
    tags(&found("$5 $ABCDEFG a$ABC $ $$A"), &[]);
}

#[test]
fn a_link_wins_over_what_it_holds() {
    let entities = extract_entities("https://example.com/@me/#tag @you #that $CASH").unwrap();
    let mentions: Vec<_> = entities
        .mentions
        .iter()
        .map(|mention| mention.username.as_str())
        .collect();
    assert_eq!(mentions, ["you"]);
    assert_eq!(entities.hashtags.len(), 1);
    assert_eq!(entities.urls.len(), 1);
    assert_eq!((entities.cashtags[0].start, entities.cashtags[0].end), (40, 45));
}

#[test]
fn work_grows_with_the_text_and_not_with_its_square() {
    for part in [
        "a.",
        "日",
        "zz.",
        "com_com.",
        "日_日.",
        "(x.co/",
        "x.co?",
        "#1",
        "@a",
        "http://",
        "日本。co.",
        "-a_b.",
    ] {
        // A quarter of the limit: seconds even in a debug build, hours if the square of it were walked.
        let text = part.repeat(MAX_TEXT_BYTES / 4 / part.len());
        let start = std::time::Instant::now();
        extract_entities(&text).unwrap();
        assert!(
            start.elapsed().as_secs() < 30,
            "{part:?} took {:?}",
            start.elapsed()
        );
    }
    assert!(extract_urls(&"x".repeat(MAX_TEXT_BYTES + 1)).is_err());
}
