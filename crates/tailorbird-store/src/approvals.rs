//! Records that wait for a person's release.
//!
//! Invariant: what is handed on is what was released. Where the content of a record changes before the later
//! steps have taken it, it has to be released again.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row};
use tailorbird_model::approval::{Approval, ApprovalId, ApprovalState, ShownRequest};
use tailorbird_model::key::DeliveryKey;
use tailorbird_model::run::RunId;
use tailorbird_model::task::MAX_CALL_DEPTH;
use tailorbird_model::{Name, Record};

use crate::codec::{from_json, optional_time, parse, path, time, to_json, whole};
use crate::ledger::{check_batch, key_hash};
use crate::runs::{self, DECIDED, RunRequest};
use crate::writer::Writing;
use crate::{Store, StoreError};

/// How many questions one page of a list may hold.
pub const MAX_APPROVAL_PAGE: u32 = 1_000;

/// A record to ask a person about.
#[derive(Debug, Clone)]
pub struct NewApproval {
    /// Which record.
    pub key: DeliveryKey,
    /// The record as it is handed on later.
    pub input: Record,
    /// The text that the person reads first.
    pub shown: String,
    /// The requests that would be sent.
    pub requests: Vec<ShownRequest>,
    /// A digest of what is shown and sent.
    pub fingerprint: String,
}

/// The step that asks.
#[derive(Debug, Clone)]
pub struct Asker {
    /// The task.
    pub task: Name,
    /// The step.
    pub step: Name,
    /// The run.
    pub run: RunId,
    /// Who may decide.
    pub role: Name,
    /// Until when it can be decided.
    pub expires_at: Timestamp,
}

/// What asking about a record came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// The question is new.
    New,
    /// It stands anew, because the content changed: this run (true) or another one had asked.
    Anew(bool),
    /// It stands where it stood: this run (true) or another one asked.
    Known(ApprovalState, bool),
    /// It was released and the later steps have taken it.
    Settled(bool),
}

/// What a person says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalDecision {
    /// Let it go out as shown.
    Release,
    /// Leave it out.
    Refuse,
}

/// How many questions of a step stand, and when the first of them expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StandingApprovals {
    /// How many wait.
    pub waiting: u64,
    /// When the first of them expires.
    pub first_expires_at: Option<Timestamp>,
}

/// Which questions to list.
#[derive(Debug, Clone, Default)]
pub struct ApprovalFilter {
    /// Only of this task.
    pub task: Option<Name>,
    /// Only in this state.
    pub state: Option<ApprovalState>,
    /// Only for this role.
    pub role: Option<Name>,
    /// Only those after this one.
    pub after: Option<ApprovalId>,
    /// At most so many; at most [`MAX_APPROVAL_PAGE`].
    pub limit: u32,
}

impl Store {
    /// Asks about records; the answers are in the order of the batch. Asking twice is asking once.
    ///
    /// # Errors
    /// [`StoreError::TooMany`] beyond [`crate::MAX_BATCH`] records, or where the database refuses.
    pub async fn ask_approval(
        &self,
        asker: Asker,
        batch: Vec<NewApproval>,
    ) -> Result<Vec<Asked>, StoreError> {
        check_batch("questions", batch.len())?;
        self.write(move |writing| {
            writing.at("approval.asked");
            batch.iter().map(|new| ask(writing, &asker, new)).collect()
        })
        .await
    }

