//! What the engine asks of whoever keeps the definitions.

use tailorbird_connector::Resolved;
use tailorbird_database::Link;
use tailorbird_model::connection::Connection;
use tailorbird_model::delivery::Destination;
use tailorbird_model::ports::Credentials;
use tailorbird_model::task::Task;
use tailorbird_model::{Failure, Name};

/// Opens connections and databases by name.
pub trait Resources: Send + Sync {
    /// A usable connection with its credentials.
    ///
    /// # Errors
    /// AUTH-006 while it is incomplete, CONN-001 where there is none.
    fn connection(&self, name: &Name) -> Result<(Resolved, Credentials, Connection), Failure>;

    /// An open database.
    ///
    /// # Errors
    /// DB-001 to DB-003 where it cannot be opened.
    fn database(&self, name: &Name) -> Result<Link, Failure>;

    /// A task that may be run, in that version or the newest, and which version it is.
    ///
    /// # Errors
    /// TASK-001 where there is none, TASK-003 where it would send records again.
    fn task(&self, name: &Name, version: Option<i64>) -> Result<(Task, i64), Failure>;
}

/// Where deliveries over a connection go (never-twice rule 1): the origin of its root URL, and whose
/// account it is; the client key where the provider does not tell.
pub fn destination_of(
    resolved: &Resolved,
    credentials: &Credentials,
    connection: &Connection,
) -> Destination {
    let origin = resolved
        .root_url
        .as_ref()
        .map(|url| url.origin().ascii_serialization())
        .unwrap_or_default();
    let account = connection.account.as_ref().map(|account| account.id.clone());
    let account = account.unwrap_or_else(|| {
        credentials
            .client
            .as_ref()
            .map(|client| format!("client:{}", client.key))
            .unwrap_or_default()
    });
    Destination::new(&origin, &account)
}
