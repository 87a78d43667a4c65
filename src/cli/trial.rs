//! `test NAME/FLOW`: simulated, one call, a test run; and stored requests as samples.

use super::args::{Output, Test};
use super::door::Door;
use super::output::{self, Rows, field};
use super::study::ask;
use super::verbs::{confirmed, show_plan, unexpected};
use super::{details, local, tell};
use crate::model::ask::{Answer, Ask, Refusal};
use crate::model::id::short;
use crate::model::run::RunState;
use crate::model::study::{
    BegunView, CalledView, Sampled, SimulatedStep, SimulatedView, Studied, Study, Trial, TrialOrder, Tried,
};
use crate::model::view::{GotView, Pair, RunView, SentView};
use crate::rules::{json, sample};
use crate::text::clean;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::time::Duration;

/// Between two looks at a test run.
const LOOK: Duration = Duration::from_millis(250);
/// Rounds of questions for values that are not known.
const ROUNDS: usize = 3;

/// `test` with a request.
pub async fn test(door: &Door, args: Test, output: Output) -> Result<u8, Refusal> {
    let sample = match (&args.sample, &args.request) {
        (Some(file), _) => Sampled::Text(local::read(file)?),
        (None, Some(id)) => Sampled::Request(id.clone()),
        (None, None) => Sampled::default(),
    };
    let mut trial = Trial {
        flow: args.flow.clone(),
        sample,
        draft: args.draft,
        text: None,
        step: args.step.clone(),
        element: args.element,
        item: args.item,
        set: args.set.iter().map(|text| given(text)).collect::<Result<_, _>>()?,
        fresh: args.fresh,
    };
    if args.run {
        return run(door, trial, args, output).await;
    }
    let view = fill(door, &mut trial).await?;
    if args.send {
        return call(door, trial, args, output).await;
    }
    match output {
        Output::Text => {
            output::write(&described(&view))?;
            tell("Nothing was sent.");
        }
        Output::Json => output::object(&view, output)?,
        Output::Jsonl => view.steps.iter().try_for_each(|step| output::object(step, output))?,
    }
    Ok(0)
}

/// A value that is given: JSON, else text; blank is null.
fn given(text: &str) -> Result<(String, Value), Refusal> {
    let (path, value) = text.split_once('=').ok_or_else(|| {
        Refusal::usage(format!("{text:?} is no value: write steps.lookup.outputs.id=VALUE"))
    })?;
    Ok((path.trim().to_owned(), read(value)))
}

fn read(value: &str) -> Value {
    match value.trim() {
        "" => Value::Null,
        text => json::parse(text.as_bytes()).unwrap_or_else(|_| value.into()),
    }
}

/// Simulates, and asks at the terminal, where there is one, for what nobody knows.
async fn fill(door: &Door, trial: &mut Trial) -> Result<SimulatedView, Refusal> {
    let mut view = simulate(door, trial).await?;
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Ok(view);
    }
    // A value may make a later step ask for another one.
    for _ in 0..ROUNDS {
        let mut unknown: Vec<String> = Vec::new();
        let asks = view.steps.iter().flat_map(|step| &step.asks);
        for asked in asks.filter(|asked| !asked.known && asked.path != "steps") {
            if !unknown.contains(&asked.path) {
                unknown.push(asked.path.clone());
            }
        }
        if unknown.is_empty() {
            break;
        }
        tell("Values of answers that nobody knows; blank is null:");
        trial.fresh = false;
        for path in unknown {
            let mut err = std::io::stderr().lock();
            let _ = write!(err, "  {} = ", clean(&path));
            let _ = err.flush();
            let mut line = String::new();
            let read_line = std::io::stdin().lock().read_line(&mut line);
            let line = line.trim_end_matches(['\n', '\r']);
            if !matches!(read_line, Ok(1..)) {
                return Ok(view);
            }
            trial.set.push((path, read(line)));
        }
        view = simulate(door, trial).await?;
    }
    Ok(view)
}

async fn simulate(door: &Door, trial: &Trial) -> Result<SimulatedView, Refusal> {
    match ask(door, Study::Simulate(trial.clone())).await? {
        Studied::Simulated(view) => Ok(*view),
        _ => Err(unexpected()),
    }
}

/// Plan, consent, order; `None` where only the plan was wanted, or nothing was to be done.
async fn agreed(
    door: &Door,
    order: impl Fn(bool) -> Study,
    args: &Test,
    question: &str,
    output: Output,
) -> Result<Result<Tried, u8>, Refusal> {
    let Studied::Tried(Tried::Plan(plan)) = ask(door, order(true)).await? else { return Err(unexpected()) };
    if args.verb.dry_run {
        show_plan(&plan, output)?;
        if let (Output::Text, Some(sent)) = (output, &plan.sends) {
            output::write(&request(sent))?;
        }
        return Ok(Err(0));
    }
    if !args.verb.yes {
        show_plan(&plan, Output::Text)?;
        if let Some(sent) = &plan.sends {
            request(sent).lines().for_each(tell);
        }
        if !confirmed(question).await? {
            tell("Nothing was done.");
            return Ok(Err(4));
        }
    }
    match ask(door, order(false)).await? {
        Studied::Tried(tried) => Ok(Ok(tried)),
        _ => Err(unexpected()),
    }
}

