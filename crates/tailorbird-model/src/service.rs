//! A web service described as data: the types behind `services/*.yaml`.
//!
//! Field documentation here is written for users: it becomes the reference and the JSON Schema.

mod batch;
pub mod check;
mod operation;
mod parameter;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use batch::{
    Batch, DEFAULT_BATCH_BYTES, ErrorList, FoundBy, ItemNumber, MAX_BATCH_ITEMS, Outcomes, SameValue, Taken,
};
pub use operation::{
    Body, Cost, IdempotencyKey, InDoubtPolicy, LookUp, Method, Operation, Pagination, ResultShape,
    UnknownMethod,
};
pub use parameter::{Field, FieldType, LengthRuleName, Parameter, ParameterPlace, TextLength};

use crate::{Meaning, Name};

/// A web service: root URL, authentication, operations, limits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The name by which connections refer to it, for example `x`.
    pub service: Name,
    /// The name that people read.
    pub title: String,
    /// What it is good for, in a sentence or two.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Where the provider documents it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
    /// The part of every address that does not change: scheme, host and the path before the operations'
    /// paths, without a query. A service without one asks each connection for its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_url: Option<String>,
    /// Headers sent with every request.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// How requests are authenticated.
    #[serde(default)]
    pub authentication: Authentication,
    /// How to learn whose credentials a connection holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountProbe>,
    /// Where the provider reports the access level of the credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<LevelReport>,
    /// The operations by name.
    #[serde(default)]
    pub operations: BTreeMap<Name, Operation>,
    /// Limits that the provider publishes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<Limit>,
    /// Header families that report what is left of a limit: `x-rate-limit` stands for
    /// `x-rate-limit-limit`, `x-rate-limit-remaining` and `x-rate-limit-reset`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limit_headers: Vec<String>,
    /// Those of `limit_headers` that count several operations of a credential together: one operation that uses
    /// such a limit up stops the others that report it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared_limit_headers: Vec<String>,
    /// What particular refusals of this provider mean; the first rule that fits wins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ErrorRule>,
    /// Whether it was ever tried: `never`, `sandbox`, or `live` with a date.
    #[serde(default)]
    pub verified: Verified,
}

/// How requests are authenticated. One scheme per service.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authentication {
    /// OAuth 1.0a (RFC 5849).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth1: Option<OAuth1>,
}

/// OAuth 1.0a settings of a service.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OAuth1 {
    /// Where temporary credentials are requested (RFC 5849 §2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temporary_credentials_url: Option<String>,
    /// Where the account's owner approves (RFC 5849 §2.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_url: Option<String>,
    /// Where the verifier is exchanged for token credentials (RFC 5849 §2.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_url: Option<String>,
    /// HMAC-SHA1, HMAC-SHA256, HMAC-SHA512, RSA-SHA1, RSA-SHA256, RSA-SHA512 or PLAINTEXT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_method: Option<SignatureMethodName>,
    /// Where the protocol parameters travel: header, query or body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<PlacementName>,
    /// The realm of the Authorization header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
    /// Whether bodies that are not forms are hashed into the signature (`oauth_body_hash`).
    #[serde(default, skip_serializing_if = "BodyHash::is_none")]
    pub body_hash: BodyHash,
    /// The provider's own words for the credentials.
    #[serde(default)]
    pub labels: Labels,
    /// Where a person finds the keys: the name and path of the provider's screen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys_at: Option<String>,
}

/// A signature method by its registered name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SignatureMethodName {
    /// RFC 5849 §3.4.2.
    #[serde(rename = "HMAC-SHA1")]
    HmacSha1,
    /// As HMAC-SHA1 with SHA-256.
    #[serde(rename = "HMAC-SHA256")]
    HmacSha256,
    /// As HMAC-SHA1 with SHA-512.
    #[serde(rename = "HMAC-SHA512")]
    HmacSha512,
    /// RFC 5849 §3.4.3.
    #[serde(rename = "RSA-SHA1")]
    RsaSha1,
    /// As RSA-SHA1 with SHA-256.
    #[serde(rename = "RSA-SHA256")]
    RsaSha256,
    /// As RSA-SHA1 with SHA-512.
    #[serde(rename = "RSA-SHA512")]
    RsaSha512,
    /// RFC 5849 §3.4.4; only over TLS or on loopback.
    #[serde(rename = "PLAINTEXT")]
    Plaintext,
}

