//! The warp filters: which path leads where.

use super::answer::{self, Problem};
use super::callback::Callbacks;
use super::entry::Arrival;
use super::ingest::Ingest;
use super::{Deps, body};
use std::convert::Infallible;
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
}

/// All routes of the public listener. What is not here is a 404; `/status/…` comes with the reply
/// modes that lead to it.
pub(super) fn filters(
    deps: Arc<Deps>,
    stop: CancellationToken,
) -> impl Filter<Extract = (Response,), Error = Infallible> + Clone {
    let rooms = Arc::new(Rooms {
        ingest: Ingest::new(Arc::clone(&deps)),
        callbacks: Callbacks::new(Arc::clone(&deps)),
        deps,
        stop,
    });
    let (for_inlet, for_callback) = (Arc::clone(&rooms), Arc::clone(&rooms));
    let inlet = warp::path("in").and(warp::ext::get::<Arc<Arrival>>()).and(warp::body::stream()).then(
        move |arrival: Arc<Arrival>, pieces| {
            let rooms = Arc::clone(&for_inlet);
            async move { rooms.ingest.receive(&arrival, pieces).await }
        },
    );
    let callback = warp::path("callback")
        .and(warp::ext::get::<Arc<Arrival>>())
        .and(warp::body::stream())
        .then(move |arrival: Arc<Arrival>, pieces| {
            let rooms = Arc::clone(&for_callback);
            async move { rooms.callbacks.receive(&arrival, pieces).await }
        });
    let alive = warp::path("healthz")
        .and(warp::path::end())
        .and(warp::method())
        .map(|method| looked_at(&method, true));
    let ready = warp::path("readyz")
        .and(warp::path::end())
        .and(warp::method())
        .map(move |method| looked_at(&method, rooms.ready()));
    let unknown =
        warp::ext::get::<Arc<Arrival>>().and(warp::body::stream()).map(|arrival: Arc<Arrival>, pieces| {
            body::leave(&arrival, answer::problem(&Problem::not_found()), pieces)
        });
    inlet
        .or(callback)
        .unify()
        .or(alive)
        .unify()
        .or(ready)
        .unify()
        .or(unknown)
        .unify()
        .recover(rejected)
        .unify()
}

/// `/healthz` and `/readyz`: a status, no detail.
fn looked_at(method: &Method, well: bool) -> Response {
    match *method {
        Method::GET | Method::HEAD if well => answer::text(StatusCode::OK, "ok\n"),
        Method::GET | Method::HEAD => answer::problem(&Problem::unavailable()),
        _ => answer::problem(&Problem::method("only looked at", "GET, HEAD")),
    }
}

/// The last route takes everything, so this is never reached; the type does not know it.
async fn rejected(_: warp::Rejection) -> Result<Response, Infallible> {
    Ok(answer::problem(&Problem::not_found()))
}
