//! Parameter sources (RFC 5849 §3.4.1.3.1): which name-value pairs a signature covers, and how a query or
//! a form body falls into pairs.

/// Whether a media type is the one whose body is signed: `application/x-www-form-urlencoded`, in any
/// case, with or without parameters such as a charset.
pub fn is_form_content_type(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default();
    media_type
        .trim()
        .eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// The pairs of a query or form body, still encoded.
///
/// Pairs are parted by `&` alone: `;` is an ordinary character. A pair without `=` has an empty value; the
/// first `=` parts, later ones belong to the value. Nothing between two `&` is no pair at all, whereas a
/// lone `=` is one with empty name and value.
pub(crate) fn form_pairs(encoded: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    encoded
        .split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let (name, rest) = pair.split_at_checked(at).unwrap_or((pair, &[]));
            (name, rest.split_first().map_or(&[][..], |(_, value)| value))
        })
}
