//! Posts, and the public metrics that grow with the sandbox clock.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One post.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Post {
    /// The id: the sandbox clock in its upper bits, so that ids grow with time.
    pub id: u64,
    /// The author's account id.
    pub author: u64,
    /// The text as X stores it: trimmed, links shortened, `&`, `<` and `>` escaped.
    pub text: String,
    /// The text as it was sent.
    pub original_text: String,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// The post it answers.
    pub reply_to: Option<u64>,
    /// The post it quotes.
    pub quote_of: Option<u64>,
    /// The post it repeats.
    pub repost_of: Option<u64>,
    /// The id of the first post of the conversation.
    pub conversation: u64,
    /// Ids of the attached media.
    pub media: Vec<u64>,
    /// The links in `text`.
    pub urls: Vec<UrlEntity>,
    /// Ids of the mentioned accounts.
    pub mentions: Vec<u64>,
    /// The name of the application it came from.
    pub source: String,
    /// The id of the application it came from; none for seeded posts.
    pub application: Option<u64>,
    /// Who may reply, as the caller said it; none means everyone.
    pub reply_settings: Option<String>,
    /// Whether it is hidden below the post it answers.
    pub hidden: bool,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
    /// Anything else of the caller's request that is given back on reading (a poll, a place …).
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub extra: serde_json::Value,
}

/// A link inside a post's text; `start` and `end` count code points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UrlEntity {
    /// The first code point of the short link.
    pub start: usize,
    /// The code point after the short link.
    pub end: usize,
    /// The short link that stands in the text.
    pub url: String,
    /// The link as it was sent.
    pub expanded_url: String,
    /// The link as it is shown: without scheme, cut.
    pub display_url: String,
}

/// How often a post was seen and acted upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[expect(
    clippy::struct_field_names,
    reason = "they are X's names, and they are serialized"
)]
pub(crate) struct PublicMetrics {
    /// Times repeated.
    pub retweet_count: u64,
    /// Answers.
    pub reply_count: u64,
    /// Likes.
    pub like_count: u64,
    /// Times quoted.
    pub quote_count: u64,
    /// Bookmarks.
    pub bookmark_count: u64,
    /// Times shown.
    pub impression_count: u64,
}

/// Seconds after which a post's imagined audience has grown to half of its final size.
const HALF_LIFE_S: u64 = 21_600;

impl Post {
    /// The imagined audience of the post: the same for the same id and age, growing slowly and levelling off.
    /// Likes, replies, reposts and quotes that callers made are added by [`super::State::metrics`].
    pub(crate) fn imagined_metrics(&self, now: Timestamp) -> PublicMetrics {
        let age_s = u64::try_from(now.as_second().saturating_sub(self.created_at.as_second())).unwrap_or(0);
        let seed = mix(self.id);
        let part = |shift: u32, most: u64| -> u64 {
            let end = (seed >> shift) % most.saturating_add(1);
            end.saturating_mul(age_s)
                .checked_div(age_s.saturating_add(HALF_LIFE_S))
                .unwrap_or(0)
        };
        let impressions = part(0, 4_800).saturating_add(age_s.min(120) / 8);
        PublicMetrics {
            retweet_count: part(12, 24),
            reply_count: part(20, 9),
            like_count: part(28, 140),
            quote_count: part(36, 5),
            bookmark_count: part(44, 17),
            impression_count: impressions.saturating_add(part(28, 140)),
        }
    }
}

/// Spreads an id over all bits (the finalizer of `SplitMix64`): neighbouring ids must not look alike.
const fn mix(id: u64) -> u64 {
    let mut z = id.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
