use super::*;
use crate::model::query::Query;
use serde_json::json;

const NOW: Ms = 1_795_008_715_120;

fn data() -> RequestData {
    RequestData {
        body: json!({"total": 120.5, "name": "Grüße", "products": [{"name": "wax"}, {"name": "soap", "tags": ["x"]}]}),
        headers: vec![("x-a".into(), "1, 2".into()), ("authorization".into(), "Bearer s3cret".into())],
        query: json!({"source": "web"}).as_object().unwrap().clone(),
        method: "POST".into(),
        path: "a/b".into(),
        url: "http://127.0.0.1:7700/in/x/a/b".into(),
        content_type: "application/json".into(),
        id: "019a96f8-3d70-7000-8000-0000004be2c1".into(),
        time: NOW,
        from: "203.0.113.9".into(),
    }
}

fn request() -> RequestView {
    serde_json::from_value(json!({
        "id": "019a96f8-3d70-7000-8000-0000004be2c1", "time": "2026-11-18T13:31:55.120Z", "integration": "shop-orders",
        "flow": "Orders", "endpoint": "8Zk2", "method": "POST", "path": "a/b", "verdict": "duplicate", "status": 204,
        "cause": null, "dedup_key": "7f3a19", "duplicate_of": "019a96f8-3d70-7000-8000-00000090d7fe", "runs": [],
        "size": 1126, "actor": null, "from": "203.0.113.9", "test": false, "marks": ["repeated_keys"]
    }))
    .unwrap()
}

fn run() -> RunView {
    serde_json::from_value(json!({
        "id": "01a1edd1-3c70-7000-8000-0000005d7c31", "request": "019a96f8-3d70-7000-8000-0000004be2c1", "parent": null,
        "integration": "acme-erp", "flow": "Sync customers", "version": 14, "state": "errored",
        "cause": "push: 503 after 3 attempts", "started": "2026-11-18T13:12:03.120Z", "ended": null, "test": false,
        "steps": [
            {"name": "lookup", "type": "request", "state": "succeeded", "cause": null, "started": null, "ended": null,
             "outputs": {"id": 77, "deep": {"a": [1]}}, "attempts": [
                {"number": 1, "started": null, "elapsed_ms": 84, "outcome": "ok", "status": 200, "request":
                 {"method": "GET", "url": "http://progix/customers", "headers": [], "body": null},
                 "response": {"status": 200, "headers": [], "body": "{\"id\":77}", "cut": false}}]},
            {"name": "push", "type": "request", "state": "errored", "cause": "503", "started": null, "ended": null,
             "outputs": null, "attempts": [
                {"number": 1, "started": null, "elapsed_ms": 45, "outcome": "transient", "status": 503, "request": null, "response": null},
                {"number": 2, "started": null, "elapsed_ms": 41, "outcome": "transient", "status": 503, "request": null, "response": null}]}
        ]
    }))
    .unwrap()
}

fn passes(row: &dyn Row, filter: &str) -> bool {
    Query::parse(filter, NOW).unwrap().matches(row)
}

#[test]
fn requests_are_judged_by_names_paths_and_words() {
    let (view, data) = (request(), data());
    let row = RequestRow { view: &view, data: Some(&data) };
    for filter in [
        "verdict:duplicate",
        "id:4be2c1",
        "request:4be2c1",
        "duplicate_of:90d7fe",
        "status:204",
        "size>1000",
        "test:false",
        "marks:repeated_keys",
        "since:1m",
        "body.total>100",
        "body.products[].name:wax",
        "body.products[].tags[]=x",
        "body.products[1].name=soap",
        "headers[\"X-A\"]:1",
        "query.source=web",
        "wax",
        "grüße",
        "web",
        "203.0.113",
        "120.5",
        "-state:errored",
        "from:203",
        "method:post",
        "path:a/b",
    ] {
        assert!(passes(&row, filter), "{filter}");
    }
    for filter in [
        "body.products[].name:oil",
        "s3cret",
        "headers.authorization:Bearer",
        "headers[\"Authorization\"]~.",
        "parent:4be2c1",
        "until:1s",
    ] {
        assert!(!passes(&row, filter), "{filter}");
    }
    let bare = RequestRow { view: &view, data: None };
    assert!(!passes(&bare, "body.total>100") && passes(&bare, "orders"));
}

#[test]
fn runs_are_judged_by_their_steps_too() {
    let (view, data) = (run(), data());
    let row = RunRow { view: &view, data: Some(&data) };
    for filter in [
        "state:errored",
        "run:5d7c31",
        "request:4be2c1",
        "version=14",
        "flow:\"Sync customers\"",
        "step.state:errored",
        "step:push",
        "step.name=lookup",
        "step.attempts>=2",
        "step.status:503",
        "step.outcome=transient",
        "step.type:request",
        "step.outputs.id=77",
        "step.outputs.deep.a[0]=1",
        "cause:503",
        "body.total>100",
        "progix/customers",
        "wax",
    ] {
        assert!(passes(&row, filter), "{filter}");
    }
    for filter in [
        "step.state:waiting",
        "step.attempts>2",
        "step.outputs.id>77",
        "step.outputs.none:1",
        "verdict:accepted",
    ] {
        assert!(!passes(&row, filter), "{filter}");
    }
}

#[test]
fn the_birth_of_a_run_is_in_its_id() {
    use crate::model::id::{IdKey, first_at};
    let text = IdKey::new([3; 16]).print(crate::model::RunId(first_at(NOW) + 99));
    assert_eq!(born(&text), NOW);
    assert_eq!(born("none"), 0);
}

#[test]
fn callbacks_and_audit_entries_are_judged_by_their_names() {
    let callback: CallbackView = serde_json::from_value(json!({
        "id": "019a96f8-3d70-7000-8000-000000a91c07", "run": "019a96f8-3d70-7000-8000-0000005d7c31", "step": "archive",
        "state": "expired", "deadline": "2026-11-18T13:10:02.000Z", "created": "2026-11-11T13:10:02.000Z", "received": null,
        "status": null, "flow": "Submissions", "overdue": true
    }))
    .unwrap();
    let row = CallbackRow(&callback);
    for filter in [
        "state:expired",
        "overdue:true",
        "run:5d7c31",
        "step:archive",
        "deadline<15m",
        "submissions",
        "callback:a91c07",
    ] {
        assert!(passes(&row, filter), "{filter}");
    }
    assert!(!passes(&row, "state:pending or status>100"));
    let audit: AuditView = serde_json::from_value(json!({
        "id": "x", "at": "2026-11-18T13:31:00.000Z", "who": "anna", "door": "console", "verb": "retry", "target": "run 5d7c31",
        "reason": null, "detail": "attempt 4"
    }))
    .unwrap();
    assert!(passes(&AuditRow(&audit), "who:anna verb:retry since:5m 5d7c31"));
    assert!(!passes(&AuditRow(&audit), "who:ben"));
}
