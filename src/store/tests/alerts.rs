//! What is told of trouble, by looks at a store whose clock stands still.

use super::*;
use crate::model::alert::AlertView;
use crate::model::time::MINUTE;
use crate::model::{AlertId, IntegrationId};
use crate::rules::check::{Known, check};
use crate::store::alerts::{BreakerMove, Delivery, Looked, Post, Watched};
use serde_json::Value;

const FLOWS: &str = "[[flow]]\nname = \"Orders\"\ntrigger = { type = \"webhook\", path = \"orders\", auth = { type = \"none\" } }\n\
    [[flow]]\nname = \"Tell\"\ntrigger = { type = \"manual\" }\n";

async fn save(store: &Store, alerts: &str) {
    let source = format!("name = \"acme\"\n{FLOWS}{alerts}");
    let checked = check(&source, &Known::default());
    let integration = checked.integration.unwrap_or_else(|| panic!("{:?}", checked.problems));
    store.save(vec![registry::Save { integration, source, base: None }], "ada", None, true).await.unwrap();
}

fn to_url(on: &str) -> String {
    format!("[[alert]]\non = [{on}]\nurl = \"https://a.example/hook\"\n")
}

async fn posts(store: &Store) -> Vec<Post> {
    store.alert_posts().await.unwrap().0
}

/// A look; what it told, taken at once.
async fn look(store: &Store) -> (Vec<Value>, Looked) {
    let looked = store.look_for_trouble(Vec::new()).await.unwrap();
    (take(store).await, looked)
}

async fn take(store: &Store) -> Vec<Value> {
    let mut told = Vec::new();
    loop {
        let due = posts(store).await;
        if due.is_empty() {
            return told;
        }
        for post in due {
            told.push(serde_json::from_str(&post.body).unwrap());
            store.alert_delivered(post, Delivery::Taken).await.unwrap();
        }
    }
}

async fn ready(store: &Store) {
    until("the ledger is read", || async { store.refuses().is_none() }).await;
}

fn owner(store: &Store) -> IntegrationId {
    store.configured().by_name("acme").unwrap().id
}

fn flow_of(store: &Store, name: &str) -> FlowId {
    store.configured().flows.values().find(|row| row.name == name).unwrap().id
}

async fn breaker(store: &Store, open: bool) {
    let refused = [owner(store)].into_iter().filter(|_| open).collect();
    let target = "hooks.chat.example".to_owned();
    let one = BreakerMove { tag: 7, target, open, failures: 10, since: store.now(), refused };
    store.keep_breakers(vec![one]).await.unwrap();
}

async fn shown(store: &Store) -> AlertView {
    let views = store.with_alerts(store.integrations()).await.unwrap();
    views[0].alerts[0].clone()
}

