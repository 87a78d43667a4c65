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

/// All routes of the public listener. What is not here is a 404; `/status/…` comes with the reply
/// modes that lead to it.
pub(super) fn filters(
    deps: Arc<Deps>,
    stop: CancellationToken,
) -> impl Filter<Extract = (Response,), Error = Infallible> + Clone {
    let ingest = Arc::new(Ingest::new(Arc::clone(&deps)));
    let inlet = warp::path("in").and(warp::ext::get::<Arc<Arrival>>()).and(warp::body::stream()).then(
        move |arrival: Arc<Arrival>, pieces| {
            let ingest = Arc::clone(&ingest);
            async move { ingest.receive(&arrival, pieces).await }
        },
    );

    let callbacks = Arc::new(Callbacks::new(Arc::clone(&deps)));
    let callback = warp::path("callback")
        .and(warp::ext::get::<Arc<Arrival>>())
        .and(warp::body::stream())
        .then(move |arrival: Arc<Arrival>, pieces| {
            let callbacks = Arc::clone(&callbacks);
            async move { callbacks.receive(&arrival, pieces).await }
        });

    let alive = warp::path("healthz")
        .and(warp::path::end())
        .and(warp::method())
        .map(|method| looked_at(&method, true));
    let ready = warp::path("readyz").and(warp::path::end()).and(warp::method()).map(move |method| {
        let stopping = stop.is_cancelled() || deps.stats.stopping.load(Ordering::Relaxed);
        looked_at(&method, !stopping && deps.store.refuses().is_none())
    });

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
