//! `groups retry|skip`.

use super::Consent;

/// Which groups a verb acts on.
#[derive(Debug, Clone, clap::Args)]
pub struct Groups {
    /// Ids of groups, as `groups ls` prints them
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// Only errored runs that this filter matches, of every group or of those named; never empty
    #[arg(long, allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// Objects a second
    #[arg(long, hide = true)]
    pub rate: Option<String>,
    #[command(flatten)]
    pub verb: Consent,
}
