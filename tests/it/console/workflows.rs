//! The board of callbacks and the tree of integrations: what a desk would answer, their pictures,
//! and what their keys ask for.

use super::hand::{Hand, NOW, id};
use super::pictures::keep;
use pointsman::console::Options;
use pointsman::model::ask::{Answer, Ask, DiffView, GivenView, Rows, Verb, VersionView};
use pointsman::model::run::{CallbackState, RunState};
use pointsman::model::study::Study;
use pointsman::model::time::{DAY, MINUTE, Ms, rfc3339};
use pointsman::model::view::{AttemptView, AwaitedView, CallbackView, IntegrationView, RunView};
use serde_json::json;

pub fn rows(rows: Vec<CallbackView>) -> Rows<CallbackView> {
    Rows::whole(rows)
}

/// The nth callback: an overdue one, then those that wait.
pub fn callback(n: u64) -> CallbackView {
    let (state, deadline, overdue, job): (_, Ms, _, _) = match n {
        0 => (CallbackState::Expired, NOW - 22 * MINUTE, true, "job 4471"),
        1 => (CallbackState::Pending, NOW + 42_500, false, ""),
        2 => (CallbackState::Pending, NOW + 38 * MINUTE + 20_000, false, ""),
        _ => (CallbackState::Pending, NOW + 7 * DAY - 5_000, false, "job 4480"),
    };
    let run = id(if overdue { 1 } else { 2 + 10 * n });
    CallbackView {
        id: id(9 + n),
        run,
        step: "push".to_owned(),
        state,
        deadline: rfc3339(deadline),
        created: rfc3339(deadline - 7 * DAY),
        received: None,
        status: None,
        integration: "forms".to_owned(),
        flow: "Submissions".to_owned(),
        overdue,
        awaited: Some(Box::new(AwaitedView {
            host: "dms.example".to_owned(),
            attempt: if overdue { 3 } else { 1 },
            status: Some(202),
            said: job.to_owned(),
            run_state: Some(if overdue { RunState::Errored } else { RunState::Waiting }),
            held: true,
            others: vec![38_000, 41_000],
        })),
        url: None,
    }
}

/// The run of which a step sends once an item.
pub const ITEMS: u64 = 581;

/// 14 items of the second step: most arrived, one was refused, one was not sent yet.
fn each(run: &mut RunView) {
    let step = &mut run.steps[1];
    let Some(model) = step.attempts.last().cloned() else { return };
    let state = |item: u32| match item {
        12 => ("errored", Some("Progix answered 503")),
        13 => ("pending", None),
        _ => ("succeeded", None),
    };
    step.items = (0..14)
        .map(|item| {
            let (state, cause) = state(item);
            let attempts = match state {
                "errored" => 3,
                "pending" => 0,
                _ => 1,
            };
            serde_json::from_value(
                json!({"index": item, "state": state, "cause": cause, "attempts": attempts}),
            )
            .unwrap()
        })
        .collect();
    step.attempts = (0..13)
        .flat_map(|item| {
            let tries: u32 = if item == 12 { 3 } else { 1 };
            (1..=tries).map(move |number| (item, number))
        })
        .map(|(item, number)| {
            let mut attempt = AttemptView { item: Some(item), number, ..model.clone() };
            if item < 12 {
                (attempt.status, attempt.cause) = (Some(200), None);
            }
            attempt
        })
        .collect();
}

/// A run as a detail has it: with the callback that it waits for.
pub fn run(n: u64) -> RunView {
    let mut run = super::hand::run(n);
    if n == ITEMS {
        each(&mut run);
    }
    let waits = (0..4).map(callback).find(|callback| callback.run == run.id);
    run.callback = waits.filter(|_| matches!(run.state, RunState::Waiting | RunState::Errored)).map(Box::new);
    run
}

pub fn given(verb: &Verb) -> Option<GivenView> {
    matches!(verb, Verb::Complete { .. }).then(|| GivenView {
        status: 200,
        body: r#"{"document":"88102"}"#.to_owned(),
        at: rfc3339(NOW - 25 * MINUTE),
    })
}

