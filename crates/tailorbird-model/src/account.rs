//! Whose credentials a connection holds, and what they may do.

use serde::{Deserialize, Serialize};

/// The account behind a connection's token credentials.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Account {
    /// The provider's id of the account.
    pub id: String,
    /// The name a person recognises, for example the user name.
    pub name: String,
}
