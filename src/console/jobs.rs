//! Jobs over the screen: which there are, how far each is, and how it is stopped.

use super::action::Action;
use super::app::{App, Dirt, Overlay, Tone};
use super::asks::{Effect, Want};
use super::key::Key;
use super::worklist::Need;
use crate::model::ask::{Answer, Ask, Deed, Refusal};
use crate::model::change::{HaltedJob, JobFigures};
use crate::model::id::short;
use crate::model::job::{JobState, JobView};
use crossterm::event::KeyCode;

/// Jobs that are shown: the newest.
const SHOWN: u32 = 50;

/// What is open.
#[derive(Debug, Default)]
pub struct Jobs {
    /// Newest first.
    pub list: Vec<JobView>,
    /// The selected one, whole: with its reasons.
    pub one: Option<Box<JobView>>,
    /// The one that has the cursor, by its id: others may come above it.
    pub selected: Option<String>,
    /// The store answered.
    pub known: bool,
    /// Why it did not.
    pub trouble: Option<String>,
    /// `x` or `P` was pressed once on this one.
    pub asked: Option<(Steer, String)>,
    /// What became of its runs has changed since it was read.
    pub stale: bool,
}

/// What is done to a job once its key is pressed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Steer {
    /// It stops: what is left stays as it is.
    Stop,
    /// One that halted goes on.
    Resume,
}

impl Steer {
    fn word(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Resume => "resume",
        }
    }

    /// What it does: whose role may do it.
    fn deed(self) -> Deed {
        match self {
            Self::Stop => Deed::StopJob,
            Self::Resume => Deed::ResumeJob,
        }
    }

    /// Whether it can be done to a job in a state.
    fn fits(self, state: JobState) -> bool {
        match self {
            Self::Stop => matches!(state, JobState::Running | JobState::Halted),
            Self::Resume => state == JobState::Halted,
        }
    }

    fn refusal(self, state: JobState) -> String {
        let why = match (self, state) {
            (Self::Stop, _) | (Self::Resume, JobState::Done | JobState::Stopped) => "it has ended, ",
            (Self::Resume, _) => "the job is ",
        };
        format!("{} is not possible: {why}{}", self.word(), state.word())
    }
}

impl Jobs {
    /// What is done when its key is pressed again.
    #[must_use]
    pub fn asks(&self) -> Option<Steer> {
        let (steer, id) = self.asked.as_ref()?;
        (self.current().map(|job| &job.id) == Some(id)).then_some(*steer)
    }

    /// The place of the cursor.
    #[must_use]
    pub fn at(&self) -> usize {
        let is = |job: &JobView| Some(&job.id) == self.selected.as_ref();
        self.list.iter().position(is).unwrap_or(0)
    }

    /// The job that has the cursor, with its reasons where they are known.
    #[must_use]
    pub fn current(&self) -> Option<&JobView> {
        let row = self.list.get(self.at())?;
        match &self.one {
            Some(one) if one.id == row.id => Some(one),
            _ => Some(row),
        }
    }

    fn go(&mut self, by: isize) {
        let last = self.list.len().saturating_sub(1);
        let at = self.at().saturating_add_signed(by).min(last);
        self.selected = self.list.get(at).map(|job| job.id.clone());
        self.asked = None;
    }
}

impl App {
    /// Opens the list of jobs, on one of them where it is named.
    pub fn open_jobs(&mut self, selected: Option<String>) {
        self.overlay = Some(Overlay::Jobs(Box::new(Jobs { selected, ..Jobs::default() })));
        self.ask_jobs();
    }

    /// Asks for the jobs, where they are open.
    pub fn ask_jobs(&mut self) {
        if matches!(self.overlay, Some(Overlay::Jobs(_))) {
            self.asks.drop_wants(|want| matches!(want, Want::Jobs | Want::Job));
            self.asks.ask(Want::Jobs, Ask::Jobs { before: None, limit: SHOWN });
        }
    }

    /// Runs moved: those of the job that is shown may be among them.
    pub fn job_moved(&mut self) {
        if let Some(Overlay::Jobs(open)) = &mut self.overlay {
            open.stale = true;
        }
    }

    /// Asks for the job that is shown, where its runs may have moved, at the pace of data.
    pub fn ask_job_again(&mut self) {
        let stale = matches!(&self.overlay, Some(Overlay::Jobs(open)) if open.stale);
        if stale && !self.asks.awaits(|want| *want == Want::Job) {
            self.ask_job();
        }
    }

