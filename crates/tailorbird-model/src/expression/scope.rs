//! What an expression can see: the record's columns, and what the step adds to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::Value as Jinja;

use super::convert::to_jinja;
use crate::{Record, Value};

/// The names an expression can see, with their values.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    // Shared with each expression that is evaluated in it.
    names: Arc<BTreeMap<String, Jinja>>,
}

impl Scope {
    /// The columns of a record.
    pub fn of(record: &Record) -> Self {
        Self {
            names: Arc::new(
                record
                    .iter()
                    .map(|(name, value)| (name.to_owned(), to_jinja(value)))
                    .collect(),
            ),
        }
    }

    /// Adds a value under a reserved name; it hides a column of that name.
    #[must_use]
    pub fn with(mut self, name: &str, value: &Value) -> Self {
        Arc::make_mut(&mut self.names).insert(name.to_owned(), to_jinja(value));
        self
    }

    /// Adds a record under a reserved name, for example `result`.
    #[must_use]
    pub fn with_record(mut self, name: &str, record: &Record) -> Self {
        let members: BTreeMap<String, Jinja> = record
            .iter()
            .map(|(name, value)| (name.to_owned(), to_jinja(value)))
            .collect();
        Arc::make_mut(&mut self.names).insert(name.to_owned(), Jinja::from(members));
        self
    }

    pub(super) fn context(&self) -> Jinja {
        Jinja::from_dyn_object(Arc::clone(&self.names))
    }

    /// All names, members of records as `result.id`, in order.
    pub fn names(&self) -> Vec<String> {
        self.names.keys().cloned().collect()
    }

    /// Tells whether a name, or a dotted one, is there.
    pub(super) fn knows(&self, dotted: &str) -> bool {
        let mut parts = dotted.split('.');
        let Some(mut value) = parts.next().and_then(|first| self.names.get(first)).cloned() else {
            return false;
        };
        for part in parts {
            match value.get_attr(part) {
                Ok(inner) if !inner.is_undefined() => value = inner,
                _ => return false,
            }
        }
        true
    }
}
