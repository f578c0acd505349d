//! Sealed secrets: the credentials of connections, the key of the chain, and rotation of the sealing key.

use std::fs;
use std::sync::{Arc, PoisonError};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};
use secrecy::zeroize::Zeroizing;
use tailorbird_model::Name;
use tailorbird_model::ports::{CredentialVault, Credentials, VaultError};
use tailorbird_oauth::{ClientCredentials, ClientSecret, RsaPrivateKeyPem, TokenCredentials, TokenSecret};

use crate::codec::{from_micros, unreadable};
use crate::home::{read_key, remove_if_there, sync_folder, write_key};
use crate::seal::{Place, Sealed, SealingKey};
use crate::writer::Writing;
use crate::{Home, Store, StoreError, entropy};

const KEY_ID: &str = "key_id";
const CONNECTION: &str = "connection";
const TASK: &str = "task";
const CHAIN_KEY: Place<'_> = Place {
    owner_kind: "home",
    owner: "ledger",
    field: "chain_key",
};

/// The secret fields of a connection. Client key and token are identifiers and no secrets by RFC 5849, but
/// they are sealed with their secrets, because a pair is stolen more easily than a half.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecretField {
    /// The identifier of the client credentials.
    ClientKey,
    /// The shared secret of the client credentials.
    ClientSecret,
    /// The identifier of the token credentials.
    Token,
    /// The secret of the token credentials.
    TokenSecret,
    /// The private key for the RSA methods.
    RsaPrivateKey,
}

impl SecretField {
    /// All fields.
    pub const ALL: [Self; 5] = [
        Self::ClientKey,
        Self::ClientSecret,
        Self::Token,
        Self::TokenSecret,
        Self::RsaPrivateKey,
    ];

    /// The field's name, as in the JSON of `--secrets`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClientKey => "client_key",
            Self::ClientSecret => "client_secret",
            Self::Token => "token",
            Self::TokenSecret => "token_secret",
            Self::RsaPrivateKey => "rsa_private_key",
        }
    }
}

/// Secrets to be set; what is absent stays as it is.
#[derive(Debug, Clone, Default)]
pub struct CredentialChange {
    /// The identifier of the client credentials.
    pub client_key: Option<ClientSecret>,
    /// The shared secret of the client credentials.
    pub client_secret: Option<ClientSecret>,
    /// The identifier of the token credentials.
    pub token: Option<TokenSecret>,
    /// The secret of the token credentials.
    pub token_secret: Option<TokenSecret>,
    /// The private key for the RSA methods.
    pub rsa_private_key: Option<RsaPrivateKeyPem>,
}

impl CredentialChange {
    /// Sets the token credentials.
    pub fn token_credentials(token: &TokenCredentials) -> Self {
        Self {
            token: Some(token.token.as_str().into()),
            token_secret: Some(token.secret.clone()),
            ..Self::default()
        }
    }

    fn fields(&self) -> impl Iterator<Item = (SecretField, &str)> {
        [
            (
                SecretField::ClientKey,
                self.client_key.as_ref().map(ClientSecret::expose_for_sealing),
            ),
            (
                SecretField::ClientSecret,
                self.client_secret.as_ref().map(ClientSecret::expose_for_sealing),
            ),
            (
                SecretField::Token,
                self.token.as_ref().map(TokenSecret::expose_for_sealing),
            ),
            (
                SecretField::TokenSecret,
                self.token_secret.as_ref().map(TokenSecret::expose_for_sealing),
            ),
            (
                SecretField::RsaPrivateKey,
                self.rsa_private_key
                    .as_ref()
                    .map(RsaPrivateKeyPem::expose_for_sealing),
            ),
        ]
        .into_iter()
        .filter_map(|(field, value)| value.map(|value| (field, value)))
    }
}

