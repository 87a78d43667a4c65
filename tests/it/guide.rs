//! The first minutes with the real binary in a real terminal: from an empty data folder to an
//! integration that is live, with keys alone.

use super::common::{Answer, House, Target, free, post_to, wait_for};
use super::terminal::{Beside, Terminal};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::fmt::Write as _;

const UP: &str = "\x1b[A";
const DOWN: &str = "\x1b[B";

/// A person at a terminal: what was pressed, and what stood on the screen then.
struct Person {
    terminal: Terminal,
    keys: usize,
    letters: usize,
    transcript: String,
}

impl Person {
    fn new(terminal: Terminal) -> Self {
        Self { terminal, keys: 0, letters: 0, transcript: String::new() }
    }

    /// Waits for a text, and notes the screen.
    fn sees(&mut self, text: &str) -> String {
        let screen = self.terminal.expect(text);
        self.transcript.push_str(&screen);
        self.transcript.push('\n');
        screen
    }

    /// Presses a key, and waits for what comes of it.
    fn press(&mut self, key: &str, then: &str) -> String {
        let _ = writeln!(self.transcript, "-- {key:?}");
        self.keys += 1;
        self.terminal.keys(key);
        self.sees(then)
    }

    /// Types letters.
    fn types(&mut self, text: &str, then: &str) -> String {
        let _ = writeln!(self.transcript, "-- types {text:?}");
        self.letters += text.chars().count();
        self.terminal.keys(text);
        self.sees(then)
    }

    /// Pastes, as a terminal does.
    fn pastes(&mut self, text: &str, then: &str) -> String {
        let _ = writeln!(self.transcript, "-- pastes {text:?}");
        self.keys += 1;
        self.terminal.keys(&format!("\x1b[200~{text}\x1b[201~"));
        self.sees(then)
    }

    /// What was copied last, through the terminal's clipboard.
    fn copied(&self) -> String {
        let raw = self.terminal.raw();
        let text = String::from_utf8_lossy(&raw);
        let last = text.rsplit_once("\x1b]52;c;").unwrap().1;
        let encoded = last.split(['\x07', '\x1b']).next().unwrap();
        String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap()
    }
}

/// The word of a screen that begins so.
fn word(screen: &str, begin: &str) -> String {
    let found = screen.split_whitespace().find(|word| word.starts_with(begin));
    found.unwrap_or_else(|| panic!("no {begin} in\n{screen}")).to_owned()
}

/// The key that is shown: the line under the name of its header.
fn key(screen: &str) -> String {
    let mut lines = screen.lines().skip_while(|line| line.trim() != "Api-Key");
    lines.nth(1).unwrap_or_else(|| panic!("no key in\n{screen}")).trim().to_owned()
}

fn sends(url: &str, key: &str, body: &Value) -> Answer {
    post_to(url, &[("Api-Key", key)], &body.to_string())
}

/// From nothing to the capture; the URL and the key.
fn to_capture(person: &mut Person) -> (String, String) {
    person.sees("make the first integration");
    person.press("i", "1 of 6 · name");
    person.types("Shop Orders", "shop-orders");
    person.press("\t", "Events");
    person.types("Orders", "Orders");
    person.press("\r", "2 of 6 · auth");
    let key = key(&person.press("\r", "It is shown this once"));
    person.press("y", "to the terminal's clipboard");
    assert_eq!(person.copied(), key, "what is copied is what is shown");
    let screen = person.press("\r", "3 of 6 · capture");
    let url = if screen.contains("http://") { screen } else { person.sees("http://") };
    (word(&url, "http://"), key)
}

