//! `integrations`: lists, pauses.

use super::{Consent, Later};
use clap::Subcommand;

/// `integrations`.
#[derive(Debug, Subcommand)]
pub enum IntegrationsCommand {
    /// All of them
    Ls,
    /// One of them
    Show {
        /// The integration's name
        name: String,
    },
    #[command(hide = true)]
    History(Later),
    #[command(hide = true)]
    Diff(Later),
    #[command(hide = true)]
    Rollback(Later),
    /// Answers 503 to senders, or holds the runs of what they send
    Pause {
        /// The integration, or one of its flows
        #[arg(value_name = "NAME[/FLOW]")]
        target: String,
        /// Goes on taking requests and holds their runs
        #[arg(long)]
        hold: bool,
        /// Ends by itself after this time: 90s, 1h, 2d
        #[arg(long = "for", value_name = "TIME")]
        lasts: Option<String>,
        #[command(flatten)]
        verb: Consent,
    },
    /// Ends a pause; what was held goes on
    Resume {
        /// The integration, or one of its flows
        #[arg(value_name = "NAME[/FLOW]")]
        target: String,
        #[command(flatten)]
        verb: Consent,
    },
}
