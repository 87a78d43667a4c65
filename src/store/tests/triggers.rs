//! Runs that begin by themselves: at a tick, with a deploy, with a removal.

use super::*;
use crate::model::gate::Pause;
use crate::model::time::MINUTE;
use crate::rules::check::{Known, check};
use serde_json::{Value, json};

/// 2026-01-01, midnight.
const NEW_YEAR: Ms = 1_767_225_600_000;

fn document(flows: &str) -> registry::Save {
    let source = format!("name = \"acme\"\n{flows}");
    let checked = check(&source, &Known::default());
    let integration = checked.integration.unwrap_or_else(|| panic!("{:?}", checked.problems));
    registry::Save { integration, source, base: None }
}

fn flow(name: &str, trigger: &str) -> String {
    format!("[[flow]]\nname = \"{name}\"\ntrigger = {{ {trigger} }}\n")
}

fn every(time: &str) -> String {
    flow("Often", &format!("type = \"schedule\", every = \"{time}\""))
}

async fn save(store: &Store, flows: &str) -> registry::Saved {
    store.save(vec![document(flows)], "ada", Some("since"), true).await.unwrap().remove(0)
}

/// Everything that is due.
async fn tick(store: &Store) -> Option<Ms> {
    loop {
        match store.tick().await.unwrap() {
            Some(at) if at <= store.now() => {}
            next => return next,
        }
    }
}

/// Bodies of what began runs, the oldest first.
fn begun(rig: &Rig) -> Vec<Value> {
    let conn = rig.conn();
    let mut read =
        conn.prepare("SELECT q.body FROM run r JOIN request q ON q.id = r.request ORDER BY r.id").unwrap();
    let bodies = read.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    bodies.map(|body| serde_json::from_slice(&body.unwrap()).unwrap()).collect()
}

fn missed(rig: &Rig) -> Vec<i64> {
    begun(rig).iter().map(|body| body["missed"].as_i64().unwrap()).collect()
}

/// The moments of the ticks that began runs, from the new year.
fn ticks(rig: &Rig) -> Vec<Ms> {
    let at = |body: &Value| crate::model::time::parse_rfc3339(body["tick"].as_str().unwrap()).unwrap();
    begun(rig).iter().map(|body| at(body) - NEW_YEAR).collect()
}

fn rig() -> Rig {
    Rig { clock: Clock::manual(NEW_YEAR), ..Rig::new() }
}

