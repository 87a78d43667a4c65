//! What never leaves: addresses that a flow must not reach, in every spelling.

use super::common::{House, Target, wait_for};
use std::process::Command;

fn document(url: &str) -> String {
    format!(
        r#"
name = "probe"
[[flow]]
name = "Probe"
[flow.trigger]
type = "webhook"
path = "probe"
auth = {{ type = "none" }}
[[flow.step]]
name = "reach"
type = "request"
url = "{url}"
json = {{ a = 1 }}
idempotent = true
"#
    )
}

/// Cause of the run that a request to this URL ends with.
fn cause(house: &House, url: &str) -> String {
    house.apply(&document(url));
    let run = house.post("probe", "{}").json()["run"].as_str().unwrap().to_owned();
    wait_for(&format!("the run to {url} to stop"), || {
        let shown = house.json(&["runs", "show", &run]);
        (shown["state"] == "errored").then(|| {
            assert_eq!(
                shown["steps"][0]["attempts"].as_array().unwrap().len(),
                1,
                "it is not tried again: {shown}"
            );
            shown["cause"].as_str().unwrap().to_owned()
        })
    })
}

#[test]
fn guarded_addresses_are_refused_in_every_spelling_and_nobody_is_called() {
    let house = House::new();
    house.configure("allow_networks = []\n");
    let target = Target::fine();
    let port = target.addr().port();
    house.serve();
    for (url, address) in [
        ("http://169.254.169.254/latest/meta-data".to_owned(), "169.254.169.254"),
        ("http://[::ffff:10.0.0.1]/".to_owned(), "10.0.0.1"),
        (format!("http://2130706433:{port}/"), "127.0.0.1"),
        (format!("http://0x7f.1:{port}/"), "127.0.0.1"),
        (format!("http://127.1:{port}/"), "127.0.0.1"),
        (format!("http://[::1]:{port}/"), "::1"),
        (format!("http://[::ffff:127.0.0.1]:{port}/"), "127.0.0.1"),
        (format!("http://localhost:{port}/"), "is loopback"),
        (format!("http://0.0.0.0:{port}/"), "0.0.0.0"),
        ("http://100.64.0.1/".to_owned(), "100.64.0.1"),
        ("http://[64:ff9b::a00:1]/".to_owned(), "64:ff9b::a00:1"),
        ("http://[fd00::1]/".to_owned(), "fd00::1"),
    ] {
        let cause = cause(&house, &url);
        assert!(cause.contains(address), "{url}: {cause}");
        assert!(cause.contains("allow_networks"), "{url}: {cause}");
    }
    assert!(target.arrived().is_empty());
}

#[test]
fn loopback_is_reached_where_the_receiver_is_loopback_and_by_permission() {
    let (house, target) = (House::new(), Target::fine());
    house.apply(&document(&target.url()));
    house.serve();
    house.post("probe", "{}");
    wait_for("the target", || (target.arrived().len() == 1).then_some(()));
    house.kill();
    house.configure("allow_networks = [\"127.0.0.0/8\"]\n");
    house.serve();
    house.post("probe", "{}");
    wait_for("the target again", || (target.arrived().len() == 2).then_some(()));
}

#[test]
fn a_name_that_resolves_to_a_private_address_is_refused() {
    let mut house = House::new();
    let hosts = house.file("hosts", "127.0.0.1 localhost\n10.0.0.1 intranet.example\n");
    let bind = format!("mount --bind {} /etc/hosts && exec \"$@\"", hosts.display());
    let works = Command::new("unshare").args(["-rm", "sh", "-c", &bind, "sh", "true"]).output();
    if !works.is_ok_and(|output| output.status.success()) {
        println!(
            "not run: this machine gives no mount namespace, so no name can be made to resolve to 10.0.0.1"
        );
        return;
    }
    house.run_under(&["unshare", "-rm", "sh", "-c", &bind, "sh"]);
    house.serve();
    let cause = cause(&house, "http://intranet.example/");
    assert!(cause.contains("10.0.0.1"), "{cause}");
}

#[test]
fn a_redirect_is_an_answer_and_is_not_followed() {
    let (house, elsewhere) = (House::new(), Target::fine());
    let url = elsewhere.url();
    let target = Target::new(move |_| (302, format!("{{\"location\":\"{url}\"}}")));
    house.serve();
    let cause = cause(&house, &target.url());
    assert!(cause.contains("302"), "{cause}");
    assert!(elsewhere.arrived().is_empty());
}
