//! `for_each` with the real binary: a request an item, eight at once, each with its own outcome.

use super::common::{House, Target, wait_for};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Pushes each product by itself, then sends what the target called them.
fn document(target: &str, keys: &str) -> String {
    format!(
        r#"
name = "shop"
[[flow]]
name = "Products"
[flow.trigger]
type = "webhook"
path = "products"
auth = {{ type = "none" }}
[[flow.step]]
name = "push"
type = "request"
url = "{target}/push/{{{{ item.sku }}}}"
json = {{ sku = "{{{{ item.sku }}}}", of = "{{{{ request.body.order }}}}" }}
for_each = "{{{{ request.body.products }}}}"
outputs = {{ id = "body.id" }}
{keys}
[[flow.step]]
name = "tell"
type = "request"
url = "{target}/tell/{{{{ steps.push[0].outputs.id }}}}"
json = {{ first = "{{{{ steps.push[0].outputs.id }}}}", all = "{{% for one in steps.push %}}{{{{ one.outputs.id | default('none') }}}},{{% endfor %}}", count = "{{{{ steps.push | length }}}}" }}
"#
    )
}

fn products(n: usize) -> String {
    let products: Vec<Value> = (0..n).map(|at| json!({"sku": at})).collect();
    json!({"order": "A-1", "products": products}).to_string()
}

/// The item of a request that arrived at the target.
fn sku(path: &str) -> Option<usize> {
    path.strip_prefix("/push/")?.parse().ok()
}

fn run_in(house: &House, state: &str) -> String {
    wait_for(state, || {
        let runs = house.json(&["runs", "ls", &format!("state:{state}")]);
        runs[0]["id"].as_str().map(str::to_owned)
    })
}

#[test]
fn eight_at_once_two_fail_and_a_retry_sends_those_two_under_the_same_keys() {
    let house = House::new();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let healed = Arc::new(AtomicBool::new(false));
    let (under_way, peak, fine) = (now.clone(), most.clone(), healed.clone());
    let target = Target::new(move |arrived| {
        let Some(sku) = sku(&arrived.path) else { return (200, "{}".into()) };
        let n = under_way.fetch_add(1, Ordering::SeqCst) + 1;
        peak.fetch_max(n, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(30));
        under_way.fetch_sub(1, Ordering::SeqCst);
        if matches!(sku, 7 | 31) && !fine.load(Ordering::SeqCst) {
            return (422, "{\"error\":\"no such product\"}".into());
        }
        (200, format!("{{\"id\":\"p{sku}\"}}"))
    });
    house.apply(&document(&target.url(), ""));
    house.serve();
    assert_eq!(house.post("products", &products(40)).status, 200);
    let id = run_in(&house, "errored");

    let run = house.json(&["runs", "show", &id]);
    let step = &run["steps"][0];
    assert!(step["cause"].as_str().unwrap().starts_with("2 of 40 items failed: "), "{step}");
    assert_eq!(run["cause"], step["cause"]);
    let items = step["items"].as_array().unwrap();
    assert_eq!(items.len(), 40);
    for (at, item) in items.iter().enumerate() {
        let failed = matches!(at, 7 | 31);
        assert_eq!(item["index"], at);
        assert_eq!(item["state"], if failed { "errored" } else { "succeeded" });
        assert_eq!(item["attempts"], 1);
        assert_eq!(item["cause"].is_null(), !failed, "{item}");
    }
    let attempts = step["attempts"].as_array().unwrap();
    let own: Vec<&Value> = attempts.iter().filter(|attempt| attempt["item"] == 31).collect();
    assert_eq!(own.len(), 1);
    assert_eq!((&own[0]["status"], &own[0]["outcome"]), (&json!(422), &json!("refused")));
    assert!(own[0]["request"]["url"].as_str().unwrap().ends_with("/push/31"));
    assert_eq!(own[0]["request"]["body"], "{\"sku\":31,\"of\":\"A-1\"}");
    assert_eq!(most.load(Ordering::SeqCst), 8, "as many as may be, and no more");
    let text = house.run(&["runs", "show", &id]);
    assert!(text.contains("items 38/40, 2 errored"), "{text}");
    assert!(text.contains("item 31"), "{text}");
    let groups = house.json(&["groups", "ls"]);
    assert_eq!((&groups[0]["step"], &groups[0]["count"]), (&json!("push"), &json!(1)));

    // Which key each item went out under: the run's id, the step's name, the index.
    let keys = |from: usize| -> BTreeMap<usize, Vec<String>> {
        let mut keys: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for arrived in target.arrived().iter().skip(from) {
            if let Some(sku) = sku(&arrived.path) {
                keys.entry(sku).or_default().push(arrived.header("idempotency-key").unwrap().to_owned());
            }
        }
        keys
    };
    let first = keys(0);
    for (sku, keys) in &first {
        assert_eq!(*keys, [format!("{id}.push.{sku}")]);
    }
    let plan = house.try_run(&["runs", "retry", &id, "--dry-run"]);
    let plan = String::from_utf8_lossy(&plan.stdout) + String::from_utf8_lossy(&plan.stderr);
    assert!(plan.contains("2 of 40 items of push"), "{plan}");
    assert!(plan.contains(&format!("2 to {}", target.addr())), "requests, not runs: {plan}");
    healed.store(true, Ordering::SeqCst);
    let before = target.arrived().len();
    house.run(&["runs", "retry", &id, "--yes"]);
    assert_eq!(run_in(&house, "succeeded"), id);
    let second = keys(before);
    assert_eq!(second.keys().copied().collect::<Vec<_>>(), [7, 31]);
    for sku in [7, 31] {
        assert_eq!(second[&sku], first[&sku]);
    }

    // The later step saw the list.
    let told = target.arrived().into_iter().find(|arrived| arrived.path.starts_with("/tell/")).unwrap();
    assert_eq!(told.path, "/tell/p0");
    let body: Value = serde_json::from_str(&told.body).unwrap();
    let all = (0..40).map(|at| format!("p{at}")).collect::<Vec<_>>().join(",") + ",";
    assert_eq!(body, json!({"first": "p0", "all": all, "count": 40}));
    house.run(&["doctor"]);
}

