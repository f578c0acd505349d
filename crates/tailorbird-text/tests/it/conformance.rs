//! X's published conformance cases, read where they are present and never copied here.
//!
//! The files lie beside the repository (`../shared/data/twitter-text` from its root). Where they are
//! absent the tests say so and the own cases of the other modules remain.

use std::fs;
use std::path::Path;

use tailorbird_text::{
    WeightedRules, extract_cashtags, extract_entities, extract_hashtags, extract_mentions, extract_urls,
    measure,
};
use unicode_normalization::UnicodeNormalization;

use crate::yaml::{Node, parse};

/// Cases that this crate answers differently, as (section, description). A case that begins to fail, or
/// one of these that begins to pass, fails the test.
const EXCEPTIONS: [(&str, &str); 0] = [];

/// The number of cases a section must hold: a file that lost its cases must not pass in silence.
///
/// All of them pass, 225 here and 52 below. Left out are `replies` (13), and in `validate.yml` the
/// validation of single names and URLs (45), because this crate has no such functions.
const SECTIONS_OF_EXTRACT: [(&str, usize); 12] = [
    ("mentions", 23),
    ("mentions_with_indices", 3),
    ("mentions_or_lists_with_indices", 5),
    ("urls", 91),
    ("urls_with_indices", 10),
    ("urls_with_directional_markers", 2),
    ("tco_urls_with_params", 5),
    ("hashtags", 65),
    ("hashtags_from_astral", 3),
    ("hashtags_with_indices", 8),
    ("cashtags", 8),
    ("cashtags_with_indices", 2),
];
const SECTIONS_OF_VALIDATE: [(&str, usize); 4] = [
    ("tweets", 8),
    ("WeightedTweetsCounterTest", 20),
    ("WeightedTweetsWithDiscountedEmojiCounterTest", 22),
    ("UnicodeDirectionalMarkerCounterTest", 2),
];

fn load(file: &str) -> Option<Node> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/twitter-text")
        .join(file);
    if let Ok(source) = fs::read_to_string(&path) {
        return Some(parse(&source));
    }
    eprintln!(
        "SKIPPED: {} is absent, so X's published cases did not run",
        path.display()
    );
    None
}

#[test]
fn extraction_answers_the_published_cases() {
    let Some(document) = load("extract.yml") else {
        return;
    };
    run(&document, &SECTIONS_OF_EXTRACT, |section, case| {
        let text = case.at("text").text();
        assert_eq!(extracted(section, text), expected(section, case.at("expected")));
    });
}

#[test]
fn measuring_answers_the_published_cases() {
    let Some(document) = load("validate.yml") else {
        return;
    };
    // Configuration 2 is configuration 3 without emoji sequences.
    let config_2 = WeightedRules {
        emoji_weight: None,
        ..WeightedRules::x()
    };
    run(&document, &SECTIONS_OF_VALIDATE, |section, case| {
        let rules = match section {
            "tweets" => WeightedRules::x_140(),
            "WeightedTweetsCounterTest" => config_2.clone(),
            _ => WeightedRules::x(),
        };
        let text = case.at("text").text();
        let measured = measure(text, &rules).unwrap();
        let expected = case.at("expected");
        if section == "tweets" {
            assert_eq!(measured.valid.to_string(), expected.text());
            return;
        }
        // The cases count the last code unit of the text as given; the measure's range is half open and
        // of the text in form C.
        let utf16 = |text: &str| text.encode_utf16().count();
        let shrunk = utf16(text) - utf16(&text.nfc().collect::<String>()).min(utf16(text));
        let grown = utf16(&text.nfc().collect::<String>()).saturating_sub(utf16(text));
        let last = (measured.valid_range_utf16.end + shrunk).saturating_sub(grown + 1);
        let seen = format!(
            "{} {} {} {} {last}",
            measured.weighted_length, measured.valid, measured.permillage, measured.valid_range_utf16.start,
        );
        let wanted = [
            "weightedLength",
            "valid",
            "permillage",
            "validRangeStart",
            "validRangeEnd",
        ]
        .map(|key| expected.at(key).text())
        .join(" ");
        assert_eq!(seen, wanted);
    });
}

/// Runs each case of the sections and compares the failures with [`EXCEPTIONS`].
fn run(document: &Node, sections: &[(&str, usize)], check: impl Fn(&str, &Node) + std::panic::RefUnwindSafe) {
    let mut problems = Vec::new();
    for &(section, count) in sections {
        let cases = document.at("tests").at(section).list();
        if cases.len() != count {
            problems.push(format!("{section}: {} cases instead of {count}", cases.len()));
        }
        let mut passed = 0;
        for case in cases {
            let description = case.at("description").text();
            let outcome = std::panic::catch_unwind(|| check(section, case));
            let excepted = EXCEPTIONS.contains(&(section, description));
            passed += usize::from(outcome.is_ok());
            match (outcome, excepted) {
                (Err(cause), false) => {
                    let cause = cause.downcast_ref::<String>().cloned().unwrap_or_default();
                    problems.push(format!("{section}: {description}\n{cause}"));
                }
                (Ok(()), true) => problems.push(format!("{section}: {description}: passes now")),
                _ => {}
            }
        }
        eprintln!("{section}: {passed} of {}", cases.len());
    }
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

/// What this crate finds, one line each: the name, and its place where the section wants places.
fn extracted(section: &str, text: &str) -> Vec<String> {
    let line = |name: &str, list: &str, start: usize, end: usize| {
        if section.contains("indices") || section.contains("directional") {
            format!("{name}{list} {start}..{end}")
        } else {
            name.to_owned()
        }
    };
    match section.split('_').next() {
        Some("mentions") => {
            let lists = section.contains("lists");
            let found = extract_mentions(text).unwrap();
            found
                .iter()
                .map(|mention| {
                    let list = mention.list.as_deref().filter(|_| lists).unwrap_or_default();
                    line(&mention.username, list, mention.start, mention.end)
                })
                .collect()
        }
        Some("hashtags") => {
            let found = extract_hashtags(text).unwrap();
            found
                .iter()
                .map(|hashtag| line(&hashtag.tag, "", hashtag.start, hashtag.end))
                .collect()
        }
        Some("cashtags") => {
            let found = extract_cashtags(text).unwrap();
            assert_eq!(
                found,
                extract_entities(text).unwrap().cashtags,
                "no link is in the way in any case"
            );
            found
                .iter()
                .map(|cashtag| line(&cashtag.tag, "", cashtag.start, cashtag.end))
                .collect()
        }
        _ => {
            let found = extract_urls(text).unwrap();
            found
                .iter()
                .map(|url| line(&url.url, "", url.start, url.end))
                .collect()
        }
    }
}

/// What a case wants, in the same lines.
fn expected(section: &str, node: &Node) -> Vec<String> {
    let name = match section.split('_').next() {
        Some("mentions") => "screen_name",
        Some("hashtags") => "hashtag",
        Some("cashtags") => "cashtag",
        _ => "url",
    };
    node.list()
        .iter()
        .map(|entry| {
            let Some(indices) = entry.get("indices").map(Node::list) else {
                return entry.text().to_owned();
            };
            let list = entry.get("list_slug").map(Node::text).unwrap_or_default();
            format!(
                "{}{list} {}..{}",
                entry.at(name).text(),
                indices[0].number(),
                indices[1].number()
            )
        })
        .collect()
}
