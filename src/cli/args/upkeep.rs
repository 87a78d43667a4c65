//! Arguments of what is done to the house itself: its store, its settings.

use clap::Subcommand;
use std::path::PathBuf;

/// What of the store.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Copies the store into a new file, as of one moment, beside a running server or without one
    Backup {
        /// The new file
        file: PathBuf,
    },
}

/// What of the settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Prints where the configuration file is, or would be
    Path,
    /// Lists the settings that a server would start with, given the same flags, each with who said it: flag,
    /// environment, file or default
    Show,
}
