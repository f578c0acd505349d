//! What a cell of a business database, a field of an answer and a parameter of a call hold.
//!
//! Invariant: money is never a binary float. A number that is not an integer is a [`Decimal`], and it is
//! written out again with the digits it came with.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The greatest integer that every JSON reader keeps exactly (2^53 - 1).
pub const MAX_EXACT_JSON_INTEGER: i64 = 9_007_199_254_740_991;

/// One value with its type.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// True or false.
    Boolean(bool),
    /// A whole number of 64 bits.
    Integer(i64),
    /// An exact decimal number of up to 28 digits.
    Decimal(Decimal),
    /// Unicode text.
    Text(String),
    /// Raw bytes.
    Bytes(Vec<u8>),
    /// A point in time.
    Timestamp(Timestamp),
    /// A calendar day without a zone.
    Date(Date),
    /// A nested JSON value (object or array).
    Json(serde_json::Value),
}

impl Value {
    /// Names the type as the documents do.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "boolean",
            Self::Integer(_) => "integer",
            Self::Decimal(_) => "decimal",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Timestamp(_) => "timestamp",
            Self::Date(_) => "date",
            Self::Json(_) => "json",
        }
    }

    /// Tells whether this is [`Value::Null`].
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The form that people and command-line consumers read: decimals, and integers beyond 2^53, as strings.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Boolean(b) => (*b).into(),
            Self::Integer(n) if n.abs() > MAX_EXACT_JSON_INTEGER => n.to_string().into(),
            Self::Integer(n) => (*n).into(),
            Self::Json(json) => json.clone(),
            other => other.to_string().into(),
        }
    }

    /// Reads a JSON value: strings become text, whole numbers integers, other numbers decimals.
    ///
    /// A number too large for both becomes text with its digits, because a changed number is worse than a
    /// changed type.
    pub fn from_json(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(b) => Self::Boolean(*b),
            serde_json::Value::String(s) => Self::Text(s.clone()),
            serde_json::Value::Number(number) => number.as_i64().map_or_else(
                || {
                    let digits = number.to_string();
                    parse_decimal(&digits)
                        .map_or(Self::Text(digits), |decimal| Self::Decimal(decimal.normalize()))
                },
                Self::Integer,
            ),
            nested => Self::Json(nested.clone()),
        }
    }
}

/// The longest text that is read as a number, in bytes. The longest decimal has 31 characters; the rest is for zeros.
/// The library's parser calls itself for each digit, so that a text of a megabyte would end the process.
pub const MAX_DECIMAL_TEXT: usize = 256;

/// Reads an exact decimal, in plain or scientific notation. A text longer than [`MAX_DECIMAL_TEXT`] is none.
pub fn parse_decimal(digits: &str) -> Option<Decimal> {
    if digits.len() > MAX_DECIMAL_TEXT {
        return None;
    }
    digits
        .parse::<Decimal>()
        .ok()
        .or_else(|| Decimal::from_scientific(digits).ok())
}

impl fmt::Display for Value {
    /// The plain text form, as it appears in a message or a key. Null is empty.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Boolean(b) => write!(f, "{b}"),
            Self::Integer(n) => write!(f, "{n}"),
            Self::Decimal(d) => write!(f, "{d}"),
            Self::Text(s) => f.write_str(s),
            Self::Bytes(b) => f.write_str(&STANDARD.encode(b)),
            Self::Timestamp(t) => write!(f, "{t}"),
            Self::Date(d) => write!(f, "{d}"),
            Self::Json(j) => write!(f, "{j}"),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Boolean(truth)
    }
}

/// The stored form: types that JSON lacks are objects of one member whose name starts with `$`, so that a
/// record read back from the ledger has the types it was stored with.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tagged = |tag: &str, text: String| serde_json::json!({ tag: text });
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Boolean(b) => serializer.serialize_bool(*b),
            Self::Integer(n) => serializer.serialize_i64(*n),
            Self::Text(s) => serializer.serialize_str(s),
            Self::Decimal(d) => tagged("$decimal", d.to_string()).serialize(serializer),
            Self::Bytes(b) => tagged("$bytes", STANDARD.encode(b)).serialize(serializer),
            Self::Timestamp(t) => tagged("$timestamp", t.to_string()).serialize(serializer),
            Self::Date(d) => tagged("$date", d.to_string()).serialize(serializer),
            Self::Json(j) => serde_json::json!({ "$json": j }).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = serde_json::Value::deserialize(deserializer)?;
        if let serde_json::Value::Object(object) = &json
            && object.len() == 1
            && let Some((tag, inner)) = object.iter().next()
        {
            let text = inner.as_str().unwrap_or_default();
            let wrong = |kind: &str| serde::de::Error::custom(format!("a stored {kind} cannot be read back"));
            return match tag.as_str() {
                "$decimal" => parse_decimal(text)
                    .map(Value::Decimal)
                    .ok_or_else(|| wrong("decimal")),
                "$bytes" => STANDARD
                    .decode(text)
                    .map(Value::Bytes)
                    .map_err(|_| wrong("byte string")),
                "$timestamp" => text.parse().map(Value::Timestamp).map_err(|_| wrong("timestamp")),
                "$date" => text.parse().map(Value::Date).map_err(|_| wrong("date")),
                "$json" => Ok(Value::Json(inner.clone())),
                _ => Ok(Value::Json(json)),
            };
        }
        Ok(Self::from_json(&json))
    }
}

/// One row: values under the names of a shared list of columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    columns: Arc<[String]>,
    values: Vec<Value>,
}

impl Record {
    /// Makes a record. Missing values are null, surplus ones are dropped.
    pub fn new(columns: Arc<[String]>, mut values: Vec<Value>) -> Self {
        values.resize(columns.len(), Value::Null);
        Self { columns, values }
    }

    /// Makes a record from pairs, in their order.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (String, Value)>) -> Self {
        let (columns, values): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        Self {
            columns: columns.into(),
            values,
        }
    }

    /// The column names, in order.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The values, in the order of the columns.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The value under a name, if the record has that column.
    pub fn get(&self, column: &str) -> Option<&Value> {
        let index = self.columns.iter().position(|name| name == column)?;
        self.values.get(index)
    }

    /// The pairs, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.columns.iter().map(String::as_str).zip(&self.values)
    }

    /// The form that people and command-line consumers read (see [`Value::to_json`]).
    pub fn to_json(&self) -> serde_json::Value {
        self.iter()
            .map(|(name, value)| (name.to_owned(), value.to_json()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = serde_json::Map::deserialize(deserializer)?;
        let mut pairs = Vec::with_capacity(object.len());
        for (name, json) in object {
            let value = Value::deserialize(json).map_err(serde::de::Error::custom)?;
            pairs.push((name, value));
        }
        Ok(Self::from_pairs(pairs))
    }
}
