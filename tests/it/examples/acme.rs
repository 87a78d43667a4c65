//! One integration of three flows: two that sync, and one that registers their URLs at the other
//! side when it is deployed.

use super::super::common::post_to;
use super::{Arrived, House, Target, Value, body, ends, json, run_in, states, under, wait_for};

const DOCUMENT: &str = r#"
name = "acme"
title = "Acme ERP"

[[variable]]
name = "progix_url"
type = "url"
heading = "Progix"
help = "Where Progix listens"
default = "PROGIX"

[[variable]]
name = "progix_token"
type = "secret"
heading = "Progix"
required = true

[[variable]]
name = "acme_url"
type = "url"
heading = "Acme ERP"
default = "ACME"

[[variable]]
name = "region"
type = "choice"
options = ["eu", "us"]
default = "eu"

[[connection]]
name = "progix"
base_url = "{{ config.progix_url }}"
auth = { type = "bearer", token = "{{ config.progix_token }}" }
headers = { "X-Region" = "{{ config.region }}" }

[[flow]]
name = "Flow 1"
description = "Customer created or updated in Acme"
[flow.trigger]
type = "webhook"
auth = { type = "none" }
[[flow.step]]
name = "push"
type = "request"
connection = "progix"
method = "PUT"
url = "/customers/{{ request.body.id }}"
json = { name = "{{ request.body.name }}" }

[[flow]]
name = "Sync inventory"
[flow.trigger]
type = "webhook"
auth = { type = "none" }
[[flow.step]]
name = "push"
type = "request"
connection = "progix"
url = "/stock"
json = { sku = "{{ request.body.sku }}", pieces = "{{ request.body.pieces }}" }

[[flow]]
name = "Initialization"
[flow.trigger]
type = "deploy"
[[flow.step]]
name = "customers"
type = "request"
method = "PUT"
url = "{{ config.acme_url }}/webhooks/customers"
json = { url = "{{ webhook_urls['Flow 1'] }}" }
[[flow.step]]
name = "inventory"
type = "request"
method = "PUT"
url = "{{ config.acme_url }}/webhooks/inventory"
json = { url = "{{ webhook_urls['Sync inventory'] }}" }
"#;

/// The URL that was registered last.
fn registered(acme: &Target, what: &str) -> Option<String> {
    let all = under(acme, &format!("/webhooks/{what}"));
    Some(body(all.last()?)["url"].as_str()?.to_owned())
}

fn got(target: &Target) -> Vec<(String, String, Value)> {
    let one = |arrived: &Arrived| (arrived.method.clone(), arrived.path.clone(), body(arrived));
    target.arrived().iter().map(one).collect()
}

