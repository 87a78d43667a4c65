//! Refusals of senders, and of what stands before the body.

use super::tests::of;
use super::*;
use crate::model::headers::Headers;
use crate::model::request::Verdict;
use crate::model::{FlowId, IntegrationId};
use crate::rules::check::{Known, check as checked};

/// 2026-11-18T13:31:55Z
const CAME: Ms = 1_795_008_715_000;

fn plan(trigger: &str) -> Plan {
    let text = format!(
        "name = \"shop\"\n[[flow]]\nid = \"o\"\nname = \"O\"\n[flow.trigger]\ntype = \"webhook\"\n{trigger}\n"
    );
    let checked = checked(&text, &Known::default());
    let integration = checked.integration.unwrap_or_else(|| panic!("{text}"));
    Plan::compile(IntegrationId(1), FlowId(1), 1, &integration, 0).unwrap()
}

struct Came<'a> {
    headers: &'a [(&'a str, &'a str)],
    body: &'a str,
    kept: Option<&'a str>,
}

const BARE: Came<'_> = Came { headers: &[], body: "{}", kept: None };

fn told(trigger: &str, status: u16, why: &str, request: &Came<'_>) -> Vec<Pair> {
    let plan = plan(trigger);
    let seed = Seed {
        flow: FlowId(1),
        version: 1,
        marks: Marks::default(),
        method: "DELETE".into(),
        path: String::new(),
        query: String::new(),
        headers: Headers::from_pairs(request.headers.iter().copied()),
        body: request.body.to_owned().into(),
        peer: None,
        actor: None,
        hops: 9,
    };
    let judged = Judged {
        verdict: Verdict::Rejected,
        status: Some(status),
        cause: Some(why),
        from: Some("203.0.113.9"),
        duplicate_of: None,
    };
    let case = Case { judged, arrived: CAME, seed: &seed, kept: request.kept, then: Some(&plan), live: None };
    autopsy(&case)
}

const STRIPE: &str = "auth = { type = \"signature\", provider = \"stripe\", keys = [\"live\"] }";

#[test]
fn a_signature_that_differs_is_told_with_what_was_signed_and_the_first_digit() {
    let kept = r#"{"scheme":"stripe","header":"Stripe-Signature","keys":["live"],"signed":"1795008712.",
        "bytes":41,"age":3,"tried":6,"likely":"the body matches after removing the final newline",
        "received":"v1=52c7a869","expected":"525","digit":3}"#;
    let body = "{\"id\":\"evt_1\",\"object\":\"event\"}\n";
    let came = Came { headers: &[("stripe-signature", "t=1795008712,v1=52c7a869")], body, kept: Some(kept) };
    let told_of =
        told(STRIPE, 401, "signature differs; the body matches after removing the final newline", &came);
    let labels: Vec<&str> = told_of.iter().map(|(label, _)| label.as_str()).collect();
    assert_eq!(labels, ["answered", "what", "likely", "do", "checks", "received", "expected", "signed"]);
    assert_eq!(of(&told_of, "answered"), "401 to 203.0.113.9; the sender was told nothing more");
    assert_eq!(
        of(&told_of, "what"),
        "Stripe-Signature does not match the body with key `live` (the only key)."
    );
    assert_eq!(
        of(&told_of, "likely"),
        "The body matches after removing the final newline: something between the sender and here changes the body."
    );
    assert!(of(&told_of, "do").contains("pass the bytes on untouched"));
    assert_eq!(
        of(&told_of, "checks"),
        "✓ key known   ✓ header present   ✓ time 3s old (limit 5m)   ✗ digest   · 6 usual slips tried, 1 fits"
    );
    assert_eq!(of(&told_of, "received"), "v1=52c7a869");
    assert_eq!(of(&told_of, "expected"), "v1=525   digit 3 is the first that differs; the rest is not shown");
    assert_eq!(of(&told_of, "signed"), "1795008712.{\"id\":\"evt_1\",\"object\":\"event\"}⏎   41 bytes");
    // Nothing was proved: nothing is guessed.
    let kept = r#"{"scheme":"stripe","header":"Stripe-Signature","keys":["live","old"],"signed":"1.","bytes":4,"age":-2,"tried":12}"#;
    let told_of = told(STRIPE, 401, "signature differs", &Came { kept: Some(kept), ..BARE });
    assert_eq!(of(&told_of, "likely"), "");
    assert!(of(&told_of, "what").ends_with("with any of the keys `live`, `old`."), "{told_of:?}");
    assert!(
        of(&told_of, "checks")
            .contains("✓ time 2s ahead (limit 5m)   ✗ digest   · 12 usual slips tried, none fits")
    );
}

