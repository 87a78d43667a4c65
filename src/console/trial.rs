//! A flow tried out with a request: what every step would send, nothing of it sent. Values that nobody
//! knows are given here.

use super::app::{App, Overlay, Tone};
use super::asks::Want;
use super::edit::Edit;
use super::input::edit_key;
use super::key::Key;
use super::keymap;
use super::lines::{Line, Lines};
use super::payload::value_text;
use super::theme::Role;
use crate::console::action::Action;
use crate::model::ask::{Ask, Refusal};
use crate::model::id::short;
use crate::model::request::Verdict;
use crate::model::run::RunState;
use crate::model::study::{Sampled, SimulatedStep, SimulatedView, Study, Trial};
use crate::model::view::{Pair, SentView};
use crate::rules::flatten::flatten;
use crate::rules::json;
use crossterm::event::KeyCode;
use serde_json::Value;

/// What is tried, and what came of it.
#[derive(Debug)]
pub struct Simulated {
    /// `NAME/FLOW`.
    pub flow: String,
    /// The stored request, or `last`.
    pub request: String,
    /// The one that is shown.
    shown: Option<String>,
    /// With the draft.
    pub draft: bool,
    /// Values that were given.
    set: Vec<(String, Value)>,
    /// What is told above the steps.
    pub head: Vec<(String, Role)>,
    /// The steps.
    pub lines: Lines,
    /// Paths that steps ask for, those that nobody knows first.
    asks: Vec<String>,
    /// The value that is given now: its path, and what is typed.
    pub giving: Option<(String, Edit)>,
    /// The desk is asked.
    pub asking: bool,
    /// Why there is no answer.
    pub trouble: Option<String>,
}

impl Simulated {
    fn new(flow: String, request: String) -> Self {
        Self {
            flow,
            request,
            shown: None,
            draft: false,
            set: Vec::new(),
            head: Vec::new(),
            lines: Lines::default(),
            asks: Vec::new(),
            giving: None,
            asking: true,
            trouble: None,
        }
    }

    fn study(&self) -> Study {
        Study::Simulate(Trial {
            flow: self.flow.clone(),
            sample: Sampled::Request(self.request.clone()),
            draft: self.draft,
            set: self.set.clone(),
            ..Trial::default()
        })
    }

    fn install(&mut self, view: &SimulatedView) {
        self.asking = false;
        self.trouble = None;
        self.head = head(view);
        self.shown.clone_from(&view.request);
        self.asks.clone_from(&view.unknown);
        let mut lines = Vec::new();
        for step in &view.steps {
            for asked in step.asks.iter().filter(|asked| asked.path != "steps") {
                if !self.asks.contains(&asked.path) {
                    self.asks.push(asked.path.clone());
                }
            }
            step_lines(step, &mut lines);
        }
        if lines.is_empty() {
            lines.push(Line::text("The flow has no steps that would run.", Role::Muted));
        }
        self.lines.set(lines);
    }

    /// The next value to give: that of the selected line, else the first that nobody knows.
    fn next_asked(&self) -> Option<String> {
        let of_line = self.lines.current().and_then(|line| line.path.strip_prefix("asks "));
        let selected = of_line.and_then(|rest| rest.split_once('\0')).map(|(_, path)| path.to_owned());
        selected.or_else(|| self.asks.first().cloned())
    }
}

fn head(view: &SimulatedView) -> Vec<(String, Role)> {
    let word = if view.draft { "the draft" } else { "live" };
    let of =
        view.request.as_deref().map_or_else(|| "a sample".to_owned(), |id| format!("request {}", short(id)));
    let cause = view.cause.as_deref().map_or_else(String::new, |cause| format!(": {cause}"));
    let element = match (view.elements, view.element) {
        (Some(all), Some(at)) => format!(" · element {at} of {all}"),
        _ => String::new(),
    };
    let verdict = if view.verdict == Verdict::Accepted { Role::Good } else { Role::Warn };
    let cause_of_end = view.end_cause.as_deref().map_or_else(String::new, |cause| format!(": {cause}"));
    let end = match view.end {
        RunState::Succeeded | RunState::SucceededWithSkips => Role::Text,
        _ => Role::Bad,
    };
    let unknown = match view.unknown.len() {
        0 => String::new(),
        1 => ", with 1 value that nobody knows".to_owned(),
        many => format!(", with {many} values that nobody knows"),
    };
    let mut all = vec![
        (format!("v{}, {word} · {of}{element} · {}{cause}", view.version, view.verdict.word()), verdict),
        (format!("it would end {}{cause_of_end}{unknown}", view.end.word()), end),
    ];
    if !view.not_touched.is_empty() {
        all.push((format!("not touched: {}", view.not_touched.join(", ")), Role::Muted));
    }
    all
}

