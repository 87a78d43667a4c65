//! What the program says of itself: pages for `man`, and the settings in force.

use super::common::House;
use std::collections::BTreeSet;

/// The commands that a help text lists.
fn commands(help: &str) -> BTreeSet<String> {
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    list.take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect()
}

#[test]
fn every_command_has_a_page_that_names_its_options() {
    let house = House::new();
    let folder = house.file("pages", "");
    std::fs::remove_file(&folder).unwrap();
    std::fs::create_dir(&folder).unwrap();
    house.run(&["man", "--dir", folder.to_str().unwrap()]);
    let listed = commands(&house.run(&["--help"]));
    assert!(listed.contains("runs") && listed.contains("man"), "{listed:?}");
    for command in &listed {
        let page = std::fs::read_to_string(folder.join(format!("pointsman-{command}.1"))).unwrap();
        assert!(page.contains(".SH NAME") && page.contains("\\-\\-data"), "{command}");
    }
    let one = house.run(&["man", "runs", "retry"]);
    assert_eq!(one, std::fs::read_to_string(folder.join("pointsman-runs-retry.1")).unwrap());
    assert!(one.contains("fresh\\-key"), "{one}");
    let wrong = house.try_run(&["man", "runs", "restart"]);
    assert_eq!(wrong.status.code(), Some(3));
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(said.contains("no command \"restart\"") && said.contains("retry"), "{said}");
}

#[test]
fn settings_in_force_tell_who_said_them() {
    let house = House::new();
    let path = house.run(&["config", "path"]);
    assert_eq!(path.trim_end(), house.data().join("config.toml").to_str().unwrap());
    assert!(!house.data().exists(), "a look makes nothing");
    house.configure("listen = \"127.0.0.1:9001\"\n\n[limits]\nretention = \"7d\"\n");
    let rows = house.json(&["config", "show", "--public-url", "https://hooks.example"]);
    let of = |key: &str| {
        let rows = rows.as_array().unwrap();
        rows.iter().find(|row| row["key"] == key).cloned().unwrap()
    };
    assert_eq!(
        (of("listen")["value"].as_str(), of("listen")["from"].as_str()),
        (Some("127.0.0.1:9001"), Some("file"))
    );
    assert_eq!(of("public_url")["from"], "flag");
    assert_eq!(of("data")["from"], "environment");
    assert_eq!(of("limits.retention")["value"], "7d");
    assert_eq!(of("limits.slots")["from"], "default");
    house.configure("listne = \"127.0.0.1:9001\"\n");
    assert_eq!(house.try_run(&["config", "show"]).status.code(), Some(2));
}
