//! Is this stored post the text that was sent?
//!
//! The question decides whether a delivery in doubt is sent again, so both mistakes cost: a wrong *no*
//! posts twice, a wrong *yes* loses a post. The comparison therefore undoes exactly what X is known to
//! do and is strict about the rest. It finds no links by itself: short links are known from the
//! provider's answer, and undoing them cannot depend on our list of top-level domains being X's.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::html::unescape_html;
use crate::limit::{self, TextTooLarge};
use crate::measure::nfc;
use crate::rewrite::split_protocol;

/// The most short links of one post that are looked at; X's longest post has room for fewer.
const MAX_LINKS: usize = 1024;

/// Brings a text to the form in which texts are compared: form C, one kind of line end, trimmed.
///
/// HTML escapes are not touched, because a text as sent has none of the provider's.
pub fn normalise_for_match(text: &str) -> String {
    let lines: Cow<'_, str> = if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n").into()
    } else {
        text.into()
    };
    nfc(&lines).trim().to_owned()
}

/// Whether `seen`, a text as the provider gives it back, is what became of `sent`.
///
/// `expanded` lists the short links of the stored post with what they stand for, as the provider gives
/// them (`entities.urls`: `url`, `expanded_url`). HTML escapes, short links, normalization, line ends
/// and outer white space are undone, and a link to the post's own picture or video that X appended is
/// passed over; beyond that the texts must be equal.
///
/// # Errors
/// [`TextTooLarge`] where either text is above [`MAX_TEXT_BYTES`](crate::MAX_TEXT_BYTES). Neither `true`
/// nor `false` would be an honest answer.
pub fn same_text(sent: &str, seen: &str, expanded: &[(&str, &str)]) -> Result<bool, TextTooLarge> {
    limit::ensure(sent)?;
    limit::ensure(seen)?;
    let sent = normalise_for_match(sent);
    let seen = normalise_for_match(&unescape_html(seen));
    let mut links: Vec<Link<'_>> = expanded
        .iter()
        .take(MAX_LINKS)
        .filter(|(short, _)| !short.is_empty())
        .map(|(short, long)| Link::new(short, long))
        .collect();
    // Longest first: of two short links, one may be the beginning of the other.
    links.sort_by_key(|link| std::cmp::Reverse(link.short.len()));
    Ok(walk(&sent, &seen, &links))
}

/// Walks both texts side by side; a short link on one side stands for its long form on the other.
fn walk(mut sent: &str, mut seen: &str, links: &[Link<'_>]) -> bool {
    loop {
        if sent.is_empty() && is_appended(seen, links) {
            return true;
        }
        let linked = links.iter().find_map(|link| {
            let after = seen.strip_prefix(link.short)?;
            Some((link.strip_from(sent)?, after))
        });
        if let Some((sent_after, seen_after)) = linked {
            (sent, seen) = (sent_after, seen_after);
            continue;
        }
        let (mut sent_rest, mut seen_rest) = (sent.chars(), seen.chars());
        match (sent_rest.next(), seen_rest.next()) {
            (Some(a), Some(b)) if a == b => (sent, seen) = (sent_rest.as_str(), seen_rest.as_str()),
            _ => return false,
        }
    }
}

/// Nothing, or only the link to the post's own picture or video.
fn is_appended(rest: &str, links: &[Link<'_>]) -> bool {
    let rest = rest.trim_start();
    rest.is_empty() || links.iter().any(|link| link.to_media && link.short == rest)
}

/// A short link and the ways in which a person may have written what it stands for.
struct Link<'a> {
    short: &'a str,
    /// Longest first. The host's length is known because hosts are compared without regard to case.
    written: Vec<Written>,
    to_media: bool,
}

struct Written {
    text: String,
    host: usize,
}

impl<'a> Link<'a> {
    fn new(short: &'a str, long: &str) -> Self {
        let mut written = Vec::new();
        // A person's own short link stays as it is.
        for url in [short, long] {
            let (protocol, rest) = split_protocol(url);
            let cut = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let (host, path) = rest.split_at_checked(cut).unwrap_or((rest, ""));
            let native = idna::domain_to_unicode(host).0;
            let decoded = percent_decode_str(path)
                .decode_utf8()
                .unwrap_or(Cow::Borrowed(path));
            // A bare name is given back with a protocol and sometimes a slash, a foreign script encoded.
            for protocol in [protocol, ""] {
                for host in [host, native.as_str()] {
                    for path in [path, &decoded, path.strip_suffix('/').unwrap_or(path)] {
                        let written_host = format!("{protocol}{host}");
                        written.push(Written {
                            host: written_host.len(),
                            text: nfc(&(written_host + path)).into_owned(),
                        });
                    }
                }
            }
        }
        written.retain(|form| !form.text.is_empty());
        written.sort_by_key(|form| std::cmp::Reverse(form.text.len()));
        Self {
            short,
            written,
            to_media: is_media(long),
        }
    }

    /// What is left of `sent` behind the link, if `sent` begins with it.
    fn strip_from<'s>(&self, sent: &'s str) -> Option<&'s str> {
        self.written.iter().find_map(|form| {
            let (head, after) = sent.split_at_checked(form.text.len())?;
            let (host, path) = head.split_at_checked(form.host)?;
            let (written_host, written_path) = form.text.split_at_checked(form.host)?;
            (host.eq_ignore_ascii_case(written_host) && path == written_path).then_some(after)
        })
    }
}

/// Whether a link leads to the picture or video of a post: `…/status/<digits>/photo/1`.
fn is_media(url: &str) -> bool {
    let (_, rest) = split_protocol(url);
    let mut parts = rest.split('/').rev();
    let is_number = |part: Option<&str>| {
        part.is_some_and(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let numbered = is_number(parts.next());
    let kind = matches!(parts.next(), Some("photo" | "video"));
    let post = is_number(parts.next());
    numbered && kind && post && parts.next() == Some("status")
}
