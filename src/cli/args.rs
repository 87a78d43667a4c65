//! The arguments: what may be written, with its help.

mod callbacks;
mod few;
mod filters;
mod groups;
mod integrations;
mod jobs;
mod overview;
mod study;
mod upkeep;

pub use callbacks::{CallbacksCommand, Complete, Extend};
pub use few::Few;
pub use filters::filters;
pub use groups::{Groups, GroupsCommand};
pub use integrations::IntegrationsCommand;
pub use jobs::{JobsCommand, Pace};
pub use overview::Overview;
pub use study::{Capture, DriftCommand, Test};
pub use upkeep::{ConfigCommand, StoreCommand};

use crate::model::ask::With;
use clap::builder::FalseyValueParser;
use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::path::PathBuf;

/// Mission control for integrations: receives webhooks, deduplicates them, runs durable workflows
/// and lets operators steer them.
///
/// Without a command: receiver, runner and console in one process.
#[derive(Debug, Parser)]
#[command(name = "pointsman", version, disable_help_subcommand = true)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Flags that stand anywhere.
    #[command(flatten)]
    pub global: Global,
}

/// Flags that stand anywhere; each has an environment variable `POINTSMAN_…`.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The data folder [default: $`XDG_DATA_HOME/pointsman`]
    #[arg(long, global = true, value_name = "DIR", env = "POINTSMAN_DATA")]
    pub data: Option<PathBuf>,
    /// The address to listen on [default: 127.0.0.1:7700]
    #[arg(long, global = true, value_name = "ADDR", env = "POINTSMAN_LISTEN")]
    pub listen: Option<String>,
    /// What senders and targets call this program [default: the listening address]
    #[arg(long, global = true, value_name = "URL", env = "POINTSMAN_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Where the store is [default: `SQLite` in the data folder]
    #[arg(long, global = true, value_name = "URL", env = "POINTSMAN_STORE")]
    pub store: Option<String>,
    /// The configuration file [default: config.toml in the data folder]
    #[arg(long, global = true, value_name = "FILE", env = "POINTSMAN_CONFIG")]
    pub config: Option<PathBuf>,
    /// How data is printed
    #[arg(long, global = true, value_name = "FORMAT", env = "POINTSMAN_OUTPUT", default_value = "text")]
    pub output: Output,
    /// Whether colours are used
    #[arg(long, global = true, value_name = "WHEN", env = "POINTSMAN_COLOR", default_value = "auto")]
    pub color: ColorChoice,
    /// The console's theme: terminal, dark, light, contrast, contrast-light, mono, or one of your own
    #[arg(long, global = true, value_name = "THEME", env = "POINTSMAN_THEME")]
    pub theme: Option<String>,
    /// Only ASCII in the console
    #[arg(long, global = true, env = "POINTSMAN_ASCII", value_parser = FalseyValueParser::new())]
    pub ascii: bool,
    /// Shows everything, does nothing
    #[arg(long, global = true, env = "POINTSMAN_READ_ONLY", value_parser = FalseyValueParser::new())]
    pub read_only: bool,
    /// The operators' API over TCP, for `attach URL`
    #[arg(long, global = true, value_name = "ADDR", env = "POINTSMAN_OPERATOR_LISTEN")]
    pub operator_listen: Option<String>,
    /// Records the console into a new file, as an asciicast
    #[arg(long, global = true, value_name = "FILE", env = "POINTSMAN_RECORD")]
    pub record: Option<String>,
    /// Figures for Prometheus over TCP
    #[arg(long, global = true, value_name = "ADDR", env = "POINTSMAN_METRICS_LISTEN")]
    pub metrics_listen: Option<String>,
    /// A certificate to serve HTTPS with
    #[arg(long, global = true, value_name = "FILE", env = "POINTSMAN_TLS_CERT")]
    pub tls_cert: Option<PathBuf>,
    /// Its private key
    #[arg(long, global = true, value_name = "FILE", env = "POINTSMAN_TLS_KEY")]
    pub tls_key: Option<PathBuf>,
}

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// One array, or one object.
    Json,
    /// An object a line.
    Jsonl,
}

