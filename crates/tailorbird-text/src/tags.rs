//! Mentions, hashtags and cashtags, before those that lie inside a link are taken out.

use crate::classes::{
    is_at_sign, is_directional, is_hash_sign, is_hashtag, is_hashtag_letter, is_latin_accent, is_space,
    is_username,
};

/// The longest user name that is read; X registers 15, its published rule reads 20.
const MAX_USERNAME: usize = 20;
/// The longest name of a list behind a user name, the first letter not counted.
const MAX_LIST_REST: usize = 24;
/// The most letters of a ticker symbol, before and behind its `.` or `_`.
const MAX_SYMBOL: usize = 6;
const MAX_SYMBOL_SUFFIX: usize = 2;

/// Characters `start..end`, the sign included; `split` ends the name where something follows it (a list).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TagSpan {
    pub(crate) start: usize,
    pub(crate) split: usize,
    pub(crate) end: usize,
}

/// Finds `@name` and `@name/list`.
pub(crate) fn find_mentions(chars: &[char]) -> Vec<TagSpan> {
    scan(chars, is_at_sign, |start| {
        let split = run_end(chars, start + 1, MAX_USERNAME, is_username);
        if split == start + 1 || !may_precede_mention(chars, start) {
            return Read::Nothing;
        }
        let end = list_end(chars, split);
        let refused = followed_by(chars, end, |c| is_at_sign(c) || is_latin_accent(c));
        Read::Tag {
            span: TagSpan { start, split, end },
            refused,
        }
    })
}

/// An address such as `a@b` is no mention, a retweet mark such as `RT@b` is.
fn may_precede_mention(chars: &[char], at: usize) -> bool {
    let back = |by: usize| at.checked_sub(by).and_then(|index| chars.get(index)).copied();
    let Some(before) = back(1) else { return true };
    if !(is_username(before) || is_at_sign(before) || matches!(before, '!' | '#' | '$' | '%' | '&' | '*')) {
        return true;
    }
    matches!((back(2), before), (Some('r' | 'R'), 't' | 'T'))
        && back(3).is_none_or(|c| !(is_username(c) || matches!(c, '+' | '~' | '.' | '-')))
}

fn list_end(chars: &[char], at: usize) -> usize {
    let starts = chars.get(at) == Some(&'/') && chars.get(at + 1).is_some_and(char::is_ascii_alphabetic);
    if starts {
        run_end(chars, at + 2, MAX_LIST_REST, |c| is_username(c) || c == '-')
    } else {
        at
    }
}

/// Finds `#tag` in every script; a tag needs a letter.
pub(crate) fn find_hashtags(chars: &[char]) -> Vec<TagSpan> {
    scan(chars, is_hash_sign, |start| {
        let before = start.checked_sub(1).and_then(|index| chars.get(index)).copied();
        // Variation selectors are marks, yet they end an emoji and not a word.
        let free =
            before.is_none_or(|c| matches!(c, '\u{FE0E}' | '\u{FE0F}') || !(is_hashtag(c) || c == '&'));
        let keycap = chars
            .get(start + 1)
            .is_some_and(|c| matches!(c, '\u{FE0F}' | '\u{20E3}'));
        let end = run_end(chars, start + 1, usize::MAX, is_hashtag);
        let tag = chars.get(start + 1..end).unwrap_or_default();
        if !free || keycap || !tag.iter().copied().any(is_hashtag_letter) {
            return Read::Nothing;
        }
        Read::Tag {
            span: TagSpan {
                start,
                split: end,
                end,
            },
            refused: followed_by(chars, end, is_hash_sign),
        }
    })
}

/// Finds `$SYMBOL` and `$SYMBOL.X`.
pub(crate) fn find_cashtags(chars: &[char]) -> Vec<TagSpan> {
    scan(
        chars,
        |c| c == '$',
        |start| {
            let before = start.checked_sub(1).and_then(|index| chars.get(index)).copied();
            if before.is_some_and(|c| !(is_space(c) || is_directional(c))) {
                return Read::Nothing;
            }
            let ends = |at: usize| {
                chars
                    .get(at)
                    .is_none_or(|&c| is_space(c) || c.is_ascii_punctuation())
            };
            let symbol = run_end(chars, start + 1, MAX_SYMBOL, |c| c.is_ascii_alphabetic());
            if symbol == start + 1 {
                return Read::Nothing;
            }
            let mut end = symbol;
            if matches!(chars.get(symbol), Some('.' | '_')) {
                let suffix = run_end(chars, symbol + 1, MAX_SYMBOL_SUFFIX, |c| c.is_ascii_alphabetic());
                if suffix > symbol + 1 && ends(suffix) {
                    end = suffix;
                }
            }
            if !ends(end) {
                return Read::Nothing;
            }
            Read::Tag {
                span: TagSpan {
                    start,
                    split: end,
                    end,
                },
                refused: false,
            }
        },
    )
}

enum Read {
    Nothing,
    /// A tag, or something in the shape of one that is refused as a whole for what follows it.
    Tag {
        span: TagSpan,
        refused: bool,
    },
}

fn scan(chars: &[char], is_sign: impl Fn(char) -> bool, read: impl Fn(usize) -> Read) -> Vec<TagSpan> {
    let mut found = Vec::new();
    let mut used = 0;
    for (index, &c) in chars.iter().enumerate() {
        if index < used || !is_sign(c) {
            continue;
        }
        if let Read::Tag { span, refused } = read(index) {
            used = span.end;
            if !refused {
                found.push(span);
            }
        }
    }
    found
}

/// Whether a tag is refused because of its right neighbour: a character of the class, or `://`.
fn followed_by(chars: &[char], at: usize, class: impl Fn(char) -> bool) -> bool {
    let rest = chars.get(at..).unwrap_or_default();
    rest.first().copied().is_some_and(class) || rest.starts_with(&[':', '/', '/'])
}

/// Behind at most `max` characters of the class, from `from` on.
fn run_end(chars: &[char], from: usize, max: usize, class: impl Fn(char) -> bool) -> usize {
    let rest = chars.get(from..).unwrap_or_default();
    from + rest.iter().take(max).take_while(|c| class(**c)).count()
}
