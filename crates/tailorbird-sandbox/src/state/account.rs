//! Accounts: the people and companies of the sandbox.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Secret;

/// One account (RFC 5849's resource owner).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Account {
    /// The account's id; also the part of its access tokens before the dash.
    pub id: u64,
    /// The name after the `@`, at most 15 letters, digits and underscores.
    pub username: String,
    /// The displayed name.
    pub name: String,
    /// The profile's text.
    pub description: String,
    /// The profile's place; empty when unset.
    pub location: String,
    /// The profile's web address; empty when unset.
    pub website: String,
    /// The password of the sign-in page.
    pub password: Secret,
    /// When the account was opened.
    pub created_at: Timestamp,
    /// Whether only followers may read the posts.
    pub protected: bool,
    /// Whether the account carries the verified mark.
    pub verified: bool,
    /// Ids of the followers, oldest first.
    pub followers: Vec<u64>,
    /// Ids of the accounts followed, oldest first.
    pub following: Vec<u64>,
    /// What `account/settings` reads and writes.
    pub settings: AccountSettings,
}

/// The settings of an account that API v1.1 reads and writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccountSettings {
    /// A language code, such as `en`.
    pub language: String,
    /// A time zone of the IANA database, such as `Europe/London`.
    pub time_zone: String,
    /// Whether sleep time is on.
    pub sleep_enabled: bool,
    /// The hour at which sleep time begins, 0 to 23.
    pub sleep_start_hour: Option<u8>,
    /// The hour at which sleep time ends, 0 to 23.
    pub sleep_end_hour: Option<u8>,
    /// The "where on earth" id of the trend location; 1 is the world.
    pub trend_location_woeid: u64,
    /// Whose direct messages are let in: `all` or `following`.
    pub allow_dms_from: String,
    /// Whether others find the account by its e-mail address.
    pub discoverable_by_email: bool,
}

impl Default for AccountSettings {
    fn default() -> Self {
        Self {
            language: "en".to_owned(),
            time_zone: "Europe/London".to_owned(),
            sleep_enabled: false,
            sleep_start_hour: None,
            sleep_end_hour: None,
            trend_location_woeid: 1,
            allow_dms_from: "following".to_owned(),
            discoverable_by_email: false,
        }
    }
}

/// What `account/update_profile` changes; absent members stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProfileChange {
    /// The displayed name.
    pub name: Option<String>,
    /// The profile's text.
    pub description: Option<String>,
    /// The profile's place.
    pub location: Option<String>,
    /// The profile's web address.
    pub website: Option<String>,
}
