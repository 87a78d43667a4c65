//! One run: its steps, its timeline, and the attempt that is looked at.

use super::aim::Aim;
use super::format::{exact, precise, size, took, when};
use super::glyphs;
use super::keymap::Keymap;
use super::lines::{Line, Lines};
use super::replayed::Beside;
use super::theme::Role;
use crate::model::id::short;
use crate::model::run::{CallbackState, Outcome, RunState, StepState};
use crate::model::time::{Ms, parse_rfc3339};
use crate::model::view::{AttemptView, CallbackView, EventView, Pair, RunView, StepView};
use jiff::tz::TimeZone;

/// The pane.
#[derive(Debug, Default)]
pub struct RunPane {
    /// The run that it shall show.
    pub id: Option<String>,
    /// What is known of it.
    pub run: Option<Box<RunView>>,
    /// Why it cannot be shown.
    pub trouble: Option<String>,
    /// Since when it shall show another one than it does.
    aimed: Aim,
    /// By how many steps it is to open beside the one that matters, once it is there.
    steps: isize,
    /// What happened, oldest first.
    pub timeline: Lines,
    /// What was sent, what came back.
    pub attempt: Lines,
    /// The step that is looked at.
    pub step: usize,
    /// The attempt of it, or of the open item of it, from 0.
    pub at: usize,
    /// The item whose attempts are shown, of a step under `for_each`; without one its items are listed.
    item: Option<u32>,
    zone: Option<TimeZone>,
    /// What its sentences name.
    keys: Keymap,
    /// Of an opened run that replays another: what differs.
    pub beside: Option<Beside>,
}

