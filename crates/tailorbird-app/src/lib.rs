#![doc = include_str!("../README.md")]

mod actor;
mod approvals;
mod audit;
mod authorize;
mod calls;
mod cards;
mod connections;
mod databases;
mod deliveries;
mod destinations;
mod doctor;
mod drafts;
mod error;
mod hand_over;
mod home;
mod ledger;
mod looks;
mod mail;
mod notices;
pub mod oauth1_sign;
mod overview;
mod rekey;
mod resolutions;
mod retention;
mod runs;
mod schedules;
mod secrets_input;
mod services;
mod serving;
mod starting;
mod tasks;
mod traces;
mod triggers;
mod visits;
mod webhooks;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tailorbird_connector::{Connector, TransportSettings};
use tailorbird_store::{Home, Store};

pub use actor::{ACTS, Actor, CameBy};
pub use approvals::{ApprovalDecision, ApprovalFilter, Decide};
pub use audit::{AuditFilter, AuditLine, MAX_AUDIT_PAGE};
pub use authorize::{
    Attempt, Browser, Callback, CameBack, Finished, Labels, MAX_CALLBACK, OAuthAddress, Started, Wizard,
    WizardAddress,
};
pub use calls::{Call, CallAnswer, CallBody, CallTarget, MAX_TRIED_PAGES, MAX_TRIED_RECORDS, Tried};
pub use cards::{
    CardField, CardForm, CardLine, Changed, MAX_CARDS, MAX_PAIRS, add_card, card_lines, change_card,
    document, move_card, remove_card,
};
pub use connections::{
    AddConnection, Added, ConnectionView, Diagnosis, Finding, RefusedCall, SecretView, Tested, Usage,
};
pub use databases::{AddDatabase, Recordset, RemovedOutbox, Table, TableKind, Watched};
pub use deliveries::{DeliveryFilter, DeliveryStory, Resolution, StoryLine};
pub use doctor::{Check, Health, doctor};
pub use drafts::{DiffLine, Draft, MAX_DIFF_LINES, TEMPLATES, TaskTemplate, compare};
pub use error::AppError;
pub use looks::{LOOKED_AT, LookedRecord, LookedValue, StepLook};
pub use overview::{Overview, Waiting};
pub use runs::{
    Listener, MAX_REHEARSED, MaskedRequest, Progress, ProgressEvent, Rehearsal, RehearsedRequest,
    RehearsedWrite, RunNews, Stop, Supervisor,
};
pub use schedules::FiringView;
pub use secrets_input::SecretsInput;
pub use services::{
    AddedServices, CatalogueEntry, NewRestService, Rest, ServiceEntry, ServiceText, Services, check_services,
    service_schema,
};
pub use serving::{
    BudgetFigure, Figures, NextFiring, Pulse, RECORD_COUNTS, Reporter, STOP_GRACE, ServeNews, ServeSettings,
    Serving, TaskTally,
};
pub use starting::{RunVariable, WrongValue};
pub use tailorbird_connector::{Shown, SignatureSteps, SignedParameter};
pub use tailorbird_store::{
    Clock, DeliveryFigure, HourFigure, StepProgress, StepState, TaskVersion, system_clock,
};
pub use tasks::{AppliedTask, TaskView, check_tasks, task_schema};
pub use traces::{
    EXPORT_EVERY, Exporter, Exporting, FLUSH_WITHIN, MAX_ATTRIBUTES, MAX_BATCH, MAX_EVENTS, MAX_HAND_TRIES,
    MAX_QUEUE, MAX_VALUE_CHARS, TraceFigures, TraceLayer, TraceSettings, traces,
};
pub use triggers::{RecentEvent, TaskSecretInput, TriggerView};
pub use visits::Session;
pub use webhooks::{HookAnswer, HookRequest, Hooks, MAX_HOOK_BODY, MAX_HOOK_HEADERS};

