//! What senders are answered, made of plain data. The receiver sends it, and what is shown later of a
//! stored request is made by the same functions: so both say the same.

use crate::model::id::IdKey;
use crate::model::run::{Given, RunState};
use crate::model::view::AnswerView;
use crate::model::{RequestId, RunId};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Map, Value};

/// An answer: status, headers in order, a body of text.
pub type Answer = Response<String>;

/// Names the stored request on every answer that has one.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("pointsman-request-id");
/// Names the first request with the same dedup key, on a 204.
pub const DUPLICATE_OF: HeaderName = HeaderName::from_static("pointsman-duplicate-of");

/// Seconds after which a run that goes on may be asked for again.
pub const ASK_AGAIN: HeaderValue = HeaderValue::from_static("1");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// A header that explains a status: `Allow`, `Accept-Encoding`, `WWW-Authenticate`, `Retry-After`.
pub type Explains = (HeaderName, HeaderValue);

/// The answer that tells a problem (RFC 9457).
#[must_use]
pub fn problem(status: StatusCode, detail: &str, header: Option<&Explains>) -> Answer {
    problem_with(status, detail, header, Map::new())
}

/// The members of a problem that every one has.
#[must_use]
pub fn problem_body(status: u16, detail: &str) -> Value {
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
fn problem_with(
    status: StatusCode,
    detail: &str,
    header: Option<&Explains>,
    more: Map<String, Value>,
) -> Answer {
    let mut body = problem_body(status.as_u16(), detail);
    if let Value::Object(body) = &mut body {
        body.extend(more);
    }
    let mut answer = with_body(status, PROBLEM, body.to_string());
    if let Some((name, value)) = header {
        answer.headers_mut().insert(name, value.clone());
    }
    answer
}

/// A request that is kept, with its run or runs, and the state that is told of them.
#[derive(Clone, Copy)]
pub struct Kept<'a> {
    /// Prints ids.
    pub ids: &'a IdKey,
    /// The request.
    pub request: RequestId,
    /// Its run; `None` of one that is split.
    pub run: Option<RunId>,
    /// The runs of one that is split, in the order of its elements.
    pub split: Option<&'a [(RunId, RunState)]>,
    /// Of its run, or of its runs taken together.
    pub state: RunState,
}

impl Kept<'_> {
    /// `request`, `run` (`runs` of one that is split) and `state`.
    fn members(&self) -> Map<String, Value> {
        let run = |run: RunId| Value::String(self.ids.print(run));
        let mut members = Map::new();
        members.insert("request".to_owned(), Value::String(self.ids.print(self.request)));
        match (self.split, self.run) {
            (Some(runs), _) => {
                members.insert("runs".to_owned(), runs.iter().map(|(id, _)| run(*id)).collect());
            }
            (None, Some(id)) => {
                members.insert("run".to_owned(), run(id));
            }
            (None, None) => {}
        }
        members.insert("state".to_owned(), Value::from(self.state.word()));
        members
    }

    fn named(&self, mut answer: Answer) -> Answer {
        name_request(&mut answer, self.ids.print(self.request));
        answer
    }

    /// 200 with what is kept.
    #[must_use]
    pub fn accepted(&self) -> Answer {
        // Nearly all are so: this one is written without a tree of values.
        if let (None, Some(run)) = (self.split, self.run) {
            return accepted(self.ids, self.request, run, self.state);
        }
        self.named(json(StatusCode::OK, Value::Object(self.members()).to_string()))
    }

    /// 202: it goes on, and can be asked for at this address.
    #[must_use]
    pub fn later(&self, status_url: &str) -> Answer {
        let mut members = self.members();
        members.insert("status_url".to_owned(), Value::from(status_url));
        let mut answer = json(StatusCode::ACCEPTED, Value::Object(members).to_string());
        answer.headers_mut().insert(RETRY_AFTER, ASK_AGAIN);
        self.named(answer)
    }

    /// A problem with what is kept, and where it can be asked for.
    #[must_use]
    pub fn problem(&self, status: StatusCode, detail: &str, status_url: Option<&str>) -> Answer {
        let mut members = self.members();
        members.extend(status_url.map(|url| ("status_url".to_owned(), Value::from(url))));
        self.named(problem_with(status, detail, None, members))
    }
}

/// `200 {"request","run","state"}`: committed.
fn accepted(ids: &IdKey, request: RequestId, run: RunId, state: RunState) -> Answer {
    let request = ids.print(request);
    let mut body = String::with_capacity(136);
    body.push_str("{\"request\":\"");
    body.push_str(&request);
    body.push_str("\",\"run\":\"");
    body.push_str(&ids.print(run));
    body.push_str("\",\"state\":\"");
    body.push_str(state.word());
    body.push_str("\"}");
    let mut answer = json(StatusCode::OK, body);
    name_request(&mut answer, request);
    answer
}

