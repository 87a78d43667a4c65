//! What studies traffic: `test` and its ways, `test --dedup`, `capture`, `drift`.

use super::args::{Capture, DriftCommand, Output, Test};
use super::door::Door;
use super::lists::clock;
use super::output::{self, Rows, field};
use super::verbs::unexpected;
use super::{backtest, local, tell, trial};
use crate::model::Ms;
use crate::model::ask::{Answer, Ask, Refusal};
use crate::model::id::short;
use crate::model::study::{CaptureView, Change, FieldsView, Rule, Source, Studied, Study, WhatIfView};
use crate::model::time::{parse_duration, parse_rfc3339};
use crate::rules::whatif::split_fields;
use crate::text::count;
use std::time::{Duration, Instant};

/// Between two looks at what a capture has.
const LOOK: Duration = Duration::from_millis(250);
/// Changes that are printed for people; `--output jsonl` prints all that are told.
const PRINTED: usize = 200;

/// Asks a study.
pub async fn ask(door: &Door, study: Study) -> Result<Studied, Refusal> {
    match door.ask(Ask::Study(study)).await? {
        Answer::Studied(studied) => Ok(*studied),
        _ => Err(unexpected()),
    }
}

pub fn duration(flag: &str, text: &str) -> Result<Ms, Refusal> {
    parse_duration(text).map_err(|why| Refusal::usage(format!("{flag}: {why}")))
}

/// `test`.
pub async fn test(door: &Door, args: Test, output: Output) -> Result<u8, Refusal> {
    let of_one = args.sample.is_some()
        || args.request.is_some()
        || args.step.is_some()
        || args.send
        || args.run
        || args.element.is_some()
        || args.fresh
        || !args.set.is_empty();
    match &args.dedup {
        Some(fields) => {
            let fields = fields.clone();
            dedup(door, fields, args, output).await
        }
        None if args.draft && !of_one => backtest::back_test(door, args, output).await,
        None if args.since.is_some() || args.filter.is_some() => Err(Refusal::usage(
            "a back-test compares the draft with what is deployed: give --draft; another rule of dedup is tried with --dedup",
        )),
        None => trial::test(door, args, output).await,
    }
}

/// `test --dedup`.
async fn dedup(door: &Door, fields: String, args: Test, output: Output) -> Result<u8, Refusal> {
    if fields.trim() == "?" {
        let source = Source::Newest { flow: args.flow, most: args.last };
        let Studied::Fields(found) = ask(door, Study::Fields(source)).await? else {
            return Err(unexpected());
        };
        show_fields(&found, output)?;
        return Ok(0);
    }
    let rule = Rule {
        flow: args.flow,
        fields: split_fields(&fields),
        window: args.window.as_deref().map(|text| duration("--window", text)).transpose()?,
        from_first: args.from.map(|from| from == "first"),
        since: duration("--since", args.since.as_deref().unwrap_or("7d"))?,
    };
    let Studied::WhatIf(view) = ask(door, Study::WhatIf(rule)).await? else { return Err(unexpected()) };
    match output {
        Output::Json => output::object(&view, output)?,
        Output::Jsonl => {
            for change in &view.changes {
                output::object(change, output)?;
            }
            summary(&view).lines().for_each(tell);
        }
        Output::Text => what_if_text(&view)?,
    }
    Ok(0)
}

fn summary(view: &WhatIfView) -> String {
    let mut text = String::new();
    field(&mut text, "flow", &format!("{} / {}", view.integration, view.flow));
    let from = if view.from == "first" { "from the accepted request" } else { "from the last copy" };
    field(&mut text, "rule", &format!("{}, {} {from}", view.fields.join(", "), view.window));
    field(&mut text, "requests", &format!("{} since {}", count(view.requests), clock(&view.since)));
    let judged = |judged: crate::model::study::Judged| {
        format!("{} accepted, {} duplicates", count(judged.accepted), count(judged.duplicate))
    };
    field(&mut text, "as it was", &judged(view.before));
    field(&mut text, "would be", &judged(view.after));
    field(&mut text, "merged", &format!("{} accepted then, duplicates under the rule", count(view.merged)));
    field(
        &mut text,
        "let through",
        &format!("{} duplicates then, accepted under the rule", count(view.let_through)),
    );
    if view.no_dedup_key > 0 {
        field(&mut text, "no key", &format!("{} have none of the fields", count(view.no_dedup_key)));
    }
    if let Some(stopped) = &view.stopped {
        field(&mut text, "stopped", stopped);
    }
    text
}