fn step_lines(step: &SimulatedStep, lines: &mut Vec<Line>) {
    let (glyph, role) = match (step.runs, &step.cause, &step.blocked) {
        (Some(false), _, _) => ("»", Role::Muted),
        (_, Some(_), _) | (_, _, Some(_)) => ("!", Role::Bad),
        (None, _, _) => ("?", Role::Warn),
        _ => ("►", Role::Busy),
    };
    let value = match (&step.request, step.runs) {
        (_, None) => "nobody knows whether it runs".to_owned(),
        (Some(sent), _) => format!("{} {}", sent.method, sent.url),
        (None, _) => match step.item_count {
            Some(1) => "once, for 1 item".to_owned(),
            Some(count) => format!("once for each of {} items", crate::text::count(count)),
            None => step.kind.clone(),
        },
    };
    lines.push(Line {
        glyph: Some((glyph, role)),
        key: step.name.clone(),
        key_role: Role::Title,
        value,
        role: if step.runs == Some(false) { Role::Muted } else { Role::Text },
        path: step.name.clone(),
        opens: true,
        ..Line::default()
    });
    let mut label = |key: &str, value: String, role: Role| {
        let path = format!("{}\0{key}", step.name);
        lines.push(Line { indent: 2, path, opens: true, ..Line::label(key, value, role) });
    };
    if let (None, Some(sent)) = (step.runs, &step.request) {
        label("would send", format!("{} {}", sent.method, sent.url), Role::Text);
    }
    for (key, why, role) in [("why", &step.cause, Role::Warn), ("not sent", &step.blocked, Role::Bad)] {
        if let Some(why) = why {
            label(key, why.clone(), role);
        }
    }
    if let Some(until) = &step.until {
        label("waits until", until.clone(), Role::Info);
    }
    for (name, value) in step.outputs.iter().flatten() {
        let (role, text) = value_text(value);
        label(&format!("outputs.{name}"), text, role);
    }
    if let Some(answer) = &step.answer {
        label("answers", answer.status.to_string(), Role::Info);
        content(&step.name, &answer.headers, &answer.body, lines);
    }
    if let Some(SentView { headers, body, .. }) = &step.request {
        content(&step.name, headers, body.as_deref().unwrap_or_default(), lines);
    }
    for place in &step.left_out {
        lines.push(Line { indent: 2, ..Line::label("left out", place.clone(), Role::Warn) });
    }
    if let Some(count) = step.item_count {
        item_lines(step, count, lines);
    }
    for asked in &step.asks {
        let (value, role) = match &asked.from {
            Some(from) => (format!("{} = {} ({from})", asked.path, value_text(&asked.value).1), Role::Info),
            None => (format!("{}: nobody knows it; e gives it", asked.path), Role::Warn),
        };
        let path = format!("asks {}.{}\0{}", step.name, asked.field, asked.path);
        let key = format!("{} asks", asked.field);
        lines.push(Line { indent: 2, path, ..Line::label(&key, value, role) });
    }
}

/// The items of a step that sends once an item of a list.
fn item_lines(step: &SimulatedStep, count: u64, lines: &mut Vec<Line>) {
    for item in &step.items {
        let why = item.cause.as_ref().or(item.blocked.as_ref());
        let (glyph, role) = match (item.runs, why) {
            (false, _) => ("»", Role::Muted),
            (true, Some(_)) => ("!", Role::Bad),
            (true, None) => ("►", Role::Busy),
        };
        let (name, request) = (format!("{}[{}]", step.name, item.item), item.request.as_ref());
        let sent = request.map(|sent| format!("{} {}", sent.method, sent.url));
        let told = [sent, why.cloned()].into_iter().flatten().collect::<Vec<_>>().join(" · ");
        lines.push(Line {
            indent: 2,
            glyph: Some((glyph, role)),
            key: format!("item {}", item.item),
            value: told,
            role: if item.runs { Role::Text } else { Role::Muted },
            path: name.clone(),
            opens: true,
            ..Line::default()
        });
        if let Some(SentView { headers, body, .. }) = request {
            content(&name, headers, body.as_deref().unwrap_or_default(), lines);
        }
    }
    let more = count.saturating_sub(step.items.len() as u64);
    if more > 0 {
        let text = format!("{} more items", crate::text::count(more));
        lines.push(Line { indent: 2, ..Line::text(text, Role::Muted) });
    }
}