    /// Ends the questions of a step whose time is over; they count for the run.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn expire_approvals(&self, task: &Name, step: &Name, run: &RunId) -> Result<(), StoreError> {
        let (task, step, run) = (task.clone(), step.clone(), run.clone());
        self.write(move |writing| {
            writing.connection.execute(
                "UPDATE approval SET state = 'expired', reason = 'nobody decided in time', run = ?4, updated_at = ?3
                 WHERE task = ?1 AND step = ?2 AND state = 'waiting' AND expires_at <= ?3",
                (
                    task.as_str(),
                    step.as_str(),
                    writing.now.as_microsecond(),
                    &run.0,
                ),
            )?;
            Ok(())
        })
        .await
    }

    /// Released records that the later steps have not taken yet, oldest first.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn released(&self, task: &Name, step: &Name, limit: u32) -> Result<Vec<Approval>, StoreError> {
        self.read(|db| {
            approvals(
                db,
                "SELECT * FROM approval WHERE task = ?1 AND step = ?2 AND state = 'released' AND settled = 0
                 ORDER BY id LIMIT ?3",
                (task.as_str(), step.as_str(), limit),
            )
        })
    }

    /// Notes that the later steps have taken released records.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn settle_approvals(&self, ids: Vec<ApprovalId>) -> Result<(), StoreError> {
        self.write(move |writing| {
            writing.at("approval.settled");
            let mut statement = writing
                .connection
                .prepare_cached("UPDATE approval SET settled = 1, updated_at = ?2 WHERE id = ?1")?;
            for id in &ids {
                statement.execute((id.0, writing.now.as_microsecond()))?;
            }
            Ok(())
        })
        .await
    }

    /// Asks again about a released record that would go out otherwise than it was released.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn ask_approval_again(
        &self,
        id: ApprovalId,
        asker: Asker,
        new: NewApproval,
    ) -> Result<(), StoreError> {
        self.write(move |writing| {
            put_anew(
                writing,
                id.0,
                &asker,
                &new,
                Some("its content changed after it was released"),
            )
        })
        .await
    }

    /// How many questions of a step stand.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn standing_approvals(&self, task: &Name, step: &Name) -> Result<StandingApprovals, StoreError> {
        self.read(|db| {
            let (waiting, first): (u64, Option<i64>) = db
                .prepare_cached(
                    "SELECT count(*), min(expires_at) FROM approval
                     WHERE task = ?1 AND step = ?2 AND state = 'waiting'",
                )?
                .query_row((task.as_str(), step.as_str()), |row| {
                    Ok((whole(row, 0)?, row.get(1)?))
                })?;
            Ok(StandingApprovals {
                waiting,
                first_expires_at: first.map(crate::codec::from_micros).transpose()?,
            })
        })
    }

    /// Questions, in the order in which they were first asked.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn approvals(&self, filter: &ApprovalFilter) -> Result<Vec<Approval>, StoreError> {
        self.read(|db| {
            approvals(
                db,
                "SELECT * FROM approval
                 WHERE (?1 IS NULL OR task = ?1) AND (?2 IS NULL OR state = ?2) AND (?3 IS NULL OR role = ?3)
                   AND id > ?4 ORDER BY id LIMIT ?5",
                (
                    filter.task.as_ref().map(Name::as_str),
                    filter.state.map(ApprovalState::as_str),
                    filter.role.as_ref().map(Name::as_str),
                    filter.after.map_or(0, |id| id.0),
                    filter.limit.min(MAX_APPROVAL_PAGE),
                ),
            )
        })
    }

    /// One question.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn approval(&self, id: ApprovalId) -> Result<Option<Approval>, StoreError> {
        self.read(|db| find(db, id))
    }

    /// Carries out a person's decision. Tells the question as it stands then, and whether this decided it: one
    /// that is decided already, expired, or shows something else than the person saw stays as it is.
    ///
    /// The run that waits for it is woken in the same commit: a decision that nobody hears of would leave the run, and
    /// those behind it, waiting until the question expires.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn decide_approval(
        &self,
        seen: &Approval,
        decision: ApprovalDecision,
        who: &str,
        reason: Option<&str>,
    ) -> Result<(bool, Option<Approval>), StoreError> {
        let (id, fingerprint) = (seen.id, seen.fingerprint.clone());
        let (who, reason) = (who.to_owned(), reason.map(str::to_owned));
        self.write(move |writing| {
            writing.at("approval.decided");
            let state = match decision {
                ApprovalDecision::Release => ApprovalState::Released,
                ApprovalDecision::Refuse => ApprovalState::Refused,
            };
            let decided = writing.connection.execute(
                "UPDATE approval SET state = ?2, decided_at = ?3, decided_by = ?4, reason = ?5, settled = 0,
                        updated_at = ?3
                 WHERE id = ?1 AND state = 'waiting' AND expires_at > ?3 AND fingerprint = ?6",
                (
                    id.0,
                    state.as_str(),
                    writing.now.as_microsecond(),
                    &who,
                    &reason,
                    &fingerprint,
                ),
            )?;
            let now = find(writing.connection, id)?;
            if decided == 1
                && let Some(approval) = &now
            {
                for run in waiting_for(writing.connection, approval)? {
                    wake(writing, &run)?;
                }
            }
            Ok((decided == 1, now))
        })
        .await
    }
}

