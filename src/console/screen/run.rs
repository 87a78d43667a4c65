//! One run: its steps as boxes, its timeline, and the attempt that is looked at.

use crate::console::app::{App, PaneId, Place};
use crate::console::format::{clock, count, took};
use crate::console::glyphs;
use crate::console::overlay::replayed;
use crate::console::paint::{Paint, width};
use crate::console::run_pane::RunPane;
use crate::console::theme::Role;
use crate::model::run::{RunState, StepState};
use crate::model::time::parse_rfc3339;
use crate::model::view::{RunView, StepView, Tally};
use ratatui::layout::Rect;
use std::fmt::Write as _;

/// Cells of a box and of what joins it to the next.
const BOX: u16 = 22;
const JOIN: u16 = 2;
const NARROW_BOX: u16 = 15;

/// Draws the pane, and that of the attempt where it has its own.
pub fn draw(app: &App, paint: &mut Paint<'_>, shown: &RunPane, id: PaneId) {
    let (top, timeline, attempt) = app.run_parts(id);
    let place = app.place();
    let apart = !attempt.is_empty() && attempt.rule.x >= top.rule.right();
    let focused = place == Place::Timeline(id) || place == Place::Attempt(id) && !apart;
    let mut times = shown.run.as_deref().map_or_else(String::new, |run| times(app, run));
    if app.full {
        times = format!("{times} · {}", app.say("{+} back"));
    }
    let company = shown.id.as_deref().and_then(|id| app.company.here(id));
    let title = match company {
        // Another one's name is text from outside.
        Some(here) => format!("{} · {}", shown.title(), crate::console::paint::clean(&here)),
        None if shown.id.is_some() && !shown.is_answered() && shown.run.is_none() => {
            super::waiting(app).to_owned()
        }
        None => shown.title(),
    };
    paint.rule(top.rule, &title, &times, focused);
    let Some(run) = &shown.run else {
        if apart {
            paint.rule(attempt.rule, "attempt", "", place == Place::Attempt(id));
        }
        if let Some(trouble) = &shown.trouble {
            super::says(paint, top.body, trouble);
        }
        return;
    };
    if apart {
        listed_steps(paint, top.body, run, shown.step);
    } else if top.rule.width < 100 {
        narrow_steps(paint, top.body, run, shown.step);
    } else {
        boxes(paint, top.body, run, shown.step);
    }
    let events = count(shown.timeline.lines.len() as u64);
    paint.rule(timeline.rule, "Timeline", &events, place == Place::Timeline(id));
    shown.timeline.draw(paint, timeline.body, place == Place::Timeline(id));
    paint.rule(attempt.rule, &shown.attempt_title(), &shown.attempt_hint(), place == Place::Attempt(id));
    shown.attempt.draw(paint, attempt.body, place == Place::Attempt(id));
    if let Some(beside) = shown.beside.as_ref().filter(|_| id == PaneId::Run && !apart) {
        let pane = app.panes()[1];
        let area = Rect { y: attempt.body.bottom(), ..pane.rule };
        let whole = Rect { height: pane.rule.height + pane.body.height, ..pane.rule };
        let height = app.beside_height(whole);
        replayed::beside(app, paint, Rect { height, ..area }, beside);
    }
    if attempt.rule.x > timeline.rule.x && !apart {
        paint.line_down(attempt.rule.x - 1, attempt.rule.y + 1, attempt.body.bottom());
        let style = paint.style(Role::Border);
        paint.cell(attempt.rule.x - 1, attempt.rule.y, "┬", style);
    }
}

fn times(app: &App, run: &RunView) -> String {
    let read = |time: &Option<String>| time.as_deref().and_then(parse_rfc3339);
    let show = |at| clock(at, app.now, &app.options.zone);
    match (read(&run.started), read(&run.ended)) {
        (None, _) => "not started".to_owned(),
        (Some(start), None) if run.state == RunState::Errored => {
            let stopped = run.steps.iter().filter_map(|step| read(&step.ended)).max();
            let stopped = stopped.map_or_else(String::new, |at| format!(", stopped {}", show(at)));
            format!("started {}{stopped}", show(start))
        }
        (Some(start), None) => format!("started {}", show(start)),
        (Some(start), Some(end)) => format!("started {}, took {}", show(start), took(end - start)),
    }
}

