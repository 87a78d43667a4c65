//! A frame: promise line, tabs and breadcrumb, the screen, the filter line, the footer, and what
//! stands above. A pure function of the state.

use super::action::Action;
use super::app::{App, PaneId, Place};
use super::edit::Edit;
use super::filter::Hunted;
use super::format::count;
use super::hit::Hits;
use super::keymap::Bound;
use super::layout::Class;
use super::paint::{Paint, to_ascii, width};
use super::payload::View::Why;
use super::theme::Role;
use super::worklist::Need;
use super::{overlay, promise, screen};
use crate::model::id::short;
use crate::model::request::Verdict;
use crate::session::Link;
use crate::text::Glyphs;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::borrow::Cow;

/// Draws the console into a buffer of its size.
pub fn draw(app: &App, buf: &mut Buffer) {
    told(app, buf);
}

/// Draws it, and tells what of it takes a click.
pub(super) fn told(app: &App, buf: &mut Buffer) -> Hits {
    let hits = {
        let glyphs = if app.options.ascii { Glyphs::Ascii } else { Glyphs::Unicode };
        let mut paint = Paint { buf, theme: &app.theme, glyphs, hits: Hits::new() };
        let frame = app.frame();
        if frame.class == Class::Message {
            message(app, &mut paint);
        } else {
            promise::draw(app, &mut paint, frame.promise);
            tabs(app, &mut paint, frame.tabs);
            screen::draw(app, &mut paint);
            link_line(app, &mut paint, frame.link);
            filter_line(app, &mut paint, frame.line);
            footer(app, &mut paint, frame.footer);
            // What lies under a box is not hit through it.
            if app.overlay.is_some() {
                paint.hits.clear();
            }
            overlay::draw(app, &mut paint);
        }
        paint.hits
    };
    if app.options.ascii {
        to_ascii(buf);
    }
    hits
}

/// A frame of some size, for those who draw without a terminal.
#[must_use]
pub fn picture(app: &App) -> Buffer {
    let mut buf = Buffer::empty(Rect::new(0, 0, app.size.0, app.size.1));
    draw(app, &mut buf);
    buf
}

fn message(app: &App, paint: &mut Paint<'_>) {
    let (width, height) = app.size;
    let text = format!("Pointsman needs 40x8, this is {width}x{height}.");
    let lines = screen::wrapped(&text, width);
    let mut y = 0;
    for line in lines.iter().take(usize::from(height)) {
        paint.put(0, y, width, line, Role::Text);
        y += 1;
    }
    let Some(counters) = app.counters.as_ref().filter(|_| y < height) else { return };
    let (mark, role) = match counters.probe {
        Some(None) => ("● ", Role::Good),
        Some(Some(_)) => ("✗ ", Role::Bad),
        None => ("? ", Role::Muted),
    };
    let next = paint.put(0, y, width, mark, role);
    let next =
        paint.put(next, y, width.saturating_sub(next), &format!("!{} ", count(counters.runs[5])), Role::Bad);
    let late = format!("◐{} late", count(counters.callbacks_overdue));
    paint.put(next, y, width.saturating_sub(next), &late, Role::Bad);
}

/// The screens by their digits.
pub(super) const TABS: [&str; 6] = ["Live", "Requests", "Runs", "Callbacks", "Integrations", "Overview"];

/// The tabs in the row that they stand in: where each begins, its text, and how many need a person.
fn tab_texts(app: &App, area: Rect) -> [(u16, String, u64); TABS.len()] {
    let gap = if area.width >= 160 { 3 } else { 2 };
    let mut x = area.x + 1;
    std::array::from_fn(|at| {
        let name = TABS[at];
        let here = at == app.screen as usize;
        let text =
            if here || area.width >= 100 { format!("{} {name}", at + 1) } else { (at + 1).to_string() };
        let alarm = app.counters.as_ref().map_or(0, |counters| match at {
            2 => counters.runs[5],
            3 => counters.callbacks_overdue,
            _ => 0,
        });
        let from = x;
        x += width(&text) + gap;
        if alarm > 0 {
            x += 1 + width(&format!("!{}", count(alarm)));
        }
        (from, text, alarm)
    })
}

