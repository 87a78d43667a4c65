//! `callbacks`.

use super::{List, Targets};
use clap::Subcommand;

/// `callbacks`.
#[derive(Debug, Subcommand)]
pub enum CallbacksCommand {
    /// Newest first
    Ls(List),
    /// One, with its URL; that is audited
    Show {
        /// Its id
        id: String,
    },
    /// Gives the answer by hand, in place of the POST that does not come
    Complete(Complete),
    /// Waits longer: from the deadline on, or from now where it is past
    Extend(Extend),
    /// Waits no longer: the step fails
    Cancel(Targets),
}

/// `callbacks complete`.
#[derive(Debug, clap::Args)]
pub struct Complete {
    /// The code of the answer: 200 to 599, not 202
    #[arg(long, default_value_t = 200)]
    pub status: u16,
    /// The answer, JSON or text: what later steps see of the step; - is stdin
    #[arg(
        long,
        value_name = "JSON",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    pub body: String,
    #[command(flatten)]
    pub targets: Targets,
}

/// `callbacks extend`.
#[derive(Debug, clap::Args)]
pub struct Extend {
    /// For how much longer: 30m, 1d
    #[arg(long, value_name = "DURATION")]
    pub by: String,
    #[command(flatten)]
    pub targets: Targets,
}
