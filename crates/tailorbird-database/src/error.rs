//! Why a business database could not do what was asked.

use std::path::PathBuf;
use std::time::Duration;

use tailorbird_model::{Failure, Meaning, codes};

use crate::nearest::nearest;

/// What went wrong with a business database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The file of a SQLite database is not there, is a folder, or is no SQLite file.
    #[error("the database file {} {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, as the end of a sentence.
        problem: &'static str,
    },
    /// The file could not be opened or read.
    #[error("could not open the database file {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: rusqlite::Error,
    },
    /// There is no room for what was to be written, or for what SQLite needs to read.
    #[error("the disk of the database file {} is full", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The database is a home of ours.
    #[error("{} belongs to a Tailorbird home and is no business database", path.display())]
    OwnHome {
        /// The file.
        path: PathBuf,
    },
    /// A setting is missing.
    #[error("the setting {name:?} is missing")]
    SettingMissing {
        /// Which.
        name: &'static str,
        /// The settings of this kind of database.
        valid: &'static [&'static str],
    },
    /// A setting is unknown.
    #[error("unknown setting: {}", names.join(", "))]
    SettingUnknown {
        /// Which.
        names: Vec<String>,
        /// The settings of this kind of database.
        valid: &'static [&'static str],
    },
    /// Another program holds a lock.
    #[error("the database {} is locked by another program", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
        /// How long we waited.
        waited: Duration,
    },
    /// The database said no to a statement.
    #[error("the statement failed: {message}")]
    Statement {
        /// The database's words.
        message: String,
        /// Line and column in the statement, from 1 on.
        position: Option<(usize, usize)>,
        /// A name that exists and looks like the one that does not.
        nearest: Option<String>,
    },
    /// Only reading is possible here.
    #[error("the statement does not read: it must be one SELECT")]
    NotASelect,
    /// More than one statement.
    #[error("there is more than one statement")]
    SeveralStatements,
    /// No statement.
    #[error("there is no statement")]
    NoStatement,
    /// The statement wants something that is switched off.
    #[error("the statement is not allowed to {what}")]
    Refused {
        /// What it wanted.
        what: String,
    },
    /// The statement took too long.
    #[error("the statement was stopped after {} s", limit.as_secs_f32())]
    TimeLimit {
        /// How long it may take.
        limit: Duration,
    },
    /// Parameters of the statement have no value.
    #[error("no value for {}", names.join(", "))]
    ParameterMissing {
        /// Which, with the colon.
        names: Vec<String>,
        /// The values that were given.
        given: Vec<String>,
    },
    /// Values for parameters that the statement does not have.
    #[error("the statement has no parameter {}", names.join(", "))]
    ParameterUnknown {
        /// Which, with the colon.
        names: Vec<String>,
        /// The parameters of the statement.
        wanted: Vec<String>,
    },
    /// A parameter without a name.
    #[error("the statement has a parameter without a name")]
    ParameterUnnamed,
    /// Two columns of the result have the same name.
    #[error("the result has several columns named {}", names.join(", "))]
    DuplicateColumns {
        /// Which.
        names: Vec<String>,
    },
    /// The cursor's column is not in the result.
    #[error("the result has no column {name:?} for the cursor")]
    CursorColumn {
        /// Which.
        name: String,
        /// The columns of the result.
        valid: Vec<String>,
    },
    /// Too many rows have the same cursor value.
    #[error("more than {limit} rows have the same value in the cursor column {column:?}")]
    TooManyTies {
        /// The column.
        column: String,
        /// How many may.
        limit: usize,
    },
    /// The link is not open for writing.
    #[error("the database is not open for writing")]
    NotWritable,
    /// There is no such table, or it cannot be written to.
    #[error("the table {name:?} {problem}")]
    Table {
        /// Its name.
        name: String,
        /// What is wrong, as the end of a sentence.
        problem: &'static str,
        /// The tables that can be written to.
        valid: Vec<String>,
    },
    /// The table lacks columns.
    #[error("the table {table:?} has no column {}", names.join(", "))]
    ColumnUnknown {
        /// The table.
        table: String,
        /// Which.
        names: Vec<String>,
        /// The columns that can be written to.
        valid: Vec<String>,
    },
    /// The records lack a column of the key.
    #[error("the records have no key column {}", names.join(", "))]
    KeyMissing {
        /// Which; empty where no key was given at all.
        names: Vec<String>,
    },
    /// A row's key is null.
    #[error("the key column {column:?} is null in row {row}")]
    KeyNull {
        /// The column.
        column: String,
        /// The row of the batch, from 1 on.
        row: usize,
    },
    /// The database refused a row.
    #[error("the database refused row {row}: {message}")]
    Row {
        /// The row of the batch, from 1 on.
        row: usize,
        /// The database's words.
        message: String,
    },
    /// The changes of a table are not written down as they should be.
    #[error("the outbox for the table {table:?} {problem}")]
    Outbox {
        /// The table.
        table: String,
        /// What is wrong, as the end of a sentence.
        problem: String,
    },
    /// A value cannot be read or written exactly.
    #[error("the column {column:?} of row {row} {problem}")]
    Value {
        /// The column or parameter.
        column: String,
        /// The row, from 1 on; 0 for a parameter.
        row: usize,
        /// What is wrong, as the end of a sentence.
        problem: String,
    },
}

