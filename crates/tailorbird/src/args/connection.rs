//! `connection …` and `call`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum ConnectionCommand {
    /// Adds a connection, or changes what is given of an existing one; an incomplete one is saved too
    #[command(
        after_help = "Examples:\n  tailorbird connection add company-x --service x\n  tailorbird connection add company-x --service x --secrets keys.json\n  tailorbird connection add crm --service generic-oauth1 --set root_url=https://api.example.com/1 \\\n      --set temporary_credentials_url=https://api.example.com/oauth/request_token \\\n      --set authorization_url=https://api.example.com/oauth/authorize \\\n      --set token_url=https://api.example.com/oauth/access_token --set signature_method=HMAC-SHA256\n\nThe secrets are asked for where a terminal is there, or read as JSON from --secrets FILE (or `-`):\n  {\"client_key\":\"…\",\"client_secret\":\"…\",\"token\":\"…\",\"token_secret\":\"…\",\"rsa_private_key\":\"…\"}\nevery member may be absent. They are sealed in the home folder and never printed."
    )]
    Add {
        /// The connection's name
        name: String,
        /// The service it uses
        #[arg(long, value_name = "SERVICE")]
        service: Option<String>,
        /// Sets a variable of the service; an empty value takes it back
        #[arg(long = "set", value_name = "FIELD=VALUE")]
        settings: Vec<String>,
        /// A JSON file with the secrets; `-` is standard input
        #[arg(long, value_name = "FILE")]
        secrets: Option<PathBuf>,
    },
    /// Gets access token and secret: the wizard of four screens
    #[command(
        after_help = "Examples:\n  tailorbird connection authorize company-x\n  tailorbird connection authorize company-x --callback loopback\n\nFor scripts, in two moves:\n  tailorbird connection authorize company-x --start        # prints {\"connection\",\"authorize_url\",\"expires_at\"}\n  tailorbird connection authorize company-x --verifier 1234567"
    )]
    Authorize {
        /// The connection
        name: String,
        /// First move for scripts: ask for temporary credentials and print the address to approve at
        #[arg(long, conflicts_with = "verifier")]
        start: bool,
        /// Second move for scripts: the verification code; `-` reads it from standard input
        #[arg(long, value_name = "CODE")]
        verifier: Option<String>,
        /// How the code comes back: typed by a person, or by the browser to this machine
        #[arg(long, value_enum, default_value_t = Callback::Oob)]
        callback: Callback,
    },
    /// Lists the connections
    #[command(after_help = "Example:\n  tailorbird connection list --output json")]
    List,
    /// Shows a connection, without its secrets
    #[command(after_help = "Example:\n  tailorbird connection show company-x")]
    Show {
        /// The connection
        name: String,
    },
    /// Asks the provider whose account it is and which level it has
    #[command(after_help = "Example:\n  tailorbird connection test company-x")]
    Test {
        /// The connection
        name: String,
    },
    /// Names the cause when the provider refuses
    #[command(after_help = "Example:\n  tailorbird connection diagnose company-x")]
    Diagnose {
        /// The connection
        name: String,
    },
    /// Prints a connection as YAML, without secrets
    #[command(after_help = "Example:\n  tailorbird connection export company-x > company-x.yaml")]
    Export {
        /// The connection
        name: String,
    },
    /// Takes in an exported connection; its secrets have to be given again
    #[command(after_help = "Example:\n  tailorbird connection import company-x.yaml")]
    Import {
        /// The file; `-` is standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Removes a connection and its secrets
    #[command(after_help = "Example:\n  tailorbird connection remove company-x")]
    Remove {
        /// The connection
        name: String,
    },
}

/// How the verification code comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Callback {
    /// A person types the code that the provider shows.
    Oob,
    /// The browser is sent back to `http://127.0.0.1:7082/oauth/callback`.
    Loopback,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tailorbird call company-x get_me\n  tailorbird call company-x create_post --param text='Hello'\n  tailorbird call company-x 'GET /2/users/{id}/tweets' --param id=42 --param max_results=5\n  tailorbird call company-x 'POST /2/tweets' --body post.json\n  tailorbird call company-x create_post --param text='Hello' --dry-run\n  tailorbird call company-x get_me --as-curl"
)]
pub(crate) struct CallArguments {
    /// The connection
    pub(crate) connection: String,
    /// An operation of its service, or 'METHOD /path' below the root URL
    pub(crate) operation: String,
    /// A parameter: placeholder of the path first, then query, or form field
    #[arg(long = "param", value_name = "NAME=VALUE")]
    pub(crate) parameters: Vec<String>,
    /// The body, from a file; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) body: Option<PathBuf>,
    /// The content type of the body; application/json where absent
    #[arg(long, value_name = "TYPE", requires = "body")]
    pub(crate) content_type: Option<String>,
    /// Print the request that would be sent, secrets masked, and send nothing
    #[arg(long, conflicts_with = "as_curl")]
    pub(crate) dry_run: bool,
    /// Print the request as a curl command, secrets masked, and send nothing
    #[arg(long)]
    pub(crate) as_curl: bool,
}
