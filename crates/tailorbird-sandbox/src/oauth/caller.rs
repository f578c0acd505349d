//! Who a signed request acts for; handlers find it as a request extension.

use crate::state::Level;

/// A caller whose signature, token and level were found good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The account that the token acts for.
    pub account_id: u64,
    /// The application that the token was given to.
    pub application_id: u64,
    /// The application's client key.
    pub client_key: String,
    /// What the token may do.
    pub level: Level,
    /// The access token itself (without its secret).
    pub token: String,
}
