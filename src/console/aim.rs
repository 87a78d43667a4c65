//! What the panes beside a list shall show, and for how long they still show what they did.

use super::app::{App, PaneId, Screen};
use super::layout::Class;
use crate::model::time::Ms;

/// For so long a pane still shows another object than the selected one: a quick answer takes its
/// place without a blank between. No verb takes it for the selected one meanwhile.
const MOMENT: Ms = 300;

/// Since when a pane shall show another object than it does, in engine time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Aim(Ms);

impl Aim {
    /// Points a pane with this `id` at another object, or at none; whether what is `shown` is to be
    /// taken away: it is another one, and its moment is over or not wanted (`at_once`).
    pub fn turn(
        &mut self,
        id: &mut Option<String>,
        to: Option<String>,
        shown: Option<&str>,
        (at_once, now): (bool, Ms),
    ) -> bool {
        if *id != to {
            if shown == id.as_deref() {
                self.0 = now;
            }
            *id = to;
        }
        let other = shown.is_some() && shown != id.as_deref();
        other && (id.is_none() || at_once || now >= self.ends())
    }

    /// When the moment of what is still shown is over.
    #[must_use]
    pub fn ends(self) -> Ms {
        self.0 + MOMENT
    }
}

impl App {
    /// Points the panes at what is selected or open.
    pub(super) fn aim(&mut self) {
        let now = self.now;
        match self.screen {
            Screen::Live => {
                let id = self.live.requests.selected.clone();
                self.live.payload.aim(id, false, now);
            }
            Screen::Requests => {
                let opened = self.requests.opened.is_some();
                let id = self.requests.opened.clone().or_else(|| self.requests.list.selected.clone());
                self.requests.payload.aim(id, opened, now);
                let wide = self.frame().class == Class::Wide;
                let detail = self.requests.payload.detail.as_ref().filter(|_| wide);
                let run = detail.and_then(|detail| detail.request.runs.first().cloned());
                let why =
                    detail.map(|detail| format!("no run, because it was {}", detail.request.verdict.word()));
                let none = run.is_none();
                self.requests.run.aim(run, opened, now);
                if none {
                    self.requests.run.clear(why);
                }
            }
            Screen::Runs => {
                let selected = self.runs.list.selected.clone().filter(|_| !self.runs.groups);
                let opened = self.runs.opened.is_some();
                self.runs.run.aim(self.runs.opened.clone().or(selected), opened, now);
            }
            Screen::Callbacks => self.aim_board(),
            Screen::Integrations => self.aim_tree(),
            Screen::Overview => {}
        }
    }

    /// Whether a pane has what it shall show, or why it cannot.
    pub(super) fn is_answered(&self, pane: PaneId) -> bool {
        match pane {
            PaneId::LivePayload => self.live.payload.is_answered(),
            PaneId::Payload => self.requests.payload.is_answered(),
            PaneId::RequestRun => self.requests.run.is_answered(),
            PaneId::Run => self.runs.run.is_answered(),
        }
    }

    /// When a pane of the screen no longer shows what it did.
    pub(super) fn panes_age(&self) -> Option<Ms> {
        match self.screen {
            Screen::Live => self.live.payload.next_age(),
            Screen::Requests => {
                self.requests.payload.next_age().into_iter().chain(self.requests.run.next_age()).min()
            }
            Screen::Runs => self.runs.run.next_age(),
            Screen::Callbacks | Screen::Integrations | Screen::Overview => None,
        }
    }
}
