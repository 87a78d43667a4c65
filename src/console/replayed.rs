//! A run beside the one that it replays: only what differs.

use super::action::Action;
use super::app::{App, Dirt, Overlay, Place, Screen};
use super::asks::Want;
use super::key::Key;
use crate::model::ask::Ask;
use crate::model::view::RunView;
use crate::rules::beside::{Difference, runs};
use ratatui::layout::Rect;

/// What is open.
#[derive(Debug)]
pub struct Replayed {
    /// The run that it replays.
    pub parent: String,
    /// The run.
    pub run: String,
    /// What is known of them, in this order.
    pub views: (Option<Box<RunView>>, Option<Box<RunView>>),
    /// What differs, once both are there.
    pub rows: Vec<Difference>,
    /// Why they cannot be shown.
    pub trouble: Option<String>,
    /// The first drawn row.
    pub top: usize,
}

impl Replayed {
    fn new(parent: String, run: String) -> Self {
        Self { parent, run, views: (None, None), rows: Vec::new(), trouble: None, top: 0 }
    }

    /// Takes one of the two in.
    fn install(&mut self, view: Box<RunView>) {
        if view.id == self.parent {
            self.views.0 = Some(view);
        } else {
            self.views.1 = Some(view);
        }
        if let (Some(parent), Some(run)) = &self.views {
            self.rows = runs(parent, run);
        }
    }
}

/// What the page of a replayed run shows of it: what differs from the run that it replays.
#[derive(Debug)]
pub struct Beside {
    /// The run that it replays.
    pub parent: String,
    /// Of which run.
    pub run: String,
    /// What is known of the parent; else why nothing is.
    pub view: Option<Result<Box<RunView>, String>>,
    /// What differs, once both are there.
    pub rows: Vec<Difference>,
}

impl Beside {
    /// Reads anew what differs.
    pub fn compare(&mut self, run: &RunView) {
        self.rows = match &self.view {
            Some(Ok(parent)) => runs(parent, run),
            _ => Vec::new(),
        };
    }
}

/// Differences that the page shows; `d` shows all.
const SHOWN: usize = 6;

impl App {
    /// Rows of the pane that shows an opened run beside the one that it replays, its rule among them;
    /// none where there is no room for it, or it replays none.
    #[must_use]
    pub fn beside_height(&self, area: Rect) -> u16 {
        let shown = self.screen == Screen::Runs && self.runs.opened.is_some();
        let beside =
            self.runs.run.beside.as_ref().filter(|_| shown && area.width >= 100 && area.height >= 20);
        beside.map_or(0, |beside| u16::try_from(beside.rows.len().clamp(1, SHOWN)).unwrap_or(1) + 1)
    }

    /// Asks for the run that the opened one replays.
    pub(super) fn ask_for_parent(&mut self) {
        let opened = self.screen == Screen::Runs && self.runs.opened.is_some();
        let pair = self.runs.run.current_run().filter(|_| opened);
        let pair = pair.and_then(|run| Some((run.parent.clone()?, run.id.clone())));
        let pane = &mut self.runs.run;
        let Some((parent, run)) = pair else {
            pane.beside = None;
            return;
        };
        if pane.beside.as_ref().is_none_or(|beside| beside.run != run) {
            self.asks.drop_wants(|want| matches!(want, Want::Parent(_)));
            self.asks.ask(Want::Parent(run.clone()), Ask::Run { id: parent.clone() });
            pane.beside = Some(Beside { parent, run, view: None, rows: Vec::new() });
        }
    }

    /// The run that the opened one replays came, or why it did not.
    pub(super) fn parent_came(&mut self, run: &str, came: Result<Box<RunView>, String>) {
        let pane = &mut self.runs.run;
        if let Some(beside) = pane.beside.as_mut().filter(|beside| beside.run == run) {
            beside.view = Some(came);
            if let Some(run) = &pane.run {
                beside.compare(run);
            }
        }
        self.touch(Dirt::Data);
    }

    /// The run that the focus is on, and the one that it replays.
    #[must_use]
    pub fn run_with_parent(&self) -> Option<(String, String)> {
        match self.place() {
            Place::Runs(_) | Place::Timeline(_) | Place::Attempt(_) => {
                let run = self.focused_run()?;
                Some((run.parent.clone()?, run.id.clone()))
            }
            _ => None,
        }
    }

    /// Sets a run beside the one that it replays.
    pub fn open_replayed(&mut self, (parent, run): (String, String)) {
        for id in [&parent, &run] {
            self.asks.ask(Want::Replayed, Ask::Run { id: id.clone() });
        }
        self.overlay = Some(Overlay::Replayed(Box::new(Replayed::new(parent, run))));
    }

    /// One of the two came, or why it did not.
    pub fn replayed_came(&mut self, came: Result<Box<RunView>, String>) {
        if let Some(Overlay::Replayed(open)) = &mut self.overlay {
            match came {
                Ok(view) if view.id == open.parent || view.id == open.run => open.install(view),
                // Of a pair that was open before.
                Ok(_) => {}
                Err(why) => open.trouble = Some(why),
            }
        }
        self.touch(Dirt::Data);
    }

    /// A key while they are open.
    pub fn replayed_key(&mut self, key: Key) {
        let Some(Overlay::Replayed(open)) = &mut self.overlay else { return };
        let last = open.rows.len().saturating_sub(1);
        match self.options.keymap.action_of(key) {
            Some(Action::Down) => open.top = (open.top + 1).min(last),
            Some(Action::Up) => open.top = open.top.saturating_sub(1),
            Some(Action::PageDown) => open.top = (open.top + 10).min(last),
            Some(Action::PageUp) => open.top = open.top.saturating_sub(10),
            Some(Action::Top) => open.top = 0,
            Some(Action::Bottom) => open.top = last,
            Some(Action::Back | Action::Quit | Action::Difference) => self.overlay = None,
            Some(Action::Interrupt | Action::Suspend | Action::Redraw) => self.global(key),
            _ => self.refuse_key(key),
        }
    }
}
