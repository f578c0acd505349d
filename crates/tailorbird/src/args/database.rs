//! `database …`.

use clap::{Subcommand, ValueEnum};

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
}

/// The kinds of database of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A SQLite file.
    Sqlite,
}