#[test]
fn a_long_body_is_signed_from_its_beginning_to_its_end() {
    let body = format!("{{\"a\":\"{}\"}}\r\n", "x".repeat(500));
    let kept = r#"{"scheme":"github","header":"X-Hub-Signature-256","keys":["k"],"signed":"","bytes":510}"#;
    let trigger = "auth = { type = \"signature\", provider = \"github\", keys = [\"k\"] }";
    let told = told(trigger, 401, "signature differs", &Came { body: &body, kept: Some(kept), headers: &[] });
    let signed = of(&told, "signed");
    assert!(
        signed.starts_with("{\"a\":\"xxx")
            && signed.contains("xx…xxxx\"}")
            && signed.ends_with("   510 bytes"),
        "{signed}"
    );
    assert!(signed.chars().count() < 110, "{signed}");
}

#[test]
fn each_check_of_a_signature_before_the_digest_is_told() {
    let told_of = told(
        STRIPE,
        401,
        "Stripe-Signature is missing",
        &Came { headers: &[("x-hub-signature-256", "sha256=00")], ..BARE },
    );
    assert_eq!(of(&told_of, "checks"), "✓ key known   ✗ Stripe-Signature is missing");
    assert_eq!(
        of(&told_of, "likely"),
        "It brings X-Hub-Signature-256, as `github` signs; the trigger's `auth` names the provider `stripe`."
    );
    let told_of = told(
        STRIPE,
        401,
        "Stripe-Signature is missing",
        &Came { headers: &[("stripe-signatur", "x")], ..BARE },
    );
    assert_eq!(
        (of(&told_of, "likely"), of(&told_of, "received")),
        ("", "stripe-signatur is there, Stripe-Signature is not")
    );
    // Old, and not accepted for it: the signature itself may be right, and is not told.
    let signature = "t=1795008295,v1=52c7a869";
    let told_of = told(
        STRIPE,
        401,
        "time is 7m old (limit 5m)",
        &Came { headers: &[("stripe-signature", signature)], ..BARE },
    );
    assert_eq!(of(&told_of, "checks"), "✓ key known   ✓ header present   ✗ time 7m old (limit 5m)");
    assert_eq!(of(&told_of, "received"), "signed at 2026-11-18T13:24:55Z");
    assert_eq!(of(&told_of, "expected"), "5m at most off from 2026-11-18T13:31:55Z");
    assert!(!format!("{told_of:?}").contains("52c7"));
    let told_of = told(STRIPE, 401, "there is no key `live`", &BARE);
    assert_eq!(of(&told_of, "checks"), "✗ a usable key");
    let cause = "X-Sig is not hex; it matches read as base64 with no prefix";
    let kept = r#"{"scheme":"hmac","header":"X-Sig","keys":["k"],"signed":"","bytes":2,"tried":13,"likely":"it matches read as base64 with no prefix"}"#;
    let trigger = "auth = { type = \"signature\", provider = \"hmac\", header = \"X-Sig\", algorithm = \"sha256\", encoding = \"hex\", keys = [\"k\"] }";
    let told_of = told(trigger, 401, cause, &Came { kept: Some(kept), ..BARE });
    assert_eq!(of(&told_of, "what"), "X-Sig is not hex.");
    assert!(of(&told_of, "likely").starts_with("It matches read as base64 with no prefix: "));
    assert!(
        of(&told_of, "do").contains("`encoding` and `prefix`")
            && of(&told_of, "checks").contains("✗ spelling")
    );
}

const JWT: &str =
    "auth = { type = \"jwt\", keys = [\"acme\"], iss = \"https://id.example\", aud = \"shop\" }";

