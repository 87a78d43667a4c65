//! `overview`: the figures that the console's screen of this name shows.

use super::args::{Global, Output};
use super::door::Door;
use super::lists::clock;
use super::output::{self, field};
use super::verbs::unexpected;
use crate::console::format::minute;
use crate::model::ask::{Answer, Ask, Refusal};
use crate::model::overview::{OverviewView, Span};
use crate::model::time::{Ms, parse_rfc3339};
use crate::rules::chart::{folded, spark};
use crate::rules::overview::{self, RunItem};
use crate::text::{Glyphs, clean, count, pad, pad_left};
use jiff::tz::TimeZone;
use std::fmt::Write as _;

/// Cells of a sparkline.
const CHART: usize = 60;
/// Cells of a step's name.
const NAME: usize = 46;

/// `overview`.
pub async fn overview(door: &Door, span: Span, global: &Global) -> Result<u8, Refusal> {
    let Answer::Overview(view) = door.ask(Ask::Overview { span }).await? else { return Err(unexpected()) };
    match global.output {
        Output::Text => {
            let glyphs = if global.ascii { Glyphs::Ascii } else { Glyphs::Unicode };
            output::write(&told(&view, glyphs))?;
        }
        other => output::object(&view, other)?,
    }
    Ok(0)
}

/// The figures as text, times in UTC.
fn told(view: &OverviewView, glyphs: Glyphs) -> String {
    let now = parse_rfc3339(&view.at).unwrap_or_default();
    let when = |at: Ms| minute(at, now, &TimeZone::UTC);
    let mut text = format!("{}, since {} UTC\n", overview::title(view.span), clock(&view.from));
    for row in overview::counts(view, &when) {
        let label = if row.verdict.is_some() { row.label.clone() } else { format!("  {}", row.label) };
        let line = format!(
            "{}{}{}  {}  {}",
            pad(&clean(&label), 32),
            pad_left(&count(row.total), 11),
            pad_left(&row.share, 9),
            spark(&folded(&row.points, CHART), glyphs),
            clean(&row.beside(false)),
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let steps = overview::steps(view);
    if !steps.is_empty() {
        let _ = writeln!(
            text,
            "\n{:<NAME$}{:>11}{:>9}{:>9}{:>9}{:>10}{:>8}",
            "steps", "ended", "p50", "p95", "p99", "deadline", "of it"
        );
    }
    for step in steps {
        let [p50, p95, p99] = &step.times;
        let part = step.part.map_or_else(|| "?".to_owned(), |part| format!("{} %", count(part / 10)));
        let name = pad(&clean(&step.name()), NAME);
        let n = count(step.n);
        let _ = writeln!(text, "{name}{n:>11}{p50:>9}{p95:>9}{p99:>9}{:>10}{part:>8}", step.deadline);
    }
    text.push('\n');
    let line = |items: &[RunItem]| {
        let words: Vec<String> =
            items.iter().map(|item| format!("{} {}", item.label, count(item.n))).collect();
        words.join("  ")
    };
    let [ended, open, errors] = overview::runs(view);
    field(&mut text, "runs ended", &line(&ended));
    field(&mut text, "runs now", &line(&open));
    for (at, error) in errors.iter().enumerate() {
        let name = if at == 0 { "errors" } else { "" };
        field(&mut text, name, &format!("{}  {}", pad_left(&count(error.n), 5), error.label));
    }
    for line in overview::store(view, now, &when) {
        let (name, rest) = line.text.split_once(' ').unwrap_or((line.text.as_str(), ""));
        field(&mut text, name, rest);
    }
    text
}