fn states(told: &[Value]) -> Vec<&str> {
    told.iter().map(|one| one["state"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_breaker_is_told_its_end_too_and_one_that_comes_and_goes_once_a_quiet_period() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    save(&store, &to_url("\"breaker\"")).await;
    assert_eq!(look(&store).await.0, Vec::<Value>::new());
    rig.clock.advance(MINUTE);
    breaker(&store, true).await;
    let (told, _) = look(&store).await;
    assert_eq!(states(&told), ["open"]);
    assert_eq!(told[0]["target"], "hooks.chat.example");
    assert_eq!(told[0]["count"], 10);
    assert_eq!(shown(&store).await.open, 1);
    rig.clock.advance(MINUTE);
    breaker(&store, false).await;
    let (told, _) = look(&store).await;
    assert_eq!(states(&told), ["recovered"]);
    assert!(told[0]["text"].as_str().unwrap().ends_with("hooks.chat.example answers again"), "{told:?}");
    // It comes again twice within the quiet period, and stays.
    for _ in 0..2 {
        breaker(&store, true).await;
        let (told, looked) = look(&store).await;
        assert!(told.is_empty());
        assert_eq!(looked.next, Some(T0 + 16 * MINUTE));
        breaker(&store, false).await;
        assert!(look(&store).await.0.is_empty(), "an end of which the begin was not told");
    }
    breaker(&store, true).await;
    rig.clock.advance(14 * MINUTE);
    assert_eq!(states(&look(&store).await.0), ["open"]);
}

#[tokio::test]
async fn nothing_is_told_twice_and_nothing_is_lost_where_the_process_ends() {
    let rig = Rig::new();
    let (store, handover) = rig.open();
    save(&store, &to_url("\"breaker\"")).await;
    rig.clock.advance(1);
    breaker(&store, true).await;
    store.close().await;
    drop((store, handover));
    // What was not told by then is told now.
    let (store, handover) = rig.open();
    ready(&store).await;
    store.look_for_trouble(Vec::new()).await.unwrap();
    let post = posts(&store).await.remove(0);
    store.close().await;
    drop((store, handover));
    let (store, _handover) = rig.open();
    ready(&store).await;
    store.look_for_trouble(Vec::new()).await.unwrap();
    assert_eq!(posts(&store).await, [post], "the same, and no other");
}

#[tokio::test]
async fn posts_of_a_receiver_leave_one_after_the_other() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    save(&store, &to_url("\"breaker\"")).await;
    rig.clock.advance(1);
    breaker(&store, true).await;
    store.look_for_trouble(Vec::new()).await.unwrap();
    breaker(&store, false).await;
    store.look_for_trouble(Vec::new()).await.unwrap();
    let first = posts(&store).await;
    assert_eq!(first.len(), 1);
    let again = Delivery::Again { next: store.now() + 500, error: "it answered 503".into() };
    store.alert_delivered(first[0].clone(), again).await.unwrap();
    let (due, next) = store.alert_posts().await.unwrap();
    assert_eq!((due, next), (Vec::new(), Some(store.now() + 500)), "the second does not overtake");
    let view = shown(&store).await;
    assert_eq!((view.waiting, view.error.as_deref(), view.delivered), (2, Some("it answered 503"), None));
    rig.clock.advance(500);
    let due = posts(&store).await.remove(0);
    assert_eq!((due.id, due.attempts, &due.body), (first[0].id, 1, &first[0].body));
    let given_up = Delivery::GivenUp { error: "it answered 404".into() };
    store.alert_delivered(due, given_up).await.unwrap();
    assert_eq!(states(&take(&store).await), ["recovered"]);
    let view = shown(&store).await;
    assert_eq!((view.waiting, view.given_up, view.error), (0, 1, None));
    assert_eq!(store.alert_lines(0).len(), 4, "open, recovered, not delivered, given up");
    assert_eq!(store.alert_lines(3).len(), 1);
}

#[tokio::test]
async fn a_deploy_without_the_alert_leaves_nothing_of_it_and_a_new_one_tells_of_nothing_old() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    save(&store, &to_url("\"breaker\"")).await;
    rig.clock.advance(1);
    breaker(&store, true).await;
    store.look_for_trouble(Vec::new()).await.unwrap();
    save(&store, "").await;
    assert!(posts(&store).await.is_empty());
    rig.clock.advance(1);
    save(&store, &to_url("\"breaker\", \"silent\"")).await;
    assert!(look(&store).await.0.is_empty(), "it was open before");
    // Known to go on: it is kept over a deploy that does not touch it.
    rig.clock.advance(1);
    breaker(&store, false).await;
    breaker(&store, true).await;
    assert_eq!(states(&look(&store).await.0), ["open"]);
    save(&store, &format!("{}quiet = \"1h\"\n", to_url("\"breaker\""))).await;
    breaker(&store, false).await;
    assert_eq!(states(&look(&store).await.0), ["recovered"]);
    store.remove("acme", "ada", None).await.unwrap();
    let left: i64 = rig
        .conn()
        .query_row(
            "SELECT (SELECT count(*) FROM alert) + (SELECT count(*) FROM alert_rule) + (SELECT count(*) FROM breaker)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_flow_is_begun_with_what_is_told_in_the_same_commit() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    save(&store, "[[alert]]\non = [\"breaker\"]\nflow = \"Tell\"\n").await;
    rig.clock.advance(1);
    breaker(&store, true).await;
    store.look_for_trouble(Vec::new()).await.unwrap();
    store.look_for_trouble(Vec::new()).await.unwrap();
    let due = store.due(store.now(), 10, &mut Holders::default(), &ungated()).await.unwrap().runs;
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].flow, flow_of(&store, "Tell"));
    let seed = &store.request(due[0].request.unwrap()).await.unwrap().unwrap().seed;
    let body: Value = serde_json::from_slice(&seed.body).unwrap();
    assert_eq!((&body["alert"], seed.marks), (&"breaker".into(), Marks::ALERT));
    assert!(posts(&store).await.is_empty());
    assert!(shown(&store).await.last_told.is_some());
}

