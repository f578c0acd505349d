//! How a task's trigger stands, for people.

use jiff::Timestamp;
use serde::Serialize;
use tailorbird_model::Name;
use tailorbird_model::event::{EventSource, EventState};
use tailorbird_model::run::RunId;
use tailorbird_model::task::Trigger;
use tailorbird_store::TriggerState;

use crate::{App, AppError};

/// Events that are shown of a task.
const SHOWN: u32 = 10;

/// How a trigger stands.
#[derive(Debug, Clone, Serialize)]
pub struct TriggerView {
    /// Where its events come from.
    pub source: EventSource,
    /// In a few words: a path, a folder, a table.
    pub summary: String,
    /// Events that wait for a run.
    pub waiting: u32,
    /// Whether the secret that it needs is there; absent where it needs none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_secret: Option<bool>,
    /// What came, what was refused, what is wrong.
    #[serde(flatten)]
    pub state: TriggerState,
    /// The newest events.
    pub recent: Vec<RecentEvent>,
}

/// An event, without its contents.
#[derive(Debug, Clone, Serialize)]
pub struct RecentEvent {
    /// What people call it.
    pub label: String,
    /// When it was received.
    pub received_at: Timestamp,
    /// Where it stands.
    pub state: EventState,
    /// The run that works or worked on it.
    pub run: Option<RunId>,
}

impl App {
    /// How a task's trigger stands; nothing where it brings no events.
    ///
    /// # Errors
    /// TASK-001 where there is no such task.
    pub fn trigger_view(&self, name: &Name) -> Result<Option<TriggerView>, AppError> {
        let (task, _) = self.task(name)?;
        let Some(source) = task.trigger.event_source() else {
            return Ok(None);
        };
        let has_secret = match &task.trigger.webhook {
            Some(hook) if hook.verify.needs_task_secret() => Some(self.store.task_secret(name)?.is_some()),
            Some(hook) => hook
                .connection
                .as_ref()
                .map(|connection| self.client_secret(connection).is_ok()),
            None => None,
        };
        let recent = self.store.newest_events(name, SHOWN)?.into_iter();
        Ok(Some(TriggerView {
            source,
            summary: summary(&task.trigger).unwrap_or_default(),
            waiting: self.store.waiting_events(name)?,
            has_secret,
            state: self.store.trigger_state(name)?,
            recent: recent
                .map(|event| RecentEvent {
                    label: event.label,
                    received_at: event.received_at,
                    state: event.state,
                    run: event.run,
                })
                .collect(),
        }))
    }
}

/// What a trigger waits for, in a few words.
pub(crate) fn summary(trigger: &Trigger) -> Option<String> {
    if let Some(hook) = &trigger.webhook {
        return Some(format!("webhook /hooks/{}", hook.path));
    }
    if let Some(file) = &trigger.file {
        return Some(format!(
            "file {}/{}",
            file.folder.trim_end_matches('/'),
            file.pattern
        ));
    }
    let database = trigger.database.as_ref()?;
    Some(format!("changes of {}.{}", database.database, database.table))
}
