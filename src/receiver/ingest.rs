//! `/in/<endpoint>`: judge, store, answer. The order of judgement is the contract's; the first
//! refusal counts.
//!
//! Nothing here needs a task of its own: `Store::accept` queues the request at once, with all that
//! it needs, and only the wait for the answer goes with the connection. A sender that hangs up
//! takes nothing back.

use super::answer::{self, Problem};
use super::body::{self, Budget, Pieces, Unread};
use super::entry::Arrival;
use super::judge::{self, Content};
use super::reply::{self, Wait};
use super::{Deps, auth, judge::Framing};
use crate::model::document::{Auth, Reply, Step, StepKind, Trigger, Webhook};
use crate::model::headers::Headers;
use crate::model::request::{Marks, Seed, Verdict};
use crate::model::{FlowId, RequestId, RunId};
use crate::rules::judge::{self as rules, Passed};
use crate::rules::plan::Plan;
use crate::rules::reply::{state_of, wish};
use crate::rules::template;
use crate::store::registry::Route;
use crate::store::{Accept, Birth, Judgement, StoreError};
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use warp::http::header::ALLOW;
use warp::http::{HeaderName, HeaderValue, Method, StatusCode};
use warp::reply::Response;

/// Chooses how long a sender waits (RFC 7240).
const PREFER: HeaderName = HeaderName::from_static("prefer");
/// Versions that are looked through for what a removed flow asked of its senders.
const LOOK_BACK: usize = 20;

/// What judges requests; one for all connections.
pub(super) struct Ingest {
    deps: Arc<Deps>,
    budget: Budget,
    /// Senders that wait are answered when it comes.
    stop: CancellationToken,
}

/// The flow that a refusal is counted for.
#[derive(Clone, Copy)]
struct Owner<'p> {
    flow: FlowId,
    version: u32,
    /// Which header carries its senders' credential.
    auth: &'p Auth,
}

/// What the head of a request says, judged.
struct Head {
    framing: Framing,
    content: Content,
    /// As sent.
    headers: Headers,
    /// Who it is, where the scheme says so before the body.
    actor: Option<String>,
}

impl Ingest {
    /// With nothing being gathered.
    pub(super) fn new(deps: Arc<Deps>, stop: CancellationToken) -> Self {
        Self { deps, budget: Budget::default(), stop }
    }

    /// Answers a request under `/in/`.
    pub(super) async fn receive(&self, arrival: &Arrival, mut pieces: impl Pieces) -> Response {
        let Some((endpoint, rest)) = judge::endpoint(arrival.uri.path()) else {
            return body::leave(arrival, answer::problem(&Problem::not_found()), pieces);
        };
        let routes = self.deps.store.routes();
        // A flow that was never deployed is listened to while a capture is open on it.
        let mut captured = false;
        let plan = match routes.by_name.get(&*endpoint) {
            Some(Route::Live(plan)) => Arc::clone(plan),
            Some(Route::Removed(flow)) => {
                let auth = self.last_auth(*flow);
                let owner = Owner { flow: *flow, version: 0, auth: &auth };
                let problem = Problem::new(StatusCode::GONE, "the endpoint was removed");
                return self.refuse_unread(owner, arrival, rest, problem, pieces).await;
            }
            Some(Route::Draft(flow)) => {
                let open = self.deps.store.capture_until(*flow).is_some();
                let Some(plan) = open.then(|| self.deps.store.draft_plan(*flow)).flatten() else {
                    self.deps.store.count_refusal(*flow, "never deployed");
                    return body::leave(arrival, answer::problem(&Problem::not_found()), pieces);
                };
                captured = true;
                plan
            }
            None => return body::leave(arrival, answer::problem(&Problem::not_found()), pieces),
        };
        drop(routes);
        let Trigger::Webhook(hook) = &plan.flow.trigger else {
            return body::leave(arrival, answer::problem(&Problem::not_found()), pieces);
        };
        let owner = Owner { flow: plan.flow_id, version: plan.version, auth: &hook.auth };
        if let Some(answer) = checked(hook, &arrival.method) {
            return body::leave(arrival, answer, pieces);
        }
        let head = match self.judge_head(hook, &plan, arrival) {
            Ok(head) => head,
            // It is the store that takes nothing; a full queue of runs is refused like all else.
            Err(problem) if problem == Problem::unavailable() => {
                return self.unavailable(owner, arrival, pieces);
            }
            Err(problem) => return self.refuse_unread(owner, arrival, rest, problem, pieces).await,
        };
        let body = match head.content {
            Content::Nothing => Ok(Bytes::new()),
            _ => body::read(&mut pieces, plan.max_body, &arrival.pulse, &self.budget).await,
        };
        let body = match body {
            Ok(body) => body,
            Err((Unread::NoRoom, _)) => return self.unavailable(owner, arrival, pieces),
            Err((failed, part)) => {
                let deadline = self.deps.settings.limits.body_deadline;
                let problem = judge::unread(failed, plan.max_body, deadline, head.framing, part.len());
                let response = self.refuse(owner, arrival, rest, &problem, &part, true).await;
                return body::leave_unread(arrival, response, failed, pieces);
            }
        };
        arrival.pulse.busy();
        let request = Received { plan: &plan, owner, arrival, rest, head: &head, captured };
        match self.judge_body(&request, &body) {
            Ok((seed, judgement)) => self.commit(&plan, seed, judgement, arrival).await,
            Err(problem) => self.refuse(owner, arrival, rest, &problem, &body, false).await,
        }
    }

