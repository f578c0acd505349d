//! What can happen in the sandbox. An event states a fact that was already decided; applying it never fails.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    AccessToken, Account, AccountSettings, Application, ApplicationChange, DirectMessage, Level, List,
    ListChange, Media, Post, ProfileChange, Revocation, Secret, TemporaryCredentials,
};

/// One change of the state, as it is written to the state file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub(crate) enum Event {
    /// An account was opened.
    AccountCreated(Account),
    /// A profile was changed.
    ProfileChanged { account: u64, change: ProfileChange },
    /// The settings of an account were replaced.
    AccountSettingsChanged { account: u64, settings: AccountSettings },
    /// `follower` follows `followed` from now on.
    Followed { follower: u64, followed: u64 },
    /// `follower` no longer follows `followed`.
    Unfollowed { follower: u64, followed: u64 },
    /// An application was registered.
    ApplicationCreated(Application),
    /// Details or settings of an application were changed; its tokens keep their level.
    ApplicationChanged { id: u64, change: ApplicationChange },
    /// An application got new keys; its tokens and temporary credentials are void.
    KeysRegenerated {
        id: u64,
        client_key: String,
        client_secret: Secret,
    },
    /// An application was deleted; its tokens and temporary credentials are void.
    ApplicationDeleted { id: u64 },
    /// Temporary credentials were given.
    TemporaryCredentialsIssued(TemporaryCredentials),
    /// The resource owner approved.
    ConsentGiven {
        token: String,
        account: u64,
        verifier: Secret,
        level: Level,
    },
    /// The resource owner refused.
    ConsentDenied { token: String },
    /// A wrong verifier was presented.
    VerifierRefused { token: String },
    /// An access token was given: for temporary credentials, which are used up by it, or on the Details tab.
    TokenIssued {
        temporary: Option<String>,
        credentials: AccessToken,
    },
    /// An access token is void.
    TokenRevoked { token: String, why: Revocation },
    /// A post was accepted.
    PostAccepted(Post),
    /// A post was refused because its author had just posted the same text.
    DuplicateRefused {
        author: u64,
        original: u64,
        at: Timestamp,
    },
    /// A post was deleted.
    PostDeleted { id: u64, at: Timestamp },
    /// An answer was hidden or shown again.
    PostHidden { id: u64, hidden: bool },
    /// An account likes a post.
    Liked { account: u64, post: u64 },
    /// An account no longer likes a post.
    Unliked { account: u64, post: u64 },
    /// A direct message was sent.
    MessageSent(DirectMessage),
    /// A direct message was deleted.
    MessageDeleted { id: u64 },
    /// An upload began.
    MediaStarted(Media),
    /// A segment of an upload arrived.
    MediaAppended {
        id: u64,
        segment: u32,
        bytes: u64,
        content: Option<String>,
    },
    /// An upload is whole.
    MediaFinalized { id: u64, at: Timestamp },
    /// An upload was given a text for people who cannot see the picture.
    MediaDescribed { id: u64, alt_text: String },
    /// A list was made.
    ListCreated(List),
    /// A list was changed.
    ListChanged { id: u64, change: ListChange },
    /// A list was deleted.
    ListDeleted { id: u64 },
    /// An account was put on a list.
    ListMemberAdded { id: u64, account: u64 },
    /// An account was taken off a list.
    ListMemberRemoved { id: u64, account: u64 },
    /// The duplicate rule was switched.
    DuplicateRule { refuse: bool },
    /// The sandbox clock was moved forward.
    ClockAdvanced { seconds: i64 },
}