/// The tab at a place of the screen, from 1.
#[must_use]
pub fn tab_at(app: &App, at: Position) -> Option<u8> {
    let area = app.frame().tabs;
    if !area.contains(at) {
        return None;
    }
    let tabs = tab_texts(app, area);
    let found = tabs.iter().rposition(|(from, _, _)| at.x >= *from)?;
    let (from, text, alarm) = &tabs[found];
    let alarm = if *alarm > 0 { 1 + width(&format!("!{}", count(*alarm))) } else { 0 };
    (at.x < from + width(text) + alarm).then(|| u8::try_from(found + 1).unwrap_or(1))
}

/// The row of the screen in which the selected row of a pane stands, as it is drawn.
#[must_use]
pub fn marked(app: &App, body: Rect) -> Option<u16> {
    let buf = picture(app);
    let mark = if app.options.ascii { ">" } else { "▌" };
    (body.y..body.bottom()).find(|y| buf.cell((body.x, *y)).is_some_and(|cell| cell.symbol() == mark))
}

fn tabs(app: &App, paint: &mut Paint<'_>, area: Rect) {
    if area.is_empty() {
        return;
    }
    let mut x = area.x + 1;
    for (at, (from, text, alarm)) in tab_texts(app, area).iter().enumerate() {
        let here = at == app.screen as usize;
        x = paint.put(*from, area.y, area.width, text, if here { Role::Title } else { Role::Muted });
        if *alarm > 0 {
            x = paint.put(x + 1, area.y, area.width, &format!("!{}", count(*alarm)), Role::Bad);
        }
    }
    x += if area.width >= 160 { 3 } else { 2 };
    let crumbs = super::trail::breadcrumb(app);
    let room = area.right().saturating_sub(x + 1);
    // Its left end is cut first: where one is matters more than how one came.
    let crumbs = if width(&crumbs) > room {
        let skip = usize::from(width(&crumbs) - room) + 1;
        format!("…{}", crumbs.chars().skip(skip).collect::<String>())
    } else {
        crumbs
    };
    if room > 3 {
        paint.right(x, area.right().saturating_sub(1), area.y, &super::paint::clean(&crumbs), Role::Muted);
    }
}

/// Why the link is down: in a row of its own, so that every row of the lists is seen that a key acts on.
fn link_line(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let Link::Down(outage) = &app.link.0 else { return };
    if area.is_empty() {
        return;
    }
    // What is down is the way; what is at its other end may well be at work.
    let more = if app.options.attached.is_some() { "; receiving may well go on there" } else { "" };
    let why = format!("{}{more}", outage.why);
    paint.right(area.x + 1, area.right().saturating_sub(1), area.y, &super::paint::clean(&why), Role::Stale);
}

fn filter_line(app: &App, paint: &mut Paint<'_>, area: Rect) {
    if area.is_empty() {
        return;
    }
    if let Some(search) = &app.search {
        return typed_line(paint, area, &search.edit, search.note());
    }
    let hunt = app.hunt();
    let Some(filter) = &app.filter else {
        if let Some(hunt) = hunt {
            hunt_line(paint, area, &hunt);
        }
        return;
    };
    let plain = ["tab completes   ↑ ↓ earlier ones   enter keeps   esc back", "enter keeps   esc back"];
    let notes = match (&filter.choices, &filter.error, &hunt) {
        (Some(_), ..) => ["tab ↑ ↓ choose   enter takes it   esc closes"; 2],
        (None, Some(_), _) => ["the last valid filter stays"; 2],
        (None, None, Some(hunt)) => [hunt.told[0].as_str(), hunt.told[1].as_str()],
        (None, None, None) => plain,
    };
    let typed = width(&filter.edit.text());
    let fits = |note: &&str| typed + width(note) + 8 < area.width;
    typed_line(paint, area, &filter.edit, notes.into_iter().find(fits).unwrap_or(notes[1]));
    if let Some(choices) = &filter.choices {
        let line = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        return overlay::choices::draw(paint, line, choices, filter.awaits);
    }
    let Some(wrong) = &filter.error else { return };
    for (y, (x, line)) in (area.y + 1..area.bottom()).zip(filter.told(wrong, area.width.saturating_sub(3))) {
        paint.put(area.x + x, y, area.width.saturating_sub(x + 1), &line, Role::Bad);
    }
}

