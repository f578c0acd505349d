//! Tasks and their versions.
//!
//! Invariant: a version never changes. A run refers to the version it was opened with, so a task that is
//! applied anew in the middle of a run does not change that run.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row};
use tailorbird_model::Name;

use crate::codec::{parse, time};
use crate::error::Kind;
use crate::{Store, StoreError, firings};

/// A task with one of its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTask {
    /// The task.
    pub name: Name,
    /// The version, from 1 on.
    pub version: i64,
    /// The task file of that version, as given.
    pub yaml: String,
    /// Whether its trigger starts runs.
    pub enabled: bool,
    /// When the task was first applied.
    pub created_at: Timestamp,
    /// When it was last applied, enabled or disabled.
    pub updated_at: Timestamp,
}

/// The versions that are listed; older ones are found by their number.
pub const MAX_VERSIONS: u32 = 200;

/// One version of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskVersion {
    /// From 1 on.
    pub version: i64,
    /// The task file, as given.
    pub yaml: String,
    /// When it was applied.
    pub created_at: Timestamp,
}

/// What applying a task did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It is new (or was removed before).
    Created {
        /// Its version.
        version: i64,
    },
    /// It has a new version.
    Changed {
        /// The new version.
        version: i64,
    },
    /// The same file was applied before; nothing changed.
    Unchanged {
        /// The version that holds.
        version: i64,
    },
}

impl Applied {
    /// The version that holds now.
    pub fn version(self) -> i64 {
        match self {
            Self::Created { version } | Self::Changed { version } | Self::Unchanged { version } => version,
        }
    }
}

/// Tells two states of the tasks apart. The numbers say more than the time alone, which a clock that was set
/// back could repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TasksMark {
    tasks: i64,
    versions: i64,
    enabled: i64,
    updated_at: Option<i64>,
}

const CURRENT: &str = "SELECT t.name, v.version, v.yaml, t.enabled, t.created_at, t.updated_at
    FROM task t JOIN task_version v ON v.task = t.name AND v.version = t.version WHERE t.removed = 0";

