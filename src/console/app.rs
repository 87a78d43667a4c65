//! The console's whole state: one value, changed by [`super::update`] and [`super::receive`],
//! drawn by [`super::draw::draw`]. It does no io and reads no clock; `now` is set by the loop.

use super::acted::Marking;
use super::asks::{Asks, Effect};
use super::board::Board;
use super::company::Company;
use super::editor::Editor;
pub use super::filter::FilterLine;
use super::filter::complete::Completes;
use super::group_pane::GroupPane;
use super::guide::Guide;
use super::layout::{self, Class, Frame, Pane};
use super::link::Line;
use super::list::List;
use super::options::Options;
use super::overview::Overview;
use super::payload::{Payload, View};
use super::picks::Picks;
pub use super::place::{Crumb, ListId, Overlay, PaneId, Place, Screen, Toast, Tone};
use super::rows::{RequestRow, RunRow};
use super::run_pane::RunPane;
use super::search::SearchLine;
use super::theme::Theme;
use super::traffic::Wrote;
use super::tree::Tree;
use super::trial::Simulated;
pub use super::worklist::Needs;
use crate::model::change::Counters;
use crate::model::time::{Ms, SECOND};
use crate::session::Link;
use ratatui::layout::Rect;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How long good news stays.
pub const TOAST: Ms = 4 * SECOND;
/// How long a state that changed stands out.
pub const FRESH: Ms = 5 * SECOND;
/// The pause of typing after which a filter is tried.
pub const PAUSE: Ms = 250;

/// Live.
#[derive(Debug)]
pub struct Live {
    /// Its requests.
    pub requests: List<RequestRow>,
    /// The selected one.
    pub payload: Payload,
    /// Its runs.
    pub runs: List<RunRow>,
}

/// Requests.
#[derive(Debug)]
pub struct Requests {
    /// The list.
    pub list: List<RequestRow>,
    /// The selected or opened one.
    pub payload: Payload,
    /// Its run, where there is room.
    pub run: RunPane,
    /// One request, full width.
    pub opened: Option<String>,
    /// The list from which it was opened: `[` and `]` go through it.
    pub from: Option<ListId>,
}

/// Runs.
#[derive(Debug, Default)]
pub struct Runs {
    /// The list.
    pub list: List<RunRow>,
    /// The selected or opened one.
    pub run: RunPane,
    /// One run, full width.
    pub opened: Option<String>,
    /// Groups are shown, not the list.
    pub groups: bool,
    /// A person chose between list and groups, or it was chosen when errors were first seen.
    pub chosen: bool,
    /// The selected group.
    pub at: usize,
    /// What is known of it.
    pub group: GroupPane,
}

/// How much changed since the last frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dirt {
    /// Nothing.
    Clean,
    /// Something arrived.
    Data,
    /// A person did something.
    Input,
}

/// The console.
#[expect(clippy::struct_excessive_bools, reason = "each is a state of its own; no two exclude each other")]
#[derive(Debug)]
pub struct App {
    /// How it was started.
    pub options: Options,
    /// How it looks.
    pub theme: Theme,
    /// Engine time, as the loop says.
    pub now: Ms,
    /// Columns and rows.
    pub size: (u16, u16),
    /// The state of the link, and since when.
    pub link: (Link, Ms),
    /// What else is known of it.
    pub line: Line,
    /// Who else is here.
    pub company: Company,
    /// The figures of the first row.
    pub counters: Option<Counters>,
    /// The screen that is shown.
    pub screen: Screen,
    /// The pane that has the focus.
    pub focus: usize,
    /// It fills the content.
    pub full: bool,
    /// Where `esc` goes.
    pub crumbs: Vec<Crumb>,
    /// Screen 1.
    pub live: Live,
    /// Screen 2.
    pub requests: Requests,
    /// Screen 3.
    pub runs: Runs,
    /// Screen 4.
    pub board: Board,
    /// Screen 5.
    pub tree: Tree,
    /// Screen 6.
    pub overview: Overview,
    /// A document that is edited: it takes the place of every screen.
    pub editor: Option<Box<Editor>>,
    /// An integration that is being made: it, too.
    pub guide: Option<Box<Guide>>,
    /// The selected row of an empty store's screen.
    pub offer: usize,
    /// The worklist.
    pub needs: Needs,
    /// What stands above.
    pub overlay: Option<Overlay>,
    /// The trial that the open dialog was opened from: `esc` comes back to it.
    pub tried: Option<Box<Simulated>>,
    /// The filter line.
    pub filter: Option<FilterLine>,
    /// The search line.
    pub search: Option<SearchLine>,
    /// What is told, oldest first.
    pub toasts: Vec<Toast>,
    /// All that was told, oldest first.
    pub messages: VecDeque<Toast>,
    /// The mouse is taken.
    pub mouse: bool,
    /// What was clicked on last, until a key or another click.
    pub clicked: Option<Rect>,
    /// The file that is recorded into.
    pub recording: Option<String>,
    /// What is written to the terminal.
    pub wrote: Wrote,
    /// Whether the terminal has the focus (as far as it says).
    pub looking: bool,
    /// A URL to send a first request to.
    pub sample_url: Option<String>,
    /// The URLs of endpoints by their ids, as far as they were asked for.
    pub urls: BTreeMap<String, String>,
    /// What is kept between sessions.
    pub picks: Picks,
    /// What filters are completed with.
    pub completes: Completes,
    /// Questions under way.
    pub asks: Asks,
    /// Rows that are being marked.
    pub marking: Option<Marking>,
    /// Runs that moved and are held by a list.
    pub moved: BTreeSet<String>,
    /// How much changed since the last frame.
    pub dirt: Dirt,
    /// Something arrived that a shown list or pane must ask for.
    pub behind: bool,
}

