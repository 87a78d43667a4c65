//! `jobs`, and what makes a job of a verb.

use super::Consent;
use crate::model::rate::RateLimit;
use clap::Subcommand;

/// How fast a verb on many goes, and whether it is waited for.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Pace {
    /// At most so many objects in a time, as a job: 50/s, 600/m, 1000/h
    #[arg(long, value_name = "RATE", env = "POINTSMAN_RATE")]
    pub rate: Option<RateLimit>,
    /// Halts after so many failures in a row, as a job: what is left stays as it is until
    /// `jobs resume`
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub stop_after: Option<u32>,
    /// Of a job: tells how far it is where no terminal is, too
    #[arg(long)]
    pub follow: bool,
    /// Of a job: does not wait for its end
    #[arg(long, conflicts_with = "follow")]
    pub detach: bool,
}

/// `jobs`.
#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// Newest first
    Ls {
        /// At most so many; 0 is all
        #[arg(long, default_value_t = 100, env = "POINTSMAN_LIMIT")]
        limit: u32,
    },
    /// One: who, when, why, how far
    Show {
        /// Its id
        id: String,
        /// Its objects in place of it, and what became of each
        #[arg(long)]
        objects: bool,
        /// At most so many objects; 0 is all
        #[arg(long, default_value_t = 100, env = "POINTSMAN_LIMIT")]
        limit: u32,
    },
    /// Stops one: what is left of it stays as it is
    Stop {
        /// Its id
        id: String,
        #[command(flatten)]
        verb: Consent,
    },
    /// Lets one go on that halted after failures in a row
    Resume {
        /// Its id
        id: String,
        #[command(flatten)]
        verb: Consent,
    },
}
