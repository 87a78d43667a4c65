//! `[[connection]]` of the configuration file: the operator's own outgoing settings, which flows name
//! as `global/NAME`. What they hold is written here or in files beside it, never in documents.

use crate::model::credential::MAX_SECRET;
use crate::model::document::{Connection, ConnectionAuth};
use crate::model::settings::Globals;
use crate::rules::check::{connection_name, header_refused};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A connection as it is written. Unknown keys are errors.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileConnection {
    name: String,
    base_url: Option<String>,
    auth: Option<FileAuth>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    proxy: Option<String>,
    verify_tls: Option<bool>,
    ca_file: Option<PathBuf>,
}

/// They may hold credentials.
impl std::fmt::Debug for FileConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FileConnection({:?})", self.name)
    }
}

/// Its credentials: a text, or a file that holds it.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
enum FileAuth {
    Bearer { token: Option<String>, token_file: Option<PathBuf> },
    Basic { user: String, password: Option<String>, password_file: Option<PathBuf> },
    Header { name: String, value: Option<String>, value_file: Option<PathBuf> },
}

/// Reads all of them; an error names its key.
pub fn read(written: Vec<FileConnection>) -> Result<Globals, (String, String)> {
    let mut all: Vec<Connection> = Vec::with_capacity(written.len());
    for one in written {
        let key = format!("connection {:?}", one.name);
        let connection = connection(one).map_err(|why| (key.clone(), why))?;
        if all.iter().any(|other| other.name == connection.name) {
            return Err((key, "there are two of this name: rename one".to_owned()));
        }
        all.push(connection);
    }
    Ok(Globals(all.into()))
}

fn connection(written: FileConnection) -> Result<Connection, String> {
    let FileConnection { name, base_url, auth, headers, proxy, verify_tls, ca_file } = written;
    if !connection_name(&name) {
        return Err("its name is not possible: write letters, digits, _ and -".to_owned());
    }
    let absolute = |text: &str, schemes: &[&str]| {
        url::Url::parse(text).is_ok_and(|url| schemes.contains(&url.scheme()) && url.has_host())
    };
    if let Some(base) = &base_url
        && !absolute(base, &["http", "https"])
    {
        return Err(format!("base_url {base:?} is no absolute URL: write \"https://…\""));
    }
    if let Some(proxy) = &proxy
        && !absolute(proxy, &["http", "https", "socks5", "socks5h"])
    {
        return Err("proxy is no proxy: write \"http://host:3128\"".to_owned());
    }
    if let Some(file) = &ca_file
        && let Err(error) = std::fs::metadata(file)
    {
        return Err(format!("ca_file {} cannot be read: {error}", file.display()));
    }
    let headers: Vec<(String, String)> = headers.into_iter().collect();
    for (name, value) in &headers {
        header_name(name)?;
        plain(&format!("the header {name}"), value)?;
    }
    if let Some(base) = &base_url {
        plain("base_url", base)?;
    }
    Ok(Connection {
        name: format!("global/{name}"),
        base_url,
        auth: auth.map(credentials).transpose()?,
        headers,
        proxy,
        verify_tls: verify_tls.unwrap_or(true),
        ca_file: ca_file.map(|file| file.display().to_string()),
    })
}

fn credentials(auth: FileAuth) -> Result<ConnectionAuth, String> {
    Ok(match auth {
        FileAuth::Bearer { token, token_file } => {
            ConnectionAuth::Bearer { token: either("token", token, token_file.as_deref())? }
        }
        FileAuth::Basic { user, password, password_file } => {
            plain("user", &user)?;
            ConnectionAuth::Basic { user, password: either("password", password, password_file.as_deref())? }
        }
        FileAuth::Header { name, value, value_file } => {
            header_name(&name)?;
            ConnectionAuth::Header { name, value: either("value", value, value_file.as_deref())? }
        }
    })
}

fn header_name(name: &str) -> Result<(), String> {
    match header_refused(name) {
        None => Ok(()),
        Some(why) => Err(format!("the header {name:?} cannot be set: {why}")),
    }
}

