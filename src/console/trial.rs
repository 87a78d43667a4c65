//! A flow tried out: which version, with which request, which steps, and whether anything is really
//! sent. What every step would send is built at once; values that nobody knows are given here.

use super::app::{App, Dirt, Overlay, Tone};
use super::asks::Want;
use super::dialog::{Dialog, Kind};
use super::edit::{Edit, MOST};
use super::input::edit_key;
use super::key::Key;
use super::keymap::Keymap;
use super::lines::{Line, Lines};
use super::menu::{self, Entry, Menu};
use super::theme::Role;
use crate::console::action::Action;
use crate::model::ask::{Ask, Refusal};
use crate::model::study::{Sampled, SimulatedView, Study, Trial, Tried};
use crate::model::view::IntegrationView;
use crate::rules::json;
use crossterm::event::KeyCode;
use serde_json::Value;

pub mod choice;
mod lines;

use choice::{Choices, Does, Row};
pub(super) use lines::{head, step_lines};

/// Most bytes of JSON that is pasted.
const PASTED: usize = 1 << 20;

/// What is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// The value of a path.
    Value(String),
    /// What stands for the request: an id, or JSON.
    Sample,
}

/// What is tried, and what came of it.
#[derive(Debug)]
pub struct Simulated {
    /// `NAME/FLOW`.
    pub flow: String,
    /// What was chosen.
    pub choices: Choices,
    /// The stored request that is shown.
    shown: Option<String>,
    /// Values that were given.
    set: Vec<(String, Value)>,
    /// What is told above the steps.
    pub head: Vec<(String, Role)>,
    /// The steps.
    pub lines: Lines,
    /// What the last call that was really made sent and got.
    pub called: Vec<Line>,
    /// Paths that steps ask for, those that nobody knows first, with the value that is known.
    asks: Vec<(String, Option<Value>)>,
    /// What is typed now, and for what.
    pub giving: Option<(Given, Edit)>,
    /// The desk is asked.
    pub asking: bool,
    /// Why there is no answer.
    pub trouble: Option<String>,
}

impl Simulated {
    fn new(flow: String, request: String) -> Self {
        Self {
            flow,
            choices: Choices::new(request),
            shown: None,
            set: Vec::new(),
            head: Vec::new(),
            lines: Lines::default(),
            called: Vec::new(),
            asks: Vec::new(),
            giving: None,
            asking: true,
            trouble: None,
        }
    }

    /// What is tried, as it was chosen.
    fn trial(&self) -> Trial {
        Trial {
            flow: self.flow.clone(),
            sample: self.choices.sample(),
            draft: self.choices.draft,
            step: self.choices.step().map(str::to_owned),
            set: self.set.clone(),
            ..Trial::default()
        }
    }

    fn install(&mut self, view: &SimulatedView, keys: &Keymap) {
        self.asking = false;
        self.trouble = None;
        self.head = head(view);
        self.shown.clone_from(&view.request);
        if self.choices.step().is_none() {
            self.choices.know_steps(&view.steps);
        }
        self.asks = view.unknown.iter().map(|path| (path.clone(), None)).collect();
        let mut told = self.called.clone();
        for step in &view.steps {
            for asked in step.asks.iter().filter(|asked| asked.path != "steps") {
                if !self.asks.iter().any(|(path, _)| *path == asked.path) {
                    self.asks.push((asked.path.clone(), asked.known.then(|| asked.value.clone())));
                }
            }
            step_lines(step, keys, &mut told);
        }
        if view.steps.is_empty() {
            told.push(Line::text("The flow has no steps that would run.", Role::Muted));
        }
        self.lines.set(told);
    }

    /// The next value to give: that of the selected line, else the first that nobody knows.
    fn next_asked(&self) -> Option<usize> {
        let of_line = self.lines.current().and_then(|line| line.path.strip_prefix("asks "));
        let selected = of_line.and_then(|rest| rest.split_once('\0')).map(|(_, path)| path);
        let selected = selected.and_then(|path| self.asks.iter().position(|(other, _)| other == path));
        selected.or_else(|| (!self.asks.is_empty()).then_some(0))
    }

