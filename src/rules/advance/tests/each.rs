//! Steps under `for_each`.

use super::*;
use crate::model::document::Body;
use crate::model::request::RequestData;
use crate::model::run::{Frame, Items};
use crate::rules::template;
use serde_json::json;

fn forty() -> Step {
    each_step("push", "{{ range(40) }}")
}

fn items(world: &World) -> &Items {
    world.snapshot.frame.items.as_ref().unwrap()
}

fn flying(world: &World) -> Vec<u32> {
    items(world).of(StepState::Running).map(|(item, _)| item).collect()
}

/// Ends what is under way until nothing is; `code` of an item.
fn run_through(world: &mut World, code: impl Fn(u32) -> u16) -> Effect {
    loop {
        let first = world.snapshot.frame.items.as_ref().and_then(|items| items.of(StepState::Running).next());
        let input = match first.map(|(item, _)| item) {
            Some(item) => world.of_item(item, world.answered(code(item))),
            None => Input::Start { fence: world.snapshot.run.fence },
        };
        let effect = world.put(input);
        let same = world.snapshot.frame.items.is_some() && world.state() == RunState::Running;
        if !same {
            return effect;
        }
    }
}

#[test]
fn eight_are_under_way_at_once_and_each_end_starts_the_next() {
    let mut world = World::new(vec![forty(), set_step("n", "{{ steps.push | length }}")]);
    assert_eq!(world.claim(), Effect::Send);
    assert_eq!(flying(&world), [0, 1, 2, 3, 4, 5, 6, 7]);
    let fence = world.snapshot.run.fence;
    world.put(world.of_item(3, world.answered(200)));
    assert_eq!(flying(&world), [0, 1, 2, 4, 5, 6, 7, 8]);
    assert_eq!(world.snapshot.run.fence, fence, "what is under way keeps its fence");
    assert_eq!(world.journal.last().unwrap().item, Some(3));
    run_through(&mut world, |_| 200);
    assert_eq!(world.state(), RunState::Succeeded);
    let fold = world.fold();
    assert_eq!((fold.steps[0].items.len(), fold.steps[0].attempts.len()), (40, 40));
    assert_eq!(fold.steps[1].outputs.as_ref().unwrap()["v"], json!(40));
    assert_eq!(world.snapshot.frame, Frame::default(), "nothing is left of the items");
}

#[test]
fn later_steps_see_a_list_in_the_order_of_the_items() {
    let mut push = each_step("push", "{{ [7, 8, 9] }}");
    push.on_error = OnError::Continue;
    let seen = "{% for one in steps.push %}{{ one.state }} {{ one.status }} {{ one.body.n | default('-') }};{% endfor %}";
    let first = set_step("first", "{{ steps.push[0].body.n }}");
    let mut world =
        World::new(vec![push, set_step("all", seen), first, set_step("gone", "{{ steps.push[1].body.n }}")]);
    world.claim();
    for item in [2, 0] {
        world.put(world.of_item(item, world.answered(200)));
    }
    world.put(world.of_item(1, world.answered(404)));
    assert_eq!(world.state(), RunState::SucceededWithSkips);
    let fold = world.fold();
    assert_eq!(fold.steps[0].state, StepState::Failed);
    assert_eq!(fold.steps[0].cause.as_deref(), Some("1 of 3 items failed: progix answered 404"));
    assert_eq!(
        fold.steps[1].outputs.as_ref().unwrap()["v"],
        json!("succeeded 200 1;failed 404 -;succeeded 200 1;")
    );
    assert_eq!(fold.steps[2].outputs.as_ref().unwrap()["v"], json!(1));
    assert!(fold.steps[3].outputs.as_ref().unwrap().is_empty(), "its body is missing");
}

