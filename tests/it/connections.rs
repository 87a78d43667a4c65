//! Connections: credentials, proxies, certificates, and the operator's own, against real servers.

use super::common::{House, Target, wait_for};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

fn document(connection: &str, name: &str, url: &str) -> String {
    format!(
        "name = \"shop\"\n{connection}\n[[flow]]\nname = \"Orders\"\n[flow.trigger]\ntype = \"webhook\"\n\
         path = \"orders\"\nauth = {{ type = \"none\" }}\n[[flow.step]]\nname = \"push\"\ntype = \"request\"\n\
         connection = \"{name}\"\nmethod = \"GET\"\nurl = \"{url}\"\nretry = {{ attempts = 1 }}\n"
    )
}

/// Posts a request; its run when it stopped.
fn run(house: &House) -> Value {
    let run = house.post("orders", "{}").json()["run"].as_str().unwrap().to_owned();
    wait_for("the run to stop", || {
        let shown = house.json(&["runs", "show", &run]);
        matches!(shown["state"].as_str(), Some("succeeded" | "errored")).then_some(shown)
    })
}

#[test]
fn bearer_basic_and_header_are_sent_and_shown_masked() {
    let (house, target) = (House::new(), Target::fine());
    house.serve();
    for (auth, header, value) in [
        ("{ type = \"bearer\", token = \"tok-4711-abc\" }", "authorization", "Bearer tok-4711-abc"),
        (
            "{ type = \"basic\", user = \"us\", password = \"pw:4711\" }",
            "authorization",
            "Basic dXM6cHc6NDcxMQ==",
        ),
        (
            "{ type = \"header\", name = \"X-Shop-Key\", value = \"key-4711-abc\" }",
            "x-shop-key",
            "key-4711-abc",
        ),
    ] {
        let connection = format!(
            "[[connection]]\nname = \"api\"\nbase_url = \"{}/base/\"\nheaders = {{ \"X-Tenant\" = \"42\" }}\nauth = {auth}\n",
            target.url()
        );
        house.apply(&document(&connection, "api", "/path"));
        let shown = run(&house);
        assert_eq!(shown["state"], "succeeded", "{shown}");
        let arrived = target.arrived().pop().unwrap();
        assert_eq!((arrived.path.as_str(), arrived.header(header)), ("/base/path", Some(value)));
        assert_eq!(arrived.header("x-tenant"), Some("42"));
        let text = shown.to_string();
        let secret = value.rsplit_once(' ').map_or(value, |(_, secret)| secret);
        assert!(!text.contains(secret) && text.contains("•••"), "{text}");
        let plan = house.run(&[
            "requests",
            "replay",
            shown["request"].as_str().unwrap(),
            "--dry-run",
            "--output",
            "json",
        ]);
        assert!(!plan.contains(secret) && plan.contains("•••"), "{plan}");
    }
}

#[test]
fn an_explicit_proxy_is_used_and_the_environments_never() {
    let mut house = House::new();
    let (target, proxy) = (Target::fine(), Target::new(|_| (200, "{\"via\":\"proxy\"}".into())));
    let other = Target::fine();
    let (http, all) = (format!("http_proxy={}", other.url()), format!("ALL_PROXY={}", other.url()));
    house.run_under(&["env", &http, &http.to_uppercase().replace("HTTP://", "http://"), &all]);
    house.serve();
    let plain = format!("[[connection]]\nname = \"api\"\nbase_url = \"{}\"\n", target.url());
    house.apply(&document(&plain, "api", "/direct"));
    assert_eq!(run(&house)["state"], "succeeded");
    assert_eq!(target.arrived().len(), 1, "the environment's proxy is not asked");
    house.apply(&document(&format!("{plain}proxy = \"{}\"\n", proxy.url()), "api", "/proxied"));
    let shown = run(&house);
    assert_eq!(shown["state"], "succeeded", "{shown}");
    let asked = proxy.arrived();
    assert_eq!((asked.len(), asked[0].path.as_str()), (1, format!("{}/proxied", target.url()).as_str()));
    assert_eq!((target.arrived().len(), other.arrived().len()), (1, 0));
}

