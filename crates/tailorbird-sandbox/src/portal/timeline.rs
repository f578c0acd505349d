//! The posts as they appeared.

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::page::{Chrome, show as show_page};
use super::view::{Badge, When, grouped, initial, plural, tint};
use super::visit::Visit;
use crate::Shared;
use crate::state::{Post, PublicMetrics, State as World, UrlEntity};

/// Posts on a page.
const PAGE: usize = 30;

struct Metric {
    icon: &'static str,
    word: &'static str,
    count: String,
}

/// A piece of a text: plain, or marked as link, name or topic.
#[derive(Debug, PartialEq, Eq)]
struct Piece {
    text: String,
    /// The full address of a shortened link; empty for what is no link.
    target: String,
    marked: bool,
}

struct Shown {
    id: u64,
    name: String,
    username: String,
    initial: char,
    tint: u32,
    at: When,
    deleted: bool,
    reply_to: String,
    pieces: Vec<Piece>,
    metrics: Vec<Metric>,
    source: String,
    media: String,
    /// The text in the store, where it differs from what was sent.
    stored: Option<String>,
    sent: String,
}

struct View {
    href: &'static str,
    word: &'static str,
    chosen: bool,
    count: String,
}

#[derive(Template)]
#[template(path = "timeline.html")]
struct TimelinePage {
    chrome: Chrome,
    lead: &'static str,
    views: [View; 3],
    posts: Vec<Shown>,
    deleted: Badge,
    shown: String,
    newest: Option<String>,
    older: Option<String>,
}

/// The query of the timeline.
#[derive(Debug, Default, Deserialize)]
pub(super) struct TimelineQuery {
    #[serde(default)]
    view: String,
    #[serde(default)]
    before: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Apps,
    Mentions,
    All,
}

impl Which {
    const fn name(self) -> &'static str {
        match self {
            Self::Apps => "apps",
            Self::Mentions => "mentions",
            Self::All => "all",
        }
    }

    /// The posts of this view, newest first.
    fn posts<'s>(self, state: &'s World, main: Option<u64>) -> Box<dyn Iterator<Item = &'s Post> + 's> {
        match self {
            Self::Apps => Box::new(
                state
                    .posts
                    .values()
                    .rev()
                    .filter(|post| post.application.is_some()),
            ),
            Self::Mentions => Box::new(main.into_iter().flat_map(|main| state.mentions_of(main))),
            Self::All => Box::new(
                state
                    .posts
                    .values()
                    .rev()
                    .filter(|post| post.deleted_at.is_none()),
            ),
        }
    }
}

/// `GET /timeline`.
pub(super) async fn show(
    State(shared): State<Shared>,
    Extension(visit): Extension<Visit>,
    Query(query): Query<TimelineQuery>,
) -> Response {
    let which = match query.view.as_str() {
        "mentions" => Which::Mentions,
        "all" => Which::All,
        _ => Which::Apps,
    };
    let before = query.before.parse::<u64>().ok();
    let now = shared.clock.now();
    let page = shared.store.read(|state| {
        let main = state.main_account().map(|account| account.id);
        let count = |which: Which| which.posts(state, main).count();
        let mut found = which.posts(state, main).filter(|post| before.is_none_or(|before| post.id < before));
        let posts: Vec<Shown> = found.by_ref().take(PAGE).map(|post| shown(state, post, now)).collect();
        let more = found.next().is_some();
        let older = posts
            .last()
            .filter(|_| more)
            .map(|last| format!("/timeline?view={}&before={}", which.name(), last.id));
        TimelinePage {
            chrome: visit.chrome("Timeline", "timeline"),
            lead: match which {
                Which::Apps => "What apps posted, as readers see it. What was rewritten on the way in can be unfolded. Deleted posts stay, marked.",
                Which::Mentions => "Posts that mention the demo account: what a task that collects mentions will find.",
                Which::All => "Every post of every account, sample accounts included.",
            },
            views: [
                View { href: "/timeline", word: "By apps", chosen: which == Which::Apps, count: number(count(Which::Apps)) },
                View {
                    href: "/timeline?view=mentions",
                    word: "Mentions",
                    chosen: which == Which::Mentions,
                    count: number(count(Which::Mentions)),
                },
                View { href: "/timeline?view=all", word: "All posts", chosen: which == Which::All, count: number(count(Which::All)) },
            ],
            deleted: Badge::new("bad", "✕", "deleted"),
            shown: plural(u64::try_from(posts.len()).unwrap_or(0), "post on this page", "posts on this page"),
            newest: before.map(|_| format!("/timeline?view={}", which.name())),
            posts,
            older,
        }
    });
    show_page(&page)
}

