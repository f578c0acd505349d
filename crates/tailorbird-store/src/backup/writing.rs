//! Writing a backup, while runs go on.
//!
//! Invariant: under the name that was asked for there is a whole, synced backup or nothing; a file that is
//! there already is never touched.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::locked_key::{LockedKey, Passphrase};
use super::manifest::{FORM, Manifest};
use super::tar::{self, Entry};
use super::{
    BackupProgress, LEDGER, MANIFEST, MAX_SERVICE_BYTES, MAX_SERVICES, SERVICES, SUMS, is_plain_name,
};
use crate::home::{create_exclusively, remove_if_there, sync_folder};
use crate::{Store, StoreError, entropy, schema, secrets};

/// How often the growth of the picture is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Bytes that are copied at once.
const COPY_BYTES: usize = 1 << 20;

/// Names and contents of service files.
type ServiceFiles = Vec<(String, Vec<u8>)>;

/// What was written.
#[derive(Debug, Clone)]
pub struct BackupReport {
    /// Where.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// What it says about itself.
    pub manifest: Manifest,
    /// The service files in it.
    pub services: usize,
    /// Files of the services folder that are not in it: no plain files, or with odd names.
    pub left_out: Vec<String>,
}

impl Store {
    /// Writes a backup of the home to a file that must not exist yet; with a passphrase the sealing key goes
    /// along, locked. It blocks for as long as copying the ledger takes; runs go on meanwhile.
    ///
    /// # Errors
    /// [`StoreError::BackupFile`] where the file is there already, [`StoreError::Io`] where it cannot be written.
    pub fn backup(
        &self,
        to: &Path,
        passphrase: Option<&Passphrase>,
        progress: &mut dyn FnMut(BackupProgress),
    ) -> Result<BackupReport, StoreError> {
        refuse_existing(to)?;
        let temporary = Temporaries::beside(to)?;
        let (services, left_out) = self.service_files()?;
        // Taken before the picture, so that nothing sent after this time is thought to be in it.
        let backup_at = (self.clock())();
        self.picture(&temporary.picture, progress)?;
        let manifest = self.manifest(&temporary.picture, backup_at, passphrase)?;
        let bytes = write_archive(&temporary, &manifest, &services, progress)?;
        give_name(&temporary.archive, to)?;
        Ok(BackupReport {
            path: to.to_owned(),
            bytes,
            manifest,
            services: services.len(),
            left_out,
        })
    }

    /// Copies one moment of the database into a file of its own.
    fn picture(&self, to: &Path, progress: &mut dyn FnMut(BackupProgress)) -> Result<(), StoreError> {
        let ledger = self.home().ledger_path();
        let total = fs::metadata(&ledger).map_or(0, |metadata| metadata.len());
        let (ended, wait) = mpsc::sync_channel(1);
        let target = to.to_owned();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let done = schema::open_copier(&ledger).and_then(|db| {
                    db.execute("VACUUM INTO ?1", [target.to_string_lossy()])
                        .map_err(StoreError::from)
                });
                // The receiver waits for exactly this.
                drop(ended.send(done));
            });
            loop {
                match wait.recv_timeout(LOOK_EVERY) {
                    Ok(done) => return done.map(drop),
                    Err(RecvTimeoutError::Disconnected) => return Err(StoreError::Stopped),
                    Err(RecvTimeoutError::Timeout) => progress(BackupProgress {
                        doing: "taking a picture of the ledger",
                        done: fs::metadata(to).map_or(0, |metadata| metadata.len()),
                        total,
                    }),
                }
            }
        })
    }

    fn manifest(
        &self,
        picture: &Path,
        backup_at: Timestamp,
        passphrase: Option<&Passphrase>,
    ) -> Result<Manifest, StoreError> {
        let db = schema::open_reader(picture)?;
        let key_id = secrets::key_id(&db)?;
        let key = match passphrase {
            Some(passphrase) => Some(Self::with_key(&db, self.home(), self.key(), |key| {
                LockedKey::lock(key, passphrase)
            })?),
            None => None,
        };
        let head = crate::ledger::chain::head(&db)?;
        Ok(Manifest {
            tailorbird_backup: FORM,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            schema: schema::version(&db)?,
            backup_at,
            key_id,
            deliveries: db.query_row("SELECT count(*) FROM delivery", [], |row| {
                crate::codec::whole(row, 0)
            })?,
            head: head.map(|(number, mac)| format!("{number}:{}", entropy::hex(&mac))),
            key,
        })
    }

    /// The files of the services folder, and the names of what cannot be taken along.
    fn service_files(&self) -> Result<(ServiceFiles, Vec<String>), StoreError> {
        let folder = self.home().services_path();
        let io = |source| StoreError::Io {
            action: "read",
            path: folder.clone(),
            source,
        };
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), Vec::new())),
            Err(error) => return Err(io(error)),
        };
        let (mut files, mut left_out) = (Vec::new(), Vec::new());
        for entry in entries {
            let entry = entry.map_err(io)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let metadata = entry.metadata().map_err(io)?;
            let fits = metadata.is_file() && metadata.len() <= MAX_SERVICE_BYTES && is_plain_name(&name);
            if !fits || files.len() >= MAX_SERVICES {
                left_out.push(name);
                continue;
            }
            files.push((name, fs::read(entry.path()).map_err(io)?));
        }
        files.sort();
        left_out.sort();
        Ok((files, left_out))
    }
}

