//! Details: `show`, `explain`, `doctor`.

use super::args::{Global, Output};
use super::door::Door;
use super::lists::clock;
use super::output::{self, Rows, field};
use super::verbs::unexpected;
use crate::model::alert::AlertView;
use crate::model::ask::{Answer, Ask, Refusal};
use crate::model::run::StepState;
use crate::model::schedule::ScheduleView;
use crate::model::time::parse_rfc3339;
use crate::model::view::{CheckState, CheckView, IntegrationView, ItemView, RequestDetail, StepView};
use crate::rules::badges::by_flow;
use crate::rules::schedule::wall_clock;
use std::fmt::Write as _;

/// An integration in lines for people.
pub fn describe(one: &IntegrationView) -> String {
    let mut text = String::new();
    field(&mut text, "name", &one.name);
    field(&mut text, "title", &one.title);
    field(
        &mut text,
        "live",
        &one.deployed.map_or_else(|| "never deployed".to_owned(), |number| format!("v{number}")),
    );
    if let Some(draft) = one.draft {
        field(&mut text, "draft", &format!("v{draft}"));
    }
    if let Some(pause) = &one.paused {
        field(&mut text, "paused", &pause.words());
    }
    field(&mut text, "saved", &format!("{} by {}", clock(&one.saved), one.author));
    for variable in &one.variables {
        let value = match (&variable.value, variable.set) {
            (serde_json::Value::Null, _) if variable.required => "no value; it needs one".to_owned(),
            (serde_json::Value::Null, _) => "no value".to_owned(),
            (value, true) => format!("= {value} (set)"),
            (value, false) => format!("= {value} (default)"),
        };
        let heading =
            if variable.heading.is_empty() { String::new() } else { format!("{}: ", variable.heading) };
        field(&mut text, "variable", &format!("{heading}{} [{}] {value}", variable.name, variable.kind));
        if !variable.help.is_empty() {
            field(&mut text, "", &format!("  {}", variable.help));
        }
    }
    for flow in &one.flows {
        let url = match (&flow.url, flow.trigger.as_str()) {
            (Some(url), _) => url,
            (None, "manual") => "by hand",
            (None, _) => "",
        };
        let paused = flow.paused.as_ref().map_or_else(String::new, |pause| format!(" · {}", pause.words()));
        field(&mut text, "flow", &format!("{} [{}] {} {url}{paused}", flow.name, flow.id, flow.trigger));
        if flow.only_counted > 0 {
            let n = crate::text::count(flow.only_counted);
            field(&mut text, "", &format!("  {n} refused requests were counted and not stored"));
        }
        if let Some(schedule) = &flow.schedule {
            ticks(&mut text, schedule);
        }
        if let Some(last) = &flow.last_run {
            let cause = last.cause.as_deref().map_or_else(String::new, |cause| format!(": {cause}"));
            let run = crate::model::id::short(&last.run);
            let said = format!("  last run {run} {} {}{cause}", clock(&last.time), last.state.word());
            field(&mut text, "", &said);
        }
        for (name, kind) in &flow.steps {
            field(&mut text, "", &format!("  {name} ({kind})"));
        }
    }
    for alert in &one.alerts {
        told(&mut text, alert);
    }
    for group in by_flow(&one.drift) {
        let Some(newest) = group.newest() else { continue };
        let said = match group.only() {
            Some(drift) => {
                let first = crate::model::id::short(&drift.request);
                format!("{}: {} (request {first}, {})", drift.flow, drift.words(), clock(&drift.at))
            }
            None => format!(
                "{}: {}; {}; pointsman drift ls {}/{} lists them",
                newest.flow,
                group.words(),
                group.ends(),
                newest.integration,
                newest.flow
            ),
        };
        field(&mut text, "drift", &said);
    }
    text
}

/// An alert, and how it stands with who is told.
fn told(text: &mut String, alert: &AlertView) {
    field(text, "alert", &format!("{} → {}, quiet {}", alert.kinds(), alert.receiver(), alert.quiet));
    let last = match &alert.last_told {
        Some(at) => format!("last told {}", clock(at)),
        None => "nothing told yet".to_owned(),
    };
    let open = match alert.open {
        0 => String::new(),
        n => format!(", {} open", crate::text::count(n)),
    };
    field(text, "", &format!("  {last}{open}"));
    if let Some(error) = &alert.error {
        let waiting = match alert.waiting {
            0 => String::new(),
            1 => ", 1 post waits".to_owned(),
            n => format!(", {} posts wait", crate::text::count(n)),
        };
        field(text, "", &format!("  not delivered: {error}{waiting}"));
    }
}

