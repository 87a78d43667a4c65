//! Callbacks that people complete, extend and cancel.

use super::*;

fn complete(world: &World, status: u16) -> Input {
    Input::Complete { hand: world.hand(0), status, body: bytes::Bytes::from_static(b"{\"id\":7}") }
}

fn extend(world: &World, by: Ms) -> Input {
    Input::Extend { hand: world.hand(0), by }
}

fn cancel(world: &World) -> Input {
    Input::Cancel { hand: world.hand(0) }
}

/// Nobody goes on in place: a person's hand holds no lease.
fn by_hand(world: &mut World, input: impl Fn(&World) -> Input) {
    let input = input(world);
    world.try_put(input, false).unwrap();
}

fn waiting(step: Step) -> World {
    let mut world = World::new(vec![step, request("b")]);
    world.claim();
    world.put(world.answered(202));
    assert_eq!(world.state(), RunState::Waiting);
    world
}

fn overdue() -> World {
    let mut world = waiting(callback_step("ask"));
    world.now += 7 * DAY;
    world.put(Input::Due);
    assert_eq!(world.state(), RunState::Errored);
    world
}

#[test]
fn an_answer_by_hand_is_the_steps_answer_and_a_post_comes_too_late() {
    let mut world = waiting(callback_step("ask"));
    assert_eq!(world.try_put(complete(&world, 200), false), Ok(Effect::Wake));
    assert_eq!((world.state(), world.snapshot.run.step), (RunState::Queued, 1));
    assert_eq!(world.snapshot.context.steps["ask"].body, Some(serde_json::json!({"id": 7})));
    assert_eq!(world.fold().data, world.snapshot.context.steps);
    let entry = world.journal.last().unwrap();
    assert_eq!((entry.kind, entry.actor.as_deref()), (EntryKind::Callback, Some("anna")));
    assert_eq!(world.refused(world.callback(0, 200, 1)).code, "409");
    assert_eq!(world.refused(complete(&world, 200)).code, "not_waiting");
}

#[test]
fn a_code_that_is_no_success_fails_the_step_and_it_can_still_be_completed() {
    let mut world = waiting(callback_step("ask"));
    by_hand(&mut world, |world| complete(world, 500));
    assert_eq!(world.state(), RunState::Errored);
    by_hand(&mut world, |world| complete(world, 200));
    assert_eq!(world.state(), RunState::Queued);
}

#[test]
fn a_deadline_moves_from_where_it_is_and_a_past_one_from_now() {
    let mut world = waiting(callback_step("ask"));
    let deadline = world.snapshot.callbacks[0].deadline;
    by_hand(&mut world, |world| extend(world, DAY));
    assert_eq!((world.state(), world.snapshot.run.due), (RunState::Waiting, Some(deadline + DAY)));
    assert_eq!(world.snapshot.callbacks[0].deadline, deadline + DAY);
    world.now = deadline;
    assert_eq!(world.refused(Input::Due).code, "not_due");
    world.now = deadline + DAY;
    world.put(Input::Due);
    assert_eq!(world.snapshot.callbacks[0].state, CallbackState::Expired);
    assert_eq!(world.refused(world.callback(0, 200, 1)).code, "410");
    world.now += HOUR;
    by_hand(&mut world, |world| extend(world, DAY));
    assert_eq!((world.state(), world.snapshot.run.due), (RunState::Waiting, Some(world.now + DAY)));
    assert_eq!(world.steps()[0], StepState::Waiting);
    by_hand(&mut world, |world| world.callback(0, 200, 1));
    assert_eq!(world.state(), RunState::Queued, "the URL works again");
}

#[test]
fn an_overdue_callback_can_be_completed_by_hand() {
    let mut world = overdue();
    by_hand(&mut world, |world| complete(world, 200));
    assert_eq!((world.state(), world.snapshot.run.step), (RunState::Queued, 1));
}

#[test]
fn a_cancel_is_a_failure_of_the_step_and_can_be_taken_back() {
    let mut world = waiting(callback_step("ask"));
    by_hand(&mut world, cancel);
    assert_eq!((world.state(), world.cause()), (RunState::Errored, "cancelled by anna".to_owned()));
    assert_eq!(world.snapshot.callbacks[0].state, CallbackState::Cancelled);
    assert_eq!(world.refused(world.callback(0, 200, 1)).code, "410");
    assert_eq!(world.refused(cancel(&world)).code, "not_waiting");
    assert_eq!(world.fold().frame, world.snapshot.frame);
    by_hand(&mut world, |world| extend(world, DAY));
    assert_eq!(world.state(), RunState::Waiting);
    by_hand(&mut world, cancel);
    by_hand(&mut world, |world| complete(world, 200));
    assert_eq!(world.state(), RunState::Queued);
}

#[test]
fn on_error_decides_what_a_cancel_comes_to() {
    for (on_error, state) in [
        (OnError::Continue, RunState::Queued),
        (OnError::Abort, RunState::Failed),
        (OnError::Stop, RunState::Errored),
    ] {
        let mut world = waiting(Step { on_error, ..callback_step("ask") });
        by_hand(&mut world, cancel);
        assert_eq!(world.state(), state);
    }
}

#[test]
fn what_is_not_waited_for_cannot_be_completed_extended_or_cancelled() {
    let refused = |world: &mut World| {
        for input in [complete(world, 200), extend(world, DAY), cancel(world)] {
            assert_eq!(world.refused(input).code, "not_waiting", "{:?}", world.state());
        }
    };
    let mut running = World::new(vec![callback_step("ask")]);
    running.claim();
    refused(&mut running);
    // An answer that makes no promise decided the step.
    let mut decided = World::new(vec![callback_step("ask")]);
    decided.claim();
    decided.put(decided.answered(404));
    refused(&mut decided);
    let mut retried = overdue();
    retried.put(retry());
    refused(&mut retried);
    retried.claim();
    retried.put(retried.answered(202));
    refused(&mut retried);
    let mut foreign = waiting(callback_step("ask"));
    let hand = Hand { callback: CallbackId(i64::MAX), ..foreign.hand(0) };
    assert_eq!(foreign.refused(Input::Cancel { hand }).exit, 3);
    foreign.put(abort());
    refused(&mut foreign);
}