#[test]
fn a_failed_item_is_continued_without_its_body_and_no_items_are_no_requests() {
    let house = House::new();
    let target = Target::new(|arrived| match sku(&arrived.path) {
        Some(1) => (404, "{}".into()),
        Some(sku) => (200, format!("{{\"id\":\"p{sku}\"}}")),
        None => (200, "{}".into()),
    });
    house.apply(&document(&target.url(), "on_error = \"continue\""));
    house.serve();
    house.post("products", &products(3));
    let id = run_in(&house, "succeeded_with_skips");
    let run = house.json(&["runs", "show", &id]);
    assert_eq!(run["steps"][0]["state"], "failed");
    let told = target.arrived().into_iter().find(|arrived| arrived.path.starts_with("/tell/")).unwrap();
    let body: Value = serde_json::from_str(&told.body).unwrap();
    assert_eq!(body["all"], "p0,none,p2,");

    // An empty list, and none at all: the step is done at once.
    house.apply(&document(&target.url(), "").replace("/tell/{{ steps.push[0].outputs.id }}", "/tell/none"));
    let before = target.arrived().len();
    for body in ["{\"products\":[]}", "{}"] {
        house.post("products", body);
    }
    wait_for("two more runs", || {
        let runs = house.json(&["runs", "ls", "state:succeeded"]);
        (runs.as_array().unwrap().len() == 2).then_some(())
    });
    assert_eq!(target.arrived().len(), before + 2, "the later step alone");
    // What is no list, and too many.
    for (body, wanted) in [
        ("{\"products\":{}}".to_owned(), "for_each is an object, a list is wanted"),
        (products(1_001), "for_each has 1001 items, at most 1000 are possible"),
    ] {
        house.post("products", &body);
        wait_for(wanted, || {
            let runs = house.json(&["runs", "ls", "state:errored"]);
            runs[0]["cause"].as_str().filter(|cause| cause.contains(wanted)).map(|_| ())
        });
    }
}

