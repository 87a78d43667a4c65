//! The breadcrumb: where one is, and the way back that `esc` takes.

use super::app::{App, Crumb, ListId, Place, Screen};
use super::draw::TABS;
use super::paint::cut;
use crate::model::id::short;
use std::borrow::Cow;

/// Characters of a filter.
const FILTER: u16 = 40;

/// `Runs › state:errored › 5d02aa › push`: what is open comes after the list that it was opened
/// from, with that list's filter.
#[must_use]
pub fn breadcrumb(app: &App) -> String {
    let mut parts: Vec<String> = Vec::new();
    for (at, crumb) in app.crumbs.iter().enumerate() {
        if let Some(id) = &crumb.opened {
            parts.push(named(&parts, crumb.screen, id));
            continue;
        }
        let next = app.crumbs.get(at + 1);
        let opens = next.map_or_else(|| app.is_opened(), |next| next.opened.is_some());
        // A list in place of a list is named by itself.
        if opens || next.map_or(app.screen, |next| next.screen) != crumb.screen {
            list(app, crumb.screen, came_by(app, at, crumb), &mut parts);
        }
    }
    let opened = match app.screen {
        Screen::Requests => &app.requests.opened,
        Screen::Runs => &app.runs.opened,
        _ => &None,
    };
    if let Some(guide) = &app.guide {
        let name = guide.slug();
        let name = if name.is_empty() { "new integration".to_owned() } else { format!("new {name}") };
        return format!("{} › {name}", TABS[app.screen as usize]);
    }
    if let Some(editor) = &app.editor {
        if parts.is_empty() {
            parts.push(TABS[app.screen as usize].to_owned());
        }
        parts.push(format!("edit {}", editor.name));
        return parts.join(" › ");
    }
    match opened {
        Some(id) => {
            if parts.is_empty() {
                list(app, app.screen, of_screen(app.screen), &mut parts);
            }
            parts.push(named(&parts, app.screen, id));
            if let (Screen::Runs, Some(step)) = (app.screen, app.runs.run.current_step()) {
                parts.push(step.name.clone());
            }
        }
        None => here(app, &mut parts),
    }
    parts.join(" › ")
}

/// The screen itself: its list, and what of it has the focus.
fn here(app: &App, parts: &mut Vec<String>) {
    if app.place() == Place::Groups {
        parts.extend([TABS[Screen::Runs as usize].to_owned(), "groups".to_owned()]);
        return;
    }
    list(app, app.screen, of_screen(app.screen), parts);
    let pane = match app.place() {
        Place::Requests(ListId::LiveRequests) => "Requests",
        Place::Payload(_) if app.screen == Screen::Live => "payload",
        Place::Runs(ListId::LiveRuns) => "Runs",
        Place::Needs => "Needs you",
        Place::Versions => "versions",
        Place::Diff => "diff",
        Place::Overview => app.overview.span.word(),
        _ => "",
    };
    if !pane.is_empty() {
        parts.push(pane.to_owned());
    }
    let selected = match app.screen {
        Screen::Requests => app.requests.payload.id.as_deref(),
        Screen::Runs => app.runs.run.id.as_deref(),
        Screen::Callbacks => app.board.current().map(|row| row.view.run.as_str()),
        Screen::Live | Screen::Integrations | Screen::Overview => None,
    };
    parts.extend(selected.map(|id| short(id).to_owned()));
    if let (Screen::Integrations, Some(node)) = (app.screen, app.tree.current()) {
        parts.push(node.integration.clone());
        parts.extend(node.part.flow().map(str::to_owned));
    }
}

/// The list that a screen is made of.
fn of_screen(screen: Screen) -> Option<ListId> {
    match screen {
        Screen::Live | Screen::Integrations | Screen::Overview => None,
        Screen::Requests => Some(ListId::Requests),
        Screen::Runs => Some(ListId::Runs),
        Screen::Callbacks => Some(ListId::Callbacks),
    }
}

/// The list from which a crumb was left.
fn came_by(app: &App, at: usize, crumb: &Crumb) -> Option<ListId> {
    if crumb.screen != Screen::Live {
        return of_screen(crumb.screen);
    }
    let next = app.crumbs.get(at + 1).map_or(app.requests.from, |next| next.from);
    match crumb.focus {
        0 => Some(ListId::LiveRequests),
        2 => Some(ListId::LiveRuns),
        _ => next,
    }
}

/// A screen's name, and the filter of the list where one is in force.
fn list(app: &App, screen: Screen, id: Option<ListId>, parts: &mut Vec<String>) {
    parts.push(TABS[screen as usize].to_owned());
    let (filter, off) = match id {
        Some(ListId::LiveRequests) => (&app.live.requests.filter, app.live.requests.off),
        Some(ListId::LiveRuns) => (&app.live.runs.filter, app.live.runs.off),
        Some(ListId::Requests) => (&app.requests.list.filter, app.requests.list.off),
        Some(ListId::Runs) => (&app.runs.list.filter, app.runs.list.off),
        // That it begins with is not told: it is what the screen is.
        Some(ListId::Callbacks) if app.board.filter == super::board::OPEN => return,
        Some(ListId::Callbacks) => (&app.board.filter, app.board.off),
        None => return,
    };
    if filter.is_empty() || off {
        return;
    }
    parts.push(cut(&words(app, filter), FILTER).into_owned());
}

/// A filter in words: a group by its step and cause, since its number tells nobody anything.
#[must_use]
pub fn words<'f>(app: &App, filter: &'f str) -> Cow<'f, str> {
    let Some(id) = filter.strip_prefix("group:") else { return Cow::Borrowed(filter) };
    match app.needs.groups.iter().find(|group| group.id == id) {
        Some(group) => Cow::Owned(format!("{}: {}", group.step, group.cause)),
        None => Cow::Borrowed("group"),
    }
}

/// An open object: with what it is where the screen at the beginning does not tell.
fn named(parts: &[String], screen: Screen, id: &str) -> String {
    let word = match screen {
        Screen::Requests => "request",
        _ => "run",
    };
    let tells = parts.first().is_some_and(|first| *first == TABS[screen as usize]);
    if tells { short(id).to_owned() } else { format!("{word} {}", short(id)) }
}
