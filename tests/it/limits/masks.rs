//! Masked values are in no view, list, filter or copy, and reach the target all the same.

use super::{document, push};
use crate::capture::{capture, printed};
use crate::common::{House, Target, call, wait_for};
use crate::terminal::{RUN, Terminal};
use base64::Engine as _;
use serde_json::{Value, json};

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
    let answer =
        call(house.addr(), "POST", "/in/orders?key=key-55555&page=2", &headers, body.as_bytes()).unwrap();
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

const PIN: &str = "pin-98765";
const KEY: &str = "key-55555";

/// A flow with masks over body, headers and query whose requests were accepted, repeated, refused in
/// every way that quotes them, drifted, failed on their way out, and sent again by hand.
fn seeded(house: &House, target: &Target) -> (Vec<String>, Vec<String>) {
    let shown_by_steps = "headers = { X-Pin = '{{ request.headers[\"x-pin\"] }}' }\nretry = { attempts = 1 }";
    house.apply(&document(
        "mask = [\"body.card.number\", 'headers[\"x-pin\"]', \"query.key\"]\nrequired = [\"body.n\"]\n\
         dedup = { fields = [\"body.card.number\", 'headers[\"x-pin\"]', \"query.key\", \"body.n\"] }",
        &push(target.url().as_str(), shown_by_steps).replace("request.body.n", "request.body.card.number"),
    ));
    house.serve();
    let mut requests = Vec::new();
    let mut send = |body: &str, status: u16| {
        let headers = [super::JSON, ("X-Pin", PIN)];
        let url = format!("/in/orders?key={KEY}");
        let answer = call(house.addr(), "POST", &url, &headers, body.as_bytes()).unwrap();
        assert_eq!(answer.status, status, "{answer:?}");
        requests.push(answer.header("pointsman-request-id").unwrap().to_owned());
    };
    for n in 0..6 {
        send(&format!("{{\"n\":{n},\"card\":{{\"number\":{NUMBER}}}}}"), 200);
    }
    send(&format!("{{\"n\":0,\"card\":{{\"number\":{NUMBER}}}}}"), 204);
    send(&format!("{{\"n\":7,\"card\":{{\"number\":\"{NUMBER}\"}}}}"), 200);
    send(&format!("{{\"card\":{{\"number\":\"{NUMBER}\"}}}}"), 400);
    send(&format!("{{\"card\":{{\"number\":\"{NUMBER}\", oops {NUMBER}}}"), 400);
    house.run(&["requests", "replay", &requests[0], "--set", "body.n=90", "--yes"]);
    let runs = wait_for("all runs to stop", || {
        let runs = house.json(&["runs", "ls"]);
        let runs = runs.as_array().unwrap();
        let stopped = runs.iter().all(|run| run["state"] == "errored");
        (stopped && runs.len() == 8).then(|| runs.clone())
    });
    wait_for("the badge of the other type", || {
        (house.json(&["drift", "ls"]).as_array().unwrap().len() == 1).then_some(())
    });
    let text = |value: &Value| value["id"].as_str().unwrap().to_owned();
    let requests = house.json(&["requests", "ls"]).as_array().unwrap().iter().map(text).collect();
    (requests, runs.iter().map(text).collect())
}

fn refusing() -> Target {
    Target::new(|arrived| (500, format!("{{\"echo\": {:?}}}", arrived.body)))
}

fn hides(what: &str, text: &str) {
    for secret in [NUMBER, PIN, KEY] {
        assert!(!text.contains(secret), "{what}: {text}");
    }
}

#[test]
fn a_masked_value_is_in_nothing_that_the_command_line_prints() {
    let (house, target) = (House::new(), refusing());
    let (requests, runs) = seeded(&house, &target);
    let watched = capture(&house, &["shop/Orders", "--count", "1", "--for", "60s"]);
    let headers = [super::JSON, ("X-Pin", PIN)];
    let body = format!("{{\"n\":8,\"card\":{{\"number\":{NUMBER}}}}}");
    call(house.addr(), "POST", &format!("/in/orders?key={KEY}"), &headers, body.as_bytes()).unwrap();
    let found = printed(watched);
    assert_eq!(found["requests"], 1);
    hides("capture", &found.to_string());

    let lists: &[&str] = &[
        "requests ls",
        "requests ls --fold",
        "runs ls",
        "groups ls",
        "callbacks ls",
        "endpoints ls",
        "integrations ls",
        "integrations show shop",
        "audit ls",
        "drift ls",
        "doctor",
        "test shop/Orders --dedup body.card.number --since 7d",
        "test shop/Orders --dedup headers[\"x-pin\"],query.key --since 7d",
        "test shop/Orders --dedup",
    ];
    let mut commands: Vec<String> = lists.iter().map(|list| (*list).to_owned()).collect();
    for id in &requests {
        commands.extend(["show", "explain"].map(|verb| format!("requests {verb} {id}")));
        commands.push(format!("capture --request {id}"));
        commands.push(format!("requests replay {id} --dry-run"));
        commands.push(format!("requests readmit {id} --dry-run"));
    }
    for id in &runs {
        commands.push(format!("runs show {id}"));
        commands.extend(["retry", "skip", "abort"].map(|verb| format!("runs {verb} {id} --dry-run")));
    }
    let mut masked = 0;
    house.in_every_output(&commands, |command, text| {
        hides(command, text);
        masked += text.matches("•••").count();
    });
    assert!(masked > 100, "what is hidden is shown as hidden: {masked}");
    assert!(target.arrived().iter().all(|sent| sent.body.contains(NUMBER)), "targets get the value");
    hides("the server's own lines", &house.log());
}

#[test]
fn a_masked_value_is_on_no_screen_of_the_console() {
    let (house, target) = (House::new(), refusing());
    seeded(&house, &target);
    house.stop();
    let mut console = Terminal::start(&house.data(), RUN, 50, 160);
    console.expect("Requests");
    let (mut masked, mut seen) = (0, 0);
    let mut look = |keys: &str| {
        console.keys(keys);
        let text = console.settled();
        hides(keys, &text);
        masked += usize::from(text.contains("•••"));
        seen += 1;
    };
    // Every request with every view of it, and the dialogs that show a payload.
    look("2");
    for _ in 0..12 {
        for _ in 0..5 {
            look("v");
        }
        look("R");
        look("\x1b");
        look("k");
    }
    for keys in ["h", "l", "\r", "v", "v", "v", "v", "v", "C", "\x1b", "\x1b"] {
        look(keys);
    }
    // Every run, with what was sent and answered, and what its verbs would send.
    for keys in ["3", "v", "v", "\r", "j", "j", "\x1b", "v"] {
        look(keys);
    }
    for _ in 0..8 {
        for keys in ["\r", "\t", "j", "]", "\x1b", "r", "\x1b", "s", "\x1b", "R", "\x1b", "k"] {
            look(keys);
        }
    }
    for keys in ["1", "\t", "\t", "\t", "j", "j", "\r", "\x1b"] {
        look(keys);
    }
    assert!(seen > 150 && masked > 30, "{masked} of {seen}");
}
