//! A disk with less free space than is to be kept: every sender is refused, and everything says why.

use super::common::{House, get, wait_for};
use serde_json::Value;

const DOCUMENT: &str = r#"
name = "shop"
[[flow]]
name = "Orders"
[flow.trigger]
type = "webhook"
path = "orders"
auth = { type = "none" }
"#;

#[test]
fn where_senders_are_refused_for_the_disk_doctor_fails_and_the_figures_agree() {
    let house = House::new();
    house.apply(DOCUMENT);
    house.configure("[limits]\nfree_disk = \"1000000GiB\"\n");
    house.serve_until(|addr| get(addr, "/healthz").is_some());
    for _ in 0..8 {
        wait_for("an answer", || Some(()).filter(|()| house.post("orders", "{}").status == 503));
    }
    let out = house.try_run(&["doctor", "--output", "json"]);
    assert_eq!(out.status.code(), Some(1), "{}", String::from_utf8_lossy(&out.stderr));
    let checks: Value = serde_json::from_slice(&out.stdout).unwrap();
    let check =
        |name: &str| checks.as_array().unwrap().iter().find(|check| check["name"] == name).unwrap().clone();
    let writes = check("writes");
    assert_eq!(writes["state"], "broken", "{checks}");
    let told = writes["text"].as_str().unwrap();
    assert!(
        told.starts_with("The disk is full: new requests are answered 503 and not accepted. Free space in "),
        "{told}"
    );
    assert!(told.ends_with("; it goes on by itself."), "{told}");
    // What has no row is said where rows are counted, and it is one figure everywhere.
    let listed = house.try_run(&["requests", "ls"]);
    let said = String::from_utf8_lossy(&listed.stderr).into_owned();
    assert!(said.contains("8 counted, not stored"), "{said}");
    assert!(check("refusals")["text"].as_str().unwrap().starts_with("8 refused requests"), "{checks}");
    let overview = wait_for("the series", || {
        Some(house.json(&["overview"])).filter(|view| view["requests"]["only_counted"] == 8)
    });
    assert_eq!(overview["requests"]["rejected"]["total"], 8);
    assert!(house.run(&["overview"]).contains("8 counted, not stored"));
}
