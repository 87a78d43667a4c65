//! Options of a list of what is configured: it is read at once, and not long.

/// How much of it is shown.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Few {
    /// At most so many; 0 is all
    #[arg(long, default_value_t = 100, env = "POINTSMAN_LIMIT")]
    pub limit: u32,
}
