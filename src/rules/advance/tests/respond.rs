//! The answer to a sender that waits: `respond`, and a `fail` step's own.

use super::*;

#[test]
fn the_first_respond_step_answers_and_the_run_goes_on() {
    let steps = vec![respond_step("one", 201, "first"), request("push"), respond_step("two", 200, "second")];
    let mut world = World::new(steps).waited_for();
    assert_eq!(world.claim(), Effect::Send);
    assert_eq!(world.given(), [(201, "first", false)]);
    assert!(world.snapshot.frame.answered, "the frame knows");
    assert_eq!((world.state(), world.snapshot.run.step), (RunState::Running, 1));
    world.put(world.answered(200));
    assert_eq!(world.state(), RunState::Succeeded);
    assert_eq!(world.given().len(), 1, "what follows is nobody's answer");
    assert_eq!(world.steps(), [StepState::Succeeded; 3]);
    assert_eq!(world.fold().frame, world.snapshot.frame);
    let entry = &world.journal[0];
    assert!(entry.detail.answered);
    let headers = entry.answer.as_ref().unwrap().headers.clone();
    assert_eq!(headers, [("Content-Type".to_owned(), "text/plain; charset=utf-8".to_owned())]);
}

#[test]
fn an_answer_that_cannot_be_built_is_a_failure_of_its_step() {
    let mut world = World::new(vec![respond_step("one", 200, "{{ error('no stock') }}")]).waited_for();
    world.claim();
    assert_eq!((world.state(), world.cause().as_str()), (RunState::Errored, "could not be built: no stock"));
    assert_eq!((world.given().len(), world.snapshot.frame.answered), (0, false));
    // Skipped, it answers nobody; a second one still does.
    let mut step = respond_step("one", 200, "{{ error('no') }}");
    step.on_error = OnError::Continue;
    let mut world = World::new(vec![step, respond_step("two", 202, "late")]).waited_for();
    world.claim();
    assert_eq!((world.state(), world.given()), (RunState::SucceededWithSkips, vec![(202, "late", false)]));
}

#[test]
fn a_second_respond_step_is_not_even_built() {
    let steps = vec![respond_step("one", 200, "ok"), respond_step("two", 200, "{{ error('no') }}")];
    let mut world = World::new(steps).waited_for();
    world.claim();
    assert_eq!((world.state(), world.given()), (RunState::Succeeded, vec![(200, "ok", false)]));
}

#[test]
fn a_fail_step_tells_its_own_status_where_a_sender_may_wait() {
    let steps = || {
        let mut fail = fail_step("no", "Sold out");
        fail.kind = StepKind::Fail { message: "Sold out".to_owned(), status: 409 };
        vec![fail]
    };
    let mut world = World::new(steps()).waited_for();
    world.claim();
    assert_eq!((world.state(), world.given()), (RunState::Failed, vec![(409, "Sold out", true)]));
    assert!(!world.snapshot.frame.answered, "a retry may still answer");
    let mut world = World::new(steps());
    world.claim();
    assert_eq!((world.state(), world.given().len()), (RunState::Failed, 0), "nobody waits");
    // Whoever was answered already is not told of it.
    let mut both = vec![respond_step("one", 200, "ok")];
    both.extend(steps());
    let mut world = World::new(both).waited_for();
    world.claim();
    assert_eq!((world.state(), world.given()), (RunState::Failed, vec![(200, "ok", false)]));
}
