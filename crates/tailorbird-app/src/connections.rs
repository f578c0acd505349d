//! Connections: add, show, test, diagnose, export, import, remove.

mod change;
mod diagnosis;
mod places;
mod usage;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tailorbird_connector as connector;
use tailorbird_connector::Resolved;
use tailorbird_model::account::Account;
use tailorbird_model::connection::Connection;
use tailorbird_model::ports::{CredentialVault as _, Credentials};
use tailorbird_model::service::Service;
use tailorbird_model::yaml::shape;
use tailorbird_model::{Failure, Meaning, Name, codes};
use tailorbird_store::{CredentialChange, SecretField};

pub(crate) use change::{name_taken, setting_of};
pub use diagnosis::{Diagnosis, Finding, RefusedCall};
pub use usage::Usage;
pub use view::ConnectionView;

use crate::actor::Act;
use crate::{App, AppError, SecretsInput};

/// What `connection add` is given.
#[derive(Debug, Clone)]
pub struct AddConnection {
    /// The name.
    pub name: Name,
    /// The service; may be absent where the connection is there already.
    pub service: Option<Name>,
    /// Settings to change; an empty value takes one back.
    pub settings: Vec<(String, String)>,
    /// Secrets to change.
    pub secrets: Option<SecretsInput>,
}

/// What `connection add` did.
#[derive(Debug, Clone)]
pub struct Added {
    /// The connection as it is now.
    pub view: ConnectionView,
    /// What was changed on the way.
    pub notes: Vec<String>,
    /// What looks odd and may still be right.
    pub warnings: Vec<String>,
}

/// What `connection test` found.
#[derive(Debug, Clone)]
pub struct Tested {
    /// Whose credentials they are, where the provider tells.
    pub account: Option<Account>,
    /// The level, in the provider's word.
    pub level: Option<String>,
    /// The level in words for people.
    pub level_words: Option<String>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// A secret of a connection, without the secret.
#[derive(Debug, Clone)]
pub struct SecretView {
    /// The secret's name, as in the JSON of `--secrets`.
    pub field: &'static str,
    /// The provider's word for it.
    pub label: String,
    /// When it was last set; none where it is not stored.
    pub set_at: Option<Timestamp>,
}

/// The form of an exported connection. Secrets are only named.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exported {
    connection: Name,
    service: Name,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    settings: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    secrets: BTreeMap<String, String>,
}

impl App {
    pub(crate) fn stored_connection(&self, name: &Name) -> Result<Connection, Failure> {
        if let Some(stored) = self.store.connection(name)? {
            return Ok(stored.value);
        }
        let known = self.store.connections()?;
        let known: Vec<&str> = known
            .iter()
            .map(|stored| stored.value.connection.as_str())
            .collect();
        Err(Failure::new(
            codes::CONNECTION_UNKNOWN,
            Meaning::ConnectionFault,
            format!("there is no connection `{name}`"),
        )
        .hint(shape::suggest(name.as_str(), &known, "Connections")))
    }

    /// A connection with its service's file applied, and its opened credentials.
    pub(crate) fn resolved(&self, name: &Name) -> Result<(Resolved, Credentials, Connection), AppError> {
        let connection = self.stored_connection(name)?;
        let services = self.services();
        let (service, _) = services.find(&connection.service)?;
        let resolved = connector::resolve(service, &connection)?;
        let credentials = self
            .store
            .credentials(name)
            .map_err(|error| Failure::new(codes::SEALING_KEY, Meaning::ConnectionFault, error.to_string()))?;
        Ok((resolved, credentials, connection))
    }

    /// As [`App::resolved`], for use: an incomplete connection is refused.
    pub(crate) fn usable(&self, name: &Name) -> Result<(Resolved, Credentials, Connection), AppError> {
        let (resolved, credentials, connection) = self.resolved(name)?;
        let missing = connector::missing(&resolved, &credentials);
        if !missing.is_empty() {
            return Err(connector::incomplete(name, &missing).into());
        }
        Ok((resolved, credentials, connection))
    }