#[test]
fn failed_items_stop_the_step_once_all_have_ended_and_a_retry_sends_those_alone() {
    let mut world = World::new(vec![forty()]);
    world.claim();
    run_through(&mut world, |item| if matches!(item, 5 | 30) { 422 } else { 200 });
    assert_eq!((world.state(), world.snapshot.run.due), (RunState::Errored, None));
    assert_eq!(world.cause(), "2 of 40 items failed: progix answered 422");
    let before = world.fold();
    assert_eq!(items(&world).count(StepState::Succeeded), 38);
    world.put(retry());
    assert_eq!(items(&world).count(StepState::Pending), 2);
    assert_eq!(world.state(), RunState::Queued);
    world.claim();
    assert_eq!(flying(&world), [5, 30]);
    assert_eq!(items(&world).get(5).unwrap().attempt, 2);
    run_through(&mut world, |_| 200);
    assert_eq!(world.state(), RunState::Succeeded);
    let after = world.fold();
    assert_eq!(after.steps[0].attempts.len(), before.steps[0].attempts.len() + 2);
}

#[test]
fn a_group_is_that_of_a_step_that_fails_so() {
    let group = |step: Step, of: Option<u32>| {
        let mut world = World::new(vec![step]);
        world.claim();
        let input = match of {
            Some(item) => world.of_item(item, world.answered(404)),
            None => world.answered(404),
        };
        let env = Env { now: 0, dice: 0.0, callback: (CallbackId(0), [0; 32]), lease: None, items: 0 };
        advance(&world.plan, &world.snapshot, input, &env).unwrap().cause.unwrap()
    };
    let (one, each) = (group(request("push"), None), group(each_step("push", "{{ [1] }}"), Some(0)));
    assert_eq!((one.step, one.normal), (each.step, each.normal));
    assert_eq!(each.text, "1 of 1 item failed: progix answered 404");
}

#[test]
fn each_item_is_tried_again_by_itself() {
    let mut world = World::new(vec![each_step("push", "{{ [1, 2] }}")]);
    world.claim();
    world.put(world.of_item(0, world.answered(503)));
    assert_eq!((world.state(), flying(&world)), (RunState::Running, vec![1]));
    let due = items(&world).get(0).unwrap().due.unwrap();
    assert_eq!(due, world.now + SECOND);
    // Too early: nothing moves, and nothing is lost.
    assert_eq!(world.put(Input::Start { fence: world.snapshot.run.fence }), Effect::Send);
    assert_eq!(flying(&world), [1]);
    world.now = due;
    world.put(Input::Start { fence: world.snapshot.run.fence });
    assert_eq!(flying(&world), [0, 1]);
    world.put(world.of_item(1, world.answered(200)));
    world.put(world.of_item(0, world.answered(503)));
    assert_eq!((world.state(), world.snapshot.run.due), (RunState::Retrying, Some(world.now + 2 * SECOND)));
    world.now += 2 * SECOND;
    world.claim();
    assert_eq!(flying(&world), [0]);
    world.put(world.of_item(0, world.answered(503)));
    assert_eq!(world.state(), RunState::Errored, "three attempts are all");
    assert_eq!(world.cause(), "1 of 2 items failed: progix answered 503 after 3 attempts");
}

#[test]
fn no_items_are_an_end_at_once_and_what_is_no_list_a_failure() {
    for (list, missing, state) in [
        ("{{ [] }}", Missing::Omit, RunState::Succeeded),
        ("{{ request.body.gone }}", Missing::Omit, RunState::Succeeded),
        ("{{ request.body.gone }}", Missing::Empty, RunState::Succeeded),
        ("{{ request.body.gone }}", Missing::Fail, RunState::Errored),
        ("{{ none }}", Missing::Omit, RunState::Errored),
        ("{{ 'a' }}", Missing::Omit, RunState::Errored),
        ("{{ range(1001) }}", Missing::Omit, RunState::Errored),
        ("{{ error('no') }}", Missing::Omit, RunState::Errored),
    ] {
        let mut step = each_step("push", list);
        step.missing = missing;
        let count = set_step("n", "{{ steps.push | length }}");
        let mut world = World::new(vec![step, count]);
        world.claim();
        assert_eq!(world.state(), state, "{list}");
        let fold = world.fold();
        if state == RunState::Succeeded {
            assert_eq!(fold.steps[1].outputs.as_ref().unwrap()["v"], json!(0), "{list}");
        } else {
            assert!(world.cause().starts_with("could not be built: "), "{}", world.cause());
        }
        assert!(fold.steps[0].attempts.is_empty());
    }
}

