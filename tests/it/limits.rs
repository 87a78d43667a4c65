//! What the receiver bounds, through the real binary: rates, addresses, gzip, masks, lanes, pauses,
//! HTTPS, and senders that are slow on purpose.

mod deliveries;
mod lanes;
mod masks;
mod pauses;
mod senders;
mod together;

use crate::common::{Answer, House, call};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::Write as _;

const JSON: (&str, &str) = ("Content-Type", "application/json");

/// A document with one flow of these trigger keys and steps.
fn document(trigger: &str, steps: &str) -> String {
    format!(
        "name = \"shop\"\n[[flow]]\nid = \"orders\"\nname = \"Orders\"\n[flow.trigger]\ntype = \"webhook\"\n\
         path = \"orders\"\nauth = {{ type = \"none\" }}\n{trigger}\n{steps}\n"
    )
}

/// A step that posts the number of a request to a target.
fn push(target: &str, more: &str) -> String {
    format!(
        "[[flow.step]]\nname = \"push\"\ntype = \"request\"\nurl = \"{target}/push\"\n\
         json = {{ n = \"{{{{ request.body.n }}}}\" }}\n{more}\n"
    )
}

fn post(house: &House, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut all = vec![JSON];
    all.extend(headers);
    call(house.addr(), "POST", "/in/orders", &all, body).unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn newest(house: &House) -> Value {
    let rows = house.json(&["requests", "ls", "--limit", "1"]);
    house.json(&["requests", "show", rows[0]["id"].as_str().unwrap()])
}

#[test]
fn a_rate_is_used_up_by_sound_requests_alone() {
    let house = House::new();
    house.apply(&document("rate_limit = \"2/h\"\nmax_body = \"1KiB\"", ""));
    house.serve();
    for _ in 0..3 {
        assert_eq!(house.post("orders", "not json").status, 400);
        assert_eq!(house.post("orders", &"1".repeat(2_000)).status, 413);
    }
    assert_eq!(house.post("orders", "{}").status, 200);
    assert_eq!(house.post("orders", "{}").status, 200);
    let answer = house.post("orders", "{}");
    assert_eq!(answer.status, 429, "{answer:?}");
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=1_800).contains(&wait), "{wait}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(house.post("orders", "not json").status, 400, "what is broken is told so first");
    let stored = house.json(&["requests", "show", answer.header("pointsman-request-id").unwrap()]);
    assert_eq!((&stored["verdict"], &stored["status"]), (&json!("rejected"), &json!(429)));
    assert_eq!(stored["cause"], "over rate_limit 2/h");
}

#[test]
fn addresses_are_judged_by_what_trusted_proxies_say() {
    let house = House::new();
    house.configure("trusted_proxies = [\"127.0.0.0/8\", \"10.0.0.0/8\"]");
    house.apply(&document("allow_from = [\"203.0.113.0/24\", \"2001:db8::/32\"]\nmax_body = \"1KiB\"", ""));
    house.serve();
    let from = |lines: &[&str]| {
        let headers: Vec<_> = lines.iter().map(|line| ("X-Forwarded-For", *line)).collect();
        post(&house, &headers, b"{}")
    };
    let answer = from(&[]);
    assert_eq!(answer.status, 403, "{answer:?}");
    let stored = house.json(&["requests", "show", answer.header("pointsman-request-id").unwrap()]);
    assert_eq!(
        (&stored["from"], &stored["cause"]),
        (&json!("127.0.0.1"), &json!("127.0.0.1 is not in allow_from"))
    );
    for (lines, seen) in [
        (&["203.0.113.5"][..], "203.0.113.5"),
        (&["6.6.6.6, 203.0.113.5:4711, 10.1.2.3"], "203.0.113.5"),
        (&["6.6.6.6", " [2001:db8::7]:443 ", "10.0.0.1,10.0.0.2"], "2001:db8::7"),
    ] {
        assert_eq!(from(lines).status, 200, "{lines:?}");
        assert_eq!(newest(&house)["from"], seen, "{lines:?}");
    }
    for lines in [&["203.0.113.5, 6.6.6.6"][..], &["203.0.113.5, unknown"], &["203.0.113.5", ""]] {
        assert_eq!(from(lines).status, if lines.len() > 1 { 200 } else { 403 }, "{lines:?}");
    }
    let long = post(&house, &[], &[b'1'; 2_000]);
    assert_eq!(long.status, 403, "the address is judged before the length");
    let text = call(house.addr(), "POST", "/in/orders", &[("Content-Type", "text/plain")], b"x").unwrap();
    assert_eq!(text.status, 403, "and before the type");
    assert_eq!(
        call(house.addr(), "BREW", "/in/orders", &[], b"").unwrap().status,
        405,
        "but after the method"
    );
}

