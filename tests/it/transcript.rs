//! What senders send and what they are answered, request by request: `transcript.txt`, run by `sh`
//! with the real curl against the real binary.

use super::common::House;
use super::senders::{
    DOCUMENT, HS256, SECRET, WEBHOOK, add_keys, decoded, hex, mac, mac512, now, standard, token, token_by,
};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::process::Command;

const TRANSCRIPT: &str = include_str!("transcript.txt");

/// Flows beside those of the schemes.
const MORE: &str = r#"
[[flow]]
name = "Orders"
[flow.trigger]
type = "webhook"
path = "orders"
auth = { type = "none" }
dedup = { fields = ["body.n"] }
required = ["body.email"]
when = "{{ request.body.type != 'sms' }}"
max_body = "1KiB"

[[flow]]
name = "Records"
[flow.trigger]
type = "webhook"
path = "records"
auth = { type = "none" }
split = "body.records"

[[flow]]
name = "Odd"
[flow.trigger]
type = "webhook"
path = "odd"
auth = { type = "none" }
when = "{{ request.body.type }}"

[[flow]]
name = "Pair"
[flow.trigger]
type = "webhook"
path = "pair"
auth = { type = "signature", provider = "standard", keys = ["hook", "pair"] }

[[flow]]
name = "Other"
[flow.trigger]
type = "webhook"
path = "other"
auth = { type = "jwt", keys = ["api"] }

[[flow]]
name = "Reads"
[flow.trigger]
type = "webhook"
path = "reads"
auth = { type = "none" }
methods = ["GET"]

[[flow]]
name = "Wait"
[flow.trigger]
type = "webhook"
path = "wait"
auth = { type = "api_key", keys = ["api"] }
reply = "wait"
timeout = "1s"
[[flow.step]]
name = "rest"
type = "delay"
for = "1h"
when = "{{ request.body.slow }}"
[[flow.step]]
name = "odd"
type = "set"
when = "{{ request.body.odd }}"
outputs = { x = "{{ error('no budget line') }}" }
[[flow.step]]
name = "full"
type = "fail"
when = "{{ request.body.full is defined }}"
status = 422
message = "Only {{ request.body.full }} left"
[[flow.step]]
name = "answer"
type = "respond"
when = "{{ request.body.ask is defined }}"
status = 201
headers = { X-Order = "{{ request.body.ask }}" }
json = { order = "{{ request.body.ask }}" }

[[flow]]
name = "Poll"
[flow.trigger]
type = "webhook"
path = "poll"
auth = { type = "basic", keys = ["pw"] }
reply = "poll"
timeout = "300ms"
[[flow.step]]
name = "rest"
type = "delay"
for = "1h"
when = "{{ request.body.slow }}"

[[flow]]
name = "Strictly"
[flow.trigger]
type = "webhook"
path = "strictly"
auth = { type = "none" }
reply = "wait"
timeout = "200ms"
on_timeout = "abort"
[[flow.step]]
name = "rest"
type = "delay"
for = "1h"
"#;

