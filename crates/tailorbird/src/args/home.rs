//! `home …`, `backup` and `restore`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum HomeCommand {
    /// Shows the home, and how it stands after a backup came back
    #[command(after_help = "Example:\n  tailorbird home show")]
    Show,
    /// Shows or sets how long contents of ended deliveries are kept; their keys are kept for ever
    #[command(
        after_help = "Examples:\n  tailorbird home retention\n  tailorbird home retention --keep 90d --archive /srv/archive\n  tailorbird home retention --keep forever"
    )]
    Retention {
        /// So long after the last change of a delivery, for example `400d`; or `forever`
        #[arg(long, value_name = "TIME")]
        keep: Option<String>,
        /// Write contents into files of this folder before they are dropped
        #[arg(long, value_name = "DIR", conflicts_with = "no_archive")]
        archive: Option<PathBuf>,
        /// Drop contents without writing them anywhere
        #[arg(long)]
        no_archive: bool,
    },
    /// Drops contents that are older than the retention says; a server does so every hour
    #[command(after_help = "Examples:\n  tailorbird home tidy --dry-run\n  tailorbird home tidy")]
    Tidy {
        /// Only tell how many would go
        #[arg(long)]
        dry_run: bool,
    },
    /// Says that an older copy of the home came back by other means than `restore`
    #[command(
        after_help = "Examples:\n  tailorbird home mark-restored\n  tailorbird home mark-restored --backup-at 2026-11-23T02:00:00Z\n\nFrom then on, what is new to the ledger is looked up at the provider, or waits for a person, before it is sent."
    )]
    MarkRestored {
        /// When the copy was made; the time of the last change to the ledger where absent
        #[arg(long, value_name = "TIME")]
        backup_at: Option<jiff::Timestamp>,
    },
    /// Says that nothing that was sent after the backup is still to come: new records are sent as usual again
    #[command(
        after_help = "Example:\n  tailorbird home end-restored --yes\n\nWhat is in doubt stays in doubt: `delivery list --state in_doubt`."
    )]
    EndRestored {
        /// Do it also where tasks have not read everything yet, without asking
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tailorbird backup /backups/tailorbird-2026-11-23.tar\n  tailorbird backup all.tar --with-key --passphrase /run/keys/backup   # else it is asked for\n\nRuns go on meanwhile. Without --with-key, keep a copy of sealing.key in another place: nothing else opens the secrets."
)]
pub(crate) struct BackupArguments {
    /// The file; it must not exist yet
    pub(crate) file: PathBuf,
    /// Put the sealing key in too, locked with a passphrase: the file is then enough for everything
    #[arg(long)]
    pub(crate) with_key: bool,
    /// A file whose first line is the passphrase, at least 12 characters; `-` is standard input
    #[arg(long, value_name = "FILE", requires = "with_key")]
    pub(crate) passphrase: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tailorbird --home /srv/tailorbird restore backup.tar --key sealing.key\n  tailorbird restore all.tar --passphrase -\n  tailorbird restore backup.tar --force     # keeps the home that is there aside, and takes its key\n\nThe home is marked: what was sent after the backup is looked up before it is sent again. See `home show`."
)]
pub(crate) struct RestoreArguments {
    /// The backup
    pub(crate) file: PathBuf,
    /// Move a home that is there aside
    #[arg(long)]
    pub(crate) force: bool,
    /// A copy of the home's sealing.key
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// A file whose first line is the passphrase of a backup made --with-key; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    pub(crate) passphrase: Option<PathBuf>,
}
