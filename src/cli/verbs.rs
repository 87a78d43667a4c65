//! Operators' verbs: the plan first, then a question where it is more than one, then the act.

use super::args::{Complete, Consent, Extend, Output, Replay, Retry, Skip, Targets};
use super::door::Door;
use super::output;
use crate::model::ask::{Act, Acted, Answer, Ask, Done, Plan, Refusal, Signing, Verb, With};
use crate::model::id::short;
use crate::model::{Map, ask};
use crate::rules::json;
use serde_json::Value;
use std::io::{BufRead as _, IsTerminal as _, Write as _};

/// The desk answered something else than what was asked: another version at the other end.
pub fn unexpected() -> Refusal {
    Refusal::failed("the server answered something else than what was asked: do both run the same version?")
}

/// Asks at the terminal; without one it is refused.
///
/// # Errors
/// There is no terminal to ask at.
pub async fn confirmed(question: &str) -> Result<bool, Refusal> {
    if !std::io::stdin().is_terminal() {
        return Err(Refusal::usage(format!("{question} There is no terminal to ask at: give --yes")));
    }
    let _ = write!(std::io::stderr(), "{} [y/N] ", crate::text::clean(question));
    // On a thread that may block, so that ctrl-c is heard meanwhile.
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        let _ = std::io::stdin().lock().read_line(&mut answer);
        answer
    });
    let answer = answer.await.unwrap_or_default();
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// An order on one object: what it would do is said first, and asked at a terminal; a script said what
/// it wants.
///
/// # Errors
/// What the desk refuses.
pub async fn one(
    door: &Door,
    consent: &Consent,
    question: &str,
    ask: impl Fn(Option<String>, bool) -> Ask,
) -> Result<u8, Refusal> {
    let ask = |dry_run| door.ask(ask(consent.reason.clone(), dry_run));
    let told = |answer| match answer {
        Answer::Done(Done { lines, .. }) => {
            for line in &lines {
                super::tell(line);
            }
            Ok(())
        }
        _ => Err(unexpected()),
    };
    if !consent.dry_run && !consent.yes && std::io::stdin().is_terminal() {
        told(ask(true).await?)?;
        if !confirmed(question).await? {
            super::tell("Nothing was done.");
            return Ok(4);
        }
    }
    told(ask(consent.dry_run).await?)?;
    Ok(0)
}

/// A retry with its options.
pub fn retrying(version: Option<With>, fresh_key: bool) -> Verb {
    Verb::Retry { version: version.unwrap_or(With::Deployed), fresh_key }
}

/// A skip with its options.
///
/// # Errors
/// The stand-in is no JSON object.
pub fn skipping(stand_in: Option<&str>) -> Result<Verb, Refusal> {
    let stand_in = stand_in.map(object).transpose().map_err(|error| Refusal {
        code: "stand_in_shape".to_owned(),
        message: format!("--stand-in must be a JSON object: {error}"),
        exit: 2,
    })?;
    Ok(Verb::Skip { stand_in })
}

/// `runs retry`.
pub async fn retry(door: &Door, args: Retry, output: Output) -> Result<u8, Refusal> {
    let verb = retrying(args.version, args.fresh_key);
    act(door, verb, args.targets, output).await
}

/// `runs skip`.
pub async fn skip(door: &Door, args: Skip, output: Output) -> Result<u8, Refusal> {
    act(door, skipping(args.stand_in.as_deref())?, args.targets, output).await
}

