//! Senders' keys: `key add`, `key ls`, `key rm`, `token`.

use super::args::{Consent, Few, Output};
use super::door::Door;
use super::lists::clock;
use super::output::{self, Rows};
use super::{local, verbs};
use crate::model::ask::keys::{AddKey, NewToken};
use crate::model::ask::{Answer, Ask, Refusal};
use crate::model::credential::Secret;
use crate::model::time::parse_duration;
use clap::Subcommand;
use std::path::{Path, PathBuf};

/// `key`.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Adds a key; flows name it in their `auth`
    Add(Add),
    /// All of them, without their secrets
    Ls(Few),
    /// Removes one: its secret is wiped
    Rm {
        /// Its name
        name: String,
        #[command(flatten)]
        verb: Consent,
    },
}

/// `key add`.
#[derive(Debug, clap::Args)]
pub struct Add {
    /// Its name
    pub name: String,
    /// jwt (the default), api-key, basic or signature
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,
    /// Of tokens: HS256 HS384 HS512 RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 `EdDSA` [default: HS256]
    #[arg(long, value_name = "ALGORITHM")]
    pub algorithm: Option<String>,
    /// The user of a basic key
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// Holds the secret; one final newline is dropped; `-` is stdin
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// Makes a secret, and shows it once
    #[arg(long, conflicts_with_all = ["secret_file", "public_key", "private_key"])]
    pub generate: bool,
    /// The sender's public key: PEM or JWK; `-` is stdin
    #[arg(long, value_name = "FILE")]
    pub public_key: Option<PathBuf>,
    /// The private key of the pair, so that `token` and `send` can sign: PEM or JWK
    #[arg(long, value_name = "FILE", requires = "public_key")]
    pub private_key: Option<PathBuf>,
    #[command(flatten)]
    pub verb: Consent,
}

/// `token`.
#[derive(Debug, clap::Args)]
pub struct Token {
    /// The key that signs it
    #[arg(long, value_name = "NAME")]
    pub key: String,
    /// How long it is good
    #[arg(long, value_name = "DURATION", default_value = "1h")]
    pub ttl: String,
    /// `sub`: who it is; recorded as the actor of each request
    #[arg(long, value_name = "TEXT")]
    pub sub: Option<String>,
    /// `iss`: who made it
    #[arg(long, value_name = "TEXT")]
    pub iss: Option<String>,
    /// `aud`: whom it is for
    #[arg(long, value_name = "TEXT")]
    pub aud: Option<String>,
    #[command(flatten)]
    pub verb: Consent,
}

/// Reads a secret from a file or stdin; one final newline is dropped.
///
/// # Errors
/// It cannot be read, or is no text.
pub fn secret(path: &Path) -> Result<Secret, Refusal> {
    let mut text = local::read(path)?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(Secret::new(text))
}

/// `key …`.
pub async fn key(door: &Door, command: KeyCommand, output: Output) -> Result<u8, Refusal> {
    match command {
        KeyCommand::Add(args) => add(door, args, output).await,
        KeyCommand::Ls(few) => list(door, few, output).await,
        KeyCommand::Rm { name, verb } => remove(door, name, &verb).await,
    }
}

async fn add(door: &Door, args: Add, output: Output) -> Result<u8, Refusal> {
    let stdin = [&args.secret_file, &args.public_key, &args.private_key];
    if stdin.into_iter().flatten().filter(|path| path.as_path() == Path::new("-")).count() > 1 {
        return Err(Refusal::usage("stdin (-) can be read for one of the files only"));
    }
    let add = AddKey {
        name: args.name,
        kind: args.kind,
        algorithm: args.algorithm,
        user: args.user,
        secret: args.secret_file.as_deref().map(secret).transpose()?,
        public: args.public_key.as_deref().map(local::read).transpose()?,
        private: args.private_key.as_deref().map(local::read).transpose()?.map(Secret::new),
        generate: args.generate,
        reason: args.verb.reason,
        dry_run: args.verb.dry_run,
    };
    let Answer::Key(made) = door.ask(Ask::AddKey(Box::new(add))).await? else {
        return Err(verbs::unexpected());
    };
    for line in &made.lines {
        super::tell(line);
    }
    match (output, &made.secret) {
        (Output::Text, Some(secret)) => output::write(&format!("{}\n", secret.reveal()))?,
        (Output::Text, None) => {}
        _ => output::object(&made, output)?,
    }
    Ok(0)
}

async fn list(door: &Door, few: Few, output: Output) -> Result<u8, Refusal> {
    let Answer::Keys { keys } = door.ask(Ask::Keys).await? else { return Err(verbs::unexpected()) };
    let mut out = Rows::new(
        output,
        &[
            ("NAME", 20),
            ("TYPE", 9),
            ("ALGORITHM", 9),
            ("USER", 12),
            ("ADDED", 19),
            ("USED", 19),
            ("FLOWS", 0),
        ],
    )
    .at_most(few.limit);
    for key in &keys {
        out.row(key, || {
            vec![
                key.name.clone(),
                key.kind.clone(),
                key.algorithm.clone().unwrap_or_default(),
                key.user.clone().unwrap_or_default(),
                clock(&key.added),
                key.used.as_deref().map_or_else(|| "never".to_owned(), clock),
                key.flows.join(", "),
            ]
        })?;
    }
    out.end("No key yet: pointsman key add NAME --generate makes one.")?;
    Ok(0)
}

async fn remove(door: &Door, name: String, verb: &Consent) -> Result<u8, Refusal> {
    let ask = |reason, dry_run| Ask::RemoveKey { name: name.clone(), reason, dry_run };
    verbs::one(door, verb, &format!("Remove the key {name}?"), ask).await
}

/// `token`.
pub async fn token(door: &Door, args: Token, output: Output) -> Result<u8, Refusal> {
    let ttl = parse_duration(&args.ttl).map_err(|why| Refusal::usage(format!("--ttl: {why}")))?;
    if args.verb.dry_run {
        super::tell(&format!("would make a token with the key {}, good for {}", args.key, args.ttl));
        return Ok(0);
    }
    let new = NewToken {
        key: args.key,
        ttl,
        sub: args.sub,
        iss: args.iss,
        aud: args.aud,
        reason: args.verb.reason,
    };
    let Answer::Token(token) = door.ask(Ask::Token(new)).await? else { return Err(verbs::unexpected()) };
    match output {
        Output::Text => output::write(&format!("{}\n", token.token.reveal()))?,
        _ => output::object(&token, output)?,
    }
    Ok(0)
}
