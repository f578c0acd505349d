//! Applications and what they are given: keys, temporary credentials, access tokens.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Secret;

/// What an application, or a token, may do. The order is that of growing rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Read posts and profiles; what every new application begins with.
    #[default]
    Read,
    /// Also write posts and change profiles.
    ReadWrite,
    /// Also read and send direct messages.
    ReadWriteDm,
}

impl Level {
    /// All levels, in the order of the portal's radio buttons.
    pub const ALL: [Self; 3] = [Self::Read, Self::ReadWrite, Self::ReadWriteDm];

    /// The words of the portal's Settings tab, as the tutorial prints them.
    pub const fn portal_words(self) -> &'static str {
        match self {
            Self::Read => "Read only",
            Self::ReadWrite => "Read and Write",
            Self::ReadWriteDm => "Read, Write and Access direct messages",
        }
    }

    /// The value of the answer header `x-access-level`.
    pub const fn header_value(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::ReadWrite => "read-write",
            Self::ReadWriteDm => "read-write-directmessages",
        }
    }

    /// The spelling of scripts and forms: `read`, `read_write`, `read_write_dm`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::ReadWrite => "read_write",
            Self::ReadWriteDm => "read_write_dm",
        }
    }

    /// Reads the spelling of [`Level::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == text)
    }

    /// Whether posts may be written.
    pub const fn writes(self) -> bool {
        matches!(self, Self::ReadWrite | Self::ReadWriteDm)
    }

    /// Whether direct messages may be read and sent.
    pub const fn direct_messages(self) -> bool {
        matches!(self, Self::ReadWriteDm)
    }
}

/// A registered application (RFC 5849's client).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Application {
    /// The application's id, which stays when the keys change.
    pub id: u64,
    /// The client key ("API key", "Consumer Key").
    pub client_key: String,
    /// The client secret ("API secret", "Consumer Secret", "Shared Secret").
    pub client_secret: Secret,
    /// The name shown on the consent page and as the source of posts.
    pub name: String,
    /// One sentence for the consent page.
    pub description: String,
    /// The application's home page.
    pub website: String,
    /// What tokens authorized from now on may do at most.
    pub level: Level,
    /// The callback URLs that may be asked for, compared character by character.
    pub callbacks: Vec<String>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// The account that registered it.
    pub owner: u64,
    /// The token of the owner's own access token, made on the Details tab.
    pub own_token: Option<String>,
}

/// What changes an application; absent members stay as they are.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct ApplicationChange {
    /// The name.
    pub name: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// The home page.
    pub website: Option<String>,
    /// The level; tokens keep theirs.
    pub level: Option<Level>,
    /// The callback URLs.
    pub callbacks: Option<Vec<String>>,
}

/// Temporary credentials (RFC 5849 §2.1; X: "request token").
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TemporaryCredentials {
    /// The token, public.
    pub token: String,
    /// The token secret.
    pub secret: Secret,
    /// The client key they were given to.
    pub client_key: String,
    /// The callback as given: a URL, or `oob`.
    pub callback: String,
    /// The level asked for with `x_auth_access_type`, never more than the application has.
    pub requested_level: Option<Level>,
    /// When they were given.
    pub created_at: Timestamp,
    /// How far the flow has come.
    pub state: CredentialState,
    /// Wrong verifiers presented so far.
    pub wrong_verifiers: u32,
}

/// How far temporary credentials have come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CredentialState {
    /// Nobody has decided yet.
    Pending,
    /// The resource owner approved.
    Approved {
        /// Who approved.
        account: u64,
        /// The verifier that proves it.
        verifier: Secret,
        /// What was granted: the application's level at that moment, or less where less was asked for.
        level: Level,
    },
    /// The resource owner refused.
    Denied,
    /// Exchanged for an access token.
    Used,
}

/// An access token (RFC 5849's token credentials).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AccessToken {
    /// The token: the account's id, a dash, random letters.
    pub token: String,
    /// The token secret.
    pub secret: Secret,
    /// The client key it was given to.
    pub client_key: String,
    /// The account it acts for.
    pub account: u64,
    /// What it may do: the application's level at the moment of approval, or less.
    pub level: Level,
    /// When it was given.
    pub created_at: Timestamp,
    /// Why it is void, if it is.
    pub revoked: Option<Revocation>,
    /// The secret of the temporary credentials it came from, kept to recognize clients that go on signing
    /// with it (X's own Python SDK does).
    pub temporary_secret: Option<Secret>,
}

/// Why a token is void.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Revocation {
    /// `oauth/invalidate_token` was called with it.
    Invalidated,
    /// The resource owner took the permission back, or replaced the token.
    ByOwner,
    /// The application's keys were regenerated.
    KeysRegenerated,
    /// The application was deleted.
    ApplicationDeleted,
}
