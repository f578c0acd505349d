//! Our values to MiniJinja's and back, without losing a type.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use minijinja::Value as Jinja;
use minijinja::value::{DynObject, Object, Serde, ValueKind};
use rust_decimal::Decimal;

use crate::Value;
use crate::value::parse_decimal;

/// A value of a type that MiniJinja lacks. It prints as its text and comes back as itself.
#[derive(Debug)]
pub(super) struct Typed(pub(super) Value);

impl Object for Typed {
    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }

    /// Only equal types compare, so that `sort` and `==` between two columns are exact.
    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        match (&self.0, &other.downcast_ref::<Self>()?.0) {
            (Value::Decimal(a), Value::Decimal(b)) => Some(a.cmp(b)),
            (Value::Timestamp(a), Value::Timestamp(b)) => Some(a.cmp(b)),
            (Value::Date(a), Value::Date(b)) => Some(a.cmp(b)),
            (Value::Bytes(a), Value::Bytes(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

pub(super) fn to_jinja(value: &Value) -> Jinja {
    match value {
        Value::Null => Jinja::from(()),
        Value::Boolean(truth) => Jinja::from(*truth),
        Value::Integer(number) => Jinja::from(*number),
        Value::Text(text) => Jinja::from(text.as_str()),
        Value::Json(json) => Jinja::from(Serde(json)),
        typed => Jinja::from_object(Typed(typed.clone())),
    }
}

pub(super) fn decimal(number: Decimal) -> Jinja {
    Jinja::from_object(Typed(Value::Decimal(number)))
}

pub(super) fn from_jinja(value: &Jinja) -> Result<Value, String> {
    if let Some(typed) = value.downcast_object_ref::<Typed>() {
        return Ok(typed.0.clone());
    }
    match value.kind() {
        ValueKind::None => Ok(Value::Null),
        ValueKind::Bool => Ok(Value::Boolean(value.is_true())),
        ValueKind::String => Ok(Value::Text(value.as_str().unwrap_or_default().to_owned())),
        ValueKind::Bytes => Ok(Value::Bytes(value.as_bytes().unwrap_or_default().to_vec())),
        ValueKind::Number => {
            if value.is_integer()
                && let Some(number) = value.as_i64()
            {
                return Ok(Value::Integer(number));
            }
            let digits = value.to_string();
            parse_decimal(&digits)
                .map(Value::Decimal)
                .ok_or_else(|| format!("{digits} is too large for an exact number"))
        }
        ValueKind::Undefined => Err("the value is not defined".to_owned()),
        _ => serde_json::to_value(Serde(value.clone()).0)
            .map(Value::Json)
            .map_err(|_| format!("a value of kind {} cannot be used here", value.kind())),
    }
}

/// The number behind a value: an exact decimal, an integer, or text that is a number.
pub(super) fn as_decimal(value: &Jinja) -> Option<Decimal> {
    if let Some(typed) = value.downcast_object_ref::<Typed>() {
        return match &typed.0 {
            Value::Decimal(number) => Some(*number),
            _ => None,
        };
    }
    match value.kind() {
        ValueKind::Number => parse_decimal(&value.to_string()),
        ValueKind::String => parse_decimal(value.as_str()?.trim()),
        _ => None,
    }
}
