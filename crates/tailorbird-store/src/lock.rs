//! Who drives the runs of a home, and which process wrote an intent.
//!
//! Invariant: while somebody holds the [`DriveLock`], every other epoch is dead. That is what allows
//! [`crate::Store::recover`] to turn other epochs' sending deliveries into doubt (never-twice rules 3, 19).

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Home, StoreError, entropy};

/// The longest note that is read from the lock file, in bytes.
const MAX_NOTE: u64 = 1024;

/// How often a taken lock is tried again: [`DriveLock::holder`] of another process holds it for an instant.
const LOCK_TRIES: u32 = 3;
/// The pause between two tries.
const LOCK_PAUSE: Duration = Duration::from_millis(15);

/// Names one life of one driving process; drawn at random.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Epoch(String);

impl Epoch {
    fn generate() -> Result<Self, StoreError> {
        Ok(Self(entropy::hex(&entropy::bytes::<8>()?)))
    }

    /// The epoch as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the lock file says about its holder.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    pid: u32,
    epoch: String,
    /// Whether it takes up the runs that others open.
    #[serde(default)]
    serves: bool,
}

/// Who has the lock.
enum Held {
    Free,
    /// Somebody; without a note where it cannot be read.
    By(Option<Note>),
}

/// The right to drive the runs of a home. The operating system takes it back when the process ends,
/// however it ends.
#[derive(Debug)]
pub struct DriveLock {
    epoch: Epoch,
    // Closing the file gives the lock back.
    _file: File,
}

impl DriveLock {
    /// Takes the lock, or says who has it; waits for no longer than a blink.
    ///
    /// # Errors
    /// [`StoreError::Driven`] where another process drives, [`StoreError::Io`] where the lock file cannot be
    /// opened.
    pub fn acquire(home: &Home) -> Result<Self, StoreError> {
        Self::take(home, false)
    }

    /// As [`DriveLock::acquire`], for a process that takes up the runs that others open: they hand theirs over
    /// to it (never-twice rule 19).
    ///
    /// # Errors
    /// As [`DriveLock::acquire`].
    pub fn acquire_to_serve(home: &Home) -> Result<Self, StoreError> {
        Self::take(home, true)
    }

    fn take(home: &Home, serves: bool) -> Result<Self, StoreError> {
        let path = home.lock_path();
        let io = |source| StoreError::Io {
            action: "lock",
            path: path.clone(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(io)?;
        let mut tries = 0;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if tries < LOCK_TRIES => {
                    tries += 1;
                    std::thread::sleep(LOCK_PAUSE);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::Driven {
                        pid: note(&file).map(|note| note.pid),
                    });
                }
                Err(TryLockError::Error(source)) => return Err(io(source)),
            }
        }
        let epoch = Epoch::generate()?;
        let note = serde_json::to_vec(&Note {
            pid: std::process::id(),
            epoch: epoch.0.clone(),
            serves,
        })
        .map_err(|error| StoreError::Unreadable {
            what: "lock note",
            detail: error.to_string(),
        })?;
        file.set_len(0).map_err(io)?;
        file.seek(SeekFrom::Start(0)).map_err(io)?;
        file.write_all(&note).map_err(io)?;
        file.flush().map_err(io)?;
        Ok(Self { epoch, _file: file })
    }

    /// The process that drives the runs of a home now, if any; its id is absent where it cannot be read.
    ///
    /// # Errors
    /// [`StoreError::Io`] where the lock file cannot be opened.
    pub fn holder(home: &Home) -> Result<Option<Option<u32>>, StoreError> {
        Ok(match Self::held(home)? {
            Held::Free => None,
            Held::By(note) => Some(note.map(|note| note.pid)),
        })
    }

    /// Tells whether a process holds the lock that takes up the runs which others open.
    ///
    /// # Errors
    /// As [`DriveLock::holder`].
    pub fn is_served(home: &Home) -> Result<bool, StoreError> {
        Ok(matches!(Self::held(home)?, Held::By(Some(note)) if note.serves))
    }

    fn held(home: &Home) -> Result<Held, StoreError> {
        let path = home.lock_path();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Held::Free),
            Err(source) => {
                return Err(StoreError::Io {
                    action: "read",
                    path,
                    source,
                });
            }
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(Held::Free),
            Err(TryLockError::WouldBlock) => Ok(Held::By(note(&file))),
            Err(TryLockError::Error(source)) => Err(StoreError::Io {
                action: "lock",
                path,
                source,
            }),
        }
    }

    /// The epoch of this hold.
    pub fn epoch(&self) -> &Epoch {
        &self.epoch
    }
}

fn note(file: &File) -> Option<Note> {
    let mut text = String::new();
    file.take(MAX_NOTE).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}