impl Store {
    /// Stores a task file; a changed one becomes a new version. A new task is enabled.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn apply_task(&self, name: &Name, yaml: &str) -> Result<Applied, StoreError> {
        self.put_task(name, yaml, None).await
    }

    /// As [`Store::apply_task`], where the task still stands at the version that was edited; 0 where it was not there.
    ///
    /// # Errors
    /// [`StoreError::Overtaken`] where somebody saved another version meanwhile; nothing is changed then.
    pub async fn apply_task_over(&self, name: &Name, yaml: &str, over: i64) -> Result<Applied, StoreError> {
        self.put_task(name, yaml, Some(over)).await
    }

    async fn put_task(&self, name: &Name, yaml: &str, over: Option<i64>) -> Result<Applied, StoreError> {
        let (name, yaml) = (name.clone(), yaml.to_owned());
        self.write(move |writing| {
            let db = writing.connection;
            let now = writing.now.as_microsecond();
            let present = db
                .query_row(
                    "SELECT t.version, t.removed, v.yaml FROM task t
                     JOIN task_version v ON v.task = t.name AND v.version = t.version WHERE t.name = ?1",
                    [name.as_str()],
                    |row| Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?, row.get::<_, String>(2)?)),
                )
                .optional()?;
            let stands_at = match &present {
                Some((version, false, _)) => *version,
                _ => 0,
            };
            if over.is_some_and(|over| over != stands_at) {
                return Err(StoreError::Overtaken {
                    name: name.to_string(),
                    version: stands_at,
                });
            }
            let applied = match present {
                None => {
                    db.execute(
                        "INSERT INTO task (name, version, enabled, created_at, updated_at) VALUES (?1, 1, 1, ?2, ?2)",
                        (name.as_str(), now),
                    )?;
                    Applied::Created { version: 1 }
                }
                Some((version, false, same)) if same == yaml => return Ok(Applied::Unchanged { version }),
                Some((version, removed, _)) => {
                    let version = version + 1;
                    db.execute(
                        "UPDATE task SET version = ?2, updated_at = ?3, removed = 0,
                                enabled = CASE WHEN removed = 1 THEN 1 ELSE enabled END WHERE name = ?1",
                        (name.as_str(), version, now),
                    )?;
                    if removed { Applied::Created { version } } else { Applied::Changed { version } }
                }
            };
            db.execute(
                "INSERT INTO task_version (task, version, yaml, created_at) VALUES (?1, ?2, ?3, ?4)",
                (name.as_str(), applied.version(), &yaml, now),
            )?;
            Ok(applied)
        })
        .await
    }

    /// A task with its newest version.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn task(&self, name: &Name) -> Result<Option<StoredTask>, StoreError> {
        self.read(|db| {
            tasks(db, &format!("{CURRENT} AND t.name = ?1"), [name.as_str()]).map(|mut all| all.pop())
        })
    }

    /// A task with one of its versions, also where the task was removed since.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn task_version(&self, name: &Name, version: i64) -> Result<Option<StoredTask>, StoreError> {
        self.read(|db| {
            let sql = "SELECT t.name, v.version, v.yaml, t.enabled, t.created_at, t.updated_at
                FROM task t JOIN task_version v ON v.task = t.name WHERE t.name = ?1 AND v.version = ?2";
            tasks(db, sql, (name.as_str(), version)).map(|mut all| all.pop())
        })
    }

    /// The versions of a task, the newest first, [`MAX_VERSIONS`] at most.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn task_versions(&self, name: &Name) -> Result<Vec<TaskVersion>, StoreError> {
        self.read(|db| {
            let sql = "SELECT version, yaml, created_at FROM task_version WHERE task = ?1
                ORDER BY version DESC LIMIT ?2";
            let mut statement = db.prepare_cached(sql)?;
            let mut rows = statement.query((name.as_str(), MAX_VERSIONS))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(TaskVersion {
                    version: row.get("version")?,
                    yaml: row.get("yaml")?,
                    created_at: time(row, "created_at")?,
                });
            }
            Ok(found)
        })
    }

    /// All tasks with their newest versions, by name.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn tasks(&self) -> Result<Vec<StoredTask>, StoreError> {
        self.read(|db| tasks(db, &format!("{CURRENT} ORDER BY t.name"), []))
    }

    /// What changes whenever a task is applied, enabled, disabled or removed, by whatever process.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn tasks_mark(&self) -> Result<TasksMark, StoreError> {
        self.read(|db| {
            let sql = "SELECT count(*), coalesce(sum(version), 0), coalesce(sum(enabled), 0), max(updated_at) FROM task";
            let mark = db.prepare_cached(sql)?.query_row([], |row| {
                Ok(TasksMark {
                    tasks: row.get(0)?,
                    versions: row.get(1)?,
                    enabled: row.get(2)?,
                    updated_at: row.get(3)?,
                })
            })?;
            Ok(mark)
        })
    }

    /// Lets a task's trigger start runs, or stops it from doing so.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] where there is no such task.
    pub async fn set_task_enabled(&self, name: &Name, enabled: bool) -> Result<(), StoreError> {
        let name = name.clone();
        self.write(move |writing| {
            let changed = writing.connection.execute(
                "UPDATE task SET enabled = ?2, updated_at = ?3 WHERE name = ?1 AND removed = 0",
                (name.as_str(), enabled, writing.now.as_microsecond()),
            )?;
            if !enabled {
                firings::forget_clock(writing.connection, &name)?;
            }
            known(changed, &name)
        })
        .await
    }

    /// Removes a task. Its runs, its versions and what it sent stay.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] where there is no such task.
    pub async fn remove_task(&self, name: &Name) -> Result<(), StoreError> {
        let name = name.clone();
        self.write(move |writing| {
            let changed = writing.connection.execute(
                "UPDATE task SET removed = 1, enabled = 0, updated_at = ?2 WHERE name = ?1 AND removed = 0",
                (name.as_str(), writing.now.as_microsecond()),
            )?;
            firings::forget_clock(writing.connection, &name)?;
            known(changed, &name)
        })
        .await
    }
}

fn known(changed: usize, name: &Name) -> Result<(), StoreError> {
    if changed == 0 {
        return Err(StoreError::Unknown {
            kind: Kind::Task,
            name: name.to_string(),
        });
    }
    Ok(())
}

fn tasks(
    db: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<StoredTask>, StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(task(row)?);
    }
    Ok(found)
}

fn task(row: &Row<'_>) -> Result<StoredTask, StoreError> {
    let name: String = row.get("name")?;
    Ok(StoredTask {
        name: parse("task", &name)?,
        version: row.get("version")?,
        yaml: row.get("yaml")?,
        enabled: row.get("enabled")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}
