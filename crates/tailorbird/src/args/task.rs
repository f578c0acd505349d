//! `task …`, `run …` and `delivery …`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum TaskCommand {
    /// Checks task files and prints every problem with line and column
    #[command(after_help = "Example:\n  tailorbird task check tasks/*.yaml")]
    Check {
        /// The files; `-` is standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Takes the tasks of files in; a changed task becomes a new version
    #[command(
        after_help = "Examples:\n  tailorbird task apply announce.yaml\n  tailorbird task apply announce.yaml --accept-rekey   # after reading how many records would go again"
    )]
    Apply {
        /// The files; `-` is standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Accept that a changed key, step name or destination sends records again
        #[arg(long)]
        accept_rekey: bool,
    },
    /// Lists the tasks
    #[command(after_help = "Example:\n  tailorbird task list")]
    List,
    /// Shows a task as YAML
    #[command(after_help = "Example:\n  tailorbird task show announce-new-products")]
    Show {
        /// The task
        name: String,
    },
    /// Runs a task now and follows it to its end; goes on with an interrupted run
    #[command(
        after_help = "Examples:\n  tailorbird task run announce-new-products\n  tailorbird task run announce-new-products --output json\n  tailorbird task run announce-new-products --dry-run    # shows what would be sent and written\n\nCtrl-C stops safely: what is under way is finished, nothing is lost, and the next run goes on."
    )]
    Run {
        /// The task
        name: String,
        /// An older copy of the home came back: what is new to the ledger is looked up before it is sent
        #[arg(long)]
        restored: bool,
        /// Read the sources and show every request and row; send, write and remember nothing
        #[arg(long, conflicts_with = "restored")]
        dry_run: bool,
        /// With --dry-run: how many records of each source are looked at
        #[arg(long, requires = "dry_run", default_value_t = 20, value_name = "N")]
        limit: usize,
    },
    /// Lets the trigger of a task start runs
    #[command(after_help = "Example:\n  tailorbird task enable announce-new-products")]
    Enable {
        /// The task
        name: String,
    },
    /// Keeps the trigger of a task from starting runs
    #[command(after_help = "Example:\n  tailorbird task disable announce-new-products")]
    Disable {
        /// The task
        name: String,
    },
    /// Sets the secret by which a task's webhook knows its sender; asks for it where none is given
    #[command(
        after_help = "Examples:\n  tailorbird task secret orders\n  printf '{\"webhook_secret\":\"…\"}' | tailorbird task secret orders --secrets -"
    )]
    Secret {
        /// The task
        name: String,
        /// A JSON file with the member `webhook_secret`; `-` is standard input
        #[arg(long, value_name = "FILE")]
        secrets: Option<PathBuf>,
    },
    /// Prints the JSON Schema of task files, for editors
    #[command(after_help = "Example:\n  tailorbird task schema > task.schema.json")]
    Schema,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RunCommand {
    /// Lists runs, the newest first
    #[command(after_help = "Example:\n  tailorbird run list --task announce-new-products")]
    List {
        /// Only runs of this task
        #[arg(long)]
        task: Option<String>,
        /// The greatest number of runs
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: usize,
    },
    /// Shows a run
    #[command(after_help = "Example:\n  tailorbird run show run-20261123-164201-7f3a")]
    Show {
        /// The run
        id: String,
    },
    /// Ends a run; what was not sent stays pending for the next one
    #[command(after_help = "Example:\n  tailorbird run cancel run-20261123-164201-7f3a")]
    Cancel {
        /// The run
        id: String,
    },
    /// Holds a run
    #[command(after_help = "Example:\n  tailorbird run pause run-20261123-164201-7f3a")]
    Pause {
        /// The run
        id: String,
    },
    /// Goes on with a run that is held, waits, was interrupted or needed attention
    #[command(after_help = "Example:\n  tailorbird run resume run-20261123-164201-7f3a")]
    Resume {
        /// The run
        id: String,
    },
    /// Sends the rejected records of a run again, in a new run
    #[command(
        after_help = "Examples:\n  tailorbird run retry run-20261123-164201-7f3a\n  tailorbird run retry run-20261123-164201-7f3a --mapping new    # after the mapping was mended"
    )]
    Retry {
        /// The run
        id: String,
        /// Its records in this state: `rejected`, `in_doubt` or `skipped`
        #[arg(long, default_value = "rejected")]
        state: String,
        /// The requests as they were stored, or the stored records rendered by the newest task
        #[arg(long, value_enum, default_value_t = MappingWord::Stored)]
        mapping: MappingWord,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeliveryCommand {
    /// Lists deliveries, in the order in which they became known
    #[command(
        after_help = "Examples:\n  tailorbird delivery list --state in_doubt\n  tailorbird delivery list --state rejected --task announce-new-products --output json\n  tailorbird delivery list --key 'product-KET-*' --since 2026-11-23T00:00:00Z\n  tailorbird delivery list --count"
    )]
    List {
        #[command(flatten)]
        filter: FilterArguments,
        /// The greatest number of deliveries; all where absent
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
        /// Go on after this delivery: the id of the last one of the page before
        #[arg(long, value_name = "ID")]
        after: Option<i64>,
        /// Only count them, by state
        #[arg(long, conflicts_with_all = ["limit", "after"])]
        count: bool,
    },
    /// Shows a delivery's whole story
    #[command(after_help = "Example:\n  tailorbird delivery show product-KET-1042")]
    Show {
        /// The key or the id
        key_or_id: String,
    },
    /// Decides a delivery that is in doubt, rejected or skipped
    #[command(
        after_help = "Examples:\n  tailorbird delivery resolve product-KET-1042 --as sent --result '{\"id\":\"1726\"}'\n  tailorbird delivery resolve product-KET-1042 --as again\n  tailorbird delivery resolve product-KET-1042 --as skip\n  tailorbird delivery resolve --all --task announce-new-products --state rejected --as again --mapping new --preview\n  tailorbird delivery resolve --all --state rejected --code SEND-002 --as skip --yes"
    )]
    Resolve {
        /// The key or the id
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        key_or_id: Option<String>,
        /// Decide all deliveries that the filter fits, after a preview
        #[arg(long, requires = "state")]
        all: bool,
        #[command(flatten)]
        filter: FilterArguments,
        /// What is true: it was sent, send it again, or leave it out
        #[arg(long = "as", value_enum)]
        decision: Decision,
        /// What the provider answered, as JSON, where it is known (with `--as sent`)
        #[arg(long, value_name = "JSON", conflicts_with = "all")]
        result: Option<String>,
        /// With `--as again`: the request as it was stored, or the stored record rendered by the newest task
        #[arg(long, value_enum, default_value_t = MappingWord::Stored)]
        mapping: MappingWord,
        /// Only show what would be decided
        #[arg(long)]
        preview: bool,
        /// Decide without asking
        #[arg(long, requires = "all")]
        yes: bool,
    },
    /// Checks that nobody changed the ledger past this program: its rows against its keyed chain
    #[command(
        after_help = "Examples:\n  tailorbird delivery verify\n  tailorbird delivery verify --head 4711:9f86d0…   # a link that an earlier check printed\n\nExit code 1 where something does not fit."
    )]
    Verify {
        /// A link noted elsewhere, as an earlier check printed it: shows that no end was cut off since
        #[arg(long, value_name = "NUMBER:CODE")]
        head: Option<String>,
    },
}

