//! From step to step.

use super::*;

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
fn a_run_without_steps_that_was_held_ends_with_its_claim_and_says_so() {
    let mut world = World::new(Vec::new());
    assert_eq!(world.claim(), Effect::None);
    assert_eq!((world.state(), world.fold().state), (RunState::Succeeded, RunState::Succeeded));
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
        let env = Env { now: 1, dice: 0.0, callback: (CallbackId(1), [0; 32]), lease: None, items: 0 };
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
    world.put(Input::Died);
    assert_eq!(world.state(), RunState::Retrying);
    assert_eq!(world.fold().steps[0].attempts[0].outcome, Some(Outcome::Unknown));
    let mut step = request("push");
    exchange_of(&mut step).idempotent = false;
    exchange_of(&mut step).retry.written = true;
    step.on_error = OnError::Continue;
    let mut world = World::new(vec![step]);
    world.claim();
    world.put(Input::Died);
    assert_eq!(world.state(), RunState::Errored);
    assert!(world.cause().starts_with("may have been delivered: the process died"), "{}", world.cause());
    assert_eq!(world.refused(Input::Died).code, "not_running");
}

#[test]
fn a_result_after_a_lost_lease_is_late_and_its_attempt_says_so() {
    let mut world = World::new(vec![request("push")]);
    world.claim();
    let first = world.answered(200);
    world.put(Input::Died);
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
    world.put(Input::Unbuilt { fence, item: None, error: RenderError { place: "url".to_owned(), message } });
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
fn a_claim_that_is_given_back_leaves_no_trace_but_a_higher_fence() {
    let mut world = World::new(vec![callback_step("ask")]);
    world.claim();
    let fence = world.snapshot.run.fence;
    assert_eq!(world.put(Input::PutBack { fence, due: None }), Effect::Wake);
    let run = &world.snapshot.run;
    assert_eq!((run.state, run.attempt, run.due), (RunState::Queued, 0, Some(world.now)));
    assert_eq!(world.snapshot.callbacks[0].state, CallbackState::Cancelled);
    assert!(world.journal.is_empty());
    assert_eq!(world.refused(Input::PutBack { fence, due: None }).code, "not_running");
    world.claim();
    assert_eq!(world.refused(Input::PutBack { fence, due: None }).code, "not_running");
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

#[test]
fn steps_that_send_nothing_are_carried_out_in_passing() {
    let mut world = World::new(vec![
        set_step("x", "{{ 1 }}"),
        guarded(request("no"), "{{ steps.x.outputs.v == 2 }}"),
        request("a"),
        set_step("y", "{{ steps.a.body.n }}"),
        guarded(set_step("z", "{{ steps.y.outputs.v }}"), "{{ steps.y.outputs.v == 1 }}"),
    ]);
    assert_eq!(world.claim(), Effect::Send);
    assert_eq!((world.state(), world.snapshot.run.step), (RunState::Running, 2));
    assert_eq!(world.journal.len(), 1, "the claim that folds writes an entry");
    assert_eq!(world.journal[0].kind, EntryKind::Local);
    assert_eq!(world.steps()[..3], [StepState::Succeeded, StepState::Skipped, StepState::Running]);
    world.put(world.answered(200));
    assert_eq!(world.state(), RunState::Succeeded, "a false when alone leaves succeeded");
    assert_eq!(world.journal.len(), 2);
    assert_eq!(world.snapshot.context.steps["z"].outputs.as_ref().unwrap()["v"], serde_json::json!(1));
    let fold = world.fold();
    assert_eq!(fold.steps[1].cause.as_deref(), Some("its when is false"));
    assert_eq!(fold.steps[4].outputs.as_ref().unwrap()["v"], serde_json::json!(1));
}

#[test]
fn a_fail_step_ends_the_run() {
    let mut world =
        World::new(vec![set_step("x", "order 7"), fail_step("no", "{{ steps.x.outputs.v }} is known")]);
    world.claim();
    assert_eq!((world.state(), world.cause().as_str()), (RunState::Failed, "order 7 is known"));
    assert_eq!(world.steps(), [StepState::Succeeded, StepState::Failed]);
    // It can be retried, and fails again.
    world.put(retry());
    world.claim();
    assert_eq!(world.state(), RunState::Failed);
}

#[test]
fn a_when_that_is_no_boolean_and_a_value_that_fails_are_failures_of_their_step() {
    for (on_error, run, step) in [
        (OnError::Stop, RunState::Errored, StepState::Errored),
        (OnError::Continue, RunState::SucceededWithSkips, StepState::Failed),
        (OnError::Abort, RunState::Failed, StepState::Failed),
    ] {
        for bad in [guarded(request("a"), "{{ 7 }}"), set_step("a", "{{ error('no stock') }}")] {
            let mut world = World::new(vec![Step { on_error, ..bad }]);
            world.claim();
            assert_eq!((world.state(), world.steps()[0]), (run, step), "{on_error:?}");
            if run == RunState::Errored {
                assert!(world.cause().starts_with("could not be built: "), "{}", world.cause());
                assert_eq!(world.snapshot.run.attempt, 0, "nothing was tried");
                world.put(retry());
                world.claim();
                assert_eq!(world.state(), RunState::Errored, "it is judged again");
            }
        }
    }
}

#[test]
fn a_missing_value_in_a_when_is_false() {
    let mut world = World::new(vec![guarded(request("a"), "{{ request.body.nothing == 'x' }}")]);
    world.claim();
    assert_eq!(world.state(), RunState::Succeeded);
}
