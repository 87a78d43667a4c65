//! What stands around the rows of a log: the rule over it, the two cells before a row, the selection,
//! and how many came below.

use crate::console::action::Action;
use crate::console::app::App;
use crate::console::format::{age, clock, count};
use crate::console::layout::Pane;
use crate::console::list::{Item, List};
use crate::console::paint::{Paint, width};
use crate::console::theme::Role;
use crate::session::Link;
use ratatui::layout::Rect;
use std::fmt::Write as _;

/// How many rows there are: under a filter those that match as far as they were read, of all.
pub fn counted<T: Item>(list: &List<T>, all: Option<u64>, other: Option<String>) -> Option<String> {
    if list.filter_in_force().is_empty() {
        return other.or_else(|| all.map(count));
    }
    let read = count((list.rows.len() + list.held.len()) as u64);
    let least = if list.is_whole() { "" } else { "+" };
    Some(match all {
        Some(all) => format!("{read}{least} of {}", count(all)),
        None => format!("{read}{least}"),
    })
}

/// The rule over a list: follows or since when not, how many, the filter.
pub fn head<T: Item>(
    app: &App,
    paint: &mut Paint<'_>,
    pane: Pane,
    list: &List<T>,
    focused: bool,
    name: &str,
    known: Option<String>,
) {
    let mut title = name.to_owned();
    if let Link::Down(_) = app.link.0 {
        let _ = write!(title, " · {} old", age(app.now - app.link.1));
    } else if list.follow && list.racing {
        let rate = app.counters.as_ref().map_or(0, |counters| counters.recent / 10);
        let _ = write!(title, " · following, showing the last of {}/s", count(rate));
    } else if list.follow {
        title.push_str(" · following");
    } else if let Some(at) = list.stopped {
        let _ = write!(title, " · stopped at {}", clock(at, app.now, &app.options.zone));
    }
    if let Some(known) = known {
        let _ = write!(title, " · {known}");
    }
    let words = crate::console::trail::words(app, &list.filter);
    let filter = if list.off && !list.filter.is_empty() {
        format!("/ off: {words}")
    } else if list.filter.is_empty() {
        "/ none".to_owned()
    } else {
        format!("/ {words}")
    };
    // A long filter is cut rather than left out.
    let back = if app.full { app.say(" · {+} back") } else { String::new() };
    let room = pane.rule.width.saturating_sub(width(&title) + width(&back) + 8);
    let filter =
        format!("{}{back}", crate::console::paint::cut(&crate::console::paint::clean(&filter), room));
    paint.rule(pane.rule, &title, &filter, focused);
}

/// The two cells before a row: selected, marked or new; gives the next column.
pub fn gutter<T: Item>(paint: &mut Paint<'_>, x: u16, y: u16, list: &List<T>, id: &str) -> u16 {
    if list.selected.as_deref() == Some(id) {
        paint.put(x, y, 1, "▌", Role::BorderFocus);
    }
    if list.marks.contains(id) {
        paint.put(x + 1, y, 1, "▪", Role::Mark);
    } else if list.is_new(id) {
        paint.put(x + 1, y, 1, "•", Role::New);
    }
    x + 2
}

/// What lies over a row: the selection.
pub fn finish<T: Item>(paint: &mut Paint<'_>, area: Rect, y: u16, list: &List<T>, id: &str, focused: bool) {
    let row = Rect { x: area.x, y, width: area.width, height: 1 };
    if focused && list.selected.as_deref() == Some(id) {
        // One look over the whole row: a move of one row is then a few hundred bytes less.
        paint.selection(row);
    }
}

/// The last line of a stopped list: how many came since.
pub fn foot<T: Item>(app: &App, paint: &mut Paint<'_>, area: Rect, list: &List<T>) {
    if list.follow || list.below == 0 || area.height == 0 {
        return;
    }
    let more = if list.filter_in_force().is_empty() || list.held.len() < 200 { "" } else { "+" };
    let follow = app.options.keymap.named(Action::Follow);
    let text = format!("{}{more} new below · {follow} follows", count(list.below));
    let y = area.bottom() - 1;
    paint.right(area.x, area.right().saturating_sub(1), y, &text, Role::New);
}
