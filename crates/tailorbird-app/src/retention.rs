//! Drops old contents, into an archive where one is wanted (never-twice rule 7).
//!
//! Invariant: what goes into an archive is on disk before it goes out of the ledger. A crash in between leaves
//! it in both; the next round writes it once more, into another file.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use tailorbird_model::delivery::{Delivery, DeliveryId};
use tailorbird_model::{Failure, Meaning, codes};
use tailorbird_store::Retention;

use crate::actor::Act;
use crate::deliveries::shown_request;
use crate::serving::worker::{Watch, Work};
use crate::{App, AppError, Stop};

/// Deliveries that are handled at once.
const PAGE: u32 = 1_000;

/// Contents that a server drops in one round, so that a great clearing is spread over hours.
const MAX_PER_ROUND: u64 = 100_000;

/// The pause between two rounds of a server.
const ROUND_EVERY: Duration = Duration::from_hours(1);

/// How long after its start a server begins with that.
const FIRST_ROUND_AFTER: Duration = Duration::from_mins(1);

/// What a round did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Tidied {
    /// Contents that went.
    pub dropped: u64,
    /// Of deliveries that changed before this time; absent where all are kept for ever.
    pub ended_before: Option<Timestamp>,
    /// The file that has them now.
    pub archive: Option<PathBuf>,
    /// Contents that may still go.
    pub left: u64,
}

