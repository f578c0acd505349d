//! Properties that hold for every text.

use proptest::prelude::*;
use tailorbird_text::{
    LengthRule, WeightedRules, escape_html, extract_entities, measure, normalise_for_match, rewrite_as_x,
    same_text, unescape_html,
};

/// Texts made of the pieces that rules are about, so that most cases hold links, escapes and emoji.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        proptest::sample::select(vec![
            "example.com",
            "http://example.com/a_(b)?c=1&d=2#e",
            "https://t.co/abc",
            "HTTP://Ex.COM:80",
            "日本.jp",
            "http://日本.jp/é",
            "http://xn--wgv71a.jp",
            "shop.みんな",
            "a.b.c",
            "_",
            "-",
            ".",
            "/",
            "://",
            "http://",
            "?",
            "&",
            "<",
            ">",
            "&amp;",
            "&lt;",
            "&#38;",
            "&",
            "(",
            ")",
            "#",
            "#tag",
            "@name",
            "@name/list",
            "$ABC",
            "＠",
            "＃",
            " ",
            "\n",
            "\r\n",
            "\t",
            "\u{3000}",
            "e",
            "\u{301}",
            "é",
            "Å",
            "\u{1100}",
            "\u{1161}",
            "👩",
            "\u{200D}",
            "🚀",
            "🏽",
            "\u{FE0F}",
            "\u{FE0E}",
            "1",
            "\u{20E3}",
            "🇩",
            "🇪",
            "\u{FFFE}",
            "\u{FEFF}",
            "\u{202A}",
            "\u{2066}",
            "中",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,4}",
        any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// A link, or a text that holds none because it has no full stop.
fn word() -> impl Strategy<Value = String> {
    let links = vec![
        "example.com",
        "http://example.com/a_(b)?c=1&d=2#e",
        "http://日本.jp/é",
        "shop.example.de/<",
    ];
    prop_oneof![
        proptest::sample::select(links).prop_map(str::to_owned),
        text().prop_map(|text| text.replace('.', "")),
    ]
}

fn length(text: &str) -> u64 {
    measure(text, &WeightedRules::x()).unwrap().weighted_length
}

/// Rewrites a text and gives the stored text with its links.
fn store(text: &str) -> (String, Vec<(String, String)>) {
    let mut count = 0;
    let stored = rewrite_as_x(text, |_| {
        count += 1;
        format!("https://t.co/{count:010}")
    })
    .unwrap();
    (
        stored.text,
        stored
            .urls
            .into_iter()
            .map(|link| (link.url, link.expanded))
            .collect(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_places_are_true(text in text()) {
        let chars: Vec<char> = text.chars().collect();
        let entities = extract_entities(&text).unwrap();
        let mut places = Vec::new();
        for url in &entities.urls {
            prop_assert_eq!(chars[url.start..url.end].iter().collect::<String>(), url.url.as_str());
            places.push(url.start..url.end);
        }
        for mention in &entities.mentions {
            let written: String = chars[mention.start + 1..mention.end].iter().collect();
            prop_assert_eq!(written, mention.username.clone() + mention.list.as_deref().unwrap_or(""));
            places.push(mention.start..mention.end);
        }
        for hashtag in &entities.hashtags {
            prop_assert_eq!(chars[hashtag.start + 1..hashtag.end].iter().collect::<String>(), hashtag.tag.as_str());
            places.push(hashtag.start..hashtag.end);
        }
        for cashtag in &entities.cashtags {
            prop_assert_eq!(chars[cashtag.start + 1..cashtag.end].iter().collect::<String>(), cashtag.tag.as_str());
            places.push(cashtag.start..cashtag.end);
        }
        places.sort_by_key(|place| place.start);
        prop_assert!(places.windows(2).all(|pair| pair[0].end <= pair[1].start), "they overlap: {:?}", places);
    }

    /// The length grows with the text wherever a space parts the two, and by exactly as much. (Without the
    /// space it need not grow at all; `measure.rs` has the counter-examples.)
    #[test]
    fn lengths_add_up_across_a_space(a in text(), b in text()) {
        prop_assert_eq!(length(&format!("{a} {b}")), length(&a) + 1 + length(&b));
    }

    #[test]
    fn the_range_that_fits_is_all_of_a_text_that_is_valid(text in text(), max in 1_u64..60) {
        let rules = WeightedRules { max, ..WeightedRules::x() };
        let measured = measure(&text, &rules).unwrap();
        let normal: String = unicode_normalization::UnicodeNormalization::nfc(text.as_str()).collect();
        let fits = measured.valid_range.end == normal.chars().count();
        prop_assert_eq!(fits, measured.first_invalid.is_none() && measured.over_by() == 0);
        let utf16: usize = normal.chars().take(measured.valid_range.end).map(char::len_utf16).sum();
        prop_assert_eq!(utf16, measured.valid_range_utf16.end);
    }

    #[test]
    fn normal_form_c_is_measured_alike(text in text()) {
        let normal: String = unicode_normalization::UnicodeNormalization::nfc(text.as_str()).collect();
        let decomposed: String = unicode_normalization::UnicodeNormalization::nfd(text.as_str()).collect();
        let rules = WeightedRules::x();
        prop_assert_eq!(measure(&normal, &rules).unwrap(), measure(&text, &rules).unwrap());
        prop_assert_eq!(measure(&decomposed, &rules).unwrap(), measure(&text, &rules).unwrap());
        let once = normalise_for_match(&text);
        prop_assert_eq!(normalise_for_match(&once), once.clone());
    }

    #[test]
    fn a_stored_text_is_recognised(text in text()) {
        let (stored, links) = store(&text);
        let links: Vec<_> = links.iter().map(|(short, long)| (short.as_str(), long.as_str())).collect();
        prop_assert!(same_text(&text, &stored, &links).unwrap(), "{:?} became {:?}", text, stored);
    }

    #[test]
    fn another_text_is_not(a in text(), b in text()) {
        // Without full stops there are no links; two spellings of one link would be the same text.
        let (a, b) = (a.replace('.', ""), b.replace('.', ""));
        let (stored, links) = store(&b);
        prop_assert!(links.is_empty());
        let same = normalise_for_match(&a) == normalise_for_match(&b);
        prop_assert_eq!(same_text(&a, &stored, &[]).unwrap(), same);
    }

    #[test]
    fn a_stored_text_is_as_long_as_the_text_sent(words in proptest::collection::vec(word(), 0..8)) {
        // Links are 23 before and after; escapes are not counted by X.
        let sent = words.join(" ");
        let (stored, _) = store(&sent);
        let stored = normalise_for_match(&unescape_html(&stored));
        prop_assert_eq!(length(&stored), length(&normalise_for_match(&sent)));
    }

    #[test]
    fn escaping_is_undone(text in any::<String>()) {
        let escaped = escape_html(&text);
        prop_assert_eq!(unescape_html(&escaped), text.as_str());
        prop_assert!(unescape_html(&text).len() <= text.len());
    }

    #[test]
    fn a_cut_text_fits(text in text(), max in 0_u64..40) {
        let rules = [
            LengthRule::Weighted(WeightedRules { max, ..WeightedRules::x() }),
            LengthRule::Characters { max },
            LengthRule::Graphemes { max },
            LengthRule::Utf16 { max },
            LengthRule::Bytes { max },
        ];
        for rule in rules {
            let cut = rule.cut(&text).unwrap();
            prop_assert!(cut.trim().is_empty() || rule.check(&cut).is_ok(), "{:?}: {:?}", rule, cut);
            if let Ok(measured) = rule.check(&text) {
                prop_assert!(measured.valid || max == 0);
            }
        }
    }
}
