//! How a first request is sent: a command that a shell runs.

use super::Guide;
use super::auth::Scheme;
use crate::console::curl::quoted;
use crate::model::credential::Secret;

/// A body that says what it is.
const BODY: &str = "{\"id\":\"1\"}";
/// Stands for a key that was shown once, or is another's.
const KEY: &str = "THE-KEY";

impl Guide {
    /// The command that sends a request to its first flow; with the key in it where it was made here,
    /// and `shows` says so.
    #[must_use]
    pub fn command(&self, shows: bool) -> Option<String> {
        let url = self.finished.as_ref().map(|done| done.url.as_str()).or_else(|| self.url())?;
        let hook = super::text::webhook(&self.text)?;
        let held = self.held.as_ref().filter(|held| hook.auth.keys().contains(&held.key));
        let secret = match held {
            Some(held) if shows => held.secret.reveal(),
            Some(_) => "•••",
            None => KEY,
        };
        let key = hook.auth.keys().first().map_or("", String::as_str);
        let word = hook.auth.word();
        let scheme = Scheme::ALL.into_iter().find(|scheme| scheme.word().replace(' ', "_") == word)?;
        let curl = |credential: &str| format!("curl --json '{BODY}' {credential}{url}");
        Some(match scheme {
            Scheme::None => curl(""),
            Scheme::ApiKey => {
                let header = match &hook.auth {
                    crate::model::auth::Auth::ApiKey { header, .. } => header.as_str(),
                    _ => crate::model::auth::API_KEY,
                };
                curl(&format!("-H {} ", quoted(&format!("{header}: {secret}"))))
            }
            Scheme::Basic => {
                let known = self.auth.known.iter().find(|one| one.name == key);
                let user = held.and_then(|held| held.user.as_deref());
                let user = user.or_else(|| known.and_then(|one| one.user.as_deref())).unwrap_or("USER");
                curl(&format!("-u {} ", quoted(&format!("{user}:{secret}"))))
            }
            Scheme::Jwt => curl(&format!("-H \"Authorization: Bearer $(pointsman token --key {key})\" ")),
            Scheme::Signature => {
                let flow = quoted(&self.path());
                format!("echo '{BODY}' > first.json && pointsman send first.json --to {flow}")
            }
        })
    }

    /// The key that was made, as a sender takes it.
    #[must_use]
    pub fn secret(&self) -> Option<&Secret> {
        self.held.as_ref().map(|held| &held.secret)
    }
}
