//! The timeline of a run: its journal in words.

use crate::model::Ms;
use crate::model::id::short;
use crate::model::run::{Entry, EntryKind, ItemNote, Outcome, Run, RunState, StepState};
use crate::model::time::rfc3339;
use crate::model::view::EventView;
use crate::rules::advance::note;
use crate::text::took;

/// Where a run comes from: ids as text.
#[derive(Debug, Clone, Copy)]
pub struct Birth<'a> {
    /// When it was made.
    pub at: Ms,
    /// The request that began it.
    pub request: Option<&'a str>,
    /// The run that it replays.
    pub parent: Option<&'a str>,
}

/// The lines of a timeline, oldest first. `steps` names the steps of the plan.
#[must_use]
pub fn timeline(birth: Birth<'_>, run: &Run, steps: &[String], journal: &[Entry]) -> Vec<EventView> {
    let mut lines = Lines { events: Vec::new(), free: run.started.unwrap_or(birth.at) };
    let element = run.element.map(|at| format!(", element {at}")).unwrap_or_default();
    let from = match (birth.parent, birth.request) {
        (Some(parent), Some(request)) => {
            format!("queued to replay {} from request {}{element}", short(parent), short(request))
        }
        (None, Some(request)) => format!("queued from request {}{element}", short(request)),
        _ => "queued by hand".to_owned(),
    };
    lines.push(birth.at, "", None, from, None);
    for entry in journal {
        lines.entry(entry);
    }
    if run.state == RunState::Running {
        let name = steps.get(run.step as usize).map_or("", String::as_str);
        let told = journal.iter().any(|entry| {
            entry.step == run.step && entry.attempt == run.attempt && entry.detail.outcome.is_some()
        });
        // Which items run is told by the entries that started them.
        let told = told
            || journal.iter().any(|entry| !entry.detail.items.is_empty() || entry.detail.begun.is_some());
        if !told {
            // A claim writes no entry: of a later attempt only the order is known, not the time.
            let last = journal.last().map(|entry| entry.detail.due.unwrap_or(entry.at));
            let at = last.or(run.started).unwrap_or(birth.at);
            lines.push(at, name, None, format!("attempt {}", run.attempt.max(1)), Some(StepState::Running));
        }
    }
    lines.events
}

struct Lines {
    events: Vec<EventView>,
    /// From when on the next attempt can have been claimed: claims write no entry.
    free: Ms,
}

impl Lines {
    fn push(&mut self, at: Ms, step: &str, actor: Option<&str>, text: String, state: Option<StepState>) {
        self.events.push(EventView {
            at: rfc3339(at),
            step: step.to_owned(),
            actor: actor.map(str::to_owned),
            text,
            state,
        });
    }

    fn entry(&mut self, entry: &Entry) {
        let detail = &entry.detail;
        let step = detail.step_name.as_str();
        if entry.item.is_none()
            && matches!(entry.kind, EntryKind::Answer | EntryKind::Lost)
            && entry.attempt > 0
        {
            // Of an attempt that was cut off nobody could write down when it started.
            let lost = if entry.kind == EntryKind::Lost { self.free.min(entry.at) } else { entry.at };
            let at = detail.started.unwrap_or(lost);
            self.push(at, step, None, format!("attempt {}", entry.attempt), Some(StepState::Running));
        }
        // What a step did in passing and nothing else is said by the lines of those steps.
        if entry.kind != EntryKind::Local || detail.folded.is_empty() {
            let (text, state) = of_items(entry).unwrap_or_else(|| (words(entry), detail.step_state));
            self.push(entry.at, step, entry.actor.as_deref(), text, state);
        }
        for folded in &detail.folded {
            let text = match (folded.state, &folded.cause) {
                (StepState::Skipped, Some(cause)) => format!("passed over: {cause}"),
                (StepState::Skipped, None) => "passed over: when is false".to_owned(),
                (StepState::Failed | StepState::Errored, cause) => {
                    format!("{}: {}", folded.state.word(), cause.as_deref().unwrap_or("no cause"))
                }
                (state, _) => match folded.outputs.as_ref().filter(|map| !map.is_empty()) {
                    Some(map) => format!("set {}", map.keys().cloned().collect::<Vec<_>>().join(", ")),
                    None => state.word().to_owned(),
                },
            };
            self.push(entry.at, &folded.name, None, text, Some(folded.state));
        }
        if entry.kind != EntryKind::Late {
            self.free = detail.due.unwrap_or(entry.at);
        }
    }
}

