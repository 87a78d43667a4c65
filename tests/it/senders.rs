//! Senders of every scheme: a document with an endpoint for each, its keys, and what senders make of
//! them with code of their own.

use super::common::{Answer, House, call};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Sha256, Sha512};
use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

/// Of tokens, API keys and passwords.
pub const SECRET: &str = "correct-horse-battery-staple-0123456789";
/// Of signatures.
pub const WEBHOOK: &str = "whsec_Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ==";

/// An endpoint for each scheme.
pub const DOCUMENT: &str = r#"
name = "shop"
[[flow]]
name = "Jwt"
[flow.trigger]
type = "webhook"
path = "jwt"
auth = { type = "jwt", keys = ["acme", "next"] }
[[flow]]
name = "Strict"
[flow.trigger]
type = "webhook"
path = "strict"
auth = { type = "jwt", keys = ["acme"], iss = "https://id.example", aud = "shop" }
[[flow]]
name = "Api"
[flow.trigger]
type = "webhook"
path = "api"
auth = { type = "api_key", keys = ["api"], header = "X-Shop-Key" }
[[flow]]
name = "Basic"
[flow.trigger]
type = "webhook"
path = "basic"
auth = { type = "basic", keys = ["pw"] }
[[flow]]
name = "Standard"
[flow.trigger]
type = "webhook"
path = "standard"
auth = { type = "signature", provider = "standard", keys = ["hook"] }
[[flow]]
name = "Github"
[flow.trigger]
type = "webhook"
path = "github"
auth = { type = "signature", provider = "github", keys = ["hook"] }
[[flow]]
name = "Stripe"
[flow.trigger]
type = "webhook"
path = "stripe"
auth = { type = "signature", provider = "stripe", keys = ["hook"] }
[[flow]]
name = "Slack"
[flow.trigger]
type = "webhook"
path = "slack"
auth = { type = "signature", provider = "slack", keys = ["hook"] }
[[flow]]
name = "Shopify"
[flow.trigger]
type = "webhook"
path = "shopify"
auth = { type = "signature", provider = "shopify", keys = ["hook"] }
[[flow]]
name = "Hmac"
[flow.trigger]
type = "webhook"
path = "hmac"
auth = { type = "signature", provider = "hmac", keys = ["hook"], header = "X-Sig", algorithm = "sha512", encoding = "base64", prefix = "v=" }
[[flow]]
name = "Missing"
[flow.trigger]
type = "webhook"
path = "missing"
auth = { type = "jwt", keys = ["nobody"] }
"#;

/// Adds the keys of [`DOCUMENT`].
pub fn add_keys(house: &House) {
    let secret = house.file("secret", &format!("{SECRET}\n"));
    let hook = house.file("hook", WEBHOOK);
    let (secret, hook) = (secret.to_str().unwrap(), hook.to_str().unwrap());
    house.run(&["key", "add", "acme", "--algorithm", "HS256", "--secret-file", secret]);
    house.run(&["key", "add", "api", "--type", "api-key", "--secret-file", secret]);
    house.run(&["key", "add", "pw", "--type", "basic", "--user", "shop", "--secret-file", secret]);
    house.run(&["key", "add", "hook", "--type", "signature", "--secret-file", hook]);
}

/// A house with all keys and flows, serving.
pub fn house() -> House {
    let house = House::new();
    add_keys(&house);
    house.apply(DOCUMENT);
    house.serve();
    house
}

/// Seconds since 1970.
pub fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

/// HMAC-SHA-256 over the parts.
pub fn mac(secret: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

/// HMAC-SHA-512 of a body.
pub fn mac512(secret: &[u8], body: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha512>::new_from_slice(secret).unwrap();
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

/// In lower case.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The usual header of a token.
pub const HS256: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// A token by another program, signed with HMAC-SHA-256 whatever its header says.
pub fn token_by(secret: &[u8], header: &str, claims: &Value) -> String {
    let parts = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims.to_string()));
    format!("{parts}.{}", URL_SAFE_NO_PAD.encode(mac(secret, &[parts.as_bytes()])))
}

/// One with the key `acme`.
pub fn token(header: &str, claims: &Value) -> String {
    token_by(SECRET.as_bytes(), header, claims)
}

/// `v1,…` of Standard Webhooks, whose secret is decoded.
pub fn standard(secret: &[u8], id: &str, at: i64, body: &[u8]) -> String {
    let digest = mac(secret, &[id.as_bytes(), b".", at.to_string().as_bytes(), b".", body]);
    format!("v1,{}", STANDARD.encode(digest))
}

/// The secret of [`WEBHOOK`] as Standard Webhooks takes it.
pub fn decoded() -> Vec<u8> {
    STANDARD.decode(&WEBHOOK["whsec_".len()..]).unwrap()
}

/// Posts JSON with more headers.
pub fn post(house: &House, path: &str, headers: &[(&str, &str)], bytes: &[u8]) -> Answer {
    let json = [("Content-Type", "application/json")];
    let headers: Vec<(&str, &str)> = json.into_iter().chain(headers.iter().copied()).collect();
    call(house.addr(), "POST", &format!("/in/{path}"), &headers, bytes).unwrap()
}

/// 401, nothing told to the sender; the cause that is told to the operator.
pub fn refused(house: &House, answer: &Answer) -> String {
    assert_eq!(answer.status, 401, "{}", answer.body);
    assert!(answer.header("www-authenticate").is_some(), "{answer:?}");
    assert_eq!(answer.json(), json!({"type": "about:blank", "title": "Unauthorized", "status": 401}));
    let id = answer.header("pointsman-request-id").unwrap();
    let shown = house.json(&["requests", "show", id]);
    assert_eq!((&shown["verdict"], &shown["status"]), (&json!("rejected"), &json!(401)));
    shown["cause"].as_str().unwrap().to_owned()
}
