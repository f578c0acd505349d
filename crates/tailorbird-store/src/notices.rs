//! The outbox of notices to the owners of tasks.
//!
//! What is to be told follows from the runs as they are stored, so that nothing has to be written at the moment
//! when it happens: whoever looks later finds it. Invariant: an event is noted once, and becomes part of one
//! notice; a notice is there until it was received or given up.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row};
use serde::Serialize;
use tailorbird_model::Name;
use tailorbird_model::run::{Run, RunId};

use crate::codec::{from_json, from_micros, optional_time, parse, time, to_json};
use crate::{Store, StoreError};

/// Runs, events and notices that one call gives at most.
const MAX_PAGE: u32 = 200;

/// How far a look goes back behind the last one, in microseconds: a clock that was set back hides nothing.
const OVERLAP: i64 = 3_600_000_000;

/// How far the first look goes back: what happened before is no news.
const FIRST_LOOK: i64 = 86_400_000_000;

/// The setting that remembers the last look.
const MARK: &str = "notices_mark";

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct NoticeEvent {
    /// Its number; 0 before it is noted.
    pub id: i64,
    /// The task.
    pub task: Name,
    /// The run.
    pub run: RunId,
    /// What: `failed`, `needs_attention`, `in_doubt`.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// Counts, code, what to do; no records.
    pub facts: serde_json::Value,
}

/// A notice on its way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Notice {
    /// Its number; the receiver knows it by this.
    pub id: i64,
    /// The task.
    pub task: Name,
    /// `webhook` or `mail`.
    pub channel: String,
    /// `waiting`, `sent` or `given_up`.
    pub state: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was made.
    pub made_at: Timestamp,
    /// When it is tried next.
    pub next_at: Option<Timestamp>,
    /// What it says.
    pub body: serde_json::Value,
    /// Why it did not arrive.
    pub failure: Option<String>,
}

/// How a try to send a notice ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeTried {
    /// It was received.
    Sent,
    /// It is tried again.
    Again {
        /// When.
        at: Timestamp,
        /// Why it did not arrive.
        why: String,
    },
    /// It was tried often enough.
    GivenUp {
        /// Why it did not arrive.
        why: String,
    },
}