impl App {
    /// A console that has asked for its figures and its first pages.
    #[must_use]
    pub fn new(options: Options, theme: Theme, size: (u16, u16), now: Ms) -> Self {
        let (zone, picks, keys) = (options.zone.clone(), options.picks.clone(), options.keymap.clone());
        let link = if options.attached.is_some() { Link::Connecting } else { Link::Live };
        let mut app = Self {
            options,
            theme,
            now,
            size: layout::known(size),
            link: (link, now),
            line: Line::default(),
            company: Company::default(),
            counters: None,
            screen: Screen::Live,
            focus: 0,
            full: false,
            crumbs: Vec::new(),
            live: Live {
                requests: List::default(),
                payload: Payload::new(View::Flat, true, zone.clone(), keys.clone()),
                runs: List::default(),
            },
            requests: Requests {
                list: List::default(),
                payload: Payload::new(View::Tree, false, zone, keys),
                run: RunPane::default(),
                opened: None,
                from: None,
            },
            runs: Runs::default(),
            board: Board::default(),
            tree: Tree::default(),
            overview: Overview::default(),
            editor: None,
            guide: None,
            offer: 0,
            needs: Needs { stale: true, ..Needs::default() },
            overlay: None,
            tried: None,
            filter: None,
            search: None,
            toasts: Vec::new(),
            messages: VecDeque::new(),
            mouse: false,
            clicked: None,
            recording: None,
            wrote: Wrote::default(),
            looking: true,
            sample_url: None,
            urls: BTreeMap::new(),
            picks,
            completes: Completes::default(),
            asks: Asks::default(),
            marking: None,
            moved: BTreeSet::new(),
            dirt: Dirt::Input,
            behind: true,
        };
        app.mark_pins();
        app.ask_counters();
        app.settle();
        app.refresh();
        app
    }

    /// What the loop has to do, in order.
    pub fn effects(&mut self) -> Vec<Effect> {
        self.asks.take()
    }

    /// Something must be drawn.
    pub fn touch(&mut self, dirt: Dirt) {
        self.dirt = self.dirt.max(dirt);
    }

    /// Tells something.
    pub fn toast(&mut self, tone: Tone, text: impl Into<String>) {
        let toast = Toast { text: text.into(), tone, at: self.now };
        super::messages::keep(&mut self.messages, &toast);
        self.toasts.retain(|old| old.text != toast.text);
        self.toasts.push(toast);
        if self.toasts.len() > 3 {
            let first = self.toasts.iter().position(|old| old.tone != Tone::Bad).unwrap_or(0);
            self.toasts.remove(first);
        }
        self.touch(Dirt::Input);
    }

    /// A sentence of ours with the keys in force: see [`super::keymap::Keymap::say`].
    #[must_use]
    pub fn say(&self, text: &str) -> String {
        self.options.keymap.say(text)
    }

    /// The parts of the screen.
    #[must_use]
    pub fn frame(&self) -> Frame {
        let search = u16::from(self.search.is_some() || self.filter.is_none() && self.hunt().is_some());
        let typed = self.filter.as_ref().map_or(search, |filter| filter.rows(self.size.0));
        let link = u16::from(matches!(self.link.0, Link::Down(_)));
        layout::frame(Rect::new(0, 0, self.size.0, self.size.1), link, typed)
    }