    /// All connections, by name.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn connections(&self) -> Result<Vec<ConnectionView>, AppError> {
        self.store
            .connections()?
            .iter()
            .map(|stored| self.connection(&stored.value.connection))
            .collect()
    }

    /// A connection, without its secrets.
    ///
    /// # Errors
    /// CONN-001 with the connections there are.
    pub fn connection(&self, name: &Name) -> Result<ConnectionView, AppError> {
        let (resolved, credentials, connection) = self.resolved(name)?;
        let missing = connector::missing(&resolved, &credentials);
        Ok(ConnectionView::new(&resolved, &connection, &missing))
    }

    /// The service of a connection, as it is now.
    ///
    /// # Errors
    /// CONN-001 where there is no such connection, SVC-001 where its service is gone.
    pub fn connection_service(&self, name: &Name) -> Result<Arc<Service>, AppError> {
        let connection = self.stored_connection(name)?;
        let services = self.services();
        Ok(Arc::clone(services.find(&connection.service)?.0))
    }

    /// What looks odd about a connection and may still be right, in whole sentences, each with the setting that it is
    /// about; credentials have none.
    ///
    /// # Errors
    /// CONN-001 where there is no such connection.
    pub fn connection_warnings(&self, name: &Name) -> Result<Vec<(Option<&'static str>, String)>, AppError> {
        let (resolved, credentials, connection) = self.resolved(name)?;
        let settings = connector::check_settings(&resolved.service, &connection.settings).warnings;
        let credentials = connector::check_credentials(&resolved.service, &credentials).warnings;
        let settings = settings
            .into_iter()
            .map(|words| (change::setting_in(&words), words));
        Ok(settings
            .chain(credentials.into_iter().map(|words| (None, words)))
            .collect())
    }

    /// The tasks that use a connection.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn connection_users(&self, name: &Name) -> Result<Vec<Name>, AppError> {
        self.tasks_of_connection(name)
    }

    /// What a connection may use, and what it used: limits, money, requests at once.
    ///
    /// # Errors
    /// CONN-001 with the connections there are.
    pub fn connection_usage(&self, name: &Name) -> Result<Usage, AppError> {
        let (resolved, credentials, connection) = self.resolved(name)?;
        Ok(Usage::of(&self.store, &resolved, &credentials, &connection)?)
    }

    /// Asks the provider whose account it is and which level it has, and remembers both.
    ///
    /// # Errors
    /// AUTH-006 for an incomplete connection; the provider's refusal in words.
    pub async fn test_connection(&self, name: &Name) -> Result<Tested, AppError> {
        self.noting(Act::CONNECTION_TESTED, name, "")?
            .learn_account(name)
            .await
    }

    /// As [`App::test_connection`], where the program wants to know.
    pub(crate) async fn learn_account(&self, name: &Name) -> Result<Tested, AppError> {
        let (resolved, credentials, before) = self.usable(name)?;
        let probed = self.connector.test(&resolved, &credentials).await?;
        let told = probed.clone();
        // Only what was told is changed: the question took its time, and somebody may have set something meanwhile.
        self.store
            .change_connection(name, CredentialChange::default(), move |stored| {
                let stored = stored?;
                Some(Connection {
                    account: told.account.or(stored.account),
                    level: told.level.or(stored.level),
                    ..stored
                })
            })
            .await?;
        if let Some(client) = &credentials.client {
            self.account_known(&before, &client.key).await?;
        }
        Ok(Tested {
            account: probed.account,
            level: probed.level,
            level_words: probed.level_name,
            notes: probed.notes,
        })
    }

    /// The secrets that a connection can hold: what the provider calls them, and since when they are stored.
    ///
    /// # Errors
    /// CONN-001 where there is no such connection.
    pub fn connection_secrets(&self, name: &Name) -> Result<Vec<SecretView>, AppError> {
        let (resolved, ..) = self.resolved(name)?;
        let stored = self.store.credential_fields(name)?;
        let set_at = |field: SecretField| {
            stored
                .iter()
                .find_map(|(known, at)| (*known == field).then_some(*at))
        };
        let Some(oauth) = resolved.oauth1() else {
            // Notices to a webhook are signed by what receiver and sender share.
            let shared = [
                (SecretField::ClientKey, "Name of the secret"),
                (SecretField::ClientSecret, "Secret"),
            ];
            let is_receiver = resolved.service.service.as_str() == crate::notices::WEBHOOK;
            return Ok(shared
                .into_iter()
                .filter(|_| is_receiver)
                .map(|(field, label)| SecretView {
                    field: field.as_str(),
                    label: label.to_owned(),
                    set_at: set_at(field),
                })
                .collect());
        };
        let is_rsa = oauth.signature_method.is_rsa();
        let label = |given: &Option<String>, plain: &str| given.clone().unwrap_or_else(|| plain.to_owned());
        let fields = SecretField::ALL.into_iter().filter(|field| match field {
            SecretField::RsaPrivateKey => is_rsa,
            SecretField::ClientSecret => !is_rsa,
            _ => true,
        });
        Ok(fields
            .map(|field| SecretView {
                field: field.as_str(),
                label: match field {
                    SecretField::ClientKey => label(&oauth.labels.client_key, "Client key"),
                    SecretField::ClientSecret => label(&oauth.labels.client_secret, "Client secret"),
                    SecretField::Token => label(&oauth.labels.token, "Token"),
                    SecretField::TokenSecret => label(&oauth.labels.token_secret, "Token secret"),
                    SecretField::RsaPrivateKey => "RSA private key (PEM)".to_owned(),
                },
                set_at: set_at(field),
            })
            .collect())
    }

    /// A connection as JSON and YAML, without secrets.
    ///
    /// # Errors
    /// CONN-001 where there is no such connection.
    pub fn export_connection(&self, name: &Name) -> Result<(serde_json::Value, String), AppError> {
        let connection = self.stored_connection(name)?;
        let secrets = self
            .store
            .credential_fields(name)?
            .into_iter()
            .map(|(field, _)| {
                (
                    field.as_str().to_owned(),
                    format!("${{secret:{name}.{}}}", field.as_str()),
                )
            })
            .collect();
        let exported = Exported {
            connection: connection.connection,
            service: connection.service,
            settings: connection.settings,
            secrets,
        };
        let json = serde_json::to_value(&exported).unwrap_or_default();
        Ok((json, exported.to_yaml()))
    }

    /// Takes in an exported connection; its secrets have to be given again.
    ///
    /// # Errors
    /// CONN-002 for a file that is no exported connection, or that would lead the secrets of a connection of
    /// the same name to another provider.
    pub async fn import_connection(&self, file: &str, text: &str) -> Result<Added, AppError> {
        let (documents, problems) = tailorbird_model::yaml::read(text);
        let wrong = |why: String| {
            AppError::usage(
                Failure::new(
                    codes::CONNECTION_SETTING,
                    Meaning::ConnectionFault,
                    format!("{file} is not an exported connection: {why}"),
                )
                .hint("`tailorbird connection export NAME` writes one."),
            )
        };
        if let Some(problem) = problems.first() {
            return Err(wrong(problem.to_string()));
        }
        let [document] = documents.as_slice() else {
            return Err(wrong(format!("it holds {} documents", documents.len())));
        };
        let exported: Exported =
            serde_json::from_value(document.value.clone()).map_err(|error| wrong(error.to_string()))?;
        let named: Vec<String> = exported.secrets.keys().cloned().collect();
        if let Some(present) = self
            .store
            .connection(&exported.connection)?
            .map(|stored| stored.value)
        {
            let services = self.services();
            let (service_before, _) = services.find(&present.service)?;
            let (service_after, _) = services.find(&exported.service)?;
            let mut after = present.clone();
            after.service = exported.service.clone();
            after.settings.extend(exported.settings.clone());
            let (before, after) = ((&**service_before, &present), (&**service_after, &after));
            self.refuse_to_lead_elsewhere(&exported.connection, before, after)?;
        }
        let add = AddConnection {
            name: exported.connection.clone(),
            service: Some(exported.service),
            settings: exported.settings.into_iter().collect(),
            secrets: None,
        };
        let mut added = self.add_connection(add).await?;
        if !named.is_empty() {
            added.notes.push(format!(
                "Secrets are never exported. Give again: {} (`tailorbird connection add {} --secrets FILE`).",
                named.join(", "),
                exported.connection
            ));
        }
        Ok(added)
    }

    /// Removes a connection and its secrets.
    ///
    /// # Errors
    /// CONN-006 while a task uses it.
    pub async fn remove_connection(&self, name: &Name) -> Result<(), AppError> {
        let noting = self.noting(Act::CONNECTION_REMOVED, name, "")?;
        self.stored_connection(name)?;
        let users = self.tasks_that_use_connection(name)?;
        if !users.is_empty() {
            return Err(Failure::new(
                codes::CONNECTION_IN_USE,
                Meaning::ConnectionFault,
                format!("the connection `{name}` is used by {}", users.join(", ")),
            )
            .hint("Let those tasks use another connection first (`tailorbird task apply`).")
            .into());
        }
        noting.store.remove_connection(name).await?;
        Ok(())
    }
}

impl Exported {
    /// YAML in a fixed order; values are JSON strings, which are YAML strings too (YAML 1.2 §10.2).
    fn to_yaml(&self) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let mut yaml = format!("connection: {}\nservice: {}\n", self.connection, self.service);
        for (name, members) in [("settings", &self.settings), ("secrets", &self.secrets)] {
            if !members.is_empty() {
                yaml.push_str(&format!("{name}:\n"));
                for (key, value) in members {
                    yaml.push_str(&format!("  {key}: {}\n", quoted(value)));
                }
            }
        }
        yaml
    }
}

#[cfg(test)]
mod tests;
