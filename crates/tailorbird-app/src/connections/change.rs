//! Adding a connection and changing one, without losing what somebody else does in the same moment.

use std::collections::BTreeMap;

use tailorbird_connector as connector;
use tailorbird_model::connection::{Connection, SETTINGS};
use tailorbird_model::ports::Credentials;
use tailorbird_model::{Failure, Meaning, Name, codes};
use tailorbird_store::{CredentialChange, SecretField};

use super::{AddConnection, Added};
use crate::actor::Act;
use crate::services::revision;
use crate::{App, AppError, SecretsInput};

impl App {
    /// Adds a connection, or changes what is given of an existing one. An incomplete one is saved too.
    ///
    /// # Errors
    /// SVC-001 for an unknown service; CONN-002 and AUTH-007 for settings that cannot be right; CONN-007 where somebody
    /// else changes it in the same moment.
    pub async fn add_connection(&self, add: AddConnection) -> Result<Added, AppError> {
        let present = self.store.connection(&add.name)?.map(|stored| stored.value);
        self.put_change(add, present).await
    }

    /// Makes a connection of a name that is free.
    ///
    /// # Errors
    /// As [`App::add_connection`]; CONN-007 where the name is taken.
    pub async fn new_connection(&self, add: AddConnection) -> Result<Added, AppError> {
        if self.store.connection(&add.name)?.is_some() {
            return Err(name_taken(&add.name).into());
        }
        self.put_change(add, None).await
    }

    /// Changes a connection that is still as somebody saw it: `seen` is the revision of what was shown.
    ///
    /// # Errors
    /// As [`App::add_connection`]; CONN-007 where it was changed since. Nothing is changed then.
    pub async fn change_connection(&self, add: AddConnection, seen: &str) -> Result<Added, AppError> {
        let present = self.stored_connection(&add.name)?;
        if revision_of(&present) != seen {
            return Err(changed(&add.name).into());
        }
        self.put_change(add, Some(present)).await
    }

    /// Changes what was read as `present`; what somebody else changes until the commit is not lost.
    async fn put_change(&self, add: AddConnection, present: Option<Connection>) -> Result<Added, AppError> {
        let noting = self.noting(Act::CONNECTION_CHANGED, &add.name, told(&add))?;
        let service = match (&add.service, &present) {
            (Some(service), _) => service.clone(),
            (None, Some(present)) => present.service.clone(),
            (None, None) => {
                return Err(AppError::usage(
                    Failure::new(
                        codes::CONNECTION_SETTING,
                        Meaning::ConnectionFault,
                        format!("there is no connection `{}` yet, so it needs a service", add.name),
                    )
                    .hint("Add `--service SERVICE`; `tailorbird service list` shows what there is."),
                ));
            }
        };
        let services = self.services();
        let (service_file, _) = services.find(&service)?;
        let changed_service = present.as_ref().is_some_and(|present| present.service != service);
        let mut connection = present.clone().unwrap_or(Connection {
            connection: add.name.clone(),
            service: service.clone(),
            settings: BTreeMap::new(),
            account: None,
            level: None,
            authorized_at: None,
        });
        connection.service = service;
        for (name, value) in add.settings {
            connection.settings.insert(name, value);
        }
        let checked = connector::check_settings(service_file, &connection.settings);
        if let Some(problem) = checked.problems.into_iter().next() {
            return Err(AppError::usage(problem));
        }
        connection.settings = checked.settings;
        let (mut notes, mut warnings) = (checked.notes, checked.warnings);
        let mut change = CredentialChange::default();
        if let Some(secrets) = &add.secrets {
            let checked = connector::check_credentials(service_file, &secrets.as_credentials());
            notes.extend(checked.notes);
            warnings.extend(checked.warnings);
            change = credential_change(secrets, &checked.credentials);
        }
        if let Some(before) = &present
            && let Ok((service_before, _)) = services.find(&before.service)
        {
            let replaced = |field| match field {
                SecretField::ClientKey => change.client_key.is_some(),
                SecretField::ClientSecret => change.client_secret.is_some(),
                SecretField::Token => change.token.is_some(),
                SecretField::TokenSecret => change.token_secret.is_some(),
                SecretField::RsaPrivateKey => change.rsa_private_key.is_some(),
            };
            let (before, after) = ((&**service_before, before), (&**service_file, &connection));
            warnings.extend(self.secrets_led_elsewhere(&add.name, replaced, before, after)?);
        }
        let new_key = change.client_key.is_some() || change.token.is_some();
        let is_other = new_key || changed_service;
        let new_token = change.token.is_some().then(jiff::Timestamp::now);
        let is_changed = noting
            .store
            .change_connection(&add.name, change, move |stored| {
                if !is_same(stored.as_ref(), present.as_ref()) {
                    return None;
                }
                // What the provider told meanwhile stays as it is in the store.
                let known = stored.filter(|_| !is_other);
                Some(Connection {
                    account: known.as_ref().and_then(|known| known.account.clone()),
                    level: known.as_ref().and_then(|known| known.level.clone()),
                    authorized_at: new_token
                        .or_else(|| known.and_then(|known| known.authorized_at))
                        .or(connection.authorized_at),
                    ..connection
                })
            })
            .await?;
        if !is_changed {
            return Err(changed(&add.name).into());
        }
        Ok(Added {
            view: self.connection(&add.name)?,
            notes,
            warnings,
        })
    }
}

