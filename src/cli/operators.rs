//! Operators: `operator add`, `operator ls`, `operator rm`.

use super::args::{Consent, Few, Output};
use super::door::Door;
use super::lists::clock;
use super::output::{self, Rows};
use super::verbs;
use crate::model::ask::{Answer, Ask, Refusal};
use crate::model::operator::{AddOperator, Role};
use clap::Subcommand;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// `operator`.
#[derive(Debug, Subcommand)]
pub enum OperatorCommand {
    /// Adds somebody who may attach, and makes the token
    Add(Add),
    /// All of them, without their tokens
    Ls(Few),
    /// Removes one: the token lets nobody in any more
    Rm {
        /// The name
        name: String,
        #[command(flatten)]
        verb: Consent,
    },
}

/// `operator add`.
#[derive(Debug, clap::Args)]
pub struct Add {
    /// The name: the audit trail has it at every act
    pub name: String,
    /// viewer sees; operator retries, skips, replays, completes, pauses; admin also edits, deploys
    /// and manages keys and operators
    #[arg(long, value_name = "ROLE", value_parser = ["viewer", "operator", "admin"])]
    pub role: String,
    /// Writes the token into this new file (0600), and does not print it
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    #[command(flatten)]
    pub verb: Consent,
}

/// `operator …`.
pub async fn operator(door: &Door, command: OperatorCommand, output: Output) -> Result<u8, Refusal> {
    match command {
        OperatorCommand::Add(args) => add(door, args, output).await,
        OperatorCommand::Ls(few) => list(door, few, output).await,
        OperatorCommand::Rm { name, verb } => remove(door, name, &verb).await,
    }
}

async fn add(door: &Door, args: Add, output: Output) -> Result<u8, Refusal> {
    let role = Role::from_word(&args.role).unwrap_or_default();
    let Consent { reason, dry_run, .. } = args.verb;
    let add = AddOperator { name: args.name, role, reason, dry_run };
    // The file first: a token that cannot be written would be lost.
    let file = match args.token_file.as_deref().filter(|_| !dry_run) {
        Some(path) => Some((path, fresh(path)?)),
        None => None,
    };
    let answer = door.ask(Ask::AddOperator(add)).await;
    if let (Err(_), Some((path, _))) = (&answer, &file) {
        let _ = std::fs::remove_file(path);
    }
    let Answer::Operator(mut made) = answer? else { return Err(verbs::unexpected()) };
    if let (Some((path, mut file)), Some(token)) = (file, made.token.take_if(|_| args.token_file.is_some())) {
        let written =
            file.write_all(format!("{}\n", token.reveal()).as_bytes()).and_then(|()| file.sync_all());
        written.map_err(|error| {
            Refusal::failed(format!(
                "the operator was added, but {} cannot be written: {error}; remove the operator and add it again",
                path.display()
            ))
        })?;
        made.lines.truncate(1);
        made.lines.push(format!("the token is in {}", path.display()));
    }
    for line in &made.lines {
        super::tell(line);
    }
    match (output, &made.token) {
        (Output::Text, Some(token)) => output::write(&format!("{}\n", token.reveal()))?,
        (Output::Text, None) => {}
        _ => output::object(&made, output)?,
    }
    Ok(0)
}

/// A new file that only its owner may read.
fn fresh(path: &Path) -> Result<File, Refusal> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| Refusal::failed(format!("--token-file {} cannot be made: {error}", path.display())))
}

async fn list(door: &Door, few: Few, output: Output) -> Result<u8, Refusal> {
    let Answer::Operators { operators } = door.ask(Ask::Operators).await? else {
        return Err(verbs::unexpected());
    };
    let mut out =
        Rows::new(output, &[("NAME", 20), ("ROLE", 8), ("ADDED", 19), ("SEEN", 0)]).at_most(few.limit);
    for operator in &operators {
        out.row(operator, || {
            vec![
                operator.name.clone(),
                operator.role.word().to_owned(),
                clock(&operator.added),
                operator.seen.as_deref().map_or_else(|| "never".to_owned(), clock),
            ]
        })?;
    }
    out.end("No operator yet: pointsman operator add NAME --role viewer|operator|admin makes one.")?;
    Ok(0)
}

async fn remove(door: &Door, name: String, verb: &Consent) -> Result<u8, Refusal> {
    let ask = |reason, dry_run| Ask::RemoveOperator { name: name.clone(), reason, dry_run };
    verbs::one(door, verb, &format!("Remove the operator {name}?"), ask).await
}
