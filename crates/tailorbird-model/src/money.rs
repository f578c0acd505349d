//! Amounts of money: exact, in millionths, and what may be spent in a period.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::Offset;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Millionths in one unit of a currency.
const MILLIONTHS: i64 = 1_000_000;
/// Digits behind the point.
const DECIMALS: usize = 6;
/// The greatest amount, in units.
const MAX_UNITS: i64 = 1_000_000_000_000;

/// An amount of money of one currency, exact to the millionth, never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Amount(i64);

impl Amount {
    /// An amount of so many millionths; negative ones count as none.
    pub fn from_millionths(millionths: i64) -> Self {
        Self(millionths.max(0))
    }

    /// In millionths.
    pub fn millionths(self) -> i64 {
        self.0
    }

    /// So many times the amount.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(i64::try_from(count).unwrap_or(i64::MAX)))
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:06}", self.0 % MILLIONTHS);
        let cut = digits.trim_end_matches('0');
        // Money has two digits behind the point at least.
        write!(f, "{}.{cut:0<2}", self.0 / MILLIONTHS)
    }
}

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is not an amount: write digits with at most {DECIMALS} behind a point, for example 0.015"
            )
        };
        let (units, rest) = text.split_once('.').unwrap_or((text, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if units.is_empty() || !all_digits(units) || !all_digits(rest) || rest.len() > DECIMALS {
            return Err(wrong());
        }
        let units: i64 = units.parse().map_err(|_| wrong())?;
        let rest: i64 = format!("{rest:0<6}").parse().map_err(|_| wrong())?;
        if units > MAX_UNITS {
            return Err(wrong());
        }
        Ok(Self(units * MILLIONTHS + rest))
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Amount {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[0-9]{1,12}([.][0-9]{1,6})?$",
            "description": "An amount of money in quotes, for example \"0.015\""
        })
    }
}

/// How long a cap holds until it begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// A calendar day in UTC.
    Day,
    /// A calendar month in UTC.
    Month,
}

impl Period {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Day, Self::Month];

    /// The word in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// When the period that holds a moment began, and when the next one begins.
    pub fn around(self, now: Timestamp) -> (Timestamp, Timestamp) {
        let today = Offset::UTC.to_datetime(now).date();
        let first = match self {
            Self::Day => today,
            Self::Month => today.first_of_month(),
        };
        let next = match self {
            Self::Day => first.tomorrow(),
            Self::Month => first.last_of_month().tomorrow(),
        };
        let midnight = |date: Date| {
            let start = date.to_datetime(Time::midnight());
            Offset::UTC.to_timestamp(start).unwrap_or(Timestamp::MAX)
        };
        (midnight(first), next.map_or(Timestamp::MAX, midnight))
    }
}

/// The most that may be spent over a connection in a period: the setting `spending_cap`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpendingCap {
    /// How much.
    pub amount: Amount,
    /// In which time.
    pub period: Period,
}

impl FromStr for SpendingCap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| {
            format!(
                "{text:?} is not a spending cap ({why}): write an amount and /day or /month, for example 25.00/day"
            )
        };
        let (amount, period) = text
            .trim()
            .split_once('/')
            .ok_or_else(|| wrong("it names no period"))?;
        let period = Period::ALL
            .into_iter()
            .find(|known| known.as_str() == period.trim())
            .ok_or_else(|| wrong("its period is neither day nor month"))?;
        let amount = amount.trim().parse().map_err(|problem: String| wrong(&problem))?;
        Ok(Self { amount, period })
    }
}

impl fmt::Display for SpendingCap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.amount, self.period.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_and_say_what_is_wrong() {
        let amount = |text: &str| text.parse::<Amount>();
        assert_eq!(amount("0.015").unwrap().millionths(), 15_000);
        assert_eq!(amount("0.015").unwrap().times(3).to_string(), "0.045");
        assert_eq!(amount("25").unwrap().to_string(), "25.00");
        assert_eq!(amount("0.000001").unwrap().to_string(), "0.000001");
        // As a float this would be 0.30000000000000004.
        assert_eq!(
            amount("0.1").unwrap().plus(amount("0.2").unwrap()).to_string(),
            "0.30"
        );
        for wrong in [
            "",
            ".5",
            "-1",
            "1,5",
            "1e3",
            "0.0000001",
            "1000000000001",
            "1.2.3",
            " 1",
        ] {
            assert!(amount(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_cap_has_an_amount_and_a_period() {
        let cap: SpendingCap = "25.00/day".parse().unwrap();
        assert_eq!((cap.to_string().as_str(), cap.period), ("25.00/day", Period::Day));
        for wrong in ["25.00", "25/week", "x/day", "/day"] {
            assert!(wrong.parse::<SpendingCap>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn periods_begin_at_midnight_utc() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(
            Period::Day.around(at("2026-12-31T23:59:59Z")),
            (at("2026-12-31T00:00:00Z"), at("2027-01-01T00:00:00Z"))
        );
        assert_eq!(
            Period::Month.around(at("2028-02-29T12:00:00Z")),
            (at("2028-02-01T00:00:00Z"), at("2028-03-01T00:00:00Z"))
        );
    }
}