/// What the transcript's commands are given: tokens and signatures, as their senders make them.
fn variables(house: &House, pair: &Ed25519KeyPair) -> Vec<(&'static str, String)> {
    let at = now();
    let exp = json!({"exp": at + 600});
    let good = token(HS256, &exp);
    let none = token(r#"{"alg":"none"}"#, &exp);
    let body = br#"{"id":"evt_1"}"#;
    let raw = |claims: &str| {
        let parts = format!("{}.{}", URL_SAFE_NO_PAD.encode(HS256), URL_SAFE_NO_PAD.encode(claims));
        format!("{parts}.{}", URL_SAFE_NO_PAD.encode(mac(SECRET.as_bytes(), &[parts.as_bytes()])))
    };
    let stripe = |at: i64, body: &[u8]| {
        let digest = hex(&mac(WEBHOOK.as_bytes(), &[at.to_string().as_bytes(), b".", body]));
        format!("t={at},v1={digest}")
    };
    let slack = |at: i64| {
        let base = format!("v0:{at}:");
        format!("v0={}", hex(&mac(WEBHOOK.as_bytes(), &[base.as_bytes(), body])))
    };
    let digest = mac(WEBHOOK.as_bytes(), &[body]);
    let newline = [&body[..], b"\n"].concat();
    let origin = format!("http://{}", house.addr());
    let values = house.file("values.json", &format!("[{}1]", "1,".repeat(200_000)));
    vec![
        ("IN", format!("{origin}/in")),
        ("ORIGIN", origin),
        ("SECRET", SECRET.to_owned()),
        ("BIG", format!("{{\"a\":\"{}\"}}", "x".repeat(2_000))),
        ("DEEP", "[".repeat(129) + &"]".repeat(129)),
        ("WIDE", format!("X-Wide: {}", "x".repeat(17_000))),
        ("STRIPPED", none[..=none.rfind('.').unwrap()].to_owned()),
        ("NONE", none),
        ("SWAPPED", token(r#"{"alg":"RS256"}"#, &exp)),
        ("FOREIGN", token_by(b"another key", HS256, &exp)),
        ("EXPIRED", token(HS256, &json!({"exp": at - 420}))),
        ("EARLY", token(HS256, &json!({"exp": at + 600, "nbf": at + 450}))),
        ("ENDLESS", token(HS256, &json!({"sub": "anna"}))),
        ("OVERSIZED", token(HS256, &json!({"exp": at + 600, "x": "y".repeat(6_300)}))),
        ("CRIT", token(r#"{"alg":"HS256","crit":["exp"]}"#, &exp)),
        ("TWICE", raw(r#"{"exp":9999999999,"exp":9999999999}"#)),
        ("NEVER", token(HS256, &json!({"exp": "never"}))),
        ("CHANGED", format!("{}{}", &good[..good.len() - 4], "AAAA")),
        ("GOOD", good),
        ("ISSUED", token(HS256, &json!({"exp": at + 600, "iss": "https://id.example", "aud": "shop"}))),
        ("ELSEWHERE", token(HS256, &json!({"exp": at + 600, "iss": "https://id.example", "aud": "till"}))),
        ("AT", at.to_string()),
        ("LATER", (at + 1).to_string()),
        ("TOMORROW", (at + 90_000).to_string()),
        ("MANY", "v1,AAAA ".repeat(65)),
        ("VALUES", values.to_str().unwrap().to_owned()),
        ("LONG_AGO", (at - 420).to_string()),
        ("STANDARD", standard(&decoded(), "msg_1", at, body)),
        (
            "PAIR",
            format!(
                "v1a,{}",
                STANDARD.encode(pair.sign(format!("msg_1.{at}.{{\"id\":\"evt_1\"}}").as_bytes()))
            ),
        ),
        ("STANDARD_UNDECODED", standard(WEBHOOK.as_bytes(), "msg_1", at, body)),
        ("STANDARD_LONG_AGO", standard(&decoded(), "msg_1", at - 420, body)),
        ("STRIPE", stripe(at, body)),
        ("STRIPE_NEWLINE", stripe(at, &newline)),
        ("STRIPE_LONG_AGO", stripe(at - 420, body)),
        ("SLACK", slack(at)),
        ("GITHUB", format!("sha256={}", hex(&digest))),
        ("GITHUB_BARE", hex(&digest)),
        ("SHOPIFY", STANDARD.encode(&digest)),
        ("HMAC", format!("v={}", STANDARD.encode(mac512(WEBHOOK.as_bytes(), body)))),
    ]
}

/// Whether a text is as its pattern says, where `*` stands for anything.
fn like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut last = "";
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        last = part;
    }
    rest.is_empty() || pattern.ends_with('*') || (pattern.contains('*') && rest.ends_with(last))
}

struct Answer {
    status: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

fn run(command: &str, variables: &[(&str, String)]) -> Answer {
    let command = command.replacen("curl ", "curl -sS -i --max-time 30 ", 1);
    let output = Command::new("sh").args(["-c", &command]).envs(variables.iter().cloned()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "curl is needed (./tests/run installs it): {command}\n{said}");
    let text = String::from_utf8(output.stdout).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Answer { status, headers, body: body.trim_end().to_owned() }
}

#[test]
fn every_request_of_the_transcript_is_answered_as_written() {
    let house = House::new();
    add_keys(&house);
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let public = house.file("public", &format!("whpk_{}", STANDARD.encode(pair.public_key().as_ref())));
    house.run(&["key", "add", "pair", "--type", "signature", "--public-key", public.to_str().unwrap()]);
    house.apply(&format!("{DOCUMENT}{MORE}"));
    house.apply(
        "name = \"old\"\n[[flow]]\nname = \"Old\"\n[flow.trigger]\ntype = \"webhook\"\nauth = { type = \"none\" }\n",
    );
    house.serve();
    let shown = house.json(&["integrations", "show", "old"]);
    let old = shown["flows"][0]["url"].as_str().unwrap().to_owned();
    house.run(&["remove", "old", "--yes"]);
    let mut variables = variables(&house, &pair);
    variables.push(("OLD", old));
    let mut wrong = Vec::new();
    let mut requests = 0;
    let mut refusals: Vec<(String, String)> = Vec::new();
    for entry in TRANSCRIPT.split("\n\n").filter(|entry| entry.contains("$ curl ")) {
        let mut lines = entry.lines().filter(|line| !line.starts_with('#')).peekable();
        let mut command = lines.next().unwrap().trim_start_matches("$ ").to_owned();
        // A command goes on until the line of a status.
        let status = |line: &&str| line.len() >= 3 && line.as_bytes()[..3].iter().all(u8::is_ascii_digit);
        while let Some(more) = lines.next_if(|line| !status(line)) {
            command.push('\n');
            command.push_str(more);
        }
        requests += 1;
        let answer = run(&command, &variables);
        let wanted = lines.next().unwrap();
        let got = format!("{} {}", answer.status, answer.body);
        if !like(wanted, got.trim_end()) {
            wrong.push(format!("$ {command}\n  wanted {wanted}\n  got    {got}"));
        }
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            let got = if name == "cause" {
                let id = answer.header("pointsman-request-id").unwrap_or_default().to_owned();
                refusals.push((id, value.to_owned()));
                continue;
            } else {
                answer.header(name)
            };
            if !like(value, got.unwrap_or("-")) {
                wrong.push(format!("$ {command}\n  wanted {name}: {value}\n  got    {got:?}"));
            }
        }
        // What the next one may go on with.
        variables.retain(|(name, _)| !["LOCATION", "REQUEST"].contains(name));
        for (name, header) in [("LOCATION", "location"), ("REQUEST", "pointsman-request-id")] {
            variables.push((name, answer.header(header).unwrap_or_default().to_owned()));
        }
    }
    // Every refusal is kept with its exact cause; the senders of 401s were told none of it.
    let rows = house.json(&["requests", "ls", "verdict:rejected", "--limit", "0"]);
    let causes: std::collections::HashMap<&str, &Value> =
        rows.as_array().unwrap().iter().map(|row| (row["id"].as_str().unwrap(), &row["cause"])).collect();
    for (id, wanted) in &refusals {
        let got = causes.get(id.as_str()).and_then(|cause| cause.as_str());
        if !got.is_some_and(|got| like(wanted, got)) {
            wrong.push(format!("the cause of {id}\n  wanted {wanted}\n  got    {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(requests >= 117 && refusals.len() >= 72, "{requests} requests, {} refusals", refusals.len());
}
