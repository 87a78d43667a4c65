//! *Overview*: figures over the last hour, day or week; what is selected of them, what `enter` opens,
//! and when they are asked for again.
//!
//! They are asked for where something changed, at most once a second, and when a bucket of the span
//! ends: what was an hour ago is no longer in the last hour.

use super::action::Action;
use super::app::{App, Dirt, Place, Screen, Tone};
use super::asks::Want;
use super::format::minute;
use super::menu::Does;
use crate::model::ask::Ask;
use crate::model::overview::{OverviewView, Span};
use crate::model::time::{MINUTE, Ms, SECOND, parse_rfc3339, rfc3339};
use crate::rules::overview::{self, CountRow, Opens, RunItem, StepRow, StoreLine};
use crate::session::Link;

/// Panes, in the order of `tab`: requests, steps, runs, queue and store.
pub const PANES: usize = 4;

/// The screen's state.
#[derive(Debug, Default)]
pub struct Overview {
    /// Over which time.
    pub span: Span,
    /// The figures, once they came.
    pub view: Option<Box<OverviewView>>,
    /// Why they did not come.
    pub trouble: Option<String>,
    /// What is selected in each pane, by its name, and where it stood.
    selected: [(String, usize); PANES],
    /// Something changed since they were asked for.
    pub stale: bool,
    /// They are asked for at once.
    pub wants: bool,
    /// When they were asked for last.
    asked: Ms,
}

impl Overview {
    /// Where the selection stands among rows of these names.
    #[must_use]
    pub fn position(&self, pane: usize, names: &[String]) -> usize {
        let Some((name, at)) = self.selected.get(pane) else { return 0 };
        let found = names.iter().position(|other| other == name);
        found.unwrap_or(*at).min(names.len().saturating_sub(1))
    }

    /// When the figures are other ones by the time alone: a bucket ended.
    fn turns(&self) -> Option<Ms> {
        let at = self.view.as_ref().and_then(|view| parse_rfc3339(&view.at))?;
        // By our own clock, which may be another one; where they could not be had, a minute later.
        Some(self.asked + if self.trouble.is_some() { MINUTE } else { self.span.turns(at) - at })
    }
}

/// Whether two answers say the same; that they are of other moments does not count.
fn same(one: &OverviewView, other: &OverviewView) -> bool {
    *one == OverviewView { at: one.at.clone(), ..other.clone() }
}

impl App {
    /// Asks for the figures, where they are shown and wanted, or due.
    pub fn ask_for_overview(&mut self) {
        let span = self.overview.span;
        let due = self.overview_age().is_some_and(|at| at <= self.now);
        if self.screen != Screen::Overview
            || !(self.overview.wants || due)
            || self.asks.awaits(|want| *want == Want::Overview(span))
        {
            return;
        }
        self.overview.wants = false;
        self.overview.stale = false;
        self.overview.asked = self.now;
        self.asks.drop_wants(|want| matches!(want, Want::Overview(_)));
        self.asks.ask(Want::Overview(span), Ask::Overview { span });
    }

    /// When they are to be asked for again, if that is so.
    #[must_use]
    pub fn overview_age(&self) -> Option<Ms> {
        let asking = self.asks.awaits(|want| matches!(want, Want::Overview(_)));
        if self.screen != Screen::Overview || asking || !matches!(self.link.0, Link::Live) {
            return None;
        }
        let changed = self.overview.stale.then(|| self.overview.asked + SECOND);
        changed.into_iter().chain(self.overview.turns()).min()
    }

    /// What the first row says too is said as it says it.
    pub(super) fn as_counted(&mut self) {
        if let (Some(view), Some(counters)) = (&mut self.overview.view, &self.counters) {
            view.requests.recent = counters.recent;
            view.runs.now = counters.runs;
            view.queue.now = counters.queue;
            view.queue.oldest = counters.oldest.map(rfc3339);
            view.store.wal_bytes = counters.wal_bytes;
        }
    }

    /// They came.
    pub(super) fn overview_came(&mut self, span: Span, view: Box<OverviewView>) {
        if span != self.overview.span {
            return;
        }
        let before = self.overview.view.replace(view);
        self.as_counted();
        let known = before.as_deref().zip(self.overview.view.as_deref()).is_some_and(|(a, b)| same(a, b));
        self.overview.trouble = None;
        if !known {
            self.touch(Dirt::Data);
        }
    }

    /// They were refused.
    pub(super) fn overview_refused(&mut self, why: String) {
        self.overview.trouble = Some(why.clone());
        self.toast(Tone::Bad, why);
    }

    /// `v`: over the next span.
    pub(super) fn next_span(&mut self) {
        self.overview.span = self.overview.span.next();
        self.overview.view = None;
        self.overview.wants = true;
    }

    /// Times of the figures, as short as they can be told.
    fn minutes(&self) -> impl Fn(Ms) -> String {
        let (now, zone) = (self.now, self.options.zone.clone());
        move |at| minute(at, now, &zone)
    }

