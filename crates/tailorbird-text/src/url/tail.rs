//! What follows a domain name in a link: port, path, query. Each function gives the place behind its part.

use crate::classes::{is_path, is_path_end, is_query, is_query_end};

/// How deep round brackets may nest inside a path, as in `/Album_(Version_(Edited))`.
const MAX_BRACKET_DEPTH: usize = 2;

/// Behind `:` and digits; `at` itself where there is no port.
pub(super) fn port_end(chars: &[char], at: usize) -> usize {
    if chars.get(at) != Some(&':') {
        return at;
    }
    let end = run_end(chars, at + 1, |c| c.is_ascii_digit());
    if end == at + 1 { at } else { end }
}

/// Behind the path that begins with the `/` at `at`; `None` where there is none.
///
/// The path ends at its last character that a path may end with, or at its last balanced bracket.
pub(super) fn path_end(chars: &[char], at: usize) -> Option<usize> {
    if chars.get(at) != Some(&'/') {
        return None;
    }
    let mut good = at + 1;
    let mut index = at + 1;
    while let Some(&c) = chars.get(index) {
        if c == '(' {
            let Some(end) = brackets_end(chars, index, MAX_BRACKET_DEPTH) else {
                break;
            };
            index = end;
            good = end;
        } else if is_path(c) {
            index += 1;
            if is_path_end(c) {
                good = index;
            }
        } else {
            break;
        }
    }
    Some(good)
}

/// Behind the bracket that closes the one at `at`; `None` where it does not balance, or holds nothing.
fn brackets_end(chars: &[char], at: usize, depth: usize) -> Option<usize> {
    let inside = at + 1;
    let mut index = run_end(chars, inside, is_path);
    if depth > 1 && chars.get(index) == Some(&'(') {
        index = brackets_end(chars, index, depth - 1)?;
        index = run_end(chars, index, is_path);
    }
    (index > inside && chars.get(index) == Some(&')')).then_some(index + 1)
}

/// Behind the query that begins with the `?` at `at`; `at` itself where there is none.
pub(super) fn query_end(chars: &[char], at: usize) -> usize {
    if chars.get(at) != Some(&'?') {
        return at;
    }
    let run = run_end(chars, at + 1, is_query);
    let query = chars.get(at + 1..run).unwrap_or_default();
    query
        .iter()
        .rposition(|&c| is_query_end(c))
        .map_or(at, |last| at + 1 + last + 1)
}

/// The first place from `from` on whose character is not of the class.
fn run_end(chars: &[char], from: usize, class: impl Fn(char) -> bool) -> usize {
    let rest = chars.get(from..).unwrap_or_default();
    from + rest.iter().position(|&c| !class(c)).unwrap_or(rest.len())
}
