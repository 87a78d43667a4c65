//! `jobs`, and a job from its start to its end: its progress on stderr, its exit code.

use super::args::{JobsCommand, Output, Pace};
use super::door::Door;
use super::lists::clock;
use super::output::{self, Rows, field};
use super::verbs::{one, unexpected};
use crate::model::ask::{Answer, Ask, Refusal};
use crate::model::id::short;
use crate::model::job::{JobState, JobView, Line, PieceView, failures};
use crate::text;
use serde_json::Value;
use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// Rows of one question to the desk.
const PAGE: u32 = 500;
/// How often a job is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// How often its progress is a line where no terminal is.
const LINE: Duration = Duration::from_secs(2);

/// `jobs ls|show|stop|resume`.
pub async fn jobs(door: &Door, command: JobsCommand, output: Output) -> Result<u8, Refusal> {
    match command {
        JobsCommand::Ls { limit } => ls(door, limit, output).await,
        JobsCommand::Show { id, objects: true, limit } => objects(door, id, limit, output).await,
        JobsCommand::Show { id, .. } => {
            let job = look(door, id).await?;
            if output == Output::Text {
                output::write(&described(&job))?;
            } else {
                output::object(&job, output)?;
            }
            Ok(0)
        }
        JobsCommand::Stop { id, verb } => {
            let ask = |reason, dry_run| Ask::StopJob { id: id.clone(), reason, dry_run };
            one(door, &verb, "stop it?", ask).await
        }
        JobsCommand::Resume { id, verb } => {
            let ask = |reason, dry_run| Ask::ResumeJob { id: id.clone(), reason, dry_run };
            one(door, &verb, "let it go on?", ask).await
        }
    }
}

async fn look(door: &Door, id: String) -> Result<JobView, Refusal> {
    match door.ask(Ask::Job { id }).await? {
        Answer::Job(job) => Ok(*job),
        _ => Err(unexpected()),
    }
}

async fn ls(door: &Door, limit: u32, output: Output) -> Result<u8, Refusal> {
    let columns =
        [("JOB", 36), ("STARTED", 19), ("WHO", 10), ("STATE", 7), ("DONE", 15), ("REFUSED", 7), ("WHAT", 0)];
    let mut out = Rows::new(output, &columns);
    let mut before = None;
    let mut left = if limit == 0 { u64::MAX } else { u64::from(limit) };
    while left > 0 {
        let limit = u32::try_from(left.min(u64::from(PAGE))).unwrap_or(PAGE);
        let Answer::Jobs { jobs, next } = door.ask(Ask::Jobs { before, limit }).await? else {
            return Err(unexpected());
        };
        left -= jobs.len() as u64;
        for job in &jobs {
            out.row(job, || {
                vec![
                    job.id.clone(),
                    clock(&job.time),
                    job.who.clone(),
                    job.state.word().to_owned(),
                    format!("{} of {}", text::count(job.done), text::count(job.total)),
                    text::count(job.refused),
                    what(job),
                ]
            })?;
        }
        match next {
            Some(next) => before = Some(next),
            None => break,
        }
    }
    out.end("There is no job.")?;
    Ok(0)
}

/// `retry at 50/s: state:errored`.
fn what(job: &JobView) -> String {
    let rate = job.rate.map_or_else(String::new, |rate| format!(" at {rate}"));
    let filter = job.filter.as_ref().map_or_else(String::new, |filter| format!(": {filter}"));
    format!("{}{rate}{filter}", job.verb)
}

/// `retry, fresh_key`: the verb, and those of its options that were given.
fn with_options(job: &JobView) -> String {
    let options = serde_json::to_value(&job.options).ok();
    let options = options.as_ref().and_then(|options| options.as_object()?.values().next()?.as_object());
    let given = options.into_iter().flatten().filter_map(|(key, value)| match value {
        Value::Null | Value::Bool(false) => None,
        Value::Bool(true) => Some(key.clone()),
        Value::Array(items) if items.is_empty() => None,
        other => Some(format!("{key} {other}")),
    });
    std::iter::once(job.verb.clone()).chain(given).collect::<Vec<_>>().join(", ")
}

fn described(job: &JobView) -> String {
    let mut told = String::new();
    field(&mut told, "job", &job.id);
    field(&mut told, "started", &format!("{} by {} ({})", clock(&job.time), job.who, job.door));
    if let Some(reason) = &job.reason {
        field(&mut told, "reason", reason);
    }
    field(&mut told, "verb", &with_options(job));
    if let Some(filter) = &job.filter {
        field(&mut told, "filter", filter);
    }
    if let Some(rate) = job.rate {
        field(&mut told, "rate", &rate.to_string());
    }
    if let Some(many) = job.stop_after {
        field(&mut told, "halts after", &failures(many));
    }
    let by = job.stopped_by.as_ref().map_or_else(String::new, |by| format!(" by {by}"));
    let at = job.ended.as_ref().map_or_else(String::new, |at| format!(", {}", clock(at)));
    field(&mut told, "state", &format!("{}{by}{at}", job.state.word()));
    field(&mut told, "total", &job.objects(job.total));
    field(&mut told, "done", &text::count(job.done));
    field(&mut told, "refused", &text::count(job.refused));
    for reason in &job.reasons {
        field(&mut told, "", &format!("{} × {}", text::count(reason.count), reason.why));
    }
    let lasts = job.lasts().filter(|_| job.left > 0);
    let lasts = lasts.map_or_else(String::new, |lasts| format!(", about {}", text::took(lasts)));
    field(&mut told, "left", &format!("{}{lasts}", text::count(job.left)));
    let lines = job.outcomes.as_ref().map(|outcomes| outcomes.lines(job.again())).unwrap_or_default();
    for (at, line) in lines.iter().enumerate() {
        field(&mut told, if at == 0 { "runs now" } else { "" }, &outcome(job, line));
    }
    if job.state == JobState::Halted {
        let id = short(&job.id);
        field(&mut told, "next", &format!("pointsman jobs resume {id}, or pointsman jobs stop {id}"));
    }
    told
}

