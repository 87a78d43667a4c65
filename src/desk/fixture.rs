//! A house for tests: a real store in a folder of its own, a clock that is moved by hand, and a
//! desk. Runs are moved through the same driver as ever; what targets answer is told, not sent.

use super::{Deps, Desk};
use crate::feed::{Feed, Stats};
use crate::model::ask::{Act, Acted, Answer, Apply, Ask, Done, Plan, Refusal, Verb, Who, With};
use crate::model::headers::Headers;
use crate::model::request::{DedupKey, Marks, Seed};
use crate::model::run::{Got, RunState, Sent};
use crate::model::settings::{Limits, Settings};
use crate::model::view::{AuditView, RunView};
use crate::model::{CallbackId, FlowId, Map, Ms, RequestId, RunId};
use crate::rules::advance::{Exchange, ExchangeResult, Input};
use crate::rules::template::{self, Outgoing};
use crate::store::apply::{Applied, How, Lease};
use crate::store::clock::Clock;
use crate::store::{Accept, Birth, Handover, Judgement, Options, Store};
use crate::vault::Vault;
use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// When the clock of a house starts.
pub const START: Ms = 1_795_000_000_000;

/// One flow of five steps, of which three ask for the first one's outputs, and flows whose first
/// step waits or aborts.
pub const ACME: &str = r#"
name = "acme"
title = "Acme"

[[variable]]
name = "base"
type = "url"
default = "http://127.0.0.1:9000"

[[connection]]
name = "progix"
base_url = "{{ config.base }}"
auth = { type = "bearer", token = "open-sesame" }

[[flow]]
name = "Orders"
[flow.trigger]
type = "webhook"
path = "orders"
auth = { type = "none" }
dedup = { fields = ["body.ref"] }
[[flow.step]]
name = "push"
type = "request"
connection = "progix"
url = "/customers/{{ request.body.ref }}"
json = { ref = "{{ request.body.ref }}" }
outputs = { id = "body.id" }
retry = { attempts = 3, delay = "10s" }
[[flow.step]]
name = "notify"
type = "request"
connection = "progix"
url = "/notify"
headers = { "X-Customer" = "{{ steps.push.outputs.id }}" }
json = { customer = "{{ steps.push.outputs.id }}", ref = "{{ request.body.ref }}" }
outputs = { mail = "body.mail" }
[[flow.step]]
name = "label"
type = "set"
outputs = { text = "customer {{ steps.push.outputs.id }}", mail = "{{ steps.notify.outputs.mail }}" }
[[flow.step]]
name = "archive"
type = "request"
connection = "progix"
url = "/archive/{{ steps.push.outputs.id }}"
[[flow.step]]
name = "log"
type = "request"
connection = "progix"
url = "/log"
json = { ref = "{{ request.body.ref }}" }

[[flow]]
name = "Scans"
[flow.trigger]
type = "webhook"
auth = { type = "none" }
[[flow.step]]
name = "scan"
type = "send"
connection = "progix"
url = "/scan"
[[flow.step]]
name = "tell"
type = "request"
connection = "progix"
url = "/tell"
json = { ref = "{{ request.body.ref }}" }

[[flow]]
name = "Strict"
[flow.trigger]
type = "webhook"
auth = { type = "none" }
[[flow.step]]
name = "only"
type = "request"
connection = "progix"
url = "/only"
on_error = "abort"
"#;

/// A store with its desk.
pub struct House {
    /// The desk.
    pub desk: Desk,
    /// Its store.
    pub store: Store,
    /// What changed.
    pub feed: Feed,
    /// Moved by hand.
    pub clock: Clock,
    /// The data folder.
    pub folder: tempfile::TempDir,
    _handover: Handover,
}

/// The person of these tests.
pub fn anna() -> Who {
    Who::local("anna", "console")
}