/// The steps that fit, from the first that keeps the selected one in view.
fn window(count: usize, at: usize, fits: usize) -> (usize, usize) {
    let fits = fits.max(1);
    let from = if count <= fits { 0 } else { at.saturating_sub(fits / 2).min(count - fits) };
    (from, fits.min(count - from))
}

fn spent(step: &StepView) -> String {
    let ms: i64 = step.attempts.iter().filter_map(|attempt| attempt.elapsed_ms).sum();
    if step.attempts.is_empty() { String::new() } else { took(ms) }
}

/// `11 of 14 ✓ 1 » 1 ! 1 ·`: what became of the items of a step.
fn tally(step: &StepView) -> String {
    let Tally { all, done, skipped, failed, .. } = step.tally();
    let glyph = |state| glyphs::step(state).0;
    let mut text = format!("{} of {all} {}", done - skipped, glyph(StepState::Succeeded));
    let others = [
        (skipped, StepState::Skipped),
        (failed, StepState::Errored),
        (all - done - failed, StepState::Pending),
    ];
    for (count, state) in others {
        if count > 0 {
            let _ = write!(text, " {count} {}", glyph(state));
        }
    }
    text
}

/// `needs push.id`: what a step that was not reached needs of those before it.
fn wants(step: &StepView) -> String {
    match step.needs.as_slice() {
        [] => String::new(),
        [one] => format!("needs {one}"),
        [first, more @ ..] => format!("needs {first} +{}", more.len()),
    }
}

/// What a step calls with, or what it is, and the status of its last attempt.
fn called(step: &StepView) -> (&str, String) {
    let last = step.attempts.last();
    let method = last.and_then(|attempt| attempt.request.as_ref()).map(|sent| sent.method.as_str());
    let status = last.and_then(|attempt| attempt.status).map_or_else(String::new, |code| code.to_string());
    (method.unwrap_or(&step.kind), status)
}

/// How often and for how long a step was tried, or what it waits for to be reached.
fn tried(step: &StepView) -> String {
    match step.attempts.len() {
        _ if !step.items.is_empty() => tally(step),
        0 => wants(step),
        1 => spent(step),
        n => format!("{n} tries  {}", spent(step)),
    }
}

/// A step a line, beside the attempt of the selected one.
fn listed_steps(paint: &mut Paint<'_>, area: Rect, run: &RunView, at: usize) {
    if run.steps.is_empty() {
        return super::says(paint, area, "no steps");
    }
    let (from, shown) = window(run.steps.len(), at, usize::from(area.height));
    let names = run.steps.iter().map(|step| width(&step.name)).max().unwrap_or(0).clamp(6, 14);
    let digits = width(&run.steps.len().to_string());
    for (y, (n, step)) in (area.y..).zip(run.steps.iter().enumerate().skip(from).take(shown)) {
        let (glyph, role) = glyphs::step(step.state);
        if n == at {
            paint.put(area.x, y, 1, "▌", Role::BorderFocus);
        }
        paint.put(area.x + 1, y, 1, glyph, role);
        paint.right(area.x + 3, area.x + 3 + digits, y, &(n + 1).to_string(), Role::Muted);
        let mut x = area.x + 4 + digits;
        let mut cell = |text: &str, cells: u16, role| {
            paint.foreign(x, y, cells.min(area.right().saturating_sub(x)), text, role);
            x += cells + 1;
        };
        let (method, status) = called(step);
        cell(&step.name, names, if n == at { Role::Title } else { Role::Text });
        cell(method, 6, Role::Text);
        cell(&status, 3, Role::Text);
        let last = match &step.awaits {
            Some(time) if step.state == StepState::Pending => format!("callback {time}"),
            _ => tried(step),
        };
        cell(&last, area.width, Role::Muted);
    }
}

