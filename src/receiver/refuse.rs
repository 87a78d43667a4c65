//! Refusals of a known endpoint: each is stored with its cause, answered, and the rest of its body
//! dropped.

use super::answer::{self, Problem};
use super::body::{self, Pieces};
use super::entry::Arrival;
use super::gunzip;
use super::ingest::Ingest;
use super::judge::{self, Framing};
use crate::model::document::{Auth, Trigger};
use crate::model::headers::Headers;
use crate::model::request::{Marks, Seed};
use crate::model::view::AnswerView;
use crate::model::{FlowId, RequestId};
use crate::rules::answer as told;
use crate::store::registry::Route;
use crate::store::{Accept, Judgement};
use bytes::Bytes;
use std::sync::Arc;
use warp::reply::Response;

/// Versions that are looked through for what a removed flow asked of its senders.
const LOOK_BACK: usize = 20;

/// The flow that a refusal is counted for.
#[derive(Clone, Copy)]
pub(super) struct Owner<'p> {
    pub(super) flow: FlowId,
    pub(super) version: u32,
    /// Which header carries its senders' credential.
    pub(super) auth: &'p Auth,
    /// The name that the flow gives its endpoint.
    pub(super) path: Option<&'p str>,
}

/// What there is of the body of a refused request.
pub(super) struct Part {
    pub(super) bytes: Bytes,
    /// Nothing is missing.
    pub(super) whole: bool,
    /// A gzip body, expanded.
    pub(super) expanded: bool,
}

impl Ingest {
    /// Who might send to a flow that was removed: its senders may still bring their key in a header
    /// of its own, and that is kept like any other credential.
    pub(super) fn last_auth(&self, flow: FlowId) -> Auth {
        let store = &self.deps.store;
        let state = store.configured();
        let owner = state.flows.get(&flow).map(|row| row.integration);
        let Some(holding) = owner.and_then(|owner| state.integrations.get(&owner)) else { return Auth::None };
        let versions = (1..=holding.latest).rev().take(LOOK_BACK);
        let mut plans = versions.filter_map(|version| store.plan(flow, version));
        match plans.next().map(|plan| plan.flow.trigger.clone()) {
            Some(Trigger::Webhook(hook)) => hook.auth,
            _ => Auth::None,
        }
    }

    /// Refuses a head that cannot be gone by: stored where its endpoint is known, and the connection
    /// ends, since nothing says where what comes next begins.
    pub(super) async fn refuse_head(
        &self,
        arrival: &Arrival,
        endpoint: &str,
        rest: &str,
        fault: &Problem,
        pieces: impl Pieces,
    ) -> Response {
        let plan;
        let auth;
        let store = &self.deps.store;
        let owner = match store.routes().by_name.get(endpoint) {
            Some(Route::Live(live)) => {
                plan = Arc::clone(live);
                let hook = plan.flow.webhook();
                let auth = hook.map_or(&Auth::None, |hook| &hook.auth);
                let path = hook.and_then(|hook| hook.path.as_deref());
                Some(Owner { flow: plan.flow_id, version: plan.version, auth, path })
            }
            Some(Route::Removed(flow)) => {
                auth = self.last_auth(*flow);
                Some(Owner { flow: *flow, version: 0, auth: &auth, path: None })
            }
            Some(Route::Draft(_)) | None => None,
        };
        let Some(owner) = owner else {
            return body::close(body::leave(arrival, answer::problem(fault), pieces));
        };
        body::close(self.refuse_unread(owner, arrival, rest, fault.clone(), pieces).await)
    }

    /// Refuses without having read the body: looks at what has come of it, answers, and drops the
    /// rest.
    pub(super) async fn refuse_unread(
        &self,
        owner: Owner<'_>,
        arrival: &Arrival,
        rest: &str,
        problem: Problem,
        mut pieces: impl Pieces,
    ) -> Response {
        arrival.pulse.busy();
        let (bytes, whole) = body::peek(arrival, &mut pieces).await;
        let part = Part { bytes, whole, expanded: false };
        let response = self.refuse(owner, arrival, rest, &problem, &part).await;
        if whole { response } else { body::leave(arrival, response, pieces) }
    }

