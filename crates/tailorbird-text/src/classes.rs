//! The character classes of X's published extraction rules, one predicate each.
//!
//! They are predicates and not regular expressions because every scanner here walks characters once;
//! the sets themselves are X's, and the conformance cases in `tests/it` judge them.

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// Characters that make a text invalid wherever they stand: the two byte order marks and U+FFFF.
pub(crate) const fn is_invalid(c: char) -> bool {
    matches!(c, '\u{FFFE}' | '\u{FEFF}' | '\u{FFFF}')
}

/// Marks that only steer the direction of writing; invisible, so a link may touch them on both sides.
pub(crate) const fn is_directional(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// White space in X's sense: Unicode's, and the Mongolian vowel separator which Unicode took off its list.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || c == '\u{180E}'
}

/// Latin letters beyond ASCII and the combining marks that go with them.
pub(crate) const fn is_latin_accent(c: char) -> bool {
    matches!(c,
        '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{24F}'
        | '\u{253}' | '\u{254}' | '\u{256}' | '\u{257}' | '\u{259}' | '\u{25B}' | '\u{263}' | '\u{268}'
        | '\u{26F}' | '\u{272}' | '\u{289}' | '\u{28B}' | '\u{2BB}'
        | '\u{300}'..='\u{36F}' | '\u{1E00}'..='\u{1EFF}')
}

/// Characters that a label of a domain name may begin and end with; `-` and `_` are allowed between.
///
/// General punctuation is out as a block, so that a dash or a quotation mark next to a name ends it.
pub(crate) fn is_domain(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    !matches!(c, '\u{2000}'..='\u{206F}') && !is_space(c) && !is_invalid(c) && !is_directional(c)
}

/// Characters of a domain name that is linked even without `http://` in front.
pub(crate) const fn is_plain_domain(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || is_latin_accent(c)
}

/// Characters that a link may follow directly; a link at the very start of the text is fine, too.
pub(crate) const fn may_precede_url(c: char) -> bool {
    !(c.is_ascii_alphanumeric() || matches!(c, '@' | '＠' | '$' | '#' | '＃') || is_invalid(c))
}

/// Characters which, right before a name without protocol, say that it is part of something longer.
pub(crate) const fn forbids_bare_url(c: char) -> bool {
    matches!(c, '-' | '_' | '.' | '/')
}

/// Characters that keep a top-level domain from ending where they stand (`.com` in `.community`, `.gov@`).
pub(crate) const fn continues_tld(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '@' | '+' | '-')
}

/// Letters and digits of a link's path: ASCII, accented Latin, Cyrillic.
const fn is_path_letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || is_latin_accent(c) || matches!(c, '\u{400}'..='\u{4FF}')
}

/// Characters inside a link's path, round brackets excepted (those must balance).
pub(crate) const fn is_path(c: char) -> bool {
    is_path_letter(c)
        || matches!(
            c,
            '!' | '*'
                | '\''
                | ';'
                | ':'
                | '='
                | '+'
                | ','
                | '.'
                | '$'
                | '/'
                | '%'
                | '#'
                | '['
                | ']'
                | '-'
                | '\u{2013}'
                | '_'
                | '~'
                | '@'
                | '|'
                | '&'
        )
}

/// Characters that a link's path may end with, so that `/foo.` leaves the full stop to the sentence.
pub(crate) const fn is_path_end(c: char) -> bool {
    is_path_letter(c) || matches!(c, '=' | '_' | '#' | '/' | '+' | '-')
}

/// Characters inside a link's query.
pub(crate) const fn is_query(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(
            c,
            '!' | '?'
                | '*'
                | '\''
                | '('
                | ')'
                | ';'
                | ':'
                | '&'
                | '='
                | '+'
                | '$'
                | '/'
                | '%'
                | '#'
                | '['
                | ']'
                | '-'
                | '_'
                | '.'
                | ','
                | '~'
                | '|'
                | '@'
        )
}

/// Characters that a link's query may end with.
pub(crate) const fn is_query_end(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '&' | '=' | '#' | '/')
}

/// Both shapes of the hash sign.
pub(crate) const fn is_hash_sign(c: char) -> bool {
    matches!(c, '#' | '＃')
}

/// Both shapes of the at sign.
pub(crate) const fn is_at_sign(c: char) -> bool {
    matches!(c, '@' | '＠')
}

/// Letters and marks of any script; a hashtag needs one.
pub(crate) fn is_hashtag_letter(c: char) -> bool {
    c.is_ascii_alphabetic()
        || (!c.is_ascii()
            && matches!(
                c.general_category_group(),
                GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark
            ))
}

/// Everything a hashtag is made of: letters, marks, digits of any script, and joining signs that are
/// part of words in some script.
pub(crate) fn is_hashtag(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    is_hashtag_letter(c)
        || c.general_category() == GeneralCategory::DecimalNumber
        || matches!(
            c,
            '\u{200C}'
                | '\u{200D}'
                | '\u{A67E}'
                | '\u{5BE}'
                | '\u{5F3}'
                | '\u{5F4}'
                | '\u{FF5E}'
                | '\u{301C}'
                | '\u{309B}'
                | '\u{309C}'
                | '\u{30A0}'
                | '\u{30FB}'
                | '\u{3003}'
                | '\u{F0B}'
                | '\u{F0C}'
                | '\u{B7}'
        )
}

/// Characters of a user name.
pub(crate) const fn is_username(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
