#![doc = include_str!("../README.md")]

mod classes;
mod compare;
mod emoji;
mod entities;
mod html;
mod length;
mod limit;
mod measure;
mod rewrite;
mod rules;
mod tags;
mod url;

pub use compare::{normalise_for_match, same_text};
pub use entities::{
    Cashtag, Entities, Hashtag, Mention, Url, extract_cashtags, extract_entities, extract_hashtags,
    extract_mentions, extract_urls,
};
pub use html::{escape_html, unescape_html};
pub use length::{LengthError, LengthRule};
pub use limit::{MAX_TEXT_BYTES, TextTooLarge};
pub use measure::{Measure, measure};
pub use rewrite::{Rewritten, RewrittenUrl, display_url, rewrite_as_x};
pub use rules::{WeightRange, WeightedRules};
