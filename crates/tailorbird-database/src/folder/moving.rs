//! Moving a file away, so that it is there whole or not at all, and never over another one.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use tailorbird_model::task::trigger::ArrivedFile;

use super::{FolderError, arrived};

/// Names that are tried where a name is taken.
const MAX_NAMES: usize = 1_000;

/// What the name of a half copied file begins with; such files are never taken.
pub(super) const PART: &str = ".tailorbird-part-";

/// What came of moving a file away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutAway {
    /// It is here now.
    Moved(PathBuf),
    /// It was not there any more.
    Gone,
    /// Another file has its name, or it was written to since; that one stays.
    Replaced,
}

impl super::Folder {
    /// Moves a file into another folder, which is made where only it is missing. When this returns, the move
    /// survives a power cut. Doing it again after a crash ends in the same state, but for a second copy where the
    /// crash was between the copy to another device and the end of the original.
    ///
    /// # Errors
    /// Where either folder cannot be written to.
    pub fn put_away(&self, file: &ArrivedFile, to: &Path) -> Result<PutAway, FolderError> {
        let from = self.path.join(&file.name);
        let metadata = match fs::symlink_metadata(&from) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(PutAway::Gone),
            Err(source) => return Err(FolderError::io("look at", &from, source)),
        };
        let is_same = metadata.is_file()
            && arrived(&from, &file.name, &metadata).is_some_and(|now| {
                ArrivedFile {
                    path: file.path.clone(),
                    ..now
                } == *file
            });
        if !is_same {
            return Ok(PutAway::Replaced);
        }
        make(to)?;
        let target = reserve(file, to)?;
        let moved = match fs::rename(&from, &target.path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => copy(&from, file, &target.path),
            Err(source) => Err(FolderError::io("move", &from, source)),
        };
        if let Err(error) = moved {
            // The name was only reserved; without its file it would be litter.
            if target.is_fresh
                && let Err(error) = fs::remove_file(&target.path)
            {
                tracing::debug!(%error, "a reserved name stays behind");
            }
            return Err(error);
        }
        // Unless both folders are on disk, a power cut could bring the file back after it was noted as done.
        sync(to)?;
        sync(&self.path)?;
        Ok(PutAway::Moved(target.path))
    }
}

/// Makes a folder where only it is missing, and refuses what is no folder.
fn make(folder: &Path) -> Result<(), FolderError> {
    let unfit = |problem| FolderError::Unfit {
        path: folder.to_owned(),
        problem,
    };
    match fs::symlink_metadata(folder) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(metadata) if metadata.is_symlink() => {
            Err(unfit("is a symbolic link; name the folder it leads to"))
        }
        Ok(_) => Err(unfit("is no folder")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir(folder).map_err(|source| FolderError::io("make the folder", folder, source))
        }
        Err(source) => Err(FolderError::io("look at", folder, source)),
    }
}

/// A name that is ours: an empty file holds it until the real one takes its place.
struct Target {
    path: PathBuf,
    is_fresh: bool,
}

fn reserve(file: &ArrivedFile, to: &Path) -> Result<Target, FolderError> {
    for number in 1..=MAX_NAMES {
        let path = to.join(numbered(&file.name, number));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(_) => return Ok(Target { path, is_fresh: true }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if is_ours(&path) {
                    return Ok(Target {
                        path,
                        is_fresh: false,
                    });
                }
            }
            Err(source) => return Err(FolderError::io("write to", to, source)),
        }
    }
    Err(FolderError::NoName {
        path: to.to_owned(),
        name: file.name.clone(),
    })
}

/// Tells whether a crash of ours left this: a name that was reserved and not used. Files with something in them are
/// never taken for ours, however much they look alike: a copy too many is harmless, a lost file is not.
fn is_ours(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0)
}

/// `orders.csv`, `orders-2.csv`, …
fn numbered(name: &str, number: usize) -> String {
    if number == 1 {
        return name.to_owned();
    }
    match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => format!("{stem}-{number}.{ending}"),
        _ => format!("{name}-{number}"),
    }
}

/// To another device: a copy that is whole and on disk before it gets its name, then the original goes.
fn copy(from: &Path, file: &ArrivedFile, to: &Path) -> Result<(), FolderError> {
    let part = to.with_file_name(format!("{PART}{}", file.name));
    let copied = || -> io::Result<()> {
        let mut source = File::open(from)?;
        let mut target = File::create(&part)?;
        // By the kernel, or through a small buffer: never the file in memory.
        io::copy(&mut source, &mut target)?;
        let metadata = source.metadata()?;
        target.set_modified(metadata.modified()?)?;
        target.set_permissions(metadata.permissions())?;
        target.sync_all()?;
        fs::rename(&part, to)
    };
    copied().map_err(|source| FolderError::io("copy", from, source))?;
    if let Some(folder) = to.parent() {
        sync(folder)?;
    }
    fs::remove_file(from).map_err(|source| FolderError::io("remove", from, source))
}

fn sync(folder: &Path) -> Result<(), FolderError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| FolderError::io("sync", folder, source))
}