    /// Who might send to a flow that was removed: its senders may still bring their key in a header
    /// of its own, and that is kept like any other credential.
    fn last_auth(&self, flow: FlowId) -> Auth {
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

    /// Everything that is judged before the body is read.
    fn judge_head(&self, hook: &Webhook, plan: &Plan, arrival: &Arrival) -> Result<Head, Problem> {
        judge::method(hook, &arrival.method)?;
        if self.deps.stats.stopping.load(Ordering::Relaxed) || self.deps.store.takes_no_writes().is_some() {
            return Err(Problem::unavailable());
        }
        if self.deps.store.queue_full().is_some() {
            return Err(Problem::busy());
        }
        let framing = judge::framing(&arrival.headers);
        judge::declared_length(framing, plan.max_body)?;
        let content = judge::content(&arrival.headers, framing)?;
        let headers = judge::headers(&arrival.headers);
        let actor = match &hook.auth {
            Auth::None => None,
            auth => auth::head(&self.deps, auth, &headers)?,
        };
        Ok(Head { framing, content, headers, actor })
    }

    /// Everything that is judged after it.
    fn judge_body(&self, request: &Received<'_>, body: &Bytes) -> Result<(Seed, Judgement), Problem> {
        let Received { plan, owner, arrival, rest, head, captured } = *request;
        let Head { framing, content, headers: as_sent, .. } = head;
        let (framing, content) = (*framing, *content);
        let query = arrival.uri.query().unwrap_or_default();
        let actor = match owner.auth {
            auth @ Auth::Signature { .. } => auth::body(&self.deps, auth, as_sent, body)?,
            _ => head.actor.clone(),
        };
        let headers = self.deps.vault.guarded(owner.flow, as_sent, owner.auth.secret_header());
        if captured {
            // It starts nothing and writes no key: what the flow would ask of it is not settled yet.
            rules::read(plan, content, body)?;
            let marks = framing_marks(framing).with(Marks::CAPTURED);
            let seed = Seed { marks, actor, ..seed(owner, arrival, rest, headers, body.clone()) };
            return Ok((seed, Judgement::Filter { cause: "captured: the flow is not deployed".to_owned() }));
        }
        let hops = judge::hops(&arrival.headers);
        let Passed { marks, key, elements } = rules::body(plan, content, body, as_sent, query, hops)?;
        let marks = framing_marks(framing).with(marks);
        let seed = Seed { marks, actor, hops, ..seed(owner, arrival, rest, headers, body.clone()) };
        if !self.holds(plan, &seed)? {
            return Ok((seed, Judgement::Filter { cause: "when is false".to_owned() }));
        }
        let judgement = match elements {
            Some(elements) => Judgement::Split { key, elements, done: plan.flow.steps.is_empty() },
            None => Judgement::Admit { key, birth: self.birth(plan) },
        };
        Ok((seed, judgement))
    }

    /// Judges the trigger's `when`.
    fn holds(&self, plan: &Plan, seed: &Seed) -> Result<bool, Problem> {
        if plan.when.is_none() {
            return Ok(true);
        }
        let unborn = (RequestId(0), RunId(0));
        let mut context = self.deps.store.context(plan, unborn.1, None, Some((unborn.0, seed)));
        // Neither has an id yet: the writer gives them.
        context.run.clear();
        if let Some(request) = &mut context.request {
            let request = Arc::make_mut(request);
            request.id.clear();
            request.time = self.deps.store.now();
        }
        template::trigger_when(plan, &context).map_err(|error| judge::bad_request(error.message))
    }

    /// Whether the first step may leave as soon as the request is committed.
    fn birth(&self, plan: &Plan) -> Birth {
        let direct = match plan.flow.steps.first() {
            None => return Birth::Done,
            Some(Step { kind: StepKind::Request(step), when: None, .. }) => !step.callback,
            Some(_) => false,
        };
        let Deps { slots, store, .. } = &*self.deps;
        let crowded = store.crowded();
        let direct = direct && !crowded;
        let slot = if direct { slots.try_take(plan.flow_id) } else { None };
        slot.map_or(Birth::Fresh, Birth::Direct)
    }

    /// Stores what was judged and answers after the commit.
    async fn commit(&self, plan: &Plan, seed: Seed, judgement: Judgement, arrival: &Arrival) -> Response {
        let Deps { store, stats, .. } = &*self.deps;
        let wish = match plan.flow.reply() {
            Reply::Accept => None,
            reply => {
                let prefer = arrival.headers.get_all(PREFER).iter().filter_map(|line| line.to_str().ok());
                wish(reply, arrival.uri.query().unwrap_or_default(), prefer)
            }
        };
        let captured = seed.marks.has(Marks::CAPTURED);
        let since = Instant::now();
        let accept = Accept { seed: Arc::new(seed), judgement };
        let waits = wish.filter(|_| !matches!(accept.judgement, Judgement::Filter { .. }));
        let answer = match waits {
            None => store.accept(accept).map(|answer| (answer, None)),
            Some(wish) => {
                store.accept_waiting(accept).map(|(answer, waiting)| (answer, Some((wish, waiting))))
            }
        };
        let Some((answer, waits)) = answer else {
            store.count_refusal(plan.flow_id, "the store's queue is full");
            return answer::problem(&Problem::unavailable());
        };
        match answer.await {
            Ok(Ok(admitted)) => match admitted.verdict {
                Verdict::Duplicate => answer::duplicate(store.ids(), admitted.request, admitted.duplicate_of),
                Verdict::Accepted => {
                    stats.promised.fetch_add(1, Ordering::Relaxed);
                    stats.accepted(admitted.request.time(), 1);
                    match (waits, admitted.run, &admitted.split) {
                        (Some((wish, waiting)), _, _) => {
                            let wait = Wait { wish, since, pulse: &arrival.pulse };
                            reply::answer(&self.deps, &self.stop, &admitted, waiting, wait).await
                        }
                        (None, Some((run, state)), None) => {
                            answer::accepted(store.ids(), admitted.request, run, state)
                        }
                        (None, _, _) => {
                            let state = state_of(admitted.runs().iter().map(|(_, state)| *state));
                            answer::Kept { ids: store.ids(), admitted: &admitted, state }.accepted()
                        }
                    }
                }
                Verdict::Filtered | Verdict::Rejected => {
                    answer::filtered(store.ids(), admitted.request, captured)
                }
            },
            Ok(Err(StoreError::Broken(_))) => {
                let detail = "the request could not be stored";
                answer::problem(&Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail))
            }
            Ok(Err(_)) | Err(_) => answer::problem(&Problem::unavailable()),
        }
    }

