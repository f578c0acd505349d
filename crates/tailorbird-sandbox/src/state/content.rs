//! Direct messages, media and lists.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One direct message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DirectMessage {
    /// The event id.
    pub id: u64,
    /// The conversation: both ids in ascending order with a dash between, or the id of a group.
    pub conversation: String,
    /// Who sent it.
    pub sender: u64,
    /// Everybody who takes part, the sender too.
    pub participants: Vec<u64>,
    /// The text.
    pub text: String,
    /// Ids of attached media.
    pub media: Vec<u64>,
    /// When it was sent.
    pub created_at: Timestamp,
    /// The id of the application it came from; none for seeded ones.
    pub application: Option<u64>,
}

/// An upload, whole or in progress.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "`media_type` is X's name")]
pub(crate) struct Media {
    /// The media id.
    pub id: u64,
    /// The account that uploads.
    pub owner: u64,
    /// The media type as given, such as `image/png`.
    pub media_type: String,
    /// The category as given, such as `tweet_image`; empty when not given.
    pub category: String,
    /// The announced size in bytes.
    pub total_bytes: u64,
    /// The size in bytes of each segment received.
    pub segments: BTreeMap<u32, u64>,
    /// The content of each segment in base64, where the caller of `MediaAppended` kept it.
    pub contents: BTreeMap<u32, String>,
    /// When the upload began.
    pub created_at: Timestamp,
    /// When it was finalized.
    pub finalized_at: Option<Timestamp>,
    /// Text for people who cannot see the picture.
    pub alt_text: String,
}

impl Media {
    /// Bytes received so far.
    pub(crate) fn received_bytes(&self) -> u64 {
        self.segments.values().sum()
    }
}

/// A list of accounts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct List {
    /// The list's id.
    pub id: u64,
    /// The account that made it.
    pub owner: u64,
    /// The name, 1 to 25 characters.
    pub name: String,
    /// The description, at most 100 characters.
    pub description: String,
    /// Whether only the owner sees it.
    pub private: bool,
    /// Ids of the members.
    pub members: BTreeSet<u64>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What changes a list; absent members stay as they are.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct ListChange {
    /// The name.
    pub name: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// Whether only the owner sees it.
    pub private: Option<bool>,
}