#[tokio::test]
async fn a_tick_begins_a_run_once_and_the_next_one_is_kept() {
    let rig = rig();
    let (store, _handover) = rig.open();
    save(&store, &every("15m")).await;
    assert_eq!(tick(&store).await, Some(NEW_YEAR + 15 * MINUTE));
    rig.clock.advance(15 * MINUTE - 1);
    tick(&store).await;
    assert!(ticks(&rig).is_empty());
    rig.clock.advance(1);
    assert_eq!(tick(&store).await, Some(NEW_YEAR + 30 * MINUTE));
    tick(&store).await;
    assert_eq!((ticks(&rig), missed(&rig)), (vec![15 * MINUTE], vec![0]));
    // The run is found in its lane, and its request says what it is.
    let due = store.due(store.now(), 10, &mut Holders::default(), &ungated()).await.unwrap().runs;
    assert_eq!(due.len(), 1);
    let request = store.request(due[0].request.unwrap()).await.unwrap().unwrap();
    assert!(request.seed.marks.has(Marks::SCHEDULE) && !request.seed.marks.arrived());
    assert_eq!(request.seed.actor, None);
    // Nobody closes it: what was committed counts.
    let before = rig.conn().query_row("SELECT next FROM schedule", [], |row| row.get::<_, Ms>(0)).unwrap();
    drop(store);
    let (store, _handover) = loop {
        let options = Options {
            limits: rig.limits.clone(),
            feed: rig.feed.clone(),
            public_url: "http://127.0.0.1:7700".into(),
            clock: rig.clock.clone(),
        };
        if let Ok(open) = Store::open(rig.folder(), options) {
            break open;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    // What a store misses while it starts is made up.
    while store.refuses().is_some() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(tick(&store).await, Some(before));
    assert_eq!(ticks(&rig), [15 * MINUTE]);
}

#[tokio::test]
async fn three_days_ahead_make_one_run_a_schedule_and_an_hour_back_none_twice() {
    let rig = rig();
    let (store, _handover) = rig.open();
    let daily = flow("Daily", "type = \"schedule\", cron = \"0 6 * * *\", zone = \"Europe/Berlin\"");
    save(&store, &format!("{}{daily}", every("15m"))).await;
    rig.clock.set_wall(NEW_YEAR + 3 * DAY + MINUTE);
    tick(&store).await;
    // 288 quarters of an hour have passed, and three mornings: 5:00 UTC.
    assert_eq!(ticks(&rig), [3 * DAY, 2 * DAY + 5 * HOUR]);
    assert_eq!(missed(&rig), [287, 2]);
    rig.clock.set_wall(NEW_YEAR + 3 * DAY + MINUTE - HOUR);
    for _ in 0..8 {
        rig.clock.advance(10 * MINUTE);
        tick(&store).await;
    }
    // Engine time has gone on by 72 of the 80 minutes: four quarters, each once.
    assert_eq!(ticks(&rig)[2..], [1, 2, 3, 4].map(|n| 3 * DAY + n * 15 * MINUTE));
    assert_eq!(missed(&rig)[2..], [0; 4]);
}

#[tokio::test]
async fn a_changed_schedule_counts_from_its_deploy_and_an_unchanged_one_goes_on() {
    let rig = rig();
    let (store, _handover) = rig.open();
    save(&store, &every("1h")).await;
    rig.clock.advance(40 * MINUTE);
    // Another flow is new; this one says what it said.
    save(&store, &format!("{}{}", every("1h"), flow("Other", "type = \"manual\""))).await;
    assert_eq!(tick(&store).await, Some(NEW_YEAR + HOUR));
    save(&store, &every("30m")).await;
    assert_eq!(tick(&store).await, Some(NEW_YEAR + 70 * MINUTE));
    // A draft changes nothing.
    store.save(vec![document(&every("1m"))], "ada", None, false).await.unwrap();
    assert_eq!(tick(&store).await, Some(NEW_YEAR + 70 * MINUTE));
    // Without a schedule there is none.
    save(&store, &flow("Often", "type = \"manual\"")).await;
    assert_eq!(tick(&store).await, None);
    save(&store, &every("1h")).await;
    save(&store, &flow("Other", "type = \"manual\"")).await;
    rig.clock.advance(DAY);
    assert_eq!(tick(&store).await, None, "nor without its flow");
    save(&store, &every("1h")).await;
    store.remove("acme", "ada", None).await.unwrap();
    rig.clock.advance(DAY);
    assert_eq!(tick(&store).await, None, "nor after the removal");
    assert!(ticks(&rig).is_empty());
}

#[tokio::test]
async fn ticks_of_a_paused_flow_pass_and_those_of_a_held_one_are_made_up_once() {
    let rig = rig();
    let (store, _handover) = rig.open();
    save(&store, &every("1h")).await;
    let pause = |until, hold| Some(Pause { since: rig.clock.now(), until, hold });
    store.pause("acme", None, pause(None, false)).await.unwrap();
    rig.clock.advance(3 * HOUR);
    tick(&store).await;
    store.pause("acme", None, None).await.unwrap();
    tick(&store).await;
    assert!(ticks(&rig).is_empty());
    rig.clock.advance(HOUR);
    tick(&store).await;
    assert_eq!(ticks(&rig), [4 * HOUR]);
    store.pause("acme", None, pause(None, true)).await.unwrap();
    rig.clock.advance(3 * HOUR);
    tick(&store).await;
    assert_eq!(ticks(&rig), [4 * HOUR], "held");
    store.pause("acme", None, None).await.unwrap();
    tick(&store).await;
    assert_eq!((ticks(&rig), missed(&rig)), (vec![4 * HOUR, 7 * HOUR], vec![0, 2]));
    // A pause that ended while nobody looked took its ticks with it.
    store.pause("acme", None, pause(Some(rig.clock.now() + 2 * HOUR + 1), false)).await.unwrap();
    rig.clock.advance(3 * HOUR);
    tick(&store).await;
    assert_eq!((ticks(&rig)[2], missed(&rig)[2]), (10 * HOUR, 0));
}

#[tokio::test]
async fn a_deploy_begins_its_flows_in_its_transaction_and_first_means_the_first() {
    let rig = rig();
    let (store, _handover) = rig.open();
    let hook = flow("In", "type = \"webhook\", auth = { type = \"none\" }");
    let flows = format!(
        "{hook}{}{}",
        flow("Each", "type = \"deploy\""),
        flow("First", "type = \"deploy\", first = true")
    );
    let names = |saved: &registry::Saved| -> Vec<String> {
        assert!(saved.begins.iter().all(|one| one.run.is_some() && one.version == saved.version));
        saved.begins.iter().map(|one| one.name.clone()).collect()
    };
    // A draft is no deploy.
    let draft = store.save(vec![document(&flows)], "ada", None, false).await.unwrap();
    assert_eq!(names(&draft[0]), [""; 0]);
    assert_eq!(names(&store.deploy("acme", "ada", Some("since")).await.unwrap()), ["Each", "First"]);
    let body = json!({ "version": 1, "previous": null, "reason": "since" });
    assert_eq!(begun(&rig), [body.clone(), body]);
    // Nothing changed: nothing was deployed.
    assert_eq!(names(&save(&store, &flows).await), [""; 0]);
    let more = format!("{flows}{}", flow("Late", "type = \"deploy\", first = true"));
    assert_eq!(names(&save(&store, &more).await), ["Each", "Late"], "the first one that has the flow");
    assert_eq!(begun(&rig)[2]["previous"], 1);
    let due = store.due(store.now(), 10, &mut Holders::default(), &ungated()).await.unwrap().runs;
    let mut versions: Vec<u32> = due.iter().map(|run| run.version).collect();
    versions.sort_unstable();
    assert_eq!(versions, [1, 1, 2, 2], "each runs what was deployed");
    let request = store.request(due[0].request.unwrap()).await.unwrap().unwrap();
    assert_eq!((request.seed.actor.as_deref(), request.seed.marks), (Some("ada"), Marks::DEPLOY));
    // One document that cannot be deployed keeps all of them back.
    let needy = "[[variable]]\nname = \"v\"\ntype = \"text\"\nrequired = true\n";
    let kept = save(&store, &format!("{needy}{more}")).await;
    assert!(!kept.deployed && kept.begins.is_empty());
    assert_eq!(begun(&rig).len(), 4);
}

#[tokio::test]
async fn a_run_does_not_start_while_its_configuration_is_on_its_way() {
    let rig = rig();
    let (store, _handover) = rig.open();
    save(&store, &flow("Each", "type = \"deploy\"")).await;
    let change = store.change_begins();
    let mut holders = Holders::default();
    assert!(store.due(store.now(), 10, &mut holders, &ungated()).await.unwrap().runs.is_empty());
    assert!(store.next_due(&mut holders, &ungated()).await.unwrap().is_some(), "it is there all the same");
    drop(change);
    assert_eq!(store.due(store.now(), 10, &mut holders, &ungated()).await.unwrap().runs.len(), 1);
}

#[tokio::test]
async fn a_removal_begins_its_flows_and_they_are_retried_with_the_version_that_was_live() {
    let rig = rig();
    let (store, _handover) = rig.open();
    let flows = format!("{}{}", flow("Bye", "type = \"remove\""), every("1h"));
    save(&store, &flows).await;
    // What is only a draft has no part in it.
    store.save(vec![document(&every("1h"))], "ada", None, false).await.unwrap();
    let begins = store.remove("acme", "eve", Some("over")).await.unwrap();
    assert_eq!((begins.len(), begins[0].name.as_str(), begins[0].version), (1, "Bye", 1));
    assert_eq!(begun(&rig), [json!({ "version": 1, "reason": "over" })]);
    let plan = store.deployed_plan(begins[0].flow).unwrap();
    assert_eq!((plan.version, plan.flow.name.as_str()), (1, "Bye"));
    // A new integration of that name is another one.
    save(&store, &flows).await;
    assert_eq!(store.configured().by_name("acme").unwrap().deployed, Some(1));
    assert!(store.remove("nobody", "eve", None).await.is_err());
}

#[tokio::test]
async fn views_show_the_next_five_ticks_and_the_last_run() {
    let rig = rig();
    let (store, _handover) = rig.open();
    let daily = flow("Daily", "type = \"schedule\", cron = \"0 6 * * *\", zone = \"Europe/Berlin\"");
    let flows = format!("{daily}{}", flow("Each", "type = \"deploy\""));
    store.save(vec![document(&flows)], "ada", None, false).await.unwrap();
    let view = async || store.with_ticks(store.integrations()).await.unwrap().remove(0);
    let draft = view().await;
    let schedule = draft.flows[0].schedule.clone().unwrap();
    assert_eq!((schedule.rule.as_str(), schedule.zone.as_deref()), ("cron 0 6 * * *", Some("Europe/Berlin")));
    assert!(schedule.next.is_empty(), "as long as it is not live");
    save(&store, &flows).await;
    rig.clock.advance(2 * DAY);
    tick(&store).await;
    let live = view().await;
    let schedule = live.flows[0].schedule.clone().unwrap();
    assert_eq!(schedule.next.len(), 5);
    assert_eq!(schedule.next[0], "2026-01-03T05:00:00.000Z");
    assert_eq!((schedule.last.as_deref(), schedule.made_up), (Some("2026-01-02T05:00:00.000Z"), 1));
    let last = live.flows[1].last_run.clone().unwrap();
    assert_eq!((last.state, last.bad()), (RunState::Queued, false));
    assert_eq!(live.flows[0].last_run.as_ref().unwrap().state, RunState::Queued);
}