impl House {
    /// An empty house.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let feed = Feed::default();
        let vault = Vault::open(folder.path()).unwrap();
        let clock = Clock::manual(START);
        let options = Options {
            limits: Limits::default(),
            feed: feed.clone(),
            public_url: "http://127.0.0.1:7700".into(),
            clock: clock.clone(),
        };
        let (store, handover) = Store::open(folder.path(), options).unwrap();
        let settings = Settings {
            data: folder.path().into(),
            listen: "127.0.0.1:7700".parse().unwrap(),
            public_url: "http://127.0.0.1:7700".into(),
            public_url_given: false,
            read_only: false,
            limits: Limits::default(),
            allow_networks: None,
            inbound: crate::model::gate::Inbound::default(),
            connections: crate::model::settings::Globals::default(),
        };
        let deps = Deps {
            store: store.clone(),
            vault,
            stats: Arc::new(Stats::default()),
            feed: feed.clone(),
            settings: Arc::new(settings),
            hosts: crate::scheduler::Hosts::new(0),
        };
        Self { desk: Desk::new(deps), store, feed, clock, folder, _handover: handover }
    }

    /// A house with [`ACME`] deployed.
    pub async fn acme() -> Self {
        let house = Self::new();
        house.desk.equip().await.unwrap();
        let done = house.apply(ACME).await;
        assert!(!done.refused, "{done:?}");
        house
    }

    /// Asks as anna.
    pub async fn ask(&self, ask: Ask) -> Result<Answer, Refusal> {
        self.desk.answer(&anna(), ask).await
    }

    /// Applies one document.
    pub async fn apply(&self, text: &str) -> Done {
        let files = vec![("acme.toml".to_owned(), text.to_owned())];
        match self.ask(Ask::Apply(Apply { files, ..Apply::default() })).await.unwrap() {
            Answer::Done(done) => done,
            other => panic!("{other:?}"),
        }
    }

    /// The flow of a name.
    pub fn flow(&self, name: &str) -> FlowId {
        let state = self.store.configured();
        state.flows.values().find(|flow| flow.name == name && !flow.removed).unwrap().id
    }

    /// A request that was accepted, and its run.
    pub async fn receive(&self, flow: &str, body: Value) -> (RequestId, RunId) {
        let id = self.flow(flow);
        let version = self.store.deployed_plan(id).unwrap().version;
        let reference = body["ref"].as_str().unwrap_or_default().to_owned();
        let mut key = [0; 16];
        key.copy_from_slice(&Sha256::digest(reference)[..16]);
        let key = (flow == "Orders").then_some(DedupKey { key, window: 7 * 86_400_000, from_first: false });
        let judgement = Judgement::Admit { key, birth: Birth::Fresh };
        self.accept(id, version, body.to_string().into(), Marks::default(), judgement).await
    }

    /// A request as it is told.
    pub async fn accept(
        &self,
        flow: FlowId,
        version: u32,
        body: Bytes,
        marks: Marks,
        judgement: Judgement,
    ) -> (RequestId, RunId) {
        let seed = Seed {
            flow,
            version,
            marks,
            method: "POST".into(),
            path: String::new(),
            query: String::new(),
            headers: Headers::from_pairs([
                ("content-type", "application/json".to_owned()),
                ("content-length", "6606029".to_owned()),
            ]),
            body,
            peer: None,
            actor: None,
            hops: 0,
        };
        let accepted = self.store.accept(Accept { seed: Arc::new(seed), judgement }).unwrap();
        let admitted = accepted.await.unwrap().unwrap();
        (admitted.request, admitted.run.map_or(RunId(0), |(run, _)| run))
    }

    /// A run as text.
    pub fn id(&self, run: RunId) -> String {
        self.store.ids().print(run)
    }

    /// A request as text.
    pub fn request_id(&self, request: RequestId) -> String {
        self.store.ids().print(request)
    }

    /// Claims a run's current step; gives the fence of its attempt.
    pub async fn claim(&self, run: RunId) -> i64 {
        let raw = self.store.fresh_id();
        let hash = [7; 32];
        let until = self.store.now() + 30_000;
        let lease = Lease { owner: self.store.owner(), until, callback: (CallbackId(raw), hash), items: 1 };
        let how = How { lease: Some(lease), ..How::default() };
        let owner = self.store.owner();
        let applied = self.store.apply_as(run, how, |_| Input::Claimed { owner, until }).await.unwrap();
        applied.standing.snapshot.run.fence
    }

    /// Answers a claimed run; it stays queued for its next step.
    pub async fn answer(&self, run: RunId, status: u16, body: Value) -> Applied {
        let how = How::default();
        let now = self.store.now();
        let kept = body.to_string();
        let plan = self.store.standing(run, With::Original).await.unwrap().plan;
        self.store
            .apply_as(run, how, move |snapshot| {
                let step = snapshot.run.step;
                let success = (200..300).contains(&status) && status != 202;
                let outputs = if success {
                    template::answer_outputs(&plan, step as usize, status, &[], Some(&body))
                } else {
                    Map::new()
                };
                Input::Answer(Box::new(Exchange {
                    fence: snapshot.run.fence,
                    step,
                    item: None,
                    attempt: snapshot.run.attempt,
                    started: now,
                    elapsed_ms: 5,
                    sent: Some(Sent { method: "POST".into(), url: "http://x/".into(), ..Sent::default() }),
                    left_out: Vec::new(),
                    result: ExchangeResult::Answered {
                        got: Got { status, body: kept.clone(), ..Got::default() },
                        outputs,
                        retry_after: None,
                    },
                }))
            })
            .await
            .unwrap()
    }

    /// What the current step of a run sends now, as the runner would build it.
    pub async fn built(&self, run: RunId) -> Result<Outgoing, template::RenderError> {
        let standing = self.store.standing(run, With::Original).await.unwrap();
        template::build(&standing.plan, standing.snapshot.run.step as usize, &standing.snapshot.context)
    }

    /// A run in a state, by a way that a run of this program can go.
    pub async fn run_in(&self, state: RunState) -> RunId {
        let flow = match state {
            RunState::Waiting => "Scans",
            RunState::Failed => "Strict",
            _ => "Orders",
        };
        let reference = format!("{}-{}", state.word(), self.store.fresh_id() % 1_000_000);
        let (_, run) = self.receive(flow, json!({ "ref": reference })).await;
        match state {
            RunState::Queued => {}
            RunState::Running => {
                self.claim(run).await;
            }
            RunState::Waiting => self.step(run, 202).await,
            RunState::Retrying => self.step(run, 503).await,
            RunState::Errored | RunState::Failed => self.step(run, 404).await,
            RunState::Aborted => {
                self.act(Verb::Abort, run).await.unwrap();
            }
            RunState::Succeeded => {
                for _ in 0..4 {
                    self.step(run, 200).await;
                }
            }
            RunState::SucceededWithSkips => {
                self.step(run, 404).await;
                self.act(Verb::Skip { stand_in: json!({"id": 1}).as_object().cloned() }, run).await.unwrap();
                for _ in 0..3 {
                    self.step(run, 200).await;
                }
            }
        }
        assert_eq!(self.row(run).await.state, state, "{}", self.id(run));
        run
    }

    /// Claims and answers the current step.
    pub async fn step(&self, run: RunId, status: u16) {
        self.claim(run).await;
        self.answer(run, status, json!({"id": "cus_1", "mail": "m"})).await;
    }

    /// A run's row.
    pub async fn row(&self, run: RunId) -> crate::model::run::Run {
        self.store.load(run).await.unwrap().unwrap().run
    }

    /// A verb on one run.
    pub async fn act(&self, verb: Verb, run: RunId) -> Result<Acted, Refusal> {
        self.act_on(act(verb, vec![self.id(run)])).await
    }

    /// A verb.
    pub async fn act_on(&self, act: Act) -> Result<Acted, Refusal> {
        match self.ask(Ask::Act(Box::new(act))).await? {
            Answer::Acted(acted) => Ok(acted),
            other => panic!("{other:?}"),
        }
    }

    /// The plan of a verb on one run.
    pub async fn plan(&self, verb: Verb, run: RunId) -> Result<Plan, Refusal> {
        self.plan_on(act(verb, vec![self.id(run)])).await
    }

    /// The plan of a verb.
    pub async fn plan_on(&self, act: Act) -> Result<Plan, Refusal> {
        match self.ask(Ask::Act(Box::new(Act { dry_run: true, ..act }))).await? {
            Answer::Plan(plan) => Ok(plan),
            other => panic!("{other:?}"),
        }
    }

    /// The newest entries of the audit trail, newest first.
    pub async fn trail(&self) -> Vec<AuditView> {
        match self.ask(Ask::Audit(crate::model::ask::Page::default())).await.unwrap() {
            Answer::Audit(rows) => rows.rows,
            other => panic!("{other:?}"),
        }
    }

    /// A run as a list shows it.
    pub async fn view(&self, run: RunId) -> RunView {
        match self.ask(Ask::Run { id: self.id(run) }).await.unwrap() {
            Answer::Run { run, .. } => *run,
            other => panic!("{other:?}"),
        }
    }
}

/// A verb on these ids.
pub fn act(verb: Verb, ids: Vec<String>) -> Act {
    Act { ids, reason: Some("because".into()), ..Act::of(verb) }
}

/// A verb on all that a filter matches.
pub fn act_by(verb: Verb, filter: &str) -> Act {
    Act { filter: Some(filter.to_owned()), ..act(verb, Vec::new()) }
}
