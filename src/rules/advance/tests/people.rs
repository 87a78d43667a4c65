//! What people are told of a run that stopped, was moved on, or whose answer cannot be used.

use super::*;
use crate::rules::retry::INTERRUPTED_ATTEMPTS;

#[test]
fn an_idempotent_step_that_is_cut_off_for_good_says_that_it_may_have_arrived() {
    let mut world = World::new(vec![request("push")]);
    for _ in 0..INTERRUPTED_ATTEMPTS {
        world.claim();
        world.put(Input::Died);
        world.now += MINUTE;
    }
    assert_eq!(world.state(), RunState::Errored);
    assert_eq!(
        world.cause(),
        "interrupted in attempt 10: it may have been delivered. Ask the target, then retry or skip"
    );
}

#[test]
fn an_attempt_that_was_cut_off_says_when_it_began_and_that_nothing_was_kept() {
    let mut world = World::new(vec![request("push")]);
    world.claim();
    let claimed = world.now;
    world.now += 10 * SECOND;
    world.put(Input::Died);
    let due = world.snapshot.run.due;
    world.now += MINUTE;
    world.claim();
    let late = world.exchange(ExchangeResult::Failed {
        failure: Transport::Broken,
        cause: "the connection broke".to_owned(),
    });
    world.put(Input::Died);
    let fold = world.fold();
    let attempts = &fold.steps[0].attempts;
    assert_eq!((attempts[0].started, attempts[1].started), (Some(claimed), due));
    assert_eq!(attempts[0].cause.as_deref(), Some("interrupted; what was sent was not kept"));
    assert_eq!(fold.steps[0].cause.as_deref(), Some("interrupted"));
    // Whoever held it comes back: what was sent is known again.
    let Input::Answer(mut late) = late else { panic!("an answer") };
    late.sent = Some(Sent { method: "PUT".to_owned(), ..Sent::default() });
    let began = late.started;
    world.put(Input::Answer(late));
    let fold = world.fold();
    let attempt = &fold.steps[0].attempts[1];
    assert_eq!(attempt.started, Some(began));
    assert!(!attempt.cause.as_deref().unwrap().contains("not kept"), "{:?}", attempt.cause);
}

#[test]
fn a_skipped_step_says_who_skipped_it_and_why() {
    let mut world = World::new(vec![request("push"), request("next")]);
    world.claim();
    world.put(world.answered(404));
    world.put(skip(None));
    let fold = world.fold();
    assert_eq!(fold.steps[0].cause.as_deref(), Some("skipped by anna: known"));
    assert_eq!(fold.cause, None, "the run goes on");
}

fn answered(world: &World, got: Got) -> Input {
    world.exchange(ExchangeResult::Answered { got, outputs: Map::new(), retry_after: None })
}

#[test]
fn an_answer_that_is_no_text_is_missing_for_later_steps_and_says_so() {
    for (got, said) in [
        (Got::of(200, Vec::new(), b"\x89PNG\xff", true), "its body is binary (not UTF-8)"),
        (Got::of(200, Vec::new(), b"{}", false), "its answer is over 6 MiB"),
    ] {
        let mut world = World::new(vec![request("a"), request("b")]);
        world.claim();
        world.put(answered(&world, got));
        assert_eq!(world.snapshot.context.steps["a"].body, None);
        let fold = world.fold();
        assert_eq!(fold.data["a"].body, None);
        assert_eq!((fold.steps[0].state, &fold.steps[0].cause), (StepState::Succeeded, &None));
        let cause = fold.steps[0].attempts[0].cause.clone().unwrap();
        assert!(cause.starts_with(said), "{cause}");
    }
}

#[test]
fn a_callback_that_is_no_text_gives_no_body() {
    let mut world = World::new(vec![callback_step("ask"), request("b")]);
    world.claim();
    world.put(world.answered(202));
    let id = world.snapshot.callbacks[0].id;
    let body = bytes::Bytes::from_static(b"\xff\xfe");
    world.put(Input::Callback { id, status: 200, body, digest: [1; 32] });
    assert_eq!(world.snapshot.context.steps["ask"].body, None);
    assert_eq!(world.fold().data, world.snapshot.context.steps);
}