/// Headers, and a body by its leaves where it is JSON.
fn content(step: &str, headers: &[Pair], body: &str, lines: &mut Vec<Line>) {
    let mut push = |key: &str, value: String, role: Role| {
        lines.push(Line {
            indent: 2,
            key: key.to_owned(),
            key_role: Role::JsonKey,
            value,
            role,
            path: format!("{step}\0{key}"),
            opens: true,
            ..Line::default()
        });
    };
    for (name, value) in headers {
        push(name, value.clone(), Role::Text);
    }
    if body.is_empty() {
        return;
    }
    match json::parse_answer(body.as_bytes()) {
        Ok(value) => flatten("body", &value, &mut |path, leaf| {
            let (role, text) = value_text(leaf);
            push(path, text, role);
        }),
        Err(_) => push("body", body.to_owned(), Role::Text),
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

    /// Simulates a flow with what is selected.
    pub fn open_trial(&mut self) {
        let Some((flow, request)) = self.tried_flow() else { return };
        self.overlay = Some(Overlay::Trial(Box::new(Simulated::new(flow, request))));
        self.ask_trial();
    }

    fn ask_trial(&mut self) {
        let height = super::overlay::trial::rows(self.size);
        let Some(Overlay::Trial(open)) = &mut self.overlay else { return };
        open.lines.resize(height);
        open.asking = true;
        let study = open.study();
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
        match (key.code, keymap::action_of(key)) {
            (KeyCode::Char('e'), _) if !key.ctrl => match open.next_asked() {
                Some(path) => open.giving = Some((path, Edit::default())),
                None => self.toast(Tone::Info, "no step asks an earlier one for a value"),
            },
            (KeyCode::Char('v'), _) if !key.ctrl => {
                open.draft = !open.draft;
                self.ask_trial();
            }
            (_, Some(Action::Test)) if of_request => self.open_what_if(),
            (_, Some(Action::Test)) => {
                self.toast(Tone::Info, "another dedup rule is tried from a request: 2 lists them");
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

    /// A key while a value is typed.
    fn trial_typed(&mut self, key: Key) {
        let Some(Overlay::Trial(open)) = &mut self.overlay else { return };
        let Some((path, edit)) = &mut open.giving else { return };
        match (key.code, key.ctrl) {
            (KeyCode::Esc, _) => open.giving = None,
            (KeyCode::Tab | KeyCode::BackTab, _) => {
                let at = open.asks.iter().position(|other| other == path).map_or(0, |at| at + 1);
                if let Some(next) = open.asks.get(at % open.asks.len().max(1)) {
                    (*path, *edit) = (next.clone(), Edit::default());
                }
            }
            (KeyCode::Enter, _) => {
                let text = edit.text();
                let value = match text.trim() {
                    "" => Value::Null,
                    read => json::parse(read.as_bytes()).unwrap_or(Value::String(text)),
                };
                let path = std::mem::take(path);
                open.set.retain(|(other, _)| *other != path);
                open.set.push((path, value));
                open.giving = None;
                self.ask_trial();
            }
            (KeyCode::Char('c' | 'z' | 'l'), true) => self.global(key),
            _ => {
                edit_key(edit, key);
            }
        }
    }

    /// Where a value that is given is pasted.
    pub fn trial_paste(&mut self) -> Option<&mut Edit> {
        match &mut self.overlay {
            Some(Overlay::Trial(open)) => open.giving.as_mut().map(|(_, edit)| edit),
            _ => None,
        }
    }

    /// What it would do.
    pub fn trial_found(&mut self, view: &SimulatedView) {
        if let Some(Overlay::Trial(open)) = &mut self.overlay {
            open.install(view);
        }
    }

    /// What is tried was refused.
    pub fn untried(&mut self, want: &Want, refusal: Refusal) {
        match want {
            Want::Trial => self.trial_refused(refusal),
            Want::BackTest => self.back_test_refused(refusal),
            _ => self.what_if_refused(refusal),
        }
    }

    /// It was refused: there is no draft, a value that cannot be given.
    fn trial_refused(&mut self, refusal: Refusal) {
        if let Some(Overlay::Trial(open)) = &mut self.overlay {
            open.asking = false;
            open.trouble = Some(refusal.message);
        }
        self.touch(super::app::Dirt::Input);
    }

    /// Writes the selected request into a file that can be sent and tried.
    pub fn save_sample(&mut self) {
        let Some((_, id)) = self.captured_flow() else { return };
        self.asks.ask(Want::Sample, Ask::Study(Study::SaveSample { id }));
    }
}
