//! Why the store could not do what was asked, as an enum for callers and as a [`Failure`] for people.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tailorbird_model::delivery::{DeliveryId, DeliveryState, Event};
use tailorbird_model::{Failure, Meaning, codes};

/// What went wrong in the home folder or in the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no home at that path.
    #[error("there is no home at {}", path.display())]
    NoHome {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A home is there already.
    #[error("there is a home at {} already", path.display())]
    HomeExists {
        /// Where it is.
        path: PathBuf,
    },
    /// The folder is in a state that is neither a home nor an empty place for one.
    #[error("the home at {} {problem}", path.display())]
    HomeOdd {
        /// The home.
        path: PathBuf,
        /// What is odd, as the end of a sentence.
        problem: String,
        /// What to do.
        hint: &'static str,
    },
    /// A backup cannot be written to that file, or the file is none that can come back.
    #[error("the backup file {} {problem}", path.display())]
    BackupFile {
        /// The file.
        path: PathBuf,
        /// What is wrong, as the end of a sentence.
        problem: String,
        /// What to do.
        hint: &'static str,
    },
    /// A file of the home could not be read or written.
    #[error("could not {action} {}", path.display())]
    Io {
        /// For example `read`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The sealing key is not where it belongs, is malformed, or others can read it.
    #[error("the sealing key {} {problem}", path.display())]
    SealingKey {
        /// The key file.
        path: PathBuf,
        /// What is wrong, as the end of a sentence.
        problem: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// A sealed value does not open: it was altered, moved, or sealed by another key.
    #[error("the sealed {field} of {owner_kind} {owner:?} does not open")]
    Sealed {
        /// What kind of owner.
        owner_kind: String,
        /// Which owner.
        owner: String,
        /// Which field.
        field: String,
    },
    /// The operating system gave no randomness.
    #[error("the operating system gave no random bytes")]
    Entropy(#[source] getrandom::Error),
    /// The database was written by a newer version of this program.
    #[error("the home was written by a newer version: schema {found}, this program knows {known}")]
    SchemaNewer {
        /// The schema found.
        found: i64,
        /// The newest schema known.
        known: i64,
    },
    /// Another process drives the runs of this home.
    #[error("another process drives the runs of this home")]
    Driven {
        /// Its process id, where it could be read.
        pid: Option<u32>,
    },
    /// The database refused or failed.
    #[error("the store's database failed")]
    Sqlite(#[source] rusqlite::Error),
    /// The transaction was not committed; nothing of it is stored.
    #[error("the store could not commit; nothing of it was stored")]
    NotCommitted(#[source] Arc<rusqlite::Error>),
    /// It is unknown whether the transaction was committed; ask [`crate::Store::verify_committed`].
    #[error("the store does not know whether commit {batch} took place")]
    CommitUnknown {
        /// The number of the commit.
        batch: i64,
        /// Why.
        #[source]
        source: Arc<rusqlite::Error>,
    },
    /// The writing thread has ended.
    #[error("the store's writer has stopped")]
    Stopped,
    /// A stored value cannot be read back.
    #[error("a stored {what} cannot be read back")]
    Unreadable {
        /// What it is.
        what: &'static str,
        /// The cause in words.
        detail: String,
    },
    /// More rows than one call may bring.
    #[error("{given} {what} in one call; at most {limit} are allowed")]
    TooMany {
        /// What was counted.
        what: &'static str,
        /// How many came.
        given: usize,
        /// How many may come.
        limit: usize,
    },
    /// Nothing of that kind and name is stored.
    #[error("there is no {kind} {name:?}")]
    Unknown {
        /// `connection`, `task`, …
        kind: Kind,
        /// The name.
        name: String,
    },
    /// A task stands at another version than the one that was edited; 0 where it is not there.
    #[error("the task {name:?} was changed by somebody else meanwhile")]
    Overtaken {
        /// The task.
        name: String,
        /// The version that it has now.
        version: i64,
    },
    /// Several deliveries match.
    #[error("{text:?} names {} deliveries", candidates.len())]
    Ambiguous {
        /// What was asked for.
        text: String,
        /// Each as `#id task/step → destination`.
        candidates: Vec<String>,
    },
    /// These deliveries were not changed; the others of the same call were.
    #[error("{} deliveries are in a state that does not allow this", refused.len())]
    Transition {
        /// Which and why.
        refused: Vec<RefusedTransition>,
    },
}

/// Kinds of things that have names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A service of the user's own.
    Service,
    /// A connection.
    Connection,
    /// A business database.
    Database,
    /// A task.
    Task,
    /// A run.
    Run,
    /// A delivery.
    Delivery,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Service => "service",
            Self::Connection => "connection",
            Self::Database => "database",
            Self::Task => "task",
            Self::Run => "run",
            Self::Delivery => "delivery",
        })
    }
}

/// One delivery that a call could not change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedTransition {
    /// Which.
    pub id: DeliveryId,
    /// What was to happen.
    pub event: Event,
    /// Why it did not.
    pub reason: RefusalReason,
}

/// Why an event cannot happen to a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalReason {
    /// The store has no such delivery.
    Unknown,
    /// The state does not allow the event.
    State(DeliveryState),
    /// The event belongs to an attempt that is no longer the last one (rule 13).
    Attempt {
        /// The attempt that the caller named.
        given: u32,
        /// The attempt that the ledger is at.
        stored: u32,
    },
    /// This call does not take this event.
    Event,
}

