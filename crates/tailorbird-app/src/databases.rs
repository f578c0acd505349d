//! Databases: add, test, look into.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use tailorbird_database::{Guard, Limits, Link, Parameters, nearest};
pub use tailorbird_database::{Recordset, Table, TableKind};

pub use tailorbird_database::{Removed as RemovedOutbox, Watched};

use tailorbird_model::database::{Database, DatabaseKind};
use tailorbird_model::yaml::shape;
use tailorbird_model::{Failure, Meaning, Name, codes};

use crate::actor::Act;
use crate::{App, AppError};

/// What `database add` is given.
#[derive(Debug, Clone)]
pub struct AddDatabase {
    /// The name.
    pub name: Name,
    /// The kind; may be absent where the database is there already.
    pub kind: Option<DatabaseKind>,
    /// Settings to change; an empty value takes one back.
    pub settings: Vec<(String, String)>,
    /// Whether steps may write; as it is where nothing is said.
    pub writable: Option<bool>,
}

/// What a look at rows may cost: somebody waits for it.
const PREVIEW: Limits = Limits {
    lock_wait: Duration::from_secs(2),
    statement: Duration::from_secs(5),
    value_bytes: 16 * 1024 * 1024,
};

/// Files of a folder that are looked at for one that may be meant.
const MAX_NEIGHBOURS: usize = 2_000;

/// Files that are named where one is not there.
const MAX_NAMED: usize = 6;

/// How files of databases end.
const ENDINGS: [&str; 4] = ["sqlite", "sqlite3", "db", "db3"];

impl App {
    /// Adds a database, or changes what is given of an existing one.
    ///
    /// # Errors
    /// DB-007 for settings that are missing, unknown or not allowed.
    pub async fn add_database(&self, add: AddDatabase) -> Result<(Database, Vec<String>), AppError> {
        let noting = self.noting(Act::DATABASE_CHANGED, &add.name, told(&add))?;
        let (database, mut notes) = self.changed_database(add)?;
        if let Err(failure) = self.link(&database) {
            // A setting that can never be right is refused; a file that is not there today may be tomorrow.
            if failure.code == codes::DATABASE_SETTING {
                return Err(AppError::usage(failure));
            }
            notes.push(format!(
                "The database is saved, but it cannot be opened now: {}. {}",
                failure.message, failure.hint
            ));
        }
        noting.store.put_database(database.clone()).await?;
        Ok((database, notes))
    }

    /// Opens a database that is not stored yet, or as it would be changed, and counts its tables.
    ///
    /// # Errors
    /// DB-002, DB-003 and DB-007, with files of the same folder that may be meant.
    pub fn try_database(&self, add: AddDatabase) -> Result<usize, AppError> {
        let (database, _) = self.changed_database(add)?;
        let opened = self.link(&database).and_then(|mut link| Ok(link.tables()?.len()));
        Ok(opened.map_err(|failure| match database.settings.get("path") {
            Some(path) if failure.code == codes::DATABASE_MISSING => {
                let hint = format!("{} {}", failure.hint, neighbours(Path::new(path)));
                failure.hint(hint.trim())
            }
            _ => failure,
        })?)
    }

    /// The database that this adds, or what it makes of the one that is there; and what was noticed.
    fn changed_database(&self, add: AddDatabase) -> Result<(Database, Vec<String>), AppError> {
        let present = self.store.database(&add.name)?.map(|stored| stored.value);
        let kind = add
            .kind
            .or(present.as_ref().map(|d| d.kind))
            .unwrap_or(DatabaseKind::Sqlite);
        let mut database = present.unwrap_or(Database {
            database: add.name.clone(),
            kind,
            settings: std::collections::BTreeMap::new(),
            writable: false,
        });
        database.kind = kind;
        database.writable = add.writable.unwrap_or(database.writable);
        let mut notes = Vec::new();
        for (name, value) in add.settings {
            let trimmed = value.trim();
            if trimmed.len() != value.len() {
                notes.push(format!("White space around {name} was removed."));
            }
            if trimmed.is_empty() {
                database.settings.remove(&name);
            } else if name == "path" {
                // A relative path is kept as a whole one, so that it does not depend on where a command runs.
                database.settings.insert(name, absolute(trimmed));
            } else {
                database.settings.insert(name, trimmed.to_owned());
            }
        }
        Ok((database, notes))
    }

