//! Reads the few XML words that old OAuth endpoints answer with: `<error code="415">…</error>`.
//!
//! Not an XML parser, and none is wanted: no entity is declared, no DTD is read, nothing is nested. What
//! does not look like an error element is passed over.

/// One `<error>` element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ErrorElement {
    pub(crate) code: Option<i64>,
    pub(crate) text: String,
}

/// How many `<error>` elements are read.
const MAX_ERRORS: usize = 16;

/// The `<error>` elements of a document, in their order.
pub(crate) fn error_elements(document: &str) -> Vec<ErrorElement> {
    let mut found = Vec::new();
    let mut rest = document;
    while found.len() < MAX_ERRORS {
        let Some((attributes, text, after)) = next_element(rest, "error") else {
            break;
        };
        let code = attribute(attributes, "code").and_then(|code| code.trim().parse().ok());
        found.push(ErrorElement {
            code,
            text: unescape(text).trim().to_owned(),
        });
        rest = after;
    }
    found
}

/// The text of the first element with a name, for example `title`.
pub(crate) fn element_text(document: &str, name: &str) -> Option<String> {
    next_element(document, name).map(|(_, text, _)| unescape(text).trim().to_owned())
}

/// Attributes and text of the next element with just this name, and what follows it. Case is ignored, as
/// HTML has it.
fn next_element<'a>(document: &'a str, name: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let mut rest = document;
    loop {
        let (_, after) = rest.split_once('<')?;
        rest = after;
        let Some((start, after_name)) = rest.split_at_checked(name.len()) else {
            continue;
        };
        if !start.eq_ignore_ascii_case(name) || !after_name.starts_with(['>', ' ', '\t', '\r', '\n']) {
            continue;
        }
        let (attributes, content) = after_name.split_once('>')?;
        let (text, after) = content.split_once("</").unwrap_or((content, ""));
        return Some((attributes, text, after));
    }
}

fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = attributes.split_once(name)?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    rest.strip_prefix(quote)?
        .split_once(quote)
        .map(|(value, _)| value)
}

/// Resolves the five predefined entities and numeric references (XML 1.0 §4.6, §4.1).
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let reference = after
            .split_once(';')
            .and_then(|(name, tail)| Some((reference(name)?, tail)));
        if let Some((character, tail)) = reference {
            out.push(character);
            rest = tail;
        } else {
            out.push('&');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

fn reference(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}
