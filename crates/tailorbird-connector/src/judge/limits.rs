//! Reads what a provider says about its limits.
//!
//! Header families differ: X has three at once (15 minutes, and two of 24 hours), others spell
//! `X-RateLimit-Remaining` or `RateLimit-Remaining`. A reset is a point in time for some and a number of
//! seconds for others; the size of the number tells which.

use jiff::{SignedDuration, Timestamp};
use tailorbird_model::ports::BudgetReport;

use super::MAX_WAIT;
use crate::answer::http_date;
use crate::clock::{NOTABLE_SKEW_SECONDS, shifted};

/// Families that are read where a service names none.
const USUAL_FAMILIES: [&str; 3] = ["x-rate-limit", "x-ratelimit", "ratelimit"];

/// The most families read from one answer.
const MAX_FAMILIES: usize = 8;

/// Numbers from here on are seconds since 1970, smaller ones a span of seconds.
const LEAST_EPOCH_SECONDS: i64 = 1_000_000_000;
/// Numbers from here on are milliseconds since 1970.
const LEAST_EPOCH_MILLISECONDS: i64 = 1_000_000_000_000;

/// Reads every family of limit headers. `skew` is how far the provider's clock is ahead, so that resets
/// become times by our clock.
pub(crate) fn limit_reports(
    families: &[String],
    shared: &[String],
    headers: &[(String, String)],
    now: Timestamp,
    skew: i64,
) -> Vec<BudgetReport> {
    let named = families.iter().map(String::as_str);
    let usual = USUAL_FAMILIES.into_iter().take(if families.is_empty() {
        USUAL_FAMILIES.len()
    } else {
        0
    });
    named
        .chain(usual)
        .take(MAX_FAMILIES)
        // Most answers have none of a family, and the names of its headers need not be put together.
        .filter(|family| headers.iter().any(|(name, _)| begins_with(name, family)))
        .filter_map(|family| {
            let header = |member: &str| {
                let wanted = format!("{family}-{member}");
                headers
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case(&wanted))
                    .map(|(_, value)| value.trim())
            };
            let report = BudgetReport {
                family: family.to_owned(),
                limit: header("limit").and_then(first_number),
                remaining: header("remaining").and_then(first_number),
                reset_at: header("reset").and_then(|text| point(text, now, skew)),
                shared: shared.iter().any(|known| known.eq_ignore_ascii_case(family)),
            };
            (report.limit.is_some() || report.remaining.is_some()).then_some(report)
        })
        .collect()
}

fn begins_with(name: &str, family: &str) -> bool {
    name.get(..family.len())
        .is_some_and(|beginning| beginning.eq_ignore_ascii_case(family))
}

/// `100, 100;w=60` is a known spelling; the first number is the limit.
fn first_number(text: &str) -> Option<u64> {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// A reset or wait as a point in time by our clock.
fn point(text: &str, now: Timestamp, skew: i64) -> Option<Timestamp> {
    // `30, 30;w=60` and `30.5` are known spellings; a date begins with digits, too, but goes on otherwise.
    let number = text.split([',', ';', '.', ' ']).next().unwrap_or_default();
    let at = match number.parse::<i64>() {
        Ok(number) if number >= LEAST_EPOCH_MILLISECONDS => {
            ours(Timestamp::from_millisecond(number).ok()?, skew)
        }
        Ok(number) if number >= LEAST_EPOCH_SECONDS => ours(Timestamp::from_second(number).ok()?, skew),
        Ok(number) => now.checked_add(SignedDuration::from_secs(number)).ok()?,
        Err(_) => ours(http_date(text).or_else(|| text.parse().ok())?, skew),
    };
    // What lies beyond every known window is misread; then nothing is known.
    let latest = now.checked_add(MAX_WAIT).ok()?;
    (at <= latest).then_some(at)
}

fn ours(provider: Timestamp, skew: i64) -> Timestamp {
    if skew.abs() < NOTABLE_SKEW_SECONDS {
        provider
    } else {
        shifted(provider, -skew)
    }
}

/// Reads `Retry-After` (RFC 9110 §10.2.3): seconds or a date. Absurd values are cut to [`MAX_WAIT`].
pub(crate) fn retry_after(text: &str, now: Timestamp, skew: i64) -> Option<Timestamp> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = text.parse::<i64>().unwrap_or(i64::MAX).min(MAX_WAIT.as_secs());
        return now.checked_add(SignedDuration::from_secs(seconds)).ok();
    }
    http_date(text).map(|at| ours(at, skew).min(now.checked_add(MAX_WAIT).unwrap_or(at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-01T12:00:00Z".parse().unwrap()
    }

    fn headers(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn all_three_families_of_x_are_read() {
        let families = ["x-rate-limit", "x-app-limit-24hour", "x-user-limit-24hour"].map(str::to_owned);
        let reset = (now().as_second() + 600).to_string();
        let found = limit_reports(
            &families,
            &families[1..],
            &headers(&[
                ("x-rate-limit-limit", "100"),
                ("x-rate-limit-remaining", "99"),
                ("x-rate-limit-reset", &reset),
                ("x-user-limit-24hour-limit", "17"),
                ("X-User-Limit-24hour-Remaining", "0"),
            ]),
            now(),
            0,
        );
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].limit, found[0].remaining), (Some(100), Some(99)));
        assert!(!found[0].shared && found[1].shared);
        assert_eq!(
            found[0].reset_at,
            now().checked_add(SignedDuration::from_secs(600)).ok()
        );
        assert_eq!((found[1].remaining, found[1].reset_at), (Some(0), None));
    }

    #[test]
    fn resets_come_as_spans_points_and_by_a_wrong_clock() {
        let at = |text: &str, skew| point(text, now(), skew).map(|at| at.duration_since(now()).as_secs());
        let epoch = now().as_second();
        assert_eq!(at("30", 0), Some(30));
        assert_eq!(at(&(epoch + 30).to_string(), 0), Some(30));
        assert_eq!(at(&format!("{}000", epoch + 30), 0), Some(30));
        assert_eq!(at("2026-11-01T12:00:30Z", 0), Some(30));
        // The provider is 412 seconds ahead of us: its 442 are our 30.
        assert_eq!(at(&(epoch + 442).to_string(), 412), Some(30));
        assert_eq!(at("99999999", 0), None);
        assert_eq!(at("soon", 0), None);
    }

    #[test]
    fn retry_after_is_read_in_both_forms_and_bounded() {
        let after = |text: &str| retry_after(text, now(), 0).map(|at| at.duration_since(now()).as_secs());
        assert_eq!(after("120"), Some(120));
        assert_eq!(after("Sun, 01 Nov 2026 12:02:00 GMT"), Some(120));
        assert_eq!(after("99999999999999999999"), Some(MAX_WAIT.as_secs()));
        assert_eq!(after("0"), Some(0));
        assert_eq!(after("a while"), None);
    }
}
