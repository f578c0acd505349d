#![doc = include_str!("../README.md")]

mod approvals;
mod audit;
mod authorizations;
mod backup;
mod budgets;
mod charges;
mod clock;
mod codec;
mod credential;
mod cursors;
mod definitions;
mod entropy;
mod error;
mod events;
mod figures;
mod firings;
mod home;
mod ledger;
mod lock;
mod mail_server;
mod memory;
mod notices;
mod readers;
mod restored;
mod runs;
mod schema;
mod seal;
mod secrets;
mod sessions;
mod store;
mod task_calls;
mod tasks;
mod variables;
mod writer;

pub use approvals::{
    ApprovalDecision, ApprovalFilter, Asked, Asker, MAX_APPROVAL_PAGE, NewApproval, StandingApprovals,
};
pub use audit::{AuditFilter, AuditLine, MAX_AUDIT_PAGE, NewAudit};
pub use authorizations::{CallbackTaken, PendingAuthorization, TakenAuthorization};
pub use budgets::BudgetEntry;
pub use charges::{CallLimit, Charges, Held, LimitUse};
pub use clock::{Clock, system_clock};
pub use definitions::{ServiceFile, Stored};
pub use error::{Kind, RefusalReason, RefusedTransition, StoreError};
pub use events::{
    MAX_EVENT_BYTES, MAX_EVENT_PAGE, MAX_EVENTS_PER_CALL, MAX_WAITING_EVENTS, NewEvent, Received,
    TriggerState,
};
pub use figures::{DeliveryFigure, HourFigure, RunFigure};
pub use firings::{Firing, FiringVerdict, MAX_QUEUED, Occasion, TriggerClock, Wish, after_occasion};
pub use home::Home;
pub use ledger::{
    Advanced, AdvancedBatch, Attempt, ChainHead, ChainReport, Decision, DeliveryFilter, DueRequest, Enrolled,
    Enrolment, Intended, Lane, LookUp, MAX_BATCH, MAX_DELIVERY_PAGE, MAX_MISFITS, Misfit, NewDelivery, Next,
    NextBatch, Outcome, Rekey, Resolution, SendingAs, StepIdentity, Story,
};
pub use lock::{DriveLock, Epoch};
pub use memory::Fingerprint;
pub use runs::{
    CursorMove, DECIDED, Journal, JournalChange, JournalEntry, MAX_JOURNAL, MAX_RUN_PAGE, MAX_SIGNALS,
    RunChange, RunFilter, RunRequest, Signal, StepProgress, StepState,
};
pub use schema::APPLICATION_ID;
pub use secrets::{CredentialChange, SecretField};
pub use sessions::Session;
pub use store::Store;
pub use task_calls::{NewTaskCall, TaskCall};
pub use tasks::{Applied, MAX_VERSIONS, StoredTask, TaskVersion, TasksMark};
pub use variables::Variables;

// A home that came back.
pub use restored::{Restoration, RestoredTask};

// Backups.
pub use backup::{
    BackupProgress, BackupReport, MIN_PASSPHRASE, Manifest, Passphrase, Restore, Restored, restore,
};

// Retention.
pub use ledger::{MIN_KEEP, Retention, WantedTask};

// Notices.
pub use notices::{Notice, NoticeEvent, NoticeTried};
