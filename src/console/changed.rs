//! What changed at the desk: figures, rows that came or moved, and what has to be read again for it.

use super::app::{App, Dirt, PaneId, Screen};
use super::asks::Want;
use super::list::Item;
use crate::model::ask::Changes;
use crate::model::change::Counters;

impl App {
    pub(super) fn counted(&mut self, counters: Counters) {
        let same = self.counters.as_ref().is_some_and(|old| {
            let old = Counters { at: counters.at, ..old.clone() };
            old == counters
        });
        let was_empty = self.counters.as_ref().is_some_and(|old| old.integrations == 0);
        if was_empty && counters.integrations > 0 {
            self.behind = true;
        }
        self.needs.change(|needs| {
            needs.trouble.clone_from(&counters.store_trouble);
            needs.halted.clone_from(&counters.jobs.halted);
            needs.breakers.clone_from(&counters.breakers.open);
            needs.silent.clone_from(&counters.silent);
        });
        let before = self.counters.replace(counters).map(|old| old.jobs);
        let now = self.counters.as_ref().map(|counters| counters.jobs.clone()).unwrap_or_default();
        if let Some(before) = before.filter(|before| *before != now) {
            self.jobs_moved(&before, &now);
        }
        self.as_counted();
        if !same {
            self.touch(Dirt::Data);
        }
    }

    pub(super) fn changed(&mut self, changes: Changes) {
        self.overview.stale = true;
        if let Some(counters) = changes.counters {
            self.counted(counters);
            self.tell_what_was_missed();
        }
        self.company_came(changes.acts, changes.consoles);
        if changes.resync {
            self.resync();
        }
        if changes.arrived > 0 {
            for list in [&mut self.live.requests, &mut self.requests.list] {
                list.arrived(changes.arrived, changes.newest.as_deref());
            }
            self.behind = true;
            self.touch_if_stopped();
            self.ask_captured();
            self.ask_guided_refused();
        }
        if changes.told {
            for list in [&mut self.live.requests, &mut self.requests.list] {
                list.changed();
            }
            for pane in [PaneId::LivePayload, PaneId::Payload] {
                self.asks.had.remove(&pane);
            }
            self.behind = true;
        }
        if changes.config {
            self.needs.stale = true;
            self.completes.names = None;
            self.tree.stale = true;
            self.behind = true;
            self.ask_stands();
        }
        if !changes.runs.is_empty() {
            self.moved_runs(&changes.runs);
        }
        if !changes.runs.is_empty() || changes.callbacks {
            self.callbacks_moved(&changes.runs);
            self.job_moved();
            self.needs.stale = true;
            self.behind = true;
        }
        if changes.config && !self.asks.awaits(|want| *want == Want::Counters) {
            self.ask_counters();
        }
    }

    fn moved_runs(&mut self, ids: &[String]) {
        for list in [&mut self.live.runs, &mut self.runs.list] {
            list.moved(ids.iter());
        }
        for id in ids {
            let held = |list: &super::list::List<super::rows::RunRow>| {
                list.visible().any(|row| row.id() == id.as_str())
            };
            if held(&self.live.runs) || held(&self.runs.list) {
                self.moved.insert(id.clone());
            }
        }
        for (pane, shown) in [(PaneId::Run, &self.runs.run.id), (PaneId::RequestRun, &self.requests.run.id)] {
            if shown.as_ref().is_some_and(|shown| ids.contains(shown)) {
                self.asks.had.remove(&pane);
            }
        }
        // The page of a request tells how its runs stand.
        let opened = self.requests.payload.detail.as_ref().filter(|_| self.requests.opened.is_some());
        if opened.is_some_and(|detail| detail.request.runs.iter().any(|run| ids.contains(run))) {
            self.asks.had.remove(&PaneId::Payload);
        }
        self.touch_if_stopped();
    }

    /// What is below is counted on the screen while a list is stopped.
    fn touch_if_stopped(&mut self) {
        let stopped = match self.screen {
            Screen::Live => !self.live.requests.follow || !self.live.runs.follow,
            Screen::Requests => !self.requests.list.follow,
            Screen::Runs => !self.runs.list.follow,
            Screen::Callbacks | Screen::Integrations | Screen::Overview => false,
        };
        if stopped {
            self.touch(Dirt::Data);
        }
    }
}
