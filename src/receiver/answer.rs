//! Answers to senders, and the problems (RFC 9457) that refusals are answered with.

use crate::model::run::RunState;
use crate::model::{IdKey, RequestId, RunId};
use std::borrow::Cow;
use warp::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use warp::http::{HeaderName, HeaderValue, StatusCode};
use warp::reply::Response;

/// Names the stored request on every answer that has one.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("pointsman-request-id");
/// Names the first request with the same dedup key, on a 204.
pub(super) const DUPLICATE_OF: HeaderName = HeaderName::from_static("pointsman-duplicate-of");

/// Seconds after which a refusal that is nobody's fault may be tried again.
pub(super) const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("10");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// What is wrong, as the sender is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    /// HTTP status.
    pub(super) status: StatusCode,
    /// In words.
    pub(super) detail: Cow<'static, str>,
    /// What the operator is told, where that is more.
    pub(super) cause: Option<Cow<'static, str>>,
    /// A header that explains the status: `Allow`, `Accept-Encoding`.
    pub(super) header: Option<Box<(HeaderName, HeaderValue)>>,
}

impl Problem {
    /// A status and why.
    pub(super) fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, detail: detail.into(), cause: None, header: None }
    }

    /// The same with a cause that is for the operator alone.
    pub(super) fn caused(self, cause: impl Into<Cow<'static, str>>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }

    /// What is stored of it.
    pub(super) fn cause(&self) -> &str {
        self.cause.as_ref().unwrap_or(&self.detail)
    }

    /// There is nothing at this address; nothing more is said.
    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is nothing here")
    }

    /// A 503 without a reason: that is for the operator alone.
    pub(super) fn unavailable() -> Self {
        Self {
            header: Some(Box::new((RETRY_AFTER, RETRY_SECONDS))),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "not accepting at the moment, please try again")
        }
    }

    /// A method that is not taken here.
    pub(super) fn method(detail: impl Into<Cow<'static, str>>, allow: &str) -> Self {
        Self {
            header: HeaderValue::from_str(allow).ok().map(|allow| Box::new((ALLOW, allow))),
            ..Self::new(StatusCode::METHOD_NOT_ALLOWED, detail)
        }
    }
}

/// The answer that tells a problem.
pub(super) fn problem(problem: &Problem) -> Response {
    let body = serde_json::json!({
        "type": "about:blank",
        "title": problem.status.canonical_reason().unwrap_or("Refused"),
        "status": problem.status.as_u16(),
        "detail": problem.detail,
    });
    let mut response = with_body(problem.status, PROBLEM, body.to_string());
    if let Some(header) = &problem.header {
        response.headers_mut().insert(&header.0, header.1.clone());
    }
    response
}

/// A line for people.
pub(super) fn text(status: StatusCode, line: impl Into<String>) -> Response {
    with_body(status, TEXT, line.into())
}

/// A small JSON object.
pub(super) fn json(status: StatusCode, body: String) -> Response {
    with_body(status, JSON, body)
}

/// Nothing but a status.
pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

/// `200 {"request","run","state"}`: committed.
pub(super) fn accepted(ids: &IdKey, request: RequestId, run: RunId, state: RunState) -> Response {
    let request = ids.print(request);
    let mut body = String::with_capacity(136);
    body.push_str("{\"request\":\"");
    body.push_str(&request);
    body.push_str("\",\"run\":\"");
    body.push_str(&ids.print(run));
    body.push_str("\",\"state\":\"");
    body.push_str(state.word());
    body.push_str("\"}");
    let mut response = json(StatusCode::OK, body);
    name_request(&mut response, request);
    response
}

/// `200 {"request","state":"filtered"}`: the trigger's `when` is false, and it is stored.
pub(super) fn filtered(ids: &IdKey, request: RequestId) -> Response {
    let request = ids.print(request);
    let mut response = json(StatusCode::OK, format!("{{\"request\":\"{request}\",\"state\":\"filtered\"}}"));
    name_request(&mut response, request);
    response
}

/// 204: a request with the same dedup key came before.
pub(super) fn duplicate(ids: &IdKey, request: RequestId, first: Option<RequestId>) -> Response {
    let mut response = empty(StatusCode::NO_CONTENT);
    name_request(&mut response, ids.print(request));
    if let Some(Ok(first)) = first.map(|first| HeaderValue::try_from(ids.print(first))) {
        response.headers_mut().insert(DUPLICATE_OF, first);
    }
    response
}

/// Adds `Pointsman-Request-Id`.
pub(super) fn name_request(response: &mut Response, id: String) {
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
}

fn with_body(status: StatusCode, kind: HeaderValue, body: String) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::first_at;

    #[test]
    fn a_problem_is_an_object_of_rfc_9457() {
        let response = problem(&Problem::method("DELETE is not in methods", "POST, OPTIONS"));
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()["allow"], "POST, OPTIONS");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(problem(&Problem::unavailable()).headers()["retry-after"], "10");
    }

    #[test]
    fn answers_name_the_stored_request() {
        let ids = IdKey::new([3; 16]);
        let (first, second) =
            (RequestId(first_at(1_795_008_715_120)), RequestId(first_at(1_795_008_715_121)));
        let response = duplicate(&ids, second, Some(first));
        assert_eq!(response.status(), 204);
        assert_eq!(response.headers()[REQUEST_ID], ids.print(second).as_str());
        assert_eq!(response.headers()[DUPLICATE_OF], ids.print(first).as_str());
        let response = accepted(&ids, first, RunId(first.0), RunState::Queued);
        assert_eq!(response.headers()[REQUEST_ID], ids.print(first).as_str());
    }
}
