//! Folders into which other programs put files: what is there, and moving what was worked on away.
//!
//! A file is never opened here, however large it is; the one exception is a move to another device, which has to
//! copy. Symbolic links are never followed: whoever may write into the folder must not lead us out of it.

mod error;
mod moving;
mod pattern;

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tailorbird_model::task::trigger::ArrivedFile;

use crate::link::Guard;

pub use error::FolderError;
pub use moving::PutAway;
pub use pattern::{MAX_PATTERN, Pattern};

/// Entries of a folder that are looked at in one go. A folder with more is worked on in parts, as what is done is
/// moved away.
pub const MAX_FOLDER_ENTRIES: usize = 100_000;

/// Entries that a look names as passed over.
const MAX_PASSED_OVER: usize = 20;

/// A folder that is watched.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

/// What is in a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// Regular files whose names fit, the oldest first.
    pub files: Vec<ArrivedFile>,
    /// Entries whose names fit and that are not taken, with the reason; not all of them where there are many.
    pub passed_over: Vec<(String, &'static str)>,
    /// Whether there were more entries than one look takes in.
    pub has_more: bool,
}

impl Folder {
    /// Checks that a folder can be watched.
    ///
    /// # Errors
    /// Where it is not there, is no folder, cannot be read, or belongs to our own home.
    pub fn open(path: &Path, guard: &Guard) -> Result<Self, FolderError> {
        let wrong = |problem| FolderError::Unfit {
            path: path.to_owned(),
            problem,
        };
        let real = path.canonicalize().map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => wrong("does not exist"),
            std::io::ErrorKind::PermissionDenied => wrong("is in a folder that this user may not read"),
            _ => FolderError::io("find", path, source),
        })?;
        if !real.is_dir() {
            return Err(wrong("is no folder"));
        }
        let homes = guard
            .files
            .iter()
            .filter_map(|file| file.parent()?.canonicalize().ok());
        for home in homes {
            if real.starts_with(&home) || home == real {
                return Err(wrong("belongs to a Tailorbird home"));
            }
        }
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// What is in the folder now. Nothing is opened.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn look(&self, pattern: &Pattern) -> Result<Look, FolderError> {
        let mut look = Look::default();
        let entries = fs::read_dir(&self.path).map_err(|source| self.unreadable(source))?;
        for (number, entry) in entries.enumerate() {
            if number >= MAX_FOLDER_ENTRIES {
                look.has_more = true;
                break;
            }
            let entry = entry.map_err(|source| self.unreadable(source))?;
            // Of the entry itself, not of what a link leads to; one that went away meanwhile is no problem.
            let Ok(metadata) = fs::symlink_metadata(entry.path()) else {
                continue;
            };
            self.note(&mut look, entry.file_name(), &metadata, pattern);
        }
        look.files
            .sort_by(|a, b| (a.modified, &a.name).cmp(&(b.modified, &b.name)));
        Ok(look)
    }

    fn note(&self, look: &mut Look, name: OsString, metadata: &Metadata, pattern: &Pattern) {
        let name = match name.into_string() {
            Ok(name) => name,
            Err(odd) => {
                let shown = odd.to_string_lossy().into_owned();
                if pattern.fits(&shown) {
                    pass_over(look, shown, "its name is not UTF-8");
                }
                return;
            }
        };
        if metadata.is_dir() || !pattern.fits(&name) || name.starts_with(moving::PART) {
            return;
        }
        if metadata.is_symlink() {
            return pass_over(look, name, "it is a symbolic link");
        }
        if !metadata.is_file() {
            return pass_over(look, name, "it is no regular file");
        }
        match arrived(&self.path.join(&name), &name, metadata) {
            Some(file) => look.files.push(file),
            None => pass_over(look, name, "its time cannot be read"),
        }
    }

    fn unreadable(&self, source: std::io::Error) -> FolderError {
        FolderError::io("read", &self.path, source)
    }
}

fn pass_over(look: &mut Look, name: String, why: &'static str) {
    if look.passed_over.len() < MAX_PASSED_OVER {
        look.passed_over.push((name, why));
    }
}

/// A file as it is now.
fn arrived(path: &Path, name: &str, metadata: &Metadata) -> Option<ArrivedFile> {
    let (device, inode) = numbers(metadata);
    Some(ArrivedFile {
        path: path.to_str()?.to_owned(),
        name: name.to_owned(),
        size: metadata.len(),
        modified: Timestamp::try_from(metadata.modified().ok()?).ok()?,
        inode,
        device,
    })
}

#[cfg(unix)]
fn numbers(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.dev(), metadata.ino())
}

/// Elsewhere a file is told by its path, its size and its time alone.
#[cfg(not(unix))]
fn numbers(_: &Metadata) -> (u64, u64) {
    (0, 0)
}
