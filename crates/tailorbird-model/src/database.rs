//! A database: a named link to a business database.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Name;

/// The kinds of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DatabaseKind {
    /// A SQLite file.
    Sqlite,
}

/// A setting of a kind of database: what forms, help and the driver know of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatabaseField {
    /// Its name in files and commands.
    pub name: &'static str,
    /// Its name on the screen.
    pub label: &'static str,
    /// What it is.
    pub about: &'static str,
    /// What it may look like.
    pub example: &'static str,
    /// Whether nothing works without it.
    pub is_required: bool,
}

impl DatabaseKind {
    /// All kinds.
    pub const ALL: &'static [Self] = &[Self::Sqlite];

    /// The kind of that word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite file",
        }
    }

    /// What its driver needs.
    pub fn fields(self) -> &'static [DatabaseField] {
        match self {
            Self::Sqlite => &[DatabaseField {
                name: "path",
                label: "Path of the file",
                about: "On the machine where Tailorbird runs. The file must be there already.",
                example: "/srv/erp/erp.sqlite",
                is_required: true,
            }],
        }
    }

    /// The word used on the screen, in files and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
        }
    }
}

/// A named link to a business database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// Its name.
    pub database: Name,
    /// What it is.
    pub kind: DatabaseKind,
    /// What its driver needs, for example `path` for SQLite.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// Whether steps may write to it.
    #[serde(default)]
    pub writable: bool,
}
