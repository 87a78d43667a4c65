//! What each action does to the state: no io, no clock.

use super::action::Action;
use super::app::{App, Crumb, FilterLine, ListId, Overlay, PaneId, Place, Screen, Tone};
use super::asks::{Effect, Want};
use super::edit::Edit;
use super::list::{Item, List};
use super::theme::{SHIPPED, Theme};
use super::verbs::kind_of;
use crate::model::ask::Ask;
use crate::model::time::Ms;
use crate::session::Link;

impl App {
    /// Does what an action says, or says why not.
    pub fn act(&mut self, action: Action) {
        if let Err(reason) = self.possible(action) {
            return self.toast(Tone::Info, reason);
        }
        if let Some(kind) = kind_of(action) {
            return self.open_verb(kind);
        }
        match action {
            Action::Screen(digit) => self.go_screen(digit),
            Action::Up => self.step(-1),
            Action::Down => self.step(1),
            Action::PageUp => self.page(-1),
            Action::PageDown => self.page(1),
            Action::Top => self.end(false),
            Action::Bottom => self.end(true),
            Action::Follow => self.each_list(Jump::Follow),
            Action::Open => self.open(),
            Action::Back => self.back(),
            Action::Quit => self.quit(),
            Action::NextPane => self.turn(1),
            Action::PreviousPane => self.turn(-1),
            Action::Full => self.full = !self.full,
            Action::View => self.view(),
            Action::Left => self.sideways(-1),
            Action::Right => self.sideways(1),
            Action::PreviousSibling => self.sibling(-1),
            Action::NextSibling => self.sibling(1),
            Action::Filter => self.open_filter(),
            Action::FilterToggle => self.each_list(Jump::Toggle),
            Action::Mark => self.each_list(Jump::Mark),
            Action::MarkAll => {
                if let Place::Requests(id) | Place::Runs(id) = self.place() {
                    self.ask_for_marks(id);
                }
            }
            Action::Undo => self.undo(),
            Action::Capture => self.open_capture(),
            Action::Theme => self.next_theme(),
            Action::Help => self.overlay = Some(Overlay::Help { top: 0 }),
            Action::Interrupt => self.ask_to_quit(),
            Action::Suspend => self.asks.effect(Effect::Suspend),
            Action::Redraw => self.asks.effect(Effect::Redraw),
            Action::Reload => {
                if matches!(self.link.0, Link::Down(_)) {
                    return self.toast(Tone::Info, "The link is tried again by itself; it is down still.");
                }
                self.ask_counters();
                self.resync();
                self.refresh();
            }
            _ => {}
        }
    }

    fn go_screen(&mut self, digit: u8) {
        let screen = match digit {
            1 => Screen::Live,
            2 => Screen::Requests,
            3 => Screen::Runs,
            _ => {
                let (name, command) = match digit {
                    4 => ("Callbacks: this version has no board yet", "pointsman callbacks ls lists them"),
                    5 => {
                        ("Integrations: this version has no tree yet", "pointsman integrations ls lists them")
                    }
                    _ => ("Overview: this version has no charts yet", "pointsman doctor checks the store"),
                };
                return self.toast(Tone::Info, format!("{name}; {command}"));
            }
        };
        self.crumbs.clear();
        self.requests.opened = None;
        self.runs.opened = None;
        self.show(screen, 0);
        if screen == Screen::Runs && !self.runs.chosen {
            // Groups are the first view while anything is errored.
            let errored = self.counters.as_ref().map_or(0, |c| c.runs[5]);
            self.runs.groups = errored > 0;
            self.runs.chosen = self.needs.known || self.counters.is_some();
        }
    }

    /// Shows a screen; what came meanwhile is asked for.
    fn show(&mut self, screen: Screen, focus: usize) {
        if self.screen != screen {
            self.look_away();
            self.full = false;
            self.screen = screen;
            let runs = match screen {
                Screen::Live => Some(&self.live.runs),
                Screen::Runs => Some(&self.runs.list),
                Screen::Requests => None,
            };
            self.moved.extend(runs.into_iter().flat_map(List::visible).map(|row| row.id().to_owned()));
            self.reload_panes();
        }
        self.focus = focus;
    }

