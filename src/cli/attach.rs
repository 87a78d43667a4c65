//! `attach`: a console on a running server, through the socket of its data folder or its operators'
//! API.

use super::args::Global;
use super::door::who;
use super::{config, keys, serve};
use crate::api::{Client, Url};
use crate::console;
use crate::console::options::HERE;
use crate::model::ask::{Ask, Refusal};
use crate::session;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

/// Shows a console on a running server until the person quits; the server goes on.
///
/// # Errors
/// Nobody serves there, the token is not known, or there is no terminal.
pub async fn attach(
    global: &Global,
    url: Option<String>,
    token_file: Option<PathBuf>,
) -> Result<u8, Refusal> {
    let (client, host, kept, picks) = if let Some(url) = url {
        let (client, host) = over_tcp(&url, token_file.as_deref())?;
        let picks = state_file(&host, |name| std::env::var_os(name).map(PathBuf::from));
        (client, host, config::state_folder().map(|folder| folder.join(serve::KEPT)), picks)
    } else {
        if token_file.is_some() {
            return Err(Refusal::usage(
                "--token-file belongs to the URL of an operators' API: pointsman attach URL --token-file F",
            ));
        }
        let data = config::settings(global)?.data;
        let client = Client::connect(&data).ok_or_else(|| nobody(&data))?;
        (client, HERE.to_owned(), Some(data.join(serve::KEPT)), Some(data.join(serve::PICKS)))
    };
    let who = who("console", global.read_only);
    // Before the terminal is taken: a wrong token or address is said where it can be read.
    client.ask(&who, &Ask::Counters).await?;
    if !(std::io::stdout().is_terminal() && std::io::stdin().is_terminal()) {
        return Err(Refusal::usage("attach shows a console, and there is no terminal here"));
    }
    let mut options = serve::console_options(global, &who.name, None, kept)?.keeping(picks);
    options.attached = Some(host);
    match console::run(session::remote(client, who), options).await {
        Ok(()) => Ok(0),
        Err(error) => Err(Refusal::failed(error.to_string())),
    }
}

fn over_tcp(url: &str, token_file: Option<&Path>) -> Result<(Client, String), Refusal> {
    let url = Url::parse(url).map_err(Refusal::usage)?;
    let Some(file) = token_file else {
        return Err(Refusal::usage(
            "the operators' API asks for a token: attach URL --token-file F; pointsman operator add NAME --role R --token-file F makes one",
        ));
    };
    let token = keys::secret(file)?;
    let host = url.authority();
    Ok((Client::to(url, token), host))
}

/// Where pins, views and filters of a console on another machine are kept: in the state folder of
/// whoever sits here, a file for each server.
fn state_file(host: &str, variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let given = |name| variable(name).filter(|path| path.is_absolute());
    let base = given("XDG_STATE_HOME").or_else(|| Some(given("HOME")?.join(".local/state")))?;
    let plain =
        |letter: char| if letter.is_ascii_alphanumeric() || ".-".contains(letter) { letter } else { '_' };
    let host: String = host.chars().take(100).map(plain).collect();
    Some(base.join("pointsman").join(format!("console-{host}.json")))
}

fn nobody(data: &Path) -> Refusal {
    Refusal::failed(format!(
        "nobody serves {}: start it with pointsman serve, name another folder with --data, or a server with its URL",
        data.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_has_a_file_of_its_own_in_the_state_folder() {
        let file = |host: &str, pairs: &[(&str, &str)]| {
            let named = |name: &str| {
                pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| PathBuf::from(value))
            };
            state_file(host, named)
        };
        let home = [("HOME", "/home/ann")];
        let expected = "/home/ann/.local/state/pointsman/console-gate.example_7701.json";
        assert_eq!(file("gate.example:7701", &home), Some(PathBuf::from(expected)));
        let both = [("HOME", "/home/ann"), ("XDG_STATE_HOME", "/state")];
        assert_eq!(file("[::1]:7", &both), Some(PathBuf::from("/state/pointsman/console-___1__7.json")));
        assert_eq!(file("../../x", &both), Some(PathBuf::from("/state/pointsman/console-.._.._x.json")));
        assert_eq!(file("a", &[("HOME", "relative")]), None);
    }
}
