//! Rate limits: a window of (mostly) 15 minutes per account and per application, and a day for writes.
//!
//! A window begins with the first call in it and is over, whole, when its time is up, as X's `reset` header
//! promises. Counts are in memory only: a restart is a new window.

mod table;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::oauth::Caller;
use crate::settings::LimitMode;
use table::{ELSEWHERE, Endpoint, TABLE};

/// Seconds of a day window.
const DAY_S: u64 = 86_400;
/// The limit that the headers show when limits are off.
const GENEROUS: u64 = 1_000_000;
/// Windows kept before those that are over are swept out.
const WINDOWS_SWEEP: usize = 20_000;

/// Whose calls are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Span {
    App,
    User,
    AppDay,
    UserDay,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Bucket {
    endpoint: Option<usize>,
    span: Span,
    /// The application's id, and for account spans the account's id, too: X counts per token.
    application: u64,
    account: u64,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    began_s: u64,
    used: u64,
}

/// What one span of one endpoint has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    /// Calls allowed in the window.
    pub limit: u64,
    /// Calls left, this one taken off.
    pub remaining: u64,
    /// The second since the Unix epoch at which the window is over.
    pub reset_s: u64,
}

/// What the limits say to one call.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    /// The span that is used up, in words; none where the call may go on.
    pub exceeded: Option<&'static str>,
    /// When the exceeded span (else the usual window) is over, in seconds since the Unix epoch.
    pub reset_s: u64,
    window: Option<Left>,
    app_day: Option<Left>,
    user_day: Option<Left>,
}

/// One row for `application/rate_limit_status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Status {
    /// The endpoint's method.
    pub method: &'static str,
    /// The endpoint's path, `*` for a variable segment.
    pub pattern: &'static str,
    /// What is left of it.
    pub left: Left,
}

/// All counters.
pub(crate) struct Limits {
    mode: LimitMode,
    windows: Mutex<HashMap<Bucket, Window>>,
}

impl Limits {
    /// Counters at zero.
    pub(crate) fn new(mode: LimitMode) -> Self {
        Self {
            mode,
            windows: Mutex::default(),
        }
    }

    /// Counts a call. Nothing is counted for a call that some span refuses, so that a client that hammers
    /// does not use up its day.
    pub(crate) fn take(&self, method: &Method, path: &str, caller: &Caller, now_s: u64) -> Taken {
        let index = table::find(method, path);
        let endpoint = index
            .and_then(|index| TABLE.get(index))
            .copied()
            .unwrap_or(ELSEWHERE);
        if self.mode == LimitMode::Off {
            return generous(&endpoint, now_s);
        }
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() > WINDOWS_SWEEP {
            windows.retain(|_, window| window.began_s.saturating_add(DAY_S) > now_s);
        }
        let spans = spans(&endpoint);
        let mut exceeded = None;
        for (span, limit, length_s, words) in spans.iter().copied() {
            let window = *current(&mut windows, bucket(index, span, caller), length_s, now_s);
            if window.used >= limit {
                exceeded = Some((words, window.began_s.saturating_add(length_s)));
                break;
            }
        }
        let mut taken = Taken {
            exceeded: exceeded.map(|(words, _)| words),
            reset_s: now_s,
            window: None,
            app_day: None,
            user_day: None,
        };
        for (span, limit, length_s, _) in spans {
            let window = current(&mut windows, bucket(index, span, caller), length_s, now_s);
            if exceeded.is_none() {
                window.used = window.used.saturating_add(1);
            }
            let left = Left {
                limit,
                remaining: limit.saturating_sub(window.used),
                reset_s: window.began_s.saturating_add(length_s),
            };
            match span {
                Span::AppDay => taken.app_day = Some(left),
                Span::UserDay => taken.user_day = Some(left),
                // One header family shows both window spans: the one that ends first for the client.
                Span::App | Span::User => {
                    if taken.window.is_none_or(|shown| left.remaining < shown.remaining) {
                        taken.window = Some(left);
                    }
                }
            }
        }
        taken.reset_s = exceeded.map_or_else(
            || taken.window.map_or(now_s, |left| left.reset_s),
            |(_, reset)| reset,
        );
        taken
    }

