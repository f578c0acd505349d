//! Why a folder or a file in it cannot be used.

use std::io;
use std::path::{Path, PathBuf};

use tailorbird_model::{Failure, Meaning, codes};

/// What went wrong with a folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// It cannot be watched, or files cannot be moved there.
    #[error("the folder {} {problem}", path.display())]
    Unfit {
        /// The folder.
        path: PathBuf,
        /// What is wrong, as the end of a sentence.
        problem: &'static str,
    },
    /// The operating system refused.
    #[error("could not {action} {}", path.display())]
    Io {
        /// For example `move`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Every name that was tried is taken.
    #[error("found no free name for {name:?} in {}", path.display())]
    NoName {
        /// The folder.
        path: PathBuf,
        /// The file.
        name: String,
    },
    /// The pattern is too long.
    #[error("the pattern for file names has {length} bytes")]
    Pattern {
        /// Its length.
        length: usize,
    },
}

impl FolderError {
    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Unfit { .. } => {
                "Make the folder, or name another one in the task's trigger. This user must be able to read it, \
                 and to write to it, since files are moved away when their run has ended."
            }
            Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "Let this user read and write the folder: moving a file needs the right to write to both folders."
            }
            Self::Io { .. } => {
                "Check that the disk is there and has room; it is tried again with the next look."
            }
            Self::NoName { .. } => "Clear the folder up: many files of that name are in it.",
            Self::Pattern { .. } => "A pattern such as `*.csv` does.",
        }
    }
}

impl From<&FolderError> for Failure {
    fn from(error: &FolderError) -> Self {
        let detail = match error {
            FolderError::Io { source, .. } => format!("{source}."),
            _ => String::new(),
        };
        Self::new(codes::FOLDER, Meaning::NotSent, error.to_string())
            .detail(detail)
            .hint(error.hint())
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        Self::from(&error)
    }
}
