//! Where an emoji sequence ends: keycaps, flags, skin tones, joined families, regional flags.
//!
//! The list of sequences is Unicode's recommended set, not the grammar of UTS #51. By the grammar any
//! two people joined by U+200D would be one sequence of length 2; a service with a list counts them
//! singly, refuses the text, and we would have promised that it fits.

use unicode_properties::emoji::UnicodeEmoji;

/// The most characters in one recommended sequence: a couple with two skin tones has ten.
const MAX_SEQUENCE: usize = 10;

const TEXT_PRESENTATION: char = '\u{FE0E}';
const EMOJI_PRESENTATION: char = '\u{FE0F}';
const KEYCAP: char = '\u{20E3}';
const JOINER: char = '\u{200D}';

/// The number of characters in the emoji sequence at the start of `rest`, or `None` where none starts.
pub(crate) fn sequence_length(rest: &[char]) -> Option<usize> {
    let (&first, after) = rest.split_first()?;
    let next = after.first().copied();
    if !may_start(first, next) {
        return None;
    }
    let mut candidate = String::from(first);
    let mut longest = None;
    if next != Some(TEXT_PRESENTATION) && is_listed(&candidate) && !needs_presentation(first) {
        longest = Some(1);
    }
    let mut joined = false;
    for (index, &c) in after.iter().enumerate().take(MAX_SEQUENCE - 1) {
        if !(joined || continues(c)) {
            break;
        }
        joined = c == JOINER;
        candidate.push(c);
        if is_listed(&candidate) {
            longest = Some(index + 2);
        }
    }
    longest
}

/// A cheap look at the first two characters, since most texts hold no emoji at all.
fn may_start(first: char, next: Option<char>) -> bool {
    if first.is_ascii() {
        return matches!(first, '0'..='9' | '#' | '*') && matches!(next, Some(EMOJI_PRESENTATION | KEYCAP));
    }
    first.is_emoji_char()
}

/// The two signs that are text unless U+FE0F asks for the picture; they are also the only emoji
/// characters that weigh 1 on X.
const fn needs_presentation(c: char) -> bool {
    matches!(c, '©' | '®')
}

/// Characters that lengthen a sequence without a joiner before them.
const fn continues(c: char) -> bool {
    matches!(c,
        EMOJI_PRESENTATION | KEYCAP | JOINER
        | '\u{1F3FB}'..='\u{1F3FF}' // skin tones
        | '\u{1F1E6}'..='\u{1F1FF}' // regional indicators: the second half of a flag
        | '\u{E0020}'..='\u{E007F}') // tags: the flags of England, Scotland and Wales
}

/// Whether the list has the sequence. Joined ones must be fully qualified: without their U+FE0F X's own
/// list does not know them.
fn is_listed(candidate: &str) -> bool {
    emojis::get(candidate).is_some_and(|emoji| !candidate.contains(JOINER) || emoji.as_str() == candidate)
}

#[cfg(test)]
mod tests {
    use super::sequence_length;

    #[track_caller]
    fn check(text: &str, expected: Option<usize>) {
        let characters: Vec<char> = text.chars().collect();
        assert_eq!(sequence_length(&characters), expected, "{text:?}");
    }

    #[test]
    fn sequences_end_where_unicode_says() {
        check("", None);
        check("a", None);
        check("1", None);
        check("1\u{20E3}", Some(2));
        check("#\u{FE0F}\u{20E3}x", Some(3));
        check("©", None);
        check("©\u{FE0F}", Some(2));
        check("☺", Some(1));
        check("☺\u{FE0E}", None);
        check("☺\u{FE0F}☺", Some(2));
        check("🇩🇪🇫🇷", Some(2));
        check("🇩", None);
        check("🇩🇩", None);
        check("👍🏽👍🏽", Some(2));
        check("👨‍👩‍👧‍👦👨", Some(7));
        check("👩🏽‍❤️‍💋‍👨🏿!", Some(10));
        check("🏴󠁧󠁢󠁥󠁮󠁧󠁿", Some(7));
        check("👩\u{200D}👩", Some(1));
        check("🏳\u{200D}🌈", Some(1));
        check("🏳\u{FE0F}\u{200D}🌈", Some(4));
        check("中", None);
    }
}
