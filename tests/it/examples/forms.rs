//! A form goes whole to a service that answers in time, errors, or takes its time and calls back.

use super::super::common::call_back;
use super::{House, Target, begin, body, json, run_in, states, under, wait_for};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

const DOCUMENT: &str = r#"
name = "forms"
[[flow]]
name = "Submissions"
[flow.trigger]
type = "webhook"
path = "forms"
auth = { type = "none" }
[[flow.step]]
name = "file"
type = "send"
url = "URL/archive"
headers = { "Authorization" = "Basic Zm9ybXM6eA==" }
outputs = { number = "body.number" }
[[flow.step]]
name = "mail"
type = "request"
url = "URL/mail"
json = { number = "{{ steps.file.outputs.number }}", to = "{{ request.body.mail }}" }
"#;

/// A service whose answer to a form is told by the test.
fn service() -> (Target, Arc<AtomicU16>) {
    let status = Arc::new(AtomicU16::new(200));
    let now = status.clone();
    let target = Target::new(move |arrived| match arrived.path.as_str() {
        "/archive" => (now.load(Ordering::SeqCst), r#"{"number":"F-1"}"#.into()),
        _ => (200, "{}".into()),
    });
    (target, status)
}

#[test]
fn a_form_is_filed_in_time_retried_skipped_or_answered_later() {
    let (house, (service, status)) = (House::new(), service());
    house.apply(&DOCUMENT.replace("URL", &service.url()));
    house.serve();
    let form = |n: u32| json!({"n": n, "mail": "jo@example.org", "answers": [{"q": "why", "a": null}]});

    // In time.
    let run = begin(&house, "forms", &form(1));
    run_in(&house, &run, "succeeded");
    let sent = &under(&service, "/archive")[0];
    assert_eq!((body(sent), sent.header("authorization")), (form(1), Some("Basic Zm9ybXM6eA==")));
    assert!(sent.header("x-response-url").unwrap().contains("/callback/"));
    assert_eq!(body(&under(&service, "/mail")[0]), json!({"number": "F-1", "to": "jo@example.org"}));

    // An error stops it; a person retries, and the finished rest goes on.
    status.store(500, Ordering::SeqCst);
    let run = begin(&house, "forms", &form(2));
    let shown = run_in(&house, &run, "errored");
    assert_eq!(states(&shown), json!({"file": "errored", "mail": "pending"}));
    status.store(200, Ordering::SeqCst);
    house.run(&["runs", "retry", &run, "--reason", "the archive is back", "--yes"]);
    run_in(&house, &run, "succeeded");
    let keys: Vec<_> = under(&service, "/archive")
        .iter()
        .filter(|one| body(one) == form(2))
        .map(|one| {
            (
                one.header("idempotency-key").unwrap().to_owned(),
                one.header("pointsman-attempt").unwrap().to_owned(),
            )
        })
        .collect();
    let key = format!("{run}.file");
    assert_eq!(keys, [(key.clone(), "1".to_owned()), (key, "2".to_owned())]);

    // Or skips, with a stand-in for what the step would have given.
    status.store(500, Ordering::SeqCst);
    let run = begin(&house, "forms", &form(3));
    run_in(&house, &run, "errored");
    house.run(&[
        "runs",
        "skip",
        &run,
        "--stand-in",
        r#"{"number":"by hand"}"#,
        "--reason",
        "on paper",
        "--yes",
    ]);
    let shown = run_in(&house, &run, "succeeded_with_skips");
    assert_eq!(states(&shown), json!({"file": "skipped", "mail": "succeeded"}));
    assert_eq!(body(under(&service, "/mail").last().unwrap())["number"], "by hand");

    // 202: the run waits, over a kill, until the service calls back.
    status.store(202, Ordering::SeqCst);
    let waits = |n: u32| {
        let run = begin(&house, "forms", &form(n));
        run_in(&house, &run, "waiting");
        let url = under(&service, "/archive").last().unwrap().header("x-response-url").unwrap().to_owned();
        (run, url)
    };
    let (good, bad) = (waits(4), waits(5));
    house.kill();
    house.serve();
    assert_eq!(call_back(&good.1, Some("200"), r#"{"number":"F-4"}"#).status, 200);
    run_in(&house, &good.0, "succeeded");
    assert_eq!(body(under(&service, "/mail").last().unwrap())["number"], "F-4");
    assert_eq!(call_back(&bad.1, Some("500"), r#"{"why":"no paper"}"#).status, 200);
    let shown = run_in(&house, &bad.0, "errored");
    assert!(shown["cause"].as_str().unwrap().contains("500"), "{shown}");
    // Retried, the old URL is void, and the new one finishes it.
    house.run(&["runs", "retry", &bad.0, "--yes"]);
    let fresh = wait_for("the second request", || {
        let last = under(&service, "/archive").last()?.header("x-response-url")?.to_owned();
        (last != bad.1).then_some(last)
    });
    run_in(&house, &bad.0, "waiting");
    assert_eq!(call_back(&bad.1, None, "{}").status, 410);
    // A person may finish it as well.
    let callback = house.json(&["callbacks", "ls", "state:pending"])[0]["id"].as_str().unwrap().to_owned();
    house.run(&[
        "callbacks",
        "complete",
        &callback,
        "--status",
        "200",
        "--body",
        r#"{"number":"F-5"}"#,
        "--yes",
    ]);
    run_in(&house, &bad.0, "succeeded");
    assert_eq!(call_back(&fresh, None, "{}").status, 409);
}
