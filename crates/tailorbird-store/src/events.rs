//! The inbox of triggers: what arrived, and which run has it.
//!
//! Invariants: an event is stored and synced before its sender hears of it; it is taken in the commit that
//! opens its run; the same event is never stored twice for a task as long as it is remembered.

mod retention;
mod state;
mod taking;

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, Row};
use sha2::{Digest as _, Sha256};
use tailorbird_model::Name;
use tailorbird_model::event::{EventId, EventSource, TriggerEvent};
use tailorbird_model::run::RunId;

use crate::codec::{from_optional_json, parse, time, to_json};
use crate::writer::Writing;
use crate::{Store, StoreError};

pub use state::TriggerState;

/// Events of one task that may wait for a run. Beyond them nothing is received: the sender keeps what it has
/// and tries again, which is better than an inbox that fills the disk.
pub const MAX_WAITING_EVENTS: u32 = 10_000;

/// Events that one call may bring, so that other writers are not held up for long.
pub const MAX_EVENTS_PER_CALL: usize = 1_000;

/// The longest payload, in bytes of JSON: a webhook's largest body takes at most twice its own length, and a changed
/// row may hold a document.
pub const MAX_EVENT_BYTES: usize = 8 << 20;

/// Events of one page of a list.
pub const MAX_EVENT_PAGE: u32 = 1_000;

/// Separates identities of events from every other hash.
const IDENTITY_DOMAIN: &[u8] = b"tailorbird trigger event 1";

/// Something that arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// The task that it starts.
    pub task: Name,
    /// Where it came from.
    pub source: EventSource,
    /// What tells it from every other event of the task, however long.
    pub identity: String,
    /// What people call it.
    pub label: String,
    /// What it says, in the form of its source.
    pub payload: serde_json::Value,
}

/// What became of something that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// It is stored.
    New(EventId),
    /// It was there before; nothing was stored.
    Known(EventId),
    /// Too many events of the task wait; nothing was stored.
    Full,
}

impl Store {
    /// Stores what arrived, in its order, all in one commit. When this returns, it is on disk.
    ///
    /// # Errors
    /// [`StoreError::TooMany`] for more than [`MAX_EVENTS_PER_CALL`] events or a payload longer than
    /// [`MAX_EVENT_BYTES`]; nothing is stored then.
    pub async fn receive_events(&self, events: Vec<NewEvent>) -> Result<Vec<Received>, StoreError> {
        if events.len() > MAX_EVENTS_PER_CALL {
            return Err(too_many("events", events.len(), MAX_EVENTS_PER_CALL));
        }
        let mut ready = Vec::with_capacity(events.len());
        for event in events {
            let payload = to_json("event", &event.payload)?;
            if payload.len() > MAX_EVENT_BYTES {
                return Err(too_many("bytes", payload.len(), MAX_EVENT_BYTES));
            }
            ready.push((event, payload));
        }
        self.write(move |writing| {
            writing.at("event.received");
            // Counted once per task: counting anew for each event would make a long inbox ever slower.
            let mut waiting = BTreeMap::new();
            ready
                .into_iter()
                .map(|(event, payload)| receive(writing, &event, &payload, &mut waiting))
                .collect()
        })
        .await
    }

    /// The events that a run has, in the order in which they arrived, from one on.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn run_events(
        &self,
        run: &RunId,
        after: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<TriggerEvent>, StoreError> {
        self.read(|db| {
            events(
                db,
                "SELECT * FROM trigger_event WHERE run = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
                (&run.0, after.map_or(0, |id| id.0), limit.min(MAX_EVENT_PAGE)),
            )
        })
    }

    /// How many events of a task wait for a run.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn waiting_events(&self, task: &Name) -> Result<u32, StoreError> {
        self.read(|db| waiting(db, task))
    }

    /// The tasks for which events wait.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn tasks_with_events(&self) -> Result<Vec<Name>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT DISTINCT task FROM trigger_event WHERE state = 'new' ORDER BY task",
            )?;
            let names = statement
                .query_map([], |row| row.get::<_, String>(0))?
                .collect::<Result<Vec<_>, _>>()?;
            names.iter().map(|name| parse("task", name)).collect()
        })
    }
}

fn receive(
    writing: &Writing<'_>,
    event: &NewEvent,
    payload: &str,
    counts: &mut BTreeMap<Name, u32>,
) -> Result<Received, StoreError> {
    let db = writing.connection;
    let identity = identity(event.source, &event.identity);
    let known: Option<i64> = db
        .prepare_cached("SELECT id FROM trigger_event WHERE task = ?1 AND identity = ?2")?
        .query_row((event.task.as_str(), identity), |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        return Ok(Received::Known(EventId(id)));
    }
    let count = match counts.get(&event.task) {
        Some(count) => *count,
        None => waiting(db, &event.task)?,
    };
    counts.insert(event.task.clone(), count.saturating_add(1));
    if count >= MAX_WAITING_EVENTS {
        return Ok(Received::Full);
    }
    db.prepare_cached(
        "INSERT INTO trigger_event (task, source, identity, label, received_at, state, payload)
         VALUES (?1, ?2, ?3, ?4, ?5, 'new', ?6)",
    )?
    .execute((
        event.task.as_str(),
        event.source.as_str(),
        identity,
        &event.label,
        writing.now.as_microsecond(),
        payload,
    ))?;
    let id = EventId(db.last_insert_rowid());
    state::note_event(db, &event.task, &event.label, writing.now)?;
    Ok(Received::New(id))
}

/// The hash under which an event is remembered.
pub(super) fn identity(source: EventSource, text: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(IDENTITY_DOMAIN);
    hash.update(source.as_str());
    hash.update([0]);
    hash.update(text);
    hash.finalize().into()
}

/// Counts the events that wait; it stops counting at the limit.
fn waiting(db: &Connection, task: &Name) -> Result<u32, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT count(*) FROM (SELECT 1 FROM trigger_event WHERE task = ?1 AND state = 'new' LIMIT ?2)",
        )?
        .query_row((task.as_str(), MAX_WAITING_EVENTS), |row| row.get(0))?)
}

fn events(
    db: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<TriggerEvent>, StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(event(row)?);
    }
    Ok(found)
}

fn event(row: &Row<'_>) -> Result<TriggerEvent, StoreError> {
    let task: String = row.get("task")?;
    let source: String = row.get("source")?;
    let state: String = row.get("state")?;
    Ok(TriggerEvent {
        id: EventId(row.get("id")?),
        task: parse("task", &task)?,
        source: parse("event source", &source)?,
        label: row.get("label")?,
        received_at: time(row, "received_at")?,
        state: parse("event state", &state)?,
        run: row.get::<_, Option<String>>("run")?.map(RunId),
        payload: from_optional_json("event", row.get("payload")?)?.unwrap_or_default(),
    })
}

fn too_many(what: &'static str, given: usize, limit: usize) -> StoreError {
    StoreError::TooMany { what, given, limit }
}