/// The files that exist only while a backup is written; they go with this value.
struct Temporaries {
    picture: PathBuf,
    archive: PathBuf,
}

impl Temporaries {
    /// Beside the target, so that the last move stays on one disk. They are closed to others from the start.
    fn beside(to: &Path) -> Result<Self, StoreError> {
        let name = to.file_name().map(|name| name.to_string_lossy().into_owned());
        let Some(name) = name else {
            return Err(StoreError::BackupFile {
                path: to.to_owned(),
                problem: "is not the name of a file".to_owned(),
                hint: "Name a file that does not exist yet, for example `backup-2026-11-23.tar`.",
            });
        };
        let mark = entropy::hex(&entropy::bytes::<4>()?);
        let made = Self {
            picture: to.with_file_name(format!(".{name}.picture-{mark}")),
            archive: to.with_file_name(format!(".{name}.writing-{mark}")),
        };
        for path in [&made.picture, &made.archive] {
            create_exclusively(path, 0o600).map_err(|source| StoreError::Io {
                action: "create",
                path: path.clone(),
                source,
            })?;
        }
        Ok(made)
    }
}

impl Drop for Temporaries {
    fn drop(&mut self) {
        for path in [&self.picture, &self.archive] {
            if let Err(error) = remove_if_there(path) {
                tracing::warn!(%error, "a temporary file stays behind");
            }
        }
    }
}

fn refuse_existing(to: &Path) -> Result<(), StoreError> {
    match fs::symlink_metadata(to) {
        Ok(_) => Err(already_there(to)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(StoreError::Io {
            action: "look for",
            path: to.to_owned(),
            source,
        }),
    }
}

fn already_there(to: &Path) -> StoreError {
    StoreError::BackupFile {
        path: to.to_owned(),
        problem: "is there already".to_owned(),
        hint: "A backup never replaces a file. Give it another name, for example with the date in it.",
    }
}

/// Gives the finished archive its name, unless something has got it meanwhile.
fn give_name(archive: &Path, to: &Path) -> Result<(), StoreError> {
    let named = match fs::hard_link(archive, to) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(already_there(to)),
        // Some file systems have no hard links.
        Err(_) => {
            refuse_existing(to)?;
            fs::rename(archive, to)
        }
        Ok(()) => Ok(()),
    };
    named.map_err(|source| StoreError::Io {
        action: "name",
        path: to.to_owned(),
        source,
    })?;
    match to.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => sync_folder(parent),
        None => sync_folder(Path::new(".")),
    }
}

fn write_archive(
    temporary: &Temporaries,
    manifest: &Manifest,
    services: &[(String, Vec<u8>)],
    progress: &mut dyn FnMut(BackupProgress),
) -> Result<u64, StoreError> {
    let io = |source| StoreError::Io {
        action: "write",
        path: temporary.archive.clone(),
        source,
    };
    let file = File::options().write(true).open(&temporary.archive).map_err(io)?;
    let mut archive = Archive {
        out: BufWriter::with_capacity(COPY_BYTES, file),
        sums: String::new(),
        seconds: manifest.backup_at.as_second(),
    };
    let text =
        serde_json::to_vec_pretty(manifest).map_err(|error| crate::codec::unreadable("manifest", &error))?;
    archive.small(MANIFEST, &text).map_err(io)?;
    for (name, content) in services {
        archive.small(&format!("{SERVICES}{name}"), content).map_err(io)?;
    }
    archive.file(LEDGER, &temporary.picture, progress).map_err(io)?;
    let sums = std::mem::take(&mut archive.sums);
    archive.small(SUMS, sums.as_bytes()).map_err(io)?;
    tar::write_end(&mut archive.out).map_err(io)?;
    let file = archive.out.into_inner().map_err(|error| io(error.into_error()))?;
    file.sync_all().map_err(io)?;
    Ok(file.metadata().map_err(io)?.len())
}

struct Archive {
    out: BufWriter<File>,
    sums: String,
    seconds: i64,
}

impl Archive {
    fn small(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        let entry = Entry {
            name: name.to_owned(),
            size: u64::try_from(content.len()).map_err(io::Error::other)?,
        };
        tar::write_header(&mut self.out, &entry, self.seconds)?;
        self.out.write_all(content)?;
        self.note(name, Sha256::digest(content).as_slice());
        tar::write_padding(&mut self.out, &entry)
    }

    fn file(&mut self, name: &str, path: &Path, progress: &mut dyn FnMut(BackupProgress)) -> io::Result<()> {
        let mut from = File::open(path)?;
        let entry = Entry {
            name: name.to_owned(),
            size: from.metadata()?.len(),
        };
        tar::write_header(&mut self.out, &entry, self.seconds)?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0_u8; COPY_BYTES];
        let mut done = 0;
        loop {
            let read = from.read(&mut buffer)?;
            let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else {
                break;
            };
            self.out.write_all(part)?;
            hash.update(part);
            done += u64::try_from(read).map_err(io::Error::other)?;
            progress(BackupProgress {
                doing: "writing the backup",
                done,
                total: entry.size,
            });
        }
        if done != entry.size {
            return Err(io::Error::other(
                "the picture of the ledger changed while it was copied",
            ));
        }
        self.note(name, hash.finalize().as_slice());
        tar::write_padding(&mut self.out, &entry)
    }

    fn note(&mut self, name: &str, digest: &[u8]) {
        self.sums.push_str(&format!("{}  {name}\n", entropy::hex(digest)));
    }
}
