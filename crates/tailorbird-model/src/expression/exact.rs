//! Filters and tests that are exact for decimals, and the ones that texts need.

use std::cmp::Ordering;

use minijinja::{Environment, Error, ErrorKind, Value as Jinja};
use rust_decimal::{Decimal, RoundingStrategy};

use super::convert::{Typed, as_decimal, decimal};
use crate::Value;

/// The greatest number of decimal places of `round`, `number` and `divided_by`.
const MAX_PLACES: u32 = 20;

pub(super) fn install(environment: &mut Environment<'static>) {
    environment.add_filter("plus", |a: &Jinja, b: &Jinja| {
        calculate(a, b, Decimal::checked_add)
    });
    environment.add_filter("minus", |a: &Jinja, b: &Jinja| {
        calculate(a, b, Decimal::checked_sub)
    });
    environment.add_filter("times", |a: &Jinja, b: &Jinja| {
        calculate(a, b, Decimal::checked_mul)
    });
    environment.add_filter("divided_by", |a: &Jinja, b: &Jinja, places: Option<u32>| {
        let quotient = exact(a)?.checked_div(exact(b)?).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidOperation,
                "division by zero, or the result is too large",
            )
        })?;
        Ok::<_, Error>(decimal(round_to(quotient, places.unwrap_or(2))?))
    });
    environment.add_filter("round", |a: &Jinja, places: Option<u32>| {
        Ok::<_, Error>(decimal(round_to(exact(a)?, places.unwrap_or(0))?))
    });
    environment.add_filter("number", |a: &Jinja, places: Option<u32>| {
        let number = exact(a)?;
        let places = places.unwrap_or_else(|| number.scale());
        Ok::<_, Error>(grouped(round_to(number, places)?, places))
    });
    environment.add_filter("money", |a: &Jinja, currency: String| money(exact(a)?, &currency));
    environment.add_filter("date", date);
    environment.add_filter("shorten", shorten);
    for (name, accepts) in COMPARISONS {
        environment.add_test(*name, move |a: &Jinja, b: &Jinja| compare(a, b).map(accepts));
    }
    environment.remove_filter("float");
    for name in MULTIPLYING_FILTERS {
        environment.remove_filter(name);
    }
    for name in MULTIPLYING_FUNCTIONS {
        environment.remove_global(name);
    }
}

/// Filters that build lists of lists, or put one value into a list many times. Shared values cost MiniJinja
/// next to nothing until they are written out, and a few such steps are more than any memory holds.
const MULTIPLYING_FILTERS: [&str; 7] = ["zip", "chain", "batch", "slice", "groupby", "map", "pprint"];

/// Functions that do the same; with `namespace`, a loop could also nest deeper than the stack can print.
const MULTIPLYING_FUNCTIONS: [&str; 3] = ["dict", "namespace", "debug"];

type Accepts = fn(Ordering) -> bool;

const COMPARISONS: &[(&str, Accepts)] = &[
    ("eq", Ordering::is_eq),
    ("equalto", Ordering::is_eq),
    ("ne", Ordering::is_ne),
    ("gt", Ordering::is_gt),
    ("greaterthan", Ordering::is_gt),
    ("ge", Ordering::is_ge),
    ("lt", Ordering::is_lt),
    ("lessthan", Ordering::is_lt),
    ("le", Ordering::is_le),
];

fn exact(value: &Jinja) -> Result<Decimal, Error> {
    as_decimal(value).ok_or_else(|| {
        let words = if value.is_none() {
            "null".to_owned()
        } else {
            format!("{:?}", value.to_string())
        };
        Error::new(ErrorKind::InvalidOperation, format!("{words} is not a number"))
    })
}

fn calculate(
    a: &Jinja,
    b: &Jinja,
    operation: fn(Decimal, Decimal) -> Option<Decimal>,
) -> Result<Jinja, Error> {
    operation(exact(a)?, exact(b)?)
        .map(decimal)
        .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "the result has more than 28 digits"))
}

