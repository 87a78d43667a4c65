//! The two logs, requests and runs: rows written straight into the buffer, only those that fit.

use super::around::{counted, finish, foot, gutter, head};
use super::pinned;
use crate::console::app::{App, FRESH, ListId, Place};
use crate::console::columns::{Column, fit};
use crate::console::format::{age, clock, count, size, took};
use crate::console::glyphs;
use crate::console::layout::Pane;
use crate::console::list::{Item, List};
use crate::console::paint::{Paint, width};
use crate::console::rows::{RequestRow, RunRow};
use crate::console::theme::Role;
use crate::model::change::Counters;
use crate::model::id::short;
use crate::model::run::{RunState, StepState};
use crate::model::view::{RunView, StepView};
use crate::text::{size_kept, size_short};
use std::fmt::Write as _;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Time,
    State,
    Status,
    Flow,
    What,
    Size,
    Runs,
    Id,
    Method,
    Actor,
    Steps,
    Took,
    Tries,
    Version,
    Request,
    Pin(usize),
}

const fn column(name: Name, rank: u8, width: u16, least: u16) -> Column<Name> {
    Column { name, rank, width, least, flexible: matches!(name, Name::What) }
}

/// The columns of requests, in the order in which they stand.
const REQUESTS: [Column<Name>; 10] = [
    column(Name::Time, 2, 8, 8),
    column(Name::State, 1, 11, 11),
    column(Name::Status, 6, 3, 3),
    column(Name::Flow, 4, 27, 8),
    column(Name::What, 3, 32, 12),
    column(Name::Size, 5, 8, 8),
    column(Name::Runs, 7, 5, 5),
    column(Name::Id, 8, 6, 6),
    column(Name::Method, 9, 6, 6),
    column(Name::Actor, 10, 12, 12),
];

/// The columns of runs.
const RUNS: [Column<Name>; 10] = [
    column(Name::Time, 2, 8, 8),
    column(Name::State, 1, 12, 12),
    column(Name::Flow, 4, 27, 8),
    column(Name::Steps, 5, 8, 8),
    column(Name::What, 3, 28, 16),
    column(Name::Took, 6, 7, 7),
    column(Name::Tries, 7, 3, 3),
    column(Name::Version, 8, 4, 4),
    column(Name::Id, 9, 6, 6),
    column(Name::Request, 10, 6, 6),
];

/// Cells of a title that names the pinned columns: in less the filter goes first.
const NAMED: u16 = 72;

/// Cells of a size where there is little room: `1.0K`.
const SHORT_SIZE: u16 = 5;

fn columns(all: &[Column<Name>], screen: u16, cells: u16) -> Vec<(Name, u16)> {
    if screen >= 100 {
        return fit(all, cells);
    }
    let mut all = all.to_vec();
    for column in &mut all {
        let narrow = match column.name {
            // On a screen under 60 only the glyph.
            Name::State if screen < 60 => 1,
            Name::Flow => 20,
            Name::Size => SHORT_SIZE,
            Name::Steps => 5,
            _ => continue,
        };
        column.width = column.width.min(narrow);
        column.least = column.least.min(narrow);
    }
    fit(&all, cells)
}

/// The columns of requests with those that are pinned: before what is said of a request, and gone no
/// sooner than its size.
fn with_pins(app: &App, list: &List<RequestRow>) -> Vec<Column<Name>> {
    let mut all = REQUESTS.to_vec();
    let what = all.iter().position(|column| column.name == Name::What).unwrap_or(all.len());
    let pins = pinned::widths(app, list).into_iter().enumerate();
    let pins = pins.map(|(at, width)| column(Name::Pin(at), 5, width, pinned::CELLS.0));
    all.splice(what..what, pins);
    all
}

/// What a person pinned is read before what else is said of a request: it has its width as long as
/// that keeps its least.
fn give_to_pins(shown: &mut [(Name, u16)], all: &[Column<Name>]) {
    let of = |name: Name| all.iter().find(|column| column.name == name);
    let Some(what) = shown.iter().position(|(name, _)| *name == Name::What) else { return };
    for at in 0..shown.len() {
        let (name @ Name::Pin(_), cells) = shown[at] else { continue };
        let lacks = of(name).map_or(0, |column| column.width.saturating_sub(cells));
        let gives = shown[what].1.saturating_sub(of(Name::What).map_or(0, |column| column.least)).min(lacks);
        shown[at].1 += gives;
        shown[what].1 -= gives;
    }
}

