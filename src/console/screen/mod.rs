//! The screens: what is drawn between the tabs and the footer.

mod around;
pub mod callbacks;
pub mod editor;
pub mod empty;
pub mod fields;
pub mod form;
pub mod groups;
pub mod guide;
pub mod integrations;
pub mod logs;
pub mod needs;
pub mod overview;
pub mod pinned;
pub mod request;
pub mod run;

use super::app::{App, ListId, PaneId, Place, Screen};
use super::layout::{Class, PANES, Pane};
use super::paint::{Paint, width};
use super::payload::Payload;
use super::theme::Role;
use crate::session::Link;
use ratatui::layout::Rect;

/// Draws the screen that is shown.
pub fn draw(app: &App, paint: &mut Paint<'_>) {
    let frame = app.frame();
    if let Some(open) = &app.guide {
        return guide::draw(app, paint, frame.content, open);
    }
    if let Some(open) = &app.editor {
        return editor::draw(app, paint, frame.content, open);
    }
    if app.is_empty() {
        return empty::draw(app, paint, frame.content);
    }
    let panes = app.panes();
    request::draw(app, paint, app.page_head());
    for (at, pane) in panes.iter().enumerate() {
        if pane.is_empty() {
            continue;
        }
        match (app.screen, at) {
            (Screen::Live, 0) => logs::requests(app, paint, *pane, &app.live.requests, ListId::LiveRequests),
            (Screen::Live, 1) => payload(app, paint, *pane, &app.live.payload, PaneId::LivePayload),
            (Screen::Live, 2) => logs::runs(app, paint, *pane, &app.live.runs, ListId::LiveRuns),
            (Screen::Live, _) => needs::draw(app, paint, *pane),
            (Screen::Requests, 0) => logs::requests(app, paint, *pane, &app.requests.list, ListId::Requests),
            (Screen::Requests, 1) => payload(app, paint, *pane, &app.requests.payload, PaneId::Payload),
            (Screen::Requests, _) => run::draw(app, paint, &app.requests.run, PaneId::RequestRun),
            (Screen::Runs, 0) if app.runs.groups => groups::draw(app, paint, *pane),
            (Screen::Runs, 0) => logs::runs(app, paint, *pane, &app.runs.list, ListId::Runs),
            (Screen::Runs, _) if app.runs.groups && app.focus == 0 && !app.is_opened() => {
                groups::detail(app, paint, *pane);
            }
            (Screen::Runs, 1) => run::draw(app, paint, &app.runs.run, PaneId::Run),
            // The attempt of the run beside it, which drew both.
            (Screen::Runs, _) => {}
            (Screen::Callbacks, 0) => callbacks::draw(app, paint, *pane),
            (Screen::Callbacks, _) => callbacks::detail(app, paint, *pane),
            (Screen::Integrations, at) => integrations::draw(app, paint, at, *pane),
            (Screen::Overview, at) => overview::draw(app, paint, at, *pane),
        }
    }
    join(paint, &panes, frame.class);
    if let Link::Down(_) = app.link.0 {
        // Nothing of it is known to be so any more; the selection stays what it looks like.
        let style = paint.style(Role::Stale);
        for pane in panes.iter().filter(|pane| !pane.is_empty()) {
            paint.stale(pane.body, style);
        }
    }
}

/// The vertical lines between panes that stand beside each other.
fn join(paint: &mut Paint<'_>, panes: &[Pane; PANES], class: Class) {
    if class <= Class::Narrow {
        return;
    }
    let style = paint.style(Role::Border);
    for right in panes.iter().filter(|pane| !pane.is_empty() && pane.rule.x > 0) {
        let x = right.rule.x - 1;
        paint.line_down(x, right.rule.y + 1, right.body.bottom());
        let above = panes.iter().any(|pane| {
            !pane.is_empty() && pane.body.bottom() == right.rule.y && { pane.rule.x == right.rule.x }
        });
        let left = panes
            .iter()
            .any(|pane| !pane.is_empty() && pane.rule.y == right.rule.y && pane.rule.right() <= x);
        let joint = match (above, left) {
            (true, true) => "┼",
            // What is to the left goes on down.
            (true, false) => "├",
            (false, _) => "┬",
        };
        paint.cell(x, right.rule.y, joint, style);
    }
}

fn payload(app: &App, paint: &mut Paint<'_>, pane: Pane, shown: &Payload, id: PaneId) {
    let focused = app.place() == Place::Payload(id);
    let views = shown.views();
    let short = app.say("{v} view");
    let views = if pane.rule.width < 48 { &short } else { &views };
    let lost = shown.id.is_some() && shown.detail.is_none() && matches!(app.link.0, Link::Down(_));
    let title = if lost { waiting(app).to_owned() } else { shown.title() };
    paint.rule(pane.rule, &title, views, focused);
    if let Some(trouble) = &shown.trouble {
        return says(paint, pane.body, trouble);
    }
    shown.lines.draw(paint, pane.body, focused);
}

/// What stands where an answer is awaited: over a link that is down none comes.
pub fn waiting(app: &App) -> &'static str {
    if matches!(app.link.0, Link::Down(_)) { "not known: the link is down" } else { "asking the store…" }
}

/// A sentence in an empty pane, wrapped at words.
pub fn says(paint: &mut Paint<'_>, area: Rect, text: &str) {
    let room = area.width.saturating_sub(4);
    for (row, line) in (0u16..area.height).zip(wrapped(text, room)) {
        paint.foreign(area.x + 2, area.y + row, room, &line, Role::Muted);
    }
}

/// The same of something that is wrong.
pub fn warns(paint: &mut Paint<'_>, area: Rect, text: &str) {
    let room = area.width.saturating_sub(4);
    for (row, line) in (0u16..area.height).zip(wrapped(text, room)) {
        paint.foreign(area.x + 2, area.y + row, room, &line, Role::Bad);
    }
}

/// A text in lines of so many cells, broken at words.
#[must_use]
pub fn wrapped(text: &str, cells: u16) -> Vec<String> {
    filled(text.split(' '), " ", cells)
}

/// Parts in lines of so many cells, with a gap between two of a line; none is broken.
#[must_use]
pub fn filled<'t>(parts: impl Iterator<Item = &'t str>, gap: &str, cells: u16) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for part in parts {
        let length = width(&line) + width(gap) + width(part);
        if !line.is_empty() && length > cells {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push_str(gap);
        }
        line.push_str(part);
    }
    lines.push(line);
    lines
}
