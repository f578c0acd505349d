//! Operations that take a list: where the list lies, how much one request takes, and how the answer tells what
//! became of each item.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most items of one request that a service file may state.
pub const MAX_BATCH_ITEMS: u32 = 1_000;

/// The greatest body of a batch where the service file states none, in bytes: servers commonly take so much.
pub const DEFAULT_BATCH_BYTES: u32 = 1_048_576;

/// How an operation takes several records in one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// The body field or query parameter that takes the list. A task whose call has `batch` gives one item there.
    pub parameter: String,
    /// The most items of one request.
    #[schemars(range(min = 1, max = 1000))]
    pub max: u32,
    /// The greatest body, in bytes; 1 MiB where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_bytes: Option<u32>,
    /// What it means for the items when the whole request is refused.
    #[serde(default)]
    pub taken: Taken,
    /// How the answer tells what became of each item. Absent: an accepted request took them all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcomes: Option<Outcomes>,
}

impl Batch {
    /// The greatest body in bytes.
    pub fn most_bytes(&self) -> usize {
        usize::try_from(self.max_bytes.unwrap_or(DEFAULT_BATCH_BYTES)).unwrap_or(usize::MAX)
    }
}

/// What a refused request has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Taken {
    /// Nothing: a refused request may be split and sent again until the bad item stands alone.
    #[default]
    Together,
    /// Perhaps the items before the bad one. Where the answer does not name them, all are in doubt.
    Singly,
}

/// How the answer tells what became of each item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outcomes {
    /// JSON Pointer to the list of outcomes; that of `result` (`records`) where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// How the outcome of an item is found in the list; by its position where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<FoundBy>,
    /// JSON Pointer inside an outcome: where something is there (not null, false or empty), the item was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// JSON Pointer inside an outcome: where it is not true, the item was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
    /// JSON Pointer inside an outcome: the item's own HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// A list of its own for what was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<ErrorList>,
}

/// A list that holds refused items only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorList {
    /// JSON Pointer to the list.
    pub at: String,
    /// How the item of an entry is found.
    pub by: FoundBy,
}

/// How an item and an entry of the answer find each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum FoundBy {
    /// Both hold the same value.
    Value(SameValue),
    /// The entry holds the item's number.
    Index(ItemNumber),
}

/// The same value stands in the item and in the entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SameValue {
    /// JSON Pointer inside the item as it was sent; the empty one is the whole item.
    pub item: String,
    /// JSON Pointer inside the entry.
    pub entry: String,
}

/// The entry holds the number of its item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemNumber {
    /// JSON Pointer inside the entry; the first item is 0.
    pub index: String,
}