impl Store {
    /// Sets secrets of a connection; those not given stay.
    ///
    /// # Errors
    /// Where the sealing key does not fit or the database refuses.
    pub async fn put_credentials(
        &self,
        connection: &Name,
        change: CredentialChange,
    ) -> Result<(), StoreError> {
        let (connection, home, key) = (connection.clone(), self.home().clone(), Arc::clone(self.key()));
        self.write(move |writing| {
            Self::with_key(writing.connection, &home, &key, |key| {
                put_change(writing.connection, key, &connection, &change, writing.now)
            })
        })
        .await
    }

    /// Removes secrets of a connection; absent ones are no error.
    ///
    /// # Errors
    /// Where the database refuses.
    pub async fn remove_credentials(
        &self,
        connection: &Name,
        fields: &[SecretField],
    ) -> Result<(), StoreError> {
        let (connection, fields) = (connection.clone(), fields.to_vec());
        self.write(move |writing| {
            for field in fields {
                writing.connection.execute(
                    "DELETE FROM secret WHERE owner_kind = ?1 AND owner = ?2 AND field = ?3",
                    (CONNECTION, connection.as_str(), field.as_str()),
                )?;
            }
            Ok(())
        })
        .await
    }

    /// Which secrets of a connection are stored and since when, without opening them.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn credential_fields(&self, connection: &Name) -> Result<Vec<(SecretField, Timestamp)>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT field, updated_at FROM secret WHERE owner_kind = ?1 AND owner = ?2",
            )?;
            let mut rows = statement.query((CONNECTION, connection.as_str()))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let name: String = row.get(0)?;
                let field = SecretField::ALL
                    .into_iter()
                    .find(|field| field.as_str() == name)
                    .ok_or_else(|| unreadable("secret's field", &name))?;
                found.push((field, from_micros(row.get(1)?)?));
            }
            Ok(found)
        })
    }

    /// Opens the credentials of a connection; empty ones where nothing is stored.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] where a row was altered or moved, [`StoreError::SealingKey`] where the key does
    /// not fit.
    pub fn open_credentials(&self, connection: &Name) -> Result<Credentials, StoreError> {
        self.read(|db| {
            Self::with_key(db, self.home(), self.key(), |key| {
                let open = |field: SecretField| {
                    let owner = connection.as_str();
                    get(
                        db,
                        key,
                        Place {
                            owner_kind: CONNECTION,
                            owner,
                            field: field.as_str(),
                        },
                    )
                };
                let rsa_private_key = open(SecretField::RsaPrivateKey)?.map(RsaPrivateKeyPem::new);
                let client = match (open(SecretField::ClientKey)?, open(SecretField::ClientSecret)?) {
                    (Some(id), Some(secret)) => Some(ClientCredentials::new(id, secret)),
                    // With an RSA key there need be no shared secret.
                    (Some(id), None) if rsa_private_key.is_some() => Some(ClientCredentials::new(id, "")),
                    _ => None,
                };
                let client = client.map(|client| match &rsa_private_key {
                    Some(pem) => client.with_rsa_private_key(pem.clone()),
                    None => client,
                });
                let token = open(SecretField::Token)?
                    .zip(open(SecretField::TokenSecret)?)
                    .map(|(token, secret)| TokenCredentials::new(token, secret));
                let credentials = Credentials {
                    client,
                    token,
                    rsa_private_key,
                    ..Credentials::default()
                };
                let budget = self.credential_key().budget_of(db, connection, &credentials)?;
                Ok(Credentials {
                    budget,
                    ..credentials
                })
            })
        })
    }

    /// Seals the secret that a task's webhook is verified by.
    ///
    /// # Errors
    /// Where the sealing key does not fit or the database refuses.
    pub async fn put_task_secret(&self, task: &Name, secret: ClientSecret) -> Result<(), StoreError> {
        let (task, home, key) = (task.clone(), self.home().clone(), Arc::clone(self.key()));
        self.write(move |writing| {
            Self::with_key(writing.connection, &home, &key, |key| {
                let place = task_place(&task);
                let value = secret.expose_for_sealing().as_bytes();
                put(writing.connection, key, place, value, writing.now)
            })
        })
        .await
    }

    /// The secret that a task's webhook is verified by.
    ///
    /// # Errors
    /// Where it does not open.
    pub fn task_secret(&self, task: &Name) -> Result<Option<ClientSecret>, StoreError> {
        self.read(|db| {
            Self::with_key(db, self.home(), self.key(), |key| {
                Ok(get(db, key, task_place(task))?.map(ClientSecret::new))
            })
        })
    }

    /// Draws a new sealing key and seals every secret anew under it.
    ///
    /// A crash at any point leaves a home that opens: the new key is on disk beside the old one before the
    /// secrets change, and whichever of the two fits is taken.
    ///
    /// # Errors
    /// Where a secret does not open under the old key (nothing is changed then), or a file cannot be written.
    pub async fn rotate_key(&self) -> Result<(), StoreError> {
        let home = self.home().clone();
        let next_path = home.next_key_path();
        remove_if_there(&next_path)?;
        let next = Arc::new(SealingKey::generate()?);
        write_key(&next_path, &next)?;
        let (current, fresh) = (Arc::clone(self.key()), Arc::clone(&next));
        let in_job = home.clone();
        self.write(move |writing| {
            Self::with_key(writing.connection, &in_job, &current, |current| {
                reseal(writing.connection, current, &fresh)
            })
        })
        .await?;
        promote(&home)?;
        let taken = home.read_key()?;
        *self.key().write().unwrap_or_else(PoisonError::into_inner) = taken;
        Ok(())
    }
}

