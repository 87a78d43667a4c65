//! Retry, skip and abort against a real store: what is allowed, what the plan says, and that what
//! happens then is what the plan said.

use super::*;
use crate::model::ask::{Editing, Revision, Typed, With};

const STATES: [RunState; 9] = RunState::ALL;

fn retry() -> Verb {
    Verb::Retry { version: With::Deployed, fresh_key: false }
}

fn skip() -> Verb {
    Verb::Skip { stand_in: None }
}

/// The contract's table: whether a verb is possible in a state.
fn possible(verb: &Verb, state: RunState) -> bool {
    use RunState::{Errored, Failed, Queued, Retrying, Running, Waiting};
    match verb {
        Verb::Retry { .. } => matches!(state, Waiting | Retrying | Errored | Failed),
        Verb::Skip { .. } => matches!(state, Waiting | Retrying | Errored),
        Verb::Abort => matches!(state, Queued | Running | Waiting | Retrying | Errored),
        Verb::Replay(_) => true,
        Verb::Forget | Verb::Readmit | Verb::Complete { .. } | Verb::Extend { .. } | Verb::Cancel => false,
    }
}

#[tokio::test]
async fn every_verb_in_every_state_is_as_the_table_says_and_as_its_plan_says() {
    let house = House::acme().await;
    for state in STATES {
        for verb in [retry(), skip(), Verb::Abort, Verb::Replay(Replay::default())] {
            let run = house.run_in(state).await;
            let before = house.row(run).await;
            let planned = house.plan(verb.clone(), run).await;
            assert_eq!(house.row(run).await, before, "a plan moves nothing");
            let acted = house.act(verb.clone(), run).await;
            let what = format!("{} of {}", verb.word(), state.word());
            if possible(&verb, state) {
                assert_eq!(planned.unwrap().count, 1, "{what}");
                assert_eq!(acted.unwrap().done, 1, "{what}");
            } else {
                let refusal = acted.unwrap_err();
                assert_eq!(planned.unwrap_err(), refusal, "{what}");
                assert_eq!(refusal.exit, 4, "{what}");
                assert!(
                    refusal.message.starts_with(&format!("{} is not possible: ", verb.word())),
                    "{what}: {refusal}"
                );
                assert_eq!(house.row(run).await, before, "{what}: a refusal moves nothing");
            }
        }
    }
}