impl DatabaseError {
    /// The code of the page that explains it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File { .. } | Self::Open { .. } => codes::DATABASE_MISSING,
            Self::Locked { .. } => codes::DATABASE_LOCKED,
            Self::Full { .. } => codes::DATABASE_FULL,
            Self::OwnHome { .. } | Self::SettingMissing { .. } | Self::SettingUnknown { .. } => {
                codes::DATABASE_SETTING
            }
            Self::NotWritable => codes::NOT_WRITABLE,
            Self::Outbox { .. } => codes::OUTBOX,
            Self::Table { .. }
            | Self::ColumnUnknown { .. }
            | Self::KeyMissing { .. }
            | Self::KeyNull { .. }
            | Self::Row { .. } => codes::WRITE_REFUSED,
            Self::Value { .. } => codes::VALUE_TYPE,
            Self::Statement { .. }
            | Self::NotASelect
            | Self::SeveralStatements
            | Self::NoStatement
            | Self::Refused { .. }
            | Self::TimeLimit { .. }
            | Self::ParameterMissing { .. }
            | Self::ParameterUnknown { .. }
            | Self::ParameterUnnamed
            | Self::DuplicateColumns { .. }
            | Self::CursorColumn { .. }
            | Self::TooManyTies { .. } => codes::STATEMENT,
        }
    }

    /// Tells whether trying again later may work as it is.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Locked { .. } | Self::Full { .. })
    }

    fn detail(&self) -> String {
        let list = |what: &str, names: &[String]| match names {
            [] => String::new(),
            names => format!("{what}: {}.", names.join(", ")),
        };
        match self {
            Self::Open { source, .. } => format!("{source}."),
            Self::SettingMissing { valid, .. } | Self::SettingUnknown { valid, .. } => {
                format!("The settings are: {}.", valid.join(", "))
            }
            Self::Locked { waited, .. } => {
                format!(
                    "It stayed locked for {} s. Nothing was read or written.",
                    waited.as_secs_f32()
                )
            }
            Self::Statement {
                position: Some((line, column)),
                ..
            } => format!("Line {line}, column {column}."),
            Self::ParameterMissing { given, .. } if given.is_empty() => "No values were given.".to_owned(),
            Self::ParameterMissing { given, .. } => list("Values were given for", given),
            Self::ParameterUnknown { wanted, .. } if wanted.is_empty() => "It has no parameters.".to_owned(),
            Self::ParameterUnknown { wanted, .. } => list("Its parameters are", wanted),
            Self::CursorColumn { valid, .. } | Self::ColumnUnknown { valid, .. } => {
                list("Its columns are", valid)
            }
            Self::Table { valid, .. } => list("The tables are", valid),
            Self::Row { .. } | Self::Full { .. } => "Nothing of the batch was written.".to_owned(),
            _ => String::new(),
        }
    }

    fn hint(&self) -> String {
        let did_you_mean = |names: &[String], valid: &[String]| {
            let near: Vec<_> = names
                .iter()
                .filter_map(|name| nearest(name, valid.iter().map(String::as_str)))
                .collect();
            match near.as_slice() {
                [] => String::new(),
                near => format!("Did you mean {}?", near.join(", ")),
            }
        };
        let text = match self {
            Self::File { .. } => {
                "`path` must name an existing SQLite file. Tailorbird never makes one: check the path, and that \
                 this user may read it."
            }
            Self::Open { .. } => {
                "Check that this user may read the file and, for SQLite's own files, its folder."
            }
            Self::Full { .. } => {
                "Make room on it, or raise the quota; a run goes on by itself where it was, within its tries."
            }
            Self::OwnHome { .. } => {
                "Name the business database. The home's own state is shown by `run list`, `delivery list` and the \
                 other commands."
            }
            Self::SettingMissing { .. } => "Set it with `--set`, for example `--set path=erp.db`.",
            Self::SettingUnknown { names, valid } => {
                let valid: Vec<String> = valid.iter().map(ToString::to_string).collect();
                return did_you_mean(names, &valid);
            }
            Self::Locked { .. } => {
                "Another program is writing to it, or has left a transaction open. Wait until it is done or close \
                 it, then try again; a run goes on by itself where it was."
            }
            Self::Statement {
                nearest: Some(near), ..
            } => return format!("Did you mean {near}?"),
            Self::NotASelect => {
                "Queries read. Rows are written by a `write` step, to a database added with --writable."
            }
            Self::SeveralStatements => "Put each statement into a step of its own.",
            Self::NoStatement => "Give one SELECT statement.",
            Self::Refused { .. } => {
                "Use what this one database file holds. Other files need a database of their own."
            }
            Self::TimeLimit { .. } => {
                "Read less at once, for example with a cursor, or add an index for the condition. `explain query \
                 plan` in the database's own shell shows which part scans."
            }
            Self::ParameterMissing { .. } => "Give it under `parameters`, or take it out of the statement.",
            Self::ParameterUnknown { .. } => {
                "Use it in the statement as `:name`, or take it out of `parameters`."
            }
            Self::ParameterUnnamed => "Write `:name` in place of `?`.",
            Self::DuplicateColumns { .. } => "Name them apart with `AS`.",
            Self::CursorColumn { name, valid } => {
                let near = did_you_mean(std::slice::from_ref(name), valid);
                return if near.is_empty() {
                    "Select the column, or name another.".to_owned()
                } else {
                    near
                };
            }
            Self::TooManyTies { .. } => {
                "A cursor column must be unique, or nearly so: use a pair such as a time and an id joined into one \
                 column, or the id itself."
            }
            Self::NotWritable => {
                "Add it again with `database add NAME … --writable`, if steps are meant to write to it. Grants in \
                 the database are the wall; this is the gate."
            }
            Self::Table { name, valid, .. } => return did_you_mean(std::slice::from_ref(name), valid),
            Self::ColumnUnknown { names, valid, .. } => return did_you_mean(names, valid),
            Self::KeyMissing { .. } => {
                "`key` names the columns that identify a row; each must be among the columns written."
            }
            Self::KeyNull { .. } => {
                "A row without a key would be inserted anew each time. Fill the column, or leave such records out \
                 with `when`."
            }
            Self::Outbox { table, .. } => {
                return format!(
                    "`tailorbird database trigger-sql DATABASE {table} --install` makes the table's triggers anew."
                );
            }
            Self::Row { .. } => "Mend the row or the mapping; the run can then go on where it was.",
            Self::Value { .. } => "Mend the value at its source, or convert it in the statement or mapping.",
            Self::Statement { .. } => "",
        };
        text.to_owned()
    }
}

/// Whatever fails here fails on our side of the provider, so the meaning is always [`Meaning::NotSent`].
impl From<&DatabaseError> for Failure {
    fn from(error: &DatabaseError) -> Self {
        Self::new(error.code(), Meaning::NotSent, error.to_string())
            .detail(error.detail())
            .hint(error.hint())
    }
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        Self::from(&error)
    }
}
