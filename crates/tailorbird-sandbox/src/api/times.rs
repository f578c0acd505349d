//! How X writes moments: RFC 3339 with milliseconds in v2, its own form in v1.1.

use jiff::Timestamp;

/// `2026-11-23T09:15:00.000Z`, as v2 writes it.
pub(crate) fn v2(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// `Mon Nov 23 09:15:00 +0000 2026`, as v1.1 writes it.
pub(crate) fn v1(at: Timestamp) -> String {
    at.strftime("%a %b %d %H:%M:%S +0000 %Y").to_string()
}