    /// Asks for a value, filled with the last one.
    fn give(&mut self, at: usize) {
        if let Some((path, last)) = self.asks.get(at) {
            let text = last.as_ref().map_or_else(String::new, written);
            // A value that a line cannot hold is not half filled in.
            let text = if text.chars().count() < MOST { text } else { String::new() };
            self.giving = Some((Given::Value(path.clone()), Edit::with(&text)));
        }
    }
}

/// A value as it is typed: what reads as itself stands bare.
fn written(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if json::parse(text.as_bytes()).is_err() && !text.trim().is_empty() => {
            text.clone()
        }
        other => other.to_string(),
    }
}

/// What is typed or pasted for the request: JSON, else an id.
fn sampled(text: &str) -> Sampled {
    let text = text.trim();
    if text.starts_with(['{', '[', '"']) {
        Sampled::Text(text.to_owned())
    } else {
        Sampled::Request(text.to_owned())
    }
}

impl App {
    /// The flow that is tried out, and the request that it takes: what is selected, or the flow's
    /// last one.
    #[must_use]
    pub fn tried_flow(&self) -> Option<(String, String)> {
        let last = || "last".to_owned();
        let run = || {
            let run = self.focused_run()?;
            let request = run.request.clone().unwrap_or_else(last);
            Some((format!("{}/{}", run.integration, run.flow), request))
        };
        let node = || {
            let node = self.tree.current().filter(|_| self.in_tree())?;
            Some((format!("{}/{}", node.integration, node.part.flow()?), last()))
        };
        self.captured_flow().or_else(run).or_else(node)
    }

    /// The flows of the integration that the cursor is on in the tree, where it is on none of them.
    #[must_use]
    pub fn flows_here(&self) -> Vec<String> {
        let one = self.tree.integration().filter(|_| self.in_tree());
        let flows = |one: &IntegrationView| {
            one.flows.iter().map(|flow| format!("{}/{}", one.name, flow.name)).collect()
        };
        one.map(flows).unwrap_or_default()
    }

    /// Simulates a flow with what is selected; of an integration its only flow, or the one that is
    /// chosen.
    pub fn open_trial(&mut self) {
        if let Some((flow, request)) = self.tried_flow() {
            return self.open_trial_of(flow, request);
        }
        let flows = self.flows_here();
        if let [flow] = flows.as_slice() {
            return self.open_trial_of(flow.clone(), "last".to_owned());
        }
        let entry = |(key, flow): (char, String)| Entry {
            key,
            word: "test",
            text: flow.split_once('/').map_or("", |(_, name)| name).to_owned(),
            does: Ok(menu::Does::Test(flow)),
        };
        let entries: Vec<Entry> = ('1'..='9').chain('a'..='i').zip(flows).map(entry).collect();
        if !entries.is_empty() {
            let title = "Test which flow".to_owned();
            self.overlay = Some(Overlay::Menu(Box::new(Menu { title, copies: false, entries, at: 0 })));
        }
    }

    /// Simulates a flow with a request.
    pub(super) fn open_trial_of(&mut self, flow: String, request: String) {
        self.asks.drop_wants(|want| *want == Want::Samples);
        self.asks.ask(Want::Samples, Ask::Study(Study::Samples { flow: flow.clone() }));
        self.overlay = Some(Overlay::Trial(Box::new(Simulated::new(flow, request))));
        self.ask_trial();
    }

    fn ask_trial(&mut self) {
        let height = super::overlay::trial::rows(self.size);
        let Some(Overlay::Trial(open)) = &mut self.overlay else { return };
        open.lines.resize(height);
        open.asking = true;
        let study = Study::Simulate(open.trial());
        self.asks.drop_wants(|want| *want == Want::Trial);
        self.asks.ask(Want::Trial, Ask::Study(study));
    }

