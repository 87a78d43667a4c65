//! Answers to questions about traffic.

use super::hand::{NOW, id};
use pointsman::model::ask::Plan;
use pointsman::model::request::Verdict;
use pointsman::model::run::RunState;
use pointsman::model::study::{
    AskedView, BackTest, BackTestChange, BackTestField, BackTestView, BegunView, CalledView, CaptureView,
    Change, FieldsView, FoundField, Judged, Rule, Sampled, SimulatedStep, SimulatedView, Studied, Study,
    Trial, Tried, WhatIfChange, WhatIfView,
};
use pointsman::model::time::rfc3339;
use pointsman::model::view::{FieldView, SentView};
use serde_json::{Value, json};

/// What a desk would find.
pub fn studied(study: &Study) -> Studied {
    let field = |path: &str, sample: Value, present, good| FoundField {
        path: path.to_owned(),
        types: vec![if sample.is_null() { "null" } else { "string" }.to_owned()],
        sample,
        present,
        distinct: present,
        unique: if good { 100 } else { 50 },
        good,
        not: None,
    };
    let found = FieldsView {
        requests: 2,
        copies: 0,
        copies_known: false,
        fields: vec![
            field("body.order_number", json!("10438"), 2, true),
            field("headers[\"x-request-id\"]", json!("b1a7-2c40-77e9"), 2, true),
            field("body.customer_email", json!("example@example.com"), 2, false),
            field("body.note", json!(null), 1, false),
        ],
        left_out: 0,
    };
    match study {
        Study::Capture { .. } | Study::Captured { .. } => Studied::Capture(CaptureView {
            integration: "shop-orders".to_owned(),
            flow: "Orders".to_owned(),
            url: "http://127.0.0.1:7700/in/8Zk2mPq0xT4nBv7sLw1RvQ".to_owned(),
            deployed: true,
            until: Some(rfc3339(NOW + 72_000)),
            after: id(599),
            found: match study {
                Study::Captured { .. } => found,
                _ => FieldsView::default(),
            },
        }),
        Study::Fields(_) => Studied::Fields(found),
        Study::Values(asked) => Studied::Values(super::facets::values(asked.before.is_none())),
        Study::Pinned { ids, pins } => Studied::Pinned {
            rows: ids.iter().map(|id| (id.clone(), super::facets::pinned(id, pins))).collect(),
        },
        Study::WhatIf(rule) => Studied::WhatIf(what_if(rule)),
        Study::Simulate(trial) => Studied::Simulated(Box::new(simulated(trial))),
        Study::Call(order) => Studied::Tried(if order.dry_run {
            Tried::Plan(Box::new(planned(
                "Really makes the call of event of shop-orders / Orders, with v4, the live version.",
            )))
        } else {
            Tried::Called(Box::new(called()))
        }),
        Study::TestRun(order) => Studied::Tried(if order.dry_run {
            Tried::Plan(Box::new(planned(
                "Really runs shop-orders / Orders, with v4, the live version, marked as a test.",
            )))
        } else {
            Tried::Begun(BegunView { request: id(599), runs: vec![id(591)] })
        }),
        Study::Samples { .. } => Studied::Samples {
            names: vec!["shop-orders-orders-d7fe00.json".to_owned(), "vat.json".to_owned()],
        },
        Study::BackTest(asked) => Studied::BackTested(back_tested(asked)),
        Study::SaveSample { .. } => {
            Studied::Saved { path: "/var/lib/pointsman/samples/shop-orders-orders-d7fe00.json".to_owned() }
        }
        Study::Drift { .. } => Studied::Drift { drifts: Vec::new() },
        Study::DriftOk { .. } => Studied::Done { lines: vec!["Took the badge away.".to_owned()] },
    }
}

