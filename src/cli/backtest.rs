//! `test NAME --draft --since 24h`: what a draft would have made of stored requests. Parts are asked
//! for one after the other, and what changes is written as it is found.

use super::args::{Output, Test};
use super::door::Door;
use super::lists::clock;
use super::output::Rows;
use super::study::{ask, duration};
use super::tell;
use super::verbs::unexpected;
use crate::model::ask::Refusal;
use crate::model::id::short;
use crate::model::study::{BackTest, BackTestChange, BackTestView, Studied, Study};
use crate::text::count;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// Between two words on how far it is.
const SAY: Duration = Duration::from_secs(1);

/// Progress on stderr: a line that is written over on a terminal, a line now and then elsewhere.
struct Progress {
    terminal: bool,
    said: Option<Instant>,
}

impl Progress {
    fn say(&mut self, text: &str) {
        if self.said.is_some_and(|said| said.elapsed() < SAY) {
            return;
        }
        self.said = Some(Instant::now());
        if self.terminal {
            let mut err = std::io::stderr().lock();
            let _ = write!(err, "\r\x1b[K{text}");
            let _ = err.flush();
        } else {
            tell(text);
        }
    }

    /// Takes the line away.
    fn clear(&mut self) {
        if self.terminal && self.said.is_some() {
            let mut err = std::io::stderr().lock();
            let _ = write!(err, "\r\x1b[K");
            let _ = err.flush();
        }
        // What comes next begins a new line.
        self.said = if self.terminal { None } else { self.said };
    }
}

/// Back-tests; ctrl-c ends it with what was found so far on stdout.
pub async fn back_test(door: &Door, args: Test, output: Output) -> Result<u8, Refusal> {
    let mut asked = BackTest {
        flow: args.flow,
        since: duration("--since", args.since.as_deref().unwrap_or("24h"))?,
        from: None,
        filter: args.filter.unwrap_or_default(),
        before: None,
    };
    let columns = [("TIME (UTC)", 19), ("REQUEST", 7), ("STEP", 12), ("FIELD", 28), ("BEFORE → AFTER", 0)];
    let mut rows = Rows::new(output, &columns);
    let mut progress = Progress { terminal: std::io::stderr().is_terminal(), said: Some(Instant::now()) };
    let (mut looked, mut changed, mut alike) = (0, 0, 0);
    let mut left_out: BTreeMap<String, u64> = BTreeMap::new();
    loop {
        let part = tokio::select! {
            part = ask(door, Study::BackTest(asked.clone())) => part?,
            _ = tokio::signal::ctrl_c() => {
                progress.clear();
                rows.end("")?;
                tell(&format!("Stopped: {} looked at, {} change.", count(looked), count(changed)));
                return Ok(130);
            }
        };
        let Studied::BackTested(part) = part else { return Err(unexpected()) };
        looked += part.looked;
        alike += part.failing_alike;
        changed += part.changes.len() as u64;
        for (why, many) in &part.left_out {
            *left_out.entry(why.clone()).or_default() += many;
        }
        if !part.changes.is_empty() {
            progress.clear();
        }
        for change in &part.changes {
            write_change(&mut rows, change, output)?;
        }
        let Some(next) = part.next.clone() else {
            progress.clear();
            rows.end("Nothing would change.")?;
            said(&part, looked, changed, &left_out);
            match alike {
                0 => {}
                1 => tell("1 fails before and after, in the same way."),
                many => tell(&format!("{} fail before and after, each in the same way.", count(many))),
            }
            return Ok(0);
        };
        let at = part.at.as_deref().map_or_else(String::new, |at| format!(", back to {}", clock(at)));
        progress.say(&format!("{} looked at{at}: {} change", count(looked), count(changed)));
        asked.from = Some(part.from);
        asked.before = Some(next);
    }
}

fn said(part: &BackTestView, looked: u64, changed: u64, left_out: &BTreeMap<String, u64>) {
    tell(&format!(
        "{}: v{} against the draft v{}, {} requests since {}: {} change. Nothing was sent.",
        part.integration,
        part.live,
        part.draft,
        count(looked),
        clock(&part.from),
        count(changed)
    ));
    for (why, many) in left_out {
        tell(&format!("{} left out: {why}", count(*many)));
    }
}

/// A change: an object for programs, a line a field for people.
fn write_change(rows: &mut Rows, change: &BackTestChange, output: Output) -> Result<(), Refusal> {
    if output != Output::Text {
        return rows.row(change, Vec::new);
    }
    for (at, field) in change.fields.iter().enumerate() {
        rows.row(change, || {
            let head = |text: String| if at == 0 { text } else { String::new() };
            let element = field.element.map_or_else(String::new, |element| format!("[{element}] "));
            let step = field.step.as_deref().unwrap_or("-");
            vec![
                head(clock(&change.time)),
                head(short(&change.request).to_owned()),
                format!("{element}{step}"),
                field.path.clone(),
                format!("{} → {}", shown(&field.before), shown(&field.after)),
            ]
        })?;
    }
    let mut line = |text: String| {
        rows.row(change, || vec![String::new(), String::new(), String::new(), String::new(), text])
    };
    if change.more > 0 {
        line(format!("{} fields more", count(change.more)))?;
    }
    if !change.unknown.is_empty() {
        line(format!("not known: {}", change.unknown.join(", ")))?;
    }
    Ok(())
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        other => other.to_string(),
    }
}
