//! When a run stops sending because too much is rejected.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::parse_decimal;

/// How many records must have an outcome before a share says anything: one of one is no sign.
pub const LEAST_FOR_SHARE: u64 = 20;

/// When a run stops sending and asks for attention. What was not sent stays pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StopAfter {
    /// So many rejected records in one run; positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub after_rejected: Option<u64>,
    /// Such a share of rejected ones among those that have an outcome, from 20 records on: 0.2 is one in five.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_share: Option<Share>,
}

impl StopAfter {
    /// Tells whether a threshold is reached, where `ended` records have an outcome and `rejected` of them were
    /// rejected.
    pub fn is_reached(&self, rejected: u64, ended: u64) -> bool {
        let by_number = self.after_rejected.is_some_and(|most| rejected >= most);
        let by_share = ended >= LEAST_FOR_SHARE
            && self.after_share.is_some_and(|share| {
                u128::from(rejected) * 1_000 >= u128::from(ended) * u128::from(share.thousandths)
            });
        by_number || by_share
    }
}

/// A share above 0, at most 1, exact to the thousandth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    thousandths: u16,
}

impl Share {
    /// In thousandths.
    pub fn thousandths(self) -> u16 {
        self.thousandths
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (f64::from(self.thousandths) / 1_000.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = "is not a share: write a number above 0 and at most 1 with at most three digits behind the point, for example 0.2";
        let given = serde_json::Value::deserialize(deserializer)?;
        let text = match &given {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let thousandths = parse_decimal(&text)
            .and_then(|share| share.checked_mul(1_000.into()))
            .filter(rust_decimal::Decimal::is_integer)
            .and_then(|thousandths| u16::try_from(thousandths).ok())
            .filter(|thousandths| (1..=1_000).contains(thousandths));
        thousandths
            .map(|thousandths| Self { thousandths })
            .ok_or_else(|| serde::de::Error::custom(format!("{text} {wrong}")))
    }
}

impl JsonSchema for Share {
    fn schema_name() -> Cow<'static, str> {
        "Share".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "number",
            "minimum": 0.001,
            "maximum": 1,
            "description": "A share above 0 and at most 1, for example 0.2"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stop(json: &str) -> Result<StopAfter, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn a_number_and_a_share_stop_each_by_itself() {
        let number = stop(r#"{"after_rejected": 3}"#).unwrap();
        assert!(!number.is_reached(2, 2) && number.is_reached(3, 1_000_000));
        let share = stop(r#"{"after_share": 0.2}"#).unwrap();
        assert!(!share.is_reached(19, 19), "too few to say");
        assert!(!share.is_reached(3, 20) && share.is_reached(4, 20));
        assert!(!StopAfter::default().is_reached(1_000, 1_000));
    }

    #[test]
    fn a_share_is_between_nothing_and_all() {
        for wrong in ["0", "1.001", "-0.1", "0.0005", "\"many\"", "2"] {
            assert!(stop(&format!("{{\"after_share\": {wrong}}}")).is_err(), "{wrong}");
        }
        let whole = stop(r#"{"after_share": 1}"#).unwrap();
        assert_eq!(serde_json::to_string(&whole).unwrap(), r#"{"after_share":1.0}"#);
    }
}