fn what_if_text(view: &WhatIfView) -> Result<(), Refusal> {
    output::write(&summary(view))?;
    let mut out = Rows::new(
        Output::Text,
        &[("TIME (UTC)", 19), ("CHANGE", 11), ("REQUEST", 7), ("OF", 7), ("FIELDS", 0)],
    );
    for change in view.changes.iter().take(PRINTED) {
        out.row(change, || {
            let word = if change.change == Change::Merged { "merged" } else { "let through" };
            let of = change.duplicate_of.as_deref().map_or("", short);
            let fields: Vec<String> = change
                .fields
                .iter()
                .map(|field| {
                    if field.missing {
                        format!("{} is missing", field.path)
                    } else {
                        format!("{} = {}", field.path, field.value)
                    }
                })
                .collect();
            vec![
                clock(&change.time),
                word.to_owned(),
                short(&change.request).to_owned(),
                of.to_owned(),
                fields.join("  "),
            ]
        })?;
    }
    out.end("No request would have been judged otherwise.")?;
    let all = view.merged + view.let_through;
    let shown = view.changes.len().min(PRINTED) as u64;
    if all > shown {
        tell(&format!("{} more; --output json tells the first 10,000", count(all - shown)));
    }
    Ok(())
}

fn show_fields(found: &FieldsView, output: Output) -> Result<(), Refusal> {
    match output {
        Output::Json => return output::object(found, output),
        Output::Jsonl => return found.fields.iter().try_for_each(|field| output::object(field, output)),
        Output::Text => {}
    }
    let columns = [("PATH", 36), ("TYPE", 14), ("IN", 9), ("UNIQUE", 6), ("DEDUP", 7), ("SAMPLE", 0)];
    let mut out = Rows::new(output, &columns);
    for one in &found.fields {
        out.row(one, || {
            let dedup = match (&one.not, one.good) {
                (_, true) => "good",
                (Some(_), false) => "no",
                (None, false) => "",
            };
            let why = one.not.as_deref().map_or_else(String::new, |why| format!("   ({why})"));
            vec![
                one.path.clone(),
                one.types.join(" "),
                format!("{}/{}", one.present, found.requests),
                format!("{} %", one.unique),
                dedup.to_owned(),
                format!("{}{why}", one.sample),
            ]
        })?;
    }
    out.end("No request yet.")?;
    if found.left_out > 0 {
        tell(&format!("{} paths more were left out", count(found.left_out)));
    }
    let good: Vec<&str> =
        found.fields.iter().filter(|one| one.good).map(|one| one.path.as_str()).take(5).collect();
    let over =
        format!("{} {}", count(found.requests), if found.requests == 1 { "request" } else { "requests" });
    let copies = match (found.copies, found.copies_known) {
        (0, _) => String::new(),
        (copies, true) => format!("; {} duplicates were compared with their first", count(copies)),
        (copies, false) => {
            format!("; {} with a body as before (but for times) were taken for copies", count(copies))
        }
    };
    if good.is_empty() {
        tell(&format!("nothing is nearly unique over {over}{copies}"));
    } else {
        tell(&format!("nearly unique over {over}: {}{copies}", good.join(", ")));
    }
    Ok(())
}

