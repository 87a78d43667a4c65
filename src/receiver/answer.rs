//! Answers to senders, and the problems (RFC 9457) that refusals are answered with.

use crate::model::run::{Given, RunState};
use crate::model::{IdKey, RequestId, RunId};
use crate::store::Admitted;
use serde_json::{Map, Value};
use std::borrow::Cow;
use warp::http::header::{ALLOW, CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use warp::http::{HeaderName, HeaderValue, StatusCode};
use warp::reply::Response;

/// Names the stored request on every answer that has one.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("pointsman-request-id");
/// Names the first request with the same dedup key, on a 204.
pub(super) const DUPLICATE_OF: HeaderName = HeaderName::from_static("pointsman-duplicate-of");

/// Seconds after which a refusal that is nobody's fault may be tried again.
pub(super) const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("10");
/// Seconds after which a run that goes on may be asked for again.
pub(super) const ASK_AGAIN: HeaderValue = HeaderValue::from_static("1");
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
    /// What the operator can be shown beside it.
    pub(super) evidence: Option<Box<Value>>,
    /// A header that explains the status: `Allow`, `Accept-Encoding`, `WWW-Authenticate`.
    pub(super) header: Option<Box<(HeaderName, HeaderValue)>>,
}

impl Problem {
    /// A status and why.
    pub(super) fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, detail: detail.into(), cause: None, evidence: None, header: None }
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

    /// Not let in. The sender learns the scheme, and nothing about why.
    pub(super) fn unauthorized(cause: String, evidence: Option<Value>, challenge: HeaderValue) -> Self {
        Self {
            header: Some(Box::new((WWW_AUTHENTICATE, challenge))),
            evidence: evidence.map(Box::new),
            ..Self::new(StatusCode::UNAUTHORIZED, cause)
        }
    }

    /// A 503 of a server that is well: as many runs wait as may.
    pub(super) fn busy() -> Self {
        Self { detail: Cow::Borrowed("too many runs wait, please try again"), ..Self::unavailable() }
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
    problem_with(problem, Map::new())
}

/// The members of a problem that every one has.
pub(super) fn problem_body(status: u16, detail: &str) -> Value {
    let title = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let mut body = serde_json::json!({
        "type": "about:blank",
        "title": title.unwrap_or("Refused"),
        "status": status,
    });
    // Why somebody was not let in is for the operator alone.
    if status != StatusCode::UNAUTHORIZED.as_u16() {
        body["detail"] = serde_json::json!(detail);
    }
    body
}

/// The answer that tells a problem, with members of its own.
fn problem_with(problem: &Problem, more: Map<String, Value>) -> Response {
    let mut body = problem_body(problem.status.as_u16(), &problem.detail);
    if let Value::Object(body) = &mut body {
        body.extend(more);
    }
    let mut response = with_body(problem.status, PROBLEM, body.to_string());
    if let Some(header) = &problem.header {
        response.headers_mut().insert(&header.0, header.1.clone());
    }
    response
}

/// A request that is kept, with its run or runs, and the state that is told of them.
#[derive(Clone, Copy)]
pub(super) struct Kept<'a> {
    /// Prints ids.
    pub(super) ids: &'a IdKey,
    /// What was committed.
    pub(super) admitted: &'a Admitted,
    /// Of its run, or of its runs taken together.
    pub(super) state: RunState,
}

impl Kept<'_> {
    /// `request`, `run` (`runs` of one that is split) and `state`.
    fn members(&self) -> Map<String, Value> {
        let run = |run: RunId| Value::String(self.ids.print(run));
        let mut members = Map::new();
        members.insert("request".to_owned(), Value::String(self.ids.print(self.admitted.request)));
        match (&self.admitted.split, self.admitted.run) {
            (Some(runs), _) => {
                members.insert("runs".to_owned(), runs.iter().map(|(id, _)| run(*id)).collect());
            }
            (None, Some((id, _))) => {
                members.insert("run".to_owned(), run(id));
            }
            (None, None) => {}
        }
        members.insert("state".to_owned(), Value::from(self.state.word()));
        members
    }

    fn named(&self, mut response: Response) -> Response {
        name_request(&mut response, self.ids.print(self.admitted.request));
        response
    }

    /// 200 with what is kept.
    pub(super) fn accepted(&self) -> Response {
        self.named(json(StatusCode::OK, Value::Object(self.members()).to_string()))
    }

    /// 202: it goes on, and can be asked for at this address.
    pub(super) fn later(&self, status_url: &str) -> Response {
        let mut members = self.members();
        members.insert("status_url".to_owned(), Value::from(status_url));
        let mut response = json(StatusCode::ACCEPTED, Value::Object(members).to_string());
        response.headers_mut().insert(RETRY_AFTER, ASK_AGAIN);
        self.named(response)
    }

    /// A problem with what is kept, and where it can be asked for.
    pub(super) fn problem(&self, problem: &Problem, status_url: Option<&str>) -> Response {
        let mut members = self.members();
        members.extend(status_url.map(|url| ("status_url".to_owned(), Value::from(url))));
        self.named(problem_with(problem, members))
    }
}

