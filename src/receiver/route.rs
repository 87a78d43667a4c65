//! The warp filters: which path leads where.

use super::answer::{self, Problem};
use super::body::{self, Pieces};
use super::callback::Callbacks;
use super::entry::Arrival;
use super::ingest::Ingest;
use super::{Deps, status};
use crate::rules::answer as told;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio_util::sync::CancellationToken;
use warp::Filter;
use warp::http::{Method, StatusCode};
use warp::reply::Response;

/// What the routes share. One `Arc`: the filters are cloned for each request.
struct Rooms {
    ingest: Ingest,
    callbacks: Callbacks,
    deps: Arc<Deps>,
    stop: CancellationToken,
}

impl Rooms {
    /// Whether a request could be committed now.
    fn ready(&self) -> bool {
        let stopping = self.stop.is_cancelled() || self.deps.stats.stopping.load(Ordering::Relaxed);
        // A full queue of runs is not that: callbacks and refusals are committed all the same.
        !stopping && self.deps.store.takes_no_writes().is_none()
    }

    /// Which path leads where. What is not here is a 404.
    async fn answer(&self, arrival: &Arc<Arrival>, pieces: impl Pieces) -> Response {
        match arrival.uri.path() {
            path if path.starts_with("/in/") => self.ingest.receive(arrival, pieces).await,
            path if path.starts_with("/callback/") => self.callbacks.receive(arrival, pieces).await,
            path if path.starts_with("/status/") => status::show(&self.deps, arrival, pieces).await,
            "/healthz" => looked_at(&arrival.method, true),
            "/readyz" => looked_at(&arrival.method, self.ready()),
            _ => body::leave(arrival, answer::problem(&Problem::not_found()), pieces),
        }
    }
}

/// The public listener as one filter. Its paths are told apart by [`Rooms::answer`] and not by a
/// chain of filters: each link of one is a future around the next, and a request would be moved
/// through all of them.
pub(super) fn filters(
    deps: Arc<Deps>,
    stop: CancellationToken,
) -> impl Filter<Extract = (Response,), Error = warp::Rejection> + Clone {
    let rooms = Arc::new(Rooms {
        ingest: Ingest::new(Arc::clone(&deps), stop.clone()),
        callbacks: Callbacks::new(Arc::clone(&deps)),
        deps,
        stop,
    });
    warp::ext::get::<Arc<Arrival>>().and(warp::body::stream()).then(move |arrival: Arc<Arrival>, pieces| {
        let rooms = Arc::clone(&rooms);
        async move { rooms.answer(&arrival, pieces).await }
    })
}

/// `/healthz` and `/readyz`: a status, no detail.
fn looked_at(method: &Method, well: bool) -> Response {
    match *method {
        Method::GET | Method::HEAD if well => answer::out(told::text(StatusCode::OK, "ok\n")),
        Method::GET | Method::HEAD => answer::problem(&Problem::unavailable()),
        _ => answer::problem(&Problem::method("only looked at", "GET, HEAD")),
    }
}
