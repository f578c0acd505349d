//! Links, mentions, hashtags and cashtags of a text, each with its place.
//!
//! Places are counted in characters (Unicode scalar values) of the text as given, as X's API v2 does.

use crate::limit::{self, TextTooLarge};
use crate::tags::{self, TagSpan};
use crate::url::{self, UrlSpan};

/// A link in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// First character.
    pub start: usize,
    /// Behind the last character.
    pub end: usize,
    /// The link as written; without protocol if it was written so.
    pub url: String,
}

/// `@name` or `@name/list`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The at sign.
    pub start: usize,
    /// Behind the last character, the list included.
    pub end: usize,
    /// The name without its at sign.
    pub username: String,
    /// The list with its slash (`/list`), where one is named.
    pub list: Option<String>,
}

/// `#tag`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hashtag {
    /// The hash sign.
    pub start: usize,
    /// Behind the last character.
    pub end: usize,
    /// The tag without its hash sign.
    pub tag: String,
}

/// `$SYMBOL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cashtag {
    /// The dollar sign.
    pub start: usize,
    /// Behind the last character.
    pub end: usize,
    /// The symbol without its dollar sign.
    pub tag: String,
}

/// Everything in a text that X links; no two overlap, each list is in order of appearance.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entities {
    /// Links.
    pub urls: Vec<Url>,
    /// Mentions of users and lists.
    pub mentions: Vec<Mention>,
    /// Hashtags.
    pub hashtags: Vec<Hashtag>,
    /// Ticker symbols.
    pub cashtags: Vec<Cashtag>,
}

/// Finds the links of a text.
///
/// # Errors
/// [`TextTooLarge`] above [`MAX_TEXT_BYTES`](crate::MAX_TEXT_BYTES).
pub fn extract_urls(text: &str) -> Result<Vec<Url>, TextTooLarge> {
    let chars = characters(text)?;
    Ok(url::find_urls(&chars)
        .into_iter()
        .map(|span| Url::new(&chars, span))
        .collect())
}

/// Finds the mentions of a text, those inside links included (X's rule for mentions alone).
///
/// # Errors
/// [`TextTooLarge`] above [`MAX_TEXT_BYTES`](crate::MAX_TEXT_BYTES).
pub fn extract_mentions(text: &str) -> Result<Vec<Mention>, TextTooLarge> {
    let chars = characters(text)?;
    Ok(tags::find_mentions(&chars)
        .into_iter()
        .map(|span| Mention::new(&chars, span))
        .collect())
}

/// Finds the hashtags of a text; a `#fragment` of a link is none.
///
/// # Errors
/// [`TextTooLarge`] above [`MAX_TEXT_BYTES`](crate::MAX_TEXT_BYTES).
pub fn extract_hashtags(text: &str) -> Result<Vec<Hashtag>, TextTooLarge> {
    let chars = characters(text)?;
    let urls = url::find_urls(&chars);
    let spans = tags::find_hashtags(&chars)
        .into_iter()
        .filter(|span| !is_taken(*span, &urls));
    Ok(spans.map(|span| Hashtag::new(&chars, span)).collect())
}

/// Finds the ticker symbols of a text.
///
/// # Errors
/// [`TextTooLarge`] above [`MAX_TEXT_BYTES`](crate::MAX_TEXT_BYTES).
pub fn extract_cashtags(text: &str) -> Result<Vec<Cashtag>, TextTooLarge> {
    let chars = characters(text)?;
    Ok(tags::find_cashtags(&chars)
        .into_iter()
        .map(|span| Cashtag::new(&chars, span))
        .collect())
}

/// Finds everything that X links in a text. Where two overlap, a link wins.
///
/// # Errors
/// [`TextTooLarge`] above [`MAX_TEXT_BYTES`](crate::MAX_TEXT_BYTES).
pub fn extract_entities(text: &str) -> Result<Entities, TextTooLarge> {
    Ok(entities_of(&characters(text)?))
}

/// [`extract_entities`] for a text that is already split and known to be small enough.
pub(crate) fn entities_of(chars: &[char]) -> Entities {
    let urls = url::find_urls(chars);
    let free = |spans: Vec<TagSpan>| spans.into_iter().filter(|span| !overlaps(*span, &urls));
    Entities {
        mentions: free(tags::find_mentions(chars))
            .map(|span| Mention::new(chars, span))
            .collect(),
        hashtags: free(tags::find_hashtags(chars))
            .map(|span| Hashtag::new(chars, span))
            .collect(),
        cashtags: free(tags::find_cashtags(chars))
            .map(|span| Cashtag::new(chars, span))
            .collect(),
        urls: urls.iter().map(|span| Url::new(chars, *span)).collect(),
    }
}

fn characters(text: &str) -> Result<Vec<char>, TextTooLarge> {
    limit::ensure(text)?;
    Ok(text.chars().collect())
}

/// Whether a link that began earlier reaches into the tag: of two that overlap, X keeps the earlier one.
fn is_taken(tag: TagSpan, urls: &[UrlSpan]) -> bool {
    let next = urls.partition_point(|url| url.end <= tag.start);
    urls.get(next).is_some_and(|url| url.start < tag.start)
}

fn overlaps(tag: TagSpan, urls: &[UrlSpan]) -> bool {
    let next = urls.partition_point(|url| url.end <= tag.start);
    urls.get(next).is_some_and(|url| url.start < tag.end)
}

fn collect(chars: &[char], start: usize, end: usize) -> String {
    chars.get(start..end).unwrap_or_default().iter().collect()
}

impl Url {
    fn new(chars: &[char], span: UrlSpan) -> Self {
        Self {
            start: span.start,
            end: span.end,
            url: collect(chars, span.start, span.end),
        }
    }
}

impl Mention {
    fn new(chars: &[char], span: TagSpan) -> Self {
        let list = (span.split < span.end).then(|| collect(chars, span.split, span.end));
        Self {
            start: span.start,
            end: span.end,
            username: collect(chars, span.start + 1, span.split),
            list,
        }
    }
}

impl Hashtag {
    fn new(chars: &[char], span: TagSpan) -> Self {
        Self {
            start: span.start,
            end: span.end,
            tag: collect(chars, span.start + 1, span.end),
        }
    }
}

impl Cashtag {
    fn new(chars: &[char], span: TagSpan) -> Self {
        Self {
            start: span.start,
            end: span.end,
            tag: collect(chars, span.start + 1, span.end),
        }
    }
}
