//! The home as a whole: its backup, its return, and what holds after a return (never-twice rule 20).

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;
use tailorbird_model::Name;
use tailorbird_store::{
    BackupProgress, BackupReport, Passphrase, Restoration, Restore, RestoredTask, restore,
};

use crate::actor::Act;
use crate::{App, AppError, Progress, ProgressEvent};

/// What `home show` tells.
#[derive(Debug, Clone, Serialize)]
pub struct HomeView {
    /// The folder.
    pub home: PathBuf,
    /// The mark, where the home came back from a backup.
    pub restored: Option<RestoredView>,
}

/// How a home stands that came back.
#[derive(Debug, Clone, Serialize)]
pub struct RestoredView {
    /// When the backup was made, and when it came back.
    #[serde(flatten)]
    pub times: Restoration,
    /// Its tasks.
    pub tasks: Vec<RestoredTask>,
}

impl RestoredView {
    /// The tasks whose new keys are still in doubt first, or that have doubts.
    pub fn unsettled(&self) -> impl Iterator<Item = &RestoredTask> {
        self.tasks.iter().filter(|task| !task.is_met || task.in_doubt > 0)
    }
}

/// What came back.
#[derive(Debug, Clone, Serialize)]
pub struct Returned {
    /// The home.
    pub home: PathBuf,
    /// When the backup was made.
    pub backup_at: Timestamp,
    /// When it came back.
    pub restored_at: Timestamp,
    /// Where the home that was there before is now.
    pub set_aside: Option<PathBuf>,
    /// The deliveries that the backup knows.
    pub deliveries: u64,
    /// Service files.
    pub services: usize,
    /// Deliveries that were pending, and are in doubt now.
    pub in_doubt: u64,
}

/// Brings a backup back as the home at a place.
///
/// # Errors
/// HOME-005 where the file is no backup or damaged, HOME-002 where a home is there, HOME-003 where no key fits,
/// RUN-002 where a process drives the home that is there.
pub async fn restore_home(
    file: &Path,
    home: &Path,
    how: &Restore<'_>,
    progress: &mut dyn FnMut(BackupProgress),
) -> Result<Returned, AppError> {
    let restored = restore(file, home, how, progress)?;
    // A crash from here on is harmless: the mark is there, and the next run does the same first.
    let in_doubt = App::open(home)?.store.doubt_restored().await?;
    Ok(Returned {
        home: restored.home.path().to_owned(),
        backup_at: restored.manifest.backup_at,
        restored_at: restored.restored_at,
        set_aside: restored.set_aside,
        deliveries: restored.manifest.deliveries,
        services: restored.services,
        in_doubt,
    })
}

impl App {
    /// Writes a backup to a file that must not exist yet, while runs go on. With a passphrase the sealing key
    /// goes along, locked.
    ///
    /// # Errors
    /// HOME-005 where the file is there already, HOME-002 where it cannot be written.
    pub async fn backup(
        &self,
        to: &Path,
        passphrase: Option<&Passphrase>,
        progress: &mut dyn FnMut(BackupProgress),
    ) -> Result<BackupReport, AppError> {
        self.note(Act::HOME_BACKED_UP, "home", "").await?;
        Ok(self.store.backup(to, passphrase, progress)?)
    }

    /// What is to be known of the home.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn home_view(&self) -> Result<HomeView, AppError> {
        Ok(HomeView {
            home: self.store.home().path().to_owned(),
            restored: self.restored_view()?,
        })
    }

    /// How the home stands, where it came back from a backup.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn restored_view(&self) -> Result<Option<RestoredView>, AppError> {
        let Some(times) = self.store.restoration()? else {
            return Ok(None);
        };
        let tasks = self.store.restored_tasks()?;
        Ok(Some(RestoredView { times, tasks }))
    }

    /// Marks the home as one that came back by other means than `restore`. It stays as it is where it bears the
    /// mark already.
    ///
    /// # Errors
    /// Where the store refuses.
    pub async fn mark_restored(&self, backup_at: Option<Timestamp>) -> Result<Restoration, AppError> {
        let noting = self.noting(Act::HOME_MARKED, "home", "")?;
        let mark = noting.store.mark_restored(backup_at).await?;
        self.store.doubt_restored().await?;
        Ok(mark)
    }

    /// Ends the mark by a person's word. Tells whether there was one.
    ///
    /// # Errors
    /// Where the store refuses.
    pub async fn end_restored(&self) -> Result<bool, AppError> {
        let noting = self.noting(Act::HOME_MARK_ENDED, "home", "")?;
        Ok(noting.store.end_restored(self.actor().told()).await?)
    }

    /// Reminds whoever follows a run that the home came back, as long as that makes a difference for the task.
    pub(crate) fn tell_restored(&self, task: &Name, progress: &Progress) {
        let Ok(Some(view)) = self.restored_view() else {
            return;
        };
        let stands = view.tasks.iter().find(|known| known.task == *task);
        if stands.is_some_and(|known| known.is_met) {
            return;
        }
        progress(ProgressEvent::Note(format!(
            "this home came back from a backup of {}: what is new to it is looked up, or waits for a person, before it \
             is sent (`home show`)",
            view.times.backup_at
        )));
    }
}
