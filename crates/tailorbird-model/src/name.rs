//! Names that people give to connections, databases, tasks, steps and services.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The longest name, in characters.
pub const MAX_NAME: usize = 64;

/// A short name: a letter or digit, then letters, digits, `-`, `_` or `.`; at most [`MAX_NAME`] characters.
///
/// The set is small on purpose: a name appears in file names, addresses and shell commands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Name(String);

/// A text that is no [`Name`].
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error(
    "{text:?} is not a name: use 1 to 64 letters, digits, \"-\", \"_\" or \".\", starting with a letter or digit"
)]
pub struct NotAName {
    /// What was given.
    pub text: String,
}

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name that is written in our own code.
    pub(crate) fn known(text: &'static str) -> Self {
        debug_assert!(Self::is_valid(text), "{text:?} is not a name");
        Self(text.to_owned())
    }

    /// The name of a step inside another one: `each/lines`. Nobody can give such a name to a step, so a path
    /// never means two steps.
    #[must_use]
    pub fn inside(&self, step: &Self) -> Self {
        Self(format!("{self}/{step}"))
    }

    /// The name of a branch of a step: `route.big`.
    #[must_use]
    pub fn branch(&self, name: &Self) -> Self {
        Self(format!("{self}.{name}"))
    }

    /// Reads back what [`Name::inside`] and [`Name::branch`] made.
    ///
    /// # Errors
    /// Where one of its parts is no name.
    pub fn from_path(text: &str) -> Result<Self, NotAName> {
        if text.split('/').all(is_part) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAName {
                text: text.to_owned(),
            })
        }
    }

    /// Tells whether a text may be a name.
    pub fn is_valid(text: &str) -> bool {
        let mut characters = text.chars();
        characters
            .next()
            .is_some_and(|first| first.is_ascii_alphanumeric())
            && characters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
            && text.len() <= MAX_NAME
    }
}

/// One part of a path: a name, or a name and a branch, which together may be longer.
fn is_part(text: &str) -> bool {
    Name::is_valid(text)
        || text
            .match_indices('.')
            .any(|(dot, _)| match (text.get(..dot), text.get(dot + 1..)) {
                (Some(step), Some(branch)) => Name::is_valid(step) && Name::is_valid(branch),
                _ => false,
            })
}

impl FromStr for Name {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if Self::is_valid(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAName {
                text: text.to_owned(),
            })
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Name {
    fn schema_name() -> Cow<'static, str> {
        "Name".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
            "description": "1 to 64 letters, digits, \"-\", \"_\" or \".\", starting with a letter or digit"
        })
    }
}