impl Store {
    /// Runs that came to rest since the last look, the earliest first, and until when the look went.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn runs_at_rest(&self, after: Option<(Timestamp, RunId)>) -> Result<Vec<Run>, StoreError> {
        let now = (self.clock())().as_microsecond();
        self.read(|db| {
            let mark: Option<String> = db
                .prepare_cached("SELECT value FROM setting WHERE name = ?1")?
                .query_row([MARK], |row| row.get(0))
                .optional()?;
            let mark = mark.and_then(|text| text.parse::<i64>().ok());
            let from = mark.map_or(now - FIRST_LOOK, |mark| mark.min(now) - OVERLAP);
            let (after_time, after_run) = after.map_or((from, String::new()), |(at, run)| {
                (at.as_microsecond().max(from), run.0)
            });
            let mut statement = db.prepare_cached(
                "SELECT * FROM run WHERE state IN ('succeeded', 'failed', 'needs_attention')
                   AND (updated_at, id) > (?1, ?2) ORDER BY updated_at, id LIMIT ?3",
            )?;
            let mut rows = statement.query((after_time, after_run, MAX_PAGE))?;
            let mut runs = Vec::new();
            while let Some(row) = rows.next()? {
                runs.push(crate::runs::run(row)?);
            }
            Ok(runs)
        })
    }

    /// Notes events, and until when runs were looked at. What is noted already is left out; returns how many are
    /// new.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn note_events(
        &self,
        events: Vec<NoticeEvent>,
        looked_until: Timestamp,
    ) -> Result<usize, StoreError> {
        self.write(move |writing| {
            writing.at("notice.noted");
            let mut noted = 0;
            for event in &events {
                noted += writing
                    .connection
                    .prepare_cached(
                        "INSERT INTO notice_event (task, run, kind, at, facts) VALUES (?1, ?2, ?3, ?4, ?5)
                         ON CONFLICT (run, kind, at) DO NOTHING",
                    )?
                    .execute((
                        event.task.as_str(),
                        &event.run.0,
                        &event.kind,
                        event.at.as_microsecond(),
                        to_json("facts", &event.facts)?,
                    ))?;
            }
            writing.connection.execute(
                "INSERT INTO setting (name, value) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (MARK, looked_until.as_microsecond().to_string()),
            )?;
            Ok(noted)
        })
        .await
    }

    /// The newest event of a kind of a task.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn last_event(&self, task: &Name, kind: &str) -> Result<Option<NoticeEvent>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT * FROM notice_event WHERE task = ?1 AND kind = ?2 ORDER BY at DESC LIMIT 1",
            )?;
            let mut rows = statement.query((task.as_str(), kind))?;
            rows.next()?.map(event).transpose()
        })
    }

    /// Events that are in no notice yet, with the time of their task's newest notice.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn open_events(&self) -> Result<Vec<(NoticeEvent, Option<Timestamp>)>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT e.*, (SELECT max(n.made_at) FROM notice n WHERE n.task = e.task) AS last_made
                 FROM notice_event e WHERE e.notice IS NULL ORDER BY e.id LIMIT ?1",
            )?;
            let mut rows = statement.query([MAX_PAGE])?;
            let mut events = Vec::new();
            while let Some(row) = rows.next()? {
                events.push((event(row)?, optional_time(row, "last_made")?));
            }
            Ok(events)
        })
    }

    /// Makes a notice of events for each channel; without channels they are told to nobody.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn make_notice(
        &self,
        task: &Name,
        channels: Vec<&'static str>,
        body: serde_json::Value,
        events: Vec<i64>,
    ) -> Result<(), StoreError> {
        let task = task.clone();
        self.write(move |writing| {
            writing.at("notice.made");
            let db = writing.connection;
            // 0 is no notice's number: such events were told to nobody.
            let mut number = 0;
            for channel in &channels {
                db.prepare_cached(
                    "INSERT INTO notice (task, channel, state, attempts, made_at, next_at, body)
                     VALUES (?1, ?4, 'waiting', 0, ?2, ?2, ?3)",
                )?
                .execute((
                    task.as_str(),
                    writing.now.as_microsecond(),
                    to_json("notice", &body)?,
                    *channel,
                ))?;
                number = db.last_insert_rowid();
            }
            for event in &events {
                db.prepare_cached("UPDATE notice_event SET notice = ?2 WHERE id = ?1 AND notice IS NULL")?
                    .execute((event, number))?;
            }
            Ok(())
        })
        .await
    }

    /// Notices that are to be sent now, the oldest first.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn due_notices(&self, limit: u32) -> Result<Vec<Notice>, StoreError> {
        let now = (self.clock())().as_microsecond();
        self.list_notices(
            "SELECT * FROM notice WHERE state = 'waiting' AND next_at <= ?1 ORDER BY next_at, id LIMIT ?2",
            (now, limit.min(MAX_PAGE)),
        )
    }

    /// Notices, the newest first.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn notices(&self, limit: u32) -> Result<Vec<Notice>, StoreError> {
        self.list_notices(
            "SELECT * FROM notice ORDER BY id DESC LIMIT ?1",
            [limit.min(MAX_PAGE)],
        )
    }

    fn list_notices(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<Vec<Notice>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(sql)?;
            let mut rows = statement.query(parameters)?;
            let mut notices = Vec::new();
            while let Some(row) = rows.next()? {
                notices.push(notice(row)?);
            }
            Ok(notices)
        })
    }

    /// Stores how a try to send a notice ended.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn note_tried(&self, id: i64, tried: NoticeTried) -> Result<(), StoreError> {
        self.write(move |writing| {
            writing.at("notice.tried");
            let (state, next_at, why) = match &tried {
                NoticeTried::Sent => ("sent", None, None),
                NoticeTried::Again { at, why } => ("waiting", Some(at.as_microsecond()), Some(why)),
                NoticeTried::GivenUp { why } => ("given_up", None, Some(why)),
            };
            writing.connection.execute(
                "UPDATE notice SET state = ?2, attempts = attempts + 1, next_at = ?3, failure = ?4
                 WHERE id = ?1 AND state = 'waiting'",
                (id, state, next_at, why),
            )?;
            Ok(())
        })
        .await
    }
}

fn event(row: &Row<'_>) -> Result<NoticeEvent, StoreError> {
    let (task, facts): (String, String) = (row.get("task")?, row.get("facts")?);
    Ok(NoticeEvent {
        id: row.get("id")?,
        task: parse("task", &task)?,
        run: RunId(row.get("run")?),
        kind: row.get("kind")?,
        at: time(row, "at")?,
        facts: from_json("facts", &facts)?,
    })
}

fn notice(row: &Row<'_>) -> Result<Notice, StoreError> {
    let (task, body): (String, String) = (row.get("task")?, row.get("body")?);
    Ok(Notice {
        id: row.get("id")?,
        task: parse("task", &task)?,
        channel: row.get("channel")?,
        state: row.get("state")?,
        attempts: row.get("attempts")?,
        made_at: from_micros(row.get("made_at")?)?,
        next_at: optional_time(row, "next_at")?,
        body: from_json("notice", &body)?,
        failure: row.get("failure")?,
    })
}