#[tokio::test]
async fn a_receiver_with_too_much_to_take_is_told_later() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    save(&store, &to_url("\"breaker\"")).await;
    let (owner, now) = (owner(&store), store.now());
    store
        .write(Vec::new(), move |tx| {
            for n in 0..256_i64 {
                tx.execute(
                    "INSERT INTO alert_post VALUES (?1, ?2, 'url:https://a.example/hook', '{}', 0, ?3)",
                    [n + 1, owner.0, now],
                )?;
            }
            Ok(())
        })
        .await
        .unwrap();
    rig.clock.advance(1);
    breaker(&store, true).await;
    let looked = store.look_for_trouble(Vec::new()).await.unwrap();
    assert!(looked.next.is_some());
    let first = posts(&store).await.remove(0);
    assert_eq!(first.id, AlertId(1));
    store.alert_delivered(first, Delivery::Taken).await.unwrap();
    store.look_for_trouble(Vec::new()).await.unwrap();
    assert_eq!(shown(&store).await.waiting, 256);
}

#[tokio::test]
async fn an_endpoint_is_silent_by_its_own_history_until_a_request_comes() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    save(&store, &to_url("\"silent\"")).await;
    let flow = flow_of(&store, "Orders");
    store
        .write(Vec::new(), move |tx| {
            for quarter in (T0 - 2 * DAY) / (15 * MINUTE)..T0 / (15 * MINUTE) {
                tx.execute("INSERT INTO arrival VALUES (?1, ?2, 20)", [flow.0, quarter])?;
            }
            Ok(())
        })
        .await
        .unwrap();
    let mut watched = Watched::default();
    watched.blind(store.now());
    let silence = async |watched: &mut Watched| {
        let silences = store.silences(watched, true).await.unwrap();
        let looked = store.look_for_trouble(silences).await.unwrap();
        (take(&store).await, looked.silent)
    };
    assert_eq!(silence(&mut watched).await, (Vec::new(), false));
    rig.clock.advance(30 * MINUTE);
    let (told, waits) = silence(&mut watched).await;
    assert_eq!((states(&told), waits), (vec!["open"], true));
    let shown = store.counters().silent;
    assert_eq!((shown.len(), shown[0].flow.as_str(), shown[0].since), (1, "Orders", T0));
    rig.clock.advance(HOUR);
    assert_eq!(silence(&mut watched).await, (Vec::new(), true), "once is enough");
    // Whoever did not listen meanwhile knows no better.
    watched.blind(store.now());
    assert_eq!(silence(&mut watched).await, (Vec::new(), true));
    let seed = Seed { flow, ..(*seed(1, "{}")).clone() };
    let judgement = Judgement::Filter { cause: String::new() };
    store.accept(Accept { seed: Arc::new(seed), judgement }).unwrap().await.unwrap().unwrap();
    let (told, waits) = silence(&mut watched).await;
    assert_eq!((states(&told), waits), (vec!["recovered"], false));
    assert!(store.counters().silent.is_empty());
    healthy(&store).await;
}
