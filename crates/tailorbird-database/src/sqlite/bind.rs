//! From our values to SQLite's.

use std::collections::BTreeSet;

use rusqlite::Statement;
use rusqlite::types::Value as SqlValue;
use rust_decimal::Decimal;
use tailorbird_model::Value;

use super::decode::exact_float;
use crate::DatabaseError;
use crate::link::Parameters;

/// What a column does to the values it is given (SQLite's "affinity").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Affinity {
    Text,
    Number,
    /// Makes every number a float.
    Real,
    /// Keeps what it gets; also for parameters, which have no column.
    None,
}

impl Affinity {
    /// SQLite's rules for a declared type, in their order.
    pub(crate) fn of(declared_type: &str) -> Self {
        let declared = declared_type.to_ascii_uppercase();
        let has = |part: &str| declared.contains(part);
        if has("INT") {
            Self::Number
        } else if has("CHAR") || has("CLOB") || has("TEXT") {
            Self::Text
        } else if has("BLOB") || declared.trim().is_empty() {
            Self::None
        } else if has("REAL") || has("FLOA") || has("DOUB") {
            Self::Real
        } else {
            Self::Number
        }
    }
}

/// Makes SQLite's form of a value. The error is the end of a sentence.
pub(crate) fn sql_value(value: &Value, affinity: Affinity) -> Result<SqlValue, String> {
    Ok(match value {
        Value::Null => SqlValue::Null,
        Value::Boolean(truth) => SqlValue::Integer(i64::from(*truth)),
        Value::Integer(number) => SqlValue::Integer(*number),
        Value::Decimal(number) => decimal(*number, affinity)?,
        Value::Text(text) if text.contains('\0') => {
            return Err("would get text with a NUL character".to_owned());
        }
        Value::Text(text) => SqlValue::Text(text.clone()),
        Value::Bytes(bytes) => SqlValue::Blob(bytes.clone()),
        Value::Timestamp(_) | Value::Date(_) | Value::Json(_) => SqlValue::Text(value.to_string()),
    })
}

/// A decimal goes in as a number where the number comes back the same, and never otherwise.
fn decimal(number: Decimal, affinity: Affinity) -> Result<SqlValue, String> {
    let text = || SqlValue::Text(number.to_string());
    if affinity == Affinity::Text {
        return Ok(text());
    }
    if affinity != Affinity::Real
        && number.is_integer()
        && let Ok(whole) = i64::try_from(number)
    {
        return Ok(SqlValue::Integer(whole));
    }
    match exact_float(number) {
        Some(float) => Ok(SqlValue::Real(float)),
        None if affinity == Affinity::None => Ok(text()),
        None => Err(format!(
            "would get {number}, which has more digits than SQLite keeps in a number column; declare it TEXT"
        )),
    }
}

/// Binds a statement's named parameters, and tells apart what is missing and what is too much.
pub(crate) fn bind(statement: &mut Statement<'_>, parameters: &Parameters) -> Result<(), DatabaseError> {
    let wanted = wanted(statement)?;
    let bare = |name: &String| name.trim_start_matches([':', '@', '$']).to_owned();
    let missing: Vec<String> = wanted
        .iter()
        .filter(|name| !parameters.contains_key(&bare(name)))
        .cloned()
        .collect();
    let known: BTreeSet<String> = wanted.iter().map(bare).collect();
    let colon = |name: &String| format!(":{name}");
    if !missing.is_empty() {
        return Err(DatabaseError::ParameterMissing {
            names: missing,
            given: parameters.keys().map(colon).collect(),
        });
    }
    let unknown: Vec<String> = parameters
        .keys()
        .filter(|name| !known.contains(*name))
        .map(colon)
        .collect();
    if !unknown.is_empty() {
        return Err(DatabaseError::ParameterUnknown {
            names: unknown,
            wanted,
        });
    }
    for (index, name) in (1_usize..).zip(&wanted) {
        if let Some(value) = parameters.get(&bare(name)) {
            let problem = |problem| DatabaseError::Value {
                column: name.clone(),
                row: 0,
                problem,
            };
            let value = sql_value(value, Affinity::None).map_err(problem)?;
            statement
                .raw_bind_parameter(index, value)
                .map_err(|error| problem(format!("cannot be bound: {error}")))?;
        }
    }
    Ok(())
}

/// The parameters of a statement, with their colons, in SQLite's order.
fn wanted(statement: &Statement<'_>) -> Result<Vec<String>, DatabaseError> {
    (1..=statement.parameter_count())
        .map(|index| match statement.parameter_name(index) {
            Some(name) if !name.starts_with('?') => Ok(name.to_owned()),
            _ => Err(DatabaseError::ParameterUnnamed),
        })
        .collect()
}
