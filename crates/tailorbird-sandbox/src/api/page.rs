//! Cutting long lists into pages whose borders are ids, not positions.
//!
//! Every list is ordered by a key that never changes, newest first, and a token names a key: posts that
//! arrive or vanish between two pages can therefore neither repeat an entry nor hide one. Tokens are
//! opaque to clients and bound to the list that made them; a token of another list is refused in place
//! of silently showing the wrong page.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Window {
    /// At the newest entry.
    Newest,
    /// Right below this key (a `next_token`).
    Below(u64),
    /// Right above this key (a `previous_token`).
    Above(u64),
}

/// One page: keys newest first, and the tokens to its neighbours.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// The keys of this page, newest first.
    pub(crate) keys: Vec<u64>,
    /// Leads to older entries; absent on the last page.
    pub(crate) next: Option<String>,
    /// Leads to newer entries; absent on the first page.
    pub(crate) previous: Option<String>,
}

/// Cuts one page out of `keys`, which fall strictly (newest first); only keys that `keep` says yes to count.
///
/// `scope` names the list, for example `users/17/mentions`; the tokens work for that list only.
/// `limit` is at least 1. No more keys are asked about than the page and one further entry need, so that a
/// page of a long list costs no more than one of a short list.
pub(crate) fn cut(
    keys: impl DoubleEndedIterator<Item = u64>,
    keep: impl Fn(u64) -> bool,
    window: Window,
    limit: usize,
    scope: &str,
) -> Page {
    let most = limit.saturating_add(1);
    let kept = |key: &u64| keep(*key);
    let mut page: Vec<u64> = match window {
        Window::Newest => keys.filter(kept).take(most).collect(),
        Window::Below(border) => keys
            .skip_while(|key| *key >= border)
            .filter(kept)
            .take(most)
            .collect(),
        Window::Above(border) => keys
            .rev()
            .skip_while(|key| *key <= border)
            .filter(kept)
            .take(most)
            .collect(),
    };
    let more = page.len() > limit;
    page.truncate(limit);
    let (older, newer) = match window {
        Window::Newest => (more, false),
        Window::Below(_) => (more, true),
        Window::Above(_) => {
            page.reverse();
            (true, more)
        }
    };
    let next = page
        .last()
        .filter(|_| older)
        .map(|last| write_token(b'n', *last, scope));
    let previous = page
        .first()
        .filter(|_| newer)
        .map(|first| write_token(b'p', *first, scope));
    Page {
        keys: page,
        next,
        previous,
    }
}

/// Reads a token that [`cut`] made for the same scope; `None` for anything else.
pub(crate) fn read_token(token: &str, scope: &str) -> Option<Window> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (direction, rest) = bytes.split_first()?;
    let (key, check) = rest.split_first_chunk::<8>()?;
    let key = u64::from_be_bytes(*key);
    if check != checksum(*direction, key, scope) {
        return None;
    }
    match direction {
        b'n' => Some(Window::Below(key)),
        b'p' => Some(Window::Above(key)),
        _ => None,
    }
}

fn write_token(direction: u8, key: u64, scope: &str) -> String {
    let mut bytes = vec![direction];
    bytes.extend_from_slice(&key.to_be_bytes());
    bytes.extend_from_slice(&checksum(direction, key, scope));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// FNV-1a over direction, key and scope: it catches mix-ups, it is no protection against forgery (a forged
/// token shows nothing that the caller could not read anyway).
fn checksum(direction: u8, key: u64, scope: &str) -> [u8; 4] {
    const OFFSET: u32 = 0x811c_9dc5;
    const PRIME: u32 = 0x0100_0193;
    std::iter::once(direction)
        .chain(key.to_be_bytes())
        .chain(scope.bytes())
        .fold(OFFSET, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(PRIME))
        .to_be_bytes()
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