/// How far a search is; its filter as far as there is room.
fn hunt_line(paint: &mut Paint<'_>, area: Rect, hunt: &Hunted<'_>) {
    let left = |told: &String| area.width.saturating_sub(width(told) + 5);
    let wanted = width(hunt.filter).min(24);
    let told = hunt.told.iter().find(|told| left(told) >= wanted).unwrap_or(&hunt.told[1]);
    if left(told) >= 4 {
        paint.put(area.x, area.y, 2, "/ ", Role::Muted);
        paint.foreign(area.x + 2, area.y, left(told), hunt.filter, Role::Muted);
    }
    let role = if hunt.on { Role::Text } else { Role::Warn };
    paint.right(area.x, area.right().saturating_sub(1), area.y, told, role);
}

/// What is being typed, its cursor, and what ends it.
fn typed_line(paint: &mut Paint<'_>, area: Rect, edit: &Edit, note: &str) {
    paint.put(area.x, area.y, 2, "/ ", Role::Key);
    let room = area.width.saturating_sub(4);
    let (text, cursor) = edit.window(room);
    let end = paint.foreign(area.x + 2, area.y, room, &text, Role::Text);
    overlay::dialog::reversed(paint, area.x + 2 + cursor, area.y);
    if area.right() > end + width(note) + 4 {
        paint.right(end + 2, area.right() - 1, area.y, note, Role::Muted);
    }
}

/// The keys of the footer for what has the focus, the most useful first.
#[must_use]
pub fn footer_keys(app: &App) -> &'static [Action] {
    use Action::{
        Abort, Back, Follow, Full, Left, Mark, NextPane, NextSibling, Open, Quit, Replay, Retry, Right, Skip,
        View,
    };
    match app.place() {
        Place::Empty => &[Open, Action::Add, Action::Palette, Quit],
        // The same on every row, too: what was not rejected only mutes the key.
        Place::Requests(_) => &[Open, Replay, Action::Filter, NextPane, Follow, Action::Readmit, Mark],
        // The same on every row: keys that change place under the eye are not found again.
        Place::Runs(_) => &[Open, Retry, Skip, Replay, Action::Filter, Follow, Mark],
        Place::Needs => match app.needs.current() {
            Some(Need::Drift(_)) => &[Open, Action::Forget, NextPane, Full],
            Some(Need::Store(_) | Need::Breaker(_) | Need::Silent(_)) => &[Open, NextPane, Full],
            Some(Need::Halted(_)) => &[Open, Action::Pause, NextPane, Full],
            Some(Need::Expired(of)) if of.only().is_some() => {
                &[Open, Action::Complete, Retry, Skip, Abort, NextPane, Full]
            }
            Some(Need::Errored(_) | Need::Expired(_)) | None => &[Open, Retry, Skip, Abort, NextPane, Full],
        },
        Place::Groups => &[Open, Retry, Skip, Abort, Action::Difference, View, Back],
        // What is said of it asks for an act.
        Place::Payload(_) => match why(app) {
            Some(Verdict::Duplicate) => {
                &[Open, Action::Difference, Action::Forget, Replay, Action::Test, View, Back]
            }
            Some(Verdict::Rejected) => {
                &[Action::Readmit, Action::Links, Action::Difference, View, Action::CopyAs, NextPane, Back]
            }
            _ => &[View, Left, Action::Pin, Action::Values, Open, Action::CopyAs, Back],
        },
        Place::Board | Place::BoardPane => {
            &[Action::Complete, Retry, Skip, Action::Extend, Action::Forget, Open, Action::CopyAs]
        }
        Place::Tree => &[
            Action::Edit,
            Action::Test,
            Action::BackTest,
            Action::Deploy,
            Action::Difference,
            Action::Capture,
            Action::Pause,
        ],
        Place::Overview => &[Open, View, NextPane, Full, Action::Reload, Back],
        Place::Versions => &[Open, Action::Difference, Action::Deploy, Mark, NextPane, Full, Back],
        Place::Facts | Place::Diff => {
            &[NextPane, Action::Edit, Action::Copy, Open, Full, Action::Deploy, Back]
        }
        // Its own keys are drawn: they hang on its mode.
        Place::Editor | Place::Guide => &[Back],
        // What it waits for can be given.
        Place::Timeline(_) | Place::Attempt(_) if app.possible(Action::Complete).is_ok() => {
            &[Action::Complete, Retry, Skip, Abort, Action::Extend, Right, Back]
        }
        Place::Timeline(_) | Place::Attempt(_) if app.possible(Retry).is_err() => {
            &[Right, NextSibling, Replay, Open, NextPane, Retry, Back]
        }
        Place::Timeline(_) | Place::Attempt(_) => &[Retry, Skip, Abort, Replay, Right, NextSibling, Back],
    }
}

