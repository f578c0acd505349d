//! One callable thing of a service.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Span;
use super::batch::Batch;
use super::parameter::{Field, Parameter};
use crate::Name;
use crate::money::Amount;

/// One callable thing: method, path, parameters, answer, paging, and how doubt is settled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// The name that people read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// What it does, in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Where the provider documents it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
    /// The HTTP method.
    pub method: Method,
    /// The path below the root URL, with `{placeholders}`; or a whole address where the provider serves
    /// this operation from another host.
    pub path: String,
    /// Parameters outside the body, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Parameter>,
    /// The body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// How the answer becomes a record or records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<ResultShape>,
    /// How the next page is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pagination: Option<Pagination>,
    /// What to do where nobody knows whether a request arrived. Where absent, reading methods repeat and
    /// all others ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_doubt: Option<InDoubtPolicy>,
    /// Where the provider takes an idempotency key: a second request with the same key has no second effect. With it
    /// a doubt is settled by repeating.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<IdempotencyKey>,
    /// How it takes several records in one request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<Batch>,
    /// What a call costs at the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// The least access level it needs, in the provider's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs_level: Option<String>,
}

impl Operation {
    /// The policy in force: the given one, or *repeat* for methods that are safe or idempotent by
    /// definition (RFC 9110 §9.2) and where the provider takes an idempotency key, and *ask* for the others.
    pub fn doubt_policy(&self) -> InDoubtPolicy {
        self.in_doubt
            .clone()
            .unwrap_or(if self.method.is_idempotent() || self.idempotency_key.is_some() {
                InDoubtPolicy::Repeat
            } else {
                InDoubtPolicy::Ask
            })
    }
}

/// Where a request carries its idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum IdempotencyKey {
    /// In a header of this name, for example `Idempotency-Key`.
    Header(String),
    /// In a body field of this name.
    Field(String),
    /// In a member of this name of each item of a batch.
    Item(String),
}

/// What a call costs at the provider. Amounts in quotes: they are exact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// For each call.
    pub per_call: Amount,
    /// For each call whose text holds a link, where that is another price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with_link: Option<Amount>,
    /// For each item of a batch, besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_item: Option<Amount>,
    /// The currency, for example `USD`.
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    pub currency: String,
}

impl Cost {
    /// The most that one call with one item can cost.
    pub fn dearest(&self) -> Amount {
        self.with_link
            .map_or(self.per_call, |dearer| dearer.max(self.per_call))
            .plus(self.per_item.unwrap_or_default())
    }
}

/// An HTTP method (RFC 9110 §9, RFC 5789).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    Get,
    /// Reads the head only.
    Head,
    /// Creates or does.
    Post,
    /// Replaces.
    Put,
    /// Changes a part.
    Patch,
    /// Removes.
    Delete,
    /// Asks what is possible.
    Options,
}

/// A word that is no HTTP method of ours.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not a method: use GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS")]
pub struct UnknownMethod(pub String);

impl Method {
    /// All methods.
    pub const ALL: [Self; 7] = [
        Self::Get,
        Self::Head,
        Self::Post,
        Self::Put,
        Self::Patch,
        Self::Delete,
        Self::Options,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }

    /// Tells whether repeating a request has the same effect as sending it once (RFC 9110 §9.2.2).
    pub fn is_idempotent(self) -> bool {
        !matches!(self, Self::Post | Self::Patch)
    }

    /// Tells whether it only reads (RFC 9110 §9.2.1).
    pub fn is_safe(self) -> bool {
        matches!(self, Self::Get | Self::Head | Self::Options)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(word: &str) -> Result<Self, UnknownMethod> {
        Self::ALL
            .into_iter()
            .find(|method| method.as_str().eq_ignore_ascii_case(word))
            .ok_or_else(|| UnknownMethod(word.to_owned()))
    }
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Body {
    /// A JSON object, by field name.
    Json(BTreeMap<String, Field>),
    /// A form (`application/x-www-form-urlencoded`), by field name. Its fields are signed.
    Form(BTreeMap<String, Field>),
    /// A multipart form (`multipart/form-data`), by field name.
    Multipart(BTreeMap<String, Field>),
}

impl Body {
    /// The fields by name.
    pub fn fields(&self) -> &BTreeMap<String, Field> {
        match self {
            Self::Json(fields) | Self::Form(fields) | Self::Multipart(fields) => fields,
        }
    }
}

/// How the answer becomes a record or records. Give `record` or `records`, not both.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResultShape {
    /// JSON Pointer (RFC 6901) to the one record; the empty pointer is the whole answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// JSON Pointer to the array of records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<String>,
    /// Columns by name, each a JSON Pointer inside a record. Where absent, all members become columns.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, String>,
}

/// How the next page is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Pagination {
    /// The answer holds a token that the next request sends back.
    Cursor {
        /// JSON Pointer to the token in the answer.
        from: String,
        /// The query parameter that carries it.
        parameter: String,
        /// A value that marks the end, besides an absent, null or empty token.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        end: Option<String>,
    },
    /// Each page goes below the least id of the last one (`max_id`, inclusive at the provider).
    DescendingId {
        /// The result column that holds the id; a whole number.
        column: String,
        /// The query parameter that takes the greatest id wanted.
        parameter: String,
    },
}

/// What to do where nobody knows whether a request arrived (never-twice rule 10).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum InDoubtPolicy {
    /// Send it again: only where repeating has no second effect.
    Repeat,
    /// Wait for a person.
    Ask,
    /// Look it up at the provider.
    LookUp(LookUp),
}

/// How a past effect is found at the provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LookUp {
    /// The reading operation that lists recent effects.
    pub operation: Name,
    /// Result column by request field: both must hold the same text (after HTML unescape, expanded links,
    /// NFC and trimming). A field that begins with `/` is a JSON Pointer inside the item of a batch.
    #[serde(rename = "match")]
    pub matching: BTreeMap<String, String>,
    /// The result column that holds the time of creation, so that only effects near the attempt count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// The result column that holds the expanded links, as a list of `{url, expanded_url}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<String>,
    /// How long the provider may take until a new effect can be found.
    #[serde(default = "default_settling")]
    pub settling: Span,
    /// The greatest number of pages to look through.
    #[serde(default = "default_look_up_pages")]
    pub pages: u32,
}

fn default_settling() -> Span {
    Span::from_seconds(5)
}

fn default_look_up_pages() -> u32 {
    10
}
