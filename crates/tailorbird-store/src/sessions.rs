//! Sessions of browsers, and the tickets that open them.
//!
//! Invariant: a ticket opens one session, whatever is killed when; neither is stored, only a digest of each.

use jiff::{SignedDuration, Timestamp};
use rusqlite::OptionalExtension as _;
use sha2::{Digest as _, Sha256};

use crate::codec::from_micros;
use crate::writer::Writing;
use crate::{Store, StoreError, entropy};

/// Tickets that stand at a time; the one that runs out first makes room.
const MAX_TICKETS: i64 = 16;

/// Sessions that stand at a time; the one that was seen longest ago makes room.
const MAX_SESSIONS: i64 = 64;

/// How long a ticket can be used.
const TICKET_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// How long a session stands without being used.
const IDLE: SignedDuration = SignedDuration::from_hours(12);

/// How long a session stands at most.
const SESSION_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How often the use of a session is noted: each note is a commit.
const NOTE_EVERY: SignedDuration = SignedDuration::from_mins(10);

/// The setting that tells where the server listens.
const SERVED_AT: &str = "served_at";

/// A session that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// When it was opened.
    pub opened_at: Timestamp,
    /// What the session's own forms carry, so that no other page can send one in its name.
    pub form_token: String,
}

impl Store {
    /// Makes a ticket, and keeps its digest.
    ///
    /// # Errors
    /// Where the database refuses, or the system gives no random bytes.
    pub async fn add_ticket(&self) -> Result<String, StoreError> {
        let ticket = token()?;
        let digest = digest(&ticket);
        self.write(move |writing| {
            drop_old(writing)?;
            let expires = after(writing.now, TICKET_LIFE);
            writing.connection.execute(
                "INSERT INTO ticket (digest, expires_at) VALUES (?1, ?2)",
                (digest, expires),
            )?;
            writing.connection.execute(
                "DELETE FROM ticket WHERE digest IN
                   (SELECT digest FROM ticket ORDER BY expires_at DESC LIMIT -1 OFFSET ?1)",
                [MAX_TICKETS],
            )?;
            Ok(())
        })
        .await?;
        Ok(ticket)
    }

    /// Opens a session for a ticket; none where the ticket is unknown, was used or has run out.
    ///
    /// # Errors
    /// As [`Store::add_ticket`].
    pub async fn open_session(&self, ticket: &str) -> Result<Option<String>, StoreError> {
        let session = token()?;
        let (ticket, opened) = (digest(ticket), digest(&session));
        let is_open = self
            .write(move |writing| {
                let taken = writing.connection.execute(
                    "DELETE FROM ticket WHERE digest = ?1 AND expires_at > ?2",
                    (ticket, writing.now.as_microsecond()),
                )?;
                if taken == 0 {
                    return Ok(false);
                }
                drop_old(writing)?;
                let now = writing.now.as_microsecond();
                writing.connection.execute(
                    "INSERT INTO session (digest, opened_at, seen_at) VALUES (?1, ?2, ?2)",
                    (opened, now),
                )?;
                writing.connection.execute(
                    "DELETE FROM session WHERE digest IN
                       (SELECT digest FROM session ORDER BY seen_at DESC LIMIT -1 OFFSET ?1)",
                    [MAX_SESSIONS],
                )?;
                Ok(true)
            })
            .await?;
        Ok(is_open.then_some(session))
    }

    /// The session with this token, where it stands.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn session(&self, token: &str) -> Result<Option<Session>, StoreError> {
        let digest = digest(token);
        let found: Option<(i64, i64)> = self.read(|db| {
            Ok(db
                .prepare_cached("SELECT opened_at, seen_at FROM session WHERE digest = ?1")?
                .query_row([digest], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?)
        })?;
        let Some((opened_at, seen_at)) = found else {
            return Ok(None);
        };
        let now = self.now();
        let (opened_at, seen_at) = (from_micros(opened_at)?, from_micros(seen_at)?);
        // A clock that was set back makes no session endless: what was seen later than now has run out too.
        let idle = now.duration_since(seen_at);
        if idle > IDLE || idle < -IDLE || now.duration_since(opened_at) > SESSION_LIFE {
            return Ok(None);
        }
        if idle > NOTE_EVERY {
            self.write(move |writing| {
                writing.connection.execute(
                    "UPDATE session SET seen_at = ?2 WHERE digest = ?1",
                    (digest, writing.now.as_microsecond()),
                )?;
                Ok(())
            })
            .await?;
        }
        Ok(Some(Session {
            opened_at,
            form_token: form_token(token),
        }))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn end_session(&self, token: &str) -> Result<(), StoreError> {
        let digest = digest(token);
        self.write(move |writing| {
            writing
                .connection
                .execute("DELETE FROM session WHERE digest = ?1", [digest])?;
            Ok(())
        })
        .await
    }

    /// Notes where the server of this home listens.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn note_served_at(&self, url: &str) -> Result<(), StoreError> {
        let url = url.to_owned();
        self.write(move |writing| {
            writing.connection.execute(
                "INSERT INTO setting (name, value) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (SERVED_AT, url),
            )?;
            Ok(())
        })
        .await
    }

    /// Where the newest server of this home listens, or listened.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn served_at(&self) -> Result<Option<String>, StoreError> {
        self.read(|db| {
            Ok(db
                .prepare_cached("SELECT value FROM setting WHERE name = ?1")?
                .query_row([SERVED_AT], |row| row.get(0))
                .optional()?)
        })
    }
}

fn drop_old(writing: &Writing<'_>) -> Result<(), StoreError> {
    let now = writing.now;
    writing.connection.execute(
        "DELETE FROM ticket WHERE expires_at <= ?1",
        [now.as_microsecond()],
    )?;
    writing.connection.execute(
        "DELETE FROM session WHERE seen_at <= ?1 OR opened_at <= ?2",
        (after(now, -IDLE), after(now, -SESSION_LIFE)),
    )?;
    Ok(())
}

fn after(now: Timestamp, span: SignedDuration) -> i64 {
    now.saturating_add(span)
        .unwrap_or(Timestamp::MAX)
        .as_microsecond()
}

/// 256 random bits, as text that fits into an address.
fn token() -> Result<String, StoreError> {
    Ok(entropy::hex(&entropy::bytes::<32>()?))
}

/// A digest of the session's token that tells nothing about it, so that a page may hold it.
fn form_token(token: &str) -> String {
    entropy::hex(&Sha256::new().chain_update("form:").chain_update(token).finalize())
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
