//! What a 202 promises, and every race for it.

use super::*;

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
        let input = if ending == "lost" { Input::Died } else { world.failed(Transport::Broken) };
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
    world.put(Input::Died);
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