/// A schedule with its next ticks, as the clocks of its zone show them.
fn ticks(text: &mut String, schedule: &ScheduleView) {
    let zone = schedule.zone.as_deref();
    let missed = match schedule.made_up {
        0 => String::new(),
        n => format!(" · {n} missed and made up"),
    };
    let named = zone.map_or_else(String::new, |zone| format!(" {zone}"));
    field(text, "", &format!("  {}{named}{missed}", schedule.rule));
    for next in &schedule.next {
        let shown = parse_rfc3339(next).and_then(|at| wall_clock(at, zone.unwrap_or("UTC")));
        field(text, "", &format!("  next {}", shown.as_deref().unwrap_or(next)));
    }
}

/// `requests show`.
pub async fn request(door: &Door, id: String, output: Output) -> Result<u8, Refusal> {
    let Answer::Request(detail) = door.ask(Ask::Request { id }).await? else { return Err(unexpected()) };
    match output {
        Output::Text => output::write(&describe_request(&detail))?,
        _ => output::object(&*detail, output)?,
    }
    Ok(0)
}

fn describe_request(detail: &RequestDetail) -> String {
    let request = &detail.request;
    let mut text = String::new();
    field(&mut text, "request", &request.id);
    field(&mut text, "time", &request.time);
    field(&mut text, "flow", &format!("{} / {}", request.integration, request.flow));
    let status = match (request.status, request.made_by()) {
        (Some(status), _) => format!(", answered {status}"),
        (None, Some(by)) => format!(", made {by}: nobody sent it, nobody was answered"),
        (None, None) => String::new(),
    };
    field(&mut text, "verdict", &format!("{}{status}", request.verdict.word()));
    if let Some(cause) = &request.cause {
        field(&mut text, "cause", cause);
    }
    if let Some(first) = &request.duplicate_of {
        field(&mut text, "duplicate of", first);
    }
    if let Some(parent) = &detail.parent {
        field(&mut text, "made from", parent);
    }
    for run in &request.runs {
        let known = detail.began.iter().find(|begun| begun.run == *run);
        let state = known.map_or_else(String::new, |begun| format!(" {}", begun.state.word()));
        field(&mut text, "run", &format!("{run}{state}"));
    }
    if let Some(target) = &detail.target {
        field(&mut text, "call", &format!("{} {target}", request.method));
    }
    if let Some(from) = &request.from {
        field(&mut text, "from", from);
    }
    if !request.marks.is_empty() {
        field(&mut text, "marks", &request.marks.join(" "));
    }
    field(&mut text, "size", &crate::text::size_kept(request.size, request.is_cut(), crate::text::size));
    let width = detail.flat.keys().map(|path| path.chars().count()).max().unwrap_or(0).min(48);
    for (path, value) in &detail.flat {
        let _ = writeln!(
            text,
            "{:<width$}  {}",
            crate::text::clean(path),
            crate::text::clean(&value.to_string())
        );
    }
    text
}

/// `requests explain`.
pub async fn explain(door: &Door, id: String, output: Output) -> Result<u8, Refusal> {
    let Answer::Explain(explain) = door.ask(Ask::Explain { id }).await? else { return Err(unexpected()) };
    if output != Output::Text {
        output::object(&*explain, output)?;
        return Ok(0);
    }
    let mut text = String::new();
    field(&mut text, "request", &explain.request);
    field(&mut text, "verdict", explain.verdict.word());
    // What a refusal's other sentences say is in its autopsy.
    let whys = if explain.told.is_empty() { explain.why.len() } else { 1 };
    for why in explain.why.iter().take(whys) {
        field(&mut text, "why", why);
    }
    for (label, line) in &explain.told {
        field(&mut text, label, line);
    }
    if let Some(rule) = &explain.rule {
        field(&mut text, "rule", rule);
    }
    for one in &explain.fields {
        let value = if one.missing { "is missing".to_owned() } else { format!("= {}", one.value) };
        field(&mut text, "field", &format!("{} {value}", one.path));
    }
    if let Some(key) = &explain.key {
        field(&mut text, "key", key);
    }
    if let Some(first) = &explain.first {
        field(&mut text, "first", first);
    }
    field(&mut text, "copies", &explain.copies.to_string());
    if let Some(lapses) = &explain.lapses {
        field(&mut text, "lapses", lapses);
    }
    for (path, there, here) in &explain.differs {
        field(&mut text, "differs", &format!("{path}: {there} there, {here} here"));
    }
    output::write(&text)?;
    Ok(0)
}

