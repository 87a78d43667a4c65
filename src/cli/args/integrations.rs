//! `integrations`: lists, versions, pauses.

use super::{Consent, Few};
use clap::Subcommand;

/// `integrations`.
#[derive(Debug, Subcommand)]
pub enum IntegrationsCommand {
    /// All of them
    Ls(Few),
    /// One of them
    Show {
        /// The integration's name
        name: String,
    },
    /// Its versions, newest first: who saved them, when and why
    History {
        /// The integration's name
        name: String,
        /// At most so many; 0 is all
        #[arg(long, default_value_t = 100, env = "POINTSMAN_LIMIT")]
        limit: u32,
    },
    /// What differs between two versions: what is live and the newest, unless they are named
    Diff {
        /// The integration's name
        name: String,
        /// The version that lines are taken from; alone it is compared with what is live
        #[arg(value_name = "A", value_parser = version)]
        from: Option<u32>,
        /// The version that lines are added to
        #[arg(value_name = "B", value_parser = version)]
        to: Option<u32>,
    },
    /// Makes the text of an earlier version a new one, and that the live one
    Rollback {
        /// The integration's name
        name: String,
        /// Whose text it is
        #[arg(value_name = "V", value_parser = version)]
        version: u32,
        #[command(flatten)]
        verb: Consent,
    },
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

/// A version as people write it: `3` or `v3`.
fn version(text: &str) -> Result<u32, String> {
    let number = text.strip_prefix(['v', 'V']).unwrap_or(text).parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "a version is a number from 1 on, like 3 or v3".to_owned())
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn a_version_is_a_number_with_or_without_its_letter() {
        assert_eq!(version("3"), Ok(3));
        assert_eq!(version("v12"), Ok(12));
        for wrong in ["", "v", "0", "-1", "draft", "3.0"] {
            assert!(version(wrong).is_err(), "{wrong}");
        }
    }
}
