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

impl DatabaseKind {
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