pub const DOCUMENT: &str = r#"
name = "acme-erp"
title = "Acme ERP"
icon = "A"
description = "Customers and stock go to Progix"
[[variable]]
name = "tenant"
type = "text"
default = "42"
[[variable]]
name = "token"
type = "secret"
required = true
[[connection]]
name = "progix"
base_url = "http://127.0.0.1:9000"
auth = { type = "bearer", token = "{{ config.token }}" }
[[flow]]
name = "Sync customers"
[flow.trigger]
type = "webhook"
path = "customers"
auth = { type = "none" }
dedup = { fields = ['headers["X-Request-ID"]'], window = "7d" }
[[flow.step]]
name = "lookup"
type = "request"
connection = "progix"
method = "GET"
url = "/customers?email={{ request.body.email }}"
outputs = { id = "body.id" }
[[flow.step]]
name = "push"
type = "request"
connection = "progix"
method = "POST"
url = "/customers/{{ request.body.email }}"
json = { name = "{{ request.body.name }}" }
[[flow]]
name = "Nightly"
[flow.trigger]
type = "schedule"
cron = "0 2 * * *"
zone = "Europe/Berlin"
[[flow]]
name = "Initialization"
[flow.trigger]
type = "deploy"
"#;

fn integrations() -> Vec<IntegrationView> {
    let next: Vec<String> = (1..=5).map(|day| rfc3339(NOW + day * DAY)).collect();
    let acme = json!({
        "name": "acme-erp", "title": "Acme ERP", "description": "Customers and stock go to Progix",
        "deployed": 14, "draft": 15, "saved": rfc3339(NOW - 20 * MINUTE), "author": "anna",
        "flows": [
            {"id": "s", "name": "Sync customers", "trigger": "webhook", "url": "https://hooks.example/in/8Zk2mPq0xT4nBv7sLw1RvQ",
             "auth": "none", "steps": [["lookup", "request"], ["push", "request"]],
             "traffic": {"minute": 36, "usual_hour": 2280, "accepted": 46120, "duplicates": 1426,
                         "last": {"request": id(599), "time": rfc3339(NOW - 1_000), "verdict": "accepted"},
                         "last_refused": rfc3339(NOW - 259 * MINUTE)}},
            {"id": "n", "name": "Nightly", "trigger": "schedule", "url": null, "auth": null, "steps": [],
             "schedule": {"rule": "cron 0 2 * * *", "zone": "Europe/Berlin", "next": next, "last": null, "made_up": 1}},
            {"id": "i", "name": "Initialization", "trigger": "deploy", "url": null, "auth": null, "steps": [],
             "last_run": {"run": id(1), "time": rfc3339(NOW - 60 * MINUTE), "state": "errored", "cause": "404 no such tenant"}},
        ],
        "variables": [
            {"name": "tenant", "type": "text", "value": "42", "set": false, "required": false, "help": ""},
            {"name": "token", "type": "secret", "value": "•••", "set": true, "required": true, "help": "",
             "stands": {"at": rfc3339(NOW - 15 * DAY), "by": "anna"}},
            {"name": "pin", "type": "secret", "value": null, "set": false, "required": false, "help": ""},
        ],
    });
    let github = json!({
        "name": "github", "title": "GitHub", "description": "", "deployed": 3, "draft": null, "saved": rfc3339(NOW - DAY),
        "author": "ben",
        "flows": [{"id": "p", "name": "Push", "trigger": "webhook", "url": "https://hooks.example/in/pQ", "auth": "signature",
                   "steps": [["notify", "request"]], "paused": {"since": rfc3339(NOW - MINUTE), "until": null, "hold": false}}],
        "variables": [],
    });
    vec![serde_json::from_value(acme).unwrap(), serde_json::from_value(github).unwrap()]
}

