//! How a query's cursor moves: what is greater, and what is read again (never-twice rule 14).

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};
use tailorbird_model::service::Span;
use tailorbird_model::task::{Overlap, QueryCursor};
use tailorbird_model::{Failure, Meaning, Name, Value, codes};

/// What is read again where a cursor's overlap is not given.
const DEFAULT_OVERLAP_IDS: u32 = 1_000;
const DEFAULT_OVERLAP_TIME: Span = Span::from_seconds(60);

/// The value that a statement gets as `:cursor`: the last one less what is read again to catch rows that
/// were committed late. It never falls below `start`: rows before it were never meant to go.
pub(crate) fn from_value(last: &Value, cursor: &QueryCursor, step: &Name) -> Result<Value, Failure> {
    let start = cursor.start.as_ref().map(Value::from_json);
    let earlier = less_overlap(last, cursor.overlap).ok_or_else(|| {
        Failure::new(
            codes::DATABASE_SETTING,
            Meaning::NotSent,
            format!(
                "step `{step}`: the overlap of the cursor is a length of time, and the column `{}` holds {} values",
                cursor.column,
                last.type_name()
            ),
        )
        .hint("Give a number of ids as `overlap`, for example `overlap: 1000`.")
    })?;
    Ok(match start {
        Some(start) if is_greater(&start, &earlier) && !is_greater(&start, last) => start,
        _ => earlier,
    })
}

/// The value less the overlap; nothing where the two do not fit.
fn less_overlap(last: &Value, overlap: Option<Overlap>) -> Option<Value> {
    let span = match overlap {
        Some(Overlap::Time(span)) => span,
        Some(Overlap::Ids(_)) | None => DEFAULT_OVERLAP_TIME,
    };
    let ids = match overlap {
        Some(Overlap::Ids(ids)) => Some(ids),
        Some(Overlap::Time(_)) => None,
        None => Some(DEFAULT_OVERLAP_IDS),
    };
    let back = SignedDuration::from_secs(span.seconds().into());
    Some(match last {
        Value::Integer(id) => Value::Integer(id.saturating_sub(ids?.into())),
        Value::Decimal(id) => Value::Decimal(id.checked_sub(ids?.into()).unwrap_or(*id)),
        Value::Timestamp(at) => Value::Timestamp(at.checked_sub(back).unwrap_or(*at)),
        Value::Date(day) => Value::Date(days_before(*day, span)),
        Value::Text(text) => Value::Text(time_before(text, span, back).unwrap_or_else(|| text.clone())),
        Value::Null | Value::Boolean(_) | Value::Bytes(_) | Value::Json(_) => last.clone(),
    })
}

/// A day holds rows of all its hours, so at least one whole day is read again, unless none is wanted.
fn days_before(day: Date, span: Span) -> Date {
    let days = i64::from(span.seconds().div_ceil(86_400));
    day.checked_sub(jiff::Span::new().days(days)).unwrap_or(day)
}

/// A time that is kept as text, moved back in the very form it has: the database compares it as text, so
/// another separator, another zone or another number of digits would pass rows over.
fn time_before(text: &str, span: Span, back: SignedDuration) -> Option<String> {
    let (date, rest) = text.split_at_checked(10)?;
    if rest.is_empty() {
        return date
            .parse()
            .ok()
            .map(|day: Date| days_before(day, span).to_string());
    }
    let separator = rest.chars().next().filter(|c| matches!(c, ' ' | 'T' | 't'))?;
    let rest = rest.get(1..)?;
    let end = rest
        .find(|c: char| !(c.is_ascii_digit() || c == ':'))
        .unwrap_or(rest.len());
    // What follows the seconds (a fraction, a zone) stays: whole seconds are taken away.
    let (clock, tail) = rest.split_at_checked(end)?;
    let has_seconds = match clock.len() {
        5 => false,
        8 => true,
        _ => return None,
    };
    let at: DateTime = format!("{date}T{clock}").parse().ok()?;
    let at = at.checked_sub(back).ok()?;
    let form = if has_seconds { "%H:%M:%S" } else { "%H:%M" };
    Some(format!(
        "{}{separator}{}{tail}",
        at.strftime("%Y-%m-%d"),
        at.strftime(form)
    ))
}

/// The greater of the cursor's value so far and a row's.
///
/// # Errors
/// A null: whatever is chosen, rows would be passed over or read for ever.
pub(crate) fn greater(
    known: Option<Value>,
    value: &Value,
    cursor: &QueryCursor,
    step: &Name,
) -> Result<Option<Value>, Failure> {
    if value.is_null() {
        let message = format!(
            "step `{step}`: the cursor column `{}` is null in a row",
            cursor.column
        );
        return Err(Failure::new(codes::COLUMN_UNKNOWN, Meaning::NotSent, message)
            .hint("A cursor needs a column that is never null, and that grows."));
    }
    Ok(Some(match known {
        Some(known) if !is_greater(value, &known) => known,
        _ => value.clone(),
    }))
}

/// Compares two values of one type; a value of another type counts as greater, so that the start value's
/// type does not matter.
pub(crate) fn is_greater(new: &Value, known: &Value) -> bool {
    match (new, known) {
        (Value::Integer(a), Value::Integer(b)) => a > b,
        (Value::Decimal(a), Value::Decimal(b)) => a > b,
        (Value::Integer(a), Value::Decimal(b)) => *b < (*a).into(),
        (Value::Decimal(a), Value::Integer(b)) => *a > (*b).into(),
        (Value::Timestamp(a), Value::Timestamp(b)) => a > b,
        (Value::Date(a), Value::Date(b)) => a > b,
        (Value::Text(a), Value::Text(b)) => a > b,
        _ => true,
    }
}

/// The later of two cursor values of a listing: whole numbers by their size, other texts by their order.
pub(crate) fn later(known: Option<String>, new: String) -> String {
    let Some(known) = known else { return new };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_later = if is_number(&known) && is_number(&new) {
        let (known, new) = (known.trim_start_matches('0'), new.trim_start_matches('0'));
        (new.len(), new) > (known.len(), known)
    } else {
        new > known
    };
    if is_later { new } else { known }
}
