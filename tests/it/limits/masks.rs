//! Masked values are in no view, list, filter or copy, and reach the target all the same.

use super::document;
use crate::common::{House, Target, wait_for};
use base64::Engine as _;
use serde_json::json;

const NUMBER: &str = "4111222233334444";

#[test]
fn a_masked_value_reaches_the_target_and_nobody_else() {
    let target = Target::new(|arrived| {
        let refuse = arrived.body.contains("refuse");
        (if refuse { 400 } else { 200 }, format!("{{\"echo\": {NUMBER}, \"token\": \"tok-{NUMBER}\"}}"))
    });
    let house = House::new();
    house.apply(&document(
        "mask = [\"body.card.number\", 'headers[\"x-pin\"]', \"query.key\"]\ndedup = { fields = [\"body.card.number\", \"body.n\"] }",
        &format!(
            "[[flow.step]]\nname = \"pay\"\ntype = \"request\"\nmethod = \"POST\"\n\
             url = \"{}/pay/{{{{ request.body.card.number }}}}\"\nheaders = {{ X-Card = \"{{{{ request.body.card.number }}}}\" }}\n\
             json = {{ card = \"{{{{ request.body.card.number }}}}\", why = \"{{{{ request.body.why }}}}\", pin = '{{{{ request.headers[\"x-pin\"] }}}}' }}\n\
             outputs = {{ token = \"body.token\", echo = \"body.echo\" }}\n\
             [[flow.step]]\nname = \"no\"\ntype = \"fail\"\nmessage = \"no budget for {{{{ request.body.card.number }}}}\"\n",
            target.url()
        ),
    ));
    house.serve();
    let body =
        format!("{{\"n\": 1, \"card\": {{\"number\": {NUMBER}, \"exp\": \"12/30\"}}, \"why\": \"go\"}}");
    let headers = [super::JSON, ("X-Pin", "pin-98765")];
    let answer = crate::common::call(
        house.addr(),
        "POST",
        "/in/orders?key=key-55555&page=2",
        &headers,
        body.as_bytes(),
    )
    .unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let (request, run) = (
        answer.json()["request"].as_str().unwrap().to_owned(),
        answer.json()["run"].as_str().unwrap().to_owned(),
    );
    wait_for("the run to fail", || (house.json(&["runs", "show", &run])["state"] == "failed").then_some(()));
    let sent = target.arrived().remove(0);
    assert_eq!(sent.path, format!("/pay/{NUMBER}"));
    assert_eq!(
        sent.body,
        format!("{{\"card\":{NUMBER},\"why\":\"go\",\"pin\":\"pin-98765\"}}"),
        "kept for templates"
    );

    let shown = house.json(&["requests", "show", &request]);
    assert_eq!(shown["body"], json!({"n": 1, "card": {"number": "•••", "exp": "12/30"}, "why": "go"}));
    assert_eq!((&shown["query"]["key"], &shown["query"]["page"]), (&json!("•••"), &json!("2")));
    assert_eq!(shown["flat"]["body.card.number"], "•••");
    let raw = base64::engine::general_purpose::STANDARD.decode(shown["raw"].as_str().unwrap()).unwrap();
    assert_eq!(
        String::from_utf8(raw).unwrap(),
        body.replace(NUMBER, "\"•••\""),
        "the other bytes as they came"
    );
    let all: &[&[&str]] = &[
        &["requests", "show", &request],
        &["requests", "ls"],
        &["requests", "explain", &request],
        &["runs", "show", &run],
        &["runs", "ls"],
        &["groups", "ls"],
        &["runs", "retry", &run, "--dry-run"],
        &["requests", "replay", &request, "--dry-run"],
    ];
    for command in all {
        for output in ["text", "json"] {
            let mut args = command.to_vec();
            args.extend(["--output", output]);
            let ran = house.try_run(&args);
            let text = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
            for secret in [NUMBER, "pin-98765", "key-55555"] {
                assert!(!text.contains(secret), "{args:?}: {text}");
            }
        }
    }
    assert!(!house.log().contains(NUMBER), "{}", house.log());
    let run = house.json(&["runs", "show", &run]);
    assert_eq!(run["cause"], "no budget for •••");
    assert_eq!(run["steps"][0]["outputs"], json!({"token": "tok-•••", "echo": "•••"}));

    for filter in [NUMBER, "body.card.number:4111", "pin-98765", "key-55555", "query.key:55555"] {
        for list in ["requests", "runs"] {
            assert_eq!(house.json(&[list, "ls", filter]), json!([]), "{list} {filter}");
        }
    }
    assert_eq!(house.json(&["requests", "ls", "body.n:1", "body.card.exp:12"]).as_array().unwrap().len(), 1);

    // Whoever takes the mask away again sees later requests alone.
    house.apply(&document("", ""));
    assert_eq!(house.json(&["requests", "show", &request])["body"]["card"]["number"], "•••");
}

#[test]
fn what_was_refused_is_masked_too_and_a_later_mask_counts_for_earlier_requests() {
    let house = House::new();
    house.apply(&document("", ""));
    house.serve();
    let early = house.post("orders", &format!("{{\"card\":{{\"number\":\"{NUMBER}\"}}}}"));
    let early = early.json()["request"].as_str().unwrap().to_owned();
    assert_eq!(house.json(&["requests", "show", &early])["body"]["card"]["number"], NUMBER);
    house.apply(&document("mask = [\"body.card.number\"]", ""));
    assert_eq!(house.json(&["requests", "show", &early])["body"]["card"]["number"], "•••");
    let broken =
        house.post("orders", &format!("{{\"a\":1,\"card\":{{\"number\":\"{NUMBER}\"}},, \"{NUMBER}\"}}"));
    assert_eq!(broken.status, 400);
    let shown = house.json(&["requests", "show", broken.header("pointsman-request-id").unwrap()]);
    let raw = base64::engine::general_purpose::STANDARD.decode(shown["raw"].as_str().unwrap()).unwrap();
    let raw = String::from_utf8(raw).unwrap();
    assert!(raw.starts_with("{\"a\":1,\"card\":{\"number\":\"•••\"},") && raw.ends_with("•••"), "{raw}");
    assert!(!raw.contains(NUMBER), "{raw}");
    assert_eq!(house.json(&["requests", "ls", NUMBER]), json!([]));
}