pub fn answer(ask: &Ask) -> Answer {
    match ask {
        Ask::Urgent { .. } => Answer::Callbacks(rows((0..4).map(callback).collect())),
        Ask::Callback { id, reveal } => {
            let Some(mut view) = (0..4).map(callback).find(|one| one.id == *id) else {
                return Answer::Done(pointsman::model::ask::Done { lines: Vec::new(), refused: true });
            };
            view.url = reveal.then(|| "https://hooks.example/callback/token".to_owned());
            Answer::Callback(Box::new(view))
        }
        Ask::Integrations => Answer::Integrations { integrations: integrations() },
        Ask::Keys => Answer::Keys {
            keys: vec![
                serde_json::from_value(json!({
                    "name": "github-live", "type": "signature", "algorithm": "HMAC", "user": null, "added": rfc3339(NOW - DAY),
                    "used": rfc3339(NOW - MINUTE), "signs": true, "flows": ["github/Push"],
                }))
                .unwrap(),
            ],
        },
        Ask::Export { version, .. } => {
            Answer::Source { version: version.unwrap_or(14), text: DOCUMENT.to_owned() }
        }
        Ask::History { name, .. } => {
            let live = if name == "acme-erp" { 14 } else { 3 };
            let newest = if name == "acme-erp" { 15 } else { 3 };
            let version = |number: u32| VersionView {
                number,
                author: if number == newest { "anna" } else { "ben" }.to_owned(),
                time: rfc3339(NOW - i64::from(newest - number + 1) * 20 * MINUTE),
                reason: (number % 2 == 1).then(|| "fix push URL".to_owned()),
                deployed: number == live,
                draft: number > live,
            };
            Answer::History { versions: (newest - 2..=newest).rev().map(version).collect() }
        }
        Ask::Diff { name, from, to } => Answer::Diff(DiffView {
            integration: name.clone(),
            from: from.unwrap(),
            to: to.unwrap(),
            added: 1,
            removed: 1,
            diff: "--- a\n+++ b\n@@ -40,3 +40,3 @@\n connection = \"progix\"\n-url = \"/custmers/{{ request.body.email }}\"\n+url = \"/customers/{{ request.body.email }}\"\n name = \"x\"\n".to_owned(),
        }),
        other => panic!("{other:?} is none of them"),
    }
}

fn acts(hand: &Hand) -> Vec<(Verb, Vec<String>)> {
    let done = |ask: &Ask| match ask {
        Ask::Act(act) if !act.dry_run => Some((act.verb.clone(), act.ids.clone())),
        _ => None,
    };
    hand.asked.iter().filter_map(done).collect()
}

#[test]
fn the_board_at_each_size() {
    for (width, height) in [(80, 24), (120, 35), (160, 50), (60, 20)] {
        let mut hand = Hand::new(width, height);
        hand.keys("4");
        keep(&format!("callbacks_{width}x{height}"), &hand);
    }
    let mut hand = Hand::with(80, 24, Options { ascii: true, ..Options::default() });
    hand.keys("4");
    assert!(hand.text().is_ascii());
}

#[test]
fn an_overdue_callback_is_completed_with_what_the_last_one_was_answered() {
    let mut hand = Hand::new(80, 24);
    hand.keys("4c");
    keep("dialog_complete_80x24", &hand);
    hand.keys("<tab><tab>confirmed by phone<enter>");
    let body = r#"{"document":"88102"}"#.to_owned();
    assert_eq!(acts(&hand), [(Verb::Complete { status: 200, body }, vec![id(9)])]);
}

