//! Reads the answers that hand credentials out (RFC 5849 §2.1, §2.3).

use std::fmt;

use serde_json::Value;

use crate::credentials::{TemporaryCredentials, TokenCredentials};
use crate::message::refusal::{Refusal, read_refusal};
use crate::percent_encoding::form_decode;
use crate::signing::parameter_sources::form_pairs;

/// The longest answer that is read, in bytes.
pub const MAX_ANSWER_LENGTH: usize = 64 * 1024;

/// Whether the first answer has to say `oauth_callback_confirmed=true`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CallbackConfirmation {
    /// It has to (RFC 5849 §2.1): without it the server speaks OAuth 1.0, which is open to session
    /// fixation.
    #[default]
    Required,
    /// It may be absent, for a server that is known to leave it out.
    Optional,
}

/// Members of an answer besides the credentials, such as `user_id` and `screen_name`.
pub type ExtraMembers = Vec<(String, String)>;

/// Temporary credentials with what came along.
#[derive(Clone, PartialEq, Eq)]
pub struct TemporaryCredentialsAnswer {
    /// The credentials.
    pub credentials: TemporaryCredentials,
    /// Whether the server said `oauth_callback_confirmed=true`.
    pub callback_confirmed: bool,
    /// Other members, in their order.
    pub extra: ExtraMembers,
}

/// Token credentials with what came along.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenCredentialsAnswer {
    /// The credentials.
    pub credentials: TokenCredentials,
    /// Other members, in their order.
    pub extra: ExtraMembers,
}

// Other members may be secrets as well (`oauth_session_handle`): names only.
impl fmt::Debug for TemporaryCredentialsAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TemporaryCredentialsAnswer")
            .field("credentials", &self.credentials)
            .field("callback_confirmed", &self.callback_confirmed)
            .field("extra", &names(&self.extra))
            .finish()
    }
}

impl fmt::Debug for TokenCredentialsAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCredentialsAnswer")
            .field("credentials", &self.credentials)
            .field("extra", &names(&self.extra))
            .finish()
    }
}

fn names(members: &ExtraMembers) -> Vec<&str> {
    members.iter().map(|(name, _)| name.as_str()).collect()
}

impl TokenCredentialsAnswer {
    /// The first other member of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.extra
            .iter()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.as_str())
    }

    /// The account's number, as X gives it.
    pub fn user_id(&self) -> Option<&str> {
        self.get("user_id")
    }

    /// The account's name, as X gives it.
    pub fn screen_name(&self) -> Option<&str> {
        self.get("screen_name")
    }
}

/// Why an answer hands no credentials out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The provider said no.
    #[error("provider refused to hand out credentials ({0})")]
    Refused(Box<Refusal>),
    /// A web page came back. The usual cause is the authorization address in the place of a token address.
    #[error(
        "provider answered with a web page instead of credentials; is this the address of its authorization page?"
    )]
    WebPage {
        /// The HTTP status.
        status: u16,
    },
    /// Success by its status, but a member is absent or empty.
    #[error("provider's answer holds no {name}")]
    Missing {
        /// Its name.
        name: &'static str,
        /// The HTTP status.
        status: u16,
    },
    /// `oauth_callback_confirmed` is not `true`.
    #[error("provider did not confirm the callback (oauth_callback_confirmed=true is missing)")]
    CallbackNotConfirmed,
    /// More than [`MAX_ANSWER_LENGTH`] bytes.
    #[error("provider's answer has {length} bytes; at most {MAX_ANSWER_LENGTH} are read")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
}

/// The members of an answer, decoded.
struct Members(Vec<(String, String)>);

// It holds the secrets until they are taken out.
impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Members(redacted)")
    }
}

impl Members {
    fn take(&mut self, name: &'static str, status: u16) -> Result<String, AnswerError> {
        self.take_optional(name)
            .filter(|value| !value.is_empty())
            .ok_or(AnswerError::Missing { name, status })
    }

    fn take_optional(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(given, _)| given == name)?;
        Some(self.0.remove(at).1)
    }
}

/// Reads the members by the look of the body. Its content type is of no use: X labels its form-encoded
/// answers `text/html`, others `application/json`.
fn read_members(status: u16, body: &[u8]) -> Result<Members, AnswerError> {
    if body.len() > MAX_ANSWER_LENGTH {
        return Err(AnswerError::TooLong { length: body.len() });
    }
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim();
    let members: Vec<(String, String)> = match text.chars().next() {
        Some('{') => match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(object)) => object
                .into_iter()
                .filter_map(|(name, value)| Some((name, scalar(value)?)))
                .collect(),
            _ => Vec::new(),
        },
        Some('<') => Vec::new(),
        _ => form_pairs(text.as_bytes())
            .map(|(name, value)| {
                let text = |encoded| String::from_utf8_lossy(&form_decode(encoded)).into_owned();
                (text(name), text(value))
            })
            .collect(),
    };
    let succeeded = (200..300).contains(&status);
    if succeeded && members.iter().any(|(name, _)| name == "oauth_token") {
        return Ok(Members(members));
    }
    let refusal = read_refusal(status, body);
    // A page that says why it refuses is a refusal; a page under a status of success is the wrong page.
    if text.starts_with('<') && succeeded && refusal.items.iter().all(|item| item.code.is_none()) {
        return Err(AnswerError::WebPage { status });
    }
    if succeeded && refusal.message.is_empty() {
        return Err(AnswerError::Missing {
            name: "oauth_token",
            status,
        });
    }
    Err(AnswerError::Refused(Box::new(refusal)))
}

fn scalar(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Reads the answer to the request for temporary credentials (RFC 5849 §2.1).
///
/// # Errors
/// [`AnswerError`]: a refusal, a page, a missing member, an unconfirmed callback.
pub fn read_temporary_credentials(
    status: u16,
    body: &[u8],
    confirmation: CallbackConfirmation,
) -> Result<TemporaryCredentialsAnswer, AnswerError> {
    let mut members = read_members(status, body)?;
    let token = members.take("oauth_token", status)?;
    let secret = members.take_optional("oauth_token_secret");
    let secret = secret.ok_or(AnswerError::Missing {
        name: "oauth_token_secret",
        status,
    })?;
    let callback_confirmed = members
        .take_optional("oauth_callback_confirmed")
        .is_some_and(|value| value.trim().eq_ignore_ascii_case("true"));
    if confirmation == CallbackConfirmation::Required && !callback_confirmed {
        return Err(AnswerError::CallbackNotConfirmed);
    }
    let credentials = TemporaryCredentials::new(token, secret);
    Ok(TemporaryCredentialsAnswer {
        credentials,
        callback_confirmed,
        extra: members.0,
    })
}

/// Reads the answer to the request for token credentials (RFC 5849 §2.3). An empty secret is allowed: for
/// RSA some servers send none.
///
/// # Errors
/// [`AnswerError`]: a refusal, a page, a missing member.
pub fn read_token_credentials(status: u16, body: &[u8]) -> Result<TokenCredentialsAnswer, AnswerError> {
    let mut members = read_members(status, body)?;
    let token = members.take("oauth_token", status)?;
    let secret = members.take_optional("oauth_token_secret");
    let secret = secret.ok_or(AnswerError::Missing {
        name: "oauth_token_secret",
        status,
    })?;
    Ok(TokenCredentialsAnswer {
        credentials: TokenCredentials::new(token, secret),
        extra: members.0,
    })
}
