//! Bringing a backup back (never-twice rule 20).
//!
//! Invariant: until the last move the folder holds no ledger, so that no command takes it for a home; and the
//! ledger that gets its name bears the mark of one that came back.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::BackupProgress;
use super::locked_key::Passphrase;
use super::manifest::Manifest;
use super::reading::{self, Nowhere, Sink};
use crate::clock::system_clock;
use crate::home::{
    RESTORING_LEDGER_FILE, create_exclusively, read_key, remove_if_there, sync_folder, write_key,
};
use crate::seal::SealingKey;
use crate::{DriveLock, Home, StoreError, restored, schema, secrets};
use jiff::Timestamp;

/// How to bring a backup back.
#[derive(Debug, Default)]
pub struct Restore<'a> {
    /// Moves a home that is there aside.
    pub force: bool,
    /// A copy of the home's sealing key.
    pub key: Option<&'a Path>,
    /// Opens the key that is locked in the backup.
    pub passphrase: Option<&'a Passphrase>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Restored {
    /// The home.
    pub home: Home,
    /// What the backup says about itself.
    pub manifest: Manifest,
    /// When it came back.
    pub restored_at: Timestamp,
    /// Where the home that was there before is now.
    pub set_aside: Option<PathBuf>,
    /// The service files that came back.
    pub services: usize,
}

/// Brings a backup back as the home at `target`, which must not be there or be empty, unless forced. The whole
/// file is checked before anything is changed.
///
/// # Errors
/// [`StoreError::BackupFile`] where the file is none or damaged, [`StoreError::HomeExists`] where a home is there,
/// [`StoreError::SealingKey`] where no key fits, [`StoreError::Driven`] where a process drives the old home.
pub fn restore(
    file: &Path,
    target: &Path,
    how: &Restore<'_>,
    progress: &mut dyn FnMut(BackupProgress),
) -> Result<Restored, StoreError> {
    let now = system_clock()();
    let (manifest, _) = reading::read(file, &mut Nowhere, "checking the backup", progress)?;
    let is_there = Home::is_there(target)?;
    if is_there && !how.force {
        return Err(StoreError::HomeExists {
            path: target.to_owned(),
        });
    }
    let key = fitting_key(&manifest, target, how)?;
    let set_aside = if is_there {
        Some(move_aside(target, now)?)
    } else {
        None
    };
    let unpacked = unpack(file, target, &key, now, progress);
    match (unpacked, set_aside) {
        (Ok((home, manifest, services)), set_aside) => Ok(Restored {
            home,
            manifest,
            restored_at: now,
            set_aside,
            services,
        }),
        (Err(error), Some(aside)) => {
            put_back(target, &aside);
            Err(error)
        }
        (Err(error), None) => Err(error),
    }
}

/// The key that opens the backup's secrets: the one given, the one locked in it, or that of the home which it
/// replaces.
fn fitting_key(manifest: &Manifest, target: &Path, how: &Restore<'_>) -> Result<SealingKey, StoreError> {
    let missing = |path: &Path, problem, hint| StoreError::SealingKey {
        path: path.to_owned(),
        problem,
        hint,
    };
    let (key, path) = match (how.key, how.passphrase, &manifest.key) {
        (Some(path), _, _) => (read_key(path)?, path.to_owned()),
        (None, Some(passphrase), Some(locked)) => {
            let opened = locked.unlock(passphrase).map_err(|error| match error {
                StoreError::Sealed { .. } => missing(
                    target,
                    "in the backup does not open with this passphrase",
                    "Nothing was changed. Give the passphrase of this very backup, or a copy of the key with --key.",
                ),
                other => other,
            })?;
            (opened, target.to_owned())
        }
        (None, Some(_), None) => {
            return Err(missing(
                target,
                "is not in this backup",
                "Nothing was changed. Give a copy of the home's sealing.key with --key FILE.",
            ));
        }
        (None, None, _) => {
            let path = Home::at(target).key_path();
            if !path.exists() {
                return Err(missing(
                    &path,
                    "is not in the backup",
                    "Nothing was changed. Give a copy of the home's sealing.key with --key FILE; if the backup was \
                     made --with-key, give its passphrase with --passphrase.",
                ));
            }
            (read_key(&path)?, path)
        }
    };
    if key.id() == manifest.key_id {
        return Ok(key);
    }
    Err(missing(
        &path,
        "does not fit this backup",
        "Nothing was changed. Each home has its own key; give a copy of the right one with --key FILE.",
    ))
}

