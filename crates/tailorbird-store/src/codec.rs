//! Between columns and the model's types.

use std::str::FromStr;

use jiff::Timestamp;
use rusqlite::Row;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tailorbird_model::Name;

use crate::StoreError;

/// Writes a value as JSON text.
pub(crate) fn to_json<T: Serialize>(what: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| unreadable(what, &error))
}

/// Reads JSON text.
pub(crate) fn from_json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| unreadable(what, &error))
}

/// Reads JSON text that may be absent.
pub(crate) fn from_optional_json<T: DeserializeOwned>(
    what: &'static str,
    text: Option<String>,
) -> Result<Option<T>, StoreError> {
    text.map(|text| from_json(what, &text)).transpose()
}

/// Reads a word or a name.
pub(crate) fn parse<T: FromStr>(what: &'static str, text: &str) -> Result<T, StoreError>
where
    T::Err: ToString,
{
    text.parse().map_err(|error: T::Err| unreadable(what, &error))
}

/// Reads the name of a step, which may stand inside another one.
pub(crate) fn path(what: &'static str, text: &str) -> Result<Name, StoreError> {
    Name::from_path(text).map_err(|error| unreadable(what, &error))
}

/// Reads a time from a column.
pub(crate) fn time(row: &Row<'_>, column: &str) -> Result<Timestamp, StoreError> {
    from_micros(row.get(column)?)
}

/// Reads a time that may be absent.
pub(crate) fn optional_time(row: &Row<'_>, column: &str) -> Result<Option<Timestamp>, StoreError> {
    row.get::<_, Option<i64>>(column)?.map(from_micros).transpose()
}

/// Reads a time.
pub(crate) fn from_micros(micros: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros).map_err(|error| unreadable("time", &error))
}

/// Writes a time that may be absent.
pub(crate) fn micros(time: Option<Timestamp>) -> Option<i64> {
    time.map(Timestamp::as_microsecond)
}

/// Reads a count that is never negative.
pub(crate) fn count(what: &'static str, number: i64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|error| unreadable(what, &error))
}

/// Reads a number that is never negative, for example what `count(*)` yields.
pub(crate) fn whole(row: &Row<'_>, column: impl rusqlite::RowIndex) -> Result<u64, rusqlite::Error> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, number))
}

/// A stored value that is not what this program writes.
pub(crate) fn unreadable(what: &'static str, cause: &impl ToString) -> StoreError {
    StoreError::Unreadable {
        what,
        detail: cause.to_string(),
    }
}