#[test]
fn a_when_that_asks_for_the_item_is_judged_for_each_and_any_other_once() {
    let mut world = World::new(vec![guarded(each_step("push", "{{ [1, 2, 3] }}"), "{{ item > 1 }}")]);
    world.claim();
    assert_eq!(flying(&world), [1, 2]);
    assert_eq!(items(&world).get(0).unwrap().state, StepState::Skipped);
    run_through(&mut world, |_| 200);
    assert_eq!(world.state(), RunState::Succeeded, "a false when alone leaves it a success");
    // All of them: nothing is sent, and the holder asks for the end.
    let mut world = World::new(vec![guarded(each_step("push", "{{ [1, 2, 3] }}"), "{{ item > 3 }}")]);
    assert_eq!(world.claim(), Effect::Send);
    run_through(&mut world, |_| 200);
    assert_eq!((world.state(), world.steps()), (RunState::Succeeded, vec![StepState::Succeeded]));
    let mut world = World::new(vec![guarded(each_step("push", "{{ [1, 2, 3] }}"), "{{ false }}")]);
    world.claim();
    assert_eq!((world.state(), world.steps()), (RunState::Succeeded, vec![StepState::Skipped]));
}

#[test]
fn a_death_leaves_what_is_done_and_asks_of_what_was_under_way() {
    for idempotent in [true, false] {
        let mut step = forty();
        exchange_of(&mut step).idempotent = idempotent;
        let mut world = World::new(vec![step]);
        world.claim();
        world.put(world.of_item(2, world.answered(200)));
        let late = world.of_item(4, world.answered(200));
        world.try_put(Input::Died, false).unwrap();
        assert_eq!(world.state(), RunState::Queued, "the others go on");
        let (again, errored) =
            (items(&world).count(StepState::Retrying), items(&world).count(StepState::Errored));
        assert_eq!((again, errored), if idempotent { (8, 0) } else { (0, 8) });
        // Whoever died reports after all: shown, never applied.
        world.put(late);
        assert_eq!(world.journal.last().unwrap().kind, EntryKind::Late);
        world.now += HOUR;
        world.claim();
        assert!(!flying(&world).contains(&2), "what is done is not sent again");
        run_through(&mut world, |_| 200);
        if idempotent {
            assert_eq!(world.state(), RunState::Succeeded);
        } else {
            assert_eq!(world.state(), RunState::Errored);
            assert!(
                world.cause().starts_with("8 of 40 items failed: may have been delivered"),
                "{}",
                world.cause()
            );
            world.put(retry());
            world.claim();
            assert_eq!(items(&world).count(StepState::Running), 8);
            run_through(&mut world, |_| 200);
            assert_eq!(world.state(), RunState::Succeeded);
        }
    }
}

#[test]
fn an_abort_waits_for_what_is_under_way_and_starts_nothing_more() {
    let mut world = World::new(vec![forty()]);
    world.claim();
    world.put(abort());
    for left in (0..8).rev() {
        assert_eq!(world.state(), RunState::Running);
        let item = flying(&world)[0];
        world.put(world.of_item(item, world.answered(503)));
        if left > 0 {
            assert_eq!(flying(&world).len(), left);
        }
    }
    assert_eq!(world.state(), RunState::Aborted);
    assert_eq!(world.fold().steps[0].attempts.len(), 8, "each outcome is recorded");
}

#[test]
fn on_error_abort_ends_the_run_once_what_is_under_way_has_ended() {
    let mut step = forty();
    step.on_error = OnError::Abort;
    let mut world = World::new(vec![step]);
    world.claim();
    run_through(&mut world, |item| if item == 0 { 404 } else { 200 });
    assert_eq!(world.state(), RunState::Failed);
    assert_eq!(world.fold().steps[0].attempts.len(), 8);
    assert_eq!(world.cause(), "1 of 40 items failed: progix answered 404");
    world.put(retry());
    world.claim();
    assert_eq!(flying(&world), [0, 8, 9, 10, 11, 12, 13, 14], "what has no good end goes on");
    run_through(&mut world, |_| 200);
    assert_eq!(world.state(), RunState::Succeeded);
}

