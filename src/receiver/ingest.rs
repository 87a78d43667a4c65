//! `/in/<endpoint>`: judge, store, answer. The order of judgement is the contract's; the first
//! refusal counts.
//!
//! Nothing here needs a task of its own: `Store::accept` queues the request at once, with all that
//! it needs, and only the wait for the answer goes with the connection. A sender that hangs up
//! takes nothing back.

use super::answer::{self, Problem};
use super::body::{self, Budget, Pieces, Unread};
use super::entry::Arrival;
use super::gates::{self, Buckets};
use super::gunzip::{self, Torn};
use super::judge::{self, Content, Framing};
use super::proofs::Proofs;
use super::refuse::{Owner, Part, framing_marks, seed, target_marks};
use super::reply::{self, Wait};
use super::{Deps, auth};
use crate::model::document::{Auth, Reply, Trigger, Webhook};
use crate::model::gate::Pausing;
use crate::model::headers::Headers;
use crate::model::request::{Marks, Seed, Verdict};
use crate::model::{RequestId, RunId};
use crate::rules::advance::born_leased;
use crate::rules::answer as told;
use crate::rules::judge::{self as rules, Passed};
use crate::rules::lane::Rule;
use crate::rules::plan::Plan;
use crate::rules::reply::{state_of, wish};
use crate::rules::{origin, template};
use crate::store::registry::Route;
use crate::store::{Accept, Birth, Judgement, Launch, StoreError};
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

/// What judges requests; one for all connections.
pub(super) struct Ingest {
    pub(super) deps: Arc<Deps>,
    budget: Budget,
    buckets: Buckets,
    proofs: Proofs,
    /// Senders that wait are answered when it comes.
    stop: CancellationToken,
}

/// What the head of a request says, judged.
struct Head {
    framing: Framing,
    content: Content,
    /// The body comes gzipped.
    gzip: bool,
    /// As sent.
    headers: Headers,
    /// Who it is, where the scheme says so before the body.
    actor: Option<String>,
}

impl Ingest {
    /// With nothing being gathered.
    pub(super) fn new(deps: Arc<Deps>, stop: CancellationToken) -> Self {
        Self { deps, budget: Budget::default(), buckets: Buckets::default(), proofs: Proofs::default(), stop }
    }

