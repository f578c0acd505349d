//! Base string URI (RFC 5849 §3.4.1.2).
//!
//! Scheme and host in lower case, the port unless it is the scheme's own, the path byte for byte as it is
//! sent, no query, no fragment, no userinfo. An empty path is `/`, because that is what goes over the wire.

use crate::percent_encoding::ascii_string;
use crate::wire_url::{Scheme, UrlError, WireUrl};

/// The base string URI of a wire URL, not yet encoded.
///
/// # Errors
/// [`UrlError`] when it is no absolute http or https URL.
pub fn base_string_uri(url: &str) -> Result<String, UrlError> {
    let mut out = Vec::with_capacity(url.len());
    push_base_string_uri(&mut out, &WireUrl::parse(url)?);
    // A raw character beyond ASCII in the path is kept as its UTF-8 bytes, so this is text again.
    Ok(ascii_string(out))
}

/// Appends the base string URI, not yet encoded.
pub(crate) fn push_base_string_uri(out: &mut Vec<u8>, url: &WireUrl<'_>) {
    out.extend_from_slice(match url.scheme {
        Scheme::Http => b"http://",
        Scheme::Https => b"https://",
    });
    out.extend(url.host.iter().map(u8::to_ascii_lowercase));
    if let Some(port) = url.port
        && port != url.scheme.default_port()
    {
        out.push(b':');
        push_decimal(out, port);
    }
    if url.path.is_empty() {
        out.push(b'/');
    } else {
        out.extend_from_slice(url.path);
    }
}

/// Writes a port without a formatter or a string in between.
fn push_decimal(out: &mut Vec<u8>, number: u16) {
    let mut started = false;
    for unit in [10_000, 1_000, 100, 10, 1] {
        let digit = number / unit % 10;
        started |= digit != 0 || unit == 1;
        if started {
            out.push(b'0' + u8::try_from(digit).unwrap_or_default());
        }
    }
}