    fn step(&mut self, rows: isize) {
        let now = self.now;
        match self.place() {
            Place::Requests(id) => {
                if let Some(list) = self.request_list(id) {
                    list.step(rows, now);
                }
            }
            Place::Runs(id) => {
                if let Some(list) = self.run_list(id) {
                    list.step(rows, now);
                }
            }
            Place::Needs => {
                let last = self.needs.count().saturating_sub(1);
                self.needs.at = self.needs.at.saturating_add_signed(rows).min(last);
            }
            Place::Groups => {
                let last = self.needs.groups.len().saturating_sub(1);
                self.runs.at = self.runs.at.saturating_add_signed(rows).min(last);
            }
            Place::Payload(id) => {
                if let Some(payload) = self.payload(id) {
                    payload.lines.step(rows);
                }
            }
            Place::Timeline(id) => {
                if let Some(run) = self.run_pane(id) {
                    run.timeline.step(rows);
                }
            }
            Place::Attempt(id) => {
                if let Some(run) = self.run_pane(id) {
                    run.attempt.step(rows);
                }
            }
            Place::Empty => {}
        }
    }

    fn page(&mut self, pages: isize) {
        let rows = match self.place() {
            Place::Requests(id) => self.request_list(id).map_or(10, |list| list.page()),
            Place::Runs(id) => self.run_list(id).map_or(10, |list| list.page()),
            Place::Payload(id) => self.payload(id).map_or(10, |payload| payload.lines.height),
            Place::Timeline(id) => self.run_pane(id).map_or(10, |run| run.timeline.height),
            Place::Attempt(id) => self.run_pane(id).map_or(10, |run| run.attempt.height),
            Place::Needs | Place::Groups | Place::Empty => 10,
        };
        let rows = isize::try_from(rows.saturating_sub(1).max(1)).unwrap_or(10);
        self.step(rows * pages);
    }

    fn end(&mut self, newest: bool) {
        match self.place() {
            Place::Requests(_) | Place::Runs(_) => {
                self.each_list(if newest { Jump::Newest } else { Jump::Oldest });
            }
            _ => self.step(if newest { 1_000_000 } else { -1_000_000 }),
        }
    }

    /// Does something to the list that has the focus, whatever its rows are.
    fn each_list(&mut self, jump: Jump) {
        let now = self.now;
        match self.place() {
            Place::Requests(id) => {
                if let Some(list) = self.request_list(id) {
                    jump.act(list, now);
                }
            }
            Place::Runs(id) => {
                if let Some(list) = self.run_list(id) {
                    jump.act(list, now);
                }
            }
            _ => {}
        }
    }

    fn turn(&mut self, by: isize) {
        let (first, end) = self.focuses();
        let count = end - first;
        if count < 2 {
            return self.toast(Tone::Info, "there is one pane here");
        }
        let at = self.focus.saturating_sub(first);
        let by = if by < 0 { count - 1 } else { 1 };
        self.focus = first + (at + by) % count;
    }

    fn view(&mut self) {
        match (self.screen, self.is_opened()) {
            (Screen::Live, _) => self.live.payload.next_view(),
            (Screen::Requests, _) => self.requests.payload.next_view(),
            (Screen::Runs, false) => {
                self.runs.groups = !self.runs.groups;
                self.runs.chosen = true;
                self.focus = 0;
                self.needs.stale = true;
                self.behind = true;
            }
            (Screen::Runs, true) => self.toast(Tone::Info, "a run has one view; esc goes back to the list"),
        }
    }

    fn sideways(&mut self, by: isize) {
        match self.place() {
            Place::Payload(id) => {
                if let Some(payload) = self.payload(id) {
                    payload.fold(by > 0);
                }
            }
            Place::Timeline(id) | Place::Attempt(id) => {
                if let Some(run) = self.run_pane(id) {
                    run.go_step(by);
                }
            }
            Place::Runs(ListId::Runs) => self.runs.run.go_step(by),
            Place::Requests(_) | Place::Runs(_) | Place::Groups | Place::Needs | Place::Empty => {
                self.toast(Tone::Info, "nothing folds here; tab goes to the pane that does");
            }
        }
    }

