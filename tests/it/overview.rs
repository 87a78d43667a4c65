//! *Overview* from outside: figures that survive restarts and kill -9, under other clocks, on the
//! command line and on the screen.

use super::common::{House, Target, wait_for};
use super::terminal::{RUN, Terminal};
use serde_json::Value;

fn document(target: &str) -> String {
    format!(
        r#"
name = "shop"
[[flow]]
name = "Orders"
[flow.trigger]
type = "webhook"
path = "orders"
auth = {{ type = "none" }}
dedup = {{ fields = ["body.n"] }}
required = ["body.n"]
when = "{{{{ request.body.n != 0 }}}}"
[[flow.step]]
name = "push"
type = "request"
url = "{target}/push/{{{{ request.body.n }}}}"
json = {{ n = "{{{{ request.body.n }}}}" }}
timeout = "2s"
"#
    )
}

fn overview(house: &House, span: &str) -> Value {
    house.json(&["overview", "--span", span])
}

fn total(view: &Value, verdict: &str) -> u64 {
    view["requests"][verdict]["total"].as_u64().unwrap()
}

/// Two orders, a copy, one that is filtered, two that are refused; the second order is refused by its
/// target.
fn traffic(house: &House, first: u64) {
    for n in [first, first + 1] {
        assert_eq!(house.post("orders", &format!(r#"{{"n":{n}}}"#)).status, 200);
    }
    assert_eq!(house.post("orders", &format!(r#"{{"n":{first}}}"#)).status, 204);
    assert_eq!(house.post("orders", r#"{"n":0}"#).status, 200);
    assert_eq!(house.post("orders", "{}").status, 400);
    assert_eq!(house.post("orders", "{").status, 400);
}

fn target() -> Target {
    Target::new(|arrived| match arrived.path.as_str() {
        "/push/2" => (422, "{}".into()),
        _ => (200, "{}".into()),
    })
}

fn ended(house: &House, succeeded: u64, errored: u64) -> Value {
    wait_for("the runs", || {
        let view = overview(house, "hour");
        let came = &view["runs"]["came"];
        (came["succeeded"] == succeeded && came["errored"] == errored).then_some(view)
    })
}

#[test]
fn figures_are_those_of_the_lists_and_survive_a_restart_and_a_kill() {
    let (house, target) = (House::new(), target());
    house.apply(&document(&target.url()));
    house.serve();
    traffic(&house, 1);
    let view = ended(&house, 1, 1);
    assert_eq!(["accepted", "duplicate", "filtered", "rejected"].map(|it| total(&view, it)), [2, 1, 1, 2]);
    for verdict in ["accepted", "duplicate", "filtered", "rejected"] {
        let filter = format!("verdict:{verdict} since:{}", view["from"].as_str().unwrap());
        let rows = house.json(&["requests", "ls", &filter]);
        assert_eq!(rows.as_array().unwrap().len() as u64, total(&view, verdict), "{filter}");
    }
    let step = &view["steps"][0];
    assert_eq!(
        (step["step"].as_str(), step["n"].as_u64(), step["deadline_ms"].as_u64()),
        (Some("push"), Some(2), Some(2_000))
    );
    let error = &view["errors"][0];
    assert_eq!((error["step"].as_str(), error["n"].as_u64()), (Some("push"), Some(1)));
    let group = house.json(&["runs", "ls", &format!("group:{}", error["group"].as_str().unwrap())]);
    assert_eq!(group.as_array().unwrap().len(), 1);
    wait_for("the causes", || {
        let causes = overview(&house, "hour")["requests"]["causes"].clone();
        (causes.as_array().unwrap().iter().map(|one| one["n"].as_u64().unwrap()).sum::<u64>() == 2)
            .then_some(())
    });
    // Stopped in good order nothing is lost.
    house.stop();
    house.serve();
    for span in ["hour", "day", "week"] {
        let view = overview(&house, span);
        assert_eq!(["accepted", "rejected"].map(|it| total(&view, it)), [2, 2], "{span}");
        assert_eq!(
            (view["runs"]["came"]["succeeded"].as_u64(), view["steps"][0]["n"].as_u64()),
            (Some(1), Some(2)),
            "{span}"
        );
    }
    // Killed within ten seconds of it the verdicts are counted again from the ledger.
    traffic(&house, 11);
    house.kill();
    house.serve();
    let view = overview(&house, "day");
    assert_eq!(["accepted", "duplicate", "filtered", "rejected"].map(|it| total(&view, it)), [4, 2, 2, 4]);
    // All three outputs, and a span that there is none of.
    let text = house.run(&["overview"]);
    for word in ["Last hour, since ", "accepted", "shop / Orders · push", "runs ended", "commit        p50"]
    {
        assert!(text.contains(word), "{text}");
    }
    let plain = house.run(&["overview", "--ascii"]);
    assert!(text.contains('█') && !plain.contains('█') && plain.contains('#'), "{plain}");
    assert_eq!(house.try_run(&["overview", "--span", "year"]).status.code(), Some(2));
}

#[test]
fn where_the_process_was_down_is_a_gap_and_clocks_that_jump_spoil_nothing() {
    let (mut house, target) = (House::new(), target());
    house.apply(&document(&target.url()));
    house.serve();
    traffic(&house, 1);
    ended(&house, 1, 1);
    house.kill();
    let down =
        |points: &Value| -> Vec<bool> { points.as_array().unwrap().iter().map(Value::is_null).collect() };
    // Forty minutes later: what was in between is not zero, it is not known.
    house.run_under(&["faketime", "-f", "+40m"]);
    house.serve();
    let view = wait_for("its figures", || {
        let view = overview(&house, "hour");
        (total(&view, "accepted") == 2).then_some(view)
    });
    let gaps = down(&view["requests"]["accepted"]["points"]);
    assert_eq!(gaps.len(), 60);
    let known: Vec<usize> = (0..60).filter(|at| !gaps[*at]).collect();
    assert!(known.contains(&59) && known.iter().any(|at| (15..=22).contains(at)), "{known:?}");
    assert!(gaps[30] && gaps[50], "{known:?}");
    house.stop();
    // An hour back, and three days ahead: engine time never goes back, and old minutes leave.
    house.run_under(&["faketime", "-f", "-20m"]);
    house.serve();
    traffic(&house, 21);
    let view = wait_for("figures under a clock that went back", || {
        let view = overview(&house, "hour");
        (total(&view, "accepted") == 4).then_some(view)
    });
    assert_eq!(view["requests"]["accepted"]["points"].as_array().unwrap().len(), 60);
    house.stop();
    house.run_under(&["faketime", "-f", "+3d"]);
    house.serve();
    assert_eq!(house.post("orders", r#"{"n":31}"#).status, 200);
    let view = overview(&house, "hour");
    assert_eq!(total(&view, "accepted"), 1);
    let view = overview(&house, "week");
    assert_eq!((total(&view, "accepted"), total(&view, "rejected")), (5, 4));
    assert_eq!(view["requests"]["accepted"]["points"].as_array().unwrap().len(), 672);
}

#[test]
fn the_screen_says_what_the_command_line_says_and_opens_what_it_counts() {
    let (house, target) = (House::new(), target());
    house.apply(&document(&target.url()));
    house.serve();
    traffic(&house, 1);
    ended(&house, 1, 1);
    house.stop();
    let told = house.run(&["overview"]);
    let mut terminal = Terminal::start(&house.data(), RUN, 50, 160);
    terminal.expect("Needs you");
    terminal.keys("6");
    let screen = terminal.until("the figures", |screen| {
        screen.contains("HOUR day week") && screen.contains("shop / Orders · push")
    });
    let figures = |text: &str, label: &str, n: usize| -> Vec<String> {
        let line =
            text.lines().find(|line| line.contains(label)).unwrap_or_else(|| panic!("{label}: {text}"));
        let rest = &line[line.find(label).unwrap() + label.len()..];
        let words = rest.split_whitespace().filter(|word| word.starts_with(|c: char| c.is_ascii_digit()));
        words.take(n).map(str::to_owned).collect()
    };
    for (label, n) in [("accepted", 2), ("duplicate", 2), ("filtered", 2), ("rejected", 2)] {
        let from = screen.find("Last hour").unwrap();
        assert_eq!(figures(&screen[from..], label, n), figures(&told, label, n), "{label}\n{screen}\n{told}");
    }
    assert_eq!(figures(&screen, "· push", 4), figures(&told, "· push", 4), "{screen}\n{told}");
    assert_eq!(figures(&screen, "succeeded", 1), figures(&told, "succeeded", 1));
    // From the rejected ones to their requests, and back.
    terminal.keys("jjj\r");
    terminal.until("the two refusals", |screen| {
        screen.contains("Overview › Requests") && screen.matches("✗ rejected").count() == 2
    });
    terminal.keys("\u{1b}");
    terminal.expect("Overview › hour");
    terminal.keys("v");
    terminal.expect("hour DAY week");
    // To the runs that are errored, through the panes.
    terminal.keys("\t\tjjjj\r");
    terminal
        .until("the errored run", |screen| screen.contains("state:errored") && screen.contains("! errored"));
}

#[test]
fn the_screen_is_still_while_nothing_happens() {
    let house = House::new();
    house.apply(&document("http://127.0.0.1:9"));
    let mut terminal = Terminal::start(&house.data(), RUN, 24, 80);
    terminal.expect("Live › ");
    terminal.keys("6");
    terminal.until("the figures", |screen| screen.contains("accepted") && screen.contains("commit p50"));
    // Figures come to rest after the start; a minute that ends makes another hour of them.
    wait_for("three seconds without a byte", || {
        let before = terminal.written();
        std::thread::sleep(std::time::Duration::from_secs(3));
        (terminal.written() == before).then_some(())
    });
}
