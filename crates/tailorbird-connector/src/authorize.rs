//! The three-legged flow (RFC 5849 §2): temporary credentials, the owner's consent, token credentials.
//!
//! Between its two moves nothing lives in memory: what [`Connector::authorize_start`] gives is kept sealed
//! by the caller and handed to [`Connector::authorize_finish`], so that a wizard, a script and a browser
//! take the same way.

mod loopback;
mod refusals;

use jiff::{SignedDuration, Timestamp};
use tailorbird_model::account::Account;
use tailorbird_model::ports::Credentials;
use tailorbird_model::service::Method;
use tailorbird_model::{Failure, Meaning, codes};
use tailorbird_oauth::{
    AnswerError, CallbackAnswer, CallbackConfirmation, OUT_OF_BAND, TemporaryCredentials, TokenCredentials,
    TokenSecret, TypedVerifier, authorization_url, read_temporary_credentials, read_token_credentials,
    read_typed_verifier,
};
use url::Url;

use crate::answer::Answer;
use crate::authenticate::Purpose;
use crate::connector::{Connector, not_oauth};
use crate::request::{Request, RequestBody};
use crate::resolve::{Missing, OAuth1Settings, Resolved, incomplete, missing};
use crate::settings::{OAuthAddress, refuse_misplaced};

pub use loopback::Loopback;
#[cfg(test)]
pub(crate) use loopback::target_of;

/// How long a started authorization may wait for its owner. Providers do not say how long theirs lives.
pub const STARTED_LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// The fixed callback of the command line. Providers want the exact string registered, so it never varies.
pub const LOOPBACK_CALLBACK: &str = "http://127.0.0.1:7082/oauth/callback";

/// Where the account's owner goes after approving.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Callback {
    /// Nowhere: the provider shows a code (`oob`, PIN).
    #[default]
    OutOfBand,
    /// Back to this address, which the provider has registered.
    Url(String),
}

impl Callback {
    /// The callback of the command line's own listener.
    pub fn loopback() -> Self {
        Self::Url(LOOPBACK_CALLBACK.to_owned())
    }

    /// The text that is sent, which is also the exact text to register.
    pub fn as_str(&self) -> &str {
        match self {
            Self::OutOfBand => OUT_OF_BAND,
            Self::Url(url) => url,
        }
    }
}

/// A started authorization. The secret part is to be kept sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The temporary credentials.
    pub temporary: TemporaryCredentials,
    /// Where the account's owner approves.
    pub authorize_url: String,
    /// When the attempt ends.
    pub expires_at: Timestamp,
    /// What a person should know, in whole sentences.
    pub notes: Vec<String>,
}

/// A finished authorization. The secret part is to be kept sealed.
#[derive(Debug, Clone)]
pub struct Authorized {
    /// The token credentials.
    pub token: TokenCredentials,
    /// Whose they are, where the provider told.
    pub account: Option<Account>,
    /// The access level, in the provider's word, where it told.
    pub level: Option<String>,
    /// What a person should know, in whole sentences.
    pub notes: Vec<String>,
}

/// The addresses that a move needs, all there; and every one that is there is in its box.
///
/// The token address is not needed before the code is back: the wizard asks for it on its last screen.
fn addresses<'a, const N: usize>(
    resolved: &Resolved,
    settings: &'a OAuth1Settings,
    needed: [OAuthAddress; N],
) -> Result<[&'a Url; N], Failure> {
    let all = [
        OAuthAddress::TemporaryCredentials,
        OAuthAddress::Authorization,
        OAuthAddress::Token,
    ];
    for role in all {
        if let Some(url) = given(settings, role) {
            refuse_misplaced(&resolved.service, role, url, resolved.new_home())?;
        }
    }
    let lacks: Vec<Missing> = needed
        .into_iter()
        .filter(|role| given(settings, *role).is_none())
        .map(|role| lack(resolved, role))
        .collect();
    let there: Vec<&Url> = needed
        .into_iter()
        .filter_map(|role| given(settings, role))
        .collect();
    <[&Url; N]>::try_from(there).map_err(|_| incomplete(&resolved.connection, &lacks))
}

fn given(settings: &OAuth1Settings, role: OAuthAddress) -> Option<&Url> {
    match role {
        OAuthAddress::TemporaryCredentials => settings.temporary_credentials_url.as_ref(),
        OAuthAddress::Authorization => settings.authorization_url.as_ref(),
        OAuthAddress::Token => settings.token_url.as_ref(),
    }
}

