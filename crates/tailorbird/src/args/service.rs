//! `service …`.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum ServiceCommand {
    /// Lists the services: built in, of the home folder, and added
    #[command(after_help = "Example:\n  tailorbird service list")]
    List,
    /// Shows a service as YAML
    #[command(
        after_help = "Examples:\n  tailorbird service show x\n  tailorbird service show x > my-x.yaml    # a start for your own"
    )]
    Show {
        /// The service
        name: String,
    },
    /// Checks a service file and prints every problem with line and column
    #[command(after_help = "Example:\n  tailorbird service check example-crm.yaml")]
    Check {
        /// The files; `-` is standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Adds the services of a file to the home folder, or replaces them
    #[command(after_help = "Example:\n  tailorbird service add example-crm.yaml")]
    Add {
        /// The file; `-` is standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Prints the JSON Schema of service files, for editors
    #[command(after_help = "Example:\n  tailorbird service schema > service.schema.json")]
    Schema,
}
