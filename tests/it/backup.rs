//! `store backup`: a copy beside a running server, and a server that begins from it.

use super::common::{House, Target};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

fn document(target: &str) -> String {
    format!(
        r#"
name = "shop"
[[variable]]
name = "token"
type = "secret"
required = true
[[flow]]
name = "Orders"
[flow.trigger]
type = "webhook"
path = "orders"
auth = {{ type = "none" }}
dedup = {{ fields = ["body.n"] }}
[[flow.step]]
name = "push"
type = "request"
url = "{target}/push"
headers = {{ "X-Token" = "{{{{ config.token }}}}" }}
json = {{ n = "{{{{ request.body.n }}}}" }}
"#
    )
}

#[test]
fn a_copy_taken_under_load_has_all_that_was_acknowledged_and_a_server_begins_from_it() {
    let target = Target::fine();
    let house = House::new();
    let secret = house.file("token", "t0psecret-of-the-shop\n");
    house.run(&["apply", "--draft", house.file("shop.toml", &document(&target.url())).to_str().unwrap()]);
    house.run(&["set", "shop", "token", "--secret-file", secret.to_str().unwrap()]);
    house.run(&["deploy", "shop"]);
    house.serve();
    let (sent, stop) = (AtomicU32::new(0), AtomicBool::new(false));
    let copy = house.data().parent().unwrap().join("copy.db");
    let before = std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let n = sent.load(Ordering::Relaxed) + 1;
                assert_eq!(house.post("orders", &format!(r#"{{"n":{n}}}"#)).status, 200);
                sent.store(n, Ordering::Relaxed);
            }
        });
        super::common::wait_for("some requests", || (sent.load(Ordering::Relaxed) >= 50).then_some(()));
        let before = sent.load(Ordering::Relaxed);
        let told = house.json(&["store", "backup", copy.to_str().unwrap()]);
        stop.store(true, Ordering::Relaxed);
        sender.join().unwrap();
        assert!(told["requests"].as_u64().unwrap() >= u64::from(before), "{told}");
        assert_eq!(told["bytes"].as_u64().unwrap(), std::fs::metadata(&copy).unwrap().len());
        assert!(told["key_file"].as_str().unwrap().ends_with("/key"), "{told}");
        before
    });
    let again = house.try_run(&["store", "backup", copy.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(4), "a copy takes nobody's place");
    house.stop();

    let other = House::new();
    std::fs::create_dir_all(other.data()).unwrap();
    std::fs::copy(&copy, other.data().join("pointsman.db")).unwrap();
    std::fs::copy(house.data().join("key"), other.data().join("key")).unwrap();
    other.serve();
    let rows = other.json(&["requests", "ls", "--limit", "0", "verdict:accepted"]);
    assert!(rows.as_array().unwrap().len() >= before as usize);
    assert_eq!(other.post("orders", r#"{"n":1}"#).status, 204, "keys of the copy hold");
    let fresh = other.post("orders", r#"{"n":"fresh"}"#).json();
    let run = fresh["run"].as_str().unwrap();
    super::common::wait_for("the run of the copy", || {
        (other.json(&["runs", "show", run])["state"] == "succeeded").then_some(())
    });
    let arrived = target.arrived();
    assert!(
        arrived.last().unwrap().header("x-token") == Some("t0psecret-of-the-shop"),
        "secrets open with the key file"
    );
}

#[test]
fn without_a_store_there_is_no_copy() {
    let house = House::new();
    let copy = house.data().parent().unwrap().join("copy.db");
    let output = house.try_run(&["store", "backup", copy.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!house.data().exists(), "a copy makes no store");
}
