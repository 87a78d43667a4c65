//! `groups`.

use super::{Consent, Few, Pace};
use crate::model::ask::With;
use clap::Subcommand;

/// `groups`.
#[derive(Debug, Subcommand)]
pub enum GroupsCommand {
    /// All of them
    Ls(Few),
    /// Retries the errored runs of groups
    Retry(GroupsRetry),
    /// Skips the step at which the runs of groups stopped
    Skip(GroupsSkip),
}

/// Which groups a verb acts on.
#[derive(Debug, Clone, clap::Args)]
pub struct Groups {
    /// Ids of groups, as `groups ls` prints them
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// Only errored runs that this filter matches, of every group or of those named; never empty
    #[arg(long, allow_hyphen_values = true)]
    pub filter: Option<String>,
    #[command(flatten)]
    pub pace: Pace,
    #[command(flatten)]
    pub verb: Consent,
}

/// `groups retry`.
#[derive(Debug, clap::Args)]
pub struct GroupsRetry {
    #[command(flatten)]
    pub groups: Groups,
    /// deployed, original (each run's own) or a number
    #[arg(long)]
    pub version: Option<With>,
    /// A new Idempotency-Key each: the target may act twice
    #[arg(long)]
    pub fresh_key: bool,
}

/// `groups skip`.
#[derive(Debug, clap::Args)]
pub struct GroupsSkip {
    #[command(flatten)]
    pub groups: Groups,
    /// A JSON object that takes the place of each step's outputs
    #[arg(long, value_name = "JSON")]
    pub stand_in: Option<String>,
}
