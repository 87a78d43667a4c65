//! Each scheme: what is let in, that a change of any byte is not, and the cause that is told.

use super::toy::{Toy, hmac};
use super::*;
use crate::model::auth::{Encoding, Hmac, Provider};
use crate::model::credential::{Algorithm, KeyKind, MacAlgorithm};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

mod bodies;

/// 2026-11-18T13:31:55Z.
const NOW: i64 = 1_795_008_715;
const SECRET: &[u8] = b"a secret of at least thirty-two bytes";

fn jwt_auth() -> Auth {
    Auth::Jwt { keys: vec!["acme".into()], iss: None, aud: None }
}

fn token(claims: &Value) -> String {
    let parts = jwt::draft(Algorithm::HS256, "acme", claims.as_object().unwrap());
    let key = Toy::new(KeyKind::Jwt(Algorithm::HS256), SECRET);
    format!("{parts}.{}", key.sign(&parts))
}

fn with(auth: &Auth, key: &Toy, headers: &[(&str, &str)], now: i64) -> Result<Option<Passed>, String> {
    let named = [Named { name: "acme", key: Some(key) }];
    let headers = Headers::from_pairs(headers.iter().copied());
    head(auth, &headers, &named, now * 1_000, &()).map_err(|denied| denied.cause)
}

fn bearer(auth: &Auth, token: &str) -> Result<Option<Passed>, String> {
    let key = Toy::new(KeyKind::Jwt(Algorithm::HS256), SECRET);
    with(auth, &key, &[("authorization", &format!("Bearer {token}"))], NOW)
}

fn claims(claims: &Value) -> Result<Option<Passed>, String> {
    bearer(&jwt_auth(), &token(claims))
}

#[test]
fn a_token_is_let_in_and_says_who() {
    let passed = claims(&json!({"exp": NOW + 60, "sub": "anna"})).unwrap().unwrap();
    assert_eq!(passed, Passed { key: "acme".into(), actor: Some("anna".into()) });
    let passed = claims(&json!({"exp": NOW + 60})).unwrap().unwrap();
    assert_eq!(passed.actor, None);
    let token = token(&json!({"exp": NOW + 60}));
    let key = Toy::new(KeyKind::Jwt(Algorithm::HS256), SECRET);
    for scheme in ["bearer", "BEARER", "Bearer  "] {
        let value = format!("{scheme} {token}");
        assert!(with(&jwt_auth(), &key, &[("Authorization", &value)], NOW).is_ok(), "{scheme}");
    }
}

#[test]
fn claims_are_judged_with_the_cause_that_is_told() {
    for (given, told) in [
        (json!({}), "exp is missing"),
        (json!({"exp": null}), "exp is missing"),
        (json!({"exp": "1795009999"}), "exp is no number"),
        (json!({"exp": true}), "exp is no number"),
        (json!({"exp": NOW - 30}), "exp passed 30s ago"),
        (json!({"exp": NOW - 44}), "exp passed 44s ago"),
        (json!({"exp": NOW - 420}), "exp passed 7m ago"),
        (json!({"exp": 0}), "exp passed"),
        (json!({"exp": -1.5e300}), "exp passed"),
        (json!({"exp": NOW + 60, "nbf": NOW + 31}), "nbf is 31s ahead"),
        (json!({"exp": NOW + 60, "nbf": "0"}), "nbf is no number"),
    ] {
        let cause = claims(&given).unwrap_err();
        assert!(cause.starts_with(told), "{given}: {cause}");
    }
    for given in [
        json!({"exp": NOW - 29}),
        json!({"exp": NOW as f64 - 29.5}),
        json!({"exp": NOW as f64 + 0.25, "nbf": NOW as f64 + 29.5}),
        json!({"exp": NOW + 60, "nbf": NOW + 30}),
        json!({"exp": 1e300}),
        json!({"exp": NOW + 60, "iat": NOW + 9_999, "iss": 7, "aud": {}}),
    ] {
        assert!(claims(&given).is_ok(), "{given}");
    }
}

