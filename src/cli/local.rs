//! Commands that need no store: `flatten`, `completions`, `new`, and `check`, which asks one that is
//! there for the aliases of others.

use super::args::{Args, Global, Output};
use super::output;
use crate::demo::samples::new_document;
use crate::model::ask::{Answer, Ask, Refusal};
use crate::model::credential::{KeyKind, KeyView};
use crate::model::document::{Flow, Integration};
use crate::rules::check::{Known, check as check_document};
use crate::rules::flatten::flatten_line;
use clap::CommandFactory as _;
use clap_complete::Shell;
use std::io::{BufRead as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// The most that a line of `flatten` or a document may hold, in bytes.
const INPUT: u64 = 64 << 20;

/// A JSON document a line in, a flat object a line out. A bad line is told on stderr with its
/// number, the others are written; the exit code is then 1.
pub fn flatten() -> Result<u8, Refusal> {
    let mut input = std::io::stdin().lock();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut code = 0;
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let read = (&mut input).take(INPUT).read_until(b'\n', &mut line);
        match read {
            Ok(0) => break,
            Ok(_) if line.last() != Some(&b'\n') && line.len() as u64 == INPUT => {
                return Err(Refusal::failed(format!("line {number} is over 64 MiB")));
            }
            Ok(_) => {}
            Err(error) => return Err(Refusal::failed(format!("stdin cannot be read: {error}"))),
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let flat = match std::str::from_utf8(&line) {
            Ok(text) => flatten_line(text).map_err(|error| error.to_string()),
            Err(error) => Err(format!("not UTF-8 from byte {} on", error.valid_up_to())),
        };
        match flat {
            Ok(flat) => {
                if writeln!(out, "{flat}").is_err() {
                    return Ok(0);
                }
            }
            Err(error) => {
                let _ = out.flush();
                super::tell(&format!("line {number}: {error}"));
                code = 1;
            }
        }
    }
    let _ = out.flush();
    Ok(code)
}

/// Prints a script that completes commands in a shell.
pub fn completions(shell: Shell) -> Result<u8, Refusal> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "pointsman", &mut script);
    output::write(&String::from_utf8_lossy(&script))?;
    Ok(0)
}

/// Prints a commented document to start from.
pub fn new(name: &str) -> Result<u8, Refusal> {
    let fits = !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !fits {
        return Err(Refusal::usage(format!(
            "{name:?} is not a name for an integration: small letters, digits and - are, up to 64"
        )));
    }
    output::write(&new_document(name))?;
    Ok(0)
}

/// Reads a file, or stdin for `-`.
///
/// # Errors
/// It cannot be read, or is no text.
pub fn read(path: &Path) -> Result<String, Refusal> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(INPUT).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(INPUT).read_to_string(&mut text))
    };
    match read {
        Ok(_) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Refusal::not_found(format!("{} is not there", path.display())))
        }
        Err(error) => Err(Refusal::failed(format!("{} cannot be read: {error}", path.display()))),
    }
}

/// Reports every mistake in documents, all at once; warnings leave the exit code at 0.
pub fn check(files: &[PathBuf], global: &Global) -> Result<u8, Refusal> {
    let mut known = Known::default();
    let mut sources = Vec::new();
    for path in files {
        sources.push(read(path)?);
    }
    // What an integration of these files owns now may move to another one of them.
    let own: Vec<String> = sources.iter().filter_map(|source| name_of(source)).collect();
    known.paths = super::taken::paths(global, &own);
    // The operator's connections are judged where his configuration can be read.
    known.connections = super::config::settings(global).ok().map(|settings| settings.connections.0);
    // Names of keys are judged where there is a store that has some, or could.
    if sources.iter().any(|source| names_keys(source)) {
        known.keys = keys_there(global);
    }
    let mut rows = output::Rows::new(global.output, &[("PLACE", 0)]);
    let mut broken = false;
    for (path, source) in files.iter().zip(&sources) {
        let checked = check_document(source, &known);
        for problem in &checked.problems {
            broken |= !problem.warning;
            let kind = if problem.warning { "warning" } else { "error" };
            let value = serde_json::json!({
                "file": path.display().to_string(), "line": problem.line, "column": problem.column,
                "kind": kind, "message": problem.message,
            });
            if global.output == Output::Text {
                let line = format!(
                    "{}:{}:{}: {kind}: {}",
                    path.display(),
                    problem.line,
                    problem.column,
                    problem.message
                );
                output::write(&(crate::text::clean(&line).into_owned() + "\n"))?;
            } else {
                rows.row(&value, Vec::new)?;
            }
        }
        if let Some(integration) = checked.integration {
            if global.output == Output::Text {
                super::tell(&format!("{}: {} is well-formed", path.display(), integration.name));
            }
            known.paths.extend(paths(&integration));
        }
    }
    if global.output != Output::Text {
        rows.end("")?;
    }
    Ok(u8::from(broken))
}

/// Whether a document names a key.
fn names_keys(source: &str) -> bool {
    let checked = check_document(source, &Known::default());
    checked.integration.is_some_and(|integration| {
        integration.flows.iter().filter_map(Flow::webhook).any(|webhook| !webhook.auth.keys().is_empty())
    })
}

/// The keys of the data folder; `None` where there is none, or it cannot be asked.
fn keys_there(global: &Global) -> Option<Vec<(String, KeyKind)>> {
    let settings = super::config::settings(global).ok()?;
    // A check makes no store.
    settings.data.join("pointsman.db").exists().then_some(())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let answer = runtime.block_on(async {
        let door = super::door::Door::open(&settings, global).await.ok()?;
        let answer = door.ask(Ask::Keys).await.ok();
        door.close().await;
        answer
    });
    let Some(Answer::Keys { keys }) = answer else { return None };
    let kind = |key: &KeyView| KeyKind::from_words(&key.kind, key.algorithm.as_deref().unwrap_or_default());
    Some(keys.iter().filter_map(|key| Some((key.name.clone(), kind(key)?))).collect())
}

/// The name that a text gives its integration, as far as it can be read at all.
fn name_of(text: &str) -> Option<String> {
    let table: toml::Table = text.parse().ok()?;
    table.get("name")?.as_str().map(str::to_owned)
}

/// The aliases that a document takes, and its name as their owner.
fn paths(integration: &Integration) -> Vec<(String, String)> {
    let aliases = integration.flows.iter().filter_map(|flow| flow.webhook()?.path.clone());
    aliases.map(|alias| (alias, integration.name.clone())).collect()
}
