//! Questions that handlers ask the state.

use jiff::Timestamp;

use super::{AccessToken, Account, Application, Post, PublicMetrics, State};
use crate::settings::{DUPLICATE_WINDOW_S, MAIN_ACCOUNT};

/// The first millisecond of X's id scheme (2010-11-04), in Unix time.
const ID_EPOCH_MS: i64 = 1_288_834_974_657;
/// Bits of an id below the milliseconds.
const ID_SHIFT: u32 = 22;

/// The smallest id that something made at `at` can have.
pub(crate) fn id_at(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond().saturating_sub(ID_EPOCH_MS)).unwrap_or(0) << ID_SHIFT
}

impl State {
    /// An id for something made at `now`: greater than every id before it.
    pub(crate) fn next_id(&self, now: Timestamp) -> u64 {
        id_at(now).max(self.last_id.saturating_add(1))
    }

    /// The account one signs in with.
    pub(crate) fn main_account(&self) -> Option<&Account> {
        self.account_named(MAIN_ACCOUNT)
    }

    /// The account with this username, in any case, with or without `@`.
    pub(crate) fn account_named(&self, username: &str) -> Option<&Account> {
        let name = username.strip_prefix('@').unwrap_or(username).to_lowercase();
        self.accounts.get(self.account_by_username.get(&name)?)
    }

    /// The application with this present client key.
    pub(crate) fn application_with_key(&self, client_key: &str) -> Option<&Application> {
        self.applications.get(self.application_by_key.get(client_key)?)
    }

    /// The post with this id, unless deleted.
    pub(crate) fn post(&self, id: u64) -> Option<&Post> {
        self.posts.get(&id).filter(|post| post.deleted_at.is_none())
    }

    /// Undeleted posts of an author, newest first.
    pub(crate) fn posts_of(&self, author: u64) -> impl Iterator<Item = &Post> {
        self.newest_first(self.posts_by_author.get(&author))
    }

    /// Undeleted posts that mention an account, newest first.
    pub(crate) fn mentions_of(&self, account: u64) -> impl Iterator<Item = &Post> {
        self.newest_first(self.posts_mentioning.get(&account))
    }

    fn newest_first(&self, ids: Option<&std::collections::BTreeSet<u64>>) -> impl Iterator<Item = &Post> {
        ids.into_iter()
            .flat_map(|ids| ids.iter().rev())
            .filter_map(|id| self.post(*id))
    }

    /// The undeleted post by the same author with the same sent text within the duplicate window, if the rule
    /// is on.
    pub(crate) fn duplicate_of(&self, author: u64, original_text: &str, now: Timestamp) -> Option<u64> {
        if self.duplicates_allowed {
            return None;
        }
        let id = *self.recent_texts.get(&author)?.get(original_text)?;
        let age = now
            .as_second()
            .saturating_sub(self.posts.get(&id)?.created_at.as_second());
        (age < DUPLICATE_WINDOW_S).then_some(id)
    }

    /// The public metrics of a post: its imagined audience plus what callers really did.
    pub(crate) fn metrics(&self, post: &Post, now: Timestamp) -> PublicMetrics {
        let mut metrics = post.imagined_metrics(now);
        let replies = self
            .replies
            .get(&post.id)
            .map_or(0, std::collections::BTreeSet::len);
        metrics.reply_count = metrics
            .reply_count
            .saturating_add(u64::try_from(replies).unwrap_or(u64::MAX));
        metrics.like_count = metrics
            .like_count
            .saturating_add(self.like_counts.get(&post.id).copied().unwrap_or(0));
        metrics.retweet_count = metrics
            .retweet_count
            .saturating_add(self.repost_counts.get(&post.id).copied().unwrap_or(0));
        metrics.quote_count = metrics
            .quote_count
            .saturating_add(self.quote_counts.get(&post.id).copied().unwrap_or(0));
        metrics
    }

    /// A live token of this application for this account, if there is one ("Sign in with X" skips the
    /// question then).
    pub(crate) fn standing_consent(&self, client_key: &str, account: u64) -> Option<&AccessToken> {
        self.tokens.values().find(|token| {
            token.client_key == client_key && token.account == account && token.revoked.is_none()
        })
    }
}
