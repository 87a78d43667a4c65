//! Arguments of what studies traffic: `test`, `capture`, `drift`.

use super::{Consent, Few};
use clap::Subcommand;
use std::path::PathBuf;

/// `test`.
///
/// Without more it simulates the flow's last accepted request: every request that a run would send
/// is built, and nothing leaves.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that people write")]
pub struct Test {
    /// The flow; for a back-test an integration
    #[arg(value_name = "NAME/FLOW")]
    pub flow: String,
    /// A JSON body, or {"$request": {method, path, query, headers, body}}, in the place of a request;
    /// `-` is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "request")]
    pub sample: Option<PathBuf>,
    /// A stored request; `last` is the newest one that was accepted [default: last]
    #[arg(long, value_name = "ID")]
    pub request: Option<String>,
    /// One step alone
    #[arg(long, value_name = "STEP")]
    pub step: Option<String>,
    /// The newest version, and not the deployed one; alone, or with --since: a back-test
    #[arg(long)]
    pub draft: bool,
    /// A value that a step asks an earlier one for: `steps.lookup.outputs.id=42`; the value is JSON,
    /// else text, and blank is null. It is remembered
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Forgets the values that were remembered
    #[arg(long)]
    pub fresh: bool,
    /// Which element of a body that is split, from 0
    #[arg(long, value_name = "N")]
    pub element: Option<u32>,
    /// With --send: which item of a step under `for_each`, from 0 [default: 0]
    #[arg(long, value_name = "N", requires = "send")]
    pub item: Option<u32>,
    /// Really makes the call of one step, and remembers its answer
    #[arg(long, conflicts_with = "run")]
    pub send: bool,
    /// Really runs the flow, marked as a test, and follows it to its end
    #[arg(long, conflicts_with_all = ["step", "set", "fresh"])]
    pub run: bool,
    /// Tries another dedup rule on stored requests: `body.a,headers["X-Id"]`; without fields (or `?`)
    /// it says which would do
    #[arg(
        long, value_name = "FIELDS", num_args = 0..=1, default_missing_value = "?",
        conflicts_with_all = ["sample", "request", "step", "draft", "set", "fresh", "element", "send", "run", "filter"],
    )]
    pub dedup: Option<String>,
    /// How far back [default: 7d, of a back-test 24h]
    #[arg(long, value_name = "TIME", conflicts_with_all = ["sample", "request", "step", "set", "fresh", "element", "send", "run"])]
    pub since: Option<String>,
    /// Of a back-test: only the requests that this filter matches
    #[arg(long, allow_hyphen_values = true, conflicts_with_all = ["sample", "request", "step", "set", "fresh", "element", "send", "run"])]
    pub filter: Option<String>,
    /// The window of the rule [default: that of the live rule, else 7d]
    #[arg(long, value_name = "TIME", requires = "dedup")]
    pub window: Option<String>,
    /// From when the window counts [default: that of the live rule, else last]
    #[arg(long, value_parser = ["last", "first"], requires = "dedup")]
    pub from: Option<String>,
    /// How many of the newest requests are looked at for fields that would do (at most 1,000)
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub last: u32,
    #[command(flatten)]
    pub verb: Consent,
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
        #[command(flatten)]
        few: Few,
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
