//! The three HTML escapes that X writes into a post's text, and the way back.

use std::borrow::Cow;

/// The longest reference that is read, from `&` to `;`, in characters: `&#x10FFFF;`.
const MAX_REFERENCE: usize = 10;

/// Replaces `&`, `<` and `>` by `&amp;`, `&lt;` and `&gt;`, as X does with every text it stores.
///
/// Quotation marks stay: X leaves them alone.
pub fn escape_html(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>']) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        push_escaped(&mut escaped, c);
    }
    Cow::Owned(escaped)
}

/// Appends one character, escaped where X would; returns how many characters that took.
pub(crate) fn push_escaped(out: &mut String, c: char) -> usize {
    let reference = match c {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        other => {
            out.push(other);
            return 1;
        }
    };
    out.push_str(reference);
    reference.len()
}

/// Undoes one layer of HTML escaping: `&amp;`, `&lt;`, `&gt;`, `&quot;`, `&apos;` and numeric references.
///
/// One pass only: `&amp;lt;` becomes `&lt;`, because that is what was sent. Anything that is not such a
/// reference stays as it is.
pub fn unescape_html(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) = rest.split_once('&') {
        plain.push_str(before);
        if let Some((c, after)) = read_reference(from) {
            plain.push(c);
            rest = after;
        } else {
            plain.push('&');
            rest = from;
        }
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// Reads what follows an `&` as a reference; gives its character and the text behind its `;`.
fn read_reference(from: &str) -> Option<(char, &str)> {
    // The search is bounded: a text of many `&` and no `;` would otherwise be read once per `&`.
    let (end, _) = from.char_indices().take(MAX_REFERENCE).find(|&(_, c)| c == ';')?;
    let (name, after) = from.split_at_checked(end)?;
    let after = after.strip_prefix(';')?;
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let digits = number.strip_prefix(['x', 'X']);
            let radix = if digits.is_some() { 16 } else { 10 };
            let digits = digits.unwrap_or(number);
            if !digits.starts_with(|c: char| c.is_ascii_hexdigit()) {
                return None; // `from_str_radix` would take a sign
            }
            char::from_u32(u32::from_str_radix(digits, radix).ok()?)?
        }
    };
    Some((c, after))
}

#[cfg(test)]
mod tests {
    use super::{escape_html, unescape_html};

    #[test]
    fn escapes_three_characters_and_no_more() {
        assert_eq!(
            escape_html("a & b < c > \"d\" 'e'"),
            "a &amp; b &lt; c &gt; \"d\" 'e'"
        );
        assert_eq!(escape_html("&amp;"), "&amp;amp;");
    }

    #[test]
    fn unescapes_one_layer() {
        assert_eq!(
            unescape_html("&amp;lt; &lt;b&gt; &quot;&apos;&#39;&#x27;&#x1F600;"),
            "&lt; <b> \"'''😀"
        );
    }

    #[test]
    fn leaves_what_is_no_reference() {
        for text in [
            "&",
            "&&",
            "&;",
            "a&b;c",
            "&#;",
            "&#x;",
            "&#+65;",
            "&#xD800;",
            "& amp;",
            "&amp",
            "&verylongname;",
        ] {
            assert_eq!(unescape_html(text), text);
        }
    }
}