fn object(text: &str) -> Result<Map, String> {
    match json::parse(text.as_bytes()) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err("it is something else".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// `runs abort`.
pub async fn abort(door: &Door, targets: Targets, output: Output) -> Result<u8, Refusal> {
    act(door, Verb::Abort, targets, output).await
}

/// `callbacks complete`.
pub async fn complete(door: &Door, args: Complete, output: Output) -> Result<u8, Refusal> {
    let mut body = args.body;
    if body == "-" {
        body = std::io::read_to_string(std::io::stdin())
            .map_err(|error| Refusal::usage(format!("the answer on stdin cannot be read: {error}")))?;
    }
    act(door, Verb::Complete { status: args.status, body }, args.targets, output).await
}

/// `callbacks extend`.
pub async fn extend(door: &Door, args: Extend, output: Output) -> Result<u8, Refusal> {
    let by = super::study::duration("by", &args.by)?;
    act(door, Verb::Extend { by }, args.targets, output).await
}

/// `requests forget`: the next request with one of these keys is accepted.
pub async fn forget(door: &Door, targets: Targets, output: Output) -> Result<u8, Refusal> {
    act(door, Verb::Forget, targets, output).await
}

/// `requests readmit`.
pub async fn readmit(door: &Door, targets: Targets, output: Output) -> Result<u8, Refusal> {
    act(door, Verb::Readmit, targets, output).await
}

/// `requests replay`.
pub async fn replay(door: &Door, args: Replay, output: Output) -> Result<u8, Refusal> {
    let mut set = Vec::new();
    for text in &args.set {
        let (path, value) = text
            .split_once('=')
            .ok_or_else(|| Refusal::usage(format!("{text:?} is no change: write body.path=VALUE")))?;
        let value = json::parse(value.as_bytes()).unwrap_or_else(|_| value.into());
        set.push((path.to_owned(), value));
    }
    let sign = match args.sign.as_deref() {
        Some("fresh") => Some(Signing::Fresh),
        Some(_) => Some(Signing::Exact),
        None => None,
    };
    let verb = Verb::Replay(ask::Replay { version: args.version, set, to: args.to, sign });
    act(door, verb, args.targets, output).await
}

/// Plan, consent, act.
pub async fn act(door: &Door, verb: Verb, targets: Targets, output: Output) -> Result<u8, Refusal> {
    let Targets { ids, filter, pace, verb: consent } = targets;
    if ids.is_empty() && filter.as_deref().is_none_or(|filter| filter.trim().is_empty()) {
        return Err(Refusal::usage("give ids or --filter (never empty): nothing is done to everything"));
    }
    if !ids.is_empty() && filter.is_some() {
        return Err(Refusal::usage("give ids or --filter, not both"));
    }
    let word = verb.word();
    let bulk = filter.is_some() || ids.len() > 1;
    let Consent { reason, yes, dry_run } = consent;
    let mut act = Act {
        ids,
        filter,
        reason,
        rate: pace.rate,
        stop_after: pace.stop_after,
        dry_run: true,
        ..Act::of(verb)
    };
    let Answer::Plan(plan) = door.ask(Ask::Act(Box::new(act.clone()))).await? else {
        return Err(unexpected());
    };
    if dry_run {
        show_plan(&plan, output)?;
        return Ok(0);
    }
    if bulk {
        if plan.count == 0 {
            show_plan(&plan, Output::Text)?;
            super::tell(&format!("There is nothing to {word}."));
            return Ok(if plan.left_out.is_empty() { 0 } else { 4 });
        }
        // One object is not asked about where nobody could answer.
        if !yes && (plan.count > 1 || std::io::stdin().is_terminal()) {
            show_plan(&plan, Output::Text)?;
            let object = act.verb.object().word();
            let s = if plan.count == 1 { "" } else { "s" };
            if !confirmed(&format!("{word} {} {object}{s}?", plan.count)).await? {
                super::tell("Nothing was done.");
                return Ok(4);
            }
        }
    }
    act.dry_run = false;
    if let Some(token) = plan.token.clone() {
        // What was planned is done, and nothing that has come since.
        act = Act { ids: Vec::new(), filter: None, plan: Some(token), ..act };
    } else {
        act.seen.clone_from(&plan.seen);
    }
    match door.ask(Ask::Act(Box::new(act))).await? {
        Answer::Acted(acted) => told(&acted, output),
        Answer::Job(job) => {
            for (why, count) in &plan.left_out {
                super::tell(&format!("left out {count}: {why}"));
            }
            let code = super::jobs::follow(door, *job, &pace, output).await?;
            Ok(if code == 0 && plan.refused > 0 && !pace.detach { 5 } else { code })
        }
        _ => Err(unexpected()),
    }
}

/// Says what would happen.
pub fn show_plan(plan: &Plan, output: Output) -> Result<(), Refusal> {
    if output != Output::Text {
        return output::object(plan, output);
    }
    super::tell(&format!("{} {}", plan.verb, plan.count));
    for line in &plan.lines {
        super::tell(&format!("  {line}"));
    }
    for (host, count) in &plan.hosts {
        super::tell(&format!("  {count} to {host}"));
    }
    for field in &plan.fields {
        super::tell(&format!("  {:<12} {:<24} {}", field.step, field.field, field.fate.words()));
    }
    for (id, what) in &plan.sample {
        super::tell(&format!("  for example {} {what}", short(id)));
    }
    for (why, count) in &plan.left_out {
        super::tell(&format!("  left out {count}: {why}"));
    }
    Ok(())
}

/// Says what was done: exit code 4 where nothing was, 5 where some of many failed.
fn told(acted: &Acted, output: Output) -> Result<u8, Refusal> {
    if output == Output::Text {
        for line in &acted.lines {
            super::tell(line);
        }
        for run in &acted.runs {
            output::write(&format!("{run}\n"))?;
        }
        for (id, why) in &acted.refused {
            super::tell(&format!("{id}: {why}"));
        }
    } else {
        output::object(acted, output)?;
    }
    Ok(match (acted.done, acted.refused.len()) {
        (_, 0) => 0,
        (0, _) => 4,
        _ => 5,
    })
}