    /// Answers a request under `/in/`.
    pub(super) async fn receive(&self, arrival: &Arrival, mut pieces: impl Pieces) -> Response {
        let Some((endpoint, rest)) = judge::endpoint(arrival.uri.path()) else {
            return body::leave(arrival, answer::problem(&Problem::not_found()), pieces);
        };
        if let Some(fault) = &arrival.fault {
            return self.refuse_head(arrival, &endpoint, rest, fault, pieces).await;
        }
        let routes = self.deps.store.routes();
        // A flow that was never deployed is listened to while a capture is open on it.
        let mut captured = false;
        let plan = match routes.by_name.get(&*endpoint) {
            Some(Route::Live(plan)) => Arc::clone(plan),
            Some(Route::Removed(flow)) => {
                let auth = self.last_auth(*flow);
                let owner = Owner { flow: *flow, version: 0, auth: &auth, path: None };
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
        let pausing = routes.pausing(plan.flow_id, || self.deps.store.now());
        drop(routes);
        let Trigger::Webhook(hook) = &plan.flow.trigger else {
            return body::leave(arrival, answer::problem(&Problem::not_found()), pieces);
        };
        let path = hook.path.as_deref();
        let owner = Owner { flow: plan.flow_id, version: plan.version, auth: &hook.auth, path };
        if let Some(answer) = checked(hook, &arrival.method) {
            return body::leave(arrival, answer, pieces);
        }
        let head = match self.judge_head(hook, &plan, arrival, pausing) {
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
                let part = Part { bytes: part, whole: false, expanded: false };
                let response = self.refuse(owner, arrival, rest, &problem, &part).await;
                return body::leave_unread(arrival, response, failed, pieces);
            }
        };
        arrival.pulse.busy();
        let request = Received { plan: &plan, hook, owner, arrival, rest, head: &head, pausing, captured };
        self.received(&request, body).await
    }

    /// Judges a request whose body is there, stores and answers it.
    async fn received(&self, request: &Received<'_>, body: Bytes) -> Response {
        let Received { plan, owner, arrival, rest, head, .. } = *request;
        // A signature is over the bytes as they came.
        let actor = match self.judge_sender(request, &body) {
            Ok(actor) => actor,
            Err(problem) => {
                let part = Part { bytes: body, whole: true, expanded: false };
                return self.refuse(owner, arrival, rest, &problem, &part).await;
            }
        };
        let body = if head.gzip && head.content != Content::Nothing {
            match gunzip::expand(body, plan.max_body, &self.budget).await {
                Ok(body) => body,
                Err((Torn::NoRoom, _)) => {
                    self.deps.store.count_refusal(owner.flow, "not accepting");
                    return answer::problem(&Problem::unavailable());
                }
                Err((torn, bytes)) => {
                    let problem = judge::torn(torn, plan.max_body);
                    let part = Part { bytes, whole: false, expanded: true };
                    return self.refuse(owner, arrival, rest, &problem, &part).await;
                }
            }
        } else {
            body
        };
        match self.judge_body(request, actor, &body) {
            Ok((seed, judgement)) => self.commit(plan, seed, judgement, arrival).await,
            Err(problem) => {
                let part = Part { bytes: body, whole: true, expanded: head.gzip };
                self.refuse(owner, arrival, rest, &problem, &part).await
            }
        }
    }

    /// Everything that is judged before the body is read.
    fn judge_head(
        &self,
        hook: &Webhook,
        plan: &Plan,
        arrival: &Arrival,
        pausing: Pausing,
    ) -> Result<Head, Problem> {
        judge::method(hook, &arrival.method)?;
        if self.deps.stats.stopping.load(Ordering::Relaxed) || self.deps.store.takes_no_writes().is_some() {
            return Err(Problem::unavailable());
        }
        if self.deps.store.queue_full().is_some() {
            return Err(Problem::busy());
        }
        gates::open(pausing, || self.deps.store.now())?;
        origin::allowed(&hook.gates.allow_from, arrival.from)?;
        let framing = judge::framing(&arrival.headers);
        judge::declared_length(framing, plan.max_body)?;
        let gzip = judge::encoding(&arrival.headers)?;
        let content = judge::content(&arrival.headers, framing)?;
        let headers = judge::headers(&arrival.headers);
        let actor = match &hook.auth {
            Auth::None => None,
            auth => auth::head(&self.deps, auth, &headers, &self.proofs)?,
        };
        Ok(Head { framing, content, gzip, headers, actor })
    }

    /// Who sent a body, as far as that is told by the bytes as they came: its signature.
    fn judge_sender(&self, request: &Received<'_>, body: &Bytes) -> Result<Option<String>, Problem> {
        let head = request.head;
        if head.content == Content::Untyped && !body.is_empty() {
            return Err(rules::untyped().into());
        }
        match request.owner.auth {
            auth @ Auth::Signature { .. } => auth::body(&self.deps, auth, &head.headers, body),
            _ => Ok(head.actor.clone()),
        }
    }

    /// Everything that is judged of a body, expanded.
    fn judge_body(
        &self,
        request: &Received<'_>,
        actor: Option<String>,
        body: &Bytes,
    ) -> Result<(Seed, Judgement), Problem> {
        let Received { plan, hook, owner, arrival, rest, head, pausing, captured } = *request;
        let Head { framing, content, gzip, headers: as_sent, .. } = head;
        let content = *content;
        let came = framing_marks(*framing, *gzip && content != Content::Nothing);
        let came = target_marks(owner, arrival).with(came);
        let query = arrival.uri.query().unwrap_or_default();
        let headers = self.deps.vault.guarded(owner.flow, as_sent, owner.auth.secret_header());
        if captured {
            // It starts nothing and writes no key: what the flow would ask of it is not settled yet.
            rules::read(plan, content, body)?;
            let marks = came.with(Marks::CAPTURED);
            let seed = Seed { marks, actor, ..seed(owner, arrival, rest, headers, body.clone()) };
            return Ok((seed, Judgement::Filter { cause: "captured: the flow is not deployed".to_owned() }));
        }
        let hops = judge::hops(&arrival.headers);
        let Passed { marks, key, elements } = rules::body(plan, content, body, as_sent, query, hops)?;
        if let Some(limit) = hook.gates.rate_limit {
            self.buckets.take(plan.flow_id, limit, self.deps.store.now())?;
        }
        let marks = came.with(marks);
        let seed = Seed { marks, actor, hops, ..seed(owner, arrival, rest, headers, body.clone()) };
        if !self.holds(plan, &seed)? {
            return Ok((seed, Judgement::Filter { cause: "when is false".to_owned() }));
        }
        let launch = Launch::of(plan, Rule::of(hook.gates.concurrency, pausing == Pausing::Held));
        let judgement = match elements {
            Some(elements) => Judgement::Split { key, elements, launch },
            None => Judgement::Admit { key, birth: self.birth(plan, launch) },
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
    fn birth(&self, plan: &Plan, launch: Launch) -> Birth {
        if launch != Launch::Fresh {
            return launch.into();
        }
        let Deps { slots, store, .. } = &*self.deps;
        // Looked at for every request: it is an average of looks.
        let crowded = store.crowded();
        let direct = born_leased(plan) && !crowded;
        let target = if direct { store.target(plan, 0) } else { None };
        let slot = if direct { slots.try_take(target.as_ref(), store.now()) } else { None };
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
                Verdict::Duplicate => {
                    answer::out(told::duplicate(store.ids(), admitted.request, admitted.duplicate_of))
                }
                Verdict::Accepted => {
                    stats.promised.fetch_add(1, Ordering::Relaxed);
                    stats.accepted(admitted.request.time(), 1);
                    answer::out(if let Some((wish, waiting)) = waits {
                        let wait = Wait { wish, since, pulse: &arrival.pulse };
                        reply::answer(&self.deps, &self.stop, &admitted, waiting, wait).await
                    } else {
                        let state = state_of(admitted.runs().iter().map(|(_, state)| *state));
                        reply::kept(store.ids(), &admitted, state).accepted()
                    })
                }
                Verdict::Filtered | Verdict::Rejected => {
                    answer::out(told::filtered(store.ids(), admitted.request, captured))
                }
            },
            Ok(Err(StoreError::Broken(_))) => {
                let detail = "the request could not be stored";
                answer::problem(&Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail))
            }
            Ok(Err(_)) | Err(_) => answer::problem(&Problem::unavailable()),
        }
    }
}

/// A request with its whole body.
#[derive(Clone, Copy)]
struct Received<'r> {
    plan: &'r Plan,
    hook: &'r Webhook,
    owner: Owner<'r>,
    arrival: &'r Arrival,
    rest: &'r str,
    head: &'r Head,
    pausing: Pausing,
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
            Some(answer::out(told::text(StatusCode::OK, line)))
        }
        Method::OPTIONS => {
            let mut response = answer::out(told::empty(StatusCode::NO_CONTENT));
            if let Ok(allow) = HeaderValue::try_from(judge::allow(hook)) {
                response.headers_mut().insert(ALLOW, allow);
            }
            Some(response)
        }
        _ => None,
    }
}