impl RunPane {
    /// Whether what it shows is what it shall show.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.run.as_ref().map(|run| &run.id) == self.id.as_ref()
    }

    /// The run that it shall show, once it does.
    #[must_use]
    pub fn current_run(&self) -> Option<&RunView> {
        self.run.as_deref().filter(|_| self.is_current())
    }

    /// Whether it has what it shall show, or why it cannot.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.is_current() || self.trouble.is_some()
    }

    /// Points it at another run, or at none. What it shows of the one before stays for a moment, where
    /// it is not wanted away `at_once`.
    pub fn aim(&mut self, id: Option<String>, at_once: bool, now: Ms) {
        if self.id != id {
            self.trouble = None;
            self.steps = 0;
        }
        let shown = self.run.as_ref().map(|run| run.id.as_str());
        if self.aimed.turn(&mut self.id, id, shown, (at_once, now)) {
            self.clear(None);
        }
    }

    /// When it no longer shows another one than it shall.
    #[must_use]
    pub fn next_age(&self) -> Option<Ms> {
        (self.run.is_some() && !self.is_current()).then_some(self.aimed.ends())
    }

    /// Takes the facts in. Another run opens at the step that matters: the one that stopped, else
    /// the last that was reached, and at its last attempt.
    pub fn install(&mut self, run: Box<RunView>, events: &[EventView], zone: &TimeZone, keys: &Keymap) {
        let other = self.run.as_ref().is_none_or(|old| old.id != run.id);
        self.zone = Some(zone.clone());
        self.keys = keys.clone();
        self.timeline.keys = 25;
        let before = self.run.as_ref().map(|old| attempts(old, self.step, self.item));
        self.timeline.set(timeline(events, zone));
        if other {
            let last = run.steps.len().saturating_sub(1);
            self.step = matters(&run).saturating_add_signed(std::mem::take(&mut self.steps)).min(last);
            self.item = None;
            self.at = attempts(&run, self.step, None).saturating_sub(1);
            self.timeline.rewind();
            self.timeline.step(isize::MAX);
            self.attempt.rewind();
        } else if before.is_some_and(|count| self.at + 1 == count) {
            self.at = attempts(&run, self.step, self.item).saturating_sub(1);
        }
        if let Some(beside) = self.beside.as_mut().filter(|beside| beside.run == run.id) {
            beside.compare(&run);
        }
        self.run = Some(run);
        self.trouble = None;
        self.build();
    }

    /// Nothing is selected, or it cannot be read.
    pub fn clear(&mut self, trouble: Option<String>) {
        self.run = None;
        self.trouble = trouble;
        self.timeline.set(Vec::new());
        self.attempt.set(Vec::new());
    }

    /// The step before or after; of a run that is not there yet once it is.
    pub fn go_step(&mut self, by: isize) {
        if !self.is_current() {
            self.steps = self.steps.saturating_add(by);
            return;
        }
        let Some(run) = &self.run else { return };
        let last = run.steps.len().saturating_sub(1);
        self.step = self.step.saturating_add_signed(by).min(last);
        self.item = None;
        self.at = attempts(run, self.step, None).saturating_sub(1);
        self.attempt.rewind();
        self.build();
    }

    /// The attempt before or after; in a list of items the item.
    pub fn go_attempt(&mut self, by: isize) {
        let Some(run) = &self.run else { return };
        if self.lists_items() {
            return self.attempt.step(by);
        }
        let last = attempts(run, self.step, self.item).saturating_sub(1);
        self.at = self.at.saturating_add_signed(by).min(last);
        self.attempt.rewind();
        self.build();
    }

    /// Whether the items of the step are listed.
    fn lists_items(&self) -> bool {
        self.item.is_none() && self.current_step().is_some_and(|step| !step.items.is_empty())
    }

    /// Opens the selected item of a step under `for_each`: its attempts; whether there is one.
    pub fn open_item(&mut self) -> bool {
        if !self.lists_items() {
            return false;
        }
        let at = self.attempt.at;
        let Some(index) = self.current_step().and_then(|step| step.items.get(at)).map(|item| item.index)
        else {
            return false;
        };
        self.item = Some(index);
        self.at = self.run.as_ref().map_or(0, |run| attempts(run, self.step, self.item)).saturating_sub(1);
        self.attempt.rewind();
        self.build();
        true
    }

    /// Back to the list of items; whether an item was open.
    pub fn close_item(&mut self) -> bool {
        let Some(index) = self.item.take() else { return false };
        self.at = 0;
        self.attempt.rewind();
        self.build();
        self.attempt.step(isize::try_from(index).unwrap_or(0));
        true
    }

    /// The step that is looked at.
    #[must_use]
    pub fn current_step(&self) -> Option<&StepView> {
        self.run.as_ref()?.steps.get(self.step)
    }

    /// The line over the attempt.
    #[must_use]
    pub fn attempt_title(&self) -> String {
        match self.current_step() {
            None => "steps".to_owned(),
            Some(step) if self.lists_items() => {
                format!("{} {} · items {}", self.step + 1, step.name, step.tally().words())
            }
            Some(step) if step.attempts.is_empty() => format!("{} {}", self.step + 1, step.name),
            Some(step) => format!(
                "{} {}{} · attempt {} of {}",
                self.step + 1,
                step.name,
                self.item.map_or_else(String::new, |item| format!(" · item {item}")),
                of_item(step, self.item).nth(self.at).map_or(0, |attempt| attempt.number),
                // What the plan allows, or more where a person asked for more.
                step.tries.map_or(0, |tries| tries as usize).max(of_item(step, self.item).count())
            ),
        }
    }

    /// What the line over the attempt says at its end.
    #[must_use]
    pub fn attempt_hint(&self) -> String {
        self.keys.say(match (self.lists_items(), self.item) {
            (true, _) => "enter opens",
            (false, Some(_)) => "{[} {]} attempt, esc items",
            (false, None) => "{[} {]} attempt",
        })
    }

    /// The line over the steps.
    #[must_use]
    pub fn title(&self) -> String {
        match (&self.run, &self.trouble, &self.id) {
            (Some(run), ..) => {
                let (glyph, _) = glyphs::run(run.state);
                let word = glyphs::run_word(run.state);
                format!(
                    "{} {glyph} {word} · {} / {} · v{}",
                    short(&run.id),
                    run.integration,
                    run.flow,
                    run.version
                )
            }
            (None, Some(trouble), _) => trouble.clone(),
            (None, None, Some(_)) => "asking the store…".to_owned(),
            (None, None, None) => "run".to_owned(),
        }
    }

    fn build(&mut self) {
        let mut lines = Vec::new();
        if let Some(run) = &self.run
            && let Some(step) = run.steps.get(self.step)
        {
            let zone = self.zone.clone().unwrap_or(TimeZone::UTC);
            if self.lists_items() {
                items(step, &mut lines);
            } else {
                let attempt = of_item(step, self.item).nth(self.at);
                attempt_lines(run, step, attempt, (&zone, &self.keys), &mut lines);
            }
        }
        self.attempt.set(lines);
    }
}

fn attempts(run: &RunView, step: usize, item: Option<u32>) -> usize {
    run.steps.get(step).map_or(0, |step| of_item(step, item).count())
}

