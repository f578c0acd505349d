//! Percent encoding as OAuth means it (RFC 5849 §3.6), and the two decodings that meet it.
//!
//! Everything works on bytes: `%FF` stays the byte 0xFF and never becomes U+FFFD. A `%` that no two
//! hexadecimal digits follow, and characters that should have been encoded, are kept as the bytes they
//! are, because a server has to compute what the client computed and a refusal would explain nothing.

/// The bytes that stay as they are: letters, digits, `-`, `.`, `_`, `~` (RFC 3986 §2.3).
const fn is_unreserved_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// One entry per byte: how it is written once encoded, and whether it stays as it is.
struct Table {
    unreserved: [bool; 256],
    encoded: [[u8; 3]; 256],
    encoded_twice: [[u8; 5]; 256],
    hex_value: [u8; 256],
}

/// Marks a byte that is no hexadecimal digit in [`Table::hex_value`].
const NOT_HEX: u8 = 0xff;

#[expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "evaluated by the compiler: an error here does not build"
)]
const fn table() -> Table {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut table = Table {
        unreserved: [false; 256],
        encoded: [[0; 3]; 256],
        encoded_twice: [[0; 5]; 256],
        hex_value: [NOT_HEX; 256],
    };
    let mut index = 0;
    while index < 256 {
        let (high, low) = (DIGITS[index >> 4], DIGITS[index & 0x0f]);
        let byte = index as u8;
        table.unreserved[index] = is_unreserved_byte(byte);
        table.encoded[index] = [b'%', high, low];
        table.encoded_twice[index] = [b'%', b'2', b'5', high, low];
        table.hex_value[index] = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'F' => byte - b'A' + 10,
            b'a'..=b'f' => byte - b'a' + 10,
            _ => NOT_HEX,
        };
        index += 1;
    }
    table
}

static TABLE: Table = table();

#[inline]
fn is_unreserved(byte: u8) -> bool {
    TABLE.unreserved.get(usize::from(byte)).copied().unwrap_or(false)
}

#[inline]
fn encoded(byte: u8) -> [u8; 3] {
    TABLE.encoded.get(usize::from(byte)).copied().unwrap_or_default()
}

#[inline]
fn encoded_twice(byte: u8) -> [u8; 5] {
    TABLE
        .encoded_twice
        .get(usize::from(byte))
        .copied()
        .unwrap_or_default()
}

#[inline]
fn hex_value(byte: u8) -> Option<u8> {
    TABLE
        .hex_value
        .get(usize::from(byte))
        .copied()
        .filter(|value| *value != NOT_HEX)
}

/// The byte that `%XX` at the beginning of `bytes` stands for, if it is one.
#[inline]
fn escape(bytes: &[u8]) -> Option<u8> {
    match bytes {
        [b'%', high, low, ..] => Some((hex_value(*high)? << 4) | hex_value(*low)?),
        _ => None,
    }
}

/// Splits off the bytes at the front that stay as they are under every encoding.
#[inline]
fn split_unreserved(bytes: &[u8]) -> (&[u8], &[u8]) {
    let length = bytes
        .iter()
        .position(|byte| !is_unreserved(*byte))
        .unwrap_or(bytes.len());
    bytes.split_at_checked(length).unwrap_or((bytes, &[]))
}

/// Encodes bytes (RFC 5849 §3.6): capital hexadecimal digits, a space is `%20`.
pub fn percent_encode(bytes: impl AsRef<[u8]>) -> String {
    let bytes = bytes.as_ref();
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 2);
    encode_into(&mut out, bytes);
    ascii_string(out)
}

/// Decodes `%XX`; a `+` stays a `+`. For values of the `Authorization` header (RFC 5849 §3.5.1).
pub fn percent_decode(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    decode(bytes.as_ref(), false)
}

/// Decodes `%XX`, and `+` as a space. For queries and form bodies (RFC 5849 §3.4.1.3.1).
pub fn form_decode(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    decode(bytes.as_ref(), true)
}

fn decode(mut bytes: &[u8], plus_is_space: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    while let Some((first, rest)) = bytes.split_first() {
        if let Some(byte) = escape(bytes) {
            out.push(byte);
            bytes = bytes.get(3..).unwrap_or_default();
        } else {
            out.push(if plus_is_space && *first == b'+' {
                b' '
            } else {
                *first
            });
            bytes = rest;
        }
    }
    out
}

/// Appends the encoding of `bytes`.
pub(crate) fn encode_into(out: &mut Vec<u8>, mut bytes: &[u8]) {
    loop {
        let (plain, rest) = split_unreserved(bytes);
        out.extend_from_slice(plain);
        let Some((byte, rest)) = rest.split_first() else {
            return;
        };
        out.extend_from_slice(&encoded(*byte));
        bytes = rest;
    }
}

/// Appends the encoding of the encoding of `bytes`, which is what the base string holds.
pub(crate) fn encode_twice_into(out: &mut Vec<u8>, mut bytes: &[u8]) {
    loop {
        let (plain, rest) = split_unreserved(bytes);
        out.extend_from_slice(plain);
        let Some((byte, rest)) = rest.split_first() else {
            return;
        };
        out.extend_from_slice(&encoded_twice(*byte));
        bytes = rest;
    }
}

/// Appends the encoding of what is encoded once already and had `decoded_len` bytes before: only its `%` are
/// left to encode, and there are none where the length is the same.
pub(crate) fn encode_again_into(out: &mut Vec<u8>, encoded: &[u8], decoded_len: usize) {
    if encoded.len() == decoded_len {
        out.extend_from_slice(encoded);
        return;
    }
    let mut parts = encoded.split(|byte| *byte == b'%');
    out.extend_from_slice(parts.next().unwrap_or_default());
    for part in parts {
        out.extend_from_slice(b"%25");
        out.extend_from_slice(part);
    }
}

/// Appends what [`form_decode`] and then [`encode_twice_into`] would, in one pass and without a buffer.
pub(crate) fn recode_twice_into(out: &mut Vec<u8>, mut bytes: &[u8]) {
    loop {
        let (plain, rest) = split_unreserved(bytes);
        out.extend_from_slice(plain);
        let Some((first, after_first)) = rest.split_first() else {
            return;
        };
        let (byte, after) = match (*first, escape(rest)) {
            (_, Some(byte)) => (byte, rest.get(3..).unwrap_or_default()),
            (b'+', None) => (b' ', after_first),
            (byte, None) => (byte, after_first),
        };
        if is_unreserved(byte) {
            out.push(byte);
        } else {
            out.extend_from_slice(&encoded_twice(byte));
        }
        bytes = after;
    }
}

/// Turns bytes that this crate wrote into text without a panic in the way.
pub(crate) fn ascii_string(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