    /// Stores a refusal and answers it.
    pub(super) async fn refuse(
        &self,
        owner: Owner<'_>,
        arrival: &Arrival,
        rest: &str,
        problem: &Problem,
        part: &Part,
    ) -> Response {
        arrival.pulse.busy();
        let mut answer = problem.answer();
        let told = told::view(&answer);
        if let Some(id) = self.keep(owner, arrival, rest, (problem, told), part).await {
            told::name_request(&mut answer, self.deps.store.ids().print(id));
        }
        answer::out(answer)
    }

    /// Stores a refused request and what its sender is told, with up to 64 KiB of its body; `None` where
    /// it was only counted.
    async fn keep(
        &self,
        owner: Owner<'_>,
        arrival: &Arrival,
        rest: &str,
        (problem, told): (&Problem, AnswerView),
        part: &Part,
    ) -> Option<RequestId> {
        let store = &self.deps.store;
        let gzip = matches!(judge::encoding(&arrival.headers), Ok(true)) && !part.bytes.is_empty();
        let (body, cut) = if gzip && !part.expanded {
            let (body, whole) = gunzip::glance(&part.bytes);
            (body, !whole)
        } else {
            body::cut(&part.bytes)
        };
        let (as_sent, headers_cut) = judge::first_headers(&arrival.headers);
        let headers = self.deps.vault.guarded(owner.flow, &as_sent, owner.auth.secret_header());
        let mut marks =
            target_marks(owner, arrival).with(framing_marks(judge::framing(&arrival.headers), gzip));
        if cut || !part.whole {
            marks = marks.with(Marks::BODY_CUT);
        }
        if headers_cut {
            marks = marks.with(Marks::HEADERS_CUT);
        }
        let hops = judge::hops(&arrival.headers);
        let seed = Seed { marks, hops, ..seed(owner, arrival, rest, headers, body) };
        let cause = problem.cause().to_owned();
        let detail = problem.evidence.as_ref().map(ToString::to_string);
        let judgement = Judgement::Refuse { cause, detail, told: Box::new(told) };
        let answer = store.accept(Accept { seed: Arc::new(seed), judgement })?;
        answer.await.ok()?.ok().map(|admitted| admitted.request)
    }

    /// 503: counted, never stored, since it is the store that has no room.
    pub(super) fn unavailable(&self, owner: Owner<'_>, arrival: &Arrival, pieces: impl Pieces) -> Response {
        self.deps.store.count_refusal(owner.flow, "not accepting");
        body::leave(arrival, answer::problem(&Problem::unavailable()), pieces)
    }
}

/// A part of a request's line, as much of it as is kept; what is accepted is never cut.
fn first(text: &str) -> String {
    text[..text.floor_char_boundary(judge::MAX_HEAD)].to_owned()
}

/// Marks of how a body came.
pub(super) fn framing_marks(framing: Framing, gzip: bool) -> Marks {
    let marks = if framing.chunked { Marks::CHUNKED } else { Marks::default() };
    if gzip { marks.with(Marks::GZIP) } else { marks }
}

/// Marks of how the endpoint was called.
pub(super) fn target_marks(owner: Owner<'_>, arrival: &Arrival) -> Marks {
    let mut marks = Marks::default();
    if let Some((endpoint, rest)) = judge::endpoint(arrival.uri.path()) {
        if owner.path == Some(&*endpoint) {
            marks = marks.with(Marks::BY_PATH);
        }
        if rest.is_empty() && arrival.uri.path().ends_with('/') {
            marks = marks.with(Marks::BARE_SLASH);
        }
    }
    marks
}

/// What is stored of a request, without what was judged.
pub(super) fn seed(owner: Owner<'_>, arrival: &Arrival, rest: &str, headers: Headers, body: Bytes) -> Seed {
    Seed {
        flow: owner.flow,
        version: owner.version,
        marks: Marks::default(),
        method: first(arrival.method.as_str()),
        path: first(rest),
        query: first(arrival.uri.query().unwrap_or_default()),
        headers,
        body,
        peer: Some(arrival.from.to_string()),
        actor: None,
        hops: 0,
    }
}