/// The attempts of a step, or of one of its items.
fn of_item(step: &StepView, item: Option<u32>) -> impl Iterator<Item = &AttemptView> {
    step.attempts.iter().filter(move |attempt| attempt.item == item)
}

/// The items of a step, a line each: what came of its newest attempt, or why there is none.
fn items(step: &StepView, lines: &mut Vec<Line>) {
    let mut newest: Vec<Option<&AttemptView>> = vec![None; step.items.len()];
    for attempt in &step.attempts {
        if let Some(slot) = attempt.item.and_then(|item| newest.get_mut(item as usize)) {
            *slot = Some(attempt);
        }
    }
    let digits = step.items.last().map_or(1, |last| last.index.to_string().len());
    for (item, newest) in step.items.iter().zip(newest) {
        let (glyph, role) = glyphs::step(item.state);
        let mut said = vec![item.state.word().to_owned()];
        said.extend(newest.and_then(|attempt| attempt.status).map(|status| status.to_string()));
        said.extend(newest.and_then(|attempt| attempt.elapsed_ms).map(|ms| format!("in {}", took(ms))));
        if let Some(cause) = &item.cause {
            said = vec![item.state.word().to_owned(), cause.clone()];
        }
        lines.push(Line {
            glyph: Some((glyph, role)),
            key: format!("item {:<digits$}", item.index),
            key_role: Role::Text,
            value: said.join("  "),
            role: if item.state == StepState::Pending { Role::Muted } else { Role::Text },
            note: match item.attempts {
                0 | 1 => String::new(),
                n => format!("{n} tries"),
            },
            ..Line::default()
        });
    }
}

/// The step to open at: one that stopped, else the last that was reached.
fn matters(run: &RunView) -> usize {
    let stopped = |step: &StepView| {
        matches!(
            step.state,
            StepState::Errored
                | StepState::Failed
                | StepState::Retrying
                | StepState::Waiting
                | StepState::Running
        )
    };
    run.steps
        .iter()
        .position(stopped)
        .or_else(|| run.steps.iter().rposition(|step| step.state != StepState::Pending))
        .unwrap_or(0)
}

fn timeline(events: &[EventView], zone: &TimeZone) -> Vec<Line> {
    let mut before = "";
    let mut lines = Vec::with_capacity(events.len());
    for event in events {
        let at = parse_rfc3339(&event.at).map_or_else(|| event.at.clone(), |at| precise(at, zone));
        let who = event.actor.as_deref().unwrap_or(&event.step);
        let shown = if who == before { "" } else { who };
        before = who;
        let name = crate::text::pad(&crate::text::clean(shown), 10);
        let (glyph, role) = event.state.map_or(("·", Role::Muted), glyphs::step);
        lines.push(Line {
            key: format!("{at}  {name}"),
            key_role: Role::Muted,
            value: format!("{glyph} {}", event.text),
            role,
            ..Line::default()
        });
    }
    lines
}

fn attempt_lines(
    run: &RunView,
    step: &StepView,
    attempt: Option<&AttemptView>,
    (zone, keys): (&TimeZone, &Keymap),
    lines: &mut Vec<Line>,
) {
    let Some(attempt) = attempt else {
        let text = match (step.state, step.kind.as_str()) {
            (StepState::Pending, _) if step.needs.is_empty() => "not reached yet".to_owned(),
            (StepState::Pending, _) => format!("not reached yet; it needs {}", step.needs.join(", ")),
            (state, kind) => format!("{kind}: {}, nothing was sent", state.word()),
        };
        lines.push(Line::text(text, Role::Muted));
        if let Some(cause) = &step.cause {
            lines.push(Line::label("means", cause.clone(), Role::Text));
        }
        return outputs(step, lines);
    };
    if let Some(sent) = &attempt.request {
        let url = Line::label("sent", format!("{} {}", sent.method, sent.url), Role::Text);
        lines.push(Line { opens: true, ..url });
        headers(&sent.headers, lines);
        body(sent.body.as_deref(), lines);
        lines.push(Line::default());
    }
    let elapsed = attempt.elapsed_ms.map_or_else(String::new, |ms| format!(" in {}", took(ms)));
    if let Some(got) = &attempt.response {
        let role = if got.status < 400 { Role::Good } else { Role::Bad };
        lines.push(Line::label("came back", format!("{}{elapsed}", got.status), role));
        headers(&got.headers, lines);
        body(Some(&got.body), lines);
        if got.cut {
            lines.push(Line::text("only the first 64 KiB are kept", Role::Warn));
        }
        lines.push(Line::default());
    } else {
        let (text, role) = match attempt.outcome {
            None => ("nothing yet: it is under way".to_owned(), Role::Busy),
            Some(Outcome::Unknown) => {
                ("nothing: it may have been delivered; ask the target".to_owned(), Role::Warn)
            }
            Some(_) => (format!("nothing{elapsed}"), Role::Warn),
        };
        lines.push(Line::label("came back", text, role));
    }
    if let Some(cause) = attempt.cause.as_ref().or(step.cause.as_ref()) {
        lines.push(Line::label("means", cause.clone(), Role::Text));
    }
    for (at, field) in attempt.left_out.iter().enumerate() {
        lines.push(Line::label(if at == 0 { "left out" } else { "" }, field.clone(), Role::Warn));
    }
    outputs(step, lines);
    if let Some(callback) = run.callback.as_deref().filter(|callback| callback.step == step.name) {
        lines.extend(waits_for(callback, attempt.number, zone, keys));
    }
    lines.push(Line::label("next", next(run, zone, keys), Role::Text));
}