#[test]
fn an_empty_folder_becomes_a_live_integration_with_keys_alone() {
    let target = Target::new(|_| (200, json!({"id": 7}).to_string()));
    let house = House::new();
    let listen = free().to_string();
    let began = std::time::Instant::now();
    let terminal = Terminal::start(&house.data(), &["run", "--listen", &listen], 24, 80);
    let mut person = Person::new(terminal);
    let (url, key) = to_capture(&mut person);
    person.sees("open 1m");
    // One without the key is refused, and the screen says so.
    assert_eq!(post_to(&url, &[], r#"{"order_number":"1"}"#).status, 401);
    person.sees("refused ");
    let answer = sends(&url, &key, &json!({"order_number": "10438", "customer": {"email": "a@b.c"}}));
    assert_eq!((answer.status, &answer.json()["state"]), (200, &json!("captured")), "{answer:?}");
    person.sees("body.order_number");
    person.press(" ", "need: 1");
    person.press("\r", "4 of 6 · dedup");
    person.press(" ", "are one");
    person.press("\r", "5 of 6 · step");
    person.types(&format!("{}/orders/{{{{ request.body.ord", target.url()), "order_number");
    let screen = person.press("\t", "request.body.order_number }}");
    assert!(screen.contains("5 of 6"), "{screen}");
    person.press("\r", "6 of 6");
    person.sees("/orders/10438");
    person.press("\r", "would go live");
    person.press("\r", "shop-orders is live");
    assert!(house.json(&["runs", "ls"]).as_array().unwrap().is_empty(), "nothing ran before");
    assert!(target.arrived().is_empty(), "nothing was sent before");

    // The next request starts a run that calls the target.
    let order = json!({"order_number": "10439", "customer": {"email": "d@e.f"}});
    let answer = sends(&url, &key, &order);
    assert!(answer.status == 200 && answer.json()["run"].is_string(), "{answer:?}");
    wait_for("the call", || (!target.arrived().is_empty()).then_some(()));
    let arrived = target.arrived();
    assert_eq!(arrived[0].path, "/orders/10439");
    assert_eq!(serde_json::from_str::<Value>(&arrived[0].body).unwrap(), order);
    assert_eq!(sends(&url, &key, &order).status, 204, "a second one is the same");
    assert_eq!(sends(&url, &key, &json!({"customer": 1})).status, 400, "what must be there is not");
    person.press("\r", "succeeded");
    println!("{}", person.transcript);
    println!(
        "{} keys and {} letters of names and a URL, in {:?}",
        person.keys,
        person.letters,
        began.elapsed()
    );
    assert!(person.keys <= 20, "{} keys", person.keys);
    // The document is one that a person would have written, and the key is nowhere in it or in the trail.
    let document = house.run(&["export", "shop-orders"]);
    assert!(document.starts_with("name = \"shop-orders\"\ntitle = \"Shop Orders\"\n"), "{document}");
    for told in [&document, &house.run(&["audit", "ls", "--output", "json"]), &house.run(&["key", "ls"])] {
        assert!(!told.contains(&key), "{told}");
    }
}

#[test]
fn what_was_begun_goes_on_after_a_kill_and_from_another_console() {
    let target = Target::fine();
    let house = House::new();
    let listen = free().to_string();
    let run = ["run", "--listen", listen.as_str()];
    let mut person = Person::new(Terminal::start(&house.data(), &run, 24, 80));
    let (url, key) = to_capture(&mut person);
    assert_eq!(sends(&url, &key, &json!({"no": 1})).status, 200);
    person.sees("body.no");
    person.press("\r", "4 of 6 · dedup");
    person.terminal.signal("KILL");
    person.terminal.ended();
    drop(person);

    // The first screen says how far it was, and what came is still there.
    let mut person = Person::new(Terminal::start(&house.data(), &run, 24, 80));
    person.sees("go on with shop-orders: step 4 of 6, dedup");
    let screen = person.press("\r", "4 of 6 · dedup");
    assert!(screen.contains("✓ capture"), "{screen}");
    person.sees("body.no");
    person.press(" ", "are one");
    person.press("\r", "5 of 6 · step");
    // Another console, on its row in the tree, by `i`; what the first one types then is told.
    let mut other = Person::new(Terminal::start(&house.data(), &["attach"], 24, 80));
    other.sees("go on with shop-orders: step 5 of 6, step");
    other.press("5", "step 5 of 6: step");
    other.press("i", "5 of 6 · step");
    other.pastes(&format!("curl {}/in -d '{{\"no\":\"2\"}}'", target.url()), "the step sends what");
    other.press("\r", "6 of 6");
    other.sees("POST http://");
    person.types("http://127.0.0.1:9/x", ":9/x");
    person.press("\r", "while you edited");
    person.sees("6 of 6");
    // It is deployed once.
    other.press("\r", "would go live");
    other.press("\r", "shop-orders is live");
    person.press("\r", "Deploy shop-orders");
    let told = person.terminal.until("what became of it", |screen| {
        screen.contains("saved") || screen.contains("while you edited") || screen.contains("no longer")
    });
    assert!(!told.contains("is live."), "{told}");
    assert_eq!(sends(&url, &key, &json!({"no": 2})).status, 200);
    wait_for("the call", || (target.arrived().len() == 1).then_some(()));
}

#[test]
fn what_is_typed_or_given_is_there_again_after_a_kill_and_no_key_is_left_over() {
    let house = House::new();
    let listen = free().to_string();
    let run = ["run", "--listen", listen.as_str()];
    let kept = house.data().join("console.json");
    let keeps = |text: &str| {
        let read = || std::fs::read_to_string(&kept).ok().filter(|all| all.contains(text));
        wait_for("what is typed to be kept", read);
    };
    let dies = |mut person: Person| {
        person.terminal.signal("KILL");
        person.terminal.ended();
    };
    let mut person = Person::new(Terminal::start(&house.data(), &run, 24, 80));
    person.sees("make the first integration");
    person.press("i", "1 of 6 · name");
    person.types("Shop Ord", "shop-ord");
    keeps("Shop Ord");
    dies(person);
    let mut person = Person::new(Terminal::start(&house.data(), &run, 24, 80));
    person.sees("make the first integration");
    person.press("i", "shop-ord");
    person.types("ers", "shop-orders");
    person.press("\r", "2 of 6 · auth");
    person.press("\r", "It is shown this once");
    person.press("\r", "3 of 6 · capture");
    // Back to the name, its flow gets another one; and by the way the senders another key.
    person.press("\x1b", "2 of 6 · auth");
    person.press("\x1b", "1 of 6 · name");
    person.types("\x15Renamed", "Renamed");
    person.press("\r", "2 of 6 · auth");
    person.press("j", "► basic");
    person.press("\r", "The key shop-orders, made before, is taken away");
    assert_eq!(house.run(&["key", "ls"]).lines().skip(1).count(), 1, "{}", house.run(&["key", "ls"]));
    person.press("\r", "3 of 6 · capture");
    person.sees("open 1m");
    person.pastes("{\"order\":\n \"10438\"}", "of JSON that was given");
    person.sees("body.order");
    keeps("10438");
    dies(person);
    let mut person = Person::new(Terminal::start(&house.data(), &run, 24, 80));
    person.sees("go on with shop-orders: step 3 of 6, capture");
    person.press("\r", "of JSON that was given");
    person.sees("body.order");
    person.press("\r", "4 of 6 · dedup");
    person.press("\r", "5 of 6 · step");
    person.types("http://127.0.0.1:9/{{ request.body.order", "request.body.order");
    keeps("request.body.order");
    dies(person);
    let mut person = Person::new(Terminal::start(&house.data(), &run, 24, 80));
    person.sees("go on with shop-orders: step 5 of 6, step");
    person.press("\r", "http://127.0.0.1:9/{{ request.body.order");
    person.types(" }}", "request.body.order }}");
    person.press("\r", "6 of 6");
    person.sees("http://127.0.0.1:9/10438");
}

#[test]
fn the_samples_are_loaded_after_their_plan_and_one_is_sent_to() {
    let house = House::new();
    let listen = free();
    let addr = listen.to_string();
    let mut person = Person::new(Terminal::start(&house.data(), &["run", "--listen", &addr], 24, 80));
    person.sees("load the samples");
    person.press(DOWN, "load the samples");
    person.press("\r", "would go live");
    assert!(
        house.json(&["integrations", "ls"]).as_array().unwrap().is_empty(),
        "only the plan was asked for"
    );
    let screen = person.press("\r", "integrations are live");
    assert!(screen.contains("shop-orders / Orders") && screen.contains("/in/"), "{screen}");
    // The row that is chosen copies a command that sends.
    for _ in 0..9 {
        if person.terminal.text().lines().any(|line| line.contains('▌') && line.contains("shop-orders")) {
            break;
        }
        person.terminal.keys(DOWN);
        person.terminal.settled();
    }
    person.press("\r", "to the terminal's clipboard");
    let command = person.copied();
    let (body, url) = command.strip_prefix("curl --json '").unwrap().split_once("' ").unwrap();
    let answer = post_to(url, &[], body);
    assert!(answer.status == 200 && answer.json()["run"].is_string(), "{answer:?}");
    person.sees("shop-orders");
    // Again there is nothing to load, and that is said.
    person.press(":", "Palette");
    person.types("load the samples", "load the samples");
    person.press("\r", "the samples are all there already");
    assert!(url.ends_with("/in/orders"), "{url}");
    assert_eq!(post_to(url, &[], body).status, 204, "its order came already");
}

#[test]
fn a_file_is_applied_and_its_mistakes_have_file_and_line() {
    let house = House::new();
    let addr = free().to_string();
    let broken = house.file("broken.toml", "name = \"acme\"\n[[flow]]\nname = \"X\"\nnonsense = 1\n");
    let sound = house.file(
        "sound.toml",
        "name = \"acme\"\n[[flow]]\nname = \"X\"\n[flow.trigger]\ntype = \"webhook\"\nauth = { type = \"none\" }\n",
    );
    let mut person = Person::new(Terminal::start(&house.data(), &["run", "--listen", &addr], 30, 140));
    person.sees("apply a file");
    person.press(UP, "apply a file");
    person.press(DOWN, "apply a file");
    person.press(DOWN, "apply a file");
    person.press("\r", "A document in TOML");
    person.types("/nowhere.toml", "/nowhere.toml");
    person.press("\r", "cannot be read");
    person.press("\x15", "A document in TOML");
    person.types(broken.to_str().unwrap(), "broken.toml");
    let screen = person.press("\r", "broken.toml:4:1");
    assert!(screen.contains("nonsense"), "{screen}");
    person.terminal.keys("\x1b");
    person.terminal.until("the box to close", |screen| !screen.contains("broken.toml"));
    person.press("\r", "A document in TOML");
    person.types(sound.to_str().unwrap(), "sound.toml");
    person.press("\r", "acme is new: v1 would go live");
    let screen = person.press("\r", "acme v1 is live");
    assert!(screen.contains("/in/"), "{screen}");
}

#[test]
fn where_nothing_may_be_made_the_keys_say_why() {
    let house = House::new();
    let addr = free().to_string();
    let _server = Beside::start(&house.data(), &["serve", "--listen", &addr]);
    let terminal = Terminal::start(&house.data(), &["attach", "--read-only"], 24, 80);
    let mut person = Person::new(terminal);
    person.sees("make the first integration");
    person.press("i", "new is not possible: this console is read-only");
    person.press(DOWN, "load the samples");
    person.press("\r", "loading the samples is not possible");
    // Attached with all rights it is the same as beside the receiver.
    let mut person = Person::new(Terminal::start(&house.data(), &["attach"], 24, 80));
    person.terminal.settled();
    let (url, key) = to_capture(&mut person);
    assert_eq!(sends(&url, &key, &json!({"no": 1})).status, 200);
    person.sees("body.no");
    person.press("\x1b", "2 of 6 · auth");
    person.press("q", "kept as a draft");
}
