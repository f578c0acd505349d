//! The small pieces that pages show: badges, avatars, facts. Plain values, computed here, so that the templates hold
//! no decisions.

use jiff::Timestamp;
pub(super) use tailorbird_look::{When, grouped, initial, plural, shortened, tint};

use crate::state::{Account, Application, Level};

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