impl std::fmt::Display for RefusedTransition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { id, event, reason } = self;
        match reason {
            RefusalReason::Unknown => write!(f, "delivery {id} does not exist"),
            RefusalReason::State(state) => {
                write!(f, "delivery {id} is {state}, so {event:?} cannot happen to it")
            }
            RefusalReason::Attempt { given, stored } => {
                write!(
                    f,
                    "delivery {id} is at attempt {stored}, and this is the outcome of attempt {given}"
                )
            }
            RefusalReason::Event => write!(f, "{event:?} of delivery {id} does not belong into this call"),
        }
    }
}

impl StoreError {
    /// Tells whether another process held the database for longer than the busy time-out.
    pub fn is_busy(&self) -> bool {
        let cause = match self {
            Self::Sqlite(cause) => cause,
            Self::NotCommitted(cause) | Self::CommitUnknown { source: cause, .. } => cause,
            _ => return false,
        };
        matches!(
            cause.sqlite_error_code(),
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked)
        )
    }

    /// The code of the page that explains it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoHome { .. } => codes::NO_HOME,
            Self::SealingKey { .. } | Self::Sealed { .. } => codes::SEALING_KEY,
            Self::Driven { .. } => codes::RUN_BUSY,
            Self::Entropy(_) | Self::Stopped | Self::Unreadable { .. } | Self::TooMany { .. } => {
                codes::INTERNAL
            }
            Self::Unknown { kind, .. } => match kind {
                Kind::Service => codes::SERVICE_UNKNOWN,
                Kind::Connection => codes::CONNECTION_UNKNOWN,
                Kind::Database => codes::DATABASE_UNKNOWN,
                Kind::Task => codes::TASK_UNKNOWN,
                Kind::Run => codes::RUN_UNKNOWN,
                Kind::Delivery => codes::DELIVERY_UNKNOWN,
            },
            Self::Ambiguous { .. } => codes::DELIVERY_UNKNOWN,
            Self::Overtaken { .. } => codes::TASK_OVERTAKEN,
            Self::Transition { .. } => codes::TRANSITION,
            Self::BackupFile { .. } => codes::BACKUP_FILE,
            Self::HomeExists { .. }
            | Self::HomeOdd { .. }
            | Self::Io { .. }
            | Self::SchemaNewer { .. }
            | Self::Sqlite(_)
            | Self::NotCommitted(_)
            | Self::CommitUnknown { .. } => codes::HOME_BROKEN,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Io { source, .. } => format!("{source}."),
            Self::Entropy(source) => format!("{source}."),
            Self::Sqlite(source) => format!("{source}."),
            Self::NotCommitted(source) | Self::CommitUnknown { source, .. } => format!("{source}."),
            Self::Driven { pid: Some(pid) } => format!("It is process {pid}."),
            Self::Unreadable { detail, .. } => detail.clone(),
            Self::Ambiguous { candidates, .. } => candidates.join("\n"),
            Self::Overtaken { version: 0, .. } => "It was removed.".to_owned(),
            Self::Overtaken { version, .. } => format!("It stands at version {version} now."),
            Self::Transition { refused } => refused
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n"),
            Self::Sealed { .. } => {
                "It was altered, moved from another place, or sealed with another key.".to_owned()
            }
            _ => String::new(),
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::NoHome { .. } => {
                "A home is made by `demo`, `connection add` and `import`, `database add`, `service add` and \
                 `task apply`. If there should be one \
                 here already, check --home, TAILORBIRD_HOME and the working directory: an empty ledger would \
                 send everything again."
            }
            Self::HomeExists { .. } => {
                "Use it as it is, or choose another folder with --home. `restore --force` moves it aside first."
            }
            Self::HomeOdd { hint, .. } | Self::SealingKey { hint, .. } | Self::BackupFile { hint, .. } => {
                hint
            }
            Self::Io { .. } => "Check that the folder exists, that the disk has room, and who owns the file.",
            Self::Sealed { .. } => {
                "Put the sealing key that belongs to this home back from your backup. If it is lost, enter the \
                 secrets of this connection again with `connection add` and `connection authorize`."
            }
            Self::SchemaNewer { .. } => {
                "Use the version of the program that wrote it, or a newer one. Going back is not possible; \
                 restore a backup from before the upgrade into another folder instead."
            }
            Self::Driven { .. } => "Wait until it has ended, or stop it. `run list` shows what it is doing.",
            _ if self.is_busy() => {
                "Another process has kept the home's database locked. Wait until it is done and try again."
            }
            Self::Sqlite(_) | Self::NotCommitted(_) => {
                "Check that the disk has room and is writable, then try again. `doctor` checks the home."
            }
            Self::CommitUnknown { .. } => {
                "Send nothing before the store can be read again. `doctor` checks the home."
            }
            Self::Overtaken { .. } => {
                "Nothing was changed. Look at what the other version changed, then save again."
            }
            Self::Ambiguous { .. } => "Name one of them by its number, for example `#12`.",
            Self::Transition { .. } => "`delivery show` tells where each delivery stands.",
            Self::Unknown { kind, .. } => match kind {
                Kind::Service => "`service list` shows what there is.",
                Kind::Connection => "`connection list` shows what there is.",
                Kind::Database => "`database list` shows what there is.",
                Kind::Task => "`task list` shows what there is.",
                Kind::Run => "`run list` shows what there is.",
                Kind::Delivery => "`delivery list` shows what there is.",
            },
            Self::Entropy(_) | Self::Stopped | Self::Unreadable { .. } | Self::TooMany { .. } => {
                "Please report this with the code and the steps that led here."
            }
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(source: rusqlite::Error) -> Self {
        Self::Sqlite(source)
    }
}

/// Nothing of what failed here has left the machine, so the meaning is always [`Meaning::NotSent`].
impl From<&StoreError> for Failure {
    fn from(error: &StoreError) -> Self {
        Self::new(error.code(), Meaning::NotSent, error.to_string())
            .detail(error.detail())
            .hint(error.hint())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}
