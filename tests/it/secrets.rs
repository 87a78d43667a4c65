//! Secret variables: targets get them, and nobody else is ever shown them.

use super::common::{House, Target, wait_for};
use super::terminal::{RUN, Terminal};
use base64::Engine as _;
use serde_json::json;
use std::path::Path;

const TOKEN: &str = "tok/en+4711~\"x";
const PIN: &str = "pin-98765";
const PASSWORD: &str = "pass word-0815";
const HOOK: &str = "not-a-url-hook-2233";

fn document(target: &str) -> String {
    format!(
        r#"name = "bank"

[[variable]]
name = "token"
type = "secret"
heading = "Bank"
required = true
[[variable]]
name = "pin"
type = "secret"
required = true
[[variable]]
name = "password"
type = "secret"
[[variable]]
name = "hook"
type = "secret"

[[connection]]
name = "api"
base_url = "{target}"
auth = {{ type = "bearer", token = "{{{{ config.token }}}}" }}
[[connection]]
name = "old"
base_url = "{target}"
auth = {{ type = "basic", user = "us", password = "{{{{ config.password }}}}" }}

[[flow]]
name = "Pay"
[flow.trigger]
type = "webhook"
path = "pay"
auth = {{ type = "none" }}
when = "{{{{ request.body.n != config.pin }}}}"
[[flow.step]]
name = "pay"
type = "request"
connection = "api"
url = "/pay/{{{{ config.pin }}}}"
query = {{ key = "{{{{ config.token }}}}" }}
headers = {{ "X-Pin" = "pin is {{{{ config.pin }}}}" }}
json = {{ token = "{{{{ config.token }}}}", loud = "{{{{ config.pin | upper }}}}", half = "{{{{ config.token[:6] }}}}", n = "{{{{ request.body.n }}}}" }}
idempotent = true
retry = {{ attempts = 2, delay = "50ms" }}
outputs = {{ echo = "body.echo" }}
[[flow.step]]
name = "form"
type = "request"
connection = "old"
url = "/form"
form = {{ token = "{{{{ config.token }}}}", was = "{{{{ steps.pay.outputs.echo }}}}" }}
[[flow.step]]
name = "say"
type = "request"
url = "{target}/say"
text = "the pin is {{{{ config.pin }}}}"
idempotent = true
retry = {{ attempts = 1 }}

[[flow]]
name = "Broken"
[flow.trigger]
type = "webhook"
path = "broken"
auth = {{ type = "none" }}
[[flow.step]]
name = "hook"
type = "request"
url = "{{{{ config.hook }}}}/x"
on_error = "continue"
[[flow.step]]
name = "error"
type = "request"
url = "{target}/never"
text = "{{{{ error('no ' ~ config.token) }}}}"
"#
    )
}

/// The texts that are to be found nowhere.
fn plain() -> Vec<String> {
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("us:{PASSWORD}"));
    let mut all: Vec<String> =
        [TOKEN, PIN, PASSWORD, HOOK, "PIN-98765", "en+4711", "en%2B4711"].map(str::to_owned).into();
    all.push(basic);
    all
}

fn hides(what: &str, text: &str) {
    for secret in plain() {
        assert!(!text.contains(&secret), "{what} shows {secret}: {text}");
    }
}

/// Looks through every file of a folder.
fn hides_in_files(folder: &Path) -> usize {
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            seen += hides_in_files(&path);
        } else if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            for secret in plain() {
                let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
                assert!(!found, "{} holds {secret}", path.display());
            }
            seen += 1;
        }
    }
    seen
}