/// `200 {"request","state":"filtered"}`: the trigger's `when` is false, and it is stored. `captured`
/// where it was stored for a capture on a flow that is not deployed.
#[must_use]
pub fn filtered(ids: &IdKey, request: RequestId, captured: bool) -> Answer {
    let request = ids.print(request);
    let state = if captured { "captured" } else { "filtered" };
    let mut answer = json(StatusCode::OK, format!("{{\"request\":\"{request}\",\"state\":\"{state}\"}}"));
    name_request(&mut answer, request);
    answer
}

/// 204: a request with the same dedup key came before.
#[must_use]
pub fn duplicate(ids: &IdKey, request: RequestId, first: Option<RequestId>) -> Answer {
    let mut answer = empty(StatusCode::NO_CONTENT);
    name_request(&mut answer, ids.print(request));
    if let Some(Ok(first)) = first.map(|first| HeaderValue::try_from(ids.print(first))) {
        answer.headers_mut().insert(DUPLICATE_OF, first);
    }
    answer
}

/// The answer of a `respond` step, as the flow wrote it; what is no header is left out.
#[must_use]
pub fn given(given: &Given, request: String) -> Answer {
    let mut answer = Response::new(given.body.clone());
    *answer.status_mut() = StatusCode::from_u16(given.status).unwrap_or(StatusCode::OK);
    for (name, value) in &given.headers {
        let name = HeaderName::try_from(name.as_str());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value.as_bytes())) {
            answer.headers_mut().append(name, value);
        }
    }
    name_request(&mut answer, request);
    answer
}

/// Adds `Location`.
pub fn locate(answer: &mut Answer, path: &str) {
    if let Ok(path) = HeaderValue::try_from(path) {
        answer.headers_mut().insert(LOCATION, path);
    }
}

/// A line for people.
#[must_use]
pub fn text(status: StatusCode, line: impl Into<String>) -> Answer {
    with_body(status, TEXT, line.into())
}

/// A small JSON object.
#[must_use]
pub fn json(status: StatusCode, body: String) -> Answer {
    with_body(status, JSON, body)
}

/// Nothing but a status.
#[must_use]
pub fn empty(status: StatusCode) -> Answer {
    let mut answer = Answer::default();
    *answer.status_mut() = status;
    answer
}

/// Adds `Pointsman-Request-Id`.
pub fn name_request<T>(answer: &mut Response<T>, id: String) {
    if let Ok(id) = HeaderValue::try_from(id) {
        answer.headers_mut().insert(REQUEST_ID, id);
    }
}

fn with_body(status: StatusCode, kind: HeaderValue, body: String) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}

/// The header that the connection adds to what has a body.
const LENGTH: &str = "content-length";

/// An answer as it leaves, as text: with the length that the connection adds. `Date` and `Connection`
/// are the connection's own, and are not among them.
#[must_use]
pub fn view(answer: &Answer) -> AnswerView {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = answer.headers().iter();
    let mut headers: Vec<(String, String)> =
        headers.map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let body = answer.body();
    let bodiless = match answer.status() {
        StatusCode::NO_CONTENT => true,
        StatusCode::NOT_MODIFIED => body.is_empty(),
        _ => false,
    };
    if !bodiless && !answer.headers().contains_key(CONTENT_LENGTH) {
        headers.push((LENGTH.to_owned(), body.len().to_string()));
    }
    AnswerView { status: answer.status().as_u16(), headers, body: body.clone() }
}

