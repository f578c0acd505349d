//! Length rules of any service, and what to say when a text breaks one.

use unicode_segmentation::UnicodeSegmentation;

use crate::limit::{self, TextTooLarge};
use crate::measure::{Measure, measure, nfc};
use crate::rules::WeightedRules;

/// How a service limits the length of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LengthRule {
    /// Weighted characters, as X counts.
    Weighted(WeightedRules),
    /// Unicode scalar values.
    Characters {
        /// The most that are allowed.
        max: u64,
    },
    /// User-perceived characters (UAX #29 extended grapheme clusters).
    Graphemes {
        /// The most that are allowed.
        max: u64,
    },
    /// UTF-16 code units, the length in JavaScript, Java and C#.
    Utf16 {
        /// The most that are allowed.
        max: u64,
    },
    /// Bytes of UTF-8.
    Bytes {
        /// The most that are allowed.
        max: u64,
    },
}

/// Why a service would not take a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LengthError {
    /// The text is too long.
    #[error(
        "the text is {over_by} too long: {measured} of at most {max}; it would end at character {cut_at}"
    )]
    TooLong {
        /// Its length by the rule.
        measured: u64,
        /// The greatest length allowed.
        max: u64,
        /// `measured - max`, at least 1.
        over_by: u64,
        /// How many characters from the start on would fit; for weighted rules of the text in form C.
        cut_at: usize,
    },
    /// There is no text.
    #[error("the text is empty")]
    Empty,
    /// The text holds a character that the service takes nowhere.
    #[error("the text holds U+{:04X} at character {at}, which the service does not take", u32::from(*.character))]
    InvalidCharacter {
        /// Its place, counted in characters from 0; for weighted rules in the text in form C.
        at: usize,
        /// The character.
        character: char,
    },
    /// The text is above this crate's own limit and was not measured.
    #[error(transparent)]
    TooLarge(#[from] TextTooLarge),
}

impl LengthRule {
    /// The greatest length that the rule allows.
    pub const fn max(&self) -> u64 {
        match self {
            Self::Weighted(rules) => rules.max,
            Self::Characters { max }
            | Self::Graphemes { max }
            | Self::Utf16 { max }
            | Self::Bytes { max } => *max,
        }
    }

    /// Measures a text and says whether it fits. For rules that are not weighted the length counted is
    /// in [`Measure::weighted_length`], one for each unit.
    ///
    /// # Errors
    /// [`LengthError::TooLong`], [`LengthError::InvalidCharacter`] (weighted rules only),
    /// [`LengthError::Empty`] (for weighted rules also for white space alone, since X trims it away),
    /// [`LengthError::TooLarge`].
    pub fn check(&self, text: &str) -> Result<Measure, LengthError> {
        limit::ensure(text)?;
        let measured = match self {
            Self::Weighted(rules) => {
                if text.trim().is_empty() {
                    return Err(LengthError::Empty);
                }
                let measured = measure(text, rules)?;
                if let Some(at) = measured.first_invalid {
                    let character = nfc(text).chars().nth(at).unwrap_or(char::REPLACEMENT_CHARACTER);
                    return Err(LengthError::InvalidCharacter { at, character });
                }
                measured
            }
            Self::Characters { max } => count(text.chars().map(|_| (1, 1)), text, *max),
            Self::Graphemes { max } => count(
                text.graphemes(true).map(|cluster| (1, cluster.chars().count())),
                text,
                *max,
            ),
            Self::Utf16 { max } => count(text.chars().map(|c| (c.len_utf16(), 1)), text, *max),
            Self::Bytes { max } => count(text.chars().map(|c| (c.len_utf8(), 1)), text, *max),
        };
        if text.is_empty() {
            return Err(LengthError::Empty);
        }
        if measured.weighted_length > measured.max {
            return Err(LengthError::TooLong {
                measured: measured.weighted_length,
                max: measured.max,
                over_by: measured.over_by(),
                cut_at: measured.valid_range.end,
            });
        }
        Ok(measured)
    }

    /// The beginning of a text that the rule takes, cut between user-perceived characters; the whole
    /// text (in form C for weighted rules) where it fits, and nothing where not even its first does.
    ///
    /// # Errors
    /// [`TextTooLarge`] above [`MAX_TEXT_BYTES`](crate::MAX_TEXT_BYTES).
    pub fn cut(&self, text: &str) -> Result<String, TextTooLarge> {
        limit::ensure(text)?;
        let text = match self {
            Self::Weighted(rules) if rules.normalise => nfc(text),
            _ => text.into(),
        };
        let mut kept: &str = &text;
        // Cutting may make a link where there was none (`a.comx`), which can be longer: measure again.
        loop {
            let characters = match self.check(kept) {
                Ok(_) | Err(LengthError::Empty) => return Ok(kept.to_owned()),
                Err(LengthError::TooLarge(error)) => return Err(error),
                Err(LengthError::TooLong { cut_at, .. }) => cut_at,
                Err(LengthError::InvalidCharacter { at, .. }) => at,
            };
            let end = kept
                .char_indices()
                .nth(characters)
                .map_or(kept.len(), |(end, _)| end);
            let boundary = kept
                .grapheme_indices(true)
                .map(|(start, _)| start)
                .take_while(|start| *start <= end)
                .last()
                .unwrap_or(0);
            match kept.get(..boundary) {
                Some(shorter) if shorter.len() < kept.len() => kept = shorter,
                _ => return Ok(String::new()),
            }
        }
    }
}

/// Counts a text whose parts are given as (length, characters).
fn count(parts: impl Iterator<Item = (usize, usize)>, text: &str, max: u64) -> Measure {
    let (mut length, mut characters, mut fitting) = (0_u64, 0_usize, 0_usize);
    for (units, chars) in parts {
        length = length.saturating_add(u64::try_from(units).unwrap_or(u64::MAX));
        characters += chars;
        if length <= max {
            fitting = characters;
        }
    }
    Measure {
        weighted_length: length,
        max,
        valid: length > 0 && length <= max,
        permillage: length.saturating_mul(1000) / max.max(1),
        valid_range: 0..fitting,
        valid_range_utf16: 0..text.chars().take(fitting).map(char::len_utf16).sum(),
        first_invalid: None,
    }
}
