//! A connection: a service plus one account's credentials. The secrets themselves live sealed in the store.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Name;
use crate::account::Account;

/// The settings that `connection add --set` knows for every service.
pub const SETTINGS: [&str; 7] = [
    "root_url",
    "temporary_credentials_url",
    "authorization_url",
    "token_url",
    "signature_method",
    "placement",
    "realm",
];

/// A connection without its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Its name.
    pub connection: Name,
    /// The service it uses.
    pub service: Name,
    /// What this connection sets in place of the service's own values (see [`SETTINGS`]).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// Whose credentials it holds, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// The access level that the provider last reported, in the provider's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// When the token credentials were obtained or set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorized_at: Option<Timestamp>,
}