/// An answer with the id of its stored request on it, where it is not yet: a refusal is made before its
/// request is stored.
#[must_use]
pub fn named(mut answer: AnswerView, request: &str) -> AnswerView {
    let headers = &mut answer.headers;
    if !headers.iter().any(|(name, _)| *name == REQUEST_ID.as_str()) {
        let at = headers.iter().rposition(|(name, _)| name == LENGTH).unwrap_or(headers.len());
        headers.insert(at, (REQUEST_ID.as_str().to_owned(), request.to_owned()));
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::first_at;
    use http::header::{ALLOW, HeaderValue};

    #[test]
    fn a_problem_is_an_object_of_rfc_9457() {
        let allow = (ALLOW, HeaderValue::from_static("POST, OPTIONS"));
        let answer = problem(StatusCode::METHOD_NOT_ALLOWED, "DELETE is not in methods", Some(&allow));
        assert_eq!(answer.status(), 405);
        assert_eq!(answer.headers()["allow"], "POST, OPTIONS");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let body: Value = serde_json::from_str(answer.body()).unwrap();
        assert_eq!(
            body,
            serde_json::json!({ "type": "about:blank", "title": "Method Not Allowed", "status": 405,
                "detail": "DELETE is not in methods" })
        );
    }

    #[test]
    fn who_is_not_let_in_learns_the_scheme_and_nothing_more() {
        let challenge =
            (http::header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"pointsman\""));
        let [one, other] = ["no key matches", "key `acme` is HS256, the token says RS256"].map(|cause| {
            let answer = problem(StatusCode::UNAUTHORIZED, cause, Some(&challenge));
            assert_eq!(
                (answer.status().as_u16(), &answer.headers()["www-authenticate"]),
                (401, &challenge.1)
            );
            format!("{:?} {}", answer.headers(), answer.body())
        });
        assert_eq!(one, other);
        assert!(!one.contains("key"));
    }

    fn ids() -> (IdKey, RequestId, RequestId) {
        let at = |ms: i64| RequestId(first_at(1_795_008_715_120 + ms));
        (IdKey::new([3; 16]), at(0), at(1))
    }

    #[test]
    fn answers_name_the_stored_request() {
        let (ids, first, second) = ids();
        let answer = duplicate(&ids, second, Some(first));
        assert_eq!(answer.status(), 204);
        assert_eq!(answer.headers()[REQUEST_ID], ids.print(second).as_str());
        assert_eq!(answer.headers()[DUPLICATE_OF], ids.print(first).as_str());
        let answer = accepted(&ids, first, RunId(first.0), RunState::Queued);
        assert_eq!(answer.headers()[REQUEST_ID], ids.print(first).as_str());
    }

    fn body(answer: &Answer) -> Value {
        serde_json::from_str(answer.body()).unwrap()
    }

    #[test]
    fn what_is_kept_is_told_in_each_form() {
        let (ids, id, _) = ids();
        let one =
            Kept { ids: &ids, request: id, run: Some(RunId(id.0)), split: None, state: RunState::Waiting };
        let (request, run) = (ids.print(id), ids.print(RunId(id.0)));
        let wanted = serde_json::json!({ "request": request, "run": run, "state": "waiting" });
        assert_eq!(body(&one.accepted()), wanted);
        assert_eq!(Value::Object(one.members()), wanted, "written by hand and as a tree it is the same");
        let answer = one.later("http://h/status/x");
        assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (202, &ASK_AGAIN));
        assert_eq!(answer.headers()[REQUEST_ID], request.as_str());
        assert_eq!(body(&answer)["status_url"], "http://h/status/x");
        let told = body(&one.problem(StatusCode::CONFLICT, "the run was aborted", Some("http://h/status/x")));
        for (member, value) in
            [("status", "409"), ("detail", "\"the run was aborted\""), ("state", "\"waiting\"")]
        {
            assert_eq!(told[member].to_string(), value);
        }
        let many = [(RunId(5), RunState::Queued), (RunId(6), RunState::Queued)];
        let split = |runs| Kept { run: None, split: Some(runs), state: RunState::Queued, ..one };
        let told = body(&split(&many).accepted());
        assert_eq!(told["runs"], serde_json::json!([ids.print(RunId(5)), ids.print(RunId(6))]));
        assert!(told.get("run").is_none());
        assert_eq!(body(&split(&[]).accepted())["runs"], serde_json::json!([]));
    }

    #[test]
    fn a_given_answer_keeps_its_headers_but_not_what_is_no_header() {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let wanted = Given {
            status: 299,
            headers: vec![header("X-A", "1"), header("x-a", "é"), header("a b", "1"), header("X-B", "1\n2")],
            body: "{}".to_owned(),
            problem: false,
        };
        let answer = given(&wanted, "r-1".to_owned());
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()[REQUEST_ID]),
            (299, &HeaderValue::from_static("r-1"))
        );
        assert_eq!(answer.headers().get_all("x-a").iter().count(), 2);
        assert!(answer.headers().get("x-b").is_none());
    }

    #[test]
    fn what_is_shown_is_what_left() {
        let (ids, first, second) = ids();
        let id = ids.print(second);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let shown = named(view(&duplicate(&ids, second, Some(first))), &id);
        let wanted = [pair("pointsman-request-id", &id), pair("pointsman-duplicate-of", &ids.print(first))];
        assert_eq!((shown.status, shown.headers.as_slice(), shown.body.as_str()), (204, &wanted[..], ""));
        // A refusal is made before its request has an id.
        let refused = problem(StatusCode::PAYLOAD_TOO_LARGE, "too long", None);
        let shown = named(view(&refused), &id);
        let length = refused.body().len().to_string();
        let wanted = [
            pair("content-type", "application/problem+json"),
            pair("pointsman-request-id", &id),
            pair("content-length", &length),
        ];
        assert_eq!((shown.headers.as_slice(), &shown.body), (&wanted[..], refused.body()));
    }
}
