//! Own cases of measuring by X's weights.

use tailorbird_text::{MAX_TEXT_BYTES, TextTooLarge, WeightRange, WeightedRules, measure};

#[track_caller]
fn weighs(text: &str, expected: u64) {
    assert_eq!(
        measure(text, &WeightedRules::x()).unwrap().weighted_length,
        expected,
        "{text:?}"
    );
}

#[test]
fn x_weighs_scripts_links_and_emoji() {
    weighs("Hello, world! 👋", 16);
    weighs("äöü ß Жя αβ עב ئ", 16);
    weighs("日本語", 6);
    weighs("한국", 4);
    weighs("“quoted” – ‘so’…", 17);
    weighs("€ ™", 5);
    weighs("e\u{301}", 1);
    weighs(
        "https://example.com/a/very/long/path/that/does/not/count?at=all&really=true",
        23,
    );
    weighs("a.co", 23);
    weighs("see a.co, b.de/x", 4 + 23 + 2 + 23);
    weighs("👨‍👩‍👧‍👦🇩🇪1️⃣👍🏽☺️", 10);
    weighs("©®", 2);
    weighs("©️", 2);
    weighs("☺\u{FE0E}", 4);
    weighs("🇩", 2);
    weighs("👩\u{200D}👩", 5);
    weighs("", 0);
}

#[test]
fn the_length_may_shrink_as_the_text_grows() {
    // Why "it fits so far" never promises that more fits, and why a shorter text may be longer.
    let path = format!("example.c/{}", "p".repeat(40));
    weighs(&path, 50);
    weighs(&path.replace(".c/", ".co/"), 23);
    weighs("👩\u{200D}", 3);
    weighs("👩\u{200D}🚀", 2);
}

#[test]
fn the_range_that_fits_keeps_links_and_emoji_whole() {
    let rules = WeightedRules::x();
    let link = format!("{} https://example.com/x", "x".repeat(260));
    let measured = measure(&link, &rules).unwrap();
    assert_eq!(
        (measured.weighted_length, measured.over_by(), measured.valid),
        (284, 4, false)
    );
    assert_eq!(measured.valid_range, 0..261);

    let family = format!("{}👨‍👩‍👧‍👦", "x".repeat(279));
    let measured = measure(&family, &rules).unwrap();
    assert_eq!(
        (measured.valid_range.clone(), measured.valid_range_utf16.end),
        (0..279, 279)
    );

    let full = measure(&"日".repeat(140), &rules).unwrap();
    assert_eq!(
        (full.valid, full.permillage, full.remaining(), full.valid_range),
        (true, 1000, 0, 0..140)
    );
}

#[test]
fn empty_and_invalid_texts_are_not_valid() {
    let rules = WeightedRules::x();
    assert!(!measure("", &rules).unwrap().valid);
    for c in ['\u{FFFE}', '\u{FEFF}', '\u{FFFF}'] {
        let measured = measure(&format!("ab{c}de"), &rules).unwrap();
        assert_eq!(
            (measured.valid, measured.first_invalid, measured.valid_range),
            (false, Some(2), 0..2)
        );
    }
    assert!(measure("ab\u{202A}cd", &rules).unwrap().valid);
}

#[test]
fn the_rules_are_data() {
    let old = WeightedRules::x_140();
    assert_eq!(measure("日本語 👨‍👩‍👧‍👦", &old).unwrap().weighted_length, 11);
    assert!(measure(&"x".repeat(140), &old).unwrap().valid);
    assert!(!measure(&"x".repeat(141), &old).unwrap().valid);

    let own = WeightedRules {
        max: 5,
        scale: 3,
        default_weight: 1,
        ranges: vec![WeightRange {
            characters: 'a'..='c',
            weight: 7,
        }]
        .into(),
        url_length: None,
        emoji_weight: None,
        normalise: false,
    };
    let measured = measure("az.com", &own).unwrap();
    // 7 + 1 + 1 + 7 + 1 + 1 = 18 thirds
    assert_eq!(
        (
            measured.weighted_length,
            measured.permillage,
            measured.valid_range
        ),
        (6, 1200, 0..3)
    );
    assert_eq!(measure("e\u{301}", &own).unwrap().weighted_length, 1);
    // A scale of 0 is a mistake in the data, not a reason to divide by it.
    assert_eq!(
        measure("zz", &WeightedRules { scale: 0, ..own })
            .unwrap()
            .weighted_length,
        2
    );
}

#[test]
fn too_large_a_text_is_refused() {
    let text = "x".repeat(MAX_TEXT_BYTES + 1);
    let refused = measure(&text, &WeightedRules::x());
    assert_eq!(
        refused,
        Err(TextTooLarge {
            bytes: MAX_TEXT_BYTES + 1,
            max: MAX_TEXT_BYTES
        })
    );
    assert!(measure(&"x".repeat(MAX_TEXT_BYTES), &WeightedRules::x()).is_ok());
}
