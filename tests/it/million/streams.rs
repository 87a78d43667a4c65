//! Searches that no index serves: they tell how far they are, end, and are stopped.

use super::make::{APART, FIRST, Made};
use crate::common::House;
use crate::terminal::Terminal;
use pointsman::model::time::rfc3339;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// `61` of `… 61 % · …`, in the line that tells of a search.
fn percent(screen: &str) -> Option<u32> {
    let line = screen.lines().find(|line| line.contains(" % · ") && line.contains(" found"))?;
    line.split_once(" % · ")?.0.split_whitespace().next_back()?.parse().ok()
}

fn attached(house: &House, rows: u16, columns: u16) -> Terminal {
    let terminal = Terminal::start(&house.data(), &["attach"], rows, columns);
    terminal.until("the rows", |screen| screen.contains("✓ accepted"));
    terminal
}

/// What it found comes newest first while it goes on, over an attached session too.
pub fn a_search_streams_and_ends(house: &House, made: &Made) {
    let mut terminal = attached(house, 40, 140);
    terminal.keys("2");
    terminal.expect("Requests · following");
    // A fifth of them, so that it ends soon: c900007 and c900107 are among these.
    let since = rfc3339(made.begun + 800_000 * APART);
    terminal.keys(&format!("/body.customer~\"^c900[01]07$\" since:{since}\r"));
    let clock = Instant::now();
    let screen = terminal.until("how far it is", |screen| screen.contains("searching values, no index: "));
    assert!(screen.contains("found so far · esc stops"), "{screen}");
    let (mut last, mut steps) = (0, 0);
    let screen = terminal.until_long("its end", |screen| {
        if let Some(now) = percent(screen) {
            assert!(now >= last && now < 100, "{last} % then {now} %:\n{screen}");
            steps += u32::from(now > last);
            last = now;
        }
        screen.contains("following · 2 of 1,000,003")
    });
    println!(
        "{:>9.1} ms  a search over 200,000 rows, {steps} steps seen",
        clock.elapsed().as_secs_f64() * 1e3
    );
    assert!(steps > 2, "it told how far it was");
    assert!(!screen.contains("searching") && !screen.contains("esc stops"), "{screen}");
    assert_eq!(screen.matches("✓ accepted").count(), 2, "{screen}");
}

/// Esc and ctrl-c keep what was found and say how far the search came; another filter drops it.
pub fn a_search_is_stopped_and_another_drops_it(house: &House) {
    let mut terminal = attached(house, 24, 80);
    terminal.keys("2");
    terminal.expect("Requests · following");
    // The newest was sent by hand: it is found at once, and nothing else is.
    terminal.keys("/body.customer~\"^first$\"\r");
    terminal.until("it found some", |screen| screen.contains("2 found") && screen.contains("esc stops"));
    terminal.until("it gets on", |screen| percent(screen).is_some_and(|percent| percent > 0));
    terminal.keys("\x1b");
    let screen = terminal.expect("k goes on");
    assert!(screen.contains("2 found") && screen.contains("accepted"), "what was found is kept:\n{screen}");
    let at = percent(&screen).unwrap();
    std::thread::sleep(Duration::from_secs(1));
    let later = terminal.text();
    assert_eq!(percent(&later), Some(at), "it stays stopped:\n{later}");
    // Up past the first row goes on, and ctrl-c stops it too, without asking to quit.
    terminal.keys("kkk");
    terminal.until("it goes on", |screen| screen.contains("esc stops"));
    terminal.keys("\x03");
    let screen = terminal.expect("k goes on");
    assert!(!screen.contains("Quit"), "{screen}");
    // Another filter drops what is being searched.
    terminal.keys("kkk");
    terminal.until("it goes on", |screen| screen.contains("esc stops"));
    let clock = Instant::now();
    terminal.keys("/");
    // What was typed before is in the line.
    terminal.keys("\x15verdict:rejected\r");
    terminal.until("the rows of the other", |screen| {
        screen.contains("✗ rejected") && !screen.contains("esc stops") && !screen.contains("k goes on")
    });
    println!("{:>9.1} ms  another filter in place of a search", clock.elapsed().as_secs_f64() * 1e3);
    // The same for runs: by a value of the request, and one that nothing knows.
    terminal.keys("3");
    terminal.until("the runs", |screen| screen.contains("Runs · following"));
    terminal.keys("/body.customer~\"^nobody$\"\r");
    terminal.until("how far it is", |screen| screen.contains("0 found"));
    terminal.keys("\x03");
    let screen = terminal.expect("k goes on");
    assert!(screen.contains("stopped at ") && screen.contains("0 found"), "{screen}");
    terminal.keys("q");
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
}

/// `requests ls FILTER` has every match, whatever serves it, and ctrl-c ends it.
pub fn the_command_line_is_complete_and_ends_at_ctrl_c(house: &House, made: &Made) {
    let order = format!("body.order_number={}", FIRST + 500_008);
    let found = house.json(&["requests", "ls", &order]);
    let ids: Vec<&str> = found.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [made.id(500_009), made.id(500_008)]);
    let since = format!("since:{}", rfc3339(made.begun + 950_000 * APART));
    let clock = Instant::now();
    let found = house.json(&["requests", "ls", "body.customer~^c9600", &since, "--limit", "0"]);
    println!("{:>9.1} ms  a list of 100 among 50,000", clock.elapsed().as_secs_f64() * 1e3);
    assert_eq!(found.as_array().unwrap().len(), 100);
    let found = house.json(&["requests", "ls", "body.customer~^c9600", &since, "--limit", "7"]);
    assert_eq!(found.as_array().unwrap().len(), 7);
    let mut endless = Command::new(env!("CARGO_BIN_EXE_pointsman"))
        .args(["requests", "ls", "body.customer~\"^first$|nobody\"", "--output", "json"])
        .env("POINTSMAN_DATA", house.data())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_secs(2));
    assert!(endless.try_wait().unwrap().is_none(), "it searches");
    Command::new("kill").args(["-INT", &endless.id().to_string()]).status().unwrap();
    let ended = endless.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130));
    let kept: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(kept.as_array().unwrap().len(), 2, "what was found is whole JSON");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("interrupted: ") && said.contains(" % was searched"), "{said}");
}