impl SignatureMethodName {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HmacSha1 => "HMAC-SHA1",
            Self::HmacSha256 => "HMAC-SHA256",
            Self::HmacSha512 => "HMAC-SHA512",
            Self::RsaSha1 => "RSA-SHA1",
            Self::RsaSha256 => "RSA-SHA256",
            Self::RsaSha512 => "RSA-SHA512",
            Self::Plaintext => "PLAINTEXT",
        }
    }
}

/// Where the protocol parameters travel (RFC 5849 §3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlacementName {
    /// The Authorization header.
    Header,
    /// The query of the address.
    Query,
    /// The form body; other bodies sign in the header.
    Body,
}

/// Whether and how `oauth_body_hash` is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BodyHash {
    /// Not sent.
    #[default]
    None,
    /// With the digest of the signature method.
    Method,
    /// Always with SHA-1.
    Sha1,
}

impl BodyHash {
    /// Tells whether no body hash is sent.
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// The provider's own words for credentials, shown on the screen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    /// For the client key: "Consumer Key", "API Key".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_key: Option<String>,
    /// For the client secret: "Consumer Secret", "Shared Secret".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// For the token: "Access Token".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// For the token secret: "Access Token Secret".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_secret: Option<String>,
    /// For the verifier: "PIN", "Verification Code".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verifier: Option<String>,
}

/// How to learn whose credentials a connection holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountProbe {
    /// The operation to call.
    pub operation: Name,
    /// The result column that holds the account's id.
    pub id: String,
    /// The result column that holds the name people know.
    pub name: String,
}

/// Where the provider reports the access level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelReport {
    /// The answer header that carries it.
    pub header: String,
    /// The provider's words for people, by the header's value.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
    /// The header's values from the least to the greatest level; each holds what those before it allow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<String>,
}

impl LevelReport {
    /// Tells whether a level is less than another one, where the order of both is known.
    pub fn is_less(&self, has: &str, needs: &str) -> Option<bool> {
        let rank = |level: &str| self.order.iter().position(|known| known == level);
        Some(rank(has)? < rank(needs)?)
    }
}

/// A limit that the provider publishes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Whose calls are counted together.
    #[serde(default)]
    pub per: LimitScope,
    /// The operation it belongs to; all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Name>,
    /// Calls allowed in the window; positive.
    #[schemars(range(min = 1))]
    pub calls: u32,
    /// The length of the window, for example `15m` or `24h`.
    pub window: Span,
    /// Whether requests are counted, or the items of batches.
    #[serde(default, skip_serializing_if = "LimitCounts::is_calls")]
    pub counts: LimitCounts,
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitCounts {
    /// Requests, however many items they hold.
    #[default]
    Calls,
    /// Items: a batch of 100 counts 100.
    Items,
}

impl LimitCounts {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
    fn is_calls(&self) -> bool {
        *self == Self::Calls
    }
}

/// Whose calls a limit counts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitScope {
    /// One connection's.
    #[default]
    Connection,
    /// All connections' with the same client key.
    Application,
}

/// What a particular refusal means. All given conditions must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorRule {
    /// The HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The provider's code, or the last path part of a problem's type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Words that the provider's message contains (case does not matter).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// What it means for the delivery.
    pub means: Meaning,
    /// The error code whose page explains it, for example `AUTH-004`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// What to do next, in whole sentences.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
}

/// Whether a service file was ever tried.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verified {
    /// Never tried.
    #[default]
    Never,
    /// Tried against a sandbox.
    Sandbox,
    /// Tried against the real provider, on this date.
    Live(String),
}

/// A length of time as people write it: `30s`, `15m`, `24h`, `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    seconds: u32,
}

impl Span {
    /// A span of so many seconds.
    pub const fn from_seconds(seconds: u32) -> Self {
        Self { seconds }
    }

    /// Its length in seconds.
    pub const fn seconds(self) -> u32 {
        self.seconds
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (count, unit) = match self.seconds {
            0 => (0, 's'),
            s if s % 86_400 == 0 => (s / 86_400, 'd'),
            s if s % 3_600 == 0 => (s / 3_600, 'h'),
            s if s % 60 == 0 => (s / 60, 'm'),
            s => (s, 's'),
        };
        write!(f, "{count}{unit}")
    }
}

impl std::str::FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is not a length of time: write a whole number and s, m, h or d, for example 15m"
            )
        };
        let unit = text.chars().last().ok_or_else(wrong)?;
        let count: u32 = text
            .strip_suffix(unit)
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(wrong)?;
        let factor = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return Err(wrong()),
        };
        count
            .checked_mul(factor)
            .map(Self::from_seconds)
            .ok_or_else(wrong)
    }
}

impl Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[0-9]{1,9}[smhd]$",
            "description": "A length of time: a whole number and s, m, h or d, for example 15m"
        })
    }
}