/// Items of a step that are listed at most.
const ITEMS: usize = 50;

/// The items of a step that have no good end and are not simply still to come.
fn items_of(text: &mut String, step: &StepView) {
    let told = |item: &&ItemView| !matches!(item.state, StepState::Succeeded | StepState::Pending);
    for item in step.items.iter().filter(told).take(ITEMS) {
        let cause = item.cause.as_deref().map_or_else(String::new, |cause| format!(": {cause}"));
        field(text, &format!("item {}", item.index), &format!("{}{cause}", item.state.word()));
    }
    let more = step.items.iter().filter(told).count().saturating_sub(ITEMS);
    if more > 0 {
        field(text, "", &format!("and {more} more: --output json has all"));
    }
}

/// `runs show`.
pub async fn run(door: &Door, id: String, output: Output) -> Result<u8, Refusal> {
    let Answer::Run { run, events } = door.ask(Ask::Run { id }).await? else { return Err(unexpected()) };
    if output != Output::Text {
        output::object(&*run, output)?;
        return Ok(0);
    }
    let mut text = String::new();
    field(&mut text, "run", &run.id);
    field(&mut text, "flow", &format!("{} / {} v{}", run.integration, run.flow, run.version));
    field(&mut text, "state", run.state.word());
    if let Some(cause) = &run.cause {
        field(&mut text, "cause", cause);
    }
    if let Some(request) = &run.request {
        field(&mut text, "request", request);
    }
    if let Some(parent) = &run.parent {
        field(&mut text, "replay of", parent);
    }
    if let Some(waits) = &run.waits {
        field(&mut text, "waits", waits);
    }
    if let Some(due) = &run.due {
        field(&mut text, "next", due);
    }
    for step in &run.steps {
        let items =
            if step.items.is_empty() { String::new() } else { format!(", items {}", step.tally().words()) };
        field(&mut text, "step", &format!("{} ({}) {}{items}", step.name, step.kind, step.state.word()));
        items_of(&mut text, step);
    }
    for event in &events {
        let actor = event.actor.as_deref().map_or_else(String::new, |actor| format!("{actor}: "));
        field(
            &mut text,
            event.at.get(11..23).unwrap_or(&event.at),
            &format!("{:<12} {actor}{}", event.step, event.text),
        );
    }
    output::write(&text)?;
    Ok(0)
}

/// `callbacks show`: with the URL, which is audited.
pub async fn callback(door: &Door, id: String, output: Output) -> Result<u8, Refusal> {
    let Answer::Callback(callback) = door.ask(Ask::Callback { id, reveal: true }).await? else {
        return Err(unexpected());
    };
    if output != Output::Text {
        output::object(&*callback, output)?;
        return Ok(0);
    }
    let mut text = String::new();
    field(&mut text, "callback", &callback.id);
    field(&mut text, "run", &callback.run);
    field(&mut text, "step", &callback.step);
    field(&mut text, "state", callback.state.word());
    field(&mut text, "created", &callback.created);
    field(&mut text, "deadline", &callback.deadline);
    if let Some(received) = &callback.received {
        field(&mut text, "received", received);
    }
    if let Some(status) = callback.status {
        field(&mut text, "status", &status.to_string());
    }
    if let Some(url) = &callback.url {
        field(&mut text, "url", url);
    }
    output::write(&text)?;
    Ok(0)
}

/// `doctor`: exit code 1 only where something is broken.
///
/// What is wrong with themes is looked at here: it is about the consoles of this machine.
pub async fn doctor(door: &Door, global: &Global) -> Result<u8, Refusal> {
    let output = global.output;
    let Answer::Doctor { mut checks } = door.ask(Ask::Doctor).await? else { return Err(unexpected()) };
    let themes = |text| CheckView { name: "themes".to_owned(), state: CheckState::Warning, text };
    checks.extend(super::config::looks_troubles(global)?.into_iter().map(themes));
    let mut out = Rows::new(output, &[("CHECK", 18), ("STATE", 7), ("FOUND", 0)]);
    for check in &checks {
        let state = match check.state {
            CheckState::Ok => "ok",
            CheckState::Warning => "warning",
            CheckState::Broken => "broken",
        };
        out.row(check, || vec![check.name.clone(), state.to_owned(), check.text.clone()])?;
    }
    out.end("")?;
    Ok(u8::from(checks.iter().any(|check| check.state == CheckState::Broken)))
}
