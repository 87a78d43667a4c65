//! How many bytes a key may cost a terminal at the other end of a slow line.

use super::hand::Hand;
use pointsman::console::draw;
use pointsman::console::term::FrameWriter;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use std::sync::atomic::Ordering;

#[test]
fn a_move_of_one_row_costs_a_few_hundred_bytes() {
    for (width, height, bound) in [(80, 24, 400), (160, 50, 500)] {
        let mut hand = Hand::new(width, height);
        let writer = FrameWriter::new(Vec::new());
        let written = writer.written();
        let viewport = Viewport::Fixed(Rect::new(0, 0, width, height));
        let mut terminal =
            Terminal::with_options(CrosstermBackend::new(writer), TerminalOptions { viewport }).unwrap();
        // Runs, where no pane beside the list follows the selection, and no row scrolls.
        hand.keys("<tab><tab>k");
        terminal.draw(|frame| draw(&hand.app, frame.buffer_mut())).unwrap();
        let mut most = 0;
        for _ in 0..3 {
            let before = written.load(Ordering::Relaxed);
            hand.keys("k");
            terminal.draw(|frame| draw(&hand.app, frame.buffer_mut())).unwrap();
            most = most.max(written.load(Ordering::Relaxed) - before);
        }
        assert!(most < bound, "{width}x{height}: {most} bytes");
    }
}

/// What is overdue and cannot be done would wake the loop again and again, for hours.
#[test]
fn nothing_that_is_overdue_keeps_an_idle_console_awake() {
    for keys in
        ["1", "2", "3", "3v", "4", "5", "5e", "5ge", "5gev", "5jjje", "6", "2<enter>", "3v<enter>", "5gejx"]
    {
        let mut hand = Hand::new(120, 35);
        hand.keys(keys);
        for _ in 0..5 {
            hand.app.now += 120_000;
            hand.app.tick();
            hand.serve();
        }
        let (next, now) = (hand.app.next_age(), hand.app.now);
        assert!(next.is_none_or(|at| at > now), "{keys}: {:?} ago\n{}", next.map(|at| now - at), hand.text());
    }
}
