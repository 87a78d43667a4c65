//! What the operator set: the configuration file, the environment and the flags, already checked.

use super::document::Connection;
use super::gate::Inbound;
use super::time::{DAY, Ms};
use ipnet::IpNet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// Settings of one process.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The data folder.
    pub data: PathBuf,
    /// The address that is listened on.
    pub listen: SocketAddr,
    /// What senders and targets call us; `http://<listen>` where it was not given.
    pub public_url: String,
    /// Whether `public_url` was given.
    pub public_url_given: bool,
    /// Every verb is refused.
    pub read_only: bool,
    /// Bounds.
    pub limits: Limits,
    /// Networks that outgoing requests may reach beside the public ones; `None` where it was not
    /// given: loopback then is allowed as long as `listen` is loopback and `public_url` no other host.
    pub allow_networks: Option<Vec<IpNet>>,
    /// How the public listener is reached.
    pub inbound: Inbound,
    /// The operator's own connections.
    pub connections: Globals,
}

/// Connections that every integration may use, as `global/NAME`; they may hold credentials, and no
/// `Debug` shows them.
#[derive(Clone, Default, PartialEq)]
pub struct Globals(pub Arc<[Connection]>);

impl std::fmt::Debug for Globals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|connection| &connection.name)).finish()
    }
}

/// Bounds (`[limits]`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Until the headers must be there.
    pub header_deadline: Ms,
    /// Until the body must be there.
    pub body_deadline: Ms,
    /// How long a kept-alive connection may say nothing.
    pub idle: Ms,
    /// Queued runs, from which on requests are answered 503.
    pub queue: u64,
    /// Bytes of free disk, under which requests are answered 503.
    pub free_disk: u64,
    /// How long finished runs and requests are kept.
    pub retention: Ms,
    /// Bytes of the dedup table, past which header and `doctor` say so.
    pub dedup_memory: u64,
    /// Runs under way at once; one target takes half of them at most.
    pub slots: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            header_deadline: 10_000,
            body_deadline: 30_000,
            idle: 60_000,
            queue: 2_000_000,
            free_disk: 512 << 20,
            retention: 30 * DAY,
            dedup_memory: 512 << 20,
            slots: 512,
        }
    }
}