/// Whether colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// Where the terminal can, and `NO_COLOR` is not set.
    Auto,
    /// Yes.
    Always,
    /// No.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Receiver, runner and console in one process (the default)
    Run,
    /// Receiver and runner, without the console
    Serve,
    /// Everything against a built-in target with live sample traffic, in a folder of its own
    Demo {
        /// Without the console: a line per event
        #[arg(long)]
        headless: bool,
    },
    /// Console on a running server: that of the data folder, or one with an operators' API
    Attach {
        /// The operators' API: `https://gate.example.com:7701`
        url: Option<String>,
        /// Holds the operator's token; `-` is stdin
        #[arg(long, value_name = "FILE", env = "POINTSMAN_TOKEN_FILE")]
        token_file: Option<PathBuf>,
    },
    /// Prints a commented document to start from
    New {
        /// The integration's name
        name: String,
    },
    /// Reports every mistake in documents
    Check {
        /// TOML files; `-` is stdin
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Saves documents and deploys them, all or none
    Apply(Apply),
    /// Makes the newest version the live one
    Deploy {
        /// The integration's name
        name: String,
        #[command(flatten)]
        verb: Consent,
    },
    /// Prints a document, flow ids written
    Export {
        /// The integration's name
        name: String,
        /// A certain version, not the live one
        #[arg(long)]
        version: Option<u32>,
    },
    /// Closes an integration's endpoints; open runs go on to their end
    Remove {
        /// The integration's name
        name: String,
        #[command(flatten)]
        verb: Consent,
    },
    /// Sets values of variables; they count for steps that start from then on
    Set(Set),
    /// Integrations
    Integrations {
        #[command(subcommand)]
        command: IntegrationsCommand,
    },
    /// Alerts that were told: open, or in their quiet period
    Alerts {
        #[command(subcommand)]
        command: AlertsCommand,
    },
    /// URLs of flows
    Endpoints {
        #[command(subcommand)]
        command: EndpointsCommand,
    },
    /// Requests that arrived
    Requests {
        #[command(subcommand)]
        command: RequestsCommand,
    },
    /// Executions of flows
    Runs {
        #[command(subcommand)]
        command: RunsCommand,
    },
    /// Promises made by a 202
    Callbacks {
        #[command(subcommand)]
        command: CallbacksCommand,
    },
    /// Errored runs by cause
    Groups {
        #[command(subcommand)]
        command: GroupsCommand,
    },
    /// Who did what, and why
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Tries a flow out: what it would send, one call, a test run, a back-test, another dedup rule
    Test(Box<Test>),
    /// Field discovery: what a flow is sent, path by path
    Capture(Capture),
    /// Badges of bodies whose shape changed
    Drift {
        #[command(subcommand)]
        command: DriftCommand,
    },
    /// Posts a sample to a flow as a real sender would
    Send(Send),
    /// A JSON document a line in, a flat object a line out
    Flatten,
    /// Checks store and settings; exits 0 unless something is broken
    Doctor,
    /// Figures over time: requests, steps against their deadline, runs, queue and store
    Overview(Overview),
    /// Prints a script that completes commands in a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Keys that senders authenticate with
    Key {
        #[command(subcommand)]
        command: super::keys::KeyCommand,
    },
    /// Prints a token for a sender
    Token(super::keys::Token),
    /// People who may attach to a running server
    Operator {
        #[command(subcommand)]
        command: super::operators::OperatorCommand,
    },
    /// Verbs on many that are done piece by piece
    Jobs {
        #[command(subcommand)]
        command: JobsCommand,
    },
    /// The store itself
    Store {
        /// What of it.
        #[command(subcommand)]
        command: StoreCommand,
    },
    /// Prints the page of a command, or of the program: `pointsman man runs retry | man -l -`
    Man {
        /// The command
        command: Vec<String>,
        /// Writes the pages of all commands into this folder
        #[arg(long, value_name = "FOLDER", conflicts_with = "command")]
        dir: Option<PathBuf>,
    },
    /// The settings that a server would start with, and who said so
    Config {
        /// What of them.
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

/// Options of every verb.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Consent {
    /// Why; kept in the audit trail
    #[arg(long, value_name = "TEXT", env = "POINTSMAN_REASON")]
    pub reason: Option<String>,
    /// Asks nothing
    #[arg(long, env = "POINTSMAN_YES", value_parser = FalseyValueParser::new())]
    pub yes: bool,
    /// Only says what would happen
    #[arg(long, env = "POINTSMAN_DRY_RUN", value_parser = FalseyValueParser::new())]
    pub dry_run: bool,
}

/// `apply`.
#[derive(Debug, clap::Args)]
pub struct Apply {
    /// TOML files; `-` is stdin
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Another name for the integration (one file only)
    #[arg(long = "as", value_name = "NAME")]
    pub rename: Option<String>,
    /// Saves without deploying
    #[arg(long)]
    pub draft: bool,
    #[command(flatten)]
    pub verb: Consent,
}

/// `set`.
#[derive(Debug, clap::Args)]
pub struct Set {
    /// The integration's name
    pub name: String,
    /// Variables and their values; of a secret its name alone
    #[arg(required = true, value_name = "VAR=VALUE")]
    pub values: Vec<String>,
    /// Holds the value of a secret variable; one final newline is dropped; `-` is stdin
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    #[command(flatten)]
    pub verb: Consent,
}

/// `send`.
#[derive(Debug, clap::Args)]
pub struct Send {
    /// A JSON body, or {"$request": {method, path, query, headers, body}}; `-` is stdin
    pub file: PathBuf,
    /// The flow to send it to
    #[arg(long, value_name = "NAME/FLOW")]
    pub to: String,
    /// The secret to sign with, where the endpoint's key cannot be recovered; `-` is stdin
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
}

/// Options of a list.
#[derive(Debug, Clone, clap::Args)]
pub struct List {
    /// The filter language: `verdict:duplicate since:1h body.total>100`
    #[arg(value_name = "FILTER", num_args = 0..)]
    pub filter: Vec<String>,
    /// At most so many, newest first; 0 is all, streamed
    #[arg(long, default_value_t = 100, env = "POINTSMAN_LIMIT")]
    pub limit: u32,
    /// Goes on with what comes, oldest first
    #[arg(long)]
    pub follow: bool,
}

/// What a verb acts on.
#[derive(Debug, Clone, clap::Args)]
pub struct Targets {
    /// Ids; any unique ending of six or more digits stands for one
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// All that this filter matches now; never empty
    #[arg(long, allow_hyphen_values = true)]
    pub filter: Option<String>,
    #[command(flatten)]
    pub pace: Pace,
    #[command(flatten)]
    pub verb: Consent,
}

/// `alerts`.
#[derive(Debug, Subcommand)]
pub enum AlertsCommand {
    /// All of them, open ones first
    Ls(Few),
}

/// `endpoints`.
#[derive(Debug, Subcommand)]
pub enum EndpointsCommand {
    /// All of them
    Ls(Few),
}

/// `requests`.
#[derive(Debug, Subcommand)]
pub enum RequestsCommand {
    /// Newest first
    Ls {
        #[command(flatten)]
        list: List,
        /// What a provider sent again (by its delivery id) as one row with a count
        #[arg(long, conflicts_with = "follow")]
        fold: bool,
    },
    /// One, whole
    Show {
        /// Its id
        id: String,
        /// As a sample, for `send` and `test --sample`: without its sender's credentials
        #[arg(long)]
        sample: bool,
    },
    /// Why it was judged as it was
    Explain {
        /// Its id
        id: String,
    },
    /// Drops their dedup keys
    Forget(Targets),
    /// Makes a new run of it, past dedup
    Replay(Replay),
    /// Judges rejected requests again with today's configuration, as of the moment they arrived
    Readmit(Targets),
}

/// `requests replay`.
#[derive(Debug, clap::Args)]
pub struct Replay {
    #[command(flatten)]
    pub targets: Targets,
    /// deployed, original, draft or a number
    #[arg(long)]
    pub version: Option<String>,
    /// Another value in the body: `body.ref="main"`; the value is JSON, else text
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Sends the stored request to this URL, in place of a run
    #[arg(long, value_name = "URL")]
    pub to: Option<String>,
    /// Of --to: fresh signs with the endpoint's key, exact sends the sender's credentials and
    /// signature as they came
    #[arg(long, value_parser = ["fresh", "exact"])]
    pub sign: Option<String>,
}

/// `runs`.
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// Newest first
    Ls(List),
    /// One, whole
    Show {
        /// Its id
        id: String,
    },
    /// A new attempt of the step that stopped
    Retry(Retry),
    /// The step ends skipped, the run goes on
    Skip(Skip),
    /// The run ends aborted
    Abort(Targets),
    /// Only what differs: between a run and the one that it replays, or any two
    Diff {
        /// A run
        one: String,
        /// The other; its parent where it is left out
        other: Option<String>,
    },
}

/// `runs retry`.
#[derive(Debug, clap::Args)]
pub struct Retry {
    #[command(flatten)]
    pub targets: Targets,
    /// deployed, original (the run's own) or a number
    #[arg(long)]
    pub version: Option<With>,
    /// A new Idempotency-Key: the target may act twice
    #[arg(long)]
    pub fresh_key: bool,
}

/// `runs skip`.
#[derive(Debug, clap::Args)]
pub struct Skip {
    #[command(flatten)]
    pub targets: Targets,
    /// A JSON object that takes the place of the step's outputs
    #[arg(long, value_name = "JSON")]
    pub stand_in: Option<String>,
}

/// `audit`.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Newest first
    Ls(List),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_hold_together() {
        use clap::CommandFactory as _;
        Args::command().debug_assert();
    }
}
