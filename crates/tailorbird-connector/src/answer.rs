//! What a provider answered, as a plain value.

use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use tailorbird_model::ports::BudgetReport;
use tailorbird_model::service::Service;

use crate::authenticate::Stamp;
use crate::clock::skew_seconds;
use crate::judge::limit_reports;
use crate::request::{mask_headers, mask_text};
use crate::transport::WireAnswer;

/// An answer with what every reader wants to know of it.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers in their order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed.
    pub body: Bytes,
    /// The body as JSON, where it is JSON.
    pub json: Option<serde_json::Value>,
    /// The access level that the provider reports, in its own word.
    pub level: Option<String>,
    /// What it said about limits; times are by our clock.
    pub reports: Vec<BudgetReport>,
    /// The provider's time.
    pub date: Option<Timestamp>,
    /// When the answer came, by our clock.
    pub received_at: Timestamp,
    /// Why the body is not whole, where it is not. The status holds all the same.
    pub cut: Option<String>,
    /// What the connector did on the way that a person should know, in whole sentences.
    pub notes: Vec<String>,
    /// What the request was signed with, where it was signed.
    pub stamp: Option<Stamp>,
    /// Seconds that the provider's clock is ahead of ours, where it told its time.
    pub skew_seconds: Option<i64>,
}

impl Answer {
    pub(crate) fn read(service: &Service, wire: WireAnswer, received_at: Timestamp) -> Self {
        let header = |name: &str| find(&wire.headers, name);
        let date = header("date").and_then(http_date);
        let skew = date.map(|date| skew_seconds(date, received_at));
        let level = service
            .level
            .as_ref()
            .and_then(|report| header(&report.header))
            .map(str::to_owned);
        let reports = limit_reports(
            &service.limit_headers,
            &service.shared_limit_headers,
            &wire.headers,
            received_at,
            skew.unwrap_or_default(),
        );
        let json = if wire.cut.is_some() {
            None
        } else {
            serde_json::from_slice(&wire.body).ok()
        };
        Self {
            status: wire.status,
            json,
            level,
            reports,
            date,
            received_at,
            cut: wire.cut,
            notes: Vec::new(),
            stamp: None,
            skew_seconds: skew,
            headers: wire.headers,
            body: wire.body,
        }
    }

    /// The first header of a name; letter case does not matter.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// Tells whether the status is one of success (RFC 9110 §15.3).
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The headers as people may see them.
    pub fn masked_headers(&self) -> Vec<(String, String)> {
        mask_headers(&self.headers)
    }

    /// The whole body as people may see it, secrets masked.
    pub fn masked_body(&self) -> String {
        mask_text(self.header("content-type").unwrap_or_default(), &self.body)
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(given, _)| given.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

/// Reads a date in the form that servers send (RFC 9110 §5.6.7).
pub(crate) fn http_date(text: &str) -> Option<Timestamp> {
    // "GMT" is an obsolete zone of RFC 2822, which the parser knows; a wrong weekday is no reason to lose
    // the time.
    DateTimeParser::new()
        .relaxed_weekday(true)
        .parse_timestamp(text.trim())
        .ok()
}

#[cfg(test)]
mod tests {
    use super::http_date;

    #[test]
    fn a_date_header_is_read() {
        assert_eq!(
            http_date("Sun, 06 Nov 1994 08:49:37 GMT"),
            "1994-11-06T08:49:37Z".parse().ok()
        );
        assert_eq!(http_date("yesterday"), None);
    }
}