/// Draws a list of requests.
pub fn requests(app: &App, paint: &mut Paint<'_>, pane: Pane, list: &List<RequestRow>, id: ListId) {
    let focused = app.place() == Place::Requests(id);
    let known = app.counters.as_ref().map(Counters::rows);
    let rowless = super::empty::without_rows(app, list);
    let name = if list.folds { "Requests, redeliveries folded" } else { "Requests" };
    let known = counted(list, known, None).map(|known| known + &rowless);
    let known = match pinned::names(app)
        .filter(|_| id == ListId::Requests && pane.rule.width >= NAMED + width(&list.filter))
    {
        Some(names) => Some(known.map_or_else(|| names.clone(), |known| format!("{known} · {names}"))),
        None => known,
    };
    head(app, paint, pane, list, focused, name, known);
    if let Some(trouble) = super::empty::untaken(app, list) {
        return super::warns(paint, pane.body, &trouble);
    }
    if list.rows.is_empty() {
        let address = app.counters.as_ref().map_or("", |counters| counters.listen.as_str());
        let text = super::empty::list(
            app,
            list,
            &match &app.sample_url {
                Some(url) => format!("No request yet. Send one: curl --json '{{}}' {url}"),
                None => format!(
                    "No request yet. Send one to http://{address}/in/…; pointsman endpoints ls lists the URLs"
                ),
            },
            "request",
        );
        return super::says(paint, pane.body, &text);
    }
    // Where requests have a screen of their own, pinned paths are columns; else they come first in the line.
    let pinned = id == ListId::Requests;
    let all = if pinned { with_pins(app, list) } else { REQUESTS.to_vec() };
    let mut columns = columns(&all, app.size.0, pane.body.width.saturating_sub(3));
    give_to_pins(&mut columns, &all);
    let mut text = String::new();
    for (row, item) in (0u16..).zip(list.visible()) {
        let y = pane.body.y + row;
        let view = &item.view;
        let mut x = gutter(paint, pane.body.x, y, list, item.id());
        for (name, cells) in &columns {
            let cells = *cells;
            match name {
                Name::Time => {
                    paint.put(x, y, cells, &clock(item.at, app.now, &app.options.zone), Role::Muted);
                }
                Name::State => {
                    let (glyph, role) = glyphs::verdict(view.verdict);
                    let next = paint.put(x, y, 1, glyph, role);
                    if cells > 2 {
                        paint.put(next + 1, y, cells - 2, view.verdict.word(), role);
                    }
                }
                Name::Status => {
                    if let Some(status) = view.status {
                        number(paint, x, y, cells, u64::from(status), &mut text, Role::Muted);
                    }
                }
                Name::Flow => flow(paint, x, y, cells, &view.integration, &view.flow),
                Name::What => {
                    let what =
                        if view.what.is_empty() { view.cause.as_deref().unwrap_or("") } else { &view.what };
                    let room = x + cells;
                    let from = if item.copies.is_empty() {
                        x
                    } else {
                        text.clear();
                        let _ = write!(text, "×{}", item.copies.len() + 1);
                        paint.put(x, y, cells, &text, Role::Mark) + 1
                    };
                    // No sender sent it: who made it comes first.
                    let from = match view.made_by() {
                        Some(by) => {
                            let next = paint.foreign(from, y, room.saturating_sub(from), &by, Role::Info);
                            paint.put(next, y, room.saturating_sub(next), " · ", Role::Muted)
                        }
                        None => from,
                    };
                    let before = if pinned { String::new() } else { pinned::before(app, item) };
                    let from = paint.foreign(from, y, room.saturating_sub(from), &before, Role::JsonString);
                    // After a value that is cut there is nothing.
                    let left = if before.is_empty() || from + pinned::LEFT < room {
                        room.saturating_sub(from)
                    } else {
                        0
                    };
                    paint.foreign(from, y, left, what, Role::Text);
                }
                Name::Pin(at) => pinned::value(app, paint, *at, item, (x, y, cells)),
                Name::Size => {
                    let size = size_kept(
                        view.size,
                        view.is_cut(),
                        if cells > SHORT_SIZE { size } else { size_short },
                    );
                    paint.right(x, x + cells, y, &size, Role::Muted);
                }
                Name::Runs => {
                    if !view.runs.is_empty() {
                        number(paint, x, y, cells, view.runs.len() as u64, &mut text, Role::Text);
                    }
                }
                Name::Id => {
                    paint.put(x, y, cells, short(&view.id), Role::Muted);
                }
                Name::Method => {
                    paint.foreign(x, y, cells, &view.method, Role::Muted);
                }
                Name::Actor => {
                    paint.foreign(x, y, cells, view.actor.as_deref().unwrap_or(""), Role::Muted);
                }
                Name::Steps | Name::Took | Name::Tries | Name::Version | Name::Request => {}
            }
            x += cells + 1;
        }
        finish(paint, pane.body, y, list, item.id(), focused);
    }
    foot(app, paint, pane.body, list);
}

