//! From SQLite's cells to our values.
//!
//! SQLite gives each value its own storage class, whatever the column declares; so the class decides, and
//! the declared type only sharpens it where the value fits. A value that cannot be kept exactly is an error
//! that names its column, never null and never rounded.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use rusqlite::types::ValueRef;
use rust_decimal::Decimal;
use tailorbird_model::Value;
use tailorbird_model::value::{MAX_DECIMAL_TEXT, parse_decimal};

/// The most digits after the point that a decimal keeps.
const MAX_SCALE: u32 = 28;

/// What a column's declared type says about its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Declared {
    Boolean,
    Date,
    Timestamp,
    /// With the digits after the point, where they are declared.
    Decimal(Option<u32>),
    Json,
    Integer,
    Text,
    Bytes,
    /// Nothing that we know, or nothing at all, as for every expression.
    Other,
}

impl Declared {
    pub(crate) fn of(declared_type: Option<&str>) -> Self {
        let Some(declared) = declared_type else {
            return Self::Other;
        };
        let declared = declared.trim().to_ascii_uppercase();
        let word = declared.split(['(', ' ']).next().unwrap_or_default();
        match word {
            "BOOL" | "BOOLEAN" | "BIT" => Self::Boolean,
            "DATE" => Self::Date,
            "DATETIME" | "DATETIME2" | "TIMESTAMP" | "TIMESTAMPTZ" | "DATETIMEOFFSET" => Self::Timestamp,
            "DECIMAL" | "NUMERIC" | "NUMBER" | "DEC" | "MONEY" | "SMALLMONEY" | "CURRENCY" => {
                Self::Decimal(scale(&declared))
            }
            "JSON" | "JSONB" => Self::Json,
            word if word.contains("INT") => Self::Integer,
            word if word.contains("CHAR") || word.contains("TEXT") || word.contains("CLOB") => Self::Text,
            word if word.contains("BLOB") => Self::Bytes,
            word if word.contains("REAL") || word.contains("FLOA") || word.contains("DOUB") => {
                Self::Decimal(None)
            }
            _ => Self::Other,
        }
    }

    /// The type in our words.
    pub(crate) fn value_type(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::Decimal(_) => "decimal",
            Self::Json => "json",
            Self::Integer => "integer",
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Other => "any",
        }
    }
}

/// The second number of `DECIMAL(10, 2)`.
fn scale(declared: &str) -> Option<u32> {
    let (_, arguments) = declared.split_once('(')?;
    let (arguments, _) = arguments.split_once(')')?;
    let (_, scale) = arguments.split_once(',')?;
    scale.trim().parse().ok().filter(|scale| *scale <= MAX_SCALE)
}

/// Reads a cell by its storage class and its column's declared type. The error is the end of a sentence.
pub(crate) fn value(cell: ValueRef<'_>, declared: Declared, max_bytes: usize) -> Result<Value, String> {
    let plain = storage_value(cell, max_bytes)?;
    Ok(match (declared, plain) {
        (Declared::Boolean, Value::Integer(0)) => Value::Boolean(false),
        (Declared::Boolean, Value::Integer(1)) => Value::Boolean(true),
        (Declared::Boolean, Value::Text(text)) => match text.to_ascii_lowercase().as_str() {
            "true" => Value::Boolean(true),
            "false" => Value::Boolean(false),
            _ => Value::Text(text),
        },
        (Declared::Date, Value::Text(text)) => date(&text).map_or(Value::Text(text), Value::Date),
        (Declared::Timestamp, Value::Text(text)) => {
            timestamp(&text).map_or(Value::Text(text), Value::Timestamp)
        }
        (Declared::Decimal(Some(scale)), Value::Integer(number)) if scale > 0 => {
            Value::Decimal(with_scale(Decimal::from(number), scale))
        }
        (Declared::Decimal(Some(scale)), Value::Decimal(number)) => Value::Decimal(with_scale(number, scale)),
        (Declared::Decimal(_), Value::Text(text)) if text.trim().len() <= MAX_DECIMAL_TEXT => {
            Decimal::from_str_exact(text.trim()).map_or(Value::Text(text), Value::Decimal)
        }
        (Declared::Json, Value::Text(text)) => {
            serde_json::from_str(&text).map_or(Value::Text(text), Value::Json)
        }
        (_, plain) => plain,
    })
}

/// Reads a cell by its storage class alone: the database's own value, fit for comparing with it again.
pub(crate) fn storage_value(cell: ValueRef<'_>, max_bytes: usize) -> Result<Value, String> {
    let fits = |bytes: &[u8]| {
        if bytes.len() > max_bytes {
            return Err(format!("has {} bytes; at most {max_bytes} are read", bytes.len()));
        }
        Ok(())
    };
    match cell {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(number) => Ok(Value::Integer(number)),
        ValueRef::Real(number) => real(number).map(Value::Decimal),
        ValueRef::Text(bytes) => {
            fits(bytes)?;
            let text = std::str::from_utf8(bytes)
                .map_err(|error| format!("is text that is not UTF-8 (byte {})", error.valid_up_to()))?;
            Ok(Value::Text(text.to_owned()))
        }
        ValueRef::Blob(bytes) => {
            fits(bytes)?;
            Ok(Value::Bytes(bytes.to_owned()))
        }
    }
}

/// A binary float as the decimal that people see: the shortest digits that name this float and no other.
fn real(number: f64) -> Result<Decimal, String> {
    let shortest = format!("{number:e}");
    let out_of_range = || format!("holds {shortest}, which is beyond an exact decimal of 28 digits");
    let (digits, exponent) = shortest.split_once('e').ok_or_else(out_of_range)?;
    let exponent: i32 = exponent.parse().map_err(|_| out_of_range())?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let places = i32::try_from(fraction.len())
        .map_err(|_| out_of_range())?
        .saturating_sub(exponent);
    let mut mantissa: i128 = format!("{whole}{fraction}").parse().map_err(|_| out_of_range())?;
    if places < 0 {
        let zeros = 10_i128
            .checked_pow(places.unsigned_abs())
            .ok_or_else(out_of_range)?;
        mantissa = mantissa.checked_mul(zeros).ok_or_else(out_of_range)?;
    }
    let scale = u32::try_from(places).unwrap_or(0);
    Decimal::try_from_i128_with_scale(mantissa, scale).map_err(|_| out_of_range())
}

/// Gives a decimal the digits that its column declares: 19.9 of a DECIMAL(10, 2) is 19.90. It never loses any.
fn with_scale(mut number: Decimal, scale: u32) -> Decimal {
    if number.scale() < scale {
        let before = number;
        number.rescale(scale);
        if number != before {
            return before;
        }
    }
    number
}

/// Reads a calendar day; anything longer is not one.
fn date(text: &str) -> Option<Date> {
    let text = text.trim();
    (text.len() == 10).then(|| text.parse().ok()).flatten()
}

/// Reads a time. One without an offset is UTC, as SQLite's own functions take it.
fn timestamp(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() < 16 {
        return None;
    }
    text.parse::<Timestamp>().ok().or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        TimeZone::UTC.to_timestamp(civil).ok()
    })
}

/// The float that keeps a decimal exactly, in the sense that reading it back gives the same number.
pub(crate) fn exact_float(number: Decimal) -> Option<f64> {
    let float: f64 = number.to_string().parse().ok()?;
    let back = parse_decimal(&format!("{float}"))?;
    (back == number && real(float).ok()? == number).then_some(float)
}

#[cfg(test)]
mod tests;