// The home and the ledger as a whole.
pub use home::{HomeView, RestoredView, Returned, restore_home};
pub use ledger::{MisfitLine, Verified, noted_link};
pub use mail::MailChange;
pub use resolutions::{Decided, Left, Mapping, Preview, Sample};
pub use retention::Tidied;
pub use tailorbird_store::{
    BackupProgress, ChainHead, MIN_KEEP, MIN_PASSPHRASE, Notice, Passphrase, Restore, Retention,
};

/// How long one answer may take between two of its bytes.
const READ_TIMEOUT: Duration = Duration::from_secs(20);

/// How long one request may take in all. A doubt can only be settled after this time (never-twice rule 10),
/// so it is as short as honest uploads allow.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a request may take where a test has no half a minute for each doubt. Debug builds only.
#[cfg(debug_assertions)]
static SHORTER_TIMEOUT: std::sync::OnceLock<Duration> = std::sync::OnceLock::new();

/// Lets requests take less time than they should, before anything is opened: for tests, in debug builds only.
#[cfg(debug_assertions)]
pub fn shorten_requests(total_timeout: Duration) {
    let is_first = SHORTER_TIMEOUT.set(total_timeout).is_ok();
    debug_assert!(is_first, "the time-out was shortened twice");
}

/// How long one request may take in all, in this process.
fn total_timeout() -> Duration {
    #[cfg(debug_assertions)]
    if let Some(shorter) = SHORTER_TIMEOUT.get() {
        return *shorter;
    }
    TOTAL_TIMEOUT
}

/// Every use-case of one home folder.
#[derive(Clone)]
pub struct App {
    home: PathBuf,
    store: Store,
    shelf: Arc<services::Shelf>,
    connector: Connector,
    /// Told when an event was put into the inbox, so that its run does not wait for the next look.
    arrived: Arc<tokio::sync::Notify>,
    /// Who acts, where nobody says otherwise whoever gives commands on this machine.
    actor: Arc<Actor>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("home", &self.home)
            .finish_non_exhaustive()
    }
}

impl App {
    /// Opens a home folder.
    ///
    /// # Errors
    /// HOME-001 where there is none: an empty ledger by mistake would send everything again, so a home is
    /// made only by the commands that say so.
    pub fn open(home: &Path) -> Result<Self, AppError> {
        let opened = Home::open(home)?;
        Self::over(home, &opened)
    }

    /// Opens a home folder, or makes one; tells whether it was made.
    ///
    /// # Errors
    /// HOME-002 and HOME-003 where the folder cannot be made or used.
    pub fn create(home: &Path) -> Result<(Self, bool), AppError> {
        let (opened, made) = Home::open_or_create(home)?;
        Ok((Self::over(home, &opened)?, made))
    }

    /// Opens a home folder if there is one.
    ///
    /// # Errors
    /// As [`App::open`], apart from a home that is not there.
    pub fn open_if_there(home: &Path) -> Result<Option<Self>, AppError> {
        match Self::open(home) {
            Ok(app) => Ok(Some(app)),
            Err(error) if error.failure.code == tailorbird_model::codes::NO_HOME => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn over(home: &Path, opened: &Home) -> Result<Self, AppError> {
        let store = Store::open(opened)?;
        let shelf = Arc::new(services::Shelf::open(home, &store)?);
        let settings = TransportSettings {
            read_timeout: READ_TIMEOUT,
            total_timeout: total_timeout(),
            ..TransportSettings::default()
        };
        let connector = Connector::new(settings)?;
        Ok(Self {
            home: home.to_owned(),
            store,
            shelf,
            connector,
            arrived: Arc::default(),
            actor: Arc::new(Actor::command_line()),
        })
    }

    /// The services as they are now.
    pub(crate) fn services(&self) -> Arc<Services> {
        self.shelf.now()
    }

    /// The home folder.
    pub fn home(&self) -> &Path {
        &self.home
    }
}
