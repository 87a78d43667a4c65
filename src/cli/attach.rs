//! `attach`: a console on a running server, through the socket of its data folder or its operators'
//! API.

use super::args::Global;
use super::door::who;
use super::{keys, serve};
use crate::api::{Client, Url};
use crate::console;
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
    let (client, host, kept) = if let Some(url) = url {
        let (client, host) = over_tcp(&url, token_file.as_deref())?;
        (client, host, None)
    } else {
        if token_file.is_some() {
            return Err(Refusal::usage(
                "--token-file belongs to the URL of an operators' API: pointsman attach URL --token-file F",
            ));
        }
        let data = super::config::settings(global)?.data;
        let client = Client::connect(&data).ok_or_else(|| nobody(&data))?;
        (client, "this machine".to_owned(), Some(data.join(serve::THEME)))
    };
    let who = who("console", global.read_only);
    // Before the terminal is taken: a wrong token or address is said where it can be read.
    client.ask(&who, &Ask::Counters).await?;
    if !(std::io::stdout().is_terminal() && std::io::stdin().is_terminal()) {
        return Err(Refusal::usage("attach shows a console, and there is no terminal here"));
    }
    let mut options = serve::console_options(global, &who.name, None, kept);
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

fn nobody(data: &Path) -> Refusal {
    Refusal::failed(format!(
        "nobody serves {}: start it with pointsman serve, name another folder with --data, or a server with its URL",
        data.display()
    ))
}