/// Compares numbers exactly, and other values of one type; anything else is an error, not false.
fn compare(a: &Jinja, b: &Jinja) -> Result<Ordering, Error> {
    if let (Some(a), Some(b)) = (as_decimal(a), as_decimal(b)) {
        return Ok(a.cmp(&b));
    }
    if let (Some(a), Some(b)) = (a.downcast_object_ref::<Typed>(), b.downcast_object_ref::<Typed>()) {
        match (&a.0, &b.0) {
            (Value::Timestamp(a), Value::Timestamp(b)) => return Ok(a.cmp(b)),
            (Value::Date(a), Value::Date(b)) => return Ok(a.cmp(b)),
            _ => {}
        }
    }
    if a.kind() == b.kind() && !a.is_none() && a.downcast_object_ref::<Typed>().is_none() {
        return Ok(a.cmp(b));
    }
    Err(Error::new(
        ErrorKind::InvalidOperation,
        format!("{} and {} cannot be compared", kind_name(a), kind_name(b)),
    ))
}

fn kind_name(value: &Jinja) -> String {
    value.downcast_object_ref::<Typed>().map_or_else(
        || {
            if value.is_none() {
                "null".to_owned()
            } else {
                value.kind().to_string()
            }
        },
        |typed| typed.0.type_name().to_owned(),
    )
}

fn round_to(number: Decimal, places: u32) -> Result<Decimal, Error> {
    if places > MAX_PLACES {
        let message = format!("{places} decimal places are too many; at most {MAX_PLACES} are kept");
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    let mut rounded = number.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
    rounded.rescale(places);
    Ok(rounded)
}

/// Thousands set apart by commas, as in 12,500.00.
fn grouped(number: Decimal, places: u32) -> String {
    let digits = format!("{:.*}", usize::try_from(places).unwrap_or_default(), number.abs());
    let (whole, fraction) = digits
        .split_once('.')
        .map_or((digits.as_str(), None), |(w, f)| (w, Some(f)));
    let mut out = String::with_capacity(digits.len() + 8);
    if number.is_sign_negative() && !number.is_zero() {
        out.push('-');
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// Sign and decimal places of the currencies that have a sign everybody reads (ISO 4217 minor units).
const CURRENCIES: &[(&str, &str, u32)] = &[
    ("EUR", "€", 2),
    ("GBP", "£", 2),
    ("USD", "$", 2),
    ("JPY", "¥", 0),
    ("INR", "₹", 2),
    ("KRW", "₩", 0),
];

/// An amount with its currency: `€24.50`, or `CHF 24.50` where there is no common sign.
fn money(amount: Decimal, currency: &str) -> Result<String, Error> {
    let code = currency.trim().to_uppercase();
    if code.len() != 3 || !code.chars().all(|c| c.is_ascii_uppercase()) {
        let message = format!("{currency:?} is not a currency code of three letters, for example EUR");
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    let known = CURRENCIES.iter().find(|(name, ..)| *name == code);
    let places = known.map_or(2, |(_, _, places)| *places);
    let number = grouped(round_to(amount.abs(), places)?, places);
    let sign = if amount.is_sign_negative() && !amount.is_zero() {
        "-"
    } else {
        ""
    };
    Ok(known.map_or_else(
        || format!("{sign}{code} {number}"),
        |(_, symbol, _)| format!("{sign}{symbol}{number}"),
    ))
}

/// A date or time in a strftime form, `%d %B %Y` where none is given.
fn date(value: &Jinja, format: Option<String>) -> Result<String, Error> {
    let format = format.unwrap_or_else(|| "%d %B %Y".to_owned());
    let wrong = |message: String| Error::new(ErrorKind::InvalidOperation, message);
    let text = value.to_string();
    let printed = match value.downcast_object_ref::<Typed>().map(|typed| &typed.0) {
        Some(Value::Timestamp(time)) => {
            jiff::fmt::strtime::format(&format, &time.to_zoned_datetime(jiff::tz::TimeZone::UTC))
        }
        Some(Value::Date(day)) => jiff::fmt::strtime::format(&format, *day),
        _ => match (text.parse::<jiff::Timestamp>(), text.parse::<jiff::civil::Date>()) {
            (Ok(time), _) => {
                jiff::fmt::strtime::format(&format, &time.to_zoned_datetime(jiff::tz::TimeZone::UTC))
            }
            (_, Ok(day)) => jiff::fmt::strtime::format(&format, day),
            _ => return Err(wrong(format!("{text:?} is not a date or time"))),
        },
    };
    printed.map_err(|error| wrong(error.to_string()))
}

/// At most so many characters, the last of them `…` where something was cut; whole words where possible.
fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    let cut = match kept.rsplit_once(' ') {
        Some((words, _)) if words.chars().count() * 2 >= most => words,
        _ => kept.as_str(),
    };
    format!("{}…", cut.trim_end())
}
