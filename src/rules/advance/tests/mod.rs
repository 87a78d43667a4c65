//! The tables of the state machine, row by row; and the world that they are judged in.

mod callbacks;
mod each;
mod hand;
mod people;
mod respond;
mod runs;
mod secrets;
mod took;
mod verbs;

use super::fold::fold;
use super::*;
use crate::model::document::{
    Auth, Body, Connection, Delay, Flow, Integration, Missing, OnError, Patience, Reply, RequestStep,
    Respond, Retry, StatusMatch, Step, StepKind, Trigger, Webhook,
};
use crate::model::run::{EntryKind, Outcome, RunState, StepState};
use crate::model::time::{DAY, HOUR, MINUTE, SECOND};
use crate::model::{FlowId, IntegrationId, RunId};

pub fn request(name: &str) -> Step {
    Step {
        name: name.to_owned(),
        kind: StepKind::Request(Box::new(RequestStep {
            connection: Some("progix".to_owned()),
            method: "PUT".to_owned(),
            url: "http://127.0.0.1:9000/".to_owned(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Body::Empty,
            timeout: 10 * SECOND,
            success: vec![StatusMatch::Class(2)],
            errors: Vec::new(),
            default_error: None,
            outputs: Vec::new(),
            retry: Retry { attempts: 3, delay: SECOND, exponential: true, max_delay: HOUR, written: false },
            idempotent: true,
            callback: false,
            callback_deadline: 7 * DAY,
            for_each: None,
        })),
        when: None,
        missing: Missing::Omit,
        on_error: OnError::Stop,
    }
}

pub fn exchange_of(step: &mut Step) -> &mut RequestStep {
    match &mut step.kind {
        StepKind::Request(exchange) | StepKind::Send(exchange) => exchange,
        _ => panic!("no exchange"),
    }
}

pub fn callback_step(name: &str) -> Step {
    let mut step = request(name);
    exchange_of(&mut step).callback = true;
    exchange_of(&mut step).idempotent = false;
    step
}

pub fn delay_step(name: &str, ms: Ms) -> Step {
    Step { name: name.to_owned(), kind: StepKind::Delay(Delay::For(ms)), ..request(name) }
}

pub fn set_step(name: &str, value: &str) -> Step {
    Step {
        name: name.to_owned(),
        kind: StepKind::Set(vec![("v".to_owned(), value.to_owned())]),
        ..request(name)
    }
}

pub fn fail_step(name: &str, message: &str) -> Step {
    Step { kind: StepKind::Fail { message: message.to_owned(), status: 422 }, ..request(name) }
}

pub fn respond_step(name: &str, status: u16, text: &str) -> Step {
    let respond = Respond { status, headers: Vec::new(), body: Body::Text(text.to_owned()) };
    Step { kind: StepKind::Respond(Box::new(respond)), ..request(name) }
}

/// Sends once an item of a list that a template makes.
pub fn each_step(name: &str, list: &str) -> Step {
    let mut step = request(name);
    exchange_of(&mut step).for_each = Some(list.to_owned());
    step
}

pub fn guarded(step: Step, when: &str) -> Step {
    Step { when: Some(when.to_owned()), ..step }
}

pub fn plan_of(version: u32, steps: Vec<Step>) -> Plan {
    let flow = Flow {
        id: "f".to_owned(),
        id_written: true,
        name: "F".to_owned(),
        was: None,
        description: String::new(),
        trigger: Trigger::Manual,
        steps,
    };
    let progix = Connection {
        name: "progix".to_owned(),
        base_url: None,
        auth: None,
        headers: Vec::new(),
        proxy: None,
        verify_tls: true,
        ca_file: None,
    };
    let integration = Integration {
        name: "acme".to_owned(),
        title: "Acme".to_owned(),
        icon: None,
        description: String::new(),
        variables: Vec::new(),
        connections: vec![progix],
        flows: vec![flow],
        alerts: Vec::new(),
    };
    Plan::compile(IntegrationId(1), FlowId(1), version, &integration, 0).unwrap()
}

/// A run with its journal, moved as a store would move it.
pub struct World {
    pub plan: Plan,
    pub snapshot: Snapshot,
    pub journal: Vec<Entry>,
    pub now: Ms,
    pub minted: i64,
    /// Items that may start in a transition.
    pub room: usize,
}

pub const OWNER: i64 = 7;

impl World {
    pub fn new(steps: Vec<Step>) -> Self {
        let plan = plan_of(1, steps);
        let run = Run {
            id: RunId(1),
            request: None,
            parent: None,
            flow: FlowId(1),
            version: 1,
            state: RunState::Queued,
            step: 0,
            attempt: 0,
            round: 1,
            fence: 0,
            seq: 0,
            owner: 0,
            due: None,
            started: None,
            ended: None,
            cause: None,
            test: false,
            element: None,
        };
        let step_name = plan.flow.steps.first().map(|step| step.name.clone()).unwrap_or_default();
        let snapshot = Snapshot {
            run,
            frame: Frame::default(),
            step_name,
            callbacks: Vec::new(),
            context: Context::default(),
            results: BTreeMap::new(),
        };
        Self { plan, snapshot, journal: Vec::new(), now: 1_795_008_715_120, minted: 0, room: 8 }
    }

    /// Its senders wait.
    pub fn waited_for(mut self) -> Self {
        self.plan.flow.trigger = Trigger::Webhook(Webhook {
            path: None,
            methods: vec!["POST".to_owned()],
            auth: Auth::None,
            dedup: None,
            required: Vec::new(),
            when: None,
            split: None,
            reply: Reply::Wait(Patience { timeout: 30 * SECOND, abort: false }),
            max_body: 1,
            gates: Box::default(),
        });
        self
    }

    /// What was given to the sender, in the order of the journal.
    pub fn given(&self) -> Vec<(u16, &str, bool)> {
        let given = self.journal.iter().filter_map(|entry| entry.answer.as_ref());
        given.map(|given| (given.status, given.body.as_str(), given.problem)).collect()
    }

    pub fn try_put(&mut self, input: Input, lease: bool) -> Result<Effect, Refusal> {
        self.minted += 1;
        let id = CallbackId(self.minted);
        let env = Env {
            now: self.now,
            dice: 1.0,
            callback: (id, [0; 32]),
            lease: lease.then_some((OWNER, self.now + 30 * SECOND)),
            items: self.room,
        };
        let mut transition = advance(&self.plan, &self.snapshot, input, &env)?;
        assert_eq!(transition.guard, self.snapshot.run.seq);
        assert_eq!(transition.run.seq, transition.guard + 1);
        for write in &transition.callbacks {
            let known = |id: &CallbackId| self.snapshot.callbacks.iter().any(|other| other.id == *id);
            match write {
                CallbackWrite::New(callback) => assert!(!known(&callback.id)),
                CallbackWrite::Move { id, .. } | CallbackWrite::Extend { id, .. } => assert!(known(id)),
            }
        }
        self.snapshot.follow(&self.plan, &mut transition);
        if let Some(entry) = transition.entry {
            assert_eq!(entry.seq, self.snapshot.run.seq);
            self.journal.push(entry);
        }
        Ok(transition.effect)
    }

    pub fn put(&mut self, input: Input) -> Effect {
        self.try_put(input, true).unwrap()
    }

    pub fn refused(&mut self, input: Input) -> Refusal {
        self.try_put(input, true).unwrap_err()
    }

    pub fn claim(&mut self) -> Effect {
        let until = self.now + 30 * SECOND;
        self.put(Input::Claimed { owner: OWNER, until })
    }

    pub fn exchange(&self, result: ExchangeResult) -> Input {
        let run = &self.snapshot.run;
        Input::Answer(Box::new(Exchange {
            fence: run.fence,
            step: run.step,
            item: None,
            attempt: run.attempt,
            started: self.now - 5,
            elapsed_ms: 5,
            sent: None,
            left_out: Vec::new(),
            result,
        }))
    }

    /// The same of an item that is under way, or was.
    pub fn of_item(&self, item: u32, input: Input) -> Input {
        let Input::Answer(exchange) = input else { panic!("no answer") };
        let items = self.snapshot.frame.items.as_ref();
        let attempt = items.and_then(|items| items.get(item)).map_or(1, |item| item.attempt);
        Input::Answer(Box::new(Exchange { item: Some(item), attempt, ..*exchange }))
    }

    pub fn answered(&self, status: u16) -> Input {
        self.exchange(ExchangeResult::Answered {
            got: Got::of(status, Vec::new(), b"{\"n\":1}", true),
            outputs: Map::new(),
            retry_after: None,
        })
    }

    pub fn failed(&self, failure: Transport) -> Input {
        self.exchange(ExchangeResult::Failed { failure, cause: "no connection to 127.0.0.1:9000".to_owned() })
    }

    pub fn callback(&self, at: usize, status: u16, digest: u8) -> Input {
        let id = self.snapshot.callbacks[at].id;
        Input::Callback { id, status, body: bytes::Bytes::from_static(b"{\"job\":1}"), digest: [digest; 32] }
    }

    /// A person at a callback.
    pub fn hand(&self, at: usize) -> Hand {
        Hand { callback: self.snapshot.callbacks[at].id, actor: "anna".to_owned(), reason: None }
    }

    pub fn state(&self) -> RunState {
        self.snapshot.run.state
    }

    /// The state of each step, as the journal tells it.
    pub fn steps(&self) -> Vec<StepState> {
        self.fold().steps.iter().map(|step| step.state).collect()
    }

    pub fn fold(&self) -> fold::Fold {
        fold(&self.plan, &self.snapshot.run, &self.journal)
    }

    fn cause(&self) -> String {
        self.fold().cause.unwrap_or_default()
    }
}

pub fn retry() -> Input {
    Input::Retry { actor: "anna".to_owned(), reason: None, fresh_key: false }
}

pub fn skip(stand_in: Option<Map>) -> Input {
    Input::Skip { actor: "anna".to_owned(), reason: Some("known".to_owned()), stand_in }
}

pub fn abort() -> Input {
    Input::Abort { actor: "anna".to_owned(), reason: Some("wrong".to_owned()) }
}