impl CredentialVault for Store {
    fn credentials(&self, connection: &Name) -> Result<Credentials, VaultError> {
        self.open_credentials(connection)
            .map_err(|error| VaultError(error.to_string()))
    }
}

fn task_place(task: &Name) -> Place<'_> {
    Place {
        owner_kind: TASK,
        owner: task.as_str(),
        field: "webhook_secret",
    }
}

/// Carries the secret of a task that was renamed over to its new name; one that is there already stays.
pub(crate) fn adopt_task_secret(
    db: &Connection,
    key: &SealingKey,
    before: &Name,
    after: &Name,
    now: Timestamp,
) -> Result<(), StoreError> {
    if get(db, key, task_place(after))?.is_none()
        && let Some(secret) = open_bytes(db, key, task_place(before))?
    {
        put(db, key, task_place(after), &secret, now)?;
    }
    Ok(())
}

/// Seals the fields of a change.
pub(crate) fn put_change(
    db: &Connection,
    key: &SealingKey,
    connection: &Name,
    change: &CredentialChange,
    now: Timestamp,
) -> Result<(), StoreError> {
    for (field, value) in change.fields() {
        let place = Place {
            owner_kind: CONNECTION,
            owner: connection.as_str(),
            field: field.as_str(),
        };
        put(db, key, place, value.as_bytes(), now)?;
    }
    Ok(())
}

/// Removes everything sealed for a connection.
pub(crate) fn forget_connection(writing: &Writing<'_>, connection: &Name) -> Result<(), StoreError> {
    writing.connection.execute(
        "DELETE FROM secret WHERE owner_kind = ?1 AND owner = ?2",
        (CONNECTION, connection.as_str()),
    )?;
    Ok(())
}

/// Seals and stores one value.
pub(crate) fn put(
    db: &Connection,
    key: &SealingKey,
    place: Place<'_>,
    value: &[u8],
    now: Timestamp,
) -> Result<(), StoreError> {
    let sealed = key.seal(place, value)?;
    db.prepare_cached(
        "INSERT INTO secret (owner_kind, owner, field, nonce, sealed, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (owner_kind, owner, field) DO UPDATE
         SET nonce = excluded.nonce, sealed = excluded.sealed, updated_at = excluded.updated_at",
    )?
    .execute((place.owner_kind, place.owner, place.field, sealed.nonce, sealed.bytes, now.as_microsecond()))?;
    Ok(())
}

