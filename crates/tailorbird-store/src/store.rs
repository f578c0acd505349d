//! The open store: one writer, a few readers, the sealing key.

use std::sync::{Arc, PoisonError, RwLock};

use rusqlite::Connection;
use tailorbird_model::measure::Histogram;

use crate::audit::{self, Noting};
use crate::budgets::Budgets;
use crate::clock::{Clock, system_clock};
use crate::credential::CredentialKey;
use crate::ledger::chain::Chain;
use crate::readers::Readers;
use crate::seal::SealingKey;
use crate::writer::{self, Writer, Writing};
use crate::{Home, StoreError, schema, secrets};

/// The state of a home. Cheap to clone; all clones share one writing thread.
///
/// Methods that change something are `async`, and what they changed is durable when they return. Methods
/// that only read return at once.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
    /// What the audit log gets with the first change that is written.
    noting: Option<Noting>,
}

struct Inner {
    home: Home,
    clock: Clock,
    writer: Writer,
    readers: Readers,
    key: Arc<RwLock<SealingKey>>,
    budgets: Budgets,
    credentials: CredentialKey,
}

impl Store {
    /// Opens the store of a home, bringing its schema up to date.
    ///
    /// # Errors
    /// Where the file is not a home's database, is newer than this program, or the sealing key does not fit.
    pub fn open(home: &Home) -> Result<Self, StoreError> {
        Self::open_with_clock(home, system_clock())
    }

    /// As [`Store::open`], with a clock of the caller's.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with_clock(home: &Home, clock: Clock) -> Result<Self, StoreError> {
        let mut connection = schema::open_writer(&home.ledger_path())?;
        schema::migrate(&mut connection, home.path(), clock(), schema::Expect::Home)?;
        let key = secrets::fitting_key(&connection, home)?;
        let chain_key = secrets::chain_key(&connection, &key)?;
        let credentials = CredentialKey::new(chain_key.clone());
        let chain = Chain::new(chain_key);
        let budgets = Budgets::load(&connection)?;
        let writer = Writer::start(connection, chain, Arc::clone(&clock))?;
        Ok(Self {
            inner: Arc::new(Inner {
                home: home.clone(),
                clock,
                writer,
                readers: Readers::new(home.ledger_path()),
                key: Arc::new(RwLock::new(key)),
                budgets,
                credentials,
            }),
            noting: None,
        })
    }

    pub(crate) fn with_noting(&self, noting: Noting) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            noting: Some(noting),
        }
    }

    /// The home that this is the store of.
    pub fn home(&self) -> &Home {
        &self.inner.home
    }

    /// How many commits this process has made; for measurements.
    pub fn commits(&self) -> u64 {
        self.inner.writer.commits()
    }

    pub(crate) fn writer_times(&self) -> &Histogram {
        self.inner.writer.times()
    }

    /// Tells whether the commit of a [`StoreError::CommitUnknown`] took place (never-twice rule 6). Nothing
    /// may be sent before this has answered.
    ///
    /// # Errors
    /// Where the database still cannot be read.
    pub fn verify_committed(&self, batch: i64) -> Result<bool, StoreError> {
        let name = self.inner.writer.name();
        self.read(|connection| Ok(writer::mark(connection, name)?.is_some_and(|last| last >= batch)))
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    pub(crate) fn credential_key(&self) -> &CredentialKey {
        &self.inner.credentials
    }

    pub(crate) fn budgets(&self) -> &Budgets {
        &self.inner.budgets
    }

    pub(crate) fn key(&self) -> &Arc<RwLock<SealingKey>> {
        &self.inner.key
    }

    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.inner.readers.read(work)
    }

    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Writing<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let Some((noting, line)) = self
            .noting
            .as_ref()
            .and_then(|noting| noting.take().map(|line| (noting, line)))
        else {
            return self.inner.writer.write(work).await;
        };
        let again = line.clone();
        // Whether the job changed anything: what it left as it was needs no line.
        let added = self.inner.writer.write(move |writing| {
            let before = changes(writing.connection)?;
            let value = work(writing)?;
            let has_changed = changes(writing.connection)? != before;
            if has_changed {
                audit::add(writing, &line)?;
            }
            Ok((value, has_changed))
        });
        let added = added.await;
        if !matches!(added, Ok((_, true))) {
            noting.put_back(Some(again));
        }
        added.map(|(value, _)| value)
    }

    /// As [`Store::write`], for the jobs of each record (see [`Writer::write_often`]).
    pub(crate) async fn write_often<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Writing<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.inner.writer.write_often(work).await
    }

    pub(crate) fn write_later<F>(&self, work: F)
    where
        F: FnOnce(&mut Writing<'_>) -> Result<(), StoreError> + Send + 'static,
    {
        self.inner.writer.write_later(work);
    }

    /// Works with the key that the stored secrets need, reading it again where another process rotated it.
    pub(crate) fn with_key<T>(
        connection: &Connection,
        home: &Home,
        key: &RwLock<SealingKey>,
        work: impl FnOnce(&SealingKey) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let needed = secrets::key_id(connection)?;
        {
            let key = key.read().unwrap_or_else(PoisonError::into_inner);
            if key.id() == needed {
                return work(&key);
            }
        }
        let fresh = secrets::fitting_key(connection, home)?;
        let answer = work(&fresh);
        *key.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        answer
    }
}

/// Rows that this connection has changed since it was opened.
fn changes(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection
        .prepare_cached("SELECT total_changes()")?
        .query_row([], |row| row.get(0))
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("home", &self.inner.home)
            .finish_non_exhaustive()
    }
}
