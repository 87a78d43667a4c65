//! Versions of a document: their history, what differs, and the way back.

use super::common::{House, Target, wait_for};
use serde_json::{Value, json};

fn document(flow: &str, url: &str) -> String {
    format!(
        r#"name = "shop"

[[variable]]
name = "tenant"
type = "text"
default = "42"

[[flow]]
{flow}
[flow.trigger]
type = "webhook"
path = "orders"
auth = {{ type = "none" }}

[[flow.step]]
name = "push"
type = "request"
url = "{url}"
json = {{ n = "{{{{ request.body.n }}}}" }}
retry = {{ attempts = 1 }}
"#
    )
}

fn apply(house: &House, text: &str, more: &[&str]) {
    let path = house.file("shop.toml", text);
    let mut args = vec!["apply", path.to_str().unwrap()];
    args.extend(more);
    house.run(&args);
}

fn url_of(house: &House) -> String {
    house.json(&["integrations", "show", "shop"])["flows"][0]["url"].as_str().unwrap().to_owned()
}

fn told(house: &House, args: &[&str]) -> (Option<i32>, String) {
    let ran = house.try_run(args);
    (ran.status.code(), String::from_utf8_lossy(&ran.stderr).into_owned())
}

#[test]
fn history_tells_who_saved_what_and_a_rollback_is_a_new_version_with_the_old_flows() {
    let house = House::new();
    apply(&house, &document("name = \"Orders\"", "http://127.0.0.1:9/v1"), &[]);
    let url = url_of(&house);
    let renamed = document("name = \"Sales\"\nwas = \"Orders\"", "http://127.0.0.1:9/v2");
    apply(&house, &renamed, &["--reason", "another path"]);
    assert_eq!(url_of(&house), url, "a rename keeps the URL");
    let draft = document("name = \"Sales\"", "http://127.0.0.1:9/v3");
    apply(&house, &draft, &["--draft"]);

    let history = house.json(&["integrations", "history", "shop"]);
    let rows = |history: &Value| -> Vec<Value> {
        let rows = history.as_array().unwrap().iter();
        rows.map(|row| json!([row["number"], row["author"], row["reason"], row["deployed"], row["draft"]]))
            .collect()
    };
    assert_eq!(
        rows(&history),
        [
            json!([3, "anna", null, false, true]),
            json!([2, "anna", "another path", true, false]),
            json!([1, "anna", null, false, false])
        ]
    );
    assert!(history[0]["time"].as_str().unwrap().ends_with('Z'));
    assert_eq!(house.json(&["integrations", "history", "shop", "--limit", "1"]).as_array().unwrap().len(), 1);
    let text = house.run(&["integrations", "history", "shop"]);
    assert!(text.lines().nth(1).unwrap().starts_with("v3       draft  "), "{text}");

    // What is live against the draft, and any two.
    let diff = house.run(&["integrations", "diff", "shop"]);
    assert!(diff.starts_with("--- shop v2\n+++ shop v3\n@@ "), "{diff}");
    assert!(
        diff.contains("\n-url = \"http://127.0.0.1:9/v2\"\n+url = \"http://127.0.0.1:9/v3\"\n"),
        "{diff}"
    );
    assert!(diff.contains("\n-was = \"Orders\"\n"), "{diff}");
    let diff = house.json(&["integrations", "diff", "shop", "v1"]);
    assert_eq!(json!([diff["from"], diff["to"], diff["added"], diff["removed"]]), json!([1, 2, 3, 2]));
    let diff = house.json(&["integrations", "diff", "shop", "1", "3"]);
    assert_eq!(json!([diff["from"], diff["to"]]), json!([1, 3]));
    let (code, said) = told(&house, &["integrations", "diff", "shop", "1", "9"]);
    assert_eq!((code, said.as_str()), (Some(3), "shop has no v9; its versions are 1 to 3\n"));

    let (code, said) = told(&house, &["integrations", "rollback", "shop", "v1", "--dry-run"]);
    assert_eq!(code, Some(0));
    assert!(said.starts_with("shop v4, with the text of v1, would go live instead of v2\n"), "{said}");
    assert!(said.contains(&format!("  Orders  {url}\n")), "{said}");
    assert_eq!(house.json(&["integrations", "history", "shop"]).as_array().unwrap().len(), 3);

    let (code, said) =
        told(&house, &["integrations", "rollback", "shop", "1", "--reason", "v2 loses orders"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("shop v4 is live; its text is that of v1\n"), "{said}");
    assert_eq!(
        rows(&house.json(&["integrations", "history", "shop"]))[..2],
        [
            json!([4, "anna", "rollback to v1: v2 loses orders", true, false]),
            json!([3, "anna", null, false, false])
        ]
    );
    assert_eq!(url_of(&house), url, "and so does the way back, to a name that no later version has");
    assert_eq!(house.json(&["integrations", "show", "shop"])["flows"][0]["name"], "Orders");
    assert_eq!(
        house.run(&["export", "shop", "--version", "4"]),
        house.run(&["export", "shop", "--version", "1"])
    );
    let audit = &house.json(&["audit", "ls"])[0];
    assert_eq!(
        json!([audit["verb"], audit["target"], audit["reason"], audit["who"]]),
        json!(["rollback", "shop", "v2 loses orders", "anna"])
    );
    // The text is live already: there is nothing to do.
    let (code, said) = told(&house, &["integrations", "rollback", "shop", "1"]);
    assert_eq!(code, Some(0));
    assert!(said.starts_with("shop v4 is live already; nothing changed"), "{said}");
    let (code, said) = told(&house, &["integrations", "diff", "shop"]);
    assert_eq!((code, said.contains("nothing to compare")), (Some(0), true), "{said}");
    for (version, exit) in [("9", 3), ("0", 2), ("x", 2)] {
        assert_eq!(told(&house, &["integrations", "rollback", "shop", version]).0, Some(exit), "{version}");
    }
    let (code, said) = told(&house, &["--read-only", "integrations", "rollback", "shop", "1"]);
    assert_eq!((code, said.contains("read-only")), (Some(4), true), "{said}");
}

#[test]
fn a_run_is_retried_with_the_version_of_a_number_whether_it_is_live_or_not() {
    let target = Target::new(|arrived| (if arrived.path == "/v1" { 200 } else { 400 }, "{}".into()));
    let house = House::new();
    let step = |path: &str| document("name = \"Orders\"", &format!("{}{path}", target.url()));
    apply(&house, &step("/v1"), &[]);
    apply(&house, &step("/v2"), &[]);
    house.serve();
    let run = house.post("orders", "{\"n\":1}").json()["run"].as_str().unwrap().to_owned();
    let state = |wanted: &str| {
        wait_for(&format!("the run to be {wanted}"), || {
            let shown = house.json(&["runs", "show", &run]);
            (shown["state"] == wanted).then_some(shown)
        })
    };
    state("errored");
    let (code, said) = told(&house, &["runs", "retry", &run, "--version", "9"]);
    assert_eq!((code, said.contains("v9 has no such flow")), (Some(4), true), "{said}");
    let (code, said) = told(&house, &["runs", "retry", &run, "--version", "later"]);
    assert_eq!((code, said.contains("write deployed, original or a number")), (Some(2), true), "{said}");
    let (_, said) = told(&house, &["runs", "retry", &run, "--version", "1", "--dry-run"]);
    assert!(said.contains("With v1, instead of v2, its own."), "{said}");
    house.run(&["runs", "retry", &run, "--version", "v1"]);
    assert_eq!(state("succeeded")["version"], 1);
}

#[test]
fn a_run_keeps_its_version_over_a_rollback_until_a_retry_moves_it() {
    let target = Target::new(|arrived| (if arrived.path == "/v2" { 400 } else { 200 }, "{}".into()));
    let house = House::new();
    let step = |path: &str| document("name = \"Orders\"", &format!("{}{path}", target.url()));
    apply(&house, &step("/v1"), &[]);
    apply(&house, &step("/v2"), &[]);
    house.serve();
    let run = house.post("orders", "{\"n\":1}").json()["run"].as_str().unwrap().to_owned();
    let state = |wanted: &str, attempts: usize| {
        wait_for(&format!("the run to be {wanted}"), || {
            let shown = house.json(&["runs", "show", &run]);
            let all = shown["steps"][0]["attempts"].as_array().unwrap().len();
            (shown["state"] == wanted && all == attempts).then_some(shown)
        })
    };
    assert_eq!(state("errored", 1)["version"], 2);
    house.run(&["integrations", "rollback", "shop", "1", "--yes"]);
    assert_eq!(state("errored", 1)["version"], 2, "nothing moves by itself");
    house.run(&["runs", "retry", &run, "--version", "original"]);
    assert_eq!(state("errored", 2)["version"], 2);
    house.run(&["runs", "retry", &run]);
    assert_eq!(state("succeeded", 3)["version"], 3);
    let paths: Vec<String> = target.arrived().into_iter().map(|arrived| arrived.path).collect();
    assert_eq!(paths, ["/v2", "/v2", "/v1"]);
    // And what comes now runs by the text that was gone back to.
    let next = house.post("orders", "{\"n\":2}").json()["run"].as_str().unwrap().to_owned();
    wait_for("the next run", || (house.json(&["runs", "show", &next])["state"] == "succeeded").then_some(()));
    assert_eq!(house.json(&["runs", "show", &next])["version"], 3);
}

#[test]
fn a_way_back_to_what_needs_a_value_is_kept_as_a_draft_with_the_commands_that_help() {
    let house = House::new();
    let plain = document("name = \"Orders\"", "http://127.0.0.1:9/");
    let needy = plain.replace("default = \"42\"", "required = true");
    let kept = house.file("needy.toml", &needy);
    let (code, said) = told(&house, &["apply", kept.to_str().unwrap()]);
    assert_eq!(code, Some(4), "{said}");
    apply(&house, &plain, &[]);
    let (code, said) = told(&house, &["integrations", "rollback", "shop", "1"]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("pointsman set shop tenant=VALUE\npointsman deploy shop\n"), "{said}");
    let shown = house.json(&["integrations", "show", "shop"]);
    assert_eq!(json!([shown["deployed"], shown["draft"]]), json!([2, 3]));
    house.run(&["set", "shop", "tenant=7"]);
    house.run(&["deploy", "shop"]);
    assert_eq!(house.json(&["integrations", "show", "shop"])["deployed"], 3);
}

#[test]
fn an_alias_that_went_to_another_integration_stays_there() {
    let house = House::new();
    let first = document("name = \"Orders\"", "http://127.0.0.1:9/");
    apply(&house, &first, &[]);
    apply(&house, &first.replace("path = \"orders\"\n", ""), &[]);
    house.apply(&first.replace("name = \"shop\"", "name = \"other\""));
    let (code, said) = told(&house, &["integrations", "rollback", "shop", "1"]);
    assert_eq!((code, said.contains("belongs to other / Orders")), (Some(4), true), "{said}");
    assert_eq!(house.json(&["integrations", "show", "shop"])["deployed"], 2);
}

#[test]
fn an_instance_under_another_name_has_versions_of_its_own() {
    let house = House::new();
    let path = house.file("shop.toml", &document("name = \"Orders\"", "http://127.0.0.1:9/"));
    house.run(&["apply", path.to_str().unwrap()]);
    let text = std::fs::read_to_string(&path).unwrap().replace("path = \"orders\"\n", "");
    let path = house.file("shop.toml", &text);
    house.run(&["apply", path.to_str().unwrap(), "--as", "shop-two"]);
    house.run(&["set", "shop-two", "tenant=7"]);
    assert_eq!(house.json(&["integrations", "history", "shop-two"]).as_array().unwrap().len(), 1);
    let value = |name: &str| house.json(&["integrations", "show", name])["variables"][0].clone();
    assert_eq!(json!([value("shop")["value"], value("shop")["set"]]), json!(["42", false]));
    assert_eq!(json!([value("shop-two")["value"], value("shop-two")["set"]]), json!(["7", true]));
    assert!(house.run(&["export", "shop-two"]).contains("name = \"shop-two\""));
}

#[test]
fn of_many_files_with_one_mistake_none_is_saved() {
    let house = House::new();
    let good = house.file("good.toml", &document("name = \"Orders\"", "http://127.0.0.1:9/"));
    let bad = house.file("bad.toml", "name = \"bad\"\n[[flow]]\nname = \"X\"\nnope = 1\n");
    let (good, bad) = (good.to_str().unwrap(), bad.to_str().unwrap());
    let (code, said) = told(&house, &["apply", good, bad]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("bad.toml:4:1: "), "{said}");
    assert_eq!(house.json(&["integrations", "ls"]), json!([]));
    let other = house.file(
        "other.toml",
        "name = \"other\"\n[[variable]]\nname = \"v\"\ntype = \"number\"\nrequired = true\n",
    );
    let (code, said) = told(&house, &["apply", good, other.to_str().unwrap()]);
    assert_eq!(code, Some(4), "{said}");
    for one in house.json(&["integrations", "ls"]).as_array().unwrap() {
        assert_eq!(json!([one["deployed"], one["draft"]]), json!([null, 1]), "all are kept as drafts");
    }
}

#[test]
fn variables_of_every_type_tell_what_they_take() {
    let house = House::new();
    house.apply(
        r#"name = "all"
[[variable]]
name = "text"
type = "text"
heading = "Progix"
help = "Any words"
default = "a"
[[variable]]
name = "number"
type = "number"
default = 1.50
[[variable]]
name = "boolean"
type = "boolean"
[[variable]]
name = "url"
type = "url"
default = "https://a.example"
[[variable]]
name = "choice"
type = "choice"
options = ["fast", "safe"]
default = "safe"
[[variable]]
name = "secret"
type = "secret"
help = "From the bank"
"#,
    );
    let shown = house.json(&["integrations", "show", "all"])["variables"].clone();
    assert_eq!(
        shown[0],
        json!({
            "name": "text", "type": "text", "value": "a", "set": false, "required": false,
            "heading": "Progix", "help": "Any words", "default": "a"
        })
    );
    assert_eq!(shown[1]["default"].to_string(), "1.50", "digits stay");
    assert_eq!(json!([shown[2]["value"], shown[2]["default"]]), json!([null, null]));
    assert_eq!(json!([shown[4]["options"], shown[4]["default"]]), json!([["fast", "safe"], "safe"]));
    assert_eq!(json!([shown[5]["type"], shown[5]["value"], shown[5]["set"]]), json!(["secret", null, false]));
    house.run(&[
        "set",
        "all",
        "text=b c",
        "number=12345678901234567890.10",
        "boolean=true",
        "url=http://b.example",
        "choice=fast",
    ]);
    let shown = house.json(&["integrations", "show", "all"])["variables"].clone();
    assert_eq!(shown[1]["value"].to_string(), "12345678901234567890.10");
    assert!(shown.as_array().unwrap()[..5].iter().all(|variable| variable["set"] == true), "{shown}");
    for (value, said) in [
        ("number=x", "is not a number"),
        ("boolean=yes", "is not true or false"),
        ("url=/x", "an absolute http or https URL"),
        ("choice=slow", "one of fast, safe"),
        ("nope=1", "it has text, number, boolean, url, choice, secret"),
    ] {
        let (code, told) = told(&house, &["set", "all", value]);
        assert!(matches!(code, Some(2 | 3)) && told.contains(said), "{value}: {code:?} {told}");
    }
    let (code, said) = told(&house, &["set", "all", "text=z", "--dry-run"]);
    assert_eq!((code, said.as_str()), (Some(0), "all: would set text = \"z\"\n"));
    let text = house.run(&["integrations", "show", "all"]);
    assert!(text.contains("Progix: text [text] = \"b c\" (set)"), "{text}");
    assert!(text.contains("secret [secret] no value"), "{text}");
}

#[test]
fn a_flow_keeps_its_url_over_renames_by_id_and_was() {
    let house = House::new();
    let named = |flow: &str| apply(&house, &document(flow, "http://127.0.0.1:9/"), &[]);
    named("name = \"Orders\"");
    let url = url_of(&house);
    named("name = \"Sales\"\nwas = \"Orders\"");
    named("name = \"Sales\"\nwas = \"Orders\"");
    assert_eq!(url_of(&house), url);
    // The id that its first name made is written by an export, and holds through any name.
    assert!(house.run(&["export", "shop"]).contains("id = \"orders\""));
    named("id = \"orders\"\nname = \"Purchases\"");
    assert_eq!(url_of(&house), url);
    let flow = house.json(&["integrations", "show", "shop"])["flows"][0].clone();
    assert_eq!(json!([flow["id"], flow["name"]]), json!(["orders", "Purchases"]));
    // An id that is written with a rename takes its place.
    named("id = \"sales\"\nname = \"Sales\"\nwas = \"Purchases\"");
    assert_eq!(url_of(&house), url);
    assert!(house.run(&["export", "shop"]).contains("id = \"sales\""));
    // Another name alone is another flow.
    named("name = \"Returns\"");
    assert_ne!(url_of(&house), url);
}
