//! What a group of errored runs has in common: what its newest run sent and got, since when, and
//! which runs are in it.

use super::app::{App, Screen};
use super::asks::Want;
use super::format::clock;
use super::lines::{Line, Lines};
use super::theme::Role;
use crate::model::ask::{Ask, Page};
use crate::model::id::short;
use crate::model::time::parse_rfc3339;
use crate::model::view::RunView;

/// Runs that are named.
const NAMED: u32 = 3;

/// The pane under the groups.
#[derive(Debug, Default)]
pub struct GroupPane {
    /// The group that was asked about.
    pub id: Option<String>,
    /// Its newest runs.
    pub runs: Vec<RunView>,
    /// The newest of them, with its attempts.
    pub run: Option<Box<RunView>>,
    /// What is shown.
    pub lines: Lines,
}

impl App {
    /// Asks about the group that the cursor is on, where it is another one.
    pub fn ask_for_group(&mut self) {
        let id = match self.screen {
            Screen::Runs if self.runs.groups => self.focused_group().map(|group| group.id.clone()),
            _ => return,
        };
        if id == self.runs.group.id {
            return;
        }
        self.runs.group = GroupPane { id: id.clone(), ..GroupPane::default() };
        self.asks.drop_wants(|want| matches!(want, Want::GroupRuns(_) | Want::GroupRun(_)));
        if let Some(id) = id {
            let page = Page { filter: format!("group:{id}"), limit: NAMED, ..Page::default() };
            self.asks.ask(Want::GroupRuns(id), Ask::Runs(page));
        }
    }

    /// Its newest runs came: the newest is read whole.
    pub fn group_runs(&mut self, id: &str, runs: Vec<RunView>) {
        if self.runs.group.id.as_deref() != Some(id) {
            return;
        }
        if let Some(newest) = runs.first() {
            self.asks.ask(Want::GroupRun(id.to_owned()), Ask::Run { id: newest.id.clone() });
        }
        self.runs.group.runs = runs;
        self.group_lines();
    }

    /// The newest run came.
    pub fn group_run(&mut self, id: &str, run: Box<RunView>) {
        if self.runs.group.id.as_deref() == Some(id) {
            self.runs.group.run = Some(run);
            self.group_lines();
        }
    }

    /// What is shown of it, made again.
    pub fn group_lines(&mut self) {
        let Some(group) = self.needs.groups.iter().find(|one| Some(&one.id) == self.runs.group.id.as_ref())
        else {
            return;
        };
        let shown = |time: &str| {
            let at = parse_rfc3339(time);
            at.map_or_else(|| time.to_owned(), |at| clock(at, self.now, &self.options.zone))
        };
        let mut lines = Vec::new();
        let step =
            self.runs.group.run.as_ref().and_then(|run| run.steps.iter().find(|s| s.name == group.step));
        let attempt = step.and_then(|step| step.attempts.last());
        if let Some(sent) = attempt.and_then(|attempt| attempt.request.as_ref()) {
            lines.push(Line::label("sent", format!("{} {}", sent.method, sent.url), Role::Text));
        }
        match attempt.and_then(|attempt| Some((attempt, attempt.response.as_ref()?))) {
            Some((attempt, got)) => {
                let took = attempt
                    .elapsed_ms
                    .map_or_else(String::new, |ms| format!(" in {}", super::format::took(ms)));
                lines.push(Line::label("back", format!("{}{took}   {}", got.status, got.body), Role::Text));
            }
            None if attempt.is_some() => lines.push(Line::label("back", group.cause.clone(), Role::Text)),
            None => {}
        }
        let since = format!("first {}, last {}", shown(&group.first), shown(&group.last));
        lines.push(Line::label("started", since, Role::Text));
        let runs: Vec<String> = self
            .runs
            .group
            .runs
            .iter()
            .map(|run| {
                format!("{} {}", short(&run.id), run.started.as_deref().map_or_else(String::new, &shown))
            })
            .collect();
        if !runs.is_empty() {
            let more = if group.count > runs.len() as u64 {
                " · … enter lists them"
            } else {
                " · enter lists them"
            };
            lines.push(Line::label("runs", format!("{}{more}", runs.join(" · ")), Role::Text));
        }
        self.runs.group.lines.set(lines);
    }
}