fn lack(resolved: &Resolved, role: OAuthAddress) -> Missing {
    let label = match role {
        OAuthAddress::TemporaryCredentials => "request-token URL",
        OAuthAddress::Authorization => "authorize URL",
        OAuthAddress::Token => "access-token URL",
    };
    Missing {
        field: role.setting(),
        label: label.to_owned(),
        hint: format!(
            "Set it: tailorbird connection add {} --set {}=https://…",
            resolved.connection,
            role.setting()
        ),
    }
}

/// What is missing for the flow itself: all but the token that it is to bring.
fn client_missing(resolved: &Resolved, credentials: &Credentials) -> Vec<Missing> {
    missing(resolved, credentials)
        .into_iter()
        .filter(|lack| !matches!(lack.field, "token" | "root_url"))
        .collect()
}

/// What a refused request for temporary credentials means, without a callback.
pub(crate) fn start_refused(
    resolved: &Resolved,
    settings: &OAuth1Settings,
    answer: &Answer,
    problem: AnswerError,
) -> Failure {
    refusals::of_start(resolved, settings, &Callback::OutOfBand, answer, problem)
}

/// The request of either exchange: a POST without a body.
pub(crate) fn post(url: &Url) -> Request {
    Request {
        operation: None,
        method: Method::Post,
        url: url.as_str().to_owned(),
        headers: Vec::new(),
        body: RequestBody::None,
    }
}

impl Connector {
    /// Asks for temporary credentials (RFC 5849 §2.1) and says where the account's owner approves.
    ///
    /// # Errors
    /// Before anything is sent: AUTH-006 where something is missing, AUTH-007 where an address stands in
    /// the wrong box. From the provider: AUTH-001, AUTH-002, AUTH-008, AUTH-012. Nothing is in doubt here:
    /// a second try makes new temporary credentials.
    pub async fn authorize_start(
        &self,
        resolved: &Resolved,
        credentials: &Credentials,
        callback: &Callback,
    ) -> Result<Started, Failure> {
        let settings = resolved.oauth1().ok_or_else(|| not_oauth(resolved))?;
        let needed = [OAuthAddress::TemporaryCredentials, OAuthAddress::Authorization];
        let [temporary_credentials, authorization] = addresses(resolved, settings, needed)?;
        let lacks = client_missing(resolved, credentials);
        if !lacks.is_empty() {
            return Err(incomplete(&resolved.connection, &lacks));
        }
        let request = post(temporary_credentials);
        let purpose = Purpose::TemporaryCredentials {
            callback: callback.as_str(),
        };
        let answer = self
            .exchange(resolved, credentials, &request, purpose)
            .await
            .map_err(refusals::harmless)?;
        let read = read_temporary_credentials(answer.status, &answer.body, CallbackConfirmation::Required)
            .map_err(|problem| refusals::of_start(resolved, settings, callback, &answer, problem))?;
        let authorize_url = authorization_url(
            authorization.as_str(),
            &read.credentials.token,
            std::iter::empty::<(&str, &str)>(),
        )
        .map_err(|problem| {
            Failure::new(
                codes::CONNECTION_SETTING,
                Meaning::ConnectionFault,
                format!("authorization_url cannot be used: {problem}"),
            )
        })?;
        let now = self.clock.now();
        Ok(Started {
            temporary: read.credentials,
            authorize_url,
            expires_at: now.checked_add(STARTED_LIFETIME).unwrap_or(now),
            notes: answer.notes,
        })
    }