#[test]
fn a_kill_in_the_middle_sends_nothing_again_that_is_done() {
    for idempotent in [true, false] {
        let house = House::new();
        let target = Target::new(|arrived| match sku(&arrived.path) {
            Some(sku) => {
                std::thread::sleep(Duration::from_millis(20));
                (200, format!("{{\"id\":\"p{sku}\"}}"))
            }
            None => (200, "{}".into()),
        });
        house.apply(&document(&target.url(), &format!("idempotent = {idempotent}")));
        house.serve();
        assert_eq!(house.post("products", &products(200)).status, 200);
        wait_for("the middle", || (target.arrived().len() >= 60).then_some(()));
        house.kill();
        let before = target.arrived();
        let sent: BTreeSet<usize> = before.iter().filter_map(|arrived| sku(&arrived.path)).collect();
        house.serve();
        let state = if idempotent { "succeeded" } else { "errored" };
        let id = run_in(&house, state);
        let run = house.json(&["runs", "show", &id]);
        let items = run["steps"][0]["items"].as_array().unwrap();
        let count = |state: &str| items.iter().filter(|item| item["state"] == state).count();
        // Of what was under way it is not known whether it arrived; at most eight were.
        let again: Vec<usize> = target.arrived()[before.len()..]
            .iter()
            .filter_map(|arrived| sku(&arrived.path))
            .filter(|sku| sent.contains(sku))
            .collect();
        assert!(again.len() <= 8, "{again:?}");
        if idempotent {
            assert_eq!(count("succeeded"), 200);
        } else {
            assert_eq!(again, [] as [usize; 0], "what may have been delivered waits for a person");
            assert!(count("errored") <= 8 && count("errored") > 0);
            assert_eq!(count("errored") + count("succeeded"), 200);
            let cause = run["cause"].as_str().unwrap();
            assert!(cause.contains("may have been delivered"), "{cause}");
            house.run(&["runs", "retry", &id, "--yes"]);
            assert_eq!(run_in(&house, "succeeded"), id);
        }
        // Every item arrived, under one key each, and at most the unknown ones twice.
        let mut keys: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for arrived in target.arrived() {
            if let Some(sku) = sku(&arrived.path) {
                keys.entry(sku).or_default().push(arrived.header("idempotency-key").unwrap().to_owned());
            }
        }
        assert_eq!(keys.len(), 200);
        assert!(keys.values().filter(|keys| keys.len() > 1).count() <= 8);
        for keys in keys.values() {
            assert!(keys.iter().all(|key| *key == keys[0]) && keys.len() <= 2, "{keys:?}");
        }
        house.run(&["doctor"]);
    }
}

#[test]
fn items_are_tried_again_by_themselves_and_an_abort_waits_for_those_under_way() {
    let house = House::new();
    let tries: Arc<Mutex<BTreeMap<usize, usize>>> = Arc::default();
    let counted = tries.clone();
    let (open, hold) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
    let (waits, gate) = (hold.clone(), open.clone());
    let target = Target::new(move |arrived| {
        let Some(sku) = sku(&arrived.path) else { return (200, "{}".into()) };
        let n = {
            let mut tries = counted.lock().unwrap();
            let n = tries.entry(sku).or_default();
            *n += 1;
            *n
        };
        if waits.load(Ordering::SeqCst) {
            wait_for("the gate", || gate.load(Ordering::SeqCst).then_some(()));
        }
        if sku % 5 == 0 && n < 3 { (503, "{}".into()) } else { (200, format!("{{\"id\":{sku}}}")) }
    });
    house.apply(&document(&target.url(), "retry = { attempts = 3, delay = \"100ms\" }"));
    house.serve();
    house.post("products", &products(20));
    let id = run_in(&house, "succeeded");
    let run = house.json(&["runs", "show", &id]);
    for item in run["steps"][0]["items"].as_array().unwrap() {
        let wanted = if item["index"].as_u64().unwrap() % 5 == 0 { 3 } else { 1 };
        assert_eq!(item["attempts"], wanted, "{item}");
    }

    tries.lock().unwrap().clear();
    open.store(false, Ordering::SeqCst);
    hold.store(true, Ordering::SeqCst);
    let before = target.arrived().len();
    house.post("products", &products(100));
    wait_for("eight", || (target.arrived().len() == before + 8).then_some(()));
    let id = run_in(&house, "running");
    house.run(&["runs", "abort", &id, "--yes"]);
    open.store(true, Ordering::SeqCst);
    assert_eq!(run_in(&house, "aborted"), id);
    assert_eq!(target.arrived().len(), before + 8, "nothing more left");
    let run = house.json(&["runs", "show", &id]);
    let ended = run["steps"][0]["attempts"].as_array().unwrap();
    assert!(ended.len() == 8 && ended.iter().all(|attempt| !attempt["outcome"].is_null()), "{ended:?}");
}