/// `test --send`: exit code 1 where the answer is no success.
async fn call(door: &Door, trial: Trial, args: Test, output: Output) -> Result<u8, Refusal> {
    let order = |dry_run| {
        let (trial, reason) = (Trial { fresh: false, ..trial.clone() }, args.verb.reason.clone());
        Study::Call(TrialOrder { trial, reason, dry_run })
    };
    let called = match agreed(door, order, &args, "Make this call?", output).await? {
        Ok(Tried::Called(called)) => called,
        Ok(_) => return Err(unexpected()),
        Err(code) => return Ok(code),
    };
    if output == Output::Text {
        output::write(&told(&called))?;
    } else {
        output::object(&*called, output)?;
    }
    Ok(u8::from(!called.success))
}

/// `test --run`: follows the runs to their end; exit code 1 where one does not succeed.
async fn run(door: &Door, trial: Trial, args: Test, output: Output) -> Result<u8, Refusal> {
    if !door.served() && !args.verb.dry_run {
        return Err(Refusal::refused(
            "not_served",
            "a test run is not possible: nobody runs it; start `pointsman` or `pointsman serve` on this data folder \
             first",
        ));
    }
    let order = |dry_run| {
        let (trial, reason) = (trial.clone(), args.verb.reason.clone());
        Study::TestRun(TrialOrder { trial, reason, dry_run })
    };
    let begun = match agreed(door, order, &args, "Run it?", output).await? {
        Ok(Tried::Begun(begun)) => begun,
        Ok(_) => return Err(unexpected()),
        Err(code) => return Ok(code),
    };
    follow(door, begun, output).await
}

async fn follow(door: &Door, begun: BegunView, output: Output) -> Result<u8, Refusal> {
    tell(&format!("request {}; ctrl-c stops watching, the run goes on", begun.request));
    let mut failed = false;
    for id in &begun.runs {
        let run = ended(door, id).await?;
        failed |= !matches!(run.state, RunState::Succeeded | RunState::SucceededWithSkips);
    }
    if let [one] = begun.runs.as_slice() {
        details::run(door, one.clone(), output).await?;
        return Ok(u8::from(failed));
    }
    let mut rows = Rows::new(output, &[("RUN", 36), ("STATE", 12), ("CAUSE", 0)]);
    for id in &begun.runs {
        let run = shown(door, id).await?;
        rows.row(&run, || {
            vec![id.clone(), run.state.word().to_owned(), run.cause.clone().unwrap_or_default()]
        })?;
    }
    rows.end("")?;
    Ok(u8::from(failed))
}

async fn shown(door: &Door, id: &str) -> Result<Box<RunView>, Refusal> {
    match door.ask(Ask::Run { id: id.to_owned() }).await? {
        Answer::Run { run, .. } => Ok(run),
        _ => Err(unexpected()),
    }
}

