//! Paths with placeholders: `/2/users/{id}/tweets`.

use std::collections::BTreeMap;

use tailorbird_model::{Failure, Meaning, codes};
use tailorbird_oauth::percent_encode;

/// The names of a path's placeholders, in their order.
pub(super) fn placeholders(path: &str) -> Vec<&str> {
    pieces(path)
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Placeholder(name) => Some(name),
            Piece::Text(_) => None,
        })
        .collect()
}

enum Piece<'a> {
    Text(&'a str),
    Placeholder(&'a str),
}

/// A brace without its partner is text, as it stands.
fn pieces(path: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, behind)) = after.split_once('}') else {
            break;
        };
        pieces.push(Piece::Text(before));
        pieces.push(Piece::Placeholder(name));
        rest = behind;
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// Fills the placeholders; each value becomes one segment and can never become two.
pub(super) fn fill(path: &str, values: &BTreeMap<String, String>) -> Result<String, Failure> {
    let mut filled = String::with_capacity(path.len() + 32);
    for piece in pieces(path) {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Placeholder(name) => {
                let value = values.get(name).ok_or_else(|| {
                    Failure::new(
                        codes::PARAMETER,
                        Meaning::Rejected,
                        format!("path needs a value for {name:?}"),
                    )
                    .detail(format!("The path is {path}."))
                })?;
                filled.push_str(&segment(name, value)?);
            }
        }
    }
    Ok(filled)
}

fn segment(name: &str, value: &str) -> Result<String, Failure> {
    let refuse = |why: &str| {
        Err(Failure::new(
            codes::PARAMETER,
            Meaning::Rejected,
            format!("{name:?} cannot stand in the path: {why}"),
        )
        .hint("Give the identifier alone."))
    };
    if value.is_empty() {
        return refuse("it is empty");
    }
    // Encoded dots count as dots for every client library, so these two cannot be sent at all.
    if value == "." || value == ".." {
        return refuse("\".\" and \"..\" mean another place");
    }
    if value.chars().any(char::is_control) {
        return refuse("it holds a line break or another control character");
    }
    Ok(percent_encode(value))
}
