//! Where the panes of a screen stand.

use super::app::{App, PaneId, Place, Screen};
use super::layout::{self, Class, PANES, Pane};
use ratatui::layout::Rect;

impl App {
    /// The panes of the screen, by position.
    #[must_use]
    pub fn panes(&self) -> [Pane; PANES] {
        let frame = self.frame();
        let at = match (self.screen, self.focus) {
            (Screen::Requests, focus) => focus.min(2),
            (Screen::Runs, focus) => focus.min(1),
            (_, focus) => focus,
        };
        let mut panes = match self.screen {
            Screen::Live => layout::live(&frame, at, self.full),
            Screen::Requests => layout::requests(&frame, at, self.full),
            Screen::Runs => layout::runs(&frame, at, self.full),
            Screen::Callbacks => layout::callbacks(&frame, at, self.full),
            Screen::Integrations => layout::integrations(&frame, at, self.full),
            Screen::Overview => layout::overview(&frame, at, self.full),
        };
        let run = self.screen == Screen::Requests && self.requests.run.id.is_some();
        let third = match self.screen {
            Screen::Requests => run,
            Screen::Runs => self.runs.run.id.is_some(),
            _ => true,
        };
        if !third && !panes[1].is_empty() && !panes[2].is_empty() {
            // A request without a run, or no run at all: what is beside the list has the room of both.
            let (second, none) = (panes[1].rule, panes[2].rule);
            let width = none.right().saturating_sub(second.x);
            let height = frame.content.height;
            panes[1] = Pane::of(Rect { width, height, ..second });
            panes[2] = Pane::default();
        }
        if self.is_opened() && !self.full {
            panes = [Pane::default(); PANES];
            // Under the facts of an opened request.
            let (_, content) = layout::split_down(frame.content, self.page_head().height);
            if run && frame.class == Class::Wide {
                let (payload, _, run) = layout::split_across(content, content.width / 2);
                panes[1] = Pane::of(payload);
                panes[2] = Pane::of(run);
            } else if self.screen == Screen::Requests && at == 2 {
                panes[2] = Pane::of(content);
            } else {
                panes[1] = Pane::of(content);
            }
        } else if self.screen == Screen::Runs && self.runs.groups && self.focus == 0 {
            panes = [Pane::default(); PANES];
            let under = if frame.content.height >= 14 && !self.full { 6 } else { 0 };
            let (list, group) = layout::split_down(frame.content, frame.content.height - under);
            panes[0] = Pane::of(list);
            panes[1] = Pane::of(group);
        }
        panes
    }

    /// Where the facts of an opened request stand: over its panes, where none of these has all the room.
    #[must_use]
    pub fn page_head(&self) -> Rect {
        let content = self.frame().content;
        let height = if self.full { 0 } else { super::screen::request::height(self, content) };
        Rect { height, ..content }
    }

    /// The three parts of what shows a run: steps, timeline, attempt. The attempt has a pane of its own
    /// where there is room; on a narrow screen there are its steps and the part that has the focus.
    #[must_use]
    pub fn run_parts(&self, id: PaneId) -> (Pane, Pane, Pane) {
        let panes = self.panes();
        let (pane, shown) = match id {
            PaneId::RequestRun => (panes[2], &self.requests.run),
            _ => (panes[1], &self.runs.run),
        };
        let area = Rect { height: pane.rule.height + pane.body.height, ..pane.rule };
        if id == PaneId::Run && !panes[2].is_empty() {
            let count = shown.run.as_ref().map_or(0, |run| run.steps.len());
            let (steps, timeline) = layout::steps(area, u16::try_from(count).unwrap_or(u16::MAX - 1));
            return (steps, timeline, panes[2]);
        }
        let area = Rect { height: area.height - self.beside_height(area), ..area };
        let parts = layout::run(area);
        if self.frame().class > Class::Narrow {
            return parts;
        }
        let (_, rest) = layout::split_down(area, parts.0.rule.height + parts.0.body.height);
        match self.place() {
            Place::Attempt(_) => (parts.0, Pane::default(), Pane::of(rest)),
            _ => (parts.0, Pane::of(rest), Pane::default()),
        }
    }
}