/// The verdict that the payload in focus explains, where it does.
fn why(app: &App) -> Option<Verdict> {
    let payload = match app.place() {
        Place::Payload(PaneId::Payload) => &app.requests.payload,
        _ => return None,
    };
    payload.detail.as_ref().filter(|_| payload.view() == Why).map(|detail| detail.request.verdict)
}

/// How the footer names a key here.
fn named(app: &App, action: Action, bound: &Bound) -> (String, Cow<'static, str>) {
    let own = bound.key();
    if let (Action::Links | Action::Difference, Some(Verdict::Rejected)) = (action, why(app))
        && let Some(like) = app.explained().and_then(|explain| explain.like.as_ref())
    {
        let told = match (action, &like.passed) {
            (Action::Links, _) if like.more || like.count < 2 => "all like it".to_owned(),
            (Action::Links, _) => format!("all {} like it", count(like.count)),
            (_, Some(passed)) => format!("against {}", short(&passed.request)),
            (_, None) => "diff".to_owned(),
        };
        return (own.to_owned(), told.into());
    }
    let pair = |one: Action, other: Action| {
        let keymap = &app.options.keymap;
        format!("{} {}", keymap.key(one), keymap.key(other)).trim().to_owned()
    };
    let word = match (action, app.place()) {
        (Action::Right, Place::Timeline(_) | Place::Attempt(_)) => {
            return (pair(Action::Left, Action::Right), "step".into());
        }
        (Action::NextSibling, Place::Timeline(_) | Place::Attempt(_)) => {
            return (pair(Action::PreviousSibling, Action::NextSibling), "attempt".into());
        }
        (Action::Open, Place::Payload(_)) if app.is_opened() && why(app) == Some(Verdict::Duplicate) => {
            "the first"
        }
        (Action::Open, Place::Empty) => "do",
        (Action::Add, Place::Empty) => "new",
        (Action::Forget, Place::Needs) => "it is fine",
        (Action::Forget, Place::Board | Place::BoardPane) => "cancel",
        (Action::Open, Place::Board) => "run",
        (Action::Open, Place::Overview) => "list them",
        (Action::View, Place::Overview) => "hour, day, week",
        (Action::Open, Place::Versions) => "its text",
        (Action::Deploy, Place::Versions)
            if app.deployed().is_ok_and(|it| it.kind == super::dialog::Kind::Rollback) =>
        {
            "back to it"
        }
        (Action::Retry, Place::Groups | Place::Needs) if app.focused_group().is_some() => "retry all",
        (Action::Skip, Place::Groups | Place::Needs) if app.focused_group().is_some() => "skip all",
        (Action::Abort, Place::Groups | Place::Needs) if app.focused_group().is_some() => "abort all",
        _ => bound.binding.word,
    };
    (own.to_owned(), word.into())
}