/// The answer of a `respond` step, as the flow wrote it.
pub(super) fn given(given: &Given, request: String) -> Response {
    let mut response = Response::new(given.body.clone().into());
    *response.status_mut() = StatusCode::from_u16(given.status).unwrap_or(StatusCode::OK);
    for (name, value) in &given.headers {
        let name = HeaderName::try_from(name.as_str());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value.as_bytes())) {
            response.headers_mut().append(name, value);
        }
    }
    name_request(&mut response, request);
    response
}

/// Adds `Location`.
pub(super) fn locate(response: &mut Response, path: &str) {
    if let Ok(path) = HeaderValue::try_from(path) {
        response.headers_mut().insert(LOCATION, path);
    }
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

/// `200 {"request","state":"filtered"}`: the trigger's `when` is false, and it is stored. `captured`
/// where it was stored for a capture on a flow that is not deployed.
pub(super) fn filtered(ids: &IdKey, request: RequestId, captured: bool) -> Response {
    let request = ids.print(request);
    let state = if captured { "captured" } else { "filtered" };
    let mut response = json(StatusCode::OK, format!("{{\"request\":\"{request}\",\"state\":\"{state}\"}}"));
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
    fn who_is_not_let_in_learns_the_scheme_and_nothing_more() {
        let challenge = HeaderValue::from_static("Bearer realm=\"pointsman\"");
        let [one, other] = ["no key matches", "key `acme` is HS256, the token says RS256"].map(|cause| {
            let response =
                problem(&Problem::unauthorized(cause.into(), Some(serde_json::json!({})), challenge.clone()));
            assert_eq!(
                (response.status().as_u16(), &response.headers()["www-authenticate"]),
                (401, &challenge)
            );
            format!("{:?} {:?}", response.headers(), response.body())
        });
        assert_eq!(one, other);
        assert!(!one.contains("key"));
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

    fn admitted(runs: Option<Vec<(RunId, RunState)>>) -> Admitted {
        let request = RequestId(first_at(1_795_008_715_120));
        let run = Some((RunId(request.0), RunState::Queued)).filter(|_| runs.is_none());
        let verdict = crate::model::request::Verdict::Accepted;
        Admitted { request, verdict, run, split: runs, duplicate_of: None }
    }

    async fn body(response: Response) -> Value {
        let bytes = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[tokio::test]
    async fn what_is_kept_is_told_in_each_form() {
        let ids = IdKey::new([3; 16]);
        let one = admitted(None);
        let kept = Kept { ids: &ids, admitted: &one, state: RunState::Waiting };
        let (request, run) = (ids.print(one.request), ids.print(RunId(one.request.0)));
        let wanted = serde_json::json!({ "request": request, "run": run, "state": "waiting" });
        assert_eq!(body(kept.accepted()).await, wanted);
        let response = kept.later("http://h/status/x");
        assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (202, &ASK_AGAIN));
        assert_eq!(response.headers()[REQUEST_ID], request.as_str());
        assert_eq!(body(response).await["status_url"], "http://h/status/x");
        let problem = Problem::new(StatusCode::CONFLICT, "the run was aborted");
        let told = body(kept.problem(&problem, Some("http://h/status/x"))).await;
        for (member, value) in
            [("status", "409"), ("detail", "\"the run was aborted\""), ("state", "\"waiting\"")]
        {
            assert_eq!(told[member].to_string(), value);
        }
        let many = admitted(Some(vec![(RunId(5), RunState::Queued), (RunId(6), RunState::Queued)]));
        let kept = Kept { ids: &ids, admitted: &many, state: RunState::Queued };
        let told = body(kept.accepted()).await;
        assert_eq!(told["runs"], serde_json::json!([ids.print(RunId(5)), ids.print(RunId(6))]));
        assert!(told.get("run").is_none());
        let none = admitted(Some(Vec::new()));
        let kept = Kept { ids: &ids, admitted: &none, state: RunState::Succeeded };
        assert_eq!(body(kept.accepted()).await["runs"], serde_json::json!([]));
    }

    #[test]
    fn a_given_answer_keeps_its_headers_but_not_what_is_no_header() {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let answer = Given {
            status: 299,
            headers: vec![header("X-A", "1"), header("x-a", "é"), header("a b", "1"), header("X-B", "1\n2")],
            body: "{}".to_owned(),
            problem: false,
        };
        let response = given(&answer, "r-1".to_owned());
        assert_eq!(
            (response.status().as_u16(), &response.headers()[REQUEST_ID]),
            (299, &HeaderValue::from_static("r-1"))
        );
        assert_eq!(response.headers().get_all("x-a").iter().count(), 2);
        assert!(response.headers().get("x-b").is_none());
    }
}