    /// Refuses without having read the body: looks at what has come of it, answers, and drops the
    /// rest.
    async fn refuse_unread(
        &self,
        owner: Owner<'_>,
        arrival: &Arrival,
        rest: &str,
        problem: Problem,
        mut pieces: impl Pieces,
    ) -> Response {
        arrival.pulse.busy();
        let (part, whole) = body::peek(arrival, &mut pieces).await;
        let response = self.refuse(owner, arrival, rest, &problem, &part, !whole).await;
        if whole { response } else { body::leave(arrival, response, pieces) }
    }

    /// Stores a refusal and answers it.
    async fn refuse(
        &self,
        owner: Owner<'_>,
        arrival: &Arrival,
        rest: &str,
        problem: &Problem,
        part: &Bytes,
        incomplete: bool,
    ) -> Response {
        arrival.pulse.busy();
        let id = self.keep(owner, arrival, rest, problem, part, incomplete).await;
        let mut response = answer::problem(problem);
        if let Some(id) = id {
            answer::name_request(&mut response, self.deps.store.ids().print(id));
        }
        response
    }

    /// Stores a refused request, with up to 64 KiB of its body; `None` where it was only counted.
    async fn keep(
        &self,
        owner: Owner<'_>,
        arrival: &Arrival,
        rest: &str,
        problem: &Problem,
        part: &Bytes,
        incomplete: bool,
    ) -> Option<RequestId> {
        let store = &self.deps.store;
        let (body, cut) = body::cut(part);
        let as_sent = judge::headers(&arrival.headers);
        let headers = self.deps.vault.guarded(owner.flow, &as_sent, owner.auth.secret_header());
        let mut marks = framing_marks(judge::framing(&arrival.headers));
        if cut || incomplete {
            marks = marks.with(Marks::BODY_CUT);
        }
        let hops = judge::hops(&arrival.headers);
        let seed = Seed { marks, hops, ..seed(owner, arrival, rest, headers, body) };
        let cause = problem.detail.clone().into_owned();
        let detail = problem.evidence.as_ref().map(ToString::to_string);
        let judgement = Judgement::Refuse { status: problem.status.as_u16(), cause, detail };
        let answer = store.accept(Accept { seed: Arc::new(seed), judgement })?;
        answer.await.ok()?.ok().map(|admitted| admitted.request)
    }