fn planned(line: &str) -> Plan {
    Plan {
        count: 1,
        lines: vec![line.to_owned()],
        sends: Some(SentView {
            method: "POST".to_owned(),
            url: "https://events.example/event".to_owned(),
            headers: Vec::new(),
            body: Some(r#"{"no":10438}"#.to_owned()),
        }),
        ..Plan::default()
    }
}

/// A call that was answered.
fn called() -> CalledView {
    serde_json::from_value(json!({
        "integration": "shop-orders", "flow": "Orders", "version": 4, "step": "event", "success": true,
        "attempt": {
            "number": 1, "started": rfc3339(NOW), "elapsed_ms": 45, "outcome": "ok", "status": 200,
            "request": {"method": "POST", "url": "https://events.example/event",
                        "headers": [["content-type", "application/json"]], "body": "{\"no\":10438}"},
            "response": {"status": 200, "headers": [["server", "e"]], "body": "{\"id\":\"evt_1\"}", "cut": false, "binary": false},
            "cause": null, "left_out": [],
        },
        "outputs": {"id": "evt_1"},
    }))
    .unwrap()
}

/// 37 copies more, and one that would have been let through.
fn what_if(rule: &Rule) -> WhatIfView {
    let change = |n: u64| WhatIfChange {
        request: id(500 + n),
        time: rfc3339(NOW - 600_000 + 1_000 * i64::try_from(n).unwrap()),
        change: if n == 3 { Change::LetThrough } else { Change::Merged },
        duplicate_of: Some(id(400 + n)),
        fields: rule
            .fields
            .iter()
            .map(|path| FieldView { path: path.clone(), missing: false, value: json!(format!("A-{n}")) })
            .collect(),
    };
    WhatIfView {
        integration: "shop-orders".to_owned(),
        flow: "Orders".to_owned(),
        fields: rule.fields.clone(),
        window: "7d".to_owned(),
        from: "last".to_owned(),
        since: rfc3339(NOW - rule.since),
        requests: 1_000,
        no_dedup_key: 2,
        before: Judged { accepted: 999, duplicate: 1 },
        after: Judged { accepted: 963, duplicate: 37 },
        merged: 37,
        let_through: 1,
        changes: (0..38).map(change).collect(),
        stopped: None,
    }
}

/// Two steps, of which the second asks for what only the first one's answer has.
fn simulated(trial: &Trial) -> SimulatedView {
    let path = "steps.event.outputs.id";
    let given = trial.set.iter().find(|(other, _)| other == path).map(|(_, value)| value.clone());
    let step = |name: &str, body: Value, asks: Vec<AskedView>| SimulatedStep {
        name: name.to_owned(),
        kind: "request".to_owned(),
        runs: Some(true),
        cause: None,
        request: Some(SentView {
            method: "POST".to_owned(),
            url: format!("https://events.example/{name}"),
            headers: vec![
                ("content-type".to_owned(), "application/json".to_owned()),
                ("idempotency-key".to_owned(), format!("<run>.{name}")),
            ],
            body: Some(body.to_string()),
        }),
        blocked: None,
        left_out: Vec::new(),
        item_count: None,
        items: Vec::new(),
        asks,
        outputs: None,
        answer: None,
        until: None,
    };
    let asked = AskedView {
        field: "json.event".to_owned(),
        path: path.to_owned(),
        value: given.clone().unwrap_or(Value::Null),
        known: given.is_some(),
        from: given.as_ref().map(|_| "given".to_owned()),
    };
    // The draft writes the number of a stored request in another way.
    let number = match (&trial.sample, trial.draft) {
        (Sampled::Request(id), true) if id != "last" => json!("A-10438"),
        _ => json!(10438),
    };
    let event = given.clone().unwrap_or(json!("<steps.event.outputs.id>"));
    SimulatedView {
        integration: "shop-orders".to_owned(),
        flow: "Orders".to_owned(),
        version: if trial.draft { 5 } else { 4 },
        draft: trial.draft,
        request: Some(id(500)),
        verdict: Verdict::Accepted,
        cause: None,
        elements: None,
        element: None,
        steps: vec![
            step("event", json!({"email": "example@example.com", "no": number}), Vec::new()),
            step("thank", json!({"event": event, "to": "example@example.com"}), vec![asked]),
        ],
        end: RunState::Succeeded,
        end_cause: None,
        unknown: if given.is_some() { Vec::new() } else { vec![path.to_owned()] },
        not_touched: vec!["Stock".to_owned()],
        sent: false,
    }
}

/// Two parts, with a change each.
fn back_tested(asked: &BackTest) -> BackTestView {
    let first = asked.before.is_none();
    let (integration, live, draft) =
        if asked.flow == "acme-erp" { ("acme-erp", 14, 15) } else { ("shop-orders", 4, 5) };
    let change = BackTestChange {
        request: id(if first { 500 } else { 480 }),
        time: rfc3339(NOW - 60_000),
        flow: "Orders".to_owned(),
        verdict: Verdict::Accepted,
        fields: vec![BackTestField {
            element: None,
            step: Some("event".to_owned()),
            path: "body.no".to_owned(),
            before: json!(10438),
            after: json!("A-10438"),
        }],
        more: 0,
        unknown: Vec::new(),
    };
    BackTestView {
        integration: integration.to_owned(),
        live,
        draft,
        from: rfc3339(NOW - 86_400_000),
        looked: 100,
        left_out: Vec::new(),
        failing_alike: 0,
        changes: vec![change],
        next: first.then(|| id(490)),
        at: Some(rfc3339(NOW - 60_000)),
    }
}