#[test]
fn items_wait_behind_an_open_breaker_without_an_attempt_and_each_is_sent_once_when_it_closes() {
    let house = House::new();
    let well = Arc::new(AtomicBool::new(false));
    let refused = Arc::new(AtomicUsize::new(0));
    let (is_well, says_no) = (well.clone(), refused.clone());
    let target = Target::new(move |arrived| {
        if is_well.load(Ordering::SeqCst) {
            return (200, format!("{{\"id\":\"p{}\"}}", sku(&arrived.path).unwrap_or_default()));
        }
        if sku(&arrived.path).is_some() {
            says_no.fetch_add(1, Ordering::SeqCst);
        }
        (503, "{}".into())
    });
    let other = format!(
        "[[flow]]\nname = \"Other\"\n[flow.trigger]\ntype = \"webhook\"\npath = \"other\"\n\
         auth = {{ type = \"none\" }}\n[[flow.step]]\nname = \"call\"\ntype = \"request\"\nurl = \"{}/other\"\n",
        target.url()
    );
    // The one item that tries the target now and then may need several attempts.
    let retry = "retry = { attempts = 9, delay = \"1s\" }";
    house.apply(&format!("{}\n{other}", document(&target.url(), retry)));
    house.serve();
    for _ in 0..10 {
        assert_eq!(house.post("other", "{}").status, 200);
    }
    wait_for("the breaker to open", || house.log().contains("breaker opened").then_some(()));

    assert_eq!(house.post("products", &products(40)).status, 200);
    let waiting = wait_for("the items to wait", || {
        let runs = house.json(&["runs", "ls", "flow:Products"]);
        let run = house.json(&["runs", "show", runs[0]["id"].as_str()?]);
        run["waits"].as_str()?;
        Some(run)
    });
    let attempts = |run: &Value| {
        let items = run["steps"][0]["items"].as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item["attempts"].as_u64().unwrap()).sum::<u64>()
    };
    // Nothing is spent on a target that is not sent to: at most by the one that tries.
    let tried = refused.load(Ordering::SeqCst) as u64;
    assert!(attempts(&waiting) <= tried, "{} attempts, {tried} arrived: {waiting}", attempts(&waiting));
    assert!(tried <= 2, "{tried} tries in so short a time");

    well.store(true, Ordering::SeqCst);
    let id = run_in(&house, "succeeded");
    let run = house.json(&["runs", "show", &id]);
    let refused = refused.load(Ordering::SeqCst);
    let mut arrived: BTreeMap<usize, usize> = BTreeMap::new();
    for sku in target.arrived().iter().filter_map(|arrived| sku(&arrived.path)) {
        *arrived.entry(sku).or_default() += 1;
    }
    assert_eq!(arrived.len(), 40, "{arrived:?}");
    assert_eq!(arrived.values().sum::<usize>(), 40 + refused, "each once, but for what was refused");
    assert_eq!(attempts(&run), 40 + refused as u64, "{run}");
    let items = run["steps"][0]["items"].as_array().unwrap();
    assert!(items.iter().all(|item| item["state"] == "succeeded"), "{run}");
}

#[test]
fn a_list_holds_of_a_thousand_attempts_the_last_ones_and_says_so() {
    let house = House::new();
    let target = Target::new(|arrived| (200, format!("{{\"id\":\"p{}\"}}", sku(&arrived.path).unwrap_or(0))));
    house.apply(&document(&target.url(), ""));
    house.serve();
    assert_eq!(house.post("products", &products(1_000)).status, 200);
    let id = run_in(&house, "succeeded");
    let shown = house.json(&["runs", "show", &id]);
    let count = |run: &Value, what: &str| run["steps"][0][what].as_array().map(Vec::len);
    assert_eq!((count(&shown, "attempts"), count(&shown, "items")), (Some(1_000), Some(1_000)));
    assert_eq!(shown["steps"][0]["attempts_left_out"], Value::Null);
    let text = house.run(&["runs", "ls", "--output", "json"]);
    let rows: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((count(&rows[0], "attempts"), count(&rows[0], "items")), (Some(20), Some(20)));
    assert_eq!(rows[0]["steps"][0]["attempts_left_out"], 980);
    assert_eq!(rows[0]["steps"][0]["item_counts"]["done"], 1_000);
    assert!(rows[0]["steps"][0]["attempts"][19]["request"].is_null(), "lists hold no bodies");
    assert!(text.len() < 64 * 1024, "{} bytes for one run", text.len());
    // Filters see all of them.
    let found = house.json(&["runs", "ls", "step.attempts>999"]);
    assert_eq!(found.as_array().unwrap().len(), 1);
}
