//! The desk over HTTP, on a unix socket in the data folder and, where it is asked for, over TCP: the
//! servers, and the client that command line and attached consoles use.
//!
//! `POST /ask` takes `{"who":…,"ask":…}` and gives an answer or a refusal as JSON; `POST /changes` takes
//! `{"who":…,"place":…}` and is a console's link: a line of JSON for all that changed, from its place on
//! where it had one, and an empty line now and then; `GET /changes` streams for who only looks;
//! `GET /metrics` is for Prometheus.
//!
//! The socket is the lock on its door: whoever may open it may do what the desk does. Over TCP a
//! token says who it is and what they may do, whatever they write of themselves.
//!
//! | file | holds |
//! |---|---|
//! | `server`, `operators_door`, `metrics_door` | the three listeners |
//! | `serving` | one connection: who asks, and what is answered |
//! | `stall` | cuts who does not read |
//! | `client`, `way` | the asking end, and how it gets there |
//! | `wire` | what stands around the desk's own types |

mod client;
mod metrics;
mod metrics_door;
mod operators_door;
mod peer;
mod server;
mod serving;
mod stall;
mod way;
mod wire;

#[cfg(test)]
mod tests;

pub use client::{ChangeStream, Client};
pub use metrics::prometheus;
pub use metrics_door::serve_metrics;
pub use operators_door::serve_operators;
pub use server::{BindError, Door, serve};
pub use way::Url;

/// Says a line to whoever keeps the log.
pub type Tell = std::sync::Arc<dyn Fn(&str) + Send + Sync>;

/// The socket's name in the data folder.
pub const SOCKET: &str = "socket";

/// What both ends say they are, in the header [`VERSION_HEADER`].
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Names the version of either end.
pub const VERSION_HEADER: &str = "pointsman-version";

/// Bytes of a question.
pub const MAX_ASK: usize = 8 << 20;
