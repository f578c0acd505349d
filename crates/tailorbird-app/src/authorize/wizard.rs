//! The four screens of "Get access token and secret" for a browser. Nothing of an attempt lives in memory: whoever opens
//! the wizard again, also after a restart, finds the screen where it stopped.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tailorbird_connector as connector;
use tailorbird_connector::{Showing, Shown};
use tailorbird_model::access::Right;
use tailorbird_model::{Failure, Meaning, Name, codes};
use tailorbird_oauth::{CallbackAnswer, OUT_OF_BAND, TokenSecret, read_callback};
use tailorbird_store::CallbackTaken;

use super::{Finished, Labels, OAuthAddress, Started, not_started};
use crate::{App, AppError, ConnectionView};

/// The longest query of a callback that is read, in bytes.
pub const MAX_CALLBACK: usize = 4_096;

/// A browser, by a digest of its session: what one browser began, no other one finishes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Browser([u8; 32]);

impl std::fmt::Debug for Browser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Browser(redacted)")
    }
}

impl Browser {
    /// The browser that has a session's token.
    pub fn of_session(token: &str) -> Self {
        Self(
            Sha256::new()
                .chain_update("authorize:")
                .chain_update(token)
                .finalize()
                .into(),
        )
    }
}

/// What the wizard knows of a connection.
#[derive(Debug, Clone)]
pub struct Wizard {
    /// The connection.
    pub view: ConnectionView,
    /// The provider's own words.
    pub labels: Labels,
    /// The signature method, by its registered name.
    pub signature_method: &'static str,
    /// The three OAuth addresses, in the order of the screens.
    pub addresses: Vec<WizardAddress>,
    /// What is missing before anything can be asked, in the provider's words.
    pub lacks: Vec<String>,
    /// The attempt that is under way.
    pub attempt: Option<Attempt>,
}

/// One of the three OAuth addresses.
#[derive(Debug, Clone)]
pub struct WizardAddress {
    /// Which one.
    pub which: OAuthAddress,
    /// The address in force.
    pub url: Option<String>,
    /// Whether the service file gives it.
    pub is_of_service: bool,
}

/// An attempt that is under way.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Where the owner is sent back to; none where a code is typed.
    pub callback: Option<String>,
    /// Where the account's owner approves.
    pub authorize_url: Option<String>,
    /// When it was begun.
    pub started_at: Timestamp,
    /// When it may no longer be finished.
    pub expires_at: Timestamp,
    /// Whether it may no longer be finished.
    pub is_over: bool,
    /// Whether the verifier is back.
    pub has_verifier: bool,
}

/// What a callback of the provider came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CameBack {
    /// The owner approved; the wizard of this connection goes on.
    Approved(Name),
    /// The owner refused; the attempt is over.
    Denied(Name),
}

impl App {
    /// What the wizard shows.
    ///
    /// # Errors
    /// CONN-001 where there is no such connection; AUTH-013 where its service signs nothing.
    pub fn wizard(&self, name: &Name) -> Result<Wizard, AppError> {
        let (resolved, credentials, _) = self.resolved(name)?;
        let Some(settings) = resolved.oauth1() else {
            return Err(AppError::usage(
                Failure::new(
                    codes::CREDENTIALS_UNUSABLE,
                    Meaning::ConnectionFault,
                    format!("the connection `{name}` needs no authorization"),
                )
                .hint("Its service is used without credentials. Test it."),
            ));
        };
        let service = resolved.service.authentication.oauth1.as_ref();
        let addresses = [
            (
                OAuthAddress::TemporaryCredentials,
                &settings.temporary_credentials_url,
                service.and_then(|file| file.temporary_credentials_url.as_ref()),
            ),
            (
                OAuthAddress::Authorization,
                &settings.authorization_url,
                service.and_then(|file| file.authorization_url.as_ref()),
            ),
            (
                OAuthAddress::Token,
                &settings.token_url,
                service.and_then(|file| file.token_url.as_ref()),
            ),
        ];
        let lacks = connector::missing(&resolved, &credentials)
            .into_iter()
            .filter(|lack| !matches!(lack.field, "token" | "root_url"))
            .map(|lack| lack.label)
            .collect();
        let now = self.now();
        let attempt = self.store.pending_authorization(name)?.map(|pending| Attempt {
            authorize_url: connector::authorize_url(&resolved, &pending.temporary),
            started_at: pending.started_at,
            expires_at: pending.expires_at,
            is_over: pending.expires_at <= now,
            has_verifier: pending.verifier.is_some(),
            callback: Some(pending.callback).filter(|callback| callback != OUT_OF_BAND),
        });
        Ok(Wizard {
            labels: self.labels(name)?,
            signature_method: settings.signature_method.name(),
            addresses: addresses
                .into_iter()
                .map(|(which, url, of_service)| WizardAddress {
                    which,
                    url: url.as_ref().map(ToString::to_string),
                    is_of_service: of_service.is_some(),
                })
                .collect(),
            lacks,
            attempt,
            view: self.connection(name)?,
        })
    }

    /// The request for temporary credentials, as it will be sent; none without an address for it.
    ///
    /// # Errors
    /// AUTH-013 where the credentials cannot sign.
    pub fn shown_start(&self, name: &Name, callback: Option<&str>) -> Result<Option<Shown>, AppError> {
        let (resolved, credentials, _) = self.resolved(name)?;
        let showing = Showing::TemporaryCredentials {
            callback: callback.unwrap_or(OUT_OF_BAND),
        };
        Ok(self.connector.shown(&resolved, &credentials, showing, None)?)
    }

