//! Takes requests in: an accept loop with limits and deadlines, warp filters inside it, the
//! judgement of each request in the contract's order, and an answer only after the commit that
//! makes it true.
//!
//! | file | holds |
//! |---|---|
//! | `accept` | the loop over the listener: permits, back-off, the stop |
//! | `pulse` | what a connection is doing, and until when it may |
//! | `connection` | one connection under hyper, cut at its deadlines |
//! | `entry` | what stands between hyper and the filters: hosts, headers, the sender's address |
//! | `route` | the warp filters |
//! | `ingest` | `/in/…`: judge, store, answer |
//! | `judge` | the pure parts of that judgement |
//! | `auth` | whether the sender is let in |
//! | `gates` | `rate_limit`, pauses |
//! | `gunzip` | gzip bodies, expanded under their bound |
//! | `body` | bodies under a cap and a deadline, and what is done with the rest of a refused one |
//! | `answer` | answers and RFC 9457 problems |
//! | `refuse` | refusals: stored, answered, the rest of the body dropped |
//! | `reply` | senders that wait for their run |
//! | `overdue` | runs that end with the time of a sender that is gone |
//! | `status` | `/status/…` |
//! | `callback` | `/callback/…` |
//! | `tls` | HTTPS: files, handshake |
//! | `probe` | looks at our own `/healthz` through the listening address |
//! | `proofs` | tokens that were verified a moment ago |

mod accept;
mod answer;
mod auth;
mod body;
mod callback;
mod connection;
mod entry;
mod gates;
mod gunzip;
mod ingest;
mod judge;
mod overdue;
mod probe;
mod proofs;
mod pulse;
mod refuse;
mod reply;
mod route;
mod status;
mod tls;

pub use accept::serve;
pub use tls::Tls;

use crate::feed::{Feed, Stats};
use crate::model::settings::Settings;
use crate::scheduler::Slots;
use crate::store::Store;
use crate::vault::Vault;
use std::sync::Arc;

/// What the receiver works with.
#[derive(Clone)]
pub struct Deps {
    /// Where requests are committed.
    pub store: Store,
    /// Asked for a slot, so that the first step of a run may leave without a claim.
    pub slots: Slots,
    /// Reads the tokens of callbacks.
    pub vault: Vault,
    /// Counts what was promised, and holds what the self-probe found.
    pub stats: Arc<Stats>,
    /// Bounds and addresses.
    pub settings: Arc<Settings>,
    /// Where changes go.
    pub feed: Feed,
    /// Serves HTTPS.
    pub tls: Option<Tls>,
}

#[cfg(test)]
mod tests;
