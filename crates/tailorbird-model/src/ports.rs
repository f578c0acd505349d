//! The ports between rooms: what the connector needs and the store provides.

use jiff::Timestamp;
use tailorbird_oauth::{ClientCredentials, RsaPrivateKeyPem, TokenCredentials};

use crate::Name;

/// Whose calls count together: a digest of a credential, the same for all connections that hold it. It tells nothing
/// about the credential.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct BudgetId(String);

impl BudgetId {
    /// Takes over a digest, or another name that stands for one credential.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The credentials of one connection, opened for use.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// Client key and secret; absent while the connection is incomplete.
    pub client: Option<ClientCredentials>,
    /// Token and secret; absent until the connection is authorised, and for two-legged use.
    pub token: Option<TokenCredentials>,
    /// The private key for RSA signature methods.
    pub rsa_private_key: Option<RsaPrivateKeyPem>,
    /// What its calls count against.
    pub budget: BudgetId,
}

/// Why a vault could not give or keep credentials.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct VaultError(pub String);

/// Opens a connection's sealed credentials.
pub trait CredentialVault {
    /// The credentials of a connection; empty ones where nothing is stored.
    ///
    /// # Errors
    /// Where the sealing key is missing or the sealed form was altered.
    fn credentials(&self, connection: &Name) -> Result<Credentials, VaultError>;
}

/// What the provider said about a limit (one header family of one answer).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetReport {
    /// Which window, for example `x-rate-limit` or `x-user-limit-24hour`.
    pub family: String,
    /// Calls allowed in the window.
    pub limit: Option<u64>,
    /// Calls left in the window.
    pub remaining: Option<u64>,
    /// When the window begins again.
    pub reset_at: Option<Timestamp>,
    /// Whether the window counts several operations together, so that all that report it stop with it.
    pub shared: bool,
}

/// Keeps what is left of a credential's limits.
pub trait Budget {
    /// The time before which nothing may be sent with this credential to this operation, if any.
    fn wait_until(&self, whose: &BudgetId, operation: &str, now: Timestamp) -> Option<Timestamp>;
    /// Takes in what an answer said.
    fn report(
        &self,
        whose: &BudgetId,
        operation: &str,
        reports: &[BudgetReport],
        retry_at: Option<Timestamp>,
    );
}
