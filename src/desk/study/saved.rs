//! A stored request as a file that can be sent and tried again.

use super::super::Desk;
use crate::model::ask::{Refusal, Who};
use crate::model::id::short;
use crate::rules::sample;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// The folder of samples, in the data folder.
const FOLDER: &str = "samples";

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
    }
}
