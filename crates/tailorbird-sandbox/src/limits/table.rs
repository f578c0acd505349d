//! The limits of each endpoint: X's published figures, per 15 minutes and per 24 hours.
//!
//! Patterns are compared segment by segment; `*` stands for one segment. Where X's page gives no figure for an
//! endpoint, `ELSEWHERE` applies.

use http::Method;

/// The limits of one endpoint; `None` means X has none of that kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// The method.
    pub method: &'static str,
    /// The path, `*` for one variable segment; v1.1 without `.json`.
    pub pattern: &'static str,
    /// Calls of one application in a window.
    pub app: Option<u64>,
    /// Calls for one account in a window.
    pub user: Option<u64>,
    /// Calls of one application in 24 hours.
    pub app_day: Option<u64>,
    /// Calls for one account in 24 hours.
    pub user_day: Option<u64>,
    /// Seconds of the window.
    pub window_s: u64,
}

/// Seconds of the usual window.
const QUARTER_HOUR_S: u64 = 900;

const fn per_window(method: &'static str, pattern: &'static str, app: u64, user: u64) -> Endpoint {
    // X's table writes a dash where there is no limit of that kind; here that is 0.
    Endpoint {
        method,
        pattern,
        app: if app == 0 { None } else { Some(app) },
        user: if user == 0 { None } else { Some(user) },
        app_day: None,
        user_day: None,
        window_s: QUARTER_HOUR_S,
    }
}

const fn with_days(endpoint: Endpoint, app_day: u64, user_day: u64) -> Endpoint {
    Endpoint {
        app_day: if app_day == 0 { None } else { Some(app_day) },
        user_day: if user_day == 0 { None } else { Some(user_day) },
        ..endpoint
    }
}

const fn with_window(endpoint: Endpoint, window_s: u64) -> Endpoint {
    Endpoint { window_s, ..endpoint }
}

/// What applies where X's pages give no figure.
pub(crate) const ELSEWHERE: Endpoint = per_window("*", "*", 0, 180);

/// X's table, more special patterns first.
pub(crate) const TABLE: &[Endpoint] = &[
    // Posts
    with_days(per_window("POST", "/2/tweets", 0, 100), 10_000, 10_000),
    per_window("DELETE", "/2/tweets/*", 0, 50),
    per_window("GET", "/2/tweets", 3_500, 5_000),
    per_window("GET", "/2/tweets/search/recent", 450, 300),
    per_window("GET", "/2/tweets/search/all", 300, 0),
    per_window("GET", "/2/tweets/counts/recent", 300, 300),
    per_window("GET", "/2/tweets/*", 450, 900),
    per_window("PUT", "/2/tweets/*/hidden", 0, 50),
    // Timelines
    per_window("GET", "/2/users/*/tweets", 10_000, 900),
    per_window("GET", "/2/users/*/mentions", 450, 300),
    per_window("GET", "/2/users/*/timelines/reverse_chronological", 0, 180),
    // Accounts
    per_window("GET", "/2/users/me", 0, 75),
    per_window("GET", "/2/users", 300, 900),
    per_window("GET", "/2/users/by", 300, 900),
    per_window("GET", "/2/users/search", 300, 900),
    per_window("GET", "/2/users/by/username/*", 300, 900),
    per_window("GET", "/2/users/*/followers", 300, 300),
    per_window("GET", "/2/users/*/following", 300, 300),
    per_window("POST", "/2/users/*/following", 0, 50),
    per_window("DELETE", "/2/users/*/following/*", 0, 50),
    per_window("POST", "/2/users/*/retweets", 0, 50),
    per_window("DELETE", "/2/users/*/retweets/*", 0, 50),
    with_days(per_window("POST", "/2/users/*/likes", 0, 50), 0, 1_000),
    with_days(per_window("DELETE", "/2/users/*/likes/*", 0, 50), 0, 1_000),
    per_window("GET", "/2/users/*/owned_lists", 15, 15),
    per_window("GET", "/2/users/*", 300, 900),
    // Direct messages
    with_days(
        per_window("POST", "/2/dm_conversations/with/*/messages", 0, 15),
        1_440,
        1_440,
    ),
    with_days(
        per_window("POST", "/2/dm_conversations/*/messages", 0, 15),
        1_440,
        1_440,
    ),
    with_days(per_window("POST", "/2/dm_conversations", 0, 15), 1_440, 1_440),
    per_window("GET", "/2/dm_conversations/with/*/dm_events", 0, 15),
    per_window("GET", "/2/dm_conversations/*/dm_events", 0, 15),
    per_window("GET", "/2/dm_events", 0, 15),
    per_window("GET", "/2/dm_events/*", 0, 15),
    with_days(per_window("DELETE", "/2/dm_events/*", 0, 300), 4_000, 1_500),
    // Lists
    per_window("POST", "/2/lists", 0, 300),
    per_window("PUT", "/2/lists/*", 0, 300),
    per_window("DELETE", "/2/lists/*", 0, 300),
    per_window("POST", "/2/lists/*/members", 0, 300),
    per_window("DELETE", "/2/lists/*/members/*", 0, 300),
    per_window("GET", "/2/lists/*/tweets", 900, 900),
    per_window("GET", "/2/lists/*/members", 900, 900),
    per_window("GET", "/2/lists/*", 75, 75),
    // Media
    per_window("POST", "/2/media/upload/initialize", 0, 1_875),
    per_window("POST", "/2/media/upload/*/append", 0, 1_875),
    per_window("POST", "/2/media/upload/*/finalize", 0, 1_875),
    per_window("POST", "/2/media/upload", 0, 1_875),
    per_window("GET", "/2/media/upload", 0, 1_000),
    // v1.1, in its own days
    with_window(per_window("POST", "/1.1/statuses/update", 0, 300), 10_800),
    per_window("GET", "/1.1/statuses/user_timeline", 1_500, 900),
    per_window("GET", "/1.1/statuses/home_timeline", 0, 15),
    per_window("GET", "/1.1/statuses/mentions_timeline", 0, 75),
    per_window("GET", "/1.1/account/verify_credentials", 0, 75),
    per_window("GET", "/1.1/account/settings", 0, 15),
    per_window("GET", "/1.1/users/show", 900, 900),
    per_window("GET", "/1.1/followers/ids", 15, 15),
    per_window("GET", "/1.1/application/rate_limit_status", 180, 180),
    with_days(
        per_window("POST", "/1.1/direct_messages/events/new", 0, 15),
        15_000,
        1_000,
    ),
    per_window("GET", "/1.1/direct_messages/events/list", 0, 15),
    per_window("POST", "/1.1/media/upload", 0, 615),
];

/// The place of an endpoint in [`TABLE`], or `None` for [`ELSEWHERE`].
pub(crate) fn find(method: &Method, path: &str) -> Option<usize> {
    let path = path.strip_suffix(".json").unwrap_or(path);
    TABLE
        .iter()
        .position(|endpoint| endpoint.method == method.as_str() && matches(endpoint.pattern, path))
}

fn matches(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given || (wanted == "*" && !given.is_empty()) => {}
            _ => return false,
        }
    }
}