#[test]
fn gzip_is_expanded_under_the_same_bound_and_stored_so() {
    let house = House::new();
    house.apply(&document("max_body = \"4KiB\"\nrequired = [\"body.n\"]", ""));
    house.serve();
    let encoded = |name: &str, body: &[u8]| post(&house, &[("Content-Encoding", name)], body);
    for name in ["gzip", "GZip", "x-gzip"] {
        assert_eq!(encoded(name, &gzip(b"{\"n\": 1e0}")).status, 200, "{name}");
    }
    let stored = newest(&house);
    assert_eq!(
        (&stored["size"], &stored["body"]),
        (&json!(10), &serde_json::from_str::<Value>("{\"n\":1e0}").unwrap())
    );
    assert_eq!(stored["marks"], json!(["gzip"]));
    let fit = format!("{{\"n\":\"{}\"}}", "a".repeat(4_096 - 8));
    assert_eq!(encoded("gzip", &gzip(fit.as_bytes())).status, 200);
    let over = encoded("gzip", &gzip(format!(" {fit}").as_bytes()));
    assert_eq!(over.status, 413, "{over:?}");
    let bomb = gzip(&vec![b' '; 3 << 20]);
    assert!(bomb.len() < 4_096, "{}", bomb.len());
    let answer = encoded("gzip", &bomb);
    assert_eq!(
        (answer.status, &answer.json()["detail"]),
        (413, &json!("the body is over 4 KiB once expanded"))
    );
    let stored = newest(&house);
    assert!(stored["size"].as_u64().unwrap() <= 65_536);
    assert_eq!(stored["marks"], json!(["body_cut", "gzip"]));
    for (body, said) in [
        (b"{}".to_vec(), "no sound gzip"),
        (gzip(b"{\"n\":1}")[..20].to_vec(), "no sound gzip"),
        ([gzip(b"{\"n\":1}"), b"tail".to_vec()].concat(), "no sound gzip"),
        (gzip(b"{}"), "body.n is required and missing"),
        (gzip(b"nonsense"), "not JSON"),
    ] {
        let answer = encoded("gzip", &body);
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(answer.body.contains(said), "{answer:?}");
    }
    assert_eq!(
        encoded("gzip", &[gzip(b"{\"n\":"), gzip(b"1}")].concat()).status,
        200,
        "members are one body"
    );
    let answer = encoded("br", b"x");
    assert_eq!((answer.status, answer.header("accept-encoding")), (415, Some("gzip, identity")));
}

#[test]
fn a_removed_endpoint_is_gone_and_a_look_at_one_stores_nothing() {
    let house = House::new();
    house.apply(&document("", ""));
    house.serve();
    let look = |method: &str| call(house.addr(), method, "/in/orders", &[], b"").unwrap();
    assert_eq!((look("GET").status, look("HEAD").status), (200, 200));
    let options = look("OPTIONS");
    assert_eq!(
        (options.status, options.header("allow")),
        (204, Some("POST, PUT, PATCH, DELETE, GET, HEAD, OPTIONS"))
    );
    assert_eq!(house.json(&["requests", "ls"]), json!([]));
    house.apply(&document("methods = [\"GET\"]", ""));
    assert_eq!(look("GET").json()["state"], "succeeded", "a flow that lists GET takes it");
    assert_eq!(house.json(&["requests", "ls"])[0]["method"], "GET");
    let id = house.json(&["endpoints", "ls"])[0]["id"].as_str().unwrap().to_owned();
    house.run(&["remove", "shop", "--yes"]);
    for method in ["POST", "GET", "OPTIONS"] {
        let gone = call(house.addr(), method, &format!("/in/{id}"), &[JSON], b"").unwrap();
        assert_eq!(gone.status, 410, "{method}");
    }
    assert_eq!(look("POST").status, 410, "the alias too, until it is given out again");
}
