//! The `Authorization` header (RFC 5849 §3.5.1): written by clients, read by servers.

use std::fmt;

use crate::percent_encoding::{encode_into, percent_decode};

/// The longest header value that is read, in bytes.
pub const MAX_AUTHORIZATION_LENGTH: usize = 64 * 1024;

/// Why a value cannot be the realm of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("realm holds a control character or one beyond ASCII; a header cannot carry it")]
pub struct RealmError;

/// Begins a header value: `OAuth realm="…"` (RFC 2617 §1.2: a quoted string, not percent-encoded).
pub(crate) fn begin_header(out: &mut Vec<u8>, realm: Option<&str>) -> Result<(), RealmError> {
    out.extend_from_slice(b"OAuth ");
    let Some(realm) = realm else { return Ok(()) };
    if !realm.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        return Err(RealmError);
    }
    out.extend_from_slice(b"realm=\"");
    for byte in realm.bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
    Ok(())
}

/// Appends `name="value"`, both encoded, after a comma where something precedes; gives both as encoded.
pub(crate) fn push_header_pair<'a>(out: &'a mut Vec<u8>, name: &[u8], value: &[u8]) -> (&'a [u8], &'a [u8]) {
    if out.last() != Some(&b' ') {
        out.extend_from_slice(b", ");
    }
    let name_start = out.len();
    encode_into(out, name);
    let name_end = out.len();
    out.extend_from_slice(b"=\"");
    let value_start = out.len();
    encode_into(out, value);
    let value_end = out.len();
    out.push(b'"');
    let name = out.get(name_start..name_end).unwrap_or_default();
    let value = out.get(value_start..value_end).unwrap_or_default();
    (name, value)
}

/// Why a header value is no OAuth 1.0 one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorizationHeaderError {
    /// An item that is not `name="value"`.
    #[error("item {item} of the Authorization header is not of the form name=\"value\"")]
    Item {
        /// Which one, counted from 1.
        item: usize,
    },
    /// A quotation mark without its partner.
    #[error("item {item} of the Authorization header has no closing quotation mark")]
    OpenQuote {
        /// Which one, counted from 1.
        item: usize,
    },
    /// More than [`MAX_AUTHORIZATION_LENGTH`] bytes.
    #[error("Authorization header has {length} bytes; at most {MAX_AUTHORIZATION_LENGTH} are read")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
}

/// What an OAuth 1.0 header holds.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AuthorizationHeader {
    /// The realm, unquoted. The only item that is not signed besides the signature.
    pub realm: Option<String>,
    /// All other items in their order, decoded. Bytes, since `%FF` may stand in them.
    pub pairs: Vec<(Vec<u8>, Vec<u8>)>,
}

// A PLAINTEXT signature is the secrets, so names only.
impl fmt::Debug for AuthorizationHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self
            .pairs
            .iter()
            .map(|(name, _)| String::from_utf8_lossy(name))
            .collect();
        f.debug_struct("AuthorizationHeader")
            .field("names", &names)
            .finish_non_exhaustive()
    }
}

/// Reads a header value; `None` when it is of another scheme, such as `Bearer`.
///
/// The scheme's case does not matter. Values without quotation marks are taken too: the grammar of HTTP
/// allows them, and a refusal would help nobody.
///
/// # Errors
/// [`AuthorizationHeaderError`], which says which item cannot be read.
pub fn parse_authorization(value: &str) -> Result<Option<AuthorizationHeader>, AuthorizationHeaderError> {
    if value.len() > MAX_AUTHORIZATION_LENGTH {
        return Err(AuthorizationHeaderError::TooLong { length: value.len() });
    }
    let value = value.trim();
    let (scheme, rest) = value.split_once([' ', '\t']).unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("OAuth") {
        return Ok(None);
    }
    let mut header = AuthorizationHeader::default();
    let mut rest = rest.trim_start();
    let mut item = 0;
    while !rest.is_empty() {
        item += 1;
        // An empty item (`,,`, or a trailing comma) is allowed in lists of HTTP (RFC 9110 §5.6.1).
        if let Some(after) = rest.strip_prefix(',') {
            rest = after.trim_start();
            continue;
        }
        let (name, after) = rest
            .split_once('=')
            .ok_or(AuthorizationHeaderError::Item { item })?;
        let name = name.trim();
        if name.is_empty() || name.contains([' ', '"', ',']) {
            return Err(AuthorizationHeaderError::Item { item });
        }
        let (raw, after) = split_value(after.trim_start(), item)?;
        if name.eq_ignore_ascii_case("realm") {
            header.realm = Some(unquote(raw));
        } else {
            header.pairs.push((percent_decode(name), percent_decode(raw)));
        }
        rest = after.trim_start();
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start(),
            None if rest.is_empty() => {}
            None => return Err(AuthorizationHeaderError::Item { item }),
        }
    }
    Ok(Some(header))
}

/// Parts a value, without its quotation marks, from what follows it.
fn split_value(text: &str, item: usize) -> Result<(&str, &str), AuthorizationHeaderError> {
    let Some(quoted) = text.strip_prefix('"') else {
        let at = text.find(',').unwrap_or(text.len());
        let (value, rest) = text.split_at_checked(at).unwrap_or((text, ""));
        return Ok((value.trim_end(), rest));
    };
    let mut escaped = false;
    for (at, character) in quoted.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => {
                let (value, rest) = quoted.split_at_checked(at).unwrap_or((quoted, ""));
                return Ok((value, rest.strip_prefix('"').unwrap_or(rest)));
            }
            _ => {}
        }
    }
    Err(AuthorizationHeaderError::OpenQuote { item })
}

/// Resolves the backslashes of a quoted string.
fn unquote(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut escaped = false;
    for character in raw.chars() {
        if character == '\\' && !escaped {
            escaped = true;
        } else {
            escaped = false;
            text.push(character);
        }
    }
    text
}
