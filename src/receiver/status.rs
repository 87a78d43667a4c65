//! `GET /status/<request>?key=…`: where a request stands, for the sender that was given the address.

use super::Deps;
use super::answer::{self, Problem};
use super::body::{self, Pieces};
use super::entry::Arrival;
use crate::model::RequestId;
use crate::model::request::Verdict;
use crate::model::run::Given;
use crate::rules::reply::{rests, state_of};
use crate::store::RequestStatus;
use serde_json::json;
use warp::http::header::{CACHE_CONTROL, RETRY_AFTER};
use warp::http::{HeaderValue, Method, StatusCode};
use warp::reply::Response;

/// The path of a request's status, with its key: what `Location` says.
pub(super) fn path(deps: &Deps, request: RequestId) -> String {
    format!("/status/{}?key={}", deps.store.ids().print(request), deps.vault.status_key(request))
}

/// The absolute address of a request's status: `status_url`.
pub(super) fn url(deps: &Deps, request: RequestId) -> String {
    format!("{}{}", deps.settings.public_url.trim_end_matches('/'), path(deps, request))
}

/// Answers a request under `/status/`.
pub(super) async fn show(deps: &Deps, arrival: &Arrival, pieces: impl Pieces) -> Response {
    let id = arrival.uri.path().strip_prefix("/status/").unwrap_or_default();
    let request = deps.store.ids().parse::<RequestId>(id).filter(|request| may_see(deps, arrival, *request));
    let Some(request) = request else {
        return body::leave(arrival, answer::problem(&Problem::not_found()), pieces);
    };
    if !matches!(arrival.method, Method::GET | Method::HEAD) {
        let problem = Problem::method("a status is only looked at", "GET, HEAD");
        return body::leave(arrival, answer::problem(&problem), pieces);
    }
    arrival.pulse.busy();
    let mut response = match deps.store.request_status(request).await {
        Ok(Some(status)) => shown(deps, request, &status),
        // Kept for a while, then deleted.
        Ok(None) => answer::problem(&Problem::not_found()),
        Err(_) => answer::problem(&Problem::unavailable()),
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    body::leave(arrival, response, pieces)
}

/// Whether the sender of this may see the request: it has the key. (What else lets senders in, the
/// endpoint's own credentials, is to be judged here too, by the flow that the request came to.)
fn may_see(deps: &Deps, arrival: &Arrival, request: RequestId) -> bool {
    let query = arrival.uri.query().unwrap_or_default();
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.any(|(name, key)| name == "key" && deps.vault.is_status_key(request, &key))
}

fn shown(deps: &Deps, request: RequestId, status: &RequestStatus) -> Response {
    let ids = deps.store.ids();
    let state = state_of(status.runs.iter().map(|(_, state)| *state));
    // A request that began no run stands where it was judged to stand.
    let word = match status.verdict {
        Verdict::Accepted => state.word(),
        other if status.runs.is_empty() => other.word(),
        _ => state.word(),
    };
    let runs: Vec<_> = status
        .runs
        .iter()
        .map(|(run, state)| json!({ "run": ids.print(*run), "state": state.word() }))
        .collect();
    let id = ids.print(request);
    let body = json!({ "request": id, "state": word, "runs": runs, "answer": status.given.as_ref().map(of) });
    let mut response = answer::json(StatusCode::OK, body.to_string());
    if !rests(state) {
        response.headers_mut().insert(RETRY_AFTER, answer::ASK_AGAIN);
    }
    answer::name_request(&mut response, id);
    response
}

/// An answer as it was or would have been given.
fn of(given: &Given) -> serde_json::Value {
    if given.problem {
        let headers = json!([["content-type", "application/problem+json"]]);
        let body = answer::problem_body(given.status, &given.body).to_string();
        return json!({ "status": given.status, "headers": headers, "body": body });
    }
    json!({ "status": given.status, "headers": given.headers, "body": given.body })
}