#[test]
fn a_token_is_told_by_its_header_and_claims_and_the_check_that_failed() {
    let kept = r#"{"scheme":"jwt","alg":"HS256","kid":"acme","exp":"1795008701","iat":"1795008401","iss":"\"https://id.example\"","sub":"\"anna\""}"#;
    let told_of = told(JWT, 401, "exp passed 14s ago", &Came { kept: Some(kept), ..BARE });
    assert_eq!(
        of(&told_of, "checks"),
        "✓ key known   ✓ Authorization: Bearer   ✓ a signed token   ✓ algorithm   ✓ signature   ✓ claims   ✗ exp"
    );
    assert_eq!(of(&told_of, "token"), "alg HS256 · kid acme; itself it is not shown");
    assert_eq!(
        of(&told_of, "claims"),
        "exp 2026-11-18T13:31:41Z (14s before it came) · iat 2026-11-18T13:26:41Z (5m before it came) · \
         iss \"https://id.example\" · sub \"anna\""
    );
    assert_eq!(of(&told_of, "likely"), "");
    // Its own clock says that it was made after it came.
    let kept = r#"{"scheme":"jwt","alg":"HS256","exp":"1795009900","nbf":"1795009015","iat":"1795009015"}"#;
    let told_of = told(JWT, 401, "nbf is 5m ahead", &Came { kept: Some(kept), ..BARE });
    assert!(of(&told_of, "likely").starts_with("The sender's clock is 5m ahead of ours"), "{told_of:?}");
    let kept = r#"{"scheme":"jwt","alg":"HS256","exp":"1795009900","nbf":"1795008715000"}"#;
    let told_of = told(JWT, 401, "nbf is 56000y ahead", &Came { kept: Some(kept), ..BARE });
    assert_eq!(of(&told_of, "likely"), "nbf is in milliseconds: tokens count seconds.");
    let kept = r#"{"scheme":"jwt","alg":"HS256","exp":"1795009900","iss":"\"https://id.example/\""}"#;
    let told_of = told(
        JWT,
        401,
        "iss is \"https://id.example/\", not \"https://id.example\"",
        &Came { kept: Some(kept), ..BARE },
    );
    assert_eq!(of(&told_of, "likely"), "iss differs by the slash at its end alone.");
    assert_eq!(of(&told_of, "expected"), "iss \"https://id.example\"");
    assert!(of(&told_of, "checks").ends_with("✓ exp   ✗ iss"));
    let kept = r#"{"scheme":"jwt","alg":"RS256","sub":"\"anna\""}"#;
    let told_of =
        told(JWT, 401, "key `acme` is HS256, the token says RS256", &Came { kept: Some(kept), ..BARE });
    assert!(of(&told_of, "checks").ends_with("✓ a signed token   ✗ algorithm"));
    assert_eq!(of(&told_of, "claims"), "sub \"anna\"; nobody vouches for them");
    let told_of = told(JWT, 401, "Authorization is Basic, not Bearer", &BARE);
    assert_eq!(of(&told_of, "checks"), "✓ key known   ✗ Authorization: Bearer");
}

#[test]
fn what_stands_before_the_body_is_told_beside_what_was_expected() {
    let gated = "auth = { type = \"none\" }\nmethods = [\"POST\"]\nallow_from = [\"198.51.100.0/24\"]";
    let told_of = told(gated, 405, "DELETE is not in methods", &BARE);
    assert_eq!((of(&told_of, "received"), of(&told_of, "expected")), ("DELETE", "POST"));
    let forwarded = [("x-forwarded-for", "10.1.1.1, 198.51.100.7")];
    let told_of = told(gated, 403, "203.0.113.9 is not in allow_from", &Came { headers: &forwarded, ..BARE });
    assert!(
        of(&told_of, "likely").contains("203.0.113.9 is a proxy that is not in trusted_proxies"),
        "{told_of:?}"
    );
    assert_eq!(of(&told_of, "expected"), "from one of 198.51.100.0/24");
    let told_of = told(gated, 403, "203.0.113.9 is not in allow_from", &BARE);
    assert_eq!((of(&told_of, "likely"), of(&told_of, "checks")), ("", "✗ 203.0.113.9 in allow_from"));
    let told_of = told(gated, 508, "Pointsman-Hops is over 8: the request goes round in a loop", &BARE);
    assert_eq!((of(&told_of, "received"), of(&told_of, "expected")), ("Pointsman-Hops: 9", "at most 8"));
    let told_of = told(gated, 429, "over rate_limit 50/s", &BARE);
    assert!(of(&told_of, "checks").ends_with("✗ within 50/s"));
    let split = "auth = { type = \"none\" }\nsplit = \"body.records\"";
    let came = Came { body: "{\"records\":{}}", ..BARE };
    let told_of = told(split, 400, "body.records is split and no array", &came);
    assert_eq!(of(&told_of, "received"), "body.records is an object");
    // A cause that says it all has no more than its three lines.
    assert_eq!(told(gated, 503, "paused", &BARE).len(), 3);
}
