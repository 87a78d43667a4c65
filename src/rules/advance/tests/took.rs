//! What a transition tells of the time that a step took.

use super::*;

/// What an input would tell; nothing is moved.
fn took(world: &World, input: Input) -> Option<Took> {
    let env = Env {
        now: world.now,
        dice: 1.0,
        callback: (CallbackId(99), [0; 32]),
        lease: None,
        items: world.room,
    };
    advance(&world.plan, &world.snapshot, input, &env).unwrap().took
}

fn lasted(world: &World, ms: Ms, result: ExchangeResult) -> Input {
    let Input::Answer(exchange) = world.exchange(result) else { panic!("no answer") };
    Input::Answer(Box::new(Exchange { elapsed_ms: ms, ..*exchange }))
}

fn broken() -> ExchangeResult {
    ExchangeResult::Failed { failure: Transport::Broken, cause: "no answer".to_owned() }
}

#[test]
fn an_answer_and_a_time_out_tell_of_the_step_and_a_refused_connection_does_not() {
    let mut world = World::new(vec![request("push")]);
    world.claim();
    let push = |ms| Some(Took { step: "push".to_owned(), callback: false, ms, limit: 10 * SECOND });
    assert_eq!(took(&world, world.answered(200)), push(5));
    assert_eq!(took(&world, world.answered(503)), push(5), "whatever was answered");
    assert_eq!(took(&world, world.failed(Transport::NoConnection)), None);
    assert_eq!(took(&world, lasted(&world, 40, broken())), None, "cut off");
    assert_eq!(took(&world, lasted(&world, 10_003, broken())), push(10_003));
    let blocked = ExchangeResult::Blocked { cause: "guard".to_owned() };
    assert_eq!(took(&world, lasted(&world, 10_003, blocked)), None);
    // What came too late was told when it ran out of time.
    world.put(Input::Died);
    assert_eq!(took(&world, Input::Retry { actor: "anna".to_owned(), reason: None, fresh_key: false }), None);
}

#[test]
fn each_item_tells_of_its_step() {
    let mut world = World::new(vec![each_step("push", "{{ [1, 2] }}")]);
    world.claim();
    let told = took(&world, world.of_item(1, world.answered(200))).unwrap();
    assert_eq!((told.step.as_str(), told.ms, told.limit), ("push", 5, 10 * SECOND));
}

#[test]
fn a_callback_tells_of_its_wait_answered_or_not() {
    let mut world = World::new(vec![callback_step("ask")]);
    world.claim();
    assert!(!took(&world, world.answered(202)).unwrap().callback, "the exchange itself");
    world.put(world.answered(202));
    world.now += 3 * MINUTE;
    let ask = |ms| Some(Took { step: "ask".to_owned(), callback: true, ms, limit: 7 * DAY });
    assert_eq!(took(&world, world.callback(0, 200, 1)), ask(3 * MINUTE));
    assert_eq!(took(&world, world.callback(0, 503, 1)), ask(3 * MINUTE));
    world.now += 7 * DAY - 3 * MINUTE;
    assert_eq!(took(&world, Input::Due), ask(7 * DAY));
    let mut waits = World::new(vec![delay_step("pause", HOUR)]);
    waits.claim();
    waits.now += HOUR;
    assert_eq!(took(&waits, Input::Due), None);
}