/// Draws a list of runs.
pub fn runs(app: &App, paint: &mut Paint<'_>, pane: Pane, list: &List<RunRow>, id: ListId) {
    let focused = app.place() == Place::Runs(id);
    let known = app.counters.as_ref().map(|c| c.runs.iter().sum());
    let active = app.counters.as_ref().map(|c| {
        let open: u64 = [0, 1, 3, 4].iter().map(|at| c.runs[*at]).sum();
        format!("{} active", count(open))
    });
    head(app, paint, pane, list, focused, "Runs", counted(list, known, active));
    if let Some(trouble) = super::empty::untaken(app, list) {
        return super::warns(paint, pane.body, &trouble);
    }
    if list.rows.is_empty() {
        let text = super::empty::list(app, list, "No run yet. Every accepted request starts one.", "run");
        return super::says(paint, pane.body, &text);
    }
    let columns = columns(&RUNS, app.size.0, pane.body.width.saturating_sub(3));
    let shows_took = columns.iter().any(|(name, _)| *name == Name::Took);
    let mut text = String::new();
    for (row, item) in (0u16..).zip(list.visible()) {
        let y = pane.body.y + row;
        let view = &item.view;
        let mut x = gutter(paint, pane.body.x, y, list, item.id());
        for (name, cells) in &columns {
            let cells = *cells;
            match name {
                Name::Time => {
                    paint.put(x, y, cells, &clock(item.at, app.now, &app.options.zone), Role::Muted);
                }
                Name::State => {
                    let (glyph, role) = glyphs::run(view.state);
                    let fresh = item.moved.is_some_and(|at| app.now - at < FRESH);
                    let role = if fresh && role != Role::Bad { Role::New } else { role };
                    let next = paint.put(x, y, 1, glyph, role);
                    if cells > 2 {
                        paint.put(next + 1, y, cells - 2, glyphs::run_word(view.state), role);
                    }
                }
                Name::Flow => flow(paint, x, y, cells, &view.integration, &view.flow),
                Name::Steps => steps(paint, x, y, cells, view),
                Name::What => {
                    text.clear();
                    now_or_cause(view, &mut text, app);
                    if let (true, false, Some(ms)) = (text.is_empty(), shows_took, item.took) {
                        text.push_str(&took(ms));
                    }
                    paint.foreign(x, y, cells, &text, Role::Text);
                }
                Name::Took => {
                    if let Some(ms) = item.took {
                        paint.right(x, x + cells, y, &took(ms), Role::Muted);
                    }
                }
                Name::Tries => {
                    let tries: u64 = view.steps.iter().map(StepView::tried).sum();
                    if tries > 0 {
                        number(paint, x, y, cells, tries, &mut text, Role::Muted);
                    }
                }
                Name::Version => {
                    text.clear();
                    let _ = write!(text, "v{}", view.version);
                    paint.right(x, x + cells, y, &text, Role::Muted);
                }
                Name::Id => {
                    paint.put(x, y, cells, short(&view.id), Role::Muted);
                }
                Name::Request => {
                    let request = view.request.as_deref().map_or("", short);
                    paint.foreign(x, y, cells, request, Role::Muted);
                }
                Name::Status | Name::Size | Name::Runs | Name::Method | Name::Actor | Name::Pin(_) => {}
            }
            x += cells + 1;
        }
        finish(paint, pane.body, y, list, item.id(), focused);
    }
    foot(app, paint, pane.body, list);
}

