//! Values of secret variables get into nothing that a run keeps.

use super::*;
use crate::model::credential::Secret;
use crate::rules::secrets::Secrets;

const TOKEN: &str = "s3cret-4711";

fn world(steps: Vec<Step>) -> World {
    let mut world = World::new(steps);
    let secrets = Secrets::new(&[("token".to_owned(), Secret::new(TOKEN.to_owned()))]);
    world.snapshot.context.secrets = Arc::new(secrets);
    world
}

fn kept(world: &World) -> String {
    format!("{:?} {:?} {:?}", world.journal, world.snapshot.frame, world.snapshot.context.steps)
}

#[test]
fn steps_that_are_kept_see_it_masked() {
    let mut world = world(vec![
        set_step("keep", "x {{ config.token }}"),
        respond_step("tell", 200, "{{ config.token }}"),
        fail_step("end", "no {{ config.token | upper }}"),
    ]);
    world = world.waited_for();
    world.claim();
    assert_eq!(world.state(), RunState::Failed);
    assert!(!kept(&world).to_lowercase().contains("s3cret"), "{}", kept(&world));
    assert_eq!(world.cause(), "no •••");
    assert_eq!(world.given(), [(200, "•••", false)]);
    let outputs = world.snapshot.context.steps["keep"].outputs.clone().unwrap();
    assert_eq!(outputs["v"], "x •••");
}

#[test]
fn what_comes_back_of_it_is_hidden_in_the_journal_and_from_later_steps_alike() {
    let mut world = world(vec![callback_step("scan"), request("next")]);
    world.claim();
    // A callback that overtakes its own answer is kept in the frame.
    let id = world.snapshot.callbacks[0].id;
    let body = bytes::Bytes::from(format!("{{\"a\":\"{TOKEN}\"}}"));
    world.put(Input::Callback { id, status: 200, body, digest: [1; 32] });
    assert!(!kept(&world).contains("4711"), "{}", kept(&world));
    world.put(world.answered(202));
    assert_eq!(world.snapshot.context.steps["scan"].body, Some(serde_json::json!({"a": "•••"})));
    let got = Got::of(400, vec![("x-a".to_owned(), TOKEN.to_owned())], TOKEN.as_bytes(), true);
    world.put(world.exchange(ExchangeResult::Answered { got, outputs: Map::new(), retry_after: None }));
    assert!(!kept(&world).contains("4711"), "{}", kept(&world));
}