    fn sibling(&mut self, by: isize) {
        let now = self.now;
        match self.place() {
            Place::Timeline(id) | Place::Attempt(id) => {
                if let Some(run) = self.run_pane(id) {
                    run.go_attempt(by);
                }
            }
            Place::Payload(PaneId::Payload) => {
                self.requests.list.step(by, now);
                if self.requests.opened.is_some() {
                    self.requests.opened.clone_from(&self.requests.list.selected);
                }
            }
            Place::Payload(_) => self.live.requests.step(by, now),
            _ => self.toast(Tone::Info, "there is nothing beside it"),
        }
    }

    fn open(&mut self) {
        let now = self.now;
        match self.place() {
            Place::Empty => self.load_samples(),
            Place::Requests(id) => {
                let Some(list) = self.request_list(id) else { return };
                list.stop(now);
                if let Some(opened) = list.selected.clone() {
                    self.open_request(opened);
                }
            }
            Place::Runs(id) => {
                let Some(list) = self.run_list(id) else { return };
                list.stop(now);
                if let Some(opened) = list.selected.clone() {
                    self.open_run(opened);
                }
            }
            Place::Groups => {
                if let Some(group) = self.needs.groups.get(self.runs.at) {
                    let id = group.id.clone();
                    self.open_group(&id);
                }
            }
            Place::Needs => {
                if let Some(group) = self.needs.groups.get(self.needs.at) {
                    let id = group.id.clone();
                    self.open_group(&id);
                } else if let Some(callback) = self.needs.overdue.get(self.needs.at - self.needs.groups.len())
                {
                    let run = callback.run.clone();
                    self.open_run(run);
                } else if let Some(id) = self.needs.drifted(self.needs.at) {
                    self.open_request(id);
                }
            }
            Place::Payload(PaneId::LivePayload) => {
                if let Some(id) = self.live.payload.id.clone() {
                    self.open_request(id);
                }
            }
            Place::Payload(_) => self.open_from_payload(),
            Place::Timeline(PaneId::RequestRun) | Place::Attempt(PaneId::RequestRun) => {
                if let Some(id) = self.requests.run.id.clone() {
                    self.open_run(id);
                }
            }
            Place::Timeline(_) | Place::Attempt(_) => match (&self.runs.opened, &self.runs.run.id) {
                (None, Some(id)) => {
                    let id = id.clone();
                    self.open_run(id);
                }
                _ => self.toast(Tone::Info, "this is all that is kept of it; h l go through the steps"),
            },
        }
    }

    /// From an open request: the first of a duplicate, else its run, or the list of them.
    fn open_from_payload(&mut self) {
        if self.requests.opened.is_none() {
            if let Some(id) = self.requests.payload.id.clone() {
                self.open_request(id);
            }
            return;
        }
        let Some(detail) = &self.requests.payload.detail else { return };
        let request = &detail.request;
        match (&request.duplicate_of, request.runs.as_slice()) {
            (Some(first), _) => self.open_request(first.clone()),
            (None, []) => self.toast(Tone::Info, "it began no run"),
            (None, [run]) => self.open_run(run.clone()),
            (None, _) => self.open_runs(&format!("request:{}", request.id)),
        }
    }

    fn crumb(&mut self) {
        let opened = match self.screen {
            Screen::Live => None,
            Screen::Requests => self.requests.opened.clone(),
            Screen::Runs => self.runs.opened.clone(),
        };
        if self.crumbs.len() < 32 {
            self.crumbs.push(Crumb { screen: self.screen, opened, focus: self.focus });
        }
    }

    fn open_request(&mut self, id: String) {
        self.crumb();
        self.show(Screen::Requests, 1);
        self.requests.opened = Some(id);
        self.requests.payload.lines.rewind();
    }

    fn open_run(&mut self, id: String) {
        self.crumb();
        self.show(Screen::Runs, 1);
        self.runs.opened = Some(id);
    }

    fn open_group(&mut self, id: &str) {
        self.open_runs(&format!("group:{id}"));
    }

    fn open_runs(&mut self, filter: &str) {
        self.crumb();
        self.show(Screen::Runs, 0);
        self.runs.opened = None;
        self.runs.groups = false;
        self.runs.chosen = true;
        self.runs.list.follow = true;
        self.set_filter(ListId::Runs, filter);
    }