/// What a run does now, or why it stopped.
fn now_or_cause(view: &RunView, text: &mut String, app: &App) {
    let current = view
        .steps
        .iter()
        .find(|step| !matches!(step.state, StepState::Succeeded | StepState::Skipped | StepState::Pending));
    // The cause of a run that went on without a step names the step itself.
    if let Some(step) = current.filter(|_| view.state != RunState::SucceededWithSkips) {
        let _ = write!(text, "{}: ", step.name);
    }
    let due = || {
        let at = view.due.as_deref().and_then(crate::model::time::parse_rfc3339);
        at.map(|at| (clock(at, app.now, &app.options.zone), at - app.now))
    };
    let items = current.filter(|step| !step.items.is_empty());
    let items = items.map(|step| format!("items {}", step.tally().words()));
    match (view.state, &view.cause) {
        (RunState::Retrying, cause) => {
            let tries = current.map_or(0, StepView::tried);
            if let Some(cause) = cause {
                let _ = write!(text, "{cause}, ");
            }
            match current.and_then(|step| step.tries) {
                _ if items.is_some() => text.extend(items),
                Some(of) => {
                    let _ = write!(text, "{tries} of {of}");
                }
                None => {
                    let _ = write!(text, "{tries} tried");
                }
            }
            if let Some((due, _)) = due() {
                let _ = write!(text, ", {due}");
            }
        }
        (RunState::Waiting, cause) => {
            text.push_str(cause.as_deref().unwrap_or("waits"));
            if let Some((due, left)) = due() {
                // A day away is said in days, else by the clock: lists do not age.
                if left > crate::model::time::DAY {
                    let _ = write!(text, ", {} left", age(left));
                } else {
                    let _ = write!(text, ", until {due}");
                }
            }
        }
        (_, Some(cause)) => text.push_str(cause),
        (RunState::Running, None) => {
            let attempt = current.and_then(|step| step.attempts.last()).map_or(1, |attempt| attempt.number);
            text.push_str(&items.unwrap_or_else(|| format!("attempt {attempt}")));
        }
        (RunState::SucceededWithSkips, None) => {
            if let Some(step) = view.steps.iter().find(|step| step.state == StepState::Skipped) {
                let _ = write!(text, "{} skipped", step.name);
            }
        }
        _ => {}
    }
}

/// A glyph a step; where they do not fit, from the first that is not done.
fn steps(paint: &mut Paint<'_>, x: u16, y: u16, cells: u16, view: &RunView) {
    let room = usize::from(cells);
    let done = |state| matches!(state, StepState::Succeeded | StepState::Skipped);
    let mut from = 0;
    if view.steps.len() > room {
        let open = view.steps.iter().position(|step| !done(step.state)).unwrap_or(0);
        from = open.min(view.steps.len() - room);
    }
    let shown = view.steps.iter().skip(from).take(room);
    for (at, step) in (x..).zip(shown) {
        let (glyph, role) = glyphs::step(step.state);
        paint.put(at, y, 1, glyph, role);
    }
    if view.steps.len() > from + room {
        paint.put(x + cells - 1, y, 1, "…", Role::Muted);
    }
}

/// Integration and flow, or the flow alone where there is no room for both.
pub fn flow(paint: &mut Paint<'_>, x: u16, y: u16, cells: u16, integration: &str, flow: &str) {
    let end = x + cells;
    let both = width(integration) + 3 + width(flow);
    if both <= cells || cells > 14 {
        let next = paint.foreign(x, y, cells, integration, Role::Muted);
        let next = paint.put(next, y, end.saturating_sub(next), " / ", Role::Muted);
        paint.foreign(next, y, end.saturating_sub(next), flow, Role::Text);
    } else {
        paint.foreign(x, y, cells, flow, Role::Text);
    }
}

fn number(paint: &mut Paint<'_>, x: u16, y: u16, cells: u16, number: u64, text: &mut String, role: Role) {
    text.clear();
    let _ = write!(text, "{number}");
    paint.right(x, x + cells, y, text, role);
}
