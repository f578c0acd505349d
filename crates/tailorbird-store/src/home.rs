//! The home folder: where it is, what lies in it, and in which states it is refused.
//!
//! Invariant: a home comes into being only by [`Home::create`], and no part of it is ever made anew beside
//! the others. An empty ledger in place of a lost one would send everything again (never-twice rule 20); a
//! new key in place of a lost one would make every secret unreadable.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use secrecy::zeroize::Zeroizing;

use crate::clock::system_clock;
use crate::seal::SealingKey;
use crate::{DriveLock, StoreError, schema, secrets};

/// The database with definitions, secrets, runs and the ledger.
const LEDGER_FILE: &str = "ledger.db";
/// The key that seals the secrets.
const KEY_FILE: &str = "sealing.key";
/// The database while a home is being made. It is there before the key and renamed last, so a crash at any
/// point tells a home that was never finished from one that has lost its ledger.
const UNFINISHED_LEDGER_FILE: &str = "ledger.db.new";
/// The database while a backup comes back. It is there before all other files and renamed last; a home is
/// never made beside it.
pub(crate) const RESTORING_LEDGER_FILE: &str = "ledger.db.restoring";
/// A key on its way to becoming the sealing key (see [`crate::Store::rotate_key`]).
const NEXT_KEY_FILE: &str = "sealing.key.new";
/// Held by the process that drives runs.
const LOCK_FILE: &str = "drive.lock";
/// Keeps the home out of Git.
const IGNORE_FILE: &str = ".gitignore";
/// Users' own services.
const SERVICES_FOLDER: &str = "services";

/// Where the demonstration keeps its database.
const DEMO_FOLDER: &str = "demo";

/// What may lie in a folder that is made into a home: what the user puts there beforehand, and what an
/// attempt to make a home may have left.
const MAY_LIE_THERE: [&str; 13] = [
    SERVICES_FOLDER,
    DEMO_FOLDER,
    IGNORE_FILE,
    LOCK_FILE,
    KEY_FILE,
    UNFINISHED_LEDGER_FILE,
    "ledger.db.new-wal",
    "ledger.db.new-shm",
    "ledger.db.new-journal",
    // Another process may have made the home just now; that is told by its own error.
    LEDGER_FILE,
    "ledger.db-wal",
    "ledger.db-shm",
    "ledger.db-journal",
];

/// The permissions of the group and of everybody else.
#[cfg(unix)]
const OTHERS: u32 = 0o077;

/// The longest key file that is read, in bytes; a key has 65.
const MAX_KEY_FILE: u64 = 4096;

/// A home folder that exists and is in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    path: PathBuf,
}