#[test]
fn flows_share_variables_register_themselves_and_are_tested_apart() {
    let (house, acme, progix) = (House::new(), Target::fine(), Target::fine());
    house.serve();
    let document = DOCUMENT.replace("PROGIX", &progix.url()).replace("ACME", &acme.url());
    let file = house.file("acme.toml", &document);
    let file = file.to_str().unwrap();
    // Without the required secret it stays a draft, and says what is missing.
    let told = ends(&house, 4, &["apply", file]);
    assert!(told.contains("set acme progix_token") && told.contains("deploy acme"), "{told}");
    assert_eq!(acme.arrived().len(), 0, "nothing is registered before it is deployed");
    let token = house.file("token", "s3cret-of-progix\n");
    house.run(&["set", "acme", "progix_token", "--secret-file", token.to_str().unwrap()]);
    house.run(&["deploy", "acme", "--yes"]);
    let urls = wait_for("both URLs to be registered", || {
        Some((registered(&acme, "customers")?, registered(&acme, "inventory")?))
    });
    assert_ne!(urls.0, urls.1);
    // Acme posts to what it was given; the secret is sent, and shown nowhere.
    let sent = post_to(&urls.0, &[], &json!({"id": 7, "name": "Ann"}).to_string());
    assert_eq!(sent.status, 200, "{sent:?}");
    run_in(&house, sent.json()["run"].as_str().unwrap(), "succeeded");
    assert_eq!(got(&progix), [("PUT".into(), "/customers/7".into(), json!({"name": "Ann"}))]);
    let arrived = &progix.arrived()[0];
    assert_eq!(arrived.header("authorization"), Some("Bearer s3cret-of-progix"));
    assert_eq!(arrived.header("x-region"), Some("eu"));
    assert!(!house.run(&["export", "acme"]).contains("s3cret"));
    // The other flow: its own URL, its own runs, the same variables.
    let sent = post_to(&urls.1, &[], &json!({"sku": "A-1", "pieces": 3}).to_string());
    run_in(&house, sent.json()["run"].as_str().unwrap(), "succeeded");
    assert_eq!(got(&progix)[1].2, json!({"sku": "A-1", "pieces": 3}));
    let count = |filter: &str| house.json(&["runs", "ls", filter]).as_array().unwrap().len();
    assert_eq!((count("flow:\"Flow 1\""), count("flow:\"Sync inventory\"")), (1, 1));
    // Renamed, its URL stays; a deploy registers it again under the same.
    let renamed = document
        .replace("name = \"Flow 1\"", "name = \"Sync customers\"\nwas = \"Flow 1\"")
        .replace("webhook_urls['Flow 1']", "webhook_urls['Sync customers']");
    house.file("acme.toml", &renamed);
    house.run(&["apply", file]);
    wait_for("the second registration", || (under(&acme, "/webhooks/inventory").len() == 2).then_some(()));
    assert_eq!(registered(&acme, "customers"), Some(urls.0.clone()));
    // Another customer is the same file under another name, with URLs and values of its own.
    ends(&house, 4, &["apply", file, "--as", "acme-north"]);
    house.run(&["set", "acme-north", "progix_token", "--secret-file", token.to_str().unwrap()]);
    house.run(&["set", "acme-north", "region=us"]);
    house.run(&["deploy", "acme-north", "--yes"]);
    let north = wait_for("its registration", || registered(&acme, "customers").filter(|url| *url != urls.0));
    let sent = post_to(&north, &[], &json!({"id": 8, "name": "Bo"}).to_string());
    let run = run_in(&house, sent.json()["run"].as_str().unwrap(), "succeeded");
    assert_eq!((&run["integration"], states(&run)), (&json!("acme-north"), json!({"push": "succeeded"})));
    assert_eq!(progix.arrived().last().unwrap().header("x-region"), Some("us"));
}

#[test]
fn a_deploy_flow_that_fails_is_an_errored_run_like_any_other() {
    let (house, progix) = (House::new(), Target::fine());
    let acme =
        Target::new(|arrived| (if arrived.path.ends_with("inventory") { 403 } else { 200 }, "{}".into()));
    house.serve();
    let document = DOCUMENT.replace("PROGIX", &progix.url()).replace("ACME", &acme.url());
    house.apply(&document.replace("required = true", ""));
    let run = wait_for("the run of the deploy to stop", || {
        house.json(&["runs", "ls", "state:errored"]).as_array().unwrap().first().cloned()
    });
    assert_eq!(run["flow"], "Initialization");
    let shown = run_in(&house, run["id"].as_str().unwrap(), "errored");
    assert_eq!(states(&shown), json!({"customers": "succeeded", "inventory": "errored"}));
    // The flows are live all the same.
    let endpoint = house.json(&["endpoints", "ls"])[0].clone();
    assert!(endpoint["url"].as_str().unwrap().contains("/in/"), "{endpoint}");
    // A person skips what cannot be done.
    house.run(&["runs", "skip", run["id"].as_str().unwrap(), "--reason", "registered by hand", "--yes"]);
    run_in(&house, run["id"].as_str().unwrap(), "succeeded_with_skips");
}
