//! A connection: a service plus one account's credentials. The secrets themselves live sealed in the store.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Name;
use crate::account::Account;
use crate::money::SpendingCap;

/// The settings that `connection add --set` knows for every service.
pub const SETTINGS: [&str; 9] = [
    "root_url",
    "temporary_credentials_url",
    "authorization_url",
    "token_url",
    "signature_method",
    "placement",
    "realm",
    "concurrency",
    "spending_cap",
];

/// How many requests of a connection are under way at once, where it does not say. Few, because each of them can
/// be in doubt after a crash; enough for 40 records a second where an answer takes 100 ms, which is more than most
/// providers allow.
pub const DEFAULT_CONCURRENCY: usize = 4;

/// The most requests of a connection under way at once. What is more waits for the disk and not for the network.
pub const MAX_CONCURRENCY: usize = 256;

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

impl Connection {
    /// How many requests may be under way at once: the setting `concurrency`, or [`DEFAULT_CONCURRENCY`].
    pub fn concurrency(&self) -> usize {
        let given = self
            .settings
            .get("concurrency")
            .and_then(|text| concurrency(text).ok());
        given.unwrap_or(DEFAULT_CONCURRENCY)
    }
}

impl Connection {
    /// The most that may be spent in a period: the setting `spending_cap`.
    pub fn spending_cap(&self) -> Option<SpendingCap> {
        self.settings.get("spending_cap")?.parse().ok()
    }
}

/// Reads the setting `concurrency`.
///
/// # Errors
/// What is wrong with it, as the end of a sentence.
pub fn concurrency(text: &str) -> Result<usize, String> {
    let given = text.trim().parse::<usize>().ok();
    given
        .filter(|number| (1..=MAX_CONCURRENCY).contains(number))
        .ok_or_else(|| format!("{text:?} is not a whole number from 1 to {MAX_CONCURRENCY}"))
}