    /// The halted job that the focus is on, among what needs a person.
    pub(super) fn halted_job(&self) -> Option<&HaltedJob> {
        match self.focused_need()? {
            Need::Halted(job) => Some(job),
            _ => None,
        }
    }

    /// Opens the halted job that the focus is on: the same key there lets it go on.
    pub(super) fn resume_halted(&mut self) {
        let Some(id) = self.halted_job().map(|job| job.id.clone()) else { return };
        self.open_jobs(Some(id.clone()));
        if let Some(Overlay::Jobs(open)) = &mut self.overlay {
            open.asked = Some((Steer::Resume, id));
        }
    }

    fn ask_job(&mut self) {
        let Some(Overlay::Jobs(open)) = &mut self.overlay else { return };
        open.stale = false;
        if let Some(id) = open.current().map(|job| job.id.clone()) {
            self.asks.drop_wants(|want| *want == Want::Job);
            self.asks.ask(Want::Job, Ask::Job { id });
        }
    }

    /// An answer about jobs, or to a verb that became one.
    pub fn jobs_answered(&mut self, want: Want, answer: Answer) {
        match (want, answer) {
            (Want::Act(_), Answer::Job(job)) => {
                self.unmark();
                self.open_jobs(Some(job.id));
                self.reload_panes();
            }
            (Want::Jobs, Answer::Jobs { jobs, .. }) => self.jobs_came(jobs),
            (Want::Job, Answer::Job(job)) => self.job_came(job),
            (Want::StopJob | Want::ResumeJob, Answer::Done(done)) => {
                self.toast(Tone::Good, done.lines.into_iter().next().unwrap_or_default());
                self.ask_jobs();
            }
            _ => self.toast(Tone::Bad, "the answer does not fit the question"),
        }
    }

    /// The jobs as they are.
    fn jobs_came(&mut self, jobs: Vec<JobView>) {
        if let Some(Overlay::Jobs(open)) = &mut self.overlay {
            open.list = jobs;
            open.known = true;
            open.trouble = None;
            if !open.list.iter().any(|job| Some(&job.id) == open.selected.as_ref()) {
                open.selected = open.list.first().map(|job| job.id.clone());
            }
        }
        self.ask_job();
        self.touch(Dirt::Data);
    }

    /// One of them, whole.
    fn job_came(&mut self, job: Box<JobView>) {
        if let Some(Overlay::Jobs(open)) = &mut self.overlay {
            if let Some(row) = open.list.iter_mut().find(|row| row.id == job.id) {
                row.clone_from(&job);
            }
            open.one = Some(job);
        }
        self.touch(Dirt::Data);
    }

    /// They could not be had.
    pub fn jobs_refused(&mut self, refusal: Refusal) {
        match &mut self.overlay {
            Some(Overlay::Jobs(open)) => open.trouble = Some(refusal.message),
            _ => self.toast(Tone::Bad, refusal.message),
        }
        self.touch(Dirt::Input);
    }

    /// The header's figures of jobs changed: an end is told, and what is open is read again.
    pub fn jobs_moved(&mut self, before: &JobFigures, now: &JobFigures) {
        if let Some(end) = now.ended.as_ref().filter(|end| Some(*end) != before.ended.as_ref()) {
            let tone = if end.short { Tone::Bad } else { Tone::Good };
            self.toast(tone, end.said.clone());
        }
        self.ask_jobs();
    }

    /// A key while they are open.
    pub fn jobs_key(&mut self, key: Key) {
        let Some(Overlay::Jobs(open)) = &mut self.overlay else { return };
        match (key.code, self.options.keymap.action_of(key)) {
            (_, Some(Action::Down)) => open.go(1),
            (_, Some(Action::Up)) => open.go(-1),
            (_, Some(Action::PageDown)) => open.go(10),
            (_, Some(Action::PageUp)) => open.go(-10),
            (_, Some(Action::Top)) => open.go(isize::MIN + 1),
            (_, Some(Action::Bottom)) => open.go(isize::MAX),
            (KeyCode::Enter, _) => return self.open_runs_of_job(),
            (_, Some(Action::Abort)) => return self.steer_job(Steer::Stop),
            (_, Some(Action::Pause)) => return self.steer_job(Steer::Resume),
            (_, Some(Action::Copy)) => return self.copy_job(),
            (_, Some(Action::Back | Action::Quit)) => self.overlay = None,
            (_, Some(Action::Interrupt | Action::Suspend | Action::Redraw)) => return self.global(key),
            _ => return self.refuse_key(key),
        }
        self.ask_job();
    }

