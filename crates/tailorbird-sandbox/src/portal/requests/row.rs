//! One request on a line.

use std::sync::Arc;

use jiff::Timestamp;

use crate::Shared;
use crate::portal::view::{Badge, When, shortened};
use crate::record::Received;

/// A line of the table.
pub(in crate::portal) struct Row {
    /// The number.
    pub n: u64,
    /// When it arrived.
    pub at: When,
    /// The method.
    pub method: String,
    /// How the method is coloured.
    pub method_tone: &'static str,
    /// Path and query.
    pub path: String,
    /// The status answered, or a dash.
    pub status: String,
    /// The verdict.
    pub verdict: Badge,
    /// Who asked.
    pub caller: String,
}

/// What became of a request, as the filter names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Done as asked.
    Accepted,
    /// The signature, key or token was found wrong.
    Unauthenticated,
    /// Signed well, and refused for another reason.
    Refused,
    /// A fault was played on it.
    Fault,
    /// A page, shown to a person.
    Page,
}

impl Outcome {
    /// All of them, in the order of the filter.
    pub(super) const ALL: [Self; 5] = [
        Self::Accepted,
        Self::Unauthenticated,
        Self::Refused,
        Self::Fault,
        Self::Page,
    ];

    /// Judges a request.
    pub(super) fn of(received: &Received) -> Self {
        if received.fault.is_some() {
            return Self::Fault;
        }
        let ok = received.status.is_some_and(|status| status < 400);
        match received.verified {
            Some(false) => Self::Unauthenticated,
            None if is_page(received) => Self::Page,
            _ if ok => Self::Accepted,
            None if received.status == Some(401) => Self::Unauthenticated,
            _ => Self::Refused,
        }
    }

    /// The word in addresses.
    pub(super) const fn value(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Unauthenticated => "unauthenticated",
            Self::Refused => "refused",
            Self::Fault => "fault",
            Self::Page => "page",
        }
    }

    /// The word on the page.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::Unauthenticated => "Not authenticated",
            Self::Refused => "Refused",
            Self::Fault => "Fault played",
            Self::Page => "Page",
        }
    }

    /// Shape, word and colour.
    pub(super) fn badge(self) -> Badge {
        let (tone, shape) = match self {
            Self::Accepted => ("ok", "●"),
            Self::Unauthenticated => ("bad", "✕"),
            Self::Refused => ("wait", "▲"),
            Self::Fault => ("doubt", "◆"),
            Self::Page => ("", "○"),
        };
        Badge::new(tone, shape, self.word())
    }
}

fn is_page(received: &Received) -> bool {
    matches!(received.path.as_str(), "/oauth/authorize" | "/oauth/authenticate")
}

/// How a method is coloured.
pub(super) fn method_tone(method: &str) -> &'static str {
    match method {
        "GET" | "HEAD" | "OPTIONS" => "read",
        "DELETE" => "drop",
        _ => "write",
    }
}

/// Path and query in one.
pub(super) fn target(received: &Received) -> String {
    if received.query.is_empty() {
        received.path.clone()
    } else {
        format!("{}?{}", received.path, received.query)
    }
}

/// Who asked: the account, else the client key, else what is known of the rest.
pub(super) fn caller(received: &Received) -> String {
    match (&received.account, &received.client_key) {
        (Some(account), _) => format!("@{account}"),
        (None, Some(key)) => format!("key {}", shortened(key)),
        (None, None) if is_page(received) => "a person".to_owned(),
        // A fault that strikes first: nothing was read.
        (None, None) if received.fault.is_some() => "not looked at".to_owned(),
        (None, None) => "unsigned".to_owned(),
    }
}

/// A request as a line.
pub(super) fn row(received: &Received, now: Timestamp) -> Row {
    Row {
        n: received.number,
        at: When::new(received.at, now),
        method: received.method.clone(),
        method_tone: method_tone(&received.method),
        path: target(received),
        status: received
            .status
            .map_or_else(|| "–".to_owned(), |status| status.to_string()),
        verdict: Outcome::of(received).badge(),
        caller: caller(received),
    }
}

/// The newest requests that are no pages.
pub(in crate::portal) fn newest(shared: &Shared, most: usize) -> Vec<Row> {
    let now = shared.clock.now();
    shared
        .record
        .newest_first()
        .iter()
        .map(Arc::as_ref)
        .filter(|received| Outcome::of(received) != Outcome::Page)
        .take(most)
        .map(|received| row(received, now))
        .collect()
}