    /// A key while it is open.
    pub fn trial_key(&mut self, key: Key) {
        let height = super::overlay::trial::rows(self.size);
        let of_request = self.captured_flow().is_some();
        let Some(Overlay::Trial(open)) = &mut self.overlay else { return };
        open.lines.resize(height);
        if open.giving.is_some() {
            return self.trial_typed(key);
        }
        let page = isize::try_from(height.max(2) - 1).unwrap_or(1);
        match (key.code, self.options.keymap.action_of(key)) {
            (_, Some(Action::Edit)) => match open.next_asked() {
                Some(at) => open.give(at),
                None => self.toast(Tone::Info, "no step asks an earlier one for a value"),
            },
            (_, Some(Action::View)) => {
                open.choices.draft = !open.choices.draft;
                self.ask_trial();
            }
            (KeyCode::Tab, _) => open.choices.next_row(1),
            (KeyCode::BackTab, _) => open.choices.next_row(-1),
            (KeyCode::Left | KeyCode::Right, _) => {
                let by = if key.code == KeyCode::Left { -1 } else { 1 };
                match open.choices.sideways(by) {
                    Ok(()) => self.ask_trial(),
                    Err(said) => self.toast(Tone::Info, self.say(said)),
                }
            }
            (_, Some(Action::Open)) => self.trial_enter(),
            (_, Some(Action::Test)) if of_request => self.open_what_if(),
            (_, Some(Action::Test)) => {
                self.toast(
                    Tone::Info,
                    self.say("another dedup rule is tried from a request: {2} lists them"),
                );
            }
            (_, Some(Action::BackTest)) => {
                let flow = open.flow.clone();
                self.begin_back_test(flow, 0);
            }
            (_, Some(Action::SaveSample)) => match open.shown.clone() {
                Some(id) => self.asks.ask(Want::Sample, Ask::Study(Study::SaveSample { id })),
                None => self.toast(Tone::Info, "sample is not possible: no stored request is shown"),
            },
            (_, Some(Action::Down)) => open.lines.step(1),
            (_, Some(Action::Up)) => open.lines.step(-1),
            (_, Some(Action::PageDown)) => open.lines.step(page),
            (_, Some(Action::PageUp)) => open.lines.step(-page),
            (_, Some(Action::Top)) => open.lines.rewind(),
            (_, Some(Action::Bottom)) => open.lines.step(isize::MAX),
            (_, Some(Action::Back | Action::Quit)) => self.overlay = None,
            (_, Some(Action::Interrupt | Action::Suspend | Action::Redraw)) => self.global(key),
            _ => self.refuse_key(key),
        }
    }

    /// `enter`: another request, the steps again, or the dialog of what is really sent.
    fn trial_enter(&mut self) {
        let Some(Overlay::Trial(open)) = &mut self.overlay else { return };
        if open.choices.focused() == Row::Sample {
            open.giving = Some((Given::Sample, Edit::default()));
            return;
        }
        let kind = match open.choices.does {
            Does::Build => return self.ask_trial(),
            Does::Call => Kind::Call,
            Does::Run => Kind::TestRun,
        };
        if let Some(reason) = self.barred(kind) {
            return self.toast(Tone::Info, reason);
        }
        let zone = self.options.zone.clone();
        let Some(Overlay::Trial(open)) = self.overlay.take() else { return };
        let dialog = Dialog::trying(kind, open.trial());
        self.tried = Some(open);
        self.open_dialog(dialog.in_zone(zone));
    }

    /// The dialog is closed; what it was opened from is back.
    pub(super) fn close_dialog(&mut self) {
        self.asks.drop_wants(|want| *want == Want::Weighed);
        self.overlay = self.tried.take().map(Overlay::Trial);
    }

    /// What was really sent.
    pub(super) fn tried(&mut self, tried: Tried) {
        match tried {
            Tried::Plan(plan) => {
                if let Some(Overlay::Verb(dialog)) = &mut self.overlay {
                    dialog.install(Ok(plan));
                }
                self.touch(Dirt::Input);
            }
            Tried::Called(view) => {
                self.close_dialog();
                if let Some(Overlay::Trial(open)) = &mut self.overlay {
                    open.called = lines::called(&view);
                    open.lines.rewind();
                    // It is done: another enter builds, and does not call again.
                    open.choices.does = Does::Build;
                    // What it gave is remembered, and later steps have it.
                    self.ask_trial();
                }
            }
            Tried::Begun(begun) => {
                (self.tried, self.overlay) = (None, None);
                let said = match begun.runs.len() {
                    1 => "The test run began.".to_owned(),
                    many => format!("{} test runs began.", super::format::count(many as u64)),
                };
                match begun.runs.as_slice() {
                    [one] => self.open_run(one.clone()),
                    _ => self.open_runs(&format!("request:{}", begun.request)),
                }
                self.toast(Tone::Good, said);
            }
        }
    }

