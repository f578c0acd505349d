//! Authorizations that were begun: the temporary credentials wait, sealed, for the verifier.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};
use sha2::{Digest as _, Sha256};
use tailorbird_model::Name;
use tailorbird_oauth::{TemporaryCredentials, TokenSecret};

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
    /// A digest of the browser's session that began it; none where no browser did.
    pub browser: Option<[u8; 32]>,
    /// The verifier, once it is back. It proves consent, so it is kept as a secret is.
    pub verifier: Option<TokenSecret>,
}

/// What became of a callback that brought something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallbackTaken {
    /// It was the first one of this attempt, from the browser that began it, in time.
    Taken(Name),
    /// Its attempt has its verifier already.
    Again(Name),
    /// Another browser began the attempt.
    OtherBrowser,
    /// The attempt is too old; it is gone from the store now.
    Expired(Name),
    /// No attempt has this token: it is over, or was replaced by a newer one.
    Absent,
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
                let temporary = &pending.temporary;
                let parts = [
                    ("token", Some(temporary.token.as_str())),
                    ("secret", Some(temporary.secret.expose_for_sealing())),
                    (
                        "verifier",
                        pending.verifier.as_ref().map(TokenSecret::expose_for_sealing),
                    ),
                ];
                for (field, value) in parts {
                    let Some(value) = value else { continue };
                    let place = Place {
                        owner_kind: OWNER_KIND,
                        owner,
                        field,
                    };
                    secrets::put(writing.connection, key, place, value.as_bytes(), writing.now)?;
                }
                writing.connection.execute(
                    "INSERT INTO pending_authorization
                         (connection, token_hash, callback, started_at, expires_at, browser, verifier_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    (
                        owner,
                        token_hash(&pending.temporary.token),
                        &pending.callback,
                        pending.started_at.as_microsecond(),
                        pending.expires_at.as_microsecond(),
                        pending.browser,
                        pending.verifier.as_ref().map(|_| writing.now.as_microsecond()),
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
        let (home, key, connection) = (self.home().clone(), Arc::clone(self.key()), connection.clone());
        self.write(move |writing| {
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

    /// Keeps the verifier that a person typed until it is exchanged; an earlier one is replaced. Tells whether there is
    /// an authorization to keep it with.
    ///
    /// # Errors
    /// Where the sealing key does not fit or the database refuses.
    pub async fn keep_verifier(&self, connection: &Name, verifier: TokenSecret) -> Result<bool, StoreError> {
        let (home, key, connection) = (self.home().clone(), Arc::clone(self.key()), connection.clone());
        self.write(move |writing| {
            Self::with_key(writing.connection, &home, &key, |key| {
                seal_verifier(writing, key, connection.as_str(), &verifier)
            })
        })
        .await
    }

    /// Takes in what a callback brought for the authorization that its `oauth_token` belongs to: the verifier, or the
    /// owner's refusal, which ends it. Only the browser that began it brings something, and only once.
    ///
    /// # Errors
    /// Where the sealing key does not fit or the database refuses.
    pub async fn take_callback(
        &self,
        token: &str,
        browser: [u8; 32],
        verifier: Option<TokenSecret>,
    ) -> Result<CallbackTaken, StoreError> {
        let (home, key, hash) = (self.home().clone(), Arc::clone(self.key()), token_hash(token));
        self.write(move |writing| {
            let found = writing
                .connection
                .query_row(
                    "SELECT connection, expires_at, browser, verifier_at FROM pending_authorization
                     WHERE token_hash = ?1",
                    [hash],
                    |row| {
                        Ok((
                            row.get::<_, String>(0)?,
                            row.get::<_, i64>(1)?,
                            row.get::<_, Option<[u8; 32]>>(2)?,
                            row.get::<_, Option<i64>>(3)?,
                        ))
                    },
                )
                .optional()?;
            let Some((connection, expires_at, began, verifier_at)) = found else {
                return Ok(CallbackTaken::Absent);
            };
            if began != Some(browser) {
                return Ok(CallbackTaken::OtherBrowser);
            }
            let connection: Name = parse("name", &connection)?;
            if from_micros(expires_at)? <= writing.now {
                remove(writing, &connection)?;
                return Ok(CallbackTaken::Expired(connection));
            }
            if verifier_at.is_some() {
                return Ok(CallbackTaken::Again(connection));
            }
            match &verifier {
                None => remove(writing, &connection)?,
                Some(verifier) => Self::with_key(writing.connection, &home, &key, |key| {
                    seal_verifier(writing, key, connection.as_str(), verifier).map(drop)
                })?,
            }
            Ok(CallbackTaken::Taken(connection))
        })
        .await
    }

    /// Forgets the authorization of a connection; where none was begun, nothing happens.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn forget_authorization(&self, connection: &Name) -> Result<(), StoreError> {
        let connection = connection.clone();
        self.write(move |writing| remove(writing, &connection)).await
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

/// Seals a verifier beside its authorization; tells whether there is one.
fn seal_verifier(
    writing: &Writing<'_>,
    key: &SealingKey,
    owner: &str,
    verifier: &TokenSecret,
) -> Result<bool, StoreError> {
    let changed = writing.connection.execute(
        "UPDATE pending_authorization SET verifier_at = ?2 WHERE connection = ?1",
        (owner, writing.now.as_microsecond()),
    )?;
    if changed == 0 {
        return Ok(false);
    }
    let place = Place {
        owner_kind: OWNER_KIND,
        owner,
        field: "verifier",
    };
    let value = verifier.expose_for_sealing().as_bytes();
    secrets::put(writing.connection, key, place, value, writing.now)?;
    Ok(true)
}

fn read(
    db: &Connection,
    key: &SealingKey,
    connection: &Name,
) -> Result<Option<PendingAuthorization>, StoreError> {
    let owner = connection.as_str();
    let row = db
        .query_row(
            "SELECT callback, started_at, expires_at, browser, verifier_at FROM pending_authorization
             WHERE connection = ?1",
            [owner],
            |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, i64>(1)?,
                    row.get::<_, i64>(2)?,
                    row.get::<_, Option<[u8; 32]>>(3)?,
                    row.get::<_, Option<i64>>(4)?,
                ))
            },
        )
        .optional()?;
    let Some((callback, started_at, expires_at, browser, verifier_at)) = row else {
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
        browser,
        verifier: verifier_at
            .map(|_| open("verifier").map(TokenSecret::new))
            .transpose()?,
    }))
}

fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