/// An entry that tells of items of a step under `for_each` in words, and the state that it shows.
fn of_items(entry: &Entry) -> Option<(String, Option<StepState>)> {
    let detail = &entry.detail;
    let count = |notes: &[ItemNote], state| notes.iter().filter(|note| note.state == state).count();
    let items = |n: usize| if n == 1 { "1 item".to_owned() } else { format!("{n} items") };
    // What the whole step came to with it.
    let step = match (detail.step_state, &detail.cause) {
        (Some(state @ (StepState::Errored | StepState::Failed)), Some(cause)) => {
            format!("; {}: {cause}", state.word())
        }
        (Some(StepState::Succeeded), _) => "; all items are done".to_owned(),
        _ => String::new(),
    };
    match (entry.kind, entry.item) {
        (EntryKind::Answer, Some(item)) => {
            let note = detail.items.iter().find(|note| note.item == item)?;
            let what = answer(entry);
            let took = detail.elapsed_ms.map(|ms| format!(" in {}", took(ms))).unwrap_or_default();
            let why = note.cause.as_deref().unwrap_or(&what);
            let text = match (note.state, note.due) {
                (StepState::Retrying, Some(due)) => {
                    format!("{why}, next in {}", crate::text::took(due - entry.at))
                }
                (StepState::Errored | StepState::Failed, _) => format!("{}: {why}", note.state.word()),
                _ => format!("{what}{took}"),
            };
            let nth = if note.attempt > 1 { format!(" attempt {}", note.attempt) } else { String::new() };
            Some((format!("item {item}{nth}: {text}{step}"), Some(note.state)))
        }
        (EntryKind::Lost, None) if !detail.items.is_empty() => {
            let why = detail.items.iter().find_map(|note| note.cause.as_deref()).unwrap_or("interrupted");
            Some((format!("{} under way: {why}{step}", items(detail.items.len())), detail.step_state))
        }
        (EntryKind::Items, _) => {
            let begun = detail.begun.as_ref();
            let notes = begun.map_or(detail.items.as_slice(), |begun| begun.items.as_slice());
            let mut said = Vec::new();
            for (state, word) in [
                (StepState::Running, "started"),
                (StepState::Pending, "given back"),
                (StepState::Skipped, "passed over"),
            ] {
                match count(notes, state) {
                    0 => {}
                    n => said.push(format!("{} {word}", items(n))),
                }
            }
            let of = begun.map_or_else(String::new, |begun| format!(" of {}", begun.count));
            let said = if said.is_empty() { "items".to_owned() } else { said.join(", ") };
            Some((format!("{said}{of}{step}"), detail.step_state))
        }
        _ => None,
    }
}

/// One entry in words, without the glyph of its state.
fn words(entry: &Entry) -> String {
    let detail = &entry.detail;
    let because = |text: String| match &detail.reason {
        Some(reason) => format!("{text}: {reason}"),
        None => text,
    };
    match entry.kind {
        EntryKind::Answer | EntryKind::Lost => outcome(entry),
        EntryKind::Due => match (&detail.step_state, &detail.cause) {
            (Some(StepState::Succeeded), _) => "the delay is over".to_owned(),
            (Some(state), Some(cause)) => format!("{}: {cause}", state.word()),
            _ => "its time came".to_owned(),
        },
        EntryKind::Callback => {
            let what = if entry.actor.is_some() { "completed by hand with" } else { "callback" };
            let status = entry.status.map_or_else(|| "a callback".to_owned(), |it| format!("{what} {it}"));
            let status = because(status);
            match (detail.step_state, &detail.cause) {
                (Some(StepState::Running), _) => format!("{status} came before the answer"),
                (Some(StepState::Succeeded), _) => status,
                (Some(state), Some(cause)) => format!("{status}; {}: {cause}", state.word()),
                _ => status,
            }
        }
        EntryKind::Retry => {
            let mut text = "retried".to_owned();
            if let Some((from, to)) = detail.moved.filter(|(from, to)| from != to) {
                text = format!("{text}, v{from} → v{to}");
            }
            if detail.fresh_key.is_some() {
                text.push_str(", with a fresh key");
            }
            because(text)
        }
        EntryKind::Skip if detail.stand_in.is_some() => because("skipped with a stand-in".to_owned()),
        EntryKind::Skip => because("skipped".to_owned()),
        EntryKind::Abort if detail.run_state == Some(RunState::Running) => {
            because("aborts after this attempt".to_owned())
        }
        EntryKind::Abort => because("aborted".to_owned()),
        EntryKind::Local => match (detail.step_state, detail.due, &detail.cause) {
            (Some(StepState::Waiting), Some(due), _) => format!("waits {}", took(due - entry.at)),
            (Some(state), _, Some(cause)) => format!("{}: {cause}", state.word()),
            (Some(state), _, None) => state.word().to_owned(),
            (None, ..) => "carried out".to_owned(),
        },
        EntryKind::Extend => {
            let until = detail.due.map(|due| format!(" until {} UTC", crate::text::clock(due, 0)));
            because(format!("waits longer{}", until.unwrap_or_default()))
        }
        EntryKind::Items => "goes on".to_owned(),
        EntryKind::Cancel => detail.cause.clone().unwrap_or_else(|| because("cancelled".to_owned())),
        EntryKind::Late => {
            let what = answer(entry);
            format!("too late, not applied: {what}")
        }
    }
}

/// What came: a code, or why none.
fn answer(entry: &Entry) -> String {
    match (entry.status, &entry.detail.cause) {
        (Some(status), _) => status.to_string(),
        (None, Some(cause)) => cause.clone(),
        (None, None) => "no answer".to_owned(),
    }
}

fn outcome(entry: &Entry) -> String {
    let detail = &entry.detail;
    let what = answer(entry);
    match detail.step_state {
        Some(StepState::Succeeded) if detail.outcome == Some(Outcome::Ok) => {
            let text = match detail.elapsed_ms {
                Some(elapsed) => format!("{what} in {}", took(elapsed)),
                None => what,
            };
            match entry.got.as_ref().and_then(note) {
                Some(note) => format!("{text}; {note}"),
                None => text,
            }
        }
        Some(StepState::Succeeded) => format!("{what}; the callback had come"),
        Some(StepState::Waiting) => match detail.due {
            Some(due) => format!("{what}, waits for the callback, {} at most", took(due - entry.at)),
            None => format!("{what}, waits for the callback"),
        },
        Some(StepState::Retrying) => match detail.due {
            Some(due) => format!("{what}, next in {}", took(due - entry.at)),
            None => format!("{what}, goes on"),
        },
        Some(state @ (StepState::Errored | StepState::Failed)) => {
            let why = detail.cause.as_deref().unwrap_or(&what);
            let on = match (state, detail.run_state) {
                (StepState::Failed, Some(run)) if !run.ended() || run == RunState::SucceededWithSkips => {
                    ", goes on"
                }
                _ => "",
            };
            format!("{}: {why}{on}", state.word())
        }
        _ => what,
    }
}
