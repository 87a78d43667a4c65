//! Answers for the board and the tree, and what is opened, folded and moved there.

use super::app::{App, ListId, Overlay, Place, Tone};
use super::asks::Want;
use super::lines::{Line, Lines};
use super::whole::Whole;
use crate::model::ask::{Answer, Ask};

impl App {
    /// Takes an answer for the board or the tree in.
    ///
    /// # Errors
    /// The want, where the answer fits none of them.
    pub(super) fn workflows_came(&mut self, want: Want, answer: Answer) -> Result<(), Want> {
        match (want, answer) {
            (Want::Board(epoch), Answer::Callbacks(rows)) => self.board_came(epoch, rows),
            (Want::Callback(id), Answer::Callback(view)) => self.callback_came(&id, view),
            (Want::CallbackRun(id), Answer::Run { run, .. }) => self.callback_run_came(&id, run),
            (Want::Reveal, Answer::Callback(view)) => match view.url {
                Some(url) => self.copy(url, "URL; that is in the audit trail"),
                None => self.toast(Tone::Bad, "copy is not possible: the desk gave no URL"),
            },
            (Want::Integrations, Answer::Integrations { integrations }) => {
                self.tree.install(integrations);
                self.behind |= self.tree.stale;
                self.touch(super::app::Dirt::Data);
            }
            (Want::Keys, Answer::Keys { keys }) => {
                self.tree.keys = keys;
                self.touch(super::app::Dirt::Data);
            }
            (Want::Document(name, version), Answer::Source { text, .. }) => {
                self.document_came(&name, version, &text);
            }
            (Want::Source(name), Answer::Source { version, text }) => {
                let whole = Whole::new(format!("{name} v{version}"), text.into(), self.value_cells());
                self.overlay = Some(Overlay::Value(Box::new(whole)));
                self.touch(super::app::Dirt::Input);
            }
            (Want::Versions(name), Answer::History { versions }) => self.versions_came(&name, versions),
            (Want::Diff(_), Answer::Diff(diff)) => self.diff_came(diff),
            (Want::Overview(span), Answer::Overview(view)) => self.overview_came(span, view),
            (want, _) => return Err(want),
        }
        Ok(())
    }

    /// The pane of lines that has the focus on one of the two screens.
    pub(super) fn focused_lines(&mut self) -> Option<&mut Lines> {
        Some(match self.place() {
            Place::BoardPane => &mut self.board.pane.lines,
            Place::Tree => &mut self.tree.lines,
            Place::Facts => &mut self.tree.facts,
            Place::Versions => &mut self.tree.versions.list,
            Place::Diff => &mut self.tree.versions.lines,
            _ => return None,
        })
    }

    /// Moves the selection there.
    pub(super) fn step_workflow(&mut self, rows: isize) {
        if self.place() == Place::Board {
            self.board.step(rows);
        } else if let Some(lines) = self.focused_lines() {
            lines.step(rows);
        }
    }

    /// Rows of a page there.
    pub(super) fn workflow_page(&mut self) -> usize {
        match self.place() {
            Place::Board => self.board.height,
            _ => self.focused_lines().map_or(10, |lines| lines.height),
        }
    }

    /// `enter` there: the run that waits, a value whole, a fold, the text of a version.
    pub(super) fn open_workflow(&mut self) {
        match self.place() {
            Place::Board => match self.board.current().map(|row| row.view.run.clone()) {
                Some(run) => self.open_run(run),
                None => self.toast(Tone::Info, "open is not possible: there is no callback here"),
            },
            Place::Tree => self.open_node(),
            Place::Versions => {
                let versions = &self.tree.versions;
                let (Some(name), Some(one)) = (versions.of.clone(), versions.current()) else { return };
                let ask = Ask::Export { name: name.clone(), version: Some(one.number) };
                self.asks.drop_wants(|want| matches!(want, Want::Source(_)));
                self.asks.ask(Want::Source(name), ask);
            }
            _ => {
                let cells = self.value_cells();
                let found = self.focused_lines().and_then(|lines| lines.current()).and_then(Line::whole);
                match found {
                    Some((title, text)) => {
                        self.overlay = Some(Overlay::Value(Box::new(Whole::new(title, text, cells))));
                    }
                    None if self.place() == Place::BoardPane => {
                        if let Some(run) = self.board.current().map(|row| row.view.run.clone()) {
                            self.open_run(run);
                        }
                    }
                    None => self.toast(Tone::Info, "open is not possible: this line is shown whole"),
                }
            }
        }
    }

    /// `h l` there: what folds is folded.
    pub(super) fn fold_workflow(&mut self, opens: bool) {
        let word = if opens { "unfold" } else { "fold" };
        if self.place() != Place::Tree {
            return self.toast(Tone::Info, format!("{word} is not possible: nothing folds here"));
        }
        if let Err(why) = self.tree.fold(opens) {
            self.toast(Tone::Info, format!("{word} is not possible: {why}"));
        }
    }

    /// `space` there: a callback, or one of two versions.
    pub(super) fn mark_workflow(&mut self) {
        match self.place() {
            Place::Board => self.board.toggle_mark(),
            Place::Versions => {
                if let Err(why) = self.tree.versions.toggle_mark() {
                    self.toast(Tone::Info, why);
                }
            }
            _ => {}
        }
    }

    /// Whether a key cannot act there; nothing is said of those that act everywhere.
    pub(super) fn workflow_bars(&self, action: super::action::Action) -> Option<String> {
        use super::action::Action;
        let place = self.place();
        let (board, tree) = (matches!(place, Place::Board | Place::BoardPane), self.in_tree());
        if !board && !tree {
            return None;
        }
        let urgent = "the most urgent stands first, not the newest last";
        let why = match action {
            Action::Follow if board => format!("follow is not possible: {urgent}"),
            Action::Follow => "follow is not possible: this is no list of arrivals".to_owned(),
            Action::Mark if matches!(place, Place::Board | Place::Versions) => return None,
            Action::Filter if place == Place::Board => return None,
            Action::FilterToggle if place == Place::Board && !self.board.filter.is_empty() => return None,
            Action::MarkAll if place == Place::Board => return self.bars_mark_all(),
            Action::FilterToggle if place == Place::Board => {
                self.say("filter off is not possible: there is no filter; {/} sets one")
            }
            Action::Mark | Action::MarkAll => {
                "mark is not possible: this pane is no list; tab goes to one".to_owned()
            }
            Action::Filter | Action::FilterToggle => {
                "filter is not possible: this pane is no list; tab goes to one".to_owned()
            }
            Action::View => "view is not possible: this pane has one view".to_owned(),
            Action::PreviousSibling | Action::NextSibling => {
                self.say("next is not possible: {j} and {k} go through the lines")
            }
            Action::Difference if tree && self.tree.versions.pair().is_none() => {
                "diff is not possible: there is one version".to_owned()
            }
            _ => return None,
        };
        Some(why)
    }

    /// The list whose filter `/` opens here.
    #[must_use]
    pub fn filtered_list(&self) -> Option<ListId> {
        match self.place() {
            Place::Requests(id) | Place::Runs(id) => Some(id),
            Place::Board => Some(ListId::Callbacks),
            _ => None,
        }
    }
}
