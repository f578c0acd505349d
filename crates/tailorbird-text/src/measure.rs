//! How long a text is by a service's weighted rules.

use std::borrow::Cow;
use std::ops::Range;

use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::classes::is_invalid;
use crate::emoji;
use crate::limit::{self, TextTooLarge};
use crate::rules::WeightedRules;
use crate::url::find_urls;

/// A text as a service's rules see it.
///
/// Ranges are counted in the text **after** normalization (form C), where the rules ask for it; for
/// almost all texts that is the text as given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// The length that counts, rounded up to a whole number.
    pub weighted_length: u64,
    /// The greatest length allowed.
    pub max: u64,
    /// Whether the service would take the text: not empty, not too long, no invalid character.
    pub valid: bool,
    /// Thousandths of the greatest length that the text fills, rounded down; above 1000 is too long.
    pub permillage: u64,
    /// The characters from the start on that fit; links and emoji sequences are whole or left out.
    pub valid_range: Range<usize>,
    /// The same in UTF-16 code units, for browsers.
    pub valid_range_utf16: Range<usize>,
    /// The first character that no text may hold (U+FFFE, U+FEFF, U+FFFF), if there is one.
    pub first_invalid: Option<usize>,
}

impl Measure {
    /// By how much the text is too long; 0 where it fits.
    pub const fn over_by(&self) -> u64 {
        self.weighted_length.saturating_sub(self.max)
    }

    /// How much is left; 0 where the text is full or too long.
    pub const fn remaining(&self) -> u64 {
        self.max.saturating_sub(self.weighted_length)
    }
}

/// Measures a text by weighted rules.
///
/// The length does not always grow with the text: `example.co` written on to a long path stays at 23,
/// and a woman and a rocket that a joiner makes into an astronaut become one sign of length 2.
///
/// # Errors
/// [`TextTooLarge`] above [`MAX_TEXT_BYTES`](crate::MAX_TEXT_BYTES).
pub fn measure(text: &str, rules: &WeightedRules) -> Result<Measure, TextTooLarge> {
    limit::ensure(text)?;
    let text = if rules.normalise {
        nfc(text)
    } else {
        Cow::Borrowed(text)
    };
    let chars: Vec<char> = text.chars().collect();
    Ok(weigh(&chars, rules))
}

/// Form C of a text, without a copy where the text is in it already.
pub(crate) fn nfc(text: &str) -> Cow<'_, str> {
    if is_nfc(text) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

fn weigh(chars: &[char], rules: &WeightedRules) -> Measure {
    let scale = rules.scale.max(1);
    let limit = rules.max.saturating_mul(scale);
    let urls = if rules.url_length.is_some() {
        find_urls(chars)
    } else {
        Vec::new()
    };
    let mut urls = urls.into_iter().peekable();

    let mut weight: u64 = 0;
    let mut first_invalid = None;
    let mut valid_end = 0;
    let mut valid_end_utf16 = 0;
    let mut utf16 = 0;
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let url = urls.next_if(|url| url.start == at);
        let (length, item) = match (url, rules.url_length, rules.emoji_weight) {
            (Some(url), Some(length), _) => (url.end - at, length.saturating_mul(scale)),
            (_, _, Some(emoji)) => match emoji::sequence_length(chars.get(at..).unwrap_or_default()) {
                Some(length) => (length, emoji),
                None => (1, rules.weight_of(c)),
            },
            _ => (1, rules.weight_of(c)),
        };
        weight = weight.saturating_add(item);
        if first_invalid.is_none() && is_invalid(c) {
            first_invalid = Some(at);
        }
        let end = at + length.max(1);
        utf16 += chars
            .get(at..end)
            .unwrap_or_default()
            .iter()
            .map(|c| c.len_utf16())
            .sum::<usize>();
        at = end;
        if first_invalid.is_none() && weight <= limit {
            valid_end = at;
            valid_end_utf16 = utf16;
        }
    }

    Measure {
        weighted_length: weight.div_ceil(scale),
        max: rules.max,
        valid: first_invalid.is_none() && weight > 0 && weight <= limit,
        permillage: weight.saturating_mul(1000) / limit.max(1),
        valid_range: 0..valid_end,
        valid_range_utf16: 0..valid_end_utf16,
        first_invalid,
    }
}