/// The runs that wait for a decision, or will when they have come to their end: the one that asked, and whichever has
/// taken its place.
fn waiting_for(db: &Connection, approval: &Approval) -> Result<Vec<RunId>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT id FROM run WHERE task = ?1 AND state NOT IN ('succeeded', 'failed', 'cancelled') AND id <> ?2",
    )?;
    let others = statement.query_map((approval.task.as_str(), &approval.run.0), |row| row.get(0))?;
    let mut runs = vec![approval.run.clone()];
    for other in others {
        runs.push(RunId(other?));
    }
    Ok(runs)
}

/// Lets a run go on that waits for a decision. A run that was called is driven by the one that called it, so those above
/// it have to go on, too.
fn wake(writing: &mut Writing<'_>, run: &RunId) -> Result<(), StoreError> {
    writing.at("signal.sent");
    runs::journal::nudge(writing, run, DECIDED)?;
    let mut below = run.0.clone();
    for _ in 0..MAX_CALL_DEPTH {
        let parent: Option<String> = writing
            .connection
            .prepare_cached("SELECT parent FROM run_input WHERE run = ?1")?
            .query_row([&below], |row| row.get(0))
            .optional()?
            .flatten();
        let Some(parent) = parent else { break };
        writing
            .connection
            .prepare_cached(
                "UPDATE run SET request = ?2, updated_at = ?3 WHERE id = ?1 AND state = 'waiting'",
            )?
            .execute((&parent, RunRequest::Resume.as_str(), writing.now.as_microsecond()))?;
        below = parent;
    }
    Ok(())
}

/// How many questions of a run ended without a release: expired, and refused.
pub(crate) fn ended_of_run(db: &Connection, run: &RunId) -> Result<(u64, u64), StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT count(*) FILTER (WHERE state = 'expired'), count(*) FILTER (WHERE state = 'refused')
             FROM approval WHERE run = ?1",
        )?
        .query_row([&run.0], |row| Ok((whole(row, 0)?, whole(row, 1)?)))?)
}

