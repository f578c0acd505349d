//! The home's mail server: a setting, and a sealed password.

use std::sync::Arc;

use rusqlite::OptionalExtension as _;
use tailorbird_model::mail::{MailPassword, MailServer};

use crate::codec::{from_json, to_json};
use crate::seal::Place;
use crate::{Store, StoreError, secrets};

const MAIL_SERVER: &str = "mail_server";
const PASSWORD: Place<'_> = Place {
    owner_kind: "home",
    owner: "mail",
    field: "password",
};

impl Store {
    /// The mail server, where one is set.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn mail_server(&self) -> Result<Option<MailServer>, StoreError> {
        self.read(|db| {
            db.query_row(
                "SELECT value FROM setting WHERE name = ?1",
                [MAIL_SERVER],
                |row| row.get::<_, String>(0),
            )
            .optional()?
            .map(|text| from_json("mail server", &text))
            .transpose()
        })
    }

    /// The password of the mail server, where one is set.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] where it does not open.
    pub fn mail_password(&self) -> Result<Option<MailPassword>, StoreError> {
        self.read(|db| {
            Self::with_key(db, self.home(), self.key(), |key| {
                Ok(secrets::get(db, key, PASSWORD)?.map(MailPassword::new))
            })
        })
    }

    /// Sets the mail server; a password that is not given stays.
    ///
    /// # Errors
    /// Where the database refuses or the sealing key does not fit.
    pub async fn set_mail_server(
        &self,
        server: MailServer,
        password: Option<MailPassword>,
    ) -> Result<(), StoreError> {
        let (home, key) = (self.home().clone(), Arc::clone(self.key()));
        self.write(move |writing| {
            writing.connection.execute(
                "INSERT INTO setting (name, value) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (MAIL_SERVER, to_json("mail server", &server)?),
            )?;
            let Some(password) = password else { return Ok(()) };
            Self::with_key(writing.connection, &home, &key, |key| {
                let bytes = password.expose().as_bytes();
                secrets::put(writing.connection, key, PASSWORD, bytes, writing.now)
            })
        })
        .await
    }
}