/// `capture`.
pub async fn capture(door: &Door, args: Capture, output: Output) -> Result<u8, Refusal> {
    let stored = match (&args.request, &args.file) {
        (Some(id), _) => Some(Source::Request { id: id.clone() }),
        (None, Some(file)) => Some(Source::Body { text: local::read(file)? }),
        (None, None) => None,
    };
    if let Some(source) = stored {
        let Studied::Fields(found) = ask(door, Study::Fields(source)).await? else {
            return Err(unexpected());
        };
        show_fields(&found, output)?;
        return Ok(0);
    }
    let flow = args.flow.unwrap_or_default();
    if !door.served() {
        return Err(Refusal::refused(
            "not_served",
            "capture is not possible: nobody listens; start `pointsman` or `pointsman serve` on this data folder \
             first, or give --request or --file",
        ));
    }
    let time = duration("--for", &args.time)?;
    let opened = captured(door, Study::Capture { flow: flow.clone(), time }).await?;
    tell(&format!(
        "open for {} on {} / {}: send to {}",
        args.time, opened.integration, opened.flow, opened.url
    ));
    tell(if opened.deployed {
        "the flow is live: requests are judged and run as ever"
    } else {
        "the flow is not deployed: requests start nothing, and are answered 200 with \"state\":\"captured\""
    });
    let mut end = Instant::now() + Duration::from_millis(time.unsigned_abs());
    let (mut until, mut came) = (opened.until.clone(), 0);
    let last = loop {
        let view =
            captured(door, Study::Captured { flow: flow.clone(), after: Some(opened.after.clone()) }).await?;
        if view.found.requests != came {
            came = view.found.requests;
            tell(&format!("{} came", count(came)));
        }
        if view.until != until {
            // Somebody renewed it: this one goes on with it.
            if let (Some(old), Some(new)) = (time_of(until.as_ref()), time_of(view.until.as_ref())) {
                end += Duration::from_millis(u64::try_from(new - old).unwrap_or(0));
            }
            until.clone_from(&view.until);
        }
        let enough = args.count.is_some_and(|wanted| came >= wanted);
        if enough || view.until.is_none() || Instant::now() >= end {
            break view;
        }
        tokio::time::sleep(LOOK).await;
    };
    show_fields(&last.found, output)?;
    Ok(0)
}

fn time_of(text: Option<&String>) -> Option<Ms> {
    text.and_then(|text| parse_rfc3339(text))
}

async fn captured(door: &Door, study: Study) -> Result<CaptureView, Refusal> {
    match ask(door, study).await? {
        Studied::Capture(view) => Ok(view),
        _ => Err(unexpected()),
    }
}

/// `drift`.
pub async fn drift(door: &Door, command: DriftCommand, output: Output) -> Result<u8, Refusal> {
    match command {
        DriftCommand::Ls { flow, few } => {
            let Studied::Drift { drifts } = ask(door, Study::Drift { flow }).await? else {
                return Err(unexpected());
            };
            let columns = [("NUMBER", 6), ("SINCE (UTC)", 19), ("FLOW", 28), ("REQUEST", 7), ("DRIFT", 0)];
            let mut out = Rows::new(output, &columns).at_most(few.limit);
            for one in &drifts {
                out.row(one, || {
                    vec![
                        one.id.to_string(),
                        clock(&one.at),
                        format!("{} / {}", one.integration, one.flow),
                        short(&one.request).to_owned(),
                        one.words(),
                    ]
                })?;
            }
            out.end("No shape has drifted.")?;
        }
        DriftCommand::Ok { which, verb } => {
            let ids: Vec<i64> = which.iter().filter_map(|text| text.parse().ok()).collect();
            let flow = match which.as_slice() {
                _ if ids.len() == which.len() => None,
                [one] => Some(one.clone()),
                _ => return Err(Refusal::usage("name badges by their numbers, or one NAME or NAME/FLOW")),
            };
            if verb.dry_run {
                let Studied::Drift { drifts } = ask(door, Study::Drift { flow: flow.clone() }).await? else {
                    return Err(unexpected());
                };
                for one in drifts.iter().filter(|one| flow.is_some() || ids.contains(&one.id)) {
                    tell(&format!("would take {} away: {}", one.id, one.words()));
                }
                return Ok(0);
            }
            let ids = if flow.is_some() { Vec::new() } else { ids };
            let Studied::Done { lines } =
                ask(door, Study::DriftOk { ids, flow, reason: verb.reason }).await?
            else {
                return Err(unexpected());
            };
            for line in &lines {
                tell(line);
            }
        }
    }
    Ok(0)
}
