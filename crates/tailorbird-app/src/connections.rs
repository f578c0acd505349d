//! Connections: add, show, test, diagnose, export, import, remove.

mod places;
mod usage;
mod view;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tailorbird_connector as connector;
use tailorbird_connector::Resolved;
use tailorbird_model::account::Account;
use tailorbird_model::connection::Connection;
use tailorbird_model::ports::{CredentialVault as _, Credentials};
use tailorbird_model::yaml::shape;
use tailorbird_model::{Failure, Meaning, Name, codes};
use tailorbird_store::{CredentialChange, SecretField};

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

/// What `connection diagnose` found.
#[derive(Debug, Clone, Serialize)]
pub struct Diagnosis {
    /// Whether the connection works as it is.
    pub works: bool,
    /// The causes, the surest first.
    pub findings: Vec<Finding>,
    /// What was tried, in order.
    pub tried: Vec<String>,
}

/// One finding of `connection diagnose`.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// The code of the page that explains it.
    pub code: &'static str,
    /// The cause, in one sentence.
    pub cause: String,
    /// How it is known.
    pub proof: String,
    /// What to do next.
    pub next_step: String,
    /// Whether it is proven.
    pub certain: bool,
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
    /// Adds a connection, or changes what is given of an existing one. An incomplete one is saved too.
    ///
    /// # Errors
    /// SVC-001 for an unknown service; CONN-002 and AUTH-007 for settings that cannot be right.
    pub async fn add_connection(&self, add: AddConnection) -> Result<Added, AppError> {
        let noting = self.noting(Act::CONNECTION_CHANGED, &add.name, told(&add))?;
        let present = self.store.connection(&add.name)?.map(|stored| stored.value);
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
        let (service_file, _) = self.services.find(&service)?;
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
            && let Ok((service_before, _)) = self.services.find(&before.service)
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
        if new_key || changed_service {
            // Another key or token may be another account; what was known of the old one is not true any more.
            connection.account = None;
            connection.level = None;
        }
        if change.token.is_some() {
            connection.authorized_at = Some(jiff::Timestamp::now());
        }
        noting.store.put_connection(connection, change).await?;
        Ok(Added {
            view: self.connection(&add.name)?,
            notes,
            warnings,
        })
    }

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
        let (service, _) = self.services.find(&connection.service)?;
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
        let (resolved, credentials, mut connection) = self.usable(name)?;
        let probed = self.connector.test(&resolved, &credentials).await?;
        let before = connection.clone();
        if probed.account.is_some() {
            connection.account = probed.account.clone();
        }
        if probed.level.is_some() {
            connection.level = probed.level.clone();
        }
        self.store
            .put_connection(connection, CredentialChange::default())
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

    /// Names the cause where the provider refuses, by safe requests only.
    ///
    /// # Errors
    /// CONN-001 where there is no such connection.
    pub async fn diagnose_connection(&self, name: &Name) -> Result<Diagnosis, AppError> {
        let (resolved, credentials, connection) = self.resolved(name)?;
        let pending = self.store.pending_authorization(name)?;
        let known = connector::Known {
            refusal: None,
            temporary_secret: pending.as_ref().map(|pending| &pending.temporary.secret),
            needs_level: None,
            last_level: connection.level.as_deref(),
            authorized_at: connection.authorized_at,
        };
        let diagnosed = self.connector.diagnose(&resolved, &credentials, &known).await;
        let finding = |finding: connector::Finding| Finding {
            code: finding.code,
            cause: finding.cause,
            proof: finding.proof,
            next_step: finding.next_step,
            certain: finding.certain,
        };
        Ok(Diagnosis {
            works: diagnosed.works,
            findings: diagnosed.findings.into_iter().map(finding).collect(),
            tried: diagnosed.tried,
        })
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
            let (service_before, _) = self.services.find(&present.service)?;
            let (service_after, _) = self.services.find(&exported.service)?;
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

/// What is changed, without the values: settings may hold what is nobody's business.
fn told(add: &AddConnection) -> String {
    let settings = add.settings.iter().map(|(name, _)| name.as_str());
    let secrets = add.secrets.as_ref().map(|_| "secrets");
    settings.chain(secrets).collect::<Vec<_>>().join(", ")
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
