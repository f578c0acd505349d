//! A sample database in a temporary folder.

use std::path::PathBuf;
use std::time::Duration;

use tailorbird_database::{DatabaseError, Guard, Limits, Link, Parameters, create, open_with_limits};
use tailorbird_model::database::{Database, DatabaseKind};
use tailorbird_model::{Failure, Record, Value};
use tempfile::TempDir;

const SCRIPT: &str = "
    CREATE TABLE products (sku TEXT PRIMARY KEY, name TEXT NOT NULL, price DECIMAL(10, 2), published BOOLEAN);
    INSERT INTO products VALUES ('A-1', 'Kettle', 19.9, 1), ('B-2', 'Cup', 4, 0), ('C-3', 'Spoon', NULL, 1);
    CREATE TABLE product_posts (sku TEXT PRIMARY KEY, post_id TEXT, posted_at TIMESTAMP);
    CREATE TABLE log (at TEXT, message TEXT);
    CREATE VIEW published AS SELECT sku, name FROM products WHERE published = 1;
";

pub(crate) struct Bench {
    folder: TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let bench = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        create(&bench.file(), SCRIPT).unwrap();
        bench
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("erp.db")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.file()).unwrap()
    }

    pub(crate) fn reader(&self) -> Link {
        open_with_limits(&database(&self.file(), false), &Guard::default(), limits()).unwrap()
    }

    pub(crate) fn writer(&self) -> Link {
        open_with_limits(&database(&self.file(), true), &Guard::default(), limits()).unwrap()
    }
}

pub(crate) fn limits() -> Limits {
    Limits {
        lock_wait: Duration::from_millis(50),
        ..Limits::default()
    }
}

pub(crate) fn database(path: &std::path::Path, writable: bool) -> Database {
    Database {
        database: "erp".parse().unwrap(),
        kind: DatabaseKind::Sqlite,
        settings: [("path".to_owned(), path.to_str().unwrap().to_owned())].into(),
        writable,
    }
}

pub(crate) fn none() -> Parameters {
    Parameters::new()
}

pub(crate) fn with(pairs: &[(&str, Value)]) -> Parameters {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

pub(crate) fn record(pairs: &[(&str, Value)]) -> Record {
    Record::from_pairs(
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone())),
    )
}

pub(crate) fn keys(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// Rows as JSON text, for comparing.
pub(crate) fn rows(link: &mut Link, sql: &str) -> String {
    let found = link.query(sql, &none(), 1000).unwrap();
    found
        .records
        .iter()
        .map(Record::to_json)
        .collect::<serde_json::Value>()
        .to_string()
}

/// An error as a person meets it.
pub(crate) fn told<T: std::fmt::Debug>(answer: Result<T, DatabaseError>) -> Failure {
    Failure::from(answer.unwrap_err())
}
