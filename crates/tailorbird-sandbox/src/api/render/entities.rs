//! The links, names and tags inside a text, with their places counted in code points.

use crate::api::links;
use crate::state::{Account, Post, State};
use serde_json::{Map, Value, json};
use tailorbird_text::Rewritten;

/// The names and tags of a post, found again in the text as it was sent: in the stored one, `&amp;` and
/// short links could be taken for something they are not. Links of equal length stand at equal places.
pub(crate) fn found(post: &Post) -> Option<Rewritten> {
    links::rewrite(&post.original_text, post.id).ok()
}

/// The accounts named in a post, with the places of their names.
pub(crate) fn named<'s>(state: &'s State, found: &Rewritten) -> Vec<(usize, usize, &'s Account)> {
    let account = |name: &str| state.account_named(name);
    found
        .mentions
        .iter()
        .filter_map(|at| Some((at.start, at.end, account(&at.username)?)))
        .collect()
}

/// The `entities` of a post; `None` where it has none.
pub(crate) fn entities(state: &State, post: &Post) -> Option<Value> {
    let found = found(post)?;
    let urls: Vec<Value> = post
        .urls
        .iter()
        .map(|url| {
            json!({
                "start": url.start, "end": url.end, "url": url.url,
                "expanded_url": url.expanded_url, "display_url": url.display_url,
            })
        })
        .collect();
    let mentions: Vec<Value> = named(state, &found)
        .into_iter()
        .map(|(start, end, account)| {
            json!({ "start": start, "end": end, "username": account.username, "id": account.id.to_string() })
        })
        .collect();
    let tag = |start: usize, end: usize, tag: &str| json!({ "start": start, "end": end, "tag": tag });
    let hashtags = found
        .hashtags
        .iter()
        .map(|one| tag(one.start, one.end, &one.tag))
        .collect();
    let cashtags = found
        .cashtags
        .iter()
        .map(|one| tag(one.start, one.end, &one.tag))
        .collect();
    let mut body = Map::new();
    for (name, items) in [
        ("urls", urls),
        ("mentions", mentions),
        ("hashtags", hashtags),
        ("cashtags", cashtags),
    ] {
        if !items.is_empty() {
            body.insert(name.to_owned(), Value::Array(items));
        }
    }
    if body.is_empty() {
        None
    } else {
        Some(Value::Object(body))
    }
}
