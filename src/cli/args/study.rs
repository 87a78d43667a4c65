//! Arguments of what studies traffic: `test`, `capture`, `drift`.

use super::Consent;
use clap::Subcommand;
use std::path::PathBuf;

/// `test`.
#[derive(Debug, clap::Args)]
pub struct Test {
    /// The flow
    #[arg(value_name = "NAME/FLOW")]
    pub flow: String,
    /// Tries another dedup rule on stored requests: `body.a,headers["X-Id"]`; without fields (or `?`)
    /// it says which would do
    #[arg(long, value_name = "FIELDS", num_args = 0..=1, default_missing_value = "?")]
    pub dedup: Option<String>,
    /// How far back
    #[arg(long, value_name = "TIME", default_value = "7d")]
    pub since: String,
    /// The window of the rule [default: that of the live rule, else 7d]
    #[arg(long, value_name = "TIME")]
    pub window: Option<String>,
    /// From when the window counts [default: that of the live rule, else last]
    #[arg(long, value_parser = ["last", "first"])]
    pub from: Option<String>,
    /// How many of the newest requests are looked at for fields that would do (at most 1,000)
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub last: u32,
    /// A sample.
    #[arg(long, hide = true)]
    pub sample: Option<PathBuf>,
    /// A step.
    #[arg(long, hide = true)]
    pub step: Option<String>,
    /// Makes the call.
    #[arg(long, hide = true)]
    pub send: bool,
    /// A real run.
    #[arg(long, hide = true)]
    pub run: bool,
    /// The draft.
    #[arg(long, hide = true)]
    pub draft: bool,
}

/// `capture`.
#[derive(Debug, clap::Args)]
pub struct Capture {
    /// The flow; it need not be deployed yet
    #[arg(value_name = "NAME/FLOW", required_unless_present_any = ["request", "file"])]
    pub flow: Option<String>,
    /// How long it stays open; the same command again renews it
    #[arg(long = "for", value_name = "TIME", default_value = "90s")]
    pub time: String,
    /// Ends once so many requests came
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
    /// The fields of a stored request
    #[arg(long, value_name = "ID", conflicts_with = "file")]
    pub request: Option<String>,
    /// The fields of a JSON document; `-` is stdin
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// `drift`.
#[derive(Debug, Subcommand)]
pub enum DriftCommand {
    /// Bodies whose shape changed: another type, a new path, a lost one
    Ls {
        /// An integration or one flow of it
        #[arg(value_name = "NAME[/FLOW]")]
        flow: Option<String>,
    },
    /// Takes badges away: it is known and fine
    Ok {
        /// Numbers of badges, or NAME[/FLOW] for all of it
        #[arg(value_name = "NUMBER", required = true)]
        which: Vec<String>,
        #[command(flatten)]
        verb: Consent,
    },
}