#[test]
fn keys_on_the_board_act_on_callbacks_or_on_the_runs_that_wait_for_them() {
    let mut hand = Hand::new(120, 35);
    hand.keys("4X");
    assert!(hand.text().contains("cancel is not possible: its deadline is past already"), "{}", hand.text());
    hand.keys("ju");
    assert!(hand.text().contains("Extend"), "{}", hand.text());
    hand.keys("<backspace><backspace>30m");
    hand.app.now += 1_000;
    hand.app.tick();
    hand.serve();
    hand.keys("<enter>");
    assert_eq!(acts(&hand), [(Verb::Extend { by: 30 * MINUTE }, vec![id(10)])]);
    hand.asked.clear();
    hand.keys("gr<enter>");
    assert_eq!(acts(&hand)[0].1, [id(1)], "the run of the first");
    hand.asked.clear();
    hand.keys("jX<enter>");
    assert!(acts(&hand).is_empty(), "the default keeps");
    hand.keys("X<right><enter>");
    assert_eq!(acts(&hand), [(Verb::Cancel, vec![id(10)])]);
    hand.asked.clear();
    hand.keys("g<space><space>X<right><enter>");
    assert_eq!(acts(&hand), [(Verb::Cancel, vec![id(9), id(10)])], "the marked ones");
    hand.keys("R");
    assert!(
        hand.text().contains("replay is not possible: this is a callback; enter opens its run"),
        "{}",
        hand.text()
    );
    hand.keys("g<enter>");
    assert_eq!(hand.app.runs.opened.as_deref(), Some(id(1).as_str()));
    assert!(hand.text().contains("no answer came by"), "{}", hand.text());
    hand.keys("c");
    assert!(hand.text().contains("Complete push of"), "c acts on the run that waits\n{}", hand.text());
    hand.keys("<esc><esc>");
    assert!(hand.text().contains("Callbacks › "), "{}", hand.text());
}

#[test]
fn the_url_of_a_callback_is_asked_for_only_to_copy_it_and_never_read_only() {
    let reveals = |hand: &Hand| {
        hand.asked.iter().filter(|ask| matches!(ask, Ask::Callback { reveal: true, .. })).count()
    };
    let mut hand = Hand::new(120, 35);
    hand.keys("4y");
    assert_eq!(hand.copied, [id(9)]);
    assert_eq!(reveals(&hand), 0);
    hand.keys("Yu");
    assert_eq!(
        (reveals(&hand), hand.copied.last().map(String::as_str)),
        (1, Some("https://hooks.example/callback/token"))
    );
    assert!(!hand.text().contains("callback/token"), "it is not drawn");
    let mut hand = Hand::with(120, 35, Options { read_only: true, ..Options::default() });
    hand.keys("4Yu");
    assert!(
        hand.text().contains("copying the URL is not possible: this console is read-only"),
        "{}",
        hand.text()
    );
    hand.keys("<esc><esc>c");
    assert!(hand.text().contains("complete is not possible: this console is read-only"), "{}", hand.text());
    assert_eq!(reveals(&hand), 0);
}

#[test]
fn the_board_is_filtered_and_the_default_filter_is_what_is_open() {
    let mut hand = Hand::new(120, 35);
    let filters = |hand: &Hand| -> Vec<String> {
        let of = |ask: &Ask| if let Ask::Urgent { filter, .. } = ask { Some(filter.clone()) } else { None };
        hand.asked.iter().filter_map(of).collect()
    };
    hand.keys("4");
    assert_eq!(filters(&hand), ["state:pending or state:expired"]);
    hand.keys("F");
    assert_eq!(filters(&hand).last().map(String::as_str), Some(""));
    hand.keys("a");
    let told = "mark all is not possible: the filter is off; F switches it on";
    assert!(hand.text().contains(told), "{}", hand.text());
    hand.keys("Fa");
    assert!(hand.text().contains("1 marked"), "{}", hand.text());
    hand.keys("<esc><esc>/ and (");
    hand.app.now += 1_000;
    hand.app.tick();
    assert!(hand.text().contains("^ "), "{}", hand.text());
}

#[test]
fn the_integrations_at_each_size() {
    for (width, height) in [(120, 35), (160, 50)] {
        let mut hand = Hand::new(width, height);
        hand.keys("5jl");
        keep(&format!("integrations_{width}x{height}"), &hand);
    }
    let mut hand = Hand::new(80, 24);
    hand.keys("5");
    keep("integrations_80x24", &hand);
    hand.keys("j<enter><enter>");
    keep("integration_80x24", &hand);
}

