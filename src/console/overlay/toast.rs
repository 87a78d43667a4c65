//! Lines over the footer, right-aligned: what was done, what cannot be done, what went wrong.

use crate::console::app::{App, Tone};
use crate::console::paint::{Paint, clean, width};
use crate::console::theme::Role;
use ratatui::layout::Rect;

/// The glyph of a tone, and how it looks.
pub fn tone(tone: Tone) -> (&'static str, Role) {
    match tone {
        Tone::Good => ("✓", Role::Good),
        Tone::Info => ("·", Role::Info),
        Tone::Bad => ("!", Role::Bad),
    }
}

/// Draws the toasts, the newest nearest to the footer.
pub fn draw(app: &App, paint: &mut Paint<'_>) {
    let frame = app.frame();
    let room = app.size.0.saturating_sub(2);
    let mut y = frame.footer.y.saturating_sub(frame.line.height + frame.link.height);
    for toast in app.toasts.iter().rev() {
        if y <= frame.content.y {
            return;
        }
        let (glyph, role) = tone(toast.tone);
        let text = format!(" {glyph} {} ", clean(&toast.text));
        // What does not fit in a line is told in two.
        let lines = crate::console::screen::wrapped(&text, room);
        for line in lines.iter().take(2).rev() {
            if y <= frame.content.y {
                return;
            }
            y -= 1;
            let x = (app.size.0.saturating_sub(1)).saturating_sub(width(line).min(room));
            // One blank cell parts it from what it lies over.
            paint.blank(Rect { x: x.saturating_sub(1), y, width: width(line).min(room) + 2, height: 1 });
            paint.put(x, y, room, line, role);
        }
    }
}