    /// Requests by verdict, and the causes of refusals.
    #[must_use]
    pub fn count_rows(&self) -> Vec<CountRow> {
        let when = self.minutes();
        self.overview.view.as_deref().map_or_else(Vec::new, |view| overview::counts(view, &when))
    }

    /// Steps against their deadline.
    #[must_use]
    pub fn step_rows(&self) -> Vec<StepRow> {
        self.overview.view.as_deref().map_or_else(Vec::new, overview::steps)
    }

    /// Runs that ended, runs that are open, error groups.
    #[must_use]
    pub fn run_items(&self) -> [Vec<RunItem>; 3] {
        self.overview.view.as_deref().map_or_else(Default::default, overview::runs)
    }

    /// The queue and the store.
    #[must_use]
    pub fn store_lines(&self) -> Vec<StoreLine> {
        let when = self.minutes();
        let view = self.overview.view.as_deref();
        view.map_or_else(Vec::new, |view| overview::store(view, self.now, &when).into())
    }

    /// The rows of a pane: their names, and what they count.
    #[must_use]
    pub fn figures(&self, pane: usize) -> Vec<(String, Opens)> {
        match pane {
            0 => self.count_rows().into_iter().map(|row| (row.label, row.opens)).collect(),
            1 => self.step_rows().into_iter().map(|row| (row.name(), row.opens)).collect(),
            2 => {
                let items = ["ended", "now", "error"].into_iter().zip(self.run_items());
                items
                    .flat_map(|(part, items)| {
                        items.into_iter().map(move |item| (format!("{part} {}", item.label), item.opens))
                    })
                    .collect()
            }
            _ => {
                let lines = ["queue", "commit", "file"].into_iter().zip(self.store_lines());
                lines.map(|(name, line)| (name.to_owned(), line.opens)).collect()
            }
        }
    }

    /// The selected row of a pane, by its place.
    #[must_use]
    pub fn figure_at(&self, pane: usize) -> usize {
        let names: Vec<String> = self.figures(pane).into_iter().map(|(name, _)| name).collect();
        self.overview.position(pane, &names)
    }

    /// Moves the selection.
    pub(super) fn step_figure(&mut self, rows: isize) {
        let pane = self.focus.min(PANES - 1);
        let figures = self.figures(pane);
        let at = self.figure_at(pane).saturating_add_signed(rows).min(figures.len().saturating_sub(1));
        if let Some((name, _)) = figures.into_iter().nth(at) {
            self.overview.selected[pane] = (name, at);
        }
    }

    /// What the selected row counts.
    ///
    /// # Errors
    /// The sentence that `enter` says where that is nothing to be listed.
    pub fn figure(&self) -> Result<Opens, String> {
        let at = self.figure_at(self.focus);
        match self.figures(self.focus).into_iter().nth(at) {
            None => Err("open is not possible: there is nothing here".to_owned()),
            Some((_, Opens::Nothing)) => {
                Err("open is not possible: this is measured, not counted; pointsman doctor checks the store"
                    .to_owned())
            }
            Some((_, opens)) => Ok(opens),
        }
    }

    /// `enter`: the requests or runs that the row counts; `esc` gives their list its filter back.
    pub(super) fn open_figure(&mut self) {
        match self.figure() {
            Ok(Opens::Requests(filter)) => self.open_requests(&filter),
            Ok(Opens::Runs(filter)) => self.open_runs(&filter),
            Ok(Opens::Nothing) => {}
            Err(why) => self.toast(Tone::Info, why),
        }
    }

    /// The same for `o`.
    pub(super) fn figure_link(&self) -> Result<Vec<(&'static str, String, Does)>, String> {
        self.figure().map(|opens| match opens {
            Opens::Requests(filter) => vec![("requests", filter.clone(), Does::Requests(filter))],
            Opens::Runs(filter) => vec![("runs", filter.clone(), Does::Runs(filter))],
            Opens::Nothing => Vec::new(),
        })
    }

    /// Whether a key cannot act there; nothing is said of those that act everywhere.
    pub(super) fn overview_bars(&self, action: Action) -> Option<String> {
        if self.place() != Place::Overview {
            return None;
        }
        let word = match action {
            Action::Open => return self.figure().err(),
            Action::Follow => "follow",
            Action::Mark | Action::MarkAll => "mark",
            Action::Filter | Action::FilterToggle => "filter",
            Action::Left | Action::Right => "fold",
            Action::PreviousSibling | Action::NextSibling => {
                return Some(self.say("next is not possible: {j} and {k} go through the rows"));
            }
            _ => return None,
        };
        Some(format!("{word} is not possible: these are figures; enter lists what they count"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selection_stays_on_its_row_wherever_that_stands() {
        let names = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let mut state = Overview::default();
        assert_eq!(state.position(1, &names("push lookup")), 0);
        state.selected[1] = ("lookup".to_owned(), 1);
        assert_eq!(state.position(1, &names("archive push lookup mail")), 2);
        assert_eq!(state.position(1, &names("archive push")), 1, "it is gone: where it stood");
        assert_eq!(state.position(1, &[]), 0);
    }
}
