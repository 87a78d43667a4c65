//! Two people at one server: what one does the other sees, and who may do what.

use super::super::common::{Target, wait_for};
use super::super::terminal::Terminal;
use super::{Gate, document};
use std::time::{Duration, Instant};

#[test]
fn what_one_does_appears_at_the_other_who_only_looks() {
    let gate = Gate::open();
    let target = Target::new(|_| (500, "{}".into()));
    gate.house.apply(&document(&target.url()));
    assert_eq!(gate.house.post("orders", "{}").status, 200);
    let errored = || gate.runs(1).first().filter(|(_, state)| state == "errored").cloned();
    let (run, _) = wait_for("the run to be errored", errored);
    let ben = gate.operator("ben", "viewer");
    let mut looks = gate.attach(&ben, &[], 40, 140);
    looks.until("ben's console", |screen| screen.contains("attached ben@") && screen.contains("READ-ONLY"));
    let mut acts = Terminal::start(&gate.house.data(), &["attach"], 40, 140);
    acts.expect("attached anna@");
    for console in [&mut looks, &mut acts] {
        console.keys("3/state:errored or state:succeeded\r");
        console.until("the run", |screen| screen.contains("errored") && screen.contains(&run));
        console.keys("\r");
        console.expect("Timeline");
    }
    // Each sees the other in the title of the run.
    looks.expect("anna is here");
    acts.expect("ben is here");
    // Who looks is refused here, and was over the API.
    looks.keys("r");
    looks.expect("retry is not possible: this console is read-only (your role is viewer)");
    looks.keys("\x1b[A");
    acts.keys("r");
    acts.until("the plan", |screen| screen.contains("Retry") && !screen.contains("asking the store"));
    let begun = Instant::now();
    acts.keys("\r");
    looks.expect(&format!("anna retried {run}"));
    let seen = begun.elapsed();
    println!("the act was seen at the other console {seen:?} after its key");
    // Half a second on a machine that has nothing else to do.
    assert!(seen < Duration::from_secs(5), "{seen:?}");
    acts.expect("Retried");
    assert!(!acts.text().contains("anna retried"), "what one does oneself is no news");
    // A command line is somebody else, too.
    let errored = || gate.runs(1).first().filter(|(_, state)| state == "errored").cloned();
    wait_for("the run to be errored again", errored);
    gate.house.run(&["runs", "abort", &run, "--yes", "--reason", "enough"]);
    acts.expect(&format!("anna aborted {run}"));
    // Who is here, and where.
    acts.keys(":consoles\r");
    let list = acts.until("the list", |screen| {
        screen.contains("Consoles") && screen.contains("viewer") && screen.contains("127.0.0.1")
    });
    assert!(
        list.contains("anna") && list.contains("this console") && list.contains(&format!("Runs › {run}")),
        "{list}"
    );
    // One goes; the list follows, and the server does not care.
    looks.keys("q");
    looks.keys("q");
    assert_eq!(looks.ended(), 0);
    looks.restored();
    acts.until("ben has gone", |screen| screen.contains("Consoles") && !screen.contains("viewer"));
    // The trail has a name at every act.
    let trail = gate.house.json(&["audit", "ls"]);
    let trail = trail.as_array().unwrap();
    let verbs: Vec<_> = trail.iter().map(|entry| (entry["who"].as_str(), entry["verb"].as_str())).collect();
    assert!(verbs.contains(&(Some("anna"), Some("retry"))), "{verbs:?}");
}

#[test]
fn an_operator_steers_and_does_not_deploy() {
    let gate = Gate::open();
    let target = Target::new(|_| (500, "{}".into()));
    gate.house.apply(&document(&target.url()));
    gate.house.run(&[
        "apply",
        gate.house.file("draft.toml", &document("http://127.0.0.1:9")).to_str().unwrap(),
        "--draft",
    ]);
    assert_eq!(gate.house.post("orders", "{}").status, 200);
    wait_for("the run to be errored", || {
        gate.runs(1).first().filter(|(_, state)| state == "errored").cloned()
    });
    let ops = gate.operator("ops", "operator");
    let mut console = gate.attach(&ops, &[], 40, 140);
    console.until("no READ-ONLY", |screen| screen.contains("attached ops@") && !screen.contains("READ-ONLY"));
    console.keys("5");
    console.expect("shop");
    console.keys("D");
    console.expect("deploy needs the role admin; you are operator");
    console.keys("3/state:errored\r");
    console.until("the run", |screen| screen.contains("! errored"));
    console.keys("r");
    console.until("the plan", |screen| screen.contains("Retry") && !screen.contains("asking the store"));
    console.keys("\r");
    console.expect("Retried");
    wait_for("the name at the act", || {
        let trail = gate.house.json(&["audit", "ls"]);
        trail
            .as_array()
            .unwrap()
            .iter()
            .any(|entry| entry["who"] == "ops" && entry["verb"] == "retry")
            .then_some(())
    });
    // The same token, and less: a flag of one's own.
    let looks = gate.attach(&ops, &["--read-only"], 40, 140);
    looks.expect("READ-ONLY");
}
