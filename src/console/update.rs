//! What each action does to the state: no io, no clock.

use super::action::Action;
use super::app::{App, FilterLine, ListId, Overlay, PaneId, Place, Screen, Tone};
use super::asks::Effect;
use super::list::{Item, List};
use super::run_pane::RunPane;
use crate::model::time::Ms;
use crate::session::Link;

impl App {
    /// Does what an action says, or says why not.
    pub fn act(&mut self, action: Action) {
        if let Err(reason) = self.possible(action) {
            return self.toast(Tone::Info, reason);
        }
        if self.guide_act(action) || self.editor_act(action) {
            return;
        }
        // Who acts on Runs acts on what is shown: an answer that is late changes the view no more.
        self.runs.chosen |= self.screen == Screen::Runs;
        if let Some(kind) = self.kind_here(action) {
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
            Action::Filter if self.searches() => self.open_search(),
            Action::Filter => self.open_filter(),
            Action::NextMatch => self.next_hit(true),
            Action::PreviousMatch => self.next_hit(false),
            Action::FilterToggle => self.each_list(Jump::Toggle),
            Action::Mark => self.each_list(Jump::Mark),
            Action::MarkAll => {
                if let Some(id) = self.filtered_list() {
                    self.ask_for_marks(id, None);
                }
            }
            Action::Undo => self.undo(),
            Action::Capture => self.open_capture(),
            Action::Difference if self.place() == Place::Groups => self.open_group_change(),
            Action::Difference if self.in_tree() => self.focus = 3,
            Action::Difference => match self.run_with_parent() {
                Some(pair) => self.open_replayed(pair),
                None => self.open_beside(),
            },
            Action::Test => self.open_trial(),
            Action::BackTest => self.open_back_test(),
            Action::SaveSample => self.save_sample(),
            Action::Copy => self.copy_selected(),
            Action::CopyAs => self.open_copy_menu(),
            Action::Links => self.open_links(),
            Action::Pause if self.halted_job().is_some() => self.resume_halted(),
            Action::Pause => self.open_pause(),
            Action::Deploy => self.open_deploy(),
            Action::Add if self.guides_here().is_some() => self.guide_here(),
            Action::Edit | Action::Add | Action::MoveUp | Action::MoveDown => self.edit_here(action),
            Action::EditBody => self.open_body(),
            Action::Theme => self.next_theme(),
            Action::Mouse => self.toggle_mouse(),
            Action::Palette => self.open_palette(),
            Action::Help => self.open_help(),
            Action::Interrupt if self.stop_hunt() => {}
            Action::Interrupt => self.ask_to_quit(),
            Action::Suspend => self.asks.effect(Effect::Suspend),
            Action::Redraw => self.asks.effect(Effect::Redraw),
            Action::Reload => {
                if self.link.0 != Link::Live {
                    self.asks.effect(Effect::TryLink);
                    return self.toast(Tone::Info, "The link is tried now.");
                }
                self.ask_counters();
                self.resync();
                self.refresh();
                self.toast(Tone::Info, "What is shown is read again.");
            }
            other => self.facet(other),
        }
    }

    fn go_screen(&mut self, digit: u8) {
        let screen = match digit {
            1 => Screen::Live,
            2 => Screen::Requests,
            3 => Screen::Runs,
            4 => Screen::Callbacks,
            5 => Screen::Integrations,
            _ => Screen::Overview,
        };
        self.forget_the_way();
        self.show(screen, 0);
        if screen == Screen::Runs && !self.runs.chosen {
            // Groups are the first view while anything is errored: as they are now, which the answer
            // tells that was asked for here.
            let errored = self.counters.as_ref().map_or(0, |c| c.runs[5]);
            self.runs.groups = errored > 0;
            (self.needs.stale, self.behind) = (true, true);
        }
    }

    /// Shows a screen; what came meanwhile is asked for.
    pub(super) fn show(&mut self, screen: Screen, focus: usize) {
        if self.screen != screen {
            self.look_away();
            self.full = false;
            self.screen = screen;
            let runs = match screen {
                Screen::Live => Some(&self.live.runs),
                Screen::Runs => Some(&self.runs.list),
                _ => None,
            };
            self.moved.extend(runs.into_iter().flat_map(List::visible).map(|row| row.id().to_owned()));
            self.reload_panes();
        }
        self.focus = focus;
    }

