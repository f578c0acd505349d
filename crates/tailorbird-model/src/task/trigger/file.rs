//! Files that arrive in a folder.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::service::Span;

/// How often a folder is looked at, where the file does not say.
const EVERY: Span = Span::from_seconds(10);

/// How long a file must rest, where the file does not say.
const SETTLED: Span = Span::from_seconds(5);

/// Starts a run for each file that arrives in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileTrigger {
    /// The folder, as a whole path. Folders inside it are not looked into.
    pub folder: String,
    /// Which names count: `*` stands for any characters, `?` for one.
    #[serde(default = "any")]
    pub pattern: String,
    /// How long a file must not have changed before it is taken: somebody may still be writing it.
    #[serde(default = "settled")]
    pub settled: Span,
    /// Where a file goes after its run has succeeded; `done` in the folder where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<String>,
    /// Where a file goes after its run has failed or was cancelled; `failed` in the folder where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// How often the folder is looked at.
    #[serde(default = "every")]
    pub every: Span,
}

fn any() -> String {
    "*".to_owned()
}

fn settled() -> Span {
    SETTLED
}

fn every() -> Span {
    EVERY
}

/// A file as it was when it was received: what tells it from every other one, and what its record says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrivedFile {
    /// The whole path.
    pub path: String,
    /// The name in the folder.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// When it was last written to.
    pub modified: Timestamp,
    /// The number of the file on its device.
    pub inode: u64,
    /// The device.
    pub device: u64,
}

impl ArrivedFile {
    /// What tells it from every other file: a file of the same name with other contents is another one.
    pub fn identity(&self) -> String {
        let Self {
            path,
            size,
            modified,
            inode,
            device,
            ..
        } = self;
        format!("{device}:{inode}:{size}:{}:{path}", modified.as_nanosecond())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_difference_makes_another_file() {
        let file = ArrivedFile {
            path: "/in/a.csv".to_owned(),
            name: "a.csv".to_owned(),
            size: 5,
            modified: Timestamp::UNIX_EPOCH,
            inode: 7,
            device: 1,
        };
        let same = file.clone();
        assert_eq!(file.identity(), same.identity());
        for other in [
            ArrivedFile {
                size: 6,
                ..file.clone()
            },
            ArrivedFile {
                inode: 8,
                ..file.clone()
            },
            ArrivedFile {
                device: 2,
                ..file.clone()
            },
            ArrivedFile {
                path: "/in/b.csv".to_owned(),
                ..file.clone()
            },
            ArrivedFile {
                modified: Timestamp::from_nanosecond(1).unwrap(),
                ..file.clone()
            },
        ] {
            assert_ne!(file.identity(), other.identity(), "{other:?}");
        }
    }
}
