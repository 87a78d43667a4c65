//! What people may do in which state.

use super::*;

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
        |_| Input::Died,
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
        (
            RunState::Aborted,
            retry(),
            "ended",
            "retry is not possible: the run was aborted; replay it instead",
        ),
        (
            RunState::Succeeded,
            retry(),
            "ended",
            "retry is not possible: the run succeeded; replay it instead",
        ),
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
    assert_eq!(refusal.message, "retry is not possible: version 5 has no step a; replay it instead");
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
    assert_eq!(idempotency_key("r", "a", None, None), "r.a");
    assert_eq!(idempotency_key("r", "a", None, Some(2)), "r.a.r2");
}

#[test]
fn a_retry_that_moves_to_another_version_judges_its_when() {
    let when = |text: &str| Step { when: Some(text.to_owned()), ..request("b") };
    let errored = || {
        let mut world = World::new(vec![request("a"), request("b"), request("c")]);
        world.claim();
        world.put(world.answered(200));
        world.put(world.answered(404));
        world
    };
    let mut world = errored();
    world.plan = plan_of(5, vec![request("a"), when("{{ 1 == 2 }}"), request("c")]);
    world.put(retry());
    assert_eq!((world.state(), world.snapshot.run.step), (RunState::Running, 2), "b is left out");
    let fold = world.fold();
    assert_eq!(
        (fold.steps[1].state, fold.steps[1].cause.as_deref()),
        (StepState::Skipped, Some("its when is false"))
    );
    world.put(world.answered(200));
    assert_eq!(world.state(), RunState::Succeeded, "nobody skipped it");

    let mut world = errored();
    world.plan = plan_of(5, vec![request("a"), when("{{ 1 == 1 }}"), request("c")]);
    world.put(retry());
    assert_eq!((world.state(), world.snapshot.run.step), (RunState::Queued, 1));

    // A step that sends once an item judges a `when` that asks for no item once, here too.
    let mut world = errored();
    let each = guarded(each_step("b", "{{ [1, 2] }}"), "{{ 1 == 2 }}");
    world.plan = plan_of(5, vec![request("a"), each, request("c")]);
    world.put(retry());
    let step = world.fold().steps.remove(1);
    assert_eq!((step.state, step.cause.as_deref()), (StepState::Skipped, Some("its when is false")));
    let mut world = errored();
    world.plan = plan_of(5, vec![request("a"), when("{{ 1 }}"), request("c")]);
    world.put(retry());
    assert_eq!(world.state(), RunState::Errored, "a when that is no boolean stops it");
}