impl Home {
    /// Makes a home: the folder (for its owner only), a `.gitignore` of its own, the sealing key, the ledger.
    ///
    /// The folder may exist, empty or with nothing but `services/`, `demo/` and a `.gitignore` of ours; that
    /// stays. A folder with anything else is somebody's project: to close it to others and hide it from Git
    /// would harm it.
    ///
    /// # Errors
    /// [`StoreError::HomeExists`] where there is a home already, [`StoreError::HomeOdd`] where parts of one
    /// or other files are there, [`StoreError::Driven`] where another process is making it, [`StoreError::Io`] where the
    /// folder cannot be written.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let home = Self { path: path.into() };
        home.check_absent()?;
        home.check_alone()?;
        make_private_folder(&home.path)?;
        let home = home.path_absolute()?.ignore_in_git()?;
        // One process makes it; whoever waited for the lock may find it made.
        let _lock = DriveLock::acquire(&home)?;
        home.check_absent()?;
        home.clear_unfinished()?.make_key()?.make_ledger()
    }

    fn check_absent(&self) -> Result<(), StoreError> {
        match self.survey()? {
            Survey::Complete => Err(StoreError::HomeExists {
                path: self.path.clone(),
            }),
            Survey::Nothing => Ok(()),
            Survey::Parts(error) => Err(error),
        }
    }

    /// Refuses a folder that holds anything that is not ours.
    fn check_alone(&self) -> Result<(), StoreError> {
        let io = |source| StoreError::Io {
            action: "read",
            path: self.path.clone(),
            source,
        };
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(io(error)),
        };
        for entry in entries {
            let name = entry.map_err(io)?.file_name();
            if !MAY_LIE_THERE.iter().any(|ours| name == *ours) {
                return Err(StoreError::HomeOdd {
                    path: self.path.clone(),
                    problem: format!("holds other files, for example {}", name.to_string_lossy()),
                    hint: "Choose a folder of its own for the home, with --home or TAILORBIRD_HOME: a home is \
                           closed to other users and hidden from Git, with all that lies in it.",
                });
            }
        }
        self.check_ignore_file()
    }

    /// Opens a home that is there. Where others could read or enter its folder, that is mended: the ledger
    /// holds what was sent to whom, and no key needs to be renewed because of it.
    ///
    /// # Errors
    /// [`StoreError::NoHome`] where there is none, [`StoreError::HomeOdd`] and [`StoreError::SealingKey`]
    /// where it is incomplete or others can read its key.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let home = Self { path: path.into() };
        match home.survey()? {
            Survey::Complete => home.path_absolute()?.close_to_others(),
            Survey::Nothing => Err(StoreError::NoHome { path: home.path }),
            Survey::Parts(error) => Err(error),
        }
    }

    /// Opens a home, or makes it; the flag tells whether it was made, so that the command can say so.
    ///
    /// # Errors
    /// As [`Home::open`] and [`Home::create`].
    pub fn open_or_create(path: impl Into<PathBuf>) -> Result<(Self, bool), StoreError> {
        let path = path.into();
        match Self::open(&path) {
            Err(StoreError::NoHome { .. }) => Self::create(path).map(|home| (home, true)),
            other => other.map(|home| (home, false)),
        }
    }

    /// A folder as it is, home or not.
    pub(crate) fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// Tells whether there is a home, or parts of one.
    pub(crate) fn is_there(path: &Path) -> Result<bool, StoreError> {
        let home = Self::at(path);
        if exists(&path.join(RESTORING_LEDGER_FILE))? {
            return Ok(false);
        }
        Ok(exists(&home.ledger_path())? || exists(&home.key_path())?)
    }

    /// Makes the folder in which a backup comes back. It may be there and empty, or hold what an attempt that was
    /// cut off has left.
    pub(crate) fn begin_restoring(path: &Path) -> Result<Self, StoreError> {
        let home = Self::at(path);
        if !exists(&path.join(RESTORING_LEDGER_FILE))? {
            home.check_alone()?;
            if fs::read_dir(home.services_path()).is_ok_and(|mut files| files.next().is_some()) {
                return Err(StoreError::HomeOdd {
                    path: home.path,
                    problem: "holds service files already".to_owned(),
                    hint: "Nothing was changed. Those in the backup would mix with them: move the folder services away.",
                });
            }
        }
        make_private_folder(&home.path)?;
        home.path_absolute()?.ignore_in_git()
    }

    /// Removes what an attempt to bring a backup back has left, and begins anew.
    pub(crate) fn clear_restoring(&self) -> Result<(), StoreError> {
        let unfinished = self.path.join(RESTORING_LEDGER_FILE);
        if exists(&unfinished)? {
            crate::backup::remove_leftovers(&self.path)?;
            remove_if_there(&self.key_path())?;
            match fs::remove_dir_all(self.services_path()) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(StoreError::Io {
                        action: "remove",
                        path: self.services_path(),
                        source,
                    });
                }
                _ => remove_if_there(&unfinished)?,
            }
        }
        create_exclusively(&unfinished, 0o600).map_err(|source| StoreError::Io {
            action: "create",
            path: unfinished,
            source,
        })?;
        sync_folder(&self.path)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The database file.
    pub fn ledger_path(&self) -> PathBuf {
        self.path.join(LEDGER_FILE)
    }

    /// The sealing key's file.
    pub fn key_path(&self) -> PathBuf {
        self.path.join(KEY_FILE)
    }

    /// Where users' own service files lie; it may not exist.
    pub fn services_path(&self) -> PathBuf {
        self.path.join(SERVICES_FOLDER)
    }

    pub(crate) fn lock_path(&self) -> PathBuf {
        self.path.join(LOCK_FILE)
    }

    pub(crate) fn next_key_path(&self) -> PathBuf {
        self.path.join(NEXT_KEY_FILE)
    }

    pub(crate) fn read_key(&self) -> Result<SealingKey, StoreError> {
        read_key(&self.key_path())
    }

    fn survey(&self) -> Result<Survey, StoreError> {
        let odd = |problem: &str, hint| {
            Survey::Parts(StoreError::HomeOdd {
                path: self.path.clone(),
                problem: problem.to_owned(),
                hint,
            })
        };
        match fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Survey::Nothing),
            Err(source) => {
                return Err(StoreError::Io {
                    action: "read",
                    path: self.path.clone(),
                    source,
                });
            }
            Ok(metadata) if !metadata.is_dir() => {
                return Ok(odd(
                    "is not a folder",
                    "Name a folder with --home or TAILORBIRD_HOME.",
                ));
            }
            Ok(_) => {}
        }
        if exists(&self.path.join(RESTORING_LEDGER_FILE))? {
            return Ok(odd(
                "holds a backup that has not come back whole",
                "Run the same `tailorbird restore` again: it begins anew.",
            ));
        }
        Ok(match (exists(&self.key_path())?, exists(&self.ledger_path())?) {
            (true, true) => match check_key_permissions(&self.key_path()) {
                Ok(()) => Survey::Complete,
                Err(error) => Survey::Parts(error),
            },
            (false, false) => Survey::Nothing,
            (true, false) if exists(&self.unfinished_path())? => Survey::Nothing,
            (false, true) => Survey::Parts(StoreError::SealingKey {
                path: self.key_path(),
                problem: "is missing",
                hint: "Put it back from your backup: the stored secrets open with no other key. To start over \
                       without them, move the whole folder away.",
            }),
            (true, false) => odd(
                "has a sealing key and no ledger.db",
                "Put ledger.db back from your backup: an empty one would send everything again. If this home \
                 was never used, remove the folder.",
            ),
        })
    }

    /// From here on the path does not depend on the working directory.
    fn path_absolute(mut self) -> Result<Self, StoreError> {
        self.path = fs::canonicalize(&self.path).map_err(|source| StoreError::Io {
            action: "find",
            path: self.path.clone(),
            source,
        })?;
        Ok(self)
    }

    #[cfg(unix)]
    fn close_to_others(self) -> Result<Self, StoreError> {
        use std::os::unix::fs::PermissionsExt as _;
        let io = |action, source| StoreError::Io {
            action,
            path: self.path.clone(),
            source,
        };
        let mode = fs::metadata(&self.path)
            .map_err(|source| io("read", source))?
            .permissions()
            .mode();
        if mode & OTHERS != 0 {
            fs::set_permissions(&self.path, fs::Permissions::from_mode(mode & !OTHERS))
                .map_err(|source| io("close to other users", source))?;
        }
        Ok(self)
    }

    #[cfg(not(unix))]
    fn close_to_others(self) -> Result<Self, StoreError> {
        Ok(self)
    }

    /// Writes a `.gitignore` that ignores everything, or makes sure that the one which is there does.
    fn ignore_in_git(self) -> Result<Self, StoreError> {
        let path = self.path.join(IGNORE_FILE);
        match create_exclusively(&path, 0o644) {
            Ok(mut file) => {
                file.write_all(b"*\n").map_err(|source| StoreError::Io {
                    action: "write",
                    path,
                    source,
                })?;
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.check_ignore_file()?;
            }
            Err(source) => {
                return Err(StoreError::Io {
                    action: "create",
                    path,
                    source,
                });
            }
        }
        Ok(self)
    }

    /// A `.gitignore` that is there must keep the home out of Git.
    fn check_ignore_file(&self) -> Result<(), StoreError> {
        let path = self.path.join(IGNORE_FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(source) => {
                return Err(StoreError::Io {
                    action: "read",
                    path,
                    source,
                });
            }
        };
        if text.lines().any(|line| line.trim() == "*") {
            return Ok(());
        }
        Err(StoreError::HomeOdd {
            path: self.path.clone(),
            problem: "has a .gitignore that would let the sealing key into Git".to_owned(),
            hint: "Choose a folder of its own for the home, with --home or TAILORBIRD_HOME.",
        })
    }

    fn unfinished_path(&self) -> PathBuf {
        self.path.join(UNFINISHED_LEDGER_FILE)
    }

    /// Removes what an attempt to make this home has left, and begins anew. Nothing was ever kept in it: its
    /// ledger had not yet got its name.
    fn clear_unfinished(self) -> Result<Self, StoreError> {
        let unfinished = self.unfinished_path();
        if exists(&unfinished)? {
            remove_if_there(&self.key_path())?;
            for suffix in ["", "-wal", "-shm", "-journal"] {
                remove_if_there(&self.path.join(format!("{UNFINISHED_LEDGER_FILE}{suffix}")))?;
            }
        }
        // The mode counts from the first byte on; SQLite gives its journal files the same one.
        create_exclusively(&unfinished, 0o600).map_err(|source| StoreError::Io {
            action: "create",
            path: unfinished,
            source,
        })?;
        sync_folder(&self.path)?;
        Ok(self)
    }

    fn make_key(self) -> Result<Self, StoreError> {
        write_key(&self.key_path(), &SealingKey::generate()?)?;
        Ok(self)
    }

    fn make_ledger(self) -> Result<Self, StoreError> {
        let key = self.read_key()?;
        let unfinished = self.unfinished_path();
        let now = system_clock()();
        let mut connection = schema::open_writer(&unfinished)?;
        schema::migrate(&mut connection, &self.path, now, schema::Expect::Empty)?;
        secrets::initialise(&mut connection, &key, now)?;
        // Closing moves the whole log into the file, so that the file alone can be renamed.
        connection.close().map_err(|(_, error)| error)?;
        fs::rename(&unfinished, self.ledger_path()).map_err(|source| StoreError::Io {
            action: "rename",
            path: unfinished,
            source,
        })?;
        sync_folder(&self.path)?;
        Ok(self)
    }
}

