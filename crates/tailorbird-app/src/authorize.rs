//! "Get access token and secret": the three-legged flow (RFC 5849 §2), in two moves that survive a restart.

mod wizard;

use jiff::Timestamp;
use serde::Serialize;
use tailorbird_connector as connector;
use tailorbird_model::account::Account;
use tailorbird_model::connection::Connection;
use tailorbird_model::{Failure, Meaning, Name, codes};
use tailorbird_store::{CredentialChange, PendingAuthorization, TakenAuthorization};

pub use wizard::{Attempt, Browser, CameBack, MAX_CALLBACK, Wizard, WizardAddress};

use crate::actor::Act;
use crate::connections::ConnectionView;
use crate::{App, AppError};

/// How the verifier comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callback {
    /// A person types the code (`oob`).
    OutOfBand,
    /// The browser is sent back to this machine.
    Loopback,
}

/// One of the three OAuth addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OAuthAddress {
    /// Where temporary credentials are requested.
    TemporaryCredentials,
    /// Where the account's owner approves.
    Authorization,
    /// Where the verifier is exchanged.
    Token,
}

impl OAuthAddress {
    /// The name of the setting.
    pub fn setting(self) -> &'static str {
        match self {
            Self::TemporaryCredentials => "temporary_credentials_url",
            Self::Authorization => "authorization_url",
            Self::Token => "token_url",
        }
    }

    /// The words on the screen.
    pub fn label(self) -> &'static str {
        match self {
            Self::TemporaryCredentials => "Request token URL",
            Self::Authorization => "Authorize URL",
            Self::Token => "Access token URL",
        }
    }
}

/// The provider's own words for the wizard.
#[derive(Debug, Clone)]
pub struct Labels {
    /// The service's title.
    pub service_title: String,
    /// For the client key.
    pub client_key: String,
    /// For the client secret.
    pub client_secret: String,
    /// For the verifier.
    pub verifier: String,
    /// Where a person finds the keys.
    pub keys_at: Option<String>,
}

/// The first move of an authorization.
#[derive(Debug, Clone, Serialize)]
pub struct Started {
    /// The connection.
    pub connection: Name,
    /// Where the account's owner approves.
    pub authorize_url: String,
    /// Until when the code has to be back.
    pub expires_at: Timestamp,
    /// What looks odd and may still be right.
    #[serde(skip)]
    pub warnings: Vec<String>,
}

/// The end of an authorization.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The connection.
    pub connection: Name,
    /// Whose account it is, where the provider tells.
    pub account: Option<Account>,
    /// The level, in the provider's word, where it tells.
    pub level: Option<String>,
    /// The level in words for people.
    pub level_words: Option<String>,
    /// What a person should know.
    pub notes: Vec<String>,
}

impl App {
    /// The provider's own words for the wizard's fields.
    ///
    /// # Errors
    /// CONN-001 where there is no such connection.
    pub fn labels(&self, name: &Name) -> Result<Labels, AppError> {
        let (resolved, ..) = self.resolved(name)?;
        let oauth1 = resolved.oauth1();
        let label = |pick: fn(&tailorbird_model::service::Labels) -> &Option<String>, plain: &str| {
            oauth1
                .and_then(|o| pick(&o.labels).clone())
                .unwrap_or_else(|| plain.to_owned())
        };
        Ok(Labels {
            service_title: resolved.service.title.clone(),
            client_key: label(|l| &l.client_key, "Client key"),
            client_secret: label(|l| &l.client_secret, "Client secret"),
            verifier: label(|l| &l.verifier, "Verification code"),
            keys_at: oauth1.and_then(|o| o.keys_at.clone()),
        })
    }

    /// An OAuth address of a connection, if it is known.
    ///
    /// # Errors
    /// CONN-001 where there is no such connection.
    pub fn oauth_address(&self, name: &Name, which: OAuthAddress) -> Result<Option<String>, AppError> {
        let (resolved, ..) = self.resolved(name)?;
        Ok(resolved.oauth1().and_then(|oauth1| {
            let url = match which {
                OAuthAddress::TemporaryCredentials => &oauth1.temporary_credentials_url,
                OAuthAddress::Authorization => &oauth1.authorization_url,
                OAuthAddress::Token => &oauth1.token_url,
            };
            url.as_ref().map(ToString::to_string)
        }))
    }

    /// Asks for temporary credentials and keeps them sealed until the code is back.
    ///
    /// # Errors
    /// AUTH-007 before anything is sent where an address is in the wrong box; else the provider's refusal in
    /// words.
    pub async fn authorize_start(&self, name: &Name, callback: Callback) -> Result<Started, AppError> {
        let callback = match callback {
            Callback::OutOfBand => connector::Callback::OutOfBand,
            Callback::Loopback => connector::Callback::loopback(),
        };
        self.start(name, &callback, None).await
    }

