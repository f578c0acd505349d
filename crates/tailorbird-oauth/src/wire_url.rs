//! Takes a final wire URL apart, and builds one.
//!
//! The house rule: build the wire URL first, then sign exactly that string. So nothing here tidies a URL
//! up; [`WireUrl`] only points at its parts, and [`wire_url`] writes queries in the one form on which all
//! peers agree: a space is `%20`, a plus is `%2B`, and a raw `+` never goes onto the wire.

use crate::percent_encoding::{ascii_string, encode_into};

/// Why a text cannot be signed as a URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// No `http://` or `https://` at its beginning.
    #[error("URL is not absolute; it has to begin with http:// or https://")]
    NotAbsoluteHttp,
    /// Nothing between `//` and the path.
    #[error("URL has no host")]
    NoHost,
    /// A `[` without its `]`, or text after the `]` that is no port.
    #[error("host of the URL is not a complete IPv6 address in square brackets")]
    BrokenIpv6,
    /// Text after the colon that is not a number from 0 to 65535.
    #[error("port of the URL is not a number from 0 to 65535")]
    BadPort,
    /// A control character; a raw line break in a URL is an attack or a template gone wrong.
    #[error("URL holds a control character; it has to be percent-encoded")]
    ControlCharacter,
}

/// The two schemes that OAuth requests use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub(crate) const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// The parts of a URL as they stand in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WireUrl<'a> {
    pub(crate) scheme: Scheme,
    /// Without userinfo and port, in the spelling given.
    pub(crate) host: &'a [u8],
    /// As given, also where it is the default.
    pub(crate) port: Option<u16>,
    /// May be empty.
    pub(crate) path: &'a [u8],
    /// Without the question mark, without a fragment.
    pub(crate) query: Option<&'a [u8]>,
}

/// Splits at the first byte that satisfies `is_delimiter`, which stays in the second part.
fn split_before(bytes: &[u8], is_delimiter: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let at = bytes
        .iter()
        .position(|byte| is_delimiter(*byte))
        .unwrap_or(bytes.len());
    bytes.split_at_checked(at).unwrap_or((bytes, &[]))
}

fn strip_scheme(url: &[u8]) -> Result<(Scheme, &[u8]), UrlError> {
    for (prefix, scheme) in [(&b"https://"[..], Scheme::Https), (&b"http://"[..], Scheme::Http)] {
        if let Some((start, rest)) = url.split_at_checked(prefix.len())
            && start.eq_ignore_ascii_case(prefix)
        {
            return Ok((scheme, rest));
        }
    }
    Err(UrlError::NotAbsoluteHttp)
}

impl<'a> WireUrl<'a> {
    /// Takes an absolute http or https URL apart.
    pub(crate) fn parse(url: &'a str) -> Result<Self, UrlError> {
        let url = url.as_bytes();
        if url.iter().any(u8::is_ascii_control) {
            return Err(UrlError::ControlCharacter);
        }
        let (scheme, rest) = strip_scheme(url)?;
        let (authority, rest) = split_before(rest, |byte| matches!(byte, b'/' | b'?' | b'#'));
        let (before_fragment, _) = split_before(rest, |byte| byte == b'#');
        let (path, query) = split_before(before_fragment, |byte| byte == b'?');
        let (host, port) = split_authority(authority)?;
        Ok(Self {
            scheme,
            host,
            port,
            path,
            query: query.split_first().map(|(_, query)| query),
        })
    }
}

/// Drops the userinfo and parts host from port (RFC 3986 §3.2).
fn split_authority(authority: &[u8]) -> Result<(&[u8], Option<u16>), UrlError> {
    // The last `@` ends the userinfo: a password may hold others.
    let host_and_port = authority.rsplit(|byte| *byte == b'@').next().unwrap_or(authority);
    let (host, port) = if host_and_port.first() == Some(&b'[') {
        let end = host_and_port
            .iter()
            .position(|byte| *byte == b']')
            .ok_or(UrlError::BrokenIpv6)?;
        let (host, rest) = host_and_port
            .split_at_checked(end + 1)
            .ok_or(UrlError::BrokenIpv6)?;
        match rest.split_first() {
            None => (host, None),
            Some((b':', port)) => (host, Some(port)),
            Some(_) => return Err(UrlError::BrokenIpv6),
        }
    } else {
        let (host, rest) = split_before(host_and_port, |byte| byte == b':');
        (host, rest.split_first().map(|(_, port)| port))
    };
    if host.is_empty() {
        return Err(UrlError::NoHost);
    }
    let port = match port {
        // `http://host:/` has an empty port, which means the default (RFC 3986 §3.2.3).
        None | Some([]) => None,
        Some(digits) => Some(parse_port(digits)?),
    };
    Ok((host, port))
}