    /// 503: counted, never stored, since it is the store that takes nothing.
    fn unavailable(&self, owner: Owner<'_>, arrival: &Arrival, pieces: impl Pieces) -> Response {
        self.deps.store.count_refusal(owner.flow, "not accepting");
        body::leave(arrival, answer::problem(&Problem::unavailable()), pieces)
    }
}

/// A request with its whole body.
#[derive(Clone, Copy)]
struct Received<'r> {
    plan: &'r Plan,
    owner: Owner<'r>,
    arrival: &'r Arrival,
    rest: &'r str,
    head: &'r Head,
    /// The flow is not deployed, and a capture is open.
    captured: bool,
}

/// The answer to a method that looks and stores nothing.
fn checked(hook: &Webhook, method: &Method) -> Option<Response> {
    if hook.methods.iter().any(|listed| listed == method.as_str()) {
        return None;
    }
    match *method {
        Method::GET | Method::HEAD => {
            let line = format!("This endpoint takes JSON by {}.\n", hook.methods.join(", "));
            Some(answer::text(StatusCode::OK, line))
        }
        Method::OPTIONS => {
            let mut response = answer::empty(StatusCode::NO_CONTENT);
            if let Ok(allow) = HeaderValue::try_from(judge::allow(hook)) {
                response.headers_mut().insert(ALLOW, allow);
            }
            Some(response)
        }
        _ => None,
    }
}

fn framing_marks(framing: Framing) -> Marks {
    if framing.chunked { Marks::CHUNKED } else { Marks::default() }
}

fn seed(owner: Owner<'_>, arrival: &Arrival, rest: &str, headers: Headers, body: Bytes) -> Seed {
    Seed {
        flow: owner.flow,
        version: owner.version,
        marks: Marks::default(),
        method: arrival.method.as_str().to_owned(),
        path: rest.to_owned(),
        query: arrival.uri.query().unwrap_or_default().to_owned(),
        headers,
        body,
        peer: Some((*arrival.peer).to_owned()),
        actor: None,
        hops: 0,
    }
}
