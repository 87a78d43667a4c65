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
    assert_eq!(of("theme")["from"], "default");
    house.configure("listne = \"127.0.0.1:9001\"\n");
    assert_eq!(house.try_run(&["config", "show"]).status.code(), Some(2));
}

#[test]
fn a_theme_that_does_not_read_is_told_without_a_terminal() {
    let house = House::new();
    house.configure("listen = \"127.0.0.1:0\"\n  theme = \"nope\"\n");
    let themes = house.data().join("themes");
    std::fs::create_dir_all(&themes).unwrap();
    std::fs::write(themes.join("mine.toml"), "inherits = \"dark\"\n\n[roles]\ngoood = {}\n").unwrap();
    let file = house.data().join("config.toml");
    let named = format!("{}:2:11: there is no theme \"nope\": terminal, ", file.display());
    let broken = format!("{}:4: there is no role \"goood\"", themes.join("mine.toml").display());
    let shown = house.try_run(&["config", "show", "--theme", "light", "--read-only"]);
    let said = String::from_utf8_lossy(&shown.stderr).into_owned();
    assert_eq!(shown.status.code(), Some(0), "{said}");
    assert!(said.contains(&format!("warning: {named}")), "{said}");
    assert!(said.contains(&format!("warning: {broken}")), "{said}");
    let rows = String::from_utf8_lossy(&shown.stdout).into_owned();
    let row = |key: &str| rows.lines().find(|line| line.starts_with(key)).unwrap().to_owned();
    assert!(row("theme").contains("file") && row("theme").ends_with("nope"), "{rows}");
    // What this one command was given is no setting.
    assert!(row("read_only").contains("default") && row("read_only").ends_with("false"), "{rows}");
    let checks = house.json(&["doctor"]);
    let told: Vec<&str> = checks
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["name"] == "themes" && check["state"] == "warning")
        .filter_map(|check| check["text"].as_str())
        .collect();
    assert_eq!(told.len(), 2, "{checks}");
    assert!(told[0].starts_with(&named) && told[1].starts_with(&broken), "{told:?}");
    assert_eq!(house.try_run(&["doctor"]).status.code(), Some(0), "a warning is no fault");
}

#[test]
fn every_list_has_a_limit_and_says_what_is_beyond_it() {
    let house = House::new();
    house.apply("name = \"one\"");
    house.apply("name = \"two\"");
    let names = |args: &[&str]| house.json(args).as_array().unwrap().len();
    assert_eq!(names(&["integrations", "ls"]), 2);
    assert_eq!(names(&["integrations", "ls", "--limit", "1"]), 1);
    assert_eq!(names(&["integrations", "ls", "--limit", "0"]), 2);
    let shown = house.try_run(&["integrations", "ls", "--limit", "1"]);
    let said = String::from_utf8_lossy(&shown.stderr).into_owned();
    assert!(said.contains("1 of 2: --limit 0 shows all"), "{said}");
    for list in ["alerts", "endpoints", "groups", "key", "operator", "drift", "jobs", "audit"] {
        let done = house.try_run(&[list, "ls", "--limit", "3"]);
        assert_eq!(done.status.code(), Some(0), "{list}");
    }
}

#[test]
fn a_flag_in_the_environment_is_on_by_any_word_but_a_no() {
    let house = House::new();
    house.apply("name = \"one\"");
    for (word, code) in [("1", 4), ("true", 4), ("yes", 4), ("0", 0), ("false", 0), ("", 0)] {
        let done = std::process::Command::new(env!("CARGO_BIN_EXE_pointsman"))
            .args(["remove", "one", "--dry-run"])
            .env("POINTSMAN_DATA", house.data())
            .env("POINTSMAN_READ_ONLY", word)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(code), "{word:?}: {said}");
    }
}

#[test]
fn what_a_verb_is_told_by_the_environment_counts() {
    let house = House::new();
    house.apply("name = \"one\"");
    let told = |args: &[&str], env: &[(&str, &str)]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_pointsman"));
        let done = command.args(args).env("POINTSMAN_DATA", house.data()).envs(env.iter().copied()).output();
        assert!(done.as_ref().unwrap().status.success(), "{done:?}");
        String::from_utf8(done.unwrap().stdout).unwrap()
    };
    told(&["remove", "one"], &[("POINTSMAN_DRY_RUN", "1")]);
    assert!(told(&["integrations", "ls"], &[]).contains("one"), "nothing was done");
    told(&["remove", "one"], &[("POINTSMAN_REASON", "gone for good"), ("POINTSMAN_YES", "1")]);
    let audit = told(&["audit", "ls", "--output", "jsonl"], &[("POINTSMAN_LIMIT", "1")]);
    assert!(audit.lines().count() == 1 && audit.contains("gone for good"), "{audit}");
}
