//! `database …`.

use clap::{Subcommand, ValueEnum};
use tailorbird_model::change::ChangeKind;

#[derive(Debug, Subcommand)]
pub(crate) enum DatabaseCommand {
    /// Adds a database, or changes what is given of an existing one
    #[command(
        after_help = "Examples:\n  tailorbird database add erp --kind sqlite --set path=erp.sqlite\n  tailorbird database add erp --writable        # lets `write` steps write"
    )]
    Add {
        /// The database's name
        name: String,
        /// What it is; sqlite in this version
        #[arg(long, value_enum)]
        kind: Option<Kind>,
        /// Sets what the kind needs: `path` for sqlite
        #[arg(long = "set", value_name = "FIELD=VALUE")]
        settings: Vec<String>,
        /// Allow steps to write to it
        #[arg(long)]
        writable: bool,
    },
    /// Lists the databases
    #[command(after_help = "Example:\n  tailorbird database list")]
    List,
    /// Opens a database and says what it found
    #[command(after_help = "Example:\n  tailorbird database test erp")]
    Test {
        /// The database
        name: String,
    },
    /// Lists the tables and columns of a database
    #[command(after_help = "Example:\n  tailorbird database tables erp")]
    Tables {
        /// The database
        name: String,
    },
    /// Runs one SELECT statement and prints the rows
    #[command(
        after_help = "Example:\n  tailorbird database query erp 'select sku, price from products limit 5' --output json"
    )]
    Query {
        /// The database
        name: String,
        /// The statement
        sql: String,
        /// The greatest number of rows
        #[arg(long, default_value_t = 1000, value_name = "N")]
        limit: usize,
    },
    /// Prints the SQL that writes a table's changes down for a task's `database` trigger; installs or removes it
    #[command(
        after_help = "Examples:\n  tailorbird database trigger-sql erp products > review.sql\n  tailorbird database trigger-sql erp products --key sku --on insert,update,delete --install\n  tailorbird database trigger-sql erp products --remove\n\nChanges go into the table `_tailorbird_outbox`, in the transaction that makes them."
    )]
    TriggerSql {
        /// The database
        name: String,
        /// The table
        table: String,
        /// A column that identifies a row; the primary key where absent
        #[arg(long = "key", value_name = "COLUMN", value_delimiter = ',')]
        key: Vec<String>,
        /// Which changes are written down
        #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Change::Insert, Change::Update, Change::Delete])]
        on: Vec<Change>,
        /// Run the statements in the database, which must be writable
        #[arg(long)]
        install: bool,
        /// Take the triggers away, with what they wrote down and nobody received
        #[arg(long, conflicts_with_all = ["install", "key"])]
        remove: bool,
    },
}

/// A kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Change {
    /// A row is new.
    Insert,
    /// A row has other values.
    Update,
    /// A row is gone.
    Delete,
}

impl From<Change> for ChangeKind {
    fn from(change: Change) -> Self {
        match change {
            Change::Insert => Self::Insert,
            Change::Update => Self::Update,
            Change::Delete => Self::Delete,
        }
    }
}

/// The kinds of database of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A SQLite file.
    Sqlite,
}
