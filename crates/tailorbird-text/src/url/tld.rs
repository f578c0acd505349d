//! Top-level domains: IANA's list, in ASCII and in their own scripts.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::classes::{continues_tld, is_domain};

/// More characters than any top-level domain has in its own script or in ASCII letters (18 in 2026).
const MAX_TLD: usize = 24;

/// The internationalised names in their own scripts; IANA's list has them in ASCII form.
static NATIVE: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let encoded = tld::TLD.iter().filter_map(|name| name.strip_prefix("xn--"));
    encoded.filter_map(idna::punycode::decode_to_string).collect()
});

/// End of the top-level domain that begins at `start`, or `None`.
///
/// It must be followed by something other than an ASCII letter, digit, `@`, `+` or `-`: `.com` ends
/// before a Japanese word, but neither in `.comm` nor in `.gov@`.
pub(super) fn end(chars: &[char], start: usize) -> Option<usize> {
    let rest = chars.get(start..)?;
    if let Some(length) = encoded_length(rest) {
        return Some(start + length);
    }
    let ascii = rest
        .iter()
        .take(MAX_TLD + 1)
        .take_while(|c| c.is_ascii_alphanumeric())
        .count();
    let name: String = rest.iter().take(ascii).map(char::to_ascii_lowercase).collect();
    if (2..=MAX_TLD).contains(&ascii) && ends_at(rest, ascii) && tld::exist(&name) {
        return Some(start + ascii);
    }
    native_length(rest).map(|length| start + length)
}

/// A top-level domain in the encoded form is taken whether IANA lists it or not, as X does.
fn encoded_length(rest: &[char]) -> Option<usize> {
    let ['x' | 'X', 'n' | 'N', '-', '-', encoded @ ..] = rest else {
        return None;
    };
    let length = encoded
        .iter()
        .take_while(|c| c.is_ascii_alphanumeric() || **c == '-')
        .count();
    (length > 0).then_some("xn--".len() + length)
}

/// The longest listed name in its own script; prefixes are tried because such scripts write no spaces.
fn native_length(rest: &[char]) -> Option<usize> {
    let mut name = String::new();
    let mut longest = None;
    let mut native = false;
    for (index, &c) in rest.iter().take(MAX_TLD).enumerate() {
        if !is_domain(c) {
            break;
        }
        native |= !c.is_ascii();
        name.extend(c.to_lowercase());
        if native && ends_at(rest, index + 1) && NATIVE.contains(&name) {
            longest = Some(index + 1);
        }
    }
    longest
}

fn ends_at(rest: &[char], length: usize) -> bool {
    !rest.get(length).copied().is_some_and(continues_tld)
}
