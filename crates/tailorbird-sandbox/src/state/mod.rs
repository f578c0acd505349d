//! Everything the sandbox must remember: plain types, the events that change them, and questions about them.
//!
//! The state changes only by [`Event`]s applied in [`apply`], a pure function, so the journal of events *is*
//! the state: reading the file again gives the same sandbox. Handlers reach it through [`store::Store`].

mod account;
mod application;
mod apply;
mod content;
mod event;
mod post;
mod query;
mod secret;
pub(crate) mod seed;
mod seed_texts;
pub(crate) mod store;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

pub(crate) use account::{Account, AccountSettings, ProfileChange};
pub use application::Level;
pub(crate) use application::{
    AccessToken, Application, ApplicationChange, CredentialState, Revocation, TemporaryCredentials,
};
pub(crate) use content::{DirectMessage, List, ListChange, Media};
pub(crate) use event::Event;
pub(crate) use post::{Post, PublicMetrics, UrlEntity};
pub(crate) use query::id_at;
pub(crate) use secret::Secret;

/// The whole remembered world of one sandbox, with the indexes that keep each request free of scans.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Accounts by id.
    pub accounts: BTreeMap<u64, Account>,
    /// Account ids by lower-case username.
    pub account_by_username: HashMap<String, u64>,
    /// Applications by id, so in the order of their making.
    pub applications: BTreeMap<u64, Application>,
    /// Application ids by present client key.
    pub application_by_key: HashMap<String, u64>,
    /// Temporary credentials by token; the used and old ones stay a while, so that refusals can say why.
    pub temporary: HashMap<String, TemporaryCredentials>,
    /// Tokens of `temporary` in the order of their making.
    pub temporary_order: VecDeque<String>,
    /// Access tokens by token, revoked ones too.
    pub tokens: HashMap<String, AccessToken>,
    /// Posts by id, so in the order of their making; deleted ones stay with `deleted_at` set.
    pub posts: BTreeMap<u64, Post>,
    /// Ids of the posts of each author, deleted ones too.
    pub posts_by_author: HashMap<u64, BTreeSet<u64>>,
    /// Ids of the posts that mention each account, deleted ones too.
    pub posts_mentioning: HashMap<u64, BTreeSet<u64>>,
    /// Ids of the posts that answer each post.
    pub replies: HashMap<u64, BTreeSet<u64>>,
    /// How many undeleted posts repeat each post.
    pub repost_counts: HashMap<u64, u64>,
    /// How many undeleted posts quote each post.
    pub quote_counts: HashMap<u64, u64>,
    /// For each author the newest undeleted post with a given original text.
    pub recent_texts: HashMap<u64, HashMap<String, u64>>,
    /// Posts ever accepted from API callers, deleted ones too; seeded ones are not counted.
    pub accepted: u64,
    /// Posts refused because of the duplicate rule.
    pub refused_duplicates: u64,
    /// Whether the duplicate rule is switched off.
    pub duplicates_allowed: bool,
    /// Post ids that each account likes.
    pub likes: HashMap<u64, BTreeSet<u64>>,
    /// How many accounts like each post.
    pub like_counts: HashMap<u64, u64>,
    /// Direct messages by id, deleted ones not.
    pub messages: BTreeMap<u64, DirectMessage>,
    /// Ids of the direct messages each account takes part in.
    pub messages_of: HashMap<u64, BTreeSet<u64>>,
    /// Uploaded media by id.
    pub media: BTreeMap<u64, Media>,
    /// Lists by id.
    pub lists: BTreeMap<u64, List>,
    /// By how many seconds the sandbox clock is ahead of the system's.
    pub clock_offset_s: i64,
    /// The greatest id ever given.
    pub last_id: u64,
}