/// Reads and opens one value. The text is wiped when the caller's secret type is dropped.
pub(crate) fn get(db: &Connection, key: &SealingKey, place: Place<'_>) -> Result<Option<String>, StoreError> {
    open_bytes(db, key, place)?
        .map(|bytes| String::from_utf8(bytes.to_vec()).map_err(|_| place.does_not_open()))
        .transpose()
}

fn open_bytes(
    db: &Connection,
    key: &SealingKey,
    place: Place<'_>,
) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
    let sealed = db
        .prepare_cached(
            "SELECT nonce, sealed FROM secret WHERE owner_kind = ?1 AND owner = ?2 AND field = ?3",
        )?
        .query_row((place.owner_kind, place.owner, place.field), |row| {
            Ok(Sealed {
                nonce: row.get(0)?,
                bytes: row.get(1)?,
            })
        })
        .optional()?;
    sealed.map(|sealed| key.open(place, &sealed)).transpose()
}

/// Which key the stored secrets need.
pub(crate) fn key_id(db: &Connection) -> Result<String, StoreError> {
    db.prepare_cached("SELECT value FROM setting WHERE name = ?1")?
        .query_row([KEY_ID], |row| row.get(0))
        .optional()?
        .ok_or_else(|| unreadable("key id", &"the ledger does not say which key it needs"))
}

/// Reads the key that fits, finishing a rotation that a crash cut off.
pub(crate) fn fitting_key(db: &Connection, home: &Home) -> Result<SealingKey, StoreError> {
    let needed = key_id(db)?;
    let key = home.read_key()?;
    if key.id() == needed {
        return Ok(key);
    }
    let next = home.next_key_path();
    if next.exists() {
        let key = read_key(&next)?;
        if key.id() == needed {
            promote(home)?;
            return Ok(key);
        }
    }
    Err(StoreError::SealingKey {
        path: home.key_path(),
        problem: "does not fit this home",
        hint: "Put the key that belongs to this home back from your backup: the stored secrets open with no \
               other key.",
    })
}

/// Notes the key of a new home, and draws the key of its chain.
pub(crate) fn initialise(db: &mut Connection, key: &SealingKey, now: Timestamp) -> Result<(), StoreError> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    note_key(&transaction, key)?;
    put(&transaction, key, CHAIN_KEY, &entropy::bytes::<32>()?, now)?;
    transaction.commit()?;
    Ok(())
}

/// The key of the ledger's chain. It outlives rotations of the sealing key, so old links stay checkable.
pub(crate) fn chain_key(db: &Connection, key: &SealingKey) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    open_bytes(db, key, CHAIN_KEY)?.ok_or_else(|| CHAIN_KEY.does_not_open())
}

fn note_key(db: &Connection, key: &SealingKey) -> Result<(), StoreError> {
    db.execute(
        "INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (KEY_ID, key.id()),
    )?;
    Ok(())
}

fn reseal(db: &Connection, old: &SealingKey, new: &SealingKey) -> Result<(), StoreError> {
    let places = db
        .prepare("SELECT owner_kind, owner, field, updated_at FROM secret")?
        .query_map([], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, i64>(3)?,
            ))
        })?
        .collect::<Result<Vec<_>, _>>()?;
    for (owner_kind, owner, field, set_at) in &places {
        let place = Place {
            owner_kind,
            owner,
            field,
        };
        if let Some(value) = open_bytes(db, old, place)? {
            // The key is new, the secret is not: people are told when it was last set.
            put(db, new, place, &value, from_micros(*set_at)?)?;
        }
    }
    note_key(db, new)
}

fn promote(home: &Home) -> Result<(), StoreError> {
    match fs::rename(home.next_key_path(), home.key_path()) {
        // Another process that opened the home in this moment has done it.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(StoreError::Io {
            action: "replace",
            path: home.key_path(),
            source,
        }),
        Ok(()) => sync_folder(home.path()),
    }
}
