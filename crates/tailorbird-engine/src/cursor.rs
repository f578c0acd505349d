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

/// Looks, while rows pass by, whether a column is fit for a cursor: of one type, in order, and unique.
#[derive(Debug, Default)]
pub(crate) struct Fitness {
    last: Option<Value>,
    /// A value and the smaller one that came after it.
    falls: Option<(Value, Value)>,
    repeats: Option<Value>,
    /// The types of two values that cannot be compared.
    mixed: Option<(&'static str, &'static str)>,
}

impl Fitness {
    pub(crate) fn see(&mut self, value: &Value) {
        if let Some(last) = &self.last {
            let numbers = |value: &Value| matches!(value, Value::Integer(_) | Value::Decimal(_));
            let is_comparable = last.type_name() == value.type_name() || numbers(last) && numbers(value);
            if !is_comparable {
                self.mixed.get_or_insert((last.type_name(), value.type_name()));
            } else if last == value {
                self.repeats.get_or_insert_with(|| value.clone());
            } else if !is_greater(value, last) {
                self.falls.get_or_insert_with(|| (last.clone(), value.clone()));
            }
        }
        self.last = Some(value.clone());
    }

    /// What makes rows be passed over for good: the run must not move the cursor then.
    pub(crate) fn unfit(&self, cursor: &QueryCursor, sql: &str, step: &Name) -> Option<Failure> {
        let column = &cursor.column;
        if let Some((one, other)) = self.mixed {
            let message =
                format!("step `{step}`: the cursor column `{column}` holds {one} and {other} values");
            return Some(
                unfit(
                    message,
                    "Values of several types have no common order, so rows would be passed over.",
                )
                .hint(format!(
                    "Select it with one type, for example `cast({column} as integer) as {column}`."
                )),
            );
        }
        let words = sql.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let has_limit = words.clone().any(|word| word.eq_ignore_ascii_case("limit"));
        if !has_limit {
            return None;
        }
        if let Some((first, then)) = &self.falls {
            let message =
                format!("step `{step}`: rows do not come in the order of the cursor column `{column}`");
            let detail = format!(
                "After {first} came {then}, and the statement has a LIMIT: rows that it cut off may be smaller than \
                 the cursor by now, and would be passed over."
            );
            return Some(
                unfit(message, &detail).hint(format!("Write `order by {column}` before the LIMIT.")),
            );
        }
        self.repeats
            .as_ref()
            .filter(|_| has_no_overlap(cursor))
            .map(|value| {
                let message = format!("step `{step}`: the cursor column `{column}` is not unique");
                let detail = format!(
                    "Several rows have {value}; where a LIMIT ends between them, the rest would be passed over."
                );
                unfit(message, &detail).hint(
                    "Use a unique column such as the primary key, or remove `overlap: 0`, which reads such rows again.",
                )
            })
    }

    /// What a person should know, though no row is passed over now.
    pub(crate) fn doubtful(&self, cursor: &QueryCursor, step: &Name) -> Option<String> {
        let column = &cursor.column;
        if let Some((first, then)) = &self.falls {
            return Some(format!(
                "step {step}: rows do not come in the order of the cursor column {column} ({then} after {first}); \
                 write `order by {column}`, and use a column that grows at the moment a row becomes due"
            ));
        }
        let value = self.repeats.as_ref().filter(|_| has_no_overlap(cursor))?;
        Some(format!(
            "step {step}: several rows have {value} in the cursor column {column}; one that is written later with \
             that value would be passed over. Use a unique column, or an overlap"
        ))
    }
}

pub(crate) fn has_no_overlap(cursor: &QueryCursor) -> bool {
    match cursor.overlap {
        Some(Overlap::Ids(ids)) => ids == 0,
        Some(Overlap::Time(span)) => span.seconds() == 0,
        None => false,
    }
}

pub(crate) fn unfit(message: String, detail: &str) -> Failure {
    Failure::new(codes::CURSOR, Meaning::NotSent, message)
        .detail(format!("{detail} The cursor was not moved, so nothing is lost."))
}
