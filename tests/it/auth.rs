//! Senders: who is let in by the real binary, what is kept of those who are not, and that no secret
//! lies open in the data folder.

use super::common::{House, vectors, wait_for};
use super::senders::{
    DOCUMENT, HS256, SECRET, WEBHOOK, decoded, hex, house, mac, now, post, refused, token, token_by,
};
use super::{common::Answer, common::call, senders};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pointsman::model::auth::{Auth, Provider};
use pointsman::model::credential::{Algorithm, KeyCheck as _, KeyKind, Named, Secret};
use pointsman::model::headers::Headers;
use pointsman::rules::verify::{body, jwt::Token};
use pointsman::vault::Vault;
use pointsman::vault::keys::{Key, NewKey};
use serde_json::{Value, json};
use std::path::Path;

#[test]
fn a_generated_key_makes_tokens_that_let_in() {
    let house = House::new();
    let out = house.try_run(&["key", "add", "acme", "--generate"]);
    assert!(out.status.success());
    let secret = String::from_utf8(out.stdout).unwrap();
    assert!(secret.trim().len() >= 43, "{secret}");
    house.apply(DOCUMENT);
    house.serve();
    let made = house.run(&["token", "--key", "acme", "--sub", "anna", "--ttl", "5m"]);
    let answer = post(&house, "jwt", &[("Authorization", &format!("Bearer {}", made.trim()))], b"{}");
    assert_eq!(answer.status, 200, "{}", answer.body);
    let id = answer.json()["request"].as_str().unwrap().to_owned();
    let shown = house.json(&["requests", "show", &id]);
    assert_eq!(shown["actor"], "anna");
    // A key that is added while the server runs is good at once, and so is its end.
    let next =
        house.json(&["key", "add", "next", "--algorithm", "hs512", "--generate", "--reason", "rotation"]);
    assert_eq!((next["algorithm"].as_str(), next["type"].as_str()), (Some("HS512"), Some("jwt")));
    let made = house.json(&["token", "--key", "next"]);
    assert_eq!((made["algorithm"].as_str(), made["key"].as_str()), (Some("HS512"), Some("next")));
    let value = format!("bEaReR {}", made["token"].as_str().unwrap());
    assert_eq!(post(&house, "jwt", &[("Authorization", &value)], b"{}").status, 200);
    wait_for("the time of the last use", || {
        let keys = house.json(&["key", "ls"]);
        keys.as_array().unwrap().iter().all(|key| key["used"].is_string()).then_some(())
    });
    let keys = house.json(&["key", "ls"]);
    assert_eq!(keys[0]["name"], "acme");
    assert_eq!(keys[0]["flows"], json!(["shop/Jwt", "shop/Strict"]));
    house.run(&["key", "rm", "next"]);
    assert_eq!(post(&house, "jwt", &[("Authorization", &value)], b"{}").status, 401);
    assert_eq!(house.try_run(&["token", "--key", "next"]).status.code(), Some(3));
    let audit = house.json(&["audit", "ls"]);
    let verbs: Vec<&str> =
        audit.as_array().unwrap().iter().map(|row| row["verb"].as_str().unwrap()).collect();
    assert_eq!(verbs, ["key rm", "token", "key add", "token", "apply", "key add"]);
    assert!(!audit.to_string().contains(secret.trim()));
    // The keys are there again after a restart.
    house.stop();
    house.serve();
    let made = house.run(&["token", "--key", "acme"]);
    let answer = post(&house, "jwt", &[("Authorization", &format!("Bearer {}", made.trim()))], b"{}");
    assert_eq!(answer.status, 200);
}

