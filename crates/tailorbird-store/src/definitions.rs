//! Services of the user's own, connections and databases.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row};
use serde::de::DeserializeOwned;
use tailorbird_model::Name;
use tailorbird_model::connection::Connection;
use tailorbird_model::database::Database;

use crate::codec::{from_json, parse, time, to_json};
use crate::error::Kind;
use crate::secrets::{self, CredentialChange};
use crate::writer::Writing;
use crate::{Store, StoreError, authorizations};

/// A definition with the times of its making and of its last change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored<T> {
    /// What is stored.
    pub value: T,
    /// When it was first stored.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A service file of the user's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceFile {
    /// The service.
    pub name: Name,
    /// Its file, as given.
    pub yaml: String,
}

impl Store {
    /// Stores a service file, replacing one of the same name.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn put_service(&self, service: ServiceFile) -> Result<(), StoreError> {
        self.write(move |writing| {
            writing.connection.execute(
                "INSERT INTO service (name, yaml, created_at, updated_at) VALUES (?1, ?2, ?3, ?3)
                 ON CONFLICT (name) DO UPDATE SET yaml = excluded.yaml, updated_at = excluded.updated_at
                 WHERE yaml <> excluded.yaml",
                (service.name.as_str(), &service.yaml, writing.now.as_microsecond()),
            )?;
            Ok(())
        })
        .await
    }

    /// Stores a service file where the one of that name is still what it was: `before` is its text, or nothing where
    /// there was none. Tells whether it was stored.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn replace_service(
        &self,
        service: ServiceFile,
        before: Option<String>,
    ) -> Result<bool, StoreError> {
        self.write(move |writing| {
            let stands: Option<String> = writing
                .connection
                .query_row(
                    "SELECT yaml FROM service WHERE name = ?1",
                    [service.name.as_str()],
                    |row| row.get(0),
                )
                .optional()?;
            if stands != before {
                return Ok(false);
            }
            writing.connection.execute(
                "INSERT INTO service (name, yaml, created_at, updated_at) VALUES (?1, ?2, ?3, ?3)
                 ON CONFLICT (name) DO UPDATE SET yaml = excluded.yaml, updated_at = excluded.updated_at",
                (service.name.as_str(), &service.yaml, writing.now.as_microsecond()),
            )?;
            Ok(true)
        })
        .await
    }

    /// A mark that changes whenever a stored service file does.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn services_mark(&self) -> Result<(i64, i64), StoreError> {
        self.read(|db| {
            Ok(db
                .prepare_cached("SELECT count(*), coalesce(max(updated_at), 0) FROM service")?
                .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?)
        })
    }

    /// A stored service file.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn service(&self, name: &Name) -> Result<Option<Stored<ServiceFile>>, StoreError> {
        self.one(
            "SELECT name, yaml, created_at, updated_at FROM service WHERE name = ?1",
            name,
            service,
        )
    }

    /// All stored service files, by name.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn services(&self) -> Result<Vec<Stored<ServiceFile>>, StoreError> {
        self.all(
            "SELECT name, yaml, created_at, updated_at FROM service ORDER BY name",
            service,
        )
    }

    /// Removes a stored service file.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] where there is none.
    pub async fn remove_service(&self, name: &Name) -> Result<(), StoreError> {
        self.remove("DELETE FROM service WHERE name = ?1", Kind::Service, name)
            .await
    }

    /// Stores a connection and, in the same commit, the secrets given with it.
    ///
    /// # Errors
    /// Where the sealing key does not fit or the database refuses.
    pub async fn put_connection(
        &self,
        connection: Connection,
        secrets: CredentialChange,
    ) -> Result<(), StoreError> {
        let (home, key) = (self.home().clone(), Arc::clone(self.key()));
        self.write(move |writing| {
            put_connection(writing, &connection)?;
            Self::with_key(writing.connection, &home, &key, |key| {
                secrets::put_change(
                    writing.connection,
                    key,
                    &connection.connection,
                    &secrets,
                    writing.now,
                )
            })
        })
        .await
    }

    /// Changes a connection as it stands at the moment of the commit, or makes it, and seals the secrets given with it.
    ///
    /// `change` sees what is stored and gives what is to be stored; where it gives nothing, nothing is changed and the
    /// answer is `false`. Reading and writing are one commit, so that nobody's change in between is lost.
    ///
    /// # Errors
    /// Where the sealing key does not fit or the database refuses.
    pub async fn change_connection<F>(
        &self,
        name: &Name,
        secrets: CredentialChange,
        change: F,
    ) -> Result<bool, StoreError>
    where
        F: FnOnce(Option<Connection>) -> Option<Connection> + Send + 'static,
    {
        let (home, key, name) = (self.home().clone(), Arc::clone(self.key()), name.clone());
        self.write(move |writing| {
            let present: Option<String> = writing
                .connection
                .query_row(
                    "SELECT definition FROM connection WHERE name = ?1",
                    [name.as_str()],
                    |row| row.get(0),
                )
                .optional()?;
            let present = present.map(|text| from_json("connection", &text)).transpose()?;
            let Some(changed) = change(present) else {
                return Ok(false);
            };
            put_connection(writing, &changed)?;
            Self::with_key(writing.connection, &home, &key, |key| {
                secrets::put_change(writing.connection, key, &name, &secrets, writing.now)
            })?;
            Ok(true)
        })
        .await
    }

    /// A connection, without its secrets.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn connection(&self, name: &Name) -> Result<Option<Stored<Connection>>, StoreError> {
        self.one(
            "SELECT definition, created_at, updated_at FROM connection WHERE name = ?1",
            name,
            |row| document("connection", row),
        )
    }

    /// All connections, by name.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn connections(&self) -> Result<Vec<Stored<Connection>>, StoreError> {
        self.all(
            "SELECT definition, created_at, updated_at FROM connection ORDER BY name",
            |row| document("connection", row),
        )
    }

    /// Removes a connection with all that is sealed for it. What it sent stays in the ledger.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] where there is none.
    pub async fn remove_connection(&self, name: &Name) -> Result<(), StoreError> {
        let name = name.clone();
        self.write(move |writing| {
            if writing
                .connection
                .execute("DELETE FROM connection WHERE name = ?1", [name.as_str()])?
                == 0
            {
                return Err(StoreError::Unknown {
                    kind: Kind::Connection,
                    name: name.to_string(),
                });
            }
            // What its credential has used, it has used, whichever connection holds it next. Only what is over goes.
            writing.connection.execute(
                "DELETE FROM budget WHERE reset_at IS NULL OR reset_at < ?1",
                [writing.now.as_microsecond()],
            )?;
            secrets::forget_connection(writing, &name)?;
            authorizations::remove(writing, &name)
        })
        .await?;
        Ok(())
    }

    /// Stores a database, replacing one of the same name.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn put_database(&self, database: Database) -> Result<(), StoreError> {
        self.write(move |writing| {
            writing.connection.execute(
                "INSERT INTO business_database (name, definition, created_at, updated_at) VALUES (?1, ?2, ?3, ?3)
                 ON CONFLICT (name) DO UPDATE SET definition = excluded.definition,
                                                  updated_at = excluded.updated_at",
                (database.database.as_str(), to_json("database", &database)?, writing.now.as_microsecond()),
            )?;
            Ok(())
        })
        .await
    }

    /// A database.
    ///
    /// # Errors
    /// Where our own database cannot be read.
    pub fn database(&self, name: &Name) -> Result<Option<Stored<Database>>, StoreError> {
        self.one(
            "SELECT definition, created_at, updated_at FROM business_database WHERE name = ?1",
            name,
            |row| document("database", row),
        )
    }

    /// All databases, by name.
    ///
    /// # Errors
    /// Where our own database cannot be read.
    pub fn databases(&self) -> Result<Vec<Stored<Database>>, StoreError> {
        self.all(
            "SELECT definition, created_at, updated_at FROM business_database ORDER BY name",
            |row| document("database", row),
        )
    }

    /// Removes a database from the definitions; the database itself is not touched.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] where there is none.
    pub async fn remove_database(&self, name: &Name) -> Result<(), StoreError> {
        self.remove(
            "DELETE FROM business_database WHERE name = ?1",
            Kind::Database,
            name,
        )
        .await
    }

    fn one<T>(
        &self,
        sql: &str,
        name: &Name,
        read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.read(|db| {
            db.prepare_cached(sql)?
                .query_row([name.as_str()], |row| Ok(read(row)))
                .optional()?
                .transpose()
        })
    }

    fn all<T>(
        &self,
        sql: &str,
        read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(sql)?;
            let mut rows = statement.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(read(row)?);
            }
            Ok(found)
        })
    }

    async fn remove(&self, sql: &'static str, kind: Kind, name: &Name) -> Result<(), StoreError> {
        let name = name.clone();
        self.write(
            move |writing| match writing.connection.execute(sql, [name.as_str()])? {
                0 => Err(StoreError::Unknown {
                    kind,
                    name: name.to_string(),
                }),
                _ => Ok(()),
            },
        )
        .await
    }
}

fn put_connection(writing: &Writing<'_>, connection: &Connection) -> Result<(), StoreError> {
    writing.connection.execute(
        "INSERT INTO connection (name, service, definition, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?4)
         ON CONFLICT (name) DO UPDATE SET service = excluded.service, definition = excluded.definition,
                                          updated_at = excluded.updated_at",
        (
            connection.connection.as_str(),
            connection.service.as_str(),
            to_json("connection", connection)?,
            writing.now.as_microsecond(),
        ),
    )?;
    Ok(())
}

fn service(row: &Row<'_>) -> Result<Stored<ServiceFile>, StoreError> {
    let name: String = row.get("name")?;
    let value = ServiceFile {
        name: parse("service", &name)?,
        yaml: row.get("yaml")?,
    };
    Ok(Stored {
        value,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

fn document<T: DeserializeOwned>(what: &'static str, row: &Row<'_>) -> Result<Stored<T>, StoreError> {
    let definition: String = row.get("definition")?;
    Ok(Stored {
        value: from_json(what, &definition)?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}
