//! How a document is opened: from a row, at the place that the row is about.

use super::outline::{Object, What};
use super::{Editor, Wanted};
use crate::console::app::{App, Overlay, Place, Tone};
use crate::console::asks::Want;
use crate::console::format::clock;
use crate::console::tree::Part;
use crate::model::ask::{Ask, Editing};
use crate::session::Link;

/// Where the cursor goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aim {
    /// To the beginning.
    Top,
    /// To the first variable or connection.
    Values,
    /// To a flow.
    Flow(String),
    /// To the trigger of a flow.
    Trigger(String),
    /// To a step of a flow, by its name or its place.
    Step(String, Result<String, usize>),
    /// To the URL of a step of a flow: what is put right first after a run.
    Url(String, String),
}

/// What is done once it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Asks what is added.
    Add,
    /// Moves the step, down or up.
    Shift(bool),
}

impl Aim {
    /// The line of its header, and the line that the cursor goes to, from 0; the first where it is
    /// not there.
    #[must_use]
    pub fn lines(&self, objects: &[Object]) -> (usize, usize) {
        let flow = |name: &str| {
            objects.iter().find(|one| one.what == What::Flow && one.name.as_deref() == Some(name))
        };
        let step = |name: &str, step: &Result<String, usize>| {
            let flow = flow(name)?;
            let mut steps = objects.iter().filter(|one| one.what == What::Step && one.flow == flow.flow);
            let found = match step {
                Ok(name) => steps.find(|one| one.name.as_deref() == Some(name)),
                Err(at) => steps.nth(*at),
            };
            found.or(Some(flow))
        };
        let found = match self {
            Self::Top => None,
            Self::Values => objects.iter().find(|one| matches!(one.what, What::Variable | What::Connection)),
            Self::Flow(name) => flow(name),
            Self::Trigger(name) => flow(name).and_then(|flow| {
                objects.iter().find(|one| one.what == What::Trigger && one.flow == flow.flow).or(Some(flow))
            }),
            Self::Step(flow, at) => step(flow, at),
            Self::Url(flow, name) => step(flow, &Ok(name.clone())),
        };
        let Some(found) = found else { return (0, 0) };
        let url = found.keys.iter().find(|(key, _)| key == "url");
        let url = url.filter(|_| matches!(self, Self::Url(..)) && found.what == What::Step);
        (found.header, url.map_or(found.header, |(_, line)| *line))
    }
}

impl App {
    /// What `e` edits here, and where in it.
    ///
    /// # Errors
    /// The sentence that the key says.
    pub fn edited(&self) -> Result<(String, Aim), String> {
        if let (Link::Down(_), since) = &self.link {
            let since = clock(*since, self.now, &self.options.zone);
            return Err(format!("edit is not possible: the link is down since {since}"));
        }
        let nothing = || "edit is not possible: nothing of an integration is selected".to_owned();
        let pair = |flow: &str| {
            let (name, flow) = flow.split_once('/')?;
            Some((name.to_owned(), Aim::Flow(flow.to_owned())))
        };
        let found = match self.place() {
            Place::Tree | Place::Facts | Place::Versions | Place::Diff => self.tree.current().map(|node| {
                let aim = match &node.part {
                    Part::Whole => Aim::Top,
                    Part::Values => Aim::Values,
                    Part::Flow(flow) => Aim::Flow(flow.clone()),
                    Part::Trigger(flow) => Aim::Trigger(flow.clone()),
                    Part::Step(flow, at) => Aim::Step(flow.clone(), Err(*at)),
                };
                (node.integration.clone(), aim)
            }),
            Place::Timeline(pane) | Place::Attempt(pane) => {
                let shown = if pane == crate::console::app::PaneId::RequestRun {
                    &self.requests.run
                } else {
                    &self.runs.run
                };
                self.focused_run().map(|run| {
                    let aim = match shown.current_step() {
                        Some(step) => Aim::Url(run.flow.clone(), step.name.clone()),
                        None => Aim::Flow(run.flow.clone()),
                    };
                    (run.integration.clone(), aim)
                })
            }
            Place::Groups | Place::Needs => self
                .focused_group()
                .map(|group| (group.integration.clone(), Aim::Url(group.flow.clone(), group.step.clone()))),
            Place::Board | Place::BoardPane => self.board.current().map(|row| {
                let view = &row.view;
                (view.integration.clone(), Aim::Url(view.flow.clone(), view.step.clone()))
            }),
            _ => self.tried_flow().and_then(|(flow, _)| pair(&flow)),
        };
        found.filter(|(name, _)| !name.is_empty()).ok_or_else(nothing)
    }

    /// Opens the document of what is selected.
    pub fn open_editor(&mut self, then: Option<Then>) {
        match self.edited() {
            Ok((name, aim)) => {
                self.editor = Some(Box::new(Editor::new(name.clone(), aim, then)));
                self.ask_for_editor(name);
            }
            Err(reason) => self.toast(Tone::Info, reason),
        }
    }

    /// Opens the document of an integration.
    pub(in crate::console) fn edit_named(&mut self, name: String) {
        self.editor = Some(Box::new(Editor::new(name.clone(), Aim::Top, None)));
        self.ask_for_editor(name);
    }

    /// Asks for it, once what was typed into it before is kept.
    pub(super) fn ask_for_editor(&mut self, name: String) {
        let kept = Want::Editor(name.clone(), Wanted::Keep);
        if !self.asks.awaits(|want| *want == kept) {
            let ask = Ask::Edit(Box::new(Editing::Open { name: name.clone() }));
            self.asks.ask(Want::Editor(name, Wanted::Open), ask);
        }
    }

    /// Does what it was opened for.
    pub(super) fn opened_editor(&mut self) {
        let Some(editor) = &mut self.editor else { return };
        match editor.then.take() {
            Some(Then::Add) => self.open_add_menu(),
            Some(Then::Shift(down)) => self.shift_step(down),
            None => {}
        }
    }

    /// Leaves it; what was typed is kept.
    pub(in crate::console) fn close_editor(&mut self) {
        self.keep_typed(true);
        self.editor = None;
        if matches!(self.overlay, Some(Overlay::Menu(_))) {
            self.overlay = None;
        }
        self.tree.stale = true;
        self.behind = true;
    }
}
