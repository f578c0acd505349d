//! What a backup says about itself.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::locked_key::LockedKey;

/// The newest form of backups that this program knows.
pub(super) const FORM: u32 = 1;

/// The first entry of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of the file.
    pub tailorbird_backup: u32,
    /// The version of the program that wrote it.
    pub program: String,
    /// The version of the database's schema.
    pub schema: i64,
    /// A time not after the moment that it shows; what was sent later is not in it.
    pub backup_at: Timestamp,
    /// Names the sealing key that its secrets need; tells nothing about it.
    pub key_id: String,
    /// How many deliveries the ledger has.
    pub deliveries: u64,
    /// The newest link of the chain, as `delivery verify` prints it.
    pub head: Option<String>,
    /// The sealing key, locked with a passphrase; absent by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<LockedKey>,
}
