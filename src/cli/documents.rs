//! Documents and values: `apply`, `deploy`, `remove`, `export`, `set`.

use super::args::{self, Consent};
use super::door::Door;
use super::{local, output, verbs};
use crate::model::ask::{Answer, Apply, Ask, Done, Refusal};
use crate::model::gate::{PauseAct, PauseOrder};
use crate::model::time::parse_duration;
use std::io::IsTerminal as _;

/// Says what was done; a draft that was kept where a deploy was asked for is exit code 4.
pub(super) fn done(answer: Answer) -> Result<u8, Refusal> {
    match answer {
        Answer::Done(Done { lines, refused }) => {
            for line in lines {
                super::tell(&line);
            }
            Ok(if refused { 4 } else { 0 })
        }
        _ => Err(verbs::unexpected()),
    }
}

/// Saves documents and deploys them, all or none.
pub async fn apply(door: &Door, args: args::Apply) -> Result<u8, Refusal> {
    let mut files = Vec::new();
    for path in &args.files {
        files.push((path.display().to_string(), local::read(path)?));
    }
    let apply = Apply {
        files,
        rename: args.rename,
        draft: args.draft,
        reason: args.verb.reason,
        dry_run: args.verb.dry_run,
    };
    done(door.ask(Ask::Apply(apply)).await?)
}

/// Makes the newest version the live one.
pub async fn deploy(door: &Door, name: String, verb: &Consent) -> Result<u8, Refusal> {
    done(
        door.ask(Ask::Deploy { name, seen: None, reason: verb.reason.clone(), dry_run: verb.dry_run })
            .await?,
    )
}

/// Closes an integration's endpoints, after saying what that ends.
pub async fn remove(door: &Door, name: String, verb: &Consent) -> Result<u8, Refusal> {
    let ask = |dry_run| Ask::Remove { name: name.clone(), reason: verb.reason.clone(), dry_run };
    let code = done(door.ask(ask(true)).await?)?;
    if verb.dry_run || code != 0 {
        return Ok(code);
    }
    // One object: without a terminal it is not asked for.
    let asks = !verb.yes && std::io::stdin().is_terminal();
    if asks && !verbs::confirmed(&format!("Remove {name}?")).await? {
        super::tell("Nothing was done.");
        return Ok(4);
    }
    done(door.ask(ask(false)).await?)
}

/// Pauses an integration or a flow, after saying what that does.
pub async fn pause(
    door: &Door,
    target: String,
    hold: bool,
    lasts: Option<&str>,
    verb: Consent,
) -> Result<u8, Refusal> {
    let lasts = lasts
        .map(|text| parse_duration(text).map_err(|why| Refusal::usage(format!("--for: {why}"))))
        .transpose()?;
    order(door, target, PauseAct::Pause { hold, lasts }, verb).await
}

/// Ends a pause.
pub async fn resume(door: &Door, target: String, verb: Consent) -> Result<u8, Refusal> {
    order(door, target, PauseAct::Resume, verb).await
}

/// One object, and nothing that cannot be taken back: asked nothing, as other verbs on one object.
async fn order(door: &Door, target: String, act: PauseAct, verb: Consent) -> Result<u8, Refusal> {
    let order = PauseOrder { target, act, reason: verb.reason, dry_run: verb.dry_run };
    done(door.ask(Ask::Pause(order)).await?)
}

/// Prints a document.
pub async fn export(door: &Door, name: String, version: Option<u32>) -> Result<u8, Refusal> {
    match door.ask(Ask::Export { name, version }).await? {
        // To a terminal nothing goes that it would obey; a file or pipe gets the text as it is.
        Answer::Source { text, .. } if std::io::stdout().is_terminal() => {
            let lines: Vec<_> = text.split('\n').map(crate::text::clean).collect();
            output::write(&lines.join("\n")).map(|()| 0)
        }
        Answer::Source { text, .. } => output::write(&text).map(|()| 0),
        _ => Err(verbs::unexpected()),
    }
}

/// Sets values of variables; a secret's comes from a file or stdin, never from the command line.
pub async fn set(door: &Door, args: args::Set) -> Result<u8, Refusal> {
    let (values, secret) = match (&args.secret_file, args.values.as_slice()) {
        (Some(file), [name]) if !name.contains('=') => {
            (Vec::new(), Some((name.clone(), super::keys::secret(file)?)))
        }
        (Some(_), _) => {
            return Err(Refusal::usage(
                "--secret-file is the value of one variable: set NAME VAR --secret-file F",
            ));
        }
        (None, texts) => (texts.iter().map(|text| pair(text)).collect::<Result<_, _>>()?, None),
    };
    let Consent { reason, dry_run, .. } = args.verb;
    done(door.ask(Ask::Set { name: args.name, values, secret, reason, dry_run }).await?)
}

/// `VAR=VALUE`.
fn pair(text: &str) -> Result<(String, String), Refusal> {
    let (name, value) = text.split_once('=').ok_or_else(|| {
        Refusal::usage(format!("{text:?} is no value: write VAR=VALUE, or VAR --secret-file F for a secret"))
    })?;
    Ok((name.to_owned(), value.to_owned()))
}
