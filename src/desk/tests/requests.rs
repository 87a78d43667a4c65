//! Replay, forget and the callback's URL.

use super::*;
use crate::model::RequestId;
use crate::model::ask::Offers;
use crate::model::request::{Marks, Verdict};
use crate::store::{Birth, Judgement};

fn replay(version: Option<&str>, set: &[(&str, Value)]) -> Verb {
    let set = set.iter().map(|(path, value)| ((*path).to_owned(), value.clone())).collect();
    Verb::Replay(Replay { version: version.map(str::to_owned), set, ..Replay::default() })
}

fn only(runs: &[String]) -> &str {
    assert_eq!(runs.len(), 1);
    &runs[0]
}

#[tokio::test]
async fn a_replay_makes_a_new_run_of_the_stored_request_past_dedup() {
    let house = House::acme().await;
    let (request, run) = house.receive("Orders", json!({"ref": "a"})).await;
    let plan = house.plan_on(act(replay(None, &[]), vec![house.request_id(request)])).await.unwrap();
    assert_eq!(plan.lines[0], "Makes a new run of acme / Orders, past dedup.");
    assert_eq!(plan.lines[1], "With v1, the live version.");
    assert_eq!(plan.offers, Some(Offers { live: Some(1), own: 1, draft: None }));
    assert!(
        plan.lines.contains(&"It sends 4 real requests: push, notify, archive, log.".to_owned()),
        "{:?}",
        plan.lines
    );
    assert!(plan.sends.unwrap().url.ends_with("/customers/a"));
    let acted = house.act_on(act(replay(None, &[]), vec![house.request_id(request)])).await.unwrap();
    let new = house.store.ids().parse(only(&acted.runs)).unwrap();
    let row = house.row(new).await;
    assert_eq!((row.request, row.parent, row.state), (Some(request), Some(run), RunState::Queued));
    // The replay of a run has that run as its parent.
    let acted = house.act(replay(None, &[]), new).await.unwrap();
    let third = house.store.ids().parse(only(&acted.runs)).unwrap();
    assert_eq!(house.row(third).await.parent, Some(new));
    // A copy of the request is a duplicate still: a replay writes no key.
    let (_, none) = house.receive("Orders", json!({"ref": "a"})).await;
    assert_eq!(none.0, 0);
    let entry = &house.trail().await[0];
    assert_eq!((entry.verb.as_str(), entry.target.as_str()), ("replay", house.request_id(request).as_str()));
}

#[tokio::test]
async fn an_edited_payload_is_another_request_and_the_stored_one_stays() {
    let house = House::acme().await;
    let (request, run) = house.receive("Orders", json!({"ref": "a", "n": 1})).await;
    let verb = replay(None, &[("body.ref", json!("b c")), ("body.extra", json!([1]))]);
    let plan = house.plan_on(act(verb.clone(), vec![house.request_id(request)])).await.unwrap();
    assert!(plan.lines.iter().any(|line| line.starts_with("With another payload: body.ref, body.extra")));
    assert!(plan.sends.unwrap().url.ends_with("/customers/b%20c"));
    let acted = house.act_on(act(verb, vec![house.request_id(request)])).await.unwrap();
    let row = house.row(house.store.ids().parse(only(&acted.runs)).unwrap()).await;
    assert_eq!(row.parent, Some(run));
    let made: RequestId = row.request.unwrap();
    assert_ne!(made, request);
    let stored = house.store.request(made).await.unwrap().unwrap();
    let body: Value = serde_json::from_slice(&stored.seed.body).unwrap();
    assert_eq!(body, json!({"ref": "b c", "n": 1, "extra": [1]}));
    assert!(stored.seed.marks.has(Marks::MANUAL));
    assert_eq!(stored.seed.headers.get("content-length"), None);
    // No sender sent it: none was answered, and none was promised that it is stored.
    let counters = house.store.counters();
    assert_eq!((counters.accepted, counters.stored, counters.recent), (2, 1, 1));
    let shown = house.store.request_detail(made).await.unwrap();
    assert_eq!((shown.request.status, shown.request.from.as_deref(), shown.answer), (None, None, None));
    assert_eq!(shown.request.made_by().as_deref(), Some("by anna"));
    assert_eq!(shown.parent.as_deref(), Some(house.request_id(request).as_str()));
    assert_eq!(shown.began.iter().map(|one| one.run.clone()).collect::<Vec<_>>(), acted.runs);
    let shown = house.store.request_detail(request).await.unwrap();
    assert_eq!((shown.request.status, shown.parent, shown.request.made_by()), (Some(200), None, None));
    let kept = house.store.request(request).await.unwrap().unwrap();
    assert_eq!(&kept.seed.body[..], json!({"ref": "a", "n": 1}).to_string().as_bytes());
    let refusal =
        house.act_on(act(replay(None, &[("headers.x", json!(1))]), vec![house.request_id(request)])).await;
    assert_eq!(refusal.unwrap_err().exit, 2);
}

#[tokio::test]
async fn a_replay_takes_the_version_that_is_asked_for() {
    let house = House::acme().await;
    let (request, _) = house.receive("Orders", json!({"ref": "a"})).await;
    let id = house.request_id(request);
    let draft = house.act_on(act(replay(Some("draft"), &[]), vec![id.clone()])).await;
    assert_eq!(draft.unwrap_err().message, "replay is not possible: there is no draft");
    house.apply(&ACME.replace("/log", "/two")).await;
    let files = vec![("a.toml".to_owned(), ACME.replace("/log", "/three"))];
    house.ask(Ask::Apply(Apply { files, draft: true, ..Apply::default() })).await.unwrap();
    for (asked, version) in [
        (None, 2),
        (Some("deployed"), 2),
        (Some("original"), 1),
        (Some("draft"), 3),
        (Some("1"), 1),
        (Some("v3"), 3),
    ] {
        let acted = house.act_on(act(replay(asked, &[]), vec![id.clone()])).await.unwrap();
        let row = house.row(house.store.ids().parse(only(&acted.runs)).unwrap()).await;
        assert_eq!(row.version, version, "{asked:?}");
    }
    let refusal = house.act_on(act(replay(Some("9"), &[]), vec![id.clone()])).await.unwrap_err();
    assert_eq!(refusal.code, "gone");
    assert_eq!(house.act_on(act(replay(Some("newest"), &[]), vec![id])).await.unwrap_err().exit, 2);
}

