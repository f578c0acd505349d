//! What a database says about its tables.

use serde::Serialize;

/// A table or view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Which of the two.
    pub kind: TableKind,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// Sets of columns that are unique together, the primary key first. Only these make an upsert fast.
    pub unique_keys: Vec<Vec<String>>,
}

/// Tables hold rows, views compute them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TableKind {
    /// Can be written to.
    Table,
    /// Can only be read.
    View,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The type as the database declares it; empty where none is.
    pub declared_type: String,
    /// The type that values are read as where they fit it, in our words.
    pub value_type: &'static str,
    /// Whether null is refused.
    pub not_null: bool,
    /// Its place in the primary key, from 1 on; absent where it is not part of it.
    pub primary_key: Option<u32>,
    /// Whether the database computes it, so that it cannot be written.
    pub generated: bool,
}

impl Table {
    /// A column by name; letter case does not matter, as in SQL.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(name))
    }
}