fn parse_port(digits: &[u8]) -> Result<u16, UrlError> {
    digits
        .iter()
        .try_fold(0_u16, |port, digit| {
            let value = digit.is_ascii_digit().then(|| u16::from(digit - b'0'))?;
            port.checked_mul(10)?.checked_add(value)
        })
        .ok_or(UrlError::BadPort)
}

/// Writes decoded name-value pairs as a query or form body: everything outside `A-Za-z0-9-._~` is
/// percent-encoded, a space is `%20`, a plus is `%2B`.
///
/// This is also valid `application/x-www-form-urlencoded`, since a reader of forms decodes `%20` as well
/// as `+`.
pub fn encode_query<N: AsRef<[u8]>, V: AsRef<[u8]>>(pairs: impl IntoIterator<Item = (N, V)>) -> String {
    let mut out = Vec::new();
    for (name, value) in pairs {
        push_pair(&mut out, 0, name.as_ref(), value.as_ref());
    }
    ascii_string(out)
}

/// Appends `name=value` to a query or form that begins at `start`, with `&` in front where something
/// precedes. The last byte alone would not tell: a `?` may be the end of a value.
pub(crate) fn push_pair(out: &mut Vec<u8>, start: usize, name: &[u8], value: &[u8]) {
    if out.len() > start && out.last() != Some(&b'&') {
        out.push(b'&');
    }
    encode_into(out, name);
    out.push(b'=');
    encode_into(out, value);
}

/// Makes the final wire URL out of a base URL and decoded pairs to add to its query.
///
/// The base's own query is kept, its raw `+` written as `%20` (that is what it means), its fragment
/// dropped (it is never sent), and characters that may not stand raw in a URL are percent-encoded:
/// control characters, space, `"`, `<`, `>`, `[`, `]`, `\`, `^`, `` ` ``, `{`, `|`, `}` and everything beyond ASCII,
/// as well as a `%` that begins no escape. Square brackets of an IPv6 host stay.
///
/// ```
/// let url = tailorbird_oauth::wire_url("https://api.example.com/find?q=a+b#top", [("tag", "C++ & más")])?;
/// assert_eq!(url, "https://api.example.com/find?q=a%20b&tag=C%2B%2B%20%26%20m%C3%A1s");
/// # Ok::<(), tailorbird_oauth::UrlError>(())
/// ```
///
/// # Errors
/// [`UrlError`] when the result is no absolute http or https URL.
pub fn wire_url<N: AsRef<[u8]>, V: AsRef<[u8]>>(
    base: &str,
    pairs: impl IntoIterator<Item = (N, V)>,
) -> Result<String, UrlError> {
    let bytes = base.as_bytes();
    let (scheme, rest) = strip_scheme(bytes)?;
    let (authority, rest) = split_before(rest, |byte| matches!(byte, b'/' | b'?' | b'#'));
    if authority
        .iter()
        .any(|byte| byte.is_ascii_control() || *byte == b' ')
    {
        return Err(UrlError::ControlCharacter);
    }
    split_authority(authority)?;
    let (before_fragment, _) = split_before(rest, |byte| byte == b'#');
    let (path, query) = split_before(before_fragment, |byte| byte == b'?');

    let mut out = Vec::with_capacity(base.len() + 64);
    out.extend_from_slice(match scheme {
        Scheme::Http => b"http://",
        Scheme::Https => b"https://",
    });
    out.extend_from_slice(authority);
    if path.is_empty() {
        out.push(b'/');
    }
    push_legal(&mut out, path, false);
    let query = query.split_first().map_or(&[][..], |(_, query)| query);
    let mut query_out = Vec::with_capacity(query.len());
    push_legal(&mut query_out, query, true);
    for (name, value) in pairs {
        push_pair(&mut query_out, 0, name.as_ref(), value.as_ref());
    }
    if !query_out.is_empty() {
        out.push(b'?');
        out.extend_from_slice(&query_out);
    }
    // A host beyond ASCII is the only thing left that could be other than ASCII; it is text already.
    Ok(ascii_string(out))
}

/// Copies what may stand in a path or query and percent-encodes what may not (RFC 3986 §3.3, §3.4).
fn push_legal(out: &mut Vec<u8>, mut bytes: &[u8], in_query: bool) {
    while let Some((first, rest)) = bytes.split_first() {
        let begins_escape =
            matches!(bytes, [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit());
        match *first {
            b'+' if in_query => out.extend_from_slice(b"%20"),
            b'%' if begins_escape => out.push(b'%'),
            byte if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?".contains(&byte) => out.push(byte),
            byte => encode_into(out, &[byte]),
        }
        bytes = rest;
    }
}
