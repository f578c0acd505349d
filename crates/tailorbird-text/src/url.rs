//! Links as X finds them: with or without protocol, in running text of any script.
//!
//! The rules are X's published ones. The scanner walks the characters once: a domain name is a chain of
//! labels, found ahead in [`labels`]; what follows it is read by [`tail`]; [`tld`] knows where a
//! top-level domain ends. Time is linear in the text, whatever the text is.

mod labels;
mod tail;
mod tld;

use labels::Labels;

use crate::classes::{forbids_bare_url, is_plain_domain, may_precede_url};

/// The longest link, in characters, its host counted in ASCII form and `https://` added where it has none.
const MAX_URL: usize = 4096;

/// The longest label of a host name in ASCII form (RFC 1035 §2.3.4).
const MAX_LABEL: usize = 63;

/// The longest path of a `t.co` link; a longer one is no link of X's.
const MAX_TCO_SLUG: usize = 40;

/// What X puts in front of a link without protocol when it measures the link's own length.
const DEFAULT_PROTOCOL: usize = "https://".len();

/// A link: characters `start..end` of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UrlSpan {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Finds all links of a text, first to last, without overlaps.
pub(crate) fn find_urls(chars: &[char]) -> Vec<UrlSpan> {
    let mut found = Vec::new();
    if !chars.contains(&'.') {
        return found;
    }
    let labels = Labels::new(chars);
    // A candidate must follow a character that no earlier candidate has used up.
    let mut start = 0;
    while start < chars.len() {
        let before = start.checked_sub(1).and_then(|index| chars.get(index)).copied();
        if before.is_some_and(|c| !may_precede_url(c)) {
            start += 1;
            continue;
        }
        let Some(candidate) = Candidate::read(chars, &labels, start) else {
            start += 1;
            continue;
        };
        candidate.accept(chars, before, &mut found);
        // Even a refused candidate is used up, and so is the character behind it as a neighbour.
        start = candidate.end + 1;
    }
    found
}

/// Something in the shape of a link, of which X may still refuse the whole or take a part.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    start: usize,
    domain: usize,
    domain_end: usize,
    has_path: bool,
    end: usize,
}

impl Candidate {
    fn read(chars: &[char], labels: &Labels, start: usize) -> Option<Self> {
        let domain = start + protocol_length(chars.get(start..)?);
        let domain_end = labels.domain_end(chars, domain)?;
        let after_port = tail::port_end(chars, domain_end);
        let path_end = tail::path_end(chars, after_port);
        let end = tail::query_end(chars, path_end.unwrap_or(after_port));
        Some(Self {
            start,
            domain,
            domain_end,
            has_path: path_end.is_some(),
            end,
        })
    }

    fn has_protocol(self) -> bool {
        self.domain > self.start
    }

    fn accept(self, chars: &[char], before: Option<char>, found: &mut Vec<UrlSpan>) {
        if !self.has_valid_length(chars) {
            return;
        }
        if self.has_protocol() {
            let end = match tco(chars.get(self.start..self.end).unwrap_or_default()) {
                Tco::No => self.end,
                Tco::Until(length) => self.start + length,
                Tco::TooLong => return,
            };
            found.push(UrlSpan {
                start: self.start,
                end,
            });
        } else if !before.is_some_and(forbids_bare_url) {
            self.accept_bare(chars, found);
        }
    }

    /// Without protocol only names in Latin letters count; a run of Japanese text may hold several.
    fn accept_bare(self, chars: &[char], found: &mut Vec<UrlSpan>) {
        let Some(up_to_end) = chars.get(..self.domain_end) else {
            return;
        };
        let mut at = self.start;
        while let Some(start) = position(up_to_end, at, is_plain_domain) {
            match plain_domain_end(up_to_end, start) {
                Ok(end) => {
                    found.push(UrlSpan { start, end });
                    at = end;
                }
                Err(after) => at = after,
            }
        }
        // The path belongs to the last name, if that is where the path begins.
        if let Some(last) = found.last_mut()
            && self.has_path
            && last.end == self.domain_end
        {
            last.end = self.end;
        }
    }

    fn has_valid_length(self, chars: &[char]) -> bool {
        let Some(domain) = chars.get(self.domain..self.domain_end) else {
            return false;
        };
        let mut host = 0;
        for label in domain.split(|&c| c == '.') {
            let Some(length) = ascii_label_length(label) else {
                return false;
            };
            host += length + 1; // the full stop; the one too many is taken off below
        }
        let protocol = if self.has_protocol() { 0 } else { DEFAULT_PROTOCOL };
        protocol + (self.end - self.start - domain.len()) + host.saturating_sub(1) <= MAX_URL
    }
}

/// Length of `http://` or `https://` at the start of `rest`, in any mix of cases; 0 where neither is.
fn protocol_length(rest: &[char]) -> usize {
    for protocol in ["http://", "https://"] {
        let same = |(a, b): (char, &char)| a == b.to_ascii_lowercase();
        if rest.len() >= protocol.len() && protocol.chars().zip(rest).all(same) {
            return protocol.len();
        }
    }
    0
}

/// Length of a label once it is in ASCII; `None` where it has none that a name server would take.
fn ascii_label_length(label: &[char]) -> Option<usize> {
    // Punycode never shortens, so this also bounds the encoder's work.
    if label.is_empty() || label.len() > MAX_LABEL {
        return None;
    }
    if label.iter().all(char::is_ascii) {
        return Some(label.len());
    }
    if matches!(label, ['x' | 'X', 'n' | 'N', '-', '-', ..]) {
        return None; // says that it is encoded, and is not
    }
    let length = idna::punycode::encode(label)?.len() + "xn--".len();
    (length <= MAX_LABEL).then_some(length)
}

/// End of the plain domain name at `start`, or, where there is none, the place to go on looking.
fn plain_domain_end(chars: &[char], start: usize) -> Result<usize, usize> {
    let mut best = None;
    let mut first_end = None;
    let mut at = start;
    loop {
        let end = position(chars, at, |c| !is_plain_domain(c)).unwrap_or(chars.len());
        let first_end = *first_end.get_or_insert(end);
        if end == at || chars.get(end) != Some(&'.') {
            return best.ok_or(first_end);
        }
        at = end + 1;
        best = tld::end(chars, at).or(best);
    }
}

/// How a link relates to X's own shortener, which allows less in a path than others.
enum Tco {
    No,
    /// The link is its first so many characters.
    Until(usize),
    TooLong,
}

fn tco(url: &[char]) -> Tco {
    let host = protocol_length(url);
    let Some(path) = url.get(host..) else {
        return Tco::No;
    };
    let prefix = ['t', '.', 'c', 'o', '/'];
    if path.len() < prefix.len() || !prefix.iter().zip(path).all(|(a, b)| *a == b.to_ascii_lowercase()) {
        return Tco::No;
    }
    let slug = host + prefix.len();
    let slug_end = position(url, slug, |c| !c.is_ascii_alphanumeric()).unwrap_or(url.len());
    match slug_end - slug {
        0 => Tco::No,
        1..=MAX_TCO_SLUG => Tco::Until(tail::query_end(url, slug_end)),
        _ => Tco::TooLong,
    }
}

/// The first place from `from` on whose character fits.
fn position(chars: &[char], from: usize, fits: impl Fn(char) -> bool) -> Option<usize> {
    let found = chars.get(from..)?.iter().position(|&c| fits(c))?;
    Some(from + found)
}
