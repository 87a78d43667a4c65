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
use super::{Deps, judge::Framing};
use crate::model::document::{Step, StepKind, Trigger, Webhook};
use crate::model::headers::Headers;
use crate::model::request::{Marks, Seed, Verdict};
use crate::model::{FlowId, RequestId, RunId};
use crate::rules::plan::Plan;
use crate::rules::{dedup, facts, template};
use crate::store::registry::Route;
use crate::store::{Accept, Birth, Judgement, StoreError};
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use warp::http::header::ALLOW;
use warp::http::{HeaderValue, Method, StatusCode};
use warp::reply::Response;

/// What judges requests; one for all connections.
pub(super) struct Ingest {
    deps: Arc<Deps>,
    budget: Budget,
}

/// The flow that a refusal is counted for.
#[derive(Clone, Copy)]
struct Owner {
    flow: FlowId,
    version: u32,
}

impl Ingest {
    /// With nothing being gathered.
    pub(super) fn new(deps: Arc<Deps>) -> Self {
        Self { deps, budget: Budget::default() }
    }

    /// Answers a request under `/in/`.
    pub(super) async fn receive(&self, arrival: &Arrival, mut pieces: impl Pieces) -> Response {
        let Some((endpoint, rest)) = judge::endpoint(arrival.uri.path()) else {
            return body::leave(arrival, answer::problem(&Problem::not_found()), pieces);
        };
        let routes = self.deps.store.routes();
        let plan = match routes.by_name.get(&*endpoint) {
            Some(Route::Live(plan)) => Arc::clone(plan),
            Some(Route::Removed(flow)) => {
                let owner = Owner { flow: *flow, version: 0 };
                let problem = Problem::new(StatusCode::GONE, "the endpoint was removed");
                return self.refuse_unread(owner, arrival, rest, problem, pieces).await;
            }
            Some(Route::Draft(flow)) => {
                self.deps.store.count_refusal(*flow, "never deployed");
                return body::leave(arrival, answer::problem(&Problem::not_found()), pieces);
            }
            None => return body::leave(arrival, answer::problem(&Problem::not_found()), pieces),
        };
        drop(routes);
        let Trigger::Webhook(hook) = &plan.flow.trigger else {
            return body::leave(arrival, answer::problem(&Problem::not_found()), pieces);
        };
        let owner = Owner { flow: plan.flow_id, version: plan.version };
        if let Some(answer) = checked(hook, &arrival.method) {
            return body::leave(arrival, answer, pieces);
        }
        let (framing, content) = match self.judge_head(hook, &plan, arrival) {
            Ok(head) => head,
            Err(problem) if problem.status == StatusCode::SERVICE_UNAVAILABLE => {
                return self.unavailable(owner, arrival, pieces);
            }
            Err(problem) => return self.refuse_unread(owner, arrival, rest, problem, pieces).await,
        };
        let body = match content {
            Content::Nothing => Ok(Bytes::new()),
            _ => body::read(&mut pieces, plan.max_body, &arrival.pulse, &self.budget).await,
        };
        let body = match body {
            Ok(body) => body,
            Err((Unread::NoRoom, _)) => return self.unavailable(owner, arrival, pieces),
            Err((failed, part)) => {
                let deadline = self.deps.settings.limits.body_deadline;
                let problem = judge::unread(failed, plan.max_body, deadline, framing, part.len());
                let response = self.refuse(owner, arrival, rest, &problem, &part, true).await;
                return body::leave_unread(arrival, response, failed, pieces);
            }
        };
        arrival.pulse.busy();
        let request = Received { plan: &plan, arrival, rest, framing, content };
        match self.judge_body(&request, &body) {
            Ok((seed, judgement)) => self.commit(&plan, seed, judgement).await,
            Err(problem) => self.refuse(owner, arrival, rest, &problem, &body, false).await,
        }
    }

    /// Everything that is judged before the body is read.
    fn judge_head(
        &self,
        hook: &Webhook,
        plan: &Plan,
        arrival: &Arrival,
    ) -> Result<(Framing, Content), Problem> {
        judge::method(hook, &arrival.method)?;
        if self.deps.stats.stopping.load(Ordering::Relaxed) || self.deps.store.refuses().is_some() {
            return Err(Problem::unavailable());
        }
        let framing = judge::framing(&arrival.headers);
        judge::declared_length(framing, plan.max_body)?;
        Ok((framing, judge::content(&arrival.headers, framing)?))
    }

