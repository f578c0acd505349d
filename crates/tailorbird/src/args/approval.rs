//! `approval …`.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum ApprovalCommand {
    /// Lists records that wait for a person, in the order in which they were asked about
    #[command(
        after_help = "Examples:\n  tailorbird approval list\n  tailorbird approval list --task invoices --state expired --output json"
    )]
    List {
        /// Only in this state: `waiting`, `released`, `refused` or `expired`; `all` for each
        #[arg(long, default_value = "waiting")]
        state: String,
        /// Only of this task
        #[arg(long)]
        task: Option<String>,
        /// Only what this role decides
        #[arg(long)]
        role: Option<String>,
        /// The greatest number of questions; all where absent
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Shows what a person is asked: the text, the record, the exact requests
    #[command(after_help = "Example:\n  tailorbird approval show 17")]
    Show {
        /// The number of the question
        id: i64,
    },
    /// Lets records go out as they are shown
    #[command(
        after_help = "Examples:\n  tailorbird approval release 17 18\n  tailorbird approval release --all --task invoices --role accounting"
    )]
    Release(Which),
    /// Leaves records out: they are skipped
    #[command(after_help = "Example:\n  tailorbird approval refuse 17 --reason \"wrong price\"")]
    Refuse(Which),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// The numbers of the questions
    #[arg(value_name = "ID", required_unless_present = "all")]
    pub(crate) ids: Vec<i64>,
    /// All that wait for this role
    #[arg(long, conflicts_with = "ids")]
    pub(crate) all: bool,
    /// With --all: only of this task
    #[arg(long, requires = "all")]
    pub(crate) task: Option<String>,
    /// The role in which you decide
    #[arg(long, default_value = "operator")]
    pub(crate) role: String,
    /// Why; it is kept with the decision
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}