fn pem(name: &str) -> String {
    format!("{}/tests/it/tls/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A server that speaks HTTPS under the test's own certificate, and answers 200 `{}`.
fn https() -> SocketAddr {
    let certificate = CertificateDer::from_pem_file(pem("cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(pem("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let config = Arc::clone(&config);
            std::thread::spawn(move || {
                let connection = rustls::ServerConnection::new(config).unwrap();
                let mut reader = BufReader::new(rustls::StreamOwned::new(connection, stream));
                let mut line = String::new();
                while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
                    if line == "\r\n" {
                        let answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
                        if reader.get_mut().write_all(answer).is_err() {
                            return;
                        }
                    }
                    line.clear();
                }
            });
        }
    });
    addr
}

#[test]
fn a_certificate_is_verified_unless_that_is_switched_off_or_its_authority_is_given() {
    let house = House::new();
    let base =
        format!("[[connection]]\nname = \"api\"\nbase_url = \"https://localhost:{}\"\n", https().port());
    house.serve();
    house.apply(&document(&base, "api", "/strict"));
    let shown = run(&house);
    assert_eq!(shown["state"], "errored", "{shown}");
    assert!(shown["cause"].as_str().unwrap().to_lowercase().contains("certificate"), "{}", shown["cause"]);
    for more in ["verify_tls = false\n".to_owned(), format!("ca_file = \"{}\"\n", pem("cert.pem"))] {
        house.apply(&document(&format!("{base}{more}"), "api", "/x"));
        let shown = run(&house);
        assert_eq!(shown["state"], "succeeded", "{more}: {shown}");
    }
    house.apply(&document(&format!("{base}ca_file = \"/nowhere/ca.pem\"\n"), "api", "/x"));
    let shown = run(&house);
    assert!(
        shown["cause"].as_str().unwrap().contains("/nowhere/ca.pem cannot be read"),
        "{}",
        shown["cause"]
    );
}

#[test]
fn the_operators_connection_is_used_by_name_and_its_credential_stays_with_him() {
    let (house, target) =
        (House::new(), Target::new(|arrived| (200, json!({"echo": arrived.headers}).to_string())));
    let token = house.file("token", "operators-token-4711\n");
    let configured = format!(
        "[[connection]]\nname = \"crm\"\nbase_url = \"{}\"\nheaders = {{ \"X-Tenant\" = \"7\" }}\n\
         auth = {{ type = \"bearer\", token_file = {:?} }}\n",
        target.url(),
        token.display().to_string()
    );
    house.configure(&configured);
    let text = document("", "global/crm", "/customers");
    house.apply(&text);
    house.serve();
    let shown = run(&house);
    assert_eq!(shown["state"], "succeeded", "{shown}");
    let arrived = target.arrived().remove(0);
    assert_eq!(
        (arrived.path.as_str(), arrived.header("authorization"), arrived.header("x-tenant")),
        ("/customers", Some("Bearer operators-token-4711"), Some("7"))
    );
    for text in [shown.to_string(), house.run(&["export", "shop"]), house.log()] {
        assert!(!text.contains("4711"), "{text}");
    }
    // A name that the operator does not have.
    let path = house.file("other.toml", &text.replace("global/crm", "global/cmr"));
    for command in ["apply", "check"] {
        let ran = house.try_run(&[command, path.to_str().unwrap()]);
        let said = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
        assert!(!ran.status.success() && said.contains("did you mean \"global/crm\"?"), "{command}: {said}");
    }
    // Gone from the file: the step says so, and nothing leaves.
    house.stop();
    house.configure("");
    house.serve();
    let shown = run(&house);
    assert_eq!(shown["state"], "errored", "{shown}");
    assert!(
        shown["cause"].as_str().unwrap().contains("there is no connection \"global/crm\""),
        "{}",
        shown["cause"]
    );
    assert_eq!(target.arrived().len(), 1);
    // What is wrong in the file is said, without what it holds.
    house.stop();
    house.configure("[[connection]]\nname = \"crm\"\nauth = { type = \"bearer\", token = \"secret-4711\", token_file = \"/x\" }\n");
    let ran = house.try_run(&["integrations", "ls"]);
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(2));
    assert!(said.contains("connection \"crm\": auth has token and token_file: keep one"), "{said}");
    assert!(!said.contains("4711"), "{said}");
}
