//! Who may look in by a browser: a ticket opens a session once.

use tailorbird_model::{Failure, Meaning, codes};
pub use tailorbird_store::Session;

use crate::actor::Act;
use crate::{App, AppError};

impl App {
    /// Notes where the server of this home listens, so that another process can make links to it.
    ///
    /// # Errors
    /// Where the store refuses.
    pub async fn note_served_at(&self, url: &str) -> Result<(), AppError> {
        Ok(self.store.note_served_at(url).await?)
    }

    /// A link that opens a session in a browser, once, within an hour.
    ///
    /// # Errors
    /// SRV-003 where no server is at work for this home.
    pub async fn entry_link(&self) -> Result<String, AppError> {
        let url = if self.is_served()? {
            self.store.served_at()?
        } else {
            None
        };
        let Some(url) = url else {
            return Err(Failure::new(
                codes::NOT_SERVED,
                Meaning::NotSent,
                "no server is at work for this home",
            )
            .hint("Start one with `tailorbird serve`; it prints such a link by itself.")
            .into());
        };
        Ok(format!("{url}/enter?ticket={}", self.store.add_ticket().await?))
    }

    /// Opens a session for a ticket; none where it is unknown, was used or has run out.
    ///
    /// # Errors
    /// Where the store refuses.
    pub async fn open_session(&self, ticket: &str) -> Result<Option<String>, AppError> {
        let noting = self.noting(Act::SESSION_OPENED, "session", "")?;
        Ok(noting.store.open_session(ticket).await?)
    }

    /// The session of a token, where it stands.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn session(&self, token: &str) -> Result<Option<Session>, AppError> {
        Ok(self.store.session(token).await?)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// Where the store refuses.
    pub async fn end_session(&self, token: &str) -> Result<(), AppError> {
        let noting = self.noting(Act::SESSION_ENDED, "session", "")?;
        Ok(noting.store.end_session(token).await?)
    }
}
