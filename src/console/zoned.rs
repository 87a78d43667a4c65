//! Times in sentences that come from the desk, in the zone of who reads them.
//!
//! The engine knows no zone: it writes `2026-11-27 20:46:38 UTC`, and `20:46:38 UTC` for a time of
//! today. Beside the clock times of lists such a time would be read wrong.

use super::format::{clock, when};
use crate::model::ask::Answer;
use crate::model::time::{DAY, Ms, parse_rfc3339, rfc3339};
use crate::model::view::RunView;
use jiff::tz::TimeZone;

/// How the engine's own cause with a time begins.
const EXPIRED: &str = "expired: ";
/// How the engine ends a time in a sentence.
const END: &str = " UTC";

/// The sentences of an answer, with local times.
pub fn answer(answer: &mut Answer, now: Ms, zone: &TimeZone) {
    let text = |text: &mut String| sentence(text, now, zone);
    match answer {
        Answer::Runs(rows) => rows.rows.iter_mut().for_each(|run| self::run(run, now, zone)),
        Answer::Run { run, events } => {
            self::run(run, now, zone);
            for event in events {
                text(&mut event.text);
            }
        }
        Answer::Plan(plan) => {
            plan.lines.iter_mut().for_each(text);
            plan.left_out.iter_mut().for_each(|(why, _)| text(why));
        }
        Answer::Done(done) => done.lines.iter_mut().for_each(text),
        Answer::Acted(acted) => acted.lines.iter_mut().for_each(text),
        _ => {}
    }
}

/// What of a run's causes the engine wrote itself: what a target said stays as it was.
fn run(run: &mut RunView, now: Ms, zone: &TimeZone) {
    let of_steps = run.steps.iter_mut().flat_map(|step| {
        let of_attempts = step.attempts.iter_mut().map(|attempt| &mut attempt.cause);
        std::iter::once(&mut step.cause).chain(of_attempts)
    });
    let own = std::iter::once(&mut run.cause).chain(of_steps).flatten();
    own.filter(|cause| cause.starts_with(EXPIRED)).for_each(|cause| sentence(cause, now, zone));
}

/// A sentence with local times in place of the engine's.
fn sentence(text: &mut String, now: Ms, zone: &TimeZone) {
    let mut from = 0;
    while let Some(end) = text[from..].find(END).map(|at| from + at) {
        from = end + END.len();
        let Some((begin, at)) = time_before(text, end, now) else { continue };
        let today = clock(at, now, zone);
        let told = if today.contains(':') { today } else { when(at, zone) };
        text.replace_range(begin..from, &told);
        from = begin + told.len();
    }
}

/// The time that ends there: where it begins, and when it is.
fn time_before(text: &str, end: usize, now: Ms) -> Option<(usize, Ms)> {
    let of_day = end.checked_sub("20:46:38".len())?;
    let time = text.get(of_day..end)?;
    let dated = of_day.checked_sub("2026-11-27 ".len());
    let day = dated.and_then(|at| text.get(at..of_day)?.strip_suffix(' '));
    let read = |day: &str| parse_rfc3339(&format!("{day}T{time}.000Z"));
    if let (Some(begin), Some(at)) = (dated, day.and_then(read)) {
        return Some((begin, at));
    }
    let today = rfc3339(now.div_euclid(DAY) * DAY);
    Some((of_day, read(today.get(..10)?)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::HOUR;

    #[test]
    fn the_engines_times_are_told_in_the_readers_zone() {
        let now = parse_rfc3339("2026-11-27T21:12:00.000Z").unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        for (engine, local) in [
            (
                "expired: no answer came by 2026-11-27 20:46:38 UTC (7d)",
                "expired: no answer came by 21:46:38 (7d)",
            ),
            (
                "No answer came by 20:45:40 UTC; one tries at 21:02:40 UTC.",
                "No answer came by 21:45:40; one tries at 22:02:40.",
            ),
            // Another day there, and another day for the reader.
            ("until 2026-11-25 13:31:55 UTC.", "until 25 Nov 14:31:55."),
            ("at 2026-11-26 23:30:00 UTC", "at 00:30:00"),
            ("The zone is UTC", "The zone is UTC"),
            ("é UTC 99:99:99 UTC, 2026-11-27 UTC", "é UTC 99:99:99 UTC, 2026-11-27 UTC"),
            (" UTC", " UTC"),
            ("✓ 20:45:40 UTC", "✓ 21:45:40"),
        ] {
            let mut text = engine.to_owned();
            sentence(&mut text, now, &zone);
            assert_eq!(text, local);
        }
        let mut text = "at 23:30:00 UTC".to_owned();
        sentence(&mut text, now + HOUR, &zone);
        assert_eq!(text, "at 28 Nov 00:30:00");
    }
}
