//! Keeps what others wrote from steering the terminal it is shown on.
//!
//! A provider's words, a record's values and a service file's labels may hold control characters. Printed as
//! they are, they could clear the screen, set its title, or make a refusal look like a success; characters
//! that turn the direction of writing around can do the last without any control character.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character does something else than show itself. Line ends and tabs are wanted.
fn steers(c: char) -> bool {
    let turns_around = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns_around || (c.is_control() && !matches!(c, '\n' | '\t'))
}

/// Text for people: such characters are named, as `<U+001B>`.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let text = text.replace("\r\n", "\n");
    let mut out = String::with_capacity(text.len() + 64);
    for c in text.chars() {
        if steers(c) {
            let _infallible = write!(out, "<U+{:04X}>", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// JSON text: such characters are escaped, so that a program reads what it would have read. They stand
/// inside of strings only, since the rest of JSON is ASCII (RFC 8259 §2 and §7).
pub(crate) fn harmless_json(json: &str) -> Cow<'_, str> {
    if !json.contains(steers) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        if steers(c) {
            let _infallible = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::{harmless, harmless_json};

    const HOSTILE: &str = "\u{1b}]0;title\u{7}\u{1b}[2J\u{9b}31m\u{7f}\u{202e}\u{2066}\r";

    #[test]
    fn nothing_of_a_hostile_text_reaches_the_terminal() {
        let shown = harmless(HOSTILE);
        assert_eq!(
            shown,
            "<U+001B>]0;title<U+0007><U+001B>[2J<U+009B>31m<U+007F><U+202E><U+2066><U+000D>"
        );
        let plain = "Zwölf\t→ 12 “ok” שלום\nnext";
        assert_eq!(harmless(plain), plain);
        assert_eq!(harmless("a\r\nb\u{0}"), "a\nb<U+0000>");
    }

    #[test]
    fn json_means_the_same_and_holds_no_such_character() {
        let value = serde_json::json!({"text": format!("ä {HOSTILE}"), HOSTILE: 1});
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let shown = harmless_json(&text);
            assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
            assert!(!shown.contains(['\u{202e}', '\u{2066}']), "{shown:?}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
        }
    }
}