fn number(count: usize) -> String {
    grouped(u64::try_from(count).unwrap_or(u64::MAX))
}

fn shown(state: &World, post: &Post, now: jiff::Timestamp) -> Shown {
    let author = state.accounts.get(&post.author);
    let name = author.map_or_else(|| "unknown account".to_owned(), |account| account.name.clone());
    let username = author.map(|account| account.username.clone()).unwrap_or_default();
    let reply_to = post.reply_to.map(|id| {
        state
            .posts
            .get(&id)
            .and_then(|answered| state.accounts.get(&answered.author))
            .map_or_else(
                || format!("post {id}"),
                |account| format!("@{}", account.username),
            )
    });
    Shown {
        id: post.id,
        initial: initial(&name),
        tint: tint(&username),
        name,
        username,
        at: When::new(post.created_at, now),
        deleted: post.deleted_at.is_some(),
        reply_to: reply_to.unwrap_or_default(),
        pieces: pieces(&post.text, &post.urls),
        metrics: metrics(state.metrics(post, now)),
        source: if post.application.is_some() {
            post.source.clone()
        } else {
            String::new()
        },
        media: match post.media.len() {
            0 => String::new(),
            count => plural(u64::try_from(count).unwrap_or(0), "attachment", "attachments"),
        },
        stored: (post.text != post.original_text).then(|| post.text.clone()),
        sent: post.original_text.clone(),
    }
}

fn metrics(metrics: PublicMetrics) -> Vec<Metric> {
    [
        ("reply", "replies", metrics.reply_count),
        ("repost", "reposts", metrics.retweet_count),
        ("quote", "quotes", metrics.quote_count),
        ("like", "likes", metrics.like_count),
        ("bookmark", "bookmarks", metrics.bookmark_count),
        ("seen", "times seen", metrics.impression_count),
    ]
    .into_iter()
    .map(|(icon, word, count)| Metric {
        icon,
        word,
        count: grouped(count),
    })
    .collect()
}

/// The stored text as a person reads it: entities resolved, short links as they are displayed, names and
/// topics marked. The positions of `urls` count code points of the stored text.
fn pieces(stored: &str, urls: &[UrlEntity]) -> Vec<Piece> {
    let letters: Vec<char> = stored.chars().collect();
    let mut out = Vec::new();
    let mut at = 0;
    for url in urls {
        if let (Some(plain), true) = (letters.get(at..url.start), url.end <= letters.len()) {
            mark_words(&resolved(&plain.iter().collect::<String>()), &mut out);
            out.push(Piece {
                text: url.display_url.clone(),
                target: url.expanded_url.clone(),
                marked: true,
            });
            at = url.end;
        }
    }
    if let Some(rest) = letters.get(at..) {
        mark_words(&resolved(&rest.iter().collect::<String>()), &mut out);
    }
    out
}

fn resolved(text: &str) -> String {
    // `&amp;` last, so that an escaped entity stays what it was.
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// Splits plain text into pieces, so that `@name` and `#topic` can be coloured.
fn mark_words(text: &str, out: &mut Vec<Piece>) {
    let mut piece = String::new();
    let mut marked = false;
    let mut previous = ' ';
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let word = letter.is_alphanumeric() || letter == '_';
        let begins = matches!(letter, '@' | '#')
            && !previous.is_alphanumeric()
            && letters
                .peek()
                .is_some_and(|next| next.is_alphanumeric() || *next == '_');
        if (begins || (marked && !word)) && !piece.is_empty() {
            out.push(Piece {
                text: std::mem::take(&mut piece),
                target: String::new(),
                marked,
            });
        }
        if begins {
            marked = true;
        } else if !word {
            marked = false;
        }
        piece.push(letter);
        previous = letter;
    }
    if !piece.is_empty() {
        out.push(Piece {
            text: piece,
            target: String::new(),
            marked,
        });
    }
}

#[cfg(test)]
#[path = "timeline_tests.rs"]
mod tests;