/// The trimmed members of what was given; those not given stay as they are.
fn credential_change(given: &SecretsInput, checked: &Credentials) -> CredentialChange {
    let client = checked.client.as_ref();
    let token = checked.token.as_ref();
    CredentialChange {
        client_key: given
            .client_key
            .as_ref()
            .and(client)
            .map(|c| c.key.as_str().into()),
        client_secret: given.client_secret.as_ref().and(client).map(|c| c.secret.clone()),
        token: given.token.as_ref().and(token).map(|t| t.token.as_str().into()),
        token_secret: given.token_secret.as_ref().and(token).map(|t| t.secret.clone()),
        rsa_private_key: checked.rsa_private_key.clone(),
    }
}

/// What is changed, without the values: settings may hold what is nobody's business.
fn told(add: &AddConnection) -> String {
    let settings = add.settings.iter().map(|(name, _)| name.as_str());
    let secrets = add.secrets.as_ref().map(|_| "secrets");
    settings.chain(secrets).collect::<Vec<_>>().join(", ")
}

/// Whether a connection is what it was: what the provider tells of it does not count.
fn is_same(stored: Option<&Connection>, read: Option<&Connection>) -> bool {
    match (stored, read) {
        (None, None) => true,
        (Some(stored), Some(read)) => stored.service == read.service && stored.settings == read.settings,
        _ => false,
    }
}

/// A digest of what people set on a connection. What the provider tells of it does not count.
pub(super) fn revision_of(connection: &Connection) -> String {
    let mut text = connection.service.to_string();
    for (name, value) in &connection.settings {
        text.push_str(&format!("\n{name}={value}"));
    }
    revision(&text)
}

/// The setting that a problem is about, where its words name one.
pub(crate) fn setting_of(problem: &Failure) -> Option<&'static str> {
    setting_in(&problem.message)
}

/// The setting that a sentence names first.
pub(super) fn setting_in(words: &str) -> Option<&'static str> {
    let places = SETTINGS
        .into_iter()
        .filter_map(|setting| Some((words.find(setting)?, setting)));
    places.min().map(|(_, setting)| setting)
}

fn changed(name: &Name) -> Failure {
    Failure::new(
        codes::CONNECTION_CHANGED,
        Meaning::ConnectionFault,
        format!("the connection `{name}` was changed by somebody else meanwhile"),
    )
    .detail("Nothing was saved.")
    .hint("Look at what it is now, then save again.")
}

/// The failure of making a connection whose name another one has.
pub(crate) fn name_taken(name: &Name) -> Failure {
    Failure::new(
        codes::CONNECTION_CHANGED,
        Meaning::ConnectionFault,
        format!("there is a connection `{name}` already"),
    )
    .hint("Choose another name.")
}
