//! `POST /callback/<token>`: the target of `X-Response-URL`, which finishes a step that waits.

use super::answer::{self, Problem};
use super::body::{self, Budget, Pieces};
use super::entry::Arrival;
use super::gunzip;
use super::{Deps, judge};
use crate::model::CallbackId;
use crate::model::ask::Refusal;
use crate::rules::advance::{Input, digest};
use crate::rules::answer as told;
use crate::vault::same;
use bytes::Bytes;
use std::sync::Arc;
use warp::http::{HeaderMap, Method, StatusCode};
use warp::reply::Response;

/// Bytes of a callback's body.
const MAX_BODY: u64 = 6 << 20;

/// What takes callbacks in; one for all connections.
pub(super) struct Callbacks {
    deps: Arc<Deps>,
    budget: Budget,
}

/// What a callback says.
struct Said {
    status: u16,
    body: Bytes,
}

impl Callbacks {
    /// With nothing being gathered.
    pub(super) fn new(deps: Arc<Deps>) -> Self {
        Self { deps, budget: Budget::default() }
    }

    /// Answers a request under `/callback/`.
    pub(super) async fn receive(&self, arrival: &Arrival, mut pieces: impl Pieces) -> Response {
        let token = arrival.uri.path().strip_prefix("/callback/").unwrap_or_default();
        let found = match self.deps.vault.read_token(token) {
            None => Err(Problem::not_found()),
            Some(_) if arrival.method != Method::POST => Err(Problem::method(
                format!("a callback is answered by POST, not {}", arrival.method),
                "POST",
            )),
            Some(found) => judge_head(&arrival.headers).map(|head| (found, head)),
        };
        let ((id, hash), (status, gzip)) = match found {
            Ok(found) => found,
            Err(problem) => return body::leave(arrival, answer::problem(&problem), pieces),
        };
        let body = match body::read(&mut pieces, MAX_BODY, &arrival.pulse, &self.budget).await {
            Ok(body) => body,
            Err((failed, part)) => {
                let limits = &self.deps.settings.limits;
                let framing = judge::framing(&arrival.headers);
                let problem = judge::unread(failed, MAX_BODY, limits.body_deadline, framing, part.len());
                return body::leave_unread(arrival, answer::problem(&problem), failed, pieces);
            }
        };
        arrival.pulse.busy();
        let body = if gzip {
            match gunzip::expand(body, MAX_BODY, &self.budget).await {
                Ok(body) => body,
                Err((torn, _)) => return answer::problem(&judge::torn(torn, MAX_BODY)),
            }
        } else {
            body
        };
        if std::str::from_utf8(&body).is_err() {
            return answer::problem(&judge::bad_request(
                "the body is neither JSON nor text: it is not UTF-8",
            ));
        }
        // Several tries may be needed under the run's guard: a sender that hangs up meanwhile must
        // not stop between them.
        let deps = Arc::clone(&self.deps);
        let moved =
            tokio::spawn(async move { answer_callback(&deps, id, hash, Said { status, body }).await });
        match moved.await {
            Ok(Ok(())) => answer::out(told::json(StatusCode::OK, "{\"state\":\"received\"}".to_owned())),
            Ok(Err(problem)) => answer::problem(&problem),
            Err(_) => answer::problem(&Problem::unavailable()),
        }
    }
}

/// Moves the run that waits.
async fn answer_callback(deps: &Deps, id: CallbackId, hash: [u8; 32], said: Said) -> Result<(), Problem> {
    let store = &deps.store;
    let Ok(found) = store.callback(id).await else { return Err(Problem::unavailable()) };
    // An unknown token and a forged one read the same row and look the same.
    let Some(callback) = found.filter(|callback| same(&callback.hash, &hash)) else {
        return Err(Problem::not_found());
    };
    let digest = digest(said.status, &said.body);
    let input = move |_: &_| Input::Callback { id, status: said.status, body: said.body.clone(), digest };
    match store.apply(callback.run, input).await {
        Ok(_) => Ok(()),
        Err(refusal) => judged(&refusal),
    }
}

/// What a refusal means to the sender; the same answer again is none.
fn judged(refusal: &Refusal) -> Result<(), Problem> {
    let status = match refusal.code.as_str() {
        "200" => return Ok(()),
        "404" | "not_found" => return Err(Problem::not_found()),
        "409" => StatusCode::CONFLICT,
        "410" => StatusCode::GONE,
        _ => return Err(Problem::unavailable()),
    };
    Err(Problem::new(status, refusal.message.clone()))
}

/// Everything that is judged before the body is read; the status that the callback gives, and
/// whether its body is gzipped.
fn judge_head(headers: &HeaderMap) -> Result<(u16, bool), Problem> {
    judge::declared_length(judge::framing(headers), MAX_BODY)?;
    let gzip = judge::encoding(headers)?;
    let mut statuses = headers.get_all("x-status-code").iter();
    let status = match (statuses.next(), statuses.next()) {
        (None, _) => return Ok((200, gzip)),
        (Some(status), None) => status.to_str().ok().map(str::trim).filter(|text| text.len() == 3),
        (Some(_), Some(_)) => None,
    };
    match status.and_then(|text| text.parse().ok()) {
        Some(status @ 200..=599) if status != 202 => Ok((status, gzip)),
        _ => Err(judge::bad_request("X-Status-Code is one number from 200 to 599, and not 202")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use warp::http::HeaderValue;

    fn status(values: &[&str]) -> Result<u16, u16> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("x-status-code", HeaderValue::from_str(value).unwrap());
        }
        judge_head(&headers).map(|(status, _)| status).map_err(|problem| problem.status.as_u16())
    }

    #[test]
    fn a_status_code_is_one_number_in_its_range() {
        assert_eq!(status(&[]), Ok(200));
        assert_eq!(status(&[" 201 "]), Ok(201));
        assert_eq!((status(&["200"]), status(&["599"])), (Ok(200), Ok(599)));
        for bad in ["199", "600", "202", "", "+20", "2e2", "abc", "0404", "2000", "-1"] {
            assert_eq!(status(&[bad]), Err(400), "{bad}");
        }
        assert_eq!(status(&["200", "200"]), Err(400));
    }

    #[test]
    fn code_and_body_together_tell_a_repeat() {
        let said = |status, body: &str| digest(status, body.as_bytes());
        assert_eq!(said(200, "{}"), said(200, "{}"));
        assert_ne!(said(200, "{}"), said(201, "{}"));
        assert_ne!(said(200, "{}"), said(200, "{ }"));
    }

    #[test]
    fn refusals_of_the_state_machine_become_statuses() {
        let status = |code| judged(&Refusal::refused(code, "x")).map_err(|problem| problem.status.as_u16());
        assert_eq!(status("200"), Ok(()));
        assert_eq!(status("404"), Err(404));
        assert_eq!(status("409"), Err(409));
        assert_eq!(status("410"), Err(410));
        assert_eq!(status("stale"), Err(503));
    }
}
