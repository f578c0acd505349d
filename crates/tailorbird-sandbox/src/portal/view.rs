//! The small pieces that pages show: times, badges, avatars, counts. Plain values, computed here, so that the
//! templates hold no decisions.

use jiff::Timestamp;

use crate::state::{Account, Application, Level};

const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 86_400;
/// Days after which a date says more than "so many days ago".
const RELATIVE_DAYS: i64 = 30;
/// Number of tints in the style sheet (`.tint-0` …).
const TINTS: u32 = 6;
/// Letters of a long id that are shown before and after the gap.
const SHORT_ENDS: usize = 8;

/// A moment: relative for reading, exact for looking it up.
#[derive(Debug, Clone)]
pub(super) struct When {
    /// RFC 3339.
    pub iso: String,
    /// The exact moment in words, with the zone.
    pub exact: String,
    /// How long ago.
    pub relative: String,
}

impl When {
    /// Describes `at` as seen at `now`.
    pub(super) fn new(at: Timestamp, now: Timestamp) -> Self {
        Self {
            iso: at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            exact: at.strftime("%d %b %Y, %H:%M:%S UTC").to_string(),
            relative: relative(at, now),
        }
    }
}

fn relative(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(at.as_second());
    if seconds < 5 {
        // The clock may stand a moment behind what was just written; "in 0 seconds" helps nobody.
        return "just now".to_owned();
    }
    if seconds < MINUTE_S {
        return format!("{seconds} s ago");
    }
    if seconds < HOUR_S {
        return format!("{} min ago", seconds / MINUTE_S);
    }
    if seconds < DAY_S {
        return format!("{} h ago", seconds / HOUR_S);
    }
    if seconds < RELATIVE_DAYS * DAY_S {
        return plural(u64::try_from(seconds / DAY_S).unwrap_or(0), "day ago", "days ago");
    }
    at.strftime("%d %b %Y").to_string()
}

/// A state as a shape and a word; the colour comes last and never stands alone.
#[derive(Debug, Clone)]
pub(super) struct Badge {
    /// The class that colours it: `ok`, `wait`, `doubt`, `bad`, `accent` or empty.
    pub tone: &'static str,
    /// The shape.
    pub shape: &'static str,
    /// The word.
    pub word: String,
}

impl Badge {
    /// A badge of a word that is known at compile time.
    pub(super) fn new(tone: &'static str, shape: &'static str, word: &str) -> Self {
        Self {
            tone,
            shape,
            word: word.to_owned(),
        }
    }

    /// A level in the words of the Settings tab. One, two or three filled circles: more of them, more rights.
    pub(super) fn level(level: Level) -> Self {
        let (tone, shape) = match level {
            Level::Read => ("", "●○○"),
            Level::ReadWrite => ("accent", "●●○"),
            Level::ReadWriteDm => ("accent", "●●●"),
        };
        Self::new(tone, shape, level.portal_words())
    }
}

/// Someone or something with an initial on a tint.
#[derive(Debug, Clone)]
pub(super) struct Who {
    /// The displayed name.
    pub name: String,
    /// The name after the `@`; empty for an application.
    pub username: String,
    /// The letter on the avatar.
    pub initial: char,
    /// Which tint.
    pub tint: u32,
}

impl Who {
    /// An account as it is shown.
    pub(super) fn account(account: &Account) -> Self {
        Self {
            name: account.name.clone(),
            username: account.username.clone(),
            initial: initial(&account.name),
            tint: tint(&account.username),
        }
    }
}

/// The letter on an avatar: the first letter or digit.
pub(super) fn initial(name: &str) -> char {
    let letter = name.chars().find(|c| c.is_alphanumeric()).unwrap_or('#');
    letter.to_uppercase().next().unwrap_or('#')
}

/// The tint of an avatar: always the same for the same name.
pub(super) fn tint(name: &str) -> u32 {
    // FNV-1a; its upper bits, because names of the same kind differ little in the lower ones.
    (name.bytes().fold(2_166_136_261_u32, |sum, byte| {
        (sum ^ u32::from(byte)).wrapping_mul(16_777_619)
    }) >> 16)
        % TINTS
}

/// What happened, above the content.
#[derive(Debug, Clone)]
pub(super) struct Notice {
    /// `ok`, `wait`, `doubt` or `bad`.
    pub tone: &'static str,
    /// Whole sentences.
    pub text: String,
}

/// A labelled value with a copy button.
#[derive(Debug, Clone)]
pub(super) struct Fact {
    /// The label.
    pub label: &'static str,
    /// A few words below the label; may be empty.
    pub note: String,
    /// The value; may be empty.
    pub value: String,
    /// What stands there when there is no value.
    pub absent: &'static str,
    /// The name by which a program finds the value on the page.
    pub field: &'static str,
}

/// The head of an application's pages.
#[derive(Debug, Clone)]
pub(super) struct AppHead {
    /// The application's id.
    pub id: u64,
    /// The name.
    pub name: String,
    /// The description.
    pub description: String,
    /// The letter on the avatar.
    pub initial: char,
    /// Which tint.
    pub tint: u32,
    /// The present level.
    pub level: Badge,
    /// The present client key.
    pub client_key: String,
    /// When it was registered.
    pub created: When,
    /// Which tab is open.
    pub tab: &'static str,
}

impl AppHead {
    /// The head of `app` with `tab` open.
    pub(super) fn new(app: &Application, tab: &'static str, now: Timestamp) -> Self {
        Self {
            id: app.id,
            name: app.name.clone(),
            description: app.description.clone(),
            initial: initial(&app.name),
            tint: tint(&app.name),
            level: Badge::level(app.level),
            client_key: app.client_key.clone(),
            created: When::new(app.created_at, now),
            tab,
        }
    }
}

/// `1 day`, `2 days`.
pub(super) fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// A long id, shortened in the middle.
pub(super) fn shortened(id: &str) -> String {
    let length = id.chars().count();
    if length <= SHORT_ENDS * 2 + 1 {
        return id.to_owned();
    }
    let head: String = id.chars().take(SHORT_ENDS).collect();
    let tail: String = id.chars().skip(length.saturating_sub(SHORT_ENDS)).collect();
    format!("{head}…{tail}")
}

/// A count with thin gaps between the thousands.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && digits.len().saturating_sub(index) % 3 == 0 {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
