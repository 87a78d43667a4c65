//! The command line: arguments to settings, settings to one of the programs.
//!
//! One file a command group. Data goes to stdout, everything else to stderr. Exit codes: 0 ok,
//! 1 failed, 2 usage, 3 not found, 4 refused, 5 some of many failed, 130 interrupted.

mod alerts;
mod args;
mod attach;
mod backtest;
mod beside;
mod config;
mod demo;
mod details;
mod documents;
mod door;
mod events;
mod jobs;
mod keys;
mod lists;
mod local;
mod man;
mod many;
mod operators;
mod output;
mod overview;
mod send;
mod serve;
mod store;
mod study;
mod taken;
mod trial;
mod verbs;
mod versions;

use crate::model::ask::{Refusal, Verb};
use args::{Args, Command};
use clap::Parser as _;
use std::io::Write as _;

/// Runs the program; the exit code.
#[must_use]
pub fn main() -> u8 {
    let args = match Args::try_parse_from(args::filters(std::env::args_os())) {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { 2 } else { 0 };
        }
    };
    match run(args) {
        Ok(code) => code,
        Err(refusal) => {
            tell(&refusal.message);
            refusal.exit
        }
    }
}

/// Says something to the person: on stderr, safe for a terminal, a line a sentence.
pub(crate) fn tell(message: &str) {
    let mut out = std::io::stderr().lock();
    for line in message.lines() {
        let _ = writeln!(out, "{}", crate::text::clean(line));
    }
}

fn run(args: Args) -> Result<u8, Refusal> {
    // Filters of text need no settings, no runtime and no store.
    let command = match args.command.unwrap_or(Command::Run) {
        Command::Flatten => return local::flatten(),
        Command::Completions { shell } => return local::completions(shell),
        Command::New { name } => return local::new(&name),
        Command::Check { files } => return local::check(&files, &args.global),
        Command::Man { command, dir } => return man::man(&command, dir.as_deref()),
        Command::Config { command } => return config::config(&args.global, &command),
        Command::Store { command } => {
            return store::store(&config::settings(&args.global)?, command, args.global.output);
        }
        other => other,
    };
    if let Some(theme) = &args.global.theme {
        // Before anything starts: a console that cannot be drawn should not have received.
        let themes = config::looks(&args.global)?.themes;
        if !themes.names().any(|name| name == theme) {
            let names: Vec<&str> = themes.names().collect();
            return Err(Refusal::usage(format!(
                "--theme {theme}: there is no theme of this name: {}",
                names.join(", ")
            )));
        }
    }
    if let Some(file) = &args.global.record {
        let console =
            matches!(command, Command::Run | Command::Attach { .. } | Command::Demo { headless: false });
        if !console {
            return Err(Refusal::usage(
                "--record is not possible: run, attach and demo have a console, this has none",
            ));
        }
        // The file is made when the console begins; what is certain to fail then fails before.
        if std::fs::symlink_metadata(file).is_ok() {
            let there = std::io::ErrorKind::AlreadyExists.into();
            return Err(Refusal::usage(crate::console::tape::refused(file, &there)));
        }
    }
    let settings = config::settings(&args.global)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("pointsman")
        .build()
        .map_err(|error| Refusal::failed(format!("the runtime does not start: {error}")))?;
    let code = runtime.block_on(async {
        match command {
            Command::Run => serve::run(settings, &args.global).await,
            Command::Serve => serve::serve(settings).await,
            Command::Attach { url, token_file } => attach::attach(&args.global, url, token_file).await,
            Command::Demo { headless } => demo::demo(settings, &args.global, headless).await,
            other => {
                let door = door::Door::open(&settings, &args.global).await?;
                let done = tokio::select! {
                    // A command that ends itself at ctrl-c may say how far it came.
                    biased;
                    done = dispatch(&door, other, &args.global) => done,
                    _ = tokio::signal::ctrl_c() => Ok(130),
                };
                door.close().await;
                done
            }
        }
    });
    // Readers that are blocked in a long scan must not hold up the exit.
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    code
}

