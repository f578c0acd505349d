#![doc = include_str!("../README.md")]

use jiff::Timestamp;

/// The style sheet of elements, controls, badges and notices. It needs the custom properties of a face's tokens.
pub const BASE_CSS: &str = include_str!("../assets/base.css");

/// The script of all pages: copying, and switching the theme. Pages work without it.
pub const LOOK_JS: &str = include_str!("../assets/look.js");

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
pub struct When {
    /// RFC 3339.
    pub iso: String,
    /// The exact moment in words, with the zone.
    pub exact: String,
    /// How long ago.
    pub relative: String,
}

impl When {
    /// Describes `at` as seen at `now`.
    pub fn new(at: Timestamp, now: Timestamp) -> Self {
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

/// The letter on an avatar: the first letter or digit.
pub fn initial(name: &str) -> char {
    let letter = name.chars().find(|c| c.is_alphanumeric()).unwrap_or('#');
    letter.to_uppercase().next().unwrap_or('#')
}

/// The tint of an avatar: always the same for the same name.
pub fn tint(name: &str) -> u32 {
    // FNV-1a; its upper bits, because names of the same kind differ little in the lower ones.
    (name.bytes().fold(2_166_136_261_u32, |sum, byte| {
        (sum ^ u32::from(byte)).wrapping_mul(16_777_619)
    }) >> 16)
        % TINTS
}

/// `1 day`, `2 days`.
pub fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// A long id, shortened in the middle.
pub fn shortened(id: &str) -> String {
    let length = id.chars().count();
    if length <= SHORT_ENDS * 2 + 1 {
        return id.to_owned();
    }
    let head: String = id.chars().take(SHORT_ENDS).collect();
    let tail: String = id.chars().skip(length.saturating_sub(SHORT_ENDS)).collect();
    format!("{head}…{tail}")
}

/// A count with thin gaps between the thousands.
pub fn grouped(count: u64) -> String {
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
mod tests;
