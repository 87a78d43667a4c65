//! Versions of an integration: `integrations history|diff|rollback`.

use super::args::{Consent, Output};
use super::door::Door;
use super::lists::clock;
use super::output::{self, Rows};
use super::{documents, verbs};
use crate::model::ask::{Answer, Ask, Refusal, Rollback};
use std::io::IsTerminal as _;

/// `integrations history`.
pub async fn history(door: &Door, name: String, limit: u32, output: Output) -> Result<u8, Refusal> {
    let Answer::History { versions } = door.ask(Ask::History { name, limit }).await? else {
        return Err(verbs::unexpected());
    };
    let mut out =
        Rows::new(output, &[("VERSION", 7), ("STATE", 5), ("TIME", 19), ("AUTHOR", 16), ("REASON", 0)]);
    for version in &versions {
        let state = match (version.deployed, version.draft) {
            (true, _) => "live",
            (false, true) => "draft",
            (false, false) => "",
        };
        out.row(version, || {
            vec![
                format!("v{}", version.number),
                state.to_owned(),
                clock(&version.time),
                version.author.clone(),
                version.reason.clone().unwrap_or_default(),
            ]
        })?;
    }
    out.end("")?;
    Ok(0)
}

/// `integrations diff`.
pub async fn diff(
    door: &Door,
    name: String,
    from: Option<u32>,
    to: Option<u32>,
    output: Output,
) -> Result<u8, Refusal> {
    let Answer::Diff(diff) = door.ask(Ask::Diff { name, from, to }).await? else {
        return Err(verbs::unexpected());
    };
    if output != Output::Text {
        output::object(&diff, output)?;
        return Ok(0);
    }
    if diff.from == diff.to {
        super::tell(&format!("v{} is live and the newest: there is nothing to compare it with", diff.from));
    } else if diff.diff.is_empty() {
        super::tell(&format!("v{} and v{} have the same text", diff.from, diff.to));
    } else if std::io::stdout().is_terminal() {
        let lines = diff.diff.lines().map(|line| crate::text::clean(line).into_owned() + "\n");
        output::write(&lines.collect::<String>())?;
    } else {
        // As it is: so it can be applied as a patch.
        output::write(&diff.diff)?;
    }
    Ok(0)
}

/// `integrations rollback`. One object, and nothing that cannot be taken back: nothing is asked.
pub async fn rollback(door: &Door, name: String, version: u32, verb: Consent) -> Result<u8, Refusal> {
    let rollback = Rollback { name, version, reason: verb.reason, dry_run: verb.dry_run };
    documents::done(door.ask(Ask::Rollback(rollback)).await?)
}
