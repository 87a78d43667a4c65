//! What is known of the selected callback: what was sent and answered, its masked URL, its deadline
//! in words, and what was heard of it.

use crate::console::app::{App, Dirt, Screen};
use crate::console::asks::Want;
use crate::console::countdown;
use crate::console::format::{clock, size, took, when};
use crate::console::keymap::Keymap;
use crate::console::lines::{Line, Lines};
use crate::console::theme::Role;
use crate::model::ask::Ask;
use crate::model::run::CallbackState;
use crate::model::time::{Ms, parse_rfc3339};
use crate::model::view::{AttemptView, CallbackView, RunView};
use crate::rules::explain::written;
use jiff::tz::TimeZone;

/// What names the line of the URL: there `y` copies it.
pub const URL: &str = "url";

/// The pane.
#[derive(Debug, Default)]
pub struct BoardPane {
    /// The callback that was asked about.
    pub of: Option<String>,
    /// What the desk knows of it.
    pub view: Option<Box<CallbackView>>,
    /// The run that waits.
    pub run: Option<Box<RunView>>,
    /// Why it cannot be shown.
    pub trouble: Option<String>,
    /// What is shown.
    pub lines: Lines,
    /// It is asked for again.
    pub stale: bool,
}

impl App {
    /// Points the pane at the selected callback, and makes its lines again: a deadline ages.
    pub(in crate::console) fn aim_board(&mut self) {
        let selected = self.board.selected.clone();
        let pane = &mut self.board.pane;
        if pane.of != selected {
            let lines = Lines { height: pane.lines.height, keys: pane.lines.keys, ..Lines::default() };
            *pane = BoardPane { of: selected, stale: true, lines, ..BoardPane::default() };
        }
        let lines = match (self.board.current(), &self.board.pane.trouble) {
            (_, Some(trouble)) => vec![Line::text(trouble.clone(), Role::Warn)],
            (Some(row), None) => {
                let pane = &self.board.pane;
                lines(
                    pane.view.as_deref().unwrap_or(&row.view),
                    pane.run.as_deref(),
                    (self.now, &self.options.zone),
                    &self.options.keymap,
                )
            }
            (None, None) => Vec::new(),
        };
        self.board.pane.lines.set(lines);
    }

    /// Asks about the selected callback, where that is another one, or it moved.
    pub(in crate::console) fn ask_for_callback(&mut self) {
        if self.screen != Screen::Callbacks || !self.board.pane.stale {
            return;
        }
        let Some(row) = self.board.current() else { return };
        let (id, run) = (row.view.id.clone(), row.view.run.clone());
        let busy = |want: &Want| matches!(want, Want::Callback(_) | Want::CallbackRun(_));
        self.asks.drop_wants(busy);
        self.board.pane.stale = false;
        self.asks.ask(Want::Callback(id.clone()), Ask::Callback { id: id.clone(), reveal: false });
        self.asks.ask(Want::CallbackRun(id), Ask::Run { id: run });
    }

    /// What is known of it came.
    pub(in crate::console) fn callback_came(&mut self, id: &str, view: Box<CallbackView>) {
        // A row that left the filter is told as it is now.
        if let Some(row) = self.board.rows.iter_mut().find(|row| row.left && row.view.id == id) {
            let awaited = row.view.awaited.take();
            row.view = (*view).clone();
            row.view.awaited = row.view.awaited.take().or(awaited);
        }
        if self.board.pane.of.as_deref() == Some(id) {
            self.board.pane.view = Some(view);
            self.touch(Dirt::Data);
        }
    }

    /// Its run came.
    pub(in crate::console) fn callback_run_came(&mut self, id: &str, run: Box<RunView>) {
        if self.board.pane.of.as_deref() == Some(id) {
            self.board.pane.run = Some(run);
            self.touch(Dirt::Data);
        }
    }

    /// It, or its run, cannot be read.
    pub(in crate::console) fn callback_refused(&mut self, id: &str, message: String) {
        if self.board.pane.of.as_deref() == Some(id) {
            self.board.pane.trouble = Some(message);
            self.touch(Dirt::Data);
        }
    }

    /// Runs moved: where that of the selected callback is one of them, it is asked for again.
    pub(in crate::console) fn callbacks_moved(&mut self, runs: &[String]) {
        self.board.stale = true;
        if self.board.current().is_some_and(|row| runs.contains(&row.view.run)) {
            self.board.pane.stale = true;
        }
    }
}

/// The attempt that made a callback.
fn attempt_of<'r>(view: &CallbackView, run: &'r RunView) -> Option<&'r AttemptView> {
    let number = view.awaited.as_ref()?.attempt;
    let step = run.steps.iter().find(|step| step.name == view.step)?;
    step.attempts.iter().find(|attempt| attempt.number == number)
}