#[tokio::test]
async fn what_was_not_kept_whole_cannot_be_replayed() {
    let house = House::acme().await;
    let flow = house.flow("Orders");
    let refuse = || Judgement::refused(413, "6.3 MiB is over 6 MiB");
    let body = vec![b'1'; 64 << 10];
    let (cut, _) = house.accept(flow, 1, body.into(), Marks::BODY_CUT, refuse()).await;
    let refusal = house.act_on(act(replay(None, &[]), vec![house.request_id(cut)])).await.unwrap_err();
    assert_eq!(refusal.message, "replay is not possible: only the first 64 KiB of 6.3 MiB were kept");
    let (broken, _) = house.accept(flow, 1, "{nope".into(), Marks::default(), refuse()).await;
    let refusal = house.act_on(act(replay(None, &[]), vec![house.request_id(broken)])).await.unwrap_err();
    assert!(refusal.message.starts_with("replay is not possible: its body is not JSON"), "{refusal}");
    // What a rule kept out may be let in by hand.
    let filter = Judgement::Filter { cause: "when is false".into() };
    let (filtered, _) = house.accept(flow, 1, r#"{"ref":"f"}"#.into(), Marks::default(), filter).await;
    let acted = house.act_on(act(replay(None, &[]), vec![house.request_id(filtered)])).await.unwrap();
    assert_eq!(acted.done, 1);
    // And many at once: each for itself.
    let many = house.act_on(act_by(replay(None, &[]), "verdict:rejected or verdict:filtered")).await.unwrap();
    assert_eq!((many.done, many.refused.len()), (1, 2));
}

#[tokio::test]
async fn a_forgotten_key_lets_the_next_copy_in() {
    let house = House::acme().await;
    let (request, _) = house.receive("Orders", json!({"ref": "a"})).await;
    house.act_on(act(Verb::Forget, vec![house.request_id(request)])).await.unwrap();
    let (again, run) = house.receive("Orders", json!({"ref": "a"})).await;
    assert!(run.0 != 0 && again != request);
    let stored = house.store.request(again).await.unwrap().unwrap();
    assert_eq!(stored.verdict, Verdict::Accepted);
    let entry = &house.trail().await[0];
    assert_eq!((entry.verb.as_str(), entry.reason.as_deref()), ("forget", Some("because")));
    let (keyless, _) = house
        .accept(
            house.flow("Scans"),
            1,
            "{}".into(),
            Marks::default(),
            Judgement::Admit { key: None, birth: Birth::Fresh },
        )
        .await;
    let refusal = house.act_on(act(Verb::Forget, vec![house.request_id(keyless)])).await.unwrap_err();
    assert_eq!(refusal.message, "forget is not possible: the request has no dedup key");
}

#[tokio::test]
async fn of_several_copies_the_key_is_forgotten_once() {
    let house = House::acme().await;
    for _ in 0..4 {
        house.receive("Orders", json!({"ref": "a"})).await;
    }
    house.receive("Orders", json!({"ref": "b"})).await;
    let plan = house.plan_on(act_by(Verb::Forget, "flow:Orders")).await.unwrap();
    assert_eq!((plan.count, plan.left_out), (2, vec![("the same key as another of them".to_owned(), 3)]));
    let acted = house.act_on(Act { plan: plan.token, ..Act::of(Verb::Forget) }).await.unwrap();
    assert_eq!((acted.done, acted.refused.len()), (2, 0));
    assert_eq!(acted.lines, ["Forgot 2 dedup keys."]);
    // Of the copies one was accepted: what comes next begins a run.
    let (request, _) = house.receive("Orders", json!({"ref": "a"})).await;
    assert_eq!(house.store.request(request).await.unwrap().unwrap().verdict, Verdict::Accepted);
}

#[tokio::test]
async fn the_url_of_a_callback_is_shown_only_when_asked_for_and_that_is_written_down() {
    let house = House::acme().await;
    let run = house.run_in(RunState::Waiting).await;
    let callback = house.store.load(run).await.unwrap().unwrap().callbacks[0].id;
    let id = house.store.ids().print(callback);
    let ask = |reveal| Ask::Callback { id: id.clone(), reveal };
    let Answer::Callback(view) = house.ask(ask(false)).await.unwrap() else { panic!("no callback") };
    assert_eq!(view.url, None);
    assert!(house.trail().await.iter().all(|entry| entry.verb != "reveal"));
    let Answer::Callback(view) = house.ask(ask(true)).await.unwrap() else { panic!("no callback") };
    let url = view.url.unwrap();
    let token = url.strip_prefix("http://127.0.0.1:7700/callback/").unwrap();
    let vault = crate::vault::Vault::open(house.folder.path()).unwrap();
    assert_eq!(vault.read_token(token).unwrap().0, callback);
    let entry = &house.trail().await[0];
    assert_eq!((entry.verb.as_str(), entry.target.as_str()), ("reveal", id.as_str()));
    assert!(!format!("{entry:?}").contains(token));
}