fn boxes(paint: &mut Paint<'_>, area: Rect, run: &RunView, at: usize) {
    if run.steps.is_empty() {
        return super::says(paint, area, "This flow has no steps: the run ended as it began.");
    }
    let fits = usize::from((area.width.saturating_sub(10) + JOIN) / (BOX + JOIN));
    let (from, shown) = window(run.steps.len(), at, fits);
    let mut x = area.x + 2;
    if from > 0 {
        x = paint.put(area.x, area.y + 2, 4, &format!("‹ {from}"), Role::Muted) + 1;
    }
    for (n, step) in run.steps.iter().enumerate().skip(from).take(shown) {
        let (glyph, role) = glyphs::step(step.state);
        let line = if n == at { Role::BorderFocus } else { Role::Border };
        let style = paint.style(line);
        let (right, bottom) = (x + BOX - 1, area.y + 4);
        for column in x..=right {
            paint.cell(column, area.y, "─", style);
            paint.cell(column, bottom, "─", style);
        }
        for row in area.y..=bottom {
            paint.cell(x, row, "│", style);
            paint.cell(right, row, "│", style);
        }
        for (column, row, corner) in
            [(x, area.y, "┌"), (right, area.y, "┐"), (x, bottom, "└"), (right, bottom, "┘")]
        {
            paint.cell(column, row, corner, style);
        }
        let next = paint.put(x + 1, area.y, 1, glyph, role);
        let title = format!(" {} {} ", n + 1, step.name);
        let title_role = if n == at { Role::Title } else { Role::Text };
        paint.foreign(next, area.y, BOX - 4, &title, title_role);
        let inner = BOX - 4;
        let (method, status) = called(step);
        paint.foreign(x + 2, area.y + 1, inner, &format!("{method}  {status}"), Role::Text);
        paint.foreign(x + 2, area.y + 2, inner, &tried(step), Role::Text);
        let state_role = if step.state == StepState::Pending { Role::Muted } else { role };
        let last = match &step.awaits {
            Some(time) if step.state == StepState::Pending => format!("callback {time}"),
            _ => step.state.word().to_owned(),
        };
        paint.put(x + 2, area.y + 3, inner, &last, state_role);
        x = right + 1;
        if n + 1 < run.steps.len() {
            paint.put(x, area.y + 2, JOIN, "──", Role::Border);
        }
        x += JOIN;
    }
    let after = run.steps.len() - from - shown;
    if after > 0 {
        paint.put(x, area.y + 2, area.right().saturating_sub(x), &format!("{after} ›"), Role::Muted);
    }
}

fn narrow_steps(paint: &mut Paint<'_>, area: Rect, run: &RunView, at: usize) {
    if area.height == 0 {
        return;
    }
    if run.steps.is_empty() {
        return super::says(paint, area, "no steps");
    }
    // Four cells at each end say how many more there are.
    let fits = usize::from(area.width.saturating_sub(10) / (NARROW_BOX + 1));
    let (from, shown) = window(run.steps.len(), at, fits);
    let mut x = area.x + 1;
    if from > 0 {
        x = paint.put(x, area.y, 4, &format!("‹ {from}"), Role::Muted) + 1;
    }
    for (n, step) in run.steps.iter().enumerate().skip(from).take(shown) {
        let (glyph, role) = glyphs::step(step.state);
        let next = paint.put(x, area.y, 1, glyph, role);
        let spent = if step.items.is_empty() { spent(step) } else { step.tally().words() };
        let text = format!(" {} {} {spent}", n + 1, step.name);
        let text_role = if n == at { Role::Title } else { Role::Text };
        paint.foreign(next, area.y, NARROW_BOX - 1, &text, text_role);
        if n == at {
            // In a line without boxes the chosen one is in reverse.
            let style = paint.style(Role::Selection);
            paint.over(Rect { x, y: area.y, width: NARROW_BOX, height: 1 }, style);
        }
        x += NARROW_BOX + 1;
    }
    let after = run.steps.len() - from - shown;
    if after > 0 {
        paint.put(x, area.y, area.right().saturating_sub(x), &format!("{after} ›"), Role::Muted);
    }
}
