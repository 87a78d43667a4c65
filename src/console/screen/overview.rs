//! *Overview*: requests over time, steps against their deadline, runs, queue and store.

use crate::console::app::{App, Place};
use crate::console::format::count;
use crate::console::glyphs;
use crate::console::layout::Pane;
use crate::console::paint::{Paint, width};
use crate::console::theme::Role;
use crate::model::overview::Span;
use crate::model::request::Verdict;
use crate::model::run::RunState;
use crate::rules::chart::{bar, folded, spark};
use crate::rules::overview::{NEAR, RunItem, StepRow, title};
use crate::text::Glyphs;
use ratatui::layout::Rect;

/// Draws a pane of the screen by its position.
pub fn draw(app: &App, paint: &mut Paint<'_>, at: usize, pane: Pane) {
    let focused = app.place() == Place::Overview && app.focus == at;
    let (name, right) = match at {
        0 => (title(app.overview.span), spans(app)),
        1 => ("Steps against their deadline".to_owned(), "slowest first · p95 of deadline".to_owned()),
        2 => ("Runs".to_owned(), errors(app)),
        _ => ("Queue, store".to_owned(), String::new()),
    };
    let right = match (app.full, right.as_str()) {
        (false, _) => right,
        (true, "") => app.say("{+} back"),
        (true, right) => format!("{right} · {}", app.say("{+} back")),
    };
    paint.rule(pane.rule, &name, &right, focused);
    if app.overview.view.is_none() {
        let text = app.overview.trouble.as_deref().unwrap_or(super::waiting(app));
        return super::says(paint, pane.body, text);
    }
    let selected = app.figure_at(at);
    match at {
        0 => counts(app, paint, pane.body, selected, focused),
        1 => steps(app, paint, pane.body, selected, focused),
        2 => runs(app, paint, pane.body, selected, focused),
        _ => store(app, paint, pane.body, selected, focused),
    }
}

/// `HOUR day week`.
fn spans(app: &App) -> String {
    let shown = app.overview.span;
    let word = |span: Span| if span == shown { span.word().to_uppercase() } else { span.word().to_owned() };
    format!("{} {}", app.say("{v}"), Span::ALL.map(word).join(" "))
}

/// `3 errored for 2 causes`.
fn errors(app: &App) -> String {
    let [_, _, errors] = app.run_items();
    let runs: u64 = errors.iter().map(|error| error.n).sum();
    match errors.len() {
        0 => String::new(),
        1 => format!("{} became errored for 1 cause", count(runs)),
        n => format!("{} became errored for {} causes", count(runs), count(n as u64)),
    }
}

pub(super) fn glyphs_of(app: &App) -> Glyphs {
    if app.options.ascii { Glyphs::Ascii } else { Glyphs::Unicode }
}

/// The rows of so many that are drawn, so that the selected one is among them.
fn window(selected: usize, rows: u16) -> usize {
    (selected + 1).saturating_sub(usize::from(rows).max(1))
}

/// The mark of the selected row, and its reverse where the pane has the focus.
fn mark(paint: &mut Paint<'_>, area: Rect, y: u16, focused: bool) {
    paint.put(area.x, y, 1, "▌", if focused { Role::BorderFocus } else { Role::Border });
    if focused {
        paint.selection(Rect { x: area.x, y, width: area.width, height: 1 });
    }
}

/// A zero is nothing to look at.
fn figure(n: u64, role: Role) -> Role {
    if n == 0 { Role::Muted } else { role }
}

fn counts(app: &App, paint: &mut Paint<'_>, area: Rect, selected: usize, focused: bool) {
    let rows = app.count_rows();
    let first = window(selected, area.height);
    // What is listed below is not said beside it.
    let causes = usize::from(area.height) > Verdict::ALL.len();
    // Label, total and share are never left out; what the rest is wide decides on the chart.
    let note = if area.width >= 70 { 28 } else { 0 };
    let room = usize::from(area.width.saturating_sub(33 + note));
    let chart = rows.first().map_or(0, |row| folded(&row.points, room).len());
    let chart = u16::try_from(chart).unwrap_or(0);
    for (y, (at, row)) in (area.y..area.bottom()).zip(rows.iter().enumerate().skip(first)) {
        let (glyph, role) = row.verdict.map_or(("", Role::Warn), glyphs::verdict);
        let x = area.x + 1;
        let end = area.right().saturating_sub(1);
        let numbers = x + 12 + chart + u16::from(chart > 0);
        if row.verdict.is_some() {
            paint.put(x, y, 1, glyph, figure(row.total, role));
            paint.put(x + 2, y, 9, &row.label, Role::Text);
            let line = spark(&folded(&row.points, usize::from(chart)), glyphs_of(app));
            paint.put(x + 12, y, chart, &line, role);
        } else {
            paint.foreign(x + 4, y, numbers.saturating_sub(x + 5), &row.label, Role::Muted);
        }
        paint.right(numbers, numbers + 11, y, &count(row.total), figure(row.total, Role::Text));
        paint.right(numbers + 11, numbers + 19, y, &row.share, Role::Muted);
        let left = end.saturating_sub(numbers + 21);
        if left > 8 {
            paint.foreign(numbers + 21, y, left, &row.beside(causes), Role::Muted);
        }
        if at == selected {
            mark(paint, area, y, focused);
        }
    }
}