/// Which deliveries.
#[derive(Debug, Default, Args)]
pub(crate) struct FilterArguments {
    /// Only deliveries in this state: `pending`, `sending`, `delivered`, `rejected`, `in_doubt` or `skipped`
    #[arg(long)]
    pub(crate) state: Option<String>,
    /// Only deliveries of this task
    #[arg(long)]
    pub(crate) task: Option<String>,
    /// Only deliveries of this step
    #[arg(long)]
    pub(crate) step: Option<String>,
    /// Only deliveries over this connection
    #[arg(long)]
    pub(crate) connection: Option<String>,
    /// Only deliveries that this run touched last
    #[arg(long)]
    pub(crate) run: Option<String>,
    /// Only deliveries whose key holds this text; with `*` or `?`, whose whole key fits the pattern
    #[arg(long, value_name = "TEXT")]
    pub(crate) key: Option<String>,
    /// Only deliveries that changed at this time or later, for example `2026-11-23T00:00:00Z`
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<jiff::Timestamp>,
    /// Only deliveries whose failure has this code, for example SEND-001
    #[arg(long)]
    pub(crate) code: Option<String>,
}

/// By which mapping a record is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MappingWord {
    /// The request as it was stored.
    Stored,
    /// The stored record, rendered by the newest version of the task.
    New,
}

/// A person's decision about a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Decision {
    /// It was sent.
    Sent,
    /// Send it again.
    Again,
    /// Leave it out.
    Skip,
}
