//! One problem of a file, with its place.

use std::fmt;

use serde::Serialize;

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters, from 1.
    pub column: usize,
}

/// How much a problem matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// It can be used, but probably does not do what is meant.
    Warning,
}

/// One problem of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Whether the file can be used all the same.
    pub severity: Severity,
    /// Where it is.
    #[serde(flatten)]
    pub position: Position,
    /// Which part of the document, as a JSON Pointer (RFC 6901).
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What is valid, or what to do.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hint: String,
}

impl Problem {
    /// An error at a place.
    pub fn error(position: Position, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            position,
            path: path.into(),
            message: message.into(),
            hint: String::new(),
        }
    }

    /// A warning at a place.
    pub fn warning(position: Position, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(position, path, message)
        }
    }

    /// Adds what is valid, or what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Tells whether the file cannot be used because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Problem {
    /// `line:column: error: message (path)`, as compilers do, so that editors can jump there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = if self.is_error() { "error" } else { "warning" };
        write!(
            f,
            "{}:{}: {severity}: {}",
            self.position.line, self.position.column, self.message
        )?;
        if !self.path.is_empty() {
            write!(f, " (at {})", self.path)?;
        }
        Ok(())
    }
}
