//! What needs a person, worst first: groups of errored runs, overdue callbacks, jobs that halted,
//! targets that refuse, silent endpoints.

use crate::console::app::{App, Place};
use crate::console::format::{age, clock, count};
use crate::console::layout::{Class, Pane};
use crate::console::paint::Paint;
use crate::console::theme::Role;
use crate::model::job::failures;
use crate::model::time::parse_rfc3339;
use ratatui::layout::Rect;

/// Draws the pane.
pub fn draw(app: &App, paint: &mut Paint<'_>, pane: Pane) {
    let focused = app.place() == Place::Needs;
    let needs = &app.needs;
    paint.rule(pane.rule, &format!("Needs you · {}", needs.count()), "worst first", focused);
    let area = pane.body;
    if needs.count() == 0 {
        let text = if needs.known { "Nothing needs you." } else { super::waiting(app) };
        return super::says(paint, area, text);
    }
    let rows = app.needs_rows();
    let fits = usize::from(area.height / rows).max(1);
    let first = (needs.at + 1).saturating_sub(fits);
    let shown = fits.min(needs.count().saturating_sub(first));
    for (at, row) in (first..first + shown).zip(0u16..) {
        let y = area.y + row * rows;
        let selected = at == needs.at;
        if selected {
            paint.put(area.x, y, 1, "▌", if focused { Role::BorderFocus } else { Role::Border });
        }
        let lines = item(app, at);
        let x = area.x + 2;
        let room = area.width.saturating_sub(3);
        let (glyph, role) = match lines.kind {
            "drift" => ("•", Role::New),
            "job" => ("■", Role::Warn),
            "breaker" => ("↻", Role::Warn),
            "silent" => ("○", Role::Warn),
            _ => ("!", Role::Bad),
        };
        let next = paint.put(x, y, room, &format!("{glyph} {:<8} ", lines.kind), role);
        if rows == 1 {
            paint.foreign(next, y, room.saturating_sub(next - x), &lines.short, Role::Text);
        } else {
            let right = area.right().saturating_sub(1);
            paint.foreign(next, y, right.saturating_sub(next), &lines.what, Role::Text);
            if y + 1 < area.bottom() {
                paint.foreign(next, y + 1, right.saturating_sub(next), &lines.why, Role::Text);
            }
            if y + 2 < area.bottom() {
                let keys = match lines.kind {
                    "drift" => "enter look · X it is fine",
                    "job" => "enter look · P go on · there x stops it",
                    _ => "enter look",
                };
                paint.put(next, y + 2, right.saturating_sub(next), keys, Role::Muted);
            }
        }
        if selected && focused {
            let style = paint.style(Role::Selection);
            let height = rows.min(area.bottom().saturating_sub(y));
            paint.over(Rect { x: area.x, y, width: area.width, height }, style);
        }
    }
}

impl App {
    /// Rows that an item takes here.
    #[must_use]
    pub fn needs_rows(&self) -> u16 {
        if self.frame().class >= Class::Normal || self.full { 3 } else { 1 }
    }
}

struct Lines {
    kind: &'static str,
    what: String,
    why: String,
    short: String,
}

fn item(app: &App, at: usize) -> Lines {
    let since = |text: &str| {
        parse_rfc3339(text).map_or_else(|| text.to_owned(), |at| clock(at, app.now, &app.options.zone))
    };
    if let Some(group) = app.needs.groups.get(at) {
        let runs = if group.count == 1 { "run" } else { "runs" };
        return Lines {
            kind: "errored",
            what: format!("{} {runs} · {} / {}", count(group.count), group.integration, group.flow),
            why: format!("{}: {}, since {}", group.step, group.cause, since(&group.first)),
            short: format!("{} {} {} {}", count(group.count), group.integration, group.step, group.cause),
        };
    }
    if let Some(one) = app.needs.halt(at) {
        let at = clock(one.at, app.now, &app.options.zone);
        return Lines {
            kind: "job",
            what: format!("{} · {}", one.what, one.who),
            why: format!("halted after {}, {at}; {} left", failures(one.failures), count(one.left)),
            short: format!("{} halted, {} left", one.what, count(one.left)),
        };
    }
    if let Some(one) = app.needs.breaker(at) {
        let tries = one.tries(|at| clock(at, app.now, &app.options.zone));
        return Lines {
            kind: "breaker",
            what: one.refused(),
            why: format!("{}, {tries}", one.waits()),
            short: one.target.clone(),
        };
    }
    if let Some(one) = app.needs.silence(at) {
        return Lines {
            kind: "silent",
            what: format!("{} / {}", one.integration, one.flow),
            why: one.cause.clone(),
            short: format!("{} / {}", one.integration, one.flow),
        };
    }
    let Some(callback) = app.needs.overdue.get(at - app.needs.groups.len()) else {
        return drift(app, at);
    };
    let late = parse_rfc3339(&callback.deadline).map_or_else(String::new, |at| age(app.now - at));
    Lines {
        kind: "expired",
        what: format!("1 callback · {} / {}", callback.integration, callback.flow),
        why: format!("{}: no answer by {}, {late} overdue", callback.step, since(&callback.deadline)),
        short: format!("{} {} {late} overdue", callback.integration, callback.step),
    }
}

/// A badge: `shop-orders / Orders: new path`, and since which request.
fn drift(app: &App, at: usize) -> Lines {
    let Some(drift) = app.needs.badge(at) else {
        return Lines { kind: "", what: String::new(), why: String::new(), short: String::new() };
    };
    let first = crate::model::id::short(&drift.request);
    let since =
        parse_rfc3339(&drift.at).map_or_else(|| drift.at.clone(), |at| clock(at, app.now, &app.options.zone));
    Lines {
        kind: "drift",
        what: format!("{} / {}: since {since} ({first})", drift.integration, drift.flow),
        why: drift.words(),
        short: format!("{} {}", drift.integration, drift.words()),
    }
}