/// Follows a run until it ends, or waits for an operator; says what changes.
async fn ended(door: &Door, id: &str) -> Result<Box<RunView>, Refusal> {
    let mut said = String::new();
    loop {
        let run = shown(door, id).await?;
        let due = run.due.as_deref().map_or_else(String::new, |due| format!(" until {due}"));
        let now = format!("run {} {}{due}", short(id), run.state.word());
        if now != said {
            tell(&now);
            said = now;
        }
        if run.state.ended() || run.state == RunState::Errored {
            return Ok(run);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// `requests show --sample`.
pub async fn sample(door: &Door, id: String) -> Result<u8, Refusal> {
    let Answer::Request(detail) = door.ask(Ask::Request { id }).await? else { return Err(unexpected()) };
    let text = sample::of(&detail)
        .map_err(|why| Refusal::refused("no_sample", format!("{} is no sample: {why}", detail.request.id)))?;
    output::write(&crate::text::escaped_json(&text))?;
    Ok(0)
}

fn described(view: &SimulatedView) -> String {
    let mut text = String::new();
    field(&mut text, "flow", &format!("{} / {}", view.integration, view.flow));
    let word = if view.draft { "the draft" } else { "the live version" };
    field(&mut text, "version", &format!("v{}, {word}", view.version));
    field(&mut text, "request", view.request.as_deref().unwrap_or("the sample"));
    let cause = view.cause.as_deref().map_or_else(String::new, |cause| format!(": {cause}"));
    field(&mut text, "trigger", &format!("{}{cause}", view.verdict.word()));
    match (view.elements, view.element) {
        (Some(all), Some(at)) => field(&mut text, "element", &format!("{at} of {all} (from 0)")),
        (Some(all), None) => field(&mut text, "elements", &all.to_string()),
        _ => {}
    }
    for step in &view.steps {
        text.push('\n');
        described_step(&mut text, step);
    }
    text.push('\n');
    let cause = view.end_cause.as_deref().map_or_else(String::new, |cause| format!(": {cause}"));
    let known = if view.unknown.is_empty() { "" } else { ", if what nobody knows is as it should" };
    field(&mut text, "it would end", &format!("{}{cause}{known}", view.end.word()));
    if !view.not_touched.is_empty() {
        field(&mut text, "not touched", &view.not_touched.join(", "));
    }
    text
}

fn described_step(text: &mut String, step: &SimulatedStep) {
    let runs = match step.runs {
        Some(true) => "",
        Some(false) => ": does not run",
        None => ": nobody knows whether it runs",
    };
    field(text, "step", &format!("{} ({}){runs}", step.name, step.kind));
    if let Some(cause) = &step.cause {
        field(text, "", cause);
    }
    if let Some(sent) = &step.request {
        text.push_str(&request(sent));
    }
    if let Some(blocked) = &step.blocked {
        field(text, "not sent", blocked);
    }
    for place in &step.left_out {
        field(text, "left out", place);
    }
    items(text, step);
    for asked in &step.asks {
        let from = asked.from.as_deref().unwrap_or_default();
        let value = if asked.known { format!("{} ({from})", asked.value) } else { "not known".to_owned() };
        field(text, "asks", &format!("{}: {} = {value}", asked.field, asked.path));
    }
    if let Some(outputs) = &step.outputs {
        for (name, value) in outputs {
            field(text, "outputs", &format!("{name} = {value}"));
        }
    }
    if let Some(answer) = &step.answer {
        field(text, "answers", &answer.status.to_string());
        headers(text, &answer.headers);
        body(text, &answer.body);
    }
    if let Some(until) = &step.until {
        field(text, "waits until", until);
    }
}

fn items(text: &mut String, step: &SimulatedStep) {
    let Some(count) = step.item_count else { return };
    field(text, "items", &count.to_string());
    for item in &step.items {
        field(text, "item", &item.item.to_string());
        if let Some(sent) = &item.request {
            text.push_str(&request(sent));
        }
        for (label, why) in [("", &item.cause), ("not sent", &item.blocked)] {
            if let Some(why) = why {
                field(text, label, why);
            }
        }
        for place in &item.left_out {
            field(text, "left out", place);
        }
    }
    let more = count.saturating_sub(step.items.len() as u64);
    if more > 0 {
        field(text, "", &format!("{} more", crate::text::count(more)));
    }
}

fn request(sent: &SentView) -> String {
    let mut text = String::new();
    field(&mut text, "sends", &format!("{} {}", sent.method, sent.url));
    headers(&mut text, &sent.headers);
    body(&mut text, sent.body.as_deref().unwrap_or_default());
    text
}

fn headers(text: &mut String, headers: &[Pair]) {
    for (name, value) in headers {
        let _ = writeln!(text, "  {}: {}", clean(name), clean(value));
    }
}

/// A body; where it is JSON as people read it.
fn body(text: &mut String, body: &str) {
    let pretty =
        json::parse_answer(body.as_bytes()).ok().and_then(|value| serde_json::to_string_pretty(&value).ok());
    for line in pretty.as_deref().unwrap_or(body).lines() {
        let _ = writeln!(text, "  {}", clean(line));
    }
}

fn told(called: &CalledView) -> String {
    let mut text = String::new();
    let attempt = &called.attempt;
    field(&mut text, "step", &format!("{} / {} / {}", called.integration, called.flow, called.step));
    field(&mut text, "version", &format!("v{}", called.version));
    if let Some(sent) = &attempt.request {
        text.push_str(&request(sent));
    }
    field(&mut text, "time", attempt.started.as_deref().unwrap_or_default());
    if let Some(elapsed) = attempt.elapsed_ms {
        field(&mut text, "took", &format!("{}.{:03} s", elapsed / 1_000, elapsed % 1_000));
    }
    if let Some(cause) = &attempt.cause {
        field(&mut text, "cause", cause);
    }
    if let Some(GotView { status, headers: got, body: sent, cut, .. }) = &attempt.response {
        field(&mut text, "answered", &status.to_string());
        headers(&mut text, got);
        body(&mut text, sent);
        if *cut {
            field(&mut text, "", "(cut: only its beginning is shown)");
        }
    }
    for (name, value) in called.outputs.iter().flatten() {
        field(&mut text, "outputs", &format!("{name} = {value}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_given_value_is_json_or_text_and_blank_is_null() {
        for (text, value) in [
            ("steps.a.outputs.id=42", json!(42)),
            ("steps.a.outputs.id= x y", json!(" x y")),
            ("steps.a.outputs.id=", json!(null)),
            ("steps.a.outputs.id=  ", json!(null)),
            ("steps.a.outputs.id={\"b\":[1]}", json!({"b": [1]})),
            ("steps.a.outputs.id=a=b", json!("a=b")),
        ] {
            assert_eq!(given(text).unwrap(), ("steps.a.outputs.id".to_owned(), value), "{text}");
        }
        assert_eq!(given("steps.a").unwrap_err().exit, 2);
    }
}
