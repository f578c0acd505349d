//! Backups: a consistent picture of a home in one file, and its way back.
//!
//! The file is an uncompressed tar archive, so that it can be looked into and checked without this program:
//!
//! | entry | what it is |
//! | --- | --- |
//! | `tailorbird-backup.json` | the [`Manifest`]; always the first |
//! | `services/NAME` | the files of the services folder |
//! | `ledger.db` | the database: definitions, sealed secrets, runs, the ledger; one moment of it |
//! | `SHA256SUMS` | the checksums of all the others, in the form of `sha256sum`; always the last |
//!
//! The sealing key is not in it: with the ledger it opens every secret, so the two belong into different
//! places. On demand it is added to the manifest, locked with a passphrase.

mod locked_key;
mod manifest;
mod reading;
mod restoring;
mod tar;
mod writing;

pub use locked_key::{MIN_PASSPHRASE, Passphrase};
pub use manifest::Manifest;
pub(crate) use restoring::remove_leftovers;
pub use restoring::{Restore, Restored, restore};
pub use writing::BackupReport;

/// Says how far a backup or a restore has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupProgress {
    /// What is done now, in words.
    pub doing: &'static str,
    /// Bytes done.
    pub done: u64,
    /// Bytes there are, roughly.
    pub total: u64,
}

/// The name of the first entry, by which a backup is known.
const MANIFEST: &str = "tailorbird-backup.json";
/// The name of the database's entry.
const LEDGER: &str = "ledger.db";
/// What the names of service files begin with.
const SERVICES: &str = "services/";
/// The name of the last entry.
const SUMS: &str = "SHA256SUMS";

/// Service files that a backup may hold.
const MAX_SERVICES: usize = 10_000;
/// The largest service file, in bytes.
const MAX_SERVICE_BYTES: u64 = 16 << 20;
/// The largest manifest, in bytes.
const MAX_MANIFEST_BYTES: u64 = 64 << 10;
/// The longest list of checksums, in bytes.
const MAX_SUMS_BYTES: u64 = 4 << 20;

/// Tells whether a file of the services folder can be in a backup: a plain name, without a way to another
/// folder.
fn is_plain_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    !name.is_empty() && name.len() <= 80 && !name.starts_with('.') && name.chars().all(is_plain)
}
