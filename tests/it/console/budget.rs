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
