//! The shipped integrations are what they are meant to be: sound documents whose requests can be built.

use pointsman::demo::samples::{SAMPLES, Sample, new_document};
use pointsman::model::document::{Integration, StepKind, Trigger};
use pointsman::model::path::walk;
use pointsman::model::request::RequestData;
use pointsman::model::run::StepState;
use pointsman::model::{FlowId, IntegrationId, Map};
use pointsman::rules::check::{Known, check};
use pointsman::rules::plan::Plan;
use pointsman::rules::template::{
    Context, StepData, build, fail_message, fixed_host, respond_answer, set_outputs, step_when, target,
    trigger_when,
};
use serde_json::{Value, json};
use std::sync::Arc;

#[expect(clippy::unwrap_used, reason = "a test ends where its sample is broken")]
fn document(name: &str, source: &str) -> Integration {
    let checked = check(source, &Known::default());
    assert_eq!(checked.problems, [], "{name}");
    checked.integration.unwrap()
}

fn context(integration: &Integration, payload: &Value) -> Context {
    let values = integration.variables.iter();
    let values: Map = values.filter_map(|v| Some((v.name.clone(), v.default.clone()?))).collect();
    Context {
        request: Some(Arc::new(RequestData {
            body: payload.clone(),
            headers: vec![
                ("x-request-id".into(), "6e1f".into()),
                ("content-type".into(), "application/json".into()),
            ],
            query: Map::new(),
            method: "POST".into(),
            path: String::new(),
            url: "http://127.0.0.1:7700/in/x".into(),
            content_type: "application/json".into(),
            id: "0199f2d4-0000-7000-8000-000000000001".into(),
            time: 1_795_008_715_000,
            from: "127.0.0.1".into(),
        })),
        config: Arc::new(values),
        ..Context::default()
    }
}

#[expect(clippy::unwrap_used, reason = "a test ends where its sample is broken")]
fn payloads(sample: &Sample, flow: &str) -> Vec<(&'static str, Value)> {
    let mine = sample.payloads.iter().filter(|(id, _, _)| *id == flow);
    mine.map(|(_, file, text)| (*file, serde_json::from_str(text).unwrap())).collect()
}

#[test]
fn every_sample_is_sound_and_every_payload_fits_its_flow() {
    assert!(SAMPLES.len() >= 6);
    for sample in SAMPLES {
        let integration = document(sample.name, sample.source);
        assert_eq!(integration.name, sample.name);
        for (id, file, _) in sample.payloads {
            assert!(
                integration.flows.iter().any(|flow| flow.id == *id),
                "{file} is for no flow of {}",
                sample.name
            );
        }
        for (index, flow) in integration.flows.iter().enumerate() {
            let payloads = payloads(sample, &flow.id);
            assert!(!payloads.is_empty(), "{}/{} has no payload", sample.name, flow.id);
            let plan = Plan::compile(IntegrationId(1), FlowId(1), 1, &integration, index).unwrap();
            for (file, payload) in payloads {
                run_through(&integration, &plan, file, &payload);
            }
        }
    }
}

