//! Watches folders: a file that rests becomes an event, and is moved away when its run has ended.
//!
//! The folder is swept, and no service of the operating system tells of changes: those miss network shares, drop
//! events when many come, and would need the sweep beside them all the same. A sweep costs a listing of the
//! folder; docs/triggers.md has the figures.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tailorbird_database::{Folder, Look, Pattern, PutAway};
use tailorbird_model::event::{EventSource, TriggerEvent};
use tailorbird_model::run::RunState;
use tailorbird_model::task::trigger::{ArrivedFile, FileTrigger};
use tailorbird_model::{Failure, Meaning, Name, codes, fault};
use tailorbird_store::{MAX_EVENTS_PER_CALL, NewEvent, Received};

use super::{Known, Watched};
use crate::serving::worker::{Watch, Worker};
use crate::{App, webhooks};

/// How often files whose runs have ended are looked for, and folders that are due.
const TICK: Duration = Duration::from_millis(500);

/// Names that a problem lists.
const MAX_NAMED: usize = 5;

/// The folders' watch.
pub(crate) const FILES: Worker = Worker {
    name: "files",
    start: |watch| Box::pin(run(watch)),
};

/// What the last look at a folder saw: each file by its identity, and since when it is unchanged.
type Seen = HashMap<String, Instant>;

/// A folder between two looks.
struct Rest {
    trigger: FileTrigger,
    due: Instant,
    seen: Seen,
}

async fn run(mut watch: Watch) {
    let mut folders: HashMap<Name, Rest> = HashMap::new();
    let mut known = Known::default();
    loop {
        let watched = known.look(&mut watch, |task| task.trigger.file.clone());
        folders.retain(|name, rest| {
            watched
                .iter()
                .any(|one| one.task == *name && one.trigger == rest.trigger)
        });
        for one in watched {
            let rest = folders.entry(one.task.clone()).or_insert_with(|| Rest {
                trigger: one.trigger.clone(),
                due: Instant::now(),
                seen: Seen::new(),
            });
            let now = (watch.clock)();
            watch.app.tend_folder(one, rest, now).await;
        }
        if !watch.pause(TICK).await {
            return;
        }
    }
}

impl App {
    /// Moves what is done, and looks for what is new where that is due.
    async fn tend_folder(&self, one: &Watched<FileTrigger>, rest: &mut Rest, now: Timestamp) {
        if let Err(failure) = self.move_files(one).await {
            return self.note_problem(&one.task, Some(failure)).await;
        }
        if !one.enabled || Instant::now() < rest.due {
            return;
        }
        rest.due = Instant::now() + Duration::from_secs(one.trigger.every.seconds().into());
        let problem = self.sweep(one, &mut rest.seen, now).await;
        self.note_problem(&one.task, problem.err()).await;
    }

    /// Receives the files that rest.
    async fn sweep(
        &self,
        one: &Watched<FileTrigger>,
        seen: &mut Seen,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let look = self.look(&one.trigger).await?;
        let mut resting = Vec::new();
        let mut next = Seen::with_capacity(look.files.len());
        let settled = Duration::from_secs(one.trigger.settled.seconds().into());
        for file in look.files {
            let identity = file.identity();
            let since = seen.get(&identity).copied();
            next.insert(identity.clone(), since.unwrap_or_else(Instant::now));
            // Seen before with the same size and time, and old enough by the file's clock or by ours: the
            // clock of a network share may be anything.
            let age = Duration::try_from(now.duration_since(file.modified)).unwrap_or_default();
            if since.is_some_and(|since| age >= settled || since.elapsed() >= settled) {
                resting.push(event(&one.task, identity, &file));
            }
        }
        *seen = next;
        let mut is_full = false;
        while !resting.is_empty() && !is_full {
            let rest = resting.split_off(resting.len().min(MAX_EVENTS_PER_CALL));
            let received = self
                .store
                .receive_events(std::mem::replace(&mut resting, rest))
                .await?;
            is_full = received.contains(&Received::Full);
            if received.iter().any(|one| matches!(one, Received::New(_))) {
                self.arrived.notify_one();
            }
        }
        if is_full {
            return Err(webhooks::full(&one.task));
        }
        passed_over(&one.trigger.folder, &look.passed_over)
    }

    async fn look(&self, trigger: &FileTrigger) -> Result<Look, Failure> {
        let (path, pattern, guard) = (
            PathBuf::from(&trigger.folder),
            trigger.pattern.clone(),
            self.guard(),
        );
        blocking(move || Ok(Folder::open(&path, &guard)?.look(&Pattern::new(&pattern)?)?)).await
    }

    /// Moves files whose runs have ended to where they belong.
    async fn move_files(&self, one: &Watched<FileTrigger>) -> Result<(), Failure> {
        for (event, ended) in self.store.files_to_move(&one.task)? {
            let to = destination(&one.trigger, ended);
            let (folder, guard) = (PathBuf::from(&one.trigger.folder), self.guard());
            fault::reach("file.due");
            let moved = {
                let event = event.clone();
                blocking(move || put_away(&Folder::open(&folder, &guard)?, &event, &to)).await?
            };
            if moved == PutAway::Replaced {
                tracing::info!(task = %one.task, file = %event.label, "a file was written to after it was taken; it stays");
            }
            fault::reach("file.moved");
            self.store.finish_files(vec![event.id]).await?;
        }
        Ok(())
    }
}

fn event(task: &Name, identity: String, file: &ArrivedFile) -> NewEvent {
    NewEvent {
        task: task.clone(),
        source: EventSource::File,
        identity,
        label: file.name.clone(),
        payload: serde_json::to_value(file).unwrap_or_default(),
    }
}

/// Where a file goes after its run.
fn destination(trigger: &FileTrigger, ended: Option<RunState>) -> PathBuf {
    let (given, name) = if ended == Some(RunState::Succeeded) {
        (&trigger.done, "done")
    } else {
        (&trigger.failed, "failed")
    };
    given
        .as_ref()
        .map_or_else(|| Path::new(&trigger.folder).join(name), PathBuf::from)
}

fn put_away(folder: &Folder, event: &TriggerEvent, to: &Path) -> Result<PutAway, Failure> {
    let Ok(file) = serde_json::from_value::<ArrivedFile>(event.payload.clone()) else {
        // Without its name there is nothing to move; the file, if it is still there, is another event.
        return Ok(PutAway::Gone);
    };
    Ok(folder.put_away(&file, to)?)
}

/// What is passed over is said, so that nobody waits for it in vain.
fn passed_over(folder: &str, entries: &[(String, &'static str)]) -> Result<(), Failure> {
    if entries.is_empty() {
        return Ok(());
    }
    let named: Vec<String> = entries
        .iter()
        .take(MAX_NAMED)
        .map(|(name, why)| format!("{name}: {why}"))
        .collect();
    let message = format!("{} entries of the folder {folder} are passed over", entries.len());
    Err(Failure::new(codes::FOLDER, Meaning::NotSent, message)
        .detail(named.join("\n"))
        .hint("Remove them, or give the files themselves in place of links. Other files are taken as ever."))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        let message = format!("work on a folder ended abruptly: {error}");
        Err(Failure::new(codes::INTERNAL, Meaning::NotSent, message))
    })
}