#[test]
fn tokens_that_are_not_let_in() {
    let house = house();
    let good = json!({"exp": now() + 600});
    let bearer = |token: &str| format!("Bearer {token}");
    let ask = |path: &str, value: &str| post(&house, path, &[("Authorization", value)], b"{}");
    assert_eq!(ask("jwt", &bearer(&token(HS256, &good))).status, 200);
    let foreign = token_by(b"another key", HS256, &good);
    let stripped = {
        let whole = token(r#"{"alg":"none"}"#, &good);
        whole[..=whole.rfind('.').unwrap()].to_owned()
    };
    let signed_none = token(r#"{"alg":"none"}"#, &good);
    let long = token(HS256, &json!({"exp": now() + 600, "x": "y".repeat(6_300)}));
    assert!(long.len() > 8_192);
    let claims = |claims: Value| token(HS256, &claims);
    for (token, told) in [
        (foreign, "no key matches"),
        (stripped, "the token says none and is not signed"),
        (signed_none, "key `acme` is HS256, the token says none"),
        (token(r#"{"alg":"RS256"}"#, &good), "key `acme` is HS256, the token says RS256"),
        (token(r#"{"alg":"HS512"}"#, &good), "key `acme` is HS256, the token says HS512"),
        (
            token(r#"{"alg":"HS256","crit":["exp"]}"#, &good),
            "the token has crit: extensions are not understood here",
        ),
        (long, "the token is over 8 KiB"),
        (claims(json!({"exp": now() - 420})), "exp passed 7m ago"),
        (claims(json!({"sub": "anna"})), "exp is missing"),
        (claims(json!({"exp": now() + 600, "nbf": now() + 450})), "nbf is 7m ahead"),
        (claims(json!({"exp": "never"})), "exp is no number"),
        ("x.y".to_owned(), "the token is not three parts"),
    ] {
        assert_eq!(refused(&house, &ask("jwt", &bearer(&token))), told);
    }
    assert_eq!(refused(&house, &post(&house, "jwt", &[], b"{}")), "Authorization is missing");
    let twice = bearer(&token(HS256, &good));
    let doubled = post(&house, "jwt", &[("Authorization", &twice), ("authorization", &twice)], b"{}");
    assert_eq!(refused(&house, &doubled), "there is more than one Authorization");
    let told = refused(&house, &ask("missing", &twice));
    assert_eq!(told, "there is no key `nobody`");
    let strict = |more: Value| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ask("strict", &bearer(&token(HS256, &claims)))
    };
    assert_eq!(strict(json!({"iss": "https://id.example", "aud": ["x", "shop"]})).status, 200);
    assert_eq!(refused(&house, &strict(json!({"aud": "shop"}))), "iss is missing");
    let told = refused(&house, &strict(json!({"iss": "https://id.example", "aud": "other"})));
    assert_eq!(told, "aud is \"other\", not \"shop\"");
    // The same answer whatever was wrong, and it is judged before the body and after the type.
    let (one, other) = (ask("jwt", "Bearer x.y.z"), ask("jwt", &bearer(&token(HS256, &json!({"exp": 1})))));
    let told = |answer: &Answer| (answer.body.clone(), answer.header("www-authenticate").map(str::to_owned));
    assert_eq!(told(&one), told(&other));
    assert_eq!(one.header("www-authenticate"), Some("Bearer realm=\"pointsman\""));
    assert_eq!(ask("jwt", "Bearer x").status, 401);
    assert_eq!(post(&house, "jwt", &[("Authorization", &twice)], b"no json").status, 400);
    let typed = call(house.addr(), "POST", "/in/jwt", &[("Content-Type", "text/plain")], b"x").unwrap();
    assert_eq!(typed.status, 415);
    assert_eq!(call(house.addr(), "GET", "/in/jwt", &[], b"").unwrap().status, 200, "a check needs no key");
    // Evidence without the token.
    let id = other.header("pointsman-request-id").unwrap();
    let explained = house.json(&["requests", "explain", id]);
    assert!(explained["told"].to_string().contains("alg HS256"), "{explained}");
}

#[test]
fn api_keys_and_passwords_let_in_and_are_never_shown() {
    let house = house();
    let api = |headers: &[(&str, &str)]| post(&house, "api", headers, b"{}");
    let answer = api(&[("X-Shop-Key", SECRET), ("Cookie", "session=s3ss10n-cookie")]);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let id = answer.json()["request"].as_str().unwrap().to_owned();
    let shown = house.run(&["requests", "show", &id, "--output", "json"]);
    assert!(!shown.contains(SECRET) && !shown.contains("s3ss10n"), "{shown}");
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let header = |name: &str| {
        let headers = shown["headers"].as_array().unwrap();
        headers.iter().find(|pair| pair[0] == name).unwrap()[1].as_str().unwrap().to_owned()
    };
    assert!(header("x-shop-key").starts_with("••• "), "{shown}");
    assert!(header("cookie").starts_with("••• "));
    assert!(
        shown["flat"].get("headers[\"x-shop-key\"]").is_none()
            && shown["flat"].get("headers.cookie").is_none()
    );
    let fingerprint = header("x-shop-key")["••• ".len()..].to_owned();
    for filter in [SECRET.to_owned(), fingerprint.clone(), format!("headers[\"x-shop-key\"]~{fingerprint}")] {
        assert_eq!(house.json(&["requests", "ls", &filter]), json!([]), "{filter}");
    }
    assert_eq!(refused(&house, &api(&[("X-Shop-Key", "wrong")])), "no key matches");
    assert_eq!(refused(&house, &api(&[("Api-Key", SECRET)])), "X-Shop-Key is missing");
    let told = refused(&house, &api(&[("X-Shop-Key", SECRET), ("X-Shop-Key", SECRET)]));
    assert_eq!(told, "there is more than one X-Shop-Key");

    let basic = |pair: &str| {
        post(&house, "basic", &[("Authorization", &format!("basic {}", STANDARD.encode(pair)))], b"{}")
    };
    let answer = basic(&format!("shop:{SECRET}"));
    assert_eq!(answer.status, 200);
    let id = answer.json()["request"].as_str().unwrap().to_owned();
    assert_eq!(house.json(&["requests", "show", &id])["actor"], "shop");
    for wrong in [format!("shop:{SECRET}x"), format!("shoq:{SECRET}"), "shop:".to_owned()] {
        let answer = basic(&wrong);
        assert_eq!(answer.header("www-authenticate"), Some("Basic realm=\"pointsman\", charset=\"UTF-8\""));
        assert_eq!(refused(&house, &answer), "no key matches");
    }
}

#[test]
fn signatures_let_in_and_say_what_differs() {
    let house = house();
    let body = br#"{"id": "evt_1", "total": 5.10}"#;
    let stripe = |signed: &[u8], sent: &[u8], at: i64| {
        let digest = hex(&mac(WEBHOOK.as_bytes(), &[at.to_string().as_bytes(), b".", signed]));
        post(&house, "stripe", &[("Stripe-Signature", &format!("t={at},v1={digest}"))], sent)
    };
    assert_eq!(stripe(body, body, now()).status, 200);
    let (other, at) = (br#"{"id": "evt_2", "total": 5.10}"#, now());
    let answer = stripe(body, other, at);
    assert_eq!(refused(&house, &answer), "signature differs");
    let id = answer.header("pointsman-request-id").unwrap();
    let explained = house.json(&["requests", "explain", id]);
    let printed = house.run(&["requests", "explain", id]);
    let expected = hex(&mac(WEBHOOK.as_bytes(), &[at.to_string().as_bytes(), b".", other]));
    for (label, told) in [
        ("what", "Stripe-Signature does not match the body with key `hook` (the only key)."),
        ("checks", "✗ digest   · "),
        ("expected", "is the first that differs; the rest is not shown"),
        ("signed", "evt_2"),
    ] {
        let all = explained["told"].as_array().unwrap();
        let line = all.iter().find(|pair| pair[0] == label).unwrap_or_else(|| panic!("{label}: {explained}"));
        assert!(line[1].as_str().unwrap().contains(told), "{line}");
        assert!(printed.contains(told), "{printed}");
    }
    assert!(
        !explained.to_string().contains(&expected[..12]) && !printed.contains(&expected[..12]),
        "{printed}"
    );
    // What is like it is counted, and its filter lists just that.
    let like = &explained["like"];
    assert_eq!((&like["count"], like["passed"]["verdict"].as_str()), (&json!(1), Some("accepted")));
    assert_eq!(house.json(&["requests", "ls", like["filter"].as_str().unwrap()])[0]["id"], json!(id));
    let newline = [&body[..], b"\n"].concat();
    let told = refused(&house, &stripe(body, &newline, now()));
    assert_eq!(told, "signature differs; the body matches after removing the final newline");
    assert_eq!(refused(&house, &stripe(body, body, now() - 420)), "time is 7m old (limit 5m)");
    assert_eq!(refused(&house, &stripe(body, body, now() + 421)), "time is 7m ahead (limit 5m)");
    assert_eq!(refused(&house, &post(&house, "stripe", &[], body)), "Stripe-Signature is missing");

    let github = |value: &str| post(&house, "github", &[("X-Hub-Signature-256", value)], body);
    let digest = hex(&mac(WEBHOOK.as_bytes(), &[body]));
    assert_eq!(github(&format!("sha256={digest}")).status, 200);
    let told = refused(&house, &github(&digest));
    assert_eq!(
        told,
        "X-Hub-Signature-256 does not begin with sha256=; it matches read as hex with no prefix"
    );

    // Standard Webhooks: the secret is decoded; used as it stands it is told.
    let standard = |secret: &[u8], prefix: &str| {
        let signature = senders::standard(secret, "msg_1", now(), body);
        let at = now().to_string();
        let names = ["id", "timestamp", "signature"].map(|name| format!("{prefix}-{name}"));
        post(&house, "standard", &[(&names[0], "msg_1"), (&names[1], &at), (&names[2], &signature)], body)
    };
    assert_eq!(standard(&decoded(), "webhook").status, 200);
    assert_eq!(standard(&decoded(), "svix").status, 200);
    let told = refused(&house, &standard(WEBHOOK.as_bytes(), "webhook"));
    assert_eq!(told, "signature differs; the secret matches as it stands, without decoding it");
}

#[test]
fn send_signs_as_each_endpoint_asks() {
    let house = house();
    let sample = house.file("sample.json", "{\"a\": 1.50}\n");
    let secret = house.file("again", SECRET);
    let (sample, secret) = (sample.to_str().unwrap(), secret.to_str().unwrap());
    for flow in ["Jwt", "Strict", "Standard", "Github", "Stripe", "Slack", "Shopify", "Hmac"] {
        let to = format!("shop/{flow}");
        let answer: Value = serde_json::from_str(&house.run(&["send", sample, "--to", &to])).unwrap();
        assert!(answer["run"].is_string(), "{flow}: {answer}");
    }
    for flow in ["Api", "Basic"] {
        let to = format!("shop/{flow}");
        let out = house.try_run(&["send", sample, "--to", &to]);
        assert_eq!(out.status.code(), Some(4));
        assert!(String::from_utf8_lossy(&out.stderr).contains("only a hash is kept: give --secret-file F"));
        house.run(&["send", sample, "--to", &to, "--secret-file", secret]);
    }
    let wrong = house.file("wrong", "another secret that is long enough to sign");
    let out = house.try_run(&["send", sample, "--to", "shop/Jwt", "--secret-file", wrong.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(4), "{}", String::from_utf8_lossy(&out.stderr));
    let out = house.try_run(&["send", sample, "--to", "shop/Missing"]);
    assert!(String::from_utf8_lossy(&out.stderr).contains("there is no key nobody"));
}

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[test]
fn no_secret_lies_open_in_the_data_folder() {
    let house = house();
    let generated = house.run(&["key", "add", "made", "--type", "api-key", "--generate"]);
    let value = format!("Bearer {}", token(HS256, &json!({"exp": now() + 600})));
    let basic = format!("Basic {}", STANDARD.encode(format!("shop:{SECRET}")));
    assert_eq!(post(&house, "jwt", &[("Authorization", &value)], b"{}").status, 200);
    assert_eq!(post(&house, "jwt", &[("Authorization", &format!("{value}x"))], b"{}").status, 401);
    assert_eq!(post(&house, "api", &[("X-Shop-Key", SECRET)], b"{}").status, 200);
    assert_eq!(post(&house, "api", &[("X-Shop-Key", "wr0ng-k3y-of-a-sender")], b"{}").status, 401);
    assert_eq!(post(&house, "basic", &[("Authorization", &basic)], b"{}").status, 200);
    let token = house.run(&["token", "--key", "acme"]);
    // Also after the endpoint is gone.
    house.run(&["remove", "shop", "--yes"]);
    assert_eq!(post(&house, "api", &[("X-Shop-Key", SECRET)], b"{}").status, 410);
    let secrets = [
        SECRET,
        &WEBHOOK[6..],
        "correct horse battery staple",
        generated.trim(),
        token.trim(),
        &value[7..],
        &basic[6..],
        "wr0ng-k3y-of-a-sender",
    ];
    let look = || {
        let mut found = Vec::new();
        files(&house.data(), &mut found);
        let names: Vec<String> = found.iter().map(|path| path.display().to_string()).collect();
        assert!(names.iter().any(|name| name.contains("pointsman.db")), "{names:?}");
        for path in found.iter().filter(|path| path.file_name().unwrap() != "socket") {
            let bytes = std::fs::read(path).unwrap();
            for secret in secrets {
                let there = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
                assert!(!there, "{secret} in {}", path.display());
            }
        }
        names
    };
    let names = look();
    assert!(names.iter().any(|name| name.ends_with("-wal")), "{names:?}");
    house.stop();
    look();
}

#[test]
fn keys_are_refused_with_a_reason() {
    let house = House::new();
    let short = house.file("short", &"x".repeat(31));
    let fits = house.file("fits", &format!("{}\n", "x".repeat(32)));
    let (short, fits) = (short.to_str().unwrap(), fits.to_str().unwrap());
    let out = |args: &[&str]| {
        let out = house.try_run(args);
        (out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    let (code, told) = out(&["key", "add", "a", "--algorithm", "HS256", "--secret-file", short]);
    assert_eq!(code, Some(2));
    assert!(told.contains("the secret has 31 bytes: HS256 wants at least 32"), "{told}");
    house.run(&["key", "add", "a", "--algorithm", "HS256", "--secret-file", fits]);
    let (code, told) = out(&["key", "add", "a", "--generate"]);
    assert_eq!(code, Some(4));
    assert!(told.contains("names are unique"), "{told}");
    for (args, told) in [
        (&["key", "add", "b"][..], "give its secret"),
        (&["key", "add", "b", "--algorithm", "HS999", "--generate"], "no algorithm of tokens"),
        (&["key", "add", "b", "--algorithm", "ES256", "--generate"], "--public-key F"),
        (&["key", "add", "b", "--algorithm", "ES256", "--public-key", fits], "neither PEM nor JWK"),
        (&["key", "add", "b", "--type", "basic", "--generate"], "--user U"),
        (&["key", "add", "b c", "--generate"], "its name must be"),
        (&["key", "add", "b", "--type", "rsa", "--generate"], "no type of key"),
    ] {
        let (code, said) = out(args);
        assert_eq!(code, Some(2), "{args:?}: {said}");
        assert!(said.contains(told), "{args:?}: {said}");
    }
    assert_eq!(out(&["key", "rm", "nobody"]).0, Some(3));
    assert_eq!(out(&["key", "add", "dry", "--generate", "--dry-run"]).0, Some(0));
    assert_eq!(house.json(&["key", "ls"]).as_array().unwrap().len(), 1);
    let (code, told) = out(&["--read-only", "key", "rm", "a"]);
    assert_eq!(code, Some(4), "{told}");
    // A document that names a key that is not there is a warning, and deploys.
    let path = house.file("shop.toml", DOCUMENT);
    let checked = house.run(&["check", path.to_str().unwrap()]);
    assert!(checked.contains("warning: there is no key \"nobody\""), "{checked}");
    let (code, told) = out(&["apply", path.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("warning: there is no key \"nobody\""), "{told}");
    let text = house.run(&["export", "shop"]);
    assert!(
        text.contains(
            r#"auth = { type = "jwt", keys = ["acme"], iss = "https://id.example", aud = "shop" }"#
        )
    );
    assert!(house.run(&["doctor"]).contains("pointsman key add acme"));
}

#[test]
fn pairs_sign_and_check() {
    let house = House::new();
    let (public, private) = pair();
    let public = house.file("public.json", &public);
    let private = house.file("private.json", &private);
    house.run(&[
        "key",
        "add",
        "acme",
        "--algorithm",
        "ES256",
        "--public-key",
        public.to_str().unwrap(),
        "--private-key",
        private.to_str().unwrap(),
    ]);
    house.run(&["key", "add", "next", "--algorithm", "es256", "--public-key", public.to_str().unwrap()]);
    house.apply(DOCUMENT);
    house.serve();
    let made = house.run(&["token", "--key", "acme"]);
    let answer = post(&house, "jwt", &[("Authorization", &format!("Bearer {}", made.trim()))], b"{}");
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(house.try_run(&["token", "--key", "next"]).status.code(), Some(4));
    // The public key taken for a secret.
    let forged = token_by(&std::fs::read(&public).unwrap(), HS256, &json!({"exp": now() + 60}));
    let answer = post(&house, "jwt", &[("Authorization", &format!("Bearer {forged}"))], b"{}");
    assert_eq!(refused(&house, &answer), "key `acme` is ES256, key `next` is ES256, the token says HS256");
}

/// The pair of RFC 7515, A.3.
fn pair() -> (String, String) {
    let mut jwk = json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    });
    let public = jwk.to_string();
    jwk["d"] = json!("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
    (public, jwk.to_string())
}

#[test]
fn the_key_may_come_from_the_environment() {
    let house = House::new();
    let run = |key: &str, args: &[&str]| {
        std::process::Command::new(env!("CARGO_BIN_EXE_pointsman"))
            .args(args)
            .env("POINTSMAN_DATA", house.data())
            .env("POINTSMAN_KEY", key)
            .output()
            .unwrap()
    };
    let (one, other) = ("01".repeat(32), "02".repeat(32));
    assert!(run(&one, &["key", "add", "acme", "--generate"]).status.success());
    assert!(!house.data().join("key").exists(), "no file is made");
    assert!(run(&one, &["token", "--key", "acme"]).status.success());
    let out = run(&other, &["token", "--key", "acme"]);
    assert_eq!(out.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&out.stderr).contains("it is sealed under the key"), "{out:?}");
    assert_eq!(run(&other, &["doctor"]).status.code(), Some(1));
    assert_eq!(run("short", &["key", "ls"]).status.code(), Some(2));
}

/// A key of the vectors.
fn key(vault: &Vault, kind: KeyKind, secret: Option<String>, public: Option<String>) -> Result<Key, String> {
    let (secret, name) = (secret.map(Secret::new), "k".to_owned());
    vault.loose(&NewKey { name, kind, user: None, secret, public, private: None })
}

/// Labels that cannot be met: the padding that these two tokens are refused for is not in them. As
/// they stand they are well-formed and rightly signed.
const MISLABELLED: &[&str] = &["wycheproof-jws-367", "wycheproof-jws-370"];

#[test]
fn signatures_that_others_made_and_forged() {
    let Some(file) = vectors("signatures.jsonl") else { return };
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::open(folder.path()).unwrap();
    let (mut tokens, mut bodies, mut doubtful) = (0, 0, 0);
    let mut wrong = Vec::new();
    for line in std::fs::read_to_string(file).unwrap().lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| vector[name].as_str().unwrap_or_default();
        let let_in = if text("kind") == "jws" {
            tokens += 1;
            let jwk = &vector["jwk"];
            let read = Token::read(text("token").as_bytes());
            let said = read.as_ref().ok().map(|token| token.said.clone());
            let algorithm = jwk["alg"].as_str().map(str::to_owned).or_else(|| said.clone());
            let key = algorithm.as_deref().and_then(Algorithm::from_word).map(|algorithm| {
                let jwk = Some(jwk.to_string());
                let (secret, public) = if algorithm.shared() { (jwk, None) } else { (None, jwk) };
                (algorithm, key(&vault, KeyKind::Jwt(algorithm), secret, public))
            });
            match (read, key) {
                (Ok(token), Some((algorithm, Ok(key)))) => {
                    token.said == algorithm.word() && key.signed(token.signed.as_bytes(), token.signature)
                }
                // P-521 is not promised.
                _ if said.as_deref() == Some("ES512") => vector["valid"] == true,
                _ => false,
            }
        } else {
            bodies += 1;
            let provider = match text("provider") {
                "standard" => Provider::Standard,
                "github" => Provider::Github,
                "stripe" => Provider::Stripe,
                "slack" => Provider::Slack,
                "shopify" => Provider::Shopify,
                other => panic!("{other}"),
            };
            let key = key(&vault, KeyKind::Secret, Some(text("secret").to_owned()), None).unwrap();
            let headers = vector["headers"].as_object().unwrap();
            let headers =
                Headers::from_pairs(headers.iter().map(|(name, value)| (name, value.as_str().unwrap())));
            let auth = Auth::Signature { keys: vec!["k".into()], provider };
            let now = vector["now"].as_i64().unwrap() * 1_000;
            body(&auth, &headers, text("body").as_bytes(), &[Named { name: "k", key: Some(&key) }], now)
                .is_ok()
        };
        if vector["soft"] == true {
            doubtful += 1;
        } else if MISLABELLED.contains(&text("src")) {
            assert!(let_in, "{line}");
            doubtful += 1;
        } else if vector["valid"] != json!(let_in) {
            wrong.push(format!("{} {}: let in: {let_in}", text("src"), text("comment")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tokens > 400 && bodies >= 10 && doubtful == 8, "{tokens} {bodies} {doubtful}");
    println!("run: {tokens} tokens, {bodies} bodies, {doubtful} labels in doubt");
}