    /// A key while something is typed.
    fn trial_typed(&mut self, key: Key) {
        let Some(Overlay::Trial(open)) = &mut self.overlay else { return };
        let Some((what, edit)) = &mut open.giving else { return };
        match (key.code, key.ctrl) {
            (KeyCode::Esc, _) => open.giving = None,
            (KeyCode::Tab | KeyCode::BackTab, _) => {
                let Given::Value(path) = what else { return };
                let at = open.asks.iter().position(|(other, _)| other == path).map_or(0, |at| at + 1);
                open.give(at % open.asks.len().max(1));
            }
            (KeyCode::Enter, _) => {
                let text = edit.text();
                match std::mem::replace(what, Given::Sample) {
                    Given::Sample if text.trim().is_empty() => open.choices.take(Sampled::default()),
                    Given::Sample => open.choices.take(sampled(&text)),
                    Given::Value(path) => {
                        let value = match text.trim() {
                            "" => Value::Null,
                            read => json::parse(read.as_bytes()).unwrap_or(Value::String(text)),
                        };
                        open.set.retain(|(other, _)| *other != path);
                        open.set.push((path, value));
                    }
                }
                open.giving = None;
                self.ask_trial();
            }
            (KeyCode::Char('c' | 'z' | 'l'), true) => self.global(key),
            _ => {
                edit_key(edit, key);
            }
        }
    }

    /// What is pasted while it is open: into what is typed, else JSON in the request's place.
    pub(super) fn trial_pastes(&mut self, text: &str) {
        let Some(Overlay::Trial(open)) = &mut self.overlay else { return };
        if let Some((Given::Value(_), edit)) = &mut open.giving {
            return edit.insert(text);
        }
        if text.len() > PASTED {
            let most = super::format::size(PASTED as u64);
            return self.toast(Tone::Info, format!("paste is not possible: a sample has at most {most}"));
        }
        match sampled(text) {
            sample @ Sampled::Text(_) => {
                open.giving = None;
                open.choices.take(sample);
                self.ask_trial();
            }
            _ => match &mut open.giving {
                Some((_, edit)) => edit.insert(text),
                None => self.toast(Tone::Info, "paste: a sample is JSON; enter at sample takes an id"),
            },
        }
    }

    /// What it would do.
    pub fn trial_found(&mut self, view: &SimulatedView) {
        if let Some(Overlay::Trial(open)) = &mut self.overlay {
            open.install(view, &self.options.keymap);
        }
    }

    /// A request was saved as a sample: it is one that can be chosen.
    pub(super) fn sample_saved(&mut self, path: &str) {
        if let Some(Overlay::Trial(open)) = &self.overlay {
            let flow = open.flow.clone();
            self.asks.ask(Want::Samples, Ask::Study(Study::Samples { flow }));
            // The trial stays: its line of samples has the file now.
            let name = path.rsplit('/').next().unwrap_or(path);
            return self.toast(Tone::Good, format!("Saved as a sample: {name}"));
        }
        self.say_whole("Saved as a sample", path);
    }

    /// What was saved as samples.
    pub(super) fn samples_found(&mut self, names: Vec<String>) {
        if let Some(Overlay::Trial(open)) = &mut self.overlay {
            open.choices.know_saved(names);
        }
    }

    /// What is tried was refused.
    pub fn untried(&mut self, want: &Want, refusal: Refusal) {
        match want {
            Want::Trial => self.trial_refused(refusal),
            Want::BackTest => self.back_test_refused(refusal),
            Want::Weighed => self.unweighed(refusal.message),
            _ => self.what_if_refused(refusal),
        }
    }

    /// It was refused: there is no draft, a value that cannot be given.
    fn trial_refused(&mut self, refusal: Refusal) {
        if let Some(Overlay::Trial(open)) = &mut self.overlay {
            open.asking = false;
            open.trouble = Some(if refusal.code == Refusal::NO_REQUEST {
                let flow = open.flow.replacen('/', " / ", 1);
                format!(
                    "{flow} has no accepted request yet: paste JSON to try it with, or tab to sample, enter"
                )
            } else {
                refusal.message
            });
        }
        self.touch(Dirt::Input);
    }

    /// Writes the selected request into a file that can be sent and tried.
    pub fn save_sample(&mut self) {
        let Some((_, id)) = self.captured_flow() else { return };
        self.asks.ask(Want::Sample, Ask::Study(Study::SaveSample { id }));
    }
}