fn footer(app: &App, paint: &mut Paint<'_>, area: Rect) {
    if area.is_empty() {
        return;
    }
    let class = app.frame().class;
    if let Some(guide) = &app.guide {
        return editing(app, paint, area, &guide.keys(class), guide.types());
    }
    if let Some(editor) = &app.editor {
        let typing = editor.typing || editor.search.edit.is_some();
        return editing(app, paint, area, &screen::editor::keys(editor, class), typing);
    }
    let most = match class {
        Class::Message | Class::Narrow => 3,
        Class::Compact => 5,
        Class::Normal | Class::Wide => 7,
    };
    let gap = if area.width < 60 { 2 } else { 3 };
    let mut x = area.x + 1;
    let marked = match app.place() {
        Place::Requests(super::app::ListId::Requests) => app.requests.list.marks.len(),
        Place::Requests(_) => app.live.requests.marks.len(),
        Place::Runs(super::app::ListId::Runs) => app.runs.list.marks.len(),
        Place::Runs(_) => app.live.runs.marks.len(),
        Place::Board | Place::BoardPane => app.board.marks.len(),
        _ => 0,
    };
    if marked > 0 {
        x = paint.put(x, area.y, area.width, &format!("{} marked", count(marked as u64)), Role::Mark) + gap;
    }
    let tail = [Action::Palette, Action::Help];
    let mut keys = footer_keys(app).to_vec();
    let (first, end) = app.focuses();
    if class <= Class::Narrow && end > first + 1 && app.place() != Place::Empty {
        // One pane at a time: the way to the others comes right after the first key.
        keys.retain(|key| *key != Action::NextPane);
        keys.insert(keys.len().min(1), Action::NextPane);
    }
    // The way to all the others ends the row, wherever it is.
    keys.retain(|key| !tail.contains(key));
    keys.truncate(most);
    // What no key is given to is in the palette alone.
    let known = |action: &Action| app.options.keymap.bound(*action).filter(|it| !it.keys.is_empty());
    let ends = tail.iter().filter_map(|action| known(action).map(|bound| named(app, *action, bound)));
    let mut left: u16 = ends.map(|(name, told)| gap + width(&name) + 1 + width(&told)).sum();
    for action in keys.iter().chain(&tail) {
        let Some(bound) = known(action) else { continue };
        let (name, told) = named(app, *action, bound);
        let text = width(&name) + 1 + width(&told);
        if tail.contains(action) {
            left = 0;
        }
        if x + text + left > area.right() {
            continue;
        }
        let (key, word) = match app.possible(*action) {
            Ok(()) => (Role::Key, Role::Text),
            Err(_) => (Role::Muted, Role::Muted),
        };
        let next = paint.put(x, area.y, area.width, &name, key);
        x = paint.put(next + 1, area.y, area.width, &told, word) + gap;
    }
}

/// The keys of a document that is edited; those of the mode that cannot act are muted.
fn editing(
    app: &App,
    paint: &mut Paint<'_>,
    area: Rect,
    keys: &[(&'static str, &'static str)],
    typing: bool,
) {
    let gap = if area.width < 90 { 2 } else { 3 };
    let mut x = area.x + 1;
    // What is typed is text: no key of these acts. A guide has no room for all of them.
    let both = [(":", "all"), ("?", "help")];
    let from = if typing { both.len() } else { usize::from(app.guide.is_some()) };
    let tail = &both[from..];
    let keymap = &app.options.keymap;
    let spelled = |key: &str| -> String {
        let shown = key.split(' ').map(|key| if typing { key } else { keymap.now(key) });
        shown.collect::<Vec<_>>().join(" ")
    };
    // What ends the row has its room first; of the others the least useful one is left out.
    let cells = |(key, word): &(&str, &str)| width(&spelled(key)) + 1 + width(word) + gap;
    let mut room = area.width.saturating_sub(1 + tail.iter().map(cells).sum::<u16>().saturating_sub(gap));
    let mut shown: Vec<(&str, &str)> = Vec::new();
    let way_out = keys.last().filter(|(key, _)| *key == "esc");
    room = room.saturating_sub(way_out.map_or(0, cells));
    for key in keys.iter().filter(|key| Some(*key) != way_out) {
        if cells(key) <= room {
            room -= cells(key);
            shown.push(*key);
        }
    }
    for (key, word) in shown.iter().copied().chain(way_out.copied()).chain(tail.iter().copied()) {
        let key = spelled(key);
        if x + width(&key) + 1 + width(word) > area.right() {
            break;
        }
        let action = super::key::Key::parse(&key).and_then(|key| keymap.action_of(key)).filter(|_| !typing);
        let muted = action.is_some_and(|action| app.possible(action).is_err());
        let next = paint.put(x, area.y, area.width, &key, if muted { Role::Muted } else { Role::Key });
        x = paint.put(next + 1, area.y, area.width, word, if muted { Role::Muted } else { Role::Text }) + gap;
    }
}
