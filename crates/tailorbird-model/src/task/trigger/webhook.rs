//! Requests that a provider sends.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::Name;
use crate::service::Span;

/// The longest path of a webhook, in bytes.
const MAX_HOOK_PATH: usize = 128;

/// How old or new a signed time may be, where the file does not say.
const TOLERANCE: Span = Span::from_seconds(300);

/// What stands for the signed time in [`SignedTime::signed`].
pub const HMAC_TIMESTAMP: &str = "{timestamp}";

/// What stands for the body in [`SignedTime::signed`].
pub const HMAC_BODY: &str = "{body}";

/// Starts a run for each request that a provider sends to `/hooks/PATH`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookTrigger {
    /// The path behind `/hooks/`.
    pub path: HookPath,
    /// How a request shows that it comes from the provider.
    pub verify: Verify,
    /// For `verify: x`: the connection whose client secret signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<Name>,
    /// How many seconds a signed time may lie in the past or the future.
    #[serde(default = "tolerance")]
    pub tolerance: Span,
    /// Where the records are in the body, as a JSON Pointer to a list; the whole body is one record where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<String>,
    /// What names the event, so that the same one is not taken twice: a JSON Pointer into the body, or
    /// `{ header: NAME }`. Where absent, what the provider's style has, or a digest of the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<EventKey>,
}

impl WebhookTrigger {
    /// Tells whether nothing but its content tells one request from another, so that the same content again is
    /// taken for a repetition.
    pub fn has_only_a_digest(&self) -> bool {
        let has_time = matches!(&self.verify, Verify::Hmac(style) if style.timestamp.is_some());
        self.id.is_none() && !has_time && !matches!(self.verify, Verify::Github | Verify::Stripe | Verify::X)
    }
}

fn tolerance() -> Span {
    TOLERANCE
}

/// What names an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum EventKey {
    /// A JSON Pointer into the body.
    Pointer(String),
    /// A header.
    Header(HeaderKey),
}

/// A header that names an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeaderKey {
    /// Its name.
    pub header: String,
}

/// How a request shows that it comes from the provider. All but `none` need a secret: `task secret NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verify {
    /// GitHub: HMAC-SHA256 of the body in `X-Hub-Signature-256`.
    Github,
    /// Stripe: HMAC-SHA256 of time and body in `Stripe-Signature`.
    Stripe,
    /// X: HMAC-SHA256 of the body by the client secret of a connection, and the challenge that X sends first.
    X,
    /// Not at all: only on a loopback address, for tests.
    None,
    /// An HMAC of the body in a header.
    Hmac(HmacStyle),
    /// The secret itself in a header.
    Token(TokenStyle),
}

impl Verify {
    /// The word that the file uses.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Stripe => "stripe",
            Self::X => "x",
            Self::None => "none",
            Self::Hmac(_) => "hmac",
            Self::Token(_) => "token",
        }
    }

    /// Tells whether a secret of the task's own is needed.
    pub fn needs_task_secret(&self) -> bool {
        !matches!(self, Self::X | Self::None)
    }
}

/// An HMAC in a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HmacStyle {
    /// The header that holds it.
    pub header: String,
    /// The hash.
    #[serde(default)]
    pub algorithm: HmacAlgorithm,
    /// How its bytes are written.
    #[serde(default)]
    pub encoding: Encoding,
    /// What stands before it in the header, for example `sha256=`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// The time that is signed with the body, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<SignedTime>,
}

/// A time that is signed with the body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedTime {
    /// The header that holds it, in seconds since 1970.
    pub header: String,
    /// What is signed: a text with `{timestamp}` and `{body}`.
    #[serde(default = "signed")]
    pub signed: String,
}

fn signed() -> String {
    format!("{HMAC_TIMESTAMP}.{HMAC_BODY}")
}

/// A hash for HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HmacAlgorithm {
    /// SHA-1, for old providers.
    Sha1,
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Hexadecimal, in either case.
    #[default]
    Hex,
    /// Base64, with or without its padding.
    Base64,
}

/// A secret in a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenStyle {
    /// The header that holds it.
    pub header: String,
    /// What stands before it, for example `Bearer `.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
}

/// The path of a webhook: parts of letters, digits, `-`, `_` and `.`, with `/` between them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct HookPath(String);

impl HookPath {
    /// Its form, for editors.
    pub const PATTERN: &str = "^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$";

    /// The path, without a slash at either end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HookPath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_part = |part: &str| {
            !part.is_empty()
                && part.chars().any(|c| c != '.')
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        };
        if text.len() <= MAX_HOOK_PATH && text.split('/').all(is_part) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "{text:?} is not a path: use letters, digits, \"-\", \"_\" and \".\" with \"/\" between the parts, \
                 at most {MAX_HOOK_PATH} characters, without a slash at either end"
            ))
        }
    }
}

impl fmt::Display for HookPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for HookPath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for HookPath {
    fn schema_name() -> Cow<'static, str> {
        "HookPath".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": Self::PATTERN,
            "maxLength": MAX_HOOK_PATH,
            "description": "Letters, digits, \"-\", \"_\" and \".\" with \"/\" between the parts, at most 128 characters, without a slash at either end"
        })
    }
}