    /// One step back: errors, marks, the full pane, one crumb.
    fn back(&mut self) {
        if !self.toasts.is_empty() {
            self.toasts.clear();
            return;
        }
        if let Place::Requests(id) | Place::Runs(id) = self.place() {
            let cleared = match self.request_list(id) {
                Some(list) => list.clear_marks(),
                None => self.run_list(id).map_or(0, List::clear_marks),
            };
            if cleared > 0 {
                return self.toast(Tone::Info, format!("{cleared} marks cleared, z brings them back"));
            }
        }
        if self.full {
            self.full = false;
        } else if let Some(crumb) = self.crumbs.pop() {
            let group =
                self.screen == Screen::Runs && crumb.screen == Screen::Runs && self.runs.opened.is_none();
            self.requests.opened = None;
            self.runs.opened = None;
            self.show(crumb.screen, crumb.focus);
            match crumb.screen {
                Screen::Live => {}
                Screen::Requests => self.requests.opened = crumb.opened,
                Screen::Runs => self.runs.opened = crumb.opened,
            }
            if group {
                self.runs.groups = true;
                self.set_filter(ListId::Runs, "");
            }
        } else if self.focus > 0 {
            self.focus = 0;
        } else if self.screen != Screen::Live {
            self.show(Screen::Live, 0);
        } else {
            self.toast(Tone::Info, "this is the root; q quits");
        }
    }

    fn quit(&mut self) {
        if self.screen == Screen::Live && self.crumbs.is_empty() {
            return self.ask_to_quit();
        }
        self.crumbs.clear();
        self.requests.opened = None;
        self.runs.opened = None;
        self.show(Screen::Live, 0);
    }

    fn ask_to_quit(&mut self) {
        if self.options.quitting_stops.is_some() {
            self.overlay = Some(Overlay::Quit { sure: false, armed: false });
        } else {
            self.asks.effect(Effect::Quit);
        }
    }

    fn open_filter(&mut self) {
        // What is typed next must never be taken for commands: groups give way to the list.
        if self.place() == Place::Groups {
            self.view();
        }
        if let Place::Requests(id) | Place::Runs(id) = self.place() {
            let before = self.filter_of(id);
            let edit = Edit::with(&before);
            self.filter = Some(FilterLine { list: id, edit, before, due: None, error: None });
        }
    }

    fn undo(&mut self) {
        let back = match self.place() {
            Place::Requests(id) => self.request_list(id).map_or(0, List::restore_marks),
            Place::Runs(id) => self.run_list(id).map_or(0, List::restore_marks),
            _ => 0,
        };
        let text = if back == 0 { "Nothing to undo.".to_owned() } else { format!("{back} marks are back") };
        self.toast(Tone::Info, text);
    }

    fn next_theme(&mut self) {
        let at = SHIPPED.iter().position(|(name, _)| *name == self.theme.name).unwrap_or(0);
        let (name, _) = SHIPPED[(at + 1) % SHIPPED.len()];
        match Theme::shipped(name, self.options.color) {
            Ok(theme) if theme == self.theme => {
                self.toast(Tone::Info, "there is one theme without colour: mono");
            }
            Ok(theme) => {
                self.theme = theme;
                self.toast(Tone::Info, format!("theme {name}"));
            }
            Err(error) => self.toast(Tone::Bad, error.to_string()),
        }
    }

    fn load_samples(&mut self) {
        if self.options.read_only {
            return self.toast(Tone::Info, "load is not possible: this console is read-only (--read-only)");
        }
        if matches!(self.link.0, Link::Down(_)) {
            return self.toast(Tone::Info, "load is not possible: the link is down");
        }
        if self.asks.awaits(|want| *want == Want::Load) {
            return self.toast(Tone::Info, "the samples are being loaded");
        }
        self.asks.ask(Want::Load, Ask::LoadSamples);
    }
}

/// What is done to the list that has the focus.
#[derive(Debug, Clone, Copy)]
enum Jump {
    Follow,
    Newest,
    Oldest,
    Mark,
    Toggle,
}

impl Jump {
    fn act<T: Item>(self, list: &mut List<T>, now: Ms) {
        match self {
            Self::Follow => list.to_newest(true, now),
            Self::Newest => list.to_newest(false, now),
            Self::Oldest => list.to_top(now),
            Self::Mark => list.toggle_mark(now),
            Self::Toggle => list.toggle_filter(),
        }
    }
}