fn set(house: &House, variable: &str, secret: &str) {
    let file = house.file("secret", &format!("{secret}\n"));
    let ran = house.try_run(&["set", "bank", variable, "--secret-file", file.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && said.contains(&format!("{variable} = •••")), "{said}");
    hides("set", &said);
}

/// A target that repeats what it is sent, and fails the first time.
fn echoing() -> Target {
    let first = std::sync::atomic::AtomicBool::new(true);
    Target::new(move |arrived| {
        let echo =
            json!({"echo": format!("{} {} {:?}", arrived.path, arrived.body, arrived.headers)}).to_string();
        let fails = first.swap(false, std::sync::atomic::Ordering::SeqCst) || arrived.path == "/say";
        (if fails { 500 } else { 200 }, echo)
    })
}

/// Secrets set, and runs that used them in every place and failed in every way.
fn used(house: &House, target: &Target) -> (Vec<String>, Vec<String>) {
    let file = house.file("bank.toml", &document(&target.url()));
    let ran = house.try_run(&["apply", file.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(4), "{said}");
    assert!(said.contains("bank v1 is kept as a draft: token, pin have no value yet"), "{said}");
    assert!(
        said.ends_with(
            "pointsman set bank token --secret-file FILE\npointsman set bank pin --secret-file FILE\n\
             pointsman deploy bank\n"
        ),
        "{said}"
    );
    for (variable, secret) in [("token", TOKEN), ("pin", PIN), ("password", PASSWORD), ("hook", HOOK)] {
        set(house, variable, secret);
    }
    house.run(&["deploy", "bank"]);
    house.serve();
    let mut requests = Vec::new();
    let mut runs = Vec::new();
    for path in ["pay", "broken"] {
        let answer = house.post(path, "{\"n\":7}").json();
        requests.push(answer["request"].as_str().unwrap().to_owned());
        runs.push(answer["run"].as_str().unwrap().to_owned());
    }
    for run in &runs {
        wait_for("the run to stop", || {
            matches!(house.json(&["runs", "show", run])["state"].as_str(), Some("errored" | "succeeded"))
                .then_some(())
        });
    }
    (requests, runs)
}

#[test]
fn a_secret_reaches_the_target_and_is_in_no_file_no_answer_and_no_log() {
    let (house, target) = (House::new(), echoing());
    let (requests, runs) = used(&house, &target);
    let arrived = target.arrived();
    let pay: Vec<_> = arrived.iter().filter(|one| one.path.starts_with("/pay")).collect();
    assert_eq!(pay.len(), 2, "the first one failed: {arrived:?}");
    for sent in pay {
        assert_eq!(sent.path, format!("/pay/{PIN}?key=tok%2Fen%2B4711~%22x"));
        assert_eq!(sent.header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
        assert_eq!(sent.header("x-pin"), Some("pin is pin-98765"));
        let body: serde_json::Value = serde_json::from_str(&sent.body).unwrap();
        assert_eq!(body, json!({"token": TOKEN, "loud": "PIN-98765", "half": "tok/en", "n": 7}));
    }
    let form = arrived.iter().find(|one| one.path == "/form").unwrap();
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("us:{PASSWORD}"));
    assert_eq!(form.header("authorization"), Some(format!("Basic {basic}").as_str()));
    assert!(form.body.starts_with("token=tok%2Fen%2B4711%7E%22x&was="), "{}", form.body);
    // What an answer repeats of a secret is not handed on either.
    assert_eq!(form.body.matches("4711").count(), 1, "{}", form.body);
    assert_eq!(arrived.iter().find(|one| one.path == "/say").unwrap().body, format!("the pin is {PIN}"));
    assert!(!arrived.iter().any(|one| one.path == "/never"));

    let shown = house.json(&["runs", "show", &runs[0]]);
    let sent = &shown["steps"][0]["attempts"][0]["request"];
    assert_eq!(sent["url"], format!("{}/pay/•••?key=•••", target.url()));
    let body: serde_json::Value = serde_json::from_str(sent["body"].as_str().unwrap()).unwrap();
    assert_eq!(body, json!({"token": "•••", "loud": "•••", "half": "•••", "n": 7}));
    let headers = sent["headers"].as_array().unwrap();
    assert!(headers.contains(&json!(["X-Pin", "pin is •••"])), "{headers:?}");
    let broken = house.json(&["runs", "show", &runs[1]]);
    assert_eq!(broken["cause"], "could not be built: no •••");
    assert!(broken["steps"][0]["cause"].as_str().unwrap().contains("•••"), "{broken}");
    let values = house.json(&["integrations", "show", "bank"])["variables"].clone();
    assert_eq!(json!([values[0]["value"], values[0]["set"]]), json!(["•••", true]));

    let mut commands: Vec<String> = [
        "requests ls",
        "runs ls",
        "groups ls",
        "callbacks ls",
        "endpoints ls",
        "integrations ls",
        "integrations show bank",
        "integrations history bank",
        "export bank",
        "audit ls",
        "drift ls",
        "doctor",
        "deploy bank --dry-run",
        "runs ls 4711",
        "runs ls step.cause:98765",
    ]
    .map(str::to_owned)
    .into();
    let again = house.file("again", HOOK);
    commands.push(format!("set bank hook --secret-file {} --dry-run", again.display()));
    for id in &requests {
        commands.extend(["show", "explain"].map(|verb| format!("requests {verb} {id}")));
        commands.push(format!("requests replay {id} --dry-run"));
    }
    for id in &runs {
        commands.push(format!("runs show {id}"));
        commands.extend(["retry", "skip", "abort"].map(|verb| format!("runs {verb} {id} --dry-run")));
    }
    let mut masked = 0;
    house.in_every_output(&commands, |command, text| {
        hides(command, text);
        masked += text.matches("•••").count();
    });
    assert!(masked > 60, "what is hidden is shown as hidden: {masked}");
    hides("the server's own lines", &house.log());
    assert!(hides_in_files(&house.data()) >= 3);
    house.stop();
    assert!(hides_in_files(&house.data()) >= 2);
}

#[test]
fn a_secret_survives_a_restart_and_another_value_counts_from_the_next_step_on() {
    let (house, target) = (House::new(), Target::fine());
    let (_, runs) = used(&house, &target);
    house.kill();
    house.serve();
    set(&house, "token", "another-token");
    house.run(&["runs", "retry", &runs[1]]);
    let answer = house.post("pay", "{\"n\":8}").json();
    wait_for("the run to end", || {
        let run = house.json(&["runs", "show", answer["run"].as_str().unwrap()]);
        (run["state"] == "succeeded").then_some(())
    });
    let last = target.arrived().into_iter().rfind(|one| one.path.starts_with("/pay")).unwrap();
    assert_eq!(last.header("authorization"), Some("Bearer another-token"));
    assert_eq!(last.path, format!("/pay/{PIN}?key=another-token"));
}

#[test]
fn a_secret_is_on_no_screen_of_the_console() {
    let (house, target) = (House::new(), echoing());
    used(&house, &target);
    house.stop();
    let mut console = Terminal::start(&house.data(), RUN, 50, 160);
    console.expect("Requests");
    let mut seen = 0;
    for keys in [
        "1", "3", "\r", "\t", "j", "]", "j", "]", "\x1b", "r", "\x1b", "s", "\x1b", "k", "\r", "j", "]",
        "\x1b", "v", "R", "\x1b", "4", "\r", "5", "j", "l", "j", "j", "j", "j", "\t", "\t", "\r", "\x1b",
        "\t",
    ] {
        console.keys(keys);
        let text = console.settled();
        hides(keys, &text);
        seen += text.matches("•••").count();
    }
    assert!(seen > 3, "{seen}");
}

#[test]
fn what_is_no_use_of_a_secret_is_refused_and_says_so_without_it() {
    let (house, target) = (House::new(), Target::fine());
    let text = document(&target.url());
    house.run(&["apply", house.file("bank.toml", &text).to_str().unwrap(), "--draft"]);
    let told = |args: &[&str]| {
        let ran = house.try_run(args);
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        hides(&args.join(" "), &said);
        (ran.status.code(), said)
    };
    let file = |text: &str| house.file(text.trim(), text).display().to_string();
    let (code, said) = told(&["set", "bank", "token=pin-9876"]);
    assert_eq!((code, said.contains("--secret-file")), (Some(2), true), "{said}");
    assert!(!said.contains("pin-9876"), "{said}");
    for (args, exit, wanted) in [
        (["set", "bank", "token", "--secret-file", &file("abc\n")], 2, "4 characters or more"),
        (["set", "bank", "tokens", "--secret-file", &file(PIN)], 3, "bank has no variable"),
        (["set", "bank", "token", "--secret-file", "/nowhere/secret"], 3, "is not there"),
        (["set", "bank", "token=x", "--secret-file", &file(PIN)], 2, "the value of one variable"),
    ] {
        let (code, said) = told(&args);
        assert_eq!((code, said.contains(wanted)), (Some(exit), true), "{args:?}: {said}");
    }
    let (code, said) = told(&["set", "bank", "token"]);
    assert_eq!((code, said.contains("--secret-file")), (Some(2), true), "{said}");
    let (code, said) = told(&["deploy", "bank"]);
    assert_eq!(
        (code, said.contains("pointsman set bank token --secret-file FILE")),
        (Some(4), true),
        "{said}"
    );

    // A default, and steps whose work is kept and shown.
    let open = "[[flow.step]]\nname = \"keep\"\ntype = \"set\"\noutputs = { a = \"x {{ config.pin }}\", b = \"{{ config }}\" }\n\
                [[flow.step]]\nname = \"tell\"\ntype = \"fail\"\nmessage = \"{{ config.token }}\"\n";
    let bad = text.replacen("type = \"secret\"", "type = \"secret\"\ndefault = \"x\"", 1) + open;
    let path = house.file("bad.toml", &bad);
    let ran = house.try_run(&["check", path.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert_eq!(ran.status.code(), Some(1));
    for wanted in [
        "a secret has no default",
        "config.pin is a secret, and what is made here is kept and shown",
        "config holds the secret token, pin, password, hook",
        "config.token is a secret",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
}

#[test]
fn under_another_key_a_secret_has_no_value_and_the_doctor_says_what_to_do() {
    let (mut house, target) = (House::new(), Target::fine());
    used(&house, &target);
    house.stop();
    let sent = target.arrived().len();
    house.run_under(&["env", &format!("POINTSMAN_KEY={}", "5a".repeat(32))]);
    house.serve();
    let doctor = house.try_run(&["doctor", "--output", "json"]);
    let checks: serde_json::Value = serde_json::from_slice(&doctor.stdout).unwrap();
    assert_eq!(doctor.status.code(), Some(1));
    let told = checks.as_array().unwrap().iter().filter(|check| check["name"] == "secrets");
    let told: Vec<&str> = told.map(|check| check["text"].as_str().unwrap()).collect();
    assert_eq!(told.len(), 4, "{checks}");
    assert!(told.iter().any(|text| text.contains("pointsman set bank pin --secret-file FILE")), "{told:?}");
    let run = house.post("pay", "{\"n\":9}").json();
    wait_for("the run to stop", || {
        let run = house.json(&["runs", "show", run["run"].as_str()?]);
        (run["state"] == "errored").then(|| {
            assert!(run["cause"].as_str().unwrap().contains("has no value"), "{run}");
        })
    });
    assert_eq!(target.arrived().len(), sent, "nothing leaves without its credential");
    // Set again it is sealed under the key that is there now.
    for (variable, secret) in [("token", TOKEN), ("pin", PIN), ("password", PASSWORD), ("hook", HOOK)] {
        set(&house, variable, secret);
    }
    let run = house.post("pay", "{\"n\":10}").json();
    wait_for("the run to end", || {
        (house.json(&["runs", "show", run["run"].as_str()?])["state"] == "succeeded").then_some(())
    });
}