    /// All databases, by name.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn databases(&self) -> Result<Vec<Database>, AppError> {
        Ok(self
            .store
            .databases()?
            .into_iter()
            .map(|stored| stored.value)
            .collect())
    }

    /// A database by its name.
    ///
    /// # Errors
    /// DB-001 with the databases there are.
    pub fn known_database(&self, name: &Name) -> Result<Database, AppError> {
        Ok(self.database(name)?)
    }

    pub(crate) fn database(&self, name: &Name) -> Result<Database, Failure> {
        if let Some(stored) = self.store.database(name)? {
            return Ok(stored.value);
        }
        let known = self.store.databases()?;
        let known: Vec<&str> = known
            .iter()
            .map(|stored| stored.value.database.as_str())
            .collect();
        Err(Failure::new(
            codes::DATABASE_UNKNOWN,
            Meaning::NotSent,
            format!("there is no database `{name}`"),
        )
        .hint(shape::suggest(name.as_str(), &known, "Databases")))
    }

    /// Opens a database and says what it found.
    ///
    /// # Errors
    /// DB-002 and DB-003 where it cannot be opened.
    pub fn test_database(&self, name: &Name) -> Result<serde_json::Value, AppError> {
        let database = self.database(name)?;
        let tables = self.link(&database)?.tables().map_err(Failure::from)?;
        Ok(
            json!({"database": name, "kind": database.kind, "tables": tables.len(), "writable": database.writable}),
        )
    }

    /// The tables and columns of a database.
    ///
    /// # Errors
    /// As [`App::test_database`].
    pub fn database_tables(&self, name: &Name) -> Result<Vec<Table>, AppError> {
        Ok(self
            .link(&self.database(name)?)?
            .tables()
            .map_err(Failure::from)?)
    }

    /// Runs one SELECT statement.
    ///
    /// # Errors
    /// DB-004 where the statement fails or does not only read.
    pub fn query_database(&self, name: &Name, sql: &str, limit: usize) -> Result<Recordset, AppError> {
        let read_only = Database {
            writable: false,
            ..self.database(name)?
        };
        let found = self
            .link(&read_only)?
            .query(sql, &Parameters::new(), limit)
            .map_err(Failure::from)?;
        Ok(found)
    }

    /// As [`App::query_database`], within the few seconds that somebody waits at a page.
    ///
    /// # Errors
    /// DB-004 where the statement fails, does not only read, or takes longer.
    pub fn look_into_database(&self, name: &Name, sql: &str, limit: usize) -> Result<Recordset, AppError> {
        let read_only = Database {
            writable: false,
            ..self.database(name)?
        };
        let mut link = tailorbird_database::open_with_limits(&read_only, &self.guard(), PREVIEW)
            .map_err(Failure::from)?;
        Ok(link
            .query(sql, &Parameters::new(), limit)
            .map_err(Failure::from)?)
    }

    /// The SQL that writes the changes of a table down; nothing is changed.
    ///
    /// # Errors
    /// DB-006 where there is no such table or column, or no key.
    pub fn outbox_sql(&self, name: &Name, watched: &Watched) -> Result<Vec<String>, AppError> {
        Ok(self
            .link(&self.database(name)?)?
            .outbox_sql(watched)
            .map_err(Failure::from)?)
    }

    /// Runs that SQL.
    ///
    /// # Errors
    /// As [`App::outbox_sql`]; DB-005 where the database is not writable.
    pub async fn install_outbox(&self, name: &Name, watched: &Watched) -> Result<Vec<String>, AppError> {
        self.note(Act::DATABASE_WATCHED, name, &watched.table).await?;
        Ok(self
            .link(&self.database(name)?)?
            .install_outbox(watched)
            .map_err(Failure::from)?)
    }

    /// Takes the triggers of a table away.
    ///
    /// # Errors
    /// DB-005 where the database is not writable.
    pub async fn remove_outbox(&self, name: &Name, table: &str) -> Result<RemovedOutbox, AppError> {
        self.note(Act::DATABASE_UNWATCHED, name, table).await?;
        Ok(self
            .link(&self.database(name)?)?
            .remove_outbox(table)
            .map_err(Failure::from)?)
    }

    pub(crate) fn link(&self, database: &Database) -> Result<Link, Failure> {
        Ok(tailorbird_database::open(database, &self.guard())?)
    }

    /// What no step and no trigger may reach: our own state.
    pub(crate) fn guard(&self) -> Guard {
        let home = self.store.home();
        Guard {
            files: vec![home.ledger_path(), home.key_path()],
            application_ids: vec![tailorbird_store::APPLICATION_ID],
        }
    }

    /// Works on a database away from the threads that serve requests, since it waits for files and locks.
    pub(crate) async fn on_database<T: Send + 'static>(
        &self,
        name: &Name,
        work: impl FnOnce(&mut Link) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (app, name) = (self.clone(), name.clone());
        let done = tokio::task::spawn_blocking(move || work(&mut app.link(&app.database(&name)?)?));
        done.await.unwrap_or_else(|error| {
            let message = format!("work on a database ended abruptly: {error}");
            Err(Failure::new(codes::INTERNAL, Meaning::NotSent, message))
        })
    }
}

/// What is changed, without the values.
fn told(add: &AddDatabase) -> String {
    let settings = add.settings.iter().map(|(name, _)| name.as_str());
    let writable = add.writable.map(|on| if on { "writable" } else { "read only" });
    settings.chain(writable).collect::<Vec<_>>().join(", ")
}

/// Which files of databases lie in the folder of a path, where it is a folder that can be read.
fn neighbours(path: &Path) -> String {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return String::new();
    };
    let Ok(entries) = std::fs::read_dir(folder) else {
        return format!("The folder {} is not there or cannot be read.", folder.display());
    };
    let is_database = |name: &str| {
        let ending = name
            .rsplit_once('.')
            .map(|(_, ending)| ending.to_ascii_lowercase());
        ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
    };
    let mut names: Vec<String> = entries
        .take(MAX_NEIGHBOURS)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| is_database(name))
        .collect();
    names.sort();
    let near = nearest(&name.to_string_lossy(), names.iter().map(String::as_str)).map(str::to_owned);
    match (near, names.is_empty()) {
        (Some(near), _) => format!("Did you mean {}?", folder.join(near).display()),
        (None, true) => format!(
            "{} holds no file that ends like a SQLite database.",
            folder.display()
        ),
        (None, false) => {
            names.truncate(MAX_NAMED);
            format!("{} holds: {}.", folder.display(), names.join(", "))
        }
    }
}

fn absolute(path: &str) -> String {
    let path = PathBuf::from(path);
    let whole = if path.is_absolute() {
        path
    } else {
        std::env::current_dir().map_or_else(|_| path.clone(), |folder| folder.join(&path))
    };
    Path::new(&whole).display().to_string()
}
