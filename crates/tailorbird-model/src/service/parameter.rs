//! Parameters and body fields.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The type of a parameter or field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// Unicode text.
    #[default]
    Text,
    /// A whole number.
    Integer,
    /// An exact decimal, sent as a JSON number.
    Decimal,
    /// True or false.
    Boolean,
    /// A point in time (RFC 3339).
    Timestamp,
    /// Nested JSON, as it is.
    Json,
    /// A list of texts; in a query joined by commas.
    List,
    /// Raw bytes; in a multipart body a file, in JSON Base64.
    Bytes,
}

/// Where a parameter goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParameterPlace {
    /// Into the query; into the path where the path has a placeholder of that name.
    #[default]
    Query,
    /// Into a placeholder of the path.
    Path,
    /// Into a header of that name.
    Header,
}

/// A parameter outside the body.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Where it goes.
    #[serde(default, rename = "in")]
    pub place: ParameterPlace,
    /// Its type.
    #[serde(default, rename = "type")]
    pub kind: FieldType,
    /// Whether a call without it is refused.
    #[serde(default)]
    pub required: bool,
    /// The value where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<serde_json::Value>,
    /// Take the connection's account id where none is given.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub account_id: bool,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// A field of a body.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its type.
    #[serde(default, rename = "type")]
    pub kind: FieldType,
    /// Whether a call without it is refused.
    #[serde(default)]
    pub required: bool,
    /// The value where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<serde_json::Value>,
    /// Where it goes in a JSON body, as a JSON Pointer; `/name` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The greatest number of characters of a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u32>,
    /// A rule of the service that measures the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<TextLength>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The words that are allowed, with what they mean.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
}

/// A rule that measures a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TextLength {
    /// The rule.
    pub rule: LengthRuleName,
    /// The greatest length by that rule; positive.
    pub max: u32,
}

/// The rules that measure texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LengthRuleName {
    /// Unicode characters.
    Characters,
    /// UTF-16 units.
    Utf16,
    /// UTF-8 bytes.
    Bytes,
    /// X's weighted length: links 23, emoji 2, wide scripts 2, after NFC.
    XWeighted,
}