    pub(super) fn step(&mut self, rows: isize) {
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
            Place::Empty => self.step_offer(rows),
            Place::Overview => self.step_figure(rows),
            _ => self.step_workflow(rows),
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
            _ => self.workflow_page(),
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
            _ if jump == Jump::Mark => self.mark_workflow(),
            Place::Board if jump == Jump::Toggle => self.board.toggle_filter(),
            _ => {}
        }
    }

    fn turn(&mut self, by: isize) {
        let (first, end) = self.focuses();
        let count = end - first;
        if count < 2 {
            return self.toast(Tone::Info, "pane is not possible: there is one here");
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
            (Screen::Runs, true) => {
                self.toast(Tone::Info, "view is not possible: a run has one; esc goes back to the list");
            }
            (Screen::Overview, _) => self.next_span(),
            (Screen::Callbacks | Screen::Integrations, _) => {}
        }
    }

    fn sideways(&mut self, by: isize) {
        match self.place() {
            Place::Payload(id) => {
                let word = if by > 0 { "unfold" } else { "fold" };
                let said = self.payload(id).and_then(|payload| payload.fold(by > 0).err());
                if let Some(reason) = said {
                    self.toast(Tone::Info, format!("{word} is not possible: {reason}"));
                }
            }
            Place::Timeline(id) | Place::Attempt(id) => {
                if let Some(run) = self.run_pane(id) {
                    run.go_step(by);
                }
            }
            Place::Runs(ListId::Runs) => self.runs.run.go_step(by),
            Place::Requests(id) => self.fold(id, by < 0),
            Place::Runs(_) | Place::Groups | Place::Needs | Place::Empty => {
                self.toast(
                    Tone::Info,
                    "fold is not possible: nothing folds here; tab goes to the pane that does",
                );
            }
            _ => self.fold_workflow(by > 0),
        }
    }

    /// Shows what a provider sent again as one row, or every request.
    fn fold(&mut self, id: ListId, folds: bool) {
        let Some(list) = self.request_list(id) else { return };
        if list.folds == folds {
            let keymap = &self.options.keymap;
            let said = if folds {
                let key = keymap.named(Action::Right);
                format!("fold is not possible: redeliveries are folded already; {key} unfolds them")
            } else {
                let key = keymap.named(Action::Left);
                format!(
                    "unfold is not possible: every request is shown; {key} folds what a provider sent again"
                )
            };
            return self.toast(Tone::Info, said);
        }
        list.folds = folds;
        list.restart();
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
                let opened = self.requests.opened.is_some();
                let from = if opened { self.requests.from } else { Some(ListId::Requests) };
                let Some(list) = from.and_then(|from| self.request_list(from)) else {
                    return self.toast(
                        Tone::Info,
                        "next is not possible: it was not opened from a list of requests",
                    );
                };
                let before = list.selected.clone();
                list.stop(now);
                list.step(by, now);
                let selected = list.selected.clone();
                if selected == before {
                    let end = if by < 0 { "first" } else { "last" };
                    return self
                        .toast(Tone::Info, format!("next is not possible: this is the {end} of the list"));
                }
                if opened {
                    self.requests.opened = selected;
                }
            }
            Place::Payload(_) => self.live.requests.step(by, now),
            _ => self.toast(Tone::Info, "next is not possible: there is nothing beside it"),
        }
    }

    /// One step back: a search that is under way, errors, marks, the full pane, one crumb.
    fn back(&mut self) {
        if self.stop_hunt() {
            return;
        }
        if !self.toasts.is_empty() {
            self.toasts.clear();
            return;
        }
        if self.end_search() {
            return;
        }
        if let Place::Requests(id) | Place::Runs(id) = self.place() {
            let cleared = match self.request_list(id) {
                Some(list) => list.clear_marks(),
                None => self.run_list(id).map_or(0, List::clear_marks),
            };
            if cleared > 0 {
                return self.marks_cleared(cleared);
            }
        }
        if self.place() == Place::Board {
            let cleared = self.board.clear_marks();
            if cleared > 0 {
                return self.marks_cleared(cleared);
            }
        }
        if let Place::Attempt(id) = self.place()
            && self.run_pane(id).is_some_and(RunPane::close_item)
        {
            return;
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
                Screen::Requests => {
                    self.requests.opened = crumb.opened;
                    self.requests.from = crumb.from;
                }
                Screen::Runs => self.runs.opened = crumb.opened,
                _ => {}
            }
            self.runs.groups |= group;
            if let Some((list, filter)) = crumb.filter {
                self.set_filter(list, &filter);
            }
        } else if self.focus > 0 {
            self.focus = 0;
        } else if self.screen != Screen::Live {
            self.show(Screen::Live, 0);
        } else {
            let quit = self.options.keymap.named(Action::Quit);
            self.toast(Tone::Info, format!("this is the root; {quit} quits"));
        }
    }

    fn marks_cleared(&mut self, cleared: usize) {
        let undo = self.options.keymap.named(Action::Undo);
        self.toast(
            Tone::Info,
            format!("{} marks cleared, {undo} brings them back", super::format::count(cleared as u64)),
        );
    }

    fn quit(&mut self) {
        if self.screen == Screen::Live && self.crumbs.is_empty() {
            return self.ask_to_quit();
        }
        self.forget_the_way();
        self.show(Screen::Live, 0);
    }

    /// Nothing is open, and filters that were replaced on the way are in force again.
    fn forget_the_way(&mut self) {
        self.requests.opened = None;
        self.runs.opened = None;
        for crumb in std::mem::take(&mut self.crumbs).into_iter().rev() {
            if let Some((list, filter)) = crumb.filter {
                self.set_filter(list, &filter);
            }
        }
    }

    pub(super) fn ask_to_quit(&mut self) {
        if self.keeps_first() {
            return;
        }
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
        if let Some(id) = self.filtered_list() {
            self.completes.asked = false;
            self.filter = Some(FilterLine::new(id, self.filter_of(id)));
        }
    }

    fn undo(&mut self) {
        let back = match self.place() {
            Place::Requests(id) => self.request_list(id).map_or(0, List::restore_marks),
            Place::Runs(id) => self.run_list(id).map_or(0, List::restore_marks),
            Place::Board => self.board.restore_marks(),
            _ => 0,
        };
        let text = if back == 0 { "Nothing to undo.".to_owned() } else { format!("{back} marks are back") };
        self.toast(Tone::Info, text);
    }
}

/// What is done to the list that has the focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
