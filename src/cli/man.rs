//! `man`: pages for `man(1)`, made from the arguments themselves.

use super::args::Args;
use super::output;
use crate::model::ask::Refusal;
use clap::{Command, CommandFactory as _};
use std::path::Path;

/// Prints the page of a command, or of the program; with a folder, writes the pages of all commands
/// into it.
///
/// # Errors
/// No such command; the folder cannot be written.
pub fn man(words: &[String], folder: Option<&Path>) -> Result<u8, Refusal> {
    let mut program = Args::command();
    program.build();
    if let Some(folder) = folder {
        let mut written = 0;
        write_all(&program, folder, &mut written)
            .map_err(|error| Refusal::failed(format!("{}: {error}", folder.display())))?;
        super::tell(&format!("{written} pages written to {}", folder.display()));
        return Ok(0);
    }
    let mut command = &program;
    for word in words {
        command = shown(command).find(|sub| sub.get_name() == word).ok_or_else(|| {
            let names: Vec<&str> = shown(command).map(Command::get_name).collect();
            let of = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            Refusal::not_found(format!("{} has no command {word:?}; it has {of}", command.get_name()))
        })?;
    }
    let page = page(command).map_err(|error| Refusal::failed(error.to_string()))?;
    output::write(&String::from_utf8_lossy(&page))?;
    Ok(0)
}

fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|sub| !sub.is_hide_set())
}

fn page(command: &Command) -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    Ok(page)
}

/// `pointsman.1`, `pointsman-runs.1`, `pointsman-runs-retry.1`, …
fn write_all(command: &Command, folder: &Path, written: &mut usize) -> std::io::Result<()> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    std::fs::write(folder.join(format!("{name}.1")), page(command)?)?;
    *written += 1;
    shown(command).try_for_each(|sub| write_all(sub, folder, written))
}
