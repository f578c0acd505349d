//! Who acts: what they may do, and how the ledger and the audit log name them.

use tailorbird_model::access::{Right, Rights, Role};
use tailorbird_model::{Failure, Meaning, codes};
use tailorbird_store::NewAudit;

use crate::{App, AppError};

/// How somebody came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CameBy {
    /// By a link that whoever reads the home folder can make.
    Link,
    /// By a command on the machine where the home lies.
    CommandLine,
    /// Not at all: the program acts by itself, and changes nothing in anybody's name.
    Nobody,
}

impl CameBy {
    fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::CommandLine => "command_line",
            Self::Nobody => "nobody",
        }
    }
}

/// Who acts.
#[derive(Debug, Clone)]
pub struct Actor {
    came_by: CameBy,
    name: String,
    address: String,
    rights: Rights,
}

impl Actor {
    /// Whoever gives commands on this machine can read the home folder, so there is nothing to withhold.
    pub fn command_line() -> Self {
        Self {
            came_by: CameBy::CommandLine,
            name: "command line".to_owned(),
            address: String::new(),
            rights: Rights::all(),
        }
    }

    /// A browser whose session a link has opened, and the address that it asks from.
    pub fn link(address: &str) -> Self {
        Self {
            came_by: CameBy::Link,
            name: "start-up link".to_owned(),
            address: address.to_owned(),
            rights: Rights::all(),
        }
    }

    /// The program itself. It may do nothing that a person decides.
    pub fn nobody() -> Self {
        Self {
            came_by: CameBy::Nobody,
            name: "the program".to_owned(),
            address: String::new(),
            rights: Rights::default(),
        }
    }

    /// The name, as pages show it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tells whether a right is there.
    pub fn may(&self, right: Right) -> bool {
        self.rights.has(right)
    }

    /// How the story of a delivery names who decided.
    pub(crate) fn told(&self) -> &str {
        match self.came_by {
            CameBy::Link => "a person in the browser",
            CameBy::CommandLine => "a person at the command line",
            CameBy::Nobody => &self.name,
        }
    }

    /// Says why a right is not there.
    ///
    /// # Errors
    /// ACC-001 where it is not.
    pub fn need(&self, right: Right) -> Result<(), Failure> {
        if self.may(right) {
            return Ok(());
        }
        let message = format!("{} may not do this: the right `{right}` is missing", self.name);
        Err(Failure::new(codes::RIGHT_MISSING, Meaning::NotSent, message)
            .detail(format!("It allows to {}.", right.in_words()))
            .hint(format!(
                "Nothing was changed. Ask an admin for the role {} or a higher one.",
                Role::least_with(right)
            )))
    }
}

/// A kind of change, as the audit log names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Act {
    name: &'static str,
    right: Right,
}

macro_rules! acts {
    ($($constant:ident $name:literal $right:ident)*) => {
        impl Act {
            $(pub(crate) const $constant: Self = Self { name: $name, right: Right::$right };)*
        }
        /// The kinds of changes that the audit log knows.
        pub const ACTS: &[&str] = &[$($name),*];
    };
}

acts! {
    APPROVAL_DECIDED "approval.decided" Operate
    CALL_MADE "call.made" Design
    CONNECTION_AUTHORIZED "connection.authorized" Design
    CONNECTION_AUTHORIZING "connection.authorization_started" Design
    CONNECTION_CHANGED "connection.changed" Design
    CONNECTION_REMOVED "connection.removed" Design
    CONNECTION_TESTED "connection.tested" Operate
    DATABASE_CHANGED "database.changed" Design
    DATABASE_WATCHED "database.watched" Design
    DATABASE_UNWATCHED "database.unwatched" Design
    DELIVERY_DECIDED "delivery.decided" Operate
    DELIVERIES_DECIDED "delivery.decided_in_bulk" Operate
    HOME_BACKED_UP "home.backed_up" Administer
    HOME_MAIL_SERVER "home.mail_server_changed" Administer
    HOME_MARKED "home.marked_restored" Administer
    HOME_MARK_ENDED "home.restored_mark_ended" Administer
    HOME_RETENTION "home.retention_changed" Administer
    HOME_TIDIED "home.tidied" Administer
    RUN_CANCELLED "run.cancelled" Operate
    RUN_PAUSED "run.paused" Operate
    RUN_RESUMED "run.resumed" Operate
    RUN_RETRIED "run.retried" Operate
    SERVICE_CHANGED "service.changed" Design
    SESSION_ENDED "session.ended" Look
    SESSION_OPENED "session.opened" Look
    TASK_CHANGED "task.changed" Design
    TASK_DISABLED "task.disabled" Operate
    TASK_ENABLED "task.enabled" Operate
    TASK_RUN "task.run" Operate
    TASK_SECRET "task.secret_changed" Design
}

impl App {
    /// The same use-cases, done in somebody's name.
    #[must_use]
    pub fn acting_as(&self, actor: Actor) -> Self {
        Self {
            actor: std::sync::Arc::new(actor),
            ..self.clone()
        }
    }

    /// Who acts.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The same use-cases, where whoever acts may do this; the audit log gets its line with the first change.
    pub(crate) fn noting(
        &self,
        act: Act,
        object: impl std::fmt::Display,
        detail: impl Into<String>,
    ) -> Result<Self, AppError> {
        self.actor.need(act.right)?;
        Ok(Self {
            store: self.store.noting(self.line(act, object, detail)),
            ..self.clone()
        })
    }

    /// Where whoever acts may do this: notes that it is done, for what changes nothing in the store itself.
    pub(crate) async fn note(
        &self,
        act: Act,
        object: impl std::fmt::Display,
        detail: impl Into<String>,
    ) -> Result<(), AppError> {
        self.actor.need(act.right)?;
        Ok(self.store.note(self.line(act, object, detail)).await?)
    }

    fn line(&self, act: Act, object: impl std::fmt::Display, detail: impl Into<String>) -> NewAudit {
        NewAudit {
            came_by: self.actor.came_by.as_str(),
            who: self.actor.name.clone(),
            what: act.name,
            object: object.to_string(),
            detail: detail.into(),
            address: self.actor.address.clone(),
        }
    }
}
