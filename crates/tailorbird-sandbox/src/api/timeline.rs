//! Which posts a timeline holds, the same for both API versions.

use super::page::{self, Page, Window};
use super::params::Params;
use super::render::may_see;
use super::search::Subject;
use crate::state::{Post, State};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// How far back the posts of one account can be read, as at X.
pub(crate) const OWN_REACH: usize = 3_200;

/// How far back mentions and home timelines can be read, as at X.
pub(crate) const OTHER_REACH: usize = 800;

/// Bounds and exclusions of one request. Ids and end of time are exclusive, the start of time is inclusive.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Filter {
    /// Only posts with greater ids.
    pub(crate) since_id: Option<u64>,
    /// Only posts with smaller ids.
    pub(crate) until_id: Option<u64>,
    /// Only posts from this moment on.
    pub(crate) start: Option<Timestamp>,
    /// Only posts before this moment.
    pub(crate) end: Option<Timestamp>,
    /// Leave replies out.
    pub(crate) no_replies: bool,
    /// Leave reposts out.
    pub(crate) no_reposts: bool,
}

impl Filter {
    /// Reads `since_id`, `until_id`, `start_time` and `end_time` of v2.
    pub(crate) fn read(params: &mut Params) -> Self {
        Self {
            since_id: params.id("since_id"),
            until_id: params.id("until_id"),
            start: params.time("start_time"),
            end: params.time("end_time"),
            ..Self::default()
        }
    }

    /// Whether the post is within the bounds.
    pub(crate) fn lets_through(&self, post: &Post) -> bool {
        self.since_id.is_none_or(|id| post.id > id)
            && self.until_id.is_none_or(|id| post.id < id)
            && self.start.is_none_or(|at| post.created_at >= at)
            && self.end.is_none_or(|at| post.created_at < at)
            && !(self.no_replies && post.reply_to.is_some())
            && !(self.no_reposts && post.repost_of.is_some())
    }
}

/// Whose posts a timeline gathers.
#[derive(Debug)]
pub(crate) enum Source {
    /// One author's.
    Author(u64),
    /// Those that mention an account.
    Mentions(u64),
    /// Those of several authors: a home timeline, a list.
    Authors(BTreeSet<u64>),
    /// Those that repeat or quote a post.
    Quotes(u64),
}

/// Where to begin and how much to give.
#[derive(Debug)]
pub(crate) struct Cut<'a> {
    /// Where the page begins.
    pub(crate) window: Window,
    /// Most entries, at least 1.
    pub(crate) limit: usize,
    /// The list's name, to which tokens are bound.
    pub(crate) scope: &'a str,
}

/// One page of the posts of `source` that `viewer` may see and `filter` lets through.
pub(crate) fn page(state: &State, viewer: u64, source: &Source, filter: &Filter, cut: &Cut<'_>) -> Page {
    let keep = |id: u64| {
        state
            .post(id)
            .is_some_and(|post| filter.lets_through(post) && may_see(state, viewer, post.author))
    };
    let of_index = |ids: Option<&BTreeSet<u64>>, reach: usize| {
        let floor = ids
            .and_then(|ids| ids.iter().rev().nth(reach.saturating_sub(1)))
            .copied()
            .unwrap_or(0);
        let keys = ids.into_iter().flat_map(|ids| ids.iter().rev().copied());
        page::cut(
            keys,
            |id| id >= floor && keep(id),
            cut.window,
            cut.limit,
            cut.scope,
        )
    };
    let all = || state.posts.keys().rev().copied();
    match source {
        Source::Author(author) => of_index(state.posts_by_author.get(author), OWN_REACH),
        Source::Mentions(account) => of_index(state.posts_mentioning.get(account), OTHER_REACH),
        Source::Authors(authors) => {
            let of_them = |id: u64| state.post(id).is_some_and(|post| authors.contains(&post.author));
            page::cut(
                all(),
                |id| of_them(id) && keep(id),
                cut.window,
                cut.limit,
                cut.scope,
            )
        }
        Source::Quotes(original) => {
            let quotes = |id: u64| {
                state
                    .post(id)
                    .is_some_and(|post| post.quote_of == Some(*original))
            };
            page::cut(
                all(),
                |id| quotes(id) && keep(id),
                cut.window,
                cut.limit,
                cut.scope,
            )
        }
    }
}

/// The accounts whose posts make up the home timeline of `account`: those it follows, and itself.
pub(crate) fn home(state: &State, account: u64) -> Source {
    let followed = state
        .accounts
        .get(&account)
        .map(|account| account.following.as_slice())
        .unwrap_or_default();
    Source::Authors(followed.iter().copied().chain([account]).collect())
}

/// What a search can ask about a post.
pub(crate) fn subject(state: &State, post: &Post) -> Subject {
    let person = |id: u64| {
        state
            .accounts
            .get(&id)
            .map(|account| (account.username.to_lowercase(), account.id))
            .unwrap_or_default()
    };
    let replied = post.reply_to.and_then(|id| state.posts.get(&id));
    Subject {
        mentions: post.mentions.iter().map(|id| person(*id).0).collect(),
        links: post.urls.iter().map(|url| url.expanded_url.clone()).collect(),
        author: person(post.author),
        replies_to: replied.map(|other| person(other.author)),
        reply_to: post.reply_to,
        quote_of: post.quote_of,
        is_repost: post.repost_of.is_some(),
        conversation: post.conversation,
        language: super::render::language(&post.original_text).to_owned(),
        has_media: !post.media.is_empty(),
        verified: state
            .accounts
            .get(&post.author)
            .is_some_and(|account| account.verified),
        ..Subject::of_text(&post.original_text)
    }
}
