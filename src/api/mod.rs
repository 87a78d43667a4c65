//! The desk over HTTP on a unix socket in the data folder: the server, and the client that command
//! line and attached consoles use.
//!
//! Three routes: `POST /ask` takes `{"who":…,"ask":…}` and gives an answer or a refusal as JSON,
//! `GET /changes` streams what changed as a line of JSON each, `GET /metrics` is for Prometheus.
//! The socket is the lock on the door: whoever may open it may do what the desk does.

mod client;
mod metrics;
mod metrics_door;
mod peer;
mod server;
mod wire;

#[cfg(test)]
mod tests;

pub use client::{ChangeStream, Client};
pub use metrics::prometheus;
pub use metrics_door::serve_metrics;
pub use server::{BindError, Door, serve};

/// The socket's name in the data folder.
pub const SOCKET: &str = "socket";

/// What both ends say they are, in the header [`VERSION_HEADER`].
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Names the version of either end.
pub const VERSION_HEADER: &str = "pointsman-version";

/// Bytes of a question.
pub const MAX_ASK: usize = 8 << 20;
