//! The tables of the state machine, row by row.

use super::fold::fold;
use super::*;
use crate::model::document::{
    Body, Delay, Flow, Integration, Missing, OnError, RequestStep, Retry, StatusMatch, Step, StepKind, Trigger,
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
    let integration = Integration {
        name: "acme".to_owned(),
        title: "Acme".to_owned(),
        icon: None,
        description: String::new(),
        variables: Vec::new(),
        connections: Vec::new(),
        flows: vec![flow],
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
        };
        let step_name = plan.flow.steps.first().map(|step| step.name.clone()).unwrap_or_default();
        let snapshot = Snapshot {
            run,
            frame: Frame::default(),
            step_name,
            callbacks: Vec::new(),
            context: Context::default(),
        };
        Self { plan, snapshot, journal: Vec::new(), now: 1_795_008_715_120, minted: 0 }
    }

    pub fn try_put(&mut self, input: Input, lease: bool) -> Result<Effect, Refusal> {
        self.minted += 1;
        let id = CallbackId(self.minted);
        let env = Env {
            now: self.now,
            dice: 1.0,
            callback: (id, [0; 32]),
            lease: lease.then_some((OWNER, self.now + 30 * SECOND)),
        };
        let mut transition = advance(&self.plan, &self.snapshot, input, &env)?;
        assert_eq!(transition.guard, self.snapshot.run.seq);
        assert_eq!(transition.run.seq, transition.guard + 1);
        for write in &transition.callbacks {
            let known = |id: &CallbackId| self.snapshot.callbacks.iter().any(|other| other.id == *id);
            match write {
                CallbackWrite::New(callback) => assert!(!known(&callback.id)),
                CallbackWrite::Move { id, .. } => assert!(known(id)),
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
            attempt: run.attempt,
            started: self.now - 5,
            elapsed_ms: 5,
            sent: None,
            left_out: Vec::new(),
            result,
        }))
    }

    pub fn answered(&self, status: u16) -> Input {
        self.exchange(ExchangeResult::Answered {
            got: Got { status, headers: Vec::new(), body: "{\"n\":1}".to_owned(), cut: false },
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

#[test]
fn a_run_goes_from_step_to_step_under_one_lease() {
    let mut world = World::new(vec![request("a"), request("b")]);
    assert_eq!(world.claim(), Effect::Send);
    assert_eq!(
        (world.state(), world.snapshot.run.attempt, world.snapshot.run.due),
        (RunState::Running, 1, None)
    );
    assert!(world.journal.is_empty(), "a claim writes no entry");
    let late = world.answered(200);
    assert_eq!(world.put(late.clone()), Effect::Send);
    assert_eq!((world.state(), world.snapshot.run.step), (RunState::Running, 1));
    assert_eq!(world.snapshot.run.due, None, "a run that was never in the due index stays out of it");
    // The same result again does not touch the second step.
    world.put(late);
    assert_eq!((world.state(), world.snapshot.run.step), (RunState::Running, 1));
    assert_eq!(world.journal.last().unwrap().kind, EntryKind::Late);
    world.put(world.answered(204));
    assert_eq!(world.state(), RunState::Succeeded);
    assert_eq!(world.steps(), [StepState::Succeeded, StepState::Succeeded]);
    assert_eq!(world.snapshot.context.steps["a"].body, Some(serde_json::json!({"n": 1})));
    assert!(world.snapshot.run.ended.is_some());
}

#[test]
fn without_a_lease_the_next_step_is_queued() {
    let mut world = World::new(vec![request("a"), request("b")]);
    world.claim();
    assert_eq!(world.try_put(world.answered(200), false), Ok(Effect::Wake));
    assert_eq!((world.state(), world.snapshot.run.due), (RunState::Queued, Some(world.now)));
    assert_eq!(world.snapshot.run.attempt, 0);
    world.claim();
    assert_eq!(world.snapshot.run.due, Some(world.now + 30 * SECOND), "now it is in the due index");
}

#[test]
fn transient_answers_are_tried_again_until_the_budget_is_used_up() {
    let mut world = World::new(vec![request("push")]);
    for attempt in 1..=3 {
        world.claim();
        assert_eq!(world.snapshot.run.attempt, attempt);
        world.put(world.answered(503));
        if attempt < 3 {
            assert_eq!(world.state(), RunState::Retrying);
            assert_eq!(world.snapshot.run.due, Some(world.now + (SECOND << (attempt - 1))));
        }
    }
    assert_eq!((world.state(), world.snapshot.run.due), (RunState::Errored, None));
    assert_eq!(world.cause(), "progix answered 503 after 3 attempts");
    let fold = world.fold();
    assert_eq!(fold.steps[0].attempts.len(), 3);
    assert!(fold.steps[0].attempts.iter().all(|attempt| attempt.outcome == Some(Outcome::Transient)));
    // An operator's retry starts a round.
    assert_eq!(world.put(retry()), Effect::Wake);
    assert_eq!((world.state(), world.snapshot.run.round), (RunState::Queued, 4));
    world.claim();
    world.put(world.answered(503));
    assert_eq!((world.state(), world.snapshot.run.attempt), (RunState::Retrying, 4));
}

#[test]
fn a_retry_after_is_honoured() {
    let mut world = World::new(vec![request("push")]);
    world.claim();
    let got = Got { status: 429, ..Got::default() };
    let retry_after = Some(5 * MINUTE);
    world.put(world.exchange(ExchangeResult::Answered { got, outputs: Map::new(), retry_after }));
    assert_eq!(world.snapshot.run.due, Some(world.now + 5 * MINUTE));
}

#[test]
fn the_documents_own_messages_name_the_cause() {
    let mut step = request("push");
    let own = exchange_of(&mut step);
    own.errors = vec![
        (StatusMatch::Class(4), "Progix does not take it".to_owned()),
        (StatusMatch::Code(404), "Progix does not know this customer".to_owned()),
    ];
    own.default_error = Some("Progix refused".to_owned());
    for (status, cause) in [
        (404, "Progix does not know this customer: progix answered 404"),
        (422, "Progix does not take it: progix answered 422"),
        (301, "Progix refused: progix answered 301"),
    ] {
        let mut world = World::new(vec![step.clone()]);
        world.claim();
        world.put(world.answered(status));
        assert_eq!((world.state(), world.cause().as_str()), (RunState::Errored, cause));
    }
}

#[test]
fn groups_do_not_count_attempts_but_keep_the_code() {
    let plan = plan_of(1, vec![request("push")]);
    let cause = |status: u16, attempt: u32| {
        let mut world = World::new(vec![request("push")]);
        world.claim();
        world.snapshot.run.attempt = attempt;
        let env = Env { now: 1, dice: 0.0, callback: (CallbackId(1), [0; 32]), lease: None };
        advance(&plan, &world.snapshot, world.answered(status), &env).unwrap().cause.unwrap()
    };
    assert_eq!(cause(503, 3).normal, cause(503, 4).normal);
    assert_ne!(cause(503, 3).text, cause(503, 4).text);
    assert_ne!(cause(503, 3).normal, cause(500, 3).normal);
    assert_eq!(cause(503, 3).step, "push");
}

#[test]
fn on_error_decides() {
    for (on_error, run, step) in [
        (OnError::Stop, RunState::Errored, StepState::Errored),
        (OnError::Continue, RunState::Running, StepState::Failed),
        (OnError::Abort, RunState::Failed, StepState::Failed),
    ] {
        let mut first = request("a");
        first.on_error = on_error;
        let mut world = World::new(vec![first, request("b")]);
        world.claim();
        world.put(world.answered(404));
        assert_eq!((world.state(), world.steps()[0]), (run, step), "{on_error:?}");
        if on_error == OnError::Continue {
            let seen = &world.snapshot.context.steps["a"];
            assert_eq!((seen.status, &seen.body, &seen.outputs), (Some(404), &None, &None));
            world.put(world.answered(200));
            assert_eq!(world.state(), RunState::SucceededWithSkips);
        }
    }
}

#[test]
fn a_failed_run_can_be_retried_and_a_continued_step_stays_counted() {
    let (mut first, mut second) = (request("a"), request("b"));
    first.on_error = OnError::Continue;
    second.on_error = OnError::Abort;
    let mut world = World::new(vec![first, second]);
    world.claim();
    world.put(world.answered(404));
    world.put(world.answered(404));
    assert_eq!(world.state(), RunState::Failed);
    world.put(retry());
    assert_eq!((world.state(), world.snapshot.run.ended), (RunState::Queued, None));
    world.claim();
    world.put(world.answered(200));
    assert_eq!(world.state(), RunState::SucceededWithSkips);
}

#[test]
fn a_post_repeats_only_where_no_connection_could_be_made() {
    let mut step = request("push");
    exchange_of(&mut step).idempotent = false;
    let mut world = World::new(vec![step.clone()]);
    world.claim();
    world.put(world.failed(Transport::NoConnection));
    assert_eq!(world.state(), RunState::Retrying);
    world.claim();
    world.put(world.failed(Transport::NoConnection));
    assert_eq!(world.state(), RunState::Errored);
    assert_eq!(world.cause(), "no connection to 127.0.0.1:9000 after 2 attempts");
    let mut world = World::new(vec![step]);
    world.claim();
    world.put(world.failed(Transport::Broken));
    assert_eq!(world.state(), RunState::Errored);
}

#[test]
fn a_lost_attempt_is_repeated_where_that_does_no_harm_and_else_left_to_a_person() {
    let mut world = World::new(vec![request("push")]);
    world.claim();
    world.put(Input::Lost { died: true });
    assert_eq!(world.state(), RunState::Retrying);
    assert_eq!(world.fold().steps[0].attempts[0].outcome, Some(Outcome::Unknown));
    let mut step = request("push");
    exchange_of(&mut step).idempotent = false;
    exchange_of(&mut step).retry.written = true;
    step.on_error = OnError::Continue;
    let mut world = World::new(vec![step]);
    world.claim();
    world.put(Input::Lost { died: true });
    assert_eq!(world.state(), RunState::Errored);
    assert!(world.cause().starts_with("may have been delivered: the process died"), "{}", world.cause());
    assert_eq!(world.refused(Input::Lost { died: true }).code, "not_running");
}

#[test]
fn a_result_after_a_lost_lease_is_late_and_its_attempt_says_so() {
    let mut world = World::new(vec![request("push")]);
    world.claim();
    let first = world.answered(200);
    world.put(Input::Lost { died: true });
    world.put(first.clone());
    assert_eq!(world.state(), RunState::Retrying, "not applied");
    world.claim();
    world.put(world.answered(200));
    let seq = world.snapshot.run.seq;
    world.put(first);
    assert_eq!((world.state(), world.snapshot.run.seq), (RunState::Succeeded, seq + 1));
    let attempts = &world.fold().steps[0].attempts;
    assert_eq!(attempts.len(), 2);
    assert_eq!(attempts[0].outcome, Some(Outcome::Unknown));
    assert_eq!(attempts[0].late.len(), 2);
    assert_eq!(attempts[1].outcome, Some(Outcome::Ok));
}

#[test]
fn an_unbuilt_request_and_a_blocked_one_are_never_tried_again() {
    let mut world = World::new(vec![request("push")]);
    world.claim();
    let fence = world.snapshot.run.fence;
    let message = "steps.lookup.outputs.id has no value (lookup was skipped)".to_owned();
    world.put(Input::Unbuilt { fence, error: RenderError { place: "url".to_owned(), message } });
    assert_eq!(world.state(), RunState::Errored);
    assert_eq!(
        world.cause(),
        "could not be built: steps.lookup.outputs.id has no value (lookup was skipped)"
    );
    let mut world = World::new(vec![request("push")]);
    world.claim();
    world.put(world.exchange(ExchangeResult::Blocked { cause: "10.0.0.1 is private.".to_owned() }));
    assert_eq!(
        (world.state(), world.cause().as_str()),
        (RunState::Errored, "was not sent: 10.0.0.1 is private.")
    );
}

#[test]
fn a_202_waits_for_its_callback() {
    let mut world = World::new(vec![callback_step("ask"), request("b")]);
    world.claim();
    assert_eq!(world.snapshot.callbacks.len(), 1, "its row is in the claim's transaction");
    assert_eq!(world.snapshot.callbacks[0].deadline, world.now + 7 * DAY);
    world.put(world.answered(202));
    assert_eq!((world.state(), world.snapshot.run.due), (RunState::Waiting, Some(world.now + 7 * DAY)));
    let answer = world.callback(0, 200, 1);
    assert_eq!(world.try_put(answer.clone(), false), Ok(Effect::Wake));
    assert_eq!((world.state(), world.snapshot.run.step), (RunState::Queued, 1));
    assert_eq!(world.snapshot.context.steps["ask"].body, Some(serde_json::json!({"job": 1})));
    assert_eq!(world.fold().data, world.snapshot.context.steps);
    assert_eq!(world.refused(answer).code, "200");
    assert_eq!(world.refused(world.callback(0, 200, 2)).code, "409");
    world.now += 7 * DAY;
    assert_eq!(
        world.refused(world.callback(0, 200, 1)).code,
        "410",
        "after the deadline, whatever came before"
    );
}

#[test]
fn an_answer_other_than_202_decides_and_cancels_the_callback() {
    for (status, state) in [(200, RunState::Succeeded), (404, RunState::Errored), (503, RunState::Errored)] {
        let mut world = World::new(vec![callback_step("ask")]);
        world.claim();
        world.put(world.answered(status));
        assert_eq!(world.state(), state);
        assert_eq!(world.snapshot.callbacks[0].state, CallbackState::Cancelled);
        assert_eq!(world.refused(world.callback(0, 200, 1)).code, "410");
    }
}

#[test]
fn a_callback_may_overtake_its_own_202() {
    let mut world = World::new(vec![callback_step("ask")]);
    world.claim();
    assert_eq!(world.put(world.callback(0, 200, 1)), Effect::None);
    assert_eq!(world.state(), RunState::Running);
    assert_eq!(world.snapshot.frame.early, Some((200, "{\"job\":1}".to_owned())));
    world.put(world.answered(202));
    assert_eq!(world.state(), RunState::Succeeded);
    assert_eq!(world.snapshot.frame.early, None);
}

#[test]
fn an_early_callback_decides_where_no_answer_comes_and_an_answer_decides_where_one_does() {
    for ending in ["broken", "lost"] {
        let mut world = World::new(vec![callback_step("ask")]);
        world.claim();
        world.put(world.callback(0, 200, 1));
        let input = if ending == "lost" { Input::Lost { died: true } } else { world.failed(Transport::Broken) };
        world.put(input);
        assert_eq!(world.state(), RunState::Succeeded, "{ending}");
    }
    let mut world = World::new(vec![callback_step("ask")]);
    world.claim();
    world.put(world.callback(0, 200, 1));
    world.put(world.answered(404));
    assert_eq!(world.state(), RunState::Errored);
    assert_eq!(world.snapshot.callbacks[0].state, CallbackState::Received, "kept as a note");
}

#[test]
fn a_callback_with_another_code_fails_the_step_and_is_never_retried_by_itself() {
    let mut step = callback_step("ask");
    exchange_of(&mut step).retry.written = true;
    let mut world = World::new(vec![step]);
    world.claim();
    world.put(world.answered(202));
    world.put(world.callback(0, 503, 1));
    assert_eq!((world.state(), world.cause().as_str()), (RunState::Errored, "progix answered 503"));
}

#[test]
fn a_deadline_that_passes_errors_the_step() {
    let mut world = World::new(vec![callback_step("ask")]);
    world.claim();
    world.put(world.answered(202));
    world.now += 7 * DAY - 1;
    assert_eq!(world.refused(Input::Due).code, "not_due");
    world.now += 1;
    assert_eq!(world.refused(world.callback(0, 200, 1)).code, "410", "judged at the POST too");
    world.put(Input::Due);
    assert_eq!(world.state(), RunState::Errored);
    assert_eq!(world.snapshot.callbacks[0].state, CallbackState::Expired);
    assert_eq!(world.cause(), "expired: no answer came by 2026-11-25 13:31:55 UTC (7d)");
    assert_eq!(world.refused(world.callback(0, 200, 1)).code, "410");
}

#[test]
fn a_callback_answers_the_question_of_a_lost_attempt() {
    let mut world = World::new(vec![callback_step("ask"), request("b")]);
    world.claim();
    world.put(Input::Lost { died: true });
    assert_eq!(
        (world.state(), world.snapshot.callbacks[0].state),
        (RunState::Errored, CallbackState::Pending)
    );
    world.try_put(world.callback(0, 200, 1), false).unwrap();
    assert_eq!((world.state(), world.snapshot.run.step), (RunState::Queued, 1));
}

#[test]
fn the_retry_of_a_waiting_step_kills_its_callback() {
    let mut world = World::new(vec![callback_step("ask")]);
    world.claim();
    world.put(world.answered(202));
    world.put(retry());
    assert_eq!(world.snapshot.callbacks[0].state, CallbackState::Cancelled);
    assert_eq!(world.refused(world.callback(0, 200, 1)).code, "410");
    world.claim();
    assert_eq!((world.snapshot.callbacks.len(), world.snapshot.run.attempt), (2, 2));
    // A callback that had been answered is gone after a retry, too.
    world.put(world.answered(202));
    world.put(world.callback(1, 500, 1));
    assert_eq!(world.state(), RunState::Errored);
    assert_eq!(world.refused(world.callback(1, 500, 1)).code, "200");
    world.put(retry());
    assert_eq!(world.refused(world.callback(1, 500, 1)).code, "410");
}

#[test]
fn a_delay_waits_and_goes_on() {
    let mut world = World::new(vec![delay_step("pause", MINUTE), request("b")]);
    assert_eq!(world.claim(), Effect::None);
    assert_eq!((world.state(), world.snapshot.run.due), (RunState::Waiting, Some(world.now + MINUTE)));
    assert_eq!(world.steps(), [StepState::Waiting, StepState::Pending]);
    world.put(retry());
    assert_eq!(world.state(), RunState::Queued);
    world.now += MINUTE;
    world.claim();
    assert_eq!(world.snapshot.run.due, Some(world.now + MINUTE), "it starts anew");
    world.now += MINUTE;
    world.try_put(Input::Due, false).unwrap();
    assert_eq!((world.state(), world.snapshot.run.step), (RunState::Queued, 1));
    assert_eq!(world.steps(), [StepState::Succeeded, StepState::Pending]);
}

#[test]
fn more_steps_than_the_bound_are_carried_out_in_more_transitions() {
    let steps = (0..=work::FOLD_BOUND).map(|n| delay_step(&format!("d{n}"), 0)).collect();
    let mut world = World::new(steps);
    assert_eq!(world.claim(), Effect::Wake);
    assert_eq!((world.state(), world.snapshot.run.step as usize), (RunState::Queued, work::FOLD_BOUND));
    world.claim();
    assert_eq!(world.state(), RunState::Succeeded);
    let mut world = World::new((0..work::FOLD_BOUND).map(|n| delay_step(&format!("d{n}"), 0)).collect());
    world.claim();
    assert_eq!(world.state(), RunState::Succeeded);
}

#[test]
fn a_skip_gives_a_stand_in_and_goes_on() {
    let mut world = World::new(vec![request("a"), request("b")]);
    world.claim();
    world.put(world.answered(404));
    let stand_in: Map = serde_json::from_str("{\"id\": 7}").unwrap();
    assert_eq!(world.try_put(skip(Some(stand_in.clone())), false), Ok(Effect::Wake));
    assert_eq!(world.snapshot.context.steps["a"].outputs, Some(stand_in.clone()));
    assert_eq!(world.fold().data, world.snapshot.context.steps);
    assert!(world.fold().steps[0].stood_in);
    world.claim();
    world.put(world.answered(200));
    assert_eq!(world.state(), RunState::SucceededWithSkips);
}

#[test]
fn an_abort_of_a_running_run_waits_for_its_attempt() {
    let endings: [fn(&World) -> Input; 4] = [
        |world| world.answered(200),
        |world| world.answered(503),
        |world| world.failed(Transport::Broken),
        |_| Input::Lost { died: true },
    ];
    for ending in endings {
        let mut world = World::new(vec![request("a"), request("b")]);
        world.claim();
        let fence = world.snapshot.run.fence;
        world.put(abort());
        assert_eq!((world.state(), world.snapshot.run.fence), (RunState::Running, fence));
        assert_eq!(world.refused(abort()).code, "not_stopped");
        world.put(ending(&world));
        assert_eq!((world.state(), world.cause().as_str()), (RunState::Aborted, "aborted by anna: wrong"));
        assert_eq!(world.fold().steps[0].attempts.len(), 1);
    }
    let mut world = World::new(vec![callback_step("ask")]);
    world.claim();
    world.put(abort());
    world.put(world.answered(202));
    assert_eq!(world.state(), RunState::Aborted);
    assert_eq!(world.refused(world.callback(0, 200, 1)).code, "410");
}

/// The table of contract section 1.
#[test]
fn verbs_and_states() {
    let stopped = [RunState::Waiting, RunState::Retrying, RunState::Errored];
    for state in RunState::ALL {
        let world = || {
            let mut world = World::new(vec![request("a"), request("b")]);
            world.claim();
            world.snapshot.run.state = state;
            world
        };
        let can_retry = stopped.contains(&state) || state == RunState::Failed;
        assert_eq!(world().try_put(retry(), false).is_ok(), can_retry, "retry {state:?}");
        assert_eq!(world().try_put(skip(None), false).is_ok(), stopped.contains(&state), "skip {state:?}");
        assert_eq!(world().try_put(abort(), false).is_ok(), !state.ended(), "abort {state:?}");
    }
}

#[test]
fn refusals_say_why_and_what_would_be() {
    let at = |state| {
        let mut world = World::new(vec![request("a")]);
        world.claim();
        world.snapshot.run.state = state;
        world
    };
    for (state, input, code, message) in [
        (RunState::Running, retry(), "not_stopped", "retry is not possible: the run is running"),
        (RunState::Aborted, retry(), "ended", "retry is not possible: the run was aborted; R replays it"),
        (RunState::Succeeded, retry(), "ended", "retry is not possible: the run succeeded; R replays it"),
        (
            RunState::Queued,
            skip(None),
            "not_stopped",
            "skip is not possible: no step is errored, waiting or retrying",
        ),
        (RunState::Failed, abort(), "ended", "abort is not possible: the run failed"),
    ] {
        let refusal = at(state).refused(input);
        assert_eq!((refusal.code.as_str(), refusal.message.as_str(), refusal.exit), (code, message, 4));
    }
}

#[test]
fn a_retry_moves_the_run_to_the_plan_it_is_given_by_the_steps_name() {
    let mut world = World::new(vec![request("a"), request("b")]);
    world.claim();
    world.put(world.answered(200));
    world.put(world.answered(404));
    assert_eq!((world.state(), world.snapshot.run.step), (RunState::Errored, 1));
    world.plan = plan_of(5, vec![request("b"), request("c")]);
    world.put(retry());
    assert_eq!((world.snapshot.run.version, world.snapshot.run.step), (5, 0));
    assert_eq!(world.journal.last().unwrap().detail.moved, Some((1, 5)));
    world.claim();
    world.put(world.answered(200));
    world.put(world.answered(200));
    assert_eq!(world.state(), RunState::Succeeded);
    let names: Vec<String> = world.fold().steps.into_iter().map(|step| step.name).collect();
    assert_eq!(names, ["a", "b", "c"], "what ran in the older version is still shown");
}

#[test]
fn a_step_that_the_plan_no_longer_has_cannot_be_retried() {
    let mut world = World::new(vec![request("a")]);
    world.claim();
    world.put(world.answered(404));
    world.plan = plan_of(5, vec![request("z")]);
    let refusal = world.refused(retry());
    assert_eq!(refusal.code, "gone");
    assert_eq!(refusal.message, "retry is not possible: version 5 has no step a; R replays it");
}

#[test]
fn a_fresh_key_lasts_until_the_step_ends() {
    let mut world = World::new(vec![request("a"), request("b")]);
    world.claim();
    world.put(world.answered(404));
    world.put(Input::Retry { actor: "anna".to_owned(), reason: None, fresh_key: true });
    assert_eq!(world.snapshot.frame.fresh_key, Some(2));
    world.claim();
    world.put(world.answered(503));
    assert_eq!(world.snapshot.frame.fresh_key, Some(2), "stable over automatic retries");
    world.claim();
    world.put(world.answered(200));
    assert_eq!((world.snapshot.run.step, world.snapshot.frame.fresh_key), (1, None));
    assert_eq!(idempotency_key("r", "a", None), "r.a");
    assert_eq!(idempotency_key("r", "a", Some(2)), "r.a.r2");
}

#[test]
fn a_claim_that_is_given_back_leaves_no_trace_but_a_higher_fence() {
    let mut world = World::new(vec![callback_step("ask")]);
    world.claim();
    let fence = world.snapshot.run.fence;
    assert_eq!(world.put(Input::PutBack { fence }), Effect::Wake);
    let run = &world.snapshot.run;
    assert_eq!((run.state, run.attempt, run.due), (RunState::Queued, 0, Some(world.now)));
    assert_eq!(world.snapshot.callbacks[0].state, CallbackState::Cancelled);
    assert!(world.journal.is_empty());
    assert_eq!(world.refused(Input::PutBack { fence }).code, "not_running");
    world.claim();
    assert_eq!(world.refused(Input::PutBack { fence }).code, "not_running");
}

#[test]
fn a_renewed_lease_puts_the_run_into_the_due_index() {
    let mut world = World::new(vec![request("a")]);
    world.claim();
    let (fence, until) = (world.snapshot.run.fence, world.now + MINUTE);
    world.put(Input::Renew { fence, until });
    assert_eq!(world.snapshot.run.due, Some(until));
    assert!(world.journal.is_empty());
    world.put(world.answered(200));
    assert_eq!(world.refused(Input::Renew { fence, until }).code, "not_running");
}

#[test]
fn only_a_plain_exchange_is_claimed_in_bulk() {
    let mut guarded = request("b");
    guarded.when = Some("{{ true }}".to_owned());
    let plan = plan_of(1, vec![request("a"), guarded, callback_step("c"), delay_step("d", 1)]);
    assert!(born_leased(&plan));
    assert!(claims_plainly(&plan, 0, 0));
    assert!(!claims_plainly(&plan, 1, 0), "its when is to be judged");
    assert!(claims_plainly(&plan, 1, 1), "it was judged");
    assert!(!claims_plainly(&plan, 2, 1), "a callback's row belongs to the claim");
    assert!(!claims_plainly(&plan, 3, 0));
    assert!(!claims_plainly(&plan, 4, 0));
    assert!(!born_leased(&plan_of(1, vec![])));
}