fn lines(
    view: &CallbackView,
    run: Option<&RunView>,
    (now, zone): (Ms, &TimeZone),
    keys: &Keymap,
) -> Vec<Line> {
    let mut lines = Vec::new();
    let attempt = run.and_then(|run| attempt_of(view, run));
    if let Some((attempt, sent)) = attempt.and_then(|attempt| Some((attempt, attempt.request.as_ref()?))) {
        let at = attempt.started.as_deref().and_then(parse_rfc3339);
        let at = at.map_or_else(String::new, |at| clock(at, now, zone));
        let body = sent.body.as_deref().unwrap_or_default();
        let note = format!("{}   {at}", size(body.len() as u64));
        let line = Line::label("sent", format!("{} {}", sent.method, sent.url), Role::Text);
        lines.push(Line { note, opens: true, whole: Some(body.into()), ..line });
    }
    lines.extend(answered(view, attempt));
    let header = attempt
        .and_then(|attempt| attempt.request.as_ref())
        .and_then(|sent| sent.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-response-url")));
    let url = header.map_or("…/callback/•••", |(_, value)| value.as_str());
    let told = keys.say("{Y} u copies it; whoever has it can finish the step");
    let line = Line::label("url", format!("{url}   {told}"), Role::Text);
    lines.push(Line { path: URL.to_owned(), ..line });
    lines.push(deadline(view, now, zone));
    lines.push(Line::label("heard", heard(view, now, zone), Role::Text));
    lines
}

/// What the other side said at once.
fn answered(view: &CallbackView, attempt: Option<&AttemptView>) -> Option<Line> {
    let got = attempt.and_then(|attempt| Some((attempt, attempt.response.as_ref()?)));
    if let Some((attempt, got)) = got {
        let elapsed = attempt.elapsed_ms.map_or_else(String::new, |ms| format!(" in {}", took(ms)));
        let body = if got.binary { "" } else { got.body.as_str() };
        let line = Line::label("answered", format!("{}{elapsed}   {body}", got.status), Role::Text);
        return Some(Line { opens: true, whole: Some(body.into()), ..line });
    }
    let awaited = view.awaited.as_ref()?;
    let status = awaited.status?;
    Some(Line::label("answered", format!("{status}   {}", awaited.said), Role::Text))
}

fn deadline(view: &CallbackView, now: Ms, zone: &TimeZone) -> Line {
    let Some(at) = parse_rfc3339(&view.deadline) else {
        return Line::label("deadline", view.deadline.clone(), Role::Text);
    };
    let lasts = parse_rfc3339(&view.created).map(|created| at - created).filter(|lasts| *lasts > 0);
    // To the second: what is asked for is a round time, and begins between two of them.
    let lasts = lasts.map(|lasts| format!(" ({})", written((lasts + 500) / 1_000 * 1_000)));
    let due = format!("{}{}", when(at, zone), lasts.unwrap_or_default());
    let (text, role) = match view.state {
        CallbackState::Pending => (
            format!("{due}, {}: then the step fails for want of an answer", countdown::words(at, now)),
            Role::Text,
        ),
        CallbackState::Expired if view.overdue => {
            let late = countdown::words(at, now);
            (format!("{due}, {late}: the step is errored, a late POST is answered 410"), Role::Bad)
        }
        CallbackState::Expired => (format!("{due}: it passed, and the run has gone on since"), Role::Muted),
        CallbackState::Received | CallbackState::Cancelled => (due, Role::Muted),
    };
    Line::label("deadline", text, role)
}

/// What was heard of it, and how long others to the same host took.
fn heard(view: &CallbackView, now: Ms, zone: &TimeZone) -> String {
    let received = view.received.as_deref().and_then(parse_rfc3339).map(|at| clock(at, now, zone));
    let text = match (view.state, view.status, received) {
        (CallbackState::Received, Some(status), Some(at)) => format!("{status} at {at}."),
        (CallbackState::Cancelled, ..) => "it was cancelled: a late POST is answered 410.".to_owned(),
        _ => "nothing since.".to_owned(),
    };
    let Some(awaited) = view.awaited.as_ref().filter(|awaited| !awaited.others.is_empty()) else {
        return text;
    };
    let times: Vec<String> = awaited.others.iter().map(|ms| took(*ms)).collect();
    let (last, before) =
        times.split_last().map_or(("", &times[..]), |(last, before)| (last.as_str(), before));
    let times = if before.is_empty() { last.to_owned() } else { format!("{} and {last}", before.join(", ")) };
    let (others, were) = if awaited.others.len() == 1 { ("other", "was") } else { ("others", "were") };
    let count = awaited.others.len();
    format!("{text} {count} {others} to {} {were} answered in {times}", awaited.host)
}
