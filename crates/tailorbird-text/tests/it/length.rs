//! Length rules of all kinds.

use tailorbird_text::{LengthError, LengthRule, MAX_TEXT_BYTES, WeightedRules};

fn x() -> LengthRule {
    LengthRule::Weighted(WeightedRules::x())
}

fn too_long(measured: u64, max: u64, cut_at: usize) -> LengthError {
    LengthError::TooLong {
        measured,
        max,
        over_by: measured - max,
        cut_at,
    }
}

#[test]
fn each_rule_counts_its_own_unit() {
    let text = "aé😀👨‍👩‍👧"; // 1 + 1 + 1 + 5 characters, 4 clusters
    let lengths = [
        (LengthRule::Characters { max: 8 }, 8),
        (LengthRule::Graphemes { max: 8 }, 4),
        (LengthRule::Utf16 { max: 100 }, 12),
        (LengthRule::Bytes { max: 100 }, 25),
        (x(), 6),
    ];
    for (rule, length) in lengths {
        assert_eq!(rule.check(text).unwrap().weighted_length, length, "{rule:?}");
    }
}

#[test]
fn too_long_says_by_how_much_and_where_it_would_end() {
    assert_eq!(x().check(&"x".repeat(285)), Err(too_long(285, 280, 280)));
    assert_eq!(x().check(&"日".repeat(160)), Err(too_long(320, 280, 140)));
    assert_eq!(
        LengthRule::Characters { max: 3 }.check("abcd"),
        Err(too_long(4, 3, 3))
    );
    assert_eq!(
        LengthRule::Graphemes { max: 1 }.check("👍🏽a"),
        Err(too_long(2, 1, 2))
    );
    assert_eq!(LengthRule::Utf16 { max: 2 }.check("a😀"), Err(too_long(3, 2, 1)));
    assert_eq!(LengthRule::Bytes { max: 3 }.check("éé"), Err(too_long(4, 3, 1)));
    let message = too_long(285, 280, 280).to_string();
    assert_eq!(
        message,
        "the text is 5 too long: 285 of at most 280; it would end at character 280"
    );
}

#[test]
fn empty_invalid_and_too_large_are_told_apart() {
    for blank in ["", " \n\u{3000}"] {
        assert_eq!(x().check(blank), Err(LengthError::Empty));
    }
    assert_eq!(LengthRule::Bytes { max: 3 }.check(""), Err(LengthError::Empty));
    assert!(LengthRule::Bytes { max: 3 }.check(" ").is_ok());
    let invalid = x().check("e\u{301}\u{FEFF}").unwrap_err();
    assert_eq!(
        invalid,
        LengthError::InvalidCharacter {
            at: 1,
            character: '\u{FEFF}'
        }
    );
    assert_eq!(
        invalid.to_string(),
        "the text holds U+FEFF at character 1, which the service does not take"
    );
    let large = "x".repeat(MAX_TEXT_BYTES + 1);
    assert!(matches!(
        LengthRule::Bytes { max: u64::MAX }.check(&large),
        Err(LengthError::TooLarge(_))
    ));
    assert_eq!(x().max(), 280);
}

#[test]
fn a_cut_text_fits_and_splits_nothing() {
    assert_eq!(x().cut(&"x".repeat(300)).unwrap(), "x".repeat(280));
    assert_eq!(x().cut("short").unwrap(), "short");
    assert_eq!(LengthRule::Characters { max: 3 }.cut("ab👍🏽").unwrap(), "ab");
    assert_eq!(LengthRule::Bytes { max: 1 }.cut("é").unwrap(), "");
    assert_eq!(LengthRule::Characters { max: 0 }.cut("abc").unwrap(), "");
    assert_eq!(x().cut("ab\u{FFFE}cd").unwrap(), "ab");
    // Cutting makes a link of what was none, 23 long where 7 were left: no half of it stays.
    let trap = format!("{} ex.commx", "x".repeat(273));
    assert_eq!(x().cut(&trap).unwrap(), format!("{} ", "x".repeat(273)));
}