/// Cells of the figures of a step: how many, and three percentiles.
const FIGURES: u16 = 8 + 3 * 7;
/// And of its deadline and the part of it.
const AFTER: u16 = 8 + 6;

fn steps(app: &App, paint: &mut Paint<'_>, area: Rect, selected: usize, focused: bool) {
    let rows = app.step_rows();
    if rows.is_empty() {
        let text = format!("No step has sent anything in the last {}.", app.overview.span.word());
        return super::says(paint, area, &text);
    }
    let inner = area.width.saturating_sub(2);
    // Names first, then the deadline, then the bar.
    let names = if inner < 110 { 28 } else { 48 };
    let after = if inner >= FIGURES + AFTER + 16 { AFTER } else { 0 };
    let chart = inner.saturating_sub(FIGURES + AFTER + names + 1).min(30);
    let chart = if chart < 4 { 0 } else { chart };
    let name = inner.saturating_sub(FIGURES + after + chart + u16::from(chart > 0));
    let (x, figures) = (area.x + 1, area.x + 1 + name);
    let bars = figures + FIGURES + 1;
    paint.right(figures, figures + 8, area.y, "ended", Role::Muted);
    for (n, head) in (1u16..).zip(["p50", "p95", "p99"]) {
        paint.right(figures + 1 + n * 7, figures + 8 + n * 7, area.y, head, Role::Muted);
    }
    if after > 0 {
        let end = bars + chart + AFTER - 1;
        paint.right(bars + chart, end, area.y, "of deadline", Role::Muted);
    }
    let first = window(selected, area.height.saturating_sub(1));
    for (y, (at, row)) in (area.y + 1..area.bottom()).zip(rows.iter().enumerate().skip(first)) {
        let role = pace(row);
        // What the step is called is never cut for whose it is.
        let step = name.min(width(&row.step));
        let whose = name.saturating_sub(step);
        let next = paint.foreign(x, y, whose, &row.whose, Role::Muted);
        paint.foreign(next, y, step, &row.step, Role::Text);
        paint.right(figures, figures + 8, y, &count(row.n), Role::Muted);
        for (n, time) in (1u16..).zip(&row.times) {
            let role = if n == 2 { role } else { Role::Text };
            paint.right(figures + 1 + n * 7, figures + 8 + n * 7, y, time, role);
        }
        if let Some(part) = row.part.filter(|_| chart > 0) {
            paint.put(bars, y, chart, &bar(part, usize::from(chart), glyphs_of(app)), role);
        }
        if after > 0 {
            let part = row.part.map_or_else(|| "?".to_owned(), |part| format!("{} %", count(part / 10)));
            paint.right(bars + chart, bars + chart + 6, y, &part, role);
            paint.right(bars + chart + 6, bars + chart + AFTER - 1, y, &row.deadline, Role::Muted);
        }
        if at == selected {
            mark(paint, area, y, focused);
        }
    }
}

/// How near a step is to its deadline.
fn pace(row: &StepRow) -> Role {
    match row.part {
        Some(part) if part > 1_000 => Role::Bad,
        Some(part) if part > NEAR => Role::Warn,
        _ => Role::Good,
    }
}

/// Items in lines of so many cells, by their place among all.
fn lines(parts: &[Vec<RunItem>; 3], cells: u16) -> Vec<Vec<usize>> {
    let mut lines: Vec<Vec<usize>> = Vec::new();
    let mut at = 0;
    for (part, items) in parts.iter().enumerate() {
        let mut used = u16::MAX;
        for item in items {
            let long = width(&worded(item)) + 2;
            // An error group has a line of its own; behind the last of a line nothing is parted off.
            if part == 2 || used.saturating_add(long) > cells + 2 {
                lines.push(Vec::new());
                used = 0;
            }
            if let Some(line) = lines.last_mut() {
                line.push(at);
            }
            used += long;
            at += 1;
        }
    }
    lines
}

