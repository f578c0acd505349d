//! Reading the audit log.

use tailorbird_model::access::Right;
pub use tailorbird_store::{AuditFilter, AuditLine, MAX_AUDIT_PAGE};

use crate::{App, AppError};

impl App {
    /// Lines of the audit log, the newest first.
    ///
    /// # Errors
    /// ACC-001 for whoever may not read it.
    pub fn audit(&self, filter: &AuditFilter) -> Result<Vec<AuditLine>, AppError> {
        self.actor().need(Right::Administer)?;
        Ok(self.store.audit(filter)?)
    }
}