    /// Exchanges the verifier for token credentials (RFC 5849 §2.3) and learns whose they are.
    ///
    /// `typed` is what the account's owner brought: the code, or the whole address that the browser was
    /// sent back to.
    ///
    /// # Errors
    /// AUTH-009 for a code that is empty or refused, AUTH-010 where the owner did not approve, AUTH-011
    /// where the attempt is over; each says what to do. The token that a provider gave is never lost to a
    /// failing question about the account: that is a note.
    pub async fn authorize_finish(
        &self,
        resolved: &Resolved,
        credentials: &Credentials,
        temporary: &TemporaryCredentials,
        expires_at: Timestamp,
        typed: &str,
    ) -> Result<Authorized, Failure> {
        let settings = resolved.oauth1().ok_or_else(|| not_oauth(resolved))?;
        let [token_address] = addresses(resolved, settings, [OAuthAddress::Token])?;
        let lacks = client_missing(resolved, credentials);
        if !lacks.is_empty() {
            return Err(incomplete(&resolved.connection, &lacks));
        }
        if self.clock.now() > expires_at {
            return Err(refusals::expired(&resolved.connection));
        }
        let verifier = verifier_of(resolved, temporary, typed)?;
        let request = post(token_address);
        let purpose = Purpose::TokenCredentials {
            temporary,
            verifier: &verifier,
        };
        let answer = self
            .exchange(resolved, credentials, &request, purpose)
            .await
            .map_err(refusals::start_again)?;
        let read = read_token_credentials(answer.status, &answer.body)
            .map_err(|problem| refusals::of_finish(resolved, &answer, problem))?;

        let account = read.user_id().map(|id| Account {
            id: id.to_owned(),
            name: read.screen_name().unwrap_or(id).to_owned(),
        });
        let mut authorized = Authorized {
            token: read.credentials,
            account,
            level: answer.level.clone(),
            notes: answer.notes,
        };
        if authorized.account.is_none() || authorized.level.is_none() {
            self.ask_account(resolved, credentials, &mut authorized).await;
        }
        Ok(authorized)
    }

    /// As [`Connector::authorize_finish`], with a verifier that was read before and kept sealed.
    ///
    /// # Errors
    /// As [`Connector::authorize_finish`].
    pub async fn authorize_exchange(
        &self,
        resolved: &Resolved,
        credentials: &Credentials,
        temporary: &TemporaryCredentials,
        expires_at: Timestamp,
        kept: &TokenSecret,
    ) -> Result<Authorized, Failure> {
        let verifier = kept.expose_for_sealing();
        self.authorize_finish(resolved, credentials, temporary, expires_at, verifier)
            .await
    }

    async fn ask_account(&self, resolved: &Resolved, credentials: &Credentials, authorized: &mut Authorized) {
        if resolved.service.account.is_none() {
            return;
        }
        let with_token = Credentials {
            token: Some(authorized.token.clone()),
            ..credentials.clone()
        };
        match self.test(resolved, &with_token).await {
            Ok(tested) => {
                authorized.account = authorized.account.take().or(tested.account);
                authorized.level = authorized.level.take().or(tested.level);
            }
            Err(failure) => authorized.notes.push(format!(
                "The token was handed out, but the question whose it is failed: {failure}. {}",
                failure.hint
            )),
        }
    }
}

/// The page on which the account's owner approves these temporary credentials; none without an address for it.
pub fn authorize_url(resolved: &Resolved, temporary: &TemporaryCredentials) -> Option<String> {
    let page = resolved.oauth1()?.authorization_url.as_ref()?;
    authorization_url(
        page.as_str(),
        &temporary.token,
        std::iter::empty::<(&str, &str)>(),
    )
    .ok()
}

/// Reads what was typed: a code without its spaces, or the address of the callback.
///
/// # Errors
/// AUTH-009 where nothing can be read in it, AUTH-010 where it says that the owner did not approve, AUTH-011 where it
/// belongs to another attempt.
pub fn verifier_of(
    resolved: &Resolved,
    temporary: &TemporaryCredentials,
    typed: &str,
) -> Result<String, Failure> {
    match read_typed_verifier(typed) {
        Ok(TypedVerifier::Code(code)) => {
            // Pages show a PIN in groups ("123 4567"); a code that is digits and spaces is meant without.
            let digits_only = code
                .chars()
                .all(|c| c.is_ascii_digit() || c.is_whitespace() || c == '-');
            Ok(if digits_only {
                code.chars().filter(char::is_ascii_digit).collect()
            } else {
                code
            })
        }
        Ok(TypedVerifier::Callback(CallbackAnswer::Granted { token, verifier })) => {
            if token == temporary.token {
                Ok(verifier)
            } else {
                Err(refusals::other_attempt(&resolved.connection))
            }
        }
        Ok(TypedVerifier::Callback(CallbackAnswer::Denied { token })) => Err(if token == temporary.token {
            refusals::denied(&resolved.connection)
        } else {
            refusals::other_attempt(&resolved.connection)
        }),
        Err(problem) => Err(refusals::unreadable(&resolved.connection, &problem)),
    }
    .and_then(|code| {
        if code.is_empty() {
            Err(refusals::empty(&resolved.connection))
        } else {
            Ok(code)
        }
    })
}