/// Passes the trigger and builds every request of a flow, each step having succeeded before the next.
#[expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where its sample is broken")]
fn run_through(integration: &Integration, plan: &Plan, file: &str, payload: &Value) {
    let mut context = context(integration, payload);
    for path in &plan.required {
        assert!(walk(payload, path.rest()).is_some(), "{file} has no {path}");
    }
    assert_eq!(trigger_when(plan, &context), Ok(true), "{file}");
    if let (Trigger::Webhook(webhook), Some(dedup)) = (&plan.flow.trigger, &plan.dedup) {
        assert!(webhook.path.is_some());
        let body = |path: &&pointsman::model::path::Path| path.root() == "body";
        for path in dedup.fields.iter().filter(body) {
            assert!(walk(payload, path.rest()).is_some(), "{file} has no {path}");
        }
    }
    let mut sent = 0;
    for (index, step) in plan.flow.steps.iter().enumerate() {
        let place = format!("{file}, step {}", step.name);
        let holds = step_when(plan, index, &context).unwrap_or_else(|error| panic!("{place}: {error}"));
        let mut data = StepData::bare(StepState::Succeeded);
        match &step.kind {
            StepKind::Respond(_) => {
                respond_answer(plan, index, &context).unwrap_or_else(|error| panic!("{place}: {error}"));
            }
            StepKind::Request(exchange) | StepKind::Send(exchange) => {
                let outgoing =
                    build(plan, index, &context).unwrap_or_else(|error| panic!("{place}: {error}"));
                assert!(outgoing.url.starts_with("http://127.0.0.1:7790/"), "{place}: {}", outgoing.url);
                assert_eq!(
                    target(plan, index, &context).as_deref(),
                    Some("http://127.0.0.1:7790"),
                    "{place}"
                );
                assert_eq!(fixed_host(plan, index), None, "{place}: the demo must be able to set its target");
                if let Some(body) = &outgoing.body
                    && outgoing.headers.iter().any(|(_, value)| value == "application/json")
                {
                    let _: Value = serde_json::from_slice(body).unwrap();
                }
                sent += usize::from(holds);
                data.status = Some(200);
                data.outputs =
                    Some(exchange.outputs.iter().map(|(name, _)| (name.clone(), json!("o-1"))).collect());
                data.body = Some(json!({"id": "o-1"}));
            }
            StepKind::Set(_) => {
                let outputs =
                    set_outputs(plan, index, &context).unwrap_or_else(|error| panic!("{place}: {error}"));
                data.outputs = Some(outputs);
            }
            StepKind::Fail { .. } => {
                assert!(!holds, "{place}: the payload of a sample does not fail");
                fail_message(plan, index, &context).unwrap_or_else(|error| panic!("{place}: {error}"));
            }
            StepKind::Delay(_) => {}
        }
        if !holds {
            data = StepData::bare(StepState::Skipped);
        }
        context.finish([(step.name.clone(), data)]);
    }
    assert!(sent > 0, "{file} sends nothing");
}

#[test]
fn an_order_becomes_the_event_that_was_meant() {
    let sample = SAMPLES.iter().find(|sample| sample.name == "shop-orders").unwrap();
    let integration = document(sample.name, sample.source);
    let plan = Plan::compile(IntegrationId(1), FlowId(1), 1, &integration, 0).unwrap();
    let (_, payload) = payloads(sample, "orders").remove(0);
    let mut context = context(&integration, &payload);
    let outputs = set_outputs(&plan, 0, &context).unwrap();
    let amounts = StepData { outputs: Some(outputs), ..StepData::bare(StepState::Succeeded) };
    context.finish([("amounts".to_owned(), amounts)]);
    let outgoing = build(&plan, 1, &context).unwrap();
    let event: Value = serde_json::from_slice(&outgoing.body.unwrap()).unwrap();
    let wanted = json!({
        "action": "order.placed",
        "label": "Order 2026-104511",
        "client": {"email": "ada@example.org", "language": "eng"},
        "params": {
            "order": "2026-104511",
            "source": "shop",
            "total": 17.4,
            "count": 2,
            "currency": "EUR",
            "products": payload["products"],
        },
    });
    assert_eq!(event.to_string(), wanted.to_string());
    assert_eq!(outgoing.left_out, ["json.params.coupon"]);
    assert!(outgoing.headers.contains(&("X-Request-ID".to_owned(), "6e1f".to_owned())));
}

#[test]
fn the_document_of_new_is_sound_under_any_name() {
    for name in ["acme-erp", "a", "2-fast"] {
        let integration = document(name, &new_document(name));
        assert_eq!(integration.name, name);
        let plan = Plan::compile(IntegrationId(1), FlowId(1), 1, &integration, 0).unwrap();
        let outgoing = build(&plan, 0, &context(&integration, &json!({"id": 1, "x": [true]}))).unwrap();
        assert_eq!(outgoing.body.as_deref(), Some(&br#"{"id":1,"data":{"id":1,"x":[true]}}"#[..]));
    }
}
