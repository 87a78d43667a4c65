//! `GET /status/<request>`: where a request stands, for the sender that was given the address with its
//! key, and for whoever the endpoint's own credentials let in.

use super::answer::{self, Problem};
use super::body::{self, Pieces};
use super::entry::Arrival;
use super::proofs::Proofs;
use super::{Deps, auth, judge};
use crate::model::RequestId;
use crate::model::document::{Auth, Trigger};
use crate::model::request::Verdict;
use crate::model::run::Given;
use crate::rules::answer as told;
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
    let request = deps.store.ids().parse::<RequestId>(id);
    let request = match request {
        Some(request) if may_see(deps, arrival, request).await => request,
        _ => return body::leave(arrival, answer::problem(&Problem::not_found()), pieces),
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

/// Whether the sender of this may see the request: it has its key, or what the live version of its
/// flow lets senders in by. A signature signs a body, and there is none here; an endpoint that takes
/// anyone shows nobody anything by that.
async fn may_see(deps: &Deps, arrival: &Arrival, request: RequestId) -> bool {
    let query = arrival.uri.query().unwrap_or_default();
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    if pairs.any(|(name, key)| name == "key" && deps.vault.is_status_key(request, &key)) {
        return true;
    }
    let Ok(Some(flow)) = deps.store.flow_of(request).await else { return false };
    let Some(plan) = deps.store.deployed_plan(flow) else { return false };
    let Trigger::Webhook(hook) = &plan.flow.trigger else { return false };
    match &hook.auth {
        Auth::None | Auth::Signature { .. } => false,
        known @ (Auth::Jwt { .. } | Auth::ApiKey { .. } | Auth::Basic { .. }) => {
            auth::head(deps, known, &judge::headers(&arrival.headers), &Proofs::none()).is_ok()
        }
    }
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
    let mut response = answer::out(told::json(StatusCode::OK, body.to_string()));
    if !rests(state) {
        response.headers_mut().insert(RETRY_AFTER, told::ASK_AGAIN);
    }
    told::name_request(&mut response, id);
    response
}

/// An answer as it was or would have been given.
fn of(given: &Given) -> serde_json::Value {
    if given.problem {
        let headers = json!([["content-type", "application/problem+json"]]);
        let body = told::problem_body(given.status, &given.body).to_string();
        return json!({ "status": given.status, "headers": headers, "body": body });
    }
    json!({ "status": given.status, "headers": given.headers, "body": given.body })
}