fn worded(item: &RunItem) -> String {
    format!("{} {} {}", glyphs::run(item.state).0, item.label, count(item.n))
}

fn runs(app: &App, paint: &mut Paint<'_>, area: Rect, selected: usize, focused: bool) {
    let parts = app.run_items();
    let ended = parts[0].len();
    let open = ended + parts[1].len();
    let lines = lines(&parts, area.width.saturating_sub(9));
    let items: Vec<&RunItem> = parts.iter().flatten().collect();
    let on = lines.iter().position(|line| line.contains(&selected)).unwrap_or(0);
    let first = window(on, area.height);
    for (y, line) in (area.y..area.bottom()).zip(lines.iter().skip(first)) {
        let head = match line.first() {
            Some(0) => "ended",
            Some(at) if *at == ended => "now",
            Some(at) if *at == open => "errors",
            _ => "",
        };
        paint.put(area.x + 1, y, 6, head, Role::Muted);
        let mut x = area.x + 8;
        for at in line {
            let Some(item) = items.get(*at) else { continue };
            let (glyph, role) = glyphs::run(item.state);
            let role = if item.state == RunState::Queued { Role::Text } else { role };
            let (start, end) = (x, area.right().saturating_sub(1));
            if *at >= open {
                let next =
                    paint.put(x, y, end.saturating_sub(x), &format!("{glyph} {:>3}  ", count(item.n)), role);
                x = paint.foreign(next, y, end.saturating_sub(next), &item.label, Role::Text);
            } else {
                x = paint.put(x, y, end.saturating_sub(x), &worded(item), figure(item.n, role));
            }
            if *at == selected {
                paint.put(area.x, y, 1, "▌", if focused { Role::BorderFocus } else { Role::Border });
                if focused {
                    paint.selection(Rect { x: start, y, width: x.saturating_sub(start), height: 1 });
                }
            }
            x += 2;
        }
    }
}

fn store(app: &App, paint: &mut Paint<'_>, area: Rect, selected: usize, focused: bool) {
    let lines = app.store_lines();
    let first = window(selected, area.height);
    for (y, (at, line)) in (area.y..area.bottom()).zip(lines.iter().enumerate().skip(first)) {
        let role = if line.warns { Role::Warn } else { Role::Text };
        let mark_of = if line.warns { "! " } else { "" };
        let text = format!("{mark_of}{}", line.text);
        paint.put(
            area.x + 1,
            y,
            area.width.saturating_sub(2),
            whole(&text, area.width.saturating_sub(2)),
            role,
        );
        if at == selected {
            mark(paint, area, y, focused);
        }
    }
}

/// As many of its parts as fit, never half of a figure.
fn whole(text: &str, cells: u16) -> &str {
    let mut rest = text;
    while width(rest) > cells {
        let Some(at) = [", ", ": ", " ("].into_iter().filter_map(|end| rest.rfind(end)).max() else {
            return rest;
        };
        rest = &rest[..at];
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::overview::Opens;

    fn item(state: RunState, label: &str, n: u64) -> RunItem {
        RunItem { state, label: label.to_owned(), n, opens: Opens::Nothing }
    }

    #[test]
    fn items_fill_lines_and_errors_have_their_own() {
        let parts = [
            vec![item(RunState::Succeeded, "succeeded", 45_201), item(RunState::Failed, "failed", 4)],
            vec![item(RunState::Errored, "errored", 3)],
            vec![item(RunState::Errored, "push: 503", 3), item(RunState::Errored, "notify: refused", 1)],
        ];
        assert_eq!(lines(&parts, 80), [vec![0, 1], vec![2], vec![3], vec![4]]);
        assert_eq!(lines(&parts, 20), [vec![0], vec![1], vec![2], vec![3], vec![4]]);
        assert_eq!(lines(&Default::default(), 0), Vec::<Vec<usize>>::new());
    }

    #[test]
    fn a_line_loses_whole_parts() {
        let text = "file 4.2 GiB, +310 MiB a day, 61 GiB free: 196 d";
        assert_eq!(whole(text, 60), text);
        assert_eq!(whole(text, 45), "file 4.2 GiB, +310 MiB a day, 61 GiB free");
        assert_eq!(whole(text, 30), "file 4.2 GiB, +310 MiB a day");
        assert_eq!(whole("queue 12 (most 940 at 14:05), oldest 0.4s", 20), "queue 12");
    }

    #[test]
    fn the_window_keeps_the_selected_row_in_view() {
        assert_eq!([window(0, 4), window(3, 4), window(4, 4), window(9, 0)], [0, 0, 1, 9]);
    }
}
