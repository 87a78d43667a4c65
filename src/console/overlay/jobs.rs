//! Draws jobs: the list, and under it how far the selected one is.

use crate::console::app::App;
use crate::console::format::{clock, count, took};
use crate::console::glyphs;
use crate::console::jobs::{Jobs, Steer};
use crate::console::layout::centred;
use crate::console::paint::Paint;
use crate::console::theme::Role;
use crate::model::id::short;
use crate::model::job::{JobState, JobView, failures};
use crate::model::time::parse_rfc3339;
use ratatui::layout::Rect;

/// Rows of what is told of the selected one.
const DETAIL: u16 = 12;

/// Draws them.
pub fn draw(app: &App, paint: &mut Paint<'_>, open: &Jobs) {
    let rows = u16::try_from(open.list.len().clamp(1, 200)).unwrap_or(1);
    let height = (rows + DETAIL + 3).min(app.size.1.saturating_sub(4));
    let area = centred(Rect::new(0, 0, app.size.0, app.size.1), 100, height);
    let keys = match (open.asks(), open.current().map(|job| job.state)) {
        (Some(Steer::Stop), _) => "{x} again stops it: what is left stays as it is   esc leave it",
        (Some(Steer::Resume), _) => "{P} again lets it go on with what is left   esc leave it",
        (None, Some(JobState::Halted)) => {
            "{P} go on   {x} stop   enter its runs   {y} copy as JSON   esc leave it"
        }
        (None, _) => "enter its runs   {x} stop   {y} copy as JSON   esc leave it running",
    };
    paint.boxed(area, "Jobs", &app.say(keys));
    let (x, right) = (area.x + 2, area.right().saturating_sub(2));
    let (top, bottom) = (area.y + 1, area.bottom().saturating_sub(1));
    let room = right.saturating_sub(x);
    if let Some(trouble) = &open.trouble {
        paint.foreign(x, top, room, trouble, Role::Bad);
        return;
    }
    let Some(current) = open.current() else {
        let text = if open.known {
            "There is no job. A verb on many objects becomes one: {a} with a filter, then {r}, {s}, {x} or {R}."
        } else {
            "asking the store…"
        };
        paint.put(x, top, room, &app.say(text), Role::Muted);
        return;
    };
    let page = usize::from(bottom.saturating_sub(top).saturating_sub(DETAIL + 1).max(1));
    let at = open.at();
    let first = (at + 1).saturating_sub(page);
    let mut y = top;
    for (n, job) in open.list.iter().enumerate().skip(first).take(page) {
        line(app, paint, job, x, y, right);
        paint.row(area.x + 1, y, area.right().saturating_sub(1), n == at);
        if n == at {
            paint.selection(Rect::new(area.x + 1, y, area.width.saturating_sub(2), 1));
        }
        y += 1;
    }
    let below = Rect::new(x, y + 1, room, bottom.saturating_sub(y + 1));
    detail(app, paint, current, below);
}

fn glyph(state: JobState) -> (&'static str, Role) {
    match state {
        JobState::Running => ("●", Role::Info),
        JobState::Stopped => ("■", Role::Muted),
        JobState::Halted => ("■", Role::Warn),
        JobState::Done => ("✓", Role::Good),
    }
}

fn line(app: &App, paint: &mut Paint<'_>, job: &JobView, x: u16, y: u16, right: u16) {
    let (mark, role) = glyph(job.state);
    let mut at = paint.put(x, y, 2, mark, role) + 1;
    at = paint.put(at, y, 9, &format!("{:<8}", job.state.word()), role) + 1;
    at = paint.put(at, y, 8, short(&job.id), Role::Text) + 2;
    let begun = parse_rfc3339(&job.time).map_or_else(String::new, |at| clock(at, app.now, &app.options.zone));
    let what = format!("{} {}", job.verb, job.objects(job.total));
    paint.foreign(at, y, right.saturating_sub(at + 34), &what, Role::Text);
    let refused = if job.refused > 0 { format!("{} refused  ", count(job.refused)) } else { String::new() };
    let told = format!("{refused}{} of {}  {begun}", count(job.done), count(job.total));
    paint.right(x, right, y, &told, if job.refused > 0 { Role::Warn } else { Role::Muted });
}

fn detail(app: &App, paint: &mut Paint<'_>, job: &JobView, area: Rect) {
    let (x, mut y) = (area.x, area.y);
    let mut put = |paint: &mut Paint<'_>, text: &str, role: Role| {
        if y < area.bottom() {
            paint.foreign(x, y, area.width, text, role);
            y += 1;
        }
    };
    let mut rate = job.rate.map_or_else(|| "as fast as it goes".to_owned(), |rate| rate.to_string());
    if let Some(many) = job.stop_after {
        rate = format!("{rate}, until {}", failures(many));
    }
    let past = job.total - job.left;
    let told = format!("  {} of {}   {rate}", count(past), count(job.total));
    let cells = area.width.saturating_sub(u16::try_from(told.chars().count()).unwrap_or(30)).clamp(8, 40);
    let filled = usize::try_from(past * u64::from(cells) / job.total.max(1)).unwrap_or(0);
    let bar = format!("{}{}", "█".repeat(filled), "░".repeat(usize::from(cells) - filled));
    put(paint, &format!("{bar}{told}"), Role::Info);
    let by = format!("{} ({})", job.who, job.door);
    let why = job.reason.as_deref().unwrap_or("no reason given");
    put(paint, &format!("by {by}: {why}"), Role::Text);
    if let Some(filter) = &job.filter {
        put(paint, &format!("filter {filter}"), Role::Muted);
    }
    put(paint, &format!("✓ done     {}", count(job.done)), Role::Good);
    if job.refused > 0 {
        let why: Vec<String> =
            job.reasons.iter().take(2).map(|one| format!("{} × {}", count(one.count), one.why)).collect();
        put(paint, &format!("! refused  {}   {}", count(job.refused), why.join(", ")), Role::Warn);
    }
    let lines = job.outcomes.as_ref().map(|outcomes| outcomes.lines(job.again())).unwrap_or_default();
    for line in &lines {
        let (mark, role) = line.state.map_or(("·", Role::Muted), glyphs::run);
        let why = job.outcomes.as_ref().filter(|_| line.bad()).map(|told| told.why(3)).unwrap_or_default();
        put(paint, &format!("  {mark} {:<17} {:>7}   {why}", line.word, count(line.many)), role);
    }
    let end = match (job.state, job.lasts()) {
        (JobState::Running, Some(lasts)) => {
            format!("about {} left. It goes on if you leave, and after a restart.", took(lasts))
        }
        (JobState::Running, None) => "It goes on if you leave, and after a restart.".to_owned(),
        (JobState::Stopped, _) => {
            let by = job.stopped_by.as_deref().unwrap_or("somebody");
            format!("Stopped by {by}; {} left as they were.", count(job.left))
        }
        (JobState::Halted, _) => {
            let after = job.stop_after.map(|many| format!(" after {}", failures(many)));
            format!("Halted{}; {} left as they were.", after.unwrap_or_default(), count(job.left))
        }
        (JobState::Done, _) => {
            let at = job.ended.as_deref().and_then(parse_rfc3339);
            let at =
                at.map_or_else(String::new, |at| format!(" at {}", clock(at, app.now, &app.options.zone)));
            format!("Done{at}.")
        }
    };
    put(paint, &end, Role::Text);
}