    /// What is left of every endpoint of the table for this caller, without counting anything.
    pub(crate) fn status(&self, caller: &Caller, now_s: u64) -> Vec<Status> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        TABLE
            .iter()
            .enumerate()
            .filter_map(|(index, endpoint)| {
                let (span, limit) = match (endpoint.user, endpoint.app) {
                    (Some(limit), _) => (Span::User, limit),
                    (None, Some(limit)) => (Span::App, limit),
                    (None, None) => return None,
                };
                let limit = if self.mode == LimitMode::Off {
                    GENEROUS
                } else {
                    limit
                };
                let bucket = bucket(Some(index), span, caller);
                let window = windows
                    .get_mut(&bucket)
                    .filter(|window| window.began_s.saturating_add(endpoint.window_s) > now_s)
                    .map_or(
                        Window {
                            began_s: now_s,
                            used: 0,
                        },
                        |window| *window,
                    );
                let left = Left {
                    limit,
                    remaining: limit.saturating_sub(window.used),
                    reset_s: window.began_s.saturating_add(endpoint.window_s),
                };
                Some(Status {
                    method: endpoint.method,
                    pattern: endpoint.pattern,
                    left,
                })
            })
            .collect()
    }
}

fn bucket(endpoint: Option<usize>, span: Span, caller: &Caller) -> Bucket {
    let account = match span {
        Span::App | Span::AppDay => 0,
        Span::User | Span::UserDay => caller.account_id,
    };
    Bucket {
        endpoint,
        span,
        application: caller.application_id,
        account,
    }
}

fn current(windows: &mut HashMap<Bucket, Window>, bucket: Bucket, length_s: u64, now_s: u64) -> &mut Window {
    let window = windows.entry(bucket).or_insert(Window {
        began_s: now_s,
        used: 0,
    });
    if window.began_s.saturating_add(length_s) <= now_s {
        *window = Window {
            began_s: now_s,
            used: 0,
        };
    }
    window
}

/// The spans of an endpoint that a user-context call falls under. The per-application column of X's table is
/// for app-only tokens; it counts here only where there is no per-account figure.
fn spans(endpoint: &Endpoint) -> Vec<(Span, u64, u64, &'static str)> {
    let mut spans = Vec::with_capacity(3);
    match (endpoint.user, endpoint.app) {
        (Some(limit), _) => spans.push((
            Span::User,
            limit,
            endpoint.window_s,
            "the account's limit for this endpoint",
        )),
        (None, Some(limit)) => {
            spans.push((
                Span::App,
                limit,
                endpoint.window_s,
                "the application's limit for this endpoint",
            ));
        }
        (None, None) => {}
    }
    if let Some(limit) = endpoint.app_day {
        spans.push((
            Span::AppDay,
            limit,
            DAY_S,
            "the application's 24-hour limit for this endpoint",
        ));
    }
    if let Some(limit) = endpoint.user_day {
        spans.push((
            Span::UserDay,
            limit,
            DAY_S,
            "the account's 24-hour limit for this endpoint",
        ));
    }
    spans
}

fn generous(endpoint: &Endpoint, now_s: u64) -> Taken {
    let left = |length_s: u64| Left {
        limit: GENEROUS,
        remaining: GENEROUS.saturating_sub(1),
        reset_s: now_s.saturating_add(length_s),
    };
    Taken {
        exceeded: None,
        reset_s: now_s.saturating_add(endpoint.window_s),
        window: Some(left(endpoint.window_s)),
        app_day: endpoint.app_day.map(|_| left(DAY_S)),
        user_day: endpoint.user_day.map(|_| left(DAY_S)),
    }
}

impl Taken {
    /// Writes the three header families: `x-rate-limit-*`, `x-app-limit-24hour-*`, `x-user-limit-24hour-*`.
    pub(crate) fn write_headers(&self, headers: &mut HeaderMap) {
        let families = [
            (
                [
                    "x-rate-limit-limit",
                    "x-rate-limit-remaining",
                    "x-rate-limit-reset",
                ],
                self.window,
            ),
            (
                [
                    "x-app-limit-24hour-limit",
                    "x-app-limit-24hour-remaining",
                    "x-app-limit-24hour-reset",
                ],
                self.app_day,
            ),
            (
                [
                    "x-user-limit-24hour-limit",
                    "x-user-limit-24hour-remaining",
                    "x-user-limit-24hour-reset",
                ],
                self.user_day,
            ),
        ];
        for (names, left) in families {
            let Some(left) = left else { continue };
            for (name, value) in names.into_iter().zip([left.limit, left.remaining, left.reset_s]) {
                headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
            }
        }
    }
}