/// `errored again 5: 3 × progix answered 409, 2 × timeout`.
fn outcome(job: &JobView, line: &Line) -> String {
    let many = text::count(line.many);
    let why = job.outcomes.as_ref().filter(|_| line.bad()).map(|told| told.why(5)).unwrap_or_default();
    if why.is_empty() { format!("{} {many}", line.word) } else { format!("{} {many}: {why}", line.word) }
}

async fn objects(door: &Door, id: String, limit: u32, output: Output) -> Result<u8, Refusal> {
    let mut out = Rows::new(output, &[("OBJECT", 36), ("STATE", 7), ("RUN", 36), ("SAID", 0)]);
    let mut from = 0;
    let mut left = if limit == 0 { u64::MAX } else { u64::from(limit) };
    while left > 0 {
        let limit = u32::try_from(left.min(u64::from(PAGE))).unwrap_or(PAGE);
        let Answer::Pieces { pieces, next } = door.ask(Ask::Pieces { id: id.clone(), from, limit }).await?
        else {
            return Err(unexpected());
        };
        left -= pieces.len() as u64;
        for piece in &pieces {
            out.row(piece, || cells(piece))?;
        }
        match next {
            Some(next) => from = next,
            None => break,
        }
    }
    out.end("The job has no objects.")?;
    Ok(0)
}

fn cells(piece: &PieceView) -> Vec<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    vec![piece.id.clone(), piece.state.word().to_owned(), text(&piece.run), text(&piece.said)]
}

/// Says, where the command is left before the job ends, that it goes on without it.
struct Leaving {
    id: String,
    served: bool,
    ended: bool,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let id = short(&self.id);
        super::tell(&if self.served {
            format!(
                "Job {id} goes on. To see it: pointsman jobs show {id}. To stop it: pointsman jobs stop {id}"
            )
        } else {
            format!("Job {id} goes on once a server is started. To stop it: pointsman jobs stop {id}")
        });
    }
}

/// Tells of a job until it ends: exit code 4 where nothing of it was done, 5 where some was not.
///
/// # Errors
/// The server went away; the job goes on when it is back.
pub async fn follow(door: &Door, job: JobView, pace: &Pace, output: Output) -> Result<u8, Refusal> {
    let mut leaving = Leaving { id: job.id.clone(), served: door.served(), ended: false };
    if pace.detach {
        return if output == Output::Text {
            output::write(&format!("{}\n", job.id))
        } else {
            output::object(&job, output)
        }
        .map(|()| 0);
    }
    door.carry_out(&job.id);
    let terminal = std::io::stderr().is_terminal();
    let mut progress = Progress { terminal, told: pace.follow || terminal, last: None, line: String::new() };
    if progress.told {
        let id = short(&job.id);
        super::tell(&format!("Job {id}; ctrl-c leaves it running, pointsman jobs stop {id} stops it."));
    }
    let mut now = job;
    while now.state == JobState::Running {
        progress.tell(&now);
        tokio::time::sleep(LOOK).await;
        now = look(door, leaving.id.clone()).await?;
    }
    leaving.ended = true;
    progress.end();
    if output == Output::Text {
        super::tell(&format!("Job {}: {}.", short(&now.id), now.stands()));
        for reason in &now.reasons {
            super::tell(&format!("  {} × {}", text::count(reason.count), reason.why));
        }
        if now.state == JobState::Halted {
            let id = short(&now.id);
            super::tell(&format!(
                "  pointsman jobs resume {id} lets it go on, pointsman jobs stop {id} stops it."
            ));
        }
        output::write(&format!("{}\n", now.id))?;
    } else {
        output::object(&now, output)?;
    }
    Ok(match (now.done, now.refused, now.left) {
        (_, 0, 0) => 0,
        (0, ..) => 4,
        _ => 5,
    })
}

/// Progress on stderr: one line that is written over on a terminal, else one every two seconds.
struct Progress {
    terminal: bool,
    told: bool,
    last: Option<Instant>,
    line: String,
}

impl Progress {
    fn tell(&mut self, job: &JobView) {
        if !self.told {
            return;
        }
        let part = (job.total - job.left) * 100 / job.total.max(1);
        let lasts =
            job.lasts().map_or_else(String::new, |lasts| format!(", about {} left", text::took(lasts)));
        let line = format!("{}, {part}%{lasts}", job.stands());
        if line == self.line {
            return;
        }
        if self.terminal {
            let mut err = std::io::stderr().lock();
            let _ = write!(err, "\r{}\x1b[K", text::clean(&line));
            let _ = err.flush();
        } else if self.last.is_some_and(|last| last.elapsed() < LINE) {
            return;
        } else {
            super::tell(&line);
        }
        self.last = Some(Instant::now());
        self.line = line;
    }

    fn end(&self) {
        if self.terminal && !self.line.is_empty() {
            let _ = writeln!(std::io::stderr().lock());
        }
    }
}
