//! How a command reaches the desk: through the socket of the process that serves this data folder,
//! else by opening the store itself.

use super::args::Global;
use crate::api::Client;
use crate::desk::{self, Desk};
use crate::feed::{Feed, Stats};
use crate::model::ask::{Answer, Ask, Refusal, Who};
use crate::model::settings::Settings;
use crate::store::{self, OpenError, Store};
use crate::vault::{KEY_FILE, KEY_VARIABLE, Vault};
use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// An open door to a desk.
pub struct Door {
    who: Who,
    way: Way,
}

enum Way {
    /// Another process serves the folder.
    Socket(Client),
    /// Nobody does: the store is ours until the command ends.
    Own { desk: Box<Desk>, store: Store },
}

/// Who sits at this keyboard: the login name of the person, behind `sudo` too; without one the
/// number of the system user.
pub fn who(door: &str, read_only: bool) -> Who {
    let name = login(|name| std::env::var(name).ok());
    let name = name.unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()));
    Who { read_only, ..Who::local(name, door) }
}

fn login(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    ["SUDO_USER", "USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .filter_map(variable)
        .find(|name| !name.trim().is_empty())
}

impl Door {
    /// Opens the door.
    ///
    /// # Errors
    /// The store cannot be opened, or its keys not be read.
    pub async fn open(settings: &Settings, global: &Global) -> Result<Self, Refusal> {
        let who = who("command line", global.read_only);
        if let Some(client) = Client::connect(&settings.data) {
            return Ok(Self { who, way: Way::Socket(client) });
        }
        let feed = Feed::default();
        let opened = open_store(settings, &feed);
        let (store, _handover) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                // A server that has just started holds the store before it listens at its socket.
                return match Client::connect(&settings.data) {
                    Some(client) => Ok(Self { who, way: Way::Socket(client) }),
                    None => Err(error),
                };
            }
        };
        let vault = open_vault(settings)?;
        let desk = Desk::new(desk::Deps {
            store: store.clone(),
            vault,
            stats: Arc::new(Stats::default()),
            feed,
            settings: Arc::new(settings.clone()),
            hosts: crate::scheduler::Hosts::new(0),
        });
        desk.load_keys().await?;
        desk.equip().await?;
        Ok(Self { who, way: Way::Own { desk: Box::new(desk), store } })
    }

    /// Asks the desk.
    ///
    /// # Errors
    /// What the desk refuses.
    pub async fn ask(&self, ask: Ask) -> Result<Answer, Refusal> {
        match &self.way {
            Way::Socket(client) => client.ask(&self.who, &ask).await,
            Way::Own { desk, .. } => desk.answer(&self.who, ask).await,
        }
    }

    /// Does a job here and now, where no process serves the folder: as long as the command waits
    /// for it.
    pub fn carry_out(&self, id: &str) {
        if let Way::Own { desk, store } = &self.way
            && let Some(id) = store.ids().parse(id)
        {
            let desk = Desk::clone(desk);
            tokio::spawn(async move { desk.carry_out(id, &CancellationToken::new()).await });
        }
    }

    /// Whether another process serves the folder.
    pub fn served(&self) -> bool {
        matches!(self.way, Way::Socket(_))
    }

    /// Gives the store back.
    pub async fn close(&self) {
        if let Way::Own { store, .. } = &self.way {
            store.close().await;
        }
    }
}

/// Opens the store of a data folder.
///
/// # Errors
/// Another process holds it, it is newer than this program, or it cannot be read.
pub fn open_store(settings: &Settings, feed: &Feed) -> Result<(Store, store::Handover), Refusal> {
    keyed(&settings.data)?;
    let options = store::Options {
        limits: settings.limits.clone(),
        feed: feed.clone(),
        public_url: settings.public_url.clone(),
        clock: store::clock::Clock::system(),
    };
    Store::open(&settings.data, options).map_err(|error| match error {
        OpenError::Held { .. } | OpenError::Newer { .. } | OpenError::Foreign { .. } => {
            Refusal::refused("held", error.to_string())
        }
        OpenError::Other { .. } => Refusal::failed(error.to_string()),
    })
}

/// A store lives with one key: where that is lost a new one is never made in passing.
///
/// # Errors
/// There is a store and no key file; or the key file of a new folder cannot be made. It is made
/// first, so that whatever ends this process leaves no store without one.
fn keyed(data: &Path) -> Result<(), Refusal> {
    // A key that the environment gives needs no file.
    if std::env::var_os(KEY_VARIABLE).is_some() {
        return Ok(());
    }
    let key = data.join(KEY_FILE);
    let missing = matches!(key.try_exists(), Ok(false));
    if missing && Store::exists(data) {
        let key = key.display();
        return Err(Refusal::refused(
            "key_lost",
            format!(
                "the key file {key} is missing, and the store beside it was made with it: without it the URLs of callbacks that wait, and what is sealed, are lost.\n\
                 Put the key file back from a backup. If it is lost for good, make another one: (umask 077; head -c 32 /dev/urandom > {key}). \
                 Callbacks that wait can then only be completed by hand, and secrets are to be set again."
            ),
        ));
    }
    if missing {
        Vault::open(data).map_err(|error| Refusal::failed(error.to_string()))?;
    }
    Ok(())
}

/// Opens the key file of a data folder, or takes the key that the environment gives.
///
/// # Errors
/// It cannot be read or made.
pub fn open_vault(settings: &Settings) -> Result<Vault, Refusal> {
    match std::env::var(KEY_VARIABLE) {
        Ok(key) if !key.trim().is_empty() => {
            let wrong = |error| Refusal::usage(format!("{KEY_VARIABLE}: {error}"));
            return Vault::with_key(&key).map_err(wrong);
        }
        Err(std::env::VarError::NotUnicode(_)) => {
            return Err(Refusal::usage(format!("{KEY_VARIABLE} is no text")));
        }
        _ => {}
    }
    Vault::open(&settings.data).map_err(|error| {
        Refusal::failed(format!("the key file in {} cannot be used: {error}", settings.data.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_person_behind_sudo_is_named_and_an_empty_name_is_none() {
        let of = |pairs: &[(&str, &str)]| {
            login(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(of(&[("SUDO_USER", "anna"), ("USER", "root")]).as_deref(), Some("anna"));
        assert_eq!(of(&[("SUDO_USER", ""), ("USER", ""), ("LOGNAME", "ben")]).as_deref(), Some("ben"));
        assert_eq!(of(&[]), None);
    }
}
