//! Giving short addresses to the links of a text, as X does.

use crate::state::UrlEntity;
use tailorbird_text::{Rewritten, TextTooLarge, rewrite_as_x};

/// Rewrites a text; the short addresses follow from the post's id, so that the same post gets the same ones
/// whenever it is asked for.
///
/// # Errors
/// [`TextTooLarge`], which a text that was measured before never is.
pub(crate) fn rewrite(original: &str, id: u64) -> Result<Rewritten, TextTooLarge> {
    let mut number = 0_u64;
    rewrite_as_x(original, |_| {
        number = number.saturating_add(1);
        format!("https://t.co/{}", code(id, number))
    })
}

/// The links of a rewritten text as a post keeps them.
pub(crate) fn urls(rewritten: &Rewritten) -> Vec<UrlEntity> {
    let entity = |url: &tailorbird_text::RewrittenUrl| UrlEntity {
        start: url.start,
        end: url.end,
        url: url.url.clone(),
        expanded_url: url.expanded.clone(),
        display_url: url.display.clone(),
    };
    rewritten.urls.iter().map(entity).collect()
}

/// Ten letters and digits for the link with this number in the post with this id.
fn code(id: u64, number: u64) -> String {
    const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    // An odd factor is a bijection on 64 bits: neighbouring ids get codes that do not look alike, and no two
    // pairs that differ by less than 2^54 share one.
    let mut rest = id.wrapping_add(number).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 5;
    let mut code = String::with_capacity(10);
    for _ in 0..10 {
        let letter = usize::try_from(rest % 62)
            .ok()
            .and_then(|at| LETTERS.get(at))
            .copied()
            .unwrap_or(b'0');
        code.push(char::from(letter));
        rest /= 62;
    }
    code
}