#[test]
fn a_step_a_schedule_values_and_a_failed_deploy_are_told() {
    let mut hand = Hand::new(160, 50);
    hand.keys("5jljjj");
    assert!(hand.text().contains("/customers/{{ request.body.email }}"), "{}", hand.text());
    hand.keys("j");
    let shown = hand.text();
    assert!(shown.contains("cron 0 2 * * *, Europe/Berlin") && shown.matches("02:").count() < 20, "{shown}");
    assert_eq!(shown.matches("Nov 2026 13:31:55").count(), 5, "five ticks\n{shown}");
    hand.keys("j");
    assert!(
        hand.text().contains("404 no such tenant") && hand.text().contains("deploy !"),
        "{}",
        hand.text()
    );
    hand.keys("j");
    let shown = hand.text();
    assert!(shown.contains("token = ••• set") && shown.contains("pin = not set"), "{shown}");
    hand.keys("kkkkkky");
    assert_eq!(hand.copied, ["https://hooks.example/in/8Zk2mPq0xT4nBv7sLw1RvQ"]);
    hand.keys("jjjjjo3");
    assert_eq!(hand.app.runs.opened.as_deref(), Some(id(1).as_str()), "the run of the deploy flow");
}

/// What a deploy of the draft would do.
pub fn deploy_plan() -> Answer {
    let lines = [
        "acme-erp v15 would go live instead of v14",
        "1 line differs from v14, which is live",
        "runs under way (49) keep v14; a retry moves its run to v15",
        "also runs Initialization (deploy): 2 real requests",
    ];
    Answer::Done(pointsman::model::ask::Done { lines: lines.map(str::to_owned).to_vec(), refused: false })
}

#[test]
fn versions_are_compared_deployed_and_gone_back_to() {
    let mut hand = Hand::new(120, 35);
    hand.keys("5D");
    keep("dialog_deploy_120x35", &hand);
    // The back-test is made beside it, over another time where that is wanted, and left with it.
    let tested = |hand: &Hand| -> Vec<i64> {
        let since = |ask: &Ask| match ask {
            Ask::Study(Study::BackTest(asked)) if asked.before.is_none() => Some(asked.since),
            _ => None,
        };
        hand.asked.iter().filter_map(since).collect()
    };
    assert_eq!(tested(&hand), [DAY]);
    hand.keys("<up><right>");
    assert_eq!(tested(&hand), [DAY, 7 * DAY]);
    assert!(hand.text().contains("back-test 7d: "), "{}", hand.text());
    hand.keys("<down>fix<enter>");
    let deploys: Vec<_> =
        hand.asked.iter().filter(|ask| matches!(ask, Ask::Deploy { dry_run: false, .. })).collect();
    let [Ask::Deploy { name, seen, reason, .. }] = deploys[..] else { panic!("{deploys:?}") };
    assert_eq!((name.as_str(), *seen, reason.as_deref()), ("acme-erp", Some(15), Some("fix")));
    hand.keys("<tab><tab>j");
    let shown = hand.text();
    assert!(shown.contains("v13 → v14"), "the live one and what it took the place of\n{shown}");
    hand.keys("D");
    assert!(hand.text().contains("deploy is not possible: v14 is live"), "{}", hand.text());
    hand.keys("jD");
    assert!(hand.text().contains("Roll acme-erp back to v13"), "{}", hand.text());
    hand.keys("<enter>");
    let back = |ask: &&Ask| matches!(ask, Ask::Rollback(order) if !order.dry_run && order.version == 13);
    assert_eq!(hand.asked.iter().filter(back).count(), 1);
    hand.keys("<space>kk<space>");
    assert!(hand.text().contains("v13 → v15"), "{}", hand.text());
    hand.keys("<enter>");
    assert!(hand.text().contains("acme-erp v15 · "), "{}", hand.text());
    hand.keys("<esc>");
    // Another integration without a draft.
    hand.keys("5GkkD");
    assert!(
        hand.text().contains("deploy is not possible: v3 is live and there is no draft"),
        "{}",
        hand.text()
    );
    hand.keys("P");
    assert!(
        hand.asked.iter().any(|ask| matches!(ask, Ask::Integration { name } if name == "github")),
        "{:?}",
        hand.asked.last()
    );
}