    /// The request for token credentials, as it will be sent; none before there are temporary ones.
    ///
    /// # Errors
    /// AUTH-013 where the credentials cannot sign.
    pub fn shown_exchange(&self, name: &Name) -> Result<Option<Shown>, AppError> {
        let (resolved, credentials, _) = self.resolved(name)?;
        let Some(pending) = self.store.pending_authorization(name)? else {
            return Ok(None);
        };
        let showing = Showing::TokenCredentials {
            temporary: &pending.temporary,
            // Masked in what is shown, whatever it is.
            verifier: "code",
        };
        Ok(self.connector.shown(&resolved, &credentials, showing, None)?)
    }

    /// Asks for temporary credentials on behalf of a browser. `callback` is where the provider sends it back to; without
    /// one the owner types a code.
    ///
    /// # Errors
    /// As [`App::authorize_start`].
    pub async fn authorize_start_in_browser(
        &self,
        name: &Name,
        callback: Option<String>,
        browser: Browser,
    ) -> Result<Started, AppError> {
        let callback = callback.map_or(connector::Callback::OutOfBand, connector::Callback::Url);
        self.start(name, &callback, Some(browser.0)).await
    }

    /// Keeps the code that a person typed, sealed, until it is exchanged. White space of a code in groups does not count.
    ///
    /// # Errors
    /// AUTH-009 where nothing can be read in it, AUTH-010 where it is the address of a refusal, AUTH-011 where no attempt
    /// is under way or it is too old.
    pub async fn authorize_keep_code(&self, name: &Name, typed: &str) -> Result<(), AppError> {
        self.actor().need(Right::Design)?;
        let (resolved, ..) = self.resolved(name)?;
        let pending = self
            .store
            .pending_authorization(name)?
            .ok_or_else(|| not_started(name))?;
        if pending.expires_at <= self.now() {
            return Err(too_old(name, pending.expires_at).into());
        }
        let code = connector::verifier_of(&resolved, &pending.temporary, typed)?;
        if self.store.keep_verifier(name, TokenSecret::new(code)).await? {
            Ok(())
        } else {
            Err(not_started(name).into())
        }
    }

    /// Takes in what the provider's redirect brought, once, from the browser that began the attempt.
    ///
    /// # Errors
    /// AUTH-009 for a query that is no callback; AUTH-011 where its attempt is over, used, or another browser's.
    pub async fn authorize_callback(&self, query: &str, browser: Browser) -> Result<CameBack, AppError> {
        self.actor().need(Right::Design)?;
        let unreadable = |why: &str| {
            Failure::new(
                codes::VERIFIER_REFUSED,
                Meaning::ConnectionFault,
                format!("what the provider sent back cannot be read: {why}"),
            )
            .hint("Open the connection's wizard and start again.")
        };
        if query.len() > MAX_CALLBACK {
            return Err(unreadable("it is too long").into());
        }
        let answer = read_callback(query).map_err(|problem| unreadable(&problem.to_string()))?;
        let (token, verifier) = match answer {
            CallbackAnswer::Granted { token, verifier } => (token, Some(TokenSecret::new(verifier))),
            CallbackAnswer::Denied { token } => (token, None),
        };
        let is_granted = verifier.is_some();
        let refused = |message: &str, hint: &str| {
            let failure = Failure::new(codes::AUTHORIZATION_EXPIRED, Meaning::ConnectionFault, message);
            Err(failure.detail("Nothing was sent.").hint(hint).into())
        };
        match self.store.take_callback(&token, browser.0, verifier).await? {
            CallbackTaken::Taken(name) if is_granted => Ok(CameBack::Approved(name)),
            CallbackTaken::Taken(name) => Ok(CameBack::Denied(name)),
            CallbackTaken::Again(_) => refused(
                "this way back was used already",
                "Each way back from the provider works once. Go on in the connection's wizard.",
            ),
            CallbackTaken::OtherBrowser => refused(
                "this authorization was started in another browser, or in another session",
                "Only the browser that started it can finish it. Start again in this one.",
            ),
            CallbackTaken::Expired(name) => Err(too_old(&name, self.now()).into()),
            CallbackTaken::Absent => refused(
                "no authorization with this request token is under way",
                "It was finished, replaced by a newer start, or never started here. Start again in the wizard.",
            ),
        }
    }

    /// Exchanges the verifier that was kept for token credentials.
    ///
    /// # Errors
    /// As [`App::authorize_finish`]. A verifier that the provider refused is forgotten, so that another one can be typed;
    /// where the provider was not reached, it stays.
    pub async fn authorize_exchange(&self, name: &Name) -> Result<Finished, AppError> {
        self.finish(name, None).await
    }

    /// Forgets the attempt that is under way.
    ///
    /// # Errors
    /// Where the store refuses.
    pub async fn authorize_forget(&self, name: &Name) -> Result<(), AppError> {
        self.actor().need(Right::Design)?;
        Ok(self.store.forget_authorization(name).await?)
    }
}

pub(super) fn too_old(name: &Name, at: Timestamp) -> Failure {
    Failure::new(
        codes::AUTHORIZATION_EXPIRED,
        Meaning::ConnectionFault,
        format!("the authorization of `{name}` was started too long ago; it ran out at {at}"),
    )
    .hint(format!("Start again: `tailorbird connection authorize {name}`."))
}