#[test]
fn iss_and_aud_are_wanted_where_they_are_written() {
    let auth = Auth::Jwt { keys: vec!["acme".into()], iss: Some("i".into()), aud: Some("a".into()) };
    let judged = |more: Value| {
        let mut all = json!({"exp": NOW + 60});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        bearer(&auth, &token(&all))
    };
    assert!(judged(json!({"iss": "i", "aud": "a"})).is_ok());
    assert!(judged(json!({"iss": "i", "aud": ["b", "a"]})).is_ok());
    for (more, told) in [
        (json!({"aud": "a"}), "iss is missing"),
        (json!({"iss": "x", "aud": "a"}), "iss is \"x\", not \"i\""),
        (json!({"iss": ["i"], "aud": "a"}), "iss is [\"i\"], not \"i\""),
        (json!({"iss": "i"}), "aud is missing"),
        (json!({"iss": "i", "aud": "A"}), "aud is \"A\", not \"a\""),
        (json!({"iss": "i", "aud": ["b"]}), "aud is [\"b\"], not \"a\""),
        (json!({"iss": "i", "aud": [["a"]]}), "aud is [[\"a\"]], not \"a\""),
    ] {
        assert_eq!(judged(more).unwrap_err(), told);
    }
}

#[test]
fn the_algorithm_belongs_to_the_key() {
    let part = |value: &str| URL_SAFE_NO_PAD.encode(value);
    let body = part(&json!({"exp": NOW + 60}).to_string());
    let signed = |header: &str| {
        let parts = format!("{}.{body}", part(header));
        let key = Toy::new(KeyKind::Jwt(Algorithm::HS256), SECRET);
        bearer(&jwt_auth(), &format!("{parts}.{}", key.sign(&parts))).map(|_| ())
    };
    assert_eq!(signed(r#"{"alg":"HS256"}"#), Ok(()));
    for (header, told) in [
        (r#"{"alg":"RS256"}"#, "key `acme` is HS256, the token says RS256"),
        (r#"{"alg":"none"}"#, "key `acme` is HS256, the token says none"),
        (r#"{"alg":"None"}"#, "key `acme` is HS256, the token says None"),
        (r#"{"alg":"hs256"}"#, "key `acme` is HS256, the token says hs256"),
        (r#"{"alg":"HS512"}"#, "key `acme` is HS256, the token says HS512"),
        (r#"{"alg":["HS256"]}"#, "the token's header is no JSON object with one alg"),
        (r#"{"typ":"JWT"}"#, "the token's header is no JSON object with one alg"),
        (r#"{"alg":"none","alg":"HS256"}"#, "the token's header is no JSON object with one alg"),
        (r#"{"alg":"HS256","crit":["exp"]}"#, "the token has crit: extensions are not understood here"),
        (r#"{"alg":"HS256","crit":[]}"#, "the token has crit: extensions are not understood here"),
        (r#"{"alg":"HS256","crit":null}"#, "the token has crit: extensions are not understood here"),
        (r#"["HS256"]"#, "the token's header is no JSON object with one alg"),
    ] {
        assert_eq!(signed(header), Err(told.to_owned()), "{header}");
    }
    // Without its signature.
    let stripped = format!("{}.{body}.", part(r#"{"alg":"none"}"#));
    assert_eq!(bearer(&jwt_auth(), &stripped).unwrap_err(), "the token says none and is not signed");
}

#[test]
fn a_token_that_is_changed_cut_or_too_long_is_refused() {
    let good = token(&json!({"exp": NOW + 60, "sub": "anna"}));
    assert!(bearer(&jwt_auth(), &good).is_ok());
    for at in 0..good.len() {
        let mut changed = good.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(bearer(&jwt_auth(), &changed).is_err(), "byte {at}: {changed}");
        assert!(bearer(&jwt_auth(), &good[..at]).is_err(), "cut at {at}");
    }
    for odd in [format!("{good}="), format!("{good}.x"), format!(".{good}"), format!("{good}\u{e9}")] {
        assert!(bearer(&jwt_auth(), &odd).is_err(), "{odd}");
    }
    let padded = |len: usize| {
        let empty = token(&json!({"exp": NOW + 60, "x": ""}));
        let x = "y".repeat((len - empty.len()) / 4 * 3);
        token(&json!({"exp": NOW + 60, "x": x}))
    };
    let fits = padded(jwt::MAX_TOKEN);
    assert!(fits.len() <= jwt::MAX_TOKEN && fits.len() > jwt::MAX_TOKEN - 8, "{}", fits.len());
    assert!(bearer(&jwt_auth(), &fits).is_ok());
    assert_eq!(bearer(&jwt_auth(), &padded(jwt::MAX_TOKEN + 8)).unwrap_err(), "the token is over 8 KiB");
}

#[test]
fn there_is_exactly_one_authorization_of_the_right_scheme() {
    let key = Toy::new(KeyKind::Jwt(Algorithm::HS256), SECRET);
    let good = format!("Bearer {}", token(&json!({"exp": NOW + 60})));
    for (headers, told) in [
        (vec![], "Authorization is missing"),
        (vec![("authorization", &*good), ("Authorization", &*good)], "there is more than one Authorization"),
        (vec![("authorization", "Basic YTpi")], "Authorization is Basic, not Bearer"),
        (vec![("authorization", &good[7..])], "Authorization is not Bearer"),
        (vec![("authorization", "Bearer")], "the token is not three parts"),
    ] {
        assert_eq!(with(&jwt_auth(), &key, &headers, NOW).unwrap_err(), told);
    }
}

#[test]
fn keys_that_cannot_be_used_say_why() {
    let ask = |key: Option<&Toy>| {
        let named = [Named { name: "acme", key }];
        let headers = Headers::from_pairs([("authorization", "Bearer x")]);
        head(&jwt_auth(), &headers, &named, 0, &()).unwrap_err().cause
    };
    assert_eq!(ask(None), "there is no key `acme`");
    assert_eq!(ask(Some(&Toy::new(KeyKind::Basic, b"x"))), "key `acme` is for basic, not for jwt");
    let closed = Toy { closed: Some("it was changed"), ..Toy::new(KeyKind::ApiKey, b"x") };
    assert_eq!(ask(Some(&closed)), "key `acme` cannot be used: it was changed");
    // Another key does it.
    let good = Toy::new(KeyKind::Jwt(Algorithm::HS256), SECRET);
    let named = [Named { name: "old", key: None }, Named { name: "new", key: Some(&good) }];
    let value = format!("Bearer {}", token(&json!({"exp": NOW + 60})));
    let passed =
        head(&jwt_auth(), &Headers::from_pairs([("authorization", value)]), &named, NOW * 1_000, &());
    assert_eq!(passed.unwrap().unwrap().key, "new");
}

#[test]
fn api_keys_and_passwords() {
    let auth = Auth::ApiKey { keys: vec!["acme".into()], header: "X-Key".into() };
    let key = Toy::new(KeyKind::ApiKey, b"s3cret");
    let ask = |headers: &[(&str, &str)]| with(&auth, &key, headers, NOW);
    assert_eq!(ask(&[("x-key", "s3cret")]).unwrap().unwrap().actor.as_deref(), Some("acme"));
    for (headers, told) in [
        (vec![], "X-Key is missing"),
        (vec![("x-key", "")], "X-Key is empty"),
        (vec![("x-key", "s3cret"), ("x-key", "s3cret")], "there is more than one X-Key"),
        (vec![("x-key", "s3crex")], "no key matches"),
        (vec![("x-key", "S3cret")], "no key matches"),
        (vec![("api-key", "s3cret")], "X-Key is missing"),
    ] {
        assert_eq!(ask(&headers).unwrap_err(), told);
    }
    let auth = Auth::Basic { keys: vec!["acme".into()] };
    let key = Toy { user: "shop", ..Toy::new(KeyKind::Basic, b"pa:ss") };
    let ask = |value: &str| with(&auth, &key, &[("authorization", value)], NOW);
    let pair = |text: &str| format!("bAsIc {}", STANDARD.encode(text));
    assert_eq!(ask(&pair("shop:pa:ss")).unwrap().unwrap().actor.as_deref(), Some("shop"));
    for (value, told) in [
        (pair("shop:pa:sS"), "no key matches"),
        (pair("shoq:pa:ss"), "no key matches"),
        (pair("shoppa"), "user and password have no colon between them"),
        ("Basic ???".to_owned(), "user and password are not base64"),
        ("Bearer x".to_owned(), "Authorization is Bearer, not Basic"),
    ] {
        assert_eq!(ask(&value).unwrap_err(), told);
    }
}

fn sig_auth(provider: Provider) -> Auth {
    Auth::Signature { keys: vec!["acme".into()], provider }
}

fn judged(
    provider: &Provider,
    key: &Toy,
    headers: &[(String, String)],
    bytes: &[u8],
    now: i64,
) -> Result<(), Denied> {
    let named = [Named { name: "acme", key: Some(key) }];
    let headers = Headers::from_pairs(headers.iter().map(|(name, value)| (name, value)));
    body(&sig_auth(provider.clone()), &headers, bytes, &named, now * 1_000).map(|_| ())
}

fn providers() -> Vec<Provider> {
    let hmac = |encoding, prefix: &str| {
        Provider::Hmac(Hmac {
            header: "X-Sig".into(),
            algorithm: MacAlgorithm::Sha256,
            encoding,
            prefix: prefix.into(),
        })
    };
    vec![
        Provider::Standard,
        Provider::Github,
        Provider::Stripe,
        Provider::Slack,
        Provider::Shopify,
        hmac(Encoding::Hex, "sha256="),
        hmac(Encoding::Base64, ""),
        hmac(Encoding::Base64Url, "v="),
    ]
}

fn signed(provider: &Provider, key: &Toy, bytes: &[u8], at: i64) -> Vec<(String, String)> {
    signature::sign(provider, "msg_1", at, bytes, &|reading, algorithm, parts| {
        key.mac(reading, algorithm, parts)
    })
    .unwrap()
}

const BODY: &[u8] = br#"{"id": "evt_1", "n": 1.50}"#;

#[test]
fn a_signature_is_let_in_and_no_other_byte_of_body_time_id_or_secret() {
    for provider in providers() {
        let key = Toy::new(KeyKind::Secret, b"whsec_c2VjcmV0IG9mIGEgd2ViaG9vaw==");
        let headers = signed(&provider, &key, BODY, NOW);
        assert_eq!(judged(&provider, &key, &headers, BODY, NOW), Ok(()), "{provider:?}");
        for at in 0..BODY.len() {
            let mut changed = BODY.to_vec();
            changed[at] ^= 1;
            assert!(judged(&provider, &key, &headers, &changed, NOW).is_err(), "{provider:?} byte {at}");
        }
        assert!(judged(&provider, &key, &headers, b"", NOW).is_err());
        for at in 6..key.secret.len() - 2 {
            let mut other = key.secret.clone();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = Toy::new(KeyKind::Secret, &other);
            assert!(judged(&provider, &other, &headers, BODY, NOW).is_err(), "{provider:?} secret byte {at}");
        }
        for (which, (_, value)) in headers.iter().enumerate() {
            for at in 0..value.len() {
                let mut changed = headers.clone();
                let byte = value.as_bytes()[at];
                // Another digit, never the same one in another case.
                let other = if byte == b'7' { '8' } else { '7' };
                changed[which].1.replace_range(at..=at, &other.to_string());
                let denied = judged(&provider, &key, &changed, BODY, NOW);
                assert!(denied.is_err(), "{provider:?} {changed:?}");
            }
            let mut missing = headers.clone();
            let (name, _) = missing.remove(which);
            let cause = judged(&provider, &key, &missing, BODY, NOW).unwrap_err().cause;
            assert_eq!(cause, format!("{name} is missing"));
            let mut twice = headers.clone();
            twice.push(headers[which].clone());
            let cause = judged(&provider, &key, &twice, BODY, NOW).unwrap_err().cause;
            assert_eq!(cause, format!("there is more than one {name}"));
        }
    }
}

#[test]
fn a_signed_time_is_good_for_five_minutes_both_ways() {
    for provider in [Provider::Standard, Provider::Stripe, Provider::Slack] {
        let key = Toy::new(KeyKind::Secret, SECRET);
        let headers = signed(&provider, &key, BODY, NOW);
        for now in [NOW - 300, NOW, NOW + 300] {
            assert_eq!(judged(&provider, &key, &headers, BODY, now), Ok(()), "{provider:?} {now}");
        }
        let cause = |now| judged(&provider, &key, &headers, BODY, now).unwrap_err().cause;
        assert_eq!(cause(NOW + 301), "time is 301s old (limit 300s)");
        assert_eq!(cause(NOW + 420), "time is 7m old (limit 5m)");
        assert_eq!(cause(NOW - 420), "time is 7m ahead (limit 5m)");
    }
    for time in ["", "-1", "1e9", "1795008715.5", "9999999999999999"] {
        let headers = [
            ("x-slack-request-timestamp".to_owned(), time.to_owned()),
            ("x-slack-signature".to_owned(), "v0=00".to_owned()),
        ];
        let key = Toy::new(KeyKind::Secret, SECRET);
        let cause = judged(&Provider::Slack, &key, &headers, BODY, NOW).unwrap_err().cause;
        assert_eq!(cause, "X-Slack-Request-Timestamp is no number of seconds", "{time}");
    }
}

#[test]
fn any_of_several_signatures_will_do_up_to_a_bound() {
    let key = Toy::new(KeyKind::Secret, SECRET);
    let mut headers = signed(&Provider::Standard, &key, BODY, NOW);
    let good = headers[2].1.clone();
    let wrong = format!("v1,{}", STANDARD.encode(hmac(b"x", &[b"y"])));
    let mut list = |all: Vec<&str>| {
        headers[2].1 = all.join(" ");
        judged(&Provider::Standard, &key, &headers, BODY, NOW).map_err(|denied| denied.cause)
    };
    assert!(list(vec!["v9,abc", &wrong, &good]).is_ok());
    let many = |n: usize| std::iter::repeat_n(&*wrong, n - 1).chain([&*good]).collect::<Vec<&str>>();
    assert!(list(many(signature::MAX_PROOFS)).is_ok());
    assert!(list(many(signature::MAX_PROOFS + 1)).unwrap_err().contains("over 16 signatures"));
    assert_eq!(list(vec![&good[3..]]).unwrap_err(), "webhook-signature has neither v1 nor v1a");
    let misspelt = "what follows v1 or v1a in webhook-signature is not base64";
    for wrong in ["v1,!!!", "v1a,@@", "v1,", "v2,AAAA v1,?"] {
        assert_eq!(list(vec![wrong]).unwrap_err(), misspelt, "{wrong}");
    }
    let svix = [
        ("svix-id".to_owned(), headers[0].1.clone()),
        ("svix-timestamp".to_owned(), headers[1].1.clone()),
        ("svix-signature".to_owned(), good),
    ];
    assert_eq!(judged(&Provider::Standard, &key, &svix, BODY, NOW), Ok(()));
    let stripe = signed(&Provider::Stripe, &key, BODY, NOW);
    let rolled = format!("{},v1={}", stripe[0].1.replace(",v1=", ",v0=00,v1=00,v1="), "11".repeat(32));
    let rolled = [("stripe-signature".to_owned(), rolled)];
    assert_eq!(judged(&Provider::Stripe, &key, &rolled, BODY, NOW), Ok(()));
    let doubled = [("stripe-signature".to_owned(), format!("t=1,{}", stripe[0].1))];
    let cause = judged(&Provider::Stripe, &key, &doubled, BODY, NOW).unwrap_err().cause;
    assert_eq!(cause, "Stripe-Signature has t twice");
}

#[test]
fn of_an_expected_signature_no_digit_is_told_past_the_first_that_differs() {
    let key = Toy::new(KeyKind::Secret, SECRET);
    let mut headers = signed(&Provider::Stripe, &key, BODY, NOW);
    let right = headers[0].1.rsplit('=').next().unwrap().to_owned();
    let wrong = format!("{}{}{}", &right[..7], if &right[7..8] == "0" { "1" } else { "0" }, &right[8..]);
    headers[0].1 = headers[0].1.replace(&right, &wrong);
    let detail = judged(&Provider::Stripe, &key, &headers, BODY, NOW).unwrap_err().detail.unwrap();
    assert_eq!(detail["expected"], right[..8]);
    assert_eq!(
        (detail["digit"].as_i64(), detail["received"].as_str()),
        (Some(8), Some(&*format!("v1={wrong}")))
    );
    assert_eq!(detail["signed"], format!("{NOW}."));
    assert!(!detail.to_string().contains(&right[..9]), "{detail}");
}

#[test]
fn what_is_kept_of_a_token_is_never_the_token() {
    let token = token(&json!({"exp": NOW - 99, "sub": "anna"}));
    let key = Toy::new(KeyKind::Jwt(Algorithm::HS256), SECRET);
    let named = [Named { name: "acme", key: Some(&key) }];
    let headers = Headers::from_pairs([("authorization", format!("Bearer {token}"))]);
    let detail = head(&jwt_auth(), &headers, &named, NOW * 1_000, &()).unwrap_err().detail.unwrap();
    assert_eq!(
        (detail["alg"].as_str(), detail["kid"].as_str(), detail["sub"].as_str()),
        (Some("HS256"), Some("acme"), Some("\"anna\""))
    );
    for part in token.split('.') {
        assert!(!detail.to_string().contains(part));
    }
}