fn ask(writing: &mut Writing<'_>, asker: &Asker, new: &NewApproval) -> Result<Asked, StoreError> {
    let db = writing.connection;
    let inserted = db
        .prepare_cached(
            "INSERT INTO approval (task, step, key_hash, key, run, state, input, shown, requests, fingerprint,
                                   role, asked_at, expires_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, 'waiting', ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?11)
             ON CONFLICT (key_hash, task, step) DO NOTHING",
        )?
        .execute((
            asker.task.as_str(),
            asker.step.as_str(),
            key_hash(&new.key),
            new.key.as_str(),
            &asker.run.0,
            to_json("input", &new.input)?,
            &new.shown,
            to_json("requests", &new.requests)?,
            &new.fingerprint,
            asker.role.as_str(),
            writing.now.as_microsecond(),
            asker.expires_at.as_microsecond(),
        ))?;
    if inserted == 1 {
        return Ok(Asked::New);
    }
    let (id, state, fingerprint, settled, run): (i64, String, String, bool, String) = db
        .prepare_cached(
            "SELECT id, state, fingerprint, settled, run FROM approval
             WHERE key_hash = ?1 AND task = ?2 AND step = ?3",
        )?
        .query_row(
            (key_hash(&new.key), asker.task.as_str(), asker.step.as_str()),
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)),
        )?;
    let is_ours = run == asker.run.0;
    if settled {
        return Ok(Asked::Settled(is_ours));
    }
    let state: ApprovalState = parse("approval state", &state)?;
    let has_changed = fingerprint != new.fingerprint;
    match state {
        // The person sees what would go out now; the time in which to decide stays.
        ApprovalState::Waiting if has_changed => {
            db.prepare_cached(
                "UPDATE approval SET run = ?2, input = ?3, shown = ?4, requests = ?5, fingerprint = ?6, role = ?7,
                        updated_at = ?8 WHERE id = ?1",
            )?
            .execute((
                id,
                &asker.run.0,
                to_json("input", &new.input)?,
                &new.shown,
                to_json("requests", &new.requests)?,
                &new.fingerprint,
                asker.role.as_str(),
                writing.now.as_microsecond(),
            ))?;
            Ok(Asked::Known(state, is_ours))
        }
        ApprovalState::Waiting => {
            db.prepare_cached("UPDATE approval SET run = ?2, role = ?3 WHERE id = ?1")?
                .execute((id, &asker.run.0, asker.role.as_str()))?;
            Ok(Asked::Known(state, is_ours))
        }
        ApprovalState::Released | ApprovalState::Expired if has_changed => {
            put_anew(writing, id, asker, new, Some("its content changed"))?;
            Ok(Asked::Anew(is_ours))
        }
        ApprovalState::Released | ApprovalState::Expired | ApprovalState::Refused => {
            Ok(Asked::Known(state, is_ours))
        }
    }
}

fn put_anew(
    writing: &mut Writing<'_>,
    id: i64,
    asker: &Asker,
    new: &NewApproval,
    reason: Option<&str>,
) -> Result<(), StoreError> {
    writing
        .connection
        .prepare_cached(
            "UPDATE approval SET state = 'waiting', run = ?2, input = ?3, shown = ?4, requests = ?5, fingerprint = ?6,
                    role = ?7, asked_at = ?8, expires_at = ?9, decided_at = NULL, decided_by = NULL, reason = ?10,
                    settled = 0, updated_at = ?8 WHERE id = ?1",
        )?
        .execute((
            id,
            &asker.run.0,
            to_json("input", &new.input)?,
            &new.shown,
            to_json("requests", &new.requests)?,
            &new.fingerprint,
            asker.role.as_str(),
            writing.now.as_microsecond(),
            asker.expires_at.as_microsecond(),
            reason,
        ))?;
    Ok(())
}

fn find(db: &Connection, id: ApprovalId) -> Result<Option<Approval>, StoreError> {
    db.prepare_cached("SELECT * FROM approval WHERE id = ?1")?
        .query_row([id.0], |row| Ok(approval(row)))
        .optional()?
        .transpose()
}

fn approvals(
    db: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Approval>, StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(approval(row)?);
    }
    Ok(found)
}

fn approval(row: &Row<'_>) -> Result<Approval, StoreError> {
    let text = |column: &str| row.get::<_, String>(column);
    Ok(Approval {
        id: ApprovalId(row.get("id")?),
        task: parse("task", &text("task")?)?,
        step: path("step", &text("step")?)?,
        key: from_json("key", &serde_json::Value::from(text("key")?).to_string())?,
        run: RunId(text("run")?),
        state: parse("approval state", &text("state")?)?,
        shown: text("shown")?,
        requests: from_json("requests", &text("requests")?)?,
        fingerprint: text("fingerprint")?,
        input: from_json("input", &text("input")?)?,
        role: parse("role", &text("role")?)?,
        asked_at: time(row, "asked_at")?,
        expires_at: time(row, "expires_at")?,
        decided_at: optional_time(row, "decided_at")?,
        decided_by: row.get("decided_by")?,
        reason: row.get("reason")?,
    })
}
