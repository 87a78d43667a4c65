//! What senders are refused with, and answers on their way out. The answers themselves are made in
//! `rules::answer`.

use crate::rules::answer::{self, Answer, Explains};
use serde_json::Value;
use std::borrow::Cow;
use warp::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use warp::http::{HeaderValue, StatusCode};
use warp::reply::Response;

/// Seconds after which a refusal that is nobody's fault may be tried again.
pub(super) const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("10");

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
    /// A header that explains the status.
    pub(super) header: Option<Box<Explains>>,
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

    /// The answer that tells it.
    pub(super) fn answer(&self) -> Answer {
        answer::problem(self.status, &self.detail, self.header.as_deref())
    }
}

/// The answer that tells a problem, on its way out.
pub(super) fn problem(problem: &Problem) -> Response {
    out(problem.answer())
}

/// An answer on its way out.
pub(super) fn out(answer: Answer) -> Response {
    answer.map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_what_helps_its_sender() {
        let response = problem(&Problem::method("DELETE is not in methods", "POST, OPTIONS"));
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()["allow"], "POST, OPTIONS");
        assert_eq!(problem(&Problem::unavailable()).headers()["retry-after"], "10");
    }
}