    /// Everything that is judged after it.
    fn judge_body(&self, request: &Received<'_>, body: &Bytes) -> Result<(Seed, Judgement), Problem> {
        let Received { plan, arrival, rest, framing, content } = *request;
        let query = arrival.uri.query().unwrap_or_default();
        if content == Content::Untyped && !body.is_empty() {
            return Err(judge::untyped());
        }
        let json: &[u8] = if content == Content::Nothing { b"{}" } else { body };
        let wanted = plan.dedup.as_ref().map(dedup::body_fields).unwrap_or_default();
        let required: Vec<_> = plan.required.iter().filter(|path| path.root() == "body").collect();
        let facts =
            facts::scan(json, &wanted, &required).map_err(|error| judge::bad_request(error.to_string()))?;
        let (as_sent, headers) = judge::headers(&arrival.headers, &self.deps.vault);
        judge::required(plan, &facts, &as_sent, query)?;
        let hops = judge::hops(&arrival.headers);
        judge::loops(hops)?;

        let mut marks = framing_marks(framing);
        if facts.repeated_keys {
            marks = marks.with(Marks::REPEATED_KEYS);
        }
        let key = plan.dedup.as_ref().map(|rule| dedup::key(plan.flow_id, rule, &facts, &as_sent, query));
        if key == Some(None) {
            marks = marks.with(Marks::NO_DEDUP_KEY);
        }
        let owner = Owner { flow: plan.flow_id, version: plan.version };
        let seed = Seed { marks, hops, ..seed(owner, arrival, rest, headers, body.clone()) };
        if !self.holds(plan, &seed)? {
            return Ok((seed, Judgement::Filter { cause: "when is false".to_owned() }));
        }
        let birth = self.birth(plan);
        Ok((seed, Judgement::Admit { key: key.flatten(), birth }))
    }

    /// Judges the trigger's `when`.
    fn holds(&self, plan: &Plan, seed: &Seed) -> Result<bool, Problem> {
        if plan.when.is_none() {
            return Ok(true);
        }
        let unborn = (RequestId(0), RunId(0));
        let mut context = self.deps.store.context(plan, unborn.1, Some((unborn.0, seed)));
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
        let direct = direct && !slots.hold_back(store.crowded());
        let slot = if direct { slots.try_take(plan.flow_id) } else { None };
        slot.map_or(Birth::Fresh, Birth::Direct)
    }

    /// Stores what was judged and answers after the commit.
    async fn commit(&self, plan: &Plan, seed: Seed, judgement: Judgement) -> Response {
        let Deps { store, stats, .. } = &*self.deps;
        let Some(answer) = store.accept(Accept { seed: Arc::new(seed), judgement }) else {
            store.count_refusal(plan.flow_id, "the store's queue is full");
            return answer::problem(&Problem::unavailable());
        };
        match answer.await {
            Ok(Ok(admitted)) => match (admitted.verdict, admitted.run) {
                (Verdict::Duplicate, _) => {
                    answer::duplicate(store.ids(), admitted.request, admitted.duplicate_of)
                }
                (_, Some((run, state))) => {
                    stats.promised.fetch_add(1, Ordering::Relaxed);
                    stats.accepted(admitted.request.time(), 1);
                    answer::accepted(store.ids(), admitted.request, run, state)
                }
                (_, None) => answer::filtered(store.ids(), admitted.request),
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
        owner: Owner,
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
        owner: Owner,
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
        owner: Owner,
        arrival: &Arrival,
        rest: &str,
        problem: &Problem,
        part: &Bytes,
        incomplete: bool,
    ) -> Option<RequestId> {
        let store = &self.deps.store;
        let (body, cut) = body::cut(part);
        let (_, headers) = judge::headers(&arrival.headers, &self.deps.vault);
        let mut marks = framing_marks(judge::framing(&arrival.headers));
        if cut || incomplete {
            marks = marks.with(Marks::BODY_CUT);
        }
        let hops = judge::hops(&arrival.headers);
        let seed = Seed { marks, hops, ..seed(owner, arrival, rest, headers, body) };
        let cause = problem.detail.clone().into_owned();
        let judgement = Judgement::Refuse { status: problem.status.as_u16(), cause };
        let answer = store.accept(Accept { seed: Arc::new(seed), judgement })?;
        answer.await.ok()?.ok().map(|admitted| admitted.request)
    }

    /// 503: counted, never stored, since it is the store that has no room.
    fn unavailable(&self, owner: Owner, arrival: &Arrival, pieces: impl Pieces) -> Response {
        self.deps.store.count_refusal(owner.flow, "not accepting");
        body::leave(arrival, answer::problem(&Problem::unavailable()), pieces)
    }
}

/// A request with its whole body.
#[derive(Clone, Copy)]
struct Received<'r> {
    plan: &'r Plan,
    arrival: &'r Arrival,
    rest: &'r str,
    framing: Framing,
    content: Content,
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

fn seed(owner: Owner, arrival: &Arrival, rest: &str, headers: Headers, body: Bytes) -> Seed {
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
