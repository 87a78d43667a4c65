//! "Order X among a million: why was it a duplicate?", as keys and screens.

use super::MILLION;
use super::make::{FIRST, Made};
use crate::common::House;
use crate::terminal::Terminal;
use pointsman::model::id::short;
use std::time::Instant;

pub fn why_was_it_a_duplicate(house: &House, made: &Made) {
    let order = FIRST + 500_008;
    let (copy, first) = (made.id(500_009), made.id(500_008));
    let (copy, first) = (short(&copy).to_owned(), short(&first).to_owned());
    let mut terminal = Terminal::start(&house.data(), &["run", "--listen", "127.0.0.1:0"], 40, 140);
    let screen = terminal.until("the first page", |screen| screen.contains("✓ accepted"));
    assert!(screen.contains("1 Live"), "{screen}");
    terminal.keys("2");
    terminal.until("how many there are", |screen| screen.contains("Requests · following · 1,000,003"));
    // Keys: 2 / body.order_number=X enter.
    let clock = Instant::now();
    terminal.keys("/");
    terminal.keys(&format!("body.order_number={order}"));
    terminal.keys("\r");
    let screen = terminal.until("both, and why", |screen| {
        screen.contains("≡ duplicate") && screen.contains(&format!("{copy} is a duplicate of {first}"))
    });
    println!(
        "{:>9.1} ms  from the first key of the filter to why\n{screen}",
        clock.elapsed().as_secs_f64() * 1e3
    );
    let row = |word: &str| screen.lines().position(|line| line.contains(word)).unwrap();
    assert!(row("✓ accepted") < row("≡ duplicate"), "the newest match is the last");
    let selected = screen.lines().find(|line| line.starts_with('▌')).unwrap();
    assert!(selected.contains("≡ duplicate"), "{selected}");
    let rule = order.to_string();
    let told = screen.lines().any(|line| line.contains("body.order_number  ") && line.contains(&rule));
    assert!(told, "why has the field and its value:\n{screen}");
    terminal.until("it has searched all", |screen| {
        screen.contains(&format!("2 of {}", with_commas(MILLION + 3))) && !screen.contains("searching")
    });
    // Enter: the whole page.
    terminal.keys("\r");
    let screen = terminal.until("the whole page", |screen| {
        screen.contains(&format!("{copy} is a duplicate of {first}")) && !screen.contains("✓ accepted")
    });
    assert!(screen.contains(&format!("Requests › body.order_number={order} › {copy}")), "{screen}");
    assert!(screen.contains("beside the first"), "{screen}");
    // Back to the same row.
    terminal.keys("\x1b");
    terminal.until("the list", |screen| {
        screen.contains("✓ accepted")
            && screen.lines().any(|line| line.starts_with('▌') && line.contains('≡'))
    });
    // F: off and on again, nothing typed anew.
    terminal.keys("F");
    terminal.until("the filter is off", |screen| screen.contains("/ off: body"));
    terminal.keys("F");
    terminal
        .until("the filter is on", |screen| screen.contains("2 of 1,000,003") && screen.contains("/ body"));
    // What is wrong stands at its token, and the last valid filter stays in force.
    terminal.keys("/ and body.total>>100");
    let screen = terminal.expect("a number or a word is expected");
    assert!(screen.contains("the last valid filter stays") && screen.contains("≡ duplicate"), "{screen}");
    terminal.keys("\x1b");
    terminal.until("the line is closed", |screen| !screen.contains("the last valid filter stays"));
    // An id pasted anywhere leads to what has it.
    terminal.keys("1");
    terminal.until("the first screen", |screen| screen.contains("Needs you"));
    terminal.keys(&format!("\x1b[200~{}\x1b[201~", made.id(250_000)));
    terminal.until("what has the id", |screen| {
        screen.contains("Palette") && screen.contains("· shop / Orders ·")
    });
    terminal.keys("\r");
    terminal.expect(&format!("request {}", short(&made.id(250_000))));
    terminal.keys("q");
    terminal.until("the root", |screen| screen.contains("Needs you"));
    terminal.keys("q");
    terminal.expect("Quitting stops the receiver");
    terminal.keys("\x1b[C\r");
    assert_eq!(terminal.ended(), 0);
    terminal.restored();
}

pub fn with_commas(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