#[test]
fn a_skip_passes_over_what_is_not_done() {
    let mut push = each_step("push", "{{ [1, 2, 3] }}");
    exchange_of(&mut push).url = "http://127.0.0.1:9000/{{ item }}".to_owned();
    let seen = "{% for one in steps.push %}{{ one.state }} {{ one.outputs.id | default('-') }};{% endfor %}";
    let mut world = World::new(vec![push, set_step("all", seen)]);
    world.claim();
    run_through(&mut world, |item| if item == 1 { 404 } else { 200 });
    let stand_in = json!({"id": 5}).as_object().unwrap().clone();
    world.put(skip(Some(stand_in)));
    assert_eq!(world.state(), RunState::SucceededWithSkips);
    let fold = world.fold();
    assert_eq!(fold.steps[1].outputs.as_ref().unwrap()["v"], json!("succeeded -;skipped 5;succeeded -;"));
    assert_eq!(fold.steps[0].items[1].cause.as_deref(), Some("skipped by anna: known"));
}

#[test]
fn no_more_start_than_the_target_takes() {
    let mut world = World::new(vec![each_step("push", "{{ range(5) }}")]);
    world.room = 1;
    world.claim();
    assert_eq!(flying(&world), [0]);
    world.room = 3;
    world.put(Input::Start { fence: world.snapshot.run.fence });
    assert_eq!(flying(&world), [0, 1, 2, 3]);
    assert_eq!(ready_items(&world.plan, &world.snapshot, world.now), 1);
    // With none under way and no room the run lets go, and stands in line.
    world.room = 0;
    for item in 0..4 {
        world.put(world.of_item(item, world.answered(200)));
    }
    assert_eq!((world.state(), world.snapshot.run.due), (RunState::Queued, Some(world.now)));
    world.room = 1;
    world.claim();
    assert_eq!(flying(&world), [4]);
}

#[test]
fn a_claim_that_is_given_back_has_sent_nothing() {
    let mut world = World::new(vec![forty()]);
    world.claim();
    world.put(Input::PutBack { fence: world.snapshot.run.fence, due: None });
    assert_eq!((world.state(), items(&world).count(StepState::Pending)), (RunState::Queued, 40));
    assert!(world.fold().steps[0].attempts.is_empty());
    world.claim();
    assert_eq!(items(&world).get(0).unwrap().attempt, 1, "the first attempt has not been made");
}

#[test]
fn each_item_sees_itself_and_has_a_key_of_its_own() {
    let mut push = each_step("push", "{{ request.body.products }}");
    exchange_of(&mut push).body = Body::Json(json!({"name": "{{ item.name }}", "all": "{{ item }}"}));
    let mut world = World::new(vec![push]);
    let text = String::new;
    world.snapshot.context.request = Some(Arc::new(RequestData {
        body: json!({"products": [{"name": "wax"}, {"name": "oil"}]}),
        headers: Vec::new(),
        query: Map::new(),
        method: text(),
        path: text(),
        url: text(),
        content_type: text(),
        id: text(),
        time: 0,
        from: text(),
    }));
    world.claim();
    let begun = world.journal[0].detail.begun.as_ref().unwrap();
    assert_eq!(begun.path.as_deref(), Some("request.body.products"));
    assert!(begun.values.is_empty(), "what arrived is not kept twice");
    let context = world.snapshot.context.of_item(1);
    let built = template::build(&world.plan, 0, &context).unwrap();
    assert_eq!(built.body.unwrap(), r#"{"name":"oil","all":{"name":"oil"}}"#);
    assert_eq!(idempotency_key("r", "push", Some(1), None), "r.push.1");
    assert_eq!(idempotency_key("r", "push", Some(1), Some(3)), "r.push.1.r3");
}
