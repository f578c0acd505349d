//! Carries what was sent along when a destination is known by another name: the same provider at another
//! address, or an account whose id has become known. Records that were sent stay sent (never-twice rule 1).

use tailorbird_model::Name;
use tailorbird_model::connection::Connection;
use tailorbird_model::delivery::Destination;
use tailorbird_store::StepIdentity;

use crate::{App, AppError, tasks};

impl App {
    /// The same provider, with the same data, is found at another address: a sandbox on another port.
    ///
    /// # Errors
    /// Where the store refuses.
    pub async fn service_moved(
        &self,
        connection: &Name,
        old_root: &str,
        new_root: &str,
    ) -> Result<(), AppError> {
        let old = format!("{}#", old_root.trim_end_matches('/'));
        let new = new_root.trim_end_matches('/').to_owned();
        self.carry(connection, move |destination| {
            let account = destination.0.strip_prefix(&old)?;
            Some(Destination::new(&new, account))
        })
        .await
    }

    /// The account behind a connection has become known. Until then its destination was named by the client
    /// key.
    ///
    /// # Errors
    /// Where the store refuses.
    pub(crate) async fn account_known(&self, before: &Connection, client_key: &str) -> Result<(), AppError> {
        let name = &before.connection;
        let known = self.stored_connection(name)?.account;
        let (None, Some(account)) = (&before.account, known) else {
            return Ok(());
        };
        let by_key = format!("#client:{client_key}");
        self.carry(name, move |destination| {
            let origin = destination.0.strip_suffix(&by_key)?;
            Some(Destination::new(origin, &account.id))
        })
        .await
    }

    /// Carries every destination of a connection's deliveries that has a new name.
    async fn carry(
        &self,
        connection: &Name,
        renamed: impl Fn(&Destination) -> Option<Destination>,
    ) -> Result<(), AppError> {
        for stored in self.store.tasks()? {
            let task = tasks::parse(&stored)?;
            for step in task.flat_steps() {
                if step
                    .step
                    .call
                    .as_ref()
                    .is_none_or(|call| call.connection != *connection)
                {
                    continue;
                }
                for lane in self.store.lanes(&stored.name)? {
                    if lane.step == step.path
                        && let Some(to) = renamed(&lane.destination)
                    {
                        self.store.adopt_destination(&lane, &to).await?;
                    }
                }
                if let Some(identity) = self.store.step_identity(&stored.name, &step.path)?
                    && let Some(destination) = renamed(&identity.destination)
                {
                    let moved = StepIdentity {
                        destination,
                        ..identity
                    };
                    self.store
                        .set_step_identity(&stored.name, &step.path, moved)
                        .await?;
                }
            }
        }
        Ok(())
    }
}