async fn dispatch(door: &door::Door, command: Command, global: &args::Global) -> Result<u8, Refusal> {
    let output = global.output;
    match command {
        Command::Apply(apply) => documents::apply(door, apply).await,
        Command::Deploy { name, verb } => documents::deploy(door, name, &verb).await,
        Command::Remove { name, verb } => documents::remove(door, name, &verb).await,
        Command::Export { name, version } => documents::export(door, name, version).await,
        Command::Set(set) => documents::set(door, set).await,
        Command::Integrations { command } => lists::integrations(door, command, output).await,
        Command::Alerts { command: args::AlertsCommand::Ls(few) } => alerts::ls(door, few, output).await,
        Command::Endpoints { command: args::EndpointsCommand::Ls(few) } => {
            lists::endpoints(door, few, output).await
        }
        Command::Requests { command } => match command {
            args::RequestsCommand::Ls { list, fold: false } => lists::requests(door, list, output).await,
            args::RequestsCommand::Ls { list, fold: true } => lists::deliveries(door, list, output).await,
            args::RequestsCommand::Show { id, sample: false } => details::request(door, id, output).await,
            args::RequestsCommand::Show { id, sample: true } => trial::sample(door, id).await,
            args::RequestsCommand::Explain { id } => details::explain(door, id, output).await,
            args::RequestsCommand::Forget(targets) => verbs::forget(door, targets, output).await,
            args::RequestsCommand::Replay(replay) => verbs::replay(door, replay, output).await,
            args::RequestsCommand::Readmit(targets) => verbs::readmit(door, targets, output).await,
        },
        Command::Runs { command } => match command {
            args::RunsCommand::Ls(list) => lists::runs(door, list, output).await,
            args::RunsCommand::Show { id } => details::run(door, id, output).await,
            args::RunsCommand::Retry(retry) => verbs::retry(door, retry, output).await,
            args::RunsCommand::Skip(skip) => verbs::skip(door, skip, output).await,
            args::RunsCommand::Abort(abort) => verbs::abort(door, abort, output).await,
            args::RunsCommand::Diff { one, other } => beside::runs(door, one, other, output).await,
        },
        Command::Callbacks { command } => match command {
            args::CallbacksCommand::Ls(list) => lists::callbacks(door, list, output).await,
            args::CallbacksCommand::Show { id } => details::callback(door, id, output).await,
            args::CallbacksCommand::Complete(args) => verbs::complete(door, args, output).await,
            args::CallbacksCommand::Extend(args) => verbs::extend(door, args, output).await,
            args::CallbacksCommand::Cancel(targets) => verbs::act(door, Verb::Cancel, targets, output).await,
        },
        Command::Groups { command } => match command {
            args::GroupsCommand::Ls(few) => lists::groups(door, few, output).await,
            args::GroupsCommand::Retry(retry) => {
                let verb = verbs::retrying(retry.version, retry.fresh_key);
                many::groups(door, verb, retry.groups, output).await
            }
            args::GroupsCommand::Skip(skip) => {
                let verb = verbs::skipping(skip.stand_in.as_deref())?;
                many::groups(door, verb, skip.groups, output).await
            }
        },
        Command::Audit { command: args::AuditCommand::Ls(list) } => lists::audit(door, list, output).await,
        Command::Send(send) => send::send(door, send).await,
        Command::Test(test) => study::test(door, *test, output).await,
        Command::Capture(capture) => study::capture(door, capture, output).await,
        Command::Drift { command } => study::drift(door, command, output).await,
        Command::Doctor => details::doctor(door, global).await,
        Command::Overview(args) => overview::overview(door, args.span, global).await,
        Command::Key { command } => keys::key(door, command, output).await,
        Command::Token(token) => keys::token(door, token, output).await,
        Command::Operator { command } => operators::operator(door, command, output).await,
        Command::Jobs { command } => jobs::jobs(door, command, output).await,
        Command::Run
        | Command::Serve
        | Command::Attach { .. }
        | Command::Demo { .. }
        | Command::Flatten
        | Command::Completions { .. }
        | Command::New { .. }
        | Command::Check { .. }
        | Command::Man { .. }
        | Command::Config { .. }
        | Command::Store { .. } => Err(Refusal::failed("this command runs without a door")),
    }
}
