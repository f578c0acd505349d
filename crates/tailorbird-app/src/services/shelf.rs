//! The services of a home as they are now: a file that is added or changed counts from the next look on, also for a
//! server that is at work.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use tailorbird_store::Store;

use super::{Services, files_of};
use crate::AppError;

/// The services of a home.
#[derive(Debug)]
pub(crate) struct Shelf {
    home: PathBuf,
    store: Store,
    held: RwLock<Held>,
}

#[derive(Debug, Clone)]
struct Held {
    mark: Mark,
    services: Arc<Services>,
}

/// What changes when a service does: what is stored, and each file with its length and time.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    stored: (i64, i64),
    files: Vec<(PathBuf, u64, Option<SystemTime>)>,
}

impl Mark {
    fn of(home: &Path, store: &Store) -> Result<Self, AppError> {
        let files = files_of(home).into_iter().map(|path| {
            let about = std::fs::metadata(&path).ok();
            let length = about.as_ref().map_or(0, std::fs::Metadata::len);
            let changed = about.and_then(|about| about.modified().ok());
            (path, length, changed)
        });
        Ok(Self {
            stored: store.services_mark()?,
            files: files.collect(),
        })
    }
}

impl Shelf {
    /// Reads the services of a home.
    ///
    /// # Errors
    /// As [`Services::load`].
    pub(crate) fn open(home: &Path, store: &Store) -> Result<Self, AppError> {
        let mark = Mark::of(home, store)?;
        let services = Arc::new(Services::of(home, Some(store))?);
        Ok(Self {
            home: home.to_owned(),
            store: store.clone(),
            held: RwLock::new(Held { mark, services }),
        })
    }

    /// The services as they are now. Where a file cannot be used any more, those that were read last go on: a slip in
    /// an editor stops no run.
    pub(crate) fn now(&self) -> Arc<Services> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mark = match Mark::of(&self.home, &self.store) {
            Ok(mark) if mark == held.mark => return held.services,
            Ok(mark) => mark,
            Err(error) => {
                tracing::warn!(failure = %error.failure, "the services could not be looked at");
                return held.services;
            }
        };
        let services = match Services::of(&self.home, Some(&self.store)) {
            Ok(read) => Arc::new(read),
            Err(error) => {
                tracing::warn!(failure = %error.failure, "the services that were read before go on");
                held.services
            }
        };
        let mut place = self.held.write().unwrap_or_else(PoisonError::into_inner);
        *place = Held {
            mark,
            services: Arc::clone(&services),
        };
        services
    }
}