impl App {
    /// How long contents are kept.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn retention(&self) -> Result<Retention, AppError> {
        Ok(self.store.retention()?)
    }

    /// Sets how long contents are kept. The archive's folder is made where it is not there.
    ///
    /// # Errors
    /// FILE-001 where the folder cannot be made.
    pub async fn set_retention(&self, mut retention: Retention) -> Result<Retention, AppError> {
        let noting = self.noting(Act::HOME_RETENTION, "retention", "")?;
        if let Some(folder) = &retention.archive {
            // A server may stand in another folder than the person who says this.
            let folder = std::path::absolute(folder).map_err(|error| unwritable(folder, &error))?;
            std::fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, &error))?;
            retention.archive = Some(folder);
        }
        noting.store.set_retention(retention.clone()).await?;
        Ok(retention)
    }

    /// How much a round would drop now.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn count_tidy(&self) -> Result<Tidied, AppError> {
        let ended_before = self.retention()?.ended_before(Timestamp::now());
        Ok(Tidied {
            ended_before,
            left: self.count_left(ended_before)?,
            ..Tidied::default()
        })
    }

    /// Drops what is older than the retention says, at most so many; stops between two pages where asked.
    ///
    /// # Errors
    /// FILE-001 where the archive cannot be written: then nothing more is dropped.
    pub async fn tidy(
        &self,
        most: u64,
        stop: &Stop,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<Tidied, AppError> {
        self.noting(Act::HOME_TIDIED, "contents", "")?
            .tidy_round(most, stop, progress)
            .await
    }

    /// As [`App::tidy`], by the program itself, as the retention says.
    async fn tidy_round(
        &self,
        most: u64,
        stop: &Stop,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<Tidied, AppError> {
        let retention = self.retention()?;
        let mut tidied = Tidied {
            ended_before: retention.ended_before(Timestamp::now()),
            ..Tidied::default()
        };
        let Some(ended_before) = tidied.ended_before else {
            return Ok(tidied);
        };
        let mut archive = None;
        let mut after = DeliveryId(0);
        let mut is_all = false;
        while tidied.dropped < most && !is_all && !stop.is_set() {
            let limit = u32::try_from(most - tidied.dropped).unwrap_or(PAGE).min(PAGE);
            let store = self.store.clone();
            // A look goes through the whole ledger where little has expired: not on a thread that others wait for.
            let look = tokio::task::spawn_blocking(move || store.expired(ended_before, after, limit));
            let page = look.await.map_err(|error| ended_abruptly(&error))??;
            is_all = page.len() < usize::try_from(limit).unwrap_or(usize::MAX);
            let Some(last) = page.last() else { break };
            after = last.id;
            if let Some(folder) = &retention.archive {
                let archive = match &mut archive {
                    Some(archive) => archive,
                    none => none.insert(Archive::create(folder)?),
                };
                archive.append(&page)?;
                tidied.archive = Some(archive.path.clone());
            }
            let ids = page.iter().map(|delivery| delivery.id).collect();
            let dropped = self.store.drop_contents_of(ids, ended_before).await?;
            tidied.dropped += u64::try_from(dropped).unwrap_or_default();
            progress(tidied.dropped);
        }
        if !is_all {
            tidied.left = self.count_left(tidied.ended_before)?;
        }
        Ok(tidied)
    }

    fn count_left(&self, ended_before: Option<Timestamp>) -> Result<u64, AppError> {
        match ended_before {
            Some(at) => Ok(self.store.count_expired(at)?),
            None => Ok(0),
        }
    }
}

fn ended_abruptly(error: &tokio::task::JoinError) -> AppError {
    Failure::new(
        codes::INTERNAL,
        Meaning::NotSent,
        format!("looking for old contents ended abruptly: {error}"),
    )
    .into()
}

/// A server's rounds.
pub(crate) fn watch(watch: Watch) -> Work {
    Box::pin(async move {
        // Runs that were cut off go on first.
        watch.stop.wait(FIRST_ROUND_AFTER).await;
        while !watch.stop.is_set() {
            match watch
                .app
                .tidy_round(MAX_PER_ROUND, &watch.stop, &mut |_| ())
                .await
            {
                Ok(tidied) if tidied.dropped > 0 => {
                    tracing::info!(
                        dropped = tidied.dropped,
                        left = tidied.left,
                        "old contents were dropped"
                    );
                }
                Ok(_) => {}
                Err(error) => tracing::error!(failure = %error.failure, "old contents could not be dropped"),
            }
            watch.stop.wait(ROUND_EVERY).await;
        }
    })
}

/// One file of an archive: JSON Lines, compressed by gzip in a part of its own for each page, so that a file that
/// was cut off reads up to its last whole page.
struct Archive {
    path: PathBuf,
    file: File,
    /// Bytes of whole pages.
    whole: u64,
}

impl Archive {
    fn create(folder: &Path) -> Result<Self, AppError> {
        let stamp = Timestamp::now().strftime("%Y%m%dT%H%M%S%3fZ");
        let path = folder.join(format!("deliveries-{stamp}.jsonl.gz"));
        let file = create_private(&path).map_err(|error| unwritable(&path, &error))?;
        Ok(Self { path, file, whole: 0 })
    }

    fn append(&mut self, page: &[Delivery]) -> Result<(), AppError> {
        let mut part = GzEncoder::new(Vec::new(), Compression::default());
        let written = page
            .iter()
            .try_for_each(|delivery| part.write_all(format!("{}\n", line(delivery)).as_bytes()))
            .and_then(|()| part.finish())
            .and_then(|bytes| {
                self.file.write_all(&bytes)?;
                self.file.sync_all()?;
                Ok(u64::try_from(bytes.len()).unwrap_or(u64::MAX))
            });
        match written {
            Ok(bytes) => {
                self.whole = self.whole.saturating_add(bytes);
                Ok(())
            }
            Err(error) => {
                self.cut();
                Err(unwritable(&self.path, &error))
            }
        }
    }

    /// Takes a page back that did not get whole, so that nothing stays behind that could be taken for an archive.
    fn cut(&self) {
        let cut = if self.whole == 0 {
            std::fs::remove_file(&self.path)
        } else {
            self.file.set_len(self.whole)
        };
        if let Err(error) = cut {
            tracing::warn!(file = %self.path.display(), %error, "an archive ends in a torn page");
        }
    }
}

/// A delivery as the archive has it; secrets in its request are masked.
fn line(delivery: &Delivery) -> serde_json::Value {
    json!({
        "id": delivery.id,
        "task": delivery.identity.task,
        "step": delivery.identity.step,
        "destination": delivery.identity.destination,
        "key": delivery.identity.key,
        "state": delivery.state,
        "run": delivery.run,
        "connection": delivery.connection,
        "operation": delivery.operation,
        "attempts": delivery.attempts,
        "input": delivery.input.to_json(),
        "request": shown_request(&delivery.request),
        "result": delivery.result.as_ref().map(tailorbird_model::Record::to_json),
        "failure": delivery.failure,
        "delivered_at": delivery.delivered_at,
        "updated_at": delivery.updated_at,
    })
}

#[cfg(unix)]
fn create_private(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

fn unwritable(path: &Path, error: &std::io::Error) -> AppError {
    let message = format!("could not write {}", path.display());
    AppError::from(
        Failure::new(codes::FILE_UNREADABLE, Meaning::NotSent, message)
            .detail(format!("{error}."))
            .hint("Check that the disk has room and who owns the folder. Nothing that is not archived is dropped."),
    )
}
