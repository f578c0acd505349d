//! What X makes of a text on its way in, so that a sandbox can do the same.
//!
//! A client that looks its own post up again meets none of the bytes it sent: links are short ones,
//! `&` is `&amp;`, white space at the ends is gone. A rehearsal that kept the text as sent would find
//! every post and prove nothing.

use crate::entities::{self, Cashtag, Hashtag, Mention};
use crate::html::push_escaped;
use crate::limit::{self, TextTooLarge};
use crate::measure::nfc;

/// How many characters of a link's path X shows before it writes an ellipsis.
const DISPLAYED_PATH: usize = 15;

/// A text as X stores it. Places are counted in characters of [`text`](Self::text), escapes included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// Form C, trimmed, `&`, `<` and `>` escaped, each link a short one.
    pub text: String,
    /// The links that were shortened.
    pub urls: Vec<RewrittenUrl>,
    /// Mentions of users and lists.
    pub mentions: Vec<Mention>,
    /// Hashtags.
    pub hashtags: Vec<Hashtag>,
    /// Ticker symbols.
    pub cashtags: Vec<Cashtag>,
}

/// A link that was shortened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RewrittenUrl {
    /// First character of the short link.
    pub start: usize,
    /// Behind its last character.
    pub end: usize,
    /// The short link, as the caller made it.
    pub url: String,
    /// The link as sent, with `http://` in front if it had no protocol.
    pub expanded: String,
    /// What a reader sees: [`display_url`] of the link.
    pub display: String,
}

/// Rewrites a text as X does before it stores it. `shorten` is given each link as it is to be expanded,
/// in order, and answers with the short link (on X 23 characters, `https://t.co/…`).
///
/// # Errors
/// [`TextTooLarge`] above [`MAX_TEXT_BYTES`](crate::MAX_TEXT_BYTES); `shorten` was not called then.
pub fn rewrite_as_x(text: &str, mut shorten: impl FnMut(&str) -> String) -> Result<Rewritten, TextTooLarge> {
    limit::ensure(text)?;
    let normal = nfc(text);
    let chars: Vec<char> = normal.trim().chars().collect();
    let mut found = entities::entities_of(&chars);

    let mut out = String::with_capacity(normal.len());
    let mut length = 0;
    // Where each character of the text as sent begins in the text as stored.
    let mut moved = Vec::with_capacity(chars.len() + 1);
    let mut urls = Vec::with_capacity(found.urls.len());
    let mut links = found.urls.drain(..).peekable();
    let mut rest = chars.iter().enumerate();
    while let Some((at, &c)) = rest.next() {
        moved.push(length);
        let Some(link) = links.next_if(|link| link.start == at) else {
            length += push_escaped(&mut out, c);
            continue;
        };
        let expanded = with_protocol(&link.url);
        let url = shorten(&expanded);
        let start = length;
        length += url.chars().map(|c| push_escaped(&mut out, c)).sum::<usize>();
        for _ in link.start + 1..link.end {
            moved.push(length);
            rest.next();
        }
        let display = display_url(&link.url);
        urls.push(RewrittenUrl {
            start,
            end: length,
            url,
            expanded,
            display,
        });
    }
    moved.push(length);
    drop(links);

    let place = |at: usize| moved.get(at).copied().unwrap_or(length);
    let mut mentions = found.mentions;
    for mention in &mut mentions {
        (mention.start, mention.end) = (place(mention.start), place(mention.end));
    }
    let mut hashtags = found.hashtags;
    for hashtag in &mut hashtags {
        (hashtag.start, hashtag.end) = (place(hashtag.start), place(hashtag.end));
    }
    let mut cashtags = found.cashtags;
    for cashtag in &mut cashtags {
        (cashtag.start, cashtag.end) = (place(cashtag.start), place(cashtag.end));
    }
    Ok(Rewritten {
        text: out,
        urls,
        mentions,
        hashtags,
        cashtags,
    })
}

/// A link as X shows it: no protocol, no `www.`, and an ellipsis after 15 characters of path.
pub fn display_url(url: &str) -> String {
    let (_, bare) = split_protocol(url);
    let bare = bare
        .get(..4)
        .filter(|www| www.eq_ignore_ascii_case("www."))
        .map_or(bare, |www| bare.get(www.len()..).unwrap_or(bare));
    let host = bare.find(['/', '?', '#']).unwrap_or(bare.len());
    let (host, path) = bare.split_at_checked(host).unwrap_or((bare, ""));
    match path.char_indices().nth(DISPLAYED_PATH) {
        Some((cut, _)) => format!("{host}{}…", path.get(..cut).unwrap_or_default()),
        None if path == "/" => host.to_owned(),
        None => bare.to_owned(),
    }
}

/// Splits `http://` or `https://` off, in any mix of cases; the first part is empty where there is none.
pub(crate) fn split_protocol(url: &str) -> (&str, &str) {
    for protocol in ["http://", "https://"] {
        if let Some((head, tail)) = url.split_at_checked(protocol.len())
            && head.eq_ignore_ascii_case(protocol)
        {
            return (head, tail);
        }
    }
    ("", url)
}

fn with_protocol(url: &str) -> String {
    if split_protocol(url).0.is_empty() {
        format!("http://{url}")
    } else {
        url.to_owned()
    }
}