enum Survey {
    Complete,
    Nothing,
    Parts(StoreError),
}

fn exists(path: &Path) -> Result<bool, StoreError> {
    path.try_exists().map_err(|source| StoreError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })
}

/// Removes a file; one that is not there is no error.
pub(crate) fn remove_if_there(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(StoreError::Io {
            action: "remove",
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

pub(crate) fn read_key(path: &Path) -> Result<SealingKey, StoreError> {
    check_key_permissions(path)?;
    let io = |source| StoreError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    };
    let mut text = Zeroizing::new(String::new());
    File::open(path)
        .map_err(io)?
        .take(MAX_KEY_FILE)
        .read_to_string(&mut text)
        .map_err(io)?;
    SealingKey::from_file(&text).ok_or_else(|| StoreError::SealingKey {
        path: path.to_owned(),
        problem: "is not a key: it must hold 64 hexadecimal digits",
        hint: "Put the key that belongs to this home back from your backup.",
    })
}

/// Writes a key to a file that must not exist yet, and waits until it is on disk.
pub(crate) fn write_key(path: &Path, key: &SealingKey) -> Result<(), StoreError> {
    let io = |source| StoreError::Io {
        action: "create",
        path: path.to_owned(),
        source,
    };
    let mut file = create_exclusively(path, 0o600).map_err(io)?;
    file.write_all(key.to_file().as_bytes()).map_err(io)?;
    file.write_all(b"\n").map_err(io)?;
    file.sync_all().map_err(io)?;
    path.parent().map_or(Ok(()), sync_folder)
}

#[cfg(unix)]
fn make_private_folder(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
    let io = |source| StoreError::Io {
        action: "create",
        path: path.to_owned(),
        source,
    };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(io)?;
    // A folder that was there before keeps its mode otherwise.
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(io)
}

#[cfg(not(unix))]
fn make_private_folder(path: &Path) -> Result<(), StoreError> {
    fs::create_dir_all(path).map_err(|source| StoreError::Io {
        action: "create",
        path: path.to_owned(),
        source,
    })
}

#[cfg(unix)]
pub(crate) fn create_exclusively(path: &Path, mode: u32) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
}

#[cfg(not(unix))]
pub(crate) fn create_exclusively(path: &Path, _mode: u32) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(unix)]
fn check_key_permissions(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = fs::metadata(path).map_err(|source| StoreError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    if metadata.permissions().mode() & OTHERS == 0 {
        return Ok(());
    }
    Err(StoreError::SealingKey {
        path: path.to_owned(),
        problem: "can be read by other users",
        hint: "Run `chmod 600` on it. If others may have read it and the ledger, renew the credentials at the \
               provider: they could open them.",
    })
}

#[cfg(not(unix))]
fn check_key_permissions(_path: &Path) -> Result<(), StoreError> {
    Ok(())
}

/// Makes the names in a folder durable, not only the files' contents.
#[cfg(unix)]
pub(crate) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| StoreError::Io {
            action: "sync",
            path: path.to_owned(),
            source,
        })
}

#[cfg(not(unix))]
pub(crate) fn sync_folder(_path: &Path) -> Result<(), StoreError> {
    Ok(())
}