/// Moves a home away, unless a process drives its runs.
fn move_aside(target: &Path, now: Timestamp) -> Result<PathBuf, StoreError> {
    let io = |source| StoreError::Io {
        action: "move aside",
        path: target.to_owned(),
        source,
    };
    let path = fs::canonicalize(target).map_err(io)?;
    let _lock = DriveLock::acquire(&Home::at(&path))?;
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let stamp = now.strftime("%Y%m%dT%H%M%SZ");
    let aside = path.with_file_name(format!("{name}.before-restore-{stamp}"));
    if aside.exists() {
        return Err(io(io::Error::from(io::ErrorKind::AlreadyExists)));
    }
    fs::rename(&path, &aside).map_err(io)?;
    Ok(aside)
}

/// After a failure: what was begun goes, what was there comes back.
fn put_back(target: &Path, aside: &Path) {
    let undone = match fs::remove_dir_all(target) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => fs::rename(aside, target),
    };
    if let Err(error) = undone {
        tracing::error!(%error, aside = %aside.display(), "the home that was there before could not be put back");
    }
}

fn unpack(
    file: &Path,
    target: &Path,
    key: &SealingKey,
    now: Timestamp,
    progress: &mut dyn FnMut(BackupProgress),
) -> Result<(Home, Manifest, usize), StoreError> {
    let home = Home::begin_restoring(target)?;
    let _lock = DriveLock::acquire(&home)?;
    home.clear_restoring()?;
    let mut into = Into {
        home: &home,
        ledger: None,
    };
    let (manifest, services) = reading::read(file, &mut into, "bringing the backup back", progress)?;
    let unfinished = home.path().join(RESTORING_LEDGER_FILE);
    let io = |source| StoreError::Io {
        action: "write",
        path: unfinished.clone(),
        source,
    };
    if let Some(ledger) = into.ledger.take() {
        let file = ledger.into_inner().map_err(|error| io(error.into_error()))?;
        file.sync_all().map_err(io)?;
    }
    write_key(&home.key_path(), key)?;
    let mut db = schema::open_writer(&unfinished)?;
    schema::migrate(&mut db, home.path(), now, schema::Expect::Home)?;
    if secrets::key_id(&db)? != key.id() {
        return Err(StoreError::SealingKey {
            path: home.key_path(),
            problem: "does not fit the ledger in the backup",
            hint: "The backup is not whole. Take another one.",
        });
    }
    // It opens now, or verifying the chain would fail much later.
    secrets::chain_key(&db, key)?;
    restored::mark(&db, manifest.backup_at, now)?;
    // Closing moves the whole log into the file, so that the file alone can be renamed.
    db.close().map_err(|(_, error)| error)?;
    fs::rename(&unfinished, home.ledger_path()).map_err(io)?;
    sync_folder(home.path())?;
    Ok((home, manifest, services))
}

/// Writes into a folder that is becoming a home.
struct Into<'a> {
    home: &'a Home,
    ledger: Option<BufWriter<File>>,
}

impl Sink for Into<'_> {
    fn service(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        let folder = self.home.services_path();
        fs::create_dir_all(&folder)?;
        let mut file = create_exclusively(&folder.join(name), 0o600)?;
        file.write_all(content)?;
        file.sync_all()
    }

    fn ledger(&mut self) -> io::Result<Box<dyn Write + '_>> {
        let path = self.home.path().join(RESTORING_LEDGER_FILE);
        let file = File::options().write(true).truncate(true).open(path)?;
        Ok(Box::new(self.ledger.insert(BufWriter::new(file))))
    }
}

/// Removes a file that an earlier attempt has left.
pub(crate) fn remove_leftovers(folder: &Path) -> Result<(), StoreError> {
    for suffix in ["-wal", "-shm", "-journal"] {
        remove_if_there(&folder.join(format!("{RESTORING_LEDGER_FILE}{suffix}")))?;
    }
    Ok(())
}
