//! Resource owner authorization (RFC 5849 §2.2): where the user's browser is sent.

use crate::percent_encoding::form_decode;
use crate::signing::parameter_sources::form_pairs;
use crate::wire_url::{UrlError, wire_url};

/// The address at which the user approves the request: the provider's authorization URL, its own query
/// kept, with `oauth_token` and the extra pairs (X: `force_login`, `screen_name`) at its end.
///
/// An `oauth_token` that is in the URL already, left there by an earlier try, is replaced.
///
/// ```
/// let url = tailorbird_oauth::authorization_url("https://api.example.com/auth?lang=de", "t/1", [("force_login", "true")])?;
/// assert_eq!(url, "https://api.example.com/auth?lang=de&oauth_token=t%2F1&force_login=true");
/// # Ok::<(), tailorbird_oauth::UrlError>(())
/// ```
///
/// # Errors
/// [`UrlError`] when the URL is no absolute http or https URL.
pub fn authorization_url<'a>(
    url: &str,
    temporary_token: &'a str,
    extra: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<String, UrlError> {
    let (before_fragment, _) = url.split_once('#').unwrap_or((url, ""));
    let (base, query) = before_fragment.split_once('?').unwrap_or((before_fragment, ""));
    let kept: Vec<(Vec<u8>, Vec<u8>)> = form_pairs(query.as_bytes())
        .map(|(name, value)| (form_decode(name), form_decode(value)))
        .filter(|(name, _)| name != b"oauth_token")
        .collect();
    let own = std::iter::once(("oauth_token", temporary_token)).chain(extra);
    let kept = kept
        .iter()
        .map(|(name, value)| (name.as_slice(), value.as_slice()));
    wire_url(
        base,
        kept.chain(own.map(|(name, value)| (name.as_bytes(), value.as_bytes()))),
    )
}