    async fn start(
        &self,
        name: &Name,
        callback: &connector::Callback,
        browser: Option<[u8; 32]>,
    ) -> Result<Started, AppError> {
        let noting = self.noting(Act::CONNECTION_AUTHORIZING, name, "")?;
        let (resolved, credentials, _) = self.resolved(name)?;
        let started = self
            .connector
            .authorize_start(&resolved, &credentials, callback)
            .await?;
        noting
            .store
            .put_pending_authorization(PendingAuthorization {
                connection: name.clone(),
                temporary: started.temporary,
                callback: callback.as_str().to_owned(),
                started_at: Timestamp::now(),
                expires_at: started.expires_at,
                browser,
                verifier: None,
            })
            .await?;
        Ok(Started {
            connection: name.clone(),
            authorize_url: started.authorize_url,
            expires_at: started.expires_at,
            warnings: started.notes,
        })
    }

    /// Waits until the browser comes back to this machine and gives the verifier.
    ///
    /// # Errors
    /// AUTH-010 where the owner did not approve, AUTH-011 where nobody came in time.
    pub async fn authorize_wait_for_callback(&self, name: &Name) -> Result<String, AppError> {
        let pending = self
            .store
            .pending_authorization(name)?
            .ok_or_else(|| not_started(name))?;
        let listener = connector::Loopback::bind().await?;
        Ok(listener
            .wait(
                name,
                &pending.temporary.token,
                Timestamp::now(),
                pending.expires_at,
            )
            .await?)
    }

    /// Exchanges the verifier for token credentials, seals them, and learns whose account it is.
    ///
    /// # Errors
    /// AUTH-009 for a wrong or used code, AUTH-011 where the first move is too old or was never made.
    pub async fn authorize_finish(&self, name: &Name, verifier: &str) -> Result<Finished, AppError> {
        if verifier.trim().is_empty() {
            let message = "the verification code is empty";
            return Err(AppError::usage(
                Failure::new(codes::VERIFIER_REFUSED, Meaning::ConnectionFault, message)
                    .hint("Type the code that the provider's page shows."),
            ));
        }
        self.finish(name, Some(verifier)).await
    }

    /// Exchanges what was typed, or the verifier that was kept.
    async fn finish(&self, name: &Name, typed: Option<&str>) -> Result<Finished, AppError> {
        let noting = self.noting(Act::CONNECTION_AUTHORIZED, name, "")?;
        let (resolved, credentials, before) = self.resolved(name)?;
        // Taken before it is used, so that two windows cannot spend one code twice.
        let mut pending = match self.store.take_pending_authorization(name).await? {
            TakenAuthorization::Ready(pending) => pending,
            TakenAuthorization::Expired { at } => {
                return Err(wizard::too_old(name, at).into());
            }
            TakenAuthorization::Absent => return Err(not_started(name).into()),
        };
        let finished = match (typed, &pending.verifier) {
            (Some(typed), _) => {
                let (temporary, until) = (&pending.temporary, pending.expires_at);
                self.connector
                    .authorize_finish(&resolved, &credentials, temporary, until, typed)
                    .await
            }
            (None, Some(kept)) => {
                let (temporary, until) = (&pending.temporary, pending.expires_at);
                self.connector
                    .authorize_exchange(&resolved, &credentials, temporary, until, kept)
                    .await
            }
            (None, None) => Err(not_typed()),
        };
        let authorized = match finished {
            Ok(authorized) => authorized,
            Err(failure) => {
                // A mistyped code, an address that is missing or wrong, or a provider that was not reached spends
                // nothing: it may be tried again.
                let may_try_again = [
                    codes::VERIFIER_REFUSED,
                    codes::CONNECTION_INCOMPLETE,
                    codes::AUTHORIZE_URL_WRONG,
                ];
                if may_try_again.contains(&failure.code.as_str()) || failure.meaning == Meaning::NotSent {
                    if failure.code == codes::VERIFIER_REFUSED {
                        pending.verifier = None;
                    }
                    self.store.put_pending_authorization(pending).await?;
                }
                return Err(failure.into());
            }
        };
        let (account, level) = (authorized.account.clone(), authorized.level.clone());
        let is_there = noting
            .store
            .change_connection(
                name,
                CredentialChange::token_credentials(&authorized.token),
                move |stored| {
                    Some(Connection {
                        account,
                        level,
                        authorized_at: Some(Timestamp::now()),
                        ..stored?
                    })
                },
            )
            .await?;
        if !is_there {
            // It was removed while the provider was asked.
            self.stored_connection(name)?;
        }
        if let Some(client) = &credentials.client {
            self.account_known(&before, &client.key).await?;
        }
        let view: ConnectionView = self.connection(name)?;
        Ok(Finished {
            connection: name.clone(),
            notes: authorized.notes,
            account: authorized.account,
            level: authorized.level,
            level_words: view.level_words,
        })
    }
}

fn not_typed() -> Failure {
    let message = "no verification code was given yet";
    Failure::new(codes::VERIFIER_REFUSED, Meaning::ConnectionFault, message)
        .hint("Approve on the provider's page; it shows the code.")
}

fn not_started(name: &Name) -> Failure {
    Failure::new(
        codes::AUTHORIZATION_EXPIRED,
        Meaning::ConnectionFault,
        format!("no authorization of `{name}` is under way"),
    )
    .hint(format!(
        "Start one: `tailorbird connection authorize {name}` (or with `--start` in a script). A code can be used once."
    ))
}
