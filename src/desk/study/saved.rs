//! A stored request as a file that can be sent and tried again, and those that were saved.

use super::super::Desk;
use crate::model::ask::{Refusal, Who};
use crate::model::id::short;
use crate::rules::sample;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// The folder of samples, in the data folder.
const FOLDER: &str = "samples";
/// Most samples that are listed.
const LISTED: usize = 200;
/// Files of the folder that are looked at.
const LOOKED: usize = 10_000;
/// Most bytes of a sample: a body of 6 MiB, escaped and with its headers.
const MOST: u64 = 16 << 20;

impl Desk {
    /// Writes a request into the folder of samples; where it lies.
    pub(super) async fn save_sample(&self, who: &Who, id: &str) -> Result<String, Refusal> {
        let id = self.deps.store.resolve(id).await?;
        let detail = self.deps.store.request_detail(id).await?;
        let text = sample::of(&detail).map_err(|why| {
            Refusal::refused("no_sample", format!("{} is no sample: {why}", short(&detail.request.id)))
        })?;
        let request = detail.request;
        let name = format!("{}-{}-{}.json", request.integration, plain(&request.flow), short(&request.id));
        let path = self.deps.settings.data.join(FOLDER).join(name);
        let shown = path.display().to_string();
        let written = tokio::task::spawn_blocking(move || write(&path, &text)).await;
        let failed = |why: String| Refusal::failed(format!("{shown} cannot be written: {why}"));
        match written {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(failed(error.to_string())),
            Err(error) => return Err(failed(error.to_string())),
        }
        self.audit(who, "sample", &request.id, None, &format!("Saved as {shown}.")).await?;
        Ok(shown)
    }

    /// The names of the samples that were saved: those of a flow first, the newest of each first.
    pub(super) async fn samples(&self, flow: &str) -> Result<Vec<String>, Refusal> {
        let named = self.named_of(flow, |_| true, "")?;
        let of_flow = format!("{}-{}-", named.integration, plain(&named.name));
        let folder = self.deps.settings.data.join(FOLDER);
        let listed = tokio::task::spawn_blocking(move || listed(&folder, &of_flow)).await;
        listed.map_err(|error| Refusal::failed(format!("the samples cannot be listed: {error}")))
    }

    /// The text of a sample that was saved.
    pub(super) async fn saved(&self, name: &str) -> Result<String, Refusal> {
        if !is_name(name) {
            return Err(Refusal::usage(format!("{name:?} is no name of a saved sample")));
        }
        let path = self.deps.settings.data.join(FOLDER).join(name);
        let read = tokio::task::spawn_blocking(move || read(&path)).await;
        match read.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
            Ok(text) => Ok(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(Refusal::not_found(format!("no sample {name} is saved")))
            }
            Err(error) => Err(Refusal::failed(format!("the sample {name} cannot be read: {error}"))),
        }
    }
}

/// Whether a name is that of a file in the folder, and leads nowhere else.
fn is_name(name: &str) -> bool {
    let path = Path::new(name);
    path.extension().is_some_and(|end| end == "json")
        && path.file_name().is_some_and(|file| file == name)
        && name.len() <= 255
}

/// Names of files, those with a beginning first, the newest of each first. No folder is no sample.
fn listed(folder: &Path, first: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<(bool, std::time::SystemTime, String)> = entries
        .take(LOOKED)
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok().filter(|name| is_name(name))?;
            let data = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
            Some((name.starts_with(first), data.modified().ok()?, name))
        })
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().take(LISTED).map(|(_, _, name)| name).collect()
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(MOST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST {
        return Err(std::io::Error::other("it is over 16 MiB"));
    }
    Ok(text)
}

/// A flow's name as a part of a file's.
fn plain(name: &str) -> String {
    let letter =
        |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
    name.chars().take(40).map(letter).collect()
}

/// Bodies are senders' business: for their keeper's eyes alone.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_a_flow_leads_into_no_other_folder() {
        assert_eq!(plain("Sync customers"), "sync-customers");
        assert_eq!(plain("../../etc/x"), "------etc-x");
        assert_eq!(plain(&"ä".repeat(100)).len(), 40);
        for bad in
            ["../x.json", "/etc/x.json", "a/b.json", "..", "x.txt", "", ".json/", "x.json/", &"x".repeat(300)]
        {
            assert!(!is_name(bad), "{bad}");
        }
        assert!(is_name("shop-orders-d7fe00.json"));
    }

    #[test]
    fn samples_of_the_flow_come_first_and_a_list_has_an_end() {
        let folder = tempfile::tempdir().unwrap();
        assert!(listed(&folder.path().join("none"), "").is_empty());
        for at in 0..LISTED + 20 {
            std::fs::write(folder.path().join(format!("other-{at}.json")), "{}").unwrap();
        }
        std::fs::write(folder.path().join("shop-orders-d7fe00.json"), "{}").unwrap();
        std::fs::write(folder.path().join("notes.txt"), "{}").unwrap();
        std::fs::create_dir(folder.path().join("shop-orders-x.json")).unwrap();
        let names = listed(folder.path(), "shop-orders-");
        assert_eq!((names.len(), names[0].as_str()), (LISTED, "shop-orders-d7fe00.json"));
        assert!(!names[1..].iter().any(|name| name.starts_with("shop")));
    }
}
