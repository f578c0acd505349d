//! Weighted length rules as data, so that a change of X's numbers is a change of values and not of code.

use std::borrow::Cow;
use std::ops::RangeInclusive;

/// Characters that weigh something other than the default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightRange {
    /// First and last character, both included.
    pub characters: RangeInclusive<char>,
    /// Weight of one such character, in units of 1 / [`WeightedRules::scale`].
    pub weight: u64,
}

/// How a service weighs a text. Lengths are sums of weights divided by `scale`, rounded up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightedRules {
    /// The greatest weighted length that the service takes.
    pub max: u64,
    /// How many weight units make a length of one; at least 1 (0 is read as 1).
    pub scale: u64,
    /// Weight of a character in none of `ranges`, in units of 1 / `scale`.
    pub default_weight: u64,
    /// Characters with a weight of their own; the first range that holds a character decides.
    pub ranges: Cow<'static, [WeightRange]>,
    /// Length of any link, whatever it is in the text; `None` where links weigh as their characters.
    pub url_length: Option<u64>,
    /// Weight of one emoji sequence in units of 1 / `scale`; `None` where its characters weigh singly.
    pub emoji_weight: Option<u64>,
    /// Whether the text is brought to Unicode normalization form C before it is weighed.
    pub normalise: bool,
}

/// The light characters of X's configurations 2 and 3: Latin to Georgian, and general punctuation.
static X_LIGHT: [WeightRange; 4] = [
    WeightRange {
        characters: '\u{0000}'..='\u{10FF}',
        weight: 100,
    },
    WeightRange {
        characters: '\u{2000}'..='\u{200D}',
        weight: 100,
    },
    WeightRange {
        characters: '\u{2010}'..='\u{201F}',
        weight: 100,
    },
    WeightRange {
        characters: '\u{2032}'..='\u{2037}',
        weight: 100,
    },
];

impl WeightedRules {
    /// X's rules today (its published configuration 3): 280; 1 for Latin, Greek, Cyrillic, Arabic and
    /// their like, 2 for everything else; 23 for a link, 2 for an emoji sequence; form C first.
    pub const fn x() -> Self {
        Self {
            max: 280,
            scale: 100,
            default_weight: 200,
            ranges: Cow::Borrowed(&X_LIGHT),
            url_length: Some(23),
            emoji_weight: Some(200),
            normalise: true,
        }
    }

    /// The rules of the tutorial's years (configuration 1): 140 characters, 23 for a link.
    pub const fn x_140() -> Self {
        Self {
            max: 140,
            scale: 1,
            default_weight: 1,
            ranges: Cow::Borrowed(&[]),
            url_length: Some(23),
            emoji_weight: None,
            normalise: true,
        }
    }

    /// Weight of one character that is part of neither a link nor an emoji sequence.
    pub fn weight_of(&self, character: char) -> u64 {
        self.ranges
            .iter()
            .find(|range| range.characters.contains(&character))
            .map_or(self.default_weight, |range| range.weight)
    }
}

impl Default for WeightedRules {
    /// [`WeightedRules::x`].
    fn default() -> Self {
        Self::x()
    }
}
