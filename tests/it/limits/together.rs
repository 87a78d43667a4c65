//! What bounds a flow beside what lets senders in, splits and answers them.

use super::{document, gzip, post, push};
use crate::common::{House, Target, call, wait_for};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use std::fmt::Write as _;

const SECRET: &str = "correct-horse-battery-staple-0123456789";
const NUMBER: &str = "4111222233334444";

fn with_auth(auth: &str, trigger: &str, steps: &str) -> String {
    document(trigger, steps).replace("{ type = \"none\" }", auth)
}

fn signed(bytes: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(bytes);
    mac.finalize().into_bytes().iter().fold(String::from("sha256="), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[test]
fn a_signature_is_over_the_packed_bytes_and_strangers_use_up_no_rate() {
    let house = House::new();
    let secret = house.file("secret", SECRET);
    let file = secret.to_str().unwrap();
    house.run(&["key", "add", "hook", "--type", "signature", "--secret-file", file]);
    let auth = "{ type = \"signature\", provider = \"github\", keys = [\"hook\"] }";
    house.apply(&with_auth(auth, "rate_limit = \"2/h\"\nmax_body = \"1KiB\"", ""));
    house.serve();
    let packed = gzip(b"{\"n\": 1}");
    let send = |body: &[u8], signature: &str| {
        post(&house, &[("Content-Encoding", "gzip"), ("X-Hub-Signature-256", signature)], body).status
    };
    for _ in 0..3 {
        assert_eq!(send(&packed, &signed(b"{\"n\": 1}")), 401, "over what it expands to");
    }
    assert_eq!(send(b"no gzip", &signed(b"x")), 401, "the sender is judged before the gzip");
    assert_eq!(send(b"no gzip", &signed(b"no gzip")), 400);
    let large = gzip(&[b' '; 2_000]);
    assert_eq!(send(&large, &signed(b"x")), 401);
    assert_eq!(send(&large, &signed(&large)), 413);
    assert_eq!(send(&packed, &signed(&packed)), 200);
    assert_eq!(send(&packed, &signed(&packed)), 200);
    assert_eq!(send(&packed, &signed(b"x")), 401);
    assert_eq!(send(&packed, &signed(&packed)), 429);
}

#[test]
fn the_elements_of_split_requests_go_in_order_where_one_goes_at_a_time() {
    let target = Target::fine();
    let house = House::new();
    let step = push(&target.url(), "").replace("request.body.n", "record");
    house.apply(&document("concurrency = 1\nsplit = \"body\"", &step));
    house.serve();
    for first in [0, 20, 40] {
        let all: Vec<i64> = (first..first + 20).collect();
        assert_eq!(house.post("orders", &json!(all).to_string()).status, 200);
    }
    wait_for("sixty exchanges", || (target.arrived().len() == 60).then_some(()));
    let numbers = target
        .arrived()
        .into_iter()
        .map(|arrived| serde_json::from_str::<Value>(&arrived.body).unwrap()["n"].as_i64().unwrap());
    assert_eq!(numbers.collect::<Vec<_>>(), (0..60).collect::<Vec<_>>());
}

#[test]
fn masks_hide_what_senders_are_answered_and_leave_fingerprints() {
    let house = House::new();
    let secret = house.file("secret", SECRET);
    let file = secret.to_str().unwrap();
    house.run(&["key", "add", "shop", "--type", "api-key", "--secret-file", file]);
    let auth = "{ type = \"api_key\", keys = [\"shop\"], header = \"X-Shop-Key\" }";
    let answer = "[[flow.step]]\nname = \"answer\"\ntype = \"respond\"\nheaders = { X-Card = \"{{ request.body.card }}\" }\n\
                  json = { card = \"{{ request.body.card }}\" }\n";
    let masks = "mask = [\"body.card\", 'headers[\"x-pin\"]']\nreply = \"wait\"";
    house.apply(&with_auth(auth, masks, answer));
    house.serve();
    let headers = [super::JSON, ("X-Shop-Key", SECRET), ("Cookie", "sid=abcdef"), ("X-Pin", "pin-98765")];
    let body = json!({ "card": NUMBER }).to_string();
    let told = call(house.addr(), "POST", "/in/orders", &headers, body.as_bytes()).unwrap();
    assert_eq!((told.status, told.header("x-card")), (200, Some(NUMBER)), "its sender has it: {told:?}");
    let id = told.header("pointsman-request-id").unwrap().to_owned();
    let shown = house.told(&id);
    let text = shown.to_string();
    for secret in [NUMBER, SECRET, "abcdef", "pin-98765"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert_eq!(shown["answer"]["body"], "{\"card\":\"•••\"}");
    let line = |name: &str| {
        let all = shown["headers"].as_array().unwrap();
        let found = all.iter().find(|pair| pair[0].as_str().unwrap().eq_ignore_ascii_case(name)).unwrap();
        found[1].as_str().unwrap().to_owned()
    };
    assert_eq!(line("x-pin"), "•••");
    house.apply(&with_auth(auth, "reply = \"wait\"", answer));
    let plain = call(house.addr(), "POST", "/in/orders", &headers, b"{\"card\":\"5555\"}").unwrap();
    let plain = house.json(&["requests", "show", plain.header("pointsman-request-id").unwrap()]);
    for name in ["x-shop-key", "cookie"] {
        let same = plain["headers"].as_array().unwrap().iter().any(|pair| {
            pair[0].as_str().unwrap().eq_ignore_ascii_case(name) && pair[1].as_str() == Some(&line(name))
        });
        assert!(
            same && line(name).contains("•••"),
            "one fingerprint under masks and without: {}",
            line(name)
        );
    }
    assert!(!text.contains("headers.x-shop-key"), "a key's header is in no flat view");
}