/// A credential, written or in a file of its own (one final newline is dropped).
fn either(key: &str, written: Option<String>, file: Option<&Path>) -> Result<String, String> {
    let text = match (written, file) {
        (Some(text), None) => text,
        (None, Some(file)) => {
            let shown = file.display();
            let mut text = std::fs::read_to_string(file)
                .map_err(|error| format!("{key}_file {shown} cannot be read: {error}"))?;
            if text.ends_with('\n') {
                text.pop();
                if text.ends_with('\r') {
                    text.pop();
                }
            }
            text
        }
        (Some(_), Some(_)) => return Err(format!("auth has {key} and {key}_file: keep one")),
        (None, None) => return Err(format!("auth has no {key}: write {key} or {key}_file")),
    };
    if text.is_empty() || text.len() > MAX_SECRET {
        return Err(format!("{key} has 1 byte to 64 KiB"));
    }
    plain(key, &text)?;
    Ok(text)
}

/// These are values and no templates: a document's variables mean nothing here.
fn plain(what: &str, text: &str) -> Result<(), String> {
    if ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark)) {
        return Err(format!("{what} holds a template: connections of the operator are written as they are"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct File {
        connection: Vec<FileConnection>,
    }

    fn of(text: &str) -> Result<Globals, (String, String)> {
        read(toml::from_str::<File>(text).unwrap().connection)
    }

    #[test]
    fn a_connection_is_read_with_its_credential_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "s3cret\n").unwrap();
        let text = format!(
            "[[connection]]\nname = \"crm\"\nbase_url = \"https://crm.example\"\nheaders = {{ X-A = \"1\" }}\n\
             auth = {{ type = \"bearer\", token_file = {:?} }}\n[[connection]]\nname = \"erp\"\nverify_tls = false\n\
             auth = {{ type = \"header\", name = \"X-Key\", value = \"k\" }}\n",
            file.display().to_string()
        );
        let globals = of(&text).unwrap();
        assert_eq!(globals.0[0].auth, Some(ConnectionAuth::Bearer { token: "s3cret".to_owned() }));
        assert_eq!((globals.0[1].name.as_str(), globals.0[1].verify_tls), ("global/erp", false));
        assert_eq!(format!("{globals:?}"), "[\"global/crm\", \"global/erp\"]");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_key_and_without_the_credential() {
        for (rest, said) in [
            ("base_url = \"/x\"", "is no absolute URL"),
            ("proxy = \"ftp://x\"", "is no proxy"),
            ("ca_file = \"/nowhere/ca.pem\"", "ca_file /nowhere/ca.pem cannot be read"),
            ("headers = { \"Content-Length\" = \"1\" }", "cannot be set"),
            ("headers = { X = \"{{ config.a }}\" }", "holds a template"),
            ("auth = { type = \"bearer\", token = \"s3cret\", token_file = \"/x\" }", "token and token_file"),
            ("auth = { type = \"bearer\" }", "auth has no token"),
            ("auth = { type = \"basic\", user = \"u\", password_file = \"/nowhere/p\" }", "cannot be read"),
            ("auth = { type = \"bearer\", token = \"s3cret{{x}}\" }", "token holds a template"),
        ] {
            let (key, why) = of(&format!("[[connection]]\nname = \"crm\"\n{rest}\n")).unwrap_err();
            assert_eq!(key, "connection \"crm\"");
            assert!(why.contains(said) && !why.contains("s3cret"), "{rest}: {why}");
        }
        let twice = "[[connection]]\nname = \"a\"\n[[connection]]\nname = \"a\"\n";
        assert!(of(twice).unwrap_err().1.contains("two of this name"));
        assert!(of("[[connection]]\nname = \"a/b\"\n").unwrap_err().1.contains("its name"));
        assert!(toml::from_str::<File>("[[connection]]\nname = \"a\"\nnope = 1\n").is_err());
    }
}