    /// Whether there is no integration yet, or none that is more than being made.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let none = |c: &Counters| c.integrations == c.unfinished.len() as u64;
        self.screen == Screen::Live && self.counters.as_ref().is_some_and(none)
    }

    /// Whether one object is shown full width.
    #[must_use]
    pub fn is_opened(&self) -> bool {
        match self.screen {
            Screen::Live | Screen::Callbacks | Screen::Integrations | Screen::Overview => false,
            Screen::Requests => self.requests.opened.is_some(),
            Screen::Runs => self.runs.opened.is_some(),
        }
    }

    /// The focuses that `tab` goes through: first and one past the last.
    #[must_use]
    pub fn focuses(&self) -> (usize, usize) {
        let first = usize::from(self.is_opened());
        let wide = self.frame().class == Class::Wide;
        match self.screen {
            Screen::Live | Screen::Integrations | Screen::Overview => (0, 4),
            Screen::Requests => (first, if wide && self.requests.run.id.is_some() { 4 } else { 2 }),
            Screen::Runs if self.runs.groups && !self.is_opened() => (0, 1),
            Screen::Runs => (first, 3),
            Screen::Callbacks => (0, 2),
        }
    }

    /// What has the focus.
    #[must_use]
    pub fn place(&self) -> Place {
        if self.guide.is_some() {
            return Place::Guide;
        }
        if self.editor.is_some() {
            return Place::Editor;
        }
        if self.is_empty() {
            return Place::Empty;
        }
        match (self.screen, self.focus) {
            (Screen::Live, 0) => Place::Requests(ListId::LiveRequests),
            (Screen::Live, 1) => Place::Payload(PaneId::LivePayload),
            (Screen::Live, 2) => Place::Runs(ListId::LiveRuns),
            (Screen::Live, _) => Place::Needs,
            (Screen::Requests, 0) => Place::Requests(ListId::Requests),
            (Screen::Requests, 1) => Place::Payload(PaneId::Payload),
            (Screen::Requests, 2) => Place::Timeline(PaneId::RequestRun),
            (Screen::Requests, _) => Place::Attempt(PaneId::RequestRun),
            (Screen::Runs, 0) if self.runs.groups => Place::Groups,
            (Screen::Runs, 0) => Place::Runs(ListId::Runs),
            (Screen::Runs, 1) => Place::Timeline(PaneId::Run),
            (Screen::Runs, _) => Place::Attempt(PaneId::Run),
            (Screen::Callbacks, 0) => Place::Board,
            (Screen::Callbacks, _) => Place::BoardPane,
            (Screen::Integrations, 0) => Place::Tree,
            (Screen::Integrations, 1) => Place::Facts,
            (Screen::Integrations, 2) => Place::Versions,
            (Screen::Integrations, _) => Place::Diff,
            (Screen::Overview, _) => Place::Overview,
        }
    }

    /// Brings what follows from the state in line with it: focus, heights, what panes show, and
    /// the questions that follow from that. Called after every change.
    pub fn settle(&mut self) {
        let cells = self.value_cells();
        if let Some(Overlay::Value(whole)) = &mut self.overlay {
            whole.fit(cells);
        }
        let (first, end) = self.focuses();
        self.focus = self.focus.clamp(first, end - 1);
        self.fit();
        self.aim();
        if matches!(self.link.0, Link::Live) {
            self.ask_for_panes();
            self.ask_for_lists(false);
            self.ask_for_pins();
            self.say_where();
        }
        self.settle_editor();
        self.settle_guide();
    }

    /// Tells every list and pane of the screen how many rows it has.
    fn fit(&mut self) {
        let panes = self.panes();
        let rows = |pane: Pane| usize::from(pane.body.height);
        let parts = |id: PaneId| {
            let (_, timeline, attempt) = self.run_parts(id);
            (rows(timeline), rows(attempt))
        };
        match self.screen {
            Screen::Live => {
                self.live.requests.resize(rows(panes[0]));
                self.live.payload.resize(rows(panes[1]), panes[1].body.width);
                self.live.runs.resize(rows(panes[2]));
            }
            Screen::Requests => {
                let (timeline, attempt) = parts(PaneId::RequestRun);
                self.requests.list.resize(rows(panes[0]));
                self.requests.payload.head(self.page_head().height > 0);
                self.requests.payload.resize(rows(panes[1]), panes[1].body.width);
                self.requests.run.timeline.resize(timeline);
                self.requests.run.attempt.resize(attempt);
            }
            Screen::Runs => {
                let (timeline, attempt) = parts(PaneId::Run);
                if !self.runs.groups {
                    self.runs.list.resize(rows(panes[0]));
                }
                self.runs.run.timeline.resize(timeline);
                self.runs.run.attempt.resize(attempt);
            }
            Screen::Callbacks => {
                self.board.resize(rows(panes[0]).saturating_sub(1));
                self.board.pane.lines.resize(rows(panes[1]));
            }
            Screen::Integrations => {
                self.tree.lines.resize(rows(panes[0]));
                self.tree.facts.resize(rows(panes[1]));
                self.tree.versions.list.resize(rows(panes[2]));
                self.tree.versions.lines.resize(rows(panes[3]));
            }
            Screen::Overview => {}
        }
        self.needs.at = self.needs.at.min(self.needs.count().saturating_sub(1));
        self.runs.at = self.runs.at.min(self.needs.groups.len().saturating_sub(1));
    }
}