/// The callback that an attempt waits for, or waited for in vain.
fn waits_for(callback: &CallbackView, attempt: u32, zone: &TimeZone, keys: &Keymap) -> Option<Line> {
    let (c, u, r) = (keys.pressed("c"), keys.pressed("u"), keys.pressed("r"));
    let awaited = callback.awaited.as_ref().filter(|awaited| awaited.attempt == attempt)?;
    let at = parse_rfc3339(&callback.deadline).map_or_else(String::new, |at| when(at, zone));
    let (text, role) = match callback.state {
        CallbackState::Pending => (
            format!("{} answers until {at}; {c} completes it, {u} gives more time", awaited.host),
            Role::Info,
        ),
        CallbackState::Expired => {
            (format!("no answer came by {at}; {c} completes it, {r} sends again"), Role::Bad)
        }
        CallbackState::Received | CallbackState::Cancelled => {
            (format!("it was {}; {c} gives another answer", callback.state.word()), Role::Warn)
        }
    };
    Some(Line::label("callback", text, role))
}

fn next(run: &RunView, zone: &TimeZone, keys: &Keymap) -> String {
    if let Some(waits) = &run.waits {
        return waits.clone();
    }
    let due = run.due.as_deref().and_then(parse_rfc3339);
    let due = due.map_or_else(|| "a time that is not known".to_owned(), |at| exact(at, zone));
    match run.state {
        RunState::Errored => keys.say("nothing by itself: {r} retries, {s} skips, {x} aborts"),
        RunState::Failed => keys.say("nothing by itself: {r} retries, {R} replays"),
        RunState::Aborted => keys.say("nothing: {R} replays its request"),
        RunState::Succeeded | RunState::SucceededWithSkips => "nothing: it is done".to_owned(),
        RunState::Retrying => format!("another attempt at {due}"),
        RunState::Waiting => format!("it waits, until {due}"),
        RunState::Queued => "a runner takes it".to_owned(),
        RunState::Running => "an attempt is under way".to_owned(),
    }
}

fn headers(headers: &[Pair], lines: &mut Vec<Line>) {
    for (name, value) in headers {
        lines.push(Line {
            indent: 2,
            key: name.clone(),
            key_role: Role::Muted,
            value: value.clone(),
            role: Role::Muted,
            opens: true,
            ..Line::default()
        });
    }
}

fn body(text: Option<&str>, lines: &mut Vec<Line>) {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return };
    let whole: std::sync::Arc<str> = text.into();
    for part in text.split('\n').take(2_000) {
        let whole = Some(whole.clone());
        lines.push(Line { indent: 2, opens: true, whole, ..Line::text(part, Role::Text) });
    }
    if let Some(last) = lines.last_mut() {
        last.note = size(text.len() as u64);
    }
}

fn outputs(step: &StepView, lines: &mut Vec<Line>) {
    let Some(outputs) = step.outputs.as_ref().filter(|outputs| !outputs.is_empty()) else { return };
    for (at, (name, value)) in outputs.iter().enumerate() {
        let (role, text) = super::payload::value_text(value);
        let label = if at == 0 { "outputs" } else { "" };
        lines.push(Line::label(label, format!("{name} {text}"), role));
    }
}