    /// Its runs, as a list of them.
    fn open_runs_of_job(&mut self) {
        let Some(Overlay::Jobs(open)) = &self.overlay else { return };
        let Some(job) = open.current() else { return };
        if !matches!(job.verb.as_str(), "retry" | "skip" | "abort" | "replay") {
            let said = format!(
                "enter is not possible: {} acts on {}s; pointsman jobs show {} --objects lists them",
                job.verb,
                job.object,
                short(&job.id)
            );
            return self.toast(Tone::Info, said);
        }
        let filter = format!("job:{}", job.id);
        self.overlay = None;
        self.open_runs(&filter);
    }

    /// Stops the selected one, or lets it go on, when the key is pressed twice.
    fn steer_job(&mut self, steer: Steer) {
        let barred = self.barred_deed(steer.deed());
        let Some(Overlay::Jobs(open)) = &mut self.overlay else { return };
        let Some(job) = open.current() else {
            return self.toast(Tone::Info, format!("{} is not possible: there is no job", steer.word()));
        };
        let (id, state) = (job.id.clone(), job.state);
        if let Some(reason) = barred {
            return self.toast(Tone::Info, reason);
        }
        if !steer.fits(state) {
            return self.toast(Tone::Info, steer.refusal(state));
        }
        if open.asks() != Some(steer) {
            open.asked = Some((steer, id));
            return self.touch(Dirt::Input);
        }
        open.asked = None;
        let (reason, dry_run) = (None, false);
        match steer {
            Steer::Stop => self.asks.ask(Want::StopJob, Ask::StopJob { id, reason, dry_run }),
            Steer::Resume => self.asks.ask(Want::ResumeJob, Ask::ResumeJob { id, reason, dry_run }),
        }
    }

    fn copy_job(&mut self) {
        let Some(Overlay::Jobs(open)) = &self.overlay else { return };
        let Some(text) = open.current().and_then(|job| serde_json::to_string_pretty(job).ok()) else {
            return;
        };
        let told =
            format!("Sent {} to the terminal's clipboard, as JSON.", super::format::size(text.len() as u64));
        self.asks.effect(Effect::Copy(text));
        self.toast(Tone::Info, told);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn job(id: &str, state: &str) -> JobView {
        serde_json::from_value(json!({
            "id": id, "time": "2026-11-18T14:31:55.120Z", "who": "anna", "door": "console", "verb": "retry",
            "object": "run", "options": "abort", "filter": null, "reason": null, "rate": "20/s",
            "state": state, "total": 1_209, "done": 702, "refused": 0, "left": 507, "reasons": [],
            "ended": null, "stopped_by": null,
        }))
        .unwrap()
    }

    #[test]
    fn the_cursor_stays_on_its_job_when_others_come_above() {
        let mut open = Jobs { list: vec![job("b", "running"), job("a", "done")], ..Jobs::default() };
        open.go(1);
        assert_eq!(open.selected.as_deref(), Some("a"));
        open.asked = Some((Steer::Stop, "a".to_owned()));
        assert_eq!(open.asks(), Some(Steer::Stop));
        open.list.insert(0, job("c", "running"));
        assert_eq!((open.at(), open.current().unwrap().id.as_str()), (2, "a"));
        open.go(isize::MAX);
        assert_eq!(open.at(), 2);
        open.go(isize::MIN + 1);
        assert_eq!((open.at(), open.asks()), (0, None), "a move takes the question back");
    }

    #[test]
    fn only_what_halted_goes_on_and_what_ended_is_not_stopped() {
        let fits = |steer: Steer| JobState::ALL.map(|state| steer.fits(state));
        assert_eq!(fits(Steer::Stop), [true, false, false, true]);
        assert_eq!(fits(Steer::Resume), [false, false, false, true]);
        let said = "resume is not possible: the job is running";
        assert_eq!(Steer::Resume.refusal(JobState::Running), said);
        assert_eq!(Steer::Stop.refusal(JobState::Done), "stop is not possible: it has ended, done");
    }
}