#[tokio::test]
async fn a_retry_says_what_it_sends_and_then_that_is_sent() {
    let house = House::acme().await;
    let (_, run) = house.receive("Orders", json!({"ref": "a b"})).await;
    house.step(run, 404).await;
    let plan = house.plan(retry(), run).await.unwrap();
    assert_eq!(plan.lines[0], "Sends attempt 2 of push now; then notify, label, archive, log.");
    assert!(plan.lines.iter().any(|line| line == "Attempt 1 was answered 404."), "{:?}", plan.lines);
    assert_eq!(plan.hosts, [("127.0.0.1:9000".to_owned(), 1)]);
    let acted = house.act(retry(), run).await.unwrap();
    let short = crate::model::id::short(&house.id(run)).to_owned();
    assert_eq!(acted.lines, [format!("Retried push of {short}: attempt 2 is queued.")]);
    let sends = plan.sends.unwrap();
    let built = house.built(run).await.unwrap();
    assert_eq!(sends.method, built.method);
    assert_eq!(sends.url, built.url);
    assert_eq!(sends.body.unwrap().as_bytes(), built.body.unwrap());
    let header = |name: &str| {
        let found = sends.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    // With the fingerprint that the attempt will show.
    assert!(header("authorization").starts_with("Bearer ••• "), "{:?}", sends.headers);
    assert_eq!(header("idempotency-key"), format!("{}.push", house.id(run)));
    assert_eq!(header("pointsman-attempt"), "2");
    assert_eq!(house.row(run).await.state, RunState::Queued);
}

#[tokio::test]
async fn a_retry_of_what_waits_says_what_is_void_and_instead_of_when() {
    let house = House::acme().await;
    let waiting = house.run_in(RunState::Waiting).await;
    let plan = house.plan(retry(), waiting).await.unwrap();
    assert!(plan.lines.contains(&"Its pending callback is void: a late POST gets 410.".to_owned()));
    let retrying = house.run_in(RunState::Retrying).await;
    let plan = house.plan(retry(), retrying).await.unwrap();
    assert!(plan.lines[0].contains(" now, instead of at "), "{:?}", plan.lines);
    let fresh = Verb::Retry { version: With::Deployed, fresh_key: true };
    let plan = house.plan(fresh, retrying).await.unwrap();
    assert!(plan.lines.iter().any(|line| line.ends_with("push may act twice.")), "{:?}", plan.lines);
}

#[tokio::test]
async fn a_retry_moves_to_the_live_version_unless_its_own_is_asked_for() {
    let house = House::acme().await;
    let one = house.run_in(RunState::Errored).await;
    let two = house.run_in(RunState::Errored).await;
    house.apply(&ACME.replace("url = \"/customers/", "url = \"/people/")).await;
    let plan = house.plan(retry(), one).await.unwrap();
    assert_eq!(plan.versions, Some((1, 2)));
    assert!(plan.sends.unwrap().url.contains("/people/"));
    house.act(retry(), one).await.unwrap();
    assert_eq!(house.row(one).await.version, 2);
    let original = Verb::Retry { version: With::Original, fresh_key: false };
    let plan = house.plan(original.clone(), two).await.unwrap();
    assert_eq!(plan.versions, None);
    assert!(plan.sends.unwrap().url.contains("/customers/"));
    house.act(original, two).await.unwrap();
    assert_eq!(house.row(two).await.version, 1);
    // Where the live version has no such step any more, replay is offered.
    let three = house.run_in(RunState::Errored).await;
    house.apply(&ACME.replace("push", "shove")).await;
    let refusal = house.act(retry(), three).await.unwrap_err();
    assert_eq!(refusal.code, "gone");
    assert!(refusal.message.contains("replay"), "{refusal}");
}

#[tokio::test]
async fn a_skip_leaves_out_exactly_what_its_plan_says() {
    let house = House::acme().await;
    let run = house.run_in(RunState::Errored).await;
    let plan = house.plan(skip(), run).await.unwrap();
    assert_eq!(plan.lines[0], "push ends skipped; the run goes on with 2 notify.");
    let fate = |step: &str, field: &str| {
        let found = plan.fields.iter().find(|plan| plan.step == step && plan.field == field);
        found.map(|plan| plan.fate)
    };
    assert_eq!(fate("notify", "json.customer"), Some(Fate::LeftOut), "{:?}", plan.fields);
    assert_eq!(fate("notify", "headers.X-Customer"), Some(Fate::LeftOut), "{:?}", plan.fields);
    assert_eq!(fate("label", "outputs.text"), Some(Fate::LeftOut), "{:?}", plan.fields);
    assert_eq!(fate("label", "outputs.mail"), None, "notify gives it: {:?}", plan.fields);
    assert_eq!(fate("archive", "url"), Some(Fate::Fails), "{:?}", plan.fields);
    assert_eq!(fate("log", ""), Some(Fate::Unaffected), "{:?}", plan.fields);
    house.act(skip(), run).await.unwrap();
    let built = house.built(run).await.unwrap();
    let mut left: Vec<String> = built.left_out;
    let mut said: Vec<String> = plan
        .fields
        .iter()
        .filter(|field| field.step == "notify" && field.fate == Fate::LeftOut)
        .map(|field| field.field.clone())
        .collect();
    left.sort();
    said.sort();
    assert_eq!(left, said);
    let sends = plan.sends.unwrap();
    assert_eq!((sends.url, sends.body.unwrap().into_bytes()), (built.url, built.body.unwrap().to_vec()));
    // Further on archive fails, as was said.
    house.step(run, 200).await;
    assert_eq!(house.view(run).await.steps[3].name, "archive");
    house.claim(run).await;
    let error = house.built(run).await.unwrap_err();
    assert_eq!(error.place, "url");
}

#[tokio::test]
async fn a_stand_in_takes_the_place_of_the_outputs_and_the_last_good_run_suggests_one() {
    let house = House::acme().await;
    let run = house.run_in(RunState::Errored).await;
    assert_eq!(house.plan(skip(), run).await.unwrap().stand_in, None, "no good run yet");
    house.run_in(RunState::Succeeded).await;
    let plan = house.plan(skip(), run).await.unwrap();
    assert_eq!(plan.stand_in, json!({"id": "cus_1"}).as_object().cloned());
    assert!(plan.stand_in_at.is_some());
    assert_eq!(plan.step.as_deref(), Some("push"));
    let stand_in = plan.stand_in.unwrap();
    assert!(
        plan.lines.iter().any(|line| line.starts_with("With those of the last good run")),
        "{:?}",
        plan.lines
    );
    let with = Verb::Skip { stand_in: Some(stand_in) };
    let plan = house.plan(with.clone(), run).await.unwrap();
    assert!(plan.fields.iter().all(|field| field.fate == Fate::Unaffected), "{:?}", plan.fields);
    let acted = house.act(with, run).await.unwrap();
    assert!(acted.lines[0].ends_with("with a stand-in."), "{:?}", acted.lines);
    let built = house.built(run).await.unwrap();
    let body: Value = serde_json::from_slice(&built.body.unwrap()).unwrap();
    assert_eq!(body["customer"], json!("cus_1"));
}

#[tokio::test]
async fn a_run_that_went_on_says_without_what_and_how_often_a_step_may_be_tried() {
    let house = House::acme().await;
    let view = house.view(house.run_in(RunState::SucceededWithSkips).await).await;
    assert_eq!(view.cause.as_deref(), Some("push skipped by anna: because"));
    assert!(view.steps[0].tries.is_some_and(|tries| tries >= 1), "{:?}", view.steps[0]);
    assert_eq!(house.view(house.run_in(RunState::Succeeded).await).await.cause, None);
}

#[tokio::test]
async fn an_abort_names_what_never_runs_and_waits_for_an_attempt_under_way() {
    let house = House::acme().await;
    let run = house.run_in(RunState::Waiting).await;
    let plan = house.plan(Verb::Abort, run).await.unwrap();
    assert_eq!(
        plan.lines,
        [
            "The run ends aborted. Step tell never runs.",
            "It can be replayed, not retried.",
            "1 pending callback is cancelled: a late POST gets 410.",
        ]
    );
    house.act(Verb::Abort, run).await.unwrap();
    let callbacks = house.store.load(run).await.unwrap().unwrap().callbacks;
    assert!(callbacks.iter().all(|callback| callback.state == CallbackState::Cancelled));
    let running = house.run_in(RunState::Running).await;
    let plan = house.plan(Verb::Abort, running).await.unwrap();
    assert!(plan.lines[0].starts_with("The run ends aborted once the attempt under way has ended"));
    house.act(Verb::Abort, running).await.unwrap();
    assert_eq!(house.row(running).await.state, RunState::Running);
    house.answer(running, 200, json!({"id": 1})).await;
    assert_eq!(house.row(running).await.state, RunState::Aborted);
}

#[tokio::test]
async fn what_changed_since_it_was_looked_at_is_left_alone() {
    let house = House::acme().await;
    let run = house.run_in(RunState::Errored).await;
    let plan = house.plan(retry(), run).await.unwrap();
    house.act(skip(), run).await.unwrap();
    house.step(run, 404).await;
    let before = house.row(run).await;
    let stale = Act { seen: plan.seen, ..act(retry(), vec![house.id(run)]) };
    let refusal = house.act_on(stale).await.unwrap_err();
    assert_eq!(refusal.message, "Changed since you looked: the run is now errored. Nothing was done.");
    assert_eq!((refusal.code.as_str(), refusal.exit), ("changed", 4));
    assert_eq!(house.row(run).await, before);
    let seen = house.plan(retry(), run).await.unwrap().seen;
    house.act_on(Act { seen, ..act(retry(), vec![house.id(run)]) }).await.unwrap();
}

#[tokio::test]
async fn many_are_moved_by_filter_and_what_is_refused_is_told_one_by_one() {
    let house = House::acme().await;
    let mut errored = Vec::new();
    for _ in 0..3 {
        errored.push(house.run_in(RunState::Errored).await);
    }
    let aborted = house.run_in(RunState::Aborted).await;
    let filter = "state:errored or state:aborted";
    let plan = house.plan_on(act_by(retry(), filter)).await.unwrap();
    assert_eq!((plan.count, plan.seen.len()), (3, 3));
    assert_eq!(plan.left_out.len(), 1);
    assert_eq!(plan.left_out[0].1, 1);
    assert_eq!(plan.hosts, [("127.0.0.1:9000".to_owned(), 3)]);
    // One of them moves on between looking and acting.
    house.act(skip(), errored[0]).await.unwrap();
    let order = Act { seen: plan.seen, ..act_by(retry(), filter) };
    let acted = house.act_on(order).await.unwrap();
    assert_eq!(acted.done, 2);
    let refused: Vec<&str> = acted.refused.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(refused, [house.id(aborted)], "the one that moved on no longer matches");
    assert_eq!(acted.lines, ["Retried 2 runs; 1 was refused."]);
    let entry = &house.trail().await[0];
    assert_eq!((entry.who.as_str(), entry.verb.as_str(), entry.door.as_str()), ("anna", "retry", "console"));
    assert_eq!(entry.target, format!("3 by filter {filter}"));
    assert_eq!(entry.reason.as_deref(), Some("because"));
    assert!(entry.detail.starts_with("Retried 2 runs; 1 was refused. "), "{}", entry.detail);
    // By ids, one that moved on is among them, and is told.
    let run = house.run_in(RunState::Errored).await;
    let two = act(retry(), vec![house.id(run), house.id(errored[1])]);
    let acted = house.act_on(Act { seen: vec![(house.id(run), 0)], ..two }).await.unwrap();
    assert_eq!((acted.done, acted.refused.len()), (0, 2));
    assert!(acted.refused.iter().any(|(_, why)| why.starts_with("Changed since you looked")));
}

#[tokio::test]
async fn nothing_is_done_without_saying_to_what() {
    let house = House::acme().await;
    for order in [
        act(retry(), vec![]),
        act_by(retry(), ""),
        act_by(retry(), "  "),
        Act { filter: Some("state:errored".into()), ..act(retry(), vec!["abcdef".into()]) },
    ] {
        assert_eq!(house.act_on(order.clone()).await.unwrap_err().exit, 2, "{order:?}");
    }
    assert_eq!(house.act_on(act_by(retry(), "state:(")).await.unwrap_err().code, "filter");
    let acted = house.act_on(act_by(retry(), "state:errored")).await.unwrap();
    assert_eq!((acted.done, acted.refused.len()), (0, 0));
    assert_eq!(house.act_on(act(retry(), vec!["abcdef".into()])).await.unwrap_err().exit, 3);
}

#[tokio::test]
async fn a_read_only_console_is_refused_every_order_and_answered_every_question() {
    let house = House::acme().await;
    let run = house.run_in(RunState::Errored).await;
    let who = Who { read_only: true, ..anna() };
    let before = house.row(run).await;
    for ask in [
        Ask::Act(Box::new(act(retry(), vec![house.id(run)]))),
        Ask::Set { name: "acme".into(), values: vec![], secret: None, reason: None, dry_run: false },
        Ask::Deploy { name: "acme".into(), seen: None, reason: None, dry_run: false },
        Ask::Remove { name: "acme".into(), reason: None, dry_run: false },
        Ask::Apply(Apply::default()),
        Ask::Edit(Box::new(Editing::Keep(Typed::default()))),
        Ask::Edit(Box::new(Editing::Save(Revision::default()))),
        Ask::LoadSamples { dry_run: false },
        Ask::Act(Box::new(act(Verb::Forget, vec!["x".into()]))),
        Ask::Callback { id: "x".into(), reveal: true },
    ] {
        let refusal = house.desk.answer(&who, ask.clone()).await.unwrap_err();
        assert_eq!((refusal.code.as_str(), refusal.exit), ("read_only", 4), "{ask:?}");
        assert!(refusal.message.ends_with("is not possible: this console is read-only (--read-only)"));
    }
    assert_eq!(house.row(run).await, before);
    for ask in [Ask::Counters, Ask::Runs(Page::default()), Ask::Doctor, Ask::Groups, Ask::Integrations] {
        house.desk.answer(&who, ask).await.unwrap();
    }
}

#[tokio::test]
async fn an_ending_stands_for_an_id() {
    let house = House::acme().await;
    let run = house.run_in(RunState::Errored).await;
    let id = house.id(run);
    house.act_on(act(retry(), vec![id[28..].to_owned()])).await.unwrap();
    assert_eq!(house.row(run).await.state, RunState::Queued);
    assert_eq!(house.trail().await[0].target, id);
}
