//! Authorizations that were begun: the temporary credentials wait, sealed, for the verifier.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};
use sha2::{Digest as _, Sha256};
use tailorbird_model::Name;
use tailorbird_oauth::TemporaryCredentials;

use crate::codec::{from_micros, parse};
use crate::seal::{Place, SealingKey};
use crate::secrets;
use crate::writer::Writing;
use crate::{Store, StoreError};

const OWNER_KIND: &str = "pending_authorization";

/// An authorization between its first and its last screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingAuthorization {
    /// The connection that is being authorised.
    pub connection: Name,
    /// What the provider gave in the first step.
    pub temporary: TemporaryCredentials,
    /// The callback that was registered with it, or `oob`.
    pub callback: String,
    /// When it was begun.
    pub started_at: Timestamp,
    /// When it may no longer be finished.
    pub expires_at: Timestamp,
}

/// What taking an authorization yielded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakenAuthorization {
    /// It was there and in time; it is gone from the store now.
    Ready(PendingAuthorization),
    /// It was there, but too old; it is gone from the store now.
    Expired {
        /// When it ran out.
        at: Timestamp,
    },
    /// None was begun, or it was taken before.
    Absent,
}

impl Store {
    /// Keeps an authorization; an earlier one of the same connection is dropped.
    ///
    /// # Errors
    /// Where the sealing key does not fit or the database refuses.
    pub async fn put_pending_authorization(&self, pending: PendingAuthorization) -> Result<(), StoreError> {
        let (home, key) = (self.home().clone(), Arc::clone(self.key()));
        self.write(move |writing| {
            Self::with_key(writing.connection, &home, &key, |key| {
                remove(writing, &pending.connection)?;
                let owner = pending.connection.as_str();
                for (field, value) in [
                    ("token", pending.temporary.token.as_str()),
                    ("secret", pending.temporary.secret.expose_for_sealing()),
                ] {
                    let place = Place { owner_kind: OWNER_KIND, owner, field };
                    secrets::put(writing.connection, key, place, value.as_bytes(), writing.now)?;
                }
                writing.connection.execute(
                    "INSERT INTO pending_authorization (connection, token_hash, callback, started_at, expires_at)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                    (
                        owner,
                        token_hash(&pending.temporary.token),
                        &pending.callback,
                        pending.started_at.as_microsecond(),
                        pending.expires_at.as_microsecond(),
                    ),
                )?;
                Ok(())
            })
        })
        .await
    }

    /// Takes the authorization of a connection out of the store: it can be used once.
    ///
    /// # Errors
    /// Where the sealed credentials do not open or the database refuses.
    pub async fn take_pending_authorization(
        &self,
        connection: &Name,
    ) -> Result<TakenAuthorization, StoreError> {
        let connection = connection.clone();
        self.take(move |_| Ok(Some(connection))).await
    }

    /// Takes the authorization that a callback's `oauth_token` belongs to.
    ///
    /// # Errors
    /// As [`Store::take_pending_authorization`].
    pub async fn take_pending_authorization_by_token(
        &self,
        token: &str,
    ) -> Result<TakenAuthorization, StoreError> {
        let hash = token_hash(token);
        self.take(move |db| {
            db.query_row(
                "SELECT connection FROM pending_authorization WHERE token_hash = ?1",
                [hash],
                |row| row.get::<_, String>(0),
            )
            .optional()?
            .map(|name| parse("name", &name))
            .transpose()
        })
        .await
    }

    /// Reads the authorization of a connection and leaves it there; whether it ran out is the caller's to see.
    ///
    /// # Errors
    /// Where the sealed credentials do not open or the database cannot be read.
    pub fn pending_authorization(
        &self,
        connection: &Name,
    ) -> Result<Option<PendingAuthorization>, StoreError> {
        self.read(|db| Self::with_key(db, self.home(), self.key(), |key| read(db, key, connection)))
    }

    async fn take<F>(&self, which: F) -> Result<TakenAuthorization, StoreError>
    where
        F: FnOnce(&Connection) -> Result<Option<Name>, StoreError> + Send + 'static,
    {
        let (home, key) = (self.home().clone(), Arc::clone(self.key()));
        self.write(move |writing| {
            let Some(connection) = which(writing.connection)? else {
                return Ok(TakenAuthorization::Absent);
            };
            let found = Self::with_key(writing.connection, &home, &key, |key| {
                read(writing.connection, key, &connection)
            })?;
            remove(writing, &connection)?;
            Ok(match found {
                None => TakenAuthorization::Absent,
                Some(pending) if pending.expires_at <= writing.now => TakenAuthorization::Expired {
                    at: pending.expires_at,
                },
                Some(pending) => TakenAuthorization::Ready(pending),
            })
        })
        .await
    }
}

/// Drops what is pending for a connection.
pub(crate) fn remove(writing: &Writing<'_>, connection: &Name) -> Result<(), StoreError> {
    let owner = connection.as_str();
    writing
        .connection
        .execute("DELETE FROM pending_authorization WHERE connection = ?1", [owner])?;
    writing.connection.execute(
        "DELETE FROM secret WHERE owner_kind = ?1 AND owner = ?2",
        (OWNER_KIND, owner),
    )?;
    Ok(())
}

fn read(
    db: &Connection,
    key: &SealingKey,
    connection: &Name,
) -> Result<Option<PendingAuthorization>, StoreError> {
    let owner = connection.as_str();
    let row = db
        .query_row(
            "SELECT callback, started_at, expires_at FROM pending_authorization WHERE connection = ?1",
            [owner],
            |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, i64>(1)?,
                    row.get::<_, i64>(2)?,
                ))
            },
        )
        .optional()?;
    let Some((callback, started_at, expires_at)) = row else {
        return Ok(None);
    };
    let open = |field| {
        let place = Place {
            owner_kind: OWNER_KIND,
            owner,
            field,
        };
        secrets::get(db, key, place)?.ok_or_else(|| place.does_not_open())
    };
    Ok(Some(PendingAuthorization {
        connection: connection.clone(),
        temporary: TemporaryCredentials::new(open("token")?, open("secret")?),
        callback,
        started_at: from_micros(started_at)?,
        expires_at: from_micros(expires_at)?,
    }))
}

fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
